// Pooling to a given size: windows of a plane that differ in length where sizes do not divide.
#include <algorithm>
#include <vector>

#include "../array/create.h"
#include "../base/dispatch.h"
#include "../base/expect.h"
#include "../base/fail.h"
#include "../memory/pool.h"
#include "../simd/pointwise.h"
#include "../threads/parallel.h"
#include "pooling.h"

namespace gradus::core {
namespace {

constexpr const char* kName = "adaptive_avg_pool2d";
/// Elements read in one block; a multiple of it goes parallel.
constexpr std::int64_t kBlock = 16384;

struct Window {
  std::int64_t begin, end;
  double size;
};

/// The windows of m outputs over n positions.
std::vector<Window> windows_of(std::int64_t n, std::int64_t m) {
  std::int64_t last = 0;
  if (__builtin_mul_overflow(n, m, &last) || __builtin_add_overflow(last, m, &last)) {
    fail<ShapeError>("{}: the product of a size and its output's must fit into 64 bits: {} and {}", kName, n, m);
  }
  check_request(checked_numel({m, static_cast<std::int64_t>(sizeof(Window))}, kName));
  std::vector<Window> windows(static_cast<std::size_t>(m));
  for (std::int64_t o = 0; o < m; ++o) {
    const std::int64_t begin = o * n / m, end = ((o + 1) * n + m - 1) / m;
    windows[static_cast<std::size_t>(o)] = {begin, end, static_cast<double>(end - begin)};
  }
  return windows;
}

/// Planes of H x W to planes of h x w.
struct Planes {
  Planes(const Shape& x, std::int64_t height, std::int64_t width) : shape(x), h(height), w(width) {
    expect_form(x.size() == 3 || x.size() == 4, kName, "input", "[C, H, W] or [N, C, H, W]", x);
    H = x[x.size() - 2];
    W = x[x.size() - 1];
    if (h < 1 || w < 1) fail<ValueError>("{}: the output's size must be at least 1: [{}, {}]", kName, h, w);
    if (H < 1 || W < 1) fail<ShapeError>("{}: there must be positions to average: {}", kName, x);
    shape[x.size() - 2] = h;
    shape[x.size() - 1] = w;
    for (int i = 0; i < x.size() - 2; ++i) count *= x[i];
  }
  std::int64_t grain() const { return std::max<std::int64_t>(kBlock / (H * W + h * w), 1); }
  Shape shape;  // of the result
  std::int64_t h, w, H = 0, W = 0, count = 1;
};

template <class Body>
void with_floating(const Array& x, Body body) {
  expect_floating(kName, "input", x.dtype());
  dispatch(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_floating_point_v<T>) body(T());
  });
}

}  // namespace

Array adaptive_avg_pool2d(const Array& x, std::int64_t height, std::int64_t width) {
  expect_defined(kName, "input", x);
  const Planes p(x.shape(), height, width);
  const Array y = empty(p.shape, x.dtype()), from = x.contiguous();
  const std::vector<Window> rows = windows_of(p.H, p.h), columns = windows_of(p.W, p.w);
  with_floating(x, [&](auto tag) {
    using T = decltype(tag);
    parallel_for(p.count, p.grain(), [&](std::int64_t begin, std::int64_t end) {
      std::vector<double> sums(static_cast<std::size_t>(p.W));
      T* out = y.data_ptr<T>() + begin * p.h * p.w;
      for (std::int64_t plane = begin; plane < end; ++plane) {
        const T* const in = from.data_ptr<T>() + plane * p.H * p.W;
        for (const Window& row : rows) {
          std::copy_n(in + row.begin * p.W, p.W, sums.begin());
          for (std::int64_t i = row.begin + 1; i < row.end; ++i) {
            const T* const line = in + i * p.W;
            for (std::size_t j = 0; j < sums.size(); ++j) sums[j] += static_cast<double>(line[j]);
          }
          for (const Window& column : columns) {
            double sum = 0;
            for (std::int64_t j = column.begin; j < column.end; ++j) sum += sums[static_cast<std::size_t>(j)];
            *out++ = static_cast<T>(sum / (static_cast<double>(row.size) * static_cast<double>(column.size)));
          }
        }
      }
    });
  });
  return y;
}

Array adaptive_avg_pool2d_backward(const Array& dy, const Shape& x_shape) {
  if (dy.dim() < 2) fail<ShapeError>("{}: the gradient must have the result's shape: {}", kName, dy.shape());
  const Planes p(x_shape, dy.size(-2), dy.size(-1));
  if (dy.shape() != p.shape) {
    fail<ShapeError>("{}: the gradient must have the result's shape: {} for {}", kName, dy.shape(), p.shape);
  }
  const Array dx = empty(x_shape, dy.dtype()), from = dy.contiguous();
  const std::vector<Window> rows = windows_of(p.H, p.h), columns = windows_of(p.W, p.w);
  const kernels::Kernel add_kernel = kernels::exact_binary("add"_key, dy.dtype());
  with_floating(dy, [&](auto tag) {
    using T = decltype(tag);
    parallel_for(p.count, p.grain(), [&](std::int64_t begin, std::int64_t end) {
      const Array scratch = empty({p.W}, dy.dtype());
      T* const shares = scratch.data_ptr<T>();
      for (std::int64_t plane = begin; plane < end; ++plane) {
        const T* above = from.data_ptr<T>() + plane * p.h * p.w;
        T* const to = dx.data_ptr<T>() + plane * p.H * p.W;
        std::fill_n(to, p.H * p.W, T{0});
        for (const Window& row : rows) {
          std::fill_n(shares, p.W, T{0});
          for (const Window& column : columns) {
            const T share = *above++ / (static_cast<T>(row.size) * static_cast<T>(column.size));
            for (std::int64_t j = column.begin; j < column.end; ++j) shares[j] += share;
          }
          for (std::int64_t i = row.begin; i < row.end; ++i) {
            const void* const both[] = {to + i * p.W, shares};
            add_kernel(to + i * p.W, both, static_cast<std::size_t>(p.W), nullptr);
          }
        }
      }
    });
  });
  return dx;
}

std::tuple<Array, Array> adaptive_windows(std::int64_t n, std::int64_t m) {
  const std::vector<Window> windows = windows_of(n, m);
  std::int64_t longest = 0;
  for (const Window& window : windows) longest = std::max(longest, window.end - window.begin);
  const Array positions = full({m, longest}, n, kInt64), lengths = empty({m}, kFloat64);
  for (std::int64_t o = 0; o < m; ++o) {
    const Window& window = windows[static_cast<std::size_t>(o)];
    for (std::int64_t i = window.begin; i < window.end; ++i) {
      positions.data_ptr<std::int64_t>()[o * longest + i - window.begin] = i;
    }
    lengths.data_ptr<double>()[o] = window.size;
  }
  return {positions, lengths};
}

}  // namespace gradus::core
