// Functions of the layers that are given a tensor which was never assigned: the error names the function and the argument.
#include <boost/test/unit_test.hpp>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gradus/gradus.h>

namespace gradus::test {
namespace {

namespace F = nn::functional;
using In = const std::vector<Tensor>&;

struct Row {
  std::string name;
  std::function<void(In)> call;
  std::vector<std::pair<std::string, Tensor>> arguments;  ///< as errors name them, and a value that is taken
};

Tensor one() { return rand({2, 4}) * 0.5 + 0.25; }
Tensor image(std::vector<std::int64_t> shape) { return rand(shape); }
Tensor classes() { return tensor({0, 3}); }

// clang-format off: one function a line
std::vector<Row> rows() {
  const std::pair<std::string, Tensor> operand = {"the operand", one()}, input = {"input", one()}, target = {"target", one()};
  const std::pair<std::string, Tensor> line = {"input", image({2, 4, 6})}, plane = {"input", image({2, 4, 6, 6})},
                                       space = {"input", image({2, 4, 6, 6, 6})};
  const std::pair<std::string, Tensor> triple = {"query, key and value", one()};
  const std::pair<std::string, Tensor> labels = {"target", classes()}, sides = {"target", ones({2, 4})};
  const auto w = [](std::vector<std::int64_t> shape) { return std::pair<std::string, Tensor>("weight", rand(shape)); };
  return {
      // Activations.
      {"relu", [](In x) { F::relu(x[0]); }, {operand}},
      {"sigmoid", [](In x) { F::sigmoid(x[0]); }, {operand}},
      {"tanh", [](In x) { F::tanh(x[0]); }, {operand}},
      {"hardtanh", [](In x) { F::hardtanh(x[0]); }, {operand}},
      {"relu6", [](In x) { F::relu6(x[0]); }, {operand}},
      {"hardsigmoid", [](In x) { F::hardsigmoid(x[0]); }, {operand}},
      {"hardswish", [](In x) { F::hardswish(x[0]); }, {operand}},
      {"hardshrink", [](In x) { F::hardshrink(x[0]); }, {operand}},
      {"softshrink", [](In x) { F::softshrink(x[0]); }, {operand}},
      {"threshold", [](In x) { F::threshold(x[0], nn::ThresholdOptions(1, 2)); }, {operand}},
      {"prelu", [](In x) { F::prelu(x[0], x[1]); }, {input, w({4})}},
      {"rrelu", [](In x) { F::rrelu(x[0]); }, {operand}},
      {"rrelu", [](In x) { F::rrelu(x[0], F::RReLUFuncOptions().training(true)); }, {operand}},
      {"gelu", [](In x) { F::gelu(x[0]); }, {operand}},
      {"silu", [](In x) { F::silu(x[0]); }, {operand}},
      {"softplus", [](In x) { F::softplus(x[0]); }, {operand}},
      {"leaky_relu", [](In x) { F::leaky_relu(x[0]); }, {operand}},
      {"elu", [](In x) { F::elu(x[0]); }, {operand}},
      {"celu", [](In x) { F::celu(x[0]); }, {operand}},
      {"selu", [](In x) { F::selu(x[0]); }, {operand}},
      {"mish", [](In x) { F::mish(x[0]); }, {operand}},
      {"log_sigmoid", [](In x) { F::logsigmoid(x[0]); }, {operand}},
      {"softsign", [](In x) { F::softsign(x[0]); }, {input}},
      {"tanhshrink", [](In x) { F::tanhshrink(x[0]); }, {input}},
      {"glu", [](In x) { F::glu(x[0]); }, {operand}},
      {"softmax", [](In x) { F::softmax(x[0], 1); }, {operand}},
      {"log_softmax", [](In x) { F::log_softmax(x[0], 1); }, {operand}},
      {"softmin", [](In x) { F::softmin(x[0], 1); }, {operand}},
      {"softmax2d", [](In x) { F::softmax2d(x[0]); }, {plane}},
      {"gumbel_softmax", [](In x) { F::gumbel_softmax(x[0]); }, {input}},
      // Products.
      {"linear", [](In x) { F::linear(x[0], x[1]); }, {input, w({3, 4})}},
      {"bilinear", [](In x) { F::bilinear(x[0], x[1], x[2]); }, {{"input1", one()}, {"input2", one()}, w({3, 4, 4})}},
      {"conv1d", [](In x) { conv1d(x[0], x[1]); }, {line, w({3, 4, 2})}},
      {"conv1d", [](In x) { F::conv1d(x[0], x[1], F::Conv1dFuncOptions().padding(kSame)); }, {line, w({3, 4, 2})}},
      {"conv2d", [](In x) { F::conv2d(x[0], x[1]); }, {plane, w({3, 4, 2, 2})}},
      {"conv3d", [](In x) { F::conv3d(x[0], x[1]); }, {space, w({3, 4, 2, 2, 2})}},
      {"conv_transpose1d", [](In x) { F::conv_transpose1d(x[0], x[1]); }, {line, w({4, 3, 2})}},
      {"conv_transpose2d", [](In x) { F::conv_transpose2d(x[0], x[1]); }, {plane, w({4, 3, 2, 2})}},
      {"conv_transpose3d", [](In x) { F::conv_transpose3d(x[0], x[1]); }, {space, w({4, 3, 2, 2, 2})}},
      {"scaled_dot_product_attention", [](In x) { F::scaled_dot_product_attention(x[0], x[1], x[2]); }, {triple, triple, triple}},
      {"rnn_tanh_cell", [](In x) { rnn_tanh_cell(x[0], {}, x[1], x[2]); }, {input, {"w_ih", rand({3, 4})}, {"w_hh", rand({3, 3})}}},
      {"rnn_relu_cell", [](In x) { rnn_relu_cell(x[0], {}, x[1], x[2]); }, {input, {"w_ih", rand({3, 4})}, {"w_hh", rand({3, 3})}}},
      {"gru_cell", [](In x) { gru_cell(x[0], {}, x[1], x[2]); }, {input, {"w_ih", rand({9, 4})}, {"w_hh", rand({9, 3})}}},
      {"lstm_cell", [](In x) { lstm_cell(x[0], {Tensor(), Tensor()}, x[1], x[2]); }, {input, {"w_ih", rand({12, 4})}, {"w_hh", rand({12, 3})}}},
      // Normalisation, dropout.
      {"batch_norm", [](In x) { F::batch_norm(x[0], {}, {}, F::BatchNormFuncOptions().training(true)); }, {input}},
      {"instance_norm", [](In x) { F::instance_norm(x[0]); }, {line}},
      {"group_norm", [](In x) { F::group_norm(x[0], 2); }, {input}},
      {"layer_norm", [](In x) { F::layer_norm(x[0], F::LayerNormFuncOptions({4})); }, {input}},
      {"rms_norm", [](In x) { rms_norm(x[0], {4}); }, {input}},
      {"normalize", [](In x) { F::normalize(x[0]); }, {input}},
      {"local_response_norm", [](In x) { F::local_response_norm(x[0], 2); }, {line}},
      {"dropout", [](In x) { F::dropout(x[0]); }, {input}},
      {"dropout", [](In x) { F::dropout(x[0], F::DropoutFuncOptions().training(false)); }, {input}},
      {"dropout1d", [](In x) { F::dropout1d(x[0]); }, {line}},
      {"dropout2d", [](In x) { F::dropout2d(x[0]); }, {plane}},
      {"dropout3d", [](In x) { F::dropout3d(x[0]); }, {space}},
      {"alpha_dropout", [](In x) { F::alpha_dropout(x[0]); }, {input}},
      {"alpha_dropout", [](In x) { alpha_dropout(x[0], 0.5, true); }, {input}},
      {"feature_alpha_dropout", [](In x) { F::feature_alpha_dropout(x[0]); }, {line}},
      {"feature_alpha_dropout", [](In x) { feature_alpha_dropout(x[0], 0.5, true); }, {line}},
      // Tables.
      {"embedding", [](In x) { F::embedding(x[0], x[1]); }, {{"indices", classes()}, w({4, 3})}},
      {"embedding_bag", [](In x) { F::embedding_bag(x[0], x[1]); }, {{"indices", tensor({{0, 1}, {2, 3}})}, w({4, 3})}},
      // Windows.
      {"max_pool1d", [](In x) { max_pool1d(x[0], 2); }, {line}},
      {"max_pool2d", [](In x) { max_pool2d(x[0], 2); }, {plane}},
      {"max_pool3d", [](In x) { max_pool3d(x[0], 2); }, {space}},
      {"avg_pool1d", [](In x) { avg_pool1d(x[0], 2); }, {line}},
      {"avg_pool2d", [](In x) { avg_pool2d(x[0], 2); }, {plane}},
      {"avg_pool3d", [](In x) { avg_pool3d(x[0], 2); }, {space}},
      {"adaptive_avg_pool1d", [](In x) { adaptive_avg_pool1d(x[0], 2); }, {line}},
      {"adaptive_avg_pool2d", [](In x) { adaptive_avg_pool2d(x[0], 2); }, {plane}},
      {"adaptive_avg_pool3d", [](In x) { adaptive_avg_pool3d(x[0], 2); }, {space}},
      {"adaptive_max_pool1d", [](In x) { adaptive_max_pool1d(x[0], 2); }, {line}},
      {"adaptive_max_pool2d", [](In x) { adaptive_max_pool2d(x[0], 2); }, {plane}},
      {"adaptive_max_pool3d", [](In x) { adaptive_max_pool3d(x[0], 2); }, {space}},
      {"lp_pool1d", [](In x) { F::lp_pool1d(x[0], nn::LPPool1dOptions(2, 2)); }, {line}},
      {"lp_pool2d", [](In x) { F::lp_pool2d(x[0], nn::LPPool2dOptions(2, 2)); }, {plane}},
      {"lp_pool3d", [](In x) { F::lp_pool3d(x[0], nn::LPPool3dOptions(2, 2)); }, {space}},
      {"max_unpool1d", [](In x) { F::max_unpool1d(x[0], x[1], F::MaxUnpool1dFuncOptions(2)); }, {{"input", rand({1, 2, 3})}, {"indices", tensor({0, 2, 4, 0, 2, 4}).view({1, 2, 3})}}},
      {"max_unpool2d", [](In x) { F::max_unpool2d(x[0], x[1], F::MaxUnpool2dFuncOptions(2)); }, {{"input", rand({1, 1, 1})}, {"indices", zeros({1, 1, 1}, kInt64)}}},
      {"max_unpool3d", [](In x) { F::max_unpool3d(x[0], x[1], F::MaxUnpool3dFuncOptions(2)); }, {{"input", rand({1, 1, 1, 1})}, {"indices", zeros({1, 1, 1, 1}, kInt64)}}},
      {"unfold", [](In x) { F::unfold(x[0], nn::UnfoldOptions(2)); }, {plane}},
      {"fold", [](In x) { F::fold(x[0], nn::FoldOptions({3, 3}, {2, 2})); }, {{"input", rand({1, 8, 4})}}},
      {"im2col", [](In x) { im2col(x[0], 2, 1, 0, 1); }, {plane}},
      {"col2im", [](In x) { col2im(x[0], 3, 2, 1, 0, 1); }, {{"input", rand({1, 8, 4})}}},
      {"interpolate", [](In x) { F::interpolate(x[0], F::InterpolateFuncOptions().scale_factor(std::vector<double>{2})); }, {line}},
      {"grid_sample", [](In x) { F::grid_sample(x[0], x[1]); }, {plane, {"grid", rand({2, 3, 3, 2})}}},
      {"affine_grid", [](In x) { F::affine_grid(x[0], {2, 1, 3, 3}); }, {{"theta", rand({2, 2, 3})}}},
      // Shapes, distances.
      {"pad", [](In x) { F::pad(x[0], F::PadFuncOptions({1, 1})); }, {operand}},
      {"pad", [](In x) { F::pad(x[0], F::PadFuncOptions({1, 1}).mode(kReflect)); }, {operand}},
      {"pixel_shuffle", [](In x) { F::pixel_shuffle(x[0], 2); }, {{"the operand", image({2, 4, 6, 6})}}},
      {"pixel_unshuffle", [](In x) { F::pixel_unshuffle(x[0], 2); }, {{"the operand", image({2, 4, 6, 6})}}},
      {"channel_shuffle", [](In x) { channel_shuffle(x[0], 2); }, {{"the operand", image({2, 4, 6, 6})}}},
      {"cosine_similarity", [](In x) { F::cosine_similarity(x[0], x[1]); }, {{"x1", one()}, {"x2", one()}}},
      {"pairwise_distance", [](In x) { F::pairwise_distance(x[0], x[1]); }, {{"x1", one()}, {"x2", one()}}},
      // Losses.
      {"mse_loss", [](In x) { F::mse_loss(x[0], x[1]); }, {input, target}},
      {"l1_loss", [](In x) { F::l1_loss(x[0], x[1]); }, {input, target}},
      {"smooth_l1_loss", [](In x) { F::smooth_l1_loss(x[0], x[1]); }, {input, target}},
      {"huber_loss", [](In x) { F::huber_loss(x[0], x[1]); }, {input, target}},
      {"binary_cross_entropy", [](In x) { F::binary_cross_entropy(x[0], x[1]); }, {input, target}},
      {"binary_cross_entropy_with_logits", [](In x) { F::binary_cross_entropy_with_logits(x[0], x[1]); }, {input, target}},
      {"kl_div", [](In x) { F::kl_div(x[0], x[1]); }, {input, target}},
      {"kl_div", [](In x) { F::kl_div(x[0], x[1], F::KLDivFuncOptions(kBatchMean)); }, {input, target}},
      {"poisson_nll_loss", [](In x) { F::poisson_nll_loss(x[0], x[1]); }, {input, target}},
      {"gaussian_nll_loss", [](In x) { F::gaussian_nll_loss(x[0], x[1], x[2]); }, {input, target, {"var", one()}}},
      {"soft_margin_loss", [](In x) { F::soft_margin_loss(x[0], x[1]); }, {input, sides}},
      {"hinge_embedding_loss", [](In x) { F::hinge_embedding_loss(x[0], x[1]); }, {input, sides}},
      {"multilabel_margin_loss", [](In x) { F::multilabel_margin_loss(x[0], x[1]); }, {input, {"target", zeros({2, 4}, kInt64)}}},
      {"multi_margin_loss", [](In x) { F::multi_margin_loss(x[0], x[1]); }, {input, labels}},
      {"multilabel_soft_margin_loss", [](In x) { F::multilabel_soft_margin_loss(x[0], x[1]); }, {input, sides}},
      {"margin_ranking_loss", [](In x) { F::margin_ranking_loss(x[0], x[1], x[2]); }, {{"input1", one()}, {"input2", one()}, sides}},
      {"cosine_embedding_loss", [](In x) { F::cosine_embedding_loss(x[0], x[1], x[2]); }, {{"input1", one()}, {"input2", one()}, {"target", ones({2})}}},
      {"cross_entropy", [](In x) { F::cross_entropy(x[0], x[1]); }, {input, labels}},
      {"cross_entropy", [](In x) { cross_entropy_loss(x[0], x[1]); }, {input, target}},
      {"nll_loss", [](In x) { F::nll_loss(x[0], x[1]); }, {input, labels}},
      {"ctc_loss", [](In x) { F::ctc_loss(x[0], x[1], x[2], x[3]); }, {{"log_probs", rand({5, 2, 4})}, {"targets", ones({2, 2}, kInt64)}, {"input_lengths", tensor({5, 5})}, {"target_lengths", tensor({2, 2})}}},
      {"triplet_margin_loss", [](In x) { F::triplet_margin_loss(x[0], x[1], x[2]); }, {{"anchor", one()}, {"positive", one()}, {"negative", one()}}},
      {"triplet_margin_with_distance_loss", [](In x) { F::triplet_margin_with_distance_loss(x[0], x[1], x[2]); }, {{"anchor", one()}, {"positive", one()}, {"negative", one()}}},
  };
}
// clang-format on

}  // namespace

BOOST_AUTO_TEST_SUITE(undefined)

BOOST_AUTO_TEST_CASE(functions_name_the_argument) {
  for (const Row& row : rows()) {
    std::vector<Tensor> given;
    for (const auto& [name, value] : row.arguments) given.push_back(value);
    BOOST_TEST_CONTEXT(row.name) {
      BOOST_CHECK_NO_THROW(row.call(given));
      for (std::size_t i = 0; i < given.size(); ++i) {
        std::vector<Tensor> lacking = given;
        lacking[i] = Tensor();
        const std::string expected = row.name + ": " + row.arguments[i].first + " must be defined";
        try {
          row.call(lacking);
          BOOST_ERROR("no error: " << expected);
        } catch (const Error& error) {
          const std::string text = error.what();
          BOOST_CHECK_MESSAGE(dynamic_cast<const ValueError*>(&error) != nullptr && text.starts_with(expected),
                              "'" << expected << "' is due: " << text);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
