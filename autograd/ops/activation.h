// Activations; relu, sigmoid and tanh are pointwise.h's.
#pragma once

#include <cstdint>
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
/// scale (x > 0 ? x : alpha (exp(input_scale x) - 1))
GRADUS_API Tensor elu(Operand x, const Scalar& alpha = 1, const Scalar& scale = 1, const Scalar& input_scale = 1);
GRADUS_API Tensor celu(Operand x, const Scalar& alpha = 1);  ///< x > 0 ? x : alpha (exp(x / alpha) - 1)
GRADUS_API Tensor& celu_(Operand x, const Scalar& alpha = 1);
GRADUS_API Tensor selu(Operand x);  ///< 1.0507.. elu(x, 1.6733..); Klambauer and others, 2017
GRADUS_API Tensor& selu_(Operand x);
GRADUS_API Tensor mish(Operand x);         ///< x tanh(log(1 + exp(x)))
GRADUS_API Tensor log_sigmoid(Operand x);  ///< -log(1 + exp(-x))
/// x held within [low, high]; the gradient at the bounds is 0, unlike clamp's.
GRADUS_API Tensor hardtanh(Operand x, const Scalar& low = -1, const Scalar& high = 1);
GRADUS_API Tensor relu6(Operand x);                                   ///< hardtanh(x, 0, 6)
GRADUS_API Tensor hardsigmoid(Operand x);                             ///< x / 6 + 1 / 2 held within [0, 1]
GRADUS_API Tensor hardswish(Operand x);                               ///< x hardsigmoid(x)
GRADUS_API Tensor hardshrink(Operand x, const Scalar& lambda = 0.5);  ///< |x| > lambda ? x : 0
GRADUS_API Tensor
softshrink(Operand x, const Scalar& lambda = 0.5);  ///< x - lambda above lambda, x + lambda below -lambda, else 0
GRADUS_API Tensor threshold(Operand x, const Scalar& threshold, const Scalar& value);  ///< x > threshold ? x : value
GRADUS_API Tensor& threshold_(Operand x, const Scalar& threshold, const Scalar& value);
/// x > 0 ? x : weight x, with one weight or one for each entry of dimension 1.
GRADUS_API Tensor prelu(Operand x, Operand weight);
GRADUS_API Tensor glu(Operand x, std::int64_t dim = -1);  ///< a sigmoid(b), the halves of x along a dimension
/// x > 0 ? x : a x, a drawn from [lower, upper) for each element in training, else their mean.
GRADUS_API Tensor rrelu(Operand x, const Scalar& lower = 0.125, const Scalar& upper = 1. / 3, bool training = false);
GRADUS_API Tensor tanh_backward(Operand dy, Operand y);     ///< dy (1 - y^2), y = tanh(x)
GRADUS_API Tensor sigmoid_backward(Operand dy, Operand y);  ///< dy y (1 - y), y = sigmoid(x)

namespace autograd {

/// The members of Tensor that are functions of this header, with the tensor as their first operand. (The template's
/// parameter is Tensor itself: it makes the bodies wait until that is complete.)
template <class Tensor>
class ActivationMembers {
 public:
  Tensor prelu(const Tensor& weight, Location at = Location::here()) const {
    return gradus::prelu({self(), at}, weight);
  }
  Tensor hardshrink(const Scalar& lambda = 0.5, Location at = Location::here()) const {
    return gradus::hardshrink({self(), at}, lambda);
  }

 private:
  const Tensor& self() const { return static_cast<const Tensor&>(*this); }
};

}  // namespace autograd

}  // namespace gradus
