// The backward engine and the graph: what runs, in which order, what is left behind, and what errors say.
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <exception>
#include <functional>
#include <optional>
#include <set>
#include <stdexcept>
#include <thread>

#include <gradus/autograd/tensor/create.h>
#include <gradus/autograd/graph/engine.h>
#include <gradus/autograd/graph/function.h>
#include <gradus/autograd/graph/grad_mode.h>
#include <gradus/autograd/check/gradcheck.h>
#include <gradus/autograd/graph/operation.h>
#include <gradus/autograd/tensor/print.h>
#include <gradus/core/ops/pointwise.h>

#include "../support/gradients.h"
#include "../support/threads.h"

namespace gradus::test {
namespace {

using autograd::apply;
using autograd::Dy;
using autograd::Edge;
using autograd::formulas;
using autograd::In;
using autograd::Node;
using core::Array;

std::string here(int line) { return std::string(__FILE__) + ":" + std::to_string(line); }

// Sine and cosine of one tensor: two outputs, either of which may go unused.
struct SinCos {
  static constexpr std::string_view name = "test_sin_cos";
  static std::tuple<Array, Array> forward(const Array& x) { return {core::sin(x), core::cos(x)}; }
  static inline std::vector<std::pair<bool, bool>> came;  // which gradients were there
  static constexpr auto gradients = formulas([](Dy<0> ds, Dy<1> dc, In<0> x) {
    came.emplace_back(ds.defined(), dc.defined());
    Tensor dx;
    if (ds.defined()) dx = ds * cos(x);
    if (dc.defined()) dx = dx.defined() ? dx - dc * sin(x) : -(dc * sin(x));
    return dx;
  });
};

// y = 3 x, which counts how often its gradient is asked for, and fails as often as it is told.
struct Tripled {
  static constexpr std::string_view name = "test_tripled";
  static Array forward(const Array& x) { return x * 3; }
  static inline std::atomic<int> runs{0}, failures{0};
  static constexpr auto gradients = formulas([](Dy<> dy) {
    ++runs;
    if (failures > 0) {
      --failures;
      throw ValueError("test_tripled: it was told to fail");
    }
    return dy * 3;
  });
};
Tensor tripled(Operand x) { return apply<Tripled>(x); }

// A formula of the wrong shape; with the promise that it broadcasts, and without.
template <bool Broadcasts>
struct Misshapen {
  static constexpr std::string_view name = Broadcasts ? "test_misshapen_broadcast" : "test_misshapen";
  static constexpr bool broadcasts = Broadcasts;
  static Array forward(const Array& x) { return x * 1; }
  static constexpr auto gradients = formulas([](Dy<> dy) { return cat({dy, dy}); });
};

// A gradient in another dtype than its input's.
struct WrongType {
  static constexpr std::string_view name = "test_wrong_type";
  static Array forward(const Array& x) { return x * 2; }
  static constexpr auto gradients = formulas([](Dy<> dy) { return (dy * 2).to(kFloat64); });
};

// y = x^2 whose formula runs a backward pass of its own.
struct SquareByGrad {
  static constexpr std::string_view name = "test_square_by_grad";
  static Array forward(const Array& x) { return x * x; }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) {
    const AutoGradMode recording(true);
    const Tensor z = x.detach().requires_grad_();
    return dy * autograd::grad({(z * z).sum()}, {z})[0];
  });
};

// y = 1 x whose formula gives what it got.
struct AsItCame {
  static constexpr std::string_view name = "test_as_it_came";
  static Array forward(const Array& x) { return x * 1; }
  static constexpr auto gradients = formulas([](Dy<> dy) { return dy; });
};

// y = a + b whose two gradients are one tensor, or two that show the same numbers.
template <bool OneTensor>
struct OneForBoth : autograd::Function<OneForBoth<OneTensor>> {
  static Tensor forward(autograd::AutogradContext*, Tensor a, Tensor b) { return a + b; }
  static autograd::variable_list backward(autograd::AutogradContext*, autograd::variable_list dy) {
    const Tensor g = dy[0] * 1;
    return {g, OneTensor ? g : Tensor(g.array())};
  }
};

// y = 2 x whose formula gives a gradient that has a history of its own.
struct TwiceWithHistory {
  static constexpr std::string_view name = "test_twice_with_history";
  static Array forward(const Array& x) { return x * 2; }
  static constexpr auto gradients = formulas([](Dy<> dy) {
    const AutoGradMode recording(true);
    return dy * full_like(dy, 2).requires_grad_();
  });
};

}  // namespace

BOOST_AUTO_TEST_SUITE(engine)

// --- Backward, and again ---------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(gradients_accumulate_in_leaves_only) {
  const Tensor x = leaf(Doubles{1, 2, 3}), w = leaf(Doubles{4, 5, 6});
  const Tensor y = x * w;
  y.sum().backward();
  check(x.grad(), {4, 5, 6});
  check(w.grad(), {1, 2, 3});
  BOOST_CHECK(!y.grad().defined());
  (x * w).sum().backward();
  check(x.grad(), {8, 10, 12});
  x.zero_grad();
  BOOST_CHECK(!x.grad().defined());
  (x * w).sum().backward();
  check(x.grad(), {4, 5, 6});
  check(w.grad(), {3, 6, 9});
}

BOOST_AUTO_TEST_CASE(backward_twice) {
  const Tensor x = leaf(Doubles{1, 2});
  const int line = __LINE__ + 1;
  const Tensor y = (x * x).sum();
  y.backward({}, true);
  y.backward();
  check(x.grad(), {4, 8});
  check_error<GradError>([&] { y.backward(); },
                         {"mul: ", "freed by an earlier backward pass", "retain_graph = true", here(line)});
  check(x.grad(), {4, 8});
  (x * x).sum().backward();
  check(x.grad(), {6, 12});
  // A graph that keeps no numbers can run again.
  const Tensor z = (x + x).sum();
  z.backward();
  z.backward();
  check(x.grad(), {10, 16});
  // create_graph retains as well.
  x.zero_grad();
  const Tensor u = (x * x).sum();
  u.backward({}, {}, true);
  u.backward();
  check(x.grad(), {4, 8});
}

BOOST_AUTO_TEST_CASE(saved_values_are_freed_as_soon_as_their_node_has_run) {
  const Tensor x = leaf(Doubles{1, 2});
  Tensor y = x.exp();
  const Tensor z = (y * y).sum();
  const std::int64_t arrays = memory_stats().live_arrays;
  y = Tensor();
  BOOST_CHECK_EQUAL(memory_stats().live_arrays, arrays);  // the graph keeps y's numbers
  z.backward();
  BOOST_CHECK_EQUAL(memory_stats().live_arrays, arrays);  // y's went, .grad came
  x.zero_grad();
  BOOST_CHECK_EQUAL(memory_stats().live_arrays, arrays - 1);
}

BOOST_AUTO_TEST_CASE(same_tensor_twice_in_one_operation) {
  const Tensor x = leaf(Doubles{1, 2, 3});
  const auto gradient_of = [&](const Tensor& y) {
    x.zero_grad();
    y.sum().backward();
    return values(x.grad());
  };
  BOOST_CHECK((gradient_of(x + x) == Doubles{2, 2, 2}));
  BOOST_CHECK((gradient_of(x - x) == Doubles{0, 0, 0}));
  BOOST_CHECK((gradient_of(x * x) == Doubles{2, 4, 6}));
  BOOST_CHECK((gradient_of(x / x) == Doubles{0, 0, 0}));
  BOOST_CHECK((gradient_of(cat({x, x, x})) == Doubles{3, 3, 3}));
  BOOST_CHECK((gradient_of(stack({x, x})) == Doubles{2, 2, 2}));
  BOOST_CHECK((gradient_of(dot(x, x)) == Doubles{2, 4, 6}));
  BOOST_CHECK((gradient_of(maximum(x, x)) == Doubles{1, 1, 1}));
  BOOST_CHECK((gradient_of(where(x > 1.5, x, x)) == Doubles{1, 1, 1}));
  BOOST_CHECK((gradient_of(x.unsqueeze(0) * x.unsqueeze(1)) == Doubles{12, 12, 12}));
}

BOOST_AUTO_TEST_CASE(shared_subgraphs_run_once) {
  const Tensor x = leaf(Doubles{1});
  Tripled::runs = 0;
  const Tensor shared = tripled(x);
  Tensor y = shared;
  for (int i = 0; i < 50; ++i) y = y + y;  // 2^50 paths
  (y + shared).backward();
  check(x.grad(), {3 * (std::ldexp(1.0, 50) + 1)});
  BOOST_CHECK_EQUAL(Tripled::runs.load(), 1);
}

BOOST_AUTO_TEST_CASE(several_outputs_at_once) {
  const Tensor x = leaf(Doubles{1, 2});
  const Tensor shared = x * x, a = shared.sum(), b = shared * 3;
  autograd::backward({a, b}, {Tensor(), tensor(Doubles{1, 10}, kFloat64)});
  check(x.grad(), {2 * (1 + 3), 4 * (1 + 30)});
  // The same output twice counts twice.
  x.zero_grad();
  const Tensor c = (x * 5).sum();
  autograd::backward({c, c});
  check(x.grad(), {10, 10});
}

BOOST_AUTO_TEST_CASE(only_into_given_leaves) {
  const Tensor x = leaf(Doubles{1, 2}), w = leaf(Doubles{3, 4}), other = leaf(Doubles{5});
  const Tensor y = (x * w).sum(), z = other * 2;
  Tripled::runs = 0;
  autograd::backward({y + tripled(other)}, {}, true, false, {x});
  check(x.grad(), {3, 4});
  BOOST_CHECK(!w.grad().defined());
  BOOST_CHECK(!other.grad().defined());
  BOOST_CHECK_EQUAL(Tripled::runs.load(), 0);  // nothing wanted lies beyond it
  // An output that leads to none of them, a leaf named twice.
  autograd::backward({y, z}, {}, true, false, {x, x, w});
  check(x.grad(), {6, 8});
  check(w.grad(), {1, 2});
  BOOST_CHECK(!other.grad().defined());
  // What is no leaf gets a .grad too, once, whether it was asked to retain it or not.
  autograd::backward({y}, {}, true, false, {y});
  check(y.grad(), {1});
  y.retain_grad();
  autograd::backward({y}, {}, true, false, {y, y});
  check(y.grad(), {2});
  check(x.grad(), {6, 8});
}

BOOST_AUTO_TEST_CASE(wrong_starts) {
  const Tensor x = leaf(Doubles{1, 2}), y = x * 2;
  check_error<GradError>([&] { y.backward(); }, {"backward", "single element", "[2]", "sum()"});
  check_error<ShapeError>([&] { y.backward(tensor(Doubles{1, 2, 3}, kFloat64)); }, {"backward", "[3]", "[2]"});
  check_error<GradError>(
      [&] {
        autograd::backward({y, y}, {tensor(Doubles{1, 2}, kFloat64)});
      },
      {"backward", "1 for 2"});
  check_error<GradError>([&] { tensor(Doubles{1}).backward(); }, {"backward", "must require grad", "[1]", "float32"});
  check_error<GradError>([&] { Tensor().backward(); }, {"undefined tensor"});
  check_error<GradError>([&] { autograd::grad({y.sum()}, {}); }, {"grad", "at least one input"});
  check_error<GradError>([&] { autograd::grad({y.sum()}, {tensor(Doubles{1})}); },
                         {"grad", "input 0", "must require grad"});
  BOOST_CHECK(!x.grad().defined());
  y.backward(tensor(Doubles{1, 10}));  // float32: cast
  check(x.grad(), {2, 20});
}

// --- Passes inside passes --------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(backward_inside_an_operation) {
  const Tensor x = leaf(Doubles{1, 2, 3});
  (apply<SquareByGrad>(x) * 10).sum().backward();
  check(x.grad(), {20, 40, 60});
}

BOOST_AUTO_TEST_CASE(backward_inside_a_hook) {
  const Tensor x = leaf(Doubles{1, 2}), w = leaf(Doubles{5});
  const Tensor y = x * 2, inner = (w * w).sum();
  Tensor second;
  y.register_hook([&](const Tensor& g) {
    BOOST_CHECK(!GradMode::is_enabled());
    inner.backward({}, true);
    second = autograd::grad({inner}, {w}, {}, true, true)[0];
    BOOST_CHECK(!GradMode::is_enabled());
    return g * w.grad();
  });
  y.sum().backward();
  check(w.grad(), {10});
  check(x.grad(), {20, 20});
  check(autograd::grad({second}, {w})[0], {2});
  BOOST_CHECK(GradMode::is_enabled());
}

// The pass alone holds the graph from then on.
BOOST_AUTO_TEST_CASE(a_hook_that_detaches_the_output_leaves_the_pass_its_graph) {
  const Tensor x = tensor({1., 2., 3.}).requires_grad_();
  const std::int64_t before = autograd::Node::alive();
  Tensor y = ((x * 2).exp().log() * x).sum();
  y.register_hook([&](const Tensor&) { y.detach_(); });
  y.backward();
  BOOST_TEST(!y.requires_grad());
  BOOST_TEST(allclose(x.grad(), x.detach() * 4));
  BOOST_TEST(autograd::Node::alive() == before);
}

BOOST_AUTO_TEST_CASE(a_grad_has_no_history_whatever_a_formula_gives) {
  const Tensor x = leaf(Doubles{1, 2});
  apply<TwiceWithHistory>(x).sum().backward();
  check(x.grad(), {2, 2});
  BOOST_TEST(!x.grad().requires_grad());
}

// --- A `.grad` takes over a gradient that nobody else holds: the second pass adds to it where it is ------------------

BOOST_AUTO_TEST_CASE(leaves_that_are_given_one_gradient_add_up_apart) {
  const auto add_up = [](const auto& sum_of) {
    for (const bool create_graph : {false, true}) {
      const Tensor a = leaf(Doubles{1, 2}), b = leaf(Doubles{3, 4});
      const Tensor y = sum_of(a, b);
      y.backward(tensor({1., 2.}), true, create_graph);
      y.backward(tensor({10., 20.}), true);
      check(a.grad(), {11, 22});
      check(b.grad(), {11, 22});
      a.grad().zero_();
      check(b.grad(), {11, 22});
    }
  };
  add_up([](const Tensor& a, const Tensor& b) { return OneForBoth<true>::apply(a, b); });
  add_up([](const Tensor& a, const Tensor& b) { return OneForBoth<false>::apply(a, b); });
  add_up([](const Tensor& a, const Tensor& b) { return a + b; });
}

BOOST_AUTO_TEST_CASE(a_gradient_that_a_hook_keeps_stays_as_it_was) {
  const auto stays = [](const auto& keep) {
    for (const bool create_graph : {false, true}) {
      const Tensor x = leaf(Doubles{1, 2});
      std::optional<decltype(keep(x))> kept;
      x.register_hook([&](const Tensor& g) {
        if (!kept) kept = keep(g);
      });
      const Tensor y = (x * tensor({3., 5.})).sum();
      y.backward({}, true, create_graph);
      y.backward({}, true);
      check(x.grad(), {6, 10});
      check(Tensor(*kept), {3, 5});
    }
  };
  stays([](const Tensor& g) { return g; });
  stays([](const Tensor& g) { return g.detach(); });
  stays([](const Tensor& g) { return g.array(); });
  stays([](const Tensor& g) { return g.array().reshape({2, 1}).reshape({2}); });
}

BOOST_AUTO_TEST_CASE(a_gradient_that_passes_through_is_not_the_leafs) {
  for (const bool create_graph : {false, true}) {
    const Tensor x = leaf(Doubles{1, 2}), y = apply<AsItCame>(x);
    y.retain_grad();
    const Tensor z = (y * tensor({3., 5.})).sum();
    z.backward({}, true, create_graph);
    z.backward({}, true);
    check(x.grad(), {6, 10});
    check(y.grad(), {6, 10});
    y.grad().zero_();
    check(x.grad(), {6, 10});
  }
}

BOOST_AUTO_TEST_CASE(a_gradient_that_the_user_gave_stays_as_it_was) {
  for (const bool create_graph : {false, true}) {
    const Tensor x = leaf(Doubles{1, 2}), g = tensor({3., 5.}, kFloat64);
    for (const Tensor& y : {x, apply<AsItCame>(x), x.view({2})}) {
      x.zero_grad();
      y.backward(g, true, create_graph);
      y.backward(g, true);
      check(x.grad(), {6, 10});
      check(g, {3, 5});
    }
  }
}

BOOST_AUTO_TEST_CASE(backward_into_the_same_leaf_from_its_own_hook) {
  const Tensor x = leaf(Doubles{1, 2});
  const Tensor more = (x * 100).sum();
  bool once = true;
  x.register_post_accumulate_grad_hook([&](Tensor&) {
    if (std::exchange(once, false)) more.backward();
  });
  (x * 2).sum().backward();
  check(x.grad(), {102, 102});
}

// --- Errors, and the next try ----------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(an_exception_in_a_formula_and_a_retry) {
  const Tensor x = leaf(Doubles{1, 2}), w = leaf(Doubles{3, 4});
  (x * w).sum().backward();
  const int line = __LINE__ + 1;
  const Tensor y = tripled(x);
  const Tensor z = ((y + w) * w).sum();
  Tripled::failures = 1;
  check_error<ValueError>([&] { z.backward({}, true); },
                          {"told to fail", "in the backward pass of test_tripled, recorded at " + here(line)});
  check(x.grad(), {3, 4});
  check(w.grad(), {1, 2});
  z.backward({}, true);
  check(x.grad(), {3 + 3 * 3, 4 + 3 * 4});
  check(w.grad(), {1 + 3 + 2 * 3, 2 + 6 + 2 * 4});
  // Without retain_graph what had run is gone: the next forward works.
  Tripled::failures = 1;
  BOOST_CHECK_THROW(z.backward(), ValueError);
  check_error<GradError>([&] { z.backward(); }, {"freed"});
  check(w.grad(), {10, 16});
  ((tripled(x) + w) * w).sum().backward();
  check(w.grad(), {10 + 9, 16 + 14});
}

BOOST_AUTO_TEST_CASE(an_exception_in_a_leafs_hook_changes_no_grad) {
  const Tensor a = leaf(Doubles{1}), b = leaf(Doubles{2}), c = leaf(Doubles{3});
  const Tensor y = a * b * c;
  for (const Tensor& failing : {a, b, c}) {
    const unsigned id = failing.register_hook([](const Tensor&) -> Tensor { throw std::runtime_error("from a hook"); });
    BOOST_CHECK_THROW(y.backward({}, true), std::runtime_error);
    for (const Tensor& x : {a, b, c}) BOOST_CHECK(!x.grad().defined());
    failing.remove_hook(id);
  }
  y.backward();
  check(a.grad(), {6});
  check(b.grad(), {3});
  check(c.grad(), {2});
}

BOOST_AUTO_TEST_CASE(a_gradient_of_the_wrong_shape_is_an_error) {
  const Tensor x = leaf(Doubles{1, 2, 3}), w = leaf(Doubles{1, 1, 1});
  const int line = __LINE__ + 1;
  const Tensor y = apply<Misshapen<false>>(x);
  check_error<ShapeError>(
      [&] { (y * w).sum().backward(); },
      {"test_misshapen: the gradient of input 0 must have the input's shape: [6] for [3]", here(line)});
  // The promise to broadcast lets shapes pass that a broadcast makes, and no others.
  check_error<ShapeError>([&] { apply<Misshapen<true>>(x).sum().backward(); },
                          {"test_misshapen_broadcast: ", "[6]", "[3]"});
  BOOST_CHECK(!x.grad().defined());
  BOOST_CHECK(!w.grad().defined());
  (x * w).sum().backward();
  check(x.grad(), {1, 1, 1});
}

BOOST_AUTO_TEST_CASE(a_gradient_of_another_dtype_is_cast) {
  const Tensor x = tensor(Doubles{1, 2}).requires_grad_();
  apply<WrongType>(x).sum().backward();
  BOOST_CHECK(x.grad().dtype() == kFloat32);
  check(x.grad(), {2, 2});
  // Operands of different dtypes each have a gradient of their own.
  const Tensor f = tensor(Doubles{1, 2}).requires_grad_(), d = leaf(Doubles{3, 4});
  const Tensor y = f * d;
  BOOST_CHECK(y.dtype() == kFloat64);
  y.sum().backward();
  BOOST_CHECK(f.grad().dtype() == kFloat32);
  BOOST_CHECK(d.grad().dtype() == kFloat64);
  check(f.grad(), {3, 4});
  check(d.grad(), {1, 2});
  // Through a conversion and back, and into integers, where it ends.
  f.zero_grad();
  (f.to(kFloat64) * d).to(kFloat32).sum().backward();
  check(f.grad(), {3, 4});
  BOOST_CHECK(!f.to(kInt64).requires_grad());
}

// --- Hooks -----------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(hooks_see_and_replace_gradients) {
  const Tensor x = leaf(Doubles{1, 2}), y = x * 3;
  std::vector<std::string> order;
  Doubles seen;
  y.register_hook([&](const Tensor& g) {
    order.push_back("first");
    seen = values(g);
  });
  y.register_hook([&](const Tensor& g) {
    order.push_back("second");
    return g * 10;
  });
  y.register_hook([&](Tensor g) -> Tensor {
    order.push_back("third");
    check(g, {20, 20});
    return {};
  });
  x.register_hook([&](const Tensor& g) {
    order.push_back("leaf");
    return g + 0.5;
  });
  (y + y).sum().backward();  // each runs once, on the sum of what arrives
  BOOST_CHECK((seen == Doubles{2, 2}));
  check(x.grad(), {60.5, 60.5});
  BOOST_CHECK((order == std::vector<std::string>{"first", "second", "third", "leaf"}));
}

BOOST_AUTO_TEST_CASE(hooks_are_removed) {
  const Tensor x = leaf(Doubles{1}), y = x * 3;
  const unsigned a = y.register_hook([](const Tensor& g) { return g * 10; });
  const unsigned b = y.register_hook([](const Tensor& g) { return g + 1; });
  y.backward({}, true);
  check(x.grad(), {33});
  y.remove_hook(a);
  y.remove_hook(a);
  x.zero_grad();
  y.backward({}, true);
  check(x.grad(), {6});
  y.remove_hook(b);
  // One that removes itself.
  unsigned self = 0;
  self = y.register_hook([&](const Tensor& g) {
    y.remove_hook(self);
    return g * 100;
  });
  x.zero_grad();
  y.backward({}, true);
  y.backward();
  check(x.grad(), {303});
}

BOOST_AUTO_TEST_CASE(hooks_that_go_wrong) {
  const Tensor x = leaf(Doubles{1, 2}), y = x * 3;
  const unsigned id = y.register_hook([](const Tensor& g) { return g.sum(); });
  check_error<ShapeError>([&] { y.sum().backward({}, true); }, {"hook", "mul", "[] for [2]"});
  y.remove_hook(id);
  y.register_hook([](const Tensor& g) { return (g * 2).to(kFloat32); });  // cast back
  y.sum().backward();
  check(x.grad(), {6, 6});
  BOOST_CHECK(x.grad().dtype() == kFloat64);
  check_error<GradError>([&] { tensor(Doubles{1}).register_hook([](const Tensor&) {}); },
                         {"register_hook", "require grad"});
  check_error<GradError>([&] { y.register_post_accumulate_grad_hook([](Tensor&) {}); },
                         {"register_post_accumulate_grad_hook", "leaf"});
}

BOOST_AUTO_TEST_CASE(a_hook_is_removed_by_its_own_number) {
  const Tensor x = leaf(Doubles{1, 2}), y = x * 2;
  std::vector<char> ran;
  const unsigned first = y.register_hook([&](const Tensor&) { ran.push_back('a'); });
  y.mul_(3);  // another node: the first hook stays with the numbers that it was put on
  const unsigned second = y.register_hook([&](const Tensor&) { ran.push_back('b'); });
  BOOST_CHECK_NE(first, second);
  y.sum().backward({}, true);
  BOOST_CHECK((ran == std::vector<char>{'b', 'a'}));
  y.remove_hook(first);
  y.sum().backward({}, true);
  BOOST_CHECK((ran == std::vector<char>{'b', 'a', 'b'}));
  y.remove_hook(second);
  y.remove_hook(second);
  y.sum().backward({}, true);
  BOOST_CHECK_EQUAL(ran.size(), 3u);
}

BOOST_AUTO_TEST_CASE(hooks_after_accumulation_come_last) {
  const Tensor a = leaf(Doubles{1}), b = leaf(Doubles{2});
  int ran = 0;
  const auto count = [&](Tensor&) { ++ran; };
  // One that adds others, in the middle of the list.
  a.register_post_accumulate_grad_hook([&](Tensor&) {
    for (int i = 0; i < 20; ++i) a.register_post_accumulate_grad_hook(count);
  });
  a.register_post_accumulate_grad_hook(count);
  b.register_post_accumulate_grad_hook([](Tensor&) { throw std::runtime_error("from a hook"); });
  BOOST_CHECK_THROW((a * b).backward(), std::runtime_error);
  check(a.grad(), {2});  // complete, both
  check(b.grad(), {1});
  BOOST_CHECK_LE(ran, 1);
}

BOOST_AUTO_TEST_CASE(a_grad_of_the_users_own_making) {
  const Tensor x = leaf(Doubles{1, 2, 3});
  x.mutable_grad() = tensor(Doubles{10}, kFloat64).expand({3});  // cannot be added to where it is
  (x * 2).sum().backward();
  check(x.grad(), {12, 12, 12});
}

BOOST_AUTO_TEST_CASE(hooks_run_for_the_output_that_they_are_on) {
  const Tensor x = leaf(Doubles{0.5});
  const auto [s, c] = apply<SinCos>(x);
  c.register_hook([](const Tensor& g) { return g * 0; });
  (s + c).sum().backward();
  check(x.grad(), {std::cos(0.5)});
  // Under create_graph a hook's work is recorded.
  const Tensor y = x * x;
  y.register_hook([&](const Tensor& g) { return g * x; });
  const Tensor dx = autograd::grad({y}, {x}, {}, true, true)[0];  // 2 x^2
  check(autograd::grad({dx}, {x})[0], {2});
}

BOOST_AUTO_TEST_CASE(post_accumulate_hooks) {
  const Tensor x = leaf(Doubles{1, 2});
  std::vector<Doubles> seen;
  x.register_post_accumulate_grad_hook([&](Tensor& grad) { seen.push_back(values(grad)); });
  (x * 2 + x).sum().backward();
  (x * 2).sum().backward();
  BOOST_CHECK((seen == std::vector<Doubles>{{3, 3}, {5, 5}}));
  // A step of an optimizer in the hook.
  const Tensor w = leaf(Doubles{1});
  w.register_post_accumulate_grad_hook([&](Tensor& grad) {
    const NoGradGuard guard;
    w.sub_(grad, 0.5);
    grad = Tensor();
  });
  for (int i = 0; i < 3; ++i) (w * w * 0.5).backward();
  check(w, {0.125});
  BOOST_CHECK(!w.grad().defined());
}

// --- Gradients that are absent, kept, aliased ------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(absent_gradients) {
  const Tensor x = leaf(Doubles{0.5});
  SinCos::came.clear();
  const auto [s, c] = apply<SinCos>(x);
  s.sum().backward({}, true);
  check(x.grad(), {std::cos(0.5)});
  x.zero_grad();
  c.sum().backward({}, true);
  check(x.grad(), {-std::sin(0.5)});
  x.zero_grad();
  (s * c).sum().backward({}, true);
  BOOST_CHECK_CLOSE(values(x.grad())[0], std::cos(1.0), 1e-12);
  BOOST_CHECK((SinCos::came == std::vector<std::pair<bool, bool>>{{true, false}, {false, true}, {true, true}}));
  BOOST_CHECK_EQUAL(s.output_nr(), 0);
  BOOST_CHECK_EQUAL(c.output_nr(), 1);
  const autograd::TensorFunction both = [](const std::vector<Tensor>& in) {
    const auto [sine, cosine] = apply<SinCos>(in[0]);
    return std::vector<Tensor>{sine, cosine};
  };
  BOOST_CHECK(gradcheck(both, {x}));
  BOOST_CHECK(gradgradcheck(both, {x}));
  // An index has no gradient at all.
  const auto [largest, at] = max(leaf(Doubles{1, 3, 2}), 0);
  BOOST_CHECK(largest.requires_grad());
  BOOST_CHECK(!at.requires_grad());
}

BOOST_AUTO_TEST_CASE(retained_gradients) {
  const Tensor x = leaf(Doubles{1, 2}), y = x * 3, z = y * y;
  BOOST_CHECK(!y.retains_grad());
  y.retain_grad();
  y.retain_grad();
  x.retain_grad();  // a leaf keeps it anyway
  BOOST_CHECK(y.retains_grad());
  BOOST_CHECK(!x.retains_grad());
  z.sum().backward({}, true);
  check(y.grad(), {6, 12});
  check(x.grad(), {18, 36});
  z.sum().backward({}, true);
  check(y.grad(), {12, 24});
  // As PyTorch's: also when the pass leads to something else.
  (void)autograd::grad({z.sum()}, {x}, {}, true);
  check(x.grad(), {36, 72});
  check(y.grad(), {18, 36});
  autograd::backward({z.sum()}, {}, true, false, {x});
  check(y.grad(), {24, 48});
  // Detached, it keeps nothing any more.
  const Tensor cut = x * 3, product = cut * cut;
  cut.retain_grad();
  cut.detach_();
  product.sum().backward({}, true);
  BOOST_CHECK(!cut.grad().defined());
  x.zero_grad();
  // What is kept shares memory with no other gradient.
  const Tensor a = x * 1, b = x * 1;
  a.retain_grad();
  b.retain_grad();
  const Tensor g = tensor(Doubles{1, 1}, kFloat64);
  (a + b).backward(g);
  a.grad().zero_();
  check(b.grad(), {1, 1});
  check(g, {1, 1});
  check_error<GradError>([] { tensor(Doubles{1}).retain_grad(); }, {"retain_grad", "require grad"});
  // After a change in place it is the gradient of the new numbers.
  x.zero_grad();
  const Tensor v = x * 1;
  v.retain_grad();
  v.mul_(5);
  BOOST_CHECK(v.retains_grad());
  (v * 7).sum().backward();
  check(v.grad(), {7, 7});
  check(x.grad(), {35, 35});
  // Also of a view, when its base changes, and of a base, when a view does.
  const Tensor base = x * 1, view = base.slice(0, 0, 1);
  base.retain_grad();
  view.retain_grad();
  base.mul_(5);
  view.mul_(3);
  BOOST_CHECK(base.retains_grad() && view.retains_grad());
  (base.sum() + view.sum() * 7).backward();
  check(base.grad(), {8, 1});
  check(view.grad(), {7});
  // An error on the way leaves it as it was, too.
  const Tensor t = tripled(x), u = t * 2;
  u.retain_grad();
  Tripled::failures = 1;
  BOOST_CHECK_THROW(u.sum().backward({}, true), ValueError);
  BOOST_CHECK(!u.grad().defined());
  u.sum().backward();
  check(u.grad(), {1, 1});
}

BOOST_AUTO_TEST_CASE(gradients_share_memory_with_nobody) {
  // Both operands of a sum get the very same gradient: what happens to one .grad must not happen to the other.
  for (const bool create_graph : {false, true}) {
    const Tensor x = leaf(Doubles{1, 2}), w = leaf(Doubles{3, 4});
    const Tensor from_above = tensor(Doubles{1, 10}, kFloat64);
    (x + w).backward(from_above, true, create_graph);
    {
      const NoGradGuard guard;
      x.grad().mul_(100);
    }
    check(w.grad(), {1, 10});
    check(from_above, {1, 10});
    (x + w).backward(from_above, true, create_graph);
    check(x.grad(), {101, 1010});
    check(w.grad(), {2, 20});
    check(from_above, {1, 10});
    w.grad().detach().zero_();
    check(x.grad(), {101, 1010});
    x.zero_grad();  // with a history, .grad leads back to its leaf: let go
    w.zero_grad();
  }
  // A leaf that is its own output.
  const Tensor x = leaf(Doubles{1, 2}), g = tensor(Doubles{5, 6}, kFloat64);
  x.backward(g);
  x.backward(g);
  check(x.grad(), {10, 12});
  check(g, {5, 6});
}

BOOST_AUTO_TEST_CASE(a_buffer_is_not_reused_while_somebody_looks_at_it) {
  const Tensor x = leaf(Doubles{1, 2, 3}), y = x * 1;
  Tensor whole, part, alias;
  Array numbers;
  const Tensor late = y * 2;  // its gradient arrives first: it has the highest number
  const Tensor z = y.exp() * 0 + late * 3;
  late.register_hook([&](const Tensor& g) { whole = g; });
  y.register_hook([&](const Tensor& g) {
    part = g.slice(0, 1, 3);
    alias = g.detach();
    numbers = g.array();
  });
  z.sum().backward({}, true);
  check(whole, {3, 3, 3});
  check(part, {6, 6});
  check(x.grad(), {6, 6, 6});
  z.sum().backward({}, true);
  (x * 1000).sum().backward();
  check(x.grad(), {1012, 1012, 1012});
  check(part, {6, 6});
  check(alias, {6, 6, 6});
  BOOST_CHECK((values(numbers) == Doubles{6, 6, 6}));
  // The first of two gradients that meet is looked at through a view.
  const Tensor u = x * 1, a = u * 2, b = u * 3;
  Tensor seen;
  x.zero_grad();
  b.register_hook([&](const Tensor& g) { seen = g.select(0, 0); });
  (a + b).sum().backward();
  check(seen, {1});
  check(x.grad(), {5, 5, 5});
}

BOOST_AUTO_TEST_CASE(the_first_gradient_is_taken_over) {
  const Tensor x = leaf(core::full({1000}, 2, kFloat64)), w = leaf(core::full({1000}, 3, kFloat64));
  const Tensor y = x * w;
  const Tensor dy(core::full({1000}, 1, kFloat64));
  const std::int64_t before = memory_stats().allocations;
  y.backward(dy);
  BOOST_CHECK_EQUAL(memory_stats().allocations - before, 2);  // one product each, and no copy
}

// --- grad() ----------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(grad_touches_no_leaf) {
  const Tensor x = leaf(Doubles{1, 2}), w = leaf(Doubles{3, 4});
  const Tensor h = x * w, y = (h * h).sum();
  const std::vector<Tensor> g = autograd::grad({y}, {x, h, w, y}, {}, true);
  check(g[0], {2 * 1 * 9, 2 * 2 * 16});
  check(g[1], {6, 16});
  check(g[2], {2 * 3 * 1, 2 * 4 * 4});
  check(g[3], {1});
  BOOST_CHECK(!x.grad().defined());
  BOOST_CHECK(!w.grad().defined());
  for (const Tensor& each : g) BOOST_CHECK(!each.requires_grad());
  // Inputs that depend on each other have their whole gradients, each.
  const Tensor a = x * 2, b = a * 3, c = (b * a).sum();
  const std::vector<Tensor> chain = autograd::grad({c}, {b, a, x}, {}, true);
  check(chain[0], {2, 4});
  check(chain[1], {12, 24});
  check(chain[2], {24, 48});
}

BOOST_AUTO_TEST_CASE(grad_of_several_outputs_and_unused_inputs) {
  const Tensor x = leaf(Doubles{1, 2}), w = leaf(Doubles{3, 4}), unused = leaf(Doubles{9});
  const Tensor a = x * x, b = (x * w).sum();
  const std::vector<Tensor> g = autograd::grad({a, b}, {x}, {tensor(Doubles{1, 10}, kFloat64), Tensor()}, true);
  check(g[0], {2 + 3, 40 + 4});
  check_error<GradError>(
      [&] {
        autograd::grad({b}, {x, unused}, {}, true);
      },
      {"grad: no output depends on input 1", "[1]", "float64", "allow_unused"});
  const std::vector<Tensor> allowed = autograd::grad({b}, {unused, x, unused}, {}, true, false, true);
  BOOST_CHECK(!allowed[0].defined());
  BOOST_CHECK(!allowed[2].defined());
  check(allowed[1], {3, 4});
  // One tensor asked for twice.
  const std::vector<Tensor> twice = autograd::grad({b}, {w, w}, {}, true);
  check(twice[0], {1, 2});
  check(twice[1], {1, 2});
}

BOOST_AUTO_TEST_CASE(grad_runs_only_what_lies_between) {
  const Tensor x = leaf(Doubles{1}), other = leaf(Doubles{2});
  const Tensor h = x * 2;
  Tripled::runs = 0;
  const Tensor y = h * tripled(other) + tripled(h);
  check(autograd::grad({y}, {h}, {}, true)[0], {6 + 3});
  BOOST_CHECK_EQUAL(Tripled::runs.load(), 1);
  const Tensor below = tripled(x), z = below * below;
  Tripled::runs = 0;
  check(autograd::grad({z}, {below}, {}, true)[0], {6});
  BOOST_CHECK_EQUAL(Tripled::runs.load(), 0);  // it lies beyond what was asked for
}

BOOST_AUTO_TEST_CASE(higher_orders) {
  const Tensor x = leaf(Doubles{0.3, -0.7});
  Tensor y = (x * x * x * x).sum();
  const Doubles expected[] = {{4 * 0.027, -4 * 0.343}, {12 * 0.09, 12 * 0.49}, {24 * 0.3, -24 * 0.7}, {24, 24}};
  for (const Doubles& order : expected) {
    const Tensor g = autograd::grad({y}, {x}, {}, true, true)[0];
    BOOST_CHECK_LE(error(g, Tensor(list(order))), 1e-14);
    y = g.sum();
  }
  BOOST_CHECK(!y.requires_grad());  // a number
  // With respect to what came from above.
  const Tensor u = leaf(Doubles{1, 2});
  const Tensor g = autograd::grad({x * x}, {x}, {u}, {}, true)[0];
  BOOST_CHECK_LE(error(autograd::grad({g.sum()}, {u})[0], Tensor(list(Doubles{0.6, -1.4}))), 1e-14);
  // A penalty on the gradient, by backward().
  const Tensor w = leaf(Doubles{2});
  const Tensor p = autograd::grad({w * w * w}, {w}, {}, {}, true)[0];  // 3 w^2
  (p * p).sum().backward();                                            // d 9 w^4 / dw
  check(w.grad(), {36 * 8});
}

BOOST_AUTO_TEST_CASE(a_gradient_with_a_history_holds_nothing_for_ever) {
  const Alive before;
  {
    const Tensor x = leaf(Doubles{1, 2}), y = x.exp(), z = y * y;
    y.retain_grad();
    z.sum().backward({}, true, true);
    BOOST_CHECK(x.grad().requires_grad());
    check(autograd::grad({y.grad().sum()}, {y}, {}, true)[0], {2, 2});
    z.sum().backward({}, true, true);  // and added up
    BOOST_CHECK(x.grad().requires_grad());
  }
  BOOST_CHECK_EQUAL(Alive(), before);
  {
    // A saved output, read again under create_graph, leads back to its own node.
    const Tensor x = leaf(Doubles{1, 2}), y = x.tanh();
    const Tensor g = autograd::grad({y.sum()}, {x}, {}, true, true)[0];
    (void)autograd::grad({g.sum()}, {x}, {}, true, true);
  }
  BOOST_CHECK_EQUAL(Alive(), before);
}

// --- Threads ---------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(concurrent_passes_lose_no_gradient) {
  const Alive before;
  {
    const Tensor w = leaf(core::full({64}, 1, kFloat64)), b = leaf(core::full({1}, 1, kFloat64));
    std::atomic<int> calls{0};
    w.register_post_accumulate_grad_hook([&](Tensor&) { ++calls; });
    constexpr int kThreads = 6, kPasses = 300;
    in_threads(kThreads, [&](int i) {
      for (int k = 0; k < kPasses; ++k) (w * (i + 1) + b).sum().backward();
    });
    check(w.grad(), Doubles(64, 21. * kPasses));
    check(b.grad(), {64. * kThreads * kPasses});
    BOOST_CHECK_EQUAL(calls.load(), kThreads * kPasses);
  }
  BOOST_CHECK_EQUAL(Alive(), before);
}

BOOST_AUTO_TEST_CASE(concurrent_passes_through_a_shared_graph) {
  const Tensor w = leaf(Doubles{1, 2, 3}), shared = (w * w).exp();
  in_threads(4, [&](int i) {
    for (int k = 0; k < 100; ++k) {
      const std::vector<Tensor> g = autograd::grad({(shared * (i + 1)).sum()}, {w}, {}, true);
      const Doubles got = values(g[0]);
      for (int j = 0; j < 3; ++j) {
        const double x = j + 1, expected = (i + 1) * 2 * x * std::exp(x * x);
        if (std::fabs(got[static_cast<std::size_t>(j)] - expected) > 1e-9 * expected)
          throw std::logic_error("wrong gradient");
      }
    }
  });
}

BOOST_AUTO_TEST_CASE(concurrent_passes_that_free_a_shared_graph) {
  // Without retain_graph only one pass is sure to find the saved values: another has the right gradient or the error.
  for (int round = 0; round < 100; ++round) {
    const Tensor x = leaf(Doubles{1, 2, 3});
    Tensor shared = x;
    for (int i = 0; i < 5; ++i) shared = (shared * x).sin() * 0.5;
    const Doubles expected = values(autograd::grad({shared.sum()}, {x}, {}, true)[0]);
    std::atomic<int> right{0}, freed{0};
    in_threads(3, [&](int) {
      try {
        const Doubles got = values(autograd::grad({shared.sum()}, {x})[0]);
        if (got != expected) throw std::logic_error("wrong gradient");
        ++right;
      } catch (const GradError& error) {
        if (std::string(error.what()).find("freed by an earlier backward pass") == std::string::npos) throw;
        ++freed;
      }
    });
    BOOST_REQUIRE_EQUAL(right + freed, 3);
  }
}

BOOST_AUTO_TEST_CASE(graphs_built_in_several_threads) {
  // Counters per thread would number these chains alike and run the join too early: each part is longer than the one
  // that reads it.
  const Tensor x = leaf(Doubles{2});
  for (int round = 0; round < 20; ++round) {
    x.zero_grad();
    std::vector<Tensor> parts(5);
    in_threads(5, [&](int i) {
      Tensor y = x * (i + 1);
      for (int k = 0; k < 200 * (5 - i); ++k) y = y * 1;
      parts[static_cast<std::size_t>(i)] = y;
    });
    Tensor joined;
    std::thread([&] {  // a thread whose own count is still low
      joined = parts[0] * parts[1] + parts[2];
      joined = joined + parts[3] * parts[4] + joined;
    })
        .join();
    joined.backward();
    // 2 (2 x^2 + 3 x) + 20 x^2 = 24 x^2 + 6 x
    check(x.grad(), {48 * 2 + 6});
  }
  // Handed from thread to thread, each reading what it made and what it was given.
  Tensor y = x * 1;
  const Tensor first = y;
  for (int i = 0; i < 6; ++i) std::thread([&] { y = y * first + y; }).join();
  x.zero_grad();
  y.backward();
  check(x.grad(), {std::pow(3, 6) + 2 * 6 * std::pow(3, 5)});  // d x (x + 1)^6
}

BOOST_AUTO_TEST_CASE(numbers_exceed_those_of_all_inputs) {
  const Tensor x = leaf(Doubles{1});
  Tensor y = x * 2;
  for (int i = 0; i < 100; ++i) y = y + 1;
  std::uint64_t number = 0;
  std::thread([&] {
    const Tensor z = y * x;
    number = z.grad_fn()->number();
  }).join();
  BOOST_CHECK_GT(number, y.grad_fn()->number());
}

// --- What is recorded ------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(requires_grad_rules) {
  const Tensor x = tensor(Doubles{1, 2});
  BOOST_CHECK(!x.requires_grad());
  BOOST_CHECK(x.is_leaf());
  BOOST_CHECK(!(x * 2).requires_grad());
  x.requires_grad_();
  BOOST_CHECK(x.requires_grad() && x.is_leaf());
  const Tensor y = x * 2;
  BOOST_CHECK(y.requires_grad() && !y.is_leaf());
  BOOST_CHECK(!x.grad_fn());
  BOOST_CHECK_EQUAL(y.grad_fn()->name(), "mul");
  y.requires_grad_();
  check_error<GradError>([&] { y.requires_grad_(false); }, {"requires_grad_", "mul", "detach()"});
  check_error<GradError>([] { tensor(std::vector<int>{1}).requires_grad_(); },
                         {"requires_grad_", "floating-point", "int64"});
  BOOST_CHECK(!(x > 1).requires_grad());
  BOOST_CHECK(!x.argmax().requires_grad());
  // A leaf may stop and start again; its .grad stays.
  y.sum().backward();
  x.requires_grad_(false);
  BOOST_CHECK(!(x * 2).requires_grad());
  check(x.grad(), {2, 2});
  x.requires_grad_();
  (x * 2).sum().backward();
  check(x.grad(), {4, 4});
  // A copy of the handle is the same tensor.
  const Tensor same = x;
  same.requires_grad_(false);
  BOOST_CHECK(!x.requires_grad());
}

BOOST_AUTO_TEST_CASE(detached) {
  const Tensor x = leaf(Doubles{1, 2}), y = x * 2, d = y.detach();
  BOOST_CHECK(!d.requires_grad() && d.is_leaf());
  BOOST_CHECK(d.array().storage() == y.array().storage());
  (y * d).sum().backward();
  check(x.grad(), {2 * 2, 2 * 4});
  y.detach_();
  BOOST_CHECK(!y.requires_grad() && y.is_leaf());
  BOOST_CHECK(!y.grad_fn());
  y.requires_grad_();
  (y * 3).sum().backward();
  check(y.grad(), {3, 3});
  check_error<GradError>([&] { (x * 2)[0].detach_(); }, {"detach_", "view"});
}

BOOST_AUTO_TEST_CASE(no_grad) {
  const Tensor x = leaf(Doubles{1, 2});
  const std::int64_t created = Node::created();
  {
    const NoGradGuard guard;
    BOOST_CHECK(!GradMode::is_enabled());
    BOOST_CHECK(!(x * 2).requires_grad());
    BOOST_CHECK(x.requires_grad());
    {
      const AutoGradMode again(true);
      BOOST_CHECK((x * 2).requires_grad());
    }
    BOOST_CHECK(!GradMode::is_enabled());
    std::thread([&] { BOOST_CHECK(GradMode::is_enabled()); }).join();
    x.mul_(10);  // a leaf
  }
  BOOST_CHECK_EQUAL(Node::created(), created + 1);
  BOOST_CHECK(GradMode::is_enabled());
  try {
    const NoGradGuard guard;
    throw std::runtime_error("");
  } catch (const std::runtime_error&) {
  }
  BOOST_CHECK(GradMode::is_enabled());
  (x * x).sum().backward();
  check(x.grad(), {20, 40});
}

BOOST_AUTO_TEST_CASE(set_data_keeps_the_history) {
  const Tensor x = leaf(Doubles{1, 2}), same = x;
  const Tensor y = (x * x).sum();
  x.set_data(tensor(Doubles{10, 20}, kFloat64));
  check(same, {10, 20});
  y.backward();  // of the numbers that were saved
  check(x.grad(), {2, 4});
  (x * x).sum().backward();
  check(x.grad(), {22, 44});
  check_error<GradError>([&] { x.set_data(tensor(std::vector<int>{1, 2})); }, {"set_data", "floating-point", "int64"});
  // Another shape and dtype: the gradient follows.
  x.zero_grad();
  x.set_data(tensor(std::vector<float>{1, 2, 3}));
  (x * x).sum().backward();
  check(x.grad(), {2, 4, 6});
  BOOST_CHECK(x.grad().dtype() == kFloat32);
}

// --- Saved values that were changed ----------------------------------------------------------------------------------

// Runs `change` between forward and backward of y = sum(h * w), h = x * 2, and then a correct step on the same objects.
void check_saved(const char* by, const std::function<int(const Tensor& h, const Tensor& w)>& change) {
  BOOST_TEST_CONTEXT(by) {
    const Tensor x = leaf(Doubles{1, 2, 3, 4}), w = leaf(Doubles{1, 1, 1, 1});
    const Tensor h = x * 2;
    const int saved_at = __LINE__ + 1;
    const Tensor y = (h * w).sum();
    const int changed_at = change(h, w);
    check_error<GradError>([&] { y.backward({}, true); },
                           {"mul: its input 0 ([4], float64), saved at " + here(saved_at),
                            std::string(by) + " wrote to it at " + here(changed_at), "clone()"});
    BOOST_CHECK(!x.grad().defined());
    BOOST_CHECK(!w.grad().defined());
    ((x * 2) * w).sum().backward();
    check(x.grad(), {2, 2, 2, 2});
    check(w.grad(), {2, 4, 6, 8});
  }
}

BOOST_AUTO_TEST_CASE(a_saved_value_changed) {
  check_saved("add_", [](const Tensor& h, const Tensor&) { return h.add_(1), __LINE__; });
  check_saved("mul_", [](const Tensor& h, const Tensor&) { return h[0].mul_(2), __LINE__; });
  check_saved("mul_", [](const Tensor& h, const Tensor&) { return h.slice(0, 0, 2).mul_(2), __LINE__; });
  check_saved("zero_", [](const Tensor& h, const Tensor&) { return h.split(2)[1].zero_(), __LINE__; });
  check_saved("fill_", [](const Tensor& h, const Tensor&) { return h.detach().fill_(3), __LINE__; });
  check_saved("div_", [](const Tensor& h, const Tensor&) { return h.data().div_(3), __LINE__; });
  check_saved("sub_", [](const Tensor& h, const Tensor&) { return h -= 3, __LINE__; });
  check_saved("copy_", [](const Tensor& h, const Tensor&) { return h.view({2, 2})[1].copy_(h[0]), __LINE__; });
  check_saved("add_", [](const Tensor& h, const Tensor&) {
    const NoGradGuard guard;
    return h.add_(1), __LINE__;
  });
  // Assignments to views without a name: numbers of any type, tensors, results.
  check_saved("fill_", [](const Tensor& h, const Tensor&) { return h[1] = 2, __LINE__; });
  check_saved("fill_", [](const Tensor& h, const Tensor&) { return h[std::size_t{1}] = 2.5F, __LINE__; });
  check_saved("fill_",
              [](const Tensor& h, const Tensor&) { return h.index({indexing::Slice(1, 3)}) = true, __LINE__; });
  check_saved("fill_", [](const Tensor& h, const Tensor&) { return h[1] = Scalar(3), __LINE__; });
  check_saved("copy_", [](const Tensor& h, const Tensor& w) { return h[1] = w[2], __LINE__; });
  check_saved("copy_", [](const Tensor& h, const Tensor& w) { return h.index({indexing::Slice()}) = w, __LINE__; });
  check_saved("copy_",
              [](const Tensor& h, const Tensor& w) { return h.slice(0, 1, 3) = w.slice(0, 0, 2) * 2, __LINE__; });
}

BOOST_AUTO_TEST_CASE(a_saved_value_changed_through_its_pointer) {
  // Nobody sees that by itself; who writes so says so.
  const Tensor x = leaf(Doubles{1, 2}), h = x * 2, y = (h * h).sum();
  h.data_ptr<double>()[0] = 5;
  h.array().mark_written("my_kernel", Location::here());
  const int changed_at = __LINE__ - 1;
  check_error<GradError>([&] { y.backward(); }, {"mul: its input", "my_kernel wrote to it at " + here(changed_at)});
}

BOOST_AUTO_TEST_CASE(a_saved_output_changed) {
  const Tensor x = leaf(Doubles{1, 2});
  const int saved_at = __LINE__ + 1;
  const Tensor y = x.exp(), z = y.sum();
  const int changed_at = __LINE__ + 1;
  y.mul_(2);
  check_error<GradError>([&] { z.backward(); }, {"exp: its output 0 ([2], float64), saved at " + here(saved_at),
                                                 "mul_ wrote to it at " + here(changed_at)});
  // What is not saved may change.
  const Tensor u = x.sin(), v = (u + 1).sum();
  u.mul_(2);
  v.backward();
  BOOST_CHECK_LE(error(x.grad(), Tensor(list(Doubles{std::cos(1.), std::cos(2.)}))), 1e-14);
  // A parameter between forward and backward, as a step of an optimizer in the wrong place would.
  const Tensor w = leaf(Doubles{3, 4}), l = (x * w).sum();
  {
    const NoGradGuard guard;
    w.sub_(1);
  }
  check_error<GradError>([&] { l.backward(); }, {"mul: its input 1", "sub_ wrote to it"});
}

BOOST_AUTO_TEST_CASE(only_what_is_needed_is_saved) {
  // w needs no gradient, so x's numbers are not kept, and may change.
  const Tensor x = leaf(Doubles{1, 2}), w = tensor(Doubles{3, 4}, kFloat64);
  const Tensor h = x * 1, y = (h * w).sum();
  h.mul_(100);
  y.backward();
  check(x.grad(), {3, 4});
  const std::int64_t arrays = memory_stats().live_arrays;
  const Tensor z = (x * 1) * w;
  BOOST_CHECK_EQUAL(memory_stats().live_arrays, arrays + 1);  // z's own
}

BOOST_AUTO_TEST_CASE(a_leaf_changed_in_place) {
  const Tensor x = leaf(Doubles{1, 2});
  const std::vector<std::pair<std::string, std::function<void()>>> changes = {
      {"add_", [&] { x.add_(1); }},   {"sub_", [&] { x -= 1; }},      {"mul_", [&] { x *= 2; }},
      {"div_", [&] { x.div_(x); }},   {"fill_", [&] { x.fill_(1); }}, {"zero_", [&] { x.zero_(); }},
      {"copy_", [&] { x.copy_(x); }}, {"mul_", [&] { x[0].mul_(2); }}};
  for (const auto& [name, change] : changes) {
    check_error<GradError>(change, {name + ": ", "leaf that requires grad", "NoGradGuard"});
    check(x, {1, 2});
  }
  {
    const NoGradGuard guard;
    x.mul_(2);
  }
  (x * x).sum().backward();
  check(x.grad(), {4, 8});
}

// --- Walking the graph -----------------------------------------------------------------------------------------------

// A printed graph, in ten lines.
std::string printed(const Edge& edge, int depth = 0) {
  const Node& node = *edge.node;
  std::string line = std::string(2 * static_cast<std::size_t>(depth), ' ') + std::string(node.name());
  for (const auto& attribute : node.attributes()) line += " " + attribute.name + "=" + attribute.value;
  line += "\n";
  for (const Edge& next : node.next_edges()) {
    if (next) line += printed(next, depth + 1);
  }
  return line;
}

BOOST_AUTO_TEST_CASE(walking_the_graph) {
  const Tensor x = leaf(core::ones({2, 3}, kFloat64)), b = leaf(core::ones({3}, kFloat64)),
               fixed = tensor(Doubles{1, 2, 3});
  const Tensor y = (add(x * fixed, b, 0.5).sum(1, true) + 2).max();
  BOOST_CHECK_EQUAL(printed(y.edge()),
                    "amax dim=[0, 1] keepdim=false\n"
                    "  add value=2\n"
                    "    sum dim=[1] keepdim=true\n"
                    "      add alpha=0.5\n"
                    "        mul\n"
                    "          leaf\n"
                    "        leaf\n");
  const auto node = y.grad_fn();
  BOOST_CHECK_EQUAL(node->num_inputs(), 1);
  BOOST_CHECK_EQUAL(node->num_outputs(), 1);
  BOOST_CHECK(node->outputs()[0].shape == core::Shape{});
  BOOST_CHECK(node->outputs()[0].dtype == kFloat64);
  const auto product = node->next_edges()[0].node->next_edges()[0].node->next_edges()[0].node->next_edges()[0].node;
  BOOST_CHECK_EQUAL(product->name(), "mul");
  BOOST_CHECK_EQUAL(product->num_inputs(), 2);
  BOOST_CHECK(!product->next_edges()[1]);  // `fixed` wants no gradient
  BOOST_CHECK(product->next_edges()[0] == x.edge());
  // The library's own text: numbers, places, and each node written out once.
  const int line = __LINE__ + 1;
  const Tensor shared = x * x, z = shared + shared;
  const std::string text = autograd::graph_to_string(z);
  BOOST_CHECK_EQUAL(text.rfind("add #", 0), 0u);
  BOOST_CHECK(text.find("alpha=1  " + here(line) + "\n  mul #") != std::string::npos);
  BOOST_CHECK(text.find("(above)") != std::string::npos);
  BOOST_CHECK_EQUAL(autograd::graph_to_string(fixed), "(no history)\n");
}

BOOST_AUTO_TEST_CASE(a_deep_graphs_text_grows_with_its_nodes) {
  const auto text_of_chain = [](int n, bool with_leaf) {
    Tensor y = leaf(Doubles{1, 2});
    const Tensor x = y;
    for (int i = 0; i < n; ++i) y = with_leaf ? y * x : y * 1;
    return autograd::graph_to_string(y);
  };
  for (const bool with_leaf : {false, true}) {
    const std::size_t some = text_of_chain(1000, with_leaf).size(), many = text_of_chain(16000, with_leaf).size();
    BOOST_CHECK_GT(many, 15 * some);
    BOOST_CHECK_LT(many, 17 * some);
  }
  // Indented as far as a page goes; then the depth is a number.
  const std::string text = text_of_chain(40, false);
  BOOST_CHECK(text.find("\n" + std::string(60, ' ') + "mul #") != std::string::npos);
  BOOST_CHECK(text.find("\n" + std::string(60, ' ') + "(31) mul #") != std::string::npos);
  BOOST_CHECK(text.find("\n" + std::string(60, ' ') + "(40) leaf #") != std::string::npos);
}

// --- Where the user stood --------------------------------------------------------------------------------------------

// Every node that was recorded since `before` must carry this line of this file.
void check_line(const Tensor& y, int line, std::uint64_t before = 0) {
  std::vector<Edge> stack{y.edge()};
  int nodes = 0;
  while (!stack.empty()) {
    const Edge edge = stack.back();
    stack.pop_back();
    if (!edge || edge.node->number() <= before) continue;
    ++nodes;
    const Location at = edge.node->location();
    BOOST_CHECK_MESSAGE(at && std::string(at.file()) == __FILE__ && at.line() == line,
                        edge.node->name()
                            << " is at " << (at ? at.file() : "?") << ":" << at.line() << " instead of line " << line);
    for (const Edge& next : edge.node->next_edges()) stack.push_back(next);
  }
  BOOST_CHECK_GE(nodes, 1);
}

constexpr int kTemplateLine = __LINE__ + 3;
template <class T>
Tensor in_a_template(const T& x) {
  return x.exp();
}
constexpr int kFunctionLine = __LINE__ + 1;
Tensor in_a_function(const Tensor& x) { return x * 2 + 1; }
struct WithMember {
  Tensor w;
  static constexpr int kLine = __LINE__ + 1;
  Tensor operator()(const Tensor& x) const { return matmul(w, x); }
};

BOOST_AUTO_TEST_CASE(locations) {
  const Tensor x = leaf(core::ones({3}, kFloat64)), w = leaf(core::ones({3, 3}, kFloat64)), m = x > 0;
  // Members, functions, operators, numbers on either side, braced lists.
  check_line(x.exp(), __LINE__);
  check_line(exp(x), __LINE__);
  check_line(x + x, __LINE__);
  check_line(-x, __LINE__);
  check_line(2.0 * x, __LINE__);
  check_line(2 - x, __LINE__);
  check_line(1 / x, __LINE__);
  check_line(x / 2, __LINE__);
  check_line(x.add(x, 2), __LINE__);
  check_line(x.pow(2), __LINE__);
  check_line(pow(2, x), __LINE__);
  check_line(cat({x, x}), __LINE__);
  check_line(stack({x, x}, 1), __LINE__);
  check_line(cat(std::vector<Tensor>{x, x}), __LINE__);
  check_line(where(m, x, 2 * x), __LINE__);
  check_line(x.where(m, x), __LINE__);
  check_line(x.masked_fill(m, 1), __LINE__);
  check_line(x.sum(), __LINE__);
  check_line(x.sum(0, true), __LINE__);
  check_line(mean(x, {0}), __LINE__);
  check_line(std::get<0>(x.max(0)), __LINE__);
  check_line(x.clamp(0, 1), __LINE__);
  check_line(matmul(w, x), __LINE__);
  check_line(w.mm(w), __LINE__);
  check_line(addmm(x, w, w), __LINE__);
  check_line(w.addmm(w, w), __LINE__);
  // Compositions: every node inside carries the user's line.
  check_line(x.var(), __LINE__);
  check_line(std(x, 0), __LINE__);
  check_line(x.norm(), __LINE__);
  check_line(norm(x, 3), __LINE__);
  check_line(dot(x, x), __LINE__);
  check_line(x.softmax(0), __LINE__);
  check_line(log_softmax(x, 0, kFloat32), __LINE__);
  check_line(x.logsumexp(0), __LINE__);
  check_line(x.sum(kFloat32), __LINE__);
  // Views.
  check_line(w.t(), __LINE__);
  check_line(x.t(), __LINE__);
  check_line(w.view({9}), __LINE__);
  check_line(w.transpose(0, 1).reshape({9}), __LINE__);
  check_line(x.expand({2, 3}), __LINE__);
  check_line(w.select(0, 1), __LINE__);
  check_line(w.index({1, indexing::Slice(0, 2)}), __LINE__);
  check_line(w.narrow(0, 1, 1), __LINE__);
  check_line(x.split(2)[1], __LINE__);
  check_line(x.chunk(2)[0], __LINE__);
  check_line(x.unbind()[0], __LINE__);
  check_line(w.diagonal(), __LINE__);
  check_line(w.flip(0), __LINE__);
  check_line(w.flatten(), __LINE__);
  check_line(x.clone(), __LINE__);
  check_line(x.to(kFloat32), __LINE__);
  check_line(x.index_select(0, tensor(std::vector<int>{0, 1})), __LINE__);
  check_line(w.tril(), __LINE__);
  // A subscript's index brings the place with it.
  check_line(x[0], __LINE__);
  const std::uint64_t row = x[0].grad_fn()->number();
  check_line(x[0] * 2, __LINE__, row + 1);
  // From a template, from a function, from a member function: where the operation is written.
  check_line(in_a_template(x), kTemplateLine);
  check_line(in_a_function(x), kFunctionLine);
  check_line(WithMember{w}(x), WithMember::kLine);
  // In-place changes and compound assignment.
  const Tensor y = x.clone();
  const std::uint64_t before = y.grad_fn()->number();
  check_line(y.mul_(x), __LINE__, before);
  const std::uint64_t then = y.grad_fn()->number();
  check_line(y += x, __LINE__, then);
  const std::uint64_t now = y.grad_fn()->number();
  check_line(y *= 2, __LINE__, now);
  const std::uint64_t later = y.grad_fn()->number();
  check_line(y.slice(0, 0, 2).copy_(x.slice(0, 1, 3)), __LINE__, later);
  // A wrapped-up operation passes the place on by taking an Operand.
  check_line(tripled(x), __LINE__);
}

BOOST_AUTO_TEST_CASE(recorded_gradients_stand_where_the_operation_stood) {
  const Tensor x = leaf(Doubles{1, 2});
  const int line = __LINE__ + 1;
  const Tensor y = x.tanh() * x;
  const Tensor g = autograd::grad({y}, {x}, {tensor(Doubles{1, 1}, kFloat64)}, true, true)[0];
  check_line(g, line);
}

BOOST_AUTO_TEST_CASE(scopes_name_line_and_module) {
  const Tensor x = leaf(Doubles{1, 2});
  Tensor inside, nested;
  {
    const int line = __LINE__ + 1;
    const autograd::Scope scope(Location::here(), "seq.2");
    inside = x.exp();
    {
      const autograd::Scope inner(Location::here(), "seq.2.0");
      nested = x.exp();
    }
    check_line(inside, line);
    check_line(nested, line);  // the outermost line,
    BOOST_CHECK_EQUAL(inside.grad_fn()->module(), "seq.2");
    BOOST_CHECK_EQUAL(nested.grad_fn()->module(), "seq.2.0");  // the innermost module
    BOOST_CHECK_EQUAL(x.exp().grad_fn()->module(), "seq.2");
  }
  BOOST_CHECK_EQUAL(x.exp().grad_fn()->module(), "");
  const Tensor y = inside * inside;
  inside.mul_(2);
  check_error<GradError>(
      [&] {
        nested.mul_(2);
        nested.sum().backward();
      },
      {"in seq.2.0, recorded at"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
