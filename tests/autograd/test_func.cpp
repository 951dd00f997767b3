// Functions of functions: autograd/func/transforms.h.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <functional>

#include <gradus/gradus.h>

#include "../support/arrays.h"

namespace gradus::test {
namespace {

using autograd::Dx;
using autograd::Dy;
using autograd::In;
using core::Array;
using func::Tensors;

// y = a^2 b, with its tangent, which counts its calls.
int tangents_taken = 0;
struct SquareTimes {
  static constexpr std::string_view name = "test_square_times";
  static Array forward(const Array& a, const Array& b) { return a * a * b; }
  static constexpr auto gradients = autograd::formulas([](Dy<> dy, In<0> a, In<1> b) { return dy * 2 * a * b; },
                                                       [](Dy<> dy, In<0> a) { return dy * square(a); });
  static constexpr auto tangent = [](Dx<0> da, Dx<1> db, In<0> a, In<1> b) {
    ++tangents_taken;
    Tensor dy;
    if (da.defined()) dy = da * 2 * a * b;
    if (db.defined()) dy = dy.defined() ? dy + square(a) * db : square(a) * db;
    return dy;
  };
};
Tensor part(const Tensor& ds, const Tensor& dp, const Tensor& other) {
  if (!dp.defined()) return ds;
  return ds.defined() ? ds + dp * other : dp * other;
}
// A gradient that nothing records: no forward mode can be derived from it.
struct Unrecorded {
  static constexpr std::string_view name = "test_unrecorded";
  static Array forward(const Array& x) { return x * x; }
  static constexpr auto gradients =
      autograd::formulas([](Dy<> dy, In<0> x) { return Tensor(dy.array() * 2.0 * x.array()); });
};
// (a + b, a b), with its tangents.
struct SumAndProduct {
  static constexpr std::string_view name = "test_sum_and_product";
  static std::tuple<Array, Array> forward(const Array& a, const Array& b) { return {a + b, a * b}; }
  static constexpr auto gradients =
      autograd::formulas([](Dy<0> ds, Dy<1> dp, In<1> b) { return gradus::test::part(ds, dp, b); },
                         [](Dy<0> ds, Dy<1> dp, In<0> a) { return gradus::test::part(ds, dp, a); });
  static constexpr auto tangent = [](Dx<0> da, Dx<1> db, In<0> a, In<1> b) {
    ++tangents_taken;
    const Tensor of_a = da.defined() ? da : Tensor(zeros_like(db)), of_b = db.defined() ? db : Tensor(zeros_like(da));
    const Tensor product = da.defined() && db.defined() ? da * b + a * db : da.defined() ? da * b : a * db;
    return std::tuple(of_a + of_b, product);
  };
};

Tensor numbers(IntArrayRef shape, std::uint64_t seed) {
  Generator generator(seed);
  return empty(shape, kDouble).uniform_(0.4, 1.6, generator);
}
bool close(const Tensor& a, const Tensor& b, double bound = 1e-11) {
  BOOST_REQUIRE(a.sizes() == b.sizes());
  return a.numel() == 0 || ((a - b).abs().max() / (1 + b.abs().max())).item<double>() < bound;
}
bool same(const Tensor& a, const Tensor& b) { return a.sizes() == b.sizes() && (a == b).all().item<bool>(); }

// A smooth function of two tensors of shape [3].
Tensor smooth(const Tensor& x, const Tensor& w) { return (sin(x * w) * exp(-x) + (x / w).tanh().square()).sum(); }
Tensor vector_valued(const Tensor& x) { return (sin(x) * x.flip({0})).cumsum(0) / x.square().sum(); }

}  // namespace

BOOST_AUTO_TEST_SUITE(func)

BOOST_AUTO_TEST_CASE(gradients_are_those_of_backward) {
  const Tensor x = numbers(3, 1), w = numbers(3, 2);
  const Tensor x1 = x.clone().requires_grad_(), w1 = w.clone().requires_grad_();
  const Tensor y = smooth(x1, w1);
  y.backward();
  BOOST_TEST(same(gradus::func::grad(smooth)(x, w), x1.grad()));
  BOOST_TEST(same(gradus::func::grad(smooth, 1)(x, w), w1.grad()));
  BOOST_TEST(same(gradus::func::grad(smooth, -1)(x, w), w1.grad()));
  const auto [value, both] = gradus::func::value_and_grad(smooth, {1, 0})(x, w);
  BOOST_TEST(same(value, y.detach()));
  BOOST_TEST(same(both[0], w1.grad()));
  BOOST_TEST(same(both[1], x1.grad()));
  // As a list.
  const auto of_list = [](const Tensors& v) { return smooth(v[0], v[1]); };
  BOOST_TEST(same(gradus::func::grad(of_list, 1)(Tensors{x, w}), w1.grad()));
  BOOST_TEST(same(gradus::func::grad(smooth, 1)(Tensors{x, w}), w1.grad()));
}

BOOST_AUTO_TEST_CASE(what_is_returned_beside) {
  const Tensor x = numbers(3, 1);
  const auto f = [](const Tensor& v) {
    const Tensor h = sin(v);
    return std::pair(h.sum(), h);
  };
  const auto [g, h] = gradus::func::grad(f, 0, gradus::func::has_aux)(x);
  BOOST_TEST(same(g, cos(x)));
  BOOST_TEST(same(h, sin(x)));
  BOOST_TEST(!h.requires_grad());
  const auto [value, gradient] = gradus::func::value_and_grad(f, 0, gradus::func::has_aux)(x);
  BOOST_TEST(same(value.first, sin(x).sum()));
  BOOST_TEST(same(value.second, sin(x)));
  const auto named = [](const Tensor& v) { return std::pair(v * 2, std::string("beside")); };
  const auto [y, pullback, text] = gradus::func::vjp(named, x, gradus::func::has_aux);
  BOOST_TEST(text == "beside");
  BOOST_TEST(same(pullback(ones(3, kDouble)), full(3, 2, kDouble)));
}

BOOST_AUTO_TEST_CASE(products_with_the_jacobian) {
  const Tensor x = numbers(4, 1), t = numbers(4, 2), c = numbers(4, 3);
  const Tensor J = gradus::func::jacrev(vector_valued)(x);
  BOOST_TEST(close(gradus::func::jacfwd(vector_valued)(x), J));
  BOOST_TEST(same(gradus::func::jacobian(vector_valued)(x), J));
  const auto [y, tangent] = gradus::func::jvp(vector_valued, x, t);
  BOOST_TEST(same(y, vector_valued(x)));
  BOOST_TEST(close(tangent, mv(J, t)));
  const auto [z, pullback] = gradus::func::vjp(vector_valued, x);
  BOOST_TEST(same(z, y));
  for (int again = 0; again < 2; ++again) BOOST_TEST(close(pullback(c), mv(J.t(), c)));
}

BOOST_AUTO_TEST_CASE(several_outputs) {
  const Tensor x = numbers(3, 1), w = numbers(2, 2);
  const auto f = [](const Tensor& a, const Tensor& b) { return std::tuple(a.square(), outer(a, b)); };
  const auto J = gradus::func::jacrev(f, {0, 1})(x, w), K = gradus::func::jacfwd(f, {0, 1})(x, w);
  BOOST_REQUIRE_EQUAL(J.size(), 2u);
  BOOST_TEST(J[1][0].sizes() == IntArrayRef({3, 2, 3}));
  BOOST_TEST(same(J[0][1], zeros({3, 2}, kDouble)));
  for (int k = 0; k < 2; ++k) {
    for (int i = 0; i < 2; ++i) BOOST_TEST(close(K[k][i], J[k][i]));
  }
  BOOST_TEST(same(gradus::func::jacrev(f, 1)(x, w)[1], J[1][1]));
  const auto [y, pullback] = gradus::func::vjp(f, {x, w});
  const Tensors pulled = pullback({Tensor(), ones({3, 2}, kDouble)});
  BOOST_TEST(close(pulled[0], w.sum().expand(3)));
  BOOST_TEST(close(pulled[1], x.sum().expand(2)));
  const auto [same_y, tangents] = gradus::func::jvp(f, {x, w}, {Tensor(), w});
  BOOST_TEST(same(std::get<0>(tangents), zeros(3, kDouble)));
  BOOST_TEST(close(std::get<1>(tangents), outer(x, w)));
}

// Second derivatives are the forward derivative of the gradient, and of nothing else.
BOOST_AUTO_TEST_CASE(hessian_is_jvp_of_grad) {
  const Tensor x = numbers(3, 1), w = numbers(3, 2), v = numbers(3, 3);
  const Tensor H = gradus::func::hessian(smooth)(x, w);
  const auto gradient = gradus::func::grad(smooth);
  for (int j = 0; j < 3; ++j) {
    const Tensor unit = zeros(3, kDouble);
    unit.select(0, j).fill_(1);
    const auto [g, column] = gradus::func::jvp([&](const Tensor& z) { return gradient(z, w); }, x, unit);
    BOOST_TEST(same(column, H.select(1, j)));
    BOOST_TEST(same(g, gradient(x, w)));
  }
  BOOST_TEST(close(gradus::func::jacrev(gradient)(x, w), H));
  const auto of_x = [&](const Tensor& z) { return smooth(z, w); };
  const auto [value, forward] = gradus::func::hvp(of_x, x, v);
  const auto [again, reverse] = gradus::func::vhp(of_x, x, v);
  BOOST_TEST(same(value, smooth(x, w)));
  BOOST_TEST(same(again, value));
  BOOST_TEST(close(forward, mv(H, v)));
  BOOST_TEST(close(reverse, mv(H.t(), v)));
  const auto blocks = gradus::func::hessian(smooth, {0, 1})(x, w);
  BOOST_TEST(same(blocks[0][0], H));
  BOOST_TEST(close(blocks[0][1], blocks[1][0].t()));
  const auto of_both = gradus::func::hvp(smooth, Tensors{x, w}, Tensors{v, w}).second;
  BOOST_TEST(close(of_both[1], mv(blocks[1][0], v) + mv(blocks[1][1], w)));
}

// Derivatives of one number by one number, each by another transform; they nest in every pair, and in every three.
BOOST_AUTO_TEST_CASE(every_nesting) {
  using Scalar = std::function<Tensor(const Tensor&)>;
  using Transform = std::function<Scalar(Scalar)>;
  const auto one = [](const Tensor& x) { return ones_like(x.detach()); };
  const std::vector<std::pair<const char*, Transform>> transforms = {
      {"grad", [](Scalar f) { return Scalar(gradus::func::grad(f)); }},
      {"vjp", [=](Scalar f) { return [=](const Tensor& x) { return gradus::func::vjp(f, x).second(one(x)); }; }},
      {"jvp", [=](Scalar f) { return [=](const Tensor& x) { return gradus::func::jvp(f, x, one(x)).second; }; }},
      {"jacrev", [](Scalar f) { return Scalar(gradus::func::jacrev(f)); }},
      {"jacfwd", [](Scalar f) { return Scalar(gradus::func::jacfwd(f)); }},
      {"hvp",  // of the antiderivative of nothing: the second derivative's product with 1, of x f
       [=](Scalar f) {
         return [=](const Tensor& x) {
           const auto product = [=](const Tensor& z) { return z * f(z); };  // (x f)'' = 2 f' + x f''
           const Tensor second = gradus::func::vhp(f, x, one(x)).second;
           return (gradus::func::hvp(product, x, one(x)).second - x * second) / 2;
         };
       }}};
  const std::vector<std::pair<const char*, Scalar>> functions = {
      {"products", [](const Tensor& x) { return sin(x * x) * exp(-x) / (1 + x); }},
      {"softmax",
       [](const Tensor& x) {
         return (stack({x, x.square(), 1 / x}).softmax(0) * tensor({1.0, 2.0, 4.0}, kDouble)).sum();
       }},
      {"layers",
       [](const Tensor& x) {
         const Tensor rows = x * linspace(0.5, 2, 6, kDouble).view({2, 3}).square();
         return nn::functional::gelu(rows.matmul(linspace(-1, 1, 6, kDouble).view({3, 2}))).log_softmax(1).mean();
       }},
      {"in place", [](const Tensor& x) {
         Tensor y = x * tensor({1.0, 2.0}, kDouble);
         y[0].mul_(y[1]);
         y.exp_();
         return y.select(0, 0) * x;
       }}};
  for (const auto& [f_name, f] : functions) {
    const auto differences = [&f = f](const Tensor& x, int order) {
      const double h = order == 1 ? 1e-5 : order == 2 ? 1e-3 : 1e-2;
      const auto at = [&](double k) { return f(x + k * h).detach(); };
      if (order == 1) return (at(1) - at(-1)) / (2 * h);
      if (order == 2) return (-at(2) + 16 * at(1) - 30 * at(0) + 16 * at(-1) - at(-2)) / (12 * h * h);
      return (-at(3) + 8 * at(2) - 13 * at(1) + 13 * at(-1) - 8 * at(-2) + at(-3)) / (8 * h * h * h);
    };
    const Tensor x = tensor(0.7, kDouble);
    const Tensor second = gradus::func::grad(gradus::func::grad(f))(x);
    for (const auto& [a_name, a] : transforms) {
      BOOST_TEST(close(a(f)(x), differences(x, 1), 1e-8), f_name << ": " << a_name);
      for (const auto& [b_name, b] : transforms) {
        const Tensor d2 = a(b(f))(x);
        BOOST_TEST(close(d2, differences(x, 2), 1e-7), f_name << ": " << a_name << " of " << b_name);
        BOOST_TEST(close(d2, second, 1e-10), f_name << ": " << a_name << " of " << b_name);
        if (std::string(a_name) == "hvp" || std::string(b_name) == "hvp") continue;
        for (const auto& [c_name, c] : transforms) {
          if (std::string(c_name) == "hvp") continue;
          BOOST_TEST(close(a(b(c(f)))(x), differences(x, 3), 1e-4),
                     f_name << ": " << a_name << " of " << b_name << " of " << c_name);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(an_operation_may_give_its_tangent) {
  const Tensor a = numbers(3, 1), b = numbers(3, 2), t = numbers(3, 3);
  const auto f = [](const Tensor& x, const Tensor& y) { return autograd::apply<SquareTimes>(x, y); };
  const auto g = [](const Tensor& x, const Tensor& y) { return autograd::apply<SumAndProduct>(x, y); };
  tangents_taken = 0;
  const Tensor both = gradus::func::jvp(f, {a, b}, {t, a}).second;
  BOOST_TEST(close(both, 2 * a * b * t + a.square() * a));
  BOOST_TEST(tangents_taken == 1);
  const auto of_b = [&](const Tensor& y) { return f(a, y); };
  BOOST_TEST(close(gradus::func::jvp(of_b, b, t).second, a.square() * t));
  const auto [sum, product] = gradus::func::jvp(g, {a, b}, {t, Tensor()}).second;
  BOOST_TEST(close(sum, t));
  BOOST_TEST(close(product, t * b));
  BOOST_TEST(tangents_taken == 3);
  for (int i = 0; i < 2; ++i) {
    const auto total = [&](const Tensor& x, const Tensor& y) {
      const auto [s, p] = g(f(x, y), y);
      return (s * p).sum();
    };
    BOOST_TEST(
        close(gradus::func::hessian(total, i)(a, b), gradus::func::jacrev(gradus::func::grad(total, i), i)(a, b)));
  }
  BOOST_TEST(tangents_taken > 3);
}

// The inner derivative holds what the outer one varies fast (Siskind and Pearlmutter's "perturbation confusion").
BOOST_AUTO_TEST_CASE(inner_and_outer_variables_are_not_confused) {
  const auto inner_forward = [](const Tensor& x) {
    const auto sum = [&](const Tensor& y) { return x + y; };
    return x * gradus::func::jvp(sum, tensor(1.0, kDouble), tensor(1.0, kDouble)).second;
  };
  const auto inner_reverse = [](const Tensor& x) {
    return x * gradus::func::grad([&](const Tensor& y) { return x * y; })(x);
  };
  const Tensor x = tensor(1.5, kDouble), one = tensor(1.0, kDouble);
  BOOST_TEST(gradus::func::jvp(inner_forward, x, one).second.item<double>() == 1);
  BOOST_TEST(gradus::func::grad(inner_forward)(x).item<double>() == 1);
  BOOST_TEST(gradus::func::jvp(inner_reverse, x, one).second.item<double>() == 3);
  BOOST_TEST(gradus::func::grad(inner_reverse)(x).item<double>() == 3);
}

BOOST_AUTO_TEST_CASE(results_keep_the_history_of_what_was_captured_and_no_other) {
  const Tensor x = numbers(3, 1), w = numbers(3, 2);
  const auto of_x = [&](const Tensor& z) { return smooth(z, w); };
  {
    const std::int64_t before = autograd::Node::alive();
    const auto [value, gradient] = gradus::func::value_and_grad(of_x)(x);
    const auto forward = gradus::func::jvp(of_x, x, x);
    const Tensor H = gradus::func::hessian(of_x)(x);
    for (const Tensor& y : {value, gradient, forward.first, forward.second, H}) BOOST_TEST(!y.requires_grad());
    BOOST_TEST(autograd::Node::alive() == before);
  }
  w.requires_grad_();
  const auto mixed = gradus::func::hessian(smooth, {0, 1})(x, w.detach())[0][1];
  {
    const Tensor gradient = gradus::func::grad(of_x)(x);
    BOOST_REQUIRE(gradient.requires_grad());
    BOOST_TEST(close(autograd::grad({gradient}, {w}, {x})[0], mv(mixed.t(), x)));
    const Tensor tangent = gradus::func::jvp(of_x, x, x).second;
    BOOST_TEST(close(autograd::grad({tangent}, {w})[0], mv(mixed.t(), x)));
    const auto [y, pullback] = gradus::func::vjp(of_x, x);
    const Tensor c = tensor(2.0, kDouble).requires_grad_();
    const auto both = autograd::grad({pullback(c)}, {w, c}, {x});
    BOOST_TEST(close(both[0], 2 * mv(mixed.t(), x)));
    BOOST_TEST(close(both[1], dot(gradient.detach(), x)));
    const NoGradGuard no_grad;
    BOOST_TEST(!gradus::func::grad(of_x)(x).requires_grad());
    BOOST_TEST(!gradus::func::jvp(of_x, x, x).second.requires_grad());
    BOOST_TEST(!gradus::func::jacrev(of_x)(x).requires_grad());
    BOOST_TEST(same(gradus::func::grad(of_x)(x), gradient.detach()));
  }
  w.requires_grad_(false);
  // An input with a history hands it on; nobody's `.grad` is touched.
  const Tensor leaf = numbers(3, 1).requires_grad_(), z = leaf * 1;
  const Tensor gradient = gradus::func::grad(of_x)(z);
  BOOST_TEST(!leaf.grad().defined());
  const Tensor H = gradus::func::hessian(of_x)(x);
  BOOST_TEST(close(autograd::grad({gradient}, {leaf}, {w})[0], mv(H, w)));
  BOOST_TEST(!leaf.grad().defined());
  BOOST_TEST(leaf.requires_grad());
}

BOOST_AUTO_TEST_CASE(what_does_not_depend_on_an_input_has_zeros) {
  const Tensor x = numbers({2, 3}, 1), w = numbers(3, 2);
  const auto only_w = [](const Tensor&, const Tensor& b) { return b.sum(); };
  const auto constant = [](const Tensor&, const Tensor&) { return tensor(3.0, kDouble); };
  const Tensor none = zeros({2, 3}, kDouble);
  BOOST_TEST(same(gradus::func::grad(only_w)(x, w), none));
  BOOST_TEST(same(gradus::func::grad(constant)(x, w), none));
  BOOST_TEST(same(gradus::func::jacrev(only_w)(x, w), none));
  BOOST_TEST(same(gradus::func::jacfwd(only_w)(x, w), none));
  BOOST_TEST(same(gradus::func::jvp(constant, {x, w}, {x, w}).second, zeros({}, kDouble)));
  BOOST_TEST(same(gradus::func::hessian(only_w, 1)(x, w), zeros({3, 3}, kDouble)));
  const auto stops = [](const Tensor& a) {
    const NoGradGuard no_grad;
    return a.sum();
  };
  BOOST_TEST(same(gradus::func::grad(stops)(x), none));
  const auto empty_input = gradus::func::jacfwd([](const Tensor& a) { return a * 2; })(zeros({0}, kDouble));
  BOOST_TEST(empty_input.sizes() == IntArrayRef({0, 0}));
}

BOOST_AUTO_TEST_CASE(wrong_use) {
  const Tensor x = numbers(3, 1), w = numbers(2, 2), ids = arange(3, kInt64);
  const auto twice = [](const Tensor& a) { return a * 2; };
  const auto sum = [](const Tensor& a) { return a.sum(); };
  check_error<GradError>([&] { gradus::func::grad(twice)(x); },
                         {"grad: the function must return one tensor of one element: shape [3]", "sum()"});
  check_error<DTypeError>([&] { gradus::func::grad(sum)(ids); },
                          {"grad: argument 0 must be floating-point to be differentiated: int64", "argnums"});
  check_error<DTypeError>([&] { gradus::func::jacfwd([](const Tensor& a) { return a.argmax(); })(x); },
                          {"jacfwd: what the function returns must be floating-point", "output 0 is int64", "has_aux"});
  check_error<ShapeError>([&] { gradus::func::jvp(twice, x, w); },
                          {"jvp: tangent 0 must have the input's shape: [2] for [3]"});
  check_error<ShapeError>([&] { gradus::func::vjp(twice, x).second(w); },
                          {"vjp: cotangent 0 must have the output's shape: [2] for [3]"});
  check_error<ValueError>(
      [&] {
        gradus::func::jvp(smooth, {x, x}, {x});
      },
      {"jvp: there must be a tangent for each input: 1 for 2"});
  check_error<IndexError>([&] { gradus::func::grad(sum, 1)(x); }, {"grad: argnums must be in [-1, 1)"});
  check_error<IndexError>(
      [&] {
        gradus::func::grad(smooth, {0, -2})(x, x);
      },
      {"grad: argnums must name an argument once: -2 is repeated"});
  check_error<GradError>([&] { gradus::func::grad([](const Tensor& a) { return a.mul_(2).sum(); })(x.clone()); },
                         {"grad: the function must not change its arguments in place", "clone()"});
  check_error<GradError>(
      [&] { gradus::func::jvp([](const Tensor& a) { return autograd::apply<Unrecorded>(a); }, x, x); },
      {"test_unrecorded: forward mode needs a gradient that is recorded", "input 0"});
  check_error<ValueError>([&] { gradus::func::vjp(smooth, Tensors{x, x, x}); }, {"vjp: the function must take", "3"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
