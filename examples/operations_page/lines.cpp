#include "lines.h"

#include <algorithm>
#include <map>
#include <set>

#include "formula_text.h"
#include "reading.h"

namespace page {
namespace {

bool is_condition(const Term& t) {
  static const std::set<std::string> kConditions = {
      "==", "!=",          "<",          ">",           "<=",    ">=",    "&&",      "||",
      "!",  "logical_and", "logical_or", "logical_not", "isnan", "isinf", "isfinite"};
  return kConditions.contains(t->text);
}

std::string left_of(const Definition& d) {
  if (d.parameters.empty()) return d.name.find(", ") == std::string::npos ? name_text(d.name) : "(" + d.name + ")";
  std::string inner;
  for (const std::string& p : d.parameters) inner += (inner.empty() ? "" : ", ") + (p.empty() ? "_" : name_text(p));
  return name_text(d.name) + "(" + inner + ")";
}

std::string with_gradients(std::string text) {  // dL/dx is dx
  for (std::size_t at = text.find("dL/d"); at != std::string::npos; at = text.find("dL/d")) text.erase(at, 3);
  return text;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& n : names) text += (text.empty() ? "" : ", ") + n;
  return text;
}

// An operation's lines, behind its names: the result's formula, then each input's gradient; what their names stand for is
// indented further.
std::string entry_of(const Operation& op) {
  std::vector<std::string> results = op.results, arriving = op.arriving, inputs = op.inputs;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].empty()) inputs[i] = "x" + (i == 0 ? "" : std::to_string(i));
  }
  const auto lines = [](const std::vector<Line>& all) {
    std::string text;
    for (const Line& l : all)
      text += (text.empty() ? "  " : "    ") + l.formula + (l.prose.empty() ? "" : ": " + plain(l.prose)) + "\n";
    return text;
  };
  const std::vector<Line> forward = lines_of(op.forward);
  std::string text = op.name + "(" + joined(inputs) + (op.variadic ? ", ..." : "") + ")";
  if (!results.empty() || !arriving.empty()) {
    const std::size_t count = std::max(results.size(), arriving.size());
    results.resize(count), arriving.resize(count);
    bool usual = true;
    for (std::size_t k = 0; k < count; ++k) {
      if (results[k].empty()) results[k] = k == 0 ? "y" : "y" + std::to_string(k);
      if (arriving[k].empty()) arriving[k] = "d" + results[k];
      usual &= arriving[k] == "d" + results[k];
    }
    if (count > 1 || results[0] != "y" || !usual) text += " -> " + joined(results);
    if (!usual) text += " <- " + joined(arriving);
  }
  text += "\n" + (forward.empty() ? "  ?\n" : lines(forward));
  for (const Gradient& g : op.said.empty() ? op.gradients : op.said) {
    if (g.none || g.refused)
      text += std::string("  ") + (g.none ? "none\n" : "refused\n");
    else
      text += g.shown.empty() || !g.shown.code.empty() ? "  ?\n" : lines(lines_of(g.shown));
  }
  return text;
}

}  // namespace

std::vector<Line> lines_of(const Shown& s) {
  if (!s.comment.empty()) {
    std::vector<Line> lines = {{with_gradients(s.comment)}};
    for (const std::string& f : s.further) lines.push_back({f});
    return lines;
  }
  if (!s.formula) return {};
  Formula all = *s.formula;
  for (const Definition& h : s.helpers) all.definitions.push_back(h);
  const bool matrices = has_matrices(all);
  std::vector<Line> lines = {{s.left + " = " + text_of(s.formula->value, matrices)}};
  for (const Definition& d : all.definitions) {
    if (d.prose == "-") continue;
    if (d.prose.empty())
      lines.push_back({left_of(d) + (is_condition(d.value) ? " ⇔ " : " = ") + text_of(d.value, matrices)});
    else
      lines.push_back({left_of(d), d.prose});
  }
  return lines;
}

std::string table_of(const Catalogue& catalogue) {
  std::map<std::string, std::string> entries;
  for (const Operation* op : catalogue.operations()) {
    const std::string inputs = op->variadic ? "-1" : std::to_string(op->inputs.size());
    entries.emplace(op->name + "/" + inputs, entry_of(*op));
  }
  std::string text;
  for (const auto& [key, entry] : entries) text += (text.empty() ? "" : "\n") + entry;
  return text;
}

}  // namespace page
