#include "ctc_loss.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "../array/create.h"
#include "../base/dispatch.h"
#include "../base/expect.h"
#include "../threads/parallel.h"

namespace gradus::core {
namespace {

constexpr double kLogZero = -std::numeric_limits<double>::infinity();

// log(exp(a) + exp(b) + exp(c)).
double log_sum(double a, double b, double c) {
  const double most = std::max({a, b, c});
  if (most == kLogZero) return kLogZero;
  return most + std::log(std::exp(a - most) + std::exp(b - most) + std::exp(c - most));
}

// One sample: its states s are blank, label 0, blank, label 1, .., blank.
template <class T>
struct Sample {
  Sample(const CtcSamples& of, std::int64_t n)
      : log_p(of.log_p.data_ptr<T>() + n * of.log_p.shape()[2]),
        stride(of.log_p.shape()[1] * of.log_p.shape()[2]),
        labels(of.labels.data_ptr<std::int64_t>() + of.starts.data_ptr<std::int64_t>()[n]),
        steps(of.steps.data_ptr<std::int64_t>()[n]),
        states(2 * of.lengths.data_ptr<std::int64_t>()[n] + 1),
        blank(of.blank) {}
  std::int64_t class_of(std::int64_t s) const { return s % 2 == 0 ? blank : labels[s / 2]; }
  /// Whether s follows s - 2 at once: the blank between equal labels must not be left out.
  bool skips(std::int64_t s) const { return s > 1 && class_of(s) != class_of(s - 2); }
  double emits(std::int64_t t, std::int64_t s) const { return static_cast<double>(log_p[t * stride + class_of(s)]); }

  const T* log_p;
  std::int64_t stride;
  const std::int64_t* labels;
  std::int64_t steps, states, blank;
};

/// body(T(), n) for each sample, in parallel.
template <class Body>
void each_sample(const CtcSamples& samples, const Body& body) {
  dispatch(samples.log_p.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_floating_point_v<T>) {
      parallel_for(samples.steps.numel(), 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t n = begin; n < end; ++n) body(T(), n);
      });
    }
  });
}

}  // namespace

std::tuple<Array, Array> ctc_loss(const CtcSamples& samples, bool zero_infinity) {
  expect_floating("ctc_loss", "log_probs", samples.log_p);
  const std::int64_t T = samples.log_p.shape()[0], N = samples.log_p.shape()[1];
  std::int64_t most = 0;
  for (std::int64_t n = 0; n < N; ++n) most = std::max(most, samples.lengths.data_ptr<std::int64_t>()[n]);
  const std::int64_t S = 2 * most + 1;
  const Array losses = empty({N}, samples.log_p.dtype()), alpha = full({N, T, S}, kLogZero, kFloat64);
  each_sample(samples, [&](auto tag, std::int64_t n) {
    using Number = decltype(tag);
    const Sample<Number> sample(samples, n);
    // Before the first step the path stands before the first state, from which the first two can be reached.
    std::vector<double> start(static_cast<std::size_t>(S), kLogZero);
    start[0] = 0;
    const double* before = start.data();
    double* row = alpha.data_ptr<double>() + n * T * S;
    for (std::int64_t t = 0; t < sample.steps; ++t, before = row, row += S) {
      for (std::int64_t s = 0; s < sample.states; ++s) {
        const double reached =
            log_sum(before[s], s > 0 ? before[s - 1] : kLogZero, t > 0 && sample.skips(s) ? before[s - 2] : kLogZero);
        row[s] = reached + sample.emits(t, s);
      }
    }
    const double last_label = sample.states > 1 ? before[sample.states - 2] : kLogZero;
    const double log_all = log_sum(before[sample.states - 1], last_label, kLogZero);
    losses.data_ptr<Number>()[n] = zero_infinity && log_all == kLogZero ? Number(0) : static_cast<Number>(-log_all);
  });
  return {losses, alpha};
}

Array ctc_loss_backward(const CtcSamples& samples, const Array& dl, const Array& alpha, bool zero_infinity) {
  const std::int64_t N = samples.log_p.shape()[1], C = samples.log_p.shape()[2];
  const std::int64_t T = alpha.shape()[1], S = alpha.shape()[2];
  const Array gradient = zeros(samples.log_p.shape(), samples.log_p.dtype());
  each_sample(samples, [&](auto tag, std::int64_t n) {
    using Number = decltype(tag);
    const Sample<Number> sample(samples, n);
    const auto above = static_cast<double>(dl.data_ptr<Number>()[n]);
    if (sample.steps == 0) return;
    const double* row = alpha.data_ptr<double>() + (n * T + sample.steps - 1) * S;
    const auto last = sample.states - 1;
    const double log_all = log_sum(row[last], last > 0 ? row[last - 1] : kLogZero, kLogZero);
    if (log_all == kLogZero && zero_infinity) return;
    // The paths from state s on, without what s itself emits.
    std::vector<double> beta(static_cast<std::size_t>(S), kLogZero), after(beta), at(static_cast<std::size_t>(C));
    const auto of = [](std::vector<double>& all, std::int64_t i) -> double& {
      return all[static_cast<std::size_t>(i)];
    };
    of(beta, last) = 0;
    if (last > 0) of(beta, last - 1) = 0;
    for (std::int64_t t = sample.steps - 1; t >= 0; --t, row -= S) {
      if (t < sample.steps - 1) {
        for (std::int64_t s = 0; s <= last; ++s) of(after, s) = of(beta, s) + sample.emits(t + 1, s);
        for (std::int64_t s = 0; s <= last; ++s) {
          of(beta, s) = log_sum(of(after, s), s < last ? of(after, s + 1) : kLogZero,
                                s + 2 <= last && sample.skips(s + 2) ? of(after, s + 2) : kLogZero);
        }
      }
      std::fill(at.begin(), at.end(), 0.0);
      for (std::int64_t s = 0; s <= last; ++s) {
        of(at, sample.class_of(s)) += std::exp(row[s] + of(beta, s) - log_all);
      }
      Number* out = gradient.data_ptr<Number>() + (t * N + n) * C;
      for (std::int64_t c = 0; c < C; ++c) out[c] = static_cast<Number>(-above * of(at, c));
    }
  });
  return gradient;
}

}  // namespace gradus::core
