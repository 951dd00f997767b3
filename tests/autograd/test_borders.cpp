// Padding by what lies within, and its gradients, beside loops by index; roll likewise.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include <gradus/autograd/check/gradcheck.h>
#include <gradus/autograd/func/vmap.h>
#include <gradus/autograd/graph/engine.h>
#include <gradus/autograd/ops/functions.h>
#include <gradus/autograd/tensor/create.h>
#include <gradus/autograd/tensor/operators.h>
#include <gradus/core/array/create.h>
#include <gradus/core/ops/borders.h>
#include <gradus/core/ops/random.h>

#include "../support/pytorch.h"
#include "../support/threads.h"

using namespace gradus;
using test::check_close;
using test::check_error;

namespace {

using Pad = std::vector<std::int64_t>;
const std::vector<std::string> kModes = {"reflect", "replicate", "circular"};

// Where place i of a padded dimension of n comes from. Round and round goes what is left where something is cropped.
std::int64_t source(const std::string& mode, std::int64_t i, std::int64_t before, std::int64_t after, std::int64_t n) {
  const std::int64_t at = i - before;
  const std::int64_t first = std::max<std::int64_t>(-before, 0), left = n - first - std::max<std::int64_t>(-after, 0);
  if (mode == "circular") return first + (at - first + left) % left;
  if (mode == "replicate") return at < 0 ? 0 : at >= n ? n - 1 : at;
  return at < 0 ? -at : at >= n ? 2 * (n - 1) - at : at;
}
// A padded dimension as a matrix [padded, n] of zeros and ones: padding is a product with it, its gradient with its transpose.
Tensor matrix(const std::string& mode, std::int64_t before, std::int64_t after, std::int64_t n) {
  Tensor m = zeros({n + before + after, n}, kFloat64);
  for (std::int64_t i = 0; i < m.size(0); ++i) m[i][source(mode, i, before, after, n)].fill_(1);
  return m;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(borders)

BOOST_AUTO_TEST_CASE(pads_are_products_with_a_matrix) {
  const std::vector<Pad> pads = {{1, 2, 2, 1},  {0, 3, 3, 0},   {-1, 2, 1, -2},
                                 {2, -2, 0, 0}, {0, 0, -1, -1}, {4, 4, 3, 3}};
  const Tensor image = randn({2, 3, 4, 5}, kFloat64), turned = randn({2, 4, 5, 3}, kFloat64).permute({0, 3, 1, 2});
  for (const std::string& mode : kModes) {
    for (const Pad& p : pads) {
      for (const Tensor& x : {image, turned}) {
        const Tensor in = x.detach().requires_grad_(), y = pad(in, p, mode);
        const Tensor rows = matrix(mode, p[2], p[3], 4), columns = matrix(mode, p[0], p[1], 5);
        check_close(y, matmul(matmul(rows, x), columns.t()), 0, mode);
        const Tensor dy = randn(y.sizes(), kFloat64);
        y.backward(dy);
        check_close(in.grad(), matmul(matmul(rows.t(), dy), columns), 1e-14, mode + "'s gradient");
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_border_goes_round_what_is_left) {  // as PyTorch has it
  const Tensor x = arange(6.0, kFloat64);
  const auto around = [&](Pad p) { return pad(x, p, "circular"); };
  BOOST_TEST(equal(around({-1, 2}), tensor({1, 2, 3, 4, 5, 1, 2}, kFloat64)));
  BOOST_TEST(equal(around({2, -1}), tensor({3, 4, 0, 1, 2, 3, 4}, kFloat64)));
  BOOST_TEST(equal(around({5, -1}), tensor({0, 1, 2, 3, 4, 0, 1, 2, 3, 4}, kFloat64)));
  BOOST_TEST(equal(around({-2, -2}), tensor({2, 3}, kFloat64)));
  BOOST_TEST(around({-3, -3}).numel() == 0);
  check_error<ValueError>([&] { around({6, -1}); }, {"pad: counts must be at most 5"});
  const Tensor in = randn({2, 6}, kFloat64).requires_grad_();
  BOOST_TEST(gradcheck([](const std::vector<Tensor>& v) { return std::vector{pad(v[0], {2, -1}, "circular")}; }, {in}));
}

BOOST_AUTO_TEST_CASE(gradients_of_pads_are_differentiated_again) {
  const Tensor x = randn({2, 3, 4}, kFloat64).requires_grad_();
  for (const std::string& mode : kModes) {
    const auto f = [&](const std::vector<Tensor>& in) {
      return std::vector<Tensor>{pad(in[0] * in[0], {2, 1, -1, 2}, mode)};
    };
    BOOST_TEST(gradcheck(f, {x}));
    BOOST_TEST(gradgradcheck(f, {x}));
  }
}

// What comes to one place is rounded once.
BOOST_AUTO_TEST_CASE(gradients_of_many_repetitions_keep_their_digits) {
  const Tensor x = randn({1, 2, 3}).requires_grad_();
  const Tensor dy = rand({1, 2, 20003});
  replication_pad1d(x, {10000, 10000}).backward(dy);
  const Tensor wide = dy.to(kFloat64);
  const Tensor expected =
      stack({wide.narrow(2, 0, 10001).sum(2), wide.select(2, 10001), wide.narrow(2, 10002, 10001).sum(2)}, 2);
  check_close(x.grad(), expected.to(kFloat32), 0, "the gradient");
}

BOOST_AUTO_TEST_CASE(the_same_bits_at_any_number_of_threads) {
  const Tensor images = randn({5, 7, 60, 70}), slab = randn({2, 40, 9000});
  std::vector<Tensor> first;
  test::ManyThreads many;
  many.each([&] {
    std::vector<Tensor> results;
    for (const std::string& mode : kModes) {
      for (const Tensor& x : {images, slab}) {
        const Tensor in = x.detach().requires_grad_(), y = pad(in, {3, 2, 2, 3}, mode);
        y.backward(y.detach() * 0.3);
        results.push_back(y.detach());
        results.push_back(in.grad());
      }
    }
    if (first.empty()) first = results;
    for (std::size_t i = 0; i < results.size(); ++i) BOOST_TEST(equal(results[i], first[i]), "result " << i);
  });
}

BOOST_AUTO_TEST_CASE(roll_moves_along_several_dimensions) {
  const Tensor x = randn({3, 4, 5}, kFloat64);
  for (const Tensor& in : {x, x.permute({1, 2, 0})}) {
    const Tensor leaf = in.detach().requires_grad_();
    const Tensor y = roll(leaf, {2, -1, 7, 1}, {0, 2, 0, 1});
    const std::int64_t a = in.size(0), b = in.size(1), c = in.size(2);
    for (std::int64_t i = 0; i < in.numel(); ++i) {
      const std::int64_t p = i / (b * c), q = i / c % b, r = i % c;
      BOOST_TEST(y.detach()[(p + 9) % a][(q + 1) % b][(r + c - 1) % c].item<double>() == in[p][q][r].item<double>());
    }
    const Tensor dy = randn(y.sizes(), kFloat64);
    y.backward(dy);
    BOOST_TEST(equal(leaf.grad(), roll(dy, {-2, 1, -7, -1}, {0, 2, 0, 1})));
  }
}

// A row of any length is cut along itself.
BOOST_AUTO_TEST_CASE(long_rows) {
  const std::int64_t n = 100003;
  const Tensor x = randn({n}), apart = stack({x, x}, 1).select(1, 0);
  test::ManyThreads many;
  for (const std::string& mode : kModes) {
    for (const Pad& p : {Pad{70001, 40000}, Pad{-5, 90000}, Pad{40001, -60000}}) {
      std::vector<std::int64_t> from;
      for (std::int64_t i = 0; i < n + p[0] + p[1]; ++i) from.push_back(source(mode, i, p[0], p[1], n));
      const Tensor index = Tensor(test::list(from)), dy = rand(index.sizes());
      const Tensor y = index_select(x, 0, index);
      const Tensor sums = index_add(zeros({n}, kFloat64), 0, index, dy.to(kFloat64)).to(kFloat32);
      many.each([&] {
        for (const Tensor& in : {x, apart}) {
          const Tensor leaf = in.detach().requires_grad_(), padded = pad(leaf, p, mode);
          BOOST_TEST(equal(padded, y), mode);
          padded.backward(dy);
          BOOST_TEST(equal(leaf.grad(), sums), mode + "'s gradient");
        }
      });
    }
  }
}

BOOST_AUTO_TEST_CASE(what_there_is_no_memory_for) {
  const Tensor x = ones({1, 1, 3});
  for (const char* mode : {"replicate", "constant"}) {
    check_error<MemoryError>([&] { pad(x, {std::int64_t{1} << 42, 0}, mode); }, {});
    check_error<ShapeError>([&] { pad(x, {std::int64_t{1} << 62, 0}, mode); }, {});
  }
}

BOOST_AUTO_TEST_CASE(pads_check_their_arguments) {
  using core::Border;
  using core::border_pad;
  using core::border_pad_sum;
  const core::Array x = core::ones({3}, kFloat64);
  check_error<ShapeError>([&] { border_pad(x, {1}, Border::Reflect); }, {"border_pad: ", "two counts", "[1] for [3]"});
  check_error<ShapeError>([&] { border_pad(x, {}, Border::Reflect); }, {"border_pad: ", "[] for [3]"});
  check_error<ShapeError>([&] { border_pad(x, {1, 1, 1, 1}, Border::Reflect); }, {"border_pad: ", "[1, 1, 1, 1]"});
  check_error<ShapeError>([&] { border_pad(core::ones({}), {1, 1}, Border::Circular); }, {"border_pad: ", "for []"});
  check_error<ValueError>(
      [&] {
        border_pad(x, {5, 0}, Border::Reflect);
      },
      {"border_pad: ", "at most 2", ": 5 for [3]"});
  check_error<ValueError>(
      [&] {
        border_pad(x, {0, 4}, Border::Circular);
      },
      {"border_pad: ", "at most 3", ": 4 for [3]"});
  check_error<ValueError>([&] { border_pad(x, {-3, 0}, Border::Replicate); }, {"border_pad: ", "-3 and 0 of 3"});
  check_error<ValueError>(
      [&] {
        border_pad(core::ones({0}), {1, 0}, Border::Replicate);
      },
      {"border_pad: ", "at most 0"});
  check_error<ValueError>([] { border_pad(core::Array(), {1, 1}, Border::Reflect); }, {"border_pad: the operand"});
  const core::Array dy = core::ones({5}, kFloat64);
  check_error<ShapeError>(
      [&] {
        border_pad_sum({3}, {1, 2}, Border::Reflect, dy);
      },
      {"border_pad_sum: ", "[5]", "[6]"});
  check_error<ShapeError>([&] { border_pad_sum({3}, {1}, Border::Reflect, dy); }, {"border_pad_sum: ", "[1] for [3]"});
  check_error<ValueError>(
      [&] {
        border_pad_sum({3}, {4, -2}, Border::Reflect, dy);
      },
      {"border_pad_sum: ", "at most 2"});
  check_error<ValueError>([&] { border_pad_sum({3}, {1, 1}, Border::Reflect, {}); }, {"border_pad_sum: "});
  // Operations bear their own names, and inside vmap a batch is no dimension of an example's.
  const Tensor t = ones({2, 3}, kFloat64);
  check_error<ValueError>([&] { pad(t, {5, 0}, "reflect"); }, {"pad: counts must be at most 2"});
  check_error<ValueError>([&] { reflection_pad1d(t, {0, 3}); }, {"reflection_pad1d: counts must be at most 2"});
  check_error<ShapeError>([&] { func::vmap([](const Tensor& row) {
                                  return pad(row, {1, 1, 1, 1}, "circular");
                                })(t); },
                          {"pad: ", "[3]"});
  check_error<ValueError>(
      [&] {
        roll(t, {1, 2}, {0});
      },
      {"roll: there must be a shift for each dimension: [1, 2] for [0]"});
}

// More dimensions than a list of their sizes has pairs of counts.
BOOST_AUTO_TEST_CASE(five_padded_dimensions) {
  const Tensor x = randn({2, 2, 2, 2, 2}, kFloat64).requires_grad_();
  const Tensor y = pad(x, {1, 0, 1, 0, 1, 0, 1, 0, 1, 0}, "circular");
  BOOST_TEST(equal(y, cat({x.slice(4, 1), x}, 4)
                          .index_select(0, tensor({1, 0, 1}))
                          .index_select(1, tensor({1, 0, 1}))
                          .index_select(2, tensor({1, 0, 1}))
                          .index_select(3, tensor({1, 0, 1}))));
  y.sum().backward();
  BOOST_TEST(x.grad().sum().item<double>() == 243);
}

BOOST_AUTO_TEST_CASE(roll_by_the_least_number) {
  const Tensor x = randn({7}, kFloat64).requires_grad_();
  const std::int64_t least = std::numeric_limits<std::int64_t>::min();  // -1 of 7
  const Tensor y = roll(x, {least}, {0}), dy = randn({7}, kFloat64);
  BOOST_TEST(equal(y, roll(x.detach(), {-1}, {0})));
  y.backward(dy);
  BOOST_TEST(equal(x.grad(), roll(dy, {1}, {0})));
}

BOOST_AUTO_TEST_SUITE_END()
