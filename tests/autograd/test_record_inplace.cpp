// Record of changes in place: the numbers that were read and those that were written, and one graph of views and bases.
#include <boost/test/unit_test.hpp>

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <gradus/autograd/graph/record.h>
#include <gradus/autograd/tensor/create.h>
#include <gradus/gradus.h>

#include "../support/gradients.h"

namespace gradus::test {
namespace {

using autograd::Record;
using nlohmann::json;

struct Call {
  std::vector<Doubles> inputs;
  Doubles output;
};

// The operation of that name, which has to be there once.
json only(const json& record, std::string_view name) {
  json found;
  int count = 0;
  for (const json& o : record["operations"]) {
    if (o["name"] != name) continue;
    found = o;
    ++count;
  }
  BOOST_REQUIRE_EQUAL(count, 1);
  return found;
}

// Calls of each name; all must be one graph, whose only end is the pass's output, with numbers everywhere. (A view that is
// kept follows its base: nobody reads the select that made it.)
std::map<std::string, std::vector<Call>> calls(const Record& record) {
  const json r = json::parse(record.json());
  BOOST_CHECK(record.text().find("unrecorded") == std::string::npos);
  std::set<std::size_t> read;
  for (const json& v : r["passes"].back()["outputs"]) read.insert(v.get<std::size_t>());
  const auto numbers = [&](const json& v) {
    BOOST_REQUIRE(!v.is_null());
    const json& value = r["values"][v.get<std::size_t>()];
    const Doubles all = value["numbers"]["all"].get<Doubles>();
    std::size_t size = 1;
    for (const json& n : value["shape"]) size *= n.get<std::size_t>();
    BOOST_CHECK_EQUAL(all.size(), size);
    return all;
  };
  std::map<std::string, std::vector<Call>> found;
  for (const json& o : r["operations"]) {
    BOOST_CHECK_NE(o["kind"], "elsewhere");
    if (o["kind"] != "operation") continue;
    Call call{{}, numbers(o["outputs"][0])};
    for (const json& v : o["inputs"]) {
      call.inputs.push_back(numbers(v));
      read.insert(v.get<std::size_t>());
    }
    found[o["name"].get<std::string>()].push_back(std::move(call));
  }
  for (const json& o : r["operations"]) {
    if (o["kind"] == "operation" && o["name"] != "select")
      BOOST_CHECK_MESSAGE(read.contains(o["outputs"][0].get<std::size_t>()), o["name"]);
  }
  return found;
}

void expect(const Call& call, const std::vector<Doubles>& inputs, const Doubles& output) {
  BOOST_CHECK(call.inputs == inputs);
  BOOST_CHECK(call.output == output);
}

Tensor doubles_of(const Doubles& numbers, IntArrayRef shape) {
  return tensor(numbers, kFloat64).view(shape).detach().requires_grad_();
}

struct Doubled : autograd::Function<Doubled> {
  static Tensor forward(autograd::AutogradContext* ctx, const Tensor& x) {
    x.mul_(2);
    ctx->mark_dirty({x});
    return x;
  }
  static autograd::variable_list backward(autograd::AutogradContext*, const autograd::variable_list& dy) {
    return {dy[0] * 2};
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(record_inplace)

BOOST_AUTO_TEST_CASE(of_a_result) {
  const Tensor x = leaf(Doubles{1, 2});
  Record record;
  const Tensor y = x * 2;
  y.mul_(3);
  y.mul_(y);
  y.sum().backward();
  const auto of = calls(record);
  BOOST_REQUIRE_EQUAL(of.at("mul_").size(), 2u);
  expect(of.at("mul_").at(0), {{2, 4}}, {6, 12});
  expect(of.at("mul_").at(1), {{6, 12}, {6, 12}}, {36, 144});
  expect(of.at("sum").at(0), {{36, 144}}, {180});
}

BOOST_AUTO_TEST_CASE(of_what_has_no_history) {
  const Tensor x = leaf(Doubles{1, 2}), c = tensor({3, 4}, kFloat64);
  Record record;
  c.mul_(x);
  c.sum().backward();
  const auto of = calls(record);
  expect(of.at("mul_").at(0), {{3, 4}, {1, 2}}, {3, 8});
}

BOOST_AUTO_TEST_CASE(of_a_large_one) {
  const Tensor x = leaf(Doubles(100, 1.0));
  Record record;
  const Tensor y = x * 2;
  y.add_(1);
  y.sum().backward();
  const json r = json::parse(record.json()), &values = r["values"];
  const json add = only(r, "add_");
  BOOST_CHECK_EQUAL(values[add["inputs"][0].get<std::size_t>()]["numbers"]["mean"], 2.0);
  BOOST_CHECK_EQUAL(values[add["outputs"][0].get<std::size_t>()]["numbers"]["mean"], 3.0);
}

BOOST_AUTO_TEST_CASE(of_a_view) {
  const Tensor x = doubles_of(Doubles{1, 2, 3, 4}, {2, 2});
  Record record;
  const Tensor y = x * 2, kept = y[1];
  y[0].mul_(3);
  kept.mul_(5);
  y.sum().backward();
  const auto of = calls(record);
  BOOST_REQUIRE_EQUAL(of.at("mul_").size(), 2u);
  expect(of.at("mul_").at(0), {{2, 4}}, {6, 12});
  expect(of.at("mul_").at(1), {{6, 8}}, {30, 40});
  BOOST_REQUIRE_EQUAL(of.at("as_strided_scatter").size(), 2u);
  expect(of.at("as_strided_scatter").at(0), {{2, 4, 6, 8}, {6, 12}}, {6, 12, 6, 8});
  expect(of.at("as_strided_scatter").at(1), {{6, 12, 6, 8}, {30, 40}}, {6, 12, 30, 40});
  expect(of.at("as_strided").at(0), {{6, 12, 6, 8}}, {6, 8});
}

BOOST_AUTO_TEST_CASE(of_an_element_that_is_assigned) {
  const Tensor x = leaf(Doubles{1, 2, 3});
  Record record;
  const Tensor y = x * 2;
  y[1] = 5;
  y.sum().backward();
  const auto of = calls(record);
  expect(of.at("as_strided_scatter").at(0), {{2, 4, 6}, {5}}, {2, 5, 6});
}

BOOST_AUTO_TEST_CASE(of_a_part_of_what_has_no_history) {
  const Tensor x = leaf(Doubles{1, 2}), c = ones({2, 2}, kFloat64);
  Record record;
  c[0] = x * 2;
  c.sum().backward();
  const auto of = calls(record);
  expect(of.at("as_strided_scatter").at(0), {{1, 1, 1, 1}, {2, 4}}, {2, 4, 1, 1});
}

BOOST_AUTO_TEST_CASE(of_a_view_of_what_is_not_contiguous) {
  const Tensor x = leaf(Doubles{3, 5});
  for (const bool has_history : {false, true}) {
    const Tensor y(tensor({1, 2, 3, 4, 5, 6}, kFloat64).view({3, 2}).t().array());
    Record record;
    if (has_history) y.mul_(x.sum());
    const double by = has_history ? 8 : 1;
    y.narrow(1, 0, 1).mul_(x.view({2, 1}));
    y.sum().backward();
    const auto of = calls(record);
    const Doubles column = {by * 3, by * 10};
    expect(of.at("mul_").back(), {{by, by * 2}, {3, 5}}, column);
    expect(of.at("as_strided_scatter").at(0), {{by, by * 2, by * 3, by * 4, by * 5, by * 6}, column},
           {by * 3, by * 10, by * 3, by * 4, by * 5, by * 6});
    expect(of.at("sum").back(), {{by * 3, by * 3, by * 5, by * 10, by * 4, by * 6}}, {by * 31});
    BOOST_CHECK_EQUAL(of.count("strided_put"), has_history ? 1u : 0u);
  }
}

BOOST_AUTO_TEST_CASE(of_a_base_whose_views_follow) {
  const Tensor x = leaf(Doubles{1, 2});
  Record record;
  const Tensor y = x * 2, second = y[1];
  y.mul_(3);
  (second * y).sum().backward();
  const auto of = calls(record);
  expect(of.at("as_strided").at(0), {{6, 12}}, {12});
  expect(of.at("mul").at(1), {{12}, {6, 12}}, {72, 144});
}

BOOST_AUTO_TEST_CASE(by_a_function) {
  const Tensor x = leaf(Doubles{1, 2});
  Record record;
  const Tensor y = x * 3;
  Doubled::apply(y);
  y.sum().backward();
  int count = 0;
  for (const auto& [name, made] : calls(record)) {
    if (!name.ends_with("Doubled")) continue;
    expect(made.at(0), {{3, 6}}, {6, 12});
    ++count;
  }
  BOOST_TEST(count == 1);
}

BOOST_AUTO_TEST_CASE(by_a_function_that_is_given_a_view) {
  const Tensor x = doubles_of(Doubles{1, 2, 3, 4}, {2, 2});
  Record record;
  const Tensor y = x * 1;
  const Tensor z = Doubled::apply(y[0])[0];
  (y.sum() + z.sum()).backward();
  const auto of = calls(record);  // none is of another record, each is listed once
  BOOST_REQUIRE_EQUAL(of.count("Doubled"), 1u);
  BOOST_REQUIRE_EQUAL(of.at("Doubled").size(), 1u);
  expect(of.at("Doubled")[0], {{1, 2}}, {2, 4});
  expect(of.at("as_strided_scatter").at(0), {{1, 2, 3, 4}, {2, 4}}, {2, 4, 3, 4});
  BOOST_CHECK((values(x.grad()) == Doubles{4, 2, 1, 1}));
}

BOOST_AUTO_TEST_CASE(by_a_function_of_a_view_of_what_is_not_contiguous) {
  const Tensor x = ones({2, 3}, kFloat64).requires_grad_();
  Record record;
  const Tensor y(tensor({1, 2, 3, 4, 5, 6}, kFloat64).view({3, 2}).t().array());
  y.mul_(x);
  Doubled::apply(y[0]);
  y.sum().backward();
  const json r = json::parse(record.json());
  int puts = 0;  // its numbers were written over before anybody knew that it would be asked for them
  for (const json& o : r["operations"]) {
    BOOST_CHECK_NE(o["kind"], "elsewhere");
    if (o["name"] != "strided_put") continue;
    const json& value = r["values"][o["outputs"][0].get<std::size_t>()];
    BOOST_CHECK_EQUAL(value["dtype"], "float64");
    BOOST_CHECK((value["shape"] == json{6}));
    BOOST_CHECK(value["storage"].is_null());
    ++puts;
  }
  BOOST_CHECK_EQUAL(puts, 1);
  BOOST_CHECK((values(x.grad()) == Doubles{2, 6, 10, 2, 4, 6}));
}

BOOST_AUTO_TEST_CASE(one_that_throws_leaves_no_trace) {
  const Tensor x = leaf(Doubles{1, 2});
  Record record;
  const Tensor y = x * 2;
  BOOST_CHECK_THROW(y.add_(ones({3}, kFloat64)), Error);
  y.mul_(3);
  BOOST_CHECK_THROW(y.add_(ones({3}, kFloat64)), Error);
  (y + y).sum().backward();
  const auto of = calls(record);
  BOOST_CHECK(!of.contains("add_"));
  BOOST_CHECK(record.text().find("float64[3]") == std::string::npos);  // nor what they would have read
  expect(of.at("mul_").at(0), {{2, 4}}, {6, 12});
  expect(of.at("add").at(0), {{6, 12}, {6, 12}}, {12, 24});
}

BOOST_AUTO_TEST_CASE(after_a_change_that_was_not_recorded) {
  const Tensor x = leaf(Doubles{1, 2});
  Record record;
  const Tensor y = x * 2;
  {
    const NoGradGuard guard;
    y.add_(1);
  }
  y[0].mul_(2);
  y.sum().backward();
  const json r = json::parse(record.json()), &values = r["values"];
  const json into = values[only(r, "as_strided_scatter")["inputs"][0].get<std::size_t>()];
  BOOST_CHECK((into["numbers"]["all"].get<Doubles>() == Doubles{3, 5}));
  BOOST_CHECK(record.text().find("after an unrecorded change") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
