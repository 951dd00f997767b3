#include "reading.h"

namespace page {
namespace {

std::string unquoted(std::string_view text) { return std::string(text.substr(1, text.size() - 2)); }

Term without(const Term& term, const std::set<std::string>& attributes) {
  if (!term || term->arguments.empty()) return term;
  Expression e = *term;
  if (e.kind == Expression::Kind::Call || e.kind == Expression::Kind::List) {
    std::erase_if(e.arguments,
                  [&](const Term& a) { return a->kind == Expression::Kind::Name && attributes.contains(a->text); });
  }
  for (Term& a : e.arguments) a = without(a, attributes);
  return std::make_shared<const Expression>(std::move(e));
}

}  // namespace

std::vector<std::string> literals(const Range& range) {
  std::vector<std::string> found;
  for (std::size_t i = 0; i < range.size(); ++i) {
    if (range[i].kind == Token::Kind::Text) found.push_back(unquoted(range[i].text));
  }
  return found;
}
bool has_word(const Range& range, std::string_view word) {
  for (std::size_t i = 0; i < range.size(); ++i) {
    if (range[i].text == word) return true;
  }
  return false;
}

Asked asked(const Range& parameter) {
  Asked a;
  a.name = parameter_name(parameter);
  std::size_t first = 0;
  while (first < parameter.size() &&
         (parameter[first].text == "const" || parameter[first].text == "autograd" || parameter[first].text == "::"))
    ++first;
  if (first >= parameter.size()) return a;
  a.what = parameter[first].text;
  for (const char* kind : {"Dy", "In", "Out"}) {
    if (a.what == std::string(kind) + "Array") a.what = kind;
  }
  if (a.what != "Dy" && a.what != "In" && a.what != "Out" && a.what != "ShapeOf" && a.what != "Which" &&
      a.what != "Needs") {
    a.what = "Attrs";
  } else if (first + 2 < parameter.size() && parameter[first + 1].text == "<" &&
             parameter[first + 2].kind == Token::Kind::Number) {
    a.index = std::stoi(std::string(parameter[first + 2].text));
  }
  if (first + 1 >= parameter.size() || parameter[parameter.size() - 1].text == ">") a.name.clear();
  return a;
}

Formula without(Formula formula, const std::set<std::string>& attributes) {
  formula.value = without(formula.value, attributes);
  for (Definition& d : formula.definitions) d.value = without(d.value, attributes);
  return formula;
}

Formula renamed(Formula formula, const std::map<std::string, std::string>& names) {
  const auto of_term = [&](auto& self, const Term& term) -> Term {
    if (!term) return term;
    Expression e = *term;
    if (e.kind == Expression::Kind::Name) {
      if (const auto found = names.find(e.text); found != names.end()) e.text = found->second;
    }
    for (Term& a : e.arguments) a = self(self, a);
    return std::make_shared<const Expression>(std::move(e));
  };
  formula.value = of_term(of_term, formula.value);
  for (Definition& d : formula.definitions) d.value = of_term(of_term, d.value);
  return formula;
}

std::string plain(std::string_view text) {
  std::string line;
  for (const char c : text) line += c == '\n' ? ' ' : c;
  return line;
}

}  // namespace page
