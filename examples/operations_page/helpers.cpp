// Functions of the source that formulas call: by their formula, or by what is said above them.
#include <algorithm>

#include "catalogue.h"
#include "formula_text.h"
#include "reading.h"

namespace page {

using Kind = Expression::Kind;

// What applies a struct is that operation.
Term Catalogue::resolved(const Term& term) const {
  if (!term) return term;
  Expression e = *term;
  for (Term& a : e.arguments) a = resolved(a);
  if (e.kind == Kind::Call && e.text == "apply" && !e.of.empty()) {
    const auto found = structs_.find(e.of.substr(0, e.of.find('<')));
    const Item* name = found == structs_.end() ? nullptr : found->second[0]->member("name");
    e.text = "pick";
    if (name != nullptr && name->body.size() == 1) e.text = name->body[0].text.substr(1, name->body[0].text.size() - 2);
    if (e.of.starts_with("Put")) e.text = "put";
    const bool attributes = found != structs_.end() && found->second[0]->member("Attrs") != nullptr;
    if (attributes || e.text == "pick" || e.text == "put") {
      if (!e.arguments.empty()) e.arguments.erase(e.arguments.begin());
    }
    e.of.clear();
  }
  return std::make_shared<const Expression>(std::move(e));
}
Formula Catalogue::resolved(Formula formula) const {
  formula.value = resolved(formula.value);
  for (Definition& d : formula.definitions) d.value = resolved(d.value);
  return formula;
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
  // What cannot be set, or only in a size that nobody reads, is code.
  std::size_t size = text_of(shown.formula->value, false).size();
  for (const Definition& d : shown.formula->definitions) size += text_of(d.value, false).size();
  if (size > 900) throw NotAFormula("too long");
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
    Definition d{name, {}, nullptr};
    std::set<std::string> attributes;
    for (const Range& p : split_list(f->parameters)) {
      static constexpr std::string_view kValues[] = {"Tensor", "Array",   "Scalar", "Shape",
                                                     "double", "int64_t", "int",    "bool"};
      const bool value =
          std::any_of(std::begin(kValues), std::end(kValues), [&](auto type) { return has_word(p, type); });
      if (value)
        d.parameters.push_back(parameter_name(p));
      else
        attributes.insert(parameter_name(p));
    }
    // A long one by what is said above it; without that, and without a formula, the name alone.
    d.prose = f->comment;
    try {
      const Formula body = without(resolved(read_body(f->body)), attributes);
      const bool is_long = !body.definitions.empty() || body.value->kind == Expression::Kind::Cases;
      if (!is_long || d.prose.empty()) {
        if (body.value->kind == Expression::Kind::Name) continue;
        text_of(body.value, false);  // throws where it cannot be set
        for (const Definition& inner : body.definitions) text_of(inner.value, false);
        d.value = body.value;
        d.prose.clear();
        for (const std::string& next : mentioned(body)) open.push_back(next);
        shown.helpers.push_back(std::move(d));
        for (const Definition& inner : body.definitions) {
          seen.insert(inner.name);
          shown.helpers.push_back(inner);
        }
        continue;
      }
      d.value = body.value;
      shown.helpers.push_back(std::move(d));
      for (const Definition& inner : body.definitions) {  // for what it costs
        shown.helpers.push_back(inner);
        shown.helpers.back().prose = "-";
      }
    } catch (const NotAFormula&) {
      if (!d.prose.empty()) shown.helpers.push_back(std::move(d));
    }
  }
}

}  // namespace page
