// Every property, for every row of tests/table: --run_test=operations/PROPERTY/ROW runs one for one.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <stdexcept>

#include <gradus/autograd/check/gradcheck.h>
#include <gradus/autograd/graph/engine.h>
#include <gradus/autograd/graph/grad_mode.h>
#include <gradus/autograd/graph/operation.h>
#include <gradus/autograd/tensor/create.h>
#include <gradus/core/ops/pointwise.h>
#include <gradus/gradus.h>

#include "../support/gradients.h"
#include "../support/sanitized.h"
#include "../support/threads.h"
#include "../table/row.h"

namespace gradus::test {
namespace {

using core::Array;

Operands operands_of(const Row& row, const Shapes& shapes, unsigned wanted = ~0u) {
  Operands operands;
  for (std::size_t i = 0; i < row.operands.size(); ++i) {
    operands.push_back(drawn(row.operands[i], static_cast<int>(i), &shapes[i]));
    if (row.operands[i].differentiable() && (wanted >> i & 1u) != 0) operands.back().requires_grad_();
  }
  return operands;
}

// Whether an in-place form can hold the result: that of the other form has the first operand's shape.
bool keeps_its_shape(const Row& row, const Shapes& shapes) {
  const NoGradGuard no_grad;
  return row.out_of_place(operands_of(row, shapes, 0)).sizes() == IntArrayRef(shapes[0]);
}

Shapes own_shapes(const Row& row) {
  Shapes shapes;
  for (const Draw& draw : row.operands) shapes.push_back(draw.shape);
  return shapes;
}

// A row's sets of shapes: its own first, then the others, and those that its traits promise.
std::vector<Shapes> all_shapes(const Row& row) {
  std::vector<Shapes> all{own_shapes(row)};
  all.insert(all.end(), row.more_shapes.begin(), row.more_shapes.end());
  if (row.is(kPointwise)) {
    for (const auto& shape : Shapes{{}, {1}, {0}, {2, 0, 3}, {4}, {1, 2, 1, 1, 3, 1, 1, 1}}) all.push_back({shape});
  }
  if (row.is(kBroadcasts)) {
    const std::size_t n = row.operands.size();
    for (const Shapes& pair : std::vector<Shapes>{{{}, {}},
                                                  {{2, 3}, {}},
                                                  {{}, {2, 3}},
                                                  {{2, 3}, {3}},
                                                  {{2, 3}, {2, 1}},
                                                  {{2, 1}, {1, 3}},
                                                  {{1}, {2, 3}},
                                                  {{2, 1, 2}, {3, 1}},
                                                  {{0}, {1}},
                                                  {{1}, {0}},
                                                  {{0, 3}, {1, 3}},
                                                  {{0, 3}, {3}},
                                                  {{2, 1}, {2, 0}},
                                                  {{}, {0}}}) {
      all.push_back(pair);
      if (n == 3) all.back().push_back(pair[0]);
    }
  }
  if (row.out_of_place) std::erase_if(all, [&](const Shapes& shapes) { return !keeps_its_shape(row, shapes); });
  return all;
}

// Drawn once for a row and a property, always alike.
std::size_t drawn_number(const std::string& seed, std::size_t below) {
  std::size_t hash = 1469598103934665603u;  // FNV-1a
  for (const char c : seed) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return hash % below;
}

// Those that a property is held on: all; under a sanitizer, which has seen the code after one of them, the row's own and
// one that is drawn.
std::vector<Shapes> shapes_for(const std::string& property, const Row& row) {
  std::vector<Shapes> all = all_shapes(row);
  if (!kSanitized || all.size() <= 2) return all;
  return {all[0], all[1 + drawn_number(property + row.name, all.size() - 1)]};
}

// Rows of one name get numbers behind it; anything but letters and digits becomes an underscore.
std::vector<std::string> names_of_rows() {
  std::vector<std::string> names;
  std::map<std::string, int> count;
  for (const Row& row : operation_table()) {
    std::string name = row.name;
    for (char& c : name) {
      if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
    }
    const int number = ++count[name];
    names.push_back(number == 1 ? name : name + "_" + std::to_string(number));
  }
  return names;
}

/// A test suite of its own, with a case for each row that it applies to. What is not caught in a case fails it for these
/// shapes alone.
struct Property {
  using Applies = std::function<bool(const Row&)>;
  Property(const char* name, const Applies& applies, const std::function<void(const Row&, const Shapes&)>& holds) {
    namespace ut = boost::unit_test;
    auto* const suite = new ut::test_suite(name, __FILE__, __LINE__);  // the framework's from now on
    const std::vector<std::string> names = names_of_rows();
    for (std::size_t i = 0; i < names.size(); ++i) {
      const Row& row = operation_table()[i];
      if (!applies(row)) continue;
      const auto run = [&row, holds, property = std::string(name)] {
        for (const Shapes& shapes : shapes_for(property, row)) {
          std::string text = row.name;
          for (const auto& shape : shapes) text += " " + core::to_string(shape);
          BOOST_TEST_CONTEXT(text) {
            try {
              holds(row, shapes);
            } catch (const std::exception& error) {
              BOOST_ERROR(error.what());
            }
          }
        }
        BOOST_TEST(true);
      };
      suite->add(ut::make_test_case(run, names[i], __FILE__, __LINE__));
    }
    ut::framework::current_auto_test_suite().add(suite);
  }
};
bool every_row(const Row&) { return true; }
bool strided(const Row& row) { return !row.is(kDense); }
bool in_place(const Row& row) { return static_cast<bool>(row.out_of_place); }
bool broadcasts(const Row& row) { return row.is(kBroadcasts); }
bool has_wrong_uses(const Row& row) { return !row.wrong_uses.empty(); }

autograd::GradcheckOptions options_of(const Row& row) {
  autograd::GradcheckOptions options;
  options.layouts = !row.is(kDense);
  options.eps = row.eps;
  options.allow_empty = true;
  return options;
}

// Numbers from above, the same for the same shape.
Tensor upstream(const Tensor& y) { return drawn({y.sizes().vec(), -2, 2}, 7); }

Operands differentiable(const Operands& operands) {
  Operands wanted;
  for (const Tensor& x : operands) {
    if (x.requires_grad()) wanted.push_back(x);
  }
  return wanted;
}
// The gradients of the operands that require one.
Operands gradients(const Call& call, const Operands& operands) {
  const Tensor y = call(operands);
  return autograd::grad({y}, differentiable(operands), {Tensor(upstream(y).array().to(y.dtype()))});
}
Operands gradients(const Row& row, const Operands& operands) { return gradients(row.call, operands); }

// The same numbers in another layout.
Array transposed(const Array& x) {
  core::Dims reversed;
  for (int i = x.dim(); i-- > 0;) reversed.push_back(i);
  return x.permute(reversed).clone().permute(reversed);
}
Array sliced(const Array& x) {
  core::Shape wide = x.shape();
  for (int i = 0; i < wide.size(); ++i) wide[i] = 2 * wide[i] + 1;
  Array part = core::full(wide, 1e300, x.dtype() == kFloat64 ? kFloat64 : kFloat32).to(x.dtype());
  for (int i = 0; i < wide.size(); ++i) part = part.slice(i, 1, wide[i], 2);
  part.copy_(x);
  return part;
}
// Cut from something longer along the last dimension but one: the others lie as if they were dense.
Array cut(const Array& x) {
  if (x.dim() < 2) return sliced(x);
  core::Shape wide = x.shape();
  wide[x.dim() - 2] += 2;
  const Array part = core::full(wide, 1e300, x.dtype() == kFloat64 ? kFloat64 : kFloat32)
                         .to(x.dtype())
                         .narrow(-2, 1, x.shape()[x.dim() - 2]);
  part.copy_(x);
  return part;
}
// Not the same numbers: one row of them for all rows.
Array expanded(const Array& x) { return x.narrow(0, 0, 1).expand(x.shape()); }

using Layout = Array (*)(const Array&);
// All of them; under a sanitizer one that is drawn.
std::vector<Layout> layouts_for(const std::string& seed) {
  const std::vector<Layout> all = {transposed, sliced, cut};
  if (!kSanitized) return all;
  return {all[drawn_number(seed, all.size())]};
}

// Every node behind a tensor.
std::vector<const autograd::Node*> nodes_behind(const Tensor& y) {
  std::vector<const autograd::Node*> nodes;
  std::set<const autograd::Node*> seen;
  std::vector<const autograd::Node*> stack{y.edge().node.get()};
  while (!stack.empty()) {
    const auto* node = stack.back();
    stack.pop_back();
    if (!seen.insert(node).second) continue;
    nodes.push_back(node);
    for (const autograd::Edge& edge : node->next_edges()) {
      if (edge) stack.push_back(edge.node.get());
    }
  }
  return nodes;
}

// Equal bits, but for NaN's.
bool same_numbers(const Tensor& a, const Tensor& b) {
  if (!a.defined() || !b.defined() || a.dtype() != b.dtype() || a.sizes() != b.sizes()) return false;
  const std::vector<double> u = values(a), v = values(b);
  for (std::size_t i = 0; i < u.size(); ++i) {
    const bool nan = std::isnan(u[i]) && std::isnan(v[i]);
    if (!nan && (u[i] != v[i] || std::signbit(u[i]) != std::signbit(v[i]))) return false;
  }
  return true;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(operations)

// What the headers declare to change its first operand in place stands in a row, or else in the suites logic and numbers.
BOOST_AUTO_TEST_CASE(every_form_in_place_has_a_row) {
  const auto text_of = [](const std::filesystem::path& folder, const char* ending) {
    std::string text;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() != ending) continue;
      std::ifstream file(entry.path());
      text.append(std::istreambuf_iterator<char>(file), {});
    }
    return text;
  };
  const std::filesystem::path tests = std::filesystem::path(GRADUS_TEST_DATA) / "..";
  const std::string headers = text_of(tests / ".." / "autograd" / "ops", ".h");
  std::string table = text_of(tests / "table", ".cpp");
  for (const char* suite : {"test_logic.cpp", "test_numbers.cpp"}) {
    std::ifstream file(tests / "autograd" / suite);
    table.append(std::istreambuf_iterator<char>(file), {});
  }
  const std::string start = "GRADUS_API Tensor& ";
  int forms = 0;
  for (std::size_t at = headers.find(start); at != std::string::npos; at = headers.find(start, at + 1)) {
    const std::size_t begin = at + start.size(), end = headers.find('(', begin);
    const std::string name = headers.substr(begin, end - begin);
    if (!name.ends_with('_')) continue;
    ++forms;
    BOOST_CHECK_MESSAGE(table.find("in_place(" + name + ")") != std::string::npos ||
                            table.find("y." + name + "(") != std::string::npos ||
                            table.find(" " + name + "(y") != std::string::npos,
                        name << " is in no row of tests/table");
  }
  BOOST_TEST(forms > 40);
}

BOOST_AUTO_TEST_CASE(every_differentiable_operation_has_a_row) {
  std::set<std::pair<std::string, int>> in_table;
  for (const Row& row : operation_table()) {
    const Tensor y = row.call(operands_of(row, own_shapes(row)));
    std::set<std::string> names;
    for (const auto* node : nodes_behind(y)) {
      names.emplace(node->name());
      in_table.emplace(node->name(), node->num_inputs());
    }
    // An in-place form may be a write by the operation's own node.
    std::string name = row.name;
    if (row.out_of_place && names.count(name) == 0) name.pop_back();
    if (!row.is(kComposed)) {
      BOOST_CHECK_MESSAGE(names.count(name) == 1, "the row " << row.name << " does not run " << name);
    }
  }
  std::set<std::string> elsewhere;
  for (const ProvenElsewhere& proven : proven_elsewhere()) {
    elsewhere.insert(proven.operation);
    const auto stands = [&](const char* floor) {
      return std::filesystem::exists(std::filesystem::path(GRADUS_TEST_DATA) / ".." / floor /
                                     ("test_" + proven.suite + ".cpp"));
    };
    BOOST_CHECK_MESSAGE(stands("autograd") || stands("layers"), proven.operation
                                                                    << " is said to be proven by the suite "
                                                                    << proven.suite << ", which is not there");
  }
  for (const autograd::OperationInfo& info : autograd::operations()) {
    const std::string name(info.name);
    if (info.outputs == 0 || name.rfind("test_", 0) == 0) continue;  // what a test makes up is named test_...
    const bool variadic = info.inputs == -1;
    const bool covered = !info.is_rule && std::any_of(in_table.begin(), in_table.end(), [&](const auto& each) {
      return each.first == name && (variadic || each.second == info.inputs);
    });
    BOOST_CHECK_MESSAGE(covered || elsewhere.count(name) == 1, (info.is_rule ? "the rule " : "the operation ")
                                                                   << name << " of " << info.inputs
                                                                   << " inputs has no row in tests/table");
  }
}

// Two types of one name and number of inputs are refused; one type may come from several shared objects.
BOOST_AUTO_TEST_CASE(names_are_taken_once) {
  struct First {};
  struct Second {};
  const auto take = [](const char* name, int inputs, bool rule, const std::type_info& type) {
    return autograd::detail::register_operation({name, inputs, 0, {}, rule}, type);
  };
  const auto count = [](std::string_view name) {
    const auto all = autograd::operations();
    return std::count_if(all.begin(), all.end(), [&](const auto& info) { return info.name == name; });
  };
  const auto refused = [&](const char* name, int inputs, bool rule, const std::type_info& type,
                           const std::vector<std::string>& parts) {
    const std::string* why = take(name, inputs, rule, type);
    BOOST_REQUIRE(why != nullptr);
    for (const std::string& part : parts) BOOST_TEST(why->find(part) != std::string::npos, *why << " lacks " << part);
  };
  BOOST_TEST(take("test_taken", 2, false, typeid(First)) == nullptr);
  BOOST_TEST(take("test_taken", 2, false, typeid(First)) == nullptr);
  BOOST_TEST(count("test_taken") == 1);
  refused("test_taken", 2, false, typeid(Second),
          {"test_taken: there must be one operation of a name", "::First and", "::Second both", "2", "another name"});
  refused(
      "test_taken", 1, true, typeid(Second),
      {"test_taken: an operation and a rule must not share a name", "::First is the operation", "::Second the rule"});
  BOOST_TEST(count("test_taken") == 1);
  BOOST_TEST(take("test_taken", 1, false, typeid(Second)) == nullptr);
  // A rule's variants, to be checked against its reference, are of its name.
  BOOST_TEST(take("test_rule_taken", 2, true, typeid(First)) == nullptr);
  BOOST_TEST(take("test_rule_taken", 2, true, typeid(Second)) == nullptr);
  BOOST_TEST(count("test_rule_taken") == 2);
  refused("test_rule_taken", 2, false, typeid(Second), {"::Second is the operation", "::First the rule"});
}

namespace {

// Two of one name: the program starts, and the one that was listed later is refused where it is first recorded.
template <int>
struct Twice {
  static constexpr std::string_view name = "test_twice";
  static Array forward(const Array& x) { return x * 2; }
  static constexpr auto gradients = autograd::formulas([](autograd::Dy<> dy) { return dy * 2; });
};
// The same where the one is a rule.
struct TwiceRule {
  static constexpr std::string_view name = "test_twice_a_rule";
  static Array forward(const Array& x) { return x * 2; }
  static std::array<Array, 1> backward(autograd::DyArray<> dy) { return {dy * 2}; }
  static Tensor reference(const Tensor& x) { return x * 2; }
};
struct TwiceOperation {
  static constexpr std::string_view name = "test_twice_a_rule";
  static Array forward(const Array& x, const Array& y) { return x * y; }
  static constexpr auto gradients = autograd::formulas([](autograd::Dy<> dy, autograd::In<1> y) { return dy * y; },
                                                       [](autograd::Dy<> dy, autograd::In<0> x) { return dy * x; });
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_clash_of_names_is_an_error_at_first_use) {
  const Tensor x = ones({2}).requires_grad_();
  const auto refusal = [](auto call) -> std::string {
    try {
      call();
    } catch (const ValueError& error) {
      return error.what();
    }
    return {};
  };
  const std::string first = refusal([&] { autograd::apply<Twice<1>>(x); }),
                    second = refusal([&] { autograd::apply<Twice<2>>(x); });
  BOOST_TEST(first.empty() != second.empty());  // which of them is listed first is not said
  const std::string why = first + second;
  for (const char* part : {"test_twice: ", "Twice<1>", "Twice<2>", "another name"})
    BOOST_TEST(why.find(part) != std::string::npos, why << " lacks " << part);
  const std::string mixed =
      refusal([&] { autograd::apply<TwiceRule>(x); }) + refusal([&] { autograd::apply<TwiceOperation>(x, x); });
  for (const char* part : {"test_twice_a_rule: ", "TwiceRule the rule", "TwiceOperation is the operation"})
    BOOST_TEST(mixed.find(part) != std::string::npos, mixed << " lacks " << part);
}

// Against finite differences, the whole Jacobian.
const Property first_order("first_order", every_row, [](const Row& row, const Shapes& shapes) {
  const Operands operands = operands_of(row, shapes);
  const autograd::TensorFunction f = [&row](const Operands& x) { return Operands{row.call(x)}; };
  BOOST_CHECK(gradcheck(f, operands, options_of(row)));
  // And in the stricter measure, max|a - b| / max|b| of the gradient from random numbers above.
  const Tensor y = row.call(operands);
  const Array dy = upstream(y).array();
  const Operands by_graph = gradients(row, operands);
  std::size_t k = 0;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (!operands[i].requires_grad()) continue;
    const Array jacobian = autograd::numerical_jacobian(f, operands, i, row.eps);  // [in, out]
    std::vector<double> expected;
    for (std::int64_t at = 0; at < operands[i].numel(); ++at) {
      double sum = 0;
      const std::vector<double> d = values(jacobian.select(0, at)), u = values(dy);
      for (std::size_t j = 0; j < u.size(); ++j) sum += d[j] * u[j];
      expected.push_back(sum);
    }
    const Array numerical = list(expected).view(operands[i].sizes());
    BOOST_CHECK_LE(error(by_graph[k].array(), numerical), 1e-7);
    if (shapes == own_shapes(row)) {  // a gradient of nothing but zeros proves nothing
      const std::vector<double> g = values(by_graph[k]);
      const bool any = std::any_of(g.begin(), g.end(), [](double v) { return std::fabs(v) > 1e-3; });
      BOOST_CHECK_EQUAL(any, !row.is(kFlat) && !(row.is(kOverwrites) && i == 0));
    }
    ++k;
  }
});

const Property second_order("second_order", every_row, [](const Row& row, const Shapes& shapes) {
  const Operands operands = operands_of(row, shapes);
  const autograd::TensorFunction f = [&row](const Operands& x) { return Operands{row.call(x)}; };
  BOOST_CHECK(gradgradcheck(f, operands, options_of(row)));
  // A row that is not linear has a second order that is not zero: else the check above proves nothing.
  if (row.is(kLinear) || row.is(kFlat) || shapes != own_shapes(row)) return;
  const Tensor y = row.call(operands);
  const Tensor u = upstream(y).requires_grad_();
  const Operands dx = autograd::grad({y}, differentiable(operands), {u}, true, true);
  const Tensor d_u = autograd::grad({(dx[0] * upstream(dx[0])).sum()}, {u})[0];
  BOOST_CHECK_GT(error(d_u, Tensor(core::zeros(d_u.sizes(), kFloat64))), 1e-3);
});

// In every layout of every operand.
const Property layouts("layouts", strided, [](const Row& row, const Shapes& shapes) {
  const autograd::TensorFunction f = [&row](const Operands& x) { return Operands{row.call(x)}; };
  const autograd::GradcheckOptions options = options_of(row);
  const Operands dense = operands_of(row, shapes);
  const Tensor y = row.call(dense);
  const Operands dx = gradients(row, dense);
  for (std::size_t i = 0; i < dense.size(); ++i) {
    for (const Layout layout : layouts_for(row.name + std::to_string(i))) {
      Operands operands = dense;
      operands[i] = Tensor(layout(dense[i].array()));
      if (dense[i].requires_grad()) operands[i].requires_grad_();
      BOOST_CHECK_LE(error(row.call(operands), y), 1e-14);
      const Operands again = gradients(row, operands);
      for (std::size_t k = 0; k < dx.size(); ++k) BOOST_CHECK_LE(error(again[k], dx[k]), 1e-14);
    }
    if (row.is(kNoTies) || dense[i].dim() == 0 || dense[i].size(0) == 0) continue;
    Operands operands = dense, copies = dense;
    operands[i] = Tensor(expanded(dense[i].array()));
    copies[i] = Tensor(operands[i].array().clone());
    if (dense[i].requires_grad()) {
      operands[i].requires_grad_();
      copies[i].requires_grad_();
    }
    BOOST_CHECK_LE(error(row.call(operands), row.call(copies)), 1e-14);
    const Operands of_expanded = gradients(row, operands), of_copies = gradients(row, copies);
    for (std::size_t k = 0; k < dx.size(); ++k) BOOST_CHECK_LE(error(of_expanded[k], of_copies[k]), 1e-14);
    BOOST_CHECK(gradcheck(f, operands, options));
    BOOST_CHECK(gradgradcheck(f, operands, options));
  }
});

// Gradients that come from above in any layout.
const Property layouts_from_above("layouts_from_above", every_row, [](const Row& row, const Shapes& shapes) {
  const Operands operands = operands_of(row, shapes), wanted = differentiable(operands);
  const Tensor y = row.call(operands);
  const Array dy = upstream(y).array();
  const auto with = [&](const Array& from_above) { return autograd::grad({y}, wanted, {Tensor(from_above)}, true); };
  const Operands dx = with(dy);
  for (const Layout layout : layouts_for(row.name)) {
    const Operands again = with(layout(dy));
    for (std::size_t k = 0; k < dx.size(); ++k) BOOST_CHECK_LE(error(again[k], dx[k]), 1e-14);
  }
  const Array one = core::full({}, 1.5, kFloat64);
  const Operands of_expanded = with(one.expand(y.sizes())), of_copy = with(core::full(y.sizes(), 1.5, kFloat64));
  for (std::size_t k = 0; k < dx.size(); ++k) BOOST_CHECK_LE(error(of_expanded[k], of_copy[k]), 1e-14);
});

// Which other operands require a gradient changes none.
const Property subsets_of_inputs("subsets_of_inputs", every_row, [](const Row& row, const Shapes& shapes) {
  const Operands all = operands_of(row, shapes);
  const Operands dx = gradients(row, all);
  for (unsigned subset = 1; subset < 1u << all.size(); ++subset) {
    const Operands operands = operands_of(row, shapes, subset);
    if (differentiable(operands).empty()) continue;
    const Tensor y = row.call(operands);
    BOOST_REQUIRE(y.requires_grad());
    y.backward(upstream(y));
    std::size_t k = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (!all[i].requires_grad()) continue;
      if (operands[i].requires_grad()) {
        BOOST_CHECK_EQUAL(error(operands[i].grad(), dx[k]), 0);
        BOOST_CHECK(operands[i].grad().sizes() == operands[i].sizes());
      } else {
        BOOST_CHECK(!operands[i].grad().defined());
      }
      ++k;
    }
  }
  if (row.is(kRecords)) return;
  // And none: nothing is recorded.
  const std::int64_t created = autograd::Node::created();
  const Operands operands = operands_of(row, shapes, 0);
  BOOST_CHECK(!row.call(operands).requires_grad());
  BOOST_CHECK_EQUAL(autograd::Node::created(), created);
  const NoGradGuard no_grad;
  BOOST_CHECK_EQUAL(error(row.call(all), row.call(operands)), 0);
});

// An in-place form changes the tensor itself into what the other form returns, bit for bit, gradients of both orders and
// numbers beyond the usual ones included.
const Property in_place_forms("in_place_forms", in_place, [](const Row& row, const Shapes& shapes) {
  for (const DType dtype : {kFloat64, kFloat32}) {
    for (const double scale : {1.0, 1e-20, 1e20}) {
      const auto scaled = [&] {
        Operands operands = operands_of(row, shapes, 0);
        for (std::size_t i = 0; i < operands.size(); ++i) {
          if (!row.operands[i].differentiable()) continue;
          operands[i] = (operands[i] * scale).to(dtype);
          operands[i].requires_grad_();
        }
        return operands;
      };
      const Operands x = scaled();
      BOOST_CHECK_MESSAGE(same_numbers(row.call(x), row.out_of_place(x)), "values, " << dtype << ", " << scale);
      const Operands changed = gradients(row.call, x), other = gradients(row.out_of_place, x);
      for (std::size_t k = 0; k < other.size(); ++k) {
        BOOST_CHECK_MESSAGE(same_numbers(changed[k], other[k]), "gradient " << k << ", " << dtype << ", " << scale);
      }
      const auto twice = [&](const Call& call) {
        const Tensor y = call(x), u = Tensor(upstream(y).array().to(y.dtype())).requires_grad_();
        Operands wanted = differentiable(x);
        const Operands dx = autograd::grad({y}, wanted, {u}, true, true);
        Tensor sum = zeros({}, y.dtype());
        for (const Tensor& d : dx) sum = sum + (d * Tensor(upstream(d).array().to(d.dtype()))).sum();
        wanted.push_back(u);
        if (!sum.requires_grad()) return Operands(wanted.size());  // no gradient of a gradient that is 0
        return autograd::grad({sum}, wanted, {}, false, false, true);
      };
      const Operands of_changed = twice(row.call), of_other = twice(row.out_of_place);
      for (std::size_t k = 0; k < of_other.size(); ++k) {
        const bool both_absent = !of_changed[k].defined() && !of_other[k].defined();
        BOOST_CHECK_MESSAGE(both_absent || same_numbers(of_changed[k], of_other[k]),
                            "second gradient " << k << ", " << dtype << ", " << scale);
      }
    }
  }
});

// A result either is a view of an operand or shares memory with none.
const Property shared_memory("shared_memory", every_row, [](const Row& row, const Shapes& shapes) {
  const Operands operands = operands_of(row, shapes);
  const Tensor y = row.call(operands);
  for (const Tensor& x : operands) {
    if (y.array().storage() == x.array().storage()) BOOST_CHECK(y.is_view());
  }
});

// Nothing is left behind, also after an exception in the middle of the backward pass.
const Property nothing_is_left_behind("nothing_is_left_behind", every_row, [](const Row& row, const Shapes& shapes) {
  (void)row.call(operands_of(row, shapes));  // whatever is made once has been made
  const Alive before;
  {
    const Operands operands = operands_of(row, shapes);
    const Tensor y = row.call(operands);
    y.backward(upstream(y), true);
    y.backward(upstream(y), true, true);  // .grad with a history
  }
  BOOST_CHECK_EQUAL(Alive(), before);
  {
    Operands operands = operands_of(row, shapes), copies;
    for (const Tensor& x : operands) {
      copies.push_back(x.is_floating_point() ? x.clone() : x);
      if (copies.back().requires_grad()) {
        copies.back().register_hook([](const Tensor&) -> Tensor { throw std::runtime_error("from a hook"); });
      }
    }
    const Tensor y = row.call(copies);
    BOOST_CHECK_THROW(y.backward(upstream(y), true), std::runtime_error);
    BOOST_CHECK_THROW(y.backward(upstream(y), true, true), std::runtime_error);
    for (const Tensor& x : operands) BOOST_CHECK(!x.grad().defined());
  }
  BOOST_CHECK_EQUAL(Alive(), before);
  {
    // A graph that is dropped without a backward pass.
    const Operands operands = operands_of(row, shapes);
    const Tensor y = row.call(operands).exp();
  }
  BOOST_CHECK_EQUAL(Alive(), before);
});

// float32 operands have float32 gradients, near those of float64.
const Property float32("float32", every_row, [](const Row& row, const Shapes& shapes) {
  if (shapes != own_shapes(row)) return;
  const Operands doubles = operands_of(row, shapes);
  Operands floats;
  for (const Tensor& x : doubles) {
    floats.push_back(x.is_floating_point() ? Tensor(x.array().to(kFloat32)) : x);
    if (x.requires_grad()) floats.back().requires_grad_();
  }
  const Tensor y = row.call(doubles), z = row.call(floats);
  // An operation that says its own dtype: to, and gradient_of, whose w is float64.
  if (z.dtype() != kFloat64) BOOST_CHECK(z.dtype() == kFloat32);
  BOOST_CHECK_LE(error(z, y), 2e-5);
  const Tensor dy(upstream(y).array().to(z.dtype()));
  y.backward(upstream(y));
  z.backward(dy);
  for (std::size_t i = 0; i < doubles.size(); ++i) {
    if (!doubles[i].requires_grad()) continue;
    BOOST_CHECK(floats[i].grad().dtype() == kFloat32);
    BOOST_CHECK_LE(error(floats[i].grad(), doubles[i].grad()), 1e-4);
  }
});

// The same bits at 1 and at 7 threads, of pieces enough for all where an operation takes any shape.
const Property any_threads("any_threads", every_row, [](const Row& row, const Shapes& shapes) {
  if (shapes != own_shapes(row)) return;
  const bool any_shape = row.is(kPointwise) || row.is(kBroadcasts);
  if (kSanitized && any_shape) return;  // the suites of the loops run many threads there
  Shapes large = shapes;
  if (any_shape) large.assign(shapes.size(), {3, 30000});
  const Operands operands = operands_of(row, large);
  const ManyThreads many;
  const auto at = [&](int count) {
    set_num_threads(count);
    Operands all = gradients(row, operands);
    all.push_back(row.call(operands));
    return all;
  };
  const Operands one = at(1), seven = at(7);
  for (std::size_t k = 0; k < one.size(); ++k) BOOST_CHECK(same_numbers(one[k], seven[k]));
});

// What may not be done is refused, in the operation's name, and leaves nothing behind.
const Property wrong_uses("wrong_uses", has_wrong_uses, [](const Row& row, const Shapes& shapes) {
  if (shapes != own_shapes(row)) return;
  const Operands operands = operands_of(row, shapes);
  const Alive before;
  for (const WrongUse& use : row.wrong_uses) use.check([&] { use.call(operands); }, use.says);
  BOOST_CHECK_EQUAL(Alive(), before);
});

// So are shapes that do not broadcast; an in-place form's tensor does not grow either.
const Property other_shapes("other_shapes", broadcasts, [](const Row& row, const Shapes& shapes) {
  if (shapes != own_shapes(row)) return;
  const auto refused = [&](Shapes wrong) {
    wrong.resize(row.operands.size(), wrong[0]);
    const Operands operands = operands_of(row, wrong);
    check_error<ShapeError>([&] { (void)row.call(operands); },
                            {row.name + ": ", core::to_string(wrong[0]), core::to_string(wrong[1])});
  };
  refused({{2, 3}, {4}});
  refused({{2, 3}, {3, 3}});
  if (row.out_of_place) refused({{2, 3}, {5, 2, 3}});
});

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
