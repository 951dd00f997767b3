// Bilinear:   y_o = x1^T W_o x2 + b_o
//
//   dL/dx1 = sum over o of dL/dy_o W_o x2,   dL/dx2 = sum over o of dL/dy_o W_o^T x1,   dL/dW_o = dL/dy_o x1 x2^T
#pragma once

#include "../../autograd/tensor/tensor.h"
#include "../../core/base/export.h"

namespace gradus {

/// y [.., o] of x1 [.., i] and x2 [.., j], weight [o, i, j] and bias [o] or absent. ShapeError.
GRADUS_API Tensor bilinear(Operand input1, const Tensor& input2, const Tensor& weight, const Tensor& bias = {});

}  // namespace gradus
