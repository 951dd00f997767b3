// Tensors as text, as Python's PyTorch prints them, and graphs.
#pragma once

#include <iosfwd>
#include <string>

#include "../../core/array/print.h"
#include "tensor.h"

namespace gradus {

/// `tensor([[1., 2.],\n        [3., 4.]], grad_fn=<MulBackward0>)`.
GRADUS_API std::string to_string(const Tensor& x);
GRADUS_API std::ostream& operator<<(std::ostream& out, const Tensor& x);
/// `[2, 3]`.
GRADUS_API std::ostream& operator<<(std::ostream& out, IntArrayRef sizes);
/// `float32`.
GRADUS_API std::ostream& operator<<(std::ostream& out, DType dtype);
/// As a number is written: 0.5.
GRADUS_API std::ostream& operator<<(std::ostream& out, const Scalar& value);
/// `cpu`.
GRADUS_API std::ostream& operator<<(std::ostream& out, const Device& device);

namespace autograd {
/// The graph behind a tensor, one line a node, indented by depth (below a depth of 30 it stands in brackets): name,
/// attributes, place. A node that several others read is written out once and named by its number after that.
GRADUS_API std::string graph_to_string(const Tensor& x);
}  // namespace autograd

}  // namespace gradus
