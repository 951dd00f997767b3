// Operations written outside the library, from its headers alone.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <tuple>
#include <utility>

#include <gradus/autograd/tensor/create.h>
#include <gradus/autograd/graph/engine.h>
#include <gradus/autograd/graph/grad_mode.h>
#include <gradus/autograd/check/gradcheck.h>
#include <gradus/autograd/check/check.h>
#include <gradus/autograd/graph/operation.h>
#include <gradus/autograd/tensor/print.h>
#include <gradus/core/ops/combine.h>
#include <gradus/core/array/create.h>
#include <gradus/core/ops/matmul.h>
#include <gradus/core/ops/pointwise.h>
#include <gradus/core/ops/reduce.h>

#include "../support/gradients.h"

namespace gradus::test {
namespace {

using namespace autograd;
using core::Array;

constexpr int kFirstLine = __LINE__;
struct SmoothRamp {  // y = log(1 + exp(x)) / beta with x scaled by beta
  static constexpr std::string_view name = "test_softplus";
  struct Attrs {
    double beta = 1;
    static constexpr auto fields = named("beta", &Attrs::beta);
  };
  static Array forward(const Attrs& a, const Array& x) { return core::log1p(core::exp(x * a.beta)) / a.beta; }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x, const Attrs& a) { return dy * sigmoid(x * a.beta); });
};
Tensor smooth_ramp(Operand x, double beta = 1) { return apply<SmoothRamp>({beta}, x); }
constexpr int kLastLine = __LINE__;
static_assert(kLastLine - kFirstLine - 1 <= 15);

// The same, broken: the sign of the gradient, its shape, and (right at first order) its dependence on x.
template <int Mistake>
struct Broken {
  static constexpr std::string_view name = Mistake == 0   ? "test_broken_sign"
                                           : Mistake == 1 ? "test_broken_shape"
                                                          : "test_broken_second_order";
  static Array forward(const Array& x) { return core::square(x); }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) {
    if (Mistake == 0) return dy * (x * -2);
    if (Mistake == 1) return (dy * (x * 2)).sum(0);
    return dy * (x.detach() * 2);
  });
};

// Several outputs: mean and spread of a vector, and how many there were, which has no gradient.
struct Moments {
  static constexpr std::string_view name = "test_moments";
  static constexpr int differentiable_outputs = 2;
  static std::tuple<Array, Array, Array> forward(const Array& x) {
    const Array mean = core::mean(x);
    return {mean, core::mean(core::square(x - mean)), core::full({}, x.numel(), kInt64)};
  }
  static constexpr auto gradients = formulas([](Dy<0> d_mean, Dy<1> d_spread, In<0> x, Out<0> mean) {
    const double n = static_cast<double>(x.numel());
    Tensor dx = zeros_like(x);
    if (d_mean.defined()) dx = dx + d_mean / n;
    if (d_spread.defined()) dx = dx + d_spread * ((x - mean) * (2 / n));
    return dx;
  });
};

// Any number of inputs: their sum, each with its number as factor.
struct Ramp {
  static constexpr std::string_view name = "test_ramp";
  static Array forward(core::ArrayList parts) {
    Array sum = core::zeros_like(parts[0]);
    for (std::size_t i = 0; i < parts.size(); ++i) sum = sum + parts[i] * static_cast<double>(i);
    return sum;
  }
  static constexpr auto gradients = formulas([](Dy<> dy, Which which) { return dy * which.input; });
};

// A view: the even entries.
struct Even {
  static constexpr std::string_view name = "test_even";
  static constexpr bool is_view = true, by_geometry = true;
  static Array forward(const Array& x) { return x.slice(0, 0, x.size(0), 2); }
  static constexpr auto gradients = formulas([](Dy<> dy, ShapeOf<0> x) {
    const Tensor zero(core::zeros({(x[0] + 1) / 2, 2}, dy.dtype()));
    return cat({dy.unsqueeze(1), zero.slice(1, 1)}, 1).flatten().narrow(0, 0, x[0]);
  });
};

// In place: x <- x^2.
struct SquareInto {
  static constexpr std::string_view name = "test_square_";
  static Array forward(const Array& x) { return core::square(x); }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy * (x * 2); });
};

// A rule: y = x w + b by rows, its gradient by hand. The reference's gradient does not read b.
struct AffineRule {
  static constexpr std::string_view name = "test_affine";
  static constexpr std::uint32_t shape_only = 1u << 2;
  static inline int by_hand = 0;
  static inline Needs last_needs;
  static Array forward(const Array& x, const Array& w, const Array& b) {
    const Array y = core::matmul(x, w);
    return b.defined() ? y + b : y;
  }
  static std::array<Array, 3> backward(Needs needs, DyArray<> dy, InArray<0> x, InArray<1> w, ShapeOf<2> b) {
    ++by_hand;
    last_needs = needs;
    std::array<Array, 3> dx;
    if (needs[0]) dx[0] = core::matmul(dy, w.t());
    if (needs[1]) dx[1] = core::matmul(x.t(), dy);
    if (needs[2]) dx[2] = core::sum_to(dy, b);
    return dx;
  }
  static Tensor reference(const Tensor& x, const Tensor& w, const Tensor& b) {
    const Tensor y = matmul(x, w);
    return b.defined() ? y + b : y;
  }
};
Tensor affine(Operand x, Operand w, Operand b) { return apply<AffineRule>(x, w, b); }

// A rule whose hand-written gradient is wrong, its reference right.
struct WrongByHand {
  static constexpr std::string_view name = "test_wrong_by_hand";
  static Array forward(const Array& x) { return core::square(x); }
  static std::array<Array, 1> backward(DyArray<> dy, InArray<0> x) { return {dy * x}; }
  static Tensor reference(const Tensor& x) { return square(x); }
};

// Two outputs as a std::pair or a std::array, by formulas and by a rule; the second may be without a gradient.
template <class Two, int Differentiable>
struct SumAndProduct {
  static constexpr int form = std::is_same_v<Two, std::pair<Array, Array>> ? 0
                              : std::is_same_v<Two, std::array<Array, 2>>  ? 1
                                                                           : 2;
  static constexpr std::string_view names[2][3] = {
      {"test_sum_of_pair", "test_sum_of_array", "test_sum_of_tuple"},
      {"test_sum_and_product_of_pair", "test_sum_and_product_of_array", "test_sum_and_product_of_tuple"}};
  static constexpr std::string_view name = names[Differentiable - 1][form];
  static constexpr int differentiable_outputs = Differentiable;
  static Two forward(const Array& a, const Array& b) { return {a + b, a * b}; }
  template <int K>
  static Tensor part(const Tensor& sum, const Tensor& product, const Tensor& other) {
    const Tensor scaled = product.defined() ? product * other : Tensor();
    return !sum.defined() ? scaled : scaled.defined() ? sum + scaled : sum;
  }
  static constexpr auto gradients = [] {
    if constexpr (Differentiable == 2) {
      return formulas([](Dy<0> s, Dy<1> p, In<1> b) { return part<0>(s, p, b); },
                      [](Dy<0> s, Dy<1> p, In<0> a) { return part<1>(s, p, a); });
    } else {
      return formulas([](Dy<> s) { return Tensor(s); }, [](Dy<> s) { return Tensor(s); });
    }
  }();
};
template <class Two, class TwoTensors>
struct SumAndProductRule {
  static constexpr std::string_view name = "test_sum_and_product_rule";
  static Two forward(const Array& a, const Array& b) { return {a + b, a * b}; }
  static std::array<Array, 2> backward(DyArray<0> s, DyArray<1> p, InArray<0> a, InArray<1> b) {
    if (!p.defined()) return {s, s};
    if (!s.defined()) return {p * b, p * a};
    return {s + p * b, s + p * a};
  }
  static TwoTensors reference(const Tensor& a, const Tensor& b) { return {a + b, a * b}; }
};

// Names that end where their text goes on.
constexpr char kText[] = {'t', 'e', 's', 't', '_', 'c', 'u', 't', '_', 'o', 'f', 'f'};
struct CutName {
  static constexpr std::string_view name{kText, 8};
  static Array forward(const Array& x) { return x * 2; }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy * x / x * 2; });
};
struct NameWithoutEnd {
  static constexpr std::string_view name{kText, 12};
  static Array forward(const Array& x) { return x * 2; }
  static constexpr auto gradients = formulas([](Dy<> dy) { return dy * 2; });
};

// Attributes of the user's own types.
enum class Tone { Light, Dark };
std::string text_of(Tone tone) { return tone == Tone::Light ? "light" : "dark"; }
struct Toned {
  static constexpr std::string_view name = "test_toned";
  struct Attrs {
    Tone tone = Tone::Light;
    bool bright = false;
    unsigned char level = 7;
    std::size_t count = ~std::size_t{0};
    float factor = 0.5f;
    std::optional<Tone> other;
    static constexpr auto fields = named("tone", &Attrs::tone, "bright", &Attrs::bright, "level", &Attrs::level,
                                         "count", &Attrs::count, "factor", &Attrs::factor, "other", &Attrs::other);
  };
  static Array forward(const Attrs&, const Array& x) { return x * 1; }
  static constexpr auto gradients = formulas([](Dy<> dy) { return Tensor(dy); });
};

Tensor numbers(IntArrayRef shape, double from = 0.3) {
  return leaf(core::sqrt(counting(shape, kFloat64) * 0.37 + from) - Scalar(0.8));
}
template <class F>
autograd::TensorFunction function(F f) {
  return [f](const std::vector<Tensor>& x) { return std::vector<Tensor>{f(x)}; };
}

struct Nothing {
  static constexpr std::string_view name = "test_nothing";
  static Array forward(const Array&) { return {}; }
  static constexpr auto gradients = formulas([](Dy<> dy) { return Tensor(dy); });
};

}  // namespace

BOOST_AUTO_TEST_SUITE(custom_operation)

BOOST_AUTO_TEST_CASE(fifteen_lines) {
  for (const double beta : {1.0, 0.5, 3.0}) {
    const auto f = function([beta](const std::vector<Tensor>& x) { return smooth_ramp(x[0], beta); });
    BOOST_CHECK(gradcheck(f, {numbers({2, 3})}));
    BOOST_CHECK(gradgradcheck(f, {numbers({2, 3})}));
  }
  const Tensor x = numbers({3});
  const int line = __LINE__ + 1;
  const Tensor y = smooth_ramp(x, 2);
  const auto node = y.grad_fn();
  BOOST_CHECK_EQUAL(node->name(), "test_softplus");
  BOOST_CHECK_EQUAL(node->location().line(), line);
  BOOST_REQUIRE_EQUAL(node->attributes().size(), 1u);
  BOOST_CHECK_EQUAL(node->attributes()[0].name, "beta");
  BOOST_CHECK_EQUAL(node->attributes()[0].value, "2");
  // Called without a function of its own it knows its place as well.
  const int next = __LINE__ + 1;
  const Tensor z = apply<SmoothRamp>({1.5}, x);
  BOOST_CHECK_EQUAL(z.grad_fn()->location().line(), next);
  // Without a gradient it is an ordinary function.
  const NoGradGuard guard;
  BOOST_CHECK(!smooth_ramp(x).requires_grad());
}

BOOST_AUTO_TEST_CASE(a_check_of_nothing_is_an_error) {
  const autograd::TensorFunction twice = [](const std::vector<Tensor>& x) { return std::vector<Tensor>{x[0] * 2}; };
  const autograd::TensorFunction whole = [](const std::vector<Tensor>& x) {
    return std::vector<Tensor>{x[0].to(kLong)};
  };
  const autograd::TensorFunction undefined = [](const std::vector<Tensor>&) { return std::vector<Tensor>(1); };
  const Tensor fixed = ones({3}, kDouble), x = ones({3}, kDouble).requires_grad_();
  for (const auto& checked : {gradcheck, gradgradcheck}) {
    check_error<ValueError>([&] { checked(twice, {fixed}, {}); }, {"requires_grad_()"});
    check_error<ValueError>([&] { checked(whole, {x}, {}); }, {"floating-point"});
    check_error<ValueError>([&] { checked(undefined, {x}, {}); }, {"defined"});
    BOOST_CHECK(checked(twice, {x}, {}));
  }
}

BOOST_AUTO_TEST_CASE(broken_operations_are_caught) {
  const Tensor x = numbers({2, 3});
  const auto f = [](auto op) {
    using Op = decltype(op);
    return function([](const std::vector<Tensor>& in) { return apply<Op>(in[0]); });
  };
  check_error<GradError>([&] { gradcheck(f(Broken<0>{}), {x}); }, {"gradcheck", "input 0", "output element 0",
                                                                   "analytic 0.504554", "finite difference -0.504554"});
  check_error<ShapeError>([&] { gradcheck(f(Broken<1>{}), {x}); }, {"test_broken_shape", "input 0", "[3] for [2, 3]"});
  BOOST_CHECK(gradcheck(f(Broken<2>{}), {x}));
  check_error<GradError>([&] { gradgradcheck(f(Broken<2>{}), {x}); },
                         {"test_broken_second_order: to be differentiated again"});
  // One gradient too many or too few for its dtype is the check's own error.
  check_error<ValueError>([&] { gradcheck(f(Broken<2>{}), {Tensor(core::ones({2}, kFloat32)).requires_grad_()}); },
                          {"gradcheck", "float64", "float32"});
}

BOOST_AUTO_TEST_CASE(blocks_find_mistakes_too) {
  const Tensor x = numbers({2, 3});
  autograd::GradcheckOptions options;
  options.whole_jacobian = 0;
  BOOST_CHECK(gradcheck(function([](const std::vector<Tensor>& in) { return smooth_ramp(in[0]); }), {x}, options));
  check_error<GradError>(
      [&] { gradcheck(function([](const std::vector<Tensor>& in) { return apply<Broken<0>>(in[0]); }), {x}, options); },
      {"output element 0 (flat index 0 of the input)"});
}

BOOST_AUTO_TEST_CASE(several_outputs) {
  const Tensor x = numbers({4});
  const auto [mean, spread, count] = apply<Moments>(x);
  BOOST_CHECK(mean.requires_grad() && spread.requires_grad() && !count.requires_grad());
  BOOST_CHECK_EQUAL(count.item<int>(), 4);
  BOOST_CHECK(mean.grad_fn() == spread.grad_fn());
  BOOST_CHECK_EQUAL(mean.grad_fn()->num_outputs(), 2);
  BOOST_CHECK_EQUAL(spread.output_nr(), 1);
  const autograd::TensorFunction all = [](const std::vector<Tensor>& in) {
    const auto [m, s, n] = apply<Moments>(in[0]);
    return std::vector<Tensor>{m, s, n};
  };
  const autograd::TensorFunction one = [](const std::vector<Tensor>& in) {
    return std::vector<Tensor>{std::get<1>(apply<Moments>(in[0]))};
  };
  for (const auto& f : {all, one}) {
    BOOST_CHECK(gradcheck(f, {x}));
    BOOST_CHECK(gradgradcheck(f, {x}));
  }
}

template <class Op>
void check_sum_and_product(int differentiable) {
  const Tensor a = numbers({3}), b = numbers({3}, 1);
  const auto [sum, product] = apply<Op>(a, b);
  BOOST_CHECK_EQUAL(sum.grad_fn()->num_outputs(), differentiable);
  BOOST_CHECK(sum.requires_grad());
  BOOST_CHECK_EQUAL(product.requires_grad(), differentiable == 2);
  BOOST_CHECK_EQUAL(error(product, a * b), 0);
  const autograd::TensorFunction all = [](const std::vector<Tensor>& in) {
    const auto [s, p] = apply<Op>(in[0], in[1]);
    return std::vector<Tensor>{s * 2, p.requires_grad() ? p * p : s};
  };
  BOOST_CHECK(gradcheck(all, {a, b}));
  BOOST_CHECK(gradgradcheck(all, {a, b}));
  const UseReferences by_reference;
  BOOST_CHECK(gradcheck(all, {a, b}));
}

BOOST_AUTO_TEST_CASE(outputs_as_pair_or_array) {
  using Pair = std::pair<Array, Array>;
  using Both = std::array<Array, 2>;
  check_sum_and_product<SumAndProduct<std::tuple<Array, Array>, 2>>(2);
  check_sum_and_product<SumAndProduct<Pair, 2>>(2);
  check_sum_and_product<SumAndProduct<Both, 2>>(2);
  check_sum_and_product<SumAndProduct<Pair, 1>>(1);
  check_sum_and_product<SumAndProduct<Both, 1>>(1);
  check_sum_and_product<SumAndProductRule<Pair, std::pair<Tensor, Tensor>>>(2);
  check_sum_and_product<SumAndProductRule<Both, std::array<Tensor, 2>>>(2);
  check_sum_and_product<SumAndProductRule<Pair, std::tuple<Tensor, Tensor>>>(2);
}

BOOST_AUTO_TEST_CASE(names_without_an_end) {
  const Tensor x = numbers({2});
  const auto check_name = [&](const auto& change, const std::string& name) {
    check_error<GradError>([&] { change(x); }, {name + ": a leaf that requires grad"});
    const Tensor y = x * 1;
    change(y);
    BOOST_CHECK_EQUAL(y.array().storage()->writes().by, name);
    BOOST_CHECK_EQUAL(y.grad_fn()->name(), name);
    BOOST_CHECK(autograd::graph_to_string(y).starts_with(name + " #"));
  };
  check_name([](const Tensor& t) { apply_inplace<CutName>({}, t); }, "test_cut_");
  check_name([](const Tensor& t) { apply_inplace<NameWithoutEnd>({}, t); }, "test_cut_off_");
  // In the error about a saved value, which names both operations.
  const Tensor h = x * 1, y = apply<CutName>(h);
  apply_inplace<NameWithoutEnd>({}, h);
  check_error<GradError>([&] { y.sum().backward(); }, {"test_cut: its input 0", ": test_cut_off_ wrote to it at "});
}

BOOST_AUTO_TEST_CASE(attributes_of_ones_own_types) {
  const Tensor y = apply<Toned>({}, numbers({2}));
  std::vector<std::string> texts;
  for (const Attribute& each : y.grad_fn()->attributes()) texts.push_back(each.name + "=" + each.value);
  BOOST_CHECK((texts == std::vector<std::string>{"tone=light", "bright=false", "level=7", "count=18446744073709551615",
                                                 "factor=0.5", "other=none"}));
}

BOOST_AUTO_TEST_CASE(any_number_of_inputs) {
  const Tensor a = numbers({2}), b = numbers({2}, 1), c = numbers({2}, 2);
  const auto f = function([](const std::vector<Tensor>& x) { return square(apply<Ramp>(x)); });
  BOOST_CHECK(gradcheck(f, {a, b, c}));
  BOOST_CHECK(gradgradcheck(f, {a, b, c}));
  const int line = __LINE__ + 1;
  const Tensor y = apply<Ramp>({a, b.detach(), c});
  BOOST_CHECK_EQUAL(y.grad_fn()->location().line(), line);
  BOOST_CHECK_EQUAL(y.grad_fn()->num_inputs(), 3);
  y.sum().backward();
  BOOST_CHECK((values(c.grad()) == Doubles{2, 2}));
  BOOST_CHECK((values(a.grad()) == Doubles{0, 0}));
  BOOST_CHECK(!b.grad().defined());
}

BOOST_AUTO_TEST_CASE(views_and_changes_in_place) {
  const Tensor x = numbers({5});
  const auto f = function([](const std::vector<Tensor>& in) {
    const Tensor y = in[0].clone();
    const Tensor even = apply<Even>(y);
    apply_inplace<SquareInto>({}, even);
    return y * y.sum();
  });
  BOOST_CHECK(gradcheck(f, {x}));
  BOOST_CHECK(gradgradcheck(f, {x}));
  const Tensor y = x.clone(), even = apply<Even>(y);
  BOOST_CHECK(even.is_view());
  BOOST_CHECK(even.array().storage() == y.array().storage());
  apply_inplace<SquareInto>({}, even);
  BOOST_CHECK_EQUAL(values(y)[2], values(x)[2] * values(x)[2]);
  check_error<GradError>([&] { apply_inplace<SquareInto>({}, x); }, {"test_square_: ", "leaf", "NoGradGuard"});
}

BOOST_AUTO_TEST_CASE(rules) {
  const Tensor x = numbers({2, 3}), w = numbers({3, 4}, 1), b = numbers({4}, 2);
  const auto f = function([](const std::vector<Tensor>& in) { return affine(in[0], in[1], in[2]); });
  AffineRule::by_hand = 0;
  BOOST_CHECK(gradcheck(f, {x, w, b}));
  BOOST_CHECK_GT(AffineRule::by_hand, 0);
  BOOST_CHECK(gradgradcheck(f, {x, w, b}));
  BOOST_CHECK(gradgradcheck(function([](const std::vector<Tensor>& in) { return tanh(affine(in[0], in[1], in[2])); }),
                            {x, w, b}));
  // Without a bias, and with gradients for some.
  const auto without = function([](const std::vector<Tensor>& in) { return affine(in[0], in[1], Tensor()); });
  BOOST_CHECK(gradcheck(without, {x, w}));
  BOOST_CHECK(gradgradcheck(without, {x, w}));
  affine(x.detach(), w, b).sum().backward();
  BOOST_CHECK(!AffineRule::last_needs[0] && AffineRule::last_needs[1] && AffineRule::last_needs[2]);
  BOOST_CHECK(w.grad().defined() && b.grad().defined() && !x.grad().defined());
  // By hand is by hand, and recorded is by the reference: no node of the rule is behind the gradient.
  AffineRule::by_hand = 0;
  const Tensor y = affine(x, w, b);
  const std::vector<Tensor> by_hand = grad({y.sum()}, {x, w, b}, {}, true);
  BOOST_CHECK_EQUAL(AffineRule::by_hand, 1);
  const std::vector<Tensor> recorded = grad({y.sum()}, {x, w, b}, {}, true, true);
  BOOST_CHECK_EQUAL(AffineRule::by_hand, 1);
  for (std::size_t i = 0; i < 3; ++i) BOOST_CHECK_LE(error(by_hand[i], recorded[i]), 1e-15);
  BOOST_CHECK(recorded[0].requires_grad());
  // Driven by hand, without a graph.
  const std::int64_t created = Node::created();
  const Array dy = core::ones({2, 4}, kFloat64);
  const auto [dx, dw, db] = AffineRule::backward({}, dy, x.array(), w.array(), {b.array().shape()});
  BOOST_CHECK_EQUAL(Node::created(), created);
  BOOST_CHECK_EQUAL(error(dx, by_hand[0].array()), 0);
  BOOST_CHECK_EQUAL(error(dw, by_hand[1].array()), 0);
  BOOST_CHECK_EQUAL(error(db, by_hand[2].array()), 0);
  // Only b's shape is kept: its numbers may change, x's must not.
  const Tensor h = x * 1, c = b * 1;
  const Tensor z = affine(h, w, c).sum();
  c.mul_(100);
  (void)grad({z}, {x, w, b}, {}, true);
  (void)grad({z}, {x, w, b}, {}, true, true);
  h.mul_(2);
  check_error<GradError>([&] { (void)grad({z}, {x, w}, {}, true); }, {"test_affine: its input 0", "mul_ wrote to it"});
  // Twice without retain_graph.
  const Tensor once = affine(x, w, b).sum();
  once.backward();
  check_error<GradError>([&] { once.backward(); }, {"test_affine", "retain_graph = true"});
}

BOOST_AUTO_TEST_CASE(a_wrong_rule_is_caught) {
  check_error<GradError>(
      [] {
        gradcheck(function([](const std::vector<Tensor>& x) { return apply<WrongByHand>(x[0]); }), {numbers({3})});
      },
      {"gradcheck", "input 0"});
  // By its reference it would be right.
  const UseReferences by_reference;
  BOOST_CHECK(
      gradcheck(function([](const std::vector<Tensor>& x) { return apply<WrongByHand>(x[0]); }), {numbers({3})}));
}

BOOST_AUTO_TEST_CASE(operations_are_listed) {
  const std::vector<OperationInfo> all = operations();
  BOOST_CHECK(std::is_sorted(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; }));
  const auto find = [&](std::string_view name) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const auto& info) { return info.name == name; });
    BOOST_REQUIRE_MESSAGE(found != all.end(), name);
    return *found;
  };
  BOOST_CHECK_EQUAL(find("test_softplus").inputs, 1);
  BOOST_CHECK_EQUAL(find("test_softplus").outputs, 1);
  BOOST_CHECK((find("test_softplus").attributes == std::vector<std::string>{"beta"}));
  BOOST_CHECK(!find("test_softplus").is_rule);
  BOOST_CHECK_EQUAL(find("test_moments").outputs, 2);
  BOOST_CHECK_EQUAL(find("test_ramp").inputs, -1);
  BOOST_CHECK(find("test_affine").is_rule);
  BOOST_CHECK_EQUAL(find("test_affine").inputs, 3);
  BOOST_CHECK((find("sum").attributes == std::vector<std::string>{"dim", "keepdim"}));
  BOOST_CHECK((find("select").attributes == std::vector<std::string>{"dim", "index"}));
  BOOST_CHECK_EQUAL(find("max").outputs, 1);  // its index has no gradient
  BOOST_CHECK_EQUAL(find("where").inputs, 3);
  BOOST_CHECK(!find("matmul").is_rule);
}

BOOST_AUTO_TEST_CASE(a_forward_that_returns_nothing) {
  check_error<ValueError>([] { apply<Nothing>(leaf(Doubles{1})); },
                          {"test_nothing: forward must return a defined Array"});
  check_error<ValueError>([] { autograd::check<Nothing>(ones({2})); },
                          {"test_nothing: forward must return a defined Array"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
