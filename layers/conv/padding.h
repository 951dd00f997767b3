// Padding: what lies around a tensor.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "../../autograd/tensor/tensor.h"
#include "../../core/base/arg.h"
#include "../../core/base/export.h"

namespace gradus {

namespace nn {
/// What is put around a tensor: zeros, another constant, or its own elements. Layers know the first two alone: the others
/// are a ValueError there.
enum class PaddingMode : std::uint8_t { Zeros, Constant, Reflect, Replicate, Circular };
}  // namespace nn

inline constexpr auto kZeros = nn::PaddingMode::Zeros;
inline constexpr auto kConstant = nn::PaddingMode::Constant;
inline constexpr auto kReflect = nn::PaddingMode::Reflect;
inline constexpr auto kReplicate = nn::PaddingMode::Replicate;
inline constexpr auto kCircular = nn::PaddingMode::Circular;

GRADUS_API const char* to_string(nn::PaddingMode mode);

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
