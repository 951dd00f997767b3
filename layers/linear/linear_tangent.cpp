// Forward mode of LinearRule: z = x W^T + b, so dz = dx W^T + x dW^T + db.
#include "linear.h"

namespace gradus::nn {

using autograd::Dx;
using autograd::In;
using autograd::detail::add_to;

Tensor LinearRule::tangent(Dx<0> dx, Dx<1> dweight, Dx<2> dbias, In<0> x, In<1> weight) {
  Tensor dz;
  if (dx.defined()) dz = functional::linear(dx, weight);
  if (dweight.defined()) add_to(dz, functional::linear(x, dweight));
  if (!dbias.defined()) return dz;
  core::Shape shape = x.array().shape();
  shape[shape.size() - 1] = weight.size(0);
  return dz.defined() ? dz + dbias : dbias.expand(shape);
}

}  // namespace gradus::nn
