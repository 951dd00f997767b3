// Padding as layers: what `pad` puts around the last one, two or three dimensions.
//
//   ConstantPad, ZeroPad:  a number                     ReflectionPad:  x mirrored at its border, which is not repeated
//   ReplicationPad:        the border, again and again  CircularPad:    x from its other side
//
// Counts are before and after each dimension, the last dimension first; one number holds for all. The gradient of x is that
// of the places where it went, added up.
#pragma once

#include <cstdint>
#include <type_traits>

#include "../../core/base/export.h"
#include "../module/expanding_array.h"
#include "../module/layer.h"
#include "padding.h"

namespace gradus::nn {

/// Counts alone. Those of zeros may be negative: so much is cut off.
template <std::size_t D, PaddingMode mode>
struct PadCountsOptions {
  PadCountsOptions(ExpandingArray<2 * D> padding) : padding_(padding) {}  // NOLINT(google-explicit-constructor)
  GRADUS_ARG(ExpandingArray<2 * D>, padding);

 public:
  static constexpr auto fields = named("padding", &PadCountsOptions::padding_);
};
template <std::size_t D>
using ReflectionPadOptions = PadCountsOptions<D, PaddingMode::Reflect>;
using ReflectionPad1dOptions = ReflectionPadOptions<1>;
using ReflectionPad2dOptions = ReflectionPadOptions<2>;
using ReflectionPad3dOptions = ReflectionPadOptions<3>;
template <std::size_t D>
using ReplicationPadOptions = PadCountsOptions<D, PaddingMode::Replicate>;
using ReplicationPad1dOptions = ReplicationPadOptions<1>;
using ReplicationPad2dOptions = ReplicationPadOptions<2>;
using ReplicationPad3dOptions = ReplicationPadOptions<3>;
template <std::size_t D>
using CircularPadOptions = PadCountsOptions<D, PaddingMode::Circular>;
using CircularPad1dOptions = CircularPadOptions<1>;
using CircularPad2dOptions = CircularPadOptions<2>;
using CircularPad3dOptions = CircularPadOptions<3>;
template <std::size_t D>
using ZeroPadOptions = PadCountsOptions<D, PaddingMode::Zeros>;
using ZeroPad1dOptions = ZeroPadOptions<1>;
using ZeroPad2dOptions = ZeroPadOptions<2>;
using ZeroPad3dOptions = ZeroPadOptions<3>;

template <std::size_t D>
struct ConstantPadOptions {
  ConstantPadOptions(ExpandingArray<2 * D> padding, double value) : padding_(padding), value_(value) {}
  GRADUS_ARG(ExpandingArray<2 * D>, padding);
  GRADUS_ARG(double, value);

 public:
  static constexpr auto fields = named("padding", &ConstantPadOptions::padding_, "value", &ConstantPadOptions::value_);
};
using ConstantPad1dOptions = ConstantPadOptions<1>;
using ConstantPad2dOptions = ConstantPadOptions<2>;
using ConstantPad3dOptions = ConstantPadOptions<3>;

/// What padding layers share: `Options` are made of D's counts, `mode` is how.
template <std::size_t D, PaddingMode mode, class Options, class Derived>
class GRADUS_API PadLayer : public Layer<Derived> {
 public:
  template <class... Value>                                                             // of constants
  requires std::is_constructible_v<Options, ExpandingArray<2 * D>, Value...> PadLayer(  // NOLINT
      ExpandingArray<2 * D> padding, Value... value)
      : PadLayer(Options(padding, value...)) {}
  explicit PadLayer(const Options& chosen);
  /// ShapeError when x has fewer dimensions than are padded, or other than one or two more where it is x that goes around;
  /// ValueError for a count that x has not so many elements for.
  Tensor compute(Operand x);
  void reset() override {}

  Options options;
};

class GRADUS_API ReflectionPad1dImpl
    : public PadLayer<1, PaddingMode::Reflect, ReflectionPad1dOptions, ReflectionPad1dImpl> {
 public:
  using PadLayer::PadLayer;
  ~ReflectionPad1dImpl() override;
};
GRADUS_MODULE(ReflectionPad1d);
class GRADUS_API ReflectionPad2dImpl
    : public PadLayer<2, PaddingMode::Reflect, ReflectionPad2dOptions, ReflectionPad2dImpl> {
 public:
  using PadLayer::PadLayer;
  ~ReflectionPad2dImpl() override;
};
GRADUS_MODULE(ReflectionPad2d);
class GRADUS_API ReflectionPad3dImpl
    : public PadLayer<3, PaddingMode::Reflect, ReflectionPad3dOptions, ReflectionPad3dImpl> {
 public:
  using PadLayer::PadLayer;
  ~ReflectionPad3dImpl() override;
};
GRADUS_MODULE(ReflectionPad3d);
class GRADUS_API ReplicationPad1dImpl
    : public PadLayer<1, PaddingMode::Replicate, ReplicationPad1dOptions, ReplicationPad1dImpl> {
 public:
  using PadLayer::PadLayer;
  ~ReplicationPad1dImpl() override;
};
GRADUS_MODULE(ReplicationPad1d);
class GRADUS_API ReplicationPad2dImpl
    : public PadLayer<2, PaddingMode::Replicate, ReplicationPad2dOptions, ReplicationPad2dImpl> {
 public:
  using PadLayer::PadLayer;
  ~ReplicationPad2dImpl() override;
};
GRADUS_MODULE(ReplicationPad2d);
class GRADUS_API ReplicationPad3dImpl
    : public PadLayer<3, PaddingMode::Replicate, ReplicationPad3dOptions, ReplicationPad3dImpl> {
 public:
  using PadLayer::PadLayer;
  ~ReplicationPad3dImpl() override;
};
GRADUS_MODULE(ReplicationPad3d);
class GRADUS_API CircularPad1dImpl
    : public PadLayer<1, PaddingMode::Circular, CircularPad1dOptions, CircularPad1dImpl> {
 public:
  using PadLayer::PadLayer;
  ~CircularPad1dImpl() override;
};
GRADUS_MODULE(CircularPad1d);
class GRADUS_API CircularPad2dImpl
    : public PadLayer<2, PaddingMode::Circular, CircularPad2dOptions, CircularPad2dImpl> {
 public:
  using PadLayer::PadLayer;
  ~CircularPad2dImpl() override;
};
GRADUS_MODULE(CircularPad2d);
class GRADUS_API CircularPad3dImpl
    : public PadLayer<3, PaddingMode::Circular, CircularPad3dOptions, CircularPad3dImpl> {
 public:
  using PadLayer::PadLayer;
  ~CircularPad3dImpl() override;
};
GRADUS_MODULE(CircularPad3d);
class GRADUS_API ZeroPad1dImpl : public PadLayer<1, PaddingMode::Zeros, ZeroPad1dOptions, ZeroPad1dImpl> {
 public:
  using PadLayer::PadLayer;
  ~ZeroPad1dImpl() override;
};
GRADUS_MODULE(ZeroPad1d);
class GRADUS_API ZeroPad2dImpl : public PadLayer<2, PaddingMode::Zeros, ZeroPad2dOptions, ZeroPad2dImpl> {
 public:
  using PadLayer::PadLayer;
  ~ZeroPad2dImpl() override;
};
GRADUS_MODULE(ZeroPad2d);
class GRADUS_API ZeroPad3dImpl : public PadLayer<3, PaddingMode::Zeros, ZeroPad3dOptions, ZeroPad3dImpl> {
 public:
  using PadLayer::PadLayer;
  ~ZeroPad3dImpl() override;
};
GRADUS_MODULE(ZeroPad3d);
class GRADUS_API ConstantPad1dImpl
    : public PadLayer<1, PaddingMode::Constant, ConstantPad1dOptions, ConstantPad1dImpl> {
 public:
  using PadLayer::PadLayer;
  ~ConstantPad1dImpl() override;
};
GRADUS_MODULE(ConstantPad1d);
class GRADUS_API ConstantPad2dImpl
    : public PadLayer<2, PaddingMode::Constant, ConstantPad2dOptions, ConstantPad2dImpl> {
 public:
  using PadLayer::PadLayer;
  ~ConstantPad2dImpl() override;
};
GRADUS_MODULE(ConstantPad2d);
class GRADUS_API ConstantPad3dImpl
    : public PadLayer<3, PaddingMode::Constant, ConstantPad3dOptions, ConstantPad3dImpl> {
 public:
  using PadLayer::PadLayer;
  ~ConstantPad3dImpl() override;
};
GRADUS_MODULE(ConstantPad3d);

extern template class PadLayer<1, PaddingMode::Reflect, ReflectionPad1dOptions, ReflectionPad1dImpl>;
extern template class PadLayer<2, PaddingMode::Reflect, ReflectionPad2dOptions, ReflectionPad2dImpl>;
extern template class PadLayer<3, PaddingMode::Reflect, ReflectionPad3dOptions, ReflectionPad3dImpl>;
extern template class PadLayer<1, PaddingMode::Replicate, ReplicationPad1dOptions, ReplicationPad1dImpl>;
extern template class PadLayer<2, PaddingMode::Replicate, ReplicationPad2dOptions, ReplicationPad2dImpl>;
extern template class PadLayer<3, PaddingMode::Replicate, ReplicationPad3dOptions, ReplicationPad3dImpl>;
extern template class PadLayer<1, PaddingMode::Circular, CircularPad1dOptions, CircularPad1dImpl>;
extern template class PadLayer<2, PaddingMode::Circular, CircularPad2dOptions, CircularPad2dImpl>;
extern template class PadLayer<3, PaddingMode::Circular, CircularPad3dOptions, CircularPad3dImpl>;
extern template class PadLayer<1, PaddingMode::Zeros, ZeroPad1dOptions, ZeroPad1dImpl>;
extern template class PadLayer<2, PaddingMode::Zeros, ZeroPad2dOptions, ZeroPad2dImpl>;
extern template class PadLayer<3, PaddingMode::Zeros, ZeroPad3dOptions, ZeroPad3dImpl>;
extern template class PadLayer<1, PaddingMode::Constant, ConstantPad1dOptions, ConstantPad1dImpl>;
extern template class PadLayer<2, PaddingMode::Constant, ConstantPad2dOptions, ConstantPad2dImpl>;
extern template class PadLayer<3, PaddingMode::Constant, ConstantPad3dOptions, ConstantPad3dImpl>;

}  // namespace gradus::nn
