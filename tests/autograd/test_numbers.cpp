// Signs, powers, divisors and neighbours of numbers, with values of PyTorch's.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>

#include <gradus/torch.h>

#include "../support/gradients.h"

namespace gradus::test {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

BOOST_AUTO_TEST_SUITE(numbers)

BOOST_AUTO_TEST_CASE(signs) {
  const Tensor x = tensor({-1.5, 0., -0., 2., -kNan, kNan});
  for (const DType dtype : {kFloat, kDouble, kHalf, kBFloat16}) {
    BOOST_TEST(equal(torch::signbit(x.to(dtype)), tensor({1, 0, 1, 0, 1, 0}) == 1), to_string(dtype));
  }
  BOOST_TEST(equal(tensor({-1, 0, 3}).signbit(), tensor({1, 0, 0}) == 1));
  BOOST_TEST(!tensor({1, 200}).to(kByte).signbit().any().item<bool>());
  BOOST_TEST(!tensor({true, false}).signbit().any().item<bool>());
  check_error<ValueError>([] { torch::signbit(Tensor()); }, {"signbit: "});
}

BOOST_AUTO_TEST_CASE(steps_of_heaviside) {
  const Tensor x = tensor({-1.5, 0., -0., 2., kNan}), half = tensor(0.5);
  BOOST_TEST(equal(torch::heaviside(x, half), tensor({0., 0.5, 0.5, 1., 0.})));
  const Tensor y = x.clone();
  BOOST_TEST(equal(y.heaviside_(half), x.heaviside(half)));
  BOOST_TEST(equal(torch::heaviside(tensor({-1, 0, 3}), tensor({5, 6, 7})), tensor({0, 6, 1})));
  // No gradient to x.
  const Tensor w = tensor({0., 3.}).requires_grad_(), values = tensor({2., 5.}).requires_grad_();
  (torch::heaviside(w, values) * w).sum().backward();
  BOOST_TEST(equal(w.grad(), tensor({2., 1.})));
  BOOST_TEST(equal(values.grad(), tensor({0., 0.})));
  const Tensor written = w * 2;
  written.heaviside_(values).sum().backward();
  BOOST_TEST(equal(w.grad(), tensor({2., 1.})));
  BOOST_TEST(equal(values.grad(), tensor({1., 0.})));
}

BOOST_AUTO_TEST_CASE(powers) {
  BOOST_TEST(equal(torch::ldexp(tensor({1., 3.}), tensor({2, -1})), tensor({4., 1.5})));
  BOOST_TEST(equal(torch::ldexp(tensor({1, 3}), tensor({2, -1})), tensor({4., 1.5})));
  BOOST_TEST((tensor({1, 3}).ldexp(tensor({2., -1.}, kDouble)).dtype() == kDouble));
  BOOST_TEST(equal(torch::float_power(tensor({1, 3}), 2), tensor({1., 9.}, kDouble)));
  BOOST_TEST(equal(torch::float_power(2, tensor({1, 3})), tensor({2., 8.}, kDouble)));
  // In float64 from the beginning: 0.1F^3 has other digits than its own dtype's.
  constexpr double tenth = 13421773 * 0x1p-27;  // 0.1F
  const Tensor x = tensor({0.1F}), exact = tensor({tenth * tenth * tenth}, kDouble);
  BOOST_TEST(x.float_power(tensor(3)).allclose(exact, 1e-15, 0));
  const Tensor y = tensor({1., -3.}, kDouble);
  y.float_power_(2).float_power_(tensor({2, 1}));
  BOOST_TEST(equal(y, tensor({1., 9.}, kDouble)));
  const Tensor w = tensor({1., -3.}, kDouble).requires_grad_(), e = tensor({2., 3.}).requires_grad_(), z = w * 2;
  z.float_power_(3).sum().backward();
  BOOST_TEST(equal(w.grad(), tensor({24., 216.}, kDouble)));
  const Tensor u = w.detach() * 2;
  u.float_power_(e).sum().backward();
  BOOST_TEST(e.grad()[0].item<double>() == 4 * std::log(2.), boost::test_tools::tolerance(1e-6));
  check_error<DTypeError>([&] { x.float_power_(tensor(2)); }, {"float_power_: ", "float32"});
}

BOOST_AUTO_TEST_CASE(divisors_and_multiples) {
  const Tensor a = tensor({12, -12, 0, 7, 0}), b = tensor({18, 8, 5, 0, 0});
  for (const DType dtype : {kInt8, kInt16, kInt32, kInt64}) {
    BOOST_TEST(equal(torch::gcd(a.to(dtype), b.to(dtype)), tensor({6, 4, 5, 7, 0}).to(dtype)), to_string(dtype));
    BOOST_TEST(equal(torch::lcm(a.to(dtype), b.to(dtype)), tensor({36, 24, 0, 0, 0}).to(dtype)), to_string(dtype));
  }
  BOOST_TEST(equal(torch::lcm(tensor({100, 7}).to(kChar), tensor({75, 200}).to(kInt)), tensor({300, 1400}).to(kInt)));
  BOOST_TEST(torch::lcm(tensor({100}).to(kChar), tensor({75}).to(kChar)).item<int>() == 44);
  BOOST_TEST(torch::gcd(tensor({-128}).to(kChar), tensor({0}).to(kChar)).item<int>() == -128);
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
  BOOST_TEST(torch::gcd(tensor({least}), tensor({6})).item<std::int64_t>() == 2);
  BOOST_TEST(equal(torch::gcd(tensor({true}), tensor({3})), tensor({1})));
  const Tensor y = tensor({250}).to(kByte);
  y.gcd_(tensor({100}));
  BOOST_TEST(equal(y, tensor({50}).to(kByte)));
  y.lcm_(tensor({20}).to(kByte));
  BOOST_TEST(equal(y, tensor({100}).to(kByte)));
  BOOST_TEST(equal(tensor({{2}, {3}}).lcm(tensor({4, 9})), tensor({{4, 18}, {12, 9}})));
  BOOST_TEST(equal(arange(5000).lcm(tensor(1)), arange(5000)));
  check_error<DTypeError>([] { torch::gcd(ones(1), ones(1)); }, {"gcd: operands must be integers: float32"});
  check_error<DTypeError>([] { torch::lcm(tensor({true}), tensor({true})); }, {"lcm: ", "bool"});
  check_error<ShapeError>([&] { torch::gcd(a, b.slice(0, 0, 3)); }, {"gcd: ", "[5]", "[3]"});
}

BOOST_AUTO_TEST_CASE(neighbours) {
  const std::vector<double> from = {1, 1, 0, 0, -1, -1, 2, -0., 65504, 0.1};
  const std::vector<double> towards = {2, 0, 1, -1, -2, 0, 2, 1, 1e9, kNan};
  const auto differ = [&](DType dtype, double epsilon, double least) {
    const Tensor a = tensor(from, kDouble).to(dtype), y = torch::nextafter(a, tensor(towards, kDouble).to(dtype));
    BOOST_TEST_CONTEXT(to_string(dtype)) {
      BOOST_TEST((y.dtype() == dtype));
      const Tensor steps = (y.to(kDouble) - a.to(kDouble)).slice(0, 0, 8);
      BOOST_TEST(
          equal(steps, tensor({epsilon, -epsilon / 2, least, -least, -epsilon, epsilon / 2, 0., least}, kDouble)));
      BOOST_TEST(y[9].isnan().item<bool>());
    }
    return y[8].item<double>();
  };
  BOOST_TEST(differ(kDouble, 0x1p-52, 0x1p-1074) == 65504 + 0x1p-37);
  BOOST_TEST(differ(kFloat, 0x1p-23, 0x1p-149) == 65504 + 0x1p-8);
  BOOST_TEST(differ(kBFloat16, 0x1p-7, 0x1p-133) == 65536 + 512);  // of 65536, to which 65504 rounds
  BOOST_TEST(differ(kHalf, 0x1p-10, 0x1p-24) == std::numeric_limits<double>::infinity());
  BOOST_TEST((torch::nextafter(ones(2), ones(1, kDouble)).dtype() == kDouble));
  // An operand of a wider dtype counts as what it is in the result's.
  for (const DType dtype : {kHalf, kBFloat16}) {
    const Tensor one = ones({2}, dtype), odd = tensor({1.5, 1.5}, dtype);
    BOOST_TEST(equal(torch::nextafter(one, tensor(1.0001f)), one), to_string(dtype));
    BOOST_TEST(equal(torch::nextafter(tensor(1.5001f), one), torch::nextafter(odd, one)), to_string(dtype));
  }
  BOOST_TEST(torch::nextafter(tensor(1e-30f), -ones({1}, kHalf)).to(kDouble)[0].item<double>() == -0x1p-24);
  const Tensor y = ones(2);
  BOOST_TEST(equal(y.nextafter_(tensor(2.)), ones(2) + 0x1p-23));
  check_error<DTypeError>([] { torch::nextafter(arange(2), arange(2)); }, {"nextafter: ", "int64"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
