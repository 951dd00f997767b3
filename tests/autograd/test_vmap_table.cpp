// vmap of every row of tests/table against the loop over examples: values, and gradients through it, with each operand
// mapped and not. --run_test=vmap_table/every_row.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <exception>
#include <string>
#include <vector>

#include <gradus/gradus.h>

#include "../support/gradients.h"
#include "../table/row.h"

namespace gradus::test {
namespace {

using func::Tensors;

constexpr int kExamples = 3;

// The operands, those in `mapped` for each example, along dimension 0.
Operands inputs(const Row& row, unsigned mapped) {
  Operands x;
  for (std::size_t i = 0; i < row.operands.size(); ++i) {
    const int place = static_cast<int>(i);
    if (((mapped >> i) & 1u) == 0) {
      x.push_back(drawn(row.operands[i], place));
    } else {
      Tensors each;
      for (int b = 0; b < kExamples; ++b) each.push_back(drawn(row.operands[i], place + b));
      x.push_back(stack(each));
    }
    if (row.operands[i].differentiable()) x.back().requires_grad_();
  }
  return x;
}

struct Outcome {
  Tensor y;
  Tensors gradients;
};
Outcome with_gradients(Tensor y, const Operands& x) {
  Tensors wanted;
  for (const Tensor& one : x) {
    if (one.requires_grad()) wanted.push_back(one);
  }
  if (!y.requires_grad() || wanted.empty()) return {y, {}};
  return {y, autograd::grad({y}, wanted, {drawn({y.sizes().vec(), -2, 2}, 5).to(y.dtype())}, {}, false, true)};
}
// Example by example, as anybody would write it; undefined where the row refuses these numbers.
Outcome by_loop(const Row& row, const Operands& x, unsigned mapped) {
  Tensors results;
  for (int b = 0; b < kExamples; ++b) {
    Operands one = x;
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (((mapped >> i) & 1u) != 0) one[i] = x[i].select(0, b);
    }
    try {
      results.push_back(row.call(one));
    } catch (const Error&) {
      return {};
    }
    if (results.back().sizes() != results.front().sizes()) return {};
  }
  return with_gradients(stack(results), x);
}

double distance(const Tensor& a, const Tensor& b) {
  if (a.defined() != b.defined() || (a.defined() && (a.sizes() != b.sizes() || a.dtype() != b.dtype())))
    return HUGE_VAL;
  if (!a.defined() || a.numel() == 0) return 0;
  const Tensor u = a.detach().to(kDouble), v = b.detach().to(kDouble);
  const Tensor alike = logical_or(u == v, logical_and(isnan(u), isnan(v)));
  const Tensor d = masked_fill((u - v).abs(), alike, 0), size = masked_fill(v.abs(), !isfinite(v), 0);
  return (d.max() / (1 + size.max())).item<double>();
}

// How a row went over the batch, all its operands mapped.
enum class Way { Rules, SomeByExamples, FunctionByExamples, Refused };

Way check_row(const Row& row) {
  Way way = Way::Refused;
  const unsigned all = (1u << row.operands.size()) - 1;
  for (unsigned mapped = all; mapped > 0; --mapped) {
    const bool single = (mapped & (mapped - 1)) == 0, but_one = ((all & ~mapped) & ((all & ~mapped) - 1)) == 0;
    if (!single && !but_one) continue;
    const Operands x = inputs(row, mapped);
    const Outcome loop = by_loop(row, x, mapped);
    if (!loop.y.defined()) continue;
    std::vector<std::optional<std::int64_t>> dims;
    for (std::size_t i = 0; i < x.size(); ++i)
      dims.push_back(((mapped >> i) & 1u) != 0 ? std::optional<std::int64_t>(0) : std::nullopt);
    const autograd::BatchLoops before = autograd::batch_loops();
    const auto call = [&](const Operands& one) { return row.call(one); };
    const Outcome y = with_gradients(func::vmap(call, dims)(x), x);
    const autograd::BatchLoops after = autograd::batch_loops();
    BOOST_TEST_CONTEXT("operands mapped: " << mapped) {
      BOOST_TEST(distance(y.y, loop.y) < 1e-9);
      BOOST_REQUIRE_EQUAL(y.gradients.size(), loop.gradients.size());
      for (std::size_t i = 0; i < y.gradients.size(); ++i) {
        // Where nothing depends on an input, there may be zeros or nothing.
        const auto defined = [&](const Outcome& o) {
          return o.gradients[i].defined() ? o.gradients[i]
                                          : zeros_like((loop.gradients[i].defined() ? loop : y).gradients[i]);
        };
        if (!y.gradients[i].defined() && !loop.gradients[i].defined()) continue;
        BOOST_TEST(distance(defined(y), defined(loop)) < 1e-8, "gradient " << i);
      }
    }
    if (mapped == all) {
      way = after.functions != before.functions     ? Way::FunctionByExamples
            : after.operations != before.operations ? Way::SomeByExamples
                                                    : Way::Rules;
    }
  }
  return way;
}

BOOST_AUTO_TEST_SUITE(vmap_table)

BOOST_AUTO_TEST_CASE(every_row) {
  func::warn_of_loops(false);
  int rules = 0, some = 0, functions = 0, refused = 0;
  std::string looped;
  for (const Row& row : operation_table()) {
    BOOST_TEST_CONTEXT(row.name) {
      Way way = Way::Refused;
      try {
        way = check_row(row);
      } catch (const std::exception& error) {
        BOOST_ERROR(error.what());
      }
      rules += way == Way::Rules;
      some += way == Way::SomeByExamples;
      functions += way == Way::FunctionByExamples;
      refused += way == Way::Refused;
      if (way != Way::Rules) looped += (looped.empty() ? "" : ", ") + row.name;
    }
  }
  func::warn_of_loops(true);
  BOOST_TEST_MESSAGE("vmap of the table: " << rules << " rows by rules, " << some
                                           << " with operations that go example by "
                                           << "example, " << functions << " functions that do, " << refused
                                           << " whose examples cannot be stacked; not by rules: " << looped);
  BOOST_TEST(rules >= 535);
  BOOST_TEST(refused <= 4);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace gradus::test
