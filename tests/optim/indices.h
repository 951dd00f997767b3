// Lists of indices, and those that a sampler gives.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

namespace gradus::test {

using Indices = std::vector<std::size_t>;

inline Indices counted(std::size_t n) {
  Indices all(n);
  std::iota(all.begin(), all.end(), 0U);
  return all;
}
inline Indices sorted(Indices all) {
  std::sort(all.begin(), all.end());
  return all;
}
template <class Sampler>
Indices all_of(Sampler& sampler, std::size_t batch_size = 4) {
  Indices all;
  while (auto batch = sampler.next(batch_size)) all.insert(all.end(), batch->begin(), batch->end());
  return all;
}

}  // namespace gradus::test
