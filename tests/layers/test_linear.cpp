// Linear against PyTorch, by hand and through the graph; its initial values; wrong use.
#include <boost/test/unit_test.hpp>

#include <cmath>

#include <gradus/autograd/tensor/create.h>
#include <gradus/autograd/graph/engine.h>
#include <gradus/autograd/check/gradcheck.h>
#include <gradus/layers/functional.h>

#include "../support/pytorch.h"
#include "../support/threads.h"

using namespace gradus;
using core::Array;
using test::check_close;
using test::check_error;
using test::PyTorchFile;
using test::same_bits;
namespace F = nn::functional;

namespace {

Array array_of(const Tensor& t) { return t.defined() ? t.array() : Array(); }

/// A step that must work: what is used after each error.
void check_step(nn::Linear& layer) {
  const Tensor x = randn({3, layer->options.in_features()}, kFloat64);
  layer->to(kFloat64);
  layer->zero_grad();
  const Tensor z = layer(x);
  z.sum().backward();
  BOOST_TEST(z.sizes().vec() == (std::vector<std::int64_t>{3, layer->options.out_features()}));
  check_close(layer->bias.grad(), full({layer->options.out_features()}, 3, kFloat64), 1e-15, "a step after an error");
  layer->to(kFloat32);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(linear)

BOOST_AUTO_TEST_CASE(agrees_with_pytorch) {
  const PyTorchFile file("layers");
  const std::vector<std::string> cases = file.cases("linear_");
  BOOST_TEST(cases.size() == 12u);
  for (const std::string& c : cases) {
    const Tensor x = file[c + "/x"].requires_grad_(), weight = file[c + "/weight"].requires_grad_();
    const Tensor bias = file.get(c + "/bias"), dy = file[c + "/dy"];
    if (bias.defined()) bias.requires_grad_();

    const Tensor y = F::linear(x, weight, bias);
    y.backward(dy);
    file.check(y, c + "/y");
    file.check(x.grad(), c + "/dx");
    file.check(weight.grad(), c + "/dweight");
    if (bias.defined()) file.check(bias.grad(), c + "/dbias");

    // The reference.
    const Tensor reference = nn::LinearRule::reference(x, weight, bias);
    file.check(reference, c + "/y");
    std::vector<Tensor> inputs = {x, weight};
    if (bias.defined()) inputs.push_back(bias);
    const std::vector<Tensor> gradients = autograd::grad({reference}, inputs, {dy});
    file.check(gradients[0], c + "/dx");
    file.check(gradients[1], c + "/dweight");
    if (bias.defined()) file.check(gradients[2], c + "/dbias");

    // By hand, without a graph: the same bits.
    const Array z = nn::LinearRule::forward(x.array(), weight.array(), array_of(bias));
    const auto g = nn::LinearRule::backward({}, dy.array(), x.array(), weight.array());
    BOOST_TEST(same_bits(z, y.array()), c);
    BOOST_TEST(same_bits(g[0], x.grad().array()), c);
    BOOST_TEST(same_bits(g[1], weight.grad().array()), c);
    if (bias.defined()) BOOST_TEST(same_bits(g[2], bias.grad().array()), c);
  }
}

BOOST_AUTO_TEST_CASE(the_bias_gradient_is_the_sum_over_all_leading_dimensions) {
  nn::Linear layer(3, 2);
  layer(ones({4, 5, 3})).sum().backward();
  BOOST_TEST(test::values(layer->bias.grad().array()) == (std::vector<double>{20, 20}));
  BOOST_TEST(test::values(layer->weight.grad().array()) == std::vector<double>(6, 20.0));
}

BOOST_AUTO_TEST_CASE(a_module_is_the_function_of_its_parameters) {
  nn::Linear layer(nn::LinearOptions(5, 3));
  const Tensor x = randn({4, 5});
  BOOST_TEST(same_bits(layer(x).array(), F::linear(x, layer->weight, layer->bias).array()));
  BOOST_TEST(layer->named_parameters().keys() == (std::vector<std::string>{"weight", "bias"}));

  nn::Linear without(nn::LinearOptions(5, 3).bias(false));
  BOOST_TEST(!without->bias.defined());
  BOOST_TEST(without->parameters().size() == 1u);
  BOOST_TEST(same_bits(without(x).array(), F::linear(x, without->weight).array()));
}

BOOST_AUTO_TEST_CASE(starts_uniform_in_one_over_the_root_of_in_features) {
  manual_seed(1);
  const std::int64_t m = 400, n = 300;
  nn::Linear layer(m, n);
  const double bound = 1 / std::sqrt(400.0);
  for (const Tensor& p : layer->parameters()) {
    double largest = 0, sum = 0, squares = 0;
    for (double v : test::values(p.array())) {
      largest = std::max(largest, std::abs(v));
      sum += v;
      squares += v * v;
    }
    const auto count = static_cast<double>(p.numel());
    BOOST_TEST(largest <= bound);
    BOOST_TEST(largest > 0.97 * bound);
    const double deviation = bound / std::sqrt(3.0);
    BOOST_TEST(std::abs(sum / count) <= 5 * deviation / std::sqrt(count));
    // The square of a uniform number in +-b has mean b^2/3 and deviation b^2 sqrt(4/45).
    BOOST_TEST(std::abs(squares / count - deviation * deviation) <= 5 * bound * bound * std::sqrt(4.0 / 45 / count));
  }
  const Tensor before = layer->weight.clone();
  layer->reset_parameters();
  BOOST_TEST(!same_bits(layer->weight.array(), before.array()));
  manual_seed(1);
  BOOST_TEST(same_bits(nn::Linear(m, n)->weight.array(), before.array()));
}

BOOST_AUTO_TEST_CASE(empty_batches_and_empty_sizes) {
  nn::Linear layer(3, 2);
  const Tensor x = zeros({0, 3}).requires_grad_();
  const Tensor z = layer(x);
  BOOST_TEST(z.sizes().vec() == (std::vector<std::int64_t>{0, 2}));
  z.sum().backward();
  BOOST_TEST(x.grad().sizes().vec() == (std::vector<std::int64_t>{0, 3}));
  BOOST_TEST(test::values(layer->weight.grad().array()) == std::vector<double>(6, 0.0));
  BOOST_TEST(test::values(layer->bias.grad().array()) == std::vector<double>(2, 0.0));

  nn::Linear from_nothing(0, 2);  // no input: the bias, which starts at 0
  BOOST_TEST(test::values(from_nothing(zeros({4, 0})).array()) == std::vector<double>(8, 0.0));
  from_nothing(zeros({4, 0})).sum().backward();
  BOOST_TEST(test::values(from_nothing->bias.grad().array()) == std::vector<double>(2, 4.0));
}

BOOST_AUTO_TEST_CASE(layout_and_subsets_of_gradients_change_nothing) {
  const Tensor x = randn({6, 5}), weight = randn({3, 5}), bias = randn({3}), dz = randn({6, 3});
  const Array z = nn::LinearRule::forward(x.array(), weight.array(), bias.array());
  const auto all = nn::LinearRule::backward({}, dz.array(), x.array(), weight.array());
  const auto transposed = [](const Tensor& t) { return t.t().contiguous().t().array(); };
  const auto sliced = [](const Tensor& t) {
    const Tensor wide = zeros({t.size(0), 2 * t.size(1)});
    wide.slice(1, 0, {}, 2).copy_(t);
    return wide.slice(1, 0, {}, 2).array();
  };
  BOOST_TEST(same_bits(nn::LinearRule::forward(transposed(x), sliced(weight), bias.array()), z));
  BOOST_TEST(same_bits(nn::LinearRule::forward(sliced(x), transposed(weight), bias.array()), z));
  const auto strided = nn::LinearRule::backward({}, transposed(dz), sliced(x), transposed(weight));
  for (std::size_t i = 0; i < 3; ++i) BOOST_TEST(same_bits(strided[i], all[i]));
  for (std::uint32_t mask = 0; mask < 8; ++mask) {
    const auto some = nn::LinearRule::backward(autograd::Needs(mask), dz.array(), x.array(), weight.array());
    for (int i = 0; i < 3; ++i) {
      const auto at = static_cast<std::size_t>(i);
      BOOST_TEST(some[at].defined() == (((mask >> i) & 1u) != 0));
      if (some[at].defined()) BOOST_TEST(same_bits(some[at], all[at]));
    }
  }
}

BOOST_AUTO_TEST_CASE(second_order_goes_through_the_reference) {
  for (const bool with_bias : {true, false}) {
    const auto f = [with_bias](const std::vector<Tensor>& in) {
      return std::vector<Tensor>{F::linear(in[0], in[1], with_bias ? in[2] : Tensor()).square()};
    };
    std::vector<Tensor> inputs = {randn({4, 3}, kFloat64), randn({2, 3}, kFloat64), randn({2}, kFloat64)};
    if (!with_bias) inputs.pop_back();
    for (const Tensor& t : inputs) t.requires_grad_();
    BOOST_TEST(gradcheck(f, inputs));
    BOOST_TEST(gradgradcheck(f, inputs));
  }
}

BOOST_AUTO_TEST_CASE(the_same_bits_at_any_number_of_threads) {
  const Array x = randn({300, 400}).array(), w = randn({350, 400}).array(), dz = randn({300, 350}).array();
  std::vector<Array> first;
  test::ManyThreads().each([&] {
    const auto g = nn::LinearRule::backward({}, dz, x, w);
    const std::vector<Array> now = {nn::LinearRule::forward(x, w, Array()), g[0], g[1], g[2]};
    if (first.empty()) first = now;
    for (std::size_t i = 0; i < now.size(); ++i) BOOST_REQUIRE(same_bits(now[i], first[i]));
  });
}

BOOST_AUTO_TEST_CASE(wrong_use_is_said_and_harms_nothing) {
  nn::Linear layer(5, 2);
  check_error<ShapeError>(
      [&] {
        layer(randn({4, 3}));
      },
      {"linear: input's last size must be in_features: [4, 3] for in_features = 5"});
  check_step(layer);
  check_error<ShapeError>([&] { layer(randn({})); }, {"linear: input's last size", "[] for in_features = 5"});
  check_step(layer);
  check_error<Error>([&] { layer(Tensor()); }, {"linear: input must be defined"});
  check_step(layer);
  check_error<DTypeError>([&] { layer(randn({4, 5}, kFloat64)); }, {"linear:", "float64, float32 and float32", "to()"});
  check_step(layer);
  check_error<DTypeError>([&] { layer(ones({4, 5}, kInt64)); }, {"linear:", "int64, float32"});
  check_step(layer);
  check_error<ShapeError>(
      [&] {
        F::linear(randn({4, 5}), randn({2, 5}), randn({3}));
      },
      {"linear: bias must be [out_features]: [3] for [2]"});
  check_error<ShapeError>([&] { F::linear(randn({4, 5}), randn({5})); }, {"linear: weight must be", "[5]"});
  check_error<ValueError>([] { nn::Linear(-1, 2); }, {"Linear:", "in_features -1, out_features 2"});
}

BOOST_AUTO_TEST_CASE(errors_of_the_graph_name_the_layer_and_the_users_line) {
  nn::Linear layer(3, 2);
  const Tensor x = randn({4, 3});
  const Tensor z = layer(x);
  const int line = __LINE__ - 1;
  BOOST_TEST(std::string(z.grad_fn()->name()) == "linear");
  BOOST_TEST(z.grad_fn()->location().line() == line);
  const Tensor forwarded = layer->forward(x);
  const int second = __LINE__ - 1;
  BOOST_TEST(forwarded.grad_fn()->location().line() == second);
  {
    const NoGradGuard no_grad;
    layer->weight.mul_(2);
  }
  check_error<GradError>([&] { z.sum().backward(); }, {"linear", "mul_", "must not be changed"});
}

BOOST_AUTO_TEST_SUITE_END()
