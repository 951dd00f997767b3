// L-BFGS.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "../optimizer.h"

namespace gradus::optim {

class GRADUS_API LBFGSOptions final : public OptimizerCloneableOptions<LBFGSOptions> {
  GRADUS_ARG(double, lr) = 1;
  GRADUS_ARG(std::int64_t, max_iter) = 20;  ///< how often a step() moves at most
  /// How often it calls the closure at most; where it is not given, the optimizer makes it 5/4 max_iter.
  GRADUS_ARG(std::optional<std::int64_t>, max_eval);
  GRADUS_ARG(double, tolerance_grad) = 1e-7;    ///< of the largest element of the gradient
  GRADUS_ARG(double, tolerance_change) = 1e-9;  ///< of the loss and of the largest change
  GRADUS_ARG(std::int64_t, history_size) = 100;
  GRADUS_ARG(std::optional<std::string>, line_search_fn);  ///< none, or "strong_wolfe"
  GRADUS_ARG(bool, maximize) = false;

 public:
  LBFGSOptions(double lr = 1);  // NOLINT(google-explicit-constructor)
  ~LBFGSOptions() override;
  void check() const override;
  std::vector<Field> named_fields() override;
};

/// One for all parameters, kept as that of the first; vectors are of all their elements, one parameter after the other.
class GRADUS_API LBFGSParamState final : public OptimizerCloneableParamState<LBFGSParamState> {
  GRADUS_ARG(std::int64_t, func_evals) = 0;
  GRADUS_ARG(std::int64_t, n_iter) = 0;
  GRADUS_ARG(double, t) = 0;          ///< the last step along d
  GRADUS_ARG(double, prev_loss) = 0;  ///< that before it
  GRADUS_ARG(double, H_diag) = 1;
  GRADUS_ARG(Tensor, d);                      ///< the last direction
  GRADUS_ARG(Tensor, prev_flat_grad);         ///< the gradient before it
  GRADUS_ARG(std::vector<Tensor>, old_dirs);  ///< y_i, oldest first
  GRADUS_ARG(std::vector<Tensor>, old_stps);  ///< s_i
  GRADUS_ARG(std::vector<double>, ro);        ///< 1 / (y_i . s_i)

 public:
  /// The numbers, d and prev_flat_grad: the history is saved as two matrices.
  std::vector<Field> named_fields() override;
};

/// Liu and Nocedal, "On the limited memory BFGS method for large scale optimization", 1989; PyTorch's form. With gradient g
/// of all parameters x, s = t d the change by the iteration before and y that of the gradient:
///   (y, s) join the history where y . s > 1e-10, the oldest leaves it; H = (y . s) / (y . y)
///   d = -B g, by the two loops over the history that start from B = H        (at first d = -g)
///   x <- x + t d;   t = lr; at first lr min(1, 1 / sum|g|); with "strong_wolfe" what that line search finds from there,
/// which holds f(x + t d) <= f(x) + 1e-4 t g . d and |g(x + t d) . d| <= 0.9 |g . d| (Nocedal and Wright, "Numerical
/// optimization", 2006, algorithms 3.5 and 3.6, with cubic interpolation).
/// Memory: about 2 history_size times that of the parameters.
class GRADUS_API LBFGS final : public Optimizer {
 public:
  using Options = LBFGSOptions;
  using State = LBFGSParamState;
  /// ValueError for more groups than one, and for parameters of several dtypes.
  explicit LBFGS(std::vector<OptimizerParamGroup> groups, const LBFGSOptions& defaults = {});
  explicit LBFGS(std::vector<Tensor> params, const LBFGSOptions& defaults = {});

  /// Up to max_iter iterations, with as many calls of the closure as they need, which must forget the gradients, compute
  /// the loss and call backward(). Returns the first call's loss. ValueError without a closure. A parameter without
  /// gradient has one of zeros. What the closure throws leaves the parameters and the state as they were before the step.
  Tensor step(LossClosure closure) override;

  using Optimizer::state;
  /// The state, for any of the parameters; null before the first step.
  const State* state(const Tensor& parameter) const;

 private:
  class Run;
  std::unique_ptr<OptimizerParamState> make_state(const OptimizerParamState* from) const override;
  void check_parameter(const Tensor& parameter) const override;
  void append_state(NamedState& to, const std::string& prefix, const OptimizerParamState& state,
                    const OptimizerOptions& options, const Tensor& w) const override;
  std::unique_ptr<OptimizerParamState> load_state(detail::StateReader& reader, const std::string& prefix,
                                                  const OptimizerOptions& options, const Tensor& w) const override;
  std::int64_t elements() const;
};

}  // namespace gradus::optim
