#include "lost_history.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_set>

#include "../../core/base/fail.h"
#include "../../core/ops/generator_scope.h"
#include "../../core/ops/indexing.h"
#include "../../core/ops/pointwise.h"
#include "grad_mode.h"
#include "operation_support.h"

namespace gradus::autograd::detail {

using core::Array;

namespace {

using Numbers = std::vector<double>;

// Of a list of outputs all that are asked for are in the mask.
bool in_mask(std::uint32_t mask, int index) { return index > 31 ? mask == ~0u : ((mask >> index) & 1u) != 0; }

constexpr std::int64_t kTried = std::int64_t{1} << 20;  // elements of a value that is moved

Numbers numbers_of(const Tensor& x) {
  const Array dense = x.array().to(kFloat64).contiguous();
  const auto* data = dense.data_ptr<double>();
  return {data, data + dense.numel()};
}

struct Asked {
  int of_input;
  std::string_view kind;
  int index;
};

// Leaves in place of all that is read.
class OnLeaves final : public Trial {
 public:
  explicit OnLeaves(std::atomic<bool>& substituted) : Trial(substituted) {}
  Tensor given(Tensor x, int of_input, const char* kind, int index) override {
    if (!x.is_floating_point()) return Tensor(x.array());
    asked.push_back({of_input, kind, index});
    for (const auto& [known, leaf] : leaves_) {
      if (known.kind == kind && known.index == index) return leaf;
    }
    Tensor leaf(x.array());
    leaf.requires_grad_();
    leaves_.push_back({{0, kind, index}, leaf});
    return leaf;
  }
  const Tensor& leaf(std::string_view kind, int index) const {
    return std::find_if(leaves_.begin(), leaves_.end(),
                        [&](const auto& each) { return each.first.kind == kind && each.first.index == index; })
        ->second;
  }
  std::vector<Asked> asked;

 private:
  std::vector<std::pair<Asked, Tensor>> leaves_;
};

// One value another, the others as they are, all without history.
class OnOther final : public Trial {
 public:
  OnOther(std::atomic<bool>& substituted, const Asked& which, Tensor other)
      : Trial(substituted), which_(which), other_(std::move(other)) {}
  Tensor given(Tensor x, int, const char* kind, int index) override {
    return which_.kind == kind && which_.index == index ? other_ : Tensor(x.array());
  }

 private:
  Asked which_;
  Tensor other_;
};

bool leads_to(const Tensor& from, const Tensor& leaf) {
  if (!from.requires_grad()) return false;
  const Node* const wanted = leaf.edge().node.get();
  std::vector<const Node*> stack{from.edge().node.get()};
  std::unordered_set<const Node*> seen{stack[0]};
  while (!stack.empty()) {
    const Node* node = stack.back();
    stack.pop_back();
    if (node == wanted) return true;
    for (int i = 0; i < node->num_inputs(); ++i) {
      const Node* next = node->edges()[i].node.get();
      if (next != nullptr && seen.insert(next).second) stack.push_back(next);
    }
  }
  return false;
}

// Each element moved by its own part of a step, so that no sum and no ratio stays what it was.
Tensor moved(const Tensor& x, double step) {
  const Array other = x.array().to(kFloat64).clone();
  auto* data = other.data_ptr<double>();
  double size = 0;
  for (std::int64_t j = 0; j < other.numel(); ++j)
    size = std::max(size, std::isfinite(data[j]) ? std::abs(data[j]) : 0);
  if (size == 0) size = 1;
  std::uint32_t random = 2463534242u;
  for (std::int64_t j = 0; j < other.numel(); ++j) {
    random ^= random << 13;
    random ^= random >> 17;
    random ^= random << 5;
    const double part = (random & 1u ? 0.5 : -0.5) * (1 + static_cast<double>(random >> 8) / (1u << 24));
    data[j] += step * part * (data[j] == 0 ? size : data[j]);
  }
  return Tensor(other.to(x.dtype()));
}

// Whether some element goes along smoothly: as far up as down, and in proportion to the step. Where a formula compares,
// rounds or picks, an element jumps or stays.
bool smooth(const Numbers& at, const Numbers (&far)[2], const Numbers (&near)[2], double ratio) {
  double size = 0;
  for (const double v : at) size = std::max(size, std::isfinite(v) ? std::abs(v) : 0);
  for (std::size_t e = 0; e < at.size(); ++e) {
    const double a = far[0][e] - far[1][e], b = near[0][e] - near[1][e];
    const double bent = near[0][e] + near[1][e] - 2 * at[e];
    if (!std::isfinite(a) || !std::isfinite(b) || std::abs(b) <= 1e-5 * size) continue;
    if (std::abs(a - ratio * b) <= 0.3 * std::abs(a) && std::abs(bent) <= 0.25 * std::abs(b)) return true;
  }
  return false;
}

// Tries that draw the same random numbers, each from a generator of its own.
class Trials {
 public:
  Trials(Node& node, const Gradients& of_outputs, const GradientTraits& traits)
      : node_(node), of_outputs_(of_outputs), traits_(traits), start_(core::default_generator().position()) {}
  Trials(const Trials&) = delete;
  Trials& operator=(const Trials&) = delete;

  Gradients run(bool create_graph) {
    core::Generator same;
    same.set_position(start_);
    const core::UseGenerator drawing(same);
    const AutoGradMode mode(create_graph);
    Gradients dx(static_cast<std::size_t>(node_.num_inputs()));
    traits_.compute(of_outputs_, dx, create_graph);
    return dx;
  }

  // For each input whether its gradient moves with the value.
  std::vector<bool> moves(const Asked& value, const Tensor& x) {
    constexpr double kFar = 1.0 / 64, kRatio = 8;
    const auto all = [&](double step) {
      const OnOther other(traits_.substituted, value, moved(x, step));
      std::vector<Numbers> numbers;  // of the formulas, and not of a rule's backward
      for (const Tensor& dx : run(traits_.is_rule)) numbers.push_back(dx.defined() ? numbers_of(dx) : Numbers());
      return numbers;
    };
    try {
      const std::vector<Numbers> at = all(0), up = all(kFar), down = all(-kFar), near_up = all(kFar / kRatio),
                                 near_down = all(-kFar / kRatio);
      std::vector<bool> any(at.size());
      for (std::size_t i = 0; i < at.size(); ++i) {
        const std::size_t n = at[i].size();
        if (up[i].size() != n || down[i].size() != n || near_up[i].size() != n || near_down[i].size() != n) continue;
        any[i] = smooth(at[i], {up[i], down[i]}, {near_up[i], near_down[i]}, kRatio);
      }
      return any;
    } catch (const std::exception&) {  // the other numbers do not suit it: nothing is known
      return std::vector<bool>(static_cast<std::size_t>(node_.num_inputs()));
    }
  }

 private:
  Node& node_;
  const Gradients& of_outputs_;
  const GradientTraits& traits_;
  const core::RandomPosition start_;
};

}  // namespace

bool find_lost_history(Node& node, const Gradients& of_outputs, const GradientTraits& traits,
                       std::vector<LostHistory>& lost) {
  bool something = false;
  for (const Tensor& dy : of_outputs) {
    if (!dy.defined()) continue;
    if (dy.body().batch != nullptr || dy.numel() > kTried) return false;
    something = something || core::count_true(core::ne(dy.array(), 0)) != 0;
  }
  if (!something) return false;  // no gradient moves that is 0 because of it
  Trials trials(node, of_outputs, traits);
  std::vector<Asked> asked;
  std::vector<std::pair<Asked, Tensor>> unseen;  // that a graph does not lead to
  const auto flows = [&](const Asked& a) { return a.kind != "output" || in_mask(traits.differentiable, a.index); };
  const auto note = [&](const Asked& a) {
    const auto list = [&](int input) { return input >= traits.fixed ? traits.fixed : input; };
    const LostHistory found{list(a.of_input),
                            a.kind == "input"    ? "input"
                            : a.kind == "output" ? "output"
                                                 : "gradient",
                            a.kind == "input" ? list(a.index) : a.index};
    const bool known = std::any_of(lost.begin(), lost.end(), [&](const LostHistory& l) {
      return l.of_input == found.of_input && std::string_view(l.kind) == found.kind && l.index == found.index;
    });
    if (!known) lost.push_back(found);
  };
  {
    OnLeaves leaves(traits.substituted);
    Gradients dx;
    try {
      dx = trials.run(true);
    } catch (const std::exception&) {
      return false;
    }
    for (const Asked& a : leaves.asked) {
      const Tensor& gradient = dx[static_cast<std::size_t>(a.of_input)];
      if (!gradient.defined()) continue;
      if (a.kind == "output" && in_mask(traits.constant_outputs, a.index)) continue;
      const Tensor& leaf = leaves.leaf(a.kind, a.index);
      const bool seen = flows(a) && leads_to(gradient, leaf);
      if (!seen && leaf.numel() <= kTried && gradient.numel() <= kTried) unseen.emplace_back(a, leaf);
    }
  }
  while (!unseen.empty()) {
    const auto [value, x] = unseen.back();
    const std::vector<bool> moves = trials.moves(value, x);
    std::erase_if(unseen, [&, which = value](const auto& each) {
      if (each.first.kind != which.kind || each.first.index != which.index) return false;
      if (moves[static_cast<std::size_t>(each.first.of_input)]) note(each.first);
      return true;
    });
  }
  return true;
}

namespace {

// The end of a graph that must not be gone through.
class NoWay final : public Node {
 public:
  NoWay(std::string_view op, std::string why, TensorMeta meta, std::vector<Edge> edges, Location at)
      : name_(op), why_(std::move(why)), meta_(meta), edges_(std::move(edges)) {
    enter_graph(at);
  }
  std::string_view name() const override { return name_; }
  const Edge* edges() const noexcept override { return edges_.data(); }
  int num_inputs() const noexcept override { return static_cast<int>(edges_.size()); }
  const TensorMeta* outputs() const noexcept override { return &meta_; }
  int num_outputs() const noexcept override { return 1; }
  void backward(const Gradients&, Gradients&, bool) override { throw GradError(why_); }

 private:
  const std::string_view name_;
  const std::string why_;
  const TensorMeta meta_;
  const std::vector<Edge> edges_;
};

// The same numbers, with a way to what is right and one to what is not: only who takes that one is told.
class Parting final : public Node {
 public:
  Parting(std::string_view op, const TensorMeta& meta, Edge right, core::Ref<Node> wrong, Location at)
      : name_(op), meta_(meta), edges_{std::move(right), {std::move(wrong), 0}} {
    enter_graph(at);
  }
  std::string_view name() const override { return name_; }
  const Edge* edges() const noexcept override { return edges_; }
  int num_inputs() const noexcept override { return 2; }
  const TensorMeta* outputs() const noexcept override { return &meta_; }
  int num_outputs() const noexcept override { return 1; }
  void backward(const Gradients& dy, Gradients& dx, bool) override {
    if (edges_[0]) dx[0] = dy[0];
    dx[1] = dy[0];
  }

 private:
  const std::string_view name_;
  const TensorMeta meta_;
  const Edge edges_[2];
};

std::string reason(const Node& node, const LostHistory& lost, const GradientTraits& traits) {
  const std::string cure =
      "or declare `static constexpr bool history_kept = true` where what it depends on is a constant, or "
      "`no_second_order`";
  const auto input = [&](int i) { return i == traits.fixed ? std::string("the list") : fmt::format("input {}", i); };
  const std::string_view kind(lost.kind);
  if (kind == "output" && !in_mask(traits.differentiable, lost.index)) {
    return fmt::format(
        "{}: to be differentiated again, the gradient of {} must not depend on output {}, through which no gradient "
        "flows: its formula reads Out<{}>, an intermediate of forward; compute that from In<i> in the formula, let a "
        "gradient flow through it, declare `constant_outputs` where that is right all the same, {}",
        node.name(), input(lost.of_input), lost.index, lost.index, cure);
  }
  return fmt::format(
      "{}: to be differentiated again, the gradient of {} must keep the history of {}, on which it depends: its "
      "formula computes with the numbers alone (array(), detach(), a NoGradGuard); compute on the Tensors, {}",
      node.name(), input(lost.of_input),
      kind == "input"    ? input(lost.index)
      : kind == "output" ? fmt::format("output {}", lost.index)
                         : fmt::format("the gradient of output {}", lost.index),
      cure);
}

}  // namespace

void fence(Node& node, const Gradients& of_outputs, Gradients& of_inputs, const GradientTraits& traits,
           const std::vector<LostHistory>& lost) {
  const auto add_inputs = [&](std::vector<Edge>& to, int from, int end) {
    for (int i = from; i < end; ++i) {
      if (node.edges()[i]) to.push_back(node.edges()[i]);
    }
  };
  const auto add_gradient = [&](std::vector<Edge>& to, const Tensor& dy) {
    if (dy.defined() && dy.requires_grad()) to.push_back(dy.edge());
  };
  const int inputs = node.num_inputs();
  for (int i = 0; i < inputs; ++i) {
    Tensor& dx = of_inputs[static_cast<std::size_t>(i)];
    if (!dx.defined() || !dx.is_floating_point()) continue;
    std::vector<Edge> ways;
    std::string why;
    if (traits.no_second_order) {
      why = fmt::format("{}: its gradient cannot be differentiated again: it is declared no_second_order", node.name());
      add_inputs(ways, 0, inputs);
      for (const Tensor& dy : of_outputs) {
        if (!dx.requires_grad()) add_gradient(ways, dy);
      }
    }
    for (const LostHistory& each : lost) {
      if (traits.no_second_order || each.of_input != std::min(i, traits.fixed)) continue;
      const std::size_t before = ways.size();
      const std::string_view kind(each.kind);
      if (kind == "input")
        add_inputs(ways, each.index, each.index == traits.fixed ? inputs : each.index + 1);
      else if (kind == "gradient")
        add_gradient(ways, of_outputs[static_cast<std::size_t>(each.index)]);
      else if (in_mask(traits.differentiable, each.index))
        ways.push_back({core::Ref<Node>(&node), each.index});
      else
        add_inputs(ways, 0, inputs);
      if (why.empty() && ways.size() != before) why = reason(node, each, traits);
    }
    if (ways.empty()) continue;
    const TensorMeta meta{dx.array().shape(), dx.dtype()};
    auto wrong = core::Ref<Node>::adopt(new NoWay(node.name(), std::move(why), meta, std::move(ways), node.location()));
    auto parting = core::Ref<Node>::adopt(
        new Parting(node.name(), meta, dx.requires_grad() ? dx.edge() : Edge(), std::move(wrong), node.location()));
    dx = Tensor(dx.array(), {std::move(parting), 0});
  }
}

}  // namespace gradus::autograd::detail
