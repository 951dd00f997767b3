// Limits on gradients and weights.
#pragma once

#include <vector>

#include "../autograd/tensor/tensor.h"
#include "../core/base/export.h"

namespace gradus {
namespace nn::utils {

/// Scales all gradients by min(1, max_norm / (total + 1e-6)) where total, the result, is the norm of all gradients taken
/// as one vector. GradError when `error_if_nonfinite` and the norm is NaN or infinite.
GRADUS_API double clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm, double norm_type = 2.0,
                                  bool error_if_nonfinite = false);

}  // namespace nn::utils

namespace optim {

/// Max-norm: multiplies each row of a weight (the incoming weights of one unit) by min(1, c / norm) so that its 2-norm
/// is at most c; to be called after each step. Parameters of fewer than two dimensions are left alone; of more, all
/// dimensions but the first make up the row. Rows within c keep their bits. ValueError unless c > 0. (Srebro and
/// Shraibman, 2005; used with Dropout with c of 3 to 4 by Srivastava et al., 2014.)
GRADUS_API void max_norm_(const std::vector<Tensor>& parameters, double c);

}  // namespace optim
}  // namespace gradus
