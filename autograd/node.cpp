#include "node.h"

#include <utility>

#include "../core/fail.h"
#include "../core/pointwise.h"
#include "grad_mode.h"
#include "tensor.h"

namespace gradus::autograd {

struct Node::Extras {
  struct Numbered {
    std::uint64_t id;
    int output;
    Hook hook;
  };
  std::vector<Numbered> hooks;
  std::uint64_t next_id = 0;
  std::vector<Kept> kept;
};

namespace {

std::atomic<std::int64_t> nodes_created{0};
std::atomic<std::int64_t> nodes_destroyed{0};

// The last number given out on this thread: nodes of one thread are numbered in the order of their making.
thread_local std::uint64_t last_number = 0;

}  // namespace

Node::Node() noexcept { nodes_created.fetch_add(1, std::memory_order_relaxed); }
Node::~Node() { nodes_destroyed.fetch_add(1, std::memory_order_relaxed); }
std::int64_t Node::created() noexcept { return nodes_created.load(); }
std::int64_t Node::alive() noexcept { return nodes_created.load() - nodes_destroyed.load(); }

void Node::enter_graph(Location at) noexcept {
  std::uint64_t highest = last_number;
  const Edge* edge = edges();
  for (int i = 0; i < num_inputs(); ++i) {
    if (edge[i] && edge[i].node->number() > highest) highest = edge[i].node->number();
  }
  number_ = last_number = highest + 1;
  const Scope* scope = Scope::current();
  location_ = scope != nullptr && scope->location() ? scope->location() : at;
  if (scope != nullptr) module_ = scope->module();
}

void Node::bury(Node* node) noexcept {
  // The first burial on a thread does the work; those that it causes only queue.
  thread_local Node* queue = nullptr;
  thread_local bool burying = false;
  node->next_to_bury_ = queue;
  queue = node;
  if (burying) return;
  burying = true;
  while (queue != nullptr) {
    Node* next = queue;
    queue = next->next_to_bury_;
    delete next;
  }
  burying = false;
}

Node::Extras& Node::extras() {
  if (!extras_) extras_ = std::make_unique<Extras>();
  return *extras_;
}

std::uint64_t Node::add_hook(int output, Hook hook) {
  Extras& e = extras();
  e.hooks.push_back({e.next_id, output, std::move(hook)});
  return e.next_id++;
}

void Node::remove_hook(std::uint64_t id) {
  if (extras_) std::erase_if(extras_->hooks, [id](const auto& h) { return h.id == id; });
}

void Node::run_hooks(Gradients& of_outputs) {
  // A copy: a hook may add or remove hooks.
  const std::vector<Extras::Numbered> hooks = extras_->hooks;
  for (const auto& [id, output, hook] : hooks) {
    Tensor& gradient = of_outputs[static_cast<std::size_t>(output)];
    if (!gradient.defined()) continue;
    const Tensor replacement = hook(gradient);
    if (!replacement.defined()) continue;
    if (replacement.sizes() != gradient.sizes()) {
      core::fail<ShapeError>("hook on a gradient of {}: its result must have the gradient's shape: {} for {}", name(),
                             replacement.sizes(), gradient.sizes());
    }
    gradient = replacement.to(gradient.dtype());
  }
}

void Node::keep_gradient(int output, core::Ref<LeafNode> in) {
  stop_keeping(output, in.get());
  extras().kept.push_back({output, std::move(in)});
}

bool Node::keeps_gradient(int output, const LeafNode* in) const {
  if (extras_) {
    for (const Kept& k : extras_->kept) {
      if (k.output == output && k.in.get() == in) return true;
    }
  }
  return false;
}

bool Node::stop_keeping(int output, const LeafNode* in) {
  if (!keeps_gradient(output, in)) return false;
  std::erase_if(extras_->kept, [&](const Kept& k) { return k.output == output && k.in.get() == in; });
  return true;
}

const std::vector<Node::Kept>& Node::kept() const { return extras_->kept; }

LeafNode::LeafNode(const TensorMeta& meta) : meta_(meta), grad_(std::make_unique<Tensor>()) {}
LeafNode::~LeafNode() = default;

Tensor& LeafNode::grad() { return *grad_; }

void LeafNode::drop_grad() noexcept {
  Tensor last;  // outlives the lock: what it frees may lead here again
  const std::lock_guard lock(mutex_);
  std::swap(last, *grad_);
}

void LeafNode::add_post_accumulate_hook(std::function<void(Tensor&)> hook) { post_hooks_.push_back(std::move(hook)); }

Gradients LeafNode::backward(const Gradients& of_outputs, bool create_graph) {
  const Tensor& incoming = of_outputs[0];
  if (!incoming.defined()) return {};
  const std::lock_guard lock(mutex_);
  const bool nobody_else_holds_it = incoming.body_ref()->use_count() == 1 && incoming.array().unique();
  if (grad_->defined()) {
    if (create_graph || grad_->requires_grad()) {
      *grad_ = *grad_ + incoming;
    } else {
      core::binary_out(grad_->array(), core::Binary::Add, grad_->array(), incoming.array());
    }
  } else if (nobody_else_holds_it && incoming.is_contiguous()) {
    *grad_ = create_graph ? incoming : incoming.detach();  // taken over
  } else {
    *grad_ = create_graph ? incoming.clone() : Tensor(incoming.array().clone());
  }
  for (const auto& hook : post_hooks_) hook(*grad_);
  return {};
}

}  // namespace gradus::autograd
