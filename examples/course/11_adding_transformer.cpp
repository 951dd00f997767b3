// 11. A transformer that learns to add.
//
// Two numbers of four digits, and their sum of five. Nobody tells the network what a carry is: it sees examples. Place k of
// a sequence holds the digits of 10^k of both numbers, units first:
//
//     4709 + 815:   places (9, 5) (0, 1) (7, 8) (4, 0) (0, 0)   answer 4 2 5 5 0, that is 5524
//
// The digit at a place depends on that place and, by carries, on the places before it. Attention must find them.
// (Vaswani et al., "Attention Is All You Need", 2017; with the norm before each part, as in Xiong et al., 2020.)
#include "course.h"

using namespace gradus;

// Your answers to the two exercises at the end.
const course::Answer answer_1 = course::unanswered, answer_2 = course::unanswered;

namespace {

constexpr std::int64_t kPlaces = 5, kWidth = 32, kHeads = 2, kHeadWidth = kWidth / kHeads, kSteps = 1200;

// x: [B, T, d], B sequences of T places, d numbers at each. Both parts are ADDED to x, so that gradients have a straight
// way back.
struct Block : nn::Module {
  nn::LayerNorm norm_1 = register_module("norm_1", nn::LayerNorm(nn::LayerNormOptions({kWidth})));
  nn::Linear qkv = register_module("qkv", nn::Linear(kWidth, 3 * kWidth));
  nn::Linear project = register_module("project", nn::Linear(kWidth, kWidth));
  nn::LayerNorm norm_2 = register_module("norm_2", nn::LayerNorm(nn::LayerNormOptions({kWidth})));
  nn::Linear widen = register_module("widen", nn::Linear(kWidth, 4 * kWidth));
  nn::Linear narrow = register_module("narrow", nn::Linear(4 * kWidth, kWidth));
  Tensor p;  // the last forward's attention weights, [B, heads, T, T]

  // Attention. Each place asks with its q and is found by its k; what it then gives is its v:
  //   P = softmax(Q K^T / sqrt(d_head) + M),   Y = P V.
  // M is 0 for a place itself and those before it, and -infinity for those after it: there P is 0.
  Tensor attend(const Tensor& x, const Tensor& m) {
    const std::int64_t b = x.size(0);
    const Tensor split = qkv(x).reshape({b, kPlaces, 3, kHeads, kHeadWidth}).permute({2, 0, 3, 1, 4});
    const Tensor q = split[0], k = split[1], v = split[2];  // each [B, heads, T, d_head]
    p = softmax(matmul(q, k.transpose(-2, -1)) / std::sqrt(static_cast<double>(kHeadWidth)) + m, -1);
    return project(matmul(p, v).transpose(1, 2).reshape({b, kPlaces, kWidth}));
  }
  Tensor forward(Tensor x, const Tensor& m) {
    x = x + attend(norm_1(x), m);               // between places
    return x + narrow(relu(widen(norm_2(x))));  // at each place for itself
  }
};

struct Adder : nn::Module {
  nn::Embedding first = register_module("first", nn::Embedding(10, kWidth));
  nn::Embedding second = register_module("second", nn::Embedding(10, kWidth));
  nn::Embedding place = register_module("place", nn::Embedding(kPlaces, kWidth));
  std::shared_ptr<Block> block_1 = register_module("block_1", std::make_shared<Block>());
  std::shared_ptr<Block> block_2 = register_module("block_2", std::make_shared<Block>());
  nn::LayerNorm norm = register_module("norm", nn::LayerNorm(nn::LayerNormOptions({kWidth})));
  nn::Linear out = register_module("out", nn::Linear(kWidth, 10));
  Tensor m = full({kPlaces, kPlaces}, -INFINITY).triu(1);

  // a, b: [B, T] digits. Returns [B, T, 10], a score for each digit that the sum may have at each place.
  Tensor forward(const Tensor& a, const Tensor& b) {
    const Tensor x = first(a) + second(b) + place(arange(kPlaces, kLong));
    return out(norm(block_2->forward(block_1->forward(x, m), m)));
  }
};

Tensor digits_of(const Tensor& numbers) {  // [B] to [B, T], units first
  std::vector<Tensor> digits;
  for (std::int64_t power = 1; power <= 10000; power *= 10) digits.push_back(numbers.div(power, "floor").remainder(10));
  return stack(digits, 1);
}
struct Pairs {
  Tensor a, b, sum;
  Pairs(const Tensor& x, const Tensor& y) : a(digits_of(x)), b(digits_of(y)), sum(digits_of(x + y)) {}
};
Tensor numbers(std::int64_t n) { return randint(10000, {n}, kLong); }

Tensor loss_of(Adder& net, const Pairs& pairs) {
  return nn::functional::cross_entropy(net.forward(pairs.a, pairs.b).reshape({-1, 10}), pairs.sum.reshape({-1}));
}
// The share of sums, in per cent, that are right in ALL digits. 100 only when none is wrong.
int right(Adder& net, const Pairs& pairs) {
  const NoGradGuard no_grad;
  const Tensor all = (net.forward(pairs.a, pairs.b).argmax(-1) == pairs.sum).all(1);
  return static_cast<int>(100 * all.sum().item<std::int64_t>() / all.numel());
}

void train_and_look(course::Lesson& course, Adder& net, optim::AdamW& adam) {
  course.part("Training: 64 new pairs a step, and a test on 2000 others");
  const Pairs test(numbers(2000), numbers(2000));
  for (int step = 0; step <= kSteps; ++step) {
    // The learning rate falls along half a cosine, from 0.005 to 0.
    adam.param_groups()[0].options().set_lr(0.0025 * (1 + std::cos(3.1416 * step / kSteps)));
    adam.zero_grad();
    loss_of(net, Pairs(numbers(64), numbers(64))).backward();
    adam.step();
    if (step % 300 == 0) std::printf("step %4d: ~%d %% of the sums right\n", step, right(net, test));
  }

  // It saw 77,000 of the 100 million pairs, so it does not know the test's by heart. But a test measures what it asks. Here
  // a carry runs through all places: x + (10000 - x), as in 4709 + 5291 = 10000, where x is no multiple of ten. For that
  // the units must sum to 10 and each further place to 9: among random pairs 9/100 (1/10)^3, some 7 of the 77,000.
  course.part("What it has learned, and what it has not");
  const Tensor x = numbers(2000).div(10, "floor") * 10 + randint(1, 10, {2000}, kLong);
  const int random = right(net, test), carries = right(net, Pairs(x, 10000 - x));
  std::printf("random pairs ~%d %%, carries through all places ~%d %%\n", random, carries);
  std::printf("above 95 %% in the first, fewer in the second: %s\n", random > 95 && carries < random ? "yes" : "no");

  // At place 4 both digits are 0: the answer there is the carry alone, so it looks at the place before. At places 1 to 3 the
  // answer needs the own digits as well.
  course.part("Where block 1 looks in those sums: P, mean over sums and heads");
  std::printf("place   itself   the one before\n");
  const Tensor p = net.block_1->p.mean({0, 1});
  for (int k = 1; k < kPlaces; ++k)
    std::printf("%5d   ~%.1f     ~%.1f\n", k, p[k][k].item<double>(), p[k][k - 1].item<double>());
}

void lesson(course::Lesson& course) {
  manual_seed(11);
  Adder net;
  optim::AdamW adam(net.parameters(), optim::AdamWOptions(5e-3).weight_decay(0.01));

  course.part("One step, written down");
  {
    autograd::Record record;
    const Tensor loss = loss_of(net, Pairs(tensor({4709}, kLong), tensor({815}, kLong)));
    loss.backward();
    adam.step();
    record.stop();
    std::printf("untrained: loss %.1f; guessing gives log(10) = 2.3\n", loss.item<double>());
    course.page(record);
  }
  if (!course.answering()) train_and_look(course, net, adam);  // who answers an exercise does not wait

  course.exercise(answer_1, "How many numbers does qkv learn? It is Linear(32, 96), with a bias.", 3168.0,
                  "A weight of 96 x 32 = 3072, and a bias of 96.",
                  {{3072.0, "That is the weight. The bias has 96 more."},
                   {1056.0, "That is one of q, k and v: 32 x 32 + 32. qkv makes all three."},
                   {3104.0, "The bias has one number for each OUTPUT: 96, not 32."}},
                  "The weight has one number for each pair of an input and an output, the bias one for each output.");
  course.exercise(answer_2,
                  "Place 3, the fourth of five, scores 0 at every place before masking. What is P at place 1?", 0.25,
                  "It sees places 0 to 3. Equal scores give equal weights, and they add up to 1: 1 / 4.",
                  {{0.2, "You shared among five. Place 4 comes after it: M = -infinity there, and exp(-infinity) = 0."},
                   {0.0, "That is the score. softmax(0, 0, 0, 0) is not 0: exp(0) = 1, then divide by the sum."},
                   {1.0, "That is exp(0). softmax divides by the sum over the places that it sees."}},
                  "Write exp(score + M) for each of the five places, then divide by their sum.");
}

}  // namespace

int main(int argc, char** argv) { return course::run("11_adding_transformer", argc, argv, lesson); }
