#include "dtype.h"

#include <atomic>

#include "dispatch.h"
#include "fail.h"
#include "half_bits.h"

namespace gradus {

std::uint16_t Half::bits_of(float value) noexcept { return core::half_bits(value); }
float Half::value_of(std::uint16_t bits) noexcept { return core::half_value(bits); }
std::uint16_t BFloat16::bits_of(float value) noexcept { return core::bfloat16_bits(value); }
float BFloat16::value_of(std::uint16_t bits) noexcept { return core::bfloat16_value(bits); }

namespace core {
void fail_stored(DType dtype) {
  fail<DTypeError>("kernel: elements must be of a dtype that is computed in: {}, a storage type; to({}) converts",
                   dtype, compute_dtype(dtype));
}
}  // namespace core

std::string_view to_string(DType dtype) {
  constexpr std::string_view names[kDTypeCount] = {"bool",    "uint8",   "int32",    "int64", "float32",
                                                   "float64", "float16", "bfloat16", "int8",  "int16"};
  return names[static_cast<int>(dtype)];
}

const char* toString(DType dtype) {
  constexpr const char* names[kDTypeCount] = {"Bool",   "Byte", "Int",      "Long", "Float",
                                              "Double", "Half", "BFloat16", "Char", "Short"};
  return names[static_cast<int>(dtype)];
}

namespace {
std::atomic<DType> default_dtype{kFloat32};
}  // namespace
DType get_default_dtype() noexcept { return default_dtype.load(std::memory_order_relaxed); }
void set_default_dtype(DType dtype) {
  if (!is_floating_point(dtype)) {
    core::fail<DTypeError>("set_default_dtype: the default must be floating-point: {}; kFloat and kDouble are", dtype);
  }
  default_dtype.store(dtype, std::memory_order_relaxed);
}

std::string to_string(const Scalar& value) {
  switch (value.category()) {
    case kBool:
      return value.to<bool>() ? "true" : "false";
    case kFloat64:
      return fmt::format("{}", value.toDouble());
    default:
      return fmt::format("{}", value.toLong());
  }
}

Scalar Scalar::operator-() const {
  if (kind_ == kBool) core::fail<DTypeError>("neg: the number must not be bool: {}; ! negates truth", to_string(*this));
  return negated(*this);
}
Scalar negated(const Scalar& a) { return product(a, Scalar(-1)); }

Scalar product(const Scalar& a, const Scalar& b) {
  if (a.is_floating_point() || b.is_floating_point()) return a.toDouble() * b.toDouble();
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a.toLong()) * static_cast<std::uint64_t>(b.toLong()));
}

DType promote_types(DType a, DType b) {
  if (a == b || b == kBool) return a;
  if (a == kBool) return b;
  const bool real = is_floating_point(a);
  if (real != is_floating_point(b)) return real ? a : b;
  if (size_of(a) != size_of(b)) return size_of(a) > size_of(b) ? a : b;  // of integers, every wider one is signed
  return real ? kFloat32 : kInt16;  // float16 and bfloat16, int8 and uint8: neither holds the other
}

DType promote_types(DType array, const Scalar& number) {
  const auto category = [](DType dtype) { return dtype == kBool ? 0 : gradus::is_floating_point(dtype) ? 2 : 1; };
  if (category(number.category()) <= category(array)) return array;
  return number.is_floating_point() ? get_default_dtype() : kInt64;
}

}  // namespace gradus
