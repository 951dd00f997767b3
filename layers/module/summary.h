// A network as a table: what each module gives, and what it costs.
//
//   std::cout << nn::summary(net, {{1, 28, 28}});      // the size of each argument, batch included
//   std::cout << nn::summary(net, x, mask);            // or the arguments themselves
//   nn::summary(net, {{64, 784}}).multiply_adds
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "../../core/base/export.h"
#include "containers.h"

namespace gradus::nn {

/// One module.
struct GRADUS_API LayerSummary {
  std::string path;  ///< below the network: "block.0", "" for itself
  std::string type;  ///< "Linear"
  std::size_t depth = 0;
  // Of its first call; empty where none was seen (Module::register_forward_hook says which are).
  std::vector<std::vector<std::int64_t>> inputs, outputs;
  std::int64_t calls = 0;
  // With all that is below it.
  std::int64_t parameters = 0;       ///< elements; what is shared counts once
  std::int64_t trainable = 0;        ///< of them, those that require a gradient
  std::int64_t parameter_bytes = 0;  ///< and of buffers
  std::int64_t multiply_adds = 0;    ///< of matrix products, convolutions, attention and recurrent layers, in all calls
  std::int64_t output_bytes = 0;     ///< of what modules without submodules gave, in all calls
};

struct GRADUS_API Summary : LayerSummary {
  std::vector<LayerSummary> layers;  ///< the network first, then what is below it, in the order of registration
  std::string to_string() const;
};
GRADUS_API std::ostream& operator<<(std::ostream& stream, const Summary& summary);

namespace detail {
GRADUS_API Summary summarise(Module& module, core::FunctionRef<void()> forward);
GRADUS_API std::vector<Tensor> summary_inputs(const std::vector<std::vector<std::int64_t>>& sizes,
                                              const Module& module);
[[noreturn]] GRADUS_API void fail_summary_inputs(const Module& module, std::size_t given);

template <class M>
auto& module_in(const M& module) {
  if constexpr (std::is_base_of_v<Module, M>)
    return const_cast<M&>(module);
  else
    return *module;
}
template <class M, class... X>
Summary summary_of(M& module, const X&... x) {
  return summarise(module, [&] { static_cast<void>(call_forward(module, Location::unknown(), x...)); });
}
template <class M, class... Rest>
concept TakesTensors = requires(M& module, const Tensor& x, const Rest&... rest) {
  module.forward(x, rest...);
};
}  // namespace detail

/// By one forward in evaluation, under the module's own numbers: nothing of the module, its gradients or the random stream
/// is changed. Arguments of which there are sizes are floating, in the dtype of the module's first parameter; where it takes
/// integers, give the arguments. What forward throws is thrown.
template <class M, class... X>
requires(sizeof...(X) > 0 && (std::is_same_v<X, Tensor> && ...)) Summary summary(const M& module, const X&... inputs) {
  return detail::summary_of(detail::module_in(module), inputs...);
}
template <class M>
Summary summary(const M& module, const std::vector<std::vector<std::int64_t>>& sizes) {
  auto& m = detail::module_in(module);
  const std::vector<Tensor> x = detail::summary_inputs(sizes, m);
  using Impl = std::remove_reference_t<decltype(m)>;
  if constexpr (detail::TakesTensors<Impl>) {
    if (x.size() == 1) return detail::summary_of(m, x[0]);
  }
  if constexpr (detail::TakesTensors<Impl, Tensor>) {
    if (x.size() == 2) return detail::summary_of(m, x[0], x[1]);
  }
  if constexpr (detail::TakesTensors<Impl, Tensor, Tensor>) {
    if (x.size() == 3) return detail::summary_of(m, x[0], x[1], x[2]);
  }
  detail::fail_summary_inputs(m, x.size());
}

}  // namespace gradus::nn
