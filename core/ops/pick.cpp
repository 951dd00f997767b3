// Elements picked by index arrays, and flip: loops over rows whose places are computed one by one.
#include "pick.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "combine.h"
#include "../array/create.h"
#include "../base/dispatch.h"
#include "../base/expect.h"
#include "../base/fail.h"
#include "../simd/contiguous.h"
#include "../threads/parallel.h"
#include "columns.h"

namespace gradus::core {

void must_be_defined(const Array& x, const char* op) { expect_defined(op, "the array", x); }
void must_be_computed(DType dtype, const char* what, const char* op) {
  expect_numeric(op, what, dtype);
  if (compute_dtype(dtype) != dtype) {
    fail<DTypeError>("{}: {} must be of a dtype that is computed in: {}, a storage type; to({}) converts", op, what,
                     dtype, compute_dtype(dtype));
  }
}

namespace {

Array as_int64(const Array& index, const char* op) {
  must_be_defined(index, op);
  if (index.dtype() != kInt64 && index.dtype() != kInt32) {
    fail<DTypeError>("{}: an index must be int64 or int32: {}; to(kInt64) converts", op, index.dtype());
  }
  return index.to(kInt64).contiguous();
}
[[noreturn]] void fail_outside(const Array& index, std::int64_t size, const char* op) {
  const auto* const values = static_cast<const std::int64_t*>(index.data());
  const std::int64_t* const bad =
      std::find_if(values, values + index.numel(), [=](std::int64_t v) { return v < 0 || v >= size; });
  fail<IndexError>("{}: indices must be in [0, {}]: entry {} is {}", op, size - 1, bad - values, *bad);
}

}  // namespace

kernels::OddPlaces odd_places(const Array& index, std::int64_t size) {
  const auto* const entries = static_cast<const std::int64_t*>(index.data());
  std::atomic<bool> negative = false, outside = false;
  parallel_for(index.numel(), kPickGrain, [&](std::int64_t begin, std::int64_t end) {
    const kernels::OddPlaces odd = kernels::odd_places(entries + begin, end - begin, size);
    if (odd.negative) negative = true;
    if (odd.outside) outside = true;
  });
  return {negative, outside};
}

Array checked_index(const Array& index, std::int64_t size, const char* op) {
  const Array checked = as_int64(index, op);
  const kernels::OddPlaces odd = odd_places(checked, size);
  if (odd.negative || odd.outside) fail_outside(checked, size, op);
  return checked;
}

namespace {

// to[i] = from[i * step + entries[i] * stride] for i < n. False, with what follows unwritten, when an entry is outside [0, size).
// To look at the entries apart would be to wait for the index twice; the loads of four go on while the next ones are looked at.
// Steps known to the compiler cost nothing.
template <class T, class Step, class Stride>
bool pick(T* to, const T* from, const std::int64_t* entries, std::int64_t n, std::int64_t size, Step step,
          Stride stride) {
  const auto outside = [=](std::int64_t i) -> int {  // four of them make one branch
    return static_cast<std::uint64_t>(i) >= static_cast<std::uint64_t>(size);
  };
  std::int64_t i = 0;
  for (; i + 4 <= n; i += 4) {
    const std::int64_t p = entries[i], q = entries[i + 1], r = entries[i + 2], s = entries[i + 3];
    if ((outside(p) | outside(q) | outside(r) | outside(s)) != 0) return false;
    const T* const at = from + i * step;
    const T a = at[p * stride], b = at[step + q * stride], c = at[2 * step + r * stride], d = at[3 * step + s * stride];
    to[i] = a;
    to[i + 1] = b;
    to[i + 2] = c;
    to[i + 3] = d;
  }
  for (; i < n; ++i) {
    if (outside(entries[i]) != 0) return false;
    to[i] = from[i * step + entries[i] * stride];
  }
  return true;
}
template <std::int64_t n>
using Constant = std::integral_constant<std::int64_t, n>;
// The same for entries of one list, which say all about the place.
template <class T>
bool pick_from(T* to, const T* from, const std::int64_t* entries, std::int64_t n, std::int64_t size,
               std::int64_t stride) {
  return stride == 1 ? pick(to, from, entries, n, size, Constant<0>(), Constant<1>())
                     : pick(to, from, entries, n, size, Constant<0>(), stride);
}

// Copies a box of x's elements, given by the dimensions behind one of them, in row-major order.
class Box {
 public:
  explicit Box(const Shape& shape, const Strides& strides)
      : lead_(part(shape, 0, shape.size() - 1)), lead_strides_(part(strides, 0, shape.size() - 1)) {
    if (!shape.empty()) {
      length_ = shape.back();
      step_ = strides.back();
    }
    count_ = numel_of(shape);
    contiguous_ = Array({}, shape, strides, 0, kBool).is_contiguous();
  }
  std::int64_t count() const { return count_; }
  bool contiguous() const { return contiguous_; }
  template <class T>
  void copy(T* to, const T* from) const {
    if (count_ == 1) {
      *to = *from;
    } else if (contiguous_) {
      std::memcpy(to, from, static_cast<std::size_t>(count_) * sizeof(T));
    } else {
      for (std::int64_t row = 0; row < count_ / length_; ++row) {
        const T* const first = from + offset_of(row, lead_, lead_strides_);
        for (std::int64_t i = 0; i < length_; ++i) *to++ = first[i * step_];
      }
    }
  }

 private:
  Shape lead_;
  Strides lead_strides_;
  std::int64_t length_ = 1, step_ = 1, count_ = 1;
  bool contiguous_ = true;
};

}  // namespace

Array index_select(const Array& x, std::int64_t dim, const Array& index) {
  must_be_defined(x, "index_select");
  const int d = wrap_dim(dim, x.dim(), "index_select");
  if (index.dim() > 1) fail<ShapeError>("index_select: the index must have at most 1 dimension: {}", index.shape());
  if (x.dim() == 0) {
    if (index.numel() != 1) {
      fail<ShapeError>("index_select: a 0-d array takes an index of one entry: {} has {}", index.shape(),
                       index.numel());
    }
    return index_select(x.view(1), 0, index).view({});
  }
  const std::int64_t n = index.numel();
  const bool single = x.dim() == 1;  // elements, checked on the way
  const Array entries = single ? as_int64(index, "index_select") : checked_index(index, x.shape()[d], "index_select");
  std::atomic<bool> all_within = true;
  Shape shape = x.shape();
  shape[d] = n;
  Array out = empty(shape, x.dtype());
  if (out.numel() == 0) return out;

  const Shape outer = part(x.shape(), 0, d);
  const Strides outer_strides = part(x.strides(), 0, d);
  const Box box(part(x.shape(), d + 1, x.dim()), part(x.strides(), d + 1, x.dim()));
  const std::int64_t stride = x.strides()[d], grain = std::max<std::int64_t>(kPickGrain / box.count(), 1);
  const auto* const entry = static_cast<const std::int64_t*>(entries.data());
  dispatch_width(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* const from = static_cast<const T*>(x.data());
    T* const to = static_cast<T*>(out.data());
    if (single) {
      parallel_for(n, grain, [&](std::int64_t begin, std::int64_t end) {
        if (!pick_from(to + begin, from, entry + begin, end - begin, x.shape()[0], stride)) all_within = false;
      });
      return;
    }
    if (box.count() == 1) {  // along the last dimension
      const std::int64_t rows = out.numel() / n, step = std::max<std::int64_t>(kPickGrain / n, 1);
      parallel_for(rows, step, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
          const T* const start = from + offset_of(row, outer, outer_strides);
          T* const row_to = to + row * n;
          for (std::int64_t i = 0; i < n; ++i) row_to[i] = start[entry[i] * stride];
        }
      });
      return;
    }
    parallel_for(out.numel() / box.count(), grain, [&](std::int64_t begin, std::int64_t end) {
      std::int64_t o = begin / n, i = begin % n;
      std::int64_t start = offset_of(o, outer, outer_strides);
      for (std::int64_t row = begin; row < end; ++row) {
        if (box.contiguous() && box.count() > 8 && i + 1 < n) {
          ask_for(reinterpret_cast<const char*>(from + start + entry[i + 1] * stride), box.count() * sizeof(T));
        }
        box.copy(to + row * box.count(), from + start + entry[i] * stride);
        if (++i == n) {
          i = 0;
          start = offset_of(++o, outer, outer_strides);
        }
      }
    });
  });
  if (!all_within) fail_outside(entries, x.shape()[0], "index_select");
  return out;
}

Array gather(const Array& x, std::int64_t dim, const Array& index) {
  must_be_defined(x, "gather");
  const int d = wrap_dim(dim, x.dim(), "gather");
  const Array from = at_least_1d(x), where = at_least_1d(index);
  bool fits = where.dim() == from.dim();
  for (int i = 0; fits && i < from.dim(); ++i) fits = i == d || where.shape()[i] <= from.shape()[i];
  if (!fits) {
    fail<ShapeError>(
        "gather: the index, {}, must have as many dimensions as the array, {}, and be longer than it at most along "
        "dimension {}",
        index.shape(), x.shape(), d);
  }
  const Array entries = as_int64(where, "gather");
  const std::int64_t size = from.shape()[d];
  std::atomic<bool> all_within = true;
  Array out = empty(index.shape(), x.dtype());
  if (out.numel() == 0) return out;

  // As many columns at a time as leave what is picked from in the cache, and some rows of them; along the last dimension,
  // pieces of rows.
  const int last = from.dim() - 1;
  const bool inner = d != last;
  const auto lead_of = [=](const Dims& dims) {
    Dims lead = part(dims, 0, last);
    if (inner) lead.erase(d);
    return lead;
  };
  const Strides packed = contiguous_strides(where.shape());  // of the index and of what is picked
  const Shape lead = lead_of(where.shape());
  const Strides lead_from = lead_of(from.strides()), lead_to = lead_of(packed);
  const std::int64_t length = where.shape()[last], n = inner ? where.shape()[d] : 1, leads = numel_of(lead);
  const std::int64_t columns =
      std::min(length, inner ? columns_in_cache(size, leads * length, x.element_size()) : kPickGrain);
  const std::int64_t rows = std::min(n, std::max<std::int64_t>(kPickGrain / columns, 1));
  const std::int64_t pieces = (length + columns - 1) / columns, blocks = (n + rows - 1) / rows;
  const std::int64_t row = inner ? packed[d] : 0, step = from.strides()[last], stride = from.strides()[d];
  const auto* const entry = static_cast<const std::int64_t*>(entries.data());
  dispatch_width(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* const data = static_cast<const T*>(from.data());
    T* const to = static_cast<T*>(out.data());
    parallel_for(leads * pieces * blocks, kPickGrain / (rows * columns), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t task = begin; task < end; ++task) {
        const std::int64_t l = task / (pieces * blocks), first = task / blocks % pieces * columns;
        const std::int64_t count = std::min(columns, length - first);
        const std::int64_t first_row = task % blocks * rows, last_row = std::min(n, first_row + rows);
        const T* const start = data + offset_of(l, lead, lead_from);
        std::int64_t at = offset_of(l, lead, lead_to) + first_row * row + first;
        for (std::int64_t i = first_row; i < last_row; ++i, at += row) {
          const bool inside = !inner      ? pick_from(to + at, start, entry + at, count, size, stride)
                              : step == 1 ? pick(to + at, start + first, entry + at, count, size, Constant<1>(), stride)
                                          : pick(to + at, start + first * step, entry + at, count, size, step, stride);
          if (!inside) {
            all_within = false;
            return;
          }
        }
      }
    });
  });
  if (!all_within) fail_outside(entries, size, "gather");
  return out;
}

// Read backwards: from the last element on, with negative steps, which an Array does not have.
Array Array::flip(IntArrayRef dims) const {
  must_be_defined(*this, "flip");
  Array out = empty(shape_, dtype_);
  if (out.numel() == 0 || dims.empty()) return out.numel() == 0 ? out : clone();
  Strides strides = strides_;
  std::int64_t first = 0;
  for (std::int64_t d : wrap_dims(dims, dim(), "flip")) {
    const int i = static_cast<int>(d);
    first += (shape_[i] - 1) * strides_[i];
    strides[i] = -strides_[i];
  }
  if (dim() == 0) return clone();
  const Box row(Shape{shape_.back()}, Strides{strides.back()});
  const Shape lead = part(shape_, 0, dim() - 1);
  const Strides lead_strides = part(strides, 0, dim() - 1);
  dispatch_width(dtype_, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* const from = static_cast<const T*>(data()) + first;
    T* const to = static_cast<T*>(out.data());
    const std::int64_t grain = std::max<std::int64_t>(kPickGrain / row.count(), 1);
    parallel_for(out.numel() / row.count(), grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const T* const start = from + offset_of(i, lead, lead_strides);
        if constexpr (sizeof(T) >= 4) {
          if (strides.back() == -1) {
            kernels::reverse(to + i * row.count(), start - (row.count() - 1), static_cast<std::size_t>(row.count()));
            continue;
          }
        }
        row.copy(to + i * row.count(), start);
      }
    });
  });
  return out;
}

}  // namespace gradus::core
