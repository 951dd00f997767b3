#include "grid_sample.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

#include "../array/create.h"
#include "../base/dispatch.h"
#include "../base/fail.h"
#include "../threads/parallel.h"

namespace gradus::core {
namespace {

using Mode = GridSampling::Mode;
using Outside = GridSampling::Outside;

/// Multiplications of a task, about.
constexpr std::int64_t kBlock = 16384;

/// A place along a dimension of n elements, and how fast it moves with the grid's number.
template <class T>
struct Place {
  T at, speed;
};

template <class T>
Place<T> reflected(T at, T low, T high) {  // twice the bounds
  if (low == high) return {0, 0};
  const T min = low / 2, span = (high - low) / 2, off = at - min;
  const T sign = off < 0 ? T(-1) : T(1), far = std::abs(off), extra = std::fmod(far, span),
          flips = std::floor(far / span);
  return std::fmod(flips, T(2)) == 0 ? Place<T>{extra + min, sign} : Place<T>{span - extra + min, -sign};
}

/// Where a place outside of the input is taken to be.
template <class T>
Place<T> inside(Place<T> p, std::int64_t n, const GridSampling& how) {
  if (how.outside == Outside::Reflection) {
    const Place<T> r = how.align_corners ? reflected(p.at, T(0), static_cast<T>(2 * (n - 1)))
                                         : reflected(p.at, T(-1), static_cast<T>(2 * n - 1));
    p = {r.at, p.speed * r.speed};
  }
  if (how.outside != Outside::Zeros) {
    const auto last = static_cast<T>(n - 1);
    if (!(p.at > 0)) p = {0, 0};
    if (p.at >= last) p = {last, 0};
  }
  return p;
}

template <class T>
Place<T> unnormalized(T g, std::int64_t n, bool align_corners) {
  const auto size = static_cast<T>(n);
  return align_corners ? Place<T>{(g + 1) / 2 * (size - 1), (size - 1) / 2}
                       : Place<T>{((g + 1) * size - 1) / 2, size / 2};
}

/// The elements along one dimension that an output reads: index, or -1 outside; weight; the weight's slope.
template <class T>
struct Reads {
  int count = 0;
  bool lost = false;  // the place is no number, or gives none
  std::array<std::int64_t, 4> index{};
  std::array<T, 4> weight{}, slope{};
  void add(std::int64_t i, std::int64_t n, T w, T s) {
    index[static_cast<std::size_t>(count)] = i >= 0 && i < n ? i : -1;
    weight[static_cast<std::size_t>(count)] = w;
    slope[static_cast<std::size_t>(count++)] = s;
  }
};

template <class T>
std::int64_t whole(T value) {  // far outside stays outside
  return static_cast<std::int64_t>(std::clamp(value, T(-16), static_cast<T>(std::numeric_limits<std::int32_t>::max())));
}

template <class T>
Reads<T> reads(T g, std::int64_t n, bool planar, const GridSampling& how) {
  Reads<T> r;
  Place<T> p = unnormalized(g, n, how.align_corners);
  if (!std::isfinite(p.at)) {
    // At infinity what is there times what is left of 1 is no number, as in PyTorch, whose sum of a volume skips what is
    // outside, and which of the nearest takes that without a weight.
    const bool zeros = how.outside == Outside::Zeros;
    r.lost = std::isnan(p.at) || how.mode == Mode::Bicubic || (zeros && planar && how.mode == Mode::Bilinear);
    if (r.lost || zeros) {
      r.add(-1, n, 0, 0);
      return r;
    }
    p = {p.at > 0 ? static_cast<T>(n - 1) : T(0), 0};
  }
  if (how.mode == Mode::Bicubic) {
    const T low = std::floor(p.at), t = p.at - low, a = T(-0.75);
    const auto near = [a](T x) { return ((a + 2) * x - (a + 3)) * x * x + 1; };
    const auto far = [a](T x) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; };
    const auto near_slope = [a](T x) { return (3 * (a + 2) * x - 2 * (a + 3)) * x; };
    const auto far_slope = [a](T x) { return (3 * a * x - 10 * a) * x + 8 * a; };
    const T weights[] = {far(t + 1), near(t), near(1 - t), far(2 - t)};
    const T slopes[] = {far_slope(t + 1), near_slope(t), -near_slope(1 - t), -far_slope(2 - t)};
    for (int k = 0; k < 4; ++k) {
      const T at = inside(Place<T>{low + static_cast<T>(k - 1), 0}, n, how).at;
      r.add(whole(at), n, weights[k], slopes[k] * p.speed);
    }
    return r;
  }
  p = inside(p, n, how);
  if (how.mode == Mode::Nearest) {
    r.add(whole(std::nearbyint(p.at)), n, 1, 0);
    return r;
  }
  const T low = std::floor(p.at), t = p.at - low;
  r.add(whole(low), n, 1 - t, -p.speed);
  r.add(whole(low) + 1, n, t, p.speed);
  return r;
}

/// What each output of one example reads of a plane: `taps` elements each, those outside at 0 with the weight 0.
template <class T>
struct Plan {
  std::int64_t taps = 0;
  std::vector<std::int32_t> index;
  std::vector<T> weight;
  std::vector<T> slope;  // [output, D, tap]; of the gradient of the grid alone
};

struct Sizes {
  Sizes(const Shape& x, const Shape& grid) : dims(x.size() - 2), N(x[0]), C(x[1]) {
    if (grid.size() != x.size() || grid[0] != N || grid[dims + 1] != dims)
      fail<ShapeError>("grid_sample: the grid must be [N, .., {}] for an input {}: {}", dims, x, grid);
    for (int i = 0; i < dims; ++i) {
      in[static_cast<std::size_t>(3 - dims + i)] = x[i + 2];
      outputs *= grid[i + 1];
      plane *= x[i + 2];
    }
    if (plane > std::numeric_limits<std::int32_t>::max())
      fail<ShapeError>("grid_sample: a plane of the input must have fewer than 2^31 elements: {}", x);
  }
  int dims;
  std::int64_t N, C, outputs = 1, plane = 1;
  std::array<std::int64_t, 3> in{1, 1, 1};
};

template <class T>
Plan<T> plan_of(const T* grid, const Sizes& s, const GridSampling& how, bool slopes) {
  Plan<T> plan;
  const int each = how.mode == Mode::Bilinear ? 2 : how.mode == Mode::Nearest ? 1 : 4;
  plan.taps = s.dims == 2 ? each * each : each * each * each;
  const auto taps = static_cast<std::size_t>(plan.taps), dims = static_cast<std::size_t>(s.dims);
  plan.index.assign(static_cast<std::size_t>(s.outputs) * taps, 0);
  plan.weight.assign(plan.index.size(), 0);
  if (slopes) plan.slope.assign(plan.index.size() * dims, 0);
  parallel_for(
      s.outputs, std::max<std::int64_t>(kBlock / (8 * plan.taps), 1), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t p = begin; p < end; ++p) {
          // Of depth, height and width; the grid counts from the innermost.
          std::array<Reads<T>, 3> r;
          r[0].add(0, 1, 1, 0);
          bool lost = false;
          for (int d = 0; d < s.dims; ++d) {
            const auto to = static_cast<std::size_t>(2 - d);
            r[to] = reads(grid[p * s.dims + d], s.in[to], s.dims == 2, how);
            lost = lost || r[to].lost;
          }
          if (lost) {  // an element with a weight that is no number: a grid gone wrong must be seen
            constexpr T nan = std::numeric_limits<T>::quiet_NaN();
            for (std::size_t d = 0; d < 3; ++d) r[d] = {1, true, {0}, {nan}, {nan}};
          }
          std::size_t at = static_cast<std::size_t>(p) * taps, tap = 0;
          for (int i = 0; i < r[0].count; ++i) {
            for (int j = 0; j < r[1].count; ++j) {
              for (int k = 0; k < r[2].count; ++k, ++at, ++tap) {
                const auto a = static_cast<std::size_t>(i), b = static_cast<std::size_t>(j),
                           c = static_cast<std::size_t>(k);
                if (r[0].index[a] < 0 || r[1].index[b] < 0 || r[2].index[c] < 0) continue;
                plan.index[at] =
                    static_cast<std::int32_t>((r[0].index[a] * s.in[1] + r[1].index[b]) * s.in[2] + r[2].index[c]);
                const T wd = r[0].weight[a], wh = r[1].weight[b], ww = r[2].weight[c];
                plan.weight[at] = wd * wh * ww;
                if (!slopes) continue;
                const T of[] = {wd * wh * r[2].slope[c], wd * r[1].slope[b] * ww, r[0].slope[a] * wh * ww};
                for (std::size_t d = 0; d < dims; ++d)
                  plan.slope[(static_cast<std::size_t>(p) * dims + d) * taps + tap] = of[d];
              }
            }
          }
        }
      });
  return plan;
}

// body(example, its plan): one after the other, each cut among threads.
template <class T, class Body>
void each_example(const T* grid, const Sizes& s, const GridSampling& how, bool slopes, const Body& body) {
  for (std::int64_t n = 0; n < s.N; ++n) body(n, plan_of(grid + n * s.outputs * s.dims, s, how, slopes));
}

/// body(the number of taps, as a constant): what is unrolled.
template <class Body>
void for_taps(std::int64_t taps, const Body& body) {
  switch (taps) {
    case 1:
      return body(std::integral_constant<int, 1>());
    case 4:
      return body(std::integral_constant<int, 4>());
    case 8:
      return body(std::integral_constant<int, 8>());
    default:
      return body(std::integral_constant<int, 16>());
  }
}
/// What is outside has the weight 0, and may not be a number where it points to.
template <int taps, class T>
T sum(const T* w, const T* from, const std::int32_t* at) {
  T all = 0;
  for (int t = 0; t < taps; ++t) {
    const T x = from[at[t]];
    all += w[t] * (w[t] != 0 ? x : T(0));
  }
  return all;
}

template <class Body>
void as_float(DType dtype, const Body& body) {
  dispatch(computed(dtype), [&]<class T>(TypeTag<T> tag) {
    if constexpr (std::is_floating_point_v<T>)
      body(tag);
    else
      fail_stored(dtype);
  });
}
template <class T>
const T* numbers(const Array& a) {
  return static_cast<const T*>(a.data());
}

}  // namespace

Array grid_sample(const Array& input, const Array& where, const GridSampling& how) {
  const Sizes s(input.shape(), where.shape());
  Shape shape = input.shape();
  for (int i = 0; i < s.dims; ++i) shape[i + 2] = where.shape()[i + 1];
  const Array x = input.contiguous(), grid = where.contiguous();
  Array y = empty(shape, x.dtype());
  if (y.numel() == 0) return y;
  as_float(x.dtype(), [&]<class T>(TypeTag<T>) {
    T* const out = static_cast<T*>(y.data());
    each_example(numbers<T>(grid), s, how, false, [&](std::int64_t n, const Plan<T>& plan) {
      parallel_for(s.C, std::max<std::int64_t>(kBlock / (s.outputs * plan.taps), 1),
                   [&](std::int64_t begin, std::int64_t end) {
                     for (std::int64_t c = n * s.C + begin; c < n * s.C + end; ++c) {
                       const T* const from = numbers<T>(x) + c * s.plane;
                       T* const to = out + c * s.outputs;
                       const std::int32_t* at = plan.index.data();
                       const T* w = plan.weight.data();
                       for_taps(plan.taps, [&](auto taps) {
                         for (std::int64_t p = 0; p < s.outputs; ++p, at += taps(), w += taps())
                           to[p] = sum<taps()>(w, from, at);
                       });
                     }
                   });
    });
  });
  return y;
}

Array grid_sample_backward_input(const Array& of_y, const Array& where, const Shape& x_shape, const GridSampling& how) {
  const Sizes s(x_shape, where.shape());
  const Array dy = of_y.contiguous(), grid = where.contiguous();
  Array dx = zeros(x_shape, dy.dtype());
  if (dx.numel() == 0 || dy.numel() == 0) return dx;
  as_float(dy.dtype(), [&]<class T>(TypeTag<T>) {
    T* const out = static_cast<T*>(dx.data());
    each_example(numbers<T>(grid), s, how, false, [&](std::int64_t n, const Plan<T>& plan) {
      // A plane is one thread's: several outputs may read one element.
      parallel_for(s.C, std::max<std::int64_t>(kBlock / (s.outputs * plan.taps), 1),
                   [&](std::int64_t begin, std::int64_t end) {
                     for (std::int64_t c = n * s.C + begin; c < n * s.C + end; ++c) {
                       const T* const from = numbers<T>(dy) + c * s.outputs;
                       T* const to = out + c * s.plane;
                       const std::int32_t* at = plan.index.data();
                       const T* w = plan.weight.data();
                       for (std::int64_t p = 0; p < s.outputs; ++p, at += plan.taps, w += plan.taps) {
                         for (std::int64_t t = 0; t < plan.taps; ++t)
                           if (w[t] < 0 || w[t] > 0) to[at[t]] += w[t] * from[p];  // no element is at NaN's place
                       }
                     }
                   });
    });
  });
  return dx;
}

Array grid_sample_backward_grid(const Array& of_y, const Array& input, const Array& where, const GridSampling& how) {
  const Sizes s(input.shape(), where.shape());
  const Array dy = of_y.contiguous(), x = input.contiguous(), grid = where.contiguous();
  Array result = zeros(where.shape(), dy.dtype());
  if (result.numel() == 0 || dy.numel() == 0) return result;
  as_float(dy.dtype(), [&]<class T>(TypeTag<T>) {
    T* const out = static_cast<T*>(result.data());
    each_example(numbers<T>(grid), s, how, true, [&](std::int64_t n, const Plan<T>& plan) {
      const std::int64_t grain = std::max<std::int64_t>(kBlock / (s.C * s.dims * plan.taps), 1);
      parallel_for(s.outputs, grain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t c = n * s.C; c < (n + 1) * s.C; ++c) {
          const T* const from = numbers<T>(x) + c * s.plane;
          const T* const above = numbers<T>(dy) + c * s.outputs;
          for (std::int64_t p = begin; p < end; ++p) {
            const std::int32_t* const at = plan.index.data() + p * plan.taps;
            for (int d = 0; d < s.dims; ++d) {
              const T* const slope = plan.slope.data() + (p * s.dims + d) * plan.taps;
              for_taps(plan.taps, [&](auto taps) {
                out[(n * s.outputs + p) * s.dims + d] += above[p] * sum<taps()>(slope, from, at);
              });
            }
          }
        }
      });
    });
  });
  return result;
}

}  // namespace gradus::core
