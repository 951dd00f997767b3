// Second names of operations, as PyTorch has them: each is what it forwards to, with its errors and its line in the graph.
#pragma once

#include <optional>
#include <string_view>

#include "../../core/base/export.h"
#include "../tensor/operand.h"

namespace gradus {

GRADUS_API Tensor absolute(Operand x);
GRADUS_API Tensor& absolute_(Operand x);
GRADUS_API Tensor negative(Operand x);
GRADUS_API Tensor& negative_(Operand x);
GRADUS_API Tensor positive(Operand x);  ///< x itself; DTypeError of bool
GRADUS_API Tensor fix(Operand x);
GRADUS_API Tensor& fix_(Operand x);
GRADUS_API Tensor arccos(Operand x);
GRADUS_API Tensor& arccos_(Operand x);
GRADUS_API Tensor arccosh(Operand x);
GRADUS_API Tensor& arccosh_(Operand x);
GRADUS_API Tensor arcsin(Operand x);
GRADUS_API Tensor& arcsin_(Operand x);
GRADUS_API Tensor arcsinh(Operand x);
GRADUS_API Tensor& arcsinh_(Operand x);
GRADUS_API Tensor arctan(Operand x);
GRADUS_API Tensor& arctan_(Operand x);
GRADUS_API Tensor arctanh(Operand x);
GRADUS_API Tensor& arctanh_(Operand x);
GRADUS_API Tensor greater(Operand a, Operand b);
GRADUS_API Tensor greater(Operand a, const Scalar& b);
GRADUS_API Tensor greater_equal(Operand a, Operand b);
GRADUS_API Tensor greater_equal(Operand a, const Scalar& b);
GRADUS_API Tensor less(Operand a, Operand b);
GRADUS_API Tensor less(Operand a, const Scalar& b);
GRADUS_API Tensor less_equal(Operand a, Operand b);
GRADUS_API Tensor less_equal(Operand a, const Scalar& b);
GRADUS_API Tensor not_equal(Operand a, Operand b);
GRADUS_API Tensor not_equal(Operand a, const Scalar& b);
GRADUS_API Tensor arctan2(Operand a, Operand b);
GRADUS_API Tensor multiply(Operand a, Operand b);
GRADUS_API Tensor multiply(Operand a, const Scalar& b);
GRADUS_API Tensor divide(Operand a, Operand b);
GRADUS_API Tensor divide(Operand a, const Scalar& b);
GRADUS_API Tensor true_divide(Operand a, Operand b);
GRADUS_API Tensor true_divide(Operand a, const Scalar& b);
GRADUS_API Tensor divide(Operand a, Operand b, std::optional<std::string_view> rounding_mode);
GRADUS_API Tensor divide(Operand a, const Scalar& b, std::optional<std::string_view> rounding_mode);
GRADUS_API Tensor subtract(Operand a, Operand b, const Scalar& alpha = 1);
GRADUS_API Tensor subtract(Operand a, const Scalar& b, const Scalar& alpha = 1);
GRADUS_API Tensor clip(Operand x, const std::optional<Scalar>& low, const std::optional<Scalar>& high = {});
GRADUS_API Tensor clip(Operand x, autograd::OptionalOperand low, autograd::OptionalOperand high = {});
GRADUS_API Tensor& clip_(Operand x, const std::optional<Scalar>& low, const std::optional<Scalar>& high = {});
GRADUS_API Tensor& clip_(Operand x, autograd::OptionalOperand low, autograd::OptionalOperand high = {});

namespace autograd {

/// The members of Tensor that are functions of this header, with the tensor as their first operand. (The template's
/// parameter is Tensor itself: it makes the bodies wait until that is complete.)
template <class Tensor>
class AliasMembers {
 public:
  Tensor absolute(Location at = Location::here()) const { return self().abs(at); }
  Tensor& absolute_(Location at = Location::here()) const { return self().abs_(at); }
  Tensor negative(Location at = Location::here()) const { return self().neg(at); }
  Tensor& negative_(Location at = Location::here()) const { return self().neg_(at); }
  Tensor positive(Location at = Location::here()) const { return gradus::positive({self(), at}); }
  Tensor fix(Location at = Location::here()) const { return self().trunc(at); }
  Tensor& fix_(Location at = Location::here()) const { return self().trunc_(at); }
  Tensor arccos(Location at = Location::here()) const { return self().acos(at); }
  Tensor& arccos_(Location at = Location::here()) const { return self().acos_(at); }
  Tensor arccosh(Location at = Location::here()) const { return self().acosh(at); }
  Tensor& arccosh_(Location at = Location::here()) const { return self().acosh_(at); }
  Tensor arcsin(Location at = Location::here()) const { return self().asin(at); }
  Tensor& arcsin_(Location at = Location::here()) const { return self().asin_(at); }
  Tensor arcsinh(Location at = Location::here()) const { return self().asinh(at); }
  Tensor& arcsinh_(Location at = Location::here()) const { return self().asinh_(at); }
  Tensor arctan(Location at = Location::here()) const { return self().atan(at); }
  Tensor& arctan_(Location at = Location::here()) const { return self().atan_(at); }
  Tensor arctanh(Location at = Location::here()) const { return self().atanh(at); }
  Tensor& arctanh_(Location at = Location::here()) const { return self().atanh_(at); }
  // B: a tensor or a number.
  template <class B>
  Tensor greater(const B& b, Location at = Location::here()) const {
    return self().gt(b, at);
  }
  template <class B>
  Tensor& greater_(const B& b, Location at = Location::here()) const {
    return self().gt_(b, at);
  }
  template <class B>
  Tensor greater_equal(const B& b, Location at = Location::here()) const {
    return self().ge(b, at);
  }
  template <class B>
  Tensor& greater_equal_(const B& b, Location at = Location::here()) const {
    return self().ge_(b, at);
  }
  template <class B>
  Tensor less(const B& b, Location at = Location::here()) const {
    return self().lt(b, at);
  }
  template <class B>
  Tensor& less_(const B& b, Location at = Location::here()) const {
    return self().lt_(b, at);
  }
  template <class B>
  Tensor less_equal(const B& b, Location at = Location::here()) const {
    return self().le(b, at);
  }
  template <class B>
  Tensor& less_equal_(const B& b, Location at = Location::here()) const {
    return self().le_(b, at);
  }
  template <class B>
  Tensor not_equal(const B& b, Location at = Location::here()) const {
    return self().ne(b, at);
  }
  template <class B>
  Tensor& not_equal_(const B& b, Location at = Location::here()) const {
    return self().ne_(b, at);
  }
  template <class B>
  Tensor multiply(const B& b, Location at = Location::here()) const {
    return self().mul(b, at);
  }
  template <class B>
  Tensor& multiply_(const B& b, Location at = Location::here()) const {
    return self().mul_(b, at);
  }
  template <class B>
  Tensor divide(const B& b, Location at = Location::here()) const {
    return self().div(b, at);
  }
  template <class B>
  Tensor& divide_(const B& b, Location at = Location::here()) const {
    return self().div_(b, at);
  }
  template <class B>
  Tensor true_divide(const B& b, Location at = Location::here()) const {
    return self().div(b, at);
  }
  template <class B>
  Tensor& true_divide_(const B& b, Location at = Location::here()) const {
    return self().div_(b, at);
  }
  template <class B>
  Tensor subtract(const B& b, Location at = Location::here()) const {
    return self().sub(b, 1, at);
  }
  template <class B>
  Tensor& subtract_(const B& b, Location at = Location::here()) const {
    return self().sub_(b, 1, at);
  }
  template <class B>
  Tensor arctan2(const B& b, Location at = Location::here()) const {
    return self().atan2(b, at);
  }
  template <class B>
  Tensor& arctan2_(const B& b, Location at = Location::here()) const {
    return self().atan2_(b, at);
  }
  template <class B>
  Tensor divide(const B& b, std::optional<std::string_view> rounding_mode, Location at = Location::here()) const {
    return self().div(b, rounding_mode, at);
  }
  template <class B>
  Tensor& divide_(const B& b, std::optional<std::string_view> rounding_mode, Location at = Location::here()) const {
    return self().div_(b, rounding_mode, at);
  }
  template <class B>
  Tensor subtract(const B& b, const Scalar& alpha, Location at = Location::here()) const {
    return self().sub(b, alpha, at);
  }
  template <class B>
  Tensor& subtract_(const B& b, const Scalar& alpha, Location at = Location::here()) const {
    return self().sub_(b, alpha, at);
  }
  Tensor clip(const std::optional<Scalar>& low, const std::optional<Scalar>& high = {},
              Location at = Location::here()) const {
    return self().clamp(low, high, at);
  }
  Tensor& clip_(const std::optional<Scalar>& low, const std::optional<Scalar>& high = {},
                Location at = Location::here()) const {
    return self().clamp_(low, high, at);
  }
  Tensor clip(OptionalOperand low, OptionalOperand high = {}, Location at = Location::here()) const {
    return self().clamp(low, high, at);
  }
  Tensor& clip_(OptionalOperand low, OptionalOperand high = {}, Location at = Location::here()) const {
    return self().clamp_(low, high, at);
  }

 private:
  const Tensor& self() const { return static_cast<const Tensor&>(*this); }
};

}  // namespace autograd

}  // namespace gradus
