// 1. A scalar chain: what backward computes, and in which direction.
//
// A neuron with one weight guesses a number. How wrong it is, the loss L, is computed from the weight w in five steps:
//
//     z = w x        a = z + b        h = tanh(a)        e = h - t        L = e^2
//
// To make L smaller we must know how L moves when w moves: the derivative dL/dw. It is what this whole library computes.
#include "course.h"

using namespace gradus;

// Your answers to the two exercises at the end: write a number in place of course::unanswered, build, and run again.
const course::Answer answer_1 = course::unanswered;
const course::Answer answer_2 = course::unanswered;

namespace {

void lesson(course::Lesson& course) {
  // `requires_grad_` says: of this number we want the derivative later. The others are constants.
  const Tensor w = tensor(0.5, kDouble).requires_grad_(), b = tensor(-0.2, kDouble).requires_grad_();
  const double x = 2.0, t = 0.2;
  autograd::Record record;  // writes down what happens from here on
  record.name(w, "w");
  record.name(b, "b");

  course.part("Forward: from w to L, one step at a time");
  const auto named = [&](const char* name, const Tensor& value) {
    record.name(value, name);  // what the record calls it
    std::printf("%s = %7.4f\n", name, value.item<double>());
    return value;
  };
  const Tensor z = named("z", w * x);
  const Tensor a = named("a", z + b);
  const Tensor h = named("h", tanh(a));
  const Tensor e = named("e", h - t);
  const Tensor loss = named("L", square(e));

  // Each step alone is easy to differentiate: it has one operation, and calculus has its rule. These are the LOCAL
  // derivatives. They are numbers, because we know where we are: tanh'(a) = 1 - tanh(a)^2 needs h, which we just computed.
  // So an engine must KEEP some numbers of the forward pass until the backward pass. Lesson 10 is about what that costs.
  course.part("Local derivatives: each step for itself");
  const double dL_de = 2 * e.item<double>();
  const double de_dh = 1;
  const double dh_da = 1 - h.item<double>() * h.item<double>();
  const double da_dz = 1;
  const double dz_dw = x;
  std::printf("dL/de = 2 e     = %7.4f      needs e\n", dL_de);
  std::printf("de/dh           = %7.4f\n", de_dh);
  std::printf("dh/da = 1 - h^2 = %7.4f      needs h\n", dh_da);
  std::printf("da/dz           = %7.4f\n", da_dz);
  std::printf("dz/dw = x       = %7.4f      needs x\n", dz_dw);

  // The chain rule multiplies them: dL/dw = dL/de de/dh dh/da da/dz dz/dw. We may multiply from either end. From the end
  // of L, every product on the way is the derivative of L by something, and the last is dL/dw. Had there been a thousand
  // weights, all of them would share the beginning of this walk. That is why backward starts at L: one walk for all
  // weights. From the other end it would take one walk for each weight.
  course.part("Backward: the chain rule, multiplied from L");
  const double dL_dh = dL_de * de_dh;
  const double dL_da = dL_dh * dh_da;
  const double dL_dz = dL_da * da_dz;
  const double dL_dw = dL_dz * dz_dw;
  std::printf("dL/de                 = %7.4f\n", dL_de);
  std::printf("dL/dh = dL/de * de/dh = %7.4f\n", dL_dh);
  std::printf("dL/da = dL/dh * dh/da = %7.4f\n", dL_da);
  std::printf("dL/dz = dL/da * da/dz = %7.4f\n", dL_dz);
  std::printf("dL/dw = dL/dz * dz/dw = %7.4f\n", dL_dw);
  std::printf("dL/db = dL/da * 1     = %7.4f      the walk to a is shared\n", dL_da);

  // The library walks the same way. It puts what arrives at w into w.grad().
  course.part("The library does the same");
  loss.backward();
  std::printf("w.grad() = %7.4f, b.grad() = %7.4f\n", w.grad().item<double>(), b.grad().item<double>());

  // A derivative can be tried out: move w by a small step s to both sides, and see how much L moves. This CENTRAL DIFFERENCE
  // needs no rule at all, so it can judge rules. Why both sides? L(w + s) = L + s L' + s^2/2 L'' + ..., and in the
  // difference of the two sides L and L'' drop out: the error is of order s^2, where one side alone would leave order s.
  // But it costs two forward passes for each weight. That is why it is a test, and not how networks are trained.
  course.part("The judge: move w a little");
  const auto loss_at = [&](double weight) { return std::pow(std::tanh(weight * x - 0.2) - t, 2); };
  const double step = 1e-5;
  std::printf("(L(w + s) - L(w - s)) / 2s = %7.4f\n", (loss_at(0.5 + step) - loss_at(0.5 - step)) / (2 * step));

  // What was recorded: in the forward part each line is an operation, and what it SAVES for backward. In the backward part
  // a quote marks a derivative of L: h' is dL/dh. An arrow leads from what came to what goes on. Read it beside the walk
  // above. x and t are plain numbers here and stand in brackets, as all of an operation's settings: add[alpha=1] is z + 1 b.
  // B are bytes (a number of float64 has 8): of what is saved, of what a rule lets go when it has run, and of all tensors
  // that are alive at that moment.
  course.part("What the library wrote down");
  std::printf("%s", record.text().c_str());

  // With the derivative we know where downhill is, and go a small step there: w <- w - lr dL/dw. `lr` is the learning rate.
  course.part("What it is for: a step downhill");
  const double lr = 0.2, moved = 0.5 - lr * w.grad().item<double>();
  std::printf("w: 0.5 -> %.4f, L: %.4f -> %.4f\n", moved, loss.item<double>(), loss_at(moved));

  course.page(record);

  const Tensor u = tensor(1.0, kDouble).requires_grad_();
  pow(u * 2 + 1, 3).backward();
  course.exercise(answer_1, "L = (2 u + 1)^3, at u = 1. What is dL/du?", u.grad().item<double>(),
                  "With a = 2 u + 1 = 3: dL/da = 3 a^2 = 27, da/du = 2, and their product is 54.",
                  {{27.0, "That is dL/da = 3 a^2. The chain is one step longer: a = 2 u + 1, and da/du is missing."},
                   {18.0, "You have a^2 * 2. The derivative of a^3 is 3 a^2: the 3 is missing."},
                   {6.0, "You took 3 u^2 * 2. The rule of the cube reads its own input, which is a = 3 and not u = 1."},
                   {9.0, "That is a^2. The factors 3, of the cube, and 2, of a = 2 u + 1, are missing."}},
                  "Name the inner step: a = 2 u + 1. Find dL/da, then da/du, with numbers, and multiply.");

  const Tensor v = tensor(1.0, kDouble).requires_grad_();
  pow(v * 3 - 6, 2).backward();
  course.exercise(answer_2,
                  "L = (w x - t)^2 with w = 1, x = 3, t = 6. What is w after one step downhill with lr = 0.1?",
                  1 - 0.1 * v.grad().item<double>(),
                  "e = w x - t = -3, dL/dw = 2 e x = -18, and w - 0.1 * (-18) = 2.8: to make L smaller, w must grow.",
                  {{-0.8, "You went uphill. w <- w MINUS lr dL/dw, and dL/dw is -18."},
                   {19.0, "The learning rate is missing: -18 is the slope; the step is 0.1 of it."},
                   {1.9, "You took dL/dw = e x = -9. The derivative of e^2 is 2 e: the 2 is missing."},
                   {1.6, "You took dL/dw = 2 e = -6. That is dL/de; the chain goes on to w: de/dw = x is missing."},
                   {1.8, "That is the step, -lr dL/dw. Where does it lead from w = 1?"},
                   {-18.0, "That is dL/dw. What is w after w <- w - lr dL/dw?"}},
                  "e = w x - t is -3. Now dL/de = 2 e and de/dw = x give dL/dw; then w <- w - lr dL/dw.");
}

}  // namespace

int main(int argc, char** argv) { return course::run("01_scalar_chain", argc, argv, lesson); }
