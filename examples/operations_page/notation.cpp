// The notation of functions: a row each.
#include "notation.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "mathml.h"

namespace page {
namespace {

using Kind = Expression::Kind;
using Arguments = std::vector<Term>;
using Row = std::function<Markup(const Setter&, const Arguments&)>;

std::string row(const std::string& inner) { return "<mrow>" + inner + "</mrow>"; }
std::string op(const std::string& sign) { return "<mo>" + sign + "</mo>"; }
std::string power(const std::string& base, const std::string& exponent) {
  return "<msup>" + base + exponent + "</msup>";
}
std::string number_text(const char* n) { return std::string("<mn>") + n + "</mn>"; }
const std::string kThin = "<mspace width=\"0.17em\"/>";

bool is_text(const Term& t, std::string_view text) { return t->text == text && t->arguments.empty(); }

Markup applied(const std::string& function, const Setter& s, const Arguments& a, std::size_t count = 99) {
  std::string inner;
  for (std::size_t i = 0; i < std::min(a.size(), count); ++i) {
    if (a[i]->kind == Kind::List && a[i]->arguments.empty()) continue;
    inner += (inner.empty() ? "" : op(",")) + s.set(a[i]).text;
  }
  return {row(function + "<mo>&#x2061;</mo>" + Setter::fenced(row(inner)).text), kPower};
}
Row named(const char* how) {
  return [how](const Setter& s, const Arguments& a) { return applied(std::string("<mi>") + how + "</mi>", s, a); };
}
Row raised(const char* base) {
  return [base](const Setter& s, const Arguments& a) { return Markup{power(base, row(s.set(a[0]).text)), kPower}; };
}
Row with_sign(const char* sign, int level) {
  return [sign, level](const Setter& s, const Arguments& a) {
    return Markup{row(s.at(a[0], level) + op(sign) + s.at(a[1], level)), level == kSum ? kRelation : level};
  };
}
Row enclosed(const char* open, const char* close) {
  return [open, close](const Setter& s, const Arguments& a) { return Setter::fenced(s.set(a[0]).text, open, close); };
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
  for (const Term& d : a[1]->arguments) inner += (inner.empty() ? "" : op(",")) + s.set(d).text;
  return row(inner);
}
Row over(const char* sign, bool large) {
  return [sign, large](const Setter& s, const Arguments& a) {
    const std::string what = large ? std::string("<mo largeop=\"true\" movablelimits=\"false\">") + sign + "</mo>"
                                   : std::string("<mo movablelimits=\"false\">") + sign + "</mo>";
    const std::string dims = dimensions(s, a);
    const std::string head = dims.empty() ? what : "<munder>" + what + dims + "</munder>";
    return Markup{row(head + kThin + s.at(a[0], large ? kProduct : kAtom)), kProduct};
  };
}
Row transposed() {
  return [](const Setter& s, const Arguments& a) {
    const bool last_two = a.size() == 1 || (a.size() == 3 && s.set(a[1]).text != s.set(a[2]).text &&
                                            a[1]->kind == Kind::Unary && a[2]->kind == Kind::Unary);
    if (last_two) return Markup{power(s.at(a[0], kAtom), "<mi>⊤</mi>"), kPower};
    return applied("<mi>transpose</mi>", s, a);
  };
}
Markup matrix_product(const Setter& s, const Arguments& a) {
  return {row(s.at(a[0], kProduct) + kThin + s.at(a[1], kProduct)), kProduct};
}
Markup root(const Setter& s, const Arguments& a) { return {"<msqrt>" + s.set(a[0]).text + "</msqrt>", kAtom}; }
Markup inverse_root(const Setter& s, const Arguments& a) {
  return {"<mfrac>" + number_text("1") + root(s, a).text + "</mfrac>", kProduct};
}
Markup raised_to(const Setter& s, const Arguments& a) {
  return {power(s.at(a[0], kAtom), row(s.set(a[1]).text)), kPower};
}
Markup norm_of(const Setter& s, const Arguments& a) {
  const std::string bars = Setter::fenced(s.set(a[0]).text, "‖", "‖").text;
  const std::string p = a.size() > 1 && a[1]->kind != Kind::List ? s.set(a[1]).text : number_text("2");
  return {"<msub>" + bars + row(p) + "</msub>", kAtom};
}
// Sums of powers: ln sum exp.
Row log_of_sum(const char* base, const char* log) {
  return [base, log](const Setter& s, const Arguments& a) {
    const std::string terms = row(power(base, row(s.set(a[0]).text)) + op("+") + power(base, row(s.set(a[1]).text)));
    return Markup{row(log + std::string("<mo>&#x2061;</mo>") + Setter::fenced(terms).text), kPower};
  };
}
Row logarithm(const char* base) {
  return [base](const Setter& s, const Arguments& a) {
    const std::string name =
        base == nullptr ? "<mi>ln</mi>" : "<msub><mi>log</mi><mn>" + std::string(base) + "</mn></msub>";
    Markup x = s.set(a[0]);
    const bool bare = x.level == kAtom && !x.text.starts_with("<mrow><mo>(");
    return Markup{row(name + "<mo>&#x2061;</mo>" + (bare ? kThin + x.text : Setter::fenced(x.text).text)), kPower};
  };
}
Row subscripted(const char* name, const char* below) {
  return [name, below](const Setter& s, const Arguments& a) {
    return applied("<msub><mi>" + std::string(name) + "</mi><mn>" + below + "</mn></msub>", s, a);
  };
}

const std::map<std::string, Row>& table() {
  static const std::map<std::string, Row> rows = [] {
    const std::string e = "<mi mathvariant=\"normal\">e</mi>", two = number_text("2");
    std::map<std::string, Row> t;
    t["exp"] = raised("<mi mathvariant=\"normal\">e</mi>");
    t["exp2"] = raised("<mn>2</mn>");
    t["expm1"] = [e](const Setter& s, const Arguments& a) {
      return Markup{row(power(e, row(s.set(a[0]).text)) + op("−") + number_text("1")), kSum};
    };
    t["log"] = logarithm(nullptr);
    t["log2"] = logarithm("2");
    t["log10"] = logarithm("10");
    t["log1p"] = [](const Setter& s, const Arguments& a) {
      return Markup{
          row("<mi>ln</mi><mo>&#x2061;</mo>" + Setter::fenced(row(number_text("1") + op("+") + s.at(a[0], kSum))).text),
          kPower};
    };
    for (const char* f : {"sin", "cos", "tan", "sinh", "cosh", "tanh", "erf", "erfc", "det", "sinc"}) t[f] = named(f);
    for (const auto& [f, how] : std::initializer_list<std::pair<const char*, const char*>>{
             {"asin", "arcsin"},    {"acos", "arccos"},       {"atan", "arctan"},
             {"asinh", "arsinh"},   {"acosh", "arcosh"},      {"atanh", "artanh"},
             {"atan2", "arctan2"},  {"sigmoid", "σ"},         {"logistic", "σ"},
             {"expit", "σ"},        {"sign", "sgn"},          {"digamma", "ψ"},
             {"psi", "ψ"},          {"normal_cdf", "Φ"},      {"ndtr", "Φ"},
             {"maximum", "max"},    {"minimum", "min"},       {"trace", "tr"},
             {"linalg_det", "det"}, {"round", "round"},       {"softmax", "softmax"},
             {"tril", "tril"},      {"triu", "triu"},         {"diag", "diag"},
             {"diagonal", "diag"},  {"trunc", "trunc"},       {"isnan", "isnan"},
             {"isinf", "isinf"},    {"isfinite", "isfinite"}, {"erfinv", "erf⁻¹"}}) {
      t[f] = named(how);
    }
    t["i0"] = subscripted("I", "0");
    t["i1"] = subscripted("I", "1");
    t["lgamma"] = [](const Setter& s, const Arguments& a) {
      const std::string gamma = applied("<mi mathvariant=\"normal\">Γ</mi>", s, a).text;
      return Markup{row("<mi>ln</mi><mo>&#x2061;</mo>" + Setter::fenced(gamma, "|", "|").text), kPower};
    };
    t["gammaln"] = t["lgamma"];
    t["polygamma"] = t["next_polygamma"] = [](const Setter& s, const Arguments& a) {
      return applied(power("<mi>ψ</mi>", Setter::fenced(s.set(a[0]).text).text), s, {a[1]});
    };
    t["next_polygamma"] = [](const Setter& s, const Arguments& a) {
      const std::string next = row(s.set(a[0]).text + op("+") + number_text("1"));
      return applied(power("<mi>ψ</mi>", Setter::fenced(next).text), s, {a[1]});
    };
    t["bessel"] = [](const Setter& s, const Arguments& a) {
      const std::string x = row("<mi>π</mi>" + kThin + s.at(a[1], kPower));
      return Markup{
          row("<msub><mi>j</mi>" + row(s.set(a[0]).text) + "</msub><mo>&#x2061;</mo>" + Setter::fenced(x).text),
          kPower};
    };
    t["sqrt"] = root;
    t["rsqrt"] = inverse_root;
    t["square"] = [](const Setter& s, const Arguments& a) {
      return Markup{power(s.at(a[0], kAtom), number_text("2")), kPower};
    };
    t["reciprocal"] = [](const Setter& s, const Arguments& a) {
      return Markup{"<mfrac>" + number_text("1") + s.set(a[0]).text + "</mfrac>", kProduct};
    };
    t["pow"] = raised_to;
    t["abs"] = enclosed("|", "|");
    t["floor"] = enclosed("⌊", "⌋");
    t["ceil"] = enclosed("⌈", "⌉");
    t["neg"] = [](const Setter& s, const Arguments& a) {
      return s.product(std::make_shared<const Expression>(Expression{Kind::Unary, "-", {a[0]}}));
    };
    t["add"] = t["add_scaled"] = as_operator("+");
    t["sub"] = as_operator("-");
    t["rsub"] = [](const Setter& s, const Arguments& a) { return as_operator("-")(s, {a[1], a[0]}); };
    t["mul"] = as_operator("*");
    t["div"] = [](const Setter& s, const Arguments& a) { return as_operator("/")(s, {a[0], a[1]}); };
    t["eq"] = with_sign("=", kSum);
    t["ne"] = with_sign("≠", kSum);
    t["lt"] = with_sign("&lt;", kSum);
    t["le"] = with_sign("≤", kSum);
    t["gt"] = with_sign("&gt;", kSum);
    t["ge"] = with_sign("≥", kSum);
    const auto joined = [](const char* sign) -> Row {
      return [sign](const Setter& s, const Arguments& a) {
        const auto side = [&](const Term& x) {
          const bool relation = x->kind == Kind::Binary || (x->kind == Kind::Call && x->text == "isnan");
          return relation ? s.set(x).text : s.at(x, kSum);
        };
        return Markup{row(side(a[0]) + op(sign) + side(a[1])), kRelation};
      };
    };
    t["logical_and"] = t["bitwise_and"] = joined("∧");
    t["logical_or"] = t["bitwise_or"] = joined("∨");
    t["logical_xor"] = t["bitwise_xor"] = joined("⊻");
    t["logical_not"] = [](const Setter& s, const Arguments& a) { return Markup{s.negated(a[0]), kRelation}; };
    t["hypot"] = [](const Setter& s, const Arguments& a) {
      const auto squared = [&](const Term& x) { return power(s.at(x, kAtom), number_text("2")); };
      return Markup{"<msqrt>" + row(squared(a[0]) + op("+") + squared(a[1])) + "</msqrt>", kAtom};
    };
    t["logaddexp"] = log_of_sum("<mi mathvariant=\"normal\">e</mi>", "<mi>ln</mi>");
    t["logaddexp2"] = log_of_sum("<mn>2</mn>", "<msub><mi>log</mi><mn>2</mn></msub>");
    t["xlogy"] = [](const Setter& s, const Arguments& a) {
      return Markup{row(s.at(a[0], kPower) + kThin + logarithm(nullptr)(s, {a[1]}).text), kProduct};
    };
    t["xlog1py"] = [](const Setter& s, const Arguments& a) {
      const std::string inner = row(number_text("1") + op("+") + s.at(a[1], kSum));
      return Markup{row(s.at(a[0], kPower) + kThin + "<mi>ln</mi><mo>&#x2061;</mo>" + Setter::fenced(inner).text),
                    kProduct};
    };
    t["entr"] = [](const Setter& s, const Arguments& a) {
      return Markup{row(op("−") + s.at(a[0], kPower) + kThin + logarithm(nullptr)(s, {a[0]}).text), kSum};
    };
    t["exp_times"] = [e](const Setter& s, const Arguments& a) {
      return Markup{row(s.at(a[0], kPower) + op("·") + power(e, row(s.set(a[1]).text))), kProduct};
    };
    t["one_minus_square"] = [](const Setter& s, const Arguments& a) {
      return Markup{row(number_text("1") + op("−") + power(s.at(a[0], kAtom), number_text("2"))), kSum};
    };
    t["arc_slope"] = [](const Setter& s, const Arguments& a) {
      const std::string inner = row(number_text("1") + op("−") + power(s.at(a[0], kAtom), number_text("2")));
      return Markup{"<mfrac>" + number_text("1") + "<msqrt>" + inner + "</msqrt></mfrac>", kProduct};
    };
    t["relu"] = [](const Setter& s, const Arguments& a) { return applied("<mi>max</mi>", s, {a[0], number("0")}); };
    t["clamp_min"] = [](const Setter& s, const Arguments& a) { return applied("<mi>max</mi>", s, {a[0], a[1]}); };
    t["clamp_max"] = [](const Setter& s, const Arguments& a) { return applied("<mi>min</mi>", s, {a[0], a[1]}); };
    t["lerp"] = [](const Setter& s, const Arguments& a) {
      const std::string rest = row(s.at(a[1], kSum) + op("−") + s.at(a[0], kProduct));
      return Markup{row(s.at(a[0], kSum) + op("+") + s.at(a[2], kPower) + op("·") + Setter::fenced(rest).text), kSum};
    };
    t["frac"] = [](const Setter& s, const Arguments& a) {
      return Markup{row(s.at(a[0], kSum) + op("−") + applied("<mi>trunc</mi>", s, a).text), kSum};
    };
    t["addcmul"] = [](const Setter& s, const Arguments& a) {
      return Markup{row(s.at(a[0], kSum) + op("+") + s.at(a[3], kPower) + kThin + s.at(a[1], kPower) + op("·") +
                        s.at(a[2], kPower)),
                    kSum};
    };
    t["addcdiv"] = [](const Setter& s, const Arguments& a) {
      const std::string quotient = "<mfrac>" + s.set(a[1]).text + s.set(a[2]).text + "</mfrac>";
      return Markup{row(s.at(a[0], kSum) + op("+") + s.at(a[3], kPower) + kThin + quotient), kSum};
    };
    t["masked_fill"] = set_masked;
    t["where"] = set_chosen;
    t["zeros_like"] = t["zeros"] = t["new_zeros"] = [](const Setter&, const Arguments&) {
      return Markup{number_text("0"), kAtom};
    };
    t["ones_like"] = t["ones"] = [](const Setter&, const Arguments&) { return Markup{number_text("1"), kAtom}; };
    t["full"] = [](const Setter& s, const Arguments& a) { return a.size() > 1 ? s.set(a[1]) : Markup{}; };
    t["eye"] = [](const Setter&, const Arguments&) { return Markup{"<mi>I</mi>", kAtom}; };
    t["sum"] = over("∑", true);
    t["prod"] = over("∏", true);
    t["mean"] = over("mean", false);
    t["amax"] = over("max", false);
    t["amin"] = over("min", false);
    t["logsumexp"] = [e](const Setter& s, const Arguments& a) {
      Arguments of{std::make_shared<const Expression>(Expression{Kind::Call, "exp", {a[0]}})};
      if (a.size() > 1) of.push_back(a[1]);
      return Markup{row("<mi>ln</mi><mo>&#x2061;</mo>" + over("∑", true)(s, of).text), kPower};
    };
    t["norm"] = t["linalg_vector_norm"] = norm_of;
    t["matmul"] = t["mm"] = t["bmm"] = t["mv"] = matrix_product;
    t["dot"] = t["inner"] = t["vdot"] = with_sign("⋅", kProduct);
    t["t"] = t["mT"] = t["transpose"] = t["numpy_T"] = t["adjoint"] = transposed();
    t["linalg_inv"] = t["inverse"] = [](const Setter& s, const Arguments& a) {
      return Markup{power(s.at(a[0], kAtom), row(op("−") + number_text("1"))), kPower};
    };
    t["linalg_pinv"] = [](const Setter& s, const Arguments& a) {
      return Markup{power(s.at(a[0], kAtom), op("+")), kPower};
    };
    t["linalg_solve"] = [](const Setter& s, const Arguments& a) {
      return Markup{row(power(s.at(a[0], kAtom), row(op("−") + number_text("1"))) + kThin + s.at(a[1], kProduct)),
                    kProduct};
    };
    t["tanh_backward"] = [](const Setter& s, const Arguments& a) {
      const std::string slope = row(number_text("1") + op("−") + power(s.at(a[1], kAtom), number_text("2")));
      return Markup{row(s.at(a[0], kPower) + op("·") + Setter::fenced(slope).text), kProduct};
    };
    t["sigmoid_backward"] = [](const Setter& s, const Arguments& a) {
      const std::string rest = row(number_text("1") + op("−") + s.at(a[1], kProduct));
      return Markup{row(s.at(a[0], kPower) + op("·") + s.at(a[1], kPower) + op("·") + Setter::fenced(rest).text),
                    kProduct};
    };
    t["logistic_slope"] = [](const Setter& s, const Arguments& a) {
      const Term minus = std::make_shared<const Expression>(Expression{Kind::Unary, "-", {a[0]}});
      return Markup{row(applied("<mi>σ</mi>", s, a).text + op("·") + applied("<mi>σ</mi>", s, {minus}).text), kProduct};
    };
    t["log1p_exp"] = [e](const Setter& s, const Arguments& a) {
      const std::string inner = row(number_text("1") + op("+") + power(e, row(s.set(a[0]).text)));
      return Markup{row("<mi>ln</mi><mo>&#x2061;</mo>" + Setter::fenced(inner).text), kPower};
    };
    // Lists: the expression for each element, or each index.
    t["each in"] = [](const Setter& s, const Arguments& a) {
      return Setter::fenced(row(s.set(a[0]).text +
                                "<mspace width=\"0.4em\"/><mtext>for</mtext><mspace width=\"0.4em\"/>" +
                                s.set(a[1]).text + op("∈") + s.set(a[2]).text));
    };
    t["each"] = [](const Setter& s, const Arguments& a) {
      const std::string range =
          row(s.set(a[1]).text + op("=") + s.set(a[2]).text + op(",") + op("…") + op(",") + s.set(a[3]).text);
      return Setter::fenced(
          row(s.set(a[0]).text + "<mspace width=\"0.4em\"/><mtext>for</mtext><mspace width=\"0.4em\"/>" + range));
    };
    // Shapes that an expression takes so that it broadcasts: the numbers are the same.
    t["with_dims"] = t["for_matrices"] = [](const Setter& s, const Arguments& a) { return s.set(a[0]); };
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
  if (e.arguments.empty() && (e.text == "infinity" || e.text == "quiet_NaN")) return {name_markup(e.text), kAtom};
  return applied(name_markup(e.text), setter, e.arguments);
}

}  // namespace page
