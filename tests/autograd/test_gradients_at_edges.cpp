// Gradients where formulas are masked, jump or lose digits, differentiated twice; and of numbers whose squares over- or
// underflow.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gradus/autograd/tensor/create.h>
#include <gradus/autograd/graph/engine.h>
#include <gradus/autograd/ops/functions.h>
#include <gradus/autograd/check/gradcheck.h>
#include <gradus/autograd/tensor/operators.h>
#include <gradus/core/ops/random.h>

#include "../support/pytorch.h"

using namespace gradus;
using test::check_close;
using test::same_bits;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::vector<double> values(const Tensor& x) { return test::values(x.array()); }
void check_values(const Tensor& got, const std::vector<double>& expected, const std::string& what) {
  BOOST_REQUIRE_MESSAGE(got.defined(), what);
  const std::vector<double> v = values(got);
  BOOST_REQUIRE(v.size() == expected.size());
  for (std::size_t i = 0; i < v.size(); ++i) {
    const bool same = v[i] == expected[i] || (std::isnan(v[i]) && std::isnan(expected[i])) ||
                      std::abs(v[i] - expected[i]) <= 1e-6 * std::abs(expected[i]);
    BOOST_CHECK_MESSAGE(same, what << ", element " << i << ": " << v[i] << " for " << expected[i]);
  }
}

// The gradient of f's gradient with respect to its upstream dy: f is differentiated in the direction of ones.
std::vector<double> of_upstream(const std::function<Tensor(const Tensor&)>& f, const Tensor& x) {
  const Tensor y = f(x), dy = ones_like(y).requires_grad_();
  const Tensor dx = autograd::grad({y}, {x}, {dy}, true, true)[0];
  return values(autograd::grad({dx}, {dy}, {ones_like(dx)}, true, false, true)[0]);
}
// Hessian of a function of a few numbers.
std::vector<double> hessian(const std::function<Tensor(const Tensor&)>& f, const Tensor& x) {
  const Tensor dx = autograd::grad({f(x)}, {x}, {}, true, true)[0];
  if (!dx.requires_grad()) return std::vector<double>(static_cast<std::size_t>(x.numel() * x.numel()));
  std::vector<double> all;
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    const Tensor row = autograd::grad({dx[i]}, {x}, {}, true, false, true)[0];
    for (const double v : row.defined() ? values(row) : std::vector<double>(static_cast<std::size_t>(x.numel()))) {
      all.push_back(v);
    }
  }
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gradients_at_edges)

BOOST_AUTO_TEST_CASE(powers_at_base_0_twice) {
  for (const DType dtype : {kFloat32, kFloat64}) {
    const Tensor a = tensor({0., 0., 0., 0., 2.}, dtype).requires_grad_(),
                 b = tensor({1., 2., 3., 0., 3.}, dtype).requires_grad_();
    const double ln2 = std::log(2.0);
    // The gradient is linear in what comes from above, with the factor that the first order has.
    check_values(tensor(of_upstream([&](const Tensor& x) { return pow(x, b); }, a), kFloat64), {1, 0, 0, 0, 12},
                 "of a");
    check_values(tensor(of_upstream([&](const Tensor& x) { return pow(a, x); }, b), kFloat64), {0, 0, 0, 0, 8 * ln2},
                 "of b");
    const auto first = autograd::grad({pow(a, b)}, {a, b}, {ones_like(a)}, true, true);
    check_values(first[0], {1, 0, 0, 0, 12}, "d/da");
    check_values(first[1], {0, 0, 0, 0, 8 * ln2}, "d/db");
    const auto of_a = autograd::grad({first[0].sum()}, {a, b}, {}, true),
               of_b = autograd::grad({first[1].sum()}, {a, b}, {}, true);
    // Right, or NaN where there is no derivative: b^2 a^(b - 1) / a of 0^0, and a^(b - 1) (1 + b ln a) of a = 0 and b <= 1.
    check_values(of_a[0], {0, 2, 0, kNan, 12}, "d/da d/da");
    check_values(of_b[0].slice(0, 1, 3), {0, 0}, "d/db d/da");
    check_values(of_a[1].slice(0, 1, 3), {0, 0}, "d/da d/db");
    check_values(of_b[1].slice(0, 0, 3), {0, 0, 0}, "d/db d/db");
    check_values(of_a[1].slice(0, 4), {4 + 12 * ln2}, "d/da d/db");
    check_values(of_b[0].slice(0, 4), {4 + 12 * ln2}, "d/db d/da");
    check_values(of_b[1].slice(0, 4), {8 * ln2 * ln2}, "d/db d/db");
    // An infinite upstream gradient does no harm where the gradient vanishes.
    check_values(autograd::grad({pow(a, b)}, {b}, {full_like(b, kInf)}, true)[0].slice(0, 0, 4), {0, 0, 0, 0}, "inf");

    const Tensor c = tensor({1., 0., 2., 0.5}, dtype).requires_grad_();
    check_values(tensor(of_upstream([](const Tensor& x) { return pow(0.0, x); }, c), kFloat64), {0, 0, 0, 0}, "0^b");
    check_values(tensor(hessian([](const Tensor& x) { return pow(0.0, x).sum(); }, c), kFloat64),
                 std::vector<double>(16, 0.0), "0^b twice");
    const Tensor zero = zeros({1}, dtype).requires_grad_();
    check_values(tensor(hessian([](const Tensor& x) { return pow(x, 2).sum(); }, zero), kFloat64), {2}, "0^2");
    check_values(tensor(hessian([](const Tensor& x) { return pow(x, 3).sum(); }, zero), kFloat64), {0}, "0^3");
    check_values(tensor(hessian([](const Tensor& x) { return pow(x, 1).sum(); }, zero), kFloat64), {0}, "0^1");
  }
}

BOOST_AUTO_TEST_CASE(powers_both_orders_against_finite_differences) {
  const Tensor a = (rand({2, 3}, kFloat64) + 0.5).requires_grad_(), b = (rand({3}, kFloat64) * 3).requires_grad_();
  const auto f = [](const std::vector<Tensor>& x) { return std::vector<Tensor>{pow(x[0], x[1])}; };
  BOOST_TEST(gradcheck(f, {a, b}));
  BOOST_TEST(gradgradcheck(f, {a, b}));
  // The same by the way that is taken where a base or an exponent of 0 is among them.
  const Tensor base = cat({a.detach(), zeros({1, 3}, kFloat64)}, 0).requires_grad_();
  const Tensor exponents = cat({b.detach().expand({2, 3}), zeros({1, 3}, kFloat64)}, 0).requires_grad_();
  const Tensor of_b = b.detach().expand({2, 3}).clone().requires_grad_();
  const auto first = autograd::grad({pow(base, exponents)}, {base, exponents}, {ones_like(base)}, true, true),
             alone = autograd::grad({pow(a, of_b)}, {a, of_b}, {ones_like(a)}, true, true);
  for (std::size_t i = 0; i < 2; ++i) {
    check_close(first[i].narrow(0, 0, 2), alone[i], 1e-15, "the first order");
    const auto second = autograd::grad({first[i].narrow(0, 0, 2).sum()}, {base, exponents}, {}, true);
    const auto expected = autograd::grad({alone[i].sum()}, {a, of_b}, {}, true);
    for (std::size_t k = 0; k < 2; ++k) {
      check_close(second[k].narrow(0, 0, 2), expected[k], 1e-14, "the second order");
    }
  }
}

BOOST_AUTO_TEST_CASE(ties_and_bounds_twice) {
  // Linear in what comes from above, and so twice differentiable in it: with the share that each operand has.
  const Tensor a = tensor({1., 2., 3., -kInf}, kFloat64).requires_grad_(), b = tensor({2., 2., 2., 0.}, kFloat64);
  check_values(tensor(of_upstream([&](const Tensor& x) { return maximum(x, b); }, a), kFloat64), {0, 0.5, 1, 0},
               "maximum");
  check_values(tensor(of_upstream([&](const Tensor& x) { return minimum(x, b); }, a), kFloat64), {1, 0.5, 0, 1},
               "minimum");
  check_values(tensor(of_upstream([](const Tensor& x) { return clamp(x, 2, 2.5); }, a), kFloat64), {0, 1, 0, 0},
               "clamp");
  check_values(tensor(of_upstream([](const Tensor& x) { return relu(x - 2); }, a), kFloat64), {0, 0, 1, 0}, "relu");
  check_values(tensor(of_upstream([](const Tensor& x) { return x.where(x > 1, 0 * x.detach()); }, a), kFloat64),
               {0, 1, 1, 0}, "where");
  const Tensor rows = tensor({{0., 0., 3.}, {2., 0., 5.}}, kFloat64).requires_grad_();
  check_values(tensor(of_upstream([](const Tensor& x) { return prod(x, 1); }, rows), kFloat64), {0, 10}, "prod");
  check_values(tensor(of_upstream([](const Tensor& x) { return amax(x, 1); }, rows), kFloat64), {1, 1}, "amax");
  const Tensor lost = tensor({{-kInf, -kInf}, {0., -kInf}}, kFloat64).requires_grad_();
  check_values(tensor(of_upstream([](const Tensor& x) { return logsumexp(x, 1); }, lost), kFloat64), {0, 1},
               "logsumexp");
}

BOOST_AUTO_TEST_CASE(second_derivatives_of_norms_at_0) {
  for (const DType dtype : {kFloat32, kFloat64}) {
    for (const double p : {2.0, 3.0, 4.0, 1.5, 0.5}) {
      const Tensor x = zeros({2}, dtype).requires_grad_();
      check_values(autograd::grad({norm(x, p)}, {x})[0], {0, 0}, "the first");
      check_values(autograd::grad({norm(x, p)}, {x}, {full({}, kInf, dtype)})[0], {0, 0}, "of inf");
      check_values(tensor(of_upstream([&](const Tensor& t) { return norm(t, p); }, x), kFloat64), {0}, "of dy");
      check_values(tensor(hessian([&](const Tensor& t) { return square(norm(t, p)); }, x), kFloat64),
                   std::vector<double>(4, p > 2 ? 0 : kNan), "the second");
    }
    // Of numbers whose squares, or whose squares' inverses, the dtype does not hold.
    for (const double unit : {1e-20, 1e20}) {
      const Tensor x = (tensor({3., 4.}, kFloat64) * unit).to(dtype).requires_grad_();
      const auto second = hessian([](const Tensor& t) { return norm(t); }, x);
      const double expected[] = {16.0 / 125, -12.0 / 125, -12.0 / 125, 9.0 / 125};
      for (std::size_t i = 0; i < 4; ++i)
        BOOST_TEST(second[i] * unit == expected[i], boost::test_tools::tolerance(1e-5));
      const Tensor spread = (tensor({1., 2., 4.}, kFloat64) * unit).to(dtype).requires_grad_();
      for (const double v : hessian([](const Tensor& t) { return gradus::std(t); }, spread)) {
        BOOST_TEST(std::isfinite(v));
        BOOST_TEST(v != 0);
      }
    }
    // A row of zeros does no harm to another row.
    const Tensor rows = tensor({{0., 0.}, {3., 4.}}, dtype).requires_grad_();
    const Tensor dx = autograd::grad({norm(rows, 2, 1).sum()}, {rows}, {}, true, true)[0];
    check_values(dx, {0, 0, 0.6, 0.8}, "rows");
    check_values(autograd::grad({dx[1][0]}, {rows})[0][1], {16.0 / 125, -12.0 / 125}, "the other row");
    const Tensor same = full({3}, 5, dtype).requires_grad_();
    check_values(autograd::grad({gradus::std(same)}, {same})[0], {0, 0, 0}, "std");
    check_values(tensor(hessian([](const Tensor& t) { return gradus::std(t); }, same), kFloat64),
                 std::vector<double>(9, 0), "std twice");
    // An element of 0 beside others.
    const Tensor x = tensor({0., 3., -4.}, dtype).requires_grad_();
    check_values(autograd::grad({norm(x, 3)}, {x})[0], {0, 9 / std::pow(91, 2.0 / 3), -16 / std::pow(91, 2.0 / 3)},
                 "cubes");
    for (const double p : {0.5, 1.5, 3.0}) {
      for (const double v : hessian([&](const Tensor& t) { return norm(t, p); }, x))
        BOOST_TEST(std::isfinite(v), "p = " << p);
    }
    const Tensor origin = zeros({2}, dtype).requires_grad_();
    check_values(tensor(hessian([](const Tensor& t) { return atan2(t[0], t[1]); }, origin), kFloat64),
                 {kNan, kNan, kNan, kNan}, "atan2");
  }
}

BOOST_AUTO_TEST_CASE(a_remainders_gradient_is_that_of_its_quotient) {
  // y = a - q b with a whole q: the gradient of b is the -q that the value was computed with.
  for (const DType dtype : {kFloat32, kFloat64}) {
    const Tensor a = tensor({7., -7., 7., -7., 5., 1., 0.3, 1e6, -0.9, 3.}, dtype),
                 b = tensor({-0.7, -0.7, 0.7, 0.7, 0.1, 0.1, 0.1, 0.3, 0.3, -3.}, dtype).requires_grad_();
    for (const auto& [name, f] :
         {std::pair<const char*, Tensor (*)(Operand, Operand)>{"remainder", remainder}, {"fmod", fmod}}) {
      const Tensor y = f(a, b);
      const std::vector<double> db = values(autograd::grad({y}, {b}, {ones_like(y)})[0]), v = values(y),
                                from = values(a), by = values(b);
      for (std::size_t i = 0; i < v.size(); ++i) {
        const double q = std::round((from[i] - v[i]) / by[i]);
        BOOST_CHECK_MESSAGE(
            db[i] == -q, name << "(" << from[i] << ", " << by[i] << ") = " << v[i] << ": " << db[i] << " for " << -q);
      }
    }
  }
  const Tensor a = tensor({5., -5.}), b = full({2}, kInf).requires_grad_();
  check_values(autograd::grad({remainder(a, b).sum()}, {b})[0], {0, 1}, "an infinite divisor");
  check_values(autograd::grad({fmod(a, b).sum()}, {b})[0], {0, 0}, "an infinite divisor of fmod");
}

BOOST_AUTO_TEST_CASE(in_place_arithmetic_has_the_gradients_of_its_functional_form) {
  struct Pair {
    const char* name;
    std::function<void(const Tensor&, const Tensor&)> in_place;
    std::function<Tensor(const Tensor&, const Tensor&)> functional;
  };
  const std::vector<Pair> pairs = {{"add_", [](const Tensor& x, const Tensor& b) { x.add_(b, 0.3); },
                                    [](const Tensor& x, const Tensor& b) { return add(x, b, 0.3); }},
                                   {"sub_", [](const Tensor& x, const Tensor& b) { x.sub_(b, 0.3); },
                                    [](const Tensor& x, const Tensor& b) { return sub(x, b, 0.3); }},
                                   {"mul_", [](const Tensor& x, const Tensor& b) { x.mul_(b); },
                                    [](const Tensor& x, const Tensor& b) { return mul(x, b); }},
                                   {"div_", [](const Tensor& x, const Tensor& b) { x.div_(b); },
                                    [](const Tensor& x, const Tensor& b) { return div(x, b); }},
                                   {"add_ of a number", [](const Tensor& x, const Tensor&) { x.add_(1e30); },
                                    [](const Tensor& x, const Tensor&) { return x + 1e30; }},
                                   {"sub_ of a number", [](const Tensor& x, const Tensor&) { x.sub_(1e30); },
                                    [](const Tensor& x, const Tensor&) { return x - 1e30; }},
                                   {"mul_ by a number", [](const Tensor& x, const Tensor&) { x.mul_(1e30); },
                                    [](const Tensor& x, const Tensor&) { return x * 1e30; }},
                                   {"div_ by a number", [](const Tensor& x, const Tensor&) { x.div_(1e30); },
                                    [](const Tensor& x, const Tensor&) { return x / 1e30; }}};
  const Tensor sizes = tensor({1e-42, 1e-30, 1e-20, 1e-10, 0.7, 3., 1e10, 2e19, 1e30, 3e38}, kFloat64);
  for (const DType dtype : {kFloat32, kFloat64}) {
    // Every size against every other, with signs.
    const Tensor x0 = (sizes.unsqueeze(1) * tensor({1., -1.}, kFloat64)).reshape({20, 1}).expand({20, 10}).to(dtype);
    const Tensor b0 = sizes.expand({20, 10}).to(dtype);
    for (const Pair& pair : pairs) {
      std::vector<Tensor> got[2];
      for (const bool in_place : {false, true}) {
        const Tensor x = x0.clone().requires_grad_(), b = b0.clone().requires_grad_();
        Tensor y = x * 1;
        if (in_place)
          pair.in_place(y, b);
        else
          y = pair.functional(y, b);
        const Tensor dy = full_like(y, 0.75);
        const std::vector<Tensor> first = autograd::grad({y}, {x, b}, {dy}, true, true, true);
        got[in_place] = {y, first[0]};
        if (!first[1].defined()) continue;
        got[in_place].push_back(first[1]);
        if (first[1].requires_grad())
          got[in_place].push_back(autograd::grad({first[1]}, {b}, {dy}, true, false, true)[0]);
      }
      BOOST_REQUIRE(got[0].size() == got[1].size());
      for (std::size_t i = 0; i < got[0].size(); ++i) {
        if (!got[0][i].defined()) continue;
        BOOST_CHECK_MESSAGE(same_bits(got[0][i], got[1][i]), pair.name << ", value " << i);
      }
    }
  }
  // db = - x / b^2 for a b whose square overflows.
  const Tensor b = tensor({2e19}).requires_grad_(), h = tensor({3e18}).requires_grad_() * 1;
  h.div_(b);
  check_values(autograd::grad({h}, {b})[0], {-7.5e-21}, "div_");
}

BOOST_AUTO_TEST_CASE(roots_of_sums_of_powers_at_any_scale) {
  const std::vector<double> numbers = {1, 2, 4, 8, -3, 0.5};
  for (const DType dtype : {kFloat32, kFloat64}) {
    const std::vector<double> scales =
        dtype == kFloat32 ? std::vector<double>{0x1p-120, 0x1p-80, 0x1p-60, 1, 0x1p60, 0x1p66, 0x1p120}
                          : std::vector<double>{0x1p-1010, 0x1p-800, 0x1p-500, 1, 0x1p500, 0x1p700, 0x1p1015};
    const double bound = dtype == kFloat32 ? 3e-6 : 4e-14;
    struct Case {
      std::string name;
      std::function<Tensor(const Tensor&)> f;
    };
    std::vector<Case> cases = {
        {"std", [](const Tensor& x) { return gradus::std(x, 1); }},
        {"biased std", [](const Tensor& x) { return gradus::std(x, 1, false, true).squeeze(1); }},
        {"std of all", [](const Tensor& x) { return gradus::std(x); }},
        {"norm of all", [](const Tensor& x) { return norm(x); }}};
    for (const double p : {2.0, 1.0, 3.0, 2.5, 1.5, 0.5, -1.0, -2.0, 0.0 + kInf}) {
      cases.push_back({"norm " + std::to_string(p), [p](const Tensor& x) { return norm(x, p, 1); }});
    }
    const Tensor base = tensor(numbers, dtype).reshape({2, 3});
    for (const Case& c : cases) {
      const Tensor x1 = base.clone().requires_grad_();
      const Tensor y1 = c.f(x1), g1 = autograd::grad({y1.sum()}, {x1})[0];
      for (const double scale : scales) {
        const Tensor x = (base * scale).requires_grad_();
        const Tensor y = c.f(x);
        check_close(y * (1 / scale), y1, bound, c.name + " at " + std::to_string(std::log2(scale)));
        check_close(autograd::grad({y.sum()}, {x})[0], g1, bound,
                    c.name + "'s gradient at " + std::to_string(std::log2(scale)));
        // Beside a row of another size, transposed.
        const Tensor mixed = cat({x.detach(), base * 3}, 0).t().contiguous().t().requires_grad_();
        if (y.dim() == 1) check_close(c.f(mixed).narrow(0, 0, 2) * (1 / scale), y1, bound, c.name + " beside others");
      }
    }
    check_values(norm(tensor({1., -kInf}, dtype)), {kInf}, "inf");
    check_values(norm(tensor({1., kNan}, dtype)), {kNan}, "NaN");
    check_values(norm(zeros({0}, dtype)), {0}, "none");
    check_values(gradus::std(tensor({1., kInf}, dtype)), {kNan}, "std of inf");
    const double largest = dtype == kFloat32 ? 3e38 : 1e308;
    BOOST_TEST(gradus::std(tensor({largest, largest, largest}, dtype)).item<double>() <= 1e-15 * largest);
    check_values(norm(tensor({largest}, dtype)), {largest}, "norm of the largest");
  }
  for (const double scale : {1e-25, 1.0, 1e20}) {
    const Tensor a = tensor({3 * scale, 0.}).requires_grad_(), b = tensor({4 * scale, 2 * scale}).requires_grad_();
    const auto g = autograd::grad({atan2(a, b).sum()}, {a, b});
    check_values(g[0] * scale, {4.0 / 25, 0.5}, "atan2");
    check_values(g[1] * scale, {-3.0 / 25, 0}, "atan2");
  }
}

BOOST_AUTO_TEST_CASE(slopes_near_their_zeros) {
  // exp(x), where expm1(x) + 1 has no digits left; 1 / sqrt(1 - x^2) beside 1.
  const Tensor x = tensor({-17., -30., -80., 0., 3.}).requires_grad_();
  check_values(autograd::grad({expm1(x)}, {x}, {ones_like(x)})[0],
               {std::exp(-17.0), std::exp(-30.0), std::exp(-80.0), 1, std::exp(3.0)}, "expm1");
  const double near = 1 - 0x1p-20;  // float32 holds it exactly
  const Tensor edge = tensor({near, -near, 0.25}, kFloat32).requires_grad_();
  const auto slope = [](double v) { return 1 / std::sqrt((1 - v) * (1 + v)); };
  check_values(autograd::grad({asin(edge)}, {edge}, {ones_like(edge)})[0], {slope(near), slope(near), slope(0.25)},
               "asin");
  check_values(autograd::grad({acos(edge)}, {edge}, {ones_like(edge)})[0], {-slope(near), -slope(near), -slope(0.25)},
               "acos");
}

// 2 x / (1 - x^2)^2, x / (1 - x^2)^(3/2): what is left of a small x would be lost in a difference.
BOOST_AUTO_TEST_CASE(slopes_of_inverse_functions) {
  const auto second = [](Tensor (*f)(Operand), const std::vector<float>& at) {
    const Tensor x = tensor(at).requires_grad_();
    const Tensor dx = autograd::grad({f(x).sum()}, {x}, {}, true, true)[0];
    return autograd::grad({dx.sum()}, {x})[0];
  };
  check_values(second(atanh, {1e-5f, 1e-20f, 0.5f, 1, -1}), {2e-5, 2e-20, 16.0 / 9, kInf, -kInf}, "atanh");
  check_values(second(asin, {1e-5f, 1e-20f, 0.6f}), {1e-5, 1e-20, 0.6 / 0.512}, "asin");
  check_values(second(acos, {1e-5f, 1e-20f, 0.6f}), {-1e-5, -1e-20, -0.6 / 0.512}, "acos");
}

// The second order where operands are equal.
BOOST_AUTO_TEST_CASE(logarithms_of_equal_powers) {
  const auto halves = [](Tensor (*f)(Operand, Operand)) { return [f](const Tensor& x) { return f(x[0], x[1]); }; };
  const double q = 0.25, q2 = 0.25 * std::log(2.0);
  for (const double v : {0.0, 3.0, -700.0}) {
    const Tensor x = tensor({v, v}, kFloat64).requires_grad_();
    BOOST_TEST(hessian(halves(logaddexp), x) == (std::vector<double>{q, -q, -q, q}), boost::test_tools::per_element());
    const std::vector<double> h = hessian(halves(logaddexp2), x);
    for (std::size_t i = 0; i < 4; ++i) BOOST_TEST(std::abs(h[i] - (i % 3 == 0 ? q2 : -q2)) < 1e-15);
  }
  for (const double v : {kInf, -kInf}) {
    const Tensor x = tensor({v, v}, kFloat64).requires_grad_();
    for (const auto f : {logaddexp, logaddexp2}) {
      check_values(autograd::grad({f(x[0], x[1])}, {x})[0], {0.5, 0.5}, "infinite ones");
      check_values(tensor(hessian(halves(f), x), kFloat64), {0, 0, 0, 0}, "infinite ones");
    }
  }
}

// sinc'' = pi^2 (2 j_1(z) / z - j_0(z)), z = pi x; -pi^2 / 3 at 0.
BOOST_AUTO_TEST_CASE(slopes_of_sinc) {
  const double pi = std::acos(-1.0);
  const auto slopes = [](const Tensor& x, int order) {
    Tensor y = sinc(x);
    for (int i = 0; i < order; ++i) y = autograd::grad({y.sum()}, {x}, {}, true, true)[0];
    return y;
  };
  const auto second = [pi](double x) {
    const double z = pi * x;
    if (z * z < 1e-3) return -pi * pi * (1.0 / 3 - z * z / 10 + z * z * z * z / 168);
    return pi * pi * (-std::sin(z) / z - 2 * std::cos(z) / (z * z) + 2 * std::sin(z) / (z * z * z));
  };
  const std::vector<double> at = {0, 1e-30, 1e-5, -3e-3, 0.4, 0.7, -1.2, 5.3};
  for (const DType dtype : {kFloat32, kFloat64}) {
    const Tensor x = tensor(at, kFloat64).to(dtype).requires_grad_();
    std::vector<double> expected;
    for (const double v : values(x.detach())) expected.push_back(second(v));
    check_values(slopes(x, 2), expected, "second");
  }
  const Tensor x = tensor({0., 1e-6}, kFloat64).requires_grad_();
  check_values(slopes(x, 1), {0, -pi * pi * 1e-6 / 3}, "first");
  check_values(slopes(x, 3), {0, pi * pi * pi * pi * 1e-6 / 5}, "third");
  check_values(slopes(x, 4), std::vector<double>(2, pi * pi * pi * pi / 5), "fourth");
}

// All four factors to one place: the Hessian of a product, whichever of them are 0.
BOOST_AUTO_TEST_CASE(scattered_products_with_zeros) {
  const Tensor index = zeros({3}, kInt64);
  for (const auto& v : std::vector<std::vector<double>>{
           {2, 3, 5, 7}, {0, 3, 5, 7}, {2, 0, 5, 7}, {0, 3, 0, 7}, {2, 0, 0, 7}, {0, 0, 0, 7}, {0, 0, 0, 0}}) {
    const Tensor x = tensor(v, kFloat64).requires_grad_();
    const auto product = [](const Tensor& t) { return t[0] * t[1] * t[2] * t[3]; };
    const auto scattered = [&](const Tensor& t) {
      return scatter_reduce(t.narrow(0, 0, 1), 0, index, t.narrow(0, 1, 3), "prod")[0];
    };
    check_values(autograd::grad({scattered(x)}, {x})[0], values(autograd::grad({product(x)}, {x})[0]), "gradient");
    check_values(tensor(hessian(scattered, x), kFloat64), hessian(product, x), "Hessian");
  }
}

BOOST_AUTO_TEST_CASE(the_highest_polygamma) {
  const Tensor x = tensor({1.0, 2.0}, kFloat64).requires_grad_();
  polygamma(20, x).sum().backward();
  check_values(x.grad(), {5.10909543543703e19, 12182660845677.7}, "polygamma(21, x)");
}

BOOST_AUTO_TEST_SUITE_END()
