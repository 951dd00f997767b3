// Which elements are among others; places repeated.
#include "indexing.h"

#include <algorithm>

#include "../array/create.h"
#include "../base/dispatch.h"
#include "../base/fail.h"
#include "../threads/parallel.h"
#include "pick.h"
#include "scan.h"

namespace gradus::core {

Array repeated_places(const Array& repeats) {
  constexpr const char* op = "repeat_interleave";
  must_be_defined(repeats, op);
  if (repeats.dim() != 1) fail<ShapeError>("{}: the counts must have 1 dimension: {}", op, repeats.shape());
  if (repeats.dtype() != kInt64 && repeats.dtype() != kInt32) {
    fail<DTypeError>("{}: the counts must be int64 or int32: {}; to(kInt64) converts", op, repeats.dtype());
  }
  const Array counts = repeats.to(kInt64).contiguous();
  const auto* const count = static_cast<const std::int64_t*>(counts.data());
  const std::int64_t n = counts.numel();
  std::int64_t total = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    if (count[i] < 0) fail<ValueError>("{}: counts must not be negative: entry {} is {}", op, i, count[i]);
    if (__builtin_add_overflow(total, count[i], &total)) {
      fail<ShapeError>("{}: the sum of the counts must fit into 64 bits", op);
    }
  }
  Array out = empty(total, kInt64);
  auto* to = out.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < n; ++i) to = std::fill_n(to, count[i], i);
  return out;
}

Array isin(const Array& elements, const Array& others) {
  must_be_defined(elements, "isin");
  must_be_defined(others, "isin");
  DType dtype = promote_types(elements.dtype(), others.dtype());
  dtype = dtype == kBool ? kUInt8 : compute_dtype(dtype);
  const Array wanted = elements.to(dtype).contiguous();
  const Array sorted = std::get<0>(sort(others.to(dtype).reshape({-1}), 0, false));
  Array out = empty(elements.shape(), kBool);
  auto* const to = out.data_ptr<bool>();
  dispatch(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* const x = static_cast<const T*>(wanted.data());
    const T* const first = static_cast<const T*>(sorted.data());
    const T* const last = first + sorted.numel();  // NaN at the end, equal to nothing
    parallel_for(out.numel(), kPickGrain / 16, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const T* at = first;  // what is not less begins here or behind it: halves without a branch
        for (std::int64_t n = last - first; n > 1;) {
          const std::int64_t half = n / 2;
          at += half * static_cast<std::int64_t>(at[half - 1] < x[i]);
          n -= half;
        }
        to[i] = first != last && *at == x[i];
      }
    });
  });
  return out;
}

}  // namespace gradus::core
