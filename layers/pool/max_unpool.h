// What undoes max pooling: each number goes where its index says, among zeros.
//
//   y_{m_o} = x_o          dL/dx_o = dL/dy_{m_o}
//
//   for positions m_o in a plane of y, which max_pool2d_with_indices gives. Of several sizes that the pooling takes to x's,
//   output_size chooses; without it an extent becomes (extent - 1) stride - 2 padding + kernel. (Zeiler and Fergus, ECCV 2014)
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "../../core/base/export.h"
#include "../module/expanding_array.h"
#include "../module/layer.h"

namespace gradus::nn {

/// Of the pooling that is undone.
template <std::size_t D>
struct MaxUnpoolOptions {
  MaxUnpoolOptions(ExpandingArray<D> kernel_size) : kernel_size_(kernel_size), stride_(kernel_size) {}  // NOLINT
  GRADUS_ARG(ExpandingArray<D>, kernel_size);
  GRADUS_ARG(ExpandingArray<D>, stride);  ///< the kernel's size unless it is said
  GRADUS_ARG(ExpandingArray<D>, padding) = 0;

 public:
  static constexpr auto fields = named("kernel_size", &MaxUnpoolOptions::kernel_size_, "stride",
                                       &MaxUnpoolOptions::stride_, "padding", &MaxUnpoolOptions::padding_);
};
using MaxUnpool1dOptions = MaxUnpoolOptions<1>;
using MaxUnpool2dOptions = MaxUnpoolOptions<2>;
using MaxUnpool3dOptions = MaxUnpoolOptions<3>;

namespace functional {
template <std::size_t D>
struct MaxUnpoolFuncOptions {
  MaxUnpoolFuncOptions(ExpandingArray<D> kernel_size) : kernel_size_(kernel_size), stride_(kernel_size) {}  // NOLINT
  GRADUS_ARG(ExpandingArray<D>, kernel_size);
  GRADUS_ARG(ExpandingArray<D>, stride);
  GRADUS_ARG(ExpandingArray<D>, padding) = 0;
  GRADUS_ARG(std::optional<std::vector<std::int64_t>>, output_size) = std::nullopt;
};
using MaxUnpool1dFuncOptions = MaxUnpoolFuncOptions<1>;
using MaxUnpool2dFuncOptions = MaxUnpoolFuncOptions<2>;
using MaxUnpool3dFuncOptions = MaxUnpoolFuncOptions<3>;

/// x [C, ..] or [N, C, ..], indices (integers) of its shape; output_size is all of y's, or its last dimensions. ShapeError
/// where those do not fit each other, ValueError for an output_size further than a stride from the usual one, IndexError
/// for a position outside the plane.
GRADUS_API Tensor max_unpool1d(Operand x, const Tensor& indices, const MaxUnpool1dFuncOptions& options);
GRADUS_API Tensor max_unpool2d(Operand x, const Tensor& indices, const MaxUnpool2dFuncOptions& options);
GRADUS_API Tensor max_unpool3d(Operand x, const Tensor& indices, const MaxUnpool3dFuncOptions& options);
}  // namespace functional

/// What MaxUnpool1d, 2d and 3d share.
template <std::size_t D, class Derived>
class GRADUS_API MaxUnpoolBase : public Layer<Derived> {
 public:
  MaxUnpoolBase(ExpandingArray<D> kernel_size);  // NOLINT(google-explicit-constructor)
  explicit MaxUnpoolBase(const MaxUnpoolOptions<D>& chosen);
  Tensor compute(Operand x, const Tensor& indices);
  using Layer<Derived>::forward;
  Tensor forward(Operand x, const Tensor& indices, const std::optional<std::vector<std::int64_t>>& output_size);
  void reset() override {}

  MaxUnpoolOptions<D> options;

 private:
  Tensor unpool(Operand x, const Tensor& indices, const std::optional<std::vector<std::int64_t>>& output_size) const;
};
class GRADUS_API MaxUnpool1dImpl : public MaxUnpoolBase<1, MaxUnpool1dImpl> {
 public:
  using MaxUnpoolBase::MaxUnpoolBase;
  ~MaxUnpool1dImpl() override;
};
GRADUS_MODULE(MaxUnpool1d);
class GRADUS_API MaxUnpool2dImpl : public MaxUnpoolBase<2, MaxUnpool2dImpl> {
 public:
  using MaxUnpoolBase::MaxUnpoolBase;
  ~MaxUnpool2dImpl() override;
};
GRADUS_MODULE(MaxUnpool2d);
class GRADUS_API MaxUnpool3dImpl : public MaxUnpoolBase<3, MaxUnpool3dImpl> {
 public:
  using MaxUnpoolBase::MaxUnpoolBase;
  ~MaxUnpool3dImpl() override;
};
GRADUS_MODULE(MaxUnpool3d);

extern template class MaxUnpoolBase<1, MaxUnpool1dImpl>;
extern template class MaxUnpoolBase<2, MaxUnpool2dImpl>;
extern template class MaxUnpoolBase<3, MaxUnpool3dImpl>;

}  // namespace gradus::nn
