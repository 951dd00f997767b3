// vmap and per-sample gradients against the loop over the samples, each its best time of several: bench_vmap. libtorch has
// neither.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <limits>
#include <vector>

#include <gradus/gradus.h>

namespace {

using namespace gradus;

template <class Call>
double milliseconds(const Call& call) {
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i < 20; ++i) {
    const auto start = std::chrono::steady_clock::now();
    call();
    best = std::min(best, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}
template <class Batch, class Loop>
void compare(const char* name, const Batch& batch, const Loop& loop) {
  const double by_loop = milliseconds(loop), by_batch = milliseconds(batch);
  std::printf("%-40s loop %8.3f ms   vmap %8.3f ms   %5.2f\n", name, by_loop, by_batch, by_batch / by_loop);
}

Tensor loss(const Tensor& y, const Tensor& t) { return nn::functional::cross_entropy(y, t); }

void per_sample(const char* name, nn::Sequential net, const Tensor& x, const Tensor& t) {
  const std::vector<Tensor> parameters = net->parameters();
  const auto loop = [&] {
    std::vector<std::vector<Tensor>> all(parameters.size());
    for (std::int64_t n = 0; n < x.size(0); ++n) {
      const Tensor y = net->forward(x[n].unsqueeze(0));
      const std::vector<Tensor> one = autograd::grad({loss(y, t[n].unsqueeze(0))}, parameters);
      for (std::size_t i = 0; i < one.size(); ++i) all[i].push_back(one[i]);
    }
    for (const std::vector<Tensor>& each : all) stack(each);
  };
  compare(
      name, [&] { nn::per_sample_gradients(net, loss, x, t); }, loop);
}

}  // namespace

int main() {
  manual_seed(0);
  const Tensor w = randn({128, 128}), rows = randn({64, 128}), matrices = randn({64, 32, 32});
  const auto layer = [&](const Tensor& x) { return matmul(w, x).tanh(); };
  compare(
      "128x128 times 64 vectors, tanh", [&] { func::vmap(layer)(rows); },
      [&] {
        std::vector<Tensor> y;
        for (int n = 0; n < 64; ++n) y.push_back(layer(rows[n]));
        stack(y);
      });
  const auto square = [](const Tensor& a) { return matmul(a, a.t()).sum(); };
  compare(
      "64 products of 32x32, summed", [&] { func::vmap(square)(matrices); },
      [&] {
        std::vector<Tensor> y;
        for (int n = 0; n < 64; ++n) y.push_back(square(matrices[n]));
        stack(y);
      });
  const Tensor t = randint(0, 10, {64});
  per_sample("64 gradients of an MLP 64-128-10", nn::Sequential(nn::Linear(64, 128), nn::ReLU(), nn::Linear(128, 10)),
             randn({64, 64}), t);
  per_sample("64 gradients of a convolutional net",
             nn::Sequential(nn::Conv2d(nn::Conv2dOptions(3, 16, 3).padding(1)), nn::ReLU(),
                            nn::MaxPool2d(nn::MaxPool2dOptions(2)), nn::Conv2d(nn::Conv2dOptions(16, 16, 3)),
                            nn::ReLU(), nn::Flatten(), nn::Linear(16 * 6 * 6, 10)),
             randn({64, 3, 16, 16}), t);
}
