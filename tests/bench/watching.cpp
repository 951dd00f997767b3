// What recording and watching cost: a small operation with and without a node, a node in chains of any length, and a network
// with and without a Record, anomaly mode, a watch over finite gradients. Processor time on one thread, taken in turn; the
// least of each, so that other work on the machine does not count.
//
//   bench_watching [LONGEST CHAIN]
#include <gradus/gradus.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

namespace {

using namespace gradus;
using Run = std::function<void()>;

double microseconds(const Run& run) {
  const auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return 1e6 * static_cast<double>(time.tv_sec) + 1e-3 * static_cast<double>(time.tv_nsec);
  };
  const double start = now();
  run();
  return now() - start;
}
double least(const std::vector<double>& times) { return *std::min_element(times.begin(), times.end()); }
// Both in turn, for half a second at least.
void compare(const std::string& name, const Run& plain, const Run& watched) {
  std::vector<double> off, on;
  plain();
  watched();
  double spent = 0;
  while (spent < 5e5 || off.size() < 5) {
    off.push_back(microseconds(plain));
    on.push_back(microseconds(watched));
    spent += off.back() + on.back();
  }
  std::printf("%-56s %10.1f us %10.1f us  %.2f\n", name.c_str(), least(off), least(on), least(on) / least(off));
  std::fflush(stdout);
}

void small_operations() {
  constexpr int kCount = 1000;
  const Tensor a = randn({64}), b = randn({64}), x = randn({64}).requires_grad_();
  const auto additions = [&](const Tensor& left) {
    return [&b, left] {
      for (int i = 0; i < kCount; ++i) (void)(left + b);
    };
  };
  std::vector<double> plain, recorded;
  for (int i = 0; i < 500; ++i) {
    plain.push_back(microseconds(additions(a)));
    recorded.push_back(microseconds(additions(x)));
  }
  std::printf("an addition of 64 elements: %.0f ns, recorded %.0f ns, which is %.0f more\n",
              1e3 * least(plain) / kCount, 1e3 * least(recorded) / kCount,
              1e3 * (least(recorded) - least(plain)) / kCount);
}

void chains(std::int64_t longest) {
  const Tensor x = randn({1}).requires_grad_();
  std::printf("additions of one element in a chain: ns a node, recorded and run backward\n");
  for (std::int64_t length = 1000; length <= longest; length *= 10) {
    std::vector<double> forward, backward;
    const int times = static_cast<int>(std::clamp<std::int64_t>(3'000'000 / length, 2, 100));
    for (int i = 0; i < times; ++i) {
      Tensor y = x;
      forward.push_back(microseconds([&] {
        for (std::int64_t k = 0; k < length; ++k) y = y + x;
      }));
      backward.push_back(microseconds([&] { y.backward(); }));
      x.zero_grad();
    }
    const auto n = static_cast<double>(length);
    std::printf("%12lld  %6.0f  %6.0f\n", static_cast<long long>(length), 1e3 * least(forward) / n,
                1e3 * least(backward) / n);
    std::fflush(stdout);
  }
}

template <class Watch>
Run under(const Run& run) {
  return [&run] {
    const Watch watch;
    run();
  };
}

// A thousand operations: residual blocks of linear, relu, mul, add.
void networks() {
  for (const std::int64_t width : {32, 64, 128, 256}) {
    std::vector<nn::Linear> layers;
    for (int i = 0; i < 250; ++i) layers.emplace_back(width, width);
    const Tensor x = randn({64, width});
    const Run run = [&] {
      for (const nn::Linear& layer : layers) layer->zero_grad();
      Tensor y = x;
      for (const nn::Linear& layer : layers) y = y + 0.1 * relu(layer(y));
      y.sum().backward();
    };
    compare("Record: a thousand operations on 64 x " + std::to_string(width), run, under<autograd::Record>(run));
  }
  const Tensor x = randn({64}).requires_grad_();
  const Run chain = [&] {
    Tensor y = x;
    for (int i = 0; i < 1000; ++i) y = y + x;
    y.sum().backward();
    x.zero_grad();
  };
  compare("Record: a thousand additions of 64 elements", chain, under<autograd::Record>(chain));
}

void training_steps() {
  const std::vector<std::vector<std::int64_t>> sizes = {{4, 16, 3, 16}, {784, 128, 10, 32}, {784, 1024, 10, 128}};
  for (const auto& s : sizes) {
    nn::Sequential net(nn::Linear(s[0], s[1]), nn::BatchNorm1d(s[1]), nn::ReLU(), nn::Linear(s[1], s[2]));
    optim::SGD sgd(net->parameters(), optim::SGDOptions(0.01).momentum(0.9));
    const Tensor x = randn({s[3], s[0]}), target = randint(0, s[2], {s[3]}, kInt64);
    const Run step = [&] {
      sgd.zero_grad();
      nn::functional::cross_entropy(net->forward(x), target).backward();
      sgd.step();
    };
    const std::string name = ": step of " + std::to_string(s[0]) + "-" + std::to_string(s[1]) + "-" +
                             std::to_string(s[2]) + ", batch " + std::to_string(s[3]);
    compare("WatchFinite" + name, step, under<autograd::WatchFinite>(step));
    compare("anomaly mode" + name, step, under<autograd::DetectAnomalyGuard>(step));
    compare("Record" + name, step, under<autograd::Record>(step));
  }
}

}  // namespace

int main(int argc, char** argv) {
  set_num_threads(1);
  manual_seed(0);
  small_operations();
  chains(argc > 1 ? std::atoll(argv[1]) : 10'000'000);
  networks();
  training_steps();
}
