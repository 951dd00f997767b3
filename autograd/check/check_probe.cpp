#include "check_probe.h"

#include <algorithm>

#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "../graph/engine.h"

namespace gradus::autograd::detail {

using core::Array;

void Arguments::add(const Array& x, std::string name) {
  names_.push_back(std::move(name));
  x_.push_back(x.defined() ? copy_as_laid_out(x) : Array());
  before_.push_back(x.defined() ? x.clone() : Array());
}

std::vector<std::uint64_t> Arguments::writes(const std::vector<Array>& at) {
  std::vector<std::uint64_t> counts;
  for (const Array& x : at) counts.push_back(x.defined() ? x.storage()->write_count() : 0);
  return counts;
}

void Arguments::expect_same(std::size_t i, const Array& now) const {
  const std::int64_t at = first_changed(now, before_[i]);
  if (at < 0) return;
  const auto element = [&](const Array& x) {
    return x.contiguous().view({x.numel()}).select(0, at).to(kFloat64).item<double>();
  };
  core::fail<GradError>(
      "{}: the function must not write to its arguments: element {} of {} {} was {:.10g} and is {:.10g}: let it "
      "change a clone()",
      op_, at, names_[i], before_[i].sizes(), element(before_[i]), element(now));
}

void Arguments::expect_untouched() const {
  for (std::size_t i = 0; i < x_.size(); ++i) {
    if (x_[i].defined()) expect_same(i, x_[i]);
  }
}

void Arguments::expect_unwritten(const std::vector<Array>& at, const std::vector<std::uint64_t>& writes) const {
  for (std::size_t i = 0; i < at.size(); ++i) {
    if (!at[i].defined() || at[i].storage()->write_count() == writes[i]) continue;
    if (at[i].storage() == x_[i].storage()) expect_same(i, x_[i]);
    const char* by = at[i].storage()->writes().by;
    core::fail<GradError>(
        "{}: the function must not write to its arguments: {} wrote to {} {}: let it change a clone()", op_,
        by == nullptr ? "something" : by, names_[i], at[i].sizes());
  }
}

Probe::Probe(const char* op, const TensorFunction& f, const std::vector<Tensor>& given) : op_(op), f_(f), x_(op) {
  for (std::size_t i = 0; i < given.size(); ++i) {
    const Tensor& x = given[i];
    x_.add(x.defined() ? x.array() : Array(), fmt::format("input {}", i));
    if (!x.defined() || !x.requires_grad()) continue;
    if (x.dtype() != kFloat64) {
      core::fail<ValueError>("{}: inputs that require grad must be float64 (finite differences need its digits): {}",
                             op_, x.dtype());
    }
    wanted_.push_back(i);
  }
}

Probe::Call Probe::call(const std::vector<Array>& at) const {
  Call call;
  for (const Array& x : at) call.x.push_back(x.defined() ? Tensor(x) : Tensor());
  for (const std::size_t i : wanted_) call.x[i].requires_grad_();
  const std::vector<std::uint64_t> writes = Arguments::writes(at);
  for (Tensor& y : f_(call.x)) {
    if (y.defined() && y.is_floating_point()) call.y.push_back(std::move(y));
  }
  x_.expect_unwritten(at, writes);
  return call;
}

std::vector<Array> Probe::gradients(const Call& call, const std::vector<Array>& dy, bool create_graph) const {
  std::vector<Tensor> from, upstream, leaves;
  expect_shapes(dy.size() == call.y.size());
  for (std::size_t k = 0; k < call.y.size(); ++k) {
    if (!call.y[k].requires_grad() || !dy[k].defined()) continue;
    from.push_back(call.y[k]);
    upstream.emplace_back(dy[k].to(call.y[k].dtype()));
  }
  for (const std::size_t i : wanted_) leaves.push_back(call.x[i]);
  std::vector<Tensor> results(leaves.size());
  if (!from.empty()) results = grad(from, leaves, upstream, true, create_graph, true);
  std::vector<Array> gradients;
  for (std::size_t w = 0; w < results.size(); ++w) {
    gradients.push_back(results[w].defined() ? results[w].array() : core::zeros(leaves[w].sizes(), kFloat64));
  }
  return gradients;
}

void Probe::expect_shapes(bool same) const {
  if (!same) core::fail<GradError>("{}: the function must give outputs of the same shapes each time", op_);
}

void Probe::expect_no_noise(const std::vector<Array>& dy) const {
  const auto start = core::default_generator().position();
  const Call first = call();
  const bool draws = !(core::default_generator().position() == start);
  // Before the second call: had the first one written to its arguments, the second would see other numbers.
  std::vector<Array> given;
  for (const Array& u : dy) given.push_back(u.defined() ? u.clone() : Array());
  const std::vector<Array> dx = gradients(first, given);
  expect_untouched();
  for (std::size_t k = 0; k < dy.size(); ++k) {
    if (!dy[k].defined() || first_changed(given[k], dy[k]) < 0) continue;
    core::fail<GradError>(
        "{}: gradient formulas must not write to the gradient that comes from above: that of output {} has changed: "
        "let the formula change a clone()",
        op_, k);
  }
  const Call second = call();
  const auto fail_noise = [&](const std::string& what, const Array& a, const Array& b, std::int64_t at) {
    const auto element = [&](const Array& x) {
      return x.contiguous().view({x.numel()}).select(0, at).to(kFloat64).item<double>();
    };
    core::fail<GradError>(
        "{}: the function must give the same numbers each time: element {} of {} was {:.17g}, and {:.17g} in a second "
        "call: {}",
        op_, at, what, element(a), element(b),
        draws ? "it draws random numbers from the default generator: call manual_seed in it before it draws, draw "
                "outside and pass the numbers in, or put the module into eval()"
              : "it keeps some state between calls, or draws from a generator of its own");
  };
  bool same = first.y.size() == second.y.size();
  for (std::size_t k = 0; k < first.y.size() && same; ++k) same = first.y[k].sizes() == second.y[k].sizes();
  expect_shapes(same);
  for (std::size_t k = 0; k < first.y.size(); ++k) {
    const Array &a = first.y[k].array(), &b = second.y[k].array();
    if (const std::int64_t at = first_changed(a, b); at >= 0) fail_noise(fmt::format("output {}", k), a, b, at);
  }
  const std::vector<Array> again = gradients(second, dy);
  for (std::size_t w = 0; w < dx.size(); ++w) {
    const std::int64_t at = first_changed(dx[w], again[w]);
    if (at >= 0) fail_noise(fmt::format("the gradient with respect to input {}", wanted_[w]), dx[w], again[w], at);
  }
  expect_untouched();
}

Numbers Probe::difference(std::size_t i, std::int64_t first, std::int64_t every, const Numbers& sign, double eps) {
  const Array& x = inputs()[i];
  if (moving_ != i) {
    moving_ = i;
    moved_ = x.may_overlap_itself() ? x.clone() : copy_as_laid_out(x);
  }
  const Array& before = x_.original(i);
  const auto* from = before.data_ptr<double>();
  auto* to = moved_.data_ptr<double>();
  const auto place = [&](std::int64_t flat) {
    std::int64_t offset = 0;
    for (int d = moved_.dim() - 1; d >= 0; --d) {
      offset += flat % moved_.size(d) * moved_.stride(d);
      flat /= moved_.size(d);
    }
    return offset;
  };
  const auto moved = [&](double step) {
    for (std::int64_t j = first; j < before.numel(); j += every) {
      to[place(j)] = from[j] + step * sign[static_cast<std::size_t>(j)];
    }
    std::vector<Array> at = inputs();
    at[i] = moved_;
    return numbers_of(call(at).y);
  };
  Numbers high = moved(eps);
  const Numbers low = moved(-eps);
  for (std::int64_t j = first; j < before.numel(); j += every) to[place(j)] = from[j];
  expect_shapes(high.size() == low.size());
  x_.expect_same(i, moved_);
  for (std::size_t k = 0; k < high.size(); ++k) high[k] = (high[k] - low[k]) / (2 * eps);
  return high;
}

}  // namespace gradus::autograd::detail
