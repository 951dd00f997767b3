// Pointwise operations on three operands.
#include <algorithm>
#include <cmath>
#include <limits>

#include "../array/create.h"
#include "../base/expect.h"
#include "../base/fail.h"
#include "../simd/pointwise.h"
#include "elementwise_into.h"
#include "pointwise.h"
#include "pointwise_call.h"

namespace gradus::core {
namespace {

using kernels::Element;
using pointwise::Direct;

/// Whether alpha may scale operands of a dtype.
bool may_scale(const Scalar& alpha, DType dtype) { return is_floating_point(dtype) || !alpha.is_floating_point(); }

/// a + alpha b.
class ScaledSum : public PointwiseCall {
 public:
  ScaledSum(const Operand& a, const Operand& b, const Scalar& alpha) : PointwiseCall("add", {&a, &b}) {
    const DType dtype = result_type(a, b);
    if (!may_scale(alpha, dtype)) {
      fail<DTypeError>("add: alpha must be an integer where the operands are: {} with dtype {}", alpha.toDouble(),
                       dtype);
    }
    const DType compute = compute_dtype(dtype);
    read(a, compute);
    read(b, compute);
    scale_ = Element(alpha, compute);
    if (alpha.toDouble() == 1) {
      set(kernels::exact_binary(core::add.key, compute), compute, dtype);
      for (int k = 0; k < 2; ++k) loop.number_kernels[k] = kernels::number_kernel(core::add.key, compute, k);
    } else {
      set(kernels::add_scaled_kernel(compute), compute, dtype, scale_.bytes, sizeof scale_.bytes);
    }
  }

 private:
  Element scale_;
};

/// a + alpha b of small operands, alpha being held in `scale`.
Direct scaled_sum(DType dtype, const Scalar& alpha, Element& scale) {
  if (!may_scale(alpha, dtype)) return {};
  scale = Element(alpha, dtype);
  return {kernels::add_scaled_kernel(dtype), dtype, scale.bytes};
}

[[gnu::noinline]] Array checked(const Operand& a, const Operand& b, const Scalar& alpha) {
  return ScaledSum(a, b, alpha).run();
}
[[gnu::noinline]] void checked_into(const Array& out, const Operand& a, const Operand& b, const Scalar& alpha) {
  ScaledSum(a, b, alpha).run_into(out);
}

}  // namespace

Array add_scaled(const Operand& a, const Operand& b, const Scalar& alpha) {
  Element scale;
  return pointwise::compute(
      a, b, [&](DType dtype) { return scaled_sum(dtype, alpha, scale); }, [&] { return checked(a, b, alpha); });
}

void add_scaled_out(const Array& out, const Operand& a, const Operand& b, const Scalar& alpha) {
  Element scale;
  pointwise::compute_into(
      "add", out, a, b, [&](DType dtype) { return scaled_sum(dtype, alpha, scale); },
      [&] { checked_into(out, a, b, alpha); });
}

Array where(const Array& condition, const Operand& a, const Operand& b) {
  const Operand chooses = condition;
  PointwiseCall call("where", {&chooses, &a, &b});
  expect_bool("where", "the condition", condition.dtype());
  DType dtype;
  if (a.array != nullptr || b.array != nullptr) {
    dtype = result_type(a, b);
  } else {  // two numbers: the default dtype of the higher category
    const DType numbers = std::max(a.number.category(), b.number.category());
    dtype = numbers == kFloat64 ? get_default_dtype() : numbers;
  }
  const DType compute = compute_dtype(dtype);
  call.set(kernels::where_kernel(compute), compute, dtype);
  call.read(chooses, kBool);
  call.read(a, compute);
  call.read(b, compute);
  return call.run();
}

namespace {

/// Into `out` where there is one.
Array clamped(const Array& x, const std::optional<Scalar>& low, const std::optional<Scalar>& high, const Array* out) {
  const Operand operand = x;
  PointwiseCall call("clamp", {&operand});
  if (!low && !high) fail<ValueError>("clamp: at least one bound must be given");
  DType dtype = x.dtype();
  if (low) dtype = promote_types(dtype, *low);
  if (high) dtype = promote_types(dtype, *high);
  // An absent bound is the dtype's own, and so is one that integers of the dtype cannot reach.
  const double infinity = std::numeric_limits<double>::infinity();
  const int digits = static_cast<int>(8 * size_of(dtype)) - (dtype == kUInt8 ? 0 : 1);
  const std::int64_t greatest = static_cast<std::int64_t>((std::uint64_t{1} << digits) - 1);
  const std::int64_t least = dtype == kUInt8 ? 0 : -greatest - 1;
  const DType compute = compute_dtype(dtype);
  const bool real = is_floating_point(dtype);
  const auto bound = [&](const std::optional<Scalar>& given, const Scalar& own) {
    const Scalar value = given.value_or(own);
    return Element(real ? value : Scalar(std::clamp(value.toLong(), least, greatest)), compute);
  };
  const auto is_nan = [](const std::optional<Scalar>& given) { return given && std::isnan(given->toDouble()); };
  alignas(8) unsigned char param[16];
  if (is_nan(low) || is_nan(high)) {  // NaN for every number
    call.set(kernels::exact_binary(core::add.key, compute), compute, dtype);
    call.read(operand, compute);
    call.read(Scalar(std::numeric_limits<double>::quiet_NaN()), compute);
  } else {
    const Element bounds[2] = {bound(low, real ? Scalar(-infinity) : Scalar(least)),
                               bound(high, real ? Scalar(infinity) : Scalar(greatest))};
    const auto size = static_cast<std::size_t>(size_of(compute));
    for (std::size_t i = 0; i < 2 * size; ++i) param[i] = bounds[i / size].bytes[i % size];
    call.set(kernels::clamp_kernel(compute), compute, dtype, param, sizeof param);
    call.read(operand, compute);
  }
  if (out == nullptr) return call.run();
  call.run_into(*out);
  return *out;
}

}  // namespace

Array clamp(const Array& x, const std::optional<Scalar>& low, const std::optional<Scalar>& high) {
  return clamped(x, low, high, nullptr);
}
void clamp_into(const Array& out, const Array& x, const std::optional<Scalar>& low, const std::optional<Scalar>& high) {
  clamped(x, low, high, &out);
}

}  // namespace gradus::core
