// Pointwise operations and their gradients. A formula reads like the table in a calculus book: dy is dL/dy, In<i> the
// i-th operand, Out<> the result.
#include "../../core/ops/pointwise.h"

#include <cmath>
#include <limits>

#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "activation.h"
#include "binary_operation.h"
#include "../graph/operation.h"

namespace gradus {

using namespace autograd;
using core::Array;
using core::Binary;
using core::Unary;

namespace {

template <Unary U>
struct UnaryOperation {
  static constexpr std::string_view name = core::name_of(U);
  static Array forward(const Array& x) { return core::unary(U, x); }
};
// Zeros, also where dy is infinite or NaN.
Tensor none_of(const Tensor& dy) { return Tensor(core::zeros(dy.sizes(), dy.dtype())); }
// Constant where it is smooth: no gradient flows.
template <Unary U>
struct Flat : UnaryOperation<U> {
  static constexpr auto gradients = formulas([](Dy<> dy) { return none_of(dy); });
};

struct Neg : UnaryOperation<Unary::Neg> {
  static constexpr auto gradients = formulas([](Dy<> dy) { return -dy; });
};
struct Abs : UnaryOperation<Unary::Abs> {
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy * sign(x); });
};
struct Relu : UnaryOperation<Unary::Relu> {
  static constexpr auto gradients = formulas([](Dy<> dy, Out<> y) { return masked_fill(dy, y <= 0, 0); });
};
struct Square : UnaryOperation<Unary::Square> {
  static Array forward(const Array& x) { return core::unary(Unary::Square, x.dtype() == kBool ? x.to(kInt64) : x); }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy * (x * 2); });
};
struct Sqrt : UnaryOperation<Unary::Sqrt> {
  static constexpr auto gradients = formulas([](Dy<> dy, Out<> y) { return dy / (y * 2); });
};
struct Rsqrt : UnaryOperation<Unary::Rsqrt> {
  static constexpr auto gradients = formulas([](Dy<> dy, Out<> y) { return dy * (pow(y, 3) * -0.5); });
};
struct Reciprocal : UnaryOperation<Unary::Reciprocal> {
  static constexpr auto gradients = formulas([](Dy<> dy, Out<> y) { return dy * -square(y); });
};
struct Exp : UnaryOperation<Unary::Exp> {
  static constexpr auto gradients = formulas([](Dy<> dy, Out<> y) { return dy * y; });
};
struct Exp2 : UnaryOperation<Unary::Exp2> {
  static constexpr auto gradients = formulas([](Dy<> dy, Out<> y) { return dy * (y * 0.693147180559945309417); });
};
struct Expm1 : UnaryOperation<Unary::Expm1> {
  // Not y + 1, of which nothing is left where y is near -1.
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return exp_times(dy, x); });
};
struct Log : UnaryOperation<Unary::Log> {
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy / x; });
};
struct Log1p : UnaryOperation<Unary::Log1p> {
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy / (x + 1); });
};
struct Log2 : UnaryOperation<Unary::Log2> {
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy / (x * 0.693147180559945309417); });
};
struct Log10 : UnaryOperation<Unary::Log10> {
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy / (x * 2.302585092994045684018); });
};
struct Sin : UnaryOperation<Unary::Sin> {
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy * cos(x); });
};
struct Cos : UnaryOperation<Unary::Cos> {
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return -(dy * sin(x)); });
};
struct Tan : UnaryOperation<Unary::Tan> {
  static constexpr auto gradients = formulas([](Dy<> dy, Out<> y) { return dy * (square(y) + 1); });
};
// 1 / sqrt(1 - x^2), where 1 - x and 1 + x lose nothing near their zeros.
Tensor arc_slope(const Tensor& x) { return rsqrt((1 - x) * (1 + x)); }
struct Asin : UnaryOperation<Unary::Asin> {
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy * arc_slope(x); });
};
struct Acos : UnaryOperation<Unary::Acos> {
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return -(dy * arc_slope(x)); });
};
struct Atan : UnaryOperation<Unary::Atan> {
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy / (square(x) + 1); });
};
struct Sinh : UnaryOperation<Unary::Sinh> {
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy * cosh(x); });
};
struct Cosh : UnaryOperation<Unary::Cosh> {
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy * sinh(x); });
};
struct Tanh : UnaryOperation<Unary::Tanh> {
  static constexpr auto gradients = formulas([](Dy<> dy, Out<> y) { return tanh_backward(dy, y); });
};
struct Sigmoid : UnaryOperation<Unary::Sigmoid> {
  static constexpr auto gradients = formulas([](Dy<> dy, Out<> y) { return sigmoid_backward(dy, y); });
};
struct Erf : UnaryOperation<Unary::Erf> {
  static constexpr double kTwoOverSqrtPi = 1.128379167095512573896;
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy * (exp(-square(x)) * kTwoOverSqrtPi); });
};

// dy times a factor, 0 where the mask is set, whatever dy and the factor are there. With respect to dy the gradient is 0
// there, too, where that of a masked product would be 0 times the factor; with respect to what the factor is made of it is 0
// times infinity, NaN, where that has no derivative.
Tensor masked_product(const Tensor& dy, const Tensor& factor, const Tensor& mask) {
  return masked_fill(dy, mask, 0) * masked_fill(factor, mask, 0);
}

Tensor power_log(const Tensor& a, const Tensor& b, const Tensor& power);
// y = a^b ln a, its limit 0 at a = 0 for b > 0:  dy/da = a^(b - 1) (1 + b ln a),  dy/db = y ln a. `power`: the value of a^b.
struct PowerLog {
  static constexpr std::string_view name = "power_log";
  static constexpr bool broadcasts = true;
  static Array vanishes(const Array& a, const Array& b) {
    return core::binary(Binary::LogicalAnd, core::binary(Binary::Eq, a, 0), core::binary(Binary::Gt, b, 0));
  }
  static Array forward(const Array& a, const Array& b, const Array& power) {
    return core::where(vanishes(a, b), 0, power * core::log(a));
  }
  static constexpr auto gradients = formulas(
      [](Dy<> dy, In<0> a, In<1> b) {
        const Tensor c = b - 1, power = pow(a, c);
        return dy * (power + b * power_log(a, c, power));
      },
      [](Dy<> dy, In<0> a, In<1> b, In<2> power) {
        const Tensor log_a = log(masked_fill(a, Tensor(vanishes(a.array(), b.array())), 1));
        return dy * (power_log(a, b, power) * log_a);
      },
      no_gradient);
};
Tensor power_log(const Tensor& a, const Tensor& b, const Tensor& power) {
  return apply<PowerLog>(a, b, power.detach());
}

// y = a^b. The gradient of a vanishes where b = 0, and that of b where a = 0 and b >= 0, also where the formula says
// 0 x inf.
struct Pow : BinaryOperation<Binary::Pow> {
  static constexpr auto gradients = formulas(
      [](Dy<> dy, In<0> a, In<1> b) {
        const Tensor slope = b * pow(a, b - 1), constant = b == 0;
        if (!any(constant).item<bool>()) return dy * slope;
        return masked_product(dy, slope, logical_and(constant, isnan(slope)));
      },
      [](Dy<> dy, In<0> a, In<1> b, Out<> y) {
        const Tensor zero = a == 0;
        if (!any(zero).item<bool>()) return dy * (y * log(a));
        return masked_product(dy, power_log(a, b, y), logical_and(zero, b >= 0));
      });
};
struct PowNumber : WithNumber<Binary::Pow> {
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x, const Number& c) -> Tensor {
    const double p = c.value.toDouble();
    if (p == 0) return none_of(dy);
    if (p == 1) return dy;
    if (p == 2) return dy * (x * 2);
    return dy * (pow(x, p - 1) * p);
  });
};
// y = c^b
struct NumberPow {
  static constexpr std::string_view name = "rpow";
  using Attrs = Number;
  static Array forward(const Attrs& c, const Array& b) { return core::binary(Binary::Pow, c.value, b); }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> b, Out<> y, const Number& c) {
    const double base = c.value.toDouble();
    if (base != 0) return dy * (y * std::log(base));
    const Array log = core::where(core::binary(Binary::Ge, b.array(), 0), 0, -INFINITY);  // y = 0 or 1 does without
    return dy * (y * Tensor(log.to(y.dtype())));
  });
};

// The share of the gradient that goes to a of maximum(a, b): none where it loses, half where they tie.
Tensor share(const Tensor& dy, const Tensor& loses, const Tensor& ties) {
  return masked_fill(dy * (1 - ties.to(dy.dtype()) * 0.5), loses, 0);
}
struct Maximum : BinaryOperation<Binary::Maximum> {
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> a, In<1> b) { return share(dy, a < b, a == b); },
                                             [](Dy<> dy, In<0> a, In<1> b) { return share(dy, b < a, a == b); });
};
struct Minimum : BinaryOperation<Binary::Minimum> {
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> a, In<1> b) { return share(dy, a > b, a == b); },
                                             [](Dy<> dy, In<0> a, In<1> b) { return share(dy, b > a, a == b); });
};
// y = a - q b, where q is a / b cut off (Fmod) or rounded down (Remainder): dL/db = -dy q. Of the quotient that y was computed
// with: a / b itself may round to the next whole number. It is constant where it is smooth.
template <Binary B>
struct Modulo : BinaryOperation<B> {
  static Tensor quotient(const Array& a, const Array& b) {
    const Array rest = core::binary(B, a, b);
    const Array share = core::where(core::binary(Binary::Eq, rest, b), 1, rest / b);  // infinite ones, too
    return Tensor(core::unary(Unary::Round, a / b - share));
  }
  static constexpr auto gradients =
      formulas([](Dy<> dy) { return Tensor(dy); },
               [](Dy<> dy, In<0> a, In<1> b) { return -(dy * quotient(a.array(), b.array())); });
};
// dL/da = dy b / (a^2 + b^2), dL/db = -dy a / (a^2 + b^2); 0 at the origin, as PyTorch's.
struct Atan2 : BinaryOperation<Binary::Atan2> {
  // x / (a^2 + b^2), x one of the two. Where squares over- or underflow, by way of numbers near 1: that scale cancels, and
  // is a constant to the gradient. An infinite one would not cancel.
  static Tensor over_squares(const Tensor& x, const Tensor& a, const Tensor& b) {
    const Tensor squares = square(a) + square(b);
    if (squares.numel() == 0 || (amin(squares).item<double>() > 1e-30 && amax(squares).item<double>() < 1e38)) {
      return x / squares;
    }
    const Array largest = core::binary(Binary::Maximum, core::abs(a.array()), core::abs(b.array()));
    const Tensor scale(
        core::where(core::binary(Binary::Lt, largest, std::numeric_limits<double>::infinity()), largest, 1));
    return masked_fill(x / scale / (square(a / scale) + square(b / scale)) / scale, scale == 0, 0);
  }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> a, In<1> b) { return dy * over_squares(b, a, b); },
                                             [](Dy<> dy, In<0> a, In<1> b) { return -(dy * over_squares(a, a, b)); });
};

struct Where {
  static constexpr std::string_view name = "where";
  static constexpr bool broadcasts = true;
  static Array forward(const Array& condition, const Array& a, const Array& b) { return core::where(condition, a, b); }
  static constexpr auto gradients = formulas(
      no_gradient, [](Dy<> dy, In<0> condition) { return masked_fill(dy, !condition, 0); },
      [](Dy<> dy, In<0> condition) { return masked_fill(dy, condition, 0); });
};
struct MaskedFill {
  static constexpr std::string_view name = "masked_fill";
  static constexpr bool broadcasts = true;
  using Attrs = Number;
  static Array forward(const Attrs& c, const Array& x, const Array& mask) {
    if (mask.dtype() != kBool) {
      core::fail<DTypeError>("masked_fill: the mask must be bool: {}; a comparison gives one", mask.dtype());
    }
    return core::where(mask, core::scalar(c.value, x.dtype()), x);
  }
  static constexpr auto gradients = formulas([](Dy<> dy, In<1> mask) { return masked_fill(dy, mask, 0); }, no_gradient);
};
struct Clamp {
  static constexpr std::string_view name = "clamp";
  struct Attrs {
    std::optional<Scalar> low, high;
    template <class V>
    void visit(V&& v) const {
      v("low", low);
      v("high", high);
    }
  };
  static Array forward(const Attrs& c, const Array& x) { return core::clamp(x, c.low, c.high); }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x, const Attrs& c) {
    Tensor dx = dy;
    if (c.low) dx = masked_fill(dx, !(x >= *c.low), 0);
    if (c.high) dx = masked_fill(dx, !(x <= *c.high), 0);
    return dx;
  });
};

template <Binary B>
Tensor comparison(const Operand& a, const Operand& b) {
  return Tensor(core::binary(B, a.tensor().array(), b.tensor().array()));
}
template <Binary B>
Tensor comparison(const Operand& a, const Scalar& b) {
  return Tensor(core::binary(B, a.tensor().array(), b));
}
template <Unary U>
Tensor predicate(const Operand& x) {
  return Tensor(core::unary(U, x.tensor().array()));
}

}  // namespace

Tensor neg(Operand x) { return apply<Neg>(x); }
Tensor abs(Operand x) { return apply<Abs>(x); }
Tensor square(Operand x) { return apply<Square>(x); }
Tensor relu(Operand x) { return apply<Relu>(x); }
Tensor sqrt(Operand x) { return apply<Sqrt>(x); }
Tensor rsqrt(Operand x) { return apply<Rsqrt>(x); }
Tensor reciprocal(Operand x) { return apply<Reciprocal>(x); }
Tensor exp(Operand x) { return apply<Exp>(x); }
Tensor exp2(Operand x) { return apply<Exp2>(x); }
Tensor expm1(Operand x) { return apply<Expm1>(x); }
Tensor log(Operand x) { return apply<Log>(x); }
Tensor log1p(Operand x) { return apply<Log1p>(x); }
Tensor log2(Operand x) { return apply<Log2>(x); }
Tensor log10(Operand x) { return apply<Log10>(x); }
Tensor sin(Operand x) { return apply<Sin>(x); }
Tensor cos(Operand x) { return apply<Cos>(x); }
Tensor tan(Operand x) { return apply<Tan>(x); }
Tensor asin(Operand x) { return apply<Asin>(x); }
Tensor acos(Operand x) { return apply<Acos>(x); }
Tensor atan(Operand x) { return apply<Atan>(x); }
Tensor sinh(Operand x) { return apply<Sinh>(x); }
Tensor cosh(Operand x) { return apply<Cosh>(x); }
Tensor tanh(Operand x) { return apply<Tanh>(x); }
Tensor sigmoid(Operand x) { return apply<Sigmoid>(x); }
Tensor erf(Operand x) { return apply<Erf>(x); }
Tensor sign(Operand x) { return apply<Flat<Unary::Sign>>(x); }
Tensor floor(Operand x) { return apply<Flat<Unary::Floor>>(x); }
Tensor ceil(Operand x) { return apply<Flat<Unary::Ceil>>(x); }
Tensor round(Operand x) { return apply<Flat<Unary::Round>>(x); }
Tensor trunc(Operand x) { return apply<Flat<Unary::Trunc>>(x); }
Tensor isnan(Operand x) { return predicate<Unary::IsNan>(x); }
Tensor isinf(Operand x) { return predicate<Unary::IsInf>(x); }
Tensor isfinite(Operand x) { return predicate<Unary::IsFinite>(x); }
Tensor logical_not(Operand x) { return predicate<Unary::LogicalNot>(x); }

Tensor pow(Operand a, Operand b) { return apply<Pow>(a, b); }
Tensor pow(Operand a, const Scalar& b) { return apply<PowNumber>({b}, a); }
Tensor pow(const Scalar& a, Operand b) { return apply<NumberPow>({a}, b); }
Tensor maximum(Operand a, Operand b) { return apply<Maximum>(a, b); }
Tensor minimum(Operand a, Operand b) { return apply<Minimum>(a, b); }
Tensor fmod(Operand a, Operand b) { return apply<Modulo<Binary::Fmod>>(a, b); }
Tensor remainder(Operand a, Operand b) { return apply<Modulo<Binary::Remainder>>(a, b); }
Tensor atan2(Operand a, Operand b) { return apply<Atan2>(a, b); }
Tensor eq(Operand a, Operand b) { return comparison<Binary::Eq>(a, b); }
Tensor eq(Operand a, const Scalar& b) { return comparison<Binary::Eq>(a, b); }
Tensor ne(Operand a, Operand b) { return comparison<Binary::Ne>(a, b); }
Tensor ne(Operand a, const Scalar& b) { return comparison<Binary::Ne>(a, b); }
Tensor lt(Operand a, Operand b) { return comparison<Binary::Lt>(a, b); }
Tensor lt(Operand a, const Scalar& b) { return comparison<Binary::Lt>(a, b); }
Tensor le(Operand a, Operand b) { return comparison<Binary::Le>(a, b); }
Tensor le(Operand a, const Scalar& b) { return comparison<Binary::Le>(a, b); }
Tensor gt(Operand a, Operand b) { return comparison<Binary::Gt>(a, b); }
Tensor gt(Operand a, const Scalar& b) { return comparison<Binary::Gt>(a, b); }
Tensor ge(Operand a, Operand b) { return comparison<Binary::Ge>(a, b); }
Tensor ge(Operand a, const Scalar& b) { return comparison<Binary::Ge>(a, b); }
Tensor logical_and(Operand a, Operand b) { return comparison<Binary::LogicalAnd>(a, b); }
Tensor logical_or(Operand a, Operand b) { return comparison<Binary::LogicalOr>(a, b); }
Tensor logical_xor(Operand a, Operand b) { return comparison<Binary::LogicalXor>(a, b); }
Tensor where(Operand condition, Operand a, Operand b) { return apply<Where>(condition, a, b); }
Tensor where(Operand condition, Operand a, const Scalar& b) {
  const Tensor number(core::scalar(b, promote_types(a.tensor().dtype(), b)));
  return apply<Where>(condition, a, Operand(number, a.at()));
}
Tensor where(Operand condition, const Scalar& a, Operand b) {
  const Tensor number(core::scalar(a, promote_types(b.tensor().dtype(), a)));
  return apply<Where>(condition, Operand(number, b.at()), b);
}
Tensor clamp(Operand x, const std::optional<Scalar>& low, const std::optional<Scalar>& high) {
  return apply<Clamp>({low, high}, x);
}
Tensor clamp_min(Operand x, const Scalar& low) { return clamp(x, low); }
Tensor clamp_max(Operand x, const Scalar& high) { return clamp(x, {}, high); }
Tensor masked_fill(Operand x, Operand mask, const Scalar& value) {
  return core::in_name_of("masked_fill", [&] { return apply<MaskedFill>({value}, x, mask); });
}

const Tensor& Tensor::neg_(Location at) const { return apply_inplace<Neg>({}, {*this, at}); }
const Tensor& Tensor::abs_(Location at) const { return apply_inplace<Abs>({}, {*this, at}); }
const Tensor& Tensor::exp_(Location at) const { return apply_inplace<Exp>({}, {*this, at}); }
const Tensor& Tensor::log_(Location at) const { return apply_inplace<Log>({}, {*this, at}); }
const Tensor& Tensor::sqrt_(Location at) const { return apply_inplace<Sqrt>({}, {*this, at}); }
const Tensor& Tensor::relu_(Location at) const { return apply_inplace<Relu>({}, {*this, at}); }
const Tensor& Tensor::tanh_(Location at) const { return apply_inplace<Tanh>({}, {*this, at}); }
const Tensor& Tensor::sigmoid_(Location at) const { return apply_inplace<Sigmoid>({}, {*this, at}); }
const Tensor& Tensor::clamp_(const std::optional<Scalar>& low, const std::optional<Scalar>& high, Location at) const {
  return apply_inplace<Clamp>({low, high}, {*this, at});
}

}  // namespace gradus
