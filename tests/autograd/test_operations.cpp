// Every proof, for every operation, from its line in support/operation_table.cpp.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <stdexcept>

#include <gradus/autograd/tensor/create.h>
#include <gradus/autograd/graph/engine.h>
#include <gradus/autograd/check/gradcheck.h>
#include <gradus/autograd/graph/grad_mode.h>
#include <gradus/autograd/graph/operation.h>
#include <gradus/core/ops/pointwise.h>
#include <gradus/gradus.h>

#include "../support/gradients.h"
#include "../support/operation_table.h"

namespace gradus::test {
namespace {

using Line = OperationLine;
using Operands = std::vector<Tensor>;
using core::Array;

// One of a line's sets of shapes: its own first, then the others, and those that its traits promise.
std::vector<Shapes> all_shapes(const Line& line) {
  std::vector<Shapes> all(1);
  for (const Draw& draw : line.operands) all[0].push_back(draw.shape);
  all.insert(all.end(), line.more_shapes.begin(), line.more_shapes.end());
  if (line.is(Line::kPointwise)) {
    for (const auto& shape : Shapes{{}, {1}, {0}, {2, 0, 3}, {4}, {1, 2, 1, 1, 3, 1, 1, 1}}) all.push_back({shape});
  }
  if (line.is(Line::kBroadcasts)) {
    const std::size_t n = line.operands.size();
    for (const Shapes& pair : std::vector<Shapes>{{{}, {}},
                                                  {{2, 3}, {}},
                                                  {{}, {2, 3}},
                                                  {{2, 3}, {3}},
                                                  {{2, 1}, {1, 3}},
                                                  {{1}, {2, 3}},
                                                  {{2, 1, 2}, {3, 1}},
                                                  {{0}, {1}},
                                                  {{1}, {0}},
                                                  {{0, 3}, {1, 3}},
                                                  {{2, 1}, {2, 0}},
                                                  {{}, {0}}}) {
      all.push_back(pair);
      if (n == 3) all.back().push_back(pair[0]);
    }
  }
  return all;
}

Operands operands_of(const Line& line, const Shapes& shapes, unsigned wanted = ~0u) {
  Operands operands;
  for (std::size_t i = 0; i < line.operands.size(); ++i) {
    operands.push_back(drawn(line.operands[i], static_cast<int>(i), &shapes[i]));
    if (line.operands[i].differentiable() && (wanted >> i & 1u) != 0) operands.back().requires_grad_();
  }
  return operands;
}

std::string described(const Line& line, const Shapes& shapes) {
  std::string text = line.name;
  for (const auto& shape : shapes) text += " " + core::to_string(shape);
  return text;
}

// Runs body(line, shapes) over the table; an error is a failure that names the line.
template <class Body>
void for_each_line(Body body) {
  for (const Line& line : operation_table()) {
    for (const Shapes& shapes : all_shapes(line)) {
      BOOST_TEST_CONTEXT(described(line, shapes)) {
        try {
          body(line, shapes);
        } catch (const std::exception& error) {
          BOOST_ERROR(error.what());
        }
      }
    }
  }
}

autograd::GradcheckOptions options_of(const Line& line) {
  autograd::GradcheckOptions options;
  options.layouts = !line.is(Line::kDense);
  options.eps = line.eps;
  options.allow_empty = true;
  return options;
}

// Numbers from above, the same for the same shape.
Tensor upstream(const Tensor& y) { return drawn({y.sizes().vec(), -2, 2}, 7); }

// The gradients of the operands that require one.
Operands gradients(const Line& line, const Operands& operands) {
  Operands wanted;
  for (const Tensor& x : operands) {
    if (x.requires_grad()) wanted.push_back(x);
  }
  const Tensor y = line.call(operands);
  return autograd::grad({y}, wanted, {upstream(y)});
}

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

}  // namespace

BOOST_AUTO_TEST_SUITE(operations)

BOOST_AUTO_TEST_CASE(every_differentiable_operation_has_a_line) {
  std::set<std::pair<std::string, int>> in_table;
  for (const Line& line : operation_table()) {
    const Tensor y = line.call(operands_of(line, all_shapes(line)[0]));
    std::set<std::string> names;
    for (const auto* node : nodes_behind(y)) {
      names.emplace(node->name());
      in_table.emplace(node->name(), node->num_inputs());
    }
    if (!line.is(Line::kComposed)) {
      BOOST_CHECK_MESSAGE(names.count(line.name) == 1, "the line " << line.name << " does not run " << line.name);
    }
  }
  std::set<std::string> elsewhere;
  for (const ProvenElsewhere& proven : proven_elsewhere()) {
    elsewhere.insert(proven.operation);
    const auto stands = [&](const char* floor) {
      return std::filesystem::exists(std::string(GRADUS_TEST_DATA) + "/../" + floor + "/test_" + proven.suite + ".cpp");
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
    BOOST_CHECK_MESSAGE(covered || elsewhere.count(name) == 1,
                        (info.is_rule ? "the rule " : "the operation ")
                            << name << " of " << info.inputs
                            << " inputs has no line in tests/support/operation_table.cpp");
  }
}

// Against finite differences, the whole Jacobian.
BOOST_AUTO_TEST_CASE(first_order) {
  for_each_line([](const Line& line, const Shapes& shapes) {
    const Operands operands = operands_of(line, shapes);
    const autograd::GradcheckOptions options = options_of(line);
    const autograd::Function f = [&line](const Operands& x) { return Operands{line.call(x)}; };
    BOOST_CHECK(gradcheck(f, operands, options));
    // And in the stricter measure, max|a - b| / max|b| of the gradient from random numbers above.
    const Tensor y = line.call(operands);
    const Array dy = upstream(y).array();
    const Operands by_graph = gradients(line, operands);
    std::size_t k = 0;
    for (std::size_t i = 0; i < operands.size(); ++i) {
      if (!operands[i].requires_grad()) continue;
      const Array jacobian = autograd::numerical_jacobian(f, operands, i, line.eps);  // [in, out]
      std::vector<double> expected;
      for (std::int64_t row = 0; row < operands[i].numel(); ++row) {
        double sum = 0;
        const std::vector<double> d = values(jacobian.select(0, row)), u = values(dy);
        for (std::size_t j = 0; j < u.size(); ++j) sum += d[j] * u[j];
        expected.push_back(sum);
      }
      const Array numerical = list(expected).view(operands[i].sizes());
      BOOST_CHECK_LE(error(by_graph[k].array(), numerical), 1e-7);
      if (shapes == all_shapes(line)[0]) {  // a gradient of nothing but zeros proves nothing
        const std::vector<double> g = values(by_graph[k]);
        const bool any = std::any_of(g.begin(), g.end(), [](double v) { return std::fabs(v) > 1e-3; });
        const bool overwritten = line.name == "copy_" && i == 0;
        BOOST_CHECK_EQUAL(any, !line.is(Line::kFlat) && !overwritten);
      }
      ++k;
    }
  });
}

BOOST_AUTO_TEST_CASE(second_order) {
  for_each_line([](const Line& line, const Shapes& shapes) {
    const Operands operands = operands_of(line, shapes);
    const autograd::GradcheckOptions options = options_of(line);
    const autograd::Function f = [&line](const Operands& x) { return Operands{line.call(x)}; };
    BOOST_CHECK(gradgradcheck(f, operands, options));
  });
  // Lines that are not linear have a second order that is not zero: else the check above proves nothing.
  for (const Line& line : operation_table()) {
    if (line.is(Line::kLinear) || line.is(Line::kFlat)) continue;
    BOOST_TEST_CONTEXT(line.name) {
      const Operands operands = operands_of(line, all_shapes(line)[0]);
      Operands wanted;
      for (const Tensor& x : operands) {
        if (x.requires_grad()) wanted.push_back(x);
      }
      const Tensor y = line.call(operands);
      const Tensor u = upstream(y).requires_grad_();
      const Operands dx = autograd::grad({y}, wanted, {u}, true, true);
      const Tensor d_u = autograd::grad({(dx[0] * upstream(dx[0])).sum()}, {u})[0];
      BOOST_CHECK_GT(error(d_u, Tensor(core::zeros(d_u.sizes(), kFloat64))), 1e-3);
    }
  }
}

// In every layout of every operand.
BOOST_AUTO_TEST_CASE(layouts) {
  for_each_line([](const Line& line, const Shapes& shapes) {
    if (line.is(Line::kDense)) return;
    const autograd::Function f = [&line](const Operands& x) { return Operands{line.call(x)}; };
    const autograd::GradcheckOptions options = options_of(line);
    const Operands dense = operands_of(line, shapes);
    const Tensor y = line.call(dense);
    const Operands dx = gradients(line, dense);
    for (std::size_t i = 0; i < dense.size(); ++i) {
      for (const auto layout : {transposed, sliced, cut}) {
        Operands operands = dense;
        operands[i] = Tensor(layout(dense[i].array()));
        if (dense[i].requires_grad()) operands[i].requires_grad_();
        BOOST_CHECK_LE(error(line.call(operands), y), 1e-14);
        const Operands again = gradients(line, operands);
        for (std::size_t k = 0; k < dx.size(); ++k) BOOST_CHECK_LE(error(again[k], dx[k]), 1e-14);
      }
      if (line.is(Line::kNoTies) || dense[i].dim() == 0 || dense[i].size(0) == 0) continue;
      Operands operands = dense, copies = dense;
      operands[i] = Tensor(expanded(dense[i].array()));
      copies[i] = Tensor(operands[i].array().clone());
      if (dense[i].requires_grad()) {
        operands[i].requires_grad_();
        copies[i].requires_grad_();
      }
      BOOST_CHECK_LE(error(line.call(operands), line.call(copies)), 1e-14);
      const Operands of_expanded = gradients(line, operands), of_copies = gradients(line, copies);
      for (std::size_t k = 0; k < dx.size(); ++k) BOOST_CHECK_LE(error(of_expanded[k], of_copies[k]), 1e-14);
      BOOST_CHECK(gradcheck(f, operands, options));
      BOOST_CHECK(gradgradcheck(f, operands, options));
    }
  });
}

// Gradients that come from above in any layout.
BOOST_AUTO_TEST_CASE(layouts_from_above) {
  for_each_line([](const Line& line, const Shapes& shapes) {
    const Operands operands = operands_of(line, shapes);
    Operands wanted;
    for (const Tensor& x : operands) {
      if (x.requires_grad()) wanted.push_back(x);
    }
    const Tensor y = line.call(operands);
    const Array dy = upstream(y).array();
    const auto with = [&](const Array& from_above) { return autograd::grad({y}, wanted, {Tensor(from_above)}, true); };
    const Operands dx = with(dy);
    for (const auto layout : {transposed, sliced, cut}) {
      const Operands again = with(layout(dy));
      for (std::size_t k = 0; k < dx.size(); ++k) BOOST_CHECK_LE(error(again[k], dx[k]), 1e-14);
    }
    const Array row = core::full({}, 1.5, kFloat64);
    const Operands of_expanded = with(row.expand(y.sizes())), of_copy = with(core::full(y.sizes(), 1.5, kFloat64));
    for (std::size_t k = 0; k < dx.size(); ++k) BOOST_CHECK_LE(error(of_expanded[k], of_copy[k]), 1e-14);
  });
}

// Which other operands require a gradient changes none.
BOOST_AUTO_TEST_CASE(subsets_of_inputs) {
  for_each_line([](const Line& line, const Shapes& shapes) {
    const Operands all = operands_of(line, shapes);
    const Operands dx = gradients(line, all);
    for (unsigned subset = 1; subset < 1u << all.size(); ++subset) {
      const Operands operands = operands_of(line, shapes, subset);
      if (std::none_of(operands.begin(), operands.end(), [](const Tensor& x) { return x.requires_grad(); })) continue;
      const Tensor y = line.call(operands);
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
    // And none: nothing is recorded.
    const std::int64_t created = autograd::Node::created();
    const Operands operands = operands_of(line, shapes, 0);
    if (std::find(line.name.begin(), line.name.end(), ' ') == line.name.end() && line.name.rfind("put_", 0) != 0 &&
        line.name != "strided_sum" && line.name != "index_add") {
      BOOST_CHECK(!line.call(operands).requires_grad());
      BOOST_CHECK_EQUAL(autograd::Node::created(), created);
    }
    const NoGradGuard no_grad;
    if (line.name.rfind("put_", 0) != 0 && line.name != "strided_sum" && line.name != "index_add") {
      BOOST_CHECK_EQUAL(error(line.call(all), line.call(operands)), 0);
    }
  });
}

// A result either is a view of an operand or shares memory with none.
BOOST_AUTO_TEST_CASE(results_share_memory_as_views_only) {
  for_each_line([](const Line& line, const Shapes& shapes) {
    const Operands operands = operands_of(line, shapes);
    const Tensor y = line.call(operands);
    for (const Tensor& x : operands) {
      if (y.array().storage() == x.array().storage()) BOOST_CHECK(y.is_view());
    }
  });
}

// Nothing is left behind, also after an exception in the middle of the backward pass.
BOOST_AUTO_TEST_CASE(nothing_is_left_behind) {
  for_each_line([](const Line& line, const Shapes& shapes) {
    (void)line.call(operands_of(line, shapes));  // whatever is made once has been made
    const Alive before;
    {
      const Operands operands = operands_of(line, shapes);
      const Tensor y = line.call(operands);
      y.backward(upstream(y), true);
      y.backward(upstream(y), true, true);  // .grad with a history
    }
    BOOST_CHECK_EQUAL(Alive(), before);
    {
      Operands operands = operands_of(line, shapes), copies;
      for (const Tensor& x : operands) {
        copies.push_back(x.is_floating_point() ? x.clone() : x);
        if (copies.back().requires_grad()) {
          copies.back().register_hook([](const Tensor&) -> Tensor { throw std::runtime_error("from a hook"); });
        }
      }
      const Tensor y = line.call(copies);
      BOOST_CHECK_THROW(y.backward(upstream(y), true), std::runtime_error);
      BOOST_CHECK_THROW(y.backward(upstream(y), true, true), std::runtime_error);
      for (const Tensor& x : operands) BOOST_CHECK(!x.grad().defined());
    }
    BOOST_CHECK_EQUAL(Alive(), before);
    {
      // A graph that is dropped without a backward pass.
      const Operands operands = operands_of(line, shapes);
      const Tensor y = line.call(operands).exp();
    }
    BOOST_CHECK_EQUAL(Alive(), before);
  });
}

// float32 operands have float32 gradients, near those of float64.
BOOST_AUTO_TEST_CASE(float32) {
  for (const Line& line : operation_table()) {
    BOOST_TEST_CONTEXT(line.name) {
      const Operands doubles = operands_of(line, all_shapes(line)[0]);
      Operands floats;
      for (const Tensor& x : doubles) {
        floats.push_back(x.is_floating_point() ? Tensor(x.array().to(kFloat32)) : x);
        if (x.requires_grad()) floats.back().requires_grad_();
      }
      const Tensor y = line.call(doubles), z = line.call(floats);
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
    }
  }
}

// At edges and beyond, where a formula alone would say NaN: PyTorch's values.
BOOST_AUTO_TEST_CASE(edges_as_pytorchs) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  const auto gradient = [](const std::vector<double>& at, const std::function<Tensor(const Tensor&)>& f) {
    const Tensor x = tensor(at, kFloat64).requires_grad_();
    return values(autograd::grad({f(x).sum()}, {x})[0]);
  };
  const auto same = [](const std::vector<double>& a, const std::vector<double>& b) {
    BOOST_REQUIRE_EQUAL(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      BOOST_CHECK_MESSAGE(a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i])), i << ": " << a[i] << " for " << b[i]);
    }
  };
  const Tensor zero = Tensor(core::zeros({}, kFloat64));
  // What has no share in a result gets 0, though infinity or NaN comes from above.
  same(gradient({-1, -2, 4, 16}, [&](const Tensor& x) { return maximum(x, zero).sqrt(); }), {0, 0, 0.25, 0.125});
  same(gradient({1, 2, -4}, [&](const Tensor& x) { return minimum(x, zero).neg().sqrt(); }), {0, 0, -0.25});
  same(gradient({-1, 0, 2}, [](const Tensor& x) { return (x * 0.1).floor().log(); }), {0, 0, 0});
  same(gradient({-1, 0, 2}, [](const Tensor& x) { return x.sign().sqrt(); }), {0, 0, 0});
  same(gradient({-1, 3, 2}, [](const Tensor& x) { return (x.max() - 3).log(); }), {0, inf, 0});
  same(gradient({2, 3}, [&](const Tensor& x) { return pow(x, 0) * nan; }), {0, 0});
  same(gradient({0, 3}, [&](const Tensor& x) { return atan2(x, zero); }), {0, 0});
  same(gradient({inf, 1}, [](const Tensor& x) { return x.logsumexp({0}); }), {nan, 0});
  same(gradient({-inf, -inf}, [](const Tensor& x) { return x.logsumexp({0}); }), {0, 0});
  same(gradient({1, nan, 2}, [](const Tensor& x) { return x.max(); }), {0, 1, 0});
  same(gradient({-1, 1}, [&](const Tensor& x) { return clamp(x, nan, 2); }), {0, 0});
  same(values(clamp(tensor(std::vector<double>{-1, 1}), nan, 2)), {nan, nan});
  same(values(tensor(std::vector<double>{1, 2}).flip(IntArrayRef())), {1, 2});
  const Tensor none = Tensor(core::zeros({0, 2}, kFloat64));
  same(values(none.var()), {nan});
  same(values(none.std()), {nan});
  same(values(none.var(0)), {nan, nan});
  same(values(none.std(0)), {nan, nan});
}

// Wrong use: the type of the error, and what it says. Nothing is changed by it.
BOOST_AUTO_TEST_CASE(wrong_use) {
  const Tensor x = leaf(counting({2, 3}, kFloat64)), w = leaf(counting({4}, kFloat64)),
               m = Tensor(core::ones({2, 3}, kBool));
  const Tensor i = Tensor(counting({3}, kInt64)), b = leaf(counting({2, 2, 3}, kFloat64));
  struct Wrong {
    const char* type;
    std::function<void()> call;
    std::vector<std::string> pieces;
  };
  const std::vector<Wrong> wrongs = {
      {"shape", [&] { x + w; }, {"add", "[2, 3]", "[4]"}},
      {"shape", [&] { x / w; }, {"div", "[2, 3]", "[4]"}},
      {"shape", [&] { maximum(x, w); }, {"maximum", "[2, 3]", "[4]"}},
      {"shape", [&] { where(m, x, w); }, {"where", "[2, 3]", "[4]"}},
      {"shape", [&] { x.masked_fill(w > 0, 1); }, {"[2, 3]", "[4]"}},
      {"dtype", [&] { x.masked_fill(x, 1); }, {"masked_fill: the mask must be bool: float64"}},
      {"dtype", [&] { where(x, x, x); }, {"where", "float64"}},
      {"dtype", [&] { m - m; }, {"sub", "bool", "logical_xor"}},
      {"dtype", [&] { -m; }, {"neg", "bool"}},
      {"dtype", [&] { i.mean(); }, {"mean", "int64"}},
      {"dtype", [&] { i.var(); }, {"int64"}},
      {"dtype", [&] { i.softmax(0); }, {"softmax", "int64"}},
      {"shape", [&] { matmul(x, w); }, {"matmul: inner sizes differ: [2, 3] x [4]"}},
      {"shape", [&] { matmul(x, x); }, {"matmul: inner sizes differ: [2, 3] x [2, 3]"}},
      {"shape", [&] { matmul(x, x.sum()); }, {"matmul", "[2, 3] x []", "mul"}},
      {"shape", [&] { matmul(b, b.t()); }, {"t: ", "[2, 2, 3]", "transpose(-2, -1)"}},
      {"shape", [&] { mm(x, w); }, {"mm", "2 dimensions", "[4]"}},
      {"shape", [&] { bmm(b, x); }, {"bmm", "3 dimensions", "[2, 3]"}},
      {"shape", [&] { bmm(b, b.slice(0, 0, 1)); }, {"bmm", "[2, 2, 3] x [1, 2, 3]"}},
      {"shape", [&] { mv(w, w); }, {"mv", "[4]"}},
      {"shape", [&] { dot(x, w); }, {"dot", "[2, 3]"}},
      {"shape", [&] { dot(w, i.to(kFloat64)); }, {"[4] x [3]"}},
      {"shape", [&] { addmm(w, x, x.t()); }, {"addmm", "[2, 2]", "[4]"}},
      {"shape", [&] { addmm(w, x, x); }, {"addmm", "[2, 3] x [2, 3]"}},
      {"dtype", [&] { matmul(x, x.t().to(kFloat32)); }, {"matmul", "float64", "float32"}},
      {"shape",
       [&] {
         cat({x, w});
       },
       {"cat", "[2, 3]", "[4]"}},
      {"shape",
       [&] {
         stack({x, w});
       },
       {"stack", "[2, 3]", "[4]"}},
      {"value", [&] { cat(std::vector<Tensor>{}); }, {"cat", "at least one"}},
      {"index",
       [&] {
         cat({x, x}, 2);
       },
       {"cat", "2"}},
      {"shape",
       [&] {
         x.view({4, 2});
       },
       {"view", "[2, 3]", "[4, 2]"}},
      {"shape", [&] { x.t().view({6}); }, {"view", "reshape"}},
      {"shape",
       [&] {
         x.reshape({-1, 4});
       },
       {"reshape", "[2, 3]", "[-1, 4]"}},
      {"shape",
       [&] {
         x.expand({4, 3});
       },
       {"expand", "[2, 3]", "[4, 3]"}},
      {"shape", [&] { x.expand({2}); }, {"expand", "[2, 3]", "[2]"}},
      {"shape",
       [&] {
         x.expand({1, 1, 1, 1, 1, 1, 1, 2, 3});
       },
       {"8", "9"}},
      {"value",
       [&] {
         x.permute({0, 0});
       },
       {"permute", "[0, 0]"}},
      {"shape", [&] { x.permute({0}); }, {"permute", "[0]"}},
      {"index", [&] { x.transpose(0, 2); }, {"transpose", "2"}},
      {"index", [&] { x.select(0, 2); }, {"select", "2"}},
      {"index", [&] { x.select(2, 0); }, {"select", "2"}},
      {"index", [&] { x[-3]; }, {"select", "-3"}},
      {"value", [&] { x.slice(0, 0, 2, 0); }, {"slice", "step"}},
      {"value", [&] { x.slice(0, 0, 2, -1); }, {"slice", "flip"}},
      {"index", [&] { x.narrow(1, 2, 2); }, {"narrow", "2"}},
      {"index", [&] { x.unsqueeze(4); }, {"unsqueeze", "4"}},
      {"index",
       [&] {
         x.index({0, 0, 0});
       },
       {"index", "3 indices", "[2, 3]"}},
      {"index",
       [&] {
         x.index({"...", 0, "..."});
       },
       {"index", "Ellipsis"}},
      {"value", [&] { x.split(0); }, {"split", "0"}},
      {"value", [&] { x.chunk(0); }, {"chunk", "0"}},
      {"index",
       [&] {
         x.as_strided({3, 3}, {3, 1});
       },
       {"as_strided"}},
      {"index", [&] { x.slice(0, 0, 1).as_strided({7}, {1}); }, {"as_strided"}},
      {"index", [&] { x.index_select(1, Tensor(core::full({1}, 3, kInt64))); }, {"index_select", "3"}},
      {"index", [&] { x.index_select(1, Tensor(core::full({1}, -1, kInt64))); }, {"index_select", "-1"}},
      {"dtype", [&] { x.index_select(1, w); }, {"index_select", "float64"}},
      {"index",
       [&] {
         x.gather(1, Tensor(core::full({2, 1}, 3, kInt64)));
       },
       {"gather", "3"}},
      {"shape", [&] { x.gather(1, i); }, {"gather", "[3]", "[2, 3]"}},
      {"shape", [&] { w.tril(); }, {"tril", "[4]"}},
      {"index", [&] { x.sum(2); }, {"sum", "2"}},
      {"value",
       [&] {
         x.sum({0, -2});
       },
       {"sum", "0"}},
      {"index", [&] { x.softmax(2); }, {"softmax", "2"}},
      {"index", [&] { x.flip(2); }, {"flip", "2"}},
      {"index", [&] { x.slice(0, 2).max(); }, {"max"}},
      {"index", [&] { x.slice(0, 2).argmax(0); }, {"argmax"}},
      {"index", [&] { std::get<0>(x.slice(0, 2).max(0)); }, {"max"}},
      {"shape", [&] { sum_to_size(x, {4}); }, {"[4]", "[2, 3]"}},
      {"shape", [&] { x.item(); }, {"item", "[2, 3]"}},
      {"dtype", [&] { x.data_ptr<float>(); }, {"data_ptr", "float32", "float64"}},
  };
  const Alive before;
  for (const Wrong& wrong : wrongs) {
    BOOST_TEST_CONTEXT(wrong.pieces[0]) {
      const std::string type = wrong.type;
      try {
        if (type == "shape") check_error<ShapeError>(wrong.call, wrong.pieces);
        if (type == "dtype") check_error<DTypeError>(wrong.call, wrong.pieces);
        if (type == "index") check_error<IndexError>(wrong.call, wrong.pieces);
        if (type == "value") check_error<ValueError>(wrong.call, wrong.pieces);
      } catch (const Error& error) {
        BOOST_ERROR("not a " << type << " error: " << error.what());
      }
    }
  }
  BOOST_CHECK_EQUAL(Alive(), before);
  (matmul(x, x.t()).sum() + w.sum() * b.sum()).backward();
  BOOST_CHECK(x.grad().defined() && w.grad().defined() && b.grad().defined());
}

BOOST_AUTO_TEST_CASE(errors_name_the_operation_that_was_called) {
  // Also where it is made of another: each of these is wrong use of the function named.
  const Tensor a = randn({2, 3}), b = randn({4, 5}), v = randn({7}), i64 = ones({2, 3}, kInt64),
               boo = ones({2, 3}, kBool);
  struct Wrong {
    const char* name;
    std::function<void()> call;
  };
  const std::vector<Wrong> calls = {
      {"add", [&] { a + b; }},
      {"add", [&] { add(a, b); }},
      {"sub", [&] { a - b; }},
      {"mul", [&] { a* b; }},
      {"div", [&] { a / b; }},
      {"pow", [&] { pow(a, b); }},
      {"maximum", [&] { maximum(a, b); }},
      {"minimum", [&] { minimum(a, b); }},
      {"fmod", [&] { fmod(a, b); }},
      {"remainder", [&] { remainder(a, b); }},
      {"atan2", [&] { atan2(a, b); }},
      {"eq", [&] { eq(a, b); }},
      {"ne", [&] { ne(a, b); }},
      {"lt", [&] { (void)(a < b); }},
      {"le", [&] { (void)(a <= b); }},
      {"gt", [&] { (void)(a > b); }},
      {"ge", [&] { (void)(a >= b); }},
      {"logical_and", [&] { logical_and(a, b); }},
      {"logical_or", [&] { logical_or(a, b); }},
      {"logical_xor", [&] { logical_xor(a, b); }},
      {"where", [&] { where(boo, a, b); }},
      {"where", [&] { where(i64, a, a); }},
      {"masked_fill", [&] { masked_fill(a, b > 0, 1); }},
      {"masked_fill", [&] { masked_fill(a, i64, 1); }},
      {"clamp", [&] { clamp(a, {}, {}); }},
      {"add_", [&] { a.add_(b); }},
      {"add_",
       [&] {
         a.add_(randn({5, 2, 3}));
       }},
      {"sub_", [&] { a.sub_(b); }},
      {"mul_", [&] { a.mul_(b); }},
      {"div_", [&] { a.div_(b); }},
      {"copy_", [&] { a.copy_(b); }},
      {"add_", [&] { i64.add_(a); }},
      {"sub_", [&] { i64.sub_(a); }},
      {"mul_", [&] { i64.mul_(a); }},
      {"div_", [&] { i64.div_(i64); }},
      {"add_", [&] { i64.add_(1.5); }},
      {"sub_", [&] { i64.sub_(1.5); }},
      {"mul_", [&] { i64.mul_(1.5); }},
      {"div_", [&] { i64.div_(2); }},
      {"sub_", [&] { boo.sub_(boo); }},
      {"exp_", [&] { i64.exp_(); }},
      {"log_", [&] { i64.log_(); }},
      {"sqrt_", [&] { i64.sqrt_(); }},
      {"tanh_", [&] { i64.tanh_(); }},
      {"sigmoid_", [&] { i64.sigmoid_(); }},
      {"clamp_", [&] { i64.clamp_(0.5); }},
      {"clamp_", [&] { a.clamp_({}, {}); }},
      {"fill_", [&] { i64.fill_(1e300); }},
      {"neg_", [&] { boo.neg_(); }},
      {"abs_", [&] { boo.abs_(); }},
      {"relu_", [&] { boo.relu_(); }},
      {"add_",
       [&] {
         a.expand({4, 2, 3}).add_(1);
       }},
      {"zero_",
       [&] {
         a.expand({4, 2, 3}).zero_();
       }},
      {"exp_",
       [&] {
         a.expand({4, 2, 3}).exp_();
       }},
      {"mul_",
       [&] {
         a.expand({4, 2, 3}).mul_(a);
       }},
      {"fill_",
       [&] {
         a.expand({4, 2, 3}).fill_(1);
       }},
      {"copy_",
       [&] {
         a.expand({4, 2, 3}).copy_(a);
       }},
      {"relu_",
       [&] {
         a.expand({4, 2, 3}).relu_();
       }},
      {"clamp_",
       [&] {
         a.expand({4, 2, 3}).clamp_(1);
       }},
      {"normal_",
       [&] {
         a.expand({4, 2, 3}).normal_();
       }},
      {"uniform_",
       [&] {
         a.expand({4, 2, 3}).uniform_();
       }},
      {"bernoulli_",
       [&] {
         a.expand({4, 2, 3}).bernoulli_();
       }},
      {"random_",
       [&] {
         a.expand({4, 2, 3}).random_();
       }},
      {"exponential_",
       [&] {
         a.expand({4, 2, 3}).exponential_();
       }},
      {"bernoulli_", [&] { a.bernoulli_(b); }},
      {"random_", [&] { a.random_(3, 1); }},
      {"random_", [&] { ones({3}, kUInt8).random_(0, 1000); }},
      {"normal_", [&] { i64.normal_(); }},
      {"bernoulli_", [&] { a.bernoulli_(2); }},
      {"neg", [&] { neg(boo); }},
      {"abs", [&] { abs(boo); }},
      {"sub", [&] { boo - boo; }},
      {"exp", [&] { exp(Tensor()); }},
      {"sum", [&] { sum(a, 5); }},
      {"mean", [&] { mean(a, 5); }},
      {"mean", [&] { mean(i64); }},
      {"var", [&] { var(i64); }},
      {"std", [&] { gradus::std(i64); }},
      {"var", [&] { var(a, {7}); }},
      {"std", [&] { gradus::std(a, {7}); }},
      {"max", [&] { max(a, 7); }},
      {"min", [&] { min(a, 7); }},
      {"amax", [&] { amax(a, 7); }},
      {"amin", [&] { amin(a, 7); }},
      {"max", [&] { max(zeros({0})); }},
      {"min", [&] { min(zeros({0})); }},
      {"max", [&] { max(zeros({0}), 0); }},
      {"argmax", [&] { argmax(a, 7); }},
      {"argmin", [&] { argmin(zeros({0})); }},
      {"all", [&] { all(a, 7); }},
      {"any", [&] { any(a, 7); }},
      {"norm", [&] { norm(a, 2, {7}); }},
      {"norm", [&] { norm(a, 1, {7}); }},
      {"norm", [&] { norm(a, 3, {7}); }},
      {"norm", [&] { norm(a, HUGE_VAL, {7}); }},
      {"norm", [&] { norm(a, 0, {7}); }},
      {"logsumexp", [&] { logsumexp(a, 7); }},
      {"softmax", [&] { softmax(a, 7); }},
      {"log_softmax", [&] { log_softmax(a, 7); }},
      {"softmax", [&] { softmax(i64, 0); }},
      {"cumsum", [&] { cumsum(a, 7); }},
      {"cumprod", [&] { cumprod(a, 7); }},
      {"prod", [&] { prod(a, 7); }},
      {"sort", [&] { sort(a, 7); }},
      {"argsort", [&] { argsort(a, 7); }},
      {"topk", [&] { topk(a, 9); }},
      {"topk", [&] { topk(a, 1, 7); }},
      {"linear_recurrence", [&] { linear_recurrence(a, b, 0); }},
      {"sum_to_size", [&] { sum_to_size(a, {4}); }},
      {"matmul", [&] { matmul(a, b); }},
      {"mm", [&] { mm(a, b); }},
      {"mm", [&] { mm(a, v); }},
      {"bmm", [&] { bmm(a.unsqueeze(0), b.unsqueeze(0)); }},
      {"mv", [&] { mv(a, v); }},
      {"dot", [&] { dot(v, randn({2})); }},
      {"dot", [&] { dot(v, ones({7}, kInt64)); }},
      {"mv", [&] { mv(a, ones({3}, kInt64)); }},
      {"mm",
       [&] {
         mm(a, ones({3, 2}, kInt64));
       }},
      {"bmm",
       [&] {
         bmm(a.unsqueeze(0), ones({1, 3, 2}, kInt64));
       }},
      {"dot", [&] { dot(ones({2}, kBool), ones({2}, kBool)); }},
      {"outer", [&] { outer(a, v); }},
      {"addmm", [&] { addmm(a, a, b); }},
      {"addmm",
       [&] {
         addmm(b, a, randn({3, 2}));
       }},
      {"addmm", [&] { addmm(a, a, i64.t()); }},
      {"addmm", [&] { addmm(i64, i64, i64.t(), 0.5); }},
      {"reshape", [&] { reshape(a, {5}); }},
      {"view", [&] { a.view({5}); }},
      {"flatten", [&] { flatten(a, 7); }},
      {"permute", [&] { permute(a, {0}); }},
      {"transpose", [&] { transpose(a, 0, 7); }},
      {"t",
       [&] {
         gradus::t(randn({1, 1, 1}));
       }},
      {"movedim", [&] { movedim(a, 7, 0); }},
      {"squeeze", [&] { squeeze(a, 7); }},
      {"unsqueeze", [&] { unsqueeze(a, 7); }},
      {"select", [&] { select(a, 0, 7); }},
      {"select", [&] { a[7]; }},
      {"slice", [&] { slice(a, 7); }},
      {"slice", [&] { slice(a, 0, 0, 1, 0); }},
      {"narrow", [&] { narrow(a, 0, 7, 1); }},
      {"narrow", [&] { narrow(a, 7, 0, 1); }},
      {"diagonal", [&] { diagonal(v); }},
      {"as_strided", [&] { as_strided(a, {9}, {9}); }},
      {"expand", [&] { a.expand({5}); }},
      {"expand_as", [&] { a.expand_as(b); }},
      {"split", [&] { split(a, 0); }},
      {"split", [&] { split(a, 1, 7); }},
      {"chunk", [&] { chunk(a, 0); }},
      {"chunk", [&] { chunk(a, 1, 7); }},
      {"unbind", [&] { unbind(a, 7); }},
      {"flip", [&] { flip(a, 7); }},
      {"repeat", [&] { repeat(a, {1}); }},
      {"index", [&] { a.index({7}); }},
      {"index",
       [&] {
         a.index({0, 0, 0});
       }},
      {"view_as", [&] { a.view_as(b); }},
      {"reshape_as", [&] { a.reshape_as(b); }},
      {"cat",
       [&] {
         cat({a, b});
       }},
      {"cat", [&] { cat({a}, 7); }},
      {"stack",
       [&] {
         stack({a, b});
       }},
      {"stack", [&] { stack({a}, 7); }},
      {"index_select", [&] { index_select(a, 7, i64); }},
      {"index_select", [&] { index_select(a, 0, ones({1}, kInt64) * 9); }},
      {"gather", [&] { gather(a, 7, i64); }},
      {"gather", [&] { gather(a, 0, b); }},
      {"scatter_add", [&] { scatter_add({2}, 0, i64, a); }},
      {"constant_pad_nd", [&] { constant_pad_nd(a, {1}); }},
      {"tril", [&] { tril(v); }},
      {"triu", [&] { triu(v); }},
      {"empty", [&] { empty({-1}); }},
      {"zeros", [&] { zeros({-1}); }},
      {"ones", [&] { ones({-1}); }},
      {"full", [&] { full({-1}, 1); }},
      {"rand", [&] { rand({-1}); }},
      {"randn", [&] { randn({-1}); }},
      {"randint", [&] { randint(5, {-1}); }},
      {"randperm", [&] { randperm(-1); }},
      {"eye", [&] { eye(-1); }},
      {"arange", [&] { arange(-1); }},
      {"linspace", [&] { linspace(0, 1, -1); }},
      {"normal", [&] { normal(0, 1, {-1}); }},
      {"from_blob",
       [&] {
         float number = 0;
         from_blob(&number, {-1});
       }},
      {"rand", [&] { rand({2}, kInt64); }},
      {"randn", [&] { randn({2}, kInt64); }},
      {"full", [&] { full({2}, 1e300, kInt64); }},
      {"rand", [&] { rand({std::int64_t{1} << 62}, kFloat64); }},
      {"randn", [&] { randn({std::int64_t{1} << 62}, kFloat64); }},
      {"zeros", [&] { zeros({std::int64_t{1} << 62}); }},
      {"multinomial", [&] { multinomial(a, 9); }},
      {"bernoulli", [&] { bernoulli(a * 100); }},
      {"bernoulli", [&] { bernoulli(a, 2.); }},
      {"bernoulli", [&] { a.bernoulli(2.); }},
      {"rand_like", [&] { rand_like(i64); }},
      {"normal", [&] { normal(0, -1, {2}); }},
      {"item", [&] { a.item(); }},
      {"backward", [&] { a.backward(); }},
      {"gelu", [&] { gelu(i64); }},
      {"silu", [&] { silu(i64); }},
      {"softplus", [&] { softplus(i64); }},
      {"leaky_relu", [&] { leaky_relu(boo); }},
      {"elu", [&] { elu(i64); }},
      {"gelu", [&] { gelu(a, "x"); }},
      {"dropout", [&] { dropout(a, 2, true); }},
      {"mse_loss", [&] { mse_loss(a, b); }},
      {"cross_entropy", [&] { nn::functional::cross_entropy(a, b); }},
      {"nll_loss", [&] { nll_loss(a, b); }},
      {"layer_norm", [&] { layer_norm(a, {7}); }},
      {"embedding", [&] { embedding(a, b); }},
      {"max_pool2d", [&] { max_pool2d(a, 2); }},
      {"avg_pool2d", [&] { avg_pool2d(a, 2); }},
      {"adaptive_avg_pool2d", [&] { adaptive_avg_pool2d(a, 2); }},
      {"scaled_dot_product_attention", [&] { scaled_dot_product_attention(a, b, b); }},
      {"pad", [&] { nn::functional::pad(a, nn::functional::PadFuncOptions({1})); }},
      {"fill_", [&] { i64[1] = 1e300; }},
      {"mm_out",
       [&] {
         Tensor o = randn({2, 2});
         mm_out(o, a, b);
       }},
      {"mm_out",
       [&] {
         Tensor o = randn({2, 2});
         mm_out(o, a, randn({3, 4}));
       }},
      {"mm_out",
       [&] {
         Tensor o = randn({2, 2});
         mm_out(o, a, i64.t());
       }},
  };
  for (const Wrong& wrong : calls) {
    try {
      wrong.call();
      BOOST_ERROR(wrong.name << ": no error");
    } catch (const Error& error) {
      const std::string text = error.what(), wanted = std::string(wrong.name) + ": ";
      BOOST_TEST(text.substr(0, wanted.size()) == wanted, text);
    }
  }
  // Memory that cannot be had has a message of its own, and an error's type stays.
  BOOST_CHECK_THROW(randn({std::int64_t{1} << 55}), MemoryError);
  BOOST_CHECK_THROW(a.add_(b), ShapeError);
}

BOOST_AUTO_TEST_CASE(numbers_at_the_ends_of_64_bits) {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max(),
                         least = std::numeric_limits<std::int64_t>::min();
  const Tensor x = ones({3}), wide = ones({1}).expand({most}), two = ones({1}).expand({most / 2 + 1});
  float number = 1;
  // Refused, whatever wraps around to what seems right.
  for (const std::vector<std::int64_t>& pad : std::vector<std::vector<std::int64_t>>{{least, least},
                                                                                     {least, 0},
                                                                                     {0, least},
                                                                                     {most, most},
                                                                                     {most, 0},
                                                                                     {-4, 1},
                                                                                     {-2, -2},
                                                                                     {most, least},
                                                                                     {-4, most}}) {
    check_error<ShapeError>([&] { constant_pad_nd(x, pad); }, {"constant_pad_nd: ", core::to_string(pad)});
  }
  check_error<ShapeError>([&] { constant_pad_nd(ones({2, 2}), {0, most / 4, 0, most / 4}); }, {"constant_pad_nd: "});
  check_error<ShapeError>([&] { from_blob(&number, {most, most}); }, {"from_blob: the product of the sizes"});
  check_error<ShapeError>([&] { from_blob(&number, {most}); }, {"from_blob: the number of bytes"});
  check_error<ShapeError>([&] { from_blob(&number, {2, 2}, {most, most}); }, {"from_blob: the place of the last"});
  for (const std::int64_t n : {most / 2 + 1, most}) {
    check_error<ShapeError>([&] { rand({n}, kFloat64); }, {"rand: "});
    check_error<ShapeError>([&] { randn({n}, kFloat64); }, {"randn: "});
    check_error<ShapeError>([&] { randint(least, most, {n}); }, {"randint: "});
  }
  check_error<ShapeError>([&] { cat({wide, x}); }, {"cat: the joined size"});
  check_error<ShapeError>([&] { cat({two, two}); }, {"cat: the joined size"});
  check_error<ShapeError>([&] { max_pool1d(wide.view({1, most}), 1); }, {"max_pool1d: ", "61 bits"});
  check_error<ShapeError>([&] { avg_pool1d(wide.view({1, most}), 3, 1, 1); }, {"avg_pool1d: ", "61 bits"});
  check_error<ShapeError>([&] { conv1d(wide.view({1, 1, most}), ones({1, 1, 1}), {}, 1, 1); }, {"conv: ", "61 bits"});
  check_error<ValueError>([&] { max_pool1d(x.view({1, 3}), most, 1, most / 2); }, {"max_pool1d: dilation x kernel"});
  check_error<ValueError>([&] { split(x, least); }, {"split: "});
  check_error<ShapeError>([&] { repeat(x, {most}); }, {"repeat: "});
  check_error<IndexError>([&] { narrow(x, 0, least, 1); }, {"narrow: "});
  check_error<IndexError>([&] { x.select(0, least); }, {"select: "});
  check_error<IndexError>([&] { x.index({most}); }, {"index: "});
  for (const std::int64_t dim : {least, most}) {
    check_error<IndexError>([&] { x.sum({dim}); }, {"sum: "});
    check_error<IndexError>([&] { x.unsqueeze(dim); }, {"unsqueeze: "});
  }
  // Defined, and as unsigned numbers wrap around.
  BOOST_TEST(values(constant_pad_nd(x, {-1, 2})) == (std::vector<double>{1, 1, 0, 0}));
  BOOST_TEST(split(x, most).size() == 1u);
  BOOST_TEST(split(two, most / 2)[1].numel() == 1);
  BOOST_TEST(x.slice(0, least, most, most).numel() == 1);
  BOOST_TEST(x.slice(0, most, least).numel() == 0);
  BOOST_TEST(values(max_pool1d(x.view({1, 3}), 1, 1, 0, most)) == values(x));
  BOOST_TEST(values(conv1d(x.view({1, 1, 3}), ones({1, 1, 1}), {}, 2, 0, most)) == (std::vector<double>{1, 1}));
  const Tensor row = ones({1, 1, 3}).requires_grad_();
  conv1d(row, ones({1, 1, 1}), {}, 2, 0, most).sum().backward();
  BOOST_TEST(values(row.grad()) == (std::vector<double>{1, 0, 1}));
  const Tensor ends = tensor({least, most, std::int64_t{-1}}, kInt64);
  const auto numbers = [](const Tensor& t) {
    return std::vector<std::int64_t>(t.data_ptr<std::int64_t>(), t.data_ptr<std::int64_t>() + t.numel());
  };
  using Whole = std::vector<std::int64_t>;
  BOOST_TEST(numbers(abs(ends)) == (Whole{least, most, 1}));
  BOOST_TEST(numbers(-ends) == (Whole{least, -most, 1}));
  BOOST_TEST(numbers(ends + 1) == (Whole{least + 1, least, 0}));
  BOOST_TEST(numbers(ends - ends * 2) == (Whole{least, -most, 1}));
  BOOST_TEST(numbers(remainder(ends, full({3}, -1, kInt64))) == (Whole{0, 0, 0}));
  BOOST_TEST(numbers(fmod(ends, full({3}, -1, kInt64))) == (Whole{0, 0, 0}));
  BOOST_TEST(numbers(pow(ends, 2)) == (Whole{0, 1, 1}));
  BOOST_TEST(numbers(ends.cumsum(0)) == (Whole{least, -1, -2}));
  BOOST_TEST(numbers(ends.cumprod(0)) == (Whole{least, least, least}));
  BOOST_TEST(ends.sum().item<std::int64_t>() == -2);
  BOOST_TEST(ends.prod().item<std::int64_t>() == least);
  BOOST_TEST(numbers(arange(least, most, most)) == (Whole{least, -1, most - 1}));
  // NaN and what no int64 holds become its least value, as where arrays are converted.
  for (const double value : {HUGE_VAL, -HUGE_VAL, 1e300, -1e300, std::nan("")}) {
    const Tensor one = full({}, value, kFloat64);
    BOOST_TEST(one.item<std::int64_t>() == one.to(kInt64).item<std::int64_t>());
    BOOST_TEST(one.item<std::int64_t>() == least);
    BOOST_TEST(one.item<int>() == one.to(kInt32).item<int>());
  }
}

BOOST_AUTO_TEST_CASE(a_requested_dtype_is_the_results) {
  struct Total {
    const char* name;
    std::function<Tensor(const Tensor&, DType)> run;
    std::vector<double> of_uint8, of_float;  // of {200, 100} as uint8, and of {1.7, 2.9} as integers
  };
  const std::vector<Total> totals = {
      {"sum", [](const Tensor& x, DType t) { return x.sum(t); }, {44}, {3}},
      {"sum over dimensions", [](const Tensor& x, DType t) { return x.sum({0}, false, t); }, {44}, {3}},
      {"sum with keepdim", [](const Tensor& x, DType t) { return x.sum({0}, true, t); }, {44}, {3}},
      {"sum of a view",
       [](const Tensor& x, DType t) {
         return sum(x.unsqueeze(0).t(), {0, 1}, false, t);
       },
       {44},
       {3}},
      {"prod", [](const Tensor& x, DType t) { return x.prod(t); }, {32}, {2}},
      {"prod over a dimension", [](const Tensor& x, DType t) { return x.prod(0, true, t); }, {32}, {2}},
      {"cumsum", [](const Tensor& x, DType t) { return x.cumsum(0, t); }, {200, 44}, {1, 3}},
      {"cumprod", [](const Tensor& x, DType t) { return x.cumprod(0, t); }, {200, 32}, {1, 2}},
  };
  for (const Total& total : totals) {
    for (const DType from : {kBool, kUInt8, kInt32, kInt64, kFloat32, kFloat64}) {
      for (const DType wanted : {kBool, kUInt8, kInt32, kInt64, kFloat32, kFloat64}) {
        BOOST_TEST((total.run(ones({2}, from), wanted).dtype() == wanted), total.name << " of " << to_string(from));
        BOOST_TEST((total.run(ones({0}, from), wanted).dtype() == wanted), total.name << " of nothing");
      }
    }
    const Tensor bytes = tensor({200, 100}, kUInt8), numbers = tensor({1.7, 2.9});
    BOOST_TEST(values(total.run(bytes, kUInt8)) == total.of_uint8, total.name);
    for (const DType wanted : {kInt32, kInt64}) BOOST_TEST(values(total.run(numbers, wanted)) == total.of_float);
    // With a gradient, of another floating dtype.
    const Tensor x = tensor({1.5, 2.5}).requires_grad_();
    total.run(x, kFloat64).sum().backward();
    BOOST_TEST((x.grad().dtype() == kFloat32), total.name);
  }
  // Without one, integers are totalled as int64, and all and any are true or false, of uint8 1 or 0.
  for (const DType from : {kBool, kUInt8, kInt32, kInt64}) {
    for (const Total& total : totals) BOOST_TEST((total.run(ones({2}, from), kInt64).dtype() == kInt64));
    BOOST_TEST((ones({2}, from).sum().dtype() == kInt64));
  }
  for (const DType from : {kBool, kUInt8, kInt32, kInt64, kFloat32, kFloat64}) {
    const DType truth = from == kUInt8 ? kUInt8 : kBool;
    const Tensor x = tensor({{0, 2}, {1, 3}}, from);
    for (const Tensor& y : {all(x), any(x), all(x, 0), any(x, 1, true), all(x.slice(0, 0, 0)), any(x.t(), 0)}) {
      BOOST_TEST((y.dtype() == truth), to_string(from));
    }
    BOOST_TEST(values(all(x, 0)) == (std::vector<double>{0, 1}));
    BOOST_TEST(values(any(x, 0)) == (std::vector<double>{1, 1}));
  }
}

BOOST_AUTO_TEST_CASE(gradients_of_what_is_read_often_do_not_drift) {
  // Float32 against float64: the sum of very many gradients is as near as that of a few.
  const std::int64_t n = 1 << 18;
  const Tensor one = zeros({n}, kInt64);
  struct Reading {
    const char* name;
    std::int64_t size;
    std::function<Tensor(const Tensor&)> run;
  };
  const std::vector<Reading> readings = {
      {"embedding", 3,
       [&](const Tensor& x) {
         return embedding(x.view({3, 1}), one);
       }},
      {"embedding, long rows", 27,
       [&](const Tensor& x) {
         return embedding(x.view({3, 9}), one.slice(0, 0, n / 8));
       }},
      {"index_select", 4,
       [&](const Tensor& x) {
         return index_select(x.view({2, 2}), 1, one);
       }},
      {"gather", 3, [&](const Tensor& x) { return gather(x, 0, one); }},
      {"expand", 1, [&](const Tensor& x) { return x.expand({n}); }},
      {"as_strided, repeated", 2,
       [&](const Tensor& x) {
         return x.as_strided({n, 2}, {0, 1});
       }},
      {"as_strided, transposed", 6,
       [&](const Tensor& x) {
         return x.as_strided({2, n / 4, 2}, {1, 0, 3}, 1);
       }},
      {"as_strided, windows", 900,
       [&](const Tensor& x) {
         return x.as_strided({400, 400}, {1, 1}, 7);
       }},
      {"as_strided, windows of rows", 900,
       [&](const Tensor& x) {
         return x.view({30, 30}).as_strided({13, 40, 12, 12}, {31, 0, 30, 1});
       }},
  };
  for (const Reading& reading : readings) {
    for (const bool drawn : {false, true}) {
      Tensor dy, gradients[2];
      for (const DType dtype : {kFloat32, kFloat64}) {
        const Tensor x = zeros({reading.size}, dtype).requires_grad_(), y = reading.run(x);
        if (!dy.defined()) dy = drawn ? rand(y.sizes()) : full(y.sizes(), 0.1, kFloat32);
        y.backward(dy.to(dtype));
        gradients[dtype == kFloat64] = x.grad();
      }
      BOOST_TEST(error(gradients[0], gradients[1]) < 2e-7, reading.name);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_product_into_a_given_result) {
  const Tensor a = Tensor(counting({2, 3}, kFloat64)), b = Tensor(counting({3, 4}, kFloat64));
  Tensor out = Tensor(core::full({2, 4}, NAN, kFloat64));  // what was there does not matter
  const std::uint64_t version = out.version();
  BOOST_CHECK(mm_out(out, a, b).is_same(out));
  BOOST_CHECK_EQUAL(error(out, matmul(a, b)), 0);
  BOOST_CHECK_GT(out.version(), version);
  Tensor wide = Tensor(core::full({2, 8}, NAN, kFloat64)), part = wide.slice(1, 0, 8, 2);
  mm_out(part, a, b);
  BOOST_CHECK_EQUAL(error(wide.slice(1, 0, 8, 2), matmul(a, b)), 0);
  BOOST_CHECK(std::isnan(wide.index({0, 1}).item<double>()));
  // Too small, of another dtype, one of its own operands, part of a graph.
  Tensor small = Tensor(core::zeros({2, 3}, kFloat64)), floats = Tensor(core::zeros({2, 4}, kFloat32));
  check_error<ShapeError>([&] { mm_out(small, a, b); }, {"[2, 3] x [3, 4]: [2, 3]"});
  check_error<DTypeError>([&] { mm_out(floats, a, b); }, {"float32", "float64"});
  Tensor square = Tensor(counting({3, 3}, kFloat64)), copy = square.clone();
  try {
    mm_out(square, square, copy);
    BOOST_CHECK_EQUAL(error(square, matmul(copy, copy)), 0);
  } catch (const ValueError&) {
    BOOST_CHECK_EQUAL(error(square, copy), 0);  // refused is fine, half-way is not
  }
  check_error<GradError>([&] { mm_out(out, leaf(a.array()), b); }, {"mm_out", "NoGradGuard"});
}

BOOST_AUTO_TEST_CASE(repeats_of_any_number) {
  const Tensor x = arange(6).to(kFloat32).view({2, 3});
  for (const std::vector<std::int64_t>& times : {std::vector<std::int64_t>{1, 1},
                                                 {2, 1},
                                                 {1, 3},
                                                 {2, 3},
                                                 {2, 1, 3},
                                                 {4, 2, 1, 1},
                                                 {0, 2},
                                                 {2, 0, 1},
                                                 {1, 1, 1, 1, 1, 1, 2, 2}}) {
    const Tensor y = x.repeat(times), seen = x.t().contiguous().t().repeat(times);
    BOOST_TEST(y.equal(seen));
    BOOST_TEST(!y.array().may_overlap_itself());
    BOOST_TEST((y.array().storage() != x.array().storage()));
    Tensor expected = x.view([&] {
      std::vector<std::int64_t> sizes(times.size(), 1);
      sizes[times.size() - 2] = 2;
      sizes[times.size() - 1] = 3;
      return sizes;
    }());
    for (std::size_t d = 0; d < times.size(); ++d) {
      const auto dim = static_cast<std::int64_t>(d);
      expected = times[d] == 0 ? expected.slice(dim, 0, 0)
                               : cat(std::vector<Tensor>(static_cast<std::size_t>(times[d]), expected), dim);
    }
    BOOST_TEST(y.equal(expected));
  }
  check_error<ShapeError>([] { ones({1}).repeat({std::int64_t{1} << 62, 4}); }, {"repeat"});
  check_error<MemoryError>([] { ones({1}).repeat({std::int64_t{1} << 50}); }, {});
  check_error<ValueError>([] { ones({1}).repeat({-1}); }, {"repeat: numbers must not be negative"});
}

// Views inside an operation are its own affair: what it returns is detached and written to as any result, and has the
// gradient of what is made of it after a write to a view of it.
BOOST_AUTO_TEST_CASE(results_made_by_views_are_no_views) {
  const Tensor weight = Tensor(counting({3, 2, 2}, kFloat64)), bias;
  const struct {
    const char* name;
    std::vector<std::int64_t> shape;
    std::function<Tensor(const Tensor&)> run;
  } made[] = {
      {"repeat",
       {2, 3},
       [](const Tensor& x) {
         return x.repeat({2, 1});
       }},
      {"repeat once",
       {2, 3},
       [](const Tensor& x) {
         return x.repeat({1, 1, 1});
       }},
      {"matrix by vector", {2, 3}, [](const Tensor& x) { return x.mv(x[0]); }},
      {"vector by matrix", {2, 3}, [](const Tensor& x) { return matmul(x.select(1, 0), x); }},
      {"vector by batch", {2, 3, 2}, [](const Tensor& x) { return matmul(x[0].select(1, 0), x); }},
      {"dot", {3}, [](const Tensor& x) { return dot(x, x); }},
      {"convolution without a batch", {2, 5}, [&](const Tensor& x) { return conv1d(x, weight, bias); }},
  };
  for (const auto& each : made) {
    BOOST_TEST_CONTEXT(each.name) {
      const Tensor x = leaf(counting(each.shape, kFloat64));
      Tensor y = each.run(x);
      BOOST_TEST(!y.is_view());
      const Tensor flat = y.view({-1});
      flat[0].mul_(3);
      const std::vector<Tensor> dy = autograd::grad({(flat * flat).sum()}, {y, x});
      BOOST_TEST(dy[0].allclose(2 * y.detach()));
      y = each.run(x);
      y.detach_();
      BOOST_TEST(!y.requires_grad());
    }
  }
}

BOOST_AUTO_TEST_CASE(the_gradient_of_repeats) {
  const Tensor x = leaf(counting({2, 3}, kFloat64));
  for (const std::vector<std::int64_t>& times :
       {std::vector<std::int64_t>{1, 1}, {2, 3}, {2, 1, 3}, {3, 1, 2, 2}, {0, 2}, {2, 0, 1}}) {
    const Tensor y = x.repeat(times), w = Tensor(counting(y.sizes(), kFloat64));
    Tensor expected = zeros({2, 3}, kFloat64);
    const Tensor blocks = w.numel() == 0 ? w : w.reshape({-1, w.size(-2), w.size(-1)});
    for (std::int64_t b = 0; w.numel() != 0 && b < blocks.size(0); ++b) {
      for (std::int64_t i = 0; i + 2 <= blocks.size(1); i += 2) {
        for (std::int64_t j = 0; j + 3 <= blocks.size(2); j += 3) {
          expected.add_(blocks[b].slice(0, i, i + 2).slice(1, j, j + 3));
        }
      }
    }
    BOOST_TEST(autograd::grad({(y * w).sum()}, {x})[0].equal(expected));
  }
  BOOST_TEST(gradcheck([](const Operands& in) { return Operands{in[0].repeat({2, 1, 2}).square()}; }, {x}));
}

// As PyTorch's: the third of three chunks is there for an empty batch, too.
BOOST_AUTO_TEST_CASE(chunks_of_nothing_are_as_many_as_asked_for) {
  const Tensor x = leaf(counting({2, 0, 3}, kFloat64));
  const std::vector<Tensor> parts = x.chunk(3, 1);
  BOOST_REQUIRE_EQUAL(parts.size(), 3U);
  for (const Tensor& part : parts) BOOST_TEST((part.array().shape() == core::Shape{2, 0, 3}));
  BOOST_TEST(parts[2].requires_grad());
  BOOST_TEST(x.chunk(4, 0).size() == 2U);
  check_error<ValueError>([&] { x.chunk(std::int64_t{1} << 40, 1); }, {"chunk", "1099511627776"});
}

BOOST_AUTO_TEST_CASE(flatten_of_what_is_flat_is_the_tensor_itself) {
  const Tensor x = arange(6).to(kFloat32), y = x.view({2, 3});
  BOOST_TEST(x.flatten().is_same(x));
  BOOST_TEST(y.flatten(1, 1).is_same(y));
  BOOST_TEST(!y.flatten().is_same(y));
  BOOST_TEST((x[0].flatten().array().shape() == core::Shape{1}));
}

BOOST_AUTO_TEST_CASE(the_gradient_of_atan2_beside_an_infinite_operand) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  for (const double b : {inf, -inf}) {
    const Tensor y = tensor({{-0.5, 2.0}}, kFloat64), x = tensor({{b, 1.0}}, kFloat64).requires_grad_();
    const Tensor dx = autograd::grad({atan2(y, x).sum()}, {x})[0];
    BOOST_TEST(dx[0][0].item<double>() == 0);
    BOOST_TEST(dx[0][1].item<double>() == -2.0 / 5.0);
  }
}

// 0 to a power below 0 is infinite, and so is the sum.
BOOST_AUTO_TEST_CASE(norms_of_orders_below_zero) {
  const Tensor x = tensor({{0.0, 1.0, 2.0}, {1.0, 2.0, 2.0}}).requires_grad_();
  const Tensor y = norm(x, -1, {1});
  BOOST_TEST(y[0].item<double>() == 0);
  BOOST_TEST(std::abs(y[1].item<double>() - 0.5) < 1e-7);
  y.sum().backward();
  for (int i = 0; i < 3; ++i) BOOST_TEST(x.grad()[0][i].item<double>() == 0);
  BOOST_TEST(std::abs(x.grad()[1][0].item<double>() - 0.25) < 1e-6);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
