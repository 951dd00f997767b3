// What the page says, read from the sources: operations with their formulas, public functions with what they are made of.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "expression.h"

namespace page {

/// One line of mathematics, as far as it could be read.
struct Shown {
  std::string left;                       ///< its left side; empty: none
  std::optional<Formula> formula;         ///< a tree
  std::vector<Definition> helpers = {};   ///< functions of the source that the formula calls
  std::string comment = {};               ///< or a formula from a comment, with its left side
  std::vector<std::string> further = {};  ///< and what its names stand for, as it says
  std::string code = {};                  ///< or the C++ text
  std::string why = {};                   ///< why it is shown as that
  bool empty() const { return !formula && comment.empty() && code.empty(); }
};

/// Passes over memory, the fewest and the most of the cases. Negative: not known.
struct Passes {
  double least = 0, most = 0;
  bool known() const { return least >= 0; }
};

struct Gradient {
  std::string input;
  bool none = false;     ///< the input has no gradient
  bool refused = false;  ///< to ask for it is an error
  Shown shown;
  std::vector<std::string> keeps;  ///< what is kept for it
  Passes passes;
};

/// A struct with a forward and gradients.
struct Operation {
  enum class Kind { Primitive, View, Rule };
  std::string name;
  Kind kind = Kind::Primitive;
  const Item* item = nullptr;
  int line = 0;
  std::vector<std::string> inputs, results, arriving;  ///< names: of inputs, of outputs, of the gradients of outputs
  int outputs = 1;
  bool variadic = false;
  Shown forward;
  Shown reference;                    ///< of a rule
  std::vector<Gradient> gradients;    ///< of a rule, those that its comment has
  std::vector<Gradient> said;         ///< those that its own `formula` has, where the code's are told, too
  std::vector<std::string> keeps;     ///< of a rule
  std::vector<std::string> in_words;  ///< the gradients\' formulas that stand in the comment
  std::string comment;                ///< what the source says above it
  Passes forward_passes, backward_passes;
};

/// What one public name stands for.
struct Entry {
  enum class Kind { Primitive, View, Rule, Composed, Alias, InPlace, NoGradient };
  std::string name, scope;
  std::string family;
  Kind kind = Kind::NoGradient;
  std::vector<std::string> signatures, comments;
  std::vector<Operation*> operations;
  std::vector<Shown> bodies;          ///< of overloads that are made of others
  std::vector<std::string> calls;     ///< the public functions that they call
  std::vector<std::string> in_place;  ///< its forms that change their first operand
  std::vector<std::string> places;    ///< file:line
  Passes passes;
};

struct Family {
  std::string name, title, note;
  std::vector<Entry> entries;
};

class Catalogue {
 public:
  /// Reads the sources below `root`. FileError.
  explicit Catalogue(const std::string& root);

  std::vector<Family> families;
  /// What could be shown as C++ only, and forwards for which neither source nor comment gives a formula.
  std::vector<std::string> fallbacks, without_formula;
  int formulas = 0;
  std::set<std::string> names() const;
  std::vector<const Operation*> operations() const;

 private:
  void read_files(const std::string& root);
  void read_operations(const Item& item);
  void add_operation(const Item& item, const std::string& name, const std::string& row);
  void read_gradients(Operation& op, const Item& item, const std::string& row);
  void read_rule(Operation& op, const Item& item);
  void read_said(Operation& op, const std::string& text);
  void read_forward(Operation& op, const Item& item, const std::string& row);
  std::vector<std::string> names_of(const Item& item, std::vector<std::string>& rows) const;
  Term resolved(const Term& term) const;
  Formula resolved(Formula formula) const;
  bool has_own_struct(std::string_view base, std::string_view row) const;
  const Item* base_of(const Item& item) const;
  const Item* member_of(const Item& item, std::string_view name) const;
  void add_helpers(Shown& shown, const Item* of, const Source* source);
  const Item* helper(const std::string& name, const Item* of, const Source* source) const;
  void find_public();
  void read_functions();
  void finish_entry(Entry& entry, const std::vector<const Item*>& bodies);
  void find_calls(const Item& body, std::set<std::string>& calls, int depth) const;
  void find_direct(const Item& body, std::set<Operation*>& found, int depth) const;
  Entry* entry(const std::string& name, const std::string& scope);
  std::string family_of(const Source* source) const;
  Passes passes_of(const Shown& shown, const std::set<std::string>& tensors, int depth = 0);
  Passes passes_of_function(const std::string& name, int tensors, int depth);
  Passes passes_of(const Term& term, std::set<std::string>& tensors, bool& is_tensor, const Shown& shown, int depth);

  std::vector<std::unique_ptr<Source>> sources_;
  std::vector<std::vector<Item>> items_;
  std::map<std::string, std::vector<const Item*>> structs_, functions_, variables_;  ///< by name
  std::vector<std::unique_ptr<Operation>> operations_;
  std::multimap<std::string, Operation*> by_name_, by_struct_;
  std::map<std::string, std::vector<const Item*>> bodies_;   ///< of public functions, by scope::name
  std::vector<const Item*> declared_;                        ///< public functions, as the headers declare them
  std::map<std::string, std::vector<const Item*>> defined_;  ///< and as sources define them, by scope::name
  std::set<std::string> public_;                             ///< their names, with their scopes
  std::map<std::string, Passes> known_passes_;
};

/// The formula in a comment: that of the result, or of gradients.
std::string result_formula(std::string_view comment);
std::vector<std::pair<std::string, std::string>> gradient_formulas(std::string_view comment);

}  // namespace page
