// Functions of what two numbers are made of, number by number: divisors and multiples of integers, neighbours of
// floating-point numbers.
#include "elementwise.h"

#include <cmath>
#include <limits>
#include <numeric>
#include <type_traits>

#include "../base/expect.h"
#include "../base/fail.h"
#include "pointwise_call.h"

namespace gradus::core {
namespace {

template <class T>
using Unsigned = std::make_unsigned_t<T>;

/// |x|, which every unsigned type holds.
template <class T>
Unsigned<T> magnitude(T x) noexcept {
  const auto bits = static_cast<Unsigned<T>>(x);
  return x < 0 ? static_cast<Unsigned<T>>(0 - bits) : bits;
}
template <class T>
T gcd_of(T a, T b) noexcept {
  return static_cast<T>(std::gcd(magnitude(a), magnitude(b)));
}
/// Above 0; what T does not hold wraps around first.
template <class T>
T lcm_of(T a, T b) noexcept {
  const auto x = magnitude(a), y = magnitude(b), divisor = static_cast<Unsigned<T>>(std::gcd(x, y));
  return divisor == 0 ? T{0} : static_cast<T>(magnitude(static_cast<T>(x / divisor * y)));
}

template <class T>
T next_of(T a, T b) noexcept {
  return std::nextafter(a, b);
}
/// The neighbour among the 16-bit numbers, all of which float32 holds.
template <StoredNumber T>
float next_stored(float a, float b) noexcept {
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<float>::quiet_NaN();
  a = T(a), b = T(b);  // an operand may come from a wider dtype
  if (a == b) return b;
  if (a == 0) return T::from_bits(b > 0 ? 0x0001 : 0x8001);
  const bool outward = (b > a) == (a > 0);
  const auto bits = static_cast<std::uint16_t>(T(a).x + (outward ? 1 : -1));
  return T::from_bits(bits);
}

template <class T, T (*f)(T, T) noexcept>
void each(void* out, const void* const* in, std::size_t n, const void*) {
  const T *a = static_cast<const T*>(in[0]), *b = static_cast<const T*>(in[1]);
  T* y = static_cast<T*>(out);
  for (std::size_t i = 0; i < n; ++i) y[i] = f(a[i], b[i]);
}

Array run(const char* op, kernels::Kernel kernel, DType dtype, const Array& a, const Array& b) {
  const Operand x = a, y = b;
  PointwiseCall call(op, {&x, &y});
  const DType compute = compute_dtype(dtype);
  call.loop.block = kLibraryBlock;
  call.set(kernel, compute, dtype);
  call.read(x, compute);
  call.read(y, compute);
  return call.run();
}

/// The dtype in which two integers meet.
DType integer(const char* op, const Array& a, const Array& b) {
  expect_defined(op, "the operand", a);
  expect_defined(op, "the operand", b);
  const DType dtype = result_type(a, b);
  if (!is_integral(dtype)) fail<DTypeError>("{}: operands must be integers: {}; to(kInt64) converts", op, dtype);
  return dtype;
}
template <class T>
struct Divisors {
  static constexpr kernels::Kernel gcd = each<T, gcd_of<T>>, lcm = each<T, lcm_of<T>>;
};

}  // namespace

Array gcd(const Array& a, const Array& b) {
  const DType dtype = integer("gcd", a, b), compute = compute_dtype(dtype);
  return run("gcd",
             compute == kUInt8   ? Divisors<std::uint8_t>::gcd
             : compute == kInt32 ? Divisors<std::int32_t>::gcd
                                 : Divisors<std::int64_t>::gcd,
             dtype, a, b);
}
Array lcm(const Array& a, const Array& b) {
  const DType dtype = integer("lcm", a, b), compute = compute_dtype(dtype);
  return run("lcm",
             compute == kUInt8   ? Divisors<std::uint8_t>::lcm
             : compute == kInt32 ? Divisors<std::int32_t>::lcm
                                 : Divisors<std::int64_t>::lcm,
             dtype, a, b);
}
Array nextafter(const Array& a, const Array& b) {
  expect_defined("nextafter", "the operand", a);
  expect_defined("nextafter", "the operand", b);
  const DType dtype = result_type(a, b);
  expect_floating("nextafter", "the operand", dtype);
  return run("nextafter",
             dtype == kFloat64    ? each<double, next_of<double>>
             : dtype == kFloat32  ? each<float, next_of<float>>
             : dtype == kBFloat16 ? each<float, next_stored<BFloat16>>
                                  : each<float, next_stored<Half>>,
             dtype, a, b);
}

}  // namespace gradus::core
