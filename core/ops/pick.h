// What picking by index arrays (pick.cpp) and adding up at them (index_add.cpp) share: internal to core.
#pragma once

#include "../array/array.h"
#include "../simd/places.h"

namespace gradus::core {

inline constexpr std::int64_t kPickGrain = 32768;  // elements

// ValueError in the name of op.
void must_be_defined(const Array& x, const char* op);
// DTypeError in the name of op, of bool and of storage types: what sums and other folds cannot be taken in.
void must_be_computed(DType dtype, const char* what, const char* op);

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

// Of a contiguous int64 index.
kernels::OddPlaces odd_places(const Array& index, std::int64_t size);
// The index as contiguous int64, each entry within [0, size).
Array checked_index(const Array& index, std::int64_t size, const char* op);

// Asks for the start of a row that will be read soon: no prefetcher foresees where an index leads. It follows from there.
inline void ask_for(const char* row, std::int64_t bytes) {
  for (std::int64_t at = 0; at < bytes && at < 1024; at += 64) __builtin_prefetch(row + at);
}

// A 0-d array counts as a list of one.
inline Array at_least_1d(const Array& x) { return x.dim() == 0 ? x.view(1) : x; }
inline Shape at_least_1d(const Shape& shape) { return shape.empty() ? Shape{1} : shape; }

}  // namespace gradus::core
