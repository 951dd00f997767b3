// Transformers and multi_head_attention_forward against PyTorch with all their masks; parts, copies and wrong use.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <gradus/autograd/graph/engine.h>
#include <gradus/autograd/tensor/create.h>
#include <gradus/layers/attention/transformer.h>
#include <gradus/layers/module/check.h>

#include "../support/pytorch.h"
#include "../support/three_ways.h"

using namespace gradus;
using test::check_close;
using test::check_error;
using test::PyTorchFile;
using test::same_bits;

namespace {

// The options of the cases in the file: 4 wide, 2 heads, 3 inside, no dropout.
template <class Options>
Options options_of(const std::string& c) {
  Options options(4, 2);
  options.dim_feedforward(3).dropout(0);
  const auto has = [&](const char* word) { return c.find(word) != std::string::npos; };
  if (has("first") || has("heads")) options.norm_first(true).activation(kGELU);
  if (has("function")) options.activation([](const Tensor& x) { return tanh(x); });
  return options;
}

struct Case {
  explicit Case(const std::string& case_name) : name(case_name) {
    for (int i = 0; i < 3; ++i) {
      x[i] = file().get(fmt::format("{}/x{}", name, i));
      if (x[i].defined()) x[i].requires_grad_();
    }
    for (int i = 0; i < 6; ++i) m[i] = file().get(fmt::format("{}/m{}", name, i));
  }
  static const PyTorchFile& file() {
    static const PyTorchFile read("transformer");
    return read;
  }
  // The results, and the gradients of sum(dy y): of the inputs, and of tensors by name.
  void compare(const Tensor& y, const Tensor& weights, const nn::NamedTensors& parameters) const {
    file().check(y, name + "/y");
    Tensor loss = (y * file()[name + "/dy"]).sum();
    BOOST_TEST(weights.defined() == file().has(name + "/y1"));
    if (weights.defined()) {
      file().check(weights, name + "/y1");
      loss = loss + (weights * file()[name + "/dy1"]).sum();
    }
    loss.backward();
    for (int i = 0; i < 3; ++i) {
      if (file().has(fmt::format("{}/dx{}", name, i))) file().check(x[i].grad(), fmt::format("{}/dx{}", name, i));
    }
    for (const auto& [key, p] : parameters) file().check(p.grad(), name + "/d." + key);
  }
  std::string name;
  Tensor x[3], m[6];
};

template <class Module>
Module filled(const Case& c, const Module& module) {
  module->to(kFloat64);
  const NoGradGuard no_grad;
  std::size_t count = 0;
  for (const auto& [key, p] : module->named_parameters()) {
    p.copy_(c.file()[c.name + "/p." + key]);
    ++count;
  }
  BOOST_TEST(count > 0u);
  return module;
}

using nn::TransformerDecoderLayerOptions;
using nn::TransformerEncoderLayerOptions;

}  // namespace

BOOST_AUTO_TEST_SUITE(transformer)

BOOST_AUTO_TEST_CASE(agrees_with_pytorch) {
  std::size_t seen = 0;
  for (const std::string& name : Case::file().cases("")) {
    const Case c(name);
    const auto is = [&](const char* kind) { return name.rfind(kind, 0) == 0; };
    if (is("encoder_layer")) {
      const auto layer = filled(c, nn::TransformerEncoderLayer(options_of<TransformerEncoderLayerOptions>(name)));
      c.compare(layer(c.x[0], c.m[0], c.m[1]), {}, layer->named_parameters());
    } else if (is("decoder_layer")) {
      const auto layer = filled(c, nn::TransformerDecoderLayer(options_of<TransformerDecoderLayerOptions>(name)));
      c.compare(layer(c.x[0], c.x[1], c.m[0], c.m[1], c.m[2], c.m[3]), {}, layer->named_parameters());
    } else if (is("encoder ")) {
      const nn::TransformerEncoderOptions options(options_of<TransformerEncoderLayerOptions>(name), 2);
      const auto encoder = filled(c, nn::TransformerEncoder(nn::TransformerEncoderOptions(options).norm(
                                         nn::LayerNorm(nn::LayerNormOptions({4})))));
      c.compare(encoder(c.x[0], c.m[0], c.m[1]), {}, encoder->named_parameters());
    } else if (is("decoder")) {
      const auto decoder = filled(
          c, nn::TransformerDecoder(nn::TransformerDecoderLayer(options_of<TransformerDecoderLayerOptions>(name)), 2));
      c.compare(decoder(c.x[0], c.x[1], c.m[0], c.m[1], c.m[2], c.m[3]), {}, decoder->named_parameters());
    } else if (is("transformer")) {
      auto options = options_of<nn::TransformerOptions>(name);
      const bool first = options.norm_first();
      const auto whole =
          filled(c, nn::Transformer(options.num_encoder_layers(first ? 2 : 1).num_decoder_layers(first ? 1 : 2)));
      c.compare(whole(c.x[0], c.x[1], c.m[0], c.m[1], c.m[2], c.m[3], c.m[4], c.m[5]), {}, whole->named_parameters());
    } else {
      continue;
    }
    ++seen;
  }
  BOOST_TEST(seen == 9u);
}

BOOST_AUTO_TEST_CASE(attention_of_tensors_agrees_with_pytorch) {
  std::size_t seen = 0;
  for (const std::string& name : Case::file().cases("attention")) {
    const Case c(name);
    const auto has = [&](const char* word) { return name.find(word) != std::string::npos; };
    nn::NamedTensors p;
    const auto own = [&](const std::string& key) {
      const Tensor t = c.file().get(name + "/p." + key);
      if (t.defined()) p.insert(key, t.requires_grad_());
      return t;
    };
    nn::functional::MultiheadAttentionForwardFuncOptions options(
        4, 2, own("in_proj_weight"), own("in_proj_bias"), own("bias_k"), own("bias_v"), has("zero") || has("static"),
        0.5, own("out_proj_weight"), own("out_proj_bias"));
    options.training(false).key_padding_mask(c.m[0]).attn_mask(c.m[1]).need_weights(!has("noweights"));
    options.q_proj_weight(own("q_proj_weight")).k_proj_weight(own("k_proj_weight")).v_proj_weight(own("v_proj_weight"));
    options.use_separate_proj_weight(options.q_proj_weight().defined())
        .average_attn_weights(name != "attention unbatched");
    options.static_k(own("static_k")).static_v(own("static_v"));
    const auto [y, weights] = nn::functional::multi_head_attention_forward(c.x[0], c.x[1], c.x[2], options);
    c.compare(y, weights, p);
    ++seen;
  }
  BOOST_TEST(seen == 5u);
}

BOOST_AUTO_TEST_CASE(three_ways) {
  manual_seed(1);
  const Tensor x = randn({3, 2, 4}), memory = randn({2, 2, 4});
  nn::TransformerDecoderLayer decoder(TransformerDecoderLayerOptions(4, 2).dim_feedforward(2).activation(kGELU));
  const auto dropped = nn::check(decoder, x, memory);  // with dropout, by one mask
  BOOST_TEST(dropped.ok(), dropped);
  nn::Transformer whole(
      nn::TransformerOptions(4, 2, 1, 1).dim_feedforward(2).dropout(0).activation(kGELU).norm_first(true));
  const auto report = nn::check(whole, randn({2, 1, 4}), randn({2, 1, 4}));
  BOOST_TEST(report.ok(), report);
}

BOOST_AUTO_TEST_CASE(parts_and_copies) {
  manual_seed(2);
  nn::Transformer whole(nn::TransformerOptions(8, 2, 2, 1).dim_feedforward(5));
  const Tensor src = randn({4, 3, 8}), tgt = randn({2, 3, 8});
  BOOST_TEST(whole->named_parameters().size() == 2u * 12 + 2 + 18 + 2);
  BOOST_TEST(whole->state_dict().contains("encoder.layers.1.self_attn.in_proj_weight"));
  BOOST_TEST(whole->state_dict().contains("decoder.layers.0.multihead_attn.out_proj.bias"));
  BOOST_TEST(whole->state_dict().contains("decoder.norm.weight"));
  // Glorot's uniform, drawn for each layer: in +-sqrt(6 / (2 d)) of a square, and not far below.
  const Tensor first = whole->state_dict()["encoder.layers.0.linear1.weight"];
  BOOST_TEST(first.abs().max().item<double>() <= std::sqrt(6. / 13));
  BOOST_TEST(first.abs().max().item<double>() > 0.8 * std::sqrt(6. / 13));
  BOOST_TEST(!equal(first, whole->state_dict()["encoder.layers.1.linear1.weight"]));
  BOOST_TEST(!same_bits(whole(src, tgt), whole(src, tgt)));  // dropout
  whole->eval();
  const Tensor y = whole(src, tgt);
  BOOST_TEST(same_bits(y, whole(src, tgt)));
  const auto copy = std::dynamic_pointer_cast<nn::TransformerImpl>(whole->clone());
  BOOST_TEST(same_bits(copy->forward(src, tgt), y));
  BOOST_TEST(copy->to_string() == whole->to_string());
  {
    const NoGradGuard no_grad;
    for (const Tensor& p : whole->parameters()) p.zero_();
  }
  BOOST_TEST(same_bits(copy->forward(src, tgt), y));
  copy->reset_parameters();
  BOOST_TEST(!equal(copy->forward(src, tgt), y));

  // An encoder of another kind, and the library's own decoder, given: the Transformer's are these, a copy's are copies.
  nn::TransformerEncoder encoder(nn::TransformerEncoderOptions(TransformerEncoderLayerOptions(8, 4), 1));
  nn::TransformerDecoder decoder(nn::TransformerDecoderOptions(TransformerDecoderLayerOptions(8, 4), 1));
  nn::Transformer custom(nn::TransformerOptions(8, 2).custom_encoder(encoder).custom_decoder(decoder));
  custom->eval();
  BOOST_TEST(custom->encoder.ptr() == encoder.base_ptr());
  const Tensor z = custom(src, tgt);
  BOOST_TEST(same_bits(z, decoder(tgt, encoder(src))));
  const auto other = std::dynamic_pointer_cast<nn::TransformerImpl>(custom->clone());
  {
    const NoGradGuard no_grad;
    for (const Tensor& p : encoder->parameters()) p.zero_();
  }
  BOOST_TEST(other->encoder.ptr() != encoder.base_ptr());
  BOOST_TEST(same_bits(other->forward(src, tgt), z));
}

// An encoder of one's own, and a decoder with fewer arguments to its call.
struct ShiftImpl : nn::Cloneable<ShiftImpl> {
  Tensor forward(Tensor x, Tensor mask, Tensor padding) {
    masked = mask.defined() && padding.defined();
    return x + 1;
  }
  void reset() override {}
  bool masked = false;
};
struct MeanImpl : nn::Cloneable<MeanImpl> {
  Tensor forward(const Tensor& tgt, const Tensor& memory, const Tensor&, const Tensor&, const Tensor&, const Tensor&) {
    return tgt + memory.mean(0);
  }
  void reset() override {}
};
GRADUS_MODULE(Shift);
GRADUS_MODULE(Mean);

BOOST_AUTO_TEST_CASE(parts_of_ones_own) {
  manual_seed(4);
  const Tensor src = randn({4, 3, 8}), tgt = randn({2, 3, 8});
  Shift shift;
  nn::Transformer custom(nn::TransformerOptions(8, 2).custom_encoder(shift).custom_decoder(Mean()));
  check_close(custom(src, tgt), tgt + (src + 1).mean(0), 1e-6, "own parts");
  BOOST_TEST(!shift->masked);
  (void)custom->forward(src, tgt, zeros({4, 4}), {}, {}, zeros({3, 4}));
  BOOST_TEST(shift->masked);
  // What an AnyModule does not say is as forward has it.
  nn::TransformerDecoderLayer layer(TransformerDecoderLayerOptions(8, 2).dropout(0));
  const Tensor mask = nn::TransformerImpl::generate_square_subsequent_mask(2);
  nn::AnyModule any(layer), attention(layer->self_attn), whole(custom);
  BOOST_TEST(same_bits(whole.forward(src, tgt, zeros({4, 4}), Tensor()), custom(src, tgt)));
  BOOST_TEST(same_bits(any.forward(tgt, src, mask, Tensor()), layer(tgt, src, mask)));
  const auto [y, weights] = attention.forward<std::tuple<Tensor, Tensor>>(tgt, src, src);
  BOOST_TEST(same_bits(y, std::get<0>(layer->self_attn(tgt, src, src))));
  BOOST_TEST(weights.defined());
}

BOOST_AUTO_TEST_CASE(later_ones_are_hidden) {
  const double none = -std::numeric_limits<double>::infinity();
  const Tensor mask = nn::TransformerImpl::generate_square_subsequent_mask(3);
  BOOST_TEST(test::values(mask.array()) == (std::vector<double>{0, none, none, 0, 0, none, 0, 0, 0}));
  manual_seed(3);
  nn::TransformerEncoderLayer layer(TransformerEncoderLayerOptions(4, 2).dim_feedforward(6));
  layer->eval();
  const Tensor x = randn({3, 1, 4}), longer = cat({x, randn({2, 1, 4})});
  check_close(layer(longer, nn::TransformerImpl::generate_square_subsequent_mask(5)).slice(0, 0, 3), layer(x, mask),
              1e-6, "what comes later changes nothing");
}

BOOST_AUTO_TEST_CASE(wrong_use_is_said) {
  check_error<ValueError>([] { nn::TransformerEncoderLayer(6, 4); },
                          {"MultiheadAttention: ", "embed_dim 6, num_heads 4"});
  check_error<ValueError>([] { nn::TransformerEncoder(nn::TransformerEncoderLayer(4, 2), 0); },
                          {"TransformerEncoder: num_layers must be above 0: 0"});
  check_error<ValueError>([] { nn::TransformerDecoder(nn::TransformerDecoderLayer(4, 2), -1); },
                          {"TransformerDecoder: num_layers must be above 0: -1"});
  check_error<ValueError>([] { nn::TransformerImpl::generate_square_subsequent_mask(-1); },
                          {"generate_square_subsequent_mask: size must not be negative: -1"});
  nn::Transformer whole(nn::TransformerOptions(4, 2, 1, 1).dim_feedforward(3));
  const Tensor x = randn({3, 2, 4}), other = randn({3, 1, 4});
  check_error<ShapeError>([&] { whole(x, other); },
                          {"Transformer: src and tgt must be [S, N, 4] and [T, N, 4], or both without N: [3, 2, 4] and "
                           "[3, 1, 4]; transpose(0, 1)"});
  check_error<ShapeError>([&] { whole(x, x[0]); }, {"Transformer: ", "[3, 2, 4] and [2, 4]"});
  check_error<ShapeError>([&] { whole(x, x, zeros({2, 2})); }, {"MultiheadAttention: attn_mask must be [3, 3]"});

  using Options = nn::functional::MultiheadAttentionForwardFuncOptions;
  const Tensor w = ones({12, 4}), out = ones({4, 4}), k = ones({1, 1, 4});
  const auto call = [&](const Options& options) {
    return nn::functional::multi_head_attention_forward(x, x, x, options);
  };
  check_error<ValueError>([&] { call(Options(4, 3, w, {}, {}, {}, false, 0, out, {})); },
                          {"MultiheadAttention: query's width must be a multiple of num_heads: 4 for 3"});
  check_error<ValueError>([&] { call(Options(4, 2, {}, {}, {}, {}, false, 0, out, {})); },
                          {"MultiheadAttention: in_proj_weight must be defined; use_separate_proj_weight(true)"});
  check_error<ValueError>([&] { call(Options(4, 2, w, {}, {}, {}, false, 0, {}, {})); },
                          {"MultiheadAttention: out_proj_weight must be defined"});
  check_error<ShapeError>([&] { call(Options(4, 2, out, {}, {}, {}, false, 0, out, {})); },
                          {"MultiheadAttention: in_proj_weight must be [3 embed_dim, embed_dim]: [4, 4]"});
  check_error<ValueError>([&] { call(Options(4, 2, w, {}, k, {}, false, 0, out, {})); },
                          {"bias_k and bias_v must be given both or neither"});
  check_error<ValueError>(
      [&] {
        call(Options(4, 2, w, {}, k, k, false, 0, out, {}).static_k(ones({4, 3, 2})));
      },
      {"must not stand beside static_k"});
  check_error<ShapeError>(
      [&] {
        call(Options(4, 2, w, {}, {}, {}, false, 0, out, {}).static_k(ones({2, 3, 2})));
      },
      {"MultiheadAttention: static_k must be [4, S, 2]: [2, 3, 2]"});
  check_error<ShapeError>(
      [&] {
        call(Options(4, 2, w, {}, {}, {}, false, 0, out, {}).static_k(ones({4, 5, 2})));
      },
      {"as many keys as values: 5 and 3"});
}

BOOST_AUTO_TEST_SUITE_END()
