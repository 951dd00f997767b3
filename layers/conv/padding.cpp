#include "padding.h"

namespace gradus {

const char* to_string(nn::PaddingMode mode) {
  constexpr const char* names[] = {"zeros", "constant", "reflect", "replicate", "circular"};
  return names[static_cast<int>(mode)];
}

Tensor nn::functional::pad(Operand x, const PadFuncOptions& options) {
  if (options.mode() == kZeros) return gradus::pad(x, options.pad());
  return gradus::pad(x, options.pad(), to_string(options.mode()), options.value());
}

}  // namespace gradus
