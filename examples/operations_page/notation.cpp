// The notation of functions: a row each.
#include "notation.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "formula_text.h"

namespace page {
namespace {

using Kind = Expression::Kind;
using Arguments = std::vector<Term>;
using Row = std::function<Markup(const Setter&, const Arguments&)>;

bool is_text(const Term& t, std::string_view text) { return t->text == text && t->arguments.empty(); }

Markup applied(const std::string& function, const Setter& s, const Arguments& a) {
  std::string inner;
  for (const Term& each : a) {
    if (each->kind == Kind::List && each->arguments.empty()) continue;
    inner += (inner.empty() ? "" : ", ") + s.set(each).text;
  }
  return {function + "(" + inner + ")", kPower};
}
Row named(const char* how) {
  return [how](const Setter& s, const Arguments& a) { return applied(how, s, a); };
}
// A text in which $0 is the first argument; $0+ one that may be a term of a sum, $0* a factor, $0^ what a sign of a
// function may stand before, $0_ a base: in parentheses where it is less; $0{ held together by braces.
Row form(const char* pattern, int level) {
  return [pattern = std::string_view(pattern), level](const Setter& s, const Arguments& a) {
    std::string text;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
      if (pattern[i] != '$') {
        text += pattern[i];
        continue;
      }
      const Term& argument = a[static_cast<std::size_t>(pattern[++i] - '0')];
      const char how = i + 1 < pattern.size() ? pattern[i + 1] : ' ';
      const int wanted = how == '+' ? kSum : how == '*' ? kProduct : how == '^' ? kPower : how == '_' ? kAtom : -1;
      if (how == '{')
        text += held(s.set(argument).text);
      else if (how == '_')
        text += held(s.at(argument, kAtom));
      else
        text += wanted < 0 ? s.set(argument).text : s.at(argument, wanted);
      if (wanted >= 0 || how == '{') ++i;
    }
    return Markup{std::move(text), level};
  };
}
// a, b as a binary operator of the tree.
Row as_operator(const char* sign) {
  return [sign](const Setter& s, const Arguments& a) {
    Term right = a[1];
    if (a.size() > 2 && !(a[2]->kind == Kind::Number && a[2]->text == "1")) {
      right = std::make_shared<const Expression>(Expression{Kind::Binary, "*", {a[2], a[1]}});
    }
    return s.set(std::make_shared<const Expression>(Expression{Kind::Binary, sign, {a[0], right}}));
  };
}
// Over dimensions, below the sign; none are all.
std::string dimensions(const Setter& s, const Arguments& a) {
  if (a.size() < 2) return {};
  if (a[1]->kind == Kind::List && a[1]->arguments.empty()) return {};
  if (is_text(a[1], "true") || is_text(a[1], "false")) return {};
  if (a[1]->kind != Kind::List) return s.set(a[1]).text;
  std::string inner;
  for (const Term& d : a[1]->arguments) inner += (inner.empty() ? "" : ", ") + s.set(d).text;
  return inner;
}
Row over(const char* sign, bool large) {
  return [sign, large](const Setter& s, const Arguments& a) {
    const std::string dims = dimensions(s, a), of = s.at(a[0], large ? kProduct : kAtom);
    const std::string head = dims.empty() ? sign : std::string(sign) + "_{" + dims + "}";
    return Markup{head + (large || of.starts_with('(') ? "" : " ") + of, kProduct};
  };
}
Markup transposed(const Setter& s, const Arguments& a) {
  const bool last_two = a.size() == 1 || (a.size() == 3 && s.set(a[1]).text != s.set(a[2]).text &&
                                          a[1]->kind == Kind::Unary && a[2]->kind == Kind::Unary);
  if (last_two) return {held(s.at(a[0], kAtom)) + "^T", kPower};
  return applied("transpose", s, a);
}
Markup norm_of(const Setter& s, const Arguments& a) {
  const std::string p = a.size() > 1 && a[1]->kind != Kind::List ? s.set(a[1]).text : "2";
  return {"||" + s.set(a[0]).text + "||_{" + p + "}", kAtom};
}
Row logarithm(const char* name) {
  return [name = std::string(name)](const Setter& s, const Arguments& a) {
    const Markup x = s.set(a[0]);
    const bool bare = x.level == kAtom && x.text.find_first_of(" (") == std::string::npos;
    return Markup{name + (bare ? " " + x.text : "(" + x.text + ")"), kPower};
  };
}
Row negative() {
  return [](const Setter& s, const Arguments& a) {
    return s.product(std::make_shared<const Expression>(Expression{Kind::Unary, "-", {a[0]}}));
  };
}
Row joined(const char* sign) {
  return [sign = std::string(sign)](const Setter& s, const Arguments& a) {
    const auto side = [&](const Term& x) {
      const bool relation = x->kind == Kind::Binary || (x->kind == Kind::Call && x->text == "isnan");
      return relation ? s.set(x).text : s.at(x, kSum);
    };
    return Markup{side(a[0]) + " " + sign + " " + side(a[1]), kRelation};
  };
}
Markup log_of_sum_of_powers(const Setter& s, const Arguments& a) {
  Arguments of{std::make_shared<const Expression>(Expression{Kind::Call, "exp", {a[0]}})};
  if (a.size() > 1) of.push_back(a[1]);
  return {"ln " + over("∑", true)(s, of).text, kPower};
}

const std::map<std::string, Row>& table() {
  static const std::map<std::string, Row> rows = [] {
    std::map<std::string, Row> t;
    for (const char* f : {"sin", "cos", "tan", "sinh", "cosh", "tanh", "erf", "erfc", "det", "sinc"}) t[f] = named(f);
    for (const auto& [f, how] : std::initializer_list<std::pair<const char*, const char*>>{{"asin", "arcsin"},
                                                                                           {"acos", "arccos"},
                                                                                           {"atan", "arctan"},
                                                                                           {"asinh", "arsinh"},
                                                                                           {"acosh", "arcosh"},
                                                                                           {"atanh", "artanh"},
                                                                                           {"atan2", "arctan2"},
                                                                                           {"sigmoid", "σ"},
                                                                                           {"logistic", "σ"},
                                                                                           {"expit", "σ"},
                                                                                           {"sign", "sgn"},
                                                                                           {"digamma", "ψ"},
                                                                                           {"psi", "ψ"},
                                                                                           {"normal_cdf", "Φ"},
                                                                                           {"ndtr", "Φ"},
                                                                                           {"maximum", "max"},
                                                                                           {"minimum", "min"},
                                                                                           {"trace", "tr"},
                                                                                           {"linalg_det", "det"},
                                                                                           {"round", "round"},
                                                                                           {"softmax", "softmax"},
                                                                                           {"tril", "tril"},
                                                                                           {"triu", "triu"},
                                                                                           {"diag", "diag"},
                                                                                           {"diagonal", "diag"},
                                                                                           {"trunc", "trunc"},
                                                                                           {"isnan", "isnan"},
                                                                                           {"isinf", "isinf"},
                                                                                           {"isfinite", "isfinite"},
                                                                                           {"erfinv", "erf^{-1}"},
                                                                                           {"i0", "I_0"},
                                                                                           {"i1", "I_1"}}) {
      t[f] = named(how);
    }
    struct Form {
      const char *name, *pattern;
      int level;
    };
    static constexpr Form kForms[] = {{"exp", "e^{$0}", kPower},
                                      {"exp2", "2^{$0}", kPower},
                                      {"expm1", "e^{$0} − 1", kSum},
                                      {"log1p", "ln(1 + $0+)", kPower},
                                      {"lgamma", "ln|Γ($0)|", kPower},
                                      {"gammaln", "ln|Γ($0)|", kPower},
                                      {"polygamma", "ψ^{($0)}($1)", kPower},
                                      {"next_polygamma", "ψ^{($0 + 1)}($1)", kPower},
                                      {"bessel", "j_{$0}(pi $1^)", kPower},
                                      {"sqrt", "sqrt($0)", kAtom},
                                      {"rsqrt", "1 / sqrt($0)", kProduct},
                                      {"square", "$0_^2", kPower},
                                      {"reciprocal", "1 / $0{", kProduct},
                                      {"pow", "$0_^{$1}", kPower},
                                      {"abs", "|$0|", kAtom},
                                      {"floor", "⌊$0⌋", kAtom},
                                      {"ceil", "⌈$0⌉", kAtom},
                                      {"eq", "$0+ = $1+", kRelation},
                                      {"ne", "$0+ ≠ $1+", kRelation},
                                      {"lt", "$0+ < $1+", kRelation},
                                      {"le", "$0+ ≤ $1+", kRelation},
                                      {"gt", "$0+ > $1+", kRelation},
                                      {"ge", "$0+ ≥ $1+", kRelation},
                                      {"logaddexp", "ln(e^{$0} + e^{$1})", kPower},
                                      {"logaddexp2", "log_2(2^{$0} + 2^{$1})", kPower},
                                      {"xlog1py", "$0^ ln(1 + $1+)", kProduct},
                                      {"exp_times", "$0^ · e^{$1}", kProduct},
                                      {"one_minus_square", "1 − $0_^2", kSum},
                                      {"arc_slope", "1 / sqrt(1 − $0_^2)", kProduct},
                                      {"relu", "max($0, 0)", kPower},
                                      {"clamp_min", "max($0, $1)", kPower},
                                      {"clamp_max", "min($0, $1)", kPower},
                                      {"lerp", "$0+ + $2^ · ($1+ − $0*)", kSum},
                                      {"frac", "$0+ − trunc($0)", kSum},
                                      {"addcmul", "$0+ + $3^ $1^ · $2^", kSum},
                                      {"addcdiv", "$0+ + $3^ · $1{ / $2{", kSum},
                                      {"zeros_like", "0", kAtom},
                                      {"zeros", "0", kAtom},
                                      {"new_zeros", "0", kAtom},
                                      {"ones_like", "1", kAtom},
                                      {"ones", "1", kAtom},
                                      {"eye", "I", kAtom},
                                      {"matmul", "$0* $1*", kProduct},
                                      {"mm", "$0* $1*", kProduct},
                                      {"bmm", "$0* $1*", kProduct},
                                      {"mv", "$0* $1*", kProduct},
                                      {"dot", "$0* ⋅ $1*", kProduct},
                                      {"inner", "$0* ⋅ $1*", kProduct},
                                      {"vdot", "$0* ⋅ $1*", kProduct},
                                      {"linalg_inv", "$0_^{-1}", kPower},
                                      {"inverse", "$0_^{-1}", kPower},
                                      {"linalg_pinv", "$0_^+", kPower},
                                      {"linalg_solve", "$0_^{-1} $1*", kProduct},
                                      {"tanh_backward", "$0^ · (1 − $1_^2)", kProduct},
                                      {"sigmoid_backward", "$0^ · $1^ · (1 − $1*)", kProduct},
                                      {"logistic_slope", "σ($0) · σ(−$0*)", kProduct},
                                      {"log1p_exp", "ln(1 + e^{$0})", kPower},
                                      // Lists: the expression for each element, or each index.
                                      {"each in", "($0 \"for\" $1 ∈ $2)", kAtom},
                                      {"each", "($0 \"for\" $1 = $2, …, $3)", kAtom}};
    for (const Form& f : kForms) t[f.name] = form(f.pattern, f.level);
    // Shapes that an expression takes so that it broadcasts: the numbers are the same.
    t["with_dims"] = t["for_matrices"] = [](const Setter& s, const Arguments& a) { return s.set(a[0]); };
    t["hypot"] = [](const Setter& s, const Arguments& a) {
      const auto squared = [&](const Term& x) { return x->text == "1" ? "1" : held(s.at(x, kAtom)) + "^2"; };
      return Markup{"sqrt(" + squared(a[0]) + " + " + squared(a[1]) + ")", kAtom};
    };
    t["log"] = logarithm("ln");
    t["log2"] = logarithm("log_2");
    t["log10"] = logarithm("log_{10}");
    t["xlogy"] = [](const Setter& s, const Arguments& a) {
      return Markup{s.at(a[0], kPower) + " " + logarithm("ln")(s, {a[1]}).text, kProduct};
    };
    t["entr"] = [](const Setter& s, const Arguments& a) {
      return Markup{"−" + s.at(a[0], kPower) + " " + logarithm("ln")(s, {a[0]}).text, kSum};
    };
    t["neg"] = negative();
    t["add"] = t["add_scaled"] = as_operator("+");
    t["sub"] = as_operator("-");
    t["rsub"] = [](const Setter& s, const Arguments& a) { return as_operator("-")(s, {a[1], a[0]}); };
    t["mul"] = as_operator("*");
    t["div"] = [](const Setter& s, const Arguments& a) { return as_operator("/")(s, {a[0], a[1]}); };
    t["logical_and"] = t["bitwise_and"] = joined("∧");
    t["logical_or"] = t["bitwise_or"] = joined("∨");
    t["logical_xor"] = t["bitwise_xor"] = joined("⊻");
    t["logical_not"] = [](const Setter& s, const Arguments& a) { return Markup{s.negated(a[0]), kRelation}; };
    t["masked_fill"] = set_masked;
    t["where"] = set_chosen;
    t["full"] = [](const Setter& s, const Arguments& a) { return a.size() > 1 ? s.set(a[1]) : Markup{}; };
    t["sum"] = over("∑", true);
    t["prod"] = over("∏", true);
    t["mean"] = over("mean", false);
    t["amax"] = over("max", false);
    t["amin"] = over("min", false);
    t["logsumexp"] = log_of_sum_of_powers;
    t["norm"] = t["linalg_vector_norm"] = norm_of;
    t["t"] = t["mT"] = t["transpose"] = t["numpy_T"] = t["adjoint"] = transposed;
    return t;
  }();
  return rows;
}

// How many arguments a notation reads at least.
std::size_t needed(const std::string& function) {
  static const std::set<std::string> kTwo = {"atan2",
                                             "maximum",
                                             "minimum",
                                             "pow",
                                             "add",
                                             "add_scaled",
                                             "sub",
                                             "rsub",
                                             "mul",
                                             "div",
                                             "eq",
                                             "ne",
                                             "lt",
                                             "le",
                                             "gt",
                                             "ge",
                                             "logical_and",
                                             "logical_or",
                                             "logical_xor",
                                             "bitwise_and",
                                             "bitwise_or",
                                             "bitwise_xor",
                                             "hypot",
                                             "logaddexp",
                                             "logaddexp2",
                                             "xlogy",
                                             "xlog1py",
                                             "exp_times",
                                             "clamp_min",
                                             "clamp_max",
                                             "matmul",
                                             "mm",
                                             "bmm",
                                             "mv",
                                             "dot",
                                             "inner",
                                             "vdot",
                                             "linalg_solve",
                                             "polygamma",
                                             "next_polygamma",
                                             "bessel",
                                             "tanh_backward",
                                             "sigmoid_backward"};
  if (kTwo.contains(function)) return 2;
  if (function == "lerp" || function == "masked_fill" || function == "where") return 3;
  return function == "addcmul" || function == "addcdiv" ? 4 : 1;
}

bool notation_of(const Term& term) {
  if (term->kind == Kind::Call && !has_notation(term->text)) return false;
  if (term->kind == Kind::Lambda) return false;
  return std::all_of(term->arguments.begin(), term->arguments.end(), notation_of);
}

}  // namespace

bool has_notation(const std::string& function) { return table().contains(function); }
bool is_notation(const Term& term) { return term->kind != Kind::Name && notation_of(term); }

Markup set_call(const Setter& setter, const Expression& e) {
  const auto found = table().find(e.text);
  if (found != table().end() && e.arguments.size() >= needed(e.text)) return found->second(setter, e.arguments);
  if (e.arguments.empty() && (e.text == "infinity" || e.text == "quiet_NaN")) return {name_text(e.text), kAtom};
  return applied(name_text(e.text), setter, e.arguments);
}

}  // namespace page
