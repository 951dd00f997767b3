// Tables as text: lines of fields between delimiters (RFC 4180).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "../base/export.h"

namespace gradus::core {

/// Takes a text apart that has to live as long as this. A field may stand in quotes: then delimiters and ends of lines are
/// its own, and a quote is written twice. Lines end in "\n" or "\r\n".
class GRADUS_API CsvLines {
 public:
  struct Field {
    std::string_view text;
    std::string unescaped;  // where quotes within quotes had to go
    std::string_view get() const { return unescaped.empty() ? text : std::string_view(unescaped); }
  };

  /// `op` and `source` are for errors. ValueError unless a delimiter can be told from quotes and ends of lines.
  CsvLines(const char* op, std::string source, std::string_view text, char delimiter = ',');
  /// The fields of the next line that is not blank. FileError for quotes that don't end at a delimiter, and unless there are
  /// as many fields as in the first line.
  bool next(std::vector<Field>& fields);
  /// That of the fields, the first is 1; and of how many fields.
  std::size_t line() const noexcept { return line_; }
  std::size_t width() const noexcept { return width_; }

 private:
  Field cut();

  const char* op_;
  std::string source_;
  std::string_view left_;
  char delimiter_;
  std::size_t line_ = 0, more_lines_ = 1, width_ = 0;
};

}  // namespace gradus::core
