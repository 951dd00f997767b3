// Checking a module's gradients.
//
//   nn::Linear linear(5, 3);
//   std::cout << nn::check(linear, randn({7, 5}));
//
// differentiates the module as it is, through the hand-written rules that it calls; by the graph, with every rule's
// composed reference in its place; and by central differences: for every floating input and every parameter, in both
// orders. What is compared, and how, is told in autograd/check/check.h; the table says who agrees, who doesn't, and why,
// where a relation fits.
//
// The check computes in float64, whatever the module's dtype; in the mode that the module is in; and at the values that
// it has: where gamma is 1, a missing gamma goes unnoticed, so give parameters values that tell. The random stream and
// the buffers stand still: each forward sees the same mask and the same running statistics. Afterwards parameters,
// their `.grad`, buffers and the default generator are what they were, also after an error. (A member that forward
// writes and that is no buffer, such as Dropout's mask(), is left as the last evaluation left it.)
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "../../autograd/check/check.h"
#include "../../core/base/export.h"
#include "holder.h"
#include "module.h"

namespace gradus::nn {

using autograd::check;  // for rules: check<LinearRule>(x, weight, bias), check(LinearRule(), x, weight, bias)
using autograd::CheckOptions;
using autograd::CheckReport;

namespace detail {
GRADUS_API CheckReport check_module(Module& module, const autograd::TensorFunction& forward,
                                    const autograd::detail::CheckArguments& given);
}  // namespace detail

/// Checks a module whose forward takes Tensors and returns one, or a tuple or vector of them. `arguments` are its
/// inputs, and CheckOptions if any. Inputs of any dtype; those that aren't floating are passed as they are. GradError
/// when no output depends on what is checked, or the module isn't deterministic; what forward throws is thrown.
template <class M, class... A>
requires std::is_base_of_v<Module, M> CheckReport check(M& module, const A&... arguments) {
  static_assert(autograd::detail::tensors_among<A...> > 0, "check takes the module's inputs");
  const auto forward = [&module](const std::vector<Tensor>& x) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return autograd::detail::as_list(detail::call_forward(module, Location::unknown(), x[0], x[I + 1]...));
    }
    (std::make_index_sequence<autograd::detail::tensors_among<A...> - 1>{});
  };
  return detail::check_module(module, forward, autograd::detail::check_arguments(arguments...));
}
template <class M, class... A>
requires std::is_base_of_v<Module, M> CheckReport check(const ModuleHolder<M>& module, const A&... arguments) {
  return check(*module, arguments...);
}
template <class M, class... A>
requires std::is_base_of_v<Module, M> CheckReport check(const std::shared_ptr<M>& module, const A&... arguments) {
  return check(*module, arguments...);
}

}  // namespace gradus::nn
