// Gradients that wait for a node to run, and what becomes of those who write to them (internal to the engine).
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

#include "../../core/memory/pool.h"
#include "../tensor/tensor.h"

namespace gradus::autograd {

// Of a batched gradient: to all examples, whose memory one of them shows.
inline std::uint64_t writes_to(const Tensor& gradient) { return gradient.body().array.storage()->write_count(); }

/// A node that gradients have arrived at, which the roots of the pass keep alive, and what has arrived. Several nodes may
/// hold one gradient, so nobody may write to it on its way: the counts of writes to their storages, which only grow, keep
/// their sum.
struct Pending {
  Node* node = nullptr;
  Gradients gradients;
  std::uint64_t writes = 0;

  std::uint64_t writes_now() const {
    std::uint64_t sum = 0;
    for (const Tensor& gradient : gradients) sum += gradient.defined() ? writes_to(gradient) : 0;
    return sum;
  }
};

using SlotOfNode = std::unordered_map<const Node*, std::size_t, std::hash<const Node*>, std::equal_to<const Node*>,
                                      core::Pooled<std::pair<const Node* const, std::size_t>>>;

/// The gradient brought to the shape and dtype of what it is the gradient of. ShapeError when it does not fit.
Tensor fitted(Tensor gradient, const TensorMeta& meta, const Node& from, int input);
/// a + b, into a's memory when nobody else can see it.
Tensor added(Tensor a, Tensor b, bool create_graph);
/// node.backward, also of gradients that are batched where the node is not, as in vmap over the rows of a Jacobian.
void run_backward(Node& node, const Gradients& of_outputs, Gradients& of_inputs, bool create_graph);

/// GradErrors: of the gradients that wait for a node, one has been changed; the node's formula changed one.
[[noreturn]] void fail_changed_on_its_way(const Node& to, const Gradients& gradients);
[[noreturn]] void fail_changed_by(const Node& node, const Gradients& gradients);

}  // namespace gradus::autograd
