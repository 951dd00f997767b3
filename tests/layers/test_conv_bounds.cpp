// Convolutions and their gradients read and write nothing beyond their operands and results: each lies beside memory that
// must not be touched, in several layouts, and gives the bits that it gives elsewhere.
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <gradus/autograd/tensor/create.h>
#include <gradus/core/array/create.h>
#include <gradus/core/base/errors.h>
#include <gradus/core/loops/conv_loops.h>
#include <gradus/core/loops/workspace.h>
#include <gradus/core/nn/conv.h>
#include <gradus/core/ops/pointwise.h>
#include <gradus/core/ops/reduce.h>

#include "../support/guarded.h"
#include "../support/instruction_set.h"

using namespace gradus;
using core::Array;
using core::ConvGeometry;
using core::Shape;
using core::kernels::conv_dims;
using core::kernels::Correlation;
using test::Guard;
using test::guarded;

namespace {

struct Problem {
  Shape x, weight;
  ConvGeometry how;
};

/// Rows that fill no vector, end with one, and go on behind it; positions of one image, of several, of parts of one.
const std::vector<Problem>& problems() {
  static const std::vector<Problem> list = {
      // tiles: one block of k and several, dense and a step of two and three, spread taps, a kernel of one tap, groups
      {{2, 5, 9, 11}, {19, 5, 3, 3}, {{1, 1}, {1, 1}, {1, 1}, 1}},
      {{1, 40, 7, 16}, {17, 40, 3, 3}, {{1, 1}, {0, 0}, {1, 1}, 1}},
      {{2, 6, 13, 35}, {20, 6, 3, 2}, {{2, 2}, {1, 0}, {1, 1}, 1}},
      {{2, 6, 13, 36}, {20, 6, 2, 3}, {{1, 3}, {0, 1}, {1, 1}, 1}},
      {{1, 7, 15, 21}, {33, 7, 3, 3}, {{1, 1}, {2, 0}, {2, 3}, 1}},
      {{3, 37, 6, 7}, {41, 37, 1, 1}, {{1, 1}, {0, 0}, {1, 1}, 1}},
      {{2, 18, 9, 14}, {30, 18, 1, 1}, {{2, 2}, {0, 0}, {1, 1}, 1}},
      {{5, 24, 3, 5}, {36, 8, 2, 2}, {{1, 1}, {1, 1}, {1, 1}, 3}},
      {{2, 9, 333}, {23, 9, 7}, {{1}, {3}, {1}, 1}},
      {{1, 6, 3, 700}, {12, 6, 2, 3}, {{1, 1}, {0, 1}, {1, 1}, 1}},
      {{2, 4, 5, 7, 9}, {18, 4, 3, 2, 2}, {{1, 2, 1}, {1, 0, 1}, {1, 1, 2}, 1}},
      {{9, 10, 3, 3}, {25, 10, 3, 3}, {{1, 1}, {0, 0}, {1, 1}, 1}},  // one position
      // direct loops: depthwise with taps below each other in runs of three, two and one; rows shorter than a vector
      {{2, 3, 17, 37}, {3, 1, 3, 3}, {{1, 1}, {1, 1}, {1, 1}, 3}},
      {{2, 2, 17, 37}, {2, 1, 5, 2}, {{1, 1}, {0, 1}, {1, 1}, 2}},
      {{2, 2, 19, 43}, {2, 1, 3, 3}, {{2, 2}, {2, 0}, {2, 2}, 2}},
      {{3, 5, 14, 7}, {5, 1, 3, 3}, {{1, 1}, {0, 0}, {1, 1}, 5}},
      {{2, 2, 12, 31}, {2, 1, 3, 4}, {{2, 3}, {1, 1}, {1, 1}, 2}},
      {{2, 2, 6, 8, 21}, {2, 1, 3, 3, 2}, {{1, 1, 1}, {1, 0, 1}, {1, 1, 1}, 2}},
      {{4, 3, 1, 1}, {3, 1, 1, 1}, {{1, 1}, {0, 0}, {1, 1}, 3}},
      // of two, three, four and more outputs; several blocks of channels
      {{2, 5, 11, 33}, {2, 5, 3, 3}, {{1, 1}, {0, 0}, {1, 1}, 1}},
      {{1, 40, 9, 47}, {3, 40, 3, 3}, {{1, 1}, {1, 1}, {1, 1}, 1}},
      {{2, 3, 10, 32}, {7, 3, 2, 3}, {{1, 1}, {0, 2}, {1, 1}, 1}},
      {{1, 130, 9, 21}, {1, 130, 3, 3}, {{1, 1}, {1, 1}, {1, 1}, 1}},
      // in parts of rows: of one row, of planes
      {{1, 1, 17001}, {1, 1, 5}, {{1}, {2}, {1}, 1}},
      {{1, 2, 35001}, {2, 1, 3}, {{2}, {0}, {1}, 2}},
      {{1, 1, 9, 5001}, {1, 1, 3, 3}, {{1, 1}, {1, 0}, {1, 1}, 1}},
      {{1, 70, 5, 301}, {3, 70, 2, 3}, {{1, 1}, {0, 1}, {1, 1}, 1}},
      // the input gradient by columns
      {{3, 6, 9, 8}, {4, 3, 8, 7}, {{1, 1}, {0, 0}, {1, 1}, 2}},
      {{2, 3, 60}, {5, 3, 51}, {{1}, {2}, {1}, 1}},
      {{3, 4, 20, 22}, {6, 2, 3, 3}, {{2, 1}, {1, 0}, {9, 10}, 2}},
  };
  return list;
}

std::string described(const Problem& p) {
  return "x " + core::to_string(p.x) + " weight " + core::to_string(p.weight) + " stride " +
         core::to_string(p.how.stride) + " padding " + core::to_string(p.how.padding) + " dilation " +
         core::to_string(p.how.dilation) + " groups " + std::to_string(p.how.groups);
}

bool same_bits(const Array& a, const Array& b) {
  const Array x = a.contiguous(), y = b.contiguous();
  return x.shape() == y.shape() && x.dtype() == y.dtype() &&
         std::memcmp(x.data(), y.data(), static_cast<std::size_t>(x.numel() * x.element_size())) == 0;
}

/// Elements of something `step` times as large in all dimensions but the first two, whose first and last ones they are; the
/// others are NaN.
Array part_of(const Array& whole, int step) {
  Array part = whole;
  for (int d = 2; d < part.dim(); ++d) part = part.slice(d, 0, part.size(d), step);
  return part;
}
Array apart(const Array& x, int step) {
  Shape wide = x.shape();
  for (int d = 2; d < wide.size(); ++d) wide[d] = step * (wide[d] - 1) + 1;
  const Array whole = core::full(wide, std::numeric_limits<double>::quiet_NaN(), x.dtype());
  part_of(whole, step).copy_(x);
  return whole;
}

/// The layouts of an operand: dense, with its dimensions in reverse order, every second element. Each fills its memory from
/// the first element to the last.
std::vector<Array> layouts(const Array& x, Guard guard) {
  core::Dims reversed;
  for (int d = x.dim(); d-- > 0;) reversed.push_back(d);
  return {guarded(x, guard), guarded(x.permute(reversed), guard).permute(reversed),
          part_of(guarded(apart(x, 2), guard), 2)};
}

void as_three(const std::int64_t* values, int count, std::int64_t missing, std::int64_t* three) {
  for (int d = 0; d < conv_dims; ++d) three[d] = d < conv_dims - count ? missing : values[d - (conv_dims - count)];
}

/// What `conv` makes of its operands, for a result that is given.
template <class T>
Correlation<T> correlation(const Problem& p, const Array& x, const Array& weight, const Array& bias, const Array& y) {
  const int dims = x.dim() - 2;
  Correlation<T> c{};
  as_three(y.shape().data() + 2, dims, 1, c.grid.positions);
  as_three(x.shape().data() + 2, dims, 1, c.grid.extent);
  as_three(p.weight.data() + 2, dims, 1, c.grid.taps);
  as_three(p.how.stride.data(), dims, 1, c.grid.step);
  as_three(p.how.dilation.data(), dims, 1, c.grid.spacing);
  as_three(p.how.padding.data(), dims, 0, c.grid.first);
  for (std::int64_t& first : c.grid.first) first = -first;
  c.images = x.size(0);
  c.groups = p.how.groups;
  c.outs = y.size(1) / c.groups;
  c.channels = x.size(1) / c.groups;
  c.source = x.data_ptr<T>();
  c.source_image = x.stride(0);
  c.source_channel = x.stride(1);
  as_three(x.strides().data() + 2, dims, 0, c.source_stride);
  if (weight.defined()) c.weight = weight.data_ptr<T>();
  if (bias.defined()) c.bias = bias.data_ptr<T>();
  c.result = y.data_ptr<T>();
  c.result_image = y.stride(0);
  c.result_channel = y.stride(1);
  as_three(y.strides().data() + 2, dims, 0, c.result_stride);
  return c;
}

struct Operands {
  Operands(const Problem& p, DType dtype)
      : x(randn(p.x, dtype).array()),
        weight(randn(p.weight, dtype).array()),
        bias(randn({p.weight[0]}, dtype).array()),
        dy(randn(core::conv_shape(p.x, p.weight, p.how), dtype).array()),
        dx_bias(randn({p.x[1]}, dtype).array()) {}
  Array x, weight, bias, dy, dx_bias;
};

constexpr Guard guards[] = {Guard::kBehind, Guard::kBefore};

/// body(problem, its operands, what it is) for every instruction set.
template <class T, class Body>
void for_problems(const Body& body) {
  for (const std::string_view set : instruction_sets()) {
    const test::UsingInstructionSet choice(set);
    manual_seed(41);
    for (const Problem& p : problems()) body(p, Operands(p, dtype_of<T>), described(p) + " by " + std::string(set));
  }
}

template <class T>
void check_forward() {
  int direct = 0, in_tiles = 0;
  for_problems<T>([&](const Problem& p, const Operands& of, const std::string& what) {
    const Array expected = core::conv(of.x, of.weight, of.bias, p.how);
    for (const Guard guard : guards) {
      const Array weight = guarded(of.weight, guard), bias = guarded(of.bias, guard);
      for (const Array& x : layouts(of.x, guard)) {
        for (const int step : {1, 2, 3}) {  // as in the phases of an input gradient
          const Array nan = core::full(of.dy.shape(), std::numeric_limits<double>::quiet_NaN(), of.x.dtype());
          const Array whole = guarded(apart(nan, step), guard), y = part_of(whole, step);
          const Correlation<T> problem = correlation<T>(p, x, weight, bias, y);
          core::kernels::correlate(problem);
          BOOST_TEST(same_bits(y, expected), what << ", step " << step);
          const auto untouched = core::sum(core::isnan(whole)).template item<std::int64_t>();
          BOOST_TEST(untouched == whole.numel() - y.numel(), what << ", step " << step);
          ++(core::kernels::is_direct(problem) ? direct : in_tiles);
        }
      }
    }
  });
  BOOST_TEST(direct > 0);
  BOOST_TEST(in_tiles > 0);
}

template <class T>
void check_input_gradient() {
  for_problems<T>([&](const Problem& p, const Operands& of, const std::string& what) {
    const Array expected = core::conv_input_gradient(of.dy, of.weight, p.x, p.how, of.dx_bias);
    for (const Guard guard : guards) {
      const Array bias = guarded(of.dx_bias, guard);
      const std::vector<Array> dys = layouts(of.dy, guard), weights = layouts(of.weight, guard);
      for (std::size_t i = 0; i < dys.size(); ++i) {
        BOOST_TEST(same_bits(core::conv_input_gradient(dys[i], weights[i], p.x, p.how, bias), expected), what);
      }
    }
  });
}

template <class T>
void check_weight_gradient() {
  int direct = 0, in_tiles = 0;
  for_problems<T>([&](const Problem& p, const Operands& of, const std::string& what) {
    const Array expected = core::conv_weight_gradient(of.dy, of.x, p.weight, p.how);
    for (const Guard guard : guards) {
      const Array dy = guarded(of.dy, guard);
      for (const Array& x : layouts(of.x, guard)) {
        const Array dweight = guarded(core::empty(p.weight, of.x.dtype()), guard);
        const Correlation<T> problem = correlation<T>(p, x, Array(), Array(), dy);
        core::kernels::correlate_weight(problem, dweight.template data_ptr<T>());
        BOOST_TEST(same_bits(dweight, expected), what);
        ++(core::kernels::is_direct_weight(problem) ? direct : in_tiles);
      }
    }
  });
  BOOST_TEST(direct > 0);
  BOOST_TEST(in_tiles > 0);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(conv_bounds)

BOOST_AUTO_TEST_CASE(of_a_convolution) {
  check_forward<float>();
  check_forward<double>();
}

BOOST_AUTO_TEST_CASE(of_the_input_gradient) {
  check_input_gradient<float>();
  check_input_gradient<double>();
}

BOOST_AUTO_TEST_CASE(of_the_weight_gradient) {
  check_weight_gradient<float>();
  check_weight_gradient<double>();
}

BOOST_AUTO_TEST_CASE(of_all_memory) {
  for (const int log : {60, 61, 62}) {  // the bytes of the second are 2^64, 0 in 64 bits
    BOOST_CHECK_THROW(core::kernels::Workspace<double>(std::int64_t{1} << log), MemoryError);
  }
}

BOOST_AUTO_TEST_SUITE_END()
