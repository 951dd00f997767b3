// Gradients of each sample of a batch, of modules: those of a loop over the samples.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <vector>

#include <gradus/gradus.h>

#include "../support/gradients.h"

namespace gradus::test {
namespace {

template <class Net>
void check_against_loop(Net net, const Tensor& x, const Tensor& t) {
  net->to(kDouble);
  const auto loss = [](const Tensor& y, const Tensor& target) { return nn::functional::cross_entropy(y, target); };
  const autograd::BatchLoops before = autograd::batch_loops();
  const std::vector<Tensor> g = nn::per_sample_gradients(net, loss, x, t);
  BOOST_TEST((autograd::batch_loops().functions == before.functions));
  BOOST_TEST((autograd::batch_loops().operations == before.operations));
  const std::vector<Tensor> parameters = net->parameters();
  BOOST_REQUIRE_EQUAL(g.size(), parameters.size());
  for (std::int64_t n = 0; n < x.size(0); ++n) {
    const Tensor own = loss(net->forward(x[n].unsqueeze(0)), t[n].unsqueeze(0));
    const std::vector<Tensor> expected = autograd::grad({own}, parameters);
    for (std::size_t i = 0; i < g.size(); ++i) {
      BOOST_TEST(g[i].size(0) == x.size(0));
      BOOST_TEST(error(g[i][n], expected[i]) < 1e-10, "parameter " << i << " of sample " << n);
      BOOST_TEST(!parameters[i].grad().defined());
    }
  }
}

BOOST_AUTO_TEST_SUITE(per_sample)

BOOST_AUTO_TEST_CASE(multilayer_perceptron) {
  manual_seed(0);
  check_against_loop(nn::Sequential(nn::Linear(5, 8), nn::Tanh(), nn::LayerNorm(nn::LayerNormOptions({8})),
                                    nn::Linear(8, 4), nn::ReLU(), nn::Linear(nn::LinearOptions(4, 3).bias(false))),
                     randn({7, 5}, kDouble), randint(0, 3, {7}));
}

BOOST_AUTO_TEST_CASE(convolutional_net) {
  manual_seed(0);
  check_against_loop(
      nn::Sequential(nn::Conv2d(nn::Conv2dOptions(2, 4, 3).padding(1)), nn::ReLU(),
                     nn::MaxPool2d(nn::MaxPool2dOptions(2)), nn::Conv2d(nn::Conv2dOptions(4, 4, 3).groups(2)),
                     nn::GELU(), nn::AvgPool2d(nn::AvgPool2dOptions(2)), nn::Flatten(), nn::Linear(4, 3)),
      randn({5, 2, 8, 8}, kDouble), randint(0, 3, {5}));
}

BOOST_AUTO_TEST_CASE(embedding_and_attention) {
  manual_seed(0);
  nn::Embedding table(nn::EmbeddingOptions(9, 4).padding_idx(0));
  const Tensor tokens = randint(0, 9, {5, 6}), targets = randn({5, 4}, kDouble);
  table->to(kDouble);
  const auto loss = [&](const Tensor& y, const Tensor& t) {
    return (scaled_dot_product_attention(y, y, y).mean(1) - t).square().sum();
  };
  const Tensor g = nn::per_sample_gradients(table, loss, tokens, targets)[0];
  for (int n = 0; n < 5; ++n) {
    const Tensor own = loss(table(tokens[n].unsqueeze(0)), targets[n].unsqueeze(0));
    BOOST_TEST(error(g[n], autograd::grad({own}, {table->weight})[0]) < 1e-10);
  }
}

BOOST_AUTO_TEST_CASE(samples_that_depend_on_each_other) {
  nn::Sequential net(nn::Linear(3, 4), nn::BatchNorm1d(4), nn::Linear(4, 2));
  const Tensor x = randn({5, 3}), t = randint(0, 2, {5});
  const auto loss = [](const Tensor& y, const Tensor& target) { return nn::functional::cross_entropy(y, target); };
  check_error<ModuleError>([&] { nn::per_sample_gradients(net, loss, x, t); },
                           {"per_sample_gradients", "independent", "batch_norm", "eval()", "1 (BatchNorm1d)"});
  net->eval();
  check_against_loop(net, x.to(kDouble), t);
  net->train();
  net->forward(x.to(kDouble));  // alone it may
}

// What runs counts, not what a module is called.
struct BatchNormFreeImpl : nn::Module {
  nn::Linear linear = register_module("linear", nn::Linear(3, 2));
  Tensor forward(const Tensor& x) { return linear(x); }
};
struct BatchNormFree : nn::ModuleHolder<BatchNormFreeImpl> {
  using ModuleHolder::ModuleHolder;
};
struct HiddenImpl : nn::Module {
  nn::Linear linear = register_module("linear", nn::Linear(3, 2));
  bool training = true;
  Tensor forward(const Tensor& x) {
    const auto how = nn::functional::BatchNormFuncOptions().training(training);
    return nn::functional::batch_norm(linear(x), zeros(2, x.dtype()), ones(2, x.dtype()), how);
  }
};
struct Hidden : nn::ModuleHolder<HiddenImpl> {
  using ModuleHolder::ModuleHolder;
};
BOOST_AUTO_TEST_CASE(what_runs_mixes_samples) {
  const Tensor x = randn({5, 3}, kDouble), t = randint(0, 2, {5});
  const auto loss = [](const Tensor& y, const Tensor& target) { return nn::functional::cross_entropy(y, target); };
  BatchNormFree plain;
  check_against_loop(plain, x, t);
  Hidden hidden;
  hidden->to(kDouble);
  check_error<ModuleError>([&] { nn::per_sample_gradients(hidden, loss, x, t); }, {"independent", "batch_norm"});
  hidden->training = false;
  check_against_loop(hidden, x, t);
  nn::BatchNorm1d untracked(nn::BatchNormOptions(3).track_running_stats(false));  // its batch's, in evaluation too
  untracked->eval();
  check_error<ModuleError>([&] { nn::per_sample_gradients(untracked, loss, x, t); }, {"independent", "batch_norm"});
  // Each sample by its own: nothing is mixed.
  const auto normed = [&](const Tensor& y, const Tensor& target) {
    return loss(instance_norm(y.unsqueeze(1), Tensor(), Tensor(), Tensor(), Tensor(), true, 0.1, 1e-5).squeeze(1),
                target);
  };
  BOOST_TEST(nn::per_sample_gradients(plain, normed, x, t)[0].size(0) == 5);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace gradus::test
