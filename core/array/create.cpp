#include "create.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "../base/dispatch.h"
#include "../base/fail.h"
#include "../simd/contiguous.h"
#include "../threads/parallel.h"

namespace gradus::core {
namespace {

constexpr std::int64_t kGrain = 32768;

// ShapeError when there are more bytes than a number can say.
std::int64_t bytes_of(std::int64_t numel, IntArrayRef shape, DType dtype, const char* op) {
  std::int64_t bytes = 0;
  // The storage's header has to fit as well.
  if (__builtin_mul_overflow(numel, size_of(dtype), &bytes) ||
      bytes > std::numeric_limits<std::int64_t>::max() - 4096) {
    fail<ShapeError>("{}: the number of bytes must fit into 64 bits: {} of {}", op, shape, dtype);
  }
  return bytes;
}

// Sets element i to value(i).
template <class T, class Value>
void generate(const Array& out, Value value) {
  T* const to = static_cast<T*>(out.data());
  parallel_for(out.numel(), kGrain, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) to[i] = value(i);
  });
}

// Sets element i to by (start + i) + first, rounded once to float64 and then to T.
template <class T>
void ramp(const Array& out, std::int64_t start, double first, double by) {
  T* const to = static_cast<T*>(out.data());
  parallel_for(out.numel(), kGrain, [=](std::int64_t begin, std::int64_t end) {
    constexpr std::int64_t most = std::int64_t{1} << 30;
    for (std::int64_t i = begin; i < end; i += most) {
      kernels::ramp(to + i, start + i, static_cast<std::size_t>(std::min(most, end - i)), first, by);
    }
  });
}

// ceil((end - start) / step), exactly where all are integers.
std::int64_t arange_count(const Scalar& start, const Scalar& end, const Scalar& step) {
  const double first = start.toDouble(), last = end.toDouble(), by = step.toDouble();
  if (!std::isfinite(first) || !std::isfinite(last)) {
    fail<ValueError>("arange: start and end must be finite: {} to {}", to_string(start), to_string(end));
  }
  if (by == 0 || std::isnan(by)) fail<ValueError>("arange: the step must not be {}", to_string(step));
  const bool integers = !start.is_floating_point() && !end.is_floating_point() && !step.is_floating_point();
  if (integers ? (step.toLong() > 0 ? start.toLong() > end.toLong() : start.toLong() < end.toLong())
               : (by > 0 ? first > last : first < last)) {
    fail<ValueError>("arange: the step must lead from start to end: from {} to {} by {}", to_string(start),
                     to_string(end), to_string(step));
  }
  if (integers) {
    // The distance may take 64 bits without a sign.
    const auto distance = [](std::int64_t from, std::int64_t to) {
      return static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
    };
    const bool up = step.toLong() > 0;
    const std::uint64_t span = up ? distance(start.toLong(), end.toLong()) : distance(end.toLong(), start.toLong());
    const std::uint64_t stride = up ? distance(0, step.toLong()) : distance(step.toLong(), 0);
    const std::uint64_t count = span / stride + (span % stride != 0);
    if (count <= std::uint64_t{std::numeric_limits<std::int64_t>::max()}) return static_cast<std::int64_t>(count);
  } else if (const double count = std::ceil((last - first) / by); count < 0x1p63) {
    return static_cast<std::int64_t>(count);
  }
  fail<ShapeError>("arange: the number of values must fit into 64 bits: from {} to {} by {}", to_string(start),
                   to_string(end), to_string(step));
}

// Behind the last element of the geometry, counted from the first.
std::int64_t extent(IntArrayRef shape, IntArrayRef strides, const char* op) {
  if (shape.size() != strides.size()) {
    fail<ShapeError>("{}: shape and strides must have the same length: {} and {}", op, shape, strides);
  }
  const std::int64_t numel = checked_numel(shape, op);
  std::int64_t end = 1;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (strides[i] < 0) fail<ValueError>("{}: strides must not be negative: {}", op, strides);
    std::int64_t reach = 0;
    if (numel != 0 &&
        (__builtin_mul_overflow(shape[i] - 1, strides[i], &reach) || __builtin_add_overflow(end, reach, &end))) {
      fail<ShapeError>("{}: the place of the last element must fit into 64 bits: shape {}, strides {}", op, shape,
                       strides);
    }
  }
  return numel == 0 ? 0 : end;
}

}  // namespace

Array empty(IntArrayRef shape, DType dtype) {
  const std::int64_t bytes = bytes_of(checked_numel(shape, "empty"), shape, dtype, "empty");
  return Array(Storage::allocate(bytes), shape, dtype);
}

Array full(IntArrayRef shape, const Scalar& value, DType dtype) {
  Array out = empty(shape, dtype);
  out.fill_(value);
  return out;
}

Array arange(const Scalar& start, const Scalar& end, const Scalar& step, DType dtype) {
  if (dtype == kBool) fail<DTypeError>("arange: the dtype must be numeric: {}", dtype);
  if (is_storage_type(dtype)) return arange(start, end, step, compute_dtype(dtype)).to(dtype);
  Array out = empty(arange_count(start, end, step), dtype);
  dispatch(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_floating_point_v<T>) {
      ramp<T>(out, 0, start.toDouble(), step.toDouble());
    } else {
      // Unsigned, because a narrow dtype wraps around as PyTorch's does.
      const auto first = static_cast<std::uint64_t>(start.toLong()), by = static_cast<std::uint64_t>(step.toLong());
      if (by == 0) fail<ValueError>("arange: the step must not be 0 as {}: {}", dtype, to_string(step));
      generate<T>(out, [=](std::int64_t i) { return static_cast<T>(first + by * static_cast<std::uint64_t>(i)); });
    }
  });
  return out;
}

Array linspace(double start, double end, std::int64_t steps, DType dtype) {
  if (steps < 0) fail<ValueError>("linspace: the number of steps must not be negative: {}", steps);
  if (dtype == kBool) fail<DTypeError>("linspace: the dtype must be numeric: {}", dtype);
  if (is_storage_type(dtype)) return linspace(start, end, steps, compute_dtype(dtype)).to(dtype);
  Array out = empty(steps, dtype);
  dispatch(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    using Step = std::conditional_t<std::is_same_v<T, float>, float, double>;
    if constexpr (std::is_integral_v<T>) {
      const auto holds = [](double value) {
        // The largest value plus one is a power of two, and so a float64.
        const double high = std::ldexp(1.0, std::numeric_limits<T>::digits);
        return std::trunc(value) >= static_cast<double>(std::numeric_limits<T>::min()) && value < high;
      };
      if (!holds(start) || !holds(end)) {
        fail<ValueError>("linspace: {} must hold start and end: {} and {}", dtype, start, end);
      }
    }
    const T first = static_cast<T>(start), last = static_cast<T>(end);
    if (steps == 1) return generate<T>(out, [=](std::int64_t) { return first; });
    const Step from = static_cast<Step>(first), to = static_cast<Step>(last);
    const Step by = (to - from) / static_cast<Step>(steps - 1);
    if constexpr (std::is_floating_point_v<T>) {
      const std::int64_t half = steps / 2;
      ramp<T>(out.narrow(0, 0, half), 0, static_cast<double>(from), static_cast<double>(by));
      return ramp<T>(out.narrow(0, half, steps - half), half - (steps - 1), static_cast<double>(to),
                     static_cast<double>(by));
    }
    generate<T>(out, [=](std::int64_t i) {
      return static_cast<T>(i < steps / 2 ? std::fma(by, static_cast<Step>(i), from)
                                          : std::fma(-by, static_cast<Step>(steps - 1 - i), to));
    });
  });
  return out;
}

Array eye(std::int64_t n, std::int64_t m, DType dtype) {
  Array out = zeros({n, m}, dtype);
  out.diagonal().fill_(1);
  return out;
}

Array from_blob(void* data, IntArrayRef shape, IntArrayRef strides, std::function<void(void*)> deleter, DType dtype) {
  std::int64_t bytes = 0;
  Strides steps;
  try {
    steps = strides.empty() ? contiguous_strides((checked_numel(shape, "from_blob"), shape)) : Strides(strides);
    bytes = bytes_of(extent(shape, steps, "from_blob"), shape, dtype, "from_blob");
    if (data == nullptr && bytes != 0) fail<ValueError>("from_blob: the memory must not be null: for shape {}", shape);
    if (reinterpret_cast<std::uintptr_t>(data) % static_cast<std::uintptr_t>(size_of(dtype)) != 0) {
      fail<ValueError>("from_blob: the memory must be aligned to its elements: {} for {}", data, dtype);
    }
  } catch (...) {
    if (deleter) deleter(data);
    throw;
  }
  const Array whole(Storage::borrow(data, bytes, std::move(deleter)), {}, {}, 0, dtype);
  return whole.as_strided(shape, steps, 0);
}

Array from_data(const void* data, IntArrayRef shape, DType dtype) {
  Array out = empty(shape, dtype);
  const std::int64_t bytes = out.numel() * out.element_size();
  if (bytes != 0) std::memcpy(out.data(), data, static_cast<std::size_t>(bytes));
  return out;
}

}  // namespace gradus::core
