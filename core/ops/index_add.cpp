// Elements added up at the places that index arrays name: the gradients of picking. However often a place is named, its sum
// is taken in float64 and rounded once.
#include <algorithm>
#include <cstring>
#include <numeric>

#include "combine.h"
#include "../array/create.h"
#include "../base/dispatch.h"
#include "../base/expect.h"
#include "../base/fail.h"
#include "../simd/pointwise.h"
#include "../simd/sum_of_rows.h"
#include "../threads/parallel.h"
#include "fold_at.h"
#include "sum_at.h"

namespace gradus::core {
namespace {

// The entries of an index in the order of their rows, those of one row in the order of the index.
struct Order {
  Array entries, ends;  // and where those of each row end
};
Order counted(const std::int64_t* index, std::int64_t step, std::int64_t n, std::int64_t rows) {
  const Order order{empty({n}, kInt64), zeros({rows}, kInt64)};
  auto *const entries = order.entries.data_ptr<std::int64_t>(), *const next = order.ends.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < n; ++i) ++next[index[i * step]];
  std::exclusive_scan(next, next + rows, next, std::int64_t{0});
  for (std::int64_t i = 0; i < n; ++i) entries[next[index[i * step]]++] = i;
  return order;
}
Array order_of(const std::int64_t* index, std::int64_t step, std::int64_t n, std::int64_t rows) {
  if (rows <= 8 * n) return counted(index, step, n, rows).entries;
  const Array order = empty({n}, kInt64);
  auto* const entries = order.data_ptr<std::int64_t>();
  std::iota(entries, entries + n, std::int64_t{0});
  std::stable_sort(entries, entries + n,
                   [=](std::int64_t a, std::int64_t b) { return index[a * step] < index[b * step]; });
  return order;
}

// Sums that are taken side by side, on the stack: a task that asked for memory could fail after others have written.
constexpr std::int64_t kSums = 512;
// to[j] plus columns [k, k + columns) of some rows, for rows that do not lie in one piece.
void add_strided(const Columns<float>& c, float* to, const std::int64_t* row, const std::int64_t* end, std::int64_t k,
                 std::int64_t columns) {
  double sum[kSums];
  for (std::int64_t j = 0; j < columns; ++j) sum[j] = static_cast<double>(to[j * c.to_column]);
  for (; row != end; ++row) {
    const float* const from = c.from + *row * c.from_row + k * c.from_column;
    for (std::int64_t j = 0; j < columns; ++j) sum[j] += static_cast<double>(from[j * c.from_column]);
  }
  for (std::int64_t j = 0; j < columns; ++j) to[j * c.to_column] = static_cast<float>(sum[j]);
}

// Row by row of the array: each one is read and written once, by one task, whatever is added to it. For columns with one index.
void add_rows_to(const Columns<float>& c, const std::int64_t* order) {
  const bool packed = c.to_column == 1 && c.from_column == 1;
  const kernels::AddRows add_rows = kernels::add_rows_kernel();
  const auto row_at = [&](std::int64_t k) { return c.row(order[k], 0); };
  const std::int64_t bytes = c.count * static_cast<std::int64_t>(sizeof(float));
  parallel_for(c.n, std::max<std::int64_t>(kPickGrain / c.count, 1), [&](std::int64_t begin, std::int64_t end) {
    std::int64_t first = begin;  // a row belongs to the task that its first entry belongs to
    while (first > 0 && first < end && row_at(first) == row_at(first - 1)) ++first;
    while (first < end) {
      const std::int64_t row = row_at(first);
      std::int64_t last = first + 1;
      while (last < c.n && row_at(last) == row) ++last;
      float* const to = &c.target(row, 0);
      if (packed) {
        if (last < c.n) ask_for(reinterpret_cast<const char*>(&c.from[order[last] * c.from_row]), bytes);
        add_rows(to, c.from, order + first, last - first, c.from_row, c.count);
      } else {
        for (std::int64_t k = 0; k < c.count; k += kSums) {
          add_strided(c, to + k * c.to_column, order + first, order + last, k, std::min(kSums, c.count - k));
        }
      }
      first = last;
    }
  });
}

Array sums_at(const Shape& shape, int d, const Array& index, const Array& src) {
  Array out = zeros(shape, src.dtype());
  sum_at(at_least_1d(out), d, index, src);
  return out;
}

// zeros with row index[i] += row i of src, in the order of i, for contiguous rows. A row of the result is written once, by
// one task, from the rows that go to it: a counting sort of the index finds them. More than two of float32 are added up in
// float64.
Array add_rows(const Shape& shape, const std::int64_t* index, const Array& src) {
  const Array out = empty(shape, src.dtype());
  const std::int64_t rows = shape[0], n = src.shape()[0], length = rows == 0 ? 0 : out.numel() / rows;
  const Order sorted = counted(index, 1, n, rows);
  const Array zero = zeros({length}, src.dtype());
  const auto *const order = sorted.entries.data_ptr<std::int64_t>(), *const ends = sorted.ends.data_ptr<std::int64_t>();

  const kernels::Kernel add_kernel = kernels::exact_binary("add"_key, src.dtype());
  const kernels::SumOfRows sum_rows = kernels::sum_of_rows_kernel(src.dtype());
  const auto bytes = static_cast<std::size_t>(length * src.element_size());
  const char* const from = static_cast<const char*>(src.data());
  char* const to = static_cast<char*>(out.data());
  const auto source = [&](std::int64_t k) { return from + static_cast<std::size_t>(order[k]) * bytes; };
  parallel_for(rows, std::max<std::int64_t>(kPickGrain / length, 1), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      char* const sum = to + static_cast<std::size_t>(row) * bytes;
      std::int64_t k = row == 0 ? 0 : ends[row - 1];
      const std::int64_t end = ends[row];
      const auto next = [&] {
        if (k + 1 < n) ask_for(source(k + 1), static_cast<std::int64_t>(bytes));
        return source(k++);
      };
      if (sum_rows != nullptr && end - k > 2) {
        sum_rows(from, order + k, end - k, length, sum);
        continue;
      }
      if (k == end) {
        std::memset(sum, 0, bytes);
        continue;
      }
      const void* first_two[] = {zero.data(), next()};  // not a copy: 0 and -0 is 0
      add_kernel(sum, first_two, static_cast<std::size_t>(length), nullptr);
      while (k < end) {
        const void* both[] = {sum, next()};
        add_kernel(sum, both, static_cast<std::size_t>(length), nullptr);
      }
    }
  });
  return out;
}

}  // namespace

void sum_at(const Array& out, int d, const Array& index, const Array& src) {
  if (index.numel() == 0) return;
  if (out.dtype() == kFloat32 && moves_rows(index, d)) {
    const std::int64_t n = index.size(d), length = index.shape().back();
    const Array order = order_of(static_cast<const std::int64_t*>(index.data()), index.stride(d), n, out.size(d));
    // Few rows leave the threads only columns to share.
    const std::int64_t piece = out.size(d) < 16 ? columns_of_rows(length, index.numel() / n) : length;
    return for_columns<float>(out, d, index, src, ColumnCut(index, d, piece),
                              [&](const Columns<float>& c) { add_rows_to(c, order.data_ptr<std::int64_t>()); });
  }
  dispatch(out.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (!std::is_same_v<T, bool>) fold_at<SumOf<T>, T>(out, d, index, src);
  });
}

Array index_add(const Shape& shape, std::int64_t dim, const Array& index, const Array& src) {
  must_be_defined(src, "index_add");
  must_be_computed(src.dtype(), "the source", "index_add");
  const int d = wrap_dim(dim, shape.size(), "index_add");
  if (index.dim() > 1) fail<ShapeError>("index_add: the index must have at most 1 dimension: {}", index.shape());
  const Shape whole = at_least_1d(shape);
  const Array values = at_least_1d(src);
  Shape expected = whole;
  expected[d] = index.numel();
  if (values.shape() != expected) {
    fail<ShapeError>("index_add: the source must have the shape {}: {}", expected, src.shape());
  }
  const Array checked = checked_index(index, whole[d], "index_add");
  if (d == 0 && values.numel() >= 8 * index.numel() && values.numel() != 0 && values.is_contiguous()) {
    return add_rows(whole, checked.data_ptr<std::int64_t>(), values);
  }
  Shape along = Shape::filled(whole.size(), 1);
  along[d] = index.numel();
  const Array entries = checked.view(along).expand(expected);
  return sums_at(shape, d, entries, values);
}

Array scatter_add(const Shape& shape, std::int64_t dim, const Array& index, const Array& src) {
  must_be_defined(src, "scatter_add");
  must_be_computed(src.dtype(), "the source", "scatter_add");
  const int d = wrap_dim(dim, shape.size(), "scatter_add");
  const Shape whole = at_least_1d(shape);
  const Array where = at_least_1d(index), values = at_least_1d(src);
  bool fits = where.dim() == whole.size() && values.dim() == whole.size();
  for (int i = 0; fits && i < whole.size(); ++i) {
    fits = where.shape()[i] <= values.shape()[i] && (i == d || where.shape()[i] <= whole[i]);
  }
  if (!fits) {
    fail<ShapeError>(
        "scatter_add: the index must fit into the source, and but for dimension {} into the result: "
        "index {}, source {}, result {}",
        d, index.shape(), src.shape(), shape);
  }
  return sums_at(shape, d, checked_index(where, whole[d], "scatter_add"), values);
}

}  // namespace gradus::core
