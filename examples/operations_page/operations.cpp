// Operations: structs with a name, a forward and gradients.
#include <gradus/autograd/page/formulas.h>

#include <algorithm>

#include "catalogue.h"
#include "formula_text.h"
#include "reading.h"

namespace page {

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

namespace {

// Whether a formula's letter is an input's: W is the weight.
bool stands_for(const std::string& letter, const std::string& input) {
  if (letter == input) return true;
  static const std::pair<std::string_view, std::string_view> kLetters[] = {
      {"gamma", "weight"}, {"W", "weight"}, {"beta", "bias"}, {"b", "bias"}, {"Q", "query"},
      {"K", "key"},        {"V", "value"},  {"t", "target"},  {"z", "x"}};
  return std::any_of(std::begin(kLetters), std::end(kLetters),
                     [&](const auto& l) { return l.first == letter && l.second == input; });
}

// "y = max x or min x along dim" is said of two: the one of this name.
std::string of_one(std::string text, const std::string& name) {
  const std::size_t both = text.find(" or min"), max = text.find("max");
  if (both == std::string::npos || max > both) return text;
  std::size_t end =
      std::min({text.find(" over ", both), text.find(" along ", both), text.find(" of ", both), text.size()});
  return name.find("min") == std::string::npos ? text.erase(both, end - both) : text.erase(max, both + 4 - max);
}

std::string with_gradients(std::string text) {  // dL/dx is dx
  for (std::size_t at = text.find("dL/d"); at != std::string::npos; at = text.find("dL/d")) text.erase(at, 3);
  return text;
}

}  // namespace

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
  std::string said;
  if (const Item* formula = member_of(item, "formula")) {
    for (const std::string& part : literals(formula->body)) said += part;
  }
  if (item.member("backward") != nullptr) {
    op->kind = Operation::Kind::Rule;
    read_rule(*op, item);
  } else {
    read_gradients(*op, item, row);
    for (const auto& [left, clause] : gradient_formulas(plain(op->comment)))
      op->in_words.push_back(with_gradients(clause));
  }
  if (!said.empty()) {
    std::vector<Gradient> by_code = op->gradients;
    read_said(*op, said);
    if (op->kind != Operation::Kind::Rule) {
      op->said = std::move(op->gradients);
      op->gradients = std::move(by_code);
      op->in_words.clear();
      for (const Gradient& g : op->said) {
        if (!g.shown.comment.empty()) op->in_words.push_back(g.shown.comment);
        op->in_words.insert(op->in_words.end(), g.shown.further.begin(), g.shown.further.end());
      }
    }
  }
  read_forward(*op, item, row);
  if (said.empty() && op->kind == Operation::Kind::Rule && !op->forward.comment.empty()) {
    said = op->forward.comment;
    for (const Gradient& g : op->gradients) said += "; " + g.shown.comment;
    read_said(*op, said);
  }
  by_name_.emplace(name, op.get());
  by_struct_.emplace(item.name, op.get());
  operations_.push_back(std::move(op));
}

// Formulas that the source says in text: of the result, and of the gradients of inputs, which get their names there.
void Catalogue::read_said(Operation& op, const std::string& text) {
  using gradus::autograd::detail::Equations;
  const auto parsed = gradus::autograd::detail::parse_formula(with_gradients(text));
  const auto shown = [](const Equations& e) {
    Shown s;
    s.comment = e.formula;
    s.further = e.where;
    return s;
  };
  if (parsed.forward) op.forward = shown(*parsed.forward);
  op.results = parsed.results, op.arriving = parsed.arriving;
  const std::vector<Gradient> before = std::move(op.gradients);
  op.gradients.clear();
  std::vector<bool> taken(parsed.inputs.size());
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    std::string& name = op.inputs[i];
    std::size_t at = 0;
    while (at < taken.size() && (taken[at] || !stands_for(parsed.inputs[at], name))) ++at;
    if (at == taken.size() && i < taken.size() && !taken[i] && taken.size() == op.inputs.size()) at = i;
    Gradient g;
    if (at < taken.size()) {
      taken[at] = true;
      if (!parsed.inputs[at].empty()) name = parsed.inputs[at];
      g.none = parsed.without[at] == "none";
      if (parsed.gradients[at]) g.shown = shown(*parsed.gradients[at]);
    }
    g.input = name;
    if (i < before.size()) g.keeps = before[i].keeps, g.passes = before[i].passes;
    op.gradients.push_back(std::move(g));
  }
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
  // Of outputs and their gradients the first name that a formula gives.
  for (const std::vector<Asked>& of_part : asks) {
    for (const Asked& a : of_part) {
      const auto i = static_cast<std::size_t>(a.index);
      if (a.name.empty() || (a.what != "Out" && a.what != "Dy")) continue;
      std::vector<std::string>& names = a.what == "Out" ? op.results : op.arriving;
      if (names.size() <= i) names.resize(i + 1);
      if (names[i].empty()) names[i] = a.name;
    }
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
    g.shown.left = "d" + g.input;
    const Range body = parts_of_lambda(parts[k]).second;
    if (!body.empty() && body[0].text.starts_with("fail")) {
      g.refused = true;
      g.keeps.clear();
      op.gradients.push_back(std::move(g));
      continue;
    }
    try {
      g.shown.formula = without(resolved(read_body(body)), attributes);
      std::map<std::string, std::string> names;  // what this formula calls otherwise than the others
      for (const Asked& a : asks[k]) {
        const std::vector<std::string>* of = a.what == "In" ? &op.inputs : a.what == "Out" ? &op.results : nullptr;
        if (a.what == "Dy") of = &op.arriving;
        const auto i = static_cast<std::size_t>(a.index);
        if (of != nullptr && i < of->size() && !a.name.empty() && (*of)[i] != a.name) names[a.name] = (*of)[i];
      }
      if (!names.empty()) *g.shown.formula = renamed(std::move(*g.shown.formula), names);
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

void Catalogue::read_forward(Operation& op, const Item& item, const std::string& row) {
  const int reads = op.kind == Operation::Kind::View ? 0 : static_cast<int>(op.inputs.size());
  const double passes = op.kind == Operation::Kind::View ? 0 : reads + op.outputs;
  op.forward_passes = {passes, passes};
  op.forward.left = "y";
  if (!op.forward.comment.empty()) return;
  if (op.reference.formula) {  // a rule's result is that of its reference
    op.forward = op.reference;
    op.reference = {};
    return;
  }
  std::string comment = of_one(result_formula(plain(op.comment)), op.name);
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

}  // namespace page
