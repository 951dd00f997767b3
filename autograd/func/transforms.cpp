#include "transforms.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <unordered_set>

#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "../graph/engine.h"
#include "../graph/forward.h"
#include "../graph/grad_mode.h"
#include "../ops/combine.h"
#include "../tensor/create.h"
#include "batched.h"

namespace gradus::func::detail {

using autograd::Edge;
using autograd::ForwardPass;
using autograd::Gradients;
using autograd::Node;
using autograd::TensorMeta;

namespace {

// A fresh alias of an input. It has a number, as a leaf has not: what is older is no part of the call.
class InputNode final : public Node {
 public:
  InputNode(const Tensor& x, bool keeps_history) : meta_{x.array().shape(), x.dtype()} {
    if (keeps_history) edge_ = x.edge();
    enter_graph(Location::unknown());
  }
  std::string_view name() const override { return "input"; }
  const Edge* edges() const noexcept override { return &edge_; }
  int num_inputs() const noexcept override { return 1; }
  const TensorMeta* outputs() const noexcept override { return &meta_; }
  int num_outputs() const noexcept override { return 1; }
  void backward(const Gradients& of_outputs, Gradients& of_inputs, bool) override { of_inputs[0] = of_outputs[0]; }
  void tangent(const Gradients& of_inputs, Gradients& of_outputs, bool) override { of_outputs[0] = of_inputs[0]; }

 private:
  Edge edge_;
  TensorMeta meta_;
};

// Places among `count` arguments, counted from the start.
std::vector<std::size_t> places_of(const char* op, const std::vector<int>& argnums, std::size_t count) {
  std::vector<std::size_t> places;
  if (argnums.empty()) core::fail<IndexError>("{}: argnums must name at least one argument", op);
  for (const int argnum : argnums) {
    const std::int64_t place = argnum < 0 ? argnum + static_cast<std::int64_t>(count) : argnum;
    if (place < 0 || place >= static_cast<std::int64_t>(count)) {
      core::fail<IndexError>("{}: argnums must be in [-{}, {}), as there are {} arguments: {}", op, count, count, count,
                             argnum);
    }
    if (std::count(places.begin(), places.end(), static_cast<std::size_t>(place)) != 0) {
      core::fail<IndexError>("{}: argnums must name an argument once: {} is repeated", op, argnum);
    }
    places.push_back(static_cast<std::size_t>(place));
  }
  return places;
}

// Whether a way leads from the outputs to what was there before the call, or to a leaf: past the inputs' nodes.
bool reaches_beyond(const Tensors& outputs, std::uint64_t first) {
  std::vector<const Node*> stack;
  std::unordered_set<const Node*> seen;
  bool beyond = false;
  const auto visit = [&](const Edge& edge) {
    if (!edge || !seen.insert(edge.node.get()).second) return;
    beyond |= edge.node->number() < first;
    stack.push_back(edge.node.get());
  };
  for (const Tensor& y : outputs) visit(y.edge());
  while (!stack.empty() && !beyond) {
    const Node* const node = stack.back();
    stack.pop_back();
    for (int i = 0; i < node->num_inputs(); ++i) visit(node->edges()[i]);
  }
  return beyond;
}

bool any_history(const Tensors& tensors) {
  return std::any_of(tensors.begin(), tensors.end(), [](const Tensor& x) { return x.defined() && x.requires_grad(); });
}

std::uint64_t version_of(const Tensor& x) { return x.body().array.storage()->write_count(); }

// The unit vector number i.
Tensor unit_like(const Tensor& x, std::int64_t i) {
  const core::Array unit = core::zeros({x.numel()}, x.dtype());
  unit.slice(0, i, i + 1, 1).fill_(1);
  return Tensor(unit.view(x.sizes()));
}

// As many as there are to be, of the shapes of what they belong to.
void check_fit(const char* op, const char* what, const Tensors& given, const char* whose, const Tensors& of) {
  if (given.size() != of.size()) {
    core::fail<ValueError>("{}: there must be a {} for each {}: {} for {}", op, what, whose, given.size(), of.size());
  }
  for (std::size_t i = 0; i < of.size(); ++i) {
    if (given[i].defined() && given[i].sizes() != of[i].sizes()) {
      core::fail<ShapeError>("{}: {} {} must have the {}'s shape: {} for {}", op, what, i, whose, given[i].sizes(),
                             of[i].sizes());
    }
  }
}

// Lists of tensors of one shape, joined along a new first dimension, or last.
Tensor joined(const Tensors& parts, bool last, const std::vector<std::int64_t>& shape, DType dtype) {
  if (parts.empty()) return Tensor(core::zeros(shape, dtype));
  return stack(parts, last ? -1 : 0).reshape(shape);
}
std::vector<std::int64_t> both_shapes(const Tensor& y, const Tensor& x) {
  std::vector<std::int64_t> shape = y.sizes().vec();
  for (const std::int64_t size : x.sizes()) shape.push_back(size);
  return shape;
}

}  // namespace

void fail_taken(const char* op, std::size_t given) {
  core::fail<ValueError>("{}: the function must take the tensors that it is called with: it does not take {}", op,
                         given);
}

struct Linearized::State {
  const char* op;
  Tensors inputs;   // the fresh aliases
  Tensors outputs;  // recorded
  Tensors values;   // as results
  bool keeps;       // whether results have a history beyond the inputs
  mutable std::unique_ptr<ForwardPass> forward;
};

Linearized::Linearized(const char* op, Function f, const Tensors& inputs, const std::vector<int>& argnums)
    : state_(new State{op, {}, {}, {}, GradMode::is_enabled(), {}}) {
  State& s = *state_;
  Tensors arguments = inputs;
  std::uint64_t first = ~std::uint64_t{0}, writes = 0;
  for (const std::size_t i : places_of(op, argnums, inputs.size())) {
    Tensor& x = arguments[i];
    if (!x.defined()) core::fail<GradError>("{}: argument {} must be defined", op, i);
    if (!x.is_floating_point()) {
      core::fail<DTypeError>("{}: argument {} must be floating-point to be differentiated: {}; leave it out of argnums",
                             op, i, x.dtype());
    }
    const Tensor all = all_examples(x);
    const auto node = core::Ref<Node>::adopt(new InputNode(all, s.keeps));
    first = std::min(first, node->number());
    x = each_example(Tensor(all.array(), {node, 0}));
    writes += version_of(x);
    s.inputs.push_back(x);
  }
  {
    const AutoGradMode recording(true);
    s.outputs = f(arguments);
  }
  for (const Tensor& x : s.inputs) writes -= version_of(x);
  if (writes != 0) {
    core::fail<GradError>("{}: the function must not change its arguments in place; change a clone() of them", op);
  }
  for (std::size_t k = 0; k < s.outputs.size(); ++k) {
    const Tensor& y = s.outputs[k];
    if (!y.defined()) core::fail<GradError>("{}: the function must return defined tensors: output {} is not", op, k);
    if (!y.is_floating_point()) {
      core::fail<DTypeError>(
          "{}: what the function returns must be floating-point to be differentiated: output {} is {}; return it "
          "beside the result, and pass has_aux",
          op, k, y.dtype());
    }
  }
  s.keeps = s.keeps && reaches_beyond(s.outputs, first);
  s.values = as_result(s.outputs);
}
Linearized::~Linearized() = default;

const Tensors& Linearized::values() const { return state_->values; }
Tensor Linearized::as_result(const Tensor& y) const {
  return state_->keeps || !y.defined() || !y.requires_grad() ? y : y.detach();
}
Tensors Linearized::as_result(const Tensors& y) const {
  Tensors results;
  for (const Tensor& each : y) results.push_back(as_result(each));
  return results;
}

Tensors Linearized::pull(const Tensors& cotangents, bool again) const {
  const State& s = *state_;
  check_fit(s.op, "cotangent", cotangents, "output", s.outputs);
  const bool create_graph = GradMode::is_enabled() && (s.keeps || any_history(cotangents));
  Tensors from, gradients, results(s.inputs.size());
  for (std::size_t k = 0; k < s.outputs.size(); ++k) {
    if (!cotangents[k].defined() || !s.outputs[k].requires_grad()) continue;
    from.push_back(s.outputs[k]);
    gradients.push_back(cotangents[k]);
  }
  if (!from.empty()) {
    results = autograd::grad(from, s.inputs, gradients, again || create_graph, create_graph, true);
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!results[i].defined()) results[i] = zeros_like(s.inputs[i]);
  }
  return results;
}

Tensors Linearized::pull_scalar() const {
  const State& s = *state_;
  if (s.outputs.size() != 1 || s.outputs[0].numel() != 1) {
    core::fail<GradError>(
        "{}: the function must return one tensor of one element: {}{}; reduce it by sum() or mean(), or take vjp or "
        "jacrev",
        s.op, s.outputs.size() == 1 ? "shape " : "it returns ",
        s.outputs.size() == 1 ? fmt::format("{}", s.outputs[0].sizes()) : fmt::format("{} tensors", s.outputs.size()));
  }
  return pull({Tensor(core::ones(s.outputs[0].sizes(), s.outputs[0].dtype()))}, false);
}

Tensors Linearized::push(const Tensors& tangents, bool again) const {
  const State& s = *state_;
  check_fit(s.op, "tangent", tangents, "input", s.inputs);
  const bool create_graph = GradMode::is_enabled() && (s.keeps || any_history(tangents));
  if (!s.forward) s.forward = std::make_unique<ForwardPass>(s.inputs, s.outputs);
  Tensors fitting;
  for (std::size_t i = 0; i < tangents.size(); ++i) {
    const Tensor& t = tangents[i];
    fitting.push_back(t.defined() ? examples_like(t.to(s.inputs[i].dtype()), s.inputs[i]) : t);
  }
  Tensors results = s.forward->run(fitting, create_graph, !again && !create_graph && !s.keeps);
  for (std::size_t k = 0; k < results.size(); ++k) {
    results[k] = results[k].defined() ? batched_like(results[k], s.outputs[k]) : zeros_like(s.outputs[k]);
  }
  return results;
}

std::vector<Tensors> Linearized::rows() const {
  const State& s = *state_;
  std::vector<Tensors> all;
  for (std::size_t k = 0; k < s.outputs.size(); ++k) {
    const Tensor& y = s.outputs[k];
    std::vector<Tensors> rows(s.inputs.size());
    for (std::int64_t e = 0; e < y.numel(); ++e) {
      Tensors cotangents(s.outputs.size());
      cotangents[k] = unit_like(y, e);
      const Tensors row = pull(cotangents, true);
      for (std::size_t i = 0; i < row.size(); ++i) rows[i].push_back(row[i]);
    }
    Tensors& of_output = all.emplace_back();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      of_output.push_back(joined(rows[i], false, both_shapes(y, s.inputs[i]), s.inputs[i].dtype()));
    }
  }
  return all;
}

std::vector<Tensors> Linearized::columns() const {
  const State& s = *state_;
  std::vector<Tensors> all(s.outputs.size(), Tensors(s.inputs.size()));
  for (std::size_t i = 0; i < s.inputs.size(); ++i) {
    std::vector<Tensors> columns(s.outputs.size());
    for (std::int64_t e = 0; e < s.inputs[i].numel(); ++e) {
      Tensors tangents(s.inputs.size());
      tangents[i] = unit_like(s.inputs[i], e);
      const Tensors column = push(tangents, true);
      for (std::size_t k = 0; k < column.size(); ++k) columns[k].push_back(column[k]);
    }
    for (std::size_t k = 0; k < columns.size(); ++k) {
      const Tensor& y = s.outputs[k];
      all[k][i] = joined(columns[k], true, both_shapes(y, s.inputs[i]), y.dtype());
    }
  }
  return all;
}

std::vector<int> all_of(const Tensors& inputs) {
  std::vector<int> places(inputs.size());
  std::iota(places.begin(), places.end(), 0);
  return places;
}

namespace {

// The value, and the gradients.
Tensors value_and_gradients(const char* op, Function f, const Tensors& inputs) {
  const Linearized at(op, f, inputs, all_of(inputs));
  Tensors all = at.pull_scalar();
  all.insert(all.begin(), at.values()[0]);
  return all;
}

}  // namespace

Tensors hvp(Function f, const Tensors& inputs, const Tensors& tangents) {
  const auto gradients = [&](const Tensors& x) { return value_and_gradients("hvp", f, x); };
  const Linearized at("hvp", gradients, inputs, all_of(inputs));
  Tensors results = at.push(tangents, false);
  results[0] = at.values()[0];
  return results;
}

Tensors vhp(Function f, const Tensors& inputs, const Tensors& cotangents) {
  check_fit("vhp", "cotangent", cotangents, "input", inputs);
  const auto gradients = [&](const Tensors& x) { return value_and_gradients("vhp", f, x); };
  const Linearized at("vhp", gradients, inputs, all_of(inputs));
  Tensors of_values = cotangents;
  of_values.insert(of_values.begin(), Tensor());
  Tensors results = at.pull(of_values, false);
  results.insert(results.begin(), at.values()[0]);
  return results;
}

}  // namespace gradus::func::detail
