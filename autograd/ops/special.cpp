// Special functions and their gradients.
#include "special.h"

#include <cmath>
#include <limits>

#include "../../core/array/create.h"
#include "../../core/base/floating.h"
#include "../../core/ops/elementwise.h"
#include "../graph/grad_mode.h"
#include "../graph/operation.h"
#include "activation_rules.h"
#include "binary_operation.h"
#include "functions.h"
#include "rewrite.h"

namespace gradus {

using namespace autograd;
using core::Array;

namespace {

constexpr double kPi = 3.14159265358979323846;

template <const core::UnaryRow& row>
struct OfRow {
  static constexpr std::string_view name = row.name;
  static constexpr Batch batch = Batch::kEach;
  static Array forward(const Array& x) { return row(x); }
  static void write(const Array& x) { row.write(x, x); }
};
struct Erfinv : OfRow<core::erfinv> {
  static constexpr auto gradients =
      formulas([](Dy<> dy, Out<> y) { return dy * (exp(square(y)) * 0.886226925452758013649); });
};
struct I0 : OfRow<core::i0> {
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy * special::i1(x); });
};
// y = I_1(x), whose slope is I_0 - I_1 / x
struct I1 : OfRow<core::i1> {
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x, Out<> y) {
    const Tensor zero = x == 0;
    return dy * (i0(x) - masked_fill(y / masked_fill(x, zero, 1), zero, 0.5));
  });
};
struct Entr : OfRow<core::entr> {
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy * (-log(x) - 1); });
};
Tensor bessel(std::int64_t n, const Tensor& x);
// y = j_n(pi x), the spherical Bessel function
// What is left of a small x would be lost in the differences that sinc's slopes are otherwise made of.
struct SphericalBessel {
  static constexpr std::string_view name = "spherical_bessel";
  static constexpr Batch batch = Batch::kEach;
  struct Attrs {
    std::int64_t n = 1;
    static constexpr auto fields = named("n", &Attrs::n);
  };
  static Array forward(const Attrs& a, const Array& x) { return core::spherical_bessel(x, a.n, kPi); }
  // (2n + 1) j_n' = n j_(n - 1) - (n + 1) j_(n + 1)
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x, const Attrs& a) {
    const auto n = static_cast<double>(a.n);
    return dy * ((bessel(a.n - 1, x) * n - bessel(a.n + 1, x) * (n + 1)) * (kPi / (2 * n + 1)));
  });
};
// y = j_0(pi x), dy/dx = -pi j_1(pi x)
struct Sinc {
  static constexpr std::string_view name = "sinc";
  static constexpr Batch batch = Batch::kEach;
  static Array forward(const Array& x) {
    const Array t = x * kPi;
    return core::where(core::eq(t, 0), 1, core::sin(t) / t);
  }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy * (bessel(1, x) * -kPi); });
};
Tensor bessel(std::int64_t n, const Tensor& x) { return n == 0 ? sinc(x) : apply<SphericalBessel>({n}, x); }
// y = log(x / (1 - x)), x held within [eps, 1 - eps]
struct Logit {
  static constexpr std::string_view name = "logit";
  static constexpr std::string_view formula = "y = ln(x / (1 - x)), dx = dy / (x (1 - x))";
  static constexpr Batch batch = Batch::kEach;
  struct Attrs {
    std::optional<double> eps;
    static constexpr auto fields = named("eps", &Attrs::eps);
  };
  static Array forward(const Attrs& c, const Array& in) {
    const Array x = in.to(core::floating(in.dtype()));
    const Array z = c.eps ? core::clamp(x, *c.eps, 1 - *c.eps) : x;
    return core::log(z / (Scalar(1) - z));
  }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x, const Attrs& c) {
    const double low = c.eps.value_or(0), high = 1 - low;
    const Tensor slope = dy / (x * (1 - x)), beyond = logical_or(x<low, x> high);
    return c.eps ? masked_fill(slope, beyond, 0) : masked_fill(slope, beyond, std::numeric_limits<double>::quiet_NaN());
  });
};
struct Xlog1py : BinaryOperation<core::xlog1py> {
  static constexpr auto gradients = formulas(
      [](Dy<> dy, In<0> a, In<1> b) {
        const Tensor none = logical_and(a == 0, b <= -1);
        return dy * masked_fill(log1p(masked_fill(b, none, 0)), none, 0);
      },
      [](Dy<> dy, In<0> a, In<1> b) { return dy * (a / (b + 1)); });
};

}  // namespace

Tensor erfinv(Operand x) { return apply<Erfinv>(x); }
Tensor& erfinv_(Operand x) { return apply_inplace<Erfinv>({}, x); }
Tensor i0(Operand x) { return apply<I0>(x); }
Tensor& i0_(Operand x) { return apply_inplace<I0>({}, x); }
Tensor sinc(Operand x) { return apply<Sinc>(x); }
Tensor& sinc_(Operand x) { return apply_inplace<Sinc>({}, x); }
Tensor logit(Operand x, std::optional<double> eps) { return apply<Logit>({eps}, x); }
Tensor& logit_(Operand x, std::optional<double> eps) { return apply_inplace<Logit>({eps}, x); }
Tensor& polygamma_(Operand x, std::int64_t n) {
  return rewrite("polygamma_", x, [n](Operand in) { return polygamma(n, in); });
}

namespace special {

Tensor expit(Operand x) { return sigmoid(x); }
Tensor gammaln(Operand x) { return lgamma(x); }
Tensor psi(Operand x) { return digamma(x); }
Tensor i1(Operand x) { return apply<I1>(x); }
Tensor entr(Operand x) { return apply<Entr>(x); }
Tensor ndtr(Operand x) {
  const Scope scope(x.at());
  return normal_cdf(x.tensor().to(core::floating(x.tensor().dtype())));
}
Tensor xlog1py(Operand a, Operand b) { return apply<Xlog1py>(a, b); }
Tensor xlog1py(Operand a, const Scalar& b) { return apply<Xlog1py>(a, Operand(floating_like(b, a.tensor()), a.at())); }
Tensor xlog1py(const Scalar& a, Operand b) { return apply<Xlog1py>(Operand(floating_like(a, b.tensor()), b.at()), b); }

}  // namespace special

Tensor special_entr(Operand x) { return special::entr(x); }
Tensor special_erf(Operand x) { return erf(x); }
Tensor special_erfc(Operand x) { return erfc(x); }
Tensor special_erfinv(Operand x) { return erfinv(x); }
Tensor special_exp2(Operand x) { return exp2(x); }
Tensor special_expit(Operand x) { return sigmoid(x); }
Tensor special_expm1(Operand x) { return expm1(x); }
Tensor special_gammaln(Operand x) { return lgamma(x); }
Tensor special_i0(Operand x) { return i0(x); }
Tensor special_i1(Operand x) { return special::i1(x); }
Tensor special_log1p(Operand x) { return log1p(x); }
Tensor special_ndtr(Operand x) { return special::ndtr(x); }
Tensor special_psi(Operand x) { return digamma(x); }
Tensor special_round(Operand x, std::int64_t decimals) { return decimals == 0 ? round(x) : round(x, decimals); }
Tensor special_sinc(Operand x) { return sinc(x); }
Tensor special_log_softmax(Operand x, std::int64_t dim, std::optional<DType> dtype) {
  return log_softmax(x, dim, dtype);
}
Tensor special_softmax(Operand x, std::int64_t dim, std::optional<DType> dtype) { return softmax(x, dim, dtype); }
Tensor special_logit(Operand x, std::optional<double> eps) { return logit(x, eps); }
Tensor special_logsumexp(Operand x, IntArrayRef dim, bool keepdim) { return logsumexp(x, dim, keepdim); }
Tensor special_polygamma(std::int64_t n, Operand x) { return polygamma(n, x); }
Tensor special_xlog1py(Operand a, Operand b) { return special::xlog1py(a, b); }
Tensor special_xlogy(Operand a, Operand b) { return xlogy(a, b); }

}  // namespace gradus
