#include "message.h"

#include <sstream>

namespace gradus::core {

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

void fail_check(const char* condition, const Message& message) {
  const std::string text = message.str();
  throw Error(text.empty() ? std::string("check: this must hold: ") + condition : text);
}

}  // namespace gradus::core
