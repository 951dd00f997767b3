// A program in the manner of tutorials on language models, with one changed include: a small transformer encoder with
// positions, a causal mask and a mask of what is padded, trained with a warm-up.
#include <gradus/torch.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "frontend_formula.h"

namespace {

using namespace torch::indexing;
namespace nn = torch::nn;

constexpr int64_t kTokens = 11, kModel = 16, kHeads = 4, kLength = 9, kBatch = 4, kPad = 0;

struct PositionalEncodingImpl : nn::Module {
  PositionalEncodingImpl(int64_t d_model, double dropout, int64_t max_len) : drop(dropout) {
    register_module("dropout", drop);
    auto position = torch::arange(0, max_len, torch::kDouble).unsqueeze(1);
    auto div_term =
        torch::exp(torch::arange(0, d_model, 2, torch::kDouble) * (-std::log(10000.0) / static_cast<double>(d_model)));
    pe = torch::zeros({max_len, 1, d_model}, torch::kDouble);
    pe.index_put_({Slice(), 0, Slice(0, None, 2)}, torch::sin(position * div_term));
    pe.index_put_({Slice(), 0, Slice(1, None, 2)}, torch::cos(position * div_term));
    pe = register_buffer("pe", pe);
  }
  torch::Tensor forward(torch::Tensor x) { return drop->forward(x + pe.index({Slice(None, x.size(0))})); }
  nn::Dropout drop;
  torch::Tensor pe;
};
TORCH_MODULE(PositionalEncoding);

struct LanguageModelImpl : nn::Module {
  explicit LanguageModelImpl(int64_t layers)
      : positions(kModel, 0.0, 32), embedding(kTokens, kModel), norm(nn::LayerNormOptions({kModel})) {
    auto layer = nn::TransformerEncoderLayer(
        nn::TransformerEncoderLayerOptions(kModel, kHeads).dim_feedforward(32).dropout(0.0).activation(torch::kGELU));
    encoder = nn::TransformerEncoder(nn::TransformerEncoderOptions(layer, layers));
    register_module("positions", positions);
    register_module("embedding", embedding);
    register_module("encoder", encoder);
    register_module("norm", norm);
    decoder = register_module("decoder", nn::Linear(kModel, kTokens));
  }
  torch::Tensor forward(const torch::Tensor& tokens, const torch::Tensor& mask, const torch::Tensor& padding) {
    auto x = embedding(tokens) * std::sqrt(static_cast<double>(kModel));
    x = encoder(positions(x), mask, padding);
    return decoder(norm(x));
  }
  PositionalEncoding positions;
  nn::Embedding embedding;
  nn::LayerNorm norm;
  nn::TransformerEncoder encoder{nullptr};
  nn::Linear decoder{nullptr};
};
TORCH_MODULE(LanguageModel);

torch::Tensor causal_mask(int64_t size) {
  const auto later = torch::triu(torch::ones({size, size}, torch::kDouble), 1);
  return torch::zeros({size, size}, torch::kDouble)
      .masked_fill_(later.to(torch::kBool), -std::numeric_limits<double>::infinity());
}

// Sequences that count by a step of their own, of different lengths: [T + 1, N].
torch::Tensor sequences(int64_t step) {
  auto tokens = torch::zeros({kLength + 1, kBatch}, torch::kInt64);
  for (int64_t n = 0; n < kBatch; ++n) {
    for (int64_t t = 0; t <= kLength - n; ++t) tokens.index_put_({t, n}, 1 + (step * 3 + n + t * (1 + n % 3)) % 10);
  }
  return tokens;
}

}  // namespace

int main() {
  LanguageModel model(2);
  set_weights(*model);
  torch::optim::AdamW optimizer(model->parameters(),
                                torch::optim::AdamWOptions(1e-2).betas({0.9, 0.98}).weight_decay(0.01));
  const auto mask = causal_mask(kLength);
  for (int step = 0; step <= 50; ++step) {
    for (auto& group : optimizer.param_groups()) group.options().set_lr(2e-2 * std::min(1.0, (step + 1) / 10.0));
    const auto tokens = sequences(step % 8);
    const auto inputs = tokens.slice(0, 0, kLength), targets = tokens.slice(0, 1).contiguous();
    auto output = model->forward(inputs, mask, (inputs == kPad).t());
    auto loss = nn::functional::cross_entropy(output.view({-1, kTokens}), targets.view(-1),
                                              nn::functional::CrossEntropyFuncOptions().ignore_index(kPad));
    optimizer.zero_grad();
    loss.backward();
    const double norm = nn::utils::clip_grad_norm_(model->parameters(), 1.0);
    optimizer.step();
    print_loss(step, "loss", loss);
    if (step % 25 == 0) std::printf("norm %.5f\n", norm);
  }

  // Nothing before a place depends on what comes after it.
  model->eval();
  torch::NoGradGuard no_grad;
  auto tokens = sequences(1).slice(0, 0, kLength);
  const auto none = torch::zeros({kBatch, kLength}, torch::kBool);
  const auto before = model->forward(tokens, mask, none);
  tokens = tokens.clone();
  tokens[kLength - 1].fill_(5);
  const auto change = (model->forward(tokens, mask, none) - before).abs().amax({1, 2});
  std::printf("changed: %d before, %d at the end\n", change.slice(0, 0, kLength - 1).max().item<double>() > 1e-9,
              change[kLength - 1].item<double>() > 1e-9);

  // What it writes by itself.
  auto written = sequences(2).index({Slice(0, 3), Slice(0, 1)});
  while (written.size(0) < kLength) {
    const auto length = written.size(0);
    auto scores = model->forward(written, causal_mask(length), torch::zeros({1, length}, torch::kBool));
    written = torch::cat({written, scores.index({-1}).argmax(-1, /*keepdim=*/true)});
  }
  for (int64_t t = 0; t < kLength; ++t) std::cout << written[t].item<int64_t>() << " ";
  std::cout << std::endl;
  int64_t count = 0;
  for (const auto& p : model->parameters()) count += p.numel();
  std::cout << count << " parameters, " << model->children().size() << " children" << std::endl;
}
