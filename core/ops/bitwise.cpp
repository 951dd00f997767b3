#include "bitwise.h"

#include "../base/fail.h"
#include "../simd/bitwise.h"
#include "pointwise_call.h"

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
  PointwiseCall call(name, {&a, &b});
  const DType dtype = result_type(a, b);
  const bool shifts = op == Bitwise::LeftShift || op == Bitwise::RightShift;
  if (is_floating_point(dtype) || (shifts && dtype == kBool)) {
    fail<DTypeError>("{}: operands must be {}: {}; to(...) converts, a comparison gives bool", name,
                     shifts ? "integers" : "integers or bool", dtype);
  }
  const DType compute = compute_dtype(dtype);
  call.set(kernels::bitwise_kernel(key_of(name), compute), compute, dtype);
  call.read(a, compute);
  call.read(b, compute);
  return call.run();
}

Array bitwise_not(const Array& x) {
  return x.defined() && x.dtype() == kBool ? logical_not(x) : in_name_of("bitwise_not", [&] {
    if (x.defined() && x.dtype() == kUInt8) return bitwise(Bitwise::Xor, x, 255);
    return bitwise(Bitwise::Xor, x, -1);
  });
}

}  // namespace gradus::core
