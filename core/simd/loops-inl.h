// Loops over contiguous operands, one copy for each instruction set (Highway's foreach_target). What an operation does
// is a type Op with two forms: op(d, vectors...) on vectors of floating-point numbers, op(values...) on integers.
#if defined(GRADUS_CORE_KERNELS_LOOPS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GRADUS_CORE_KERNELS_LOOPS_INL_H_
#undef GRADUS_CORE_KERNELS_LOOPS_INL_H_
#else
#define GRADUS_CORE_KERNELS_LOOPS_INL_H_
#endif

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include <hwy/highway.h>

// An operand may be the result itself, never shifted against it: each element depends on those at its own place only.
#undef GRADUS_INDEPENDENT
#if defined(__clang__)
#define GRADUS_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define GRADUS_INDEPENDENT _Pragma("GCC ivdep")
#endif

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Beware: Highway 1.0.3 compares Ne(NaN, NaN) as false on AVX2 and AVX-512. Ask with IsNaN.

template <class T>
inline constexpr std::size_t kMaxLanes = HWY_MAX_BYTES / sizeof(T);

// Whether a load or store under a mask leaves alone what is masked out, of lanes of 4 bytes and more. (Highway's macro is
// about 8-bit lanes, too.)
inline constexpr bool kMasks = HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL;

/// The first n lanes from memory, the rest 0, so that a tail runs through the same arithmetic as the body.
template <class D, class T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> LoadFirst(D d, const T* from, std::size_t n) {
  if constexpr (kMasks && sizeof(T) >= 4) {
    return hn::MaskedLoad(hn::FirstN(d, n), d, from);
  } else {
    HWY_ALIGN T buffer[kMaxLanes<T>] = {};
    for (std::size_t i = 0; i < n; ++i) buffer[i] = from[i];
    return hn::Load(d, buffer);
  }
}

/// Stores the first n lanes and touches nothing behind them.
template <class D, class T = hn::TFromD<D>>
HWY_INLINE void StoreFirst(hn::Vec<D> v, D d, T* to, std::size_t n) {
  if constexpr (kMasks && sizeof(T) >= 4) {
    hn::BlendedStore(v, hn::FirstN(d, n), d, to);
  } else {
    HWY_ALIGN T buffer[kMaxLanes<T>];
    hn::Store(v, d, buffer);
    for (std::size_t i = 0; i < n; ++i) to[i] = buffer[i];
  }
}

// Two vectors at a time, both loaded before either is stored: where a store stands between all loads, some processors
// (Zen 3) take 1.5 times as long for operands at certain distances.
template <class T, class Op>
HWY_INLINE void Map(Op op, T* out, const T* a, std::size_t n) {
  if constexpr (std::is_floating_point_v<T>) {
    const hn::ScalableTag<T> d;
    const std::size_t lanes = hn::Lanes(d);
    std::size_t i = 0;
    for (; i + 2 * lanes <= n; i += 2 * lanes) {
      const auto x0 = hn::LoadU(d, a + i), x1 = hn::LoadU(d, a + i + lanes);
      const auto y0 = op(d, x0), y1 = op(d, x1);
      hn::StoreU(y0, d, out + i);
      hn::StoreU(y1, d, out + i + lanes);
    }
    for (; i + lanes <= n; i += lanes) hn::StoreU(op(d, hn::LoadU(d, a + i)), d, out + i);
    if (i < n) StoreFirst(op(d, LoadFirst(d, a + i, n - i)), d, out + i, n - i);
  } else {
    GRADUS_INDEPENDENT
    for (std::size_t i = 0; i < n; ++i) out[i] = op(a[i]);
  }
}

template <class T, class Op>
HWY_INLINE void Map(Op op, T* out, const T* a, const T* b, std::size_t n) {
  if constexpr (std::is_floating_point_v<T>) {
    const hn::ScalableTag<T> d;
    const std::size_t lanes = hn::Lanes(d);
    std::size_t i = 0;
    for (; i + 2 * lanes <= n; i += 2 * lanes) {
      const auto a0 = hn::LoadU(d, a + i), a1 = hn::LoadU(d, a + i + lanes);
      const auto b0 = hn::LoadU(d, b + i), b1 = hn::LoadU(d, b + i + lanes);
      const auto y0 = op(d, a0, b0), y1 = op(d, a1, b1);
      hn::StoreU(y0, d, out + i);
      hn::StoreU(y1, d, out + i + lanes);
    }
    for (; i + lanes <= n; i += lanes) {
      hn::StoreU(op(d, hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, out + i);
    }
    if (i < n) StoreFirst(op(d, LoadFirst(d, a + i, n - i), LoadFirst(d, b + i, n - i)), d, out + i, n - i);
  } else {
    GRADUS_INDEPENDENT
    for (std::size_t i = 0; i < n; ++i) out[i] = op(a[i], b[i]);
  }
}

/// A binary operation one of whose operands, the left or the right one, is a number.
template <class Op, class T, int which>
struct WithNumber {
  T number;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V other = hn::Set(d, number);
    return which == 0 ? Op()(d, other, x) : Op()(d, x, other);
  }
};

/// As type-erased kernels: what the tables hold.
template <class Op, class T, int which>
void NumberKernel(void* out, const void* const* in, std::size_t n, const void*) {
  Map(WithNumber<Op, T, which>{*static_cast<const T*>(in[which])}, static_cast<T*>(out),
      static_cast<const T*>(in[1 - which]), n);
}
template <class Op, class T>
void UnaryKernel(void* out, const void* const* in, std::size_t n, const void*) {
  Map(Op(), static_cast<T*>(out), static_cast<const T*>(in[0]), n);
}
template <class Op, class T>
void BinaryKernel(void* out, const void* const* in, std::size_t n, const void*) {
  Map(Op(), static_cast<T*>(out), static_cast<const T*>(in[0]), static_cast<const T*>(in[1]), n);
}

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#endif  // toggle
