// Operations along one dimension that see a whole row at once. The dimension is brought to the end, where rows are
// contiguous.
#include "rows.h"

#include <algorithm>
#include <optional>

#include "../array/create.h"
#include "../threads/even_grain.h"
#include "../base/fail.h"
#include "../loops/copy.h"
#include "../simd/rows.h"
#include "../threads/parallel.h"
#include "../ops/pointwise.h"
#include "../ops/reduce.h"

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
  const std::int64_t most = std::max<std::int64_t>(block / std::max<std::int64_t>(n, 1), 1);
  parallel_for(rows, serial || rows == 0 ? rows : even_grain(rows, most), body);
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

/// dx = kernel(dy, y) along a dimension.
Array gradient_of_rows(const char* op, const Array& dy, const Array& y, std::int64_t dim,
                       kernels::RowGradient (*kernel)(DType), std::int64_t block) {
  check_defined(op, dy);
  check_defined(op, y);
  if (dy.shape() != y.shape() || dy.dtype() != y.dtype() || !is_floating_point(y.dtype())) {
    fail<ShapeError>("{}: gradient and result must have one shape and floating dtype: {} {} and {} {}", op, dy.dtype(),
                     dy.shape(), y.dtype(), y.shape());
  }
  const int d = wrap_dim(dim, y.dim(), op);
  const Array from = with_last(dy, d), rows = with_last(y, d);
  const std::int64_t n = y.dim() == 0 ? 1 : y.shape()[d], bytes = n * y.element_size();
  Array out = empty(rows.shape(), y.dtype());
  if (y.numel() != 0) {
    const kernels::RowGradient map = kernel(y.dtype());
    const char *above = static_cast<const char*>(from.data()), *below = static_cast<const char*>(rows.data());
    char* to = static_cast<char*>(out.data());
    for_rows(y.numel() / n, n, block, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) {
        map(above + r * bytes, below + r * bytes, to + r * bytes, static_cast<std::size_t>(n));
      }
    });
  }
  return y.dim() == 0 ? out : out.movedim(-1, d).contiguous();
}

/// x as rows of its last dimensions.
struct Rows {
  Rows(const char* op, const Array& x, int dims) {
    check_defined(op, x);
    if (!is_floating_point(x.dtype())) {
      fail<DTypeError>("{}: the operand must be floating-point: {}; convert it with to(kFloat32)", op, x.dtype());
    }
    for (int i = 0; i < x.dim(); ++i) (i < x.dim() - dims ? rows : n) *= x.shape()[i];
    bytes = n * x.element_size();
  }
  std::int64_t rows = 1, n = 1, bytes = 0;
};
/// Contiguous numbers of a parameter; null when it is undefined.
struct Parameter {
  Parameter(const char* op, const char* name, const Array& given, const Array& x, std::int64_t n) {
    if (!given.defined()) return;
    if (given.numel() != n || given.dtype() != x.dtype()) {
      fail<ShapeError>(
          "{}: {} must have one number of input's dtype for each element of a row: {} {} for rows of {} {}", op, name,
          given.dtype(), given.shape(), n, x.dtype());
    }
    array = given.contiguous();
    data = array.data();
  }
  Array array;
  const void* data = nullptr;
};

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

Array softmax_backward(const Array& dy, const Array& y, std::int64_t dim) {
  return gradient_of_rows("softmax_backward", dy, y, dim, kernels::softmax_backward_kernel, kBlock);
}
Array log_softmax_backward(const Array& dy, const Array& y, std::int64_t dim) {
  return gradient_of_rows("log_softmax_backward", dy, y, dim, kernels::log_softmax_backward_kernel, kExpBlock);
}

Array probabilities_times(const Array& log_p, const Array& factor) {
  constexpr const char* op = "probabilities_times";
  check_defined(op, log_p);
  check_defined(op, factor);
  if (log_p.dim() != 2 || factor.shape() != Shape{log_p.shape()[0]} || !is_floating_point(log_p.dtype())) {
    fail<ShapeError>("{}: rows [n, C], floating, and a factor for each are needed: {} {} and {}", op, log_p.dtype(),
                     log_p.shape(), factor.shape());
  }
  const Array from = log_p.contiguous(), factors = factor.to(kFloat64).contiguous();
  Array out = empty(log_p.shape(), log_p.dtype());
  const std::int64_t n = log_p.shape()[1], bytes = n * log_p.element_size();
  const kernels::RowScaledExp map = kernels::exp_of_row_kernel(log_p.dtype());
  for_rows(log_p.shape()[0], n, kExpBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      map(static_cast<const char*>(from.data()) + r * bytes, factors.data_ptr<double>()[r],
          static_cast<char*>(out.data()) + r * bytes, static_cast<std::size_t>(n));
    }
  });
  return out;
}

Array cross_entropy_rows_backward(const Array& log_p, const Array& a, const Array& g) {
  constexpr const char* op = "cross_entropy_rows_backward";
  check_defined(op, log_p);
  check_defined(op, a);
  check_defined(op, g);
  const DType dtype = log_p.dtype();
  if (log_p.dim() != 2 || a.shape() != log_p.shape() || g.shape() != Shape{log_p.shape()[0]} || a.dtype() != dtype ||
      g.dtype() != dtype || !is_floating_point(dtype)) {
    fail<ShapeError>(
        "{}: two arrays [n, C] of one floating dtype, and a factor for each row, are needed: {} {}, {} {} and {} {}",
        op, dtype, log_p.shape(), a.dtype(), a.shape(), g.dtype(), g.shape());
  }
  const Array from = log_p.contiguous(), weights = a.contiguous(), factors = g.to(kFloat64).contiguous();
  Array out = empty(log_p.shape(), dtype);
  const std::int64_t n = log_p.shape()[1], bytes = n * log_p.element_size();
  const kernels::RowPairMap map = kernels::cross_entropy_backward_kernel(dtype);
  for_rows(log_p.shape()[0], n, kExpBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      map(static_cast<const char*>(from.data()) + r * bytes, static_cast<const char*>(weights.data()) + r * bytes,
          factors.data_ptr<double>()[r], static_cast<char*>(out.data()) + r * bytes, static_cast<std::size_t>(n));
    }
  });
  return out;
}

std::tuple<Array, Array, Array> layer_norm_forward(const Array& x, int dims, double eps, const Array& gamma,
                                                   const Array& beta) {
  constexpr const char* op = "layer_norm_forward";
  const Rows of(op, x, dims);
  const Parameter weight(op, "gamma", gamma, x, of.n), bias(op, "beta", beta, x, of.n);
  const Array from = x.contiguous();
  Array y = empty(x.shape(), x.dtype()), mean = zeros({of.rows}, kFloat64), inv_std = zeros({of.rows}, kFloat64);
  if (y.numel() == 0) return {y, mean, inv_std};
  const kernels::LayerNormRow normalize = kernels::layer_norm_kernel(x.dtype());
  for_rows(of.rows, of.n, kBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      const kernels::RowStatistics row =
          normalize(static_cast<const char*>(from.data()) + r * of.bytes, weight.data, bias.data, eps,
                    static_cast<char*>(y.data()) + r * of.bytes, static_cast<std::size_t>(of.n));
      mean.data_ptr<double>()[r] = row.mean;
      inv_std.data_ptr<double>()[r] = row.inv_std;
    }
  });
  return {y, mean, inv_std};
}

std::array<Array, 3> layer_norm_backward(const Array& dy, const Array& x, int dims, const Array& gamma,
                                         const Array& mean, const Array& inv_std, const std::array<bool, 3>& wanted) {
  constexpr const char* op = "layer_norm_backward";
  const Rows of(op, x, dims);
  const Parameter weight(op, "gamma", gamma, x, of.n);
  const Array from = x.contiguous(), above = dy.contiguous();
  std::array<Array, 3> out;
  if (wanted[0]) out[0] = empty(x.shape(), x.dtype());
  // The parameters' gradients are summed over a few rows in the dtype, over a block's rows and over all blocks in
  // float64. Blocks follow from the shape alone.
  constexpr std::int64_t few = 16;
  const std::int64_t most = std::max<std::int64_t>({kBlock / std::max<std::int64_t>(of.n, 1), (of.rows + 31) / 32, 1});
  const std::int64_t block = (most + few - 1) / few * few, blocks = (of.rows + block - 1) / block;
  const bool sums = wanted[1] || wanted[2];
  // Few rows: the sums of the one group are the result, and nothing else is needed.
  const bool one_group = of.rows <= few;
  Array total = sums && one_group ? zeros({2, of.n}, x.dtype()) : Array();
  const Array partial = sums && !one_group ? zeros({blocks, 2, of.n}, kFloat64) : Array();
  const kernels::LayerNormRowBackward backward = kernels::layer_norm_backward_kernel(x.dtype());
  const auto* means = mean.data_ptr<double>();
  const auto* scales = inv_std.data_ptr<double>();
  if (x.numel() != 0) {
    parallel_for(blocks, 1, [&](std::int64_t first, std::int64_t last) {
      const Array group = one_group ? total : sums ? empty({2, of.n}, x.dtype()) : Array();
      char* dweight = wanted[1] ? static_cast<char*>(group.data()) : nullptr;
      char* dbias = wanted[2] ? static_cast<char*>(group.data()) + of.bytes : nullptr;
      for (std::int64_t b = first; b < last; ++b) {
        for (std::int64_t begin = b * block; begin < std::min((b + 1) * block, of.rows); begin += few) {
          if (sums && !one_group) group.zero_();
          for (std::int64_t r = begin; r < std::min(begin + few, of.rows); ++r) {
            void* dx = wanted[0] ? static_cast<char*>(out[0].data()) + r * of.bytes : nullptr;
            backward(static_cast<const char*>(above.data()) + r * of.bytes,
                     static_cast<const char*>(from.data()) + r * of.bytes, weight.data, {means[r], scales[r]}, dx,
                     dweight, dbias, static_cast<std::size_t>(of.n));
          }
          if (sums && !one_group) add.write(partial.select(0, b), partial.select(0, b), group.to(kFloat64));
        }
      }
    });
  }
  if (sums) {
    if (!one_group) total = sum(partial, 0).to(x.dtype());
    Shape shape;
    for (int i = x.dim() - dims; i < x.dim(); ++i) shape.push_back(x.shape()[i]);
    if (wanted[1]) out[1] = total.select(0, 0).reshape(shape);
    if (wanted[2]) out[2] = total.select(0, 1).reshape(shape);
  }
  return out;
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
    for (std::int64_t r = begin; r < end; ++r) {
      const double result = number(from + r * n * size, static_cast<std::size_t>(n));
      store(to + r * size, 0, 0, reinterpret_cast<const char*>(&result), 0, 0, 1, 1);
    }
  });
  return out;
}

}  // namespace gradus::core
