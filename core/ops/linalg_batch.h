// What the sources of linear algebra share: a batch of matrices in LAPACK's layout, and the loop over it. For the library's
// own sources.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>

#include "../array/array.h"
#include "../array/create.h"
#include "../base/dispatch.h"
#include "../threads/parallel.h"
#include "lapack.h"

namespace gradus::core::lapack {

/// The last two dimensions of an array, and how many such matrices there are.
struct Matrices {
  Shape batch;  ///< the other dimensions
  std::int64_t count = 1, rows = 0, columns = 0;
  bool empty() const { return count == 0 || rows == 0 || columns == 0; }
  Shape with(std::int64_t m, std::int64_t n) const {
    Shape shape = batch;
    shape.push_back(m);
    shape.push_back(n);
    return shape;
  }
  Shape with(std::int64_t n) const {
    Shape shape = batch;
    shape.push_back(n);
    return shape;
  }
};

/// Floating matrices whose sizes LAPACK can count. DTypeError, ShapeError.
Matrices matrices(const char* op, const Array& a);
/// And square ones.
Matrices square_matrices(const char* op, const Array& a);
/// ShapeError unless b's batch and dtype are a's.
void expect_same_batch(const char* op, const Matrices& a, DType dtype, const Matrices& b, DType other);

/// A copy that lies by columns: contiguous once its last two dimensions are swapped, which they are here.
inline Array by_columns(const Array& a) { return a.transpose(-2, -1).clone(); }
/// Room for matrices of m rows and n columns that lie by columns: [.., n, m], to be shown as transposed().
inline Array room(const Matrices& a, std::int64_t m, std::int64_t n, DType dtype) { return empty(a.with(n, m), dtype); }
inline Array transposed(const Array& a) { return a.transpose(-2, -1); }

inline Int to_int(std::int64_t n) { return static_cast<Int>(n); }
/// A leading dimension: at least 1.
inline Int leading(std::int64_t n) { return static_cast<Int>(n < 1 ? 1 : n); }

/// body(begin, end) over parts of a batch, each of some 100,000 floating-point operations, on our threads.
template <class Body>
void each_part(std::int64_t count, double operations, Body&& body) {
  const auto grain = static_cast<std::int64_t>(1e5 / (operations + 500)) + 1;
  parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end) {
    const Turn turn;
    body(begin, end);
  });
}

template <class T>
using Type = typename T::type;
/// body(TypeTag<T>()) with T the element type, of the two that LAPACK takes.
template <class Body>
void in_type(DType dtype, Body&& body) {
  if (computed(dtype) == kFloat32)
    body(TypeTag<float>());
  else
    body(TypeTag<double>());
}

/// Memory that is not initialised.
template <class T>
std::unique_ptr<T[]> scratch(std::int64_t n) {
  return std::unique_ptr<T[]>(new T[static_cast<std::size_t>(n < 1 ? 1 : n)]);
}
/// ShapeError when LAPACK cannot count to a workspace of this size.
GRADUS_API Int counted_work(const char* op, double size);
/// What a workspace query has answered, which a float has rounded, perhaps down.
template <class T>
Int size_of_work(const char* op, T answer) {
  return counted_work(op, static_cast<double>(std::nextafter(answer, std::numeric_limits<T>::max())));
}

}  // namespace gradus::core::lapack
