// What an operation's struct can express beyond a function of a few inputs and one output, and what becomes of a gradient that
// cannot be differentiated again.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <tuple>
#include <vector>

#include <gradus/autograd/check/check.h>
#include <gradus/autograd/check/gradcheck.h>
#include <gradus/autograd/graph/engine.h>
#include <gradus/autograd/graph/operation.h>
#include <gradus/autograd/tensor/create.h>
#include <gradus/core/array/create.h>
#include <gradus/core/ops/pointwise.h>
#include <gradus/core/ops/random.h>
#include <gradus/core/ops/reduce.h>

#include "../support/gradients.h"

namespace gradus::test {
namespace {

using namespace autograd;
using core::Array;

// A list of outputs, as long as there are rows: each row, weighted by its number, and last how many there are.
struct Rows {
  static constexpr std::string_view name = "test_rows";
  static std::vector<Array> forward(const Array& x) {
    std::vector<Array> rows;
    for (std::int64_t i = 0; i < x.size(0); ++i) rows.push_back(x.select(0, i) * static_cast<double>(i + 1));
    rows.push_back(core::full({}, x.size(0), kInt64));
    return rows;
  }
  static constexpr auto gradients = formulas([](DyList dy, ShapeOf<0> x) {
    std::vector<Tensor> rows;
    for (std::int64_t i = 0; i < x[0]; ++i) {
      const Tensor& row = dy[static_cast<std::size_t>(i)];
      rows.push_back(row.defined() ? row * static_cast<double>(i + 1) : zeros({x[1]}, kFloat64));
    }
    return stack(rows);
  });
};

// Outputs that their own gradient reads: exp(x), exp(2 x), ...
struct Powers {
  static constexpr std::string_view name = "test_powers";
  struct Attrs {
    int count = 3;
    static constexpr auto fields = named("count", &Attrs::count);
  };
  static std::vector<Array> forward(const Attrs& a, const Array& x) {
    std::vector<Array> powers;
    for (int i = 1; i <= a.count; ++i) powers.push_back(core::exp(x * static_cast<double>(i)));
    return powers;
  }
  static constexpr auto gradients = formulas([](DyList dy, OutList y) {
    Tensor dx = zeros_like(y[0]);
    for (std::size_t i = 0; i < y.size(); ++i) {
      if (dy[i].defined()) dx = dx + dy[i] * y[i] * static_cast<double>(i + 1);
    }
    return dx;
  });
};

// Any number of inputs, which the gradient reads: their product.
struct ProductOf {
  static constexpr std::string_view name = "test_product_of";
  static Array forward(core::ArrayList x) {
    Array y = x[0].clone();
    for (std::size_t i = 1; i < x.size(); ++i) y = y * x[i];
    return y;
  }
  static constexpr auto gradients = formulas([](Dy<> dy, InList x, Which which) {
    Tensor dx = dy;
    for (int i = 0; i < static_cast<int>(x.size()); ++i) {
      if (i != which.input) dx = dx * x[static_cast<std::size_t>(i)];
    }
    return dx;
  });
};

// A tensor and attributes beside a list: y = scale x sum of squares.
struct Beside {
  static constexpr std::string_view name = "test_beside";
  struct Attrs {
    double scale = 1;
    static constexpr auto fields = named("scale", &Attrs::scale);
  };
  static Array squares(core::ArrayList rest) {
    Array sum = core::zeros_like(rest[0]);
    for (std::size_t i = 0; i < rest.size(); ++i) sum = sum + rest[i] * rest[i];
    return sum;
  }
  static Array forward(const Attrs& a, const Array& x, core::ArrayList rest) { return x * squares(rest) * a.scale; }
  static constexpr auto gradients = formulas(
      [](Dy<> dy, InList rest, const Attrs& a) {
        Tensor sum = zeros_like(dy);
        for (const Tensor& each : rest) sum = sum + each * each;
        return dy * sum * a.scale;
      },
      [](Dy<> dy, In<0> x, InList rest, Which which, const Attrs& a) {
        return dy * x * rest[static_cast<std::size_t>(which.input)] * (2 * a.scale);
      });
};

// A list in, a list out.
struct Turned {
  static constexpr std::string_view name = "test_turned";
  static std::vector<Array> forward(core::ArrayList x) {
    std::vector<Array> y;
    for (std::size_t i = x.size(); i-- > 0;) y.push_back(core::square(x[i]));
    return y;
  }
  static constexpr auto gradients = formulas([](DyList dy, InList x, Which which) {
    const auto i = static_cast<std::size_t>(which.input);
    const Tensor& from = dy[x.size() - 1 - i];
    return from.defined() ? from * x[i] * 2 : zeros_like(x[i]);
  });
};

// Outputs without gradient in any place: where the largest lies, the largest, how many there are, the sum.
struct Largest {
  static constexpr std::string_view name = "test_largest";
  static constexpr std::uint32_t differentiable_mask = 0b1010;
  static std::tuple<Array, Array, Array, Array> forward(const Array& x) {
    const Array at = core::argmax(x);
    return {at, x.select(0, at.item<std::int64_t>()).clone(), core::full({}, x.numel(), kInt64), core::sum(x)};
  }
  static constexpr auto gradients = formulas([](Dy<1> most, Dy<3> sum, Out<0> at, ShapeOf<0> x) {
    Tensor dx = zeros({x[0]}, kFloat64);
    if (most.defined()) dx = dx.index_add(0, at.reshape({1}), most.reshape({1}));
    return sum.defined() ? dx + sum : dx;
  });
};
struct LargestRule {
  static constexpr std::string_view name = "test_largest_rule";
  static constexpr std::uint32_t differentiable_mask = 0b10;
  static std::pair<Array, Array> forward(const Array& x) { return {core::argmax(x), core::sum(x * x)}; }
  static std::array<Array, 1> backward(DyArray<1> dy, InArray<0> x) { return {dy * x * 2}; }
  static Tensor reference(const Tensor& x) { return (x * x).sum(); }
};

// A drawn mask, which the inputs' numbers do not change.
template <bool Declared>
struct Masked {
  static constexpr std::string_view name = Declared ? "test_masked" : "test_masked_undeclared";
  static constexpr int differentiable_outputs = 1;
  static constexpr std::uint32_t constant_outputs = Declared ? 0b10 : 0;
  static std::pair<Array, Array> forward(const Array& x) {
    const Array mask = core::sign(core::randn(x.shape(), x.dtype(), {7, 0})) + 1;
    return {x * x * mask, mask};
  }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x, Out<1> mask) { return dy * x * mask * 2; });
};

// Gradients that cannot be differentiated again.
template <bool Declared>
struct OnceOnly {  // y = a^2 b; what is lost is a's history in a's gradient, alone
  static constexpr std::string_view name = Declared ? "test_once_declared" : "test_once";
  static constexpr bool no_second_order = Declared;
  static Array forward(const Array& a, const Array& b) { return a * a * b; }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> a, In<1> b) { return dy * a.detach() * b * 2; },
                                             [](Dy<> dy, In<0> a) { return dy * a * a; });
};
struct OnceOnlyRule {
  static constexpr std::string_view name = "test_once_rule";
  static constexpr bool no_second_order = true;
  static inline int by_hand = 0;
  static Array forward(const Array& x) { return x * x; }
  static std::array<Array, 1> backward(DyArray<> dy, InArray<0> x) {
    ++by_hand;
    return {dy * x * 2};
  }
  static Tensor reference(const Tensor& x) { return x * x; }
};

// Constant where they are defined, whatever they read: no second derivative is lost.
struct Kinked {  // |x|
  static constexpr std::string_view name = "test_kinked";
  static Array forward(const Array& x) { return core::abs(x); }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy * x.detach().sign(); });
};
struct Stepped {  // x - x mod 1/4, the gradient 0
  static constexpr std::string_view name = "test_stepped";
  static Array forward(const Array& x) { return core::floor(x * 4) / 4; }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0>) { return zeros_like(dy); });
};
struct Tallest {  // the largest of a row, by comparison with the result
  static constexpr std::string_view name = "test_tallest";
  static Array forward(const Array& x) { return std::get<0>(core::max(x, 0)); }
  static constexpr auto gradients =
      formulas([](Dy<> dy, In<0> x, Out<0> y) { return dy * (x.detach() == y.detach()).to(kFloat64); });
};

Tensor drawn(IntArrayRef shape) { return (randn(shape, kFloat64) * 0.5 + 1).requires_grad_(); }
void proven(const autograd::TensorFunction& f, const std::vector<Tensor>& x) {
  BOOST_CHECK(gradcheck(f, x));
  BOOST_CHECK(gradgradcheck(f, x));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(operation_forms)

BOOST_AUTO_TEST_CASE(lists_of_outputs) {
  manual_seed(1);
  const Tensor x = drawn({3, 2});
  const std::vector<Tensor> rows = apply<Rows>(x);
  BOOST_REQUIRE_EQUAL(rows.size(), 4u);
  BOOST_CHECK(rows[2].requires_grad() && !rows[3].requires_grad());
  BOOST_CHECK_EQUAL(rows[2].output_nr(), 2);
  BOOST_CHECK_EQUAL(rows[2].grad_fn()->num_outputs(), 4);
  BOOST_CHECK_EQUAL(rows[3].item<int>(), 3);
  rows[1].sum().backward();
  BOOST_CHECK((values(x.grad()) == std::vector<double>{0, 0, 2, 2, 0, 0}));
  proven([](const std::vector<Tensor>& in) { return apply<Rows>(in[0]); }, {x});
  proven([](const std::vector<Tensor>& in) { return apply<Powers>({4}, in[0]); }, {drawn({2})});
  BOOST_CHECK_EQUAL(apply<Powers>({0}, x).size(), 0u);
  for (const CheckReport& report : {check<Rows>(x), check<Powers>({2}, drawn({3}))}) BOOST_TEST(report.ok(), report);
  // What is kept is let go.
  const std::vector<Tensor> powers = apply<Powers>({}, drawn({3}));
  powers[0].sum().backward();
  check_error<GradError>([&] { powers[1].sum().backward(); }, {"test_powers", "retain_graph = true"});
}

BOOST_AUTO_TEST_CASE(lists_of_inputs_that_are_read) {
  manual_seed(2);
  const std::vector<Tensor> x = {drawn({3}), drawn({3}), drawn({3})};
  proven([](const std::vector<Tensor>& in) { return std::vector<Tensor>{apply<ProductOf>(in)}; }, x);
  proven([](const std::vector<Tensor>& in) { return apply<Turned>(in); }, x);
  const autograd::TensorFunction beside = [](const std::vector<Tensor>& in) {
    return std::vector<Tensor>{apply<Beside>({3}, in[0], {in[1], in[2]})};
  };
  proven(beside, x);
  const Tensor y = apply<Beside>({1}, x[0], {x[1].detach(), x[2]});
  BOOST_CHECK_EQUAL(y.grad_fn()->num_inputs(), 3);
  BOOST_CHECK(!y.grad_fn()->edges()[1]);
  y.sum().backward();
  BOOST_CHECK(!x[1].grad().defined());
  BOOST_CHECK_LE(error(x[2].grad(), x[0] * x[2] * 2), 1e-15);
  for (const CheckReport& report :
       {check<ProductOf>(x[0], x[1], x[2]), check<Turned>(x[0], x[1]), check<Beside>({2}, x[0], x[1], x[2])}) {
    BOOST_TEST(report.ok(), report);
  }
  // One of the list changed after it was kept.
  const Tensor h = x[1] * 1, z = apply<ProductOf>({x[0], h});
  h.mul_(2);
  check_error<GradError>([&] { z.sum().backward(); }, {"test_product_of: its input 1", "mul_ wrote to it"});
}

BOOST_AUTO_TEST_CASE(outputs_without_gradient_anywhere) {
  manual_seed(3);
  const Tensor x = drawn({4});
  const auto [at, most, count, sum] = apply<Largest>(x);
  BOOST_CHECK(!at.requires_grad() && most.requires_grad() && !count.requires_grad() && sum.requires_grad());
  BOOST_CHECK_EQUAL(sum.output_nr(), 3);
  proven(
      [](const std::vector<Tensor>& in) {
        const auto [a, m, c, s] = apply<Largest>(in[0]);
        return std::vector<Tensor>{m * s};
      },
      {x});
  proven([](const std::vector<Tensor>& in) { return std::vector<Tensor>{std::get<1>(apply<LargestRule>(in[0]))}; },
         {x});
  for (const CheckReport& report : {check<Largest>(x), check<LargestRule>(x)}) BOOST_TEST(report.ok(), report);
  const UseReferences references;
  const auto [place, squares] = apply<LargestRule>(x);
  BOOST_CHECK(place.dtype() == kInt64 && squares.requires_grad() && !squares.grad_fn()->is_rule());
}

BOOST_AUTO_TEST_CASE(outputs_that_are_constants) {
  manual_seed(4);
  const Tensor x = drawn({5});
  proven([](const std::vector<Tensor>& in) { return std::vector<Tensor>{std::get<0>(apply<Masked<true>>(in[0]))}; },
         {x});
  const auto [y, mask] = apply<Masked<false>>(x);
  const std::vector<Tensor> dx = grad({y.sum()}, {x}, {}, true, true);
  check_error<GradError>([&] { (void)grad({dx[0].sum()}, {x}); },
                         {"test_masked_undeclared: ", "must not depend on output 1", "`constant_outputs`",
                          "no_second_order", "in the backward pass of test_masked_undeclared, recorded at"});
}

BOOST_AUTO_TEST_CASE(a_lost_history_is_an_error_where_it_is_missed) {
  manual_seed(5);
  const Tensor a = drawn({3}), b = drawn({3}), u = ones({3}, kFloat64).requires_grad_();
  for (int call = 0; call < 5; ++call) {  // found in the first, and known from then on
    const Tensor y = apply<OnceOnly<false>>(a, b);
    const std::vector<Tensor> dx = grad({y}, {a, b}, {u}, true, true);
    BOOST_CHECK_LE(error(dx[0], a * b * 2), 1e-15);
    check_error<GradError>([&] { (void)grad({dx[0].sum()}, {a}, {}, true); },
                           {"test_once: to be differentiated again, the gradient of input 0 must keep the history of "
                            "input 0, on which it depends",
                            "no_second_order"});
    check_error<GradError>([&] { dx[0].sum().backward({}, true); },
                           {"test_once: to be differentiated again"});
    // What is not lost is there: of b, of dy, and b's gradient.
    BOOST_CHECK_LE(error(grad({dx[0].sum()}, {b}, {}, true)[0], a * 2), 1e-15);
    BOOST_CHECK_LE(error(grad({dx[0].sum()}, {u}, {}, true)[0], a * b * 2), 1e-15);
    BOOST_CHECK_LE(error(grad({dx[1].sum()}, {a}, {}, true)[0], a * 2), 1e-15);
  }
  // Nobody is told who does not ask.
  apply<OnceOnly<false>>(a, b).sum().backward();
  BOOST_CHECK_LE(error(a.grad(), a * b * 2), 1e-15);
}

BOOST_AUTO_TEST_CASE(once_only_by_declaration) {
  manual_seed(6);
  const Tensor a = drawn({3}), b = drawn({3});
  const std::vector<Tensor> dx = grad({apply<OnceOnly<true>>(a, b).sum()}, {a, b}, {}, true, true);
  BOOST_CHECK_LE(error(dx[1], a * a), 1e-15);
  for (const Tensor& each : dx) {
    check_error<GradError>([&] { (void)grad({each.sum()}, {a}, {}, true); },
                           {"test_once_declared: its gradient cannot be differentiated again: it is declared "
                            "no_second_order"});
  }
  OnceOnlyRule::by_hand = 0;
  const Tensor once = grad({apply<OnceOnlyRule>(a).sum()}, {a}, {}, true, true)[0];
  BOOST_CHECK_EQUAL(OnceOnlyRule::by_hand, 1);
  check_error<GradError>([&] { (void)grad({once.sum()}, {a}); }, {"test_once_rule: its gradient cannot", "declared"});
  const CheckReport report = check<OnceOnlyRule>(a);
  BOOST_TEST(report.ok(), report);
  BOOST_TEST(
      (report.to_string().find("second order: not tried, for it is declared no_second_order") != std::string::npos));
}

BOOST_AUTO_TEST_CASE(what_is_constant_loses_nothing) {
  manual_seed(7);
  const auto twice = [](const auto& f, const Tensor& x) {
    const Tensor u = ones(f(x).sizes(), kFloat64).requires_grad_();
    const Tensor dx = grad({f(x)}, {x}, {u}, true, true)[0];
    return grad({dx.sum()}, {x, u}, {}, true, false, true);
  };
  const Tensor x = (randn({4, 3}, kFloat64)).requires_grad_();
  BOOST_CHECK(!twice([](const Tensor& t) { return apply<Kinked>(t); }, x)[0].defined());
  BOOST_CHECK(!twice([](const Tensor& t) { return apply<Tallest>(t); }, x)[0].defined());
  const Tensor dx = grad({apply<Stepped>(x).sum()}, {x}, {}, true, true)[0];
  BOOST_CHECK(!dx.requires_grad());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
