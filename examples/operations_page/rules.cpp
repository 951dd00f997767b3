// Rules: what their comments and references say.
#include <algorithm>

#include "catalogue.h"
#include "reading.h"

namespace page {
namespace {

// The columns of a table in a comment that belong to a name: `relu:  y = x above 0    dL/dx = ..`, and lines that go on.
std::vector<std::string> columns_of(const std::string& head, const std::string& name) {
  std::vector<std::string> columns;
  bool mine = false;
  for (std::size_t start = 0; start < head.size();) {
    const std::size_t end = std::min(head.find('\n', start), head.size());
    std::string_view line = std::string_view(head).substr(start, end - start);
    start = end + 1;
    const std::size_t first = line.find_first_not_of(' ');
    if (first == std::string_view::npos) {
      mine = false;
      continue;
    }
    line.remove_prefix(first);
    const std::size_t colon = line.find(": ");
    const bool named = colon != std::string_view::npos && colon < line.find(' ');
    if (named) mine = line.substr(0, colon) == name;
    if (!mine) continue;
    if (named) line.remove_prefix(colon + 1);
    if (!named && first < 6) {
      mine = false;
      continue;
    }
    while (!line.empty()) {
      while (line.starts_with(' ')) line.remove_prefix(1);
      const std::size_t gap = std::min(line.find("   "), line.size());
      columns.emplace_back(line.substr(0, gap));
      line.remove_prefix(gap);
    }
  }
  return columns;
}

}  // namespace

void Catalogue::read_rule(Operation& op, const Item& item) {
  const Item* backward = item.member("backward");
  int read = 0;
  for (const Range& p : split_list(backward->parameters)) {
    const Asked a = asked(p);
    read += a.what == "Dy" || a.what == "In" || a.what == "Out";
    if (a.what == "In") op.keeps.push_back(a.name);
    if (a.what == "Out") op.keeps.push_back("the result " + a.name);
  }
  int written = 0;  // std::array<Array, N>
  for (std::size_t i = 0; i < backward->whole.size() && backward->whole[i].text != "("; ++i) {
    if (backward->whole[i].kind == Token::Kind::Number) written = std::stoi(std::string(backward->whole[i].text));
  }
  op.backward_passes = {static_cast<double>(read + 1), static_cast<double>(read + std::max(written, 1))};
  const auto reference = functions_.find(item.name + "::reference");
  if (reference != functions_.end()) {
    op.reference.left = "y";
    std::set<std::string> attributes;
    for (const Range& p : split_list(reference->second[0]->parameters)) {
      if (!has_word(p, "Tensor")) attributes.insert(parameter_name(p));
    }
    try {
      op.reference.formula = without(resolved(read_body(reference->second[0]->body)), attributes);
      add_helpers(op.reference, &item, reference->second[0]->whole.source);
    } catch (const NotAFormula& why) {
      op.reference.why = why.what();
      op.reference.formula.reset();
      op.reference.code = code_of(reference->second[0]->body);
    }
  }
  // Lines of the file's head, `relu:  y = ...    dL/dx = ...`, columns apart, say it best.
  const std::string& head = item.whole.source->head;
  // Above its reference stand a layer's formulas.
  std::string comment = plain(op.comment);
  if (reference != functions_.end() && !reference->second[0]->comment.empty() &&
      comment.find("y = ") == std::string::npos) {
    comment = plain(reference->second[0]->comment);
  }
  for (const std::string& column : columns_of(head, op.name)) {
    if (column.starts_with("dL/")) {
      Gradient g;
      g.shown.comment = column;
      op.gradients.push_back(std::move(g));
    } else {
      op.forward.comment += (op.forward.comment.empty() ? "" : ", ") + column;
    }
  }
  if (!op.forward.comment.empty()) return;
  op.forward.comment = result_formula(comment);
  std::vector<std::pair<std::string, std::string>> found = gradient_formulas(comment);
  // A layer's file that is about one rule says it at its top.
  const bool alone =
      std::count_if(structs_.begin(), structs_.end(), [&](const auto& s) {
        return s.second[0]->whole.source == item.whole.source && s.second[0]->member("backward") != nullptr;
      }) == 1;
  if (alone && found.empty() && !op.forward.comment.empty()) {
    for (auto& pair : gradient_formulas(head)) {
      if (pair.first.starts_with("dL/d") || pair.first.starts_with("d")) found.push_back(std::move(pair));
    }
  }
  for (const auto& [left, clause] : found) {
    Gradient g;
    g.input = left;
    g.shown.comment = clause;
    op.gradients.push_back(std::move(g));
  }
}

}  // namespace page
