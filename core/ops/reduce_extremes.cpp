// Extremes with their places: rows along one dimension, or the whole array.
#include <optional>

#include "../array/create.h"
#include "../base/expect.h"
#include "../base/fail.h"
#include "../loops/copy.h"
#include "../loops/rows.h"
#include "../simd/rows.h"
#include "reduce.h"
#include "stored.h"

namespace gradus::core {
namespace {

using kernels::for_rows;
using kernels::kRowBlock;
using kernels::with_last;

struct Extremes {
  Array values, indices;
};

/// The extreme of each row of [rows, n], and where it is.
Extremes extremes_of_rows(const Array& x, std::int64_t rows, std::int64_t n, const Shape& shape, bool largest) {
  Extremes result{empty(shape, x.dtype()), empty(shape, kInt64)};
  const kernels::RowIndex find = largest ? kernels::argmax_kernel(x.dtype()) : kernels::argmin_kernel(x.dtype());
  const kernels::TileCopy copy = kernels::tile_copy(x.dtype(), x.dtype());
  const char* from = static_cast<const char*>(x.data());
  char* values = static_cast<char*>(result.values.data());
  std::int64_t* indices = result.indices.data_ptr<std::int64_t>();
  const std::int64_t size = x.element_size();
  for_rows(rows, n, kRowBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      const char* row = from + r * n * size;
      indices[r] = static_cast<std::int64_t>(find(row, static_cast<std::size_t>(n)));
      copy(values + r * size, 0, 0, row + indices[r] * size, 0, 0, 1, 1);
    }
  });
  return result;
}

std::tuple<Array, Array> extreme(const char* op, const Array& x, std::int64_t dim, bool keepdim, bool largest) {
  expect_defined(op, "the operand", x);
  if (is_storage_type(x.dtype())) {
    const auto [values, indices] = extreme(op, as_computed(x), dim, keepdim, largest);
    return {as_stored(values, x.dtype()), indices};
  }
  const int d = wrap_dim(dim, x.dim(), op);
  const std::int64_t n = x.dim() == 0 ? 1 : x.shape()[d];
  if (n == 0) fail<IndexError>("{}: there must be at least one element to choose from: {} along {}", op, x.shape(), d);
  const Shape shape = x.dim() == 0 ? Shape() : reduced_shape(x.shape(), Dims{d}, keepdim);
  const Extremes found = extremes_of_rows(with_last(x, d), x.numel() / n, n, shape, largest);
  return {found.values, found.indices};
}

/// The place in the flattened array. A long row is searched in pieces, and then the pieces' extremes.
std::int64_t flat_index(const Array& x, bool largest) {
  const Array flat = x.contiguous();
  const std::int64_t n = flat.numel(), whole = n / kRowBlock;
  if (n <= 2 * kRowBlock) return extremes_of_rows(flat, 1, n, {}, largest).indices.item<std::int64_t>();
  const Extremes pieces = extremes_of_rows(flat, whole, kRowBlock, {whole}, largest);
  const std::int64_t piece = flat_index(pieces.values, largest);
  const std::int64_t best = piece * kRowBlock + pieces.indices.data_ptr<std::int64_t>()[piece];
  const std::int64_t rest = n - whole * kRowBlock;
  if (rest == 0) return best;
  const Array tail = flat.view({n}).narrow(0, whole * kRowBlock, rest);
  const std::int64_t last = whole * kRowBlock + flat_index(tail, largest);
  // The two candidates in their order.
  Array pair = empty({2}, x.dtype());
  pair.select(0, 0).copy_(flat.view({n}).select(0, best));
  pair.select(0, 1).copy_(flat.view({n}).select(0, last));
  return flat_index(pair, largest) == 0 ? best : last;
}

Array index_of(const char* op, const Array& x, std::optional<std::int64_t> dim, bool keepdim, bool largest) {
  if (dim) return std::get<1>(extreme(op, x, *dim, keepdim, largest));
  expect_defined(op, "the operand", x);
  if (x.numel() == 0) fail<IndexError>("{}: there must be at least one element to choose from: {}", op, x.shape());
  const Shape shape = keepdim ? Shape::filled(x.dim(), 1) : Shape();
  return full(shape, flat_index(as_computed(x), largest), kInt64);
}

}  // namespace

std::tuple<Array, Array> max(const Array& x, std::int64_t dim, bool keepdim) {
  return extreme("max", x, dim, keepdim, true);
}
std::tuple<Array, Array> min(const Array& x, std::int64_t dim, bool keepdim) {
  return extreme("min", x, dim, keepdim, false);
}
Array argmax(const Array& x, std::optional<std::int64_t> dim, bool keepdim) {
  return index_of("argmax", x, dim, keepdim, true);
}
Array argmin(const Array& x, std::optional<std::int64_t> dim, bool keepdim) {
  return index_of("argmin", x, dim, keepdim, false);
}

}  // namespace gradus::core
