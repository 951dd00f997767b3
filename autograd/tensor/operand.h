// A tensor on its way into an operation, with the place of the call.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <type_traits>
#include <vector>

#include "../../core/base/dtype.h"
#include "../../core/base/export.h"
#include "../../core/base/location.h"

namespace gradus {

class Tensor;

namespace autograd {

/// A tensor as an operation's operand. It is made where the user writes the call, so its default arguments name that
/// place; it borrows the tensor for the length of the call.
class Operand {
 public:
  Operand(const Tensor& tensor, Location at = Location::here()) noexcept : tensor_(&tensor), at_(at) {}  // NOLINT
  const Tensor& tensor() const noexcept { return *tensor_; }
  Location at() const noexcept { return at_; }

 private:
  const Tensor* tensor_;
  Location at_;
};

/// What a compound assignment writes to. ValueError when it is a copy that indexing has made and nobody else holds:
/// `x[mask] += 1` would be lost.
class Target : public Operand {
 public:
  Target(const Tensor& tensor, Location at = Location::here()) noexcept : Operand(tensor, at) {}  // NOLINT
  GRADUS_API Target(Tensor&& temporary, Location at = Location::here());                          // NOLINT
};

/// A tensor that may be absent: `{}`, std::nullopt, an undefined tensor.
class OptionalOperand {
 public:
  OptionalOperand() noexcept = default;
  OptionalOperand(std::nullopt_t) noexcept {}                           // NOLINT
  OptionalOperand(const Tensor& tensor) noexcept : tensor_(&tensor) {}  // NOLINT
  template <class T>
  requires(std::is_same_v<T, Tensor>) OptionalOperand(const std::optional<T>& tensor)  // NOLINT
      : tensor_(tensor ? &*tensor : nullptr) {}
  GRADUS_API explicit operator bool() const noexcept;
  const Tensor& operator*() const noexcept { return *tensor_; }

 private:
  const Tensor* tensor_ = nullptr;
};

/// What stands in brackets, and a number on the right of an assignment, with the place where they are written.
struct IndexAt {
  template <class I>
  requires(std::is_integral_v<I>) IndexAt(I i, Location where = Location::here())
  noexcept  // NOLINT
      : index(static_cast<std::int64_t>(i)), at(where) {}
  std::int64_t index;
  Location at;
};
struct NumberAt {
  template <class N>
  requires(std::is_convertible_v<N, Scalar>) NumberAt(const N& value, Location where = Location::here())  // NOLINT
      : number(value), at(where) {}
  Scalar number;
  Location at;
};

/// Several tensors as an operand: `{a, b}` or a vector.
class OperandList {
 public:
  GRADUS_API OperandList(std::initializer_list<Operand> list);                                 // NOLINT
  GRADUS_API OperandList(const std::vector<Tensor>& tensors, Location at = Location::here());  // NOLINT
  std::size_t size() const noexcept { return operands_.size(); }
  bool empty() const noexcept { return operands_.empty(); }
  const Operand& operator[](std::size_t i) const { return operands_[i]; }
  const Operand* begin() const { return operands_.data(); }
  const Operand* end() const { return operands_.data() + operands_.size(); }

 private:
  std::vector<Operand> operands_;
};

}  // namespace autograd

using autograd::Operand;
using autograd::OperandList;

}  // namespace gradus
