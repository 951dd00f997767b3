// 4. Matrix products: two rules that carry most of deep learning.
//
// C = A B with A of shape [m, k], B [k, n], C [m, n]. Each element is a sum: c_ij = sum over l of a_il b_lj. Let G be the
// gradient that arrives, g_ij = dL/dc_ij. The rules are
//
//     dL/dA = G B^T        dL/dB = A^T G
//
// We derive the first, check it by index, and see what is, and what is not, a proof.
#include "course.h"

using namespace gradus;

const course::Answer answer_1 = course::unanswered;  // a number
const course::Answer answer_2 = course::unanswered;  // a letter in single quotes: 'a', 'b', 'c' or 'd'

namespace {

double at(const Tensor& x, std::int64_t i, std::int64_t j) { return x.select(0, i).select(0, j).item<double>(); }

// The judge of lesson 1, for all elements of A: dL/da_il is how L moves when a_il moves.
Tensor by_differences(const Tensor& A, const Tensor& B, const Tensor& G) {
  const double h = 1e-5;
  Tensor result = zeros_like(A);
  for (std::int64_t i = 0; i < A.size(0); ++i) {
    for (std::int64_t l = 0; l < A.size(1); ++l) {
      Tensor up = A.clone(), down = A.clone();
      up.select(0, i).select(0, l).add_(h), down.select(0, i).select(0, l).sub_(h);
      result.select(0, i).select(0, l).fill_((sum(mm(up, B) * G) - sum(mm(down, B) * G)).item<double>() / (2 * h));
    }
  }
  return result;
}

void lesson(course::Lesson& course) {
  const Tensor A = tensor({{1., 2., 3.}, {4., 5., 6.}}, kDouble).requires_grad_();    // m = 2, k = 3
  const Tensor B = tensor({{1., 0.}, {2., 1.}, {0., 3.}}, kDouble).requires_grad_();  // k = 3, n = 2
  const Tensor G = tensor({{1., -1.}, {2., 0.5}}, kDouble);                           // dL/dC
  const Tensor a = A.detach(), b = B.detach();  // the same numbers, without a history

  // Where does a_il stand? Only in row i of C, and there in every column j, each time multiplied by b_lj. Lesson 2: add
  // over the uses. So dL/da_il = sum over j of g_ij b_lj.
  course.part("By index: each a_il is used in the n elements of row i");
  Tensor dA = zeros_like(a);
  for (std::int64_t i = 0; i < 2; ++i) {
    for (std::int64_t l = 0; l < 3; ++l) {
      double sum = 0;
      for (std::int64_t j = 0; j < 2; ++j) sum += at(G, i, j) * at(b, l, j);
      dA.select(0, i).select(0, l).fill_(sum);
    }
  }
  course::show("dL/dA", dA);

  // In that sum the second index of G runs together with the SECOND index of B. In a matrix product it would have to be the
  // first. So B is transposed: sum over j of g_ij (B^T)_jl. For B the same thought gives A^T G.
  course.part("As matrix products");
  course::show("G B^T", mm(G, b.t()));
  course::show("A^T G", mm(a.t(), G));

  course.part("The library's");
  autograd::Record record;
  record.name(A, "A"), record.name(B, "B"), record.name(G, "G");
  const Tensor C = mm(A, B);
  record.name(C, "C");
  (C * G).sum().backward();
  record.stop();
  course::show("A.grad()", A.grad());
  course::show("B.grad()", B.grad());

  // The rule for A reads B, and the rule for B reads A: both must be kept until backward. See it in the record. See also
  // what it costs: forward takes m k n multiplications, and backward as many for A and again for B. That is why training a
  // network costs about three times as much as running it.
  course.part("What is kept");
  std::printf("%s", record.text().c_str());
  course.page(record);

  // Many remember the rules by the shapes: G is [m, n], B is [k, n]; to get A's [m, k], only G B^T fits. That is a good
  // check, and no proof. With square matrices everything fits, also what is wrong. Numbers decide.
  course.part("Square matrices: the shapes no longer tell");
  const Tensor P = tensor({{1., 2.}, {3., 4.}}, kDouble), Q = tensor({{5., 6.}, {7., 8.}}, kDouble);
  course::show("G Q^T                      ", mm(G, Q.t()));
  course::show("G Q                        ", mm(G, Q));
  course::show("by moving each element of P", by_differences(P, Q, G));

  // A batch: x holds N samples, each a matrix or a row, and all meet the same W. W is used N times. So its gradient is a sum
  // over the samples. For rows this sum is already inside the product A^T G: there the rows ARE the samples. For a stack
  // of matrices W was stretched, and the rule of lesson 3 sums. (G is stretched here, too: both samples get the same.)
  course.part("A batch of two matrices meets one W");
  const Tensor x = tensor({{{1., 2.}, {0., 1.}}, {{3., 0.}, {1., 1.}}}, kDouble);  // [2, 2, 2]
  const Tensor W = tensor({{2., 1.}, {0., 3.}}, kDouble).requires_grad_();
  (matmul(x, W) * G).sum().backward();
  course::show("of sample 1", mm(x.select(0, 0).t(), G));
  course::show("of sample 2", mm(x.select(0, 1).t(), G));
  course::show("W.grad()   ", W.grad());

  const Tensor M = P.clone().requires_grad_();
  mm(M, Q).select(0, 0).select(0, 1).backward();
  course.exercise(answer_1,
                  "A = [[1, 2], [3, 4]], B = [[5, 6], [7, 8]], C = A B, and L = c_12, first row, second column.\n"
                  "What is dL/da_11?",
                  M.grad().select(0, 0).select(0, 0).item<double>(), "c_12 = a_11 b_12 + a_12 b_22, and b_12 = 6.",
                  {{7.0, "That is (G B)_11. B must be transposed: a_11 meets b_12, not b_21."},
                   {8.0, "That is b_22, which multiplies a_12. What multiplies a_11?"},
                   {5.0, "That is b_11, which a_11 meets in c_11. But L is c_12."},
                   {11.0, "That is b_11 + b_12: for L = the sum of ALL of C. Here L is c_12 alone."},
                   {22.0, "That is c_12 itself. Which of its two terms has a_11 in it, and with what factor?"}},
                  "Write c_12 as the sum of two products. One of them has a_11 in it.");

  // Which candidate is right is not written here: they are computed and held against the library's gradient, for a G that
  // is not symmetric.
  const Tensor R = P.clone().requires_grad_();
  (mm(R, R.t()) * G).sum().backward();
  const Tensor candidates[] = {mm(G, P), mm(G.t(), P), mm(G + G.t(), P), mm(G, P) * 2};
  char right = '?';
  for (int k = 0; k < 4; ++k) {
    if (allclose(candidates[k], R.grad())) right = static_cast<char>('a' + k);
  }
  course.exercise(
      answer_2,
      "S = A A^T, and G = dL/dS, any matrix. What is dL/dA?\n"
      "  a) G A    b) G^T A    c) (G + G^T) A    d) 2 G A",
      right, "A is used twice: as the left factor it gets G (A^T)^T = G A, as the right one G^T A.",
      {{'a', "That is what A gets as the left factor. It is the right factor, too."},
       {'b', "That is what A gets as the right factor. It is the left factor, too."},
       {'d', "This supposes that both uses give the same. For a G that is not symmetric they differ in general."}},
      "Name one of a, b, c, d. Write S = A B with B = A^T, use both rules, and transpose what B gets.");
}

}  // namespace

int main(int argc, char** argv) { return course::run("04_matrix_products", argc, argv, lesson); }
