// The comparison of other layouts of the variables.
#include <exception>
#include <limits>

#include "../../core/base/fail.h"
#include "check_comparison.h"

namespace gradus::autograd::detail {

using core::Array;

// Each variable laid out in another way: the same values and gradients by hand.
void Comparison::layouts() {
  const auto evaluate = [this](const std::vector<Array>& at) {
    Outcome outcome;
    const std::vector<Tensor> x = leaves(at, true);
    std::vector<Tensor> y, dy;
    try {
      y = call(subject_.hand, x);
    } catch (const std::exception& error) {
      outcome.refused = error.what();
      return outcome;
    }
    core::Generator random(options_.seed);
    for (const Tensor& t : y) {
      outcome.values.push_back(numbers_of(t.array()));
      dy.emplace_back(draw_normal(t.sizes(), random));
    }
    for (const Tensor& dx : gradients(y, of_checked(x), dy, false)) outcome.gradients.push_back(numbers_of(dx.array()));
    return outcome;
  };
  try {
    for (const LayoutFault& fault : layout_faults(x_, evaluate, report_.notes)) {
      const Apart& at = fault.at;
      CheckRow row;
      row.variable = full_name(subject_.variables[fault.input].name, x_[fault.input]);
      row.order = at.gradient ? 1 : 0;
      row.upstream = "-";
      row.hand_graph = row.hand_finite = std::numeric_limits<double>::quiet_NaN();
      row.verdict = Verdict::Layout;
      row.hint = fmt::format(
          "where it is laid out {}, element {} of {} is {:.6g}, and {:.6g} for the same numbers laid out {}: is "
          "memory read as if it were?",
          fault.layout, at.element,
          at.gradient ? "the gradient of " + subject_.variables[checked_[at.tensor]].name : output_name(at.tensor),
          at.a, at.b, fault.layout == "expanded" ? "contiguously" : "as given");
      add(std::move(row));
    }
  } catch (const Error& error) {
    failed("layouts", 1, "-", error.what());
  }
}

}  // namespace gradus::autograd::detail
