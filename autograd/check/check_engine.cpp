#include "check_engine.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <unordered_set>

#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "../../core/ops/random.h"
#include "check_differences.h"
#include "check_probe.h"
#include "../graph/engine.h"
#include "../graph/grad_mode.h"

namespace gradus::autograd::detail {

using core::Array;

namespace {

std::string full_name(const std::string& name, const Array& x) { return name + " " + core::to_string(x.sizes()); }

// Every node of the graphs of some tensors, each once.
std::vector<const Node*> nodes_of(const std::vector<Tensor>& tensors) {
  std::vector<const Node*> all, stack;
  std::unordered_set<const Node*> seen;
  const auto visit = [&](const Node* node) {
    if (node != nullptr && seen.insert(node).second) stack.push_back(node);
  };
  for (const Tensor& t : tensors) visit(t.edge().node.get());
  while (!stack.empty()) {
    const Node* node = stack.back();
    stack.pop_back();
    all.push_back(node);
    for (int i = 0; i < node->num_inputs(); ++i) visit(node->edges()[i].node.get());
  }
  return all;
}

class Comparison {
 public:
  Comparison(const CheckSubject& subject, const CheckOptions& options)
      : subject_(subject), options_(options), random_(options.seed), start_(core::default_generator().position()) {
    report_.title = "check of " + subject.title;
    for (const CheckVariable& variable : subject.variables) {
      const bool floating = variable.value.defined() && is_floating_point(variable.value.dtype());
      if (floating && !variable.constant) checked_.push_back(x_.size());
      arguments_.add(floating ? variable.value.to(kFloat64) : variable.value, variable.name);
      x_.push_back(arguments_.copies().back());
    }
  }
  ~Comparison() { core::default_generator().set_position(start_); }
  Comparison(const Comparison&) = delete;
  Comparison& operator=(const Comparison&) = delete;

  CheckReport run() {
    if (checked_.empty())
      core::fail<GradError>("check: there must be a floating input or parameter: none in {}", subject_.title);
    y_ = call(subject_.hand, leaves());
    must_be_checkable();
    look_for_rules();
    std::vector<Tensor> composed;
    try {
      composed = call(graph(), leaves_graph_ = leaves());
    } catch (const Error& error) {
      failed(output_name(0), 0, "-", fmt::format("the reference throws: {}", error.what()));
      return std::move(report_);
    }
    if (!report_.formulas_only && !compare_values(composed)) return std::move(report_);
    draw_directions();
    gradients_must_be_the_same_each_time();
    first_order(composed);
    if (options_.second_order) second_order();
    if (std::none_of(report_.rows.begin(), report_.rows.end(),
                     [](const CheckRow& row) { return row.verdict == Verdict::Failed; })) {
      layouts();
    }
    arguments_.expect_untouched();
    for (const std::size_t i : checked_) {
      if (x_[i].numel() != 0) continue;
      report_.notes.push_back(fmt::format("{} has no elements: nothing of it was checked", subject_.variables[i].name));
    }
    std::stable_sort(report_.rows.begin(), report_.rows.end(),
                     [this](const CheckRow& a, const CheckRow& b) { return place(a) < place(b); });
    return std::move(report_);
  }

 private:
  // Rows by variable, in the order that they came up, the first order before the second.
  std::pair<std::size_t, int> place(const CheckRow& row) const {
    const auto at = std::find(names_.begin(), names_.end(), row.variable);
    return {static_cast<std::size_t>(at - names_.begin()), row.order};
  }
  void add(CheckRow row) {
    if (std::find(names_.begin(), names_.end(), row.variable) == names_.end()) names_.push_back(row.variable);
    report_.rows.push_back(std::move(row));
  }
  void failed(const std::string& variable, int order, const std::string& upstream, std::string why) {
    CheckRow row;
    row.variable = variable;
    row.order = order;
    row.upstream = upstream;
    row.verdict = Verdict::Failed;
    row.hint = std::move(why);
    row.hand_graph = row.hand_finite = std::numeric_limits<double>::quiet_NaN();
    add(std::move(row));
  }

  std::string output_name(std::size_t k) const {
    return full_name(y_.size() == 1 ? "output" : fmt::format("output {}", k), y_[k].array());
  }

  const Function& graph() const { return report_.formulas_only ? subject_.hand : subject_.graph; }
  // The variables as leaves; variable i, where one is given, at another value.
  std::vector<Tensor> leaves(std::size_t i = ~std::size_t{0}, const Array& value = {}, bool record = true) const {
    std::vector<Array> at = x_;
    if (i < at.size()) at[i] = value;
    return leaves(at, record);
  }
  std::vector<Tensor> leaves(const std::vector<Array>& at, bool record) const {
    std::vector<Tensor> tensors;
    for (const Array& x : at) tensors.push_back(x.defined() ? Tensor(x) : Tensor());
    for (std::size_t k : checked_) tensors[k].requires_grad_(record);
    return tensors;
  }
  // The function's floating outputs, its random numbers the same each time.
  std::vector<Tensor> call(const Function& f, const std::vector<Tensor>& x) const {
    core::default_generator().set_position(start_);
    std::vector<Array> at;
    for (const Tensor& t : x) at.push_back(t.defined() ? t.array() : Array());
    const std::vector<std::uint64_t> writes = Arguments::writes(at);
    std::vector<Tensor> smooth;
    for (Tensor& y : f(x)) {
      if (y.defined() && y.is_floating_point()) smooth.push_back(std::move(y));
    }
    arguments_.expect_unwritten(at, writes);
    return smooth;
  }

  [[noreturn]] void fail_noise(const char* what) const {
    core::fail<GradError>(
        "check: {} must give the same numbers each time{}: it keeps some state that is no buffer, or draws from a "
        "generator of its own",
        subject_.title, what);
  }
  std::vector<Tensor> of_checked(const std::vector<Tensor>& x) const {
    std::vector<Tensor> wanted;
    for (const std::size_t i : checked_) wanted.push_back(x[i]);
    return wanted;
  }
  void gradients_must_be_the_same_each_time() const {
    const std::vector<Tensor> x = leaves(), x_again = leaves();
    const std::vector<Tensor> y = call(subject_.hand, x), y_again = call(subject_.hand, x_again);
    std::vector<Tensor> first, second;
    try {
      first = gradients(y, of_checked(x), constants(upstreams_[0].dy), false);
      second = gradients(y_again, of_checked(x_again), constants(upstreams_[0].dy), false);
    } catch (const Error&) {
      return;  // which of the gradients throws is for a row of the report to say
    }
    for (std::size_t k = 0; k < first.size(); ++k) {
      const Array &a = first[k].array(), &b = second[k].array();
      if (a.sizes() == b.sizes() && first_changed(a, b) >= 0) fail_noise(", its gradients included");
    }
    arguments_.expect_untouched();
  }

  // Whether there is more than one way to a gradient.
  void look_for_rules() {
    report_.formulas_only = true;
    std::vector<std::string> shared;
    for (const Node* node : nodes_of(y_)) {
      const bool rule = node->is_rule();
      report_.formulas_only = report_.formulas_only && !rule;
      const std::string name(node->name());
      if (!rule && node->num_inputs() > 0 && std::find(shared.begin(), shared.end(), name) == shared.end()) {
        shared.push_back(name);
      }
    }
    shared_ = fmt::format("{}", fmt::join(shared, ", "));
  }

  void must_be_checkable() {
    arguments_.expect_untouched();
    y0_ = numbers_of(y_);
    if (std::none_of(y_.begin(), y_.end(), [](const Tensor& y) { return y.requires_grad(); })) {
      core::fail<GradError>(
          "check: an output must depend on an input or a parameter through operations that record: none of "
          "{} does",
          subject_.title);
    }
    if (std::any_of(y0_.begin(), y0_.end(), [](double y) { return !std::isfinite(y); })) {
      core::fail<GradError>("check: outputs must be finite: those of {} are not", subject_.title);
    }
    if (y0_ != numbers_of(call(subject_.hand, leaves(~std::size_t{0}, {}, false)))) {
      fail_noise("");
    }
    for (std::size_t i : checked_) tensors_.push_back({subject_.variables[i].name, x_[i]});
    for (const Tensor& y : y_) tensors_.push_back({y_.size() == 1 ? "output" : "an output", y.array()});
    for (const Node* node : nodes_of(y_)) {
      for (const Attribute& attribute : node->attributes()) {
        char* end = nullptr;
        const double value = std::strtod(attribute.value.c_str(), &end);
        const std::string name = fmt::format("{} of {}", attribute.name, node->name());
        const bool known = std::any_of(numbers_.begin(), numbers_.end(),
                                       [&](const NamedNumber& n) { return n.name == name && n.value == value; });
        if (end != attribute.value.c_str() && *end == '\0' && !known) numbers_.push_back({name, value});
      }
    }
  }

  // The forward by the rules and by the references; whether there is more to compare.
  bool compare_values(const std::vector<Tensor>& composed) {
    for (const Node* node : nodes_of(composed)) {
      if (node->is_rule()) {
        failed(output_name(0), 0, "-",
               fmt::format("the reference must be composed of operations: it calls the rule {}", node->name()));
        return false;
      }
    }
    const auto shapes = [](const std::vector<Tensor>& y) {
      std::vector<std::string> all;
      for (const Tensor& t : y) all.push_back(core::to_string(t.sizes()));
      return fmt::format("{}", fmt::join(all, ", "));
    };
    if (shapes(composed) != shapes(y_)) {
      failed(
          output_name(0), 0, "-",
          fmt::format("the reference must have the outputs of the forward: {} for {}", shapes(composed), shapes(y_)));
      return false;
    }
    for (std::size_t k = 0; k < y_.size(); ++k) {
      const Array hand = y_[k].array().to(kFloat64), graph = composed[k].array().to(kFloat64);
      add(judged_values(output_name(k), hand, graph, {options_, tensors_, {}, numbers_}));
    }
    return true;
  }

  void draw_directions() {
    upstreams_ = draw_upstreams(y_, random_);
    for (const Upstream& upstream : upstreams_) {
      weights_.push_back({});
      for (std::size_t k = 0; k < y_.size(); ++k) {
        const Array& dy = upstream.dy[k];
        append_numbers(weights_.back(), dy.defined() ? dy : core::zeros(y_[k].sizes(), kFloat64));
      }
    }
    for (const Array& x : x_) v_.push_back(x.defined() ? draw_normal(x.shape(), random_) : Array());
  }

  // d(y . dy)/d(wanted), zeros where y does not depend on one.
  static std::vector<Tensor> gradients(const std::vector<Tensor>& y, const std::vector<Tensor>& wanted,
                                       const std::vector<Tensor>& dy, bool create_graph) {
    std::vector<Tensor> from, upstream, results(wanted.size());
    for (std::size_t k = 0; k < y.size(); ++k) {
      if (!y[k].requires_grad() || !dy[k].defined()) continue;
      from.push_back(y[k]);
      upstream.push_back(dy[k]);
    }
    if (!from.empty()) results = grad(from, wanted, upstream, true, create_graph, true);
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (!results[i].defined()) results[i] = Tensor(core::zeros(wanted[i].sizes(), kFloat64));
    }
    return results;
  }
  static std::vector<Tensor> constants(const std::vector<Array>& arrays) {
    std::vector<Tensor> tensors;
    for (const Array& a : arrays) tensors.push_back(a.defined() ? Tensor(a) : Tensor());
    return tensors;
  }
  Mentions mentions(std::vector<NamedArray> terms = {}) const {
    return {options_, tensors_, std::move(terms), numbers_, report_.formulas_only, shared_};
  }

  Sweep first_order_sweep(std::size_t i) {
    return {Directions(x_[i], options_.every_element, random_),
            [this, i](const Array& value) { return numbers_of(call(subject_.hand, leaves(i, value, false))); }, y0_,
            options_.eps};
  }

  // Each variable alone, so that an error is laid at the right door.
  void first_order(const std::vector<Tensor>& composed) {
    const std::vector<Tensor> x = leaves();
    const std::vector<Tensor> y = call(subject_.hand, x);
    for (std::size_t i : checked_) {
      const std::string name = full_name(subject_.variables[i].name, x_[i]);
      const Sweep sweep = first_order_sweep(i);
      const std::vector<Difference> finite = sweep.differences(weights_);
      bool well = true, first = true;
      for (std::size_t u = 0; u < upstreams_.size(); ++u) {
        const std::vector<Tensor> dy = constants(upstreams_[u].dy);
        const char* method = "by hand";
        try {
          const Array hand = gradients(y, {x[i]}, dy, false)[0].array();
          method = "by the reference";
          const Array graph = gradients(composed, {leaves_graph_[i]}, dy, false)[0].array();
          CheckRow row = judged(name, 1, hand, graph, sweep, weights_[u], finite[u], mentions(terms(i, u)));
          row.upstream = upstreams_[u].name;
          if (!row.ok() && u > 0 && first) {
            const bool absent = is_absent(upstreams_[u]);
            row.hint = fmt::format("right {}{}",
                                   absent ? "when every output gets a gradient: is an absent one minded (an undefined "
                                            "Dy<k> or DyArray<k>)"
                                          : "for a contiguous upstream gradient: are dy's strides ignored",
                                   row.hint.empty() ? "?" : "? " + row.hint);
          }
          well = well && row.ok();
          if (u == 0) first = row.ok();
          add(std::move(row));
        } catch (const Error& error) {
          failed(name, 1, upstreams_[u].name,
                 fmt::format("{}: {}{}", report_.formulas_only ? "by the formulas" : method, error.what(),
                             is_absent(upstreams_[u]) && first
                                 ? ": other outputs' gradients are absent (an undefined Dy<k> or DyArray<k>)"
                                 : ""));
          well = false;
          if (u == 0) first = false;
        }
      }
      if (well) trusted_.push_back(i);
    }
  }
  static bool is_absent(const Upstream& upstream) {
    return std::any_of(upstream.dy.begin(), upstream.dy.end(), [](const Array& dy) { return !dy.defined(); });
  }
  std::vector<NamedArray> terms(std::size_t i, std::size_t u) const {
    std::vector<NamedArray> found;
    if (!subject_.terms || is_absent(upstreams_[u])) return found;
    for (const NamedTerm& term : subject_.terms(x_, upstreams_[u].dy[0])) {
      if (static_cast<std::size_t>(term.input) == i) found.push_back({term.name, term.value});
    }
    return found;
  }

  // The gradients of v . gradient with respect to the variables and to dy; and those first gradients as recorded.
  struct Second {
    std::vector<Tensor> first, second;
  };
  Second differentiate_twice(const Function& f, const Upstream& upstream) const {
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
  Numbers hand_gradients(std::size_t i, const Array& value, const std::vector<Tensor>& dy) const {
    const std::vector<Tensor> x = leaves(i, value);
    std::vector<Tensor> wanted;
    for (std::size_t k : trusted_) wanted.push_back(x[k]);
    return numbers_of(gradients(call(subject_.hand, x), wanted, dy, false));
  }

  void second_order() {
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

  void compare_second(const Upstream& upstream, const Second& hand, const Second& graph, const Numbers& v) {
    const std::vector<Tensor> dy = constants(upstream.dy);
    const Numbers g0 = hand_gradients(~std::size_t{0}, {}, dy);
    if (&upstream == &upstreams_[0]) compare_recorded(hand, graph);
    const auto compare = [&](const std::string& name, std::size_t k, const Array& at, const auto& f, double eps) {
      const Sweep sweep{Directions(at, options_.every_element, random_), f, g0, eps};
      CheckRow row = judged(name, 2, hand.second[k].array(), graph.second[k].array(), sweep, v,
                            sweep.differences({v})[0], mentions());
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
  void compare_recorded(const Second& hand, const Second& graph) {
    const std::vector<Tensor> dy = constants(upstreams_[0].dy);
    for (std::size_t k = 0; k < trusted_.size(); ++k) {
      const std::size_t i = trusted_[k];
      const Sweep sweep = first_order_sweep(i);
      CheckRow row =
          judged(full_name(subject_.variables[i].name, x_[i]), 1, hand.first[k].array(), graph.first[k].array(), sweep,
                 weights_[0], sweep.differences({weights_[0]})[0], mentions());
      row.upstream = "create_graph";
      if (row.verdict == Verdict::HandOdd) {
        row.hint =
            "under create_graph the rule gives another gradient: does its reference read an input that is kept as a "
            "shape only? " +
            row.hint;
      }
      add(std::move(row));
    }
  }

  // Each variable laid out in another way: the same values and gradients by hand.
  void layouts() {
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
      for (const Tensor& dx : gradients(y, of_checked(x), dy, false))
        outcome.gradients.push_back(numbers_of(dx.array()));
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
            "memory "
            "read as if it were?",
            fault.layout, at.element,
            at.gradient ? "the gradient of " + subject_.variables[checked_[at.tensor]].name : output_name(at.tensor),
            at.a, at.b, fault.layout == "expanded" ? "contiguously" : "as given");
        add(std::move(row));
      }
    } catch (const Error& error) {
      failed("layouts", 1, "-", error.what());
    }
  }

  const CheckSubject& subject_;
  const CheckOptions& options_;
  core::Generator random_;
  const core::RandomPosition start_;
  CheckReport report_;
  std::vector<std::string> names_;

  Arguments arguments_{"check"};
  std::vector<Array> x_;  // arguments_' copies
  std::vector<std::size_t> checked_, trusted_;
  std::vector<Tensor> y_, leaves_graph_;
  Numbers y0_;
  std::vector<Upstream> upstreams_;
  std::vector<Numbers> weights_;  // the upstream gradients, all outputs end to end
  std::vector<Array> v_;          // what a variable's gradient is multiplied with before it is differentiated again
  std::vector<NamedArray> tensors_;
  std::vector<NamedNumber> numbers_;
  std::string shared_;  // operations whose formulas both hand and graph use
};

}  // namespace

void CheckArguments::add(const Tensor& x) { inputs.push_back(x); }
void CheckArguments::add(const CheckOptions& given) { options = given; }

CheckReport compare_gradients(const CheckSubject& subject, const CheckOptions& options) {
  const AutoGradMode recording(true);
  return Comparison(subject, options).run();
}

}  // namespace gradus::autograd::detail
