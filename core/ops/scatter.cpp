// Writing at the places that an index names, in the order of the index.
#include "indexing.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "../array/create.h"
#include "../base/dispatch.h"
#include "../base/expect.h"
#include "../base/fail.h"
#include "../loops/copy.h"
#include "combine.h"
#include "fold_at.h"
#include "pointwise.h"
#include "sum_at.h"

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
          "{}: the index, {}, must have as many dimensions as the array, {}, and be longer than it at most along "
          "dimension {}; the source, {}, must have a value for each of its entries",
          op, index_.shape(), out_.shape(), d, src_.shape());
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

// Which entry along dimension d names each row last, for an index that moves rows; -1 where none does.
Array last_entries(const Array& index, int d, std::int64_t rows) {
  const Array last = full({rows}, -1, kInt64);
  auto* const entry = last.data_ptr<std::int64_t>();
  const auto* const row = static_cast<const std::int64_t*>(index.data());
  for (std::int64_t i = 0; i < index.size(d); ++i) entry[row[i * index.stride(d)]] = i;
  return last;
}

// Row by row of the array: each is written once, from the last one that goes there, and others are not read. A task writes rows
// that lie together: where it wrote beside those of others, processors would take lines from each other.
template <class T>
void copy_last_rows(const Places& p) {
  const std::int64_t n = p.index.size(p.d), rows = p.out.size(p.d), length = p.index.shape().back();
  if (p.index.numel() == 0) return;
  const Array last = last_entries(p.index, p.d, rows);
  const auto* const entries = last.data_ptr<std::int64_t>();
  // Few rows leave the threads only columns to share.
  const std::int64_t piece = std::min(n, rows) < 16 ? columns_of_rows(length, p.index.numel() / n) : length;
  for_columns<T>(p.out, p.d, p.index, p.src, ColumnCut(p.index, p.d, piece), [&](const Columns<T>& c) {
    const bool packed = c.to_column == 1 && c.from_column == 1;
    const auto bytes = static_cast<std::size_t>(c.count) * sizeof(T);
    const auto grain = std::max<std::int64_t>(kPickGrain / c.count, 1);
    parallel_for(rows, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const std::int64_t entry = entries[row];
        if (entry < 0) continue;
        T* const to = &c.target(row, 0);
        const T* const from = c.from + entry * c.from_row;
        if (packed) {
          std::memcpy(to, from, bytes);
        } else {
          for (std::int64_t k = 0; k < c.count; ++k) to[k * c.to_column] = from[k * c.from_column];
        }
      }
    });
  });
}

}  // namespace

Array wrapped_index(const Array& index, std::int64_t size, const char* op) {
  must_be_defined(index, op);
  if (index.dtype() != kInt64 && index.dtype() != kInt32) {
    fail<DTypeError>("{}: an index must be int64 or int32, or a mask bool: {}; to(kInt64) converts", op, index.dtype());
  }
  const Array whole = index.to(kInt64).contiguous();
  const auto* const from = static_cast<const std::int64_t*>(whole.data());
  const kernels::OddPlaces odd = odd_places(whole, size);
  const std::int64_t n = whole.numel();
  if (odd.outside) {
    const std::int64_t* const bad =
        std::find_if(from, from + n, [=](std::int64_t v) { return v < -size || v >= size; });
    fail<IndexError>("{}: indices must be in [{}, {}] for a dimension of size {}: entry {} is {}", op, -size, size - 1,
                     size, bad - from, *bad);
  }
  if (!odd.negative) return whole;
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
    // Short rows, or a few of many, take less time than to look for the last ones does.
    const std::int64_t bytes = p.index.shape().back() * static_cast<std::int64_t>(sizeof(T));
    if (moves_rows(p.index, p.d) && bytes >= 128 && p.out.size(p.d) / 8 <= p.index.size(p.d)) {
      return copy_last_rows<T>(p);
    }
    fold_at<LastOf<T>, T>(p.out, p.d, p.index, p.src);
  });
  out.mark_written(op, Location::unknown());
}

void scatter_sum(const Array& out, std::int64_t dim, const Array& index, const Array& src, const char* op) {
  const Places p(out, dim, index, src, op);
  must_be_computed(out.dtype(), "the array", op);
  sum_at(p.out, p.d, p.index, p.src);
  out.mark_written(op, Location::unknown());
}

void scatter_fold(Reduction fold, const Array& out, std::int64_t dim, const Array& index, const Array& src,
                  const char* op) {
  const Places p(out, dim, index, src, op);
  must_be_computed(out.dtype(), "the array", op);
  dispatch(out.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (!std::is_same_v<T, bool>) {
      if (fold == Reduction::Prod) return fold_at<ProductOf<T>, T>(p.out, p.d, p.index, p.src);
      if (fold == Reduction::Max) return fold_at<ExtremeOf<T, true>, T>(p.out, p.d, p.index, p.src);
      fold_at<ExtremeOf<T, false>, T>(p.out, p.d, p.index, p.src);
    }
  });
  out.mark_written(op, Location::unknown());
}

Array last_writes(const Shape& shape, std::int64_t dim, const Array& index) {
  // Each place is told which entry along dim wrote it last, and each entry asks.
  const int d = wrap_dim(dim, shape.size(), "scatter");
  const Shape whole = at_least_1d(index.shape());
  const DType dtype = whole[d] <= std::numeric_limits<std::int32_t>::max() ? kInt32 : kInt64;
  Array last = empty(shape, dtype);
  Shape one = Shape::filled(whole.size(), 1);
  one[d] = whole[d];
  const Array number = arange(0, whole[d], 1, dtype).view(one).expand(whole);
  scatter_write(last, dim, index, number, "scatter");
  return eq(gather(last, d, index), number.view(index.dim() == 0 ? Shape() : number.shape()));
}

}  // namespace gradus::core
