#include "confusion.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "../../autograd/graph/grad_mode.h"
#include "../../core/base/fail.h"
#include "class_numbers.h"

namespace gradus::train {

Confusion::Confusion(int classes) : classes_(classes) {
  if (classes < 1) core::fail<ValueError>("Confusion: there must be at least one class: {}", classes);
  counts_.resize(static_cast<std::size_t>(classes) * static_cast<std::size_t>(classes));
}

std::int64_t Confusion::count(int truth, int predicted) const {
  return counts_[static_cast<std::size_t>(truth) * classes_ + predicted];
}

void Confusion::add(std::int64_t truth, std::int64_t predicted) {
  if (truth < 0 || truth >= classes_ || predicted < 0 || predicted >= classes_) {
    core::fail<IndexError>("Confusion::add: classes must be from 0 to {}: true {}, predicted {}", classes_ - 1, truth,
                           predicted);
  }
  ++counts_[static_cast<std::size_t>(truth * classes_ + predicted)];
}

void Confusion::add(const Tensor& truth, const Tensor& predicted) {
  const NoGradGuard no_grad;
  const bool scores = predicted.dim() == 2;
  if (truth.dim() != 1 || (!scores && predicted.dim() != 1) || predicted.size(0) != truth.size(0) ||
      (scores && predicted.size(1) != classes_)) {
    core::fail<ShapeError>("Confusion::add: class numbers [n], and as many or scores [n, {}]: {} and {}", classes_,
                           truth.sizes(), predicted.sizes());
  }
  constexpr const char* kOp = "Confusion::add";
  const Tensor t = detail::class_numbers(kOp, truth),
               p = detail::class_numbers(kOp, scores ? detail::largest(predicted) : predicted);
  // All are checked before the first is counted.
  detail::expect_classes(kOp, t, classes_);
  for (std::int64_t i = 0; scores && i < p.size(0); ++i) {
    if (p.data_ptr<std::int64_t>()[i] < 0)
      core::fail<ValueError>("{}: scores must be numbers: row {} holds NaN; Accuracy takes it as wrong", kOp, i);
  }
  detail::expect_classes(kOp, p, classes_);
  for (std::int64_t i = 0; i < t.size(0); ++i) add(t.data_ptr<std::int64_t>()[i], p.data_ptr<std::int64_t>()[i]);
}

double Confusion::accuracy() const {
  std::int64_t right = 0, all = 0;
  for (int c = 0; c < classes_; ++c) right += count(c, c);
  for (const std::int64_t n : counts_) all += n;
  return all == 0 ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(right) / static_cast<double>(all);
}

double Confusion::recall(int truth) const {
  std::int64_t all = 0;
  for (int c = 0; c < classes_; ++c) all += count(truth, c);
  if (all == 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(count(truth, truth)) / static_cast<double>(all);
}

std::string Confusion::table(const Terminal& terminal) const {
  constexpr const char *kGreen = "32", *kRed = "1;31", *kFaint = "2";
  const std::int64_t largest = counts_.empty() ? 0 : *std::max_element(counts_.begin(), counts_.end());
  const auto column = std::max(fmt::formatted_size("{}", largest), fmt::formatted_size("{}", classes_ - 1)) + 2;
  const std::string dot = terminal.utf8 ? "·" : ".";

  std::string text = coloured(
      fmt::format("  true | predicted{:>{}}\n", "recall", std::max<std::size_t>(classes_ * column + 8, 20) - 10),
      kFaint, terminal);
  text += coloured("       |", kFaint, terminal);
  for (int c = 0; c < classes_; ++c) text += fmt::format("{:>{}}", c, column);
  text += "\n" + coloured(fmt::format("  -----+{:-<{}}\n", "", classes_ * column + 8), kFaint, terminal);
  for (int truth = 0; truth < classes_; ++truth) {
    text += fmt::format("{:>6} ", truth) + coloured("|", kFaint, terminal);
    for (int predicted = 0; predicted < classes_; ++predicted) {
      const std::int64_t n = count(truth, predicted);
      if (n == 0) {
        text += std::string(column - 1, ' ') + coloured(dot, kFaint, terminal);
      } else {
        text += coloured(fmt::format("{:>{}}", n, column), truth == predicted ? kGreen : kRed, terminal);
      }
    }
    const double share = recall(truth);
    text += std::isnan(share) ? fmt::format("{:>8}\n", "-") : fmt::format("{:>8.3f}\n", share);
  }
  return text;
}

}  // namespace gradus::train
