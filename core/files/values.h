// Plain values of files (headers, states): numbers, texts, lists, dictionaries, arrays; and Python's notation for them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../array/array.h"
#include "../base/export.h"
#include "files.h"

namespace gradus::core {

/// How deep readers follow lists, tuples and dictionaries within each other; what is written is no deeper.
inline constexpr int kMostLevels = 200;

/// One value. Those within it are numbers of nodes.
struct Value {
  /// The last two stand for names and storages while a file is read; no tree that was read has them.
  enum class Kind : std::uint8_t { None, Bool, Int, Double, Text, List, Tuple, Dict, Array, Name, Storage };
  using Node = std::uint32_t;

  Kind kind = Kind::None;
  bool flag = false;         ///< Bool's value; of an Array, whether it requires a gradient
  std::int64_t integer = 0;  ///< Int's value; of an Array, which one
  double number = 0;         ///< Double's value
  std::string text;
  std::vector<Node> items;  ///< of a List or Tuple; of a Dict key, value, key, value
};

/// A tree of values, kept flat.
struct GRADUS_API Values {
  using Kind = Value::Kind;
  using Node = Value::Node;

  std::vector<Value> nodes;
  std::vector<Array> arrays;
  Node root = 0;

  Node add(Value value);
  Node add(Kind kind, std::vector<Node> items = {});
  Node boolean(bool value);
  Node integer(std::int64_t value);
  Node number(double value);
  Node text(std::string_view value);
  Node array(const Array& value, bool requires_grad = false);

  const Value& operator[](Node node) const { return nodes[node]; }
  Value& operator[](Node node) { return nodes[node]; }
  /// The value of a Dict under a text, or null.
  const Value* find(const Value& dict, std::string_view key) const;
  /// FileError, in the name of `op`, unless what the root holds can be walked over: at most 200 levels deep, without names,
  /// and, with what is shared counted again at each place, of no more than `most` values (texts count for their length).
  void check_tree(const char* op, const std::string& file, std::uint64_t most) const;
  /// ValueError, in the name of `op`, where what is to be written is at a level that is not read.
  static void check_level(const char* op, int level);
};

/// Reads Python's notation for a value, like ``{'shape': (3, 4), 'fortran_order': False}``: lists, tuples, dictionaries, texts,
/// integers, numbers, True, False, None, nan, inf. FileError, in the name of `op`, for anything else.
GRADUS_API Values parse_literal(std::string_view text, const char* op, const std::string& file);
/// The same notation of a value without arrays. Numbers come back as they were. ValueError for more levels than are
/// read.
GRADUS_API std::string to_literal(const Values& values);

GRADUS_API bool is_utf8(std::string_view text) noexcept;

}  // namespace gradus::core
