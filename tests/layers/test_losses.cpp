// CTC and losses of differences: PyTorch's values, three ways, extreme numbers, threads, wrong use; and functions of
// nn::functional that are no module.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>

#include <gradus/autograd/check/gradcheck.h>
#include <gradus/autograd/graph/node.h>
#include <gradus/gradus.h>

#include "../support/pytorch.h"
#include "../support/threads.h"
#include "../support/three_ways.h"

using namespace gradus;
using test::check_close;
using test::check_error;
using test::PyTorchFile;
namespace F = nn::functional;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

// Three samples of 5, 4 and 2 steps whose labels are found; the third in 2 steps only just.
struct Speech {
  Tensor log_p, labels = tensor({{1, 2}, {1, 1}, {3, 0}}), steps = tensor({5, 4, 2}), lengths = tensor({2, 2, 1});
  Speech() {
    manual_seed(3);
    log_p = randn({5, 3, 4}, kDouble).log_softmax(2);
  }
};

// -log of the sum over all paths of their probabilities, for one sample.
double by_all_paths(const Tensor& log_p, const std::vector<std::int64_t>& labels, std::int64_t blank) {
  const std::int64_t T = log_p.size(0), C = log_p.size(1);
  std::int64_t paths = 1;
  for (std::int64_t t = 0; t < T; ++t) paths *= C;
  double sum = 0;
  for (std::int64_t path = 0; path < paths; ++path) {
    std::vector<std::int64_t> spelled;
    double log_all = 0;
    for (std::int64_t t = 0, rest = path, last = -1; t < T; ++t, rest /= C) {
      const std::int64_t c = rest % C;
      log_all += log_p[t][c].item<double>();
      if (c != blank && c != last) spelled.push_back(c);
      last = c;
    }
    if (spelled == labels) sum += std::exp(log_all);
  }
  return -std::log(sum);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(losses)

BOOST_AUTO_TEST_CASE(ctc_and_normalize_agree_with_pytorch) {
  const PyTorchFile file("losses");
  BOOST_TEST(file.cases("").size() == 26u);
  for (const std::string& c : file.cases("")) {
    const Tensor x = file[c + "/x"].requires_grad_(), o = file[c + "/o"];
    const auto option = [&](std::int64_t i) { return o[i].item<double>(); };
    Tensor y;
    if (c.starts_with("ctc_")) {
      const Reduction reductions[] = {Reduction::None, Reduction::Mean, Reduction::Sum};
      nn::CTCLoss loss(nn::CTCLossOptions()
                           .blank(o[0].item<std::int64_t>())
                           .reduction(reductions[o[1].item<std::int64_t>()])
                           .zero_infinity(option(2) != 0));
      y = loss(x.log_softmax(-1), file[c + "/t"], file[c + "/m"], file[c + "/n"]);
    } else {
      y = F::normalize(x, F::NormalizeFuncOptions().p(option(0)).dim(o[1].item<std::int64_t>()).eps(option(2)));
    }
    y.backward(file[c + "/dy"]);
    file.check(y, c + "/y");
    file.check(x.grad(), c + "/dx");
  }
}

BOOST_AUTO_TEST_CASE(ctc_is_the_sum_over_all_paths) {
  manual_seed(5);
  const Tensor log_p = randn({5, 3}, kDouble).log_softmax(1);
  for (const std::vector<std::int64_t>& labels : {std::vector<std::int64_t>{}, {1}, {2, 2}, {1, 2, 1}}) {
    const Tensor l = ctc_loss(log_p, tensor(labels), {5}, {static_cast<std::int64_t>(labels.size())}, 0, kNone);
    BOOST_TEST(l.item<double>() == by_all_paths(log_p, labels, 0), boost::test_tools::tolerance(1e-13));
  }
}

BOOST_AUTO_TEST_CASE(ctc_three_ways) {
  const Speech s;
  test::passes(autograd::check<nn::CTCLossRule>(nn::CTCLossRule::Attrs{0, true}, s.log_p, s.labels, s.steps, s.lengths),
               {"log_probs"});
  // A sample without a path beside others, and one without labels.
  const auto report = autograd::check<nn::CTCLossRule>(nn::CTCLossRule::Attrs{1, true}, s.log_p, tensor({2, 2, 0}),
                                                       tensor({2, 4, 5}), tensor({2, 1, 0}));
  BOOST_TEST(report.ok(), report);
}

BOOST_AUTO_TEST_CASE(ctc_at_extremes) {
  // Far down a long sequence exp(alpha) is 0 in float64, but not the gradient.
  const std::int64_t T = 2000;
  const Tensor x = zeros({T, 1, 40}, kDouble).requires_grad_();
  const Tensor l = ctc_loss(x.log_softmax(2), ones({1, 3}, kInt64), {T}, {3}, 0, kSum);
  l.backward();
  BOOST_TEST(std::isfinite(l.item<double>()));
  BOOST_TEST(l.item<double>() > 1000);
  BOOST_TEST(x.grad().sum().abs().item<double>() < 1e-9);
  BOOST_TEST(x.grad().abs().sum().item<double>() > 1);
  // A class of probability 0 that no path needs leaves numbers numbers; one that all need gives inf.
  Tensor p = tensor({{0.5, 0.5, 0.}, {0.25, 0.75, 0.}}, kDouble).log().requires_grad_();
  const Tensor one = ctc_loss(p, tensor({1}), {2}, {1}, 0, kSum);
  one.backward();
  BOOST_TEST(one.item<double>() == -std::log(0.5 * 0.25 + 0.5 * 0.75 * 2), boost::test_tools::tolerance(1e-14));
  BOOST_TEST(p.grad().isfinite().all().item<bool>());
  BOOST_TEST(ctc_loss(p, tensor({2}), {2}, {1}, 0, kSum).item<double>() == kInf);
  // Nothing at all: no steps, no labels.
  BOOST_TEST(ctc_loss(zeros({0, 1, 3}), zeros({1, 0}, kInt64), zeros({1}, kInt64), zeros({1}, kInt64), 0, kSum)
                 .item<float>() == 0);
  BOOST_TEST(
      ctc_loss(zeros({2, 0, 3}), zeros({0, 0}, kInt64), zeros({0}, kInt64), zeros({0}, kInt64), 0, kNone).numel() == 0);
}

BOOST_AUTO_TEST_CASE(ctc_wrong_use_is_said) {
  const Tensor x = randn({4, 2, 3});
  const Tensor t = ones({2, 2}, kInt64);
  check_error<IndexError>([&] { ctc_loss(x, t, {4, 4}, {2, 2}, 3); }, {"ctc_loss: blank", "[0, 3)", "3"});
  check_error<IndexError>(
      [&] {
        ctc_loss(x, t * 3, {4, 4}, {2, 2});
      },
      {"ctc_loss: targets", "[0, 3)", "3 in sample 0"});
  check_error<ValueError>([&] { ctc_loss(x, t, {4, 5}, {2, 2}); }, {"ctc_loss: input_lengths", "5 of sample 1"});
  check_error<ValueError>([&] { ctc_loss(x, t, {4, 4}, {2, 3}); }, {"ctc_loss: target_lengths", "3 of sample 1"});
  check_error<ValueError>([&] { ctc_loss(x, t, {4, 4}, {-1, 2}); }, {"ctc_loss: target_lengths", "-1 of sample 0"});
  check_error<ShapeError>([&] { ctc_loss(x, t, {4}, {2, 2}); }, {"ctc_loss: input_lengths", "[1]"});
  check_error<ShapeError>([&] { ctc_loss(x, t.flatten(), {4, 4}, {2, 1}); }, {"ctc_loss: targets", "4 for 3"});
  check_error<ShapeError>([&] { ctc_loss(x, ones({3, 2}, kInt64), {4, 4}, {2, 1}); }, {"ctc_loss: targets", "[3, 2]"});
  check_error<ShapeError>([&] { ctc_loss(x[0][0], t, {4, 4}, {2, 2}); }, {"ctc_loss: log_probs", "[3]"});
  check_error<DTypeError>([&] { ctc_loss(x, t.to(kFloat), {4, 4}, {2, 2}); }, {"ctc_loss: targets", "float32"});
  check_error<DTypeError>([&] { ctc_loss(x.to(kInt64), t, {4, 4}, {2, 2}); }, {"ctc_loss: log_probs", "int64"});
}

BOOST_AUTO_TEST_CASE(ctc_knows_where_it_is) {
  struct Net : nn::Module {
    nn::CTCLoss loss{nullptr};
    Net() { loss = register_module("loss", nn::CTCLoss()); }
  } net;
  const Speech s;
  const Tensor y = net.loss(s.log_p.clone().requires_grad_(), s.labels, s.steps, s.lengths);
  BOOST_TEST(y.grad_fn()->module() == "loss");
  BOOST_TEST(net.loss->to_string() == "CTCLoss()");
  BOOST_TEST(net.loss->clone()->to_string() == "CTCLoss()");
}

BOOST_AUTO_TEST_CASE(differences_three_ways) {
  manual_seed(7);
  const Tensor x = randn({5, 7}, kDouble), t = randn({5, 7}, kDouble);
  for (const bool mean : {true, false}) {
    test::passes(autograd::check<nn::L1LossRule>(nn::L1LossRule::Attrs{mean}, x, t), {"x", "target"}, true);
    test::passes(autograd::check<nn::HuberLossRule>(nn::HuberLossRule::Attrs{mean, 0.7}, x, t), {"x", "target"});
    test::passes(autograd::check<nn::SmoothL1LossRule>(nn::SmoothL1LossRule::Attrs{mean, 0.7}, x, t), {"x", "target"});
  }
}

BOOST_AUTO_TEST_CASE(differences_reduced_are_those_of_elements) {
  manual_seed(8);
  for (const DType dtype : {kFloat32, kFloat64}) {
    for (const std::int64_t n : {1, 3, 17, 100, 70000}) {
      const Tensor x = randn({n}, dtype).requires_grad_(), t = randn({n}, dtype).requires_grad_();
      for (const auto& loss :
           {+[](const Tensor&a, const Tensor&b, Reduction r) { return l1_loss(a, b, r); },
            +[](const Tensor&a, const Tensor&b, Reduction r) { return huber_loss(a, b, r, 0.8); },
            +[](const Tensor&a, const Tensor&b, Reduction r) { return smooth_l1_loss(a, b, r, 0); },
            +[](const Tensor&a, const Tensor&b, Reduction r) { return smooth_l1_loss(a, b, r, 0.3); }}) {
        const Tensor whole = loss(x, t, kMean), parts = loss(x, t, kNone).mean();
        check_close(whole, parts, test::bound_of(dtype), "the mean");
        const auto of_whole = autograd::grad({whole}, {x, t}), of_parts = autograd::grad({parts}, {x, t});
        for (std::size_t i = 0; i < 2; ++i) check_close(of_whole[i], of_parts[i], test::bound_of(dtype), "gradient");
        const Tensor of_target = autograd::grad({loss(x.detach(), t, kMean)}, {t})[0];
        check_close(of_target, of_parts[1], test::bound_of(dtype), "gradient of the target alone");
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(differences_have_the_same_bits_with_any_threads) {
  manual_seed(9);
  const Tensor x = randn({300001}).requires_grad_(), t = randn({300001});
  const auto run = [&] {
    const Tensor l = huber_loss(x, t, kSum, 0.5) + l1_loss(x, t);
    return cat({autograd::grad({l}, {x})[0], l.detach().unsqueeze(0)});
  };
  const Tensor first = run();
  test::ManyThreads().each([&] { BOOST_TEST(test::same_bits(run(), first)); });
}

BOOST_AUTO_TEST_CASE(differences_at_extremes) {
  const double nan = std::nan("");
  const Tensor x = tensor({kInf, -kInf, nan, 1e30, 0.}, kDouble).requires_grad_(), t = zeros({5}, kDouble);
  const Tensor dx = autograd::grad({l1_loss(x, t, kSum)}, {x})[0],
               du = autograd::grad({huber_loss(x, t, kSum)}, {x})[0];
  for (const Tensor& d : {dx, du}) {
    BOOST_TEST(d[0].item<double>() == 1);
    BOOST_TEST(d[1].item<double>() == -1);
    BOOST_TEST(d[3].item<double>() == 1);
    BOOST_TEST(d[4].item<double>() == 0);
  }
  BOOST_TEST(std::isnan(du[2].item<double>()));
  BOOST_TEST(std::isnan(l1_loss(x, t).item<double>()));
  BOOST_TEST(l1_loss(x.slice(0, 0, 2), t.slice(0, 0, 2)).item<double>() == kInf);
  BOOST_TEST(std::isnan(huber_loss(zeros({0}), zeros({0})).item<float>()));
  BOOST_TEST(l1_loss(zeros({0}), zeros({0}), kSum).item<float>() == 0);
  // Small differences of large numbers: the sum is taken in float64.
  const Tensor many = full({1 << 20}, 1.F);
  BOOST_TEST(l1_loss(many + 1e-3F, many, kSum).item<float>() == 1048.5f, boost::test_tools::tolerance(1e-3f));
}

BOOST_AUTO_TEST_CASE(gumbel_softmax_draws_by_the_logits) {
  manual_seed(11);
  const Tensor p = tensor({0.1, 0.6, 0.3}), x = p.log().expand({20000, 3});
  const Tensor hard = F::gumbel_softmax(x, F::GumbelSoftmaxFuncOptions().hard(true));
  BOOST_TEST((hard.sum(1) - 1).abs().max().item<float>() < 1e-6f);
  BOOST_TEST((hard.mean(0) - p).abs().max().item<float>() < 0.015f);
  const Tensor soft = F::gumbel_softmax(x, F::GumbelSoftmaxFuncOptions().tau(0.5).dim(1));
  BOOST_TEST((soft.sum(1) - 1).abs().max().item<float>() < 1e-5f);
  // The gradient of what is hard is that of what is soft.
  const Tensor logits = randn({4, 3}, kDouble).requires_grad_(), dy = randn({4, 3}, kDouble);
  const auto slope = [&](bool is_hard) {
    manual_seed(12);
    return autograd::grad({F::gumbel_softmax(logits, F::GumbelSoftmaxFuncOptions().hard(is_hard))}, {logits}, {dy})[0];
  };
  check_close(slope(true), slope(false), 1e-15, "straight through");
  check_error<ValueError>([&] { F::gumbel_softmax(logits, F::GumbelSoftmaxFuncOptions().tau(0)); },
                          {"gumbel_softmax: tau", "0"});
  check_error<DTypeError>([] { F::gumbel_softmax(ones({2}, kInt64)); }, {"gumbel_softmax: input", "int64"});
}

BOOST_AUTO_TEST_CASE(normalize_writes_where_it_is_told_to) {
  const Tensor x = tensor({{3., 4.}, {0., 0.}}), to = zeros({2, 2});
  const Tensor y = F::normalize(x, F::NormalizeFuncOptions().out(to));
  BOOST_TEST(y.is_same(to));
  BOOST_TEST(equal(to, tensor({{0.6, 0.8}, {0., 0.}})));
  check_error<IndexError>([&] { F::normalize(x, F::NormalizeFuncOptions().dim(2)); }, {"normalize: ", "2"});
  check_error<DTypeError>([] { F::normalize(ones({2, 2}, kInt64)); }, {"normalize: input", "int64"});
}

BOOST_AUTO_TEST_CASE(a_variance_is_held_above_eps_and_margins_above_0) {
  const Tensor x = tensor({1.}, kDouble), t = zeros({1}, kDouble), v = zeros({1}, kDouble).requires_grad_();
  const Tensor l = F::gaussian_nll_loss(x, t, v, F::GaussianNLLLossFuncOptions().eps(0.25));
  BOOST_TEST(l.item<double>() == (std::log(0.25) + 4) / 2, boost::test_tools::tolerance(1e-15));
  l.backward();
  BOOST_TEST(v.grad().item<double>() == (4 - 16) / 2.);  // as if the variance were eps
  check_error<ValueError>([] { nn::TripletMarginLoss(nn::TripletMarginLossOptions().margin(0)); },
                          {"TripletMarginLoss: margin", "0"});
  const Tensor a = randn({2, 3});
  check_error<ValueError>(
      [&] { F::triplet_margin_with_distance_loss(a, a, a, F::TripletMarginWithDistanceLossFuncOptions().margin(-1)); },
      {"triplet_margin_with_distance_loss: margin", "-1"});
  check_error<ValueError>([] { nn::MultiMarginLoss(nn::MultiMarginLossOptions().p(3)); }, {"MultiMarginLoss: p", "3"});
  // Without a function it is the distance of triplet_margin_loss; a function may keep what it counts.
  int calls = 0;
  const Tensor b = randn({2, 3}), c = randn({2, 3});
  BOOST_TEST(equal(F::triplet_margin_with_distance_loss(a, b, c), F::triplet_margin_loss(a, b, c)));
  nn::TripletMarginWithDistanceLoss counted(nn::TripletMarginWithDistanceLossOptions().distance_function(
      [&calls](const Tensor& u, const Tensor& w) { return ++calls, pairwise_distance(u, w); }));
  BOOST_TEST(equal(counted(a, b, c), F::triplet_margin_loss(a, b, c)));
  BOOST_TEST(calls == 2);
}

BOOST_AUTO_TEST_CASE(a_gaussian_target_broadcasts_in_one_size) {
  const Tensor x = randn({3, 4}), v = ones({3, 4});
  for (const Tensor& t : {randn({3, 1}), randn({1, 4})}) {
    test::check_close(F::gaussian_nll_loss(x, t, v), F::gaussian_nll_loss(x, t.expand({3, 4}), v), 1e-6, "target");
    const Tensor var = t.abs() + 1;
    test::check_close(F::gaussian_nll_loss(x, x + 1, var), F::gaussian_nll_loss(x, x + 1, var.expand({3, 4})), 1e-6,
                      "variance");
  }
  const Tensor column = randn({3, 1});
  for (const Tensor& t : {ones({3}), ones({1}), ones({3, 3}), ones({1, 3, 1})}) {
    check_error<ShapeError>(
        [&] {
          F::gaussian_nll_loss(column, t, ones({3, 1}));
        },
        {"gaussian_nll_loss: target must have input's shape", "for input [3, 1]"});
  }
  check_error<ShapeError>([&] { F::gaussian_nll_loss(x, ones({1, 1}), v); }, {"gaussian_nll_loss: target", "[1, 1]"});
}

BOOST_AUTO_TEST_SUITE_END()
