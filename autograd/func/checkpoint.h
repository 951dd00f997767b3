// Memory for time: what a part of a network saves for backward is computed again there.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "../../core/base/export.h"
#include "call.h"

namespace gradus::func {

/// Whether the calling thread runs a checkpoint's function again. What counts its calls, or keeps running statistics,
/// does so the first time alone: BatchNorm and InstanceNorm ask this.
GRADUS_API bool recomputing() noexcept;

namespace detail {
GRADUS_API Tensors checkpoint(std::function<Tensors(const Tensors&)> f, const Tensors& inputs);
}

/// f(inputs...), of which nothing is kept for backward but the inputs: f runs once more when backward first needs a
/// value that its operations saved. Values and gradients are the same bits as without, those of tensors that f captured
/// too, with autograd::grad, create_graph and further checkpoints inside f. f takes and returns tensors as in
/// transforms.h; it and all that it captured are kept until nothing needs them.
///
/// When f runs again the default generator stands where it stood (and is put back), so that Dropout draws the same;
/// what f draws from a generator of its own must be drawn outside. What f does beside computing must be done once
/// (recomputing()). f must save the same number of values, by the same operations, of the same shapes: GradError, at
/// the backward pass, where it is not deterministic, as when a module has changed from train() to eval() in between;
/// and when an input has been changed in place since. Where nothing is recorded it is a call of f. With retain_graph
/// what was computed again stays until the graph goes.
///
/// As torch.utils.checkpoint.checkpoint(f, x, use_reentrant=False). After Chen et al., "Training Deep Nets with
/// Sublinear Memory Cost", 2016: n layers in sqrt(n) checkpoints need memory for 2 sqrt(n).
template <class F, class... X>
requires detail::CallableWith<std::decay_t<F>, X...>
auto checkpoint(F&& f, const X&... inputs) {
  using R = detail::ResultOf<std::decay_t<F>>;
  auto listing = [f = std::decay_t<F>(std::forward<F>(f))](const Tensors& x) mutable {
    return detail::listed(detail::call("checkpoint", f, x));
  };
  return detail::unlisted<R>(detail::checkpoint(std::move(listing), detail::arguments(inputs...)));
}

}  // namespace gradus::func
