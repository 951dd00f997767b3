// Ctrl-C that ends a training after the step, not in it.
#pragma once

#include "../../core/base/export.h"

namespace gradus::train {

/// While it lives the first Ctrl-C (SIGINT), or SIGTERM, is only noted; the second one ends the program as usual.
///
///     const train::Interrupt interrupt;
///     while (...) {
///       ...                                 // a step
///       if (interrupt.requested()) break;   // and save
///     }
///
/// One at a time: ValueError for a second one. What handled the signals before does so again afterwards.
class GRADUS_API Interrupt {
 public:
  Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  ~Interrupt();
  bool requested() const noexcept { return signal() != 0; }
  /// SIGINT or SIGTERM; 0 while there was none.
  int signal() const noexcept;
};

}  // namespace gradus::train
