// Record: how passes end, what names stand for, where numbers from outside the graph come from.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <functional>
#include <set>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include <gradus/autograd/graph/record.h>
#include <gradus/autograd/tensor/create.h>
#include <gradus/gradus.h>

#include "../support/gradients.h"

namespace gradus::test {
namespace {

using autograd::Record;
using nlohmann::json;

json read(const Record& record) { return json::parse(record.json()); }
bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }
const json& of(const json& list, const json& id) { return list.at(id.get<std::size_t>()); }

// "mul exp": what computed an operand, the latest first.
std::string makers(const json& r, const json& value) {
  std::string names;
  for (const json& each : of(r["values"], value)["made_by"]) {
    names += (names.empty() ? "" : " ") + each["name"].get<std::string>();
  }
  return names;
}

inline constexpr auto outside_graph = pointwise("test_outside_graph", [](auto a) { return a * a + 1; });

}  // namespace

BOOST_AUTO_TEST_SUITE(record_ends)

BOOST_AUTO_TEST_CASE(what_ends_a_pass_is_written_down) {
  struct Case {
    const char* what;
    std::function<void(const Tensor& w)> run;
    const char *error, *failed;
    bool in_step, completed;
  };
  const auto hooked = [](const Tensor& w) {
    const Tensor h = w * 2;
    h.register_hook([](const Tensor&) -> Tensor { throw std::runtime_error("on the way"); });
    return h.exp().sum();
  };
  const Case cases[] = {
      {"freed",
       [](const Tensor& w) {
         const Tensor y = w.exp().sum();
         y.backward({}, true);
         y.backward();
         y.backward();
       },
       "exp: its saved values have been freed", "exp", true, false},
      {"a hook before the step", [&](const Tensor& w) { hooked(w).backward(); }, "on the way", "mul", true, false},
      {"a hook on a leaf",
       [](const Tensor& w) {
         w.register_hook([](const Tensor&) -> Tensor { throw std::runtime_error("at the leaf"); });
         (w * 2).sum().backward();
       },
       "at the leaf", "", false, true},
      {"a hook after accumulation",
       [](const Tensor& w) {
         w.register_post_accumulate_grad_hook([](const Tensor&) { throw std::runtime_error("at the end"); });
         (w * 2).sum().backward();
       },
       "at the end", "", false, true},
      {"no std::exception",
       [](const Tensor& w) {
         const Tensor h = w * 2;
         h.register_hook([](const Tensor&) -> Tensor { throw 42; });
         h.sum().backward();
       },
       "no std::exception", "mul", true, false},
  };
  for (const Case& c : cases) {
    BOOST_TEST_CONTEXT(c.what) {
      const Tensor w = leaf(Doubles{1, 2});
      Record record;
      try {
        c.run(w);
        BOOST_ERROR("nothing was thrown");
      } catch (...) {  // NOLINT(bugprone-empty-catch): it is the record's that counts
      }
      const json r = read(record);
      const json &pass = r["passes"].back(), &step = r["steps"].back();
      BOOST_CHECK_EQUAL(pass["end"], "exception");
      BOOST_CHECK(!pass["complete"].get<bool>());
      BOOST_CHECK_MESSAGE(has(pass["error"], c.error), pass["error"]);
      if (*c.failed != 0) BOOST_CHECK_EQUAL(of(r["operations"], pass["failed"])["name"], c.failed);
      BOOST_CHECK_EQUAL(step["completed"].get<bool>(), c.completed);
      if (c.in_step) {
        BOOST_CHECK_EQUAL(step["error"], pass["error"]);
        BOOST_CHECK(step["operation"] == pass["failed"]);
        BOOST_CHECK_EQUAL(step["of_outputs"].size(), 1u);
      } else {
        BOOST_CHECK(step["error"].is_null());
      }
      BOOST_CHECK(has(record.text(), "ended by an exception") && has(record.text(), c.error));
      for (std::size_t p = 0; p + 1 < r["passes"].size(); ++p) {
        BOOST_CHECK_EQUAL(r["passes"][p]["end"], "complete");
        BOOST_CHECK(r["passes"][p]["error"].is_null());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_record_that_stops_inside_a_pass_says_so) {
  const Tensor w = leaf(Doubles{1, 2});
  Record record;
  const Tensor h = w * 2;
  h.register_hook([&](const Tensor&) {
    record.stop();
    return Tensor();
  });
  h.exp().sum().backward();
  const json r = read(record);
  BOOST_CHECK_EQUAL(r["passes"][0]["end"], "open");
  BOOST_CHECK(r["passes"][0]["error"].is_null());
  BOOST_CHECK_EQUAL(r["steps"].size(), 2u);
  BOOST_CHECK(has(record.text(), "recorded in part"));
  BOOST_CHECK(!has(record.text(), "threw"));
}

BOOST_AUTO_TEST_CASE(gradients_that_meet_within_one_step) {
  const Tensor a = leaf(Doubles{1, 2}), b = leaf(Doubles{3, 4});
  Record record;
  record.name(a, "a");
  record.name(b, "b");
  (b * b).sum().backward();
  BOOST_CHECK_MESSAGE(has(record.text(), "-> b', +b'"), record.text());
  const json squared = read(record)["steps"].back();
  BOOST_CHECK_EQUAL(squared["added"].size(), 1u);
  BOOST_CHECK_EQUAL(squared["added"][0]["input"], 1);
  Record other;
  other.name(a, "a");
  other.name(b, "b");
  const Tensor all = cat({b, a, b, a, a});
  (all * 2).sum().backward();
  BOOST_CHECK_MESSAGE(has(other.text(), "-> b', a', +b', +a', +a'"), other.text());
  std::vector<int> inputs;
  const json last = read(other)["steps"].back();
  for (const json& sum : last["added"]) inputs.push_back(sum["input"].get<int>());
  BOOST_CHECK((inputs == std::vector<int>{2, 3, 4}));
  Record waiting;  // where one waits already, both meet it
  waiting.name(b, "b");
  const Tensor square = b * b, late = b * 3;
  (square + late).sum().backward();
  BOOST_CHECK_MESSAGE(has(waiting.text(), "-> +b', +b'"), waiting.text());
}

BOOST_AUTO_TEST_CASE(letters_leave_given_names_alone) {
  const Tensor a = leaf(Doubles{1}), b = leaf(Doubles{2}), c = leaf(Doubles{3});
  Record record;
  record.name(c, "a");
  (a * b * c).sum().backward();
  std::set<std::string> names;
  const json r = read(record);
  for (const json& value : r["values"]) names.insert(value["name"].get<std::string>());
  BOOST_CHECK_EQUAL(names.size(), r["values"].size());
  BOOST_CHECK_EQUAL(names.count("a"), 1u);
  Record taken;
  taken.name(c, "a");
  taken.name(b, "a1");
  (a * b * c).sum();
  BOOST_CHECK_EQUAL(read(taken)["values"][0]["name"], "a2");
}

BOOST_AUTO_TEST_CASE(what_has_been_recorded_can_be_named) {
  const Tensor w = leaf(Doubles{1, 2}), x = tensor({3.0, 4.0}, kFloat64);
  Record record;
  const Tensor y = w * x, z = y.exp();
  (z * y).sum().backward();
  record.name(w, "weight"), record.name(x, "input"), record.name(y, "product"), record.name(z, "power");
  BOOST_CHECK_MESSAGE(has(record.text(), "product:float64[2] = mul weight input"), record.text());
  BOOST_CHECK(has(record.text(), "power:float64[2] = exp product"));
  BOOST_CHECK_THROW(record.name(Tensor(), "nothing"), ValueError);
}

// What had a name is gone; another with the same numbers lies at its place.
BOOST_AUTO_TEST_CASE(a_name_dies_with_its_tensor) {
  const Tensor w = leaf(Doubles{1, 2, 3, 4});
  for (const bool of_result : {false, true}) {
    Record record;
    Tensor m;
    int tries = 0;
    const void* place = nullptr;
    const auto make = [&] { return of_result ? w * 0 : zeros({4}, kFloat64); };
    do {  // until the pool gives the same block; a sanitizer's never does
      {
        const Tensor y = make();
        record.name(y, "gone");
        place = &y.body();
      }
      m = make();
    } while (&m.body() != place && ++tries < 100);
    m* w;
    const json r = read(record), last = r["operations"].back();
    BOOST_CHECK_NE(of(r["values"], last["inputs"][0])["name"], "gone");
  }
  Record record;  // what is written to keeps its name
  const Tensor batch = zeros({4}, kFloat64), result = w * 2;
  record.name(batch, "batch");
  record.name(result, "result");
  for (int i = 0; i < 3; ++i) {
    batch.fill_(i);
    (result * batch).sum();
    const json r = read(record), mul = r["operations"][r["operations"].size() - 2];
    BOOST_CHECK_EQUAL(of(r["values"], mul["inputs"][0])["name"], "result");
    BOOST_CHECK_EQUAL(of(r["values"], mul["inputs"][1])["name"], "batch");
  }
}

BOOST_AUTO_TEST_CASE(numbers_from_outside_the_graph_have_an_origin) {
  const Tensor w = leaf(Doubles{1, 2, 3}), raw = tensor({1.0, 2.0, 4.0}, kFloat64);
  Record record;
  const Tensor scaled = (raw - raw.mean()) / 2;
  w* scaled;
  w* raw;
  const Tensor cut = w.tanh().detach(), target = (cut * 2).exp().view({3, 1}).t();
  const int line = __LINE__ + 1;
  const Tensor squared = target * target;
  w* squared;
  Tensor frozen;
  {
    const NoGradGuard guard;
    frozen = outside_graph(w) + 1;
  }
  w* frozen;
  w* cut;
  const json r = read(record);
  std::vector<json> read_by_mul;
  for (const json& o : r["operations"]) {
    if (o["name"] == "mul") read_by_mul.push_back(o["inputs"][1]);
  }
  BOOST_REQUIRE_EQUAL(read_by_mul.size(), 5u);
  BOOST_CHECK_EQUAL(makers(r, read_by_mul[0]), "div sub mean");
  BOOST_CHECK_EQUAL(makers(r, read_by_mul[1]), "");
  BOOST_CHECK_EQUAL(makers(r, read_by_mul[2]), "mul exp mul");
  BOOST_CHECK_EQUAL(makers(r, read_by_mul[3]), "add test_outside_graph");
  BOOST_CHECK_EQUAL(makers(r, read_by_mul[4]), "");
  const json& first = of(r["values"], read_by_mul[2])["made_by"][0];
  BOOST_CHECK_EQUAL(first["line"].get<int>(), line);
  BOOST_CHECK_EQUAL(first["file"].get<std::string>(), __FILE__);
  // Where history ended: not for what never had one.
  BOOST_REQUIRE_EQUAL(r["stops"].size(), 3u);
  BOOST_CHECK(r["stops"][0]["value"] == read_by_mul[2] && r["stops"][0]["why"] == "detach");
  BOOST_CHECK(r["stops"][1]["value"] == read_by_mul[3] && r["stops"][1]["why"] == "no_grad");
  BOOST_CHECK_EQUAL(r["stops"][1]["name"], "test_outside_graph");
  BOOST_CHECK(r["stops"][2]["value"] == read_by_mul[4] && r["stops"][2]["why"] == "detach");
  // Each was cut after the event that stood last then: tanh's.
  BOOST_CHECK_EQUAL(
      r["memory"][r["stops"][0]["after"].get<std::size_t>()]["of"],
      r["operations"][of(r["values"], r["stops"][0]["from_value"])["operation"].get<std::size_t>()]["id"]);
  BOOST_CHECK(has(record.text(), "constant, by div of sub of mean"));
}

BOOST_AUTO_TEST_CASE(an_origin_goes_back_a_few_steps_only) {
  const Tensor w = leaf(Doubles{1});
  Record record;
  Tensor running = zeros({1}, kFloat64);
  for (int i = 0; i < 10000; ++i) running = running * 0.9 + 0.1;
  w* running;
  const json r = read(record);
  BOOST_CHECK_EQUAL(makers(r, r["operations"].back()["inputs"][1]), "add mul add mul add mul add mul");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
