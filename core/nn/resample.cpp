#include "resample.h"

#include <algorithm>
#include <cmath>

#include "../array/create.h"
#include "../base/dispatch.h"
#include "../memory/pool.h"
#include "../simd/blend_rows.h"
#include "../threads/parallel.h"

namespace gradus::core {
namespace {

/// Elements that a task writes, about.
constexpr std::int64_t kBlock = 32768;

double scale_of(std::int64_t n, std::int64_t m, std::optional<double> scale, bool align_corners) {
  const auto in = static_cast<double>(n), out = static_cast<double>(m);
  if (align_corners) return m > 1 ? (in - 1) / (out - 1) : 0;
  return scale && *scale > 0 ? 1 / *scale : in / out;
}

// Lists taps output by output.
class Lister {
 public:
  // Sizes that cannot be had are refused before the lists grow: `each` taps for an output, at least.
  Lister(std::int64_t n, std::int64_t m, std::int64_t each) {
    check_request(checked_numel({m, each, sizeof(double) + sizeof(std::int64_t)}, "resample"));
    taps_.n = n;
    taps_.m = m;
    taps_.begin.reserve(static_cast<std::size_t>(m) + 1);
    taps_.begin.push_back(0);
  }
  void add(std::int64_t position, double weight) {
    taps_.positions.push_back(std::clamp<std::int64_t>(position, 0, taps_.n - 1));
    taps_.weights.push_back(weight);
  }
  void end() { taps_.begin.push_back(static_cast<std::int64_t>(taps_.positions.size())); }
  Taps take() { return std::move(taps_); }

 private:
  Taps taps_;
};

// The two pieces of the cubic convolution: at distances up to 1, and from 1 to 2.
double near_cubic(double x, double a) { return ((a + 2) * x - (a + 3)) * x * x + 1; }
double far_cubic(double x, double a) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; }

double triangle(double x) { return std::max(1 - std::abs(x), 0.0); }
double antialiasing_cubic(double x) {
  x = std::abs(x);
  return x < 1 ? near_cubic(x, -0.5) : x < 2 ? far_cubic(x, -0.5) : 0;
}

// One dimension of contiguous [lead, n, inner] at a time.
template <class T>
struct Axis {
  explicit Axis(const Taps& of) : taps(of), weights(of.weights.begin(), of.weights.end()) {}

  // y[o] = sum of weights x[positions]: the innermost dimension.
  void row(const T* x, T* y) const {
    const std::int64_t* const begin = taps.begin.data();
    const std::int64_t* const at = taps.positions.data();
    const T* const w = weights.data();
    const auto all = static_cast<std::int64_t>(weights.size());
    if (all == taps.m && even) {
      for (std::int64_t o = 0; o < taps.m; ++o) y[o] = w[o] * x[at[o]];
      return;
    }
    if (all == 2 * taps.m && even) {
      for (std::int64_t o = 0; o < taps.m; ++o) y[o] = w[2 * o] * x[at[2 * o]] + w[2 * o + 1] * x[at[2 * o + 1]];
      return;
    }
    for (std::int64_t o = 0; o < taps.m; ++o) {
      T sum = 0;
      for (std::int64_t t = begin[o]; t < begin[o + 1]; ++t) sum += w[t] * x[at[t]];
      y[o] = sum;
    }
  }
  // The first and last input that outputs [from, to) read.
  std::pair<std::int64_t, std::int64_t> reads(std::int64_t from, std::int64_t to) const {
    const auto first = taps.positions.begin() + taps.begin[static_cast<std::size_t>(from)],
               last = taps.positions.begin() + taps.begin[static_cast<std::size_t>(to)];
    if (first == last) return {0, 0};
    const auto [low, high] = std::minmax_element(first, last);
    return {*low, *high + 1};
  }

  const Taps& taps;
  std::vector<T> weights;
  bool even = [this] {  // as many taps for each output
    for (std::size_t o = 0; o <= static_cast<std::size_t>(taps.m); ++o)
      if (taps.begin[o] * taps.m != static_cast<std::int64_t>(o) * taps.begin.back()) return false;
    return true;
  }();
};

template <class T>
class Resampler {
 public:
  Resampler(const std::vector<Taps>& axes, DType dtype) : blend_(kernels::blend_rows_kernel(dtype)) {
    for (const Taps& each : axes) axes_.emplace_back(each);
    in_.assign(axes.size() + 1, 1);
    out_.assign(axes.size() + 1, 1);
    for (std::size_t i = axes.size(); i-- > 0;) {
      in_[i] = in_[i + 1] * axes[i].n;
      out_[i] = out_[i + 1] * axes[i].m;
    }
  }
  // Outputs [from, to) of the axes from `axis` on, of one plane. What the inner axes make is held in a buffer.
  void run(std::size_t axis, const T* x, T* y, std::int64_t from, std::int64_t to) const {
    const Axis<T>& a = axes_[axis];
    if (axis + 1 == axes_.size()) {
      a.row(x, y);
      return;
    }
    const auto [low, high] = a.reads(from, to);
    const std::int64_t inner = out_[axis + 1];
    std::vector<T> slabs(static_cast<std::size_t>((high - low) * inner));
    for (std::int64_t i = low; i < high; ++i) {
      run(axis + 1, x + i * in_[axis + 1], slabs.data() + (i - low) * inner, 0, axes_[axis + 1].taps.m);
    }
    std::vector<const T*> rows;
    for (std::int64_t o = from; o < to; ++o) {
      const auto first = a.taps.begin[static_cast<std::size_t>(o)],
                 last = a.taps.begin[static_cast<std::size_t>(o) + 1];
      rows.clear();
      for (std::int64_t t = first; t < last; ++t)
        rows.push_back(slabs.data() + (a.taps.positions[static_cast<std::size_t>(t)] - low) * inner);
      blend_(reinterpret_cast<const void* const*>(rows.data()), a.weights.data() + first, last - first, inner,
             y + (o - from) * inner);
    }
  }
  void planes(const T* x, T* y, std::int64_t count) const {
    const std::int64_t m = axes_[0].taps.m, inner = out_[1];
    // A block of outputs of the first axis is a task; a single axis is not cut.
    const std::int64_t block =
        axes_.size() == 1 ? m : std::clamp<std::int64_t>(kBlock / std::max<std::int64_t>(inner, 1), 1, m);
    const std::int64_t blocks = (m + block - 1) / block;
    const std::int64_t grain = std::max<std::int64_t>(kBlock / std::max<std::int64_t>(block * inner, 1), 1);
    parallel_for(count * blocks, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t plane = i / blocks, from = i % blocks * block, to = std::min(from + block, m);
        run(0, x + plane * in_[0], y + plane * out_[0] + from * inner, from, to);
      }
    });
  }

 private:
  std::vector<Axis<T>> axes_;
  std::vector<std::int64_t> in_, out_;  // elements of the axes from i on
  kernels::BlendRows blend_;
};

}  // namespace

Taps Taps::transposed() const {
  Taps t;
  t.n = m;
  t.m = n;
  t.begin.assign(static_cast<std::size_t>(n) + 1, 0);
  for (const std::int64_t p : positions) ++t.begin[static_cast<std::size_t>(p) + 1];
  for (std::size_t i = 1; i < t.begin.size(); ++i) t.begin[i] += t.begin[i - 1];
  t.positions.resize(positions.size());
  t.weights.resize(weights.size());
  std::vector<std::int64_t> next(t.begin.begin(), t.begin.end() - 1);
  for (std::int64_t o = 0; o < m; ++o) {
    for (auto i = static_cast<std::size_t>(begin[static_cast<std::size_t>(o)]);
         i < static_cast<std::size_t>(begin[static_cast<std::size_t>(o) + 1]); ++i) {
      const auto to = static_cast<std::size_t>(next[static_cast<std::size_t>(positions[i])]++);
      t.positions[to] = o;
      t.weights[to] = weights[i];
    }
  }
  return t;
}

Taps nearest_taps(std::int64_t n, std::int64_t m, std::optional<double> scale, bool exact) {
  Lister list(n, m, 1);
  const float step =
      scale && *scale > 0 ? static_cast<float>(1 / *scale) : static_cast<float>(n) / static_cast<float>(m);
  for (std::int64_t o = 0; o < m; ++o) {
    const float at = exact ? (static_cast<float>(o) + 0.5F) * step : static_cast<float>(o) * step;
    const auto position = !exact && n == m ? o
                          : !exact && m == 2 * n
                              ? o / 2
                              : static_cast<std::int64_t>(std::floor(std::min(at, static_cast<float>(n))));
    list.add(position, 1);
    list.end();
  }
  return list.take();
}

Taps linear_taps(std::int64_t n, std::int64_t m, std::optional<double> scale, bool align_corners) {
  Lister list(n, m, 2);
  const double step = scale_of(n, m, scale, align_corners);
  for (std::int64_t o = 0; o < m; ++o) {
    const auto i = static_cast<double>(o);
    const double at =
        std::min(align_corners ? step * i : std::max(step * (i + 0.5) - 0.5, 0.0), static_cast<double>(n - 1));
    const double low = std::floor(at);
    list.add(static_cast<std::int64_t>(low), 1 - (at - low));
    list.add(static_cast<std::int64_t>(low) + 1, at - low);
    list.end();
  }
  return list.take();
}

Taps cubic_taps(std::int64_t n, std::int64_t m, std::optional<double> scale, bool align_corners) {
  Lister list(n, m, 4);
  const double step = scale_of(n, m, scale, align_corners);
  for (std::int64_t o = 0; o < m; ++o) {
    const auto i = static_cast<double>(o);
    const double at = std::clamp(align_corners ? step * i : step * (i + 0.5) - 0.5, -2.0, static_cast<double>(n) + 2);
    const double low = std::floor(at), t = at - low;
    const double weights[] = {far_cubic(t + 1, -0.75), near_cubic(t, -0.75), near_cubic(1 - t, -0.75),
                              far_cubic(2 - t, -0.75)};
    for (int k = 0; k < 4; ++k) list.add(static_cast<std::int64_t>(low) + k - 1, weights[k]);
    list.end();
  }
  return list.take();
}

Taps antialiased_taps(std::int64_t n, std::int64_t m, std::optional<double> scale, bool align_corners, bool cubic) {
  Lister list(n, m, 1);
  const double step = scale_of(n, m, scale, align_corners), widened = std::max(step, 1.0);
  const double support = (cubic ? 2 : 1) * widened;
  for (std::int64_t o = 0; o < m; ++o) {
    const double centre = step * (static_cast<double>(o) + 0.5), far = static_cast<double>(n);
    const auto low = static_cast<std::int64_t>(std::clamp(centre - support + 0.5, 0.0, far - 1));
    const auto high = std::max(static_cast<std::int64_t>(std::clamp(centre + support + 0.5, 1.0, far)), low + 1);
    std::vector<double> weights;
    double sum = 0;
    for (std::int64_t p = low; p < high; ++p) {
      const double x = (static_cast<double>(p) - centre + 0.5) / widened;
      weights.push_back(cubic ? antialiasing_cubic(x) : triangle(x));
      sum += weights.back();
    }
    for (std::int64_t p = low; p < high; ++p) {
      const double w = weights[static_cast<std::size_t>(p - low)];
      list.add(p, sum != 0 ? w / sum : w);
    }
    list.end();
  }
  return list.take();
}

Array resample(const Array& x, const std::vector<Taps>& axes) {
  Shape shape = x.shape();
  const int lead = shape.size() - static_cast<int>(axes.size());
  std::int64_t planes = 1;
  for (int i = 0; i < lead; ++i) planes *= shape[i];
  for (std::size_t i = 0; i < axes.size(); ++i) shape[lead + static_cast<int>(i)] = axes[i].m;
  Array y = empty(shape, x.dtype());
  if (y.numel() == 0) return y;
  const Array from = x.contiguous();
  dispatch(computed(x.dtype()), [&]<class T>(TypeTag<T>) {
    if constexpr (std::is_floating_point_v<T>)
      Resampler<T>(axes, x.dtype()).planes(static_cast<const T*>(from.data()), static_cast<T*>(y.data()), planes);
    else
      fail_stored(x.dtype());
  });
  return y;
}

}  // namespace gradus::core
