// Deliberately wrong rules, one for each kind of mistake that a check claims to name: each must be caught, and named.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <array>
#include <iostream>
#include <limits>

#include <gradus/autograd/check/check.h>
#include <gradus/autograd/ops/activation_rules.h>
#include <gradus/autograd/tensor/create.h>
#include <gradus/core/array/create.h>
#include <gradus/core/nn/activation.h>
#include <gradus/core/ops/pointwise.h>
#include <gradus/core/ops/reduce.h>
#include <gradus/layers/activation/activation.h>
#include <gradus/layers/norm/batch_norm.h>
#include <gradus/layers/module/check.h>
#include <gradus/layers/loss/cross_entropy.h>
#include <gradus/layers/dropout/dropout.h>
#include <gradus/layers/linear/linear.h>

using namespace gradus;
using autograd::check;
using autograd::CheckReport;
using autograd::CheckRow;
using autograd::DyArray;
using autograd::InArray;
using autograd::NamedTerm;
using autograd::Needs;
using autograd::OutArray;
using autograd::ReluRule;
using autograd::Verdict;
using core::Array;
using nn::BatchNormRule;
using nn::DropoutRule;
using nn::LinearRule;

namespace {

Tensor draw(IntArrayRef shape) { return randn(shape, kFloat64); }

// Caught, with this verdict for that variable, and the hint says so.
void caught(const CheckReport& report, const std::string& variable, Verdict verdict, const std::string& hint) {
  BOOST_TEST(!report.ok());
  bool found = false;
  for (const CheckRow& row : report.rows) {
    if (row.variable.starts_with(variable + " ") && row.verdict == verdict &&
        row.hint.find(hint) != std::string::npos) {
      found = true;
    }
  }
  BOOST_TEST(found, "'" << to_string(verdict) << "' of " << variable << " with '" << hint << "' is missing in\n"
                        << report);
}
// And nothing else is accused.
void only(const CheckReport& report, const std::string& variable) {
  for (const CheckRow& row : report.rows) {
    BOOST_TEST((row.ok() || row.variable.starts_with(variable + " ")), row.variable << " is accused in\n" << report);
  }
}
void hand_caught(const CheckReport& report, const std::string& variable, const std::string& hint) {
  caught(report, variable, Verdict::HandOdd, hint);
  only(report, variable);
}

// --- Linear

using LinearGradients = std::array<Array, 3>;

/// The first of two mistakes from published notes: the bias gradient averaged over the batch, the weight's summed.
struct MeanBias : LinearRule {
  static LinearGradients backward(Needs needs, DyArray<> dz, InArray<0> x, InArray<1> w) {
    auto g = LinearRule::backward(needs, dz, x, w);
    g[2] = g[2] / static_cast<double>(dz.numel() / dz.size(-1));
    return g;
  }
};
struct MeanWeight : LinearRule {
  static LinearGradients backward(Needs needs, DyArray<> dz, InArray<0> x, InArray<1> w) {
    auto g = LinearRule::backward(needs, dz, x, w);
    g[1] = g[1] / static_cast<double>(x.size(0));
    return g;
  }
};
struct TransposedWeight : LinearRule {
  static LinearGradients backward(Needs needs, DyArray<> dz, InArray<0> x, InArray<1> w) {
    auto g = LinearRule::backward(needs, dz, x, w);
    g[1] = g[1].t().contiguous();
    return g;
  }
};
struct UnsummedBias : LinearRule {
  static LinearGradients backward(Needs needs, DyArray<> dz, InArray<0> x, InArray<1> w) {
    auto g = LinearRule::backward(needs, dz, x, w);
    g[2] = dz;
    return g;
  }
};
struct DecayedWeight : LinearRule {
  static LinearGradients backward(Needs needs, DyArray<> dz, InArray<0> x, InArray<1> w) {
    auto g = LinearRule::backward(needs, dz, x, w);
    g[1] = g[1] + w * 0.01;
    return g;
  }
};
struct NoBias : LinearRule {
  static LinearGradients backward(Needs needs, DyArray<> dz, InArray<0> x, InArray<1> w) {
    auto g = LinearRule::backward(needs, dz, x, w);
    g[2] = Array();
    return g;
  }
};
struct InfiniteBias : LinearRule {
  static LinearGradients backward(Needs needs, DyArray<> dz, InArray<0> x, InArray<1> w) {
    auto g = LinearRule::backward(needs, dz, x, w);
    g[2] = g[2] / 0.0;
    return g;
  }
};
/// Reads a transposed dz as if it were contiguous.
struct IgnoresStrides : LinearRule {
  static LinearGradients backward(Needs needs, DyArray<> dz, InArray<0> x, InArray<1> w) {
    if (dz.stride(0) == 1 && dz.stride(1) != 0) dz = core::from_data(dz.data_ptr<double>(), dz.shape(), kFloat64);
    return LinearRule::backward(needs, dz, x, w);
  }
};
/// Takes a dimension of stride 0 for one of size 1.
struct IgnoresExpansion : LinearRule {
  static LinearGradients backward(Needs needs, DyArray<> dz, InArray<0> x, InArray<1> w) {
    auto g = LinearRule::backward(needs, dz, x, w);
    if (dz.stride(1) == 0) g[0] = g[0] / static_cast<double>(dz.size(1));
    return g;
  }
};
/// The reference is the wrong one.
struct WrongReference : LinearRule {
  static Tensor reference(const Tensor& x, const Tensor& weight, const Tensor& bias) {
    return LinearRule::reference(x, weight, bias) * 2;
  }
};
struct OtherShapeReference : LinearRule {
  static Tensor reference(const Tensor& x, const Tensor& weight, const Tensor& bias) {
    return LinearRule::reference(x, weight, bias).t();
  }
};
/// Its values are right, but its graph leaves x out.
struct DetachedReference : LinearRule {
  static Tensor reference(const Tensor& x, const Tensor& weight, const Tensor& bias) {
    return LinearRule::reference(x.detach(), weight, bias) + 0 * x.sum();
  }
};
struct ThrowingReference : LinearRule {
  static Tensor reference(const Tensor& x, const Tensor&, const Tensor&) { return x.reshape({1}); }
};
struct ReferenceCallsRule : LinearRule {
  static Tensor reference(const Tensor& x, const Tensor& weight, const Tensor& bias) {
    return autograd::apply<LinearRule>(x, weight, bias);
  }
};
/// Gradient and reference are of something else than forward is.
struct OtherForward : LinearRule {
  static Array forward(const Array& x, const Array& weight, const Array& bias) {
    return core::square(LinearRule::forward(x, weight, bias));
  }
};
/// The weight, which the reference's gradient reads, is kept as a shape only.
struct ForgetsWeight {
  static constexpr std::string_view name = "test_forgets_weight";
  static constexpr std::uint32_t shape_only = 1u << 1;
  static Tensor reference(const Tensor& x, const Tensor& w) { return x * w; }
  static Array forward(const Array& x, const Array& w) { return x * w; }
  static std::array<Array, 2> backward(DyArray<> dy, InArray<0> x, OutArray<> y) { return {dy * (y / x), dy * x}; }
};

CheckReport check_square(auto rule) { return check(rule, draw({7, 4}), draw({4, 4}), draw({4})); }
CheckReport check_linear(auto rule, IntArrayRef x = {7, 5}) { return check(rule, draw(x), draw({3, 5}), draw({3})); }

// --- BatchNorm

using BatchNormGradients = std::array<Array, 5>;

Array by_channel(const Array& a, const Array& x) {
  core::Shape shape = core::Shape::filled(x.dim(), 1);
  shape[1] = x.size(1);
  return a.reshape(shape);
}

/// Term number `Term` of dL/dx, dL/dgamma, dL/dbeta times `Percent` / 100.
template <int Term, int Percent>
struct Scaled : BatchNormRule {
  static BatchNormGradients backward(const Attrs& attrs, DyArray<> dy, InArray<0> x, InArray<1> gamma) {
    BatchNormGradients g;
    int number = 0;
    for (const NamedTerm& term : terms(attrs, dy, x, gamma, {}, {}, {})) {
      Array& sum = g[static_cast<std::size_t>(term.input)];
      const Array value = number++ == Term ? term.value * (Percent / 100.0) : term.value;
      sum = sum.defined() ? sum + value : value;
    }
    return g;
  }
};

/// The second of the two mistakes: the paper's long form with dL/dvar (x - mean) / m, the factor 2 forgotten.
template <int Two>
struct LongForm : BatchNormRule {
  static BatchNormGradients backward(const Attrs&, DyArray<> dy, InArray<0> x, InArray<1> gamma, OutArray<3> mean,
                                     OutArray<4> inv_std) {
    core::Dims all = {0};
    for (int d = 2; d < x.dim(); ++d) all.push_back(d);
    const Array centred = x - by_channel(mean, x), s = by_channel(inv_std, x);
    const double m = static_cast<double>(x.numel() / x.size(1));
    const Array dx_hat = dy * by_channel(gamma, x);
    const Array dvar = core::sum(dx_hat * centred, all, true) * -0.5 * s * s * s;
    const Array dmean = -core::sum(dx_hat, all, true) * s + dvar * core::sum(centred * -2, all, true) / m;
    return {dx_hat * s + dvar * (Two * centred) / m + dmean / m, core::sum(dy * centred * s, all), core::sum(dy, all)};
  }
};
struct NoGamma : BatchNormRule {
  static BatchNormGradients backward(Needs needs, DyArray<> dy, InArray<0> x, InArray<1>, OutArray<3> mean,
                                     OutArray<4> inv_std) {
    return BatchNormRule::backward(needs, dy, x, Array(), mean, inv_std);
  }
};
struct ConstantStatistics : BatchNormRule {
  static BatchNormGradients backward(Needs needs, DyArray<> dy, InArray<0> x, InArray<1> gamma, OutArray<3> mean,
                                     OutArray<4> inv_std) {
    auto g = BatchNormRule::backward(needs, dy, x, gamma, mean, inv_std);
    g[0] = dy * by_channel(gamma, x) * by_channel(inv_std, x);
    return g;
  }
};

template <class Rule>
CheckReport check_batch_norm(IntArrayRef shape = {7, 3}, bool names_terms = true) {
  const std::int64_t C = shape[1];
  const Tensor x = draw(shape), gamma = rand({C}, kFloat64) + 0.5, beta = draw({C});
  if (names_terms) return check<Rule>({}, x, gamma, beta, Tensor(), Tensor());
  // The same rule inside a function: what is in it is not known by name.
  return autograd::check_function(
      "a function",
      [](const std::vector<Tensor>& t) {
        return std::vector<Tensor>{std::get<0>(autograd::apply<Rule>({}, t[0], t[1], t[2], Tensor(), Tensor()))};
      },
      {x, gamma, beta});
}

// --- Others

/// Of the paper's classic form in training, without its scaling: as if 1/(1 - p) were forgotten.
struct Unscaled : DropoutRule {
  static std::array<Array, 1> backward(const Attrs& attrs, DyArray<> dy, OutArray<1> mask) {
    return {DropoutRule::backward(attrs, dy, mask)[0] * (1 - attrs.p)};
  }
};
struct ScaledTwice : DropoutRule {
  static std::array<Array, 1> backward(const Attrs& attrs, DyArray<> dy, OutArray<1> mask) {
    return {DropoutRule::backward(attrs, dy, mask)[0] * attrs.scale()};
  }
};
struct WrongSign : ReluRule {
  static std::array<Array, 1> backward(DyArray<> dy, InArray<0> x) { return {-core::relu_backward(dy, x)}; }
};
/// y = the mean over dimension 0, its gradient that of a sum.
struct SumForMean {
  static constexpr std::string_view name = "test_mean_rows";
  static Array forward(const Array& x) { return core::mean(x, 0); }
  static std::array<Array, 1> backward(DyArray<> dy, InArray<0> x) { return {dy.unsqueeze(0).expand(x.shape())}; }
  static Tensor reference(const Tensor& x) { return x.mean(0); }
};
/// The biased variance, its gradient that of the unbiased one.
struct Unbiased {
  static constexpr std::string_view name = "test_variance";
  static Array forward(const Array& x) { return core::var(x, 0, 0); }
  static std::array<Array, 1> backward(DyArray<> dy, InArray<0> x) {
    const double n = static_cast<double>(x.size(0));
    return {(x - core::mean(x, 0, true)) * dy * (2 / (n - 1))};
  }
  static Tensor reference(const Tensor& x) { return square(x - x.mean(0, true)).mean(0); }
};
/// y = x^2; the reference has the right value and gradient, and no second derivative.
struct WrongSecond {
  static constexpr std::string_view name = "test_square_once";
  static Array forward(const Array& x) { return x * x; }
  static std::array<Array, 1> backward(DyArray<> dy, InArray<0> x) { return {dy * x * 2}; }
  static Tensor reference(const Tensor& x) { return x * x.detach() * 2 - square(x.detach()); }
};
/// y = exp(x) + x; each gradient lacks another term, and nobody is right.
struct AllWrong {
  static constexpr std::string_view name = "test_all_wrong";
  static Array forward(const Array& x) { return core::exp(x) + x; }
  static std::array<Array, 1> backward(DyArray<> dy, InArray<0> x) { return {dy * core::exp(x)}; }
  static Tensor reference(const Tensor& x) { return exp(x.detach()) + x; }
};
/// A little off, by less than finite differences see.
struct SlightlyOff : LinearRule {
  static LinearGradients backward(Needs needs, DyArray<> dz, InArray<0> x, InArray<1> w) {
    auto g = LinearRule::backward(needs, dz, x, w);
    g[0] = g[0] * (1 + 1e-10);
    return g;
  }
};

/// y = x^3, and 2 in place of the 3: what (N - 1) / N is for N = 3.
struct CubeByTwo {
  static constexpr std::string_view name = "test_cube_by_two";
  static Array forward(const Array& x) { return x * x * x; }
  static constexpr auto gradients =
      autograd::formulas([](autograd::Dy<> dy, autograd::In<0> x) { return dy * x * x * 2; });
};

}  // namespace

BOOST_AUTO_TEST_SUITE(check_mutants)

BOOST_AUTO_TEST_CASE(a_mean_for_a_sum) {
  for (const std::int64_t n : {2, 7, 64}) {
    manual_seed(static_cast<std::uint64_t>(n));
    const std::string hint = "a mean where a sum is due, over dimension 0 of x (size " + std::to_string(n) + ")";
    hand_caught(check_linear(MeanBias(), {n, 5}), "bias", hint);
    hand_caught(check_linear(MeanWeight(), {n, 5}), "weight", hint);
  }
  hand_caught(check_linear(MeanBias(), {7, 2, 5}), "bias",
              "hand = graph / 14: a mean where a sum is due, over dimensions 0 and 1 of x (sizes 7 x 2)");
  hand_caught(check(SumForMean(), draw({7, 3})), "input 0",
              "hand = 7 graph: a sum where a mean is due, over dimension 0 of input 0 (size 7)");
  hand_caught(check(Unbiased(), draw({7, 3})), "input 0",
              "divided by N - 1 where N is due, N counting dimension 0 of input 0 (size 7)");
}

BOOST_AUTO_TEST_CASE(a_plain_factor_is_no_count) {
  int wrong = 0;
  for (const core::Shape& shape : {core::Shape{3}, {4, 3}, {3, 2}, {5}}) {
    for (const CheckRow& row : check(CubeByTwo(), draw(shape)).rows) {
      if (row.ok() || row.order != 1) continue;
      BOOST_TEST(row.hint.find("one factor everywhere") != std::string::npos, row.hint);
      const std::size_t count = row.hint.find("divided by N");
      BOOST_TEST((count == std::string::npos || row.hint.find("as if divided by N") + 6 == count), row.hint);
      ++wrong;
    }
  }
  BOOST_TEST(wrong == 12);
}

BOOST_AUTO_TEST_CASE(sign_transpose_shape) {
  hand_caught(check(WrongSign(), draw({7, 3})), "x", "hand = -graph: the sign is wrong");
  hand_caught(check_square(TransposedWeight()), "weight", "it is transposed: dimensions 0 and 1 are exchanged");
  for (const auto& [report, variable, hint] :
       {std::tuple{check_linear(TransposedWeight()), "weight", "must have the input's shape: [5, 3] for [3, 5]"},
        std::tuple{check_linear(UnsummedBias()), "bias", "must have the input's shape: [7, 3] for [3]"}}) {
    caught(report, variable, Verdict::Failed, hint);
    only(report, variable);
  }
}

BOOST_AUTO_TEST_CASE(absent_or_not_finite) {
  hand_caught(check_linear(NoBias()), "bias", "hand is zero: the gradient is not computed, or not passed on");
  hand_caught(check_linear(InfiniteBias()), "bias", "hand is not finite");
}

BOOST_AUTO_TEST_CASE(factors_of_dropout) {
  DropoutRule::Attrs attrs;
  attrs.p = 0.3;
  hand_caught(check(Unscaled(), attrs, draw({9, 4})), "x", "a factor 1/(1 - p) is missing");
  hand_caught(check(ScaledTwice(), attrs, draw({9, 4})), "x", "1/(1 - p) is there once too often");
  // Where p makes the factor 1/2, both readings are given.
  attrs.p = 0.5;
  hand_caught(check(Unscaled(), attrs, draw({9, 4})), "x", "a factor 1/(1 - p) is missing");
  hand_caught(check(Unscaled(), attrs, draw({9, 4})), "x", "half of what is due");
}

BOOST_AUTO_TEST_CASE(each_term_of_batch_norm_missing_or_halved) {
  for (const std::vector<std::int64_t>& s : {std::vector<std::int64_t>{7, 3}, {5, 3, 2, 4}}) {
    hand_caught(check_batch_norm<Scaled<0, 0>>(s), "x", "the term 'gamma inv_std dy' is missing");
    hand_caught(check_batch_norm<Scaled<0, 50>>(s), "x", "half of the term 'gamma inv_std dy' is missing");
    hand_caught(check_batch_norm<Scaled<1, 0>>(s), "x", "the term 'gamma inv_std mean(dy)' is missing");
    hand_caught(check_batch_norm<Scaled<1, 50>>(s), "x", "half of the term 'gamma inv_std mean(dy)' is missing");
    hand_caught(check_batch_norm<Scaled<2, 0>>(s), "x", "the term 'gamma inv_std x_hat mean(dy x_hat)' is missing");
    hand_caught(check_batch_norm<Scaled<2, 50>>(s), "x",
                "half of the term 'gamma inv_std x_hat mean(dy x_hat)' is missing: a factor 2 forgotten");
    hand_caught(check_batch_norm<Scaled<3, 0>>(s), "weight", "hand is zero");
    hand_caught(check_batch_norm<Scaled<3, 50>>(s), "weight", "half of what is due");
    hand_caught(check_batch_norm<Scaled<4, 0>>(s), "bias", "hand is zero");
    hand_caught(check_batch_norm<Scaled<4, 50>>(s), "bias", "half of what is due");
    // Other factors.
    hand_caught(check_batch_norm<Scaled<2, 200>>(s), "x",
                "the term 'gamma inv_std x_hat mean(dy x_hat)' is counted twice");
    hand_caught(check_batch_norm<Scaled<1, -100>>(s), "x", "the term 'gamma inv_std mean(dy)' has the wrong sign");
    hand_caught(check_batch_norm<Scaled<1, 130>>(s), "x", "the term 'gamma inv_std mean(dy)' has the factor 1.3");
    hand_caught(check_batch_norm<ConstantStatistics>(s), "x",
                "the terms 'gamma inv_std mean(dy)' and 'gamma inv_std x_hat mean(dy x_hat)' are missing");
    // And nothing is wrong with the terms as they are.
    BOOST_TEST((check_batch_norm<Scaled<-1, 0>>(s).ok()));
  }
}

BOOST_AUTO_TEST_CASE(the_forgotten_two_of_batch_norm) {
  const std::string half = "half of the term 'gamma inv_std x_hat mean(dy x_hat)' is missing: a factor 2 forgotten";
  hand_caught(check_batch_norm<LongForm<1>>(), "x", half);
  hand_caught(check_batch_norm<LongForm<1>>({5, 3, 2, 4}), "x", half);
  BOOST_TEST((check_batch_norm<LongForm<2>>().ok()));
  // Where the formula's terms are not known, as in a function or module that calls the rule.
  caught(check_batch_norm<LongForm<1>>({7, 3}, false), "input 0", Verdict::HandOdd,
         "the difference is proportional to x_hat, that is input 0 standardised over all but dimension 1");
  caught(check_batch_norm<Scaled<1, 0>>({7, 3, 4}, false), "input 0", Verdict::HandOdd,
         "the difference is constant along dimension 0 and 2");
  caught(check_batch_norm<NoGamma>({7, 3, 4}), "x", Verdict::HandOdd,
         "the factor weight is missing, along dimension 1");
}

BOOST_AUTO_TEST_CASE(proportional_to_an_input) {
  hand_caught(check_linear(DecayedWeight()), "weight", "the difference is proportional to weight: 0.01 times it");
}

BOOST_AUTO_TEST_CASE(only_some_layouts) {
  const CheckReport strides = check_linear(IgnoresStrides()), expansion = check_linear(IgnoresExpansion());
  caught(strides, "x", Verdict::HandOdd, "right for a contiguous upstream gradient: are dy's strides ignored?");
  for (const CheckRow& row : strides.rows) {
    if (row.order == 1) BOOST_TEST(row.ok() == (row.upstream != "transposed"), strides);
  }
  caught(expansion, "x", Verdict::HandOdd,
         "right for a contiguous upstream gradient: are dy's strides ignored? hand = graph / 3");
  for (const CheckRow& row : expansion.rows) {
    if (row.order == 1)
      BOOST_TEST(row.ok() == (row.upstream != "expanded" || !row.variable.starts_with("x")), expansion);
  }
}

BOOST_AUTO_TEST_CASE(the_reference_is_the_wrong_one) {
  const CheckReport report = check_linear(WrongReference());
  caught(report, "weight", Verdict::GraphOdd, "graph = 2 hand: twice what is due");
  caught(report, "output", Verdict::Apart, "forward and reference compute different values: graph = 2 hand");
  const CheckReport detached = check_linear(DetachedReference());
  caught(detached, "x", Verdict::GraphOdd, "graph is zero: the gradient is not computed, or not passed on");
  only(detached, "x");
  caught(check_linear(OtherShapeReference()), "output", Verdict::Failed, "[3, 7] for [7, 3]");
  caught(check_linear(ThrowingReference()), "output", Verdict::Failed, "the reference throws: reshape");
  caught(check_linear(ReferenceCallsRule()), "output", Verdict::Failed, "it calls the rule linear");
}

BOOST_AUTO_TEST_CASE(wrong_at_second_order_only) {
  const CheckReport report = check(WrongSecond(), draw({5, 3}));
  caught(report, "input 0", Verdict::GraphOdd,
         "the reference's gradient is not what the hand-written gradient's differences say");
  for (const CheckRow& row : report.rows)
    BOOST_TEST(row.ok() == (row.order < 2 || row.variable.starts_with("dy")), report);

  const CheckReport kept = check(ForgetsWeight(), draw({5, 3}), draw({5, 3}));
  caught(kept, "input 0", Verdict::HandOdd, "does its reference read an input that is kept as a shape only?");
  for (const CheckRow& row : kept.rows) {
    if (row.order == 1 && row.upstream != "create_graph") BOOST_TEST(row.ok(), kept);
  }
}

BOOST_AUTO_TEST_CASE(neither_gradient_is_the_forward_s) {
  const CheckReport report = check_linear(OtherForward());
  caught(report, "bias", Verdict::FiniteOdd, "");
  caught(report, "output", Verdict::Apart, "forward and reference compute different values");
  caught(check(AllWrong(), draw({5, 3})), "input 0", Verdict::NoneAgree, "");
  caught(check_linear(SlightlyOff()), "x", Verdict::Apart, "rounding, or a small mistake");
}

BOOST_AUTO_TEST_CASE(kinks_and_constants) {
  const Tensor x = draw({5, 3});
  x[2][1].fill_(0);
  caught(check(ReluRule(), x), "x", Verdict::FiniteOdd, "the function has a kink at [2, 1]");

  const Tensor logits = draw({5, 4}), target = randint(4, {5}), weight = rand({4}, kFloat64) + 0.5;
  caught(check<nn::CrossEntropyRule>({}, logits, target, weight), "weight", Verdict::FiniteOdd,
         "if it is a constant by design, name it in CheckOptions::constants");
  autograd::CheckOptions options;
  options.constants = {2};
  BOOST_TEST((check<nn::CrossEntropyRule>({}, logits, target, weight, options).ok()));
}

/// The mistake in a layer, where a user would make it.
struct MeanBiasLinearImpl : nn::LinearImpl {
  using LinearImpl::LinearImpl;
  Tensor forward(Operand x) { return autograd::apply<MeanBias>(x, weight, bias); }
};
GRADUS_MODULE(MeanBiasLinear);

BOOST_AUTO_TEST_CASE(in_a_module) {
  manual_seed(0);
  const CheckReport report = nn::check(MeanBiasLinear(5, 3), randn({7, 5}));
  hand_caught(report, "bias", "hand = graph / 7: a mean where a sum is due, over dimension 0 of input (size 7)");
  const std::string text = report.to_string();
  BOOST_TEST_MESSAGE(text);
  BOOST_TEST(text.find("bias [3]           1  all              8.6e-01      8.6e-01  HAND is the odd one out\n") !=
                 std::string::npos,
             text);
  BOOST_TEST(text.find("\nNOT OK: 3 of 24 comparisons disagree\n") != std::string::npos, text);
}

BOOST_AUTO_TEST_SUITE_END()
