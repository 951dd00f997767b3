// Linear: z = x W + b.
//
//   x is k x m (k samples of m numbers), W is m x n, b has n numbers; so z is k x n. With L the loss,
//
//     dL/dx = dL/dz W^T
//     dL/dW = x^T dL/dz
//     dL/db = the sum of dL/dz over the samples
//
//   Nothing here divides by k: an average over the batch belongs to the loss, whose gradient dL/dz brings it along, for
//   W and b alike. What is stored is weight = W^T, n x m, as PyTorch's files have it: dL/dweight = (dL/dz)^T x.
//
//   x may have any number of leading dimensions, or none: [m] gives [n], [.., m] gives [.., n], and k is their product.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "../../autograd/graph/operation.h"
#include "../../core/base/export.h"
#include "../module/layer.h"

namespace gradus::nn {

/// z = x weight^T + bias: x [.., m], weight [n, m], bias [n] or absent (undefined), all of one dtype.
struct LinearRule {
  static constexpr std::string_view name = "linear";
  static constexpr std::string_view formula = "z = x W^T + b, dx = dz W, dW = dz^T x, db = sum dz";
  static constexpr std::string_view input_names[] = {"x", "weight", "bias"};
  static constexpr std::uint32_t shape_only = 1u << 2;  // no gradient reads the bias

  GRADUS_API static Tensor reference(const Tensor& x, const Tensor& weight, const Tensor& bias);
  /// ShapeError when the sizes do not fit, DTypeError when the dtypes differ.
  GRADUS_API static core::Array forward(const core::Array& x, const core::Array& weight, const core::Array& bias);
  GRADUS_API static Tensor batch(const autograd::Examples& x);
  /// dx, dweight, dbias.
  GRADUS_API static std::array<core::Array, 3> backward(autograd::Needs needs, autograd::DyArray<> dz,
                                                        autograd::InArray<0> x, autograd::InArray<1> weight);
  GRADUS_API static Tensor tangent(autograd::Dx<0> dx, autograd::Dx<1> dweight, autograd::Dx<2> dbias,
                                   autograd::In<0> x, autograd::In<1> weight);
};

namespace functional {
/// x weight^T + bias, as LinearRule.
GRADUS_API Tensor linear(Operand x, const Tensor& weight, const Tensor& bias = {});
}  // namespace functional

/// `LinearOptions(in, out).bias(false)`.
struct LinearOptions {
  LinearOptions(std::int64_t in_features, std::int64_t out_features)
      : in_features_(in_features), out_features_(out_features) {}
  GRADUS_ARG(std::int64_t, in_features);
  GRADUS_ARG(std::int64_t, out_features);
  GRADUS_ARG(bool, bias) = true;

 public:
  static constexpr auto fields = named("in_features", &LinearOptions::in_features_, "out_features",
                                       &LinearOptions::out_features_, "bias", &LinearOptions::bias_);
};

/// z = x W + b with learned W and b.
///
/// Both start uniform in +-1/sqrt(m), m = in_features. Some notes call that Xavier's initialisation. It isn't: Glorot
/// and Bengio (2010) give it as the heuristic that was common then (their equation 1) and propose uniform in
/// +-sqrt(6 / (m + n)) instead (equation 16), which is `init::xavier_uniform_`.
class GRADUS_API LinearImpl : public Layer<LinearImpl> {
 public:
  LinearImpl(std::int64_t in_features, std::int64_t out_features)
      : LinearImpl(LinearOptions(in_features, out_features)) {}
  /// ValueError when a size is negative.
  explicit LinearImpl(const LinearOptions& options);

  ~LinearImpl() override;

  /// x [.., m] -> [.., n].
  Tensor compute(Operand x);
  void reset() override;
  /// Draws weight and bias anew.
  void reset_parameters();

  LinearOptions options;
  Tensor weight;  ///< [out_features, in_features]
  Tensor bias;    ///< [out_features]; undefined without bias
};
GRADUS_MODULE(Linear);

}  // namespace gradus::nn

namespace gradus {
using nn::functional::linear;
}
