// Functions' bodies: statements become definitions and cases.
#include <algorithm>
#include <map>

#include "expression.h"
#include "statements.h"

namespace page {
namespace {

using Kind = Expression::Kind;

Term replaced(const Term& term, const std::map<std::string, Term>& values) {
  if (!term) return term;
  if (term->kind == Kind::Name) {
    const auto found = values.find(term->text);
    return found == values.end() ? term : found->second;
  }
  if (term->kind == Kind::Call && !term->is_member) {
    // A definition that only renames a function.
    const auto found = values.find(term->text);
    if (found != values.end() && found->second->kind == Kind::Name) {
      Expression e = *term;
      e.text = found->second->text;
      for (Term& argument : e.arguments) argument = replaced(argument, values);
      return std::make_shared<const Expression>(std::move(e));
    }
  }
  if (term->arguments.empty()) return term;
  Expression e = *term;
  for (Term& argument : e.arguments) argument = replaced(argument, values);
  return std::make_shared<const Expression>(std::move(e));
}

bool is_simple(const Term& term) {
  return term->kind == Kind::Name || term->kind == Kind::Number ||
         (term->kind == Kind::Field && is_simple(term->arguments[0]));
}

class Runner {
 public:
  // Runs statements; the value that they return, or nothing when they go on behind their end.
  Term run(const Range& body) {
    std::size_t at = 0;
    while (at < body.size()) {
      const std::string_view t = body[at].text;
      if (t == ";") {
        ++at;
        continue;
      }
      if (t == "{") {
        const std::size_t end = behind_bracket(body, at);
        if (Term value = run(body.part(at + 1, end - 1))) return value;
        at = end;
        continue;
      }
      if (t == "if") return run_if(body.from(at));
      if (t == "return") {
        const std::size_t end = statement_end(body, at);
        if (end == at + 1) throw NotAFormula("returns nothing");
        return returned(body.part(at + 1, end));
      }
      if (t == "for" || t == "while") {
        const std::size_t end = std::min(behind_statement(body, at), body.size());
        if (!run_list_loop(body.part(at, end))) run_bookkeeping(body.part(at, end), std::string(t));
        at = end;
        continue;
      }
      if (t == "do" || t == "switch" || t == "try") throw NotAFormula(std::string(t));
      const std::size_t end = statement_end(body, at);
      run_statement(body.part(at, end));
      at = end + 1;
    }
    return nullptr;
  }
  std::vector<Definition> definitions;

 private:
  Term expression(const Range& range) const { return replaced(read_expression(range), values_); }
  Term returned(const Range& range) {
    // A body in a lambda, run in an operation's name.
    std::size_t i = 0;
    while (i < range.size() && range[i].text != "in_name_of" && range[i].text != "[") ++i;
    if (i <= 2 && i + 1 < range.size() && range[i].text == "in_name_of") {
      const std::vector<Range> arguments = split_list(range.part(i + 2, range.size() - 1));
      if (arguments.size() == 2 && arguments[1][0].text == "[") {
        Term value = run(parts_of_lambda(arguments[1]).second);
        if (!value) throw NotAFormula("returns nothing");
        return value;
      }
    }
    return expression(range);
  }

  Term run_if(const Range& body) {
    const bool constant = body[1].text == "constexpr";
    const std::size_t open = constant ? 2 : 1, close = behind_bracket(body, open);
    const Range condition = body.part(open + 1, close - 1);
    std::size_t yes_end = behind_statement(body, close);
    Range yes = body.part(close, std::min(yes_end, body.size())), no = body.part(0, 0);
    if (yes_end < body.size() && body[yes_end].text == "else") {
      const std::size_t end = std::min(behind_statement(body, yes_end + 1), body.size());
      no = body.part(yes_end + 1, end);
      yes_end = end;
    }
    const Range rest = body.part(std::min(yes_end, body.size()), body.size());
    if (no.empty() && (only_fails(yes) || is_guard(condition))) return run(rest);
    const Term when = expression(condition);
    // Each side in turn, from the same state; what they have changed differs by the case.
    const auto before = values_;
    Term yes_value = run(yes);
    const auto after_yes = values_;
    values_ = before;
    Term no_value = no.empty() ? nullptr : run(no);
    if (!yes_value && !no_value) {
      for (const auto& [name, value] : after_yes) {
        const auto other = values_.find(name);
        if (other == values_.end() || other->second == value) continue;
        other->second = cases(value, when, other->second);
      }
      return run(rest);
    }
    if (!yes_value) {
      std::swap(yes_value, no_value);
      values_ = after_yes;
      Term otherwise = run(rest);
      if (!otherwise) throw NotAFormula("a case without a value");
      return cases(otherwise, when, yes_value);
    }
    if (!no_value) no_value = run(rest);
    if (!no_value) throw NotAFormula("a case without a value");
    return cases(yes_value, when, no_value);
  }
  static Term cases(const Term& yes, const Term& when, const Term& no) {
    Expression e{Kind::Cases, "", {yes, when}};
    if (no->kind == Kind::Cases) {
      e.arguments.insert(e.arguments.end(), no->arguments.begin(), no->arguments.end());
    } else {
      e.arguments.push_back(no);
    }
    return std::make_shared<const Expression>(std::move(e));
  }

  // Sizes, strides, lists of dimensions: loops over them and changes of them leave their names as they are. Whatever changes
  // a tensor is told elsewhere, or is no formula.
  void run_bookkeeping(const Range& s, const std::string& why) {
    const auto changed = [&](std::size_t at) {
      const std::string name(s[at].text);
      const auto type = types_.find(name);
      if (type == types_.end() || type->second.find("Tensor") != std::string::npos ||
          type->second.find("Array") != std::string::npos || type->second.find("auto") != std::string::npos) {
        throw NotAFormula(why);
      }
      values_.erase(name);
    };
    int depth = 0;
    for (std::size_t i = 0; i < s.size(); ++i) {
      const std::string_view t = s[i].text;
      if (t == "(") ++depth;
      if (t == ")") --depth;
      if (t == "return" || t == "fail") throw NotAFormula(why);
      const bool assigns = t == "=" || t == "+=" || t == "-=" || t == "*=" || t == "/=";
      if (i == 0) continue;
      if (assigns) {
        std::size_t name = i - 1;
        if (s[name].text == "]") {
          int open = 0;
          do {
            open += s[name].text == "]" ? 1 : s[name].text == "[" ? -1 : 0;
            --name;
          } while (open != 0 && name > 0);
        }
        if (s[name].kind != Token::Kind::Word) throw NotAFormula(why);
        if (name > 0 && (s[name - 1].kind == Token::Kind::Word || s[name - 1].text == "&" || s[name - 1].text == "*" ||
                         s[name - 1].text == ">")) {
          types_[std::string(s[name].text)] = std::string(s[name - 1].text);  // declared here
        } else if (name > 0 && s[name - 1].text == ".") {
          throw NotAFormula(why);
        } else if (types_.contains(std::string(s[name].text)) || depth == 0) {
          changed(name);
        }
      }
      static constexpr std::string_view kChanges[] = {"push_back", "insert", "erase", "pop_back",
                                                      "resize",    "copy_",  "fill_", "emplace_back"};
      if (t == "." && i + 1 < s.size() &&
          std::find(std::begin(kChanges), std::end(kChanges), s[i + 1].text) != std::end(kChanges)) {
        if (s[i - 1].kind != Token::Kind::Word) throw NotAFormula(why);
        changed(i - 1);
      }
    }
  }
  // A loop that fills a list of tensors with one expression each.
  bool run_list_loop(const Range& s) {
    if (s[0].text != "for") return false;
    const std::size_t close = behind_bracket(s, 1);
    const Range head = s.part(2, close - 1);
    Range body = s.from(close);
    if (body.size() > 0 && body[0].text == "{") body = body.part(1, body.size() - 1);
    if (body.size() < 6 || body[1].text != "." || (body[2].text != "push_back" && body[2].text != "emplace_back"))
      return false;
    const std::string name(body[0].text);
    const auto type = types_.find(name);
    if (type == types_.end() || type->second.find("Tensor") == std::string::npos) return false;
    const std::size_t end = behind_bracket(body, 3);
    if (end + 1 < body.size()) return false;
    const Term value = expression(body.part(4, end - 1));
    std::size_t colon = 0;
    while (colon < head.size() && head[colon].text != ":" && head[colon].text != ";") ++colon;
    Term each;
    if (colon < head.size() && head[colon].text == ":") {
      const Term element =
          std::make_shared<const Expression>(Expression{Kind::Name, std::string(head[colon - 1].text)});
      each = std::make_shared<const Expression>(
          Expression{Kind::Call, "each in", {value, element, expression(head.from(colon + 1))}});
    } else {
      std::size_t equals = 0;
      while (equals < colon && head[equals].text != "=") ++equals;
      if (equals == 0 || equals >= colon) return false;
      std::size_t second = colon + 1;
      while (second < head.size() && head[second].text != ";") ++second;
      const Term index = std::make_shared<const Expression>(Expression{Kind::Name, std::string(head[equals - 1].text)});
      each = std::make_shared<const Expression>(Expression{
          Kind::Call,
          "each",
          {value, index, expression(head.part(equals + 1, colon)), expression(head.part(colon + 1, second))}});
    }
    values_[name] = each;
    return true;
  }

  void run_statement(const Range& s) {
    static constexpr std::string_view kSilent[] = {"Scope", "NoGradGuard", "using", "static_assert", "SpinLock"};
    std::size_t first = 0;
    bool constant = false;
    while (first < s.size() &&
           (s[first].text == "const" || s[first].text == "constexpr" || s[first].text == "static")) {
      constant = true;
      ++first;
    }
    if (first >= s.size()) return;
    if (std::find(std::begin(kSilent), std::end(kSilent), s[first].text) != std::end(kSilent)) return;
    std::size_t equals = first, depth_open = s.size();
    while (equals < s.size() && s[equals].text != "=" && s[equals].text != "+=" && s[equals].text != "-=" &&
           s[equals].text != "*=" && s[equals].text != "/=") {
      const std::string_view t = s[equals].text;
      if (t == "(" && depth_open == s.size()) depth_open = equals;
      if (t == "<" && equals > 0 && is_template_name(s[equals - 1].text)) {
        equals = behind_arguments(s, equals);
      } else {
        equals = t == "(" || t == "[" || t == "{" ? behind_bracket(s, equals) : equals + 1;
      }
    }
    // A check, which returns nothing.
    if (equals == s.size() && depth_open > 0) {
      const std::string_view name = s[std::min(depth_open, s.size()) - 1].text;
      if (name.starts_with("check") || name.starts_with("expect") || name.starts_with("fail") ||
          name == "checked_numel")
        return;
    }
    if (equals == s.size() && depth_open == s.size()) {  // `Tensor y;`, `Attrs attrs;`, `Attrs attrs{1, 2}`
      const std::size_t last = s[s.size() - 1].text == "}" ? brace(s) : s.size();
      if (last >= first + 2 && s[last - 1].kind == Token::Kind::Word) {
        const std::string name(s[last - 1].text);
        types_[name] = text_of(s.part(first, last - 1));
        const bool tensor = types_[name].find("Tensor") != std::string::npos;
        if (last == s.size() && tensor)
          values_[name] = std::make_shared<const Expression>(Expression{Kind::Name, "none"});
        return;
      }
      run_bookkeeping(s, "a statement");
      return;
    }
    if (equals == s.size()) {  // `Tensor y(x)`, or a call for what it does
      const bool declares = depth_open >= first + 2 && s[depth_open - 1].kind == Token::Kind::Word &&
                            (s[depth_open - 2].kind == Token::Kind::Word || s[depth_open - 2].text == "&" ||
                             s[depth_open - 2].text == ">");
      if (!declares) {
        // Only a list of sizes may be filled on the way: what else is called for what it does is no formula.
        if (s.size() < 4 || s[1].text != "." || depth_open != 3) throw NotAFormula("a statement");
        run_bookkeeping(s, "a statement");
        return;
      }
      const std::string name(s[depth_open - 1].text);
      types_[name] = text_of(s.part(first, depth_open - 1));
      const std::vector<Range> given = split_list(s.part(depth_open + 1, behind_bracket(s, depth_open) - 1));
      std::vector<Term> terms;
      for (const Range& g : given) terms.push_back(expression(g));
      if (terms.empty()) throw NotAFormula("a statement");
      define(name, terms.size() == 1 ? terms[0] : call(std::string(s[depth_open - 2].text), terms), constant);
      return;
    }
    if (equals == first + 1 && s[first].kind == Token::Kind::Word) {  // a new value
      const std::string name(s[first].text);
      const Term value = expression(s.from(equals + 1));
      const std::string op(s[equals].text.substr(0, s[equals].text.size() - 1));
      const auto now = values_.find(name);
      if (now == values_.end()) {
        run_bookkeeping(s, "an assignment");
        return;
      }
      now->second =
          op.empty() ? value : std::make_shared<const Expression>(Expression{Kind::Binary, op, {now->second, value}});
      return;
    }
    if (s[equals - 1].text == "]") {  // const auto [a, b] = ..., or an element's assignment
      std::size_t open = equals - 1;
      while (open > 0 && s[open].text != "[") --open;
      if (open == 0 || (s[open - 1].text != "auto" && s[open - 1].text != "&")) {
        run_bookkeeping(s, "an element's assignment");
        return;
      }
      const Term value = expression(s.from(equals + 1));
      const std::vector<Range> names = split_list(s.part(open + 1, equals - 1));
      std::string all;
      for (const Range& name : names) all += (all.empty() ? "" : ", ") + text_of(name);
      if (value->kind == Kind::List && value->arguments.size() == names.size()) {
        for (std::size_t i = 0; i < names.size(); ++i) define(text_of(names[i]), value->arguments[i], true);
      } else {
        definitions.push_back({all, {}, value});
      }
      return;
    }
    if (equals < first + 2 || s[equals - 1].kind != Token::Kind::Word || s[equals - 2].text == "." ||
        s[equals - 2].text == "->") {
      run_bookkeeping(s, "an assignment");
      return;
    }
    const std::string type = text_of(s.part(first, equals - 1));
    // A declaration, perhaps of several names.
    std::string name(s[equals - 1].text);
    for (const Range& part : split_list(s.from(equals + 1))) {
      Range value = part;
      if (part.size() > 0 && part.begin != s.begin + equals + 1) {
        std::size_t i = 0;
        while (i < part.size() && (part[i].text == "&" || part[i].text == "*" || part[i].text == "const")) ++i;
        if (i + 1 == part.size()) {  // without a value
          types_[std::string(part[i].text)] = type;
          continue;
        }
        if (i + 1 >= part.size() || part[i + 1].text != "=") throw NotAFormula("a declaration");
        name = part[i].text;
        value = part.from(i + 2);
      }
      types_[name] = type;
      define(name, expression(value), constant);
    }
  }
  void define(const std::string& name, const Term& value, bool constant) {
    if (value->kind == Kind::Lambda) {
      const auto [parameters, body] = parts_of_lambda(value->range);
      Runner inner;
      inner.values_ = values_;
      inner.types_ = types_;
      Definition d{name, {}, inner.run(body)};
      if (!d.value) throw NotAFormula("a function without a value");
      for (const Range& p : split_list(parameters)) d.parameters.push_back(parameter_name(p));
      definitions.insert(definitions.end(), inner.definitions.begin(), inner.definitions.end());
      definitions.push_back(std::move(d));
    } else if (!constant || is_simple(value)) {
      values_[name] = value;
    } else {
      values_.erase(name);
      definitions.push_back({name, {}, value});
    }
  }

  std::map<std::string, Term> values_;        // of names that change, or only rename
  std::map<std::string, std::string> types_;  // as declared
};

}  // namespace

Formula read_body(const Range& body) {
  Runner runner;
  Formula formula;
  formula.value = runner.run(body);
  if (!formula.value) throw NotAFormula("returns nothing");
  // Only what the value is made of.
  std::vector<Definition> kept;
  Formula used{{}, formula.value};
  for (auto d = runner.definitions.rbegin(); d != runner.definitions.rend(); ++d) {
    const std::vector<std::string> names = mentioned(used);
    bool needed = false;
    std::size_t start = 0;
    while (start <= d->name.size()) {
      const std::size_t comma = std::min(d->name.find(", ", start), d->name.size());
      needed |= std::binary_search(names.begin(), names.end(), d->name.substr(start, comma - start));
      start = comma + 2;
    }
    if (!needed) continue;
    kept.push_back(*d);
    used.definitions.push_back(*d);
  }
  std::reverse(kept.begin(), kept.end());
  formula.definitions = std::move(kept);
  return formula;
}

}  // namespace page
