#include "check_engine.h"

#include "../graph/grad_mode.h"
#include "check_comparison.h"

namespace gradus::autograd::detail {

void CheckArguments::add(const Tensor& x) { inputs.push_back(x); }
void CheckArguments::add(const CheckOptions& given) { options = given; }

CheckReport compare_gradients(const CheckSubject& subject, const CheckOptions& options) {
  const AutoGradMode recording(true);
  return Comparison(subject, options).run();
}

}  // namespace gradus::autograd::detail
