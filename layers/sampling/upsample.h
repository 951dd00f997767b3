// Upsample: interpolate (interpolate.h) as a module, and by the result's size.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "../../core/base/arg.h"
#include "../../core/base/export.h"
#include "../module/enumerations.h"
#include "../module/layer.h"

namespace gradus::nn {

/// Either `size` or `scale_factor`, one number for each dimension that is interpolated.
struct UpsampleOptions {
  GRADUS_ARG(std::optional<std::vector<std::int64_t>>, size) = std::nullopt;
  GRADUS_ARG(std::optional<std::vector<double>>, scale_factor) = std::nullopt;
  GRADUS_ARG(UpsampleMode, mode) = kNearest;
  /// Of the modes that are linear or cubic: the outermost elements of input and output are at the same places.
  GRADUS_ARG(std::optional<bool>, align_corners) = std::nullopt;
};

/// See functional::interpolate.
class GRADUS_API UpsampleImpl : public Layer<UpsampleImpl> {
 public:
  explicit UpsampleImpl(const UpsampleOptions& chosen = {});
  Tensor compute(Operand x);
  void reset() override {}
  std::string extra_repr() const override;

  UpsampleOptions options;
};
GRADUS_MODULE(Upsample);

}  // namespace gradus::nn

namespace gradus {
// By the result's size; scales are what was asked for, in the place of the quotient of sizes.
GRADUS_API Tensor upsample_nearest1d(Operand x, IntArrayRef output_size, std::optional<double> scales = {});
GRADUS_API Tensor upsample_nearest2d(Operand x, IntArrayRef output_size, std::optional<double> scales_h = {},
                                     std::optional<double> scales_w = {});
GRADUS_API Tensor upsample_nearest3d(Operand x, IntArrayRef output_size, std::optional<double> scales_d = {},
                                     std::optional<double> scales_h = {}, std::optional<double> scales_w = {});
GRADUS_API Tensor upsample_linear1d(Operand x, IntArrayRef output_size, bool align_corners,
                                    std::optional<double> scales = {});
GRADUS_API Tensor upsample_bilinear2d(Operand x, IntArrayRef output_size, bool align_corners,
                                      std::optional<double> scales_h = {}, std::optional<double> scales_w = {});
GRADUS_API Tensor upsample_bicubic2d(Operand x, IntArrayRef output_size, bool align_corners,
                                     std::optional<double> scales_h = {}, std::optional<double> scales_w = {});
GRADUS_API Tensor upsample_trilinear3d(Operand x, IntArrayRef output_size, bool align_corners,
                                       std::optional<double> scales_d = {}, std::optional<double> scales_h = {},
                                       std::optional<double> scales_w = {});
}  // namespace gradus
