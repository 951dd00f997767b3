// vmap of every row of tests/table against the loop over examples: values, and gradients through it, with each operand
// mapped and not. --run_test=vmap_table/every_row.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <exception>
#include <ostream>
#include <string>
#include <string_view>
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

// How many rows of a name do not go by rules, and how they go. A row more has lost its rule; one less has got one.
struct NotByRules {
  std::string_view row;
  int some = 0, functions = 0, refused = 0;
  bool operator==(const NotByRules&) const = default;
};
std::ostream& operator<<(std::ostream& out, const NotByRules& of) {
  return out << "{\"" << of.row << "\", " << of.some << ", " << of.functions << ", " << of.refused << '}';
}
constexpr NotByRules kNotByRules[] = {
    {"linalg_lu", 0, 1, 0},
    {"lu_unpack", 0, 1, 0},
    {"linalg_lu_solve", 0, 1, 0},
    {"linalg_lstsq", 0, 1, 0},
    {"as_strided", 0, 2, 0},
    {"index_add", 1, 1, 0},
    {"index", 0, 3, 2},
    {"index_put", 0, 6, 0},
    {"index_put_", 0, 6, 0},
    {"masked_select", 0, 0, 1},
    {"put_masked", 1, 0, 0},
    {"masked_scatter", 0, 1, 0},
    {"masked_scatter_", 0, 1, 0},
    {"put", 2, 0, 0},
    {"put_", 1, 0, 0},
    {"repeat_interleave", 0, 0, 1},
    {"scatter_reduce", 0, 1, 0},
    {"scatter_reduce_", 0, 1, 0},
    {"index_add_", 1, 0, 0},
    {"index_copy", 1, 0, 0},
    {"index_copy_", 1, 0, 0},
    {"index_fill", 1, 1, 0},
    {"index_fill_", 1, 1, 0},
    {"strided_put", 0, 1, 0},
    {"unfold", 0, 1, 0},
    {"transpose_", 0, 2, 0},
    {"t_", 0, 1, 0},
    {"swapaxes_", 0, 1, 0},
    {"squeeze_", 0, 2, 0},
    {"unsqueeze_", 0, 1, 0},
    {"as_strided_", 0, 1, 0},
    {"median_of_all", 1, 0, 0},
    {"nanmedian_of_all", 1, 0, 0},
    {"quantile of all", 0, 1, 0},
    {"pdist", 1, 0, 0},
    {"hinge_embedding_loss", 0, 1, 0},
    {"margin_ranking_loss", 0, 1, 0},
    {"cosine_embedding_loss", 0, 1, 0},
    {"multi_margin_loss", 0, 1, 0},
    {"multilabel_margin_loss", 0, 1, 0},
    {"batch_norm as a function", 1, 0, 0},
    {"adaptive_avg_pool1d", 1, 0, 0},
    {"embedding_bag", 0, 1, 0},
    {"embedding_bag of means", 0, 1, 0},
    {"embedding_bag of maxima", 0, 1, 0},
    {"cov", 0, 1, 0},
};

BOOST_AUTO_TEST_SUITE(vmap_table)

BOOST_AUTO_TEST_CASE(every_row) {
  func::warn_of_loops(false);
  std::vector<NotByRules> met;
  for (const Row& row : operation_table()) {
    BOOST_TEST_CONTEXT(row.name) {
      Way way = Way::Refused;
      try {
        way = check_row(row);
      } catch (const std::exception& error) {
        BOOST_ERROR(error.what());
      }
      if (way == Way::Rules) continue;
      auto of = std::ranges::find(met, row.name, &NotByRules::row);
      if (of == met.end()) of = met.insert(met.end(), {row.name});
      of->some += way == Way::SomeByExamples;
      of->functions += way == Way::FunctionByExamples;
      of->refused += way == Way::Refused;
    }
  }
  func::warn_of_loops(true);
  for (const NotByRules& of : met) {
    BOOST_TEST(std::ranges::count(kNotByRules, of) == 1, "not by rules, and not known so: " << of);
  }
  for (const NotByRules& of : kNotByRules) {
    BOOST_TEST(std::ranges::count(met, of) == 1, "known not to go by rules, and it is otherwise now: " << of);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace gradus::test
