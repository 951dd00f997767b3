// How a formula is set, and what functions have a notation of their own.
#pragma once

#include <string>
#include <vector>

#include "expression.h"

namespace page {

/// What binds how tightly.
enum Level { kRelation, kSum, kProduct, kPower, kAtom };
struct Markup {
  std::string text;
  int level = kAtom;
};

class Setter {
 public:
  explicit Setter(bool matrices) : matrices_(matrices) {}
  Markup set(const Term& term) const;
  /// In parentheses where it binds less than `level`.
  std::string at(const Term& term, int level) const;
  static Markup fenced(const std::string& inner, const char* open = "(", const char* close = ")");
  std::string cases(const std::vector<Term>& parts) const;
  std::string condition(const Term& term) const;
  std::string negated(const Term& term) const;
  /// 1 where the condition holds, 0 elsewhere.
  static std::string indicator(const std::string& inner);
  Markup product(const Term& term) const;

 private:
  std::string factors(const std::vector<Term>& terms) const;
  Markup sum(const Term& term) const;
  bool matrices_;
};

Markup set_call(const Setter& setter, const Expression& call);
/// masked_fill(x, mask, value) and where(mask, a, b).
Markup set_masked(const Setter& setter, const std::vector<Term>& arguments);
Markup set_chosen(const Setter& setter, const std::vector<Term>& arguments);
bool has_notation(const std::string& function);

}  // namespace page
