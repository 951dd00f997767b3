// The one door to pointwise work (internal to core/ops). An operation says what must hold, and by which loop its operands
// become a result of which dtype; behind the door it is decided how they are gone through: small ones that are alike by
// one call of the kernel, before anything else is looked at; contiguous ones in long pieces, and any others by a plan
// (loops/run.cpp).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "../loops/copy.h"
#include "../loops/run.h"
#include "pointwise.h"

namespace gradus::core {

/// Elements of one block of a parallel loop: functions that are called for each number are worth a block much earlier.
inline constexpr std::int64_t kCheapBlock = 32768, kLibraryBlock = 2048;

/// A pointwise operation on up to three operands that broadcast.
class PointwiseCall {
 public:
  /// ValueError where an operand is an undefined array; ShapeError where they do not broadcast.
  PointwiseCall(std::string_view op, std::initializer_list<const Operand*> operands);
  PointwiseCall(const PointwiseCall&) = delete;
  PointwiseCall& operator=(const PointwiseCall&) = delete;

  /// What to run; a DTypeError where there is no kernel for the dtype that it computes in. The kernel writes
  /// compute_dtype(result). `param_bytes`: how many of the
  /// parameter's bytes the kernel may read.
  void set(kernels::Kernel kernel, DType compute, DType result, const void* param = nullptr, int param_bytes = 0) {
    if (kernel == nullptr) [[unlikely]]
      fail_no_kernel(compute);
    loop.kernel = kernel;
    loop.result = compute_dtype(result);
    loop.param = param;
    loop.param_bytes = param_bytes;
    stored_ = result;
  }
  /// The next operand of the loop, read as elements of a dtype.
  void read(const Operand& x, DType as) {
    const int k = loop.count++;
    if (x.array != nullptr) {
      loop.inputs[k] = kernels::Input(*x.array, as);
    } else {
      numbers_[k] = kernels::Element(x.number, as);
      loop.inputs[k] = kernels::Input(numbers_[k].bytes, as);
    }
  }

  /// Into a new array, or into one that is there: any strides, the result's shape (ShapeError), and a dtype that the
  /// result's category can be cast to (DTypeError). Operands may overlap that one. Counts as a write.
  Array run() const;
  void run_into(const Array& out);

  const std::string_view op;
  Shape shape;  ///< the result's
  kernels::Loop loop;

 private:
  [[noreturn, gnu::cold]] void fail_no_kernel(DType compute) const;
  kernels::Element numbers_[3];
  DType stored_ = kFloat32;  // of the result: a storage type, where the kernel writes another
};

namespace pointwise {

/// A kernel that needs no more checks, for contiguous operands of one dtype; null where there is none.
struct Direct {
  kernels::Kernel kernel = nullptr;
  DType result = kFloat32;
  const void* param = nullptr;
};

/// Up to so many elements no operation is worth a second thread.
inline constexpr std::int64_t kSmall = 2 * kLibraryBlock;

/// Contiguous arrays of one shape and dtype: what most operations of a small network have.
inline bool are_alike(const Array& a, const Array& b) {
  if (!a.defined() || !b.defined() || a.dtype() != b.dtype() || a.dim() != b.dim()) return false;
  if (a.dim() == 1 && a.strides()[0] == 1 && b.strides()[0] == 1) return a.shape()[0] == b.shape()[0];
  return a.shape() == b.shape() && a.is_contiguous() && b.is_contiguous();
}
/// How many elements small operands that are alike have; -1 where they are not that.
inline std::int64_t small_size(const Operand& a, const Operand& b) {
  if (a.array == nullptr || b.array == nullptr || !are_alike(*a.array, *b.array)) return -1;
  const std::int64_t n = a.array->numel();
  return n <= kSmall ? n : -1;
}
/// The same where the result may be written straight into `out`: it is like the operands, and each of them lies in its very
/// place or in other memory.
inline std::int64_t small_size(const Array& out, const Operand& a, const Operand& b) {
  const std::int64_t n = small_size(a, b);
  const auto apart = [&](const Array& x) { return x.storage() != out.storage() || x.data() == out.data(); };
  return n >= 0 && are_alike(out, *a.array) && apart(*a.array) && apart(*b.array) ? n : -1;
}

/// The address of what is known to be defined, without another look.
inline void* start_of(const Array& x) {
  if (!x.defined()) __builtin_unreachable();
  return x.data();
}
inline void call(kernels::Kernel kernel, const void* param, void* out, const Array& a, const Array& b, std::int64_t n) {
  const void* const in[2] = {start_of(a), start_of(b)};
  kernel(out, in, static_cast<std::size_t>(n), param);
}
/// Whether a contiguous array's strides are those of a new one: those of its sizes of 1 may be anything.
inline bool has_plain_strides(const Array& x) {
  std::int64_t step = 1;
  for (int i = x.dim(); i-- > 0; step *= x.shape()[i]) {
    if (x.strides()[i] != step) return false;
  }
  return true;
}
inline Array call(kernels::Kernel kernel, DType result, const Array& a, const Array& b, const void* param,
                  std::int64_t n) {
  Ref<Storage> storage = Storage::allocate(n * size_of(result));  // small: no product of sizes overflows
  call(kernel, param, storage->data(), a, b, n);
  return has_plain_strides(a) ? Array(std::move(storage), a.shape(), a.strides(), 0, result)
                              : Array(std::move(storage), a.shape(), result);
}

/// The door. `direct(dtype)` is a Direct for operands of that dtype; `checked()` runs a PointwiseCall, out of line, so that
/// small operations save no register for it.
template <class DirectFor, class Checked>
[[gnu::always_inline]] inline Array compute(const Array& x, DirectFor direct, Checked checked) {
  if (x.defined() && x.is_contiguous()) {
    const std::int64_t n = x.numel();
    const Direct found = n <= kSmall ? direct(x.dtype()) : Direct();
    if (found.kernel != nullptr) return call(found.kernel, found.result, x, x, found.param, n);
  }
  return checked();
}
template <class DirectFor, class Checked>
[[gnu::always_inline]] inline Array compute(const Operand& a, const Operand& b, DirectFor direct, Checked checked) {
  if (const std::int64_t n = small_size(a, b); n >= 0) {
    const Direct found = direct(a.array->dtype());
    if (found.kernel != nullptr) return call(found.kernel, found.result, *a.array, *b.array, found.param, n);
  }
  return checked();
}
/// The same into `out`, as PointwiseCall::run_into.
template <class DirectFor, class Checked>
[[gnu::always_inline]] inline void compute_into(std::string_view op, const Array& out, const Operand& a,
                                                const Operand& b, DirectFor direct, Checked checked) {
  if (const std::int64_t n = small_size(out, a, b); n >= 0) {
    const Direct found = direct(out.dtype());
    if (found.kernel != nullptr && found.result == out.dtype()) {
      call(found.kernel, found.param, start_of(out), *a.array, *b.array, n);
      out.mark_written(op.data(), Location::unknown());
      return;
    }
  }
  checked();
}

}  // namespace pointwise
}  // namespace gradus::core
