// BatchNorm where samples are to stay apart: under func::vmap (by running statistics; by those of the batch each example goes
// by itself), and while per-sample gradients are taken.
#include "batch_norm.h"

#include "../module/independent_samples.h"

namespace gradus::nn {

using namespace autograd;

Tensor functional::batch_norm(Operand x, const Tensor& running_mean, const Tensor& running_var,
                              const BatchNormFuncOptions& options) {
  if (options.training()) detail::expect_samples_may_mix("batch_norm");
  return detail::batch_norm_of_any(x, running_mean, running_var, options);
}

std::tuple<Tensor, Tensor, Tensor> BatchNormEvalRule::batch(const Attrs& attrs, const Examples& x) {
  if (x.dim(0) < 2) return {};
  bool alike = true;
  for (int i = 1; i < 5; ++i) alike = alike && x.shared(i);
  if (alike) {
    const Tensor y = std::get<0>(apply<BatchNormEvalRule>(attrs, x.merged(0), x[1], x[2], x[3], x[4]));
    return {x.split(y, x.shape(0)[0]), Tensor(), Tensor()};
  }
  const auto by_channel = [&](int i) {  // [C] beside [N, C, ..]
    Tensor own = x[i];
    for (std::int64_t d = 2; d < x.dim(0); ++d) own = own.unsqueeze(-1);
    return own.defined() && !x.shared(i) ? own.unsqueeze(1) : own;
  };
  Tensor y = (x[0] - by_channel(3)) / sqrt(by_channel(4) + attrs.eps);
  if (x[1].defined()) y = y * by_channel(1);
  if (x[2].defined()) y = y + by_channel(2);
  return {y, Tensor(), Tensor()};
}

}  // namespace gradus::nn
