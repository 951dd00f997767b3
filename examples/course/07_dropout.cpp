// 7. Dropout: both of its forms, and why the mean agrees.
//
// In training each unit is dropped with probability p: a mask m multiplies it, m = 0 with probability p, else 1. No unit
// can then rely on a particular other one. In evaluation nothing is dropped. (The paper's p is that of KEEPING a unit.)
// (Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, "Dropout", JMLR 15, 2014.)
//
// A layer that has been trained on thinned inputs meets whole ones in evaluation. Their mean must be the same.
#include <cmath>
#include <cstdio>
#include <vector>

#include "course.h"

using namespace gradus;

// Your answers to the two exercises at the end.
const course::Answer answer_1 = course::unanswered;
const course::Answer answer_2 = course::unanswered;

namespace {

// What follows needs no luck: n units have 2^n masks, so for small n we visit all of them, each with its probability
//   P(m) = product over the units of  (1 - p if m_i = 1, else p),
// and a mean over masks is a sum of 2^n terms. This is the mean of f over them.
template <class F>
double mean_over_masks(int n, double p, const F& f) {
  double mean = 0;
  for (int bits = 0; bits < 1 << n; ++bits) {
    double probability = 1;
    std::vector<double> m;
    for (int i = 0; i < n; ++i) {
      m.push_back(bits >> i & 1);
      probability *= m.back() == 1 ? 1 - p : p;
    }
    mean += probability * f(tensor(m, kDouble));
  }
  return mean;
}

void lesson(course::Lesson& course) {
  const double p = 0.25;
  const Tensor x = tensor({1.0, 2.0, 4.0}, kDouble);

  course.part("The two forms, and what a unit of value 4 is on average (all masks visited, p = 0.25)");
  // Standard, as in the paper:   training  y = m x              evaluation  y = (1 - p) x
  // Inverted, as used today:     training  y = m x / (1 - p)    evaluation  y = x
  // A mean over masks is linear, and E[m] = 1 - p. So E[m x] = (1 - p) x, and E[m x / (1 - p)] = x: in either form the
  // mean in training IS the value in evaluation. The forms differ by the factor 1 / (1 - p), in both columns.
  const double standard = mean_over_masks(3, p, [&](const Tensor& m) { return (m * x)[2].item<double>(); });
  const double inverted = mean_over_masks(3, p, [&](const Tensor& m) { return (m * x / (1 - p))[2].item<double>(); });
  std::printf("            mean in training    in evaluation\n");
  std::printf("  standard  %.4f              (1 - p) 4 = %.4f\n", standard, (1 - p) * 4);
  std::printf("  inverted  %.4f              4         = %.4f\n", inverted, 4.0);
  std::printf("  Inverted dropout is preferred because evaluation then needs to know nothing of p.\n");

  course.part("The library has both: nn::Dropout(p), and DropoutOptions(p).classic(true)");
  manual_seed(7);
  for (const bool classic : {false, true}) {
    nn::Dropout dropout(nn::DropoutOptions(p).classic(classic));
    const Tensor many = full({100000}, 4.0);
    const double trained = dropout(many).mean().item<double>();  // a new module is in training
    dropout->eval();
    const double evaluated = dropout(many).mean().item<double>();
    // The variance of m is p (1 - p). The mean of N units strays from its own mean by about s = 4 sqrt(p (1 - p) / N),
    // times the form's scale: its STANDARD ERROR. Three of those are hardly ever exceeded.
    const double s = 4 * std::sqrt(p * (1 - p) / 100000) / (classic ? 1 : 1 - p);
    std::printf("  %s  training %.1f  evaluation %.1f  they differ by less than three standard errors: %s\n",
                classic ? "standard" : "inverted", trained, evaluated,
                std::abs(trained - evaluated) < 3 * s ? "yes" : "no");
  }

  course.part("How far the mean carries: through a linear layer, and nearly through what follows");
  // z = w . y is linear, so E[w . y] = w . E[y], exactly. A tanh behind it is not: E[tanh(z)] is not tanh(E[z]). But with
  // many units z strays less from its mean, and the two come near. In a deep net that is how scaling works: nearly.
  for (const int n : {3, 6, 12}) {  // z is the sum of n units of 1.2 / n each
    const auto z = [&](const Tensor& m) { return m.sum().item<double>() * 1.2 / n / (1 - p); };
    std::printf("  %2d units   z %.4f, mean over masks %.4f   tanh(z) %.4f, mean over masks %.4f\n", n, 1.2,
                mean_over_masks(n, p, z), std::tanh(1.2),
                mean_over_masks(n, p, [&](const Tensor& m) { return std::tanh(z(m)); }));
  }

  course.part("Why it regularises: the mean agrees, the variance does not");
  // Inverted: Var[y] = x^2 p / (1 - p). For a linear layer under a squared loss, the mean over masks of the loss is
  //   E[(z - t)^2] = (w . x - t)^2 + p / (1 - p)  sum of w_i^2 x_i^2:
  // the loss without dropout, and a weight decay that is stronger where the input is larger.
  const Tensor w = tensor({0.5, -1.0, 0.75}, kDouble);
  const auto z = [&](const Tensor& m) { return (w * (m * x / (1 - p))).sum(); };
  const double t = 1, plain = std::pow((w * x).sum().item<double>() - t, 2);
  const double decay = p / (1 - p) * (w * x).square().sum().item<double>();
  std::printf("  loss %.4f + decay %.4f = %.4f;  mean of the loss over all masks %.4f\n", plain, decay, plain + decay,
              mean_over_masks(3, p, [&](const Tensor& m) { return std::pow(z(m).item<double>() - t, 2); }));

  course.part("Backward: the SAME mask, and the same scale");
  // y = m x / (1 - p) is a product with a constant, so dL/dx = m dL/dy / (1 - p). The mask has to be saved: a second draw
  // would send gradients to units that took no part.
  autograd::Record record;
  manual_seed(3);
  const Tensor u = tensor({1.0, 2.0, 3.0, 4.0, 5.0, 6.0}).requires_grad_();
  record.name(u, "x");
  nn::Dropout dropout(0.5);
  const Tensor y = dropout(u);
  (y * 10).sum().backward();
  record.stop();
  for (int i = 0; i < 6; ++i) {
    std::printf("  x %.0f   m %d   y %4.1f   dL/dx %4.1f\n", u[i].item<double>(),
                dropout->mask()[i].item<bool>() ? 1 : 0, y[i].item<double>(), u.grad()[i].item<double>());
  }
  std::printf("  What was recorded; dropout saves its mask, not x:\n%s", record.text().c_str());
  course.page(record);

  course.part("The check: fixed mask, three ways to the gradient");
  // Random operations look uncheckable: finite differences would see another mask at each call. Here the mask is a
  // function of a position in the random stream, and the position is an attribute. So the same mask comes again.
  nn::DropoutRule::Attrs attrs;
  attrs.p = 0.5;
  std::printf("  %s\n", autograd::check<nn::DropoutRule>(attrs, randn({4, 5})).ok()
                            ? "hand, graph and finite differences agree"
                            : "they DISAGREE");

  course.exercise(
      answer_1, "Inverted dropout, p = 0.25. A unit of value 6 is kept. What is its value in training?", 8.0,
      "6 / (1 - 0.25) = 8. On average that is 0.75 * 8 + 0.25 * 0 = 6, its value in evaluation.",
      {{6.0, "That is the standard form. The inverted form scales in training; evaluation then needs no scale."},
       {24.0, "You divided by p. Divide by the probability of being KEPT."},
       {4.5, "You multiplied by 1 - p. That is what the STANDARD form does in evaluation."}},
      "A kept unit is divided by the probability of being kept.");
  course.exercise(
      answer_2, "y = m x / (1 - p), p = 0.2, m = (1, 0), dL/dy = (4, 4). What is the sum of the elements of dL/dx?",
      5.0, "dL/dx = m dL/dy / (1 - p) = (4 / 0.8, 0) = (5, 0).",
      {{10.0, "The scale is right, but the dropped unit got a gradient. It took no part in y: m is in backward, too."},
       {4.0, "The mask is right, but the scale 1 / (1 - p) is missing. It is a factor of y, and so of dL/dx."},
       {20.0, "You divided by p. Divide by the probability of being KEPT, 1 - p = 0.8."},
       {8.0, "That is dL/dy, passed on as it came. Differentiate y = m x / (1 - p) with respect to x."}},
      "Compute dL/dx = m dL/dy / (1 - p) for each of the two, then add.");
}

}  // namespace

int main(int argc, char** argv) { return course::run("07_dropout", argc, argv, lesson); }
