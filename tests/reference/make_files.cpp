// files/libtorch_*.pt: archives of the C++ frontend (libtorch-dev 1.13.1), for tests/autograd/test_files_of_python.cpp.
//
//   g++ -std=c++17 -isystem /usr/include/torch/csrc/api/include make_files.cpp -o make_files -ltorch -ltorch_cpu -lc10
//   ./make_files files/
#include <torch/torch.h>

struct Net : torch::nn::Module {
  Net() {
    fc = register_module("fc", torch::nn::Linear(3, 2));
    bn = register_module("bn", torch::nn::BatchNorm1d(2));
  }
  torch::nn::Linear fc{nullptr};
  torch::nn::BatchNorm1d bn{nullptr};
};

int main(int, char** argv) {
  const std::string folder = argv[1];
  auto net = std::make_shared<Net>();
  net->fc->weight.data().copy_(torch::arange(6).view({2, 3}));
  net->fc->bias.data().fill_(0.5);
  torch::save(net, folder + "libtorch_module.pt");
  torch::save(torch::arange(6, torch::kDouble).view({2, 3}).t(), folder + "libtorch_tensor.pt");
  torch::save(std::vector<torch::Tensor>{torch::ones(2), torch::zeros({1, 2}, torch::kLong)},
              folder + "libtorch_tensors.pt");
  torch::serialize::OutputArchive archive, inner;
  archive.write("x", torch::ones(3));
  archive.write("epoch", torch::IValue(7));
  archive.write("name", torch::IValue("net"));
  archive.write("lrs", torch::IValue(std::vector<double>{0.1, 0.2}));
  inner.write("y", torch::zeros(1));
  archive.write("inner", inner);
  archive.save_to(folder + "libtorch_archive.pt");
}
