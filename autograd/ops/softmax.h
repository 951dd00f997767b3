// softmax and log-softmax along a dimension, as rules.
//
//   softmax:      y_i = exp(x_i) / sum_k exp(x_k)        dL/dx_i = y_i (dL/dy_i - sum_k dL/dy_k y_k)
//   log-softmax:  y_i = x_i - log sum_k exp(x_k)         dL/dx_i = dL/dy_i - exp(y_i) sum_k dL/dy_k
//
//   Neither forms exp(x), which would overflow: the row's largest value is subtracted first.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "../../core/base/export.h"
#include "../graph/operation.h"

namespace gradus::autograd {

struct SoftmaxAttrs {
  std::int64_t dim = 0;
  static constexpr auto fields = named("dim", &SoftmaxAttrs::dim);
};

/// Any floating dtype and shape; DTypeError for others.
struct SoftmaxRule {
  static constexpr std::string_view name = "softmax";
  static constexpr std::string_view formula = "y = exp(x) / sum_{dim} exp(x), dx = y (dy - sum_{dim} dy y)";
  static constexpr Batch batch = Batch::kDims;
  static constexpr std::string_view input_names[] = {"x"};
  static constexpr bool symmetric = true;
  using Attrs = SoftmaxAttrs;

  GRADUS_API static Tensor reference(const Attrs& attrs, const Tensor& x);
  GRADUS_API static core::Array forward(const Attrs& attrs, const core::Array& x);
  GRADUS_API static std::array<core::Array, 1> backward(const Attrs& attrs, DyArray<> dy, OutArray<> y);
};

struct LogSoftmaxRule {
  static constexpr std::string_view name = "log_softmax";
  static constexpr std::string_view formula = "y = x - ln sum_{dim} exp(x), dx = dy - exp(y) sum_{dim} dy";
  static constexpr Batch batch = Batch::kDims;
  static constexpr std::string_view input_names[] = {"x"};
  using Attrs = SoftmaxAttrs;

  GRADUS_API static Tensor reference(const Attrs& attrs, const Tensor& x);
  GRADUS_API static core::Array forward(const Attrs& attrs, const core::Array& x);
  GRADUS_API static std::array<core::Array, 1> backward(const Attrs& attrs, DyArray<> dy, OutArray<> y);
};

}  // namespace gradus::autograd
