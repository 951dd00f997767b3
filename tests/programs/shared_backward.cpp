// shared_backward [SECONDS]: eight threads go backward into the same parameters, through graphs of their own and through one
// that they share, with hooks of every kind, for so long (2 s). All numbers are integers, so the sums must be exact, and
// nothing may be left when they are done. ThreadSanitizer watches it in its stage.
#include <gradus/gradus.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

using gradus::Tensor;

constexpr int kThreads = 8, kSize = 5;

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "shared_backward: not so: %s\n", what);
  std::exit(1);
}

struct Counts {
  std::atomic<std::int64_t> passes{0}, on_leaf{0}, after_leaf{0}, on_result{0}, on_shared{0};
};

void run(double seconds) {
  using Clock = std::chrono::steady_clock;
  const Tensor a = gradus::full({kSize}, 3, gradus::kFloat64).requires_grad_();
  const Tensor b = gradus::full({kSize}, 2, gradus::kFloat64).requires_grad_();
  const Tensor shared = a * b;
  Counts counts;
  a.register_hook([&](const Tensor&) { ++counts.on_leaf; });
  b.register_post_accumulate_grad_hook([&](Tensor& grad) {
    require(grad.defined(), "a hook after accumulation sees the gradient");
    ++counts.after_leaf;
  });
  shared.register_hook([&](const Tensor& g) {
    ++counts.on_shared;
    return g * 2;
  });
  std::vector<std::int64_t> of_a(kThreads), of_b(kThreads);  // what each thread has sent to an element
  std::vector<std::thread> threads;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const auto place = static_cast<std::size_t>(t);
      for (std::int64_t i = 0; Clock::now() < end; ++i) {
        const std::int64_t k = i % 7 + t;
        if (i % 3 == 0) {  // the graph that all share
          (shared * k).sum().backward({}, true);
          of_a[place] += 2 * k * 2;
          of_b[place] += 2 * k * 3;
        } else if (i % 3 == 1) {  // one's own, its hook removed by turns
          const Tensor h = a * k;
          const auto id = h.register_hook([&](const Tensor& g) {
            ++counts.on_result;
            return g * 3;
          });
          if (i % 2 == 0) h.remove_hook(id);
          (h + b).sum().backward();
          of_a[place] += k * (i % 2 == 0 ? 1 : 3);
          of_b[place] += 1;
        } else {  // of both orders: d/da (sum a a k)^ = 2 a k; its sum's gradient is 2 k
          const Tensor y = (a * a * k).sum();
          const Tensor dx = gradus::autograd::grad({y}, {a}, {}, true, true)[0];
          dx.sum().backward({}, {}, false, {a});
          of_a[place] += 2 * k;
        }
        ++counts.passes;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::int64_t sum_a = 0, sum_b = 0;
  for (std::size_t t = 0; t < kThreads; ++t) {
    sum_a += of_a[t];
    sum_b += of_b[t];
  }
  for (int i = 0; i < kSize; ++i) {
    require(a.grad().select(0, i).item<double>() == static_cast<double>(sum_a), "the sum in a.grad is exact");
    require(b.grad().select(0, i).item<double>() == static_cast<double>(sum_b), "the sum in b.grad is exact");
  }
  require(counts.on_leaf >= counts.passes && counts.after_leaf > 0 && counts.on_result > 0 && counts.on_shared > 0,
          "every hook has run");
  std::printf("%lld passes of %d threads, gradients %lld and %lld\n", static_cast<long long>(counts.passes.load()),
              kThreads, static_cast<long long>(sum_a), static_cast<long long>(sum_b));
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::stod(argv[1]) : 2;
  gradus::set_num_threads(2);
  const std::int64_t nodes = gradus::autograd::Node::alive(), arrays = gradus::memory_stats().live_arrays;
  run(seconds);
  require(gradus::autograd::Node::alive() == nodes, "no node is left");
  require(gradus::memory_stats().live_arrays == arrays, "no array is left");
}
