// What a checkpoint's function reads beside its inputs, lets go of, and draws: autograd/func/checkpoint.h.
#include <boost/test/unit_test.hpp>

#include <thread>
#include <vector>

#include <gradus/autograd/graph/operation.h>
#include <gradus/gradus.h>

#include "../support/arrays.h"

namespace gradus::test {
namespace {

constexpr const char* kCaptured = "checkpoint: what its function captured must be at backward as it was";

bool same(const Tensor& a, const Tensor& b) { return a.sizes() == b.sizes() && (a == b).all().item<bool>(); }

// Whoever draws on another thread meanwhile: the places in the stream.
std::vector<std::uint64_t> taken_elsewhere;
void take_elsewhere() {
  std::thread([] { taken_elsewhere.push_back(default_generator().take(4).offset); }).join();
}

// Its formula draws, and does not use the value that it reads: the guard tries it several times.
struct Drawing {
  static constexpr std::string_view name = "test_drawing_formula";
  static core::Array forward(const core::Array& x) { return x * x; }
  static constexpr auto gradients = autograd::formulas([](autograd::Dy<> dy, autograd::In<0> x) {
    take_elsewhere();
    return dy * Tensor(x.array()) * 2 + 0 * randn(x.sizes());
  });
};

}  // namespace

BOOST_AUTO_TEST_SUITE(checkpoint_captured)

BOOST_AUTO_TEST_CASE(what_f_captured_must_be_as_it_was) {
  const Tensor x = randn(4).requires_grad_();
  const auto refused = [&](const Tensor& w, auto f, const char* why) {
    const Tensor y = func::checkpoint(f, x);
    {
      const NoGradGuard no_grad;
      w.add_(100);
    }
    check_error<GradError>([&] { y.sum().backward(); }, {kCaptured, why});
  };
  const Tensor parameter = randn(4).requires_grad_(), constant = randn(4), activation = parameter * 2;
  for (const Tensor& w : {parameter, constant, activation}) {
    refused(
        w, [&](const Tensor& v) { return v.tanh() * (v + w); }, "operand 1 of add ([4], float32) is not");
    refused(
        w.detach(), [&](const Tensor& v) { return (v * w).exp(); }, "add_");
  }
  // What is computed of it without recording.
  refused(
      constant, [&](const Tensor& v) { return v.tanh() * (constant * 2); }, "was not recorded");
  // Another tensor in its place: as good where it has the same numbers.
  Tensor w = randn(4);
  const auto f = [&w](const Tensor& v) { return v.tanh() * v * w; };
  const Tensor expected = autograd::grad({f(x).sum()}, {x})[0], y = func::checkpoint(f, x), z = func::checkpoint(f, x);
  w = w.clone();
  BOOST_TEST(same(autograd::grad({y.sum()}, {x})[0], expected));
  w = w + 1;
  check_error<GradError>([&] { z.sum().backward(); }, {kCaptured, "another tensor"});
}

BOOST_AUTO_TEST_CASE(parameters_that_stand_in_must_do_so_at_backward) {
  nn::Linear net(3, 3);
  std::vector<Tensor> others;
  for (const Tensor& p : net->parameters()) others.push_back((p.detach() + 1).requires_grad_());
  const Tensor x = randn({2, 3}).requires_grad_();
  const auto plain = [&](const std::vector<Tensor>& p) {
    return func::functional_call(net, p, x).tanh().square().sum();
  };
  // Around the call all is there again.
  const Tensor outside = func::checkpoint(
      [&](const Tensor& w, const Tensor& b) {
        return plain({w, b});
      },
      others[0], others[1]);
  BOOST_TEST(same(autograd::grad({outside}, {others[0]})[0], autograd::grad({plain(others)}, {others[0]})[0]));
  struct Inside : nn::Module {
    nn::Linear linear{3, 3};
    Inside() { register_module("linear", linear); }
    Tensor forward(const Tensor& v) {
      return func::checkpoint([this](const Tensor& a) { return linear(a).tanh().square().sum(); }, v);
    }
  };
  Inside inside;
  const Tensor y = func::functional_call(inside, others, x);
  check_error<GradError>([&] { y.backward(); }, {kCaptured, "a functional_call belongs outside"});
}

BOOST_AUTO_TEST_CASE(what_f_makes_itself_is_no_capture) {
  const Tensor x = randn({256, 64}).requires_grad_();
  const auto f = [](const Tensor& v) {
    const Tensor noise = randn(v.sizes()), mask = (v > 0).to(kFloat);
    return func::checkpoint([noise, mask](const Tensor& a) { return (a * randn(a.sizes()) * noise).exp() * mask; },
                            v * noise)
        .sum();
  };
  const auto gradient = [&](bool checkpointed) {
    manual_seed(7);
    return autograd::grad({checkpointed ? func::checkpoint(f, x) : f(x)}, {x})[0];
  };
  BOOST_TEST(same(gradient(true), gradient(false)));
  const std::int64_t before = memory_stats().live_bytes;
  const auto plainly = [](const Tensor& v) { return (v * randn(v.sizes()) * (v > 0).to(kFloat)).sum(); };
  const Tensor y = func::checkpoint(plainly, x);
  BOOST_TEST(memory_stats().live_bytes - before < 64);
}

BOOST_AUTO_TEST_CASE(values_are_let_go_of_while_f_runs_again) {
  const Tensor x = randn(4).requires_grad_();
  Tensor aux;
  const auto f = [&](const Tensor& v) {
    aux = (v * v).exp();
    return v.tanh() * v;
  };
  const Tensor expected = autograd::grad({f(x).sum()}, {x})[0];
  BOOST_TEST(same(autograd::grad({func::checkpoint(f, x).sum()}, {x})[0], expected));
  // It goes back through its first run: it would run again for ever.
  Tensor first;
  const Tensor y = func::checkpoint(
      [&](const Tensor& v) {
        const Tensor own = v.exp();
        if (!first.defined()) first = own;
        if (func::recomputing()) (void)autograd::grad({first.sum()}, {x}, {}, true);
        return own * v;
      },
      x);
  check_error<GradError>([&] { y.sum().backward(); },
                         {"checkpoint: the function, when it runs again, must not go back"});
}

// Another thread draws while f runs again: no number comes twice.
BOOST_AUTO_TEST_CASE(no_other_thread_draws_a_number_twice) {
  const Tensor x = randn(4).requires_grad_();
  manual_seed(3);
  core::RandomPosition taken;
  const auto f = [&](const Tensor& v) {
    const Tensor y = v.tanh() * randn(4);
    if (func::recomputing()) std::thread([&] { taken = default_generator().take(40); }).join();
    return y * v;
  };
  const Tensor y = func::checkpoint(f, x);
  const core::RandomPosition before = default_generator().position();
  y.sum().backward();
  BOOST_TEST((taken == before));
  BOOST_TEST(default_generator().position().offset == before.offset + 10);
}

// So with the guard's tries of a formula.
BOOST_AUTO_TEST_CASE(no_number_comes_twice_while_a_formula_is_tried) {
  const Tensor x = randn(4).requires_grad_();
  manual_seed(3);
  (void)autograd::grad({autograd::apply<Drawing>(x).sum()}, {x}, {}, true, true);
  BOOST_TEST(taken_elsewhere.size() > 2);
  for (std::size_t i = 1; i < taken_elsewhere.size(); ++i) BOOST_TEST(taken_elsewhere[i] > taken_elsewhere[i - 1]);
}

BOOST_AUTO_TEST_CASE(a_loop_over_examples_draws_as_without_the_attempt) {
  const Tensor x = randn({3, 4});
  const auto f = [](const Tensor& v) {
    const Tensor noise = randn(4);
    return v.sum().item<float>() > 1e9f ? v : v + noise;
  };
  manual_seed(5);
  const Tensor y = func::vmap(f)(x);
  manual_seed(5);
  std::vector<Tensor> each;
  for (int i = 0; i < 3; ++i) each.push_back(f(x[i]));
  BOOST_TEST(same(y, stack(each)));
}

BOOST_AUTO_TEST_CASE(half_leaves_alone_what_it_would_lose) {
  const func::SaveAsHalf half(256);
  const Tensor x = randn(200).requires_grad_();
  Tensor one_small = ones(200);
  one_small[0].fill_(1e-8);
  for (const Tensor& factor : {full(200, 1e-5).to(kFloat), full(200, 1e-9).to(kFloat), one_small}) {
    BOOST_TEST(same(autograd::grad({(x * factor).sum()}, {x})[0], factor));
  }
  const Tensor fits = full(200, 0.1).to(kFloat);
  BOOST_TEST(!same(autograd::grad({(x * fits).sum()}, {x})[0], fits));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
