#include "pointwise.h"

#include "../array/create.h"
#include "../base/fail.h"
#include "../base/floating.h"
#include "../simd/pointwise.h"
#include "pointwise_call.h"
#include "reduce.h"

namespace gradus::core {
namespace {

using kernels::Kernel;
using pointwise::Direct;

/// What an operation computes in, and what it yields.
struct Types {
  DType compute, result;
};

/// What comes of operands of a dtype. A function of one integer is computed on float32, a predicate too: that keeps what it
/// asks, 0 or not, and integers are always finite.
template <class Row>
Types types_of(const Row& row, DType x) {
  constexpr bool unary = std::is_same_v<Row, UnaryRow>;
  if (row.yields == Yields::Same) return {x, x};
  if (row.yields == Yields::Bool) {
    const bool kept = !unary || (x == kBool && row.key == logical_not.key);
    return {kept ? x : floating(x), kBool};
  }
  return {floating(x), floating(x)};
}
/// The same of a dtype that may be a storage type.
template <class Row>
Types computed_types_of(const Row& row, DType x) {
  Types types = types_of(row, x);
  types.compute = compute_dtype(types.compute);
  return types;
}

template <class Row>
std::int64_t block_of(const Row& row) {
  return row.kernels == Kernels::Library || row.kernels == Kernels::Each ? kLibraryBlock : kCheapBlock;
}

/// What runs a row: its kernel, and what that wants to be told, which is the C library's function where the row has one.
struct Found {
  Kernel kernel = nullptr;
  const void* param = nullptr;
  int param_bytes() const { return param != nullptr ? static_cast<int>(sizeof(float (*)(float))) : 0; }
};
/// The vectors' kernel in the place of a function of the C library's, or the one that it is called by. Only floating-point
/// numbers have one.
template <class Row>
Found library(const Row& row, DType dtype) {
  constexpr bool unary = std::is_same_v<Row, UnaryRow>;
  if (const Kernel vectors = kernels::special_function(row.key, dtype)) return {vectors};
  if (dtype == kFloat32) return {unary ? kernels::call_float32 : kernels::call2_float32, &row.float32};
  if (dtype == kFloat64) return {unary ? kernels::call_float64 : kernels::call2_float64, &row.float64};
  return {};
}
Found find(const UnaryRow& row, DType dtype) {
  switch (row.kernels) {
    case Kernels::Exact:
      return {kernels::exact_unary(row.key, dtype)};
    case Kernels::Predicate:
      return {kernels::predicate_unary(row.key, dtype)};
    case Kernels::Math:
      return {kernels::math_unary(row.key, dtype)};
    case Kernels::Each:
      return {};
    case Kernels::Library:
      return library(row, dtype);
  }
  return {};
}
Found find(const BinaryRow& row, DType dtype) {
  switch (row.kernels) {
    case Kernels::Exact:
      return {kernels::exact_binary(row.key, dtype)};
    case Kernels::Predicate:
      return {kernels::predicate_binary(row.key, dtype)};
    case Kernels::Math:
      return {};
    case Kernels::Each:
      return {kernels::special_binary(row.key, dtype)};
    case Kernels::Library:
      return library(row, dtype);
  }
  return {};
}

int category(DType dtype) { return dtype == kBool ? 0 : is_floating_point(dtype) ? 2 : 1; }

/// What computes an operation on operands of one dtype without a look at their values.
template <class Row>
Direct direct(const Row& row, DType dtype) {
  if (is_storage_type(dtype)) [[unlikely]]
    return {};
  const Types types = types_of(row, dtype);
  if constexpr (std::is_same_v<Row, BinaryRow>) {
    if (row.divides) return {};  // divisors are looked at first
  }
  if (types.compute != dtype) return {};
  const Found found = find(row, types.compute);
  return {found.kernel, types.result, found.param};
}

/// Integers cannot be divided by 0; floating-point numbers can.
void check_divisor(const BinaryRow& op, const Operand& b, DType compute) {
  if (!op.divides || is_floating_point(compute)) return;
  const bool zero = b.array == nullptr ? !b.number.to<bool>() : !reduce(Reduction::All, *b.array).item<bool>();
  if (zero) fail<ValueError>("{}: an integer divisor must not be 0 (ZeroDivisionError)", op.name);
}

/// The kernel of a power by a number, for the few that need no pow.
Kernel power_kernel(const BinaryRow& row, const Operand& b, DType compute) {
  if (row.key != pow.key || b.array != nullptr) return nullptr;
  const double exponent = b.number.toDouble();
  if (!is_floating_point(compute) && exponent < 0) {
    fail<ValueError>("pow: integers must not be raised to a negative power: {}; convert to float32 first", exponent);
  }
  return kernels::power_kernel(exponent, compute);
}

struct UnaryCall : PointwiseCall {
  UnaryCall(const UnaryRow& row, const Operand& x) : PointwiseCall(row.name, {&x}) {
    const Types types = computed_types_of(row, x.array->dtype());
    const Found found = find(row, types.compute);
    set(found.kernel, types.compute, types.result, found.param, found.param_bytes());
    loop.block = block_of(row);
    read(x, types.compute);
  }
};

struct BinaryCall : PointwiseCall {
  BinaryCall(const BinaryRow& row, const Operand& a, const Operand& b) : PointwiseCall(row.name, {&a, &b}) {
    const Types types = computed_types_of(row, result_type(a, b));
    read(a, types.compute);
    if (const Kernel power = power_kernel(row, b, types.compute); power != nullptr) {
      exponent_ = b.number.toDouble();
      set(power, types.compute, types.result, &exponent_,
          sizeof exponent_);  // for who reads the loop: the kernel does not
      return;
    }
    const Found found = find(row, types.compute);
    set(found.kernel, types.compute, types.result, found.param, found.param_bytes());
    loop.block = block_of(row);
    for (int k = 0; k < 2; ++k) loop.number_kernels[k] = kernels::number_kernel(row.key, types.compute, k);
    read(b, types.compute);
    check_divisor(row, b, types.compute);
  }

 private:
  double exponent_ = 0;
};

/// An operand of a comparison: rounded to the storage type that the operands meet in, as the others are.
class Rounded {
 public:
  Rounded(const BinaryRow& row, const Operand& x, const Operand& other) : operand_(x) {
    const auto known = [](const Operand& o) { return o.array == nullptr || o.array->defined(); };
    if (row.yields != Yields::Bool || !known(x) || !known(other)) return;
    const DType dtype = result_type(x, other);
    if (!is_storage_type(dtype) || !is_floating_point(dtype)) return;
    if (x.array != nullptr && x.array->dtype() == dtype) return;
    array_ = (x.array != nullptr ? *x.array : full({}, x.number, kFloat64)).to(dtype);
    operand_ = x.array != nullptr ? Operand(array_) : Operand(array_.item());
  }
  Rounded(const Rounded&) = delete;
  Rounded& operator=(const Rounded&) = delete;
  operator const Operand&() const { return operand_; }  // NOLINT(google-explicit-constructor)

 private:
  Array array_;
  Operand operand_;
};

[[gnu::noinline]] Array checked(const UnaryRow& row, const Array& x) { return UnaryCall(row, x).run(); }
[[gnu::noinline]] Array checked(const BinaryRow& row, const Operand& a, const Operand& b) {
  const Rounded x(row, a, b), y(row, b, a);
  return BinaryCall(row, x, y).run();
}
[[gnu::noinline]] void checked_into(const Array& out, const UnaryRow& row, const Array& x) {
  UnaryCall(row, x).run_into(out);
}
[[gnu::noinline]] void checked_into(const Array& out, const BinaryRow& row, const Operand& a, const Operand& b) {
  const Rounded x(row, a, b), y(row, b, a);
  BinaryCall(row, x, y).run_into(out);
}

}  // namespace

DType result_type(const Operand& a, const Operand& b) {
  if (a.array == nullptr && b.array == nullptr) fail<ValueError>("result_type: one operand must be an array");
  if (b.array == nullptr) return promote_types(a.array->dtype(), b.number);
  if (a.array == nullptr) return promote_types(b.array->dtype(), a.number);
  const DType x = a.array->dtype(), y = b.array->dtype();
  if (x == y) return x;
  // A 0-d array joins like a number: within its category it does not raise the dtype of one with dimensions.
  const bool a_is_point = a.array->dim() == 0, b_is_point = b.array->dim() == 0;
  if (a_is_point != b_is_point) {
    const DType wide = a_is_point ? y : x, point = a_is_point ? x : y;
    return category(point) <= category(wide) ? wide : promote_types(wide, point);
  }
  return promote_types(x, y);
}

void check_castable(std::string_view op, DType result, DType out) {
  if (category(result) > category(out)) {
    fail<DTypeError>("{}: the result's dtype must be castable to the output's: {} to {}", op, result, out);
  }
}

void check_difference(DType a, DType b) {
  if (a == kBool || b == kBool) {
    fail<DTypeError>("sub: no operand may be bool: {} - {}; use logical_xor, or convert first", a, b);
  }
}

Array UnaryRow::operator()(const Array& x) const {
  return pointwise::compute(
      x, [&](DType dtype) { return direct(*this, dtype); }, [&] { return checked(*this, x); });
}

void UnaryRow::write(const Array& out, const Array& x) const {
  pointwise::compute_into(
      name, out, x, x, [&](DType dtype) { return direct(*this, dtype); }, [&] { checked_into(out, *this, x); });
}

Array BinaryRow::operator()(const Operand& a, const Operand& b) const {
  return pointwise::compute(
      a, b, [&](DType dtype) { return direct(*this, dtype); }, [&] { return checked(*this, a, b); });
}

void BinaryRow::write(const Array& out, const Operand& a, const Operand& b) const {
  pointwise::compute_into(
      name, out, a, b, [&](DType dtype) { return direct(*this, dtype); }, [&] { checked_into(out, *this, a, b); });
}

}  // namespace gradus::core
