// A program in the manner of PyTorch's C++ frontend, with one changed include: a variational autoencoder of small pictures.
// What it prints is the same with libtorch.
#include <gradus/torch.h>

#include <cmath>
#include <cstdio>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "frontend_train.h"

namespace {

namespace F = torch::nn::functional;

struct Output {
  torch::Tensor picture, mean, log_variance;
};

class VAEImpl : public torch::nn::Module {
 public:
  VAEImpl(int64_t pixels, int64_t hidden, int64_t latent)
      : encoder(torch::nn::Linear(pixels, hidden), torch::nn::ReLU(torch::nn::ReLUOptions(true))),
        to_mean(torch::nn::LinearOptions(hidden, latent)),
        to_log_variance(torch::nn::LinearOptions(hidden, latent)),
        decoder(torch::nn::Linear(latent, hidden), torch::nn::ReLU(), torch::nn::Linear(hidden, pixels)) {
    register_module("encoder", encoder);
    register_module("to_mean", to_mean);
    register_module("to_log_variance", to_log_variance);
    register_module("decoder", decoder);
  }
  std::pair<torch::Tensor, torch::Tensor> encode(const torch::Tensor& x) {
    const auto h = encoder->forward(x.flatten(1));
    return {to_mean->forward(h), to_log_variance->forward(h)};
  }
  torch::Tensor decode(const torch::Tensor& z) { return torch::sigmoid(decoder->forward(z)); }
  Output forward(const torch::Tensor& x, const torch::Tensor& noise) {
    torch::Tensor mean, log_variance;
    std::tie(mean, log_variance) = encode(x);
    const auto z = is_training() ? mean + noise * log_variance.div(2).exp() : mean;
    return {decode(z).view_as(x), mean, log_variance};
  }
  torch::nn::Sequential encoder;
  torch::nn::Linear to_mean, to_log_variance;
  torch::nn::Sequential decoder;
};
TORCH_MODULE(VAE);

// Spots of light at places that go round.
torch::Tensor pictures(int64_t count) {
  const auto grids = torch::meshgrid({torch::arange(8, kDouble), torch::arange(8, kDouble)}, "ij");
  std::vector<torch::Tensor> all;
  for (int64_t i = 0; i < count; i++) {
    const double at = static_cast<double>(i), angle = 0.61 * at, radius = 2.0 + std::sin(1.7 * at);
    const auto dy = grids[0] - (3.5 + radius * std::sin(angle)), dx = grids[1] - (3.5 + radius * std::cos(angle));
    all.push_back(torch::exp(-0.5 * (dy.pow(2) + dx.pow(2))).unsqueeze(0));
  }
  return torch::stack(all);
}

}  // namespace

int main() {
  torch::manual_seed(1);
  auto one = torch::make_generator<at::CPUGeneratorImpl>(1), other = at::detail::createCPUGenerator(1);
  std::printf("one seed, one noise: %d\n", torch::randn({5}, one).equal(torch::randn({5}, other)));
  try {
    torch::ones({2, 3}).matmul(torch::ones({2, 3}));
  } catch (const c10::Error& error) {
    std::printf("an error says what: %d\n", !error.msg().empty() && *error.what_without_backtrace() != 0);
  }
  const torch::Device device(torch::cuda::is_available() ? torch::kCUDA : torch::kCPU);
  VAE model(64, 32, 3);
  set_parameters(*model);
  model->to(device);
  const auto images = pictures(32).to(device);
  torch::optim::Adam optimizer(model->parameters(), torch::optim::AdamOptions(1e-2));
  model->train();
  for (int step = 0; step < 50; ++step) {
    const auto batch = images.narrow(0, 8 * (step % 4), 8);
    const auto out = model->forward(batch, spread({8, 3}, step));
    const auto reconstruction =
        F::binary_cross_entropy(out.picture, batch, F::BinaryCrossEntropyFuncOptions().reduction(torch::kSum));
    const auto divergence = -0.5 * torch::sum(1 + out.log_variance - out.mean.pow(2) - out.log_variance.exp());
    const auto loss = (reconstruction + divergence) / batch.size(0);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    report(step, loss);
  }
  model->eval();
  torch::NoGradGuard no_grad;
  const auto out = model->forward(images, {});
  std::printf("mean squared error %.5f\n", F::mse_loss(out.picture, images).item<double>());
  const auto between = model->decode(torch::lerp(out.mean[0], out.mean[1], 0.5));
  std::printf("brightest pixel half-way: %d\n", between.argmax().item<int>());
}
