// Operations that a program defines by a class with a forward and a backward, as in PyTorch:
//
//   struct Cube : autograd::Function<Cube> {
//     static Tensor forward(AutogradContext* ctx, Tensor x, double scale) {
//       ctx->save_for_backward({x});
//       ctx->saved_data["scale"] = scale;
//       return x * x * x * scale;
//     }
//     static variable_list backward(AutogradContext* ctx, variable_list dy) {
//       const Tensor x = ctx->get_saved_variables()[0];
//       return {dy[0] * 3 * x * x * ctx->saved_data["scale"].toDouble(), Tensor()};  // a gradient for each argument
//     }
//   };
//   Tensor y = Cube::apply(x, 2.0);
//
// What is checked here, an operation's struct (graph/operation.h) has checked by the compiler, and it keeps what its formulas
// ask for by itself; this is for programs that have such classes already.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include "../../core/base/export.h"
#include "../../core/base/ref.h"
#include "../tensor/tensor.h"
#include "grad_mode.h"
#include "ivalue.h"
#include "node.h"

namespace gradus::autograd {

using Variable = Tensor;
using variable_list = std::vector<Tensor>;
using tensor_list = std::vector<Tensor>;
using edge_list = std::vector<Edge>;
using IndexRange = std::pair<std::size_t, std::size_t>;
using gradus::AutoGradMode;
using gradus::GradMode;

namespace detail {
class FunctionNode;
}

/// What forward keeps for backward, and says of its arguments and results.
class GRADUS_API AutogradContext {
 public:
  AutogradContext() = default;
  AutogradContext(const AutogradContext&) = delete;
  AutogradContext& operator=(const AutogradContext&) = delete;

  /// Numbers, texts, lists and constant tensors, by name. A tensor in here is not checked for changes, and stays until the
  /// graph goes. What backward changes in here stays when it ends: of threads that run it at once, the last one's.
  IValueMap saved_data;

  /// Keeps arguments and results of forward (undefined ones too). backward gets them with their histories; a change in
  /// place until then is noticed. Any other tensor is kept as numbers, a constant of higher derivatives: these say so once,
  /// on the standard error stream, when they should have differentiated it.
  void save_for_backward(variable_list to_save);
  /// Says that forward has changed these arguments in place: it has to return them, and their histories are rewritten as by
  /// any operation in place.
  void mark_dirty(const variable_list& inputs);
  /// Says that no gradient flows to these results. None does to integers.
  void mark_non_differentiable(const variable_list& outputs);
  /// Whether backward gets zeros for results that no gradient came for (the default), or undefined tensors.
  void set_materialize_grads(bool value) noexcept { materialize_grads_ = value; }

  /// GradError when one has been changed in place since, or an earlier backward pass has let them go.
  variable_list get_saved_variables() const;
  /// Whether a gradient is wanted for tensor number `i` among the arguments (those that are none are not counted), by the
  /// backward pass that runs. IndexError when there are fewer.
  bool needs_input_grad(std::size_t i) const;
  /// Whether one is wanted for any in these ranges, [first, last).
  bool needs_input_grad(std::initializer_list<IndexRange> ranges) const;

 private:
  friend class detail::FunctionNode;
  const detail::FunctionNode* node_ = nullptr;  // whose it is; null: the program's own
  variable_list to_save_, dirty_, non_differentiable_;
  bool materialize_grads_ = true;
};

namespace detail {

using FunctionBackward = variable_list (*)(AutogradContext*, variable_list&&);

/// What there is to know of a class derived from Function.
class GRADUS_API FunctionType {
 public:
  FunctionType(const std::type_info& type, FunctionBackward backward);
  const char* name;  ///< without namespaces
  FunctionBackward backward;
  mutable std::atomic_flag has_warned;  ///< of a constant that a higher derivative should not have met
};

/// One call of a Function's apply.
class GRADUS_API FunctionCall {
 public:
  explicit FunctionCall(const FunctionType& type);
  ~FunctionCall();
  FunctionCall(const FunctionCall&) = delete;
  FunctionCall& operator=(const FunctionCall&) = delete;

  template <class Argument>
  void add(const Argument& argument) {
    if constexpr (std::is_base_of_v<Tensor, Argument>) {
      add_tensors(&argument, 1);
    } else if constexpr (requires {
                           requires std::is_convertible_v<decltype(argument.data()), const Tensor*>;
                           argument.size();
                         }) {
      add_tensors(argument.data(), argument.size());
    } else if constexpr (std::is_same_v<Argument, std::optional<Tensor>>) {
      argument && argument->defined() ? add_tensors(&*argument, 1) : add_other();
    } else {
      add_other();
    }
  }
  /// Once all arguments are known.
  AutogradContext* begin();
  Tensor finish(Tensor result);
  variable_list finish(variable_list results);

 private:
  void add_tensors(const Tensor* tensors, std::size_t count);
  std::vector<Operand> operands() const;
  void add_other();
  core::Ref<FunctionNode> node_;
  variable_list inputs_;
  std::vector<std::uint64_t> writes_;  // of each, before forward
};

template <class T>
const FunctionType& function_type() {
  static_assert(std::is_invocable_r_v<variable_list, decltype(&T::backward), AutogradContext*, variable_list>,
                "a Function has `static variable_list backward(AutogradContext*, variable_list)`: of the results' "
                "gradients those of forward's arguments");
  static const FunctionType type(typeid(T), [](AutogradContext* context, variable_list&& gradients) -> variable_list {
    return T::backward(context, std::move(gradients));
  });
  return type;
}

}  // namespace detail

/// T derives from Function<T> and has
///   static Tensor (or variable_list) forward(AutogradContext*, arguments...);
///   static variable_list backward(AutogradContext*, variable_list gradients_of_results);
/// forward runs without recording. backward returns a gradient for each argument, in their order, undefined for those that
/// are no tensors or have none; a list of tensors counts as its elements. A gradient has its tensor's shape, or one that sums
/// down to it. Under create_graph what backward does is recorded, so that higher derivatives follow.
/// An argument that forward returns unchanged comes out as a view of it; one that was changed has to be marked dirty.
template <class T>
struct Function {
  /// Runs forward on these arguments: Tensors, optional ones, lists of them, and anything else. GradError when what forward
  /// has changed in place was not marked, not returned, or cannot be changed (a leaf that requires grad).
  template <class X = T, class... Arguments>
  static auto apply(Arguments&&... arguments) {
    static_assert(std::is_same_v<X, T>, "apply takes no template arguments");
    static_assert(
        requires { X::forward(std::declval<AutogradContext*>(), std::declval<Arguments>()...); },
        "a Function has `static Tensor forward(AutogradContext*, arguments...)`, or one that returns a "
        "variable_list, and apply takes its arguments");
    using Result = decltype(X::forward(std::declval<AutogradContext*>(), std::declval<Arguments>()...));
    static_assert(std::is_same_v<Result, Tensor> || std::is_same_v<Result, variable_list>,
                  "forward returns a Tensor or a variable_list");
    detail::FunctionCall call(detail::function_type<X>());
    (call.add(arguments), ...);
    AutogradContext* const context = call.begin();
    Result outputs = [&] {
      const NoGradGuard unrecorded;
      return X::forward(context, std::forward<Arguments>(arguments)...);
    }();
    return call.finish(std::move(outputs));
  }
};

/// A tensor that a node keeps: its numbers and history, without the tensor itself. A node's own output is kept with
/// `is_output`, without its history, which leads to the node.
class GRADUS_API SavedVariable {
 public:
  SavedVariable() = default;
  SavedVariable(const Tensor& variable, bool is_output, bool is_inplace_on_view = false);
  /// The tensor again; an output as one of `saved_for`. GradError when it has been changed in place since, or let go.
  Tensor unpack(const core::Ref<Node>& saved_for = {}) const;
  /// Lets the numbers go.
  void reset_data();

 private:
  core::Array value_;
  std::uint64_t writes_ = 0;
  Edge edge_;
  int output_ = -1;
  bool gone_ = false;
};

/// Called with the gradients of all a node's outputs before it runs, when added by `node->add_pre_hook(std::make_unique<...>())`:
/// what it returns takes their place.
struct GRADUS_API FunctionPreHook {
  FunctionPreHook() = default;
  FunctionPreHook(const FunctionPreHook&) = delete;
  FunctionPreHook& operator=(const FunctionPreHook&) = delete;
  virtual ~FunctionPreHook();
  virtual variable_list operator()(const variable_list& of_outputs) = 0;
};
/// Called with the gradients of its inputs after it has run, and those of its outputs; what it returns takes the former's
/// place.
struct GRADUS_API FunctionPostHook {
  FunctionPostHook() = default;
  FunctionPostHook(const FunctionPostHook&) = delete;
  FunctionPostHook& operator=(const FunctionPostHook&) = delete;
  virtual ~FunctionPostHook();
  virtual variable_list operator()(const variable_list& of_inputs, const variable_list& of_outputs) = 0;
};

template <class Owner>
requires requires { typename Owner::element_type; }
std::uint64_t Node::add_pre_hook(Owner hook) {
  return add_pre_hook(PreHook([shared = std::shared_ptr<FunctionPreHook>(std::move(hook))](
                                  const variable_list& of_outputs) { return (*shared)(of_outputs); }));
}
template <class Owner>
requires requires { typename Owner::element_type; }
std::uint64_t Node::add_post_hook(Owner hook) {
  return add_post_hook(PostHook([shared = std::shared_ptr<FunctionPostHook>(std::move(hook))](
                                    const variable_list& of_inputs, const variable_list& of_outputs) {
    return (*shared)(of_inputs, of_outputs);
  }));
}

}  // namespace gradus::autograd
