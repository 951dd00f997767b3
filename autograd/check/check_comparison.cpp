#include "check_comparison.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <unordered_set>

#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "../graph/engine.h"

namespace gradus::autograd::detail {

using core::Array;

namespace {

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

}  // namespace

std::string full_name(const std::string& name, const Array& x) { return name + " " + core::to_string(x.sizes()); }

Comparison::Comparison(const CheckSubject& subject, const CheckOptions& options)
    : subject_(subject), options_(options), random_(options.seed), start_(core::default_generator().position()) {
  report_.title = "check of " + subject.title;
  for (const CheckVariable& variable : subject.variables) {
    const bool floating = variable.value.defined() && is_floating_point(variable.value.dtype());
    if (floating && !variable.constant) checked_.push_back(x_.size());
    arguments_.add(floating ? variable.value.to(kFloat64) : variable.value, variable.name);
    x_.push_back(arguments_.copies().back());
  }
}

CheckReport Comparison::run() {
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
  if (subject_.no_second_order)
    report_.notes.push_back("second order: not tried, for it is declared no_second_order");
  else if (options_.second_order)
    second_order();
  const auto none_is = [this](auto bad) { return std::none_of(report_.rows.begin(), report_.rows.end(), bad); };
  const bool ran = none_is([](const CheckRow& row) { return row.verdict == Verdict::Failed; });
  if (ran) layouts();
  if (none_is([](const CheckRow& row) { return !row.ok(); })) alone();
  if (subject_.operation) {
    if (ran) keeps_state();
    if (none_is([](const CheckRow& row) { return !row.ok(); }))
      conduct();
    else
      report_.notes.push_back("conduct: not tried before the numbers agree");
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

// Rows by variable, in the order that they came up, the first order before the second.
std::pair<std::size_t, int> Comparison::place(const CheckRow& row) const {
  const auto at = std::find(names_.begin(), names_.end(), row.variable);
  return {static_cast<std::size_t>(at - names_.begin()), row.order};
}

void Comparison::add(CheckRow row) {
  if (std::find(names_.begin(), names_.end(), row.variable) == names_.end()) names_.push_back(row.variable);
  report_.rows.push_back(std::move(row));
}

void Comparison::failed(const std::string& variable, int order, const std::string& upstream, std::string why) {
  CheckRow row;
  row.variable = variable;
  row.order = order;
  row.upstream = upstream;
  row.verdict = Verdict::Failed;
  row.hint = std::move(why);
  row.hand_graph = row.hand_finite = std::numeric_limits<double>::quiet_NaN();
  add(std::move(row));
}

std::string Comparison::output_name(std::size_t k) const {
  return full_name(y_.size() == 1 ? "output" : fmt::format("output {}", k), y_[k].array());
}

// The variables as leaves; variable i, where one is given, at another value.
std::vector<Tensor> Comparison::leaves(std::size_t i, const Array& value, bool record) const {
  std::vector<Array> at = x_;
  if (i < at.size()) at[i] = value;
  return leaves(at, record);
}

std::vector<Tensor> Comparison::leaves(const std::vector<Array>& at, bool record) const {
  std::vector<Tensor> tensors;
  for (const Array& x : at) tensors.push_back(x.defined() ? Tensor(x) : Tensor());
  for (std::size_t k : checked_) tensors[k].requires_grad_(record);
  return tensors;
}

// The function's floating outputs, its random numbers the same each time.
std::vector<Tensor> Comparison::call(const TensorFunction& f, const std::vector<Tensor>& x) const {
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

void Comparison::fail_noise(const char* what) const {
  core::fail<GradError>(
      "check: {} must give the same numbers each time{}: it keeps some state that is no buffer, or draws from a "
      "generator of its own",
      subject_.title, what);
}

std::vector<Tensor> Comparison::of_checked(const std::vector<Tensor>& x) const {
  std::vector<Tensor> wanted;
  for (const std::size_t i : checked_) wanted.push_back(x[i]);
  return wanted;
}

void Comparison::gradients_must_be_the_same_each_time() const {
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
void Comparison::look_for_rules() {
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

void Comparison::must_be_checkable() {
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
bool Comparison::compare_values(const std::vector<Tensor>& composed) {
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
    failed(output_name(0), 0, "-",
           fmt::format("the reference must have the outputs of the forward: {} for {}", shapes(composed), shapes(y_)));
    return false;
  }
  for (std::size_t k = 0; k < y_.size(); ++k) {
    const Array hand = y_[k].array().to(kFloat64), graph = composed[k].array().to(kFloat64);
    add(judged_values(output_name(k), hand, graph, {options_, tensors_, {}, numbers_}));
  }
  return true;
}

void Comparison::draw_directions() {
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
std::vector<Tensor> Comparison::gradients(const std::vector<Tensor>& y, const std::vector<Tensor>& wanted,
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

std::vector<Tensor> Comparison::constants(const std::vector<Array>& arrays) {
  std::vector<Tensor> tensors;
  for (const Array& a : arrays) tensors.push_back(a.defined() ? Tensor(a) : Tensor());
  return tensors;
}

Mentions Comparison::mentions(std::vector<NamedArray> terms) const {
  return {options_, tensors_, std::move(terms), numbers_, report_.formulas_only, shared_};
}

Sweep Comparison::first_order_sweep(std::size_t i) {
  return {Directions(x_[i], options_.every_element, random_),
          [this, i](const Array& value) { return numbers_of(call(subject_.hand, leaves(i, value, false))); }, y0_,
          options_.eps};
}

// Each variable alone, so that an error is laid at the right door.
void Comparison::first_order(const std::vector<Tensor>& composed) {
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

bool Comparison::is_absent(const Upstream& upstream) {
  return std::any_of(upstream.dy.begin(), upstream.dy.end(), [](const Array& dy) { return !dy.defined(); });
}

std::vector<NamedArray> Comparison::terms(std::size_t i, std::size_t u) const {
  std::vector<NamedArray> found;
  if (!subject_.terms || is_absent(upstreams_[u])) return found;
  for (const NamedTerm& term : subject_.terms(x_, upstreams_[u].dy[0])) {
    if (static_cast<std::size_t>(term.input) == i) found.push_back({term.name, term.value});
  }
  return found;
}

}  // namespace gradus::autograd::detail
