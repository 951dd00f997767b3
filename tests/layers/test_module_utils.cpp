// nn::utils on parameters and gradients, averaged models, initial values of Python's, and the summary of a network.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <gradus/torch.h>

#include "../support/arrays.h"

using gradus::ModuleError;
using gradus::ShapeError;
using gradus::ValueError;
using gradus::test::check_error;
using torch::Tensor;
namespace nn = torch::nn;

BOOST_AUTO_TEST_SUITE(module_utils)

BOOST_AUTO_TEST_CASE(parameters_as_a_vector) {
  nn::Sequential net(nn::Linear(3, 2), nn::Linear(2, 1));
  const Tensor flat = nn::utils::parameters_to_vector(net->parameters());
  BOOST_TEST((flat.sizes() == torch::IntArrayRef({11})));
  flat.sum().backward();
  BOOST_TEST(net->parameters()[0].grad().equal(torch::ones({2, 3})));
  const Tensor weight = net->parameters()[0];
  nn::utils::vector_to_parameters(torch::arange(11, torch::kFloat), net->parameters());
  BOOST_TEST(weight.is_same(net->parameters()[0]));
  BOOST_TEST(weight.equal(torch::arange(6, torch::kFloat).reshape({2, 3})));
  BOOST_TEST(net->parameters()[3].item<float>() == 10);
  BOOST_TEST(weight.requires_grad());
  check_error<ShapeError>([&] { nn::utils::vector_to_parameters(torch::ones({12}), net->parameters()); },
                          {"[11]: [12]"});
}

BOOST_AUTO_TEST_CASE(gradients_are_clamped) {
  const Tensor x = torch::zeros({3}).requires_grad_(), none = torch::zeros({1}).requires_grad_();
  (x * torch::tensor({-5.0f, 0.25f, 3.0f})).sum().backward();
  nn::utils::clip_grad_value_({x, none}, 0.5);
  BOOST_TEST(x.grad().equal(torch::tensor({-0.5f, 0.25f, 0.5f})));
  nn::utils::clip_grad_value_(x, 0.125);
  BOOST_TEST(x.grad().equal(torch::tensor({-0.125f, 0.125f, 0.125f})));
  check_error<ValueError>([&] { nn::utils::clip_grad_value_(x, -1); }, {"clip_value must not be negative: -1"});
}

namespace {

struct PlainImpl : nn::Module {  // cannot be cloned
  PlainImpl() { fc = register_module("fc", nn::Linear(2, 1)); }
  Tensor forward(Tensor x) { return fc(x); }
  nn::Linear fc{nullptr};
};

void fill(nn::Module& module, double value) {
  const torch::NoGradGuard no_grad;
  for (const Tensor& p : module.parameters()) p.fill_(value);
}

}  // namespace

BOOST_AUTO_TEST_CASE(averaged_models) {
  nn::Linear net(2, 1);
  nn::AveragedModel equal(net), ema(net, 0.75);
  BOOST_TEST(equal.parameters()[0].equal(net->weight));
  for (const double value : {1.0, 2.0, 6.0}) {
    fill(*net, value);
    equal.update_parameters(net);
    ema.update_parameters(net);
  }
  BOOST_TEST(equal->weight.allclose(torch::full({1, 2}, 3)));
  BOOST_TEST(ema->weight.allclose(torch::full({1, 2}, (1 * 0.75 + 2 * 0.25) * 0.75 + 6 * 0.25)));
  BOOST_TEST(ema(torch::ones({1, 2})).item<float>() == 3 * ema->bias.item<float>());
  BOOST_TEST(ema.n_averaged.item<std::int64_t>() == 3);
  BOOST_TEST(ema.state_dict().keys() == (std::vector<std::string>{"n_averaged", "module.weight", "module.bias"}));
  BOOST_TEST(net->weight.equal(torch::full({1, 2}, 6.0)));
  check_error<ModuleError>([&] { ema.update_parameters(nn::Linear(3, 1)); },
                           {"AveragedModel: parameters and buffers of Linear"});
  check_error<ValueError>([&] { nn::AveragedModel wrong(net, 1.5); }, {"decay must be in [0, 1]: 1.5"});

  const auto plain = std::make_shared<PlainImpl>();
  check_error<ModuleError>([&] { nn::AveragedModel average(plain); }, {"nn::Cloneable"});
  nn::AveragedModel average(plain, std::make_shared<PlainImpl>(), 0.5);
  BOOST_TEST(average->fc->weight.equal(plain->fc->weight));

  // Buffers are those of the model, or averaged as well.
  nn::BatchNorm1d norm(2);
  nn::AveragedModel copied(norm), averaged(norm, nn::AveragedModelOptions().use_buffers(true));
  for (const double value : {2.0, 4.0}) {
    norm->running_mean.fill_(value);
    copied.update_parameters(norm);
    averaged.update_parameters(norm);
  }
  BOOST_TEST(copied->running_mean.equal(torch::full({2}, 4.0)));
  BOOST_TEST(averaged->running_mean.equal(torch::full({2}, 3.0)));
}

BOOST_AUTO_TEST_CASE(initial_values_as_pythons) {
  torch::manual_seed(1);
  for (const std::vector<std::int64_t>& size : {std::vector<std::int64_t>{3, 7}, {7, 3}, {4, 2, 3}}) {
    const Tensor w = nn::init::orthogonal_(torch::empty(size, torch::kDouble), 2);
    const Tensor flat = w.reshape({size[0], -1});
    const Tensor gram = flat.size(0) < flat.size(1) ? flat.mm(flat.t()) : flat.t().mm(flat);
    BOOST_TEST(gram.allclose(torch::eye(gram.size(0), torch::kDouble) * 4));
  }
  check_error<ShapeError>([] { nn::init::orthogonal_(torch::ones({3})); }, {"orthogonal_", "[3]"});

  const Tensor sparse = nn::init::sparse_(torch::empty({10, 4}), 0.25);
  BOOST_TEST((sparse == 0).sum(0).equal(torch::full({4}, 3, torch::kLong)));

  const Tensor dirac = nn::init::dirac_(torch::empty({4, 2, 3, 3}), 2), image = torch::randn({1, 4, 5, 5});
  namespace F = nn::functional;
  BOOST_TEST(F::conv2d(image, dirac, F::Conv2dFuncOptions().padding(1).groups(2)).equal(image));
  BOOST_TEST(nn::init::dirac_(torch::empty({3, 2, 3})).sum().item<float>() == 2);
  check_error<ShapeError>([] { nn::init::dirac_(torch::ones({3, 2})); }, {"3 to 5 dimensions"});
  check_error<ShapeError>(
      [] {
        nn::init::dirac_(torch::ones({3, 2, 1}), 2);
      },
      {"groups must divide", "2 for [3, 2, 1]"});

  const Tensor cut = nn::init::trunc_normal_(torch::empty({20000}, torch::kDouble), 1, 2, 0, 3);
  BOOST_TEST(cut.min().item<double>() >= 0);
  BOOST_TEST(cut.max().item<double>() <= 3);
  // The mean of a normal distribution of mean 1 and deviation 2 between 0 and 3.
  const auto phi = [](double z) { return std::exp(-z * z / 2) / std::sqrt(2 * M_PI); };
  const auto below = [](double z) { return std::erfc(-z / std::sqrt(2.0)) / 2; };
  const double mean = 1 + 2 * (phi(-0.5) - phi(1)) / (below(1) - below(-0.5));
  BOOST_TEST(std::abs(cut.mean().item<double>() - mean) < 0.02);
  check_error<ValueError>([] { nn::init::trunc_normal_(torch::ones({1}), 0, 1, 2, 1); }, {"a=2, b=1"});
}

BOOST_AUTO_TEST_CASE(a_network_as_a_table) {
  nn::Sequential net(nn::Conv2d(nn::Conv2dOptions(1, 4, 3).padding(1)), nn::ReLU(), nn::Flatten(),
                     nn::Sequential(nn::Linear(64, 10), nn::Dropout(0.5)));
  net->at<nn::SequentialImpl>(3).at<nn::LinearImpl>(0).bias.requires_grad_(false);
  net->ptr(1)->eval();
  const nn::Summary s = nn::summary(net, {{2, 1, 4, 4}});
  BOOST_TEST(s.layers.size() == 7u);
  BOOST_TEST(s.parameters == 40 + 650);
  BOOST_TEST(s.trainable == 40 + 640);
  BOOST_TEST(s.layers[1].type == "Conv2d");
  BOOST_TEST(s.layers[1].multiply_adds == 2 * 16 * 4 * 9);
  BOOST_TEST(s.layers[5].path == "3.0");
  BOOST_TEST(s.layers[5].multiply_adds == 2 * 640);
  BOOST_TEST(s.multiply_adds == 2 * 16 * 4 * 9 + 2 * 640);
  BOOST_TEST(s.layers[4].multiply_adds == 2 * 640);
  BOOST_TEST((s.layers[5].outputs == std::vector<std::vector<std::int64_t>>{{2, 10}}));
  BOOST_TEST((s.inputs == std::vector<std::vector<std::int64_t>>{{2, 1, 4, 4}}));
  BOOST_TEST(s.output_bytes == 4 * (128 + 128 + 128 + 20 + 20));
  std::ostringstream stream;
  stream << s;
  BOOST_TEST(
      stream.str() ==
      "layer            output        parameters  multiply-adds  bytes\n"
      "Sequential       [2, 10]              690          2,432  4,456\n"
      "  0: Conv2d      [2, 4, 4, 4]          40          1,152    672\n"
      "  1: ReLU        [2, 4, 4, 4]           0              0    512\n"
      "  2: Flatten     [2, 64]                0              0    512\n"
      "  3: Sequential  [2, 10]              650          1,280  2,760\n"
      "    0: Linear    [2, 10]              650          1,280  2,680\n"
      "    1: Dropout   [2, 10]                0              0     80\n"
      "parameters 690, 680 of them trainable; multiply-adds 2,432; bytes: 2,760 of parameters and buffers, 1,696 of "
      "outputs\n");
  // Nothing is left behind.
  BOOST_TEST(net->is_training());
  BOOST_TEST(!net->ptr(1)->is_training());
  BOOST_TEST(net->ptr(3)->is_training());
  BOOST_TEST(!net->at<nn::SequentialImpl>(3).at<nn::LinearImpl>(0).bias.requires_grad());
  for (const Tensor& p : net->parameters()) BOOST_TEST(!p.grad().defined());
  BOOST_TEST(nn::summary(nn::Embedding(5, 3), torch::tensor({1, 2})).layers[0].outputs[0].back() == 3);
  BOOST_TEST(nn::summary(std::make_shared<PlainImpl>(), {{4, 2}}).multiply_adds == 8);
  check_error<ModuleError>([&] { nn::summary(net, {{1}, {1}, {1}, {1}}); }, {"one to three tensors", "4"});
}

BOOST_AUTO_TEST_CASE(reparametrised_weights_are_pytorchs) {
  const Tensor weight = torch::tensor({3., 4., 1., 2.}, torch::kDouble).reshape({2, 2}),
               x = torch::tensor({1., 2.}, torch::kDouble).reshape({1, 2});
  const auto close = [](const Tensor& a, const std::vector<double>& b) {
    return a.flatten().allclose(torch::tensor(b, torch::kDouble), 0, 1e-4);
  };
  const auto layer = [&] {
    nn::Linear made(nn::LinearOptions(2, 2).bias(false));
    made->to(torch::kDouble);
    const torch::NoGradGuard no_grad;
    made->weight.copy_(weight);
    return made;
  };
  nn::Linear normed = layer(), spectral = layer();
  nn::utils::weight_norm(*normed);
  nn::utils::spectral_norm(*spectral);
  spectral->eval();
  {
    const torch::NoGradGuard no_grad;
    normed->named_parameters()["weight_g"].copy_(torch::tensor({2., 3.}, torch::kDouble).reshape({2, 1}));
    spectral->named_buffers()["weight_u"].copy_(torch::tensor({0.6, 0.8}, torch::kDouble));
    spectral->named_buffers()["weight_v"].copy_(torch::tensor({0.8, 0.6}, torch::kDouble));
  }
  Tensor y = normed(x);
  y.sum().backward();
  BOOST_TEST(close(y, {4.4, 6.7082}));
  BOOST_TEST(close(normed->named_parameters()["weight_g"].grad(), {2.2, 2.2361}));
  BOOST_TEST(close(normed->named_parameters()["weight_v"].grad(), {-0.128, 0.096, 0, 0}));
  y = spectral(x);
  y.sum().backward();
  BOOST_TEST(close(y, {2.4554, 1.1161}));
  BOOST_TEST(close(spectral->named_parameters()["weight_orig"].grad(), {-0.1594, 0.1594, -0.2870, 0.0638}));
}

// Whichever way a layer's own forward is called.
BOOST_AUTO_TEST_CASE(normed_weights_are_computed_by_each_call_of_recurrent_layers) {
  const auto each = [](auto module, const char* weight, const auto& call) {
    const auto half = [](Tensor part) {
      const torch::NoGradGuard no_grad;
      part.mul_(0.5);
    };
    nn::utils::weight_norm(*module, weight);
    call();
    half(module->named_parameters()[std::string(weight) + "_g"]);
    const Tensor y = call();
    y.sum().backward();  // through this call's graph
    call().sum().backward();
    nn::utils::remove_weight_norm(*module, weight);
    BOOST_TEST(y.allclose(call()));
    // Spectral norm moves its vectors once a call.
    nn::utils::spectral_norm(*module, weight, 1, 1e-12);
    Tensor u = module->named_buffers()[std::string(weight) + "_u"], before = u.clone();
    half(module->named_parameters()[std::string(weight) + "_orig"]);
    {
      const torch::NoGradGuard no_grad;
      u.copy_(torch::ones_like(u) / std::sqrt(static_cast<double>(u.numel())));
    }
    call();
    BOOST_TEST(!u.allclose(before, 0, 1e-9));
    module->eval();
    const Tensor kept = u.clone();
    call();
    BOOST_TEST(u.equal(kept));
  };
  const Tensor x = torch::randn({3, 2, 4}), state = torch::zeros({2, 4});
  const auto packed = nn::utils::rnn::pack_padded_sequence(x, torch::tensor({3, 2}));
  nn::LSTM lstm(4, 4);
  each(lstm, "weight_ih_l0", [&] { return std::get<0>(lstm->forward_with_packed_input(packed)).data(); });
  nn::GRU gru(4, 4);
  each(gru, "weight_hh_l0", [&] { return std::get<0>(gru->forward_with_packed_input(packed)).data(); });
  nn::RNN rnn(4, 4);
  each(rnn, "weight_hh_l0", [&] { return std::get<0>(rnn->forward(x)); });
  nn::GRUCell cell(4, 4);
  each(cell, "weight_ih", [&] { return cell->forward(x[0], state); });
  nn::MultiheadAttention attention(4, 2);
  each(attention, "in_proj_weight", [&] { return std::get<0>(attention->forward(x, x, x)); });

  // Not twice where the holder's call has done it.
  nn::LSTM once(4, 4), plain = nn::LSTM(std::dynamic_pointer_cast<nn::LSTMImpl>(once->clone()));
  const auto apply_norm = [](nn::LSTM& module) { nn::utils::spectral_norm(*module, "weight_ih_l0"); };
  torch::manual_seed(3);
  apply_norm(once);
  torch::manual_seed(3);
  apply_norm(plain);
  for (const char* buffer : {"weight_ih_l0_u", "weight_ih_l0_v"}) {
    const torch::NoGradGuard no_grad;
    for (const nn::LSTM& module : {once, plain}) {
      Tensor vector = module->named_buffers()[buffer];
      vector.copy_(torch::arange(1, vector.numel() + 1).to(torch::kFloat));
      vector.div_(vector.norm());
    }
  }
  once(x);
  plain->forward(x);
  BOOST_TEST(once->named_buffers()["weight_ih_l0_u"].equal(plain->named_buffers()["weight_ih_l0_u"]));
}

BOOST_AUTO_TEST_CASE(a_layers_parameter_that_was_assigned_to_is_noticed) {
  const auto noticed = [](auto module, auto member, const char* name) {
    Tensor& parameter = (*module).*member;
    BOOST_REQUIRE(parameter.is_same(module->named_parameters()[name]));
    module->check_members();
    const Tensor before = parameter;
    parameter = before.detach().clone();
    check_error<ModuleError>([&] { module->check_members(); }, {"'" + std::string(name) + "' must stay the tensor"});
    // What another module has registered is learned and saved there.
    auto other = std::dynamic_pointer_cast<typename decltype(module)::ContainedType>(module->clone());
    parameter = (*other).*member;
    module->check_members();
    parameter = before;
    module->check_members();
  };
  noticed(nn::Linear(3, 2), &nn::LinearImpl::weight, "weight");
  noticed(nn::Linear(3, 2), &nn::LinearImpl::bias, "bias");
  noticed(nn::Bilinear(2, 2, 2), &nn::BilinearImpl::weight, "weight");
  noticed(nn::Conv2d(1, 2, 3), &nn::Conv2dImpl::weight, "weight");
  noticed(nn::ConvTranspose1d(1, 2, 3), &nn::ConvTranspose1dImpl::bias, "bias");
  noticed(nn::Embedding(3, 2), &nn::EmbeddingImpl::weight, "weight");
  noticed(nn::EmbeddingBag(3, 2), &nn::EmbeddingBagImpl::weight, "weight");
  noticed(nn::BatchNorm1d(3), &nn::BatchNorm1dImpl::weight, "weight");
  noticed(nn::InstanceNorm2d(nn::InstanceNormOptions(3).affine(true)), &nn::InstanceNorm2dImpl::bias, "bias");
  noticed(nn::LayerNorm(nn::LayerNormOptions({3})), &nn::LayerNormImpl::weight, "weight");
  noticed(nn::GroupNorm(1, 3), &nn::GroupNormImpl::bias, "bias");
  noticed(nn::PReLU(), &nn::PReLUImpl::weight, "weight");
  noticed(nn::LSTMCell(2, 3), &nn::LSTMCellImpl::weight_hh, "weight_hh");
  noticed(nn::MultiheadAttention(4, 2), &nn::MultiheadAttentionImpl::in_proj_weight, "in_proj_weight");
  nn::Linear without(nn::LinearOptions(2, 2).bias(false));
  without->check_members();
  without->bias = torch::zeros({2});
  check_error<ModuleError>([&] { without->check_members(); }, {"'bias' must stay"});
}

BOOST_AUTO_TEST_SUITE_END()
