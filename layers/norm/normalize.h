// Scaling to length 1:  y = x / max(|x|_p, eps), the norm along a dimension.
#pragma once

#include <cstdint>
#include <optional>

#include "../../autograd/tensor/tensor.h"
#include "../../core/base/arg.h"
#include "../../core/base/export.h"

namespace gradus::nn::functional {

struct NormalizeFuncOptions {
  GRADUS_ARG(double, p) = 2;
  GRADUS_ARG(std::int64_t, dim) = 1;
  GRADUS_ARG(double, eps) = 1e-12;
  GRADUS_ARG(std::optional<Tensor>, out) = std::nullopt;  ///< where the result is written to
};
/// DTypeError unless x is floating, IndexError for a dimension that it lacks.
GRADUS_API Tensor normalize(Operand x, const NormalizeFuncOptions& options = {});

}  // namespace gradus::nn::functional
