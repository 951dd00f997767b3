#include "check_differences.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "../../core/ops/pointwise.h"

namespace gradus::autograd::detail {

using core::Array;
using core::Shape;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double max_abs(const Numbers& x) {
  double largest = 0;
  for (double v : x) largest = std::isfinite(v) ? std::max(largest, std::abs(v)) : kInfinity;
  return largest;
}

// max|a - b|, and where.
double max_difference(const Numbers& a, const Numbers& b, std::size_t* at = nullptr) {
  double largest = -1;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = std::isfinite(a[i] - b[i]) ? std::abs(a[i] - b[i]) : kInfinity;
    if (d <= largest) continue;
    largest = d;
    if (at != nullptr) *at = i;
  }
  return std::max(largest, 0.0);
}

// The measure: max|a - b| / max|b|.
double error(const Numbers& a, const Numbers& b) {
  const double difference = max_difference(a, b), size = max_abs(b);
  if (difference == 0) return 0;
  return std::isfinite(difference) && std::isfinite(size) ? difference / size : kInfinity;
}

std::vector<std::int64_t> index_of(std::size_t flat, const Shape& shape) {
  std::vector<std::int64_t> index(static_cast<std::size_t>(shape.size()));
  auto rest = static_cast<std::int64_t>(flat);
  for (int d = shape.size() - 1; d >= 0; --d) {
    index[static_cast<std::size_t>(d)] = rest % shape[d];
    rest /= shape[d];
  }
  return index;
}

Array expanded(const Shape& shape, core::Generator& random) {
  if (shape.empty()) return draw_normal(shape, random);
  const int dim = shape.size() > 1 ? 1 : 0;
  Shape one = shape;
  one[dim] = std::min<std::int64_t>(1, one[dim]);
  return copy_as_laid_out(draw_normal(one, random).expand(shape));
}

Array array_of(const Numbers& numbers, const Shape& shape) { return core::from_data(numbers.data(), shape, kFloat64); }

std::string explained(const Mentions& m, const char* wrong_name, const Array& wrong, const char* right_name,
                      const Array& right, double tolerance) {
  return explain({wrong, right, wrong_name, right_name, tolerance, m.tensors, m.terms, m.numbers});
}

// A hand-written or graph-derived gradient is exact but for rounding, finite differences to about seven digits.
constexpr double kExact = 1e-8, kSevenDigits = 1e-5;

}  // namespace

Array draw_normal(const Shape& shape, core::Generator& random) {
  return core::randn(shape, kFloat64, random.take(core::words_of(shape, kFloat64)));
}

std::vector<Upstream> draw_upstreams(const std::vector<Tensor>& y, core::Generator& random) {
  Upstream contiguous{"contiguous", {}}, other{"transposed", {}}, wide{"expanded", {}};
  std::int64_t dims = 0;
  for (const Tensor& t : y) {
    dims = std::max(dims, t.dim());
    contiguous.dy.push_back(draw_normal(t.sizes(), random));
    other.dy.push_back(transposed(contiguous.dy.back()));
    wide.dy.push_back(expanded(t.sizes(), random));
  }
  std::vector<Upstream> all = {contiguous};
  other.name = transposed_name(dims);
  if (dims > 0) all.insert(all.end(), {other, wide});
  std::vector<std::size_t> differentiable;
  for (std::size_t k = 0; k < y.size(); ++k) {
    if (y[k].requires_grad()) differentiable.push_back(k);
  }
  if (differentiable.size() < 2) return all;
  for (const std::size_t k : differentiable) {
    Upstream alone{fmt::format("output {}", k), std::vector<Array>(y.size())};
    alone.dy[k] = contiguous.dy[k];
    all.push_back(alone);
  }
  return all;
}

Directions::Directions(Array x, std::int64_t every_element, core::Generator& random) : x_(std::move(x)) {
  if (x_.numel() <= every_element) return;
  for (int i = 0; i < 4; ++i) random_.push_back(draw_normal(x_.shape(), random));
}

double Directions::moved(std::size_t k, double step, Array& up, Array& down) const {
  if (!every_element()) {
    up = core::add_scaled(x_, random_[k], step);
    down = core::add_scaled(x_, random_[k], -step);
    return 2 * step;
  }
  up = x_.clone();
  down = x_.clone();
  double& high = up.data_ptr<double>()[k];
  double& low = down.data_ptr<double>()[k];
  high += step;
  low -= step;
  return high - low;  // what rounding made of 2 step
}

Numbers Directions::components(const Array& gradient) const {
  Numbers all, along;
  append_numbers(all, gradient);
  if (every_element()) return all;
  for (const Array& direction : random_) {
    Numbers d;
    append_numbers(d, direction);
    double sum = 0;
    for (std::size_t i = 0; i < d.size(); ++i) sum += d[i] * all[i];
    along.push_back(sum);
  }
  return along;
}

std::vector<Difference> Sweep::differences(const std::vector<Numbers>& weights, double factor) const {
  const double step = eps * factor;
  std::vector<Difference> all(weights.size());
  for (std::size_t w = 0; w < weights.size(); ++w) {
    for (std::size_t j = 0; j < f0.size(); ++j) all[w].size += std::abs(weights[w][j] * f0[j]);
    all[w].rounding = 4 * std::numeric_limits<double>::epsilon() * all[w].size / step;
  }
  for (std::size_t k = 0; k < x.count(); ++k) {
    Array up, down;
    const double span = x.moved(k, step, up, down);
    const Numbers high = f(up), low = f(down);
    for (std::size_t w = 0; w < weights.size(); ++w) {
      double sum = 0, absolute = 0, bend = 0;
      for (std::size_t j = 0; j < f0.size(); ++j) {
        // Differences before sums: what does not change takes no part, its rounding included.
        const double term = weights[w][j] * (high[j] - low[j]);
        sum += term;
        absolute += std::abs(term);
        bend += weights[w][j] * (high[j] - f0[j] - (f0[j] - low[j]));
      }
      Difference& d = all[w];
      d.value.push_back(sum / span);
      d.scale = std::max(d.scale, absolute / span);
      if (2 * std::abs(bend) / span > d.jump) {
        d.jump = 2 * std::abs(bend) / span;
        d.kink = k;
      }
    }
  }
  return all;
}

namespace {

CheckRow judged_once(const std::string& name, int order, const Array& hand, const Array& graph,
                     const Directions& directions, const Difference& finite, const Mentions& m) {
  Numbers h, g;
  append_numbers(h, hand);
  append_numbers(g, graph);
  const Numbers h_along = directions.components(hand), g_along = directions.components(graph);
  CheckRow row;
  row.variable = name;
  row.order = order;
  row.hand_graph = error(h, g);
  row.hand_finite = error(h_along, finite.value);
  const bool hand_graph = m.formulas_only || row.hand_graph <= m.options.hand_graph;
  const bool near_hand = row.hand_finite <= m.options.hand_finite;
  const bool hand_finite = near_hand || max_difference(h_along, finite.value) <= finite.rounding;
  const bool graph_finite =
      error(g_along, finite.value) <= m.options.hand_finite || max_difference(g_along, finite.value) <= finite.rounding;

  const double nothing = m.options.hand_graph * (finite.scale + finite.size);
  const bool zero = max_abs(h) <= nothing && max_abs(g) <= nothing &&
                    max_abs(finite.value) <= m.options.hand_finite * finite.scale + finite.rounding;
  if (zero)
    row.verdict = Verdict::Zero;
  else if (hand_graph && hand_finite)
    row.verdict = near_hand ? Verdict::Agree : Verdict::Coarse;
  else if (hand_graph && m.formulas_only)
    row.verdict = Verdict::FormulaOdd;
  // At second order hand and graph may both go through the reference: finite differences are then the better witness.
  else if (hand_graph)
    row.verdict = order == 2                            ? Verdict::GraphOdd
                  : m.shared.empty() || max_abs(h) == 0 ? Verdict::FiniteOdd
                                                        : Verdict::FormulaOdd;
  else if (hand_finite)
    row.verdict = graph_finite ? Verdict::Apart : Verdict::GraphOdd;
  else
    row.verdict = graph_finite ? Verdict::HandOdd : Verdict::NoneAgree;
  if (m.formulas_only) row.hand_graph = std::numeric_limits<double>::quiet_NaN();
  if (row.ok()) return row;

  const bool each = directions.every_element();
  std::size_t at = 0;
  if (hand_graph && each)
    max_difference(h, finite.value, &at);
  else
    max_difference(h, g, &at);
  row.has_worst = !h.empty();
  if (row.has_worst) {
    row.index = index_of(at, directions.shape());
    row.hand = h[at];
    row.graph = g[at];
    if (each) row.finite = finite.value[at];
  }
  const Array right = each ? array_of(finite.value, directions.shape()) : Array();
  const bool kinked = each && finite.jump > 1e-3 * max_abs(finite.value);
  if (kinked && row.verdict == Verdict::FormulaOdd) row.verdict = Verdict::FiniteOdd;
  switch (row.verdict) {
    case Verdict::HandOdd:
      row.hint = explained(m, "hand", hand, "graph", graph, kExact);
      break;
    case Verdict::GraphOdd:
      if (!hand_graph)
        row.hint = explained(m, "graph", graph, "hand", hand, kExact);
      else
        row.hint =
            "the reference's gradient is not what the hand-written gradient's differences say: does its graph leave "
            "something out? " +
            (each ? explained(m, "graph", graph, "finite", right, kSevenDigits) : "");
      break;
    case Verdict::FiniteOdd:
      if (kinked) {
        row.hint =
            fmt::format("the function has a kink at {}: its one-sided derivatives differ by {:.3g}; move the input",
                        core::to_string(index_of(finite.kink, directions.shape())), finite.jump);
      } else if (max_abs(h) == 0) {
        row.hint =
            "zero by hand and by the graph, yet the output depends on it: if it is a constant by design, name it in "
            "CheckOptions::constants";
      } else if (each) {
        row.hint = explained(m, "hand and graph", hand, "finite", right, kSevenDigits);
      }
      break;
    case Verdict::FormulaOdd:
      if (each)
        row.hint = explained(m, m.formulas_only ? "formula" : "hand and graph", hand, "finite", right, kSevenDigits);
      if (!m.formulas_only) {
        row.hint += fmt::format("{}hand and graph have formulas in common: is that of {} wrong?",
                                row.hint.empty() ? "" : "; ", m.shared);
      }
      break;
    case Verdict::NoneAgree:
      if (each) {
        const std::string by_hand = explained(m, "hand", hand, "finite", right, kSevenDigits);
        const std::string by_graph = explained(m, "graph", graph, "finite", right, kSevenDigits);
        row.hint = by_hand + (by_hand.empty() || by_graph.empty() ? "" : "; ") + by_graph;
      }
      break;
    default:
      row.hint = "both within reach of finite differences: rounding, or a small mistake in either";
  }
  return row;
}

}  // namespace

CheckRow judged(const std::string& name, int order, const Array& hand, const Array& graph, const Sweep& sweep,
                const Numbers& weight, Difference finite, const Mentions& m) {
  const CheckRow row = judged_once(name, order, hand, graph, sweep.x, finite, m);
  if (row.ok()) return row;
  finite.rounding += 4 * max_difference(finite.value, sweep.differences({weight}, 2)[0].value);
  return judged_once(name, order, hand, graph, sweep.x, finite, m);
}

CheckRow judged_values(const std::string& name, const Array& hand, const Array& graph, const Mentions& m) {
  Numbers h, g;
  append_numbers(h, hand);
  append_numbers(g, graph);
  CheckRow row;
  row.variable = name;
  row.order = 0;
  row.upstream = "-";
  row.hand_graph = error(h, g);
  row.hand_finite = std::numeric_limits<double>::quiet_NaN();
  if (row.hand_graph <= m.options.hand_graph) return row;
  row.verdict = Verdict::Apart;
  std::size_t at = 0;
  max_difference(h, g, &at);
  row.has_worst = true;
  row.index = index_of(at, hand.shape());
  row.hand = h[at];
  row.graph = g[at];
  row.hint = "forward and reference compute different values";
  const std::string why = explained(m, "graph", graph, "hand", hand, kExact);
  if (!why.empty()) row.hint += ": " + why;
  return row;
}

}  // namespace gradus::autograd::detail
