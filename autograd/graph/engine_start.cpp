#include "engine_start.h"

#include <algorithm>
#include <unordered_set>

#include "../../core/array/create.h"
#include "../../core/base/fail.h"

namespace gradus::autograd {

std::vector<Tensor> starting_gradients(const std::vector<Tensor>& outputs, const std::vector<Tensor>& gradients,
                                       const char* op) {
  if (!gradients.empty() && gradients.size() != outputs.size()) {
    core::fail<GradError>("{}: there must be as many gradients as outputs (or none): {} for {}", op, gradients.size(),
                          outputs.size());
  }
  std::vector<Tensor> result;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Tensor& y = outputs[i];
    if (!y.requires_grad()) {
      core::fail<GradError>(
          "{}: output {} ({}, {}) must require grad: nothing that it was made from does (requires_grad_(), or was it "
          "made under NoGradGuard or through detach()?)",
          op, i, y.sizes(), y.dtype());
    }
    Tensor g = gradients.empty() ? Tensor() : gradients[i];
    if (!g.defined()) {
      if (y.numel() != 1) {
        core::fail<GradError>(
            "{}: the gradient may be left out for a single element only: output {} has shape {}; pass a gradient of "
            "that shape, or reduce with sum() or mean()",
            op, i, y.sizes());
      }
      g = Tensor(core::full(y.sizes(), 1, y.dtype()));
    } else if (g.sizes() != y.sizes()) {
      core::fail<ShapeError>("{}: the gradient must have the output's shape: {} for {}", op, g.sizes(), y.sizes());
    } else if (g.dtype() != y.dtype()) {
      g = g.to(y.dtype());
    }
    result.push_back(std::move(g));
  }
  return result;
}

std::vector<Destination> targets_of(const std::vector<Tensor>& inputs, const char* op, bool into_grad) {
  std::vector<Destination> targets;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Edge& edge = inputs[i].edge();
    if (!edge) {
      core::fail<GradError>("{}: input {} ({}, {}) must require grad", op, i, inputs[i].sizes(), inputs[i].dtype());
    }
    const bool again = std::any_of(targets.begin(), targets.end(), [&](const Destination& t) {
      return into_grad && t.node == edge.node.get() && t.output == edge.index;
    });
    if (again) continue;
    Destination target{edge.node.get(), edge.index, {}, {}};
    if (into_grad) target.into = core::Ref<LeafNode>(&inputs[i].leaf());
    targets.push_back(std::move(target));
  }
  return targets;
}

NodeNeeds needed_for(const std::vector<Tensor>& outputs, const std::vector<Destination>& targets) {
  NodeNeeds needs;
  std::uint64_t lowest = ~std::uint64_t{0};
  for (const Destination& target : targets) {
    const bool into_a_leaf = target.into && target.node == target.into.get();
    (into_a_leaf ? needs[target.node].run : needs[target.node].target) = true;
    lowest = std::min(lowest, target.node->number());
  }
  std::vector<const Node*> reachable, stack;
  std::unordered_set<const Node*> seen;
  const auto visit = [&](const Edge& edge) {
    if (edge && edge.node->number() >= lowest && seen.insert(edge.node.get()).second) {
      stack.push_back(edge.node.get());
    }
  };
  for (const Tensor& output : outputs) visit(output.edge());
  while (!stack.empty()) {
    const Node* node = stack.back();
    stack.pop_back();
    reachable.push_back(node);
    for (int i = 0; i < node->num_inputs(); ++i) visit(node->edges()[i]);
  }
  // A node's inputs have lower numbers than the node: one pass upward settles who leads to a target.
  std::sort(reachable.begin(), reachable.end(), [](const Node* a, const Node* b) { return a->number() < b->number(); });
  for (const Node* node : reachable) {
    bool run = false;
    for (int i = 0; i < node->num_inputs() && !run; ++i) {
      run = node->edges()[i] && needs.count(node->edges()[i].node.get()) != 0;
    }
    if (run) needs[node].run = true;
  }
  return needs;
}

namespace {
thread_local const Wanted* innermost = nullptr;
}

Wanted::Wanted(const Node& running, const NodeNeeds* needs) noexcept
    : node_(running), needs_(needs), outer_(innermost) {
  innermost = this;
}
Wanted::~Wanted() { innermost = outer_; }
bool Wanted::gradient(const Node& node, int input) {
  const Edge& edge = node.edges()[input];
  if (!edge) return false;
  // A step may run others' forward (a checkpoint's, say), which this pass says nothing of.
  const bool runs = innermost != nullptr && &innermost->node_ == &node && innermost->needs_ != nullptr;
  return !runs || innermost->needs_->count(edge.node.get()) != 0;
}

}  // namespace gradus::autograd
