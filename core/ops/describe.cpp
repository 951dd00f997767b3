#include "describe.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../base/dispatch.h"
#include "../simd/describe.h"

namespace gradus::core {

Description describe(const Array& stored) {
  const bool as_it_is = !is_storage_type(stored.dtype()) && stored.is_contiguous();
  const Array converted = as_it_is ? Array() : stored.to(compute_dtype(stored.dtype())).contiguous();
  const Array& x = as_it_is ? stored : converted;
  constexpr double none = std::numeric_limits<double>::quiet_NaN(), most = std::numeric_limits<double>::infinity();
  const std::int64_t n = x.numel();
  if (n == 0) return {none, none, none, none};
  if (is_floating_point(x.dtype())) {
    const kernels::Described d = kernels::describe(x.data(), static_cast<std::size_t>(n), x.dtype());
    if (std::isfinite(d.squares)) {  // and so are all elements
      const auto count = static_cast<double>(n);
      const double first = x.dtype() == kFloat32 ? static_cast<double>(*x.data_ptr<float>()) : *x.data_ptr<double>();
      const double shift = d.distances / count;
      return {d.least, d.largest, first + shift, std::sqrt(std::max(0.0, d.squares / count - shift * shift))};
    }
  }
  Description all{most, -most, 0, 0};
  std::int64_t count = 0;
  double sum = 0, squares = 0;
  dispatch(x.dtype(), [&](auto tag) {
    const auto* const elements = static_cast<const typename decltype(tag)::type*>(x.data());
    for (std::int64_t i = 0; i < n; ++i) {
      const auto value = static_cast<double>(elements[i]);
      const bool is_nan = std::isnan(value), is_finite = std::isfinite(value);
      all.nan += is_nan ? 1 : 0;
      count += is_finite ? 1 : 0;
      sum += is_finite ? value : 0;
      all.min = is_finite ? std::min(all.min, value) : all.min;
      all.max = is_finite ? std::max(all.max, value) : all.max;
    }
    all.mean = sum / static_cast<double>(count);
    for (std::int64_t i = 0; i < n; ++i) {
      const auto value = static_cast<double>(elements[i]);
      const double distance = std::isfinite(value) ? value - all.mean : 0;
      squares += distance * distance;
    }
  });
  all.infinite = n - count - all.nan;
  if (count == 0) return {none, none, none, none, all.nan, all.infinite};
  all.std = std::sqrt(squares / static_cast<double>(count));
  return all;
}

}  // namespace gradus::core
