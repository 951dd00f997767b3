#include "scan.h"

#include <algorithm>
#include <string_view>

#include "../array/create.h"
#include "../base/dispatch.h"
#include "../threads/even_grain.h"
#include "../base/expect.h"
#include "../base/fail.h"
#include "../simd/scan.h"
#include "../threads/parallel.h"
#include "stored.h"

namespace gradus::core {
namespace {

using kernels::Scan;

/// Elements of one block of a parallel loop; twice as many go parallel.
constexpr std::int64_t kBlock = 16384;

/// A contiguous array as [outer, n, inner], the dimension in the middle.
struct Lanes {
  Lanes(const Shape& shape, int dim) {
    for (int i = 0; i < shape.size(); ++i) (i < dim ? outer : i == dim ? n : inner) *= shape[i];
  }
  std::int64_t outer = 1, n = 1, inner = 1;
};

std::int64_t grain_of(std::int64_t items, std::int64_t elements, std::int64_t item) {
  return elements <= 2 * kBlock ? std::max<std::int64_t>(items, 1)
                                : std::max<std::int64_t>(kBlock / std::max<std::int64_t>(item, 1), 1);
}

Array scan(const char* name, Scan op, const Array& x, const Array& second, std::int64_t dim, bool reverse) {
  expect_defined(name, "the operand", x);
  const int d = wrap_dim(dim, x.dim(), name);
  const DType dtype = is_floating_point(x.dtype()) ? x.dtype() : kInt64;
  Array y = empty(x.shape(), dtype);
  if (x.numel() == 0) return y;
  const Array a = x.contiguous(), b = second.defined() ? second.contiguous() : a;
  const Lanes lanes(x.shape(), d);
  const kernels::ScanKernel kernel = kernels::scan_kernel(op, x.dtype());
  const std::int64_t size = x.element_size(), out_size = y.element_size();
  const std::int64_t start = reverse ? (lanes.n - 1) * lanes.inner : 0, step = reverse ? -lanes.inner : lanes.inner;
  const auto run = [&](std::int64_t first, std::int64_t width, std::int64_t side) {
    const void* const in[2] = {static_cast<const char*>(a.data()) + first * size,
                               static_cast<const char*>(b.data()) + first * size};
    kernel(static_cast<char*>(y.data()) + first * out_size, in, lanes.n, step, width, side);
  };
  if (lanes.inner == 1) {  // rows, some at a time: where there are many, whole groups of those scanned together
    const std::int64_t width = lanes.outer >= 8 * kernels::kScanWidth ? kernels::kScanWidth : 1;
    parallel_for(lanes.outer, even_grain(lanes.outer, grain_of(lanes.outer, x.numel(), lanes.n), width),
                 [&](std::int64_t begin, std::int64_t end) { run(begin * lanes.n + start, end - begin, lanes.n); });
  } else {  // strips of columns
    const std::int64_t strips = (lanes.inner + kernels::kScanWidth - 1) / kernels::kScanWidth;
    const std::int64_t items = lanes.outer * strips, item = lanes.n * kernels::kScanWidth;
    parallel_for(items, grain_of(items, x.numel(), item), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t column = i % strips * kernels::kScanWidth;
        run(i / strips * lanes.n * lanes.inner + column + start, std::min(kernels::kScanWidth, lanes.inner - column),
            1);
      }
    });
  }
  return y;
}

}  // namespace

Array cumsum(const Array& x, std::int64_t dim, bool reverse) {
  return scan("cumsum", Scan::Sum, x, Array(), dim, reverse);
}
Array cumprod(const Array& x, std::int64_t dim, bool reverse) {
  return scan("cumprod", Scan::Prod, x, Array(), dim, reverse);
}

Array linear_recurrence(const Array& a, const Array& b, std::int64_t dim, bool reverse) {
  constexpr const char* name = "linear_recurrence";
  expect_floating(name, "a", a);
  expect_defined(name, "b", b);
  expect_alike(name, "b", b, "a", a);
  return scan(name, Scan::Recurrence, a, b, dim, reverse);
}

namespace {

/// The first k in order of each row.
std::tuple<Array, Array> ordered(const char* op, const Array& x, std::int64_t k, int d, bool descending) {
  if (is_storage_type(x.dtype())) {
    const auto [values, indices] = ordered(op, as_computed(x), k, d, descending);
    return {as_stored(values, x.dtype()), indices};
  }
  const bool last = x.dim() == 0 || d == x.dim() - 1;
  const Array rows = (last ? x : x.movedim(d, -1)).contiguous();
  const std::int64_t n = x.dim() == 0 ? 1 : x.shape()[d];
  if (n > INT64_C(0xffffffff) && x.element_size() < 8) {
    fail<ValueError>("{}: rows must have fewer than 2^32 elements: {}", op, n);
  }
  Shape shape = rows.shape();
  if (x.dim() != 0) shape[x.dim() - 1] = k;
  const Array values = empty(shape, x.dtype()), indices = empty(shape, kInt64);
  const kernels::SortKernel kernel = kernels::sort_kernel(x.dtype());
  const std::int64_t count = n == 0 ? 0 : x.numel() / n;
  if (count * k != 0) {
    dispatch_width(x.dtype(), [&](auto tag) {
      using T = typename decltype(tag)::type;
      const T* const from = static_cast<const T*>(rows.data());
      T* const to = static_cast<T*>(values.data());
      std::int64_t* const places = indices.data_ptr<std::int64_t>();
      parallel_for(count, grain_of(count, count * n * 8, n * 8), [&](std::int64_t begin, std::int64_t end) {
        const Array scratch = empty({kernels::sort_scratch(x.dtype(), n) / 8}, kFloat64);
        for (std::int64_t r = begin; r < end; ++r) {
          std::int64_t* const place = places + r * k;
          kernel(from + r * n, n, k, descending, place, scratch.data());
          for (std::int64_t i = 0; i < k; ++i) to[r * k + i] = from[r * n + place[i]];
        }
      });
    });
  }
  if (last) return {values, indices};
  return {values.movedim(-1, d).contiguous(), indices.movedim(-1, d).contiguous()};
}

}  // namespace

std::tuple<Array, Array> sort(const Array& x, std::int64_t dim, bool descending) {
  expect_defined("sort", "the operand", x);
  const int d = wrap_dim(dim, x.dim(), "sort");
  return ordered("sort", x, x.dim() == 0 ? 1 : x.shape()[d], d, descending);
}

std::tuple<Array, Array> topk(const Array& x, std::int64_t k, std::int64_t dim, bool largest) {
  expect_defined("topk", "the operand", x);
  const int d = wrap_dim(dim, x.dim(), "topk");
  const std::int64_t n = x.dim() == 0 ? 1 : x.shape()[d];
  const std::int64_t least = x.dim() == 0 ? 1 : 0;
  if (k < least || k > n) {
    fail<IndexError>("topk: k must be in [{}, {}], the size of dimension {}: {}", least, n, d, k);
  }
  return ordered("topk", x, x.dim() == 0 ? 1 : k, d, largest);
}

}  // namespace gradus::core
