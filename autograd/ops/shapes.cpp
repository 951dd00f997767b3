// Views made of views.
#include <algorithm>
#include <type_traits>

#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../graph/operation.h"

namespace gradus {

using namespace autograd;
using core::Shape;

namespace {

std::int64_t size_along(const char* op, const Operand& x, std::int64_t dim) {
  return core::in_name_of(op, [&] { return x.tensor().size(dim); });
}

std::vector<Tensor> of_each(OperandList tensors, Tensor (*f)(Operand)) {
  std::vector<Tensor> results;
  for (const Operand& x : tensors) results.push_back(f(x));
  return results;
}

}  // namespace

Tensor broadcast_to(Operand x, IntArrayRef shape) {
  return core::in_name_of("broadcast_to", [&] { return x.tensor().expand(shape, x.at()); });
}
std::vector<Tensor> broadcast_tensors(OperandList tensors) {
  Shape shape;
  for (const Operand& x : tensors)
    shape = core::broadcast_shapes(shape, x.tensor().body().array.shape(), "broadcast_tensors");
  std::vector<Tensor> results;
  for (const Operand& x : tensors) results.push_back(x.tensor().expand(shape, x.at()));
  return results;
}

Tensor movedim(Operand x, IntArrayRef source, IntArrayRef destination) {
  const int n = x.tensor().body().array.dim();
  if (source.size() != destination.size()) {
    core::fail<ValueError>("movedim: there must be as many sources as destinations: {} and {}", source, destination);
  }
  if (n == 0 && source.size() == 1) return movedim(x, source[0], destination[0]);
  core::Dims order = Shape::filled(n, -1);
  core::Dims rest;
  for (int i = 0; i < n; ++i) rest.push_back(i);
  for (std::size_t i = 0; i < source.size(); ++i) {
    const int from = core::wrap_dim(source[i], n, "movedim"), to = core::wrap_dim(destination[i], n, "movedim");
    const auto* const found = std::find(rest.begin(), rest.end(), from);
    if (found == rest.end() || (n > 0 && order[to] != -1)) {
      core::fail<ValueError>("movedim: a dimension must come once: {} to {}", source, destination);
    }
    rest.erase(static_cast<int>(found - rest.begin()));
    order[to] = from;
  }
  for (int i = 0, next = 0; i < n; ++i) {
    if (order[i] == -1) order[i] = rest[next++];
  }
  return permute(x, order);
}
Tensor moveaxis(Operand x, std::int64_t source, std::int64_t destination) {
  return core::in_name_of("moveaxis", [&] { return movedim(x, source, destination); });
}
Tensor moveaxis(Operand x, IntArrayRef source, IntArrayRef destination) {
  return core::in_name_of("moveaxis", [&] { return movedim(x, source, destination); });
}
Tensor swapaxes(Operand x, std::int64_t axis0, std::int64_t axis1) {
  return core::in_name_of("swapaxes", [&] { return transpose(x, axis0, axis1); });
}
Tensor swapdims(Operand x, std::int64_t dim0, std::int64_t dim1) {
  return core::in_name_of("swapdims", [&] { return transpose(x, dim0, dim1); });
}
Tensor adjoint(Operand x) {
  if (x.tensor().dim() < 2) {
    core::fail<ShapeError>("adjoint: there must be at least 2 dimensions: {}", x.tensor().sizes());
  }
  return transpose(x, -2, -1);
}

Tensor unflatten(Operand x, std::int64_t dim, IntArrayRef sizes) {
  core::expect_defined("unflatten", "the operand", x.tensor());
  const Shape& from = x.tensor().body().array.shape();
  const int at = core::existing_dim(dim, from.size(), "unflatten");
  if (sizes.empty()) core::fail<ShapeError>("unflatten: there must be at least one size: {}", sizes);
  std::int64_t known = 1;
  int open = 0;
  bool sound = true;
  for (const std::int64_t size : sizes) {
    if (size == -1)
      ++open;
    else
      sound = size >= 0 && !__builtin_mul_overflow(known, size, &known) && sound;
  }
  if (!sound || open > 1 || (open == 1 ? known == 0 || from[at] % known != 0 : known != from[at])) {
    core::fail<ShapeError>("unflatten: the sizes, one of which may be -1, must multiply to {}: {}", from[at], sizes);
  }
  Shape shape = from;
  shape.erase(at);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    shape.insert(at + static_cast<int>(i), sizes[i] == -1 ? from[at] / known : sizes[i]);
  }
  return core::in_name_of("unflatten", [&] { return x.tensor().view(shape, x.at()); });
}

Tensor unfold(Operand x, std::int64_t dim, std::int64_t size, std::int64_t step) {
  const core::Array& a = x.tensor().body().array;
  Shape shape = a.shape();
  core::Strides strides = a.strides();
  const bool scalar = shape.empty();
  const int at = core::wrap_dim(dim, shape.size(), "unfold");
  const std::int64_t n = scalar ? 1 : shape[at], stride = scalar ? 1 : strides[at];
  if (size < 0 || size > n) {
    core::fail<ValueError>("unfold: a window must fit into the dimension: {} of {}", size, n);
  }
  if (step < 1) core::fail<ValueError>("unfold: the step must be at least 1: {}", step);
  if (!scalar) {
    shape[at] = (n - size) / step + 1;
    if (__builtin_mul_overflow(stride, step, &strides[at])) strides[at] = stride;  // there is one window only
  }
  shape.push_back(size);
  strides.push_back(stride);
  if (a.may_overlap_itself()) return unfold(clone(x), dim, size, step);  // nobody writes through such a view
  return core::in_name_of("unfold", [&] {
    return as_strided(x, shape, strides, core::numel_of(shape) == 0 ? std::optional<std::int64_t>(0) : std::nullopt);
  });
}

Tensor narrow(Operand x, std::int64_t dim, const Tensor& start, std::int64_t length) {
  if (start.dim() != 0 || !is_integral(start.dtype())) {
    core::fail<DTypeError>("narrow: the start must be a 0-d tensor of integers: {} of {}", start.sizes(),
                           start.dtype());
  }
  return narrow(x, dim, start.item<std::int64_t>(), length);
}

std::vector<Tensor> split_with_sizes(Operand x, IntArrayRef sizes, std::int64_t dim) {
  const std::int64_t n = size_along("split_with_sizes", x, dim);
  std::int64_t sum = 0;
  bool sound = true;
  for (const std::int64_t size : sizes) {
    sound = sound && size >= 0 && size <= n - sum;
    if (sound) sum += size;
  }
  if (!sound || sum != n) {
    core::fail<ValueError>("split_with_sizes: sizes must not be negative, and their sum be {}: {}", n, sizes);
  }
  std::vector<Tensor> parts;
  std::int64_t start = 0;
  for (const std::int64_t size : sizes) {
    parts.push_back(narrow(x, dim, start, size));
    start += size;
  }
  return parts;
}
std::vector<Tensor> split(Operand x, IntArrayRef sizes, std::int64_t dim) {
  return core::in_name_of("split", [&] { return split_with_sizes(x, sizes, dim); });
}

std::vector<Tensor> tensor_split(Operand x, std::int64_t sections, std::int64_t dim) {
  if (sections < 1) core::fail<ValueError>("tensor_split: the number of parts must be at least 1: {}", sections);
  const std::int64_t n = size_along("tensor_split", x, dim);
  constexpr std::int64_t most = 1 << 20;
  if (sections > std::max(n, most)) {
    core::fail<ValueError>("tensor_split: at most {} parts of {} entries: {}", std::max(n, most), n, sections);
  }
  std::vector<Tensor> parts;
  std::int64_t start = 0;
  for (std::int64_t i = 0; i < sections; ++i) {
    const std::int64_t size = n / sections + (i < n % sections ? 1 : 0);
    parts.push_back(narrow(x, dim, start, size));
    start += size;
  }
  return parts;
}
std::vector<Tensor> tensor_split(Operand x, IntArrayRef indices, std::int64_t dim) {
  size_along("tensor_split", x, dim);
  std::vector<Tensor> parts;
  std::int64_t start = 0;
  for (const std::int64_t index : indices) {  // as Python's x[start:index]
    parts.push_back(slice(x, dim, start, index));
    start = index;
  }
  parts.push_back(slice(x, dim, start));
  return parts;
}
std::vector<Tensor> tensor_split(Operand x, const Tensor& indices_or_sections, std::int64_t dim) {
  const Tensor& given = indices_or_sections;
  if (given.dtype() != kInt64 || given.dim() > 1) {
    core::fail<DTypeError>("tensor_split: indices or sections must be int64 of at most 1 dimension: {} of {}",
                           given.sizes(), given.dtype());
  }
  if (given.dim() == 0) return tensor_split(x, given.item<std::int64_t>(), dim);
  const Tensor dense = given.contiguous();
  return tensor_split(x, IntArrayRef(dense.data_ptr<std::int64_t>(), static_cast<std::size_t>(dense.numel())), dim);
}

namespace {

// tensor_split along a dimension that the name says, of tensors that have `least` dimensions. Where: sections or indices.
template <class Where>
std::vector<Tensor> split_in_name(const char* op, const Operand& x, std::int64_t least, std::int64_t dim,
                                  const Where& where) {
  const Shape& shape = x.tensor().body().array.shape();
  if (shape.size() < least) {
    core::fail<ShapeError>("{}: the operand must have at least {} dimension{}: {}", op, least, least == 1 ? "" : "s",
                           shape);
  }
  if constexpr (std::is_same_v<Where, std::int64_t>) {
    const std::int64_t n = shape[static_cast<int>(dim)];
    if (where < 1 || n % where != 0) {
      core::fail<ValueError>("{}: the sections must divide the size of dimension {}: {} of {}; tensor_split takes any",
                             op, dim, where, n);
    }
  }
  return core::in_name_of(op, [&] { return tensor_split(x, where, dim); });
}
std::int64_t columns_of(const Operand& x) { return x.tensor().dim() == 1 ? 0 : 1; }

}  // namespace

std::vector<Tensor> hsplit(Operand x, std::int64_t sections) {
  return split_in_name("hsplit", x, 1, columns_of(x), sections);
}
std::vector<Tensor> hsplit(Operand x, IntArrayRef indices) {
  return split_in_name("hsplit", x, 1, columns_of(x), indices);
}
std::vector<Tensor> vsplit(Operand x, std::int64_t sections) { return split_in_name("vsplit", x, 2, 0, sections); }
std::vector<Tensor> vsplit(Operand x, IntArrayRef indices) { return split_in_name("vsplit", x, 2, 0, indices); }
std::vector<Tensor> dsplit(Operand x, std::int64_t sections) { return split_in_name("dsplit", x, 3, 2, sections); }
std::vector<Tensor> dsplit(Operand x, IntArrayRef indices) { return split_in_name("dsplit", x, 3, 2, indices); }

Tensor atleast_1d(Operand x) { return x.tensor().dim() < 1 ? unsqueeze(x, 0) : x.tensor(); }
Tensor atleast_2d(Operand x) {
  const Scope scope(x.at());
  return x.tensor().dim() < 2 ? atleast_1d(x).unsqueeze(0) : x.tensor();
}
Tensor atleast_3d(Operand x) {
  const Scope scope(x.at());
  return x.tensor().dim() < 3 ? atleast_2d(x).unsqueeze(-1) : x.tensor();
}
std::vector<Tensor> atleast_1d(OperandList tensors) { return of_each(tensors, atleast_1d); }
std::vector<Tensor> atleast_2d(OperandList tensors) { return of_each(tensors, atleast_2d); }
std::vector<Tensor> atleast_3d(OperandList tensors) { return of_each(tensors, atleast_3d); }

std::vector<Tensor> meshgrid(OperandList tensors, std::string_view indexing) {
  if (tensors.empty()) core::fail<ValueError>("meshgrid: there must be at least one tensor");
  if (indexing != "ij" && indexing != "xy") {
    core::fail<ValueError>("meshgrid: indexing must be \"ij\" or \"xy\": \"{}\"", indexing);
  }
  Shape shape;
  for (const Operand& x : tensors) {
    if (x.tensor().dim() > 1) {
      core::fail<ShapeError>("meshgrid: operands must have at most 1 dimension: {}", x.tensor().sizes());
    }
    shape.push_back(x.tensor().numel());
  }
  const Scope scope(tensors[0].at());
  const bool swapped = indexing == "xy" && shape.size() > 1;
  std::vector<Tensor> grids;
  for (int i = 0; i < shape.size(); ++i) {
    Shape one = Shape::filled(shape.size(), 1);
    one[i] = shape[i];
    const Tensor grid = tensors[static_cast<std::size_t>(i)].tensor().view(one).expand(shape);
    grids.push_back(swapped ? grid.transpose(0, 1) : grid);
  }
  return grids;
}

std::vector<Tensor> split(Operand x, std::int64_t size, std::int64_t dim) {
  if (size < 1) core::fail<ValueError>("split: the size of a part must be at least 1: {}", size);
  std::vector<Tensor> parts;
  const std::int64_t n = size_along("split", x, dim);
  std::int64_t start = 0;
  for (; size < n - start; start += size) parts.push_back(narrow(x, dim, start, size));
  parts.push_back(narrow(x, dim, start, n - start));
  return parts;
}
std::vector<Tensor> chunk(Operand x, std::int64_t chunks, std::int64_t dim) {
  if (chunks < 1) core::fail<ValueError>("chunk: the number of chunks must be at least 1: {}", chunks);
  const std::int64_t n = size_along("chunk", x, dim);
  if (n == 0) {  // so many empty ones: whoever asks for three of an empty batch takes the third
    constexpr std::int64_t most = 1 << 20;
    if (chunks > most) core::fail<ValueError>("chunk: at most {} chunks of nothing: {}", most, chunks);
    std::vector<Tensor> parts;
    for (std::int64_t i = 0; i < chunks; ++i) parts.push_back(slice(x, dim, 0, 0));
    return parts;
  }
  return split(x, n / chunks + (n % chunks != 0), dim);
}
std::vector<Tensor> unbind(Operand x, std::int64_t dim) {
  std::vector<Tensor> parts;
  const std::int64_t n = size_along("unbind", x, dim);
  for (std::int64_t i = 0; i < n; ++i) parts.push_back(select(x, dim, i));
  return parts;
}

}  // namespace gradus
