#include "borders.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <vector>

#include "../array/create.h"
#include "../base/dispatch.h"
#include "../base/expect.h"
#include "../simd/contiguous.h"
#include "../threads/parallel.h"
#include "pick.h"

namespace gradus::core {
namespace {

constexpr std::int64_t kGrain = 32768;  // elements

// Where the places along a padded dimension come from.
struct Line {
  Line(std::int64_t n, std::int64_t before, std::int64_t after, Border border)
      : from(static_cast<std::size_t>(n + before + after)) {
    const auto m = static_cast<std::int64_t>(from.size());
    for (std::int64_t i = 0; i < m; ++i) {
      std::int64_t at = i - before;
      if (at < 0) at = border == Border::Reflect ? -at : border == Border::Replicate ? 0 : at + n;
      if (at >= n) at = border == Border::Reflect ? 2 * (n - 1) - at : border == Border::Replicate ? n - 1 : at - n;
      from[static_cast<std::size_t>(i)] = at;
    }
    first = std::clamp<std::int64_t>(before, 0, m);
    count = std::clamp<std::int64_t>(n + before, first, m) - first;
  }
  std::int64_t operator[](std::int64_t i) const { return from[static_cast<std::size_t>(i)]; }
  std::int64_t size() const { return static_cast<std::int64_t>(from.size()); }
  std::vector<std::int64_t> from;
  std::int64_t first, count;  // what lies within: one behind the other, as it was
};

void copy_elements(void* to, const void* from, std::int64_t bytes) {
  if (bytes >= 256) return kernels::copy_bytes(to, from, static_cast<std::size_t>(bytes));
  std::memcpy(to, from, static_cast<std::size_t>(bytes));
}

// A row, from one that is `step` apart.
template <class T>
void pad_row(T* to, const T* from, std::int64_t step, const Line& line) {
  for (std::int64_t i = 0; i < line.first; ++i) to[i] = from[line[i] * step];
  const std::int64_t behind = line.first + line.count;
  if (step == 1 && line.count > 0) {
    copy_elements(to + line.first, from + line[line.first], line.count * static_cast<std::int64_t>(sizeof(T)));
  } else {
    for (std::int64_t i = line.first; i < behind; ++i) to[i] = from[line[i] * step];
  }
  for (std::int64_t i = behind; i < line.size(); ++i) to[i] = from[line[i] * step];
}

// Places beyond the borders, those that come from one place behind one another.
std::vector<std::int64_t> beyond(const Line& line) {
  std::vector<std::int64_t> places;
  for (std::int64_t i = 0; i < line.size(); ++i) {
    if (i < line.first || i >= line.first + line.count) places.push_back(i);
  }
  std::stable_sort(places.begin(), places.end(), [&](std::int64_t a, std::int64_t b) { return line[a] < line[b]; });
  return places;
}

// The sums along one dimension, at columns [begin, end) of the `inner` elements behind each place.
template <class T>
void sum_columns(T* to, const T* from, std::int64_t n, std::int64_t inner, std::int64_t begin, std::int64_t end,
                 const Line& line, const std::vector<std::int64_t>& places) {
  const std::int64_t first = line.count > 0 ? line[line.first] : 0, behind = first + line.count;
  const auto rows = [&](std::int64_t row, std::int64_t count, const auto& f) {  // as few pieces as there are
    if (begin == 0 && end == inner) return f(row, count * inner);
    for (std::int64_t r = row; r < row + count; ++r) f(r, end - begin);
  };
  const auto clear = [&](std::int64_t row, std::int64_t count) {
    std::memset(to + row * inner + begin, 0, static_cast<std::size_t>(count) * sizeof(T));
  };
  rows(0, first, clear);
  rows(first, line.count, [&](std::int64_t row, std::int64_t count) {
    copy_elements(to + row * inner + begin, from + (row - first + line.first) * inner + begin,
                  count * static_cast<std::int64_t>(sizeof(T)));
  });
  rows(behind, n - behind, clear);
  // What comes to one place is added up in float64 and rounded once.
  constexpr std::int64_t kBlock = 64;
  for (std::size_t p = 0; p < places.size();) {
    const std::int64_t place = line[places[p]];
    std::size_t next = p;
    while (next < places.size() && line[places[next]] == place) ++next;
    for (std::int64_t k = begin; k < end; k += kBlock) {
      const std::int64_t count = std::min(kBlock, end - k);
      double sums[kBlock];
      T* const target = to + place * inner + k;
      std::copy(target, target + count, sums);
      for (std::size_t q = p; q < next; ++q) {
        const T* const row = from + places[q] * inner + k;
        for (std::int64_t i = 0; i < count; ++i) sums[i] += static_cast<double>(row[i]);
      }
      for (std::int64_t i = 0; i < count; ++i) target[i] = static_cast<T>(sums[i]);
    }
    p = next;
  }
}

Array sum_along(int d, std::int64_t n, const Line& line, const Array& dy) {
  Shape shape = dy.shape();
  shape[d] = n;
  Array out = empty(shape, dy.dtype());
  if (out.numel() == 0) return out;
  const std::int64_t inner = numel_of(part(shape, d + 1, shape.size())), outer = out.numel() / (n * inner);
  const std::vector<std::int64_t> places = beyond(line);
  // Cut along the outer dimensions, and where there is much behind each of theirs along the inner ones.
  const std::int64_t columns = std::min(inner, std::max<std::int64_t>(kGrain / n, 256));
  const std::int64_t pieces = (inner + columns - 1) / columns;
  dispatch(dy.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_floating_point_v<T>) {
      T* const to = static_cast<T*>(out.data());
      const T* const from = static_cast<const T*>(dy.data());
      parallel_for(outer * pieces, std::max<std::int64_t>(kGrain / (n * columns), 1),
                   [&](std::int64_t begin, std::int64_t end) {
                     for (std::int64_t task = begin; task < end; ++task) {
                       const std::int64_t o = task / pieces, column = task % pieces * columns;
                       sum_columns(to + o * n * inner, from + o * line.size() * inner, n, inner, column,
                                   std::min(column + columns, inner), line, places);
                     }
                   });
    }
  });
  return out;
}

}  // namespace

Array border_pad(const Array& x, IntArrayRef pad, Border border) {
  const int dims = x.dim();
  Shape shape = x.shape();
  std::vector<Line> lines;  // of each dimension
  for (int d = 0; d < dims; ++d) {
    const auto k = static_cast<std::size_t>(dims - 1 - d);
    const bool padded = 2 * k < pad.size();
    lines.emplace_back(x.size(d), padded ? pad[2 * k] : 0, padded ? pad[2 * k + 1] : 0, border);
    shape[d] = lines.back().size();
  }
  Array out = empty(shape, x.dtype());
  if (out.numel() == 0) return out;
  const std::int64_t n = shape.back(), rows = out.numel() / n;
  const int last = dims - 1, above = dims - 2;         // the last dimension, and that of the rows
  const auto row_of = [&](std::int64_t i, int upto) {  // where the i-th of the leading dimensions begins
    std::int64_t offset = 0;
    for (int d = upto; d-- > 0; i /= shape[d])
      offset += lines[static_cast<std::size_t>(d)][i % shape[d]] * x.strides()[d];
    return offset;
  };
  dispatch_width(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* const to = static_cast<T*>(out.data());
    const T* const from = static_cast<const T*>(x.data());
    const Line& line = lines[static_cast<std::size_t>(last)];
    parallel_for(rows, std::max<std::int64_t>(kGrain / n, 1), [&](std::int64_t begin, std::int64_t end) {
      if (above < 0) return pad_row(to, from, x.strides()[last], line);
      const Line& of_rows = lines[static_cast<std::size_t>(above)];
      const std::int64_t height = shape[above], stride = x.strides()[above];
      std::int64_t i = begin % height, start = row_of(begin / height, above);
      for (std::int64_t row = begin; row < end; ++row) {
        pad_row(to + row * n, from + start + of_rows[i] * stride, x.strides()[last], line);
        if (++i == height) {
          i = 0;
          start = row_of((row + 1) / height, above);
        }
      }
    });
  });
  return out;
}

Array border_pad_sum(const Shape& shape, IntArrayRef pad, Border border, const Array& dy) {
  expect_floating("pad", "the gradient", dy.dtype());
  Array dx = dy.contiguous();
  const int dims = shape.size(), padded = static_cast<int>(pad.size() / 2);
  for (int d = dims - padded; d < dims; ++d) {  // the last that was padded first
    const auto k = static_cast<std::size_t>(dims - 1 - d);
    if (pad[2 * k] == 0 && pad[2 * k + 1] == 0) continue;
    dx = sum_along(d, shape[d], Line(shape[d], pad[2 * k], pad[2 * k + 1], border), dx);
  }
  return dx.storage() == dy.storage() ? dx.clone() : dx;
}

}  // namespace gradus::core
