// Dropout: its masks, their statistics, both forms, and what p and x may be.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>

#include <gradus/autograd/tensor/create.h>
#include <gradus/autograd/graph/engine.h>
#include <gradus/autograd/check/gradcheck.h>
#include <gradus/layers/functional.h>

#include "../support/pytorch.h"
#include "../support/threads.h"

using namespace gradus;
using core::Array;
using nn::DropoutOptions;
using nn::DropoutRule;
using test::check_close;
using test::check_error;
using test::same_bits;
namespace F = nn::functional;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

DropoutRule::Attrs at_start(double p, std::uint64_t seed = 5) {
  DropoutRule::Attrs attrs;
  attrs.p = p;
  attrs.position = {seed, 0};
  return attrs;
}

template <class Layer>
void check_step(Layer& layer) {
  layer->train();
  const Tensor x = rand({8, 6, 2, 2}) + 1;
  x.requires_grad_();
  const Tensor y = layer(x);
  y.backward(y.detach());
  const Tensor mask = layer->mask().expand(x.sizes()).to(kFloat32);
  check_close(y, x * mask * 2, 1e-6, "a step after an error");
  check_close(x.grad(), x * mask * 4, 1e-6, "its gradient");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(dropout)

BOOST_AUTO_TEST_CASE(zeroes_scales_and_sends_the_gradient_through_the_same_mask) {
  for (const DType dtype : {kFloat32, kFloat64}) {
    for (const bool classic : {false, true}) {
      nn::Dropout layer(DropoutOptions(0.3).classic(classic));
      const Tensor x = randn({50, 40}, TensorOptions(dtype).requires_grad(true)), dy = randn({50, 40}, dtype);
      const core::RandomPosition position = core::default_generator().position();
      const Tensor y = layer(x);
      y.backward(dy);
      const Array mask = layer->mask().array();
      BOOST_TEST((mask.dtype() == kBool));
      BOOST_TEST(same_bits(mask, core::bernoulli_mask({50, 40}, 1 - 0.3, position)));
      const std::vector<double> m = test::values(mask), in = test::values(x.array()), out = test::values(y.array());
      const std::vector<double> above = test::values(dy.array()), dx = test::values(x.grad().array());
      const double scale = classic ? 1 : 1 / (1 - 0.3), bound = 2 * (dtype == kFloat32 ? 1.2e-7 : 2.3e-16);
      for (std::size_t i = 0; i < m.size(); ++i) {
        BOOST_REQUIRE(std::abs(out[i] - m[i] * in[i] * scale) <= bound * std::abs(in[i] * scale));
        BOOST_REQUIRE(std::abs(dx[i] - m[i] * above[i] * scale) <= bound * std::abs(above[i] * scale));
      }
      // By hand, without a graph, and by the reference: the same bits.
      auto attrs = at_start(0.3);
      attrs.position = position;
      attrs.classic = classic;
      const auto [z, again] = DropoutRule::forward(attrs, x.array());
      BOOST_TEST(same_bits(z, y.array()));
      BOOST_TEST(same_bits(again, mask));
      BOOST_TEST(same_bits(DropoutRule::backward(attrs, dy.array(), mask)[0], x.grad().array()));
      const Tensor other = Tensor(x.array()).requires_grad_();
      const Tensor reference = DropoutRule::reference(attrs, other);
      reference.backward(dy);
      BOOST_TEST(equal(reference, y));
      BOOST_TEST(equal(other.grad(), x.grad()));
    }
  }
}

BOOST_AUTO_TEST_CASE(agrees_with_pytorch_under_the_same_mask) {
  const test::PyTorchFile file("layers");
  for (const double p : {0.3, 0.5}) {
    for (const bool classic : {false, true}) {
      for (const char* suffix : {"_f32", "_f64"}) {
        const std::string c = std::string(p == 0.3 ? "dropout_3" : "dropout_5") + (classic ? "_classic" : "") + suffix;
        manual_seed(static_cast<std::uint64_t>(file[c + "/seed"].item<std::int64_t>()));
        nn::Dropout layer(DropoutOptions(p).classic(classic));
        const Tensor x = file[c + "/x"].requires_grad_();
        const Tensor y = layer(x);
        y.backward(file[c + "/dy"]);
        BOOST_TEST(same_bits(layer->mask(), file[c + "/mask"]));
        file.check(y, c + "/y");
        file.check(x.grad(), c + "/dx");
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(ten_thousand_masks_average_to_the_evaluation) {
  constexpr int kMasks = 10000;
  const double p = 0.3;
  for (const bool classic : {false, true}) {
    manual_seed(17);
    const NoGradGuard no_grad;
    nn::Dropout layer(DropoutOptions(p).classic(classic));
    const Tensor x = randn({24}, kFloat64);
    const Tensor sum = zeros({24}, kFloat64), kept = zeros({24}, kFloat64);
    for (int i = 0; i < kMasks; ++i) {
      sum.add_(layer(x));
      kept.add_(layer->mask().to(kFloat64));
    }
    layer->eval();
    const std::vector<double> mean = test::values((sum / kMasks).array()), in = test::values(x.array());
    const std::vector<double> evaluation = test::values(layer(x).array()), rate = test::values((kept / kMasks).array());
    for (std::size_t i = 0; i < in.size(); ++i) {
      // A mask's unit has mean 1 - p and deviation sqrt(p (1 - p)), and y is that times x / (1 - p), or times x.
      const double of_unit = std::sqrt(p * (1 - p) / kMasks);
      BOOST_TEST(std::abs(rate[i] - (1 - p)) <= 5 * of_unit);
      BOOST_TEST(std::abs(mean[i] - evaluation[i]) <= 5 * of_unit * std::abs(in[i]) / (classic ? 1 : 1 - p));
      BOOST_TEST(mean[i] != evaluation[i]);
    }
  }
}

BOOST_AUTO_TEST_CASE(units_are_independent) {
  // Of neighbours in a mask, and of the same unit in successive masks, both are kept with probability (1 - p)^2.
  const double p = 0.4;
  const std::int64_t n = 200000;
  const auto [y, mask] = DropoutRule::forward(at_start(p), core::ones({n}));
  const std::vector<double> m = test::values(mask);
  double next = 0, far = 0;
  for (std::size_t i = 0; i + 1000 < m.size(); ++i) {
    next += m[i] * m[i + 1];
    far += m[i] * m[i + 1000];
  }
  const double both = (1 - p) * (1 - p), count = static_cast<double>(n - 1000);
  // Pairs overlap, which adds to the variance of their sum: at most three times that of independent ones.
  const double error = std::sqrt(3 * both * (1 - both) / count);
  BOOST_TEST(std::abs(next / count - both) <= 5 * error);
  BOOST_TEST(std::abs(far / count - both) <= 5 * error);
}

BOOST_AUTO_TEST_CASE(classic_evaluation_is_linear_with_scaled_weights) {
  const double p = 0.35;
  nn::Dropout drop(DropoutOptions(p).classic(true));
  nn::Linear linear(6, 4);
  linear->to(kFloat64);
  drop->eval();
  const Tensor x = randn({5, 6}, TensorOptions(kFloat64).requires_grad(true)), dy = randn({5, 4}, kFloat64);
  const Tensor z = linear(drop(x));
  const Tensor scaled = F::linear(x.detach(), linear->weight * (1 - p), linear->bias);  // the bias as it is
  check_close(z, scaled, 1e-14, "weights times 1 - p");
  z.backward(dy);
  check_close(x.grad(), dy.matmul(linear->weight) * (1 - p), 1e-14, "and the gradient");
}

BOOST_AUTO_TEST_CASE(evaluation_is_the_identity) {
  nn::Dropout layer(0.5);
  const Tensor x = randn({4, 3});
  layer(x);
  const Tensor mask = layer->mask();
  layer->eval();
  const core::RandomPosition before = core::default_generator().position();
  BOOST_TEST(layer(x).is_same(x));
  BOOST_TEST((core::default_generator().position() == before));
  BOOST_TEST(layer->mask().is_same(mask));
  BOOST_TEST(gradus::dropout(x, 0.5, false).is_same(x));
  BOOST_TEST(F::dropout(x, F::DropoutFuncOptions().training(false)).is_same(x));
  BOOST_TEST(!nn::Dropout()->mask().defined());
}

BOOST_AUTO_TEST_CASE(p_of_0_and_1_and_values_that_are_not_finite) {
  const Tensor x = tensor({1., -2., kInf, -kInf, kNan, 0.}, TensorOptions(kFloat64).requires_grad(true));
  for (const bool classic : {false, true}) {
    nn::Dropout none(DropoutOptions(0).classic(classic)), all(DropoutOptions(1).classic(classic));
    BOOST_TEST(same_bits(none(x).array(), x.array()));
    BOOST_TEST(test::values(none->mask().array()) == std::vector<double>(6, 1.0));
    x.mutable_grad() = Tensor();
    const Tensor y = all(x);
    BOOST_TEST(test::values(y.array()) == std::vector<double>(6, 0.0));
    const auto dx = autograd::grad({y}, {x}, {full({6}, kInf, kFloat64)}, true);
    BOOST_TEST(test::values(dx[0].array()) == std::vector<double>(6, 0.0));
    // The reference, too, multiplies nothing by 1 / (1 - p).
    const auto graph = autograd::grad({y}, {x}, {full({6}, 2, kFloat64)}, true, true);
    BOOST_TEST(test::values(graph[0].array()) == std::vector<double>(6, 0.0));
  }
  const Tensor wild = full({1000}, kNan);
  nn::Dropout half(0.5);
  const std::vector<double> y = test::values(half(wild).array()), mask = test::values(half->mask().array());
  for (std::size_t i = 0; i < y.size(); ++i) BOOST_REQUIRE(mask[i] == 1 ? std::isnan(y[i]) : y[i] == 0);
  BOOST_TEST(half(zeros({0, 3})).numel() == 0);
  BOOST_TEST(half(ones({})).dim() == 0);
}

BOOST_AUTO_TEST_CASE(each_forward_takes_its_own_span_of_the_stream) {
  const Tensor x = ones({64});
  nn::Dropout layer(0.5);
  manual_seed(3);
  const Tensor first = layer(x), second = layer(x);
  BOOST_TEST(!same_bits(first.array(), second.array()));
  manual_seed(3);
  BOOST_TEST(same_bits(layer(x).array(), first.array()));
  BOOST_TEST(same_bits(gradus::dropout(x, 0.5, true).array(), second.array()));
  manual_seed(4);
  BOOST_TEST(!same_bits(layer(x).array(), first.array()));

  // What was drawn can be read off the graph.
  manual_seed(3);
  const Tensor y = layer(ones({64}).requires_grad_());
  const autograd::AttributeList attributes = y.grad_fn()->attributes();
  BOOST_TEST(attributes[0].name == "p");
  BOOST_TEST(attributes[0].value == "0.5");
  BOOST_TEST(attributes[1].name == "position");
  BOOST_TEST(attributes[1].value.find('3') != std::string::npos);
}

BOOST_AUTO_TEST_CASE(both_orders_against_finite_differences_under_one_mask) {
  for (const bool classic : {false, true}) {
    for (const bool channelwise : {false, true}) {
      auto attrs = at_start(0.4);
      attrs.classic = classic;
      attrs.channelwise = channelwise;
      const auto f = [attrs](const std::vector<Tensor>& in) {
        return std::vector<Tensor>{std::get<0>(autograd::apply<DropoutRule>(attrs, in[0])).square()};
      };
      const Tensor x = randn({3, 4, 2}, TensorOptions(kFloat64).requires_grad(true));
      BOOST_TEST(gradcheck(f, {x}));
      BOOST_TEST(gradgradcheck(f, {x}));
    }
  }
}

BOOST_AUTO_TEST_CASE(second_order_sees_the_mask_of_forward) {
  nn::Dropout layer(0.5);
  const Tensor x = randn({40}, TensorOptions(kFloat64).requires_grad(true));
  const Tensor y = layer(x);
  const Tensor mask = layer->mask();
  const core::RandomPosition before = core::default_generator().position();
  const Tensor dx = autograd::grad({(y * y).sum()}, {x}, {}, true, true)[0];  // 8 m x
  check_close(dx, x * mask.to(kFloat64) * 8, 1e-15, "first order");
  const Tensor ddx = autograd::grad({dx.sum()}, {x})[0];
  check_close(ddx, mask.to(kFloat64) * 8, 1e-15, "second order");
  BOOST_TEST((core::default_generator().position() == before));
}

BOOST_AUTO_TEST_CASE(the_mode_is_the_one_at_forward) {
  nn::Dropout layer(0.5);
  const Tensor x = ones({100}).requires_grad_();
  const Tensor y = layer(x);
  const Tensor mask = layer->mask();
  layer->eval();
  layer(x);
  y.sum().backward();
  check_close(x.grad(), mask.to(kFloat32) * 2, 0, "the gradient of the forward in training");
}

BOOST_AUTO_TEST_CASE(dropout2d_zeroes_channels) {
  manual_seed(2);
  nn::Dropout2d layer(0.5);
  const Tensor x = (rand({20, 30, 3, 4}) + 1).requires_grad_();
  const Tensor y = layer(x);
  BOOST_TEST(layer->mask().sizes().vec() == (std::vector<std::int64_t>{20, 30, 1, 1}));
  check_close(y, x * layer->mask().to(kFloat32) * 2, 0, "whole channels");
  const double rate = layer->mask().to(kFloat64).mean().item<double>();
  BOOST_TEST(std::abs(rate - 0.5) <= 5 * 0.5 / std::sqrt(600.0));
  y.sum().backward();
  check_close(x.grad(), (ones({20, 30, 3, 4}) * layer->mask().to(kFloat32) * 2), 0, "their gradients");
  BOOST_TEST(layer(randn({20, 30, 5})).sizes().vec() == (std::vector<std::int64_t>{20, 30, 5}));
  BOOST_TEST(layer->mask().sizes().vec() == (std::vector<std::int64_t>{20, 30, 1}));
  BOOST_TEST(F::dropout2d(x, F::Dropout2dFuncOptions().training(false)).is_same(x));
  nn::Dropout2d classic(DropoutOptions(0.25).classic(true));
  classic->eval();
  check_close(classic(x), x * 0.75, 1e-7, "classic");
  check_error<ShapeError>([&] { layer(randn({5})); }, {"dropout2d: input must be [N, C, ..]: [5]"});
  check_step(layer);
  check_error<ValueError>([] { nn::Dropout2d(1.5); }, {"Dropout2d: p", "1.5"});
}

BOOST_AUTO_TEST_CASE(in_place) {
  nn::Dropout layer(DropoutOptions(0.5).inplace(true));
  const Tensor a = randn({40}, TensorOptions(kFloat64).requires_grad(true)), x = a * 3;
  const Tensor before = x.detach().clone();
  const Tensor y = layer(x);
  BOOST_TEST(y.is_same(x));
  check_close(x.detach(), before * layer->mask().to(kFloat64) * 2, 0, "in place");
  y.sum().backward();
  check_close(a.grad(), layer->mask().to(kFloat64) * 6, 1e-15, "its gradient");
  check_error<GradError>([&] { layer(a); }, {"leaf", "NoGradGuard"});
  BOOST_TEST(layer->to_string() == "Dropout(p=0.5, inplace=true)");
  BOOST_TEST(nn::Dropout(DropoutOptions(0.2).classic(true))->to_string() ==
             "Dropout(p=0.2, inplace=false, classic=true)");
}

BOOST_AUTO_TEST_CASE(layouts_and_threads_change_no_bit) {
  const Tensor x = randn({400, 300});
  const auto [first, first_mask] = DropoutRule::forward(at_start(0.5), x.array());
  test::ManyThreads().each([&, y = first, mask = first_mask] {
    const auto [again, again_mask] = DropoutRule::forward(at_start(0.5), x.array());
    BOOST_REQUIRE(same_bits(again, y));
    BOOST_REQUIRE(same_bits(again_mask, mask));
  });
  const auto [transposed, its_mask] = DropoutRule::forward(at_start(0.5), x.t().contiguous().t().array());
  BOOST_TEST(same_bits(transposed, first));
  BOOST_TEST(same_bits(its_mask, first_mask));
}

BOOST_AUTO_TEST_CASE(wrong_use_is_said_and_harms_nothing) {
  for (const double p : {-0.1, 1.5, kNan, kInf, -kInf}) {
    const std::string text = std::isnan(p) ? "nan" : p == kInf ? ": inf" : p == -kInf ? "-inf" : p > 0 ? "1.5" : "-0.1";
    check_error<ValueError>([&] { nn::Dropout layer(p); }, {"Dropout: p, the probability of zeroing", "[0, 1]", text});
    check_error<ValueError>([&] { gradus::dropout(ones({3}), p, true); }, {"dropout: p,", text});
    check_error<ValueError>([&] { gradus::dropout(ones({3}), p, false); }, {"dropout: p,", text});
    check_error<ValueError>([&] { DropoutRule::forward(at_start(p), core::ones({3})); }, {"dropout: p,", text});
  }
  nn::Dropout layer(0.5);
  layer->options.p(2);
  const core::RandomPosition before = core::default_generator().position();
  check_error<ValueError>([&] { layer(ones({3})); }, {"dropout: p,", "2"});
  BOOST_TEST((core::default_generator().position() == before));
  layer->options.p(0.5);
  check_step(layer);
  check_error<DTypeError>([&] { layer(ones({3}, kInt64)); }, {"dropout: input must be floating: int64"});
  check_step(layer);
}

BOOST_AUTO_TEST_CASE(whole_channels_of_lines_and_volumes) {
  manual_seed(5);
  const auto whole = [](const Tensor& y, std::int64_t dims) {  // each channel is all 0, or all 2
    const Tensor flat = y.flatten(y.dim() - dims), zeros_of = (flat == 0).sum(-1), twos = (flat == 2).sum(-1);
    BOOST_TEST((zeros_of * twos).sum().item<std::int64_t>() == 0);
    BOOST_TEST((zeros_of + twos).min().item<std::int64_t>() == flat.size(-1));
    BOOST_TEST(zeros_of.max().item<std::int64_t>() > 0);
    BOOST_TEST(twos.max().item<std::int64_t>() > 0);
  };
  whole(nn::functional::dropout1d(ones({8, 5, 3})), 1);
  whole(nn::functional::dropout1d(ones({20, 3})), 1);  // one sample: its channels
  whole(nn::functional::dropout3d(ones({8, 5, 2, 1, 2})), 3);
  whole(nn::functional::dropout3d(ones({20, 2, 1, 2})), 3);
  check_error<ValueError>([] { nn::Dropout3d(1.5); }, {"Dropout3d", "1.5"});
  check_error<ShapeError>([] { nn::functional::dropout3d(ones({2, 3})); }, {"dropout3d: input", "[2, 3]"});
}

BOOST_AUTO_TEST_CASE(alpha_dropout_keeps_mean_and_variance) {
  manual_seed(6);
  const Tensor x = randn({200, 1000});
  nn::AlphaDropout drop(0.3);
  const Tensor y = drop(x);
  BOOST_TEST(std::abs(y.mean().item<float>()) < 0.02f);
  BOOST_TEST(std::abs(y.var().item<float>() - 1) < 0.02f);
  drop->eval();
  BOOST_TEST(drop(x).is_same(x));
  const Tensor channels = nn::FeatureAlphaDropout(0.5)(selu(randn({8, 5, 6}))), least = channels.min();
  const Tensor dropped = (channels == least).sum(2);  // all of a channel or nothing
  BOOST_TEST(dropped.max().item<std::int64_t>() == 6);
  BOOST_TEST((dropped == 0).sum().item<std::int64_t>() + (dropped == 6).sum().item<std::int64_t>() == 40);
  BOOST_TEST(nn::AlphaDropout(1)(x).abs().max().item<float>() == 0);
  check_error<ValueError>([] { nn::AlphaDropout(-0.1); }, {"AlphaDropout", "-0.1"});
  check_error<ShapeError>([] { feature_alpha_dropout(ones({3}), 0.5, true); }, {"feature_alpha_dropout: input", "[3]"});
}

BOOST_AUTO_TEST_SUITE_END()
