// Derivatives of whole networks against torch.func's: tests/reference/make_func.py.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <gradus/gradus.h>

#include "../support/pytorch.h"

namespace gradus::test {
namespace {

using Tensors = std::vector<Tensor>;

// A network as a function of its input and its parameters, "x" and the others by name.
template <class Loss>
void check_network(const std::string& name, nn::Sequential net, const Loss& loss_of) {
  const PyTorchFile file("func");
  net->to(kDouble);
  std::vector<std::string> names{"x"};
  Tensors inputs{file[name + "/x"]}, tangents{file[name + "/t.x"]};
  for (const auto& [parameter, tensor] : net->named_parameters()) {
    names.push_back(parameter);
    inputs.push_back(file[name + "/p." + parameter]);
    tangents.push_back(file[name + "/t." + parameter]);
  }
  const auto value = [&](const Tensors& v) {
    return func::functional_call(net, Tensors(v.begin() + 1, v.end()), v[0]);
  };
  const auto loss = [&](const Tensors& v) { return loss_of(value(v), file[name + "/target"]); };
  std::vector<int> each;
  for (std::size_t i = 0; i < names.size(); ++i) each.push_back(static_cast<int>(i));

  // Beside 1, as some are 0: by a bias before a BatchNorm.
  const auto check = [&](const Tensor& a, const std::string& what) {
    const Tensor b = file[what];
    BOOST_REQUIRE(a.sizes() == b.sizes());
    BOOST_TEST((a - b).abs().max().item<double>() < 1e-12 * (1 + b.abs().max().item<double>()), what);
  };
  const auto [y, tangent] = func::jvp(value, inputs, tangents);
  check(y, name + "/y");
  check(tangent, name + "/ty");
  const Tensors rows = func::jacrev(value, each)(inputs), columns = func::jacfwd(value, each)(inputs);
  const Tensors gradients = func::grad(loss, each)(inputs);
  for (std::size_t i = 0; i < names.size(); ++i) {
    check(rows[i], name + "/J." + names[i]);
    check(columns[i], name + "/J." + names[i]);
    check(gradients[i], name + "/g." + names[i]);
  }
  int compared = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    for (std::size_t j = 0; j < names.size(); ++j) {
      const std::string block = name + "/H." + names[i] + "." + names[j];
      if (!file.has(block)) continue;
      ++compared;
      const std::vector<int> both =
          i == j ? std::vector<int>{static_cast<int>(i)} : std::vector<int>{static_cast<int>(i), static_cast<int>(j)};
      check(func::hessian(loss, both)(inputs)[0].back(), block);
      check(func::jacrev(func::grad(loss, both), both)(inputs)[0].back(), block);
    }
  }
  BOOST_TEST(compared >= 5);
  for (const auto& [buffer, tensor] : net->named_buffers()) {
    if (buffer == "1.running_mean") BOOST_TEST(tensor.abs().max().template item<double>() == 0);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(func_networks)

BOOST_AUTO_TEST_CASE(of_linear_and_batch_norm) {
  check_network("mlp", nn::Sequential(nn::Linear(3, 4), nn::BatchNorm1d(4), nn::Tanh(), nn::Linear(4, 2)),
                [](const Tensor& y, const Tensor& target) { return nn::functional::mse_loss(y, target); });
}

BOOST_AUTO_TEST_CASE(convolutional) {
  check_network("conv",
                nn::Sequential(nn::Conv2d(nn::Conv2dOptions(1, 2, 3).padding(1)), nn::Softplus(), nn::MaxPool2d(2),
                               nn::Conv2d(2, 2, 2), nn::Softplus(), nn::Flatten(), nn::Linear(8, 3)),
                [](const Tensor& y, const Tensor& target) { return nn::functional::cross_entropy(y, target); });
}

// Of results that all examples share: each row of a Jacobian is a backward of its own, and all go at once.
BOOST_AUTO_TEST_CASE(many_backwards_of_one_forward_go_at_once) {
  manual_seed(8);
  const Tensor x = randn({2, 4, 7, 6}, kDouble).requires_grad_(), w = randn({6, 2, 3, 2}, kDouble).requires_grad_(),
               v = randn({4, 3, 2, 3}, kDouble).requires_grad_(), b = randn({6}, kDouble).requires_grad_();
  const auto check = [](const char* name, const Tensor& y, const std::vector<Tensor>& of) {
    const Tensor dys = randn_like(stack({y, y, y, y, y}).detach());
    const std::vector<Tensor> all =
        func::vmap([&](const Tensor& dy) { return autograd::grad({y}, of, {dy}, true); })(dys);
    for (std::size_t k = 0; k < of.size(); ++k) {
      for (std::int64_t i = 0; i < 5; ++i) {
        const Tensor one = autograd::grad({y}, of, {dys[i]}, true)[k];
        BOOST_TEST(allclose(all[k][i], one, 1e-12, 1e-12), name << ", gradient " << k << " of row " << i);
      }
    }
  };
  check("conv", conv2d(x, w, b, {2, 1}, {1, 0}, {1, 2}, 2), {x, w, b});
  check("conv_transpose", conv_transpose2d(x, v, b, {2, 1}, 1, {1, 0}, 2), {x, v, b});
  check("max_pool", max_pool2d(x, 3, 2, 1), {x});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
