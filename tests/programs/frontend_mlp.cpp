// A program of PyTorch's C++ frontend with one changed include: the network of the benchmarks and its training.
#include <gradus/torch.h>

#include "frontend.h"

namespace nn = torch::nn;

struct MLP : nn::Module {
  nn::Sequential seq;
  MLP(std::vector<int64_t> d, bool bn, double p) {
    for (size_t i = 0; i + 1 < d.size(); i++) {
      seq->push_back(nn::Linear(d[i], d[i + 1]));
      if (i + 2 < d.size()) {
        if (bn) seq->push_back(nn::BatchNorm1d(d[i + 1]));
        seq->push_back(nn::ReLU());
        if (p > 0) seq->push_back(nn::Dropout(p));
      }
    }
    register_module("seq", seq);
  }
};

int main() {
  const auto file = reference();
  const torch::Tensor x = file["batch/x"], t = file["batch/t"];
  MLP mlp({64, 32, 10}, true, 0);
  return compare(mlp, "mlp", [&] { return nn::functional::cross_entropy(mlp.seq->forward(x), t); });
}
