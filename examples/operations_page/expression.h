// Formulas as trees: the expressions of C++ that formulas are written with, and functions whose bodies define names, choose
// between cases and return.
#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "source.h"

namespace page {

struct Expression;
using Term = std::shared_ptr<const Expression>;

struct Expression {
  enum class Kind {
    Number,
    Name,   ///< without namespaces
    Text,   ///< a literal, with its quotes
    Unary,  ///< text: the sign
    Binary,
    Call,   ///< text: the function; of a member function the object is the first argument
    Field,  ///< text: the field, of the one argument
    Index,
    List,   ///< {a, b}
    Cases,  ///< value, condition, value, condition, ..., value
    Lambda
  };
  Kind kind;
  std::string text;
  std::vector<Term> arguments = {};
  std::string of = {};     ///< of a call with template arguments: these
  bool is_member = false;  ///< a call of a member function
  Range range = {};        ///< of a lambda
};

/// What cannot be read as a formula.
struct NotAFormula : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A name with what it stands for; a function when it has parameters.
struct Definition {
  std::string name;
  std::vector<std::string> parameters;
  Term value;
  std::string prose = {};  ///< instead of the value, what the source says about it
};

/// What a function returns, and the names that it defines on its way, in order.
struct Formula {
  std::vector<Definition> definitions;
  Term value;
};

Term number(std::string text);
Term call(std::string function, std::vector<Term> arguments);
Term read_expression(const Range& range);
/// NotAFormula for loops, switches, writes and all else.
Formula read_body(const Range& body);
/// The body between a lambda's braces, and its parameters.
std::pair<Range, Range> parts_of_lambda(const Range& lambda);
/// A parameter's name; empty where it has none.
std::string parameter_name(const Range& parameter);
/// Every name and function that a formula mentions.
std::vector<std::string> mentioned(const Formula& formula);

}  // namespace page
