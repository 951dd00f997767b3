#include "difference_loss.h"

#include <algorithm>
#include <vector>

#include "../array/create.h"
#include "../base/expect.h"
#include "../simd/difference_loss.h"
#include "../threads/even_grain.h"
#include "../threads/parallel.h"

namespace gradus::core {
namespace {

/// Elements of one block at most; the blocks' sums are added in their order.
constexpr std::int64_t kBlock = 32768;

/// Elements of one block, and how many there are.
struct Blocks {
  explicit Blocks(std::int64_t elements)
      : n(elements),
        size(n <= 2 * kBlock ? std::max<std::int64_t>(n, 1) : even_grain(n, kBlock, 16)),
        count((n + size - 1) / size) {}
  /// body(block, first element, elements) for each.
  template <class Body>
  void each(const Body& body) const {
    parallel_for(count, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t b = begin; b < end; ++b) {
        body(static_cast<std::size_t>(b), b * size, static_cast<std::size_t>(std::min(size, n - b * size)));
      }
    });
  }
  std::int64_t n, size, count;
};

void check(const char* op, const Array& x, const Array& t) {
  expect_floating(op, "input", x);
  expect_defined(op, "target", t);
  expect_alike(op, "target", t, "input", x);
}

}  // namespace

double difference_loss_sum(const Array& x, const Array& t, double bound, double unit) {
  check("difference_loss_sum", x, t);
  const Array a = x.contiguous(), b = t.contiguous();
  const auto *from = static_cast<const char*>(a.data()), *to = static_cast<const char*>(b.data());
  const kernels::DifferenceLossSum sum = kernels::difference_loss_kernel(x.dtype());
  const std::int64_t size = x.element_size();
  const Blocks blocks(x.numel());
  std::vector<double> sums(static_cast<std::size_t>(blocks.count));
  blocks.each([&](std::size_t block, std::int64_t first, std::size_t n) {
    sums[block] = sum(from + first * size, to + first * size, bound, unit, n);
  });
  double all = 0;
  for (const double each : sums) all += each;
  return all;
}

Array difference_loss_slope(const Array& x, const Array& t, double bound, double unit, double factor) {
  check("difference_loss_slope", x, t);
  const Array a = x.contiguous(), b = t.contiguous(), out = empty(x.shape(), x.dtype());
  const auto *from = static_cast<const char*>(a.data()), *to = static_cast<const char*>(b.data());
  auto* const slopes = static_cast<char*>(out.data());
  const kernels::DifferenceLossSlope slope = kernels::difference_loss_slope_kernel(x.dtype());
  const std::int64_t size = x.element_size();
  Blocks(x.numel()).each([&](std::size_t, std::int64_t first, std::size_t n) {
    slope(from + first * size, to + first * size, bound, unit, factor, slopes + first * size, n);
  });
  return out;
}

}  // namespace gradus::core
