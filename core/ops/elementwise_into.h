// Forms of operations of elementwise.h and pointwise.h that write into an array that is there: any strides, the result's shape
// (ShapeError), and a dtype that the result's category can be cast to (DTypeError). Operands may overlap it. Internal.
#pragma once

#include "elementwise.h"

namespace gradus::core {

GRADUS_API void lerp_into(const Array& out, const Array& a, const Array& b, double weight);
GRADUS_API void lerp_into(const Array& out, const Array& a, const Array& b, const Array& weight);
GRADUS_API void addcmul_into(const Array& out, const Array& x, const Array& a, const Array& b, const Scalar& value);
GRADUS_API void addcdiv_into(const Array& out, const Array& x, const Array& a, const Array& b, const Scalar& value);
GRADUS_API void clamp_into(const Array& out, const Array& x, const std::optional<Scalar>& low,
                           const std::optional<Scalar>& high);

}  // namespace gradus::core
