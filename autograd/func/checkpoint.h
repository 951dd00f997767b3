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
/// When f runs again its thread's default generator is another that stands where it stood: Dropout draws the same;
/// what f draws from a generator of its own must be drawn outside. What f does beside computing must be done once
/// (recomputing()). f must save the same number of values, by the same operations, of the same shapes: GradError, at
/// the backward pass, where it is not deterministic, as when a module has changed from train() to eval() in between;
/// and when an input has been changed in place since. Where nothing is recorded it is a call of f. With retain_graph
/// what was computed again stays until the graph goes.
///
/// What f captured must be as it was, too, and not moved on by an optimizer's step or another functional_call:
/// GradError where an operand of a recorded operation is neither the same memory, not written to since, nor holds the
/// same numbers. What f computes of it without recording is compared by a checksum. What f itself wrote to in its first
/// run, as running statistics, is free. A checkpoint belongs around a functional_call: inside it f would run again when
/// the module's own parameters are back. No other thread should draw from the default generator while f runs first.
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
