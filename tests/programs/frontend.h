// What the two frontend programs share: weights, batch and losses that libtorch has written, and the comparison.
#pragma once

#include <cmath>
#include <cstdio>
#include <functional>
#include <string>

inline torch::nn::NamedTensors reference() { return torch::load_tensors(GRADUS_TEST_DATA "/frontend.safetensors"); }

inline void restore(torch::nn::Module& module, const torch::nn::NamedTensors& file, const std::string& prefix) {
  torch::NoGradGuard no_grad;
  for (const auto& entry : module.named_parameters()) entry.value().copy_(file[prefix + entry.key()]);
  for (const auto& entry : module.named_buffers()) entry.value().copy_(file[prefix + entry.key()]);
}

/// Trains for 20 steps and compares each loss with libtorch's. Returns how many are further off than 1e-5.
inline int differing(torch::optim::Optimizer&& optimizer, const std::function<torch::Tensor()>& loss,
                     const torch::Tensor& expected) {
  int wrong = 0;
  for (int step = 0; step < 20; step++) {
    optimizer.zero_grad();
    torch::Tensor l = loss();
    l.backward();
    optimizer.step();
    const double ours = l.item<double>(), theirs = expected[step].item<double>();
    if (!(std::abs(ours - theirs) <= 1e-5)) {
      std::printf("step %d: %.8f, libtorch %.8f\n", step, ours, theirs);
      wrong++;
    }
  }
  return wrong;
}

/// The three trainings, each from the same weights.
inline int compare(torch::nn::Module& module, const std::string& name, const std::function<torch::Tensor()>& loss) {
  const torch::nn::NamedTensors file = reference();
  const auto from_start = [&] {
    restore(module, file, name + "/");
    return module.parameters();
  };
  int wrong = differing(torch::optim::SGD(from_start(), torch::optim::SGDOptions(0.1)), loss,
                        file["losses/" + name + "_sgd"]);
  wrong += differing(torch::optim::SGD(from_start(), torch::optim::SGDOptions(0.1).momentum(0.9)), loss,
                     file["losses/" + name + "_sgd_momentum"]);
  wrong += differing(torch::optim::Adam(from_start(), torch::optim::AdamOptions(1e-2)), loss,
                     file["losses/" + name + "_adam"]);
  std::printf("%s: %d of 60 losses differ from libtorch's by more than 1e-5\n", name.c_str(), wrong);
  return wrong == 0 ? 0 : 1;
}
