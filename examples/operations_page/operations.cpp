// Operations: structs with a name, a forward and gradients.
#include <algorithm>

#include "catalogue.h"
#include "mathml.h"

namespace page {
namespace {

std::string unquoted(std::string_view text) { return std::string(text.substr(1, text.size() - 2)); }

// Text literals among tokens.
std::vector<std::string> literals(const Range& range) {
  std::vector<std::string> found;
  for (std::size_t i = 0; i < range.size(); ++i) {
    if (range[i].kind == Token::Kind::Text) found.push_back(unquoted(range[i].text));
  }
  return found;
}
bool has_word(const Range& range, std::string_view word) {
  for (std::size_t i = 0; i < range.size(); ++i) {
    if (range[i].text == word) return true;
  }
  return false;
}

// A parameter of a formula: what it asks for, of which input or output, and its name.
struct Asked {
  std::string what;  // Dy, In, Out, ShapeOf, Which, or Attrs
  int index = 0;
  std::string name;
};
Asked asked(const Range& parameter) {
  Asked a;
  a.name = parameter_name(parameter);
  std::size_t first = 0;
  while (first < parameter.size() &&
         (parameter[first].text == "const" || parameter[first].text == "autograd" || parameter[first].text == "::"))
    ++first;
  if (first >= parameter.size()) return a;
  a.what = parameter[first].text;
  for (const char* kind : {"Dy", "In", "Out"}) {
    if (a.what == std::string(kind) + "Array") a.what = kind;
  }
  if (a.what != "Dy" && a.what != "In" && a.what != "Out" && a.what != "ShapeOf" && a.what != "Which" &&
      a.what != "Needs") {
    a.what = "Attrs";
  } else if (first + 2 < parameter.size() && parameter[first + 1].text == "<" &&
             parameter[first + 2].kind == Token::Kind::Number) {
    a.index = std::stoi(std::string(parameter[first + 2].text));
  }
  if (first + 1 >= parameter.size() || parameter[parameter.size() - 1].text == ">") a.name.clear();
  return a;
}

// Without the attributes as a whole, which say how and not what.
Term without(const Term& term, const std::set<std::string>& attributes) {
  if (!term || term->arguments.empty()) return term;
  Expression e = *term;
  if (e.kind == Expression::Kind::Call || e.kind == Expression::Kind::List) {
    std::erase_if(e.arguments,
                  [&](const Term& a) { return a->kind == Expression::Kind::Name && attributes.contains(a->text); });
  }
  for (Term& a : e.arguments) a = without(a, attributes);
  return std::make_shared<const Expression>(std::move(e));
}
Formula without(Formula formula, const std::set<std::string>& attributes) {
  formula.value = without(formula.value, attributes);
  for (Definition& d : formula.definitions) d.value = without(d.value, attributes);
  return formula;
}

std::string plain(std::string_view text) {
  std::string line;
  for (const char c : text) line += c == '\n' ? ' ' : c;
  return line;
}

}  // namespace

const Item* Catalogue::base_of(const Item& item) const {
  for (std::size_t i = 0; i < item.bases.size(); ++i) {
    const auto found = structs_.find(std::string(item.bases[i].text));
    if (found != structs_.end() && found->second[0] != &item) return found->second[0];
  }
  return nullptr;
}
const Item* Catalogue::member_of(const Item& item, std::string_view name) const {
  if (const Item* own = item.member(name)) return own;
  const Item* base = base_of(item);
  return base == nullptr ? nullptr : member_of(*base, name);
}

// Whether a struct derives from a template's operation of this row, and so takes its place.
bool Catalogue::has_own_struct(std::string_view base, std::string_view row) const {
  for (const auto& [name, all] : structs_) {
    for (const Item* s : all) {
      if (has_word(s->bases, base) && has_word(s->bases, row)) return true;
    }
  }
  return false;
}

// An operation's names, and of each the row of core that it comes from, if it does.
std::vector<std::string> Catalogue::names_of(const Item& item, std::vector<std::string>& rows) const {
  const Item* name = member_of(item, "name");
  std::vector<std::string> names = literals(name->body);
  const auto add_rows_of = [&](const Range& r) {  // X<core::row>
    for (std::size_t i = 0; i + 2 < r.size(); ++i) {
      if (r[i].text == "core" && r[i + 1].text == "::" && r[i + 2].kind == Token::Kind::Word) {
        names.emplace_back(r[i + 2].text);
        rows.emplace_back(r[i + 2].text);
      }
    }
  };
  if (has_word(name->body, "row")) {
    add_rows_of(item.bases);
    if (names.empty() && item.is_template) {  // of all rows that it is made with
      for (const auto& source : sources_) {
        const Range all{source.get(), 0, source->tokens.size()};
        for (std::size_t i = 0; i + 4 < all.size(); ++i) {
          if (all[i].text == item.name && all[i + 1].text == "<") add_rows_of(all.part(i + 2, i + 5));
        }
      }
      if (has_word(item.body, "gradient")) {  // the sheet's
        for (const auto& [row, where] : variables_) {
          for (const Item* v : where) {
            if (v->is_template && has_word(v->whole.part(0, std::min<std::size_t>(v->whole.size(), 12)), "gradient") &&
                row != "gradient") {
              if (has_own_struct(item.name, row)) continue;
              names.push_back(row);
              rows.push_back(row);
            }
          }
        }
      }
    }
  } else if (has_word(name->body, "put_name")) {
    for (const auto& [any, all] : structs_) {
      for (const Item* s : all) {
        if (const Item* put = s->member("put_name")) names.push_back(literals(put->body).at(0));
      }
    }
  } else if (names.empty()) {  // a function gives it
    for (std::size_t i = 0; i < name->body.size(); ++i) {
      const auto f = functions_.find(std::string(name->body[i].text));
      if (f != functions_.end() && names.empty()) names = literals(f->second[0]->body);
    }
  }
  std::vector<std::string> unique;
  for (const std::string& n : names) {
    if (std::find(unique.begin(), unique.end(), n) == unique.end()) unique.push_back(n);
  }
  return unique;
}

void Catalogue::read_operations(const Item& item) {
  if (item.kind != Item::Kind::Struct || member_of(item, "name") == nullptr) return;
  const bool rule = item.member("backward") != nullptr;
  if (!rule && member_of(item, "gradients") == nullptr) return;
  std::vector<std::string> rows;
  for (const std::string& name : names_of(item, rows)) add_operation(item, name, rows.empty() ? "" : name);
}

void Catalogue::add_operation(const Item& item, const std::string& name, const std::string& row) {
  auto op = std::make_unique<Operation>();
  op->name = name;
  op->item = &item;
  op->line = item.line;
  if (const auto sheet = variables_.find(row);
      !row.empty() && sheet != variables_.end() && has_word(item.body, "gradient")) {
    op->line = sheet->second[0]->line;
  }
  op->comment = item.comment;
  if (member_of(item, "is_view") != nullptr) op->kind = Operation::Kind::View;
  const Item* forward = member_of(item, "forward");
  if (forward == nullptr) return;
  for (const Range& p : split_list(forward->parameters)) {
    if (has_word(p, "ArrayList")) op->variadic = true;
    if (has_word(p, "Array") || has_word(p, "ArrayList")) op->inputs.push_back(parameter_name(p));
  }
  // std::tuple<Array, Array> forward(...)
  const std::size_t arrays = forward->whole.size() - forward->parameters.size();
  op->outputs = 0;
  for (std::size_t i = 0; i < arrays && forward->whole[i].text != "("; ++i)
    op->outputs += forward->whole[i].text == "Array";
  op->outputs = std::max(op->outputs, 1);
  if (item.member("backward") != nullptr) {
    op->kind = Operation::Kind::Rule;
    read_rule(*op, item);
  } else {
    read_gradients(*op, item, row);
  }
  read_forward(*op, item, row);
  by_name_.emplace(name, op.get());
  by_struct_.emplace(item.name, op.get());
  operations_.push_back(std::move(op));
}

void Catalogue::read_gradients(Operation& op, const Item& item, const std::string& row) {
  const Item* gradients = member_of(item, "gradients");
  std::size_t open = 0;
  while (open < gradients->body.size() && gradients->body[open].text != "(") ++open;
  std::vector<Range> parts = split_list(gradients->body.part(open + 1, behind_bracket(gradients->body, open) - 1));
  for (Range& part : parts) {
    std::string named;
    if (part[0].kind == Token::Kind::Word) named = part[0].text == "gradient" ? row : std::string(part[0].text);
    if (named.empty() || named == "no_gradient") continue;
    for (int hop = 0; hop < 2 && part[0].text != "["; ++hop) {
      const auto found = variables_.find(named);
      if (found == variables_.end()) break;
      for (const Item* v : found->second) {
        if (v->whole.source == item.whole.source || found->second.size() == 1) part = v->body;
      }
      if (part[0].text != "[") named = part[0].text;
    }
  }
  // Names first: those that formulas give to inputs.
  std::vector<std::vector<Asked>> asks;
  for (const Range& part : parts) {
    std::vector<Asked> of_part;
    if (part[0].text == "[") {
      for (const Range& p : split_list(parts_of_lambda(part).first)) of_part.push_back(asked(p));
    }
    for (const Asked& a : of_part) {
      const auto i = static_cast<std::size_t>(a.index);
      if (a.what == "In" && i < op.inputs.size() && !a.name.empty()) op.inputs[i] = a.name;
      if (a.what == "ShapeOf" && i < op.inputs.size() && !a.name.empty() && op.inputs[i].empty()) op.inputs[i] = a.name;
    }
    asks.push_back(of_part);
  }
  double least = 0, most = 0;
  bool known = true;
  for (std::size_t k = 0; k < parts.size(); ++k) {
    Gradient g;
    g.input = k < op.inputs.size() ? op.inputs[k] : "x";
    if (parts[k][0].text != "[") {
      g.none = true;
      op.gradients.push_back(std::move(g));
      continue;
    }
    std::set<std::string> attributes, tensors;
    for (const Asked& a : asks[k]) {
      if (a.what == "Attrs" || a.what == "Which") attributes.insert(a.name);
      if (a.what == "In" || a.what == "Out" || a.what == "Dy") tensors.insert(a.name);
      const auto i = static_cast<std::size_t>(a.index);
      if (a.what == "In") g.keeps.push_back(a.name);
      if (a.what == "Out") g.keeps.push_back("the result " + a.name);
      if (a.what == "ShapeOf" && i < op.inputs.size()) g.keeps.push_back("the shape of " + op.inputs[i]);
    }
    g.shown.left = name_markup("d" + g.input);
    const Range body = parts_of_lambda(parts[k]).second;
    try {
      g.shown.formula = without(resolved(read_body(body)), attributes);
      add_helpers(g.shown, &item, item.whole.source);
    } catch (const NotAFormula& why) {
      g.shown.why = why.what();
      g.shown.formula.reset();
      g.shown.code = code_of(body);
    }
    g.passes = passes_of(g.shown, tensors);
    known &= g.passes.known();
    least += g.passes.least, most += g.passes.most;
    op.gradients.push_back(std::move(g));
  }
  op.backward_passes = known ? Passes{least, most} : Passes{-1, -1};
}

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
    op.reference.left = name_markup("y");
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
  std::string comment = plain(op.comment);
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
  std::vector<std::pair<std::string, std::string>> found = gradient_formulas(comment);
  if (found.empty()) found = gradient_formulas(head);
  for (const auto& [left, clause] : found) {
    Gradient g;
    g.input = left;
    g.shown.comment = clause;
    op.gradients.push_back(std::move(g));
  }
  op.forward.comment = result_formula(comment);
  if (op.forward.comment.empty()) op.forward.comment = result_formula(head);
}

void Catalogue::read_forward(Operation& op, const Item& item, const std::string& row) {
  const int reads = op.kind == Operation::Kind::View ? 0 : static_cast<int>(op.inputs.size());
  const double passes = op.kind == Operation::Kind::View ? 0 : reads + op.outputs;
  op.forward_passes = {passes, passes};
  op.forward.left = name_markup("y");
  if (!op.forward.comment.empty()) return;
  std::string comment = result_formula(plain(op.comment));
  if (!comment.empty()) {
    op.forward.comment = comment;
    return;
  }
  std::vector<Term> inputs;
  for (const std::string& input : op.inputs) {
    inputs.push_back(std::make_shared<const Expression>(Expression{Expression::Kind::Name, input}));
  }
  std::vector<Term> with_number = inputs;
  if (op.inputs.size() == 1 && has_word(item.bases, "WithNumber")) {
    with_number.push_back(std::make_shared<const Expression>(Expression{Expression::Kind::Name, "c"}));
  }
  const std::string& known = row.empty() ? op.name : row;
  if (const Item* forward = member_of(item, "forward"); forward != nullptr && row.empty() && forward->has_body()) {
    try {
      Formula f = read_body(forward->body);
      std::set<std::string> attributes;
      for (const Range& p : split_list(forward->parameters)) {
        if (!has_word(p, "Array") && !has_word(p, "ArrayList")) attributes.insert(parameter_name(p));
      }
      f = without(f, attributes);
      if (f.definitions.empty() && is_notation(f.value)) {
        op.forward.formula = f;
        return;
      }
    } catch (const NotAFormula&) {
    }
  }
  op.forward.formula = Formula{{}, call(known, with_number)};
  if (!is_notation(op.forward.formula->value))
    without_formula.push_back(op.name + " (" + item.whole.source->path + ")");
}

const Item* Catalogue::helper(const std::string& name, const Item* of, const Source* source) const {
  if (of != nullptr) {
    const Item* own = member_of(*of, name);
    if (own != nullptr && own->kind == Item::Kind::Function) {
      if (own->has_body()) return own;
      const auto outside = functions_.find(of->name + "::" + name);
      if (outside != functions_.end()) return outside->second[0];
    }
  }
  const auto found = functions_.find(name);
  if (found == functions_.end()) return nullptr;
  for (const Item* f : found->second) {
    if (f->whole.source == source && f->has_body()) return f;
  }
  for (const Item* f : found->second) {
    if (f->has_body() && (f->scope == "autograd" || f->scope == "detail")) return f;
  }
  return nullptr;
}

void Catalogue::add_helpers(Shown& shown, const Item* of, const Source* source) {
  markup(shown.formula->value, false);  // throws where it cannot be set
  for (const Definition& d : shown.formula->definitions) markup(d.value, false);
  std::vector<std::string> open = mentioned(*shown.formula);
  std::set<std::string> seen;
  for (const Definition& d : shown.formula->definitions) seen.insert(d.name);
  while (!open.empty() && shown.helpers.size() < 6) {
    const std::string name = open.back();
    open.pop_back();
    if (!seen.insert(name).second || bodies_.contains(name) || is_notation(call(name, {number("1")}))) continue;
    const Item* f = helper(name, of, source);
    if (f == nullptr) continue;
    // A helper that applies an operation is that operation.
    if (has_word(f->body, "apply")) continue;
    try {
      Formula body = resolved(read_body(f->body));
      std::set<std::string> attributes;
      Definition d{name, {}, nullptr};
      for (const Range& p : split_list(f->parameters)) {
        const std::string type = text_of(p);
        const bool value = type.find("Tensor") != std::string::npos || type.find("Array&") != std::string::npos ||
                           type.find("Scalar") != std::string::npos || type.find("double") != std::string::npos ||
                           type.find("int") != std::string::npos || type.find("bool") != std::string::npos;
        (value ? (void)d.parameters.push_back(parameter_name(p)) : (void)attributes.insert(parameter_name(p)));
      }
      body = without(body, attributes);
      d.value = body.value;
      for (const std::string& next : mentioned(body)) open.push_back(next);
      markup(d.value, false);  // throws where it cannot be set
      for (const Definition& inner : body.definitions) markup(inner.value, false);
      shown.helpers.push_back(std::move(d));
      for (Definition& inner : body.definitions) shown.helpers.push_back(std::move(inner));
    } catch (const NotAFormula&) {
      // The name alone: the source says the rest.
    }
  }
}

}  // namespace page
