// A pointwise function in the graph: one node, which keeps inputs alone. Its gradient is the function's derivative, run the
// same way; under create_graph that is a node again.
#include <array>

#include "../../core/loops/program.h"
#include "../../core/base/fail.h"
#include "../graph/grad_mode.h"
#include "../graph/observer.h"
#include "../graph/operation_support.h"
#include "formula.h"
#include "function.h"

namespace gradus::autograd::detail {

using core::Array;
using core::kernels::Program;

namespace {

using Function = std::shared_ptr<const FusedFunction>;

/// What it computes, as attributes have it.
std::string text_of(const FusedFunction& function, DType dtype) {
  const std::vector<std::string> inputs = input_names(function.inputs());
  std::vector<std::string> outputs;
  std::string list;
  for (const std::string& name : inputs) list += (list.empty() ? "" : ", ") + name;
  for (int k = 0; k < function.outputs(); ++k) {
    outputs.push_back(function.outputs() == 1 ? fmt::format("{}({})", function.name(), list)
                                              : fmt::format("y{}", k + 1));
  }
  return formula_of(*function.program(dtype), inputs, outputs, false);
}

/// Of N inputs; of any number for N = 0.
template <int N>
class FusedNode final : public Node {
  template <class T>
  using List = std::conditional_t<N == 0, std::vector<T>, std::array<T, N>>;

 public:
  FusedNode(const Function& function, const Operand* inputs, const core::Shape& shape, DType dtype)
      : function_(function) {
    const auto count = static_cast<std::size_t>(function->inputs());
    if constexpr (N == 0) {
      edges_.resize(count);
      saved_.resize(count);
      metas_of_inputs_.resize(count);
    }
    metas_.assign(static_cast<std::size_t>(function->outputs()), {shape, dtype});
    std::uint32_t wanted = 0;
    for (std::size_t i = 0; i < count; ++i) {
      edges_[i] = edge_of(inputs[i]);
      if (edges_[i]) wanted |= 1u << i;
    }
    // What the gradient does not read is not kept. (Of several outputs it is not known yet which have gradients.)
    const Function derivative = function->outputs() == 1 ? function->derivative(1, wanted) : nullptr;
    const Program* const program = derivative != nullptr ? derivative->program(dtype) : nullptr;
    for (std::size_t i = 0; i < count; ++i) {
      const Array& x = inputs[i].tensor().array();
      if (program == nullptr || program->reads_input(static_cast<int>(i) + 1)) {
        saved_[i].set(x);
      } else {
        metas_of_inputs_[i] = meta_of(x);
      }
    }
    enter_graph(inputs[0].at());
  }

  std::string_view name() const override { return function_->name(); }
  AttributeList attributes() const override {
    AttributeList list = function_->attributes();
    list.push_back({"formula", text_of(*function_, metas_[0].dtype)});
    return list;
  }
  const Edge* edges() const noexcept override { return edges_.data(); }
  int num_inputs() const noexcept override { return function_->inputs(); }
  const TensorMeta* outputs() const noexcept override { return metas_.data(); }
  int num_outputs() const noexcept override { return function_->outputs(); }
  bool broadcasts() const noexcept override { return true; }
  // What it is made of is its reference.
  bool is_rule() const noexcept override { return true; }

  void visit_saved(core::FunctionRef<void(const char*, int, Saved&)> visit) override {
    int input = 0;
    for (Saved& each : saved_) access_.visit("input", input++, each, visit);
  }
  void release_saved() noexcept override { access_.release(saved_); }

  void backward(const Gradients& dy, Gradients& dx, bool create_graph) override {
    const auto count = static_cast<std::size_t>(function_->inputs());
    std::uint32_t given = 0, wanted = 0;
    std::vector<Tensor> tensors;
    tensors.reserve(dy.size() + count);
    for (std::size_t k = 0; k < dy.size(); ++k) {
      if (!dy[k].defined()) continue;
      given |= 1u << k;
      tensors.push_back(dy[k]);
    }
    if (given == 0) return;
    for (std::size_t i = 0; i < count; ++i) {
      if (edges_[i]) wanted |= 1u << i;
      tensors.push_back(Tensor(saved(i), create_graph ? edges_[i] : Edge()));
    }
    const Function derivative = function_->derivative(given, wanted);
    std::vector<Operand> operands;
    operands.reserve(tensors.size());
    for (const Tensor& t : tensors) operands.emplace_back(t, location());
    std::vector<Tensor> gradients(static_cast<std::size_t>(derivative->outputs()));
    run_fused(derivative, operands.data(), gradients.data());
    for (std::size_t i = 0, k = 0; i < count; ++i) {
      if (edges_[i]) dx[i] = std::move(gradients[k++]);
    }
  }

 private:
  Array saved(std::size_t i) const {
    Array value = access_.value(saved_[i], *this, "input", static_cast<int>(i));
    if (!value.defined()) value = zeros_without_memory(metas_of_inputs_[i]);
    return value;
  }

  const Function function_;
  List<Edge> edges_{};
  List<Saved> saved_{};
  List<TensorMeta> metas_of_inputs_{};
  std::vector<TensorMeta> metas_;
  SavedAccess access_;
};

core::Ref<Node> record(const Function& f, const Operand* x, const core::Shape& shape, DType dtype) {
  const auto made = [&]<int N>(std::integral_constant<int, N>) {
    return core::Ref<Node>::adopt(new FusedNode<N>(f, x, shape, dtype));
  };
  switch (f->inputs()) {
    case 1:
      return made(std::integral_constant<int, 1>());
    case 2:
      return made(std::integral_constant<int, 2>());
    case 3:
      return made(std::integral_constant<int, 3>());
    default:
      return made(std::integral_constant<int, 0>());
  }
}

/// Whether operands are of the one dtype that a program reads.
bool are_alike(const Operand* x, int count) {
  if (UseReferences::active()) return false;
  for (int i = 0; i < count; ++i) {
    const Tensor& each = x[i].tensor();
    if (!each.defined() || each.body().unusual || each.dtype() != x[0].tensor().dtype()) return false;
  }
  return true;
}

}  // namespace

void run_composed(const FusedFunction& f, const Operand* x, Tensor* y) {
  const Scope scope(x[0].at());
  std::vector<Tensor> inputs;
  for (int i = 0; i < f.inputs(); ++i) inputs.push_back(x[i].tensor());
  core::Shape shape = inputs[0].sizes();
  for (const Tensor& each : inputs) shape = core::broadcast_shapes(shape, each.sizes(), f.name());
  // A derivative's results have the common shape, as its incoming gradients have.
  for (Tensor& each : inputs) {
    if (f.order() > 0 && core::Shape(each.sizes()) != shape) each = each.expand(shape);
  }
  std::vector<Tensor> results = f.compose(inputs);
  for (std::size_t k = 0; k < results.size(); ++k) {
    Tensor& result = results[k];
    if (f.order() == 0) {  // whatever it reads; and a result that is an input is one of its own
      bool shared = false;
      for (const Tensor& each : inputs) shared |= result.body_ref().get() == each.body_ref().get();
      const bool narrow = core::Shape(result.sizes()) != shape;
      if (narrow) result = result.expand(shape);
      if (shared || narrow) result = result.clone();
    }
    y[k] = std::move(result);
  }
}

void run_fused(const Function& f, const Operand* x, Tensor* y) {
  const int count = f->inputs();
  if (!are_alike(x, count)) return run_composed(*f, x, y);
  const DType dtype = x[0].tensor().array().dtype();
  const Program* const program = f->program(dtype);
  if (program == nullptr) return run_composed(*f, x, y);
  constexpr int kFew = 8;
  const Array* few[kFew];
  std::vector<const Array*> many(count > kFew ? static_cast<std::size_t>(count) : 0);
  const Array** const inputs = count > kFew ? many.data() : few;
  core::Shape shape = x[0].tensor().array().shape();
  for (int i = 0; i < count; ++i) {
    inputs[i] = &x[i].tensor().array();
    if (inputs[i]->shape() != shape) shape = core::broadcast_shapes(shape, inputs[i]->shape(), f->name());
  }
  Array few_results[kFew];
  std::vector<Array> many_results(f->outputs() > kFew ? static_cast<std::size_t>(f->outputs()) : 0);
  Array* const results = f->outputs() > kFew ? many_results.data() : few_results;
  program->run(shape, inputs, results);
  const bool records = recording(x, count);
  core::Ref<Node> node;
  if (records) node = record(f, x, shape, dtype);
  for (int k = 0; k < f->outputs(); ++k) {
    Array& result = results[k];
    if (!result.defined()) continue;
    if (records || f->order() == 0) {  // a result that is an input, or another result, is one of its own
      bool shared = false;
      for (int i = 0; i < count; ++i) shared |= result.storage() == inputs[i]->storage();
      for (int j = 0; j < k; ++j) shared |= result.storage() == results[j].storage();
      if (shared || !result.is_contiguous()) result = result.clone();
    }
    y[k] = make_output(std::move(result), core::Ref<Node>(node), k);
  }
  if (Observer::active()) [[unlikely]] {
    std::vector<Array> outputs;
    for (int k = 0; k < f->outputs(); ++k) outputs.push_back(y[k].defined() ? y[k].array() : Array());
    if (node)
      Observer::tell_recorded(*node, x, count, outputs);
    else
      Observer::tell_unrecorded(f->name(), x, count, outputs);
  }
}

}  // namespace gradus::autograd::detail
