// The comparison of other layouts of the variables, and of other choices of those that require a gradient.
#include <algorithm>
#include <cmath>
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

void Comparison::alone() {
  if (report_.formulas_only || checked_.size() < 2) return;  // a formula is asked for one gradient anyway
  const std::vector<Tensor> dy = constants(upstreams_[0].dy);
  const std::vector<Tensor> together = leaves();
  const std::vector<Tensor> all = gradients(call(subject_.hand, together), of_checked(together), dy, false);
  for (std::size_t k = 0; k < checked_.size(); ++k) {
    const std::size_t i = checked_[k];
    const auto fails = [&](const std::string& what) {
      failed(
          full_name(subject_.variables[i].name, x_[i]), 1, upstreams_[0].name,
          fmt::format("where no other input requires a gradient, {}: does backward ask needs[i] for the gradient that "
                      "it computes, and for no other one?",
                      what));
    };
    std::vector<Tensor> x = leaves(~std::size_t{0}, {}, false);
    x[i].requires_grad_();
    try {
      const Numbers here = numbers_of(gradients(call(subject_.hand, x), {x[i]}, dy, false)[0].array());
      const Numbers there = numbers_of(all[k].array());
      double size = 0;
      for (const double v : there) size = std::max(size, std::abs(v));
      // Another way to it may round otherwise; NaN is no way to anything.
      const auto alike = [&](double a, double b) { return std::abs(a - b) <= 1e-9 * size; };
      if (!std::equal(here.begin(), here.end(), there.begin(), there.end(), alike))
        fails("its gradient is another one, or undefined");
    } catch (const std::exception& error) {
      fails(error.what());
    }
  }
}

}  // namespace gradus::autograd::detail
