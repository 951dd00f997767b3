// A program in the manner of the tutorial "Using the PyTorch C++ Frontend", with one changed include: holders that begin
// empty, bare parameters, a module of the user's own.
#include <gradus/torch.h>

#include "frontend.h"

struct NetImpl : torch::nn::Module {
  NetImpl(int64_t in, int64_t classes, double dropout) : p(dropout) {
    fc1 = register_module("fc1", torch::nn::Linear(in, 48));
    fc2 = register_module("fc2", torch::nn::Linear(48, 32));
    W = register_parameter("W", torch::randn({32, classes}) * 0.3);
    b = register_parameter("b", torch::randn(classes) * 0.3);
  }
  torch::Tensor forward(torch::Tensor x) {
    x = torch::relu(fc1->forward(x));
    x = torch::dropout(x, p, is_training());
    x = torch::relu(fc2->forward(x));
    x = torch::addmm(b, x, W);
    return torch::log_softmax(x, /*dim=*/1);
  }
  torch::nn::Linear fc1{nullptr}, fc2{nullptr};
  torch::Tensor W, b;
  double p;
};
TORCH_MODULE(Net);

int main() {
  const auto file = reference();
  const torch::Tensor x = file["batch/x"], t = file["batch/t"];
  auto net = std::make_shared<NetImpl>(64, 10, 0.0);
  if (compare(*net, "net", [&] { return torch::nll_loss(net->forward(x), t); }) != 0) return 1;
  // The same through the holder, with dropout: it trains.
  Net trained(64, 10, 0.2);
  torch::optim::Adam optimizer(trained->parameters(), torch::optim::AdamOptions(1e-2));
  double first = 0, last = 0;
  for (int epoch = 1; epoch <= 60; ++epoch) {
    trained->zero_grad();
    torch::Tensor loss = torch::nll_loss(trained->forward(x), t);
    loss.backward();
    optimizer.step();
    (epoch == 1 ? first : last) = loss.item<double>();
  }
  std::printf("with dropout: loss %.3f, then %.3f\n", first, last);
  return last < 0.5 * first ? 0 : 1;
}
