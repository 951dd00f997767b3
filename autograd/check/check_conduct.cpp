// How an operation behaves, its numbers being right: what it keeps, leaves behind, and makes of what is unusual.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "../../core/memory/memory.h"
#include "../../core/ops/pointwise.h"
#include "../../core/threads/parallel.h"
#include "../graph/engine.h"
#include "check_comparison.h"

namespace gradus::autograd::detail {

using core::Array;

namespace {

bool same_bits(const Outcome& a, const Outcome& b) {
  const auto same = [](const std::vector<Numbers>& x, const std::vector<Numbers>& y) {
    if (x.size() != y.size()) return false;
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (x[i].size() != y[i].size()) return false;
      if (!x[i].empty() && std::memcmp(x[i].data(), y[i].data(), x[i].size() * sizeof(double)) != 0) return false;
    }
    return true;
  };
  return same(a.values, b.values) && same(a.gradients, b.gradients);
}

class Threads {
 public:
  explicit Threads(int n) : before_(get_num_threads()) { set_num_threads(n); }
  ~Threads() { set_num_threads(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_;
};

class Filled {
 public:
  explicit Filled(bool fill) : before_(get_fill_nan()) { set_fill_nan(fill); }
  ~Filled() { set_fill_nan(before_); }
  Filled(const Filled&) = delete;
  Filled& operator=(const Filled&) = delete;

 private:
  bool before_;
};

}  // namespace

// Values and gradients of the function at some numbers; `between` happens after forward and before backward.
Outcome Comparison::outcome_of(const std::vector<Array>& at, core::FunctionRef<void()> between) const {
  Outcome outcome;
  const std::vector<Tensor> x = leaves(at, true), y = call(subject_.hand, x);
  between();
  core::Generator random(options_.seed);
  std::vector<Tensor> dy;
  for (const Tensor& t : y) {
    outcome.values.push_back(numbers_of(t.array()));
    dy.emplace_back(draw_normal(t.sizes(), random));
  }
  for (const Tensor& dx : gradients(y, of_checked(x), dy, false)) outcome.gradients.push_back(numbers_of(dx.array()));
  return outcome;
}

// This may be why numbers are wrong.
void Comparison::keeps_state() {
  const auto nothing = [] {};
  std::vector<Array> other = x_;
  for (const std::size_t i : checked_) other[i] = x_[i] + v_[i] * 0.125;
  const Outcome interrupted = outcome_of(x_, [&] {
    try {
      (void)outcome_of(other, nothing);
    } catch (const Error&) {  // these numbers may not suit it
    }
  });
  if (same_bits(interrupted, outcome_of(x_, nothing))) return;
  failed("conduct", 1, "-",
         "the gradient is another when the operation has been called with other numbers between forward and backward: "
         "it keeps something outside its node (a static, a global); let forward return it, and Out<k> read it");
}

void Comparison::conduct() {
  const auto nothing = [] {};
  const auto misconduct = [&](std::string why) { failed("conduct", 1, "-", std::move(why)); };
  const Outcome plain = outcome_of(x_, nothing);

  for (const int n : {1, 3}) {
    const Threads threads(n);
    if (same_bits(outcome_of(x_, nothing), plain)) continue;
    misconduct(fmt::format("with {} threads the numbers are others, bit for bit: cut the work by its size alone", n));
    break;
  }

  for (const bool fill : {true, false}) {
    const Filled filled(fill);
    if (same_bits(outcome_of(x_, nothing), plain)) continue;
    misconduct("it reads memory that nobody wrote: fresh arrays filled with NaN change its numbers");
    break;
  }

  leaks(misconduct);
  empty_inputs(misconduct);
  if (subject_.by_geometry) changes_in_place(misconduct);
  tangents(misconduct);
  arguments_.expect_untouched();
}

void Comparison::leaks(core::FunctionRef<void(std::string)> misconduct) const {
  // Others may be making tensors meanwhile: what grows each time is its own.
  std::int64_t nodes = 1, arrays = 1;
  for (int round = 0; round < 4; ++round) {
    const std::int64_t nodes_before = Node::alive(), arrays_before = memory_stats().live_arrays;
    (void)outcome_of(x_, [] {});
    if (round == 0) continue;  // what is made once, and kept
    nodes = std::min(nodes, Node::alive() - nodes_before);
    arrays = std::min(arrays, memory_stats().live_arrays - arrays_before);
  }
  if (nodes > 0 || arrays > 0) {
    misconduct(
        fmt::format("each call leaves {} behind: something keeps tensors or arrays for good (a static list, a cycle)",
                    nodes > 0 && arrays > 0 ? "nodes and arrays"
                    : nodes > 0             ? "nodes"
                                            : "arrays"));
  }
}

// Dimension 0 of the inputs that share its size, and of each alone.
void Comparison::empty_inputs(core::FunctionRef<void(std::string)> misconduct) {
  std::string refused;
  bool tried = false;
  const auto run = [&](const std::vector<Array>& at, const std::string& which) {
    std::vector<Tensor> x, y, dx, dy;
    try {
      x = leaves(at, true);
      y = call(subject_.hand, x);
    } catch (const Error& error) {
      refused = error.what();
      return;
    } catch (const std::exception& error) {
      misconduct(
          fmt::format("where {} no elements, it throws what is no error of this library: {}", which, error.what()));
      tried = true;
      return;
    }
    tried = true;
    bool none = true;
    for (const Tensor& t : y) {
      dy.emplace_back(core::full(t.sizes(), 1, kFloat64));
      none = none && t.numel() == 0;
    }
    try {
      dx = gradients(y, of_checked(x), dy, false);
    } catch (const std::exception& error) {
      misconduct(fmt::format("where {} no elements: {}", which, error.what()));
      return;
    }
    for (std::size_t k = 0; k < dx.size() && none; ++k) {
      const Numbers numbers = numbers_of(dx[k].array());
      if (std::all_of(numbers.begin(), numbers.end(), [](double v) { return v == 0; })) continue;
      misconduct(fmt::format("where {} no elements the output has none, and the gradient of {} must be 0", which,
                             subject_.variables[checked_[k]].name));
      return;
    }
  };
  const auto emptied = [](const Array& x) { return x.narrow(0, 0, 0).clone(); };
  for (std::size_t i = 0; i < x_.size(); ++i) {
    const Array& x = x_[i];
    if (!x.defined() || x.dim() == 0 || x.numel() == 0) continue;
    std::vector<Array> alone = x_, all = x_;
    bool others = false;
    for (std::size_t j = 0; j < x_.size(); ++j) {
      if (!x_[j].defined() || x_[j].dim() == 0 || x_[j].size(0) != x.size(0)) continue;
      all[j] = emptied(x_[j]);
      others = others || j != i;
    }
    alone[i] = emptied(x);
    const std::string& name = subject_.variables[i].name;
    run(alone, name + " has");
    if (others) run(all, name + " and what has its size have");
  }
  if (!tried && !refused.empty())
    report_.notes.push_back(fmt::format("inputs without elements are refused: {}", refused));
}

// Of a view that says that its gradient is its geometry's: a change in place of what it shows is one of its base.
void Comparison::changes_in_place(core::FunctionRef<void(std::string)> misconduct) {
  if (std::find(checked_.begin(), checked_.end(), 0u) == checked_.end()) return;
  const TensorFunction through = [this](const std::vector<Tensor>& x) {
    std::vector<Tensor> at = leaves(~std::size_t{0}, {}, false);
    const Tensor base = x[0].clone();
    at[0] = base;
    const Tensor view = subject_.hand(at)[0];
    view.mul_(Tensor(core::full({}, 3, kFloat64)));
    return std::vector<Tensor>{base * base};
  };
  try {
    Tensor x(x_[0].clone());
    x.requires_grad_();
    GradcheckOptions options;
    options.layouts = false;
    (void)gradcheck(through, {x}, options);
  } catch (const GradError& error) {
    misconduct(fmt::format(
        "declared by_geometry, but after a change in place of what it shows the gradient of its base is wrong: {}",
        error.what()));
  } catch (const Error& error) {
    report_.notes.push_back(fmt::format("changes in place of the view were not tried: {}", error.what()));
  }
}

// <dy, J t> = <J^T dy, t>: the tangent against the gradients.
void Comparison::tangents(core::FunctionRef<void(std::string)> misconduct) {
  if (trusted_.size() != checked_.size()) return;
  const std::vector<Tensor> x = leaves(), y = call(subject_.hand, x);
  Node* const node = y[0].edge().node.get();
  const auto count = static_cast<std::size_t>(node == nullptr ? 0 : node->num_inputs());
  Gradients t(count), of_outputs(static_cast<std::size_t>(node == nullptr ? 0 : node->num_outputs()));
  bool own = node != nullptr && count == x.size();
  for (std::size_t i = 0; i < count && own; ++i) {
    const bool wanted = x[i].defined() && x[i].requires_grad();
    own = node->edges()[i].node.get() == (wanted ? x[i].edge().node.get() : nullptr);
    if (wanted) t[i] = Tensor(v_[i]);
  }
  if (!own) {
    report_.notes.push_back("the tangent was not tried: what is recorded is not one node on the inputs");
    return;
  }
  try {
    node->tangent(t, of_outputs, false);
    double forward = 0, backward = 0, size = 0;
    const std::vector<Tensor> dx = gradients(y, of_checked(x), constants(upstreams_[0].dy), false);
    const auto dot = [&](const Array& a, const Array& b) {
      const Numbers u = numbers_of(a), v = numbers_of(b);
      double sum = 0;
      for (std::size_t e = 0; e < std::min(u.size(), v.size()); ++e) {
        sum += u[e] * v[e];
        size += std::abs(u[e] * v[e]);
      }
      return sum;
    };
    for (std::size_t k = 0; k < y.size(); ++k) {
      const auto at = static_cast<std::size_t>(y[k].edge().index);
      if (y[k].requires_grad() && upstreams_[0].dy[k].defined() && of_outputs[at].defined())
        forward += dot(of_outputs[at].array(), upstreams_[0].dy[k]);
    }
    for (std::size_t k = 0; k < dx.size(); ++k) backward += dot(dx[k].array(), v_[checked_[k]]);
    if (!(std::abs(forward - backward) <= 1e-9 * size)) {
      misconduct(
          fmt::format("its tangent is not what its gradients say: along a random direction the output changes by "
                      "{:.10g} as one has it, and by {:.10g} as the other",
                      forward, backward));
    }
  } catch (const Error& error) {
    report_.notes.push_back(fmt::format("the tangent was not tried: {}", error.what()));
  }
}

}  // namespace gradus::autograd::detail
