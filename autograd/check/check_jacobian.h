// The Jacobian of a function against central differences (internal to gradcheck).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "check_probe.h"
#include "gradcheck.h"

namespace gradus::autograd::detail {

/// Compares entry by entry, or block by block where there are too many. The outputs' elements are counted end to end.
class JacobianCheck {
 public:
  /// The first `given` inputs are the user's, the others upstream gradients.
  JacobianCheck(Probe& probe, const Probe::Call& call, std::size_t given, const GradcheckOptions& options);
  /// GradError names the entry that is wrong.
  void run();
  /// "input 0", or "dy 0"
  std::string input_name(std::size_t i) const;
  /// Outputs that require grad.
  const std::vector<std::size_t>& differentiable() const { return differentiable_; }

 private:
  std::string element_name(std::int64_t k) const;
  bool close(double analytic, double numerical) const;
  [[noreturn]] void fail(std::size_t input, const std::string& where, double analytic, double numerical,
                         const std::string& hint) const;
  std::vector<core::Array> upstream(std::int64_t first, const Numbers& weights, bool absent) const;
  std::vector<core::Array> row(std::int64_t first, const Numbers& weights) const;
  std::string hint_of_absence(std::size_t w, std::int64_t k, std::int64_t j, double numerical) const;
  const Numbers& ones(std::int64_t j);
  void compare_entry(std::size_t w, std::int64_t j, std::int64_t k, double analytic, double numerical) const;
  void by_blocks(std::size_t w);
  void find_entry(std::size_t w, std::int64_t j, std::int64_t every, std::int64_t from, std::int64_t to,
                  const Numbers& v, const Numbers& u);

  Probe& probe_;
  const Probe::Call& call_;
  const std::size_t given_;
  const GradcheckOptions& options_;
  std::vector<std::int64_t> starts_;  // of each output
  std::vector<std::size_t> differentiable_;
  std::int64_t n_out_ = 0;
  Numbers ones_;
};

}  // namespace gradus::autograd::detail
