// Pointwise lambdas at their limits: what is refused, what is composed of operations in place of one pass, and what runs them.
#include <boost/test/unit_test.hpp>

#include <cstring>

#include <gradus/autograd.h>
#include <gradus/autograd/fused/function.h>
#include <gradus/core/loops/program.h>
#include <gradus/core/loops/recording.h>

#include "../support/arrays.h"
#include "../support/gradients.h"

namespace gradus::test {
namespace {

using autograd::grad;
using Tensors = std::vector<Tensor>;

inline constexpr auto sum_of = pointwise("test_sum_of", [](auto a, auto b) { return a + b; });
inline constexpr auto scaled = pointwise("test_scaled_by", [](auto x, auto by) { return x * by + exp(-x); });
inline constexpr auto three = pointwise("test_three", [](auto x, auto y, auto z) { return exp(x * y) * sin(z + y); });
inline constexpr auto eight = pointwise("test_eight", [](auto a, auto b, auto c, auto d, auto e, auto f, auto g,
                                                         auto h) { return exp(a * b * c * d * e * f * g * h); });

Tensors leaves(std::size_t count) {
  Tensors x;
  for (std::size_t i = 0; i < count; ++i) x.push_back((rand({2}, kDouble) + 0.5).requires_grad_());
  return x;
}
// Derivatives of all inputs, and of all gradients before, up to an order.
Tensors derivatives(Tensor y, Tensors x, int order) {
  Tensors from = {std::move(y)};
  for (int n = 1; n <= order; ++n) {
    Tensors along, recorded, with;
    for (std::size_t k = 0; k < from.size(); ++k) {
      along.push_back(full({2}, 1 + 0.01 * static_cast<double>(k), kDouble).requires_grad_());
      if (!from[k].defined() || !from[k].requires_grad()) continue;
      recorded.push_back(from[k]);
      with.push_back(along[k]);
    }
    from = grad(recorded, x, with, true, true, true);
    x.insert(x.end(), along.begin(), along.end());
  }
  return from;
}
void check_close(const Tensors& a, const Tensors& b) {
  BOOST_REQUIRE_EQUAL(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    const Tensor zero = zeros({2}, kDouble);
    BOOST_CHECK(allclose(a[i].defined() ? a[i] : zero, b[i].defined() ? b[i] : zero, 1e-9, 1e-9));
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pointwise_lambda_limits)

BOOST_AUTO_TEST_CASE(undefined_operands_are_refused_as_operations_refuse_them) {
  const Tensor none, x = ones({2});
  for (const auto& operands : {std::pair{none, x}, {x, none}, {none, none}}) {
    const Tensor &a = operands.first, &b = operands.second;
    check_error<ValueError>([&] { sum_of(a, b); }, {"test_sum_of: the operand must be defined: it has neither"});
    check_error<ValueError>([&] { sum_of.composed(a, b); }, {"test_sum_of: the operand must be defined"});
  }
  check_error<ValueError>([&] { sum_of(none, 2); }, {"test_sum_of: the operand must be defined"});
}

// Gradients that go another way where some number is 0: a program of one way would be wrong for the other.
BOOST_AUTO_TEST_CASE(formulas_that_look_at_numbers_first) {
  static constexpr auto power = pointwise("test_power", [](auto x, auto y) { return pow(x, y); });
  static constexpr auto angle = pointwise("test_angle", [](auto x, auto y) { return atan2(x, y); });
  const auto compare = [](const auto& lambda, Tensor (*operation)(Operand, Operand), const std::vector<double>& of_a,
                          const std::vector<double>& of_b) {
    const Tensor a = tensor(of_a, kDouble).requires_grad_(), b = tensor(of_b, kDouble).requires_grad_();
    const Tensors ours = grad({lambda(a, b)}, {a, b}, {ones_like(a)}),
                  theirs = grad({operation(a, b)}, {a, b}, {ones_like(a)});
    for (std::size_t i = 0; i < 2; ++i) BOOST_CHECK(equal(ours[i], theirs[i]));
    BOOST_CHECK(isfinite(ours[0]).all().template item<bool>() && isfinite(ours[1]).all().template item<bool>());
  };
  compare(power, pow, {0.5, 2}, {3, 1});
  compare(power, pow, {0, 0, 2}, {2, 0, 1});
  compare(angle, atan2, {0.5, 2}, {3, -1});
  compare(angle, atan2, {0, 1e-200, 1e200}, {0, 1e-200, 1});
}

BOOST_AUTO_TEST_CASE(derivatives_of_more_than_32_inputs) {
  manual_seed(11);
  const Tensors x = leaves(3);
  check_close(derivatives(three(x[0], x[1], x[2]), x, 7), derivatives(three.composed(x[0], x[1], x[2]), x, 7));
  const Tensors v = leaves(8);
  const auto of = [&](auto&& call) { return call(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]); };
  const auto hand = [&](const auto&... t) { return eight(t...); };
  const auto graph = [&](const auto&... t) { return eight.composed(t...); };
  check_close(derivatives(of(hand), v, 5), derivatives(of(graph), v, 5));
  // Along one line through the inputs, so that there is a closed form: exp(p), p the product, by its nth derivative in a.
  const auto along = [](Tensor y, const Tensors& in, int order) {
    for (int n = 0; n < order; ++n) {
      Tensor sum;
      for (const Tensor& each : grad({y}, in, {ones_like(y)}, true, true)) sum = sum.defined() ? sum + each : each;
      y = sum;
    }
    return Tensors{y};
  };
  check_close(along(three(x[0], x[1], x[2]), x, 7), along(three.composed(x[0], x[1], x[2]), x, 7));
  check_close(along(of(hand), v, 5), along(of(graph), v, 5));
}

BOOST_AUTO_TEST_CASE(names_outlive_the_numbers_that_they_were_called_with) {
  const Tensor x = ones({3}).requires_grad_();
  std::string_view name;
  {
    const Tensor y = scaled(x, 0.125);
    name = y.grad_fn()->name();
  }
  for (int i = 0; i < 40; ++i) scaled(x, 100 + i);
  BOOST_CHECK_EQUAL(name, "test_scaled_by");
  BOOST_CHECK_EQUAL(name.data(), scaled(x, ones({3})).grad_fn()->name().data());
}

BOOST_AUTO_TEST_CASE(one_lambda_has_one_name) {
  static constexpr auto twice = [](auto x) { return x + x; };
  static constexpr auto one = pointwise("test_one", twice), same = pointwise("test_one", twice),
                        two = pointwise("test_two", twice);
  const Tensor x = ones({2});
  BOOST_CHECK(same_bits(one(x), same(x)));
  check_error<ValueError>([&] { two(x); }, {"test_two: a lambda must be one operation: this one is test_one already"});
  check_error<ValueError>([&] { (void)two.formula(); }, {"test_two", "test_one"});
}

// 16 numbers are written down at once; of later ones those that are used again and again.
BOOST_AUTO_TEST_CASE(a_number_that_changes_is_not_written_down_each_time) {
  static constexpr auto fresh = pointwise("test_changing", [](auto x, auto by) { return x * by + exp(-x); });
  const Tensor x = randn({5}, kDouble).requires_grad_();
  int one_node = 0;
  for (int i = 0; i < 100; ++i) {
    const Tensor y = fresh(x, 0.5 + i), z = fresh.composed(x, 0.5 + i);
    BOOST_CHECK(same_bits(y, z));
    BOOST_CHECK(same_bits(grad({y}, {x}, {ones_like(y)})[0], grad({z}, {x}, {ones_like(z)})[0]));
    one_node += y.grad_fn()->name() == "test_changing" ? 1 : 0;
  }
  BOOST_CHECK_EQUAL(one_node, 16);
  for (int i = 0; i < 16; ++i) BOOST_CHECK(fresh(x, 7000).grad_fn()->name() != "test_changing");
  BOOST_CHECK_EQUAL(fresh(x, 7000).grad_fn()->name(), "test_changing");
  BOOST_CHECK_EQUAL(fresh(x, tensor(0.75, kDouble)).grad_fn()->name(), "test_changing");
}

// A result has the common shape, and is a tensor of its own, whichever way it is computed.
BOOST_AUTO_TEST_CASE(what_a_lambda_does_not_read) {
  static constexpr auto first = pointwise("test_first", [](auto a, auto b) { return where(b == b, a, a); });
  static constexpr auto only = pointwise("test_only", [](auto a, auto) { return a; });
  const Tensor a = randn({3}), b = randn({2, 3});
  for (const auto& y : {first(a, b), first.composed(a, b), only(a, b), only.composed(a, b)}) {
    BOOST_CHECK(same_bits(y, a.expand({2, 3}).contiguous()));
  }
  const Tensor same = only.composed(a, a);
  BOOST_CHECK(same.array().storage() != a.array().storage());
}

BOOST_AUTO_TEST_CASE(long_lambdas) {
  static constexpr auto chain = pointwise("test_chain", [](auto x) {
    auto y = x;
    for (int i = 0; i < 600; ++i) y = sin(y) + 0.001 * i;
    return y;
  });
  static constexpr auto endless = pointwise("test_endless", [](auto x) {
    auto y = x;
    for (int i = 0; i < 3000; ++i) y = sin(y) + 0.001 * i;
    return y;
  });
  const Tensor x = randn({5}, kDouble).requires_grad_();
  const auto check = [&](const auto& lambda, bool one) {
    const Tensor y = lambda(x), z = lambda.composed(x);
    BOOST_CHECK_EQUAL(y.grad_fn()->name() == lambda.name(), one);
    BOOST_CHECK(same_bits(y, z));
    BOOST_CHECK(same_bits(grad({y}, {x}, {ones_like(y)})[0], grad({z}, {x}, {ones_like(z)})[0]));
  };
  check(chain, true);
  check(endless, false);
}

BOOST_AUTO_TEST_CASE(under_transforms) {
  manual_seed(12);
  const Tensor x = randn({4, 3}, kDouble), y = randn({4, 3}, kDouble), z = randn({3}, kDouble);
  const auto f = [](const Tensor& a, const Tensor& b, const Tensor& c) { return three(a, b, c); };
  const auto g = [](const Tensor& a, const Tensor& b, const Tensor& c) { return three.composed(a, b, c); };
  BOOST_CHECK(same_bits(func::vmap(f, {0, 0, std::nullopt})(x, y, z), g(x, y, z)));
  const auto slope = [&](const auto& h) { return [&](const Tensor& a) { return h(a, a, z).sum(); }; };
  BOOST_CHECK(allclose(func::vmap(func::grad(slope(f)))(x), func::vmap(func::grad(slope(g)))(x), 1e-12, 1e-12));
  const auto of_one = [&](const Tensor& a) { return f(a, y, z); };
  const auto by_graph = [&](const Tensor& a) { return g(a, y, z); };
  const auto [value, tangent] = func::jvp(of_one, x, y);
  BOOST_CHECK(same_bits(value, by_graph(x)));
  BOOST_CHECK(allclose(tangent, func::jvp(by_graph, x, y).second, 1e-12, 1e-12));
  const Tensor leaf = x.clone().requires_grad_(), dy = randn({4, 3}, kDouble);
  const Tensor kept = func::checkpoint(of_one, leaf), plain = of_one(leaf);
  BOOST_CHECK(same_bits(kept, plain));
  BOOST_CHECK(same_bits(grad({kept}, {leaf}, {dy})[0], grad({plain}, {leaf}, {dy})[0]));
}

// Elements of any width that lie apart, or under a shape that they broadcast to.
BOOST_AUTO_TEST_CASE(programs_gather_elements_of_any_width) {
  using core::kernels::Program;
  for (const DType dtype : {kBool, kInt16, kHalf, kFloat32, kFloat64}) {
    Program program;
    const int x = program.add_input(dtype);
    core::kernels::Instruction copy;
    copy.name = "copy";
    copy.result = dtype;
    copy.count = 1;
    copy.in[0] = x;
    copy.kernel =
        size_of(dtype) == 1
            ? [](void* to, const void* const* in, std::size_t n, const void*) { std::memcpy(to, in[0], n); }
        : size_of(dtype) == 2
            ? [](void* to, const void* const* in, std::size_t n, const void*) { std::memcpy(to, in[0], 2 * n); }
        : size_of(dtype) == 4
            ? [](void* to, const void* const* in, std::size_t n, const void*) { std::memcpy(to, in[0], 4 * n); }
            : [](void* to, const void* const* in, std::size_t n, const void*) { std::memcpy(to, in[0], 8 * n); };
    program.finish({program.add(copy)});
    const core::Array column =
        core::arange(0, 6, 1, kFloat64).to(dtype).view({2, 3}).transpose(0, 1).select(1, 1).view({3, 1});
    const core::Array* in[] = {&column};
    core::Array out;
    program.run({3, 4}, in, &out);
    BOOST_CHECK(same_bits(out, column.expand({3, 4}).contiguous()));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
