// What modules refuse, and what they leave as it was: members, hooks, and parameters that are computed.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gradus/torch.h>

#include "../support/arrays.h"

using gradus::ModuleError;
using gradus::test::check_error;
using torch::Tensor;
namespace nn = torch::nn;

namespace {

using Tensors = std::vector<Tensor>;

Tensor elsewhere;  // behind or before all modules

struct OutsideImpl : nn::Cloneable<OutsideImpl> {
  OutsideImpl() { OutsideImpl::reset(); }
  void reset() override { register_parameter("w", elsewhere, torch::ones({3})); }
};

struct Plain : nn::Module {  // its size is not known
  explicit Plain(Tensor& member) { register_parameter("w", member, torch::ones({3})); }
  Plain() { register_parameter("w", own, torch::ones({3})); }
  Tensor own;
};

struct InnerImpl : nn::Cloneable<InnerImpl> {
  InnerImpl() { InnerImpl::reset(); }
  void reset() override { register_parameter("w", w, torch::ones({3})); }
  Tensor w;
};
struct OuterImpl : InnerImpl {  // one that Cloneable doesn't know
  OuterImpl() { register_parameter("v", v, torch::ones({3})); }
  Tensor v;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(module_refusals)

BOOST_AUTO_TEST_CASE(a_member_outside_of_the_object) {
  check_error<ModuleError>([] { OutsideImpl(); },
                           {"register_parameter: 'w' must be assigned to a member of", "Outside itself"});
  BOOST_TEST(!elsewhere.defined());
  struct {
    Tensor before;
    std::optional<Plain> module;
    Tensor behind;
  } three;
  check_error<ModuleError>([&] { three.module.emplace(three.before); }, {"'w' must be assigned to a member"});
  three.module.emplace(three.behind);
  const auto far = std::make_unique<Plain>(*three.module);
  far->check_members();  // which looks at nothing behind it
  const OuterImpl outer;
  OuterImpl copy = outer;
  copy.v = torch::zeros({3});
  copy.check_members();  // of a copy of unknown size
  InnerImpl inner, other = inner;
  other.w = torch::zeros({3});
  check_error<ModuleError>([&] { other.check_members(); }, {"'w' must stay"});
  Plain plain;
  plain.own = torch::zeros({3});
  check_error<ModuleError>([&] { plain.check_members(); }, {"'w' must stay"});
  const Plain plain_copy = plain;
  plain_copy.check_members();
}

BOOST_AUTO_TEST_CASE(a_backward_hook_needs_a_module_that_stays) {
  int calls = 0;
  Tensor loss;
  {
    nn::LinearImpl gone(3, 2);
    gone.register_full_backward_hook([&](nn::Module& m, const Tensors&, const Tensors&) { calls += m.is_training(); });
    check_error<ModuleError>(
        [&] {
          gone.forward(torch::ones({1, 3}));
        },
        {"register_full_backward_hook: Linear must be held by a shared_ptr", "std::make_shared"});
    const torch::NoGradGuard no_grad;
    gone.forward(torch::ones({1, 3}));
  }
  {
    nn::Linear held(3, 2);
    held->register_full_backward_hook([&](nn::Module& m, const Tensors&, const Tensors&) { calls += m.is_training(); });
    loss = held(torch::ones({1, 3})).sum();
  }
  loss.backward();
  BOOST_TEST(calls == 1);
}

BOOST_AUTO_TEST_CASE(without_hooks_a_call_is_fast_again) {
  nn::Linear fc(3, 2);
  BOOST_TEST(!fc->has_hooks());
  nn::summary(nn::Sequential(fc), {{1, 3}});
  BOOST_TEST(!fc->has_hooks());
  auto handle = fc->register_forward_hook([](nn::Module&, const Tensors&, const Tensor&) {});
  BOOST_TEST(fc->has_hooks());
  handle.remove();
  BOOST_TEST(!fc->has_hooks());
  nn::utils::weight_norm(*fc);
  BOOST_TEST(fc->has_hooks());
  nn::utils::remove_weight_norm(*fc);
  BOOST_TEST(!fc->has_hooks());
}

BOOST_AUTO_TEST_CASE(a_taken_name_changes_nothing) {
  const auto unchanged = [](const std::string& taken, bool spectral, bool buffer) {
    nn::Linear fc(3, 2);
    const Tensor weight = fc->weight;
    if (buffer)
      fc->register_buffer(taken, torch::ones({1}));
    else
      fc->register_parameter(taken, torch::ones({1}));
    const auto before = fc->named_parameters().keys();
    check_error<ModuleError>(
        [&] { spectral ? nn::utils::spectral_norm(*fc) : nn::utils::weight_norm(*fc); },
        {spectral ? "spectral_norm: Linear has a " : "weight_norm: Linear has a ", "'" + taken + "' already"});
    BOOST_TEST(fc->named_parameters().keys() == before);
    BOOST_TEST(fc->weight.is_same(weight));
    BOOST_TEST(fc->named_parameters()["weight"].is_same(weight));
    BOOST_TEST(!fc->has_hooks());
    fc(torch::ones({1, 3}));
  };
  for (const bool buffer : {false, true}) {
    for (const char* taken : {"weight_g", "weight_v"}) unchanged(taken, false, buffer);
    for (const char* taken : {"weight_orig", "weight_u", "weight_v"}) unchanged(taken, true, buffer);
  }
  nn::Linear fc(3, 2);
  nn::utils::weight_norm(*fc);
  fc->register_buffer("weight", torch::ones({1}));
  const auto before = fc->named_parameters().keys();
  check_error<ModuleError>([&] { nn::utils::remove_weight_norm(*fc); }, {"'weight' already"});
  BOOST_TEST(fc->named_parameters().keys() == before);
}

BOOST_AUTO_TEST_CASE(a_parameter_of_whole_numbers) {
  nn::Module module;
  check_error<gradus::GradError>([&] { module.register_parameter("ids", torch::ones({3}, torch::kInt64)); },
                                 {"register_parameter: 'ids'", "int64", "requires_grad = false", "buffer"});
  BOOST_TEST(module.parameters().empty());
  module.register_parameter("ids", torch::ones({3}, torch::kInt64), false);
  BOOST_TEST(module.parameters().size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
