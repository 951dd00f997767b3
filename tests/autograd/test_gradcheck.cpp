// What gradcheck and check say of functions and operations that are wrong in ways that one call on contiguous numbers
// doesn't show. Each mistake must be caught, and named.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <tuple>

#include <gradus/autograd/check/check.h>
#include <gradus/autograd/tensor/create.h>
#include <gradus/autograd/check/gradcheck.h>
#include <gradus/autograd/graph/operation.h>
#include <gradus/core/array/create.h>
#include <gradus/core/ops/pointwise.h>
#include <gradus/layers/module/check.h>
#include <gradus/layers/linear/linear.h>

#include "../support/gradients.h"

using namespace gradus;
using autograd::apply;
using autograd::check;
using autograd::CheckReport;
using autograd::CheckRow;
using autograd::Dy;
using autograd::formulas;
using autograd::TensorFunction;
using autograd::GradcheckOptions;
using autograd::In;
using autograd::Verdict;
using core::Array;
using test::check_error;
using test::values;
using Tensors = std::vector<Tensor>;

namespace {

Tensor draw(IntArrayRef shape) { return randn(shape, kFloat64); }
Tensor leaf(IntArrayRef shape) { return draw(shape).requires_grad_(); }

// The mistake: memory taken for contiguous.
Array flat(const Array& x) { return core::from_data(x.data_ptr<double>(), x.shape(), kFloat64); }

/// y = 2 x, of a contiguous x.
struct ForwardReadsFlat {
  static constexpr std::string_view name = "test_forward_reads_flat";
  static Array forward(const Array& x) { return flat(x) * 2; }
  static constexpr auto gradients = formulas([](Dy<> dy) { return dy * 2; });
};
/// y = x^2; the gradient is right where x is contiguous.
struct FormulaReadsFlat {
  static constexpr std::string_view name = "test_formula_reads_flat";
  static Array forward(const Array& x) { return x * x; }
  static constexpr auto gradients =
      formulas([](Dy<> dy, In<0> x) { return dy * (x + Tensor(flat(x.array()) - x.array())) * 2; });
};
/// y = 2 x; the gradient is right where dy is contiguous.
struct UpstreamReadFlat {
  static constexpr std::string_view name = "test_upstream_read_flat";
  static Array forward(const Array& x) { return x * 2; }
  static constexpr auto gradients = formulas([](Dy<> dy) { return Tensor(flat(dy.array())) * 2; });
};
/// The same for x expanded only: takes a dimension of stride 0 for one of size 1.
struct ForwardIgnoresExpansion {
  static constexpr std::string_view name = "test_forward_ignores_expansion";
  static Array forward(const Array& x) {
    const bool wide = x.dim() == 2 && x.size(1) > 1 && x.stride(1) == 0;
    return wide ? x / static_cast<double>(x.size(1)) : x * 1;
  }
  static constexpr auto gradients = formulas([](Dy<> dy) { return dy * 1; });
};
/// y = x^3, and x is not what it was.
struct Writes {
  static constexpr std::string_view name = "test_writes";
  static Array forward(const Array& x) {
    const Array y = x * x * x;
    x.data_ptr<double>()[x.numel() / 2] = 7;  // behind the counter's back
    return y;
  }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy * x * x * 3; });
};
/// The formula writes to what it is given.
struct FormulaWrites {
  static constexpr std::string_view name = "test_formula_writes";
  static Array forward(const Array& x) { return x * 2; }
  static constexpr auto gradients = formulas([](Dy<> dy) {
    const Tensor dx = dy * 2;
    if (dy.numel() != 0) dy.array().data_ptr<double>()[0] = 7;
    return dx;
  });
};
/// Each call is a little different.
struct NoisyForward {
  static constexpr std::string_view name = "test_noisy_forward";
  inline static int calls = 0;
  static Array forward(const Array& x) { return x * 2 + ++calls % 2 * 1e-13; }
  static constexpr auto gradients = formulas([](Dy<> dy) { return dy * 2; });
};
struct NoisyFormula {
  static constexpr std::string_view name = "test_noisy_formula";
  inline static int calls = 0;
  static Array forward(const Array& x) { return x * 2; }
  static constexpr auto gradients = formulas([](Dy<> dy) { return dy * (2 + ++calls * 1e-13); });
};

/// (x^2, x^3). Mistake 0: none; 1: wrong when output 1 has no gradient; 2: does not ask; 3: wrong when both have one;
/// 4: wrong when only output 1 has one, and only under create_graph.
constexpr std::string_view kTwoOutputs[] = {"test_two_outputs", "test_two_outputs_1", "test_two_outputs_2",
                                            "test_two_outputs_3", "test_two_outputs_4"};
template <int Mistake>
struct TwoOutputs {
  static constexpr std::string_view name = kTwoOutputs[Mistake];
  static std::tuple<Array, Array> forward(const Array& x) { return {x * x, x * x * x}; }
  static constexpr auto gradients = formulas([](Dy<0> a, Dy<1> b, In<0> x) -> Tensor {
    if (Mistake == 2) return a * x * 2 + b * x * x * 3;
    if (!b.defined()) return a * x * (Mistake == 1 ? 1 : 2);
    if (!a.defined()) return b * x * x * (Mistake == 4 && x.requires_grad() ? 2 : 3);
    return a * x * 2 + b * x * x * (Mistake == 3 ? 2 : 3);
  });
};

/// y = f(x) elementwise; one element's gradient is off by 10 %.
struct OneOfMany {
  static constexpr std::string_view name = "test_one_of_many";
  inline static std::int64_t wrong = 0;
  static Array forward(const Array& x) { return x * x; }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) {
    const Tensor factor(core::full(x.sizes(), 2, kFloat64));
    if (wrong >= 0) factor.array().view({x.numel()}).select(0, wrong).fill_(2.2);
    return dy * x * factor;
  });
};

/// The same for a rule, whose backward is the wrong one.
struct RuleReadsFlat {
  static constexpr std::string_view name = "test_rule_reads_flat";
  static Array forward(const Array& x) { return x * x; }
  static std::array<Array, 1> backward(autograd::DyArray<> dy, autograd::InArray<0> x) { return {dy * flat(x) * 2}; }
  static Tensor reference(const Tensor& x) { return x * x; }
};
template <bool Minded>
struct TwoOutputsRule {
  static constexpr std::string_view name = "test_two_outputs_rule";
  static std::tuple<Array, Array> forward(const Array& x) { return {x * x, x * x * x}; }
  static std::array<Array, 1> backward(autograd::DyArray<0> a, autograd::DyArray<1> b, autograd::InArray<0> x) {
    if (!b.defined()) return {a * x * (Minded ? 2 : 1)};
    return {a.defined() ? a * x * 2 + b * x * x * 3 : b * x * x * 3};
  }
  static std::tuple<Tensor, Tensor> reference(const Tensor& x) { return {x * x, x * x * x}; }
};
/// Formulas, right and wrong.
struct Product {
  static constexpr std::string_view name = "test_product";
  struct Attrs {
    double factor = 1;
    static constexpr auto fields = named("factor", &Attrs::factor);
  };
  static Array forward(const Attrs& attrs, const Array& a, const Array& b) { return a * b * attrs.factor; }
  static constexpr auto gradients =
      formulas([](const Attrs& attrs, Dy<> dy, In<1> b) { return dy * b * attrs.factor; },
               [](const Attrs& attrs, Dy<> dy, In<0> a) { return dy * a * attrs.factor; });
};
struct WrongFormula {
  static constexpr std::string_view name = "test_wrong_formula";
  static Array forward(const Array& x) { return core::exp(x); }
  static constexpr auto gradients = formulas([](Dy<> dy, autograd::Out<0> y) { return -dy * y; });
};
/// Right at first order, but its formula's graph leaves x out.
struct WrongSecondFormula {
  static constexpr std::string_view name = "test_wrong_second_formula";
  static Array forward(const Array& x) { return x * x; }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy * x.detach() * 2; });
};
struct AllAdded {
  static constexpr std::string_view name = "test_all_added";
  static Array forward(core::ArrayList x) { return x[0] + x[1] * 2; }
  static constexpr auto gradients =
      formulas([](Dy<> dy, autograd::Which which) { return dy * (which.input == 0 ? 1 : 2); });
};

// Whether a row that is not well has this verdict, for that variable, and a hint that says so.
void found(const CheckReport& report, Verdict verdict, const std::string& variable, const std::string& hint) {
  bool any = false;
  for (const CheckRow& row : report.rows) {
    any = any || (row.verdict == verdict && row.variable.starts_with(variable + " ") &&
                  row.hint.find(hint) != std::string::npos);
  }
  BOOST_TEST(!report.ok());
  BOOST_TEST(any, "'" << to_string(verdict) << "' of " << variable << " with '" << hint << "' is missing in\n"
                      << report);
}

template <class Op>
TensorFunction function_of() {
  return [](const Tensors& x) {
    if constexpr (std::is_same_v<decltype(apply<Op>(x[0])), Tensor>) {
      return Tensors{apply<Op>(x[0])};
    } else {
      const auto [a, b] = apply<Op>(x[0]);
      return Tensors{a, b};
    }
  };
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gradcheck)

BOOST_AUTO_TEST_CASE(memory_read_as_if_contiguous) {
  manual_seed(1);
  // Whatever the layout of what is given: the others are tried.
  for (const Tensor& x : {draw({3, 4}), draw({4, 3}).t(), draw({3, 8}).slice(1, 0, 8, 2), draw({5}), draw({7, 2})[3],
                          draw({2, 1, 3}), draw({3, 1}).expand({3, 4})}) {
    const Tensor at = x.detach().requires_grad_();
    BOOST_TEST_CONTEXT(core::to_string(x.sizes()) << " " << core::to_string(x.strides())) {
      check_error<GradError>([&] { gradus::gradcheck(function_of<ForwardReadsFlat>(), {at}); },
                             {"gradcheck", "output 0", "input 0 is ", "read memory"});
      check_error<GradError>([&] { gradus::gradcheck(function_of<UpstreamReadFlat>(), {at}); },
                             {"gradcheck", "upstream gradient that is ", "read memory"});
    }
  }
  for (const Tensor& x : {draw({3, 4}), draw({5})}) {
    const Tensor at = x.detach().requires_grad_();
    check_error<GradError>([&] { gradus::gradcheck(function_of<FormulaReadsFlat>(), {at}); },
                           {"gradcheck", "gradient with respect to input 0", "where input 0 is ", "a formula"});
  }
  check_error<GradError>(
      [&] {
        gradus::gradcheck(function_of<ForwardIgnoresExpansion>(), {leaf({3, 4})});
      },
      {"gradcheck", "input 0 is expanded", "laid out contiguously"});
  // As one of several inputs, and as one without a gradient.
  const TensorFunction second = [](const Tensors& x) { return Tensors{x[0] * apply<ForwardReadsFlat>(x[1])}; };
  for (const bool wanted : {false, true}) {
    check_error<GradError>(
        [&] {
          gradus::gradcheck(second, {leaf({3, 4}), draw({3, 4}).requires_grad_(wanted)});
        },
        {"gradcheck", "input 1 is transposed"});
  }
  // At second order, too.
  check_error<GradError>([&] { gradgradcheck(function_of<FormulaReadsFlat>(), {leaf({3, 4})}); }, {"gradgradcheck"});
}

BOOST_AUTO_TEST_CASE(layouts_that_prove_nothing) {
  manual_seed(2);
  const auto passes = [](const TensorFunction& f, const Tensors& x) {
    std::vector<std::string> notes;
    GradcheckOptions options;
    options.notes = &notes;
    BOOST_TEST(gradus::gradcheck(f, x, options));
    return notes.empty() ? std::string() : notes[0];
  };
  // Values that depend on the layout by design.
  check_error<GradError>(
      [&] {
        gradus::gradcheck(function_of<ForwardReadsFlat>(), {leaf({3, 4})});
      },
      {"GradcheckOptions::layouts"});
  GradcheckOptions options;
  options.layouts = false;
  BOOST_TEST(gradus::gradcheck(function_of<ForwardReadsFlat>(), {leaf({3, 4})}, options));
  // One that refuses other layouts says so; it is not wrong.
  BOOST_TEST(passes([](const Tensors& x) { return Tensors{x[0].view({12}) * x[0].view({12})}; }, {leaf({3, 4})})
                 .find("input 0 transposed is refused: view") == 0);
  // Expanded rows are on a kink of max, and have no spread; the sum of squares over it is no function any more.
  BOOST_TEST(passes([](const Tensors& x) { return Tensors{x[0] / (x[0] - x[0].mean(1, true)).square().sum(1, true)}; },
                    {leaf({3, 4})}) != "");
  BOOST_TEST(passes([](const Tensors& x) { return Tensors{x[0] * 2}; }, {leaf({3, 4})}) == "");
}

BOOST_AUTO_TEST_CASE(arguments_written_to) {
  manual_seed(3);
  const TensorFunction scales = [](const Tensors& x) {
    x[1].mul_(2);
    return Tensors{x[0] * x[1]};
  };
  // Changes nothing at these numbers, but would at others.
  const TensorFunction clamps = [](const Tensors& x) {
    x[1].clamp_(-100, 100);
    return Tensors{x[0] * x[1]};
  };
  for (const Tensor& other : {draw({3, 4}), draw({4, 3}).t(), draw({3, 8}).slice(1, 0, 8, 2)}) {
    const std::vector<double> before = values(other);
    for (const auto& checked : {gradus::gradcheck, gradus::gradgradcheck}) {
      check_error<GradError>(
          [&] {
            checked(scales, {leaf({3, 4}), other}, {});
          },
          {"check: the function must not write to its arguments", "input 1 [3, 4]", "was", "clone()"});
      check_error<GradError>(
          [&] {
            checked(clamps, {leaf({3, 4}), other}, {});
          },
          {"check: the function must not write to its arguments: clamp", "wrote to input 1", "clone()"});
    }
    BOOST_TEST(values(other) == before);
  }
  const Tensor x = leaf({5});
  const std::vector<double> before = values(x);
  for (int call = 0; call < 3; ++call) {  // the first calls are watched anyway
    check_error<GradError>([&] { (void)function_of<Writes>()({leaf({5})}); },
                           {"test_writes: forward must not change what it is given: input 0 ([5], float64)"});
  }
  check_error<GradError>([&] { gradus::gradcheck(function_of<Writes>(), {x}); },
                         {"must not write to its arguments: element 2 of input 0 [5]", "is 7:"});
  check_error<GradError>([&] { gradgradcheck(function_of<Writes>(), {x}); }, {"must not write to its arguments"});
  check_error<GradError>([&] { autograd::numerical_jacobian(function_of<Writes>(), {x}, 0); },
                         {"numerical_jacobian", "must not write to its arguments"});
  BOOST_TEST(values(x) == before);
  check_error<GradError>([&] { gradus::gradcheck(function_of<FormulaWrites>(), {x}); }, {"gradcheck", "write"});
  // Integers as well.
  const Tensor index = arange(3);
  check_error<GradError>(
      [&] {
        gradus::gradcheck(
            [](const Tensors& in) {
              in[1].mul_(2);
              return Tensors{in[0].index_select(0, in[1])};
            },
            {x, index});
      },
      {"must not write to its arguments", "input 1"});
  BOOST_TEST((values(index) == std::vector<double>{0, 1, 2}));
}

BOOST_AUTO_TEST_CASE(noise) {
  manual_seed(4);
  const Tensor x = leaf({3, 4});
  check_error<GradError>([&] { gradus::gradcheck(function_of<NoisyForward>(), {x}); },
                         {"gradcheck: the function must give the same numbers each time", "output 0", "state"});
  check_error<GradError>([&] { gradus::gradcheck(function_of<NoisyFormula>(), {x}); },
                         {"the same numbers each time", "the gradient with respect to input 0"});
  check_error<GradError>([&] { gradgradcheck(function_of<NoisyFormula>(), {x}); }, {"gradgradcheck", "the same"});
  // Random numbers: the message tells the cure, and the cure works.
  const TensorFunction random = [](const Tensors& t) { return Tensors{t[0] * rand(t[0].sizes(), kFloat64)}; };
  const std::vector<std::string> cure = {"random numbers from the default generator", "manual_seed", "eval()"};
  check_error<GradError>([&] { gradus::gradcheck(random, {x}); }, cure);
  check_error<GradError>([&] { gradgradcheck(random, {x}); }, cure);
  const TensorFunction seeded = [&](const Tensors& t) {
    manual_seed(5);
    return random(t);
  };
  BOOST_TEST((gradus::gradcheck(seeded, {x}) && gradgradcheck(seeded, {x})));
  // Other shapes each time.
  int calls = 0;
  check_error<GradError>(
      [&] {
        gradus::gradcheck(
            [&](const Tensors& t) { return Tensors(static_cast<std::size_t>(1 + ++calls % 2), t[0] * 2); }, {x});
      },
      {"outputs of the same shapes each time"});
}

BOOST_AUTO_TEST_CASE(absent_upstream_gradients) {
  manual_seed(5);
  const Tensor x = leaf({3, 2});
  BOOST_TEST(
      (gradus::gradcheck(function_of<TwoOutputs<0>>(), {x}) && gradgradcheck(function_of<TwoOutputs<0>>(), {x})));
  check_error<GradError>(
      [&] { gradus::gradcheck(function_of<TwoOutputs<1>>(), {x}); },
      {"element 0 of output 0", "right with zeros for the other outputs' gradients", "Dy<k>", "defined()"});
  check_error<Error>([&] { gradus::gradcheck(function_of<TwoOutputs<2>>(), {x}); }, {"Dy<k>", "defined()"});
  check_error<GradError>([&] { gradus::gradcheck(function_of<TwoOutputs<3>>(), {x}); },
                         {"when all outputs get a gradient", "the sum"});
  BOOST_TEST(gradus::gradcheck(function_of<TwoOutputs<4>>(), {x}));
  check_error<GradError>([&] { gradgradcheck(function_of<TwoOutputs<4>>(), {x}); },
                         {"the same under create_graph", "with a gradient for output 1 only"});
  // Three outputs of two operations.
  const TensorFunction three = [](const Tensors& t) {
    const auto [a, b] = apply<TwoOutputs<3>>(t[0]);
    return Tensors{t[0] * 2, a, b};
  };
  check_error<GradError>([&] { gradus::gradcheck(three, {x}); }, {"when all outputs but 0 get a gradient"});
  // By blocks.
  GradcheckOptions options;
  options.whole_jacobian = 0;
  check_error<GradError>([&] { gradus::gradcheck(function_of<TwoOutputs<1>>(), {leaf({30})}, options); },
                         {"of output 0", "right with zeros"});
}

BOOST_AUTO_TEST_CASE(nothing_to_check) {
  const TensorFunction twice = [](const Tensors& x) { return Tensors{x[0] * 2}; };
  const TensorFunction none = [](const Tensors& x) { return Tensors{x[0].slice(0, 0, 0)}; };
  GradcheckOptions options;
  options.allow_empty = true;
  for (const auto& checked : {gradus::gradcheck, gradus::gradgradcheck}) {
    for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{0}, {2, 0, 3}}) {
      check_error<ValueError>([&] { checked(twice, {leaf(shape)}, {}); },
                              {"inputs that require grad have no elements", "allow_empty"});
      BOOST_TEST(checked(twice, {leaf(shape)}, options));
    }
    check_error<ValueError>([&] { checked(none, {leaf({3})}, {}); }, {"outputs have no elements"});
    BOOST_TEST(checked(none, {leaf({3})}, options));
  }
  BOOST_TEST(autograd::numerical_jacobian(twice, {leaf({0})}, 0).sizes() == (IntArrayRef{0, 0}));
}

BOOST_AUTO_TEST_CASE(one_wrong_element_of_ten_thousand) {
  manual_seed(6);
  const std::int64_t n = 10000;
  for (int trial = 0; trial < 3; ++trial) {
    OneOfMany::wrong = randint(n, {1}).item<std::int64_t>();
    const Tensor x = leaf(trial % 2 == 0 ? IntArrayRef{n} : IntArrayRef{100, 100});
    check_error<GradError>([&] { gradus::gradcheck(function_of<OneOfMany>(), {x}); },
                           {"output element " + std::to_string(OneOfMany::wrong) + " (flat index " +
                            std::to_string(OneOfMany::wrong) + " of the input)"});
  }
  OneOfMany::wrong = -1;
  BOOST_TEST(gradus::gradcheck(function_of<OneOfMany>(), {leaf({n})}));
}

// --- check, of rules and formulas

BOOST_AUTO_TEST_CASE(formulas_against_finite_differences) {
  manual_seed(7);
  const CheckReport report = check<Product>({3}, draw({3, 4}), draw({3, 4}));
  BOOST_TEST(report.ok(), report);
  BOOST_TEST((report.formulas_only && report.notes.empty()), report);
  int second = 0;
  for (const CheckRow& row : report.rows) {
    second += row.order == 2;
    BOOST_TEST((row.verdict == Verdict::Agree), report);
    BOOST_TEST(row.hand_finite <= 1e-7, report);
    BOOST_TEST(std::isnan(row.hand_graph), report);
  }
  BOOST_TEST(second == 9);  // a, b and dy in three layouts
  BOOST_TEST(report.to_string().find("check of the operation test_product(factor=3)") == 0, report);
  BOOST_TEST((check(AllAdded(), draw({3}), draw({3})).ok() && check(TwoOutputs<0>(), draw({3, 2})).ok()));

  found(check<WrongFormula>(draw({3, 4})), Verdict::FormulaOdd, "input 0", "formula = -finite: the sign is wrong");
  const CheckReport twice = check(WrongSecondFormula(), draw({3, 4}));
  found(twice, Verdict::Failed, "second", "test_wrong_second_formula: to be differentiated again");
  for (const CheckRow& row : twice.rows) BOOST_TEST(row.ok() == (row.order < 2), twice);
}

BOOST_AUTO_TEST_CASE(nobody_blames_finite_differences_for_a_formula) {
  manual_seed(8);
  // No rule takes part.
  const TensorFunction formula = [](const Tensors& x) { return Tensors{apply<WrongFormula>(x[0] * 2)}; };
  const CheckReport alone = autograd::check_function("f", formula, {draw({3, 4})});
  found(alone, Verdict::FormulaOdd, "input 0", "formula = -finite");
  BOOST_TEST(alone.formulas_only);
  BOOST_TEST(alone.to_string().find("FORMULA AND FINITE DIFFER") != std::string::npos, alone);
  // One does, and is right: the formula is what hand and graph have in common.
  const TensorFunction both = [](const Tensors& x) {
    return Tensors{apply<WrongFormula>(nn::functional::linear(x[0], x[1]))};
  };
  const CheckReport mixed = autograd::check_function("f", both, {draw({3, 4}), draw({2, 4})});
  found(mixed, Verdict::FormulaOdd, "input 0", "in common: is that of test_wrong_formula wrong?");
  for (const CheckReport& report : {alone, mixed}) {
    for (const CheckRow& row : report.rows) BOOST_TEST((row.verdict != Verdict::FiniteOdd), report);
  }
  // A kink is still one.
  Tensor x = draw({3, 4});
  x[1][2].fill_(0);
  found(autograd::check_function("f", [](const Tensors& t) { return Tensors{t[0].clamp(0, 100) * t[0].exp()}; }, {x}),
        Verdict::FiniteOdd, "input 0", "a kink at [1, 2]");
}

/// A module that keeps its weight in bounds by writing to it.
struct ClippedImpl : nn::LinearImpl {
  using LinearImpl::LinearImpl;
  Tensor forward(Operand x) {
    {
      const NoGradGuard no_grad;
      weight.clamp_(-0.1, 0.1);
    }
    return LinearImpl::forward(x);
  }
};
GRADUS_MODULE(Clipped);

BOOST_AUTO_TEST_CASE(a_module_that_writes_to_its_parameters) {
  manual_seed(10);
  const Clipped module(5, 3);
  const std::vector<double> before = values(module->weight);
  check_error<GradError>(
      [&] {
        nn::check(module, draw({7, 5}));
      },
      {"check: the function must not write to its arguments", "of weight [3, 5]"});
  BOOST_TEST(values(module->weight) == before);
}

BOOST_AUTO_TEST_CASE(check_varies_what_gradcheck_varies) {
  manual_seed(9);
  for (const Tensor& x : {draw({3, 4}), draw({5}), draw({2, 1, 3})}) {
    found(check<ForwardReadsFlat>(x), Verdict::Layout, "input 0", "output");
    found(check<FormulaReadsFlat>(x), Verdict::Layout, "input 0", "the gradient of input 0");
    found(check<RuleReadsFlat>(x), Verdict::Layout, "input 0", "is memory read as if it were?");
    found(check<UpstreamReadFlat>(x), Verdict::FormulaOdd, "input 0", "right for a contiguous upstream gradient");
  }
  found(check<ForwardIgnoresExpansion>(draw({3, 4})), Verdict::Layout, "input 0", "laid out expanded");
  BOOST_TEST(check<ForwardReadsFlat>(draw({3, 4})).to_string().find("DEPENDS ON THE LAYOUT") != std::string::npos);

  const Tensor x = draw({5});
  const std::vector<double> before = values(x);
  check_error<GradError>([&] { check<Writes>(x); }, {"check: the function must not write to its arguments"});
  check_error<GradError>([&] { check<NoisyForward>(x); }, {"test_noisy_forward must give the same numbers each time"});
  check_error<GradError>([&] { check<NoisyFormula>(x); }, {"the same numbers each time, its gradients included"});
  BOOST_TEST(values(x) == before);

  found(check<TwoOutputs<1>>(draw({3, 2})), Verdict::FormulaOdd, "input 0",
        "right when every output gets a gradient: is an absent one minded");
  found(check<TwoOutputs<2>>(draw({3, 2})), Verdict::Failed, "input 0", "an undefined Dy<k>");
  found(check<TwoOutputs<3>>(draw({3, 2})), Verdict::FormulaOdd, "input 0", "");
  found(check<TwoOutputsRule<false>>(draw({3, 2})), Verdict::HandOdd, "input 0",
        "right when every output gets a gradient: is an absent one minded");
  BOOST_TEST(check<TwoOutputsRule<true>>(draw({3, 2})).ok());

  const CheckReport nothing = check<Product>({3}, draw({0, 4}), draw({0, 4}));
  BOOST_TEST(!nothing.ok());
  BOOST_TEST(nothing.to_string().find("input 0 has no elements: nothing of it was checked") != std::string::npos);

  OneOfMany::wrong = 4711;
  found(check<OneOfMany>(draw({10000})), Verdict::FormulaOdd, "input 0", "");
  OneOfMany::wrong = -1;
}

BOOST_AUTO_TEST_SUITE_END()
