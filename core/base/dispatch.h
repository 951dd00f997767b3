// From a dtype known at run time to a C++ type.
#pragma once

#include <cstdint>

#include "dtype.h"
#include "export.h"

namespace gradus::core {

template <class T>
struct TypeTag {
  using type = T;
};

[[noreturn, gnu::cold]] GRADUS_API void fail_stored(DType dtype);
/// The dtype of what a loop is asked to compute on; DTypeError for a storage type, which no loop but conversions and moves
/// reads.
inline DType computed(DType dtype) {
  if (is_storage_type(dtype)) [[unlikely]]
    fail_stored(dtype);
  return dtype;
}

/// body(TypeTag<T>()) with T the element type of the dtype, which is one that is computed in.
template <class Body>
decltype(auto) dispatch(DType dtype, Body&& body) {
  switch (dtype) {
    case kBool:
      return body(TypeTag<bool>());
    case kUInt8:
      return body(TypeTag<std::uint8_t>());
    case kInt32:
      return body(TypeTag<std::int32_t>());
    case kInt64:
      return body(TypeTag<std::int64_t>());
    case kFloat32:
      return body(TypeTag<float>());
    case kFloat64:
      return body(TypeTag<double>());
    default:
      fail_stored(dtype);
  }
}

/// The same where elements are only moved: T is an unsigned integer as wide as an element.
template <class Body>
decltype(auto) dispatch_width(DType dtype, Body&& body) {
  switch (size_of(dtype)) {
    case 1:
      return body(TypeTag<std::uint8_t>());
    case 2:
      return body(TypeTag<std::uint16_t>());
    case 4:
      return body(TypeTag<std::uint32_t>());
    default:
      return body(TypeTag<std::uint64_t>());
  }
}

}  // namespace gradus::core
