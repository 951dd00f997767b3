#include "progress.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include <fmt/format.h>

namespace gradus::train {
namespace {

constexpr std::int64_t kMaxLines = 20;
constexpr auto kBetweenDraws = std::chrono::milliseconds(33);

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// The columns that UTF-8 text takes: its code points, for none here is wide or combining, less what colours it.
std::size_t columns(std::string_view text) {
  std::size_t n = 0;
  bool escape = false;
  for (const char c : text) {
    escape = escape || c == '\033';
    if (!escape && !continues_character(c)) ++n;
    if (c == 'm') escape = false;
  }
  return n;
}

// Without control characters, which would break the line; colours, "\033[32m", only where they are welcome.
std::string shown(std::string_view text, bool has_colours) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("\033[")) {
      const std::size_t end = text.find_first_not_of("0123456789;", i + 2);
      if (end != std::string_view::npos && text[end] == 'm') {
        if (has_colours) out += text.substr(i, end - i + 1);
        i = end;
        continue;
      }
    }
    const auto c = static_cast<unsigned char>(text[i]);
    const bool is_wide_control =  // U+0080 to U+009F
        c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (is_wide_control) ++i;
    out += is_wide_control || c < ' ' || c == 0x7F ? ' ' : text[i];
  }
  return out;
}

std::string repeated(std::string_view piece, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += piece;
  return text;
}

std::string bar(const Terminal& terminal, double share, std::size_t width) {
  const auto full = static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(width));
  const std::size_t rest = width - full;
  if (!terminal.utf8) return coloured(repeated("#", full), "36", terminal) + repeated(".", rest);
  return coloured(repeated("━", full), "36", terminal) + coloured(repeated("─", rest), "2", terminal);
}

std::string rate_text(double done, double seconds, const std::string& unit) {
  const double rate = done / seconds;
  if (rate >= 1) return fmt::format("{:.{}f} {}s/s", rate, rate < 100 ? 1 : 0, unit);
  return fmt::format("{}/{}", duration_text(1 / rate), unit);
}

std::size_t formatted(std::int64_t number) { return fmt::formatted_size("{}", number); }

// "37/100", "37".
std::string count_text(double done, std::int64_t total) {
  const auto whole = static_cast<std::int64_t>(done);
  return total > 0 ? fmt::format("{}/{}", whole, total) : fmt::format("{}", whole);
}

// "54.1 epochs/s, 1.2 s left"; at the end the time it took.
std::string pace_text(double done, std::int64_t total, double seconds, const std::string& unit) {
  if (done <= 0 || seconds <= 0) return "";
  const double left = std::max(0.0, static_cast<double>(total) - done);
  const std::string pace = rate_text(done, seconds, unit) + ", ";
  return pace + (left > 0 ? duration_text(left * seconds / done) + " left" : duration_text(seconds));
}

// The first of 1, 2, 5, 10, 20, ... that `is_enough`.
template <class IsEnough>
std::int64_t round_number(IsEnough is_enough) {
  for (std::int64_t power = 1;; power *= 10) {
    for (const std::int64_t number : {power, 2 * power, 5 * power}) {
      if (is_enough(number) || number > std::numeric_limits<std::int64_t>::max() / 20) return number;
    }
  }
}

}  // namespace

std::string duration_text(double seconds) {
  if (!(std::abs(seconds) < 1e7)) return "a long time";  // NaN too
  if (seconds < 0) return "-" + duration_text(-seconds);
  if (seconds < 0.0995) return fmt::format("{:.0f} ms", 1e3 * seconds);
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(std::lround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

std::string progress_line(const Terminal& terminal, const std::string& unit, double done, std::int64_t total,
                          double seconds, const std::string& note) {
  constexpr std::size_t kMinBar = 10, kMaxBar = 40;
  const auto room = static_cast<std::size_t>(std::max(terminal.width - 1, 1));
  const std::string one = shown(unit, terminal.colour), whole = count_text(done, total);
  const std::string count = fmt::format("{} {:>{}}", one, whole, total > 0 ? 2 * formatted(total) + 1 : 0);
  const std::string pace = pace_text(done, total, seconds, one);
  std::string tail = pace.empty() ? "" : "  " + pace;
  if (!note.empty()) tail += "  " + shown(note, terminal.colour);
  const std::size_t used = columns(count) + 1 + columns(tail);
  if (total > 0 && used + kMinBar <= room) {
    const double share = done / static_cast<double>(total);
    return count + " " + bar(terminal, share, std::min(room - used, kMaxBar)) + tail;
  }
  std::string line = count + tail;
  if (columns(line) > room) line = count + (pace.empty() ? "" : "  " + pace);
  while (columns(line) > room) {
    while (continues_character(line.back())) line.pop_back();
    line.pop_back();
  }
  return line;
}

Progress::Progress(std::int64_t total, std::string unit, std::FILE* out)
    : total_(total), out_(out), interactive_(terminal_of(out).interactive) {
  unit_ = shown(unit, interactive_);
}

Progress::~Progress() {
  if (drawn_columns_ > 0) {
    std::fputc('\n', out_);
    std::fflush(out_);
  }
}

void Progress::update(double done, const std::string& note) {
  const Clock::time_point now = Clock::now();
  const double seconds = std::chrono::duration<double>(now - start_).count();
  if (!note.empty()) note_ = shown(note, interactive_);
  const bool last = total_ > 0 && done >= static_cast<double>(total_);
  if (interactive_) {
    if (!last && now - drawn_at_ < kBetweenDraws) return;
    drawn_at_ = now;
    draw(done, seconds);
    return;
  }
  const auto whole = static_cast<std::int64_t>(done);
  // Some kMaxLines of a known total; else ever rarer.
  const std::int64_t step = total_ > 0 ? round_number([&](std::int64_t n) { return total_ / n <= kMaxLines; })
                                       : round_number([&](std::int64_t n) { return n > reported_; });
  // The first unit tells how long the others will take.
  if (whole <= reported_ || (whole / step == reported_ / step && reported_ > 0 && !last)) return;
  reported_ = whole;
  fmt::print(out_, "{} {}: {}{}{}\n", unit_, count_text(done, total_), note_, note_.empty() ? "" : ", ",
             pace_text(done, total_, seconds, unit_));
  std::fflush(out_);
}

void Progress::draw(double done, double seconds) {
  const Terminal terminal = terminal_of(out_);  // its width may have changed
  const std::string line = progress_line(terminal, unit_, done, total_, seconds, note_);
  const std::size_t width = columns(line), room = static_cast<std::size_t>(std::max(terminal.width - 1, 1));
  // Spaces, not an escape sequence, wipe out what a longer line left; never past the edge, where they would wrap.
  const std::size_t wipe = std::min(std::max(drawn_columns_, width), room) - width;
  fmt::print(out_, "\r{}{}", line, std::string(wipe, ' '));
  std::fflush(out_);
  drawn_columns_ = width;
}

}  // namespace gradus::train
