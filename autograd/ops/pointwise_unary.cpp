// Pointwise operations on one operand and their gradients. A formula reads like the table in a calculus book: dy is dL/dy,
// In<0> the operand, Out<> the result. Name, value and the write in place come from the operation's row in core/ops/pointwise.h.
#include "pointwise.h"

#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "../../core/ops/pointwise.h"
#include "../../core/ops/special.h"
#include "../graph/without_gradient.h"
#include "../tensor/create.h"
#include "activation_rules.h"

namespace gradus {

using namespace autograd;
using core::Array;

// dL/dx of the operation of a row.
template <const core::UnaryRow& row>
constexpr auto gradient = nullptr;  // a row without one does not compile

namespace {

template <const core::UnaryRow& row>
struct UnaryOperation {
  static constexpr std::string_view name = row.name;
  static constexpr Batch batch = Batch::kEach;
  static constexpr bool reads_stored = true, symmetric = true;
  static Array forward(const Array& x) { return row(x); }
  static void write(const Array& x) { row.write(x, x); }
  static constexpr auto gradients = formulas(gradient<row>);
};
template <const core::UnaryRow& row>
Tensor unary(const Operand& x) {
  return apply<UnaryOperation<row>>(x);
}
template <const core::UnaryRow& row>
Tensor& unary_(const Operand& x) {
  return apply_inplace<UnaryOperation<row>>({}, x);
}

// The gradient of what is constant where it is smooth; zeros also where dy is infinite or NaN.
constexpr auto flat = [](Dy<> dy) { return zeros_like(dy); };

// 1 - x^2 as (1 - x) (1 + x), which loses nothing near its zeros. An operation of its own: the gradient of that product would
// be a difference, in which a small x has no digits left.
struct OneMinusSquare {
  static constexpr std::string_view name = "one_minus_square";
  static constexpr Batch batch = Batch::kEach;
  static Array forward(const Array& x) { return (Scalar(1) - x) * (x + Scalar(1)); }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy * (x * -2); });
};
Tensor one_minus_square(const Tensor& x) { return apply<OneMinusSquare>(x); }
Tensor arc_slope(const Tensor& x) { return rsqrt(one_minus_square(x)); }

Tensor next_polygamma(std::int64_t n, const Tensor& x);
// The n-th derivative of digamma; its gradient is the next one.
struct Polygamma {
  static constexpr std::string_view name = "polygamma";
  static constexpr Batch batch = Batch::kEach;
  struct Attrs {
    std::int64_t n = 1;
    static constexpr auto fields = named("n", &Attrs::n);
  };
  static Array forward(const Attrs& c, const Array& x) { return core::polygamma(static_cast<int>(c.n), x); }
  static constexpr auto gradients =
      formulas([](Dy<> dy, In<0> x, const Attrs& c) { return dy * next_polygamma(c.n, x); });
};
Tensor next_polygamma(std::int64_t n, const Tensor& x) { return apply<Polygamma>({n + 1}, x); }

// Without a gradient: no operation of the graph.
template <const core::UnaryRow& row>
Tensor predicate(const Operand& x) {
  return without_gradient<UnaryOperation<row>>(x);
}

}  // namespace

template <>
constexpr auto gradient<core::neg> = [](Dy<> dy) { return -dy; };
Tensor neg(Operand x) { return unary<core::neg>(x); }
Tensor& neg_(Operand x) { return unary_<core::neg>(x); }

template <>
constexpr auto gradient<core::abs> = [](Dy<> dy, In<0> x) { return dy * sign(x); };
Tensor abs(Operand x) { return unary<core::abs>(x); }
Tensor& abs_(Operand x) { return unary_<core::abs>(x); }

template <>
constexpr auto gradient<core::square> = [](Dy<> dy, In<0> x) { return dy * (x * 2); };
namespace {
struct Square : UnaryOperation<core::square> {
  static Array forward(const Array& x) { return core::square(x.dtype() == kBool ? x.to(kInt64) : x); }
};
}  // namespace
Tensor square(Operand x) { return apply<Square>(x); }
Tensor& square_(Operand x) { return apply_inplace<Square>({}, x); }

template <>
constexpr auto gradient<core::sqrt> = [](Dy<> dy, Out<> y) { return dy / (y * 2); };
Tensor sqrt(Operand x) { return unary<core::sqrt>(x); }
Tensor& sqrt_(Operand x) { return unary_<core::sqrt>(x); }

template <>
constexpr auto gradient<core::rsqrt> = [](Dy<> dy, Out<> y) { return dy * (pow(y, 3) * -0.5); };
Tensor rsqrt(Operand x) { return unary<core::rsqrt>(x); }
Tensor& rsqrt_(Operand x) { return unary_<core::rsqrt>(x); }

template <>
constexpr auto gradient<core::reciprocal> = [](Dy<> dy, Out<> y) { return dy * -square(y); };
Tensor reciprocal(Operand x) { return unary<core::reciprocal>(x); }
Tensor& reciprocal_(Operand x) { return unary_<core::reciprocal>(x); }

template <>
constexpr auto gradient<core::exp> = [](Dy<> dy, Out<> y) { return dy * y; };
Tensor exp(Operand x) { return unary<core::exp>(x); }
Tensor& exp_(Operand x) { return unary_<core::exp>(x); }

template <>
constexpr auto gradient<core::exp2> = [](Dy<> dy, Out<> y) { return dy * (y * 0.693147180559945309417); };
Tensor exp2(Operand x) { return unary<core::exp2>(x); }
Tensor& exp2_(Operand x) { return unary_<core::exp2>(x); }

// Not y + 1, of which nothing is left where y is near -1.
template <>
constexpr auto gradient<core::expm1> = [](Dy<> dy, In<0> x) { return exp_times(dy, x); };
Tensor expm1(Operand x) { return unary<core::expm1>(x); }
Tensor& expm1_(Operand x) { return unary_<core::expm1>(x); }

template <>
constexpr auto gradient<core::log> = [](Dy<> dy, In<0> x) { return dy / x; };
Tensor log(Operand x) { return unary<core::log>(x); }
Tensor& log_(Operand x) { return unary_<core::log>(x); }

template <>
constexpr auto gradient<core::log1p> = [](Dy<> dy, In<0> x) { return dy / (x + 1); };
Tensor log1p(Operand x) { return unary<core::log1p>(x); }
Tensor& log1p_(Operand x) { return unary_<core::log1p>(x); }

template <>
constexpr auto gradient<core::log2> = [](Dy<> dy, In<0> x) { return dy / (x * 0.693147180559945309417); };
Tensor log2(Operand x) { return unary<core::log2>(x); }
Tensor& log2_(Operand x) { return unary_<core::log2>(x); }

template <>
constexpr auto gradient<core::log10> = [](Dy<> dy, In<0> x) { return dy / (x * 2.302585092994045684018); };
Tensor log10(Operand x) { return unary<core::log10>(x); }
Tensor& log10_(Operand x) { return unary_<core::log10>(x); }

template <>
constexpr auto gradient<core::sin> = [](Dy<> dy, In<0> x) { return dy * cos(x); };
Tensor sin(Operand x) { return unary<core::sin>(x); }
Tensor& sin_(Operand x) { return unary_<core::sin>(x); }

template <>
constexpr auto gradient<core::cos> = [](Dy<> dy, In<0> x) { return -(dy * sin(x)); };
Tensor cos(Operand x) { return unary<core::cos>(x); }
Tensor& cos_(Operand x) { return unary_<core::cos>(x); }

template <>
constexpr auto gradient<core::tan> = [](Dy<> dy, Out<> y) { return dy * (square(y) + 1); };
Tensor tan(Operand x) { return unary<core::tan>(x); }
Tensor& tan_(Operand x) { return unary_<core::tan>(x); }

template <>
constexpr auto gradient<core::asin> = [](Dy<> dy, In<0> x) { return dy * arc_slope(x); };
Tensor asin(Operand x) { return unary<core::asin>(x); }
Tensor& asin_(Operand x) { return unary_<core::asin>(x); }

template <>
constexpr auto gradient<core::acos> = [](Dy<> dy, In<0> x) { return -(dy * arc_slope(x)); };
Tensor acos(Operand x) { return unary<core::acos>(x); }
Tensor& acos_(Operand x) { return unary_<core::acos>(x); }

template <>
constexpr auto gradient<core::atan> = [](Dy<> dy, In<0> x) { return dy / (square(x) + 1); };
Tensor atan(Operand x) { return unary<core::atan>(x); }
Tensor& atan_(Operand x) { return unary_<core::atan>(x); }

template <>
constexpr auto gradient<core::sinh> = [](Dy<> dy, In<0> x) { return dy * cosh(x); };
Tensor sinh(Operand x) { return unary<core::sinh>(x); }
Tensor& sinh_(Operand x) { return unary_<core::sinh>(x); }

template <>
constexpr auto gradient<core::cosh> = [](Dy<> dy, In<0> x) { return dy * sinh(x); };
Tensor cosh(Operand x) { return unary<core::cosh>(x); }
Tensor& cosh_(Operand x) { return unary_<core::cosh>(x); }

template <>
constexpr auto gradient<core::asinh> =
    [](Dy<> dy, In<0> x) { return dy / hypot(x, Tensor(core::ones({}, x.dtype()))); };
Tensor asinh(Operand x) { return unary<core::asinh>(x); }
Tensor& asinh_(Operand x) { return unary_<core::asinh>(x); }

template <>
constexpr auto gradient<core::acosh> = [](Dy<> dy, In<0> x) { return dy * (rsqrt(x - 1) * rsqrt(x + 1)); };
Tensor acosh(Operand x) { return unary<core::acosh>(x); }
Tensor& acosh_(Operand x) { return unary_<core::acosh>(x); }

template <>
constexpr auto gradient<core::atanh> = [](Dy<> dy, In<0> x) { return dy / one_minus_square(x); };
Tensor atanh(Operand x) { return unary<core::atanh>(x); }
Tensor& atanh_(Operand x) { return unary_<core::atanh>(x); }

template <>
constexpr auto gradient<core::tanh> = [](Dy<> dy, Out<> y) { return tanh_backward(dy, y); };
Tensor tanh(Operand x) { return unary<core::tanh>(x); }
Tensor& tanh_(Operand x) { return unary_<core::tanh>(x); }

template <>
constexpr auto gradient<core::sigmoid> = [](Dy<> dy, Out<> y) { return sigmoid_backward(dy, y); };
Tensor sigmoid(Operand x) { return unary<core::sigmoid>(x); }
Tensor& sigmoid_(Operand x) { return unary_<core::sigmoid>(x); }

template <>
constexpr auto gradient<core::erf> = [](Dy<> dy, In<0> x) { return dy * (exp(-square(x)) * 1.128379167095512573896); };
Tensor erf(Operand x) { return unary<core::erf>(x); }
Tensor& erf_(Operand x) { return unary_<core::erf>(x); }

template <>
constexpr auto gradient<core::erfc> =
    [](Dy<> dy, In<0> x) { return dy * (exp(-square(x)) * -1.128379167095512573896); };
Tensor erfc(Operand x) { return unary<core::erfc>(x); }
Tensor& erfc_(Operand x) { return unary_<core::erfc>(x); }

template <>
constexpr auto gradient<core::lgamma> = [](Dy<> dy, In<0> x) { return dy * digamma(x); };
Tensor lgamma(Operand x) { return unary<core::lgamma>(x); }
Tensor& lgamma_(Operand x) { return unary_<core::lgamma>(x); }

template <>
constexpr auto gradient<core::digamma> = [](Dy<> dy, In<0> x) { return dy * polygamma(1, x); };
Tensor digamma(Operand x) { return unary<core::digamma>(x); }
Tensor& digamma_(Operand x) { return unary_<core::digamma>(x); }
Tensor polygamma(std::int64_t n, Operand x) {
  if (n < 0 || n > 100) core::fail<ValueError>("polygamma: n must lie between 0 and 100: {}", n);
  if (n == 0) return core::in_name_of("polygamma", [&] { return digamma(x); });
  return apply<Polygamma>({n}, x);
}

template <>
constexpr auto gradient<core::sign> = flat;
Tensor sign(Operand x) { return unary<core::sign>(x); }
Tensor& sign_(Operand x) { return unary_<core::sign>(x); }

template <>
constexpr auto gradient<core::floor> = flat;
Tensor floor(Operand x) { return unary<core::floor>(x); }
Tensor& floor_(Operand x) { return unary_<core::floor>(x); }

template <>
constexpr auto gradient<core::ceil> = flat;
Tensor ceil(Operand x) { return unary<core::ceil>(x); }
Tensor& ceil_(Operand x) { return unary_<core::ceil>(x); }

template <>
constexpr auto gradient<core::round> = flat;
Tensor round(Operand x) { return unary<core::round>(x); }
Tensor& round_(Operand x) { return unary_<core::round>(x); }

template <>
constexpr auto gradient<core::trunc> = flat;
Tensor trunc(Operand x) { return unary<core::trunc>(x); }
Tensor& trunc_(Operand x) { return unary_<core::trunc>(x); }

Tensor isnan(Operand x) { return predicate<core::isnan>(x); }
Tensor isinf(Operand x) { return predicate<core::isinf>(x); }
Tensor isfinite(Operand x) { return predicate<core::isfinite>(x); }
Tensor logical_not(Operand x) { return predicate<core::logical_not>(x); }

// The rule: its gradient is one pass.
Tensor relu(Operand x) { return apply<ReluRule>(x); }
Tensor& relu_(Operand x) { return apply_inplace<ReluRule>({}, x); }

}  // namespace gradus
