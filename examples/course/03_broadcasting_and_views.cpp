// 3. Broadcasting and views: numbers that are repeated, and numbers that are only looked at.
//
// Tensors hold many numbers, and most operations compute element by element. Two things are new then. A small tensor can be
// STRETCHED to fit a large one (broadcasting). And a tensor can be a VIEW: it has no numbers of its own but looks at those of
// another. For both the gradient follows from lesson 2: a number that is used several times gets the sum over its uses.
#include "course.h"

using namespace gradus;

const course::Answer answer_1 = course::unanswered;
const course::Answer answer_2 = course::unanswered;

namespace {

// Shape, strides and offset: where in memory element (i, j) lies, offset + i stride_0 + j stride_1.
void describe(const char* name, const Tensor& x) {
  std::ostringstream text;
  text << "shape " << x.sizes() << ", strides " << x.strides() << ", offset " << x.storage_offset();
  std::printf("%-24s %s\n", name, text.str().c_str());
}

void lesson(course::Lesson& course) {
  // From here on a loss is L = sum of y times g, element by element, with some fixed g. Then dL/dy is g: we choose what
  // arrives at y, and watch what goes on from there.
  course.part("Broadcasting: one row b, added to every row of x");
  const Tensor x = tensor({{1., 2., 3.}, {4., 5., 6.}}, kDouble).requires_grad_();
  const Tensor b = tensor({10., 20., 30.}, kDouble).requires_grad_();
  const Tensor g = tensor({{1., 0., 2.}, {5., 0., 3.}}, kDouble);
  Tensor y = x + b;  // y_ij = x_ij + b_j
  (y * g).sum().backward();
  course::show("y", y);
  course::show("dL/dy", g);
  course::show("dL/dx", x.grad());
  // b_j stands in y_1j and in y_2j: two uses. dL/db_j = sum over i of dL/dy_ij: the columns are summed.
  course::show("dL/db", b.grad());

  // The general rule. A tensor of shape S was stretched to shape T. Its gradient arrives with shape T, and is summed over
  // all dimensions that were stretched, down to S. One reads off from the shapes alone which those are: dimensions that S
  // lacks at the left, and dimensions of size 1.
  course.part("Both sides stretched: a column [2, 1] times a row [3]");
  const Tensor column = tensor({{1.}, {2.}}, kDouble).requires_grad_();
  const Tensor row = tensor({1., 10., 100.}, kDouble).requires_grad_();
  y = column * row;  // y_ij = c_i r_j
  (y * g).sum().backward();
  course::show("y", y);
  course::show("dL/dcolumn = sum over j of g_ij r_j", column.grad());
  course::show("dL/drow    = sum over i of g_ij c_i", row.grad());

  // A mirror: to stretch forward is to sum backward, and to sum forward is to stretch backward. Look: of y = the sum of a
  // row's elements, each element gets what arrived at y, unchanged.
  course.part("The mirror: what is summed forward is stretched backward");
  const Tensor s = tensor({{1., 2., 3.}, {4., 5., 6.}}, kDouble).requires_grad_();
  y = s.sum(1);  // y_i = sum over j of s_ij
  (y * tensor({7., 8.}, kDouble)).sum().backward();
  course::show("dL/dy", tensor({7., 8.}));
  course::show("dL/ds", s.grad());

  // A view is cheap: new numbers for shape, strides and offset, and the same memory. A stride of 0 is how broadcasting
  // looks at one number many times without a copy. select(dim, index) takes one index of a dimension, which is gone then;
  // slice(dim, start, stop) takes those from start to before stop. The last line is of another tensor: row's three numbers,
  // repeated as four rows.
  course.part("Views: the same numbers, read in other ways");
  Tensor m = tensor({{1., 2., 3.}, {4., 5., 6.}}, kDouble);
  describe("m", m);
  describe("m.t()", m.t());
  describe("m.select(1, 0)", m.select(1, 0));
  describe("m.slice(1, 1, 3)", m.slice(1, 1, 3));
  describe("row.expand({4, 3})", row.expand({4, 3}));
  m.select(1, 0).fill_(-1);  // written through a view, seen through the base
  course::show("m after m.select(1, 0).fill_(-1)", m);

  // Backward through a view: the gradient has the view's shape and must go to the base. Elements that the view does not
  // see get 0. Elements that several views see get the sum.
  course.part("The gradient of a view");
  const Tensor v = tensor({1., 2., 3., 4., 5.}, kDouble).requires_grad_();
  autograd::Record record;
  record.name(v, "v");
  const Tensor left = v.slice(0, 0, 3);   // v0 v1 v2
  const Tensor right = v.slice(0, 1, 4);  // v1 v2 v3
  record.name(left, "left"), record.name(right, "right");
  (left + right * 10).sum().backward();
  record.stop();
  course::show("left", left);
  course::show("right", right);
  course::show("d(sum(left + 10 right))/dv", v.grad());
  std::printf("%s", record.text().c_str());
  course.page(record);

  // Writing into a tensor after it was used is where views become dangerous. What has been overwritten no longer reaches L:
  // the gradient of the old number is 0. The library keeps track of it, through views, too.
  course.part("Written over: the old numbers no longer count");
  const Tensor p = tensor({1., 2., 3.}, kDouble).requires_grad_();
  Tensor q = p * 1;
  q.select(0, 1).fill_(100);  // through a view of q
  (q * q).sum().backward();
  course::show("q", q);
  course::show("d(sum(q^2))/dp", p.grad());

  const Tensor scale = tensor({1., 1., 1.}, kDouble).requires_grad_();
  (x.detach() * scale).sum().backward();
  course.exercise(answer_1,
                  "x = [[1, 2, 3], [4, 5, 6]] and a row s = [1, 1, 1]. L = the sum of all elements of x * s.\n"
                  "What is dL/ds_2, for the middle element of s?",
                  scale.grad().select(0, 1).item<double>(),
                  "s_2 multiplies x_12 = 2 and x_22 = 5: its two uses give 2 + 5.",
                  {{3.5, "A mean where a sum is due: s_2 is used twice, and uses are added. Nothing divides by 2."},
                   {2.0, "That is the use in the first row. s_2 multiplies an element of the second row, too."},
                   {5.0, "That is the use in the second row. s_2 multiplies an element of the first row, too."},
                   {6.0, "That is the first row of x, summed. Look down the middle column instead: s_2 stands there."},
                   {15.0, "You summed a row of x. s was repeated along the columns: one s_j for each column j."},
                   {21.0, "You summed all of x. s_2 meets only the middle column."}},
                  "In which elements of x * s does s_2 stand? Each use gives the x that it multiplies. Add them.");

  const Tensor u = tensor({1., 2., 3., 4., 5.}, kDouble).requires_grad_();
  (u.slice(0, 0, 4) * u.slice(0, 1, 5)).sum().backward();
  course.exercise(answer_2,
                  "u = [1, 2, 3, 4, 5]. L = the sum of u.slice(0, 0, 4) * u.slice(0, 1, 5), products of neighbours.\n"
                  "What is dL/du for the element 3, in the middle?",
                  u.grad().select(0, 2).item<double>(),
                  "L has the terms 2 * 3 and 3 * 4; by the 3 they give 2 + 4 = 6.",
                  {{4.0, "That is its use in 3 * 4. The other view sees the 3, too, in 2 * 3."},
                   {2.0, "That is its use in 2 * 3. The other view sees the 3, too, in 3 * 4."},
                   {8.0, "You multiplied what the two views give, 2 and 4. Uses of one number are added."},
                   {18.0, "Those are the terms themselves, 2 * 3 + 3 * 4. Differentiate each by the 3."}},
                  "Write the four terms of L. Two of them have the 3 in it. Differentiate these by it, and add.");
}

}  // namespace

int main(int argc, char** argv) { return course::run("03_broadcasting_and_views", argc, argv, lesson); }
