#include "statements.h"

#include <algorithm>

namespace page {

std::size_t statement_end(const Range& body, std::size_t at) {
  while (at < body.size() && body[at].text != ";") {
    const std::string_view t = body[at].text;
    at = t == "(" || t == "{" || t == "[" ? behind_bracket(body, at) : at + 1;
  }
  return at;
}

std::size_t behind_statement(const Range& body, std::size_t at) {
  if (at >= body.size()) return at;
  const std::string_view t = body[at].text;
  if (t == "{") return behind_bracket(body, at);
  if (t == "if" || t == "for" || t == "while" || t == "switch") {
    std::size_t condition = at + 1;
    while (condition < body.size() && body[condition].text != "(") ++condition;
    std::size_t end = behind_statement(body, behind_bracket(body, condition));
    if (t == "if" && end < body.size() && body[end].text == "else") end = behind_statement(body, end + 1);
    return end;
  }
  return statement_end(body, at) + 1;
}

bool only_fails(const Range& statement) {
  std::size_t i = 0;
  while (i < statement.size() && (statement[i].text == "{" || statement[i].text == "core" || statement[i].text == "::"))
    ++i;
  return i < statement.size() && (statement[i].text == "fail" || statement[i].text.starts_with("fail_"));
}

bool is_guard(const Range& condition) {
  // In what dtype it is computed is no part of a formula.
  for (std::size_t i = 0; i < condition.size(); ++i) {
    if (condition[i].text == "stored") return true;
  }
  bool of_size = false, of_nothing = false;
  for (std::size_t i = 0; i < condition.size(); ++i) {
    const std::string_view t = condition[i].text;
    if (t == "&&" || t == "||" || t == "any" || t == "!") return false;
    of_nothing |= t == "empty" && i > 0 && condition[i - 1].text == ".";
    of_size |= t == "dim" || t == "numel" || t == "size";
  }
  return of_nothing || (of_size && condition[condition.size() - 1].text == "0");
}

std::size_t brace(const Range& s) {
  std::size_t i = 0;
  while (i < s.size() && !(s[i].text == "{" && behind_bracket(s, i) == s.size())) ++i;
  return i;
}

}  // namespace page
