// Windows for transforms: computed in float64 from the integers and rounded once.
#include <cmath>
#include <numbers>

#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "create.h"

namespace gradus {

namespace {

// f of the angle of each point, from 0 to 2 pi.
template <class F>
Tensor window(const char* op, std::int64_t n, bool periodic, const TensorOptions& options, F f) {
  if (n < 0) core::fail<ValueError>("{}: the number of points must not be negative: {}", op, n);
  const DType dtype = options.dtype();
  if (!is_floating_point(dtype)) {
    core::fail<DTypeError>("{}: the dtype must be floating-point: {}; kFloat and kDouble are", op, dtype);
  }
  const core::Array x = core::ones({n}, kFloat64);
  const auto period = static_cast<double>(periodic ? n : n - 1);
  auto* const out = x.data_ptr<double>();
  for (std::int64_t i = 0; i < n && n > 1; ++i) out[i] = f(static_cast<double>(i) / period);
  Tensor result(x.to(dtype));
  return options.requires_grad() ? result.requires_grad_() : result;
}
double cosine(double turns) { return std::cos(2 * std::numbers::pi * turns); }

}  // namespace

Tensor hann_window(std::int64_t n, bool periodic, const TensorOptions& options) {
  return window("hann_window", n, periodic, options, [](double t) { return 0.5 - 0.5 * cosine(t); });
}
Tensor hamming_window(std::int64_t n, bool periodic, double alpha, double beta, const TensorOptions& options) {
  return window("hamming_window", n, periodic, options, [alpha, beta](double t) { return alpha - beta * cosine(t); });
}
Tensor blackman_window(std::int64_t n, bool periodic, const TensorOptions& options) {
  return window("blackman_window", n, periodic, options,
                [](double t) { return std::fmax(0.42 - 0.5 * cosine(t) + 0.08 * cosine(2 * t), 0.0); });
}
Tensor bartlett_window(std::int64_t n, bool periodic, const TensorOptions& options) {
  return window("bartlett_window", n, periodic, options, [](double t) { return 1 - std::fabs(2 * t - 1); });
}
Tensor hann_window(std::int64_t n, const TensorOptions& options) { return hann_window(n, true, options); }
Tensor hamming_window(std::int64_t n, const TensorOptions& options) {
  return hamming_window(n, true, 0.54, 0.46, options);
}
Tensor blackman_window(std::int64_t n, const TensorOptions& options) { return blackman_window(n, true, options); }
Tensor bartlett_window(std::int64_t n, const TensorOptions& options) { return bartlett_window(n, true, options); }

}  // namespace gradus
