// Interpolation and sampling against PyTorch, three ways, and where places leave the input.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>

#include <gradus/gradus.h>

#include "../support/pytorch.h"
#include "../support/threads.h"
#include "../support/three_ways.h"

using namespace gradus;
using nn::GridSampleRule;
using nn::ResampleRule;
using test::check_error;
using test::PyTorchFile;
using test::same_bits;
namespace F = nn::functional;

namespace {

std::vector<std::int64_t> whole(const Tensor& t) {
  std::vector<std::int64_t> all;
  for (std::int64_t i = 0; i < t.numel(); ++i) all.push_back(t[i].item<std::int64_t>());
  return all;
}
std::vector<double> real(const Tensor& t) {
  std::vector<double> all;
  for (std::int64_t i = 0; i < t.numel(); ++i) all.push_back(t[i].item<double>());
  return all;
}

F::InterpolateFuncOptions interpolation(const PyTorchFile& file, const std::string& name) {
  const auto o = whole(file[name + "/options"]);
  const auto target = real(file[name + "/target"]);
  F::InterpolateFuncOptions options;
  options.mode(static_cast<nn::InterpolateMode>(o[0])).antialias(o[2] != 0);
  if (o[1] >= 0) options.align_corners(o[1] != 0);
  if (o[3] != 0) options.recompute_scale_factor(true);
  if (o[4] != 0)
    options.scale_factor(target);
  else
    options.size(std::vector<std::int64_t>(target.begin(), target.end()));
  return options;
}
GridSampleRule::Attrs options_of(const PyTorchFile& file, const std::string& name) {
  const auto o = whole(file[name + "/options"]);
  return {static_cast<nn::GridSampleMode>(o[0]), static_cast<nn::GridSamplePaddingMode>(o[1]), o[2] != 0};
}
Tensor sampled(const Tensor& x, const Tensor& grid, const GridSampleRule::Attrs& a) {
  return F::grid_sample(
      x, grid, F::GridSampleFuncOptions().mode(a.mode).padding_mode(a.padding_mode).align_corners(a.align_corners));
}

template <class Make>
void same_for_any_threads(const Make& make) {
  test::ManyThreads threads;
  Tensor first;
  threads.each([&] {
    const Tensor again = make();
    if (!first.defined()) first = again;
    BOOST_TEST(same_bits(first, again));
  });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sampling)

BOOST_AUTO_TEST_CASE(values_and_gradients_are_pytorchs) {
  const PyTorchFile file("sampling");
  int cases = 0;
  for (const std::string& name : file.cases("interpolate_")) {
    const Tensor x = file[name + "/x"].requires_grad_();
    const Tensor y = F::interpolate(x, interpolation(file, name));
    file.check(y, name + "/y");
    y.backward(file[name + "/dy"]);
    file.check(x.grad(), name + "/dx");
    ++cases;
  }
  for (const std::string& name : file.cases("grid_")) {
    const Tensor x = file[name + "/x"].requires_grad_(), grid = file[name + "/grid"].requires_grad_();
    const Tensor y = sampled(x, grid, options_of(file, name));
    file.check(y, name + "/y");
    y.backward(file[name + "/dy"]);
    file.check(x.grad(), name + "/dx");
    file.check(grid.grad(), name + "/dgrid");
    ++cases;
  }
  for (const std::string& name : file.cases("affine_")) {
    file.check(F::affine_grid(file[name + "/x"], whole(file[name + "/size"]), whole(file[name + "/options"])[0] != 0),
               name + "/y");
    ++cases;
  }
  BOOST_TEST(cases == 2 * (51 + 30 + 4));
}

BOOST_AUTO_TEST_CASE(gradients_agree_three_ways) {
  const PyTorchFile file("sampling");
  for (const std::string& name : file.cases("interpolate_")) {
    if (!name.ends_with("_f64")) continue;
    const auto options = interpolation(file, name);
    if (options.mode() == nn::InterpolateMode::Area) continue;  // adaptive pooling's
    const Tensor x = file[name + "/x"], y = file[name + "/y"];
    ResampleRule::Attrs attrs{options.mode(), {}, {}, options.align_corners().value_or(false), options.antialias()};
    for (int d = 2; d < y.dim(); ++d) {
      attrs.size.push_back(y.size(d));
      const auto& scale = options.scale_factor();
      if (scale && !options.recompute_scale_factor().value_or(false))
        attrs.scale[static_cast<std::size_t>(d - 2)] =
            (*scale)[scale->size() == 1 ? 0 : static_cast<std::size_t>(d - 2)];
    }
    test::passes(autograd::check<ResampleRule>(attrs, x), {"x"}, true);
  }
  for (const std::string& name : file.cases("grid_")) {
    if (!name.ends_with("_f64")) continue;
    const auto attrs = options_of(file, name);
    const auto report = autograd::check<GridSampleRule>(attrs, file[name + "/x"], file[name + "/grid"]);
    BOOST_TEST(report.ok(), name << ": " << report);
  }
}

// However the taps are spread over the inputs: all small sizes.
BOOST_AUTO_TEST_CASE(gradients_of_all_small_sizes) {
  using enum nn::InterpolateMode;
  std::size_t wrong = 0;
  for (const auto mode : {Nearest, NearestExact, Linear}) {
    for (const bool align_corners : {false, true}) {
      for (const double scale : {0.0, 0.3, 0.5, 0.8, 1.0, 1.2, 1.5, 2.3}) {
        if (align_corners && mode != Linear) continue;
        for (std::int64_t n = 1; n <= 9; ++n) {
          for (std::int64_t m = 1; m <= 9; ++m) {
            const ResampleRule::Attrs attrs{mode, {m}, {scale}, align_corners, false};
            const Tensor x = zeros({1, 1, n}, kFloat64).requires_grad_(),
                         dy = arange(1, m + 1, kFloat64).view({1, 1, m});
            autograd::apply<ResampleRule>(attrs, x).backward(dy);
            const Tensor other = zeros({1, 1, n}, kFloat64).requires_grad_();
            ResampleRule::reference(attrs, other).backward(dy);
            if (!allclose(x.grad(), other.grad())) ++wrong;
          }
        }
      }
    }
  }
  BOOST_TEST(wrong == 0u);
}

BOOST_AUTO_TEST_CASE(sizes_that_cannot_be_had_are_refused_first) {
  const auto by = [](double scale) { return F::InterpolateFuncOptions().scale_factor(std::vector<double>{scale}); };
  for (const auto dtype : {kFloat, kHalf}) {
    check_error<MemoryError>([&] { F::interpolate(ones({1, 1, 4}, dtype), by(1e12)); }, {"bytes"});
    check_error<ShapeError>([&] { F::interpolate(ones({1, 1, 4, 4}, dtype), by(1e12)); }, {"interpolate"});
    check_error<MemoryError>([&] { F::interpolate(ones({0, 1, 4}, dtype), by(1e12)); }, {"bytes"});
  }
  check_error<MemoryError>([&] { F::interpolate(ones({1, 1, 4, 4}), by(1e6).mode(kBilinear)); }, {"bytes"});
  check_error<MemoryError>([&] { F::interpolate(ones({0, 1, 4}), by(1e12).mode(kArea)); }, {"bytes"});
  check_error<MemoryError>([&] { adaptive_max_pool1d(ones({1, 1, 4}), std::int64_t{1} << 42); }, {"bytes"});
}

BOOST_AUTO_TEST_CASE(threads_do_not_change_bits) {
  const Tensor x = randn({3, 2, 90, 70}), grid = rand({3, 80, 40, 2}) * 2.4 - 1.2;
  for (const auto mode : {nn::InterpolateMode::Nearest, nn::InterpolateMode::Bilinear, nn::InterpolateMode::Bicubic}) {
    same_for_any_threads([&] {
      const Tensor leaf = x.detach().requires_grad_();
      const Tensor y =
          F::interpolate(leaf, F::InterpolateFuncOptions().size(std::vector<std::int64_t>{200, 150}).mode(mode));
      square(y).sum().backward();
      return leaf.grad();
    });
  }
  same_for_any_threads([&] {
    const Tensor leaf = x.detach().requires_grad_(), places = grid.detach().requires_grad_();
    square(F::grid_sample(leaf, places)).sum().backward();
    return cat({leaf.grad().flatten(), places.grad().flatten()}, 0);
  });
}

BOOST_AUTO_TEST_CASE(any_strides_halves_and_forms) {
  const Tensor x = randn({2, 3, 5, 4}), turned = x.transpose(2, 3).contiguous().transpose(2, 3);
  const auto options = F::InterpolateFuncOptions().scale_factor(std::vector<double>{2}).mode(kBilinear);
  BOOST_TEST(same_bits(F::interpolate(x, options), F::interpolate(turned, options)));
  BOOST_TEST(same_bits(F::interpolate(x, options), upsample_bilinear2d(x, {10, 8}, false)));
  BOOST_TEST(
      same_bits(F::interpolate(x.to(kHalf), options), F::interpolate(x.to(kHalf).to(kFloat), options).to(kHalf)));
  const Tensor grid = rand({2, 3, 3, 2});
  BOOST_TEST(same_bits(F::grid_sample(x, grid), grid_sampler(x, grid, 0, 0, false)));
  // The identity's grid gives x back.
  const Tensor identity = tensor({1., 0., 0., 0., 1., 0.}).reshape({1, 2, 3}).expand({2, 2, 3}).to(kFloat);
  test::check_close(F::grid_sample(x, F::affine_grid(identity, x.sizes())), x, 1e-6, "identity");
}

BOOST_AUTO_TEST_CASE(places_far_outside_and_no_numbers) {
  constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  const Tensor x = ones({1, 1, 2, 2}, kFloat64).requires_grad_();
  const Tensor grid =
      tensor({1e300, 0., -1e300, -1e300, inf, 0., nan, 0., -inf, inf, 0., 0.}, kFloat64).reshape({1, 6, 1, 2});
  const Tensor zeros_outside = F::grid_sample(x, grid).flatten();
  BOOST_TEST(real(zeros_outside.nan_to_num(7)) == (std::vector<double>{0, 0, 7, 7, 7, 1}),
             boost::test_tools::per_element());
  for (const auto mode : {nn::GridSampleMode::Bilinear, nn::GridSampleMode::Nearest, nn::GridSampleMode::Bicubic}) {
    const Tensor border =
        F::grid_sample(x, grid, F::GridSampleFuncOptions().mode(mode).padding_mode(kBorder)).flatten();
    BOOST_TEST(border[0].item<double>() == 1);
    BOOST_TEST(std::isnan(border[3].item<double>()));
    for (const int i : {2, 4})
      BOOST_TEST(std::isnan(border[i].item<double>()) == (mode == nn::GridSampleMode::Bicubic));
    const Tensor places = grid.clone().requires_grad_(), kept = x.detach().clone().requires_grad_();
    F::grid_sample(kept, places, F::GridSampleFuncOptions().mode(mode)).sum().backward();
    const bool at_infinity = mode != nn::GridSampleMode::Nearest;
    BOOST_TEST(places.grad().isnan().sum().item<std::int64_t>() == (at_infinity ? 6 : 2));  // their two numbers
    BOOST_TEST(kept.grad().isfinite().all().item<bool>());  // as in PyTorch: it read no element
  }
}

// Wherever places are no numbers or infinite: the kernels and the reference, in value and both orders.
BOOST_AUTO_TEST_CASE(samples_of_no_place_are_the_references) {
  constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  const auto gradients = [](const auto& sampled, const Tensor& at_x, const Tensor& at_grid, const Tensor& at_dy) {
    const Tensor x = at_x.clone().requires_grad_(), grid = at_grid.clone().requires_grad_(),
                 dy = at_dy.clone().requires_grad_(), y = sampled(x, grid);
    const auto first = autograd::grad({y}, {x, grid}, {dy}, true, true);
    const auto second =
        autograd::grad({(first[0] * 2).sum() + (first[1].square()).sum()}, {x, grid, dy}, {}, false, false, true);
    return std::vector<Tensor>{y, first[0], first[1], second[0], second[1], second[2]};
  };
  for (const std::int64_t D : {2, 3}) {
    std::vector<double> numbers;
    for (const double g : {nan, inf, -inf, 1e300, 0.3}) {
      for (std::int64_t d = 0; d < D; ++d) {
        for (std::int64_t e = 0; e < D; ++e) numbers.push_back(d == e ? g : 0.2);
      }
    }
    std::vector<std::int64_t> shape(static_cast<std::size_t>(D) + 2, 1), sizes = {1, 2, 3, 4, 2};
    shape[1] = 5 * D;
    shape.back() = D;
    sizes.resize(static_cast<std::size_t>(D) + 2);
    const Tensor grid = tensor(numbers, kDouble).reshape(shape), x = randn(sizes, kDouble);
    for (const auto mode : {nn::GridSampleMode::Bilinear, nn::GridSampleMode::Nearest, nn::GridSampleMode::Bicubic}) {
      if (D == 3 && mode == nn::GridSampleMode::Bicubic) continue;
      for (const auto outside : {nn::GridSamplePaddingMode::Zeros, nn::GridSamplePaddingMode::Border,
                                 nn::GridSamplePaddingMode::Reflection}) {
        for (const bool corners : {false, true}) {
          const nn::GridSampleRule::Attrs how{mode, outside, corners};
          const auto rule = [&](const Tensor& a, const Tensor& b) {
            return autograd::apply<nn::GridSampleRule>(how, a, b);
          };
          const auto reference = [&](const Tensor& a, const Tensor& b) {
            return nn::GridSampleRule::reference(how, a, b);
          };
          const Tensor dy = randn(rule(x, grid).sizes(), kDouble);
          const auto hand = gradients(rule, x, grid, dy), graph = gradients(reference, x, grid, dy);
          for (std::size_t i = 0; i < hand.size(); ++i) {
            BOOST_TEST_CONTEXT(D << "D, mode " << static_cast<int>(mode) << ", outside " << static_cast<int>(outside)
                                 << ", corners " << corners << ", result " << i) {
              if (!hand[i].defined() || !graph[i].defined()) continue;
              BOOST_TEST(allclose(hand[i], graph[i], 1e-9, 1e-9, true));
            }
          }
        }
      }
    }
  }
}

// More outputs and channels than are worked on at once: what a part gives, the whole gives in that place.
BOOST_AUTO_TEST_CASE(samples_are_those_of_each_part) {
  const Tensor x = randn({2, 70, 5, 6}).requires_grad_(), grid = (rand({2, 23, 13, 2}) * 3 - 1.5).requires_grad_();
  const Tensor y = F::grid_sample(x, grid), dy = randn(y.sizes());
  y.backward(dy);
  for (const std::int64_t c : {0, 31, 32, 69}) {
    const Tensor channel = x.detach().narrow(1, c, 1).clone().requires_grad_();
    const Tensor alone = F::grid_sample(channel, grid.detach());
    BOOST_TEST(same_bits(alone, y.narrow(1, c, 1)));
    alone.backward(dy.narrow(1, c, 1));
    BOOST_TEST(same_bits(channel.grad(), x.grad().narrow(1, c, 1)));
  }
  for (const std::int64_t row : {0, 9, 10, 22}) {
    const Tensor places = grid.detach().narrow(1, row, 1).clone().requires_grad_();
    const Tensor alone = F::grid_sample(x.detach(), places);
    BOOST_TEST(same_bits(alone, y.narrow(2, row, 1)));
    alone.backward(dy.narrow(2, row, 1));
    BOOST_TEST(same_bits(places.grad(), grid.grad().narrow(1, row, 1)));
  }
}

BOOST_AUTO_TEST_CASE(wrong_use_is_said) {
  const Tensor x = randn({1, 2, 4, 4}), grid = rand({1, 3, 3, 2});
  using Options = F::InterpolateFuncOptions;
  const std::vector<std::int64_t> size = {8, 8};
  check_error<ValueError>([&] { F::interpolate(x); }, {"interpolate: ", "neither is"});
  check_error<ValueError>([&] { F::interpolate(x, Options().size(size).scale_factor(std::vector<double>{2})); },
                          {"interpolate: ", "both are"});
  check_error<ValueError>([&] { F::interpolate(x, Options().size(size).align_corners(true)); },
                          {"align_corners", "nearest"});
  check_error<ValueError>([&] { F::interpolate(x, Options().size(size).antialias(true)); }, {"antialias", "nearest"});
  check_error<ValueError>([&] { F::interpolate(x, Options().scale_factor(std::vector<double>{-2})); }, {"-2"});
  check_error<ValueError>([&] { F::interpolate(x, Options().scale_factor(std::vector<double>{1e300})); }, {"1e+300"});
  check_error<ShapeError>([&] { F::interpolate(x, Options().size(std::vector<std::int64_t>{0, 8})); }, {"[0, 8]"});
  check_error<ShapeError>([&] { F::interpolate(x, Options().size(std::vector<std::int64_t>{1, 2, 3})); }, {"size"});
  check_error<ShapeError>([&] { F::interpolate(x, Options().size(size).mode(kTrilinear)); }, {"trilinear"});
  check_error<ShapeError>([&] { F::grid_sample(x, rand({1, 3, 3, 3})); }, {"grid_sample: ", "[1, 3, 3, 3]"});
  check_error<ShapeError>([&] { F::grid_sample(x, rand({2, 3, 3, 2})); }, {"grid_sample: ", "[2, 3, 3, 2]"});
  check_error<DTypeError>([&] { F::grid_sample(x, grid.to(kFloat64)); }, {"grid_sample: ", "float64"});
  check_error<ShapeError>([&] { F::affine_grid(rand({1, 2, 3}), {1, 1, 4}); }, {"affine_grid: ", "[1, 1, 4]"});
  check_error<ShapeError>([&] { F::affine_grid(rand({1, 3, 3}), {1, 1, 4, 4}); }, {"affine_grid: ", "[1, 3, 3]"});
}

BOOST_AUTO_TEST_SUITE_END()
