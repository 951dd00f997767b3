// Numbers one by one: functions of the C library, powers, whole quotients and remainders.
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "elementwise.h"
#include "modulo.h"
#include "pointwise.h"

namespace gradus::core::kernels {
namespace {

template <class T, class F>
inline void map2(F f, void* out, const void* const* in, std::size_t n) {
  T* y = static_cast<T*>(out);
  const T *a = static_cast<const T*>(in[0]), *b = static_cast<const T*>(in[1]);
  for (std::size_t i = 0; i < n; ++i) y[i] = f(a[i], b[i]);
}
template <class T, T (*f)(T, T)>
void kernel2(void* out, const void* const* in, std::size_t n, const void*) {
  map2<T>([](T a, T b) { return f(a, b); }, out, in, n);
}

template <class T>
T power(T base, T exponent) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::pow(base, exponent);
  } else {
    // As PyTorch's: of a negative exponent only the powers of 1 and -1 are integers, the rest are 0.
    if constexpr (std::is_signed_v<T>) {
      if (exponent < 0) return base == 1 ? T{1} : base == -1 ? static_cast<T>(exponent % 2 ? -1 : 1) : T{0};
    }
    std::uint64_t result = 1, square = static_cast<std::uint64_t>(base);
    for (auto left = static_cast<std::uint64_t>(exponent); left != 0; left >>= 1, square *= square) {
      if (left & 1) result *= square;
    }
    return static_cast<T>(result);
  }
}

template <class T>
Kernel binary_of(OperationKey op) {
  switch (op) {
    case "pow"_key:
      return kernel2<T, power<T>>;
    case "fmod"_key:
      return kernel2<T, fmod_of<T>>;
    case "remainder"_key:
      return kernel2<T, remainder_of<T>>;
    case "floor_divide"_key:
      return kernel2<T, floor_divide_of<T>>;
    case "fmod_quotient"_key:
      return kernel2<T, fmod_quotient_of<T>>;
    case "remainder_quotient"_key:
      return kernel2<T, remainder_quotient_of<T>>;
    case "trunc_divide"_key:
      return kernel2<T, trunc_divide_of<T>>;
    default:
      return nullptr;
  }
}

template <class T>
void call(void* out, const void* const* in, std::size_t n, const void* param) {
  T (*const f)(T) = *static_cast<T (*const*)(T)>(param);
  T* y = static_cast<T*>(out);
  const T* x = static_cast<const T*>(in[0]);
  for (std::size_t i = 0; i < n; ++i) y[i] = f(x[i]);
}
template <class T>
void call2(void* out, const void* const* in, std::size_t n, const void* param) {
  map2<T>(*static_cast<T (*const*)(T, T)>(param), out, in, n);
}

}  // namespace

void call_float32(void* out, const void* const* in, std::size_t n, const void* f) { call<float>(out, in, n, f); }
void call_float64(void* out, const void* const* in, std::size_t n, const void* f) { call<double>(out, in, n, f); }
void call2_float32(void* out, const void* const* in, std::size_t n, const void* f) { call2<float>(out, in, n, f); }
void call2_float64(void* out, const void* const* in, std::size_t n, const void* f) { call2<double>(out, in, n, f); }

Kernel special_binary(OperationKey op, DType dtype) {
  if (op == "pow"_key && dtype == kFloat32) return float32_pow_kernel();
  if (const Kernel modulo = modulo_kernel(op, dtype)) return modulo;
  switch (dtype) {
    case kUInt8:
      return binary_of<std::uint8_t>(op);
    case kInt32:
      return binary_of<std::int32_t>(op);
    case kInt64:
      return binary_of<std::int64_t>(op);
    case kFloat32:
      return binary_of<float>(op);
    case kFloat64:
      return binary_of<double>(op);
    default:
      return nullptr;
  }
}

}  // namespace gradus::core::kernels
