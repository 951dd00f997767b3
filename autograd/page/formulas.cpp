#include "formulas.h"

#include <algorithm>
#include <cstddef>
#include <map>

#include "../graph/operation_support.h"
#include "../../core/base/embed.h"
#include "markup.h"

GRADUS_EMBED(gradus_page_formulas, GRADUS_PAGE_FORMULAS);

namespace gradus::autograd::detail {

namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string_view next_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}
std::vector<std::string> list_of(std::string_view text) {  // "a, b"
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(", "), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 2, text.size()));
  }
  return parts;
}

// "dx = ..", "x_hat = ..", "f(x, t) = ..", or none.
bool begins_equation(std::string_view rest) {
  while (rest.starts_with(' ') || rest.starts_with('\n')) rest.remove_prefix(1);
  if (rest == "none" || rest.starts_with("none,") || rest.starts_with("none;")) return true;
  int depth = 0;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const char c = rest[i];
    depth += c == '(' || c == '{' || c == '[' ? 1 : c == ')' || c == '}' || c == ']' ? -1 : 0;
    if (depth < 0) return false;
    if (depth == 0 && (c == ',' || c == ';')) return false;
    if (depth == 0 && c == ' ') return rest.substr(i).starts_with(" = ");
  }
  return false;
}

// The lines of an entry behind its first.
FormulaText parse_entry(std::string_view head, std::string_view lines) {
  FormulaText f;
  const std::size_t open = head.find('('), close = head.find(')');
  f.inputs = list_of(head.substr(open + 1, close - open - 1));
  if (!f.inputs.empty() && f.inputs.back() == "...") f.inputs.pop_back();
  const std::size_t gives = head.find(" -> "), takes = head.find(" <- ");
  if (gives != std::string_view::npos) {
    const std::size_t end = std::min(takes, head.size());
    f.results = list_of(head.substr(gives + 4, end - gives - 4));
  }
  if (takes != std::string_view::npos) f.arriving = list_of(head.substr(takes + 4));
  bool forward = true;
  Equations* last = nullptr;
  while (!lines.empty()) {
    const std::string_view line = next_line(lines);
    if (line.starts_with("    ")) {
      if (last != nullptr) last->where.emplace_back(line.substr(4));
      continue;
    }
    const std::string_view text = line.substr(2);
    const bool absent = text == "none" || text == "refused" || text == "?";
    std::optional<Equations>& to = forward ? f.forward : f.gradients.emplace_back();
    if (!forward) f.without.emplace_back(absent ? text : std::string_view());
    forward = false;
    if (!absent) to = Equations{std::string(text)};
    last = to ? &*to : nullptr;
  }
  return f;
}

struct Entry {
  std::string_view head, lines;
};
// By name, in the order of the file.
const std::multimap<std::string_view, Entry>& table() {
  static const std::multimap<std::string_view, Entry> entries = [] {
    std::multimap<std::string_view, Entry> all;
    std::string_view text(gradus_page_formulas, gradus_page_formulas_size);
    while (!text.empty()) {
      const std::size_t end = std::min(text.find("\n\n"), text.size());
      std::string_view entry = text.substr(0, end);
      text.remove_prefix(std::min(end + 2, text.size()));
      const std::string_view head = next_line(entry);
      while (entry.ends_with('\n')) entry.remove_suffix(1);
      all.emplace(head.substr(0, head.find('(')), Entry{head, entry});
    }
    return all;
  }();
  return entries;
}

// "x" of "dx", "dx[i]", "dx_i"; empty for what is no gradient: of a letter, or of a name that was mentioned `before`.
std::string_view gradient_of(std::string_view left, std::string_view before) {
  if (left.size() < 2 || left[0] != 'd') return {};
  const std::string_view name = left.substr(1, left.find_first_of("[( ") - 1);
  const bool subscript = name.size() == 3 && name[1] == '_' && name[2] >= 'a';  // of an element
  if (!subscript && before.find(name) != std::string_view::npos) return name;
  if (name.size() == 1 && is_letter(name[0])) return name;
  return name.find('_') == 1 ? name.substr(0, 1) : std::string_view();
}

// What the program knows of an operation: of this number of inputs, or of any.
std::optional<OperationInfo> info_of(std::string_view name, int inputs) {
  std::optional<OperationInfo> found;
  for (OperationInfo& info : operations()) {
    if (info.name != name) continue;
    if (info.inputs == inputs || info.inputs == -1 || inputs == -1 || !found) found = std::move(info);
    if (found->inputs == inputs) break;
  }
  return found;
}

std::string kind_of(std::string_view name, Elements elements) {
  // What no declaration says: a row meets a column, and windows.
  static constexpr std::string_view kProducts[] = {"matmul", "linear", "addmm"};
  static constexpr std::string_view kWindows[] = {
      "conv", "conv_transpose", "max_pool", "avg_pool", "adaptive_avg_pool2d", "im2col", "col2im", "unfold", "fold"};
  if (std::find(std::begin(kProducts), std::end(kProducts), name) != std::end(kProducts)) return "product";
  if (std::find(std::begin(kWindows), std::end(kWindows), name) != std::end(kWindows)) return "window";
  switch (elements) {
    case Elements::kEach:
      return "elementwise";
    case Elements::kReduced:
      return "reduction";
    case Elements::kLine:
      return "along";
    case Elements::kMatrices:
      return "matrices";
    case Elements::kView:
      return "view";
    case Elements::kMoved:
      return "move";
    case Elements::kOther:
      break;
  }
  return "other";
}

std::string math(const Equations& equations, const Marks& marks) {
  if (equations.where.empty()) return "<math display=\"block\">" + math_of(equations.formula, marks) + "</math>";
  std::string rows = "<mtr><mtd>" + math_of(equations.formula, marks) + "</mtd></mtr>";
  for (const std::string& line : equations.where) {
    const std::size_t colon = line.find("): ");  // words about a function
    rows += "<mtr><mtd><mrow><mtext>where&#xA0;</mtext>";
    if (colon == std::string::npos)
      rows += math_of(line, marks);
    else
      rows += math_of(line.substr(0, colon + 1), marks) + "<mtext>: " + escaped(line.substr(colon + 3)) + "</mtext>";
    rows += "</mrow></mtd></mtr>";
  }
  return "<math display=\"block\"><mtable class=\"where\" displaystyle=\"true\">" + rows + "</mtable></math>";
}

Marks marks_of(const OperationFormula& f, const std::vector<std::string>& arriving) {
  Marks marks;
  const auto add = [&](const std::string& name, const char* what, const std::string& value) {
    const bool there = std::any_of(marks.begin(), marks.end(), [&](const auto& m) { return m.first == name; });
    if (!name.empty() && !there) marks.emplace_back(name, std::string(what) + "=\"" + escaped(value) + "\"");
  };
  for (std::size_t i = 0; i < f.inputs.size(); ++i) add(f.inputs[i], "data-in", std::to_string(i));
  for (std::size_t k = 0; k < f.outputs.size(); ++k) {
    add(f.outputs[k], "data-out", std::to_string(k));
    add(k < arriving.size() ? arriving[k] : "d" + f.outputs[k], "data-dy", std::to_string(k));
  }
  for (std::size_t i = 0; i < f.inputs.size(); ++i) add("d" + f.inputs[i], "data-dx", std::to_string(i));
  for (const std::string& name : f.attributes) {
    add(name, "data-attr", name);
    if (name == "value") add("c", "data-attr", name);  // a number in an operand's place
    if (name == "dim") add("dims", "data-attr", name);
  }
  return marks;
}

}  // namespace

std::string_view left_side(std::string_view equation) {
  const std::size_t at = equation.find(" = ");
  if (at == std::string_view::npos) return {};
  std::string_view left = equation.substr(0, at);
  while (left.starts_with(' ') || left.starts_with('\n')) left.remove_prefix(1);
  while (left.ends_with(' ')) left.remove_suffix(1);
  return left;
}

std::vector<std::string_view> equations(std::string_view text) {
  std::vector<std::string_view> parts;
  int depth = 0;
  std::size_t start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    depth += c == '(' || c == '{' || c == '[' ? 1 : c == ')' || c == '}' || c == ']' ? -1 : 0;
    if (depth > 0 || (c != ',' && c != ';' && c != '\n')) continue;
    // A comma stands within an equation, too: what follows has to be one.
    const std::string_view rest = text.substr(i + 1);
    if (c == ',' && !begins_equation(rest)) continue;
    parts.push_back(text.substr(start, i - start));
    start = i + 1;
  }
  parts.push_back(text.substr(start));
  for (std::string_view& p : parts) {
    while (p.starts_with(' ') || p.starts_with('\n')) p.remove_prefix(1);
    while (p.ends_with(' ') || p.ends_with('\n')) p.remove_suffix(1);
  }
  std::erase_if(parts, [](std::string_view p) { return p.empty(); });
  return parts;
}

FormulaText parse_formula(std::string_view formula) {
  FormulaText f;
  Equations* last = nullptr;
  for (const std::string_view equation : equations(formula)) {
    const std::string_view before = formula.substr(0, static_cast<std::size_t>(equation.data() - formula.data()));
    const std::string_view left = left_side(equation);
    if (!f.forward) {
      f.forward = Equations{std::string(equation)};
      if (left.starts_with('(') && left.ends_with(')'))
        f.results = list_of(left.substr(1, left.size() - 2));
      else
        f.results = {std::string(left.substr(0, left.find_first_of("[(_ ")))};
      last = &*f.forward;
      continue;
    }
    if (equation == "none") {
      f.inputs.emplace_back();
      f.gradients.emplace_back();
      f.without.emplace_back(equation);
      last = nullptr;
    } else if (const std::string_view of = gradient_of(left, before); !of.empty()) {
      f.inputs.emplace_back(of);
      f.gradients.emplace_back(Equations{std::string(equation)});
      f.without.emplace_back();
      last = &*f.gradients.back();
    } else if (last != nullptr) {
      last->where.emplace_back(equation);
    }
  }
  for (std::string& result : f.results) {
    if (result.empty()) result = "y";
    f.arriving.push_back("d" + result);
  }
  return f;
}

std::optional<FormulaText> known_formula(std::string_view name, int inputs) {
  const auto [first, last] = table().equal_range(name);
  std::optional<FormulaText> found;
  for (auto entry = first; entry != last; ++entry) {
    FormulaText f = parse_entry(entry->second.head, entry->second.lines);
    const bool fits = static_cast<int>(f.inputs.size()) == inputs;
    if (fits || !found) found = std::move(f);
    if (fits) break;
  }
  return found;
}

namespace {

// The reader goes into itself for each bracket: what is nested deeper than this has no formula.
bool is_readable(std::string_view formula) {
  constexpr int kDeepest = 100;
  int depth = 0, others = 0;
  for (const char c : formula) {
    depth += c == '(' || c == '[' || c == '{' ? 1 : c == ')' || c == ']' || c == '}' ? -1 : 0;
    others += c == '|' || c == '^' || c == '-' || c == '/' || c == '_' || static_cast<unsigned char>(c) > 127 ? 1 : 0;
    if (depth > kDeepest || others > 10 * kDeepest) return false;
  }
  return true;
}

}  // namespace

std::optional<OperationFormula> formula_of(std::string_view name, int inputs, std::string_view said) {
  std::optional<OperationInfo> info = info_of(name, inputs);
  if (!info && name.ends_with('_')) {
    name.remove_suffix(1);
    info = info_of(name, inputs);
  }
  if (!info && said.empty()) return std::nullopt;
  OperationFormula f;
  f.kind = kind_of(name, info ? info->elements : Elements::kOther);
  if (info) f.attributes = info->attributes;
  std::optional<FormulaText> text;
  const std::string_view own = said.empty() ? std::string_view(info->formula) : said;
  if (!own.empty()) {
    if (is_readable(own)) text = parse_formula(own);
  } else {
    text = known_formula(name, inputs == -1 ? info->inputs : inputs);
  }
  std::size_t count = static_cast<std::size_t>(std::max(0, inputs >= 0 ? inputs : info ? info->inputs : 0));
  if (text) {
    f.inputs = text->inputs;
    f.outputs = text->results.empty() ? std::vector<std::string>{"y"} : text->results;
    if (inputs < 0) count = std::max(count, f.inputs.size());
  }
  f.inputs.resize(count);
  f.gradients.resize(count);
  if (!text) return f;
  const Marks marks = marks_of(f, text->arriving);
  if (text->forward) f.forward = math(*text->forward, marks);
  for (std::size_t i = 0; i < std::min(count, text->gradients.size()); ++i) {
    if (text->gradients[i]) f.gradients[i] = math(*text->gradients[i], marks);
  }
  return f;
}

}  // namespace gradus::autograd::detail
