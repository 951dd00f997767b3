// Embedding against PyTorch, three ways, and indices that are wrong, repeated or padding.
#include <boost/test/unit_test.hpp>

#include <cmath>

#include <gradus/autograd/tensor/create.h>
#include <gradus/autograd/graph/engine.h>
#include <gradus/core/ops/combine.h>
#include <gradus/layers/embedding/embedding_bag.h>
#include <gradus/layers/loss/adaptive_log_softmax.h>
#include <gradus/layers/module/check.h>
#include <gradus/layers/module/per_sample.h>
#include <gradus/layers/functional.h>

#include "../support/pytorch.h"
#include "../support/threads.h"
#include "../support/three_ways.h"

using namespace gradus;
using core::Array;
using nn::EmbeddingRule;
using test::check_close;
using test::check_error;
using test::passes;
using test::PyTorchFile;
using test::same_bits;
namespace F = nn::functional;

BOOST_AUTO_TEST_SUITE(embedding)

BOOST_AUTO_TEST_CASE(agrees_with_pytorch) {
  const PyTorchFile file("rows");
  const std::vector<std::string> cases = file.cases("embedding_");
  BOOST_TEST(cases.size() == 18u);
  for (const std::string& c : cases) {
    const Tensor weight = file[c + "/weight"].requires_grad_(), indices = file[c + "/indices"];
    F::EmbeddingFuncOptions options;
    if (c.find("padding3") != std::string::npos) options.padding_idx(3);
    if (c.find("padding-1") != std::string::npos) options.padding_idx(-1);
    const Tensor y = F::embedding(indices, weight, options);
    y.backward(file[c + "/dy"]);
    BOOST_TEST(same_bits(y, file[c + "/y"]), c);
    file.check(weight.grad(), c + "/dweight");
    BOOST_TEST(same_bits(F::embedding(indices.to(kInt32), weight, options), y));
  }
}

BOOST_AUTO_TEST_CASE(three_ways) {
  manual_seed(1);
  const Tensor table = randn({6, 9}, kFloat64);
  for (const std::vector<std::int64_t>& shape : std::vector<std::vector<std::int64_t>>{{}, {5}, {3, 4}}) {
    const Tensor indices = randint(0, 6, shape, kInt64);
    passes(nn::check<EmbeddingRule>({}, table, indices), {"weight"}, true);
    passes(nn::check<EmbeddingRule>({}, randn({9, 6}, kFloat64).t(), indices), {"weight"}, true);
  }
  EmbeddingRule::Attrs padded;
  padded.padding_idx = 2;
  const Tensor indices = tensor({2, 0, 5, 2, 0}).to(kInt64);
  const Tensor w = Tensor(table.array()).requires_grad_(), dy = randn({5, 9}, kFloat64);
  // Finite differences see the padding row too: here the rule is held against its reference alone.
  const Tensor by_rule = autograd::grad({autograd::apply<EmbeddingRule>(padded, w, indices)}, {w}, {dy})[0];
  const Tensor by_graph = autograd::grad({EmbeddingRule::reference(padded, w, indices)}, {w}, {dy})[0];
  check_close(by_rule, by_graph, 1e-15, "gradient with padding");
  BOOST_TEST(test::values(by_rule.select(0, 2).array()) == std::vector<double>(9, 0.0));
  BOOST_TEST(test::values(by_rule.select(0, 1).array()) == std::vector<double>(9, 0.0));
  check_close(by_rule.select(0, 0), dy.select(0, 1) + dy.select(0, 4), 1e-15, "rows used twice");
}

BOOST_AUTO_TEST_CASE(repeated_rows_and_threads_change_no_bit) {
  manual_seed(2);
  const Tensor table = randn({500, 96}), dy = randn({40, 128, 96});
  const Tensor indices = randint(0, 500, {40, 128}, kInt64);
  indices.slice(1, 0, 64).fill_(7);  // one row for half of them
  const auto run = [&] { return EmbeddingRule::backward({}, dy.array(), {table.array().shape()}, indices.array())[0]; };
  const Array first = run();
  test::ManyThreads().each([&] { BOOST_REQUIRE(same_bits(run(), first)); });
  // Against a sum in float64, element by element.
  const Tensor exact =
      scatter_add({500, 96}, 0, indices.reshape({-1, 1}).expand({40 * 128, 96}), dy.reshape({-1, 96}).to(kFloat64));
  check_close(Tensor(first).to(kFloat64), exact, 1e-5, "dweight");
  // An expanded gradient, as a sum sends it down.
  const Tensor one = ones({1, 1, 96}).expand({40, 128, 96});
  const Array expanded = EmbeddingRule::backward({}, one.array(), {table.array().shape()}, indices.array())[0];
  const Array copied =
      EmbeddingRule::backward({}, one.contiguous().array(), {table.array().shape()}, indices.array())[0];
  BOOST_TEST(same_bits(expanded, copied));
}

BOOST_AUTO_TEST_CASE(narrow_rows_empty_tables_and_no_indices) {
  for (const std::int64_t dim : {0, 1, 3, 8}) {
    nn::Embedding layer(4, dim);
    layer(tensor({3, 1, 3}).to(kInt64)).sum().backward();
    std::vector<double> expected;
    for (const double count : {0, 1, 0, 2}) expected.insert(expected.end(), static_cast<std::size_t>(dim), count);
    BOOST_TEST(test::values(layer->weight.grad().array()) == expected);
    layer->zero_grad();
    const Tensor none = layer(zeros({0, 2}, kInt64));
    BOOST_TEST(none.sizes().vec() == (std::vector<std::int64_t>{0, 2, dim}));
    none.sum().backward();
    BOOST_TEST(test::values(layer->weight.grad().array()) ==
               std::vector<double>(static_cast<std::size_t>(4 * dim), 0.0));
  }
  BOOST_TEST(nn::Embedding(0, 5)(zeros({0}, kInt64)).sizes().vec() == (std::vector<std::int64_t>{0, 5}));
}

BOOST_AUTO_TEST_CASE(the_module) {
  manual_seed(3);
  nn::Embedding layer(nn::EmbeddingOptions(200, 50).padding_idx(-1));
  BOOST_TEST(*layer->options.padding_idx() == 199);
  BOOST_TEST(layer->to_string() == "Embedding(200, 50, padding_idx=199)");
  BOOST_TEST(test::values(layer->weight.select(0, 199).array()) == std::vector<double>(50, 0.0));
  double squares = 0, sum = 0;
  for (double v : test::values(layer->weight.array())) {
    sum += v;
    squares += v * v;
  }
  BOOST_TEST(std::abs(sum / 9950) < 5 / std::sqrt(9950.0));
  BOOST_TEST(std::abs(squares / 9950 - 1) < 5 * std::sqrt(2 / 9950.0));
  layer(full({3}, 199, kInt64)).sum().backward();
  BOOST_TEST(test::values(layer->weight.grad().array()) == std::vector<double>(10000, 0.0));

  const Tensor table = randn({3, 4});
  nn::Embedding frozen = nn::Embedding::from_pretrained(table);
  BOOST_TEST(!frozen->weight.requires_grad());
  BOOST_TEST(same_bits(frozen(tensor({2, 0}).to(kInt64)), table.index_select(0, tensor({2, 0}).to(kInt64))));
  BOOST_TEST(nn::Embedding::from_pretrained(table, nn::EmbeddingFromPretrainedOptions().freeze(false))
                 ->weight.requires_grad());
  BOOST_TEST(same_bits(gradus::embedding(table, tensor({1}).to(kInt64)), table.slice(0, 1, 2)));
}

BOOST_AUTO_TEST_CASE(wrong_use_is_said) {
  nn::Embedding layer(4, 3);
  check_error<IndexError>(
      [&] {
        layer(tensor({0, 4}).to(kInt64));
      },
      {"embedding: indices must be in [0, 3]: entry 1 is 4"});
  {
    const Tensor table = ones({4, 3});
    const nn::Embedding copied = nn::Embedding::from_pretrained(table);
    BOOST_TEST(table.array().unique());  // the layer has a copy, and keeps nothing else
  }
  check_error<IndexError>([&] { layer(tensor({-1}).to(kInt64)); }, {"embedding: indices must be in [0, 3]", "is -1"});
  check_error<DTypeError>([&] { layer(ones({2})); },
                          {"embedding: an index must be int64 or int32: float32", "to(kInt64)"});
  check_error<IndexError>([] { nn::Embedding(nn::EmbeddingOptions(4, 3).padding_idx(4)); },
                          {"Embedding: padding_idx must be in [-4, 4): 4"});
  check_error<ValueError>([] { nn::Embedding(-1, 3); }, {"Embedding: sizes must not be negative", "-1"});
  check_error<ShapeError>(
      [] {
        nn::Embedding(nn::EmbeddingOptions(4, 3)._weight(ones({3, 4})));
      },
      {"Embedding: weight must be [num_embeddings, embedding_dim]: [3, 4]"});
  check_error<ShapeError>([] { nn::Embedding::from_pretrained(ones({3})); }, {"Embedding: pretrained", "[3]"});
  check_error<ShapeError>([] { gradus::embedding(ones({3}), zeros({1}, kInt64)); },
                          {"embedding: weight must be [rows, dim]"});
  check_error<IndexError>(
      [] {
        gradus::embedding(ones({3, 2}), zeros({1}, kInt64), 3);
      },
      {"embedding: padding_idx must be in [0, 3): 3"});
}

BOOST_AUTO_TEST_CASE(options_that_change_weight_or_gradient_agree_with_pytorch) {
  const PyTorchFile file("lookup");
  std::size_t seen = 0;
  for (const std::string& c : file.cases("")) {
    const auto has = [&](const char* word) { return c.find(word) != std::string::npos; };
    const Tensor weight = file.get(c + "/before");
    if (!weight.defined()) continue;
    weight.requires_grad_();
    const Tensor indices = file[c + "/indices"];
    Tensor y;
    if (has("embedding")) {
      F::EmbeddingFuncOptions options;
      options.scale_grad_by_freq(has("freq")).sparse(true);
      if (has("norm")) options.max_norm(has("norm1") ? 1.2 : 0.9).norm_type(has("norm1") ? 1 : 2);
      if (has("freq")) options.padding_idx(-4);
      if (has("norm1")) options.padding_idx(2);
      y = F::embedding(indices, weight, options);
    } else {
      F::EmbeddingBagFuncOptions options;
      options.mode(has("sum") ? nn::EmbeddingBagMode::Sum : nn::EmbeddingBagMode::Max);
      if (has("mean")) options.mode(kMean);
      options.offsets(file.get(c + "/offsets")).per_sample_weights(file.get(c + "/per_sample"));
      options.scale_grad_by_freq(has("freq")).include_last_offset(has("last"));
      if (has("norm")) options.max_norm(0.8).padding_idx(-5);
      y = F::embedding_bag(indices, weight, options);
    }
    y.backward(file[c + "/dy"]);
    file.check(y, c + "/y");
    file.check(weight, c + "/after");
    file.check(weight.grad(), c + "/dweight");
    ++seen;
  }
  BOOST_TEST(seen == 12u);
  // By the rule and by its reference; of a single sample's gradient, its own indices are counted.
  manual_seed(4);
  EmbeddingRule::Attrs attrs;
  attrs.scale_grad_by_freq = true;
  const Tensor table = randn({5, 3}, kFloat64).requires_grad_(), indices = tensor({{1, 4, 1}, {2, 2, 2}}).to(kInt64);
  const Tensor dy = randn({2, 3, 3}, kFloat64);
  const Tensor by_rule = autograd::grad({autograd::apply<EmbeddingRule>(attrs, table, indices)}, {table}, {dy})[0];
  const Tensor by_graph = autograd::grad({EmbeddingRule::reference(attrs, table, indices)}, {table}, {dy})[0];
  check_close(by_rule, by_graph, 1e-14, "gradient by frequency");
  check_close(by_rule.select(0, 2), dy[1].mean(0), 1e-14, "a row that all of an example name");
  nn::Embedding layer(nn::EmbeddingOptions(5, 3).scale_grad_by_freq(true));
  layer->to(kFloat64);
  const auto loss = [](const Tensor& y, const Tensor& t) { return (y * t).square().sum(); };
  const Tensor each = nn::per_sample_gradients(layer, loss, indices, dy)[0];
  for (std::int64_t n = 0; n < 2; ++n) {
    const Tensor own = loss(layer(indices.slice(0, n, n + 1)), dy.slice(0, n, n + 1));
    check_close(each[n], autograd::grad({own}, {layer->weight})[0], 1e-14, "a sample's own");
  }
}

BOOST_AUTO_TEST_CASE(the_module_of_bags) {
  manual_seed(5);
  const Tensor table = randn({4, 3}), numbers = tensor({{1, 3}, {3, 2}}).to(kInt64);
  const nn::EmbeddingBag bag = nn::EmbeddingBag::from_pretrained(
      table,
      nn::EmbeddingBagFromPretrainedOptions().mode(kSum).padding_idx(-1).max_norm(0.5).include_last_offset(true));
  BOOST_TEST(!bag->weight.requires_grad());
  BOOST_TEST(bag->to_string() == "EmbeddingBag(4, 3, max_norm=0.5, mode=sum, include_last_offset=true, padding_idx=3)");
  const Tensor y = bag(numbers);
  check_close(y.norm(2, {1}), full({2}, 0.5), 1e-5, "one vector each, as long as may be");
  check_close(bag->weight.norm(2, {1}).slice(0, 1, 4), full({3}, 0.5), 1e-5, "rows that were named");
  BOOST_TEST(same_bits(bag->weight[0], table[0]));
  nn::EmbeddingBag fresh(nn::EmbeddingBagOptions(300, 20).padding_idx(7));
  BOOST_TEST(test::values(fresh->weight.select(0, 7).array()) == std::vector<double>(20, 0.0));
  BOOST_TEST(std::abs(fresh->weight.std().item<double>() - 1) < 0.05);
  check_error<ValueError>(
      [&] {
        fresh(tensor({1, 2}).to(kInt64));
      },
      {"embedding_bag: indices [n] must come with offsets", "[2]"});
  check_error<ValueError>(
      [&] { nn::EmbeddingBag(nn::EmbeddingBagOptions(4, 3).mode(kMax).scale_grad_by_freq(true))(numbers); },
      {"embedding_bag: scale_grad_by_freq must be false"});
  check_error<ValueError>([&] { nn::EmbeddingBag(nn::EmbeddingBagOptions(4, 3).max_norm(-1))(numbers); },
                          {"embedding_bag: max_norm must not be negative: -1"});
  check_error<IndexError>([&] { nn::EmbeddingBag(nn::EmbeddingBagOptions(2, 3).max_norm(1))(numbers); },
                          {"embedding_bag: indices must be in [0, 1]: entry 1 is 3"});
  check_error<IndexError>([] { nn::EmbeddingBag(nn::EmbeddingBagOptions(4, 3).padding_idx(4)); },
                          {"EmbeddingBag: padding_idx must be in [-4, 4): 4"});
  check_error<ValueError>([] { nn::EmbeddingBag(4, -3); }, {"EmbeddingBag: sizes must not be negative", "-3"});
}

BOOST_AUTO_TEST_CASE(adaptive_softmax_agrees_with_pytorch) {
  const PyTorchFile file("lookup");
  const std::vector<std::string> cases = file.cases("adaptive");
  BOOST_TEST(cases.size() == 3u);
  for (const std::string& c : cases) {
    nn::AdaptiveLogSoftmaxWithLossOptions options(8, 12, {3, 5});
    if (c == "adaptive bias") options.head_bias(true).div_value(2);
    if (c == "adaptive short") options.div_value(1.5);
    nn::AdaptiveLogSoftmaxWithLoss made(options);
    made->to(kFloat64);
    const auto layer = std::dynamic_pointer_cast<nn::AdaptiveLogSoftmaxWithLossImpl>(made->clone());
    {
      const NoGradGuard no_grad;
      for (const auto& [key, p] : layer->named_parameters()) p.copy_(file[c + "/p." + key]);
    }
    const Tensor x = file[c + "/x"].requires_grad_(), t = file[c + "/t"];
    const nn::ASMoutput result = layer->forward(x, t);
    file.check(result.output, c + "/y");
    BOOST_TEST(std::abs(result.loss - file[c + "/loss"].item<double>()) < 1e-12);
    result.output.backward(file[c + "/dy"]);
    file.check(x.grad(), c + "/dx");
    for (const auto& [key, p] : layer->named_parameters()) {
      BOOST_TEST(p.grad().defined() == file.has(c + "/d." + key), c << ": " << key);
      if (p.grad().defined()) file.check(p.grad(), c + "/d." + key);
    }
    const Tensor rows = x.dim() == 1 ? x.unsqueeze(0) : x;
    file.check(layer->log_prob(rows), c + "/log_prob");
    file.check(layer->predict(rows), c + "/predict");
    if (c == "adaptive bias") {
      passes(autograd::check_function(
                 "adaptive softmax",
                 [&](const std::vector<Tensor>& in) {
                   return std::vector<Tensor>{layer->forward(in[0], tensor({1, 4, 11, 2}).to(kInt64)).output};
                 },
                 {randn({4, 8}, kFloat64)}),
             {"input"});
    }
  }
  nn::AdaptiveLogSoftmaxWithLoss layer(8, 12, std::vector<std::int64_t>{3, 5});
  BOOST_TEST(
      layer->to_string().starts_with("AdaptiveLogSoftmaxWithLoss(in_features=8, n_classes=12, cutoffs=[3, 5], "
                                     "div_value=4, head_bias=false)(\n  (head): "
                                     "Linear(in_features=8, out_features=5, bias=false)\n  (tail): "));
  const Tensor head = layer->head->weight.clone();
  layer->reset_parameters();
  BOOST_TEST(!equal(head, layer->head->weight));
  const Tensor many = randn({60, 8});  // in each cluster some
  BOOST_TEST(equal(layer->predict(many), layer->log_prob(many).argmax(1)));
  const auto made = [](std::vector<std::int64_t> cutoffs) {
    nn::AdaptiveLogSoftmaxWithLoss(8, 12, std::move(cutoffs));
  };
  check_error<ValueError>([&] { made({}); }, {"cutoffs that rise within [1, 11]: []"});
  check_error<ValueError>([&] { made({5, 5}); }, {"[5, 5]"});
  check_error<ValueError>([&] { made({3, 12}); }, {"[3, 12]"});
  check_error<ValueError>([&] { made({0, 3}); }, {"[0, 3]"});
  check_error<ShapeError>(
      [&] {
        layer->forward(ones({2, 8}), zeros({3}, kInt64));
      },
      {"AdaptiveLogSoftmaxWithLoss: input and target must be [N, 8] and [N]", "[2, 8] and [3]"});
  check_error<IndexError>(
      [&] {
        layer->forward(ones({2, 8}), full({2}, 12, kInt64));
      },
      {"targets must be in [0, 11]: from 12 to 12"});
  check_error<DTypeError>([&] { layer->forward(ones({2, 8}), ones({2})); }, {"target must be of integers: float32"});
}

BOOST_AUTO_TEST_SUITE_END()
