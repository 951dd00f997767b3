// Tensors, modules and graphs let go in any order: nothing is left behind, and no stack is needed.
#include <boost/test/unit_test.hpp>

#include <functional>
#include <optional>
#include <random>
#include <thread>

#include <gradus/autograd/tensor/create.h>
#include <gradus/autograd/graph/engine.h>
#include <gradus/autograd/graph/operation.h>
#include <gradus/gradus.h>

#include "../support/gradients.h"
#include "../support/threads.h"

namespace gradus::test {
namespace {

using autograd::apply;
using autograd::Dy;
using autograd::DyList;
using autograd::formulas;
using autograd::In;
using autograd::InList;
using autograd::Out;
using autograd::OutList;
using autograd::Which;
using core::Array;

// What a graph of f hangs by: each may be let go before, between and after two passes through it.
struct Held {
  std::vector<Tensor> handles;  // leaves, results that retain their gradient, views
  Tensor y;
};
std::vector<std::pair<std::string, std::function<Held()>>> graphs() {
  return {
      {"leaf",
       [] {
         const Tensor x = leaf(Doubles{1, 2});
         return Held{{x}, (x * x).sum()};
       }},
      {"retained",
       [] {
         const Tensor x = leaf(Doubles{1, 2}), h = x.exp();
         h.retain_grad();
         return Held{{x, h}, (h * h * x).sum()};
       }},
      {"view of a leaf",
       [] {
         const Tensor x = leaf(Doubles{1, 2}), v = x.view({2, 1});
         v.retain_grad();
         return Held{{x, v}, (v * v * v).sum()};
       }},
      {"view of a retained one",
       [] {
         const Tensor x = leaf(Doubles{1, 2}), h = x * x, v = h.slice(0, 0, 1);
         h.retain_grad();
         v.retain_grad();
         return Held{{x, h, v}, (h * h).sum() + (v * v * v).sum()};
       }},
      {"two leaves that read each other's gradients",
       [] {
         const Tensor x = leaf(Doubles{1, 2}), w = leaf(Doubles{3, 4}), h = x * w;
         h.retain_grad();
         return Held{{x, w, h}, (h * h * x).sum()};
       }},
      {"several outputs",
       [] {
         const Tensor x = leaf(Doubles{1, 3, 2});
         const auto [most, at] = (x * x).max(0);
         most.retain_grad();
         return Held{{x, most}, most * most};
       }},
      {"a rule",
       [] {
         const Tensor x = leaf(Doubles{1, 3, 2}), s = x.softmax(0);
         s.retain_grad();
         return Held{{x, s}, (s * s).sum()};
       }},
      {"changed in place",
       [] {
         const Tensor x = leaf(Doubles{1, 2}), h = x * x;
         h.retain_grad();
         h.mul_(x);
         return Held{{x, h}, (h * h).sum()};
       }},
  };
}

// Operations that keep two values each: inputs, results, lists of either.
struct KeepsInputs {
  static constexpr std::string_view name = "test_keeps_inputs";
  static Array forward(const Array& x, const Array& w) { return x * w; }
  static constexpr auto gradients =
      formulas([](Dy<> dy, In<1> w) { return dy * w; }, [](Dy<> dy, In<0> x) { return dy * x; });
};
struct KeepsResults {
  static constexpr std::string_view name = "test_keeps_results";
  static std::tuple<Array, Array> forward(const Array& x) { return {core::exp(x), core::exp(-x)}; }
  static constexpr auto gradients =
      formulas([](Dy<0> dy, Dy<1>, Out<0> y, Out<1> z) { return dy.defined() ? dy * y : z; });
};
struct KeepsInputList {
  static constexpr std::string_view name = "test_keeps_input_list";
  static Array forward(core::ArrayList x) { return x[0] * x[1]; }
  static constexpr auto gradients =
      formulas([](Dy<> dy, InList x, Which which) { return dy * x[which.input == 0 ? 1 : 0]; });
};
struct KeepsResultList {
  static constexpr std::string_view name = "test_keeps_result_list";
  static std::vector<Array> forward(const Array& x) { return {core::exp(x), core::exp(-x)}; }
  static constexpr auto gradients =
      formulas([](DyList dy, OutList y) { return dy[0].defined() ? dy[0] * y[0] : y[1]; });
};
inline constexpr auto keeps_two = pointwise("test_keeps_two", [](auto x, auto w) { return exp(x) * exp(w); });
inline constexpr auto keeps_four =
    pointwise("test_keeps_four", [](auto x, auto w, auto a, auto b) { return exp(x) * exp(w) * exp(a) * exp(b); });

struct Keeping {
  std::string_view name;
  int values;
  Tensor y;
};
std::vector<Keeping> keeping() {
  const auto x = [] { return leaf(Doubles{1, 2}); };
  return {{"inputs", 2, apply<KeepsInputs>(x(), x())},
          {"results", 2, std::get<0>(apply<KeepsResults>(x()))},
          {"a list of inputs", 2, apply<KeepsInputList>(std::vector<Tensor>{x(), x()})},
          {"a list of results", 2, apply<KeepsResultList>(x())[0]},
          {"a pointwise function's two", 2, keeps_two(x(), x())},
          {"a pointwise function's four", 4, keeps_four(x(), x(), x(), x())}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(letting_go)

// Each handle before the first pass, before a second over the retained graph, or after both; the passes recorded, or one
// of them.
BOOST_AUTO_TEST_CASE(handles_go_in_any_order) {
  for (const auto& [name, make] : graphs()) {
    const std::size_t n = make().handles.size();
    std::size_t orders = 3;
    for (std::size_t i = 0; i < n; ++i) orders *= 3;
    for (std::size_t order = 0; order < orders; ++order) {
      const Alive before;
      {
        Held held = make();
        const std::size_t recorded = order % 3;
        std::vector<std::size_t> goes_at;
        for (std::size_t rest = order / 3; goes_at.size() < n; rest /= 3) goes_at.push_back(rest % 3);
        for (std::size_t time = 0; time < 3; ++time) {
          for (std::size_t i = 0; i < n; ++i) {
            if (goes_at[i] == time) held.handles[i] = Tensor();
          }
          if (time < 2) held.y.backward({}, true, recorded == 2 || recorded == time);
        }
      }
      const Alive after;
      BOOST_CHECK_MESSAGE(after == before, name << ", order " << order << ": " << after << " for " << before);
      if (!(after == before)) break;
    }
  }
}

// Drawn graphs of second and third order under create_graph: a pass over a drawn result with some of the handles as targets,
// after each of which some of all handles (leaves, results, gradients, gradients of gradients) go, in a drawn order, until
// none is left.
BOOST_AUTO_TEST_CASE(drawn_orders_under_create_graph) {
  std::mt19937 draw(14);
  const auto below = [&draw](std::size_t n) { return static_cast<std::size_t>(draw() % n); };
  for (int round = 0; round < 300; ++round) {
    const Alive before;
    {
      std::vector<Tensor> handles;
      for (int i = 0; i < 3; ++i) handles.push_back(leaf(Doubles{0.5, 1.5}));
      for (int step = 0; step < 12; ++step) {
        const Tensor a = handles[below(handles.size())], b = handles[below(handles.size())];
        Tensor c;
        switch (below(7)) {
          case 0:
            c = a * b;
            break;
          case 1:
            c = a.view({2}) + b;
            break;
          case 2:
            c = a.softmax(0);
            break;
          case 3:
            c = (a * 1).mul_(b);
            break;
          case 4:
            c = a.tanh();
            if (c.requires_grad()) c.register_hook([k = a.detach()](const Tensor& g) { return g * k; });
            break;
          case 5:
            c = a * b;
            if (c.requires_grad()) c.retain_grad();
            break;
          default:
            if (!a.requires_grad()) continue;
            if (below(2) == 0) {
              a.square().sum().backward({}, true, true);
              c = handles[below(handles.size())];
              if (c.is_leaf() && c.grad().defined()) c = c.grad();
            } else {
              c = autograd::grad({(a * a).sum()}, {a}, {}, true, true)[0];
            }
        }
        handles.push_back(c);
        if (below(3) == 0) handles.erase(handles.begin() + static_cast<std::ptrdiff_t>(below(handles.size())));
      }
      while (!handles.empty()) handles.erase(handles.begin() + static_cast<std::ptrdiff_t>(below(handles.size())));
    }
    const Alive after;
    BOOST_CHECK_MESSAGE(after == before, "round " << round << ": " << after << " for " << before);
    if (!(after == before)) break;
  }
}

BOOST_AUTO_TEST_CASE(a_module_goes_first) {
  for (const bool before_the_pass : {true, false}) {
    for (const bool create_graph : {true, false}) {
      const Alive before;
      {
        std::optional<nn::Sequential> net(std::in_place, nn::Linear(3, 4), nn::Tanh(), nn::Linear(4, 2),
                                          nn::Softmax(1));
        const Tensor x = ones({2, 3}).requires_grad_();
        const Tensor y = square((*net)->forward(x)).sum();
        if (before_the_pass) net.reset();
        y.backward({}, true, create_graph);
        y.backward({}, true, create_graph);
        BOOST_CHECK(x.grad().defined());
        net.reset();
      }
      BOOST_CHECK_EQUAL(Alive(), before);
    }
  }
}

BOOST_AUTO_TEST_CASE(handles_go_during_the_pass) {
  for (const bool by_a_thread : {false, true}) {
    const Alive before;
    {
      Tensor x = leaf(Doubles{1, 2});
      const Tensor h = x * x;
      Tensor y = (h * h).sum();
      h.register_hook([&](const Tensor&) {
        if (by_a_thread)
          std::thread([&] { x = Tensor(); }).join();
        else
          x = Tensor();
      });
      y.backward({}, true, true);
      y.backward({}, true, true);
    }
    BOOST_CHECK_EQUAL(Alive(), before);
  }
}

BOOST_AUTO_TEST_CASE(hooks_outlive_their_leaf) {
  const Alive before;
  {
    std::vector<Doubles> seen;
    Tensor x = leaf(Doubles{1, 2});
    x.register_post_accumulate_grad_hook([&](Tensor& grad) { seen.push_back(values(grad)); });
    const Tensor y = (x * x).sum();
    x = Tensor();
    for (const bool create_graph : {false, true, false}) y.backward({}, true, create_graph);
    BOOST_CHECK((seen == std::vector<Doubles>{{2, 4}, {4, 8}, {6, 12}}));
  }
  BOOST_CHECK_EQUAL(Alive(), before);
}

BOOST_AUTO_TEST_CASE(a_gradient_that_is_held_stays) {
  const Alive before;
  {
    Tensor x = leaf(Doubles{1, 2});
    const Tensor y = (x * x * x).sum();
    y.backward({}, true, true);
    const Tensor dx = x.grad();
    x = Tensor();
    check(dx, {3, 12});
    y.backward({}, true, true);  // nobody can ask for it
    check(dx, {3, 12});
    BOOST_CHECK(dx.requires_grad());
    const Tensor again = dx.sum();
    again.backward();
  }
  BOOST_CHECK_EQUAL(Alive(), before);
}

BOOST_AUTO_TEST_CASE(a_reshape_copies_once_where_it_must) {
  const Tensor x = ones({300, 200}), turned = x.t();
  const std::int64_t before = memory_stats().allocations;
  const Tensor view = x.reshape({-1}), copy = turned.reshape({-1});
  BOOST_TEST(memory_stats().allocations == before + 1);
}

// What a visitor was given is its own, what it packs then goes with the rest, and the rest is not visited.
BOOST_AUTO_TEST_CASE(values_go_while_they_are_looked_at) {
  const Alive before;
  for (const auto& [name, values, y] : keeping()) {
    BOOST_TEST_CONTEXT(name) {
      autograd::Node& node = *y.edge().node;
      int seen = 0;
      node.visit_saved([&](const char*, int, autograd::Saved&) { ++seen; });
      BOOST_TEST(seen == values);
      seen = 0;
      const std::int64_t held = memory_stats().live_arrays;
      node.visit_saved([&](const char*, int, autograd::Saved& saved) {
        ++seen;
        std::thread([&] { node.release_saved(); }).join();
        BOOST_TEST(saved.value().defined());
        saved.pack([value = saved.value()] { return value; });
      });
      BOOST_TEST(seen == 1);
      BOOST_TEST(memory_stats().live_arrays < held);
      node.release_saved();
      node.visit_saved([&](const char*, int, autograd::Saved&) { BOOST_ERROR("visited after its release"); });
      check_error<GradError>([&, of = y] { of.sum().backward(); }, {"freed"});
    }
  }
  BOOST_CHECK_EQUAL(Alive(), before);
}

// The other is recorded, or asked for the first that is not finite: both look at what nodes keep.
BOOST_AUTO_TEST_CASE(a_pass_lets_go_while_another_looks) {
  const Alive before;
  for (int round = 0; round < 100; ++round) {
    const Tensor x = leaf(Doubles{0, 1});
    Tensor h = x.log();
    for (int i = 0; i < 20; ++i) h = apply<KeepsInputs>(keeps_two(h, x), x + 1);
    const Tensor y = h.sum();
    in_threads(2, [&](int thread) {
      try {
        if (thread == 0) return y.backward();
        std::optional<autograd::Record> record;
        std::optional<autograd::DetectAnomalyGuard> guard;
        round % 2 == 0 ? void(record.emplace()) : void(guard.emplace());
        y.backward();
      } catch (const GradError&) {  // freed, or not finite
      }
    });
  }
  BOOST_CHECK_EQUAL(Alive(), before);
}

// A `.grad` of a `.grad` of ..., plain or a view of the one that has the next: as deep as there is memory.
BOOST_AUTO_TEST_CASE(grads_of_grads) {
#ifdef __SANITIZE_ADDRESS__
  constexpr int kDeep = 20000;
#else
  constexpr int kDeep = 300000;
#endif
  for (const bool of_views : {false, true}) {
    const Alive before;
    {
      const Tensor x = tensor(Doubles{1}, kFloat64);
      Tensor last = x;
      for (int i = 0; i < kDeep; ++i) {
        const Tensor next = tensor(Doubles{1}, kFloat64);
        last.mutable_grad() = of_views ? next.view({1}) : next;
        last = next;
      }
    }
    BOOST_CHECK_EQUAL(Alive(), before);
  }
  // Let go by a hook that a chain of nodes' burial destroys.
  const Alive before;
  {
    Tensor y = leaf(Doubles{1});
    for (int i = 0; i < kDeep / 10; ++i) {
      const Tensor held = tensor(Doubles{1}, kFloat64);
      held.mutable_grad() = y;
      y = y * 1;
      y.register_hook([held](const Tensor&) {});
    }
  }
  BOOST_CHECK_EQUAL(Alive(), before);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
