#include "array.h"

#include <cmath>
#include <cstring>
#include <utility>

#include "create.h"
#include "../base/expect.h"
#include "../base/fail.h"
#include "../base/floating.h"
#include "../loops/copy.h"

namespace gradus::core {
namespace {

// What is this small is done before a plan for its loop is made.
constexpr std::int64_t kPlainBytes = 4096;

void must_be_defined(const Array& x, const char* op) { expect_defined(op, "the array", x); }

// Bytes from the first element to the end of the last; 0 when there are none.
std::int64_t span_bytes(const Array& x) noexcept {
  if (x.numel() == 0) return 0;
  std::int64_t last = 0;
  for (int i = 0; i < x.dim(); ++i) last += (x.shape()[i] - 1) * x.strides()[i];
  return (last + 1) * x.element_size();
}

void copy_into(const Array& out, const Array& src) {
  const std::int64_t bytes = out.numel() * out.element_size();
  if (bytes <= kPlainBytes && out.dtype() == src.dtype() && out.is_contiguous() && src.is_contiguous()) {
    if (bytes != 0) std::memcpy(out.data(), src.data(), static_cast<std::size_t>(bytes));
  } else {
    kernels::copy_convert(out, src);
  }
}

/// Whether the dtype holds the number, rounded as it may be. A negative integer wraps around in uint8, as in PyTorch.
bool holds(DType dtype, const Scalar& value) {
  const double v = value.toDouble();
  switch (dtype) {
    case kUInt8:
      return v > (value.is_floating_point() ? -1 : -256) && v < 256;
    case kInt8:
      return v > -0x1p7 - 1 && v < 0x1p7;
    case kInt16:
      return v > -0x1p15 - 1 && v < 0x1p15;
    case kInt32:
      return v > -0x1p31 - 1 && v < 0x1p31;
    case kFloat16:
    case kBFloat16:
      return !(std::fabs(v) > largest_of(dtype)) || std::isinf(v);
    case kInt64:
      return !value.is_floating_point() || (v >= -0x1p63 && v < 0x1p63);
    default:
      return true;
  }
}

}  // namespace

bool Array::is_contiguous() const noexcept {
  if (dim() == 1) return strides_[0] == 1 || shape_[0] <= 1;
  std::int64_t expected = 1;
  bool in_order = true;
  for (int i = dim(); i-- > 0;) {
    if (shape_[i] == 0) return true;
    if (shape_[i] == 1) continue;
    if (strides_[i] != expected) in_order = false;
    expected *= shape_[i];
  }
  return in_order;
}

// With the dimensions in the order of their strides, no two indices meet when each stride steps over everything that
// the smaller ones reach. Some exotic geometries that do not meet either are reported as meeting.
bool Array::may_overlap_itself() const noexcept {
  int order[kMaxDims];
  int n = 0;
  for (int i = 0; i < dim(); ++i) {
    if (shape_[i] == 0) return false;
    if (shape_[i] == 1) continue;
    int k = n++;
    for (; k > 0 && strides_[order[k - 1]] > strides_[i]; --k) order[k] = order[k - 1];
    order[k] = i;
  }
  std::int64_t reach = 0;
  for (int k = 0; k < n; ++k) {
    const int i = order[k];
    if (strides_[i] <= reach) return true;
    reach += (shape_[i] - 1) * strides_[i];
  }
  return false;
}

bool may_overlap(const Array& a, const Array& b) noexcept {
  if (!a.defined() || !b.defined()) return false;
  const std::int64_t a_bytes = span_bytes(a), b_bytes = span_bytes(b);
  if (a_bytes == 0 || b_bytes == 0) return false;
  const auto a_begin = reinterpret_cast<std::uintptr_t>(a.data()), b_begin = reinterpret_cast<std::uintptr_t>(b.data());
  return a_begin < b_begin + static_cast<std::uintptr_t>(b_bytes) &&
         b_begin < a_begin + static_cast<std::uintptr_t>(a_bytes);
}

void Array::check_item(const Scalar& value, int bits, bool floating, bool is_signed) {
  const double x = value.toDouble();
  if (floating) {
    if (bits == 32 && std::isfinite(x) && std::fabs(x) > largest_of(kFloat32)) {
      fail<ValueError>("item: the number must lie in the range of float: {}; item<double>() holds it", x);
    }
    return;
  }
  // As PyTorch's: a negative number wraps around in an unsigned type that is as wide as it.
  const double half = std::ldexp(1.0, bits - 1), end = is_signed ? half : 2 * half;
  if (value.is_floating_point() ? !(x > -half - 1 && x < end) : bits < 64 && (x < -half || x >= end)) {
    fail<ValueError>("item: the number must be one that an integer of {} bits holds: {}; item<double>() holds it", bits,
                     to_string(value));
  }
}

Scalar Array::item() const {
  must_be_defined(*this, "item");
  if (numel() != 1) {
    fail<ShapeError>("item: exactly one element is needed: {} has {}", shape_, numel());
  }
  const void* const element = data();
  switch (dtype_) {
    case kBool:
      return *static_cast<const std::uint8_t*>(element) != 0;
    case kUInt8:
      return *static_cast<const std::uint8_t*>(element);
    case kInt8:
      return *static_cast<const std::int8_t*>(element);
    case kInt16:
      return *static_cast<const std::int16_t*>(element);
    case kFloat16:
      return *static_cast<const Half*>(element);
    case kBFloat16:
      return *static_cast<const BFloat16*>(element);
    case kInt32:
      return *static_cast<const std::int32_t*>(element);
    case kInt64:
      return *static_cast<const std::int64_t*>(element);
    case kFloat32:
      return *static_cast<const float*>(element);
    case kFloat64:
      return *static_cast<const double*>(element);
  }
  __builtin_unreachable();
}

Array Array::clone() const {
  must_be_defined(*this, "clone");
  Array copy = empty(shape_, dtype_);
  copy_into(copy, *this);
  return copy;
}

Array Array::contiguous() const { return is_contiguous() ? *this : clone(); }

Array Array::to(DType dtype) const {
  if (dtype == dtype_) return *this;
  must_be_defined(*this, "to");
  Array converted = empty(shape_, dtype);
  copy_into(converted, *this);
  return converted;
}

const Array& Array::copy_(const Array& src) const {
  must_be_defined(*this, "copy_");
  must_be_defined(src, "copy_");
  expect_own_memory("copy_", *this);
  const bool same_shape = src.shape_ == shape_;
  if (!same_shape && broadcast_shapes(shape_, src.shape_, "copy_") != shape_) {
    fail<ShapeError>("copy_: the source must broadcast to {}: {}", shape_, src.shape_);
  }
  const Array source = same_shape ? src : src.expand(shape_);
  if (!may_overlap(*this, source)) {
    copy_into(*this, source);
  } else if (data() != source.data() || dtype_ != source.dtype_ || strides_ != source.strides_) {
    copy_into(*this, source.clone());
  }  // else each element is its own source
  mark_written("copy_", Location::unknown());
  return *this;
}

const Array& Array::fill_(const Scalar& value) const {
  must_be_defined(*this, "fill_");
  if (!holds(dtype_, value)) {
    fail<ValueError>("fill_: the value must be one that {} holds: {}; convert the tensor to a dtype that does", dtype_,
                     to_string(value));
  }
  const std::int64_t n = numel();
  if (n > kPlainBytes / element_size() || !is_contiguous()) {
    kernels::fill(*this, value);
  } else if (value == Scalar(0)) {
    std::memset(data(), 0, static_cast<std::size_t>(n * element_size()));
  } else {
    const kernels::Element element(value, dtype_);
    kernels::tile_copy(dtype_, dtype_)(static_cast<char*>(data()), 0, element_size(),
                                       reinterpret_cast<const char*>(element.bytes), 0, 0, 1, n);
  }
  mark_written("fill_", Location::unknown());
  return *this;
}

void Array::wrong_dtype(DType wanted, const char* op) const {
  if (!storage_) must_be_defined(*this, op);
  fail<DTypeError>("{}: the element type must be the array's: {} asked for, the array is {}; convert with to({})", op,
                   wanted, dtype_, wanted);
}

void Array::wrong_ndim(int wanted, const char* op) const {
  fail<ShapeError>("{}: the number of dimensions must be the array's: {} asked for, the shape is {}", op, wanted,
                   shape_);
}

}  // namespace gradus::core
