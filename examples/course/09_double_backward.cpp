// 9. Double backward: the derivative of a derivative, and a penalty on a gradient.
//
// Backward computes gradients with multiplications and additions. Those are operations, too, so they can be recorded.
// Then a gradient is a tensor with a history, and backward can go through that. `create_graph` says: record.
//
// (The penalty: Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville, "Improved Training of Wasserstein GANs", 2017.)
#include "course.h"

using namespace gradus;

// Your answers to the two exercises at the end.
const course::Answer answer_1 = course::unanswered;
const course::Answer answer_2 = course::unanswered;

namespace {

// dy/dx, recorded. Unlike backward(), grad() returns the gradient and leaves every .grad alone.
Tensor recorded_gradient(const Tensor& y, const Tensor& x) {
  return autograd::grad({y}, {x}, /*gradients=*/{}, /*retain_graph=*/{}, /*create_graph=*/true)[0];
}

// A critic D gives a number to each row of x. It is to measure how far two clouds of points lie apart: by the largest gap
// between their mean numbers that a critic can reach whose slope is nowhere above 1 (their Wasserstein distance). Without
// that bound any gap could be doubled by doubling D. The penalty holds the norm of its slope near 1:
//   P = mean over rows of (|g| - 1)^2,   g = dD/dx.
// It is a function of D's weights, through the gradient. One row's D does not depend on another row's x, so the gradient
// of the sum of all D holds each row's own g.
Tensor slopes(const Tensor& d, const Tensor& x) {
  return (recorded_gradient(d.sum(), x).square().sum(1) + 1e-12).sqrt();  // + 1e-12: see the trap below
}
Tensor penalty(const Tensor& d, const Tensor& x) { return (slopes(d, x) - 1).square().mean(); }

// Trains a critic to score points around (2, 2) high and points around (-2, -2) low. lambda weighs the penalty.
void train(double lambda) {
  manual_seed(9);
  nn::Sequential critic(nn::Linear(2, 32), nn::Tanh(), nn::Linear(32, 1));
  optim::Adam adam(critic->parameters(), optim::AdamOptions(0.01).betas({0.5, 0.9}));
  for (int step = 0; step <= 200; ++step) {
    const Tensor high = randn({64, 2}) + 2, low = randn({64, 2}) - 2;
    const Tensor gap = critic->forward(high).mean() - critic->forward(low).mean();
    const Tensor e = rand({64, 1}), between = (e * high + (1 - e) * low).requires_grad_();
    Tensor loss = -gap;
    if (lambda > 0) loss = loss + lambda * penalty(critic->forward(between), between);
    adam.zero_grad();
    loss.backward();  // through the gradient, to the weights
    adam.step();
    if (step % 100 == 0) {
      const double slope = slopes(critic->forward(between), between).mean().item<double>();
      std::printf("  lambda %2.0f  step %3d   mean slope ~%.1f   gap ~%.0f\n", lambda, step, slope, gap.item<double>());
    }
  }
}

void lesson(course::Lesson& course) {
  course.part("A gradient with a history");
  const Tensor x = tensor(4.0, kDouble).requires_grad_();
  const Tensor y = x * x * x;
  const Tensor y1 = recorded_gradient(y, x);  // y', y'', y'''
  const Tensor y2 = recorded_gradient(y1, x);
  const Tensor y3 = recorded_gradient(y2, x);
  std::printf("y = x^3 at x = 4: y %.0f, y' = 3 x^2 = %.0f, y'' = 6 x = %.0f, y''' = %.0f\n", y.item<double>(),
              y1.item<double>(), y2.item<double>(), y3.item<double>());

  course.part("Without create_graph the gradient is a number, with no history");
  const Tensor plain = autograd::grad({x * x * x}, {x})[0];
  try {
    plain.backward();
  } catch (const Error& error) {
    std::printf("%s\n", error.what());
  }

  // D(x) = w . x has the gradient w everywhere, so P = (|w| - 1)^2 and
  //   dP/dw = 2 (|w| - 1) w / |w|.
  // For w = (3, 4) the norm is 5: P = 16, dP/dw = 2 * 4 * (3, 4) / 5 = (4.8, 6.4). A step against it shortens w.
  course.part("The penalty by hand: a linear critic");
  {
    autograd::Record record;
    const Tensor w = tensor({3.0, 4.0}).requires_grad_(), point = tensor({{1.0, 1.0}}).requires_grad_();
    record.name(w, "w");
    record.name(point, "x");
    const auto named = [&](const char* name, const Tensor& value) { return record.name(value, name), value; };
    const Tensor D = named("D", (point * w).sum(1));  // from here on `penalty`, step by step
    const Tensor g = named("dD/dx", recorded_gradient(D.sum(), point));
    const Tensor norm = named("|g|", (g.square().sum(1) + 1e-12).sqrt());
    const Tensor p = named("P", (norm - 1).square().mean());
    p.backward();
    record.stop();
    std::printf("P %.2f   dP/dw (%.2f, %.2f)   by hand 16.00 and (4.80, 6.40)\n", p.item<double>(),
                w.grad()[0].item<double>(), w.grad()[1].item<double>());
    std::printf("dP/dx is %s: a linear critic's gradient does not depend on x\n\n",
                point.grad().defined() ? "defined" : "absent");
    std::printf("Lines marked (in backward) are the gradient as it was computed, recorded in its turn:\n%s",
                record.text().c_str());
    course.page(record);
  }

  // Finite differences know nothing of graphs. They move a weight a little and look at P.
  course.part("The check: a tanh critic, and finite differences of P itself");
  manual_seed(1);
  const Tensor points = randn({4, 2}, kDouble).requires_grad_(), v = randn({3}, kDouble);
  const Tensor w1 = randn({2, 3}, kDouble).requires_grad_();
  const auto p_of = [&](const Tensor& w) { return penalty(matmul(tanh(matmul(points, w)), v), points); };
  const Tensor dp = autograd::grad({p_of(w1)}, {w1})[0];
  const double h = 1e-6;
  Tensor step = zeros({2, 3}, kDouble);
  step[1][2] = h;
  const double numeric = (p_of(w1 + step).item<double>() - p_of(w1 - step).item<double>()) / (2 * h);
  std::printf("dP/dW[1, 2]: double backward %.5f, finite difference %.5f\n", dp[1][2].item<double>(), numeric);

  // Where the slope is exactly 0, |g| = sqrt(0) has no derivative: 1 / (2 sqrt(0)) is infinite, and infinity * 0 is NaN.
  course.part("A trap: the norm at zero");
  for (const double epsilon : {0.0, 1e-12}) {
    const Tensor w = zeros({2}).requires_grad_();
    ((w.square().sum() + epsilon).sqrt() - 1).square().backward();
    std::printf("sqrt(w . w + %g) at w = 0: dP/dw is %s\n", epsilon, w.grad().isnan().any().item<bool>() ? "NaN" : "0");
  }

  // The critic gains by being steep: over a distance s between the two clouds, slope g wins a gap of g s. Against it
  // stands lambda (g - 1)^2. The best g solves s = 2 lambda (g - 1): g = 1 + s / (2 lambda). Here s = |(4, 4)| = 5.7 and
  // lambda = 10, so g = 1.3: near 1, not 1.
  course.part("Training with it, and without");
  train(0);
  train(10);

  course.exercise(answer_1, "A linear critic D(x) = w . x has w = (6, 8). What is the first element of dP/dw?", 10.8,
                  "|w| = 10, so dP/dw = 2 (10 - 1) (6, 8) / 10 = (10.8, 14.4).",
                  {{18.0, "That is 2 (|w| - 1), dP/d|w|. The chain rule goes on: d|w|/dw = w / |w|."},
                   {14.4, "That is the second element, of w_2 = 8."},
                   {5.4, "The factor 2 of the square is missing."},
                   {81.0, "That is P itself, (|w| - 1)^2."}},
                  "P = (|w| - 1)^2 with |w| = sqrt(w . w). Differentiate the square first, then the norm.");
  course.exercise(answer_2, "y = x^4 at x = 2. What does recorded_gradient(recorded_gradient(y, x), x) return?", 48.0,
                  "y'' = 12 x^2 = 48.",
                  {{32.0, "That is y' = 4 x^3. It was differentiated once more."},
                   {24.0, "You have 12 x. The second derivative of x^4 is 12 x^2."},
                   {1024.0, "You squared y'. The second derivative is the derivative of y', not a product."}},
                  "Differentiate x^4 twice, then put in x = 2.");
}

}  // namespace

int main(int argc, char** argv) { return course::run("09_double_backward", argc, argv, lesson); }
