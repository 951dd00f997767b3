#include "terminal.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string_view>

#include <sys/ioctl.h>
#include <unistd.h>

namespace gradus::train {
namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {  // the first that is set decides
    if (variable(name).empty()) continue;
    std::string value(variable(name));
    std::transform(value.begin(), value.end(), value.begin(), [](unsigned char c) { return std::tolower(c); });
    return value.find("utf-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return false;
}

}  // namespace

Terminal terminal_of(std::FILE* stream) {
  Terminal terminal;
  const int fd = ::fileno(stream);
  terminal.interactive = ::isatty(fd) == 1 && variable("TERM") != "dumb";
  if (!terminal.interactive) return terminal;
  terminal.colour = variable("NO_COLOR").empty();
  terminal.utf8 = locale_is_utf8();
  winsize size = {};
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) terminal.width = size.ws_col;
  return terminal;
}

std::string coloured(const std::string& text, const char* colour, const Terminal& terminal) {
  return terminal.colour ? std::string("\033[") + colour + "m" + text + "\033[0m" : text;
}

}  // namespace gradus::train
