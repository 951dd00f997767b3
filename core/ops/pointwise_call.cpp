#include "pointwise_call.h"

#include "../array/create.h"
#include "../base/expect.h"
#include "../base/fail.h"

namespace gradus::core {
namespace {

/// The operand, or a copy of it where writing to `out` would change it before it is read.
Array apart_from(const Array& out, const Array& x) {
  if (!may_overlap(out, x)) return x;
  const bool same_places =
      x.data() == out.data() && x.dtype() == out.dtype() && x.shape() == out.shape() && x.strides() == out.strides();
  return same_places ? x : x.clone();
}

}  // namespace

PointwiseCall::PointwiseCall(std::string_view op_, std::initializer_list<const Operand*> operands) : op(op_) {
  loop.name = op;
  bool first = true;
  for (const Operand* x : operands) {
    if (x->array == nullptr) continue;
    expect_defined(op, "the operand", *x->array);
    const Shape& other = x->array->shape();
    if (first) {
      shape = other;
    } else if (shape != other) {
      shape = broadcast_shapes(shape, other, op);
    }
    first = false;
  }
}

void PointwiseCall::fail_no_kernel(DType compute) const {
  if (op == sub.name) check_difference(compute, compute);
  fail<DTypeError>("{}: the operation must be defined for the dtype: {}{}", op, compute,
                   compute == kBool ? "; convert first, with to(kInt64) or to(kFloat32)" : "");
}

Array PointwiseCall::run() const {
  if (stored_ == loop.result) return kernels::run(shape, loop);
  Array out = empty(shape, stored_);
  kernels::run(out, loop);
  return out;
}

void PointwiseCall::run_into(const Array& out) {
  expect_defined(op, "the output", out);
  if (out.shape() != shape) {
    fail<ShapeError>("{}: the output must have the result's shape: {} for {}", op, out.shape(), shape);
  }
  check_castable(op, loop.result, out.dtype());
  expect_own_memory(op, out);
  Array apart[3];
  for (int k = 0; k < loop.count; ++k) {
    if (loop.inputs[k].array != nullptr) loop.inputs[k].array = &(apart[k] = apart_from(out, *loop.inputs[k].array));
  }
  kernels::run(out, loop);
  out.mark_written(op.data(), Location::unknown());
}

}  // namespace gradus::core
