// Operations on bits; logic and comparisons in place.
#pragma once

#include "../../core/array/array.h"
#include "../../core/base/export.h"
#include "../tensor/operand.h"

namespace gradus {

// Of bool and integers; DTypeError for floating-point numbers. None of these is differentiable.

GRADUS_API Tensor bitwise_and(Operand a, Operand b);
GRADUS_API Tensor bitwise_and(Operand a, const Scalar& b);
GRADUS_API Tensor& bitwise_and_(Operand a, Operand b);
GRADUS_API Tensor& bitwise_and_(Operand a, const Scalar& b);
GRADUS_API Tensor bitwise_or(Operand a, Operand b);
GRADUS_API Tensor bitwise_or(Operand a, const Scalar& b);
GRADUS_API Tensor& bitwise_or_(Operand a, Operand b);
GRADUS_API Tensor& bitwise_or_(Operand a, const Scalar& b);
GRADUS_API Tensor bitwise_xor(Operand a, Operand b);
GRADUS_API Tensor bitwise_xor(Operand a, const Scalar& b);
GRADUS_API Tensor& bitwise_xor_(Operand a, Operand b);
GRADUS_API Tensor& bitwise_xor_(Operand a, const Scalar& b);
/// Integers; a count that is negative or the dtype's width or more leaves 0, or -1 of a negative number shifted to the right.
GRADUS_API Tensor bitwise_left_shift(Operand a, Operand b);
GRADUS_API Tensor bitwise_left_shift(Operand a, const Scalar& b);
GRADUS_API Tensor& bitwise_left_shift_(Operand a, Operand b);
GRADUS_API Tensor& bitwise_left_shift_(Operand a, const Scalar& b);
GRADUS_API Tensor bitwise_right_shift(Operand a, Operand b);
GRADUS_API Tensor bitwise_right_shift(Operand a, const Scalar& b);
GRADUS_API Tensor& bitwise_right_shift_(Operand a, Operand b);
GRADUS_API Tensor& bitwise_right_shift_(Operand a, const Scalar& b);
GRADUS_API Tensor bitwise_not(Operand x);
GRADUS_API Tensor& bitwise_not_(Operand x);
/// The truth of logic and comparisons written into the first operand, in its dtype; its gradient is 0.
GRADUS_API Tensor& logical_not_(Operand x);
GRADUS_API Tensor& logical_and_(Operand a, Operand b);
GRADUS_API Tensor& logical_or_(Operand a, Operand b);
GRADUS_API Tensor& logical_xor_(Operand a, Operand b);
GRADUS_API Tensor& eq_(Operand a, Operand b);
GRADUS_API Tensor& eq_(Operand a, const Scalar& b);
GRADUS_API Tensor& ne_(Operand a, Operand b);
GRADUS_API Tensor& ne_(Operand a, const Scalar& b);
GRADUS_API Tensor& lt_(Operand a, Operand b);
GRADUS_API Tensor& lt_(Operand a, const Scalar& b);
GRADUS_API Tensor& le_(Operand a, Operand b);
GRADUS_API Tensor& le_(Operand a, const Scalar& b);
GRADUS_API Tensor& gt_(Operand a, Operand b);
GRADUS_API Tensor& gt_(Operand a, const Scalar& b);
GRADUS_API Tensor& ge_(Operand a, Operand b);
GRADUS_API Tensor& ge_(Operand a, const Scalar& b);

namespace autograd {

/// The members of Tensor that are functions of this header, with the tensor as their first operand. (The template's
/// parameter is Tensor itself: it makes the bodies wait until that is complete.)
template <class Tensor>
class LogicMembers {
 public:
  Tensor bitwise_and(const Tensor& b, Location at = Location::here()) const {
    return gradus::bitwise_and({self(), at}, {b, at});
  }
  Tensor bitwise_and(const Scalar& b, Location at = Location::here()) const {
    return gradus::bitwise_and({self(), at}, b);
  }
  Tensor& bitwise_and_(const Tensor& b, Location at = Location::here()) const {
    return gradus::bitwise_and_({self(), at}, {b, at});
  }
  Tensor& bitwise_and_(const Scalar& b, Location at = Location::here()) const {
    return gradus::bitwise_and_({self(), at}, b);
  }
  Tensor bitwise_or(const Tensor& b, Location at = Location::here()) const {
    return gradus::bitwise_or({self(), at}, {b, at});
  }
  Tensor bitwise_or(const Scalar& b, Location at = Location::here()) const {
    return gradus::bitwise_or({self(), at}, b);
  }
  Tensor& bitwise_or_(const Tensor& b, Location at = Location::here()) const {
    return gradus::bitwise_or_({self(), at}, {b, at});
  }
  Tensor& bitwise_or_(const Scalar& b, Location at = Location::here()) const {
    return gradus::bitwise_or_({self(), at}, b);
  }
  Tensor bitwise_xor(const Tensor& b, Location at = Location::here()) const {
    return gradus::bitwise_xor({self(), at}, {b, at});
  }
  Tensor bitwise_xor(const Scalar& b, Location at = Location::here()) const {
    return gradus::bitwise_xor({self(), at}, b);
  }
  Tensor& bitwise_xor_(const Tensor& b, Location at = Location::here()) const {
    return gradus::bitwise_xor_({self(), at}, {b, at});
  }
  Tensor& bitwise_xor_(const Scalar& b, Location at = Location::here()) const {
    return gradus::bitwise_xor_({self(), at}, b);
  }
  Tensor bitwise_left_shift(const Tensor& b, Location at = Location::here()) const {
    return gradus::bitwise_left_shift({self(), at}, {b, at});
  }
  Tensor bitwise_left_shift(const Scalar& b, Location at = Location::here()) const {
    return gradus::bitwise_left_shift({self(), at}, b);
  }
  Tensor& bitwise_left_shift_(const Tensor& b, Location at = Location::here()) const {
    return gradus::bitwise_left_shift_({self(), at}, {b, at});
  }
  Tensor& bitwise_left_shift_(const Scalar& b, Location at = Location::here()) const {
    return gradus::bitwise_left_shift_({self(), at}, b);
  }
  Tensor bitwise_right_shift(const Tensor& b, Location at = Location::here()) const {
    return gradus::bitwise_right_shift({self(), at}, {b, at});
  }
  Tensor bitwise_right_shift(const Scalar& b, Location at = Location::here()) const {
    return gradus::bitwise_right_shift({self(), at}, b);
  }
  Tensor& bitwise_right_shift_(const Tensor& b, Location at = Location::here()) const {
    return gradus::bitwise_right_shift_({self(), at}, {b, at});
  }
  Tensor& bitwise_right_shift_(const Scalar& b, Location at = Location::here()) const {
    return gradus::bitwise_right_shift_({self(), at}, b);
  }
  Tensor bitwise_not(Location at = Location::here()) const { return gradus::bitwise_not({self(), at}); }
  Tensor& bitwise_not_(Location at = Location::here()) const { return gradus::bitwise_not_({self(), at}); }
  Tensor& logical_not_(Location at = Location::here()) const { return gradus::logical_not_({self(), at}); }
  Tensor& logical_and_(const Tensor& b, Location at = Location::here()) const {
    return gradus::logical_and_({self(), at}, {b, at});
  }
  Tensor& logical_or_(const Tensor& b, Location at = Location::here()) const {
    return gradus::logical_or_({self(), at}, {b, at});
  }
  Tensor& logical_xor_(const Tensor& b, Location at = Location::here()) const {
    return gradus::logical_xor_({self(), at}, {b, at});
  }
  Tensor& eq_(const Tensor& b, Location at = Location::here()) const { return gradus::eq_({self(), at}, {b, at}); }
  Tensor& eq_(const Scalar& b, Location at = Location::here()) const { return gradus::eq_({self(), at}, b); }
  Tensor& ne_(const Tensor& b, Location at = Location::here()) const { return gradus::ne_({self(), at}, {b, at}); }
  Tensor& ne_(const Scalar& b, Location at = Location::here()) const { return gradus::ne_({self(), at}, b); }
  Tensor& lt_(const Tensor& b, Location at = Location::here()) const { return gradus::lt_({self(), at}, {b, at}); }
  Tensor& lt_(const Scalar& b, Location at = Location::here()) const { return gradus::lt_({self(), at}, b); }
  Tensor& le_(const Tensor& b, Location at = Location::here()) const { return gradus::le_({self(), at}, {b, at}); }
  Tensor& le_(const Scalar& b, Location at = Location::here()) const { return gradus::le_({self(), at}, b); }
  Tensor& gt_(const Tensor& b, Location at = Location::here()) const { return gradus::gt_({self(), at}, {b, at}); }
  Tensor& gt_(const Scalar& b, Location at = Location::here()) const { return gradus::gt_({self(), at}, b); }
  Tensor& ge_(const Tensor& b, Location at = Location::here()) const { return gradus::ge_({self(), at}, {b, at}); }
  Tensor& ge_(const Scalar& b, Location at = Location::here()) const { return gradus::ge_({self(), at}, b); }

 private:
  const Tensor& self() const { return static_cast<const Tensor&>(*this); }
};

}  // namespace autograd

}  // namespace gradus
