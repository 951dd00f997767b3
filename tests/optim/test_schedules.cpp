// Schedules against PyTorch's rates, their closed forms against their chainable ones, going on from a file, and bad input.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <functional>
#include <limits>
#include <memory>

#include <gradus/gradus.h>

#include "../support/folder.h"
#include "../support/pytorch.h"

using namespace gradus;
using namespace gradus::optim;
using test::PyTorchFile;

namespace {

const PyTorchFile& file() {
  static const PyTorchFile reference("optim");
  return reference;
}

using Schedules = std::vector<std::unique_ptr<LRScheduler>>;

struct Row {
  std::string name;
  std::function<Schedules(Optimizer&)> make;
  std::string optimizer = "SGD";
};

template <class S, class... Args>
Schedules one(Args&&... args) {
  Schedules all;
  all.push_back(std::make_unique<S>(std::forward<Args>(args)...));
  return all;
}
Schedules operator+(Schedules first, Schedules second) {
  first.push_back(std::move(second[0]));
  return first;
}

OneCycleLROptions cycle() { return OneCycleLROptions(0.5, 35); }
Row one_cycle(const std::string& name, const OneCycleLROptions& o, const std::string& optimizer = "SGD") {
  return {"schedule_one_cycle" + name, [o](Optimizer& optimizer_) { return one<OneCycleLR>(optimizer_, o); },
          optimizer};
}

// One row a case of the file.
// clang-format off
const std::vector<Row>& rows() {
  using O = Optimizer;
  using Cycle = OneCycleLROptions;
  static const std::vector<Row> all = {
      {"step_lr", [](O& o) { return one<StepLR>(o, 3U, 0.5); }},
      {"step_lr_4", [](O& o) { return one<StepLR>(o, 4U); }},
      {"exponential_lr", [](O& o) { return one<ExponentialLR>(o, 0.9); }},
      {"schedule_multi_step", [](O& o) { return one<MultiStepLR>(o, std::vector<std::int64_t>{2, 20, 5, 5}, 0.5); }},
      {"schedule_multi_step_at_0", [](O& o) { return one<MultiStepLR>(o, std::vector<std::int64_t>{0, 3}); }},
      {"schedule_linear", [](O& o) { return one<LinearLR>(o); }},
      {"schedule_linear_down", [](O& o) { return one<LinearLR>(o, 1.0, 0.0, 12); }},
      {"schedule_linear_1", [](O& o) { return one<LinearLR>(o, 0.25, 0.75, 1); }},
      {"schedule_cosine", [](O& o) { return one<CosineAnnealingLR>(o, 10); }},
      {"schedule_cosine_eta_min", [](O& o) { return one<CosineAnnealingLR>(o, 7, 0.05); }},
      {"schedule_cosine_1", [](O& o) { return one<CosineAnnealingLR>(o, 1, 0.01); }},
      {"schedule_linear+cosine", [](O& o) { auto a = one<LinearLR>(o, 0.1, 1.0, 6); return std::move(a) + one<CosineAnnealingLR>(o, 30); }},
      {"schedule_multi_step+exponential", [](O& o) {
         auto a = one<MultiStepLR>(o, std::vector<std::int64_t>{4, 9}); return std::move(a) + one<ExponentialLR>(o, 0.95); }},
      one_cycle("", cycle()),
      one_cycle("_linear", cycle().anneal_strategy(Cycle::linear)),
      one_cycle("_three", cycle().three_phase(true)),
      one_cycle("_linear_three", cycle().anneal_strategy(Cycle::linear).three_phase(true).pct_start(0.4)),
      one_cycle("_lists", Cycle({0.5, 0.2}, 35).base_momentum({0.8, 0.7}).max_momentum({0.9, 0.99})),
      one_cycle("_factors", cycle().div_factor(10).final_div_factor(100).pct_start(0.55)),
      one_cycle("_from_top", cycle().pct_start(0)),
      one_cycle("_epochs", Cycle(0.5).epochs(5).steps_per_epoch(7)),
      one_cycle("_adam", cycle(), "Adam"),
      one_cycle("_adagrad", cycle().cycle_momentum(false), "Adagrad"),
      one_cycle("_1", Cycle(0.5, 1)),
  };
  return all;
}
// clang-format on

template <class O, class Options>
std::unique_ptr<Optimizer> make_optimizer() {
  const Tensor a = zeros({1}, requires_grad()), b = zeros({1}, requires_grad());
  std::vector<OptimizerParamGroup> groups;
  groups.emplace_back(std::vector<Tensor>{a});
  groups.emplace_back(std::vector<Tensor>{b}, Options(0.03).clone());
  return std::make_unique<O>(std::move(groups), Options(0.1));
}
std::unique_ptr<Optimizer> optimizer_of(const std::string& name = "SGD") {
  if (name == "Adam") return make_optimizer<Adam, AdamOptions>();
  if (name == "Adagrad") return make_optimizer<Adagrad, AdagradOptions>();
  return make_optimizer<SGD, SGDOptions>();
}

double momentum_of(OptimizerOptions& options) {
  if (auto* adam = dynamic_cast<AdamOptions*>(&options)) return std::get<0>(adam->betas());
  return dynamic_cast<SGDOptions&>(options).momentum();
}

bool close(double a, double b) { return std::abs(a - b) <= 1e-12 * std::abs(b) + 1e-15; }

// The rates, and momenta, of an epoch against the file's; after the last step of a cycle those of the last step.
void check_epoch(Optimizer& optimizer, const std::string& name, std::int64_t epoch, const char* how = "") {
  if (name.find("one_cycle") != std::string::npos && epoch + 1 == file()[name + "/lr"].size(0)) --epoch;
  const Tensor lr = file()[name + "/lr"], momentum = file().get(name + "/momentum");
  for (std::int64_t g = 0; g < 2; ++g) {
    OptimizerOptions& options = optimizer.param_groups()[static_cast<std::size_t>(g)].options();
    const double expected = lr[epoch][g].item<double>();
    BOOST_CHECK_MESSAGE(close(options.get_lr(), expected), name << how << ", epoch " << epoch << ", group " << g << ": "
                                                                << options.get_lr() << " for " << expected);
    if (momentum.defined()) BOOST_TEST(close(momentum_of(options), momentum[epoch][g].item<double>()), name);
  }
}

std::vector<double> rates(Optimizer& optimizer) {
  std::vector<double> all;
  for (const OptimizerParamGroup& group : optimizer.param_groups()) all.push_back(group.options().get_lr());
  return all;
}

template <class Make>
void check_refused(Make make, const std::string& text) {
  const std::unique_ptr<Optimizer> optimizer = optimizer_of();
  try {
    make(*optimizer);
    BOOST_ERROR("not refused: " << text);
  } catch (const ValueError& error) {
    BOOST_TEST(std::string(error.what()).find(text) != std::string::npos, error.what() << " lacks " << text);
  }
  const std::vector<double> untouched = {0.1, 0.03};
  BOOST_TEST(rates(*optimizer) == untouched);
  BOOST_TEST(!optimizer->param_groups()[0].initial_lr());
  BOOST_TEST(momentum_of(optimizer->param_groups()[0].options()) == 0);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(schedules)

BOOST_AUTO_TEST_CASE(rates_as_pytorch) {
  std::size_t of_file = file().cases("schedule_").size() + file().cases("step_lr").size() + file().cases("exp").size();
  BOOST_TEST(rows().size() == of_file);
  for (const Row& row : rows()) {
    const std::unique_ptr<Optimizer> optimizer = optimizer_of(row.optimizer);
    const Schedules schedules = row.make(*optimizer);
    const std::int64_t epochs = file()[row.name + "/lr"].size(0);
    for (std::int64_t epoch = 0; epoch < epochs; ++epoch) {
      check_epoch(*optimizer, row.name, epoch);
      BOOST_TEST(schedules.back()->last_epoch() == epoch);
      BOOST_TEST(schedules.back()->get_last_lr() == rates(*optimizer));
      optimizer->step();
      if (epoch + 1 == epochs) break;
      for (const auto& schedule : schedules) schedule->step();
    }
  }
}

// In any order, and whatever somebody has done to the rates.
BOOST_AUTO_TEST_CASE(closed_forms_give_the_same_rates) {
  for (const Row& row : rows()) {
    const std::unique_ptr<Optimizer> optimizer = optimizer_of(row.optimizer);
    const Schedules schedules = row.make(*optimizer);
    if (schedules.size() > 1) continue;
    const std::int64_t epochs = file()[row.name + "/lr"].size(0);
    for (std::int64_t i = 0; i < epochs; ++i) {
      const std::int64_t epoch = (i * 5 + 3) % epochs;
      optimizer->param_groups()[0].options().set_lr(123);
      schedules[0]->step(epoch);
      check_epoch(*optimizer, row.name, epoch, " by the closed form");
      BOOST_TEST(schedules[0]->last_epoch() == epoch);
    }
    BOOST_CHECK_THROW(schedules[0]->step(-1), ValueError);
  }
}

// What others do to a rate lasts.
BOOST_AUTO_TEST_CASE(chainable_forms_take_the_rate_as_it_is) {
  for (const Row& row : rows()) {
    if (row.name.find("one_cycle") != std::string::npos || row.name.find("eta_min") != std::string::npos ||
        row.name == "schedule_cosine_1") {
      continue;
    }
    const std::unique_ptr<Optimizer> optimizer = optimizer_of();
    const Schedules schedules = row.make(*optimizer);
    for (OptimizerParamGroup& group : optimizer->param_groups()) group.options().set_lr(group.options().get_lr() * 2);
    const std::int64_t epochs = std::min<std::int64_t>(file()[row.name + "/lr"].size(0), 10);
    for (std::int64_t epoch = 1; epoch < epochs; ++epoch) {
      for (const auto& schedule : schedules) schedule->step();
      BOOST_TEST(close(rates(*optimizer)[1], 2 * file()[row.name + "/lr"][epoch][1].item<double>()), row.name);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_schedule_goes_on_from_a_file) {
  const test::Folder folder;
  for (const Row& row : rows()) {
    const std::int64_t epochs = file()[row.name + "/lr"].size(0);
    for (const std::int64_t at : {std::int64_t{0}, epochs / 2, epochs - 1}) {
      const std::unique_ptr<Optimizer> whole = optimizer_of(row.optimizer), resumed = optimizer_of(row.optimizer);
      const Schedules before = row.make(*whole), after = row.make(*resumed);
      for (std::int64_t epoch = 0; epoch < at; ++epoch) {
        for (const auto& schedule : before) schedule->step();
      }
      save(*whole, folder / "optimizer");
      load(*resumed, folder / "optimizer");
      for (std::size_t i = 0; i < before.size(); ++i) {
        save(*before[i], folder / "schedule");
        load(*after[i], folder / "schedule");
      }
      BOOST_TEST(after.back()->get_last_lr() == before.back()->get_last_lr());
      for (std::int64_t epoch = at; epoch < epochs; ++epoch) {
        BOOST_TEST(rates(*resumed) == rates(*whole), row.name);
        check_epoch(*resumed, row.name, epoch, " from a file");
        if (epoch + 1 == epochs) break;
        for (const auto& schedule : after) schedule->step();
        for (const auto& schedule : before) schedule->step();
      }
    }
  }
}

// A bound for each group, and one group more: refused at once, not at the first reduction, and nothing is counted.
BOOST_AUTO_TEST_CASE(a_plateau_with_a_group_too_many) {
  const Tensor w = ones({2}, requires_grad()), v = ones({2}, requires_grad());
  SGD optimizer(std::vector<Tensor>{w}, SGDOptions(0.1));
  ReduceLROnPlateau schedule(optimizer, ReduceLROnPlateau::min, 0.1, 0, 1e-4, ReduceLROnPlateau::rel, 0,
                             std::vector<double>{0.05});
  optimizer.add_param_group(OptimizerParamGroup({v}));
  BOOST_CHECK_THROW(schedule.step(1), ValueError);
  BOOST_TEST(schedule.last_epoch() == 0);
}

BOOST_AUTO_TEST_CASE(plateaus_as_pytorch) {
  using R = ReduceLROnPlateau;
  const test::Folder folder;
  struct Case {
    std::string name;
    std::function<R(Optimizer&)> make;
  };
  // clang-format off
  const std::vector<Case> cases = {
      {"plateau", [](Optimizer& o) { return R(o); }},
      {"plateau_patient", [](Optimizer& o) { return R(o, R::min, 0.5, 2); }},
      {"plateau_noisy", [](Optimizer& o) { return R(o, R::min, 0.7, 1, 1e-4, R::rel, 2); }},
      {"plateau_max", [](Optimizer& o) { return R(o, R::max, 0.6, 0, 0.02); }},
      {"plateau_abs", [](Optimizer& o) { return R(o, R::min, 0.7, 1, 0.05, R::abs); }},
      {"plateau_max_abs", [](Optimizer& o) { return R(o, R::max, 0.7, 2, 0.01, R::abs, 1); }},
      {"plateau_least", [](Optimizer& o) { return R(o, R::min, 0.1, 1, 1e-4, R::rel, 0, {0.02, 1e-3}); }},
      {"plateau_eps", [](Optimizer& o) { return R(o, R::min, 0.1, 0, 1e-4, R::rel, 0, 0, 1e-3); }},
      {"plateau_infinite", [](Optimizer& o) { return R(o, R::min, 0.1, 0, 1e-4, R::rel, 0, {}); }},
  };
  // clang-format on
  BOOST_TEST(cases.size() == file().cases("plateau").size());
  for (const Case& c : cases) {
    std::unique_ptr<Optimizer> optimizer = optimizer_of();
    auto schedule = std::make_unique<R>(c.make(*optimizer));
    const Tensor metric = file()[c.name + "/metric"];
    check_epoch(*optimizer, c.name, 0);
    for (std::int64_t epoch = 0; epoch < metric.size(0); ++epoch) {
      schedule->step(metric[epoch].item<double>());
      check_epoch(*optimizer, c.name, epoch + 1);
      BOOST_TEST(schedule->get_last_lr() == rates(*optimizer));
      BOOST_TEST(schedule->last_epoch() == epoch + 1);
      if (epoch % 4 != 1) continue;  // Goes on in others.
      save(*optimizer, folder / "optimizer");
      save(*schedule, folder / "schedule");
      optimizer = optimizer_of();
      schedule = std::make_unique<R>(c.make(*optimizer));
      load(*optimizer, folder / "optimizer");
      load(*schedule, folder / "schedule");
    }
  }
}

BOOST_AUTO_TEST_CASE(the_frontends_name) {
  const std::unique_ptr<Optimizer> optimizer = optimizer_of();
  const std::vector<float> least = {0.0625F, 0.01F};
  ReduceLROnPlateauScheduler schedule(*optimizer, ReduceLROnPlateauScheduler::SchedulerMode::max, 0.5, 0, 1e-4,
                                      ReduceLROnPlateauScheduler::ThresholdMode::rel, 0, least);
  for (int i = 0; i < 5; ++i) schedule.step(1);
  BOOST_TEST(close(rates(*optimizer)[0], 0.0625));
}

BOOST_AUTO_TEST_CASE(bad_input_is_refused) {
  const double nan = std::nan("");
  check_refused([](Optimizer& o) { StepLR(o, 0); }, "StepLR: step_size must be at least 1: 0");
  check_refused([](Optimizer& o) { StepLR(o, 1, -1); }, "StepLR: gamma must not be negative: -1");
  check_refused([&](Optimizer& o) { ExponentialLR(o, nan); }, "ExponentialLR: gamma must not be negative: nan");
  check_refused([](Optimizer& o) { MultiStepLR(o, {3, -2}); }, "MultiStepLR: milestones must not be negative: -2");
  check_refused([](Optimizer& o) { MultiStepLR(o, {3}, -1); }, "MultiStepLR: gamma must not be negative: -1");
  check_refused([](Optimizer& o) { LinearLR(o, 0); },
                "LinearLR: start_factor must lie in (0, 1], end_factor in [0, 1]: 0");
  check_refused([](Optimizer& o) { LinearLR(o, 0.5, 1.5); }, "end_factor in [0, 1]: 0.5, 1.5");
  check_refused([](Optimizer& o) { LinearLR(o, 0.5, 1, 0); }, "LinearLR: total_iters must be at least 1: 0");
  check_refused([](Optimizer& o) { CosineAnnealingLR(o, 0); }, "CosineAnnealingLR: T_max must be at least 1: 0");
  check_refused([&](Optimizer& o) { CosineAnnealingLR(o, 3, nan); },
                "CosineAnnealingLR: eta_min must not be negative: nan");
}

BOOST_AUTO_TEST_CASE(one_cycle_refuses) {
  using Cycle = OneCycleLROptions;
  const double nan = std::nan("");
  const auto refused_cycle = [](const Cycle& options, const std::string& text) {
    check_refused([&](Optimizer& o) { OneCycleLR(o, options); }, "OneCycleLR: " + text);
  };
  refused_cycle(Cycle(0.1), "give total_steps, or epochs and steps_per_epoch: no epochs");
  refused_cycle(Cycle(0.1).epochs(3), "give total_steps, or epochs and steps_per_epoch: no steps_per_epoch");
  refused_cycle(Cycle(0.1, 0), "total_steps must be at least 1: 0");
  refused_cycle(Cycle(0.1).epochs(-3).steps_per_epoch(2), "epochs must be at least 1: -3");
  refused_cycle(Cycle(0.1).epochs(1LL << 40).steps_per_epoch(1LL << 40), "epochs times steps_per_epoch must fit");
  refused_cycle(Cycle(-0.1, 10), "max_lr must not be negative: -0.1");
  refused_cycle(Cycle({0.1, 0.2, 0.3}, 10), "max_lr must be one number, or one for each group: 3 for 2 groups");
  refused_cycle(Cycle(0.1, 10).pct_start(1.1), "pct_start must lie in [0, 1]: 1.1");
  refused_cycle(Cycle(0.1, 10).pct_start(nan), "pct_start must lie in [0, 1]: nan");
  refused_cycle(Cycle(0.1, 10).div_factor(0), "div_factor and final_div_factor must be positive: 0, 10000");
  refused_cycle(Cycle(0.1, 10).max_momentum(1), "momenta must lie in [0, 1): 1");
  refused_cycle(Cycle(0.1, 10).base_momentum({0.1}),
                "base_momentum must be one number, or one for each group: 1 for 2");
  const std::unique_ptr<Optimizer> adagrad = optimizer_of("Adagrad");
  test::check_error<ValueError>([&] { OneCycleLR(*adagrad, 0.1, 10); },
                                {"OneCycleLR: Adagrad has neither momentum nor betas: cycle_momentum(false)"});

  // What is refused midway changes nothing.
  const std::unique_ptr<Optimizer> optimizer = optimizer_of();
  OneCycleLR schedule(*optimizer, 0.5, 3);
  for (int i = 0; i < 3; ++i) schedule.step();
  const std::vector<double> last = rates(*optimizer);
  test::check_error<ValueError>([&] { schedule.step(); }, {"OneCycleLR: total_steps is 3: step number 4"});
  BOOST_TEST(rates(*optimizer) == last);
  BOOST_TEST(schedule.last_epoch() == 3);
  // A phase without steps is at its end.
  OneCycleLR(*optimizer, OneCycleLROptions(0.5, 2).pct_start(0.5));
  BOOST_TEST(close(rates(*optimizer)[0], 0.5));
}

BOOST_AUTO_TEST_CASE(plateau_refuses) {
  using R = ReduceLROnPlateau;
  check_refused([](Optimizer& o) { R(o, R::min, 1); }, "ReduceLROnPlateau: factor must lie in [0, 1): 1");
  check_refused([](Optimizer& o) { R(o, R::min, 0.1, -1); }, "ReduceLROnPlateau: patience must not be negative: -1");
  check_refused([](Optimizer& o) { R(o, R::min, 0.1, 1, -1); },
                "ReduceLROnPlateau: threshold must not be negative: -1");
  check_refused([](Optimizer& o) { R(o, R::min, 0.1, 1, 0, R::rel, -1); }, "cooldown must not be negative: -1");
  check_refused([](Optimizer& o) { R(o, R::min, 0.1, 1, 0, R::rel, 0, -1); }, "min_lr must not be negative: -1");
  check_refused([](Optimizer& o) { R(o, R::min, 0.1, 1, 0, R::rel, 0, {1, 2, 3}); }, "3 for 2 groups");
  check_refused([](Optimizer& o) { R(o, R::min, 0.1, 1, 0, R::rel, 0, 0, -1); }, "eps must not be negative: -1");

  const std::unique_ptr<Optimizer> optimizer = optimizer_of();
  ReduceLROnPlateau plateau(*optimizer);
  plateau.step(1);
  test::check_error<ValueError>([&] { plateau.step(std::nan("")); },
                                {"the metric must be a number: nan after epoch 1"});
  BOOST_TEST(plateau.last_epoch() == 1);
}

namespace {

// Entry by entry, left out or of another shape: refused, and not a bit of the state has changed.
void check_state(Schedule& schedule) {
  const NamedState whole = schedule.state_dict();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    NamedState changed = whole;
    for (auto& [name, tensor] : changed) tensor = tensor + 1;
    changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(i));
    test::check_error<ValueError>([&] { schedule.load_state_dict(changed); }, {"missing: " + whole[i].first});
    changed.emplace_back(whole[i].first, ones({3}));
    test::check_error<ValueError>([&] { schedule.load_state_dict(changed); }, {"not alike: " + whole[i].first});
    changed.back() = {whole[i].first, whole[i].second};
    changed.emplace_back("more", ones({3}));
    test::check_error<ValueError>([&] { schedule.load_state_dict(changed); }, {"unknown: 'more'"});
    const NamedState now = schedule.state_dict();
    for (std::size_t k = 0; k < whole.size(); ++k) BOOST_TEST(test::same_bits(now[k].second, whole[k].second));
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(another_state_is_refused) {
  const test::Folder folder;
  const std::string path = folder / "file";
  const std::unique_ptr<Optimizer> optimizer = optimizer_of();
  StepLR step(*optimizer, 3);
  step.step();
  ExponentialLR exponential(*optimizer, 0.5);
  save(step, path);
  test::check_error<ValueError>([&] { load(exponential, path); }, {"must hold the state of ExponentialLR", "'StepLR'"});
  test::check_error<ValueError>([&] { load(*optimizer, path); }, {"it names no optimizer"});
  save(*optimizer, path);
  test::check_error<ValueError>([&] { load(step, path); }, {"it names no schedule"});
  check_state(step);
  BOOST_TEST(step.last_epoch() == 1);
}

BOOST_AUTO_TEST_CASE(another_plateaus_state_is_refused) {
  const std::unique_ptr<Optimizer> optimizer = optimizer_of();
  ReduceLROnPlateau plateau(*optimizer);
  plateau.step(2);
  check_state(plateau);
}

// A group that is added later starts from its own rate.
BOOST_AUTO_TEST_CASE(groups_may_be_added) {
  const std::unique_ptr<Optimizer> optimizer = optimizer_of();
  ExponentialLR schedule(*optimizer, 0.5);
  schedule.step();
  std::vector<Tensor> more = {zeros({1}, requires_grad())};
  optimizer->add_param_group(OptimizerParamGroup(more, SGDOptions(0.7).clone()));
  schedule.step(3);
  BOOST_TEST(close(rates(*optimizer)[2], 0.7 / 8));
  schedule.step(0);
  BOOST_TEST(close(rates(*optimizer)[2], 0.7));
  BOOST_TEST(close(rates(*optimizer)[0], 0.1));
}

BOOST_AUTO_TEST_SUITE_END()
