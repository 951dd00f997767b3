// From a dtype known at run time to a C++ type.
#pragma once

#include <cstdint>

#include "dtype.h"

namespace gradus::core {

template <class T>
struct TypeTag {
  using type = T;
};

/// body(TypeTag<T>()) with T the element type of the dtype.
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
  }
  __builtin_unreachable();
}

/// The same where elements are only moved: T is an unsigned integer as wide as an element.
template <class Body>
decltype(auto) dispatch_width(DType dtype, Body&& body) {
  switch (size_of(dtype)) {
    case 1:
      return body(TypeTag<std::uint8_t>());
    case 4:
      return body(TypeTag<std::uint32_t>());
    default:
      return body(TypeTag<std::uint64_t>());
  }
}

}  // namespace gradus::core
