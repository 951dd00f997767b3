// Normalisation by channel, in few passes over memory: x is [N, C, ...], one number per channel is [C]. Statistics and
// sums are float64 whatever x is, and x - mean is formed without rounding the mean to float32: |mean| may exceed the
// deviation by far. All take float32 and float64, any strides, and give contiguous results; each element's bits depend on
// the values alone, not on layout or threads.
#pragma once

#include <tuple>

#include "../array/array.h"

namespace gradus::core {

/// (mean, biased variance) of each channel over the batch and all positions; NaN over nothing.
/// ShapeError when x has fewer than two dimensions.
GRADUS_API std::tuple<Array, Array> channel_stats(const Array& x);
/// y = gamma (x - mean) inv_std + beta. gamma and beta may be undefined: 1 and 0. Otherwise any floating dtype.
GRADUS_API Array batch_norm_forward(const Array& x, const Array& mean, const Array& inv_std, const Array& gamma,
                                    const Array& beta);
/// (sum of dy, sum of dy x_hat) of each channel, with x_hat = (x - mean) inv_std.
GRADUS_API std::tuple<Array, Array> batch_norm_backward_sums(const Array& dy, const Array& x, const Array& mean,
                                                             const Array& inv_std);
/// dx = gamma inv_std (dy - mean_dy - x_hat mean_dy_x_hat): BatchNorm's gradient in training, with the means of dy and
/// of dy x_hat over the batch and all positions (Ioffe and Szegedy, 2015, section 3). gamma may be undefined; so may
/// mean_dy and mean_dy_x_hat, which are then 0: the gradient in evaluation, where the statistics are constants.
GRADUS_API Array batch_norm_backward_input(const Array& dy, const Array& x, const Array& mean, const Array& inv_std,
                                           const Array& gamma, const Array& mean_dy, const Array& mean_dy_x_hat);

}  // namespace gradus::core
