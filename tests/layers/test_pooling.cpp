// Pooling against PyTorch, three ways, and where windows meet edges, padding, NaN and nothing.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <functional>
#include <limits>
#include <sstream>
#include <string_view>

#include <gradus/autograd/tensor/create.h>
#include <gradus/autograd/graph/engine.h>
#include <gradus/autograd/func/transforms.h>
#include <gradus/autograd/func/vmap.h>
#include <gradus/core/nn/pooling.h>
#include <gradus/layers/module/check.h>
#include <gradus/layers/functional.h>
#include <gradus/layers/pool/pool_rules.h>

#include "../support/instruction_set.h"
#include "../support/pytorch.h"
#include "../support/threads.h"
#include "../support/three_ways.h"

using namespace gradus;
using core::Array;
using core::PoolWindows;
using core::Shape;
using nn::AdaptiveAvgPool2dRule;
using nn::AvgPoolRule;
using nn::MaxPoolRule;
using test::check_close;
using test::check_error;
using test::passes;
using test::PyTorchFile;
using test::same_bits;
namespace F = nn::functional;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

// The options that a case of the file spells in its name.
struct Spelled {
  explicit Spelled(const std::string& name) {
    std::istringstream parts(name);
    std::string part;
    while (std::getline(parts, part, '_')) {
      std::vector<std::int64_t>* list = nullptr;
      if (part[0] == 'k') list = &kernel;
      if (part[0] == 's') list = &stride;
      if (part[0] == 'p') list = &padding;
      if (part[0] == 'd') list = &dilation;
      for (std::size_t i = 1; list != nullptr && i < part.size(); ++i) list->push_back(part[i] - '0');
      ceil |= part == "c";
      exclude |= part == "e";
      overridden |= part == "o";
    }
    if (stride.empty()) stride = kernel;
    if (padding.empty()) padding.assign(kernel.size(), 0);
    if (dilation.empty()) dilation.assign(kernel.size(), 1);
  }
  PoolWindows windows() const { return {kernel, stride, padding, dilation, ceil}; }
  core::PoolDivisor divisor() const {
    return {!exclude, overridden ? std::optional<std::int64_t>(3) : std::optional<std::int64_t>()};
  }
  std::vector<std::int64_t> kernel, stride, padding, dilation;
  bool ceil = false, exclude = false, overridden = false;
};

template <std::size_t D, class Layer>
void check_max(const PyTorchFile& file, const std::string& c) {
  const Spelled s(c);
  Layer layer(
      nn::MaxPoolOptions<D>(s.kernel).stride(s.stride).padding(s.padding).dilation(s.dilation).ceil_mode(s.ceil));
  const Tensor x = file[c + "/x"].requires_grad_();
  const auto [y, index] = layer->forward_with_indices(x);
  y.backward(file[c + "/dy"]);
  BOOST_TEST(same_bits(y, file[c + "/y"]), c);
  BOOST_TEST(same_bits(layer(x), y), c);
  BOOST_TEST(same_bits(index, file[c + "/index"]), c);
  file.check(x.grad(), c + "/dx");
  check_close(MaxPoolRule::reference(s.windows(), x), y, 0, c);
}
template <std::size_t D, class Layer>
void check_avg(const PyTorchFile& file, const std::string& c) {
  const Spelled s(c);
  Layer layer(nn::AvgPoolOptions<D>(s.kernel)
                  .stride(s.stride)
                  .padding(s.padding)
                  .ceil_mode(s.ceil)
                  .count_include_pad(!s.exclude)
                  .divisor_override(s.divisor().override_with));
  const Tensor x = file[c + "/x"].requires_grad_();
  const Tensor y = layer(x);
  y.backward(file[c + "/dy"]);
  file.check(y, c + "/y");
  file.check(x.grad(), c + "/dx");
  file.check(AvgPoolRule::reference({s.windows(), s.divisor()}, x), c + "/y");
}

// 1 x 1 x H x W.
Tensor image(std::int64_t h, std::int64_t w, const std::vector<double>& numbers) {
  return Tensor(test::list(numbers)).to(kFloat32).reshape({1, 1, h, w});
}
Tensor spread(IntArrayRef shape) {  // float64, all different
  const std::int64_t n = core::checked_numel(shape, "spread");
  return (randperm(n).to(kFloat64) / 8 - static_cast<double>(n) / 16 + 0.03).reshape(shape);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pooling)

BOOST_AUTO_TEST_CASE(agrees_with_pytorch) {
  const PyTorchFile file("pooling");
  std::size_t count = 0;
  for (const std::string& c : file.cases("max")) {
    ++count;
    if (c[3] == '1') check_max<1, nn::MaxPool1d>(file, c);
    if (c[3] == '2') check_max<2, nn::MaxPool2d>(file, c);
    if (c[3] == '3') check_max<3, nn::MaxPool3d>(file, c);
  }
  for (const std::string& c : file.cases("avg")) {
    ++count;
    if (c[3] == '1') check_avg<1, nn::AvgPool1d>(file, c);
    if (c[3] == '2') check_avg<2, nn::AvgPool2d>(file, c);
    if (c[3] == '3') check_avg<3, nn::AvgPool3d>(file, c);
  }
  BOOST_TEST(count == 56u);
  for (const std::string& c : file.cases("adaptive_")) {
    const std::int64_t h = c[9] - '0', w = c[11] - '0';
    const Tensor x = file[c + "/x"].requires_grad_();
    nn::AdaptiveAvgPool2d layer(nn::AdaptiveAvgPool2dOptions({h, w == 0 ? std::nullopt : std::optional(w)}));
    const Tensor y = layer(x);
    y.backward(file[c + "/dy"]);
    file.check(y, c + "/y");
    file.check(x.grad(), c + "/dx");
    if (w != 0) BOOST_TEST(same_bits(adaptive_avg_pool2d(x, {h, w}), y));
  }
}

BOOST_AUTO_TEST_CASE(three_ways) {
  manual_seed(5);
  const std::vector<PoolWindows> flat = {{{2, 2}, {2, 2}, {0, 0}, {1, 1}, false},
                                         {{3, 2}, {1, 2}, {1, 1}, {1, 1}, false},
                                         {{2, 3}, {3, 2}, {1, 0}, {1, 1}, true},
                                         {{2, 2}, {1, 3}, {1, 1}, {2, 1}, false}};
  for (const PoolWindows& w : flat) {
    for (const std::vector<std::int64_t>& shape : std::vector<std::vector<std::int64_t>>{{2, 3, 5, 7}, {3, 4, 6}}) {
      passes(nn::check<MaxPoolRule>(w, spread(shape)), {"x"}, true);
      if (w.dilation[0] != 1) continue;
      for (const core::PoolDivisor& divisor : {core::PoolDivisor{true}, core::PoolDivisor{false}, {true, 3}}) {
        passes(nn::check<AvgPoolRule>({w, divisor}, spread(shape)), {"x"}, true);
      }
    }
  }
  passes(nn::check<MaxPoolRule>({{3}, {2}, {1}, {1}, false}, spread({2, 3, 8})), {"x"}, true);
  passes(nn::check<AvgPoolRule>({{{3}, {2}, {1}, {1}, false}, {}}, spread({2, 3, 8})), {"x"}, true);
  passes(nn::check<MaxPoolRule>({{2, 2, 3}, {1, 2, 2}, {1, 0, 1}, {1, 1, 1}, false}, spread({2, 3, 4, 5})), {"x"},
         true);
  passes(nn::check<AvgPoolRule>({{{2, 2, 3}, {1, 2, 2}, {1, 0, 1}, {1, 1, 1}, false}, {}}, spread({2, 3, 4, 5})), {"x"},
         true);
  // Strided, sliced and expanded operands; and as modules.
  passes(nn::check<MaxPoolRule>(flat[0], spread({5, 7, 3, 2}).permute({3, 2, 1, 0})), {"x"}, true);
  passes(nn::check<AvgPoolRule>({flat[1], {}}, spread({2, 3, 10, 7}).slice(2, 1, 10, 2)), {"x"}, true);
  passes(nn::check(nn::MaxPool2d(2), spread({2, 3, 4, 6})), {"input"}, true);
  passes(nn::check(nn::AvgPool2d(2), spread({2, 3, 4, 6})), {"input"}, true);
  passes(nn::check(nn::AdaptiveAvgPool2d(2), spread({2, 3, 5, 6})), {"input"}, true);
  passes(nn::check<AdaptiveAvgPool2dRule>({2, 4}, spread({2, 3, 5, 7})), {"x"}, true);
  passes(nn::check<AdaptiveAvgPool2dRule>({7, 3}, spread({3, 4, 5})), {"x"}, true);
  passes(nn::check<AdaptiveAvgPool2dRule>({3, 2}, spread({5, 7, 3, 2}).permute({3, 2, 1, 0})), {"x"}, true);
}

BOOST_AUTO_TEST_CASE(every_width_meets_the_edges) {
  // Vectors, their tails and the padded ends, against the windows gathered one by one.
  manual_seed(6);
  for (const DType dtype : {kFloat32, kFloat64}) {
    for (std::int64_t width = 1; width <= 40; ++width) {
      for (std::int64_t stride = 1; stride <= 3; ++stride) {
        for (std::int64_t kernel = 1; kernel <= std::min<std::int64_t>(4, width); ++kernel) {
          const PoolWindows w{{2, kernel}, {2, stride}, {1, kernel / 2}, {1, 1}, stride == 2};
          const Tensor x = randn({3, 3, width}, dtype);
          BOOST_REQUIRE(
              same_bits(std::get<0>(MaxPoolRule::forward(w, x.array())), MaxPoolRule::reference(w, x).array()));
          check_close(AvgPoolRule::forward({w, {}}, x.array()), AvgPoolRule::reference({w, {}}, x).array(),
                      dtype == kFloat32 ? 1e-6 : 1e-14, "mean");
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(ties_and_nan) {
  // Of equal ones the first takes the gradient.
  const Tensor flat = zeros({1, 4, 4}).requires_grad_();
  max_pool2d(flat, 2).sum().backward();
  BOOST_TEST(test::values(flat.grad().array()) ==
             (std::vector<double>{1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0}));
  // NaN stays, wherever in its window it stands, and the gradient goes to it.
  for (std::int64_t place = 0; place < 4; ++place) {
    for (const std::int64_t width : {2, 40}) {
      Tensor x = randn({1, 2, width});
      x[0][place / 2][place % 2].fill_(kNan);
      x.requires_grad_();
      const Tensor y = max_pool2d(x, 2);
      y.sum().backward();
      BOOST_TEST(std::isnan(y[0][0][0].item<double>()));
      BOOST_TEST(x.grad()[0][place / 2][place % 2].item<double>() == 1);
      for (std::int64_t i = 1; i < width / 2; ++i) BOOST_TEST(std::isfinite(y[0][0][i].item<double>()));
    }
  }
  // Padding is below everything, -inf included, and never chosen.
  const Tensor low = full({1, 1, 2, 2}, -kInf).requires_grad_();
  const auto [y, index] = F::max_pool2d_with_indices(low, F::MaxPool2dFuncOptions(2).padding(1));
  BOOST_TEST(test::values(y.array()) == std::vector<double>(4, -kInf));
  BOOST_TEST(test::values(index.array()) == (std::vector<double>{0, 1, 2, 3}));
  const Tensor plane = randn({2, 3, 1, 7});
  const auto [y1, index1] = F::max_pool1d_with_indices(plane.squeeze(2), F::MaxPool1dFuncOptions(3).stride(2));
  const auto [y2, index2] = F::max_pool2d_with_indices(plane, F::MaxPool2dFuncOptions({1, 3}).stride({1, 2}));
  const auto [y3, index3] =
      F::max_pool3d_with_indices(plane.unsqueeze(2), F::MaxPool3dFuncOptions({1, 1, 3}).stride({1, 1, 2}));
  BOOST_TEST(y1.equal(y2.squeeze(2)));
  BOOST_TEST(index1.equal(index2.squeeze(2)));
  BOOST_TEST(y3.equal(y2.unsqueeze(2)));
  BOOST_TEST(index3.equal(index2.unsqueeze(2)));
  // Dilation can make a window of padding alone: nothing is chosen there, and nothing gets its gradient.
  const Tensor narrow = ones({1, 2}).requires_grad_();
  const Tensor nothing = max_pool1d(narrow, 2, 1, 1, 3);
  BOOST_TEST(test::values(nothing.array()) == std::vector<double>{-kInf});
  nothing.sum().backward();
  BOOST_TEST(test::values(narrow.grad().array()) == (std::vector<double>{0, 0}));
}

// Such windows, and some that reach into padding, in all that computes with the gradient's formula; dy may be infinite.
BOOST_AUTO_TEST_CASE(windows_of_padding_have_gradients_of_every_kind) {
  const Tensor x = randn({2, 3, 2, 4}, kFloat64).requires_grad_();
  for (const std::int64_t dilation : {2, 5}) {
    const auto pool = [&](const Tensor& in) { return max_pool2d(in, 2, 1, 1, {1, dilation}); };
    const Tensor y = pool(x), alone = y.detach() == -kInf;
    BOOST_REQUIRE(alone.any().item<bool>() == (dilation == 5));
    for (const double at_alone : {2.0, kInf}) {
      const Tensor dy = where(alone, tensor(at_alone, kFloat64), randn(y.sizes(), kFloat64)).requires_grad_();
      const Tensor dx = autograd::grad({y}, {x}, {dy}, true)[0];
      BOOST_TEST(dx.isfinite().all().item<bool>());
      const Tensor recorded = autograd::grad({y}, {x}, {dy}, true, true)[0];
      check_close(recorded, dx, 0, "under create_graph");
      // It is linear in dy: its gradient picks what was chosen, and nothing for what was not.
      const Tensor v = randn(x.sizes(), kFloat64), back = autograd::grad({recorded}, {dy}, {v})[0];
      const auto [same, tangent] = func::jvp(pool, x.detach(), v);
      BOOST_TEST(equal(same, y.detach()));
      check_close(tangent, back, 0, "jvp's tangent");
      BOOST_TEST((tangent.masked_select(alone) == 0).all().item<bool>());
    }
    const Tensor dys = randn({5, 2, 3, y.size(2), y.size(3)}, kFloat64);
    const Tensor each = func::vmap([&](const Tensor& dy) { return autograd::grad({y}, {x}, {dy}, true)[0]; })(dys);
    for (std::int64_t i = 0; i < 5; ++i) {
      check_close(each[i], autograd::grad({y}, {x}, {dys[i]}, true)[0], 0, "vmap");
    }
  }
}

BOOST_AUTO_TEST_CASE(what_no_window_reads_changes_nothing) {
  // An infinite or NaN element reaches the outputs whose windows read it, and an infinite gradient the elements that
  // its window reads: all others keep their bits. Adaptive windows that do and do not divide, and others.
  manual_seed(15);
  struct Pooling {
    std::function<Tensor(const Tensor&)> run;
    std::int64_t H, W;
  };
  const std::vector<Pooling> all = {
      {[](const Tensor& x) {
         return adaptive_avg_pool2d(x, {2, 4});
       },
       4, 5},
      {[](const Tensor& x) {
         return adaptive_avg_pool2d(x, {3, 2});
       },
       5, 7},
      {[](const Tensor& x) {
         return adaptive_avg_pool2d(x, {5, 7});
       },
       3, 4},
      {[](const Tensor& x) {
         return adaptive_avg_pool2d(x, {1, 3});
       },
       4, 4},
      {[](const Tensor& x) {
         return adaptive_avg_pool2d(x, {2, 2});
       },
       4, 6},
      {[](const Tensor& x) {
         return AdaptiveAvgPool2dRule::reference({2, 4}, x);
       },
       4, 5},
      {[](const Tensor& x) {
         return avg_pool2d(x, {3, 2}, {2, 1}, {1, 1}, true);
       },
       5, 6},
      {[](const Tensor& x) { return avg_pool2d(x, 3, 1, 1, false, false); }, 4, 20},
      {[](const Tensor& x) { return max_pool2d(x, 3, 2, 1); }, 5, 20},
  };
  for (std::size_t k = 0; k < all.size(); ++k) {
    const Pooling& p = all[k];
    for (const DType dtype : {kFloat32, kFloat64}) {
      const Tensor plain = randn({1, 1, p.H, p.W}, dtype).requires_grad_(), y = p.run(plain);
      const Tensor dy = randn(y.sizes(), dtype);
      const Tensor dx = autograd::grad({y}, {plain}, {dy}, true)[0];
      // Which elements each output reads, from the gradient of one output; of the maximum, what it may read.
      Tensor reads = zeros({y.numel(), p.H * p.W}, kBool);
      for (std::int64_t o = 0; o < y.numel(); ++o) {
        for (std::int64_t i = 0; i < p.H * p.W; ++i) {
          Tensor one = full({1, 1, p.H, p.W}, -1, dtype);
          one.flatten().select(0, i).fill_(1);
          reads[o][i].fill_(p.run(one).flatten()[o].item<double>() >
                            p.run(full_like(one, -1)).flatten()[o].item<double>());
        }
      }
      for (const double value : {kNan, kInf, -kInf}) {
        const bool hidden = k == 8 && value == -kInf;  // below every other element
        for (std::int64_t i = 0; i < p.H * p.W; ++i) {
          Tensor x = plain.detach().clone();
          x.flatten().select(0, i).fill_(value);
          const Tensor now = p.run(x).flatten(), was = y.detach().flatten();
          for (std::int64_t o = 0; o < y.numel(); ++o) {
            const bool read = reads[o][i].item<bool>();
            if (read ? !hidden && std::isfinite(now[o].item<double>())
                     : now[o].item<double>() != was[o].item<double>()) {
              BOOST_ERROR("pooling " << k << ": output " << o << " for " << value << " at " << i << ": "
                                     << now[o].item<double>());
            }
          }
        }
        if (k == 8) continue;
        for (std::int64_t o = 0; o < y.numel(); ++o) {
          Tensor above = dy.clone();
          above.flatten().select(0, o).fill_(value);
          const Tensor now = autograd::grad({y}, {plain}, {above}, true)[0].flatten(), was = dx.flatten();
          for (std::int64_t i = 0; i < p.H * p.W; ++i) {
            if (reads[o][i].item<bool>() ? std::isfinite(now[i].item<double>())
                                         : now[i].item<double>() != was[i].item<double>()) {
              BOOST_ERROR("pooling " << k << ": gradient " << i << " for " << value << " at " << o << ": "
                                     << now[i].item<double>());
            }
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(overlapping_windows_add_up) {
  const Tensor x = image(1, 5, {0, 1, 9, 1, 0}).requires_grad_();
  max_pool2d(x, {1, 3}, 1).backward(image(1, 3, {1, 10, 100}));
  BOOST_TEST(test::values(x.grad().array()) == (std::vector<double>{0, 0, 111, 0, 0}));
  const Tensor z = image(1, 5, {0, 1, 9, 1, 0}).requires_grad_();
  avg_pool2d(z, {1, 3}, 1).backward(image(1, 3, {3, 30, 300}));
  BOOST_TEST(test::values(z.grad().array()) == (std::vector<double>{1, 11, 111, 110, 100}));
}

// Planes of one row, of rows, and of planes of rows, cut into tasks.
BOOST_AUTO_TEST_CASE(layouts_and_threads_change_no_bit) {
  const auto check = [](const Shape& shape, const PoolWindows& apart, const PoolWindows& over) {
    const int dims = shape.size() - 2;
    const Tensor x = randn(shape), small = randn(core::pooled_shape("apart", shape, apart)),
                 large = randn(core::pooled_shape("over", shape, over));
    const auto run = [&](const Array& in, const Array& a, const Array& b) {
      const auto [y, at] = MaxPoolRule::forward(apart, in);
      const auto [z, where] = MaxPoolRule::forward(over, in);
      std::vector<Array> all{y,
                             at,
                             z,
                             where,
                             core::max_pool_backward(a, at, shape, dims),
                             core::max_pool_backward(b, where, shape, dims),
                             AvgPoolRule::forward({apart, {}}, in),
                             AvgPoolRule::forward({over, {}}, in),
                             core::avg_pool_backward("avg_pool", a, shape, apart, {}),
                             core::avg_pool_backward("avg_pool", b, shape, over, {})};
      if (dims == 2) {
        all.push_back(core::adaptive_avg_pool2d(in, 7, 5));
        all.push_back(core::adaptive_avg_pool2d_backward(a, shape));
      }
      return all;
    };
    const std::vector<Array> first = run(x.array(), small.array(), large.array());
    const auto compare = [&](const std::vector<Array>& now) {
      for (std::size_t i = 0; i < now.size(); ++i) {
        BOOST_REQUIRE_MESSAGE(same_bits(now[i], first[i]),
                              "result " << i << " in " << dims << " dimensions on " << instruction_set());
      }
    };
    test::ManyThreads().each([&] { compare(run(x.array(), small.array(), large.array())); });
    const auto channels_last = [](const Tensor& t) { return t.movedim(1, -1).contiguous().movedim(-1, 1).array(); };
    compare(run(channels_last(x), channels_last(small), channels_last(large)));
  };
  for (std::string_view set : instruction_sets()) {
    const test::UsingInstructionSet use(set);
    manual_seed(7);
    check({60, 70, 75}, {{2}, {2}, {1}, {1}, false}, {{3}, {1}, {1}, {1}, false});
    check({16, 24, 30, 33}, {{2, 2}, {2, 2}, {0, 1}, {1, 1}, false}, {{3, 3}, {1, 1}, {1, 1}, {1, 1}, false});
    check({7, 11, 10, 18, 21}, {{2, 2, 2}, {2, 2, 2}, {0, 1, 0}, {1, 1, 1}, false},
          {{3, 3, 3}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, true});
  }
}

BOOST_AUTO_TEST_CASE(empty_batches) {
  const Tensor x = zeros({0, 3, 4, 6}).requires_grad_();
  const Tensor y = nn::MaxPool2d(2)(x), z = nn::AvgPool2d(2)(x);
  BOOST_TEST(y.sizes().vec() == (std::vector<std::int64_t>{0, 3, 2, 3}));
  BOOST_TEST(z.sizes().vec() == (std::vector<std::int64_t>{0, 3, 2, 3}));
  (y.sum() + z.sum()).backward();
  BOOST_TEST(x.grad().sizes().vec() == (std::vector<std::int64_t>{0, 3, 4, 6}));
}

BOOST_AUTO_TEST_CASE(modules_and_options) {
  nn::MaxPool2d layer(nn::MaxPool2dOptions({3, 2}).padding({1, 0}));
  BOOST_TEST(nn::AdaptiveAvgPool2d(1)->to_string() == "AdaptiveAvgPool2d(output_size=[1, 1])");
  const Tensor x = randn({2, 3, 7, 8});
  BOOST_TEST(same_bits(layer(x), max_pool2d(x, {3, 2}, {}, {1, 0})));
  BOOST_TEST(same_bits(F::avg_pool2d(x, F::AvgPool2dFuncOptions(3).stride(2)), avg_pool2d(x, 3, 2)));
  BOOST_TEST(layer->parameters().empty());
}

BOOST_AUTO_TEST_CASE(a_stride_beyond_the_input_is_one_window) {
  const Tensor x = arange(20, kFloat32).view({2, 10}).requires_grad_();
  const auto both = [&](std::int64_t stride) {
    x.mutable_grad() = Tensor();
    const Tensor y = max_pool1d(x, {4}, {stride}, {2}) + avg_pool1d(x, {4}, {stride}, {2});
    y.sum().backward();
    return std::pair(y.detach(), x.grad());
  };
  const auto within = both(11), beyond = both(std::numeric_limits<std::int64_t>::max());
  BOOST_TEST(within.first[0].item<float>() == 1.25F);
  BOOST_TEST(test::same_bits(within.first, beyond.first));
  BOOST_TEST(test::same_bits(within.second, beyond.second));
}

BOOST_AUTO_TEST_CASE(wrong_use_is_said) {
  const Tensor x = randn({2, 3, 4, 4});
  check_error<ValueError>([&] { max_pool2d(x, 2, 2, 2); },
                          {"max_pool2d: the padding must be at most half the kernel: 2 for a kernel of 2"});
  check_error<ValueError>([&] { avg_pool2d(x, 3, 1, 2); }, {"avg_pool2d: the padding", "2 for a kernel of 3"});
  check_error<ValueError>([&] { max_pool2d(x, 2, 2, -1); }, {"max_pool2d: the padding", "-1"});
  check_error<ValueError>([&] { max_pool2d(x, 0); }, {"max_pool2d: the kernel must be at least 1: 0"});
  check_error<ValueError>([&] { max_pool2d(x, 2, 0); }, {"max_pool2d: the stride must be at least 1: 0"});
  check_error<ValueError>([&] { max_pool2d(x, 2, 2, 0, 0); }, {"max_pool2d: the dilation must be at least 1: 0"});
  check_error<ValueError>([&] { avg_pool2d(x, 2, 2, 0, false, true, 0); }, {"avg_pool2d: the divisor must not be 0"});
  check_error<ValueError>([&] { max_pool2d(x, 2, 2, 1, std::int64_t{1} << 62); }, {"max_pool2d: dilation x kernel"});
  check_error<ValueError>(
      [&] {
        max_pool1d(ones({1, 8}), {3}, {2}, {std::numeric_limits<std::int64_t>::max()});
      },
      {"max_pool1d: the padding must be at most half the kernel"});
  check_error<ShapeError>(
      [&] {
        max_pool1d(ones({1, 1, 0}), 2, 2, 1);
      },
      {"max_pool1d", "must not be empty", "[1, 1, 0]"});
  check_error<ShapeError>([&] { max_pool2d(x, 5); },
                          {"max_pool2d: the windows must fit into the input: a kernel of 5", "[2, 3, 4, 4]"});
  check_error<ShapeError>(
      [&] {
        nn::MaxPool2d(2)(randn({4, 4}));
      },
      {"max_pool2d: input must be [C, H, W] or [N, C, H, W]: [4, 4]"});
  check_error<ShapeError>([&] { nn::AvgPool1d(2)(x); }, {"avg_pool1d: input must be [C, L] or [N, C, L]"});
  check_error<ShapeError>([&] { nn::MaxPool3d(2)(randn({})); }, {"max_pool3d: input must be"});
  check_error<ShapeError>([&] { max_pool2d(x, {2, 2, 2}); }, {"max_pool2d: kernel_size must be one number or 2"});
  check_error<ShapeError>([&] { nn::MaxPool2dOptions options({1, 2, 3}); }, {"2 numbers are needed", "3 given"});
  check_error<DTypeError>(
      [&] {
        max_pool2d(ones({1, 4, 4}, kInt64), 2);
      },
      {"max_pool2d: input must be floating: int64"});
  check_error<ValueError>([&] { adaptive_avg_pool2d(x, 0); }, {"adaptive_avg_pool2d: the output's size", "[0, 0]"});
  check_error<ShapeError>([&] { adaptive_avg_pool2d(randn({3, 3}), 1); }, {"adaptive_avg_pool2d: input must be"});
}

BOOST_AUTO_TEST_SUITE_END()
