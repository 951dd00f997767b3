// The tangent of a node that gives none: derived from its gradient.
#include "engine.h"
#include "grad_mode.h"
#include "node.h"
#include "operation_support.h"

namespace gradus::autograd {

// backward is linear in dy: dx = J^T dy. So <dx, t> has the gradient J t with respect to dy, whatever dy is. (Townsend, "A
// new trick for calculating Jacobian vector products", 2017.)
void Node::tangent(const Gradients& of_inputs, Gradients& of_outputs, bool create_graph) {
  Gradients dy, dx(static_cast<std::size_t>(num_inputs()));
  for (int k = 0; k < num_outputs(); ++k) {
    dy.emplace_back(detail::zeros_without_memory(outputs()[k]));
    dy.back().requires_grad_();
  }
  {
    const AutoGradMode recording(true);
    backward(dy, dx, create_graph || is_rule());  // a rule's own gradient is of Arrays, and records nothing
  }
  std::vector<Tensor> from, along;
  for (std::size_t i = 0; i < dx.size(); ++i) {
    if (!dx[i].defined() || !of_inputs[i].defined() || !dx[i].requires_grad()) continue;
    // Where the gradient has not been summed down to the input's shape, the tangent is spread out.
    const Tensor& tangent = of_inputs[i];
    along.push_back(tangent.sizes() == dx[i].sizes() ? tangent : tangent.expand(dx[i].sizes()));
    from.push_back(dx[i]);
  }
  if (from.empty()) return;
  of_outputs = grad(from, dy, along, create_graph, create_graph, true);
}

}  // namespace gradus::autograd
