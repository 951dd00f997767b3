// What a backward pass is asked for, checked (internal to the engine).
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "../tensor/tensor.h"

namespace gradus::autograd {

/// Whose gradient the caller asked for, and where it goes: into `result`, or added to the `.grad` that a LeafNode holds.
struct Destination {
  const Node* node;
  int output;
  core::Ref<LeafNode> into;
  Tensor result;
  std::uint64_t writes = 0;
};
/// Of inputs, each but once when the gradients are added up; GradError when one requires no grad.
std::vector<Destination> targets_of(const std::vector<Tensor>& inputs, const char* op, bool into_grad);

/// What is wanted of a node: its gradient handed over, its backward run because a target lies beyond it.
struct Need {
  bool target = false, run = false;
};
using NodeNeeds = std::unordered_map<const Node*, Need>;
/// The nodes from which a target can be reached.
NodeNeeds needed_for(const std::vector<Tensor>& outputs, const std::vector<Destination>& targets);

/// What a pass of the calling thread needs of a node, while that runs; null: all that can be reached.
class Wanted {
 public:
  Wanted(const Node& running, const NodeNeeds* needs) noexcept;
  ~Wanted();
  Wanted(const Wanted&) = delete;
  Wanted& operator=(const Wanted&) = delete;
  /// Whether the gradient of a node's input goes anywhere; of a node that no pass runs just now, whether it has an edge.
  static bool gradient(const Node& node, int input);

 private:
  const Node& node_;
  const NodeNeeds* needs_;
  const Wanted* outer_;
};

/// The outputs' gradients, checked, with ones for single elements where none is given.
std::vector<Tensor> starting_gradients(const std::vector<Tensor>& outputs, const std::vector<Tensor>& gradients,
                                       const char* op);

}  // namespace gradus::autograd
