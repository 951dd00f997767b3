// Elements picked by index arrays, their gradients, and flip: loops over rows whose places are computed one by one.
#include <algorithm>
#include <cstring>
#include <vector>

#include "combine.h"
#include "create.h"
#include "dispatch.h"
#include "fail.h"
#include "kernels/pointwise.h"
#include "parallel.h"

namespace gradus::core {
namespace {

constexpr std::int64_t kGrain = 32768;  // elements

void must_be_defined(const Array& x, const char* op) {
  if (!x.defined()) fail<ValueError>("{}: the array must be defined: it has neither storage nor shape", op);
}

// Where the i-th index of a shape, in row-major order, lies under some strides (negative ones too).
std::int64_t offset_of(std::int64_t i, const Shape& shape, const Strides& strides) {
  std::int64_t offset = 0;
  for (int d = shape.size(); d-- > 0;) {
    offset += i % shape[d] * strides[d];
    i /= shape[d];
  }
  return offset;
}

Dims part(const Dims& dims, int begin, int end) {
  Dims result;
  for (int i = begin; i < end; ++i) result.push_back(dims[i]);
  return result;
}

// The index as contiguous int64, each entry within [0, size).
Array checked_index(const Array& index, std::int64_t size, const char* op) {
  must_be_defined(index, op);
  if (index.dtype() != kInt64 && index.dtype() != kInt32) {
    fail<DTypeError>("{}: the index must be int64 or int32: {}", op, index.dtype());
  }
  const Array checked = index.to(kInt64).contiguous();
  const auto* const values = static_cast<const std::int64_t*>(checked.data());
  const std::int64_t n = checked.numel();
  std::uint64_t largest = 0;  // a negative one is larger than all others
  for (std::int64_t i = 0; i < n; ++i) largest = std::max(largest, static_cast<std::uint64_t>(values[i]));
  if (n != 0 && largest >= static_cast<std::uint64_t>(size)) {
    const std::int64_t* const bad =
        std::find_if(values, values + n, [=](std::int64_t v) { return v < 0 || v >= size; });
    fail<IndexError>("{}: indices must be in [0, {}]: entry {} is {}", op, size - 1, bad - values, *bad);
  }
  return checked;
}

// Asks for the start of a row that will be read soon: no prefetcher foresees where an index leads. It follows from there.
void ask_for(const char* row, std::int64_t bytes) {
  for (std::int64_t at = 0; at < std::min<std::int64_t>(bytes, 1024); at += 64) __builtin_prefetch(row + at);
}

// A 0-d array counts as a list of one.
Array at_least_1d(const Array& x) { return x.dim() == 0 ? x.view(1) : x; }
Shape at_least_1d(const Shape& shape) { return shape.empty() ? Shape{1} : shape; }

// out[.., index, ..] += src along dimension d, for every place of the index, in the order of d. Along the other
// dimensions different places go to different sums, so these may be cut into tasks.
template <class T>
void add_at(const Array& out, int d, const Array& index, const Array& src) {
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
  const std::int64_t leads = numel_of(lead), n = index.size(d), length = inner ? index.size(last) : 1;
  if (leads * n * length == 0) return;
  const std::int64_t out_d = out.stride(d), index_d = index.stride(d), src_d = src.stride(d);
  const std::int64_t out_step = inner ? out.stride(last) : 0, index_step = inner ? index.stride(last) : 0,
                     src_step = inner ? src.stride(last) : 0;
  // Pieces of at least a cache line each, and about sixteen in all: each one reads the index again.
  const std::int64_t piece = std::clamp<std::int64_t>(leads * length / 16, std::min<std::int64_t>(16, length), length);
  const std::int64_t pieces = (length + piece - 1) / piece;

  T* const to = static_cast<T*>(out.data());
  const T* const from = static_cast<const T*>(src.data());
  const auto* const where = static_cast<const std::int64_t*>(index.data());
  parallel_for(
      leads * pieces, std::max<std::int64_t>(kGrain / (n * piece), 1), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t task = begin; task < end; ++task) {
          const std::int64_t first = task % pieces * piece, count = std::min(piece, length - first), l = task / pieces;
          T* const t = to + offset_of(l, lead, lead_out) + first * out_step;
          const T* const f = from + offset_of(l, lead, lead_src) + first * src_step;
          const std::int64_t* const w = where + offset_of(l, lead, lead_index) + first * index_step;
          const auto add = [](T& sum, T value) { sum = static_cast<T>(sum + value); };
          for (std::int64_t i = 0; i < n; ++i) {
            if (index_step == 0) {  // a whole row goes to one place
              T* const row = t + w[i * index_d] * out_d;
              for (std::int64_t k = 0; k < count; ++k) add(row[k * out_step], f[i * src_d + k * src_step]);
            } else {
              for (std::int64_t k = 0; k < count; ++k) {
                add(t[w[i * index_d + k * index_step] * out_d + k * out_step], f[i * src_d + k * src_step]);
              }
            }
          }
        }
      });
}

Array sums_at(const Shape& shape, int d, const Array& index, const Array& src, const char* op) {
  if (src.dtype() == kBool) fail<DTypeError>("{}: the source must be numeric: {}", op, src.dtype());
  Array out = zeros(shape, src.dtype());
  dispatch(src.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (!std::is_same_v<T, bool>) add_at<T>(at_least_1d(out), d, index, src);
  });
  return out;
}

// zeros with row index[i] += row i of src, in the order of i, for contiguous rows. A row of the result is written once, by
// one task, from the rows that go to it: a counting sort of the index finds them.
Array add_rows(const Shape& shape, const std::int64_t* index, const Array& src) {
  const Array out = empty(shape, src.dtype());
  const std::int64_t rows = shape[0], n = src.shape()[0], length = rows == 0 ? 0 : out.numel() / rows;
  std::vector<std::int64_t> begin(static_cast<std::size_t>(rows + 1)), order(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) ++begin[static_cast<std::size_t>(index[i])];
  std::int64_t total = 0;
  for (std::int64_t& b : begin) total = b += total;
  for (std::int64_t i = n; i-- > 0;) order[static_cast<std::size_t>(--begin[static_cast<std::size_t>(index[i])])] = i;

  const kernels::Kernel add = kernels::binary_kernel(Binary::Add, src.dtype());
  const auto bytes = static_cast<std::size_t>(length * src.element_size());
  const char* const from = static_cast<const char*>(src.data());
  char* const to = static_cast<char*>(out.data());
  const auto source = [&](std::int64_t k) {
    return from + static_cast<std::size_t>(order[static_cast<std::size_t>(k)]) * bytes;
  };
  parallel_for(rows, std::max<std::int64_t>(kGrain / length, 1), [&](std::int64_t first, std::int64_t last) {
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
      std::memcpy(sum, next(), bytes);
      while (k < end) {
        const void* both[] = {sum, next()};
        add(sum, both, static_cast<std::size_t>(length), nullptr);
      }
    }
  });
  return out;
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
  const Array entries = checked_index(index, x.shape()[d], "index_select");
  Shape shape = x.shape();
  shape[d] = n;
  Array out = empty(shape, x.dtype());
  if (out.numel() == 0) return out;

  const Shape outer = part(x.shape(), 0, d);
  const Strides outer_strides = part(x.strides(), 0, d);
  const Box box(part(x.shape(), d + 1, x.dim()), part(x.strides(), d + 1, x.dim()));
  const std::int64_t stride = x.strides()[d], grain = std::max<std::int64_t>(kGrain / box.count(), 1);
  const auto* const entry = static_cast<const std::int64_t*>(entries.data());
  dispatch_width(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* const from = static_cast<const T*>(x.data());
    T* const to = static_cast<T*>(out.data());
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
  return out;
}

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
  const Array entries = checked_index(where, from.shape()[d], "gather");
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
    const std::int64_t grain = std::max<std::int64_t>(kGrain / length, 1);
    parallel_for(out.numel() / length, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const T* const start = data + offset_of(row, lead, lead_strides);
        for (std::int64_t i = row * length, k = 0; k < length; ++i, ++k) to[i] = start[k * step + entry[i] * stride];
      }
    });
  });
  return out;
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
    const std::int64_t grain = std::max<std::int64_t>(kGrain / row.count(), 1);
    parallel_for(out.numel() / row.count(), grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        row.copy(to + i * row.count(), from + offset_of(i, lead, lead_strides));
    });
  });
  return out;
}

}  // namespace gradus::core
