// What the module table does not say of transposed convolutions, pools that are undone, and group norm: output sizes,
// positions, the rule three ways, and numbers at the edges of their range.
#include <boost/test/unit_test.hpp>

#include <gradus/gradus.h>

#include "../support/arrays.h"
#include "../support/pytorch.h"

using namespace gradus;

using test::check_error;
using Sizes = std::vector<std::int64_t>;

BOOST_AUTO_TEST_SUITE(spatial)

BOOST_AUTO_TEST_CASE(group_norm_agrees_three_ways) {
  manual_seed(1);
  for (const Sizes& shape : {Sizes{3, 4, 5}, Sizes{2, 6}, Sizes{1, 4, 2, 9}}) {
    const Tensor x = randn(shape), weight = randn(shape[1]), bias = randn(shape[1]);
    for (const Tensor& w : {weight, Tensor()}) {
      for (const Tensor& b : {bias, Tensor()}) {
        if (w.defined() && !b.defined() && shape.size() > 2) continue;
        const auto report = autograd::check<nn::GroupNormRule>({2, 1e-4}, x, w, b);
        BOOST_TEST(report.ok(), report);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_group_is_normalised_as_a_row) {
  manual_seed(2);
  for (const DType dtype : {kFloat32, kFloat64}) {
    for (const std::int64_t positions : {1, 7, 40}) {  // fewer than a vector holds, and more than are summed at once
      const Tensor x = randn({3, 6, positions}, dtype) * 3 + 1e4, weight = randn({6}, dtype), bias = randn({6}, dtype);
      const Tensor rows = layer_norm(x.reshape({3, 2, 3 * positions}), 3 * positions).reshape(x.sizes());
      const Tensor y = group_norm(x, 2, weight, bias), wanted = rows * weight.view({6, 1}) + bias.view({6, 1});
      BOOST_TEST((y - wanted).abs().max().item<double>() < (dtype == kFloat32 ? 1e-5 : 1e-13));
    }
  }
  // Numbers whose squares overflow.
  const Tensor large = tensor({1e30F, 2e30F, 3e30F, -2e30F}).view({1, 2, 2});
  BOOST_TEST((group_norm(large, 1) - group_norm(large * 1e-30F, 1)).abs().max().item<double>() < 1e-4);
  BOOST_TEST(group_norm(zeros({0, 4, 3}), 2).sizes() == (Sizes{0, 4, 3}));
  BOOST_TEST(group_norm(zeros({2, 4, 0}), 2).sizes() == (Sizes{2, 4, 0}));
}

BOOST_AUTO_TEST_CASE(instance_norm_keeps_running_statistics) {
  manual_seed(3);
  nn::InstanceNorm2d layer(nn::InstanceNorm2dOptions(2).track_running_stats(true).momentum(0.5));
  const Tensor x = randn({3, 2, 2, 2}) + 4;
  layer(x);
  BOOST_TEST((layer->running_mean - x.mean({0, 2, 3}) * 0.5).abs().max().item<double>() < 1e-6);
  const Tensor var = x.flatten(2).var(2).mean(0);
  BOOST_TEST((layer->running_var - (var * 0.5 + 0.5)).abs().max().item<double>() < 1e-6);
  layer->eval();
  const Tensor by_running =
      (x - layer->running_mean.view({2, 1, 1})) / (layer->running_var.view({2, 1, 1}) + 1e-5).sqrt();
  BOOST_TEST((layer(x) - by_running).abs().max().item<double>() < 1e-5);
  BOOST_TEST(test::same_bits(layer(x[0]), layer(x)[0]));  // without a batch
  layer->reset_running_stats();
  BOOST_TEST(layer->running_mean.sum().item<double>() == 0);
  check_error<ValueError>([] { nn::InstanceNorm1d(-1); }, {"InstanceNorm1d: num_features", "-1"});
  check_error<ValueError>([] { nn::GroupNorm(3, 4); }, {"GroupNorm: num_groups must divide num_channels: 3 for 4"});
}

BOOST_AUTO_TEST_CASE(a_transposed_convolution_takes_the_size_that_it_is_to_give) {
  nn::ConvTranspose2d layer(nn::ConvTranspose2dOptions(2, 3, {3, 2}).stride({2, 3}).padding({1, 0}).dilation({1, 2}));
  const Tensor x = randn({1, 2, 4, 5});  // 7 and 8, 15 to 17
  BOOST_TEST(layer(x).sizes() == (Sizes{1, 3, 7, 15}));
  const Tensor y = layer(x, IntArrayRef{8, 17});
  BOOST_TEST(y.sizes() == (Sizes{1, 3, 8, 17}));
  BOOST_TEST(test::same_bits(layer->forward(x, {1, 3, 8, 17}), y));
  BOOST_TEST(test::same_bits(layer->forward(x[0], {8, 17}), y[0]));
  const auto how = nn::functional::ConvTranspose2dFuncOptions()
                       .bias(layer->bias)
                       .stride({2, 3})
                       .padding({1, 0})
                       .dilation({1, 2})
                       .output_padding({1, 2});
  BOOST_TEST(test::same_bits(nn::functional::conv_transpose2d(x, layer->weight, how), y));
  check_error<ValueError>(
      [&] {
        layer->forward(x, {9, 17});
      },
      {"ConvTranspose2d: output_size", "from 7 to 8", "[9, 17]"});
  check_error<ShapeError>([&] { layer->forward(x, {9}); }, {"ConvTranspose2d: output_size must have 2 numbers", "[9]"});
  check_error<ValueError>([] { nn::ConvTranspose1d(nn::ConvTranspose1dOptions(1, 1, 2).padding_mode(kReflect)); },
                          {"ConvTranspose1d: padding_mode must be kZeros: reflect"});
  check_error<ValueError>([] { nn::ConvTranspose2d(nn::ConvTranspose2dOptions(2, 3, 2).groups(2)); },
                          {"ConvTranspose2d: groups must divide the channels: groups 2 for 2 in and 3 out"});
}

BOOST_AUTO_TEST_CASE(unpooling_undoes_pooling) {
  manual_seed(4);
  const Tensor x = randn({2, 3, 5, 7});
  nn::MaxPool2d pool(nn::MaxPool2dOptions({2, 3}).stride(2));
  nn::MaxUnpool2d undo(nn::MaxUnpool2dOptions({2, 3}).stride(2));
  const auto [y, indices] = pool->forward_with_indices(x);
  const Tensor back = undo->forward(y, indices, Sizes{5, 7});
  BOOST_TEST(back.sizes() == x.sizes());
  BOOST_TEST(test::same_bits(pool(where(back == 0, -9, back)), y));
  BOOST_TEST(test::same_bits(undo->forward(y, indices, Sizes{2, 3, 5, 7}), back));
  BOOST_TEST(undo(y, indices % 28).sizes() == (Sizes{2, 3, 4, 7}));
  check_error<ValueError>(
      [&, &y = y, &indices = indices] {
        undo->forward(y, indices, Sizes{7, 7});
      },
      {"max_unpool2d: output_size must be from 2 to 6 in dimension 0: [7, 7]"});
  check_error<ShapeError>([&, &y = y, &indices = indices] { undo->forward(y, indices, Sizes{7}); },
                          {"max_unpool2d: output_size must have 2 numbers"});
}

BOOST_AUTO_TEST_CASE(adaptive_pools_say_where) {
  manual_seed(5);
  const Tensor x = randn({2, 3, 4, 5});
  const auto [y, indices] =
      nn::AdaptiveMaxPool2d(nn::AdaptiveMaxPool2dOptions({2, std::nullopt}))->forward_with_indices(x);
  BOOST_TEST(y.sizes() == (Sizes{2, 3, 2, 5}));
  BOOST_TEST(test::same_bits(x.flatten(2).gather(2, indices.flatten(2)).view(y.sizes()), y));
  const Tensor line = randn({2, 5}), cube = randn({1, 2, 2, 3, 4});
  const auto of_line = nn::functional::adaptive_max_pool1d_with_indices(line, nn::AdaptiveMaxPool1dOptions(2));
  BOOST_TEST(test::same_bits(line.gather(1, std::get<1>(of_line)), std::get<0>(of_line)));
  BOOST_TEST(nn::functional::adaptive_max_pool3d(cube, nn::AdaptiveMaxPool3dOptions({1, std::nullopt, 2})).sizes() ==
             (Sizes{1, 2, 1, 3, 2}));
}

BOOST_AUTO_TEST_CASE(fold_gives_back_what_unfold_took) {
  const Tensor x = randn({2, 3, 5, 4});
  const Tensor columns = nn::Unfold(nn::UnfoldOptions({2, 3}).stride({1, 2}).padding({0, 1}))(x);
  BOOST_TEST(columns.sizes() == (Sizes{2, 18, 8}));
  const nn::Fold fold(nn::FoldOptions({5, 4}, {2, 3}).stride({1, 2}).padding({0, 1}));
  const Tensor times = fold(nn::Unfold(nn::UnfoldOptions({2, 3}).stride({1, 2}).padding({0, 1}))(ones_like(x)));
  BOOST_TEST((fold(columns) / times - x).abs().max().item<double>() < 1e-6);
  // A convolution is a product of columns.
  const Tensor weight = randn({4, 3, 2, 3});
  const Tensor y = matmul(weight.flatten(1), columns).view({2, 4, 4, 2});
  BOOST_TEST((y - conv2d(x, weight, {}, {1, 2}, {0, 1})).abs().max().item<double>() < 1e-5);
  // A window far beyond the image sees nothing, a stride beyond it goes nowhere.
  const std::int64_t far = std::int64_t{1} << 40;
  BOOST_TEST(test::same_bits(im2col(x, 1, 1, 0, far), x.select(3, 0).select(2, 0).unsqueeze(2)));
  BOOST_TEST(im2col(x, {1, 1}, 1, {0, 9}, {9, 3}).sizes() == (Sizes{2, 3, 8}));
  check_error<ValueError>([&] { im2col(x, 2, std::int64_t{1} << 61, 0, 1); }, {"im2col: "});
}

BOOST_AUTO_TEST_SUITE_END()
