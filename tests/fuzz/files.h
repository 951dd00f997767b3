// Files for the readers: valid ones, and their neighbours.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

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

using Tokens = std::vector<std::string>;
/// `count` bytes, each below `below`.
std::string bytes(std::size_t count, std::size_t below, Random& random);
/// `count` bytes, little endian.
std::string little_endian(std::uint64_t value, int count = 8);
/// Damaged files of one kind each.
std::string draw_npy(Random& random);
std::string draw_npz(Random& random);
std::string draw_pickle(Random& random);
std::string draw_torch(Random& random);

/// A file for `reader`: drawn as a valid one, then changed where its format has joints (lengths, tokens, offsets, dtypes,
/// sizes, checksums), cut, extended, or hit in some bytes; now and then left valid.
std::string draw_file(Reader reader, Random& random);

}  // namespace gradus::fuzz
