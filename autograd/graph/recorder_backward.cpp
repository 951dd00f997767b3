// A Record's backward half: passes, steps, what they add up and let go, references beside rules, optimizers' steps.
#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>

#include "../../core/memory/live_bytes.h"
#include "../../core/ops/describe.h"
#include "../../core/ops/pointwise.h"
#include "batched.h"
#include "grad_mode.h"
#include "recorder.h"
#include "saved.h"

namespace gradus::autograd {

using namespace detail;  // NOLINT(google-build-using-namespace): the lists that it fills
using core::Array;

void Record::Recorder::started(const std::vector<Tensor>& outputs, const Gradients&) {
  if (!on_) return;
  if (passes_.empty()) count_grads();
  RecordedPass pass;
  pass.outer = open_.empty() ? -1 : open_.back();
  std::vector<int> values;
  for (const Tensor& y : outputs) values.push_back(value_of(y));
  pass.outputs.first = end_of(all.links.size());
  all.links.insert(all.links.end(), values.begin(), values.end());
  pass.outputs.last = end_of(all.links.size());
  all.passes.push_back(pass);
  last_step_ = -1;
  passes_.push_back(last(all.passes.size()));
}

RecordedGradient Record::Recorder::gradient(int index, const Array& g, bool with_numbers) {
  RecordedGradient r;
  r.index = index;
  r.dtype = g.dtype();
  r.shape = g.shape();
  r.known = with_numbers;
  r.storage = g.storage().get();
  r.bytes = g.storage()->bytes();
  if (with_numbers) r.numbers = numbers_of(g);
  return r;
}

void Record::Recorder::running(Node& node, const Gradients& of_outputs) {
  if (on_ && !passes_.empty()) begin_step(node, of_outputs);
}

void Record::Recorder::begin_step(Node& node, const Gradients& of_outputs) {
  const int operation = operation_of(node);
  RecordedStep& step = all.steps.emplace_back();
  step.operation = operation;
  step.pass = passes_.back();
  step.of_outputs.first = end_of(all.gradients.size());
  for (std::size_t k = 0; k < of_outputs.size(); ++k) {
    const Array& dy = numbers_of_all(of_outputs[k]);
    if (dy.defined()) all.gradients.push_back(gradient(static_cast<int>(k), dy, true));
  }
  step.of_outputs.last = step.of_inputs.first = step.of_inputs.last = end_of(all.gradients.size());
  step.added.first = step.added.last = end_of(all.added.size());
  step.freed.first = step.freed.last = end_of(all.freed.size());
  note_changes(node, step);
  step.live_before = core::live_bytes();
  open_.push_back(last(all.steps.size()));
}

void Record::Recorder::ran(Node& node, const Gradients& of_outputs, Gradients& of_inputs) {
  if (!on_ || open_.empty()) return;
  last_step_ = open_.back();
  open_.pop_back();
  const std::uint32_t first = end_of(all.gradients.size());
  const Edge* const edges = node.edges();
  for (std::size_t i = 0; i < of_inputs.size(); ++i) {
    const Array& dx = numbers_of_all(of_inputs[i]);
    if (!dx.defined()) continue;
    int to = -1, to_output = 0;
    bool sums = true;
    if (edges[i]) {
      to = operation_of(*edges[i].node);
      to_output = edges[i].index;
      // What is read once goes on as it is, and is seen where it arrives.
      const int value = all.value_of(to, to_output);
      sums = value < 0 || uses_[static_cast<std::size_t>(value)] > 1;
    }
    RecordedGradient g = gradient(static_cast<int>(i), dx, sums || options_.everywhere);
    g.to = to;
    g.to_output = to_output;
    all.gradients.push_back(g);
  }
  RecordedStep& step = all.steps[static_cast<std::size_t>(last_step_)];
  step.of_inputs = {first, end_of(all.gradients.size())};
  step.done = true;
  step.live_after = core::live_bytes();
  moment(RecordedMoment::kStep, last_step_);
  step.added = {end_of(all.added.size()), end_of(all.added.size())};
  step.freed = {end_of(all.freed.size()), end_of(all.freed.size())};
  if (options_.references && node.is_rule() && !GradMode::is_enabled()) {
    compare_with_reference(node, of_outputs, of_inputs, step);
  }
}

// What a node keeps and is about to read, although it has been written to.
void Record::Recorder::note_changes(Node& node, RecordedStep& step) {
  step.changed.first = end_of(all.changes.size());
  node.visit_saved([&](const char* kind, int index, Saved& saved) {
    const Array& value = saved.value();
    if (!value.defined() || value.storage()->write_count() == saved.writes()) return;
    const core::WriteMark mark = value.storage()->writes();
    all.changes.push_back({kind, index, mark.by == nullptr ? "" : mark.by, mark.at});
  });
  step.changed.last = end_of(all.changes.size());
}

namespace {

double largest(const Array& x) {
  if (x.numel() == 0) return 0;
  const core::Description d = core::describe(x);
  if (d.nan != 0) return std::numeric_limits<double>::quiet_NaN();
  if (d.infinite != 0) return std::numeric_limits<double>::infinity();
  return std::max({std::abs(d.min), std::abs(d.max), 0.0});
}

// The largest distance. The same infinities, or NaNs, at the same places are none.
double between_all(const Array& a, const Array& b) {
  if (a.shape() != b.shape()) return std::numeric_limits<double>::quiet_NaN();
  if (std::isfinite(largest(a)) && std::isfinite(largest(b))) return largest(a - b);
  const Array x = a.to(kFloat64).contiguous(), y = b.to(kFloat64).contiguous();
  const auto *p = static_cast<const double*>(x.data()), *q = static_cast<const double*>(y.data());
  double most = 0;
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    if (p[i] == q[i] || (std::isnan(p[i]) && std::isnan(q[i]))) continue;
    const double d = std::abs(p[i] - q[i]);
    if (!(d <= most)) most = d;
    if (std::isnan(most)) break;
  }
  return most;
}

// The operations that a reference is made of: what is recorded before it is differentiated.
struct NamesOfReference final : Observer {
  explicit NamesOfReference(std::vector<std::string>& to) : names(to) {}
  void recorded(Node& node, const Operand*, int, const std::vector<Array>&) override {
    if (!differentiates) names.emplace_back(node.name());
  }
  void started(const std::vector<Tensor>&, const Gradients&) override { differentiates = true; }
  std::vector<std::string>& names;
  bool differentiates = false;
};

}  // namespace

// What the reference's operations would give for the same gradients. What it throws is noted: the pass goes on.
void Record::Recorder::compare_with_reference(Node& node, const Gradients& of_outputs, const Gradients& of_inputs,
                                              RecordedStep& step) {
  Gradients by_reference(of_inputs.size());
  std::vector<std::string> names;
  try {
    const Unobserved unobserved(true);
    NamesOfReference watch(names);
    const AutoGradMode recording(true);
    node.backward(of_outputs, by_reference, true);
  } catch (const std::exception& error) {
    step.reference_error = error.what();
    return;
  } catch (...) {
    step.reference_error = "what it threw is no std::exception";
    return;
  }
  // First come those that join the inputs to their history.
  const auto first = std::find_if(names.begin(), names.end(), [](const std::string& name) { return name != "alias"; });
  step.composed_of.first = end_of(all.reference_names.size());
  all.reference_names.insert(all.reference_names.end(), first, names.end());
  step.composed_of.last = end_of(all.reference_names.size());
  step.reference.first = end_of(all.gradients.size());
  double off = 0;
  for (std::size_t i = 0; i < of_inputs.size(); ++i) {
    const Array& b = numbers_of_all(by_reference[i]);
    if (!b.defined()) continue;
    all.gradients.push_back(gradient(static_cast<int>(i), b, true));
    const Array& a = numbers_of_all(of_inputs[i]);
    const double of_b = largest(b);
    double between = of_b;  // where the rule gives none
    if (a.defined()) between = between_all(a, b);
    // The worst input's, on its own scale.
    const double here = between == 0 ? 0 : of_b == 0 ? std::numeric_limits<double>::infinity() : between / of_b;
    if (!std::isnan(off) && !(here <= off)) off = here;
  }
  step.reference.last = end_of(all.gradients.size());
  step.difference = off;
}

void Record::Recorder::added(Node& node, int output) {
  if (!on_ || passes_.empty()) return;
  const int operation = operation_of(node);
  all.added.push_back({operation, output});
  if (last_step_ >= 0) all.steps[static_cast<std::size_t>(last_step_)].added.last = end_of(all.added.size());
}

void Record::Recorder::released(Node& node) {
  if (!on_ || last_step_ < 0) return;
  const RecordedOperation& o = all.operations[static_cast<std::size_t>(operation_of(node))];
  RecordedStep& step = all.steps[static_cast<std::size_t>(last_step_)];
  if (step.operation != operations_.find(&node)) return;
  step.released = true;
  step.freed = {end_of(all.freed.size()), end_of(all.freed.size())};
  for (std::uint32_t s = o.saved.first; s < o.saved.last; ++s) {
    const int place = all.saved[s].storage;
    if (place < 0) continue;
    RecordedStorage& storage = all.storages[static_cast<std::size_t>(place)];
    if (storage.holders == 0 || --storage.holders > 0) continue;
    storage.freed_by_step = last_step_;
    all.freed.push_back(place);
  }
  step.freed.last = end_of(all.freed.size());
  if (o.saved.size() == 0) return;
  moment(RecordedMoment::kReleased, last_step_);
  step.live_after = all.moments.back().live_bytes;
}

void Record::Recorder::arrived(Node& node, int output, const Tensor& g) {
  if (!on_ || passes_.empty()) return;
  all.arrivals.push_back({passes_.back(), operation_of(node), output, gradient(output, numbers_of_all(g), true)});
  if (!options_.everywhere) return;
  if (LeafNode* const leaf = node.as_leaf()) came_.push_back({passes_.back(), leaf, g.requires_grad()});
}

// Only whether there is a gradient is asked, under the leaf's lock. One that has a history of its own was seen to come.
void Record::Recorder::count_grad(const Came& came) {
  Grad& grad = grads_[came.leaf];
  const TensorMeta& meta = came.leaf->outputs()[0];
  const bool there = came.with_history || came.leaf->written_by_accumulation(false) != nullptr;
  grads_bytes_ -= grad.bytes;
  grad = {there ? core::numel_of(meta.shape) * size_of(meta.dtype) : 0, came.with_history};
  grads_bytes_ += grad.bytes;
}

// Nobody tells when a gradient is let go: mostly before the next computation begins.
void Record::Recorder::count_grads() {
  const std::int64_t before = grads_bytes_;
  for (const auto& [leaf, grad] : grads_) count_grad({0, leaf, grad.with_history});
  std::erase_if(grads_, [](const auto& entry) { return entry.second.bytes == 0; });
  if (grads_bytes_ >= before) return;
  for (std::size_t m = told_until_; m < all.moments.size(); ++m) all.moments[m].of_grads = grads_bytes_;
}

// A hook throws before its node's step has begun, or after its gradients have been seen.
void Record::Recorder::failed(Node* node, const Gradients& of_outputs, std::string_view what) {
  if (!on_ || passes_.empty()) return;
  const int pass = passes_.back(), of_node = node == nullptr ? -1 : operation_of(*node);
  all.passes[static_cast<std::size_t>(pass)].error = what;
  all.passes[static_cast<std::size_t>(pass)].failed = of_node;
  const auto is_this = [&](int step) {
    const RecordedStep& s = all.steps[static_cast<std::size_t>(step)];
    return s.pass == pass && s.operation == of_node;
  };
  int step = -1;
  if (!open_.empty() && is_this(open_.back())) {
    step = open_.back();
  } else if (last_step_ >= 0 && is_this(last_step_)) {
    step = last_step_;
  } else if (node != nullptr && node->as_leaf() == nullptr) {
    begin_step(*node, of_outputs);
    step = open_.back();
  }
  if (step >= 0) all.steps[static_cast<std::size_t>(step)].error = what;
}

void Record::Recorder::ended(bool complete) noexcept {
  if (!on_ || passes_.empty()) return;
  const int place = passes_.back();
  passes_.pop_back();
  RecordedPass& pass = all.passes[static_cast<std::size_t>(place)];
  pass.end = complete ? RecordedPass::kComplete : RecordedPass::kFailed;
  while (!open_.empty() && all.steps[static_cast<std::size_t>(open_.back())].pass == place) open_.pop_back();
  for (; !came_.empty() && came_.back().pass == place; came_.pop_back()) count_grad(came_.back());
  moment(RecordedMoment::kEnd, place);
  told_until_ = all.moments.size();
  pass.live_bytes = all.moments.back().live_bytes;
  last_step_ = -1;
}

void Record::Recorder::updating(std::string_view optimizer, const Tensor& parameter, const Tensor& gradient_of_it) {
  if (!on_) return;
  RecordedUpdate update;
  update.optimizer = optimizer;
  update.value = value_of(parameter);
  update.operation = all.values[static_cast<std::size_t>(update.value)].operation;
  if (gradient_of_it.defined()) update.gradient = gradient(0, numbers_of_all(gradient_of_it), true);
  update.before = gradient(0, numbers_of_all(parameter), true);
  all.updates.push_back(std::move(update));
  open_updates_[&parameter.body()] = all.updates.size() - 1;
}

void Record::Recorder::updated(std::string_view, const Tensor& parameter) {
  if (!on_) return;
  const auto found = open_updates_.find(&parameter.body());
  if (found == open_updates_.end()) return;
  const std::size_t update = found->second;
  open_updates_.erase(found);
  all.updates[update].after = gradient(0, numbers_of_all(parameter), true);
  moment(RecordedMoment::kUpdate, static_cast<int>(update));
  told_until_ = all.moments.size();
}

}  // namespace gradus::autograd
