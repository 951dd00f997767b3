// Hooks on modules, parameters that are computed (weight and spectral norm), what modules override, and apply in its forms.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <memory>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include <gradus/torch.h>

#include "../support/arrays.h"

using gradus::ModuleError;
using gradus::test::check_error;
using torch::Tensor;
namespace nn = torch::nn;

namespace {

using Tensors = std::vector<Tensor>;

struct NetImpl : nn::Cloneable<NetImpl> {
  NetImpl() { NetImpl::reset(); }
  void reset() override {
    fc = register_module("fc", nn::Linear(3, 2));
    act = register_module("act", nn::Tanh());
  }
  Tensor forward(Tensor x) { return act(fc->forward(x)); }
  nn::Linear fc{nullptr};
  nn::Tanh act{nullptr};
};
TORCH_MODULE(Net);

struct PairImpl : nn::Module {
  std::tuple<Tensor, std::vector<Tensor>> forward(Tensor x, bool twice) { return {twice ? x * 2 : x, {x + 1, x + 2}}; }
};
TORCH_MODULE(Pair);

double number(const Tensor& x) { return x.sum().item<double>(); }

}  // namespace

BOOST_AUTO_TEST_SUITE(hooks)

BOOST_AUTO_TEST_CASE(forward_hooks_see_and_replace) {
  Net net;
  std::vector<std::string> seen;
  auto before = net->register_forward_pre_hook([&](nn::Module& m, const Tensors& in) {
    seen.push_back("before " + m.name() + " " + std::to_string(in.size()));
  });
  auto after = net->fc->register_forward_hook([&](nn::Module& m, const Tensors& in, const Tensor& out) {
    seen.push_back("after " + m.name() + " " + std::to_string(in[0].size(1)) + " " + std::to_string(out.size(1)));
  });
  const Tensor x = torch::ones({4, 3});
  const Tensor y = net(x);  // the layer's own forward is called by the network: seen, too
  BOOST_TEST(seen == (std::vector<std::string>{"before Net 1", "after Linear 3 2"}), boost::test_tools::per_element());
  net->forward(x);  // the network's own: not seen, the layer in it is
  BOOST_TEST(seen.size() == 3u);
  nn::AnyModule(net).forward(x);
  nn::Sequential seq(net);
  BOOST_TEST(seq(x).equal(y));
  BOOST_TEST(seen.size() == 7u);

  auto replaced =
      net->fc->register_forward_hook([](nn::Module&, const Tensors&, const Tensor& out) { return out * 0; });
  BOOST_TEST(number(net(x)) == 0);
  auto input = net->fc->register_forward_pre_hook([](nn::Module&, const Tensors& in) { return Tensors{in[0] * 2}; });
  replaced.remove();
  replaced.remove();
  BOOST_TEST(net(x).allclose(torch::tanh(net->fc->forward(x))));
  BOOST_TEST(!net(x).allclose(y));
  input.remove();
  before.remove();
  after.remove();
  seen.clear();
  BOOST_TEST(net(x).equal(y));
  BOOST_TEST(seen.empty());

  check_error<ModuleError>(
      [&] {
        net->register_forward_pre_hook([](nn::Module&, const Tensors& in) { return Tensors{in[0], in[0]}; });
        net(x);
      },
      {"register_forward_pre_hook: a hook must return as many tensors as it is given, or nothing: 2 for 1"});
}

BOOST_AUTO_TEST_CASE(results_of_several_tensors) {
  Pair pair;
  std::size_t inputs = 0, outputs = 0;
  auto handle = pair->register_forward_hook([&](nn::Module&, const Tensors& in, const Tensors& out) {
    inputs = in.size();
    outputs = out.size();
    return Tensors{out[2], out[1], out[0]};
  });
  const auto [y, list] = pair(torch::zeros({1}), true);
  BOOST_TEST(inputs == 1u);
  BOOST_TEST(outputs == 3u);
  BOOST_TEST(number(y) == 2);
  BOOST_TEST(number(list[1]) == 0);
  BOOST_TEST(number(std::get<0>(nn::AnyModule(pair).forward<std::tuple<Tensor, Tensors>>(torch::zeros({1}), true))) ==
             2);
  handle.remove();
  pair->register_forward_hook([](nn::Module&, const Tensors&, const Tensor&) {});
  check_error<ModuleError>([&] { pair(torch::zeros({1}), true); }, {"must see one result: 3 came"});
}

BOOST_AUTO_TEST_CASE(hooks_go_with_copies) {
  Net net;
  int calls = 0;
  auto handle = net->fc->register_forward_hook([&](nn::Module&, const Tensors&, const Tensor&) { ++calls; });
  const auto copy = std::dynamic_pointer_cast<NetImpl>(net->clone());
  handle.remove();
  net(torch::ones({1, 3}));
  BOOST_TEST(calls == 0);
  copy->forward(torch::ones({1, 3}));
  BOOST_TEST(calls == 1);
  const auto list = std::dynamic_pointer_cast<nn::SequentialImpl>(nn::Sequential(Net(copy))->clone());
  list->forward(torch::ones({1, 3}));
  BOOST_TEST(calls == 2);
}

BOOST_AUTO_TEST_CASE(backward_hooks_see_gradients_of_both_sides) {
  nn::Linear fc(3, 2);
  Tensors in, out;
  int calls = 0;
  auto handle = fc->register_full_backward_hook([&](nn::Module& m, const Tensors& dx, const Tensors& dy) {
    BOOST_TEST(m.name() == "Linear");
    in = dx;
    out = dy;
    ++calls;
  });
  const Tensor x = torch::ones({4, 3}).requires_grad_();
  (fc(x) + x.sum()).sum().backward();  // x is used elsewhere, too: the module's part alone is seen
  BOOST_TEST(calls == 1);
  BOOST_TEST(out[0].equal(torch::ones({4, 2})));
  BOOST_TEST(in[0].allclose(torch::ones({4, 2}).mm(fc->weight.detach())));
  BOOST_TEST(x.grad().allclose(in[0] + 8));
  // No gradient for the argument: the hook is called all the same.
  fc(torch::ones({4, 3})).sum().backward();
  BOOST_TEST(calls == 2);
  BOOST_TEST(!in[0].defined());
  handle.remove();
  // One that replaces.
  fc->register_full_backward_hook([](nn::Module&, const Tensors& dx, const Tensors&) { return dx[0] * 10; });
  x.zero_grad();
  fc->forward(x).sum().backward();
  BOOST_TEST(x.grad().allclose(torch::ones({4, 2}).mm(fc->weight.detach()) * 10));
  {
    const torch::NoGradGuard no_grad;
    BOOST_TEST(fc(x).requires_grad() == false);
  }
}

BOOST_AUTO_TEST_CASE(weight_norm_is_a_parameter_made_of_two) {
  Net net;
  net->to(torch::kDouble);
  const Tensor x = torch::randn({5, 3}, torch::kDouble), weight = net->fc->weight.detach().clone(), y = net(x).detach();
  nn::utils::weight_norm(net->fc);
  BOOST_TEST(net->fc->named_parameters().keys() == (std::vector<std::string>{"bias", "weight_g", "weight_v"}));
  BOOST_TEST(net->fc->weight.allclose(weight));
  BOOST_TEST(net(x).allclose(y));
  const auto named = net->named_parameters();
  const Tensor g = named["fc.weight_g"], v = named["fc.weight_v"];
  BOOST_TEST((g.sizes() == torch::IntArrayRef({2, 1})));
  BOOST_TEST(torch::autograd::gradcheck(
      [&](const Tensors& p) {
        return Tensors{
            nn::functional_call(net, gradus::nn::NamedTensors{{"fc.weight_g", p[0]}, {"fc.weight_v", p[1]}}, x)};
      },
      {g, v}));
  // Two forwards before one backward; a step; the state; a clone.
  const Tensor loss = net(x).sum() + net(x * 2).sum();
  loss.backward();
  BOOST_TEST(g.grad().defined());
  BOOST_TEST(!net->fc->weight.is_leaf());
  torch::optim::SGD(net->parameters(), 0.1).step();
  const auto copy = std::dynamic_pointer_cast<NetImpl>(net->clone());
  BOOST_TEST(copy->state_dict().keys() == net->state_dict().keys());
  BOOST_TEST(copy->forward(x).equal(net(x)));
  BOOST_TEST(copy->fc->weight.equal(net->fc->weight));
  {
    const torch::NoGradGuard no_grad;
    copy->named_parameters()["fc.weight_g"].mul_(2);
  }
  BOOST_TEST(!copy->forward(x).allclose(net->forward(x)));
  net->to(torch::kFloat);
  const Tensor y32 = net(x.to(torch::kFloat)).detach();
  nn::utils::remove_weight_norm(*net->fc);
  BOOST_TEST(net->fc->named_parameters().keys() == (std::vector<std::string>{"bias", "weight"}));
  BOOST_TEST(net->fc->weight.is_leaf());
  BOOST_TEST(net->fc->weight.requires_grad());
  BOOST_TEST(net(x.to(torch::kFloat)).allclose(y32));
  check_error<ModuleError>([&] { nn::utils::remove_weight_norm(*net->fc); },
                           {"remove_weight_norm: 'weight' of Linear"});
  check_error<ModuleError>([&] { nn::utils::weight_norm(*net->fc, "wight"); },
                           {"weight_norm: Linear must have the parameter 'wight': it has [bias, weight]"});
}

BOOST_AUTO_TEST_CASE(spectral_norm_keeps_the_largest_singular_value_at_one) {
  torch::manual_seed(3);
  nn::Sequential net(nn::utils::spectral_norm(nn::Linear(6, 4), "weight", 5), nn::ReLU());
  auto& fc = net->at<nn::LinearImpl>(0);
  const Tensor x = torch::randn({5, 6});
  for (int i = 0; i < 20; ++i) net(x);
  BOOST_TEST(std::abs(torch::linalg_matrix_norm(fc.weight.detach(), 2).item<double>() - 1) < 1e-4);
  BOOST_TEST(net->state_dict().keys() ==
             (std::vector<std::string>{"0.bias", "0.weight_orig", "0.weight_u", "0.weight_v"}));
  net->eval();
  const Tensor u = net->named_buffers()["0.weight_u"].clone();
  const Tensor y = net(x);
  BOOST_TEST(u.equal(net->named_buffers()["0.weight_u"]));
  y.square().sum().backward();
  BOOST_TEST(net->named_parameters()["0.weight_orig"].grad().defined());
  const auto copy = std::dynamic_pointer_cast<nn::SequentialImpl>(net->clone());
  BOOST_TEST(copy->forward(x).equal(y));
  // The gradient is that of w / (u^T w v), by hand.
  const Tensor w = net->named_parameters()["0.weight_orig"], v = net->named_buffers()["0.weight_v"];
  BOOST_TEST(fc.weight.allclose(w / torch::dot(u, torch::mv(w, v))));
  nn::utils::remove_spectral_norm(fc);
  BOOST_TEST(net(x).allclose(y));
  BOOST_TEST(fc.named_buffers().is_empty());
}

namespace {

// What users override.
struct OverridesImpl : nn::Module {
  OverridesImpl() { fc = register_module("fc", nn::Linear(2, 2)); }
  void to(torch::Device device, bool non_blocking = false) override {
    nn::Module::to(device, non_blocking);
    ++devices;
  }
  void to(torch::Dtype dtype, bool non_blocking = false) override {
    nn::Module::to(dtype, non_blocking);
    extra = extra.to(dtype);
  }
  void to(torch::Device device, torch::Dtype dtype, bool non_blocking = false) override {
    nn::Module::to(device, dtype, non_blocking);
  }
  void train(bool on = true) override {
    nn::Module::train(on);
    ++trained;
  }
  void zero_grad(bool set_to_none = true) override {
    nn::Module::zero_grad(set_to_none);
    ++zeroed;
  }
  void pretty_print(std::ostream& stream) const override { stream << "Mine"; }
  nn::Linear fc{nullptr};
  Tensor extra = torch::ones({1});
  int devices = 0, trained = 0, zeroed = 0;
};
TORCH_MODULE(Overrides);

// Stays in float32.
struct StaysImpl : nn::Module {
  StaysImpl() { scale = register_parameter("scale", torch::ones({1})); }
  void to(torch::Dtype, bool = false) override {}
  Tensor scale;
};

void init_weights(nn::Module& module) {
  const torch::NoGradGuard no_grad;
  if (auto* linear = module.as<nn::Linear>()) linear->weight.fill_(0.5);
}

}  // namespace

BOOST_AUTO_TEST_CASE(overrides_are_called_from_above) {
  auto outer = std::make_shared<nn::Module>();
  Overrides inner;
  outer->register_module("inner", inner);
  const auto stays = outer->register_module("stays", std::make_shared<StaysImpl>());
  outer->to(torch::kDouble);
  BOOST_TEST((inner->fc->weight.dtype() == torch::kDouble));
  BOOST_TEST((inner->extra.dtype() == torch::kDouble));
  BOOST_TEST((stays->scale.dtype() == torch::kFloat));
  outer->to(torch::Device(torch::kCPU));
  outer->to(torch::kCPU, torch::kFloat);
  BOOST_TEST((inner->fc->weight.dtype() == torch::kFloat));
  BOOST_TEST(inner->devices == 2);
  outer->eval();
  outer->zero_grad();
  BOOST_TEST(inner->trained == 1);
  BOOST_TEST(inner->zeroed == 1);
  BOOST_TEST(outer->to_string().find("(inner): Mine") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(apply_takes_all_its_forms) {
  Net net;
  net->apply(init_weights);
  net->apply(&init_weights);
  BOOST_TEST(net->fc->weight.equal(torch::full({2, 3}, 0.5)));
  const NetImpl& constant = *net;
  int modules = 0;
  std::vector<std::string> names;
  constant.apply([&](const nn::Module&) { ++modules; });
  constant.apply([&](const std::string& name, const nn::Module&) { names.push_back(name); }, "net");
  net->apply([&](const std::shared_ptr<nn::Module>& m) { modules += m->name() == "Linear"; });
  net->apply([&](const std::string& name, const std::shared_ptr<nn::Module>&) { names.push_back(name); });
  const std::function<void(nn::Module&)> function = [&](nn::Module&) { ++modules; };
  net->apply(function);
  BOOST_TEST(modules == 3 + 1 + 3);
  BOOST_TEST(names == (std::vector<std::string>{"net", "net.fc", "net.act", "", "fc", "act"}));
  NetImpl by_value;
  check_error<ModuleError>([&] { by_value.apply([](const std::shared_ptr<nn::Module>&) {}); },
                           {"held by no shared_ptr"});
}

namespace {

struct PlacedImpl : nn::Cloneable<PlacedImpl> {
  PlacedImpl() { PlacedImpl::reset(); }
  void reset() override {
    register_parameter("w", w, torch::ones({3}));
    register_parameter("b", b, torch::zeros({3}));
    loose = register_parameter("loose", torch::zeros({1}));
  }
  Tensor forward(Tensor x) { return x * w + b; }
  Tensor w, b, loose;
};
TORCH_MODULE(Placed);

}  // namespace

BOOST_AUTO_TEST_CASE(a_member_that_was_assigned_to_is_noticed) {
  Placed net;
  BOOST_TEST(net->w.is_same(net->named_parameters()["w"]));
  auto outer = std::make_shared<nn::Module>();
  outer->register_module("net", net);
  outer->check_members();
  net->loose = torch::ones({1});  // its place is not known
  outer->check_members();
  const Tensor before = net->w;
  net->w = torch::full({3}, 2.0);
  check_error<ModuleError>([&] { outer->check_members(); },
                           {"net: 'w' must stay the tensor that was registered", "w.copy_(..)"});
  check_error<ModuleError>([&] { nn::detail::check_member(net->named_parameters()["w"]); }, {"'w' must stay"});
  nn::detail::check_member(net->named_parameters()["b"]);
  nn::detail::check_member(net->named_parameters()["loose"]);
  nn::detail::check_member(torch::ones({1}));
  std::stringstream stream;
  check_error<ModuleError>([&] { torch::save(outer, stream); }, {"net: 'w' must stay"});
  // By a step that passes it over, and that changes nothing; not by one in which it has a gradient, or nobody has.
  torch::optim::SGD sgd(net->parameters(), 1.0);
  sgd.step();
  net->forward(torch::ones({3})).sum().backward();
  check_error<ModuleError>([&] { sgd.step(); }, {"net: 'w' must stay the tensor that was registered"});
  BOOST_TEST(net->b.equal(torch::zeros({3})));
  before.sum().backward();
  sgd.step();
  BOOST_TEST(net->b.equal(torch::full({3}, -1.0)));
  net->w = before;
  outer->check_members();

  // Copies, moved ones and clones know their own members.
  PlacedImpl copy = *net;
  copy.w = torch::ones({3});
  check_error<ModuleError>([&] { copy.check_members(); }, {"'w'"});
  net->check_members();
  PlacedImpl moved = std::move(copy);
  check_error<ModuleError>([&] { moved.check_members(); }, {"'w'"});
  moved = *net;
  moved.check_members();
  const auto clone = std::dynamic_pointer_cast<PlacedImpl>(net->clone());
  clone->check_members();
  clone->b = torch::ones({3});
  check_error<ModuleError>([&] { clone->check_members(); }, {"Placed: 'b'"});
  net->check_members();
  // What is computed of others, or of another dtype, is no mistake.
  nn::utils::weight_norm(*net, "w");
  net->to(torch::kDouble);
  net(torch::ones({3}, torch::kDouble));
  net->check_members();
  nn::utils::remove_weight_norm(*net, "w");
  net->check_members();
}

BOOST_AUTO_TEST_SUITE_END()
