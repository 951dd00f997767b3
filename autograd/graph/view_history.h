// How views and their base keep each other's history right (internal).
#pragma once

#include "../tensor/tensor.h"

namespace gradus::autograd::detail {

/// The edge that a view takes anew from its base's last in-place change: by the operations with gradients of their own
/// that lead to it (`by` is the last one; null when there are none), and for the rest by its geometry. Empty when the
/// base requires no grad.
Edge edge_as_view_of(const Body& base, const core::Array& view, const ViewStep* by);
/// GradError when a change of this view could not be carried over to its base's history.
void check_writable_view(const core::Array& base, const core::Array& view);
/// end_inplace of operation_support.h, for any output of a node.
void end_inplace(const Tensor& self, Edge written, Location at);
/// The edge of a base one of whose views has been given new numbers and a new edge.
Edge edge_after_write(const Tensor& base, const core::Array& view, const Edge& written, Location at);

/// A base, or, where it is not contiguous, the memory from its first element to its last, 0 between its elements.
core::Array numbers_of_stretch(const core::Array& base);

}  // namespace gradus::autograd::detail
