// Gradients on their way are read by several: what writes to one in place is refused, and by name.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <functional>

#include <gradus/autograd/tensor/create.h>
#include <gradus/autograd/graph/engine.h>
#include <gradus/autograd/graph/operation.h>
#include <gradus/core/ops/pointwise.h>

#include "../support/gradients.h"

namespace gradus::test {
namespace {

using namespace autograd;
using core::Array;

// y = 2 x, whose formula doubles what comes in where it is: the ways to do that.
enum class By { Number, Tensor, View, Detached, Data };
int written_at = 0;
constexpr std::string_view kDoubled[] = {"test_doubled_by_number", "test_doubled_by_tensor", "test_doubled_by_view",
                                         "test_doubled_detached", "test_doubled_data"};
template <By B>
struct DoubledInPlace {
  static constexpr std::string_view name = kDoubled[static_cast<int>(B)];
  static Array forward(const Array& x) { return x * 2; }
  static constexpr auto gradients = formulas([](Dy<> dy) -> Tensor {
    written_at = __LINE__ + 1;
    if (B == By::Number) dy.mul_(2);
    if (B == By::Tensor) dy += dy.detach().clone();
    if (B == By::View) dy.slice(0, 0, 1).mul_(2);
    if (B == By::Detached) dy.detach().mul_(2);
    if (B == By::Data) dy.array().mark_written("my_kernel");
    return dy;
  });
};

// The same by a rule, and where only the second formula reads what the first wrote.
struct RuleInPlace {
  static constexpr std::string_view name = "test_rule_in_place";
  static Array forward(const Array& x) { return x * 2; }
  static std::array<Array, 1> backward(DyArray<> dy) {
    core::mul.write(dy, dy, 2);
    return {dy};
  }
  static Tensor reference(const Tensor& x) { return x * 2; }
};
struct FirstInPlace {
  static constexpr std::string_view name = "test_first_in_place";
  static std::tuple<Array, Array> forward(const Array& a, const Array& b) { return {a + b, a - b}; }
  static constexpr auto gradients = formulas([](Dy<0> s, Dy<1> d) -> Tensor { return s.defined() ? d.add_(s) : d; },
                                             [](Dy<0> s, Dy<1> d) -> Tensor { return s.defined() ? s - d : -d; });
};

// Gives the same memory at each call.
struct OneBuffer {
  static constexpr std::string_view name = "test_one_buffer";
  static Array forward(const Array& x) { return x * 2; }
  static inline Tensor buffer;
  static constexpr auto gradients = formulas([](Dy<> dy) -> Tensor {
    buffer.copy_(dy * 2);
    return buffer;
  });
};

template <class Op>
void check_refused(const std::string& name, const std::string& by) {
  const Tensor a = leaf(Doubles{1, 2}), b = leaf(Doubles{3, 4}), g = tensor(Doubles{1, 1}, kFloat64);
  for (const bool create_graph : {false, true}) {
    if (create_graph && autograd::detail::IsRule<Op>) continue;  // its reference runs instead
    for (const bool first : {false, true}) {
      const Tensor y = first ? apply<Op>(b) + a : a + apply<Op>(b);
      check_error<GradError>([&] { y.backward(g.clone(), true, create_graph); },
                             {name + ": its formula must not change the incoming gradient ([2], float64) in place", by,
                              "clone()", "in the backward pass of " + name + ", recorded at"});
      BOOST_CHECK(!a.grad().defined() && !b.grad().defined());
      check_error<GradError>([&] { autograd::grad({y}, {a, b}, {g.clone()}, true, create_graph); }, {name});
    }
    // Nobody else reads it, and it is refused all the same: whether somebody does is not the formula's to know.
    check_error<GradError>([&] { (apply<Op>(b) * 1).backward(g.clone(), true, create_graph); }, {name});
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(incoming_gradients)

BOOST_AUTO_TEST_CASE(a_formula_that_writes_to_its_gradient_is_refused) {
  const std::string at = " wrote to it at " + std::string(__FILE__) + ":";
  check_refused<DoubledInPlace<By::Number>>("test_doubled_by_number", "mul_" + at);
  BOOST_CHECK_GT(written_at, 0);
  check_refused<DoubledInPlace<By::Number>>("test_doubled_by_number", "mul_" + at + std::to_string(written_at));
  check_refused<DoubledInPlace<By::Tensor>>("test_doubled_by_tensor", "add_ wrote to it");
  check_refused<DoubledInPlace<By::View>>("test_doubled_by_view", "mul_" + at);
  check_refused<DoubledInPlace<By::Detached>>("test_doubled_detached", "mul_" + at);
  check_refused<DoubledInPlace<By::Data>>("test_doubled_data", "my_kernel" + at);
  check_refused<RuleInPlace>("test_rule_in_place", "mul wrote to it");
}

BOOST_AUTO_TEST_CASE(a_formula_that_writes_to_one_of_several_gradients_is_refused) {
  const Tensor a = leaf(Doubles{1, 2}), b = leaf(Doubles{3, 4}), g = tensor(Doubles{1, 1}, kFloat64);
  const auto both = apply<FirstInPlace>(a, b);
  const Tensor sum = std::get<0>(both), difference = std::get<1>(both);
  autograd::backward({difference}, {g}, true);  // nothing to write
  check(a.grad(), {1, 1});
  check(b.grad(), {-1, -1});
  check_error<GradError>(
      [&] {
        autograd::backward({sum, difference}, {g, g.clone()}, true);
      },
      {"test_first_in_place: its formula", "add_ wrote to it"});
  check(a.grad(), {1, 1});
}

BOOST_AUTO_TEST_CASE(a_hook_that_writes_to_its_gradient_is_refused) {
  const std::vector<std::function<void(const Tensor&)>> hooks = {[](const Tensor& g) { g.mul_(2); },
                                                                 [](const Tensor& g) { g.slice(0, 0, 1).zero_(); },
                                                                 [](const Tensor& g) { g.detach().clamp_(-1, 1); }};
  for (const auto& hook : hooks) {
    for (const bool of_leaf : {false, true}) {
      for (const bool create_graph : {false, true}) {
        const Tensor a = leaf(Doubles{1, 2}), b = leaf(Doubles{3, 4}), h = b * 1;
        (of_leaf ? b : h).register_hook([&](const Tensor& g) { hook(g); });
        const Tensor y = a + (of_leaf ? b : h);
        check_error<GradError>([&] { y.backward(ones({2}, kFloat64), true, create_graph); },
                               {std::string("hook on a gradient of ") + (of_leaf ? "leaf" : "mul"),
                                "must not change its gradient in place", "wrote to it at " + std::string(__FILE__),
                                "return another", of_leaf ? "leaf ([2], float64)" : "mul, recorded at"});
        BOOST_CHECK(!a.grad().defined() && !b.grad().defined());
      }
    }
  }
  // What it returns in its place does as before, and so does a hook after accumulation.
  const Tensor a = leaf(Doubles{1, 2}), b = leaf(Doubles{3, 4});
  b.register_hook([](const Tensor& g) { return g.clone().mul_(2); });
  b.register_post_accumulate_grad_hook([](Tensor& grad) { grad.mul_(10); });
  (a + b).backward(ones({2}, kFloat64));
  check(a.grad(), {1, 1});
  check(b.grad(), {20, 20});
}

BOOST_AUTO_TEST_CASE(a_gradient_that_was_kept_is_not_written_to_while_it_waits) {
  const Tensor a = leaf(Doubles{1, 2}), b = leaf(Doubles{3, 4}), g = tensor(Doubles{1, 1}, kFloat64);
  // The hook of a later one writes to the gradient that has arrived at its sibling, or waits for it.
  const Tensor h = a * 1, late = b * 1, y = h + late;
  Tensor kept;
  y.register_hook([&](const Tensor& arrived) { kept = arrived; });
  late.register_hook([&](const Tensor&) { kept.mul_(2); });
  check_error<GradError>([&] { y.backward(g.clone(), true); }, {"must not change its gradient in place"});
  const Tensor k = leaf(Doubles{5, 6}) * 1, z = a + k + b * 1;
  Tensor of_k;
  k.register_hook([&](const Tensor& arrived) { of_k = arrived; });
  b.register_hook([&](const Tensor&) { of_k.mul_(2); });
  check_error<GradError>([&] { z.backward(g.clone(), true); },
                         {"leaf: its gradient ([2], float64) must not be changed on its way: mul_ wrote to it"});
  // A formula that returns one buffer for two nodes: the second call overwrites what the first has on its way.
  OneBuffer::buffer = zeros({2}, kFloat64);
  const Tensor u = apply<OneBuffer>(a) + apply<OneBuffer>(b) * 3;
  check_error<GradError>(
      [&] { autograd::backward({u}, {g.clone()}, true); },
      {"leaf: its gradient ([2], float64) must not be changed on its way: copy_ wrote to it", "clone()"});
  const Tensor p = a * 1, q = b * 1, v = apply<OneBuffer>(p) + apply<OneBuffer>(q) * 3;
  check_error<GradError>([&] { autograd::backward({v}, {g.clone()}, true); }, {"must not be changed on its way"});
  check_error<GradError>([&] { autograd::grad({u}, {a, b}, {g.clone()}, true); }, {"must not be changed on its way"});
  BOOST_CHECK(!a.grad().defined() && !b.grad().defined());
  OneBuffer::buffer = Tensor();
}

BOOST_AUTO_TEST_CASE(a_grad_given_as_gradient) {
  // What comes to b lies in a's `.grad`, which the same pass adds to: in either order.
  for (const bool swapped : {false, true}) {
    for (const bool as_view : {false, true}) {
      const Tensor a = leaf(Doubles{1, 2}), b = leaf(Doubles{3, 4});
      const Tensor y = swapped ? b + a : a + b;
      y.backward(tensor(Doubles{1, 10}, kFloat64));
      y.backward(as_view ? a.grad().view({2}) : a.grad());
      check(a.grad(), {2, 20});
      check(b.grad(), {2, 20});
      y.backward(as_view ? b.grad().detach() : b.grad());
      check(a.grad(), {4, 40});
      check(b.grad(), {4, 40});
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
