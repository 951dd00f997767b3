#include "forward.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "error_notes.h"
#include "grad_mode.h"

namespace gradus::autograd {

ForwardPass::ForwardPass(const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs) {
  std::uint64_t lowest = ~std::uint64_t{0};
  std::unordered_set<const Node*> led_to, seen;  // led_to: the inputs' nodes, and those that have a way to one
  for (const Tensor& x : inputs) {
    inputs_.push_back(x.edge());
    led_to.insert(x.edge().node.get());
    lowest = std::min(lowest, x.edge().node->number());
  }
  std::vector<Node*> stack;
  const auto visit = [&](const Edge& edge) {
    if (edge && edge.node->number() >= lowest && seen.insert(edge.node.get()).second) stack.push_back(edge.node.get());
  };
  for (const Tensor& y : outputs) {
    outputs_.push_back(y.edge());
    visit(y.edge());
  }
  while (!stack.empty()) {
    Node* const node = stack.back();
    stack.pop_back();
    if (led_to.count(node) != 0) continue;  // an input's
    nodes_.push_back(node);
    for (int i = 0; i < node->num_inputs(); ++i) visit(node->edges()[i]);
  }
  std::sort(nodes_.begin(), nodes_.end(), [](const Node* a, const Node* b) { return a->number() < b->number(); });
  std::erase_if(nodes_, [&](const Node* node) {
    const Edge* const edges = node->edges();
    const bool leads =
        std::any_of(edges, edges + node->num_inputs(), [&](const Edge& e) { return led_to.count(e.node.get()) != 0; });
    if (leads) led_to.insert(node);
    return !leads;
  });
  for (const Node* node : nodes_) {
    for (int i = 0; i < node->num_inputs(); ++i) ++readers_[node->edges()[i].node.get()];
  }
  for (const Edge& y : outputs_) ++readers_[y.node.get()];
}

std::vector<Tensor> ForwardPass::run(const std::vector<Tensor>& tangents, bool create_graph, bool release) const {
  const AutoGradMode mode(create_graph);
  std::unordered_map<const Node*, Gradients> arrived;
  std::unordered_map<const Node*, int> readers = readers_;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    Gradients& of_node = arrived[inputs_[i].node.get()];
    of_node.resize(static_cast<std::size_t>(inputs_[i].node->num_outputs()));
    of_node[static_cast<std::size_t>(inputs_[i].index)] = tangents[i];
  }
  const auto read = [&](const Edge& edge) -> Tensor {
    const auto found = arrived.find(edge.node.get());
    if (found == arrived.end()) return {};
    Tensor tangent = found->second[static_cast<std::size_t>(edge.index)];
    if (--readers.at(edge.node.get()) == 0) arrived.erase(found);
    return tangent;
  };
  for (Node* node : nodes_) {
    Gradients of_inputs, of_outputs(static_cast<std::size_t>(node->num_outputs()));
    bool any = false;
    for (int i = 0; i < node->num_inputs(); ++i) {
      of_inputs.push_back(read(node->edges()[i]));
      any |= of_inputs.back().defined();
    }
    if (any) {
      const Scope scope(node->location(), node->module());
      try {
        node->tangent(of_inputs, of_outputs, create_graph);
      } catch (...) {
        rethrow_with("in the tangent of " + described(*node));
      }
      arrived.emplace(node, std::move(of_outputs));
    }
    if (release) node->release_saved();
  }
  std::vector<Tensor> results;
  for (const Edge& y : outputs_) results.push_back(read(y));
  return results;
}

}  // namespace gradus::autograd
