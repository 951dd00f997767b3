// Adaptive max pooling, and what undoes max pooling.
//
//   Output o of m along a dimension of size n reads [floor(o n / m), ceil((o + 1) n / m)), as in avg_pool.h. With m_o the
//   position of the largest value of its window, as in max_pool.h:   y_o = x_{m_o},   dL/dx_i = sum over m_o = i of dL/dy_o
//
//   Unpooling puts each number where its index says, among zeros:    y_{m_o} = x_o,   dL/dx_o = dL/dy_{m_o}
#pragma once

#include <tuple>

#include "../../autograd/tensor/tensor.h"
#include "../../core/base/export.h"

namespace gradus {

/// (y, positions) of x [C, ..] or [N, C, ..]: positions, int64, are those of the largest values in their planes. One number
/// for all dimensions of the output, or one for each. ShapeError, ValueError.
GRADUS_API std::tuple<Tensor, Tensor> adaptive_max_pool1d(Operand x, IntArrayRef output_size);
GRADUS_API std::tuple<Tensor, Tensor> adaptive_max_pool2d(Operand x, IntArrayRef output_size);
GRADUS_API std::tuple<Tensor, Tensor> adaptive_max_pool3d(Operand x, IntArrayRef output_size);

/// Planes of output_size with x's numbers at the positions that a max pooling gave; of several that go to one place the last
/// one stays. x [C, ..] or [N, C, ..], indices of its shape. IndexError for a position outside the plane.
GRADUS_API Tensor max_unpool2d(Operand x, const Tensor& indices, IntArrayRef output_size);
/// Stride (above 0) and padding are those of the pooling: they do not change the result.
GRADUS_API Tensor max_unpool3d(Operand x, const Tensor& indices, IntArrayRef output_size, IntArrayRef stride,
                               IntArrayRef padding);

}  // namespace gradus
