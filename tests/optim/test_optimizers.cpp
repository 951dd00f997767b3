// Optimizers, schedules, clipping and max-norm, against PyTorch's values and their own definitions.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>
#include <sstream>

#include <gradus/core/nn/optimizer_step.h>
#include <gradus/gradus.h>

#include "../support/pytorch.h"
#include "../support/threads.h"
#include "optimizer_table.h"

using namespace gradus;
using test::PyTorchFile;

namespace {

const PyTorchFile& file() {
  static const PyTorchFile reference("optim");
  return reference;
}

double number(const std::string& name, double otherwise, int index = -1) {
  if (!file().has(name)) return otherwise;
  const Tensor value = file()[name];
  return index < 0 ? value.item<double>() : value[index].item<double>();
}

// The options of a case, by the names that they have in the file; `i` is the group.
void read_options(const std::string& name, int i, optim::OptimizerOptions& options) {
  for (const optim::Field& field : options.named_fields()) {
    const std::string entry = name + "/" + field.name;
    if (!file().has(entry)) continue;
    const bool by_group = file()[entry].dim() > 0 && std::string(field.name) != "betas";
    field.visit([&]<class T>(T* to) {
      if constexpr (std::is_same_v<T, std::tuple<double, double>>)
        *to = {number(entry, 0, 0), number(entry, 0, 1)};
      else if constexpr (std::is_arithmetic_v<T>)
        *to = static_cast<T>(number(entry, 0, by_group ? i : -1));
    });
  }
}

// Runs 20 steps of one case, whose options stand in the file, and compares the parameters after each.
template <class Optimizer>
void replay(const std::string& name, bool by_reference) {
  const std::string suffix = name.substr(name.rfind('_'));
  std::vector<Tensor> p;
  std::vector<optim::OptimizerParamGroup> groups;
  for (int i = 0; i < 2; ++i) {
    p.push_back(file()["start" + suffix + "/p" + std::to_string(i)].clone().requires_grad_());
    typename Optimizer::Options options(0);
    read_options(name, i, options);
    groups.emplace_back(std::vector<Tensor>{p.back()}, options.clone());
  }
  Optimizer optimizer(std::move(groups), typename Optimizer::Options(0.1));
  optimizer.use_reference(by_reference);
  for (int step = 0; step < 20; ++step) {
    for (int i = 0; i < 2; ++i) {
      const bool has_gradient = step >= number(name + "/first_step", 0, i);
      const Tensor g = file()["gradients" + suffix + "/g" + std::to_string(i)][step].clone();
      p[static_cast<std::size_t>(i)].mutable_grad() = has_gradient ? g : Tensor();
    }
    optimizer.step();
    for (int i = 0; i < 2; ++i) {
      const Tensor expected = file()[name + "/p" + std::to_string(i)][step];
      test::check_close(p[static_cast<std::size_t>(i)], expected, test::bound_of(expected.dtype()),
                        name + (by_reference ? " by reference" : "") + " step " + std::to_string(step));
    }
  }
}

template <class Optimizer>
int replay_all(const std::string& beginning) {
  int cases = 0;
  for (const std::string& name : file().cases(beginning)) {
    for (const bool by_reference : {false, true}) replay<Optimizer>(name, by_reference);
    ++cases;
  }
  return cases;
}

// Three rows of 2-norms 0, 5 and 10, two of them alike in the other dtype's digits.
Tensor rows(DType dtype) { return tensor({{0.0, 0.0}, {3.0, 4.0}, {6.0, -8.0}}, dtype); }

}  // namespace

BOOST_AUTO_TEST_SUITE(optimizers)

BOOST_AUTO_TEST_CASE(twenty_steps_as_pytorch) {
  test::each_optimizer(
      []<class O, class Options>(test::Of<O>, const char* beginning, int cases, const std::vector<Options>&) {
        if (cases > 0) BOOST_TEST(replay_all<O>(beginning) == 2 * cases, beginning);
      });
}

BOOST_AUTO_TEST_CASE(kernels_and_references_agree) {
  test::each_optimizer([]<class O, class Options>(test::Of<O>, const char*, int, const std::vector<Options>& rows) {
    for (const Options& options : rows) {
      const optim::CheckReport report = optim::check<O>(options);
      BOOST_TEST(report.ok(), report);
      BOOST_TEST(report.rows.size() >= 2U);
    }
  });
}

namespace {

// An optimizer of a user's own, whose kernel has a mistake where its options say so: Lion (Chen et al., 2023), decaying
// the average by beta1 where beta2 is due.
class OwnOptions final : public optim::OptimizerCloneableOptions<OwnOptions> {
  GRADUS_ARG(double, lr) = 1e-4;
  GRADUS_ARG(double, beta1) = 0.9;
  GRADUS_ARG(double, beta2) = 0.99;
  GRADUS_ARG(bool, mistaken) = false;

 public:
  std::vector<optim::Field> named_fields() override {
    return {{"lr", &lr_}, {"beta1", &beta1_}, {"beta2", &beta2_}, {"mistaken", &mistaken_}};
  }
  void check() const override {}
};

struct OwnRule {
  static constexpr const char* name = "Own";
  using Options = OwnOptions;
  struct State : optim::OptimizerCloneableParamState<State> {
    Tensor exp_avg;
    std::vector<optim::Field> named_fields() override { return {{"exp_avg", &exp_avg}}; }
  };
  static void prepare(State& s, const Options&, const Tensor& w) { optim::detail::start_state(s.exp_avg, w); }
  static Tensor reference(State& s, const Options& o, const Tensor& w, const Tensor& g) {
    const Tensor m = s.exp_avg;
    s.exp_avg = o.beta2() * m + (1 - o.beta2()) * g;
    return w - o.lr() * sign(o.beta1() * m + (1 - o.beta1()) * g);
  }
  static void step(State& s, const Options& o, const Tensor& w, const Tensor& g) {
    const double beta2 = o.mistaken() ? o.beta1() : o.beta2();
    w.sub_(o.lr() * sign(o.beta1() * s.exp_avg + (1 - o.beta1()) * g));
    s.exp_avg = beta2 * s.exp_avg + (1 - beta2) * g;
  }
};
using Own = optim::OptimizerOf<OwnRule>;

}  // namespace

BOOST_AUTO_TEST_CASE(an_optimizer_of_ones_own_is_checked) {
  BOOST_TEST(optim::check<Own>(OwnOptions()).ok());
  const optim::CheckReport report = optim::check<Own>(OwnOptions().mistaken(true));
  BOOST_TEST(!report.ok());
  BOOST_TEST(report.subject == "Own(lr=0.0001, beta1=0.9, beta2=0.99, mistaken=true)");
  for (const optim::CheckReport::Row& row : report.rows) {
    BOOST_TEST((row.what == "exp_avg" ? row.first_step == 1 : row.first_step != 1), report);  // the parameter follows
  }
  std::ostringstream text;
  text << report;
  BOOST_TEST(text.str().find("exp_avg            float64  ") != std::string::npos);
  BOOST_TEST(text.str().find("DIFFER from step 1 on\n") != std::string::npos);
  BOOST_TEST(text.str().ends_with("NOT OK\n"));

  const Tensor p = ones({2}, requires_grad());
  Own own({p}, OwnOptions().lr(0.5));
  BOOST_TEST(own.state(p) == nullptr);
  p.mutable_grad() = tensor({3.0f, -1.0f});
  own.step();
  BOOST_TEST(allclose(p, tensor({0.5f, 1.5f})));
  BOOST_TEST(allclose(own.state(p)->exp_avg, tensor({0.03f, -0.01f})));
  test::check_error<ValueError>([&] { static_cast<void>(own.state(ones({2}))); }, {"one of its parameters"});
}

BOOST_AUTO_TEST_CASE(clipping_as_pytorch) {
  int cases = 0;
  for (const std::string& name : file().cases("clip_grad_norm_")) {
    const std::string suffix = name.substr(name.rfind('_'));
    std::vector<Tensor> p;
    for (int i = 0; i < 2; ++i) {
      const std::string index = std::to_string(i);
      p.push_back(zeros_like(file()["start" + suffix + "/p" + index]).requires_grad_());
      p.back().mutable_grad() = file()["gradients" + suffix + "/g" + index][1].clone();
    }
    const double total = nn::utils::clip_grad_norm_(p, number(name + "/max_norm", 0), number(name + "/norm_type", 0));
    const double expected = number(name + "/total_norm", 0);
    BOOST_TEST(std::abs(total - expected) <= (suffix == "_f32" ? 1e-5 : 1e-12) * expected);
    for (int i = 0; i < 2; ++i) file().check(p[static_cast<std::size_t>(i)].grad(), name + "/g" + std::to_string(i));
    ++cases;
  }
  BOOST_TEST(cases == 16);
}

BOOST_AUTO_TEST_CASE(max_norm_bounds_rows) {
  for (const DType dtype : {kFloat32, kFloat64}) {
    const Tensor weight = rows(dtype), bias = tensor({7.0, 9.0, 11.0}, dtype);
    const Tensor weight_before = weight.clone(), bias_before = bias.clone();
    optim::max_norm_({weight, bias}, 5);
    BOOST_TEST(test::same_bits(weight.slice(0, 0, 2), weight_before.slice(0, 0, 2)));  // within c, at c: the same bits
    BOOST_TEST(test::same_bits(bias, bias_before));
    BOOST_TEST(allclose(weight[2], tensor({3.0, -4.0}, dtype)));
    // No row exceeds c, for numbers that do not divide evenly, whatever the layout.
    manual_seed(1);
    const Tensor many = randn({50, 33}, dtype) * 3, transposed = (randn({33, 50}, dtype) * 3).t();
    const Tensor filters = randn({8, 3, 3, 3}, dtype);
    optim::max_norm_({many, transposed, filters}, 3.3);
    for (const Tensor& w : {many, transposed, filters}) {
      const Tensor norms = w.to(kFloat64).reshape({w.size(0), -1}).norm(2, 1);
      BOOST_TEST(norms.max().item<double>() <= 3.3 * (1 + 1e-6));
      BOOST_TEST(norms.max().item<double>() >= 3.3 * (1 - 1e-5));
    }
  }
  BOOST_CHECK_THROW(optim::max_norm_({ones({2, 2})}, 0), ValueError);
  BOOST_CHECK_THROW(optim::max_norm_({ones({2, 2})}, std::nan("")), ValueError);
  optim::max_norm_({zeros({0, 3}), zeros({3, 0})}, 1);  // nothing to do
}

BOOST_AUTO_TEST_CASE(a_closure_computes_the_loss) {
  const Tensor p = tensor({4.0}).requires_grad_();
  optim::SGD sgd({p}, optim::SGDOptions(0.25));
  const Tensor loss = sgd.step([&] {
    sgd.zero_grad();
    const Tensor l = (p * p).sum();
    l.backward();
    return l;
  });
  BOOST_TEST(loss.item<double>() == 16);
  BOOST_TEST(p.item<double>() == 2);
}

// The averages are b m + (1 - b) g: with b = 0 nothing is left of the gradients before, however large they were.
BOOST_AUTO_TEST_CASE(adam_after_a_gradient_1e8_times_larger) {
  const std::vector<double> gradients = {-1, 1e8, -1, -1, 3, 1e-4, 2, -1e8, 1, 1};
  for (const DType dtype : {kFloat32, kFloat64}) {
    for (const double beta1 : {0.0, 0.5, 0.9}) {
      for (const double beta2 : {0.0, 0.9, 0.999}) {
        for (const bool amsgrad : {false, true}) {
          for (const bool decoupled : {false, true}) {
            const Tensor w = full({3}, 0.5, dtype).requires_grad_();
            const double lr = 0.1, decay = decoupled ? 0.01 : 0, eps = 1e-8;
            std::unique_ptr<optim::Optimizer> adam;
            if (decoupled) {
              adam = std::make_unique<optim::AdamW>(
                  std::vector<Tensor>{w},
                  optim::AdamWOptions(lr).betas({beta1, beta2}).amsgrad(amsgrad).weight_decay(decay));
            } else {
              adam = std::make_unique<optim::Adam>(std::vector<Tensor>{w},
                                                   optim::AdamOptions(lr).betas({beta1, beta2}).amsgrad(amsgrad));
            }
            double x = 0.5, m = 0, v = 0, most = 0;
            for (std::size_t t = 0; t < gradients.size(); ++t) {
              const double g = gradients[t], steps = static_cast<double>(t + 1);
              w.mutable_grad() = full({3}, g, dtype);
              adam->step();
              m = beta1 * m + (1 - beta1) * g;
              v = beta2 * v + (1 - beta2) * g * g;
              most = amsgrad ? std::max(most, v) : v;
              x = x * (1 - lr * decay) -
                  lr * (m / (1 - std::pow(beta1, steps))) / (std::sqrt(most / (1 - std::pow(beta2, steps))) + eps);
              const double got = w[1].item<double>(), bound = dtype == kFloat32 ? 1e-6 : 1e-14;
              BOOST_CHECK_MESSAGE(std::abs(got - x) <= bound * (1 + std::abs(x)),
                                  "betas " << beta1 << ", " << beta2 << ", amsgrad " << amsgrad << ", step " << t + 1
                                           << ": " << got << " for " << x);
            }
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(clipping_where_squares_over_or_underflow) {
  for (const double scale : {1e200, 1e-200}) {
    const Tensor a = zeros({2}, kFloat64).requires_grad_(), b = zeros({1}, kFloat64).requires_grad_();
    a.mutable_grad() = tensor({3 * scale, 0.}, kFloat64);
    b.mutable_grad() = tensor({-4 * scale}, kFloat64);
    BOOST_TEST(nn::utils::clip_grad_norm_({a, b}, 1) == 5 * scale, boost::test_tools::tolerance(1e-14));
    if (scale > 1) BOOST_TEST(b.grad().item<double>() == -0.8, boost::test_tools::tolerance(1e-14));
    const Tensor w = tensor({{3., 4.}, {0., 1.}}, kFloat64) * scale;
    optim::max_norm_({w}, scale);
    BOOST_TEST(w[0][0].item<double>() == 0.6 * scale, boost::test_tools::tolerance(1e-14));
    BOOST_TEST(w[1][1].item<double>() == scale);
  }
}

// A step on a parameter large enough to be shared out, and on a transposed one.
BOOST_AUTO_TEST_CASE(same_bits_at_any_number_of_threads_and_in_any_layout) {
  test::ManyThreads threads;
  manual_seed(2);
  const Tensor start = randn({1 << 20}), gradient = randn({1 << 20});
  test::each_optimizer([&]<class O, class Options>(test::Of<O>, const char*, int, const std::vector<Options>& rows) {
    Tensor first;
    threads.each([&] {
      const Tensor p = start.clone().requires_grad_();
      O optimizer({p}, rows.back());
      p.mutable_grad() = gradient.clone();
      optimizer.step();
      optimizer.step();
      if (!first.defined()) first = p.detach().clone();
      BOOST_TEST(test::same_bits(p.detach(), first));
    });
  });
  const Tensor wide = start.slice(0, 0, 600).view({20, 30}), g = gradient.slice(0, 0, 600).view({20, 30});
  const Tensor plain = wide.clone().requires_grad_(), turned = wide.t().clone().t().detach().requires_grad_();
  BOOST_TEST(!turned.is_contiguous());
  test::each_optimizer([&]<class O, class Options>(test::Of<O>, const char*, int, const std::vector<Options>& rows) {
    for (const Tensor& p : {plain, turned}) {
      p.mutable_grad() = g.clone();
      O optimizer({p}, rows.back());
      optimizer.step(), optimizer.step();
    }
    BOOST_TEST(test::same_bits(plain.detach(), turned.detach()));
  });
  core::SgdStep step;
  step.momentum = 0.9;
  test::check_error<ValueError>([&] { core::optimizer_step(step, plain.array(), g.array(), {}); },
                                {"sgd_step: arrays of state, absent ones null: 0 given, 1 expected"});
  test::check_error<ValueError>(
      [&] {
        const Tensor expanded = zeros({1}).expand({20, 30});
        core::optimizer_step(step, plain.array(), g.array(), {&expanded.array()});
      },
      {"sgd_step: gradient and state must be contiguous: strides [0, 0] for [20, 30]"});
  test::check_error<ValueError>([&] { core::optimizer_step(step, turned.array(), g.array(), {nullptr}); },
                                {"sgd_step: the parameter must be contiguous: strides [1, 20] for [20, 30]"});
}

// The second parameter's state does not fit under the limit: the first must not have changed, nor its state.
BOOST_AUTO_TEST_CASE(a_step_without_memory_changes_nothing) {
  constexpr std::int64_t kSize = 1 << 20;
  const auto make_parameters = [] {
    return std::vector<Tensor>{ones({4}, requires_grad()), ones({kSize}, requires_grad())};
  };
  test::each_optimizer([&]<class O, class Options>(test::Of<O>, const char*, int, const std::vector<Options>& rows) {
    const std::vector<Tensor> expected = make_parameters(), p = make_parameters();
    for (const auto& all : {expected, p}) {
      for (const Tensor& t : all) t.mutable_grad() = ones_like(t);
    }
    O unlimited(expected, rows.back()), limited(p, rows.back());
    unlimited.step(), unlimited.step();
    empty_cache();
    set_memory_limit(memory_stats().held_bytes + kSize);
    BOOST_CHECK_THROW(limited.step(), MemoryError);
    set_memory_limit(std::numeric_limits<std::int64_t>::max());
    BOOST_TEST(test::same_bits(p[0].detach(), ones({4})));
    limited.step(), limited.step();
    for (std::size_t i = 0; i < p.size(); ++i) BOOST_TEST(test::same_bits(p[i].detach(), expected[i].detach()));
  });
}

// Rounding may leave v - m^2 below 0 when the gradient has been the same for long; a root of that would be NaN.
BOOST_AUTO_TEST_CASE(centered_rmsprop_of_a_steady_gradient) {
  for (const DType dtype : {kFloat32, kFloat64}) {
    for (const bool by_reference : {false, true}) {
      const Tensor w = zeros({64}, dtype).requires_grad_();
      optim::RMSprop rmsprop({w}, optim::RMSpropOptions(1e-9).alpha(0.5).centered(true));
      rmsprop.use_reference(by_reference);
      w.mutable_grad() = arange(1, 65).to(dtype) / 7;
      for (int step = 0; step < 200; ++step) rmsprop.step();
      BOOST_TEST(w.isfinite().all().item<bool>());
      w.mutable_grad()[3].fill_(std::numeric_limits<double>::quiet_NaN());
      rmsprop.step();
      BOOST_TEST(w.isnan().sum().item<std::int64_t>() == 1);
      BOOST_TEST(w[3].isnan().item<bool>());
    }
  }
}

// Module::to() in the middle of a training: the state follows.
BOOST_AUTO_TEST_CASE(state_follows_the_parameters_dtype) {
  nn::Linear model(3, 2);
  const Tensor x = randn({5, 3});
  optim::Adam adam(model->parameters(), optim::AdamOptions(0.1).amsgrad(true));
  optim::SGD sgd(model->parameters(), optim::SGDOptions(0.1).momentum(0.9));
  const auto train = [&](const Tensor& input) {
    adam.zero_grad();
    model->forward(input).square().sum().backward();
    adam.step();
    sgd.step();
  };
  train(x);
  const Tensor before = model->weight.detach().to(kFloat64);
  model->to(kFloat64);
  train(x.to(kFloat64));
  BOOST_TEST(model->weight.dtype() == kFloat64);
  BOOST_TEST(!allclose(model->weight.detach(), before));
  model->to(kFloat32);
  train(x);
  BOOST_TEST(model->weight.isfinite().all().item<bool>());
  model->weight.set_data(ones({1, 3}));
  model->weight.mutable_grad() = ones({1, 3});
  test::check_error<ShapeError>([&] { adam.step(); }, {"another shape", "[1, 3] for [2, 3]"});
}

BOOST_AUTO_TEST_SUITE_END()
