// A module called with other parameters than its own.
#pragma once

#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "../../core/base/export.h"
#include "module.h"

namespace gradus::nn {

/// While it lives, parameters and buffers of a module, and of all below it, are others: they have those tensors'
/// numbers and histories, under every name and through every handle. Buffers that are not named are copies, so that
/// what forward writes to them is gone with this; what it writes to one that is named is written to the tensor given
/// for it. Afterwards, also when an exception ends it, the module is as before. One thread at a time may use such a
/// module.
class GRADUS_API OtherParameters {
 public:
  /// Those named as in `state_dict`: "seq.0.weight". ModuleError for a name that there is not, and where a tensor that
  /// has several names is given several values; ShapeError for another shape. The dtype may be another.
  OtherParameters(const Module& module, const NamedTensors& tensors);
  /// All of `parameters()`, in their order. ModuleError for another number of them.
  OtherParameters(const Module& module, const std::vector<Tensor>& parameters);
  ~OtherParameters();
  OtherParameters(const OtherParameters&) = delete;
  OtherParameters& operator=(const OtherParameters&) = delete;

 private:
  struct Other;
  void stand_in(const Tensor& own, const Tensor& other, std::string_view name);
  void exchange(const Module& module);
  std::vector<Other> others_;
};

namespace detail {
/// The module itself, of one or of a holder of one.
template <class M>
const Module& module_of(const M& module) {
  if constexpr (requires { typename M::ContainedType; })
    return *module;
  else
    return module;
}
}  // namespace detail

/// The module's result for `args`, with these tensors in place of its parameters and buffers: a function of them, which
/// can be differentiated with respect to them, by autograd or by func::grad. As torch.func.functional_call; what is
/// said of OtherParameters holds.
///
///     auto loss = [&](const std::vector<Tensor>& p) { return functional_call(net, p, x).square().mean(); };
///     std::vector<Tensor> gradients = func::jacrev(loss, {0, 1})(net->parameters());
template <class M, class Parameters, class... Args>
decltype(auto) functional_call(M&& module, const Parameters& parameters, Args&&... args) {
  const OtherParameters others(detail::module_of(module), parameters);
  if constexpr (requires { typename std::remove_cvref_t<M>::ContainedType; })
    return module(std::forward<Args>(args)...);
  else
    return module.forward(std::forward<Args>(args)...);
}

}  // namespace gradus::nn

namespace gradus::func {
using nn::functional_call;
}
