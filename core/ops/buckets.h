// What goes to the places of some columns, sorted into buckets of neighbouring rows: internal to core.
//
// Values that go to places all over a large array wait for memory one by one, and two threads would write to one place at once.
// So each piece of the values is dealt into buckets first, in order; then bucket by bucket, so that what a task writes lies
// close together, is written by no other, and in the order of the index.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "../memory/storage.h"
#include "columns.h"

namespace gradus::core {

// The values of a bucket, in the order of the index, with their places in it, row * columns + column: a run from each piece.
template <class T>
class Bucket {
 public:
  Bucket(const std::uint32_t* places, const T* values, const std::uint32_t* begin, std::int64_t pieces,
         std::int64_t from_piece, std::int64_t from_begin)
      : places_(places),
        values_(values),
        begin_(begin),
        pieces_(pieces),
        from_piece_(from_piece),
        from_begin_(from_begin) {}
  std::int64_t size() const {
    std::int64_t size = 0;
    for (std::int64_t p = 0; p < pieces_; ++p) size += begin_[p * from_begin_ + 1] - begin_[p * from_begin_];
    return size;
  }
  // Calls f(place, value) for each value.
  template <class F>
  void each(const F& f) const {
    for (std::int64_t p = 0; p < pieces_; ++p) {
      const std::int64_t end = p * from_piece_ + begin_[p * from_begin_ + 1];
      for (std::int64_t i = p * from_piece_ + begin_[p * from_begin_]; i < end; ++i) f(places_[i], values_[i]);
    }
  }

 private:
  const std::uint32_t* places_;
  const T* values_;
  const std::uint32_t* begin_;
  std::int64_t pieces_, from_piece_, from_begin_;
};

// Places of a bucket, whose sums in float64 are to stay in the first cache; buckets, each of which is written to in turn.
inline constexpr std::int64_t kBucketPlaces = 4096, kMostBuckets = 512, kEnoughBuckets = 32;

// Calls f(i, row, column) for values [begin, end) of each column, in order.
template <class T, class F>
void for_values(const Columns<T>& c, std::int64_t begin, std::int64_t end, const F& f) {
  if (c.count == 1 && c.index_row == 1) {
    const std::int64_t* const rows = c.index;
    for (std::int64_t i = begin; i < end; ++i) f(i, rows[i], std::int64_t{0});
  } else {
    for (std::int64_t i = begin; i < end; ++i) {
      for (std::int64_t k = 0; k < c.count; ++k) f(i, c.row(i, k), k);
    }
  }
}

// Values [begin, end) of each column counted and dealt into buckets of 2^bits rows.
template <class T>
void deal(const Columns<T>& c, std::int64_t begin, std::int64_t end, int bits, std::int64_t buckets,
          std::uint32_t* places, T* values, std::uint32_t* begins) {
  // Neighbours count in two lists: each count waits for the one before in its place.
  std::array<std::array<std::uint32_t, kMostBuckets>, 2> counts{};
  std::size_t list = 0;
  for_values(c, begin, end, [&](std::int64_t, std::int64_t row, std::int64_t) {
    ++counts[list][static_cast<std::size_t>(row >> bits)];
    list ^= 1;
  });
  std::uint32_t total = 0;
  for (std::size_t b = 0; b < static_cast<std::size_t>(buckets); ++b) {
    begins[b] = total;
    const std::uint32_t count = counts[0][b] + counts[1][b];
    counts[0][b] = total;
    total += count;
  }
  begins[buckets] = total;
  const std::int64_t last = (std::int64_t{1} << bits) - 1;
  for_values(c, begin, end, [&](std::int64_t i, std::int64_t row, std::int64_t k) {
    const std::uint32_t at = counts[0][static_cast<std::size_t>(row >> bits)]++;
    places[at] = static_cast<std::uint32_t>((row & last) * c.count + k);
    values[at] = c.value(i, k);
  });
}

// Calls body(first row, rows, bucket) for each bucket that is not empty.
template <class T, class Body>
void for_buckets(const Columns<T>& c, const Body& body) {
  int bits = 0;
  while ((std::int64_t{2} << bits) * c.count <= kBucketPlaces && (c.rows - 1) >> bits >= kEnoughBuckets) ++bits;
  while ((c.rows - 1) >> bits >= kMostBuckets) ++bits;
  const std::int64_t buckets = ((c.rows - 1) >> bits) + 1, width = std::int64_t{1} << bits;
  const std::int64_t piece = std::max<std::int64_t>(kPickGrain / c.count, 1), pieces = (c.n + piece - 1) / piece;
  const std::int64_t room = piece * c.count;

  const auto memory = [=](std::size_t each) {
    return Storage::allocate(pieces * room * static_cast<std::int64_t>(each));
  };
  const Ref<Storage> places_memory = memory(sizeof(std::uint32_t)), values_memory = memory(sizeof(T));
  auto* const places = static_cast<std::uint32_t*>(places_memory->data());
  auto* const values = static_cast<T*>(values_memory->data());
  std::vector<std::uint32_t> begins(static_cast<std::size_t>(pieces * (buckets + 1)));  // in a piece, of a bucket
  parallel_for(pieces, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t p = first; p < last; ++p) {
      deal(c, p * piece, std::min(c.n, (p + 1) * piece), bits, buckets, places + p * room, values + p * room,
           begins.data() + p * (buckets + 1));
    }
  });
  const std::int64_t grain = std::max<std::int64_t>(buckets * kPickGrain / 4 / (c.n * c.count), 1);
  parallel_for(buckets, grain, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t b = first; b < last; ++b) {
      const Bucket<T> bucket(places, values, begins.data() + b, pieces, room, buckets + 1);
      if (bucket.size() != 0) body(b * width, std::min(width, c.rows - b * width), bucket);
    }
  });
}

}  // namespace gradus::core
