// Layers and operations, forward with recording and then backward from a given gradient; inputs and parameters require
// gradients. Of the bytes, 12 for an element of the input are the sum of its gradient with that of the runs before.
#include "case.h"

namespace bench {

namespace {

using torch::Tensor;
namespace nn = torch::nn;

// `module` of x and backward, both of the shape `s`; bytes and flops of one element.
template <class Module>
Prepared same_shape(Module module, const Sizes& s, double bytes, double flops) {
  const Tensor x = leaf(s), g = torch::randn(s);
  return {{flops * product(s), bytes * product(s)}, [=]() mutable { module->forward(x).backward(g); }};
}

template <class F>
void function(Operations& operations, const char* name, double bytes, double flops, F f) {
  operations.recorded(name, 2, [=](const Sizes& s) {
    const Tensor x = leaf(s), g = torch::randn(s);
    return Prepared{{flops * product(s), bytes * product(s)}, [=] { f(x, g).backward(g); }};
  });
}

// Sizes: batch, channels in, out, kernel, height, width; the result has the input's height and width. Forward alone, or
// with backward: the gradients of input and weight cost a forward each.
struct Convolution {
  nn::Conv2d layer;
  Tensor x, g;
  Work forward, backward;
  Convolution(const Sizes& s, std::int64_t groups)
      : layer(nn::Conv2dOptions(s[1], s[2], s[3]).padding(s[3] / 2).groups(groups)),
        x(leaf({s[0], s[1], s[4], s[5]})),
        g(torch::randn({s[0], s[2], s[4], s[5]})) {
    const double in = product({s[0], s[1], s[4], s[5]}), out = product({s[0], s[2], s[4], s[5]});
    const double weight = product({s[1] / groups, s[2], s[3], s[3]});
    forward = {2 * out * product({s[1] / groups, s[3], s[3]}), 4 * (in + out + weight)};
    backward = {2 * forward.flops, 2 * forward.bytes + 12 * (in + weight)};
  }
};

Prepared convolution_forward_backward(const Sizes& s, std::int64_t groups) {
  Convolution c(s, groups);
  return {{c.forward.flops + c.backward.flops, c.forward.bytes + c.backward.bytes},
          [=]() mutable { c.layer->forward(c.x).backward(c.g); }};
}

void add_convolutions(Operations& operations) {
  operations.recorded("conv_fwd_bwd", 6, [](const Sizes& s) { return convolution_forward_backward(s, 1); });
  operations.plain("conv_fwd", 6, [](const Sizes& s) {
    Convolution c(s, 1);
    return Prepared{c.forward, [=]() mutable { return c.layer->forward(c.x); }};
  });
  // Depthwise. Sizes: batch, channels, kernel, height, width.
  operations.recorded("conv_dw_fwd_bwd", 5, [](const Sizes& s) {
    return convolution_forward_backward({s[0], s[1], s[1], s[2], s[3], s[4]}, s[1]);
  });
  // Sizes: batch, channels in, out, kernel, stride, padding, height and width of the input.
  operations.recorded("conv_transpose_fwd_bwd", 8, [](const Sizes& s) {
    nn::ConvTranspose2d layer(nn::ConvTranspose2dOptions(s[1], s[2], s[3]).stride(s[4]).padding(s[5]));
    const Sizes from = {s[0], s[1], s[6], s[7]};
    const Sizes to = {s[0], s[2], (s[6] - 1) * s[4] - 2 * s[5] + s[3], (s[7] - 1) * s[4] - 2 * s[5] + s[3]};
    const Tensor x = leaf(from), g = torch::randn(to);
    const double in = product(from), out = product(to), weight = product({s[1], s[2], s[3], s[3]});
    const double flops = 2 * in * product({s[2], s[3], s[3]});
    return Prepared{{3 * flops, 12 * (in + out + weight) + 12 * (in + weight)},
                    [=]() mutable { layer->forward(x).backward(g); }};
  });
  // Windows of 2 x 2. Sizes: images, channels, height, width.
  operations.recorded("maxpool_fwd_bwd", 4, [](const Sizes& s) {
    nn::MaxPool2d layer(2);
    const Tensor x = leaf(s), g = torch::randn({s[0], s[1], s[2] / 2, s[3] / 2});
    return Prepared{{product(s), 22 * product(s)}, [=]() mutable { layer->forward(x).backward(g); }};
  });
  // To twice the height and width. Sizes: images, channels, height, width.
  operations.recorded("upsample_bilinear_fwd_bwd", 4, [](const Sizes& s) {
    nn::Upsample layer(
        nn::UpsampleOptions().scale_factor(std::vector<double>{2, 2}).mode(torch::kBilinear).align_corners(false));
    const Tensor x = leaf(s), g = torch::randn({s[0], s[1], 2 * s[2], 2 * s[3]});
    return Prepared{{24 * product(s), 40 * product(s)}, [=]() mutable { layer->forward(x).backward(g); }};
  });
}

// Sizes: steps, batch, units (as many inputs), layers; `gates` of a cell. Each weight is in a product forward and two back.
template <class Module, class Options>
Prepared recurrent(const Sizes& s, double gates) {
  Module module(Options(s[2], s[2]).num_layers(s[3]));
  const Tensor x = leaf({s[0], s[1], s[2]}), g = torch::randn({s[0], s[1], s[2]});
  const double rows = product({s[0], s[1], s[3]}), weights = 2 * gates * product({s[2], s[2]});
  return {{6 * rows * weights, rows * static_cast<double>(s[2]) * (16 * gates + 32)},
          [=]() mutable { std::get<0>(module->forward(x)).backward(g); }};
}

}  // namespace

void add_layers(Operations& operations) {
  // Sizes: batch, inputs, outputs.
  operations.recorded("linear_fwd_bwd", 3, [](const Sizes& s) {
    nn::Linear layer(s[1], s[2]);
    const Tensor x = leaf({s[0], s[1]}), g = torch::randn({s[0], s[2]});
    const double in = product({s[0], s[1]}), out = product({s[0], s[2]}), weight = product({s[1], s[2]});
    return Prepared{{6 * product(s), 12 * (in + out + weight) + 12 * (in + weight)},
                    [=]() mutable { layer->forward(x).backward(g); }};
  });
  // Sizes: batch, channels.
  operations.recorded("bn1d_fwd_bwd", 2, [](const Sizes& s) { return same_shape(nn::BatchNorm1d(s[1]), s, 32, 16); });
  // Sizes: images, channels, height, width.
  operations.recorded("bn2d_fwd_bwd", 4, [](const Sizes& s) { return same_shape(nn::BatchNorm2d(s[1]), s, 32, 16); });
  // Sizes: images, channels, height, width, groups.
  operations.recorded("groupnorm_fwd_bwd", 5, [](const Sizes& s) {
    return same_shape(nn::GroupNorm(s[4], s[1]), {s[0], s[1], s[2], s[3]}, 32, 16);
  });
  operations.recorded("dropout_fwd_bwd", 1, [](const Sizes& s) { return same_shape(nn::Dropout(0.5), s, 28, 30); });
  operations.recorded("layernorm_fwd_bwd", 2, [](const Sizes& s) {
    return same_shape(nn::LayerNorm(nn::LayerNormOptions({s[1]})), s, 32, 16);
  });
  // Sizes: rows, classes.
  operations.recorded("cross_entropy_fwd_bwd", 2, [](const Sizes& s) {
    const Tensor x = leaf(s), target = torch::randint(0, s[1], {s[0]}, torch::kLong);
    return Prepared{{46 * product(s), 24 * product(s)}, [=] { nn::functional::cross_entropy(x, target).backward(); }};
  });
  // The mean of losses of so many differences.
  operations.recorded("l1_loss_fwd_bwd", 1, [](const Sizes& s) {
    const Tensor x = leaf(s), target = torch::randn(s);
    return Prepared{{6 * product(s), 32 * product(s)}, [=] { nn::functional::l1_loss(x, target).backward(); }};
  });
  operations.recorded("huber_loss_fwd_bwd", 1, [](const Sizes& s) {
    const Tensor x = leaf(s), target = torch::randn(s);
    return Prepared{{10 * product(s), 32 * product(s)}, [=] { nn::functional::huber_loss(x, target).backward(); }};
  });
  function(operations, "softmax_fwd_bwd", 32, 28, [](const Tensor& x, const Tensor&) { return torch::softmax(x, 1); });
  function(operations, "gelu_fwd_bwd", 32, 90, [](const Tensor& x, const Tensor&) { return torch::gelu(x); });
  function(operations, "relu_fwd_bwd", 32, 3, [](const Tensor& x, const Tensor&) { return torch::relu(x); });
  // g serves as a factor too.
  function(operations, "mul_add_tanh_fwd_bwd", 80, 38,
           [](const Tensor& x, const Tensor& g) { return (x * g + x).tanh(); });
  add_convolutions(operations);
  // Sizes: words, numbers of a word, batch, length.
  operations.recorded("embedding_fwd_bwd", 4, [](const Sizes& s) {
    nn::Embedding layer(s[0], s[1]);
    const Tensor index = torch::randint(0, s[0], {s[2], s[3]}, torch::kLong), g = torch::randn({s[2], s[3], s[1]});
    const double taken = product({s[1], s[2], s[3]});
    return Prepared{{taken, 12 * taken + 4 * product({s[0], s[1]})}, [=]() mutable {
                      layer->zero_grad();
                      layer->forward(index).backward(g);
                    }};
  });
  operations.recorded("lstm_fwd_bwd", 4, [](const Sizes& s) { return recurrent<nn::LSTM, nn::LSTMOptions>(s, 4); });
  operations.recorded("gru_fwd_bwd", 4, [](const Sizes& s) { return recurrent<nn::GRU, nn::GRUOptions>(s, 3); });
  // Sizes: batch, heads, length, numbers of a head.
  operations.recorded("attention_fwd_bwd", 4, [](const Sizes& s) {
    const Tensor q = leaf(s), k = leaf(s), v = leaf(s), g = torch::randn(s);
    const double scores = product({s[0], s[1], s[2], s[2]});
    return Prepared{{12 * scores * double(s[3]) + 30 * scores, 4 * (13 * scores + 22 * product(s))}, [=] {
                      const Tensor a = torch::softmax(torch::matmul(q, k.transpose(-2, -1)) * 0.125, -1);
                      torch::matmul(a, v).backward(g);
                    }};
  });
  // Training, with its dropout of 0.1. Sizes: batch, length, heads, numbers of a head, width inside the feedforward.
  operations.recorded("transformer_encoder_fwd_bwd", 5, [](const Sizes& s) {
    const std::int64_t width = s[2] * s[3];
    nn::TransformerEncoderLayer layer(nn::TransformerEncoderLayerOptions(width, s[2]).dim_feedforward(s[4]));
    const Sizes shape = {s[1], s[0], width};
    const Tensor x = leaf(shape), g = torch::randn(shape);
    const double tokens = product({s[0], s[1]}), in = double(width), inside = double(s[4]), length = double(s[1]);
    const double weights = 4 * in * in + 2 * in * inside, scores = tokens * length * double(s[2]);
    return Prepared{{6 * tokens * weights + 12 * tokens * length * in + 30 * scores,
                     4 * (tokens * (40 * in + 12 * inside) + 13 * scores + 6 * weights)},
                    [=]() mutable {
                      layer->zero_grad();
                      layer->forward(x).backward(g);
                    }};
  });
}

}  // namespace bench
