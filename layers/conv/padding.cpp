#include "padding.h"

#include "../../core/base/fail.h"

namespace gradus {

const char* to_string(nn::PaddingMode mode) {
  constexpr const char* names[] = {"zeros", "constant", "reflect", "replicate", "circular"};
  return names[static_cast<int>(mode)];
}

Tensor nn::functional::pad(Operand x, const PadFuncOptions& options) {
  if (options.mode() != kConstant && options.mode() != kZeros) {
    core::fail<ValueError>("pad: mode must be kConstant: {}", to_string(options.mode()));
  }
  return core::in_name_of(
      "pad", [&] { return constant_pad_nd(x, options.pad(), options.mode() == kZeros ? 0 : options.value()); });
}

}  // namespace gradus
