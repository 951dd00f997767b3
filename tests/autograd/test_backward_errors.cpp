// What errors out of a backward pass say: where, and what to do.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <functional>
#include <new>
#include <stdexcept>

#include <gradus/autograd/tensor/create.h>
#include <gradus/autograd/graph/engine.h>
#include <gradus/autograd/graph/grad_mode.h>
#include <gradus/autograd/graph/operation.h>
#include <gradus/core/ops/pointwise.h>
#include <gradus/gradus.h>

#include "../support/gradients.h"

namespace gradus::test {
namespace {

using namespace autograd;
using core::Array;

std::string here(int line) { return std::string(__FILE__) + ":" + std::to_string(line); }

// Two outputs whose formula reads both gradients without asking.
struct Careless {
  static constexpr std::string_view name = "test_careless";
  static std::tuple<Array, Array> forward(const Array& x) { return {x * 2, x * 3}; }
  static constexpr auto gradients = formulas([](Dy<0> a, Dy<1> b) { return a * 2 + b * 3; });
};
struct CarelessRule {
  static constexpr std::string_view name = "test_careless_rule";
  static std::tuple<Array, Array> forward(const Array& x) { return {x * 2, x * 3}; }
  static std::array<Array, 1> backward(DyArray<0> a, DyArray<1> b) { return {a * 2 + b * 3}; }
  static std::tuple<Tensor, Tensor> reference(const Tensor& x) { return {x * 2, x * 3}; }
};

// Broadcasts without saying so.
struct Scaled {
  static constexpr std::string_view name = "test_scaled";
  static Array forward(const Array& x, const Array& factor) { return x * factor; }
  static constexpr auto gradients =
      formulas([](Dy<> dy, In<1> factor) { return dy * factor; }, [](Dy<> dy, In<0> x) { return dy * x; });
};

// No gradient for the second input.
struct Weighted {
  static constexpr std::string_view name = "test_weighted";
  static Array forward(const Array& x, const Array& w) { return x * w; }
  static constexpr auto gradients = formulas([](Dy<> dy, In<1> w) { return dy * w; }, no_gradient);
};

// Two outputs, and a formula that keeps what it reads.
struct Careful {
  static constexpr std::string_view name = "test_careful";
  static std::tuple<Array, Array> forward(const Array& x) { return {x * x, x * 3}; }
  static constexpr auto gradients =
      formulas([](Dy<0> a, Dy<1> b, In<0> x) { return b.defined() ? a * x * 2 + b * 3 : a * x * 2; });
};
struct WritesToGradient {
  static constexpr std::string_view name = "test_writes_to_gradient";
  static Array forward(const Array& x) { return x * 2; }
  static constexpr auto gradients = formulas([](Dy<> dy) { return Tensor(dy).mul_(2); });
};
struct Pair : Function<Pair> {
  static variable_list forward(AutogradContext* ctx, const Tensor& x) {
    ctx->save_for_backward({x});
    return {x * x, x * 3};
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& dy) {
    return {dy[0] * ctx->get_saved_variables()[0] * 2 + dy[1] * 3};
  }
};

// Throws what it is told to.
struct Throwing {
  static constexpr std::string_view name = "test_throwing";
  static Array forward(const Array& x) { return x * 1; }
  static inline std::function<void()> thrower;
  static constexpr auto gradients = formulas([](Dy<> dy) {
    thrower();
    return Tensor(dy);
  });
};
struct Stop : std::runtime_error {
  using std::runtime_error::runtime_error;
  int code = 7;
};
struct Odd {};

}  // namespace

BOOST_AUTO_TEST_SUITE(backward_errors)

template <class Op>
void check_absent() {
  const Tensor x = leaf(Doubles{1, 2});
  const int line = __LINE__ + 1;
  const auto [a, b] = apply<Op>(x);
  const std::string place = "in the backward pass of " + std::string(Op::name) + ", recorded at " + here(line);
  check_error<Error>([&, &first = a] { first.sum().backward({}, true); },
                     {place, "output 1, which was not used: Dy<1> is undefined", "dy.defined()"});
  check_error<Error>([&, &second = b] { second.sum().backward({}, true); },
                     {place, "output 0, which was not used: Dy<0> is undefined", "dy.defined()"});
  (a.sum() + b.sum()).backward();
  BOOST_CHECK((values(x.grad()) == Doubles{5, 5}));
}

BOOST_AUTO_TEST_CASE(an_absent_gradient) {
  check_absent<Careless>();
  check_absent<CarelessRule>();
  // Where none is absent, or there is but one, nothing is said of it.
  const Tensor x = leaf(Doubles{1, 2}), y = apply<Throwing>(x);
  Throwing::thrower = [] { throw ValueError("told to"); };
  try {
    y.sum().backward();
    BOOST_ERROR("no error was thrown");
  } catch (const ValueError& error) {
    BOOST_CHECK(std::string(error.what()).find("Dy<") == std::string::npos);
  }
}

// An output that was not used is not the cause where something else is.
BOOST_AUTO_TEST_CASE(an_absent_gradient_is_not_always_the_cause) {
  const auto text_of = [](const std::function<void()>& call) {
    try {
      call();
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const Tensor x = leaf(Doubles{1, 2});
  for (const bool by_function : {false, true}) {
    for (const bool changed : {false, true}) {
      const Tensor h = x * 1, y = by_function ? Pair::apply(h)[0] : std::get<0>(apply<Careful>(h));
      if (changed)
        h.mul_(2);
      else
        y.sum().backward();
      const std::string text = text_of([&] { y.sum().backward(); });
      BOOST_CHECK(text.find("in the backward pass of") != std::string::npos);
      BOOST_CHECK_MESSAGE(text.find("not used") == std::string::npos, text);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_gradient_that_is_expanded_is_written_to) {
  const Tensor y = apply<WritesToGradient>(leaf(Doubles{1, 2}));
  check_error<ValueError>([&] { y.sum().backward(); },
                          {"its own memory", "incoming gradient of its output 0", "dy * 2", "clone()"});
}

BOOST_AUTO_TEST_CASE(a_grad_of_another_shape) {
  const Tensor x = leaf(Doubles{1, 2, 3}), other = leaf(Doubles{1, 2, 3});
  x.mutable_grad() = ones({4}, kFloat64);
  check_error<ShapeError>([&] { (x + other).sum().backward(); }, {"`.grad` of a leaf ([3], float64)", "[4]"});
  BOOST_CHECK(!other.grad().defined());
  x.mutable_grad() = Tensor();
  (x + other).sum().backward();
  BOOST_CHECK((values(x.grad()) == Doubles{1, 1, 1}));
}

BOOST_AUTO_TEST_CASE(a_broadcast_that_was_not_declared) {
  const Tensor x = leaf(Doubles{1, 2}), row = leaf(core::ones({3, 2}, kFloat64));
  check_error<ShapeError>(
      [&] { apply<Scaled>(x, row).sum().backward(); },
      {"test_scaled: the gradient of input 0", "[3, 2] for [2]", "`static constexpr bool broadcasts = true`"});
  check_error<ShapeError>([&] { apply<Scaled>(row, x).sum().backward(); }, {"input 1", "broadcasts = true"});
  const Tensor number = leaf(Doubles{2}).sum().detach().requires_grad_();
  check_error<ShapeError>([&] { apply<Scaled>(number, x).sum().backward(); }, {"[2] for []", "broadcasts = true"});
}

BOOST_AUTO_TEST_CASE(a_freed_graph_across_steps) {
  // A state that is carried over from step to step leads back to the step before.
  const Tensor w = leaf(Doubles{0.5});
  Tensor state = w * w;
  state.sum().backward();
  const Tensor next = (state * w).sum();
  check_error<GradError>([&] { next.backward(); },
                         {"mul: its saved values have been freed", "detach() what one step carries over",
                          "run the forward again", "retain_graph = true"});
  state = state.detach();
  (state * w).sum().backward();
}

BOOST_AUTO_TEST_CASE(a_saved_value_that_a_step_has_changed) {
  const std::string cure = "run backward() first and update parameters after it";
  const auto check_step = [&](const char* by, const std::function<void(const Tensor&)>& step) {
    const Tensor w = leaf(Doubles{3, 4}), loss = (w * w).sum();
    loss.backward({}, true);
    step(w);
    check_error<GradError>([&] { loss.backward(); }, {"mul: its input 1", by, cure});
    w.zero_grad();
    (w * w).sum().backward();
  };
  check_step("sub_ wrote to it at", [](const Tensor& w) {
    const NoGradGuard guard;
    w.sub_(1);
  });
  check_step("mul_ wrote to it", [](const Tensor& w) { w.detach().mul_(2); });
  check_step("optimizer step wrote to it",
             [](const Tensor& w) { optim::SGD(std::vector<Tensor>{w}, optim::SGDOptions(0.1)).step(); });
  // Of a parameter that is read through a view.
  nn::Linear layer(3, 2);
  const Tensor x = ones({4, 3}).requires_grad_(), loss = matmul(x, layer->weight.t()).sum();
  loss.backward({}, true);
  optim::SGD(layer->parameters(), optim::SGDOptions(0.1)).step();
  check_error<GradError>([&] { loss.backward(); }, {"matmul: its input 1", "optimizer step wrote to it", cure});
  // Of a result a clone is the cure, as it was.
  const Tensor h = leaf(Doubles{1, 2}) * 1, y = (h * h).sum();
  h.add_(1);
  check_error<GradError>([&] { y.backward(); }, {"add_ wrote to it", "clone()"});
}

BOOST_AUTO_TEST_CASE(no_gradient_on_the_way) {
  const Tensor x = leaf(Doubles{1, 2}), w = leaf(Doubles{3, 4}), unused = leaf(Doubles{5});
  const int line = __LINE__ + 1;
  const Tensor y = apply<Weighted>(x, w * 2).sum();
  check_error<GradError>(
      [&] {
        autograd::grad({y}, {x, w}, {}, true);
      },
      {"grad: no output depends on input 1 ([2], float64)",
       "ended at input 1 of test_weighted, recorded at " + here(line), "no_gradient", "allow_unused"});
  const std::vector<Tensor> g = autograd::grad({y}, {x, w}, {}, true, false, true);
  BOOST_CHECK(g[0].defined() && !g[1].defined());
  try {
    autograd::grad({y}, {unused}, {}, true);
    BOOST_ERROR("no error was thrown");
  } catch (const GradError& error) {
    BOOST_CHECK(std::string(error.what()).find("no_gradient") == std::string::npos);
  }
}

template <class E>
void check_noted(const std::function<void()>& thrower, const std::string& says) {
  const Tensor x = leaf(Doubles{1, 2});
  const int line = __LINE__ + 1;
  const Tensor y = apply<Throwing>(x), h = x * 1;
  const auto check_note = [&](const std::string& note, const std::function<void()>& call) {
    try {
      call();
      BOOST_ERROR("no error was thrown");
    } catch (const E& error) {
      BOOST_CHECK(typeid(error) == typeid(E));
      const std::string text = error.what();
      BOOST_CHECK_MESSAGE(text.find(says) == 0 && text.find(note) != std::string::npos, text << " has no " << note);
    }
  };
  Throwing::thrower = thrower;
  check_note("in the backward pass of test_throwing, recorded at " + here(line), [&] { y.sum().backward({}, true); });
  h.register_hook([&](const Tensor&) { thrower(); });
  check_note("in a hook on a gradient of mul, recorded at " + here(line), [&] { h.sum().backward({}, true); });
  const Tensor z = leaf(Doubles{1, 2, 3}), w = leaf(Doubles{1, 2, 3});
  z.register_hook([&](const Tensor&) { thrower(); });
  check_note("in a hook on a gradient of leaf ([3], float64)", [&] { (z * 2).sum().backward({}, true); });
  w.register_post_accumulate_grad_hook([&](Tensor&) { thrower(); });
  check_note("in a hook after accumulation into the grad of leaf ([3], float64)",
             [&] { (w * 2).sum().backward({}, true); });
}

BOOST_AUTO_TEST_CASE(exceptions_carry_the_operation_and_the_place) {
  check_noted<ValueError>([] { throw ValueError("test: told to"); }, "test: told to\n");
  check_noted<std::runtime_error>([] { throw std::runtime_error("told to"); }, "told to\n");
  check_noted<std::logic_error>([] { throw std::logic_error("told to"); }, "told to\n");
  check_noted<std::invalid_argument>([] { (void)std::stoi("seven"); }, "stoi\n");
  check_noted<std::out_of_range>([] { (void)std::vector<int>(2).at(5); }, "vector::_M_range_check");
  check_noted<std::length_error>([] { throw std::length_error("told to"); }, "told to\n");
}

BOOST_AUTO_TEST_CASE(exceptions_of_other_types_stay_what_they_are) {
  const Tensor x = leaf(Doubles{1, 2}), y = apply<Throwing>(x).sum();
  Throwing::thrower = [] { throw Stop("enough"); };
  try {
    y.backward({}, true);
    BOOST_ERROR("no error was thrown");
  } catch (const Stop& stop) {
    BOOST_CHECK_EQUAL(stop.code, 7);
    BOOST_CHECK_EQUAL(stop.what(), std::string("enough"));
  }
  Throwing::thrower = [] { throw Odd(); };
  BOOST_CHECK_THROW(y.backward({}, true), Odd);
  Throwing::thrower = [] { throw std::bad_alloc(); };
  BOOST_CHECK_THROW(y.backward({}, true), std::bad_alloc);
  BOOST_CHECK(!x.grad().defined());
  Throwing::thrower = [] {};
  y.backward();
  BOOST_CHECK((values(x.grad()) == Doubles{1, 1}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
