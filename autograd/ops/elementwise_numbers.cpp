// Pointwise operations on what numbers are made of: signs, powers of 2, divisors, neighbours.
#include "../../core/ops/elementwise.h"

#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "../graph/grad_mode.h"
#include "../graph/without_gradient.h"
#include "rewrite.h"
#include "rounded_once.h"

namespace gradus {

using namespace autograd;
using core::Array;

namespace {

struct Signbit {
  static constexpr std::string_view name = "signbit";
  static constexpr Batch batch = Batch::kEach;
  static Array forward(const Array& x) {
    return core::in_name_of(name, [&] { return core::lt(core::copysign(core::scalar(1, x.dtype()), x), 0); });
  }
};
struct Gcd {
  static constexpr std::string_view name = "gcd";
  static constexpr bool broadcasts = true;
  static Array forward(const Array& a, const Array& b) { return core::gcd(a, b); }
};
struct Lcm {
  static constexpr std::string_view name = "lcm";
  static constexpr bool broadcasts = true;
  static Array forward(const Array& a, const Array& b) { return core::lcm(a, b); }
};
struct Nextafter {
  static constexpr std::string_view name = "nextafter";
  static constexpr bool broadcasts = true;
  static Array forward(const Array& a, const Array& b) { return core::nextafter(a, b); }
};

// Whether two operands are of one storage type of floating-point numbers.
bool stored_alike(const Operand& a, const Operand& b) {
  return stored(a) && a.tensor().is_floating_point() && a.tensor().dtype() == b.tensor().dtype();
}
void expect_double(const Operand& x) {
  if (x.tensor().dtype() != kFloat64) {
    core::fail<DTypeError>(
        "float_power_: what is written to must be float64, as the result is: {}; float_power() makes one",
        x.tensor().dtype());
  }
}

}  // namespace

Tensor signbit(Operand x) { return without_gradient<Signbit>(x); }
Tensor heaviside(Operand x, Operand values) {
  return core::in_name_of("heaviside", [&] {
    const Scope scope(x.at());
    const DType dtype = result_type(x.tensor(), values.tensor());
    return where(eq(x, 0), values, {gt(x, 0).to(dtype), x.at()});
  });
}
Tensor& heaviside_(Operand x, Operand values) {
  return rewrite("heaviside_", x, [&](Operand in) { return heaviside(in, values); });
}
Tensor ldexp(Operand x, Operand other) {
  if (stored_alike(x, other)) return rounded_once([](Operand u, Operand v) { return ldexp(u, v); }, x, other);
  return core::in_name_of("ldexp", [&] {
    const Scope scope(x.at());
    return x.tensor() * pow(2.0, other);
  });
}
Tensor& ldexp_(Operand x, Operand other) {
  return rewrite("ldexp_", x, [&](Operand in) { return ldexp(in, other); });
}
Tensor float_power(Operand x, Operand exponent) {
  return core::in_name_of("float_power", [&] {
    const Scope scope(x.at());
    return pow(x.tensor().to(kFloat64), exponent.tensor().to(kFloat64));
  });
}
Tensor float_power(Operand x, const Scalar& exponent) {
  return core::in_name_of("float_power", [&] {
    const Scope scope(x.at());
    return pow(x.tensor().to(kFloat64), exponent);
  });
}
Tensor float_power(const Scalar& x, Operand exponent) {
  return core::in_name_of("float_power", [&] {
    const Scope scope(exponent.at());
    return pow(x, exponent.tensor().to(kFloat64));
  });
}
Tensor& float_power_(Operand x, Operand exponent) {
  expect_double(x);
  return core::in_name_of("float_power_", [&]() -> Tensor& {
    const Scope scope(x.at());
    return pow_(x, {exponent.tensor().to(kFloat64), x.at()});
  });
}
Tensor& float_power_(Operand x, const Scalar& exponent) {
  expect_double(x);
  return core::in_name_of("float_power_", [&]() -> Tensor& { return pow_(x, exponent); });
}
Tensor gcd(Operand a, Operand b) { return without_gradient<Gcd>(a, b); }
Tensor& gcd_(Operand a, Operand b) {
  return rewrite("gcd_", a, [&](Operand in) { return gcd(in, b); });
}
Tensor lcm(Operand a, Operand b) { return without_gradient<Lcm>(a, b); }
Tensor& lcm_(Operand a, Operand b) {
  return rewrite("lcm_", a, [&](Operand in) { return lcm(in, b); });
}
Tensor nextafter(Operand a, Operand b) { return without_gradient<Nextafter>(a, b); }
Tensor& nextafter_(Operand a, Operand b) {
  return rewrite("nextafter_", a, [&](Operand in) { return nextafter(in, b); });
}

}  // namespace gradus
