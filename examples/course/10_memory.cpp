// 10. Memory: what is saved for backward, by whom, and how long; and checkpoints, which save less.
//
// A derivative needs numbers from the forward pass: d(a b)/da is b, and tanh'(z) is 1 - tanh(z)^2. So operations keep them
// until backward has used them. In training that is where most of the memory goes.
// (Checkpoints: Chen, Xu, Zhang, Guestrin, "Training Deep Nets with Sublinear Memory Cost", 2016.)
#include <algorithm>

#include "course.h"

using namespace gradus;

// Your answers to the two exercises at the end.
const course::Answer answer_1 = course::unanswered, answer_2 = course::unanswered;

namespace {

constexpr std::int64_t kElements = 4096;       // of each tensor below, float32
constexpr std::int64_t kUnit = 4 * kElements;  // 16 KiB: we count memory in this unit

// Bytes of all tensors that are alive, in units.
double live() { return static_cast<double>(memory_stats().live_bytes) / kUnit; }

// The largest `live` at any step of forward or backward: an observer is told of each.
struct Peak : autograd::Observer {
  double units = 0;
  void look() { units = std::max(units, live()); }
  void recorded(autograd::Node&, const Operand*, int, const std::vector<core::Array>&) override { look(); }
  void ran(autograd::Node&, const autograd::Gradients&, autograd::Gradients&) override { look(); }
};

int computed = 0;  // how many tanh have been computed
Tensor layers(Tensor x, int n) {
  for (int i = 0; i < n; ++i) x = tanh(x), ++computed;
  return x;
}
Tensor input() { return full({kElements}, 0.5).requires_grad_(); }

void lesson(course::Lesson& course) {
  // An operation keeps what its formula reads, and no more:
  //   mul    da = dy b, db = dy a    the other input. Nobody asks for dx below, so only x is kept, for dw.
  //   add    da = dy, db = dy        nothing
  //   tanh   dz = dy (1 - y^2)       its result
  //   sum    dx = dy, expanded       nothing but a shape
  course.part("What is saved, and by whom: L = sum of tanh(w x + b)^2");
  {
    const Tensor x = tensor({1.0, 2.0, 3.0}), w = tensor({0.1, 0.2, 0.3}).requires_grad_();
    const Tensor b = zeros({3}).requires_grad_();
    autograd::Record record;
    record.name(x, "x"), record.name(w, "w"), record.name(b, "bias");
    tanh(w * x + b).square().sum().backward();
    record.stop();
    std::printf("%s", record.text().c_str());
    std::printf("tanh and square save the same numbers (tanh's result is square's input): they are in memory once.\n");
    course.page(record);
  }

  course.part("How long: ten layers of tanh, in units of one tensor");
  const Tensor x = input();
  const double before = live();
  {
    const NoGradGuard no_grad;
    const Tensor y = layers(x, 10);
    std::printf("without recording, after forward    %4.0f   the result alone\n", live() - before);
  }
  Tensor y = layers(x, 10);
  std::printf("recorded, after forward             %4.0f   each layer keeps its result, though no variable holds it\n",
              live() - before);
  y.sum().backward();
  std::printf("after backward                      %4.0f   y and x.grad; each layer let its own go when it had run\n",
              live() - before);
  try {
    y.sum().backward();
  } catch (const Error& error) {
    const std::string text = error.what();
    std::printf("a second backward: %s\n", text.substr(0, text.find('\n')).c_str());
  }

  // What is saved is not copied: it is the tensor itself. To write to it would spoil the gradient. Each write is counted,
  // and backward compares the counts.
  course.part("Saved values must stay as they are");
  y = layers(x, 1);
  const Tensor loss = y.square().sum();
  y.mul_(2);
  try {
    loss.backward();
  } catch (const Error& error) {
    const std::string text = error.what();
    std::printf("%s\n", text.substr(0, text.find('\n')).c_str());
  }

  // A loss holds the node that made it, that node holds the ones before it: the whole graph, until backward or the end
  // of the last variable. To add up losses as tensors keeps every graph of an epoch.
  course.part("A leak: adding up losses for the log");
  const double start = live();
  Tensor total = zeros({});
  double number = 0;
  for (int i = 0; i < 8; ++i) total = total + layers(x, 5).mean();
  std::printf("total = total + loss           after 8 steps %3.0f units more\n", live() - start);
  total = Tensor();
  for (int i = 0; i < 8; ++i) number += layers(x, 5).mean().item<double>();
  std::printf("number += loss.item<double>()  after 8 steps %3.0f units more (sum %.2f)\n", live() - start, number);

  // n layers in k segments. Of a segment only the input is kept; in backward the segment is computed once more, which
  // brings its n / k values back, for this segment alone. Memory about k + n / k, smallest at k = sqrt(n); the price is
  // one more forward. The gradient has the same bits. The peak is one more: the gradient on its way (without checkpoints,
  // two: what arrives at a layer, and what it passes on).
  course.part("Checkpoints: 64 layers in k segments");
  const Tensor plain = input();
  layers(plain, 64).sum().backward();
  std::printf("   k   k + 64/k   peak, units   tanh computed   same gradient\n");
  for (const int k : {0, 1, 2, 4, 8, 16, 32, 64}) {
    const Tensor z = input();
    const double base = live();
    computed = 0;
    Peak peak;
    Tensor h = z;
    if (k == 0) h = layers(h, 64);
    for (int i = 0; i < k; ++i) h = func::checkpoint([k](const Tensor& in) { return layers(in, 64 / k); }, h);
    h.sum().backward();
    if (k == 0)
      std::printf("none         -");
    else
      std::printf("%4d   %7d", k, k + 64 / k);
    std::printf("   %11.0f   %13d   %s\n", peak.units - base, computed, equal(z.grad(), plain.grad()) ? "yes" : "NO");
  }

  course.exercise(
      answer_1,
      "x is a leaf of 1000 floats. After y = exp(sin(x)), with no variable but x and y: how many bytes of "
      "tensors are alive beyond x's own?",
      4000.0, "sin keeps its input, x, which is alive anyway. exp keeps its result, which is y: 4000 bytes, once.",
      {{8000.0, "You counted sin(x), or y twice. exp' is exp, so it keeps y; nobody needs sin(x) again."},
       {12000.0, "You counted every value that was ever computed. Ask what each formula reads: cos(x), and y."},
       {1000.0, "Those are elements. A float has 4 bytes."}},
      "Through exp: ds = dy y. Through sin: dx = ds cos(x). Which of the two, y and x, is not in x's own memory?");
  course.exercise(
      answer_2,
      "100 equal layers each save 1 MB. With checkpoints in k equal segments backward needs about k + 100 / k "
      "MB. What is the least?",
      20.0, "k = sqrt(100) = 10 segments of 10 layers: 10 + 10 = 20 MB.",
      {{10.0, "That is k, and the inputs of the segments. One segment's own 10 values come on top."},
       {100.0, "That is without checkpoints."},
       {101.0, "That is one segment (or 100 of them): it gains nothing. Something in between is better."}},
      "Set the derivative of k + 100 / k to zero: 1 = 100 / k^2.");
}

}  // namespace

int main(int argc, char** argv) { return course::run("10_memory", argc, argv, lesson); }
