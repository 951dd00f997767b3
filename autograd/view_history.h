// How views and their base keep each other's history right (internal).
#pragma once

#include "tensor.h"

namespace gradus::autograd::detail {

/// The edge of a fresh view of `base` with the geometry of `view`: empty when the base requires no grad.
Edge edge_as_view_of(const Tensor& base, const core::Array& view);
/// GradError when a change of this view could not be carried over to its base's history.
void check_writable_view(const core::Array& base, const core::Array& view);
/// The edge of a base one of whose views has been given new numbers and a new edge.
Edge edge_after_write(const Tensor& base, const core::Array& view, const Edge& written, Location at);

}  // namespace gradus::autograd::detail
