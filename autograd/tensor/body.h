// What every copy of a Tensor shares.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "../../core/array/array.h"
#include "../../core/base/export.h"
#include "../../core/base/own.h"
#include "../../core/base/ref.h"
#include "../graph/node.h"
#include "../graph/view_of.h"

namespace gradus::autograd {

struct Body;

/// Of a tensor inside `func::vmap`: all examples together, stacked along dimension 0, and which vmap they belong to.
struct GRADUS_API Batched {
  Batched(core::Ref<Body> all, std::int64_t at) noexcept;
  ~Batched();
  Batched(const Batched&) = delete;
  Batched& operator=(const Batched&) = delete;

  core::Ref<Body> examples;
  std::int64_t level;
};

/// The numbers and the history of a tensor.
struct Body {
  explicit Body(core::Array&& a) noexcept : array(std::move(a)), unusual(is_storage_type(array.dtype())) {}

  core::Array array;
  Edge edge;                     // where its gradient goes: the node that made it, or its leaf; empty: nowhere
  core::Ref<LeafNode> leaf;      // once it was asked to keep a gradient of its own; it holds `.grad`
  core::Own<ViewOf> view;        // of a view: its one base, which is no view itself
  core::Own<BaseEvents> events;  // of a base, once there have been any
  core::Own<Batched> batch;  // inside a vmap; `array` is then an example's shape and dtype, its numbers mean nothing
  bool picked = false;       // a copy that x[mask] or x.index({ids}) made: what is written to it x never sees
  bool borrowed = false;     // its memory is the caller's
  bool unusual = false;      // of a storage type, or batched: operations look closer

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
    if (leaf) {
      leaf->follow(edge, std::move(next));
    } else {
      edge = std::move(next);
    }
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

 public:
  std::atomic<int> views{0};  // of a base: how many there are
};

}  // namespace gradus::autograd
