#include "check_report.h"

#include <algorithm>
#include <cmath>
#include <ostream>
#include <span>

#include "../../core/base/fail.h"

namespace gradus::autograd {

namespace {

constexpr std::size_t kWidth = 100;

// Lines of at most kWidth columns, broken between words; all but the first are indented further.
void wrap(std::string& out, const std::string& text, std::size_t indent) {
  std::string line(indent, ' ');
  bool empty = true;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of(" \n", at), text.size());
    const std::string word = text.substr(at, end - at);
    at = end + 1;
    if (word.empty()) continue;
    if (!empty && line.size() + 1 + word.size() > kWidth) {
      out += line + '\n';
      line.assign(indent + 2, ' ');
      empty = true;
    }
    if (!empty) line += ' ';
    line += word;
    empty = false;
  }
  out += line + '\n';
}

std::string number(double value) { return std::isnan(value) ? "-" : fmt::format("{:.6g}", value); }
std::string error_text(double error) { return std::isnan(error) ? "-" : fmt::format("{:.1e}", error); }

// The larger error; a missing one (NaN) gives way to any.
double larger(double a, double b) { return std::isnan(a) || b > a ? b : a; }

std::string shortened(const std::string& name, std::size_t width) {
  return name.size() <= width ? name : fmt::format("..{}", std::string_view(name).substr(name.size() - width + 2));
}

bool same_line(const CheckRow& a, const CheckRow& b) {
  return a.variable == b.variable && a.order == b.order && a.verdict == b.verdict && a.hint == b.hint;
}

// The row to show of several: the one that is worst.
const CheckRow& worst_of(std::span<const CheckRow> rows) {
  return *std::max_element(rows.begin(), rows.end(), [](const CheckRow& a, const CheckRow& b) {
    return larger(larger(a.hand_graph, a.hand_finite), 0) < larger(larger(b.hand_graph, b.hand_finite), 0);
  });
}

void print_detail(std::string& out, const CheckRow& row, bool formulas_only) {
  if (row.has_worst) {
    std::string text = row.index.empty() ? "" : fmt::format("worst at {}: ", core::to_string(row.index));
    text += formulas_only ? fmt::format("formula {}", number(row.hand))
                          : fmt::format("hand {}, graph {}", number(row.hand), number(row.graph));
    if (row.order != 0) text += fmt::format(", finite {}", number(row.finite));
    wrap(out, text, 4);
  }
  if (!row.hint.empty()) wrap(out, row.hint, 4);
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  constexpr std::string_view texts[] = {"agree",
                                        "agree (finite too coarse)",
                                        "zero: proves nothing",
                                        "HAND is the odd one out",
                                        "GRAPH is the odd one out",
                                        "FINITE is the odd one out",
                                        "NONE AGREE",
                                        "HAND AND GRAPH DIFFER",
                                        "ERROR",
                                        "FORMULA AND FINITE DIFFER",
                                        "DEPENDS ON THE LAYOUT"};
  return texts[static_cast<std::size_t>(verdict)];
}

bool CheckReport::ok() const noexcept {
  bool proven = false;
  for (const CheckRow& row : rows) {
    if (!row.ok()) return false;
    proven = proven || (row.order == 1 && row.verdict != Verdict::Zero);
  }
  return proven;
}

bool CheckReport::explains(std::string_view text) const noexcept {
  return std::any_of(rows.begin(), rows.end(),
                     [text](const CheckRow& row) { return !row.ok() && row.hint.find(text) != std::string::npos; });
}

std::string CheckReport::to_string() const {
  std::size_t width = 8;
  for (const CheckRow& row : rows) width = std::max(width, row.variable.size());
  width = std::min<std::size_t>(width, 27);
  std::string out;
  wrap(out, title, 0);
  wrap(out,
       formulas_only
           ? "no rule takes part: the formulas (hand) against finite differences; error: max|a-b| / max|b|"
           : "hand: as written; graph: the reference differentiated; finite: differences; error: max|a-b| / max|b|",
       0);
  const auto line = [&](const auto& name, const auto& order, const auto& upstream, const auto& hand_graph,
                        const auto& hand_finite, const auto& verdict) {
    out += fmt::format("{:<{}}  {:>5}  {:<12}  {:>10}  {:>11}  {}\n", name, width, order, upstream, hand_graph,
                       hand_finite, verdict);
  };
  line("variable", "order", "upstream", "hand-graph", "hand-finite", "verdict");
  std::size_t bad = 0, zero = 0;
  for (std::size_t i = 0; i < rows.size();) {
    const auto is_other_variable = [&](const CheckRow& r) {
      return r.variable != rows[i].variable || r.order != rows[i].order;
    };
    const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(i);
    const bool first = i == 0 || is_other_variable(rows[i - 1]);
    const auto same = std::find_if(begin, rows.end(), [&](const CheckRow& r) { return !same_line(r, rows[i]); });
    const bool all = first && (same == rows.end() || is_other_variable(*same));
    const std::span<const CheckRow> group(begin, same);
    const CheckRow& shown = worst_of(group);
    double hand_graph = shown.hand_graph, hand_finite = shown.hand_finite;
    for (const CheckRow& row : group) {
      hand_graph = larger(hand_graph, row.hand_graph);
      hand_finite = larger(hand_finite, row.hand_finite);
      bad += row.ok() ? 0 : 1;
      zero += row.verdict == Verdict::Zero ? 1 : 0;
    }
    const std::string upstream = group.size() == 1 ? shown.upstream
                                 : all             ? "all"
                                                   : fmt::format("{} layouts", group.size());
    // How zeros differ relative to zeros says nothing.
    if (shown.verdict == Verdict::Zero) hand_graph = hand_finite = std::numeric_limits<double>::quiet_NaN();
    const bool named = i != 0 && rows[i - 1].variable == shown.variable;
    line(named ? "" : shortened(shown.variable, width), shown.order, upstream, error_text(hand_graph),
         error_text(hand_finite), autograd::to_string(shown.verdict));
    if (!shown.ok()) print_detail(out, shown, formulas_only);
    i += group.size();
  }
  for (const std::string& note : notes) wrap(out, note, 0);
  if (bad != 0)
    out += fmt::format("NOT OK: {} of {} comparisons disagree\n", bad, rows.size());
  else if (!ok())
    out += "NOT OK: no gradient here proves anything\n";
  else if (zero != 0)
    out += fmt::format("ok: {} comparisons agree, {} are of zeros\n", rows.size() - zero, zero);
  else
    out += fmt::format("ok: all {} comparisons agree\n", rows.size());
  return out;
}

std::ostream& operator<<(std::ostream& stream, const CheckReport& report) { return stream << report.to_string(); }

}  // namespace gradus::autograd
