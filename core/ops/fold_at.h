// Columns of an array and what goes to their places, by one of four folds: the last one stays, the sum, the product, the extreme.
// Internal to core.
//
// float32 is summed up (and multiplied) in float64 and rounded once, in whichever of these ways: by a copy of the columns in
// float64, where values are not few beside the places; sorted by their places, where they are; in buckets, where there are many,
// for many threads or because the copy would leave the caches. A few threads share one long column by parts of its places. Each
// place meets its values in the order of the index, and keeps its bits where its total does not change, so that all ways leave
// the same bits.
#pragma once

#include <algorithm>
#include <cstring>
#include <optional>
#include <type_traits>

#include "../loops/copy.h"
#include "../memory/storage.h"
#include "../simd/places.h"
#include "buckets.h"
#include "parts.h"

namespace gradus::core {

// What a fold computes in.
template <class T>
using Wide = std::conditional_t<std::is_same_v<T, float>, double, T>;

template <class T>
struct LastOf {
  using Total = T;
  static void put(T& to, T value) { to = value; }
};
template <class T>
struct SumOf {
  using Total = Wide<T>;
  static void put(Total& to, Total value) {
    if constexpr (std::is_integral_v<T>) {  // wraps around
      to = static_cast<T>(static_cast<std::uint64_t>(to) + static_cast<std::uint64_t>(value));
    } else {
      to += value;
    }
  }
};
template <class T>
struct ProductOf {
  using Total = Wide<T>;
  static void put(Total& to, Total value) {
    if constexpr (std::is_integral_v<T>) {
      to = static_cast<T>(static_cast<std::uint64_t>(to) * static_cast<std::uint64_t>(value));
    } else {
      to *= value;
    }
  }
};
// The larger, or the smaller; NaN stays. Without a branch, which would be foreseen half of the time.
template <class T, bool max>
struct ExtremeOf {
  using Total = T;
  static void put(T& to, T value) {
    const T wins = max ? (value > to ? value : to) : (value < to ? value : to);
    to = value == value ? wins : value;
  }
};

template <class Fold, class T>
void fold_directly(const Columns<T>& c) {
  if (c.count == 1) {
    T* const to = c.to;
    const std::int64_t step = c.to_row;
    if (step == 1) return c.each(0, [=](std::int64_t row, T value) { Fold::put(to[row], value); });
    return c.each(0, [=](std::int64_t row, T value) { Fold::put(to[row * step], value); });
  }
  const bool packed = c.to_column == 1 && c.from_column == 1;
  for (std::int64_t i = 0; i < c.n; ++i) {
    if (!c.shared()) {
      for (std::int64_t k = 0; k < c.count; ++k) Fold::put(c.target(c.row(i, k), k), c.value(i, k));
      continue;
    }
    T* const to = &c.target(c.row(i, 0), 0);
    const T* const from = c.from + i * c.from_row;
    if constexpr (std::is_same_v<Fold, LastOf<T>>) {
      if (packed) {
        std::memcpy(to, from, static_cast<std::size_t>(c.count) * sizeof(T));
        continue;
      }
    }
    if (packed) {
      for (std::int64_t k = 0; k < c.count; ++k) Fold::put(to[k], from[k]);
    } else {
      for (std::int64_t k = 0; k < c.count; ++k) Fold::put(to[k * c.to_column], from[k * c.from_column]);
    }
  }
}

// Rows of columns as runs of elements, `step` apart: in a copy they lie one after the other.
struct Runs {
  Runs(const Columns<float>& c, std::int64_t first, std::int64_t rows) : at(&c.target(first, 0)) {
    if (c.count == 1) {
      count = 1, length = rows, pitch = 0, step = c.to_row;
    } else if (c.to_column == 1 && c.to_row == c.count) {
      count = 1, length = rows * c.count, pitch = 0, step = 1;
    } else {
      count = rows, length = c.count, pitch = c.to_row, step = c.to_column;
    }
  }
  /// Whether all come back by `narrow` as they are, if they do not change.
  bool widen(double* copy) const {
    constexpr auto wide = static_cast<std::int64_t>(sizeof(double)), narrow = static_cast<std::int64_t>(sizeof(float));
    if (step != 1) {
      kernels::tile_copy(kFloat64, kFloat32)(reinterpret_cast<char*>(copy), length * wide, wide,
                                             reinterpret_cast<const char*>(at), pitch * narrow, step * narrow, count,
                                             length);
      return false;
    }
    bool plain = true;
    for (std::int64_t r = 0; r < count; ++r) plain &= kernels::widen(copy + r * length, at + r * pitch, length);
    return plain;
  }
  void narrow(const double* copy, bool plain) const {
    for (std::int64_t r = 0; r < count; ++r) {
      float* const to = at + r * pitch;
      const double* const from = copy + r * length;
      if (plain) {
        kernels::narrow(to, from, length);
      } else {
        for (std::int64_t i = 0; i < length; ++i) to[i * step] = kernels::narrowed_if_changed(to[i * step], from[i]);
      }
    }
  }

  float* at;
  std::int64_t count, length, pitch, step;
};

// Rows [first, first + rows) of the columns in float64, for a function that changes them there.
template <class F>
void in_copy(const Columns<float>& c, std::int64_t first, std::int64_t rows, char* memory, const F& change) {
  auto* const copy = reinterpret_cast<double*>(memory);
  const Runs runs(c, first, rows);
  const bool plain = runs.widen(copy);
  change(copy);
  runs.narrow(copy, plain);
}

template <class Fold>
void fold_in_copy(const Columns<float>& c, char* memory) {
  in_copy(c, 0, c.rows, memory, [&](double* totals) {
    if (std::is_same_v<Fold, SumOf<float>> && c.count == 1 && c.index_row == 1 && c.from_row == 1) {
      return kernels::add_at(totals, c.index, c.from, c.n);
    }
    for_values(c, 0, c.n, [&](std::int64_t i, std::int64_t row, std::int64_t k) {
      Fold::put(totals[row * c.count + k], static_cast<double>(c.value(i, k)));
    });
  });
}

// One column, each part of its places by a task; float32 in a copy of the places, for which there is memory.
template <class Fold, class T>
void fold_in_parts(const Columns<T>& c, const Parts& parts, char* memory) {
  using Total = typename Fold::Total;
  parallel_for(parts.count, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t part = begin; part < end; ++part) {
      const std::int64_t first = part * parts.width, rows = std::min(parts.width, c.rows - first), step = c.to_row;
      if constexpr (!std::is_same_v<Total, T>) {
        in_copy(c, first, rows, memory + first * static_cast<std::int64_t>(sizeof(Total)), [&](Total* totals) {
          for_part(c, first, rows,
                   [=](std::uint32_t place, T value) { Fold::put(totals[place], static_cast<Total>(value)); });
        });
      } else {
        T* const to = &c.target(first, 0);
        for_part(c, first, rows, [=](std::uint32_t place, T value) { Fold::put(to[place * step], value); });
      }
    }
  });
}

template <class Place>
struct Valued {
  Place place;
  float value;
};
// Values whose places count from row `first`, sorted here.
template <class Fold, class Place>
void fold_few(const Columns<float>& c, std::int64_t first, Valued<Place>* entries, Valued<Place>* end) {
  // Where there is no memory for a stable sort, it takes its time.
  std::stable_sort(entries, end, [](const auto& a, const auto& b) { return a.place < b.place; });
  while (entries != end) {
    const auto place = entries->place;
    float& to =
        c.target(first + static_cast<std::int64_t>(place) / c.count, static_cast<std::int64_t>(place) % c.count);
    double total = static_cast<double>(to);
    for (; entries != end && entries->place == place; ++entries) {
      Fold::put(total, static_cast<double>(entries->value));
    }
    to = kernels::narrowed_if_changed(to, total);
  }
}
using Few = Valued<std::int64_t>;
template <class Fold>
void fold_few(const Columns<float>& c, char* memory) {
  Few *const entries = reinterpret_cast<Few*>(memory), *end = entries;
  for_values(c, 0, c.n, [&](std::int64_t i, std::int64_t row, std::int64_t k) {
    *end++ = {row * c.count + k, c.value(i, k)};
  });
  fold_few<Fold>(c, 0, entries, end);
}

// Where at most an eighth of the places are named, to sort the values costs less than to copy all places there and back.
inline constexpr std::int64_t kPlacesPerValue = 8;

template <class Fold, class T>
void fold_in_buckets(const Columns<T>& c, const Dealing& dealing, char* memory) {
  for_buckets(c, dealing, memory, [&](std::int64_t first, std::int64_t rows, const Bucket<T>& bucket, char* own) {
    if constexpr (!std::is_same_v<typename Fold::Total, T>) {
      if (bucket.size() < rows * c.count / kPlacesPerValue) {
        using Near = Valued<std::uint32_t>;
        static_assert(sizeof(Near) <= kPlacesPerValue * sizeof(double), "they fit where a copy would");
        Near *const entries = reinterpret_cast<Near*>(own), *end = entries;
        bucket.each([&](std::uint32_t place, T value) { *end++ = {place, value}; });
        return fold_few<Fold>(c, first, entries, end);
      }
      in_copy(c, first, rows, own, [&](double* totals) {
        bucket.each([=](std::uint32_t place, T value) { Fold::put(totals[place], static_cast<double>(value)); });
      });
    } else {
      T* const to = &c.target(first, 0);
      const auto columns = static_cast<std::uint32_t>(c.count);
      const std::int64_t row = c.to_row, column = c.to_column;
      if (columns == 1) {
        bucket.each([=](std::uint32_t place, T value) { Fold::put(to[place * row], value); });
      } else {
        bucket.each([=](std::uint32_t place, T value) {
          Fold::put(to[place / columns * row + place % columns * column], value);
        });
      }
    }
  });
}

// As long as what the other ways write to stays in the last cache, so many places, buckets take two threads as long as these
// take one; and to look through the index for parts takes no longer than buckets for so many threads.
inline constexpr std::int64_t kNearPlaces = std::int64_t{1} << 21, kMostParts = 8;
// Values that are sorted as they are: their entries stay in the first cache. More are dealt into buckets before.
inline constexpr std::int64_t kFewValues = 2048;

// The way in which `count` columns are folded, and the memory it takes. By all ways the bits are the same, so that it may depend
// on the number of threads.
template <class Fold, class T>
class FoldWay {
 public:
  FoldWay(std::int64_t n, std::int64_t rows, std::int64_t count, bool shared, const ColumnCut& cut) {
    const std::int64_t values = n * count, places = rows * count, threads = cut.alone() ? get_num_threads() : 1;
    const bool many = values >= 2 * kPickGrain && !(shared && count > 1);
    const std::int64_t each = (threads - 1) / cut.tasks + 1;  // threads for a task
    if (many && count == 1 && each <= kMostParts) parts_ = each;
    if (many && (places > kNearPlaces || (threads > 2 && each > 1 && parts_ == 1))) {
      way_ = kBuckets;
    } else if (!kWide) {
      way_ = kDirectly;
    } else if (values >= places / kPlacesPerValue) {
      way_ = kCopy;
    } else {
      way_ = values <= kFewValues ? kFew : kBuckets;
    }
    if (way_ == kBuckets) {
      dealing_.emplace(n, rows, count, sizeof(T), kWide ? sizeof(double) : 0, Slots::wanted(Slots::kMost));
      bytes_ = dealing_->bytes;
    } else if (way_ == kCopy) {
      bytes_ = places * static_cast<std::int64_t>(sizeof(double));
    } else if (way_ == kFew) {
      bytes_ = values * static_cast<std::int64_t>(sizeof(Few));
    }
  }
  std::int64_t bytes() const { return bytes_; }

  void run(const Columns<T>& c, char* memory) const {
    if (way_ == kBuckets) return fold_in_buckets<Fold>(c, *dealing_, memory);
    if (parts_ > 1 && (way_ == kCopy || way_ == kDirectly) && c.index_row == 1) {
      return fold_in_parts<Fold>(c, Parts(c.rows, parts_), memory);
    }
    if constexpr (kWide) {
      if (way_ == kCopy) return fold_in_copy<Fold>(c, memory);
      fold_few<Fold>(c, memory);
    } else {
      fold_directly<Fold>(c);
    }
  }

 private:
  static constexpr bool kWide = !std::is_same_v<typename Fold::Total, T>;
  enum Way { kDirectly, kCopy, kFew, kBuckets };

  std::optional<Dealing> dealing_;
  Way way_;
  std::int64_t parts_ = 1, bytes_ = 0;
};

// The same for all columns of an array along dimension d; the index is checked. MemoryError before anything is written.
template <class Fold, class T>
void fold_at(const Array& out, int d, const Array& index, const Array& src) {
  if (index.numel() == 0) return;
  const std::int64_t all = index.numel() / index.size(d), rows = out.size(d);
  const std::int64_t piece = index.strides().back() == 0 ? columns_of_rows(index.shape().back(), all)
                                                         : columns_in_cache(rows, all, sizeof(typename Fold::Total));
  const ColumnCut cut(index, d, piece);
  const bool shared = d == index.dim() - 1 || index.strides().back() == 0;
  const auto way_of = [&](std::int64_t count) { return FoldWay<Fold, T>(cut.n, rows, count, shared, cut); };
  const FoldWay<Fold, T> whole = way_of(cut.piece), rest = way_of(cut.length - (cut.pieces - 1) * cut.piece);
  const std::int64_t bytes = std::max(whole.bytes(), rest.bytes()), count = Slots::wanted(cut.tasks);
  const Ref<Storage> memory = bytes == 0 ? Ref<Storage>() : Storage::allocate(count * Slots::padded(bytes));
  Slots slots(memory ? memory->data() : nullptr, bytes, count);
  for_columns<T>(
      out, d, index, src, cut, [&] { return Slots::Held(slots); },
      [&](const Columns<T>& c, const Slots::Held& own) { (c.count == cut.piece ? whole : rest).run(c, own.data()); });
}

}  // namespace gradus::core
