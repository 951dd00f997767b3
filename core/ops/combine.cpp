#include "combine.h"

#include <algorithm>
#include <cstring>

#include "../array/create.h"
#include "../base/expect.h"
#include "../base/fail.h"
#include "../loops/copy.h"
#include "../threads/parallel.h"

namespace gradus::core {
namespace {

void must_be_there(ArrayList arrays, const char* op) {
  if (arrays.empty()) fail<ValueError>("{}: at least one array is needed: none given", op);
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    if (!arrays[i].defined()) fail<ValueError>("{}: every array must be defined: number {} is not", op, i);
  }
}

DType common_type(ArrayList arrays) {
  DType dtype = arrays[0].dtype();
  for (const Array& array : arrays) dtype = promote_types(dtype, array.dtype());
  return dtype;
}

// PyTorch lets an empty list of numbers be joined to anything, whatever its dimensions.
bool is_empty_list(const Array& x) { return x.dim() == 1 && x.shape()[0] == 0; }

// Sets to 0 what lies above (or below) a diagonal of each matrix. The array is contiguous.
void clear(const Array& out, std::int64_t diagonal, bool upper) {
  const std::int64_t columns = out.size(-1), rows = out.size(-2);
  if (out.numel() == 0) return;
  const std::int64_t shift = std::clamp(diagonal, -rows, columns);  // farther away nothing changes
  const std::int64_t size = out.element_size(), grain = std::max<std::int64_t>(32768 / columns, 1);
  char* const data = static_cast<char*>(out.data());
  parallel_for(out.numel() / columns, grain, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      // Columns [first, last) of the row are outside.
      const std::int64_t edge = row % rows + shift;
      const std::int64_t first = upper ? 0 : std::clamp<std::int64_t>(edge + 1, 0, columns);
      const std::int64_t last = upper ? std::clamp<std::int64_t>(edge, 0, columns) : columns;
      std::memset(data + (row * columns + first) * size, 0, static_cast<std::size_t>((last - first) * size));
    }
  });
}
void check_matrices(const Array& x, const char* op) {
  if (x.dim() < 2) fail<ShapeError>("{}: at least 2 dimensions are needed: {}", op, x.shape());
}
Array triangle(const Array& x, std::int64_t diagonal, bool upper, const char* op) {
  check_matrices(x, op);
  Array out = x.clone();
  clear(out, diagonal, upper);
  return out;
}
void keep_triangle(const Array& x, std::int64_t diagonal, bool upper, const char* op) {
  check_matrices(x, op);
  if (x.is_contiguous()) {
    clear(x, diagonal, upper);
  } else {
    expect_own_memory(op, x);
    kernels::copy_convert(x, triangle(x, diagonal, upper, op));  // copy_ would count a write of its own
  }
}

}  // namespace

Array cat(ArrayList arrays, std::int64_t dim) {
  must_be_there(arrays, "cat");
  const DType dtype = common_type(arrays);
  const Array* model = nullptr;  // the first that counts
  for (const Array& array : arrays) {
    if (array.dim() == 0)
      fail<ShapeError>("cat: at least 1 dimension is needed: a 0-d array is given; stack joins those");
    if (model == nullptr && !is_empty_list(array)) model = &array;
  }
  if (model == nullptr) return empty(0, dtype);

  const int d = existing_dim(dim, model->dim(), "cat");
  Shape shape = model->shape();
  shape[d] = 0;
  for (const Array& array : arrays) {
    if (is_empty_list(array)) continue;
    Shape rest = array.shape();
    if (rest.size() == shape.size()) rest[d] = shape[d];
    if (rest != shape) {
      fail<ShapeError>("cat: sizes must be equal in all dimensions but {}: {} and {}", d, model->shape(),
                       array.shape());
    }
    if (__builtin_add_overflow(shape[d], array.shape()[d], &shape[d])) {
      fail<ShapeError>("cat: the joined size must fit into 64 bits: {} and {}", model->shape(), array.shape());
    }
  }
  Array out = empty(shape, dtype);
  std::int64_t start = 0;
  for (const Array& array : arrays) {
    if (is_empty_list(array)) continue;
    const std::int64_t length = array.shape()[d];
    out.narrow(d, start, length).copy_(array);
    start += length;
  }
  return out;
}

Array stack(ArrayList arrays, std::int64_t dim) {
  must_be_there(arrays, "stack");
  const Shape& each = arrays[0].shape();
  const int d = wrap_dim(dim, each.size() + 1, "stack");
  for (const Array& array : arrays) {
    if (array.shape() != each) fail<ShapeError>("stack: shapes must be equal: {} and {}", each, array.shape());
  }
  Shape shape = each;
  shape.insert(d, static_cast<std::int64_t>(arrays.size()));
  Array out = empty(shape, common_type(arrays));
  for (std::size_t i = 0; i < arrays.size(); ++i) out.select(d, static_cast<std::int64_t>(i)).copy_(arrays[i]);
  return out;
}

Array tril(const Array& x, std::int64_t diagonal) { return triangle(x, diagonal, false, "tril"); }
Array triu(const Array& x, std::int64_t diagonal) { return triangle(x, diagonal, true, "triu"); }
void keep_tril(const Array& x, std::int64_t diagonal) { keep_triangle(x, diagonal, false, "tril"); }
void keep_triu(const Array& x, std::int64_t diagonal) { keep_triangle(x, diagonal, true, "triu"); }

Array constant_pad(const Array& x, IntArrayRef pad, const Scalar& value) {
  const int given = static_cast<int>(pad.size() / 2);
  if (pad.size() % 2 != 0 || given > x.dim()) {
    fail<ShapeError>("constant_pad_nd: pad must have two numbers for each of the last dimensions: {} for {}", pad,
                     x.shape());
  }
  Shape shape = x.shape();
  Array inside = x;
  for (int i = 0; i < given; ++i) {
    const int d = x.dim() - 1 - i;
    const std::int64_t before = pad[static_cast<std::size_t>(2 * i)], after = pad[static_cast<std::size_t>(2 * i + 1)];
    // Neither end cuts off more than there is, nor both together: after that no number is near the least one.
    const std::int64_t size = x.size(d);
    if (before < -size || after < -size ||
        std::min<std::int64_t>(before, 0) + std::min<std::int64_t>(after, 0) < -size) {
      fail<ShapeError>("constant_pad_nd: no more can be cut off than there is: pad {} for {}", pad, x.shape());
    }
    if (__builtin_add_overflow(size, before, &shape[d]) || __builtin_add_overflow(shape[d], after, &shape[d])) {
      fail<ShapeError>("constant_pad_nd: the padded size must fit into 64 bits: pad {} for {}", pad, x.shape());
    }
    inside = inside.slice(d, std::max<std::int64_t>(-before, 0), size - std::max<std::int64_t>(-after, 0));
  }
  checked_numel(shape, "constant_pad_nd");
  const Array result = inside.numel() == numel_of(shape) ? empty(shape, x.dtype()) : full(shape, value, x.dtype());
  Array target = result;
  for (int i = 0; i < given; ++i) {
    const int d = x.dim() - 1 - i;
    const std::int64_t before = std::max<std::int64_t>(pad[static_cast<std::size_t>(2 * i)], 0);
    target = target.slice(d, before, before + inside.size(d));
  }
  target.copy_(inside);
  return result;
}

Array roll(const Array& x, IntArrayRef shifts, IntArrayRef dims) {
  expect_defined("roll", "the operand", x);
  if (shifts.size() != dims.size() || shifts.empty()) {
    fail<ValueError>("roll: there must be a shift for each dimension: {} for {}", shifts, dims);
  }
  Dims by = Dims::filled(x.dim(), 0);
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const int d = existing_dim(dims[i], x.dim(), "roll");
    const std::int64_t n = std::max<std::int64_t>(x.size(d), 1);
    const std::int64_t shift = shifts[i] % n, back = shift > 0 ? n - shift : -shift;
    by[d] = by[d] < back ? by[d] + (n - back) : by[d] - back;
  }
  const Array result = empty(x.shape(), x.dtype());
  if (x.numel() == 0) return result;
  // Along each dimension that moves, two parts.
  const auto copy = [&](const auto& self, const Array& to, const Array& from, int d) -> void {
    while (d < by.size() && by[d] == 0) ++d;
    if (d == by.size()) {
      to.copy_(from);
      return;
    }
    const std::int64_t n = from.size(d), shift = by[d];
    self(self, to.narrow(d, shift, n - shift), from.narrow(d, 0, n - shift), d + 1);
    self(self, to.narrow(d, 0, shift), from.narrow(d, n - shift, shift), d + 1);
  };
  copy(copy, result, x, 0);
  return result;
}

}  // namespace gradus::core
