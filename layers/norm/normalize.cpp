#include "normalize.h"

#include "../../autograd/graph/grad_mode.h"
#include "../../autograd/ops/rounded_once.h"
#include "../../core/base/errors.h"
#include "../../core/base/expect.h"

namespace gradus::nn {

Tensor functional::normalize(Operand x, const NormalizeFuncOptions& options) {
  if (autograd::stored(x)) return autograd::rounded_once([&](Operand u) { return normalize(u, options); }, x);
  core::expect_floating("normalize", "input", x.tensor());
  const autograd::Scope scope(x.at());
  return core::in_name_of("normalize", [&] {
    const Tensor y = x.tensor() / clamp_min(norm(x.tensor(), options.p(), {options.dim()}, true), options.eps());
    return options.out() ? Tensor(options.out()->copy_(y, x.at())) : y;
  });
}

}  // namespace gradus::nn
