// One run of the checks' engine (internal to the checks): what it compares, by what, and what it has found so far.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "../../core/base/function_ref.h"
#include "../../core/ops/random.h"
#include "check_differences.h"
#include "check_engine.h"
#include "check_probe.h"

namespace gradus::autograd::detail {

/// A variable's name with its shape.
std::string full_name(const std::string& name, const core::Array& x);

/// check_comparison.cpp: values and first order; check_comparison_second.cpp: second order;
/// check_comparison_layouts.cpp: other layouts; check_conduct.cpp: the conduct of an operation.
class Comparison {
 public:
  Comparison(const CheckSubject& subject, const CheckOptions& options);
  ~Comparison() { core::default_generator().set_position(start_); }
  Comparison(const Comparison&) = delete;
  Comparison& operator=(const Comparison&) = delete;

  CheckReport run();

 private:
  /// Rows by variable, in the order that they came up, the first order before the second.
  std::pair<std::size_t, int> place(const CheckRow& row) const;
  void add(CheckRow row);
  void failed(const std::string& variable, int order, const std::string& upstream, std::string why);

  std::string output_name(std::size_t k) const;

  const TensorFunction& graph() const { return report_.formulas_only ? subject_.hand : subject_.graph; }
  /// The variables as leaves; variable i, where one is given, at another value.
  std::vector<Tensor> leaves(std::size_t i = ~std::size_t{0}, const core::Array& value = {}, bool record = true) const;
  std::vector<Tensor> leaves(const std::vector<core::Array>& at, bool record) const;
  /// The function's floating outputs, its random numbers the same each time.
  std::vector<Tensor> call(const TensorFunction& f, const std::vector<Tensor>& x) const;

  [[noreturn]] void fail_noise(const char* what) const;
  std::vector<Tensor> of_checked(const std::vector<Tensor>& x) const;
  void gradients_must_be_the_same_each_time() const;

  /// Whether there is more than one way to a gradient.
  void look_for_rules();
  void must_be_checkable();
  /// The forward by the rules and by the references; whether there is more to compare.
  bool compare_values(const std::vector<Tensor>& composed);
  void draw_directions();

  /// d(y . dy)/d(wanted), zeros where y does not depend on one.
  static std::vector<Tensor> gradients(const std::vector<Tensor>& y, const std::vector<Tensor>& wanted,
                                       const std::vector<Tensor>& dy, bool create_graph);
  static std::vector<Tensor> constants(const std::vector<core::Array>& arrays);
  Mentions mentions(std::vector<NamedArray> terms = {}) const;

  Sweep first_order_sweep(std::size_t i);

  /// Each variable alone, so that an error is laid at the right door.
  void first_order(const std::vector<Tensor>& composed);
  static bool is_absent(const Upstream& upstream);
  std::vector<NamedArray> terms(std::size_t i, std::size_t u) const;

  /// The gradients of v . gradient with respect to the variables and to dy; and those first gradients as recorded.
  struct Second {
    std::vector<Tensor> first, second;
  };
  Second differentiate_twice(const TensorFunction& f, const Upstream& upstream) const;
  /// The hand-written gradients of all trusted variables, where variable i has another value.
  Numbers hand_gradients(std::size_t i, const core::Array& value, const std::vector<Tensor>& dy) const;

  void second_order();
  void compare_second(const Upstream& upstream, const Second& hand, const Second& graph, const Numbers& v);
  /// First-order gradients as create_graph gives them.
  void compare_recorded(const Second& hand, const Second& graph);

  /// Each variable laid out in another way: the same values and gradients by hand.
  void layouts();
  /// Each variable as the only one that requires a gradient: the same one.
  void alone();

  /// Of an operation: see check_conduct.cpp. Each says what is wrong.
  void keeps_state();
  void conduct();
  Outcome outcome_of(const std::vector<core::Array>& at, core::FunctionRef<void()> between) const;
  void leaks(core::FunctionRef<void(std::string)> misconduct) const;
  void empty_inputs(core::FunctionRef<void(std::string)> misconduct);
  void changes_in_place(core::FunctionRef<void(std::string)> misconduct);
  void tangents(core::FunctionRef<void(std::string)> misconduct);

  const CheckSubject& subject_;
  const CheckOptions& options_;
  core::Generator random_;
  const core::RandomPosition start_;
  CheckReport report_;
  std::vector<std::string> names_;

  Arguments arguments_{"check"};
  std::vector<core::Array> x_;  // arguments_' copies
  std::vector<std::size_t> checked_, trusted_;
  std::vector<Tensor> y_, leaves_graph_;
  Numbers y0_;
  std::vector<Upstream> upstreams_;
  std::vector<Numbers> weights_;  // the upstream gradients, all outputs end to end
  std::vector<core::Array> v_;    // what a variable's gradient is multiplied with before it is differentiated again
  std::vector<NamedArray> tensors_;
  std::vector<NamedNumber> numbers_;
  std::string shared_;  // operations whose formulas both hand and graph use
};

}  // namespace gradus::autograd::detail
