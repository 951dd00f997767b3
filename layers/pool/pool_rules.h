// The rules of pooling; their windows and sums: max_pool.h, avg_pool.h.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <tuple>

#include "../../autograd/graph/operation.h"
#include "../../core/base/export.h"
#include "../../core/nn/pooling.h"

namespace gradus::nn {

/// (y, positions) of x [C, ..] or [N, C, ..]; positions (int32) are those of the largest values in their planes. Errors
/// as core::pooled_shape says; DTypeError for integers.
struct MaxPoolRule {
  static constexpr std::string_view name = "max_pool";
  static constexpr std::string_view input_names[] = {"x"};
  static constexpr int differentiable_outputs = 1;
  using Attrs = core::PoolWindows;

  GRADUS_API static Tensor reference(const Attrs& attrs, const Tensor& x);
  GRADUS_API static std::tuple<core::Array, core::Array> forward(const Attrs& attrs, const core::Array& x);
  GRADUS_API static std::tuple<Tensor, Tensor> batch(const Attrs& attrs, const autograd::Examples& x);
  GRADUS_API static std::array<core::Array, 1> backward(const Attrs& attrs, autograd::DyArray<> dy,
                                                        autograd::ShapeOf<0> x, autograd::OutArray<1> positions);
  /// The same as an operation: sums at the positions of each plane.
  GRADUS_API static Tensor spread(const Attrs& attrs, const Tensor& dy, const core::Shape& x, const Tensor& positions);
  static constexpr auto gradients =
      autograd::formulas([](autograd::Dy<> dy, autograd::ShapeOf<0> x, autograd::Out<1> positions, const Attrs& attrs) {
        return spread(attrs, dy, x, positions);
      });
};

/// y of x [C, ..] or [N, C, ..].
struct AvgPoolRule {
  static constexpr std::string_view name = "avg_pool";
  static constexpr std::string_view input_names[] = {"x"};
  static constexpr std::uint32_t shape_only = 1u << 0;

  struct Attrs {
    core::PoolWindows windows;
    core::PoolDivisor divisor;
    static constexpr auto fields = named(&Attrs::windows, &Attrs::divisor);
  };
  GRADUS_API static Tensor reference(const Attrs& attrs, const Tensor& x);
  GRADUS_API static core::Array forward(const Attrs& attrs, const core::Array& x);
  static Tensor batch(const Attrs& attrs, const autograd::Examples& x);
  GRADUS_API static std::array<core::Array, 1> backward(const Attrs& attrs, autograd::DyArray<> dy,
                                                        autograd::ShapeOf<0> x);
};

/// y of x [C, H, W] or [N, C, H, W]: the mean over windows of as even a size as there is, where sizes do not divide.
/// Output o of m reads [floor(o n / m), ceil((o + 1) n / m)) of n.
struct AdaptiveAvgPool2dRule {
  static constexpr std::string_view name = "adaptive_avg_pool2d";
  static constexpr std::string_view input_names[] = {"x"};
  static constexpr std::uint32_t shape_only = 1u << 0;

  struct Attrs {
    std::int64_t height = 1, width = 1;
    static constexpr auto fields = named("height", &Attrs::height, "width", &Attrs::width);
  };
  GRADUS_API static Tensor reference(const Attrs& attrs, const Tensor& x);
  GRADUS_API static core::Array forward(const Attrs& attrs, const core::Array& x);
  static Tensor batch(const Attrs& attrs, const autograd::Examples& x);
  GRADUS_API static std::array<core::Array, 1> backward(const Attrs& attrs, autograd::DyArray<> dy,
                                                        autograd::ShapeOf<0> x);
};

}  // namespace gradus::nn
