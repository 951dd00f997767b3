// recorded_net text|json|dot: a training step of a small network, recorded.
#include <gradus/gradus.h>

#include <iostream>
#include <string>

using namespace gradus;

int main(int argc, char** argv) {
  const std::string form = argc > 1 ? argv[1] : "text";
  manual_seed(0);
  nn::Sequential net(nn::Linear(8, 16), nn::BatchNorm1d(16), nn::ReLU(), nn::Linear(16, 16), nn::BatchNorm1d(16),
                     nn::ReLU(), nn::Linear(16, 16), nn::BatchNorm1d(16), nn::ReLU(), nn::Linear(16, 3));
  const Tensor x = randn({12, 8}), target = randint(0, 3, {12}, kInt64);
  optim::SGD sgd(net->parameters(), optim::SGDOptions(0.1));
  autograd::Record record(autograd::RecordOptions::page());
  record.name(x, "x \"quoted\" \\");
  for (const auto& [name, parameter] : net->named_parameters()) record.name(parameter, name);
  const Tensor loss = nn::functional::cross_entropy(net->forward(x), target);
  loss.backward();
  sgd.step();
  // Where history stops; a value that changes before it is read.
  const Tensor w = ones({2}).requires_grad_(), s = exp((w * 2).detach() * w), scaled = s * 2;
  s.mul_(2);
  try {
    scaled.sum().backward();
  } catch (const GradError&) {
  }
  // Numbers that JSON has none for.
  (tensor({0.0, 1.0}).requires_grad_().log() * 2).sum().backward();
  std::cout << (form == "json" ? record.json() : form == "dot" ? record.dot() : record.text());
}
