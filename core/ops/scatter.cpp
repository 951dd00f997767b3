// Writing at the places that an index names, in the order of the index.
#include "indexing.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <vector>

#include "../array/create.h"
#include "../base/dispatch.h"
#include "../base/expect.h"
#include "../base/fail.h"
#include "../loops/copy.h"
#include "../simd/sum_of_rows.h"
#include "combine.h"
#include "long_column.h"
#include "pointwise.h"

namespace gradus::core {
namespace {

// out, index and src, fit to be read and written: at least 1-d, the index checked, and nothing that is written to is read.
struct Places {
  Places(const Array& out_, std::int64_t dim, const Array& index_, const Array& src_, const char* op) {
    must_be_defined(out_, op);
    must_be_defined(index_, op);
    must_be_defined(src_, op);
    d = wrap_dim(dim, out_.dim(), op);
    if (src_.dtype() != out_.dtype()) {
      fail<DTypeError>("{}: dtypes must be equal: {} into {}; to(...) converts", op, src_.dtype(), out_.dtype());
    }
    expect_own_memory(op, out_);
    out = at_least_1d(out_);
    index = at_least_1d(index_);
    src = at_least_1d(src_);
    bool fits = index.dim() == out.dim() && src.shape() == index.shape();
    for (int i = 0; fits && i < out.dim(); ++i) fits = i == d || index.shape()[i] <= out.shape()[i];
    if (!fits) {
      fail<ShapeError>(
          "{}: the index must have the array's dimensions, no larger but in {}, and the source its shape: index {}, "
          "source {}, array {}",
          op, d, index_.shape(), src_.shape(), out_.shape());
    }
    index = checked_entries(index, out.shape()[d], op);
    if (may_overlap(out, index)) index = index.clone();
    if (may_overlap(out, src)) src = src.clone();
  }
  // An expanded index is checked as what it was expanded from, and stays without memory.
  static Array checked_entries(const Array& index, std::int64_t size, const char* op) {
    Array one = index;
    for (int i = 0; i < index.dim(); ++i) {
      if (index.strides()[i] == 0 && index.shape()[i] > 1) one = one.narrow(i, 0, 1);
    }
    return checked_index(one, size, op).expand(index.shape());
  }
  Array out, index, src;
  int d;
};

template <class T>
constexpr bool kNumber = !std::is_same_v<T, bool>;

void add_one(std::int64_t& sum, std::int64_t value) {
  sum = static_cast<std::int64_t>(static_cast<std::uint64_t>(sum) + static_cast<std::uint64_t>(value));
}
template <class T>
void add_one(T& sum, T value) {
  if constexpr (std::is_integral_v<T>) {
    sum = static_cast<T>(static_cast<std::uint64_t>(sum) + static_cast<std::uint64_t>(value));
  } else {
    sum += value;
  }
}

template <class T>
void add_plainly(const Columns<T>& c) {
  for (std::int64_t i = 0; i < c.n; ++i) {
    for (std::int64_t k = 0; k < c.count; ++k) add_one(c.target(c.row(i, k), k), c.value(i, k));
  }
}

// By a copy of the column in float64, where values are not few beside the rows.
void add_in_copy(const Columns<float>& c) {
  std::vector<double> sums(static_cast<std::size_t>(c.rows));
  double* const sum = sums.data();
  char* const copy = reinterpret_cast<char*>(sum);
  constexpr auto wide = static_cast<std::int64_t>(sizeof(double)), narrow = static_cast<std::int64_t>(sizeof(float));
  const kernels::TileCopy widen = kernels::tile_copy(kFloat64, kFloat32),
                          round = kernels::tile_copy(kFloat32, kFloat64);
  for (std::int64_t k = 0; k < c.count; ++k) {
    char* const column = reinterpret_cast<char*>(&c.target(0, k));
    widen(copy, 0, wide, column, 0, c.to_row * narrow, 1, c.rows);
    c.each(k, [=](std::int64_t row, float value) { sum[row] += static_cast<double>(value); });
    round(column, 0, c.to_row * narrow, copy, 0, wide, 1, c.rows);
  }
}

// The entries of an index in the order of their rows, those of one row in the order of the index.
std::vector<std::int64_t> order_of(const std::int64_t* index, std::int64_t step, std::int64_t n, std::int64_t rows) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  if (rows > 8 * n) {
    std::iota(order.begin(), order.end(), std::int64_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [=](std::int64_t a, std::int64_t b) { return index[a * step] < index[b * step]; });
    return order;
  }
  std::vector<std::int64_t> next(static_cast<std::size_t>(rows));
  for (std::int64_t i = 0; i < n; ++i) ++next[static_cast<std::size_t>(index[i * step])];
  std::exclusive_scan(next.begin(), next.end(), next.begin(), std::int64_t{0});
  for (std::int64_t i = 0; i < n; ++i) {
    order[static_cast<std::size_t>(next[static_cast<std::size_t>(index[i * step])]++)] = i;
  }
  return order;
}

// Row by row, for columns with one index.
void add_in_order(const Columns<float>& c, const std::vector<std::int64_t>& order) {
  const bool packed = c.to_column == 1 && c.from_column == 1;
  const kernels::AddRows add_rows = kernels::add_rows_kernel();
  std::vector<double> sums(static_cast<std::size_t>(c.count));
  for (std::size_t first = 0; first < order.size();) {
    const std::int64_t row = c.row(order[first], 0);
    std::size_t last = first + 1;
    while (last < order.size() && c.row(order[last], 0) == row) ++last;
    float* const to = &c.target(row, 0);
    if (packed) {
      add_rows(to, c.from, order.data() + first, static_cast<std::int64_t>(last - first), c.from_row, c.count);
    } else {
      double* const sum = sums.data();
      for (std::int64_t k = 0; k < c.count; ++k) sum[k] = static_cast<double>(to[k * c.to_column]);
      for (std::size_t i = first; i < last; ++i) {
        const float* const from = c.from + order[i] * c.from_row;
        for (std::int64_t k = 0; k < c.count; ++k) sum[k] += static_cast<double>(from[k * c.from_column]);
      }
      for (std::int64_t k = 0; k < c.count; ++k) to[k * c.to_column] = static_cast<float>(sum[k]);
    }
    first = last;
  }
}

// `order`: of the index that all columns share; empty where they do not.
template <class T>
void add_to(const Columns<T>& c, const std::vector<std::int64_t>& order) {
  if (is_long(c)) return add_to_long(c);
  if constexpr (std::is_same_v<T, float>) {
    if (!order.empty() && c.count > 1) return add_in_order(c, order);
    if (c.n >= c.rows / 4) return add_in_copy(c);
    for (std::int64_t k = 0; k < c.count; ++k) {
      const Columns<float> one = c.part(k, 1);
      add_in_order(one, order_of(one.index, one.index_row, one.n, one.rows));
    }
  } else {
    add_plainly(c);
  }
}
bool is_shared(const Array& index, int d) {
  bool shared = index.dim() > 1;
  for (int i = 0; i < index.dim(); ++i) shared = shared && (i == d || index.strides()[i] == 0 || index.shape()[i] == 1);
  return shared;
}

template <class T>
void write_to(const Columns<T>& c) {
  if (is_long(c) && get_num_threads() > 2) return write_to_long(c);  // the same, for the work of two
  if (c.count == 1) {
    T* const to = c.to;
    const std::int64_t step = c.to_row;
    if (step == 1) return c.each(0, [=](std::int64_t row, T value) { to[row] = value; });
    return c.each(0, [=](std::int64_t row, T value) { to[row * step] = value; });
  }
  for (std::int64_t i = 0; i < c.n; ++i) {
    if (c.shared()) {
      T* const row = &c.target(c.row(i, 0), 0);
      if (c.to_column == 1 && c.from_column == 1) {
        std::memcpy(row, &c.from[i * c.from_row], static_cast<std::size_t>(c.count) * sizeof(T));
        continue;
      }
      for (std::int64_t k = 0; k < c.count; ++k) row[k * c.to_column] = c.value(i, k);
    } else {
      for (std::int64_t k = 0; k < c.count; ++k) c.target(c.row(i, k), k) = c.value(i, k);
    }
  }
}

// The larger, or the smaller; NaN stays. Without a branch, which would be foreseen half of the time.
template <bool max, class T>
T extreme_of(T a, T b) {
  const T wins = max ? (b > a ? b : a) : (b < a ? b : a);
  return b == b ? wins : b;
}
template <bool max, class T>
void extremes_of(const Columns<T>& c) {
  if (c.count == 1) {
    T* const to = c.to;
    const std::int64_t step = c.to_row;
    return c.each(0, [=](std::int64_t row, T value) { to[row * step] = extreme_of<max>(to[row * step], value); });
  }
  for (std::int64_t i = 0; i < c.n; ++i) {
    for (std::int64_t k = 0; k < c.count; ++k) {
      T& best = c.target(c.row(i, k), k);
      best = extreme_of<max>(best, c.value(i, k));
    }
  }
}
template <class T>
void extremes(const Columns<T>& c, bool max) {
  if (is_long(c) && get_num_threads() > 2) return extreme_of_long(c, max);
  max ? extremes_of<true>(c) : extremes_of<false>(c);
}

template <class T>
void multiply(const Columns<T>& c) {
  if constexpr (std::is_same_v<T, float>) {
    std::vector<double> products(static_cast<std::size_t>(c.rows));
    for (std::int64_t k = 0; k < c.count; ++k) {
      for (std::int64_t i = 0; i < c.n; ++i) {
        const std::int64_t row = c.row(i, k);
        products[static_cast<std::size_t>(row)] = static_cast<double>(c.target(row, k));
      }
      for (std::int64_t i = 0; i < c.n; ++i)
        products[static_cast<std::size_t>(c.row(i, k))] *= static_cast<double>(c.value(i, k));
      for (std::int64_t i = 0; i < c.n; ++i) {
        const std::int64_t row = c.row(i, k);
        c.target(row, k) = static_cast<float>(products[static_cast<std::size_t>(row)]);
      }
    }
  } else {
    for (std::int64_t i = 0; i < c.n; ++i) {
      for (std::int64_t k = 0; k < c.count; ++k) {
        T& product = c.target(c.row(i, k), k);
        if constexpr (std::is_integral_v<T>) {  // wraps around
          product = static_cast<T>(static_cast<std::uint64_t>(product) * static_cast<std::uint64_t>(c.value(i, k)));
        } else {
          product *= c.value(i, k);
        }
      }
    }
  }
}

}  // namespace

Array wrapped_index(const Array& index, std::int64_t size, const char* op) {
  must_be_defined(index, op);
  if (index.dtype() != kInt64 && index.dtype() != kInt32) {
    fail<DTypeError>("{}: an index must be int64 or int32, or a mask bool: {}; to(kInt64) converts", op, index.dtype());
  }
  const Array whole = index.to(kInt64).contiguous();
  const auto* const from = static_cast<const std::int64_t*>(whole.data());
  const std::int64_t n = whole.numel(), pieces = (n + kPickGrain - 1) / kPickGrain;
  // By signs: of v, of what is left to the last one, and of what there is from the first one that counts from the end.
  std::vector<std::uint64_t> negative(static_cast<std::size_t>(pieces)), outside(static_cast<std::size_t>(pieces));
  parallel_for(n, kPickGrain, [&](std::int64_t begin, std::int64_t end) {
    const auto sizes = static_cast<std::uint64_t>(size);
    std::uint64_t below = 0, out = 0;
    for (std::int64_t i = begin; i < end; ++i) {
      const auto v = static_cast<std::uint64_t>(from[i]);
      below |= v;
      out |= ((v + sizes) & v) | ((sizes - 1 - v) & ~v);
    }
    negative[static_cast<std::size_t>(begin / kPickGrain)] = below >> 63;
    outside[static_cast<std::size_t>(begin / kPickGrain)] = out >> 63;
  });
  const auto any = [](const std::vector<std::uint64_t>& flags) {
    return std::any_of(flags.begin(), flags.end(), [](std::uint64_t flag) { return flag != 0; });
  };
  if (any(outside)) {
    const std::int64_t* const bad =
        std::find_if(from, from + n, [=](std::int64_t v) { return v < -size || v >= size; });
    fail<IndexError>("{}: indices must be in [{}, {}] for a dimension of size {}: entry {} is {}", op, -size, size - 1,
                     size, bad - from, *bad);
  }
  if (!any(negative)) return whole;
  Array out = empty(whole.shape(), kInt64);
  auto* const to = out.data_ptr<std::int64_t>();
  parallel_for(n, kPickGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) to[i] = from[i] + (from[i] < 0 ? size : 0);
  });
  return out;
}

Array along(const Shape& shape, std::int64_t dim, const Array& index, const char* op) {
  must_be_defined(index, op);
  const int d = wrap_dim(dim, shape.size(), op);
  if (index.dim() > 1) fail<ShapeError>("{}: the index must have at most 1 dimension: {}", op, index.shape());
  if (shape.empty()) return index.view(index.numel());
  Shape one = Shape::filled(shape.size(), 1), whole = shape;
  one[d] = whole[d] = index.numel();
  return index.contiguous().view(one).expand(whole);
}

void scatter_write(const Array& out, std::int64_t dim, const Array& index, const Array& src, const char* op) {
  const Places p(out, dim, index, src, op);
  dispatch_width(out.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    for_columns<T>(p.out, p.d, p.index, p.src, [](const Columns<T>& c) { write_to(c); });
  });
  out.mark_written(op, Location::unknown());
}

void scatter_sum(const Array& out, std::int64_t dim, const Array& index, const Array& src, const char* op) {
  const Places p(out, dim, index, src, op);
  if (out.dtype() == kBool) fail<DTypeError>("{}: the array must be numeric: bool; to(...) converts", op);
  std::vector<std::int64_t> order;
  if (out.dtype() == kFloat32 && p.index.numel() != 0 && is_shared(p.index, p.d)) {
    order = order_of(static_cast<const std::int64_t*>(p.index.data()), p.index.stride(p.d), p.index.size(p.d),
                     p.out.size(p.d));
  }
  dispatch(out.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (kNumber<T>) {
      for_columns<T>(p.out, p.d, p.index, p.src, [&](const Columns<T>& c) { add_to(c, order); });
    }
  });
  out.mark_written(op, Location::unknown());
}

void scatter_fold(Reduction fold, const Array& out, std::int64_t dim, const Array& index, const Array& src,
                  const char* op) {
  const Places p(out, dim, index, src, op);
  if (out.dtype() == kBool) fail<DTypeError>("{}: the array must be numeric: bool; to(...) converts", op);
  dispatch(out.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (kNumber<T>) {
      for_columns<T>(p.out, p.d, p.index, p.src, [&](const Columns<T>& c) {
        if (fold == Reduction::Prod) return multiply(c);
        extremes(c, fold == Reduction::Max);
      });
    }
  });
  out.mark_written(op, Location::unknown());
}

Array last_writes(const Shape& shape, std::int64_t dim, const Array& index) {
  // Each place is told which entry along dim wrote it last, and each entry asks.
  Array last = empty(shape, kInt64);
  const int d = wrap_dim(dim, shape.size(), "scatter");
  const Shape whole = at_least_1d(index.shape());
  Shape one = Shape::filled(whole.size(), 1);
  one[d] = whole[d];
  const Array number = arange(0, whole[d], 1, kInt64).view(one).expand(whole);
  scatter_write(last, dim, index, number, "scatter");
  return eq(gather(last, d, index), number.view(index.dim() == 0 ? Shape() : number.shape()));
}

}  // namespace gradus::core
