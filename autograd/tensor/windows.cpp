// Windows for transforms: computed in float64 from the integers and rounded once.
#include <algorithm>
#include <numbers>

#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "../../core/ops/pointwise.h"
#include "../../core/threads/parallel.h"
#include "create.h"

namespace gradus {

namespace {

using core::Array;

// f of the place of each point in the period, from 0 to 1.
template <class F>
Tensor window(const char* op, std::int64_t n, bool periodic, const TensorOptions& options, F f) {
  if (n < 0) core::fail<ValueError>("{}: the number of points must not be negative: {}", op, n);
  const DType dtype = options.dtype();
  if (!is_floating_point(dtype)) {
    core::fail<DTypeError>("{}: the dtype must be floating-point: {}; kFloat and kDouble are", op, dtype);
  }
  const auto period = static_cast<double>(periodic ? n : n - 1);
  const Array whole = n > 1 ? core::empty({n}, dtype) : core::ones({n}, dtype);
  // In blocks whose intermediate results stay in the cache.
  constexpr std::int64_t block = 8192;
  core::parallel_for(n > 1 ? (n + block - 1) / block : 0, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin * block; i < std::min(n, end * block); i += block) {
      const std::int64_t last = std::min(n, i + block);
      whole.narrow(0, i, last - i).copy_(f(core::arange(i, last, 1, kFloat64) / period));
    }
  });
  Tensor result(whole);
  return options.requires_grad() ? result.requires_grad_() : result;
}
Array cosine(const Array& turns) { return core::cos(turns * (2 * std::numbers::pi)); }

}  // namespace

Tensor hann_window(std::int64_t n, bool periodic, const TensorOptions& options) {
  return window("hann_window", n, periodic, options, [](const Array& t) { return 0.5 - cosine(t) * 0.5; });
}
Tensor hamming_window(std::int64_t n, bool periodic, double alpha, double beta, const TensorOptions& options) {
  return window("hamming_window", n, periodic, options,
                [alpha, beta](const Array& t) { return alpha - cosine(t) * beta; });
}
Tensor blackman_window(std::int64_t n, bool periodic, const TensorOptions& options) {
  return window("blackman_window", n, periodic, options,
                [](const Array& t) { return core::clamp(0.42 - cosine(t) * 0.5 + cosine(t * 2) * 0.08, 0, {}); });
}
Tensor bartlett_window(std::int64_t n, bool periodic, const TensorOptions& options) {
  return window("bartlett_window", n, periodic, options, [](const Array& t) { return 1 - core::abs(t * 2 - 1); });
}
Tensor hann_window(std::int64_t n, const TensorOptions& options) { return hann_window(n, true, options); }
Tensor hamming_window(std::int64_t n, const TensorOptions& options) {
  return hamming_window(n, true, 0.54, 0.46, options);
}
Tensor blackman_window(std::int64_t n, const TensorOptions& options) { return blackman_window(n, true, options); }
Tensor bartlett_window(std::int64_t n, const TensorOptions& options) { return bartlett_window(n, true, options); }

}  // namespace gradus
