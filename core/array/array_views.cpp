// Views: new shapes and strides over the same storage.
#include <algorithm>
#include <cstdlib>
#include <optional>

#include "array.h"
#include "reshape.h"
#include "../base/fail.h"

namespace gradus::core {
namespace {

// The wanted shape with -1 filled in. ShapeError unless it has as many elements as there are.
Shape filled_in(IntArrayRef wanted, const Array& x, const char* op) {
  Shape shape = wanted;
  const std::int64_t numel = x.numel();
  int open = -1;
  for (int i = 0; i < shape.size(); ++i) {
    if (shape[i] != -1) continue;
    if (open >= 0) fail<ShapeError>("{}: only one size may be -1: {}", op, wanted);
    open = i;
    shape[i] = 1;
  }
  const std::int64_t known = checked_numel(shape, op);
  if (open >= 0) {
    if (known == 0) fail<ShapeError>("{}: -1 must stand for one size only: {} of {}", op, wanted, x.shape());
    shape[open] = numel / known;
  }
  if (known != numel && (open < 0 || numel % known != 0)) {
    fail<ShapeError>("{}: the number of elements must stay the same: {} of {}, which has {}", op, wanted, x.shape(),
                     numel);
  }
  return shape;
}

// Strides under which x's elements appear in their order in another shape of the same count; none when no strides do.
// Neighbouring dimensions of x through which one stride runs form a block, and each block has to be cut by itself.
std::optional<Strides> strides_for(const Array& x, const Shape& shape) {
  if (x.numel() == 0 || x.dim() == 0) return contiguous_strides(shape);
  Strides result = shape;
  int next = shape.size();  // dimensions from here on have their strides
  std::int64_t block = 1;   // elements of x's current block, from its innermost dimension on
  std::int64_t step = x.strides().back();
  for (int i = x.dim(); i-- > 0;) {
    block *= x.shape()[i];
    const bool runs_on = i > 0 && (x.shape()[i - 1] == 1 || x.strides()[i - 1] == block * step);
    if (runs_on) continue;
    std::int64_t cut = 1;
    for (; next > 0 && (cut < block || shape[next - 1] == 1); --next) {
      result[next - 1] = cut * step;
      cut *= shape[next - 1];
    }
    if (cut != block) return {};
    block = 1;
    if (i > 0) step = x.strides()[i - 1];
  }
  return result;
}

Array with(const Array& x, const Shape& shape, const Strides& strides, std::int64_t offset) {
  return Array(x.storage(), shape, strides, offset, x.dtype());
}
Array with(const Array& x, const Shape& shape, const Strides& strides) {
  return with(x, shape, strides, x.storage_offset());
}

}  // namespace

Array Array::view(IntArrayRef shape) const {
  const Shape wanted = filled_in(shape, *this, "view");
  const std::optional<Strides> strides = strides_for(*this, wanted);
  if (!strides) {
    fail<ShapeError>("view: the strides must permit the shape: {} of {} with strides {}; reshape copies where needed",
                     shape, shape_, strides_);
  }
  return with(*this, wanted, *strides);
}

Reshaped reshaped(const Array& x, IntArrayRef shape) {
  const Shape wanted = filled_in(shape, x, "reshape");
  return {wanted, strides_for(x, wanted).has_value()};
}

Array Array::reshape(IntArrayRef shape) const {
  const Shape wanted = filled_in(shape, *this, "reshape");
  if (const std::optional<Strides> strides = strides_for(*this, wanted)) return with(*this, wanted, *strides);
  const Array copy = clone();
  return with(copy, wanted, contiguous_strides(wanted));
}

Array Array::flatten(std::int64_t start_dim, std::int64_t end_dim) const {
  const int first = wrap_dim(start_dim, dim(), "flatten"), last = wrap_dim(end_dim, dim(), "flatten");
  if (first > last) {
    fail<ValueError>("flatten: the first dimension must not come after the last: {}, {} of {}", start_dim, end_dim,
                     shape_);
  }
  if (dim() == 0) return reshape(1);
  Shape shape;
  for (int i = 0; i < dim(); ++i) {
    if (i <= first || i > last) {
      shape.push_back(shape_[i]);
    } else {
      shape[first] *= shape_[i];
    }
  }
  return reshape(shape);
}

Array Array::permute(IntArrayRef dims) const {
  bool named[kMaxDims] = {};
  if (static_cast<int>(dims.size()) != dim()) {
    fail<ShapeError>("permute: every dimension must be named once: {} of {}", dims, shape_);
  }
  Shape shape;
  Strides strides;
  for (std::int64_t d : dims) {
    const int from = existing_dim(d, dim(), "permute");
    if (named[from]) fail<ValueError>("permute: every dimension must be named once: {} of {}", dims, shape_);
    named[from] = true;
    shape.push_back(shape_[from]);
    strides.push_back(strides_[from]);
  }
  return with(*this, shape, strides);
}

Array Array::transpose(std::int64_t dim0, std::int64_t dim1) const {
  const int a = wrap_dim(dim0, dim(), "transpose"), b = wrap_dim(dim1, dim(), "transpose");
  Array result = *this;
  if (dim() != 0) {
    std::swap(result.shape_[a], result.shape_[b]);
    std::swap(result.strides_[a], result.strides_[b]);
  }
  return result;
}

Array Array::t() const {
  if (dim() > 2) {
    fail<ShapeError>("t: at most 2 dimensions have one transpose: {}; transpose(dim0, dim1) takes any", shape_);
  }
  return dim() < 2 ? *this : transpose(0, 1);
}

Array Array::expand(IntArrayRef shape) const {
  Shape wanted = shape;
  const int lead = wanted.size() - dim();
  if (lead < 0) fail<ShapeError>("expand: the shape must have at least {} dimensions: {} of {}", dim(), shape, shape_);
  Strides strides = Strides::filled(wanted.size(), 0);
  for (int i = 0; i < wanted.size(); ++i) {
    const int from = i - lead;
    if (from >= 0 && wanted[i] == -1) wanted[i] = shape_[from];
    if (wanted[i] < 0)
      fail<ShapeError>("expand: new dimensions must have a size of at least 0: {} of {}", shape, shape_);
    if (from < 0) continue;
    if (wanted[i] == shape_[from]) {
      strides[i] = strides_[from];
    } else if (shape_[from] != 1) {
      fail<ShapeError>("expand: only sizes of 1 can be repeated: {} of {}", shape, shape_);
    }
  }
  checked_numel(wanted, "expand");
  return with(*this, wanted, strides);
}

Array Array::slice(std::int64_t dim, std::int64_t start, std::int64_t stop, std::int64_t step) const {
  const int d = existing_dim(dim, this->dim(), "slice");
  if (step < 1) {
    fail<ValueError>("slice: the step must be at least 1: {}; flip reverses the order of a dimension", step);
  }
  const std::int64_t size = shape_[d];
  // From INT64_MIN, as from any other number below -size, counting from the back ends at 0.
  const auto clamped = [size](std::int64_t i) { return std::clamp<std::int64_t>(i < 0 ? i + size : i, 0, size); };
  const std::int64_t first = clamped(start), last = clamped(stop);
  Array result = *this;
  result.shape_[d] = first < last ? (last - first - 1) / step + 1 : 0;
  result.strides_[d] *= std::min(step, std::max<std::int64_t>(size, 1));  // a longer step ends after one element anyway
  result.offset_ += first * strides_[d];
  return result;
}

Array Array::narrow(std::int64_t dim, std::int64_t start, std::int64_t length) const {
  const int d = existing_dim(dim, this->dim(), "narrow");
  const std::int64_t size = shape_[d];
  const std::int64_t first = start < 0 ? start + size : start;
  if (first < 0 || first > size || length < 0 || length > size - first) {
    fail<IndexError>("narrow: start and length must lie within dimension {} of {}: start {}, length {}", d, shape_,
                     start, length);
  }
  Array result = *this;
  result.shape_[d] = length;
  result.offset_ += first * strides_[d];
  return result;
}

Array Array::select(std::int64_t dim, std::int64_t index) const {
  const int d = existing_dim(dim, this->dim(), "select");
  const std::int64_t size = shape_[d];
  if (index < -size || index >= size) {
    fail<IndexError>("select: the index must be in [{}, {}] for dimension {} of {}: {}", -size, size - 1, d, shape_,
                     index);
  }
  Array result = *this;
  result.offset_ += (index < 0 ? index + size : index) * strides_[d];
  result.shape_.erase(d);
  result.strides_.erase(d);
  return result;
}

Array Array::squeeze() const {
  Shape shape;
  Strides strides;
  for (int i = 0; i < dim(); ++i) {
    if (shape_[i] == 1) continue;
    shape.push_back(shape_[i]);
    strides.push_back(strides_[i]);
  }
  return with(*this, shape, strides);
}

Array Array::squeeze(std::int64_t dim) const {
  const int d = wrap_dim(dim, this->dim(), "squeeze");
  Array result = *this;
  if (this->dim() != 0 && shape_[d] == 1) {
    result.shape_.erase(d);
    result.strides_.erase(d);
  }
  return result;
}

Array Array::unsqueeze(std::int64_t dim) const {
  const int d = wrap_dim(dim, this->dim() + 1, "unsqueeze");
  Array result = *this;
  result.strides_.insert(d, d < this->dim() ? shape_[d] * strides_[d] : 1);
  result.shape_.insert(d, 1);
  return result;
}

Array Array::movedim(std::int64_t source, std::int64_t destination) const {
  const int from = wrap_dim(source, dim(), "movedim"), to = wrap_dim(destination, dim(), "movedim");
  if (dim() == 0) return *this;
  Array result = *this;
  result.shape_.erase(from);
  result.strides_.erase(from);
  result.shape_.insert(to, shape_[from]);
  result.strides_.insert(to, strides_[from]);
  return result;
}

Array Array::diagonal(std::int64_t offset, std::int64_t dim1, std::int64_t dim2) const {
  const int rows = existing_dim(dim1, dim(), "diagonal"), columns = existing_dim(dim2, dim(), "diagonal");
  if (rows == columns) {
    fail<ValueError>("diagonal: two different dimensions are needed: {} and {} of {}", dim1, dim2, shape_);
  }
  // Beyond the last row or column there is nothing, however far.
  const std::int64_t down = std::clamp<std::int64_t>(offset, -shape_[rows], 0) * -1;
  const std::int64_t right = std::clamp<std::int64_t>(offset, 0, shape_[columns]);
  Array result = *this;
  for (int d : {std::max(rows, columns), std::min(rows, columns)}) {
    result.shape_.erase(d);
    result.strides_.erase(d);
  }
  result.shape_.push_back(std::max<std::int64_t>(std::min(shape_[rows] - down, shape_[columns] - right), 0));
  // Dimensions of one element may have any stride: a sum of such may overflow, and means nothing then.
  result.strides_.push_back(static_cast<std::int64_t>(static_cast<std::uint64_t>(strides_[rows]) +
                                                      static_cast<std::uint64_t>(strides_[columns])));
  if (result.shape_.back() != 0) result.offset_ += down * strides_[rows] + right * strides_[columns];
  return result;
}

Array Array::as_strided(IntArrayRef shape, IntArrayRef strides, std::int64_t storage_offset) const {
  if (!defined()) fail<ValueError>("as_strided: the array must be defined: it has no storage");
  if (shape.size() != strides.size()) {
    fail<ShapeError>("as_strided: shape and strides must have the same length: {} and {}", shape, strides);
  }
  const bool empty = checked_numel(shape, "as_strided") == 0;
  const std::int64_t capacity = storage_->bytes() / element_size();
  bool inside = storage_offset >= 0 && storage_offset <= capacity;
  std::int64_t last = storage_offset;  // the element furthest behind
  Strides kept = strides;
  for (int i = 0; i < kept.size(); ++i) {
    const std::int64_t steps = shape[static_cast<std::size_t>(i)] - 1;
    if (kept[i] < 0) fail<ValueError>("as_strided: strides must not be negative: {}; flip reverses an order", strides);
    std::int64_t reach = 0;
    inside =
        inside &&
        (empty || (!__builtin_mul_overflow(steps, kept[i], &reach) && !__builtin_add_overflow(last, reach, &last)));
    if (steps == 0) kept[i] = std::min(kept[i], capacity);  // means nothing, and later views multiply it
  }
  if (!inside || (!empty && last >= capacity)) {
    fail<IndexError>(
        "as_strided: every element must lie in the storage of {} elements: shape {}, strides {}, offset {}", capacity,
        shape, strides, storage_offset);
  }
  return with(*this, shape, empty ? contiguous_strides(shape) : kept, storage_offset);
}

}  // namespace gradus::core
