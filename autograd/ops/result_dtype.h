// The dtype that a caller asks of a sum or product: its elements are converted first, and the result comes in it.
#pragma once

#include <optional>

#include "../tensor/operand.h"
#include "../tensor/tensor.h"

namespace gradus::autograd::detail {

/// The operand in the dtype asked for.
inline Tensor in_dtype(const Operand& x, std::optional<DType> dtype) {
  return dtype ? x.tensor().to(*dtype, x.at()) : x.tensor();
}
/// The result in the dtype asked for: integers are added and multiplied as int64.
inline Tensor in_dtype(const Tensor& y, std::optional<DType> dtype) { return dtype ? y.to(*dtype) : y; }

}  // namespace gradus::autograd::detail
