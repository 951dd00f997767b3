// What views, their bases and their handles owe each other: histories that survive writes, detachments and looking.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include <gradus/autograd/tensor/create.h>
#include <gradus/autograd/graph/engine.h>
#include <gradus/autograd/graph/grad_mode.h>
#include <gradus/autograd/check/gradcheck.h>
#include <gradus/autograd/graph/operation.h>
#include <gradus/core/array/create.h>
#include <gradus/core/ops/pointwise.h>

#include "../support/gradients.h"
#include "../table/row.h"

namespace gradus::test {
namespace {

using namespace autograd;
using core::Array;

Tensor doubles(const Doubles& numbers) { return tensor(numbers, kFloat64); }
Tensor leaf_of(const Doubles& numbers, DType dtype) { return tensor(numbers, dtype).requires_grad_(); }

// Views whose gradient is not what their geometry says. The whole of x, its gradient turned round:
struct Reversed {
  static constexpr std::string_view name = "test_reversed";
  static constexpr bool is_view = true;
  static Array forward(const Array& x) { return x.slice(0, 0, x.size(0)); }
  static constexpr auto gradients = formulas([](Dy<> dy) { return -dy; });
};
// the first rows, the gradient times a number, and times another input that it reads,
struct Weighed {
  static constexpr std::string_view name = "test_weighed";
  static constexpr bool is_view = true;
  struct Attrs {
    double factor = 1;
    std::int64_t rows = 1;
    static constexpr auto fields = named("factor", &Attrs::factor, "rows", &Attrs::rows);
  };
  static Array forward(const Attrs& a, const Array& x, const Array&) { return x.slice(0, 0, a.rows); }
  static constexpr auto gradients = formulas(
      [](Dy<> dy, ShapeOf<0> x, In<1> w, const Attrs& a) {
        const Tensor rest(core::zeros({x[0] - a.rows}, dy.dtype()));
        return cat({dy * a.factor * w, rest});
      },
      no_gradient);
};
Tensor reversed(Operand x) { return apply<Reversed>(x); }
Tensor weighed(Operand x, double factor, std::int64_t rows) {
  const Tensor w(core::full({}, 2, x.tensor().dtype()));
  return apply<Weighed>({factor, rows}, x, w);
}

// and one with a gradient for each of two inputs.
struct Scaled {
  static constexpr std::string_view name = "test_scaled_view";
  static constexpr bool is_view = true;
  static Array forward(const Array& x, const Array&) { return x.slice(0, 0, x.size(0)); }
  static constexpr auto gradients =
      formulas([](Dy<> dy, In<1> s) { return dy * s; }, [](Dy<> dy, In<0> x) { return (dy * x).sum({0}, true); });
};
Tensor scaled(Operand x, Operand s) { return apply<Scaled>(x, s); }

// Forwards that share what they do not say.
struct ReturnsItsInput {
  static constexpr std::string_view name = "test_returns_its_input";
  static Array forward(const Array& x) { return x; }
  static constexpr auto gradients = formulas([](Dy<> dy) { return Tensor(dy); });
};
struct ReturnsAPart {
  static constexpr std::string_view name = "test_returns_a_part";
  static Array forward(const Array&, const Array& b) { return b.slice(0, 0, 1).expand({3}); }
  static constexpr auto gradients = formulas(no_gradient, no_gradient);
};
struct ReturnsOneOfMany {
  static constexpr std::string_view name = "test_returns_one_of_many";
  static Array forward(core::ArrayList x) { return x[x.size() - 1]; }
  static constexpr auto gradients = formulas([](Dy<> dy, Which) { return Tensor(dy); });
};
struct ReturnsItSecond {
  static constexpr std::string_view name = "test_returns_it_second";
  static std::tuple<Array, Array> forward(const Array& x) { return {x.clone(), x}; }
  static constexpr auto gradients = formulas([](Dy<0> dy) { return Tensor(dy); });
};
struct ReturnsItTwice {
  static constexpr std::string_view name = "test_returns_it_twice";
  static std::tuple<Array, Array> forward(const Array& x) {
    const Array y = x.clone();
    return {y, y.slice(0, 0, 1)};
  }
  static constexpr auto gradients = formulas([](Dy<0> dy) { return Tensor(dy); });
};
struct RuleThatReturnsItsInput {
  static constexpr std::string_view name = "test_rule_that_returns_its_input";
  static Array forward(const Array& x) { return x; }
  static std::array<Array, 1> backward(DyArray<> dy) { return {dy}; }
  static Tensor reference(const Tensor& x) { return x.clone(); }
};
// And views that are none.
struct ShowsTheSecond {
  static constexpr std::string_view name = "test_shows_the_second";
  static constexpr bool is_view = true;
  static Array forward(const Array&, const Array& b) { return b.slice(0, 0, 1); }
  static constexpr auto gradients = formulas(no_gradient, no_gradient);
};
struct CopyCalledView {
  static constexpr std::string_view name = "test_copy_called_view";
  static constexpr bool is_view = true;
  static Array forward(const Array& x) { return x.clone(); }
  static constexpr auto gradients = formulas([](Dy<> dy) { return Tensor(dy); });
};
struct FirstInto {  // in place, with a result that is smaller than what it is to overwrite
  static constexpr std::string_view name = "test_first_";
  static Array forward(const Array& x) { return x.slice(0, 0, 1).clone(); }
  static constexpr auto gradients = formulas([](Dy<> dy) { return Tensor(dy); });
};
// A rule in place: x <- x b.
struct TimesRule {
  static constexpr std::string_view name = "test_times_";
  static constexpr bool broadcasts = true;
  static Array forward(const Array& x, const Array& b) { return x * b; }
  static std::array<Array, 2> backward(DyArray<> dy, InArray<0> x, InArray<1> b) { return {dy * b, dy * x}; }
  static Tensor reference(const Tensor& x, const Tensor& b) { return x * b; }
};

void look(const Tensor& x) { (void)(x.requires_grad() && x.grad_fn()); }

}  // namespace

BOOST_AUTO_TEST_SUITE(view_history)

BOOST_AUTO_TEST_CASE(a_view_with_a_gradient_of_its_own_follows_its_base) {
  struct Way {
    std::string name;
    std::function<Tensor(const Tensor&)> view;
    Doubles gradient;  // of the sum, where h is x times 3
  };
  const std::vector<Way> ways = {
      {"itself", [](const Tensor& h) { return reversed(h); }, {-3, -3, -3, -3}},
      {"weighed", [](const Tensor& h) { return weighed(h, 5, 3); }, {30, 30, 30, 0}},
      {"a view of it", [](const Tensor& h) { return reversed(h).slice(0, 1, 3); }, {0, -3, -3, 0}},
      {"of a view", [](const Tensor& h) { return reversed(h.slice(0, 1, 4)); }, {0, -3, -3, -3}},
      {"twice", [](const Tensor& h) { return reversed(reversed(h)); }, {3, 3, 3, 3}},
      {"between views",
       [](const Tensor& h) {
         return weighed(reversed(h.slice(0, 0, 4, 2)).view({2, 1}).select(1, 0), 5, 1).view({1, 1});
       },
       {-30, 0, 0, 0}},
      {"by strides",
       [](const Tensor& h) {
         return reversed(h).as_strided({2, 2}, {1, 1}, 0);
       },
       {-3, -6, -3, 0}},
  };
  for (const Way& way : ways) {
    for (const DType dtype : {kFloat32, kFloat64}) {
      for (const bool looked : {false, true}) {
        BOOST_TEST_CONTEXT(way.name << ", " << to_string(dtype) << (looked ? ", looked at" : "")) {
          const Tensor x = leaf_of({1, 2, 3, 4}, dtype), h = x * 1, v = way.view(h);
          if (looked) look(v);
          h.mul_(3);
          if (looked) look(v);
          BOOST_REQUIRE(v.requires_grad());
          v.sum().backward();
          check(x.grad(), way.gradient);
          // Taken before the base had a history.
          const Tensor z = leaf_of({1, 2, 3, 4}, dtype), base(core::ones({4}, dtype)), u = way.view(base);
          base.mul_(z * 3);
          u.sum().backward();
          check(z.grad(), way.gradient);
        }
      }
    }
  }
  // Again and again, and through a write into a plain view of the same base.
  const Tensor x = leaf(Doubles{1, 2, 3}), h = x * 1, v = reversed(h);
  h.mul_(3);
  h.slice(0, 0, 1).mul_(5);
  h.add_(1);
  v.sum().backward();
  check(x.grad(), {-15, -3, -3});
  check(v, {16, 7, 10});
}

BOOST_AUTO_TEST_CASE(a_view_with_a_gradient_of_its_own_is_not_written_into) {
  const Tensor x = leaf(Doubles{1, 2, 3}), h = x * 1, v = reversed(h);
  for (const Tensor& view : {v, v.slice(0, 0, 2), reversed(h[0].view({1}))}) {
    check_error<GradError>([&] { view.mul_(3); }, {"mul_: ", "test_reversed", "clone()", "by_geometry"});
    check_error<GradError>([&] { view.zero_(); }, {"zero_: ", "test_reversed"});
  }
  check(h, {1, 2, 3});
  h.sum().backward();
  check(x.grad(), {1, 1, 1});
  // Where nothing is recorded it is memory as any other.
  const Tensor plain = doubles({1, 2, 3});
  reversed(plain).mul_(2);
  check(plain, {2, 4, 6});
  const NoGradGuard guard;
  v.mul_(2);
  check(h, {2, 4, 6});
}

BOOST_AUTO_TEST_CASE(a_long_chain_of_such_views_is_let_go_without_recursion) {
  Tensor v = doubles({1, 2});
  for (int i = 0; i < 200'000; ++i) v = reversed(v);
  BOOST_CHECK(v.is_view());
  const Tensor h = doubles({1, 2});
  const NoGradGuard guard;
  for (int i = 0; i < 200'000; ++i) v = scaled(h, v);  // and as another input
  BOOST_CHECK(v.is_view());
}

BOOST_AUTO_TEST_CASE(other_inputs_of_such_views) {
  // Themselves views that have not seen their base's change.
  const Tensor x = leaf(Doubles{1, 2}), p = leaf(Doubles{3, 4}), h = x * 1, q = p * 1, s = q.slice(0, 0, 1);
  const Tensor v = scaled(h, s);
  h.mul_(3);
  v.sum().backward();
  check(x.grad(), {9, 9});  // 3 from h, 3 from s
  check(p.grad(), {9, 0});  // h's new numbers: 3 + 6
  const Tensor w = scaled(h, s);
  h.mul_(2);
  q.mul_(2);  // what w's gradient is made of: it says so, as it does without the change of h
  check_error<GradError>([&] { look(w); }, {"test_scaled_view: ", "input 1", "mul_ wrote to it", "after both"});
}

BOOST_AUTO_TEST_CASE(shared_memory_is_declared) {
  for (const DType dtype : {kFloat32, kFloat64, kInt64}) {
    const Tensor x(core::ones({3}, dtype)), b(core::ones({3}, dtype));
    if (dtype != kInt64) x.requires_grad_();
    const auto refused = [&](const std::function<void()>& f, const std::string& op, const std::string& what) {
      check_error<ValueError>(f, {op + ": ", what, "clone()"});
      const NoGradGuard guard;
      check_error<ValueError>(f, {op + ": ", what, "clone()"});
    };
    refused([&] { apply<ReturnsItsInput>(x); }, "test_returns_its_input",
            "output 0 must not share memory with input 0");
    refused([&] { apply<ReturnsAPart>(x, b); }, "test_returns_a_part", "output 0 must not share memory with input 1");
    refused([&] { apply<ReturnsOneOfMany>({x, b, b}); }, "test_returns_one_of_many", "input 1");
    refused([&] { apply<ReturnsItSecond>(x); }, "test_returns_it_second",
            "output 1 must not share memory with input 0");
    refused([&] { apply<ReturnsItTwice>(x); }, "test_returns_it_twice", "output 1");
    refused([&] { apply<RuleThatReturnsItsInput>(x); }, "test_rule_that_returns_its_input", "input 0");
    check_error<ValueError>([&] { apply<ReturnsItsInput>(x); }, {"is_view = true"});
    check(x, {1, 1, 1});
  }
}

BOOST_AUTO_TEST_CASE(declared_views_are_views_of_the_first_input) {
  const Tensor x = leaf(Doubles{1, 2, 3}), b = leaf(Doubles{4, 5, 6});
  check_error<ValueError>([&] { apply<ShowsTheSecond>(x, b); }, {"test_shows_the_second: ", "is_view", "input 1"});
  check_error<ValueError>([&] { apply<CopyCalledView>(x); },
                          {"test_copy_called_view: ", "is_view", "memory of its own"});
  BOOST_CHECK(apply<ShowsTheSecond>(b, b).is_view());
}

BOOST_AUTO_TEST_CASE(a_result_in_place_has_the_shape_of_what_it_overwrites) {
  const Tensor x = doubles({1, 2, 3}), h = leaf(Doubles{1, 2, 3}) * 1;
  for (const Tensor& y : {x, h}) {
    check_error<ShapeError>([&] { apply_inplace<FirstInto>({}, y); }, {"test_first_: ", "[1] for [3]"});
    check(y, {1, 2, 3});
  }
}

// Truncated backpropagation with kept slices.
BOOST_AUTO_TEST_CASE(a_detached_base_leaves_its_views_their_history) {
  for (int looks = 0; looks < 8; ++looks) {
    BOOST_TEST_CONTEXT("looked at after each step of bits " << looks) {
      const auto maybe = [&](int step, const Tensor& t) {
        if (((looks >> step) & 1) != 0) look(t);
      };
      {  // taken and kept
        const Tensor x = leaf(Doubles{1, 2, 3}), h = x * 1, v = h.slice(0, 0, 1), w = v.view({1, 1});
        maybe(0, v);
        h.detach_();
        maybe(1, v);
        maybe(2, w);
        BOOST_CHECK(!h.requires_grad() && v.requires_grad() && w.requires_grad());
        (v.sum() + w.sum()).backward();
        check(x.grad(), {2, 0, 0});
      }
      {  // a write before, which the view may not have seen
        const Tensor x = leaf(Doubles{1, 2, 3}), h = x * 1, v = h.slice(0, 0, 2);
        h.mul_(2);
        maybe(0, v);
        h.detach_();
        maybe(1, v);
        h.detach_();  // changes nothing more
        maybe(2, v);
        v.sum().backward();
        check(x.grad(), {2, 2, 0});
      }
      {  // the base a leaf afterwards: its views from before are not its children
        const Tensor x = leaf(Doubles{1, 2, 3}), h = x * 1, v = h.slice(0, 0, 2);
        h.mul_(2);
        maybe(0, v);
        h.detach_();
        h.requires_grad_();
        maybe(1, v);
        const Tensor w = h.slice(0, 1, 3), part = v.as_strided({1}, {1}, 1);
        maybe(2, part);
        (v * 2 + w * 3 + part * 5).sum().backward();
        check(x.grad(), {4, 4 + 20, 0});
        check(h.grad(), {0, 3, 3});
      }
      {  // a change of the detached base: the views show a constant now
        const Tensor x = leaf(Doubles{1, 2, 3}), s = leaf(Doubles{5}), h = x * 1, v = h.slice(0, 0, 2);
        maybe(0, v);
        h.detach_();
        maybe(1, v);
        h.mul_(s);
        maybe(2, v);
        v.sum().backward();
        check(s.grad(), {3});
        BOOST_CHECK(!x.grad().defined());
      }
      for (const bool recording : {true, false}) {  // by numbers, itself or through a view taken since
        for (const bool by_view : {true, false}) {
          const Tensor x = leaf(Doubles{1, 2, 3}), h = x * 1, v = h.slice(0, 0, 2);
          maybe(0, v);
          h.detach_();
          maybe(1, v);
          {
            const AutoGradMode mode(recording);
            (by_view ? h.slice(0, 1, 3) : h).mul_(3);
          }
          maybe(2, v);
          BOOST_CHECK(!v.requires_grad() && !h.requires_grad());
        }
      }
      {  // a leaf only afterwards: the view showed a constant, and does
        const Tensor x = leaf(Doubles{1, 2, 3}), h = x * 1, v = h.slice(0, 0, 2);
        h.detach_();
        maybe(0, v);
        h.mul_(3);
        maybe(1, v);
        h.requires_grad_();
        maybe(2, v);
        BOOST_CHECK(!v.requires_grad());
      }
      {  // a view under a guard of a view that has not seen the change
        const Tensor x = leaf(Doubles{1, 2, 3}), h(core::ones({3}, kFloat64)), v = h.slice(0, 0, 2);
        h.mul_(x);
        maybe(0, v);
        const Tensor w = [&] {
          const NoGradGuard guard;
          return v.slice(0, 0, 1);
        }();
        maybe(1, v);
        maybe(2, w);
        BOOST_CHECK(!w.requires_grad());
      }
      {  // a change that fails changes nothing
        const Tensor x = leaf(Doubles{1, 2, 3}), h = x * 1, v = h.slice(0, 0, 2);
        maybe(0, v);
        h.detach_();
        check_error<ShapeError>([&] { h.add_(Tensor(core::ones({7}))); }, {"add_"});
        maybe(1, v);
        BOOST_CHECK(v.requires_grad());
      }
      {  // a parameter made of a result, and stepped by hand: still a leaf
        const Tensor w = leaf(Doubles{1, 2, 3}) * 1, v = w.slice(0, 0, 2);
        w.detach_();
        w.requires_grad_();
        maybe(0, v);
        for (int step = 0; step < 2; ++step) {
          w.zero_grad();
          w.sum().backward();
          check(w.grad(), {1, 1, 1});
          const NoGradGuard guard;
          w.sub_(w.grad());
          maybe(1, v);
          BOOST_CHECK(w.requires_grad() && w.is_leaf());
        }
        BOOST_CHECK(!v.requires_grad());  // it shows the parameter's numbers, and was none of it
      }
    }
  }
  // A change of the view would have to give the base a history of which it has been deprived.
  const Tensor x = leaf(Doubles{1, 2, 3}), h = x * 1, v = h.slice(0, 0, 2), w = h.slice(0, 1, 3);
  h.detach_();
  check_error<GradError>([&] { v.mul_(2); }, {"mul_: ", "detach_()", "clone()"});
  h.requires_grad_();
  check_error<GradError>([&] { w.mul_(2); }, {"mul_: ", "leaf that requires grad"});
  check(h, {1, 2, 3});
  // One taken afterwards is free to change.
  const Tensor free = x * 1;
  free.detach_();
  free[0].mul_(x[1]);
  BOOST_CHECK(free.requires_grad());
  // So is a view of a view that was made a leaf.
  const Tensor numbers = Tensor(core::ones({2, 3}, kFloat64)), top = numbers[0].requires_grad_();
  check_error<GradError>([&] { top[0].mul_(2); }, {"mul_: ", "requires_grad_()", "clone()"});
}

BOOST_AUTO_TEST_CASE(retained_gradients_do_not_depend_on_looking) {
  for (int looks = 0; looks < 8; ++looks) {
    BOOST_TEST_CONTEXT("looked at after each step of bits " << looks) {
      const auto maybe = [&](int step, const Tensor& t) {
        if (((looks >> step) & 1) != 0) look(t);
      };
      {  // of numbers that the view has no longer: none
        const Tensor x = leaf(Doubles{1, 1, 1}), h = x * 1, v = h.slice(0, 0, 2);
        v.retain_grad();
        maybe(0, v);
        v.mul_(5);
        maybe(1, v);
        maybe(2, h);
        (h * h).sum().backward();
        BOOST_CHECK(!v.grad().defined());
        check(x.grad(), {50, 50, 2});
      }
      {  // used before the base's change: likewise
        const Tensor x = leaf(Doubles{1, 1, 1}), h = x * 1, v = h.slice(0, 0, 2);
        v.retain_grad();
        const Tensor u = v * 2;
        maybe(0, v);
        h.mul_(5);
        maybe(1, v);
        maybe(2, v);
        (h.sum() + u.sum()).backward();
        BOOST_CHECK(!v.grad().defined());
        check(x.grad(), {7, 7, 5});
      }
      {  // of what it has: there
        const Tensor x = leaf(Doubles{1, 1, 1}), h = x * 1, v = h.slice(0, 0, 2), w = h.slice(0, 1, 3);
        v.retain_grad();
        w.retain_grad();
        maybe(0, w);
        v.mul_(5);
        maybe(1, v);
        maybe(2, w);
        BOOST_CHECK(v.retains_grad() && w.retains_grad());
        (v * v + w).sum().backward();
        check(v.grad(), {10, 10});
        check(w.grad(), {1, 1});
        check(x.grad(), {50, 55, 1});
      }
    }
  }
  // After a time without history.
  for (const bool looked : {false, true}) {
    const Tensor x = leaf(Doubles{1, 1, 1}), w = leaf(Doubles{2, 2, 2}), h = x * 1, v = h.slice(0, 0, 2);
    v.retain_grad();
    h.detach_();
    h.mul_(3);
    if (looked) look(v);
    h.mul_(w);
    (v * 5).sum().backward();
    check(v.grad(), {5, 5});
    check(w.grad(), {15, 15, 0});
  }
  // Of a base, of a view that is gone, and of one that a detached base leaves alone.
  const Tensor x = leaf(Doubles{1, 1, 1}), h = x * 1;
  h.retain_grad();
  h.slice(0, 0, 2).mul_(5);
  {
    const Tensor v = h.slice(0, 1, 3);
    v.retain_grad();
    h.mul_(2);
  }
  (h * 3).sum().backward();
  check(h.grad(), {3, 3, 3});
  const Tensor y = x * 1, v = y.slice(0, 0, 2);
  v.retain_grad();
  y.detach_();
  (v * 3).sum().backward();
  check(v.grad(), {3, 3});
}

// as_strided over each layout of leaf and result: the gradient counts how often an element is shown.
BOOST_AUTO_TEST_CASE(as_strided_of_leaves_that_are_views) {
  struct Layout {
    std::string name;
    std::function<Tensor(const Tensor&)> of;
  };
  const std::vector<Layout> layouts = {
      {"reshaped",
       [](const Tensor& a) {
         return a.reshape({3, 4});
       }},
      {"transposed",
       [](const Tensor& a) {
         return a.reshape({3, 4}).t();
       }},
      {"rows",
       [](const Tensor& a) {
         return a.reshape({3, 4}).slice(0, 1);
       }},
      {"columns",
       [](const Tensor& a) {
         return a.reshape({3, 4}).slice(1, 0, 4, 2);
       }},
      {"no view", [](const Tensor& a) { return a.clone(); }},
      {"numbers with strides",
       [](const Tensor& a) {
         return Tensor(a.reshape({3, 4}).t().array());
       }},
  };
  for (const Layout& layout : layouts) {
    for (const bool result : {false, true}) {
      BOOST_TEST_CONTEXT(layout.name << (result ? ", a result" : ", a leaf")) {
        const Tensor a = Tensor(core::arange(0, 12, 1, kFloat64));
        const Tensor x = layout.of(a).detach().requires_grad_();  // a leaf; a view but for the last two
        const Tensor leaf = layout.of(a).requires_grad_();
        Tensor of = leaf;
        if (result) {
          of = Tensor(core::empty({64}, kFloat64).as_strided(leaf.sizes(), leaf.strides(), 0));
          of.copy_(leaf);
        }
        const std::int64_t first = of.storage_offset();
        const Tensor y = of.as_strided({2, 2}, {2, 1}, first);
        BOOST_REQUIRE(y.requires_grad());
        const Tensor weights = tensor({{1., 10.}, {100., 1000.}}, kFloat64);
        (y * weights).sum().backward();
        // Each element of the leaf is asked where it lies.
        const Array gradient = leaf.grad().array();
        const Array counted = core::zeros(leaf.sizes(), kFloat64);
        for (std::int64_t i = 0; i < leaf.size(0); ++i) {
          for (std::int64_t j = 0; j < (leaf.dim() > 1 ? leaf.size(1) : 1); ++j) {
            const std::int64_t place = i * of.stride(0) + (leaf.dim() > 1 ? j * of.stride(1) : 0);
            const Array at = leaf.dim() > 1 ? counted.select(0, i).select(0, j) : counted.select(0, i);
            double expected = 0;
            for (int r = 0; r < 2; ++r) {
              for (int c = 0; c < 2; ++c)
                expected += r * 2 + c == place ? weights.array().select(0, r).select(0, c).item<double>() : 0;
            }
            at.fill_(expected);
          }
        }
        check(Tensor(gradient), values(Tensor(counted)));
        const auto f = [&](const Operands& in) {
          const Tensor h(core::empty({64}, kFloat64).as_strided(leaf.sizes(), leaf.strides(), 0));
          h.copy_(in[0]);
          return Operands{square(h.as_strided({2, 2}, {2, 1}, 0) + h.sum())};
        };
        BOOST_CHECK(gradcheck(f, {x}));
        BOOST_CHECK(gradgradcheck(f, {x}));
      }
    }
  }
}

// A gradient that is asked of a view comes through it, also where it is shown by strides; what it does not have comes from
// its base.
BOOST_AUTO_TEST_CASE(as_strided_of_a_view_is_seen_by_the_view) {
  const Tensor x = leaf(counting({3, 4}, kFloat64));
  for (const Tensor& v :
       {x.narrow(1, 1, 2), x.t(), x[1], x.slice(0, 0, 3, 2), x.view({12}), x.narrow(0, 2, 1).squeeze()}) {
    v.retain_grad();
    int seen = 0;
    v.register_hook([&](const Tensor&) { ++seen; });
    std::vector<std::int64_t> once(static_cast<std::size_t>(v.dim()), 1);
    const Tensor one = v.as_strided(once, once);  // its first element
    one.sum().backward({}, true);
    BOOST_CHECK_EQUAL(seen, 1);
    BOOST_REQUIRE(v.grad().defined());
    BOOST_CHECK_EQUAL(v.grad().sum().item<double>(), 1);
    BOOST_CHECK_EQUAL(grad({one}, {v}, {tensor({2.}, kFloat64).view(once)})[0].sum().item<double>(), 2);
  }
  x.zero_grad();
  const Tensor column = x.select(1, 1);
  column.retain_grad();
  column.as_strided({2, 2}, {4, 1}).sum().backward();  // and its neighbour
  check(x.grad(), {0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0});
  BOOST_CHECK(!column.grad().defined());
  // What a view with a gradient of its own does not have has no gradient that anybody knows.
  const Tensor h = x * 1, part = reversed(h).select(1, 0);
  check_error<GradError>([&] { part.as_strided({2}, {1}, 0); }, {"as_strided: ", "test_reversed", "clone()"});
  x.zero_grad();
  part.as_strided({1}, {1}, 4).sum().backward();
  check(x.grad(), {0, 0, 0, 0, -1, 0, 0, 0, 0, 0, 0, 0});
  // Other numbers than the base's.
  const Tensor v = x[0];
  v.set_data(doubles({7, 8}));
  check(v.as_strided({1}, {1}, 1), {8});
}

BOOST_AUTO_TEST_CASE(writes_into_views_of_bases_that_are_not_contiguous) {
  struct Base {
    std::string name;
    std::function<Array()> memory;  // of shape [3, 2]
  };
  const std::vector<Base> bases = {
      {"transposed",
       [] {
         return core::zeros({2, 3}, kFloat64).transpose(0, 1);
       }},
      {"every second column",
       [] {
         return core::zeros({3, 4}, kFloat64).slice(1, 0, 4, 2);
       }},
      {"rows of a wider one",
       [] {
         return core::zeros({4, 5}, kFloat64).slice(0, 1, 4).slice(1, 2, 4);
       }},
  };
  const std::vector<std::function<Tensor(const Tensor&, const Tensor&)>> programs = {
      [](const Tensor& h, const Tensor& b) {
        h[1].mul_(b);
        return h * h;
      },
      [](const Tensor& h, const Tensor& b) {
        const Tensor column = h.select(1, 0), row = h[2];
        h.t()[1].slice(0, 0, 2).mul_(b);
        column.mul_(column.clone());
        return h * h + row.sum() * column.sum();
      },
      [](const Tensor& h, const Tensor& b) {
        const Tensor v = h.slice(0, 1);
        v.copy_(b.expand({2, 2}) * v.clone());
        h.mul_(h.clone());
        return v * v;
      },
  };
  for (const Base& base : bases) {
    // The base without a history of its own before the change.
    const Tensor by = leaf(Doubles{3, 4}), whole(base.memory()), u = tensor({{1., 2.}, {3., 4.}, {5., 6.}}, kFloat64);
    whole.copy_(u);
    whole[1].mul_(by);
    whole.slice(1, 1, 2).mul_(by[0]);
    check(whole, {1, 6, 9, 48, 5, 18});
    (whole * u).sum().backward();
    check(by.grad(), {3 * 3 + 2 * 2 + 4 * 4 * 4 + 6 * 6, 4 * 3 * 4});
    for (std::size_t p = 0; p < programs.size(); ++p) {
      BOOST_TEST_CONTEXT(base.name << ", program " << p) {
        const auto f = [&](const Operands& in) {
          const Tensor h(base.memory());
          h.copy_(in[0]);
          return Operands{programs[p](h, in[1])};
        };
        const Operands inputs = {drawn({{3, 2}, 0.4, 2}, 0).requires_grad_(), drawn({{2}, 0.4, 2}, 1).requires_grad_()};
        BOOST_CHECK(gradcheck(f, inputs));
        BOOST_CHECK(gradgradcheck(f, inputs));
      }
    }
  }
  // Elements that share memory have no history that a change could be carried over to.
  const Tensor x = leaf(Doubles{1}), h(core::zeros({1, 2}, kFloat64).expand({3, 2}));
  check_error<GradError>([&] { h[0].mul_(x); }, {"share memory", "clone()"});
}

BOOST_AUTO_TEST_CASE(rules_in_place_by_their_references_may_overlap) {
  for (const bool references : {false, true}) {
    BOOST_TEST_CONTEXT((references ? "by reference" : "by hand")) {
      const auto f = [&](const Operands& in) {
        const Tensor y = in[0].clone();
        std::optional<UseReferences> use;
        if (references) use.emplace();
        apply_inplace<TimesRule>({}, y, y);                                // by itself
        apply_inplace<TimesRule>({}, y.slice(0, 0, 2), y.slice(0, 1, 3));  // its parts by each other
        apply_inplace<TimesRule>({}, y, y[2]);
        return Operands{y * y.sum()};
      };
      const Tensor x = drawn({{3}, 0.4, 2}, 0).requires_grad_();
      BOOST_CHECK(gradcheck(f, {x}));
      BOOST_CHECK(gradgradcheck(f, {x}));
    }
  }
}

// Truncated backpropagation lets go of what is behind the cut, also after changes in place.
BOOST_AUTO_TEST_CASE(a_detached_base_keeps_no_graph) {
  const Alive before;
  const Tensor x = leaf(Doubles{1, 2, 3});
  Tensor h = x * 1;
  for (int i = 0; i < 100; ++i) h = h * 2;
  h.add_(1);
  { const Tensor gone = h.slice(0, 0, 1); }
  h.detach_();
  BOOST_CHECK_LE(autograd::Node::alive(), before.nodes + 1);  // x's
}

BOOST_AUTO_TEST_CASE(what_is_no_leaf_any_more_gets_no_gradient) {
  {  // and is changed in place
    const Tensor w = leaf(Doubles{1, 1, 1});
    const Tensor a = leaf(Doubles{1, 2, 3}), b = a * 2;
    a.requires_grad_(false);
    a.mul_(w);
    b.sum().backward();
    BOOST_CHECK(!a.grad().defined());
  }
  for (const bool detached : {false, true}) {
    const Tensor x = leaf(Doubles{1, 2, 3}), w = leaf(Doubles{1, 1, 1}), y = x * w, v = x.slice(0, 0, 2);
    if (detached) {
      x.detach_();
    } else {
      x.requires_grad_(false);
    }
    BOOST_CHECK(v.requires_grad());
    (y.sum() + v.sum()).backward();
    BOOST_CHECK(!x.grad().defined());
    check(w.grad(), {1, 2, 3});
    x.requires_grad_();
    (x * w).sum().backward();
    check(x.grad(), {1, 1, 1});
  }
  // A leaf that is a view, and whose base is given a history.
  for (const bool looked : {false, true}) {
    const Tensor base(core::ones({3}, kFloat64)), x = base.slice(0, 0, 2).requires_grad_(), y = x * 2;
    base.detach_();
    BOOST_CHECK(x.requires_grad() && x.is_leaf());
    base.mul_(x.sum());
    if (looked) look(x);
    check_error<GradError>([&] { y.sum().backward(); }, {"leaf ([2], float64)", "clone()"});
    BOOST_CHECK(!x.grad().defined());
  }
}

BOOST_AUTO_TEST_CASE(new_data_parts_a_base_from_its_views) {
  const Tensor x = leaf(Doubles{1, 2}), h = x * 2, v = h.slice(0, 0, 1);
  h.set_data(doubles({7, 8}));
  h.mul_(3);
  check(v, {2});
  v.sum().backward();  // as it was
  check(x.grad(), {2, 0});
}

BOOST_AUTO_TEST_CASE(a_view_that_was_made_a_leaf_is_changed_under_a_guard) {
  const Tensor x = doubles({1, 2}).view({2, 1}).requires_grad_();
  check_error<GradError>([&] { x[0][0] = 5; }, {"fill_: ", "clone()", "NoGradGuard"});
  const NoGradGuard guard;
  x[0][0] = 5;
  check(x, {5, 2});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
