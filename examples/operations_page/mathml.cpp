// The trees' operators, in the notation of textbooks; functions with one of their own are in notation.cpp.
#include "mathml.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>

#include "notation.h"

namespace page {

using Kind = Expression::Kind;

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else if (c == '&')
      result += "&amp;";
    else if (c == '"')
      result += "&quot;";
    else
      result += c;
  }
  return result;
}

namespace {

const std::map<std::string_view, std::string_view>& letters() {
  static const std::map<std::string_view, std::string_view> table = {
      {"alpha", "α"},  {"beta", "β"},     {"gamma", "γ"},    {"delta", "δ"}, {"eps", "ε"},   {"epsilon", "ε"},
      {"lambda", "λ"}, {"mu", "μ"},       {"sigma", "σ"},    {"theta", "θ"}, {"rho", "ρ"},   {"eta", "η"},
      {"tau", "τ"},    {"phi", "φ"},      {"psi", "ψ"},      {"Phi", "Φ"},   {"kPi", "π"},   {"pi", "π"},
      {"Gamma", "Γ"},  {"INFINITY", "∞"}, {"infinity", "∞"}, {"inf", "∞"},   {"NAN", "NaN"}, {"quiet_NaN", "NaN"},
      {"Sigma", "Σ"},  {"omega", "ω"}};
  return table;
}
std::string mi(std::string_view text, bool upright = false) {
  return (upright ? "<mi mathvariant=\"normal\">" : "<mi>") + escaped(text) + "</mi>";
}

// Constants that are known by their digits.
std::string constant(double value) {
  static const std::pair<double, const char*> kKnown[] = {
      {0.693147180559945309417, "<mrow><mi>ln</mi><mspace width=\"0.17em\"/><mn>2</mn></mrow>"},
      {2.302585092994045684018, "<mrow><mi>ln</mi><mspace width=\"0.17em\"/><mn>10</mn></mrow>"},
      {1.128379167095512573896, "<mfrac><mn>2</mn><msqrt><mi>π</mi></msqrt></mfrac>"},
      {0.886226925452758013649, "<mfrac><msqrt><mi>π</mi></msqrt><mn>2</mn></mfrac>"},
      {0.398942280401432677940, "<mfrac><mn>1</mn><msqrt><mrow><mn>2</mn><mi>π</mi></mrow></msqrt></mfrac>"},
      {0.707106781186547524401, "<mfrac><mn>1</mn><msqrt><mn>2</mn></msqrt></mfrac>"},
      {3.14159265358979323846, "<mi>π</mi>"},
      {1.59576912160573071176, "<mrow><mn>2</mn><msqrt><mfrac><mn>2</mn><mi>π</mi></mfrac></msqrt></mrow>"},
      {0.017453292519943295769, "<mfrac><mi>π</mi><mn>180</mn></mfrac>"},
      {57.295779513082320877, "<mfrac><mn>180</mn><mi>π</mi></mfrac>"},
      {1.0507009873554804934193349852946, "<mi>λ</mi>"}};
  for (const auto& [known, how] : kKnown) {
    if (std::abs(value - known) < 1e-13 * known) return how;
  }
  return {};
}
std::string digits(std::string text) {
  if (text.starts_with("0x1p")) return "<msup><mn>2</mn><mn>" + text.substr(4) + "</mn></msup>";
  std::erase(text, '\'');
  while (!text.empty() && (text.back() == 'u' || text.back() == 'f' || text.back() == 'L')) text.pop_back();
  if (std::string known = constant(std::strtod(text.c_str(), nullptr)); !known.empty()) return known;
  const std::size_t e = text.find('e');
  if (e == std::string::npos) return "<mn>" + text + "</mn>";
  std::string mantissa = text.substr(0, e), exponent = text.substr(e + 1);
  if (exponent.starts_with('+')) exponent.erase(0, 1);
  const std::string power = exponent.starts_with('-') ? "<mrow><mo>−</mo><mn>" + exponent.substr(1) + "</mn></mrow>"
                                                      : "<mn>" + exponent + "</mn>";
  const std::string ten = "<msup><mn>10</mn>" + power + "</msup>";
  return mantissa == "1" ? ten : "<mrow><mn>" + mantissa + "</mn><mo>·</mo>" + ten + "</mrow>";
}

}  // namespace

std::string name_markup(std::string_view name) {
  if (const auto letter = letters().find(name); letter != letters().end()) return mi(letter->second);
  if (name.size() == 1) return mi(name);
  if (name.ends_with("_hat")) return "<mover>" + name_markup(name.substr(0, name.size() - 4)) + "<mo>^</mo></mover>";
  if (name[0] == 'd' && name != "dim" && name != "dims") {  // a gradient
    const std::string_view rest = name.substr(1);
    const bool of_letter = rest.size() == 1 || letters().contains(rest) || rest.ends_with("_hat");
    if (of_letter || (rest.size() > 1 && rest[1] == '_')) {
      return "<mrow>" + mi("d", true) + name_markup(rest) + "</mrow>";
    }
  }
  const std::size_t line = name.find('_');
  if (line == 1 && line + 1 < name.size()) {
    return "<msub>" + mi(name.substr(0, 1)) + name_markup(name.substr(2)) + "</msub>";
  }
  const std::size_t digit = name.find_first_of("0123456789");
  if (digit != std::string_view::npos && digit > 0 &&
      name.find_first_not_of("0123456789", digit) == std::string_view::npos) {
    return "<msub>" + name_markup(name.substr(0, digit)) + "<mn>" + std::string(name.substr(digit)) + "</mn></msub>";
  }
  return mi(name);
}

Markup Setter::fenced(const std::string& inner, const char* open, const char* close) {
  return {std::string("<mrow><mo>") + open + "</mo>" + inner + "<mo>" + close + "</mo></mrow>", kAtom};
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
    if (same > 1) factor = "<msup>" + factor + "<mn>" + std::to_string(same) + "</mn></msup>";
    if (!text.empty()) text += after_number ? "<mspace width=\"0.17em\"/>" : matrices_ ? "<mo>⊙</mo>" : "<mo>·</mo>";
    text += factor;
    after_number = is_number(sorted[i]);
    i += same - 1;
  }
  return text.empty() ? "<mn>1</mn>" : "<mrow>" + text + "</mrow>";
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
    text = "<mfrac>" + factors(above) + factors(f.below) + "</mfrac>";
  }
  if (f.negative) text = "<mrow><mo>−</mo>" + text + "</mrow>", level = kSum;
  return {text, level};
}

Markup Setter::sum(const Term& term) const {
  const Term &a = term->arguments[0], &b = term->arguments[1];
  std::string right = at(b, term->text == "-" ? kProduct : kSum);
  std::string sign = term->text == "-" ? "−" : "+";
  if (term->text == "+" && right.starts_with("<mrow><mo>−</mo>")) {
    sign = "−";
    right = "<mrow>" + right.substr(std::string("<mrow><mo>−</mo>").size());
  }
  return {"<mrow>" + at(a, kSum) + "<mo>" + sign + "</mo>" + right + "</mrow>", kSum};
}

std::string Setter::cases(const std::vector<Term>& parts) const {
  std::string rows;
  for (std::size_t i = 0; i < parts.size(); i += 2) {
    const bool last = i + 1 == parts.size();
    const std::string when =
        last ? "<mtext>otherwise</mtext>" : "<mtext>if</mtext><mspace width=\"0.4em\"/>" + condition(parts[i + 1]);
    rows += "<mtr><mtd>" + set(parts[i]).text + "</mtd><mtd><mrow>" + when + "</mrow></mtd></mtr>";
  }
  return "<mrow><mo stretchy=\"true\">{</mo><mtable class=\"cases\">" + rows + "</mtable></mrow>";
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
  return "<mrow><mo>¬</mo>" + at(term, kPower) + "</mrow>";
}
std::string Setter::indicator(const std::string& inner) {
  return "<mrow><mn class=\"one\">𝟏</mn><mo>[</mo>" + inner + "<mo>]</mo></mrow>";
}

Markup Setter::set(const Term& term) const {
  const Expression& e = *term;
  switch (e.kind) {
    case Kind::Number:
      return {digits(e.text), kAtom};
    case Kind::Name:
      return {name_markup(e.text), kAtom};
    case Kind::Text:
      return {"<mtext>" + escaped(e.text) + "</mtext>", kAtom};
    case Kind::Unary:
      if (e.text == "!") return {negated(e.arguments[0]), kRelation};
      if (e.text == "-") return product(term);
      return {"<mrow><mo>" + escaped(e.text) + "</mo>" + at(e.arguments[0], kAtom) + "</mrow>", kPower};
    case Kind::Binary: {
      if (e.text == "*" || e.text == "/") return product(term);
      if (e.text == "+" || e.text == "-") return sum(term);
      static const std::map<std::string_view, std::string_view> kSigns = {
          {"==", "="}, {"!=", "≠"},  {"<=", "≤"}, {">=", "≥"}, {"<", "&lt;"}, {">", "&gt;"}, {"&&", "∧"},
          {"||", "∨"}, {"%", "mod"}, {"&", "∧"},  {"|", "∨"},  {"^", "⊻"},    {"<<", "≪"}};
      const auto sign = kSigns.find(e.text);
      if (sign == kSigns.end()) throw NotAFormula("the operator " + e.text);
      const bool joins = e.text == "&&" || e.text == "||" || e.text == "&" || e.text == "|" || e.text == "^";
      const auto side = [&](const Term& t) {
        if (!joins) return at(t, kSum);
        const bool relation = t->kind == Kind::Binary && sign->second != "" && !(t->text == "&&" || t->text == "||");
        return relation ? set(t).text : at(t, kSum);
      };
      return {"<mrow>" + side(e.arguments[0]) + "<mo>" + std::string(sign->second) + "</mo>" + side(e.arguments[1]) +
                  "</mrow>",
              kRelation};
    }
    case Kind::Call:
      return set_call(*this, e);
    case Kind::Field:
      return {name_markup(e.text == "value" ? "c" : e.text), kAtom};  // a number in an operand's place
    case Kind::Index:
      return {"<msub>" + at(e.arguments[0], kAtom) + set(e.arguments[1]).text + "</msub>", kAtom};
    case Kind::List: {
      std::string inner;
      for (const Term& a : e.arguments) inner += (inner.empty() ? "" : "<mo>,</mo>") + set(a).text;
      return fenced("<mrow>" + inner + "</mrow>");
    }
    case Kind::Cases:
      return {cases(e.arguments), kRelation};
    case Kind::Lambda: {
      const auto [parameters, body] = parts_of_lambda(e.range);
      const Formula formula = read_body(body);
      if (!formula.definitions.empty()) throw NotAFormula("a long lambda among arguments");
      std::string names;
      for (const Range& p : split_list(parameters))
        names += (names.empty() ? "" : "<mo>,</mo>") + name_markup(parameter_name(p));
      return {"<mrow>" + names + "<mo>↦</mo>" + set(formula.value).text + "</mrow>", kRelation};
    }
  }
  return {};
}

std::string markup(const Term& term, bool matrices) { return Setter(matrices).set(term).text; }

bool has_matrices(const Formula& formula) {
  static const std::vector<std::string> kOfMatrices = {"matmul", "mm", "bmm", "mv", "mT"};
  for (const std::string& name : mentioned(formula)) {
    if (std::find(kOfMatrices.begin(), kOfMatrices.end(), name) != kOfMatrices.end()) return true;
    if (name.starts_with("linalg_")) return true;
  }
  return false;
}

}  // namespace page
