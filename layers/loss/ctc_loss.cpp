#include "ctc_loss.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "../../autograd/ops/functions.h"
#include "../../autograd/ops/rounded_once.h"
#include "../../autograd/tensor/create.h"
#include "../../core/array/create.h"
#include "../../core/array/numbers.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../../core/nn/ctc_loss.h"
#include "loss_support.h"

namespace gradus::nn {

using namespace autograd;
using core::Array;
using core::fail;

namespace {

constexpr const char* kOp = "ctc_loss";
/// The logarithm of 0 in the reference: sums of as many as there may be steps stay numbers, so that what no path reaches has
/// the gradient 0, not NaN.
constexpr double kLogZero = -1e30;

Array of_numbers(const std::vector<std::int64_t>& numbers) {
  const Array x = core::empty({static_cast<std::int64_t>(numbers.size())}, kInt64);
  std::copy(numbers.begin(), numbers.end(), x.data_ptr<std::int64_t>());
  return x;
}

std::vector<std::int64_t> checked_lengths(const char* what, const Array& lengths, std::int64_t samples,
                                          std::int64_t most, const char* of) {
  if (!is_integral(lengths.dtype())) fail<DTypeError>("{}: {} must be int64: {}", kOp, what, lengths.dtype());
  core::expect_shape(kOp, what, lengths.shape(), "[N]", samples);
  std::vector<std::int64_t> all = core::whole_numbers(lengths);
  for (std::size_t n = 0; n < all.size(); ++n) {
    if (all[n] >= 0 && all[n] <= most) continue;
    fail<ValueError>("{}: {} must be from 0 to {}, {}: {} of sample {}", kOp, what, most, of, all[n], n);
  }
  return all;
}

// What the recursions read, checked.
core::CtcSamples samples_of(const CTCLossRule::Attrs& attrs, const Array& log_p, const Array& targets,
                            const Array& input_lengths, const Array& target_lengths) {
  core::expect_floating(kOp, "log_probs", log_p);
  core::expect_dims(kOp, "log_probs", log_p, 3, 3, "[T, N, C] or [T, C]");
  const std::int64_t T = log_p.shape()[0], N = log_p.shape()[1], C = log_p.shape()[2];
  if (attrs.blank < 0 || attrs.blank >= C) {
    fail<IndexError>("{}: blank must be a class, in [0, {}): {}", kOp, C, attrs.blank);
  }
  if (!is_integral(targets.dtype())) fail<DTypeError>("{}: targets must be int64: {}", kOp, targets.dtype());
  const bool padded = targets.dim() == 2;
  if (targets.dim() != 1 && !(padded && targets.shape()[0] == N)) {
    fail<ShapeError>("{}: targets must be [N, L], or [sum of target_lengths]: {} for {} samples", kOp, targets.shape(),
                     N);
  }
  const auto steps = checked_lengths("input_lengths", input_lengths, N, T, "the steps of log_probs");
  const auto lengths =
      checked_lengths("target_lengths", target_lengths, N, targets.shape()[padded ? 1 : 0], "the labels in targets");
  std::vector<std::int64_t> starts;
  std::int64_t end = 0;
  for (std::size_t n = 0; n < lengths.size(); ++n) {
    starts.push_back(padded ? static_cast<std::int64_t>(n) * targets.shape()[1] : end);
    end += lengths[n];
  }
  if (!padded && end != targets.numel()) {
    fail<ShapeError>("{}: targets must be as many as target_lengths add up to: {} for {}", kOp, targets.numel(), end);
  }
  const Array labels = targets.to(kInt64).contiguous();
  for (std::size_t n = 0; n < lengths.size(); ++n) {
    const std::int64_t* l = labels.data_ptr<std::int64_t>() + starts[n];
    for (std::int64_t i = 0; i < lengths[n]; ++i) {
      if (l[i] < 0 || l[i] >= C) {
        fail<IndexError>("{}: targets must be classes, in [0, {}): {} in sample {}", kOp, C, l[i], n);
      }
    }
  }
  return {log_p.contiguous(), labels, of_numbers(starts), of_numbers(steps), of_numbers(lengths), attrs.blank};
}

}  // namespace

Tensor CTCLossRule::reference(const Attrs& attrs, const Tensor& log_p, const Tensor& targets,
                              const Tensor& input_lengths, const Tensor& target_lengths) {
  const core::CtcSamples given =
      samples_of(attrs, log_p.array(), targets.array(), input_lengths.array(), target_lengths.array());
  const std::int64_t T = log_p.size(0), N = log_p.size(1);
  const auto steps = core::whole_numbers(given.steps), starts = core::whole_numbers(given.starts),
             lengths = core::whole_numbers(given.lengths);
  const std::int64_t most = N == 0 ? 0 : *std::max_element(lengths.begin(), lengths.end()), S = 2 * most + 1;
  // Each state's class, and whether it follows the one before the last at once: [N, S].
  const Tensor classes = full({N, S}, attrs.blank, kInt64), leaps = zeros({N, S}, kBool);
  const Tensor ends = zeros({N, S}, kBool);
  for (std::int64_t n = 0; n < N; ++n) {
    const auto at = static_cast<std::size_t>(n);
    std::int64_t* const c = classes.data_ptr<std::int64_t>() + n * S;
    for (std::int64_t i = 0; i < lengths[at]; ++i) {
      c[2 * i + 1] = given.labels.data_ptr<std::int64_t>()[starts[at] + i];
    }
    for (std::int64_t s = 2; s < S; ++s) leaps.data_ptr<bool>()[n * S + s] = c[s] != c[s - 2];
    const std::int64_t last = 2 * lengths[at];
    ends.data_ptr<bool>()[n * S + last] = true;
    if (last > 0) ends.data_ptr<bool>()[n * S + last - 1] = true;
  }
  const Tensor nowhere = full({N, 1}, kLogZero, log_p.dtype());
  Tensor alpha = S == 1 ? zeros({N, 1}, log_p.dtype())
                        : cat({zeros({N, 1}, log_p.dtype()), full({N, S - 1}, kLogZero, log_p.dtype())}, 1);
  for (std::int64_t t = 0; t < T; ++t) {
    const Tensor by_one = cat({nowhere, alpha.narrow(1, 0, S - 1)}, 1);
    Tensor reached = logaddexp(alpha, by_one);
    if (t > 0 && S > 2) {
      const Tensor by_two = cat({nowhere, nowhere, alpha.narrow(1, 0, S - 2)}, 1);
      reached = logaddexp(reached, masked_fill(by_two, !leaps, kLogZero));
    }
    const Tensor emitted = clamp_min(gather(log_p.select(0, t), 1, classes), kLogZero);
    const Tensor over = (Tensor(given.steps) <= t).unsqueeze(1);  // of samples that have no such step
    alpha = where(over, alpha, reached + emitted);
  }
  const Tensor losses = -logsumexp(masked_fill(alpha, !ends, kLogZero), {1});
  return masked_fill(losses, losses > -kLogZero / 2, attrs.zero_infinity ? 0 : std::numeric_limits<double>::infinity());
}

std::tuple<Array, Array> CTCLossRule::forward(const Attrs& attrs, const Array& log_p, const Array& targets,
                                              const Array& input_lengths, const Array& target_lengths) {
  return core::ctc_loss(samples_of(attrs, log_p, targets, input_lengths, target_lengths), attrs.zero_infinity);
}

std::array<Array, 4> CTCLossRule::backward(const Attrs& attrs, DyArray<> dl, InArray<0> log_p, InArray<1> targets,
                                           InArray<2> input_lengths, InArray<3> target_lengths, OutArray<1> alpha) {
  return {core::ctc_loss_backward(samples_of(attrs, log_p, targets, input_lengths, target_lengths), dl.contiguous(),
                                  alpha, attrs.zero_infinity)};
}

Tensor functional::ctc_loss(Operand log_probs, const Tensor& targets, const Tensor& input_lengths,
                            const Tensor& target_lengths, const CTCLossFuncOptions& options) {
  return gradus::ctc_loss(log_probs, targets, input_lengths, target_lengths, options.blank(), options.reduction(),
                          options.zero_infinity());
}

CTCLossImpl::CTCLossImpl(const CTCLossOptions& chosen) : options(chosen) {}
Tensor CTCLossImpl::forward(Operand log_probs, const Tensor& targets, const Tensor& input_lengths,
                            const Tensor& target_lengths) {
  const Scope scope(log_probs.at(), path());
  return functional::ctc_loss(log_probs, targets, input_lengths, target_lengths, options);
}

}  // namespace gradus::nn

namespace gradus {

Tensor ctc_loss(Operand log_probs, const Tensor& targets, const Tensor& input_lengths, const Tensor& target_lengths,
                std::int64_t blank, Reduction reduction, bool zero_infinity) {
  if (autograd::stored(log_probs)) {
    return autograd::rounded_once(
        [&](Operand u) { return ctc_loss(u, targets, input_lengths, target_lengths, blank, reduction, zero_infinity); },
        log_probs);
  }
  const autograd::Scope scope(log_probs.at());
  const Tensor& x = log_probs.tensor();
  core::expect_defined("ctc_loss", "log_probs", x, "targets", targets, "input_lengths", input_lengths, "target_lengths",
                       target_lengths);
  const bool one = x.dim() == 2;  // of one sample, [T, C]
  const auto of_samples = [&](const Tensor& lengths) { return lengths.dim() == 0 ? lengths.reshape({1}) : lengths; };
  const Tensor steps = of_samples(input_lengths), lengths = of_samples(target_lengths);
  const Tensor losses = std::get<0>(autograd::apply<nn::CTCLossRule>(
      {blank, zero_infinity}, Operand(one ? x.unsqueeze(1) : x, log_probs.at()), Operand(targets, log_probs.at()),
      Operand(steps, log_probs.at()), Operand(lengths, log_probs.at())));
  if (reduction == Reduction::Mean) return (losses / clamp_min(lengths, 1).to(losses.dtype())).mean();
  return nn::detail::reduced(one ? losses.squeeze(0) : losses, reduction);
}

Tensor ctc_loss(Operand log_probs, const Tensor& targets, IntArrayRef input_lengths, IntArrayRef target_lengths,
                std::int64_t blank, Reduction reduction, bool zero_infinity) {
  const auto as_tensor = [](IntArrayRef lengths) {
    return tensor(std::vector<std::int64_t>(lengths.begin(), lengths.end()));
  };
  return ctc_loss(log_probs, targets, as_tensor(input_lengths), as_tensor(target_lengths), blank, reduction,
                  zero_infinity);
}

}  // namespace gradus
