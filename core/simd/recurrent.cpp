// The cells of recurrent layers, behind their matrix products.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/recurrent.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "math-inl.h"
#include "recurrent.h"
#include "rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

/// f(r, j, count) for all rows, and places in them by vectors.
template <class T, class F>
HWY_INLINE void ForEach(std::int64_t rows, std::int64_t units, F f) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(hn::ScalableTag<T>()));
  for (std::int64_t r = 0; r < rows; ++r) {
    std::int64_t j = 0;
    for (; j + lanes <= units; j += lanes) f(r, j, static_cast<std::size_t>(lanes));
    if (j < units) f(r, j, static_cast<std::size_t>(units - j));
  }
}

/// 0 where there is nothing to read.
template <class D, class T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> LoadIfAny(D d, const T* from, std::int64_t at, std::size_t count) {
  return from == nullptr ? hn::Zero(d) : LoadUpTo(d, from + at, count);
}

/// h = tanh(a) or max(a, 0), NaN being passed on.
template <class T, bool relu>
void SimpleStep(const CellStep<T>& s) {
  const hn::ScalableTag<T> d;
  ForEach<T>(s.rows, s.units, [&](std::int64_t r, std::int64_t j, std::size_t count) HWY_ATTR {
    const auto a = LoadUpTo(d, s.gates + r * s.gates_row + j, count);
    if constexpr (relu)
      StoreUpTo(hn::IfThenZeroElse(hn::Lt(a, hn::Zero(d)), a), d, s.h + r * s.h_row + j, count);
    else
      StoreUpTo(Tanh(d, a), d, s.h + r * s.h_row + j, count);
  });
}

template <class T, bool relu>
void SimpleGradient(const CellGradient<T>& s) {
  const hn::ScalableTag<T> d;
  ForEach<T>(s.rows, s.units, [&](std::int64_t r, std::int64_t j, std::size_t count) HWY_ATTR {
    const auto h = LoadUpTo(d, s.gates + r * s.gates_row + j, count);
    const auto dh =
        hn::Add(LoadIfAny(d, s.above, r * s.above_row + j, count), LoadUpTo(d, s.dh + r * s.dh_row + j, count));
    T* const to = s.dgates + r * s.dgates_row + j;
    if constexpr (relu)
      StoreUpTo(hn::IfThenZeroElse(hn::Le(h, hn::Zero(d)), dh), d, to, count);
    else
      StoreUpTo(hn::Mul(dh, hn::NegMulAdd(h, h, hn::Set(d, T{1}))), d, to, count);
  });
}

/// c = s(f) c' + s(i) tanh(g), h = s(o) tanh(c).
template <class T>
void LstmStep(const CellStep<T>& s) {
  const hn::ScalableTag<T> d;
  const std::int64_t H = s.units;
  ForEach<T>(s.rows, H, [&](std::int64_t r, std::int64_t j, std::size_t count) HWY_ATTR {
    T* const at = s.gates + r * s.gates_row + j;
    const auto i = Sigmoid(d, LoadUpTo(d, at, count)), f = Sigmoid(d, LoadUpTo(d, at + H, count));
    const auto g = Tanh(d, LoadUpTo(d, at + 2 * H, count)), o = Sigmoid(d, LoadUpTo(d, at + 3 * H, count));
    const auto c = hn::MulAdd(f, LoadIfAny(d, s.state, r * s.state_row + j, count), hn::Mul(i, g));
    StoreUpTo(i, d, at, count);
    StoreUpTo(f, d, at + H, count);
    StoreUpTo(g, d, at + 2 * H, count);
    StoreUpTo(o, d, at + 3 * H, count);
    StoreUpTo(c, d, s.c + r * s.c_row + j, count);
    StoreUpTo(hn::Mul(o, Tanh(d, c)), d, s.h + r * s.h_row + j, count);
  });
}

template <class T>
void LstmGradient(const CellGradient<T>& s) {
  const hn::ScalableTag<T> d;
  const std::int64_t H = s.units;
  ForEach<T>(s.rows, H, [&](std::int64_t r, std::int64_t j, std::size_t count) HWY_ATTR {
    const auto one = hn::Set(d, T{1});
    const T* const at = s.gates + r * s.gates_row + j;
    const auto i = LoadUpTo(d, at, count), f = LoadUpTo(d, at + H, count), g = LoadUpTo(d, at + 2 * H, count),
               o = LoadUpTo(d, at + 3 * H, count);
    const auto t = Tanh(d, LoadUpTo(d, s.c + r * s.c_row + j, count));
    const auto dh =
        hn::Add(LoadIfAny(d, s.above, r * s.above_row + j, count), LoadIfAny(d, s.dh, r * s.dh_row + j, count));
    T* const carried = s.dc + r * s.dc_row + j;
    const auto dc = hn::MulAdd(hn::Mul(dh, o), hn::NegMulAdd(t, t, one), LoadUpTo(d, carried, count));
    const auto before = LoadIfAny(d, s.state, r * s.state_row + j, count);
    T* const to = s.dgates + r * s.dgates_row + j;
    StoreUpTo(hn::Mul(hn::Mul(dc, g), hn::Mul(i, hn::Sub(one, i))), d, to, count);
    StoreUpTo(hn::Mul(hn::Mul(dc, before), hn::Mul(f, hn::Sub(one, f))), d, to + H, count);
    StoreUpTo(hn::Mul(hn::Mul(dc, i), hn::NegMulAdd(g, g, one)), d, to + 2 * H, count);
    StoreUpTo(hn::Mul(hn::Mul(dh, t), hn::Mul(o, hn::Sub(one, o))), d, to + 3 * H, count);
    StoreUpTo(hn::Mul(dc, f), d, carried, count);
  });
}

/// n = tanh(n + s(r) (m + bias)), h = n + s(z) (h' - n).
template <class T>
void GruStep(const CellStep<T>& s) {
  const hn::ScalableTag<T> d;
  const std::int64_t H = s.units;
  ForEach<T>(s.rows, H, [&](std::int64_t row, std::int64_t j, std::size_t count) HWY_ATTR {
    T* const at = s.gates + row * s.gates_row + j;
    const auto r = Sigmoid(d, LoadUpTo(d, at, count)), z = Sigmoid(d, LoadUpTo(d, at + H, count));
    const auto m = hn::Add(LoadUpTo(d, at + 2 * H, count), LoadIfAny(d, s.bias, j, count));
    const auto n = Tanh(d, hn::MulAdd(r, m, LoadUpTo(d, at + 3 * H, count)));
    const auto before = LoadIfAny(d, s.state, row * s.state_row + j, count);
    StoreUpTo(r, d, at, count);
    StoreUpTo(z, d, at + H, count);
    StoreUpTo(m, d, at + 2 * H, count);
    StoreUpTo(n, d, at + 3 * H, count);
    StoreUpTo(hn::MulAdd(z, hn::Sub(before, n), n), d, s.h + row * s.h_row + j, count);
  });
}

template <class T>
void GruGradient(const CellGradient<T>& s) {
  const hn::ScalableTag<T> d;
  const std::int64_t H = s.units;
  ForEach<T>(s.rows, H, [&](std::int64_t row, std::int64_t j, std::size_t count) HWY_ATTR {
    const auto one = hn::Set(d, T{1});
    const T* const at = s.gates + row * s.gates_row + j;
    const auto r = LoadUpTo(d, at, count), z = LoadUpTo(d, at + H, count), m = LoadUpTo(d, at + 2 * H, count),
               n = LoadUpTo(d, at + 3 * H, count);
    T* const carried = s.dh + row * s.dh_row + j;
    const auto dh = hn::Add(LoadIfAny(d, s.above, row * s.above_row + j, count), LoadUpTo(d, carried, count));
    const auto before = LoadIfAny(d, s.state, row * s.state_row + j, count);
    const auto rest = hn::Sub(one, z), dn = hn::Mul(hn::Mul(dh, rest), hn::NegMulAdd(n, n, one));
    T* const to = s.dgates + row * s.dgates_row + j;
    StoreUpTo(hn::Mul(hn::Mul(dn, m), hn::Mul(r, hn::Sub(one, r))), d, to, count);
    StoreUpTo(hn::Mul(hn::Mul(dh, hn::Sub(before, n)), hn::Mul(z, rest)), d, to + H, count);
    StoreUpTo(hn::Mul(dn, r), d, to + 2 * H, count);
    StoreUpTo(dn, d, to + 3 * H, count);
    StoreUpTo(hn::Mul(dh, z), d, carried, count);
  });
}

template <class T>
CellKernels<T> Find(RecurrentKind kind) {
  switch (kind) {
    case RecurrentKind::kTanh:
      return {SimpleStep<T, false>, SimpleGradient<T, false>};
    case RecurrentKind::kRelu:
      return {SimpleStep<T, true>, SimpleGradient<T, true>};
    case RecurrentKind::kLstm:
      return {LstmStep<T>, LstmGradient<T>};
    case RecurrentKind::kGru:
      break;
  }
  return {GruStep<T>, GruGradient<T>};
}
CellKernels<float> FindFloat(RecurrentKind kind) { return Find<float>(kind); }
CellKernels<double> FindDouble(RecurrentKind kind) { return Find<double>(kind); }

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::core::kernels {

HWY_EXPORT(FindFloat);
HWY_EXPORT(FindDouble);
CellKernels<float> cell_kernels(RecurrentKind kind, float) { return HWY_DYNAMIC_DISPATCH(FindFloat)(kind); }
CellKernels<double> cell_kernels(RecurrentKind kind, double) { return HWY_DYNAMIC_DISPATCH(FindDouble)(kind); }

}  // namespace gradus::core::kernels
#endif
