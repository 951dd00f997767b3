// Gradients against finite differences.
//
//   gradcheck(f, {x});      // throws where they disagree
//
// First: the same call twice gives the same bits; inputs and upstream gradients that are contiguous, transposed
// (strided, of one dimension) and expanded give what the same numbers give otherwise. Then the Jacobian, of the inputs
// as they are laid out: row by row, each with a gradient for one output only; those of the others are absent. Last,
// gradients for several outputs at once. The check works on copies, and a function that writes to its arguments is an
// error. Only the numbers given are tried: of kinks and branches elsewhere it says nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "../tensor/tensor.h"

namespace gradus::autograd {

/// Any function of tensors. It must be smooth where it is checked, and give the same result each time it is called.
using TensorFunction = std::function<std::vector<Tensor>(const std::vector<Tensor>&)>;

struct GradcheckOptions {
  double eps = 1e-6;   ///< step of the central differences
  double atol = 1e-5;  ///< |analytic - numerical| <= atol + rtol |numerical|, PyTorch's defaults
  double rtol = 1e-3;
  /// Up to so many entries the Jacobian is compared entry by entry. Beyond, sums are, with the same tolerances, over
  /// blocks of 8 inputs by 8 outputs with random signs: an entry that is off by 10 %, and by more than atol, is certain to
  /// be seen where it is no smaller than the block's mean, and in an elementwise function, where a block has one entry
  /// that isn't 0, always.
  /// That holds up to 16,384 inputs and as many outputs; then blocks grow, so that the work stays bounded, to m entries
  /// a block, and an entry has to be off by about m rtol of their mean to be certain to be seen.
  std::int64_t whole_jacobian = 1 << 16;
  std::uint64_t seed = 0;  ///< of signs and upstream gradients
  /// Also inputs and upstream gradients in other layouts. Off for a function whose values depend on the layout by
  /// design, as as_strided's do.
  bool layouts = true;
  /// Whether inputs or outputs without elements, of which there is nothing to check, are no error.
  bool allow_empty = false;
  /// Where given: what was not tried, and why, is appended to it.
  std::vector<std::string>* notes = nullptr;
};

/// d(outputs)/d(inputs[i]) by central differences, [numel of inputs[i], numel of all differentiable outputs], float64.
GRADUS_API core::Array numerical_jacobian(const TensorFunction& f, const std::vector<Tensor>& inputs, std::size_t i,
                                          double eps = 1e-6);

/// Checks the gradients of f's floating-point outputs with respect to the inputs that require grad, which must be
/// float64. ValueError where they are not, and where nothing would be checked: no input requires grad, no output is
/// floating-point, or all inputs that require grad, or all outputs, are empty. GradError names the input, the output,
/// the element and both values where they disagree, and what f must not do: write to its arguments, or give other
/// numbers in a second call. Returns true where nothing is amiss.
GRADUS_API bool gradcheck(const TensorFunction& f, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options = {});
/// The same for the gradients of the gradients: of f's vector-Jacobian product with random output gradients, with respect
/// to the inputs and those gradients; and whether that product is the same when it is recorded.
GRADUS_API bool gradgradcheck(const TensorFunction& f, const std::vector<Tensor>& inputs,
                              const GradcheckOptions& options = {});

}  // namespace gradus::autograd

namespace gradus {
using autograd::gradcheck;
using autograd::gradgradcheck;
}  // namespace gradus
