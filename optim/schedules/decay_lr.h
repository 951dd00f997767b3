// Schedules that multiply the rate, now and then or at each epoch.
#pragma once

#include <functional>
#include <type_traits>

#include "lr_scheduler.h"

namespace gradus::optim {

/// base gamma^floor(epoch / step_size): times gamma every step_size epochs.
class GRADUS_API StepLR final : public LRScheduler {
 public:
  /// ValueError when step_size < 1 or gamma < 0.
  StepLR(Optimizer& optimizer, std::int64_t step_size, double gamma = 0.1);

 private:
  double at(std::int64_t epoch, double base) const override;
  double next(std::int64_t epoch, double rate, double base) const override;
  std::int64_t step_size_;
  double gamma_;
};

/// base gamma^(number of milestones that are not above epoch): times gamma at each of them; twice where one comes twice.
class GRADUS_API MultiStepLR final : public LRScheduler {
 public:
  /// Milestones in any order. ValueError when one of them, or gamma, is negative.
  MultiStepLR(Optimizer& optimizer, std::vector<std::int64_t> milestones, double gamma = 0.1);

 private:
  double at(std::int64_t epoch, double base) const override;
  double next(std::int64_t epoch, double rate, double base) const override;
  std::vector<std::int64_t> milestones_;
  double gamma_;
};

/// base gamma^epoch.
class GRADUS_API ExponentialLR final : public LRScheduler {
 public:
  /// ValueError when gamma < 0.
  ExponentialLR(Optimizer& optimizer, double gamma);

 private:
  double at(std::int64_t epoch, double base) const override;
  double next(std::int64_t epoch, double rate, double base) const override;
  double gamma_;
};

/// base factor before epoch total_iters, base from then on.
class GRADUS_API ConstantLR final : public LRScheduler {
 public:
  /// ValueError unless 0 <= factor <= 1, total_iters >= 1.
  explicit ConstantLR(Optimizer& optimizer, double factor = 1.0 / 3, std::int64_t total_iters = 5);

 private:
  double at(std::int64_t epoch, double base) const override;
  double next(std::int64_t epoch, double rate, double base) const override;
  double factor_;
  std::int64_t total_iters_;
};

/// base (1 - epoch / total_iters)^power, 0 from epoch total_iters on.
class GRADUS_API PolynomialLR final : public LRScheduler {
 public:
  /// ValueError when total_iters < 1 or power < 0.
  explicit PolynomialLR(Optimizer& optimizer, std::int64_t total_iters = 5, double power = 1);

 private:
  double at(std::int64_t epoch, double base) const override;
  double next(std::int64_t epoch, double rate, double base) const override;
  std::int64_t total_iters_;
  double power_;
};

/// One function of the epoch for all groups, or one for each.
class GRADUS_API LambdaPerGroup {
 public:
  using Function = std::function<double(std::int64_t)>;
  template <class F>
  requires std::is_invocable_r_v<double, F, std::int64_t> LambdaPerGroup(F f)  // NOLINT(google-explicit-constructor)
      : functions_{Function(std::move(f))}, is_list_(false) {}
  LambdaPerGroup(std::vector<Function> functions);  // NOLINT(google-explicit-constructor)
  /// ValueError, naming `op`, for a list of another length, and for a function that is none.
  void check(std::string_view op, std::size_t groups) const;
  double operator()(std::size_t group, std::int64_t epoch) const;

 private:
  std::vector<Function> functions_;
  bool is_list_ = true;
};

/// base lr_lambda(epoch). Not chainable. The function is not saved: it is the same where one goes on.
class GRADUS_API LambdaLR final : public LRScheduler {
 public:
  LambdaLR(Optimizer& optimizer, LambdaPerGroup lr_lambda);

 private:
  double at(std::int64_t epoch, double base) const override;
  LambdaPerGroup lr_lambda_;
};

/// base lr_lambda(1) lr_lambda(2) ... lr_lambda(epoch): times the function's value at each epoch.
class GRADUS_API MultiplicativeLR final : public LRScheduler {
 public:
  MultiplicativeLR(Optimizer& optimizer, LambdaPerGroup lr_lambda);

 private:
  double at(std::int64_t epoch, double base) const override;
  double next(std::int64_t epoch, double rate, double base) const override;
  double first(double rate, double base) const override;
  LambdaPerGroup lr_lambda_;
};

}  // namespace gradus::optim
