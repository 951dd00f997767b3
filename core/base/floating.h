// Which floating-point dtype an operation computes in, and what a dtype holds. For the library's own sources.
#pragma once

#include <limits>

#include "dtype.h"

namespace gradus::core {

/// The dtype itself where it is floating-point; of integers and bools the default dtype.
inline DType floating(DType dtype) { return is_floating_point(dtype) ? dtype : get_default_dtype(); }
/// The largest finite number of a floating dtype.
inline double largest_of(DType dtype) {
  return dtype == kFloat16    ? 65504
         : dtype == kBFloat16 ? 0x1.fep127
         : dtype == kFloat32  ? static_cast<double>(std::numeric_limits<float>::max())
                              : std::numeric_limits<double>::max();
}
/// How many digits of two its numbers have: it counts to 2^digits without a gap.
inline int digits_of(DType dtype) {
  switch (dtype) {
    case kBool:
      return 1;
    case kUInt8:
    case kBFloat16:
      return 8;
    case kInt8:
      return 7;
    case kInt16:
      return 15;
    case kFloat16:
      return 11;
    case kInt32:
      return 31;
    case kFloat32:
      return 24;
    case kFloat64:
      return 53;
    default:
      return 63;
  }
}

}  // namespace gradus::core
