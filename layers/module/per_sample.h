// Gradients of a module's parameters for each sample of a batch.
#pragma once

#include <vector>

#include "../../autograd/func/vmap.h"
#include "../../core/base/export.h"
#include "functional_call.h"

namespace gradus::nn {

namespace detail {
/// ModuleError where a sample's loss would depend on the others: by BatchNorm in training.
GRADUS_API void expect_independent_samples(const Module& module);
}  // namespace detail

/// Each sample's gradient of `loss(output, target)`, a number, for each of the module's parameters, in the order of
/// `parameters()`: [samples, ..]. The module sees one sample at a time, as a batch of one: input [1, ..], target [1, ..]. What
/// the mean of the losses has for a gradient is the mean of these. `.grad` is not touched. ModuleError where the samples are
/// not independent.
///
///     const auto g = nn::per_sample_gradients(net, [](Tensor y, Tensor t) { return cross_entropy_loss(y, t); }, x, t);
template <class M, class Loss>
std::vector<Tensor> per_sample_gradients(M&& module, const Loss& loss, const Tensor& inputs, const Tensor& targets) {
  const Module& whole = [&]() -> const Module& {
    if constexpr (requires { typename std::remove_cvref_t<M>::ContainedType; })
      return *module;
    else
      return module;
  }();
  detail::expect_independent_samples(whole);
  const auto of_sample = [&](const std::vector<Tensor>& parameters, const Tensor& x, const Tensor& t) {
    return loss(functional_call(module, parameters, x.unsqueeze(0)), t.unsqueeze(0));
  };
  return func::per_sample_gradients(of_sample, whole.parameters(), inputs, targets);
}

}  // namespace gradus::nn
