#include "padding_layers.h"

namespace gradus::nn {

namespace {

Tensor padded(PaddingMode mode, Operand x, IntArrayRef counts, double value) {
  const std::size_t dims = counts.size() / 2;
  switch (mode) {
    case PaddingMode::Reflect:
      return dims == 1   ? reflection_pad1d(x, counts)
             : dims == 2 ? reflection_pad2d(x, counts)
                         : reflection_pad3d(x, counts);
    case PaddingMode::Replicate:
      return dims == 1   ? replication_pad1d(x, counts)
             : dims == 2 ? replication_pad2d(x, counts)
                         : replication_pad3d(x, counts);
    case PaddingMode::Circular:
      return pad(x, counts, "circular");
    default:
      return pad(x, counts, "constant", value);
  }
}

}  // namespace

template <std::size_t D, PaddingMode mode, class Options, class Derived>
PadLayer<D, mode, Options, Derived>::PadLayer(const Options& chosen) : options(chosen) {}
template <std::size_t D, PaddingMode mode, class Options, class Derived>
Tensor PadLayer<D, mode, Options, Derived>::compute(Operand x) {
  double value = 0;
  if constexpr (mode == PaddingMode::Constant) value = options.value();
  return padded(mode, x, options.padding(), value);
}

ReflectionPad1dImpl::~ReflectionPad1dImpl() = default;
ReflectionPad2dImpl::~ReflectionPad2dImpl() = default;
ReflectionPad3dImpl::~ReflectionPad3dImpl() = default;
ReplicationPad1dImpl::~ReplicationPad1dImpl() = default;
ReplicationPad2dImpl::~ReplicationPad2dImpl() = default;
ReplicationPad3dImpl::~ReplicationPad3dImpl() = default;
CircularPad1dImpl::~CircularPad1dImpl() = default;
CircularPad2dImpl::~CircularPad2dImpl() = default;
CircularPad3dImpl::~CircularPad3dImpl() = default;
ZeroPad1dImpl::~ZeroPad1dImpl() = default;
ZeroPad2dImpl::~ZeroPad2dImpl() = default;
ZeroPad3dImpl::~ZeroPad3dImpl() = default;
ConstantPad1dImpl::~ConstantPad1dImpl() = default;
ConstantPad2dImpl::~ConstantPad2dImpl() = default;
ConstantPad3dImpl::~ConstantPad3dImpl() = default;

template class PadLayer<1, PaddingMode::Reflect, ReflectionPad1dOptions, ReflectionPad1dImpl>;
template class PadLayer<2, PaddingMode::Reflect, ReflectionPad2dOptions, ReflectionPad2dImpl>;
template class PadLayer<3, PaddingMode::Reflect, ReflectionPad3dOptions, ReflectionPad3dImpl>;
template class PadLayer<1, PaddingMode::Replicate, ReplicationPad1dOptions, ReplicationPad1dImpl>;
template class PadLayer<2, PaddingMode::Replicate, ReplicationPad2dOptions, ReplicationPad2dImpl>;
template class PadLayer<3, PaddingMode::Replicate, ReplicationPad3dOptions, ReplicationPad3dImpl>;
template class PadLayer<1, PaddingMode::Circular, CircularPad1dOptions, CircularPad1dImpl>;
template class PadLayer<2, PaddingMode::Circular, CircularPad2dOptions, CircularPad2dImpl>;
template class PadLayer<3, PaddingMode::Circular, CircularPad3dOptions, CircularPad3dImpl>;
template class PadLayer<1, PaddingMode::Zeros, ZeroPad1dOptions, ZeroPad1dImpl>;
template class PadLayer<2, PaddingMode::Zeros, ZeroPad2dOptions, ZeroPad2dImpl>;
template class PadLayer<3, PaddingMode::Zeros, ZeroPad3dOptions, ZeroPad3dImpl>;
template class PadLayer<1, PaddingMode::Constant, ConstantPad1dOptions, ConstantPad1dImpl>;
template class PadLayer<2, PaddingMode::Constant, ConstantPad2dOptions, ConstantPad2dImpl>;
template class PadLayer<3, PaddingMode::Constant, ConstantPad3dOptions, ConstantPad3dImpl>;

}  // namespace gradus::nn
