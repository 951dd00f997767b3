// Pointwise operations from a lambda, held against the operations that it is made of.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstring>
#include <functional>
#include <map>
#include <memory>

#include <gradus/autograd.h>
#include <gradus/autograd/check/check_lambda.h>
#include <gradus/autograd/fused/function.h>
#include <gradus/core/ops/pointwise.h>
#include <gradus/core/simd/instruction_set.h>

#include "../support/arrays.h"
#include "../support/gradients.h"
#include "../support/threads.h"

namespace gradus::test {
namespace {

using autograd::grad;
using autograd::detail::FusedFunction;
using Values = std::vector<TracedValue>;
using Tensors = std::vector<Tensor>;

// A function of the lambda's kind that is made at run time.
class Drawn final : public FusedFunction {
 public:
  using Body = std::function<TracedValue(const Values&)>;
  Drawn(std::string name, int inputs, Body body) : FusedFunction(std::move(name), inputs, 1), body_(std::move(body)) {}
  Tensors compose(const Tensors& inputs) const override {
    Values x;
    for (const Tensor& each : inputs) x.emplace_back(each);
    return {body_(x).tensor()};
  }

 private:
  const Body body_;
};
using Function = std::shared_ptr<const Drawn>;

Tensor fused(const Function& f, const Tensors& x) {
  std::vector<Operand> operands(x.begin(), x.end());
  Tensor y;
  run_fused(f, operands.data(), &y);
  return y;
}
Tensor composed(const Function& f, const Tensors& x) { return f->compose(x)[0]; }

Tensors leaves(int count, DType dtype, double low, double high, IntArrayRef shape = {67}) {
  Tensors x;
  for (int i = 0; i < count; ++i) x.push_back((rand(shape, dtype) * (high - low) + low).requires_grad_());
  return x;
}

// Value and gradients, in bits.
void check_first_order(const Function& f, const Tensors& x) {
  const Tensor y = fused(f, x), z = composed(f, x);
  BOOST_CHECK_MESSAGE(same_bits(y, z), f->name() << ": values");
  BOOST_REQUIRE_EQUAL(y.requires_grad(), z.requires_grad());
  if (!y.requires_grad()) return;
  const Tensor dy = randn(y.sizes(), y.dtype());
  const Tensors a = grad({y}, x, {dy}, true, false, true), b = grad({z}, x, {dy}, true, false, true);
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!a[i].defined() && b[i].defined()) BOOST_CHECK_MESSAGE(same_bits(b[i], zeros_like(b[i])), f->name());
    if (a[i].defined()) BOOST_CHECK_MESSAGE(same_bits(a[i], b[i]), f->name() << ": gradient of input " << i);
  }
}
// Second order, in bits, too: the derivative's derivative is that of the same graph.
void check_second_order(const Function& f, const Tensors& x) {
  const Tensor y = fused(f, x), z = composed(f, x);
  if (!y.requires_grad()) return;
  const Tensor dy = randn(y.sizes(), y.dtype()).requires_grad_();
  const auto second = [&](const Tensor& out) {
    const Tensors first = grad({out}, x, {dy}, true, true, true);
    Tensors from, along, wanted = x;
    wanted.push_back(dy);
    for (const Tensor& g : first) {
      if (!g.defined() || !g.requires_grad()) continue;
      from.push_back(g);
      along.push_back(ones_like(g));
    }
    Tensors result = from.empty() ? Tensors(wanted.size()) : grad(from, wanted, along, false, false, true);
    for (Tensor& g : result) g = g.defined() ? g : zeros_like(y);
    return result;
  };
  const Tensors a = second(y), b = second(z);
  for (std::size_t i = 0; i < a.size(); ++i) {
    BOOST_CHECK_MESSAGE(same_bits(a[i], b[i]), f->name() << ": second order, input " << i);
  }
}

inline constexpr auto soft = pointwise("test_soft", [](auto x) { return x / (1 + abs(x)); });
inline constexpr auto mix = pointwise("test_mix", [](auto x, auto y, auto c) {
  return where(x > c, tanh(x * y) - c, maximum(x, y) * exp(-c * soft(y)));
});
Tensor mixed(const Tensor& x, const Tensor& y, double c) {
  return where(x > c, tanh(x * y) - c, maximum(x, y) * exp(-c * (y / (1 + abs(y)))));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pointwise_lambda)

// Every row of core/ops/pointwise.h.
BOOST_AUTO_TEST_CASE(every_row_of_the_table) {
  using One = TracedValue (*)(const TracedValue&);
  using Two = TracedValue (*)(const TracedValue&, const TracedValue&);
  const std::pair<const core::UnaryRow*, One> ones[] = {{&core::neg, traced::neg},
                                                        {&core::abs, traced::abs},
                                                        {&core::sign, traced::sign},
                                                        {&core::square, traced::square},
                                                        {&core::relu, traced::relu},
                                                        {&core::floor, traced::floor},
                                                        {&core::ceil, traced::ceil},
                                                        {&core::round, traced::round},
                                                        {&core::trunc, traced::trunc},
                                                        {&core::sqrt, traced::sqrt},
                                                        {&core::rsqrt, traced::rsqrt},
                                                        {&core::reciprocal, traced::reciprocal},
                                                        {&core::exp, traced::exp},
                                                        {&core::exp2, traced::exp2},
                                                        {&core::expm1, traced::expm1},
                                                        {&core::log, traced::log},
                                                        {&core::log1p, traced::log1p},
                                                        {&core::log2, traced::log2},
                                                        {&core::log10, traced::log10},
                                                        {&core::sin, traced::sin},
                                                        {&core::cos, traced::cos},
                                                        {&core::tan, traced::tan},
                                                        {&core::asin, traced::asin},
                                                        {&core::acos, traced::acos},
                                                        {&core::atan, traced::atan},
                                                        {&core::sinh, traced::sinh},
                                                        {&core::cosh, traced::cosh},
                                                        {&core::asinh, traced::asinh},
                                                        {&core::acosh, traced::acosh},
                                                        {&core::atanh, traced::atanh},
                                                        {&core::tanh, traced::tanh},
                                                        {&core::sigmoid, traced::sigmoid},
                                                        {&core::erf, traced::erf},
                                                        {&core::erfc, traced::erfc},
                                                        {&core::lgamma, traced::lgamma},
                                                        {&core::digamma, traced::digamma},
                                                        {&core::logical_not, traced::logical_not},
                                                        {&core::isnan, traced::isnan},
                                                        {&core::isinf, traced::isinf},
                                                        {&core::isfinite, traced::isfinite}};
  const std::pair<const core::BinaryRow*, Two> twos[] = {{&core::add, traced::add},
                                                         {&core::sub, traced::sub},
                                                         {&core::mul, traced::mul},
                                                         {&core::div, traced::div},
                                                         {&core::maximum, traced::maximum},
                                                         {&core::minimum, traced::minimum},
                                                         {&core::pow, traced::pow},
                                                         {&core::fmod, traced::fmod},
                                                         {&core::remainder, traced::remainder},
                                                         {&core::atan2, traced::atan2},
                                                         {&core::hypot, traced::hypot},
                                                         {&core::logaddexp, traced::logaddexp},
                                                         {&core::xlogy, traced::xlogy},
                                                         {&core::eq, traced::eq},
                                                         {&core::ne, traced::ne},
                                                         {&core::lt, traced::lt},
                                                         {&core::le, traced::le},
                                                         {&core::gt, traced::gt},
                                                         {&core::ge, traced::ge},
                                                         {&core::logical_and, traced::logical_and},
                                                         {&core::logical_or, traced::logical_or},
                                                         {&core::logical_xor, traced::logical_xor}};
  manual_seed(1);
  const auto check = [](const Function& f, int inputs) {
    for (const DType dtype : {kFloat32, kFloat64}) {
      BOOST_CHECK_MESSAGE(f->program(dtype) != nullptr, f->name() << ": " << f->refusal(dtype));
      const Tensors x = leaves(inputs, dtype, f->name() == "acosh" ? 1.1 : 0.1, f->name() == "acosh" ? 3 : 0.9);
      check_first_order(f, x);
      check_second_order(f, x);
      if (!fused(f, x).requires_grad()) continue;
      const auto derivative = f->derivative(1, (1u << inputs) - 1);
      // Formulas that look at numbers first are composed.
      const bool looks = f->name() == "pow" || f->name() == "atan2";
      BOOST_CHECK_MESSAGE((derivative->program(dtype) != nullptr) != looks,
                          f->name() << "': " << derivative->refusal(dtype));
    }
  };
  for (const auto& [row, of] : ones) {
    const One one = of;
    check(std::make_shared<const Drawn>(std::string(row->name), 1, [one](const Values& x) { return one(x[0]); }), 1);
  }
  for (const auto& [row, of] : twos) {
    const Two two = of;
    check(std::make_shared<const Drawn>(std::string(row->name), 2, [two](const Values& x) { return two(x[0], x[1]); }),
          2);
  }
}

BOOST_AUTO_TEST_CASE(drawn_lambdas_agree_with_their_operations) {
  using One = TracedValue (*)(const TracedValue&);
  using Two = TracedValue (*)(const TracedValue&, const TracedValue&);
  static constexpr One ones[] = {traced::neg,  traced::abs,   traced::square, traced::relu,    traced::exp,
                                 traced::sin,  traced::cos,   traced::tanh,   traced::sigmoid, traced::erf,
                                 traced::atan, traced::expm1, traced::silu};
  static constexpr Two twos[] = {traced::add,     traced::sub, traced::mul, traced::maximum,
                                 traced::minimum, traced::add, traced::mul};
  manual_seed(2);
  std::uint64_t state = 7;
  const auto draw = [&state](int below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<int>((state >> 33) % static_cast<std::uint64_t>(below));
  };
  for (int sample = 0; sample < 60; ++sample) {
    // A straight line of steps, each on any of the values before it.
    struct Step {
      int kind, a, b;
      double number;
    };
    const int inputs = 1 + draw(3), length = 2 + draw(14);
    std::vector<Step> steps;
    for (int i = 0; i < length; ++i) {
      steps.push_back({draw(24), draw(inputs + i), draw(inputs + i), 0.25 * (draw(9) - 4)});
    }
    const auto f = std::make_shared<const Drawn>("drawn" + std::to_string(sample), inputs, [=](const Values& x) {
      Values v = x;
      for (const Step& s : steps) {
        const TracedValue a = v[static_cast<std::size_t>(s.a)], b = v[static_cast<std::size_t>(s.b)];
        if (s.kind < 13) {
          v.push_back(ones[s.kind](a));
        } else if (s.kind < 20) {
          v.push_back(twos[s.kind - 13](a, b));
        } else if (s.kind == 20) {
          v.push_back(where(a > b, a, s.number));
        } else if (s.kind == 21) {
          v.push_back(a * s.number);
        } else if (s.kind == 22) {
          v.push_back(s.number - a);
        } else {
          v.push_back(a / (1 + square(b)));
        }
      }
      return v.back();
    });
    for (const DType dtype : {kFloat32, kFloat64}) {
      const Tensors x = leaves(inputs, dtype, -1, 1);
      BOOST_CHECK_MESSAGE(f->program(dtype) != nullptr, f->refusal(dtype));
      check_first_order(f, x);
      check_second_order(f, x);
    }
  }
}

BOOST_AUTO_TEST_CASE(inputs_broadcast_and_have_any_strides) {
  manual_seed(3);
  const Tensor base = randn({5, 700}, kDouble), x = base.t().requires_grad_(),
               row = randn({5}, kDouble).requires_grad_(), column = randn({700, 1}, kDouble).requires_grad_(),
               point = randn({}, kDouble).requires_grad_();
  for (const auto& [a, b] : {std::pair{x, row}, {row, x}, {x, column}, {column, row}, {x, point}, {point, x}, {x, x}}) {
    const Tensor y = mix(a, b, 0.25), z = mixed(a, b, 0.25);
    BOOST_CHECK(same_bits(y, z));
    BOOST_CHECK(y.is_contiguous());
    const Tensor dy = randn(y.sizes(), kDouble);
    const Tensors p = grad({y}, {a, b}, {dy}), q = grad({z}, {a, b}, {dy});
    for (std::size_t i = 0; i < 2; ++i) BOOST_CHECK(allclose(p[i], q[i], 1e-12, 1e-12));
  }
  for (const auto& [a, b] : {std::pair{randn({4, 3, 50}), randn({3, 1})},
                             {randn({4, 1, 50}), randn({3, 1})},
                             {randn({2, 1, 3, 1, 60}), randn({5, 1, 4, 1})},
                             {randn({6, 200}).slice(1, 0, 200, 2), randn({1, 100})}}) {
    BOOST_CHECK(same_bits(mix(a, b, 0.25), mixed(a, b, 0.25)));
  }
  const auto f = [](const Tensors& in) { return Tensors{mix(in[0], in[1], 0.25)}; };
  const Tensor few = randn({3, 4}, kDouble).requires_grad_(), some = randn({4}, kDouble).requires_grad_();
  BOOST_CHECK(gradcheck(f, {few, some}));
  BOOST_CHECK(gradgradcheck(f, {few, some}));
  check_error<ShapeError>([&] { mix(few, x, 1); }, {"test_mix", "[3, 4]", "[700, 5]"});
}

BOOST_AUTO_TEST_CASE(numbers_other_dtypes_and_sizes) {
  manual_seed(4);
  for (const double c : {0.3, -0.0, 2.0, 0.3}) {
    const Tensor x = randn({9}), y = randn({9});
    BOOST_CHECK(same_bits(mix(x, y, c), mixed(x, y, c)));
  }
  // By the operations one by one: what they give.
  const Tensor i = arange(6), h = randn({6}).to(kHalf), d = randn({6}, kDouble), f = randn({6});
  BOOST_CHECK(same_bits(soft(i), i / (1 + abs(i))));
  BOOST_CHECK(same_bits(soft(h), h / (1 + abs(h))));
  BOOST_CHECK(same_bits(mix(f, d, 0.5), mixed(f, d, 0.5)));
  for (const std::int64_t n : {0, 1, 2, 511, 512, 513, 20001}) {
    const Tensor x = randn({n}), y = randn({n});
    BOOST_CHECK(same_bits(mix(x, y, 0.1), mixed(x, y, 0.1)));
  }
}

BOOST_AUTO_TEST_CASE(the_same_bits_at_any_number_of_threads) {
  manual_seed(5);
  const Tensor x = randn({100000}).requires_grad_(), y = randn({100000});
  Tensors first;
  ManyThreads().each([&] {
    const Tensor z = mix(x, y, 0.1);
    const Tensors now = {z.detach(), grad({z}, {x}, {y})[0]};
    if (first.empty()) first = now;
    for (std::size_t k = 0; k < 2; ++k) BOOST_CHECK(same_bits(first[k], now[k]));
  });
}

BOOST_AUTO_TEST_CASE(every_instruction_set) {
  manual_seed(6);
  const Tensor x = randn({1000}).requires_grad_(), y = randn({1000}), dy = randn({1000});
  for (const std::string_view set : instruction_sets()) {
    use_instruction_set(set);
    const Tensor a = mix(x, y, 0.1), b = mixed(x, y, 0.1);
    BOOST_CHECK_MESSAGE(same_bits(a, b), set);
    BOOST_CHECK_MESSAGE(same_bits(grad({a}, {x}, {dy})[0], grad({b}, {x}, {dy})[0]), set);
  }
  use_instruction_set("");
}

BOOST_AUTO_TEST_CASE(any_order) {
  // Of x / (1 + |x|), above 0: n! (-1)^(n + 1) / (1 + x)^(n + 1).
  const Tensor x = (rand({5}, kDouble) + 0.5).requires_grad_();
  Tensor y = soft(x);
  double factor = 1;
  for (int n = 1; n <= 5; ++n) {
    y = grad({y}, {x}, {ones_like(y)}, true, true)[0];
    factor *= n > 1 ? -n : 1;
    if (n == 1) BOOST_CHECK_EQUAL(y.grad_fn()->name(), "test_soft_backward");
    BOOST_CHECK(allclose(y, factor / pow(1 + x, n + 1), 1e-11, 1e-11));
  }
  const auto slope = [](const Tensors& in) {
    const Tensor z = mix(in[0], in[1], 0.25);
    return grad({z}, {in[0], in[1]}, {in[2]}, true, true);
  };
  const auto drawn = [] { return randn({3}, kDouble).requires_grad_(); };
  BOOST_CHECK(gradgradcheck(slope, {drawn(), drawn(), drawn()}));
}

BOOST_AUTO_TEST_CASE(checked_three_ways) {
  manual_seed(7);
  const auto report = autograd::check(mix, randn({3, 4}), randn({4}), 0.25);
  BOOST_CHECK_MESSAGE(report.ok(), report);
  BOOST_CHECK(!report.formulas_only);
  BOOST_CHECK(same_bits(mix.composed(randn({3}).fill_(2), ones({3}), 1), mixed(full({3}, 2.f), ones({3}), 1)));
}

BOOST_AUTO_TEST_CASE(first_called_by_several_threads_at_once) {
  static constexpr auto fresh = pointwise("test_fresh", [](auto x, auto c) { return exp(-square(x)) * c; });
  const Tensor x = randn({40}, kDouble), dy = randn({40}, kDouble), expected = exp(-square(x)) * 2.0;
  in_threads(4, [&](int thread) {
    const Tensor leaf = x.clone().requires_grad_();
    const Tensor y = fresh(leaf, thread % 2 == 0 ? 2.0 : 3.0), g = grad({y}, {leaf}, {dy})[0];
    if (thread % 2 == 0 && !same_bits(y, expected)) throw std::runtime_error("another result");
    if (!allclose(g, y * -2 * x * dy, 1e-12, 1e-12)) throw std::runtime_error("another gradient");
  });
}

BOOST_AUTO_TEST_CASE(one_node_that_keeps_inputs_alone) {
  const Tensor x = randn({8}).requires_grad_(), y = randn({8}).requires_grad_();
  const Alive before;
  {
    const Tensor z = mix(x, y, 0.5);
    BOOST_CHECK_EQUAL(z.grad_fn()->name(), "test_mix");
    BOOST_CHECK_EQUAL(z.grad_fn()->attributes().at(0).name + z.grad_fn()->attributes().at(0).value, "z0.5");
    BOOST_CHECK_EQUAL(autograd::Node::alive() - before.nodes, 1);
    BOOST_CHECK_EQUAL(memory_stats().live_arrays - before.arrays, 1);
    BOOST_CHECK(z.grad_fn()->location());
    const Tensor g = grad({z}, {x}, {ones_like(z)}, true, true)[0];
    BOOST_CHECK_EQUAL(g.grad_fn()->name(), "test_mix_backward");
    // What is kept must not change.
    NoGradGuard guard;
    x.add_(1);
    check_error<GradError>([&] { (void)grad({z}, {x}, {ones_like(z)}); }, {"test_mix", "input 0", "add_"});
  }
  BOOST_CHECK(Alive() == before);
  bool listed = false;
  for (const auto& operation : autograd::operations()) listed |= operation.name == "test_mix" && operation.inputs == 3;
  BOOST_CHECK(listed);
}

BOOST_AUTO_TEST_CASE(as_a_formula) {
  BOOST_CHECK_EQUAL(soft.formula(), "test_soft(x) = x / (abs(x) + 1)");
  BOOST_CHECK_EQUAL(soft.latex(), "\\operatorname{test\\_soft}\\left(x\\right) = \\frac{x}{\\left|x\\right| + 1}");
  BOOST_CHECK_EQUAL(soft.derivative(), "t1 = abs(x) + 1\ndx = dy / t1 + -(dy * (x / t1 / t1)) * sign(x)");
  BOOST_CHECK_EQUAL(soft.latex_derivative(),
                    "t_{1} = \\left|x\\right| + 1\n\\bar{x} = \\frac{\\bar{y}}{t_{1}} + -\\left(\\bar{y} \\cdot "
                    "\\frac{\\frac{x}{t_{1}}}{t_{1}}\\right) \\cdot \\operatorname{sign}\\left(x\\right)");
  BOOST_CHECK_EQUAL(mix.formula(),
                    "test_mix(x, y, z) = where(x > z, tanh(x * y) - z, maximum(x, y) * exp(-z * (y / (abs(y) + 1))))");
  check_error<IndexError>([] { (void)soft.derivative(1); }, {"test_soft", "1"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
