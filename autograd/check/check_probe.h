// A function under check, and copies of its inputs to work on (internal to the checks).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../../core/ops/random.h"
#include "check_layouts.h"
#include "gradcheck.h"

namespace gradus::autograd::detail {

/// Copies of a function's arguments, laid out as they are, which it must leave alone. Errors are GradErrors that begin
/// with `op`.
class Arguments {
 public:
  explicit Arguments(const char* op) : op_(op) {}
  void add(const core::Array& x, std::string name);  ///< undefined: an absent one
  const std::vector<core::Array>& copies() const { return x_; }
  const core::Array& original(std::size_t i) const { return before_[i]; }  ///< contiguous; given to nobody

  /// How often the memory of some arrays in the arguments' places has been written to; fails when that has changed.
  static std::vector<std::uint64_t> writes(const std::vector<core::Array>& at);
  void expect_unwritten(const std::vector<core::Array>& at, const std::vector<std::uint64_t>& writes) const;
  /// Whether the copies have the numbers that they had, also where writes don't count (through data_ptr).
  void expect_untouched() const;
  /// The same for another copy of one.
  void expect_same(std::size_t i, const core::Array& now) const;

 private:
  const char* op_;
  std::vector<core::Array> x_, before_;
  std::vector<std::string> names_;
};

/// Evaluates a function, differentiates it, and sees to it that it keeps its hands off its arguments.
class Probe {
 public:
  /// ValueError unless inputs that require grad are float64.
  Probe(const char* op, const TensorFunction& f, const std::vector<Tensor>& given);

  /// One call: fresh leaves, and the floating-point outputs, which alone have gradients.
  struct Call {
    std::vector<Tensor> x, y;
  };
  Call call(const std::vector<core::Array>& at) const;
  Call call() const { return call(inputs()); }

  /// The gradients of y with respect to `wanted()`, zeros where there are none; an undefined dy is absent.
  std::vector<core::Array> gradients(const Call& call, const std::vector<core::Array>& dy,
                                     bool create_graph = false) const;

  void expect_untouched() const { x_.expect_untouched(); }
  /// Calls twice, with the same upstream gradients: the same bits, or GradError, which tells the cure.
  void expect_no_noise(const std::vector<core::Array>& dy) const;

  /// (f(x + eps d) - f(x - eps d)) / 2 eps, all outputs end to end; d is `sign[j]` at element j of input i, for j =
  /// `first`, first + every, ...; 0 elsewhere.
  Numbers difference(std::size_t i, std::int64_t first, std::int64_t every, const Numbers& sign, double eps);

  const char* op() const { return op_; }
  const std::vector<core::Array>& inputs() const { return x_.copies(); }
  const std::vector<std::size_t>& wanted() const { return wanted_; }  ///< those that require grad

 private:
  void expect_shapes(bool same) const;

  const char* op_;
  const TensorFunction& f_;
  Arguments x_;
  std::vector<std::size_t> wanted_;
  std::size_t moving_ = ~std::size_t{0};  // the input that `difference` moves, and its copy
  core::Array moved_;
};

}  // namespace gradus::autograd::detail
