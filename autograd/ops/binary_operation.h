// What binary pointwise operations share: forward, with two tensors or with a number, and the write in place. A struct that
// derives from one of these adds its gradients.
#pragma once

#include <string_view>

#include "../../core/base/fields.h"
#include "../../core/ops/pointwise.h"
#include "../graph/batched.h"
#include "../tensor/tensor.h"

namespace gradus::autograd {

template <const core::BinaryRow& row>
struct BinaryOperation {
  static constexpr std::string_view name = row.name;
  static constexpr bool broadcasts = true, reads_stored = true, elementwise = true;
  static core::Array forward(const core::Array& a, const core::Array& b) { return row(a, b); }
  static void write(const core::Array& x, const core::Array& b) { row.write(x, x, b); }
};
/// A number for one of the operands.
struct Number {
  Scalar value;
  static constexpr auto fields = named("value", &Number::value);
};
template <const core::BinaryRow& row>
struct WithNumber {
  static constexpr std::string_view name = row.name;
  static constexpr Batch batch = Batch::kEach;
  static constexpr bool reads_stored = true, symmetric = true;
  using Attrs = Number;
  static core::Array forward(const Attrs& c, const core::Array& x) { return row(x, c.value); }
  static void write(const core::Array& x, const Attrs& c) { row.write(x, x, c.value); }
};

/// A number as an operand of the dtype that it gives to the result.
Tensor number_like(const Scalar& number, const Tensor& x);
/// The same for an operation whose result is floating-point: -3 beside uint8 is -3, not 253.
Tensor floating_like(const Scalar& number, const Tensor& x);
/// What an operand has of the gradient of an extreme: dy, half of it where it ties, 0 where it loses.
Tensor share(const Tensor& dy, const Tensor& loses, const Tensor& ties);
/// a - b, 0 of infinite ones that are equal.
Tensor difference(const Tensor& a, const Tensor& b);

}  // namespace gradus::autograd
