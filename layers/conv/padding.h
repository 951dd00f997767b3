// Padding: what lies around a tensor.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "../../autograd/tensor/tensor.h"
#include "../../core/base/arg.h"
#include "../../core/base/export.h"
#include "../module/enumerations.h"

namespace gradus {

namespace nn::functional {
/// `PadFuncOptions({1, 1, 2, 2}).value(0.5)`: counts before and after each dimension, the last dimension first.
struct PadFuncOptions {
  PadFuncOptions(std::vector<std::int64_t> pad) : pad_(std::move(pad)) {}  // NOLINT(google-explicit-constructor)
  GRADUS_ARG(std::vector<std::int64_t>, pad);
  GRADUS_ARG(PaddingMode, mode) = kConstant;
  GRADUS_ARG(double, value) = 0;
};
/// As `gradus::pad`, in any mode.
GRADUS_API Tensor pad(Operand x, const PadFuncOptions& options);
}  // namespace nn::functional
}  // namespace gradus
