// Files for the readers: valid ones, and their neighbours.
#pragma once

#include <cstdint>
#include <random>
#include <string>

#include "readers.h"

namespace gradus::fuzz {

/// The same numbers from the same seed on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  /// From 0 to n - 1.
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(engine_() % n); }
  bool one_in(std::size_t n) { return below(n) == 0; }
  template <class List>
  const auto& of(const List& list) {
    return list[below(std::size(list))];
  }

 private:
  std::mt19937_64 engine_;
};

/// A file for `reader`: drawn as a valid one, then changed where its format has joints (lengths, tokens, offsets, dtypes,
/// sizes, checksums), cut, extended, or hit in some bytes; now and then left valid.
std::string draw_file(Reader reader, Random& random);

}  // namespace gradus::fuzz
