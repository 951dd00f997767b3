// How far a long job is: a bar on a terminal, plain lines in a pipe or a file.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

#include "terminal.h"

namespace gradus::train {

/// "0.4 s", "45 s", "3 min 20 s", "1 h 05 min"; "-2.0 s".
GRADUS_API std::string duration_text(double seconds);

/// One line without its end, at most `terminal.width - 1` columns wide:
/// `epoch  37/100 ━━━━━━━━────────────  54.1 epochs/s, 1.2 s left  loss 0.031`. Where that is too wide the bar shrinks,
/// then the bar goes, then the note, and then the end. Where `total` is not known, 0 or less, there is neither bar nor
/// time left. Control characters of `unit` and `note` become spaces, but for colours where the terminal takes them.
GRADUS_API std::string progress_line(const Terminal& terminal, const std::string& unit, double done, std::int64_t total,
                                     double seconds, const std::string& note);

/// Reports on `total` units of work. On a terminal one line is drawn over and over, at most 30 times a second;
/// elsewhere whole lines are printed, some 20 at most for the whole job, and never a control character. The rate is the
/// average since the construction.
class GRADUS_API Progress {
 public:
  /// `total` is 0 where it is not known. `unit` is the singular that the line names: "epoch". It goes to stderr by
  /// default, so that results in stdout can be sent elsewhere while the bar is watched.
  Progress(std::int64_t total, std::string unit, std::FILE* out = stderr);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// Ends the line, also where an exception left the work half done.
  ~Progress();

  /// `done` units are finished; a fraction moves the bar within a unit. `note` says how it goes: "loss 0.031".
  void update(double done, const std::string& note = "");

 private:
  using Clock = std::chrono::steady_clock;
  void draw(double done, double seconds);

  std::int64_t total_, reported_ = 0;
  std::string unit_, note_;
  std::FILE* out_;
  bool interactive_;
  std::size_t drawn_columns_ = 0;
  Clock::time_point start_ = Clock::now(), drawn_at_{};
};

}  // namespace gradus::train
