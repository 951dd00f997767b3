// The tangent of a node that gives none: derived from its gradient.
#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "engine.h"
#include "grad_mode.h"
#include "node.h"
#include "operation_support.h"
#include "tangent_formula.h"

namespace gradus::autograd {

namespace {

// A gradient that does not depend on dy is 0, or was computed where nothing recorded it.
void check_constant(const Node& node, std::size_t input, const Tensor& dx) {
  if (dx.body().batch != nullptr || !(dx != 0).any().item<bool>()) return;
  core::fail<GradError>(
      "{}: forward mode needs a gradient that is recorded, as it is derived from it: that of input {} is computed "
      "out of the graph's sight (under a NoGradGuard, from detach() or on arrays)",
      node.name(), input);
}

}  // namespace

// backward is linear in dy: dx = J^T dy. So <dx, t> has the gradient J t with respect to dy, whatever dy is. (Townsend,
// "A new trick for calculating Jacobian vector products", 2017.)
void Node::tangent(const Gradients& of_inputs, Gradients& of_outputs, bool create_graph) {
  Gradients dy(static_cast<std::size_t>(num_outputs())), dx(static_cast<std::size_t>(num_inputs())), wanted;
  std::vector<std::size_t> of;  // which outputs: a Function has others too, of integers or undefined
  for (std::size_t k = 0; k < dy.size(); ++k) {
    const TensorMeta& meta = outputs()[k];
    if (!is_floating_point(meta.dtype) || meta.shape == core::Shape{-1}) continue;
    dy[k] = Tensor(core::full({}, 1, meta.dtype).expand(meta.shape)).requires_grad_();
    wanted.push_back(dy[k]);
    of.push_back(k);
  }
  {
    const AutoGradMode recording(true);
    backward(dy, dx, create_graph || is_rule());  // a rule's own gradient is of Arrays, and records nothing
  }
  std::vector<Tensor> from, along;
  for (std::size_t i = 0; i < dx.size(); ++i) {
    if (!dx[i].defined() || !of_inputs[i].defined()) continue;
    if (!dx[i].requires_grad()) {
      check_constant(*this, i, dx[i]);
      continue;
    }
    // Where the gradient has not been summed down to the input's shape, the tangent is spread out.
    const Tensor& tangent = of_inputs[i];
    along.push_back(tangent.sizes() == dx[i].sizes() ? tangent : tangent.expand(dx[i].sizes()));
    from.push_back(dx[i]);
  }
  if (from.empty()) return;
  of_outputs.resize(dy.size());
  Gradients tangents = grad(from, wanted, along, create_graph, create_graph, true);
  for (std::size_t i = 0; i < of.size(); ++i) of_outputs[of[i]] = std::move(tangents[i]);
}

Tensor detail::spread(const Tensor& tangent, const TensorMeta& output) {
  return tangent.sizes() == IntArrayRef(output.shape) ? tangent : tangent.expand(output.shape);
}
void detail::add_to(Tensor& sum, Tensor part) {
  if (!part.defined()) return;
  sum = sum.defined() ? sum + part : std::move(part);
}

}  // namespace gradus::autograd
