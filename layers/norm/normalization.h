// Normalisation as functions, in PyTorch's order of arguments, and the state of its modules by channel. The mathematics is
// batch_norm.h's, group_norm.h's, instance_norm.h's and scale_norm.h's; absent tensors are undefined ones.
#pragma once

#include <cstdint>
#include <optional>

#include "../../autograd/tensor/tensor.h"
#include "../../core/base/export.h"

namespace gradus {

/// x [N, C, ..]; the others [C]. In training the running statistics, where given, are overwritten with the new ones; in
/// evaluation they are needed (ValueError). `cudnn_enabled` means nothing here, nor below.
GRADUS_API Tensor batch_norm(Operand input, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
                             const Tensor& running_var, bool training, double momentum, double eps,
                             bool cudnn_enabled = true);
/// x [N, C, ..]. With `use_input_stats` by each sample's own statistics, whose mean over the samples moves the running
/// ones; without by those.
GRADUS_API Tensor instance_norm(Operand input, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
                                const Tensor& running_var, bool use_input_stats, double momentum, double eps,
                                bool cudnn_enabled = true);
/// x [N, C, ..]; weight and bias [C]. ShapeError unless num_groups divides C.
GRADUS_API Tensor group_norm(Operand input, std::int64_t num_groups, const Tensor& weight = {}, const Tensor& bias = {},
                             double eps = 1e-5, bool cudnn_enabled = true);
/// x [.., normalized_shape], weight of normalized_shape; eps is the dtype's epsilon unless it is given.
GRADUS_API Tensor rms_norm(Operand input, IntArrayRef normalized_shape, const Tensor& weight = {},
                           std::optional<double> eps = {});

namespace nn {
class Module;

/// What BatchNorm and InstanceNorm hold.
struct GRADUS_API ChannelNormState {
  Tensor weight, bias;               ///< gamma and beta, [C]; undefined unless affine
  Tensor running_mean, running_var;  ///< [C]; undefined unless tracked
  Tensor num_batches_tracked;        ///< int64, 0-d; an InstanceNorm's stays 0, as PyTorch's

  /// gamma to 1, beta to 0, and the running statistics as below.
  void reset_parameters();
  /// The running mean to 0, the running variance to 1, the number of batches to 0.
  void reset_running_stats();

 protected:
  /// Fresh ones. ValueError, in the name of `op`, when C is negative.
  void register_in(Module& module, const char* op, std::int64_t C, bool affine, bool tracked);
};
}  // namespace nn

}  // namespace gradus
