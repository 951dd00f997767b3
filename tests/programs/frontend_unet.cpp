// A program in the manner of PyTorch's C++ frontend, with one changed include: a U-Net that finds discs in noisy pictures.
// What it prints is the same with libtorch.
#include <gradus/torch.h>

#include <cmath>
#include <cstdio>
#include <string>

#include "frontend_train.h"

namespace {

namespace F = torch::nn::functional;
namespace nn = torch::nn;

// Convolution, normalisation, activation, twice.
nn::Sequential twice(int64_t in, int64_t out) {
  return nn::Sequential(nn::Conv2d(nn::Conv2dOptions(in, out, 3).padding(1).bias(false)), nn::BatchNorm2d(out),
                        nn::ReLU(nn::ReLUOptions().inplace(true)),
                        nn::Conv2d(nn::Conv2dOptions(out, out, 3).padding(1).padding_mode(torch::kReflect)),
                        nn::LeakyReLU(nn::LeakyReLUOptions().negative_slope(0.1)));
}

struct UNetImpl : nn::Module {
  explicit UNetImpl(int64_t width) {
    down1 = register_module("down1", twice(1, width));
    down2 = register_module("down2", twice(width, 2 * width));
    bottom = register_module("bottom", twice(2 * width, 4 * width));
    up2 = register_module("up2", nn::ConvTranspose2d(nn::ConvTranspose2dOptions(4 * width, 2 * width, 2).stride(2)));
    merge2 = register_module("merge2", twice(4 * width, 2 * width));
    up1 = register_module("up1", nn::Upsample(nn::UpsampleOptions()
                                                  .scale_factor(std::vector<double>({2, 2}))
                                                  .mode(torch::kBilinear)
                                                  .align_corners(true)));
    merge1 = register_module("merge1", twice(3 * width, width));
    last = register_module("last", nn::Conv2d(nn::Conv2dOptions(width, 1, {1, 1})));
  }
  torch::Tensor forward(torch::Tensor x) {
    const auto whole = down1->forward(x);
    const auto half = down2->forward(pool(whole));
    x = bottom->forward(F::max_pool2d(half, F::MaxPool2dFuncOptions(2)));
    x = merge2->forward(torch::cat({half, up2(x)}, /*dim=*/1));
    x = merge1->forward(torch::cat({whole, up1(x)}, /*dim=*/1));
    return last(x);
  }
  nn::Sequential down1{nullptr}, down2{nullptr}, bottom{nullptr}, merge2{nullptr}, merge1{nullptr};
  nn::ConvTranspose2d up2{nullptr};
  nn::Upsample up1{nullptr};
  nn::Conv2d last{nullptr};
  nn::MaxPool2d pool{nn::MaxPool2dOptions(2).stride(2)};
};
TORCH_MODULE(UNet);

// 1 - 2 |A and B| / (|A| + |B|), of each picture.
torch::Tensor dice_loss(const torch::Tensor& logits, const torch::Tensor& mask) {
  const auto p = logits.sigmoid();
  const auto both = (p * mask).sum({1, 2, 3}), sum = p.sum({1, 2, 3}) + mask.sum({1, 2, 3});
  return (1 - (2 * both + 1) / (sum + 1)).mean();
}

}  // namespace

int main() {
  using namespace torch::indexing;
  const int64_t count = 4, size = 16;
  auto mask = torch::zeros({count, 1, size, size}, kDouble);
  const auto at = torch::arange(size, kDouble);
  for (int64_t i = 0; i < count; ++i) {
    const auto dy = (at - (5 + 2 * i)).unsqueeze(1), dx = (at - (11 - i)).unsqueeze(0);
    mask.index_put_({i, 0}, (dy * dy + dx * dx < 12 + i).to(torch::kFloat64));
  }
  const auto images = mask + 0.8 * spread({count, 1, size, size}, 0.5);

  UNet net(4);
  set_parameters(*net);
  torch::optim::AdamW optimizer(net->parameters(), torch::optim::AdamWOptions(5e-3).weight_decay(1e-2));
  nn::BCEWithLogitsLoss criterion(nn::BCEWithLogitsLossOptions().pos_weight(torch::full({1}, 2.0, kDouble)));
  for (int step = 0; step < 50; ++step) {
    optimizer.zero_grad();
    const auto logits = net->forward(images);
    auto loss = criterion(logits, mask) + dice_loss(logits, mask);
    loss.backward();
    optimizer.step();
    report(step, loss);
  }
  net->eval();
  torch::NoGradGuard no_grad;
  const auto found = net->forward(images).sigmoid() > 0.5;
  const auto truth = mask.to(torch::kBool);
  const auto overlap = (found & truth).sum({1, 2, 3}).to(torch::kFloat64) / (found | truth).sum({1, 2, 3});
  for (int64_t i = 0; i < count; ++i) std::printf("overlap %.5f\n", overlap[i].item<double>());
  // Of odd size by interpolation, cut to what the picture has.
  const auto odd =
      F::interpolate(images.index({Slice(), Slice(), Slice(None, 13), Slice(1, 14)}),
                     F::InterpolateFuncOptions().size(std::vector<int64_t>({16, 16})).mode(torch::kNearest));
  std::printf("of another size: %.5f\n", net->forward(odd).mean().item<double>());
}
