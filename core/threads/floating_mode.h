// How a thread rounds and treats subnormals, taken from one thread to another: internal to core.
#pragma once

#include <cfenv>
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace gradus::core {

#if defined(__x86_64__)
/// The control words alone: to read or write the whole environment (fegetenv, fesetenv) takes 60 ns on Zen 5, several times for
/// a loop that may be done in a microsecond.
class FloatingMode {
 public:
  static FloatingMode current() {
    FloatingMode mode;
    mode.vectors_ = _mm_getcsr();
    asm volatile("fnstcw %0" : "=m"(mode.x87_));
    return mode;
  }
  void use() const {
    _mm_setcsr(vectors_);
    asm volatile("fldcw %0" : : "m"(x87_));
  }
  /// Whether numbers come out alike; which exceptions have been met does not count.
  bool operator==(const FloatingMode& other) const {
    constexpr unsigned met = 0x3f;
    return ((vectors_ ^ other.vectors_) & ~met) == 0 && x87_ == other.x87_;
  }

 private:
  unsigned vectors_;
  std::uint16_t x87_;
};
#else
class FloatingMode {
 public:
  static FloatingMode current() {
    FloatingMode mode;
    std::fegetenv(&mode.all_);
    return mode;
  }
  void use() const { std::fesetenv(&all_); }
  bool operator==(const FloatingMode&) const { return false; }  // not to be told: it is set

 private:
  std::fenv_t all_;
};
#endif

}  // namespace gradus::core
