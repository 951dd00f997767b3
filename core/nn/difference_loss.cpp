#include "difference_loss.h"

#include <algorithm>
#include <vector>

#include "../array/create.h"
#include "../base/expect.h"
#include "../simd/difference_loss.h"
#include "../threads/parallel.h"

namespace gradus::core {
namespace {

/// Elements of one block, whose sums are added in their order.
constexpr std::int64_t kBlock = 32768;

void check(const char* op, const Array& x, const Array& t) {
  expect_floating(op, "input", x);
  expect_defined(op, "target", t);
  expect_alike(op, "target", t, "input", x);
}

/// body(block, first element, elements) for each.
template <class Body>
void each_block(std::int64_t n, const Body& body) {
  const std::int64_t blocks = (n + kBlock - 1) / kBlock;
  parallel_for(blocks, blocks <= 2 ? std::max<std::int64_t>(blocks, 1) : 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b) {
      body(static_cast<std::size_t>(b), b * kBlock, static_cast<std::size_t>(std::min(kBlock, n - b * kBlock)));
    }
  });
}

}  // namespace

double difference_loss_sum(const Array& x, const Array& t, double bound, double unit) {
  check("difference_loss_sum", x, t);
  const Array a = x.contiguous(), b = t.contiguous();
  const auto *from = static_cast<const char*>(a.data()), *to = static_cast<const char*>(b.data());
  const kernels::DifferenceLossSum sum = kernels::difference_loss_kernel(x.dtype());
  const std::int64_t size = x.element_size();
  std::vector<double> sums(static_cast<std::size_t>((x.numel() + kBlock - 1) / kBlock));
  each_block(x.numel(), [&](std::size_t block, std::int64_t first, std::size_t n) {
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
  each_block(x.numel(), [&](std::size_t, std::int64_t first, std::size_t n) {
    slope(from + first * size, to + first * size, bound, unit, factor, slopes + first * size, n);
  });
  return out;
}

}  // namespace gradus::core
