#include "bitwise.h"

#include <type_traits>

#include "../array/create.h"
#include "../base/dispatch.h"
#include "../base/fail.h"
#include "../loops/copy.h"
#include "../loops/run.h"

namespace gradus::core {
namespace {

constexpr const char* name_of(Bitwise op) {
  constexpr const char* names[] = {"bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift",
                                   "bitwise_right_shift"};
  return names[static_cast<int>(op)];
}

// Kernels of the loops: results are exact whatever the compiler makes of them.
template <Bitwise op, class T>
void binary(void* out, const void* const* in, std::size_t n, const void*) {
  T* const y = static_cast<T*>(out);
  const T *const a = static_cast<const T*>(in[0]), *const b = static_cast<const T*>(in[1]);
  for (std::size_t i = 0; i < n; ++i) {
    if constexpr (op == Bitwise::And) {
      y[i] = static_cast<T>(a[i] & b[i]);
    } else if constexpr (op == Bitwise::Or) {
      y[i] = static_cast<T>(a[i] | b[i]);
    } else if constexpr (op == Bitwise::Xor) {
      y[i] = static_cast<T>(a[i] ^ b[i]);
    } else {
      using U = std::make_unsigned_t<T>;
      constexpr T width = 8 * sizeof(T);
      const bool all = std::is_signed_v<T> ? b[i] < T{0} || b[i] >= width : b[i] >= width;
      if constexpr (op == Bitwise::LeftShift) {
        y[i] = all ? T{0} : static_cast<T>(static_cast<U>(a[i]) << b[i]);
      } else {
        y[i] = all ? static_cast<T>(a[i] < T{0} ? -1 : 0) : static_cast<T>(a[i] >> b[i]);
      }
    }
  }
}
// One byte that is 0 or 1 as well as any integer.
template <Bitwise op>
kernels::Kernel kernel_of(DType dtype) {
  switch (dtype) {
    case kInt32:
      return binary<op, std::int32_t>;
    case kInt64:
      return binary<op, std::int64_t>;
    default:
      return binary<op, std::uint8_t>;
  }
}
kernels::Kernel kernel_of(Bitwise op, DType dtype) {
  switch (op) {
    case Bitwise::And:
      return kernel_of<Bitwise::And>(dtype);
    case Bitwise::Or:
      return kernel_of<Bitwise::Or>(dtype);
    case Bitwise::Xor:
      return kernel_of<Bitwise::Xor>(dtype);
    case Bitwise::LeftShift:
      return kernel_of<Bitwise::LeftShift>(dtype);
    default:
      return kernel_of<Bitwise::RightShift>(dtype);
  }
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
  loop.kernel = kernel_of(op, dtype);
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
