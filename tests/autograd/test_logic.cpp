// Operations on bits, and logic and comparisons in place: none of them is differentiable.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <vector>

#include <gradus/autograd/tensor/create.h>
#include <gradus/autograd/tensor/tensor.h>

#include "../support/gradients.h"

namespace gradus::test {
namespace {

Tensor longs(const std::vector<std::int64_t>& numbers) { return tensor(numbers); }
Tensor bools(const std::vector<std::int64_t>& numbers) { return tensor(numbers) == 1; }

}  // namespace

BOOST_AUTO_TEST_SUITE(logic)

BOOST_AUTO_TEST_CASE(bits_of_integers) {
  const std::vector<std::int64_t> a = {0, 1, -1, 6, 100, -77}, b = {1, 3, 5, -2, 27, 64};
  for (const DType dtype : {kUInt8, kInt32, kInt64}) {
    const Tensor x = longs(a).to(dtype), y = longs(b).to(dtype);
    const auto each = [&](auto f) {
      std::vector<std::int64_t> result;
      for (std::size_t k = 0; k < a.size(); ++k) result.push_back(f(a[k], b[k]));
      return longs(result).to(dtype);
    };
    BOOST_TEST_CONTEXT(to_string(dtype)) {
      BOOST_TEST(equal(x & y, each([](auto p, auto q) { return p & q; })));
      BOOST_TEST(equal(x | y, each([](auto p, auto q) { return p | q; })));
      BOOST_TEST(equal(x ^ y, each([](auto p, auto q) { return p ^ q; })));
      BOOST_TEST(equal(~x, each([](auto p, auto) { return ~p; })));
      BOOST_TEST(equal(x & 6, each([](auto p, auto) { return p & 6; })));
      BOOST_TEST(equal(6 | x, each([](auto p, auto) { return p | 6; })));
      BOOST_TEST(equal(x ^ 6, each([](auto p, auto) { return p ^ 6; })));
      BOOST_TEST(equal(bitwise_left_shift(x, 3), each([](auto p, auto) { return p * 8; })));
    }
  }
  BOOST_TEST(equal(longs({5, -5, -5, 1}).bitwise_right_shift(longs({1, 1, 64, -1})), longs({2, -3, -1, 0})));
  BOOST_TEST(equal(bitwise_left_shift(longs({1, 1, 1}), longs({62, 64, -1})), longs({std::int64_t{1} << 62, 0, 0})));
  BOOST_TEST((longs({1, 2}).unsqueeze(1) & longs({1, 3, 2}).to(kInt)).dtype() == kInt64);
}

BOOST_AUTO_TEST_CASE(masks) {
  const Tensor a = bools({0, 0, 1, 1}), b = bools({0, 1, 0, 1});
  BOOST_TEST(equal(a & b, bools({0, 0, 0, 1})));
  BOOST_TEST(equal(a | b, bools({0, 1, 1, 1})));
  BOOST_TEST(equal(a ^ b, bools({0, 1, 1, 0})));
  BOOST_TEST(equal(~a, bools({1, 1, 0, 0})));
  BOOST_TEST(equal(a ^ true, bools({1, 1, 0, 0})));
  BOOST_TEST(equal(a.bitwise_and(b), a & b));
  BOOST_TEST((a & 1).dtype() == kInt64);
  check_error<DTypeError>([&] { ones(2) & a.slice(0, 0, 2); },
                          {"bitwise_and: operands must be integers or bool", "float32"});
  check_error<DTypeError>([&] { ~ones(2); }, {"bitwise_not: "});
  check_error<DTypeError>([&] { bitwise_left_shift(a, b); }, {"bitwise_left_shift: operands must be integers"});
  check_error<ShapeError>([&] { a | b.slice(0, 0, 3); }, {"bitwise_or: "});
}

BOOST_AUTO_TEST_CASE(bits_in_place) {
  const Tensor y = longs({12, 10}), x = y, view = y[1];
  y.bitwise_and_(longs({6, 6}));
  y.bitwise_or_(8);
  y.bitwise_xor_(longs({1}));
  BOOST_TEST(equal(y, longs({13, 11})));
  y.bitwise_left_shift_(2);
  y.bitwise_right_shift_(longs({1, 2}));
  BOOST_TEST(equal(y, longs({26, 11})));
  y.bitwise_not_();
  BOOST_TEST(equal(y, longs({-27, -12})));
  y &= 7;
  y |= longs({8, 0});
  y ^= 1;
  BOOST_TEST(equal(x, longs({12, 5})));
  BOOST_TEST(view.item<std::int64_t>() == 5);
  const Tensor mask = bools({1, 0});
  mask &= bools({1, 1});
  mask |= bools({0, 1});
  mask ^= true;
  BOOST_TEST(equal(mask, bools({0, 0})));
  check_error<DTypeError>([&] { mask &= longs({1, 1}); }, {"bitwise_and_: ", "int64", "bool"});
  check_error<DTypeError>([&] { ones(2).bitwise_or_(1); }, {"bitwise_or_: ", "float32"});
}

// In the dtype of the first operand.
BOOST_AUTO_TEST_CASE(comparisons_in_place) {
  const auto with = [](auto change) {
    const Tensor y = tensor(std::vector<float>{-1, 0, 2});
    change(y);
    return y;
  };
  const Tensor other = tensor(std::vector<float>{0, 0, 0});
  const auto numbers = [](float a, float b, float c) { return tensor(std::vector<float>{a, b, c}); };
  BOOST_TEST(equal(with([&](const Tensor& y) { y.lt_(0); }), numbers(1, 0, 0)));
  BOOST_TEST(equal(with([&](const Tensor& y) { y.le_(other); }), numbers(1, 1, 0)));
  BOOST_TEST(equal(with([&](const Tensor& y) { y.gt_(0); }), numbers(0, 0, 1)));
  BOOST_TEST(equal(with([&](const Tensor& y) { y.ge_(other); }), numbers(0, 1, 1)));
  BOOST_TEST(equal(with([&](const Tensor& y) { y.eq_(0); }), numbers(0, 1, 0)));
  BOOST_TEST(equal(with([&](const Tensor& y) { y.ne_(other); }), numbers(1, 0, 1)));
  BOOST_TEST(equal(with([&](const Tensor& y) {
                     y.logical_and_(tensor(std::vector<float>{1, 1, 0}));
                   }),
                   numbers(1, 0, 0)));
  BOOST_TEST(equal(with([&](const Tensor& y) {
                     y.logical_or_(tensor(std::vector<float>{0, 0, 0}));
                   }),
                   numbers(1, 0, 1)));
  BOOST_TEST(equal(with([&](const Tensor& y) {
                     y.logical_xor_(tensor(std::vector<float>{1, 1, 0}));
                   }),
                   numbers(0, 1, 1)));
  BOOST_TEST(equal(with([&](const Tensor& y) { y.logical_not_(); }), numbers(0, 1, 0)));
  check_error<ShapeError>([&] { ones(1).lt_(other); }, {"lt_: "});
  const Tensor w = ones(3).requires_grad_(), y = w * 2;
  y.gt_(1);
  y.sum().backward();
  BOOST_TEST(equal(w.grad(), zeros(3)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
