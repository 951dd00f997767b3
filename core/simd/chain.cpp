// Sums, products and quotients of a chain, and what is as simple, without a trip to memory between them.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/chain.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "chain.h"
#include "loops-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {
namespace {

/// So many vectors at a time that the choice of a step costs little beside it. By name: no compiler puts them into memory.
template <class V>
struct Eight {
  V v0, v1, v2, v3, v4, v5, v6, v7;
  template <class F>
  HWY_INLINE void each(F f) {
    f(v0, 0), f(v1, 1), f(v2, 2), f(v3, 3), f(v4, 4), f(v5, 5), f(v6, 6), f(v7, 7);
  }
};
template <class V>
struct One {
  V v0;
  template <class F>
  HWY_INLINE void each(F f) {
    f(v0, 0);
  }
};

/// Whole vectors, or the first few elements of one.
struct All {
  template <class D, class T>
  HWY_INLINE hn::Vec<D> load(D d, const T* from) const {
    return hn::LoadU(d, from);
  }
  template <class D, class T>
  HWY_INLINE void store(hn::Vec<D> v, D d, T* to) const {
    hn::StoreU(v, d, to);
  }
};
struct First {
  std::size_t n;
  template <class D, class T>
  HWY_INLINE hn::Vec<D> load(D d, const T* from) const {
    return LoadFirst(d, from, n);
  }
  template <class D, class T>
  HWY_INLINE void store(hn::Vec<D> v, D d, T* to) const {
    StoreFirst(v, d, to, n);
  }
};

template <class T, class Vectors, class Access, class Op>
HWY_INLINE void With(Vectors& a, const ChainStep& step, const T* b, Access access, Op op) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const std::size_t lanes = hn::Lanes(d);
  if (step.number) {
    const V number = hn::Set(d, *b);
    if (step.reversed) {
      a.each([&](V& v, std::size_t) HWY_ATTR { v = op(number, v); });
    } else {
      a.each([&](V& v, std::size_t) HWY_ATTR { v = op(v, number); });
    }
  } else if (step.reversed) {
    a.each([&](V& v, std::size_t k) HWY_ATTR { v = op(access.load(d, b + k * lanes), v); });
  } else {
    a.each([&](V& v, std::size_t k) HWY_ATTR { v = op(v, access.load(d, b + k * lanes)); });
  }
}

/// The steps over the vectors that begin at element i.
template <class T, template <class> class Vectors, class Access>
HWY_INLINE void Run(const ChainStep* steps, std::size_t count, char* const* at, std::size_t i, Access access) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const std::size_t lanes = hn::Lanes(d);
  Vectors<V> a;
  a.each([&](V& v, std::size_t) HWY_ATTR { v = hn::Zero(d); });
  for (const ChainStep* step = steps; step != steps + count; ++step) {
    T* const b = reinterpret_cast<T*>(at[step->slot]) + (step->number ? 0 : i);
    switch (step->op) {
      case ChainOp::Add:
        With<T>(a, *step, b, access, [](V x, V y) HWY_ATTR { return hn::Add(x, y); });
        break;
      case ChainOp::Sub:
        With<T>(a, *step, b, access, [](V x, V y) HWY_ATTR { return hn::Sub(x, y); });
        break;
      case ChainOp::Mul:
        With<T>(a, *step, b, access, [](V x, V y) HWY_ATTR { return hn::Mul(x, y); });
        break;
      case ChainOp::Div:
        With<T>(a, *step, b, access, [](V x, V y) HWY_ATTR { return hn::Div(x, y); });
        break;
      case ChainOp::TanhBackward: {
        const V one = hn::Set(d, T{1});
        With<T>(a, *step, b, access, [one](V dy, V y) HWY_ATTR { return hn::Mul(dy, hn::Sub(one, hn::Mul(y, y))); });
        break;
      }
      case ChainOp::Load:
        if (step->number) {
          a.each([&](V& v, std::size_t) HWY_ATTR { v = hn::Set(d, *b); });
        } else {
          a.each([&](V& v, std::size_t k) HWY_ATTR { v = access.load(d, b + k * lanes); });
        }
        break;
      case ChainOp::Store:
        a.each([&](V& v, std::size_t k) HWY_ATTR { access.store(v, d, b + k * lanes); });
        break;
      case ChainOp::Neg:
        a.each([&](V& v, std::size_t) HWY_ATTR { v = hn::Neg(v); });
        break;
      case ChainOp::Abs:
        a.each([&](V& v, std::size_t) HWY_ATTR { v = hn::Abs(v); });
        break;
      case ChainOp::Square:
        a.each([&](V& v, std::size_t) HWY_ATTR { v = hn::Mul(v, v); });
        break;
      case ChainOp::None:
        break;
    }
  }
}

template <class T>
void ChainOf(const ChainStep* steps, std::size_t count, char* const* at, std::size_t n) {
  const std::size_t lanes = hn::Lanes(hn::ScalableTag<T>());
  std::size_t i = 0;
  for (; i + 8 * lanes <= n; i += 8 * lanes) Run<T, Eight>(steps, count, at, i, All());
  for (; i + lanes <= n; i += lanes) Run<T, One>(steps, count, at, i, All());
  if constexpr (hn::MaxLanes(hn::ScalableTag<T>()) > 1) {
    if (i < n) Run<T, One>(steps, count, at, i, First{n - i});
  }
}

Chain FindChain(DType dtype) {
  return dtype == kFloat32 ? ChainOf<float> : dtype == kFloat64 ? ChainOf<double> : nullptr;
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::core::kernels {

HWY_EXPORT(FindChain);
Chain chain_of(DType dtype) { return HWY_DYNAMIC_DISPATCH(FindChain)(dtype); }

ChainOp chain_op(OperationKey name, int operands) {
  switch (name) {
    case "add"_key:
      return operands == 2 ? ChainOp::Add : ChainOp::None;
    case "sub"_key:
      return operands == 2 ? ChainOp::Sub : ChainOp::None;
    case "mul"_key:
      return operands == 2 ? ChainOp::Mul : ChainOp::None;
    case "div"_key:
      return operands == 2 ? ChainOp::Div : ChainOp::None;
    case "tanh_backward"_key:
      return operands == 2 ? ChainOp::TanhBackward : ChainOp::None;
    case "neg"_key:
      return ChainOp::Neg;
    case "abs"_key:
      return ChainOp::Abs;
    case "square"_key:
      return ChainOp::Square;
    default:
      return ChainOp::None;
  }
}

}  // namespace gradus::core::kernels
#endif
