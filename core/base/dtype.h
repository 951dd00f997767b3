// Element types, their promotion, and single numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>

#include "export.h"
#include "half.h"

namespace gradus {

/// The type of an array's elements. Bool is stored as one byte, 0 or 1. The last four are storage types: their elements are
/// computed on in another dtype, compute_dtype's, and results are rounded, or wrapped around, once when they are stored.
enum class DType : std::uint8_t {
  Bool,
  UInt8,
  Int32,
  Int64,
  Float32,
  Float64,
  Float16,
  BFloat16,
  Int8,
  Int16,
  // PyTorch's names of the same.
  Byte = UInt8,
  Char = Int8,
  Short = Int16,
  Int = Int32,
  Long = Int64,
  Half = Float16,
  Float = Float32,
  Double = Float64
};
using ScalarType = DType;
using Dtype = DType;

inline constexpr int kDTypeCount = 10;
inline constexpr DType kBool = DType::Bool;
inline constexpr DType kUInt8 = DType::UInt8, kByte = DType::UInt8;
inline constexpr DType kInt8 = DType::Int8, kChar = DType::Int8;
inline constexpr DType kInt16 = DType::Int16, kShort = DType::Int16;
inline constexpr DType kInt32 = DType::Int32, kInt = DType::Int32;
inline constexpr DType kInt64 = DType::Int64, kLong = DType::Int64;
inline constexpr DType kFloat16 = DType::Float16, kHalf = DType::Float16;
inline constexpr DType kBFloat16 = DType::BFloat16;
inline constexpr DType kFloat32 = DType::Float32, kFloat = DType::Float32;
inline constexpr DType kFloat64 = DType::Float64, kDouble = DType::Float64;
inline constexpr DType kU8 = kUInt8, kI32 = kInt32, kI64 = kInt64, kF32 = kFloat32, kF64 = kFloat64;

/// "float32", "int64", "bool", ...
GRADUS_API std::string_view to_string(DType dtype);
/// Bytes an element takes. (Not in the function: there the table would be made anew at each call.)
inline constexpr std::int64_t kSizes[kDTypeCount] = {1, 1, 4, 8, 4, 8, 2, 2, 1, 2};
constexpr std::int64_t size_of(DType dtype) { return kSizes[static_cast<int>(dtype)]; }
constexpr bool is_floating_point(DType dtype) { return dtype >= kFloat32 && dtype <= kBFloat16; }
constexpr bool is_integral(DType dtype) { return (dtype >= kUInt8 && dtype <= kInt64) || dtype >= kInt8; }
/// float16, bfloat16, int8, int16.
constexpr bool is_storage_type(DType dtype) { return dtype > kFloat64; }
/// What elements of a dtype are computed in: float32 for float16 and bfloat16, int32 for int8 and int16, else the dtype.
constexpr DType compute_dtype(DType dtype) {
  return !is_storage_type(dtype) ? dtype : is_floating_point(dtype) ? kFloat32 : kInt32;
}
/// Whether a result of the one dtype may be written into a tensor of the other: not to a lower category (bool < integer <
/// floating), as PyTorch's.
constexpr bool can_cast(DType from, DType to) {
  const auto category = [](DType d) { return d == kBool ? 0 : is_floating_point(d) ? 2 : 1; };
  return category(from) <= category(to);
}

// PyTorch's names.
/// "Float", "Long", "Bool", ...
GRADUS_API const char* toString(DType dtype);
constexpr std::size_t elementSize(DType dtype) { return static_cast<std::size_t>(size_of(dtype)); }
constexpr bool isFloatingType(DType dtype) { return is_floating_point(dtype); }
constexpr bool isIntegralType(DType dtype, bool include_bool) {
  return is_integral(dtype) || (include_bool && dtype == kBool);
}
constexpr DType scalarTypeToTypeMeta(DType dtype) { return dtype; }
constexpr DType typeMetaToScalarType(DType dtype) { return dtype; }

/// The floating dtype that is taken where nothing says which: of tensors made without one, of `tensor({0.5})`, of integers
/// with a floating number and of functions of integers. float32 until it is set; one for the whole process.
GRADUS_API DType get_default_dtype() noexcept;
/// DTypeError for a dtype that is not a floating one.
GRADUS_API void set_default_dtype(DType dtype);

template <class T>
struct DTypeOf;  // no definition: T is not an element type
template <>
struct DTypeOf<bool> {
  static constexpr DType value = kBool;
};
template <>
struct DTypeOf<std::uint8_t> {
  static constexpr DType value = kUInt8;
};
template <>
struct DTypeOf<std::int8_t> {
  static constexpr DType value = kInt8;
};
template <>
struct DTypeOf<std::int16_t> {
  static constexpr DType value = kInt16;
};
template <>
struct DTypeOf<std::int32_t> {
  static constexpr DType value = kInt32;
};
template <>
struct DTypeOf<long> {
  static constexpr DType value = kInt64;
};
template <>
struct DTypeOf<long long> {
  static constexpr DType value = kInt64;
};
template <>
struct DTypeOf<Half> {
  static constexpr DType value = kFloat16;
};
template <>
struct DTypeOf<BFloat16> {
  static constexpr DType value = kBFloat16;
};
template <>
struct DTypeOf<float> {
  static constexpr DType value = kFloat32;
};
template <>
struct DTypeOf<double> {
  static constexpr DType value = kFloat64;
};
/// The DType of a C++ element type.
template <class T>
inline constexpr DType dtype_of = DTypeOf<std::remove_cv_t<T>>::value;

/// One number with its category (bool, integer, floating): what `x + 1`, `full(shape, 0.5)` and `item()` carry.
class Scalar {
 public:
  constexpr Scalar() : Scalar(std::int64_t{0}) {}
  template <class T>
  requires std::is_arithmetic_v<T>
  constexpr Scalar(T value)  // NOLINT(google-explicit-constructor): a number is a Scalar wherever one is taken
      : kind_(std::is_same_v<T, bool>       ? kBool
              : std::is_floating_point_v<T> ? kFloat64
                                            : kInt64) {
    if constexpr (std::is_floating_point_v<T>) {
      float_ = static_cast<double>(value);
    } else {
      int_ = static_cast<std::int64_t>(value);
    }
  }

  Scalar(Half value) : Scalar(static_cast<float>(value)) {}      // NOLINT(google-explicit-constructor)
  Scalar(BFloat16 value) : Scalar(static_cast<float>(value)) {}  // NOLINT(google-explicit-constructor)

  /// kBool, kInt64 or kFloat64.
  constexpr DType category() const { return kind_; }
  constexpr bool is_floating_point() const { return kind_ == kFloat64; }
  template <class T>
  constexpr T to() const {
    if constexpr (std::is_same_v<T, bool>) {
      return kind_ == kFloat64 ? float_ != 0 : int_ != 0;
    } else {
      if (kind_ != kFloat64) return static_cast<T>(int_);
      if constexpr (std::is_integral_v<T>) {
        // As an array's elements are converted: NaN and what int64 cannot hold become its least value.
        const bool holds = float_ >= -0x1p63 && float_ < 0x1p63;
        return static_cast<T>(holds ? static_cast<std::int64_t>(float_) : std::numeric_limits<std::int64_t>::min());
      } else {
        return static_cast<T>(float_);
      }
    }
  }
  constexpr double toDouble() const { return to<double>(); }
  constexpr float toFloat() const { return to<float>(); }
  constexpr int toInt() const { return to<int>(); }
  constexpr bool toBool() const { return to<bool>(); }
  constexpr std::int64_t toLong() const { return to<std::int64_t>(); }
  /// -x; integers wrap around. DTypeError for a bool.
  GRADUS_API Scalar operator-() const;
  // PyTorch's names.
  constexpr DType type() const { return kind_; }
  constexpr bool isFloatingPoint() const { return is_floating_point(); }
  constexpr bool isIntegral(bool include_bool) const { return kind_ == kInt64 || (include_bool && kind_ == kBool); }
  constexpr bool isBoolean() const { return kind_ == kBool; }
  constexpr bool isComplex() const { return false; }
  constexpr bool operator==(const Scalar& other) const {
    return kind_ == other.kind_ && (kind_ == kFloat64 ? float_ == other.float_ : int_ == other.int_);
  }

 private:
  DType kind_;
  union {
    double float_;
    std::int64_t int_;
  };
};

/// "2", "0.5", "true".
GRADUS_API std::string to_string(const Scalar& value);
/// -a and a b; integers stay integers, and wrap around as those of arrays do.
GRADUS_API Scalar negated(const Scalar& a);
GRADUS_API Scalar product(const Scalar& a, const Scalar& b);

/// The dtype of a result of operands of two dtypes, both with dimensions: the smallest that holds both, as PyTorch's
/// (int8 and uint8: int16; float16 and bfloat16: float32; integers beside a floating dtype: that).
GRADUS_API DType promote_types(DType a, DType b);
/// The dtype of a result of an array and a number: the array's, unless the number is of a higher category
/// (bool < integer < floating), and then that category's default (int64, get_default_dtype()), as PyTorch's.
GRADUS_API DType promote_types(DType array, const Scalar& number);

}  // namespace gradus
