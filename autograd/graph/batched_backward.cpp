// A node's backward where gradients are batched and what the node keeps is not: formulas are written on tensors, and take
// them as they are; a rule, and a formula that asks for numbers, goes example by example.
#include <algorithm>

#include "../ops/functions.h"
#include "batched.h"
#include "pending.h"

namespace gradus::autograd {

namespace {

std::int64_t level_of(const Gradients& gradients) {
  std::int64_t level = 0;
  for (const Tensor& g : gradients) {
    if (g.defined() && g.body().batch != nullptr) level = std::max(level, g.body().batch->level);
  }
  return level;
}

}  // namespace

void run_backward(Node& node, const Gradients& of_outputs, Gradients& of_inputs, bool create_graph) {
  const std::int64_t level = level_of(of_outputs);
  if (level == 0) return node.backward(of_outputs, of_inputs, create_graph);
  if (!node.is_rule()) {
    try {
      return node.backward(of_outputs, of_inputs, create_graph);
    } catch (const NotBatched& asked) {
      if (asked.level != level) throw;
    }
  }
  Gradients all;
  std::int64_t size = 0;
  for (const Tensor& g : of_outputs) {
    all.push_back(g.defined() ? examples_of(g, level) : Tensor());
    if (all.back().defined()) size = all.back().size(0);
  }
  if (size == 0) throw NotBatched{level, node.name()};
  std::vector<std::vector<Tensor>> results(of_inputs.size());
  for (std::int64_t b = 0; b < size; ++b) {
    Gradients one = of_outputs, own(of_inputs.size());
    for (std::size_t k = 0; k < one.size(); ++k) {
      if (all[k].defined()) one[k] = all[k].select(0, b);
    }
    run_backward(node, one, own, create_graph);
    for (std::size_t i = 0; i < own.size(); ++i) {
      if (own[i].defined()) results[i].push_back(std::move(own[i]));
    }
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    of_inputs[i] = results[i].empty() ? Tensor() : batched(stack(results[i]), level);
  }
}

}  // namespace gradus::autograd
