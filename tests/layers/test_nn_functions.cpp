// Losses, normalisations, pooling, transposed convolution and their like as functions, against PyTorch
// (tests/reference/make_nn_functions.py), and where they are more than their rows of the operation table show.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include <gradus/gradus.h>
#include <gradus/layers/conv/conv_rules.h>

#include "../support/pytorch.h"

namespace gradus::test {
namespace {

using Results = std::vector<Tensor>;
using In = const std::vector<Tensor>&;
using Calls = std::map<std::string, std::function<Results(In)>>;

const PyTorchFile& file() {
  static const PyTorchFile all("nn_functions");
  return all;
}
template <class... T>
Results parts(const std::tuple<T...>& tuple) {
  return std::apply([](const auto&... t) { return Results{t...}; }, tuple);
}
Tensor like(const Tensor& x, std::initializer_list<double> numbers) {
  return tensor(std::vector<double>(numbers), x.dtype());
}
Results normalised(In x, bool input_stats) {
  const Tensor mean = like(x[0], {0.1, -0.2}), var = like(x[0], {1.5, 0.5});
  const Tensor y = instance_norm(x[0], x[1], x[2], mean, var, input_stats, 0.3, 1e-5);
  return {y, mean, var};
}
Results bag(In x, std::int64_t mode, const std::optional<std::int64_t>& padding = {}) {
  const auto [y, bags, sizes, rows] =
      embedding_bag(x[0], tensor({1, 4, 0, 4, 2, 3}), tensor({0, 2, 2, 5}), false, mode, false, {}, false, padding);
  return {y, sizes};
}

// clang-format off: one call a line
const Calls& losses() {
  static const Calls all = {
      {"binary_cross_entropy none", [](In x) { return Results{binary_cross_entropy(x[0], x[1], {}, kNone)}; }},
      {"binary_cross_entropy mean", [](In x) { return Results{binary_cross_entropy(x[0], x[1])}; }},
      {"binary_cross_entropy sum", [](In x) { return Results{binary_cross_entropy(x[0], x[1], {}, Reduction::Sum)}; }},
      {"binary_cross_entropy weighted",
       [](In x) {
         return Results{binary_cross_entropy(x[0], x[1], like(x[0], {1, 2, 0.5, 3}))};
       }},
      {"binary_cross_entropy bounds",
       [](In x) { return Results{binary_cross_entropy(x[0], x[1].detach(), {}, kNone)}; }},
      {"kl_div", [](In x) { return Results{kl_div(x[0], x[1], kNone)}; }},
      {"kl_div zero", [](In x) { return Results{kl_div(x[0], x[1].detach())}; }},
      {"kl_div log", [](In x) { return Results{kl_div(x[0], x[1], kSum, true)}; }},
      {"poisson_nll_loss", [](In x) { return Results{poisson_nll_loss(x[0], x[1], true, true, 1e-8, kNone)}; }},
      {"poisson_nll_loss counts", [](In x) { return Results{poisson_nll_loss(x[0], x[1], true, false, 1e-8, kMean)}; }},
      {"poisson_nll_loss rates", [](In x) { return Results{poisson_nll_loss(x[0], x[1], false, false, 1e-3, kMean)}; }},
      {"soft_margin_loss", [](In x) { return Results{soft_margin_loss(x[0], x[1])}; }},
      {"hinge_embedding_loss", [](In x) { return Results{hinge_embedding_loss(x[0], x[1], 0.7)}; }},
      {"margin_ranking_loss", [](In x) { return Results{margin_ranking_loss(x[0], x[1], x[2], 0.3)}; }},
      {"cosine_embedding_loss", [](In x) { return Results{cosine_embedding_loss(x[0], x[1], x[2], 0.1)}; }},
      {"cosine_embedding_loss one", [](In x) { return Results{cosine_embedding_loss(x[0], x[1], x[2])}; }},
      {"triplet_margin_loss",
       [](In x) { return Results{triplet_margin_loss(x[0], x[1], x[2], 1, 2, 1e-6, false, kNone)}; }},
      {"triplet_margin_loss swap",
       [](In x) { return Results{triplet_margin_loss(x[0], x[1], x[2], 2, 3, 1e-6, true)}; }},
      {"multi_margin_loss", [](In x) { return Results{multi_margin_loss(x[0], x[1], 1, 1, {}, kNone)}; }},
      {"multi_margin_loss weighted",
       [](In x) {
         return Results{multi_margin_loss(x[0], x[1], 2, 0.8, like(x[0], {1, 2, 0.5, 3}))};
       }},
      {"multi_margin_loss one", [](In x) { return Results{multi_margin_loss(x[0], x[1])}; }},
      {"multilabel_margin_loss", [](In x) { return Results{multilabel_margin_loss(x[0], x[1], kNone)}; }},
      {"multilabel_margin_loss one", [](In x) { return Results{multilabel_margin_loss(x[0], x[1])}; }}};
  return all;
}
const Calls& layers() {
  static const Calls all = {
      {"batch_norm", [](In x) { return Results{batch_norm(x[0], x[1], x[2], {}, {}, true, 0.1, 1e-5, false)}; }},
      {"instance_norm", [](In x) { return normalised(x, true); }},
      {"instance_norm running", [](In x) { return normalised(x, false); }},
      {"group_norm", [](In x) { return Results{group_norm(x[0], 2, x[1], x[2])}; }},
      {"rms_norm",
       [](In x) {
         return Results{rms_norm(x[0], {3, 4}, x[1])};
       }},
      {"rms_norm eps", [](In x) { return Results{rms_norm(x[0], {4}, {}, 0.1)}; }},
      {"adaptive_avg_pool1d", [](In x) { return Results{adaptive_avg_pool1d(x[0], 3)}; }},
      {"adaptive_avg_pool3d",
       [](In x) {
         return Results{adaptive_avg_pool3d(x[0], {2, 3, 1})};
       }},
      {"adaptive_avg_pool3d even", [](In x) { return Results{adaptive_avg_pool3d(x[0], 2)}; }},
      {"adaptive_max_pool1d", [](In x) { return parts(adaptive_max_pool1d(x[0], 3)); }},
      {"adaptive_max_pool2d",
       [](In x) {
         return parts(adaptive_max_pool2d(x[0], {3, 2}));
       }},
      {"adaptive_max_pool3d",
       [](In x) {
         return parts(adaptive_max_pool3d(x[0], {2, 3, 1}));
       }},
      {"max_unpool2d",
       [](In x) {
         return Results{max_unpool2d(x[0],
                                     std::get<1>(nn::functional::max_pool2d_with_indices(
                                         arange(24, kDouble).view({1, 4, 6}).cos(), nn::MaxPool2dOptions(2))),
                                     {4, 6})};
       }},
      {"max_unpool3d",
       [](In x) {
         return Results{max_unpool3d(x[0], tensor({7, 1, 3, 11}).view({1, 1, 2, 2}), {2, 2, 3}, {2, 2, 2}, {0, 0, 0})};
       }},
      {"conv_transpose1d", [](In x) { return Results{conv_transpose1d(x[0], x[1], x[2], 2, 1, 1, 2)}; }},
      {"conv_transpose2d",
       [](In x) {
         return Results{conv_transpose2d(x[0], x[1], x[2], {2, 1}, {0, 1}, {1, 0}, 1, {1, 2})};
       }},
      {"conv_transpose2d further",
       [](In x) {
         return Results{conv_transpose2d(x[0], x[1], x[2], 1, 0, {2, 0}, 1, {3, 1})};
       }},
      {"conv_transpose1d cropped", [](In x) { return Results{conv_transpose1d(x[0], x[1], x[2], 1, 1, 2, 1, 3)}; }},
      {"conv_transpose1d cropped whole",
       [](In x) { return Results{conv_transpose1d(x[0], x[1], x[2], 1, 4, 6, 1, 7)}; }},
      {"conv_transpose2d cropped",
       [](In x) {
         return Results{conv_transpose2d(x[0], x[1], x[2], {2, 3}, {2, 1}, {3, 2}, 2, {4, 1})};
       }},
      {"conv_transpose3d",
       [](In x) {
         return Results{conv_transpose3d(x[0], x[1], {}, {2, 1, 2}, {1, 0, 0}, {1, 0, 0})};
       }},
      {"bilinear", [](In x) { return Results{bilinear(x[0], x[1], x[2], x[3])}; }},
      {"embedding_bag sum", [](In x) { return Results{bag(x, 0)[0]}; }},
      {"embedding_bag mean", [](In x) { return bag(x, 1); }},
      {"embedding_bag max", [](In x) { return bag(x, 2); }},
      {"embedding_bag weighted",
       [](In x) {
         return Results{
             std::get<0>(embedding_bag(x[0], tensor({1, 4, 0, 4, 2, 3}), tensor({0, 2, 2, 5}), false, 0, false, x[1]))};
       }},
      {"embedding_bag padding", [](In x) { return Results{bag(x, 1, 4)[0]}; }},
      {"pad_sequence",
       [](In x) {
         return Results{nn::utils::rnn::pad_sequence({x[0], x[1], x[2]}, false, 0.5)};
       }},
      {"pad_sequence left", [](In x) {
         return Results{pad_sequence({x[0], x[1]}, true, 0, "left")};
       }}};
  return all;
}
const Calls& operations() {
  static const Calls all = {
      {"cov", [](In x) { return Results{x[0].cov()}; }},
      {"cov weighted", [](In x) { return Results{cov(x[0], 0, x[1] + 1, x[2])}; }},
      {"corrcoef", [](In x) { return Results{x[0].corrcoef()}; }},
      {"var correction", [](In x) { return Results{var(x[0], 1, 2)}; }},
      {"std correction",
       [](In x) {
         return Results{x[0].std({0, 1}, 3, true)};
       }},
      {"block_diag",
       [](In x) {
         return Results{block_diag({x[0], x[1], x[2]})};
       }},
      {"cumulative_trapezoid", [](In x) { return Results{cumulative_trapezoid(x[0], x[1])}; }},
      {"cumulative_trapezoid step", [](In x) { return Results{cumulative_trapezoid(x[0], 0.5, 0)}; }},
      {"tril_indices", [](In) { return Results{tril_indices(3, 4, 1)}; }},
      {"triu_indices", [](In) { return Results{triu_indices(3, 4, -1)}; }},
      {"round", [](In x) { return Results{x[0].round(2)}; }},
      {"round tens", [](In x) { return Results{round(x[0] * 100, -1)}; }},
      {"masked_fill", [](In x) { return Results{x[0].masked_fill(x[1] > 0, x[2])}; }},
      {"scatter add", [](In x) { return Results{x[0].detach().scatter_(1, x[1], x[2].detach(), "add")}; }},
      {"scatter multiply", [](In x) { return Results{scatter(x[0].detach(), 1, x[1], x[2].detach(), "multiply")}; }},
      {"rdiv", [](In x) { return Results{1.5 / x[0]}; }}};
  return all;
}
// clang-format on

void compare(const std::string& name, const std::function<Results(In)>& call, DType dtype) {
  const auto converted = [dtype](const Tensor& x) { return x.is_floating_point() ? x.to(dtype) : x; };
  const auto check = [&](const Tensor& got, const std::string& of) {
    const Tensor expected = converted(file()[name + of]);
    check_close(got, expected, bound_of(expected.dtype()), name + of);
  };
  std::vector<Tensor> x;
  for (const char* letter : {"/a", "/b", "/c", "/d"}) {
    if (!file().has(name + letter)) continue;
    x.push_back(converted(file()[name + letter]).clone());
    if (x.back().is_floating_point()) x.back().requires_grad_();
  }
  const Results y = call(x);
  for (std::size_t i = 0; i < y.size(); ++i) check(y[i], i == 0 ? "/y" : "/y" + std::to_string(i));
  if (!file().has(name + "/dy")) return;
  y[0].backward(converted(file()[name + "/dy"]));
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::string gradient = std::string("/d") + "abcd"[i];
    if (file().has(name + gradient)) check(x[i].grad(), gradient);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_functions)

BOOST_AUTO_TEST_CASE(values_and_gradients_are_pytorchs) {
  std::size_t compared = 0;
  for (const Calls* calls : {&losses(), &layers(), &operations()}) {
    for (const auto& [name, call] : *calls) {
      for (const DType dtype : {kFloat64, kFloat32}) {
        if (dtype == kFloat32 && (name.starts_with("round") || name.ends_with("unpool2d"))) continue;  // on a step
        BOOST_TEST_CONTEXT(name << " of " << to_string(dtype)) {
          try {
            compare(name, call, dtype);
          } catch (const std::exception& error) {
            BOOST_ERROR(error.what());
          }
        }
      }
      ++compared;
    }
  }
  BOOST_TEST(compared == file().cases("").size());
}

BOOST_AUTO_TEST_CASE(conv_transpose_is_proved_three_ways) {
  manual_seed(3);
  const nn::ConvTransposeRule::Attrs plain{{{1}, {0}, {1}, 1}, {0}}, wide{{{2, 3}, {1, 0}, {1, 2}, 2}, {1, 0}};
  const autograd::CheckReport reports[] = {
      autograd::check<nn::ConvTransposeRule>(plain, randn({2, 3, 4}), randn({3, 2, 3}), randn({2})),
      autograd::check<nn::ConvTransposeRule>(wide, randn({2, 4, 3, 2}), randn({4, 2, 2, 2}), randn({4}))};
  for (const auto& report : reports) BOOST_TEST(report.ok(), report);
}

BOOST_AUTO_TEST_CASE(sizes_that_cannot_be_counted_are_refused) {
  constexpr std::int64_t far = std::int64_t{1} << 62, wide = std::int64_t{1} << 32;
  const Tensor x = ones({1, 1, 3}), weight = ones({1, 1, 2});
  const std::string of_conv = "conv_transpose1d: the result's sizes must fit into 64 bits: input [1, 1, ";
  check_error<ValueError>([&] { conv_transpose1d(x, weight, {}, far); }, {of_conv + "3], stride [", "output_padding"});
  check_error<ValueError>([&] { conv_transpose1d(x.slice(2, 0, 2), weight, {}, far, 0, far - 1); }, {of_conv + "2]"});
  const std::string product = ": the product of the sizes must fit into 64 bits: [1, ";
  check_error<ShapeError>(
      [&] {
        max_unpool2d(ones({1, 1, 1}), full({1, 1, 1}, 1), {wide, wide});
      },
      {"max_unpool2d" + product});
  check_error<ShapeError>(
      [&] {
        max_unpool3d(ones({1, 1, 1, 1}), full({1, 1, 1, 1}, 1), {wide, wide, 2}, {1, 1, 1}, {0, 0, 0});
      },
      {"max_unpool3d"});
  check_error<ShapeError>(
      [] {
        adaptive_max_pool3d(ones({1, 1, 1, 1}), {wide, wide, wide});
      },
      {"adaptive_max_pool3d" + product});
}

// PyTorch's: a negative padding_idx counts from the end of the rows.
BOOST_AUTO_TEST_CASE(padding_of_a_bag_from_the_end) {
  const Tensor weight = tensor({1., 10., 100.}).reshape({3, 1}), ids = tensor({0, 2, 1, 2}), offsets = tensor({0, 2});
  const auto sums = [&](std::int64_t padding) {
    return std::get<0>(embedding_bag(weight, ids, offsets, false, 0, false, {}, false, padding)).reshape({2});
  };
  BOOST_TEST(equal(sums(-1), tensor({1., 10.})));
  BOOST_TEST(equal(sums(2), tensor({1., 10.})));
  BOOST_TEST(equal(sums(-3), tensor({100., 110.})));
  check_error<IndexError>([&] { sums(3); }, {"embedding_bag: padding_idx must be in [-3, 3): 3"});
}

BOOST_AUTO_TEST_CASE(indices_are_integers) {
  const Tensor weight = ones({3, 2}), half = tensor({1.5F}), first = tensor({0});
  check_error<DTypeError>([&] { embedding_bag(weight, half, first); },
                          {"embedding_bag: indices must be integers: float32; to(kInt64) converts"});
  check_error<DTypeError>([&] { embedding_bag(weight, first, half); },
                          {"embedding_bag: offsets must be integers: float32; to(kInt64) converts"});
  BOOST_TEST(std::get<0>(embedding_bag(weight, first.to(kInt32), first.to(kInt32))).sum().item<float>() == 2);
  check_error<DTypeError>(
      [&] {
        max_unpool2d(ones({1, 1, 1}), half.view({1, 1, 1}), {2, 2});
      },
      {"max_unpool2d: indices must be integers: float32; to(kInt64) converts"});
  check_error<DTypeError>(
      [&] {
        max_unpool3d(ones({1, 1, 1, 1}), half.view({1, 1, 1, 1}), {2, 2, 2}, {1, 1, 1}, {0, 0, 0});
      },
      {"max_unpool3d: indices must be integers: float32"});
}

BOOST_AUTO_TEST_CASE(indices_of_a_triangle_fit_their_dtype) {
  check_error<DTypeError>([] { tril_indices(300, 300, 0, kInt8); },
                          {"tril_indices: the dtype must hold the indices: int8 for 299; kInt64 holds them"});
  check_error<DTypeError>([] { triu_indices(2, 257, 0, kUInt8); },
                          {"triu_indices: the dtype must hold the indices: uint8 for 256; kInt64 holds them"});
  BOOST_TEST(equal(tril_indices(128, 128, 0, kInt8).to(kInt64), tril_indices(128, 128)));
  BOOST_TEST(equal(tril_indices(2, 300, 0, kInt8).to(kInt64), tril_indices(2, 300)));  // no column beyond 1
  BOOST_TEST((triu_indices(0, 300, 0, kInt8).sizes() == IntArrayRef{2, 0}));
}

// Half beside float32 as float32 beside float64.
BOOST_AUTO_TEST_CASE(operands_of_other_dtypes_are_refused) {
  for (const auto& [own, other] : {std::pair(kFloat32, kFloat64), std::pair(kFloat16, kFloat32),
                                   std::pair(kFloat32, kFloat16), std::pair(kBFloat16, kFloat16)}) {
    const std::string says = std::string(" dtype: ").append(to_string(other)).append(" for ").append(to_string(own));
    const Tensor x = ones({1, 2}, own), w = ones({1, 2, 2}, own), y = x.to(other), v = w.to(other), scale = y[0];
    check_error<DTypeError>([&] { bilinear(x, y, w); }, {"bilinear: input2 must have input1's" + says});
    check_error<DTypeError>([&] { bilinear(x, x, v); }, {"bilinear: weight must have input1's" + says});
    check_error<DTypeError>([&] { group_norm(x, 1, scale); }, {"group_norm: weight must have input's" + says});
    check_error<DTypeError>([&] { group_norm(x, 1, {}, scale); }, {"group_norm: bias must have input's" + says});
  }
}

// The gradient of a convolution's input, under another name.
BOOST_AUTO_TEST_CASE(conv_transpose_is_the_adjoint_of_conv) {
  manual_seed(4);
  const Tensor x = randn({2, 3, 9, 7}, kDouble), weight = randn({4, 3, 3, 2}, kDouble);
  const Tensor y = conv2d(x, weight, {}, {2, 1}, {1, 0}, {1, 2}), dy = randn_like(y);
  const Tensor back = conv_transpose2d(dy, weight, {}, {2, 1}, {1, 0}, 0, 1, {1, 2});
  check_close((y * dy).sum(), (x * back).sum(), 1e-12, "<conv(x), dy> and <x, conv_transpose(dy)>");
}

BOOST_AUTO_TEST_CASE(alpha_dropout_keeps_mean_and_variance) {
  manual_seed(5);
  const Tensor x = selu(randn({200000}, kDouble)), y = alpha_dropout(x, 0.3, true);
  BOOST_TEST(std::abs(y.mean().item<double>() - x.mean().item<double>()) < 0.02);
  BOOST_TEST(std::abs(y.var().item<double>() - x.var().item<double>()) < 0.03);
  BOOST_TEST(alpha_dropout(x, 0.3, false).is_same(x));
  BOOST_TEST(alpha_dropout(x, 1, true).abs().max().item<double>() == 0);
}

BOOST_AUTO_TEST_CASE(losses_keep_their_digits) {
  const Tensor far = tensor({500.f, -500.f});
  BOOST_TEST(soft_margin_loss(far, tensor({-1.f, -1.f}), kSum).item<float>() == 500);
  const double inf = std::numeric_limits<double>::infinity();
  const Tensor x = tensor({-1., -2.}, kDouble).requires_grad_();
  const Tensor loss = kl_div(x, tensor({-inf, 0.}, kDouble), kSum, true);
  BOOST_TEST(loss.item<double>() == 2);
  loss.backward();
  BOOST_TEST((values(x.grad().array()) == std::vector<double>{0, -1}));
  // 0 times a finite logarithm is 0; times that of 0 it is NaN, as in PyTorch.
  BOOST_TEST(kl_div(tensor({-3., 0.}, kDouble), zeros({2}, kDouble), kSum).item<double>() == 0);
  BOOST_TEST(std::isnan(kl_div(tensor({-inf}, kDouble), tensor({0.}, kDouble)).item<double>()));
  const Tensor counts = tensor({0, 1}), rates = tensor({0., 0.}, kDouble).requires_grad_();
  poisson_nll_loss(rates, counts, true, true, 1e-8, kSum).backward();
  BOOST_TEST((values(rates.grad().array()) == std::vector<double>{1, 0}));
  BOOST_TEST((values(rms_norm(tensor({3e30f, 4e30f}), {2}).array())[0]) == 3 / std::sqrt(12.5),
             boost::test_tools::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(names_that_programs_use) {
  BOOST_TEST(equal(nn::functional::one_hot(tensor({2, 0}), 3), one_hot(tensor({2, 0}), 3)));
  const Tensor x = tensor({{3., -4.}, {1., 2.}}, kDouble);
  const std::vector<std::int64_t> dims = {0, 1};
  BOOST_TEST(equal(linalg::vector_norm(x, 2, IntArrayRef(dims)), linalg_vector_norm(x, 2, {0, 1})));
  BOOST_TEST(equal(special::round(x * 0.123, 1), round(x * 0.123, 1)));
  BOOST_TEST(positive(x).is_same(x));
  BOOST_TEST((x.pin_memory().is_same(x) && !x.is_pinned()));
  BOOST_TEST(equal(x.index({true}), x.unsqueeze(0)));
  BOOST_TEST(x.index({indexing::Slice(), false}).numel() == 0);
  BOOST_TEST(equal(std::get<0>(std_mean(x, {0}, 0)), x.std(0, false)));
  BOOST_TEST((tril_indices(2, 2, 0, kInt32).dtype() == kInt32));
  check_error<ValueError>([&] { var(x, {0}, 0.5); }, {"var: the correction must be a whole number: 0.5"});
  // No degrees of freedom are left: infinite, but where nothing varies.
  const Tensor spread = tensor({1.0, 2.0, 3.0, 4.0, 4.0, 4.0}).view({2, 3}).var(1, 3.0, false);
  BOOST_TEST(spread[0].item<double>() == std::numeric_limits<double>::infinity());
  BOOST_TEST(std::isnan(spread[1].item<double>()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
