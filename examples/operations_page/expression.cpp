// The parser: precedence climbing, and the conversions that leave the mathematics as it is taken away.
#include "expression.h"

#include <algorithm>
#include <map>

namespace page {
namespace {

using Kind = Expression::Kind;

Term make(Kind kind, std::string text, std::vector<Term> arguments = {}) {
  return std::make_shared<const Expression>(Expression{kind, std::move(text), std::move(arguments), {}, false, {}});
}
bool one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

int precedence(std::string_view op) {
  static const std::map<std::string_view, int> levels = {
      {"||", 1}, {"&&", 2}, {"|", 3},  {"^", 4}, {"&", 5}, {"==", 6}, {"!=", 6}, {"<", 7}, {">", 7},
      {"<=", 7}, {">=", 7}, {"<<", 8}, {"+", 9}, {"-", 9}, {"*", 10}, {"/", 10}, {"%", 10}};
  const auto found = levels.find(op);
  return found == levels.end() ? 0 : found->second;
}

// `x.at()` and its kin: where a call was written.
bool is_place(const Term& term) { return term->kind == Kind::Call && one_of(term->text, {"at", "here", "unknown"}); }

// Members and functions that give their first argument, as far as mathematics goes.
bool is_transparent(const Expression& e) {
  if (e.arguments.empty()) return false;
  if (e.is_member) {
    return one_of(e.text,
                  {"tensor", "array", "detach", "contiguous", "to", "toDouble", "clone", "data", "toBool", "item"});
  }
  return one_of(e.text, {"Tensor", "Operand", "Scalar", "Array", "static_cast", "as_result", "in_dtype", "clone",
                         "move", "scalar", "number_like", "floating_like", "array_of", "contiguous", "Dims", "Shape",
                         "in_float", "IntArrayRef"});
}

Term simplified(Expression e) {
  if (e.kind == Kind::Call && e.text == "in_name_of" && e.arguments.size() == 2) {
    const Expression& f = *e.arguments[1];
    if (f.kind == Kind::Lambda) {
      const Formula inner = read_body(parts_of_lambda(f.range).second);
      if (inner.definitions.empty()) return inner.value;
    }
  }
  if (e.kind == Kind::Call) {
    while (e.arguments.size() > 1 && is_place(e.arguments.back())) e.arguments.pop_back();
    if (is_transparent(e)) return e.arguments[0];
    if (e.text == "get" && e.arguments.size() == 1 && !e.of.empty()) {
      return make(Kind::Index, "", {e.arguments[0], number(e.of)});
    }
  }
  if (e.kind == Kind::List && e.arguments.size() == 2 && is_place(e.arguments[1])) return e.arguments[0];
  if (e.kind == Kind::List && e.arguments.size() == 1) return e.arguments[0];
  if (e.kind == Kind::Unary && (e.text == "*" || e.text == "+")) return e.arguments[0];
  return std::make_shared<const Expression>(std::move(e));
}

class Parser {
 public:
  explicit Parser(const Range& range) : r_(range) {}
  Term all() {
    Term term = conditional();
    if (at_ != r_.size()) fail();
    return term;
  }

 private:
  std::string_view now() const { return at_ < r_.size() ? r_[at_].text : std::string_view(); }
  bool take(std::string_view text) {
    if (now() != text) return false;
    ++at_;
    return true;
  }
  [[noreturn]] void fail() const { throw NotAFormula("unexpected '" + std::string(now()) + "'"); }

  Term conditional() {
    Term condition = binary(1);
    if (!take("?")) return condition;
    Term yes = conditional();
    if (!take(":")) fail();
    Term no = conditional();
    return make(Kind::Cases, "", {yes, condition, no});
  }
  Term binary(int level) {
    Term left = unary();
    for (;;) {
      const std::string op(now());
      const int mine = precedence(op);
      if (mine < level || mine == 0) return left;
      ++at_;
      Term right = binary(mine + 1);
      left = make(Kind::Binary, op, {left, right});
    }
  }
  Term unary() {
    if (one_of(now(), {"-", "!", "+", "*", "&", "~"}) && r_[at_].kind == Token::Kind::Mark) {
      const std::string sign(now());
      ++at_;
      return simplified({Kind::Unary, sign, {unary()}});
    }
    return postfix(primary());
  }
  std::vector<Term> list(std::string_view close) {
    std::vector<Term> terms;
    if (take(close)) return terms;
    do {
      terms.push_back(conditional());
    } while (take(","));
    if (!take(close)) fail();
    return terms;
  }
  Term postfix(Term term) {
    for (;;) {
      if (take(".") || take("->")) {
        if (now() == "template") ++at_;
        const std::string name(now());
        ++at_;
        std::string of;
        if (now() == "<" && is_template_name(name)) of = arguments_text();
        if (take("(")) {
          std::vector<Term> arguments = list(")");
          arguments.insert(arguments.begin(), term);
          Expression e{Kind::Call, name, std::move(arguments), of};
          e.is_member = true;
          term = simplified(std::move(e));
        } else {
          term = make(Kind::Field, name, {term});
        }
      } else if (take("[")) {
        Term index = conditional();
        if (!take("]")) fail();
        term = make(Kind::Index, "", {term, index});
      } else if (now() == "(" && term->kind == Kind::Name) {
        ++at_;
        term = simplified({Kind::Call, term->text, list(")"), term->of});
      } else if (now() == "{" && term->kind == Kind::Name) {
        ++at_;
        std::vector<Term> arguments = list("}");
        if (one_of(term->text, {"Tensor", "Operand", "Scalar"}) && !arguments.empty()) {
          term = arguments[0];
        } else {
          term = make(Kind::List, "", std::move(arguments));
        }
      } else {
        return term;
      }
    }
  }
  std::string arguments_text() {
    const std::size_t end = behind_arguments(r_, at_);
    const std::string text = text_of(r_.part(at_ + 1, end - 1));
    at_ = end;
    return text;
  }
  Term primary() {
    if (at_ >= r_.size()) fail();
    const Token& token = r_[at_];
    if (token.kind == Token::Kind::Number) {
      ++at_;
      return number(std::string(token.text));
    }
    if (token.kind == Token::Kind::Text) {
      ++at_;
      return make(Kind::Text, std::string(token.text));
    }
    if (take("(")) {
      Term inner = conditional();
      if (!take(")")) fail();
      return inner;
    }
    if (take("{")) return simplified({Kind::List, "", list("}")});
    if (token.text == "[") return lambda();
    if (token.kind != Token::Kind::Word) fail();
    if (one_of(token.text, {"new", "throw", "sizeof", "co_return"})) fail();
    ++at_;
    std::string name(token.text);
    for (;;) {
      if (now() == "::" && at_ + 1 < r_.size()) {
        name = std::string(r_[at_ + 1].text);
        at_ += 2;
      } else if (now() == "<" && is_template_name(name)) {
        Expression e{Kind::Name, name, {}, arguments_text()};
        if (now() == "::") {
          name = std::string(r_[at_ + 1].text);
          at_ += 2;
          continue;
        }
        return std::make_shared<const Expression>(std::move(e));
      } else {
        break;
      }
    }
    return make(Kind::Name, name);
  }
  Term lambda() {
    const std::size_t begin = at_;
    at_ = behind_bracket(r_, at_);
    if (now() == "(") at_ = behind_bracket(r_, at_);
    while (at_ < r_.size() && now() != "{") ++at_;
    at_ = behind_bracket(r_, at_);
    Expression e{Kind::Lambda, ""};
    e.range = r_.part(begin, at_);
    return std::make_shared<const Expression>(std::move(e));
  }

  Range r_;
  std::size_t at_ = 0;
};

void collect(const Term& term, std::vector<std::string>& names) {
  if (!term) return;
  if (term->kind == Kind::Name || term->kind == Kind::Call) names.push_back(term->text);
  if (term->kind == Kind::Lambda) {
    for (std::size_t i = 0; i < term->range.size(); ++i) names.emplace_back(term->range[i].text);
  }
  for (const Term& argument : term->arguments) collect(argument, names);
}

}  // namespace

Term number(std::string text) { return make(Kind::Number, std::move(text)); }
Term call(std::string function, std::vector<Term> arguments) {
  return make(Kind::Call, std::move(function), std::move(arguments));
}
Term read_expression(const Range& range) {
  if (range.empty()) throw NotAFormula("nothing");
  return Parser(range).all();
}

std::pair<Range, Range> parts_of_lambda(const Range& lambda) {
  std::size_t i = behind_bracket(lambda, 0);
  Range parameters = lambda.part(0, 0);
  if (i < lambda.size() && lambda[i].text == "(") {
    const std::size_t end = behind_bracket(lambda, i);
    parameters = lambda.part(i + 1, end - 1);
    i = end;
  }
  while (i < lambda.size() && lambda[i].text != "{") ++i;
  return {parameters, lambda.part(std::min(i + 1, lambda.size()), behind_bracket(lambda, i) - 1)};
}

std::string parameter_name(const Range& parameter) {
  std::size_t end = 0;
  while (end < parameter.size() && parameter[end].text != "=") ++end;
  if (end < 2 || parameter[end - 1].kind != Token::Kind::Word) return {};
  if (parameter[end - 2].text == "::" || (end == 2 && parameter[0].text == "const")) return {};
  return std::string(parameter[end - 1].text);
}

std::vector<std::string> mentioned(const Formula& formula) {
  std::vector<std::string> names;
  collect(formula.value, names);
  for (const Definition& d : formula.definitions) collect(d.value, names);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace page
