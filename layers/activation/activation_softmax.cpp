#include "activation_softmax.h"

#include "../../autograd/graph/grad_mode.h"
#include "../../autograd/ops/functions.h"
#include "../../autograd/ops/rounded_once.h"
#include "../../autograd/tensor/create.h"
#include "../../autograd/tensor/tensor.h"
#include "../../core/base/errors.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"

namespace gradus::nn {

using namespace autograd;

Tensor functional::softmax(Operand x, const SoftmaxFuncOptions& options) {
  return gradus::softmax(x, options.dim(), options.dtype());
}
Tensor functional::log_softmax(Operand x, const LogSoftmaxFuncOptions& options) {
  return gradus::log_softmax(x, options.dim(), options.dtype());
}
Tensor functional::softmin(Operand x, const SoftminFuncOptions& options) {
  const Scope scope(x.at());
  return core::in_name_of("softmin", [&] { return gradus::softmax(-x.tensor(), options.dim(), options.dtype()); });
}
Tensor functional::softmax2d(Operand x) {
  core::expect_dims("softmax2d", "input", x.tensor(), 3, 4, "[N, C, H, W] or [C, H, W]");
  return core::in_name_of("softmax2d", [&] { return gradus::softmax(x, -3); });
}
Tensor functional::gumbel_softmax(Operand x, const GumbelSoftmaxFuncOptions& options) {
  if (stored(x)) return rounded_once([&](Operand u) { return gumbel_softmax(u, options); }, x);
  core::expect_floating("gumbel_softmax", "input", x.tensor());
  if (!(options.tau() > 0)) core::fail<ValueError>("gumbel_softmax: tau must be above 0: {}", options.tau());
  const Scope scope(x.at());
  return core::in_name_of("gumbel_softmax", [&] {
    const Tensor e = zeros_like(x.tensor()).exponential_();
    const Tensor soft = gradus::softmax((x.tensor() - log(e)) / options.tau(), options.dim());
    if (!options.hard()) return soft;
    const Tensor index = argmax(soft.detach(), options.dim(), true);
    return scatter(zeros_like(soft), options.dim(), index, 1) - soft.detach() + soft;
  });
}

}  // namespace gradus::nn
