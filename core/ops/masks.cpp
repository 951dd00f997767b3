// Masks: how many are true in each piece, then each piece by itself.
#include "indexing.h"

#include <algorithm>
#include <vector>

#include "../array/create.h"
#include "../base/dispatch.h"
#include "../base/expect.h"
#include "../base/fail.h"
#include "../threads/parallel.h"
#include "pick.h"
#include "pointwise.h"

namespace gradus::core {
namespace {

void must_be_mask(const Array& mask, const char* op) {
  must_be_defined(mask, op);
  expect_bool(op, "the mask", mask.dtype());
}
void must_fit(const Array& x, const Array& mask, const char* op) {
  must_be_defined(x, op);
  must_be_mask(mask, op);
  expect_same_shape(op, "the mask", mask.shape(), "the array", x.shape());
}

// How many are true before each piece of kPickGrain, and in all.
std::vector<std::int64_t> counts_of(const Array& mask) {
  const std::int64_t n = mask.numel(), pieces = (n + kPickGrain - 1) / kPickGrain;
  const auto* const m = static_cast<const std::uint8_t*>(mask.data());
  std::vector<std::int64_t> before(static_cast<std::size_t>(pieces + 1));
  parallel_for(n, kPickGrain, [&](std::int64_t begin, std::int64_t end) {
    std::int64_t count = 0;
    for (std::int64_t i = begin; i < end;) {  // a byte holds a sum of so many
      std::uint8_t few[16] = {};
      const std::int64_t stop = std::min(end, i + 16 * 255);
      for (; i + 16 <= stop; i += 16) {
        for (int k = 0; k < 16; ++k) few[k] = static_cast<std::uint8_t>(few[k] + m[i + k]);
      }
      for (const std::uint8_t f : few) count += f;
      if (end - i < 16) {
        for (; i < end; ++i) count += m[i];
      }
    }
    before[static_cast<std::size_t>(begin / kPickGrain + 1)] = count;
  });
  for (std::size_t p = 1; p < before.size(); ++p) before[p] += before[p - 1];
  return before;
}

// Calls each(k, i) for the k-th that is true and its place i, and, for some that are false, with a k that comes again.
template <class Each>
void for_true(const Array& mask, const std::vector<std::int64_t>& before, const Each& each) {
  const auto* const m = static_cast<const std::uint8_t*>(mask.data());
  parallel_for(mask.numel(), kPickGrain, [&](std::int64_t begin, std::int64_t) {
    const auto piece = static_cast<std::size_t>(begin / kPickGrain);
    std::int64_t k = before[piece];
    const std::int64_t end = before[piece + 1];
    for (std::int64_t i = begin; k < end; ++i) {  // without a branch on the mask, which none foresees
      each(k, i);
      k += m[i];
    }
  });
}

}  // namespace

std::int64_t count_true(const Array& mask) {
  must_be_mask(mask, "masked_scatter");
  return counts_of(mask.contiguous()).back();
}

Array positions(const Array& mask) {
  must_be_mask(mask, "nonzero");
  const Array m = mask.contiguous();
  const std::vector<std::int64_t> before = counts_of(m);
  Array out = empty(before.back(), kInt64);
  auto* const to = out.data_ptr<std::int64_t>();
  for_true(m, before, [=](std::int64_t k, std::int64_t i) { to[k] = i; });
  return out;
}

Array nonzero(const Array& x) {
  must_be_defined(x, "nonzero");
  const Array flat = positions(x.dtype() == kBool ? x : ne(x, 0));
  const int dims = x.dim();
  const std::int64_t n = flat.numel();
  if (dims == 1) return flat.view({n, 1});
  Array out = empty({n, dims}, kInt64);
  if (out.numel() == 0) return out;
  const Shape lead = part(x.shape(), 0, dims - 1);
  const std::int64_t length = x.shape().back();
  const auto* const from = flat.data_ptr<std::int64_t>();
  auto* const to = out.data_ptr<std::int64_t>();
  parallel_for(n, kPickGrain / 4, [&](std::int64_t begin, std::int64_t end) {
    std::int64_t start = -length;  // of the row that the last position was in
    std::int64_t place[kMaxDims] = {};
    for (std::int64_t k = begin; k < end; ++k) {
      const std::int64_t i = from[k];
      if (i - start >= length) {
        std::int64_t row = i / length;
        start = row * length;
        for (int d = dims - 1; d-- > 0;) {
          place[d] = row % lead[d];
          row /= lead[d];
        }
      }
      std::int64_t* const entry = to + k * dims;
      for (int d = 0; d < dims - 1; ++d) entry[d] = place[d];
      entry[dims - 1] = i - start;
    }
  });
  return out;
}

Array masked_select(const Array& x, const Array& mask) {
  must_fit(x, mask, "masked_select");
  const Array m = mask.contiguous(), in = x.contiguous();
  const std::vector<std::int64_t> before = counts_of(m);
  Array out = empty(before.back(), x.dtype());
  dispatch_width(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* const from = static_cast<const T*>(in.data());
    T* const to = static_cast<T*>(out.data());
    for_true(m, before, [=](std::int64_t k, std::int64_t i) { to[k] = from[i]; });
  });
  return out;
}

void masked_write(const Array& out, const Array& mask, const Array& src) {
  constexpr const char* op = "masked_scatter";
  must_fit(out, mask, op);
  const Array m = may_overlap(out, mask) ? mask.clone() : mask.contiguous();
  const std::vector<std::int64_t> before = counts_of(m);
  expect_dtype(op, "the source", src.dtype(), "the tensor", out.dtype());
  if (src.dim() != 1 || src.numel() != before.back()) {
    fail<ShapeError>("{}: the source must have an element for each place: {} for {} places", op, src.shape(),
                     before.back());
  }
  const bool whole = out.is_contiguous();
  const Array to_array = whole ? out : out.clone(), from_array = may_overlap(out, src) ? src.clone() : src.contiguous();
  const auto* const bits = static_cast<const std::uint8_t*>(m.data());
  dispatch_width(out.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* const from = static_cast<const T*>(from_array.data());
    T* const to = static_cast<T*>(to_array.data());
    for_true(m, before, [=](std::int64_t k, std::int64_t i) {
      const T all = static_cast<T>(T{0} - bits[i]);
      to[i] = static_cast<T>((from[k] & all) | (to[i] & ~all));
    });
  });
  if (whole) {
    out.mark_written(op, Location::unknown());
  } else {
    out.copy_(to_array);
  }
}

}  // namespace gradus::core
