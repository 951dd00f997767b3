#include "upsample.h"

#include "../../autograd/graph/operation_support.h"
#include "interpolate.h"

namespace gradus::nn {

UpsampleImpl::UpsampleImpl(const UpsampleOptions& chosen) : options(chosen) {}
Tensor UpsampleImpl::compute(Operand x) {
  return functional::interpolate(x, functional::InterpolateFuncOptions()
                                        .size(options.size())
                                        .scale_factor(options.scale_factor())
                                        .mode(options.mode())
                                        .align_corners(options.align_corners()));
}
std::string UpsampleImpl::extra_repr() const {
  using autograd::detail::text_of;
  const auto list = [](const auto& numbers) {
    std::string text;
    for (const auto each : numbers) text += (text.empty() ? "" : ", ") + text_of(each);
    return numbers.size() == 1 ? text : "[" + text + "]";
  };
  const std::string first = options.scale_factor() ? "scale_factor=" + list(*options.scale_factor())
                            : options.size()       ? "size=" + list(*options.size())
                                                   : "size=none";
  return first + ", mode=" + nn::to_string(options.mode());
}

}  // namespace gradus::nn

namespace gradus {

using nn::InterpolateMode;
using nn::detail::resampled;

Tensor upsample_nearest1d(Operand x, IntArrayRef size, std::optional<double> s) {
  return resampled("upsample_nearest1d", x, InterpolateMode::Nearest, size, false, {s});
}
Tensor upsample_nearest2d(Operand x, IntArrayRef size, std::optional<double> h, std::optional<double> w) {
  return resampled("upsample_nearest2d", x, InterpolateMode::Nearest, size, false, {h, w});
}
Tensor upsample_nearest3d(Operand x, IntArrayRef size, std::optional<double> d, std::optional<double> h,
                          std::optional<double> w) {
  return resampled("upsample_nearest3d", x, InterpolateMode::Nearest, size, false, {d, h, w});
}
Tensor upsample_linear1d(Operand x, IntArrayRef size, bool align_corners, std::optional<double> s) {
  return resampled("upsample_linear1d", x, InterpolateMode::Linear, size, align_corners, {s});
}
Tensor upsample_bilinear2d(Operand x, IntArrayRef size, bool align_corners, std::optional<double> h,
                           std::optional<double> w) {
  return resampled("upsample_bilinear2d", x, InterpolateMode::Bilinear, size, align_corners, {h, w});
}
Tensor upsample_bicubic2d(Operand x, IntArrayRef size, bool align_corners, std::optional<double> h,
                          std::optional<double> w) {
  return resampled("upsample_bicubic2d", x, InterpolateMode::Bicubic, size, align_corners, {h, w});
}
Tensor upsample_trilinear3d(Operand x, IntArrayRef size, bool align_corners, std::optional<double> d,
                            std::optional<double> h, std::optional<double> w) {
  return resampled("upsample_trilinear3d", x, InterpolateMode::Trilinear, size, align_corners, {d, h, w});
}

}  // namespace gradus
