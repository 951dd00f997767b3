#include "bitwise.h"

#include "../array/create.h"
#include "../base/fail.h"
#include "../loops/copy.h"
#include "../loops/run.h"
#include "../simd/bitwise.h"

namespace gradus::core {
namespace {

constexpr const char* name_of(Bitwise op) {
  constexpr const char* names[] = {"bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift",
                                   "bitwise_right_shift"};
  return names[static_cast<int>(op)];
}

}  // namespace

Array bitwise(Bitwise op, const Operand& a, const Operand& b) {
  const char* const name = name_of(op);
  for (const Operand* x : {&a, &b}) {
    if (x->array != nullptr && !x->array->defined()) {
      fail<ValueError>("{}: the operand must be defined: it has neither storage nor shape", name);
    }
  }
  const DType dtype = result_type(a, b);
  const bool shifts = op == Bitwise::LeftShift || op == Bitwise::RightShift;
  if (is_floating_point(dtype) || (shifts && dtype == kBool)) {
    fail<DTypeError>("{}: operands must be {}: {}; to(...) converts, a comparison gives bool", name,
                     shifts ? "integers" : "integers or bool", dtype);
  }
  Shape shape = a.array != nullptr ? a.array->shape() : b.array->shape();
  if (a.array != nullptr && b.array != nullptr) shape = broadcast_shapes(shape, b.array->shape(), name);
  kernels::Loop loop;
  loop.kernel = kernels::bitwise_kernel(key_of(name), dtype);
  loop.result = dtype;
  loop.count = 2;
  const kernels::Element numbers[2] = {kernels::Element(a.number, dtype), kernels::Element(b.number, dtype)};
  const Operand* const operands[2] = {&a, &b};
  for (int k = 0; k < 2; ++k) {
    loop.inputs[k] = operands[k]->array != nullptr ? kernels::Input(*operands[k]->array, dtype)
                                                   : kernels::Input(numbers[k].bytes, dtype);
  }
  Array out = empty(shape, dtype);
  kernels::run(out, loop);
  return out;
}

Array bitwise_not(const Array& x) {
  return x.defined() && x.dtype() == kBool ? logical_not(x) : in_name_of("bitwise_not", [&] {
    if (x.defined() && x.dtype() == kUInt8) return bitwise(Bitwise::Xor, x, 255);
    return bitwise(Bitwise::Xor, x, -1);
  });
}

}  // namespace gradus::core
