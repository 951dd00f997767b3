// The node that a call of a Function leaves in the graph (internal).
#pragma once

#include <atomic>
#include <mutex>
#include <string_view>
#include <vector>

#include "function.h"
#include "node.h"
#include "saved.h"
#include "view_of.h"

namespace gradus::autograd::detail {

class FunctionNode final : public Node {
 public:
  explicit FunctionNode(const FunctionType& type) : type_(type) { context_.node_ = this; }

  // While the call goes on.
  void add_input(const Edge& edge, const TensorMeta& meta);
  void end_argument(bool is_tensor, std::size_t tensors);
  /// All inputs are known: is what forward computes to be recorded?
  void begin();
  AutogradContext& context() noexcept { return context_; }
  const FunctionType& type() const noexcept { return type_; }
  bool recorded() const noexcept { return recorded_; }
  int argument_of(int input) const;
  /// Forward has given these results: checks them, and keeps what is to be kept.
  void complete(const variable_list& inputs, const std::vector<std::uint64_t>& writes, const variable_list& results);
  /// The results with their history; arguments that were changed get it, and the bases of those that are views. Observers
  /// know of the call by now; what one of them throws comes when all have it.
  variable_list attach(const variable_list& inputs, const variable_list& results);

  std::string_view name() const override { return type_.name; }
  AttributeList attributes() const override;
  const Edge* edges() const noexcept override { return edges_.data(); }
  int num_inputs() const noexcept override { return static_cast<int>(edges_.size()); }
  const TensorMeta* outputs() const noexcept override { return outputs_.data(); }
  int num_outputs() const noexcept override { return static_cast<int>(outputs_.size()); }
  bool broadcasts() const noexcept override { return true; }
  void backward(const Gradients& of_outputs, Gradients& of_inputs, bool create_graph) override;
  void visit_saved(core::FunctionRef<void(const char*, int, Saved&)> visit) override;
  void release_saved() noexcept override;

  /// For the context.
  variable_list saved_variables() const;

 private:
  struct Kept {
    Saved value;
    const char* kind;  // "input", "output", or "tensor": neither
    int index;
    Edge edge;
  };
  struct Joined {
    Tensor tensor;  // numbers of an output, in saved_data
    int output;
  };

  void check_changes(const variable_list& inputs, const std::vector<std::uint64_t>& writes,
                     const variable_list& outputs) const;
  /// Whether it is an argument that was changed in place.
  bool rewrites(const variable_list& inputs, const Tensor& result) const;
  Tensor attached(const Tensor& result, int index, const variable_list& inputs);
  Tensor alias_of(const core::Array& value, const Tensor& of, int index);
  void keep(const variable_list& inputs, const variable_list& outputs);
  void keep_history(const variable_list& results);
  Kept kept(const Tensor& tensor, int index, const variable_list& inputs, const variable_list& outputs);
  void keep_saved_data(const variable_list& outputs);
  void rejoin_saved_data(IValueMap& saved_data, bool join);
  void hand_out(variable_list& gradients, Gradients& of_inputs) const;
  std::string arguments() const;

  const FunctionType& type_;
  AutogradContext context_;
  std::vector<Edge> edges_;
  std::vector<TensorMeta> inputs_, outputs_;
  std::vector<int> arguments_;  // of each: how many inputs it is; -1: no tensor
  std::vector<Kept> kept_;
  std::vector<Joined> joined_;
  std::vector<bool> flows_;  // of each output: whether a gradient flows to it
  bool recorded_ = false, released_ = false;
  // Held for as long as what is kept is read or changed, never while the program's backward or an unpacking runs. (A visitor
  // that packs may ask for attributes.)
  mutable std::recursive_mutex mutex_;
};

/// The history of numbers that are neither arguments nor results: should a higher derivative have gone on there, it says so.
Edge constant_edge(const FunctionType& type, int index, const core::Array& value, const std::vector<Edge>& edges);

}  // namespace gradus::autograd::detail
