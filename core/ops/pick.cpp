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

namespace gradus::core {

void must_be_defined(const Array& x, const char* op) { expect_defined(op, "the array", x); }

namespace {

Array as_int64(const Array& index, const char* op) {
  must_be_defined(index, op);
  if (index.dtype() != kInt64 && index.dtype() != kInt32) {
    fail<DTypeError>("{}: an index must be int64 or int32: {}; to(kInt64) converts", op, index.dtype());
  }
  return index.to(kInt64).contiguous();
}
// By the sign of v and that of what is left to the last one, for all in one pass that the compiler makes vectors of.
bool within(const std::int64_t* entries, std::int64_t n, std::int64_t size) {
  const std::uint64_t last = static_cast<std::uint64_t>(size) - 1;
  std::uint64_t signs = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto v = static_cast<std::uint64_t>(entries[i]);
    signs |= v | (last - v);
  }
  return signs >> 63 == 0;
}
[[noreturn]] void fail_outside(const Array& index, std::int64_t size, const char* op) {
  const auto* const values = static_cast<const std::int64_t*>(index.data());
  const std::int64_t* const bad =
      std::find_if(values, values + index.numel(), [=](std::int64_t v) { return v < 0 || v >= size; });
  fail<IndexError>("{}: indices must be in [0, {}]: entry {} is {}", op, size - 1, bad - values, *bad);
}

}  // namespace

Array checked_index(const Array& index, std::int64_t size, const char* op) {
  const Array checked = as_int64(index, op);
  const auto* const values = static_cast<const std::int64_t*>(checked.data());
  std::atomic<bool> fits = true;
  parallel_for(checked.numel(), kPickGrain, [&](std::int64_t begin, std::int64_t end) {
    if (!within(values + begin, end - begin, size)) fits = false;
  });
  if (!fits) fail_outside(checked, size, op);
  return checked;
}

namespace {

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
        if (within(entry + begin, end - begin, x.shape()[0])) {
          for (std::int64_t i = begin; i < end; ++i) to[i] = from[entry[i] * stride];
        } else {
          all_within = false;
        }
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
    fail<ShapeError>("gather: the index must have the array's dimensions, no larger but in {}: {} for {}", d,
                     index.shape(), x.shape());
  }
  const Array entries = as_int64(where, "gather");
  const std::int64_t size = from.shape()[d];
  std::atomic<bool> all_within = true;
  Array out = empty(index.shape(), x.dtype());
  if (out.numel() == 0) return out;

  const int last = from.dim() - 1;
  Strides strides = from.strides();
  strides[d] = 0;  // the entry says how far along it
  const std::int64_t length = where.shape()[last], step = strides[last], stride = from.strides()[d];
  const Shape lead = part(where.shape(), 0, last);
  const Strides lead_strides = part(strides, 0, last);
  const auto* const entry = static_cast<const std::int64_t*>(entries.data());
  dispatch_width(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* const data = static_cast<const T*>(from.data());
    T* const to = static_cast<T*>(out.data());
    // Rows, long ones in pieces.
    const std::int64_t piece = std::min(length, kPickGrain), pieces = (length + piece - 1) / piece;
    parallel_for(out.numel() / length * pieces, kPickGrain / piece, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t task = begin; task < end; ++task) {
        const std::int64_t row = task / pieces, first = task % pieces * piece, last_k = std::min(length, first + piece);
        const std::int64_t at = row * length;
        if (!within(entry + at + first, last_k - first, size)) {
          all_within = false;
          return;
        }
        const T* const start = data + offset_of(row, lead, lead_strides);
        if (step == 0 && stride == 1) {
          for (std::int64_t k = first; k < last_k; ++k) to[at + k] = start[entry[at + k]];
        } else {
          for (std::int64_t k = first; k < last_k; ++k) to[at + k] = start[k * step + entry[at + k] * stride];
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
