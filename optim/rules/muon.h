// Muon.
#pragma once

#include <optional>
#include <string>
#include <tuple>

#include "../optimizer.h"

namespace gradus::optim {

class GRADUS_API MuonOptions final : public OptimizerCloneableOptions<MuonOptions> {
 public:
  using Triple = std::tuple<double, double, double>;

 private:
  GRADUS_ARG(double, lr) = 1e-3;
  GRADUS_ARG(double, weight_decay) = 0.1;
  GRADUS_ARG(double, momentum) = 0.95;
  GRADUS_ARG(bool, nesterov) = true;
  GRADUS_ARG(Triple, ns_coefficients) = Triple(3.4445, -4.7750, 2.0315);
  GRADUS_ARG(double, eps) = 1e-7;
  GRADUS_ARG(std::int64_t, ns_steps) = 5;
  /// "original", which is also what none means, "match_rms_adamw" or "spectral_unclamped".
  GRADUS_ARG(std::optional<std::string>, adjust_lr_fn);
  GRADUS_ARG(bool, maximize) = false;

 public:
  MuonOptions(double lr = 1e-3);  // NOLINT(google-explicit-constructor)
  ~MuonOptions() override;
  void check() const override;
  std::vector<Field> named_fields() override;
};

class GRADUS_API MuonParamState final : public OptimizerCloneableParamState<MuonParamState> {
  GRADUS_ARG(Tensor, momentum_buffer);  ///< b

 public:
  std::vector<Field> named_fields() override;
};

/// Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024; PyTorch's form, for matrices only. With
/// gradient g of parameter w of shape [A, B]:
///   b <- momentum b + (1 - momentum) g,   u = b       (Nesterov: u = momentum b + (1 - momentum) g)
///   X = u / max(|u|, eps)                              (the Frobenius norm; transposed where A > B)
///   ns_steps times, (a, b, c) the ns_coefficients:   G = X X^T,   X <- a X + (b G + c G^2) X
///   w <- w (1 - lr weight_decay) - lr s X
/// s is sqrt(max(1, A / B)); by adjust_lr_fn 0.2 sqrt(max(A, B)), or sqrt(A / B). Singular values of X end near 1. As
/// PyTorch's, X and each product are rounded to bfloat16; products are summed in float32. The time goes into products of
/// matrices: there is no other kernel, and a step asks for memory as it goes.
struct MuonRule {
  static constexpr const char* name = "Muon";
  using Options = MuonOptions;
  using State = MuonParamState;
  /// ValueError unless it is a matrix.
  GRADUS_API static void expect(const Tensor& parameter);
  GRADUS_API static void prepare(State& s, const Options& o, const Tensor& w);
  GRADUS_API static void step(State& s, const Options& o, const Tensor& w, const Tensor& g);
  GRADUS_API static Tensor reference(State& s, const Options& o, const Tensor& w, const Tensor& g);
};

extern template class GRADUS_API OptimizerOf<MuonRule>;
/// See MuonRule for the formula.
class GRADUS_API Muon final : public OptimizerOf<MuonRule> {
 public:
  using OptimizerOf::OptimizerOf;
  ~Muon() override;
};

}  // namespace gradus::optim
