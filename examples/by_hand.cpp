// Backpropagation by hand: the interface of the textbooks over the library's hand-written rules, without a graph.
//
// A layer keeps what it saw in forward; backward takes dL/d(output) and returns dL/d(input), and leaves the gradients of
// the parameters beside them. The rules are plain functions of Arrays, so nothing is recorded: the program counts graph
// nodes and finds none. It then trains the same network through the graph and compares the bits.
//
// Where the library's own modules differ: they keep nothing between forward and backward (the graph does), and `.grad`
// ACCUMULATES from one backward to the next until zero_grad(), where these gradients are overwritten.
#include <gradus/core/array/create.h>
#include <gradus/core/nn/optimizer_step.h>
#include <gradus/gradus.h>

#include <cstdio>
#include <cstring>
#include <memory>

namespace nn = gradus::nn;
using gradus::Tensor;
using gradus::autograd::Needs;
using gradus::core::Array;

namespace {

// ---- the textbook's interface -------------------------------------------------------------------------------------

struct Layer {
  virtual ~Layer() = default;
  virtual Array forward(const Array& input) = 0;
  virtual Array backward(const Array& input, const Array& grad_output) = 0;
  virtual std::vector<Array> parameters() { return {}; }
  virtual std::vector<Array> grad_parameters() { return {}; }
};

struct Linear : Layer {
  Array weight, bias, grad_weight, grad_bias;
  Linear(Array w, Array b) : weight(w), bias(b) {}
  Array forward(const Array& x) override { return nn::LinearRule::forward(x, weight, bias); }
  Array backward(const Array& x, const Array& dz) override {
    auto [dx, dw, db] = nn::LinearRule::backward(Needs(), dz, x, weight);
    grad_weight = dw, grad_bias = db;
    return dx;
  }
  std::vector<Array> parameters() override { return {weight, bias}; }
  std::vector<Array> grad_parameters() override { return {grad_weight, grad_bias}; }
};

struct BatchNorm : Layer {
  Array gamma, beta, running_mean, running_var, mean, inv_std, grad_gamma, grad_beta;
  BatchNorm(Array g, Array b, Array m, Array v) : gamma(g), beta(b), running_mean(m), running_var(v) {}
  Array forward(const Array& x) override {
    Array y;
    std::tie(y, running_mean, running_var, mean, inv_std) =
        nn::BatchNormRule::forward({}, x, gamma, beta, running_mean, running_var);
    return y;
  }
  Array backward(const Array& x, const Array& dy) override {
    const auto gradients = nn::BatchNormRule::backward(Needs(), dy, x, gamma, mean, inv_std);
    grad_gamma = gradients[1], grad_beta = gradients[2];
    return gradients[0];
  }
  std::vector<Array> parameters() override { return {gamma, beta}; }
  std::vector<Array> grad_parameters() override { return {grad_gamma, grad_beta}; }
};

struct ReLU : Layer {
  Array forward(const Array& x) override { return gradus::autograd::ReluRule::forward(x); }
  Array backward(const Array& x, const Array& dy) override { return gradus::autograd::ReluRule::backward(dy, x)[0]; }
};

struct Dropout : Layer {
  nn::DropoutRule::Attrs attrs;
  Array mask;
  explicit Dropout(double p) { attrs.p = p; }
  Array forward(const Array& x) override {
    attrs.position = gradus::core::default_generator().take(x.numel());
    Array y;
    std::tie(y, mask) = nn::DropoutRule::forward(attrs, x);
    return y;
  }
  Array backward(const Array&, const Array& dy) override { return nn::DropoutRule::backward(attrs, dy, mask)[0]; }
};

// ---- a network of them, and its training --------------------------------------------------------------------------

double train_step(std::vector<std::unique_ptr<Layer>>& layers, std::vector<std::vector<Array>>& velocities,
                  const Array& x, const Array& target, const gradus::core::SgdStep& sgd) {
  std::vector<Array> inputs{x};  // of each layer, and at the end the network's output
  for (auto& layer : layers) inputs.push_back(layer->forward(inputs.back()));

  const nn::CrossEntropyRule::Attrs mean_loss;
  const auto [loss, log_p, divisor] = nn::CrossEntropyRule::forward(mean_loss, inputs.back(), target, {});
  const Array one = gradus::core::ones({});
  Array grad = nn::CrossEntropyRule::backward(mean_loss, Needs(), one, {inputs.back().shape()}, target, Array(), log_p,
                                              divisor)[0];
  for (std::size_t i = layers.size(); i-- > 0;) grad = layers[i]->backward(inputs[i], grad);

  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto parameters = layers[i]->parameters(), gradients = layers[i]->grad_parameters();
    gradus::core::SgdStep step = sgd;
    step.first = velocities[i].empty();
    for (std::size_t k = 0; k < parameters.size(); ++k) {
      if (step.first) velocities[i].push_back(gradus::core::zeros_like(parameters[k]));
      gradus::core::optimizer_step(step, parameters[k], gradients[k], {&velocities[i][k]});
    }
  }
  return loss.item<double>();
}

bool same_bits(const Array& a, const Array& b) {
  return a.shape() == b.shape() && std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.numel() * 4)) == 0;
}

int run() {
  constexpr int kSteps = 50;
  gradus::manual_seed(1);
  const Tensor x = gradus::randn({64, 20}), target = gradus::randint(0, 5, {64});
  nn::Sequential net(nn::Linear(20, 32), nn::BatchNorm1d(32), nn::ReLU(), nn::Dropout(0.3), nn::Linear(32, 5));

  // The hand-made layers start from copies of the network's numbers.
  const auto copy = [&](const char* name) { return net->state_dict()[name].array().clone(); };
  std::vector<std::unique_ptr<Layer>> layers;
  layers.push_back(std::make_unique<Linear>(copy("0.weight"), copy("0.bias")));
  layers.push_back(
      std::make_unique<BatchNorm>(copy("1.weight"), copy("1.bias"), copy("1.running_mean"), copy("1.running_var")));
  layers.push_back(std::make_unique<ReLU>());
  layers.push_back(std::make_unique<Dropout>(0.3));
  layers.push_back(std::make_unique<Linear>(copy("4.weight"), copy("4.bias")));

  gradus::manual_seed(2);
  const std::int64_t nodes_before = gradus::autograd::Node::created();
  std::vector<std::vector<Array>> velocities(layers.size());
  const gradus::core::SgdStep sgd{.lr = 0.1, .momentum = 0.9};
  std::vector<double> by_hand;
  for (int i = 0; i < kSteps; ++i) by_hand.push_back(train_step(layers, velocities, x.array(), target.array(), sgd));
  const std::int64_t nodes = gradus::autograd::Node::created() - nodes_before;

  gradus::manual_seed(2);
  gradus::optim::SGD optimizer(net->parameters(), gradus::optim::SGDOptions(0.1).momentum(0.9));
  bool same = true;
  for (int i = 0; i < kSteps; ++i) {
    optimizer.zero_grad();
    const Tensor loss = nn::functional::cross_entropy(net->forward(x), target);
    loss.backward();
    optimizer.step();
    same = same && loss.item<double>() == by_hand[static_cast<std::size_t>(i)];
  }
  std::size_t index = 0;
  const std::vector<Tensor> parameters = net->parameters();
  for (auto& layer : layers) {
    for (const Array& p : layer->parameters()) same = same && same_bits(p, parameters[index++].array());
  }
  const auto* norm = static_cast<BatchNorm*>(layers[1].get());
  same = same && same_bits(norm->running_mean, net->state_dict()["1.running_mean"].array()) &&
         same_bits(norm->running_var, net->state_dict()["1.running_var"].array());

  std::printf("loss by hand: %.6f at the first step, %.6f after %d\n", by_hand.front(), by_hand.back(), kSteps);
  std::printf("graph nodes made by hand: %lld\n", static_cast<long long>(nodes));
  std::printf("same bits as through the graph: %s\n", same ? "yes" : "NO");
  return same && nodes == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char**) {
  if (argc > 1) {
    std::fputs("by_hand takes no arguments: it trains one small network twice, by the graph and by hand\n", stderr);
    return 2;
  }
  try {
    return run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
