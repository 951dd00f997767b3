#include "padding.h"

namespace gradus {

Tensor nn::functional::pad(Operand x, const PadFuncOptions& options) {
  if (options.mode() == kZeros) return gradus::pad(x, options.pad());
  return gradus::pad(x, options.pad(), to_string(options.mode()), options.value());
}

}  // namespace gradus
