// Elements added up at the places that index arrays name: the gradients of picking. However often a place is named, its sum
// is taken in float64 and rounded once.
#include <algorithm>
#include <cstring>
#include <vector>

#include "combine.h"
#include "../array/create.h"
#include "../base/dispatch.h"
#include "../base/expect.h"
#include "../base/fail.h"
#include "../loops/copy.h"
#include "../simd/pointwise.h"
#include "../simd/sum_of_rows.h"
#include "../threads/parallel.h"
#include "columns.h"
#include "long_column.h"

namespace gradus::core {
namespace {

// One after the other, in T. False, with the sums unfinished, when `once` and a row gets a second value.
template <class T>
bool add_plainly(const Columns<T>& c, bool once) {
  for (std::int64_t i = 0; i < c.n; ++i) {
    bool again = false;
    const auto add = [&](T& sum, T value) {
      again |= sum != T{0};
      if constexpr (std::is_integral_v<T>) {
        sum = static_cast<T>(static_cast<std::uint64_t>(sum) + static_cast<std::uint64_t>(value));
      } else {
        sum += value;
      }
    };
    if (c.shared()) {  // a whole row goes to one place
      T* const row = &c.target(c.row(i, 0), 0);
      for (std::int64_t k = 0; k < c.count; ++k) add(row[k * c.to_column], c.value(i, k));
    } else {
      for (std::int64_t k = 0; k < c.count; ++k) add(c.target(c.row(i, k), k), c.value(i, k));
    }
    if (once && again) return false;
  }
  return true;
}

// By a copy of the columns in float64.
template <class T>
void add_in_copy(const Columns<T>& c) {
  const Array copy = zeros({c.rows * c.count}, kFloat64);
  auto* const sums = copy.data_ptr<double>();
  for (std::int64_t i = 0; i < c.n; ++i) {
    if (c.shared()) {
      double* const row = sums + c.row(i, 0) * c.count;
      for (std::int64_t k = 0; k < c.count; ++k) row[k] += static_cast<double>(c.value(i, k));
    } else {
      for (std::int64_t k = 0; k < c.count; ++k) sums[c.row(i, k) * c.count + k] += static_cast<double>(c.value(i, k));
    }
  }
  constexpr auto from = static_cast<std::int64_t>(sizeof(double)), to = static_cast<std::int64_t>(sizeof(T));
  const kernels::TileCopy narrow = kernels::tile_copy(dtype_of<T>, kFloat64);
  char* const out = reinterpret_cast<char*>(c.to);
  const char* const in = reinterpret_cast<const char*>(sums);
  if (c.count == 1) {  // tiles are for long rows
    narrow(out, 0, c.to_row * to, in, 0, from, 1, c.rows);
  } else {
    narrow(out, c.to_row * to, c.to_column * to, in, c.count * from, from, c.rows, c.count);
  }
}

// Where values are far fewer than rows. Two are rounded once by T, too; rows that get more are found on the way, and their
// sums are taken again.
template <class T>
void add_sparsely(const Columns<T>& c) {
  if (!c.shared() && c.count > 1) {
    for (std::int64_t k = 0; k < c.count; ++k) add_sparsely(c.part(k, 1));
    return;
  }
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < c.n; ++i) {
    const std::int64_t row = c.row(i, 0);
    bool again = false;
    for (std::int64_t k = 0; k < c.count; ++k) {
      T& sum = c.target(row, k);
      again |= sum != T{0};
      sum = static_cast<T>(sum + c.value(i, k));
    }
    if (again) rows.push_back(row);
  }
  // Those that are there twice have three values or more.
  std::sort(rows.begin(), rows.end());
  std::size_t count = 0;
  for (std::size_t i = 0; i + 1 < rows.size(); ++i) {
    if (rows[i] == rows[i + 1] && (count == 0 || rows[count - 1] != rows[i])) rows[count++] = rows[i];
  }
  rows.resize(count);
  if (rows.empty()) return;
  std::vector<double> sums(rows.size() * static_cast<std::size_t>(c.count));
  for (std::int64_t i = 0; i < c.n; ++i) {
    const auto at = std::lower_bound(rows.begin(), rows.end(), c.row(i, 0));
    if (at == rows.end() || *at != c.row(i, 0)) continue;
    double* const sum = sums.data() + (at - rows.begin()) * c.count;
    for (std::int64_t k = 0; k < c.count; ++k) sum[k] += static_cast<double>(c.value(i, k));
  }
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::int64_t k = 0; k < c.count; ++k) {
      c.target(rows[r], k) = static_cast<T>(sums[r * static_cast<std::size_t>(c.count) + static_cast<std::size_t>(k)]);
    }
  }
}

template <class T>
void add_columns(const Columns<T>& c) {
  if (is_long(c)) return add_to_long(c);
  if constexpr (std::is_same_v<T, float>) {
    if (c.n > 2) {
      if (c.n < c.rows / 4) {
        add_sparsely(c);
      } else if (c.n > c.rows || !add_plainly(c, true)) {
        add_in_copy(c);
      }
      return;
    }
  }
  add_plainly(c, false);
}

Array sums_at(const Shape& shape, int d, const Array& index, const Array& src, const char* op) {
  expect_numeric(op, "the source", src.dtype());
  Array out = zeros(shape, src.dtype());
  dispatch(src.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (!std::is_same_v<T, bool>) {
      for_columns<T>(at_least_1d(out), d, index, src, [](const Columns<T>& c) { add_columns(c); });
    }
  });
  return out;
}

// zeros with row index[i] += row i of src, in the order of i, for contiguous rows. A row of the result is written once, by
// one task, from the rows that go to it: a counting sort of the index finds them. More than two of float32 are added up in
// float64.
Array add_rows(const Shape& shape, const std::int64_t* index, const Array& src) {
  const Array out = empty(shape, src.dtype());
  const std::int64_t rows = shape[0], n = src.shape()[0], length = rows == 0 ? 0 : out.numel() / rows;
  std::vector<std::int64_t> begin(static_cast<std::size_t>(rows + 1)), order(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) ++begin[static_cast<std::size_t>(index[i])];
  std::int64_t total = 0;
  for (std::int64_t& b : begin) total = b += total;
  for (std::int64_t i = n; i-- > 0;) order[static_cast<std::size_t>(--begin[static_cast<std::size_t>(index[i])])] = i;

  const kernels::Kernel add_kernel = kernels::exact_binary("add"_key, src.dtype());
  const kernels::SumOfRows sum_rows = kernels::sum_of_rows_kernel(src.dtype());
  const auto bytes = static_cast<std::size_t>(length * src.element_size());
  const char* const from = static_cast<const char*>(src.data());
  char* const to = static_cast<char*>(out.data());
  const auto source = [&](std::int64_t k) {
    return from + static_cast<std::size_t>(order[static_cast<std::size_t>(k)]) * bytes;
  };
  parallel_for(rows, std::max<std::int64_t>(kPickGrain / length, 1), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      char* const sum = to + static_cast<std::size_t>(row) * bytes;
      std::int64_t k = begin[static_cast<std::size_t>(row)];
      const std::int64_t end = begin[static_cast<std::size_t>(row) + 1];
      const auto next = [&] {
        if (k + 1 < n) ask_for(source(k + 1), static_cast<std::int64_t>(bytes));
        return source(k++);
      };
      if (k == end) {
        std::memset(sum, 0, bytes);
        continue;
      }
      if (sum_rows != nullptr && end - k > 2) {
        sum_rows(from, order.data() + k, end - k, length, sum);
        continue;
      }
      std::memcpy(sum, next(), bytes);
      while (k < end) {
        const void* both[] = {sum, next()};
        add_kernel(sum, both, static_cast<std::size_t>(length), nullptr);
      }
    }
  });
  return out;
}

}  // namespace

Array index_add(const Shape& shape, std::int64_t dim, const Array& index, const Array& src) {
  must_be_defined(src, "index_add");
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
  if (d == 0 && values.dtype() != kBool && values.numel() >= 8 * index.numel() && values.numel() != 0 &&
      values.is_contiguous()) {
    return add_rows(whole, checked.data_ptr<std::int64_t>(), values);
  }
  Shape along = Shape::filled(whole.size(), 1);
  along[d] = index.numel();
  const Array entries = checked.view(along).expand(expected);
  return sums_at(shape, d, entries, values, "index_add");
}

Array scatter_add(const Shape& shape, std::int64_t dim, const Array& index, const Array& src) {
  must_be_defined(src, "scatter_add");
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
  return sums_at(shape, d, checked_index(where, whole[d], "scatter_add"), values, "scatter_add");
}

}  // namespace gradus::core
