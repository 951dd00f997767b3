#include "progress.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

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

// "54.1 epochs/s, 1.2 s left"; at the end the time it took.
std::string pace_text(double done, std::int64_t total, double seconds, const std::string& unit) {
  if (done <= 0 || seconds <= 0) return "";
  const double left = std::max(0.0, static_cast<double>(total) - done);
  const std::string pace = rate_text(done, seconds, unit) + ", ";
  return pace + (left > 0 ? duration_text(left * seconds / done) + " left" : duration_text(seconds));
}

// 1, 2, 5, 10, 20, ...: the first that makes at most kMaxLines of `total`.
std::int64_t line_step(std::int64_t total) {
  for (std::int64_t power = 1;; power *= 10) {
    for (const std::int64_t step : {power, 2 * power, 5 * power}) {
      if (total / step <= kMaxLines) return step;
    }
  }
}

}  // namespace

std::string duration_text(double seconds) {
  if (!(seconds < 1e7)) return "a long time";  // NaN too
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
  const std::string count =
      fmt::format("{} {:>{}}/{}", unit, static_cast<std::int64_t>(done), fmt::formatted_size("{}", total), total);
  const std::string pace = pace_text(done, total, seconds, unit);
  std::string tail = pace.empty() ? "" : "  " + pace;
  if (!note.empty()) tail += "  " + note;
  const std::size_t used = columns(count) + 1 + columns(tail);
  if (used + kMinBar <= room) {
    const double share = done / static_cast<double>(std::max<std::int64_t>(total, 1));
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
    : total_(total), unit_(std::move(unit)), out_(out), interactive_(terminal_of(out).interactive) {}

Progress::~Progress() {
  if (drawn_columns_ > 0) {
    std::fputc('\n', out_);
    std::fflush(out_);
  }
}

void Progress::update(double done, const std::string& note) {
  const Clock::time_point now = Clock::now();
  const double seconds = std::chrono::duration<double>(now - start_).count();
  if (!note.empty()) note_ = note;
  const bool last = done >= static_cast<double>(total_);
  if (interactive_) {
    if (!last && now - drawn_at_ < kBetweenDraws) return;
    drawn_at_ = now;
    draw(done, seconds);
    return;
  }
  const auto whole = static_cast<std::int64_t>(done);
  const std::int64_t step = line_step(total_);
  // The first unit tells how long the others will take.
  if (whole <= reported_ || (whole / step == reported_ / step && reported_ > 0 && !last)) return;
  reported_ = whole;
  fmt::print(out_, "{} {}/{}: {}{}{}\n", unit_, whole, total_, note_, note_.empty() ? "" : ", ",
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
