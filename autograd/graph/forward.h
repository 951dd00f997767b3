// The engine's mirror image: tangents from the inputs to the outputs (internal to functions of functions).
#pragma once

#include <unordered_map>
#include <vector>

#include "../tensor/tensor.h"

namespace gradus::autograd {

/// Runs through the nodes between `inputs` and `outputs`, which must stay alive, in the order in which they were
/// recorded: when a node is reached, all that it reads has its tangent. There is no recursion.
class ForwardPass {
 public:
  /// Every input has a node of its own.
  ForwardPass(const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs);
  /// The outputs' tangents, undefined where they do not depend on an input with one. A tangent is let go of once the
  /// last node that reads it has run; `release` has each node let go of what it saved then, too.
  std::vector<Tensor> run(const std::vector<Tensor>& tangents, bool create_graph, bool release) const;

 private:
  std::vector<Edge> inputs_, outputs_;
  std::vector<Node*> nodes_;                      // between them, by their numbers
  std::unordered_map<const Node*, int> readers_;  // of each node's outputs: edges of nodes, and the outputs
};

}  // namespace gradus::autograd
