#include "numbers.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "../../core/base/dispatch.h"
#include "../../core/ops/reduce.h"

namespace gradus::autograd::detail {

using core::Array;

namespace {

// In a dtype that loops read.
Array computed(const Array& x) { return x.to(compute_dtype(x.dtype())); }

// body(element, place) for each element in the order of indices, until it returns false.
template <class T, class Body>
void each(const Array& x, Body&& body) {
  const T* const data = static_cast<const T*>(x.data());
  const std::int64_t n = x.numel();
  if (x.is_contiguous()) {
    for (std::int64_t i = 0; i < n; ++i) {
      if (!body(data[i], i)) return;
    }
    return;
  }
  std::int64_t index[core::kMaxDims] = {}, at = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    if (!body(data[at], i)) return;
    for (int d = x.dim(); d-- > 0;) {
      at += x.strides()[d];
      if (++index[d] < x.shape()[d]) break;
      at -= x.strides()[d] * x.shape()[d];
      index[d] = 0;
    }
  }
}

// x - x is 0 of a finite number and NaN of any other. Eight sums, so that they become vectors.
template <class T>
bool finite(const T* x, std::int64_t n) {
  T sums[8] = {};
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    for (int k = 0; k < 8; ++k) sums[k] += x[i + k] - x[i + k];
  }
  T sum = 0;
  for (; i < n; ++i) sum += x[i] - x[i];
  for (const T s : sums) sum += s;
  return sum == 0;
}

}  // namespace

bool all_finite(const Array& stored) {
  if (!stored.defined() || !is_floating_point(stored.dtype()) || stored.numel() == 0) return true;
  constexpr std::int64_t kLarge = 1 << 14;  // from here on the sum's threads and wider vectors are worth an array
  const Array x = computed(stored);
  if (x.is_contiguous() && x.numel() < kLarge) {
    return x.dtype() == kFloat32 ? finite(static_cast<const float*>(x.data()), x.numel())
                                 : finite(static_cast<const double*>(x.data()), x.numel());
  }
  // Finite numbers may have an infinite sum.
  return std::isfinite(core::sum(x).item<double>()) || first_not_finite(x) < 0;
}

std::int64_t first_not_finite(const Array& stored, bool infinite_too) {
  if (!stored.defined() || !is_floating_point(stored.dtype())) return -1;
  const Array x = computed(stored);
  std::int64_t found = -1;
  core::dispatch(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_floating_point_v<T>) {
      each<T>(x, [&](T value, std::int64_t place) {
        if (std::isfinite(value) || (!infinite_too && !std::isnan(value))) return true;
        found = place;
        return false;
      });
    }
  });
  return found;
}

double number_at(const Array& x, std::int64_t place) {
  std::int64_t at = x.storage_offset();
  for (int d = x.dim(); d-- > 0; place /= x.shape()[d]) at += place % x.shape()[d] * x.strides()[d];
  return x.as_strided({}, {}, at).to(kFloat64).item<double>();
}

std::string index_of(const core::Shape& shape, std::int64_t place) {
  core::Dims index = shape;
  for (int d = shape.size(); d-- > 0; place /= shape[d]) index[d] = place % shape[d];
  return core::to_string(index);
}

void copy_numbers(const Array& x, void* to) {
  if (x.is_contiguous()) {
    if (x.numel() != 0) std::memcpy(to, x.data(), static_cast<std::size_t>(x.numel() * x.element_size()));
    return;
  }
  core::dispatch_width(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    each<T>(x, [next = static_cast<char*>(to)](T value, std::int64_t) mutable {
      std::memcpy(next, &value, sizeof(T));  // where they go they may lie behind those of a narrower type
      next += sizeof(T);
      return true;
    });
  });
}

Array corner_of(const Array& x, std::int64_t n) {
  core::Shape shape;
  core::Strides strides;
  for (int d = std::max(0, x.dim() - 2); d < x.dim(); ++d) {
    shape.push_back(std::min(n, x.shape()[d]));
    strides.push_back(x.strides()[d]);
  }
  return {x.storage(), shape, strides, x.storage_offset(), x.dtype()};
}

}  // namespace gradus::autograd::detail
