// A program in the manner of tutorials on translation, with one changed include: a GRU encodes a sentence of numbers,
// another, which attends to it, writes it backwards.
#include <gradus/torch.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "frontend_formula.h"

namespace {

namespace nn = torch::nn;
namespace F = torch::nn::functional;

constexpr int64_t kPad = 0, kBegin = 1, kEnd = 2, kWords = 10, kHidden = 24, kBatch = 8, kLength = 6;

struct EncoderImpl : nn::Module {
  EncoderImpl()
      : embedding(register_module("embedding", nn::Embedding(nn::EmbeddingOptions(kWords, kHidden).padding_idx(kPad)))),
        gru(register_module("gru", nn::GRU(nn::GRUOptions(kHidden, kHidden / 2).bidirectional(true)))) {}
  // [T, N] and lengths -> [T, N, H], [1, N, H]
  std::pair<torch::Tensor, torch::Tensor> forward(const torch::Tensor& source, const torch::Tensor& lengths) {
    auto packed = nn::utils::rnn::pack_padded_sequence(embedding(source), lengths);
    auto [outputs, state] = gru->forward_with_packed_input(packed);
    auto padded = nn::utils::rnn::pad_packed_sequence(outputs, /*batch_first=*/false, 0.0, source.size(0));
    return {std::get<0>(padded), torch::cat({state[0], state[1]}, -1).unsqueeze(0)};
  }
  nn::Embedding embedding;
  nn::GRU gru;
};
TORCH_MODULE(Encoder);

struct AttentionImpl : nn::Module {
  explicit AttentionImpl(int64_t hidden) {
    query = register_module("query", nn::Linear(nn::LinearOptions(hidden, hidden).bias(false)));
    key = register_module("key", nn::Linear(hidden, hidden));
    score = register_parameter("score", torch::empty({1, hidden}));
  }
  // Additive: [N, H] and [N, T, H] -> the weighted mean [N, H], the weights [N, T].
  std::tuple<torch::Tensor, torch::Tensor> forward(const torch::Tensor& q, const torch::Tensor& keys,
                                                   const torch::Tensor& mask) {
    auto energies = torch::tanh(query(q).unsqueeze(1) + key(keys)).matmul(score.t()).squeeze(-1);
    auto weights = F::softmax(energies.masked_fill(mask, -1e9), F::SoftmaxFuncOptions(1));
    return {torch::bmm(weights.unsqueeze(1), keys).squeeze(1), weights};
  }
  nn::Linear query{nullptr}, key{nullptr};
  torch::Tensor score;
};
TORCH_MODULE(Attention);

struct DecoderImpl : nn::Module {
  DecoderImpl()
      : embedding(kWords, kHidden),
        attention(kHidden),
        cell(nn::GRUCellOptions(2 * kHidden, kHidden)),
        out(kHidden, kWords) {
    register_module("embedding", embedding);
    register_module("attention", attention);
    register_module("cell", cell);
    register_module("out", out);
  }
  std::tuple<torch::Tensor, torch::Tensor, torch::Tensor> forward(const torch::Tensor& word, const torch::Tensor& state,
                                                                  const torch::Tensor& keys,
                                                                  const torch::Tensor& mask) {
    auto [context, weights] = attention->forward(state, keys, mask);
    auto next = cell->forward(torch::cat({embedding->forward(word), context}, 1), state);
    return std::make_tuple(torch::log_softmax(out->forward(next), 1), next, weights);
  }
  nn::Embedding embedding;
  Attention attention;
  nn::GRUCell cell;
  nn::Linear out;
};
TORCH_MODULE(Decoder);

struct Batch {
  torch::Tensor source, lengths, target;  // [T, N], [N], [T + 1, N]
};

// The lengths fall, as the packing wants it.
Batch make_batch(int64_t step) {
  Batch batch{torch::full({kLength, kBatch}, kPad, torch::kLong), torch::empty({kBatch}, torch::kLong),
              torch::full({kLength + 1, kBatch}, kPad, torch::kLong)};
  for (int64_t n = 0; n < kBatch; ++n) {
    const int64_t length = kLength - n / 3;
    batch.lengths[n] = length;
    for (int64_t t = 0; t < length; ++t) {
      const int64_t word = 3 + (step * 7 + n * 5 + t * t * 3 + t * n) % (kWords - 3);
      batch.source[t][n] = word;
      batch.target[length - 1 - t][n] = word;
    }
    batch.target[length][n] = kEnd;
  }
  return batch;
}

}  // namespace

int main() {
  Encoder encoder;
  Decoder decoder;
  set_weights(*encoder, 0.0, 2.0);
  set_weights(*decoder, 3.0, 2.0);
  torch::optim::Adam encoder_optimizer(encoder->parameters(), 0.01);
  torch::optim::Adam decoder_optimizer(decoder->parameters(), 0.01);
  auto criterion = nn::NLLLoss(nn::NLLLossOptions().ignore_index(kPad).reduction(torch::kSum));

  for (int step = 0; step <= 50; ++step) {
    const Batch batch = make_batch(step % 4);
    encoder_optimizer.zero_grad();
    decoder_optimizer.zero_grad();
    auto [keys, last] = encoder->forward(batch.source, batch.lengths);
    const auto mask = batch.source.t() == kPad;
    torch::Tensor loss = torch::zeros({}, torch::kDouble), state = last.squeeze(0);
    auto word = torch::full({kBatch}, kBegin, torch::kLong);
    const bool teacher_forcing = step % 3 != 2;
    for (int64_t t = 0; t <= kLength; ++t) {
      auto [scores, next, weights] = decoder->forward(word, state, keys.transpose(0, 1), mask);
      loss = loss + criterion(scores, batch.target[t]);
      state = next;
      word = teacher_forcing ? batch.target[t] : std::get<1>(scores.topk(1)).squeeze(1).detach();
    }
    loss = loss / batch.target.ne(kPad).sum();
    loss.backward();
    encoder_optimizer.step();
    decoder_optimizer.step();
    print_loss(step, teacher_forcing ? "taught" : "alone", loss);
  }

  torch::NoGradGuard no_grad;
  const Batch batch = make_batch(1);
  auto [keys, last] = encoder->forward(batch.source, batch.lengths);
  auto word = torch::full({kBatch}, kBegin, torch::kLong);
  auto state = last.squeeze(0);
  std::vector<torch::Tensor> words, attentions;
  for (int64_t t = 0; t <= kLength; ++t) {
    auto [scores, next, weights] = decoder->forward(word, state, keys.transpose(0, 1), batch.source.t() == kPad);
    word = scores.argmax(1);
    state = next;
    words.push_back(word);
    attentions.push_back(weights[0]);
  }
  const auto written = torch::stack(words);
  for (int64_t n = 0; n < 3; ++n) {
    for (int64_t t = 0; t <= kLength; ++t) {
      std::cout << written[t][n].item<int64_t>() << "/" << batch.target[t][n].item<int64_t>() << " ";
    }
    std::cout << std::endl;
  }
  const auto weights = torch::stack(attentions);
  for (int64_t t = 0; t < kLength; ++t) std::printf("%.5f ", weights[t].max().item<double>());
  std::printf("\n");
}
