// Comparisons, logic and choice. Their results are exact, so plain loops are left to the compiler, once for each
// instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/predicate.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <functional>

#include "loops-inl.h"
#include "pointwise.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

// On the numbers' truth; bitwise, so that nothing branches.
struct And {
  HWY_INLINE bool operator()(auto a, auto b) const { return (a != decltype(a){0}) & (b != decltype(b){0}); }
};
struct Or {
  HWY_INLINE bool operator()(auto a, auto b) const { return (a != decltype(a){0}) | (b != decltype(b){0}); }
};
struct Xor {
  HWY_INLINE bool operator()(auto a, auto b) const { return (a != decltype(a){0}) ^ (b != decltype(b){0}); }
};

struct Not {
  HWY_INLINE bool operator()(auto x) const { return x == decltype(x){0}; }
};
struct IsNan {
  HWY_INLINE bool operator()(auto x) const { return x != x; }
};
struct IsFinite {
  HWY_INLINE bool operator()(auto x) const { return x - x == decltype(x){0}; }
};
struct IsInf {
  HWY_INLINE bool operator()(auto x) const { return (x == x) & (x - x != decltype(x){0}); }
};

template <class Op, class T>
void Predicate(void* out, const void* const* in, std::size_t n, const void*) {
  bool* y = static_cast<bool*>(out);
  const T* x = static_cast<const T*>(in[0]);
  GRADUS_INDEPENDENT
  for (std::size_t i = 0; i < n; ++i) y[i] = Op()(x[i]);
}

template <class Op, class T>
void Comparison(void* out, const void* const* in, std::size_t n, const void*) {
  bool* y = static_cast<bool*>(out);
  const T *a = static_cast<const T*>(in[0]), *b = static_cast<const T*>(in[1]);
  GRADUS_INDEPENDENT
  for (std::size_t i = 0; i < n; ++i) y[i] = Op()(a[i], b[i]);
}

/// Numbers are only moved, so their width is all that matters.
template <class T>
void Where(void* out, const void* const* in, std::size_t n, const void*) {
  T* y = static_cast<T*>(out);
  const unsigned char* condition = static_cast<const unsigned char*>(in[0]);
  const T *a = static_cast<const T*>(in[1]), *b = static_cast<const T*>(in[2]);
  GRADUS_INDEPENDENT
  for (std::size_t i = 0; i < n; ++i) {
    const T mask = static_cast<T>(T{0} - condition[i]);
    y[i] = static_cast<T>((a[i] & mask) | (b[i] & ~mask));
  }
}

template <class Op>
Kernel Compare(DType dtype) {
  constexpr Kernel table[kDTypeCount] = {Comparison<Op, bool>,         Comparison<Op, std::uint8_t>,
                                         Comparison<Op, std::int32_t>, Comparison<Op, std::int64_t>,
                                         Comparison<Op, float>,        Comparison<Op, double>};
  return table[static_cast<int>(dtype)];
}

Kernel FindComparison(OperationKey op, DType dtype) {
  switch (op) {
    case "eq"_key:
      return Compare<std::equal_to<>>(dtype);
    case "ne"_key:
      return Compare<std::not_equal_to<>>(dtype);
    case "lt"_key:
      return Compare<std::less<>>(dtype);
    case "le"_key:
      return Compare<std::less_equal<>>(dtype);
    case "gt"_key:
      return Compare<std::greater<>>(dtype);
    case "ge"_key:
      return Compare<std::greater_equal<>>(dtype);
    case "logical_and"_key:
      return Compare<And>(dtype);
    case "logical_or"_key:
      return Compare<Or>(dtype);
    case "logical_xor"_key:
      return Compare<Xor>(dtype);
    default:
      return nullptr;
  }
}

template <class Op>
Kernel OfFloats(DType dtype) {
  return dtype == kFloat32 ? Predicate<Op, float> : dtype == kFloat64 ? Predicate<Op, double> : nullptr;
}

/// Integers never get here, and of bool only what is to be negated: they are computed on as float32, which keeps what is asked about them.
Kernel FindPredicate(OperationKey op, DType dtype) {
  switch (op) {
    case "logical_not"_key:
      return dtype == kBool ? Predicate<Not, std::uint8_t> : OfFloats<Not>(dtype);
    case "isnan"_key:
      return OfFloats<IsNan>(dtype);
    case "isinf"_key:
      return OfFloats<IsInf>(dtype);
    case "isfinite"_key:
      return OfFloats<IsFinite>(dtype);
    default:
      return nullptr;
  }
}

Kernel FindWhere(DType dtype) {
  const std::int64_t size = size_of(dtype);
  return size == 1 ? Where<std::uint8_t> : size == 4 ? Where<std::uint32_t> : Where<std::uint64_t>;
}

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::core::kernels {

HWY_EXPORT(FindComparison);
HWY_EXPORT(FindPredicate);
HWY_EXPORT(FindWhere);

Kernel predicate_unary(OperationKey op, DType dtype) { return HWY_DYNAMIC_DISPATCH(FindPredicate)(op, dtype); }
Kernel predicate_binary(OperationKey op, DType dtype) { return HWY_DYNAMIC_DISPATCH(FindComparison)(op, dtype); }
Kernel where_kernel(DType dtype) { return HWY_DYNAMIC_DISPATCH(FindWhere)(dtype); }

}  // namespace gradus::core::kernels
#endif
