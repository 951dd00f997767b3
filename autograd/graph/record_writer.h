// JSON as it is written, one thing after the other (internal).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "../../core/base/dtype.h"

namespace gradus::autograd::detail {

/// In quotes, with what cannot stand there escaped.
std::string quoted(std::string_view text);
/// JSON has no NaN and no infinities: they are strings.
std::string number(double value, DType dtype);
inline std::string number(double value) { return number(value, kFloat64); }
/// "null" of what is below 0.
inline std::string place(int value) { return value < 0 ? "null" : std::to_string(value); }
inline std::string truth(bool value) { return value ? "true" : "false"; }

/// Objects and lists as they are written.
class Writer {
 public:
  void open(char bracket) {
    comma();
    out += bracket;
    first_ = true;
  }
  void close(char bracket) {
    out += bracket;
    first_ = false;
  }
  void key(std::string_view name) {
    comma();
    out += quoted(name) + ":";
    first_ = true;
  }
  void value(const std::string& text) {
    comma();
    out += text;
  }
  void member(std::string_view name, const std::string& text) {
    key(name);
    value(text);
  }
  /// {...}, with what `write` writes.
  template <class Write>
  void object(const Write& write) {
    open('{');
    write();
    close('}');
  }
  /// "name":[...], on a line of its own, with what `write` writes of each entry.
  template <class Entries, class Write>
  void list(std::string_view name, const Entries& entries, const Write& write) {
    line();
    key(name);
    open('[');
    for (const auto& entry : entries) write(entry);
    close(']');
  }
  void line() {
    comma();
    out += '\n';
    first_ = true;
  }
  std::string out;

 private:
  void comma() {
    if (!first_) out += ',';
    first_ = false;
  }
  bool first_ = true;
};

}  // namespace gradus::autograd::detail
