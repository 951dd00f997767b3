// Record: what it writes down of a computation, held against what is known of it.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <nlohmann/json.hpp>

#include <gradus/autograd/graph/engine.h>
#include <gradus/autograd/graph/record.h>
#include <gradus/autograd/tensor/create.h>
#include <gradus/autograd/tensor/print.h>
#include <gradus/gradus.h>

#include "../support/gradients.h"

namespace gradus::test {
namespace {

using autograd::Record;
using nlohmann::json;

inline constexpr auto recorded_softsign = pointwise("test_recorded", [](auto a) { return a / (1 + abs(a)); });

json read(const Record& record) { return json::parse(record.json()); }

// The operations of a name.
std::vector<json> named(const json& record, const std::string& name) {
  std::vector<json> found;
  for (const json& operation : record["operations"]) {
    if (operation["name"] == name) found.push_back(operation);
  }
  return found;
}
Doubles numbers(const json& of) { return of["numbers"]["all"].get<Doubles>(); }
std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

struct PastTheGraph {  // y = x^3
  static constexpr std::string_view name = "test_past_the_graph";
  static core::Array forward(const core::Array& x) { return x * x * x; }
  static constexpr auto gradients =
      autograd::formulas([](autograd::Dy<> dy, autograd::In<0> x) { return dy * 3 * x.detach().square(); });
};

}  // namespace

BOOST_AUTO_TEST_SUITE(record)

// By formulas and by a rule's reference: what they read has one name, however many tensors show it.
BOOST_AUTO_TEST_CASE(a_backward_that_is_recorded_reads_the_same_leaves) {
  const Tensor a = leaf(Doubles{1, 2, 3}), w = leaf(Doubles{4, 5, 6});
  Record record;
  record.name(a, "a");
  record.name(w, "w");
  const Tensor y = nn::functional::layer_norm(a * w, nn::functional::LayerNormFuncOptions({3}).weight(w));
  const Tensor dx = autograd::grad({y.square().sum()}, {a}, {}, true, true)[0];
  dx.square().sum().backward();
  w.detach().mul_(2);  // with other numbers it is another value
  (a * w).sum().backward();
  BOOST_TEST(count(record.text(), "  leaf\n") == 3u, record.text());
}

BOOST_AUTO_TEST_CASE(a_computation_and_its_backward_pass) {
  const Tensor a = leaf(Doubles{1, 2, 3}), b = leaf(Doubles{4, 5, 6});
  Record record;
  record.name(a, "first");
  const int line = __LINE__ + 1;
  const Tensor c = a * b;
  const Tensor y = (c.tanh() + c).sum();
  y.backward();
  const json r = read(record);

  const json mul = named(r, "mul").at(0), tanh = named(r, "tanh").at(0), add = named(r, "add").at(0);
  BOOST_CHECK_EQUAL(mul["line"].get<int>(), line);
  BOOST_CHECK_EQUAL(mul["file"].get<std::string>(), __FILE__);
  BOOST_CHECK_EQUAL(mul["inputs"].size(), 2u);
  const json &of_a = r["values"][mul["inputs"][0].get<std::size_t>()],
             &of_c = r["values"][mul["outputs"][0].get<std::size_t>()];
  BOOST_CHECK_EQUAL(of_a["name"], "first");
  BOOST_CHECK_EQUAL(of_a["kind"], "leaf");
  BOOST_CHECK(numbers(of_a) == (Doubles{1, 2, 3}));
  BOOST_CHECK(numbers(of_c) == (Doubles{4, 10, 18}));
  BOOST_CHECK(of_c["shape"] == json({3}) && of_c["strides"] == json({1}) && of_c["dtype"] == "float64");
  BOOST_CHECK(tanh["inputs"][0] == mul["outputs"][0] && add["inputs"][1] == mul["outputs"][0]);
  // mul keeps its inputs, tanh its output, add nothing.
  BOOST_CHECK_EQUAL(mul["saved"].size(), 2u);
  BOOST_CHECK(mul["saved"][0]["value"] == mul["inputs"][0] && tanh["saved"][0]["value"] == tanh["outputs"][0]);
  BOOST_CHECK(add["saved"].empty());
  BOOST_CHECK(r["storages"][mul["saved"][0]["storage"].get<std::size_t>()]["of_leaf"].get<bool>());

  // sum, add, tanh, mul; the gradient of c is added up of two.
  BOOST_REQUIRE_EQUAL(r["steps"].size(), 4u);
  std::vector<std::string> order;
  for (const json& step : r["steps"]) order.push_back(r["operations"][step["operation"].get<std::size_t>()]["name"]);
  BOOST_CHECK((order == std::vector<std::string>{"sum", "add", "tanh", "mul"}));
  const json &tanh_step = r["steps"][2], &mul_step = r["steps"][3];
  BOOST_CHECK(r["steps"][1]["added"].empty() && mul_step["added"].empty());
  BOOST_CHECK_EQUAL(tanh_step["added"].size(), 1u);
  BOOST_CHECK(tanh_step["added"][0]["operation"] == mul["id"]);
  const Doubles total = numbers(mul_step["of_outputs"][0]), one = numbers(tanh_step["of_inputs"][0]);
  for (std::size_t i = 0; i < 3; ++i) BOOST_CHECK_CLOSE(total[i], one[i] + 1, 1e-12);
  // What tanh kept is let go by its step.
  BOOST_CHECK(tanh_step["released"].get<bool>() && tanh_step["freed"] == json::array({tanh["saved"][0]["storage"]}));
  BOOST_CHECK(r["storages"][tanh["saved"][0]["storage"].get<std::size_t>()]["freed_by_step"] == tanh_step["id"]);

  const json& pass = r["passes"].at(0);
  BOOST_CHECK(pass["complete"].get<bool>());
  BOOST_REQUIRE_EQUAL(pass["arrived"].size(), 2u);
  for (const json& arrived : pass["arrived"]) {
    const bool is_a = r["values"][0]["operation"] == arrived["operation"];
    BOOST_CHECK(numbers(arrived) == values(is_a ? a.grad() : b.grad()));
  }

  const std::string text = record.text();
  for (const char* part :
       {"first:float64[3]", "= mul first b", "saves first, b", "test_record.cpp:", "backward 1 from", "arrived: "}) {
    BOOST_CHECK_MESSAGE(text.find(part) != std::string::npos, text << "\nhas no " << part);
  }
}

BOOST_AUTO_TEST_CASE(modules_and_shared_storage) {
  nn::Sequential net(nn::Linear(3, 3), nn::Linear(3, 3), nn::Tanh());
  const Tensor x = ones({2, 3});
  Record record;
  const Tensor y = net->forward(x);
  const Tensor z = (y * y.view({6}).view({2, 3})).sum();
  const json r = read(record);
  BOOST_CHECK_EQUAL(named(r, "linear").size(), 2u);
  BOOST_CHECK_EQUAL(named(r, "linear")[1]["module"], "1");
  BOOST_CHECK(named(r, "linear")[1]["rule"].get<bool>());
  BOOST_CHECK_EQUAL(named(r, "tanh")[0]["module"], "2");
  // tanh keeps its output, mul both of its views: one storage, which three keep.
  const json tanh = named(r, "tanh")[0], mul = named(r, "mul")[0];
  const json& storage = r["storages"][tanh["saved"][0]["storage"].get<std::size_t>()];
  BOOST_CHECK(mul["saved"][0]["storage"] == storage["id"] && mul["saved"][1]["storage"] == storage["id"]);
  BOOST_CHECK_EQUAL(storage["saved_by"].size(), 3u);
  BOOST_CHECK_EQUAL(storage["held"].get<int>(), 3);
  BOOST_CHECK(storage["freed_by_step"].is_null());
}

BOOST_AUTO_TEST_CASE(large_tensors_are_statistics_and_a_corner) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  Tensor x = arange(0, 200, 1, kFloat64).view({10, 20}).clone();
  {
    Record record;
    (x.requires_grad_() * 1).sum();
    const json n = read(record)["values"][0]["numbers"];
    BOOST_CHECK_EQUAL(n["min"].get<double>(), 0);
    BOOST_CHECK_EQUAL(n["max"].get<double>(), 199);
    BOOST_CHECK_CLOSE(n["mean"].get<double>(), 99.5, 1e-10);
    BOOST_CHECK_CLOSE(n["std"].get<double>(), 57.734305226615476, 1e-10);
    BOOST_CHECK(n["corner_shape"] == json({3, 3}) && n["corner"] == json({0., 1., 2., 20., 21., 22., 40., 41., 42.}));
  }
  x = x.detach().clone();
  x.view({200})[5].fill_(nan);
  x.view({200})[6].fill_(inf);
  Record record({.whole = 8, .corner = 1});
  (x.t().requires_grad_() * 1).sum();
  const json n = read(record)["values"][0]["numbers"];
  BOOST_CHECK(n["nan"] == 1 && n["infinite"] == 1 && n["max"] == 199. && n["corner"] == json({0.}));
  BOOST_CHECK_CLOSE(n["mean"].get<double>(), (99.5 * 200 - 11) / 198, 1e-10);
}

BOOST_AUTO_TEST_CASE(it_keeps_no_tensor_and_costs_none_its_life) {
  const Alive before;
  {
    Record record;
    for (int i = 0; i < 3; ++i) {
      const Tensor x = leaf(Doubles{1, 2}), y = (x * x).sum();
      y.backward({}, {}, i == 1);
    }
    BOOST_CHECK_EQUAL(Alive().arrays, before.arrays);
    BOOST_CHECK_EQUAL(named(read(record), "leaf").size(), 3u);
  }
  BOOST_CHECK_EQUAL(Alive(), before);
}

BOOST_AUTO_TEST_CASE(memory_rises_and_falls) {
  const Tensor x = leaf(core::ones({1000}, kFloat32));
  Record record;
  const Tensor y = x.exp().exp().sum();
  y.backward();
  const json r = read(record), &memory = r["memory"];
  const json& peak = memory[r["peak"].get<std::size_t>()];
  BOOST_CHECK_GE(peak["live_bytes"].get<std::int64_t>() - memory[0]["live_bytes"].get<std::int64_t>(), 4000);
  std::int64_t freed = 0;
  for (const json& step : r["steps"]) {
    for (const json& storage : step["freed"])
      freed += r["storages"][storage.get<std::size_t>()]["bytes"].get<std::int64_t>();
  }
  BOOST_CHECK_EQUAL(freed, 8000);
  BOOST_CHECK_EQUAL(memory.back()["event"], "end");
}

BOOST_AUTO_TEST_CASE(passes_of_every_kind) {
  const Tensor x = leaf(Doubles{1, 2}), before = x * 3;
  Record record;
  const Tensor y = (before * x).sum();
  const Tensor dx = autograd::grad({y}, {x}, {}, true, true)[0];  // recorded within its steps
  dx.sum().backward();
  const json r = read(record);
  BOOST_CHECK_EQUAL(r["passes"].size(), 2u);
  int within = 0, elsewhere = 0;
  for (const json& operation : r["operations"]) {
    within += operation["during_step"].is_null() ? 0 : 1;
    elsewhere += operation["kind"] == "elsewhere" ? 1 : 0;
  }
  BOOST_CHECK(within > 0);
  BOOST_CHECK_EQUAL(elsewhere, 1);
  BOOST_CHECK(numbers(r["passes"][0]["arrived"][0]) == values(dx));

  // One that throws, and another after it.
  const Tensor z = (x * 2).sum();
  x.register_hook([](const Tensor&) -> Tensor { throw ValueError("told to"); });
  BOOST_CHECK_THROW(z.backward({}, true), ValueError);
  const json again = read(record);
  BOOST_CHECK(!again["passes"].back()["complete"].get<bool>());
  record.stop();
  (x * x).sum();
  BOOST_CHECK(read(record) == again);
}

BOOST_AUTO_TEST_CASE(a_leaf_with_new_numbers_is_another_value) {
  const Tensor w = leaf(Doubles{1, 2});
  Record record;
  (w * w).sum().backward();
  {
    const NoGradGuard guard;
    w.sub_(1);
  }
  (w * w).sum().backward();
  const json r = read(record);
  const json leaves = named(r, "leaf").at(0)["outputs"];
  BOOST_REQUIRE_EQUAL(leaves.size(), 2u);
  BOOST_CHECK(numbers(r["values"][leaves[1].get<std::size_t>()]) == (Doubles{0, 1}));
}

BOOST_AUTO_TEST_CASE(what_is_repeated_is_folded) {
  nn::Sequential net;
  for (int i = 0; i < 12; ++i) net->push_back(nn::Sequential(nn::Linear(4, 4), nn::Tanh()));
  Record record;
  Tensor y = net->forward(ones({2, 4}));
  for (int i = 0; i < 50; ++i) y = y + y;
  const std::string dot = record.dot();
  BOOST_CHECK_MESSAGE(dot.find("0 to 11, 12 times") != std::string::npos, dot);
  BOOST_CHECK_MESSAGE(dot.find("50 times") != std::string::npos, dot);
  BOOST_CHECK_EQUAL(count(dot, "label=\"tanh"), 1u);
  BOOST_CHECK_EQUAL(count(dot, "label=\"add"), 1u);
  // Without a repetition nothing is.
  Record other;
  ones({2, 4}).requires_grad_().exp().sin().exp();
  BOOST_CHECK_EQUAL(count(other.dot(), "label=\"exp"), 2u);
}

BOOST_AUTO_TEST_CASE(fused_operations_have_a_formula) {
  const Tensor x = leaf(Doubles{1, -3});
  Record record;
  const Tensor y = recorded_softsign(x);
  y.sum().backward();
  const json r = read(record), operation = named(r, "test_recorded").at(0);
  BOOST_CHECK_EQUAL(operation["kind"], "operation");
  BOOST_CHECK_MESSAGE(operation["formula"].get<std::string>().find("test_recorded(x) = x / (abs(x) + 1)") == 0,
                      operation["formula"]);
  BOOST_CHECK(numbers(r["values"][operation["outputs"][0].get<std::size_t>()]) == values(y));
}

// A chain of diamonds has 2^n paths, and n nodes.
BOOST_AUTO_TEST_CASE(graphs_of_many_paths_stay_short) {
  Tensor y = leaf(Doubles{1});
  for (int i = 0; i < 5000; ++i) y = y + y;
  BOOST_CHECK_EQUAL(count(autograd::graph_to_string(y), "\n"), 10001u);
}

// A formula that loses its history is found out under a Record, too, and the tries are no part of what is recorded.
BOOST_AUTO_TEST_CASE(a_lost_history_is_found_under_a_record) {
  Record record;
  const Tensor x = tensor({2.0}, kDouble).requires_grad_();
  const Tensor y = autograd::apply<PastTheGraph>(x);
  const Tensor dx = autograd::grad({(y * y).sum()}, {x}, {}, {}, true)[0];
  check_error<GradError>([&] { dx.sum().backward(); }, {"test_past_the_graph", "must keep the history of input 0"});
  const std::string text = record.text();
  BOOST_TEST(text.find("= test_past_the_graph") == text.rfind("= test_past_the_graph"), text);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
