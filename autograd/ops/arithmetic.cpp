// Sums, differences, products and quotients, of tensors and with numbers, and their in-place forms. An in-place form is
// its operation with another name and a way to write over the first operand: both have one set of formulas.
#include "../../core/base/fail.h"
#include "../../core/ops/pointwise.h"
#include "binary_operation.h"
#include "../graph/operation.h"

namespace gradus {

using namespace autograd;
using core::Array;
using core::Binary;

namespace {

// y = a + alpha b
struct Scaled {
  Scalar alpha;
  template <class V>
  void visit(V&& v) const {
    v("alpha", alpha);
  }
};
Tensor scaled(const Tensor& dy, const Scalar& alpha) { return alpha == Scalar(1) ? dy : dy * alpha; }
struct Add {
  static constexpr std::string_view name = "add";
  static constexpr bool broadcasts = true;
  using Attrs = Scaled;
  static Array forward(const Attrs& c, const Array& a, const Array& b) { return core::add_scaled(a, b, c.alpha); }
  static void write(const Array& x, const Attrs& c, const Array& b) { core::add_scaled_out(x, x, b, c.alpha); }
  static constexpr auto gradients =
      formulas([](Dy<> dy) { return Tensor(dy); }, [](Dy<> dy, const Attrs& c) { return scaled(dy, c.alpha); });
};
// y = a - alpha b
struct Sub {
  static constexpr std::string_view name = "sub";
  static constexpr bool broadcasts = true;
  using Attrs = Scaled;
  static Array forward(const Attrs& c, const Array& a, const Array& b) {
    core::check_difference(a.dtype(), b.dtype());
    return c.alpha == Scalar(1) ? a - b : core::add_scaled(a, b, negated(c.alpha));
  }
  static void write(const Array& x, const Attrs& c, const Array& b) { core::add_scaled_out(x, x, b, negated(c.alpha)); }
  static constexpr auto gradients =
      formulas([](Dy<> dy) { return Tensor(dy); }, [](Dy<> dy, const Attrs& c) { return -scaled(dy, c.alpha); });
};
struct AddNumber : WithNumber<Binary::Add> {
  static constexpr auto gradients = formulas([](Dy<> dy) { return Tensor(dy); });
};
struct SubNumber : WithNumber<Binary::Sub> {
  static Array forward(const Attrs& c, const Array& x) {
    core::check_difference(x.dtype(), c.value.category());
    return core::binary(Binary::Sub, x, c.value);
  }
  static constexpr auto gradients = formulas([](Dy<> dy) { return Tensor(dy); });
};
// y = c - x
struct SubFromNumber {
  static constexpr std::string_view name = "rsub";
  using Attrs = Number;
  static Array forward(const Attrs& c, const Array& x) {
    core::check_difference(c.value.category(), x.dtype());
    return core::binary(Binary::Sub, c.value, x);
  }
  static constexpr auto gradients = formulas([](Dy<> dy) { return -dy; });
};
struct Mul : BinaryOperation<Binary::Mul> {
  static constexpr auto gradients =
      formulas([](Dy<> dy, In<1> b) { return dy * b; }, [](Dy<> dy, In<0> a) { return dy * a; });
};
struct MulNumber : WithNumber<Binary::Mul> {
  static constexpr auto gradients = formulas([](Dy<> dy, const Number& c) { return dy * c.value; });
};
struct Div : BinaryOperation<Binary::Div> {
  // d(a/b)/db = -a/b^2, whose b^2 may overflow. The result is not used, though it would spare a division: it may be
  // changed in place.
  static constexpr auto gradients =
      formulas([](Dy<> dy, In<1> b) { return dy / b; }, [](Dy<> dy, In<0> a, In<1> b) { return -(dy * (a / b / b)); });
};
struct DivNumber : WithNumber<Binary::Div> {
  static constexpr auto gradients = formulas([](Dy<> dy, const Number& c) { return dy / c.value; });
};

struct AddTo : Add {
  static constexpr std::string_view name = "add_";
};
struct SubFrom : Sub {
  static constexpr std::string_view name = "sub_";
};
struct MulInto : Mul {
  static constexpr std::string_view name = "mul_";
};
struct DivInto : Div {
  static constexpr std::string_view name = "div_";
};
struct AddNumberTo : AddNumber {
  static constexpr std::string_view name = "add_";
};
struct SubNumberFrom : SubNumber {
  static constexpr std::string_view name = "sub_";
};
struct MulNumberInto : MulNumber {
  static constexpr std::string_view name = "mul_";
};
struct DivNumberInto : DivNumber {
  static constexpr std::string_view name = "div_";
};

// b alpha as one number.
Scalar scaled(const Scalar& b, const Scalar& alpha) { return alpha == Scalar(1) ? b : product(b, alpha); }

}  // namespace

Tensor add(Operand a, Operand b, const Scalar& alpha) { return apply<Add>({alpha}, a, b); }
Tensor add(Operand a, const Scalar& b, const Scalar& alpha) { return apply<AddNumber>({scaled(b, alpha)}, a); }
Tensor sub(Operand a, Operand b, const Scalar& alpha) {
  return core::in_name_of("sub", [&] { return apply<Sub>({alpha}, a, b); });
}
Tensor sub(Operand a, const Scalar& b, const Scalar& alpha) { return apply<SubNumber>({scaled(b, alpha)}, a); }
Tensor rsub(Operand a, const Scalar& b) { return apply<SubFromNumber>({b}, a); }
Tensor mul(Operand a, Operand b) { return apply<Mul>(a, b); }
Tensor mul(Operand a, const Scalar& b) { return apply<MulNumber>({b}, a); }
Tensor div(Operand a, Operand b) { return apply<Div>(a, b); }
Tensor div(Operand a, const Scalar& b) { return apply<DivNumber>({b}, a); }

const Tensor& Tensor::add_(const Tensor& b, const Scalar& alpha, Location at) const {
  apply_inplace<AddTo>({alpha}, {*this, at}, Operand(b, at));
  return *this;
}
const Tensor& Tensor::add_(const Scalar& b, const Scalar& alpha, Location at) const {
  apply_inplace<AddNumberTo>({scaled(b, alpha)}, {*this, at});
  return *this;
}
const Tensor& Tensor::sub_(const Tensor& b, const Scalar& alpha, Location at) const {
  return core::in_name_of("sub_", [&]() -> const Tensor& {
    core::check_difference(dtype(), b.dtype());
    return apply_inplace<SubFrom>({alpha}, {*this, at}, Operand(b, at));
  });
}
const Tensor& Tensor::sub_(const Scalar& b, const Scalar& alpha, Location at) const {
  core::in_name_of("sub_", [&] { core::check_difference(dtype(), b.category()); });
  apply_inplace<SubNumberFrom>({scaled(b, alpha)}, {*this, at});
  return *this;
}
const Tensor& Tensor::mul_(const Tensor& b, Location at) const {
  apply_inplace<MulInto>({}, {*this, at}, Operand(b, at));
  return *this;
}
const Tensor& Tensor::mul_(const Scalar& b, Location at) const {
  apply_inplace<MulNumberInto>({b}, {*this, at});
  return *this;
}
const Tensor& Tensor::div_(const Tensor& b, Location at) const {
  apply_inplace<DivInto>({}, {*this, at}, Operand(b, at));
  return *this;
}
const Tensor& Tensor::div_(const Scalar& b, Location at) const {
  apply_inplace<DivNumberInto>({b}, {*this, at});
  return *this;
}

}  // namespace gradus
