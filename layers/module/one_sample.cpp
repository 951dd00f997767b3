#include "one_sample.h"

#include "../../autograd/graph/operation_support.h"

namespace gradus::nn {

Tensor detail::as_batch(const Tensor& x, std::int64_t dim) { return x.defined() ? x.unsqueeze(dim) : Tensor(); }
Tensor detail::as_sample(const Tensor& y, std::int64_t dim) {
  return y.defined() ? autograd::detail::as_result(y.squeeze(dim)) : Tensor();
}

}  // namespace gradus::nn
