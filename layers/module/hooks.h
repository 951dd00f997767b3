// Hooks: functions that see, and may replace, what goes into a module and comes out of it, forward and backward.
//
//   auto handle = net->register_forward_hook([](nn::Module& m, const std::vector<Tensor>& in, const Tensor& out) {
//     std::cout << m.path() << ' ' << out.sizes() << '\n';
//   });
//   ...
//   handle.remove();
//
// As in Python: a hook that returns nothing, or an undefined Tensor, changes nothing; one that returns a Tensor or a list of
// as many as there are puts them in their place. Of arguments and results the tensors are seen, those in tuples, lists and
// optionals of a result too. Which calls are seen is told at Module::register_forward_hook.
#pragma once

#include <functional>
#include <type_traits>
#include <utility>
#include <vector>

#include "../../core/base/export.h"
#include "module.h"

namespace gradus::nn {

namespace detail {
// ModuleError, naming the kind of hook, unless there are as many as before.
GRADUS_API void replace(std::vector<Tensor>& tensors, Tensor by, const char* hook);
GRADUS_API void replace(std::vector<Tensor>& tensors, std::vector<Tensor> by, const char* hook);
/// The one result of a hook that takes one. ModuleError when there are more or fewer.
GRADUS_API const Tensor& only(const std::vector<Tensor>& results);

template <class F, class... Args>
void run_hook(F& hook, const char* kind, std::vector<Tensor>& changed, Args&... args) {
  if constexpr (std::is_void_v<std::invoke_result_t<F&, Args&...>>)
    hook(args...);
  else
    replace(changed, hook(args...), kind);
}
}  // namespace detail

/// `hook(Module&, const std::vector<Tensor>& inputs)`.
class GRADUS_API ForwardPreHook {
 public:
  template <class F>
  requires(std::is_invocable_v<F&, Module&, std::vector<Tensor>&>) ForwardPreHook(F hook)  // NOLINT
      : call([hook = std::move(hook)](Module& module, std::vector<Tensor>& inputs) mutable {
          detail::run_hook(hook, "register_forward_pre_hook", inputs, module, inputs);
        }) {}
  std::function<void(Module&, std::vector<Tensor>& inputs)> call;
};

/// `hook(Module&, const std::vector<Tensor>& inputs, const Tensor& output)`; of a module with several results, or any
/// number of them, `const std::vector<Tensor>& outputs`.
class GRADUS_API ForwardHook {
 public:
  template <class F>
  requires(std::is_invocable_v<F&, Module&, std::vector<Tensor>&, std::vector<Tensor>&> ||
           std::is_invocable_v<F&, Module&, std::vector<Tensor>&, const Tensor&>) ForwardHook(F hook)  // NOLINT
      : call([hook = std::move(hook)](Module& module, std::vector<Tensor>& inputs,
                                      std::vector<Tensor>& outputs) mutable {
          constexpr const char* kind = "register_forward_hook";
          if constexpr (std::is_invocable_v<F&, Module&, std::vector<Tensor>&, std::vector<Tensor>&>)
            detail::run_hook(hook, kind, outputs, module, inputs, outputs);
          else
            detail::run_hook(hook, kind, outputs, module, inputs, detail::only(outputs));
        }) {}
  std::function<void(Module&, std::vector<Tensor>& inputs, std::vector<Tensor>& outputs)> call;
};

/// `hook(Module&, const std::vector<Tensor>& grad_inputs, const std::vector<Tensor>& grad_outputs)`: a gradient is undefined
/// where none flows. It is called once all that the module's arguments get has come together. While there is such a hook the
/// arguments and results are views: a module that changes its argument in place changes a view of it. The module has to be
/// held by a shared_ptr where it is called, which the graph keeps: ModuleError.
class GRADUS_API BackwardHook {
 public:
  template <class F>
  requires(std::is_invocable_v<F&, Module&, std::vector<Tensor>&, std::vector<Tensor>&>) BackwardHook(F hook)  // NOLINT
      : call([hook = std::move(hook)](Module& module, std::vector<Tensor>& grad_inputs,
                                      std::vector<Tensor>& grad_outputs) mutable {
          detail::run_hook(hook, "register_full_backward_hook", grad_inputs, module, grad_inputs, grad_outputs);
        }) {}
  std::function<void(Module&, std::vector<Tensor>& grad_inputs, std::vector<Tensor>& grad_outputs)> call;
};

/// What registering gives: takes the hook away again. It may outlive the module.
class GRADUS_API RemovableHandle {
 public:
  RemovableHandle();
  RemovableHandle(core::Ref<detail::ModuleHooks> hooks, unsigned id);
  RemovableHandle(const RemovableHandle&);
  RemovableHandle(RemovableHandle&&) noexcept;
  RemovableHandle& operator=(RemovableHandle) noexcept;
  ~RemovableHandle();
  /// Nothing happens the second time.
  void remove();
  unsigned id() const noexcept { return id_; }

 private:
  core::Ref<detail::ModuleHooks> hooks_;
  unsigned id_ = 0;
};

}  // namespace gradus::nn
