#include "function_node.h"

#include <algorithm>
#include <cstdio>
#include <exception>

#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "error_notes.h"
#include "operation_support.h"
#include "view_history.h"

namespace gradus::autograd::detail {

namespace {

// Which of these a tensor is; -1: none.
int index_in(const variable_list& list, const Tensor& x) {
  const auto at = std::find_if(list.begin(), list.end(), [&](const Tensor& each) { return each.is_same(x); });
  return !x.defined() || at == list.end() ? -1 : static_cast<int>(at - list.begin());
}
bool shares_memory(const Tensor& a, const Tensor& b) {
  return a.defined() && b.defined() && a.array().storage() == b.array().storage();
}
bool any_shares(const variable_list& list, const Tensor& x) {
  return std::any_of(list.begin(), list.end(), [&](const Tensor& each) { return shares_memory(each, x); });
}

// A result that shows the memory of an argument, or of another result: its gradient is the Function's, not that of a view.
class ViewOfFunction final : public ViewStep {
 public:
  explicit ViewOfFunction(const FunctionType& type) : type_(type) {}
  std::string_view name() const noexcept override { return type_.name; }
  Edge again(const Tensor&) const override {
    core::fail<GradError>(
        "{}: what its result shows the memory of must not be changed in place before the result is used: the view "
        "would get a history around {}'s backward; return a clone() from forward",
        type_.name, type_.name);
  }

 private:
  const FunctionType& type_;
};

class ConstantNode final : public Node {
 public:
  ConstantNode(const FunctionType& type, int index, const core::Array& value, const std::vector<Edge>& edges)
      : type_(type), index_(index), meta_(meta_of(value)), edges_(edges) {
    enter_graph(Location::unknown());
  }
  std::string_view name() const override { return "constant"; }
  const Edge* edges() const noexcept override { return edges_.data(); }
  int num_inputs() const noexcept override { return static_cast<int>(edges_.size()); }
  const TensorMeta* outputs() const noexcept override { return &meta_; }
  int num_outputs() const noexcept override { return 1; }
  void backward(const Gradients&, Gradients&, bool) override {
    if (type_.has_warned.test_and_set()) return;
    const std::string text = fmt::format(
        "gradus: {0}: saved tensor {1} ({2}, {3}) is neither an argument nor a result of forward, and the derivative "
        "of backward takes it for a constant: save arguments or results, and compute it from them in backward, or "
        "return it as a result; a constant, as a mask is, belongs in ctx->saved_data\n",
        type_.name, index_, meta_.shape, meta_.dtype);
    std::fputs(text.c_str(), stderr);
  }

 private:
  const FunctionType& type_;
  const int index_;
  const TensorMeta meta_;
  const std::vector<Edge> edges_;
};

}  // namespace

Edge constant_edge(const FunctionType& type, int index, const core::Array& value, const std::vector<Edge>& edges) {
  return {core::Ref<Node>::adopt(new ConstantNode(type, index, value, edges)), 0};
}

void FunctionNode::add_input(const Edge& edge, const TensorMeta& meta) {
  edges_.push_back(edge);
  inputs_.push_back(meta);
}
void FunctionNode::end_argument(bool is_tensor, std::size_t tensors) {
  arguments_.push_back(is_tensor ? static_cast<int>(tensors) : -1);
}
void FunctionNode::begin() {
  recorded_ =
      GradMode::is_enabled() && std::any_of(edges_.begin(), edges_.end(), [](const Edge& e) { return bool(e); });
  if (recorded_) {
    enter_graph(Location::unknown());
  } else {
    std::fill(edges_.begin(), edges_.end(), Edge());
  }
}

int FunctionNode::argument_of(int input) const {
  for (std::size_t i = 0; i < arguments_.size(); ++i) {
    if (input < std::max(arguments_[i], 0)) return static_cast<int>(i);
    input -= std::max(arguments_[i], 0);
  }
  return -1;
}

// "(Tensor, other, 3 Tensors)"
std::string FunctionNode::arguments() const {
  std::string text = "(";
  for (const int count : arguments_) {
    if (text.size() > 1) text += ", ";
    text += count < 0 ? "other" : count == 1 ? "Tensor" : fmt::format("{} Tensors", count);
  }
  return text + ")";
}

// What forward has changed in place it has to mark and to return. A leaf that it does not return it may change, as anybody
// may who updates a parameter; so it may what has no history.
void FunctionNode::check_changes(const variable_list& inputs, const std::vector<std::uint64_t>& writes,
                                 const variable_list& outputs) const {
  for (const Tensor& dirty : context_.dirty_) {
    const bool is_input = index_in(inputs, dirty) >= 0;
    if (is_input && index_in(outputs, dirty) < 0) {
      core::fail<GradError>("{}: forward must return each argument that it has marked dirty: one ({}, {}) is missing",
                            name(), dirty.sizes(), dirty.dtype());
    }
    if (!is_input && any_shares(inputs, dirty)) {
      core::fail<GradError>(
          "{}: mark_dirty takes the arguments of forward themselves: this tensor ({}, {}) is a view of one", name(),
          dirty.sizes(), dirty.dtype());
    }
  }
  for (std::size_t i = 0; recorded_ && i < inputs.size(); ++i) {
    if (!edges_[i] || inputs[i].version() == writes[i] || any_shares(context_.dirty_, inputs[i])) continue;
    if (edges_[i].node->as_leaf() != nullptr && !any_shares(outputs, inputs[i])) continue;
    core::fail<GradError>(
        "{}: forward must not change argument {} ({}, {}), which requires grad, in place without saying so: {}; call "
        "ctx->mark_dirty on it and return it, or change a clone()",
        name(), argument_of(static_cast<int>(i)), inputs_[i].shape, inputs_[i].dtype,
        written(inputs[i].array().storage()->writes()));
  }
}

void FunctionNode::complete(const variable_list& inputs, const std::vector<std::uint64_t>& writes,
                            const variable_list& results) {
  check_changes(inputs, writes, results);
  for (const Tensor& dirty : context_.dirty_) dirty.array().mark_written(type_.name, location());
  for (const Tensor& y : results) {
    outputs_.push_back(meta_of(y.defined() ? y.array() : absent_array));
    flows_.push_back(recorded_ && y.defined() && y.is_floating_point() &&
                     index_in(context_.non_differentiable_, y) < 0);
    if (!flows_.back() || !rewrites(inputs, y)) continue;
    std::vector<Operand> operands{Operand(y, location())};
    for (const Tensor& x : inputs) operands.emplace_back(x, location());
    (void)begin_inplace(type_.name, operands.data(), static_cast<int>(operands.size()));
  }
  if (recorded_) keep(inputs, results);
}

bool FunctionNode::rewrites(const variable_list& inputs, const Tensor& result) const {
  return index_in(context_.dirty_, result) >= 0 && index_in(inputs, result) >= 0;
}

variable_list FunctionNode::attach(const variable_list& inputs, const variable_list& results) {
  variable_list outputs = results;
  std::exception_ptr first;
  for (std::size_t k = 0; k < results.size(); ++k) {
    if (!results[k].defined()) continue;
    try {
      outputs[k] = attached(results[k], static_cast<int>(k), inputs);
    } catch (...) {
      if (!first) first = std::current_exception();
    }
  }
  if (recorded_) keep_history(results);
  context_.to_save_.clear();
  context_.dirty_.clear();
  context_.non_differentiable_.clear();
  if (first) std::rethrow_exception(first);
  return outputs;
}

Tensor FunctionNode::attached(const Tensor& y, int index, const variable_list& inputs) {
  const bool rewritten = rewrites(inputs, y);
  if (!flows_[static_cast<std::size_t>(index)]) {
    if (rewritten) end_unrecorded(y);
    return y.requires_grad() ? y.detach() : y;
  }
  const Edge edge{core::Ref<Node>(this), index};
  if (rewritten) {
    end_inplace(y, edge, location());
    return y;
  }
  if (y.is_view() && y.body().view->base->use_count() > 1) return alias_of(y.array(), y, index);
  for (const Tensor& x : inputs) {
    if (shares_memory(x, y)) return alias_of(y.array(), y.is_view() ? y : x, index);
  }
  if (y.requires_grad()) return Tensor(y.array(), edge);  // a graph that forward has recorded itself ends here
  y.body().view = nullptr;                                // nobody else sees its base
  y.body().set_edge(edge);
  return y;
}

Tensor FunctionNode::alias_of(const core::Array& value, const Tensor& of, int index) {
  const NoGradGuard unrecorded;  // what is written to it would have to go around the backward
  Tensor view =
      make_view(core::Array(value), core::Ref<Node>(this), of, core::Ref<ViewStep>::adopt(new ViewOfFunction(type_)));
  view.body().edge.index = index;
  return view;
}

void FunctionNode::keep(const variable_list& inputs, const variable_list& outputs) {
  for (std::size_t i = 0; i < context_.to_save_.size(); ++i) {
    kept_.push_back(kept(context_.to_save_[i], static_cast<int>(i), inputs, outputs));
  }
}

// What has been kept beside arguments and results may be the base of one that was changed.
void FunctionNode::keep_history(const variable_list& results) {
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    if (kept_[i].kind == std::string_view("tensor") && context_.to_save_[i].defined())
      kept_[i].edge = context_.to_save_[i].edge();
  }
  keep_saved_data(results);
}

// Numbers and the way to their history, never the tensor itself: an output's history leads back here, a leaf's `.grad` may.
FunctionNode::Kept FunctionNode::kept(const Tensor& x, int index, const variable_list& inputs,
                                      const variable_list& outputs) {
  Kept kept{{}, "tensor", index, {}};
  if (!x.defined()) return kept;
  kept.value.set(x.array());
  const int input = index_in(inputs, x), output = index_in(outputs, x);
  if (input >= 0 && index_in(context_.dirty_, x) < 0) {
    kept.kind = "input";
    kept.index = input;
    kept.edge = edges_[static_cast<std::size_t>(input)];
  } else if (output >= 0) {
    kept.kind = "output";
    kept.index = output;
  }
  return kept;
}

void FunctionNode::keep_saved_data(const variable_list& outputs) {
  for (auto& [name, value] : context_.saved_data) {
    value.each_tensor([&](Tensor& x) {
      if (!x.defined() || !x.requires_grad()) return;
      const int output = index_in(outputs, x);
      x = output < 0 ? Tensor(x.array(), x.edge()) : Tensor(x.array());
      if (output >= 0) joined_.push_back({x, output});
    });
  }
}

void FunctionNode::rejoin_saved_data(IValueMap& saved_data, bool join) {
  for (auto& [name, value] : saved_data) {
    value.each_tensor([&](Tensor& x) {
      for (const Joined& each : joined_) {
        if (join && x.is_same(each.tensor)) {
          x = Tensor(x.array(), Edge{core::Ref<Node>(this), each.output});
        } else if (!join && x.defined() && x.edge() == Edge{core::Ref<Node>(this), each.output}) {
          x = each.tensor;
        }
      }
    });
  }
}

AttributeList FunctionNode::attributes() const {
  const std::lock_guard lock(mutex_);
  AttributeList list;
  for (const auto& [name, value] : context_.saved_data) list.push_back({name, value.text()});
  return list;
}

void FunctionNode::visit_saved(core::FunctionRef<void(const char*, int, Saved&)> visit) {
  const std::lock_guard lock(mutex_);
  for (Kept& each : kept_) visit(each.kind, each.index, each.value);
}

void FunctionNode::release_saved() noexcept {
  std::vector<Kept> last;  // outlives the lock
  const std::lock_guard lock(mutex_);
  last.swap(kept_);
  released_ = true;
}

variable_list FunctionNode::saved_variables() const {
  std::vector<Kept> all;
  {
    const std::lock_guard lock(mutex_);
    if (released_) fail_released(*this);
    all = kept_;
  }
  variable_list tensors;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Kept& each = all[i];
    const core::Array value =
        each.value.packed() ? each.value.packed()->unpacked() : each.value.get(*this, each.kind, each.index);
    Edge edge = each.edge;
    if (!value.defined()) {
      tensors.emplace_back();
      continue;
    }
    const bool output = each.kind == std::string_view("output");
    if (output && flows_[static_cast<std::size_t>(each.index)]) {
      edge = {core::Ref<Node>(const_cast<FunctionNode*>(this)), each.index};
    } else if (each.kind == std::string_view("tensor") && !edge && GradMode::is_enabled() &&
               is_floating_point(value.dtype())) {
      edge = constant_edge(type_, static_cast<int>(i), value, edges_);
    }
    tensors.emplace_back(value, edge);
  }
  return tensors;
}

// Threads may run it at once, each with a context of its own: what it changes in saved_data stays when it ends, of several
// at once the last one's.
void FunctionNode::backward(const Gradients& of_outputs, Gradients& of_inputs, bool) {
  variable_list gradients = of_outputs;
  for (std::size_t k = 0; k < gradients.size(); ++k) {
    const bool is_tensor = outputs_[k].shape != core::Shape{-1};
    if (!gradients[k].defined() && context_.materialize_grads_ && is_tensor) {
      gradients[k] = Tensor(core::zeros(outputs_[k].shape, outputs_[k].dtype));
    }
  }
  struct Rejoined {
    FunctionNode& node;
    AutogradContext context;
    explicit Rejoined(FunctionNode& of) : node(of) {
      context.node_ = &node;
      context.materialize_grads_ = node.context_.materialize_grads_;
      {
        const std::lock_guard lock(node.mutex_);
        context.saved_data = node.context_.saved_data;
      }
      node.rejoin_saved_data(context.saved_data, true);
    }
    ~Rejoined() {
      node.rejoin_saved_data(context.saved_data, false);
      const std::lock_guard lock(node.mutex_);  // what was there dies with the context, after it
      std::swap(node.context_.saved_data, context.saved_data);
    }
  } rejoined(*this);
  variable_list results = type_.backward(&rejoined.context, std::move(gradients));
  hand_out(results, of_inputs);
}

// One gradient for each argument, a list counting as its elements.
void FunctionNode::hand_out(variable_list& gradients, Gradients& of_inputs) const {
  std::size_t expected = 0;
  for (const int count : arguments_) expected += static_cast<std::size_t>(count < 0 ? 1 : count);
  const bool surplus =
      gradients.size() > expected && std::none_of(gradients.begin() + static_cast<std::ptrdiff_t>(expected),
                                                  gradients.end(), [](const Tensor& g) { return g.defined(); });
  if (gradients.size() != expected && !surplus) {
    core::fail<GradError>(
        "{}: backward must return a gradient for each argument of forward, Tensor() where there is none: {} for {} {}",
        name(), gradients.size(), expected, arguments());
  }
  std::size_t input = 0, next = 0;
  for (std::size_t i = 0; i < arguments_.size(); ++i) {
    if (arguments_[i] < 0 && gradients[next++].defined()) {
      core::fail<GradError>(
          "{}: backward must not return a gradient for argument {}, which is no tensor: return Tensor() in place {}",
          name(), i, next - 1);
    }
    for (int n = 0; n < arguments_[i]; ++n, ++input, ++next) {
      Tensor& gradient = gradients[next];
      const TensorMeta& meta = inputs_[input];
      if (!gradient.defined() || !edges_[input]) continue;
      if (!core::broadcasts_to(meta.shape, core::Shape(gradient.sizes()))) {
        core::fail<ShapeError>(
            "{}: backward's gradient {} must have the shape of argument {}, or one that sums down to it: {} for {}",
            name(), next, i, gradient.sizes(), meta.shape);
      }
      of_inputs[input] = std::move(gradient);
    }
  }
}

}  // namespace gradus::autograd::detail
