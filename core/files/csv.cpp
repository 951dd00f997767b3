#include "csv.h"

#include <algorithm>
#include <utility>

#include "../base/fail.h"
#include "../base/message.h"

namespace gradus::core {

CsvLines::CsvLines(const char* op, std::string source, std::string_view text, char delimiter)
    : op_(op), source_(std::move(source)), left_(text), delimiter_(delimiter) {
  if (delimiter == '"' || delimiter == '\n' || delimiter == '\r') {
    fail<ValueError>("{}: the delimiter must be neither a quote nor a line's end: {}", op,
                     in_quotes(std::string_view(&delimiter, 1)));
  }
}

bool CsvLines::next(std::vector<Field>& fields) {
  for (;;) {
    if (left_.empty()) return false;
    line_ += std::exchange(more_lines_, 1);
    const std::string_view line = left_.substr(0, left_.find('\n'));
    if (line.find_first_not_of(" \t\r") != std::string_view::npos) break;
    left_.remove_prefix(std::min(left_.size(), line.size() + 1));
  }
  fields.clear();
  for (;;) {
    fields.push_back(cut());
    if (!left_.starts_with(delimiter_)) break;
    left_.remove_prefix(1);  // behind it stands another field, be it empty
  }
  if (left_.starts_with('\r')) left_.remove_prefix(1);
  if (left_.starts_with('\n')) left_.remove_prefix(1);
  if (width_ == 0) width_ = fields.size();
  if (fields.size() != width_) {
    fail<FileError>("{}: line {} of {} must have {} fields, as the first: {}", op_, line_, source_, width_,
                    fields.size());
  }
  return true;
}

// Up to the next delimiter or the line's end, which stays.
CsvLines::Field CsvLines::cut() {
  Field field;
  if (!left_.starts_with('"')) {
    field.text = left_.substr(0, left_.find('\n'));
    field.text = field.text.substr(0, field.text.find(delimiter_));
    const bool ends = field.text.size() == left_.size() || left_[field.text.size()] == '\n';
    if (ends && field.text.ends_with('\r')) field.text.remove_suffix(1);
    left_.remove_prefix(field.text.size());
    return field;
  }
  std::size_t at = left_.find('"', 1);
  while (at != std::string_view::npos && left_.substr(at + 1).starts_with('"')) at = left_.find('"', at + 2);
  if (at == std::string_view::npos) {
    fail<FileError>("{}: a quote in line {} of {} must be closed: {}", op_, line_, source_, in_quotes(left_));
  }
  field.text = left_.substr(1, at - 1);
  left_.remove_prefix(at + 1);
  more_lines_ += static_cast<std::size_t>(std::count(field.text.begin(), field.text.end(), '\n'));
  const std::string_view behind = left_.substr(0, 2);
  if (!behind.empty() && behind.front() != delimiter_ && behind.front() != '\n' && behind != "\r\n" && behind != "\r") {
    fail<FileError>("{}: in line {} of {} a delimiter must follow the quoted field {}: {}", op_, line_, source_,
                    in_quotes(field.text), in_quotes(left_));
  }
  if (field.text.find('"') != std::string_view::npos) {
    for (std::size_t i = 0; i < field.text.size(); ++i) {
      field.unescaped += field.text[i];
      if (field.text[i] == '"') ++i;
    }
  }
  return field;
}

}  // namespace gradus::core
