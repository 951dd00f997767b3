// QR, eigenvalues, singular values, least squares.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "linalg.h"
#include "../base/fail.h"
#include "linalg_batch.h"

namespace gradus::core {

using namespace lapack;

namespace {

double operations_of(std::int64_t m, std::int64_t n) {
  return static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(std::min(m, n));
}

void expect_finite(const char* op, const Array& a) {
  const std::int64_t bad = first_not_finite(a);
  if (bad >= 0) fail<ValueError>("{}: the matrix must be finite: it holds NaN or infinity{}", op, batch_index(a, bad));
}

// What a routine has said of each matrix of a batch: below 0 that an argument of the call was wrong.
void expect_understood(const char* op, const Array& info) {
  for (std::int64_t i = 0; i < info.numel(); ++i) {
    const Int said = info.data_ptr<Int>()[i];
    if (said < 0) {
      fail<ValueError>(
          "{}: LAPACK must take the call: it refused argument {}; an error of this library's, not of the matrix", op,
          -said);
    }
  }
}
void expect_converged(const char* op, const Array& a, const Array& info) {
  expect_understood(op, info);
  for (std::int64_t i = 0; i < info.numel(); ++i) {
    if (info.data_ptr<Int>()[i] != 0) {
      fail<ValueError>(
          "{}: the algorithm must converge: it failed with LAPACK's {}{}; the matrix is ill-conditioned, or "
          "has too many repeated values",
          op, info.data_ptr<Int>()[i], batch_index(a, i));
    }
  }
}

}  // namespace

std::tuple<Array, Array> qr(const Array& a, bool complete, bool want_q) {
  const char* const op = "linalg_qr";
  const Matrices s = matrices(op, a);
  const std::int64_t m = s.rows, n = s.columns, least = std::min(m, n), k = complete ? m : least;
  // Householder's vectors and R in one; then Q in room of its own, which has k columns.
  const Array packed = by_columns(a), q = want_q ? zeros(s.with(k, m), a.dtype()) : Array(),
              r = zeros(s.with(n, k), a.dtype()), info = zeros(s.batch, DType::Int32);
  if (s.count != 0 && m != 0 && n == 0 && want_q) q.copy_(eye(k, m, a.dtype()));
  if (!s.empty()) {
    in_type(a.dtype(), [&](auto tag) {
      using T = Type<decltype(tag)>;
      const auto& routine = routines<T>(op);
      each_part(s.count, 4 * operations_of(m, n), [&](std::int64_t begin, std::int64_t end) {
        const Int rows = to_int(m), columns = to_int(n), wide = to_int(k), reflectors = to_int(least);
        const Int size = to_int(std::min<std::int64_t>(std::max(n, k) * 64, std::numeric_limits<Int>::max()));
        const auto work = scratch<T>(size), tau = scratch<T>(least);
        for (std::int64_t i = begin; i < end; ++i) {
          Int* const says = info.data_ptr<Int>() + i;
          T* const from = packed.data_ptr<T>() + i * m * n;
          routine.geqrf(&rows, &columns, from, &rows, tau.get(), work.get(), &size, says);
          T* const triangle = r.data_ptr<T>() + i * n * k;
          for (std::int64_t j = 0; j < n; ++j) {
            std::copy_n(from + j * m, std::min(j + 1, least), triangle + j * k);
          }
          if (!want_q || *says != 0) continue;
          T* const to = q.data_ptr<T>() + i * k * m;
          std::copy_n(from, least * m, to);
          routine.orgqr(&rows, &wide, &reflectors, to, &rows, tau.get(), work.get(), &size, says);
        }
      });
    });
  }
  expect_understood(op, info);
  return {want_q ? transposed(q) : q, transposed(r)};
}

std::tuple<Array, Array> eigh(const Array& a, bool upper, bool vectors, const char* op) {
  const Matrices s = square_matrices(op, a);
  expect_finite(op, a);
  // By rows: a lower triangle is an upper one to LAPACK.
  const Array v = a.clone(), w = empty(s.with(s.rows), a.dtype()), info = zeros(s.batch, DType::Int32);
  if (!s.empty()) {
    in_type(a.dtype(), [&](auto tag) {
      using T = Type<decltype(tag)>;
      const auto& routine = routines<T>(op);
      const Int n = to_int(s.rows);
      const char *const job = vectors ? "V" : "N", *const triangle = upper ? "L" : "U";
      T size_answer = 0;
      Int isize_answer = 0, none = -1, query = 0;
      routine.syevd(job, triangle, &n, nullptr, &n, nullptr, &size_answer, &none, &isize_answer, &none, &query, 1, 1);
      const Int size = size_of_work(op, size_answer), isize = leading(isize_answer);
      each_part(s.count, 9 * operations_of(s.rows, s.rows), [&](std::int64_t begin, std::int64_t end) {
        const auto work = scratch<T>(size);
        const auto iwork = scratch<Int>(isize);
        for (std::int64_t i = begin; i < end; ++i) {
          routine.syevd(job, triangle, &n, v.data_ptr<T>() + i * s.rows * s.rows, &n, w.data_ptr<T>() + i * s.rows,
                        work.get(), &size, iwork.get(), &isize, info.data_ptr<Int>() + i, 1, 1);
        }
      });
    });
  }
  expect_converged(op, a, info);
  return {w, vectors ? transposed(v) : Array()};
}

std::tuple<Array, Array, Array> svd(const Array& a, bool full, bool vectors, const char* op) {
  const Matrices s = matrices(op, a);
  expect_finite(op, a);
  const std::int64_t m = s.rows, n = s.columns, k = std::min(m, n), left = full ? m : k, right = full ? n : k;
  const Array packed = by_columns(a), values = empty(s.with(k), a.dtype()), info = zeros(s.batch, DType::Int32);
  const Array u = vectors ? room(s, m, left, a.dtype()) : Array(),
              vh = vectors ? room(s, right, n, a.dtype()) : Array();
  if (!s.empty()) {
    in_type(a.dtype(), [&](auto tag) {
      using T = Type<decltype(tag)>;
      const auto& routine = routines<T>(op);
      const Int rows = to_int(m), columns = to_int(n), height = leading(right);
      const char* const job = !vectors ? "N" : full ? "A" : "S";
      T answer = 0;
      Int none = -1, query = 0;
      routine.gesdd(job, &rows, &columns, nullptr, &rows, nullptr, nullptr, &rows, nullptr, &height, &answer, &none,
                    nullptr, &query, 1);
      const Int size = size_of_work(op, answer);
      each_part(s.count, 12 * operations_of(m, n), [&](std::int64_t begin, std::int64_t end) {
        const auto work = scratch<T>(size);
        const auto iwork = scratch<Int>(8 * k);
        for (std::int64_t i = begin; i < end; ++i) {
          routine.gesdd(job, &rows, &columns, packed.data_ptr<T>() + i * m * n, &rows, values.data_ptr<T>() + i * k,
                        vectors ? u.data_ptr<T>() + i * m * left : nullptr, &rows,
                        vectors ? vh.data_ptr<T>() + i * right * n : nullptr, &height, work.get(), &size, iwork.get(),
                        info.data_ptr<Int>() + i, 1);
        }
      });
    });
  } else if (vectors && s.count != 0) {
    u.copy_(eye(left, m, a.dtype()));
    vh.copy_(eye(n, right, a.dtype()));
  }
  expect_converged(op, a, info);
  return {vectors ? transposed(u) : u, values, vectors ? transposed(vh) : vh};
}

std::tuple<Array, Array> lstsq(const Array& a, const Array& b, double rcond) {
  const char* const op = "linalg_lstsq";
  const Matrices s = matrices(op, a), t = matrices(op, b);
  expect_same_batch(op, s, a.dtype(), t, b.dtype());
  if (s.rows != t.rows) fail<ShapeError>("{}: both sides must have as many rows: {} and {}", op, a.shape(), b.shape());
  expect_finite(op, a);
  expect_finite(op, b);
  const std::int64_t m = s.rows, n = s.columns, c = t.columns, most = std::max(m, n);
  // LAPACK puts the solution where the right side was: in the first n of max(m, n) rows.
  const Array packed = by_columns(a), x = zeros(s.with(c, most), a.dtype()), rank = zeros(s.batch, kInt64),
              info = zeros(s.batch, DType::Int32);
  x.narrow(-1, 0, m).copy_(transposed(b));
  if (!s.empty() && !t.empty()) {
    in_type(a.dtype(), [&](auto tag) {
      using T = Type<decltype(tag)>;
      const auto& routine = routines<T>(op);
      const Int rows = to_int(m), columns = to_int(n), sides = to_int(c), height = to_int(most);
      const auto limit = static_cast<T>(rcond);
      T answer = 0;
      Int none = -1, query = 0, dummy = 0;
      routine.gelsy(&rows, &columns, &sides, nullptr, &rows, nullptr, &height, nullptr, &limit, &dummy, &answer, &none,
                    &query);
      const Int size = size_of_work(op, answer);
      each_part(s.count, 4 * operations_of(m, n), [&](std::int64_t begin, std::int64_t end) {
        const auto work = scratch<T>(size);
        const auto pivots = scratch<Int>(n);
        for (std::int64_t i = begin; i < end; ++i) {
          Int found = 0;
          std::fill_n(pivots.get(), n, 0);  // any column may come first
          routine.gelsy(&rows, &columns, &sides, packed.data_ptr<T>() + i * m * n, &rows,
                        x.data_ptr<T>() + i * c * most, &height, pivots.get(), &limit, &found, work.get(), &size,
                        info.data_ptr<Int>() + i);
          rank.data_ptr<std::int64_t>()[i] = found;
        }
      });
    });
  }
  expect_understood(op, info);
  return {transposed(x.narrow(-1, 0, n)), rank};
}

}  // namespace gradus::core
