#include "shape.h"

#include <algorithm>

#include "fail.h"

std::vector<std::int64_t> gradus::IntArrayRef::vec() const { return {begin(), end()}; }

namespace gradus::core {

void Dims::throw_too_many(std::size_t n) {
  fail<ShapeError>("shape: at most {} dimensions are supported: {} given", kMaxDims, n);
}

std::string to_string(IntArrayRef values) { return fmt::format("[{}]", fmt::join(values.begin(), values.end(), ", ")); }

std::int64_t checked_numel(IntArrayRef shape, const char* op) {
  std::int64_t product = 1;  // of the sizes that are not 0
  bool empty = false;
  for (std::int64_t size : shape) {
    if (size < 0) fail<ShapeError>("{}: sizes must not be negative: {}", op, shape);
    if (size == 0) {
      empty = true;
    } else if (__builtin_mul_overflow(product, size, &product)) {
      fail<ShapeError>("{}: the product of the sizes must fit into 64 bits: {}", op, shape);
    }
  }
  return empty ? 0 : product;
}

Strides contiguous_strides(const Shape& shape) noexcept {
  Strides strides = Dims::filled(shape.size(), 1);  // not a copy of the shape, which may just have been written
  std::int64_t step = 1;
  for (int i = shape.size(); i-- > 0;) {
    strides[i] = step;
    step *= std::max<std::int64_t>(shape[i], 1);
  }
  return strides;
}

Shape broadcast_shapes(const Shape& a, const Shape& b, std::string_view op) {
  if (a == b) return a;
  const Shape& longer = a.size() >= b.size() ? a : b;
  const Shape& shorter = a.size() >= b.size() ? b : a;
  Shape result = longer;
  const int lead = longer.size() - shorter.size();
  for (int i = 0; i < shorter.size(); ++i) {
    std::int64_t& size = result[lead + i];
    if (size == shorter[i] || shorter[i] == 1) continue;
    if (size != 1) {
      fail<ShapeError>("{}: shapes do not broadcast: {} with {}; counted from the back, sizes must be equal or 1", op,
                       a, b);
    }
    size = shorter[i];
  }
  return result;
}

bool broadcasts_to(const Shape& small, const Shape& large) {
  const int extra = large.size() - small.size();
  bool fits = extra >= 0;
  for (int i = 0; fits && i < small.size(); ++i) fits = small[i] == 1 || small[i] == large[extra + i];
  return fits;
}

namespace {

template <class Name>
[[noreturn]] void fail_outside(std::int64_t dim, int n, const Name& op) {
  fail<IndexError>("{}: dimension must be in [{}, {}]: {}", op, -n, n - 1, dim);
}

template <class Name>
int wrapped(std::int64_t dim, int n, const Name& op) {
  const int range = std::max(n, 1);
  if (dim < -range || dim >= range) fail_outside(dim, range, op);
  return static_cast<int>(dim < 0 ? dim + range : dim);
}

}  // namespace

int wrap_dim(std::int64_t dim, int n, const char* op) { return wrapped(dim, n, op); }

void fail_dim(std::int64_t dim, int n, const char* op) {
  if (n == 0) fail<IndexError>("{}: a 0-d array has no dimensions: dimension {}", op, dim);
  fail_outside(dim, n, op);
}

Dims wrap_dims(IntArrayRef dims, int n, std::string_view op) {
  bool named[kMaxDims] = {};
  for (std::int64_t dim : dims) {
    bool& seen = named[wrapped(dim, n, op)];
    if (seen) fail<ValueError>("{}: each dimension may be named once: {}", op, dims);
    seen = true;
  }
  Dims sorted;
  for (int i = 0; i < n; ++i) {
    if (dims.empty() || named[i]) sorted.push_back(i);
  }
  return sorted;
}

Shape reduced_shape(const Shape& shape, const Dims& dims, bool keepdim) {
  Shape result;
  int next = 0;
  for (int i = 0; i < shape.size(); ++i) {
    const bool reduced = next < dims.size() && dims[next] == i;
    if (reduced) ++next;
    if (!reduced) {
      result.push_back(shape[i]);
    } else if (keepdim) {
      result.push_back(1);
    }
  }
  return result;
}

}  // namespace gradus::core
