// Loops over the places that an index array names along a dimension, cut into columns that share no place: internal to core.
#pragma once

#include <algorithm>
#include <cstdint>

#include "../array/array.h"
#include "../threads/parallel.h"
#include "pick.h"

namespace gradus::core {

// Some columns of an array, with what goes to them: value (i, k) goes to row index(i, k) of column k. If the index is
// `shared`, all columns have that of the first.
template <class T>
struct Columns {
  T* to;
  std::int64_t to_row, to_column;
  const T* from;
  std::int64_t from_row, from_column;
  const std::int64_t* index;
  std::int64_t index_row, index_column;
  std::int64_t n, rows, count;  // values and rows of a column, columns

  T& target(std::int64_t row, std::int64_t k) const { return to[row * to_row + k * to_column]; }
  T value(std::int64_t i, std::int64_t k) const { return from[i * from_row + k * from_column]; }
  std::int64_t row(std::int64_t i, std::int64_t k) const { return index[i * index_row + k * index_column]; }
  bool shared() const { return index_column == 0; }
  /// Calls f(row, value) for all values of a column.
  template <class F>
  void each(std::int64_t k, const F& f) const {
    const std::int64_t* const rows_of = index + k * index_column;
    const T* const values = from + k * from_column;
    if (index_row == 1 && from_row == 1) {
      for (std::int64_t i = 0; i < n; ++i) f(rows_of[i], values[i]);
    } else {
      for (std::int64_t i = 0; i < n; ++i) f(rows_of[i * index_row], values[i * from_row]);
    }
  }
};

inline constexpr std::int64_t kCacheBytes = 256 * 1024;  // of a core's second cache, for what is written to at random

// How many columns a task takes where each has an index of its own: so many that their rows stay in the cache, at least a line
// of them, and of all no more than a sixteenth. No fewer where even a line of each row is far too much.
inline std::int64_t columns_in_cache(std::int64_t rows, std::int64_t all, std::int64_t bytes) {
  const std::int64_t fit = kCacheBytes / std::max<std::int64_t>(rows * bytes, 1),
                     share = std::max<std::int64_t>(all / 16, 16);
  return fit < 2 ? share : std::clamp<std::int64_t>(fit, 16, share);
}
// How many where they share one: several lines, where that makes at least four tasks; each one reads the index again, and moves
// short rows.
inline std::int64_t columns_of_rows(std::int64_t length, std::int64_t all) {
  return std::max(all / 16, std::clamp<std::int64_t>(length / 4, 16, 128));
}

// Whether all columns have one index, and there are several side by side.
inline bool moves_rows(const Array& index, int d) {
  bool shared = d != index.dim() - 1 && index.shape().back() > 1;
  for (int i = 0; i < index.dim(); ++i) shared = shared && (i == d || index.strides()[i] == 0 || index.shape()[i] == 1);
  return shared;
}

// How the columns of an index, which is not empty, along dimension d are cut into tasks of at most `piece` of them.
struct ColumnCut {
  ColumnCut(const Array& index, int d, std::int64_t most)
      : n(index.size(d)),
        length(d != index.dim() - 1 ? index.shape().back() : 1),
        piece(std::min(most, length)),
        pieces((length + piece - 1) / piece),
        tasks(index.numel() / (n * length) * pieces) {}
  // Too few tasks to keep several threads busy.
  bool alone() const { return tasks < 4; }

  std::int64_t n, length;  // values of a column, columns side by side
  std::int64_t piece, pieces, tasks;
};

// Calls body(columns, own) for all of an index that is not empty, where own = take() is kept for several tasks: were it taken for
// each, however short, threads would wait for each other. Along the other dimensions than d different places go to different ones
// of out, so these may be cut into tasks. src is at least as large as the index; both have at least 1 dimension, and any strides.
template <class T, class Take, class Body>
void for_columns(const Array& out, int d, const Array& index, const Array& src, const ColumnCut& cut, const Take& take,
                 const Body& body) {
  // Loops: over `lead`, all dimensions but d and the last; over d; over the last, unless that is d.
  const int last = index.dim() - 1;
  const auto lead_of = [=](const Dims& dims) {
    Dims lead = part(dims, 0, last);
    if (d != last) lead.erase(d);
    return lead;
  };
  const Shape lead = lead_of(index.shape());
  const Strides lead_out = lead_of(out.strides()), lead_index = lead_of(index.strides()),
                lead_src = lead_of(src.strides());
  const bool inner = d != last;
  const std::int64_t out_d = out.stride(d), index_d = index.stride(d), src_d = src.stride(d);
  const std::int64_t out_step = inner ? out.stride(last) : 0, index_step = inner ? index.stride(last) : 0,
                     src_step = inner ? src.stride(last) : 0;

  T* const to = static_cast<T*>(out.data());
  const T* const from = static_cast<const T*>(src.data());
  const auto* const where = static_cast<const std::int64_t*>(index.data());
  parallel_for(cut.tasks, std::max<std::int64_t>(kPickGrain / (cut.n * cut.piece), 1),
               [&](std::int64_t begin, std::int64_t end) {
                 const auto own = take();
                 for (std::int64_t task = begin; task < end; ++task) {
                   const std::int64_t first = task % cut.pieces * cut.piece,
                                      count = std::min(cut.piece, cut.length - first), l = task / cut.pieces;
                   body(Columns<T>{to + offset_of(l, lead, lead_out) + first * out_step, out_d, out_step,
                                   from + offset_of(l, lead, lead_src) + first * src_step, src_d, src_step,
                                   where + offset_of(l, lead, lead_index) + first * index_step, index_d, index_step,
                                   cut.n, out.size(d), count},
                        own);
                 }
               });
}

// The same of body(columns), which needs nothing of its own.
template <class T, class Body>
void for_columns(const Array& out, int d, const Array& index, const Array& src, const ColumnCut& cut,
                 const Body& body) {
  for_columns<T>(
      out, d, index, src, cut, [] { return 0; }, [&](const Columns<T>& c, int) { body(c); });
}

}  // namespace gradus::core
