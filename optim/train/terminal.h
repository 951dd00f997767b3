// What the place that output goes to can show.
#pragma once

#include <cstdio>
#include <string>

#include "../../core/base/export.h"

namespace gradus::train {

struct Terminal {
  bool interactive = false;  ///< a terminal, where a line can be drawn over
  bool colour = false;       ///< escape sequences for colours are welcome: interactive, and NO_COLOR is not set
  bool utf8 = false;         ///< more than ASCII can be shown: interactive, in a UTF-8 locale
  int width = 80;            ///< columns
};

/// Asks the system and the environment (TERM, NO_COLOR as https://no-color.org has it, LC_ALL, LC_CTYPE, LANG) about
/// `stream`. A pipe or a file is not interactive, and gets neither colours nor more than ASCII.
GRADUS_API Terminal terminal_of(std::FILE* stream);

/// `text` between the escape sequence of `colour` (as "1;32") and that of none, where `terminal` takes colours.
GRADUS_API std::string coloured(const std::string& text, const char* colour, const Terminal& terminal);

}  // namespace gradus::train
