// 6. BatchNorm: a long formula, derived one step at a time.
//
// Batch normalisation (Ioffe and Szegedy, 2015) brings each column of x, a channel, to mean 0 and variance 1 over the N
// samples of the batch; then a learned gamma and beta scale and shift it. Forward, per channel, in six steps:
//
//     mu = mean(x)    c = x - mu    v = mean(c^2)    r = (v + eps)^(-1/2)    h = c r    y = gamma h + beta
//
// Written out in one line the gradient looks fearsome. But it is six local rules, walked through backward, and two
// fan-outs: c is used twice (by v and by h), and so is x (by mu and by c).
#include "course.h"

using namespace gradus;

const course::Answer answer_1 = course::unanswered;  // a number
const course::Answer answer_2 = course::unanswered;  // a letter in single quotes: 'a', 'b', 'c' or 'd'

namespace {

constexpr double kEps = 1e-5;

// A rule again, as in lesson 5. `kSquare` is the 2 in d(c^2)/dc = 2 c: the planted mistake sets it to 1.
template <int kSquare>
struct BatchNormByHand {
  static constexpr std::string_view name = "batch_norm_by_hand";
  static constexpr std::string_view input_names[] = {"x", "gamma", "beta"};
  static Tensor reference(const Tensor& x, const Tensor& gamma, const Tensor& beta) {
    const Tensor c = x - x.mean(0), v = square(c).mean(0);
    return gamma * (c / sqrt(v + kEps)) + beta;
  }
  static core::Array forward(const core::Array& x, const core::Array& gamma, const core::Array& beta) {
    const core::Array c = x - core::mean(x, 0), v = core::mean(c * c, 0);
    return gamma * (c / core::sqrt(v + kEps)) + beta;
  }
  static std::array<core::Array, 3> backward(autograd::DyArray<> dy, autograd::InArray<0> x,
                                             autograd::InArray<1> gamma) {
    const double N = static_cast<double>(x.shape()[0]);
    const core::Array c = x - core::mean(x, 0), r = 1.0 / core::sqrt(core::mean(c * c, 0) + kEps);
    const core::Array dh = dy * gamma;                                            // y = gamma h + beta
    const core::Array dv = core::sum(dh * c, 0) * -0.5 * r * r * r;               // h = c r; r = (v + eps)^(-1/2)
    const core::Array dc = dh * r + dv * c * kSquare / N;                         // h = c r; v = mean(c^2)
    return {dc - core::mean(dc, 0), core::sum(dy * c * r, 0), core::sum(dy, 0)};  // c = x - mu; mu = mean(x)
  }
  // Optional: the summands of dx by name. With them the check can say which one is wrong.
  static std::vector<autograd::NamedTerm> terms(const core::Array& dy, const core::Array& x, const core::Array& gamma,
                                                const core::Array&) {
    const core::Array c = x - core::mean(x, 0), r = 1.0 / core::sqrt(core::mean(c * c, 0) + kEps), h = c * r;
    return {{0, "gamma r dy", dy * gamma * r},
            {0, "gamma r mean(dy)", core::zeros_like(x) - core::mean(dy, 0) * gamma * r},
            {0, "gamma r h mean(dy h)", core::mean(dy * h, 0) * gamma * r * h * -1.0}};
  }
};

void lesson(course::Lesson& course) {
  const Tensor x = tensor({{1., 0.}, {2., 4.}, {6., 1.}, {3., 3.}}, kDouble).requires_grad_();  // N = 4, two channels
  const Tensor gamma = tensor({2., 0.5}, kDouble).requires_grad_(), beta = tensor({0., 1.}, kDouble).requires_grad_();
  const Tensor dy = tensor({{1., 0.}, {0., 2.}, {0.5, 0.}, {0., -1.}}, kDouble);
  const double N = 4;
  autograd::Record record;
  record.name(x, "x"), record.name(gamma, "gamma"), record.name(beta, "beta"), record.name(dy, "dy");
  const auto named = [&](const char* name, const Tensor& value) {
    record.name(value, name);
    value.retain_grad();  // .grad of what is no leaf is thrown away, unless one asks for it: we want to compare
    course::show(name, value);
    return value;
  };

  course.part("Forward");
  const Tensor mu = named("mu", x.mean(0)), c = named("c", x - mu), v = named("v", square(c).mean(0));
  const Tensor r = named("r", rsqrt(v + kEps)), h = named("h", c * r), y = named("y", gamma * h + beta);

  course.part("Backward, step by step, from the last line to the first");
  (y * dy).sum().backward();
  record.stop();
  const auto both = [](const char* line, const char* rule, const Tensor& ours, const Tensor& theirs) {
    std::printf("%-30s the library %s\n", line, allclose(ours, theirs) ? "agrees" : "DISAGREES");
    course::show(std::string("    ") + rule, ours);
  };
  const NoGradGuard no_grad;
  both("y = gamma h + beta", "dbeta = sum dy", dy.sum(0), beta.grad());
  both("y = gamma h + beta", "dgamma = sum dy h", (dy * h).sum(0), gamma.grad());
  const Tensor dh = gamma * dy;
  both("y = gamma h + beta", "dh = gamma dy", dh, h.grad());
  const Tensor dr = (dh * c).sum(0);  // one r for N samples: it was stretched, so the uses are summed
  both("h = c r", "dr = sum dh c", dr, r.grad());
  const Tensor dv = dr * pow(r, 3) * -0.5;
  both("r = (v + eps)^(-1/2)", "dv = -1/2 r^3 dr", dv, v.grad());
  const Tensor dc = dh * r + dv * c * 2 / N;  // c is used twice: by h, and by v = mean(c^2), whose rule brings 2 c / N
  both("h = c r, and v = mean(c^2)", "dc = dh r + dv 2 c / N", dc, c.grad());
  const Tensor dmu = -dc.sum(0);
  both("c = x - mu", "dmu = -sum dc", dmu, mu.grad());
  const Tensor dx = dc + dmu / N;  // x is used twice: by c, and by mu
  both("c = x - mu, and mu = mean(x)", "dx = dc + dmu / N", dx, x.grad());

  // Put the lines into one another. With dv = -1/2 r^3 sum(gamma dy c) and c = h / r, the second part of dc becomes
  // - gamma r h mean(dy h). Since the h of a channel sum to 0, dmu / N is - gamma r mean(dy). So
  //
  //     dx = gamma r (dy - mean(dy) - h mean(dy h))
  //
  // In words: take from dy its mean, and what of it points along h. Nothing passes that would shift or scale the batch
  // as a whole, as y would not notice it. (All up to eps: the mean of h^2 is v / (v + eps), which is nearly 1.)
  course.part("In one line: dx = gamma r (dy - mean(dy) - h mean(dy h))");
  both("from dh to dx at once", "dx", gamma * r * (dy - dy.mean(0) - h * (dy * h).mean(0)), x.grad());
  course::show("sum of dx over the batch  ", dx.sum(0));
  course::show("sum of dx h over the batch", (dx * h).sum(0));
  course.page(record);

  // A common mistake forgets the 2 of d(c^2)/dc = 2 c. Shapes are right, signs are right, networks train. The check sees
  // it, and tells which of our named terms is at fault, and how.
  course.part("The forgotten factor 2");
  manual_seed(0);
  course::print(autograd::check<BatchNormByHand<2>>(randn({7, 5}), randn({5}), randn({5})));
  course::print(autograd::check<BatchNormByHand<1>>(randn({7, 5}), randn({5}), randn({5})));

  const core::Array one = tensor({{-1.}, {-1.}, {1.}, {1.}}, kDouble).array();
  const core::Array first = tensor({{4.}, {0.}, {0.}, {2.}}, kDouble).array(), unit = ones({1}, kDouble).array();
  const Tensor right(BatchNormByHand<2>::backward({first}, {one}, {unit})[0]);
  course.exercise(
      answer_1,
      "One channel, x = [-1, -1, 1, 1]; so mu = 0, v = 1, r = 1 (leave eps out), h = x. gamma = 1, and\n"
      "dy = [4, 0, 0, 2]. What is dx of the first sample?",
      std::round(right.select(0, 0).item<double>() * 100) / 100,
      "dy - mean(dy) - h mean(dy h) = 4 - 3/2 - (-1)(-1/2) = 2.",
      {{4.0, "That treats mu and v as constants: x moves them, too. (In evaluation, they are constant.)"},
       {2.5, "The way through mu is there, the one through v is missing: h mean(dy h)."},
       {3.5, "The way through v is there, the one through mu is missing: mean(dy)."},
       {3.0, "A sign: h of the first sample is -1 and mean(dy h) is -1/2, so h mean(dy h) is +1/2, and is subtracted."},
       {2.25, "Half of the way through v: the 2 of d(c^2) is forgotten."},
       {-4.0, "You took sums for means: mean(dy) is 3/2, and mean(dy h) is -1/2."}},
      "mean(dy) is 3/2, mean(dy h) is -1/2, and h of the first sample is -1. Put them into the closed form.");
  course.exercise(answer_2,
                  "A student forgets the loss and calls y.sum().backward(). What is dx, for any batch?\n"
                  "  a) gamma for all    b) 0 for all    c) gamma r for all    d) gamma r (1 - h^2)",
                  'b', "dy is 1: dy - mean(dy) is 0, and mean(dy h) = mean(h) is 0. sum(y) is N beta, whatever x is.",
                  {{'a', "That forgets that x moves mu, v and r. Raise one x, and all h of its channel move."},
                   {'c', "That is the gradient in evaluation, where mu and v are constants. Here x moves them."},
                   {'d', "That resembles the rule of tanh. Put dy = 1 into the closed form: what are the two means?"}},
                  "Name one of a, b, c, d. Put dy = 1 into the closed form. What is the mean of h?");
}

}  // namespace

int main(int argc, char** argv) { return course::run("06_batch_norm", argc, argv, lesson); }
