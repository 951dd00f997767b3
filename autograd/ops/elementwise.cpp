// More pointwise operations and their gradients.
#include "../../core/ops/elementwise_into.h"

#include <cmath>
#include <cstdlib>
#include <limits>

#include "../../core/array/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../../core/base/floating.h"
#include "../../core/nn/activation.h"
#include "../graph/grad_mode.h"
#include "../graph/operation.h"
#include "../tensor/create.h"
#include "activation_rules.h"
#include "binary_operation.h"
#include "rewrite.h"
#include "rounded_once.h"

namespace gradus {

using namespace autograd;
using core::Array;

namespace {

struct Frac {
  static constexpr std::string_view name = "frac";
  static constexpr Batch batch = Batch::kEach;
  static Array forward(const Array& x) { return core::frac(x); }
  static constexpr auto gradients = formulas([](Dy<> dy) { return Tensor(dy); });
};
// y = x where it is finite, else the number given for that
struct NanToNum {
  static constexpr std::string_view name = "nan_to_num";
  static constexpr Batch batch = Batch::kEach;
  struct Attrs {
    std::optional<double> nan, posinf, neginf;
    static constexpr auto fields = named("nan", &Attrs::nan, "posinf", &Attrs::posinf, "neginf", &Attrs::neginf);
  };
  static Array forward(const Attrs& c, const Array& x) { return core::nan_to_num(x, c.nan, c.posinf, c.neginf); }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return masked_fill(dy, !isfinite(x), 0); });
};

// y = a / b rounded down or towards 0.
// Constant where they are smooth.
template <const core::BinaryRow& row>
struct Whole : BinaryOperation<row> {
  static constexpr auto gradients =
      formulas([](Dy<> dy) { return zeros_like(dy); }, [](Dy<> dy) { return zeros_like(dy); });
};
// y = x / c rounded down or towards 0
template <const core::BinaryRow& row>
struct WholeNumber : WithNumber<row> {
  static constexpr auto gradients = formulas([](Dy<> dy) { return zeros_like(dy); });
};
// y = x - q c where q is x / c rounded down (remainder) or towards 0 (fmod)
template <const core::BinaryRow& row>
struct ModuloNumber : WithNumber<row> {
  static constexpr auto gradients = formulas([](Dy<> dy) { return Tensor(dy); });
};

// y = |a| sign(b)
struct Copysign {
  static constexpr std::string_view name = "copysign";
  static constexpr bool broadcasts = true;
  static Array forward(const Array& a, const Array& b) { return core::copysign(a, b); }
  static constexpr auto gradients =
      formulas([](Dy<> dy, In<0> a,
                  In<1> b) { return dy * (sign(a) * Tensor(core::copysign(core::scalar(1, dy.dtype()), b.array()))); },
               [](Dy<> dy) { return zeros_like(dy); });
};
// y = max(a, b) or min(a, b) of what is not NaN
template <bool Largest>
struct OfNumbers {
  static constexpr std::string_view name = Largest ? "fmax" : "fmin";
  static constexpr bool broadcasts = true;
  static Array forward(const Array& a, const Array& b) { return Largest ? core::fmax(a, b) : core::fmin(a, b); }
  static Tensor below(const Tensor& a, const Tensor& b) { return Largest ? a < b : b < a; }
  static constexpr auto gradients =
      formulas([](Dy<> dy, In<0> a,
                  In<1> b) { return share(dy, logical_or(below(a, b), logical_and(isnan(a), !isnan(b))), a == b); },
               [](Dy<> dy, In<0> a, In<1> b) { return share(dy, logical_or(below(b, a), isnan(b)), a == b); });
};
// As log(exp(a) + exp(b)), with 2 in the place of e.
struct Logaddexp2 {
  static constexpr std::string_view name = "logaddexp2";
  static constexpr bool broadcasts = true;
  static Array forward(const Array& a, const Array& b) { return core::logaddexp2(a, b); }
  static Tensor share_of(const Tensor& a, const Tensor& b) {
    return logistic(difference(a, b) * 0.693147180559945309417);
  }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> a, In<1> b) { return dy * share_of(a, b); },
                                             [](Dy<> dy, In<0> a, In<1> b) { return dy * share_of(b, a); });
};

struct LerpNumber {
  static constexpr std::string_view name = "lerp";
  static constexpr bool broadcasts = true;
  using Attrs = Number;
  static Array forward(const Attrs& c, const Array& a, const Array& b) { return core::lerp(a, b, c.value.toDouble()); }
  static void write(const Array& a, const Attrs& c, const Array& b) { core::lerp_into(a, a, b, c.value.toDouble()); }
  static constexpr auto gradients = formulas([](Dy<> dy, const Number& c) { return dy * (1 - c.value.toDouble()); },
                                             [](Dy<> dy, const Number& c) { return dy * c.value.toDouble(); });
};
struct Lerp {
  static constexpr std::string_view name = "lerp";
  static constexpr bool broadcasts = true;
  static Array forward(const Array& a, const Array& b, const Array& weight) { return core::lerp(a, b, weight); }
  static void write(const Array& a, const Array& b, const Array& weight) { core::lerp_into(a, a, b, weight); }
  static constexpr auto gradients = formulas([](Dy<> dy, In<2> weight) { return dy * (1 - weight); },
                                             [](Dy<> dy, In<2> weight) { return dy * weight; },
                                             [](Dy<> dy, In<0> a, In<1> b) { return dy * (b - a); });
};
struct Addcmul {
  static constexpr std::string_view name = "addcmul";
  static constexpr bool broadcasts = true;
  using Attrs = Number;
  static Array forward(const Attrs& c, const Array& x, const Array& a, const Array& b) {
    return core::addcmul(x, a, b, c.value);
  }
  static void write(const Array& x, const Attrs& c, const Array& a, const Array& b) {
    core::addcmul_into(x, x, a, b, c.value);
  }
  static constexpr auto gradients =
      formulas([](Dy<> dy) { return Tensor(dy); }, [](Dy<> dy, In<2> b, const Number& c) { return dy * (b * c.value); },
               [](Dy<> dy, In<1> a, const Number& c) { return dy * (a * c.value); });
};
struct Addcdiv {
  static constexpr std::string_view name = "addcdiv";
  static constexpr bool broadcasts = true;
  using Attrs = Number;
  static Array forward(const Attrs& c, const Array& x, const Array& a, const Array& b) {
    return core::addcdiv(x, a, b, c.value);
  }
  static void write(const Array& x, const Attrs& c, const Array& a, const Array& b) {
    core::addcdiv_into(x, x, a, b, c.value);
  }
  static constexpr auto gradients =
      formulas([](Dy<> dy) { return Tensor(dy); }, [](Dy<> dy, In<2> b, const Number& c) { return dy * c.value / b; },
               [](Dy<> dy, In<1> a, In<2> b, const Number& c) { return -(dy * (a / b / b * c.value)); });
};
// y = min(max(x, low), high). Where x meets a bound, both have half of the gradient; where it meets both, x has it.
struct ClampBetween {
  static constexpr std::string_view name = "clamp";
  static constexpr bool broadcasts = true;
  static Array forward(const Array& x, const Array& low, const Array& high) {
    return core::minimum(core::maximum(x, low), high);
  }
  static constexpr auto gradients = formulas(
      [](Dy<> dy, In<0> x, In<1> low, In<2> high) {
        const Tensor outside = logical_or(logical_or(x<low, x> high), low > high);
        return share(dy, outside, logical_and(logical_or(x == low, x == high), low < high));
      },
      [](Dy<> dy, In<0> x, In<1> low, In<2> high) {
        const Tensor meets = x == low;
        return share(dy, logical_or(logical_or(x > low, low > high), logical_and(meets, low == high)), meets);
      },
      [](Dy<> dy, In<0> x, In<1> low, In<2> high) {
        const Tensor meets = logical_and(x == high, low < high);
        const Tensor wins = logical_or(logical_or(x > high, low > high), meets);
        return share(dy, !wins, meets);
      });
};

// |x - y|, rounded once: no number is too large for float64 to tell it from its neighbour.
Array distance_of_integers(const Array& x, const Array& y) {
  const Array distance = (core::maximum(x, y) - core::minimum(x, y)).to(kFloat64);
  return core::where(core::lt(distance, 0), distance + Scalar(0x1p64), distance);  // it had wrapped around
}

// Which of the two ways to round; empty: neither.
enum class Rounding { None, Floor, Trunc };
Rounding rounding(const char* op, const std::optional<std::string_view>& mode) {
  if (!mode) return Rounding::None;
  if (*mode == "floor") return Rounding::Floor;
  if (*mode == "trunc") return Rounding::Trunc;
  core::fail<ValueError>("{}: rounding_mode must be \"floor\" or \"trunc\": \"{}\"", op, *mode);
}

}  // namespace

Tensor frac(Operand x) { return apply<Frac>(x); }
Tensor& frac_(Operand x) { return apply_inplace<Frac>({}, x); }
Tensor deg2rad(Operand x) { return x.tensor().mul(0.017453292519943295769, x.at()); }
Tensor& deg2rad_(Operand x) { return rewrite("deg2rad_", x, deg2rad); }
Tensor rad2deg(Operand x) { return x.tensor().mul(57.295779513082320877, x.at()); }
Tensor& rad2deg_(Operand x) { return rewrite("rad2deg_", x, rad2deg); }
Tensor isposinf(Operand x) { return eq(x, std::numeric_limits<double>::infinity()); }
Tensor isneginf(Operand x) { return eq(x, -std::numeric_limits<double>::infinity()); }
namespace {
// What is infinite becomes the largest that the dtype holds, not the largest of what is computed in.
NanToNum::Attrs no_number(const Operand& x, std::optional<double> nan, std::optional<double> posinf,
                          std::optional<double> neginf) {
  if (!stored(x) || !x.tensor().is_floating_point()) return {nan, posinf, neginf};
  const double most = core::largest_of(x.tensor().dtype());
  return {nan, posinf.value_or(most), neginf.value_or(-most)};
}
}  // namespace
Tensor nan_to_num(Operand x, std::optional<double> nan, std::optional<double> posinf, std::optional<double> neginf) {
  return apply<NanToNum>(no_number(x, nan, posinf, neginf), x);
}
Tensor& nan_to_num_(Operand x, std::optional<double> nan, std::optional<double> posinf, std::optional<double> neginf) {
  return apply_inplace<NanToNum>(no_number(x, nan, posinf, neginf), x);
}

Tensor div(Operand a, Operand b, std::optional<std::string_view> mode) {
  const Rounding way = rounding("div", mode);
  if (way == Rounding::None) return div(a, b);
  return core::in_name_of("div", [&] {
    return way == Rounding::Floor ? apply<Whole<core::floor_divide>>(a, b) : apply<Whole<core::trunc_divide>>(a, b);
  });
}
Tensor div(Operand a, const Scalar& b, std::optional<std::string_view> mode) {
  const Rounding way = rounding("div", mode);
  if (way == Rounding::None) return div(a, b);
  return core::in_name_of("div", [&] {
    return way == Rounding::Floor ? apply<WholeNumber<core::floor_divide>>({b}, a)
                                  : apply<WholeNumber<core::trunc_divide>>({b}, a);
  });
}
Tensor& div_(Operand a, Operand b, std::optional<std::string_view> mode) {
  const Rounding way = rounding("div_", mode);
  if (way == Rounding::None) return div_(a, b);
  return core::in_name_of("div_", [&]() -> Tensor& {
    return way == Rounding::Floor ? apply_inplace<Whole<core::floor_divide>>({}, a, b)
                                  : apply_inplace<Whole<core::trunc_divide>>({}, a, b);
  });
}
Tensor& div_(Operand a, const Scalar& b, std::optional<std::string_view> mode) {
  const Rounding way = rounding("div_", mode);
  if (way == Rounding::None) return div_(a, b);
  return core::in_name_of("div_", [&]() -> Tensor& {
    return way == Rounding::Floor ? apply_inplace<WholeNumber<core::floor_divide>>({b}, a)
                                  : apply_inplace<WholeNumber<core::trunc_divide>>({b}, a);
  });
}
Tensor floor_divide(Operand a, Operand b) { return apply<Whole<core::floor_divide>>(a, b); }
Tensor floor_divide(Operand a, const Scalar& b) { return apply<WholeNumber<core::floor_divide>>({b}, a); }
Tensor& floor_divide_(Operand a, Operand b) { return apply_inplace<Whole<core::floor_divide>>({}, a, b); }
Tensor& floor_divide_(Operand a, const Scalar& b) { return apply_inplace<WholeNumber<core::floor_divide>>({b}, a); }
Tensor fmod(Operand a, const Scalar& b) { return apply<ModuloNumber<core::fmod>>({b}, a); }
Tensor& fmod_(Operand a, const Scalar& b) { return apply_inplace<ModuloNumber<core::fmod>>({b}, a); }
Tensor remainder(Operand a, const Scalar& b) { return apply<ModuloNumber<core::remainder>>({b}, a); }
Tensor remainder(const Scalar& a, Operand b) { return remainder({number_like(a, b.tensor()), b.at()}, b); }
Tensor& remainder_(Operand a, const Scalar& b) { return apply_inplace<ModuloNumber<core::remainder>>({b}, a); }
Tensor xlogy(Operand a, const Scalar& b) { return xlogy(a, {floating_like(b, a.tensor()), a.at()}); }
Tensor xlogy(const Scalar& a, Operand b) { return xlogy({floating_like(a, b.tensor()), b.at()}, b); }
Tensor copysign(Operand a, Operand b) { return apply<Copysign>(a, b); }
Tensor copysign(Operand a, const Scalar& b) { return copysign(a, {floating_like(b, a.tensor()), a.at()}); }
Tensor& copysign_(Operand a, Operand b) { return apply_inplace<Copysign>({}, a, b); }
Tensor& copysign_(Operand a, const Scalar& b) { return copysign_(a, {number_like(b, a.tensor()), a.at()}); }
Tensor fmax(Operand a, Operand b) { return apply<OfNumbers<true>>(a, b); }
Tensor fmin(Operand a, Operand b) { return apply<OfNumbers<false>>(a, b); }
Tensor max(Operand a, Operand b) { return maximum(a, b); }
Tensor min(Operand a, Operand b) { return minimum(a, b); }
Tensor logaddexp2(Operand a, Operand b) {
  return core::in_name_of("logaddexp2", [&] { return apply<Logaddexp2>(a, b); });
}
Tensor round(Operand x, std::int64_t decimals) {
  if (stored(x)) {
    return rounded_once([&](Operand u) { return round(u, decimals); }, x);
  }
  core::expect_floating("round", "the operand", x.tensor());
  return core::in_name_of("round", [&] {
    const Scope scope(x.at());
    const double unit = std::pow(10.0, static_cast<double>(std::abs(decimals)));
    if (decimals == 0) return round(x.tensor());
    return decimals > 0 ? round(x.tensor() * unit) / unit : round(x.tensor() / unit) * unit;
  });
}
Tensor& round_(Operand x, std::int64_t decimals) {
  return rewrite("round_", x, [&](Operand in) { return round(in, decimals); });
}
namespace {
// A 0-d value of the dtype that x has.
Tensor filling(const char* op, const Operand& x, const Operand& value) {
  if (value.tensor().dim() != 0) {
    core::fail<ShapeError>("{}: the value must be a number or have 0 dimensions: {}; where() takes a tensor", op,
                           value.tensor().sizes());
  }
  core::check_castable(op, value.tensor().dtype(), x.tensor().dtype());
  return value.tensor().to(x.tensor().dtype());
}
}  // namespace
Tensor masked_fill(Operand x, Operand mask, Operand value) {
  return core::in_name_of("masked_fill", [&] {
    const Scope scope(x.at());
    return where(mask, {filling("masked_fill", x, value), x.at()}, x);
  });
}
Tensor& masked_fill_(Operand x, Operand mask, Operand value) {
  return rewrite("masked_fill_", x, [&](Operand in) { return masked_fill(in, mask, value); });
}
Tensor lerp(Operand a, Operand b, const Scalar& weight) { return apply<LerpNumber>({weight}, a, b); }
Tensor lerp(Operand a, Operand b, Operand weight) { return apply<Lerp>(a, b, weight); }
Tensor& lerp_(Operand a, Operand b, const Scalar& weight) { return apply_inplace<LerpNumber>({weight}, a, b); }
Tensor& lerp_(Operand a, Operand b, Operand weight) { return apply_inplace<Lerp>({}, a, b, weight); }
Tensor addcmul(Operand x, Operand a, Operand b, const Scalar& value) { return apply<Addcmul>({value}, x, a, b); }
Tensor& addcmul_(Operand x, Operand a, Operand b, const Scalar& value) {
  return apply_inplace<Addcmul>({value}, x, a, b);
}
Tensor addcdiv(Operand x, Operand a, Operand b, const Scalar& value) { return apply<Addcdiv>({value}, x, a, b); }
Tensor& addcdiv_(Operand x, Operand a, Operand b, const Scalar& value) {
  return apply_inplace<Addcdiv>({value}, x, a, b);
}

Tensor clamp(Operand x, OptionalOperand low, OptionalOperand high) {
  return core::in_name_of("clamp", [&] {
    if (low && high) return apply<ClampBetween>(x, *low, *high);
    if (!low && !high) core::fail<ValueError>("clamp: at least one bound must be given");
    return low ? maximum(x, *low) : minimum(x, *high);
  });
}
Tensor& clamp_(Operand x, OptionalOperand low, OptionalOperand high) {
  return rewrite("clamp_", x, [&](Operand in) { return clamp(in, low, high); });
}
Tensor clamp_min(Operand x, Operand low) {
  return core::in_name_of("clamp_min", [&] { return maximum(x, low); });
}
Tensor& clamp_min_(Operand x, Operand low) {
  return rewrite("clamp_min_", x, [&](Operand in) { return maximum(in, low); });
}
Tensor clamp_max(Operand x, Operand high) {
  return core::in_name_of("clamp_max", [&] { return minimum(x, high); });
}
Tensor& clamp_max_(Operand x, Operand high) {
  return rewrite("clamp_max_", x, [&](Operand in) { return minimum(in, high); });
}
Tensor where(Operand condition, const Scalar& a, const Scalar& b) {
  return Tensor(core::where(condition.tensor().array(), a, b));
}
std::vector<Tensor> where(Operand condition) {
  const Scope scope(condition.at());
  const Tensor& x = condition.tensor();
  return nonzero(x.dim() == 0 ? x.unsqueeze(0) : x).unbind(1);
}
Tensor isclose(Operand a, Operand b, double rtol, double atol, bool equal_nan) {
  return core::in_name_of("isclose", [&] {
    if (!(rtol >= 0 && atol >= 0))
      core::fail<ValueError>("isclose: rtol and atol must not be negative: {}, {}", rtol, atol);
    const DType both = promote_types(a.tensor().dtype(), b.tensor().dtype()),
                dtype = is_floating_point(both) ? compute_dtype(both) : kInt64;
    const Array x = a.tensor().array().to(dtype), y = b.tensor().array().to(dtype);
    const Array distance = is_floating_point(dtype) ? core::abs(x - y) : distance_of_integers(x, y);
    const Array near = core::le(distance, core::add_scaled(atol, core::abs(y.to(distance.dtype())), rtol));
    Array close = core::logical_or(core::eq(x, y), core::logical_and(near, core::isfinite(distance)));
    if (equal_nan) close = core::logical_or(close, core::logical_and(core::isnan(x), core::isnan(y)));
    return Tensor(close);
  });
}

}  // namespace gradus
