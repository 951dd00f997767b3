// Operations by classes derived from autograd::Function: what forward's results remember, what backward is given and may give
// back, in place, views, higher derivatives, and what errors say. What libtorch does with such programs the check
// frontend_libtorch compares.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <optional>

#include <gradus/autograd/check/gradcheck.h>
#include <gradus/autograd/graph/engine.h>
#include <gradus/autograd/graph/function.h>
#include <gradus/autograd/tensor/create.h>
#include <gradus/autograd/tensor/print.h>

#include "../support/gradients.h"

namespace gradus::test {
namespace {

using namespace autograd;

Tensor doubles(const Doubles& numbers) { return Tensor(list(numbers)); }

// y = scale x^3, by the input.
struct Cube : Function<Cube> {
  static Tensor forward(AutogradContext* ctx, Tensor x, double scale) {
    BOOST_TEST(!GradMode::is_enabled());
    ctx->save_for_backward({x});
    ctx->saved_data["scale"] = scale;
    return x * x * x * scale;
  }
  static variable_list backward(AutogradContext* ctx, variable_list dy) {
    const Tensor x = ctx->get_saved_variables()[0];
    return {dy[0] * 3 * x * x * ctx->saved_data["scale"].toDouble(), Tensor()};
  }
};
// y = e^x, by the output: kept in the way that Way says.
template <int Way>
struct Exp : Function<Exp<Way>> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x) {
    const Tensor y = exp(x);
    if (Way == 0) ctx->save_for_backward({y});
    if (Way == 1) ctx->saved_data["y"] = y;
    if (Way == 2) ctx->saved_data["y"] = variable_list{x, y};
    return y;
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& dy) {
    if (Way == 0) return {dy[0] * ctx->get_saved_variables()[0]};
    const IValue& y = ctx->saved_data.at("y");
    return {dy[0] * (Way == 1 ? y.toTensor() : y.toTensorVector()[1])};
  }
};
// Several results: twice x, an index, an undefined one, a constant, three times x.
struct Several : Function<Several> {
  static inline bool materialize = true;
  static inline variable_list came;
  static variable_list forward(AutogradContext* ctx, Tensor x) {
    const Tensor constant = x + 1;
    ctx->mark_non_differentiable({constant});
    ctx->save_for_backward({constant});
    ctx->set_materialize_grads(materialize);
    return {x * 2, x.argmax(), Tensor(), constant, x * 3};
  }
  static variable_list backward(AutogradContext* ctx, variable_list dy) {
    BOOST_TEST(!ctx->get_saved_variables()[0].requires_grad());
    came = dy;
    Tensor dx;
    if (dy[0].defined()) dx = dy[0] * 2;
    if (dy[4].defined()) dx = dx.defined() ? dx + dy[4] * 3 : dy[4] * 3;
    return {dx};
  }
};
// x <- 3 x, as the second result, after x + other.
struct TripleInPlace : Function<TripleInPlace> {
  static variable_list forward(AutogradContext* ctx, const Tensor& x, const Tensor& other) {
    const Tensor sum = x + other;
    x.mul_(3);
    ctx->mark_dirty({x});
    ctx->save_for_backward({x});
    return {sum, x};
  }
  static variable_list backward(AutogradContext* ctx, variable_list dy) {
    const Tensor x = ctx->get_saved_variables()[0];
    BOOST_TEST(x.output_nr() == 1);
    return {dy[0] + dy[1] * 3, dy[0]};
  }
};
// x <- -x, by other means than an operation's.
struct Negate : Function<Negate> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x) {
    for (std::int64_t i = 0; i < x.numel(); ++i) x.data_ptr<double>()[i] *= -1;
    ctx->mark_dirty({x});
    return x;
  }
  static variable_list backward(AutogradContext*, variable_list dy) { return {-dy[0]}; }
};
enum class Way { None, Unmarked, UnmarkedAside, NotReturned, ViewMarked };
struct Wrongly : Function<Wrongly> {
  static Tensor forward(AutogradContext* ctx, Tensor x, Way way) {
    if (way == Way::None) return x * 2;
    x.mul_(2);
    if (way == Way::NotReturned) ctx->mark_dirty({x});
    if (way == Way::ViewMarked) ctx->mark_dirty({x.view({-1})});
    return way == Way::Unmarked || way == Way::ViewMarked ? x : x * 2;
  }
  static variable_list backward(AutogradContext*, variable_list dy) { return {dy[0] * 2, {}}; }
};
// Gives back as many gradients as it is told, all of them defined or those of tensors alone; of a shape that it is told.
struct Gives : Function<Gives> {
  static Tensor forward(AutogradContext* ctx, Tensor x, const variable_list& list, int count, bool all, Tensor like) {
    ctx->saved_data["count"] = count;
    ctx->saved_data["all"] = all;
    ctx->saved_data["like"] = like;
    return x.sum() + list[0].sum();
  }
  static variable_list backward(AutogradContext* ctx, variable_list) {
    const Tensor like = ctx->saved_data["like"].toTensor();
    variable_list dx(static_cast<std::size_t>(ctx->saved_data["count"].toInt()));
    for (std::size_t i = 0; i < dx.size(); ++i) {
      if (i < 3 || ctx->saved_data["all"].toBool()) dx[i] = like.detach();
    }
    return dx;
  }
};
// sum of all that it is given, and which gradients were wanted.
struct SumOf : Function<SumOf> {
  static inline std::vector<bool> wanted;
  static Tensor forward(AutogradContext* ctx, const variable_list& list, double, std::optional<Tensor> maybe,
                        Tensor x) {
    wanted.clear();
    for (std::size_t i = 0; i < list.size() + maybe.has_value() + 1; ++i) wanted.push_back(ctx->needs_input_grad(i));
    Tensor y = x.clone();
    for (const Tensor& each : list) y += each;
    return maybe ? y + *maybe : y;
  }
  static variable_list backward(AutogradContext* ctx, variable_list dy) {
    wanted = {ctx->needs_input_grad(0), ctx->needs_input_grad(1), ctx->needs_input_grad(2),
              ctx->needs_input_grad({{0, 2}})};
    return {dy[0] * 2, dy[0] * 3, Tensor(), Tensor(), dy[0] * 4};
  }
};
// What is returned shows what it was given, or a part of something else.
struct Shows : Function<Shows> {
  static inline Tensor elsewhere;
  static variable_list forward(AutogradContext*, Tensor x, int way) {
    if (way == 0) return {x};
    if (way == 1) return {x.slice(0, 0, 2)};
    if (way == 2) return {x.detach()};
    if (way == 3) return {(x * 10).slice(0, 0, 2)};
    if (way == 5) return {elsewhere};
    if (way == 6) {
      const AutoGradMode recording(true);
      return {x * 10};
    }
    return (x * 10).split(1);
  }
  static variable_list backward(AutogradContext*, variable_list) { return {doubles({7, 8, 9}), Tensor()}; }
};

BOOST_AUTO_TEST_SUITE(function)

BOOST_AUTO_TEST_CASE(gradients_of_every_order) {
  const Tensor x = doubles({0.5, -1, 2}).requires_grad_();
  const auto by = [](auto f) { return [f](const variable_list& in) { return variable_list{f(in[0])}; }; };
  const auto cube = by([](const Tensor& t) { return Cube::apply(t, 1.5); });
  const auto exp0 = by([](const Tensor& t) { return Exp<0>::apply(t); });
  const auto exp1 = by([](const Tensor& t) { return Exp<1>::apply(t); });
  const auto exp2 = by([](const Tensor& t) { return Exp<2>::apply(t); });
  for (const TensorFunction& f :
       {TensorFunction(cube), TensorFunction(exp0), TensorFunction(exp1), TensorFunction(exp2)}) {
    BOOST_TEST(gradcheck(f, {x}));
    BOOST_TEST(gradgradcheck(f, {x}));
  }
  Tensor y = Cube::apply(x, 2.0);
  for (int order = 0; order < 3; ++order) y = grad({y.sum()}, {x}, {}, true, true)[0];
  check(y, {12, 12, 12});
  AutogradContext own;  // backward may be tried without a graph
  own.save_for_backward({doubles({2})});
  own.saved_data["scale"] = 1.0;
  check(Cube::backward(&own, {doubles({1})})[0], {12});
}

BOOST_AUTO_TEST_CASE(nothing_is_left) {
  const Alive before;
  for (const bool backward : {false, true}) {
    const Tensor x = doubles({1, 2, 3}).requires_grad_(), y = Cube::apply(x, 2.0);
    const Tensor all = y + Exp<0>::apply(y) + Exp<1>::apply(x) + Exp<2>::apply(x) + Shows::apply(y, 0)[0];
    const variable_list written = TripleInPlace::apply(x * 1, y), several = Several::apply(y);
    const Tensor sum = (all + written[0] * written[1] + several[0]).sum();
    if (backward) sum.backward({}, true, /*create_graph=*/true);
    if (backward) BOOST_TEST(x.grad().requires_grad());
  }
  Several::came.clear();
  BOOST_TEST(Alive() == before);
}

BOOST_AUTO_TEST_CASE(several_results) {
  const Tensor x = doubles({1, 5, 2}).requires_grad_();
  for (const bool materialize : {true, false}) {
    Several::materialize = materialize;
    const variable_list y = Several::apply(x);
    BOOST_TEST(y[0].requires_grad());
    BOOST_TEST(!y[1].requires_grad());
    BOOST_TEST(!y[2].defined());
    BOOST_TEST(!y[3].requires_grad());
    BOOST_TEST(y[4].output_nr() == 4);
    BOOST_TEST(y[0].grad_fn().get() == y[4].grad_fn().get());
    check(grad({y[4].sum()}, {x}, {}, true)[0], {3, 3, 3});
    for (const int k : {0, 1, 3}) BOOST_TEST(Several::came[static_cast<std::size_t>(k)].defined() == materialize);
    BOOST_TEST(!Several::came[2].defined());
    if (materialize) {
      BOOST_TEST(Several::came[0].is_contiguous());
      BOOST_TEST(Several::came[1].dtype() == kInt64);
    }
    check(grad({(y[0] + y[4]).sum()}, {x})[0], {5, 5, 5});
  }
  Several::came.clear();
}

BOOST_AUTO_TEST_CASE(in_place) {
  const Tensor x = doubles({1, 2, 3, 4}).requires_grad_(), other = doubles({1, 1}).requires_grad_();
  // Of a view, as the second result: the base follows, and its other views.
  const Tensor base = x * 1, part = base.slice(0, 1, 3), whole = base.view({2, 2});
  const auto version = base._version();
  const variable_list y = TripleInPlace::apply(part, other);
  BOOST_TEST(y[1].is_same(part));
  BOOST_TEST(base._version() > version);
  check(base, {1, 6, 9, 4});
  check(grad({(base * base).sum()}, {x}, {}, true)[0], {2, 36, 54, 8});
  check(grad({(whole * whole).sum()}, {x}, {}, true)[0], {2, 36, 54, 8});
  check(grad({(y[0] * y[1]).sum()}, {other}, {}, true)[0], {6, 9});
  check(grad({y[0].sum()}, {x}, {}, true)[0], {0, 1, 1, 0});
  // A write that no operation has counted.
  const Tensor z = x * 1, square = z * z;
  check(grad({Negate::apply(z).sum()}, {x}, {}, true)[0], {-1, -1, -1, -1});
  check_error<GradError>([&] { square.sum().backward(); }, {"mul: its input", "Negate wrote to it"});
  // Without a history there is none to rewrite, but the write counts.
  const Tensor plain = doubles({1, 2});
  const auto before = plain._version();
  check(TripleInPlace::apply(plain, doubles({1, 1}))[1], {3, 6});
  BOOST_TEST(plain._version() > before);
  BOOST_TEST(!plain.requires_grad());
  const Tensor cut = x * 1, view = cut.view({2, 2});
  cut.detach_();
  (void)TripleInPlace::apply(cut, x.detach());
  BOOST_TEST(!view.requires_grad());  // its history told of other numbers
  // One without a history beside one that has: it gets one.
  const Tensor buffer = doubles({1, 2});
  (void)TripleInPlace::apply(buffer, other);
  BOOST_TEST(buffer.requires_grad());
  check_error<GradError>([&] { TripleInPlace::apply(x, x); },
                         {"TripleInPlace", "a leaf that requires grad", "clone()"});
  check_error<GradError>([&] { TripleInPlace::apply(x.slice(0, 0, 2), other); }, {"TripleInPlace", "a view of a leaf"});
}

BOOST_AUTO_TEST_CASE(changes_that_forward_does_not_tell) {
  const Tensor leaf = doubles({1, 2}).requires_grad_();
  const auto fails = [&](const Tensor& x, Way way, const std::vector<std::string>& pieces) {
    check_error<GradError>([&] { Wrongly::apply(x, way); }, pieces);
  };
  fails(leaf * 1, Way::Unmarked,
        {"Wrongly: forward must not change argument 0 ([2], float64)", "mul_ wrote to it", "mark_dirty", "clone()"});
  fails(leaf, Way::Unmarked, {"argument 0"});
  fails(leaf * 1, Way::UnmarkedAside, {"argument 0"});
  fails(leaf * 1, Way::NotReturned, {"Wrongly: forward must return each argument that it has marked dirty"});
  fails(leaf * 1, Way::ViewMarked, {"Wrongly: mark_dirty takes the arguments", "a view of one"});
  // A parameter may be updated, and what has no history changed.
  BOOST_TEST(Wrongly::apply(leaf, Way::UnmarkedAside).requires_grad());
  BOOST_TEST(!Wrongly::apply(doubles({1}), Way::UnmarkedAside).requires_grad());
}

BOOST_AUTO_TEST_CASE(results_that_show_something_else) {
  const Tensor leaf = doubles({1, 2, 3}).requires_grad_();
  for (const int way : {0, 1, 2}) {
    const Tensor x = leaf * 1, y = Shows::apply(x, way)[0];
    BOOST_TEST(!y.is_same(x));
    BOOST_TEST(y.is_view());
    BOOST_TEST(y._base().is_same(x));
    check(grad({y.sum()}, {leaf}, {}, true)[0], {7, 8, 9});
    check_error<GradError>([&] { y.mul_(2); }, {"mul_", "inside a Function", "clone()"});
    x.mul_(2);  // the view's history would be the base's, around backward
    check_error<GradError>([&] { (void)(y * 2); }, {"Shows: what its result shows the memory of", "clone()"});
  }
  // Of memory that nobody else sees.
  const Tensor x = leaf * 1, y = Shows::apply(x, 3)[0];
  BOOST_TEST(!y.is_view());
  y.mul_(2);
  check(grad({y.sum()}, {leaf})[0], {7, 8, 9});
  const variable_list parts = Shows::apply(leaf, 4);
  BOOST_TEST(parts[2].output_nr() == 2);
  check_error<GradError>([&] { parts[0].mul_(2); }, {"mul_", "clone()"});
  // What forward has recorded ends here, and a leaf that it takes from elsewhere stays one.
  Shows::elsewhere = doubles({4, 5}).requires_grad_();
  for (const int way : {5, 6}) {
    const Tensor z = Shows::apply(leaf, way)[0];
    BOOST_TEST(z.grad_fn()->name() == "Shows");
    check(grad({z.sum()}, {leaf})[0], {7, 8, 9});
  }
  BOOST_TEST(Shows::elsewhere.is_leaf());
  Shows::elsewhere = Tensor();
  // Unrecorded, it comes out as it went in; what requires grad as an alias that does not.
  const Tensor plain = doubles({1, 2, 3});
  BOOST_TEST(Shows::apply(plain, 0)[0].is_same(plain));
  const NoGradGuard unrecorded;
  BOOST_TEST(!Shows::apply(leaf, 0)[0].requires_grad());
  BOOST_TEST(leaf.requires_grad());
}

BOOST_AUTO_TEST_CASE(arguments) {
  const Tensor x = doubles({1, 2}).requires_grad_(), a = doubles({3, 4}).requires_grad_(), b = doubles({5, 6});
  const variable_list both{a, b};
  const Tensor y = SumOf::apply(both, 0.5, std::optional<Tensor>(), x);
  check(y, {9, 12});
  BOOST_TEST(SumOf::wanted == std::vector<bool>({true, false, true}));
  const variable_list g = grad({y.sum()}, {a, x}, {}, true);
  check(g[0], {2, 2});
  check(g[1], {4, 4});
  BOOST_TEST(SumOf::wanted == std::vector<bool>({true, false, true, true}));
  (void)grad({y.sum()}, {x}, {}, true);
  BOOST_TEST(SumOf::wanted == std::vector<bool>({false, false, true, false}));
  (void)(*y.grad_fn())({y});  // no pass runs
  BOOST_TEST(SumOf::wanted == std::vector<bool>({true, false, true, true}));
  BOOST_TEST(SumOf::apply(variable_list{b, b}, 0.5, std::nullopt, x).requires_grad());
  BOOST_TEST(SumOf::apply(both, 0.5, std::optional<Tensor>(b), b).requires_grad());
  BOOST_TEST(!SumOf::apply(both, 0.5, std::optional<Tensor>(b), b).is_leaf());
  const NoGradGuard unrecorded;
  (void)SumOf::apply(both, 0.5, std::optional<Tensor>(x), x);
  BOOST_TEST(SumOf::wanted == std::vector<bool>(4, false));
}

BOOST_AUTO_TEST_CASE(what_backward_gives_back) {
  const Tensor x = doubles({1, 2}).requires_grad_(), a = doubles({3}).requires_grad_();
  const auto run = [&](int count, bool all, const Tensor& like) {
    return grad({Gives::apply(x, variable_list{a, a}, count, all, like)}, {x, a});
  };
  check_error<GradError>([&] { run(1, false, x); },
                         {"Gives: backward must return a gradient for each argument", "1 for 6",
                          "(Tensor, 2 Tensors, other, other, Tensor)", "in the backward pass of Gives"});
  check_error<GradError>([&] { run(7, true, x); }, {"7 for 6"});
  check_error<GradError>([&] { run(6, true, x); },
                         {"Gives: backward must not return a gradient for argument 2, which"});
  check_error<ShapeError>(
      [&] {
        run(6, false, doubles({1, 2, 3}));
      },
      {"Gives: backward's gradient 0 must have the shape of argument 0", "[3] for [2]"});
  const variable_list summed = run(9, false, doubles({1, 1, 1, 1}).view({2, 2}));  // what is undefined may be too many
  check(summed[0], {2, 2});
  check(summed[1], {8});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace gradus::test
