// functional_call: layers/module/functional_call.h.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <gradus/gradus.h>

#include "../support/arrays.h"

namespace gradus::test {
namespace {

bool same(const Tensor& a, const Tensor& b) { return a.sizes() == b.sizes() && (a == b).all().item<bool>(); }

std::vector<Tensor> copies(const std::vector<Tensor>& tensors) {
  std::vector<Tensor> all;
  for (const Tensor& x : tensors) all.push_back(x.detach().clone());
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(functional_call)

BOOST_AUTO_TEST_CASE(is_the_module_with_other_numbers) {
  manual_seed(1);
  nn::Sequential net(nn::Linear(3, 4), nn::Tanh(), nn::Linear(4, 2)),
      other(nn::Linear(3, 4), nn::Tanh(), nn::Linear(4, 2));
  const Tensor x = randn({5, 3});
  const std::vector<Tensor> before = copies(net->parameters());
  const Tensor expected = other->forward(x).detach();
  BOOST_TEST(same(nn::functional_call(net, other->named_parameters(), x), expected));
  BOOST_TEST(same(func::functional_call(*net, other->parameters(), x), expected));
  for (std::size_t i = 0; i < before.size(); ++i) {
    const Tensor now = net->parameters()[i];
    BOOST_TEST(same(now, before[i]));
    BOOST_TEST(now.is_leaf());
    BOOST_TEST(now.requires_grad());
  }
  // Gradients come to what was given, and to nobody else.
  nn::functional_call(net, other->parameters(), x).sum().backward();
  for (const Tensor& p : net->parameters()) BOOST_TEST(!p.grad().defined());
  const std::vector<Tensor> gradients = [&] {
    std::vector<Tensor> all;
    for (const Tensor& p : other->parameters()) all.push_back(p.grad().clone());
    other->zero_grad();
    other->forward(x).sum().backward();
    return all;
  }();
  for (std::size_t i = 0; i < gradients.size(); ++i) BOOST_TEST(same(other->parameters()[i].grad(), gradients[i]));
  // A part of them, by name.
  nn::NamedTensors bias;
  bias.insert("2.bias", zeros(2));
  const Tensor without = nn::functional_call(net, bias, x), with = net->forward(x);
  BOOST_TEST(((with - without) - net->parameters()[3]).abs().max().item<double>() < 1e-6);
}

BOOST_AUTO_TEST_CASE(gradients_and_hessians_by_parameters) {
  manual_seed(2);
  nn::Sequential net(nn::Linear(2, 3), nn::Tanh(), nn::Linear(3, 1));
  net->to(kDouble);
  const Tensor x = randn({4, 2}, kDouble);
  const auto loss = [&](const std::vector<Tensor>& p) { return func::functional_call(net, p, x).square().mean(); };
  const std::vector<Tensor> p = net->parameters();
  const std::vector<Tensor> gradients = func::grad(loss, std::vector<int>{0, 1, 2, 3})(p);
  net->forward(x).square().mean().backward();
  for (std::size_t i = 0; i < p.size(); ++i) {
    BOOST_TEST((gradients[i] - p[i].grad()).abs().max().item<double>() < 1e-14);
  }
  const Tensor forward = func::hessian(loss, 0)(p), reverse = func::jacrev(func::grad(loss, 0), 0)(p);
  BOOST_TEST((forward - reverse).abs().max().item<double>() < 1e-13);
  BOOST_TEST(forward.abs().max().item<double>() > 1e-3);
}

BOOST_AUTO_TEST_CASE(the_module_is_as_before_after_an_exception) {
  nn::Linear linear(3, 2);
  const std::vector<Tensor> before = copies(linear->parameters());
  const std::vector<Tensor> others = {ones({2, 3}), zeros(2)};
  BOOST_CHECK_THROW(nn::functional_call(linear, others, ones({1, 7})), ShapeError);
  for (std::size_t i = 0; i < 2; ++i) BOOST_TEST(same(linear->parameters()[i], before[i]));
  BOOST_TEST(same(linear(ones({1, 3})), (before[0].sum(1) + before[1]).unsqueeze(0)));
}

BOOST_AUTO_TEST_CASE(buffers_are_those_given_or_copies) {
  nn::BatchNorm1d norm(2);
  const Tensor x = tensor({1.0, 2.0, 3.0, 5.0}).view({2, 2});
  const nn::NamedTensors state = norm->state_dict();
  const Tensor y = nn::functional_call(norm, norm->parameters(), x);
  BOOST_TEST(same(norm->running_mean, zeros(2)));
  BOOST_TEST(norm->num_batches_tracked.item<int>() == 0);
  nn::NamedTensors given;
  given.insert("running_mean", full(2, 1.0));
  BOOST_TEST(same(nn::functional_call(norm, given, x), y));
  BOOST_TEST(same(norm->running_mean, zeros(2)));
  BOOST_TEST((given["running_mean"] - tensor({1.1, 1.25})).abs().max().item<double>() < 1e-6);
  BOOST_TEST(same(norm(x), y));
  BOOST_TEST(norm->num_batches_tracked.item<int>() == 1);
}

BOOST_AUTO_TEST_CASE(tied_parameters_follow) {
  struct Tied : nn::Module {
    Tensor weight, again;
    Tied() {
      weight = register_parameter("weight", ones({2, 2}));
      again = register_parameter("again", weight);
    }
    Tensor forward(const Tensor& x) { return x.matmul(weight).matmul(again); }
  } tied;
  nn::NamedTensors one, two;
  const Tensor w = full({2, 2}, 2.0);
  one.insert("again", w);
  two.insert("weight", w);
  two.insert("again", w);
  const Tensor x = ones({1, 2});
  BOOST_TEST(same(nn::functional_call(tied, one, x), full({1, 2}, 16.0)));
  BOOST_TEST(same(nn::functional_call(tied, two, x), full({1, 2}, 16.0)));
  nn::NamedTensors different;
  different.insert("weight", w);
  different.insert("again", w.clone());
  check_error<ModuleError>([&] { nn::functional_call(tied, different, x); }, {"'again' is another's, too"});
}

BOOST_AUTO_TEST_CASE(tensors_may_be_the_modules_own) {
  struct Two : nn::Module {
    Tensor a, b;
    Two() {
      a = register_parameter("a", full(2, 3.0));
      b = register_parameter("b", full(2, 5.0));
    }
    Tensor forward(const Tensor& x) { return a * x - b; }
  } two;
  BOOST_TEST(same(nn::functional_call(two, std::vector<Tensor>{two.b, two.a}, ones(2)), full(2, 2.0)));
  BOOST_TEST(same(two.forward(ones(2)), full(2, -2.0)));
}

BOOST_AUTO_TEST_CASE(wrong_use) {
  nn::Linear linear(3, 2);
  nn::NamedTensors unknown, wide;
  unknown.insert("wieght", ones({2, 3}));
  wide.insert("weight", ones({2, 4}));
  const Tensor x = ones({1, 3});
  check_error<ModuleError>([&] { nn::functional_call(linear, unknown, x); }, {"it has no 'wieght'", "state_dict()"});
  check_error<ShapeError>([&] { nn::functional_call(linear, wide, x); },
                          {"functional_call: 'weight' must keep its shape: [2, 4] for [2, 3]"});
  check_error<ModuleError>([&] { nn::functional_call(linear, std::vector<Tensor>{x}, x); },
                           {"there must be a tensor for each parameter of Linear: 1 for 2"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
