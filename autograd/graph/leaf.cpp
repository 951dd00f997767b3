#include "leaf.h"

#include <mutex>
#include <utility>
#include <vector>

#include "../../core/base/fail.h"
#include "../../core/ops/pointwise.h"
#include "../tensor/tensor.h"

namespace gradus::autograd {

struct LeafNode::Shared {
  std::recursive_mutex mutex;  // a hook may run a backward pass of its own
  Tensor grad;
  std::vector<std::function<void(Tensor&)>> post_hooks;
};

LeafNode::LeafNode(const TensorMeta& meta) : meta_(meta), shared_(new Shared) {}
LeafNode::~LeafNode() = default;

Tensor& LeafNode::grad() { return shared_->grad; }

void LeafNode::drop_grad() noexcept {
  {
    const std::lock_guard lock(shared_->mutex);
    gone_ = true;
    tensor_ = nullptr;
    if (!shared_->grad.defined()) return;
  }
  // As for a burial: what a `.grad` frees, a `.grad` of its own first of all, only queues.
  thread_local LeafNode* queue = nullptr;
  thread_local bool dropping = false;
  retain();
  next_to_drop_ = queue;
  queue = this;
  if (dropping) return;
  dropping = true;
  while (queue != nullptr) {
    const core::Ref<LeafNode> next = core::Ref<LeafNode>::adopt(queue);
    queue = next->next_to_drop_;
    Tensor last;  // outlives the lock
    const std::lock_guard lock(next->shared_->mutex);
    std::swap(last, next->shared_->grad);
  }
  dropping = false;
}

bool LeafNode::is_behind() {
  const std::lock_guard lock(shared_->mutex);
  return tensor_ != nullptr && tensor_->is_behind();
}

bool LeafNode::takes_gradients() {
  const std::lock_guard lock(shared_->mutex);
  if (tensor_ == nullptr || (tensor_->edge.node.get() == this && !tensor_->is_behind())) return true;
  if (!tensor_->edge || tensor_->view == nullptr) return false;
  core::fail<GradError>(
      "backward: a leaf ({}, {}) that is used in the graph must stay one: it is a view, and its base has been changed "
      "in place since; make the leaf of a clone()",
      meta_.shape, meta_.dtype);
}

void LeafNode::follow(Edge& edge, Edge next) {
  Edge last;  // outlives the lock
  const std::lock_guard lock(shared_->mutex);
  last = std::exchange(edge, std::move(next));
  if (last) last.node->stop_keeping(last.index, this);
  if (retains_ && edge && edge.node.get() != this) edge.node->keep_gradient(edge.index, core::Ref<LeafNode>(this));
}

void LeafNode::add_post_accumulate_hook(std::function<void(Tensor&)> hook) {
  const std::lock_guard lock(shared_->mutex);
  shared_->post_hooks.push_back(std::move(hook));
  has_post_hooks_.store(true, std::memory_order_release);
}

const core::Storage* LeafNode::written_by_accumulation(bool create_graph) {
  const std::lock_guard lock(shared_->mutex);
  const Tensor& sum = shared_->grad;
  const bool adds = sum.defined() && !create_graph && !sum.requires_grad();
  return adds ? sum.array().storage().get() : nullptr;
}

namespace {

// Whether detach() would give the same again.
bool is_detached(const Body& body) {
  return !body.edge && !body.leaf && body.view == nullptr && body.events == nullptr && !body.picked && !body.borrowed;
}

}  // namespace

Tensor LeafNode::prepared(Tensor gradient, bool create_graph) {
  const std::lock_guard lock(shared_->mutex);
  Tensor& sum = shared_->grad;
  if (gone_ && shared_->post_hooks.empty()) return {};  // nobody can ask for it
  if (sum.defined()) {
    const TensorMeta& of_leaf = outputs()[0];
    if (sum.array().shape() != of_leaf.shape) {
      core::fail<ShapeError>(
          "backward: `.grad` of a leaf ({}, {}), to which a gradient is to be added, must have the leaf's shape: it "
          "was given one of {}; assign another, or Tensor()",
          of_leaf.shape, of_leaf.dtype, sum.sizes());
    }
    // Memory of its own for a sum that cannot be written where `.grad` is.
    if (!create_graph && !sum.requires_grad() && sum.array().may_overlap_itself()) {
      sum = Tensor(sum.array().clone());
    }
    return gradient;
  }
  const bool nobody_else_holds_it = gradient.body_ref()->use_count() == 1 && gradient.array().unique();
  if (nobody_else_holds_it && gradient.is_contiguous())  // taken over
    return create_graph || is_detached(gradient.body()) ? gradient : gradient.detach();
  return create_graph ? gradient.clone() : Tensor(gradient.array().clone());
}

void LeafNode::accumulate(Tensor gradient, bool create_graph) {
  const std::lock_guard lock(shared_->mutex);
  Tensor& sum = shared_->grad;
  if (!gradient.defined() || (gone_ && shared_->post_hooks.empty())) return;
  if (!sum.defined()) {
    sum = std::move(gradient);
  } else if (create_graph || sum.requires_grad()) {
    sum = sum + gradient;
  } else {
    core::add.write(sum.array(), sum.array(), gradient.array());
  }
}

void LeafNode::run_post_accumulate_hooks() {
  if (!has_post_hooks_.load(std::memory_order_acquire)) return;
  Tensor last;  // outlives the lock
  const std::lock_guard lock(shared_->mutex);
  Tensor& sum = shared_->grad;
  // Of a tensor that is gone, `.grad` is kept for the hooks, without a history, which would lead back here.
  if (gone_ && sum.defined() && sum.requires_grad()) {
    last = std::move(sum);
    sum = last.detach();
  }
  const std::vector<std::function<void(Tensor&)>> hooks = shared_->post_hooks;  // a copy: a hook may add others
  for (const auto& hook : hooks) hook(sum);
}

}  // namespace gradus::autograd
