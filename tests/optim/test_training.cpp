// Whole trainings: the same bits at any number of threads, and what threads may do at once.
#include <boost/test/unit_test.hpp>

#include <thread>

#include <gradus/gradus.h>

#include "../support/pytorch.h"
#include "../support/threads.h"

using namespace gradus;

namespace {

nn::Sequential network(std::int64_t inputs, std::int64_t first, std::int64_t second) {
  return nn::Sequential(nn::Dropout(0.2), nn::Linear(inputs, first), nn::BatchNorm1d(first), nn::ReLU(),
                        nn::Dropout(0.5), nn::Linear(first, second), nn::BatchNorm1d(second), nn::ReLU(),
                        nn::Dropout(0.5), nn::Linear(second, 10));
}

// The state after some steps of Adam, from the same start each time, and what it then makes of `tested` samples at once.
std::vector<Tensor> trained(std::int64_t inputs, std::int64_t first, std::int64_t second, std::int64_t batch, int steps,
                            std::int64_t tested) {
  manual_seed(7);
  nn::Sequential net = network(inputs, first, second);
  const Tensor x = rand({4 * batch, inputs}), y = randint(0, 10, {4 * batch});
  optim::Adam adam(net->parameters(), optim::AdamOptions(2e-3));
  for (int step = 0; step < steps; ++step) {
    const Tensor picked = randperm(4 * batch).slice(0, 0, batch);
    adam.zero_grad();
    nn::functional::cross_entropy(net->forward(x.index_select(0, picked)), y.index_select(0, picked)).backward();
    adam.step();
  }
  std::vector<Tensor> state;
  for (const auto& entry : net->state_dict()) state.push_back(entry.value().detach().clone());
  net->eval();
  state.push_back(net->forward(rand({tested, inputs})).detach());
  return state;
}

bool same_state(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!test::same_bits(a[i], b[i])) return false;
  }
  return true;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(training)

// The networks of MNIST and of the small digits; the threads that took part are counted.
BOOST_AUTO_TEST_CASE(same_bits_at_any_number_of_threads) {
  test::ManyThreads threads;
  for (const bool mnist : {true, false}) {
    std::vector<Tensor> first;
    threads.each([&] {
      const std::vector<Tensor> state =
          mnist ? trained(784, 512, 512, 128, 3, 100) : trained(64, 256, 128, 64, 10, 1797);
      if (first.empty()) first = state;
      BOOST_TEST(same_state(state, first));
    });
    BOOST_TEST(!first.empty());
  }
}

BOOST_AUTO_TEST_CASE(two_models_trained_by_two_threads_at_once) {
  // Without random layers: the default generator is shared, and who draws first would be left to chance.
  const auto run = [](std::vector<Tensor>& state) {
    Generator generator(3);
    const Tensor x = randn({64, 20}, generator), y = (x.sum(1) > 0).to(kLong);
    nn::Linear a(20, 30), b(30, 2);
    {
      const NoGradGuard no_grad;
      for (const Tensor& p : a->parameters()) p.copy_(randn(p.sizes(), generator) * 0.2);
      for (const Tensor& p : b->parameters()) p.copy_(randn(p.sizes(), generator) * 0.2);
    }
    std::vector<Tensor> parameters = a->parameters();
    for (const Tensor& p : b->parameters()) parameters.push_back(p);
    optim::SGD sgd(parameters, optim::SGDOptions(0.1).momentum(0.9));
    for (int step = 0; step < 100; ++step) {
      sgd.zero_grad();
      nn::functional::cross_entropy(b(tanh(a(x))), y).backward();
      sgd.step();
    }
    for (const Tensor& p : parameters) state.push_back(p.detach());
  };
  std::vector<Tensor> alone, left, right;
  run(alone);
  std::thread other([&] { run(left); });
  run(right);
  other.join();
  BOOST_TEST(same_state(left, alone));
  BOOST_TEST(same_state(right, alone));
}

BOOST_AUTO_TEST_CASE(one_model_used_by_eight_threads) {
  manual_seed(5);
  nn::Sequential net = network(50, 40, 40);
  net->eval();
  const Tensor x = randn({32, 50});
  const NoGradGuard no_grad;
  const Tensor expected = net->forward(x);
  std::vector<Tensor> results(8);
  std::vector<std::thread> threads;
  for (Tensor& result : results) {
    threads.emplace_back([&] {
      const NoGradGuard also_here;
      for (int i = 0; i < 50; ++i) result = net->forward(x);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Tensor& result : results) BOOST_TEST(test::same_bits(result, expected));
}

BOOST_AUTO_TEST_SUITE_END()
