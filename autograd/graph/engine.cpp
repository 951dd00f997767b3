#include "engine.h"

#include <algorithm>
#include <unordered_set>

#include "../../core/base/fail.h"
#include "anomaly.h"
#include "batched.h"
#include "engine_start.h"
#include "error_notes.h"
#include "grad_mode.h"
#include "observer.h"
#include "pending.h"

namespace gradus::autograd {

namespace {

// One backward pass. Nodes wait in a heap, the highest number first: when a node is taken, every node that reads it has
// run, so all its gradients have arrived. There is no recursion and no count of dependencies.
class Pass {
 public:
  Pass(bool retain_graph, bool create_graph) : retain_graph_(retain_graph), create_graph_(create_graph) {}
  ~Pass() {
    if (started_) Observer::tell_ended(complete_);
  }

  // Takes the gradients over: buffers can be reused only when nobody else holds them. Observers are told what ends it.
  void run(const std::vector<Tensor>& outputs, std::vector<Tensor> gradients);

  // Restricts the pass to the nodes from which a target can be reached.
  void restrict_to(const std::vector<Tensor>& outputs, std::vector<Destination>& targets) {
    targets_ = &targets;
    needs_ = needed_for(outputs, targets);
  }

  // After it: where a gradient that was wanted came to an end, as text; empty when none did.
  std::string ended() const;

 private:
  void failed(std::string_view what);
  void run_nodes();
  // Adds a gradient for output `edge.index` of a node.
  void send(const Edge& edge, Tensor gradient);
  void take_highest();
  void run_current();
  void run_hooks();
  void run_post_hooks();
  void run_node();
  void capture();
  void accumulate();
  void copy_what_accumulation_changes();
  bool needed(const Node* node) const { return targets_ == nullptr || needs_.count(node) != 0; }

  bool retain_graph_, create_graph_;
  const core::Own<Observer> anomaly_ = detail::detect_anomaly();
  const bool observed_ = Observer::active();
  bool started_ = false, complete_ = false;
  core::PooledList<core::Ref<Node>> roots_;  // a node owns those that it reads: with these, all of the graph lives on
  core::PooledList<std::pair<std::uint64_t, std::size_t>> heap_;  // (number, slot)
  SlotOfNode slot_of_;
  core::PooledList<Pending> slots_;
  core::PooledList<std::size_t> free_slots_;
  Pending current_;
  Gradients of_inputs_;  // of the current node; kept, as the slots are, for the memory that their lists have
  struct Arrived {
    core::Ref<LeafNode> leaf;
    Tensor gradient;
    std::uint64_t writes;
  };
  void arrive(core::Ref<LeafNode> leaf, const Tensor& gradient) {
    arrived_.push_back({std::move(leaf), gradient, writes_to(gradient)});
  }
  core::PooledList<Arrived> arrived_;  // for a `.grad`
  std::vector<Destination>* targets_ = nullptr;
  NodeNeeds needs_;
  // Where a gradient that was wanted came to an end: the first such place.
  const Node* ended_at_ = nullptr;
  int ended_input_ = 0;
};

void Pass::run(const std::vector<Tensor>& outputs, std::vector<Tensor> gradients) try {
  if (observed_) Observer::tell_started(outputs, gradients);
  started_ = observed_;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    roots_.push_back(outputs[i].edge().node);
    if (needed(roots_[i].get())) send(outputs[i].edge(), std::move(gradients[i]));
  }
  run_nodes();
} catch (const std::exception& error) {
  failed(error.what());
  throw;
} catch (...) {
  failed("what was thrown is no std::exception");
  throw;
}

void Pass::failed(std::string_view what) {
  if (started_) Observer::tell_failed(current_.node, current_.gradients, what);
}

void Pass::send(const Edge& edge, Tensor gradient) {
  const auto [entry, fresh] = slot_of_.try_emplace(edge.node.get(), 0);
  if (fresh) {
    if (free_slots_.empty()) {
      free_slots_.push_back(slots_.size());
      slots_.emplace_back();
    }
    entry->second = free_slots_.back();
    free_slots_.pop_back();
    Pending& pending = slots_[entry->second];
    pending.node = edge.node.get();
    pending.gradients.resize(static_cast<std::size_t>(edge.node->num_outputs()));
    pending.writes = 0;
    heap_.emplace_back(edge.node->number(), entry->second);
    std::push_heap(heap_.begin(), heap_.end());
  }
  Pending& to = slots_[entry->second];
  Tensor& sum = to.gradients[static_cast<std::size_t>(edge.index)];
  if (sum.defined()) {
    if (to.writes_now() != to.writes) fail_changed_on_its_way(*to.node, to.gradients);
    to.writes -= writes_to(sum);
    sum = added(std::move(sum), std::move(gradient), create_graph_);
    if (observed_) Observer::tell_added(*edge.node, edge.index);
  } else {
    sum = std::move(gradient);
  }
  to.writes += writes_to(sum);
}

void Pass::take_highest() {
  std::pop_heap(heap_.begin(), heap_.end());
  const std::size_t slot = heap_.back().second;
  heap_.pop_back();
  std::swap(current_, slots_[slot]);
  free_slots_.push_back(slot);
  slot_of_.erase(current_.node);
}

void Pass::capture() {
  for (Destination& target : *targets_) {
    if (target.node != current_.node) continue;
    const Tensor& gradient = current_.gradients[static_cast<std::size_t>(target.output)];
    if (observed_ && gradient.defined()) Observer::tell_arrived(*current_.node, target.output, gradient);
    if (!target.into) {
      target.result = gradient;
      if (gradient.defined()) target.writes = writes_to(gradient);
    } else if (gradient.defined() && !current_.node->keeps_gradient(target.output, target.into.get())) {
      arrive(target.into, gradient);
    }
  }
}

void Pass::run_hooks() {
  Node& node = *current_.node;
  try {
    node.run_hooks(current_.gradients);
  } catch (...) {
    rethrow_with("in a hook on a gradient of " + described(node));
  }
  current_.writes = current_.writes_now();
  for (const auto& [output, leaf] : node.kept()) {
    const Tensor& gradient = current_.gradients[static_cast<std::size_t>(output)];
    if (!gradient.defined() || leaf->is_behind()) continue;
    if (observed_) Observer::tell_arrived(node, output, gradient);
    arrive(leaf, gradient);
  }
}

void Pass::run_post_hooks() {
  Node& node = *current_.node;
  try {
    node.run_post_hooks(of_inputs_, current_.gradients);
  } catch (...) {
    rethrow_with("in a hook after " + described(node));
  }
}

void Pass::run_current() {
  Node& node = *current_.node;
  Gradients& of_outputs = current_.gradients;
  if (current_.writes_now() != current_.writes) fail_changed_on_its_way(node, of_outputs);
  if (node.has_hooks()) run_hooks();
  if (targets_ != nullptr) {
    const Need need = needs_.at(&node);
    if (need.target) capture();
    if (!need.run) return;
  }
  if (LeafNode* leaf = node.as_leaf()) {
    if (of_outputs[0].defined() && leaf->takes_gradients()) {
      if (observed_) Observer::tell_arrived(node, 0, of_outputs[0]);
      arrived_.push_back({core::Ref<LeafNode>(leaf), std::move(of_outputs[0]), current_.writes});
    }
    return;
  }
  try {
    run_node();
  } catch (...) {
    rethrow_with(place_of(node, of_outputs));
  }
}

void Pass::run_node() {
  Node& node = *current_.node;
  Gradients& of_outputs = current_.gradients;
  const Wanted wanted(node, targets_ == nullptr ? nullptr : &needs_);
  const Scope scope(node.location(), node.module());  // what is recorded under create_graph stands where the node stood
  of_inputs_.clear();
  of_inputs_.resize(static_cast<std::size_t>(node.num_inputs()));
  if (observed_) Observer::tell_running(node, of_outputs);
  run_backward(node, of_outputs, of_inputs_, create_graph_);
  if (current_.writes_now() != current_.writes) fail_changed_by(node, of_outputs);
  if (observed_) Observer::tell_ran(node, of_outputs, of_inputs_);
  if (node.has_hooks()) run_post_hooks();
  of_outputs.clear();
  if (!retain_graph_) {
    node.release_saved();
    if (observed_) Observer::tell_released(node);
  }
  const Edge* edges = node.edges();
  for (int i = 0; i < node.num_inputs(); ++i) {
    Tensor& result = of_inputs_[static_cast<std::size_t>(i)];
    if (!edges[i] || !needed(edges[i].node.get())) continue;
    if (!result.defined()) {
      if (!ended_at_) {
        ended_at_ = current_.node;
        ended_input_ = i;
      }
      continue;
    }
    send(edges[i], fitted(std::move(result), edges[i].node->outputs()[edges[i].index], node, i));
  }
}

void Pass::run_nodes() {
  const AutoGradMode mode(create_graph_);
  while (!heap_.empty()) {
    take_highest();
    run_current();
    current_.gradients.clear();
    current_.node = nullptr;
  }
  if (observed_) Observer::tell_finishing();
  accumulate();
  complete_ = true;
}

// A gradient may lie in a `.grad`'s memory, as after y.backward(x.grad()): what comes to other leaves is what it was.
void Pass::copy_what_accumulation_changes() {
  std::unordered_set<const core::Storage*> changes;
  for (const Arrived& a : arrived_) changes.insert(a.leaf->written_by_accumulation(create_graph_));
  for (Arrived& a : arrived_) {
    if (!a.gradient.defined() || changes.count(a.gradient.array().storage().get()) == 0) continue;
    a.gradient = Tensor(a.gradient.array().clone());
  }
}

// The last step, in three rounds: what may fail before the first `.grad` is touched, the users' hooks after the last.
void Pass::accumulate() {
  bool shared = false;
  for (Arrived& a : arrived_) {
    if (writes_to(a.gradient) != a.writes) fail_changed_on_its_way(*a.leaf, {a.gradient});
    a.gradient = a.leaf->prepared(std::move(a.gradient), create_graph_);
    shared |= a.gradient.defined() && (a.gradient.body_ref()->use_count() > 1 || !a.gradient.array().unique());
  }
  if (shared) copy_what_accumulation_changes();
  for (Arrived& a : arrived_) a.leaf->accumulate(std::move(a.gradient), create_graph_);
  for (const Arrived& a : arrived_) {
    try {
      a.leaf->run_post_accumulate_hooks();
    } catch (...) {
      rethrow_with("in a hook after accumulation into the grad of " + described(*a.leaf));
    }
  }
}

std::string Pass::ended() const {
  if (!ended_at_) return "";
  return fmt::format("; one ended at input {} of {}, whose formula is no_gradient or gave an undefined tensor",
                     ended_input_, described(*ended_at_));
}

}  // namespace

void backward(const std::vector<Tensor>& outputs, const std::vector<Tensor>& gradients,
              std::optional<bool> retain_graph, bool create_graph, const std::vector<Tensor>& inputs) {
  detail::refuse_batched("backward", outputs);
  detail::refuse_batched("backward", gradients);
  std::vector<Tensor> start = starting_gradients(outputs, gradients, "backward");
  std::vector<Destination> targets = targets_of(inputs, "backward", true);
  Pass pass(retain_graph.value_or(create_graph), create_graph);
  if (!inputs.empty()) pass.restrict_to(outputs, targets);
  pass.run(outputs, std::move(start));
}

std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const std::vector<Tensor>& gradients, std::optional<bool> retain_graph, bool create_graph,
                         bool allow_unused) {
  if (inputs.empty()) core::fail<GradError>("grad: there must be at least one input");
  std::vector<Tensor> results;
  if (detail::grad_of_batched(outputs, inputs, gradients, retain_graph, create_graph, allow_unused, results))
    return results;
  std::vector<Tensor> start = starting_gradients(outputs, gradients, "grad");
  std::vector<Destination> targets = targets_of(inputs, "grad", false);
  Pass pass(retain_graph.value_or(create_graph), create_graph);
  pass.restrict_to(outputs, targets);
  pass.run(outputs, std::move(start));
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (!targets[i].result.defined() && !allow_unused) {
      core::fail<GradError>(
          "grad: no output depends on input {} ({}, {}){}; pass allow_unused=true to get an undefined tensor for it", i,
          inputs[i].sizes(), inputs[i].dtype(), pass.ended());
    }
    if (targets[i].result.defined() && writes_to(targets[i].result) != targets[i].writes) {
      fail_changed_on_its_way(*inputs[i].edge().node, {targets[i].result});
    }
    results.push_back(std::move(targets[i].result));
  }
  return results;
}

}  // namespace gradus::autograd
