// Optimizers and schedules whose work is cut short, or goes on elsewhere: what they hold is what was there before.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <memory>
#include <optional>
#include <stdexcept>

#include <gradus/gradus.h>

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

BOOST_AUTO_TEST_SUITE_END()
