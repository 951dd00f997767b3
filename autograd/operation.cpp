#include <algorithm>
#include <mutex>

#include "../core/pointwise.h"
#include "../core/create.h"
#include "../core/fail.h"
#include "engine.h"
#include "grad_mode.h"
#include "operation.h"
#include "view_history.h"

namespace gradus::autograd {

namespace {

// Made on first use and never destroyed: operations register during static initialisation, in any order.
struct Registry {
  std::mutex mutex;
  std::vector<OperationInfo> operations;
};
Registry& registry() {
  static auto* const instance = new Registry;
  return *instance;
}

}  // namespace

std::vector<OperationInfo> operations() {
  const std::lock_guard lock(registry().mutex);
  std::vector<OperationInfo> list = registry().operations;
  std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return list;
}

namespace detail {

bool register_operation(OperationInfo info) {
  const std::lock_guard lock(registry().mutex);
  registry().operations.push_back(std::move(info));
  return true;
}

std::string text_of(double value) { return fmt::format("{:g}", value); }
std::string text_of(std::int64_t value) { return fmt::format("{}", value); }
std::string text_of(bool value) { return value ? "true" : "false"; }
std::string text_of(DType value) { return std::string(to_string(value)); }
std::string text_of(const Scalar& value) { return to_string(value); }
std::string text_of(const core::Dims& value) { return core::to_string(value); }
std::string text_of(const core::RandomPosition& value) {
  return fmt::format("seed {} at {}", value.seed, value.offset);
}
std::string text_of(const std::vector<std::int64_t>& value) { return core::to_string(value); }

void Saved::fail_changed(const Node& node, const char* kind, int index) const {
  const core::WriteMark mark = value_.storage()->writes();
  std::string recorded =
      node.location() ? fmt::format(" at {}:{}", node.location().file(), node.location().line()) : "";
  std::string written = mark.at ? fmt::format(" at {}:{}", mark.at.file(), mark.at.line()) : "";
  core::fail<GradError>(
      "{}: its {} {} ({}, {}), saved{} for the backward pass, must not be changed before it: {} wrote to it{}; change "
      "a clone() instead, or use the form without underscore",
      node.name(), kind, index, value_.shape(), value_.dtype(), recorded, mark.by == nullptr ? "something" : mark.by,
      written);
}

void fail_released(const Node& node) {
  core::fail<GradError>(
      "{}: its saved values have been freed by an earlier backward pass: pass retain_graph = true to that pass, or run "
      "the forward again",
      node.name());
}

std::vector<core::Array> arrays_of(const Operand* inputs, int count) {
  std::vector<core::Array> arrays;
  for (int i = 0; i < count; ++i) arrays.push_back(inputs[i].tensor().array());
  return arrays;
}

bool recording(const Operand* inputs, int count) {
  if (!GradMode::is_enabled()) return false;
  for (int i = 0; i < count; ++i) {
    if (inputs[i].tensor().defined() && inputs[i].tensor().requires_grad()) return true;
  }
  return false;
}

const core::Array absent_array;

Tensor make_output(core::Array&& value, const core::Ref<Node>& node, int index) {
  if (!node || !is_floating_point(value.dtype())) return Tensor(std::move(value));
  return Tensor(std::move(value), {node, index});
}

Tensor make_view(core::Array&& value, core::Ref<Node> node, const Tensor& of) {
  Tensor view = make_output(std::move(value), node, 0);
  const Body& source = of.body();
  auto link = std::make_unique<ViewOf>();
  link->base = source.view != nullptr ? source.view->base : of.body_ref();
  link->seen = link->base->rewrites;
  link->taken_without_grad = !GradMode::is_enabled() || (source.view != nullptr && source.view->taken_without_grad);
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

}  // namespace

void overwrite(std::string_view op, const core::Array& x, const core::Array& result) {
  core::check_castable(op, result.dtype(), x.dtype());
  x.copy_(result);
}

bool begin_inplace(const char* op, const Operand* inputs, int count) {
  const Tensor& self = inputs[0].tensor();
  if (self.array().may_overlap_itself()) {
    core::fail<ValueError>(
        "{}: elements of the tensor share memory ({} with strides {}): clone() it before changing it", op, self.sizes(),
        self.strides());
  }
  if (!GradMode::is_enabled()) return false;
  if (self.requires_grad() && self.is_leaf()) fail_leaf(op, "a leaf that requires grad");
  const ViewOf* view = self.body().view.get();
  if (view != nullptr) {
    const Tensor base(view->base);
    if (base.requires_grad() && base.is_leaf()) fail_leaf(op, "a view of a leaf that requires grad");
    if (view->taken_without_grad && (base.requires_grad() || recording(inputs, count))) {
      core::fail<GradError>(
          "{}: a view that was taken without recording cannot be changed in place while recording: take the view "
          "again, or change it under a NoGradGuard",
          op);
    }
  }
  const bool records = self.is_floating_point() && recording(inputs, count);
  if (records && view != nullptr) check_writable_view(view->base->array, self.array());
  return records;
}

void end_inplace(const Tensor& self, core::Ref<Node> node, Location at) {
  Body& body = self.body();
  if (body.view == nullptr) {
    body.set_edge({std::move(node), 0});
    ++body.rewrites;
    return;
  }
  // The view's new numbers are part of the base now; every view, this one included, follows when it is next asked.
  const Tensor base(body.view->base);
  base.body().set_edge(edge_after_write(base, body.array, {std::move(node), 0}, at));
  ++base.body().rewrites;
}

}  // namespace detail
}  // namespace gradus::autograd
