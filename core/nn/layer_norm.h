// Normalisation of rows, each in the fewest passes over memory. float32 and float64, any strides; results are contiguous,
// with the same bits at any number of threads.
#pragma once

#include <array>
#include <tuple>

#include "../array/array.h"
#include "../base/export.h"

namespace gradus::core {

/// (y, mean, inv_std) with y = gamma (x - mean) inv_std + beta, and mean and inv_std = 1 / sqrt(var + eps) over the last
/// `dims` dimensions: float64, [rows]. gamma and beta have those dimensions and x's dtype, or are undefined: 1 and 0.
GRADUS_API std::tuple<Array, Array, Array> layer_norm_forward(const Array& x, int dims, double eps, const Array& gamma,
                                                              const Array& beta);
/// (dx, dgamma, dbeta), those that are wanted. With x_hat = (x - mean) inv_std and g = dy gamma, means over a row:
/// dx = inv_std (g - mean(g) - x_hat mean(g x_hat)), and over all rows dgamma = sum dy x_hat, dbeta = sum dy.
GRADUS_API std::array<Array, 3> layer_norm_backward(const Array& dy, const Array& x, int dims, const Array& gamma,
                                                    const Array& mean, const Array& inv_std,
                                                    const std::array<bool, 3>& wanted);

/// Group normalisation of x [N, C, ..]: rows are the C / groups channels of a group with all their positions, N groups of
/// them, gamma and beta [C] of x's dtype or undefined. groups must divide C.
GRADUS_API std::tuple<Array, Array, Array> group_norm_forward(const Array& x, std::int64_t groups, double eps,
                                                              const Array& gamma, const Array& beta);
/// (dx, dgamma, dbeta), those that are wanted: as above, the last two summed over samples and positions.
GRADUS_API std::array<Array, 3> group_norm_backward(const Array& dy, const Array& x, std::int64_t groups,
                                                    const Array& gamma, const Array& mean, const Array& inv_std,
                                                    const std::array<bool, 3>& wanted);

}  // namespace gradus::core
