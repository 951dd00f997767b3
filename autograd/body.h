// What every copy of a Tensor shares.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "../core/array.h"
#include "../core/export.h"
#include "../core/ref.h"
#include "node.h"

namespace gradus::autograd {

struct Body;

/// How a view was made whose gradient is not what its geometry says (an operation with `is_view` and a formula of its
/// own): what it takes to make it again when its base has been given a new history.
class GRADUS_API ViewStep {
 public:
  ViewStep(const ViewStep&) = delete;
  ViewStep& operator=(const ViewStep&) = delete;
  /// The history of the operation applied to `of`, a tensor of the shape that it was applied to; empty when nothing
  /// requires grad.
  virtual Edge again(const Tensor& of) const = 0;
  virtual std::string_view name() const noexcept = 0;

  core::Ref<ViewStep> before;  ///< the last such step on the way from the base to `of`
  core::Array of, result;      ///< what it was applied to and what came out: geometries in the base's storage

  void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept;

 protected:
  ViewStep() = default;
  virtual ~ViewStep() = default;

 private:
  std::atomic<int> references_{1};
};

/// A view's base, and the last event in the base's history that the view knows of.
struct ViewOf {
  core::Ref<Body> base;
  std::atomic<std::uint64_t> seen{0};
  bool taken_without_grad = false;
  core::Ref<ViewStep> by;  ///< the last step that has a gradient of its own; null: the geometry says all
};

/// What has happened to the history of a base that views may follow: in-place changes and detachments, numbered. A view
/// that has not seen the last change takes its history anew; one from before a detachment keeps its own until then.
struct BaseEvents {
  std::uint64_t count = 0, rewritten = 0, detached = 0;  ///< how many; the last one of each kind
  Edge rewritten_as;  ///< the history that the last change gave, when a detachment has taken it from the base since

  static void* operator new(std::size_t bytes) { return core::pool_allocate(bytes); }
  static void operator delete(void* block, std::size_t bytes) noexcept { core::pool_free(block, bytes); }
};

/// The numbers and the history of a tensor.
struct Body {
  explicit Body(core::Array&& a) noexcept : array(std::move(a)) {}

  core::Array array;
  Edge edge;                           // where its gradient goes: the node that made it, or its leaf; empty: nowhere
  core::Ref<LeafNode> leaf;            // once it was asked to keep a gradient of its own; it holds `.grad`
  std::unique_ptr<ViewOf> view;        // of a view: its one base, which is no view itself
  std::unique_ptr<BaseEvents> events;  // of a base, once there have been any

  /// Of a view: whether its base has been given a new history since it took its own from it.
  bool is_behind() const noexcept {
    return view != nullptr && view->base->events != nullptr &&
           view->seen.load(std::memory_order_acquire) < view->base->events->rewritten;
  }
  std::uint64_t last_event() const noexcept { return events == nullptr ? 0 : events->count; }
  /// Gives a base, no view, the history that an in-place change makes.
  void rewrite(Edge next);
  /// Takes a base's history from it; its views keep theirs.
  void detach();

  ~Body() {
    if (leaf) leaf->drop_grad();
  }
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;

  /// Gives the tensor another history; a gradient that it keeps follows.
  void set_edge(Edge next) {
    const bool keeps = leaf && edge && edge.node->stop_keeping(edge.index, leaf.get());
    edge = std::move(next);
    if (keeps && edge) edge.node->keep_gradient(edge.index, leaf);
  }

  static core::Ref<Body> make(core::Array&& array) { return core::Ref<Body>::adopt(new Body(std::move(array))); }
  static void* operator new(std::size_t bytes) { return core::pool_allocate(bytes); }
  static void operator delete(void* block, std::size_t bytes) noexcept { core::pool_free(block, bytes); }
  void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    // A sole owner needs no locked instruction: nobody can share what only it holds.
    if (references_.load(std::memory_order_acquire) == 1 || references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      destroy();
    }
  }
  /// Not inline: every file that drops a tensor would compile it.
  GRADUS_API void destroy() noexcept;
  int use_count() const noexcept { return references_.load(std::memory_order_acquire); }

 private:
  std::atomic<int> references_{1};
};

}  // namespace gradus::autograd
