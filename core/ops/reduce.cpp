#include "reduce.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "../array/create.h"
#include "../base/expect.h"
#include "../base/fail.h"
#include "../base/function_ref.h"
#include "../loops/fold.h"
#include "../loops/moments.h"
#include "pointwise.h"
#include "stored.h"

namespace gradus::core {
namespace {

using kernels::Fold;

constexpr std::string_view name_of(Reduction op) {
  constexpr std::string_view names[] = {"sum", "prod", "max", "min", "all", "any"};
  return names[static_cast<int>(op)];
}

std::int64_t count_over(const Array& x, const Dims& dims) {
  std::int64_t n = 1;
  for (std::int64_t d : dims) n *= x.shape()[static_cast<int>(d)];
  return n;
}

/// The result in its shape and dtype.
Array finish(Array value, const Array& x, const Dims& dims, bool keepdim, DType dtype) {
  if (keepdim) value = value.view(reduced_shape(x.shape(), dims, true));
  return value.dtype() == dtype ? std::move(value) : value.to(dtype);
}

/// The mean, and the variance, in float64.
std::tuple<Array, Array> moments64(const Array& x, const Dims& over, std::int64_t correction) {
  const auto [mean, squares] = kernels::moments(x, over);
  // Over 0 it is infinite, and NaN where nothing varies.
  div.write(squares, squares, static_cast<double>(std::max<std::int64_t>(count_over(x, over) - correction, 0)));
  return {mean, squares};
}

/// Whether all sums of powers lie where no power that matters has over- or underflowed.
template <class T>
bool in_middle(const Array& powers) {
  const T least = sizeof(T) == 4 ? static_cast<T>(1e-28) : static_cast<T>(1e-280), most = std::numeric_limits<T>::max();
  const T* p = powers.data_ptr<T>();
  bool inside = true;
  for (std::int64_t i = 0; i < powers.numel(); ++i) inside &= p[i] >= least && p[i] <= most;
  return inside;
}

// The largest power of two that is no larger, of numbers above 0; at least the smallest normal one.
template <class T>
Array powers_of_two_below(const Array& x) {
  const Array result = empty(x.shape(), x.dtype()), from = x.contiguous();
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    const T value = from.data_ptr<T>()[i];
    const int exponent = value > 0 && std::isfinite(value) ? std::ilogb(value) : 0;
    result.data_ptr<T>()[i] = std::ldexp(T{1}, std::max(exponent, std::numeric_limits<T>::min_exponent - 1));
  }
  return result;
}

/// root(x, &power), a root of a sum of powers of x for each result, where `root` grows in proportion to x. Where such a
/// sum is out of range, of x divided by (a power of two near) its largest (smallest) size, which the root is multiplied by.
Array in_range(const Array& x, const Dims& over, bool by_largest, FunctionRef<Array(const Array&, Array*)> root) {
  Array power;
  const Array first = root(x, &power);
  // Of float32, sums in float64 have range enough.
  const bool wide = x.dtype() == kFloat32 && power.dtype() == kFloat64;
  if (wide || x.numel() == 0 || (power.dtype() == kFloat32 ? in_middle<float>(power) : in_middle<double>(power))) {
    return first;
  }
  const Array sizes = reduce(by_largest ? Reduction::Max : Reduction::Min, abs(x), over);
  const Array scalable = logical_and(isfinite(sizes), gt(sizes, 0));
  // A power of two, which divides and multiplies without rounding.
  const Array scale = where(
      scalable, x.dtype() == kFloat32 ? powers_of_two_below<float>(sizes) : powers_of_two_below<double>(sizes), 1);
  const Array scaled = root(x / scale.view(reduced_shape(x.shape(), over, true)), &power);
  return where(scalable, scaled * scale, first);
}

/// sqrt(sum x^2) in float64.
Array root_of_squares(const Array& x, const Dims& over) {
  return in_range(x, over, true, [&](const Array& values, Array* power) {
    *power = fold(Fold::Squares, values, over)[0];
    return sqrt(*power);
  });
}

}  // namespace

Array reduce(Reduction op, const Array& x, IntArrayRef dims, bool keepdim) {
  const std::string_view name = name_of(op);
  expect_defined(name, "the operand", x);
  if (is_storage_type(x.dtype())) return as_stored(reduce(op, as_computed(x), dims, keepdim), x.dtype());
  const Dims over = wrap_dims(dims, x.dim(), name);
  if ((op == Reduction::Max || op == Reduction::Min) && count_over(x, over) == 0) {
    fail<IndexError>("{}: there must be at least one element to choose from: {} over {}", name, x.shape(), over);
  }
  const auto how = static_cast<Fold>(op);
  const bool total = op == Reduction::Sum || op == Reduction::Prod,
             truth = op == Reduction::All || op == Reduction::Any;
  const bool own = (total && is_floating_point(x.dtype())) || (truth && x.dtype() == kUInt8);
  return kernels::fold_to(own ? x.dtype() : kernels::accumulator_of(how, x.dtype()), how, x, over, keepdim);
}

Array mean(const Array& x, IntArrayRef dims, bool keepdim) {
  expect_floating("mean", "the operand", x);
  const Dims over = wrap_dims(dims, x.dim(), "mean");
  return kernels::fold_to(x.dtype(), Fold::Sum, x, over, keepdim, static_cast<double>(count_over(x, over)));
}

Array var(const Array& x, IntArrayRef dims, std::int64_t correction, bool keepdim) {
  return std::get<1>(mean_var(x, dims, correction, keepdim));
}

std::tuple<Array, Array> mean_var(const Array& x, IntArrayRef dims, std::int64_t correction, bool keepdim) {
  expect_floating("var", "the operand", x);
  const Dims over = wrap_dims(dims, x.dim(), "var");
  const auto [centre, squares] = moments64(x, over, correction);
  return {finish(centre, x, over, keepdim, x.dtype()), finish(squares, x, over, keepdim, x.dtype())};
}

Array std(const Array& x, IntArrayRef dims, std::int64_t correction, bool keepdim) {
  expect_floating("std", "the operand", x);
  const Dims over = wrap_dims(dims, x.dim(), "std");
  const auto root = [&](const Array& values, Array* power) {
    *power = std::get<1>(moments64(values, over, correction));
    return sqrt(*power);
  };
  return finish(in_range(x, over, true, root), x, over, keepdim, x.dtype());
}

Array norm64(const Array& x, double p, IntArrayRef dims) {
  expect_floating("norm", "the operand", x);
  if (p == 2 && x.dtype() == kFloat32) return root_of_squares(x, wrap_dims(dims, x.dim(), "norm"));
  return norm(x.to(kFloat64), p, dims);
}

Array norm(const Array& x, double p, IntArrayRef dims, bool keepdim) {
  expect_floating("norm", "the operand", x);
  const Dims over = wrap_dims(dims, x.dim(), "norm");
  if (p == 2) return finish(root_of_squares(x, over), x, over, keepdim, x.dtype());
  const Array sizes = abs(x);
  if (p == 1) return reduce(Reduction::Sum, sizes, over, keepdim);
  if (p == 0) return reduce(Reduction::Sum, ne(sizes, 0).to(x.dtype()), over, keepdim);
  if (std::isinf(p)) return reduce(p > 0 ? Reduction::Max : Reduction::Min, sizes, over, keepdim);
  if (x.numel() == 0) return zeros(reduced_shape(x.shape(), over, keepdim), x.dtype());
  const auto root = [&](const Array& values, Array* power) {
    *power = reduce(Reduction::Sum, pow(values, p), over);
    return pow(*power, 1 / p);
  };
  return finish(in_range(sizes, over, p > 0, root), x, over, keepdim, x.dtype());
}

Array sum_to(const Array& x, const Shape& shape) {
  expect_defined("sum_to", "the operand", x);
  if (x.shape() == shape) return x;
  const int lead = x.dim() - shape.size();
  Dims over;
  bool fits = lead >= 0;
  for (int i = 0; fits && i < x.dim(); ++i) {
    const std::int64_t wanted = i < lead ? 1 : shape[i - lead];
    if (i < lead || (wanted == 1 && x.shape()[i] != 1))
      over.push_back(i);
    else
      fits = wanted == x.shape()[i];
  }
  if (!fits) fail<ShapeError>("sum_to: the shape must broadcast to the array's: {} to {}", shape, x.shape());
  return reduce(Reduction::Sum, x, over, true).to(x.dtype()).view(shape);
}

bool equal(const Array& a, const Array& b) {
  expect_defined("equal", "the operand", a);
  expect_defined("equal", "the operand", b);
  if (a.dtype() != b.dtype() || a.shape() != b.shape()) return false;
  return reduce(Reduction::All, eq(a, b)).item<bool>();
}

bool allclose(const Array& a, const Array& b, double rtol, double atol, bool equal_nan) {
  expect_defined("allclose", "the operand", a);
  expect_defined("allclose", "the operand", b);
  const Array x = a.to(kFloat64), y = b.to(kFloat64);
  const Array distance = abs(x - y), allowed = add_scaled(atol, abs(y), rtol);
  Array close = logical_and(isfinite(distance), le(distance, allowed));
  close = logical_or(close, eq(x, y));
  if (equal_nan) {
    const Array both = logical_and(isnan(x), isnan(y));
    close = logical_or(close, both);
  }
  return reduce(Reduction::All, close).item<bool>();
}

}  // namespace gradus::core
