// The tangent of a node that gives none: derived from its gradient.
#include "../../core/base/fail.h"
#include "../ops/functions.h"
#include "engine.h"
#include "grad_mode.h"
#include "node.h"
#include "operation_support.h"

namespace gradus::autograd {

// backward is linear in dy: dx = J^T dy. So <dx, t> has the gradient J t with respect to dy, whatever dy is.
void Node::tangent(const Gradients& of_inputs, Gradients& of_outputs, bool create_graph) {
  const AutoGradMode recording(true);
  Gradients dy, dx(static_cast<std::size_t>(num_inputs()));
  for (int k = 0; k < num_outputs(); ++k) {
    dy.emplace_back(detail::zeros_without_memory(outputs()[k]));
    dy.back().requires_grad_();
  }
  backward(dy, dx, true);
  std::vector<Tensor> from, along;
  for (std::size_t i = 0; i < dx.size(); ++i) {
    if (!dx[i].defined() || !of_inputs[i].defined() || !dx[i].requires_grad()) continue;
    along.push_back(of_inputs[i].expand(dx[i].sizes()).to(dx[i].dtype()));
    from.push_back(dx[i]);
  }
  if (from.empty()) return;
  of_outputs = grad(from, dy, along, create_graph, create_graph, true);
}

}  // namespace gradus::autograd
