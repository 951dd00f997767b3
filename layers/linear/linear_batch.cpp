// Linear under func::vmap.
#include <algorithm>

#include "linear.h"

namespace gradus::nn {

using namespace autograd;

// Where each example has its own weight, a product of stacks.
Tensor LinearRule::batch(const Examples& x) {
  if (x.shared(1) && x.shared(2)) return apply<LinearRule>(x[0], x[1], x[2]);
  if (x.dim(0) == 0 || x.dim(1) != 2) return {};
  const core::Shape one = x.shape(0);
  core::Shape result = one;
  result[result.size() - 1] = x.shape(1)[0];
  const std::int64_t samples = core::numel_of(one) / std::max<std::int64_t>(one.back(), 1);
  const Tensor z = matmul(x.stacked(0).reshape({x.size(), samples, one.back()}), x[1].transpose(-2, -1));
  return (x[2].defined() ? z + x.aligned(2, 2) : z).reshape(x.all_of(result));
}

}  // namespace gradus::nn
