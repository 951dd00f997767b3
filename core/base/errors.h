// The family of typed errors. Every message reads
//   `op: what must hold: the actual values, and a hint where the cure is known`.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "export.h"

namespace gradus {

/// The root of the family: catch this to catch every error that the library throws.
class GRADUS_API Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message) : std::runtime_error(message), message_(message) {}
  ~Error() override;
  const char* what() const noexcept override { return message_.c_str(); }
  const char* what_without_backtrace() const noexcept { return what(); }  ///< PyTorch's names for the same
  const std::string& msg() const noexcept { return message_; }
  /// Says where it happened, on its way out: the type that was thrown stays.
  void add_note(const std::string& note);
  /// Names the operation that was called in the place of one that it is made of. With `from`, in the place of that only.
  void rename(std::string_view op, std::string_view from = {});

 private:
  std::string message_;
};

/// Sizes that do not fit an operation, or whose product overflows.
class GRADUS_API ShapeError : public Error {
 public:
  using Error::Error;
  ~ShapeError() override;
};

/// A dtype that an operation does not take.
class GRADUS_API DTypeError : public Error {
 public:
  using Error::Error;
  ~DTypeError() override;
};

using TypeError = DTypeError;  ///< PyTorch's name

/// An index or a dimension out of range.
class GRADUS_API IndexError : public Error {
 public:
  using Error::Error;
  ~IndexError() override;
};

/// An argument whose value is not allowed (a probability of 2, a learning rate below 0).
class GRADUS_API ValueError : public Error {
 public:
  using Error::Error;
  ~ValueError() override;
};

/// A history that does not permit what was asked: backward twice, a saved value changed, a leaf changed in place.
class GRADUS_API GradError : public Error {
 public:
  using Error::Error;
  ~GradError() override;
};

/// A request for memory that cannot be met; thrown before anything is allocated, so everything stays usable.
class GRADUS_API MemoryError : public Error {
 public:
  MemoryError(const std::string& message, std::int64_t live, std::int64_t asked, std::int64_t limit)
      : Error(message), live_(live), asked_(asked), limit_(limit) {}
  using Error::Error;
  ~MemoryError() override;
  /// Bytes in use, asked for, and allowed in all; -1 where it is not known.
  std::int64_t live() const noexcept { return live_; }
  std::int64_t asked() const noexcept { return asked_; }
  std::int64_t limit() const noexcept { return limit_; }

 private:
  std::int64_t live_ = -1, asked_ = -1, limit_ = -1;
};

/// A file that cannot be read or written, or whose content is not what its format demands.
class GRADUS_API FileError : public Error {
 public:
  using Error::Error;
  ~FileError() override;
};

/// A module's state that does not fit: missing, extra or misshapen entries; a name registered twice; an empty holder.
class GRADUS_API ModuleError : public Error {
 public:
  using Error::Error;
  ~ModuleError() override;
};

namespace core {

/// Calls what an operation is made of: errors bear the operation's name.
template <class Call>
decltype(auto) in_name_of(std::string_view op, Call&& call) {
  try {
    return call();
  } catch (Error& error) {
    error.rename(op);
    throw;
  }
}

}  // namespace core

}  // namespace gradus
