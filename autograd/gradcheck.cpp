#include "gradcheck.h"

#include <cmath>

#include "../core/create.h"
#include "../core/fail.h"
#include "../core/matmul.h"
#include "../core/pointwise.h"
#include "../core/random.h"
#include "../core/reduce.h"
#include "engine.h"
#include "grad_mode.h"

namespace gradus::autograd {

using core::Array;

namespace {

// The floating-point outputs, which alone have gradients.
std::vector<Tensor> smooth_outputs(const Function& f, const std::vector<Tensor>& inputs) {
  std::vector<Tensor> smooth;
  for (Tensor& y : f(inputs)) {
    if (y.defined() && y.is_floating_point()) smooth.push_back(std::move(y));
  }
  return smooth;
}

// All outputs end to end, float64.
Array flattened(const std::vector<Tensor>& outputs) {
  std::int64_t n = 0;
  for (const Tensor& y : outputs) n += y.numel();
  const Array all = core::empty({n}, kFloat64);
  std::int64_t at = 0;
  for (const Tensor& y : outputs) {
    all.narrow(0, at, y.numel()).copy_(y.array().reshape({y.numel()}));
    at += y.numel();
  }
  return all;
}

// Fresh leaves with the same numbers, so that a check leaves the caller's `.grad` and history alone. Each keeps its
// layout: a transposed input is checked transposed.
std::vector<Tensor> own_leaves(const std::vector<Tensor>& inputs) {
  std::vector<Tensor> leaves;
  for (const Tensor& x : inputs) {
    if (!x.defined()) {
      leaves.emplace_back();
      continue;
    }
    Tensor leaf = x.detach();
    if (x.requires_grad()) {
      if (x.dtype() != kFloat64) {
        core::fail<ValueError>(
            "gradcheck: inputs that require grad must be float64 (finite differences need its digits): {}", x.dtype());
      }
      leaf.requires_grad_();
    }
    leaves.push_back(leaf);
  }
  return leaves;
}

// The input replaced by a dense copy with one direction added.
std::vector<Tensor> moved(const std::vector<Tensor>& inputs, std::size_t i, const Array& direction, double step) {
  std::vector<Tensor> result = inputs;
  result[i] = Tensor(core::add_scaled(inputs[i].array(), direction, step));
  if (inputs[i].requires_grad()) result[i].requires_grad_();
  return result;
}

Array difference(const Function& f, const std::vector<Tensor>& inputs, std::size_t i, const Array& direction,
                 double eps) {
  // Not under NoGradGuard: f may differentiate inside (gradgradcheck's does).
  const Array up = flattened(smooth_outputs(f, moved(inputs, i, direction, eps)));
  const Array down = flattened(smooth_outputs(f, moved(inputs, i, direction, -eps)));
  return (up - down) / (2 * eps);
}

// Analytic rows: the gradient of each output element in turn with respect to every input that requires grad.
std::vector<Tensor> vjp(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs, const Array& dy) {
  std::vector<Tensor> from, gradients, wanted;
  std::int64_t at = 0;
  for (const Tensor& y : outputs) {
    if (y.requires_grad()) {
      from.push_back(y);
      // A copy: the caller writes the next dy into the same memory, and a gradient may be an alias of this one.
      gradients.emplace_back(dy.narrow(0, at, y.numel()).reshape(y.sizes()).clone().to(y.dtype()));
    }
    at += y.numel();
  }
  for (const Tensor& x : inputs) {
    if (x.defined() && x.requires_grad()) wanted.push_back(x);
  }
  std::vector<Tensor> results(wanted.size());
  if (!from.empty()) results = grad(from, wanted, gradients, true, false, true);
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!results[i].defined()) results[i] = Tensor(core::zeros(wanted[i].sizes(), kFloat64));
  }
  return results;
}

void compare(double analytic, double numerical, const GradcheckOptions& o, std::size_t input,
             const std::string& where) {
  if (std::abs(analytic - numerical) <= o.atol + o.rtol * std::abs(numerical)) return;
  core::fail<GradError>(
      "gradcheck: the gradient of {} with respect to input {} disagrees: analytic {:.10g}, finite "
      "difference {:.10g}",
      where, input, analytic, numerical);
}

}  // namespace

Array numerical_jacobian(const Function& f, const std::vector<Tensor>& inputs, std::size_t i, double eps) {
  const Array& x = inputs[i].array();
  const std::int64_t n = x.numel();
  const Array direction = core::zeros(x.shape(), kFloat64);
  const Array flat = direction.view({n});
  Array jacobian;
  for (std::int64_t k = 0; k < n; ++k) {
    flat.select(0, k).fill_(1);
    const Array row = difference(f, inputs, i, direction, eps);
    flat.select(0, k).fill_(0);
    if (!jacobian.defined()) jacobian = core::empty({n, row.numel()}, kFloat64);
    jacobian.select(0, k).copy_(row);
  }
  if (!jacobian.defined()) jacobian = core::empty({0, flattened(smooth_outputs(f, inputs)).numel()}, kFloat64);
  return jacobian;
}

namespace {

// What would pass because nothing was checked.
void must_have_something_to_check(const char* op, const Function& f, const std::vector<Tensor>& inputs) {
  const bool wanted =
      std::any_of(inputs.begin(), inputs.end(), [](const Tensor& x) { return x.defined() && x.requires_grad(); });
  if (!wanted) {
    core::fail<ValueError>("{}: at least one input must require grad: none of {} does; requires_grad_() asks for it",
                           op, inputs.size());
  }
  if (smooth_outputs(f, inputs).empty()) {
    core::fail<ValueError>("{}: the function must return at least one defined floating-point tensor", op);
  }
}

bool run_gradcheck(const Function& f, const std::vector<Tensor>& given, const GradcheckOptions& options) {
  const std::vector<Tensor> inputs = own_leaves(given);
  const std::vector<Tensor> outputs = smooth_outputs(f, inputs);
  std::int64_t n_out = 0;
  for (const Tensor& y : outputs) n_out += y.numel();
  std::size_t wanted = 0;  // counts the inputs that require grad
  core::Generator random(options.seed);
  const auto draw = [&](IntArrayRef shape) {
    return core::randn(shape, kFloat64, random.take(core::words_of(shape, kFloat64)));
  };
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].defined() || !inputs[i].requires_grad()) continue;
    const std::int64_t n_in = inputs[i].numel();
    if (n_in * n_out <= options.whole_jacobian) {
      const Array numerical = numerical_jacobian(f, inputs, i, options.eps);
      const Array one_hot = core::zeros({n_out}, kFloat64);
      for (std::int64_t k = 0; k < n_out; ++k) {
        one_hot.select(0, k).fill_(1);
        const Array row = vjp(outputs, inputs, one_hot)[wanted].array().reshape({n_in});
        one_hot.select(0, k).fill_(0);
        for (std::int64_t j = 0; j < n_in; ++j) {
          compare(row.select(0, j).item<double>(), numerical.select(0, j).select(0, k).item<double>(), options, i,
                  fmt::format("output element {} (flat index {} of the input)", k, j));
        }
      }
    } else {
      const Array u = draw({n_out}), v = draw(inputs[i].sizes());
      const Array row = vjp(outputs, inputs, u)[wanted].array();
      const double analytic = core::sum(row * v).item<double>();
      const double numerical = core::sum(difference(f, inputs, i, v, options.eps) * u).item<double>();
      compare(analytic, numerical, options, i, "a random projection of the outputs");
    }
    ++wanted;
  }
  return true;
}

}  // namespace

bool gradcheck(const Function& f, const std::vector<Tensor>& given, const GradcheckOptions& options) {
  const AutoGradMode recording(true);
  must_have_something_to_check("gradcheck", f, own_leaves(given));
  return run_gradcheck(f, given, options);
}

bool gradgradcheck(const Function& f, const std::vector<Tensor>& given, const GradcheckOptions& options) {
  const AutoGradMode recording(true);
  must_have_something_to_check("gradgradcheck", f, own_leaves(given));
  const std::vector<Tensor> inputs = own_leaves(given);
  core::Generator random(options.seed + 1);
  std::vector<Tensor> all = inputs;
  for (const Tensor& y : smooth_outputs(f, inputs)) {
    const Array u = core::randn(y.sizes(), kFloat64, random.take(core::words_of(y.sizes(), kFloat64)));
    all.push_back(Tensor(u));
    all.back().requires_grad_();
  }
  const std::size_t n = inputs.size();
  const Function gradient = [&f, n](const std::vector<Tensor>& at) {
    const std::vector<Tensor> x(at.begin(), at.begin() + static_cast<std::ptrdiff_t>(n));
    std::vector<Tensor> from, dy, wanted;
    std::size_t k = n;
    for (const Tensor& y : smooth_outputs(f, x)) {
      if (y.requires_grad()) {
        from.push_back(y);
        dy.push_back(at[k]);
      }
      ++k;
    }
    for (const Tensor& t : x) {
      if (t.defined() && t.requires_grad()) wanted.push_back(t);
    }
    std::vector<Tensor> dx;
    for (Tensor& g : grad(from, wanted, dy, true, true, true)) {
      if (g.defined()) dx.push_back(std::move(g));
    }
    return dx;
  };
  return run_gradcheck(gradient, all, options);
}

}  // namespace gradus::autograd
