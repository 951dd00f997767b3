// Sums, differences, products and quotients, of tensors and with numbers.
#include "../../core/base/fail.h"
#include "../../core/ops/pointwise.h"
#include "binary_operation.h"
#include "../graph/operation.h"

namespace gradus {

using namespace autograd;
using core::Array;

namespace {

// y = a + alpha b
struct Scaled {
  Scalar alpha;
  static constexpr auto fields = named("alpha", &Scaled::alpha);
};
Tensor scaled(const Tensor& dy, const Scalar& alpha) { return alpha == Scalar(1) ? dy : dy * alpha; }
struct Add {
  static constexpr std::string_view name = "add";
  static constexpr bool broadcasts = true, reads_stored = true;
  using Attrs = Scaled;
  static Array forward(const Attrs& c, const Array& a, const Array& b) { return core::add_scaled(a, b, c.alpha); }
  static void write(const Array& x, const Attrs& c, const Array& b) { core::add_scaled_out(x, x, b, c.alpha); }
  static constexpr auto gradients =
      formulas([](Dy<> dy) { return Tensor(dy); }, [](Dy<> dy, const Attrs& c) { return scaled(dy, c.alpha); });
};
// y = a - alpha b
struct Sub {
  static constexpr std::string_view name = "sub";
  static constexpr bool broadcasts = true, reads_stored = true;
  using Attrs = Scaled;
  static Array forward(const Attrs& c, const Array& a, const Array& b) {
    core::check_difference(a.dtype(), b.dtype());
    return c.alpha == Scalar(1) ? a - b : core::add_scaled(a, b, negated(c.alpha));
  }
  static void write(const Array& x, const Attrs& c, const Array& b) { core::add_scaled_out(x, x, b, negated(c.alpha)); }
  static constexpr auto gradients =
      formulas([](Dy<> dy) { return Tensor(dy); }, [](Dy<> dy, const Attrs& c) { return -scaled(dy, c.alpha); });
};
struct AddNumber : WithNumber<core::add> {
  static constexpr auto gradients = formulas([](Dy<> dy) { return Tensor(dy); });
};
struct SubNumber : WithNumber<core::sub> {
  static Array forward(const Attrs& c, const Array& x) {
    core::check_difference(x.dtype(), c.value.category());
    return core::sub(x, c.value);
  }
  static constexpr auto gradients = formulas([](Dy<> dy) { return Tensor(dy); });
};
// y = c - x
struct SubFromNumber {
  static constexpr std::string_view name = "rsub";
  static constexpr Batch batch = Batch::kEach;
  static constexpr bool reads_stored = true;
  using Attrs = Number;
  static Array forward(const Attrs& c, const Array& x) {
    core::check_difference(c.value.category(), x.dtype());
    return core::sub(c.value, x);
  }
  static constexpr auto gradients = formulas([](Dy<> dy) { return -dy; });
};
struct Mul : BinaryOperation<core::mul> {
  static constexpr auto gradients =
      formulas([](Dy<> dy, In<1> b) { return dy * b; }, [](Dy<> dy, In<0> a) { return dy * a; });
};
struct MulNumber : WithNumber<core::mul> {
  static constexpr auto gradients = formulas([](Dy<> dy, const Number& c) { return dy * c.value; });
};
struct Div : BinaryOperation<core::div> {
  // d(a/b)/db = -a/b^2, whose b^2 may overflow. The result is not used, though it would spare a division: it may be
  // changed in place.
  static constexpr auto gradients =
      formulas([](Dy<> dy, In<1> b) { return dy / b; }, [](Dy<> dy, In<0> a, In<1> b) { return -(dy * (a / b / b)); });
};
struct DivNumber : WithNumber<core::div> {
  static constexpr auto gradients = formulas([](Dy<> dy, const Number& c) { return dy / c.value; });
};

// y = c / x
struct NumberDiv {
  static constexpr std::string_view name = "rdiv";
  static constexpr Batch batch = Batch::kEach;
  using Attrs = Number;
  static Array forward(const Attrs& c, const Array& x) { return core::div(c.value, x); }
  static constexpr auto gradients =
      formulas([](Dy<> dy, In<0> x, const Number& c) { return -(dy * (c.value / x / x)); });
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
Tensor operator/(const Scalar& a, Operand b) { return apply<NumberDiv>({a}, b); }

Tensor& add_(Operand a, Operand b, const Scalar& alpha) { return apply_inplace<Add>({alpha}, a, b); }
Tensor& add_(Operand a, const Scalar& b, const Scalar& alpha) {
  return apply_inplace<AddNumber>({scaled(b, alpha)}, a);
}
Tensor& sub_(Operand a, Operand b, const Scalar& alpha) {
  return core::in_name_of("sub_", [&]() -> Tensor& {
    core::check_difference(a.tensor().dtype(), b.tensor().dtype());
    return apply_inplace<Sub>({alpha}, a, b);
  });
}
Tensor& sub_(Operand a, const Scalar& b, const Scalar& alpha) {
  return core::in_name_of("sub_", [&]() -> Tensor& {
    core::check_difference(a.tensor().dtype(), b.category());
    return apply_inplace<SubNumber>({scaled(b, alpha)}, a);
  });
}
Tensor& mul_(Operand a, Operand b) { return apply_inplace<Mul>({}, a, b); }
Tensor& mul_(Operand a, const Scalar& b) { return apply_inplace<MulNumber>({b}, a); }
Tensor& div_(Operand a, Operand b) { return apply_inplace<Div>({}, a, b); }
Tensor& div_(Operand a, const Scalar& b) { return apply_inplace<DivNumber>({b}, a); }

}  // namespace gradus
