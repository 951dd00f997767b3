// A program in the manner of PyTorch's C++ frontend, with one changed include: a beam search through a small language model,
// which reads and writes by index wherever it can. What it prints is the same with libtorch.
#include <gradus/torch.h>

#include <cmath>
#include <cstdio>
#include <limits>
#include <string>

using namespace torch::indexing;

namespace {

constexpr int64_t kVocabulary = 29, kEnd = 1, kBatch = 3, kBeams = 5, kPrompt = 2, kSteps = 9;
constexpr float kNever = -std::numeric_limits<float>::infinity();

void print(const char* what, const torch::Tensor& x) {
  std::string sizes;
  for (int64_t i = 0; i < x.dim(); i++) sizes += (i == 0 ? "" : "x") + std::to_string(x.size(i));
  std::printf("%s [%s]:", what, sizes.c_str());
  const bool whole = !x.is_floating_point();
  const torch::Tensor flat = x.to(torch::kFloat64).contiguous().view(-1);
  for (int64_t i = 0; i < flat.numel(); i++) std::printf(whole ? " %.0f" : " %.4f", flat[i].item<double>());
  std::printf("\n");
}

// The next word's log-probabilities from the last two words.
struct ModelImpl : torch::nn::Module {
  torch::nn::Embedding words{nullptr};
  torch::nn::Linear hidden{nullptr}, out{nullptr};
  ModelImpl() {
    words = register_module("words", torch::nn::Embedding(kVocabulary, 7));
    hidden = register_module("hidden", torch::nn::Linear(14, 16));
    out = register_module("out", torch::nn::Linear(16, kVocabulary));
    torch::NoGradGuard no_grad;
    double phase = 0.37;
    for (auto& parameter : parameters()) {  // numbers that every library draws alike
      const torch::Tensor i = torch::arange(parameter.numel(), torch::kFloat64);
      parameter.copy_(
          (torch::sin(i * (12.9898 + phase)) * torch::cos(i * 4.1414 - phase) * 1.6).view(parameter.sizes()));
      phase += 0.61;
    }
  }
  torch::Tensor forward(const torch::Tensor& last) {
    return torch::log_softmax(out(torch::tanh(hidden(words(last).flatten(1)))), -1);
  }
};
TORCH_MODULE(Model);

struct Beams {
  torch::Tensor words, scores, ended;  // [batch, beams, length], [batch, beams], [batch, beams]

  Beams(const torch::Tensor& prompt) {
    words = torch::zeros({kBatch, kBeams, kPrompt + kSteps}, torch::kInt64);
    words.index_put_({Slice(), Slice(), Slice(0, kPrompt)}, prompt.unsqueeze(1));
    scores = torch::full({kBatch, kBeams}, kNever);  // but for one beam all would be the same
    scores.index_put_({Slice(), 0}, 0.0);
    ended = torch::zeros({kBatch, kBeams}, torch::kBool);
  }

  // Words that would repeat a pair of the sentence are ruled out.
  void forbid_repeated_pairs(torch::Tensor log_p, int64_t length) const {
    const torch::Tensor last = words.select(2, length - 1).unsqueeze(-1);
    for (int64_t i = 0; i + 1 < length; i++) {
      const torch::Tensor same = words.index({"...", Slice(i, i + 1)}) == last;
      const torch::Tensor next = words.index({"...", Slice(i + 1, i + 2)});
      const torch::Tensor barred =
          torch::where(same, torch::full_like(same, kNever, torch::kFloat32), torch::zeros_like(same, torch::kFloat32));
      log_p.scatter_add_(2, next, barred);
    }
  }

  bool step(Model& model, int64_t length) {
    const torch::Tensor last = words.index({"...", Slice(length - 2, length)}).reshape({kBatch * kBeams, 2});
    torch::Tensor log_p = model->forward(last).view({kBatch, kBeams, kVocabulary}).clone();
    forbid_repeated_pairs(log_p, length);
    // A sentence that has ended goes on with the end's word, which costs nothing.
    log_p.index_put_({ended}, kNever);
    const torch::Tensor end = torch::one_hot(torch::tensor({kEnd}, torch::kInt64), kVocabulary).to(torch::kBool);
    log_p.masked_fill_(ended.unsqueeze(-1) & end, 0.0);
    const torch::Tensor sums = (scores.unsqueeze(-1) + log_p).view({kBatch, -1});
    const auto best = torch::topk(sums, kBeams, /*dim=*/1);
    const torch::Tensor place = std::get<1>(best), from = torch::div(place, kVocabulary, "floor"),
                        word = torch::remainder(place, kVocabulary);
    scores = std::get<0>(best);
    words = torch::gather(words, 1, from.unsqueeze(-1).expand({-1, -1, words.size(2)}));
    words.index_put_({Slice(), Slice(), length}, word);
    ended = torch::gather(ended, 1, from) | (word == kEnd);
    return !ended.all().item<bool>();
  }
};

}  // namespace

int main() {
  torch::NoGradGuard no_grad;
  Model model;
  const torch::Tensor prompt = torch::tensor({2, 3, 5, 7, 11, 13}, torch::kInt64).view({kBatch, kPrompt});
  Beams beams(prompt);
  for (int64_t length = kPrompt; length < kPrompt + kSteps; length++) {
    if (!beams.step(model, length)) break;
  }
  print("words", beams.words);
  print("scores", beams.scores);
  print("ended", beams.ended);

  // The best of each by the mean of its log-probabilities.
  const torch::Tensor written = (beams.words.index({Slice(), Slice(), Slice(kPrompt, None)}) > kEnd).sum(-1);
  const torch::Tensor rate = beams.scores / torch::clamp_min(written, 1).to(torch::kFloat32).pow(0.7);
  const torch::Tensor best = rate.argmax(1), sentence = beams.words.index({torch::arange(kBatch), best});
  print("rates", rate);
  print("best", best);
  print("sentences", sentence);
  print("rate of the best", rate.gather(1, best.unsqueeze(1)).squeeze(1));
  print("order of all beams", torch::argsort(rate.flatten(), 0, true));

  // Which words were used, how often, and which pairs.
  const auto distinct = torch::_unique2(sentence, /*sorted=*/true, /*return_inverse=*/true, /*return_counts=*/true);
  print("distinct words", std::get<0>(distinct));
  print("where they stand", std::get<1>(distinct));
  print("how often", std::get<2>(distinct));
  torch::Tensor pairs = torch::zeros({kVocabulary, kVocabulary}, torch::kInt64);
  const torch::Tensor first = sentence.index({Slice(), Slice(None, -1)}), second = sentence.index({Slice(), Slice(1)});
  pairs.index_put_({first, second}, torch::ones({1}, torch::kInt64), /*accumulate=*/true);
  print("pairs", torch::nonzero(pairs));
  print("their numbers", pairs.masked_select(pairs > 0));
  print("most frequent first word", std::get<1>(pairs.sum(1).max(0)).unsqueeze(0));
  print("vectors' mean", model->words->weight.index_select(0, sentence.flatten()).mean(0));
  print("every second row, turned", sentence.index({Slice(None, None, 2)}).flip({1}));
}
