// frontend.safetensors: two programs of PyTorch's C++ frontend, their initial weights, batch and 20 losses.
// With Debian's libtorch-dev 1.13.1:
//   g++ -std=c++17 -O1 make_frontend.cpp -I/usr/include/torch/csrc/api/include -ltorch -ltorch_cpu -lc10
//     -o make_frontend
//   ./make_frontend frontend.safetensors
// check_frontend.py replays the file in Python, with any version of PyTorch.
//
// Names: `batch/x` [32, 64], `batch/t` [32], `mlp/` and `net/` followed by the names of the state_dict, and
// `losses/mlp_sgd` [20] and the like: the loss before each step, in float32, every training from the same weights.
#include <torch/torch.h>

#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

using torch::Tensor;
namespace nn = torch::nn;

// The network of the benchmarks, as it stands there.
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

// A network in the manner of the tutorial "Using the PyTorch C++ Frontend": holders that begin empty, bare parameters.
struct Net : torch::nn::Module {
  Net(int64_t in, int64_t classes, double dropout) : p(dropout) {
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

using Tensors = std::map<std::string, Tensor>;

Tensors state(const nn::Module& module) {
  Tensors result;
  for (const auto& p : module.named_parameters()) result[p.key()] = p.value();
  for (const auto& b : module.named_buffers()) result[b.key()] = b.value();
  return result;
}

void restore(nn::Module& module, const Tensors& saved) {
  torch::NoGradGuard no_grad;
  for (auto& entry : state(module)) entry.second.copy_(saved.at(entry.first));
  module.zero_grad();
}

void write(const std::string& path, const Tensors& tensors) {
  std::ostringstream header;
  std::string data;
  for (const auto& [name, tensor] : tensors) {
    const Tensor t = tensor.detach().contiguous();
    header << (data.empty() ? "{" : ",") << '"' << name << "\":{\"dtype\":\""
           << (t.scalar_type() == torch::kLong ? "I64" : t.scalar_type() == torch::kDouble ? "F64" : "F32")
           << "\",\"shape\":[";
    for (int64_t i = 0; i < t.dim(); i++) header << (i ? "," : "") << t.size(i);
    header << "],\"data_offsets\":[" << data.size();
    data.append(static_cast<const char*>(t.data_ptr()), static_cast<size_t>(t.numel()) * t.element_size());
    header << "," << data.size() << "]}";
  }
  header << "}";
  std::string text = header.str();
  text.append((8 - text.size() % 8) % 8, ' ');
  const uint64_t length = text.size();  // little-endian on every machine that libtorch is built for here
  std::FILE* file = std::fopen(path.c_str(), "wb");
  const bool written = file && std::fwrite(&length, 8, 1, file) == 1 &&
                       std::fwrite(text.data(), text.size(), 1, file) == 1 &&
                       std::fwrite(data.data(), data.size(), 1, file) == 1;
  if (!file || std::fclose(file) != 0 || !written) throw std::runtime_error("cannot write " + path);
  std::printf("%s: %zu tensors, %zu bytes\n", path.c_str(), tensors.size(), 8 + text.size() + data.size());
}

template <class Optimizer>
Tensor losses(Optimizer optimizer, const std::function<Tensor()>& loss) {
  std::vector<float> values;
  for (int step = 0; step < 20; step++) {
    optimizer.zero_grad();
    Tensor l = loss();
    l.backward();
    optimizer.step();
    values.push_back(l.item<float>());
  }
  std::printf("  %.6f ... %.6f\n", values.front(), values.back());
  return torch::tensor(values);
}

// Every training of one module, from the weights that it has now.
void trainings(const std::string& name, nn::Module& module, const std::function<Tensor()>& loss, Tensors& file) {
  Tensors saved;
  for (const auto& [key, value] : state(module)) saved[key] = file[name + "/" + key] = value.detach().clone();
  const auto parameters = [&] { return module.parameters(); };
  file["losses/" + name + "_sgd"] = losses(torch::optim::SGD(parameters(), torch::optim::SGDOptions(0.1)), loss);
  restore(module, saved);
  file["losses/" + name + "_sgd_momentum"] =
      losses(torch::optim::SGD(parameters(), torch::optim::SGDOptions(0.1).momentum(0.9)), loss);
  restore(module, saved);
  file["losses/" + name + "_adam"] = losses(torch::optim::Adam(parameters(), torch::optim::AdamOptions(1e-2)), loss);
  restore(module, saved);
}

int main(int argc, char** argv) {
  torch::set_num_threads(1);
  torch::manual_seed(20240605);
  Tensors file;
  const Tensor x = torch::randn({32, 64}), t = torch::randint(0, 10, {32}, torch::kLong);
  file["batch/x"] = x;
  file["batch/t"] = t;
  MLP mlp({64, 32, 10}, true, 0);
  trainings("mlp", mlp, [&] { return nn::functional::cross_entropy(mlp.seq->forward(x), t); }, file);
  auto net = std::make_shared<Net>(64, 10, 0.0);
  trainings("net", *net, [&] { return torch::nll_loss(net->forward(x), t); }, file);
  write(argc > 1 ? argv[1] : "frontend.safetensors", file);
}
