// Gradients of a module's parameters for each sample of a batch.
#pragma once

#include <vector>

#include "../../autograd/func/vmap.h"
#include "functional_call.h"
#include "independent_samples.h"

namespace gradus::nn {

/// Each sample's gradient of `loss(output, target)`, a number, for each of the module's parameters, in the order of
/// `parameters()`: [samples, ..]. The module sees one sample at a time, as a batch of one: input [1, ..], target [1, ..]. What
/// the mean of the losses has for a gradient is the mean of these. `.grad` is not touched. ModuleError where the samples are
/// not independent: where something normalises by all of a batch, as BatchNorm and functional::batch_norm do in training.
///
///     const auto g = nn::per_sample_gradients(net, [](Tensor y, Tensor t) { return cross_entropy_loss(y, t); }, x, t);
template <class M, class Loss>
std::vector<Tensor> per_sample_gradients(M&& module, const Loss& loss, const Tensor& inputs, const Tensor& targets) {
  const detail::IndependentSamples independent;
  const auto of_sample = [&](const std::vector<Tensor>& parameters, const Tensor& x, const Tensor& t) {
    return loss(functional_call(module, parameters, x.unsqueeze(0)), t.unsqueeze(0));
  };
  return func::per_sample_gradients(of_sample, detail::module_of(module).parameters(), inputs, targets);
}

}  // namespace gradus::nn
