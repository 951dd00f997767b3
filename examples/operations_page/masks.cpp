// Masks: elements put in the place of others, and choices.
#include "notation.h"

namespace page {
namespace {

using Kind = Expression::Kind;

bool is_number_0(const Term& t) { return t->kind == Kind::Number && (t->text == "0" || t->text == "0.0"); }
// Without what the same mask has already put in the place of its elements, so that nothing is divided by 0.
Term unguarded(const Setter& s, const Term& term, const std::string& mask) {
  if (term->kind == Kind::Call && term->text == "masked_fill" && term->arguments.size() == 3 &&
      s.set(term->arguments[1]).text == mask) {
    return unguarded(s, term->arguments[0], mask);
  }
  if (term->arguments.empty()) return term;
  Expression e = *term;
  for (Term& argument : e.arguments) argument = unguarded(s, argument, mask);
  return std::make_shared<const Expression>(std::move(e));
}

}  // namespace

Markup set_masked(const Setter& s, const std::vector<Term>& given) {
  std::vector<Term> a = given;
  a[0] = unguarded(s, a[0], s.set(a[1]).text);
  if (is_number_0(a[2])) {
    const std::string rest = Setter::indicator(s.negated(a[1]));
    if (a[0]->kind == Kind::Cases) return {Setter::fenced(s.set(a[0]).text).text + " · " + rest, kProduct};
    return {s.at(a[0], kProduct) + " · " + rest, kProduct};
  }
  return {s.cases({a[2], a[1], a[0]}), kRelation};
}
Markup set_chosen(const Setter& s, const std::vector<Term>& a) { return {s.cases({a[1], a[0], a[2]}), kRelation}; }

}  // namespace page
