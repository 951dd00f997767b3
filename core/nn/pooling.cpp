#include "pooling.h"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "../array/create.h"
#include "../base/dispatch.h"
#include "../base/expect.h"
#include "../base/fail.h"
#include "../simd/pooling.h"
#include "../threads/parallel.h"
#include "conv.h"

namespace gradus::core {
namespace {

/// Elements read in one block; a multiple of it goes parallel.
constexpr std::int64_t kBlock = 65536;

using kernels::PoolGrid;
using Triple = PoolGrid::Triple;

struct Geometry : PoolGrid {
  Shape shape;  // of the result
};

std::int64_t pooled_size(const char* op, const Shape& x, std::int64_t n, std::int64_t kernel, std::int64_t stride,
                         std::int64_t padding, std::int64_t dilation, bool ceil_mode) {
  if (kernel < 1) fail<ValueError>("{}: the kernel must be at least 1: {}", op, kernel);
  if (stride < 1) fail<ValueError>("{}: the stride must be at least 1: {}", op, stride);
  if (dilation < 1) fail<ValueError>("{}: the dilation must be at least 1: {}", op, dilation);
  if (n < 1) fail<ShapeError>("{}: the input must not be empty where windows pass over it: {}", op, x);
  if (padding < 0 || padding > kernel / 2) {
    fail<ValueError>("{}: the padding must be at most half the kernel: {} for a kernel of {}", op, padding, kernel);
  }
  const std::int64_t reach = window_reach(op, kernel, dilation, padding);
  if (n > std::numeric_limits<std::int64_t>::max() / 4) {
    fail<ShapeError>("{}: sizes that windows pass over must fit into 61 bits: {}", op, x);
  }
  const std::int64_t room = n + 2 * padding - reach - 1;
  std::int64_t size = room < 0 ? 0 : room / stride + 1;
  if (ceil_mode && room > -stride && room % stride != 0) {
    size = (room < 0 ? 0 : room / stride + 1) + 1;
    if ((size - 1) * stride >= n + padding) --size;  // it would begin behind the input
  }
  if (size < 1) {
    fail<ShapeError>("{}: the windows must fit into the input: a kernel of {} with dilation {} and padding {} on {}",
                     op, kernel, dilation, padding, x);
  }
  return size;
}

Geometry geometry(const char* op, const Shape& x, const PoolWindows& w) {
  const int dims = w.kernel.size();
  if (dims < 1 || dims > 3 || w.stride.size() != dims || w.padding.size() != dims || w.dilation.size() != dims) {
    fail<ValueError>(
        "{}: kernel, stride, padding and dilation must have one, two or three numbers each: {}, {}, {}, {}", op,
        w.kernel, w.stride, w.padding, w.dilation);
  }
  constexpr const char* kinds[] = {"[C, L] or [N, C, L]", "[C, H, W] or [N, C, H, W]",
                                   "[C, D, H, W] or [N, C, D, H, W]"};
  expect_form(x.size() == dims + 1 || x.size() == dims + 2, op, "input", kinds[dims - 1], x);
  Geometry g;
  g.shape = x;
  const int lead = x.size() - dims;
  for (int i = 0; i < lead; ++i) g.planes *= x[i];
  for (int i = 0; i < dims; ++i) {
    const auto to = static_cast<std::size_t>(3 - dims + i);
    g.in[to] = x[lead + i];
    g.kernel[to] = w.kernel[i];
    g.stride[to] = w.stride[i];
    g.padding[to] = w.padding[i];
    g.dilation[to] = w.dilation[i];
    g.out[to] = g.shape[lead + i] =
        pooled_size(op, x, x[lead + i], w.kernel[i], w.stride[i], w.padding[i], w.dilation[i], w.ceil_mode);
    if (g.out[to] == 1) g.stride[to] = 1;  // nowhere to step to: a stride beyond the input says nothing
    if (g.kernel[to] == 1) g.dilation[to] = 1;
  }
  for (std::size_t d = 0; d < 3; ++d) {
    const std::int64_t span = g.dilation[d] * (g.kernel[d] - 1) + 1, room = g.in[d] + g.padding[d] - span;
    g.inner_begin[d] = std::min((g.padding[d] + g.stride[d] - 1) / g.stride[d], g.out[d]);
    g.inner_end[d] = std::max(g.inner_begin[d], room < 0 ? 0 : std::min(room / g.stride[d] + 1, g.out[d]));
  }
  return g;
}

/// A place for each row of a window, as the kernels want it.
std::vector<std::int64_t> scratch_of(const Geometry& g) {
  return std::vector<std::int64_t>(static_cast<std::size_t>(g.kernel[0] * g.kernel[1]));
}

/// body(begin, end, scratch) for all rows of outputs of all planes.
template <class Body>
void for_rows(const Geometry& g, Body body) {
  const std::int64_t rows = g.planes * g.rows(), each = g.out[2] * g.volume();
  if (rows * g.out[2] == 0) return;
  parallel_for(rows, std::max<std::int64_t>(kBlock / each, 1), [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::int64_t> scratch = scratch_of(g);
    body(begin, end, scratch.data());
  });
}

/// What the windows along one dimension count for in the mean's divisor.
std::vector<double> counts(const Geometry& g, std::size_t dim, const PoolDivisor& divisor) {
  std::vector<double> out(static_cast<std::size_t>(g.out[dim]));
  for (std::size_t o = 0; o < out.size(); ++o) {
    if (divisor.override_with) {
      out[o] = dim == 2 ? static_cast<double>(*divisor.override_with) : 1;
      continue;
    }
    const std::int64_t begin = static_cast<std::int64_t>(o) * g.stride[dim] - g.padding[dim],
                       end = begin + g.kernel[dim];
    out[o] =
        static_cast<double>(divisor.count_include_pad ? std::min(end, g.in[dim] + g.padding[dim]) - begin
                                                      : std::min(end, g.in[dim]) - std::max<std::int64_t>(begin, 0));
  }
  return out;
}

Geometry mean_geometry(const char* op, const Shape& x, const PoolWindows& windows, const PoolDivisor& divisor) {
  const Geometry g = geometry(op, x, windows);
  for (std::int64_t d : g.dilation) {
    if (d != 1) fail<ValueError>("{}: the dilation must be 1: {}", op, d);
  }
  if (divisor.override_with && *divisor.override_with == 0) fail<ValueError>("{}: the divisor must not be 0", op);
  return g;
}

}  // namespace

Shape pooled_shape(const char* op, const Shape& x, const PoolWindows& windows) {
  return geometry(op, x, windows).shape;
}

Array pool_positions(const char* op, const Shape& x, const PoolWindows& windows) {
  const Geometry g = geometry(op, x, windows);
  Array out = empty({g.outputs(), g.volume()}, kInt64);
  auto* to = out.data_ptr<std::int64_t>();
  Triple o{}, k{};
  for (o[0] = 0; o[0] < g.out[0]; ++o[0]) {
    for (o[1] = 0; o[1] < g.out[1]; ++o[1]) {
      for (o[2] = 0; o[2] < g.out[2]; ++o[2]) {
        for (k[0] = 0; k[0] < g.kernel[0]; ++k[0]) {
          for (k[1] = 0; k[1] < g.kernel[1]; ++k[1]) {
            for (k[2] = 0; k[2] < g.kernel[2]; ++k[2]) {
              std::int64_t position = 0;
              bool inside = true;
              for (std::size_t i = 0; i < 3; ++i) {
                const std::int64_t at = o[i] * g.stride[i] - g.padding[i] + k[i] * g.dilation[i];
                inside = inside && at >= 0 && at < g.in[i];
                position = position * g.in[i] + at;
              }
              *to++ = inside ? position : g.plane();
            }
          }
        }
      }
    }
  }
  return out;
}

Array pool_divisors(const char* op, const Shape& x, const PoolWindows& windows, const PoolDivisor& divisor) {
  const Geometry g = mean_geometry(op, x, windows, divisor);
  const auto d = counts(g, 0, divisor), h = counts(g, 1, divisor), w = counts(g, 2, divisor);
  Array out = empty({g.outputs()}, kFloat64);
  auto* to = out.data_ptr<double>();
  for (double i : d) {
    for (double j : h) {
      for (double k : w) *to++ = i * j * k;
    }
  }
  return out;
}

std::tuple<Array, Array> max_pool(const char* op, const Array& x, const PoolWindows& windows) {
  expect_floating(op, "input", x);
  const Geometry g = geometry(op, x.shape(), windows);
  if (g.plane() > std::numeric_limits<std::int32_t>::max()) {
    fail<ShapeError>("{}: a plane must have fewer than 2^31 elements: {}", op, x.shape());
  }
  const Array from = x.contiguous();
  Array y = empty(g.shape, x.dtype()), positions = empty(g.shape, kInt32);
  const kernels::MaxPool pool = kernels::max_pool_kernel(x.dtype(), g.stride[2]);
  auto* const where = positions.data_ptr<std::int32_t>();
  for_rows(g, [&](std::int64_t begin, std::int64_t end, std::int64_t* scratch) {
    pool(from.data(), g, begin, end, scratch, y.data(), where);
  });
  return {y, positions};
}

Array max_pool_backward(const Array& dy, const Array& positions, const Shape& x_shape, int pooled_dims) {
  const Array from = dy.contiguous(), where = positions.contiguous();
  if (from.shape() != where.shape() || where.dtype() != kInt32 || pooled_dims >= x_shape.size()) {
    fail<ShapeError>("max_pool_backward: gradient and int32 positions must have one shape: {} and {} ({})", dy.shape(),
                     positions.shape(), positions.dtype());
  }
  Array dx = empty(x_shape, dy.dtype());
  std::int64_t plane = 1, outputs = 1, planes = 1;
  for (int i = 0; i < x_shape.size(); ++i) {
    if (i < x_shape.size() - pooled_dims) {
      planes *= x_shape[i];
    } else {
      plane *= x_shape[i];
      outputs *= dy.shape()[i];
    }
  }
  const auto* const at = where.data_ptr<std::int32_t>();
  dispatch(dy.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_floating_point_v<T>) {
      const T* const above = from.data_ptr<T>();
      T* const to = dx.data_ptr<T>();
      // Windows that overlap add to one place: a plane belongs to one thread.
      parallel_for(planes, std::max<std::int64_t>(kBlock / std::max<std::int64_t>(plane, 1), 1),
                   [&](std::int64_t begin, std::int64_t end) {
                     for (std::int64_t p = begin; p < end; ++p) {
                       T* const t = to + p * plane;
                       std::fill_n(t, plane, T{0});
                       const T* const f = above + p * outputs;
                       const std::int32_t* const w = at + p * outputs;
                       for (std::int64_t o = 0; o < outputs; ++o) {
                         if (w[o] >= 0) t[w[o]] += f[o];
                       }
                     }
                   });
    } else {
      fail<DTypeError>("max_pool_backward: the gradient must be floating-point: {}", dy.dtype());
    }
  });
  return dx;
}

Array avg_pool(const char* op, const Array& x, const PoolWindows& windows, const PoolDivisor& divisor) {
  expect_floating(op, "input", x);
  const Geometry g = mean_geometry(op, x.shape(), windows, divisor);
  const Array from = x.contiguous(), divisors = pool_divisors(op, x.shape(), windows, divisor).to(x.dtype());
  Array y = empty(g.shape, x.dtype());
  const kernels::AvgPool pool = kernels::avg_pool_kernel(x.dtype(), g.stride[2]);
  for_rows(g, [&](std::int64_t begin, std::int64_t end, std::int64_t* scratch) {
    pool(from.data(), g, begin, end, scratch, divisors.data(), y.data());
  });
  return y;
}

Array avg_pool_backward(const char* op, const Array& dy, const Shape& x_shape, const PoolWindows& windows,
                        const PoolDivisor& divisor) {
  expect_floating(op, "the gradient", dy);
  const Geometry g = mean_geometry(op, x_shape, windows, divisor);
  if (dy.shape() != g.shape) {
    fail<ShapeError>("{}: the gradient must have the result's shape: {} for {}", op, dy.shape(), g.shape);
  }
  const Array from = dy.contiguous(), divisors = pool_divisors(op, x_shape, windows, divisor).to(dy.dtype());
  Array dx = empty(x_shape, dy.dtype());
  const kernels::AvgPoolBackward spread = kernels::avg_pool_backward_kernel(dy.dtype());
  const std::int64_t work = std::max<std::int64_t>(g.outputs() * g.volume() + g.plane(), 1);
  parallel_for(g.planes, std::max<std::int64_t>(kBlock / work, 1), [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::int64_t> scratch = scratch_of(g);
    const Array shares = empty({g.out[2]}, dy.dtype());
    spread(from.data(), g, begin, end, scratch.data(), divisors.data(), shares.data(), dx.data());
  });
  return dx;
}

}  // namespace gradus::core
