// A network trained a little, and an error caught: both sides of the library's boundary are used.
#include <gradus/gradus.h>

#include <cstdio>
#include <cstring>

namespace nn = gradus::nn;

struct Net : nn::Module {
  Net() { linear = register_module("linear", nn::Linear(3, 1)); }
  gradus::Tensor forward(const gradus::Tensor& x) { return linear(x); }
  nn::Linear linear{nullptr};
};

int main() {
  gradus::manual_seed(0);
  Net net;
  gradus::optim::SGD optimizer(net.parameters(), 0.1);
  const gradus::Tensor x = gradus::randn({32, 3});
  const gradus::Tensor y = x.sum(1, true);
  double first = 0, last = 0;
  for (int step = 0; step < 200; ++step) {
    optimizer.zero_grad();
    const gradus::Tensor loss = nn::functional::mse_loss(net.forward(x), y);
    loss.backward();
    optimizer.step();
    last = static_cast<double>(loss.item<float>());
    if (step == 0) first = last;
  }
  if (!(last < 1e-3 * first)) {
    std::printf("the loss went from %g to %g only\n", first, last);
    return 1;
  }

  try {
    gradus::matmul(gradus::ones({3, 4}), gradus::ones({5, 6}));
    std::puts("a matmul of wrong shapes was let through");
    return 1;
  } catch (const gradus::ShapeError& error) {
    if (std::strstr(error.what(), "[3, 4]") == nullptr) {
      std::printf("the message lacks the shapes: %s\n", error.what());
      return 1;
    }
  }
  std::printf("gradus %s: the loss went from %g to %g\n", gradus::version, first, last);
}
