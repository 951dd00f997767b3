// The ends of the graph: where gradients arrive.
#pragma once

#include <atomic>
#include <functional>
#include <string_view>

#include "../../core/memory/storage.h"
#include "node.h"

namespace gradus {
namespace autograd {

/// The end of the graph: a tensor that the user made and asked a gradient for. It adds up what arrives into `.grad`,
/// and does not own its tensor, so that no cycle forms.
class GRADUS_API LeafNode final : public Node {
 public:
  explicit LeafNode(const TensorMeta& meta);
  ~LeafNode() override;
  std::string_view name() const override { return "leaf"; }
  const Edge* edges() const noexcept override { return nullptr; }
  int num_inputs() const noexcept override { return 0; }
  const TensorMeta* outputs() const noexcept override { return &meta_; }
  int num_outputs() const noexcept override { return 1; }
  void set_meta(const TensorMeta& meta) { meta_ = meta; }

  LeafNode* as_leaf() noexcept override { return this; }
  void backward(const Gradients&, Gradients&, bool) override {}  // the engine accumulates

  // Several backward passes may accumulate at once.
  /// The gradient in memory that `.grad` can take over. What can fail is done here.
  Tensor prepared(Tensor gradient, bool create_graph);
  /// Adds a prepared gradient into `.grad`.
  void accumulate(Tensor gradient, bool create_graph);
  /// The memory that `accumulate` will add to where it is, or null.
  const core::Storage* written_by_accumulation(bool create_graph);
  void run_post_accumulate_hooks();
  Tensor& grad();
  /// When the tensor is gone: under create_graph a gradient's history leads back to this node, which would keep both.
  /// What arrives after that is the hooks' alone. A chain of any number of `.grad` of `.grad` takes no stack.
  void drop_grad() noexcept;
  /// Whether what a node keeps for the tensor is the gradient of numbers that it no longer has: of a view, whose base has
  /// been changed in place since. (Asking the view for its history moves the keeping on.)
  bool is_behind();
  /// Whether the tensor is still to be given gradients: not after requires_grad_(false) or detach_(). GradError when it is
  /// a view whose base has been given a history, so that it is no leaf any more.
  bool takes_gradients();
  void belong_to(const Body* tensor) noexcept { tensor_ = tensor; }
  /// Whether the tensor keeps its gradient although it is no leaf.
  void retain_grad(bool retain) noexcept { retains_ = retain; }
  /// The tensor's edge <- next: what it retains is kept by the next edge's node, also after a time without any.
  void follow(Edge& edge, Edge next);
  /// Called with the leaf's `.grad` after each accumulation, one thread at a time: a hook must not wait for another
  /// thread's backward pass.
  void add_post_accumulate_hook(std::function<void(Tensor& grad)> hook);

 private:
  TensorMeta meta_;
  struct Shared;  // what several backward passes may be at: `.grad`, the hooks, and the lock of both
  core::Own<Shared> shared_;
  const Body* tensor_ = nullptr;  // whose gradient it is, while that is alive; it does not own it
  bool retains_ = false;
  bool gone_ = false;  // the tensor
  // Whether Shared has any, asked without its lock: hooks are only ever added, so that it stays true.
  std::atomic<bool> has_post_hooks_{false};
  LeafNode* next_to_drop_ = nullptr;
};

}  // namespace autograd
}  // namespace gradus
