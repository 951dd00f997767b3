#include "pointwise.h"

#include <algorithm>
#include <limits>

#include "../array/create.h"
#include "../base/fail.h"
#include "../loops/copy.h"
#include "../simd/pointwise.h"
#include "../loops/run.h"
#include "reduce.h"

namespace gradus::core {
namespace {

using kernels::Element;
using kernels::Input;
using kernels::Kernel;
using kernels::Loop;

/// What an operation computes in, and what it yields.
struct Signature {
  DType compute, result;
};

DType floating(DType dtype) { return is_floating_point(dtype) ? dtype : get_default_dtype(); }

/// What comes of operands of a dtype. A function of one integer is computed on float32, a predicate too: that keeps what it
/// asks, 0 or not, and integers are always finite.
template <class Row>
Signature signature(const Row& row, DType x) {
  constexpr bool unary = std::is_same_v<Row, UnaryRow>;
  if (row.yields == Yields::Same) return {x, x};
  if (row.yields == Yields::Bool) return {unary ? floating(x) : x, kBool};
  return {floating(x), floating(x)};
}

/// Elements of one block of a parallel loop: functions that are called for each number are worth a block much earlier.
constexpr std::int64_t kCheapBlock = 32768, kLibraryBlock = 2048;

template <class Row>
std::int64_t block_of(const Row& row) {
  return row.kernels == Kernels::Library || row.kernels == Kernels::Special ? kLibraryBlock : kCheapBlock;
}

/// What runs a row: its kernel, and what that wants to be told, which is the C library's function where the row has one.
struct Found {
  Kernel kernel = nullptr;
  const void* param = nullptr;
};
/// The kernel that a row of the C library's is called by. Only floating-point numbers have one.
template <class Row>
Found library(const Row& row, DType dtype) {
  constexpr bool unary = std::is_same_v<Row, UnaryRow>;
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
    case Kernels::Special:
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
    case Kernels::Special:
      return {kernels::special_binary(row.key, dtype)};
    case Kernels::Library:
      return library(row, dtype);
  }
  return {};
}

[[noreturn, gnu::cold]] void no_kernel(std::string_view op, DType dtype) {
  if (op == sub.name && dtype == kBool) {
    fail<DTypeError>("sub: the operands must not both be bool: use logical_xor, or convert first");
  }
  fail<DTypeError>("{}: the operation must be defined for the dtype: {}{}", op, dtype,
                   dtype == kBool ? "; convert first, with to(kInt64) or to(kFloat32)" : "");
}

int category(DType dtype) { return dtype == kBool ? 0 : is_floating_point(dtype) ? 2 : 1; }

/// Up to so many elements no operation is worth a second thread. Contiguous operands of one shape and dtype, which is
/// what most operations of a small network have, then need no loop's plan.
constexpr std::int64_t kSmall = 2 * kLibraryBlock;

inline bool are_alike(const Array& a, const Array& b) {
  if (!a.defined() || !b.defined() || a.dtype() != b.dtype() || a.dim() != b.dim()) return false;
  if (a.dim() == 1 && a.strides()[0] == 1 && b.strides()[0] == 1) return a.shape()[0] == b.shape()[0];
  return a.shape() == b.shape() && a.is_contiguous() && b.is_contiguous();
}

inline bool are_small(const Operand& a, const Operand& b) {
  return a.array != nullptr && b.array != nullptr && are_alike(*a.array, *b.array) && a.array->numel() <= kSmall;
}

/// The address of what is known to be defined, without another look.
inline void* start_of(const Array& x) {
  if (!x.defined()) __builtin_unreachable();
  return x.data();
}

Array run_small(Kernel kernel, DType result, const Array& a, const Array& b, const void* param = nullptr) {
  const std::int64_t n = a.numel();  // small: no product of sizes overflows
  // In one dimension the strides of `a` will do. Otherwise those of its sizes of 1 may be anything.
  Ref<Storage> storage = Storage::allocate(n * size_of(result));
  Array out = a.dim() == 1 && n > 1 ? Array(std::move(storage), a.shape(), a.strides(), 0, result)
                                    : Array(std::move(storage), a.shape(), result);
  const void* const in[2] = {start_of(a), start_of(b)};
  kernel(start_of(out), in, static_cast<std::size_t>(n), param);
  return out;
}

/// Whether a small result may be written straight into `out`: it is like the operands, and each of them lies in its very
/// place or in other memory.
bool are_small_into(const Array& out, const Operand& a, const Operand& b) {
  const auto apart = [&](const Array& x) { return x.storage() != out.storage() || x.data() == out.data(); };
  return are_small(a, b) && are_alike(out, *a.array) && apart(*a.array) && apart(*b.array);
}

void run_small_into(const Array& out, Kernel kernel, const Operand& a, const Operand& b, const void* param = nullptr) {
  const void* const in[2] = {start_of(*a.array), start_of(*b.array)};
  kernel(start_of(out), in, static_cast<std::size_t>(out.numel()), param);
}

/// What computes an operation on operands of one dtype without a look at their values; null where there is no such thing.
template <class Row>
Found direct(const Row& row, DType dtype, DType* result) {
  const Signature types = signature(row, dtype);
  *result = types.result;
  if constexpr (std::is_same_v<Row, BinaryRow>) {
    if (row.divides) return {};  // divisors are looked at first
  }
  return types.compute == dtype ? find(row, types.compute) : Found();
}

/// Whether alpha may scale operands of a dtype.
bool may_scale(const Scalar& alpha, DType dtype) { return is_floating_point(dtype) || !alpha.is_floating_point(); }

/// The checks of every operation that writes into a given array.
void check_out(std::string_view op, const Array& out, const Shape& shape, DType result) {
  if (!out.defined()) fail<ValueError>("{}: the output must be defined: it has neither storage nor shape", op);
  if (out.shape() != shape) {
    fail<ShapeError>("{}: the output must have the result's shape: {} for {}", op, out.shape(), shape);
  }
  check_castable(op, result, out.dtype());
  if (out.may_overlap_itself()) {
    fail<ValueError>("{}: each element written to must have its own memory: shape {} with strides {}; clone() it first",
                     op, out.shape(), out.strides());
  }
}

void check_defined(std::string_view op, const Array& x) {
  if (!x.defined()) [[unlikely]] {
    fail<ValueError>("{}: the operand must be defined: it has neither storage nor shape", op);
  }
}

/// The operand, or a copy of it where writing to `out` would change it before it is read.
Array apart_from(const Array& out, const Array& x) {
  if (!may_overlap(out, x)) return x;
  const bool same_places =
      x.data() == out.data() && x.dtype() == out.dtype() && x.shape() == out.shape() && x.strides() == out.strides();
  return same_places ? x : x.clone();
}

Shape shape_of(std::string_view op, const Operand& a, const Operand& b) {
  if (b.array == nullptr) return a.array->shape();
  if (a.array == nullptr || a.array->shape() == b.array->shape()) return b.array->shape();
  return broadcast_shapes(a.array->shape(), b.array->shape(), op);
}

/// An operand as the loop wants it: an array, or a number held as an element of the computing dtype.
class Held {
 public:
  Held(const Operand& operand, DType compute)
      : array_(operand.array), element_(operand.array != nullptr ? Element() : Element(operand.number, compute)) {}
  Input input(DType compute) const {
    return array_ != nullptr ? Input(*array_, compute) : Input(element_.bytes, compute);
  }

 private:
  const Array* array_;
  Element element_;
};

/// Integers cannot be divided by 0; floating-point numbers can.
void check_divisor(const BinaryRow& op, const Operand& b, DType compute) {
  if (!op.divides || is_floating_point(compute)) return;
  const bool zero = b.array == nullptr ? !b.number.to<bool>() : !reduce(Reduction::All, *b.array).item<bool>();
  if (zero) fail<ValueError>("{}: an integer divisor must not be 0 (ZeroDivisionError)", op.name);
}

/// Everything about a binary operation but where it goes.
struct BinaryCall {
  BinaryCall(const BinaryRow& op, const Operand& a, const Operand& b) {
    if (a.array != nullptr) check_defined(op.name, *a.array);
    if (b.array != nullptr) check_defined(op.name, *b.array);
    types = signature(op, result_type(a, b));
    shape = shape_of(op.name, a, b);
    loop.result = types.result;
    loop.count = 2;
    loop.block = block_of(op);
    if (op.key == pow.key && b.array == nullptr) {
      const double exponent = b.number.toDouble();
      if (!is_floating_point(types.compute) && exponent < 0) {
        fail<ValueError>("pow: integers must not be raised to a negative power: {}; convert to float32 first",
                         exponent);
      }
      loop.kernel = kernels::power_kernel(exponent, types.compute);
      if (loop.kernel != nullptr) {
        loop.count = 1;  // the exponent is not read
        loop.block = kCheapBlock;
        return;
      }
    }
    const Found found = find(op, types.compute);
    if (found.kernel == nullptr) no_kernel(op.name, types.compute);
    loop.kernel = found.kernel;
    loop.param = found.param;
    for (int k = 0; k < 2; ++k) loop.number_kernels[k] = kernels::number_kernel(op.key, types.compute, k);
    check_divisor(op, b, types.compute);
  }
  void run(const Array& out, const Operand& a, const Operand& b) {
    const Held left(a, types.compute), right(b, types.compute);
    loop.inputs[0] = left.input(types.compute);
    loop.inputs[1] = right.input(types.compute);
    kernels::run(out, loop);
  }
  Loop loop;
  Signature types;
  Shape shape;
};

Loop unary_loop(const UnaryRow& op, const Array& x) {
  check_defined(op.name, x);
  const Signature types = signature(op, x.dtype());
  const Found found = find(op, types.compute);
  if (found.kernel == nullptr) no_kernel(op.name, types.compute);
  Loop loop;
  loop.kernel = found.kernel;
  loop.param = found.param;
  loop.result = types.result;
  loop.count = 1;
  loop.inputs[0] = Input(x, types.compute);
  loop.block = block_of(op);
  return loop;
}

/// a + alpha b, into `out` when it is given.
Array add_scaled_into(const Array* out, const Operand& a, const Operand& b, const Scalar& alpha) {
  constexpr std::string_view op = "add";
  if (a.array != nullptr) check_defined(op, *a.array);
  if (b.array != nullptr) check_defined(op, *b.array);
  const DType dtype = result_type(a, b);
  if (!may_scale(alpha, dtype)) {
    fail<DTypeError>("add: alpha must be an integer where the operands are: {} with dtype {}", alpha.toDouble(), dtype);
  }
  const Shape shape = shape_of(op, a, b);
  const Element scale(alpha, dtype);
  Loop loop;
  if (alpha.toDouble() == 1) {
    loop.kernel = kernels::exact_binary(core::add.key, dtype);
    for (int k = 0; k < 2; ++k) loop.number_kernels[k] = kernels::number_kernel(core::add.key, dtype, k);
  } else {
    loop.kernel = kernels::add_scaled_kernel(dtype);
  }
  loop.result = dtype;
  loop.count = 2;
  loop.param = scale.bytes;
  Array result, left, right;
  Operand first = a, second = b;
  if (out != nullptr) {
    check_out(op, *out, shape, dtype);
    if (a.array != nullptr) first.array = &(left = apart_from(*out, *a.array));
    if (b.array != nullptr) second.array = &(right = apart_from(*out, *b.array));
    result = *out;
  } else {
    result = empty(shape, dtype);
  }
  const Held held_a(first, dtype), held_b(second, dtype);
  loop.inputs[0] = held_a.input(dtype);
  loop.inputs[1] = held_b.input(dtype);
  kernels::run(result, loop);
  return result;
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

Array UnaryRow::operator()(const Array& x) const {
  if (x.defined() && x.is_contiguous() && x.numel() <= kSmall) {
    DType result;
    const Found found = direct(*this, x.dtype(), &result);
    if (found.kernel != nullptr) return run_small(found.kernel, result, x, x, found.param);
  }
  const Loop loop = unary_loop(*this, x);
  Array out = empty(x.shape(), loop.result);
  kernels::run(out, loop);
  return out;
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

void UnaryRow::write(const Array& out, const Array& x) const {
  Loop loop = unary_loop(*this, x);
  check_out(name, out, x.shape(), loop.result);
  const Array operand = apart_from(out, x);
  loop.inputs[0].array = &operand;
  kernels::run(out, loop);
  out.mark_written(name.data(), Location::unknown());
}

Array BinaryRow::operator()(const Operand& a, const Operand& b) const {
  if (are_small(a, b)) {
    DType result;
    const Found found = direct(*this, a.array->dtype(), &result);
    if (found.kernel != nullptr) return run_small(found.kernel, result, *a.array, *b.array, found.param);
  }
  BinaryCall call(*this, a, b);
  Array out = empty(call.shape, call.types.result);
  call.run(out, a, b);
  return out;
}

void BinaryRow::write(const Array& out, const Operand& a, const Operand& b) const {
  if (are_small_into(out, a, b)) {
    DType result;
    const Found found = direct(*this, out.dtype(), &result);
    if (found.kernel != nullptr && result == out.dtype()) {
      run_small_into(out, found.kernel, a, b, found.param);
      out.mark_written(name.data(), Location::unknown());
      return;
    }
  }
  BinaryCall call(*this, a, b);
  check_out(name, out, call.shape, call.types.result);
  Array left, right;
  Operand first = a, second = b;
  if (a.array != nullptr) first.array = &(left = apart_from(out, *a.array));
  if (b.array != nullptr) second.array = &(right = apart_from(out, *b.array));
  call.run(out, first, second);
  out.mark_written(name.data(), Location::unknown());
}

Array add_scaled(const Operand& a, const Operand& b, const Scalar& alpha) {
  if (are_small(a, b) && may_scale(alpha, a.array->dtype())) {
    const DType dtype = a.array->dtype();
    return run_small(kernels::add_scaled_kernel(dtype), dtype, *a.array, *b.array, Element(alpha, dtype).bytes);
  }
  return add_scaled_into(nullptr, a, b, alpha);
}

void add_scaled_out(const Array& out, const Operand& a, const Operand& b, const Scalar& alpha) {
  if (are_small_into(out, a, b) && may_scale(alpha, out.dtype())) {
    run_small_into(out, kernels::add_scaled_kernel(out.dtype()), a, b, Element(alpha, out.dtype()).bytes);
  } else {
    add_scaled_into(&out, a, b, alpha);
  }
  out.mark_written("add", Location::unknown());
}

Array where(const Array& condition, const Operand& a, const Operand& b) {
  check_defined("where", condition);
  if (a.array != nullptr) check_defined("where", *a.array);
  if (b.array != nullptr) check_defined("where", *b.array);
  if (condition.dtype() != kBool) {
    fail<DTypeError>("where: the condition must be bool: {}", condition.dtype());
  }
  DType dtype;
  Shape shape = condition.shape();
  if (a.array != nullptr || b.array != nullptr) {
    dtype = result_type(a, b);
    shape = broadcast_shapes(shape, shape_of("where", a, b), "where");
  } else {  // two numbers: the default dtype of the higher category
    const DType numbers = std::max(a.number.category(), b.number.category());
    dtype = numbers == kFloat64 ? get_default_dtype() : numbers;
  }
  const Held held_a(a, dtype), held_b(b, dtype);
  Loop loop;
  loop.kernel = kernels::where_kernel(dtype);
  loop.result = dtype;
  loop.count = 3;
  loop.inputs[0] = Input(condition, kBool);
  loop.inputs[1] = held_a.input(dtype);
  loop.inputs[2] = held_b.input(dtype);
  Array out = empty(shape, dtype);
  kernels::run(out, loop);
  return out;
}

Array clamp(const Array& x, const std::optional<Scalar>& low, const std::optional<Scalar>& high) {
  check_defined("clamp", x);
  if (!low && !high) fail<ValueError>("clamp: at least one bound must be given");
  DType dtype = x.dtype();
  if (low) dtype = promote_types(dtype, *low);
  if (high) dtype = promote_types(dtype, *high);
  // An absent bound is the dtype's own, and so is one that integers of the dtype cannot reach.
  const double infinity = std::numeric_limits<double>::infinity();
  const std::int64_t least = dtype == kUInt8   ? 0
                             : dtype == kInt32 ? std::numeric_limits<std::int32_t>::min()
                                               : std::numeric_limits<std::int64_t>::min();
  const std::int64_t greatest = dtype == kUInt8   ? 255
                                : dtype == kInt32 ? std::numeric_limits<std::int32_t>::max()
                                                  : std::numeric_limits<std::int64_t>::max();
  const bool real = is_floating_point(dtype);
  const auto bound = [&](const std::optional<Scalar>& given, const Scalar& own) {
    const Scalar value = given.value_or(own);
    return Element(real ? value : Scalar(std::clamp(value.toLong(), least, greatest)), dtype);
  };
  const auto is_nan = [](const std::optional<Scalar>& given) { return given && std::isnan(given->toDouble()); };
  if (is_nan(low) || is_nan(high)) return full(x.shape(), std::numeric_limits<double>::quiet_NaN(), dtype);
  const Element bounds[2] = {bound(low, real ? Scalar(-infinity) : Scalar(least)),
                             bound(high, real ? Scalar(infinity) : Scalar(greatest))};
  alignas(8) unsigned char param[16];
  const auto size = static_cast<std::size_t>(size_of(dtype));
  for (std::size_t i = 0; i < 2 * size; ++i) param[i] = bounds[i / size].bytes[i % size];
  Loop loop;
  loop.kernel = kernels::clamp_kernel(dtype);
  if (loop.kernel == nullptr) no_kernel("clamp", dtype);
  loop.result = dtype;
  loop.count = 1;
  loop.inputs[0] = Input(x, dtype);
  loop.param = param;
  Array out = empty(x.shape(), dtype);
  kernels::run(out, loop);
  return out;
}

}  // namespace gradus::core
