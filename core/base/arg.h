// Arguments by name: how options are written, as in PyTorch's C++ frontend.
#pragma once

#include <utility>

/// In a class of options: the argument `name` of type T, set by `options.name(value)`, which returns the options, and
/// read by `options.name()`. A default follows: `GRADUS_ARG(bool, bias) = true;`
#define GRADUS_ARG(T, name)                          \
 public:                                             \
  auto name(T value)->decltype(*this) {              \
    this->name##_ = std::move(value);                \
    return *this;                                    \
  }                                                  \
  const T& name() const noexcept { return name##_; } \
  T& name() noexcept { return name##_; }             \
                                                     \
 private:                                            \
  T name##_
