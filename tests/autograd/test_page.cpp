// write_page: what the file has, held against the computation; where things stand on it.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <gradus/autograd/graph/engine.h>
#include <gradus/autograd/graph/record.h>
#include <gradus/autograd/page/page.h>
#include <gradus/autograd/tensor/create.h>
#include <gradus/gradus.h>

#include "../support/gradients.h"
#include "../support/page_data.h"

namespace gradus::test {
namespace {

using autograd::Record;
using autograd::RecordOptions;
using nlohmann::json;

// A gradient by hand that is twice its reference's.
struct Doubled {
  static constexpr std::string_view name = "test_page_doubled";
  static core::Array forward(const core::Array& x) { return x * x; }
  static std::array<core::Array, 1> backward(autograd::Needs, autograd::DyArray<> dy, autograd::InArray<0> x) {
    return {dy * x * 4};
  }
  static Tensor reference(const Tensor& x) { return x * x; }
};
// No file of the library knows it.
struct Unheard {
  static constexpr std::string_view name = "test_page_unheard";
  static constexpr std::string_view formula = "y = a^2 + b, da = 2 a dy, db = dy";
  static core::Array forward(const core::Array& a, const core::Array& b) { return a * a + b; }
  static constexpr auto gradients = autograd::formulas([](autograd::Dy<> dy, autograd::In<0> a) { return dy * 2 * a; },
                                                       [](autograd::Dy<> dy) { return dy; });
};

struct Deep {
  static constexpr std::string_view name = "test_page_deep";
  static const std::string formula;
  static core::Array forward(const core::Array& a) { return a * 2; }
  static constexpr auto gradients = autograd::formulas([](autograd::Dy<> dy) { return dy * 2; });
};
const std::string Deep::formula = "y = " + std::string(30000, '(') + "a" + std::string(30000, ')');

// Four blocks alike, one that is not, and a module that is called twice in a row.
Tensor blocks(Record& record) {
  nn::Sequential net;
  for (int i = 0; i < 4; ++i) net->push_back(nn::Sequential(nn::Linear(3, 3), nn::Dropout(0.5), nn::Tanh()));
  net->push_back(nn::Linear(3, 2));
  const nn::Sequential twice(nn::Linear(2, 2));
  const Tensor x = ones({4, 3});
  record.name(x, "x");
  const Tensor y = net->forward(x);
  return twice->forward(twice->forward(y)).sum();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(page)

BOOST_AUTO_TEST_CASE(everything_stands_once_and_below_what_it_reads) {
  const auto compute = [](Record& record) {
    manual_seed(0);
    const Tensor x = leaf(Doubles{1, 2, 3});
    const Tensor g = autograd::grad({(x.exp() * x).sum()}, {x}, {}, std::nullopt, true)[0];
    (g.square().sum() + blocks(record).to(kFloat64)).backward();
  };
  const json data = data_of(compute), &layout = data["layout"], &operations = data["record"]["operations"];
  std::map<std::string, int> seen;
  std::map<std::size_t, std::size_t> rank_of;
  for (const json& container : layout["containers"]) {
    for (std::size_t rank = 0; rank < container["ranks"].size(); ++rank) {
      for (const json& item : container["ranks"][rank]) {
        ++seen[item.dump()];
        if (!item.contains("op")) continue;
        rank_of[item["op"].get<std::size_t>()] = rank;
        BOOST_CHECK(entry(layout["container_of"], item["op"]) == container["id"]);
      }
    }
  }
  for (const auto& [item, times] : seen) BOOST_CHECK_MESSAGE(times == 1, item << ": " << times);
  std::size_t recorded = 0, values = 0;
  for (const json& o : operations) recorded += o["kind"] == "operation" ? 1 : 0;
  for (const json& v : data["record"]["values"]) values += v["kind"] != "result" ? 1 : 0;
  BOOST_CHECK_EQUAL(rank_of.size(), recorded);
  BOOST_CHECK_EQUAL(layout["containers"][0]["operations"].get<std::size_t>(), recorded);
  BOOST_CHECK_EQUAL(seen.size(), recorded + values + layout["containers"].size() - 1);
  std::size_t edges = 0;
  for (const json& edge : layout["edges"]) {
    const auto to = edge["to"].get<std::size_t>();
    if (edge["from"].is_null() || rank_of.count(edge["from"].get<std::size_t>()) == 0) continue;
    const auto from = edge["from"].get<std::size_t>();
    if (layout["container_of"][from] != layout["container_of"][to]) continue;
    BOOST_CHECK_LT(rank_of[from], rank_of[to]);
    ++edges;
  }
  BOOST_CHECK_GT(edges, 5u);
  // Second derivatives have a place of their own, and the same record the same layout.
  BOOST_CHECK(std::any_of(layout["containers"].begin(), layout["containers"].end(),
                          [](const json& c) { return c.value("label", "") == "backward 1" && c["operations"] > 2; }));
  BOOST_CHECK(data_of(compute)["layout"] == layout);
}

BOOST_AUTO_TEST_CASE(calls_are_told_apart_and_repetitions_found) {
  const json data = data_of([](Record& record) { blocks(record).backward(); });
  std::vector<const json*> outer, twice;
  const json& containers = data["layout"]["containers"];
  for (const json& c : containers) {
    if (c["parent"] != 0) continue;
    (c["operations"] == 3 ? outer : twice).push_back(&c);
  }
  BOOST_REQUIRE_EQUAL(outer.size(), 4u);
  BOOST_CHECK_EQUAL((*outer[0])["repeat"].get<int>(), 4);
  BOOST_CHECK((*outer[0])["same_as"].is_null());
  for (int i = 1; i < 4; ++i) BOOST_CHECK((*outer[static_cast<std::size_t>(i)])["same_as"] == (*outer[0])["id"]);
  // The last layer has a path of the second net's, which is called twice.
  std::map<std::string, int> calls;
  for (const json& c : containers) {
    if (c["path"] != "") BOOST_CHECK_EQUAL(c["call"].get<int>(), ++calls[c["path"].get<std::string>()]);
  }
  BOOST_CHECK_EQUAL(calls["0"], 3);
  BOOST_CHECK_EQUAL(calls["4"], 1);
  for (const json& o : data["record"]["operations"]) {
    if (o["kind"] == "operation" && o["module"] != "")
      BOOST_CHECK(entry(data["record"]["calls"], o["call"])["module"] == o["module"]);
  }
}

BOOST_AUTO_TEST_CASE(order_waiting_and_norms) {
  const json data = data_of([](Record& record) {
    const Tensor a = leaf(Doubles{3, -4});
    record.name(a, "a");
    const Tensor b = a + a;
    const Tensor c = b + b;
    (c * full({300, 2}, 0.5, kFloat64)).sum().backward();
  });
  BOOST_CHECK_EQUAL(timeline(data, "forward"), "add add mul sum");
  BOOST_CHECK_EQUAL(timeline(data, "backward"), "sum mul add add");
  BOOST_CHECK(data["backward_starts"] == json({4}));
  const json &waits = data["waits"], &norms = data["norms"];
  BOOST_CHECK_EQUAL(waits[0]["expected"].get<int>(), 1);
  BOOST_CHECK(waits[0]["contributions"][0]["from_step"].is_null());
  const json& of_b = waits[3];  // the node that made b waits for both of c's inputs
  BOOST_CHECK_EQUAL(of_b["expected"].get<int>(), 2);
  for (std::size_t i = 0; i < 2; ++i) {
    BOOST_CHECK(of_b["contributions"][i]["from_step"] == 2 && of_b["contributions"][i]["input"] == i);
    BOOST_CHECK_CLOSE(of_b["contributions"][i]["norm"].get<double>(), 150 * std::sqrt(2.0), 1e-3);
  }
  BOOST_CHECK_CLOSE(norms[3]["of_outputs"][0].get<double>(), 300 * std::sqrt(2.0), 1e-3);
  BOOST_CHECK_CLOSE(norms[1]["of_outputs"][0].get<double>(), std::sqrt(600.0), 1e-3);  // from the statistics
  BOOST_CHECK_CLOSE(data["leaf_waits"][0]["norm"].get<double>(), 600 * std::sqrt(2.0), 1e-3);
  BOOST_CHECK_EQUAL(data["leaf_waits"][0]["expected"].get<int>(), 2);
  // Both ends of what is too large.
  const json& large = data["record"]["steps"][1]["of_outputs"][0]["numbers"];
  BOOST_CHECK(large["corner_places"] == json({{0, 1, 2, 3, 4, 5, 294, 295, 296, 297, 298, 299}, {0, 1}}));
  BOOST_CHECK_EQUAL(large["corner"].size(), 24u);
}

BOOST_AUTO_TEST_CASE(updates_memory_and_saved_values) {
  nn::Linear net(3, 2);
  const Tensor x = randn({5, 3});
  optim::SGD sgd(net->parameters(), optim::SGDOptions(0.5));
  const json data = data_of([&](Record&) {
    for (int i = 0; i < 2; ++i) {
      sgd.zero_grad();
      net->forward(x).tanh().square().mean().backward();
      sgd.step();
    }
  });
  const json& updates = data["record"]["updates"];
  BOOST_REQUIRE_EQUAL(updates.size(), 4u);
  BOOST_CHECK_EQUAL(timeline(data, "forward"), "linear tanh square mean linear tanh square mean");
  BOOST_CHECK(data["timeline"][8] == json({{"kind", "update"}, {"of", 0}}));
  BOOST_CHECK(data["backward_starts"] == json({4, 14}));
  for (const json& u : updates) {
    BOOST_CHECK_EQUAL(u["optimizer"], "SGD");
    BOOST_CHECK_EQUAL(entry(data["record"]["operations"], u["parameter"])["kind"], "leaf");
    const auto all = [&](const char* of) { return u[of]["numbers"]["all"].get<Doubles>(); };
    const Doubles before = all("before"), after = all("after"), g = all("gradient");
    for (std::size_t i = 0; i < g.size(); ++i) BOOST_CHECK_SMALL(after[i] - (before[i] - 0.5 * g[i]), 1e-6);
  }
  BOOST_CHECK(updates[2]["before"]["numbers"] == updates[0]["after"]["numbers"]);
  bool some[3] = {};
  for (const json& m : data["memory"]) {
    const auto part = [&](const char* kind) { return m[kind].get<std::int64_t>(); };
    BOOST_CHECK_EQUAL(part("parameters") + part("saved") + part("gradients") + part("other"), part("live"));
    BOOST_CHECK(part("other") >= 0);
    some[0] |= part("parameters") == 4 * 8;
    some[1] |= part("saved") > 0;
    some[2] |= part("gradients") > 0;
    // Until zero_grad, and after it.
    if (m["event"] == "operation") BOOST_CHECK_EQUAL(part("gradients"), 0);
    if (m["event"] == "update") BOOST_CHECK_EQUAL(part("gradients"), 4 * 8);
  }
  BOOST_CHECK(some[0] && some[1] && some[2]);
  // Nobody changes a parameter when somebody objects.
  struct Objects final : autograd::Observer {
    void updating(std::string_view, const Tensor&, const Tensor&) override { throw ValueError("not now"); }
  };
  const Doubles before = values(net->weight);
  {
    const Objects objects;
    BOOST_CHECK_THROW(sgd.step(), ValueError);
  }
  BOOST_CHECK(values(net->weight) == before);
  const Tensor w = leaf(Doubles{1, 2});
  optim::LBFGS lbfgs({w});
  const json by_lbfgs = data_of([&](Record&) {
    lbfgs.step([&] {
      lbfgs.zero_grad();
      const Tensor loss = w.square().sum();
      loss.backward();
      return loss;
    });
  });
  const json& update = by_lbfgs["record"]["updates"].at(0);
  BOOST_CHECK_EQUAL(update["optimizer"], "LBFGS");
  BOOST_CHECK(update["gradient"]["numbers"]["all"] == json({2., 4.}));
  BOOST_CHECK(update["before"]["numbers"]["all"] == json({1., 2.}));
  BOOST_CHECK(update["after"]["numbers"]["all"].get<Doubles>() == values(w));
  // tanh's output is kept by it and by square, from its step to square's and its own.
  const json& storage = data["saved_bars"];
  const auto bar =
      std::find_if(storage.begin(), storage.end(), [](const json& b) { return b["by"].size() == 2 && !b["of_leaf"]; });
  BOOST_REQUIRE(bar != storage.end());
  BOOST_CHECK((*bar)["from"] == 1 && (*bar)["to"] == 6 && (*bar)["bytes"] == 5 * 2 * 4);
}

BOOST_AUTO_TEST_CASE(references_beside_rules) {
  const json data = data_of([](Record&) {
    manual_seed(0);
    const nn::Sequential net(nn::Linear(4, 6), nn::BatchNorm1d(6), nn::GELU(), nn::LayerNorm(nn::LayerNormOptions({6})),
                             nn::Linear(6, 3));
    nn::functional::cross_entropy(net->forward(randn({5, 4})), randint(0, 3, {5}, kInt64)).backward();
    autograd::apply<Doubled>(leaf(Doubles{1, 2})).sum().backward();
  });
  int right = 0, wrong = 0;
  for (const json& step : data["record"]["steps"]) {
    const bool rule = entry(data["record"]["operations"], step["operation"])["rule"].get<bool>();
    BOOST_CHECK_EQUAL(step.contains("reference"), rule);
    if (!rule) continue;
    const json& reference = step["reference"];
    BOOST_CHECK(!reference["operations"].empty());
    BOOST_CHECK_EQUAL(reference["of_inputs"].size(), step["of_inputs"].size());
    if (name_of(data, step["operation"]) == "test_page_doubled") {
      BOOST_CHECK_EQUAL(reference["difference"].get<double>(), 1);
      BOOST_CHECK(reference["of_inputs"][0]["numbers"]["all"] == json({2., 4.}));
      BOOST_CHECK(reference["operations"] == json({"mul"}));
      ++wrong;
    } else {
      BOOST_CHECK_SMALL(reference["difference"].get<double>(), 1e-5);
      ++right;
    }
  }
  BOOST_CHECK_GE(right, 6);
  BOOST_CHECK_EQUAL(wrong, 1);
  // Nobody asked.
  Record plain;
  autograd::apply<Doubled>(leaf(Doubles{1, 2})).sum().backward();
  BOOST_CHECK(!data_of(plain)["record"]["steps"][1].contains("reference"));
}

BOOST_AUTO_TEST_CASE(where_history_stops_and_what_was_changed) {
  const json data = data_of([](Record&) {
    const Tensor a = leaf(Doubles{1, 2}), w = leaf(Doubles{3, 4});
    const Tensor b = (a * 2).detach();
    Tensor c;
    {
      const NoGradGuard guard;
      c = a * a;
    }
    (b * w + c * w).sum().backward();
    const Tensor s = w.exp(), t = s * 3;
    s.mul_(2);
    BOOST_CHECK_THROW((t + s).sum().backward(), GradError);
  });
  const json& stops = data["stops"];
  BOOST_REQUIRE_EQUAL(stops.size(), 2u);
  const bool first = stops[0]["why"] == "detach";  // the order in which the sum's operands are computed
  const json &detach = stops[first ? 0 : 1], &no_grad = stops[first ? 1 : 0];
  BOOST_CHECK_EQUAL(detach["why"], "detach");
  BOOST_CHECK_EQUAL(name_of(data, detach["from_operation"]), "mul");
  BOOST_CHECK_EQUAL(no_grad["why"], "no_grad");
  BOOST_CHECK_EQUAL(no_grad["name"], "mul");
  BOOST_CHECK_EQUAL(entry(data["record"]["operations"], no_grad["from_operation"])["kind"], "leaf");
  BOOST_CHECK_EQUAL(no_grad["file"].get<std::string>(), __FILE__);
  for (const json& stop : stops) BOOST_CHECK_EQUAL(entry(data["record"]["values"], stop["value"])["kind"], "constant");
  const json& last = data["record"]["steps"].back();
  BOOST_CHECK_EQUAL(name_of(data, last["operation"]), "exp");
  BOOST_CHECK(!last["completed"].get<bool>());
  BOOST_CHECK_EQUAL(last["changed"][0]["by"], "mul_");
  BOOST_CHECK_EQUAL(data["timeline"].back()["of"], last["id"]);
}

BOOST_AUTO_TEST_CASE(cuts_and_open_passes_have_a_place_in_time) {
  const json data = data_of([](Record& record) {
    const Tensor a = leaf(Doubles{1, 2}), w = leaf(Doubles{3, 4});
    const Tensor b = (a * 2).detach();
    const Tensor h = w.exp();
    h.register_hook([&](const Tensor&) {
      record.stop();
      return Tensor();
    });
    (b * h).sum().backward();
  });
  BOOST_REQUIRE_EQUAL(data["stops"].size(), 1u);
  BOOST_CHECK_EQUAL(data["stops"][0]["time"], 0);  // after mul, long before its numbers are read
  BOOST_CHECK_EQUAL(timeline(data, "forward"), "mul exp mul sum");
  BOOST_CHECK_EQUAL(timeline(data, "backward"), "sum mul");
  BOOST_CHECK_EQUAL(data["record"]["passes"][0]["end"], "open");
  const json before = data_of([](Record&) {  // cut before anything happened
    const Tensor w = leaf(Doubles{3, 4}), b = w.detach();
    (b * w).sum();
  });
  BOOST_CHECK(before["stops"][0]["time"].is_null());
}

BOOST_AUTO_TEST_CASE(a_new_operation_and_hostile_names) {
  const json data = data_of([](Record& record) {
    const Tensor a = leaf(Doubles{1, 2});
    record.name(a, "</script><b>&\"\\");
    autograd::apply<Unheard>(a, leaf(Doubles{5, 6})).sum().backward();
    autograd::apply<Deep>(a);
  });
  BOOST_CHECK_EQUAL(timeline(data, "backward"), "sum test_page_unheard");
  const json& formula = data["formulas"]["test_page_unheard/2"];
  BOOST_CHECK(formula["inputs"] == json({"a", "b"}));
  BOOST_CHECK(formula["forward"].get<std::string>().find("data-in=\"1\"") != std::string::npos);
  BOOST_CHECK_EQUAL(formula["gradients"].size(), 2u);
  BOOST_CHECK_EQUAL(data["formulas"]["sum/1"]["kind"], "reduction");
  BOOST_CHECK_EQUAL(data["record"]["values"][0]["name"], "</script><b>&\"\\");
  const json& sources = data["sources"];
  const bool there = std::filesystem::exists(__FILE__);  // a cache of compilations may have made the path relative
  BOOST_REQUIRE_EQUAL(sources.contains(__FILE__), there);
  if (!there) return;
  const json& unheard = data["record"]["operations"][2];
  const auto line = sources[__FILE__]["lines"][std::to_string(unheard["line"].get<int>())].get<std::string>();
  BOOST_CHECK(line.find("apply<Unheard>") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_written_leaves_what_was_there) {
  const Record record;
  const Folder folder;
  BOOST_CHECK_THROW(autograd::write_page((folder.path / "absent" / "page.html").string(), record), FileError);
  BOOST_CHECK(std::filesystem::is_empty(folder.path));
  const std::string page = (folder.path / "page.html").string();
  autograd::write_page(page, record, {.title = "T<", .language = "ru", .sources = false});
  const std::string before = content(page);
  BOOST_CHECK(before.find("\"sources\":") == std::string::npos);
  BOOST_CHECK(before.find("\"title\":\"T\\u003c\",\"language\":\"ru\"") != std::string::npos);
  BOOST_CHECK_THROW(autograd::write_page(page, record, {.language = "fr"}), ValueError);
  BOOST_CHECK_EQUAL(content(page), before);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
