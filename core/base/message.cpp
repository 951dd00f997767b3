#include "message.h"

#include <algorithm>
#include <cstdio>
#include <sstream>

namespace gradus::core {
namespace {

/// The first character of a text, as UTF-8 spells it.
struct Character {
  std::size_t length;  // 0 when it is not UTF-8
  char32_t code;
};

Character first_of(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {1, lead};
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return {0, 0};
  char32_t code = lead & (0x7fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {0, 0};
    code = code << 6 | (byte(i) & 0x3fu);
  }
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (code < kLeast[length] || code > 0x10ffff || surrogate) return {0, 0};
  return {length, code};
}

/// Control characters, and those that have no width or turn the direction of what follows.
bool is_shown(char32_t code) {
  return code >= 0x20 && (code < 0x7f || code > 0x9f) && (code < 0x200b || code > 0x200f) &&
         (code < 0x2028 || code > 0x202e) && (code < 0x2066 || code > 0x2069) && code != 0xfeff;
}

}  // namespace

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kMost = 100;
  std::string out = "'";
  while (!text.empty()) {
    const Character first = first_of(text);
    const std::size_t length = std::max<std::size_t>(first.length, 1);
    char escape[16] = "";
    if (first.length == 0) {
      std::snprintf(escape, sizeof(escape), "\\x%02x", static_cast<unsigned char>(text[0]));
    } else if (!is_shown(first.code)) {
      std::snprintf(escape, sizeof(escape), "\\u%04x", static_cast<unsigned>(first.code));
    } else if (text[0] == '\\' || text[0] == '\'') {
      std::snprintf(escape, sizeof(escape), "\\%c", text[0]);
    }
    const std::string_view shown = escape[0] != 0 ? std::string_view(escape) : text.substr(0, length);
    if (out.size() + shown.size() > kMost + 1) return out + "...'";
    out += shown;
    text.remove_prefix(length);
  }
  return out + "'";
}

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 10;
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < kMost; ++i) text += (i == 0 ? "" : ", ") + names[i];
  return names.size() > kMost ? text + " and " + std::to_string(names.size() - kMost) + " more" : text;
}

struct Message::Stream {
  std::ostringstream out;
};

Message::Message() : stream_(new Stream) {}
Message::~Message() { delete stream_; }

std::string Message::str() const { return stream_->out.str(); }
std::ostream& Message::stream() { return stream_->out; }
void Message::text(std::string_view value) { stream_->out << value; }
void Message::single(bool value) { stream_->out << value; }
void Message::single(char value) { stream_->out << value; }
void Message::integer(long long value) { stream_->out << value; }
void Message::natural(unsigned long long value) { stream_->out << value; }
void Message::number(double value) { stream_->out << value; }

std::string check_text(const char* condition, const Message& message) {
  const std::string text = message.str();
  return text.empty() ? std::string("check: this must hold: ") + condition : text;
}

}  // namespace gradus::core
