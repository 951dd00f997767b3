#include "init.h"

#include <algorithm>
#include <cmath>

#include "../../autograd/graph/grad_mode.h"
#include "../../autograd/ops/linalg.h"
#include "../../autograd/tensor/create.h"
#include "../../core/array/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"

namespace gradus::nn::init {
namespace {

struct Fans {
  double in, out;
};

Fans fans_of(const Tensor& tensor, const char* op) {
  if (tensor.dim() < 2) {
    core::fail<ShapeError>("{}: weights must have at least 2 dimensions, [out, in, ...]: {}", op, tensor.sizes());
  }
  double receptive = 1;
  for (std::int64_t d = 2; d < tensor.dim(); ++d) receptive *= static_cast<double>(tensor.size(d));
  return {static_cast<double>(tensor.size(1)) * receptive, static_cast<double>(tensor.size(0)) * receptive};
}

// Nothing to draw where nothing goes in or out; the deviations below would be infinite.
bool is_empty(const Tensor& tensor) { return tensor.numel() == 0; }

Tensor uniform_within(const Tensor& tensor, double bound) { return uniform_(tensor, -bound, bound); }

double xavier_std(const Tensor& tensor, double gain, const char* op) {
  const Fans fans = fans_of(tensor, op);
  return gain * std::sqrt(2 / (fans.in + fans.out));
}

double kaiming_std(const Tensor& tensor, double a, FanMode mode, Nonlinearity nonlinearity, const char* op) {
  const Fans fans = fans_of(tensor, op);
  return calculate_gain(nonlinearity, a) / std::sqrt(mode == FanMode::FanIn ? fans.in : fans.out);
}

}  // namespace

double calculate_gain(Nonlinearity nonlinearity, double param) {
  switch (nonlinearity) {
    case Nonlinearity::Tanh:
      return 5.0 / 3.0;
    case Nonlinearity::ReLU:
      return std::sqrt(2.0);
    case Nonlinearity::LeakyReLU:
      return std::sqrt(2 / (1 + param * param));
    default:
      return 1;
  }
}

Tensor constant_(Tensor tensor, const Scalar& value) {
  const NoGradGuard no_grad;
  tensor.fill_(value);
  return tensor;
}

Tensor zeros_(Tensor tensor) { return constant_(std::move(tensor), 0); }
Tensor ones_(Tensor tensor) { return constant_(std::move(tensor), 1); }

Tensor uniform_(Tensor tensor, double low, double high) {
  const NoGradGuard no_grad;
  tensor.uniform_(low, high);
  return tensor;
}

Tensor normal_(Tensor tensor, double mean, double std) {
  const NoGradGuard no_grad;
  tensor.normal_(mean, std);
  return tensor;
}

Tensor eye_(Tensor matrix) {
  core::expect_dims("eye_", "the tensor", matrix, 2, 2, "a matrix");
  const NoGradGuard no_grad;
  matrix.copy_(Tensor(core::eye(matrix.size(0), matrix.size(1), matrix.dtype())));
  return matrix;
}

Tensor xavier_uniform_(Tensor tensor, double gain) {
  const double std = xavier_std(tensor, gain, "xavier_uniform_");
  return is_empty(tensor) ? tensor : uniform_within(tensor, std::sqrt(3.0) * std);
}

Tensor xavier_normal_(Tensor tensor, double gain) {
  const double std = xavier_std(tensor, gain, "xavier_normal_");
  return is_empty(tensor) ? tensor : normal_(tensor, 0, std);
}

Tensor kaiming_uniform_(Tensor tensor, double a, FanMode mode, Nonlinearity nonlinearity) {
  const double std = kaiming_std(tensor, a, mode, nonlinearity, "kaiming_uniform_");
  return is_empty(tensor) ? tensor : uniform_within(tensor, std::sqrt(3.0) * std);
}

Tensor kaiming_normal_(Tensor tensor, double a, FanMode mode, Nonlinearity nonlinearity) {
  const double std = kaiming_std(tensor, a, mode, nonlinearity, "kaiming_normal_");
  return is_empty(tensor) ? tensor : normal_(tensor, 0, std);
}

Tensor trunc_normal_(Tensor tensor, double mean, double std, double a, double b) {
  if (!(a <= b && std > 0)) {
    core::fail<ValueError>("trunc_normal_: a must not exceed b, and std must be positive: a={}, b={}, std={}", a, b,
                           std);
  }
  const auto below = [&](double x) { return std::erf((x - mean) / std / std::sqrt(2.0)); };  // 2 Phi - 1
  const NoGradGuard no_grad;
  tensor.uniform_(below(a), below(b));
  tensor.erfinv_();
  tensor.mul_(std * std::sqrt(2.0)).add_(mean);
  tensor.clamp_(a, b);  // what rounding moved
  return tensor;
}

Tensor orthogonal_(Tensor tensor, double gain) {
  if (tensor.dim() < 2) {
    core::fail<ShapeError>("orthogonal_: the tensor must have at least 2 dimensions: {}", tensor.sizes());
  }
  core::expect_floating("orthogonal_", "the tensor", tensor);
  if (is_empty(tensor)) return tensor;
  const NoGradGuard no_grad;
  const std::int64_t rows = tensor.size(0), columns = tensor.numel() / rows;
  Tensor flat = randn({rows, columns}, tensor.options());
  if (rows < columns) flat = flat.t();
  auto [q, r] = linalg_qr(flat);
  q = q * r.diagonal().sign();  // so that it is drawn evenly from all orthogonal ones (Mezzadri, 2006)
  if (rows < columns) q = q.t();
  tensor.copy_(q.reshape(tensor.sizes())).mul_(gain);
  return tensor;
}

Tensor sparse_(Tensor matrix, double sparsity, double std) {
  core::expect_dims("sparse_", "the tensor", matrix, 2, 2, "a matrix");
  if (!(sparsity >= 0 && sparsity <= 1)) core::fail<ValueError>("sparse_: sparsity must be in [0, 1]: {}", sparsity);
  const NoGradGuard no_grad;
  matrix.normal_(0, std);
  const std::int64_t rows = matrix.size(0);
  const auto zeros = static_cast<std::int64_t>(std::ceil(sparsity * static_cast<double>(rows)));
  for (std::int64_t column = 0; column < matrix.size(1); ++column) {
    matrix.select(1, column).index_fill_(0, randperm(rows).slice(0, 0, zeros), 0);
  }
  return matrix;
}

Tensor dirac_(Tensor tensor, std::int64_t groups) {
  const std::int64_t dim = tensor.dim();
  if (dim < 3 || dim > 5) {
    core::fail<ShapeError>("dirac_: the tensor must have 3 to 5 dimensions, [out, in, ...]: {}", tensor.sizes());
  }
  if (groups < 1 || tensor.size(0) % groups != 0) {
    core::fail<ShapeError>("dirac_: groups must divide the channels out: {} for {}", groups, tensor.sizes());
  }
  const NoGradGuard no_grad;
  tensor.zero_();
  const std::int64_t out = tensor.size(0) / groups, kept = std::min(out, tensor.size(1));
  Tensor middle = tensor;  // of the kernel: [out, in]
  for (std::int64_t d = 2; d < dim; ++d) middle = middle.select(2, middle.size(2) / 2);
  for (std::int64_t g = 0; g < groups; ++g) {
    middle.slice(0, g * out, g * out + kept).slice(1, 0, kept).diagonal().fill_(1);
  }
  return tensor;
}

std::tuple<std::int64_t, std::int64_t> _calculate_fan_in_and_fan_out(const Tensor& tensor) {
  const Fans fans = fans_of(tensor, "_calculate_fan_in_and_fan_out");
  return {static_cast<std::int64_t>(fans.in), static_cast<std::int64_t>(fans.out)};
}

}  // namespace gradus::nn::init
