// Gradients inside vmap. Where tensors are batched, the engine sees all examples. Where gradients alone are, and what nodes
// keep is not, formulas take them as they are: they are written on tensors; a rule without any, and a formula that asks for
// numbers, goes example by example.
#include <algorithm>

#include "../../core/base/fail.h"
#include "../ops/functions.h"
#include "../tensor/create.h"
#include "batched.h"
#include "engine.h"
#include "grad_mode.h"
#include "operation_support.h"
#include "pending.h"

namespace gradus::autograd {

namespace {

using detail::level_of;
using detail::repeated;

std::int64_t level_of_all(const std::vector<Tensor>& all) {
  std::int64_t level = 0;
  for (const Tensor& x : all) level = std::max(level, level_of(x));
  return level;
}

// x with a dimension for each vmap that is running.
Tensor in_every_batch(const Tensor& x, const BatchLevel* level) {
  if (level == nullptr) return x;
  const Tensor own = examples_of(x, level->level());
  return batched(in_every_batch(own.defined() ? own : repeated(x, level->size()), level->outer()), level->level());
}

}  // namespace

Tensor fresh_leaf_for(const Tensor& x) {
  const Tensor own = in_every_batch(x, BatchLevel::innermost());
  if (GradMode::is_enabled() && own.requires_grad()) return detail::alias_of(own);
  const Tensor leaf = own.detach();
  leaf.requires_grad_();
  return leaf;
}

void run_backward(Node& node, const Gradients& of_outputs, Gradients& of_inputs, bool create_graph) {
  const std::int64_t level = level_of_all(of_outputs);
  if (level == 0) return node.backward(of_outputs, of_inputs, create_graph);
  if (node.has_formulas()) {
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

namespace detail {

bool grad_of_batched(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                     const std::vector<Tensor>& gradients, std::optional<bool> retain_graph, bool create_graph,
                     bool allow_unused, std::vector<Tensor>& results) {
  for (const std::vector<Tensor>* all : {&outputs, &inputs, &gradients}) {
    for (const Tensor& x : *all) check_running(x);
  }
  const std::int64_t level = std::max(level_of_all(outputs), level_of_all(inputs));
  if (level == 0) return false;
  std::int64_t size = 0;
  const auto all_of = [&](const Tensor& x) {
    const Tensor all = examples_of(x, level);
    if (all.defined()) size = all.size(0);
    return all;
  };
  std::vector<Tensor> y, x, dy;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    x.push_back(all_of(inputs[i]));
    if (x.back().defined()) continue;
    // Together they would give one gradient, their sum.
    throw NotBatched{level, "grad by a tensor that all examples share"};
  }
  for (const Tensor& output : outputs) {
    const Tensor all = all_of(output);
    y.push_back(all.defined() ? all : repeated(output, size));
  }
  for (std::size_t k = 0; k < outputs.size() && (gradients.empty() || gradients.size() == outputs.size()); ++k) {
    const Tensor given = gradients.empty() ? Tensor() : gradients[k];
    if (given.defined()) {
      const Tensor all = examples_of(given, level);
      dy.push_back(all.defined() ? all : repeated(given, size));
    } else if (outputs[k].numel() == 1) {
      dy.push_back(ones_like(y[k]));
    } else {
      core::fail<GradError>(
          "grad: the gradient may be left out for a single element only: output {} has shape {}; pass a gradient of "
          "that shape, or reduce with sum() or mean()",
          k, outputs[k].sizes());
    }
  }
  results = grad(y, x, dy.empty() ? gradients : dy, retain_graph, create_graph, allow_unused);
  for (Tensor& dx : results) {
    if (dx.defined()) dx = batched(dx, level);
  }
  return true;
}

void refuse_batched(const char* op, const std::vector<Tensor>& tensors) {
  for (const Tensor& x : tensors) {
    if (level_of(x) == 0) continue;
    check_running(x);
    core::fail<GradError>(
        "{}: inside vmap it must not be called: func::grad or autograd::grad give each example's gradient", op);
  }
}

}  // namespace detail
}  // namespace gradus::autograd
