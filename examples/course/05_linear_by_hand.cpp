// 5. Linear by hand, three ways, and a mistake that trains.
//
// The linear layer maps N samples of m numbers to N samples of n numbers:
//
//     z = x W^T + b        x [N, m], W [n, m], b [n], z [N, n]
//
// With dz for dL/dz, and the like: lessons 3 and 4 give dx = dz W, dW = dz^T x, db = sum of dz over the samples.
#include "course.h"

using namespace gradus;

const course::Answer answer_1 = course::unanswered;  // a letter in single quotes: 'a', 'b', 'c' or 'd'
const course::Answer answer_2 = course::unanswered;  // a number

namespace {

// Way 1, by index. z_si = sum over j of x_sj W_ij, plus b_i. Each line of the innermost loops is one use of one number.
std::array<Tensor, 3> by_index(const Tensor& dz, const Tensor& x, const Tensor& W) {
  const std::int64_t N = x.size(0), m = x.size(1), n = W.size(0);
  std::array<Tensor, 3> result{zeros({N, m}, kDouble), zeros({n, m}, kDouble), zeros({n}, kDouble)};
  double *dx = result[0].data_ptr<double>(), *dW = result[1].data_ptr<double>(), *db = result[2].data_ptr<double>();
  const double *dz_ = dz.data_ptr<double>(), *x_ = x.data_ptr<double>(), *W_ = W.data_ptr<double>();
  for (std::int64_t s = 0; s < N; ++s) {
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t j = 0; j < m; ++j) {
        dx[s * m + j] += dz_[s * n + i] * W_[i * m + j];
        dW[i * m + j] += dz_[s * n + i] * x_[s * m + j];
      }
      db[i] += dz_[s * n + i];
    }
  }
  return result;
}

// Way 2, by matrix products, as a RULE: a forward and a backward written by hand, on Arrays, which know nothing of
// gradients (DyArray<> is dL/dz as such an Array, InArray<0> the first input). And a REFERENCE, which says the same in
// operations that the graph can differentiate. The reference is for checking, so it may be slow; it must be plain.
struct LinearByHand {
  static constexpr std::string_view name = "linear_by_hand";
  static constexpr std::string_view input_names[] = {"x", "W", "b"};
  static Tensor reference(const Tensor& x, const Tensor& W, const Tensor& b) { return matmul(x, W.t()) + b; }
  static core::Array forward(const core::Array& x, const core::Array& W, const core::Array& b) {
    return core::matmul(x, W.t()) + b;
  }
  static std::array<core::Array, 3> backward(autograd::DyArray<> dz, autograd::InArray<0> x, autograd::InArray<1> W) {
    return {core::matmul(dz, W), core::matmul(dz.t(), x), core::sum(dz, 0)};
  }
};

// The same with a common mistake: db averaged over the samples, where dW is summed.
struct Averaged : LinearByHand {
  static std::array<core::Array, 3> backward(autograd::DyArray<> dz, autograd::InArray<0> x, autograd::InArray<1> W) {
    return {core::matmul(dz, W), core::matmul(dz.t(), x), core::mean(dz, 0)};
  }
};

// Fits z = x W^T + b to targets, and prints the loss on the way.
template <class Rule>
void train(const char* name, const Tensor& x, const Tensor& target) {
  Tensor W = zeros({1, 2}, kDouble).requires_grad_(), b = zeros({1}, kDouble).requires_grad_();
  std::printf("%-16s L =", name);
  for (int step = 0; step <= 40; ++step) {
    W.mutable_grad() = Tensor(), b.mutable_grad() = Tensor();
    const Tensor loss = square(autograd::apply<Rule>(x, W, b) - target).mean();
    if (step % 10 == 0) std::printf("  %7.4f", loss.item<double>());
    loss.backward();
    const NoGradGuard no_grad;
    W.sub_(W.grad() * 0.1), b.sub_(b.grad() * 0.1);
  }
  std::printf("\n");
}

void lesson(course::Lesson& course) {
  const Tensor x = tensor({{1., 2.}, {0., 1.}, {-1., 3.}}, kDouble).requires_grad_();  // N = 3, m = 2
  const Tensor W = tensor({{0.5, -1.}, {2., 0.}}, kDouble).requires_grad_();           // n = 2
  const Tensor b = tensor({0.1, -0.1}, kDouble).requires_grad_();
  const Tensor dz = tensor({{1., 0.}, {2., -1.}, {0., 5.}}, kDouble);

  course.part("Way 1: by index");
  const auto loops = by_index(dz, x.detach(), W.detach());
  course::show("dx", loops[0]), course::show("dW", loops[1]), course::show("db", loops[2]);

  course.part("Way 2: by matrix products");
  const auto products = LinearByHand::backward({dz.array()}, {x.array()}, {W.array()});
  course::show("dx", Tensor(products[0])), course::show("dW", Tensor(products[1])),
      course::show("db", Tensor(products[2]));

  course.part("Way 3: by the graph");
  autograd::Record record;
  record.name(x, "x"), record.name(W, "W"), record.name(b, "b"), record.name(dz, "dz");
  ((matmul(x, W.t()) + b) * dz).sum().backward();
  record.stop();
  course::show("dx", x.grad()), course::show("dW", W.grad()), course::show("db", b.grad());
  course.page(record);

  // Three ways, one answer. The library makes a habit of it: `check` differentiates a rule by its hand-written backward, by
  // the graph of its reference, and by central differences, for many layouts of the numbers, and to the second order.
  course.part("check compares them all");
  manual_seed(0);
  course::print(autograd::check<LinearByHand>(randn({7, 5}), randn({3, 5}), randn({3})));

  // Now the mistake. The step of b has the right direction, and 1/N of its length. So the loss falls at every step, only
  // slower. Whoever looks at the loss alone turns up the learning rate, and never learns why.
  course.part("The mistake trains");
  const Tensor data = randn({8, 2}, kDouble), target = data.sum(1, true) + 1.0;
  train<LinearByHand>("right", data, target);
  train<Averaged>("mean for sum", data, target);

  // The check needs no training. It finds who is the odd one out of three, and since the wrong gradient is the right one
  // divided by a size, it can say what kind of mistake this is.
  course.part("The mistake found");
  course::print(autograd::check<Averaged>(randn({7, 5}), randn({3, 5}), randn({3})));
  // Where does a mean over the batch belong? In the loss, L = 1/N sum of l_s. Its gradient dz brings 1/N along, for W and b
  // alike. A layer that divides again divides twice.

  // The same layer with its weight the other way round, V [m, n], and n = 4. Computed, as in lesson 4, not written down.
  const Tensor V = randn({2, 4}, kDouble).requires_grad_(), bent = randn({3, 4}, kDouble), u = x.detach();
  (matmul(u, V) * bent).sum().backward();
  const Tensor candidates[] = {mm(u.t(), bent), mm(bent.t(), u), mm(u.t(), bent) / 3, mm(bent, V.detach().t())};
  char right = '?';
  for (int k = 0; k < 4; ++k) {
    if (candidates[k].sizes() == V.sizes() && allclose(candidates[k], V.grad())) right = static_cast<char>('a' + k);
  }
  course.exercise(answer_1,
                  "Another layer stores its weight the other way: z = x W + b, with W of shape [m, n]. What is dW?\n"
                  "  a) x^T dz    b) dz^T x    c) x^T dz / N    d) dz W^T",
                  right, "W_ji multiplies x_sj in z_si, so dW_ji = sum over s of x_sj dz_si: [m, N] times [N, n].",
                  {{'b', "That is [n, m], and W is [m, n]: transposed. It is the rule for z = x W^T."},
                   {'c', "A mean for a sum. Each sample uses W once, and uses are added; a mean belongs to the loss."},
                   {'d', "That is dx: [N, n] times [n, m] gives [N, m], the shape of x."}},
                  "Name one of a, b, c, d. Which of them have the shape of W, [m, n]? Then: mean or sum?");
  const Tensor off = tensor({1., 2., 6.}, kDouble), bias = zeros({}, kDouble).requires_grad_();
  square(off + bias).mean().backward();
  course.exercise(answer_2,
                  "N = 3 samples, n = 1, and L = the mean over the samples of (z_s - t_s)^2. z - t is [1, 2, 6].\n"
                  "What is db?",
                  bias.grad().item<double>(), "dz_s = 2/N (z_s - t_s), and db is their sum: 2/3 * 9 = 6.",
                  {{18.0, "The 1/N of the mean in L is missing: you summed 2 (z - t)."},
                   {2.0, "Divided by N twice: once in the mean of L, where it belongs, and once more in the layer."},
                   {3.0, "The 2 of the square's derivative is missing."},
                   {9.0, "That is the sum of z - t. What does the loss make of it: what is dL/dz_s?"}},
                  "First dz_s = dL/dz_s, by the loss, with its 1/N. Then db, the sum of dz_s over the samples.");
}

}  // namespace

int main(int argc, char** argv) { return course::run("05_linear_by_hand", argc, argv, lesson); }
