// A program in the manner of the frontend's regression example, with one changed include: a polynomial is fitted, by
// gradient descent whose steps get smaller, then by L-BFGS.
#include <gradus/torch.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "frontend_formula.h"

namespace {

constexpr int kDegree = 3, kBatch = 24;
namespace F = torch::nn::functional;

// x, x^2, x^3 as columns.
torch::Tensor make_features(const torch::Tensor& x) {
  const auto column = x.unsqueeze(1);
  std::vector<torch::Tensor> powers;
  for (int64_t i = 0; i < kDegree; ++i) powers.push_back(column.pow(i + 1));
  return torch::cat(powers, 1);
}

torch::Tensor target(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias) {
  return torch::mm(x, weight) + bias.item();
}

std::string poly_desc(const torch::Tensor& weight, const torch::Tensor& bias) {
  const auto size = weight.size(0);
  std::ostringstream stream;
  stream.precision(3);
  stream << std::fixed << "y = ";
  for (int64_t i = size; i-- > 0;) stream << weight[i].item<double>() << " x^" << i + 1 << " + ";
  stream << bias[0].item<double>();
  return stream.str();
}

std::pair<torch::Tensor, torch::Tensor> get_batch(int step, const torch::Tensor& weight, const torch::Tensor& bias) {
  const auto x = make_features(wave({kBatch}, step, 1.2));
  return std::make_pair(x, target(x, weight, bias));
}

}  // namespace

int main() {
  const auto options = torch::TensorOptions().dtype(torch::kDouble);
  const auto weight = torch::tensor({2.0, -1.5, 0.5}, options).view({kDegree, 1}),
             bias = torch::full({1}, 0.7, options);

  torch::nn::Linear fc(weight.size(0), 1);
  set_weights(*fc);
  torch::optim::SGD optim(fc->parameters(), torch::optim::SGDOptions(0.2).momentum(0.8).nesterov(true));
  for (int step = 0; step <= 50; ++step) {
    auto [batch_x, batch_y] = get_batch(step, weight, bias);
    fc->zero_grad();
    auto output = F::smooth_l1_loss(fc(batch_x), batch_y);
    output.backward();
    optim.step();
    if (step % 20 == 19) {  // half the learning rate
      for (auto& group : optim.param_groups()) {
        auto& options_of_group = static_cast<torch::optim::SGDOptions&>(group.options());
        options_of_group.lr(options_of_group.lr() * 0.5);
      }
    }
    print_loss(step, "smooth L1", output);
  }
  std::cout << "==> Learned function:\t" << poly_desc(fc->weight.view({-1}), fc->bias) << std::endl;
  std::cout << "==> Actual function:\t" << poly_desc(weight.view({-1}), bias) << std::endl;
  std::printf("lr: %.4f\n", optim.param_groups()[0].options().get_lr());

  // All at once, with a closure.
  set_weights(*fc);
  torch::optim::LBFGS lbfgs(fc->parameters(),
                            torch::optim::LBFGSOptions(0.5).max_iter(2).line_search_fn("strong_wolfe"));
  const auto [x, y] = get_batch(0, weight, bias);
  const auto inputs = x, outputs = y;
  for (int step = 0; step <= 10; ++step) {
    const auto closure = [&] {
      lbfgs.zero_grad();
      auto loss = torch::mse_loss(fc->forward(inputs), outputs);
      loss.backward();
      return loss;
    };
    print_loss(step * 5, "L-BFGS", lbfgs.step(closure));
  }
  std::cout << fc->weight.sizes() << std::endl;
}
