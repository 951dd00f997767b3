#include "alpha_dropout.h"

#include <cmath>

#include "../../autograd/ops/rewrite.h"
#include "../../autograd/ops/rounded_once.h"
#include "../../core/array/create.h"
#include "../../core/base/expect.h"
#include "../../core/ops/random.h"

namespace gradus::nn {

using autograd::placed;

namespace {

Tensor dropped(const char* op, Operand x, double p, bool train, bool channelwise) {
  if (autograd::stored(x)) {
    return autograd::rounded_once([&](Operand u) { return dropped(op, u, p, train, channelwise); }, x);
  }
  const autograd::Scope scope(x.at());
  core::expect_probability(op, "p", p);
  core::expect_floating(op, "input", x.tensor());
  const core::Shape shape(x.tensor().sizes());
  if (channelwise) core::expect_form(shape.size() >= 2, op, "input", "[N, C, ..]", shape);
  if (!train || p == 0) return x.tensor();
  if (p == 1) return masked_fill(x, Tensor(core::full(shape, true, kBool)), 0);
  constexpr double least = -1.7580993408473766;  // of selu: -lambda alpha
  const double scale = 1 / std::sqrt((least * least * p + 1) * (1 - p)), shift = -scale * least * p;
  const core::Shape units = DropoutRule::mask_shape(shape, channelwise);
  const Tensor mask(core::bernoulli_mask(units, p, core::default_generator().take(core::numel_of(units))));
  return masked_fill(x.tensor() * scale + shift, mask, scale * least + shift);
}

}  // namespace

Tensor functional::alpha_dropout(Operand x, const AlphaDropoutFuncOptions& options) {
  return placed("alpha_dropout_", x, options.inplace(),
                [&](Operand in) { return gradus::alpha_dropout(in, options.p(), options.training()); });
}
Tensor functional::feature_alpha_dropout(Operand x, const FeatureAlphaDropoutFuncOptions& options) {
  return placed("feature_alpha_dropout_", x, options.inplace(),
                [&](Operand in) { return gradus::feature_alpha_dropout(in, options.p(), options.training()); });
}

AlphaDropoutImpl::AlphaDropoutImpl(double p) : AlphaDropoutImpl(AlphaDropoutOptions(p)) {}
AlphaDropoutImpl::AlphaDropoutImpl(const AlphaDropoutOptions& chosen) : options(chosen) { reset(); }
void AlphaDropoutImpl::reset() { core::expect_probability("AlphaDropout", "p", options.p()); }
Tensor AlphaDropoutImpl::compute(Operand x) {
  return functional::alpha_dropout(
      x, functional::AlphaDropoutFuncOptions().p(options.p()).training(is_training()).inplace(options.inplace()));
}

FeatureAlphaDropoutImpl::FeatureAlphaDropoutImpl(double p) : FeatureAlphaDropoutImpl(FeatureAlphaDropoutOptions(p)) {}
FeatureAlphaDropoutImpl::FeatureAlphaDropoutImpl(const FeatureAlphaDropoutOptions& chosen) : options(chosen) {
  reset();
}
void FeatureAlphaDropoutImpl::reset() { core::expect_probability("FeatureAlphaDropout", "p", options.p()); }
Tensor FeatureAlphaDropoutImpl::compute(Operand x) {
  return functional::feature_alpha_dropout(
      x,
      functional::FeatureAlphaDropoutFuncOptions().p(options.p()).training(is_training()).inplace(options.inplace()));
}

}  // namespace gradus::nn

namespace gradus {

Tensor alpha_dropout(Operand x, double p, bool train) { return nn::dropped("alpha_dropout", x, p, train, false); }
Tensor feature_alpha_dropout(Operand x, double p, bool train) {
  return nn::dropped("feature_alpha_dropout", x, p, train, true);
}

}  // namespace gradus
