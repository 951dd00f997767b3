#include "print.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <string_view>

#include "../base/fail.h"

namespace gradus::core {
namespace {

// PyTorch's defaults.
struct Options {
  int precision = 4;
  std::int64_t threshold = 1000, edgeitems = 3;
  std::size_t linewidth = 80;
  std::optional<bool> sci_mode;
};
std::mutex mutex;
Options shared;
thread_local Options options;  // one text's: as they were when it began

constexpr std::string_view kPrefix = "tensor(";

// The indices of a dimension that are shown: all, or those at its two ends, and gap() between them.
template <class Body, class Gap>
void for_each_shown(std::int64_t size, bool summarize, Body body, Gap gap) {
  const std::int64_t ends = options.edgeitems;
  const bool cut = summarize && size - ends > ends;
  for (std::int64_t i = 0; i < (cut ? ends : size); ++i) body(i);
  if (!cut) return;
  gap();
  for (std::int64_t i = size - ends; i < size; ++i) body(i);
}

// Calls body(element) for each element that is shown, as a double or an int64.
template <class Body>
void visit(const Array& x, bool summarize, Body&& body) {
  if (x.dim() == 0) {
    const Scalar value = x.item();
    body(value);
  } else {
    for_each_shown(
        x.shape()[0], summarize, [&](std::int64_t i) { visit(x.select(0, i), summarize, body); }, [] {});
  }
}

// How all elements of one array are written: alike, and as wide as the widest needs.
class ElementFormat {
 public:
  ElementFormat(const Array& x, bool summarize) : dtype_(x.dtype()) {
    if (!gradus::is_floating_point(dtype_)) {
      visit(x, summarize, [this](const Scalar& value) { widen(text(value)); });
      return;
    }
    double least = 0, largest = 0;
    bool any = false;
    visit(x, summarize, [&](const Scalar& value) {
      const double v = value.toDouble(), size = std::fabs(v);
      if (!counts(v)) return;
      least = any ? std::min(least, size) : size;
      largest = any ? std::max(largest, size) : size;
      any = true;
      if (v != std::ceil(v)) whole_ = false;
    });
    if (!any) return;
    scientific_ = options.sci_mode.value_or(largest / least > 1000 || largest > 1e8 || (!whole_ && least < 1e-4));
    visit(x, summarize, [this](const Scalar& value) {
      if (counts(value.toDouble())) widen(text(value));
    });
  }

  std::size_t width() const { return width_; }

  std::string operator()(const Scalar& value) const {
    const std::string result = text(value);
    return std::string(width_ - std::min(width_, result.size()), ' ') + result;
  }

 private:
  // Zeros, infinities and NaN have no say in the form, nor in the width.
  static bool counts(double value) { return value != 0 && std::isfinite(value); }

  void widen(const std::string& text) { width_ = std::max(width_, text.size()); }

  std::string text(const Scalar& value) const {
    if (dtype_ == kBool) return value.to<bool>() ? "True" : "False";
    if (!gradus::is_floating_point(dtype_)) return fmt::format("{}", value.toLong());
    const double v = value.toDouble();
    if (std::isnan(v)) return "nan";  // C would print its sign, Python does not
    if (scientific_) return fmt::format("{:.{}e}", v, options.precision);
    if (!whole_) return fmt::format("{:.{}f}", v, options.precision);
    return fmt::format("{:.0f}{}", v, std::isfinite(v) ? "." : "");
  }

  DType dtype_;
  bool whole_ = true;  // all are whole numbers: "2."
  bool scientific_ = false;
  std::size_t width_ = 1;
};

void write_row(std::string& out, const Array& x, std::size_t indent, bool summarize, const ElementFormat& format) {
  const std::size_t element = format.width() + 2;  // ", " included
  const std::size_t room = options.linewidth > indent ? options.linewidth - indent : 0;
  const std::size_t per_line = std::max<std::size_t>(room / element, 1);
  std::size_t written = 0;
  const auto begin_element = [&] {
    if (written != 0) out += written % per_line == 0 ? ",\n" + std::string(indent + 1, ' ') : ", ";
    ++written;
  };
  out += '[';
  for_each_shown(
      x.shape()[0], summarize,
      [&](std::int64_t i) {
        begin_element();
        out += format(x.select(0, i).item());
      },
      [&] {
        begin_element();
        out += " ...";
      });
  out += ']';
}

void write(std::string& out, const Array& x, std::size_t indent, bool summarize, const ElementFormat& format) {
  if (x.dim() == 0) {
    out += format(x.item());
    return;
  }
  if (x.dim() == 1) return write_row(out, x, indent, summarize, format);
  const std::string between =
      "," + std::string(static_cast<std::size_t>(x.dim() - 1), '\n') + std::string(indent + 1, ' ');
  bool first = true;
  const auto begin_part = [&] {
    if (!first) out += between;
    first = false;
  };
  out += '[';
  for_each_shown(
      x.shape()[0], summarize,
      [&](std::int64_t i) {
        begin_part();
        write(out, x.select(0, i), indent + 1, summarize, format);
      },
      [&] {
        begin_part();
        out += "...";
      });
  out += ']';
}

// Adds one of the things behind the numbers, on a new line where this one would become too long.
void append(std::string& out, std::size_t& line, std::string_view suffix) {
  if (line + suffix.size() + 2 > options.linewidth) {
    out += ",\n" + std::string(kPrefix.size(), ' ');
    line = kPrefix.size() + suffix.size();
  } else {
    out += ", ";
    line += suffix.size() + 2;
  }
  out += suffix;
}

}  // namespace

std::string to_string(const Array& x, const std::string& suffix) {
  if (!x.defined()) return "tensor(undefined)";
  {
    const std::lock_guard lock(mutex);
    options = shared;
  }
  std::string out(kPrefix);
  const bool empty = x.numel() == 0;
  if (empty) {
    out += "[]";
  } else {
    const bool summarize = x.numel() > options.threshold;
    write(out, x, kPrefix.size(), summarize, ElementFormat(x, summarize));
  }

  // PyTorch counts the last line two characters longer than it is, and so do we.
  const std::size_t newline = out.rfind('\n');
  std::size_t line = newline == std::string::npos ? out.size() + 2 : out.size() - newline + 1;
  if (empty && x.dim() != 1) append(out, line, fmt::format("size=({})", fmt::join(x.shape(), ", ")));
  const bool usual = x.dtype() == get_default_dtype() || (!empty && (x.dtype() == kInt64 || x.dtype() == kBool));
  if (!usual) append(out, line, fmt::format("dtype=torch.{}", x.dtype()));
  if (!suffix.empty()) append(out, line, std::string_view(suffix).substr(suffix.starts_with(", ") ? 2 : 0));
  return out + ")";
}

}  // namespace gradus::core

namespace gradus {

void set_printoptions(const PrintOptions& given) {
  const std::lock_guard lock(core::mutex);
  core::Options& now = core::shared;
  if (given.precision.value_or(0) < 0 || given.threshold.value_or(0) < 0 || given.edgeitems.value_or(0) < 0 ||
      given.linewidth.value_or(1) < 1) {
    core::fail<ValueError>(
        "set_printoptions: precision, threshold and edgeitems must not be negative, linewidth be at least 1: {}, {}, "
        "{}, {}",
        given.precision.value_or(now.precision), given.threshold.value_or(now.threshold),
        given.edgeitems.value_or(now.edgeitems), given.linewidth.value_or(static_cast<int>(now.linewidth)));
  }
  now.precision = given.precision.value_or(now.precision);
  now.threshold = given.threshold.value_or(now.threshold);
  now.edgeitems = given.edgeitems.value_or(now.edgeitems);
  if (given.linewidth) now.linewidth = static_cast<std::size_t>(*given.linewidth);
  now.sci_mode = given.sci_mode;
}

}  // namespace gradus
