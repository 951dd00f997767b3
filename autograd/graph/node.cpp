#include "node.h"

#include <algorithm>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "../../core/base/fail.h"
#include "../../core/memory/live_bytes.h"
#include "../../core/ops/pointwise.h"
#include "error_notes.h"
#include "grad_mode.h"
#include "../tensor/tensor.h"

namespace gradus::autograd {

struct Node::Extras {
  struct Numbered {
    std::uint64_t id;
    int output;
    Hook hook;
  };
  template <class F>
  struct OfNode {
    std::uint64_t id;
    F hook;
  };
  std::vector<Numbered> hooks;
  std::vector<OfNode<PreHook>> pre_hooks;
  std::vector<OfNode<PostHook>> post_hooks;
  std::vector<Kept> kept;
};

namespace {

// Which node each hook is on: an in-place change gives a tensor another node, and its earlier hooks stay where they are.
// Never destroyed: nodes may outlive main.
struct HookHomes {
  std::mutex mutex;
  std::unordered_map<std::uint64_t, Node*> home;
  std::uint64_t next_id = 0;
};
HookHomes& hook_homes() {
  static auto* const instance = new HookHomes;
  return *instance;
}

// The last number given out on this thread: nodes of one thread are numbered in the order of their making.
thread_local std::uint64_t last_number = 0;

}  // namespace

Node::Node() noexcept = default;
Node::~Node() {
  if (!extras_) return;
  const std::lock_guard lock(hook_homes().mutex);
  for (const auto& hook : extras_->hooks) hook_homes().home.erase(hook.id);
  for (const auto& hook : extras_->pre_hooks) hook_homes().home.erase(hook.id);
  for (const auto& hook : extras_->post_hooks) hook_homes().home.erase(hook.id);
}
std::int64_t Node::created() noexcept { return core::object_counts().made; }
std::int64_t Node::alive() noexcept { return core::object_counts().alive; }

void Node::enter_graph(Location at) noexcept {
  std::uint64_t highest = last_number;
  const Edge* edge = edges();
  for (int n = num_inputs(); n-- > 0; ++edge) {
    if (*edge && edge->node->number() > highest) highest = edge->node->number();
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
  if (!extras_) extras_ = core::Own<Extras>(new Extras());
  return *extras_;
}

namespace {

// Takes a hook out of a list; it outlives the lock: what it holds may have hooks of its own.
template <class List>
bool take(List& list, std::uint64_t id, List& taken) {
  const auto at = std::find_if(list.begin(), list.end(), [id](const auto& h) { return h.id == id; });
  if (at == list.end()) return false;
  taken.push_back(std::move(*at));
  list.erase(at);
  return true;
}

void check_count(const Node& node, const char* what, std::size_t count, std::size_t needed) {
  if (count == needed) return;
  core::fail<ValueError>("{}: {} must give as many gradients as it was given, or none: {} for {}", node.name(), what,
                         count, needed);
}

}  // namespace

std::uint64_t Node::add_hook(int output, Hook hook) {
  HookHomes& homes = hook_homes();
  const std::lock_guard lock(homes.mutex);
  const std::uint64_t id = homes.next_id++;
  extras().hooks.push_back({id, output, std::move(hook)});
  homes.home.emplace(id, this);
  return id;
}

std::uint64_t Node::add_pre_hook(PreHook hook) {
  HookHomes& homes = hook_homes();
  const std::lock_guard lock(homes.mutex);
  const std::uint64_t id = homes.next_id++;
  extras().pre_hooks.push_back({id, std::move(hook)});
  homes.home.emplace(id, this);
  return id;
}

std::uint64_t Node::add_post_hook(PostHook hook) {
  HookHomes& homes = hook_homes();
  const std::lock_guard lock(homes.mutex);
  const std::uint64_t id = homes.next_id++;
  extras().post_hooks.push_back({id, std::move(hook)});
  homes.home.emplace(id, this);
  return id;
}

bool Node::remove_hook(std::uint64_t id) {
  HookHomes& homes = hook_homes();
  Extras taken;  // outlives the lock
  const std::lock_guard lock(homes.mutex);
  const auto found = homes.home.find(id);
  if (found == homes.home.end()) return false;
  Extras& of = *found->second->extras_;
  homes.home.erase(found);
  return take(of.hooks, id, taken.hooks) || take(of.pre_hooks, id, taken.pre_hooks) ||
         take(of.post_hooks, id, taken.post_hooks);
}

void Node::run_hooks(Gradients& of_outputs) {
  // A copy: a hook may add or remove hooks.
  const std::vector<Extras::Numbered> hooks = [this] {
    const std::lock_guard lock(hook_homes().mutex);
    return extras_->hooks;
  }();
  for (const auto& [id, output, hook] : hooks) {
    Tensor& gradient = of_outputs[static_cast<std::size_t>(output)];
    if (!gradient.defined()) continue;
    const core::Ref<core::Storage> storage = gradient.array().storage();
    const std::uint64_t writes = storage->write_count();
    const Tensor replacement = hook(gradient);
    if (storage->write_count() != writes) {
      core::fail<GradError>(
          "hook on a gradient of {}: it must not change its gradient in place, which other operations may read "
          "too: {}; return another in its place (g * 2 for g.mul_(2)), or change a clone()",
          name(), written(storage->writes()));
    }
    if (!replacement.defined()) continue;
    if (replacement.sizes() != gradient.sizes()) {
      core::fail<ShapeError>("hook on a gradient of {}: its result must have the gradient's shape: {} for {}", name(),
                             replacement.sizes(), gradient.sizes());
    }
    gradient = replacement.to(gradient.dtype());
  }
  const std::vector<Extras::OfNode<PreHook>> pre_hooks = [this] {
    const std::lock_guard lock(hook_homes().mutex);
    return extras_->pre_hooks;
  }();
  for (const auto& [id, hook] : pre_hooks) {
    Gradients replaced = hook(of_outputs);
    if (replaced.empty()) continue;
    check_count(*this, "a hook before it", replaced.size(), of_outputs.size());
    of_outputs = std::move(replaced);
  }
}

void Node::run_post_hooks(Gradients& of_inputs, const Gradients& of_outputs) {
  const std::vector<Extras::OfNode<PostHook>> hooks = [this] {
    const std::lock_guard lock(hook_homes().mutex);
    return extras_->post_hooks;
  }();
  for (const auto& [id, hook] : hooks) {
    Gradients replaced = hook(of_inputs, of_outputs);
    if (replaced.empty()) continue;
    check_count(*this, "a hook after it", replaced.size(), of_inputs.size());
    of_inputs = std::move(replaced);
  }
}

Gradients Node::operator()(Gradients of_outputs) {
  if (of_outputs.size() != static_cast<std::size_t>(num_outputs())) {
    core::fail<ValueError>("{}: it must be called with a gradient for each of its outputs: {} for {}", name(),
                           of_outputs.size(), num_outputs());
  }
  const bool create_graph = GradMode::is_enabled();
  if (LeafNode* leaf = as_leaf()) {
    if (of_outputs[0].defined()) {
      leaf->accumulate(leaf->prepared(of_outputs[0], create_graph), create_graph);
      leaf->run_post_accumulate_hooks();
    }
    return {};
  }
  Gradients of_inputs(static_cast<std::size_t>(num_inputs()));
  backward(of_outputs, of_inputs, create_graph);
  return of_inputs;
}

void Node::keep_gradient(int output, core::Ref<LeafNode> in) {
  stop_keeping(output, in.get());
  const std::lock_guard lock(hook_homes().mutex);
  extras().kept.push_back({output, std::move(in)});
}

bool Node::keeps_gradient(int output, const LeafNode* in) const {
  for (const Kept& k : kept()) {
    if (k.output == output && k.in.get() == in) return true;
  }
  return false;
}

bool Node::stop_keeping(int output, const LeafNode* in) {
  if (!extras_) return false;
  std::vector<Kept> ended;  // outlives the lock
  const std::lock_guard lock(hook_homes().mutex);
  std::vector<Kept>& all = extras_->kept;
  const auto first = std::stable_partition(all.begin(), all.end(),
                                           [&](const Kept& k) { return k.output != output || k.in.get() != in; });
  ended.assign(std::make_move_iterator(first), std::make_move_iterator(all.end()));
  all.erase(first, all.end());
  return !ended.empty();
}

const Edge& Node::next_edge(std::size_t input) const {
  if (input >= static_cast<std::size_t>(num_inputs())) {
    core::fail<IndexError>("{}: next_edge takes the number of an input: {} of {}", name(), input, num_inputs());
  }
  return const_cast<Node*>(this)->edges()[input];
}
std::vector<Edge> Node::next_edges() const { return {edges(), edges() + num_inputs()}; }
AttributeList Node::attributes() const { return {}; }

std::vector<Node::Kept> Node::kept() const {
  if (!extras_) return {};
  const std::lock_guard lock(hook_homes().mutex);
  return extras_->kept;
}

}  // namespace gradus::autograd
