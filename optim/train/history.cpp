#include "history.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "../../core/base/fail.h"
#include "../../core/base/message.h"
#include "../../core/files/csv.h"
#include "../../core/files/files.h"
#include "curves.h"

namespace gradus::train {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 28;

std::string quoted(const std::string& name) {
  if (name.find_first_of(",\"\r\n") == std::string::npos) return name;
  std::string text = "\"";
  for (const char c : name) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + "\"";
}

}  // namespace

void History::add(std::initializer_list<std::pair<const char*, double>> measured) {
  std::vector<std::pair<std::string, double>> list;
  for (const auto& [name, value] : measured) list.emplace_back(name, value);
  add(list);
}

void History::add(const std::vector<std::pair<std::string, double>>& measured) {
  for (auto each = measured.begin(); each != measured.end(); ++each) {
    if (each->first.empty()) core::fail<ValueError>("History: what is measured must have a name");
    if (std::any_of(measured.begin(), each, [&](const auto& other) { return other.first == each->first; }))
      core::fail<ValueError>("History: {} comes twice in one epoch", core::in_quotes(each->first));
  }
  for (const auto& [name, value] : measured) {
    auto column = std::find_if(columns_.begin(), columns_.end(), [&n = name](const Column& c) { return c.name == n; });
    if (column == columns_.end()) column = columns_.insert(column, {name, {}});
    column->values.resize(epochs_, kNan);
    column->values.push_back(value);
  }
  ++epochs_;
  for (Column& each : columns_) each.values.resize(epochs_, kNan);
}

const std::vector<double>& History::operator[](const std::string& name) const {
  std::string known;
  for (const Column& each : columns_) {
    if (each.name == name) return each.values;
    known += (known.empty() ? "" : ", ") + each.name;
  }
  core::fail<ValueError>("History: {} was never measured; there is {}", core::in_quotes(name),
                         known.empty() ? "nothing" : known);
}

std::size_t History::best_epoch(const std::string& name, bool largest) const {
  const std::vector<double>& values = (*this)[name];
  std::size_t best = values.size();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[i])) continue;
    if (best == values.size() || (largest ? values[i] > values[best] : values[i] < values[best])) best = i;
  }
  return best == values.size() ? 0 : best + 1;
}

std::string History::csv() const {
  std::string text = "epoch";
  for (const Column& each : columns_) text += "," + quoted(each.name);
  text += "\n";
  for (std::size_t i = 0; i < epochs_; ++i) {
    text += std::to_string(i + 1);
    for (const Column& each : columns_)
      text += std::isnan(each.values[i]) ? ",nan" : fmt::format(",{}", each.values[i]);  // either sign of NaN
    text += "\n";
  }
  return text;
}

History History::from_csv(const std::string& text, const std::string& source) {
  History history;
  core::CsvLines lines("history", source, text);
  std::vector<core::CsvLines::Field> fields;
  std::vector<std::string> names;
  if (lines.next(fields))
    for (const auto& field : fields) names.emplace_back(field.get());
  if (names.empty() || names.front() != "epoch") {
    core::fail<FileError>("history: line 1 of {} must begin with epoch: {}", source,
                          core::in_quotes(names.empty() ? "" : names.front()));
  }
  for (auto name = names.begin() + 1; name != names.end(); ++name) {
    if (name->empty() || std::find(names.begin() + 1, name, *name) != name)
      core::fail<FileError>("history: line 1 of {} must name each column once: {} as name {}", source,
                            core::in_quotes(*name), name - names.begin() + 1);
  }
  while (lines.next(fields)) {
    if (fields[0].get() != std::to_string(history.epochs_ + 1))
      core::fail<FileError>("history: line {} of {} must be epoch {}: {}", lines.line(), source, history.epochs_ + 1,
                            core::in_quotes(fields[0].get()));
    std::vector<std::pair<std::string, double>> measured;
    for (std::size_t i = 1; i < fields.size(); ++i) {
      double value = 0;
      const std::string_view number = fields[i].get();
      const char *const begin = number.data(), *const end = begin + number.size();
      // Whatever the locale: others have a comma for the point.
      if (const auto read = std::from_chars(begin, end, value); read.ec != std::errc() || read.ptr != end)
        core::fail<FileError>("history: field {} of line {} of {} must be a number: {}", i + 1, lines.line(), source,
                              core::in_quotes(number));
      measured.emplace_back(names[i], value);
    }
    history.add(measured);
  }
  if (history.epochs_ == 0)
    for (std::size_t i = 1; i < names.size(); ++i) history.columns_.push_back({names[i], {}});
  return history;
}

void History::save_csv(const std::string& path) const { core::write_file_atomically(path, {csv()}); }
History History::load_csv(const std::string& path) {
  const core::Bytes bytes = core::read_file(path, kMostBytes);
  return from_csv(std::string(bytes.begin(), bytes.end()), core::in_quotes(path));
}

std::string History::svg(const std::string& title, const std::string& configuration) const {
  Curves curves{title, configuration, {}};
  for (const Column& each : columns_) {
    const bool is_share = each.name.find("accuracy") != std::string::npos;
    curves.lines.push_back({each.name, each.values, is_share});
  }
  return curves_svg(curves);
}
void History::save_svg(const std::string& path, const std::string& title, const std::string& configuration) const {
  core::write_file_atomically(path, {svg(title, configuration)});
}

}  // namespace gradus::train
