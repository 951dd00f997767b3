#include "metrics.h"

#include <cmath>
#include <limits>

#include "../../autograd/graph/grad_mode.h"
#include "../../core/base/fail.h"
#include "class_numbers.h"

namespace gradus::train {

namespace {
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
double share(double sum, std::int64_t examples) { return examples == 0 ? kNan : sum / static_cast<double>(examples); }
}  // namespace

void Mean::add(double value, std::int64_t examples) {
  if (examples < 0) core::fail<ValueError>("Mean: a value must stand for 0 examples or more: {}", examples);
  if (examples == 0) return;
  sum_ += value * static_cast<double>(examples);
  examples_ += examples;
}
double Mean::value() const noexcept { return share(sum_, examples_); }

void Accuracy::add(const Tensor& predicted, const Tensor& target) {
  const NoGradGuard no_grad;
  const bool scores = predicted.dim() == 2;
  if (target.dim() != 1 || (!scores && predicted.dim() != 1) || predicted.size(0) != target.size(0)) {
    core::fail<ShapeError>("Accuracy: scores [n, classes] or class numbers [n], and as many targets: {} and {}",
                           predicted.sizes(), target.sizes());
  }
  const Tensor t = detail::class_numbers("Accuracy", target);
  const Tensor p = scores ? predicted : detail::class_numbers("Accuracy", predicted);
  if (target.size(0) == 0) return;
  if (scores) detail::expect_classes("Accuracy", t, predicted.size(1));
  right_ += (scores ? detail::largest(p) : p).eq(t).sum().item<std::int64_t>();
  examples_ += target.size(0);
}
double Accuracy::value() const noexcept { return share(static_cast<double>(right_), examples_); }

EarlyStopping::EarlyStopping(std::int64_t patience, double min_delta, Better better)
    : patience_(patience), min_delta_(min_delta), best_(kNan), better_(better) {
  if (patience < 1 || !(min_delta >= 0)) {
    core::fail<ValueError>("EarlyStopping: patience must be at least 1, min_delta 0 or more: {} and {}", patience,
                           min_delta);
  }
}

bool EarlyStopping::update(double value) {
  ++epoch_;
  const bool better =
      !std::isnan(value) &&
      (std::isnan(best_) || (better_ == Better::Larger ? value > best_ + min_delta_ : value < best_ - min_delta_));
  if (better) {
    best_ = value;
    best_epoch_ = epoch_;
    since_ = 0;
  } else {
    ++since_;
  }
  return should_stop();
}

}  // namespace gradus::train
