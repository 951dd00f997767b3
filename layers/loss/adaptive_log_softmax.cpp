#include "adaptive_log_softmax.h"

#include <cmath>
#include <cstddef>

#include "../../autograd/ops/softmax.h"
#include "../../autograd/tensor/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../module/layer.h"

namespace gradus::nn {

using autograd::Scope;

namespace {
constexpr const char* op = "AdaptiveLogSoftmaxWithLoss";
}  // namespace

AdaptiveLogSoftmaxWithLossImpl::AdaptiveLogSoftmaxWithLossImpl(const AdaptiveLogSoftmaxWithLossOptions& chosen)
    : options(chosen) {
  reset();
}
AdaptiveLogSoftmaxWithLossImpl::~AdaptiveLogSoftmaxWithLossImpl() = default;

void AdaptiveLogSoftmaxWithLossImpl::reset() {
  const std::int64_t m = options.in_features(), classes = options.n_classes();
  cutoffs = options.cutoffs();
  cutoffs.push_back(classes);
  bool rising = cutoffs.size() > 1 && cutoffs[0] >= 1;
  for (std::size_t i = 1; i < cutoffs.size(); ++i) rising = rising && cutoffs[i - 1] < cutoffs[i];
  if (!rising) {
    core::fail<ValueError>("{}: there must be cutoffs that rise within [1, {}]: {}", op, classes - 1,
                           IntArrayRef(options.cutoffs()));
  }
  if (!(options.div_value() > 0)) core::fail<ValueError>("{}: div_value must be above 0: {}", op, options.div_value());
  shortlist_size = cutoffs[0];
  n_clusters = static_cast<std::int64_t>(cutoffs.size()) - 1;
  head_size = shortlist_size + n_clusters;
  head = register_module("head", Linear(LinearOptions(m, head_size).bias(options.head_bias())));
  tail = register_module("tail", ModuleList());
  for (std::size_t i = 0; i + 1 < cutoffs.size(); ++i) {
    const auto width = static_cast<std::int64_t>(
        std::floor(static_cast<double>(m) / std::pow(options.div_value(), static_cast<double>(i + 1))));
    tail->push_back(Sequential(Linear(LinearOptions(m, width).bias(false)),
                               Linear(LinearOptions(width, cutoffs[i + 1] - cutoffs[i]).bias(false))));
  }
}

void AdaptiveLogSoftmaxWithLossImpl::reset_parameters() {
  head->reset_parameters();
  for (const auto& cluster : *tail) {
    for (const auto& linear : cluster->children()) linear->as<Linear>()->reset_parameters();
  }
}

std::string AdaptiveLogSoftmaxWithLossImpl::extra_repr() const { return detail::repr(options); }

ASMoutput AdaptiveLogSoftmaxWithLossImpl::forward(Operand input, const Tensor& target) {
  const Scope scope(input.at(), path());
  const Tensor& given = input.tensor();
  if (given.dim() < 1 || given.dim() > 2 || target.dim() != given.dim() - 1 ||
      given.size(-1) != options.in_features() || (target.dim() == 1 && target.size(0) != given.size(0))) {
    core::fail<ShapeError>("{}: input and target must be [N, {}] and [N], or both without N: {} and {}", op,
                           options.in_features(), given.sizes(), target.sizes());
  }
  if (!is_integral(target.dtype())) {
    core::fail<DTypeError>("{}: target must be of integers: {}; to(kInt64) converts", op, target.dtype());
  }
  const Tensor x = given.dim() == 1 ? given.unsqueeze(0) : given;
  const Tensor t = (target.dim() == 0 ? target.unsqueeze(0) : target).to(kInt64);
  const Tensor outside = (t < 0).logical_or(t >= options.n_classes());
  if (outside.any().item<bool>()) {
    core::fail<IndexError>("{}: targets must be in [0, {}]: from {} to {}", op, options.n_classes() - 1,
                           t.min().item<std::int64_t>(), t.max().item<std::int64_t>());
  }
  const Tensor in_head = log_softmax(head(x), 1);
  Tensor place = t, output = zeros({x.size(0)}, in_head.dtype());
  for (std::int64_t i = 0; i < n_clusters; ++i) {
    const auto c = static_cast<std::size_t>(i);
    const Tensor inside = (t >= cutoffs[c]).logical_and(t < cutoffs[c + 1]);
    const Tensor rows = nonzero(inside).squeeze(1);
    if (rows.numel() == 0) continue;
    place = masked_fill(place, inside, shortlist_size + i);
    const Tensor local = log_softmax(tail->at<SequentialImpl>(c).forward(x.index_select(0, rows)), 1);
    const Tensor at = (t.index_select(0, rows) - cutoffs[c]).unsqueeze(1);
    output = index_add(output, 0, rows, local.gather(1, at).squeeze(1));
  }
  output = output + in_head.gather(1, place.unsqueeze(1)).squeeze(1);
  const double loss = -output.detach().mean().item<double>();
  return {target.dim() == 0 ? output.squeeze(0) : output, loss};
}

Tensor AdaptiveLogSoftmaxWithLossImpl::_get_full_log_prob(Operand input, const Tensor& head_output) {
  const Scope scope(input.at(), path());
  const Tensor in_head = log_softmax(head_output, 1);
  std::vector<Tensor> parts = {in_head.slice(1, 0, shortlist_size)};
  for (std::int64_t i = 0; i < n_clusters; ++i) {
    const Tensor local = log_softmax(tail->at<SequentialImpl>(static_cast<std::size_t>(i)).forward(input), 1);
    parts.push_back(local + in_head.slice(1, shortlist_size + i, shortlist_size + i + 1));
  }
  return cat(parts, 1);
}

Tensor AdaptiveLogSoftmaxWithLossImpl::log_prob(Operand input) {
  const Scope scope(input.at(), path());
  core::expect_dims(op, "input", input.tensor(), 2, 2, "[N, in_features]");
  return _get_full_log_prob(input, head(input.tensor()));
}

Tensor AdaptiveLogSoftmaxWithLossImpl::predict(Operand input) {
  const Scope scope(input.at(), path());
  core::expect_dims(op, "input", input.tensor(), 2, 2, "[N, in_features]");
  const NoGradGuard no_grad;
  // The likeliest class is looked for among all of them only where a cluster is the likeliest of the head.
  const Tensor scores = head(input.tensor()), first = scores.argmax(1);
  const Tensor rows = nonzero(first >= shortlist_size).squeeze(1);
  if (rows.numel() == 0) return first;
  const Tensor all = _get_full_log_prob(input.tensor().index_select(0, rows), scores.index_select(0, rows));
  return first.index_copy(0, rows, all.argmax(1));
}

}  // namespace gradus::nn
