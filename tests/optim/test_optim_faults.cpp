// Optimizers and schedules whose work is cut short, or goes on elsewhere: what they hold is what was there before.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>

#include <gradus/gradus.h>

#include "../support/arrays.h"

using namespace gradus;
using namespace gradus::optim;

BOOST_AUTO_TEST_SUITE(optim_faults)

BOOST_AUTO_TEST_CASE(what_lbfgs_closure_throws_changes_nothing) {
  for (const bool search : {false, true}) {
    const Tensor w = tensor({-0.7, 1.3}, kFloat64).requires_grad_();
    LBFGS lbfgs({w}, LBFGSOptions(0.1).max_iter(4).line_search_fn(search ? std::optional<std::string>("strong_wolfe")
                                                                         : std::nullopt));
    int calls = 0, last = 100;
    const auto closure = [&] {
      if (calls++ == last) throw std::runtime_error("no more data");
      lbfgs.zero_grad();
      const Tensor loss = (w * w * w * w - w).sum();
      loss.backward();
      return loss;
    };
    lbfgs.step(closure);
    const Tensor before = w.detach().clone();
    const auto count = lbfgs.state(w)->func_evals();
    for (last = 0; last < 4; ++last) {  // at the start, at the first trial point, further on
      calls = 0;
      BOOST_CHECK_THROW(lbfgs.step(closure), std::runtime_error);
      BOOST_TEST(equal(w.detach(), before), last << " calls, search " << search);
      BOOST_TEST(lbfgs.state(w)->func_evals() == count);
    }
  }
}

BOOST_AUTO_TEST_CASE(loaded_schedules_of_schedules_know_their_rates) {
  for (const bool chained : {false, true}) {
    const auto make = [&](SGD& o) {
      const Schedulers inner{std::make_shared<ExponentialLR>(o, 0.5), std::make_shared<ConstantLR>(o, 1, 20)};
      std::shared_ptr<LRScheduler> all;
      if (chained) all = std::make_shared<ChainedScheduler>(inner);
      if (!chained) all = std::make_shared<SequentialLR>(o, inner, std::vector<std::int64_t>{10});
      return std::pair(all, inner);
    };
    SGD one({ones({1}, requires_grad())}, SGDOptions(0.8)), two({ones({1}, requires_grad())}, SGDOptions(0.8));
    const auto [all, inner] = make(one);
    for (int i = 0; i < 3; ++i) all->step();
    const auto [again, inner_again] = make(two);
    two.load_state_dict(one.state_dict());
    again->load_state_dict(all->state_dict());
    BOOST_TEST(inner[0]->get_last_lr()[0] == 0.1);
    BOOST_TEST(inner_again[0]->get_last_lr()[0] == 0.1);
    BOOST_TEST(inner_again[0]->last_epoch() == 3);
    BOOST_TEST(again->get_last_lr()[0] == 0.1);
  }
}

BOOST_AUTO_TEST_CASE(settings_are_checked_and_nothing_is_lost) {
  const Tensor p = ones({3}, requires_grad());
  BOOST_CHECK_THROW(optim::SGD({p}, optim::SGDOptions(-1)), ValueError);
  BOOST_CHECK_THROW(optim::SGD({p}, optim::SGDOptions(1).momentum(-0.1)), ValueError);
  BOOST_CHECK_THROW(optim::SGD({p}, optim::SGDOptions(1).nesterov(true)), ValueError);
  BOOST_CHECK_THROW(optim::Adam({p}, optim::AdamOptions(1e-3).betas({0.9, 1.0})), ValueError);
  BOOST_CHECK_THROW(optim::Adam({p}, optim::AdamOptions(std::nan(""))), ValueError);
  const auto refused = [&](const char* text, const auto& options, auto make) {
    test::check_error<ValueError>([&] { make(options); }, {text});
  };
  const auto rmsprop = [&](const optim::RMSpropOptions& o) { optim::RMSprop({p}, o); };
  refused("RMSprop: lr must not be negative: -1", optim::RMSpropOptions(-1), rmsprop);
  refused("RMSprop: alpha must lie in [0, 1]: 1.5", optim::RMSpropOptions().alpha(1.5), rmsprop);
  refused("RMSprop: alpha must lie in [0, 1]: nan", optim::RMSpropOptions().alpha(std::nan("")), rmsprop);
  refused("RMSprop: momentum must not be negative: -0.1", optim::RMSpropOptions().momentum(-0.1), rmsprop);
  refused("RMSprop: eps must not be negative: -1", optim::RMSpropOptions().eps(-1), rmsprop);
  const auto adagrad = [&](const optim::AdagradOptions& o) { optim::Adagrad({p}, o); };
  refused("Adagrad: lr_decay must not be negative: -1", optim::AdagradOptions().lr_decay(-1), adagrad);
  refused("Adagrad: initial_accumulator_value must not be negative: -1",
          optim::AdagradOptions().initial_accumulator_value(-1), adagrad);
  refused("Adagrad: weight_decay must not be negative: nan", optim::AdagradOptions().weight_decay(std::nan("")),
          adagrad);
  BOOST_CHECK_THROW(optim::SGD({p, p}, optim::SGDOptions(1)), ValueError);
  BOOST_CHECK_THROW(optim::SGD({p * 2}, optim::SGDOptions(1)), ValueError);
  BOOST_CHECK_THROW(optim::SGD({Tensor()}, optim::SGDOptions(1)), ValueError);

  optim::SGD sgd({p}, optim::SGDOptions(0.5));
  p.mutable_grad() = ones({2});
  BOOST_CHECK_THROW(sgd.step(), ShapeError);
  BOOST_TEST(p.sum().item<double>() == 3);  // unchanged
  p.mutable_grad() = ones({3});
  sgd.step();  // the same objects complete a correct step
  BOOST_TEST(p.sum().item<double>() == 1.5);
  sgd.zero_grad(false);
  BOOST_TEST(p.grad().sum().item<double>() == 0);
  sgd.zero_grad();
  BOOST_TEST(!p.grad().defined());
  sgd.step();  // no gradient: left alone
  BOOST_TEST(p.sum().item<double>() == 1.5);
}

BOOST_AUTO_TEST_CASE(groups_and_their_parameters) {
  const Tensor p = ones({3}, requires_grad()), q = ones({2}, requires_grad());
  std::vector<optim::OptimizerParamGroup> groups;
  groups.emplace_back(std::vector<Tensor>{p}, std::make_unique<optim::AdamOptions>(0.1));
  test::check_error<ValueError>([&] { optim::SGD(groups, optim::SGDOptions(0.1)); }, {"SGDOptions for SGD"});
  optim::SGD sgd({p, q}, optim::SGDOptions(0.5).momentum(0.9));
  p.mutable_grad() = ones({3});
  q.mutable_grad() = ones({2});
  sgd.param_groups()[0].set_options(std::make_unique<optim::AdamWOptions>());
  test::check_error<ValueError>([&] { sgd.step(); }, {"SGDOptions for SGD"});
  BOOST_TEST(p.sum().item<double>() == 3);
  sgd.param_groups()[0].set_options(sgd.defaults().clone());
  sgd.step();
  BOOST_TEST(p.sum().item<double>() == 1.5);
  optim::AdamW chained({p}, optim::AdamWOptions(1e-2).weight_decay(0.5).eps(1e-6).betas({0.8, 0.9}).amsgrad(true));
  BOOST_TEST(static_cast<optim::AdamWOptions&>(chained.defaults()).weight_decay() == 0.5);
}

BOOST_AUTO_TEST_CASE(clipping_refuses) {
  const Tensor p = zeros({2}, requires_grad());
  p.mutable_grad() = tensor({1.0, std::numeric_limits<double>::infinity()});
  BOOST_CHECK_THROW(nn::utils::clip_grad_norm_({p}, 1, 2, true), GradError);
  BOOST_TEST(p.grad()[0].item<double>() == 1);  // untouched
  BOOST_CHECK_THROW(nn::utils::clip_grad_norm_({p}, -1), ValueError);
  BOOST_CHECK_THROW(nn::utils::clip_grad_norm_({p}, 1, 0), ValueError);
  BOOST_TEST(nn::utils::clip_grad_norm_({zeros({2}, requires_grad())}, 1) == 0);
}

// Each step sees what the one before has left in the memory that they share.
BOOST_AUTO_TEST_CASE(parameters_that_share_memory) {
  const Tensor w = zeros({2, 3}).requires_grad_(), turned = w.detach().t().requires_grad_();
  w.mutable_grad() = ones({2, 3});
  turned.mutable_grad() = ones({3, 2}) * 2;
  optim::SGD sgd({w, turned}, optim::SGDOptions(1));
  sgd.step();
  BOOST_TEST(equal(w.detach(), ones({2, 3}) * -3));

  const Tensor first = zeros({1}).requires_grad_(), expanded = zeros({1}).expand({3}).detach().requires_grad_();
  first.mutable_grad() = ones({1});
  expanded.mutable_grad() = ones({3});
  optim::SGD both({first, expanded}, optim::SGDOptions(1));
  test::check_error<ValueError>([&] { both.step(); }, {"must have its own memory: strides [0] for [3]; clone()"});
  BOOST_TEST(first.item<float>() == 0);
}

BOOST_AUTO_TEST_SUITE_END()
