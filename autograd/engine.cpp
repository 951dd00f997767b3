#include "engine.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "../core/create.h"
#include "../core/fail.h"
#include "../core/pointwise.h"
#include "grad_mode.h"

namespace gradus::autograd {

namespace {

// A node that gradients have arrived at, and what has arrived.
struct Pending {
  core::Ref<Node> node;
  Gradients gradients;
};

// Whose gradient the caller asked for, and where it goes: into `result`, or added to the `.grad` that a LeafNode holds.
struct Target {
  const Node* node;
  int output;
  core::Ref<LeafNode> into;
  Tensor result;
};

// One backward pass. Nodes wait in a heap, the highest number first: when a node is taken, every node that reads it has
// run, so all its gradients have arrived. There is no recursion and no count of dependencies.
class Pass {
 public:
  Pass(bool retain_graph, bool create_graph) : retain_graph_(retain_graph), create_graph_(create_graph) {}

  // Takes the gradients over: buffers can be reused only when nobody else holds them.
  void start(const std::vector<Tensor>& outputs, std::vector<Tensor> gradients);
  void run();

  // Restricts the pass to the nodes from which a target can be reached.
  void restrict_to(const std::vector<Tensor>& outputs, std::vector<Target>& targets);

 private:
  // Adds a gradient for output `edge.index` of a node.
  void send(const Edge& edge, Tensor gradient);
  void take_highest();
  void run_current();
  void capture();
  void accumulate();
  bool needed(const Node* node) const { return targets_ == nullptr || needs_.count(node) != 0; }

  bool retain_graph_, create_graph_;
  std::vector<std::pair<std::uint64_t, std::size_t>> heap_;  // (number, slot)
  std::unordered_map<const Node*, std::size_t> slot_of_;
  std::vector<Pending> slots_;
  std::vector<std::size_t> free_slots_;
  Pending current_;
  Gradients of_inputs_;  // of the current node; kept, as the slots are, for the memory that their lists have
  struct Arrived {
    core::Ref<LeafNode> leaf;
    Tensor gradient;
  };
  std::vector<Arrived> arrived_;  // for a `.grad`
  std::vector<Target>* targets_ = nullptr;
  struct Need {
    bool target = false;  // its gradient is handed over
    bool run = false;     // a target lies beyond it
  };
  std::unordered_map<const Node*, Need> needs_;
};

std::string described(const Node& node) {
  std::string text(node.name());
  if (!node.module().empty()) text += fmt::format(" in {}", node.module());
  if (node.location()) text += fmt::format(", recorded at {}:{}", node.location().file(), node.location().line());
  return text;
}

// The gradient brought to the shape and dtype of what it is the gradient of.
Tensor fitted(Tensor gradient, const TensorMeta& meta, const Node& from, int input) {
  if (gradient.array().shape() != meta.shape) {
    if (!from.broadcasts() || !core::broadcasts_to(meta.shape, gradient.array().shape())) {
      core::fail<ShapeError>("{}: the gradient of input {} must have the input's shape: {} for {}", from.name(), input,
                             gradient.sizes(), meta.shape);
    }
    gradient = sum_to_size(gradient, meta.shape);
  }
  return gradient.dtype() == meta.dtype ? std::move(gradient) : gradient.to(meta.dtype);
}

// a + b, into a's memory when nobody else can see it.
Tensor added(Tensor a, Tensor b, bool create_graph) {
  const bool own = !create_graph && a.body_ref()->use_count() == 1 && a.array().unique() && a.is_contiguous();
  if (!own) return a + b;
  core::binary_out(a.array(), core::Binary::Add, a.array(), b.array());
  return a;
}

void Pass::start(const std::vector<Tensor>& outputs, std::vector<Tensor> gradients) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (needed(outputs[i].edge().node.get())) send(outputs[i].edge(), std::move(gradients[i]));
  }
}

void Pass::send(const Edge& edge, Tensor gradient) {
  const Node* key = edge.node.get();
  const auto [entry, fresh] = slot_of_.try_emplace(key, 0);
  if (fresh) {
    if (free_slots_.empty()) {
      free_slots_.push_back(slots_.size());
      slots_.emplace_back();
    }
    entry->second = free_slots_.back();
    free_slots_.pop_back();
    Pending& pending = slots_[entry->second];
    pending.node = edge.node;
    pending.gradients.resize(static_cast<std::size_t>(edge.node->num_outputs()));
    heap_.emplace_back(edge.node->number(), entry->second);
    std::push_heap(heap_.begin(), heap_.end());
  }
  Tensor& sum = slots_[entry->second].gradients[static_cast<std::size_t>(edge.index)];
  sum = sum.defined() ? added(std::move(sum), std::move(gradient), create_graph_) : std::move(gradient);
}

void Pass::take_highest() {
  std::pop_heap(heap_.begin(), heap_.end());
  const std::size_t slot = heap_.back().second;
  heap_.pop_back();
  std::swap(current_, slots_[slot]);
  free_slots_.push_back(slot);
  slot_of_.erase(current_.node.get());
}

void Pass::capture() {
  for (Target& target : *targets_) {
    if (target.node != current_.node.get()) continue;
    const Tensor& gradient = current_.gradients[static_cast<std::size_t>(target.output)];
    if (!target.into) {
      target.result = gradient;
    } else if (gradient.defined() && !current_.node->keeps_gradient(target.output, target.into.get())) {
      arrived_.push_back({target.into, gradient});
    }
  }
}

void Pass::run_current() {
  Node& node = *current_.node;
  Gradients& of_outputs = current_.gradients;
  if (node.has_hooks()) {
    node.run_hooks(of_outputs);
    for (const auto& [output, leaf] : node.kept()) {
      const Tensor& gradient = of_outputs[static_cast<std::size_t>(output)];
      if (gradient.defined() && !leaf->is_behind()) arrived_.push_back({leaf, gradient});
    }
  }
  if (targets_ != nullptr) {
    const Need need = needs_.at(&node);
    if (need.target) capture();
    if (!need.run) return;
  }
  if (LeafNode* leaf = node.as_leaf()) {
    if (of_outputs[0].defined() && leaf->takes_gradients())
      arrived_.push_back({core::Ref<LeafNode>(leaf), std::move(of_outputs[0])});
    return;
  }
  const Scope scope(node.location(), node.module());  // what is recorded under create_graph stands where the node stood
  of_inputs_.clear();
  of_inputs_.resize(static_cast<std::size_t>(node.num_inputs()));
  node.backward(of_outputs, of_inputs_, create_graph_);
  of_outputs.clear();
  if (!retain_graph_) node.release_saved();
  const Edge* edges = node.edges();
  for (int i = 0; i < node.num_inputs(); ++i) {
    Tensor& result = of_inputs_[static_cast<std::size_t>(i)];
    if (!edges[i] || !result.defined() || !needed(edges[i].node.get())) continue;
    send(edges[i], fitted(std::move(result), edges[i].node->outputs()[edges[i].index], node, i));
  }
}

void Pass::run() {
  const AutoGradMode mode(create_graph_);
  while (!heap_.empty()) {
    take_highest();
    try {
      run_current();
    } catch (Error& error) {
      error.add_note("in the backward pass of " + described(*current_.node));
      throw;
    }
    current_.gradients.clear();
    current_.node.reset();
  }
  accumulate();
}

// The last step, in three rounds: what may fail comes before the first `.grad` is touched, the users' hooks after the
// last.
void Pass::accumulate() {
  for (Arrived& a : arrived_) a.gradient = a.leaf->prepared(std::move(a.gradient), create_graph_);
  for (Arrived& a : arrived_) a.leaf->accumulate(std::move(a.gradient), create_graph_);
  for (const Arrived& a : arrived_) a.leaf->run_post_accumulate_hooks();
}

void Pass::restrict_to(const std::vector<Tensor>& outputs, std::vector<Target>& targets) {
  targets_ = &targets;
  std::uint64_t lowest = ~std::uint64_t{0};
  for (const Target& target : targets) {
    const bool into_a_leaf = target.into && target.node == target.into.get();
    (into_a_leaf ? needs_[target.node].run : needs_[target.node].target) = true;
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
      run = node->edges()[i] && needs_.count(node->edges()[i].node.get()) != 0;
    }
    if (run) needs_[node].run = true;
  }
}

// Checks the outputs' gradients and fills in ones for single elements.
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

std::vector<Target> targets_of(const std::vector<Tensor>& inputs, const char* op, bool into_grad) {
  std::vector<Target> targets;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Edge& edge = inputs[i].edge();
    if (!edge) {
      core::fail<GradError>("{}: input {} ({}, {}) must require grad", op, i, inputs[i].sizes(), inputs[i].dtype());
    }
    const bool again = std::any_of(targets.begin(), targets.end(), [&](const Target& t) {
      return into_grad && t.node == edge.node.get() && t.output == edge.index;
    });
    if (again) continue;
    Target target{edge.node.get(), edge.index, {}, {}};
    if (into_grad) target.into = core::Ref<LeafNode>(&inputs[i].leaf());
    targets.push_back(std::move(target));
  }
  return targets;
}

}  // namespace

void backward(const std::vector<Tensor>& outputs, const std::vector<Tensor>& gradients,
              std::optional<bool> retain_graph, bool create_graph, const std::vector<Tensor>& inputs) {
  std::vector<Tensor> start = starting_gradients(outputs, gradients, "backward");
  std::vector<Target> targets = targets_of(inputs, "backward", true);
  Pass pass(retain_graph.value_or(create_graph), create_graph);
  if (!inputs.empty()) pass.restrict_to(outputs, targets);
  pass.start(outputs, std::move(start));
  pass.run();
}

std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const std::vector<Tensor>& gradients, std::optional<bool> retain_graph, bool create_graph,
                         bool allow_unused) {
  if (inputs.empty()) core::fail<GradError>("grad: there must be at least one input");
  std::vector<Tensor> start = starting_gradients(outputs, gradients, "grad");
  std::vector<Target> targets = targets_of(inputs, "grad", false);
  Pass pass(retain_graph.value_or(create_graph), create_graph);
  pass.restrict_to(outputs, targets);
  pass.start(outputs, std::move(start));
  pass.run();
  std::vector<Tensor> results;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (!targets[i].result.defined() && !allow_unused) {
      core::fail<GradError>(
          "grad: no output depends on input {} ({}, {}): pass allow_unused=true to get an undefined "
          "tensor for it",
          i, inputs[i].sizes(), inputs[i].dtype());
    }
    results.push_back(std::move(targets[i].result));
  }
  return results;
}

}  // namespace gradus::autograd
