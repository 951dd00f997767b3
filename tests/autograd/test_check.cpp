// The three-way check: that right layers pass it, what it leaves untouched, and how its report reads. What it catches
// is in test_check_mutants.cpp.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <memory>
#include <set>
#include <sstream>

#include <gradus/autograd/tensor/create.h>
#include <gradus/autograd/ops/activation_rules.h>
#include <gradus/autograd/graph/engine.h>
#include <gradus/autograd/ops/softmax.h>
#include <gradus/core/array/create.h>
#include <gradus/core/ops/pointwise.h>
#include <gradus/core/ops/reduce.h>
#include <gradus/layers/activation/activation.h>
#include <gradus/layers/attention/attention.h>
#include <gradus/layers/norm/batch_norm.h>
#include <gradus/layers/module/check.h>
#include <gradus/layers/conv/conv_rules.h>
#include <gradus/layers/loss/cross_entropy.h>
#include <gradus/layers/dropout/dropout.h>
#include <gradus/layers/embedding/embedding.h>
#include <gradus/layers/norm/layer_norm.h>
#include <gradus/layers/linear/linear.h>
#include <gradus/layers/pool/pool_rules.h>
#include <gradus/layers/module/sequential.h>

#include "../support/arrays.h"

using namespace gradus;
using autograd::CheckOptions;
using autograd::CheckReport;
using autograd::CheckRow;
using autograd::Node;
using autograd::ReluRule;
using autograd::Verdict;
using core::Array;
using nn::BatchNormEvalRule;
using nn::BatchNormRule;
using nn::CrossEntropyRule;
using nn::DropoutRule;
using nn::LinearRule;
using test::check_error;

namespace {

// Passes, within the bounds that are promised, and with every kind of row for every one of the variables.
void passes(const CheckReport& report, const std::set<std::string>& variables) {
  BOOST_TEST(report.ok(), report);
  if (!report.ok()) return;
  for (const std::string& note : report.notes)  // BatchNorm needs two values of each channel
    BOOST_TEST(note.starts_with("inputs without elements are refused: batch_norm"), report);
  std::set<std::string> first, second;
  for (const CheckRow& row : report.rows) {
    const std::string name = row.variable.substr(0, row.variable.find(' '));
    if (row.order == 1 && row.upstream == "create_graph") first.insert(name);
    if (row.order == 2) second.insert(name);
    if (row.verdict == Verdict::Zero) continue;
    BOOST_TEST((row.verdict == Verdict::Agree), report);
    if (!report.formulas_only) BOOST_TEST(row.hand_graph <= 1e-12, report);
    if (row.order != 0) BOOST_TEST(row.hand_finite <= 1e-7, report);
  }
  BOOST_TEST((first == variables), report);
  std::set<std::string> with_dy = variables;
  with_dy.insert("dy");
  BOOST_TEST((second == with_dy), report);
}
// Which verdict a row has.
Verdict verdict(const CheckReport& report, const std::string& variable, int order, const std::string& upstream) {
  for (const CheckRow& row : report.rows) {
    if (row.variable.starts_with(variable + " ") && row.order == order && row.upstream == upstream) return row.verdict;
  }
  BOOST_ERROR("there is no such row in\n" + report.to_string());
  return Verdict::Failed;
}

Tensor draw(IntArrayRef shape) { return randn(shape, kFloat64); }
void draw_parameters(nn::Module& module) {
  const NoGradGuard no_grad;
  for (const Tensor& p : module.parameters()) p.copy_(randn(p.sizes(), p.dtype()) * 0.5 + 0.5);
}
void draw_statistics(nn::Module& module) {
  for (const auto& [name, buffer] : module.named_buffers()) {
    if (buffer.is_floating_point()) buffer.copy_(rand(buffer.sizes()) + 0.5);
  }
}

bool same(const Array& a, const Array& b) {
  return a.storage() == b.storage() && a.strides() == b.strides() && a.storage_offset() == b.storage_offset() &&
         core::equal(a, b);
}

// The names of all nodes in the graphs of some tensors.
std::set<std::string> nodes_below(const std::vector<Tensor>& tensors) {
  std::set<std::string> names;
  std::vector<core::Ref<Node>> stack;
  std::set<const Node*> seen;
  for (const Tensor& t : tensors) {
    if (t.edge()) stack.push_back(t.edge().node);
  }
  while (!stack.empty()) {
    const core::Ref<Node> node = stack.back();
    stack.pop_back();
    if (!seen.insert(node.get()).second) continue;
    names.emplace(node->name());
    for (const autograd::Edge& edge : node->next_edges()) {
      if (edge) stack.push_back(edge.node);
    }
  }
  return names;
}
std::set<std::string> rule_names() {
  std::set<std::string> names;
  for (const autograd::OperationInfo& operation : autograd::operations()) {
    if (operation.is_rule) names.emplace(operation.name);
  }
  return names;
}
void has_no_rule(const std::vector<Tensor>& tensors) {
  const std::set<std::string> rules = rule_names(), nodes = nodes_below(tensors);
  BOOST_TEST(nodes.size() > 1u);
  for (const std::string& name : nodes) BOOST_TEST(rules.count(name) == 0u, name << " is a rule");
}

DropoutRule::Attrs dropout_attrs(double p, bool classic = false, bool channelwise = false) {
  DropoutRule::Attrs attrs;
  attrs.p = p;
  attrs.position = {3, 17};
  attrs.classic = classic;
  attrs.channelwise = channelwise;
  return attrs;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(check)

// --- Right layers pass

BOOST_AUTO_TEST_CASE(linear) {
  manual_seed(1);
  for (const std::vector<std::int64_t>& shape : std::vector<std::vector<std::int64_t>>{{5}, {7, 5}, {2, 7, 5}}) {
    passes(nn::check(nn::Linear(5, 3), randn(shape)), {"input", "weight", "bias"});
    passes(nn::check(nn::Linear(nn::LinearOptions(5, 3).bias(false)), randn(shape)), {"input", "weight"});
    passes(nn::check<LinearRule>(draw(shape), draw({3, 5}), draw({3})), {"x", "weight", "bias"});
    passes(nn::check(LinearRule(), draw(shape), draw({3, 5}), Tensor()), {"x", "weight"});
  }
  // Transposed, sliced and expanded operands.
  passes(nn::check<LinearRule>(draw({5, 7}).t(), draw({5, 3}).t(), draw({6}).slice(0, 0, 6, 2)),
         {"x", "weight", "bias"});
}

BOOST_AUTO_TEST_CASE(batch_norm) {
  manual_seed(2);
  const auto each = [](auto layer, const Tensor& x) {
    draw_parameters(*layer);
    draw_statistics(*layer);
    std::set<std::string> variables = {"input"};
    for (const auto& [name, parameter] : layer->named_parameters()) variables.insert(name);
    passes(nn::check(layer, x), variables);
    layer->eval();
    passes(nn::check(layer, x), variables);
  };
  each(nn::BatchNorm1d(3), randn({7, 3}));
  each(nn::BatchNorm1d(3), randn({5, 3, 4}) * 3 + 10);
  each(nn::BatchNorm2d(3), randn({4, 3, 2, 5}));
  each(nn::BatchNorm3d(2), randn({3, 2, 4, 1, 5}));
  each(nn::BatchNorm1d(nn::BatchNormOptions(3).affine(false)), randn({7, 3}));
  each(nn::BatchNorm1d(nn::BatchNormOptions(3).track_running_stats(false)), randn({7, 3}));
  each(nn::BatchNorm1d(nn::BatchNormOptions(3).momentum(std::nullopt)), randn({7, 3}));

  const Tensor x = draw({7, 3}), gamma = draw({3}), beta = draw({3}), mean = draw({3}), var = rand({3}, kFloat64) + 0.5;
  CheckOptions statistics;
  statistics.constants = {3, 4};
  passes(nn::check<BatchNormRule>({}, x, gamma, beta, mean, var, statistics), {"x", "weight", "bias"});
  passes(nn::check<BatchNormEvalRule>({}, x, gamma, beta, mean, var, statistics), {"x", "weight", "bias"});
}

BOOST_AUTO_TEST_CASE(dropout) {
  manual_seed(3);
  for (const bool classic : {false, true}) {
    for (const double p : {0.0, 0.3, 0.5}) {
      nn::Dropout layer(nn::DropoutOptions(p).classic(classic));
      passes(nn::check(layer, randn({7, 5})), {"input"});
      nn::Dropout2d channels(nn::DropoutOptions(p).classic(classic));
      passes(nn::check(channels, randn({7, 5, 2, 3})), {"input"});
      passes(nn::check<DropoutRule>(dropout_attrs(p, classic), draw({7, 5})), {"x"});
      passes(nn::check(DropoutRule(), dropout_attrs(p, classic, true), draw({7, 5, 3})), {"x"});
    }
  }
  // In evaluation the inverted form is the identity, and gives x itself.
  nn::Dropout classic(nn::DropoutOptions(0.3).classic(true));
  classic->eval();
  passes(nn::check(classic, randn({7, 5})), {"input"});
  nn::Dropout inverted(0.3);
  inverted->eval();
  passes(nn::check(inverted, randn({7, 5})), {"input"});
}

BOOST_AUTO_TEST_CASE(activations) {
  manual_seed(4);
  passes(nn::check(nn::ReLU(), randn({7, 5})), {"input"});
  passes(nn::check<ReluRule>(draw({7, 5})), {"x"});
  passes(nn::check(nn::Sigmoid(), randn({7, 5})), {"input"});
  passes(nn::check(nn::Tanh(), randn({7, 5})), {"input"});
}

BOOST_AUTO_TEST_CASE(cross_entropy) {
  manual_seed(5);
  const Tensor numbers = randint(4, {7}), positions = randint(4, {5, 2, 3});
  passes(nn::check(nn::CrossEntropyLoss(), randn({7, 4}), numbers), {"input"});
  CheckOptions constants;
  constants.constants = {2};
  for (const Reduction reduction : {Reduction::Mean, Reduction::Sum, Reduction::None}) {
    for (const double smoothing : {0.0, 0.1}) {
      for (const Tensor& weight : {Tensor(), rand({4}, kFloat64) + 0.5}) {
        CrossEntropyRule::Attrs attrs;
        attrs.reduction = reduction;
        attrs.label_smoothing = smoothing;
        attrs.ignore_index = 2;
        passes(nn::check<CrossEntropyRule>(attrs, draw({7, 4}), numbers, weight, constants), {"x"});
        passes(nn::check<CrossEntropyRule>(attrs, draw({5, 4, 2, 3}), positions, weight, constants), {"x"});
        const Tensor distribution = softmax(draw({7, 4}), 1);
        passes(nn::check<CrossEntropyRule>(attrs, draw({7, 4}), distribution, weight, constants), {"x", "target"});
      }
    }
  }
}

/// A module of a user's own: two inputs, two outputs, a shared parameter, a frozen one, and mixed dtypes.
struct TwoWays : nn::Module {
  nn::Linear first{nullptr}, second{nullptr};
  Tensor scale;
  TwoWays() : first(register_module("first", nn::Linear(4, 3))), second(register_module("second", first)) {
    scale = register_parameter("scale", rand({3}), false);
  }
  std::tuple<Tensor, Tensor> forward(const Tensor& x, Tensor y) { return {first(x) * scale, tanh(second(y)).sum(0)}; }
};

BOOST_AUTO_TEST_CASE(whole_networks) {
  manual_seed(6);
  nn::Sequential net(nn::Linear(6, 8), nn::BatchNorm1d(8), nn::ReLU(nn::ReLUOptions(true)), nn::Dropout(0.3),
                     nn::Linear(8, 5), nn::Tanh(), nn::Linear(5, 3), nn::Sigmoid());
  draw_parameters(*net);
  const std::set<std::string> all = {"input",    "0.weight", "0.bias",   "1.weight", "1.bias",
                                     "4.weight", "4.bias",   "6.weight", "6.bias"};
  const CheckReport report = nn::check(net, randn({9, 6}));
  passes(report, all);
  // The mean takes out what a bias before it adds.
  BOOST_TEST((verdict(report, "0.bias", 1, "contiguous") == Verdict::Zero), report);
  net->eval();
  passes(nn::check(net, randn({9, 6})), all);

  TwoWays module;
  const CheckReport two = nn::check(module, randn({7, 4}), randn({2, 4}, kFloat64));
  BOOST_TEST(two.ok(), two);
  std::set<std::string> variables;
  for (const CheckRow& row : two.rows) variables.insert(row.variable);
  BOOST_TEST((variables == std::set<std::string>{"output 0 [7, 3]", "output 1 [3]", "input 0 [7, 4]", "input 1 [2, 4]",
                                                 "scale [3]", "first.weight [3, 4]", "first.bias [3]", "dy 0 [7, 3]",
                                                 "dy 1 [3]"}),
             two);
  BOOST_TEST(!module.scale.requires_grad());
}

BOOST_AUTO_TEST_CASE(functions_and_large_tensors) {
  manual_seed(7);
  const auto f = [](const std::vector<Tensor>& x) {
    return std::vector<Tensor>{nn::functional::linear(x[0], x[1]).exp()};
  };
  passes(autograd::check_function("exp of linear", f, {draw({3, 4}), draw({2, 4})}), {"input"});

  // More elements than are moved one by one.
  nn::Linear large(50, 40);
  passes(nn::check(large, randn({30, 50})), {"input", "weight", "bias"});
}

// --- What proves nothing, and what can't be checked

BOOST_AUTO_TEST_CASE(zeros_prove_nothing) {
  manual_seed(8);
  // Everything is dropped.
  const CheckReport nothing = nn::check<DropoutRule>(dropout_attrs(1), draw({7, 5}));
  BOOST_TEST(!nothing.ok());
  for (const CheckRow& row : nothing.rows) {
    if (row.order != 0) BOOST_TEST((row.verdict == Verdict::Zero), nothing);
  }
  BOOST_TEST(nothing.to_string().find("NOT OK: no gradient here proves anything\n") != std::string::npos, nothing);
  // Of two values a channel, x_hat is +-1 whatever they are: dL/dx vanishes but for eps.
  nn::BatchNorm1d layer(nn::BatchNormOptions(3).eps(0));
  draw_parameters(*layer);
  const CheckReport two = nn::check(layer, randn({2, 3}));
  BOOST_TEST((verdict(two, "input", 1, "contiguous") == Verdict::Zero), two);
  BOOST_TEST((verdict(two, "weight", 1, "contiguous") == Verdict::Agree), two);
  BOOST_TEST(two.to_string().find("zero: proves nothing") != std::string::npos, two);
  // An upstream gradient that is constant over batch and positions: dx and dgamma vanish. So it is expanded along
  // channels, where they don't.
  BOOST_TEST((verdict(nn::check(nn::BatchNorm1d(3), randn({7, 3})), "input", 1, "expanded") == Verdict::Agree));
}

BOOST_AUTO_TEST_CASE(saturation_is_no_mistake) {
  // Of a sigmoid near 1 little is left of 1 - y, and less of its differences.
  manual_seed(15);
  const auto f = [](const std::vector<Tensor>& x) { return std::vector<Tensor>{sigmoid(x[0] * 0.1 + 14)}; };
  const CheckReport report = autograd::check_function("saturated", f, {draw({7, 3})});
  BOOST_TEST(report.ok(), report);
  BOOST_TEST((verdict(report, "input 0", 1, "contiguous") == Verdict::Coarse), report);
  BOOST_TEST((verdict(report, "input 0", 2, "contiguous") == Verdict::Coarse), report);
  BOOST_TEST(report.to_string().find("agree (finite too coarse)") != std::string::npos, report);
}

BOOST_AUTO_TEST_CASE(a_gradient_too_small_for_finite_differences) {
  const auto f = [](const std::vector<Tensor>& x) { return std::vector<Tensor>{x[0] * 1e-9 + 1e3}; };
  const CheckReport report = autograd::check_function("small", f, {draw({3})});
  BOOST_TEST((verdict(report, "input 0", 1, "contiguous") != Verdict::Agree), report);
  BOOST_TEST((verdict(report, "input 0", 1, "contiguous") != Verdict::FiniteOdd), report);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_checked_is_an_error) {
  const Tensor x = draw({3});
  check_error<GradError>(
      [&] {
        int calls = 0;
        autograd::check_function(
            "f", [&](const auto& t) { return std::vector<Tensor>{t[0] * static_cast<double>(++calls)}; }, {x});
      },
      {"check: f must give the same numbers each time"});
  check_error<GradError>(
      [&] { autograd::check_function("f", [&](const auto& t) { return std::vector<Tensor>{t[0] / 0}; }, {x}); },
      {"check: outputs must be finite"});
  check_error<GradError>(
      [&] { autograd::check_function("f", [&](const auto& t) { return std::vector<Tensor>{t[0].detach()}; }, {x}); },
      {"check: an output must depend on an input or a parameter"});
  check_error<GradError>([&] { autograd::check_function("f", [&](const auto& t) { return t; }, {randint(3, {4})}); },
                         {"check: there must be a floating input or parameter"});
  check_error<ShapeError>([&] { nn::check(nn::Linear(5, 3), randn({7, 4})); }, {"linear"});
}

// --- What a check leaves as it was

/// Fails at a given call of its forward.
struct Failing : nn::Module {
  nn::Linear linear{nullptr};
  nn::BatchNorm1d norm{nullptr};
  nn::Dropout dropout{nullptr};
  int calls = 0, fails_at;
  explicit Failing(int call) : fails_at(call) {
    linear = register_module("linear", nn::Linear(5, 3));
    norm = register_module("norm", nn::BatchNorm1d(3));
    dropout = register_module("dropout", nn::Dropout(0.3));
  }
  Tensor forward(const Tensor& x) {
    if (!linear->weight.is_leaf()) throw ValueError("a parameter must be a leaf");
    const Tensor y = dropout(norm(linear(x)));
    if (++calls == fails_at) throw ValueError("failing on purpose");
    return y;
  }
};

BOOST_AUTO_TEST_CASE(leaves_everything_untouched) {
  manual_seed(9);
  // 0: never. 1: the first forward; 3: the reference's; 4: at order 1; 20: between; 260: at order 2.
  for (const int fails_at : {0, 1, 3, 4, 20, 260}) {
    Failing module(fails_at);
    module.norm->forward(randn({4, 3}));
    const Tensor x = randn({7, 5}).requires_grad_();
    const Tensor kept = module.linear->weight * 2;  // a graph that reads a parameter
    std::vector<Tensor> tensors = {x};
    for (const auto& list : {module.parameters(), module.buffers()})
      tensors.insert(tensors.end(), list.begin(), list.end());
    std::vector<Array> arrays, values, grads;
    std::vector<std::uint64_t> versions;
    for (const Tensor& t : tensors) {
      if (t.requires_grad()) t.mutable_grad() = randn(t.sizes());
      arrays.push_back(t.array());
      values.push_back(t.array().clone());
      grads.push_back(t.requires_grad() ? t.grad().array() : Array());
      versions.push_back(t.version());
    }
    const auto position = core::default_generator().position();
    const std::int64_t created = Node::alive();

    bool well = false;  // an error of the rules is thrown, of the references and at second order reported
    try {
      well = nn::check(module, x).ok();
    } catch (const ValueError&) {
    }
    BOOST_TEST(well == (fails_at == 0));
    BOOST_TEST((fails_at == 0 || module.calls >= fails_at));

    for (std::size_t i = 0; i < tensors.size(); ++i) {
      BOOST_TEST(same(tensors[i].array(), arrays[i]));
      BOOST_TEST(core::equal(tensors[i].array(), values[i]));
      BOOST_TEST(tensors[i].version() == versions[i]);
      BOOST_TEST(tensors[i].is_leaf());
      BOOST_TEST(tensors[i].requires_grad() == grads[i].defined());
      if (grads[i].defined()) BOOST_TEST(same(tensors[i].grad().array(), grads[i]));
    }
    BOOST_TEST((core::default_generator().position() == position));
    BOOST_TEST(Node::alive() == created);
    BOOST_TEST(module.is_training());
    BOOST_TEST(!autograd::UseReferences::active());
    BOOST_TEST(GradMode::is_enabled());
    // And the graph from before, and a new step, do what they should.
    module.fails_at = 0;
    kept.sum().backward();
    module.zero_grad();
    module.forward(x).square().sum().backward();
    BOOST_TEST((module.linear->weight.grad().dtype() == kFloat32));
    BOOST_TEST(module.norm->num_batches_tracked.item<std::int64_t>() == 2);
  }
}

BOOST_AUTO_TEST_CASE(works_where_nothing_is_recorded) {
  const NoGradGuard no_grad;
  passes(nn::check(nn::Linear(5, 3), randn({7, 5})), {"input", "weight", "bias"});
  BOOST_TEST(!GradMode::is_enabled());
}

// --- References

BOOST_AUTO_TEST_CASE(references_contain_no_rule) {
  const auto leaf = [](IntArrayRef shape) { return draw(shape).requires_grad_(); };
  BOOST_TEST((rule_names().count("linear") == 1 && rule_names().count("relu") == 1));
  has_no_rule({LinearRule::reference(leaf({7, 5}), leaf({3, 5}), leaf({3}))});
  has_no_rule({BatchNormRule::reference({}, leaf({7, 3, 2}), leaf({3}), leaf({3}), Tensor(), Tensor())});
  has_no_rule({BatchNormEvalRule::reference({}, leaf({7, 3, 2}), leaf({3}), leaf({3}), draw({3}), rand({3}) + 1)});
  const nn::ConvRule::Attrs conv = {{2, 1}, {1, 0}, {1, 2}, 2};
  has_no_rule({nn::ConvRule::reference(conv, leaf({2, 4, 5, 6}), leaf({6, 2, 3, 2}), leaf({6}))});
  has_no_rule({DropoutRule::reference(dropout_attrs(0.3), leaf({7, 5}))});
  has_no_rule({ReluRule::reference(leaf({7, 5}))});
  has_no_rule({autograd::SoftmaxRule::reference({1}, leaf({7, 5}))});
  has_no_rule({autograd::LogSoftmaxRule::reference({1}, leaf({7, 5}))});
  has_no_rule({nn::MaxPoolRule::reference({{2}, {2}, {0}, {1}}, leaf({7, 5}))});
  has_no_rule({nn::AvgPoolRule::reference({{{2}, {2}, {0}, {1}}, {}}, leaf({7, 5}))});
  has_no_rule({nn::AdaptiveAvgPool2dRule::reference({2, 3}, leaf({2, 3, 5}))});
  has_no_rule({nn::LayerNormRule::reference({{5}}, leaf({7, 5}), leaf({5}), leaf({5}))});
  has_no_rule({nn::EmbeddingRule::reference({}, leaf({7, 5}), randint(7, {4}))});
  nn::AttentionRule::Attrs attention;
  attention.is_causal = true;
  attention.dropout_p = 0.3;
  has_no_rule({nn::AttentionRule::reference(attention, leaf({3, 5}), leaf({4, 5}), leaf({4, 2}), Tensor())});
  has_no_rule({CrossEntropyRule::reference({}, leaf({7, 4}), randint(4, {7}), rand({4}, kFloat64))});
  const Tensor shares = exp(leaf({7, 4}));
  has_no_rule({CrossEntropyRule::reference({}, leaf({7, 4}), shares / shares.sum(1, true), Tensor())});
}

BOOST_AUTO_TEST_CASE(use_references_composes_whole_networks) {
  manual_seed(10);
  nn::Sequential net(nn::Linear(6, 8), nn::BatchNorm1d(8), nn::ReLU(nn::ReLUOptions(true)), nn::Dropout(0.3),
                     nn::Linear(8, 4));
  net->to(kFloat64);
  const Tensor x = draw({9, 6}), target = randint(4, {9});
  const auto loss = [&] {
    core::default_generator().set_position({11, 0});
    return nn::functional::cross_entropy(net(x), target);
  };
  const Tensor by_rules = loss();
  BOOST_TEST(nodes_below({by_rules}).count("batch_norm") == 1u);
  Tensor composed;
  {
    const autograd::UseReferences references;
    composed = loss();
  }
  has_no_rule({composed});
  BOOST_TEST(std::abs(composed.item<double>() - by_rules.item<double>()) < 1e-14);
  BOOST_TEST(nodes_below({loss()}).count("batch_norm") == 1u);
}

BOOST_AUTO_TEST_CASE(second_derivatives_see_the_same_mask_and_move_the_statistics_once) {
  manual_seed(12);
  nn::BatchNorm1d norm(nn::BatchNormOptions(3).momentum(0.1));
  nn::Dropout dropout(0.5);
  norm->to(kFloat64);
  const Tensor x = draw({9, 3}).requires_grad_();
  const auto before = core::default_generator().position();
  const Tensor y = dropout(norm(x).square());
  const auto after = core::default_generator().position();
  const Array mask = dropout->mask().array();
  const Tensor g = autograd::grad({y}, {x}, {ones({9, 3}, kFloat64)}, true, true)[0];
  const Tensor h = autograd::grad({g.square().sum()}, {norm->weight})[0];
  BOOST_TEST(h.defined());
  BOOST_TEST((core::default_generator().position() == after));
  BOOST_TEST(!(before == after));
  BOOST_TEST(core::equal(mask, dropout->mask().array()));
  BOOST_TEST(core::equal(mask, core::bernoulli_mask({9, 3}, 0.5, before)));
  BOOST_TEST(norm->num_batches_tracked.item<std::int64_t>() == 1);
  BOOST_TEST(core::allclose(norm->running_mean.array(), core::mean(x.array(), 0) * 0.1, 1e-12, 1e-15));
  BOOST_TEST(core::allclose(norm->running_var.array(), core::var(x.array(), 0) * 0.1 + 0.9, 1e-12, 1e-15));
}

// --- Invariances

// The same numbers, laid out in another way.
std::vector<Tensor> layouts(const Tensor& x) {
  core::Dims reversed;
  for (std::int64_t d = x.dim() - 1; d >= 0; --d) reversed.push_back(d);
  const Array a = x.array();
  core::Shape shape = a.shape();
  shape.insert(shape.size(), 2);
  const Array sliced = core::zeros(shape, a.dtype()).select(-1, 1).copy_(a);
  return {x, Tensor(a.permute(reversed).contiguous().permute(reversed)), Tensor(sliced)};
}

template <class Rule, class Attrs, class... X>
std::vector<Array> results(const Attrs& attrs, const std::vector<Tensor>& x, const Array& dy, unsigned wanted) {
  std::vector<Tensor> leaves;
  for (std::size_t i = 0; i < x.size(); ++i) {
    leaves.push_back(x[i].defined() ? Tensor(x[i].array()) : Tensor());
    if (wanted >> i & 1u) leaves.back().requires_grad_();
  }
  const auto y = [&]<std::size_t... I>(std::index_sequence<I...>) {
    if constexpr (std::is_same_v<Attrs, autograd::NoAttrs>)
      return autograd::apply<Rule>(leaves[I]...);
    else
      return autograd::apply<Rule>(attrs, leaves[I]...);
  }
  (std::make_index_sequence<static_cast<std::size_t>(autograd::detail::Traits<Rule>::inputs)>{});
  const Tensor first = autograd::detail::as_list(y)[0];
  std::vector<Array> all = {first.array()};
  first.backward(Tensor(dy));
  for (const Tensor& leaf : leaves) {
    all.push_back(leaf.defined() && leaf.requires_grad() ? leaf.grad().array() : Array());
  }
  return all;
}

template <class Rule, class Attrs>
void is_invariant(const Attrs& attrs, const std::vector<Tensor>& x, IntArrayRef y_shape, unsigned differentiable) {
  const Tensor dy = draw(y_shape);
  const std::vector<Array> expected = results<Rule>(attrs, x, dy.array(), differentiable);
  // Every input, and the upstream gradient, in every layout.
  for (std::size_t i = 0; i <= x.size(); ++i) {
    if (i < x.size() && (!x[i].defined() || x[i].dim() == 0)) continue;
    for (const Tensor& other : layouts(i < x.size() ? x[i] : dy)) {
      std::vector<Tensor> inputs = x;
      if (i < x.size()) inputs[i] = other;
      const std::vector<Array> found =
          results<Rule>(attrs, inputs, i < x.size() ? dy.array() : other.array(), differentiable);
      for (std::size_t k = 0; k < expected.size(); ++k) {
        if (expected[k].defined())
          BOOST_TEST(core::allclose(found[k], expected[k], 1e-13, 1e-13), Rule::name << ", input " << i);
      }
    }
  }
  // Stride 0 against the same numbers written out.
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!x[i].defined() || x[i].dim() == 0 || !x[i].is_floating_point()) continue;
    std::vector<Tensor> inputs = x;
    inputs[i] = Tensor(x[i].array().narrow(0, 0, 1).expand(x[i].sizes()));
    const std::vector<Array> found = results<Rule>(attrs, inputs, dy.array(), differentiable);
    inputs[i] = Tensor(inputs[i].array().clone());
    const std::vector<Array> written_out = results<Rule>(attrs, inputs, dy.array(), differentiable);
    for (std::size_t k = 0; k < found.size(); ++k) {
      if (found[k].defined())
        BOOST_TEST(core::allclose(found[k], written_out[k], 1e-12, 1e-12), Rule::name << ", input " << i);
    }
  }
  // Every subset of the inputs: the same bits.
  for (unsigned subset = 1; subset <= differentiable; ++subset) {
    if ((subset & ~differentiable) != 0) continue;
    const std::vector<Array> found = results<Rule>(attrs, x, dy.array(), subset);
    for (std::size_t k = 0; k < found.size(); ++k) {
      if (found[k].defined()) BOOST_TEST(core::equal(found[k], expected[k]), Rule::name << ", subset " << subset);
    }
  }
}

BOOST_AUTO_TEST_CASE(layout_and_subset_do_not_matter) {
  manual_seed(13);
  const autograd::NoAttrs none;
  is_invariant<LinearRule>(none, {draw({7, 5}), draw({3, 5}), draw({3})}, {7, 3}, 7);
  is_invariant<LinearRule>(none, {draw({2, 7, 5}), draw({3, 5}), Tensor()}, {2, 7, 3}, 3);
  is_invariant<ReluRule>(none, {draw({7, 5})}, {7, 5}, 1);
  for (const bool channelwise : {false, true}) {
    is_invariant<DropoutRule>(dropout_attrs(0.3, false, channelwise), {draw({7, 5, 2})}, {7, 5, 2}, 1);
  }
  const Tensor mean = draw({3}), var = rand({3}, kFloat64) + 1;
  for (const std::vector<std::int64_t>& s : std::vector<std::vector<std::int64_t>>{{7, 3}, {5, 3, 4}, {2, 3, 4, 5}}) {
    is_invariant<BatchNormRule>(BatchNormRule::Attrs(), {draw(s), draw({3}), draw({3}), mean, var}, s, 7);
    is_invariant<BatchNormEvalRule>(BatchNormEvalRule::Attrs(), {draw(s), draw({3}), draw({3}), mean, var}, s, 7);
  }
  CrossEntropyRule::Attrs attrs;
  is_invariant<CrossEntropyRule>(attrs, {draw({7, 4}), randint(4, {7}), rand({4}, kFloat64) + 1}, {}, 1);
  attrs.reduction = kNone;
  is_invariant<CrossEntropyRule>(attrs, {draw({3, 4, 5}), softmax(draw({3, 4, 5}), 1), Tensor()}, {3, 5}, 3);
}

// --- The report

BOOST_AUTO_TEST_CASE(the_report_reads_well) {
  manual_seed(14);
  nn::Sequential net({{"a_hidden_layer_with_a_very_long_name", nn::Linear(6, 8)}, {"out", nn::Linear(8, 3)}});
  const CheckReport report = nn::check(net, randn({9, 6}));
  const std::string text = report.to_string();
  std::ostringstream stream;
  stream << report;
  BOOST_TEST(stream.str() == text);
  std::istringstream lines(text);
  std::vector<std::string> all;
  for (std::string line; std::getline(lines, line);) {
    BOOST_TEST(line.size() <= 100u, line);
    BOOST_TEST((line.empty() || line.back() != ' '), line);
    all.push_back(line);
  }
  BOOST_TEST(all[0] == "check of Sequential in training");
  BOOST_TEST(all[2].starts_with("variable "), text);
  BOOST_TEST(all[2].ends_with(" order  upstream      hand-graph  hand-finite  verdict"), text);
  BOOST_TEST(text.find("..") != std::string::npos, text);
  BOOST_TEST(all.back() == "ok: 36 comparisons agree, 3 are of zeros", text);
  BOOST_TEST(!report.explains("anything"));
}

BOOST_AUTO_TEST_SUITE_END()
