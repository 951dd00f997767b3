// The backward engine: runs the graph's nodes from the outputs to the leaves.
#pragma once

#include <optional>
#include <vector>

#include "../../core/base/export.h"
#include "../tensor/tensor.h"

namespace gradus::autograd {

/// Accumulates d(outputs)/d(leaf) into the leaves' `.grad`; with `inputs` (leaves or not), only into those.
/// `gradients` (as many as outputs, or none) may be undefined for outputs of one element. `retain_graph` (default:
/// create_graph) keeps the saved values for another pass. Each `.grad` is changed after the last node has run, and hooks
/// after accumulation come last: an error leaves every `.grad` as it was, or, out of such a hook, complete. GradError when an output requires no grad, or
/// an output of several elements has no gradient, or the saved values have been freed, or a formula or a hook writes to
/// its gradient; ShapeError when a gradient does not fit.
GRADUS_API void backward(const std::vector<Tensor>& outputs, const std::vector<Tensor>& gradients = {},
                         std::optional<bool> retain_graph = {}, bool create_graph = false,
                         const std::vector<Tensor>& inputs = {});

/// d(outputs)/d(inputs) applied to `gradients`, without touching any leaf's `.grad`. Only nodes between the two run. GradError
/// when an input requires no grad, or (unless `allow_unused`: undefined then) no output depends on it.
GRADUS_API std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                                    const std::vector<Tensor>& gradients = {}, std::optional<bool> retain_graph = {},
                                    bool create_graph = false, bool allow_unused = false);

}  // namespace gradus::autograd
