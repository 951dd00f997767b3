#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/grid_sample.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cstdint>
#include <limits>

#include "grid_sample.h"
#include "rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

template <class T>
struct Sampler {
  using D = hn::ScalableTag<T>;
  using V = hn::Vec<D>;
  using M = hn::Mask<D>;
  using Index = typename GridBlock<T>::Index;
  using DI = hn::ScalableTag<Index>;
  static constexpr D d{};

  static HWY_INLINE V set(double value) { return hn::Set(d, static_cast<T>(value)); }

  // A place along a dimension, and how fast it moves with the grid's number.
  struct Place {
    V at, speed;
  };
  // `low` and `high`: twice the bounds.
  static HWY_INLINE Place reflected(Place p, double low, double high) {
    if (low == high) return {hn::Zero(d), hn::Zero(d)};
    const V min = set(low / 2), span = set((high - low) / 2), off = hn::Sub(p.at, min), far = hn::Abs(off);
    const V flips = hn::Floor(hn::Div(far, span)), extra = hn::NegMulAdd(flips, span, far);
    const M even = hn::Eq(hn::Mul(set(2), hn::Floor(hn::Mul(flips, set(0.5)))), flips);
    const V at = hn::Add(hn::IfThenElse(even, extra, hn::Sub(span, extra)), min);
    const M back = hn::Xor(hn::Lt(off, hn::Zero(d)), hn::Not(even));
    return {at, hn::IfThenElse(back, hn::Neg(p.speed), p.speed)};
  }
  static HWY_INLINE Place inside(Place p, std::int64_t n, const GridForm& form) {
    if (form.zeros) return p;
    const auto size = static_cast<double>(n);
    if (form.reflects) p = form.corners ? reflected(p, 0, 2 * (size - 1)) : reflected(p, -1, 2 * size - 1);
    const V zero = hn::Zero(d), last = set(size - 1);
    const M within = hn::And(hn::Gt(p.at, zero), hn::Lt(p.at, last));
    return {hn::IfThenElse(hn::Gt(p.at, zero), hn::Min(p.at, last), zero), hn::IfThenElseZero(within, p.speed)};
  }

  // The elements along one dimension: whole numbers, 0 with the weight 0 where they are outside.
  struct Along {
    V index[4], weight[4], slope[4];
  };
  static HWY_INLINE void add(Along& to, int k, V index, std::int64_t n, V weight, V slope) {
    const M in = hn::And(hn::Ge(index, hn::Zero(d)), hn::Le(index, set(static_cast<double>(n - 1))));
    to.index[k] = hn::IfThenElseZero(in, index);
    to.weight[k] = hn::IfThenElseZero(in, weight);
    to.slope[k] = hn::IfThenElseZero(in, slope);
  }
  static HWY_INLINE void read(V g, std::int64_t n, const GridForm& form, Along& to, M& lost) {
    const V one = set(1), half = set(0.5), zero = hn::Zero(d);
    const auto size = static_cast<double>(n);
    const V from_low = hn::Add(g, one);
    Place p = form.corners ? Place{hn::Mul(hn::Mul(from_low, half), set(size - 1)), set((size - 1) / 2)}
                           : Place{hn::Mul(hn::Sub(hn::Mul(from_low, set(size)), one), half), set(size / 2)};
    // At infinity what is there times what is left of 1 is no number, as in PyTorch, whose sum of a volume skips what is
    // outside, and which of the nearest takes that without a weight.
    const M odd = hn::Not(hn::IsFinite(p.at));
    lost = hn::Or(lost, form.along == 4 || (form.zeros && form.along == 2 && form.dims == 2) ? odd : hn::IsNaN(p.at));
    const V far = form.zeros ? set(-8) : hn::IfThenElse(hn::Gt(p.at, zero), set(size - 1), zero);
    p = {hn::IfThenElse(odd, far, p.at), hn::IfThenElse(odd, zero, p.speed)};
    if (form.along == 4) {
      const V low = hn::Floor(p.at), t = hn::Sub(p.at, low), u = hn::Sub(one, t);
      const auto near = [&](V x) HWY_ATTR {
        return hn::MulAdd(hn::Mul(hn::Sub(hn::Mul(set(1.25), x), set(2.25)), x), x, one);
      };
      const auto outer = [&](V x) HWY_ATTR {
        return hn::Sub(hn::Mul(hn::Sub(hn::Mul(hn::Sub(set(3.75), hn::Mul(set(0.75), x)), x), set(6)), x), set(-3));
      };
      const auto near_slope = [&](V x) HWY_ATTR { return hn::Mul(hn::Sub(hn::Mul(set(3.75), x), set(4.5)), x); };
      const auto outer_slope = [&](V x) HWY_ATTR {
        return hn::Sub(hn::Mul(hn::Sub(set(7.5), hn::Mul(set(2.25), x)), x), set(6));
      };
      const V t1 = hn::Add(t, one), u1 = hn::Add(u, one);
      const V weights[] = {outer(t1), near(t), near(u), outer(u1)};
      const V slopes[] = {outer_slope(t1), near_slope(t), hn::Neg(near_slope(u)), hn::Neg(outer_slope(u1))};
      for (int k = 0; k < 4; ++k) {
        const V at = inside({hn::Add(low, set(k - 1)), zero}, n, form).at;
        add(to, k, hn::Floor(at), n, weights[k], hn::Mul(slopes[k], p.speed));
      }
      return;
    }
    p = inside(p, n, form);
    if (form.along == 1) return add(to, 0, hn::Round(p.at), n, one, zero);
    const V low = hn::Floor(p.at), t = hn::Sub(p.at, low);
    add(to, 0, low, n, hn::Sub(one, t), hn::Neg(p.speed));
    add(to, 1, hn::Add(low, one), n, t, p.speed);
  }

  // A float has too few digits for the number of an element.
  static HWY_INLINE auto whole(V v) {
    if constexpr (sizeof(T) == 4)
      return hn::ConvertTo(DI(), v);
    else
      return v;
  }
  template <class W>
  static HWY_INLINE W below(W outer, std::int64_t n, W inner) {
    if constexpr (sizeof(T) == 4)
      return hn::Add(hn::Mul(outer, hn::Set(DI(), static_cast<Index>(n))), inner);
    else
      return hn::MulAdd(outer, set(static_cast<double>(n)), inner);
  }
  template <class W>
  static HWY_INLINE void store(W index, Index* to) {
    if constexpr (sizeof(T) == 4)
      hn::StoreU(index, DI(), to);
    else
      hn::StoreU(hn::ConvertTo(DI(), index), DI(), to);
  }

  static void plan(const GridForm& form, const T* grid, std::int64_t count, const GridBlock<T>& block) {
    T places[3][kGridBlock];  // of depth, height and width; the grid counts from the innermost
    for (int e = 0; e < form.dims; ++e) {
      T* const of = places[2 - e];
      for (std::int64_t p = 0; p < count; ++p) of[p] = grid[p * form.dims + e];
      for (std::int64_t p = count; p < kGridBlock; ++p) of[p] = 0;
    }
    const V nan = set(std::numeric_limits<double>::quiet_NaN());
    const int deep = form.dims == 3 ? form.along : 1;
    for (std::int64_t p = 0; p < count; p += static_cast<std::int64_t>(hn::Lanes(d))) {
      Along r[3];
      M lost = hn::Lt(hn::Zero(d), hn::Zero(d));
      add(r[0], 0, hn::Zero(d), 1, set(1), hn::Zero(d));
      for (int e = 3 - form.dims; e < 3; ++e) read(hn::LoadU(d, places[e] + p), form.in[e], form, r[e], lost);
      std::int64_t tap = 0;
      for (int i = 0; i < deep; ++i) {
        for (int j = 0; j < form.along; ++j) {
          const auto row = below(whole(r[0].index[i]), form.in[1], whole(r[1].index[j]));
          const V w = hn::Mul(r[0].weight[i], r[1].weight[j]);
          for (int k = 0; k < form.along; ++k, ++tap) {
            store(below(row, form.in[2], whole(r[2].index[k])), block.index + tap * kGridBlock + p);
            const V weight = hn::Mul(w, r[2].weight[k]);
            hn::StoreU(hn::IfThenElse(lost, nan, weight), d, block.weight + tap * kGridBlock + p);
            if (block.slope == nullptr) continue;
            const V slopes[] = {hn::Mul(w, r[2].slope[k]),
                                hn::Mul(hn::Mul(r[0].weight[i], r[1].slope[j]), r[2].weight[k]),
                                hn::Mul(hn::Mul(r[0].slope[i], r[1].weight[j]), r[2].weight[k])};
            for (int e = 0; e < form.dims; ++e) {
              hn::StoreU(hn::IfThenElse(lost, nan, slopes[e]), d,
                         block.slope + (e * form.taps() + tap) * kGridBlock + p);
            }
          }
        }
      }
    }
  }

  // What is outside has the weight 0, and may not be a number where it points to.
  static HWY_INLINE V weighed(V weight, V x, V sum) {
    return hn::MulAdd(weight, hn::IfThenElseZero(hn::Ne(weight, hn::Zero(d)), x), sum);
  }
  static HWY_INLINE V element(const GridBlock<T>& block, std::int64_t at, const T* plane) {
    return hn::GatherIndex(d, plane, hn::LoadU(DI(), block.index + at));
  }

  template <int taps>
  static HWY_INLINE void sample_of(const GridBlock<T>& block, const T* plane, std::int64_t count, T* to) {
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    const auto sum = [&](std::int64_t p) HWY_ATTR {
      V all = hn::Zero(d);
      for (int t = 0; t < taps; ++t) {
        const std::int64_t at = t * kGridBlock + p;
        all = weighed(hn::LoadU(d, block.weight + at), element(block, at, plane), all);
      }
      return all;
    };
    std::int64_t p = 0;
    for (; p + lanes <= count; p += lanes) hn::StoreU(sum(p), d, to + p);
    if (p < count) StoreFirst(sum(p), d, to + p, static_cast<std::size_t>(count - p));
  }
  static void sample(const GridForm& form, const GridBlock<T>& block, const T* plane, std::int64_t count, T* to) {
    switch (form.taps()) {
      case 1:
        return sample_of<1>(block, plane, count, to);
      case 4:
        return sample_of<4>(block, plane, count, to);
      case 8:
        return sample_of<8>(block, plane, count, to);
      default:
        return sample_of<16>(block, plane, count, to);
    }
  }

  static void slopes(const GridForm& form, const GridBlock<T>& block, const T* plane, const T* dy, std::int64_t count,
                     T* sums) {
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    const std::int64_t taps = form.taps();
    for (std::int64_t p = 0; p < count; p += lanes) {
      V all[3] = {hn::Zero(d), hn::Zero(d), hn::Zero(d)};
      for (std::int64_t t = 0; t < taps; ++t) {
        const std::int64_t at = t * kGridBlock + p;
        const V x = element(block, at, plane);
        for (int e = 0; e < form.dims; ++e)
          all[e] = weighed(hn::LoadU(d, block.slope + e * taps * kGridBlock + at), x, all[e]);
      }
      const V above =
          p + lanes <= count ? hn::LoadU(d, dy + p) : LoadFirst(d, dy + p, static_cast<std::size_t>(count - p));
      for (int e = 0; e < form.dims; ++e) {
        T* const sum = sums + e * kGridBlock + p;
        hn::StoreU(hn::MulAdd(above, all[e], hn::LoadU(d, sum)), d, sum);
      }
    }
  }

  static const GridKernels<T>& kernels() {
    static constexpr GridKernels<T> all{plan, sample, slopes};
    return all;
  }
};

const GridKernels<float>& FindFloat() { return Sampler<float>::kernels(); }
const GridKernels<double>& FindDouble() { return Sampler<double>::kernels(); }

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::core::kernels {

HWY_EXPORT(FindFloat);
HWY_EXPORT(FindDouble);
const GridKernels<float>& grid_kernels(float) { return HWY_DYNAMIC_DISPATCH(FindFloat)(); }
const GridKernels<double>& grid_kernels(double) { return HWY_DYNAMIC_DISPATCH(FindDouble)(); }

}  // namespace gradus::core::kernels
#endif
