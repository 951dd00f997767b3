// Checkpoints and hooks on saved values: autograd/func/checkpoint.h, autograd/func/saved_hooks.h.
#include <boost/test/unit_test.hpp>

#include <functional>
#include <thread>

#include <gradus/gradus.h>

#include "../support/arrays.h"
#include "../support/folder.h"

namespace gradus::test {
namespace {

using Tensors = std::vector<Tensor>;

bool same(const Tensor& a, const Tensor& b) {
  if (!a.defined() || !b.defined()) return a.defined() == b.defined();
  return a.sizes() == b.sizes() && a.dtype() == b.dtype() && (a == b).all().item<bool>();
}

// Linear, BatchNorm, ReLU and Dropout, so many times.
nn::Sequential deep_net(int layers, std::int64_t width) {
  nn::Sequential net;
  for (int i = 0; i < layers; ++i) {
    net->push_back(nn::Linear(width, width));
    net->push_back(nn::BatchNorm1d(width));
    net->push_back(nn::ReLU());
    net->push_back(nn::Dropout(0.1));
  }
  return net;
}

// A stretch of a net's modules, `first` to `last`.
Tensor stretch(const nn::Sequential& net, std::size_t first, std::size_t last, Tensor x) {
  auto module = net->begin() + static_cast<std::ptrdiff_t>(first);
  for (std::size_t i = first; i < last; ++i, ++module) x = module->forward(x);
  return x;
}

// The same in checkpoints of `each` modules, in which there are others of `inner`.
Tensor in_checkpoints(const nn::Sequential& net, std::size_t first, std::size_t last, Tensor x, std::size_t each,
                      std::size_t inner = 0) {
  for (std::size_t i = first; i < last; i += each) {
    const std::size_t end = std::min(i + each, last);
    const auto part = [&net, i, end, inner](const Tensor& z) {
      return inner == 0 ? stretch(net, i, end, z) : in_checkpoints(net, i, end, z, inner);
    };
    x = func::checkpoint(part, x);
  }
  return x;
}

struct Trained {
  Tensors state;
  std::vector<float> losses;
  std::int64_t peak;
  core::RandomPosition position;
};
Trained train(const std::function<Tensor(const nn::Sequential&, Tensor)>& forward, int layers, std::int64_t width,
              std::int64_t batch, int steps) {
  manual_seed(3);
  empty_cache();
  reset_peak_memory_stats();
  const std::int64_t before = memory_stats().peak_bytes;  // more than what is alive, where others have run before
  nn::Sequential net = deep_net(layers, width);
  optim::SGD sgd(net->parameters(), optim::SGDOptions(0.1).momentum(0.9));
  const Tensor x = randn({batch, width}), target = randn({batch, width});
  Trained result;
  result.peak = 0;
  for (int step = 0; step < steps; ++step) {
    sgd.zero_grad();
    reset_peak_memory_stats();
    const Tensor loss = nn::functional::mse_loss(forward(net, x), target);
    loss.backward();
    result.peak = std::max(result.peak, memory_stats().peak_bytes - before);
    result.losses.push_back(loss.item<float>());
    sgd.step();
  }
  for (const auto& [name, tensor] : net->state_dict()) result.state.push_back(tensor.detach().clone());
  result.position = default_generator().position();
  return result;
}
void check_same(const Trained& a, const Trained& b) {
  BOOST_TEST(a.losses == b.losses, boost::test_tools::per_element());
  BOOST_REQUIRE_EQUAL(a.state.size(), b.state.size());
  for (std::size_t i = 0; i < a.state.size(); ++i) BOOST_TEST(same(a.state[i], b.state[i]), "state " << i);
  BOOST_TEST((a.position == b.position));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(checkpoint)

// 50 layers of 4 modules, 200 in all: in stretches of 7 layers, and of 14 with 2 inside.
BOOST_AUTO_TEST_CASE(a_deep_net_trains_to_the_same_bits_in_a_third_of_the_memory) {
  const auto trained = [](std::size_t each, std::size_t inner) {
    const auto forward = [=](const nn::Sequential& net, const Tensor& x) {
      return each == 0 ? net->forward(x) : in_checkpoints(net, 0, net->size(), x, each, inner);
    };
    return train(forward, 50, 32, 1024, 3);
  };
  const Trained plain = trained(0, 0), once = trained(28, 0), nested = trained(56, 8);
  check_same(once, plain);
  check_same(nested, plain);
  BOOST_TEST_MESSAGE("peak bytes: " << plain.peak << ", in checkpoints " << once.peak << ", nested " << nested.peak);
  BOOST_TEST(3 * once.peak <= plain.peak);
  BOOST_TEST(3 * nested.peak <= plain.peak);
}

// f as it is and in a checkpoint, from the same random numbers: values, gradients of inputs and of what was captured.
BOOST_AUTO_TEST_CASE(gradients_are_the_same_bits_however_they_are_asked_for) {
  manual_seed(1);
  const Tensor w = randn({4, 4}, kDouble).requires_grad_(), x = randn({3, 4}, kDouble).requires_grad_();
  const Tensor constant = randn({3, 4}, kDouble);
  Tensor middle = x.square();
  const auto f = [&](const Tensor& a, const Tensor& b) {
    const Tensor h = nn::functional::dropout(tanh(a.matmul(w)), nn::functional::DropoutFuncOptions().p(0.3));
    return std::tuple(h * b, (h.exp() + middle).softmax(1));
  };
  const auto run = [&](bool checkpointed) {
    manual_seed(5);
    middle = x.square();
    return checkpointed ? func::checkpoint(f, middle, constant) : f(middle, constant);
  };
  const auto backward = [&](bool checkpointed) {
    x.zero_grad();
    w.zero_grad();
    const auto [y, z] = run(checkpointed);
    (y.sum() + (z * constant).sum()).backward();
    return Tensors{y.detach(), z.detach(), x.grad().clone(), w.grad().clone()};
  };
  const auto restricted = [&](bool checkpointed) {
    const auto [y, z] = run(checkpointed);
    return autograd::grad({y, z}, {w, middle}, {constant, constant});
  };
  const auto twice = [&](bool checkpointed) {
    const auto [y, z] = run(checkpointed);
    const Tensors first = autograd::grad({y, z}, {w, x}, {constant, constant}, true, true);
    return autograd::grad({first[0].square().sum() + first[1].sum()}, {w, x});
  };
  const auto kept = [&](bool checkpointed) {
    const auto [y, z] = run(checkpointed);
    const Tensors once = autograd::grad({y}, {w}, {constant}, true), again = autograd::grad({y}, {w}, {constant});
    return Tensors{once[0], again[0]};
  };
  const auto forward_mode = [&](bool checkpointed) {
    const auto g = [&](const Tensor& a) {
      manual_seed(5);
      return std::get<0>(checkpointed ? func::checkpoint(f, a, constant) : f(a, constant));
    };
    return Tensors{func::jvp(g, x.detach(), constant).second.detach(), func::jacrev(g)(x.detach()).detach()};
  };
  for (const auto& ask : std::vector<std::function<Tensors(bool)>>{backward, restricted, twice, kept, forward_mode}) {
    const Tensors plain = ask(false), again = ask(true);
    BOOST_REQUIRE_EQUAL(plain.size(), again.size());
    for (std::size_t i = 0; i < plain.size(); ++i) BOOST_TEST(same(plain[i], again[i]), "number " << i);
  }
}

BOOST_AUTO_TEST_CASE(f_runs_once_more_and_keeps_only_its_inputs) {
  const Tensor x = randn({256, 64}).requires_grad_();
  int runs = 0, first_runs = 0;
  const auto f = [&](const Tensor& a) {
    ++runs;
    if (!func::recomputing()) ++first_runs;
    return a.exp().sin().exp().sin().sum();
  };
  const std::int64_t before = memory_stats().live_bytes;
  Tensor y = func::checkpoint(f, x);
  BOOST_TEST(memory_stats().live_bytes - before < 64);
  y.backward();
  BOOST_TEST(runs == 2);
  BOOST_TEST(first_runs == 1);
  y = Tensor();
  BOOST_TEST(memory_stats().live_bytes - before == x.nbytes());  // its gradient
  {
    const NoGradGuard no_grad;
    BOOST_TEST(!func::checkpoint(f, x).requires_grad());
  }
  // Nothing that requires a gradient: nothing to come back for.
  BOOST_TEST(!func::checkpoint(f, x.detach()).requires_grad());
  BOOST_TEST(runs == 4);
}

BOOST_AUTO_TEST_CASE(running_statistics_move_once) {
  manual_seed(1);
  nn::Sequential net(nn::BatchNorm1d(nn::BatchNormOptions(3).momentum(std::nullopt)));
  const Tensor x = randn({4, 3, 5}).requires_grad_();
  const auto once = [&](const Tensor& a) { return net->forward(a); };
  for (int step = 1; step <= 2; ++step) {
    func::checkpoint(once, x).sum().backward();
    BOOST_TEST(net->named_buffers()["0.num_batches_tracked"].item<int>() == step);
  }
  const Tensor mean = x.detach().mean(IntArrayRef({0, 2}));
  BOOST_TEST((net->named_buffers()["0.running_mean"] - mean).abs().max().item<float>() < 1e-6f);
}

BOOST_AUTO_TEST_CASE(what_is_not_deterministic_is_refused) {
  const Tensor x = randn(4).requires_grad_();
  int runs = 0;
  const Tensor more = func::checkpoint([&](const Tensor& a) { return runs++ == 0 ? a.exp() : a.exp().sin(); }, x);
  check_error<GradError>([&] { more.sum().backward(); },
                         {"checkpoint: the function must be deterministic: its operations saved 1 values, and 2"});
  runs = 0;
  const Tensor other = func::checkpoint([&](const Tensor& a) { return runs++ == 0 ? a.exp() : a.sin(); }, x);
  check_error<GradError>([&] { other.sum().backward(); }, {"exp saved [4] (float32), and sin [4] (float32)"});
  nn::BatchNorm1d norm(4);
  const Tensor rows = randn({3, 4}).requires_grad_();
  const Tensor y = func::checkpoint([&](const Tensor& a) { return norm(a); }, rows);
  norm->eval();
  check_error<GradError>([&] { y.sum().backward(); }, {"checkpoint: the function must be deterministic", "batch_norm"});
  BOOST_TEST(!x.grad().defined());
}

BOOST_AUTO_TEST_CASE(what_was_changed_in_between_is_noticed) {
  const Tensor leaf = randn(4).requires_grad_(), x = leaf * 2, w = randn(4).requires_grad_();
  const auto f = [&](const Tensor& a) { return (a * w).exp(); };
  const Tensor y = func::checkpoint(f, x), z = func::checkpoint(f, leaf * 1);
  {
    const NoGradGuard no_grad;
    w.add_(1);
  }
  for (const Tensor& each : {y, z}) {
    check_error<GradError>([&] { each.sum().backward(); },
                           {"checkpoint: what its function captured must be", "operand 1 of mul", "add_"});
  }
  const Tensor v = func::checkpoint([](const Tensor& a) { return a.exp().sin(); }, x);
  x.mul_(2);
  check_error<GradError>([&] { v.sum().backward(); },
                         {"checkpoint: its inputs must not be changed in place", "input 0"});
}

BOOST_AUTO_TEST_CASE(threads_come_back_for_it_together) {
  const Tensor w = linspace(-1, 1, 64 * 64).view({64, 64}).requires_grad_(), x = w.detach() * 0.5;
  const auto f = [&](const Tensor& a) { return tanh(a.matmul(w)).matmul(w).exp().sum(); };
  const Tensor expected = autograd::grad({f(x)}, {w})[0], y = func::checkpoint(f, x);
  std::vector<Tensor> results(4);
  std::vector<std::thread> threads;
  for (Tensor& result : results) {
    threads.emplace_back([&] { result = autograd::grad({y}, {w}, {}, true)[0]; });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Tensor& result : results) BOOST_TEST(same(result, expected));
}

BOOST_AUTO_TEST_CASE(hooks_see_what_is_saved_and_give_it_back) {
  const Tensor x = randn(5, kDouble).requires_grad_();
  std::vector<Tensor> packed;
  int unpacked = 0;
  Tensor y;
  {
    const func::SavedTensorsHooks hooks(
        [&](const Tensor& value) {
          packed.push_back(value);
          return value * 2;
        },
        [&](const Tensor& value) {
          ++unpacked;
          return value / 2;
        });
    y = (x.exp() * x).sum();  // exp keeps its output, mul both operands
  }
  BOOST_REQUIRE_EQUAL(packed.size(), 3u);
  BOOST_TEST(same(packed[0], x.detach().exp()));
  BOOST_TEST(same(y.detach(), (x.detach().exp() * x.detach()).sum()));
  y.backward();
  BOOST_TEST(unpacked == 3);
  BOOST_TEST((x.grad() - x.detach().exp() * (1 + x.detach())).abs().max().item<double>() < 1e-14);
  {
    const func::SavedTensorsHooks hooks([](const Tensor& value) { return value; },
                                        [](const Tensor& value) { return value.to(kFloat); });
    y = x.exp().sum();
  }
  check_error<ValueError>(
      [&] { y.backward(); },
      {"SavedTensorsHooks: unpack must return a tensor like that which exp saved ([5], float64)", "[5], float32"});
}

// The innermost takes all; a checkpoint's inputs are values that are saved, too.
BOOST_AUTO_TEST_CASE(hooks_nest) {
  const Tensor x = randn(5).requires_grad_();
  int outer = 0, inner = 0;
  const auto identity = [](const Tensor& value) { return value; };
  const auto counting = [](int& count) {
    return [&count](const Tensor& value) {
      ++count;
      return value;
    };
  };
  const func::SavedTensorsHooks outside(counting(outer), identity);
  {
    const func::SavedTensorsHooks inside(counting(inner), identity);
    (void)x.exp();
  }
  BOOST_TEST(inner == 1);
  BOOST_TEST(outer == 0);
  const Tensor y = func::checkpoint([](const Tensor& a) { return a.exp().exp(); }, x * 1);
  BOOST_TEST(outer == 1);
  y.sum().backward();
  BOOST_TEST(outer == 1);
  BOOST_TEST((x.grad() - x.detach().exp() * x.detach().exp().exp()).abs().max().item<float>() < 1e-3f);
}

BOOST_AUTO_TEST_CASE(saved_on_disk) {
  const Folder folder;
  const Tensor w = randn({40, 40}).requires_grad_(), x = randn({30, 40});
  const auto f = [&] {
    const Tensor h = x.matmul(w).t().tanh();
    return (h.exp().slice(1, 0, 30, 2) * h.narrow(1, 0, 15)).sum();
  };
  const Tensor expected = autograd::grad({f()}, {w})[0];
  Tensor y;
  {
    const func::SaveOnDisk on_disk(folder.path.string(), 256);
    y = f();
  }
  BOOST_TEST(folder.names().size() == 5u);  // x, tanh's output, exp's, both operands of the product
  BOOST_TEST(same(autograd::grad({y}, {w}, {}, true)[0], expected));
  BOOST_TEST(same(autograd::grad({y}, {w})[0], expected));
  BOOST_TEST(folder.names().empty());
  {
    const func::SaveOnDisk on_disk(folder.path.string(), 256);
    y = f();
  }
  for (const std::string& name : folder.names()) std::filesystem::resize_file(folder / name, 100);
  check_error<FileError>([&] { y.backward(); }, {"SaveOnDisk:", "it has gone, or has not"});
  const func::SaveOnDisk nowhere((folder / "none").c_str());
  check_error<FileError>([&] { f(); }, {"SaveOnDisk:", "none/saved-", "No such file"});
}

BOOST_AUTO_TEST_CASE(saved_as_half) {
  const Tensor w = randn({40, 40}).requires_grad_(), x = randn({30, 40});
  const auto f = [&] { return (x.matmul(w).t().tanh() * 3).exp().sum(); };
  const Tensor expected = autograd::grad({f()}, {w})[0];
  const std::int64_t before = memory_stats().live_bytes;
  Tensor y = f();
  const std::int64_t plain = memory_stats().live_bytes - before;
  {
    y = Tensor();
    const func::SaveAsHalf half(256);
    y = f();
  }
  BOOST_TEST(memory_stats().live_bytes - before < plain);
  const Tensor gradient = autograd::grad({y}, {w})[0];
  BOOST_TEST(!same(gradient, expected));
  BOOST_TEST(((gradient - expected).abs().max() / expected.abs().max()).item<float>() < 1e-2f);
  // Beyond its range numbers stay what they are.
  const Tensor large = full(200, 1e6).to(kFloat).requires_grad_(), factor = full(200, 1e6).to(kFloat) * 1;
  const func::SaveAsHalf half(256);
  BOOST_TEST(same(autograd::grad({(large * factor).sum()}, {large})[0], factor));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
