// The graph: nodes, one for each recorded operation, and the edges along which gradients flow back.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "../../core/array/array.h"
#include "../../core/base/export.h"
#include "../../core/base/function_ref.h"
#include "../../core/base/location.h"
#include "../../core/base/own.h"
#include "../../core/memory/pool.h"
#include "../../core/base/ref.h"

namespace gradus {

class Tensor;

namespace autograd {

class Node;
class LeafNode;
class Saved;
struct Body;

/// Where a tensor's gradient goes: output number `index` of the node that made the tensor.
struct Edge {
  core::Ref<Node> node;
  int index = 0;
  explicit operator bool() const noexcept { return static_cast<bool>(node); }
  bool is_valid() const noexcept { return static_cast<bool>(node); }
  bool operator==(const Edge&) const = default;
};

/// What a gradient that arrives for a tensor must look like.
struct TensorMeta {
  core::Shape shape;
  DType dtype = kFloat32;
};

/// A name and a printable value.
struct Attribute {
  std::string name;
  std::string value;
};
using AttributeList = std::vector<Attribute>;

/// Gradients on their way: one per output going into a node, one per input coming out. Absent ones are undefined.
using Gradients = std::vector<Tensor>;

/// A hook sees the gradient of one tensor and may return another in its place (undefined: leave it).
using Hook = std::function<Tensor(const Tensor&)>;
/// Hooks on a node: see Node::add_pre_hook and Node::add_post_hook.
using PreHook = std::function<Gradients(const Gradients& of_outputs)>;
using PostHook = std::function<Gradients(const Gradients& of_inputs, const Gradients& of_outputs)>;

/// One recorded operation. It owns edges to the nodes that made its inputs and knows what its outputs looked like; what
/// it computes backward is its derived class's: an operation's NodeOf<Op> or, at the ends of the graph, LeafNode.
class GRADUS_API Node {
 public:
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  /// The operation's name: "mul".
  virtual std::string_view name() const = 0;
  /// Where the user's code called the operation; file is null when unknown.
  Location location() const noexcept { return location_; }
  /// Path of the module under which it was recorded ("seq.2"), or "".
  std::string_view module() const noexcept { return module_; }
  /// The operation's attributes ("p" = "0.5").
  virtual AttributeList attributes() const;
  /// One edge per input; an empty edge where no gradient is wanted.
  virtual const Edge* edges() const noexcept = 0;
  virtual int num_inputs() const noexcept = 0;
  virtual const TensorMeta* outputs() const noexcept = 0;
  virtual int num_outputs() const noexcept = 0;
  std::vector<Edge> next_edges() const;
  /// IndexError when there is no such input.
  const Edge& next_edge(std::size_t input) const;
  /// Its gradient called by hand: those of the inputs from those of the outputs, without its hooks; recorded where
  /// recording is on. Saved values stay. A leaf adds what it is given to `.grad` and gives nothing. ValueError when
  /// there are not as many gradients as outputs.
  Gradients operator()(Gradients of_outputs);
  /// Exceeds the number of every node that this one reads, whichever thread made them: a topological order.
  std::uint64_t number() const noexcept { return number_; }
  std::uint64_t sequence_nr() const noexcept { return number_; }

  // For the engine.
  /// Itself when it is the end of the graph.
  virtual LeafNode* as_leaf() noexcept { return nullptr; }
  /// The gradients of the inputs from those of the outputs. `of_inputs` comes with an undefined Tensor for each input,
  /// which stays where there is no gradient.
  virtual void backward(const Gradients& of_outputs, Gradients& of_inputs, bool create_graph) = 0;
  /// Forward mode: the tangents of the outputs from those of the inputs (undefined: 0). Derived from backward, unless
  /// the operation gives its own.
  virtual void tangent(const Gradients& of_inputs, Gradients& of_outputs, bool create_graph);
  /// Calls with each value that is kept: of "input" or "output" number `index`.
  virtual void visit_saved(core::FunctionRef<void(const char* kind, int index, Saved& value)>) {}
  virtual void release_saved() noexcept {}  ///< lets go of the saved values
  /// Whether gradients of an input may have the broadcast shape, for the engine to sum down.
  virtual bool broadcasts() const noexcept { return false; }
  /// Whether its gradient is written by hand, beside a reference.
  virtual bool is_rule() const noexcept { return false; }
  virtual bool has_formulas() const noexcept { return !is_rule(); }  ///< takes gradients of all examples at once

  /// Hooks on the gradient of one output, run in the order of their registration. The number that add_hook returns is
  /// the hook's alone in the whole process.
  std::uint64_t add_hook(int output, Hook hook);
  /// Sees the gradients of all outputs before the node runs, after the hooks on single ones; what it returns takes
  /// their place (empty: leaves them). ValueError when it returns another number.
  std::uint64_t add_pre_hook(PreHook hook);
  /// Sees the gradients of the inputs that the node has computed, and those of the outputs; what it returns takes the
  /// place of the former (empty: leaves them).
  std::uint64_t add_post_hook(PostHook hook);
  /// Whether there was one.
  static bool remove_hook(std::uint64_t id);
  // The frontend's way: hooks that are objects, in a pointer that owns (function.h).
  template <class Owner>
  requires requires { typename Owner::element_type; }
  std::uint64_t add_pre_hook(Owner hook);
  template <class Owner>
  requires requires { typename Owner::element_type; }
  std::uint64_t add_post_hook(Owner hook);
  bool del_post_hook(std::uint64_t id) { return remove_hook(id); }
  bool has_hooks() const noexcept { return extras_ != nullptr; }
  /// GradError when a hook writes to its gradient, which others may hold too.
  void run_hooks(Gradients& of_outputs);
  void run_post_hooks(Gradients& of_inputs, const Gradients& of_outputs);
  /// Adds the gradient of an output to the `.grad` of a LeafNode too when it passes (retain_grad).
  struct Kept {
    int output;
    core::Ref<LeafNode> in;
  };
  void keep_gradient(int output, core::Ref<LeafNode> in);
  bool keeps_gradient(int output, const LeafNode* in) const;
  /// Ends that; whether it was kept.
  bool stop_keeping(int output, const LeafNode* in);
  std::vector<Kept> kept() const;

  void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    // As for a storage: a sole owner needs no locked instruction.
    if (references_.load(std::memory_order_acquire) == 1 || references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      bury(this);
    }
  }

  // Nodes live and die with each operation: pooled memory.
  static void* operator new(std::size_t bytes) { return core::pool_allocate_object(bytes); }
  static void operator delete(void* block, std::size_t bytes) noexcept { core::pool_free_object(block, bytes); }

  /// Nodes ever made, and nodes alive, in the whole process.
  static std::int64_t created() noexcept;
  static std::int64_t alive() noexcept;

 protected:
  Node() noexcept;
  virtual ~Node();
  /// Called once all edges are known: takes a number above theirs, and the place.
  void enter_graph(Location at) noexcept;

  std::uint64_t number_ = 0;
  Location location_ = Location::unknown();
  std::string_view module_;

 private:
  /// Destroys a node and whatever that leaves without owner one after the other, never one inside the other: a chain of
  /// ten million nodes takes no stack.
  static void bury(Node* node) noexcept;

  struct Extras;  // hooks and kept gradients: few nodes have any
  Extras& extras();

  std::atomic<int> references_{1};
  core::Own<Extras> extras_;
  Node* next_to_bury_ = nullptr;
};

}  // namespace autograd
}  // namespace gradus
