// What the operation mechanism needs that does not depend on the operation: kept out of its templates.
#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include "../../core/base/errors.h"
#include "../../core/base/fields.h"
#include "../../core/ops/random.h"
#include "grad_mode.h"
#include "node.h"
#include "observer.h"
#include "saved.h"
#include "../tensor/operand.h"
#include "../tensor/tensor.h"

namespace gradus::autograd {

/// Which elements of the inputs one of a result is made of.
enum class Elements : std::uint8_t {
  kOther,     ///< nothing is known
  kEach,      ///< those at the same place; inputs broadcast
  kReduced,   ///< all along the attribute `dim`, which may stay as size 1 (`keepdim`)
  kLine,      ///< the line through its place along the attribute `dim`
  kMatrices,  ///< a matrix as a whole, of the last two dimensions
  kView,      ///< one that stays where it is in memory
  kMoved      ///< one that stood elsewhere, as it is
};

/// What there is to know about an operation without running it.
struct OperationInfo {
  std::string_view name;
  int inputs;   ///< -1: any number
  int outputs;  ///< those that a gradient flows to
  std::vector<std::string> attributes;
  bool is_rule;  ///< hand-written gradient with a reference
  Elements elements = Elements::kOther;
  std::string_view formula = {};  ///< what its struct says: "y = x^3, dx = 3 x^2 dy"
};
/// Every operation in the program, the user's own included, sorted by name.
GRADUS_API std::vector<OperationInfo> operations();

namespace detail {

/// Lists an operation, once, however many shared objects hold its `type`. Null; or what is wrong, where graphs and messages
/// could not tell it from another type: both have one name and number of inputs, or one name, and one of the two is a rule.
/// Variants of a rule, made to be checked against its reference, bear the rule's name. It runs before main, so that it
/// throws nothing: the operation's first recorded call does, by fail_taken.
GRADUS_API const std::string* register_operation(OperationInfo info, const std::type_info& type) noexcept;
[[noreturn, gnu::cold]] GRADUS_API void fail_taken(const std::string& why);

/// Whether an input is of a storage type.
inline bool any_stored(const Operand* inputs, int count) {
  bool any = false;
  for (int i = 0; i < count; ++i) {
    const Tensor& x = inputs[i].tensor();
    any |= x.defined() && is_storage_type(x.dtype());
  }
  return any;
}
/// What inputs have about them that an operation has to look at closer.
struct Seen {
  bool unusual = false;      ///< one is of a storage type, or batched: no forward takes it as it is
  std::uintptr_t edges = 0;  ///< not 0: one requires a gradient
  std::uintptr_t views = 0;  ///< not 0: one may require a gradient when it has been brought up to date
};
inline Seen look_at(const Operand* inputs, int count) {
  bool unusual = false;
  std::uintptr_t edges = 0, views = 0;
  for (int i = 0; i < count; ++i) {
    const Body* body = inputs[i].tensor().body_ref().get();
    if (body == nullptr) continue;
    unusual |= body->unusual;
    edges |= reinterpret_cast<std::uintptr_t>(body->edge.node.get());
    views |= reinterpret_cast<std::uintptr_t>(body->view.get());
  }
  return {unusual, edges, views};
}
/// Whether a gradient, or an input, is batched.
inline bool any_batched(const Gradients& gradients) {
  for (const Tensor& g : gradients) {
    if (g.defined() && g.body().batch != nullptr) return true;
  }
  return false;
}
inline bool any_batched(const Operand* inputs, int count) {
  bool any = false;
  for (int i = 0; i < count; ++i) {
    const core::Ref<Body>& body = inputs[i].tensor().body_ref();
    any |= body && body->batch != nullptr;
  }
  return any;
}
/// The operands before a list, and those of the list.
GRADUS_API std::vector<Operand> joined(std::initializer_list<Operand> first, const OperandList& list);
/// Inputs of which some are of storage types, converted to what is computed in; with the dtypes that results have then.
class GRADUS_API Widened {
 public:
  /// DTypeError where `alike` names an operation whose floating-point inputs must be of one dtype, and they are not.
  Widened(const Operand* inputs, int count, std::string_view alike = {});
  const Operand* inputs() const { return operands_.data(); }
  int count() const { return static_cast<int>(operands_.size()); }
  /// A result: rounded, or wrapped around, to the dtype that operands of the inputs' dtypes meet in.
  Tensor narrowed(Tensor y) const;

 private:
  std::vector<Tensor> tensors_;
  std::vector<Operand> operands_;
  DType floating_ = kFloat32, integer_ = kInt32;
};
/// x <- y, computed apart, for an operation in place on a storage type.
GRADUS_API void write_widened(const char* op, const Operand& x, const Tensor& y);

// An attribute's value as text.
GRADUS_API std::string text_of(double value);
GRADUS_API std::string text_of(std::int64_t value);
GRADUS_API std::string text_of(std::uint64_t value);
GRADUS_API std::string text_of_bool(bool value);
GRADUS_API std::string text_of(DType value);
GRADUS_API std::string text_of(const Scalar& value);
GRADUS_API std::string text_of(const core::Dims& value);
GRADUS_API std::string text_of(const core::RandomPosition& value);
GRADUS_API std::string text_of(const std::vector<std::int64_t>& value);
inline std::string text_of(float value) { return text_of(static_cast<double>(value)); }
// Of exactly a bool: everything that converts to one would be printed as true.
std::string text_of(std::same_as<bool> auto value) { return text_of_bool(value); }
template <std::integral T>
requires(!std::same_as<T, bool>) std::string text_of(T value) {
  return text_of(static_cast<std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>>(value));
}
inline std::string text_of(std::string_view value) { return std::string(value); }
inline std::string text_of(const char* value) { return value; }
template <class T>
requires requires(const T& value) { text_of(value); }
std::string text_of(const std::optional<T>& value) { return value ? text_of(*value) : "none"; }

template <class T>
concept Printable = requires(const T& value) {
  { text_of(value) } -> std::convertible_to<std::string>;
};

/// Appends one; kept out of the template below, which each operation and each kind of options instantiates.
GRADUS_API void append(AttributeList& list, const char* name, std::string value);
/// The fields' names and values as text: of attributes, and of modules' options.
template <class Attrs>
AttributeList list_attributes(const Attrs& attrs) {
  AttributeList list;
  const auto add = [&]<class T>(const char* name, const T& value) {
    static_assert(Printable<T>,
                  "a field that is listed has a text: declare `std::string text_of(const T&)` in the namespace of its "
                  "type T, or leave it out of fields");
    if constexpr (Printable<T>) append(list, name, text_of(value));
  };
  if constexpr (core::HasFields<Attrs>) {
    core::each_field(attrs, add);
  }
  return list;
}
GRADUS_API void append(std::vector<std::string>& names, const char* name);
template <class Attrs>
std::vector<std::string> attribute_names() {
  std::vector<std::string> names;
  if constexpr (core::HasFields<Attrs>) {
    core::each_field_name(Attrs::fields, [&](const char* name) { append(names, name); });
  }
  return names;
}

/// Keeps others out for the few instructions that copying a handle takes.
class SpinLock {
 public:
  explicit SpinLock(std::atomic_flag& busy) noexcept : busy_(busy) {
    while (busy_.test_and_set(std::memory_order_acquire)) {
    }
  }
  ~SpinLock() { busy_.clear(std::memory_order_release); }
  SpinLock(const SpinLock&) = delete;
  SpinLock& operator=(const SpinLock&) = delete;

 private:
  std::atomic_flag& busy_;
};

/// GradError: a view cannot be taken again from its changed base, because another input has been changed as well.
[[noreturn]] GRADUS_API void fail_changed_since_view(std::string_view op, int input, const core::Array& value);
[[noreturn]] GRADUS_API void fail_released(const Node& node);

/// How all come at what a node keeps: several threads may go through it at once, and one that goes backward lets go of it.
/// Nobody else's code runs under the lock.
class SavedAccess {
 public:
  /// A handle of its own, which a release leaves alone. GradError after one.
  core::Array value(const Saved& saved, const Node& node, const char* kind, int index) const {
    core::Ref<PackedValue> packed;
    {
      const SpinLock lock(busy_);
      if (released_) fail_released(node);
      if (!saved.packed()) return saved.get(node, kind, index);
      packed = saved.packed();
    }
    return packed->unpacked();
  }
  using Visitor = core::FunctionRef<void(const char* kind, int index, Saved& value)>;
  /// Calls with what is kept, which it may pack; not after a release.
  GRADUS_API void visit(const char* kind, int index, Saved& saved, Visitor visitor) const;
  /// With each of the values that a mask says are kept.
  GRADUS_API void visit_all(const char* kind, std::uint32_t mask, Saved* values, Visitor visitor) const;
  /// Empties all values in all lists, which keep their lengths. Once is enough.
  template <class... Lists>
  void release(Lists&... lists) noexcept {
    {
      const SpinLock lock(busy_);
      if (std::exchange(released_, true)) return;
    }
    // Without the lock, as what they free takes its time: whoever comes now reads released_, and none of these.
    const auto empty = [](auto& list) {
      for (Saved& saved : list) saved = Saved();
    };
    (empty(lists), ...);
  }

 private:
  mutable std::atomic_flag busy_;
  bool released_ = false;
};
/// What an absent input has for an array: an undefined one.
GRADUS_API extern const core::Array absent_array;
/// An input's array.
inline const core::Array& input_array(const Operand& operand) {
  return operand.tensor().defined() ? operand.tensor().body().array : absent_array;
}
/// Where an input's gradient goes; nowhere for an absent input.
inline Edge edge_of(const Operand& operand) { return operand.tensor().defined() ? operand.tensor().edge() : Edge(); }
GRADUS_API std::vector<core::Array> arrays_of(const Operand* inputs, int count);
GRADUS_API bool any_requires_grad(const Operand* inputs, int count);
/// Whether an operation on these inputs is to be recorded.
GRADUS_API bool recording(const Operand* inputs, int count);
inline bool recording(const Seen& seen, const Operand* inputs, int count) {
  if (!GradMode::is_enabled()) return false;
  return seen.views == 0 ? seen.edges != 0 : any_requires_grad(inputs, count);
}
/// An output, with its edge where a gradient flows to it.
GRADUS_API Tensor make_output(core::Array&& value, core::Ref<Node>&& node, int index);
GRADUS_API std::vector<Tensor> make_outputs(std::vector<core::Array>&& values, const core::Ref<Node>& node);
/// A result that shares its storage with `of`: remembers its base, and `by`, when its gradient is not its geometry's.
GRADUS_API Tensor make_view(core::Array&& value, core::Ref<Node> node, const Tensor& of, core::Ref<ViewStep> by = {});
/// Whether a view's history leads through its base and is what its geometry says.
GRADUS_API bool leads_to_base(const Tensor& tensor);
/// ValueError: an output shares memory with an input, or another output, where no view is declared; or there is none.
[[noreturn]] GRADUS_API void fail_output(std::string_view op, int output, const core::Array& y, const Operand* inputs,
                                         int count);
/// ValueError: a view is declared, and the output shows something else than input 0.
[[noreturn]] GRADUS_API void fail_no_view(std::string_view op, const core::Array& y, const Operand* inputs, int count);
/// Shape and dtype of an input; of an absent one a shape that no array has. Written where it stays: a shape that was just
/// written is slow to copy.
inline void note(TensorMeta& meta, const core::Array& x) {
  meta.dtype = x.dtype();
  if (x.defined())
    meta.shape = x.shape();
  else
    meta.shape = core::Shape{-1};
}
inline TensorMeta meta_of(const core::Array& x) {
  TensorMeta meta;
  note(meta, x);
  return meta;
}
/// Zeros of a shape that take no memory; undefined for an absent input.
GRADUS_API core::Array zeros_without_memory(const TensorMeta& meta);
/// The same numbers as a node of their own.
GRADUS_API Tensor alias_of(Operand x);
/// A view of a result that nobody else will hold is a result itself: what is written to it, or detached, is it alone.
GRADUS_API Tensor as_result(Tensor view);
/// dx[i] <- d(outputs)/d(inputs[i]) applied to dy, recorded, for a rule's reference.
GRADUS_API void differentiate(const Node& rule, const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                              const Gradients& dy, Gradients& dx);
/// Checks that inputs[0] may be changed in place; whether the change is to be recorded.
GRADUS_API bool begin_inplace(const char* op, const Operand* inputs, int count);
/// An error of the functional operation becomes one of the in-place form: "add" of add_, "exp" of exp_.
GRADUS_API void name_inplace(Error& error, std::string_view op);
/// x <- result. DTypeError when x's dtype is of a lower category, ShapeError when the shapes differ.
GRADUS_API void overwrite(std::string_view op, const core::Array& x, const core::Array& result);
/// After a change in place that was not recorded: the views of a detached base keep their history for as long as its
/// numbers are those that it tells of; then they have the base's, if it has one again.
GRADUS_API void end_unrecorded(Body& base);
inline void end_unrecorded(const Tensor& self) {
  Body& body = self.body();
  Body& base = body.view == nullptr ? body : *body.view->base;
  if (base.events != nullptr) end_unrecorded(base);
}
/// Gives a tensor that was changed in place its new history, and its base and views theirs.
GRADUS_API void end_inplace(const Tensor& self, core::Ref<Node> node, Location at);

}  // namespace detail
}  // namespace gradus::autograd
