#include <algorithm>

#include "../array/create.h"
#include "../base/expect.h"
#include "../base/fail.h"
#include "../simd/distance.h"
#include "../threads/parallel.h"
#include "statistics.h"

namespace gradus::core {

Array distances(const Array& a, const Array& b) {
  if (a.dtype() != b.dtype() || !is_floating_point(a.dtype())) {
    fail<DTypeError>("cdist: the operands must be of one floating dtype: {} and {}", a.dtype(), b.dtype());
  }
  const Array from = a.contiguous(), to = b.contiguous();
  const int last = a.dim() - 1;
  const std::int64_t p = a.shape()[last - 1], r = b.shape()[last - 1], m = a.shape()[last], size = a.element_size();
  Shape shape = a.shape();
  shape[last] = r;
  const Array y = empty(shape, a.dtype());
  const kernels::DistanceKernel kernel = kernels::distance_kernel(a.dtype());
  const std::int64_t matrices = p == 0 || r == 0 ? 0 : y.numel() / (p * r);
  // Blocks of rows of a stay in the first cache, and those of b are read once for each. Blocks of both are what is shared out.
  const std::int64_t tall = std::clamp<std::int64_t>(2048 / std::max<std::int64_t>(m, 1), 4, 32), wide = 256;
  const std::int64_t down = (p + tall - 1) / tall, across = (r + wide - 1) / wide;
  const std::int64_t work = std::min(tall, p) * std::min(wide, r) * (m + 4);
  parallel_for(matrices * down * across, std::max<std::int64_t>(32768 / std::max<std::int64_t>(work, 1), 1),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t block = begin; block < end; ++block) {
                   const std::int64_t matrix = block / (down * across), i = block / across % down * tall,
                                      j = block % across * wide;
                   kernel(static_cast<char*>(y.data()) + ((matrix * p + i) * r + j) * size, static_cast<std::size_t>(r),
                          static_cast<const char*>(from.data()) + (matrix * p + i) * m * size,
                          static_cast<std::size_t>(std::min(tall, p - i)),
                          static_cast<const char*>(to.data()) + (matrix * r + j) * m * size,
                          static_cast<std::size_t>(std::min(wide, r - j)), static_cast<std::size_t>(m));
                 }
               });
  return y;
}

Array pair_distances(const Array& x) {
  expect_floating("pdist", "the operand", x.dtype());
  const Array rows = x.contiguous();
  const std::int64_t n = x.shape()[0], m = x.shape()[1], size = x.element_size();
  const Array y = empty({n * (n - 1) / 2}, x.dtype());
  const kernels::DistanceKernel kernel = kernels::distance_kernel(x.dtype());
  const std::int64_t work = std::max<std::int64_t>(n / 2 * (m + 4), 1);
  parallel_for(n, std::max<std::int64_t>(32768 / work, 1), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t before = i * (2 * n - i - 1) / 2;
      kernel(static_cast<char*>(y.data()) + before * size, 0, static_cast<const char*>(rows.data()) + i * m * size, 1,
             static_cast<const char*>(rows.data()) + (i + 1) * m * size, static_cast<std::size_t>(n - i - 1),
             static_cast<std::size_t>(m));
    }
  });
  return y;
}

}  // namespace gradus::core
