// Another default generator for a while, on one thread alone.
#pragma once

#include "random.h"

namespace gradus::core {

/// While it lives, default_generator() answers with another generator on the thread that made it. What must draw the
/// same numbers a second time draws them so: to rewind the default generator itself would have other threads draw
/// theirs twice. Scopes nest, and end in the opposite order, on that thread.
class GRADUS_API UseGenerator {
 public:
  explicit UseGenerator(Generator& generator) noexcept;
  ~UseGenerator();
  UseGenerator(const UseGenerator&) = delete;
  UseGenerator& operator=(const UseGenerator&) = delete;

 private:
  Generator* const before_;
};

}  // namespace gradus::core
