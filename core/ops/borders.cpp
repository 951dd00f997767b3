#include "borders.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "../array/create.h"
#include "../base/dispatch.h"
#include "../base/expect.h"
#include "../base/fail.h"
#include "../simd/contiguous.h"
#include "../threads/parallel.h"
#include "pick.h"

namespace gradus::core {
namespace {

constexpr std::int64_t kGrain = 32768;  // elements

// Counts before and after a dimension.
struct Ends {
  std::int64_t before = 0, after = 0;
};
Ends ends_of(int d, int dims, IntArrayRef pad) {
  const auto k = static_cast<std::size_t>(2 * (dims - 1 - d));
  return k < pad.size() ? Ends{pad[k], pad[k + 1]} : Ends{};
}

// Places of a padded dimension, one behind the other, that come from places one apart, forwards or backwards, or from
// one alone.
struct Run {
  std::int64_t begin, count;  // may be none
  std::int64_t from, step;    // where the first comes from, and how much farther on the next
  std::int64_t operator[](std::int64_t i) const { return from + (i - begin) * step; }
  // Those of [first, end).
  Run cut(std::int64_t first, std::int64_t end) const {
    first = std::clamp(first, begin, begin + count);
    return {first, std::clamp(end, first, begin + count) - first, (*this)[first], step};
  }
  // Those that come from [first, end).
  Run out_of(std::int64_t first, std::int64_t end) const {
    if (step == 0) return first <= from && from < end ? *this : cut(0, 0);
    return step > 0 ? cut(begin + (first - from), begin + (end - from))
                    : cut(begin + (from - end + 1), begin + (from - first + 1));
  }
  // Those that come from one place: [first, end).
  std::pair<std::int64_t, std::int64_t> of_place(std::int64_t place) const {
    if (step == 0) return {begin, place == from ? begin + count : begin};
    const std::int64_t i = (place - from) * step;
    return {begin + i, i >= 0 && i < count ? begin + i + 1 : begin + i};
  }
  // The places that they come from: [first, behind).
  std::pair<std::int64_t, std::int64_t> sources() const {
    if (count == 0) return {0, 0};
    const std::int64_t last = from + (count - 1) * step;
    return {std::min(from, last), std::max(from, last) + 1};
  }
};
// A padded dimension: what lies beyond its first border, within, and beyond its last.
struct Line {
  Line() = default;
  Line(std::int64_t n, const Ends& ends, Border border) : size(n + ends.before + ends.after) {
    const std::int64_t first = std::clamp<std::int64_t>(ends.before, 0, size),
                       behind = std::clamp<std::int64_t>(n + ends.before, first, size);
    // Place i is i - before of the dimension continued at both ends.
    const std::int64_t lead = std::max<std::int64_t>(ends.before, 0);
    const std::int64_t past = std::max<std::int64_t>(behind - ends.before - n, 0);
    const auto beyond = [&](std::int64_t begin, std::int64_t end, std::int64_t mirrored, std::int64_t nearest,
                            std::int64_t round) {
      return border == Border::Reflect     ? Run{begin, end - begin, mirrored, -1}
             : border == Border::Replicate ? Run{begin, end - begin, nearest, 0}
                                           : Run{begin, end - begin, round, 1};
    };
    before = beyond(0, first, lead, 0, n - lead);
    within = {first, behind - first, behind > first ? first - ends.before : 0, 1};
    after = beyond(behind, size, n - 2 - past, n - 1, past);
  }
  const Run& of(std::int64_t i) const { return i < within.begin ? before : i < after.begin ? within : after; }
  std::int64_t operator[](std::int64_t i) const { return of(i)[i]; }
  // Its places [first, end), of elements `stride` apart.
  Line cut(std::int64_t first, std::int64_t end, std::int64_t stride) const {
    Line line = *this;
    for (Run* const run : {&line.before, &line.within, &line.after}) {
      *run = run->cut(first, end);
      run->from *= stride, run->step *= stride;
    }
    return line;
  }
  std::int64_t size;
  Run before, within, after;
};

void copy_elements(void* to, const void* from, std::int64_t bytes) {
  if (bytes >= 256) return kernels::copy_bytes(to, from, static_cast<std::size_t>(bytes));
  std::memcpy(to, from, static_cast<std::size_t>(bytes));
}

// Elements as far apart as a run says, mostly few.
template <class T>
[[gnu::noinline]] void copy_many(T* to, const T* from, const Run& run) {
  if (run.step == 1) return copy_elements(to, from, run.count * static_cast<std::int64_t>(sizeof(T)));
  for (std::int64_t i = 0; i < run.count; ++i) to[i] = from[i * run.step];
}
template <class T>
inline void copy_few(T* to, const T* from, const Run& run) {
  to += run.begin, from += run.from;
  if (run.count > 8) return copy_many(to, from, run);
  for (T* const end = to + run.count; to != end; ++to, from += run.step) *to = *from;
}
template <class T>
inline void pad_row(T* to, const T* from, const Line& line) {
  copy_few(to, from, line.before);
  const Run& within = line.within;
  if (within.step == 1) {
    copy_elements(to + within.begin, from + within.from, within.count * static_cast<std::int64_t>(sizeof(T)));
  } else {
    copy_many(to + within.begin, from + within.from, within);
  }
  copy_few(to, from, line.after);
}

// What one task sums: places [row, behind) of a dimension, at columns [begin, end) of the `inner` elements of each.
struct Part {
  std::int64_t row, behind, begin, end;
};
// What comes to them from beyond the borders.
struct Beyond {
  Beyond(const Line& line, const Part& part)
      : before(line.before.out_of(part.row, part.behind)), after(line.after.out_of(part.row, part.behind)) {
    const auto [a, a_end] = before.sources();
    const auto [b, b_end] = after.sources();
    once =
        (before.step != 0 || before.count <= 1) && (after.step != 0 || after.count <= 1) && (a_end <= b || b_end <= a);
  }
  Run before, after;
  bool once;  // no more than one element to a place
};

// What comes to one place is added up in float64, in the order in which it lies, and rounded once.
template <class T>
void add_in_order(T* to, const T* from, std::int64_t inner, const Part& part, const Beyond& beyond) {
  constexpr std::int64_t kBlock = 64;
  const auto add = [&](std::int64_t place) {
    const auto [a, a_end] = beyond.before.of_place(place);
    const auto [b, b_end] = beyond.after.of_place(place);
    if (inner == 1) {
      auto sum = static_cast<double>(to[place]);
      for (std::int64_t q = a; q < a_end; ++q) sum += static_cast<double>(from[q]);
      for (std::int64_t q = b; q < b_end; ++q) sum += static_cast<double>(from[q]);
      to[place] = static_cast<T>(sum);
      return;
    }
    for (std::int64_t k = part.begin; k < part.end; k += kBlock) {
      const std::int64_t count = std::min(kBlock, part.end - k);
      double sums[kBlock];
      T* const target = to + place * inner + k;
      std::copy(target, target + count, sums);
      const auto rows = [&](std::int64_t q, std::int64_t end) {
        for (; q < end; ++q) {
          const T* const row = from + q * inner + k;
          for (std::int64_t i = 0; i < count; ++i) sums[i] += static_cast<double>(row[i]);
        }
      };
      rows(a, a_end);
      rows(b, b_end);
      for (std::int64_t i = 0; i < count; ++i) target[i] = static_cast<T>(sums[i]);
    }
  };
  const auto [a, a_end] = beyond.before.sources();
  const auto [b, b_end] = beyond.after.sources();
  for (std::int64_t p = a; p < a_end; ++p) add(p);
  for (std::int64_t p = b; p < b_end; ++p) {
    if (p < a || p >= a_end) add(p);
  }
}
// The same of a single element to a place: a sum of two is rounded once anyway.
template <class T>
void add_once(T* to, const T* from, std::int64_t inner, const Part& part, const Run& run) {
  const std::int64_t width = part.end - part.begin;
  T* target = to + run.from * inner + part.begin;
  const T* row = from + run.begin * inner + part.begin;
  for (std::int64_t i = 0; i < run.count; ++i, target += run.step * inner, row += inner) {
    if (width == 1) {
      *target += *row;
    } else {
      for (std::int64_t k = 0; k < width; ++k) target[k] += row[k];
    }
  }
}

template <class T>
void add_beyond(T* to, const T* from, std::int64_t inner, const Part& part, const Beyond& beyond) {
  if (!beyond.once) return add_in_order(to, from, inner, part, beyond);
  add_once(to, from, inner, part, beyond.before);
  add_once(to, from, inner, part, beyond.after);
}

template <class T>
void sum_part(T* to, const T* from, std::int64_t inner, const Part& part, const Line& line, const Beyond& beyond) {
  const std::int64_t width = part.end - part.begin;
  const auto rows = [&](std::int64_t row, std::int64_t end, const auto& f) {  // as few pieces as there are
    row = std::max(row, part.row), end = std::min(end, part.behind);
    if (row >= end) return;
    if (width == inner) return f(row, (end - row) * inner);
    for (std::int64_t r = row; r < end; ++r) f(r, width);
  };
  const auto clear = [&](std::int64_t row, std::int64_t count) {
    std::memset(to + row * inner + part.begin, 0, static_cast<std::size_t>(count) * sizeof(T));
  };
  const std::int64_t first = line.within.from, behind = first + line.within.count;
  rows(0, first, clear);
  rows(first, behind, [&](std::int64_t row, std::int64_t count) {
    copy_elements(to + row * inner + part.begin, from + (row - first + line.within.begin) * inner + part.begin,
                  count * static_cast<std::int64_t>(sizeof(T)));
  });
  rows(behind, part.behind, clear);
  add_beyond(to, from, inner, part, beyond);
}
// All of them.
template <class T>
void sum_all(T* to, const T* from, std::int64_t inner, const Part& all, const Line& line, const Beyond& beyond) {
  const std::int64_t first = line.within.from, count = line.within.count, behind = first + count;
  const auto bytes = [&](std::int64_t places) { return places * inner * static_cast<std::int64_t>(sizeof(T)); };
  if (first > 0) std::memset(to, 0, static_cast<std::size_t>(bytes(first)));
  copy_elements(to + first * inner, from + line.within.begin * inner, bytes(count));
  if (behind < all.behind) std::memset(to + behind * inner, 0, static_cast<std::size_t>(bytes(all.behind - behind)));
  add_beyond(to, from, inner, all, beyond);
}

Array sum_along(int d, std::int64_t n, const Line& line, const Array& dy) {
  Shape shape = dy.shape();
  shape[d] = n;
  Array out = empty(shape, dy.dtype());
  if (out.numel() == 0) return out;
  const std::int64_t inner = numel_of(part(shape, d + 1, shape.size())), outer = out.numel() / (n * inner);
  // Cut along the outer dimensions, and where there is much behind each of theirs along the inner ones and this one.
  const std::int64_t columns = std::min(inner, std::max<std::int64_t>(kGrain / n, 256)),
                     height = std::min(n, std::max<std::int64_t>(kGrain / columns, 1));
  const std::int64_t across = (inner + columns - 1) / columns, down = (n + height - 1) / height, cuts = down * across;
  dispatch(dy.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_floating_point_v<T>) {
      T* const to = static_cast<T*>(out.data());
      const T* const from = static_cast<const T*>(dy.data());
      const Part all{0, n, 0, inner};
      const Beyond all_beyond(line, all);
      const auto sum = [&](std::int64_t task) {
        const std::int64_t o = cuts == 1 ? task : task / cuts, cut = task - o * cuts;
        T* const target = to + o * n * inner;
        const T* const source = from + o * line.size * inner;
        if (cuts == 1) return sum_all(target, source, inner, all, line, all_beyond);
        const std::int64_t row = cut / across * height, column = cut % across * columns;
        const Part part{row, std::min(row + height, n), column, std::min(column + columns, inner)};
        sum_part(target, source, inner, part, line, Beyond(line, part));
      };
      parallel_for(outer * cuts, std::max<std::int64_t>(kGrain / (height * columns), 1),
                   [&](std::int64_t begin, std::int64_t end) {
                     for (std::int64_t task = begin; task < end; ++task) sum(task);
                   });
    }
  });
  return out;
}

Shape padded_shape(const Shape& x, IntArrayRef pad, Border border) {
  const int dims = x.size(), pairs = static_cast<int>(pad.size() / 2);
  if (pad.size() % 2 != 0 || pairs > dims || pairs == 0) {
    fail<ShapeError>("border_pad: there must be two counts for each of the last dimensions: {} for {}", pad, x);
  }
  Shape shape = x;
  for (int d = dims - 1; d >= dims - pairs; --d) {
    const std::int64_t n = x[d];
    const auto [before, after] = ends_of(d, dims, pad);
    // A border is repeated as often as one likes, where there is one.
    const std::int64_t most = border == Border::Reflect    ? std::max<std::int64_t>(n - 1, 0)
                              : border == Border::Circular ? n
                              : n == 0                     ? 0
                                                           : std::max({before, after, std::int64_t{0}});
    if (before > most || after > most) {
      fail<ValueError>("border_pad: counts must be at most {}, what there is to take of dimension {}: {} for {}", most,
                       d, std::max(before, after), x);
    }
    std::int64_t size = 0;
    if (__builtin_add_overflow(n, std::max<std::int64_t>(before, 0), &size) ||
        __builtin_add_overflow(size, std::max<std::int64_t>(after, 0), &size)) {
      fail<ShapeError>("border_pad: a size must fit into 64 bits: {} for {}", pad, x);
    }
    // Below 0 they crop, what was padded too.
    const std::int64_t first = std::min<std::int64_t>(before, 0), last = std::min<std::int64_t>(after, 0);
    if (first < -size || last < -(size + first) || ((first < 0 || last < 0) && size + first + last == 0 && n > 0)) {
      fail<ValueError>("border_pad: counts below 0 must leave something of what there is: {} and {} of {}", before,
                       after, n);
    }
    shape[d] = size + first + last;
  }
  return shape;
}

}  // namespace

Array border_pad(const Array& x, IntArrayRef pad, Border border) {
  expect_defined("border_pad", "the operand", x);
  const Shape shape = padded_shape(x.shape(), pad, border);
  Array out = empty(shape, x.dtype());
  if (out.numel() == 0) return out;
  std::array<Line, kMaxDims> lines;
  const int dims = x.dim(), last = dims - 1;
  for (int d = 0; d < dims; ++d) lines[static_cast<std::size_t>(d)] = Line(x.size(d), ends_of(d, dims, pad), border);
  const std::int64_t n = shape.back(), rows = out.numel() / n;
  const int above = std::max(dims - 2, 0);             // the dimension of the rows, where there is one
  const auto row_of = [&](std::int64_t i, int upto) {  // where the i-th of the leading dimensions begins
    std::int64_t offset = 0;
    for (int d = upto; d-- > 0; i /= shape[d])
      offset += lines[static_cast<std::size_t>(d)][i % shape[d]] * x.strides()[d];
    return offset;
  };
  const std::int64_t height = dims > 1 ? shape[above] : 1;
  const std::int64_t between = x.strides()[last];
  const Line& line = lines[static_cast<std::size_t>(last)];
  // Where each row begins; a row alone begins at 0.
  const Line of_rows =
      dims > 1 ? lines[static_cast<std::size_t>(above)].cut(0, height, x.strides()[above]) : Line(1, {}, border);
  dispatch_width(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* const to = static_cast<T*>(out.data());
    const T* const from = static_cast<const T*>(x.data());
    // Rows [begin, end), of each the places of a line.
    const auto pad_rows = [&](std::int64_t begin, std::int64_t end, const Line places) {
      std::int64_t i = begin % height, start = row_of(begin / height, above);
      for (std::int64_t row = begin; row < end; ++row) {
        pad_row(to + row * n, from + start + of_rows[i], places);
        if (++i == height) {
          i = 0;
          start = row_of((row + 1) / height, above);
        }
      }
    };
    if (n <= kGrain) {
      const Line whole = line.cut(0, n, between);
      parallel_for(rows, kGrain / n, [&](std::int64_t begin, std::int64_t end) { pad_rows(begin, end, whole); });
      return;
    }
    const std::int64_t pieces = (n + kGrain - 1) / kGrain;  // of a long row
    parallel_for(rows * pieces, 1, [&](std::int64_t task, std::int64_t) {
      const std::int64_t row = task / pieces, begin = task % pieces * kGrain;
      pad_rows(row, row + 1, line.cut(begin, begin + kGrain, between));
    });
  });
  return out;
}

Array border_pad_sum(const Shape& shape, IntArrayRef pad, Border border, const Array& dy) {
  expect_floating("border_pad_sum", "the gradient", dy);
  in_name_of("border_pad_sum", [&] {
    expect_shape("border_pad", "the gradient", dy.shape(), "of the padded shape", padded_shape(shape, pad, border));
  });
  Array dx = dy.contiguous();
  const int dims = shape.size(), padded = static_cast<int>(pad.size() / 2);
  for (int d = dims - padded; d < dims; ++d) {  // the last that was padded first
    const Ends ends = ends_of(d, dims, pad);
    if (ends.before == 0 && ends.after == 0) continue;
    dx = sum_along(d, shape[d], Line(shape[d], ends, border), dx);
  }
  return dx.storage() == dy.storage() ? dx.clone() : dx;
}

}  // namespace gradus::core
