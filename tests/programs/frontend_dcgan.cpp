// A program in the manner of the frontend's tutorial on a DCGAN, with one changed include: two networks against each other,
// checkpoints, samples.
#include <gradus/torch.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "frontend_formula.h"

namespace {

using namespace torch;

constexpr int64_t kNoiseSize = 8, kBatchSize = 6;

struct DCGANGeneratorImpl : nn::Module {
  explicit DCGANGeneratorImpl(int64_t noise_size)
      : conv1(nn::ConvTranspose2dOptions(noise_size, 12, 3).bias(false)),
        batch_norm1(12),
        conv2(nn::ConvTranspose2dOptions(12, 8, 3).stride(2).padding(1).bias(false)),
        batch_norm2(8),
        conv3(nn::ConvTranspose2dOptions(8, 1, 4).stride(2).padding(1).output_padding(0).bias(false)) {
    register_module("conv1", conv1);
    register_module("conv2", conv2);
    register_module("conv3", conv3);
    register_module("batch_norm1", batch_norm1);
    register_module("batch_norm2", batch_norm2);
  }

  torch::Tensor forward(torch::Tensor x) {
    x = torch::relu(batch_norm1(conv1(x)));
    x = torch::relu(batch_norm2(conv2(x)));
    return torch::tanh(conv3(x));
  }

  nn::ConvTranspose2d conv1;
  nn::BatchNorm2d batch_norm1;
  nn::ConvTranspose2d conv2;
  nn::BatchNorm2d batch_norm2;
  nn::ConvTranspose2d conv3;
};
TORCH_MODULE(DCGANGenerator);

// What Module::apply() takes: each layer by its own kind.
void weights_init(nn::Module& module) {
  torch::NoGradGuard no_grad;
  if (auto* deconv = module.as<nn::ConvTranspose2d>()) {
    deconv->weight.copy_(wave(deconv->weight.sizes().vec(), static_cast<double>(deconv->weight.size(1)), 0.2));
  } else if (auto* conv = module.as<nn::Conv2dImpl>()) {
    conv->weight.copy_(wave(conv->weight.sizes().vec(), static_cast<double>(conv->weight.size(0)), 0.2));
  } else if (auto* norm = module.as<nn::BatchNorm2d>()) {
    norm->weight.fill_(1.1);
    nn::init::constant_(norm->bias, 0.05);
  }
}

}  // namespace

int main() {
  torch::manual_seed(1);
  torch::Device device(torch::kCPU);
  const TemporaryFolder folder;

  DCGANGenerator generator(kNoiseSize);
  nn::Sequential discriminator(
      // 10 x 10
      nn::Conv2d(nn::Conv2dOptions(1, 8, 4).stride(2).padding(1).bias(false)),
      nn::LeakyReLU(nn::LeakyReLUOptions().negative_slope(0.2)),
      // 5 x 5
      nn::Conv2d(nn::Conv2dOptions(8, 12, 3).stride(2).padding(1).bias(false)), nn::BatchNorm2d(12),
      nn::LeakyReLU(nn::LeakyReLUOptions().negative_slope(0.2)),
      // 3 x 3
      nn::Conv2d(nn::Conv2dOptions(12, 1, 3).stride(1).padding(0).bias(false)), nn::Sigmoid());
  generator->to(device, torch::kFloat64);
  discriminator->to(device, torch::kFloat64);
  generator->apply(weights_init);
  discriminator->apply(weights_init);

  torch::optim::Adam generator_optimizer(
      generator->parameters(), torch::optim::AdamOptions(2e-3).betas(std::make_tuple(0.5, 0.5)).weight_decay(1e-3));
  torch::optim::Adam discriminator_optimizer(discriminator->parameters(),
                                             torch::optim::AdamOptions(1e-3).betas({0.5, 0.9}));

  for (int step = 0; step <= 50; ++step) {
    // With real images.
    discriminator->zero_grad();
    auto rows = torch::linspace(-1, 1, 10, torch::kFloat64);
    auto real_images = torch::tanh(3 * torch::outer(rows, rows) + wave({kBatchSize, 1, 1, 1}, step)).to(device);
    auto real_labels = torch::full({kBatchSize}, 0.9, torch::kFloat64);
    auto real_output = discriminator->forward(real_images).reshape(real_labels.sizes());
    auto d_loss_real = torch::binary_cross_entropy(real_output, real_labels);
    d_loss_real.backward();

    // With fake ones.
    auto noise = wave({kBatchSize, kNoiseSize, 1, 1}, step * 0.7);
    auto fake_images = generator->forward(noise);
    auto fake_labels = torch::zeros(kBatchSize, torch::kFloat64);
    auto fake_output = discriminator->forward(fake_images.detach()).reshape(fake_labels.sizes());
    auto d_loss_fake = torch::binary_cross_entropy(fake_output, fake_labels);
    d_loss_fake.backward();
    auto d_loss = d_loss_real + d_loss_fake;
    discriminator_optimizer.step();

    // The generator, by how far it is taken for real.
    generator->zero_grad();
    fake_labels.fill_(1);
    fake_output = discriminator->forward(fake_images).reshape(fake_labels.sizes());
    auto g_loss = torch::binary_cross_entropy(fake_output, fake_labels);
    g_loss.backward();
    generator_optimizer.step();
    print_loss(step, "D_loss", d_loss);
    print_loss(step, "G_loss", g_loss);
    if (step % 25 == 0) {
      torch::save(generator, (folder.path / "generator-checkpoint.pt").string());
      torch::save(generator_optimizer, (folder.path / "generator-optimizer-checkpoint.pt").string());
      torch::save(discriminator, (folder.path / "discriminator-checkpoint.pt").string());
    }
  }

  DCGANGenerator restored(kNoiseSize);
  restored->to(torch::kFloat64);
  torch::load(restored, (folder.path / "generator-checkpoint.pt").string());
  torch::load(discriminator, (folder.path / "discriminator-checkpoint.pt").string());
  restored->eval();
  generator->eval();
  const auto samples = restored->forward(wave({4, kNoiseSize, 1, 1}, 0.3));
  std::printf("the same samples: %d\n", samples.equal(generator->forward(wave({4, kNoiseSize, 1, 1}, 0.3))));
  for (const auto i : {0, 1, 2, 3}) std::printf("%.5f ", samples[i].mean().item<double>());
  std::printf("\n");
  for (const auto& pair : generator->named_buffers()) {
    std::printf("%s %.5f\n", pair.key().c_str(), pair.value().to(torch::kFloat64).sum().item<double>());
  }
}
