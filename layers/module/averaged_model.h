// AveragedModel: a model whose parameters are running averages of another's, as Python's torch.optim.swa_utils has it.
//
//   nn::AveragedModel ema(net, 0.999);            // a copy of the network; net goes on being trained
//   ...
//   optimizer.step();
//   ema.update_parameters(net);
//   ...
//   ema.eval();
//   Tensor y = ema(x);
#pragma once

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "../../core/base/arg.h"
#include "module.h"

namespace gradus::nn {

/// Without a decay all models count alike: SWA (Izmailov et al., "Averaging Weights Leads to Wider Optima", 2018). With one
/// it is an exponential average, avg <- decay avg + (1 - decay) parameter: EMA (Polyak and Juditsky, 1992).
struct AveragedModelOptions {
  AveragedModelOptions() = default;
  AveragedModelOptions(double decay) : decay_(decay) {}  // NOLINT(google-explicit-constructor)
  GRADUS_ARG(std::optional<double>, decay);
  /// Whether floating buffers are averaged, too; they are copied otherwise, as those of integers are.
  GRADUS_ARG(bool, use_buffers) = false;
};

namespace detail {

/// What there is to it, whatever the model's type.
class GRADUS_API AveragedModelBase : public Module {
 public:
  AveragedModelBase(const Module& model, std::shared_ptr<Module> copy, const AveragedModelOptions& chosen);
  ~AveragedModelBase() override;

  /// The first time the parameters are copied. ModuleError, before anything changes, when the model's parameters and buffers
  /// are not those of the copy by name and shape.
  void update_parameters(const Module& model);
  template <class Contained>
  void update_parameters(const ModuleHolder<Contained>& model) {
    update_parameters(*model);
  }
  template <class M>
  void update_parameters(const std::shared_ptr<M>& model) {
    update_parameters(*model);
  }

  Tensor n_averaged;  ///< how many updates there have been, a buffer
  AveragedModelOptions options;

 protected:
  std::shared_ptr<Module> module_;
};

/// The module's type, out of its holder's or of a shared_ptr's.
template <class T>
struct Averaged {
  using Type = T;
};
template <class T>
requires requires { typename T::ContainedType; }
struct Averaged<T> {
  using Type = typename T::ContainedType;
};
template <class T>
struct Averaged<std::shared_ptr<T>> {
  using Type = T;
};
}  // namespace detail

template <class M>
class AveragedModel : public detail::AveragedModelBase {
 public:
  /// Of a clone of the model, which has to derive from Cloneable: ModuleError.
  explicit AveragedModel(const ModuleHolder<M>& model, const AveragedModelOptions& chosen = {})
      : AveragedModelBase(*model, model->clone(), chosen) {}
  explicit AveragedModel(const std::shared_ptr<M>& model, const AveragedModelOptions& chosen = {})
      : AveragedModelBase(*model, model->clone(), chosen) {}
  explicit AveragedModel(const M& model, const AveragedModelOptions& chosen = {})
      : AveragedModelBase(model, model.clone(), chosen) {}
  /// Of another model of the same class, made for it: `AveragedModel(net, std::make_shared<Net>(), 0.999)`. It is given the
  /// model's values.
  AveragedModel(const M& model, std::shared_ptr<M> copy, const AveragedModelOptions& chosen = {})
      : AveragedModelBase(model, std::move(copy), chosen) {}
  AveragedModel(const std::shared_ptr<M>& model, std::shared_ptr<M> copy, const AveragedModelOptions& chosen = {})
      : AveragedModelBase(*model, std::move(copy), chosen) {}

  M& module() const { return static_cast<M&>(*module_); }
  M* operator->() const { return &module(); }
  template <class... X>
  decltype(auto) forward(X&&... x) const {
    return detail::call_forward(module(), Location::unknown(), std::forward<X>(x)...);
  }
  template <class... X>
  decltype(auto) operator()(X&&... x) const {
    return forward(std::forward<X>(x)...);
  }
};

template <class T>
AveragedModel(const T&) -> AveragedModel<typename detail::Averaged<T>::Type>;
template <class T>
AveragedModel(const T&, const AveragedModelOptions&) -> AveragedModel<typename detail::Averaged<T>::Type>;
template <class T, class Copy>
AveragedModel(const T&, std::shared_ptr<Copy>, const AveragedModelOptions&)
    -> AveragedModel<typename detail::Averaged<T>::Type>;

}  // namespace gradus::nn
