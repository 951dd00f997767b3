// The comparison of second-order gradients.
#include <algorithm>

#include "../../core/base/fail.h"
#include "check_comparison.h"

namespace gradus::autograd::detail {

using core::Array;

Comparison::Second Comparison::differentiate_twice(const TensorFunction& f, const Upstream& upstream) const {
  const std::vector<Tensor> x = leaves();
  std::vector<Tensor> wanted, dy, v;
  for (const Array& a : upstream.dy) dy.push_back(a.defined() ? Tensor(a).requires_grad_() : Tensor());
  for (std::size_t i : trusted_) wanted.push_back(x[i]);
  const std::vector<Tensor> first = gradients(call(f, x), wanted, dy, true);
  for (std::size_t i : trusted_) v.emplace_back(v_[i]);
  wanted.clear();
  for (std::size_t i : checked_) wanted.push_back(x[i]);
  for (const Tensor& u : dy) {
    if (u.defined()) wanted.push_back(u);
  }
  return {first, gradients(first, wanted, v, false)};
}

// The hand-written gradients of all trusted variables, where variable i has another value.
Numbers Comparison::hand_gradients(std::size_t i, const Array& value, const std::vector<Tensor>& dy) const {
  const std::vector<Tensor> x = leaves(i, value);
  std::vector<Tensor> wanted;
  for (std::size_t k : trusted_) wanted.push_back(x[k]);
  return numbers_of(gradients(call(subject_.hand, x), wanted, dy, false));
}

void Comparison::second_order() {
  for (std::size_t i : checked_) {
    if (std::find(trusted_.begin(), trusted_.end(), i) != trusted_.end()) continue;
    report_.notes.push_back(fmt::format("second order: without the gradient of {}, which is wrong at first order",
                                        subject_.variables[i].name));
  }
  if (trusted_.empty()) return;
  Numbers v;
  for (std::size_t i : trusted_) append_numbers(v, v_[i]);
  for (const Upstream& upstream : upstreams_) {
    const char* method = "by hand, under create_graph";
    try {
      const Second hand = differentiate_twice(subject_.hand, upstream);
      method = "by the reference, under create_graph";
      const Second graph = report_.formulas_only ? hand : differentiate_twice(subject_.graph, upstream);
      compare_second(upstream, hand, graph, v);
    } catch (const Error& error) {
      failed("second order", 2, upstream.name,
             fmt::format("{}: {}", report_.formulas_only ? "under create_graph" : method, error.what()));
    }
  }
}

void Comparison::compare_second(const Upstream& upstream, const Second& hand, const Second& graph, const Numbers& v) {
  const std::vector<Tensor> dy = constants(upstream.dy);
  const Numbers g0 = hand_gradients(~std::size_t{0}, {}, dy);
  if (&upstream == &upstreams_[0]) compare_recorded(hand, graph);
  const auto compare = [&](const std::string& name, std::size_t k, const Array& at, const auto& f, double eps) {
    const Sweep sweep{Directions(at, options_.every_element, random_), f, g0, eps};
    CheckRow row = judged(name, 2, hand.second[k].array(), graph.second[k].array(), sweep, v, sweep.differences({v})[0],
                          mentions());
    row.upstream = upstream.name;
    add(std::move(row));
  };
  for (std::size_t k = 0; k < checked_.size(); ++k) {
    const std::size_t i = checked_[k];
    compare(
        full_name(subject_.variables[i].name, x_[i]), k, x_[i],
        [&](const Array& value) { return hand_gradients(i, value, dy); }, options_.eps);
  }
  std::size_t place = checked_.size();
  for (std::size_t k = 0; k < dy.size(); ++k) {
    if (!dy[k].defined()) continue;
    const auto f = [&](const Array& value) {
      std::vector<Tensor> other = dy;
      other[k] = Tensor(value);
      return hand_gradients(~std::size_t{0}, {}, other);
    };
    // A gradient is linear in dy: the step may be large, and the rounding small.
    compare(full_name(dy.size() == 1 ? "dy" : fmt::format("dy {}", k), upstream.dy[k]), place++, upstream.dy[k], f,
            std::max(options_.eps, 1e-3));
  }
}

// First-order gradients as create_graph gives them.
void Comparison::compare_recorded(const Second& hand, const Second& graph) {
  const std::vector<Tensor> dy = constants(upstreams_[0].dy);
  for (std::size_t k = 0; k < trusted_.size(); ++k) {
    const std::size_t i = trusted_[k];
    const Sweep sweep = first_order_sweep(i);
    CheckRow row = judged(full_name(subject_.variables[i].name, x_[i]), 1, hand.first[k].array(),
                          graph.first[k].array(), sweep, weights_[0], sweep.differences({weights_[0]})[0], mentions());
    row.upstream = "create_graph";
    if (row.verdict == Verdict::HandOdd) {
      row.hint =
          "under create_graph the rule gives another gradient: are its formulas right, if it has any; does its "
          "reference read an input that is kept as a shape only? " +
          row.hint;
    }
    add(std::move(row));
  }
}

}  // namespace gradus::autograd::detail
