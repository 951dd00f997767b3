// Attention against PyTorch, three ways, and what masks, dropout, sizes and layouts may be.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <functional>
#include <limits>

#include <gradus/autograd/tensor/create.h>
#include <gradus/autograd/graph/engine.h>
#include <gradus/autograd/check/gradcheck.h>
#include <gradus/core/nn/attention.h>
#include <gradus/core/ops/random.h>
#include <gradus/layers/module/check.h>
#include <gradus/layers/functional.h>

#include "../support/pytorch.h"
#include "../support/threads.h"
#include "../support/three_ways.h"

using namespace gradus;
using core::Array;
using nn::AttentionRule;
using test::check_close;
using test::check_error;
using test::passes;
using test::PyTorchFile;
using test::same_bits;
using Sizes = std::vector<std::int64_t>;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

Tensor draw(IntArrayRef shape) { return randn(shape, kFloat64); }
Tensor leaf(IntArrayRef shape, DType dtype = kFloat64) { return randn(shape, dtype).requires_grad_(); }
std::vector<double> numbers(const Tensor& x) { return test::values(x.array()); }

AttentionRule::Attrs scaled(double scale) {
  AttentionRule::Attrs attrs;
  attrs.scale = scale;
  return attrs;
}

// The function as it would be composed of others.
Tensor composed(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& bias = {}) {
  const Tensor scores = matmul(q, k.transpose(-2, -1)) / std::sqrt(static_cast<double>(q.size(-1)));
  return matmul(softmax(bias.defined() ? scores + bias : scores, -1), v);
}

// y and the gradients of q, k, v and a floating mask.
std::vector<Array> step(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask, const Tensor& dy,
                        bool causal = false, double p = 0) {
  std::vector<Tensor> inputs;
  for (const Tensor& x : {q, k, v, mask}) {
    if (x.defined()) inputs.push_back(is_floating_point(x.dtype()) ? Tensor(x.array()).requires_grad_() : x);
  }
  const Tensor own = mask.defined() ? inputs[3] : Tensor();
  const Tensor y = scaled_dot_product_attention(inputs[0], inputs[1], inputs[2], own, p, causal);
  y.backward(dy);
  std::vector<Array> results = {y.array()};
  for (const Tensor& x : inputs) {
    if (x.requires_grad()) results.push_back(x.grad().array());
  }
  return results;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(attention)

BOOST_AUTO_TEST_CASE(agrees_with_pytorch) {
  const PyTorchFile file("attention");
  const std::vector<std::string> cases = file.cases("");
  BOOST_TEST(cases.size() == 34u);
  for (const std::string& c : cases) {
    const Tensor q = file[c + "/q"].requires_grad_(), k = file[c + "/k"].requires_grad_();
    const Tensor v = file[c + "/v"].requires_grad_(), mask = file.get(c + "/mask");
    const bool mask_gradient = file.has(c + "/dmask");
    if (mask_gradient) mask.requires_grad_();
    const auto has = [&](const char* word) { return c.find(word) != std::string::npos; };
    if (file.has(c + "/seed")) manual_seed(static_cast<std::uint64_t>(file[c + "/seed"].item<std::int64_t>()));
    const Tensor y = scaled_dot_product_attention(q, k, v, mask, has("dropout") ? 0.4 : 0.0, has("causal"),
                                                  has("scale") ? std::optional<double>(0.3) : std::nullopt, has("gqa"));
    y.backward(file[c + "/dy"]);
    file.check(y, c + "/y");
    file.check(q.grad(), c + "/dq");
    file.check(k.grad(), c + "/dk");
    file.check(v.grad(), c + "/dv");
    if (mask_gradient) file.check(mask.grad(), c + "/dmask");
    // Without a graph nothing is kept, and the numbers are the same.
    const NoGradGuard no_grad;
    if (file.has(c + "/seed")) manual_seed(static_cast<std::uint64_t>(file[c + "/seed"].item<std::int64_t>()));
    BOOST_TEST(
        same_bits(scaled_dot_product_attention(q, k, v, mask, has("dropout") ? 0.4 : 0.0, has("causal"),
                                               has("scale") ? std::optional<double>(0.3) : std::nullopt, has("gqa")),
                  y),
        c);
  }
}

BOOST_AUTO_TEST_CASE(three_ways) {
  manual_seed(1);
  const std::set<std::string> inputs = {"query", "key", "value"}, all = {"query", "key", "value", "attn_mask"};
  passes(nn::check<AttentionRule>(scaled(0.4), draw({5, 4}), draw({6, 4}), draw({6, 3}), Tensor()), inputs);
  passes(nn::check<AttentionRule>(scaled(-0.7), draw({2, 3, 5, 4}), draw({2, 3, 6, 4}), draw({2, 3, 6, 3}), Tensor()),
         inputs);
  // Leading dimensions and masks that broadcast, in every operand.
  passes(nn::check<AttentionRule>(scaled(0.5), draw({3, 5, 4}), draw({2, 1, 6, 4}), draw({1, 3, 6, 3}), draw({5, 6})),
         all);
  passes(nn::check<AttentionRule>(scaled(0.5), draw({5, 4}), draw({6, 4}), draw({2, 6, 3}), draw({2, 1, 6})), all);
  passes(nn::check<AttentionRule>(scaled(0.5), draw({2, 5, 4}), draw({2, 6, 4}), draw({2, 6, 3}), draw({5, 1})), all);
  // Masks of bool, one of whose rows is all false.
  const Tensor seen = draw({5, 6}) > -0.5;
  seen.select(0, 0).fill_(true);
  seen.select(0, 3).fill_(false);
  passes(nn::check<AttentionRule>(scaled(0.5), draw({2, 5, 4}), draw({2, 6, 4}), draw({2, 6, 3}), seen), inputs);
  AttentionRule::Attrs causal = scaled(0.5);
  causal.is_causal = true;
  passes(nn::check<AttentionRule>(causal, draw({2, 5, 4}), draw({2, 5, 4}), draw({2, 5, 3}), Tensor()), inputs);
  passes(nn::check<AttentionRule>(causal, draw({2, 3, 4}), draw({2, 6, 4}), draw({2, 6, 3}), Tensor()), inputs);
  passes(nn::check<AttentionRule>(causal, draw({2, 6, 4}), draw({2, 3, 4}), draw({2, 3, 3}), Tensor()), inputs);
  for (const bool is_causal : {false, true}) {
    AttentionRule::Attrs dropped = scaled(0.5);
    dropped.is_causal = is_causal;
    dropped.dropout_p = 0.3;
    dropped.position = {7, 2};
    passes(nn::check<AttentionRule>(dropped, draw({2, 5, 4}), draw({2, 6, 4}), draw({3, 1, 6, 3}),
                                    is_causal ? Tensor() : draw({5, 6})),
           is_causal ? inputs : all);
  }
}

// Sizes beyond what is worked on at a time, float32 and float64, against the composition. 2 heads of 700 are shared by
// the threads, 9 are not.
BOOST_AUTO_TEST_CASE(long_sequences) {
  manual_seed(2);
  for (const Sizes& batch : std::vector<Sizes>{{2}, {3, 3}}) {
    for (const DType dtype : {kFloat32, kFloat64}) {
      const auto of = [&](std::int64_t rows, std::int64_t columns) {
        Sizes shape = batch;
        shape.insert(shape.end(), {rows, columns});
        return randn(shape, dtype);
      };
      const Tensor q = of(700, 20), k = of(430, 20), v = of(430, 24), dy = of(700, 24), mask = randn({700, 430}, dtype);
      const Tensor later = ones({700, 430}, dtype).triu(1) * -1e30;
      for (const int kind : {0, 1, 2}) {
        const Tensor given = kind == 1 ? mask : Tensor(), added = kind == 2 ? later : given;
        const std::vector<Array> ours = step(q, k, v, given, dy, kind == 2);
        const Tensor a = Tensor(q.array()).requires_grad_(), b = Tensor(k.array()).requires_grad_();
        const Tensor c = Tensor(v.array()).requires_grad_();
        const Tensor d = added.defined() ? Tensor(added.array()).requires_grad_() : Tensor();
        const Tensor y = composed(a, b, c, d);
        y.backward(dy);
        const double bound = dtype == kFloat32 ? 1e-5 : 1e-13;
        check_close(ours[0], y.array(), bound, "y");
        check_close(ours[1], a.grad().array(), bound, "dq");
        check_close(ours[2], b.grad().array(), bound, "dk");
        check_close(ours[3], c.grad().array(), bound, "dv");
        if (kind == 1) check_close(ours[4], d.grad().array(), bound, "dmask");
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(layouts_and_threads_change_no_bit) {
  manual_seed(3);
  struct Case {
    Sizes heads;
    std::int64_t L, S;
    bool causal;
    double p;
  };
  for (const Case& c : std::vector<Case>{{{4, 6}, 96, 80, false, 0},
                                         {{4, 6}, 96, 80, true, 0.2},
                                         {{2, 1}, 600, 500, false, 0.2},  // shared by the threads
                                         {{2, 1}, 600, 500, true, 0}}) {
    const std::int64_t n = c.heads[0], h = c.heads[1];
    // [batch, length, heads, width] seen as [batch, heads, length, width].
    const auto heads = [&](std::int64_t rows, std::int64_t width) {
      return randn({n, rows, h * width}).view({n, rows, h, width}).transpose(1, 2);
    };
    const Tensor q = heads(c.L, 16), k = heads(c.S, 16), v = heads(c.S, 24), dy = heads(c.L, 24);
    const Tensor mask = c.causal ? Tensor() : randn({h, c.S, c.L}).transpose(1, 2);
    const auto run = [&](const Tensor& a, const Tensor& b, const Tensor& d, const Tensor& m, const Tensor& g) {
      manual_seed(5);
      return step(a, b, d, m, g, c.causal, c.p);
    };
    const std::vector<Array> first = run(q, k, v, mask, dy);
    const auto check = [&](const std::vector<Array>& now) {
      BOOST_REQUIRE(now.size() == first.size());
      for (std::size_t i = 0; i < now.size(); ++i) BOOST_REQUIRE_MESSAGE(same_bits(now[i], first[i]), "result " << i);
    };
    check(run(q.contiguous(), k.contiguous(), v.contiguous(), c.causal ? mask : mask.contiguous(), dy.contiguous()));
    const auto steps = [](const Tensor& x) {  // every other column of a wider one
      const Tensor wide = zeros({x.size(0), x.size(1), x.size(2), 2 * x.size(3)}).slice(3, 0, {}, 2);
      return wide.copy_(x);
    };
    check(run(steps(q), steps(k), steps(v), mask, steps(dy)));
    test::ManyThreads().each([&] { check(run(q, k, v, mask, dy)); });
  }
}

BOOST_AUTO_TEST_CASE(gradients_from_above_may_be_expanded) {
  manual_seed(4);
  const Tensor q = draw({3, 5, 4}), k = draw({3, 6, 4}), v = draw({3, 6, 2}), one = draw({1, 1, 2});
  const std::vector<Array> expanded = step(q, k, v, {}, one.expand({3, 5, 2}));
  const std::vector<Array> copied = step(q, k, v, {}, one.expand({3, 5, 2}).contiguous());
  for (std::size_t i = 0; i < copied.size(); ++i) BOOST_TEST(same_bits(expanded[i], copied[i]));
}

BOOST_AUTO_TEST_CASE(only_what_is_wanted) {
  manual_seed(5);
  const Array q = draw({2, 5, 4}).array(), k = draw({2, 6, 4}).array(), v = draw({2, 6, 3}).array();
  const Array bias = draw({5, 6}).array(), dy = draw({2, 5, 3}).array();
  AttentionRule::Attrs attrs = scaled(0.3);
  attrs.dropout_p = 0.25;
  const auto [y, p, kept] = AttentionRule::forward(attrs, q, k, v, bias);
  const auto all = AttentionRule::backward(attrs, {}, dy, q, k, v, p, kept);
  for (std::uint32_t mask = 1; mask < 16; ++mask) {
    const auto some = AttentionRule::backward(attrs, autograd::Needs(mask), dy, q, k, v, p, kept);
    for (std::size_t i = 0; i < 4; ++i) {
      BOOST_TEST(some[i].defined() == ((mask >> i & 1u) != 0));
      if (some[i].defined()) BOOST_TEST(same_bits(some[i], all[i]));
    }
  }
}

BOOST_AUTO_TEST_CASE(queries_with_nothing_to_see_give_zero) {
  manual_seed(6);
  for (const DType dtype : {kFloat32, kFloat64}) {
    const Tensor q = leaf({2, 3, 4}, dtype), k = leaf({2, 5, 4}, dtype), v = leaf({2, 5, 6}, dtype);
    const Tensor seen = ones({3, 5}, kBool);
    seen.select(0, 1).fill_(false);
    seen.select(0, 2).slice(0, 0, 4).fill_(false);  // the last one alone
    const Tensor y = scaled_dot_product_attention(q, k, v, seen);
    y.sum().backward();
    BOOST_TEST(numbers(y.select(1, 1)) == std::vector<double>(12, 0.0));
    BOOST_TEST(same_bits(y.select(1, 2), v.select(1, 4)));
    BOOST_TEST(numbers(q.grad().select(1, 1)) == std::vector<double>(8, 0.0));
    for (const Tensor& x : {q, k, v}) BOOST_TEST(isfinite(x.grad()).all().item<bool>());
    // The same as a floating mask, and second derivatives of both.
    const Tensor bias = zeros({3, 5}, dtype).masked_fill(!seen, -kInf);
    BOOST_TEST(same_bits(scaled_dot_product_attention(q, k, v, bias), y));
    for (const Tensor& mask : {seen, bias}) {
      const Tensor again = scaled_dot_product_attention(q, k, v, mask);
      const Tensor g = autograd::grad({again.square().sum()}, {q}, {}, true, true)[0];
      for (const Tensor& x : autograd::grad({g.square().sum()}, {q, k, v})) {
        BOOST_TEST(isfinite(x).all().item<bool>());
        BOOST_TEST(x.abs().sum().item<double>() > 0);
      }
    }
    // Scores that are all -inf without a mask.
    const Tensor far = full({1, 2}, -kInf, dtype), ones_ = ones({3, 2}, dtype);
    BOOST_TEST(numbers(scaled_dot_product_attention(far, ones_, v[0].slice(0, 0, 3))) == std::vector<double>(6, 0.0));
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_a_number_stays_in_its_row) {
  manual_seed(7);
  const Tensor q = randn({3, 4}), k = randn({5, 4}), v = randn({5, 2}), clean = scaled_dot_product_attention(q, k, v);
  q[1][2].fill_(NAN);
  const Tensor y = scaled_dot_product_attention(q, k, v);
  BOOST_TEST(isnan(y[1]).all().item<bool>());
  BOOST_TEST(same_bits(y[0], clean[0]));
  BOOST_TEST(same_bits(y[2], clean[2]));
}

BOOST_AUTO_TEST_CASE(sizes_of_zero_and_one) {
  manual_seed(8);
  struct Case {
    std::int64_t batch, L, S, E, Ev;
  };
  for (const Case& c : std::vector<Case>{{2, 0, 5, 4, 3},
                                         {2, 3, 0, 4, 3},
                                         {0, 3, 5, 4, 3},
                                         {2, 3, 5, 0, 3},
                                         {2, 3, 5, 4, 0},
                                         {1, 1, 1, 1, 1},
                                         {2, 0, 0, 0, 0},
                                         {1, 1, 5, 4, 3}}) {
    for (const int kind : {0, 1, 2, 3}) {
      const Tensor q = leaf({c.batch, c.L, c.E}), k = leaf({c.batch, c.S, c.E}), v = leaf({c.batch, c.S, c.Ev});
      const Tensor mask = kind == 1 ? leaf({c.L, c.S}) : Tensor();
      std::vector<Tensor> inputs = {q, k, v};
      if (mask.defined()) inputs.push_back(mask);
      // By hand, in memory that holds NaN where nothing was written, and by the reference.
      set_fill_nan(true);
      const Tensor y = scaled_dot_product_attention(q, k, v, mask, kind == 3 ? 0.5 : 0.0, kind == 2);
      const std::vector<Tensor> hand = autograd::grad({y.square().sum()}, inputs, {}, true);
      set_fill_nan(false);
      BOOST_TEST((y.sizes().vec() == Sizes{c.batch, c.L, c.Ev}));
      const std::vector<Tensor> graph = autograd::grad({y.square().sum()}, inputs, {}, true, true);
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        BOOST_TEST((hand[i].sizes().vec() == inputs[i].sizes().vec()));
        check_close(hand[i], graph[i], 1e-14, "gradient " + std::to_string(i));
      }
      if (c.S == 0) BOOST_TEST(numbers(y) == std::vector<double>(static_cast<std::size_t>(y.numel()), 0.0));
      // No numbers to compare: each value counts the same.
      if (c.E == 0 && kind == 0 && c.S > 0) check_close(y, v.mean(1, true).expand({2, 3, 3}), 1e-15, "mean");
    }
  }
}

BOOST_AUTO_TEST_CASE(dropout_is_of_the_probabilities) {
  const std::int64_t heads = 50, n = 64;
  const double p = 0.3;
  // With all keys alike each probability is 1 / n; the identity as values shows them.
  const Tensor q = zeros({heads, n, 4}), k = zeros({n, 4}), v = eye(n);
  manual_seed(9);
  const core::RandomPosition before = core::default_generator().position();
  const Tensor a = scaled_dot_product_attention(q, k, v, {}, p);
  BOOST_TEST(core::default_generator().position().offset ==
             before.offset + static_cast<std::uint64_t>(heads * n * n / 4));
  const Tensor kept = Tensor(core::bernoulli_mask({heads, n, n}, 1 - p, before));
  check_close(a, kept.to(kFloat32) / (n * (1 - p)), 1e-6, "what is kept, scaled");
  const double count = static_cast<double>(heads * n * n), zeros_seen = (a == 0).sum().item<double>();
  BOOST_TEST(std::abs(zeros_seen / count - p) < 5 * std::sqrt(p * (1 - p) / count));
  BOOST_TEST(std::abs(a.sum().item<double>() / static_cast<double>(heads * n) - 1) < 0.01);
  // Another draw, and the same again.
  BOOST_TEST(!equal(scaled_dot_product_attention(q, k, v, {}, p), a));
  manual_seed(9);
  BOOST_TEST(same_bits(scaled_dot_product_attention(q, k, v, {}, p), a));
  // Nothing is drawn at 0, nothing kept at 1.
  const Tensor x = leaf({2, 3, 4});
  const core::RandomPosition now = core::default_generator().position();
  const Tensor plain = scaled_dot_product_attention(x, x, x);
  BOOST_TEST((core::default_generator().position() == now));
  const Tensor none = scaled_dot_product_attention(x, x, x, {}, 1);
  none.sum().backward();
  BOOST_TEST(numbers(none) == std::vector<double>(24, 0.0));
  BOOST_TEST(numbers(x.grad()) == std::vector<double>(24, 0.0));
  check_close(plain, composed(x, x, x), 1e-14, "without dropout");
}

BOOST_AUTO_TEST_CASE(second_order_through_the_function) {
  manual_seed(10);
  const auto f = [](const std::vector<Tensor>& x) {
    return std::vector<Tensor>{scaled_dot_product_attention(x[0], x[1], x[2], x[3])};
  };
  const std::vector<Tensor> inputs = {leaf({2, 3, 4}), leaf({2, 5, 4}), leaf({2, 5, 2}), leaf({3, 5})};
  BOOST_TEST(autograd::gradcheck(f, inputs));
  BOOST_TEST(autograd::gradgradcheck(f, inputs));
}

BOOST_AUTO_TEST_CASE(a_narrower_mask_and_none) {
  manual_seed(11);
  const Tensor q = leaf({3, 4}), k = draw({5, 4}), v = draw({5, 2});
  const Tensor narrow = randn({3, 5}).requires_grad_();  // float32: added to float64, as PyTorch does
  const Tensor wide = narrow.detach().to(kFloat64).requires_grad_();
  const Tensor y = scaled_dot_product_attention(q, k, v, narrow), z = scaled_dot_product_attention(q, k, v, wide);
  BOOST_TEST(same_bits(y, z));
  y.sum().backward();
  z.sum().backward();
  BOOST_TEST((narrow.grad().dtype() == kFloat32));
  check_close(narrow.grad().to(kFloat64), wide.grad(), 1e-6, "dmask");
  // An undefined one is none.
  BOOST_TEST(same_bits(scaled_dot_product_attention(q, k, v, Tensor()), scaled_dot_product_attention(q, k, v)));
  BOOST_TEST(same_bits(nn::functional::scaled_dot_product_attention(q, k, v, std::nullopt, 0.0, false, 0.5),
                       scaled_dot_product_attention(q, k, v)));
}

BOOST_AUTO_TEST_CASE(memory) {
  manual_seed(12);
  const std::int64_t n = 512, bytes = 16 * n * n * 4, spare = std::int64_t{6} << 20;
  const Tensor q = leaf({16, n, 8}, kFloat32), k = leaf({16, n, 8}, kFloat32), v = leaf({16, n, 8}, kFloat32);
  const Tensor dy = randn({16, n, 8});
  const auto peak = [&](const std::function<void()>& work) {
    empty_cache();
    reset_peak_memory_stats();
    const std::int64_t before = memory_stats().peak_bytes;
    work();
    return memory_stats().peak_bytes - before;
  };
  const std::int64_t arrays = memory_stats().live_arrays;
  BOOST_TEST(peak([&] { scaled_dot_product_attention(q, k, v).backward(dy); }) <= bytes + spare);
  BOOST_TEST(memory_stats().live_arrays == arrays + 3);  // .grad
  BOOST_TEST(peak([&] { scaled_dot_product_attention(q, k, v, {}, 0.1).backward(dy); }) <= bytes * 5 / 4 + spare);
  const NoGradGuard no_grad;
  BOOST_TEST(peak([&] { scaled_dot_product_attention(q, k, v, {}, 0, true); }) <= spare);
  BOOST_TEST(memory_stats().live_arrays == arrays + 3);
}

// Refused in the forward pass and in the backward pass, with nothing left behind; then it works.
BOOST_AUTO_TEST_CASE(without_memory_nothing_is_lost) {
  manual_seed(13);
  const std::int64_t n = 512;
  const auto draw_leaf = [&] { return leaf({16, n, 8}, kFloat32); };
  const Tensor q = draw_leaf(), k = draw_leaf(), v = draw_leaf(), dy = randn({16, n, 8});
  const auto attend = [&] { return scaled_dot_product_attention(q, k, v); };
  const auto refused = [&](std::int64_t spare, const std::function<void()>& work) {
    empty_cache();
    set_memory_limit(memory_stats().held_bytes + spare);
    BOOST_CHECK_THROW(work(), MemoryError);
    set_memory_limit(std::numeric_limits<std::int64_t>::max());
  };
  const std::vector<Array> expected = step(q, k, v, {}, dy);
  const std::int64_t arrays = memory_stats().live_arrays;
  refused(16 * n * n * 2, attend);
  BOOST_TEST(memory_stats().live_arrays == arrays);
  const Tensor y = attend();
  refused(100000, [&] { y.backward(dy, true); });
  BOOST_TEST(!q.grad().defined());
  y.backward(dy);
  BOOST_TEST(same_bits(y.array(), expected[0]));
  BOOST_TEST(same_bits(q.grad().array(), expected[1]));
  BOOST_TEST(same_bits(v.grad().array(), expected[3]));
}

BOOST_AUTO_TEST_CASE(expanded_operands) {
  manual_seed(14);
  const Tensor q = randn({1, 5, 4}).expand({3, 5, 4}), k = randn({1, 1, 4}).expand({3, 6, 4});
  const Tensor v = randn({3, 6, 1}).expand({3, 6, 4}), dy = randn({3, 5, 4});
  const std::vector<Array> a = step(q, k, v, {}, dy), b = step(q.contiguous(), k.contiguous(), v.contiguous(), {}, dy);
  for (std::size_t i = 0; i < a.size(); ++i) BOOST_TEST(same_bits(a[i], b[i]));
}

BOOST_AUTO_TEST_CASE(wrong_use_is_said) {
  const auto attend = [](const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask = {}, double p = 0,
                         bool causal = false, bool gqa = false) {
    return [=] { scaled_dot_product_attention(q, k, v, mask, p, causal, {}, gqa); };
  };
  const Tensor q = randn({2, 3, 5, 4}), k = randn({2, 3, 6, 4}), v = randn({2, 3, 6, 7});
  const std::string op = "scaled_dot_product_attention: ";
  check_error<ShapeError>(attend(randn({4}), k, v),
                          {op + "query, key and value must have at least 2 dimensions", "[4]"});
  check_error<ShapeError>(attend(q, randn({2, 3, 6, 5}), v), {op, "one width E: [2, 3, 5, 4] and [2, 3, 6, 5]"});
  check_error<ShapeError>(attend(q, k.transpose(-2, -1), v), {"one width E", "key is given as it is, not transposed"});
  check_error<ShapeError>(attend(q, k, randn({2, 3, 5, 7})), {op, "one length S: [2, 3, 6, 4] and [2, 3, 5, 7]"});
  check_error<ShapeError>(attend(randn({2, 5, 3, 4}), randn({2, 6, 3, 4}), randn({2, 6, 3, 4})),
                          {op + "the dimensions before the last two must broadcast: [2, 5, 3, 4], [2, 6, 3, 4]",
                           "x.view({batch, length, heads, width}).transpose(1, 2)"});
  check_error<DTypeError>(attend(q.to(kFloat64), k, v), {op, "one floating dtype: float64, float32 and float32"});
  check_error<DTypeError>(attend(q.to(kInt64), k.to(kInt64), v.to(kInt64)), {op, "one floating dtype: int64"});
  check_error<DTypeError>(attend(q, k, v, ones({5, 6}, kInt64)),
                          {op + "attn_mask must be bool", "float32 as query", "int64; mask != 0 is bool"});
  check_error<DTypeError>(attend(q, k, v, ones({5, 6}, kFloat64)), {"attn_mask must be bool", "float64; to()"});
  check_error<ShapeError>(attend(q, k, v, ones({2, 6}, kBool)),
                          {op + "attn_mask must broadcast to the scores [.., L, S]: [2, 6] for [2, 3, 5, 6]",
                           "mask.view({batch, 1, 1, S})"});
  check_error<ShapeError>(attend(q, k, v, ones({4, 2, 3, 5, 6}, kBool)), {"attn_mask must broadcast"});
  check_error<ValueError>(attend(q, k, v, ones({5, 6}, kBool), 0, true),
                          {op + "attn_mask must not be given with is_causal"});
  const std::int64_t many = std::int64_t{1} << 32;
  const Tensor row = randn({1, 4});
  check_error<ShapeError>(attend(row.expand({many, 4}), row.expand({many, 4}), row.expand({many, 4})), {op, "64 bits"});
  check_error<ValueError>(attend(q, Tensor(), v), {op + "query, key and value must be defined"});
  const core::RandomPosition before = core::default_generator().position();
  for (const double p : {-0.1, 1.5, static_cast<double>(NAN)}) {
    check_error<ValueError>(attend(q, k, v, {}, p), {op + "dropout_p", "must be in [0, 1]"});
  }
  BOOST_TEST((core::default_generator().position() == before));
  check_error<ShapeError>(attend(q, randn({2, 2, 6, 4}), randn({2, 2, 6, 4}), {}, 0, false, true),
                          {op + "with enable_gqa the heads", "[2, 2, 6, 4]", "[2, 3, 5, 4]"});
  check_error<ShapeError>(
      attend(randn({2, 4, 5, 4}), randn({2, 2, 6, 4}), randn({2, 2, 6, 4}), randn({2, 5, 6}), 0, false, true),
      {op + "attn_mask must have 1 head, or query's 4: [2, 5, 6]"});
  AttentionRule::Attrs attrs;
  attrs.keeps_probabilities = false;
  const auto [y, p, kept] = AttentionRule::forward(attrs, q.array(), k.array(), v.array(), {});
  BOOST_TEST(!p.defined());
  check_error<ValueError>(
      [&, y = y, p = p, kept = kept] {
        AttentionRule::backward(attrs, {}, y, q.array(), k.array(), v.array(), p, kept);
      },
      {"the probabilities must be there"});
  // The functions of core, which the rule calls by hand.
  const Array all = core::zeros({2, 3, 5, 6}), g = core::zeros({2, 3, 5, 7}),
              wide = core::zeros({2, 3, 5, 7}, kFloat64);
  const auto backward = [&](const Array& above, const Array& chances, const Array& mask) {
    return [=, x = q.array(), z = k.array(), w = v.array()] {
      core::attention_backward(above, x, z, w, chances, mask, {}, {true, true, true, false});
    };
  };
  check_error<DTypeError>(backward(wide, all, {}), {"attention_backward: dy must be float32: float64"});
  check_error<ShapeError>(backward(all, all, {}), {"dy must be [2, 3, 5, 7]: [2, 3, 5, 6]"});
  check_error<ShapeError>(backward(g, g, {}), {"probabilities must be [2, 3, 5, 6]: [2, 3, 5, 7]"});
  check_error<DTypeError>(backward(g, all, all), {"kept must be bool: float32"});
  const auto forward = [&](const Array& bias, const Array& mask) {
    return [=, x = q.array(), z = k.array(), w = v.array()] { core::attention_forward(x, z, w, bias, mask, {}); };
  };
  check_error<DTypeError>(forward(core::zeros({5, 6}, kFloat64), {}), {"attention_forward: bias must be float32"});
  check_error<DTypeError>(forward({}, all), {"attention_forward: kept must be bool"});
}

BOOST_AUTO_TEST_SUITE_END()
