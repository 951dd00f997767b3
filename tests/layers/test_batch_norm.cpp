// Batch normalisation against PyTorch, against the paper's long form, and where the numbers are hard.
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
using nn::BatchNormEvalRule;
using nn::BatchNormOptions;
using nn::BatchNormRule;
using test::check_close;
using test::check_error;
using test::PyTorchFile;
using test::same_bits;
namespace F = nn::functional;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

Array array_of(const Tensor& t) { return t.defined() ? t.array() : Array(); }

// All dimensions but the channels'.
std::vector<std::int64_t> over(const Tensor& x) {
  std::vector<std::int64_t> dims = {0};
  for (std::int64_t d = 2; d < x.dim(); ++d) dims.push_back(d);
  return dims;
}
Tensor by_channel(const Tensor& a, const Tensor& x) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(x.dim()), 1);
  shape[1] = a.numel();
  return a.reshape(shape);
}

// One case of the file, with a layer of its kind.
template <class Layer>
void check_case(const PyTorchFile& file, const std::string& c) {
  auto options = BatchNormOptions(3);
  if (contains(c, "_momentum03")) options.momentum(0.3);
  if (contains(c, "_cumulative")) options.momentum(std::nullopt);
  if (contains(c, "_noaffine")) options.affine(false);
  if (contains(c, "_nostats")) options.track_running_stats(false);
  if (contains(c, "_eps001")) options.eps(1e-2);
  Layer layer(options);
  const bool training = contains(c, "_train_");
  layer->train(training);
  layer->to(contains(c, "_f32") ? kFloat32 : kFloat64);
  {
    const NoGradGuard no_grad;
    std::size_t found = 0;
    for (const auto& [name, tensor] : layer->state_dict()) {
      tensor.copy_(file[c + "/" + name]);
      ++found;
    }
    BOOST_TEST(found == (contains(c, "_noaffine") ? 3u : contains(c, "_nostats") ? 2u : 5u), c);
  }
  const bool two = file.has(c + "/x1");
  for (int step = 1; step <= (two ? 2 : 1); ++step) {
    const std::string n = two ? std::to_string(step) : "";
    const Tensor x = file[c + "/x" + n].requires_grad_(), dy = file[c + "/dy" + n];
    const Array old_mean = layer->running_mean.defined() ? layer->running_mean.array().clone() : Array();
    const Array old_var = layer->running_var.defined() ? layer->running_var.array().clone() : Array();
    const double seen = layer->num_batches_tracked.defined() ? layer->num_batches_tracked.template item<double>() : 0;
    layer->zero_grad();
    const Tensor y = layer(x);
    y.backward(dy);
    file.check(y, c + "/y" + n);
    file.check(x.grad(), c + "/dx" + n);
    if (options.affine()) {
      file.check(layer->weight.grad(), c + "/dweight" + n);
      file.check(layer->bias.grad(), c + "/dbias" + n);
    }
    if (options.track_running_stats()) {
      file.check(layer->running_mean, c + "/new_running_mean" + n);
      file.check(layer->running_var, c + "/new_running_var" + n);
      file.check(layer->num_batches_tracked, c + "/new_num_batches_tracked" + n);
    }

    // By hand, without a graph: the same bits.
    const Array weight = array_of(layer->weight), bias = array_of(layer->bias);
    if (training || !old_mean.defined()) {
      const double momentum = options.momentum().value_or(1 / (seen + 1));
      const auto [z, new_mean, new_var, mean, inv_std] =
          BatchNormRule::forward({momentum, options.eps()}, x.array(), weight, bias, old_mean, old_var);
      const auto g = BatchNormRule::backward({}, dy.array(), x.array(), weight, mean, inv_std);
      BOOST_TEST(same_bits(z, y.array()), c);
      BOOST_TEST(same_bits(g[0], x.grad().array()), c);
      if (weight.defined()) BOOST_TEST(same_bits(g[1], layer->weight.grad().array()), c);
      if (weight.defined()) BOOST_TEST(same_bits(g[2], layer->bias.grad().array()), c);
      BOOST_TEST(new_mean.defined() == old_mean.defined(), c);
      if (new_mean.defined()) BOOST_TEST(same_bits(new_mean, layer->running_mean.array()), c);
      if (new_var.defined()) BOOST_TEST(same_bits(new_var, layer->running_var.array()), c);
    } else {
      const auto [z, mean, inv_std] =
          BatchNormEvalRule::forward({options.eps()}, x.array(), weight, bias, old_mean, old_var);
      const auto g = BatchNormEvalRule::backward({}, dy.array(), x.array(), weight, mean, inv_std);
      BOOST_TEST(same_bits(z, y.array()), c);
      BOOST_TEST(same_bits(g[0], x.grad().array()), c);
    }
  }
}

void check_step(nn::BatchNorm1d& layer) {
  layer->train();
  layer->zero_grad();
  const double seen = layer->num_batches_tracked.item<double>();
  const Tensor y = layer(randn({5, 3}));
  (y * randn({5, 3})).sum().backward();
  BOOST_TEST(layer->num_batches_tracked.item<double>() == seen + 1);
  BOOST_TEST(layer->weight.grad().defined());
  check_close(y.mean({0}), zeros({3}), 1e-6, "the mean after an error");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(batch_norm)

BOOST_AUTO_TEST_CASE(agrees_with_pytorch) {
  const PyTorchFile file("layers");
  const std::vector<std::string> cases = file.cases("batch_norm_");
  BOOST_TEST(cases.size() == 46u);
  for (const std::string& c : cases) {
    if (contains(c, "_nchw"))
      check_case<nn::BatchNorm2d>(file, c);
    else if (contains(c, "_ncdhw"))
      check_case<nn::BatchNorm3d>(file, c);
    else
      check_case<nn::BatchNorm1d>(file, c);
  }
}

BOOST_AUTO_TEST_CASE(the_long_form_of_the_gradient) {
  const NoGradGuard no_grad;
  const double eps = 1e-5;
  for (const std::vector<std::int64_t>& shape :
       {std::vector<std::int64_t>{7, 3}, {4, 3, 5}, {4, 3, 2, 5}, {2, 3, 2, 4, 5}}) {
    const Tensor x = randn(shape, kFloat64) * 3 + 2, dy = randn(shape, kFloat64), gamma = randn({3}, kFloat64);
    const auto axes = over(x);
    const double m = static_cast<double>(x.numel()) / 3;
    // The paper's steps, as it prints them.
    const Tensor mean = x.mean(axes, true), centred = x - mean, var = centred.square().mean(axes, true);
    const Tensor inv_std = (var + eps).rsqrt();
    const Tensor dx_hat = dy * by_channel(gamma, x);
    const Tensor dvar = (dx_hat * centred).sum(axes, true) * -0.5 * inv_std.pow(3);
    const Tensor dmean = -(dx_hat * inv_std).sum(axes, true) + dvar * (centred * -2).sum(axes, true) / m;
    const Tensor dx = dx_hat * inv_std + dvar * 2 * centred / m + dmean / m;
    const Tensor dgamma = (dy * centred * inv_std).sum(axes), dbeta = dy.sum(axes);

    const auto result = BatchNormRule::forward({0.1, eps}, x.array(), gamma.array(), Array(), Array(), Array());
    const auto g =
        BatchNormRule::backward({}, dy.array(), x.array(), gamma.array(), std::get<3>(result), std::get<4>(result));
    check_close(g[0], dx.array(), 1e-12, "dx");
    check_close(g[1], dgamma.array(), 1e-12, "dgamma");
    check_close(g[2], dbeta.array(), 1e-12, "dbeta");
  }
}

BOOST_AUTO_TEST_CASE(the_references_agree_with_the_rules) {
  for (const std::vector<std::int64_t>& shape :
       {std::vector<std::int64_t>{7, 3}, {4, 3, 5}, {4, 3, 2, 5}, {2, 3, 2, 4, 5}}) {
    for (const bool training : {true, false}) {
      for (const bool affine : {true, false}) {
        const Tensor x = (randn(shape, kFloat64) * 3 + 2).requires_grad_(), dy = randn(shape, kFloat64);
        const Tensor mean = randn({3}, kFloat64), var = rand({3}, kFloat64) + 0.5;
        const auto leaf = [&] { return affine ? (rand({3}, kFloat64) + 0.5).requires_grad_() : Tensor(); };
        const Tensor gamma = leaf(), beta = leaf();
        std::vector<Tensor> inputs = {x};
        if (affine) inputs.insert(inputs.end(), {gamma, beta});
        const Tensor y = F::batch_norm(x, mean.clone(), var.clone(),
                                       F::BatchNormFuncOptions().weight(gamma).bias(beta).training(training).eps(1e-3));
        const Tensor z = training ? BatchNormRule::reference({0.1, 1e-3}, x, gamma, beta, mean, var)
                                  : BatchNormEvalRule::reference({1e-3}, x, gamma, beta, mean, var);
        const auto by_rule = autograd::grad({y}, inputs, {dy}), by_graph = autograd::grad({z}, inputs, {dy});
        check_close(y, z, 1e-12, "y");
        for (std::size_t i = 0; i < inputs.size(); ++i) check_close(by_rule[i], by_graph[i], 1e-12, "a gradient");
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(float32_far_from_zero) {
  for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{64, 5}, {8, 5, 6, 7}}) {
    // |mean| is 10^4 times the deviation; the same inputs, exactly, in both dtypes.
    const Tensor spread = by_channel(tensor({0.01, 0.7, 1., 3., 1000.}), randn(shape));
    const Tensor x = ((randn(shape) + 1e4) * spread).requires_grad_(), dy = randn(shape);
    const Tensor wide = x.detach().to(kFloat64).requires_grad_();
    nn::BatchNorm1d narrow_1d(5), wide_1d(5);
    nn::BatchNorm2d narrow_2d(5), wide_2d(5);
    const bool flat = shape.size() == 2;
    wide_1d->to(kFloat64);
    wide_2d->to(kFloat64);
    const Tensor y = flat ? narrow_1d(x) : narrow_2d(x), z = flat ? wide_1d(wide) : wide_2d(wide);
    y.backward(dy);
    z.backward(dy.to(kFloat64));
    check_close(y.to(kFloat64), z, 1e-3, "y");
    for (std::int64_t c = 0; c < 5; ++c) {  // channel by channel: their gradients differ by orders of magnitude
      check_close(x.grad().select(1, c).to(kFloat64), wide.grad().select(1, c), 1e-3, "dx");
    }
    const auto& small = flat ? narrow_1d->weight : narrow_2d->weight;
    const auto& large = flat ? wide_1d->weight : wide_2d->weight;
    check_close(small.grad().to(kFloat64), large.grad(), 1e-3, "dweight");
    const auto& var = flat ? narrow_1d->running_var : narrow_2d->running_var;
    const auto& wide_var = flat ? wide_1d->running_var : wide_2d->running_var;
    for (std::int64_t c = 0; c < 5; ++c) check_close(var[c].to(kFloat64), wide_var[c], 1e-3, "running_var");
  }
}

BOOST_AUTO_TEST_CASE(both_orders_against_finite_differences) {
  for (const bool training : {true, false}) {
    for (const bool affine : {true, false}) {
      for (const std::vector<std::int64_t>& shape :
           {std::vector<std::int64_t>{5, 3}, {3, 3, 4}, {2, 3, 2, 4}, {2, 3, 2, 1, 4}}) {
        const Tensor mean = randn({3}, kFloat64), var = rand({3}, kFloat64) + 0.5;
        const auto f = [&](const std::vector<Tensor>& in) {
          const Tensor M = mean.clone(), V = var.clone();  // frozen: a call moves its own copies
          auto options = F::BatchNormFuncOptions().training(training).eps(1e-3);
          if (affine) options.weight(in[1]).bias(in[2]);
          return std::vector<Tensor>{F::batch_norm(in[0], M, V, options)};
        };
        std::vector<Tensor> inputs = {randn(shape, kFloat64)};
        if (affine) inputs.insert(inputs.end(), {randn({3}, kFloat64), randn({3}, kFloat64)});
        for (const Tensor& t : inputs) t.requires_grad_();
        BOOST_TEST(gradcheck(f, inputs));
        BOOST_TEST(gradgradcheck(f, inputs));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(second_order_moves_the_statistics_once) {
  nn::BatchNorm1d layer(3);
  layer->to(kFloat64);
  const Tensor x = randn({6, 3}, TensorOptions(kFloat64).requires_grad(true));
  const Tensor y = layer(x);
  const Array mean = layer->running_mean.array().clone();
  const auto first = autograd::grad({(y * y * y).sum()}, {x, layer->weight}, {}, true, true);
  (first[0].square().sum() + first[1].square().sum()).backward();
  BOOST_TEST(layer->num_batches_tracked.item<std::int64_t>() == 1);
  BOOST_TEST(same_bits(layer->running_mean.array(), mean));
  BOOST_TEST(x.grad().defined());
}

BOOST_AUTO_TEST_CASE(state_and_starting_values) {
  nn::BatchNorm2d layer(4);
  BOOST_TEST(layer->state_dict().keys() ==
             (std::vector<std::string>{"weight", "bias", "running_mean", "running_var", "num_batches_tracked"}));
  BOOST_TEST(test::values(layer->weight.array()) == std::vector<double>(4, 1.0));
  BOOST_TEST(test::values(layer->bias.array()) == std::vector<double>(4, 0.0));
  BOOST_TEST(test::values(layer->running_mean.array()) == std::vector<double>(4, 0.0));
  BOOST_TEST(test::values(layer->running_var.array()) == std::vector<double>(4, 1.0));
  BOOST_TEST((layer->num_batches_tracked.dtype() == kInt64));
  BOOST_TEST(layer->num_batches_tracked.dim() == 0);
  BOOST_TEST(!layer->running_mean.requires_grad());
  BOOST_TEST(layer->to_string() == "BatchNorm2d(4, eps=1e-05, momentum=0.1, affine=true, track_running_stats=true)");
  BOOST_TEST(nn::BatchNorm1d(BatchNormOptions(4).momentum(std::nullopt).affine(false))->to_string() ==
             "BatchNorm1d(4, eps=1e-05, momentum=none, affine=false, track_running_stats=true)");

  layer(randn({3, 4, 2, 2}));
  layer->reset_parameters();
  BOOST_TEST(layer->num_batches_tracked.item<std::int64_t>() == 0);
  BOOST_TEST(test::values(layer->running_var.array()) == std::vector<double>(4, 1.0));

  const auto copy = layer->clone();
  layer(randn({3, 4, 2, 2}));
  BOOST_TEST(copy->as<nn::BatchNorm2d>()->num_batches_tracked.item<std::int64_t>() == 0);
}

BOOST_AUTO_TEST_CASE(running_statistics) {
  const Tensor a = randn({5, 2}, kFloat64), b = randn({9, 2}, kFloat64) * 4;
  nn::BatchNorm1d average(BatchNormOptions(2).momentum(std::nullopt)), moving(BatchNormOptions(2).momentum(0.25));
  for (auto& layer : {average, moving}) {
    layer->to(kFloat64);
    layer(a);
    layer(b);
    layer->eval();
    layer(b);  // moves nothing
    BOOST_TEST(layer->num_batches_tracked.item<std::int64_t>() == 2);
  }
  const Tensor mean_a = a.mean({0}), mean_b = b.mean({0}), var_a = a.var({0}, true), var_b = b.var({0}, true);
  check_close(average->running_mean, (mean_a + mean_b) / 2, 1e-14, "average of means");
  check_close(average->running_var, (var_a + var_b) / 2, 1e-14, "average of variances");
  check_close(moving->running_mean, mean_a * 0.25 * 0.75 + mean_b * 0.25, 1e-14, "moving mean");
  check_close(moving->running_var, (var_a * 0.25 + 0.75) * 0.75 + var_b * 0.25, 1e-14, "moving variance");

  nn::BatchNorm1d quiet(2);
  {
    const NoGradGuard no_grad;  // training without recording moves them too
    quiet(randn({5, 2}));
  }
  BOOST_TEST(quiet->num_batches_tracked.item<std::int64_t>() == 1);
}

BOOST_AUTO_TEST_CASE(the_mode_is_the_one_at_forward) {
  const Tensor dy = randn({6, 3}, kFloat64), x = randn({6, 3}, kFloat64);
  const auto gradient = [&](bool training, bool switch_before_backward) {
    nn::BatchNorm1d layer(3);
    layer->to(kFloat64);
    layer->train(training);
    const Tensor in = Tensor(x.array()).requires_grad_();
    const Tensor y = layer(in);
    if (switch_before_backward) {
      layer->train(!training);
      layer(randn({7, 3}, kFloat64));  // moves the running statistics when that is training
    }
    y.backward(dy);
    return in.grad();
  };
  for (const bool training : {true, false}) {
    BOOST_TEST(same_bits(gradient(training, true), gradient(training, false)));
  }
}

BOOST_AUTO_TEST_CASE(evaluation_before_training_and_of_nothing) {
  nn::BatchNorm1d layer(3);
  layer->eval();
  const Tensor x = randn({4, 3});
  check_close(layer(x), x / std::sqrt(1 + 1e-5), 1e-6, "mean 0 and variance 1");
  BOOST_TEST(layer(randn({1, 3})).sizes().vec() == (std::vector<std::int64_t>{1, 3}));

  const Tensor none = zeros({0, 3}).requires_grad_();
  const Tensor y = layer(none);
  BOOST_TEST(y.sizes().vec() == (std::vector<std::int64_t>{0, 3}));
  y.sum().backward();
  BOOST_TEST(none.grad().sizes().vec() == (std::vector<std::int64_t>{0, 3}));
  BOOST_TEST(test::values(layer->weight.grad().array()) == std::vector<double>(3, 0.0));
  BOOST_TEST(layer(zeros({0, 3, 5})).sizes().vec() == (std::vector<std::int64_t>{0, 3, 5}));
  BOOST_TEST(layer(zeros({2, 3, 0})).sizes().vec() == (std::vector<std::int64_t>{2, 3, 0}));
}

BOOST_AUTO_TEST_CASE(layouts_and_threads_change_no_bit) {
  const Tensor x = randn({64, 40, 30}), dy = randn({64, 40, 30}), w = rand({40}), b = randn({40});
  const auto run = [&](const Array& in, const Array& above) {
    const auto [y, new_mean, new_var, mean, inv_std] =
        BatchNormRule::forward({}, in, w.array(), b.array(), core::zeros({40}), core::ones({40}));
    const auto g = BatchNormRule::backward({}, above, in, w.array(), mean, inv_std);
    return std::vector<Array>{y, new_mean, new_var, mean, inv_std, g[0], g[1], g[2]};
  };
  const std::vector<Array> first = run(x.array(), dy.array());
  const auto check = [&](const std::vector<Array>& now) {
    for (std::size_t i = 0; i < now.size(); ++i) BOOST_REQUIRE_MESSAGE(same_bits(now[i], first[i]), "result " << i);
  };
  test::ManyThreads().each([&] { check(run(x.array(), dy.array())); });
  const auto channels_last = [](const Tensor& t) {
    return t.permute({0, 2, 1}).contiguous().permute({0, 2, 1}).array();
  };
  check(run(channels_last(x), dy.array()));
  check(run(x.array(), channels_last(dy)));
  // A gradient expanded along channels, as a mean over them sends it down.
  const Tensor row = randn({64, 1, 30}).expand({64, 40, 30});
  const std::vector<Array> expanded = run(x.array(), row.array()), copied = run(x.array(), row.contiguous().array());
  for (std::size_t i = 0; i < copied.size(); ++i) BOOST_TEST(same_bits(expanded[i], copied[i]));
}

BOOST_AUTO_TEST_CASE(nan_stays_in_its_channel) {
  Tensor x = randn({6, 2});
  x[3][0].fill_(kNan);
  nn::BatchNorm1d layer(2);
  const Tensor y = layer(x);
  for (std::int64_t i = 0; i < 6; ++i) {
    BOOST_TEST(std::isnan(y[i][0].item<double>()));
    BOOST_TEST(std::isfinite(y[i][1].item<double>()));
  }
  // A channel without spread: x_hat is 0, and y is beta.
  const Tensor flat = nn::BatchNorm1d(1)(full({5, 1}, 7.0));
  BOOST_TEST(test::values(flat.array()) == std::vector<double>(5, 0.0));
}

// Nothing is normalised, and no statistic moves; gradients are those of empty sums, to the second order.
BOOST_AUTO_TEST_CASE(an_empty_batch_passes) {
  for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{0, 3}, {2, 3, 0}, {2, 0, 4}}) {
    nn::BatchNorm1d layer(shape[1]);
    const Tensor x = randn(shape).requires_grad_(), y = layer(x);
    BOOST_TEST(y.sizes().vec() == shape);
    const auto channels = static_cast<std::size_t>(shape[1]);
    BOOST_TEST(test::values(layer->running_mean.array()) == std::vector<double>(channels, 0.0));
    BOOST_TEST(test::values(layer->running_var.array()) == std::vector<double>(channels, 1.0));
    const std::vector<Tensor> of = {x, layer->weight, layer->bias};
    for (const bool recorded : {false, true}) {
      const auto expect_empty_sums = [&](const std::vector<Tensor>& gradients) {
        BOOST_TEST(gradients[0].sizes().vec() == shape);
        for (const std::size_t k : {1, 2}) {
          BOOST_TEST(test::values(gradients[k].array()) == std::vector<double>(channels, 0.0));
        }
      };
      const std::vector<Tensor> first = autograd::grad({y}, of, {ones_like(y)}, true, recorded);
      expect_empty_sums(first);
      if (!recorded) continue;
      Tensor sum = (layer->weight + layer->bias).sum() * 0;  // so that there is a gradient of each
      for (const Tensor& gradient : first) sum = sum + square(gradient).sum();
      expect_empty_sums(autograd::grad({sum}, of, {}, true));
    }
  }
}

BOOST_AUTO_TEST_CASE(wrong_use_is_said_and_harms_nothing) {
  nn::BatchNorm1d layer(3);
  check_error<ValueError>(
      [&] {
        layer(randn({1, 3}));
      },
      {"batch_norm: training needs at least two values in each channel: [1, 3] has one", "eval()"});
  BOOST_TEST(layer->num_batches_tracked.item<std::int64_t>() == 0);
  BOOST_TEST(test::values(layer->running_mean.array()) == std::vector<double>(3, 0.0));
  check_step(layer);
  BOOST_TEST(layer(randn({1, 3, 2})).numel() == 6);  // two positions are two values
  check_error<ShapeError>(
      [&] {
        layer(randn({4, 2}));
      },
      {"BatchNorm1d: input must be [N, C] or [N, C, L] with C = 3: [4, 2]"});
  check_step(layer);
  const Tensor mean = zeros({3}), var = ones({1}).expand({3});
  check_error<ValueError>(
      [&] {
        F::batch_norm(randn({4, 3}), mean, var, F::BatchNormFuncOptions().training(true));
      },
      {"batch_norm", "running statistics", "clone()"});
  BOOST_TEST(test::values(mean.array()) == std::vector<double>(3, 0.0));
  check_error<ValueError>(
      [&] {
        F::batch_norm(randn({4, 3}), {}, {}, F::BatchNormFuncOptions().training(true).eps(-1));
      },
      {"batch_norm: eps must not be negative: -1"});
  check_error<ShapeError>([&] { layer(randn({4, 3, 2, 2})); }, {"BatchNorm1d: input must be", "[4, 3, 2, 2]"});
  check_error<ShapeError>([&] { layer(randn({3})); }, {"BatchNorm1d: input must be", "[3]"});
  check_error<ShapeError>([&] { layer(randn({})); }, {"BatchNorm1d: input must be", "[]"});
  check_error<ShapeError>([&] { nn::BatchNorm2d(3)(randn({4, 3, 2})); }, {"BatchNorm2d: input must be [N, C, H, W]"});
  check_error<ShapeError>(
      [&] {
        nn::BatchNorm3d(3)(randn({4, 3, 2, 2}));
      },
      {"BatchNorm3d: input must be [N, C, D, H, W]"});
  check_error<DTypeError>(
      [&] {
        layer(randn({4, 3}, kFloat64));
      },
      {"batch_norm: weight must have input's dtype: float32 for float64", "to()"});
  check_step(layer);
  check_error<DTypeError>([&] { layer(ones({4, 3}, kInt64)); }, {"batch_norm: input must be floating: int64"});
  check_step(layer);
  check_error<ValueError>([] { nn::BatchNorm1d(-2); }, {"BatchNorm1d: num_features", "-2"});
  check_error<ValueError>([] { F::batch_norm(randn({4, 3}), {}, {}); }, {"evaluation needs running statistics"});
  check_error<ValueError>([] { F::batch_norm(randn({4, 3}), zeros({3}), {}); }, {"running_mean and running_var"});
  check_error<ShapeError>(
      [] {
        F::batch_norm(randn({4, 3}), zeros({2}), ones({2}));
      },
      {"batch_norm: running_mean must be [C]: [2] for [3]"});
  check_error<ShapeError>([] { F::batch_norm(randn({4}), zeros({4}), ones({4})); },
                          {"batch_norm: input must be [N, C"});
}

BOOST_AUTO_TEST_SUITE_END()
