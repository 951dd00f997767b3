#include "dropout.h"

#include <cmath>

#include "../../core/array/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../../core/nn/dropout.h"
#include "../../core/ops/pointwise.h"
#include "../../autograd/ops/rounded_once.h"

namespace gradus::nn {

using namespace autograd;
using core::Array;
using core::Shape;

namespace {

void check_p(const char* op, double p) {
  if (p >= 0 && p <= 1) return;  // not so of NaN
  core::fail<ValueError>("{}: p, the probability of zeroing a unit, must be in [0, 1]: {}", op, p);
}

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
  check_p("dropout", attrs.p);
  core::expect_floating("dropout", "input", x.dtype());
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

// Dropout as the options say; in training its mask goes to *mask, when that is not null.
Tensor run(Operand x, const functional::DropoutFuncOptions& options, bool channelwise, Tensor* mask) {
  check_p(channelwise ? "dropout2d" : "dropout", options.p());
  Tensor y = x.tensor();
  if (options.training()) {
    const Shape shape = DropoutRule::mask_shape(y.body().array.shape(), channelwise);
    const core::RandomPosition position = core::default_generator().take(core::numel_of(shape));
    Tensor drawn;
    std::tie(y, drawn) = apply<DropoutRule>({options.p(), position, options.classic(), channelwise}, x);
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
  return run(x, options, false, nullptr);
}
Tensor functional::dropout2d(Operand x, const Dropout2dFuncOptions& options) {
  const Scope scope(x.at());
  return run(x, options, true, nullptr);
}

template <bool channelwise, class Derived>
DropoutBase<channelwise, Derived>::DropoutBase(double p) : DropoutBase(DropoutOptions(p)) {}
template <bool channelwise, class Derived>
DropoutBase<channelwise, Derived>::DropoutBase(const DropoutOptions& chosen) : options(chosen) {
  reset();
}
template <bool channelwise, class Derived>
void DropoutBase<channelwise, Derived>::reset() {
  check_p(channelwise ? "Dropout2d" : "Dropout", options.p());
}
template <bool channelwise, class Derived>
Tensor DropoutBase<channelwise, Derived>::compute(Operand x) {
  return run(x, in_mode(options, this->is_training()), channelwise, &mask_);
}

DropoutImpl::~DropoutImpl() = default;
Dropout2dImpl::~Dropout2dImpl() = default;

template class DropoutBase<false, DropoutImpl>;
template class DropoutBase<true, Dropout2dImpl>;

}  // namespace gradus::nn

namespace gradus {

Tensor dropout(Operand x, double p, bool train) {
  return nn::functional::dropout(x, nn::functional::DropoutFuncOptions().p(p).training(train));
}

Tensor alpha_dropout(Operand x, double p, bool train) {
  if (autograd::stored(x)) {
    return autograd::rounded_once([&](Operand u) { return alpha_dropout(u, p, train); }, x);
  }
  const autograd::Scope scope(x.at());
  core::expect_probability("alpha_dropout", "p", p);
  core::expect_floating("alpha_dropout", "input", x.tensor().dtype());
  if (!train || p == 0) return x.tensor();
  if (p == 1) return masked_fill(x, Tensor(core::full(x.tensor().sizes(), true, kBool)), 0);
  constexpr double least = -1.7580993408473766;  // of selu: -lambda alpha
  const double scale = 1 / std::sqrt((least * least * p + 1) * (1 - p)), shift = -scale * least * p;
  const core::RandomPosition position = core::default_generator().take(x.tensor().numel());
  const Tensor dropped(core::bernoulli_mask(x.tensor().sizes(), p, position));
  return masked_fill(x.tensor() * scale + shift, dropped, scale * least + shift);
}

}  // namespace gradus
