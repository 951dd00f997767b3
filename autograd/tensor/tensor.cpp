#include "tensor.h"

#include <atomic>
#include <cstdio>
#include <mutex>
#include <string>

#include "../../core/base/fail.h"
#include "../graph/batched.h"
#include "../graph/engine.h"
#include "../graph/error_notes.h"
#include "../graph/grad_mode.h"
#include "../graph/observer.h"
#include "../graph/view_history.h"

namespace gradus {

using autograd::Body;
using autograd::LeafNode;

autograd::OptionalOperand::operator bool() const noexcept { return tensor_ != nullptr && tensor_->defined(); }
autograd::OperandList::OperandList(std::initializer_list<Operand> list) : operands_(list) {}
autograd::OperandList::OperandList(const std::vector<Tensor>& tensors, Location at) {
  operands_.reserve(tensors.size());
  for (const Tensor& t : tensors) operands_.emplace_back(t, at);
}

autograd::Batched::Batched(core::Ref<Body> all, std::int64_t at) noexcept : examples(std::move(all)), level(at) {}
autograd::Batched::~Batched() = default;

void Body::destroy() noexcept { delete this; }

void Body::rewrite(Edge next) {
  set_edge(std::move(next));
  if (events == nullptr) events = core::Own(new autograd::BaseEvents());
  events->rewritten = ++events->count;
  events->rewritten_as = {};
}

void Body::detach() {
  if (events == nullptr) events = core::Own(new autograd::BaseEvents());
  // For views that have not seen it yet.
  const bool is_change = edge && !(leaf && edge.node.get() == leaf.get());
  if (events->rewritten > events->detached && is_change && views.load() != 0) events->rewritten_as = edge;
  if (leaf) leaf->retain_grad(false);
  set_edge({});
  events->detached = ++events->count;
}

autograd::ViewOf::ViewOf(core::Ref<Body> whole) noexcept : base(std::move(whole)) {
  base->views.fetch_add(1, std::memory_order_relaxed);
}
autograd::ViewOf::~ViewOf() { base->views.fetch_sub(1, std::memory_order_relaxed); }

void autograd::ViewStep::release() noexcept {
  // One after the other, never one inside the other: views of views may go on for long.
  core::Ref<ViewStep> next;
  for (ViewStep* step = this; step->references_.fetch_sub(1, std::memory_order_acq_rel) == 1; step = next.detach()) {
    next = std::move(step->before);
    delete step;
    if (!next) return;
  }
}

void Device::fail_other(DeviceType) {
  core::fail<ValueError>(
      "Device: there is none but the CPU: ask cuda::is_available(), which is false, before choosing kCUDA");
}
Device::Device(std::string_view name) : type_(kCPU), index_(name == "cpu:0" ? 0 : -1) {
  if (name != "cpu" && name != "cpu:0") {
    core::fail<ValueError>("Device: there is only \"cpu\": \"{}\"; ask cuda::is_available(), which is false, first",
                           name);
  }
}

void Tensor::throw_undefined() {
  core::fail<GradError>("Tensor: an undefined tensor was used (it was never assigned)");
}

void Tensor::throw_batched() const { autograd::detail::fail_not_batched(body(), {}); }

LeafNode& Tensor::leaf() const {
  Body& b = body();
  if (!b.leaf) {
    b.leaf = core::Ref<LeafNode>::adopt(new LeafNode({b.array.shape(), b.array.dtype()}));
    b.leaf->belong_to(&b);
  }
  return *b.leaf;
}

const Tensor& Tensor::requires_grad_(bool requires_grad) const {
  if (body().batch != nullptr) {
    const Tensor examples(body().batch->examples);
    examples.requires_grad_(requires_grad);
    body().edge = examples.edge();
    return *this;
  }
  if (!is_leaf()) {
    if (requires_grad) return *this;
    core::fail<GradError>(
        "requires_grad_: a result of {} cannot cease to require grad: detach() gives a tensor that does",
        grad_fn()->name());
  }
  if (!requires_grad) {
    body().set_edge({});
    return *this;
  }
  if (!is_floating_point()) {
    core::fail<GradError>("requires_grad_: only floating-point tensors have gradients: this one is {}", dtype());
  }
  leaf();
  body().edge = {core::Ref<autograd::Node>(body().leaf.get()), 0};
  return *this;
}

bool Tensor::is_leaf() const { return !edge() || edge().node.get() == body().leaf.get(); }

core::Ref<autograd::Node> Tensor::grad_fn() const { return is_leaf() ? core::Ref<autograd::Node>() : edge().node; }

int Tensor::output_nr() const { return edge().index; }

namespace {

// Silence would be taken for a gradient of zero. Once in a process: a loop may ask a million times.
void warn_of_no_grad(const autograd::Edge& edge) {
  static std::atomic_flag warned;
  if (warned.test_and_set()) return;
  const std::string text = fmt::format(
      "gradus: grad is undefined: only leaves keep their gradient, and this tensor is a result of {}; call "
      "retain_grad() on it before backward()\n",
      autograd::described(*edge.node));
  std::fputs(text.c_str(), stderr);
}

// Whether a tensor without a name is all that there is of its memory: what is written to it nobody will see.
bool is_unseen(const Tensor& temporary) {
  const Body& body = temporary.body();
  if (body.use_count() > 1 || body.borrowed) return false;
  const core::Ref<core::Storage>& storage = body.array.storage();
  int own = 1;
  if (body.view != nullptr) {
    const Body& base = *body.view->base;
    if (base.use_count() > 1 || base.borrowed) return false;
    own += base.array.storage() == storage ? 1 : 0;
  }
  return !storage || storage->use_count() <= own;
}

[[noreturn, gnu::cold]] void fail_unseen(const char* op, const Tensor& temporary) {
  core::fail<ValueError>(
      "{}: what is written to must have a name, or show memory that something else does: nobody will see {} of "
      "shape {}; index_put_({{ids}}, v) and masked_fill_(mask, v) write where tensors say",
      op, temporary.body().picked ? "the copy that indexing by tensors gives," : "this temporary", temporary.sizes());
}

}  // namespace

autograd::Target::Target(Tensor&& temporary, Location at) : Operand(temporary, at) {
  // Of others the result may be used: `y = (a * b) += c`.
  if (temporary.body().picked && is_unseen(temporary)) fail_unseen("compound assignment", temporary);
}
const Tensor& Tensor::operator=(Operand src) && {
  if (is_unseen(*this)) fail_unseen("operator=", *this);
  return copy_(src.tensor(), src.at());
}
const Tensor& Tensor::operator=(const autograd::NumberAt& value) && {
  if (is_unseen(*this)) fail_unseen("operator=", *this);
  return fill_(value.number, value.at);
}

const Tensor& Tensor::grad() const {
  static const Tensor none;
  const Body& b = body();
  const Tensor& grad = b.leaf ? b.leaf->grad() : none;
  if (grad.defined() || !b.edge || b.edge.node.get() == b.leaf.get()) return grad;
  if (!b.leaf || !b.edge.node->keeps_gradient(b.edge.index, b.leaf.get())) warn_of_no_grad(b.edge);
  return grad;
}

Tensor& Tensor::mutable_grad() const { return leaf().grad(); }

void Tensor::retain_grad() const {
  if (!requires_grad()) core::fail<GradError>("retain_grad: the tensor must require grad");
  if (is_leaf()) return;
  leaf().retain_grad(true);
  edge().node->keep_gradient(edge().index, body().leaf);
}

bool Tensor::retains_grad() const { return !is_leaf() && edge().node->keeps_gradient(edge().index, body().leaf.get()); }

void Tensor::backward(const Tensor& gradient, std::optional<bool> retain_graph, bool create_graph,
                      const std::vector<Tensor>& inputs) const {
  autograd::backward({*this}, {gradient}, retain_graph, create_graph, inputs);
}

Tensor Tensor::detach() const {
  if (body().batch == nullptr) {
    Tensor detached(array());
    if (autograd::Observer::active() && requires_grad()) [[unlikely]]
      autograd::Observer::tell_detached(*this, detached);
    return detached;
  }
  return autograd::batched(Tensor(body().batch->examples).detach(), body().batch->level);
}

Tensor& Tensor::detach_() const {
  if (is_view()) core::fail<GradError>("detach_: a view cannot be detached in place: use detach()");
  if (autograd::Observer::active() && requires_grad()) [[unlikely]]
    autograd::Observer::tell_detached(*this, *this);
  body().detach();
  return const_cast<Tensor&>(*this);
}

void Tensor::set_data(const Tensor& other) const {
  Body& b = body();
  if (b.leaf && requires_grad() && !other.is_floating_point()) {
    core::fail<GradError>("set_data: a tensor that requires grad must stay floating-point: {}", other.dtype());
  }
  b.array = other.array();
  b.unusual = is_storage_type(b.array.dtype());
  if (b.leaf) b.leaf->set_meta({b.array.shape(), b.array.dtype()});
}

unsigned Tensor::add_hook(autograd::Hook hook) const {
  if (!requires_grad()) core::fail<GradError>("register_hook: the tensor must require grad");
  return static_cast<unsigned>(edge().node->add_hook(edge().index, std::move(hook)));
}

void Tensor::remove_hook(unsigned id) const { autograd::Node::remove_hook(id); }

void Tensor::register_post_accumulate_grad_hook(std::function<void(Tensor&)> hook) const {
  if (!requires_grad() || !is_leaf()) {
    core::fail<GradError>("register_post_accumulate_grad_hook: the tensor must be a leaf that requires grad");
  }
  leaf().add_post_accumulate_hook(std::move(hook));
}

void Tensor::follow_base() const {
  // Computed before the lock: the user's forward may run, and ask other views.
  Body& self = body();
  autograd::ViewOf& view = *self.view;
  const std::uint64_t rewritten = view.base->events->rewritten;
  const bool shows_base = view.base->array.storage() == self.array.storage();  // else set_data has given it others
  autograd::Edge next;
  if (shows_base) next = autograd::detail::edge_as_view_of(*view.base, self.array, view.by.get());
  autograd::Edge last;      // outlives the lock: what it frees takes its time
  static std::mutex mutex;  // several threads may ask at once, and only one of them gives the edge
  const std::lock_guard lock(mutex);
  if (view.seen.load(std::memory_order_relaxed) >= rewritten) return;
  last = self.edge;
  if (shows_base) self.set_edge(std::move(next));
  view.seen.store(rewritten, std::memory_order_release);
}

}  // namespace gradus
