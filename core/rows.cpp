// Operations along one dimension that see a whole row at once. The dimension is brought to the end, where rows are
// contiguous.
#include <algorithm>
#include <optional>

#include "create.h"
#include "fail.h"
#include "kernels/copy.h"
#include "kernels/rows.h"
#include "parallel.h"
#include "reduce.h"

namespace gradus::core {
namespace {

/// Elements of one block of rows; twice as many go parallel.
constexpr std::int64_t kBlock = 32768;
constexpr std::int64_t kExpBlock = 16384;

void check_defined(const char* op, const Array& x) {
  if (!x.defined()) fail<ValueError>("{}: the operand must be defined: it has neither storage nor shape", op);
}

/// body(first row, last row).
void for_rows(std::int64_t rows, std::int64_t n, std::int64_t block,
              FunctionRef<void(std::int64_t, std::int64_t)> body) {
  const bool serial = rows * n <= 2 * block;
  parallel_for(rows, serial ? rows : std::max<std::int64_t>(block / std::max<std::int64_t>(n, 1), 1), body);
}

/// [rows..., n] contiguous, the dimension last.
Array with_last(const Array& x, int dim) { return (x.dim() == 0 ? x : x.movedim(dim, -1)).contiguous(); }

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
  for_rows(rows, n, kBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      const char* row = from + r * n * size;
      indices[r] = static_cast<std::int64_t>(find(row, static_cast<std::size_t>(n)));
      copy(values + r * size, 0, 0, row + indices[r] * size, 0, 0, 1, 1);
    }
  });
  return result;
}

std::tuple<Array, Array> extreme(const char* op, const Array& x, std::int64_t dim, bool keepdim, bool largest) {
  check_defined(op, x);
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
  const std::int64_t n = flat.numel(), whole = n / kBlock;
  if (n <= 2 * kBlock) return extremes_of_rows(flat, 1, n, {}, largest).indices.item<std::int64_t>();
  const Extremes pieces = extremes_of_rows(flat, whole, kBlock, {whole}, largest);
  const std::int64_t piece = flat_index(pieces.values, largest);
  const std::int64_t best = piece * kBlock + pieces.indices.data_ptr<std::int64_t>()[piece];
  const std::int64_t rest = n - whole * kBlock;
  if (rest == 0) return best;
  const Array tail = flat.view({n}).narrow(0, whole * kBlock, rest);
  const std::int64_t last = whole * kBlock + flat_index(tail, largest);
  // The two candidates in their order.
  Array pair = empty({2}, x.dtype());
  pair.select(0, 0).copy_(flat.view({n}).select(0, best));
  pair.select(0, 1).copy_(flat.view({n}).select(0, last));
  return flat_index(pair, largest) == 0 ? best : last;
}

Array index_of(const char* op, const Array& x, std::optional<std::int64_t> dim, bool keepdim, bool largest) {
  if (dim) return std::get<1>(extreme(op, x, *dim, keepdim, largest));
  check_defined(op, x);
  if (x.numel() == 0) fail<IndexError>("{}: there must be at least one element to choose from: {}", op, x.shape());
  const Shape shape = keepdim ? Shape::filled(x.dim(), 1) : Shape();
  return full(shape, flat_index(x, largest), kInt64);
}

Array map_rows(const char* op, const Array& x, std::int64_t dim, kernels::RowMap (*kernel)(DType)) {
  check_defined(op, x);
  if (!is_floating_point(x.dtype())) {
    fail<DTypeError>("{}: the operand must be floating-point: {}; convert it with to(kFloat32)", op, x.dtype());
  }
  const int d = wrap_dim(dim, x.dim(), op);
  const Array rows = with_last(x, d);
  const std::int64_t n = x.dim() == 0 ? 1 : x.shape()[d];
  Array out = empty(rows.shape(), x.dtype());
  if (x.numel() == 0) return out.movedim(-1, d).contiguous();
  const kernels::RowMap map = kernel(x.dtype());
  const char* from = static_cast<const char*>(rows.data());
  char* to = static_cast<char*>(out.data());
  const std::int64_t bytes = n * x.element_size();
  for_rows(x.numel() / n, n, kExpBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) map(from + r * bytes, to + r * bytes, static_cast<std::size_t>(n));
  });
  return x.dim() == 0 ? out : out.movedim(-1, d).contiguous();
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

Array softmax(const Array& x, std::int64_t dim) { return map_rows("softmax", x, dim, kernels::softmax_kernel); }
Array log_softmax(const Array& x, std::int64_t dim) {
  return map_rows("log_softmax", x, dim, kernels::log_softmax_kernel);
}

Array logsumexp(const Array& x, IntArrayRef dims, bool keepdim) {
  check_defined("logsumexp", x);
  const Array values = is_floating_point(x.dtype()) ? x : x.to(kFloat32);
  const Dims over = wrap_dims(dims, x.dim(), "logsumexp");
  // The dimensions, in their order, behind those that are kept.
  Dims order;
  std::int64_t n = 1;
  for (int i = 0; i < x.dim(); ++i) {
    if (std::find(over.begin(), over.end(), i) == over.end()) order.push_back(i);
  }
  for (std::int64_t d : over) {
    order.push_back(d);
    n *= x.shape()[static_cast<int>(d)];
  }
  const Array rows = values.permute(order).contiguous();
  Array out = empty(reduced_shape(x.shape(), over, keepdim), values.dtype());
  const kernels::RowNumber number = kernels::logsumexp_kernel(values.dtype());
  const kernels::TileCopy store = kernels::tile_copy(values.dtype(), kFloat64);
  const char* from = static_cast<const char*>(rows.data());
  char* to = static_cast<char*>(out.data());
  const std::int64_t size = values.element_size();
  for_rows(out.numel(), n, kExpBlock, [&](std::int64_t begin, std::int64_t end) {
    const Array scratch = empty({n}, values.dtype());
    for (std::int64_t r = begin; r < end; ++r) {
      const double result = number(from + r * n * size, scratch.data(), static_cast<std::size_t>(n));
      store(to + r * size, 0, 0, reinterpret_cast<const char*>(&result), 0, 0, 1, 1);
    }
  });
  return out;
}

}  // namespace gradus::core
