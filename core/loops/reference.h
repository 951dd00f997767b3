// What the loops of this room and the kernels of simd/ compute, written as it is thought: one element after the other,
// by its indices, over any strides and dtypes, in double. Read this first: plan, run, fold and copy do the same, by
// cutting arrays into contiguous pieces that vectors and threads take. tests/core/test_loops.cpp holds every pointwise
// operation, every reduction and every copy against it, over drawn shapes, strides and dtypes. Nothing else calls it: it
// is slow.
#pragma once

#include "../array/array.h"
#include "../base/dispatch.h"

namespace gradus::core::reference {

/// f(index) for every index of a shape, the last one running fastest.
template <class F>
void for_each_index(const Shape& shape, F f) {
  Dims index = Dims::filled(shape.size(), 0);
  for (std::int64_t left = numel_of(shape); left > 0; --left) {
    f(static_cast<const Dims&>(index));
    for (int d = shape.size() - 1; d >= 0 && ++index[d] == shape[d]; --d) index[d] = 0;
  }
}

/// f(T&) of the element at an index.
template <class F>
void at(const Array& x, const Dims& index, F f) {
  std::int64_t place = 0;
  for (int d = 0; d < x.dim(); ++d) place += index[d] * x.stride(d);
  dispatch(x.dtype(), [&](auto tag) { f(x.data_ptr<typename decltype(tag)::type>()[place]); });
}
inline double read(const Array& x, const Dims& index) {
  double value = 0;
  at(x, index, [&](const auto& element) { value = static_cast<double>(element); });
  return value;
}
inline void write(const Array& x, const Dims& index, double value) {
  at(x, index, [&](auto& element) { element = static_cast<std::decay_t<decltype(element)>>(value); });
}

/// y = f(x, ...), element by element; operands broadcast to y's shape. A copy is that of f(x) = x.
template <class F, class... X>
void pointwise(const Array& y, F f, const X&... x) {
  for_each_index(y.shape(), [&](const Dims& i) { write(y, i, f(read(x.expand(y.shape()), i)...)); });
}

/// y = f(... f(f(start, x0), x1) ..., xn) over the dimensions of x that y has the size 1 in.
template <class F>
void fold(const Array& y, double start, F f, const Array& x) {
  for_each_index(y.shape(), [&](const Dims& i) { write(y, i, start); });
  for_each_index(x.shape(), [&](const Dims& i) {
    Dims j = i;
    for (int d = 0; d < x.dim(); ++d) j[d] = y.shape()[d] == 1 ? 0 : i[d];
    write(y, j, f(read(y, j), read(x, i)));
  });
}

}  // namespace gradus::core::reference
