#include "errors.h"

// Destructors are defined here so that each type's vtable and type information stand in one place: an exception thrown
// by a shared library is caught by its type elsewhere.
namespace gradus {

Error::~Error() = default;
ShapeError::~ShapeError() = default;
DTypeError::~DTypeError() = default;
IndexError::~IndexError() = default;
ValueError::~ValueError() = default;
GradError::~GradError() = default;
MemoryError::~MemoryError() = default;
FileError::~FileError() = default;
ModuleError::~ModuleError() = default;

void Error::add_note(const std::string& note) { message_ += "\n  " + note; }

void Error::rename(std::string_view op, std::string_view from) {
  const std::size_t end = message_.find(':');
  if (end == std::string::npos || dynamic_cast<const MemoryError*>(this) != nullptr) return;
  const std::string_view named = std::string_view(message_).substr(0, end);
  // An operation's name, and not some other text before a colon.
  const bool is_name = named.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
  if (is_name && (from.empty() || from == named)) message_.replace(0, end, op);
}

}  // namespace gradus
