#include "check_engine.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <unordered_set>

#include "../core/create.h"
#include "../core/fail.h"
#include "../core/random.h"
#include "check_differences.h"
#include "engine.h"
#include "grad_mode.h"
#include "operation_support.h"

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
      x_.push_back(floating ? variable.value.to(kFloat64) : variable.value);
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
    std::vector<Tensor> composed;
    try {
      composed = call(subject_.graph, leaves_graph_ = leaves());
    } catch (const Error& error) {
      failed(output_name(0), 0, "-", fmt::format("the reference throws: {}", error.what()));
      return std::move(report_);
    }
    if (!compare_values(composed)) return std::move(report_);
    draw_directions();
    first_order(composed);
    if (options_.second_order) second_order();
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

  // The variables as leaves; variable i, where one is given, at another value.
  std::vector<Tensor> leaves(std::size_t i = ~std::size_t{0}, const Array& value = {}, bool record = true) const {
    std::vector<Tensor> tensors;
    for (std::size_t k = 0; k < x_.size(); ++k) {
      tensors.push_back(x_[k].defined() ? Tensor(k == i ? value : x_[k]) : Tensor());
    }
    for (std::size_t k : checked_) tensors[k].requires_grad_(record);
    return tensors;
  }
  // The function's floating outputs, its random numbers the same each time.
  std::vector<Tensor> call(const Function& f, const std::vector<Tensor>& x) const {
    core::default_generator().set_position(start_);
    std::vector<Tensor> smooth;
    for (Tensor& y : f(x)) {
      if (y.defined() && y.is_floating_point()) smooth.push_back(std::move(y));
    }
    return smooth;
  }

  void must_be_checkable() {
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
      core::fail<GradError>(
          "check: {} must give the same numbers each time: it keeps some state that is no buffer, or draws "
          "from a generator of its own",
          subject_.title);
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
    std::unordered_set<std::string_view> rules;
    for (const OperationInfo& operation : operations()) {
      if (operation.is_rule) rules.insert(operation.name);
    }
    for (const Node* node : nodes_of(composed)) {
      if (rules.count(node->name()) != 0) {
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
      for (const Array& dy : upstream.dy) append_numbers(weights_.back(), dy);
    }
    for (const Array& x : x_) v_.push_back(x.defined() ? draw_normal(x.shape(), random_) : Array());
  }

  // d(y . dy)/d(wanted), zeros where y does not depend on one.
  static std::vector<Tensor> gradients(const std::vector<Tensor>& y, const std::vector<Tensor>& wanted,
                                       const std::vector<Tensor>& dy, bool create_graph) {
    std::vector<Tensor> from, upstream, results(wanted.size());
    for (std::size_t k = 0; k < y.size(); ++k) {
      if (!y[k].requires_grad()) continue;
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
    for (const Array& a : arrays) tensors.emplace_back(a);
    return tensors;
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
          CheckRow row =
              judged(name, 1, hand, graph, sweep, weights_[u], finite[u], {options_, tensors_, terms(i, u), numbers_});
          row.upstream = upstreams_[u].name;
          if (!row.ok() && u > 0 && first) {
            row.hint = fmt::format("right for a contiguous upstream gradient: are dy's strides ignored{}",
                                   row.hint.empty() ? "?" : "? " + row.hint);
          }
          well = well && row.ok();
          if (u == 0) first = row.ok();
          add(std::move(row));
        } catch (const Error& error) {
          failed(name, 1, upstreams_[u].name, fmt::format("{}: {}", method, error.what()));
          well = false;
          if (u == 0) first = false;
        }
      }
      if (well) trusted_.push_back(i);
    }
  }
  std::vector<NamedArray> terms(std::size_t i, std::size_t u) const {
    std::vector<NamedArray> found;
    if (!subject_.terms) return found;
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
    for (const Array& a : upstream.dy) dy.push_back(Tensor(a).requires_grad_());
    for (std::size_t i : trusted_) wanted.push_back(x[i]);
    const std::vector<Tensor> first = gradients(call(f, x), wanted, dy, true);
    for (std::size_t i : trusted_) v.emplace_back(v_[i]);
    wanted.clear();
    for (std::size_t i : checked_) wanted.push_back(x[i]);
    wanted.insert(wanted.end(), dy.begin(), dy.end());
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
        const Second graph = differentiate_twice(subject_.graph, upstream);
        compare_second(upstream, hand, graph, v);
      } catch (const Error& error) {
        failed("second order", 2, upstream.name, fmt::format("{}: {}", method, error.what()));
      }
    }
  }

  void compare_second(const Upstream& upstream, const Second& hand, const Second& graph, const Numbers& v) {
    const std::vector<Tensor> dy = constants(upstream.dy);
    const Numbers g0 = hand_gradients(~std::size_t{0}, {}, dy);
    const Mentions mentions{options_, tensors_, {}, numbers_};
    if (&upstream == &upstreams_[0]) compare_recorded(hand, graph, mentions);
    const auto compare = [&](const std::string& name, std::size_t k, const Array& at, const auto& f, double eps) {
      const Sweep sweep{Directions(at, options_.every_element, random_), f, g0, eps};
      CheckRow row = judged(name, 2, hand.second[k].array(), graph.second[k].array(), sweep, v,
                            sweep.differences({v})[0], mentions);
      row.upstream = upstream.name;
      add(std::move(row));
    };
    for (std::size_t k = 0; k < checked_.size(); ++k) {
      const std::size_t i = checked_[k];
      compare(
          full_name(subject_.variables[i].name, x_[i]), k, x_[i],
          [&](const Array& value) { return hand_gradients(i, value, dy); }, options_.eps);
    }
    for (std::size_t k = 0; k < dy.size(); ++k) {
      const auto f = [&](const Array& value) {
        std::vector<Tensor> other = dy;
        other[k] = Tensor(value);
        return hand_gradients(~std::size_t{0}, {}, other);
      };
      // A gradient is linear in dy: the step may be large, and the rounding small.
      compare(full_name(dy.size() == 1 ? "dy" : fmt::format("dy {}", k), upstream.dy[k]), checked_.size() + k,
              upstream.dy[k], f, std::max(options_.eps, 1e-3));
    }
  }

  // First-order gradients as create_graph gives them.
  void compare_recorded(const Second& hand, const Second& graph, const Mentions& mentions) {
    const std::vector<Tensor> dy = constants(upstreams_[0].dy);
    for (std::size_t k = 0; k < trusted_.size(); ++k) {
      const std::size_t i = trusted_[k];
      const Sweep sweep = first_order_sweep(i);
      CheckRow row = judged(full_name(subject_.variables[i].name, x_[i]), 1, hand.first[k].array(),
                            graph.first[k].array(), sweep, weights_[0], sweep.differences({weights_[0]})[0], mentions);
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

  const CheckSubject& subject_;
  const CheckOptions& options_;
  core::Generator random_;
  const core::RandomPosition start_;
  CheckReport report_;
  std::vector<std::string> names_;

  std::vector<Array> x_;
  std::vector<std::size_t> checked_, trusted_;
  std::vector<Tensor> y_, leaves_graph_;
  Numbers y0_;
  std::vector<Upstream> upstreams_;
  std::vector<Numbers> weights_;  // the upstream gradients, all outputs end to end
  std::vector<Array> v_;          // what a variable's gradient is multiplied with before it is differentiated again
  std::vector<NamedArray> tensors_;
  std::vector<NamedNumber> numbers_;
};

}  // namespace

CheckReport compare_gradients(const CheckSubject& subject, const CheckOptions& options) {
  const AutoGradMode recording(true);
  return Comparison(subject, options).run();
}

}  // namespace gradus::autograd::detail
