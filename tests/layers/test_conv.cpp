// Convolutions against PyTorch, a naive loop and finite differences; bits, threads, layouts, wrong use.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include <gradus/autograd/tensor/create.h>
#include <gradus/autograd/graph/engine.h>
#include <gradus/autograd/check/gradcheck.h>
#include <gradus/core/ops/pointwise.h>
#include <gradus/core/simd/instruction_set.h>
#include <gradus/layers/module/check.h>
#include <gradus/layers/conv/conv_rules.h>
#include <gradus/layers/functional.h>

#include "../support/pytorch.h"
#include "../support/threads.h"
#include "../support/ulp.h"

using namespace gradus;
using core::Array;
using core::ConvGeometry;
using core::Shape;
using nn::ConvRule;
using test::check_close;
using test::check_error;
using test::PyTorchFile;
using test::same_bits;
namespace F = nn::functional;

namespace {

Array array_of(const Tensor& t) { return t.defined() ? t.array() : Array(); }

/// The sums as they are written, in float64, on contiguous values: y, dx and dweight.
struct Naive {
  Naive(const Array& x_, const Array& weight_, const Array& dy_, const ConvGeometry& how) {
    const Array x = x_.to(kFloat64).clone(), weight = weight_.to(kFloat64).clone(), dy = dy_.to(kFloat64).clone();
    y = core::zeros(dy.shape(), kFloat64), dx = core::zeros(x.shape(), kFloat64);
    dweight = core::zeros(weight.shape(), kFloat64);
    const int dims = x.dim() - 2;
    const std::int64_t C = weight.size(1), O = weight.size(0) / how.groups;
    core::Dims index = core::Dims::filled(2 * dims, 0);  // a position, then a tap
    for (std::int64_t n = 0; n < x.size(0); ++n) {
      for (std::int64_t o = 0; o < weight.size(0); ++o) {
        for (std::int64_t c = 0; c < C; ++c) {
          for (bool more = dy.numel() > 0; more;) {
            std::int64_t at_y = n * dy.stride(0) + o * dy.stride(1), at_w = o * weight.stride(0) + c * weight.stride(1);
            std::int64_t at_x = n * x.stride(0) + (o / O * C + c) * x.stride(1);
            bool inside = true;
            for (int d = 0; d < dims; ++d) {
              const std::int64_t q = index[d], t = index[dims + d];
              const std::int64_t z = q * how.stride[d] - how.padding[d] + t * how.dilation[d];
              inside = inside && z >= 0 && z < x.size(d + 2);
              at_y += q * dy.stride(d + 2), at_w += t * weight.stride(d + 2), at_x += z * x.stride(d + 2);
            }
            if (inside) {
              const double value = x.data_ptr<double>()[at_x];
              y.data_ptr<double>()[at_y] += weight.data_ptr<double>()[at_w] * value;
              dx.data_ptr<double>()[at_x] += weight.data_ptr<double>()[at_w] * dy.data_ptr<double>()[at_y];
              dweight.data_ptr<double>()[at_w] += dy.data_ptr<double>()[at_y] * value;
            }
            int d = 2 * dims - 1;
            const auto size = [&](int i) { return i < dims ? dy.size(i + 2) : weight.size(i - dims + 2); };
            while (d >= 0 && ++index[d] == size(d)) index[d--] = 0;
            more = d >= 0;
          }
        }
      }
    }
  }
  Array y, dx, dweight;
};

struct Problem {
  Shape x, weight;
  ConvGeometry how;
  Shape y() const { return core::conv_shape(x, weight, how); }
};

std::string described(const Problem& p) {
  return "x " + core::to_string(p.x) + " weight " + core::to_string(p.weight) + " stride " +
         core::to_string(p.how.stride) + " padding " + core::to_string(p.how.padding) + " dilation " +
         core::to_string(p.how.dilation) + " groups " + std::to_string(p.how.groups);
}

/// The same numbers in another layout: dimensions reversed in memory, or every other element of something larger, whose
/// other elements are NaN.
Array reversed(const Array& x) {
  core::Dims dims;
  for (int i = x.dim(); i-- > 0;) dims.push_back(i);
  return x.permute(dims).clone().permute(dims);
}
Array sliced(const Array& x) {
  Shape wide = x.shape();
  for (int i = 0; i < wide.size(); ++i) wide[i] = 2 * wide[i] + 1;
  Array part = core::full(wide, std::numeric_limits<double>::quiet_NaN(), x.dtype());
  for (int i = 0; i < wide.size(); ++i) part = part.slice(i, 1, wide[i], 2);
  part.copy_(x);
  return part;
}

std::vector<Array> all_of(const Array& x, const Array& weight, const Array& bias, const Array& dy,
                          const ConvGeometry& how) {
  const auto g = ConvRule::backward(how, {}, dy, x, weight);
  return {ConvRule::forward(how, x, weight, bias), g[0], g[1], g[2]};
}

/// Element by element; where the sums are not finite, whether it is infinite or NaN.
void check_like(const Array& got, const Array& expected, const std::string& what) {
  const std::vector<double> ours = test::values(got), theirs = test::values(expected);
  BOOST_REQUIRE(ours.size() == theirs.size());
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const bool right = std::isfinite(theirs[i])
                           ? std::abs(ours[i] - theirs[i]) < 1e-5 * std::max(1.0, std::abs(theirs[i]))
                           : ours[i] == theirs[i] || (std::isnan(ours[i]) && std::isnan(theirs[i]));
    if (!right) BOOST_ERROR(what << ": [" << i << "] is " << ours[i] << " for " << theirs[i]);
  }
}

/// Problems that take every path: tiles and direct loops, one and several blocks of channels, of positions and images,
/// parts of rows, several phases of the input gradient.
const std::vector<Problem>& paths() {
  static const std::vector<Problem> list = {
      {{32, 40, 16, 16}, {50, 40, 3, 3}, {{1, 1}, {1, 1}, {1, 1}, 1}},  // several blocks of k, whole vectors
      {{20, 33, 14, 13}, {30, 33, 3, 2}, {{2, 3}, {1, 1}, {1, 1}, 1}},  // phases
      {{40, 64, 5, 5}, {48, 16, 3, 3}, {{1, 1}, {1, 1}, {1, 1}, 4}},    // groups, several images together
      {{1, 3, 90, 130}, {20, 3, 5, 5}, {{1, 1}, {2, 2}, {1, 1}, 1}},    // pieces of one image
      {{16, 60, 20, 19}, {60, 1, 3, 3}, {{1, 1}, {1, 1}, {1, 1}, 60}},  // depthwise
      {{4, 6, 9000}, {12, 1, 11}, {{2}, {5}, {3}, 6}},                  // depthwise, long rows
      {{2, 4, 40, 30, 33}, {4, 1, 3, 3, 2}, {{1, 1, 1}, {1, 1, 1}, {1, 1, 1}, 4}},  // depthwise, several slabs
      // taps below each other: in runs of 3 and 2, of 2, in several blocks, of a step and a spacing of 2
      {{2, 6, 17, 37}, {6, 1, 5, 2}, {{1, 1}, {2, 1}, {1, 1}, 6}},
      {{2, 6, 17, 37}, {6, 1, 2, 3}, {{1, 1}, {0, 1}, {1, 1}, 6}},
      {{2, 130, 9, 21}, {1, 130, 3, 3}, {{1, 1}, {1, 1}, {1, 1}, 1}},
      {{2, 6, 19, 43}, {6, 1, 3, 3}, {{2, 2}, {2, 2}, {2, 2}, 6}},
      {{3, 5, 14, 7}, {5, 1, 3, 3}, {{1, 1}, {1, 1}, {1, 1}, 5}},  // depthwise, narrower than a vector
      {{3, 8, 2000}, {40, 8, 7}, {{3}, {2}, {2}, 1}},
      {{3, 8, 9, 12, 11}, {24, 8, 3, 2, 3}, {{1, 2, 1}, {1, 1, 0}, {1, 1, 2}, 1}},
      {{2, 37, 12, 64}, {7, 37, 3, 3}, {{1, 2}, {1, 1}, {1, 1}, 1}},  // few rows, two blocks of k, every second element
      {{2, 5, 11, 63}, {40, 5, 3, 4}, {{2, 2}, {1, 1}, {1, 1}, 1}},   // few rows in phases
      {{64, 96, 3, 3}, {600, 96, 1, 1}, {{1, 1}, {0, 0}, {1, 1}, 1}},               // columns beyond one task
      {{16, 5, 9, 700}, {40, 5, 3, 3}, {{1, 1}, {1, 1}, {1, 1}, 1}},                // several pieces of each row
      {{4, 6, 7, 330}, {20, 6, 3, 3}, {{2, 1}, {1, 1}, {1, 1}, 1}},                 // a row each, one not full
      {{3, 4, 6, 19, 21}, {24, 4, 3, 3, 2}, {{1, 1, 1}, {1, 1, 0}, {1, 1, 2}, 1}},  // planes cut by themselves
      {{16, 80, 9, 250}, {20, 80, 3, 3}, {{1, 1}, {1, 1}, {1, 1}, 1}},  // a slab so large that blocks of k are shorter
      // the input gradient by columns: kernels nearly as large as the image, far apart taps, a step
      {{3, 6, 9, 8}, {4, 3, 8, 7}, {{1, 1}, {0, 0}, {1, 1}, 2}},
      {{2, 3, 60}, {5, 3, 51}, {{1}, {2}, {1}, 1}},
      {{3, 4, 20, 22}, {6, 2, 3, 3}, {{2, 1}, {1, 0}, {9, 10}, 2}},
      {{40, 70, 24, 24}, {6, 70, 21, 21}, {{1, 1}, {0, 0}, {1, 1}, 1}},  // more columns than are held at a time
      // the direct loops in parts of rows: one row, a step, several channels, taps below each other
      {{1, 1, 40000}, {1, 1, 5}, {{1}, {2}, {1}, 1}},
      {{1, 2, 70001}, {2, 1, 3}, {{2}, {1}, {1}, 2}},
      {{1, 12, 9001}, {2, 12, 3}, {{1}, {2}, {2}, 1}},
      {{1, 2, 3, 33000}, {2, 1, 3, 2}, {{1, 1}, {1, 0}, {1, 1}, 2}},
      // in parts of rows of planes: three outputs of many channels, a step, volumes
      {{2, 70, 9, 300}, {3, 70, 3, 3}, {{1, 1}, {1, 1}, {1, 1}, 1}},
      {{1, 2, 21, 5001}, {2, 1, 3, 3}, {{2, 2}, {1, 1}, {1, 1}, 2}},
      {{1, 2, 3, 6, 3000}, {2, 1, 2, 3, 3}, {{1, 1, 1}, {1, 1, 1}, {1, 1, 1}, 2}},
  };
  return list;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(conv)

BOOST_AUTO_TEST_CASE(an_infinite_weight_reaches_what_reads_it) {
  // The input's gradient where some positions of an element would lie beyond dy: what a weight is not multiplied with
  // must not turn it into NaN. Against the naive loop, with every weight of a small kernel in turn.
  manual_seed(31);
  const std::vector<Problem> problems = {
      {{2, 3, 6}, {4, 3, 3}, {{1}, {0}, {1}, 1}},
      {{1, 4, 9}, {4, 1, 3}, {{2}, {1}, {2}, 4}},
      {{2, 4, 5, 6}, {6, 2, 3, 2}, {{1, 2}, {1, 0}, {1, 1}, 2}},
      {{1, 3, 5, 4}, {2, 3, 2, 3}, {{3, 1}, {0, 2}, {1, 1}, 1}},
      {{1, 6, 3, 3}, {9, 6, 1, 1}, {{2, 1}, {0, 0}, {1, 1}, 1}},  // weight larger than dx
      {{1, 8, 2, 2}, {9, 8, 3, 3}, {{1, 1}, {1, 1}, {1, 1}, 1}},
      {{1, 2, 3, 4, 5}, {3, 2, 2, 3, 2}, {{1, 1, 2}, {1, 1, 1}, {1, 1, 2}, 1}},
  };
  for (const Problem& p : problems) {
    for (const DType dtype : {kFloat32, kFloat64}) {
      const Array x = randn(p.x, dtype).array(), dy = randn(p.y(), dtype).array();
      const std::int64_t taps = core::numel_of(p.weight), step = std::max<std::int64_t>(taps / 12, 1);
      for (const double value : {HUGE_VAL, -HUGE_VAL, std::numeric_limits<double>::quiet_NaN()}) {
        for (std::int64_t tap = 0; tap < taps; tap += step) {
          const Array weight = randn(p.weight, dtype).array();
          weight.view({-1}).select(0, tap).fill_(value);
          check_like(core::conv_input_gradient(dy, weight, p.x, p.how), Naive(x, weight, dy, p.how).dx,
                     described(p) + ": " + std::to_string(value) + " at " + std::to_string(tap));
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(an_infinite_input_reaches_the_taps_that_see_it) {
  // The weight's gradient where vectors see more of x than is meant: beyond a row of positions, below the last one, and
  // in the next channel.
  manual_seed(32);
  for (const Problem& p : std::vector<Problem>{{{1, 2, 8, 7}, {2, 1, 3, 3}, {{1, 1}, {0, 0}, {1, 1}, 2}},
                                               {{1, 2, 7, 21}, {2, 1, 2, 2}, {{1, 1}, {1, 0}, {1, 1}, 2}},
                                               {{1, 2, 5, 9}, {2, 1, 1, 3}, {{1, 1}, {0, 0}, {1, 1}, 2}},
                                               {{1, 2, 9, 11}, {2, 1, 3, 2}, {{2, 2}, {0, 0}, {1, 1}, 2}}}) {
    const Array weight = randn(p.weight).array(), dy = randn(p.y()).array();
    for (std::int64_t at = 0; at < core::numel_of(p.x); ++at) {
      const Array x = randn(p.x).array();
      x.view({-1}).select(0, at).fill_(HUGE_VAL);
      const Array expected = Naive(x, weight, dy, p.how).dweight;
      for (const std::string_view set : instruction_sets()) {
        const test::UsingInstructionSet choice(set);
        check_like(core::conv_weight_gradient(dy, x, p.weight, p.how), expected,
                   described(p) + ": infinite at " + std::to_string(at) + " by " + std::string(set));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_transposed_convolution_begins_with_its_bias) {
  manual_seed(33);
  constexpr double inf = std::numeric_limits<double>::infinity();
  for (const Problem& p :
       std::vector<Problem>{{{2, 3, 14, 11}, {4, 3, 2, 2}, {{3, 3}, {0, 0}, {1, 1}, 1}},  // phases without taps
                            {{2, 3, 9}, {4, 3, 2}, {{4}, {1}, {1}, 1}},
                            {{2, 3, 6, 7}, {0, 3, 3, 3}, {{1, 1}, {1, 1}, {1, 1}, 1}},  // nothing goes in
                            {{2, 3, 6, 7}, {6, 1, 3, 3}, {{1, 1}, {1, 1}, {1, 1}, 3}},
                            {{2, 24, 6, 7}, {5, 24, 3, 2}, {{2, 1}, {1, 0}, {1, 1}, 1}}}) {
    for (const DType dtype : {kFloat32, kFloat64}) {
      for (const double special : {0.0, inf, -inf}) {  // in the weight, then in the bias
        for (const bool in_weight : {true, false}) {
          const Array x = randn(p.x, dtype).array(), dy = randn(p.y(), dtype).array();
          const Array weight = randn(p.weight, dtype).array(), bias = randn({p.x[1]}, dtype).array();
          if (!in_weight) bias.select(0, 1).fill_(special);
          if (in_weight && weight.numel() > 0) weight.view({-1}).select(0, weight.numel() / 2).fill_(special);
          const Array expected = Naive(x, weight, dy, p.how).dx;
          for (std::int64_t c = 0; c < p.x[1]; ++c) {
            expected.select(1, c).copy_(core::add(expected.select(1, c), bias.select(0, c).to(kFloat64)));
          }
          check_like(core::conv_input_gradient(dy, weight, p.x, p.how, bias), expected,
                     described(p) + ": " + std::to_string(special) + (in_weight ? " in the weight" : " in the bias"));
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(agrees_with_pytorch) {
  const PyTorchFile file("conv");
  int seen = 0;
  for (std::size_t dims = 1; dims <= 3; ++dims) {
    for (const std::string& c : file.cases("conv" + std::to_string(dims) + "d_")) {
      ++seen;
      const Tensor x = file[c + "/x"].requires_grad_(), weight = file[c + "/weight"].requires_grad_();
      const Tensor bias = file.get(c + "/bias"), dy = file[c + "/dy"], numbers = file[c + "/numbers"];
      if (bias.defined()) bias.requires_grad_();
      const auto* number = numbers.data_ptr<std::int64_t>();
      const IntArrayRef stride(number, dims), padding(number + dims, dims), dilation(number + 2 * dims, dims);
      const std::int64_t groups = number[3 * dims];
      Tensor y;
      if (padding[0] >= 0) {
        y = dims == 1   ? conv1d(x, weight, bias, stride, padding, dilation, groups)
            : dims == 2 ? conv2d(x, weight, bias, stride, padding, dilation, groups)
                        : conv3d(x, weight, bias, stride, padding, dilation, groups);
      } else if (dims == 1) {
        y = F::conv1d(x, weight, F::Conv1dFuncOptions().bias(bias).padding(kSame).dilation(dilation.vec()));
      } else {
        y = F::conv2d(x, weight, F::Conv2dFuncOptions().bias(bias).padding(kSame).dilation(dilation.vec()));
      }
      y.backward(dy);
      file.check(y, c + "/y");
      file.check(x.grad(), c + "/dx");
      file.check(weight.grad(), c + "/dweight");
      if (bias.defined()) file.check(bias.grad(), c + "/dbias");

      if (padding[0] < 0 || x.dim() == static_cast<std::int64_t>(dims) + 1) continue;
      // The reference; and by hand, without a graph: the same bits.
      const ConvGeometry how{stride, padding, dilation, groups};
      const Tensor reference = ConvRule::reference(how, x, weight, bias);
      file.check(reference, c + "/y");
      const std::vector<Tensor> gradients = autograd::grad({reference}, {x, weight}, {dy});
      file.check(gradients[0], c + "/dx");
      file.check(gradients[1], c + "/dweight");
      const std::vector<Array> hand = all_of(x.array(), weight.array(), array_of(bias), dy.array(), how);
      BOOST_TEST(same_bits(hand[0], y.array()), c);
      BOOST_TEST(same_bits(hand[1], x.grad().array()), c);
      BOOST_TEST(same_bits(hand[2], weight.grad().array()), c);
      if (bias.defined()) BOOST_TEST(same_bits(hand[3], bias.grad().array()), c);
    }
  }
  BOOST_TEST(seen == 34);
}

BOOST_AUTO_TEST_CASE(random_shapes_agree_with_the_naive_sums) {
  std::mt19937 random(7);
  const auto between = [&](std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(random() % static_cast<std::uint32_t>(high - low + 1));
  };
  manual_seed(7);
  for (int round = 0; round < 150; ++round) {
    const DType dtype = round % 2 == 0 ? kFloat32 : kFloat64;
    const std::int64_t dims = between(1, 3), groups = between(1, 3);
    const bool deep = round % 7 == 0;
    const std::int64_t C = round % 5 == 0 ? 1 : between(1, deep ? 40 : 4), O = between(1, deep ? 20 : 4);
    Problem p{{between(1, 4), groups * C}, {groups * O, C}, {}};
    p.how.groups = groups;
    for (std::int64_t d = 0; d < dims; ++d) {
      const std::int64_t k = between(1, dims == 3 ? 2 : 4), dilation = between(1, 3), padding = between(0, 3);
      const std::int64_t least = std::max<std::int64_t>(dilation * (k - 1) + 1 - 2 * padding, 1);
      p.x.push_back(least + between(0, dims == 1 ? 60 : dims == 2 ? 12 : 5));
      p.weight.push_back(k);
      p.how.stride.push_back(between(1, 3));
      p.how.padding.push_back(padding);
      p.how.dilation.push_back(dilation);
    }
    const Array x = randn(p.x, dtype).array(), weight = randn(p.weight, dtype).array();
    const Array dy = randn(p.y(), dtype).array();
    const Naive naive(x, weight, dy, p.how);
    const std::vector<Array> ours = all_of(x, weight, Array(), dy, p.how);
    // The sums' own bound: their length times the rounding, where all products are of the size of 1.
    const double bound = dtype == kFloat32 ? 3e-6 : 1e-14;
    check_close(ours[0].to(kFloat64), naive.y, bound, "y: " + described(p));
    check_close(ours[1].to(kFloat64), naive.dx, bound, "dx: " + described(p));
    check_close(ours[2].to(kFloat64), naive.dweight, bound, "dweight: " + described(p));
  }
}

BOOST_AUTO_TEST_CASE(every_path_agrees_with_the_naive_sums) {
  manual_seed(8);
  for (const Problem& p : paths()) {
    if (p.weight[0] * p.weight[1] > 5000) continue;  // the naive loop would take long
    const Shape y = p.y();
    const std::int64_t images = std::min<std::int64_t>(p.x[0], 3);  // the same paths, less to add up
    Shape x_shape = p.x, y_shape = y;
    x_shape[0] = y_shape[0] = images;
    const Array x = randn(x_shape).array(), weight = randn(p.weight).array(), dy = randn(y_shape).array();
    const Naive naive(x, weight, dy, p.how);
    for (const std::string_view set : instruction_sets()) {
      const test::UsingInstructionSet choice(set);
      const std::vector<Array> ours = all_of(x, weight, Array(), dy, p.how);
      const std::string what = described(p) + " by " + std::string(set);
      check_close(ours[0].to(kFloat64), naive.y, 5e-6, "y: " + what);
      check_close(ours[1].to(kFloat64), naive.dx, 5e-6, "dx: " + what);
      check_close(ours[2].to(kFloat64), naive.dweight, 5e-6, "dweight: " + what);
    }
  }
}

// Where sums are taken in parts, the error does not grow with the length: of a part it is some 10^-5 (a lane alone).
BOOST_AUTO_TEST_CASE(the_weights_gradient_of_a_long_row) {
  const std::int64_t n = 1 << 20;
  const Array x = core::full({1, 1, n}, 0.1, kFloat32), dy = core::full({1, 1, n}, 0.3, kFloat32);
  const Array dweight = core::conv_weight_gradient(dy, x, {1, 1, 5}, {{1}, {2}, {1}, 1});
  const double product = static_cast<double>(0.1f) * static_cast<double>(0.3f);
  for (int tap = 0; tap < 5; ++tap) {
    const double expected = product * static_cast<double>(n - std::abs(tap - 2));
    BOOST_TEST(std::abs(dweight.flatten()[tap].item<double>() - expected) < 1e-4 * expected);
  }
}

BOOST_AUTO_TEST_CASE(the_same_bits_at_any_number_of_threads) {
  manual_seed(9);
  struct Case {
    const Problem& p;
    Array x, weight, bias, dy, dx_bias;
    std::vector<Array> first;
  };
  std::vector<Case> cases;
  for (const DType dtype : {kFloat32, kFloat64}) {
    for (const Problem& p : paths()) {
      cases.push_back({p,
                       randn(p.x, dtype).array(),
                       randn(p.weight, dtype).array(),
                       randn({p.weight[0]}, dtype).array(),
                       randn(p.y(), dtype).array(),
                       randn({p.x[1]}, dtype).array(),
                       {}});
    }
  }
  test::ManyThreads().each([&] {
    for (Case& c : cases) {
      std::vector<Array> now = all_of(c.x, c.weight, c.bias, c.dy, c.p.how);
      now.push_back(core::conv_input_gradient(c.dy, c.weight, c.p.x, c.p.how, c.dx_bias));
      if (c.first.empty()) c.first = now;
      for (std::size_t i = 0; i < now.size(); ++i) {
        BOOST_REQUIRE_MESSAGE(same_bits(now[i], c.first[i]), i << ": " << described(c.p));
      }
    }
  });
}

BOOST_AUTO_TEST_CASE(an_image_has_the_same_bits_alone_and_in_a_batch) {
  manual_seed(10);
  for (const Problem& p : paths()) {
    const Array x = randn(p.x).array(), weight = randn(p.weight).array(), bias = randn({p.weight[0]}).array();
    const Array dy = randn(p.y()).array(), y = core::conv(x, weight, bias, p.how);
    const std::int64_t last = p.x[0] - 1;
    Shape one = p.x;
    one[0] = 1;
    BOOST_TEST(same_bits(core::conv(x.narrow(0, last, 1), weight, bias, p.how), y.narrow(0, last, 1)), described(p));
    for (const Array& dx_bias : {Array(), randn({p.x[1]}).array()}) {
      const Array dx = core::conv_input_gradient(dy, weight, p.x, p.how, dx_bias);
      const Array alone = core::conv_input_gradient(dy.narrow(0, last, 1), weight, one, p.how, dx_bias);
      BOOST_TEST(same_bits(alone, dx.narrow(0, last, 1)), described(p));
    }
  }
}

BOOST_AUTO_TEST_CASE(layout_and_subsets_of_gradients_change_nothing) {
  manual_seed(11);
  for (const Problem& p : std::vector<Problem>{{{3, 6, 9, 8}, {8, 3, 3, 2}, {{2, 1}, {1, 1}, {1, 2}, 2}},
                                               {{3, 4, 9, 8}, {4, 1, 3, 3}, {{1, 1}, {1, 1}, {1, 1}, 4}},
                                               {{2, 3, 40}, {4, 3, 5}, {{1}, {2}, {1}, 1}}}) {
    const Array x = randn(p.x).array(), weight = randn(p.weight).array(), bias = randn({p.weight[0]}).array();
    const Array dy = randn(p.y()).array();
    const std::vector<Array> plain = all_of(x, weight, bias, dy, p.how);
    const std::vector<std::vector<Array>> others = {
        all_of(reversed(x), sliced(weight), sliced(bias), reversed(dy), p.how),
        all_of(sliced(x), reversed(weight), sliced(bias), sliced(dy), p.how)};
    for (const std::vector<Array>& other : others) {
      for (std::size_t i = 0; i < 3; ++i) BOOST_TEST(same_bits(other[i], plain[i]), i << ": " << described(p));
      check_close(other[3], plain[3], 1e-6, "dbias");
    }
    for (std::uint32_t mask = 0; mask < 8; ++mask) {
      const auto some = ConvRule::backward(p.how, autograd::Needs(mask), dy, x, weight);
      for (std::size_t i = 0; i < 3; ++i) {
        BOOST_TEST(some[i].defined() == (((mask >> i) & 1u) != 0));
        if (some[i].defined()) BOOST_TEST(same_bits(some[i], plain[i + 1]));
      }
    }
    // What sum().backward() sends: one number for all.
    const Array one = core::ones({}).expand(dy.shape());
    const auto expanded = ConvRule::backward(p.how, {}, one, x, weight);
    const auto dense = ConvRule::backward(p.how, {}, one.clone(), x, weight);
    for (std::size_t i = 0; i < 2; ++i) BOOST_TEST(same_bits(expanded[i], dense[i]));
  }
}

BOOST_AUTO_TEST_CASE(infinities_and_nans_stay_where_they_belong) {
  const auto x = core::ones({1, 1, 3, 20}).clone();
  x.data_ptr<float>()[7] = std::numeric_limits<float>::infinity();
  x.data_ptr<float>()[30] = std::numeric_limits<float>::quiet_NaN();
  for (const std::int64_t out : {1, 20}) {  // directly, and by tiles
    const Array y = core::conv(x, core::ones({out, 1, 1, 2}), Array(), {{1, 1}, {0, 0}, {1, 1}, 1});
    const std::vector<double> values = test::values(y.select(1, out - 1));
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i == 6 || i == 7) {
        BOOST_TEST(std::isinf(values[i]));
      } else if (i == 28 || i == 29) {
        BOOST_TEST(std::isnan(values[i]));
      } else {
        BOOST_TEST(values[i] == 2);
      }
    }
    // Every tap sees the infinity but one that never meets it.
    const Array dy = core::ones(y.shape()), shorter = x.narrow(3, 0, 8).clone();
    const Array dweight = core::conv_weight_gradient(core::ones({1, out, 3, 7}), shorter.narrow(2, 0, 3),
                                                     {out, 1, 1, 2}, {{1, 1}, {0, 0}, {1, 1}, 1});
    const std::vector<double> sums = test::values(dweight);
    BOOST_TEST(sums[0] == 21);
    BOOST_TEST(std::isinf(sums[1]));
  }
}

// --- Three ways

BOOST_AUTO_TEST_CASE(is_right_three_ways) {
  manual_seed(12);
  const auto draw = [](IntArrayRef shape) { return randn(shape, kFloat64); };
  const auto passes = [&](const Problem& p, bool with_bias) {
    const auto report =
        nn::check(ConvRule(), p.how, draw(p.x), draw(p.weight), with_bias ? draw({p.weight[0]}) : Tensor());
    BOOST_TEST(report.ok(), described(p) << "\n" << report);
    BOOST_TEST(report.notes.empty(), report);
    for (const auto& row : report.rows) {
      BOOST_TEST(row.hand_graph <= 1e-12, report);
      if (row.order != 0) BOOST_TEST(row.hand_finite <= 1e-7, report);
    }
  };
  passes({{2, 3, 7}, {4, 3, 2}, {{2}, {1}, {2}, 1}}, true);
  passes({{2, 3, 5, 4}, {4, 3, 3, 2}, {{1, 1}, {0, 0}, {1, 1}, 1}}, true);
  passes({{2, 3, 5, 4}, {4, 3, 3, 2}, {{2, 1}, {1, 2}, {1, 2}, 1}}, false);
  passes({{2, 4, 5, 4}, {6, 2, 2, 3}, {{1, 2}, {1, 1}, {1, 1}, 2}}, true);
  passes({{2, 3, 5, 4}, {3, 1, 3, 3}, {{1, 1}, {1, 1}, {1, 1}, 3}}, true);  // depthwise
  passes({{2, 3, 5, 4}, {6, 1, 2, 3}, {{2, 1}, {1, 0}, {1, 1}, 3}}, true);
  passes({{2, 2, 3, 4, 3}, {3, 2, 2, 3, 2}, {{1, 2, 1}, {1, 0, 1}, {1, 1, 2}, 1}}, true);
}

BOOST_AUTO_TEST_CASE(modules_are_right_three_ways) {
  manual_seed(13);
  BOOST_TEST(nn::check(nn::Conv1d(2, 3, 3), randn({2, 2, 6})).ok());
  BOOST_TEST(nn::check(nn::Conv2d(nn::Conv2dOptions(2, 3, {3, 2}).padding(kSame)), randn({2, 2, 4, 5})).ok());
  BOOST_TEST(nn::check(nn::Conv2d(nn::Conv2dOptions(2, 4, 3).padding(1).groups(2).bias(false)), randn({2, 5, 4})).ok());
  BOOST_TEST(nn::check(nn::Conv3d(nn::Conv3dOptions(1, 2, 2).stride(2)), randn({2, 1, 4, 5, 4})).ok());
}

BOOST_AUTO_TEST_CASE(second_order_is_right) {
  const auto f = [](const std::vector<Tensor>& in) {
    const auto how = F::Conv2dFuncOptions().bias(in[2]).stride({2, 1}).padding(1).groups(2);
    return std::vector<Tensor>{F::conv2d(in[0], in[1], how).square()};
  };
  std::vector<Tensor> inputs = {randn({2, 4, 4, 3}, kFloat64), randn({2, 2, 3, 2}, kFloat64), randn({2}, kFloat64)};
  for (const Tensor& t : inputs) t.requires_grad_();
  BOOST_TEST(gradcheck(f, inputs));
  BOOST_TEST(gradgradcheck(f, inputs));
}

// However many taps there are, a gradient that is recorded is one operation, of the same bits as by hand.
BOOST_AUTO_TEST_CASE(gradients_of_convolutions_are_convolutions) {
  manual_seed(14);
  const auto gradients_are = [](const Tensor& y, const Tensor& x, const Tensor& w, const char* of_x) {
    const auto plain = autograd::grad({y}, {x, w}, {ones_like(y)}, true);
    const auto recorded = autograd::grad({y}, {x, w}, {ones_like(y)}, true, true);
    BOOST_TEST(recorded[0].grad_fn()->name() == of_x);
    BOOST_TEST(recorded[1].grad_fn()->name() == "conv_weight_gradient");
    for (std::size_t i = 0; i < 2; ++i) BOOST_TEST(same_bits(plain[i], recorded[i]));
  };
  const Tensor x = randn({2, 4, 9, 8}).requires_grad_(), w = randn({6, 2, 3, 3}).requires_grad_();
  gradients_are(conv2d(x, w, {}, {2, 3}, {1, 2}, {2, 1}, 2), x, w, "conv_transpose");
  const Tensor v = randn({4, 3, 3, 2}).requires_grad_();
  gradients_are(conv_transpose2d(x, v, {}, {3, 2}, 1, {2, 0}, 2, 2), x, v, "conv");
}

// --- The modules

BOOST_AUTO_TEST_CASE(a_module_is_the_function_of_its_parameters) {
  nn::Conv2d layer(nn::Conv2dOptions(4, 6, {3, 2}).stride(2).padding({1, 0}).dilation({1, 2}).groups(2));
  const Tensor x = randn({3, 4, 8, 9});
  const auto how = F::Conv2dFuncOptions().bias(layer->bias).stride(2).padding({1, 0}).dilation({1, 2}).groups(2);
  BOOST_TEST(same_bits(layer(x), F::conv2d(x, layer->weight, how)));
  BOOST_TEST(same_bits(layer(x), conv2d(x, layer->weight, layer->bias, 2, {1, 0}, {1, 2}, 2)));
  // Padding by name, which no number is taken for.
  const Tensor same = F::conv2d(x, layer->weight, F::Conv2dFuncOptions().padding(kSame).dilation({1, 2}).groups(2));
  BOOST_TEST(same_bits(conv2d(x, layer->weight, {}, 1, "same", {1, 2}, 2), same));
  const Tensor valid = conv2d(x, layer->weight, {}, 2, 0, 1, 2);
  BOOST_TEST(same_bits(conv2d(x, layer->weight, {}, 2, std::string("valid"), 1, 2), valid));
  BOOST_TEST(same_bits(conv2d(x, layer->weight, {}, {2}, {0}, {1}, 2), valid));
  BOOST_TEST(same_bits(conv2d(x, layer->weight, {}, {2, 2}, {0, 0}, {1, 1}, 2), valid));
  check_error<ValueError>([&] { conv2d(x, layer->weight, {}, 1, "full", 1, 2); },
                          {"conv2d: padding must be \"same\", \"valid\" or numbers: \"full\""});
  BOOST_TEST(layer->weight.sizes().vec() == (std::vector<std::int64_t>{6, 2, 3, 2}));
  BOOST_TEST(layer->named_parameters().keys() == (std::vector<std::string>{"weight", "bias"}));
  BOOST_TEST(layer->to_string() ==
             "Conv2d(4, 6, kernel_size=[3, 2], stride=[2, 2], padding=[1, 0], dilation=[1, 2], groups=2)");
  BOOST_TEST(same_bits(layer(x[1]), layer(x)[1]));  // without N

  nn::Conv1d plain(nn::Conv1dOptions(3, 2, 5).bias(false).padding(kValid));
  BOOST_TEST(!plain->bias.defined());
  BOOST_TEST(plain->parameters().size() == 1u);
  BOOST_TEST(plain(randn({2, 3, 9})).sizes().vec() == (std::vector<std::int64_t>{2, 2, 5}));
  BOOST_TEST(plain->to_string() == "Conv1d(3, 2, kernel_size=5, stride=1, padding='valid', bias=false)");
  nn::Conv3d three(1, 2, 3);
  BOOST_TEST(three(randn({2, 1, 5, 4, 3})).sizes().vec() == (std::vector<std::int64_t>{2, 2, 3, 2, 1}));
}

BOOST_AUTO_TEST_CASE(starts_uniform_in_one_over_the_root_of_fan_in) {
  manual_seed(1);
  nn::Conv2d layer(nn::Conv2dOptions(40, 60, {3, 5}).groups(2));
  const double bound = 1 / std::sqrt(20.0 * 15);
  for (const Tensor& p : layer->parameters()) {
    const double largest = abs(p).max().item<double>(), mean = p.mean().item<double>();
    BOOST_TEST(largest <= bound);
    BOOST_TEST(largest > 0.9 * bound);
    BOOST_TEST(std::abs(mean) <= 5 * bound / std::sqrt(3 * static_cast<double>(p.numel())));
    const double square = p.square().mean().item<double>();
    BOOST_TEST(std::abs(square - bound * bound / 3) <=
               5 * bound * bound * std::sqrt(4.0 / 45 / static_cast<double>(p.numel())));
  }
}

BOOST_AUTO_TEST_CASE(empty_batches_and_empty_channels) {
  nn::Conv2d layer(nn::Conv2dOptions(3, 2, 3).padding(1));
  const Tensor x = zeros({0, 3, 5, 4}).requires_grad_();
  const Tensor y = layer(x);
  BOOST_TEST(y.sizes().vec() == (std::vector<std::int64_t>{0, 2, 5, 4}));
  y.sum().backward();
  BOOST_TEST(x.grad().sizes().vec() == (std::vector<std::int64_t>{0, 3, 5, 4}));
  BOOST_TEST(test::values(layer->weight.grad().array()) == std::vector<double>(54, 0.0));
  BOOST_TEST(test::values(layer->bias.grad().array()) == std::vector<double>(2, 0.0));
  // The transposed one.
  const Tensor none = zeros({0, 3, 5, 5}).requires_grad_(), w = randn({3, 4, 3, 3}).requires_grad_();
  const Tensor up = F::conv_transpose2d(none, w);
  const std::vector<Tensor> first = autograd::grad({up}, {none, w}, {ones_like(up).requires_grad_()}, true, true);
  BOOST_TEST(test::values(first[1].array()) == std::vector<double>(108, 0.0));
  // Where taps fall beside the result, and where all of them do.
  using Transposed = F::ConvTranspose1dFuncOptions;
  for (const bool all : {false, true}) {
    const auto how = all ? Transposed().stride(7).padding(3).output_padding(6) : Transposed().padding(2);
    const auto f = [&](const std::vector<Tensor>& in) { return std::vector{F::conv_transpose1d(in[0], in[1], how)}; };
    const std::vector<Tensor> inputs = {randn({2, 2, 1}, kDouble).requires_grad_(),
                                        randn({2, 3, all ? 1 : 5}, kDouble).requires_grad_()};
    BOOST_TEST(gradgradcheck(f, inputs));
    const std::int64_t stride = all ? 7 : 1;
    const nn::ConvTransposeRule::Attrs attrs{{{stride}, {all ? 3 : 2}, {1}, 1}, {all ? 6 : 0}};
    BOOST_TEST(allclose(nn::ConvTransposeRule::reference(attrs, inputs[0], inputs[1], Tensor()), f(inputs)[0]));
    if (!all) BOOST_TEST(nn::check(nn::ConvTransposeRule(), attrs, inputs[0], inputs[1], Tensor()).ok());
  }
  // Nothing but padding to see: the bias.
  const Array nothing =
      core::conv(core::zeros({1, 2, 0}), core::ones({1, 2, 3}), core::full({1}, 5, kFloat32), {{1}, {2}, {1}, 1});
  BOOST_TEST(test::values(nothing) == (std::vector<double>{5, 5}));
  const Array no_channels = core::conv(core::zeros({1, 0, 3}), core::ones({2, 0, 3}),
                                       test::list(std::vector<float>{5, 6}), {{1}, {0}, {1}, 1});
  BOOST_TEST(test::values(no_channels) == (std::vector<double>{5, 6}));
  // The reference has them, too.
  for (const auto& [N, C, O] : {std::array<std::int64_t, 3>{0, 4, 2}, {2, 0, 2}, {2, 4, 0}, {0, 0, 0}}) {
    const Tensor in = randn({N, C, 5, 6}), taps = randn({O, C / 2, 2, 3});
    const nn::ConvRule::Attrs attrs{{2, 1}, {1, 0}, {1, 2}, 2};
    BOOST_TEST(same_bits(nn::ConvRule::reference(attrs, in, taps, Tensor()).array(),
                         conv2d(in, taps, {}, {2, 1}, {1, 0}, {1, 2}, 2).array()));
  }
}

BOOST_AUTO_TEST_CASE(padding_of_a_tensor) {
  const Tensor x = arange(6).to(kFloat32).reshape({2, 3});
  const Tensor y = F::pad(x, F::PadFuncOptions({1, 2, 0, 1}).value(9));
  BOOST_TEST(test::values(y.array()) == (std::vector<double>{9, 0, 1, 2, 9, 9, 9, 3, 4, 5, 9, 9, 9, 9, 9, 9, 9, 9}));
  BOOST_TEST(test::values(constant_pad_nd(x, {-1, 0}).array()) == (std::vector<double>{1, 2, 4, 5}));
  BOOST_TEST(test::values(constant_pad_nd(x, {-2, 1}, 7).array()) == (std::vector<double>{2, 7, 5, 7}));
  check_error<ShapeError>([&] { constant_pad_nd(x, {-4, 2}); }, {"constant_pad_nd: no more can be cut off", "[-4, 2]"});
  check_error<ShapeError>([&] { constant_pad_nd(x, {1, 1, 1}); }, {"constant_pad_nd: pad must have two", "[1, 1, 1]"});
  check_error<ShapeError>([&] { constant_pad_nd(x, {-2, -2}); }, {"constant_pad_nd: no more", "[-2, -2]", "[2, 3]"});
  BOOST_TEST(equal(F::pad(x, F::PadFuncOptions({1, 1}).mode(kReflect)), pad(x, {1, 1}, "reflect")));
  check_error<ValueError>([&] { F::pad(x, F::PadFuncOptions({1, 1}).mode(kReflect).value(2)); }, {"pad: ", "reflect"});
}

// --- Wrong use

BOOST_AUTO_TEST_CASE(wrong_use_is_said_and_harms_nothing) {
  nn::Conv2d layer(nn::Conv2dOptions(4, 6, 3).padding(1));
  const auto works = [&] {
    layer->zero_grad();
    layer(randn({2, 4, 5, 5})).sum().backward();
    BOOST_TEST(layer->bias.grad().array().data_ptr<float>()[0] == 50);
  };
  check_error<ShapeError>([&] { layer(randn({2, 3, 5, 5})); }, {"conv2d: input must have 4 channels", "[2, 3, 5, 5]"});
  works();
  check_error<ShapeError>([&] { layer(randn({5, 5})); }, {"conv2d: input must be [N, C, H, W] or [C, H, W]: [5, 5]"});
  works();
  check_error<ShapeError>(
      [&] {
        layer(randn({2, 4, 5, 0}));
      },
      {"conv2d: the kernel must not exceed the padded input: 3 wide (dilation 1) for 2 wide (padding "
       "1) in dimension 3: input [2, 4, 5, 0], weight [6, 4, 3, 3]"});
  works();
  check_error<DTypeError>([&] { layer(randn({2, 4, 5, 5}, kFloat64)); }, {"conv2d:", "float64, float32 and float32"});
  works();
  check_error<DTypeError>([&] { layer(ones({2, 4, 5, 5}, kInt64)); }, {"conv2d:", "int64"});
  works();

  const Tensor x = randn({2, 4, 5, 5}), weight = randn({6, 4, 3, 3});
  check_error<ValueError>([&] { conv2d(x, weight, {}, 0); }, {"conv2d: stride must be at least 1: [0, 0]"});
  check_error<ValueError>([&] { conv2d(x, weight, {}, 1, -1); }, {"conv2d: padding must be at least 0: [-1, -1]"});
  // A stride beyond the input takes no more memory or time than one within it, up to the largest number.
  for (const std::int64_t kernel : {2, 3, 5}) {
    const Tensor in = randn({1, 8, 10}).requires_grad_(), w = randn({8, 8, kernel}).requires_grad_();
    const auto run = [&](std::int64_t stride) {
      in.mutable_grad() = w.mutable_grad() = Tensor();
      const Tensor y = conv1d(in, w, {}, stride);
      y.sum().backward();
      return std::vector<Tensor>{y.detach(), in.grad(), w.grad()};
    };
    const auto within = run(9), beyond = run(std::numeric_limits<std::int64_t>::max());
    for (std::size_t i = 0; i < 3; ++i) BOOST_TEST(test::same_bits(within[i], beyond[i]));
    BOOST_TEST(test::same_bits(beyond[0], conv1d(in.slice(2, 0, kernel), w).detach()));
  }
  // Sizes that would overflow.
  const Tensor row = ones({1, 1, 8}), five = ones({1, 1, 5});
  for (const int shift : {60, 61, 62}) {
    const std::int64_t large = std::int64_t{1} << shift;
    check_error<ValueError>([&] { conv1d(row, five, {}, 1, 0, large); }, {"conv1d: dilation x kernel and padding"});
    check_error<ValueError>([&] { conv1d(row, five, {}, 1, 4 * (large / 2 - 1) + 3, 1); },
                            {"conv1d: dilation x kernel"});
    check_error<ValueError>([&] { F::conv1d(row, five, F::Conv1dFuncOptions().padding(kSame).dilation(large)); },
                            {"conv1d: dilation x"});
  }
  // A small result, and a padded input that no memory holds.
  const std::int64_t far = std::int64_t{1} << 50;
  check_error<MemoryError>([&] { conv1d(ones({1, 8, 16}), ones({8, 8, 2}), {}, 1, far / 2, far); }, {});
  check_error<ValueError>([] { nn::Conv2d(nn::Conv2dOptions(-3, 4, 3)); },
                          {"Conv2d: channels must not be negative: -3"});
  check_error<ValueError>([&] { conv2d(x, weight, {}, 1, 0, 0); }, {"conv2d: dilation must be at least 1: [0, 0]"});
  check_error<ValueError>([&] { conv2d(x, weight, {}, 1, 0, 1, 3); },
                          {"conv2d: groups must divide the channels: groups 3 for 4 in and 6 out"});
  check_error<ValueError>([&] { conv2d(x, weight, {}, 1, 0, 1, 0); }, {"conv2d: groups must be at least 1: 0"});
  check_error<ShapeError>([&] { conv2d(x, weight, {}, {1, 1, 1}); }, {"2 numbers are needed", "3 given"});
  check_error<ShapeError>([&] { conv2d(x, weight, randn({5})); }, {"conv2d: bias must be [out channels]: [5] for [6]"});
  // The gradients by hand read what they are given as far as the shapes say.
  const Array dy = randn({2, 6, 3, 3}).array(), w = weight.array();
  const ConvGeometry how{{1, 1}, {0, 0}, {1, 1}, 1};
  const auto dx = [&](const Array& dy_, const Array& bias) { core::conv_input_gradient(dy_, w, x.sizes(), how, bias); };
  check_error<ShapeError>([&] { dx(dy, core::ones({3})); }, {"conv: bias must be [channels of x]: [3] for [4]"});
  check_error<DTypeError>([&] { dx(dy, core::ones({4}, kFloat64)); }, {"conv: bias", "float64", "float32"});
  check_error<DTypeError>([&] { dx(dy.to(kFloat64), Array()); }, {"conv: weight", "float32", "float64"});
  check_error<DTypeError>([&] { dx(dy.to(kInt64), Array()); }, {"conv: dy", "int64"});
  check_error<DTypeError>([&] { core::conv_weight_gradient(dy, x.array().to(kFloat64), weight.sizes(), how); },
                          {"conv: x", "float64", "float32"});
  check_error<ShapeError>(
      [&] {
        conv2d(x, randn({6, 4, 3}));
      },
      {"conv2d: weight must be [O, C / groups, K, K']: [6, 4, 3]"});
  check_error<ShapeError>([&] { conv2d(x, randn({6, 4, 0, 3})); }, {"conv2d: the kernel must not be empty"});
  check_error<ValueError>([&] { F::conv2d(x, weight, F::Conv2dFuncOptions().stride(2).padding(kSame)); },
                          {"conv2d: padding kSame needs stride 1: [2, 2]"});
  // What was given is shown, not what it is padded to, nor a batch made of one sample.
  check_error<ShapeError>(
      [&] {
        conv1d(randn({1, 3, 5}), randn({4, 2, 2}), {}, 1, "same");
      },
      {"conv1d: input must have 2 channels for weight [4, 2, 2] and groups 1: [1, 3, 5]"});
  check_error<ShapeError>([&] { conv1d(randn({3, 5}), randn({4, 2, 2})); }, {"groups 1: [3, 5]"});
  check_error<ValueError>([&] { conv1d(randn({3, 5}), randn({4, 2, 2}), {}, 1, 0, 1, 0); }, {"conv1d: groups"});
  check_error<ValueError>([] { nn::Conv2d(nn::Conv2dOptions(4, 6, 3).groups(4)); },
                          {"Conv2d: groups must divide the channels: groups 4 for 4 in and 6 out"});
  check_error<ValueError>([] { nn::Conv2d(nn::Conv2dOptions(4, 6, 3).stride(0)); }, {"Conv2d:", "stride", "[0, 0]"});
  check_error<ValueError>([] { nn::Conv1d(nn::Conv1dOptions(4, 6, 3).padding_mode(kConstant)); },
                          {"Conv1d: padding_mode must be kZeros, kReflect, kReplicate or kCircular: constant"});
}

BOOST_AUTO_TEST_CASE(errors_of_the_graph_name_the_layer_and_the_users_line) {
  nn::Conv2d layer(3, 2, 3);
  const Tensor x = randn({1, 3, 4, 4});
  const Tensor y = layer(x);
  const int line = __LINE__ - 1;
  BOOST_TEST(std::string(y.grad_fn()->name()) == "conv");
  BOOST_TEST(y.grad_fn()->location().line() == line);
  {
    const NoGradGuard no_grad;
    layer->weight.mul_(2);
  }
  check_error<GradError>([&] { y.sum().backward(); }, {"conv", "mul_", "must not be changed"});
}

BOOST_AUTO_TEST_SUITE_END()
