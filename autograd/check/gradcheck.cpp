#include "gradcheck.h"

#include <algorithm>
#include <optional>

#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "../../core/ops/pointwise.h"
#include "../../core/ops/random.h"
#include "check_jacobian.h"
#include "../graph/engine.h"
#include "../graph/grad_mode.h"

namespace gradus::autograd {

using core::Array;
using detail::Numbers;
using detail::numbers_of;
using detail::Probe;

namespace {

// Random numbers for each output, as upstream gradients: the same for the same shapes.
std::vector<Array> draw_upstream(const std::vector<Tensor>& y, std::uint64_t seed) {
  core::Generator random(seed);
  std::vector<Array> dy;
  for (const Tensor& t : y) {
    dy.push_back(core::randn(t.sizes(), kFloat64, random.take(core::words_of(t.sizes(), kFloat64))));
  }
  return dy;
}

// The proofs of one function, in the order in which they are made.
class Gradcheck {
 public:
  // `given`: how many of the inputs the user gave; the others are upstream gradients.
  Gradcheck(const char* op, const TensorFunction& f, const std::vector<Tensor>& inputs, std::size_t given,
            const GradcheckOptions& options)
      : probe_(op, f, inputs), given_(given), options_(options) {}

  bool run() {
    call_ = probe_.call();
    probe_.expect_untouched();
    jacobian_.emplace(probe_, call_, given_, options_);
    dy_ = draw_upstream(call_.y, options_.seed);
    probe_.expect_no_noise(dy_);
    if (options_.layouts) {
      layouts_of_inputs();
      layouts_of_upstream();
    }
    jacobian_->run();
    several_outputs();
    probe_.expect_untouched();
    return true;
  }

  const Probe& probe() const { return probe_; }

 private:
  static std::vector<Numbers> all_numbers(const std::vector<Array>& arrays) {
    std::vector<Numbers> all;
    for (const Array& a : arrays) all.push_back(numbers_of(a));
    return all;
  }
  void expect_gradients(const std::vector<Array>& found, const std::vector<Array>& expected,
                        const std::string& what) const {
    const detail::Apart apart = detail::farthest({"", {}, all_numbers(found)}, {"", {}, all_numbers(expected)});
    if (apart.factor <= 1) return;
    core::fail<GradError>("{}: the gradient with respect to {}, element {}, is {:.10g} {}, {:.10g}", probe_.op(),
                          jacobian_->input_name(probe_.wanted()[apart.tensor]), apart.element, apart.a, what, apart.b);
  }

  // Gradients for several outputs are the sums of what each gives alone, which the Jacobian has proven.
  void several_outputs() const {
    const std::vector<std::size_t>& differentiable = jacobian_->differentiable();
    const std::size_t n = differentiable.size();
    if (n < 2) return;
    std::vector<std::vector<Array>> alone;
    const auto some = [&](const std::vector<bool>& taken) {
      std::vector<Array> dy(dy_.size());
      for (std::size_t m = 0; m < n; ++m) {
        if (taken[m]) dy[differentiable[m]] = dy_[differentiable[m]];
      }
      return probe_.gradients(call_, dy);
    };
    for (std::size_t m = 0; m < n; ++m) {
      std::vector<bool> one(n, false);
      one[m] = true;
      alone.push_back(some(one));
    }
    // All of them, and all but one.
    for (std::size_t left_out = n == 2 ? n : 0; left_out <= n; ++left_out) {
      std::vector<bool> taken(n, true);
      if (left_out < n) taken[left_out] = false;
      std::vector<Array> sum;
      for (std::size_t m = 0; m < n; ++m) {
        for (std::size_t w = 0; w < alone[m].size() && taken[m]; ++w) {
          if (sum.size() <= w)
            sum.push_back(alone[m][w]);
          else
            sum[w] = sum[w] + alone[m][w];
        }
      }
      expect_gradients(some(taken), sum,
                       (left_out < n ? fmt::format("when all outputs but {} get a gradient", differentiable[left_out])
                                     : std::string("when all outputs get a gradient")) +
                           ": it must be the sum of what they give one at a time");
    }
  }

  void layouts_of_upstream() const {
    std::vector<Array> other, wide, plain;
    std::int64_t dims = 0;
    for (const Array& u : dy_) {
      dims = std::max<std::int64_t>(dims, u.dim());
      other.push_back(detail::transposed(u));
      wide.push_back(detail::expanded(u));
      if (!wide.back().defined()) wide.back() = u;
      plain.push_back(wide.back().clone());
    }
    if (dims == 0) return;
    const char* said =
        "for an upstream gradient that is {}, and for the same numbers laid out contiguously (does a "
        "formula read memory as if it were?)";
    expect_gradients(probe_.gradients(call_, other), probe_.gradients(call_, dy_),
                     fmt::format(fmt::runtime(said), detail::transposed_name(dims)));
    expect_gradients(probe_.gradients(call_, wide), probe_.gradients(call_, plain),
                     fmt::format(fmt::runtime(said), "expanded"));
  }

  void layouts_of_inputs() const {
    const auto evaluate = [this](const std::vector<Array>& at) {
      detail::Outcome outcome;
      Probe::Call call;
      try {
        call = probe_.call(at);
      } catch (const std::exception& error) {
        outcome.refused = error.what();
        return outcome;
      }
      for (const Tensor& y : call.y) outcome.values.push_back(numbers_of(y.array()));
      outcome.gradients = all_numbers(probe_.gradients(call, draw_upstream(call.y, options_.seed)));
      return outcome;
    };
    std::vector<std::string> notes;
    const std::vector<detail::LayoutFault> faults = detail::layout_faults(probe_.inputs(), evaluate, notes);
    if (options_.notes != nullptr) options_.notes->insert(options_.notes->end(), notes.begin(), notes.end());
    if (faults.empty()) return;
    const auto& [input, layout, at] = faults[0];
    core::fail<GradError>(
        "{}: element {} of {} is {:.10g} where {} is {}, and {:.10g} for the same numbers laid out {}: does {} read "
        "memory as if it were? If it depends on the layout by design, set GradcheckOptions::layouts to false",
        probe_.op(), at.element,
        at.gradient ? fmt::format("the gradient with respect to {}", jacobian_->input_name(probe_.wanted()[at.tensor]))
                    : fmt::format("output {}", at.tensor),
        at.a, jacobian_->input_name(input), layout, at.b, layout == "expanded" ? "contiguously" : "as given",
        at.gradient ? "a formula" : "the forward");
  }

  Probe probe_;
  const std::size_t given_;
  const GradcheckOptions& options_;
  Probe::Call call_;
  std::optional<detail::JacobianCheck> jacobian_;
  std::vector<Array> dy_;
};

// What would pass because nothing was checked.
void must_have_something_to_check(const char* op, const Probe& probe, const std::vector<Tensor>& y, bool allow_empty) {
  if (probe.wanted().empty()) {
    core::fail<ValueError>("{}: at least one input must require grad: none of {} does; requires_grad_() asks for it",
                           op, probe.inputs().size());
  }
  if (y.empty()) {
    core::fail<ValueError>("{}: the function must return at least one defined floating-point tensor", op);
  }
  const auto empty = [](const auto& x) { return x.numel() == 0; };
  const bool inputs = std::all_of(probe.wanted().begin(), probe.wanted().end(),
                                  [&](std::size_t i) { return empty(probe.inputs()[i]); });
  if (!allow_empty && (inputs || std::all_of(y.begin(), y.end(), empty))) {
    core::fail<ValueError>(
        "{}: there must be something to check: all {} have no elements; where that is meant, set "
        "GradcheckOptions::allow_empty",
        op, inputs ? "inputs that require grad" : "outputs");
  }
}

}  // namespace

Array numerical_jacobian(const TensorFunction& f, const std::vector<Tensor>& inputs, std::size_t i, double eps) {
  const AutoGradMode recording(true);
  Probe probe("numerical_jacobian", f, inputs);
  if (i >= inputs.size() || !inputs[i].defined() || inputs[i].dtype() != kFloat64) {
    core::fail<ValueError>("numerical_jacobian: the input must be a float64 tensor: input {} of {}", i, inputs.size());
  }
  const std::int64_t n = inputs[i].numel();
  const Numbers ones(static_cast<std::size_t>(n), 1);
  Array jacobian;
  for (std::int64_t k = 0; k < n; ++k) {
    const Numbers row = probe.difference(i, k, n, ones, eps);
    const auto size = static_cast<std::int64_t>(row.size());
    if (!jacobian.defined()) jacobian = core::empty({n, size}, kFloat64);
    std::copy(row.begin(), row.end(), jacobian.data_ptr<double>() + k * size);
  }
  if (!jacobian.defined()) {
    jacobian = core::empty({0, static_cast<std::int64_t>(numbers_of(probe.call().y).size())}, kFloat64);
  }
  probe.expect_untouched();
  return jacobian;
}

bool gradcheck(const TensorFunction& f, const std::vector<Tensor>& given, const GradcheckOptions& options) {
  const AutoGradMode recording(true);
  Gradcheck check("gradcheck", f, given, given.size(), options);
  must_have_something_to_check("gradcheck", check.probe(), check.probe().call().y, options.allow_empty);
  return check.run();
}

namespace {

// The product for gradients of all outputs, and of each alone, recorded and not.
void expect_same_when_recorded(const Probe& probe, const Probe::Call& call, const std::vector<Array>& dy) {
  for (std::size_t alone = dy.size() > 1 ? 0 : dy.size(); alone <= dy.size(); ++alone) {
    std::vector<Array> some = dy;
    for (std::size_t k = 0; k < dy.size() && alone < dy.size(); ++k) {
      if (k != alone) some[k] = Array();
    }
    const auto numbers = [&](bool create_graph) {
      detail::Outcome outcome;
      for (const Array& dx : probe.gradients(call, some, create_graph)) outcome.gradients.push_back(numbers_of(dx));
      return outcome;
    };
    const detail::Apart apart = detail::farthest(numbers(true), numbers(false));
    if (apart.factor <= 1) continue;
    core::fail<GradError>(
        "gradgradcheck: the gradient with respect to input {}, element {}, must be the same under create_graph: "
        "{:.10g} for {:.10g}{}",
        probe.wanted()[apart.tensor], apart.element, apart.a, apart.b,
        alone < dy.size() ? fmt::format(", with a gradient for output {} only", alone) : "");
  }
}

}  // namespace

bool gradgradcheck(const TensorFunction& f, const std::vector<Tensor>& given, const GradcheckOptions& options) {
  const AutoGradMode recording(true);
  const Probe probe("gradgradcheck", f, given);
  const Probe::Call call = probe.call();
  must_have_something_to_check("gradgradcheck", probe, call.y, options.allow_empty);
  const std::vector<Array> dy = draw_upstream(call.y, options.seed + 1);
  expect_same_when_recorded(probe, call, dy);
  std::vector<Tensor> all = given;
  for (const Array& u : dy) {
    all.emplace_back(u);
    all.back().requires_grad_();
  }
  const std::size_t n = given.size();
  const TensorFunction gradient = [&f, n](const std::vector<Tensor>& at) {
    const std::vector<Tensor> x(at.begin(), at.begin() + static_cast<std::ptrdiff_t>(n));
    std::vector<Tensor> from, dy_of, wanted;
    std::size_t k = n;
    for (const Tensor& y : f(x)) {
      if (!y.defined() || !y.is_floating_point()) continue;
      if (y.requires_grad()) {
        from.push_back(y);
        dy_of.push_back(at[k]);
      }
      ++k;
    }
    for (const Tensor& t : x) {
      if (t.defined() && t.requires_grad()) wanted.push_back(t);
    }
    std::vector<Tensor> dx;
    if (from.empty()) return dx;
    for (Tensor& g : grad(from, wanted, dy_of, true, true, true)) {
      if (g.defined()) dx.push_back(std::move(g));
    }
    return dx;
  };
  return Gradcheck("gradgradcheck", gradient, all, n, options).run();
}

}  // namespace gradus::autograd
