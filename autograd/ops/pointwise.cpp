// Pointwise operations on two operands, choices between them, and their gradients: dy is dL/dy, In<i> the i-th operand, Out<>
// the result. Sums, differences, products and quotients are in arithmetic.cpp, those on one operand in pointwise_unary.cpp.
#include "pointwise.h"

#include <cmath>
#include <limits>

#include "../../core/ops/elementwise_into.h"
#include "../../core/array/create.h"
#include "../../core/base/floating.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../graph/without_gradient.h"
#include "../tensor/create.h"
#include "activation_rules.h"
#include "binary_operation.h"

namespace gradus {

using namespace autograd;
using core::Array;

namespace {

// Without a gradient: no operation of the graph.
template <const core::BinaryRow& row>
Tensor comparison(const Operand& a, const Operand& b) {
  return without_gradient<BinaryOperation<row>>(a, b);
}
template <const core::BinaryRow& row>
Tensor comparison(const Operand& a, const Scalar& b) {
  return without_gradient<WithNumber<row>>({b}, a);
}

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
  static Array vanishes(const Array& a, const Array& b) { return core::logical_and(core::eq(a, 0), core::gt(b, 0)); }
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
struct Pow : BinaryOperation<core::pow> {
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
struct PowNumber : WithNumber<core::pow> {
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x, const Number& c) -> Tensor {
    const double p = c.value.toDouble();
    if (p == 0) return zeros_like(dy);
    if (p == 1) return dy;
    if (p == 2) return dy * (x * 2);
    return dy * (pow(x, p - 1) * p);
  });
};
// y = c^b
struct NumberPow {
  static constexpr std::string_view name = "rpow";
  static constexpr Batch batch = Batch::kEach;
  using Attrs = Number;
  static Array forward(const Attrs& c, const Array& b) { return core::pow(c.value, b); }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> b, Out<> y, const Number& c) {
    const double base = c.value.toDouble();
    if (base != 0) return dy * (y * std::log(base));
    const Array log = core::where(core::ge(b.array(), 0), 0, -INFINITY);  // y = 0 or 1 does without
    return dy * (y * Tensor(log.to(y.dtype())));
  });
};

struct Maximum : BinaryOperation<core::maximum> {
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> a, In<1> b) { return share(dy, a < b, a == b); },
                                             [](Dy<> dy, In<0> a, In<1> b) { return share(dy, b < a, a == b); });
};
struct Minimum : BinaryOperation<core::minimum> {
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> a, In<1> b) { return share(dy, a > b, a == b); },
                                             [](Dy<> dy, In<0> a, In<1> b) { return share(dy, b > a, a == b); });
};
// y = a - q b, where q is a / b cut off (Fmod) or rounded down (Remainder): dL/db = -dy q. Of the quotient that y was computed
// with: a / b itself may round to the next whole number. It is constant where it is smooth.
template <const core::BinaryRow& row, const core::BinaryRow& quotient_row>
struct Modulo : BinaryOperation<row> {
  static constexpr std::string_view formula = "y = a - q b, q = a / b as a whole number, da = dy, db = -dy q";
  static Tensor quotient(const Array& a, const Array& b) { return Tensor(quotient_row(a, b)); }
  static constexpr auto gradients =
      formulas([](Dy<> dy) { return Tensor(dy); },
               [](Dy<> dy, In<0> a, In<1> b) { return -(dy * quotient(a.array(), b.array())); });
};
using Fmod = Modulo<core::fmod, core::fmod_quotient>;
using Remainder = Modulo<core::remainder, core::remainder_quotient>;
// dL/da = dy b / (a^2 + b^2), dL/db = -dy a / (a^2 + b^2); 0 at the origin, as PyTorch's.
struct Atan2 : BinaryOperation<core::atan2> {
  // x / (a^2 + b^2), x one of the two. Where squares over- or underflow, by way of numbers near 1: that scale cancels, and
  // is a constant to the gradient. An infinite one would not cancel.
  static Tensor over_squares(const Tensor& x, const Tensor& a, const Tensor& b) {
    const Tensor squares = square(a) + square(b);
    if (squares.numel() == 0 || (amin(squares).item<double>() > 1e-30 && amax(squares).item<double>() < 1e38)) {
      return x / squares;
    }
    const Array largest = core::maximum(core::abs(a.array()), core::abs(b.array()));
    const Tensor scale(core::where(core::lt(largest, std::numeric_limits<double>::infinity()), largest, 1));
    return masked_fill(x / scale / (square(a / scale) + square(b / scale)) / scale, scale == 0, 0);
  }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> a, In<1> b) { return dy * over_squares(b, a, b); },
                                             [](Dy<> dy, In<0> a, In<1> b) { return -(dy * over_squares(a, a, b)); });
};

// dL/da = dy a / y, 0 at the origin.
struct Hypot : BinaryOperation<core::hypot> {
  static Tensor share(const Tensor& x, const Tensor& y) { return masked_fill(x / y, y == 0, 0); }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> a, Out<> y) { return dy * share(a, y); },
                                             [](Dy<> dy, In<1> b, Out<> y) { return dy * share(b, y); });
};

// dL/da = dy exp(a) / (exp(a) + exp(b)), a sigmoid of the difference; equal ones share, infinite ones too.
struct Logaddexp : BinaryOperation<core::logaddexp> {
  static Tensor share(const Tensor& a, const Tensor& b) { return logistic(difference(a, b)); }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> a, In<1> b) { return dy * share(a, b); },
                                             [](Dy<> dy, In<0> a, In<1> b) { return dy * share(b, a); });
};

// dL/da = dy log(b), 0 where the value is 0 whatever b is.
struct Xlogy : BinaryOperation<core::xlogy> {
  static constexpr auto gradients = formulas(
      [](Dy<> dy, In<0> a, In<1> b) {
        const Tensor none = logical_and(a == 0, b <= 0);
        return dy * masked_fill(log(masked_fill(b, none, 1)), none, 0);
      },
      [](Dy<> dy, In<0> a, In<1> b) { return dy * (a / b); });
};

struct Where {
  static constexpr std::string_view name = "where";
  static constexpr bool moves = true;
  static constexpr bool broadcasts = true;
  static Array forward(const Array& condition, const Array& a, const Array& b) { return core::where(condition, a, b); }
  static constexpr auto gradients = formulas(
      no_gradient, [](Dy<> dy, In<0> condition) { return masked_fill(dy, !condition, 0); },
      [](Dy<> dy, In<0> condition) { return masked_fill(dy, condition, 0); });
};
struct MaskedFill {
  static constexpr std::string_view name = "masked_fill";
  static constexpr bool moves = true;
  static constexpr bool broadcasts = true;
  using Attrs = Number;
  static Array forward(const Attrs& c, const Array& x, const Array& mask) {
    core::expect_bool("masked_fill", "the mask", mask.dtype());
    return core::where(mask, core::scalar(c.value, x.dtype()), x);
  }
  static constexpr auto gradients = formulas([](Dy<> dy, In<1> mask) { return masked_fill(dy, mask, 0); }, no_gradient);
};
// y = min(max(x, low), high)
struct Clamp {
  static constexpr std::string_view name = "clamp";
  static constexpr std::string_view formula = "y = min(max(x, low), high), dx = dy 1[low <= x <= high]";
  static constexpr Batch batch = Batch::kEach;
  static constexpr bool reads_stored = true;  // bounds are those of the dtype
  struct Attrs {
    std::optional<Scalar> low, high;
    static constexpr auto fields = named("low", &Attrs::low, "high", &Attrs::high);
  };
  static Array forward(const Attrs& c, const Array& x) { return core::clamp(x, c.low, c.high); }
  static void write(const Array& x, const Attrs& c) { core::clamp_into(x, x, c.low, c.high); }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x, const Attrs& c) {
    Tensor dx = dy;
    if (c.low) dx = masked_fill(dx, !(x >= *c.low), 0);
    if (c.high) dx = masked_fill(dx, !(x <= *c.high), 0);
    return dx;
  });
};

}  // namespace

namespace autograd {

Tensor number_like(const Scalar& number, const Tensor& x) {
  return Tensor(core::scalar(number, promote_types(x.dtype(), number)));
}
Tensor floating_like(const Scalar& number, const Tensor& x) {
  return Tensor(core::scalar(number, core::floating(x.dtype())));
}
Tensor share(const Tensor& dy, const Tensor& loses, const Tensor& ties) {
  return masked_fill(dy * (1 - ties.to(dy.dtype()) * 0.5), loses, 0);
}
Tensor difference(const Tensor& a, const Tensor& b) {
  return masked_fill(a - b, Tensor(core::logical_and(core::eq(a.array(), b.array()), core::isinf(a.array()))), 0);
}

}  // namespace autograd

Tensor pow(Operand a, Operand b) { return apply<Pow>(a, b); }
Tensor pow(Operand a, const Scalar& b) { return apply<PowNumber>({b}, a); }
Tensor pow(const Scalar& a, Operand b) { return apply<NumberPow>({a}, b); }
Tensor& pow_(Operand a, Operand b) { return apply_inplace<Pow>({}, a, b); }
Tensor& pow_(Operand a, const Scalar& b) { return apply_inplace<PowNumber>({b}, a); }
Tensor maximum(Operand a, Operand b) { return apply<Maximum>(a, b); }
Tensor minimum(Operand a, Operand b) { return apply<Minimum>(a, b); }
Tensor fmod(Operand a, Operand b) { return apply<Fmod>(a, b); }
Tensor& fmod_(Operand a, Operand b) { return apply_inplace<Fmod>({}, a, b); }
Tensor remainder(Operand a, Operand b) { return apply<Remainder>(a, b); }
Tensor& remainder_(Operand a, Operand b) { return apply_inplace<Remainder>({}, a, b); }
Tensor atan2(Operand a, Operand b) { return apply<Atan2>(a, b); }
Tensor& atan2_(Operand a, Operand b) { return apply_inplace<Atan2>({}, a, b); }
Tensor xlogy(Operand a, Operand b) { return apply<Xlogy>(a, b); }
Tensor& xlogy_(Operand a, Operand b) { return apply_inplace<Xlogy>({}, a, b); }
Tensor logaddexp(Operand a, Operand b) { return apply<Logaddexp>(a, b); }
Tensor hypot(Operand a, Operand b) { return apply<Hypot>(a, b); }
Tensor& hypot_(Operand a, Operand b) { return apply_inplace<Hypot>({}, a, b); }
Tensor eq(Operand a, Operand b) { return comparison<core::eq>(a, b); }
Tensor eq(Operand a, const Scalar& b) { return comparison<core::eq>(a, b); }
Tensor ne(Operand a, Operand b) { return comparison<core::ne>(a, b); }
Tensor ne(Operand a, const Scalar& b) { return comparison<core::ne>(a, b); }
Tensor lt(Operand a, Operand b) { return comparison<core::lt>(a, b); }
Tensor lt(Operand a, const Scalar& b) { return comparison<core::lt>(a, b); }
Tensor le(Operand a, Operand b) { return comparison<core::le>(a, b); }
Tensor le(Operand a, const Scalar& b) { return comparison<core::le>(a, b); }
Tensor gt(Operand a, Operand b) { return comparison<core::gt>(a, b); }
Tensor gt(Operand a, const Scalar& b) { return comparison<core::gt>(a, b); }
Tensor ge(Operand a, Operand b) { return comparison<core::ge>(a, b); }
Tensor ge(Operand a, const Scalar& b) { return comparison<core::ge>(a, b); }
Tensor logical_and(Operand a, Operand b) { return comparison<core::logical_and>(a, b); }
Tensor logical_or(Operand a, Operand b) { return comparison<core::logical_or>(a, b); }
Tensor logical_xor(Operand a, Operand b) { return comparison<core::logical_xor>(a, b); }
Tensor where(Operand condition, Operand a, Operand b) { return apply<Where>(condition, a, b); }
Tensor where(Operand condition, Operand a, const Scalar& b) {
  return apply<Where>(condition, a, Operand(number_like(b, a.tensor()), a.at()));
}
Tensor where(Operand condition, const Scalar& a, Operand b) {
  return apply<Where>(condition, Operand(number_like(a, b.tensor()), b.at()), b);
}
Tensor clamp(Operand x, const std::optional<Scalar>& low, const std::optional<Scalar>& high) {
  return apply<Clamp>({low, high}, x);
}
Tensor clamp_min(Operand x, const Scalar& low) { return clamp(x, low); }
Tensor clamp_max(Operand x, const Scalar& high) { return clamp(x, {}, high); }
Tensor& clamp_(Operand x, const std::optional<Scalar>& low, const std::optional<Scalar>& high) {
  return apply_inplace<Clamp>({low, high}, x);
}
Tensor& clamp_min_(Operand x, const Scalar& low) { return clamp_(x, low); }
Tensor& clamp_max_(Operand x, const Scalar& high) { return clamp_(x, {}, high); }
Tensor masked_fill(Operand x, Operand mask, const Scalar& value) {
  return core::in_name_of("masked_fill", [&] { return apply<MaskedFill>({value}, x, mask); });
}
Tensor& masked_fill_(Operand x, Operand mask, const Scalar& value) {
  return core::in_name_of("masked_fill_", [&]() -> Tensor& { return apply_inplace<MaskedFill>({value}, x, mask); });
}

}  // namespace gradus
