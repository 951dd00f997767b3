#include "softmax.h"

#include <algorithm>
#include <utility>

#include "../array/create.h"
#include "../base/expect.h"
#include "../base/floating.h"
#include "../loops/copy.h"
#include "../loops/rows.h"
#include "../simd/rows.h"

namespace gradus::core {
namespace {

using kernels::for_rows;
using kernels::kExpRowBlock;
using kernels::kRowBlock;
using kernels::with_last;

/// From the form that with_last gives to the one that x has.
Array as_it_was(Array rows, const Array& x, int d) {
  return d + 1 >= x.dim() ? std::move(rows) : rows.movedim(-1, d).contiguous();
}

Array map_rows(const char* op, const Array& x, std::int64_t dim, kernels::RowMap (*kernel)(DType)) {
  expect_floating(op, "the operand", x);
  const int d = wrap_dim(dim, x.dim(), op);
  const Array rows = with_last(x, d);
  const std::int64_t n = x.dim() == 0 ? 1 : x.shape()[d];
  Array out = empty(rows.shape(), x.dtype());
  if (x.numel() == 0) return as_it_was(std::move(out), x, d);
  const kernels::RowMap map = kernel(x.dtype());
  const char* from = static_cast<const char*>(rows.data());
  char* to = static_cast<char*>(out.data());
  const std::int64_t bytes = n * x.element_size();
  for_rows(x.numel() / n, n, kExpRowBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) map(from + r * bytes, to + r * bytes, static_cast<std::size_t>(n));
  });
  return as_it_was(std::move(out), x, d);
}

/// dx = kernel(dy, y) along a dimension.
Array gradient_of_rows(const char* op, const Array& dy, const Array& y, std::int64_t dim,
                       kernels::RowGradient (*kernel)(DType), std::int64_t block) {
  expect_floating(op, "the result", y);
  expect_defined(op, "the gradient", dy);
  expect_alike(op, "the gradient", dy, "the result", y);
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
  return as_it_was(std::move(out), y, d);
}

}  // namespace

Array softmax(const Array& x, std::int64_t dim) { return map_rows("softmax", x, dim, kernels::softmax_kernel); }
Array log_softmax(const Array& x, std::int64_t dim) {
  return map_rows("log_softmax", x, dim, kernels::log_softmax_kernel);
}

Array softmax_backward(const Array& dy, const Array& y, std::int64_t dim) {
  return gradient_of_rows("softmax_backward", dy, y, dim, kernels::softmax_backward_kernel, kRowBlock);
}
Array log_softmax_backward(const Array& dy, const Array& y, std::int64_t dim) {
  return gradient_of_rows("log_softmax_backward", dy, y, dim, kernels::log_softmax_backward_kernel, kExpRowBlock);
}

Array probabilities_times(const Array& log_p, const Array& factor) {
  constexpr const char* op = "probabilities_times";
  expect_floating(op, "log_p", log_p);
  expect_form(log_p.dim() == 2, op, "log_p", "[n, C]", log_p.shape());
  expect_defined(op, "factor", factor);
  expect_shape(op, "factor", factor.shape(), "[n]", log_p.shape()[0]);
  const Array from = log_p.contiguous(), factors = factor.to(kFloat64).contiguous();
  Array out = empty(log_p.shape(), log_p.dtype());
  const std::int64_t n = log_p.shape()[1], bytes = n * log_p.element_size();
  const kernels::RowScaledExp map = kernels::exp_of_row_kernel(log_p.dtype());
  for_rows(log_p.shape()[0], n, kExpRowBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      map(static_cast<const char*>(from.data()) + r * bytes, factors.data_ptr<double>()[r],
          static_cast<char*>(out.data()) + r * bytes, static_cast<std::size_t>(n));
    }
  });
  return out;
}

Array cross_entropy_rows_backward(const Array& log_p, const Array& a, const Array& g) {
  constexpr const char* op = "cross_entropy_rows_backward";
  expect_floating(op, "log_p", log_p);
  expect_form(log_p.dim() == 2, op, "log_p", "[n, C]", log_p.shape());
  expect_defined(op, "a", a);
  expect_alike(op, "a", a, "log_p", log_p);
  expect_defined(op, "g", g);
  expect_shape(op, "g", g.shape(), "[n]", log_p.shape()[0]);
  expect_dtype(op, "g", g.dtype(), "log_p", log_p.dtype());
  const DType dtype = log_p.dtype();
  const Array from = log_p.contiguous(), weights = a.contiguous(), factors = g.to(kFloat64).contiguous();
  Array out = empty(log_p.shape(), dtype);
  const std::int64_t n = log_p.shape()[1], bytes = n * log_p.element_size();
  const kernels::RowPairMap map = kernels::cross_entropy_backward_kernel(dtype);
  for_rows(log_p.shape()[0], n, kExpRowBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      map(static_cast<const char*>(from.data()) + r * bytes, static_cast<const char*>(weights.data()) + r * bytes,
          factors.data_ptr<double>()[r], static_cast<char*>(out.data()) + r * bytes, static_cast<std::size_t>(n));
    }
  });
  return out;
}

Array logsumexp(const Array& x, IntArrayRef dims, bool keepdim) {
  expect_defined("logsumexp", "the operand", x);
  const Array values = x.to(floating(x.dtype()));
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
  for_rows(out.numel(), n, kExpRowBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      const double result = number(from + r * n * size, static_cast<std::size_t>(n));
      store(to + r * size, 0, 0, reinterpret_cast<const char*>(&result), 0, 0, 1, 1);
    }
  });
  return out;
}

}  // namespace gradus::core
