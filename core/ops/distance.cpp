#include <algorithm>

#include "../array/create.h"
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
  const std::int64_t rows = r == 0 ? 0 : y.numel() / r, work = std::max<std::int64_t>(r * (m + 4), 1);
  parallel_for(rows, std::max<std::int64_t>(32768 / work, 1), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      kernel(static_cast<char*>(y.data()) + i * r * size, static_cast<const char*>(from.data()) + i * m * size,
             static_cast<const char*>(to.data()) + i / p * r * m * size, static_cast<std::size_t>(r),
             static_cast<std::size_t>(m));
    }
  });
  return y;
}

}  // namespace gradus::core
