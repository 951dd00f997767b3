// Every operation of the library has its formulas, and every letter in them stands for something.
#include <gradus/autograd/graph/operation_support.h>
#include <gradus/autograd/page/formulas.h>
#include <gradus/autograd/page/markup.h>

#include <algorithm>
#include <set>

#include "lines.h"

namespace page {
namespace {

using gradus::autograd::detail::Equations;
using gradus::autograd::detail::FormulaText;
using gradus::autograd::detail::math_of;

// Letters of a text, without words.
std::vector<std::string> letters_in(std::string_view text) {
  std::vector<std::string> names;
  (void)math_of(text, {}, &names);
  std::erase_if(names, [](const std::string& n) { return n.size() > 1 && n.find_first_of("_0123456789") != 1; });
  return names;
}

class Letters {
 public:
  explicit Letters(const FormulaText& f, const std::vector<std::string>& attributes) {
    for (const auto* names : {&f.inputs, &f.results, &f.arriving, &attributes}) {
      for (const std::string& n : *names) know(n);
    }
    for (const char* n : {"y", "c", "e", "n", "I", "T", "i", "s"}) known_.insert(n);
  }
  // Those that an equation binds: what stands on its left, below a sum, and behind what says over what, or which.
  void bind(std::string_view equation) {
    know(equation.substr(0, std::min(equation.find(" = "), equation.find(" ⇔ "))));
    for (const char* sign : {"sum_{", "product_{", "∑_{", "∏_{"}) {
      for (std::size_t at = equation.find(sign); at != equation.npos; at = equation.find(sign, at + 1)) {
        const std::size_t open = equation.find('{', at);
        know(equation.substr(open + 1, equation.find('}', open) - open - 1));
      }
    }
    for (const char* word : {" over ", " where ", " for ", " of ", "sum_", " with "}) {
      if (const std::size_t at = equation.find(word); at != equation.npos) know(equation.substr(at + 5));
    }
  }
  std::vector<std::string> unknown(std::string_view equation) const {
    std::vector<std::string> found;
    for (const std::string& n : letters_in(equation)) {
      if (!known_.contains(n) && !known_.contains(n.substr(0, n.find('_')))) found.push_back(n);
    }
    return found;
  }

 private:
  void know(std::string_view text) {
    known_.insert(std::string(text));
    for (std::string& n : letters_in(text)) known_.insert(std::move(n));
  }
  std::set<std::string> known_;
};

}  // namespace

std::vector<std::string> mistakes_in_formulas(bool letters_too) {
  std::vector<std::string> wrong;
  for (const auto& operation : gradus::autograd::operations()) {
    const std::string name = std::string(operation.name) + " of " + std::to_string(operation.inputs);
    const auto known = gradus::autograd::detail::known_formula(operation.name, operation.inputs);
    if (!known || !known->forward) {
      wrong.push_back(name + ": no formula");
      continue;
    }
    const FormulaText& f = *known;
    if (operation.inputs >= 0 && f.gradients.size() != static_cast<std::size_t>(operation.inputs))
      wrong.push_back(name + ": " + std::to_string(f.gradients.size()) + " gradients");
    std::vector<std::string> attributes = operation.attributes;
    const auto look = [&](const Equations& e) {
      Letters letters(f, attributes);
      letters.bind(f.forward->formula);
      for (const std::string& w : f.forward->where) letters.bind(w);
      letters.bind(e.formula);
      for (const std::string& w : e.where) letters.bind(w);
      for (const auto& g : f.gradients) {
        if (!g) continue;
        letters.bind(g->formula);
        for (const std::string& w : g->where) letters.bind(w);
      }
      std::vector<std::string> lines = e.where;
      lines.push_back(e.formula);
      for (const std::string& line : lines) {
        if (line.find("): ") != line.npos) continue;  // words
        for (const std::string& letter : letters.unknown(line)) {
          wrong.push_back(name + ": " + letter + " stands for nothing in " + line);
        }
      }
    };
    if (letters_too) look(*f.forward);
    for (std::size_t i = 0; i < f.gradients.size(); ++i) {
      if (f.gradients[i] && letters_too) look(*f.gradients[i]);
      if (!f.gradients[i] && f.without[i] == "?") wrong.push_back(name + ": no gradient of " + f.inputs[i]);
    }
  }
  return wrong;
}

}  // namespace page
