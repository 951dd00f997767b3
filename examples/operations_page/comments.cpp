// Formulas in comments: `y = a b, batches broadcast:  da = dy b^T,  db = a^T dy. Operands have ...`
#include <cctype>

#include "catalogue.h"

namespace page {
namespace {

// Cut where a clause ends, outside brackets.
std::vector<std::string> clauses(std::string_view comment) {
  std::vector<std::string> parts;
  std::string part;
  int depth = 0;
  const auto end = [&] {
    while (!part.empty() && (part.back() == ' ' || part.back() == '.')) part.pop_back();
    while (!part.empty() && part.front() == ' ') part.erase(0, 1);
    if (!part.empty()) parts.push_back(part);
    part.clear();
  };
  for (std::size_t i = 0; i < comment.size(); ++i) {
    const char c = comment[i] == '\n' ? ' ' : comment[i];
    if (c == '(' || c == '[' || c == '{') ++depth;
    if (c == ')' || c == ']' || c == '}') --depth;
    const char next = i + 1 < comment.size() ? comment[i + 1] : ' ';
    const bool space = next == ' ' || next == '\n';
    const bool wide = c == ' ' && space && i + 2 < comment.size() && comment[i + 2] == ' ';
    const bool goes_on = c == ',' && comment.substr(i + 1).starts_with(" else");
    if (depth <= 0 && !goes_on &&
        (((c == ',' || c == ':' || c == ';' || c == '.') && space && (i == 0 || comment[i - 1] != '.')) || wide)) {
      end();
    } else {
      part += c;
    }
  }
  end();
  return parts;
}

// The left side of an equation; empty where the clause is none.
std::string_view left_of(std::string_view clause) {
  std::size_t at = clause.find(" = ");
  if (at == std::string_view::npos) at = clause.find(" <- ");
  if (at == std::string_view::npos || at > 24) return {};
  const std::string_view left = clause.substr(0, at);
  int words = 0;
  std::size_t length = 0;
  for (std::size_t i = 0; i <= left.size(); ++i) {
    if (i < left.size() && std::isalpha(static_cast<unsigned char>(left[i])) != 0) {
      ++length;
      continue;
    }
    if (length > 6) return {};
    if (length > 1) ++words;
    length = 0;
  }
  return words <= 3 ? left : std::string_view{};
}
bool is_gradient(std::string_view left) {
  if (left.size() < 2 || left[0] != 'd') return false;
  return std::isupper(static_cast<unsigned char>(left[1])) != 0 || left.size() <= 3 || left.starts_with("dL") ||
         left[1] == '/' || left[2] == '[' || left[2] == '_' || left.find('/') != std::string_view::npos ||
         left.starts_with("dweight") || left.starts_with("dbias") || left.starts_with("dscores");
}

}  // namespace

std::string result_formula(std::string_view comment) {
  for (const std::string& clause : clauses(comment)) {
    const std::string_view left = left_of(clause);
    if (left.empty()) continue;
    return is_gradient(left) ? std::string() : clause;
  }
  return {};
}

std::vector<std::pair<std::string, std::string>> gradient_formulas(std::string_view comment) {
  std::vector<std::pair<std::string, std::string>> found;
  for (const std::string& clause : clauses(comment)) {
    const std::string_view left = left_of(clause);
    // Behind a gradient stand the names that it is made of.
    if (!left.empty() && (is_gradient(left) || !found.empty())) found.emplace_back(std::string(left), clause);
  }
  return found;
}

}  // namespace page
