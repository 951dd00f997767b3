// func::vmap: its arguments, nesting, gradients inside and outside, what goes example by example, and what is refused.
#include <boost/test/unit_test.hpp>

#include <optional>
#include <string_view>
#include <thread>
#include <tuple>
#include <vector>

#include <gradus/gradus.h>

#include "../support/gradients.h"

namespace gradus::test {
namespace {

using func::Tensors;
using func::vmap;

Tensor inner_product(const Tensor& a, const Tensor& b) { return dot(a, b); }
bool same(const Tensor& a, const Tensor& b) { return a.sizes() == b.sizes() && allclose(a, b, 1e-10, 1e-12); }

struct Silent {
  Silent() { func::warn_of_loops(false); }
  ~Silent() { func::warn_of_loops(true); }
};

BOOST_AUTO_TEST_SUITE(vmap_calls)

BOOST_AUTO_TEST_CASE(dimensions_in_and_out) {
  const Tensor a = randn({4, 3}, kDouble), b = randn({4, 3}, kDouble), v = randn(3, kDouble);
  const Tensor rows = (a * b).sum(1);
  BOOST_TEST(same(vmap(inner_product)(a, b), rows));
  BOOST_TEST(same(vmap(inner_product, {1, 0})(a.t(), b), rows));
  BOOST_TEST(same(vmap(inner_product, -2)(a, b), rows));
  BOOST_TEST(same(vmap(inner_product, {0, std::nullopt})(a, v), matmul(a, v)));
  const auto outer = [](const Tensor& x, const Tensor& y) { return gradus::outer(x, y); };
  BOOST_TEST(same(vmap(outer, 0, 2)(a, b), vmap(outer)(a, b).movedim(0, 2)));
  BOOST_TEST(same(vmap(outer, 0, -1)(a, b), vmap(outer)(a, b).movedim(0, -1)));
  const auto several = [](const Tensor& x) { return std::tuple{x.sum(), x * 2}; };
  const auto [s, twice] = vmap(several, 0, {0, 1})(a);
  BOOST_TEST(same(s, a.sum(1)));
  BOOST_TEST(same(twice, (a * 2).t()));
  const auto list = [](const Tensors& x) { return Tensors{x[0] + x[1], x[1]}; };
  const Tensors y = vmap(list, {0, std::nullopt})(Tensors{a, v});
  BOOST_TEST(same(y[0], a + v));
  BOOST_TEST(same(y[1], v.unsqueeze(0).expand({4, 3})));  // no example's own: repeated
  for (const std::int64_t chunk : {1, 3, 4, 9}) {
    BOOST_TEST(same(vmap(inner_product, 0, 0, chunk)(a, b), rows));
  }
}

BOOST_AUTO_TEST_CASE(sizes_are_those_of_an_example) {
  const auto look = [](const Tensor& x) {
    BOOST_TEST(x.dim() == 2);
    BOOST_TEST((x.sizes() == IntArrayRef({2, 3})));
    BOOST_TEST(x.numel() == 6);
    BOOST_TEST((x.dtype() == kDouble && x.t().size(0) == 3 && x.view(-1).size(0) == 6));
    return x.flatten().unsqueeze(0);
  };
  BOOST_TEST((vmap(look)(randn({5, 2, 3}, kDouble)).sizes() == IntArrayRef({5, 1, 6})));
}

BOOST_AUTO_TEST_CASE(nested) {
  const Tensor a = randn({4, 3}, kDouble), b = randn({5, 3}, kDouble);
  const auto products = [&](const Tensor& x) { return vmap([&](const Tensor& y) { return dot(x, y); })(b); };
  BOOST_TEST(same(vmap(products)(a), matmul(a, b.t())));
  const auto both = [](const Tensor& x, const Tensor& y) { return vmap(inner_product, {std::nullopt, 0})(x, y); };
  BOOST_TEST(same(vmap(both, {0, std::nullopt})(a, b), matmul(a, b.t())));
  // Only the inner one asks for a number, of either level.
  const Silent silent;
  const auto asks = [&](const Tensor& x) {
    return vmap([&](const Tensor& y) { return y.item<double>() > 0 ? y * x : -x; })(b[0]);
  };
  BOOST_TEST(same(vmap(asks)(a[0]), where(b[0] > 0, outer(a[0], b[0]), -a[0].unsqueeze(1))));
  const auto asks_outer = [&](const Tensor& x) {
    return vmap([&](const Tensor& y) { return x.item<double>() > 0 ? y * x : -y; })(b[0]);
  };
  BOOST_TEST(same(vmap(asks_outer)(a[0]), where(a[0].unsqueeze(1) > 0, outer(a[0], b[0]), -b[0])));
}

BOOST_AUTO_TEST_CASE(numbers_of_an_example) {
  const Silent silent;
  const Tensor x = randn({6}, kDouble).requires_grad_();
  const autograd::BatchLoops before = autograd::batch_loops();
  const auto branch = [](const Tensor& one) { return one.item<double>() > 0 ? one * 2 : one * one; };
  const Tensor y = vmap(branch)(x);
  BOOST_TEST(autograd::batch_loops().functions == before.functions + 1);
  BOOST_TEST(same(y, where(x > 0, x * 2, x * x)));
  y.sum().backward();
  BOOST_TEST(same(x.grad(), where(x > 0, full_like(x, 2), x * 2).detach()));
  // Comparisons and places go over the batch.
  const autograd::BatchLoops then = autograd::batch_loops();
  const Tensor m = randn({4, 5}, kDouble);
  BOOST_TEST(equal(vmap([](const Tensor& r) { return r.argmax(); })(m), m.argmax(1)));
  BOOST_TEST(equal(vmap([](const Tensor& r) { return r.argsort(); })(m), m.argsort(1)));
  BOOST_TEST(equal(vmap([](const Tensor& r) { return logical_and(r > 0, isfinite(r)); })(m), m > 0));
  BOOST_TEST(equal(vmap([](const Tensor& r) { return any(r > 1); })(m), any(m > 1, 1)));
  BOOST_TEST(equal(vmap([](const Tensor& r) { return clamp(r, 0, 1); })(m), clamp(m, 0, 1)));
  BOOST_TEST(
      (autograd::batch_loops().functions == then.functions && autograd::batch_loops().operations == then.operations));
}

BOOST_AUTO_TEST_CASE(in_place) {
  const Tensor x = randn({4, 3}, kDouble).requires_grad_();
  const auto f = [](const Tensor& one) {
    const Tensor own = one.clone();
    own.mul_(2).add_(one);
    own[0].mul_(own[1]);
    own.index_put_({indexing::Slice(1, 2)}, one[2]);
    return own;
  };
  Tensors loop;
  for (int b = 0; b < 4; ++b) loop.push_back(f(x[b]));
  const Tensor y = vmap(f)(x), expected = stack(loop), w = randn({4, 3}, kDouble);
  BOOST_TEST(same(y, expected));
  BOOST_TEST(same(autograd::grad({y}, {x}, {w})[0], autograd::grad({expected}, {x}, {w})[0]));
  // The input itself, where everything goes over the batch.
  const Tensor given = ones({2, 3});
  vmap([](const Tensor& one) { return one.add_(1); })(given);
  BOOST_TEST(equal(given, ones({2, 3}) * 2));
  // A tensor that f made, and that its examples do not share.
  const Silent silent;
  const auto filled = [](const Tensor& one) {
    const Tensor made = zeros({3}, kDouble);
    made.copy_(one);
    return made;
  };
  BOOST_TEST(same(vmap(filled)(x), x));
  check_error<ValueError>(
      [&] {
        vmap([](const Tensor& one) {
          one.add_(1);
          return one.sum().item<double>() > 0 ? one : -one;
        })(ones({2, 3}));
      },
      {"vmap", "change its inputs in place", "clone()"});
}

BOOST_AUTO_TEST_CASE(refused) {
  const Tensor a = randn({4, 3}), b = randn({5, 3});
  check_error<ShapeError>([&] { vmap(inner_product)(a, b); },
                          {"vmap", "4 along dimension 0 of input 0 ([4, 3])", "5", "[5, 3]"});
  check_error<ValueError>(
      [&] {
        vmap(inner_product, {std::nullopt, std::nullopt})(a, b);
      },
      {"vmap", "at least one input"});
  check_error<ValueError>([&] { vmap(inner_product, {0})(a, a); }, {"in_dims", "1 for 2"});
  check_error<IndexError>([&] { vmap(inner_product, 2)(a, a); }, {"vmap", "2"});
  check_error<ValueError>([&] { vmap(inner_product, 0, 0, 0)(a, a); }, {"chunk_size"});
  check_error<ShapeError>([&] { vmap([](const Tensor& x) { return x + ones(2); })(a); }, {"add", "inside vmap over 4"});
  check_error<GradError>(
      [&] {
        vmap([](const Tensor& x) {
          (x * x).sum().backward();
          return x;
        })(randn({4, 3}).requires_grad_());
      },
      {"backward", "vmap"});
  Tensor escaped;
  vmap([&](const Tensor& x) { return escaped = x * 2; })(a);
  check_error<ValueError>([&] { escaped + 1; }, {"vmap that has ended", "[3]"});
  check_error<ValueError>([&] { escaped.sum().item<float>(); }, {"vmap that has ended"});
  const Tensor outside = randn(3).requires_grad_(), y = outside * 2;
  for (const Tensor& x : {escaped, outside}) {
    check_error<ValueError>([&] { autograd::grad({escaped}, {x}, {ones(3)}); }, {"vmap that has ended"});
  }
  check_error<ValueError>([&] { autograd::grad({y}, {escaped}, {ones(3)}); }, {"vmap that has ended"});
  check_error<ValueError>([&] { autograd::grad({y}, {outside}, {escaped}); }, {"vmap that has ended"});
  check_error<ValueError>([&] { escaped.sum().backward(); }, {"vmap that has ended"});
  check_error<ValueError>([&] { escaped.backward(ones(3)); }, {"vmap that has ended"});
  check_error<ValueError>([&] { func::jvp([](const Tensor& x) { return x * x; }, outside.detach(), escaped); },
                          {"vmap that has ended"});
  vmap([&](const Tensor& x) {
    std::thread([&] { check_error<ValueError>([&] { x + 1; }, {"vmap", "belong to its thread"}); }).join();
    return x;
  })(a);
  // A dimension that an example has not, though all together have it.
  check_error<IndexError>([&] { vmap([](const Tensor& x) { return x.sum(-2); })(a); }, {"sum"});
  check_error<IndexError>([&] { vmap([](const Tensor& x) { return x.select(-2, 0); })(a); }, {"select"});
  check_error<Error>([&] { vmap([](const Tensor& x) { return tril(x); })(a); }, {"tril"});
}

BOOST_AUTO_TEST_CASE(no_examples) {
  const Tensor none = zeros({0, 3}, kDouble);
  BOOST_TEST((vmap(inner_product)(none, none).sizes() == IntArrayRef({0})));
  BOOST_TEST((vmap([](const Tensor& x) { return median(x); })(none).sizes() == IntArrayRef({0})));
  const Silent silent;
  BOOST_TEST((vmap([](const Tensor& x) { return x.sum().item<double>() > 0 ? x : x * 2; })(none).sizes() ==
              IntArrayRef({0, 3})));
}

// A number of an example weighs as a number in the result's dtype, though the numbers of all have a dimension.
// A rule whose operands must be of one shape: what is shared is repeated.
BOOST_AUTO_TEST_CASE(shared_operands_of_one_shape) {
  const Tensor x = randn({3, 4}, kDouble), t = rand({3, 4}, kDouble);
  const auto f = [](const Tensor& a, const Tensor& b) {
    return nn::functional::binary_cross_entropy_with_logits(a, b);
  };
  const Tensor of_targets = func::vmap(f, {std::nullopt, 0})(x[0], t),
               of_logits = func::vmap(f, {0, std::nullopt})(x, t[0]);
  for (std::int64_t i = 0; i < 3; ++i) {
    BOOST_CHECK(allclose(of_targets[i], f(x[0], t[i])));
    BOOST_CHECK(allclose(of_logits[i], f(x[i], t[0])));
  }
}

BOOST_AUTO_TEST_CASE(dtypes) {
  const Tensor numbers = randn(4, kDouble), v = randn(3, kFloat);
  const auto times = [](const Tensor& c, const Tensor& x) { return c * x; };
  BOOST_TEST((vmap(times, {0, std::nullopt})(numbers, v).dtype() == kFloat));
  BOOST_TEST((vmap(times)(numbers, randn({4, 3}, kFloat)).dtype() == kFloat));
  BOOST_TEST((vmap(times)(numbers, randn(4, kFloat)).dtype() == kDouble));
  BOOST_TEST((vmap(times)(numbers, ones({4, 2}, kInt)).dtype() == kDouble));
  BOOST_TEST((vmap(times)(randn({4, 2}).to(kHalf), randn({4, 2}).to(kHalf)).dtype() == kHalf));
}

BOOST_AUTO_TEST_CASE(gradients_inside) {
  const Tensor x = randn({5, 3}, kDouble), w = randn(3, kDouble);
  const auto gradient = [](const Tensor& own, const Tensor& shared) {
    const Tensor p = autograd::fresh_leaf_for(shared);
    return autograd::grad({(own * p).sum().square()}, {p})[0];
  };
  const Tensor expected = x * (2 * matmul(x, w)).unsqueeze(1);
  BOOST_TEST(same(vmap(gradient, {0, std::nullopt})(x, w), expected));
  // Second order, through a gradient of each example's own.
  const auto second = [](const Tensor& one) {
    const Tensor p = autograd::fresh_leaf_for(one);
    const Tensor first = autograd::grad({(p * p * p).sum()}, {p}, {}, {}, true)[0];
    return autograd::grad({first.sum()}, {p})[0];
  };
  BOOST_TEST(same(vmap(second)(x), x * 6));
  // Into what is outside: the sum over the examples.
  const Tensor q = w.clone().requires_grad_();
  vmap([&](const Tensor& one) { return dot(one, q); })(x).sum().backward();
  BOOST_TEST(same(q.grad(), x.sum(0)));
  // By what all examples share it would be their sum: it is taken example by example.
  const Silent silent;
  BOOST_TEST(same(vmap([&](const Tensor& one) { return autograd::grad({dot(one, q)}, {q})[0]; })(x), x));
}

// Functions of functions inside, and outside: a Jacobian is vmap over unit vectors.
BOOST_AUTO_TEST_CASE(with_other_transforms) {
  const Tensor x = randn({4, 3}, kDouble), unit(core::eye(3, 3, kDouble));
  const auto f = [](const Tensor& one) { return tanh(one) * one.square().sum() + softmax(one, 0); };
  const auto energy = [&](const Tensor& one) { return f(one).sum(); };
  const auto each = [&](const auto& call) {
    Tensors all;
    for (int b = 0; b < 4; ++b) all.push_back(call(x[b]));
    return stack(all);
  };
  const autograd::BatchLoops before = autograd::batch_loops();
  BOOST_TEST(same(vmap(func::grad(energy))(x), each(func::grad(energy))));
  BOOST_TEST(same(vmap(func::jacrev(f))(x), each(func::jacrev(f))));
  BOOST_TEST(same(vmap(func::jacfwd(f))(x), each(func::jacfwd(f))));
  BOOST_TEST(same(vmap(func::hessian(energy))(x), each(func::hessian(energy))));
  BOOST_TEST(autograd::batch_loops().functions == before.functions);
  const auto column = [&](const Tensor& t) { return std::get<1>(func::jvp(f, x[0], t)); };
  BOOST_TEST(same(vmap(column, 0, 1)(unit), func::jacrev(f)(x[0])));
  const Tensor p = x[0].clone().requires_grad_(), y = f(p);
  const auto row = [&](const Tensor& v) { return autograd::grad({y}, {p}, {v}, true)[0]; };
  BOOST_TEST(same(vmap(row)(unit), func::jacrev(f)(x[0])));
  BOOST_TEST(autograd::batch_loops().functions == before.functions);
}

struct Cube {
  static constexpr std::string_view name = "test_vmap_cube";
  static core::Array forward(const core::Array& x) { return x * x * x; }
  static constexpr auto gradients =
      autograd::formulas([](autograd::Dy<> dy, autograd::In<0> x) { return dy * 3 * x * x; });
};
struct CubeOfEach : Cube {
  static constexpr std::string_view name = "test_vmap_cube_of_each";
  static constexpr autograd::Batch batch = autograd::Batch::kEach;
};
struct CubeByFunction : Cube {
  static constexpr std::string_view name = "test_vmap_cube_by_function";
  static Tensor batch(const autograd::Examples& x) { return autograd::apply<CubeByFunction>(x[0]); }
};
struct HalvesInAList {
  static constexpr std::string_view name = "test_vmap_halves";
  static std::vector<core::Array> forward(const core::Array& x) { return {x * 0.5, x * 0.25 + x * 0.25}; }
  static constexpr auto gradients =
      autograd::formulas([](const autograd::DyList& dy) { return (dy[0] + dy[1]) * 0.5; });
};
// Fields of a call: which names move behind a batch's dimension, and which are not known.
struct Fields {
  struct Dim {
    std::int64_t dim;
    static constexpr auto fields = named("dim", &Dim::dim);
  };
  struct Within {
    Dim own;
    bool keepdim;
    static constexpr auto fields = named(&Within::own, unless(false, "keepdim"), &Within::keepdim);
  };
  struct Axis {
    std::int64_t axis;
    static constexpr auto fields = named("axis", &Axis::axis);
  };
  struct Int {
    int dim;
    core::Shape shape;
    static constexpr auto fields = named("dim", &Int::dim, "shape", &Int::shape);
  };
  struct Unlisted {
    std::int64_t dim;
  };
};
using autograd::BehindBatch;
static_assert(BehindBatch::knows<Fields::Dim>() && BehindBatch::knows<Fields::Within>());
static_assert(!BehindBatch::knows<Fields::Axis>() && !BehindBatch::knows<Fields::Int>());
static_assert(!BehindBatch::knows<Fields::Unlisted>());

BOOST_AUTO_TEST_CASE(operations_of_ones_own) {
  const Silent silent;
  const Tensor x = randn({4, 3}, kDouble).requires_grad_();
  const auto check = [&](const auto& operation, int loops) {
    const autograd::BatchLoops before = autograd::batch_loops();
    const Tensor y = vmap([&](const Tensor& one) { return operation(one); })(x);
    BOOST_TEST(autograd::batch_loops().operations == before.operations + loops);
    BOOST_TEST(same(y, x * x * x));
    BOOST_TEST(same(autograd::grad({y.sum()}, {x})[0], x * x * 3));
  };
  check(autograd::apply<Cube>, 1);
  check(autograd::apply<CubeOfEach>, 0);
  check(autograd::apply<CubeByFunction>, 0);
  // A list may be of any length: f goes example by example.
  const Tensor product = vmap([](const Tensor& one) {
    const Tensors halves = autograd::apply<HalvesInAList>(one);
    return halves[0] * halves[1];
  })(x);
  BOOST_TEST(same(product, x * x / 4));
  BOOST_TEST(same(autograd::grad({product.sum()}, {x})[0], x / 2));
}

BOOST_AUTO_TEST_CASE(draws) {
  manual_seed(0);
  const Tensor y = vmap([](const Tensor& x) { return dropout(x, 0.5, true); })(ones({64, 32}));
  const Tensor kept = (y > 0).to(kFloat).sum(1);
  BOOST_TEST(std::get<0>(unique(kept)).numel() > 3);
  const Tensor same_for_all = vmap([](const Tensor& x) { return x + rand_like(x); })(zeros({4, 3}));
  BOOST_TEST(equal(same_for_all[0], same_for_all[3]));
}

BOOST_AUTO_TEST_CASE(per_sample_gradients) {
  const Tensor W = randn({2, 3}, kDouble), b = randn(2, kDouble), x = randn({6, 3}, kDouble), t = randint(0, 2, {6});
  const auto loss = [](const Tensors& p, const Tensor& in, const Tensor& target) {
    return nn::functional::cross_entropy(matmul(p[0], in.tanh()) + p[1], target);
  };
  const Tensors g = func::per_sample_gradients(loss, {W, b}, x, t);
  for (int n = 0; n < 6; ++n) {
    const Tensors p = {W.clone().requires_grad_(), b.clone().requires_grad_()};
    const Tensors own = autograd::grad({loss(p, x[n], t[n])}, p);
    for (std::size_t i = 0; i < 2; ++i) BOOST_TEST(same(g[i][n], own[i]));
  }
  check_error<GradError>(
      [&] {
        func::per_sample_gradients([](const Tensors& p, const Tensor& in) { return p[0] * in; }, {b},
                                   x.narrow(1, 0, 2));
      },
      {"per_sample_gradients", "one number", "[2]"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace gradus::test
