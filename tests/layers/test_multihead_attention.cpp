// MultiheadAttention against PyTorch, three ways, and what it refuses.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <gradus/autograd/tensor/create.h>
#include <gradus/autograd/graph/engine.h>
#include <gradus/layers/module/check.h>
#include <gradus/layers/attention/multihead_attention.h>

#include "../support/pytorch.h"
#include "../support/three_ways.h"

using namespace gradus;
using nn::MultiheadAttention;
using nn::MultiheadAttentionOptions;
using test::check_close;
using test::check_error;
using test::passes;
using test::PyTorchFile;
using test::same_bits;

BOOST_AUTO_TEST_SUITE(multihead_attention)

BOOST_AUTO_TEST_CASE(agrees_with_pytorch) {
  const PyTorchFile file("multihead");
  const std::vector<std::string> cases = file.cases("");
  BOOST_TEST(cases.size() == 18u);
  for (const std::string& c : cases) {
    const auto has = [&](const char* word) { return c.find(word) != std::string::npos; };
    MultiheadAttentionOptions options(6, 2);
    options.bias(!has("nobias")).add_bias_kv(has("bias_kv")).add_zero_attn(has("zero"));
    if (has("widths")) options.kdim(3).vdim(5);
    MultiheadAttention layer(options);
    layer->to(file[c + "/query"].dtype());
    std::size_t parameters = 0;
    {
      const NoGradGuard no_grad;
      for (const auto& each : layer->named_parameters()) {
        each.value().copy_(file[c + "/" + each.key()]);
        ++parameters;
      }
    }
    BOOST_TEST(parameters == (has("widths") ? 3u : 1u) + 1u + (has("nobias") ? 0u : 2u) + (has("bias_kv") ? 2u : 0u));
    const Tensor q = file[c + "/query"].requires_grad_(), k = file[c + "/key"].requires_grad_();
    const Tensor v = file[c + "/value"].requires_grad_();
    const bool need_weights = !has("noweights");
    const auto [y, weights] =
        layer->forward(q, k, v, file.get(c + "/padding"), need_weights, file.get(c + "/mask"), !has("each_head"));
    Tensor loss = (y * file[c + "/dy"]).sum();
    BOOST_TEST(weights.defined() == need_weights);
    if (need_weights) {
      file.check(weights, c + "/weights");
      loss = loss + weights.square().sum();
    }
    loss.backward();
    file.check(y, c + "/y");
    file.check(q.grad(), c + "/dquery");
    file.check(k.grad(), c + "/dkey");
    file.check(v.grad(), c + "/dvalue");
    for (const auto& each : layer->named_parameters()) file.check(each.value().grad(), c + "/d_" + each.key());
  }
}

BOOST_AUTO_TEST_CASE(three_ways) {
  manual_seed(1);
  // With weights it is composed of rules, without them it is one rule of attention.
  MultiheadAttention layer(MultiheadAttentionOptions(4, 2).kdim(3).vdim(5).add_bias_kv(true).dropout(0.2));
  {
    const NoGradGuard no_grad;
    for (const Tensor& p : layer->parameters()) p.uniform_(-1, 1);
  }
  const Tensor query = randn({3, 2, 4}), key = randn({4, 2, 3}), value = randn({4, 2, 5});
  const std::set<std::string> parameters = {"q_proj_weight", "k_proj_weight",   "v_proj_weight", "in_proj_bias",
                                            "bias_k",        "out_proj.weight", "out_proj.bias", "bias_v"};
  const autograd::CheckReport report = nn::check(layer, query, key, value);
  BOOST_TEST(report.ok(), report);
  std::set<std::string> checked;
  for (const autograd::CheckRow& row : report.rows) {
    if (row.verdict == autograd::Verdict::Agree) checked.insert(row.variable.substr(0, row.variable.find(' ')));
  }
  for (const std::string& name : parameters) BOOST_TEST(checked.count(name) == 1u, name << " in\n" << report);
  const core::RandomPosition start = core::default_generator().position();
  std::vector<Tensor> inputs = {query.to(kFloat64), key.to(kFloat64), value.to(kFloat64)};
  layer->to(kFloat64);
  passes(autograd::check_function(
             "attention without weights",
             [&](const std::vector<Tensor>& x) {
               core::default_generator().set_position(start);
               return std::vector<Tensor>{std::get<0>(layer->forward(x[0], x[1], x[2], {}, false))};
             },
             inputs),
         {"input"});
}

BOOST_AUTO_TEST_CASE(the_module) {
  manual_seed(2);
  MultiheadAttention layer(6, 3);
  BOOST_TEST(layer->state_dict().keys() ==
             (std::vector<std::string>{"in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"}));
  BOOST_TEST(layer->head_dim == 2);
  BOOST_TEST(layer->in_proj_bias.abs().sum().item<double>() == 0);
  BOOST_TEST(layer->out_proj->bias.abs().sum().item<double>() == 0);
  const double bound = std::sqrt(6. / 24), largest = layer->in_proj_weight.abs().max().item<double>();
  BOOST_TEST((largest <= bound && largest > bound / 2));
  const Tensor x = randn({5, 2, 6});
  const auto [y, weights] = layer(x, x, x);
  BOOST_TEST((y.sizes().vec() == std::vector<std::int64_t>{5, 2, 6}));
  BOOST_TEST((weights.sizes().vec() == std::vector<std::int64_t>{2, 5, 5}));
  check_close(weights.sum(-1), ones({2, 5}), 1e-6, "rows of weights");
  check_close(std::get<0>(layer->forward(x, x, x, {}, false)), y, 1e-5, "without weights");
  // Dropout in training alone.
  MultiheadAttention drops(MultiheadAttentionOptions(6, 3).dropout(0.5));
  for (const bool need_weights : {false, true}) {
    const auto run = [&] { return std::get<0>(drops->forward(x, x, x, {}, need_weights)); };
    drops->train();
    BOOST_TEST(!equal(run(), run()));
    drops->eval();
    BOOST_TEST(same_bits(run(), run()));
  }
  // A clone has parameters of its own.
  const auto copy = std::dynamic_pointer_cast<nn::MultiheadAttentionImpl>(layer->clone());
  BOOST_TEST(same_bits(copy->in_proj_weight, layer->in_proj_weight));
  BOOST_TEST(!copy->out_proj->weight.is_same(layer->out_proj->weight));
  BOOST_TEST(same_bits(std::get<0>(copy->forward(x, x, x)), y));
}

BOOST_AUTO_TEST_CASE(a_query_that_sees_nothing) {
  manual_seed(3);
  MultiheadAttention layer(4, 2);
  const Tensor x = randn({3, 1, 4}), mask = zeros({3, 3}, kBool);
  mask.select(0, 1).fill_(true);
  const Tensor y = std::get<0>(layer->forward(x, x, x, {}, false, mask));
  check_close(y.select(0, 1), layer->out_proj->bias.view({1, 4}), 0, "the bias alone");
  const auto [z, weights] = layer->forward(x, x, x, {}, true, mask);
  BOOST_TEST(isnan(weights.select(1, 1)).all().item<bool>());
  check_close(z.select(0, 0), y.select(0, 0), 1e-5, "the others");
}

BOOST_AUTO_TEST_CASE(wrong_use_is_said) {
  check_error<ValueError>([] { MultiheadAttention(6, 4); }, {"MultiheadAttention: ", "embed_dim 6, num_heads 4"});
  check_error<ValueError>([] { MultiheadAttention(0, 1); }, {"sizes must be above 0"});
  check_error<ValueError>([] { MultiheadAttention(MultiheadAttentionOptions(4, 2).dropout(1.5)); },
                          {"MultiheadAttention: dropout must be in [0, 1]: 1.5"});
  MultiheadAttention layer(4, 2);
  const Tensor x = randn({3, 2, 4}), y = randn({5, 2, 4});
  check_error<ShapeError>([&] { layer(x, y, x); }, {"MultiheadAttention: query, key and value must be [L, N, 4], [S, "
                                                    "N, 4] and [S, N, 4], or all without N: [3, 2, 4], "
                                                    "[5, 2, 4] and [3, 2, 4]",
                                                    "transpose(0, 1)"});
  check_error<ValueError>([&] { layer(x, Tensor(), y); }, {"MultiheadAttention: query, key and value must be defined"});
  check_error<ShapeError>([&] { layer(x[0], y, y); }, {"or all without N: [2, 4], [5, 2, 4]"});
  check_error<ShapeError>(
      [&] {
        layer->forward(x, y, y, {}, true, zeros({5, 3}, kBool));
      },
      {"attn_mask must be [3, 5] or [4, 3, 5]: [5, 3]"});
  check_error<ShapeError>(
      [&] {
        layer->forward(x, y, y, zeros({5, 2}, kBool));
      },
      {"key_padding_mask must be [2, 5]: [5, 2]"});
  check_error<DTypeError>(
      [&] {
        layer->forward(x, y, y, zeros({2, 5}, kInt64));
      },
      {"key_padding_mask must be bool", "int64"});
}

BOOST_AUTO_TEST_SUITE_END()
