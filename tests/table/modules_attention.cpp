#include <fmt/format.h>

#include "module_row.h"

namespace gradus::test {

namespace {

// As modules print: a module's own line, then its parts, deeper by two.
std::string tree(const std::string& name, const std::vector<std::string>& parts) {
  std::string text = name + "(";
  for (const std::string& part : parts) {
    text += "\n  ";
    for (const char c : part) text += c == '\n' ? "\n  " : std::string(1, c);
  }
  return text + "\n)";
}

std::string linear(const std::string& name, int in, int out) {
  return fmt::format("({}): Linear(in_features={}, out_features={}, bias=true)", name, in, out);
}
std::string norm(const std::string& name, int width) {
  return fmt::format("({}): LayerNorm([{}], eps=1e-05, elementwise_affine=true)", name, width);
}
std::string dropout(const std::string& name, const char* p) {
  return fmt::format("({}): Dropout(p={}, inplace=false)", name, p);
}
std::string attention(const std::string& name, int width) {
  return tree(fmt::format("({}): MultiheadAttention", name), {linear("out_proj", width, width)});
}

std::string encoder_layer(int width, int inside, const char* p = "0") {
  return tree("TransformerEncoderLayer", {attention("self_attn", width), linear("linear1", width, inside),
                                          dropout("dropout", p), linear("linear2", inside, width), norm("norm1", width),
                                          norm("norm2", width), dropout("dropout1", p), dropout("dropout2", p)});
}
std::string decoder_layer(int width, int inside) {
  return tree("TransformerDecoderLayer",
              {attention("self_attn", width), attention("multihead_attn", width), linear("linear1", width, inside),
               dropout("dropout", "0"), linear("linear2", inside, width), norm("norm1", width), norm("norm2", width),
               norm("norm3", width), dropout("dropout1", "0"), dropout("dropout2", "0"), dropout("dropout3", "0")});
}
std::string encoder(int layers) {
  std::vector<std::string> row;
  for (int i = 0; i < layers; ++i) row.push_back(fmt::format("({}): {}", i, encoder_layer(4, 2)));
  return tree("TransformerEncoder", {"(layers): " + tree("ModuleList", row), norm("norm", 4)});
}
std::string decoder(bool with_norm) {
  std::vector<std::string> parts = {"(layers): " + tree("ModuleList", {"(0): " + decoder_layer(4, 2)})};
  if (with_norm) parts.push_back(norm("norm", 4));
  return tree("TransformerDecoder", parts);
}

template <class Options>
Options options_of(std::int64_t width, std::int64_t heads, std::int64_t inside) {
  return Options(width, heads).dim_feedforward(inside).dropout(0);
}

}  // namespace

// clang-format off
std::vector<ModuleRow> attention_modules() {
  using Encoder = nn::TransformerEncoderLayerOptions;
  using Decoder = nn::TransformerDecoderLayerOptions;
  const Tensor x = ones({3, 2, 4}), narrow = ones({3, 2, 5}), one = ones({3, 1, 4});
  return {
      row("encoder_layer", encoder_layer(4, 3), nn::TransformerEncoderLayer(options_of<Encoder>(4, 2, 3))).refuses<ShapeError>({narrow}, {"MultiheadAttention: ", "[L, N, 4]", "[3, 2, 5]"}).refuses<ShapeError>({x, ones({2, 3})}, {"attn_mask must be [3, 3] or [4, 3, 3]: [2, 3]"}),
      row("encoder_layer_first", encoder_layer(4, 3), nn::TransformerEncoderLayer(options_of<Encoder>(4, 1, 3).norm_first(true).activation(kGELU))).refuses<ShapeError>({x, {}, ones({3, 2})}, {"key_padding_mask must be [2, 3]: [3, 2]"}),
      row("decoder_layer", decoder_layer(4, 3), nn::TransformerDecoderLayer(options_of<Decoder>(4, 2, 3))).refuses<ShapeError>({x, one}, {"MultiheadAttention: ", "[3, 2, 4], [3, 1, 4]"}),
      row("encoder", encoder(2), nn::TransformerEncoder(nn::TransformerEncoderOptions(options_of<Encoder>(4, 1, 2), 2).norm(nn::LayerNorm(nn::LayerNormOptions({4}))))).refuses<ShapeError>({narrow}, {"MultiheadAttention: ", "[L, N, 4]"}),
      row("decoder", decoder(false), nn::TransformerDecoder(nn::TransformerDecoderOptions(options_of<Decoder>(4, 1, 2), 1))).refuses<ShapeError>({x, narrow}, {"MultiheadAttention: ", "[3, 2, 5]"}),
      row("transformer", tree("Transformer", {"(encoder): " + encoder(1), "(decoder): " + decoder(true)}), nn::Transformer(options_of<nn::TransformerOptions>(4, 1, 2).num_encoder_layers(1).num_decoder_layers(1))).refuses<ShapeError>({x, one}, {"Transformer: src and tgt must be [S, N, 4]"}),
      row("encoder_layer_dropout", encoder_layer(4, 3, "0.1"), nn::TransformerEncoderLayer(nn::TransformerEncoderLayerOptions(4, 2).dim_feedforward(3))).drawing().refuses<DTypeError>({x.to(kInt64)}, {"linear: ", "int64"}),
  };
}
// clang-format on

}  // namespace gradus::test
