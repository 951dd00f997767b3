// Cholesky and LU, and what is solved by them.
#include "linalg.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "../base/fail.h"
#include "linalg_batch.h"
#include "linalg_small.h"

namespace gradus::core {

using namespace lapack;

namespace lapack {

Matrices matrices(const char* op, const Array& a) {
  if (!a.defined()) fail<ValueError>("{}: the operand must be defined", op);
  if (!is_floating_point(a.dtype())) {
    fail<DTypeError>("{}: the matrix must be floating-point: {}; convert it with to(kFloat)", op, a.dtype());
  }
  if (a.dim() < 2) fail<ShapeError>("{}: a matrix has at least 2 dimensions: {}", op, a.shape());
  Matrices result;
  for (int i = 0; i < a.dim() - 2; ++i) result.batch.push_back(a.shape()[i]);
  result.count = numel_of(result.batch);
  result.rows = a.size(-2);
  result.columns = a.size(-1);
  constexpr std::int64_t most = 1 << 30;
  if (result.rows > most || result.columns > most) fail<ShapeError>("{}: LAPACK cannot count to {}", op, a.shape());
  return result;
}
Matrices square_matrices(const char* op, const Array& a) {
  Matrices result = matrices(op, a);
  if (result.rows != result.columns) fail<ShapeError>("{}: the matrix must be square: {}", op, a.shape());
  return result;
}
void expect_same_batch(const char* op, const Matrices& a, DType dtype, const Matrices& b, DType other) {
  if (dtype != other) {
    fail<DTypeError>("{}: the dtypes of both operands must be the same: {} and {}; to() converts", op, dtype, other);
  }
  if (a.batch != b.batch) fail<ShapeError>("{}: batches differ: {} and {}", op, a.batch, b.batch);
}

Int counted_work(const char* op, double size) {
  if (!(size >= 0 && size < static_cast<double>(std::numeric_limits<Int>::max()))) {
    fail<ShapeError>("{}: LAPACK cannot count to the workspace of a matrix so large: {}", op, size);
  }
  return leading(static_cast<std::int64_t>(size));
}

}  // namespace lapack

namespace {

double cube(std::int64_t n) { return static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n); }

// 0 outside of a triangle of an n x n matrix that lies by rows.
template <class T>
void keep_triangle(T* a, std::int64_t n, bool upper) {
  for (std::int64_t i = 0; i < n; ++i) {
    if (upper)
      std::fill(a + i * n, a + i * n + i, T(0));
    else
      std::fill(a + i * n + i + 1, a + (i + 1) * n, T(0));
  }
}

// Whether an odd number of rows was interchanged.
bool is_odd(const Int* pivots, std::int64_t n) {
  bool odd = false;
  for (std::int64_t i = 0; i < n; ++i) odd ^= pivots[i] != i + 1;
  return odd;
}

}  // namespace

bool has_linalg() { return available(); }

std::int64_t first_not_finite(const Array& a) {
  if (a.numel() == 0) return -1;
  const Array x = a.contiguous();
  const std::int64_t size = a.size(-2) * a.size(-1);
  std::int64_t found = -1;
  in_type(a.dtype(), [&](auto tag) {
    const auto* data = x.template data_ptr<Type<decltype(tag)>>();
    for (std::int64_t i = 0; i < a.numel() && found < 0; ++i) {
      if (!std::isfinite(data[i])) found = i / size;
    }
  });
  return found;
}

std::string batch_index(const Array& a, std::int64_t number) {
  if (a.dim() == 2) return "";
  Shape index = a.shape();
  index.pop_back();
  index.pop_back();
  for (int i = index.size(); i-- > 0;) {
    const std::int64_t size = index[i];
    index[i] = number % size;
    number /= size;
  }
  return " (batch index " + to_string(index) + ")";
}

std::tuple<Array, Array> cholesky(const Array& a, bool upper) {
  const Matrices s = square_matrices("linalg_cholesky", a);
  // By rows: what is a lower triangle is an upper one to LAPACK, and the result needs no transposition either.
  const Array factor = a.clone(), info = zeros(s.batch, DType::Int32);
  if (s.empty()) return {factor, info};
  in_type(a.dtype(), [&](auto tag) {
    using T = Type<decltype(tag)>;
    const auto& routine = routines<T>("linalg_cholesky");
    each_part(s.count, cube(s.rows) / 3, [&](std::int64_t begin, std::int64_t end) {
      const Int n = to_int(s.rows);
      for (std::int64_t i = begin; i < end; ++i) {
        T* const matrix = factor.data_ptr<T>() + i * s.rows * s.rows;
        if (s.rows <= kSmall)
          info.data_ptr<Int>()[i] = small_cholesky(matrix, s.rows, upper);
        else
          routine.potrf(upper ? "L" : "U", &n, matrix, &n, info.data_ptr<Int>() + i, 1);
        keep_triangle(matrix, s.rows, upper);
      }
    });
  });
  return {factor, info};
}

std::tuple<Array, Array, Array> lu_factor(const Array& a) {
  const Matrices s = matrices("linalg_lu_factor", a);
  const std::int64_t k = std::min(s.rows, s.columns);
  const Array lu = by_columns(a), pivots = empty(s.with(k), DType::Int32), info = zeros(s.batch, DType::Int32);
  if (!s.empty()) {
    in_type(a.dtype(), [&](auto tag) {
      using T = Type<decltype(tag)>;
      const auto& routine = routines<T>("linalg_lu_factor");
      each_part(s.count, cube(k), [&](std::int64_t begin, std::int64_t end) {
        const Int m = to_int(s.rows), n = to_int(s.columns);
        for (std::int64_t i = begin; i < end; ++i) {
          if (s.rows <= kSmall && s.columns <= kSmall) {
            info.data_ptr<Int>()[i] =
                small_lu(lu.data_ptr<T>() + i * s.rows * s.columns, s.rows, s.columns, pivots.data_ptr<Int>() + i * k);
            continue;
          }
          routine.getrf(&m, &n, lu.data_ptr<T>() + i * s.rows * s.columns, &m, pivots.data_ptr<Int>() + i * k,
                        info.data_ptr<Int>() + i);
        }
      });
    });
  }
  return {transposed(lu), pivots, info};
}

Array lu_permutation(const Array& pivots, std::int64_t m, DType dtype) {
  Shape shape = pivots.shape();
  const std::int64_t k = shape.back();
  shape[shape.size() - 1] = m;
  shape.push_back(m);
  const Array p = zeros(shape, dtype), from = pivots.contiguous();
  const std::int64_t count = m == 0 ? 0 : p.numel() / (m * m);
  in_type(dtype, [&](auto tag) {
    using T = Type<decltype(tag)>;
    const auto rows = scratch<std::int64_t>(m);
    for (std::int64_t b = 0; b < count; ++b) {
      for (std::int64_t i = 0; i < m; ++i) rows[static_cast<std::size_t>(i)] = i;
      for (std::int64_t i = 0; i < k; ++i) {
        const std::int64_t other = from.data_ptr<Int>()[b * k + i] - 1;
        if (other < 0 || other >= m) {
          fail<IndexError>("lu_unpack: a pivot must be in [1, {}]: {}", m, other + 1);
        }
        std::swap(rows[static_cast<std::size_t>(i)], rows[static_cast<std::size_t>(other)]);
      }
      for (std::int64_t i = 0; i < m; ++i) {
        p.data_ptr<T>()[(b * m + rows[static_cast<std::size_t>(i)]) * m + i] = 1;
      }
    }
  });
  return p;
}

Array lu_solve(const Array& lu, const Array& pivots, const Array& b, bool transposed_too) {
  const Matrices s = square_matrices("linalg_lu_solve", lu), t = matrices("linalg_lu_solve", b);
  expect_same_batch("linalg_lu_solve", s, lu.dtype(), t, b.dtype());
  if (t.rows != s.rows) {
    fail<ShapeError>("linalg_lu_solve: the right side must have the matrix's rows: {} and {}", lu.shape(), b.shape());
  }
  const bool small = s.rows <= kSmall;
  const Array x = small ? b.clone() : by_columns(b), factor = transposed(lu).contiguous(), from = pivots.contiguous();
  if (!t.empty()) {
    in_type(lu.dtype(), [&](auto tag) {
      using T = Type<decltype(tag)>;
      const auto& routine = routines<T>("linalg_lu_solve");
      const double operations = 2.0 * static_cast<double>(s.rows * s.rows) * static_cast<double>(t.columns);
      each_part(s.count, operations, [&](std::int64_t begin, std::int64_t end) {
        const Int n = to_int(s.rows), columns = to_int(t.columns);
        for (std::int64_t i = begin; i < end; ++i) {
          if (small) {
            small_lu_solve(factor.data_ptr<T>() + i * s.rows * s.rows, s.rows, from.data_ptr<Int>() + i * s.rows,
                           x.data_ptr<T>() + i * t.rows * t.columns, t.columns, transposed_too);
            continue;
          }
          Int info = 0;
          routine.getrs(transposed_too ? "T" : "N", &n, &columns, factor.data_ptr<T>() + i * s.rows * s.rows, &n,
                        from.data_ptr<Int>() + i * s.rows, x.data_ptr<T>() + i * t.rows * t.columns, &n, &info, 1);
        }
      });
    });
  }
  return small ? x : transposed(x);
}

Array lu_inverse(const Array& lu, const Array& pivots) {
  const Matrices s = square_matrices("linalg_inv", lu);
  if (s.rows <= kSmall) return lu_solve(lu, pivots, eye(s.rows, s.rows, lu.dtype()).expand(lu.shape()));
  const Array y = by_columns(lu);
  if (!s.empty()) {
    in_type(lu.dtype(), [&](auto tag) {
      using T = Type<decltype(tag)>;
      const auto& routine = routines<T>("linalg_inv");
      each_part(s.count, 1.5 * cube(s.rows), [&](std::int64_t begin, std::int64_t end) {
        const Int n = to_int(s.rows), size = to_int(s.rows * std::min<std::int64_t>(s.rows, 64));
        const auto work = scratch<T>(size);
        for (std::int64_t i = begin; i < end; ++i) {
          Int info = 0;
          routine.getri(&n, y.data_ptr<T>() + i * s.rows * s.rows, &n, pivots.data_ptr<Int>() + i * s.rows, work.get(),
                        &size, &info);
          if (info != 0) std::fill_n(y.data_ptr<T>() + i * s.rows * s.rows, s.rows * s.rows, T(NAN));
        }
      });
    });
  }
  return transposed(y);
}

std::tuple<Array, Array> lu_slogdet(const Array& lu, const Array& pivots) {
  const Matrices s = square_matrices("linalg_slogdet", lu);
  const Array sign = empty(s.batch, lu.dtype()), log = empty(s.batch, lu.dtype());
  const Array diagonal = lu.diagonal(0, -2, -1).contiguous();
  in_type(lu.dtype(), [&](auto tag) {
    using T = Type<decltype(tag)>;
    for (std::int64_t i = 0; i < s.count; ++i) {
      T signs = is_odd(pivots.data_ptr<Int>() + i * s.rows, s.rows) ? T(-1) : T(1), sum = 0;
      for (std::int64_t j = 0; j < s.rows; ++j) {
        const T u = diagonal.data_ptr<T>()[i * s.rows + j];
        signs *= u > 0 ? T(1) : u < 0 ? T(-1) : u == 0 ? T(0) : u;  // NaN stays
        sum += std::log(std::abs(u));
      }
      sign.data_ptr<T>()[i] = signs;
      log.data_ptr<T>()[i] = sum;
    }
  });
  return {sign, log};
}

Array lu_det(const Array& lu, const Array& pivots) {
  const Matrices s = square_matrices("linalg_det", lu);
  const Array det = empty(s.batch, lu.dtype()), diagonal = lu.diagonal(0, -2, -1).contiguous();
  in_type(lu.dtype(), [&](auto tag) {
    using T = Type<decltype(tag)>;
    for (std::int64_t i = 0; i < s.count; ++i) {
      T product = is_odd(pivots.data_ptr<Int>() + i * s.rows, s.rows) ? T(-1) : T(1);
      for (std::int64_t j = 0; j < s.rows; ++j) product *= diagonal.data_ptr<T>()[i * s.rows + j];
      det.data_ptr<T>()[i] = product;
    }
  });
  return det;
}

Array solve_triangular(const Array& a, const Array& b, bool upper, bool left, bool unit) {
  const char* const op = "linalg_solve_triangular";
  const Matrices s = square_matrices(op, a), t = matrices(op, b);
  expect_same_batch(op, s, a.dtype(), t, b.dtype());
  if ((left ? t.rows : t.columns) != s.rows) {
    fail<ShapeError>("{}: the sizes must fit: {} {}", op, left ? a.shape() : b.shape(), left ? b.shape() : a.shape());
  }
  // The transpose of what lies by rows lies by columns: T X = B is X^T T^T = B^T.
  const Array x = b.clone(), triangle = a.contiguous();
  if (t.empty()) return x;
  in_type(a.dtype(), [&](auto tag) {
    using T = Type<decltype(tag)>;
    const auto& routine = routines<T>(op);
    const double operations = cube(s.rows) / static_cast<double>(s.rows) * static_cast<double>(t.rows * t.columns) /
                              static_cast<double>(s.rows);
    each_part(s.count, operations, [&](std::int64_t begin, std::int64_t end) {
      const Int m = to_int(t.columns), n = to_int(t.rows), k = to_int(s.rows);
      const T one = 1;
      for (std::int64_t i = begin; i < end; ++i) {
        routine.trsm(left ? "R" : "L", upper ? "L" : "U", "N", unit ? "U" : "N", &m, &n, &one,
                     triangle.data_ptr<T>() + i * s.rows * s.rows, &k, x.data_ptr<T>() + i * t.rows * t.columns, &m, 1,
                     1, 1, 1);
      }
    });
  });
  return x;
}

}  // namespace gradus::core
