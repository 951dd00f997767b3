// The trees' operators as text; functions with a notation of their own are in notation.cpp.
#include "formula_text.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>

#include "notation.h"

namespace page {

using Kind = Expression::Kind;

namespace {

// Constants that are known by their digits.
std::string constant(double value) {
  static const std::pair<double, const char*> kKnown[] = {{0.693147180559945309417, "{ln 2}"},
                                                          {2.302585092994045684018, "{ln 10}"},
                                                          {1.128379167095512573896, "{2 / sqrt(pi)}"},
                                                          {0.886226925452758013649, "{sqrt(pi) / 2}"},
                                                          {0.398942280401432677940, "{1 / sqrt(2 pi)}"},
                                                          {0.707106781186547524401, "{1 / sqrt(2)}"},
                                                          {3.14159265358979323846, "pi"},
                                                          {1.59576912160573071176, "{2 sqrt(2 / pi)}"},
                                                          {0.017453292519943295769, "{pi / 180}"},
                                                          {57.295779513082320877, "{180 / pi}"},
                                                          {1.0507009873554804934193349852946, "lambda"}};
  for (const auto& [known, how] : kKnown) {
    if (std::abs(value - known) < 1e-13 * known) return how;
  }
  return {};
}
std::string digits(std::string text) {
  if (text.starts_with("0x1p")) return "2^{" + text.substr(4) + "}";
  std::erase(text, '\'');
  while (!text.empty() && (text.back() == 'u' || text.back() == 'f' || text.back() == 'L')) text.pop_back();
  if (std::string known = constant(std::strtod(text.c_str(), nullptr)); !known.empty()) return known;
  return text;
}
// As a base or in a fraction: held together by braces, unless it is one piece.
bool is_one_piece(const std::string& text) {
  if (text.starts_with('{') || text.starts_with('(') || text.starts_with('|')) {
    int depth = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      depth += text[i] == '{' || text[i] == '(' ? 1 : text[i] == '}' || text[i] == ')' ? -1 : 0;
      if (depth == 0 && i + 1 < text.size()) return text[0] == '|' && text.find('|', 1) == text.size() - 1;
    }
    return true;
  }
  return text.find_first_of(" /^(") == std::string::npos;
}

}  // namespace

std::string held(const std::string& text) { return is_one_piece(text) ? text : "{" + text + "}"; }

std::string name_text(std::string_view name) {
  static const std::map<std::string_view, std::string_view> kNames = {
      {"kPi", "pi"}, {"INFINITY", "inf"}, {"infinity", "inf"}, {"NAN", "NaN"}, {"quiet_NaN", "NaN"}};
  const auto found = kNames.find(name);
  return std::string(found == kNames.end() ? name : found->second);
}

Markup Setter::fenced(const std::string& inner, const char* open, const char* close) {
  return {open + inner + close, kAtom};
}
std::string Setter::at(const Term& term, int level) const {
  Markup m = set(term);
  return m.level >= level ? m.text : fenced(m.text).text;
}

namespace {

bool is_number(const Term& t) {
  return t->kind == Kind::Number || (t->kind == Kind::Name && (t->text == "kPi" || t->text == "INFINITY"));
}
// Factors of a product: sign, those above the line, those below.
struct Factors {
  bool negative = false;
  std::vector<Term> above, below;
};
void collect(const Term& t, bool above, Factors& f) {
  if (t->kind == Kind::Unary && t->text == "-") {
    f.negative = !f.negative;
    collect(t->arguments[0], above, f);
  } else if (t->kind == Kind::Binary && t->text == "*") {
    collect(t->arguments[0], above, f);
    collect(t->arguments[1], above, f);
  } else if (t->kind == Kind::Binary && t->text == "/") {
    collect(t->arguments[0], above, f);
    collect(t->arguments[1], !above, f);
  } else if (t->kind == Kind::Call && t->text == "neg" && t->arguments.size() == 1) {
    f.negative = !f.negative;
    collect(t->arguments[0], above, f);
  } else if (t->kind == Kind::Call && t->arguments.size() == 1 && (t->text == "rsqrt" || t->text == "reciprocal")) {
    (above ? f.below : f.above).push_back(t->text == "rsqrt" ? call("sqrt", t->arguments) : t->arguments[0]);
  } else if (t->kind == Kind::Call && t->text == "arc_slope" && t->arguments.size() == 1) {
    (above ? f.below : f.above).push_back(call("sqrt", {call("one_minus_square", t->arguments)}));
  } else {
    (above ? f.above : f.below).push_back(t);
  }
}

}  // namespace

std::string Setter::factors(const std::vector<Term>& terms) const {
  std::vector<Term> sorted = terms;
  std::stable_partition(sorted.begin(), sorted.end(), is_number);
  std::string text;
  bool after_number = false;
  const bool alone = sorted.size() == 1;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (sorted.size() > 1 && sorted[i]->kind == Kind::Number && sorted[i]->text == "1") continue;
    std::string factor = at(sorted[i], alone ? kSum : kPower);
    std::size_t same = 1;  // a a is a^2
    while (i + same < sorted.size() && !is_number(sorted[i]) && at(sorted[i + same], kPower) == factor) ++same;
    if (same > 1) factor = held(factor) + "^" + std::to_string(same);
    if (!text.empty()) text += after_number ? " " : matrices_ ? " ⊙ " : " · ";
    text += factor;
    after_number = is_number(sorted[i]);
    i += same - 1;
  }
  return text.empty() ? "1" : text;
}

Markup Setter::product(const Term& term) const {
  Factors f;
  collect(term, true, f);
  std::string text;
  int level = kProduct;
  if (f.below.empty()) {
    if (f.above.size() == 1 && !f.negative) return set(f.above[0]);
    text = f.above.size() == 1 ? at(f.above[0], kProduct) : factors(f.above);
  } else {
    // What stands before a quotient stays before it: dy · a / b.
    std::vector<Term> above = f.above;
    text = held(factors(above)) + " / " + held(factors(f.below));
  }
  if (f.negative) text = "−" + text, level = kSum;
  return {text, level};
}

Markup Setter::sum(const Term& term) const {
  const Term &a = term->arguments[0], &b = term->arguments[1];
  std::string right = at(b, term->text == "-" ? kProduct : kSum);
  std::string sign = term->text == "-" ? "−" : "+";
  if (term->text == "+" && right.starts_with("−")) {
    sign = "−";
    right.erase(0, sign.size());
  }
  return {at(a, kSum) + " " + sign + " " + right, kSum};
}

std::string Setter::cases(const std::vector<Term>& parts) const {
  std::string rows;
  for (std::size_t i = 0; i < parts.size(); i += 2) {
    const bool last = i + 1 == parts.size();
    rows += (rows.empty() ? "" : "; ") + set(parts[i]).text + (last ? " otherwise" : " if " + condition(parts[i + 1]));
  }
  return "cases{" + rows + "}";
}

std::string Setter::condition(const Term& term) const { return set(term).text; }
std::string Setter::negated(const Term& term) const {
  if (term->kind == Kind::Unary && term->text == "!") return set(term->arguments[0]).text;
  if (term->kind == Kind::Call && term->text == "logical_not") return set(term->arguments[0]).text;
  if (term->kind == Kind::Binary && (term->text == "==" || term->text == "!=")) {
    Expression e = *term;
    e.text = e.text == "==" ? "!=" : "==";
    return set(std::make_shared<const Expression>(e)).text;
  }
  return "¬" + at(term, kPower);
}
std::string Setter::indicator(const std::string& inner) { return "1[" + inner + "]"; }

Markup Setter::set(const Term& term) const {
  const Expression& e = *term;
  switch (e.kind) {
    case Kind::Number:
      return {digits(e.text), kAtom};
    case Kind::Name:
      return {name_text(e.text), kAtom};
    case Kind::Text:
      return {e.text, kAtom};
    case Kind::Unary:
      if (e.text == "!") return {negated(e.arguments[0]), kRelation};
      if (e.text == "-") return product(term);
      return {e.text + at(e.arguments[0], kAtom), kPower};
    case Kind::Binary: {
      if (e.text == "*" || e.text == "/") return product(term);
      if (e.text == "+" || e.text == "-") return sum(term);
      static const std::map<std::string_view, std::string_view> kSigns = {
          {"==", "="}, {"!=", "≠"},  {"<=", "≤"}, {">=", "≥"}, {"<", "<"}, {">", ">"}, {"&&", "∧"},
          {"||", "∨"}, {"%", "mod"}, {"&", "∧"},  {"|", "∨"},  {"^", "⊻"}, {"<<", "≪"}};
      const auto sign = kSigns.find(e.text);
      if (sign == kSigns.end()) throw NotAFormula("the operator " + e.text);
      const bool joins = e.text == "&&" || e.text == "||" || e.text == "&" || e.text == "|" || e.text == "^";
      const auto side = [&](const Term& t) {
        if (!joins) return at(t, kSum);
        const bool relation = t->kind == Kind::Binary && sign->second != "" && !(t->text == "&&" || t->text == "||");
        return relation ? set(t).text : at(t, kSum);
      };
      return {side(e.arguments[0]) + " " + std::string(sign->second) + " " + side(e.arguments[1]), kRelation};
    }
    case Kind::Call:
      return set_call(*this, e);
    case Kind::Field:
      return {name_text(e.text == "value" ? "c" : e.text), kAtom};  // a number in an operand's place
    case Kind::Index:
      return {held(at(e.arguments[0], kAtom)) + "_{" + set(e.arguments[1]).text + "}", kAtom};
    case Kind::List: {
      std::string inner;
      for (const Term& a : e.arguments) inner += (inner.empty() ? "" : ", ") + set(a).text;
      return fenced(inner);
    }
    case Kind::Cases:
      return {cases(e.arguments), kRelation};
    case Kind::Lambda: {
      const auto [parameters, body] = parts_of_lambda(e.range);
      const Formula formula = read_body(body);
      if (!formula.definitions.empty()) throw NotAFormula("a long lambda among arguments");
      std::string names;
      for (const Range& p : split_list(parameters)) names += (names.empty() ? "" : ", ") + name_text(parameter_name(p));
      return {names + " ↦ " + set(formula.value).text, kRelation};
    }
  }
  return {};
}

std::string text_of(const Term& term, bool matrices) { return Setter(matrices).set(term).text; }

bool has_matrices(const Formula& formula) {
  static const std::vector<std::string> kOfMatrices = {"matmul", "mm", "bmm", "mv", "mT"};
  for (const std::string& name : mentioned(formula)) {
    if (std::find(kOfMatrices.begin(), kOfMatrices.end(), name) != kOfMatrices.end()) return true;
    if (name.starts_with("linalg_")) return true;
  }
  return false;
}

}  // namespace page
