// Which floating-point dtype an operation computes in. For the library's own sources.
#pragma once

#include "dtype.h"

namespace gradus::core {

/// The dtype itself where it is floating-point; of integers and bools the default dtype.
inline DType floating(DType dtype) { return is_floating_point(dtype) ? dtype : get_default_dtype(); }

}  // namespace gradus::core
