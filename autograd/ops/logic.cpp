// Operations on bits, and logic and comparisons in place: none of them has a gradient, but what they overwrite has one of 0.
#include "logic.h"

#include "../../core/ops/bitwise.h"
#include "../graph/operation.h"
#include "rewrite.h"

namespace gradus {

using namespace autograd;
using core::Array;
using core::Bitwise;

namespace {

// x <- f(x's numbers), which no gradient flows through.
template <class F>
Tensor& in_place(const char* op, const Operand& x, const F& f) {
  return core::in_name_of(op, [&]() -> Tensor& { return x.tensor().copy_(Tensor(f(x.tensor().array())), x.at()); });
}
template <const core::BinaryRow& row>
Tensor& in_place(const char* op, const Operand& a, const Operand& b) {
  return in_place(op, a, [&](const Array& x) { return row(x, b.tensor().array()); });
}
template <const core::BinaryRow& row>
Tensor& in_place(const char* op, const Operand& a, const Scalar& b) {
  return in_place(op, a, [&](const Array& x) { return row(x, b); });
}
// The same for numbers, which keep what they are.
template <class B>
Tensor& bits_in_place(Bitwise op, const char* name, const Operand& a, const B& b) {
  return core::in_name_of(name, [&]() -> Tensor& {
    const Array result = core::bitwise(op, a.tensor().array(), b);
    core::check_castable(name, result.dtype(), a.tensor().dtype());
    a.tensor().copy_(Tensor(result), a.at());
    return written_as(name, a);
  });
}

}  // namespace

Tensor bitwise_and(Operand a, Operand b) {
  return Tensor(core::bitwise(Bitwise::And, a.tensor().array(), b.tensor().array()));
}
Tensor& bitwise_and_(Operand a, Operand b) {
  return bits_in_place(Bitwise::And, "bitwise_and_", a, b.tensor().array());
}
Tensor bitwise_and(Operand a, const Scalar& b) { return Tensor(core::bitwise(Bitwise::And, a.tensor().array(), b)); }
Tensor& bitwise_and_(Operand a, const Scalar& b) { return bits_in_place(Bitwise::And, "bitwise_and_", a, b); }
Tensor bitwise_or(Operand a, Operand b) {
  return Tensor(core::bitwise(Bitwise::Or, a.tensor().array(), b.tensor().array()));
}
Tensor& bitwise_or_(Operand a, Operand b) { return bits_in_place(Bitwise::Or, "bitwise_or_", a, b.tensor().array()); }
Tensor bitwise_or(Operand a, const Scalar& b) { return Tensor(core::bitwise(Bitwise::Or, a.tensor().array(), b)); }
Tensor& bitwise_or_(Operand a, const Scalar& b) { return bits_in_place(Bitwise::Or, "bitwise_or_", a, b); }
Tensor bitwise_xor(Operand a, Operand b) {
  return Tensor(core::bitwise(Bitwise::Xor, a.tensor().array(), b.tensor().array()));
}
Tensor& bitwise_xor_(Operand a, Operand b) {
  return bits_in_place(Bitwise::Xor, "bitwise_xor_", a, b.tensor().array());
}
Tensor bitwise_xor(Operand a, const Scalar& b) { return Tensor(core::bitwise(Bitwise::Xor, a.tensor().array(), b)); }
Tensor& bitwise_xor_(Operand a, const Scalar& b) { return bits_in_place(Bitwise::Xor, "bitwise_xor_", a, b); }
Tensor bitwise_left_shift(Operand a, Operand b) {
  return Tensor(core::bitwise(Bitwise::LeftShift, a.tensor().array(), b.tensor().array()));
}
Tensor& bitwise_left_shift_(Operand a, Operand b) {
  return bits_in_place(Bitwise::LeftShift, "bitwise_left_shift_", a, b.tensor().array());
}
Tensor bitwise_left_shift(Operand a, const Scalar& b) {
  return Tensor(core::bitwise(Bitwise::LeftShift, a.tensor().array(), b));
}
Tensor& bitwise_left_shift_(Operand a, const Scalar& b) {
  return bits_in_place(Bitwise::LeftShift, "bitwise_left_shift_", a, b);
}
Tensor bitwise_right_shift(Operand a, Operand b) {
  return Tensor(core::bitwise(Bitwise::RightShift, a.tensor().array(), b.tensor().array()));
}
Tensor& bitwise_right_shift_(Operand a, Operand b) {
  return bits_in_place(Bitwise::RightShift, "bitwise_right_shift_", a, b.tensor().array());
}
Tensor bitwise_right_shift(Operand a, const Scalar& b) {
  return Tensor(core::bitwise(Bitwise::RightShift, a.tensor().array(), b));
}
Tensor& bitwise_right_shift_(Operand a, const Scalar& b) {
  return bits_in_place(Bitwise::RightShift, "bitwise_right_shift_", a, b);
}
Tensor bitwise_not(Operand x) { return Tensor(core::bitwise_not(x.tensor().array())); }
Tensor& bitwise_not_(Operand x) {
  return in_place("bitwise_not_", x, [](const Array& a) { return core::bitwise_not(a); });
}
Tensor& logical_not_(Operand x) {
  return in_place("logical_not_", x, [](const Array& a) { return core::logical_not(a); });
}
Tensor& logical_and_(Operand a, Operand b) { return in_place<core::logical_and>("logical_and_", a, b); }
Tensor& logical_or_(Operand a, Operand b) { return in_place<core::logical_or>("logical_or_", a, b); }
Tensor& logical_xor_(Operand a, Operand b) { return in_place<core::logical_xor>("logical_xor_", a, b); }
Tensor& eq_(Operand a, Operand b) { return in_place<core::eq>("eq_", a, b); }
Tensor& eq_(Operand a, const Scalar& b) { return in_place<core::eq>("eq_", a, b); }
Tensor& ne_(Operand a, Operand b) { return in_place<core::ne>("ne_", a, b); }
Tensor& ne_(Operand a, const Scalar& b) { return in_place<core::ne>("ne_", a, b); }
Tensor& lt_(Operand a, Operand b) { return in_place<core::lt>("lt_", a, b); }
Tensor& lt_(Operand a, const Scalar& b) { return in_place<core::lt>("lt_", a, b); }
Tensor& le_(Operand a, Operand b) { return in_place<core::le>("le_", a, b); }
Tensor& le_(Operand a, const Scalar& b) { return in_place<core::le>("le_", a, b); }
Tensor& gt_(Operand a, Operand b) { return in_place<core::gt>("gt_", a, b); }
Tensor& gt_(Operand a, const Scalar& b) { return in_place<core::gt>("gt_", a, b); }
Tensor& ge_(Operand a, Operand b) { return in_place<core::ge>("ge_", a, b); }
Tensor& ge_(Operand a, const Scalar& b) { return in_place<core::ge>("ge_", a, b); }
}  // namespace gradus
