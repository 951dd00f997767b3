// In-place changes of leaves, results, views and views of views, and the histories that they leave.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <functional>
#include <limits>
#include <random>
#include <type_traits>
#include <utility>

#include <gradus/autograd/tensor/create.h>
#include <gradus/autograd/graph/engine.h>
#include <gradus/autograd/graph/grad_mode.h>
#include <gradus/autograd/check/gradcheck.h>
#include <gradus/autograd/graph/node.h>

#include "../support/gradients.h"
#include "../table/row.h"
#include "../support/pytorch.h"

namespace gradus::test {
namespace {

using core::Array;
using indexing::Slice;

Tensor matrix() { return leaf(counting({2, 3}, kFloat64)); }  // 0 1 2 / 3 4 5
Tensor doubles(const Doubles& numbers) { return tensor(numbers, kFloat64); }

// A program of two operands, [2, 3] and [3], that changes a clone of the first in place.
struct Program {
  std::string name;
  std::function<Tensor(const Tensor& v, const Tensor& b)> run;
};

// Those of the reference file, where v is the clone and its last value the result.
const std::vector<Program>& reference_programs() {
  static const std::vector<Program> programs = {
      {"view_mul",
       [](const Tensor& v, const Tensor&) {
         v[0].mul_(2);
         return v;
       }},
      {"view_of_view_add",
       [](const Tensor& v, const Tensor& b) {
         v.slice(1, 1)[0].add_(b.slice(0, 0, 2));
         return v;
       }},
      {"base_after_view",
       [](const Tensor& v, const Tensor&) {
         const Tensor w = v[0];
         v.mul_(3);
         return v.sum() * w;
       }},
      {"compound",
       [](const Tensor& v, const Tensor& b) {
         v += b;
         v *= b;
         v -= 1;
         v /= b;
         return v;
       }},
      {"copy_into_view",
       [](const Tensor& v, const Tensor& b) {
         v[1].copy_(b * b);
         return v;
       }},
      {"zero_column",
       [](const Tensor& v, const Tensor&) {
         v.select(1, 1).zero_();
         return v * v;
       }},
      {"fill_row",
       [](const Tensor& v, const Tensor&) {
         v[0].fill_(2.5);
         return v * v;
       }},
      {"transposed_mul",
       [](const Tensor& v, const Tensor& b) {
         v.t()[1].mul_(b[0]);
         return v * v;
       }},
      {"two_views",
       [](const Tensor& v, const Tensor&) {
         const Tensor p = v[0], q = v[1];
         p.mul_(q.clone());
         q.add_(p);
         return v * v;
       }},
  };
  return programs;
}

// More of them, for the gradient check.
const std::vector<Program>& more_programs() {
  static const std::vector<Program> programs = {
      {"square in place",
       [](const Tensor& v, const Tensor&) {
         v.mul_(v);
         return v;
       }},
      {"divided by itself",
       [](const Tensor& v, const Tensor&) {
         v.div_(v);
         return v + v.sum();
       }},
      {"difference of itself",
       [](const Tensor& v, const Tensor&) {
         v.sub_(v, 0.5);
         return v;
       }},
      {"view times the base's other half",
       [](const Tensor& v, const Tensor&) {
         v[0].mul_(v[1]);
         return v;
       }},
      {"view times another view that overlaps",
       [](const Tensor& v, const Tensor&) {
         v.slice(1, 0, 2).mul_(v.slice(1, 1, 3));
         return v;
       }},
      {"view plus the base's sum",
       [](const Tensor& v, const Tensor&) {
         v[1].add_(v.sum());
         return v;
       }},
      {"base plus its view",
       [](const Tensor& v, const Tensor&) {
         v.add_(v[0]);
         return v;
       }},
      {"base times its view",
       [](const Tensor& v, const Tensor&) {
         v.mul_(v[1]);
         return v;
       }},
      {"the view that was written",
       [](const Tensor& v, const Tensor& b) {
         const Tensor w = v[1];
         w.mul_(b);
         return w * w;
       }},
      {"another view of what was written",
       [](const Tensor& v, const Tensor& b) {
         const Tensor column = v.select(1, 2);
         v[1].mul_(b);
         return column * column;
       }},
      {"view of a view of a view",
       [](const Tensor& v, const Tensor& b) {
         const Tensor deep = v.t().slice(0, 0, 2).select(1, 1);
         deep.mul_(b.slice(0, 1, 3));
         v.mul_(2);
         return deep * v.sum();
       }},
      {"diagonal",
       [](const Tensor& v, const Tensor& b) {
         v.diagonal().mul_(b.slice(0, 0, 2));
         return v * v;
       }},
      {"every second",
       [](const Tensor& v, const Tensor& b) {
         v.view({6}).slice(0, 1, 6, 2).mul_(b);
         return v * v;
       }},
      {"permuted, then sliced",
       [](const Tensor& v, const Tensor& b) {
         v.permute({1, 0}).slice(0, 1)[1].copy_(b.slice(0, 0, 2) * 3);
         return v * v;
       }},
      {"unsqueezed",
       [](const Tensor& v, const Tensor& b) {
         v.unsqueeze(1).mul_(b);
         return v * v;
       }},
      {"as_strided",
       [](const Tensor& v, const Tensor& b) {
         v.as_strided({2}, {2}, 1).mul_(b.slice(0, 0, 2));
         return v * v;
       }},
      {"split",
       [](const Tensor& v, const Tensor& b) {
         v.split(1)[1].mul_(b);
         v.chunk(3, 1)[0].add_(1);
         return v * v;
       }},
      {"read between writes",
       [](const Tensor& v, const Tensor& b) {
         const Tensor w = v[0];
         w.mul_(b);
         const Tensor between = w.clone();
         w.add_(between * between);
         v.mul_(0.5);
         return w * between;
       }},
      {"copied from its own other row",
       [](const Tensor& v, const Tensor&) {
         v[0].copy_(v[1]);
         return v * v;
       }},
      {"half of it overwritten by numbers",
       [](const Tensor& v, const Tensor&) {
         v.slice(1, 0, 2).copy_(tensor({{1., 2.}, {3., 4.}}));
         return v * v;
       }},
      {"filled and used again",
       [](const Tensor& v, const Tensor& b) {
         v.fill_(2);
         v.add_(b);
         return v * v;
       }},
      {"a detached part stays out",
       [](const Tensor& v, const Tensor& b) {
         v.add_(b.detach() * 0 + 1);
         return v * b;
       }},
      {"a view of a result",
       [](const Tensor& v, const Tensor& b) {
         const Tensor y = v * b;
         y.select(1, 0).mul_(b[1]);
         return y * y;
       }},
      {"a number as the base",
       [](const Tensor& v, const Tensor& b) {
         const Tensor s = v.sum();
         s.mul_(b[0]);
         s.view({1}).add_(b[1]);
         return s * s;
       }},
      {"gradient of a broadcast operand",
       [](const Tensor& v, const Tensor& b) {
         v.mul_(b[0]);
         v.sub_(b.view({1, 3}));
         v.div_(b[2]);
         return v * v;
       }},
      {"expand of what is written later",
       [](const Tensor& v, const Tensor& b) {
         const Tensor e = v[0].expand({2, 3});
         v[0].mul_(b);
         return e * e;
       }},
  };
  return programs;
}

autograd::TensorFunction function_of(const Program& program) {
  return [&program](const Operands& x) { return Operands{program.run(x[0].clone(), x[1])}; };
}
Operands operands() { return {drawn({{2, 3}, 0.4, 2}, 0).requires_grad_(), drawn({{3}, 0.4, 2}, 1).requires_grad_()}; }

}  // namespace

BOOST_AUTO_TEST_SUITE(inplace)

BOOST_AUTO_TEST_CASE(every_change_and_its_value) {
  const Tensor x = tensor(Doubles{1, 2, 3}, kFloat64), w = doubles({2, 4, 8});
  BOOST_CHECK(x.add_(w).is_same(x));
  check(x, {3, 6, 11});
  check(x.add_(w, 0.5), {4, 8, 15});
  check(x.sub_(w), {2, 4, 7});
  check(x.sub_(w, -1), {4, 8, 15});
  check(x.mul_(w), {8, 32, 120});
  check(x.div_(w), {4, 8, 15});
  check(x.add_(1), {5, 9, 16});
  check(x.add_(1, 2), {7, 11, 18});
  check(x.sub_(1), {6, 10, 17});
  check(x.sub_(1, 6), {0, 4, 11});
  check(x.mul_(2), {0, 8, 22});
  check(x.div_(4), {0, 2, 5.5});
  check(x.copy_(w), {2, 4, 8});
  check(x.fill_(7), {7, 7, 7});
  check(x.zero_(), {0, 0, 0});
  check(x += w, {2, 4, 8});
  check(x -= 1, {1, 3, 7});
  check(x *= w, {2, 12, 56});
  check(x /= 2, {1, 6, 28});
  const Tensor one = doubles({5});
  check(x.copy_(one), {5, 5, 5});  // broadcast
  // Dtypes: the result is cast to the tensor's own, unless its category is lower.
  const Tensor i = tensor(std::vector<int>{1, 2, 3});
  check(i.add_(tensor(std::vector<int>{10})), {11, 12, 13});
  check(i.mul_(2), {22, 24, 26});
  check_error<DTypeError>([&] { i.add_(0.5); }, {"int64"});
  check_error<DTypeError>([&] { i.div_(i); }, {"int64"});
  check(i, {22, 24, 26});
  const Tensor f = tensor(Doubles{1, 2});
  f.add_(doubles({0.5, 0.25}));
  BOOST_CHECK(f.dtype() == kFloat32);
  check(f, {1.5, 2.25});
  // Each counts as a write, and says who made it.
  const std::uint64_t version = f.version();
  f.mul_(2);
  f[0].zero_();
  BOOST_CHECK_GE(f.version(), version + 2);
  BOOST_CHECK_EQUAL(f.array().storage()->writes().by, "zero_");
}

BOOST_AUTO_TEST_CASE(shapes_that_do_not_fit) {
  const Tensor x = tensor(Doubles{1, 2, 3}), wide = tensor({{1., 2., 3.}, {4., 5., 6.}});
  check_error<ShapeError>([&] { x.add_(wide); }, {"[3]", "[2, 3]"});
  check_error<ShapeError>([&] { x.mul_(tensor(Doubles{1, 2})); }, {"[3]", "[2]"});
  check_error<ShapeError>([&] { x.copy_(wide); }, {"[3]", "[2, 3]"});
  check(x, {1, 2, 3});
  // While recording, too: the history is as it was.
  const Tensor y = leaf(Doubles{1, 2, 3}), z = y * 1;
  check_error<ShapeError>([&] { z.add_(wide.to(kFloat64)); }, {"[3]", "[2, 3]"});
  BOOST_CHECK_EQUAL(z.grad_fn()->name(), "mul");
  z.add_(doubles({1, 1, 1}));
  z.sum().backward();
  check(y.grad(), {1, 1, 1});
}

BOOST_AUTO_TEST_CASE(results) {
  const Tensor x = leaf(Doubles{1, 2, 3}), w = leaf(Doubles{4, 5, 6});
  const Tensor y = x * 2, same = y;
  y.mul_(w);
  BOOST_CHECK_EQUAL(same.grad_fn()->name(), "mul_");  // every copy of the handle sees it
  check(same, {8, 20, 36});
  y.sum().backward();
  check(x.grad(), {8, 10, 12});
  check(w.grad(), {2, 4, 6});
  // A tensor without history gets one from its operand,
  const Tensor z = doubles({1, 1, 1});
  z.mul_(w);
  BOOST_CHECK(z.requires_grad() && !z.is_leaf());
  (z * z).sum().backward();
  check(w.grad(), {2 + 2 * 4, 4 + 2 * 5, 6 + 2 * 6});
  // integers do not.
  const Tensor i = tensor(std::vector<int>{1, 2, 3});
  i.copy_(w);
  BOOST_CHECK(!i.requires_grad());
  check(i, {4, 5, 6});
  // Overwritten history is forgotten.
  x.zero_grad();
  const Tensor u = x * 2;
  u.copy_(w * 3);
  u.sum().backward();
  check(x.grad(), {0, 0, 0});
}

// y = x.clone(); y[0].mul_(2): PyTorch's gradients.
BOOST_AUTO_TEST_CASE(a_view_changes_its_base) {
  const Tensor x = matrix(), y = x.clone();
  y[0].mul_(2);
  check(y, {0, 2, 4, 3, 4, 5});
  (y * y).sum().backward();
  check(x.grad(), {0, 8, 16, 6, 8, 10});
  BOOST_CHECK_EQUAL(y.grad_fn()->name(), "as_strided_scatter");
}

BOOST_AUTO_TEST_CASE(a_base_changes_its_views) {
  const Tensor x = matrix(), y = x.clone(), row = y[1], column = y.t()[0];
  y.mul_(10);
  check(row, {30, 40, 50});
  BOOST_CHECK_EQUAL(row.grad_fn()->name(), "as_strided");
  (row.sum() + 2 * column.sum()).backward();
  check(x.grad(), {20, 0, 0, 30, 10, 10});
  // Also a view of a tensor that had no history when the view was taken.
  const Tensor z = Tensor(core::zeros({2, 3}, kFloat64)), part = z[0];
  BOOST_CHECK(!part.requires_grad());
  z.add_(x);
  BOOST_CHECK(part.requires_grad());
  x.zero_grad();
  part.sum().backward();
  check(x.grad(), {1, 1, 1, 0, 0, 0});
  // And a view's new history reaches its base and the other views.
  const Tensor u = Tensor(core::zeros({2, 3}, kFloat64)), first = u[0], corner = u.t()[0];
  first.add_(x[1]);
  BOOST_CHECK(u.requires_grad() && corner.requires_grad() && first.requires_grad());
  x.zero_grad();
  corner.sum().backward();
  check(x.grad(), {0, 0, 0, 1, 0, 0});
}

BOOST_AUTO_TEST_CASE(writes_through_several_views) {
  const Tensor x = matrix(), w = leaf(Doubles{2, 3, 4}), y = x.clone();
  const Tensor top = y[0], bottom = y[1], left = y.select(1, 0), all = y.view({6});
  top.mul_(w);                              // 0 3 8
  left.add_(100);                           // 100 3 8 / 103 4 5
  bottom.copy_(top);                        // 100 3 8 / 100 3 8
  all.slice(0, 4).mul_(bottom[0].clone());  // 100 3 8 / 100 300 800
  check(y, {100, 3, 8, 100, 300, 800});
  check(bottom, {100, 300, 800});
  y.sum().backward();
  // sum = t0 + t1 + t2 + t0 + (t1 + t2) t0 with t0 = 100 + x0 w0, t1 = x1 w1, t2 = x2 w2
  check(x.grad(), {2 * (1 + 1 + 11), 3 * (1 + 100), 4 * (1 + 100), 0, 0, 0});
  check(w.grad(), {0 * 13, 1 * 101, 2 * 101});
}

BOOST_AUTO_TEST_CASE(leaves_and_their_views_are_refused) {
  const Tensor x = matrix();
  for (const Tensor& view : {x, x[0], x.t(), x.view({6}).slice(0, 1, 3), x.detach().requires_grad_()}) {
    check_error<GradError>([&] { view.mul_(2); }, {"mul_: ", "leaf that requires grad", "NoGradGuard", "clone()"});
    check_error<GradError>([&] { view.copy_(view); }, {"copy_: "});
    check_error<GradError>([&] { view.uniform_(); }, {"NoGradGuard"});
  }
  check(x, {0, 1, 2, 3, 4, 5});
  {
    const NoGradGuard guard;
    x[0].mul_(2);
    x.t()[2].zero_();
  }
  check(x, {0, 2, 0, 3, 4, 0});
  BOOST_CHECK(x.is_leaf());
  (x * x).sum().backward();
  check(x.grad(), {0, 4, 0, 6, 8, 0});
  // A leaf that requires none takes what it is given.
  const Tensor plain = doubles({1, 2});
  plain.mul_(2);
  plain[0].add_(1);
  check(plain, {3, 4});
  BOOST_CHECK(plain.is_leaf());
}

BOOST_AUTO_TEST_CASE(expanded_tensors_are_refused) {
  const Tensor x = matrix(), y = x.clone();
  const Tensor e = y[0].expand({4, 3});
  const std::vector<std::function<void()>> changes = {[&] { e.add_(1); },
                                                      [&] { e.mul_(e); },
                                                      [&] { e.copy_(e); },
                                                      [&] { e.fill_(1); },
                                                      [&] { e.zero_(); },
                                                      [&] { e.t().add_(1); },
                                                      [&] {
                                                        y.as_strided({2, 2}, {1, 1}, 0).add_(1);
                                                      },
                                                      [&] {
                                                        const NoGradGuard guard;
                                                        e.add_(1);
                                                      }};
  for (const auto& change : changes)
    check_error<ValueError>(change, {"each element written to must have its own memory", "clone()"});
  check(y, {0, 1, 2, 3, 4, 5});
  e.slice(0, 1, 2).add_(1);  // one row of it is an ordinary view
  check(e, {1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3});
  e.sum().backward();
  check(x.grad(), {4, 4, 4, 0, 0, 0});
}

BOOST_AUTO_TEST_CASE(operands_that_overlap) {
  using Change = std::function<void(const Tensor&, const Tensor&)>;
  const std::vector<Change> changes = {
      [](const Tensor& a, const Tensor& b) { a.add_(b); }, [](const Tensor& a, const Tensor& b) { a.sub_(b, 2); },
      [](const Tensor& a, const Tensor& b) { a.mul_(b); }, [](const Tensor& a, const Tensor& b) { a.div_(b); },
      [](const Tensor& a, const Tensor& b) { a.copy_(b); }};
  const std::vector<std::function<std::pair<Tensor, Tensor>(const Tensor&)>> pairs = {
      [](const Tensor& v) {
        return std::pair{v.slice(0, 0, 19), v.slice(0, 1, 20)};
      },
      [](const Tensor& v) {
        return std::pair{v.slice(0, 1, 20), v.slice(0, 0, 19)};
      },
      [](const Tensor& v) {
        return std::pair{v.slice(0, 0, 10), v.slice(0, 0, 20, 2)};
      },
      [](const Tensor& v) {
        return std::pair{v.slice(0, 0, 20, 2), v.slice(0, 10, 20)};
      },
      [](const Tensor& v) {
        return std::pair{v.slice(0, 0, 16).view({4, 4}), v.slice(0, 0, 16).view({4, 4}).t()};
      },
      [](const Tensor& v) {
        return std::pair{v, v.slice(0, 3, 4)};
      },  // broadcast from within
      [](const Tensor& v) {
        return std::pair{v.slice(0, 0, 16).view({4, 4}), v.slice(0, 6, 10)};
      },
      [](const Tensor& v) {
        return std::pair{v, v};
      }};
  for (const Change& change : changes) {
    for (const auto& pair : pairs) {
      const Tensor base = Tensor(counting({20}, kFloat64)) + 1, apart = base.clone();
      const auto [a, b] = pair(base);
      const auto [c, d] = pair(apart);
      change(a, b);
      change(c, d.clone());
      BOOST_CHECK_EQUAL(error(base, apart), 0);
    }
  }
}

BOOST_AUTO_TEST_CASE(views_taken_without_recording) {
  const Tensor x = matrix(), y = x.clone();
  Tensor view, deeper;
  {
    const NoGradGuard guard;
    view = y[0];
    deeper = y.t();
  }
  deeper = deeper[1];
  BOOST_CHECK(!view.requires_grad());
  check_error<GradError>([&] { view.mul_(2); }, {"mul_: ", "taken without recording", "NoGradGuard"});
  check_error<GradError>([&] { deeper.mul_(2); }, {"taken without recording"});
  check(y, {0, 1, 2, 3, 4, 5});
  {
    const NoGradGuard guard;
    view.mul_(2);
  }
  check(y, {0, 2, 4, 3, 4, 5});
  // Where nothing requires grad it is an ordinary view,
  const Tensor plain = Tensor(core::zeros({2, 2}, kFloat64));
  Tensor part;
  {
    const NoGradGuard guard;
    part = plain[0];
  }
  part.add_(1);
  check(plain, {1, 1, 0, 0});
  // until something does.
  check_error<GradError>([&] { part.add_(x[0].slice(0, 0, 2)); }, {"taken without recording"});
  plain[0].add_(x[0].slice(0, 1, 3));
  plain.sum().backward();
  check(x.grad(), {0, 1, 1, 0, 0, 0});
}

BOOST_AUTO_TEST_CASE(detached_aliases) {
  const Tensor x = leaf(Doubles{1, 2}), y = x * 3, d = y.detach();
  d.mul_(10);
  check(y, {30, 60});                             // the same numbers,
  BOOST_CHECK_EQUAL(y.grad_fn()->name(), "mul");  // but no part of the history
  y.sum().backward();
  check(x.grad(), {3, 3});
  const Tensor w = leaf(Doubles{5, 6});
  d.add_(w);
  BOOST_CHECK_EQUAL(d.grad_fn()->name(), "add_");
  d.sum().backward();
  check(w.grad(), {1, 1});
  check(x.grad(), {3, 3});
}

BOOST_AUTO_TEST_CASE(a_base_that_was_given_other_numbers) {
  const Tensor x = leaf(Doubles{1, 2}), y = x * 1, view = y.slice(0, 0, 1);
  y.set_data(doubles({7, 8}));
  check_error<GradError>([&] { view.mul_(2); }, {"set_data", "take the view again"});
  check(view, {1});
  check(y, {7, 8});
  y.slice(0, 0, 1).mul_(2);
  y.sum().backward();
  check(x.grad(), {2, 1});
}

BOOST_AUTO_TEST_CASE(a_base_in_another_layout) {
  const Tensor x = leaf(Doubles{1, 2});
  const Tensor base = Tensor(counting({2, 3}, kFloat64).t());  // no view: an array of this layout
  base[0].mul_(2);                                             // unrecorded
  check(base, {0, 6, 1, 4, 2, 5});
  BOOST_CHECK(!base.requires_grad());
  base[0].mul_(x);
  check(base, {0, 12, 1, 4, 2, 5});
  base.sum().backward();
  check(x.grad(), {0, 6});
}

BOOST_AUTO_TEST_CASE(a_base_in_another_layout_with_a_view_alive) {
  const Tensor p = leaf(Doubles{1, 2}), q = tensor(Doubles{1, 1}, kFloat64);
  const Tensor base = Tensor(counting({2, 3}, kFloat64).t()), view = base[0];
  base.mul_(p);
  (view * q).sum().backward({}, true);
  check(p.grad(), {0, 3});
  (base[0] * q).sum().backward();
  check(p.grad(), {0, 6});
}

BOOST_AUTO_TEST_CASE(assigning_to_a_view_without_a_name_writes_into_it) {
  const Tensor x = leaf(Doubles{1, 2, 3}), y = x * 1;
  y[0] = Tensor(core::full({}, 7, kFloat64));
  y[1] = x[2] * 10;
  y.index({2}) = 5;
  y.slice(0, 2, 3) = y[0];
  check(y, {7, 30, 7});
  y.sum().backward();
  check(x.grad(), {0, 0, 10});
  Tensor named = y[0];
  named = x;  // a handle with a name is another tensor from now on
  check(y, {7, 30, 7});
  static_assert(!std::is_assignable_v<core::Array, const core::Array&>, "a[0] = b would change nothing");
}

BOOST_AUTO_TEST_CASE(functions_in_place) {
  using Form = Tensor& (*)(Operand);
  using Free = Tensor (*)(Operand);
  const std::vector<std::pair<Form, Free>> forms = {
      {&gradus::neg_, &gradus::neg},   {&gradus::abs_, &gradus::abs},        {&gradus::exp_, &gradus::exp},
      {&gradus::log_, &gradus::log},   {&gradus::sqrt_, &gradus::sqrt},      {&gradus::relu_, &gradus::relu},
      {&gradus::tanh_, &gradus::tanh}, {&gradus::sigmoid_, &gradus::sigmoid}};
  for (const auto& [form, free] : forms) {
    const Tensor x = leaf(Doubles{0.5, 2, 3}), y = x * 1, z = free(x);
    form(y);
    BOOST_CHECK(same_bits(y, z));
    const auto f = [&, form = form](const Operands& in) {
      const Tensor copy = in[0] * 1;
      form(copy);
      return Operands{copy};
    };
    BOOST_CHECK(gradcheck(f, {x}) && gradgradcheck(f, {x}));
  }
  const Tensor x = leaf(Doubles{-1, 0.5, 3}), y = x * 1;
  y.clamp_(0, 1);
  check(y, {0, 0.5, 1});
  y.sum().backward();
  check(x.grad(), {0, 1, 0});
}

BOOST_AUTO_TEST_CASE(views_of_nothing_changed) {
  const Tensor x = Tensor(core::zeros({4, 0}, kFloat64)).requires_grad_(), y = x * 1;
  y.select(0, 1).add_(1);
  y[3].copy_(Tensor(core::zeros({0}, kFloat64)));
  y.t().select(1, 2).mul_(2);
  y.sum().backward();
  BOOST_CHECK(x.grad().sizes() == (std::vector<std::int64_t>{4, 0}));
}

// The results of these are not needed by their gradients, and may change.
BOOST_AUTO_TEST_CASE(a_result_that_its_rule_does_not_need) {
  const Tensor a = doubles({1, 2}).requires_grad_(), b = doubles({4, -8}).requires_grad_();
  const auto check_change = [&](const Tensor& y, const Doubles& da, const Doubles& db) {
    a.zero_grad(), b.zero_grad();
    y.mul_(2);
    y.sum().backward();
    check(a.grad(), da);
    check(b.grad(), db);
  };
  check_change(a / b, {0.5, -0.25}, {-0.125, -0.0625});
  check_change(a * b, {8, -16}, {2, 4});
  check_change(a - b, {2, 2}, {-2, -2});
}

// What an operation gives must not be cut to what the tensor can hold; sub_ knows no truth values, as sub doesn't.
BOOST_AUTO_TEST_CASE(results_of_a_higher_category_are_refused) {
  const Tensor whole = Tensor(core::arange(1, 4, 1, kInt64)), truth = whole > 1;
  const auto refused = [&](auto change, const char* what) {
    const Tensor before = whole.clone();
    test::check_error<DTypeError>([&] { change(whole); }, {what, "float32 to int64"});
    BOOST_TEST(test::same_bits(whole, before));
  };
  refused([](const Tensor& x) { x.exp_(); }, "exp_: the result's dtype must be castable");
  refused([](const Tensor& x) { x.sqrt_(); }, "sqrt");
  refused([](const Tensor& x) { x.sigmoid_(); }, "sigmoid");
  refused([](const Tensor& x) { x.clamp_(0.5, 2.5); }, "clamp");
  BOOST_TEST(test::same_bits(whole.clone().clamp_(2, 3), whole.clamp(2, 3)));
  for (const auto& change : std::vector<std::function<void()>>{[&] { truth.sub_(truth); }, [&] { whole.sub_(truth); },
                                                               [&] { truth.sub_(Scalar(true)); }}) {
    test::check_error<DTypeError>(change, {"sub_: no operand may be bool"});
  }
}

BOOST_AUTO_TEST_CASE(integers_wrap_around) {
  const Tensor x = Tensor(core::full({2}, 1, kInt64));
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  x.add_(most, 2);
  BOOST_CHECK_EQUAL(x[0].item<std::int64_t>(), -1);
  x.sub_(x, std::numeric_limits<std::int64_t>::min());
  BOOST_CHECK_EQUAL(x[0].item<std::int64_t>(), most);
}

BOOST_AUTO_TEST_CASE(random_numbers_in_place) {
  const Tensor x = leaf(Doubles{1, 2, 3}), y = x * 2;
  y.uniform_(5, 6);
  for (double v : values(y)) BOOST_CHECK(v >= 5 && v < 6);
  y.sum().backward();
  check(x.grad(), {0, 0, 0});  // nothing of the old numbers is left
  const Tensor z = Tensor(core::zeros({1000}, kFloat32));
  z.normal_(3, 0);
  check(z, Doubles(1000, 3));
  z.bernoulli_(1);
  check(z, Doubles(1000, 1));
  check_error<ValueError>([&] { z.uniform_(2, 1); }, {"uniform_", "2 and 1"});
  check_error<ValueError>([&] { z.normal_(0, -1); }, {"normal_", "-1"});
  check_error<ValueError>([&] { z.bernoulli_(1.5); }, {"1.5"});
}

BOOST_AUTO_TEST_CASE(programs_by_pytorch) {
  const PyTorchFile reference("ops");
  BOOST_CHECK_EQUAL(reference.cases("in_place_").size(), reference_programs().size());
  for (const Program& program : reference_programs()) {
    BOOST_TEST_CONTEXT(program.name) {
      const std::string at = "in_place_" + program.name + "_f64/";
      const Tensor a = reference[at + "a"].requires_grad_();
      const bool two = reference.has(at + "b");
      const Tensor b = two ? reference[at + "b"].requires_grad_() : Tensor();
      const Tensor y = program.run(a.clone(), b);
      BOOST_CHECK_LE(error(y, reference[at + "y"]), 1e-12);
      y.backward(reference[at + "dy"]);
      BOOST_CHECK_LE(error(a.grad(), reference[at + "da"]), 1e-12);
      if (two) BOOST_CHECK_LE(error(b.grad(), reference[at + "db"]), 1e-12);
    }
  }
}

BOOST_AUTO_TEST_CASE(programs_by_finite_differences) {
  for (const auto* programs : {&reference_programs(), &more_programs()}) {
    for (const Program& program : *programs) {
      BOOST_TEST_CONTEXT(program.name) {
        const Alive before;
        try {
          BOOST_CHECK(gradcheck(function_of(program), operands()));
          BOOST_CHECK(gradgradcheck(function_of(program), operands()));
        } catch (const Error& error) {
          BOOST_ERROR(error.what());
        }
        BOOST_CHECK_EQUAL(Alive(), before);
      }
    }
  }
}

// Random programs: views of views of a base, all alive at once, changed in any order.
BOOST_AUTO_TEST_CASE(random_programs) {
  const auto run = [](unsigned seed, const Operands& x) {
    std::mt19937 random(seed);
    const auto pick = [&](std::size_t n) { return static_cast<std::int64_t>(random() % n); };
    const Tensor base = x[0].clone();  // [3, 4]
    Operands live{base};
    for (int step = 0; step < 12; ++step) {
      const Tensor v = live[static_cast<std::size_t>(pick(live.size()))];
      const std::int64_t n = v.dim();
      const std::int64_t d = n == 0 ? 0 : pick(static_cast<std::size_t>(n));
      switch (pick(12)) {
        case 0:
          if (n > 0) live.push_back(v.select(d, pick(static_cast<std::size_t>(v.size(d)))));
          break;
        case 1:
          if (n > 0 && v.size(d) > 1) live.push_back(v.slice(d, pick(static_cast<std::size_t>(v.size(d)))));
          break;
        case 2:
          if (n > 0 && v.size(d) > 1) live.push_back(v.slice(d, 0, {}, 2));
          break;
        case 3:
          if (n > 1) live.push_back(v.transpose(0, n - 1));
          break;
        case 4:
          if (n < 4) live.push_back(v.unsqueeze(0));
          break;
        case 5:
          if (n > 1) live.push_back(v.diagonal());
          break;
        case 6:
          v.mul_(x[1]);
          break;
        case 7:
          v.add_(base.sum() * 0.1);
          break;
        case 8:
          v.mul_(v.clone());
          break;
        case 9:
          v.sub_(live[static_cast<std::size_t>(pick(live.size()))].sum() * 0.2);
          break;
        case 10:
          v.div_(x[1] + 1.5);
          break;
        default: {
          const Tensor other = live[static_cast<std::size_t>(pick(live.size()))];
          if (other.sizes() == v.sizes())
            v.copy_(other.clone() * x[1]);  // of the clone: its numbers are saved
          else
            v.fill_(0.5);
        }
      }
    }
    Tensor result = x[1] * 0;
    double weight = 1;
    for (const Tensor& v : live) result = result + (v * v).sum() * (weight *= 0.7);
    return Operands{result, base};
  };
  const Operands at = {drawn({{3, 4}, 0.5, 1.2}, 0).requires_grad_(), drawn({{}, 0.5, 1.2}, 1).requires_grad_()};
  const Alive before;
  for (unsigned seed = 0; seed < 300; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      try {
        const autograd::TensorFunction f = [&](const Operands& x) { return run(seed, x); };
        BOOST_CHECK(gradcheck(f, at));
        if (seed % 4 == 0) BOOST_CHECK(gradgradcheck(f, at));
      } catch (const Error& error) {
        BOOST_ERROR(error.what());
      }
    }
  }
  BOOST_CHECK_EQUAL(Alive(), before);
}

// What is made of others bears its own name, and the caller's line, where a value that it overwrites was saved.
BOOST_AUTO_TEST_CASE(writes_are_told_by_the_callers_operation_and_line) {
  const Tensor ids = tensor({0, 2}), mask = eye(3) > 0, ones_of_3 = ones({3});
  const std::pair<std::string, std::function<void(const Tensor&)>> writes[] = {
      {"index_put_", [&](const Tensor& y) { y.index_put_({mask}, 1); }},
      {"index_put_", [&](const Tensor& y) { y.index_put_({mask}, ones_of_3); }},
      {"index_put_", [&](const Tensor& y) { y.index_put_({ids}, ones_of_3, true); }},
      {"index_put_", [&](const Tensor& y) { y.index_put_({indexing::Slice(1)}, 1); }},
      {"renorm_", [&](const Tensor& y) { y.renorm_(2, 0, 0.1); }},
      {"cumsum_", [&](const Tensor& y) { y.cumsum_(0); }},
      {"masked_fill_", [&](const Tensor& y) { y.masked_fill_(mask, tensor(1.f)); }},
      {"fill_", [&](const Tensor& y) { y.fill_(tensor(1.f)); }},
      {"uniform_", [&](const Tensor& y) { y.uniform_(); }},
      {"put_", [&](const Tensor& y) { y.put_(ids, ones({2})); }},
      {"fill_diagonal_", [&](const Tensor& y) { y.fill_diagonal_(3); }},
      {"scatter_",
       [&](const Tensor& y) {
         y.scatter_(0, zeros({1, 3}, kInt64), ones({1, 3}), "add");
       }},
      {"scatter_reduce_", [&](const Tensor& y) {
         y.scatter_reduce_(0, zeros({1, 3}, kInt64), ones({1, 3}), "mean");
       }}};
  for (const auto& [name, write] : writes) {
    for (const bool recorded : {false, true}) {
      const Tensor w = rand({3, 3}).requires_grad_(), y = recorded ? w * 2 : rand({3, 3}), z = (w * y).sum();
      write(y);
      check_error<GradError>([&, &z = z] { z.backward(); }, {": " + name + " wrote to it at " + __FILE__});
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
