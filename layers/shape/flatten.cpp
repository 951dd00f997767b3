#include "flatten.h"

#include "../../core/base/fail.h"

namespace gradus::nn {

Tensor FlattenImpl::forward(Operand x) {
  const autograd::Scope scope(x.at(), path());
  return flatten(x, options.start_dim(), options.end_dim());
}

std::string FlattenImpl::extra_repr() const {
  return fmt::format("start_dim={}, end_dim={}", options.start_dim(), options.end_dim());
}

Tensor FunctionalImpl::forward(Operand x) {
  const autograd::Scope scope(Location::unknown(), path());  // the function's own lines
  return function_(x);
}

}  // namespace gradus::nn
