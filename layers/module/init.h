// Initial values. Each function overwrites a tensor without recording, and returns it; names, arguments and defaults are
// those of torch::nn::init. Random ones draw from the default generator.
#pragma once

#include <cstdint>
#include <tuple>

#include "../../autograd/tensor/tensor.h"
#include "../../core/base/export.h"
#include "enumerations.h"

namespace gradus {

namespace nn::init {

/// The factor that makes up for what a function does to the deviation of its input: 1 for linear ones and the sigmoid,
/// 5/3 for tanh, sqrt(2) for ReLU, sqrt(2 / (1 + a^2)) for LeakyReLU with the slope a = `param`.
GRADUS_API double calculate_gain(Nonlinearity nonlinearity, double param = 0.01);

GRADUS_API Tensor constant_(Tensor tensor, const Scalar& value);
GRADUS_API Tensor zeros_(Tensor tensor);
GRADUS_API Tensor ones_(Tensor tensor);
/// Uniform in [low, high).
GRADUS_API Tensor uniform_(Tensor tensor, double low = 0, double high = 1);
GRADUS_API Tensor normal_(Tensor tensor, double mean = 0, double std = 1);
/// 1 on the diagonal, 0 elsewhere. ShapeError unless 2-d.
GRADUS_API Tensor eye_(Tensor matrix);

// The following take weights as layers store them: [n, m, ...] with n units out, m units in, and the extents of a
// kernel (their product is k) behind. fan in = m k, fan out = n k. ShapeError below 2 dimensions.

/// Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010), equation 16:
/// uniform in +-gain sqrt(6 / (fan in + fan out)).
GRADUS_API Tensor xavier_uniform_(Tensor tensor, double gain = 1);
/// The same variance: deviation gain sqrt(2 / (fan in + fan out)).
GRADUS_API Tensor xavier_normal_(Tensor tensor, double gain = 1);
/// He, Zhang, Ren and Sun, "Delving deep into rectifiers" (2015): uniform in +-gain sqrt(3 / fan); `a` is the slope of a
/// LeakyReLU that follows (0 for ReLU).
GRADUS_API Tensor kaiming_uniform_(Tensor tensor, double a = 0, FanMode mode = kFanIn,
                                   Nonlinearity nonlinearity = kLeakyReLU);
/// The same variance: deviation gain / sqrt(fan).
GRADUS_API Tensor kaiming_normal_(Tensor tensor, double a = 0, FanMode mode = kFanIn,
                                  Nonlinearity nonlinearity = kLeakyReLU);

/// Uniform in [0, 1) by the normal distribution's own function, so that what lies outside [a, b] never comes: normal with
/// this mean and deviation, cut off there. ValueError unless a <= b and std > 0.
GRADUS_API Tensor trunc_normal_(Tensor tensor, double mean = 0, double std = 1, double a = -2, double b = 2);
/// Rows (columns, if these are fewer) that are orthogonal and of length `gain`, of the matrix [n, the rest]. Saxe, McClelland
/// and Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks", 2014.
GRADUS_API Tensor orthogonal_(Tensor tensor, double gain = 1);
/// Normal with deviation `std`; in each column of the matrix a part `sparsity` of the elements, rounded up, is 0. ShapeError
/// unless 2-d. Martens, "Deep learning via Hessian-free optimization", 2010.
GRADUS_API Tensor sparse_(Tensor matrix, double sparsity, double std = 0.01);
/// Weights of a convolution ([out, in, ...], 1 to 3 dimensions behind) that hands on as many channels as it can, unchanged;
/// in each of `groups` parts of the channels out. ShapeError for other shapes and where groups do not divide them.
GRADUS_API Tensor dirac_(Tensor tensor, std::int64_t groups = 1);

/// Fan in and fan out.
GRADUS_API std::tuple<std::int64_t, std::int64_t> _calculate_fan_in_and_fan_out(const Tensor& tensor);

}  // namespace nn::init
}  // namespace gradus
