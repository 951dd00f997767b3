#include <algorithm>

#include "../../core/ops/pointwise.h"
#include "../../core/array/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "engine.h"
#include "error_notes.h"
#include "grad_mode.h"
#include "operation.h"
#include "view_history.h"

namespace gradus::autograd {

namespace detail {

void append(AttributeList& list, const char* name, std::string value) { list.push_back({name, std::move(value)}); }
void append(std::vector<std::string>& names, const char* name) { names.emplace_back(name); }

std::vector<Operand> joined(std::initializer_list<Operand> first, const OperandList& list) {
  std::vector<Operand> all(first);
  all.insert(all.end(), list.begin(), list.end());
  return all;
}

std::string text_of(double value) { return fmt::format("{:g}", value); }
std::string text_of(std::int64_t value) { return fmt::format("{}", value); }
std::string text_of(std::uint64_t value) { return fmt::format("{}", value); }
std::string text_of_bool(bool value) { return value ? "true" : "false"; }
std::string text_of(DType value) { return std::string(to_string(value)); }
std::string text_of(const Scalar& value) { return to_string(value); }
std::string text_of(const core::Dims& value) { return core::to_string(value); }
std::string text_of(const core::RandomPosition& value) {
  return fmt::format("seed {} at {}", value.seed, value.offset);
}
std::string text_of(const std::vector<std::int64_t>& value) { return core::to_string(value); }

}  // namespace detail

void Saved::pack(std::function<core::Array()> unpack) {
  packed_ = core::Ref<PackedValue>::adopt(new PackedValue(std::move(unpack)));
  value_ = {};
}

void Saved::fail_changed(const Node& node, const char* kind, int index) const {
  const core::WriteMark mark = value_.storage()->writes();
  std::string recorded =
      node.location() ? fmt::format(" at {}:{}", node.location().file(), node.location().line()) : "";
  // Nobody changes a leaf that requires grad but to update it.
  const bool update = (mark.by != nullptr && mark.by == std::string_view("optimizer step")) ||
                      (kind == std::string_view("input") && node.edges()[index] && node.edges()[index].node->as_leaf());
  core::fail<GradError>("{}: its {} {} ({}, {}), saved{} for the backward pass, must not be changed before it: {}; {}",
                        node.name(), kind, index, value_.shape(), value_.dtype(), recorded, written(mark),
                        update
                            ? "run backward() first and update parameters after it, then the forward again for the next"
                            : "change a clone() instead, or use the form without underscore");
}

namespace detail {

void SavedAccess::visit(const char* kind, int index, Saved& saved, Visitor visitor) const {
  Saved copy;  // outlives the locks
  {
    const SpinLock lock(busy_);
    if (released_) return;
    copy = saved;
  }
  if (!copy.value().defined() && !copy.packed()) return;
  visitor(kind, index, copy);
  if (!copy.packed()) return;
  const SpinLock lock(busy_);
  if (!released_) std::swap(saved, copy);
}

void SavedAccess::visit_all(const char* kind, std::uint32_t mask, Saved* values, Visitor visitor) const {
  for (int i = 0; mask >> i != 0; ++i) {
    if (((mask >> i) & 1u) != 0) visit(kind, i, *values++, visitor);
  }
}

void fail_changed_since_view(std::string_view op, int input, const core::Array& value) {
  core::fail<GradError>(
      "{}: a view whose base has been changed in place is taken again, with the other inputs as they were, but input "
      "{} ({}, {}) has been changed too: {}; take the view after both changes",
      op, input, value.shape(), value.dtype(), written(value.storage()->writes()));
}

void fail_released(const Node& node) {
  core::fail<GradError>(
      "{}: its saved values have been freed by an earlier backward pass: run the forward again, detach() what one step "
      "carries over to the next (a state, a running loss), or pass retain_graph = true to the earlier pass",
      node.name());
}

Widened::Widened(const Operand* inputs, int count, std::string_view alike) {
  tensors_.reserve(static_cast<std::size_t>(count));  // operands borrow them
  core::Array floating, integer;                      // what has been seen of either kind, as one operand
  const auto meet = [](core::Array& seen, const core::Array& x) {
    const DType dtype = seen.defined() ? core::result_type(seen, x) : x.dtype();
    if (!seen.defined() || seen.dtype() != dtype || (seen.dim() == 0 && x.dim() != 0)) {
      const bool point = x.dim() == 0 && (!seen.defined() || seen.dim() == 0);
      seen = core::empty(point ? core::Shape{} : core::Shape{0}, dtype);
    }
  };
  for (int i = 0; i < count; ++i) {
    const Tensor& x = inputs[i].tensor();
    const DType dtype = x.defined() ? x.dtype() : kFloat32;
    if (x.defined() && is_floating_point(dtype)) {
      if (!alike.empty() && floating.defined() && floating.dtype() != dtype) {
        core::fail<DTypeError>("{}: the operands must be of one dtype: {} and {}; to() converts", alike,
                               floating.dtype(), dtype);
      }
      meet(floating, x.array());
    }
    // Results are int32 although there is an int64 with dimensions: it is no operand, but says where elements lie.
    if (x.defined() && is_integral(dtype) && dtype != kInt64) meet(integer, x.array());
    tensors_.push_back(is_storage_type(dtype) ? x.to(compute_dtype(dtype), inputs[i].at()) : x);
    operands_.emplace_back(tensors_.back(), inputs[i].at());
  }
  if (floating.defined()) floating_ = floating.dtype();
  if (integer.defined()) integer_ = integer.dtype();
}

Tensor Widened::narrowed(Tensor y) const {
  if (!y.defined()) return y;
  if (y.dtype() == kFloat32 && is_storage_type(floating_)) return y.to(floating_, operands_[0].at());
  if (y.dtype() == kInt32 && is_storage_type(integer_)) return y.to(integer_, operands_[0].at());
  return y;
}

void write_widened(const char* op, const Operand& x, const Tensor& y) {
  (void)begin_inplace(op, &x, 1);  // what is wrong is wrong in this one's name
  const Tensor& self = x.tensor();
  core::check_castable(std::string_view(op).substr(0, std::string_view(op).size() - 1), y.dtype(), self.dtype());
  if (y.sizes() != self.sizes()) {
    core::fail<ShapeError>("{}: the result of an operation in place must have the tensor's shape: {} for {}", op,
                           y.sizes(), self.sizes());
  }
  self.copy_(y, x.at());
  self.array().mark_written(op, x.at());
}

std::vector<core::Array> arrays_of(const Operand* inputs, int count) {
  std::vector<core::Array> arrays;
  for (int i = 0; i < count; ++i) arrays.push_back(inputs[i].tensor().array());
  return arrays;
}

bool recording(const Operand* inputs, int count) { return GradMode::is_enabled() && any_requires_grad(inputs, count); }

bool any_requires_grad(const Operand* inputs, int count) {
  for (int i = 0; i < count; ++i) {
    if (inputs[i].tensor().defined() && inputs[i].tensor().requires_grad()) return true;
  }
  return false;
}

const core::Array absent_array;

namespace {

// What a result shares memory with: "input 0".
std::string holder_of(const core::Array& y, const Operand* inputs, int count) {
  for (int i = 0; i < count; ++i) {
    if (input_array(inputs[i]).storage() == y.storage()) return fmt::format("input {}", i);
  }
  return {};
}

}  // namespace

void fail_output(std::string_view op, int output, const core::Array& y, const Operand* inputs, int count) {
  if (!y.defined()) core::fail<ValueError>("{}: forward must return a defined Array: it returned Array()", op);
  const std::string holder = holder_of(y, inputs, count);
  if (holder.empty()) {
    core::fail<ValueError>(
        "{}: outputs must not share memory with one another, as output {} does: return a clone() of it", op, output);
  }
  core::fail<ValueError>(
      "{}: forward's output {} must not share memory with {}: return a clone(); or, where it is the only output and a "
      "view of input 0, declare `static constexpr bool is_view = true`",
      op, output, holder);
}

void fail_no_view(std::string_view op, const core::Array& y, const Operand* inputs, int count) {
  const std::string holder = y.defined() ? holder_of(y, inputs, count) : "";
  core::fail<ValueError>("{}: declared is_view, so that forward's output must show the memory of input 0: it shows {}",
                         op, holder.empty() ? "memory of its own; declare no view where forward copies" : holder);
}

Tensor make_output(core::Array&& value, core::Ref<Node>&& node, int index) {
  Tensor output(std::move(value));
  if (node && output.defined() && output.is_floating_point()) output.body().edge = {std::move(node), index};
  return output;
}

std::vector<Tensor> make_outputs(std::vector<core::Array>&& values, const core::Ref<Node>& node) {
  std::vector<Tensor> outputs;
  for (core::Array& value : values)
    outputs.push_back(make_output(std::move(value), core::Ref<Node>(node), static_cast<int>(outputs.size())));
  return outputs;
}

Tensor make_view(core::Array&& value, core::Ref<Node> node, const Tensor& of, core::Ref<ViewStep> by) {
  Tensor view = make_output(std::move(value), std::move(node), 0);
  const Body& source = of.body();
  if (source.view != nullptr) (void)of.edge();  // what it has not seen yet the view would see at another time
  core::Own<ViewOf> link(new ViewOf(source.view != nullptr ? source.view->base : of.body_ref()));
  // A view of a view knows what that one knows: one from before a detachment passes its own history on.
  link->seen = source.view != nullptr ? source.view->seen.load() : source.last_event();
  link->taken_without_grad = !GradMode::is_enabled() || (source.view != nullptr && source.view->taken_without_grad);
  if (source.view != nullptr) link->by = source.view->by;
  if (by) {
    by->before = std::move(link->by);
    by->of = source.array;
    by->result = view.array();
    link->by = std::move(by);
  }
  view.body().view = std::move(link);
  return view;
}

core::Array zeros_without_memory(const TensorMeta& meta) {
  if (meta.shape == core::Shape{-1}) return {};
  return core::full({}, 0, meta.dtype).expand(meta.shape);
}

void differentiate(const Node& rule, const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                   const Gradients& dy, Gradients& dx) {
  std::vector<Tensor> wanted, from, gradients;
  std::vector<std::size_t> place;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!rule.edges()[i]) continue;
    wanted.push_back(inputs[i]);
    place.push_back(i);
  }
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    if (!dy[k].defined() || !outputs[k].requires_grad()) continue;
    from.push_back(outputs[k]);
    gradients.push_back(dy[k]);
  }
  if (from.empty()) return;
  std::vector<Tensor> results = grad(from, wanted, gradients, true, true, true);
  for (std::size_t i = 0; i < results.size(); ++i) dx[place[i]] = std::move(results[i]);
}

namespace {

[[noreturn]] void fail_leaf(const char* op, const char* what) {
  core::fail<GradError>(
      "{}: {} cannot be changed in place while recording: open a NoGradGuard around the change, or change a clone()",
      op, what);
}

// GradError when the base's history could not follow a change of this view.
void check_carried_over(const char* op, const Tensor& self) {
  const ViewOf& view = *self.body().view;
  if (view.taken_without_grad) {
    core::fail<GradError>(
        "{}: a view that was taken without recording (inside a Function, too) cannot be changed in place while "
        "recording: take the view again, change a clone(), or open a NoGradGuard around the change",
        op);
  }
  if (view.by) {
    core::fail<GradError>(
        "{}: a view by {}, which has a gradient of its own, cannot be changed in place while recording: change a "
        "clone(); or declare `static constexpr bool by_geometry = true` in {}, if its gradient is that of picking the "
        "elements which the view shows",
        op, view.by->name(), view.by->name());
  }
  if (self.requires_grad() && !leads_to_base(self)) {
    core::fail<GradError>(
        "{}: a view whose history does not lead through its base cannot be changed in place while recording (the base "
        "was detached by detach_(), or what the view is of was made a leaf by requires_grad_()): change a clone(), or "
        "open a NoGradGuard around the change",
        op);
  }
}

}  // namespace

bool leads_to_base(const Tensor& tensor) {
  const ViewOf* view = tensor.body().view.get();
  if (view == nullptr || view->by || !tensor.requires_grad() || tensor.is_leaf()) return false;
  const Body& base = *view->base;
  return base.edge && (base.events == nullptr || view->seen >= base.events->detached);
}

void overwrite(std::string_view op, const core::Array& x, const core::Array& result) {
  core::check_castable(op, result.dtype(), x.dtype());
  if (result.shape() != x.shape()) {
    core::fail<ShapeError>("{}: the result of an operation in place must have the tensor's shape: {} for {}", op,
                           result.shape(), x.shape());
  }
  x.copy_(result);
}

void name_inplace(Error& error, std::string_view op) {
  const std::string_view functional = op.ends_with('_') ? op.substr(0, op.size() - 1) : op;
  error.rename(std::string(functional) + "_", functional);
}

bool begin_inplace(const char* op, const Operand* inputs, int count) {
  const Tensor& self = inputs[0].tensor();
  core::expect_defined(op, "the operand", self);
  core::expect_own_memory(op, self.array());
  const ViewOf* view = self.body().view.get();
  Body& base = view == nullptr ? self.body() : *view->base;
  bool records = false;
  if (GradMode::is_enabled()) {
    if (self.requires_grad() && self.is_leaf()) fail_leaf(op, "a leaf that requires grad");
    if (view != nullptr) {
      const Tensor whole(view->base);
      if (whole.requires_grad() && whole.is_leaf()) fail_leaf(op, "a view of a leaf that requires grad");
      if (whole.requires_grad() || recording(inputs, count)) check_carried_over(op, self);
    }
    records = self.is_floating_point() && recording(inputs, count);
    if (records && view != nullptr) check_writable_view(base.array, self.array());
  }
  return records;
}

void end_unrecorded(Body& base) {
  if (base.events->detached > base.events->rewritten) base.rewrite(base.edge);
}

void tell_written(Node& node, const Operand* inputs, int count, const core::Array& y) {
  try {
    Observer::tell_recorded(node, inputs, count, {y});
  } catch (...) {
    const Unobserved unobserved;
    end_inplace(inputs[0].tensor(), core::Ref<Node>(&node), inputs[0].at());
    throw;
  }
}

void end_inplace(const Tensor& self, core::Ref<Node> node, Location at) {
  end_inplace(self, Edge{std::move(node), 0}, at);
}
void end_inplace(const Tensor& self, Edge written, Location at) {
  Body& body = self.body();
  if (body.view == nullptr) {
    body.rewrite(std::move(written));
    return;
  }
  // The view's new numbers are part of the base now; every view, this one included, follows when it is next asked.
  const Tensor base(body.view->base);
  const auto rewrite = [&] { base.body().rewrite(edge_after_write(base, body.array, written, at)); };
  try {
    rewrite();
  } catch (...) {  // an observer's: the numbers are written, and so is their history
    const Unobserved unobserved;
    rewrite();
    throw;
  }
}

}  // namespace detail
}  // namespace gradus::autograd
