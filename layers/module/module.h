// Module: parameters, buffers and submodules under their names. Every layer and every network is one.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "../../autograd/graph/grad_mode.h"
#include "../../autograd/tensor/tensor.h"
#include "../../core/base/export.h"
#include "../../core/base/function_ref.h"
#include "../../core/base/ref.h"
#include "holder.h"
#include "ordered_dict.h"

namespace gradus::serialize {
class OutputArchive;
class InputArchive;
}  // namespace gradus::serialize

namespace gradus::nn {

using NamedTensors = OrderedDict<std::string, Tensor>;

class AnyValue;
class BackwardHook;
class ForwardHook;
class ForwardPreHook;
class RemovableHandle;

namespace detail {
/// "Linear" for gradus::nn::LinearImpl.
GRADUS_API std::string short_type_name(const std::type_info& type);
/// A type as it is written: "std::vector<gradus::Tensor>".
GRADUS_API std::string type_text(const std::type_info& type);
struct ModuleHooks;
/// For optimizers: check_members() of the one module that this parameter was registered in by its place, if there is one.
GRADUS_API void check_member(const Tensor& parameter);
}  // namespace detail

/// The base of all modules, as PyTorch's. A derived class holds its tensors and submodules as members and registers
/// them under the members' names; its `forward` is an ordinary function of any arguments.
///
///     struct Net : nn::Module {
///       nn::Linear fc{nullptr};
///       Net() { fc = register_module("fc", nn::Linear(4, 3)); }
///       Tensor forward(Tensor x) { return relu(fc->forward(x)); }
///     };
///
/// Registered are handles: a copy of a module, made by value, shares all tensors and submodules with the original.
/// `clone()` makes an independent one (see cloneable.h).
class GRADUS_API Module : public std::enable_shared_from_this<Module> {
 public:
  // Defined in the .cpp file: derived classes inline them everywhere otherwise, which takes long to compile.
  Module();
  /// With a name to print instead of the type's.
  explicit Module(std::string name);
  Module(const Module&);
  Module(Module&&) noexcept;
  Module& operator=(const Module&);
  Module& operator=(Module&&) noexcept;
  virtual ~Module();

  // Registration. ModuleError for a name that is empty, has a dot or is taken.

  /// Learned: what parameters() gives to an optimizer. Returns the registered tensor, the same one. An undefined tensor
  /// (the bias of a layer without) holds the name and is listed nowhere. ModuleError for a result of an operation.
  Tensor& register_parameter(std::string name, Tensor tensor, bool requires_grad = true);
  /// The same, assigned to a member of this object: `register_parameter("w", w, randn({3}))`. The member's place is kept, so
  /// that it is noticed when another tensor is assigned to it later (`net->w = ...`), which would be used and not learned:
  /// by check_members(), and by an optimizer's step in which this parameter has no gradient while others have one.
  /// Precondition: it is a member of this object. Another is refused (ModuleError) where the object's size is known, in a
  /// Cloneable, or it stands before the object. Of other types copies, of which this cannot be relied on, don't keep the place.
  Tensor& register_parameter(std::string name, Tensor& member, Tensor tensor, bool requires_grad = true);
  /// Part of the state, not learned: running statistics.
  Tensor& register_buffer(std::string name, Tensor tensor);
  /// ModuleError, with the cure, when a member of this module, or of one below it, that was registered by its place is
  /// another tensor by now. What is saved would not be what forward uses.
  void check_members() const;
  /// Returns what was registered. ModuleError when it is empty, or holds this very module.
  template <class M>
  std::shared_ptr<M> register_module(std::string name, std::shared_ptr<M> module) {
    static_assert(std::is_base_of_v<Module, M>, "register_module takes modules");
    add_child(std::move(name), module);
    return module;
  }
  template <class M>
  std::shared_ptr<M> register_module(std::string name, const ModuleHolder<M>& holder) {
    add_child(std::move(name), holder.base_ptr());
    return holder.ptr();
  }
  /// Puts another in the place of one that is registered.
  template <class M>
  std::shared_ptr<M> replace_module(const std::string& name, std::shared_ptr<M> module) {
    replace_child(name, module);
    return module;
  }
  template <class M>
  std::shared_ptr<M> replace_module(const std::string& name, const ModuleHolder<M>& holder) {
    replace_child(name, holder.base_ptr());
    return holder.ptr();
  }
  void unregister_module(const std::string& name);

  // What is registered, in the order of registration: a module's own before its submodules'. What is registered under
  // several names is listed once, under the first.

  std::vector<Tensor> parameters(bool recurse = true) const;
  NamedTensors named_parameters(bool recurse = true) const;
  std::vector<Tensor> buffers(bool recurse = true) const;
  NamedTensors named_buffers(bool recurse = true) const;
  /// The state that files hold: each module's parameters, then its buffers, then its submodules', under names like
  /// "seq.0.weight", all of them (shared ones under each of their names). The tensors are the module's own.
  NamedTensors state_dict() const;
  /// The same into an archive, and out of it: parameters and buffers, then submodules as archives, under their names.
  virtual void save(serialize::OutputArchive& archive) const;
  virtual void load(serialize::InputArchive& archive);
  std::vector<std::shared_ptr<Module>> children() const;
  OrderedDict<std::string, std::shared_ptr<Module>> named_children() const;
  /// This module (ModuleError when it is not held by a shared_ptr) and all below it.
  std::vector<std::shared_ptr<Module>> modules(bool include_self = true) const;
  OrderedDict<std::string, std::shared_ptr<Module>> named_modules(const std::string& name_prefix = {},
                                                                  bool include_self = true) const;

  // All of these go down to the submodules.

  virtual void train(bool on = true);
  void eval() { train(false); }
  bool is_training() const noexcept { return is_training_; }
  virtual void zero_grad(bool set_to_none = true);
  /// Converts floating parameters, their gradients and floating buffers in place: each stays the tensor that it is, so
  /// an optimizer keeps working. All memory is asked for before anything changes. DTypeError when the dtype is not a
  /// floating one.
  virtual void to(DType dtype, bool non_blocking = false);
  virtual void to(Device device, bool non_blocking = false);  ///< there is one device
  virtual void to(Device device, DType dtype, bool non_blocking = false);
  /// Calls the function with this module, then with all below it, each once. Where it takes pointers this module has to be
  /// held by one: ModuleError.
  void apply(core::FunctionRef<void(Module&)> function);
  void apply(core::FunctionRef<void(const Module&)> function) const;
  void apply(core::FunctionRef<void(const std::string& name, Module&)> function, const std::string& name_prefix = {});
  void apply(core::FunctionRef<void(const std::string& name, const Module&)> function,
             const std::string& name_prefix = {}) const;
  void apply(core::FunctionRef<void(const std::shared_ptr<Module>&)> function) const;
  void apply(core::FunctionRef<void(const std::string& name, const std::shared_ptr<Module>&)> function,
             const std::string& name_prefix = {}) const;
  /// Whether an archive holds it when it is a submodule: Functional says no.
  virtual bool is_serializable() const { return true; }

  // Hooks (hooks.h), called in the order of their registration wherever forward is called by the library: `layer(x)`, in a
  // Sequential, by an AnyModule; of a module that writes `compute` (layer.h) by `layer->forward(x)`, too. A call of a forward
  // that the program wrote itself, `net->forward(x)`, is not seen. Copies by value share them, clones have them too. Not to be
  // changed while another thread calls the module.

  /// Sees, and may replace, the tensors among the arguments, before forward.
  RemovableHandle register_forward_pre_hook(ForwardPreHook hook);
  /// Sees the tensors among the arguments, and may replace those among the results.
  RemovableHandle register_forward_hook(ForwardHook hook);
  /// Sees, and may replace, the gradients of the tensors among the arguments, when a backward pass has computed them.
  RemovableHandle register_full_backward_hook(BackwardHook hook);
  /// Whether a call has more to do than forward: a hook is registered, or a parameter is computed (utils.h).
  bool has_hooks() const noexcept { return hooks_ && any_hooks(); }

  /// "Linear": the type's name without namespace and "Impl", or what the constructor was given.
  std::string name() const;
  /// Where this module stands below the root it was last registered under: "seq.2", or "" for a root. The text lives
  /// forever, as autograd::Scope needs it.
  std::string_view path() const noexcept { return path_; }
  /// What stands in the parentheses when the module is printed: "in_features=2, out_features=3, bias=true".
  virtual std::string extra_repr() const { return {}; }
  /// Prints this module without its submodules: name() and extra_repr().
  virtual void pretty_print(std::ostream& stream) const;
  /// The whole tree, as PyTorch prints it.
  std::string to_string() const;
  GRADUS_API friend std::ostream& operator<<(std::ostream& stream, const Module& module);

  /// An independent copy of this module and all below it. What is shared stays shared, as with Python's deepcopy: a
  /// module in several places, a tensor registered under several names. (Of a module that reset() makes anew in each of
  /// its places, the copies are several, which share their tensors and submodules.) ModuleError for types that do not
  /// derive from Cloneable, when reset() does not register what this module has, and when it does not take a shared
  /// tensor from what register_parameter returns.
  virtual std::shared_ptr<Module> clone(const std::optional<Device>& device = {}) const;

  /// This module as an M (a module's type, or its holder's), or null when it is none.
  template <class M>
  auto* as() noexcept {
    if constexpr (requires { typename M::ContainedType; })
      return dynamic_cast<typename M::ContainedType*>(this);
    else
      return dynamic_cast<M*>(this);
  }
  template <class M>
  const auto* as() const noexcept {
    return const_cast<Module*>(this)->as<M>();
  }

 protected:
  // What clone() is made of; Cloneable overrides the first three.
  /// A copy by value, or null.
  virtual Module* copy() const;
  virtual void register_anew();
  /// Becomes a module of the same type. ModuleError when it is not copy-assignable.
  virtual void assign(const Module& other);
  /// The bytes of this object, all of it; 0 where that is not known.
  virtual std::size_t object_size() const noexcept { return 0; }
  /// Makes a copy a root without parameters, buffers, submodules and hooks.
  void forget_registered() noexcept;
  /// Of FORWARD_HAS_DEFAULT_ARGS (any_module.h): appends the defaults of arguments that are not given, and says how many
  /// have none.
  virtual std::size_t _forward_default_args(std::vector<AnyValue>& arguments) const;
  /// One call of clone() and all that it calls to copy what is below: each module and tensor is copied once.
  class Copying;

  NamedTensors parameters_, buffers_;
  OrderedDict<std::string, std::shared_ptr<Module>> children_;

 private:
  friend struct detail::ModuleHooks;
  friend class AnyModule;
  struct Tree;  // walks over what is below a module
  bool any_hooks() const noexcept;
  void check_name(const char* op, const std::string& name) const;
  void check_child(const char* op, const std::string& name, const std::shared_ptr<Module>& child) const;
  void add_child(std::string name, std::shared_ptr<Module> child);
  void replace_child(const std::string& name, std::shared_ptr<Module> child);
  void set_path(std::string_view path);
  Tensor shared_in_copy(NamedTensors Module::*kind, const std::string& name, Tensor tensor) const;
  void copy_registered_from(const Module& original, Copying& copying);
  void print(std::ostream& stream, const std::string& indentation) const;
  // A member by its place in the object; those that have one are found by their parameter (members.cpp).
  struct Member {
    std::string name;
    std::ptrdiff_t offset;
    bool copied;
    const void* key;  // under which it is found
  };
  friend void detail::check_member(const Tensor& parameter);
  void check_member(const Member& member) const;
  bool may_hold(const Tensor& member) const noexcept;
  void take_members_of_copy();
  void find_members();
  void forget_members() noexcept;

  std::string name_;  // empty: the type's
  std::string_view path_;
  std::vector<Member> members_;
  core::Ref<detail::ModuleHooks> hooks_;  // null: none, and no reparametrisation
  bool is_training_ = true;
};

template <class M>
std::ostream& operator<<(std::ostream& stream, const ModuleHolder<M>& holder) {
  return stream << static_cast<const Module&>(*holder);
}

}  // namespace gradus::nn
