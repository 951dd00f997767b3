#include "dropout.h"

#include "../../core/array/create.h"
#include "../../core/base/expect.h"
#include "../../core/nn/dropout.h"
#include "../../core/ops/pointwise.h"
#include "../module/one_sample.h"

namespace gradus::nn {

using namespace autograd;
using core::Array;
using core::Shape;

namespace {
constexpr const char* kP = "p, the probability of zeroing a unit,";
}  // namespace

Shape DropoutRule::mask_shape(const Shape& x, bool channelwise) {
  if (!channelwise) return x;
  core::expect_form(x.size() >= 2, "dropout2d", "input", "[N, C, ..]", x);
  Shape shape = Shape::filled(x.size(), 1);
  shape[0] = x[0];
  shape[1] = x[1];
  return shape;
}

// y = m x / (1 - p), m 1 with probability 1 - p and else 0:  dx = m dy / (1 - p)
Tensor DropoutRule::reference(const Attrs& attrs, const Tensor& x) {
  const Shape shape = mask_shape(x.body().array.shape(), attrs.channelwise);
  const Tensor mask(core::bernoulli_mask(shape, 1 - attrs.p, attrs.position));
  return masked_fill(x, !mask, 0) * attrs.scale();
}

std::tuple<Array, Array> DropoutRule::forward(const Attrs& attrs, const Array& x) {
  core::expect_probability("dropout", kP, attrs.p);
  core::expect_floating("dropout", "input", x);
  if (!attrs.channelwise) return core::dropout(x, 1 - attrs.p, attrs.scale(), attrs.position);
  const Array mask = core::bernoulli_mask(mask_shape(x.shape(), true), 1 - attrs.p, attrs.position);
  return {core::masked_scale(x, mask, attrs.scale()), mask};
}

std::tuple<Tensor, Tensor> DropoutRule::batch(const Attrs& attrs, const Examples& x) {
  if (attrs.channelwise && x.dim(0) < 2) return {};
  const Tensor all = attrs.channelwise ? x.merged(0) : x[0];
  Attrs own = attrs;  // the position in the stream is that of one mask
  own.position =
      core::default_generator().take(core::numel_of(mask_shape(core::Shape(all.sizes()), attrs.channelwise)));
  const auto [y, mask] = apply<DropoutRule>(own, all);
  if (!attrs.channelwise) return {y, mask};
  const std::int64_t N = x.shape(0)[0];
  return {x.split(y, N), x.split(mask, N)};
}

std::array<Array, 1> DropoutRule::backward(const Attrs& attrs, DyArray<> dy, OutArray<1> mask) {
  return {core::masked_scale(dy, mask, attrs.scale())};
}

namespace {

constexpr const char* name_of(DropoutUnits units) {
  constexpr const char* names[] = {"dropout", "dropout1d", "dropout2d", "dropout3d"};
  return names[static_cast<int>(units)];
}

// Whether x is one sample without a batch's dimension, which dropout2d does not take.
bool alone(DropoutUnits units, const Tensor& x) {
  if (units == DropoutUnits::Single || units == DropoutUnits::Channels2d) return false;
  const bool lines = units == DropoutUnits::Channels1d;
  const std::int64_t dims = lines ? 3 : 5;
  core::expect_dims(name_of(units), "input", x, dims - 1, dims,
                    lines ? "[N, C, L] or [C, L]" : "[N, C, D, H, W] or [C, D, H, W]");
  return x.dim() == dims - 1;
}

// Dropout as the options say; in training its mask goes to *mask, when that is not null.
Tensor run(Operand x, const functional::DropoutFuncOptions& options, DropoutUnits units, Tensor* mask) {
  const bool channelwise = units != DropoutUnits::Single;
  core::expect_probability(name_of(units), kP, options.p());
  core::expect_defined(name_of(units), "input", x.tensor());
  const bool one = alone(units, x.tensor());
  Tensor y = x.tensor();
  if (options.training()) {
    const Tensor all = one ? detail::as_batch(y) : y;
    const Shape shape = DropoutRule::mask_shape(all.body().array.shape(), channelwise);
    const core::RandomPosition position = core::default_generator().take(core::numel_of(shape));
    Tensor drawn;
    std::tie(y, drawn) =
        apply<DropoutRule>({options.p(), position, options.classic(), channelwise}, Operand(all, x.at()));
    if (one) y = detail::as_sample(y);
    if (mask != nullptr) *mask = drawn;
  } else if (options.classic()) {
    y = x * (1 - options.p());
  }
  if (options.inplace() && !y.is_same(x.tensor())) return x.tensor().copy_(y, x.at());
  return y;
}

functional::DropoutFuncOptions in_mode(const DropoutOptions& options, bool training) {
  return functional::DropoutFuncOptions()
      .p(options.p())
      .training(training)
      .inplace(options.inplace())
      .classic(options.classic());
}

}  // namespace

Tensor functional::dropout(Operand x, const DropoutFuncOptions& options) {
  const Scope scope(x.at());
  return run(x, options, DropoutUnits::Single, nullptr);
}
Tensor functional::dropout1d(Operand x, const Dropout1dFuncOptions& options) {
  const Scope scope(x.at());
  return run(x, options, DropoutUnits::Channels1d, nullptr);
}
Tensor functional::dropout2d(Operand x, const Dropout2dFuncOptions& options) {
  const Scope scope(x.at());
  return run(x, options, DropoutUnits::Channels2d, nullptr);
}
Tensor functional::dropout3d(Operand x, const Dropout3dFuncOptions& options) {
  const Scope scope(x.at());
  return run(x, options, DropoutUnits::Channels3d, nullptr);
}

template <DropoutUnits units, class Derived>
DropoutBase<units, Derived>::DropoutBase(double p) : DropoutBase(DropoutOptions(p)) {}
template <DropoutUnits units, class Derived>
DropoutBase<units, Derived>::DropoutBase(const DropoutOptions& chosen) : options(chosen) {
  reset();
}
template <DropoutUnits units, class Derived>
void DropoutBase<units, Derived>::reset() {
  constexpr const char* names[] = {"Dropout", "Dropout1d", "Dropout2d", "Dropout3d"};
  core::expect_probability(names[static_cast<int>(units)], kP, options.p());
}
template <DropoutUnits units, class Derived>
Tensor DropoutBase<units, Derived>::compute(Operand x) {
  return run(x, in_mode(options, this->is_training()), units, &mask_);
}

DropoutImpl::~DropoutImpl() = default;
Dropout1dImpl::~Dropout1dImpl() = default;
Dropout2dImpl::~Dropout2dImpl() = default;
Dropout3dImpl::~Dropout3dImpl() = default;

template class DropoutBase<DropoutUnits::Single, DropoutImpl>;
template class DropoutBase<DropoutUnits::Channels1d, Dropout1dImpl>;
template class DropoutBase<DropoutUnits::Channels2d, Dropout2dImpl>;
template class DropoutBase<DropoutUnits::Channels3d, Dropout3dImpl>;

}  // namespace gradus::nn

namespace gradus {

Tensor dropout(Operand x, double p, bool train) {
  return nn::functional::dropout(x, nn::functional::DropoutFuncOptions().p(p).training(train));
}

}  // namespace gradus
