// Activations; relu, sigmoid and tanh are pointwise.h's.
#pragma once

#include <string_view>

#include "../../core/base/dtype.h"
#include "../../core/base/export.h"
#include "../tensor/operand.h"

namespace gradus {

/// x Phi(x), Phi the distribution function of the normal law; "tanh": its approximation
/// x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2. ValueError for any other word than "none" and "tanh".
GRADUS_API Tensor gelu(Operand x, std::string_view approximate = "none");
GRADUS_API Tensor silu(Operand x);  ///< x sigmoid(x)
/// log(1 + exp(beta x)) / beta; x itself where beta x > threshold. ValueError unless beta > 0.
GRADUS_API Tensor softplus(Operand x, const Scalar& beta = 1, const Scalar& threshold = 20);
GRADUS_API Tensor leaky_relu(Operand x, const Scalar& negative_slope = 0.01);  ///< x > 0 ? x : negative_slope x
GRADUS_API Tensor elu(Operand x, const Scalar& alpha = 1);                     ///< x > 0 ? x : alpha (exp(x) - 1)
GRADUS_API Tensor tanh_backward(Operand dy, Operand y);                        ///< dy (1 - y^2), y = tanh(x)
GRADUS_API Tensor sigmoid_backward(Operand dy, Operand y);                     ///< dy y (1 - y), y = sigmoid(x)

}  // namespace gradus
