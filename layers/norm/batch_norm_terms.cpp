#include "../../core/nn/batch_norm.h"
#include "../../core/nn/channels.h"
#include "../../core/ops/pointwise.h"
#include "../../core/ops/reduce.h"
#include "batch_norm.h"

namespace gradus::nn {

using core::Array;

// Written from the formulas in batch_norm.h, apart from the rule's own loops.
std::vector<autograd::NamedTerm> BatchNormRule::terms(const Attrs& attrs, const Array& dy, const Array& x,
                                                      const Array& weight, const Array&, const Array&, const Array&) {
  const core::Dims others = core::all_but_channels(x.dim());
  core::Shape channels = core::Shape::filled(x.dim(), 1);
  channels[1] = x.shape()[1];

  const auto [mean, var] = core::channel_stats(x);
  const Array inv_std = core::rsqrt(var + attrs.eps).view(channels);
  const Array x_hat = (x - mean.view(channels)) * inv_std;
  const Array scale = weight.defined() ? weight.reshape(channels) * inv_std : inv_std;
  const Array mean_dy = core::mean(dy, others, true), mean_dy_x_hat = core::mean(dy * x_hat, others, true);
  return {{0, "gamma inv_std dy", scale * dy},
          {0, "gamma inv_std mean(dy)", (-scale * mean_dy).expand(x.shape())},
          {0, "gamma inv_std x_hat mean(dy x_hat)", -scale * x_hat * mean_dy_x_hat},
          {1, "sum(dy x_hat)", core::sum(dy * x_hat, others)},
          {2, "sum(dy)", core::sum(dy, others)}};
}

}  // namespace gradus::nn
