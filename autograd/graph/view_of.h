// What a view knows of its base, and a base of what has happened to it.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "../../core/array/array.h"
#include "../../core/base/export.h"
#include "../../core/base/ref.h"
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
  /// requires grad. It runs the operation's forward, and passes its errors on.
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
struct GRADUS_API ViewOf {
  explicit ViewOf(core::Ref<Body> whole) noexcept;
  ~ViewOf();
  ViewOf(const ViewOf&) = delete;
  ViewOf& operator=(const ViewOf&) = delete;

  core::Ref<Body> base;
  std::atomic<std::uint64_t> seen{0};
  bool taken_without_grad = false;
  core::Ref<ViewStep> by;  ///< the last step that has a gradient of its own; null: the geometry says all
};

/// What has happened to the history of a base that views may follow: in-place changes and detachments, numbered. A view
/// that has not seen the last change takes its history anew; one from before a detachment keeps its own until then.
struct BaseEvents {
  std::uint64_t count = 0, rewritten = 0, detached = 0;  ///< how many; the last one of each kind
  /// The history that the last change gave, when a detachment has taken it from the base since and there are views.
  Edge rewritten_as;

  static void* operator new(std::size_t bytes) { return core::pool_allocate(bytes); }
  static void operator delete(void* block, std::size_t bytes) noexcept { core::pool_free(block, bytes); }
};

}  // namespace gradus::autograd
