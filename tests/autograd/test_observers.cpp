// Observers: what they throw, the order in which they die, and names that are kept.
#include <boost/test/unit_test.hpp>

#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>

#include <nlohmann/json.hpp>

#include <gradus/autograd/fused/function.h>
#include <gradus/autograd/graph/anomaly.h>
#include <gradus/autograd/graph/engine.h>
#include <gradus/autograd/graph/record.h>
#include <gradus/autograd/tensor/create.h>
#include <gradus/gradus.h>

#include "../support/gradients.h"

namespace gradus::test {
namespace {

using autograd::AutogradContext;
using autograd::Record;
using autograd::variable_list;
using autograd::WatchFinite;
using nlohmann::json;
using Doubles = std::vector<double>;

// A name of its own, so that it is traced here first.
inline constexpr auto traced_here = pointwise("test_traced_under_anomaly", [](auto a) { return a / (a - a); });

// Says of each argument whether forward, and backward, were told that its gradient is wanted.
struct Asks : autograd::Function<Asks> {
  static inline std::vector<bool> forward_wants, backward_wants;
  static Tensor forward(AutogradContext* ctx, Tensor a, Tensor b) {
    forward_wants = {ctx->needs_input_grad(0), ctx->needs_input_grad(1)};
    ctx->save_for_backward({a, b});
    return a * b;
  }
  static variable_list backward(AutogradContext* ctx, variable_list dy) {
    backward_wants = {ctx->needs_input_grad(0), ctx->needs_input_grad(1)};
    const variable_list saved = ctx->get_saved_variables();
    return {dy[0] * saved[1], dy[0] * saved[0]};
  }
};

// Its backward waits for another thread, which asks the node for what it keeps.
struct Waits : autograd::Function<Waits> {
  static inline autograd::Node* node = nullptr;
  static Tensor forward(AutogradContext* ctx, Tensor x) {
    ctx->saved_data["runs"] = 0;
    return x * 2;
  }
  static variable_list backward(AutogradContext* ctx, variable_list dy) {
    std::string seen;
    std::thread([&] { seen = node->attributes().at(0).value; }).join();
    ctx->saved_data["runs"] = ctx->saved_data["runs"].toInt() + 1;
    BOOST_CHECK_EQUAL(seen, std::to_string(ctx->saved_data["runs"].toInt() - 1));
    return {dy[0] * 2};
  }
};

class Doubled final : public autograd::detail::FusedFunction {
 public:
  explicit Doubled(std::string name) : FusedFunction(std::move(name), 1, 1) {}
  variable_list compose(const variable_list& x) const override { return {x[0] * x[0]}; }
};

struct ThrowsAtStart : autograd::Observer {
  void started(const std::vector<Tensor>&, const autograd::Gradients&) override {
    throw std::runtime_error("not this pass");
  }
};

// Throws at one of the three things that it is told of a change in place.
struct ThrowsAtAChange : autograd::Observer {
  enum At { kWriting, kRecorded, kCarriedOver };
  explicit ThrowsAtAChange(At when) : at(when) {}
  void writing(autograd::Node&, const autograd::Operand*, int, bool) override { when(kWriting); }
  void recorded(autograd::Node&, const autograd::Operand*, int, const std::vector<core::Array>&) override {
    when(kRecorded);
  }
  void carried_over(autograd::Node&, const autograd::Operand*, int, const core::Array&) override { when(kCarriedOver); }
  void when(At now) const {
    if (now == at) throw std::runtime_error("not now");
  }
  At at;
};

struct Tripled : autograd::Function<Tripled> {
  static variable_list forward(autograd::AutogradContext* ctx, const Tensor& a, const Tensor& b) {
    a.mul_(3);
    b.mul_(3);
    ctx->mark_dirty({a, b});
    return {a, b};
  }
  static variable_list backward(autograd::AutogradContext*, const variable_list& dy) { return {dy[0] * 3, dy[1] * 3}; }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(observers)

BOOST_AUTO_TEST_CASE(what_they_throw_at_a_change_of_a_view_leaves_its_base_with_the_history_of_its_numbers) {
  using Throws = ThrowsAtAChange;
  for (const auto at : {Throws::kWriting, Throws::kRecorded, Throws::kCarriedOver}) {
    for (const bool contiguous : {true, false}) {
      for (const bool by_a_function : {false, true}) {
        BOOST_TEST_CONTEXT(at << ' ' << contiguous << ' ' << by_a_function) {
          const Tensor x = tensor({1, 2, 3, 4}, kFloat64).view({2, 2}).detach().requires_grad_();
          Tensor y = x * 1, z = x * 1;
          if (!contiguous) y = y.t();
          const Tensor v = y[0], w = z[0];
          {
            const Throws throws(at);
            BOOST_CHECK_THROW(by_a_function ? (void)Tripled::apply(v, w) : (void)v.mul_(3), std::runtime_error);
          }
          // Whatever its numbers are now, they are x times the gradient.
          for (const Tensor& base : {y, z}) {
            const Tensor dx = autograd::grad({base.sum()}, {x}, {}, true)[0];
            BOOST_CHECK(equal(base.detach(), (base.is_same(y) && !contiguous ? (dx * x).t() : dx * x).detach()));
          }
          const bool wrote = at != Throws::kWriting;
          BOOST_CHECK_EQUAL(y[0][0].item<double>(), wrote ? 3 : 1);
          BOOST_CHECK_EQUAL(z[0][0].item<double>(), wrote && by_a_function ? 3 : 1);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(what_they_throw_in_an_operation_in_place_leaves_the_history_right) {
  const Tensor x = leaf(Doubles{1, 2});
  Tensor y = x * 3, of_view = x * 3;
  {
    const func::SavedTensorsHooks hooks([](const Tensor&) -> Tensor { throw std::runtime_error("no room"); },
                                        [](const Tensor& t) { return t; });
    BOOST_CHECK_THROW(y.mul_(x * 2), std::runtime_error);
    BOOST_CHECK_THROW(of_view.narrow(0, 0, 1).mul_(x.narrow(0, 1, 1)), std::runtime_error);
  }
  BOOST_CHECK((values(y) == Doubles{6, 24}));  // 6 x^2
  BOOST_CHECK((values(autograd::grad({y.sum()}, {x})[0]) == Doubles{12, 24}));
  BOOST_CHECK((values(of_view) == Doubles{6, 6}));  // 3 x0 x1, 3 x1
  BOOST_CHECK((values(autograd::grad({of_view.sum()}, {x})[0]) == Doubles{6, 6}));
}

BOOST_AUTO_TEST_CASE(they_die_in_any_order) {
  auto first = std::make_unique<Record>(), second = std::make_unique<Record>(), third = std::make_unique<Record>();
  const Tensor x = leaf(Doubles{1, 2});
  first.reset();
  const Tensor y = x.exp();
  third.reset();
  y.sum().backward();
  BOOST_CHECK(second->text().find("exp") != std::string::npos);
  second.reset();
  const auto same = [](const Tensor& t) { return t; };
  auto one = std::make_unique<func::SavedTensorsHooks>(same, same);
  int packed = 0;
  auto two = std::make_unique<func::SavedTensorsHooks>([&](const Tensor& t) { return ++packed, t; }, same);
  one.reset();
  (void)x.exp();
  BOOST_CHECK_EQUAL(packed, 1);
  two.reset();
  (void)x.exp();
  BOOST_CHECK_EQUAL(packed, 1);
}

BOOST_AUTO_TEST_CASE(one_outlives_its_thread) {
  std::unique_ptr<Record> record;
  std::thread([&] {
    record = std::make_unique<Record>();
    (void)leaf(Doubles{1, 2}).exp();
  }).join();
  const Record here;
  BOOST_CHECK(record->text().find("exp") != std::string::npos);
  record.reset();
  (void)leaf(Doubles{1, 2}).tanh();
  BOOST_CHECK(here.text().find("tanh") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(passes_that_never_began_are_not_ended) {
  const Tensor x = leaf(Doubles{1, 2}), y = (x * 2).sum();
  Record record;
  {
    const ThrowsAtStart refuses;
    const WatchFinite inner(false);
    BOOST_CHECK_THROW(y.backward({}, true), std::runtime_error);
  }
  WatchFinite watch;
  const Tensor z = x * 1;
  z.register_hook([&](const Tensor& g) {  // a pass inside a pass that fails before it begins
    const ThrowsAtStart refuses;
    BOOST_CHECK_THROW(y.backward({}, true), std::runtime_error);
    return g;
  });
  z.sum().backward();
  const json passes = json::parse(record.json())["passes"];
  BOOST_REQUIRE_EQUAL(passes.size(), 1u);
  BOOST_CHECK(passes[0]["complete"].get<bool>());
  BOOST_CHECK_EQUAL(passes[0]["arrived"].size(), 1u);
}

BOOST_AUTO_TEST_CASE(a_watch_sees_operations_in_place) {
  const WatchFinite watch(true, true);
  const Tensor x = leaf(Doubles{1, 0, 2});
  const Tensor y = x * 1;
  check_error<GradError>([&] { y.log_(); }, {"log", "its output 0 ([3], float64) must be finite", "-inf at [1]"});
}

BOOST_AUTO_TEST_CASE(lambdas_are_traced_under_anomaly_mode) {
  const autograd::DetectAnomalyGuard guard;
  const Tensor x = leaf(Doubles{1, 2});
  const Tensor y = traced_here(x);  // that its gradient at what it is traced with is not finite does not matter
  check_error<GradError>([&] { y.sum().backward(); }, {"must be finite"});
}

BOOST_AUTO_TEST_CASE(forward_is_asked_of_edges_alone) {
  const Tensor a = leaf(Doubles{1, 2}), b = leaf(Doubles{3, 4});
  const auto f = [](const func::Tensors& in) { return func::Tensors{Asks::apply(in[0], in[1])}; };
  const Tensor y = func::checkpoint(f, func::Tensors{a, b})[0];
  const Tensor da = autograd::grad({y.sum()}, {a})[0];
  BOOST_CHECK((Asks::forward_wants == std::vector<bool>{true, true}));  // as in the first run
  BOOST_CHECK((Asks::backward_wants == std::vector<bool>{true, false}));
  BOOST_CHECK((values(da) == Doubles{3, 4}));
}

BOOST_AUTO_TEST_CASE(a_functions_backward_runs_without_locks) {
  const Tensor x = leaf(Doubles{1, 2}), y = Waits::apply(x);
  Waits::node = y.grad_fn().get();
  y.sum().backward({}, true);
  y.sum().backward();
  BOOST_CHECK_EQUAL(y.grad_fn()->attributes().at(0).value, "2");
  BOOST_CHECK((values(x.grad()) == Doubles{4, 4}));
}

BOOST_AUTO_TEST_CASE(names_are_not_handed_on) {
  const Tensor x = leaf(Doubles{1, 2});
  Record record;
  const Tensor kept = tensor(Doubles{5, 6});
  record.name(kept, "kept");
  for (int i = 0; i < 8; ++i) {
    {
      const Tensor constant = tensor(Doubles{-1, -2}), other = leaf(Doubles{-1, -2});
      record.name(constant, "dead");
      record.name(other, "dead");
      record.name(x * 2, "doubled");
    }
    const Tensor constant = tensor(Doubles{7, 8.0 + i}), other = leaf(Doubles{7, 8.0 + i});
    (void)(x * constant + other * kept);
  }
  const std::string text = record.text();
  BOOST_CHECK_MESSAGE(text.find("dead") == std::string::npos, text);
  BOOST_CHECK_MESSAGE(text.find("kept") != std::string::npos, text);
  std::istringstream lines(text);
  int doubled = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("doubled") == std::string::npos) continue;
    BOOST_CHECK_MESSAGE(line.find("  doubled:float64[2] = mul[value=2]") == 0, line);
    ++doubled;
  }
  BOOST_CHECK_EQUAL(doubled, 8);
}

BOOST_AUTO_TEST_CASE(a_record_keeps_the_names_of_functions_that_have_gone) {
  const std::string name = "a_function_whose_name_lies_in_memory_of_its_own";
  Record record;
  {
    const Tensor x = leaf(Doubles{1, 2});
    const Operand operand(x);
    Tensor y;
    autograd::detail::run_fused(std::make_shared<Doubled>(name), &operand, &y);
    y.sum().backward();
  }
  const std::string other(name.size(), '?');  // likely where the name was
  BOOST_CHECK(record.text().find(name + " ") != std::string::npos);
  BOOST_CHECK(record.json().find('"' + name + '"') != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
