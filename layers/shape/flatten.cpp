#include "flatten.h"

#include "../../core/base/fail.h"

namespace gradus::nn {

Tensor detail::flatten(Operand x, const FlattenOptions& options) {
  return gradus::flatten(x, options.start_dim(), options.end_dim());
}

Tensor FunctionalImpl::forward(Operand x) {
  const autograd::Scope scope(Location::unknown(), path());  // the function's own lines
  return function_(x);
}

}  // namespace gradus::nn
