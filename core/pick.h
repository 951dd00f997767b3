// What picking by index arrays (pick.cpp) and adding up at them (index_add.cpp) share: internal to core.
#pragma once

#include <algorithm>

#include "array.h"
#include "fail.h"

namespace gradus::core {

inline constexpr std::int64_t kPickGrain = 32768;  // elements

inline void must_be_defined(const Array& x, const char* op) {
  if (!x.defined()) fail<ValueError>("{}: the array must be defined: it has neither storage nor shape", op);
}

// Where the i-th index of a shape, in row-major order, lies under some strides (negative ones too).
inline std::int64_t offset_of(std::int64_t i, const Shape& shape, const Strides& strides) {
  std::int64_t offset = 0;
  for (int d = shape.size(); d-- > 0;) {
    offset += i % shape[d] * strides[d];
    i /= shape[d];
  }
  return offset;
}

inline Dims part(const Dims& dims, int begin, int end) {
  Dims result;
  for (int i = begin; i < end; ++i) result.push_back(dims[i]);
  return result;
}

// The index as contiguous int64, each entry within [0, size).
inline Array checked_index(const Array& index, std::int64_t size, const char* op) {
  must_be_defined(index, op);
  if (index.dtype() != kInt64 && index.dtype() != kInt32) {
    fail<DTypeError>("{}: the index must be int64 or int32: {}", op, index.dtype());
  }
  const Array checked = index.to(kInt64).contiguous();
  const auto* const values = static_cast<const std::int64_t*>(checked.data());
  const std::int64_t n = checked.numel();
  std::uint64_t largest = 0;  // a negative one is larger than all others
  for (std::int64_t i = 0; i < n; ++i) largest = std::max(largest, static_cast<std::uint64_t>(values[i]));
  if (n != 0 && largest >= static_cast<std::uint64_t>(size)) {
    const std::int64_t* const bad =
        std::find_if(values, values + n, [=](std::int64_t v) { return v < 0 || v >= size; });
    fail<IndexError>("{}: indices must be in [0, {}]: entry {} is {}", op, size - 1, bad - values, *bad);
  }
  return checked;
}

// Asks for the start of a row that will be read soon: no prefetcher foresees where an index leads. It follows from there.
inline void ask_for(const char* row, std::int64_t bytes) {
  for (std::int64_t at = 0; at < std::min<std::int64_t>(bytes, 1024); at += 64) __builtin_prefetch(row + at);
}

// A 0-d array counts as a list of one.
inline Array at_least_1d(const Array& x) { return x.dim() == 0 ? x.view(1) : x; }
inline Shape at_least_1d(const Shape& shape) { return shape.empty() ? Shape{1} : shape; }

}  // namespace gradus::core
