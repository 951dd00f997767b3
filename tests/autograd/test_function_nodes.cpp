// The node that a Function leaves in the graph: what it keeps, when it lets go, its name, hooks on it, and who may call it.
#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <stdexcept>

#include <gradus/autograd/func/transforms.h>
#include <gradus/autograd/graph/engine.h>
#include <gradus/autograd/graph/function.h>
#include <gradus/autograd/graph/observer.h>
#include <gradus/autograd/graph/saved.h>
#include <gradus/autograd/tensor/create.h>
#include <gradus/autograd/tensor/print.h>

#include "../support/gradients.h"
#include "../support/threads.h"

namespace gradus::test {
namespace {

using namespace autograd;

Tensor doubles(const Doubles& numbers) { return Tensor(list(numbers)); }

// What is written to the standard error stream meanwhile.
template <class Call>
std::string warnings_of(Call call) {
  std::FILE* const file = std::tmpfile();
  std::fflush(stderr);
  const int before = dup(2);
  dup2(fileno(file), 2);
  call();
  std::fflush(stderr);
  dup2(before, 2);
  close(before);
  std::string text(static_cast<std::size_t>(std::ftell(file)), ' ');
  std::rewind(file);
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  return text;
}

// An intermediate is kept, of which the second derivative knows nothing.
struct Intermediate : Function<Intermediate> {
  static Tensor forward(AutogradContext* ctx, Tensor x) {
    const Tensor twice = x * 2;
    ctx->save_for_backward({twice});
    return twice * twice;
  }
  static variable_list backward(AutogradContext* ctx, variable_list dy) {
    return {dy[0] * ctx->get_saved_variables()[0] * 4};
  }
};
// y = x w, which keeps its inputs, its output, and something else.
template <class T>
struct Product : Function<Product<T>> {
  static inline int fail = 0;
  static Tensor forward(AutogradContext* ctx, Tensor x, Tensor w) {
    if (fail == 1) throw std::runtime_error("forward fails");
    const Tensor y = x * w;
    ctx->save_for_backward({x, w, y, Tensor(), x.gt(0)});
    ctx->saved_data["calls"] = 0;
    return y;
  }
  static variable_list backward(AutogradContext* ctx, variable_list dy) {
    if (fail == 2) throw std::runtime_error("backward fails");
    if (fail == 3) dy[0].mul_(2);
    ctx->saved_data["calls"] = ctx->saved_data["calls"].toInt() + 1;
    const variable_list saved = ctx->get_saved_variables();
    // Several threads come here, which Boost.Test does not bear.
    if (saved.size() != 5 || saved[3].defined()) throw std::logic_error("five values were saved, the fourth undefined");
    return {dy[0] * saved[1], dy[0] * saved[0]};
  }
};
using Times = Product<int>;

struct Twofold : FunctionPreHook {
  variable_list operator()(const variable_list& dy) override { return {dy[0] * 2}; }
};
struct Record : FunctionPostHook {
  explicit Record(variable_list& into) : list(into) {}
  variable_list operator()(const variable_list& dx, const variable_list& dy) override {
    list = dx;
    list.push_back(dy[0]);
    return {dx[0] * 10, dx[1]};
  }
  variable_list& list;
};

struct Watch : Observer {
  std::vector<std::string> told;
  void recorded(Node& node, const Operand*, int count, const std::vector<core::Array>& outputs) override {
    told.push_back(std::string(node.name()) + " " + std::to_string(count) + " " + std::to_string(outputs.size()));
    node.visit_saved([&](const char* kind, int index, Saved& saved) {
      told.push_back(std::string(kind) + " " + std::to_string(index));
      if (!saved.value().defined()) return;
      saved.pack([copy = saved.value().clone()] { return copy; });
    });
  }
};

BOOST_AUTO_TEST_SUITE(function_nodes)

BOOST_AUTO_TEST_CASE(name_and_edges) {
  const Tensor x = doubles({1, 2}).requires_grad_(), w = doubles({3, 4}), y = Times::apply(x * 1, w);
  const auto node = y.grad_fn();
  BOOST_TEST(node->name() == "Product<int>");
  BOOST_TEST(graph_to_string(y).find("Product<int>") != std::string::npos);
  BOOST_TEST(to_string(y).find("grad_fn=<Product<int>Backward0>") != std::string::npos, to_string(y));
  BOOST_TEST(node->num_outputs() == 1);
  BOOST_TEST(node->next_edges().size() == 2u);
  BOOST_TEST(node->next_edge(0).is_valid());
  BOOST_TEST(!node->next_edge(1).is_valid());
  BOOST_TEST(node->next_edge(0).node->name() == "mul");
  BOOST_TEST(node->sequence_nr() > node->next_edge(0).node->sequence_nr());
  check_error<IndexError>([&] { (void)node->next_edge(2); }, {"2 of 2"});
  BOOST_TEST(node->attributes()[0].name == "calls");
  y.sum().backward({}, true);
  BOOST_TEST(node->attributes()[0].value == "1");
  const Scope scope(Location::here(), "block.1");
  BOOST_TEST(Times::apply(x, w).grad_fn()->module() == "block.1");
}

BOOST_AUTO_TEST_CASE(saved_values) {
  const Tensor x = doubles({1, 2}).requires_grad_(), w = doubles({3, 4}).requires_grad_();
  const auto after = [&](auto change) {
    const Tensor a = x * 1, y = Times::apply(a, w), sum = y.sum();
    change(a, y);
    return grad({sum}, {w})[0];
  };
  check(after([](Tensor, Tensor) {}), {1, 2});
  check_error<GradError>([&] { after([](Tensor a, Tensor) { a.add_(1); }); },
                         {"Product<int>: its input 0 ([2], float64), saved", "add_ wrote to it"});
  check_error<GradError>([&] { after([](Tensor, Tensor y) { y.detach().zero_(); }); },
                         {"Product<int>: its output 0", "zero_ wrote to it"});
  const Tensor y = Times::apply(x, w), sum = y.sum();
  sum.backward({}, true);
  sum.backward();
  check(x.grad(), {6, 8});
  check_error<GradError>([&] { sum.backward(); }, {"freed", "retain_graph"});
}

BOOST_AUTO_TEST_CASE(an_intermediate_is_a_constant_and_says_so_once) {
  const Tensor x = doubles({1, 2}).requires_grad_();
  const std::string first = warnings_of([&] {
    check(grad({Intermediate::apply(x).sum()}, {x})[0], {8, 16});
    const Tensor g = grad({Intermediate::apply(x).sum()}, {x}, {}, true, true)[0];
    check(g, {8, 16});
    BOOST_TEST(g.requires_grad());
  });
  BOOST_TEST(first == "");
  const auto second = [&] {
    const Tensor g = grad({Intermediate::apply(x).square().sum()}, {x}, {}, true, true)[0];
    check(grad({g.sum()}, {x}, {}, true)[0], {8 * 16, 8 * 4 * 16});  // the derivative of dy alone
  };
  const std::string text = warnings_of(second);
  BOOST_TEST(text.find("Intermediate: saved tensor 0 ([2], float64)") != std::string::npos, text);
  BOOST_TEST(warnings_of(second) == "");
}

// Forward mode asks backward, and no more of it than there are gradients.
struct Sorted : Function<Sorted> {
  static variable_list forward(AutogradContext* ctx, Tensor x) {
    const auto [values, indices] = x.sort();
    ctx->save_for_backward({indices});
    return {indices, Tensor(), values};
  }
  static variable_list backward(AutogradContext* ctx, variable_list dy) {
    return {zeros_like(dy[2]).scatter(0, ctx->get_saved_variables()[0], dy[2])};
  }
};
BOOST_AUTO_TEST_CASE(forward_mode) {
  const Tensor x = doubles({3, 1, 2}), t = doubles({30, 10, 20});
  check(std::get<1>(func::jvp([](const Tensor& at) { return Sorted::apply(at)[2] * 2; }, x, t)), {20, 40, 60});
  check(std::get<1>(func::jvp([](const Tensor& at) { return Times::apply(at, at); }, x, t)), {180, 20, 80});
}

BOOST_AUTO_TEST_CASE(observers_see_it_and_pack_what_it_keeps) {
  const Tensor x = doubles({1, 2}).requires_grad_(), w = doubles({3, 4});
  Tensor y;
  {
    Watch watch;
    y = Times::apply(x, w);
    const std::vector<std::string> expected{"Product<int> 2 1", "input 0",  "input 1",
                                            "output 0",         "tensor 3", "tensor 4"};
    BOOST_CHECK_EQUAL_COLLECTIONS(watch.told.begin(), watch.told.end(), expected.begin(), expected.end());
    const NoGradGuard unrecorded;
    (void)Times::apply(x, w);
    BOOST_TEST(watch.told.size() == expected.size());
  }
  w.zero_();  // what is packed is elsewhere
  check(grad({y.sum()}, {x})[0], {3, 4});
}

BOOST_AUTO_TEST_CASE(errors_of_forward_and_backward) {
  const Tensor x = doubles({1, 2}).requires_grad_();
  const Alive before;
  Times::fail = 1;
  check_error<std::runtime_error>([&] { Times::apply(x, x); }, {"forward fails"});
  BOOST_TEST(GradMode::is_enabled());
  BOOST_TEST(Alive() == before);
  Times::fail = 2;
  check_error<std::runtime_error>([&] { Times::apply(x, x).sum().backward(); },
                                  {"backward fails", "in the backward pass of Product<int>"});
  Times::fail = 3;
  check_error<GradError>(
      [&] {
        Times::apply(x, x).backward(doubles({1, 1}));
      },
      {"Product<int>", "must not change the incoming gradient", "mul_ wrote to it"});
  Times::fail = 0;
  BOOST_TEST(!x.grad().defined());
}

BOOST_AUTO_TEST_CASE(hooks_that_are_objects) {
  const Tensor x = doubles({1, 2}).requires_grad_(), y = Times::apply(x, doubles({3, 4}));
  variable_list seen;
  const auto node = y.grad_fn();
  node->add_pre_hook(std::make_unique<Twofold>());
  const auto id = node->add_post_hook(std::make_unique<Record>(seen));
  check(grad({y.sum()}, {x}, {}, true)[0], {60, 80});
  BOOST_TEST_REQUIRE(seen.size() == 3u);
  check(seen[0], {6, 8});
  check(seen[2], {2, 2});
  seen.clear();
  check((*node)({doubles({1, 1})})[0], {3, 4});  // called by hand it runs alone
  BOOST_TEST(seen.empty());
  BOOST_TEST(node->del_post_hook(id));
  BOOST_TEST(!node->del_post_hook(id));
  check(grad({y.sum()}, {x}, {}, true)[0], {6, 8});
  check_error<ValueError>([&] { (*node)({}); }, {"Product<int>", "0 for 1"});
}

BOOST_AUTO_TEST_CASE(called_by_hand) {
  const Tensor x = doubles({1, 2}).requires_grad_(), w = doubles({3, 4}).requires_grad_(), y = Times::apply(x, w);
  const Tensor dx = (*y.grad_fn())({y})[0];  // recorded
  check(dx, {9, 32});
  check(grad({dx.sum()}, {w}, {}, true)[0], {6, 16});
  const NoGradGuard unrecorded;
  BOOST_TEST(!(*y.grad_fn())({y})[0].requires_grad());
  const auto leaf = y.grad_fn()->next_edge(0).node;
  BOOST_TEST((*leaf)({doubles({5, 6})}).empty());
  check(x.grad(), {5, 6});
}

BOOST_AUTO_TEST_CASE(a_saved_variable) {
  const Tensor x = doubles({1, 2}).requires_grad_(), y = x * x;
  SavedVariable input(x, false), output(y, true), none;
  BOOST_TEST(!none.unpack().defined());
  check(grad({(input.unpack() * 3).sum()}, {x})[0], {3, 3});
  check(grad({output.unpack(y.grad_fn()).sum()}, {x}, {}, true)[0], {2, 4});
  check_error<GradError>([&] { output.unpack(); }, {"unpack(node)"});
  input.reset_data();
  check_error<GradError>([&] { input.unpack(); }, {"retain_graph"});
  y.detach().add_(1);
  check_error<GradError>([&] { output.unpack(y.grad_fn()); }, {"([2], float64)", "add_ wrote to it"});
}

BOOST_AUTO_TEST_CASE(threads_run_one_node_at_once) {
  const Tensor x = doubles({1, 2}).requires_grad_(), y = Times::apply(x, doubles({3, 4}));
  in_threads(4, [&](int) {
    for (int i = 0; i < 50; ++i) y.sum().backward({}, true);
  });
  check(x.grad(), {600, 800});
  const int calls = std::stoi(y.grad_fn()->attributes()[0].value);  // of runs at the same time one is counted
  BOOST_TEST((calls >= 50 && calls <= 200));
}

BOOST_AUTO_TEST_CASE(values_by_name) {
  IValueMap map;
  map["a"] = 2;
  map["b"] = 0.5;
  map["a"] = std::int64_t{3};
  map["list"] = std::vector<std::int64_t>{1, 2};
  BOOST_TEST(map.size() == 3);
  BOOST_TEST(map.begin()->first == "a");
  BOOST_TEST(map["a"].toInt() == 3);
  BOOST_TEST(map.at("b").toDouble() == 0.5);
  BOOST_TEST(map["b"].to<float>() == 0.5f);
  BOOST_TEST(map["a"].toScalar().toDouble() == 3.0);
  BOOST_TEST((map["list"].toIntVector() == std::vector<std::int64_t>{1, 2}));
  BOOST_TEST(map["list"].toListRef()[1].toInt() == 2);
  BOOST_TEST(!map.insert({"a", true}).second);
  BOOST_TEST(map.insert_or_assign("a", true).first->second.toBool());
  BOOST_TEST(map.erase("b") == 1);
  BOOST_TEST(map.count("b") == 0);
  BOOST_TEST((map.find("c") == map.end()));
  BOOST_TEST(map["c"].isNone());
  BOOST_TEST(!map["c"].toOptional<double>().has_value());
  check_error<IndexError>([&] { map.at("d"); }, {"d"});
  check_error<TypeError>([&] { map["a"].toDouble(); }, {"IValue::toDouble: it must hold Double: it holds Bool"});
  check_error<TypeError>([&] { map["c"].toTensor(); }, {"it holds None", "under this name?"});
  IValue text = "words", copy = text;
  text = std::vector<double>{1};
  BOOST_TEST(copy.toStringRef() == "words");
  BOOST_TEST(text.toDoubleVector()[0] == 1);
  BOOST_TEST(IValue(std::vector<std::string>{"p", "q"}).toListRef()[1].toStringRef() == "q");
  BOOST_TEST(IValue(std::vector<bool>{true}).text() == "[true]");
  BOOST_TEST(IValue(std::optional<int>()).isNone());
  BOOST_TEST(IValue(kDouble).toScalarType() == kDouble);
  BOOST_TEST(IValue(doubles({1, 2})).text() == "float64 [2]");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace gradus::test
