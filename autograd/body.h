// What every copy of a Tensor shares.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "../core/array.h"
#include "../core/export.h"
#include "../core/ref.h"
#include "node.h"

namespace gradus::autograd {

struct Body;

/// A view's base, and how many rewrites of the base's history the view has followed.
struct ViewOf {
  core::Ref<Body> base;
  std::atomic<std::uint64_t> seen{0};
  bool taken_without_grad = false;
};

/// The numbers and the history of a tensor.
struct Body {
  explicit Body(core::Array&& a) noexcept : array(std::move(a)) {}

  core::Array array;
  Edge edge;                     // where its gradient goes: the node that made it, or its leaf; empty: nowhere
  core::Ref<LeafNode> leaf;      // once it was asked to keep a gradient of its own; it holds `.grad`
  std::uint64_t rewrites = 0;    // of a base: how often an in-place change gave it a new history
  std::unique_ptr<ViewOf> view;  // of a view: its one base, which is no view itself

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
