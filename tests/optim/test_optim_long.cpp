// Every optimizer over 100 steps and every schedule over 200 epochs, against PyTorch 2.15; LBFGS and Muon, which take other
// parameters than the rest; going on from a file to the same bits.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <functional>
#include <memory>
#include <sstream>

#include <gradus/gradus.h>

#include "../support/folder.h"
#include "../support/pytorch.h"

using namespace gradus;
using namespace gradus::optim;
using test::PyTorchFile;

namespace {

const PyTorchFile& file() {
  static const PyTorchFile reference("optim_long");
  return reference;
}

// The options of a case, by the names that they have in the file; `i` is the group.
void read_options(const std::string& name, std::int64_t i, OptimizerOptions& options) {
  for (const Field& field : options.named_fields()) {
    const std::string entry = name + "/" + field.name;
    if (!file().has(entry)) continue;
    const Tensor value = file()[entry];
    const auto number = [&](std::int64_t at) { return (value.dim() == 0 ? value : value[at]).item<double>(); };
    field.visit([&]<class T>(T* to) {
      if constexpr (std::is_same_v<T, Field::Pair>) {
        *to = {number(0), number(1)};
      } else if constexpr (std::is_same_v<T, Field::Triple>) {
        *to = {number(0), number(1), number(2)};
      } else if constexpr (std::is_same_v<T, Field::Text>) {
        const auto* bytes = value.array().data_ptr<std::uint8_t>();
        *to = std::string(bytes, bytes + value.numel());
      } else if constexpr (std::is_arithmetic_v<T>) {
        *to = static_cast<T>(number(i));
      }
    });
  }
}

Tensor leaf(const std::string& name) { return file()[name].clone().requires_grad_(); }

// Runs a case's 100 steps, and compares the parameters after each ten. `starts` is what start and gradients are called.
template <class O>
void replay(const std::string& name, const std::string& starts, double bound, bool by_reference) {
  const std::string suffix = name.substr(name.rfind('_'));
  std::vector<Tensor> p;
  std::vector<OptimizerParamGroup> groups;
  for (std::int64_t i = 0; i < 2; ++i) {
    p.push_back(leaf(starts + "start" + suffix + "/p" + std::to_string(i)));
    typename O::Options options(0);
    read_options(name, i, options);
    groups.emplace_back(std::vector<Tensor>{p.back()}, options.clone());
  }
  O optimizer(std::move(groups), typename O::Options(0.1));
  optimizer.use_reference(by_reference);
  for (std::int64_t step = 0; step < 100; ++step) {
    for (std::size_t i = 0; i < 2; ++i) {
      p[i].mutable_grad() = file()[starts + "gradients" + suffix + "/g" + std::to_string(i)][step].clone();
    }
    optimizer.step();
    if (step % 10 != 9) continue;
    for (std::size_t i = 0; i < 2; ++i) {
      const Tensor expected = file()[name + "/p" + std::to_string(i)][step / 10];
      test::check_close(p[i], expected, bound > 0 ? bound : test::bound_of(expected.dtype()),
                        name + (by_reference ? " by reference" : "") + " step " + std::to_string(step));
    }
  }
}

template <class O>
void replay_all(const std::string& beginning, std::size_t cases) {
  const std::vector<std::string> names = file().cases(beginning);
  BOOST_TEST(names.size() == 2 * cases, beginning);
  for (const std::string& name : names) {
    for (const bool by_reference : {false, true}) replay<O>(name, "", 0, by_reference);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(optim_long)

BOOST_AUTO_TEST_CASE(a_hundred_steps_as_pytorch) {
  replay_all<SGD>("sgd", 2);
  replay_all<Adam>("adam_", 2);
  replay_all<AdamW>("adamw_", 1);
  replay_all<RMSprop>("rmsprop", 1);
  replay_all<Adagrad>("adagrad", 1);
  replay_all<NAdam>("nadam", 3);
  replay_all<RAdam>("radam", 3);
  replay_all<Adamax>("adamax", 2);
  replay_all<Adadelta>("adadelta", 2);
  replay_all<ASGD>("asgd", 2);
  replay_all<Rprop>("rprop", 2);
  replay_all<Lion>("lion", 2);
}

// PyTorch's and ours round each product to bfloat16 once, after sums in another order: now and then to the other side.
BOOST_AUTO_TEST_CASE(muon_as_pytorch) {
  std::size_t cases = 0;
  for (const std::string& name : file().cases("muon")) {
    if (name.find("_case_") == std::string::npos) continue;
    replay<Muon>(name, "muon_", 2e-3, false);
    ++cases;
  }
  BOOST_TEST(cases == 6U);
}

BOOST_AUTO_TEST_CASE(muon_takes_matrices) {
  const Tensor w = ones({2, 3}, requires_grad()), bias = ones({3}, requires_grad());
  test::check_error<ValueError>([&] { Muon({w, bias}); }, {"Muon: parameters must be matrices: one is [3]"});
  Muon muon(std::vector<Tensor>{w});
  test::check_error<ValueError>([&] { muon.add_param_group(OptimizerParamGroup({bias})); }, {"must be matrices"});
  test::check_error<ValueError>([&] { muon.add_parameters({bias}); }, {"must be matrices"});
  test::check_error<ValueError>([&] { Muon({w}, MuonOptions().adjust_lr_fn("x")); }, {"adjust_lr_fn must be", "'x'"});
  test::check_error<ValueError>([&] { Muon({w}, MuonOptions().ns_steps(100)); }, {"ns_steps must lie in [0, 100)"});
  // The update's singular values are near 1, whatever those of the gradient.
  w.mutable_grad() = tensor({{3.F, 0.F, 0.F}, {0.F, 0.01F, 0.F}});
  const Tensor before = w.detach().clone();
  Muon plain({w}, MuonOptions(1).weight_decay(0).nesterov(false));
  plain.step();
  const Tensor change = (before - w.detach()).abs();
  BOOST_TEST((change[0][0].item<double>() > 0.6 && change[0][0].item<double>() < 1.3));
  BOOST_TEST((change[1][1].item<double>() > 0.1 && change[0][1].item<double>() < 0.1));
}

BOOST_AUTO_TEST_CASE(lbfgs_as_pytorch) {
  std::size_t cases = 0;
  for (const std::string& name : file().cases("lbfgs")) {
    const bool is_double = name.ends_with("f64");
    const DType dtype = is_double ? kFloat64 : kFloat32;
    const Tensor a = tensor({-0.7, 0.4, 1.3}, dtype).requires_grad_(),
                 b = tensor({0.9, -0.2, 0.5}, dtype).requires_grad_();
    LBFGSOptions options;
    read_options(name, 0, options);
    if (!file().has(name + "/max_eval")) options.max_eval(std::nullopt);
    const double sign = options.maximize() ? -1 : 1;
    LBFGS lbfgs({a, b}, options);
    const auto closure = [&] {
      lbfgs.zero_grad();
      const Tensor loss = (square(1 - a) + 0.5 * square(b - a * a)).sum() * sign;
      loss.backward();
      return loss;
    };
    const Tensor after = file()[name + "/after"], losses = file()[name + "/losses"];
    const double bound = is_double ? 1e-12 : 3e-5;
    for (std::int64_t step = 0; step < after.size(0); ++step) {
      const Tensor loss = lbfgs.step(closure);
      const std::string what = name + " step " + std::to_string(step);
      test::check_close(stack({a.detach(), b.detach()}), after[step], bound, what);
      BOOST_TEST(
          std::abs(loss.item<double>() - losses[step].item<double>()) <= bound * (1 + losses[0].abs().item<double>()),
          what);
    }
    if (is_double) {
      BOOST_TEST(lbfgs.state(b)->func_evals() == file()[name + "/counts"][0].item<std::int64_t>(), name);
      BOOST_TEST(lbfgs.state(b)->n_iter() == file()[name + "/counts"][1].item<std::int64_t>(), name);
    }
    ++cases;
  }
  BOOST_TEST(cases == 12U);
}

BOOST_AUTO_TEST_CASE(lbfgs_goes_on_from_a_file) {
  const test::Folder folder;
  const std::string path = folder / "lbfgs.safetensors";
  const auto start = [] {
    return std::vector<Tensor>{tensor({-0.7, 1.3}, kFloat64).requires_grad_(),
                               full({}, 0.5, kFloat64).requires_grad_()};
  };
  const auto closure_of = [](LBFGS& o, const std::vector<Tensor>& p) {
    return [&o, p] {
      o.zero_grad();
      const Tensor loss = (square(1 - p[0]) + 4 * square(p[1] - p[0] * p[0])).sum();
      loss.backward();
      return loss;
    };
  };
  for (const int steps : {0, 1, 2, 7}) {
    const std::vector<Tensor> p = start(), q = start();
    LBFGS whole(p, LBFGSOptions(0.1).max_iter(3).history_size(4).line_search_fn(
                       steps == 2 ? "strong_wolfe" : std::optional<std::string>()));
    LBFGS resumed(q);
    for (int i = 0; i < steps; ++i) whole.step(closure_of(whole, p));
    save(whole, path);
    resumed.step(closure_of(resumed, q));
    for (std::size_t i = 0; i < p.size(); ++i) q[i].array().copy_(p[i].array());
    load(resumed, path);
    for (int i = 0; i < 5; ++i) {
      whole.step(closure_of(whole, p));
      resumed.step(closure_of(resumed, q));
    }
    for (std::size_t i = 0; i < p.size(); ++i) BOOST_TEST(test::same_bits(p[i].detach(), q[i].detach()));
    BOOST_TEST(whole.state(p[0])->n_iter() == resumed.state(q[0])->n_iter());
  }
  // What does not fit is refused, and the optimizer is as it was.
  const std::vector<Tensor> p = start();
  LBFGS lbfgs(p, LBFGSOptions(0.1).max_iter(3));
  lbfgs.step(closure_of(lbfgs, p));
  NamedState state = lbfgs.state_dict();
  const auto refused = [&](const std::string& name, const Tensor& value, const std::string& text) {
    NamedState changed;
    for (const auto& [entry, tensor] : state) {
      if (entry != name) changed.emplace_back(entry, tensor.clone());
      if (entry == name && value.defined()) changed.emplace_back(entry, value);
    }
    test::check_error<ValueError>([&] { lbfgs.load_state_dict(changed); }, {text});
  };
  refused("state.0.d", ones({2}, kFloat64), "state.0.d is float64 [2] and must be float64 [3]");
  refused("state.0.d", Tensor(), "missing: state.0.d");
  refused("state.0.ro", Tensor(), "missing: state.0.ro");
  refused("state.0.ro", ones({200}, kFloat64), "state.0.ro is float64 [200] and must be float64 [at most 100]");
  refused("state.0.old_dirs", ones({1, 3}), "state.0.old_dirs is float32 [1, 3] and must be float64 [1, 3]");
  refused("param_groups.0.max_iter", full({}, -1, kInt64), "max_iter is -1 and must not be negative");
  lbfgs.load_state_dict(state);
}

BOOST_AUTO_TEST_CASE(lbfgs_refuses) {
  const Tensor w = ones({2}, requires_grad()), v = ones({2}, kFloat64).requires_grad_();
  LBFGS lbfgs(std::vector<Tensor>{w});
  test::check_error<ValueError>([&] { lbfgs.step(nullptr); }, {"LBFGS: step() needs a closure"});
  test::check_error<ValueError>(
      [&] {
        LBFGS({w, v});
      },
      {"LBFGS: all parameters must have one dtype: float32 and float64"});
  test::check_error<ValueError>([&] { LBFGS({w}, LBFGSOptions().line_search_fn("armijo")); }, {"'armijo'"});
  test::check_error<ValueError>([&] { LBFGS({w}, LBFGSOptions().history_size(0)); },
                                {"history_size must be at least 1"});
  std::vector<OptimizerParamGroup> groups;
  groups.emplace_back(std::vector<Tensor>{w});
  groups.emplace_back(std::vector<Tensor>{ones({1}, requires_grad())});
  test::check_error<ValueError>([&] { LBFGS(std::move(groups)); }, {"must be in one group: 2 groups"});
  lbfgs.step([&] { return w.sum(); });  // without a gradient: nothing to do
  BOOST_TEST(w.sum().item<float>() == 2);
  BOOST_TEST(lbfgs.without_gradient().size() == 1U);
}

namespace {

double function(std::int64_t epoch) { return std::pow(0.97, static_cast<double>(epoch)); }

struct Row {
  std::string name;
  std::function<std::shared_ptr<LRScheduler>(Optimizer&)> make;
  std::string optimizer = "SGD";
};

template <class S, class... Args>
std::shared_ptr<LRScheduler> one(Args&&... args) {
  return std::make_shared<S>(std::forward<Args>(args)...);
}

// clang-format off
const std::vector<Row>& rows() {
  using O = Optimizer;
  using Cycle = CyclicLROptions;
  using Milestones = std::vector<std::int64_t>;
  using Functions = std::vector<LambdaPerGroup::Function>;
  static const std::vector<Row> all = {
      {"step", [](O& o) { return one<StepLR>(o, 30U, 0.5); }},
      {"multi_step", [](O& o) { return one<MultiStepLR>(o, Milestones{20, 150, 70, 70}, 0.5); }},
      {"exponential", [](O& o) { return one<ExponentialLR>(o, 0.98); }},
      {"constant", [](O& o) { return one<ConstantLR>(o); }},
      {"constant_long", [](O& o) { return one<ConstantLR>(o, 0.25, 60); }},
      {"linear", [](O& o) { return one<LinearLR>(o, 0.1, 0.9, 100); }},
      {"polynomial", [](O& o) { return one<PolynomialLR>(o); }},
      {"polynomial_long", [](O& o) { return one<PolynomialLR>(o, 150, 2.5); }},
      {"cosine", [](O& o) { return one<CosineAnnealingLR>(o, 60, 0.01); }},
      {"restarts", [](O& o) { return one<CosineAnnealingWarmRestarts>(o, 30); }},
      {"restarts_growing", [](O& o) { return one<CosineAnnealingWarmRestarts>(o, 10, 3, 0.001); }},
      {"one_cycle", [](O& o) { return one<OneCycleLR>(o, 0.5, 200); }},
      {"cyclic", [](O& o) { return one<CyclicLR>(o, Cycle(0.02, 0.5).step_size_up(25)); }},
      {"cyclic_2", [](O& o) { return one<CyclicLR>(o, Cycle({0.02, 0.01}, {0.5, 0.2}).step_size_up(10).step_size_down(30)
          .mode(Cycle::triangular2).base_momentum(0.7).max_momentum(0.95)); }},
      {"cyclic_exp", [](O& o) { return one<CyclicLR>(o, Cycle(0.02, 0.5).step_size_up(15).mode(Cycle::exp_range).gamma(0.99)); }, "Adam"},
      {"cyclic_own", [](O& o) { return one<CyclicLR>(o, Cycle(0.02, 0.5).step_size_up(15).scale_fn([](double x) { return 1 / (x + 1); })
          .scale_mode(Cycle::iterations).cycle_momentum(false)); }, "Adagrad"},
      {"lambda", [](O& o) { return one<LambdaLR>(o, function); }},
      {"lambda_lists", [](O& o) { return one<LambdaLR>(o, Functions{
          [](std::int64_t e) { return 1 / (1 + double(e)); }, [](std::int64_t e) { return 0.5 + double(e) / 100; }}); }},
      {"multiplicative", [](O& o) { return one<MultiplicativeLR>(o, [](std::int64_t e) { return 1 - 1 / (double(e) + 5); }); }},
      {"swa", [](O& o) { return one<SWALR>(o, 0.05); }},
      {"swa_linear", [](O& o) { return one<SWALR>(o, PerGroup({0.05, 0.5}), 50, SWALR::linear); }},
      {"swa_at_once", [](O& o) { return one<SWALR>(o, 0.05, 0); }},
      {"sequential", [](O& o) { Schedulers s{one<LinearLR>(o, 0.1, 1.0, 20), one<CosineAnnealingLR>(o, 100), one<ExponentialLR>(o, 0.9)};
          return one<SequentialLR>(o, s, Milestones{20, 120}); }},
      {"sequential_restarts", [](O& o) { Schedulers s{one<ConstantLR>(o, 0.1, 10), one<CosineAnnealingWarmRestarts>(o, 20, 2), one<SWALR>(o, 0.02, 15)};
          return one<SequentialLR>(o, s, Milestones{10, 150}); }},
      {"sequential_factors", [](O& o) { Schedulers s{one<StepLR>(o, 7U, 0.8), one<MultiplicativeLR>(o, [](std::int64_t) { return 0.99; }), one<PolynomialLR>(o, 40, 2.0)};
          return one<SequentialLR>(o, s, Milestones{30, 100}); }},
      {"chained", [](O& o) { Schedulers s{one<ConstantLR>(o, 0.1, 20), one<ExponentialLR>(o, 0.98)}; return one<ChainedScheduler>(s); }},
      {"chained_three", [](O& o) { Schedulers s{one<LinearLR>(o, 0.2, 1.0, 30), one<StepLR>(o, 50U, 0.5), one<CosineAnnealingLR>(o, 80, 0.001)};
          return one<ChainedScheduler>(s); }},
  };
  return all;
}
// clang-format on

template <class O, class Options>
std::unique_ptr<Optimizer> make_optimizer() {
  std::vector<OptimizerParamGroup> groups;
  groups.emplace_back(std::vector<Tensor>{zeros({1}, requires_grad())});
  groups.emplace_back(std::vector<Tensor>{zeros({1}, requires_grad())}, Options(0.03).clone());
  return std::make_unique<O>(std::move(groups), Options(0.1));
}
std::unique_ptr<Optimizer> optimizer_of(const std::string& name = "SGD") {
  if (name == "Adam") return make_optimizer<Adam, AdamOptions>();
  if (name == "Adagrad") return make_optimizer<Adagrad, AdagradOptions>();
  return make_optimizer<SGD, SGDOptions>();
}

void check_epoch(Optimizer& optimizer, const std::string& name, std::int64_t epoch, const char* how = "") {
  const Tensor lr = file()["schedule_" + name + "/lr"], momentum = file().get("schedule_" + name + "/momentum");
  for (std::int64_t g = 0; g < 2; ++g) {
    OptimizerOptions& options = optimizer.param_groups()[static_cast<std::size_t>(g)].options();
    const auto close = [](double a, double b) { return std::abs(a - b) <= 1e-11 * std::abs(b) + 1e-14; };
    const double expected = lr[epoch][g].item<double>();
    BOOST_CHECK_MESSAGE(close(options.get_lr(), expected), name << how << ", epoch " << epoch << ", group " << g << ": "
                                                                << options.get_lr() << " for " << expected);
    if (!momentum.defined()) continue;
    auto* adam = dynamic_cast<AdamOptions*>(&options);
    const double m = adam != nullptr ? std::get<0>(adam->betas()) : dynamic_cast<SGDOptions&>(options).momentum();
    BOOST_TEST(close(m, momentum[epoch][g].item<double>()), name << how << ", momentum of epoch " << epoch);
  }
}

}  // namespace

// Each goes on, halfway, in others, made anew, from files.
BOOST_AUTO_TEST_CASE(two_hundred_epochs_as_pytorch) {
  const test::Folder folder;
  BOOST_TEST(rows().size() == file().cases("schedule_").size());
  for (const Row& row : rows()) {
    std::unique_ptr<Optimizer> optimizer = optimizer_of(row.optimizer);
    std::shared_ptr<LRScheduler> schedule = row.make(*optimizer);
    for (std::int64_t epoch = 0; epoch < 200; ++epoch) {
      check_epoch(*optimizer, row.name, epoch);
      BOOST_TEST(schedule->last_epoch() == epoch);
      BOOST_TEST(schedule->get_last_lr()[1] == optimizer->param_groups()[1].options().get_lr());
      if (epoch == 40 || epoch == 125) {
        save(*optimizer, folder / "optimizer");
        save(*schedule, folder / "schedule");
        optimizer = optimizer_of(row.optimizer);
        schedule = row.make(*optimizer);
        load(*optimizer, folder / "optimizer");
        load(*schedule, folder / "schedule");
      }
      if (epoch < 199) schedule->step();
    }
  }
}

// To any epoch at once, for those that have a closed form.
BOOST_AUTO_TEST_CASE(closed_forms_give_the_same_rates) {
  for (const Row& row : rows()) {
    if (row.name.starts_with("chained") || row.name == "one_cycle") continue;
    if (row.name == "sequential_restarts" || row.name == "sequential_factors") continue;  // they go on from a rate
    const std::unique_ptr<Optimizer> optimizer = optimizer_of(row.optimizer);
    const std::shared_ptr<LRScheduler> schedule = row.make(*optimizer);
    for (const std::int64_t epoch : {150, 7, 199, 0, 60, 30}) {
      optimizer->param_groups()[0].options().set_lr(123);
      schedule->step(epoch);
      check_epoch(*optimizer, row.name, epoch, " by the closed form");
    }
  }
  const std::unique_ptr<Optimizer> optimizer = optimizer_of();
  ChainedScheduler chained({one<ConstantLR>(*optimizer)});
  test::check_error<ValueError>([&] { chained.step(3); }, {"ChainedScheduler: it has no closed form for epoch 3"});
}

BOOST_AUTO_TEST_CASE(a_plateau_over_two_hundred_epochs) {
  const std::unique_ptr<Optimizer> optimizer = optimizer_of();
  ReduceLROnPlateau schedule(*optimizer, ReduceLROnPlateau::min, 0.5, 7, 1e-4, ReduceLROnPlateau::rel, 3);
  const Tensor metric = file()["plateau/metric"], lr = file()["plateau/lr"];
  BOOST_TEST(lr.size(0) == 200);
  for (std::int64_t epoch = 0; epoch + 1 < lr.size(0); ++epoch) {
    schedule.step(metric[epoch].item<double>());
    BOOST_TEST(std::abs(schedule.get_last_lr()[1] - lr[epoch + 1][1].item<double>()) < 1e-15);
  }
}

// A schedule of a user's own in the manner of PyTorch's C++ frontend; composed with others.
BOOST_AUTO_TEST_CASE(a_schedule_of_ones_own_by_get_lrs) {
  struct Halving : LRScheduler {
    explicit Halving(Optimizer& o) : LRScheduler(o) {}
    std::vector<double> get_lrs() override {
      std::vector<double> rates = get_current_lrs();
      for (double& rate : rates) rate *= step_count_ % 2 == 0 ? 0.5 : 1;
      return rates;
    }
  };
  const std::unique_ptr<Optimizer> optimizer = optimizer_of();
  Halving schedule(*optimizer);
  for (int i = 0; i < 3; ++i) schedule.step();
  BOOST_TEST(optimizer->param_groups()[0].options().get_lr() == 0.025);
  BOOST_TEST(schedule.last_epoch() == 3);
}

BOOST_AUTO_TEST_CASE(schedules_refuse) {
  const auto refused = [](auto make, const std::string& text) {
    const std::unique_ptr<Optimizer> optimizer = optimizer_of();
    test::check_error<ValueError>([&] { make(*optimizer); }, {text});
    BOOST_TEST(optimizer->param_groups()[1].options().get_lr() == 0.03);
  };
  using O = Optimizer;
  using Milestones = std::vector<std::int64_t>;
  refused([](O& o) { ConstantLR(o, 1.5); }, "ConstantLR: factor must lie in [0, 1]: 1.5");
  refused([](O& o) { ConstantLR(o, 0.5, 0); }, "ConstantLR: total_iters must be at least 1: 0");
  refused([](O& o) { PolynomialLR(o, 0); }, "PolynomialLR: total_iters must be at least 1: 0");
  refused([](O& o) { PolynomialLR(o, 5, -1); }, "PolynomialLR: power must not be negative: -1");
  refused([](O& o) { CosineAnnealingWarmRestarts(o, 0); }, "T_0 and T_mult must be at least 1: 0, 1");
  refused([](O& o) { CyclicLR(o, CyclicLROptions(0.1, 0.2).step_size_up(0)); }, "must be at least 1: 0, 0");
  refused([](O& o) { CyclicLR(o, CyclicLROptions(0.1, {0.2})); },
          "max_lr must be one number, or one for each group: 1");
  refused([](O& o) { CyclicLR(o, CyclicLROptions(0.1, 0.2).max_momentum(1)); }, "momenta must lie in [0, 1): 1");
  refused([](O& o) { LambdaLR(o, std::vector<LambdaPerGroup::Function>{function}); }, "one for each group: 1 for 2");
  refused([](O& o) { LambdaLR(o, LambdaPerGroup::Function()); }, "LambdaLR: lr_lambda must be a function");
  refused([](O& o) { SWALR(o, -1); }, "SWALR: swa_lr must not be negative: -1");
  refused([](O& o) { SWALR(o, 1, -1); }, "SWALR: anneal_epochs must not be negative: -1");
  refused([](O&) { ChainedScheduler{Schedulers{}}; }, "ChainedScheduler: there must be a schedule");
  const auto sequence = [&](const Milestones& milestones, const std::string& text) {
    const std::unique_ptr<Optimizer> optimizer = optimizer_of();
    Schedulers s{one<StepLR>(*optimizer, 7U), one<StepLR>(*optimizer, 3U), one<StepLR>(*optimizer, 2U)};
    test::check_error<ValueError>([&] { SequentialLR(*optimizer, s, milestones); }, {"SequentialLR: " + text});
  };
  sequence({3}, "there must be a milestone less than schedules: 1 and 3");
  sequence({5, 5}, "milestones must rise from 0 or more: 5, 5");
  sequence({-1, 5}, "milestones must rise from 0 or more: -1, 5");
  const std::unique_ptr<Optimizer> a = optimizer_of(), b = optimizer_of();
  Schedulers mixed{one<StepLR>(*a, 7U), one<StepLR>(*b, 3U)};
  test::check_error<ValueError>([&] { ChainedScheduler{mixed}; }, {"must be those of one optimizer"});
  test::check_error<ValueError>([&] { SequentialLR(*b, {mixed[0]}, {}); }, {"must be those of the optimizer"});
}

BOOST_AUTO_TEST_SUITE_END()
