#include "pending.h"

#include "../../core/base/fail.h"
#include "../../core/ops/pointwise.h"
#include "error_notes.h"

namespace gradus::autograd {

namespace {

// Of gradients of which one has been changed, the one that it seems to be: what wrote to it left a name.
const Tensor& changed(const Gradients& gradients) {
  const Tensor* likely = nullptr;
  int best = -1;
  for (const Tensor& gradient : gradients) {
    if (!gradient.defined()) continue;
    const core::WriteMark mark = gradient.body().array.storage()->writes();
    const int weight = (mark.by != nullptr ? 1 : 0) + (mark.at ? 2 : 0);
    if (weight <= best) continue;
    best = weight;
    likely = &gradient;
  }
  return *likely;
}

}  // namespace

Tensor fitted(Tensor gradient, const TensorMeta& meta, const Node& from, int input) {
  if (gradient.body().array.shape() != meta.shape) {
    const bool broadcast = core::broadcasts_to(meta.shape, gradient.body().array.shape());
    if (!from.broadcasts() || !broadcast) {
      core::fail<ShapeError>("{}: the gradient of input {} must have the input's shape: {} for {}{}", from.name(),
                             input, gradient.sizes(), meta.shape,
                             broadcast
                                 ? "; if forward broadcasts its inputs, `static constexpr bool broadcasts = true` "
                                   "has the engine sum their gradients down"
                                 : "");
    }
    gradient = sum_to_size(gradient, meta.shape);
  }
  if (!is_floating_point(gradient.dtype())) {
    core::fail<DTypeError>(
        "{}: the gradient of input {} must be of a floating-point dtype: {} for {}; leave it in dy's", from.name(),
        input, gradient.dtype(), meta.dtype);
  }
  return gradient.dtype() == meta.dtype ? std::move(gradient) : gradient.to(meta.dtype);
}

Tensor added(Tensor a, Tensor b, bool create_graph) {
  const bool batched = a.body().batch != nullptr || b.body().batch != nullptr;
  const bool own =
      !create_graph && !batched && a.body_ref()->use_count() == 1 && a.array().unique() && a.is_contiguous();
  if (!own) return a + b;
  core::add.write(a.array(), a.array(), b.array());
  return a;
}

void fail_changed_on_its_way(const Node& to, const Gradients& gradients) {
  const Tensor& gradient = changed(gradients);
  core::fail<GradError>(
      "{}: its gradient ({}, {}) must not be changed on its way: {}; a hook or a formula that keeps one "
      "changes a clone() of it\n  on the way to {}",
      to.name(), gradient.sizes(), gradient.dtype(), written(gradient.body().array.storage()->writes()), described(to));
}
void fail_changed_by(const Node& node, const Gradients& gradients) {
  const Tensor& gradient = changed(gradients);
  core::fail<GradError>(
      "{}: its formula must not change the incoming gradient ({}, {}) in place, which other operations may read "
      "too: {}; compute another (dy * 2 for dy.mul_(2)), or change a clone()",
      node.name(), gradient.sizes(), gradient.dtype(), written(gradient.body().array.storage()->writes()));
}

}  // namespace gradus::autograd
