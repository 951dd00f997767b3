// LayerNorm against PyTorch, three ways, and where the numbers are hard.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>

#include <gradus/autograd/tensor/create.h>
#include <gradus/autograd/graph/engine.h>
#include <gradus/core/nn/layer_norm.h>
#include <gradus/layers/module/check.h>
#include <gradus/layers/functional.h>

#include "../support/pytorch.h"
#include "../support/threads.h"
#include "../support/three_ways.h"

using namespace gradus;
using core::Array;
using nn::LayerNormRule;
using test::check_close;
using test::check_error;
using test::passes;
using test::PyTorchFile;
using test::same_bits;
namespace F = nn::functional;

namespace {

Tensor draw(IntArrayRef shape) { return randn(shape, kFloat64) * 2 + 1; }

}  // namespace

BOOST_AUTO_TEST_SUITE(layer_norm)

BOOST_AUTO_TEST_CASE(agrees_with_pytorch) {
  const PyTorchFile file("rows");
  const std::vector<std::string> cases = file.cases("layer_norm_");
  BOOST_TEST(cases.size() == 16u);
  for (const std::string& c : cases) {
    const Tensor x = file[c + "/x"].requires_grad_();
    Tensor weight = file.get(c + "/weight"), bias = file.get(c + "/bias");
    const bool affine = weight.defined();
    std::vector<std::int64_t> rows = {37};
    if (c.find("_2d") != std::string::npos) rows = {4, 5};
    if (c.find("_all") != std::string::npos) rows = {6};
    if (c.find("_one") != std::string::npos) rows = {3, 1};
    if (affine) {
      weight.requires_grad_();
      bias.requires_grad_();
    }
    const Tensor y = F::layer_norm(x, F::LayerNormFuncOptions(rows).weight(weight).bias(bias).eps(1e-3));
    y.backward(file[c + "/dy"]);
    file.check(y, c + "/y");
    file.check(x.grad(), c + "/dx");
    if (affine) file.check(weight.grad(), c + "/dweight");
    if (affine) file.check(bias.grad(), c + "/dbias");
  }
}

BOOST_AUTO_TEST_CASE(three_ways) {
  manual_seed(1);
  const LayerNormRule::Attrs last{{7}, 1e-5}, two{{3, 5}, 1e-2};
  for (const std::vector<std::int64_t>& shape : std::vector<std::vector<std::int64_t>>{{7}, {5, 7}, {2, 3, 7}}) {
    passes(nn::check<LayerNormRule>(last, draw(shape), draw({7}), draw({7})), {"x", "weight", "bias"});
    passes(nn::check<LayerNormRule>(last, draw(shape), Tensor(), Tensor()), {"x"});
    passes(nn::check<LayerNormRule>(last, draw(shape), draw({7}), Tensor()), {"x", "weight"});
    passes(nn::check<LayerNormRule>(last, draw(shape), Tensor(), draw({7})), {"x", "bias"});
  }
  passes(nn::check<LayerNormRule>(two, draw({4, 3, 5}), draw({3, 5}), draw({3, 5})), {"x", "weight", "bias"});
  // Transposed, sliced and expanded operands.
  passes(nn::check<LayerNormRule>(two, draw({5, 3, 4}).permute({2, 1, 0}), draw({5, 3}).t(),
                                  draw({3, 10}).slice(1, 0, 10, 2)),
         {"x", "weight", "bias"});
  nn::LayerNorm layer(std::vector<std::int64_t>{7});
  {
    const NoGradGuard no_grad;
    layer->weight.copy_(randn({7}) * 0.5 + 1);
    layer->bias.copy_(randn({7}));
  }
  passes(nn::check(layer, randn({3, 7})), {"input", "weight", "bias"});
}

BOOST_AUTO_TEST_CASE(only_what_is_wanted) {
  manual_seed(2);
  const Tensor x = draw({5, 9}), w = draw({9}), b = draw({9}), dy = draw({5, 9});
  const LayerNormRule::Attrs attrs{{9}, 1e-5};
  const auto [y, mean, inv_std] = LayerNormRule::forward(attrs, x.array(), w.array(), b.array());
  const auto all = LayerNormRule::backward(attrs, {}, dy.array(), x.array(), w.array(), mean, inv_std);
  for (std::uint32_t mask = 1; mask < 8; ++mask) {
    const auto some =
        LayerNormRule::backward(attrs, autograd::Needs(mask), dy.array(), x.array(), w.array(), mean, inv_std);
    for (std::size_t i = 0; i < 3; ++i) {
      BOOST_TEST(some[i].defined() == ((mask >> i & 1u) != 0));
      if (some[i].defined()) BOOST_TEST(same_bits(some[i], all[i]));
    }
  }
}

BOOST_AUTO_TEST_CASE(float32_far_from_zero_and_every_length) {
  manual_seed(3);
  for (std::int64_t n = 1; n <= 300; n = n < 40 ? n + 1 : n + 37) {
    for (const double level : {0.0, 1e4}) {
      const Tensor x = (randn({4, n}) + level).requires_grad_(), dy = randn({4, n});
      const Tensor wide = x.detach().to(kFloat64).requires_grad_();
      nn::LayerNorm narrow(std::vector<std::int64_t>{n}), exact(std::vector<std::int64_t>{n});
      exact->to(kFloat64);
      const Tensor y = narrow(x), z = exact(wide);
      y.backward(dy);
      z.backward(dy.to(kFloat64));
      // Few numbers whose spread is that of float32's rounding say little.
      const double bound = n < 3 ? 1e-2 : 1e-4;
      check_close(y.to(kFloat64), z, bound, "y");
      check_close(narrow->weight.grad().to(kFloat64), exact->weight.grad(), bound, "dweight");
      check_close(narrow->bias.grad().to(kFloat64), exact->bias.grad(), 1e-6, "dbias");
      if (n > 4) check_close(x.grad().to(kFloat64), wide.grad(), 1e-3, "dx");
    }
  }
}

BOOST_AUTO_TEST_CASE(rows_without_spread_nan_and_nothing) {
  nn::LayerNorm layer(std::vector<std::int64_t>{5});
  BOOST_TEST(test::values(layer(full({2, 5}, 7.0)).array()) == std::vector<double>(10, 0.0));
  Tensor x = randn({3, 5});
  x[1][2].fill_(std::numeric_limits<double>::quiet_NaN());
  const Tensor y = layer(x);
  for (std::int64_t i = 0; i < 5; ++i) {
    BOOST_TEST(std::isfinite(y[0][i].item<double>()));
    BOOST_TEST(std::isnan(y[1][i].item<double>()));
    BOOST_TEST(std::isfinite(y[2][i].item<double>()));
  }
  const Tensor none = zeros({0, 5}).requires_grad_();
  layer(none).sum().backward();
  BOOST_TEST(none.grad().sizes().vec() == (std::vector<std::int64_t>{0, 5}));
  BOOST_TEST(test::values(layer->weight.grad().array()) == std::vector<double>(5, 0.0));
  nn::LayerNorm empty(std::vector<std::int64_t>{0});
  BOOST_TEST(empty(zeros({3, 0})).sizes().vec() == (std::vector<std::int64_t>{3, 0}));
}

// Their squares are no numbers of the dtype.
BOOST_AUTO_TEST_CASE(rows_of_huge_numbers) {
  for (const auto& [dtype, scale] : {std::pair(kFloat32, 1e20), std::pair(kFloat64, 1e200)}) {
    manual_seed(4);
    const Tensor small = (randn({3, 37}, kFloat64) * 2 + 1).to(dtype);
    const Tensor x = (small.to(kFloat64) * scale).to(dtype).requires_grad_(), like = small.clone().requires_grad_();
    const auto options = F::LayerNormFuncOptions({37}).eps(0);
    const Tensor y = F::layer_norm(x, options), expected = F::layer_norm(like, options), dy = randn({3, 37}, dtype);
    BOOST_TEST(allclose(y, expected, 1e-5, 1e-6));
    y.backward(dy);
    expected.backward(dy);
    BOOST_TEST(allclose(x.grad() * scale, like.grad(), 1e-4, 1e-6));
    const Tensor graphs = autograd::grad({F::layer_norm(x, options)}, {x}, {dy}, true, true)[0];  // the reference's
    BOOST_TEST(allclose(graphs.detach() * scale, like.grad(), 1e-4, 1e-6));
  }
  const Tensor infinite = tensor({1.0, 2.0, std::numeric_limits<double>::infinity()});
  BOOST_TEST(F::layer_norm(infinite, F::LayerNormFuncOptions({3})).isnan().all().item<bool>());
}

// The cube of what is divided by is no number of the dtype: the composed gradients must not notice.
BOOST_AUTO_TEST_CASE(gradients_of_large_rows) {
  manual_seed(6);
  for (const double scale : {1e7, 1e13, 1e16, 1e18}) {
    const Tensor x = (randn({3, 9}) * scale).requires_grad_(), dy = randn({3, 9});
    const auto gradient = [&](bool composed) {
      return autograd::grad({F::layer_norm(x, F::LayerNormFuncOptions({9}))}, {x}, {dy}, true, composed)[0];
    };
    BOOST_TEST(allclose(gradient(true).detach() * scale, gradient(false) * scale, 1e-4, 1e-5));
    const Tensor second = autograd::grad({(gradient(true) * scale * dy).sum()}, {x})[0];
    BOOST_TEST(second.isfinite().all().item<bool>());
  }
}

BOOST_AUTO_TEST_CASE(rows_of_one_number) {
  for (std::int64_t n = 1; n < 40; ++n) {
    const Tensor huge = (ones({1, n}) * 3e38).requires_grad_();
    const Tensor y = F::layer_norm(huge, F::LayerNormFuncOptions({n}));
    y.backward(ones({1, n}));
    BOOST_TEST(y.detach().abs().max().item<float>() == 0);
    BOOST_TEST(huge.grad().isfinite().all().item<bool>());
    for (const double value : {1e13 + 0.37, 1.23e14 + 2.22, 1.7e18}) {
      const Tensor x = ones({1, n}, kFloat64) * value;
      BOOST_TEST(F::layer_norm(x, F::LayerNormFuncOptions({n})).abs().max().item<double>() < 0.01);
    }
  }
}

BOOST_AUTO_TEST_CASE(layouts_and_threads_change_no_bit) {
  manual_seed(4);
  for (const std::vector<std::int64_t>& shape :
       std::vector<std::vector<std::int64_t>>{{700, 300}, {40000, 7}, {5, 60000}}) {
    const std::int64_t n = shape[1];
    const Tensor x = randn(shape), dy = randn(shape), w = randn({n}), b = randn({n});
    const LayerNormRule::Attrs attrs{{n}, 1e-5};
    const auto run = [&](const Array& in, const Array& above) {
      const auto [y, mean, inv_std] = LayerNormRule::forward(attrs, in, w.array(), b.array());
      const auto g = LayerNormRule::backward(attrs, {}, above, in, w.array(), mean, inv_std);
      return std::vector<Array>{y, mean, inv_std, g[0], g[1], g[2]};
    };
    const std::vector<Array> first = run(x.array(), dy.array());
    const auto check = [&](const std::vector<Array>& now) {
      for (std::size_t i = 0; i < now.size(); ++i) BOOST_REQUIRE_MESSAGE(same_bits(now[i], first[i]), "result " << i);
    };
    if (n == 300) {
      test::ManyThreads().each([&] { check(run(x.array(), dy.array())); });
    } else {
      check(run(x.array(), dy.array()));
    }
    check(run(x.t().contiguous().t().array(), dy.t().contiguous().t().array()));
    check_close(Tensor(first[5]).to(kFloat64), dy.to(kFloat64).sum(0), 1e-6, "dbias");
  }
}

// One wide row: nothing of its size but the three gradients.
BOOST_AUTO_TEST_CASE(backward_takes_no_memory_beside_its_results) {
  const std::int64_t n = std::int64_t{1} << 20, bytes = n * 4;
  const core::Array x = randn({1, n}).array(), dy = randn({1, n}).array(), gamma = ones({n}).array();
  const auto [y, mean, inv_std] = core::layer_norm_forward(x, 1, 1e-5, gamma, {});
  empty_cache();
  reset_peak_memory_stats();
  const std::int64_t before = memory_stats().peak_bytes;
  const auto gradients = core::layer_norm_backward(dy, x, 1, gamma, mean, inv_std, {true, true, true});
  BOOST_TEST(memory_stats().peak_bytes - before <= 3 * bytes + (std::int64_t{4} << 20));
  BOOST_TEST(gradus::equal(Tensor(gradients[2]), Tensor(dy.view({n}))));  // of one row: itself
}

BOOST_AUTO_TEST_CASE(state_and_options) {
  nn::LayerNorm layer(nn::LayerNormOptions({3, 4}).eps(1e-3));
  BOOST_TEST(layer->state_dict().keys() == (std::vector<std::string>{"weight", "bias"}));
  BOOST_TEST(test::values(layer->weight.array()) == std::vector<double>(12, 1.0));
  BOOST_TEST(test::values(layer->bias.array()) == std::vector<double>(12, 0.0));
  BOOST_TEST(layer->to_string() == "LayerNorm([3, 4], eps=0.001, elementwise_affine=true)");
  const Tensor x = randn({2, 3, 4});
  BOOST_TEST(same_bits(layer(x), gradus::layer_norm(x, {3, 4}, layer->weight, layer->bias, 1e-3)));
  nn::LayerNorm plain(nn::LayerNormOptions({4}).elementwise_affine(false));
  BOOST_TEST(plain->parameters().empty());
  BOOST_TEST(same_bits(plain(x), gradus::layer_norm(x, 4)));
}

BOOST_AUTO_TEST_CASE(wrong_use_is_said) {
  nn::LayerNorm layer(std::vector<std::int64_t>{4});
  check_error<ShapeError>(
      [&] {
        layer(randn({4, 3}));
      },
      {"layer_norm: input must end in normalized_shape: [4, 3] for [4]"});
  check_error<ShapeError>([&] { layer(randn({})); }, {"layer_norm: input must end in normalized_shape: [] for [4]"});
  check_error<DTypeError>([&] { layer(randn({4}, kFloat64)); }, {"layer_norm: weight must have input's dtype", "to()"});
  check_error<DTypeError>([&] { gradus::layer_norm(ones({4}, kInt64), 4); },
                          {"layer_norm: input must be floating: int64"});
  check_error<ShapeError>([&] { gradus::layer_norm(randn({4}), 4, ones({3})); },
                          {"layer_norm: weight must be normalized_shape: [3] for [4]"});
  check_error<ShapeError>([&] { gradus::layer_norm(randn({4}), IntArrayRef()); },
                          {"normalized_shape must have at least one size"});
  check_error<ShapeError>([] { nn::LayerNorm(std::vector<std::int64_t>{}); }, {"LayerNorm: normalized_shape"});
  check_error<ShapeError>([] { nn::LayerNorm(std::vector<std::int64_t>{-1}); },
                          {"LayerNorm: normalized_shape", "[-1]"});
}

BOOST_AUTO_TEST_SUITE_END()
