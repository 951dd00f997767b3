// Operations on bits. Their results are exact, so plain loops are left to the compiler, once for each instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/bitwise.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <type_traits>

#include "../base/dispatch.h"
#include "bitwise.h"
#include "loops-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

// A count that is negative or the dtype's width or more moves every bit out.
template <class T>
HWY_INLINE bool MovesAll(T count) {
  return static_cast<std::make_unsigned_t<T>>(count) >= 8 * sizeof(T);
}

enum class Bitwise : std::uint8_t { And, Or, Xor, LeftShift, RightShift };

template <Bitwise op, class T>
void Binary(void* out, const void* const* in, std::size_t n, const void*) {
  T* const y = static_cast<T*>(out);
  const T *const a = static_cast<const T*>(in[0]), *const b = static_cast<const T*>(in[1]);
  GRADUS_INDEPENDENT
  for (std::size_t i = 0; i < n; ++i) {
    if constexpr (op == Bitwise::And) {
      y[i] = static_cast<T>(a[i] & b[i]);
    } else if constexpr (op == Bitwise::Or) {
      y[i] = static_cast<T>(a[i] | b[i]);
    } else if constexpr (op == Bitwise::Xor) {
      y[i] = static_cast<T>(a[i] ^ b[i]);
    } else if constexpr (op == Bitwise::LeftShift) {
      y[i] = MovesAll(b[i]) ? T{0} : static_cast<T>(static_cast<std::make_unsigned_t<T>>(a[i]) << b[i]);
    } else {
      y[i] = MovesAll(b[i]) ? static_cast<T>(a[i] < T{0} ? -1 : 0) : static_cast<T>(a[i] >> b[i]);
    }
  }
}

template <Bitwise op>
Kernel Of(DType dtype) {
  return dtype == kInt32   ? Binary<op, std::int32_t>
         : dtype == kInt64 ? Binary<op, std::int64_t>
                           : Binary<op, std::uint8_t>;
}

Kernel FindBitwise(OperationKey op, DType dtype) {
  switch (op) {
    case "bitwise_and"_key:
      return Of<Bitwise::And>(dtype);
    case "bitwise_or"_key:
      return Of<Bitwise::Or>(dtype);
    case "bitwise_xor"_key:
      return Of<Bitwise::Xor>(dtype);
    case "bitwise_left_shift"_key:
      return Of<Bitwise::LeftShift>(dtype);
    default:
      return Of<Bitwise::RightShift>(dtype);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::core::kernels {

HWY_EXPORT(FindBitwise);

Kernel bitwise_kernel(OperationKey op, DType dtype) { return HWY_DYNAMIC_DISPATCH(FindBitwise)(op, computed(dtype)); }

}  // namespace gradus::core::kernels
#endif
