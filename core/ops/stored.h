// Storage types where an operation computes in the dtype of what it is given (internal to core).
#pragma once

#include "../array/array.h"

namespace gradus::core {

/// The numbers in what they are computed in.
inline Array as_computed(const Array& x) { return x.to(compute_dtype(x.dtype())); }
/// A result that stands in what operands of `dtype` are computed in, in that dtype; any other as it is.
inline Array as_stored(const Array& y, DType dtype) { return y.dtype() == compute_dtype(dtype) ? y.to(dtype) : y; }

}  // namespace gradus::core
