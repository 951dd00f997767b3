// Gradients against finite differences.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "tensor.h"

namespace gradus::autograd {

/// Any function of tensors. It must be smooth where it is checked, and give the same result each time it is called.
using Function = std::function<std::vector<Tensor>(const std::vector<Tensor>&)>;

struct GradcheckOptions {
  double eps = 1e-6;   ///< step of the central differences
  double atol = 1e-5;  ///< |analytic - numerical| <= atol + rtol |numerical|, PyTorch's defaults
  double rtol = 1e-3;
  /// Up to so many entries the Jacobian is compared whole; beyond, u^T J v is for one random u and v, with the same
  /// tolerances.
  std::int64_t whole_jacobian = 1 << 16;
  std::uint64_t seed = 0;  ///< of u and v
};

/// d(outputs)/d(inputs[i]) by central differences, [numel of inputs[i], numel of all differentiable outputs], float64.
GRADUS_API core::Array numerical_jacobian(const Function& f, const std::vector<Tensor>& inputs, std::size_t i,
                                          double eps = 1e-6);

/// Checks the gradients of f's floating-point outputs with respect to the inputs that require grad, which must be
/// float64. ValueError where they are not, and where nothing would be checked: no input requires grad, or no output is
/// floating-point. GradError names the input, the output, the element and both values where they disagree; returns
/// true where they do not.
GRADUS_API bool gradcheck(const Function& f, const std::vector<Tensor>& inputs, const GradcheckOptions& options = {});
/// The same for the gradients of the gradients: of f's vector-Jacobian product with random output gradients, with respect
/// to the inputs and those gradients.
GRADUS_API bool gradgradcheck(const Function& f, const std::vector<Tensor>& inputs,
                              const GradcheckOptions& options = {});

}  // namespace gradus::autograd

namespace gradus {
using autograd::gradcheck;
using autograd::gradgradcheck;
}  // namespace gradus
