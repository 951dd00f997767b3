// What goes to the places of some columns, sorted into buckets of neighbouring rows: internal to core.
//
// Values that go to places all over a large array wait for memory one by one, and two threads would write to one place at once.
// So each piece of the values is dealt into buckets first, in order; then bucket by bucket, so that what a task writes lies
// close together, is written by no other, and in the order of the index.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "columns.h"
#include "slots.h"

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

// How values are dealt into buckets, and what memory it takes.
struct Dealing {
  // Of n values of each of `count` columns of some rows; each of `slots` tasks at once has memory of its own to fold a bucket in,
  // `wide` bytes a place.
  Dealing(std::int64_t n, std::int64_t rows, std::int64_t count, std::int64_t element, std::int64_t wide,
          std::int64_t slots) {
    while ((std::int64_t{2} << bits) * count <= kBucketPlaces && (rows - 1) >> bits >= kEnoughBuckets) ++bits;
    while ((rows - 1) >> bits >= kMostBuckets) ++bits;
    buckets = ((rows - 1) >> bits) + 1;
    width = std::int64_t{1} << bits;
    piece = std::max<std::int64_t>(kPickGrain / count, 1);
    pieces = (n + piece - 1) / piece;
    room = piece * count;
    slot_bytes = std::min(width, rows) * count * wide;
    slot_count = std::min(slots, buckets);
    constexpr auto number = static_cast<std::int64_t>(sizeof(std::uint32_t));
    values_at = Slots::padded(pieces * room * number);
    begins_at = values_at + Slots::padded(pieces * room * element);
    slots_at = begins_at + Slots::padded(pieces * (buckets + 1) * number);
    bytes = slots_at + slot_count * Slots::padded(slot_bytes);
  }

  int bits = 0;                      // of a row's number within its bucket
  std::int64_t buckets, width;       // rows of a bucket
  std::int64_t piece, pieces, room;  // values of a column in a piece; all values in one
  std::int64_t slot_bytes, slot_count;
  std::int64_t values_at, begins_at, slots_at, bytes;
};

// Calls body(first row, rows, bucket, memory of the task's own) for each bucket that is not empty.
template <class T, class Body>
void for_buckets(const Columns<T>& c, const Dealing& d, char* memory, const Body& body) {
  auto* const places = reinterpret_cast<std::uint32_t*>(memory);
  auto* const values = reinterpret_cast<T*>(memory + d.values_at);
  auto* const begins = reinterpret_cast<std::uint32_t*>(memory + d.begins_at);  // in a piece, of a bucket
  parallel_for(d.pieces, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t p = first; p < last; ++p) {
      deal(c, p * d.piece, std::min(c.n, (p + 1) * d.piece), d.bits, d.buckets, places + p * d.room,
           values + p * d.room, begins + p * (d.buckets + 1));
    }
  });
  Slots slots(memory + d.slots_at, d.slot_bytes, d.slot_count);
  const std::int64_t grain = std::max<std::int64_t>(d.buckets * kPickGrain / 4 / (c.n * c.count), 1);
  parallel_for(d.buckets, grain, [&](std::int64_t first, std::int64_t last) {
    const Slots::Held own(slots);
    for (std::int64_t b = first; b < last; ++b) {
      const Bucket<T> bucket(places, values, begins + b, d.pieces, d.room, d.buckets + 1);
      if (bucket.size() != 0) body(b * d.width, std::min(d.width, c.rows - b * d.width), bucket, own.data());
    }
  });
}

}  // namespace gradus::core
