// Record where it is hard: memory that is used again, other threads, what throws, many parameters, odd texts.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <limits>
#include <thread>

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
Doubles numbers(const json& of) { return of["numbers"]["all"].get<Doubles>(); }

struct ThrowsInReference {  // and what is no std::exception
  static constexpr std::string_view name = "test_throws_in_reference";
  static core::Array forward(const core::Array& x) { return x * x; }
  static std::array<core::Array, 1> backward(autograd::Needs, autograd::DyArray<> dy, autograd::InArray<0> x) {
    return {dy * x * 2};
  }
  static Tensor reference(const Tensor&) { throw 42; }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(record_hard)

BOOST_AUTO_TEST_CASE(other_memory_at_the_same_place_is_no_stop) {
  const Tensor w = leaf(Doubles{1, 2, 3, 4});
  for (const bool is_read : {false, true}) {
    Record record;
    const void* place = nullptr;
    Tensor m;
    int tries = 0;
    do {  // until the pool gives the same block; a sanitizer's never does
      {
        const Tensor y = (w * 0).detach();
        if (is_read) w* y;
        place = y.array().storage().get();
      }
      m = zeros({4}, kFloat64);
    } while (m.array().storage().get() != place && ++tries < 100);
    const Tensor z = w * m;
    const json r = read(record), last = r["operations"].back();
    BOOST_CHECK_EQUAL(r["stops"].empty(), !is_read);
    for (const json& stop : r["stops"]) BOOST_CHECK(stop["value"] != last["inputs"][1]);
    const json& of_m = r["values"][last["inputs"][1].get<std::size_t>()];
    BOOST_CHECK(r["storages"][of_m["storage"].get<std::size_t>()]["made_by"].is_null());
  }
  Record record;
  const Tensor h = (w * 5).detach();
  h.add_(1);
  h* w;
  BOOST_REQUIRE_EQUAL(read(record)["stops"].size(), 1u);
  BOOST_CHECK_EQUAL(read(record)["stops"][0]["why"], "detach");
}

BOOST_AUTO_TEST_CASE(many_parameters_and_many_reads) {
  std::vector<Tensor> parameters;
  for (int i = 0; i < 5000; ++i) parameters.push_back(leaf(Doubles{1}));
  optim::SGD sgd(parameters, optim::SGDOptions(0.5));
  Record record(autograd::RecordOptions::page());
  (cat(parameters) * 3).sum().backward();
  const auto start = std::chrono::steady_clock::now();
  sgd.step();
  // A walk over all for each would take minutes.
  BOOST_CHECK_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), 10);
  Tensor y = parameters[0];
  const Tensor constant = ones({1}, kFloat64);
  for (int i = 0; i < 5000; ++i) y = y * constant;
  y.backward();
  const json r = read(record), &updates = r["updates"];
  BOOST_REQUIRE_EQUAL(updates.size(), 5000u);
  for (const json& u : updates) BOOST_REQUIRE(numbers(u["after"]) == Doubles{-0.5});
  BOOST_CHECK_EQUAL(r["values"].size(), 5000u + 3 + 2 + 5000u);
}

// Whoever records reads no `.grad` but what its own passes have left.
BOOST_AUTO_TEST_CASE(gradients_of_another_thread_are_its_own) {
  Tensor w = leaf(Doubles{1, 2});
  std::atomic<bool> done{false};
  std::thread other([&] {
    while (!done) {
      (w * w).sum().backward();
      w.mutable_grad() = Tensor();
    }
  });
  for (int k = 0; k < 20; ++k) {
    const Record record(autograd::RecordOptions::page());
    for (int i = 0; i < 50; ++i) (w * 2).sum();
  }
  done = true;
  other.join();
}

BOOST_AUTO_TEST_CASE(what_throws_while_an_optimizer_steps) {
  const Tensor a = leaf(Doubles{1}), b = leaf(Doubles{1});
  (a + b).sum().backward();
  optim::SGD sgd({a, b}, optim::SGDOptions(0.5));
  struct Objects final : autograd::Observer {
    void updated(std::string_view, const Tensor&) override { throw ValueError("too late"); }
  };
  {
    const Objects objects;
    BOOST_CHECK_THROW(sgd.step(), ValueError);
  }
  BOOST_CHECK(values(a) == Doubles{0.5} && values(b) == Doubles{0.5});

  const Tensor w = leaf(Doubles{1, 2});
  optim::LBFGS lbfgs({w}, optim::LBFGSOptions(0.1));
  Record record;
  int evaluations = 0;
  BOOST_CHECK_THROW(lbfgs.step([&] {
    if (++evaluations == 3) throw ValueError("told to");
    lbfgs.zero_grad();
    const Tensor loss = w.square().sum();
    loss.backward();
    return loss;
  }),
                    ValueError);
  const json updates = read(record)["updates"];
  BOOST_REQUIRE_EQUAL(updates.size(), 1u);
  BOOST_CHECK(numbers(updates[0]["gradient"]) == (Doubles{2, 4}));
  BOOST_CHECK(numbers(updates[0]["before"]) == (Doubles{1, 2}) && numbers(updates[0]["after"]) == (Doubles{1, 2}));
}

BOOST_AUTO_TEST_CASE(references_change_nothing) {
  const Tensor a = leaf(Doubles{1, 2});
  Record record({.references = true});
  autograd::apply<ThrowsInReference>(a).sum().backward();
  BOOST_CHECK(values(a.grad()) == (Doubles{2, 4}));
  const json step = read(record)["steps"][1];
  BOOST_CHECK(step.contains("reference_error") && !step.contains("reference"));
  record.stop();

  // The same masks and hooks as without, and the same stream of random numbers after it.
  const auto run = [](bool references) {
    manual_seed(5);
    const nn::Linear linear(3, 4);
    int hooks = 0;
    const Tensor x = leaf(core::ones({8, 3}, kFloat32)), h = x * 2;
    h.register_hook([&](const Tensor& g) {
      ++hooks;
      return g;
    });
    linear->weight.register_hook([&](const Tensor& g) {
      ++hooks;
      return g;
    });
    const Record all({.references = references});
    const Tensor y = nn::functional::dropout(linear->forward(h), nn::functional::DropoutFuncOptions().p(0.5));
    y.square().mean().backward();
    const json r = read(all);
    BOOST_CHECK_EQUAL(r["passes"].size(), 1u);
    Doubles seen = {double(hooks), rand({1}).item<double>()};
    for (const Tensor& t : {x.grad(), linear->weight.grad(), y.detach()}) {
      for (const double v : values(t)) seen.push_back(v);
    }
    return seen;
  };
  const Doubles with = run(true), without = run(false);
  BOOST_CHECK(with == without);
  BOOST_CHECK_EQUAL(with[0], 2);
}

BOOST_AUTO_TEST_CASE(evaluation_adds_nothing_to_it) {
  const nn::Linear linear(8, 8);
  const Tensor x = ones({4, 8});
  Record record;
  const NoGradGuard guard;
  linear->forward(x);
  const std::size_t before = record.json().size();
  const auto held = memory_stats();
  for (int i = 0; i < 2000; ++i) linear->forward(x);
  BOOST_CHECK_EQUAL(record.json().size(), before);
  BOOST_CHECK_EQUAL(memory_stats().live_bytes, held.live_bytes);
}

BOOST_AUTO_TEST_CASE(a_result_that_was_written_to_is_another_value) {
  const Tensor a = leaf(Doubles{1, 2});
  Record record;
  const Tensor y = a * 2, before = y + 1;
  {
    const NoGradGuard guard;
    y.mul_(10);
  }
  (before + (y + 1) + (y + 3)).sum().backward();
  Tensor z = a * 3;
  z.add_(1);
  (z + 5).sum();
  const json r = read(record);
  std::vector<Doubles> read_by_add;
  for (const json& o : r["operations"]) {
    if (o["name"] == "add" && o["inputs"].size() == 1)
      read_by_add.push_back(numbers(r["values"][o["inputs"][0].get<std::size_t>()]));
  }
  BOOST_CHECK((read_by_add == std::vector<Doubles>{{2, 4}, {20, 40}, {20, 40}, {4, 7}}));
  BOOST_CHECK(record.text().find("after an unrecorded change") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_not_finite_in_both_agrees) {
  const Tensor x = leaf(Doubles{0, 1});
  Record record({.references = true});
  (x.sqrt() * 1).sum().backward();  // 1 / 0
  nn::functional::layer_norm(leaf(core::zeros({0, 3}, kFloat64)), nn::functional::LayerNormFuncOptions({3}))
      .sum()
      .backward();
  const json r = read(record);
  for (const json& step : r["steps"]) {
    if (step.contains("reference")) BOOST_CHECK_EQUAL(step["reference"]["difference"], 0.);
  }
  BOOST_CHECK_THROW(Record({.whole = -1}), ValueError);
  BOOST_CHECK_THROW(Record({.corner = -1}), ValueError);
}

BOOST_AUTO_TEST_CASE(what_json_cannot_have) {
  const Tensor w = leaf(Doubles{1, 2});
  Record record;
  record.name(w, "\xff\xC3\xA9\xE2\x82\xC0\xAF\xED\xA0\x80\n");
  w* full({1}, std::numeric_limits<std::int64_t>::max(), kInt64);
  w* full({1}, std::numeric_limits<std::int64_t>::min(), kInt64);
  const std::string text = record.json(), odd = "\xEF\xBF\xBD";
  const json r = json::parse(text);
  BOOST_CHECK_EQUAL(r["values"][0]["name"].get<std::string>(),
                    odd + "\xC3\xA9" + odd + odd + odd + odd + odd + odd + odd + "\n");
  BOOST_CHECK(text.find("[9223372036854775807]") != std::string::npos);
  BOOST_CHECK(text.find("[-9223372036854775808]") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
