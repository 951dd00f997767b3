// Sums are taken about a centre c near the mean m of n numbers, s = sum (x - c) and q = sum (x - c)^2, in one pass:
//
//   m = c + s / n        sum (x - m)^2 = q - s^2 / n
//
// What the difference loses is the quotient of s^2 / n = n (m - c)^2 and the result. The centre is the first of the
// numbers: the quotient is then that number's squared distance from the mean in deviations, 1 on average and never above n; and
// equal numbers give 0. Where it is large, or the squares are no number, a second pass sums about the mean that was
// found. That pass is over all the numbers, and replaces only the results that need it: none depends on those beside it.
#include "moments.h"

#include <atomic>
#include <cmath>
#include <limits>

#include "../array/create.h"
#include "../threads/parallel.h"
#include "fold.h"

namespace gradus::core::kernels {
namespace {

/// Results that are worth a task of their own.
constexpr std::int64_t kResults = 16384;

/// The first number of each result.
Array first_of_each(const Array& x, const Dims& dims) {
  Array first = x;
  for (std::int64_t d : dims) first = first.narrow(static_cast<int>(d), 0, 1);
  Array centre = empty(reduced_shape(x.shape(), dims, false), kFloat64);
  centre.view(first.shape()).copy_(first);
  return centre;
}

/// (sum (x - c), sum (x - c)^2) of each result, contiguous.
std::array<Array, 2> sums_about(const Array& centre, const Array& x, const Dims& dims) {
  const std::array<Array, 2> sums = fold(Fold::CentredMoments, x, dims, centre);
  return {sums[0].contiguous(), sums[1].contiguous()};
}

}  // namespace

Moments moments(const Array& x, const Dims& dims) {
  const Shape shape = reduced_shape(x.shape(), dims, false);
  if (x.numel() == 0) return {full(shape, std::numeric_limits<double>::quiet_NaN(), kFloat64), zeros(shape, kFloat64)};
  const Array rows = x.contiguous(), centre = first_of_each(rows, dims);
  const Moments result{empty(shape, kFloat64), empty(shape, kFloat64)};
  double *const mean = result.mean.data_ptr<double>(), *const squares = result.squares.data_ptr<double>();
  const std::int64_t results = centre.numel();
  const double n = static_cast<double>(x.numel() / results);
  // float64 may lose four bits, and float32 twenty, which it has to spare.
  const double bearable = x.dtype() == kFloat64 ? 16 : 1 << 20;
  const auto lost = [&](double s, std::int64_t i) {
    return !(s * (s / n) <= bearable * squares[i] && std::isfinite(squares[i]));
  };
  const std::array<Array, 2> sums = sums_about(centre, rows, dims);
  const double *const s = sums[0].data_ptr<double>(), *const q = sums[1].data_ptr<double>();
  const double* const c = centre.data_ptr<double>();
  std::atomic<bool> any = false, finite = true;
  parallel_for(results, kResults, [&](std::int64_t begin, std::int64_t end) {
    bool any_here = false, finite_here = true;
    for (std::int64_t i = begin; i < end; ++i) {
      mean[i] = c[i] + s[i] / n;
      squares[i] = q[i] - s[i] * (s[i] / n);
      any_here |= lost(s[i], i);
      finite_here &= std::isfinite(mean[i]);
    }
    if (any_here) any.store(true, std::memory_order_relaxed);
    if (!finite_here) finite.store(false, std::memory_order_relaxed);
  });
  if (!any) return result;
  if (!finite) {  // sums about a centre may be infinite where those of the numbers are not
    const Array plain = fold(Fold::Sum, rows, dims)[0].contiguous();
    for (std::int64_t i = 0; i < results; ++i) {
      if (!std::isfinite(mean[i])) mean[i] = plain.data_ptr<double>()[i] / n;
    }
  }
  const std::array<Array, 2> again = sums_about(result.mean, rows, dims);
  for (std::int64_t i = 0; i < results; ++i) {
    if (!lost(s[i], i)) continue;
    const double rest = again[0].data_ptr<double>()[i], squares_about_mean = again[1].data_ptr<double>()[i];
    if (std::isfinite(rest)) mean[i] += rest / n;
    const double difference = squares_about_mean - rest * (rest / n);  // NaN of two infinities
    squares[i] = std::isinf(squares_about_mean) ? squares_about_mean : difference < 0 ? 0 : difference;
  }
  return result;
}

}  // namespace gradus::core::kernels
