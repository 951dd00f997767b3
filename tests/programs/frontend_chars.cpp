// A program in the manner of tutorials on character models, with one changed include: an LSTM learns a rhyme and recites it.
#include <gradus/torch.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "frontend_formula.h"

namespace {

const std::string kText =
    "one tensor went to market, two tensors stayed at home, three tensors had a gradient, four tensors had none. ";
constexpr int64_t kSequence = 12, kBatch = 8, kHidden = 32;

struct Vocabulary {
  explicit Vocabulary(const std::string& text) {
    for (const char c : text) {
      if (index.emplace(c, static_cast<int64_t>(chars.size())).second) chars += c;
    }
  }
  torch::Tensor encode(const std::string& text) const {
    std::vector<int64_t> codes;
    for (const char c : text) codes.push_back(index.at(c));
    return torch::tensor(codes, torch::kLong);
  }
  int64_t size() const { return static_cast<int64_t>(chars.size()); }
  std::map<char, int64_t> index;
  std::string chars;
};

class CharModelImpl : public torch::nn::Module {
 public:
  using State = std::tuple<torch::Tensor, torch::Tensor>;

  CharModelImpl(int64_t vocab, int64_t hidden, int64_t layers)
      : embedding(torch::nn::EmbeddingOptions(vocab, 16)),
        lstm(torch::nn::LSTMOptions(16, hidden).num_layers(layers).batch_first(true).dropout(0)),
        decoder(hidden, vocab),
        hidden_(hidden),
        layers_(layers) {
    register_module("embedding", embedding);
    register_module("lstm", lstm);
    register_module("decoder", decoder);
  }

  std::tuple<torch::Tensor, State> forward(const torch::Tensor& input, torch::optional<State> state = torch::nullopt) {
    auto [output, next] = lstm->forward(embedding->forward(input), state);
    return std::make_tuple(decoder->forward(output), next);
  }
  State init_hidden(int64_t batch) const {
    const auto zeros = torch::zeros({layers_, batch, hidden_}, torch::kFloat64);
    return {zeros, zeros.clone()};
  }

  torch::nn::Embedding embedding;
  torch::nn::LSTM lstm;
  torch::nn::Linear decoder;

 private:
  int64_t hidden_, layers_;
};
TORCH_MODULE(CharModel);

// From a first letter on, always the likeliest.
std::string sample(CharModel& model, const Vocabulary& vocabulary, char first, int length) {
  torch::NoGradGuard no_grad;
  model->eval();
  std::string text(1, first);
  auto state = model->init_hidden(1);
  auto input = vocabulary.encode(text).unsqueeze(0);
  for (int i = 0; i < length; ++i) {
    auto [logits, next] = model->forward(input, state);
    state = next;
    auto probabilities = torch::softmax(logits.squeeze(0) / 0.8, -1);
    auto [value, choice] = torch::topk(probabilities, 1);
    text += vocabulary.chars[static_cast<size_t>(choice.item<int64_t>())];
    input = choice.view({1, 1});
  }
  model->train();
  return text;
}

}  // namespace

int main() {
  const Vocabulary vocabulary(kText);
  std::cout << kText.size() << " characters, " << vocabulary.size() << " of them different" << std::endl;
  CharModel model(vocabulary.size(), kHidden, /*layers=*/2);
  set_weights(*model, 0.0, 2.5);
  torch::optim::Adam optimizer(model->parameters(), torch::optim::AdamOptions(1e-2).eps(1e-8).amsgrad(true));
  torch::nn::CrossEntropyLoss criterion;

  // In parts that follow one another, each with the state of the one before.
  const auto codes = vocabulary.encode(kText);
  auto state = model->init_hidden(kBatch);
  for (int step = 0; step <= 50; ++step) {
    std::vector<torch::Tensor> inputs, targets;
    for (int64_t b = 0; b < kBatch; ++b) {
      const auto places = torch::arange(step * kSequence + b * 13, step * kSequence + b * 13 + kSequence + 1);
      const auto part = codes.index_select(0, places.remainder(codes.size(0)));
      inputs.push_back(part.slice(0, 0, kSequence));
      targets.push_back(part.slice(0, 1));
    }
    auto [logits, next] = model->forward(torch::stack(inputs), state);
    state = std::make_tuple(std::get<0>(next).detach(), std::get<1>(next).detach());
    auto loss = criterion(logits.reshape({-1, vocabulary.size()}), torch::stack(targets).flatten());
    optimizer.zero_grad();
    loss.backward();
    torch::nn::utils::clip_grad_norm_(model->parameters(), /*max_norm=*/1.0);
    optimizer.step();
    print_loss(step, "loss", loss);
  }
  std::cout << sample(model, vocabulary, 'o', 60) << std::endl;

  std::stringstream stream;
  torch::save(model, stream);
  CharModel loaded(vocabulary.size(), kHidden, 2);
  loaded->to(torch::kFloat64);
  torch::load(loaded, stream);
  std::cout << sample(loaded, vocabulary, 't', 40) << std::endl;
  for (const auto& p : loaded->lstm->named_parameters()) std::cout << p.key() << " " << p.value().sizes() << std::endl;
}
