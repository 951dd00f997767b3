// Layer and FunctionLayer: modules whose forward opens its scope by itself.
#pragma once

#include <cstddef>
#include <string>
#include <type_traits>

#include "../../autograd/graph/operation_support.h"
#include "cloneable.h"

namespace gradus::nn {

namespace detail {
/// "p=0.5, inplace=false": the fields of a module's options as extra_repr() has them.
GRADUS_API std::string repr(const autograd::AttributeList& fields);
template <class Options>
std::string repr(const Options& options) {
  return repr(autograd::detail::list_attributes(options));
}

/// A call, under the module's path and between its hooks.
GRADUS_API Tensor hooked(Module& module, const Operand* x, std::size_t count,
                         Tensor (*compute)(Module&, const Operand*, std::size_t));

template <class Derived, class... X>
concept Computes = requires(Derived& d, const X&... x) {
  d.compute(x...);
};
// Functions, and not members: each layer's class, and there are many, is compiled by every file that includes it.
template <class Derived>
Tensor compute_of(Module& module, const Operand* x, std::size_t count) {
  auto& d = static_cast<Derived&>(module);
  if constexpr (Computes<Derived, Operand, Tensor, Tensor>) {
    if (count == 3) return d.compute(x[0], x[1].tensor(), x[2].tensor());
  }
  if constexpr (Computes<Derived, Operand, Tensor>) {
    if (count == 2) return d.compute(x[0], x[1].tensor());
  }
  if constexpr (Computes<Derived, Operand>) return d.compute(x[0]);
  return {};
}
template <class Derived, class... X>
Tensor compute(Derived& module, Operand x, const X&... more) {
  if (module.has_hooks()) [[unlikely]] {
    const Operand all[] = {x, Operand(more, x.at())...};
    return hooked(module, all, 1 + sizeof...(X), &compute_of<Derived>);
  }
  try {
    const autograd::Scope scope(x.at(), module.path());
    return module.compute(x, more...);
  } catch (...) {
    rethrow_from(module, x.at());
  }
}
}  // namespace detail

/// A module that computes one Tensor of one to three. Derived writes `Tensor compute(Operand x)`, or with one or two
/// more tensors after x, and users call `forward`: what is recorded in it carries the caller's line and the module's
/// path, whichever way it is called (`layer(x)`, `layer->forward(x)`, in a Sequential). It prints the fields of its
/// `options` (see named).
///
/// Of a module with a forward of its own, only a call through its holder, a Sequential or an AnyModule carries the path.
template <class Derived>
class Layer : public Cloneable<Derived> {
 public:
  using Cloneable<Derived>::Cloneable;

  using RunsHooks = void;  // so that who calls does not

  // Templates, because Derived is incomplete where this class is made: what it computes is seen when it is called.
  template <class D = Derived>
  Tensor forward(Operand x) requires detail::Computes<D, Operand> {
    return detail::compute(static_cast<Derived&>(*this), x);
  }
  template <class D = Derived>
  Tensor forward(Operand x, const Tensor& y) requires detail::Computes<D, Operand, Tensor> {
    return detail::compute(static_cast<Derived&>(*this), x, y);
  }
  template <class D = Derived>
  Tensor forward(Operand x, const Tensor& y, const Tensor& z) requires detail::Computes<D, Operand, Tensor, Tensor> {
    return detail::compute(static_cast<Derived&>(*this), x, y, z);
  }
  /// The fields of Derived's `options`, if it has such.
  std::string extra_repr() const override {
    if constexpr (requires(const Derived& d) { detail::repr(d.options); })
      return detail::repr(static_cast<const Derived&>(*this).options);
    else
      return {};
  }
};

/// For functions that take none.
struct NoOptions {};

/// A module that is a function of nn::functional and its options: `function(x, options)`, or `function(x, target,
/// options)` of a loss. One declaration makes one:
///
///     struct ELUImpl : FunctionLayer<ELUImpl, functional::elu, ELUOptions> {
///       using FunctionLayer::FunctionLayer;
///     };
///     GRADUS_MODULE(ELU);
template <class Derived, auto function, class Options = NoOptions>
class FunctionLayer : public Layer<Derived> {
  using Function = decltype(function);

 public:
  FunctionLayer() requires requires { Options(); }
  {}
  explicit FunctionLayer(const Options& chosen) : options(chosen) {}

  Tensor compute(Operand x) requires std::is_invocable_v<Function, Operand> { return function(x); }
  Tensor compute(Operand x) requires std::is_invocable_v<Function, Operand, const Options&> {
    return function(x, options);
  }
  Tensor compute(Operand x,
                 const Tensor& target) requires std::is_invocable_v<Function, Operand, const Tensor&, const Options&> {
    return function(x, target, options);
  }
  void reset() override {}

  [[no_unique_address]] Options options;
};

}  // namespace gradus::nn
