// Activations, each in one pass, and gradients of activations, likewise. All take float32 and float64 (DTypeError for
// the rest), any strides; a gradient has the shape and dtype of both its operands (ShapeError, DTypeError otherwise).
// Where a formula yields inf times 0 the limit is given. Bounds on their errors: core/ops/pointwise.h.
#pragma once

#include "../array/array.h"

namespace gradus::core {

/// dy where y > 0, else 0; a NaN in y (or in the x that relu was given, which serves as well) lets dy pass.
GRADUS_API Array relu_backward(const Array& dy, const Array& y);
/// x Phi(x), Phi the distribution function of the normal law (Hendrycks and Gimpel, 2016); its approximation,
/// x / (1 + exp(-2 u)), u = sqrt(2 / pi) (x + 0.044715 x^3).
GRADUS_API Array gelu(const Array& x, bool approximate = false);
/// dy (Phi(x) + x phi(x)), or that of the approximation.
GRADUS_API Array gelu_backward(const Array& dy, const Array& x, bool approximate = false);
/// x sigmoid(x).
GRADUS_API Array silu(const Array& x);
/// dy s (1 + x (1 - s)) with s = sigmoid(x).
GRADUS_API Array silu_backward(const Array& dy, const Array& x);
/// log(1 + exp(beta x)) / beta; x itself where beta x > threshold.
GRADUS_API Array softplus(const Array& x, double beta = 1, double threshold = 20);
/// dy sigmoid(beta x); dy itself where beta x > threshold.
GRADUS_API Array softplus_backward(const Array& dy, const Array& x, double beta = 1, double threshold = 20);
/// dy (1 - y^2) with y = tanh(x).
GRADUS_API Array tanh_backward(const Array& dy, const Array& y);
/// dy y (1 - y) with y = sigmoid(x).
GRADUS_API Array sigmoid_backward(const Array& dy, const Array& y);

/// dy exp(x): the gradient of exp(x) - 1.
GRADUS_API Array exp_times(const Array& dy, const Array& x);
/// x where it is above 0, else alpha (exp(x) - 1).
GRADUS_API Array elu(const Array& x, double alpha = 1);
/// dy where x is above 0, else dy alpha exp(x).
GRADUS_API Array elu_backward(const Array& dy, const Array& x, double alpha = 1);

/// (1 - t) log(1 + exp(x)) + b log(1 + exp(-x)), and its slope (1 - t) sigmoid(x) - b sigmoid(-x): what a logit costs
/// against a target t, with b = t or a multiple of it. Nothing cancels. One shape and dtype (ShapeError, DTypeError).
GRADUS_API Array logit_loss(const Array& x, const Array& t, const Array& b);
GRADUS_API Array logit_loss_slope(const Array& x, const Array& t, const Array& b);
/// The normal law's distribution function.
GRADUS_API Array normal_cdf(const Array& x);

}  // namespace gradus::core
