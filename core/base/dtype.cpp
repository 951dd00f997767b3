#include "dtype.h"

#include <algorithm>
#include <atomic>

#include "fail.h"

namespace gradus {

std::string_view to_string(DType dtype) {
  constexpr std::string_view names[kDTypeCount] = {"bool", "uint8", "int32", "int64", "float32", "float64"};
  return names[static_cast<int>(dtype)];
}

const char* toString(DType dtype) {
  constexpr const char* names[kDTypeCount] = {"Bool", "Byte", "Int", "Long", "Float", "Double"};
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

Scalar negated(const Scalar& a) { return product(a, Scalar(-1)); }

Scalar product(const Scalar& a, const Scalar& b) {
  if (a.is_floating_point() || b.is_floating_point()) return a.toDouble() * b.toDouble();
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a.toLong()) * static_cast<std::uint64_t>(b.toLong()));
}

// Of the dtypes that there are, each holds what those before it hold (in PyTorch's sense, where int64 with float32 is
// float32): the table of all pairs is the order of the enumeration. A signed 8-bit or a second 16-bit
// type would end that.
DType promote_types(DType a, DType b) { return std::max(a, b); }

DType promote_types(DType array, const Scalar& number) {
  const auto category = [](DType dtype) { return dtype == kBool ? 0 : gradus::is_floating_point(dtype) ? 2 : 1; };
  if (category(number.category()) <= category(array)) return array;
  return number.is_floating_point() ? get_default_dtype() : kInt64;
}

}  // namespace gradus
