// Matrix products of arrays: shapes, dtypes, batches. The arithmetic of floating types is in core/simd/gemm.
#include "matmul.h"

#include <algorithm>
#include <optional>
#include <type_traits>
#include <utility>

#include "../array/create.h"
#include "../base/dispatch.h"
#include "../base/expect.h"
#include "../base/fail.h"
#include "../simd/gemm.h"
#include "../threads/parallel.h"

namespace gradus::core {
namespace {

using std::int64_t;

// --- Integers: exact modulo 2^64, and so modulo the range of every smaller type -------------------------------------

template <class T>
void gemm_integers(const kernels::GemmProblem<T>& p, bool parallel) {
  constexpr int64_t kColumns = 256;
  const auto& r = p.result;
  const auto alpha = static_cast<std::uint64_t>(r.alpha), beta = static_cast<std::uint64_t>(r.beta);
  const auto rows = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      for (int64_t j0 = 0; j0 < p.n; j0 += kColumns) {
        const int64_t columns = std::min(kColumns, p.n - j0);
        std::uint64_t sums[kColumns] = {};
        for (int64_t q = 0; q < p.k; ++q) {
          const auto x = static_cast<std::uint64_t>(p.a[i * p.a_row + q * p.a_col]);
          const T* b = p.b + q * p.b_row + j0 * p.b_col;
          for (int64_t j = 0; j < columns; ++j) sums[j] += x * static_cast<std::uint64_t>(b[j * p.b_col]);
        }
        T* c = r.c + i * r.row + j0 * r.col;
        for (int64_t j = 0; j < columns; ++j) {
          std::uint64_t v = alpha * sums[j];
          if (r.beta != 0) v += beta * static_cast<std::uint64_t>(c[j * r.col]);
          if (r.bias != nullptr) v += static_cast<std::uint64_t>(r.bias[i * r.bias_row + (j0 + j) * r.bias_col]);
          c[j * r.col] = static_cast<T>(v);
        }
      }
    }
  };
  const double row_work = std::max(static_cast<double>(p.n) * static_cast<double>(p.k), 1.0);
  if (parallel) {
    parallel_for(p.m, static_cast<int64_t>(1e5 / row_work) + 1, rows);
  } else {
    rows(0, p.m);
  }
}

template <class T>
void solve(const kernels::GemmProblem<T>& problem, bool parallel) {
  if constexpr (std::is_floating_point_v<T>) {
    kernels::gemm(problem, parallel);
  } else {
    gemm_integers(problem, parallel);
  }
}

/// A factor as an element; of integers modulo their range.
template <class T>
T coefficient(double x) {
  if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(x);
  } else {
    return static_cast<T>(static_cast<int64_t>(x));
  }
}

// --- gemm -----------------------------------------------------------------------------------------------------------

/// A matrix as rows (or columns) of `width` bytes, `step` bytes apart.
struct Lines {
  explicit Lines(const Array& x) {
    const Shape& size = x.shape();
    const Strides& stride = x.strides();
    const int outer = size[0] > 1 && (stride[0] >= stride[1] || size[1] == 1) ? 0 : 1;
    step = size[outer] > 1 ? stride[outer] * x.element_size() : 0;
    width = ((size[1 - outer] - 1) * stride[1 - outer] + 1) * x.element_size();
  }
  int64_t step, width;
};

/// Whether two matrices whose extents meet share memory. Exact when their rows (columns) are equally far apart, as in two
/// parts of one matrix; in other cases an interleaving counts as sharing.
bool interleaved(const Array& a, const Array& b) {
  const Lines x(a), y(b);
  if (x.step != y.step || x.step == 0 || a.element_size() != b.element_size()) return true;
  const int64_t distance = static_cast<const char*>(b.data()) - static_cast<const char*>(a.data());
  const int64_t shift = (distance % x.step + x.step) % x.step;
  return !(x.width <= shift && shift + y.width <= x.step);
}

/// How many elements lie between a matrix's first and last, which it has.
int64_t reach(int64_t rows, int64_t cols, int64_t row, int64_t col) { return (rows - 1) * row + (cols - 1) * col; }

void check_overlap(bool meet, const Array& c, const Array& x) {
  if (meet && interleaved(c, x)) [[unlikely]] {
    fail<ValueError>("gemm: the result must not overlap an operand: give it memory of its own");
  }
}

/// Most products have nothing in common with their result, and are through with a few comparisons.
template <class T>
void check_overlaps(const kernels::GemmProblem<T>& p, const Array& c, const Array& a, const Array& b,
                    const Array* bias) {
  const auto& r = p.result;
  if (p.m == 0 || p.n == 0) return;
  const T* const last = r.c + reach(p.m, p.n, r.row, r.col);
  if (p.k != 0) {
    check_overlap(r.c <= p.a + reach(p.m, p.k, p.a_row, p.a_col) && p.a <= last, c, a);
    check_overlap(r.c <= p.b + reach(p.k, p.n, p.b_row, p.b_col) && p.b <= last, c, b);
  }
  if (bias != nullptr) {
    check_overlap(r.c <= r.bias + (p.n - 1) * r.bias_col && r.bias <= last, c, bias->expand(c.shape()));
  }
}

void check_gemm(const Array& c, const Array& a, const Array& b, double alpha, double beta, const Array* bias) {
  if (a.dim() != 2 || b.dim() != 2 || c.dim() != 2) {
    fail<ShapeError>("gemm: operands and result must be matrices: {} x {} -> {}", a.shape(), b.shape(), c.shape());
  }
  const Shape &x = a.shape(), &y = b.shape(), &z = c.shape();
  if (x[1] != y[0]) fail<ShapeError>("gemm: inner sizes differ: {} x {}", a.shape(), b.shape());
  if (z[0] != x[0] || z[1] != y[1]) {
    fail<ShapeError>("gemm: the result must have the shape of {} x {}: {}", a.shape(), b.shape(), c.shape());
  }
  expect_dtype("gemm", "the second operand", b.dtype(), "the first", a.dtype());
  expect_dtype("gemm", "the result", c.dtype(), "the first operand", a.dtype());
  expect_numeric("gemm", "operands", a.dtype());
  if (bias != nullptr) {
    expect_shape("gemm", "the bias", bias->shape(), "[columns]", z[1]);
    expect_dtype("gemm", "the bias", bias->dtype(), "the result", c.dtype());
  }
  expect_whole("gemm", "alpha", alpha, a.dtype());
  expect_whole("gemm", "beta", beta, a.dtype());
  const bool rows_apart = c.strides()[1] == 1 && c.strides()[0] >= z[1];
  if (!rows_apart) expect_own_memory("gemm", c);
}

// --- matmul ---------------------------------------------------------------------------------------------------------

/// A product of stacks of matrices: the sizes of the stack, and each operand's strides over it.
struct Stack {
  Shape shape;
  Strides a, b;
  int64_t count = 1;

  Stack(const Shape& a_shape, const Strides& a_strides, const Shape& b_shape, const Strides& b_strides)
      : shape(broadcast_shapes(a_shape, b_shape, "matmul")),
        a(broadcast_strides(a_shape, a_strides)),
        b(broadcast_strides(b_shape, b_strides)),
        count(numel_of(shape)) {}

  /// Element offsets of the matrices at one place of the stack.
  std::pair<int64_t, int64_t> offsets(int64_t index) const {
    int64_t in_a = 0, in_b = 0;
    for (int d = shape.size() - 1; d >= 0; --d) {
      const int64_t i = index % shape[d];
      index /= shape[d];
      in_a += i * a[d];
      in_b += i * b[d];
    }
    return {in_a, in_b};
  }

 private:
  Strides broadcast_strides(const Shape& of, const Strides& strides) const {
    Strides result = Dims::filled(shape.size(), 0);
    const int added = shape.size() - of.size();
    for (int d = 0; d < of.size(); ++d) {
      if (of[d] != 1) result[added + d] = strides[d];
    }
    return result;
  }
};

/// The first dimensions of an array: all but the last two.
Dims leading(const Dims& dims) {
  return Dims(IntArrayRef(dims.data(), static_cast<std::size_t>(std::max(dims.size() - 2, 0))));
}

/// The stride of all dimensions but the last where they can be read as one. That of a dimension of size 1 says nothing.
std::optional<std::int64_t> merged_rows(const Array& a) {
  int d = a.dim() - 2;
  while (d > 0 && a.size(d) == 1) --d;
  const std::int64_t row = a.stride(d);
  std::int64_t step = a.size(d) * row;
  for (--d; d >= 0; --d) {
    if (a.size(d) == 1) continue;
    if (a.stride(d) != step) return std::nullopt;
    step *= a.size(d);
  }
  return row;
}

template <class T>
void matmul_into(const Array& c, const Array& a, const Array& b) {
  const int a_dim = a.dim(), b_dim = b.dim();
  kernels::GemmProblem<T> p{};
  p.m = a_dim > 1 ? a.size(-2) : 1;
  p.k = a.size(-1);
  p.n = b_dim > 1 ? b.size(-1) : 1;
  p.a = static_cast<const T*>(a.data());
  p.a_row = a_dim > 1 ? a.stride(-2) : 0;
  p.a_col = a.stride(-1);
  p.b = static_cast<const T*>(b.data());
  p.b_row = b_dim > 1 ? b.stride(-2) : b.stride(-1);
  p.b_col = b_dim > 1 ? b.stride(-1) : 0;
  p.result = {static_cast<T*>(c.data()), p.n, 1};
  if (a_dim <= 2 && b_dim <= 2) return solve(p, true);

  if (b_dim <= 2) {
    // x W for x with leading dimensions is one product of all its rows.
    if (const std::optional<std::int64_t> row = merged_rows(a)) {
      p.a_row = *row;
      for (int d = 0; d + 2 < a_dim; ++d) p.m *= a.size(d);
      return solve(p, true);
    }
  }
  const Stack stack(leading(a.shape()), leading(a.strides()), leading(b.shape()), leading(b.strides()));
  const auto solve_at = [&](int64_t index, bool parallel) {
    const auto [in_a, in_b] = stack.offsets(index);
    kernels::GemmProblem<T> q = p;
    q.a += in_a;
    q.b += in_b;
    q.result.c += index * p.m * p.n;
    solve(q, parallel);
  };
  const double m = static_cast<double>(p.m), n = static_cast<double>(p.n), k = static_cast<double>(p.k);
  const double work = m * n * k + 4 * (m * n + m * k + n * k) + 100;
  if (stack.count < 8 && work > 4e6) {  // few and large: the threads share each
    for (int64_t i = 0; i < stack.count; ++i) solve_at(i, true);
  } else {
    parallel_for(stack.count, static_cast<int64_t>(7e5 / work) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) solve_at(i, false);
    });
  }
}

/// `bias` may be null.
void checked_gemm(const Array& c, const Array& a, const Array& b, double alpha, double beta, const Array* bias) {
  check_gemm(c, a, b, alpha, beta, bias);
  dispatch(c.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (!std::is_same_v<T, bool>) {
      kernels::GemmProblem<T> p{
          c.shape()[0],
          c.shape()[1],
          a.shape()[1],
          static_cast<const T*>(a.data()),
          a.strides()[0],
          a.strides()[1],
          static_cast<const T*>(b.data()),
          b.strides()[0],
          b.strides()[1],
          {static_cast<T*>(c.data()), c.strides()[0], c.strides()[1], coefficient<T>(alpha), coefficient<T>(beta)}};
      if (bias != nullptr) {
        p.result.bias = static_cast<const T*>(bias->data());
        p.result.bias_col = bias->stride(0);
      }
      check_overlaps(p, c, a, b, bias);
      solve(p, true);
    }
  });
  c.mark_written("gemm");
}

}  // namespace

void gemm(const Array& c, const Array& a, const Array& b, double alpha, double beta) {
  checked_gemm(c, a, b, alpha, beta, nullptr);
}

void gemm(const Array& c, const Array& a, const Array& b, double alpha, double beta, const Array& bias) {
  checked_gemm(c, a, b, alpha, beta, bias.defined() ? &bias : nullptr);
}

Array matmul(const Array& a, const Array& b) {
  const int a_dim = a.dim(), b_dim = b.dim();
  if (a_dim == 0 || b_dim == 0) {
    fail<ShapeError>("matmul: operands must have at least one dimension: {} x {}; a number is multiplied with mul",
                     a.shape(), b.shape());
  }
  expect_dtype("matmul", "the second operand", b.dtype(), "the first", a.dtype());
  expect_numeric("matmul", "operands", a.dtype());
  if (a.size(-1) != b.size(b_dim > 1 ? -2 : -1)) {
    fail<ShapeError>("matmul: inner sizes differ: {} x {}", a.shape(), b.shape());
  }
  Shape shape = a_dim <= 2 && b_dim <= 2 ? Shape() : broadcast_shapes(leading(a.shape()), leading(b.shape()), "matmul");
  if (a_dim > 1) shape.push_back(a.size(-2));
  if (b_dim > 1) shape.push_back(b.size(-1));
  const Array c = empty(shape, a.dtype());
  dispatch(a.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (!std::is_same_v<T, bool>) matmul_into<T>(c, a, b);
  });
  return c;
}

}  // namespace gradus::core
