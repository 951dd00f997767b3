// Several threads of a program call in at once.
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cstring>
#include <exception>
#include <functional>
#include <thread>
#include <vector>

#include <oneapi/tbb/global_control.h>

#include <gradus/gradus.h>

#include "../support/host_arena.h"
#include "../support/threads.h"

using namespace gradus;
using gradus::test::in_threads;

namespace {

bool same_bits(const Tensor& a, const Tensor& b) {
  const core::Array x = a.array().contiguous(), y = b.array().contiguous();
  return x.shape() == y.shape() && x.dtype() == y.dtype() &&
         std::memcmp(x.data(), y.data(), static_cast<std::size_t>(x.numel() * x.element_size())) == 0;
}

nn::Sequential network(Generator& generator) {
  nn::Sequential net(nn::Linear(64, 256), nn::BatchNorm1d(256), nn::ReLU(), nn::Linear(256, 256), nn::Tanh(),
                     nn::Linear(256, 10));
  const NoGradGuard guard;
  for (const Tensor& p : net->parameters()) p.uniform_(-0.1, 0.1, generator);
  return net;
}

// The parameters after some steps. Everything random comes from a generator of its own.
std::vector<Tensor> train(std::uint64_t seed, int steps) {
  Generator generator(seed);
  nn::Sequential net = network(generator);
  optim::Adam adam(net->parameters(), optim::AdamOptions(1e-2));
  const Tensor x = randn({300, 64}, generator), y = randint(10, {300}, generator);
  for (int i = 0; i < steps; ++i) {
    const Tensor picked = randperm(300, generator).slice(0, 0, 128 + i % 64);
    adam.zero_grad();
    nn::functional::cross_entropy(net->forward(x.index_select(0, picked)), y.index_select(0, picked)).backward();
    adam.step();
  }
  return net->parameters();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(host_threads)

BOOST_AUTO_TEST_CASE(models_trained_in_two_threads_at_once) {
  test::ManyThreads threads;
  constexpr int kSteps = 40;
  const std::vector<Tensor> alone[] = {train(1, kSteps), train(2, kSteps)};
  for (int n : {1, 2, 7}) {
    set_num_threads(n);
    std::vector<Tensor> together[2];
    in_threads(2, [&](int i) { together[i] = train(static_cast<std::uint64_t>(i) + 1, kSteps); });
    for (int i = 0; i < 2; ++i) {
      BOOST_TEST_REQUIRE(together[i].size() == alone[i].size());
      for (std::size_t p = 0; p < alone[i].size(); ++p) BOOST_TEST(same_bits(together[i][p], alone[i][p]));
    }
  }
  BOOST_TEST(!same_bits(alone[0][0], alone[1][0]));
}

BOOST_AUTO_TEST_CASE(inference_on_one_model_from_eight_threads) {
  test::ManyThreads threads;
  set_num_threads(3);
  Generator generator(5);
  nn::Sequential net = network(generator);
  net->forward(randn({100, 64}, generator));  // running statistics
  net->eval();
  const Tensor shared = randn({500, 64}, generator);
  const Tensor wanted = net->forward(shared);
  in_threads(8, [&](int i) {
    const NoGradGuard guard;
    for (int k = 0; k < 20; ++k) {
      const std::int64_t rows = 20 * i + k + 1;
      const Tensor y = net->forward(shared.slice(0, 0, rows));
      // A product's rows depend on nothing but themselves.
      if (!allclose(y, wanted.slice(0, 0, rows), 1e-4, 1e-5)) throw std::logic_error("another thread's numbers");
      if (!same_bits(net->forward(shared), wanted)) throw std::logic_error("other bits");
    }
  });
}

// The library is called without pause, on one thread and on several, and has all the workers that there are; what the host
// program hands to an arena of its own still gets one soon.
BOOST_AUTO_TEST_CASE(the_hosts_own_arena_gets_its_turn) {
  const tbb::global_control two(tbb::global_control::max_allowed_parallelism, 2);
  const int before = get_num_threads();
  set_num_threads(2);
  for (const int callers : {1, 2, 4}) {
    for (const bool high_priority : {false, true}) {
      std::atomic<bool> stop{false};
      std::thread calling([&] {
        in_threads(callers, [&](int) {
          const NoGradGuard guard;
          const Tensor x = ones({1'000'000});
          while (!stop) x.mul(2);
        });
      });
      BOOST_TEST(test::host_tasks_run(5, high_priority), "no thread within 5 s, with " << callers << " callers");
      stop = true;
      calling.join();
    }
  }
  set_num_threads(before);
}

// No write is missed by the count, and the place that a message would name is always one of theirs.
BOOST_AUTO_TEST_CASE(several_threads_fill_rows_of_one_tensor) {
  constexpr int kThreads = 6, kWrites = 3000;
  const Tensor x = zeros({kThreads, 32});
  const std::uint64_t before = x.array().storage()->write_count();
  std::atomic<bool> done{false};
  std::atomic<int> strange{0};
  std::thread reader([&] {
    while (!done) {
      const core::WriteMark mark = x.array().storage()->writes();
      const std::string_view by = mark.by == nullptr ? "" : mark.by;
      if (mark.count > before && by != "fill_" && by != "add_" && by != "add" && !by.empty()) strange.fetch_add(1);
      if (mark.at.file() != nullptr && std::strcmp(mark.at.file(), __FILE__) != 0) strange.fetch_add(1);
    }
  });
  in_threads(kThreads, [&](int i) {
    const NoGradGuard guard;
    for (int k = 0; k < kWrites; ++k) {
      const Tensor row = x[i];
      k % 2 == 0 ? row.fill_(i) : row.add_(1);
    }
  });
  done = true;
  reader.join();
  BOOST_TEST(strange.load() == 0);
  for (int i = 0; i < kThreads; ++i) BOOST_TEST((x[i] == i + 1).all().item<bool>());
  // At least one mark for each (an operation may mark below and above), and as many as without threads.
  const std::uint64_t marks = x.array().storage()->write_count() - before;
  const Tensor alone = zeros({1, 32});
  const std::uint64_t start = alone.array().storage()->write_count();
  alone[0].fill_(1);
  alone[0].add_(1);
  BOOST_TEST(marks == (alone.array().storage()->write_count() - start) * kThreads * kWrites / 2);
}

BOOST_AUTO_TEST_SUITE_END()
