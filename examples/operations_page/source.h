// C++ sources as far as the page needs them: tokens with their comments, and what is declared: functions, structs with their
// members, variables. No preprocessor and no types: enough for code in the house's style.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace page {

struct Token {
  enum class Kind { Word, Number, Text, Mark };
  Kind kind;
  std::string_view text;
  int line;
  std::string before;  ///< the comment that ends on the line above, or before it on its own line
  std::string after;   ///< the comment behind it on its line
};

struct Source {
  std::string path;  ///< below the project's root
  std::string text;
  std::vector<Token> tokens;
  std::string head;  ///< the comment at its top
};

/// Tokens [begin, end) of a source.
struct Range {
  const Source* source = nullptr;
  std::size_t begin = 0, end = 0;
  bool empty() const { return begin == end; }
  const Token& operator[](std::size_t i) const { return source->tokens[begin + i]; }
  std::size_t size() const { return end - begin; }
  Range part(std::size_t from, std::size_t to) const { return {source, begin + from, begin + to}; }
  Range from(std::size_t first) const { return part(first, size()); }
};

/// What is declared at one place.
struct Item {
  enum class Kind { Function, Struct, Variable };
  Kind kind;
  std::string name;   ///< as written, `SoftmaxRule::reference` outside of its struct
  std::string scope;  ///< the innermost named namespace, or the struct
  int line = 0;
  std::string comment;
  Range whole;       ///< with what stands before the name
  Range parameters;  ///< of a function
  Range body;        ///< of a function or a struct, without braces; of a variable what it is initialised with
  Range bases;       ///< of a struct
  bool is_template = false;
  std::vector<Item> members;
  bool has_body() const { return !body.empty(); }
  const Item* member(std::string_view of_name) const;
};

/// Reads a file below `root`. FileError when it cannot be read.
std::unique_ptr<Source> read_source(const std::string& root, const std::string& path);
std::vector<Item> items_of(const Source& source);

/// The index behind the bracket that closes the one at `open`; the range's size where none does.
std::size_t behind_bracket(const Range& range, std::size_t open);
/// The same for the < of a template's arguments.
std::size_t behind_arguments(const Range& range, std::size_t open);
/// Whether a < behind this name opens a template's arguments, where an expression could as well compare.
bool is_template_name(std::string_view name);
/// Cut at commas outside brackets and template arguments.
std::vector<Range> split_list(const Range& range);
/// As it stands in the file.
std::string text_of(const Range& range);
/// The text with its lines moved to the left together.
std::string code_of(const Range& range);

}  // namespace page
