// nn::utils: parameters as one vector, limits on gradients, and parameters that are computed of others.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "../../core/base/export.h"
#include "containers.h"

namespace gradus::nn::utils {

/// All elements one after the other, [total]; gradients flow to the parameters.
GRADUS_API Tensor parameters_to_vector(const std::vector<Tensor>& parameters);
/// Writes such a vector back into the parameters, which stay the tensors that they are, with memory of their own. ShapeError,
/// before anything changes, unless there are as many elements.
GRADUS_API void vector_to_parameters(const Tensor& vector, const std::vector<Tensor>& parameters);

/// Clamps each element of each gradient to +-clip_value, in place. ValueError when that is negative.
GRADUS_API void clip_grad_value_(const std::vector<Tensor>& parameters, double clip_value);
inline void clip_grad_value_(const Tensor& parameter, double clip_value) {
  clip_grad_value_(std::vector<Tensor>{parameter}, clip_value);
}

// The parameter `name` of a module becomes one that is computed of others before each forward, wherever hooks run
// (Module::register_forward_hook). The module's member is then a result, with the history of the others, and no parameter:
// make optimizers afterwards. Names in the state are those of Python's functions of the same names. Clones keep it, with
// values of their own. ModuleError when there is no such parameter.

/// w = g v / ||v||, the norm over all dimensions but `dim`, over all for -1: parameters `name`_g (size 1 in the other
/// dimensions) and `name`_v. Salimans and Kingma, "Weight Normalization", 2016.
GRADUS_API void weight_norm(Module& module, const std::string& name = "weight", int dim = 0);
GRADUS_API void remove_weight_norm(Module& module, const std::string& name = "weight");

/// w = w_orig / sigma, where sigma = u^T W v approximates the largest singular value of W, w_orig as a matrix with `dim` in
/// front: parameter `name`_orig, buffers `name`_u and `name`_v, which n_power_iterations steps move on before each forward in
/// training. They begin with 15 steps, as torch.nn.utils.parametrizations.spectral_norm does. `dim` of -1 is 0, 1 for a
/// transposed convolution. Miyato et al., "Spectral Normalization for Generative Adversarial Networks", 2018.
GRADUS_API void spectral_norm(Module& module, const std::string& name = "weight", std::int64_t n_power_iterations = 1,
                              double eps = 1e-12, int dim = -1);
GRADUS_API void remove_spectral_norm(Module& module, const std::string& name = "weight");

// The same of a holder, or a shared_ptr, which is given back: `fc = register_module("fc", weight_norm(Linear(3, 4)))`.
template <class M>
requires(!std::is_base_of_v<Module, M> && detail::ModuleLike<M>) M
    weight_norm(M module, const std::string& name = "weight", int dim = 0) {
  weight_norm(*module, name, dim);
  return module;
}
template <class M>
requires(!std::is_base_of_v<Module, M> && detail::ModuleLike<M>) M
    spectral_norm(M module, const std::string& name = "weight", std::int64_t n_power_iterations = 1, double eps = 1e-12,
                  int dim = -1) {
  spectral_norm(*module, name, n_power_iterations, eps, dim);
  return module;
}

}  // namespace gradus::nn::utils
