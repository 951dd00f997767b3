// Modules that only pass on: Flatten, Identity, and Functional around a function.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>

#include "../../core/base/export.h"
#include "../module/layer.h"

namespace gradus::nn {

/// `FlattenOptions().start_dim(1).end_dim(-1)`: the first and the last dimension to join; negative ones count from the
/// back.
struct FlattenOptions {
  GRADUS_ARG(std::int64_t, start_dim) = 1;
  GRADUS_ARG(std::int64_t, end_dim) = -1;

 public:
  static constexpr auto fields = named("start_dim", &FlattenOptions::start_dim_, "end_dim", &FlattenOptions::end_dim_);
};

namespace detail {
GRADUS_API Tensor flatten(Operand x, const FlattenOptions& options);
inline Tensor identity(Operand x) { return x.tensor(); }
}  // namespace detail

/// Joins dimensions, by default all but the first: [N, C, H, W] gives [N, C H W]. IndexError when a
/// dimension is out of range, ShapeError when they are in the wrong order.
class GRADUS_API FlattenImpl : public FunctionLayer<FlattenImpl, detail::flatten, FlattenOptions> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(Flatten);

/// The input, the same tensor.
class GRADUS_API IdentityImpl : public FunctionLayer<IdentityImpl, detail::identity> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(Identity);

/// A function of one tensor as a module: `Functional(gradus::relu)`, `Functional(gradus::log_softmax, 1, std::nullopt)`
/// with the arguments after the first bound.
class GRADUS_API FunctionalImpl : public Cloneable<FunctionalImpl> {
 public:
  template <class F, class... Bound>
  requires(std::is_invocable_v<const F&, Operand, const Bound&...> ||
           std::is_invocable_v<const F&, const Tensor&, const Bound&...>) explicit FunctionalImpl(F function,
                                                                                                  Bound... bound)
      : function_([=](Operand x) -> Tensor {
          if constexpr (std::is_invocable_v<const F&, Operand, const Bound&...>)
            return function(x, bound...);
          else
            return function(x.tensor(), bound...);
        }) {}

  Tensor forward(Operand x);
  void reset() override {}
  bool is_serializable() const override { return false; }

 private:
  std::function<Tensor(Operand)> function_;
};
GRADUS_MODULE(Functional);

}  // namespace gradus::nn
