// Values sorted into buckets of neighbouring rows, each piece of the column by itself and in order; then bucket by bucket, so
// that what a task writes lies close together and is written by no other.
#include "long_column.h"

#include <algorithm>
#include <vector>

#include "../memory/memory.h"

namespace gradus::core {
namespace {

template <class T>
struct Entry {
  std::uint32_t row;  // of the bucket
  T value;
};

// A bucket's sums in float64 are to stay in a core's cache, and there are to be few buckets: each is written to in turn.
constexpr int kLeastBits = 16, kMostBuckets = 1024;

// Calls body(first row, rows, entries, their number) for each bucket that is not empty.
template <class T, class Body>
void for_buckets(const Columns<T>& c, const Body& body) {
  int bits = kLeastBits;
  while ((c.rows - 1) >> bits >= kMostBuckets) ++bits;
  const std::int64_t buckets = ((c.rows - 1) >> bits) + 1, pieces = (c.n + kPickGrain - 1) / kPickGrain;
  const std::int64_t width = std::int64_t{1} << bits;
  std::vector<std::int64_t> next(static_cast<std::size_t>(pieces * buckets));  // for a piece and bucket: where to
  const auto each_of = [&](std::int64_t piece, auto&& f) {
    const std::int64_t end = std::min(c.n, (piece + 1) * kPickGrain);
    std::int64_t* const mine = next.data() + piece * buckets;
    for (std::int64_t i = piece * kPickGrain; i < end; ++i) {
      const std::int64_t row = c.index[i * c.index_row];
      f(i, row, mine[row >> bits]);
    }
  };
  parallel_for(pieces, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t p = begin; p < end; ++p) {
      each_of(p, [](std::int64_t, std::int64_t, std::int64_t& count) { ++count; });
    }
  });
  std::vector<std::int64_t> start(static_cast<std::size_t>(buckets + 1));
  std::int64_t total = 0;
  for (std::int64_t b = 0; b < buckets; ++b) {
    start[static_cast<std::size_t>(b)] = total;
    for (std::int64_t p = 0; p < pieces; ++p) {
      std::int64_t& place = next[static_cast<std::size_t>(p * buckets + b)];
      const std::int64_t count = place;
      place = total;
      total += count;
    }
  }
  start[static_cast<std::size_t>(buckets)] = total;
  const Ref<Storage> storage = Storage::allocate(c.n * static_cast<std::int64_t>(sizeof(Entry<T>)));
  auto* const entries = static_cast<Entry<T>*>(storage->data());
  parallel_for(pieces, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t p = begin; p < end; ++p) {
      each_of(p, [&](std::int64_t i, std::int64_t row, std::int64_t& place) {
        entries[place++] = {static_cast<std::uint32_t>(row & (width - 1)), c.from[i * c.from_row]};
      });
    }
  });
  const std::int64_t grain = std::max<std::int64_t>(buckets * kPickGrain / c.n, 1);
  parallel_for(buckets, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b) {
      const std::int64_t first = start[static_cast<std::size_t>(b)], last = start[static_cast<std::size_t>(b) + 1];
      if (first != last) body(b * width, std::min(width, c.rows - b * width), entries + first, last - first);
    }
  });
}

// Where few of a bucket's rows have values, these are put in order of their rows.
void add_few(float* to, std::int64_t step, Entry<float>* entries, std::int64_t n) {
  std::stable_sort(entries, entries + n, [](const auto& a, const auto& b) { return a.row < b.row; });
  for (std::int64_t i = 0; i < n;) {
    const std::uint32_t row = entries[i].row;
    double sum = static_cast<double>(to[row * step]);
    for (; i < n && entries[i].row == row; ++i) sum += static_cast<double>(entries[i].value);
    to[row * step] = static_cast<float>(sum);
  }
}

}  // namespace

template <class T>
void add_to_long(const Columns<T>& c) {
  for_buckets(c, [&](std::int64_t first, std::int64_t rows, Entry<T>* entries, std::int64_t n) {
    T* const to = c.to + first * c.to_row;
    if constexpr (std::is_same_v<T, float>) {
      if (n < rows / 8) return add_few(to, c.to_row, entries, n);
      std::vector<double> sums(static_cast<std::size_t>(rows));
      for (std::int64_t r = 0; r < rows; ++r) sums[static_cast<std::size_t>(r)] = static_cast<double>(to[r * c.to_row]);
      for (std::int64_t i = 0; i < n; ++i) sums[entries[i].row] += static_cast<double>(entries[i].value);
      for (std::int64_t r = 0; r < rows; ++r) to[r * c.to_row] = static_cast<float>(sums[static_cast<std::size_t>(r)]);
    } else {
      for (std::int64_t i = 0; i < n; ++i) {
        T& sum = to[entries[i].row * c.to_row];
        if constexpr (std::is_integral_v<T>) {  // wraps around
          sum = static_cast<T>(static_cast<std::uint64_t>(sum) + static_cast<std::uint64_t>(entries[i].value));
        } else {
          sum += entries[i].value;
        }
      }
    }
  });
}

template <class T>
void extreme_of_long(const Columns<T>& c, bool max) {
  for_buckets(c, [&](std::int64_t first, std::int64_t, Entry<T>* entries, std::int64_t n) {
    T* const to = c.to + first * c.to_row;
    for (std::int64_t i = 0; i < n; ++i) {
      T& best = to[entries[i].row * c.to_row];
      best = extreme(best, entries[i].value, max);
    }
  });
}

template <class T>
void write_to_long(const Columns<T>& c) {
  for_buckets(c, [&](std::int64_t first, std::int64_t, Entry<T>* entries, std::int64_t n) {
    T* const to = c.to + first * c.to_row;
    for (std::int64_t i = 0; i < n; ++i) to[entries[i].row * c.to_row] = entries[i].value;
  });
}

template void add_to_long(const Columns<std::uint8_t>&);
template void add_to_long(const Columns<std::int32_t>&);
template void add_to_long(const Columns<std::int64_t>&);
template void add_to_long(const Columns<float>&);
template void add_to_long(const Columns<double>&);
template void extreme_of_long(const Columns<std::uint8_t>&, bool);
template void extreme_of_long(const Columns<std::int32_t>&, bool);
template void extreme_of_long(const Columns<std::int64_t>&, bool);
template void extreme_of_long(const Columns<float>&, bool);
template void extreme_of_long(const Columns<double>&, bool);
// Of any dtype, by the width of its elements.
template void write_to_long(const Columns<std::uint8_t>&);
template void write_to_long(const Columns<std::uint16_t>&);
template void write_to_long(const Columns<std::uint32_t>&);
template void write_to_long(const Columns<std::uint64_t>&);

}  // namespace gradus::core
