// Losses against PyTorch, cross-entropy's rule by hand and through its reference, extreme numbers, wrong use.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>

#include <gradus/autograd/tensor/create.h>
#include <gradus/autograd/graph/engine.h>
#include <gradus/autograd/check/gradcheck.h>
#include <gradus/layers/module/check.h>
#include <gradus/layers/functional.h>

#include "../support/pytorch.h"
#include "../support/threads.h"

using namespace gradus;
using core::Array;
using nn::CrossEntropyRule;
using test::check_close;
using test::check_error;
using test::PyTorchFile;
using test::same_bits;
namespace F = nn::functional;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity(), kNaN = std::numeric_limits<double>::quiet_NaN();

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }
Reduction reduction_of(const std::string& c) {
  return contains(c, "_sum_") ? Reduction::Sum : contains(c, "_none_") ? Reduction::None : Reduction::Mean;
}
Array array_of(const Tensor& t) { return t.defined() ? t.array() : Array(); }
Array copy_of(const Tensor& t) { return t.array().clone(); }
Tensor classes(const std::vector<std::int64_t>& numbers) { return tensor(numbers); }

// y and the gradients of one case, by a function of (x, t).
template <class Function>
void check_case(const PyTorchFile& file, const std::string& c, Function function) {
  const Tensor x = file[c + "/x"].requires_grad_(), t = file[c + "/t"];
  if (file.has(c + "/dt")) t.requires_grad_();
  const Tensor y = function(x, t);
  if (file.has(c + "/dy"))
    y.backward(file[c + "/dy"]);
  else
    y.backward();
  file.check(y, c + "/y");
  file.check(x.grad(), c + "/dx");
  if (t.requires_grad()) file.check(t.grad(), c + "/dt");
}

void check_step() {
  const Tensor x = zeros({2, 3}, TensorOptions(kFloat64).requires_grad(true));
  const Tensor l = F::cross_entropy(x, classes({0, 2}));
  BOOST_TEST(l.item<double>() == std::log(3.0), boost::test_tools::tolerance(1e-15));
  l.backward();
  const double p = 1.0 / 6;
  check_close(x.grad(), tensor({{p - 0.5, p, p}, {p, p, p - 0.5}}, kFloat64), 1e-15, "a step after an error");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(loss)

BOOST_AUTO_TEST_CASE(cross_entropy_agrees_with_pytorch) {
  const PyTorchFile file("layers");
  const std::vector<std::string> cases = file.cases("cross_entropy_");
  BOOST_TEST(cases.size() == 46u);
  for (const std::string& c : cases) {
    const Tensor weight = file.get(c + "/weight");
    std::int64_t ignore_index = file.has(c + "/ignore_index") ? file[c + "/ignore_index"].item<std::int64_t>() : -100;
    if (contains(c, "all_ignored")) ignore_index = 2;
    const double smoothing = file.has(c + "/label_smoothing") ? 0.1 : 0;
    const auto options = nn::CrossEntropyLossOptions()
                             .weight(weight)
                             .ignore_index(ignore_index)
                             .reduction(reduction_of(c))
                             .label_smoothing(smoothing);
    check_case(file, c, [&](const Tensor& x, const Tensor& t) { return F::cross_entropy(x, t, options); });
    check_case(file, c, [&](const Tensor& x, const Tensor& t) { return nn::CrossEntropyLoss(options)(x, t); });
    check_case(file, c, [&](const Tensor& x, const Tensor& t) {
      return CrossEntropyRule::reference({reduction_of(c), ignore_index, smoothing}, x, t, weight);
    });

    // By hand, without a graph: the same bits as through it.
    const Tensor x = file[c + "/x"].requires_grad_(), t = file[c + "/t"];
    if (file.has(c + "/dt")) t.requires_grad_();
    const CrossEntropyRule::Attrs attrs{reduction_of(c), ignore_index, smoothing};
    const Tensor y = F::cross_entropy(x, t, options);
    const Tensor dy = file.has(c + "/dy") ? file[c + "/dy"] : ones({}, x.dtype());
    y.backward(dy);
    const auto [l, log_p, divisor] = CrossEntropyRule::forward(attrs, x.array(), t.array(), array_of(weight));
    const auto g = CrossEntropyRule::backward(attrs, {}, dy.array(), {x.array().shape()}, t.array(), array_of(weight),
                                              log_p, divisor);
    BOOST_TEST((same_bits(l, y.array()) || std::isnan(y.item<double>())), c);
    BOOST_TEST(same_bits(g[0], x.grad().array()), c);
    if (t.requires_grad()) BOOST_TEST(same_bits(g[1], t.grad().array()), c);
    BOOST_TEST(!g[2].defined());
  }
}

BOOST_AUTO_TEST_CASE(nll_loss_agrees_with_pytorch) {
  const PyTorchFile file("layers");
  const std::vector<std::string> cases = file.cases("nll_loss_");
  BOOST_TEST(cases.size() == 20u);
  for (const std::string& c : cases) {
    const Tensor weight = file.get(c + "/weight");
    const std::int64_t ignore_index =
        file.has(c + "/ignore_index") ? file[c + "/ignore_index"].item<std::int64_t>() : -100;
    const auto options = nn::NLLLossOptions().weight(weight).ignore_index(ignore_index).reduction(reduction_of(c));
    check_case(file, c, [&](const Tensor& x, const Tensor& t) { return F::nll_loss(x, t, options); });
    check_case(file, c, [&](const Tensor& x, const Tensor& t) { return nn::NLLLoss(options)(x, t); });
    check_case(file, c, [&](const Tensor& x, const Tensor& t) {
      return gradus::nll_loss(x, t, weight, reduction_of(c), ignore_index);
    });
  }
}

BOOST_AUTO_TEST_CASE(losses_of_values_agree_with_pytorch) {
  const PyTorchFile file("layers");
  std::size_t count = 0;
  for (const std::string& c : file.cases("mse_loss_")) {
    ++count;
    check_case(file, c, [&](const Tensor& x, const Tensor& t) { return F::mse_loss(x, t, reduction_of(c)); });
    check_case(file, c, [&](const Tensor& x, const Tensor& t) { return nn::MSELoss(reduction_of(c))(x, t); });
  }
  for (const std::string& c : file.cases("bce_logits_")) {
    ++count;
    const auto options = nn::BCEWithLogitsLossOptions()
                             .weight(file.get(c + "/weight"))
                             .pos_weight(file.get(c + "/pos_weight"))
                             .reduction(reduction_of(c));
    check_case(file, c,
               [&](const Tensor& x, const Tensor& t) { return F::binary_cross_entropy_with_logits(x, t, options); });
    check_case(file, c, [&](const Tensor& x, const Tensor& t) { return nn::BCEWithLogitsLoss(options)(x, t); });
  }
  BOOST_TEST(count == 18u);
}

BOOST_AUTO_TEST_CASE(cross_entropy_both_orders_against_finite_differences) {
  const Tensor weight = rand({5}, kFloat64) + 0.5;
  for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{5}, {4, 5}, {2, 5, 3}}) {
    std::vector<std::int64_t> positions = shape;
    positions.erase(positions.begin() + (shape.size() == 1 ? 0 : 1));
    const Tensor numbers = randint(5, positions);
    for (const Reduction reduction : {Reduction::Mean, Reduction::Sum, Reduction::None}) {
      for (const double smoothing : {0.0, 0.2}) {
        for (const bool weighted : {false, true}) {
          const auto options = nn::CrossEntropyLossOptions()
                                   .weight(weighted ? weight : Tensor())
                                   .reduction(reduction)
                                   .label_smoothing(smoothing)
                                   .ignore_index(3);
          const Tensor x = randn(shape, TensorOptions(kFloat64).requires_grad(true));
          const auto of_classes = [&](const std::vector<Tensor>& in) {
            return std::vector<Tensor>{F::cross_entropy(in[0], numbers, options)};
          };
          // All ignored and averaged: NaN has no differences.
          if (numbers.numel() > 1 || numbers.item<std::int64_t>() != 3) {
            BOOST_TEST(gradcheck(of_classes, {x}));
            BOOST_TEST(gradgradcheck(of_classes, {x}));
          }
          const Tensor shares = softmax(randn(shape, kFloat64), shape.size() == 1 ? 0 : 1).detach().requires_grad_();
          const auto of_shares = [&](const std::vector<Tensor>& in) {
            return std::vector<Tensor>{F::cross_entropy(in[0], in[1], options)};
          };
          BOOST_TEST(gradcheck(of_shares, {x, shares}));
          BOOST_TEST(gradgradcheck(of_shares, {x, shares}));
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_others_both_orders_against_finite_differences) {
  const Tensor pos_weight = rand({3}, kFloat64) + 0.5, weight = rand({2, 3}, kFloat64) + 0.5;
  // BCE is smooth at 0, and so has to be its formula, to the second order.
  const Tensor x = tensor({{0., -1.3, 2.}, {0.4, 0., -0.2}}, TensorOptions(kFloat64).requires_grad(true));
  const Tensor t = tensor({{0., 1., 0.3}, {0.7, 0.5, 1.}}, TensorOptions(kFloat64).requires_grad(true));
  for (const Reduction reduction : {Reduction::Mean, Reduction::Sum, Reduction::None}) {
    const auto bce = [&](const std::vector<Tensor>& in) {
      return std::vector<Tensor>{binary_cross_entropy_with_logits(in[0], in[1], weight, pos_weight, reduction)};
    };
    const auto mse = [&](const std::vector<Tensor>& in) {
      return std::vector<Tensor>{mse_loss(in[0], in[1], reduction)};
    };
    BOOST_TEST(gradcheck(bce, {x, t}));
    BOOST_TEST(gradgradcheck(bce, {x, t}));
    BOOST_TEST(gradcheck(mse, {x, t}));
    BOOST_TEST(gradgradcheck(mse, {x, t}));
  }
}

BOOST_AUTO_TEST_CASE(smooth_l1_and_huber_at_their_edges) {
  // Where x is the target they are smooth, to the second order; so they are within, and lines without.
  const Tensor t = tensor({0., 1., -2., 0.5, 3.}, kFloat64);
  const Tensor x = (t + tensor({0., 0.2, -0.3, 4., -5.}, kFloat64)).requires_grad_();
  for (const double edge : {0.7, 2.0}) {
    const auto smooth = [&](const Tensor& in) { return smooth_l1_loss(in, t, kSum, edge); };
    const auto huber = [&](const Tensor& in) { return huber_loss(in, t, kSum, edge); };
    const auto second = [&](const auto& loss) {
      const Tensor dx = autograd::grad({loss(x)}, {x}, {}, true, true)[0];
      return autograd::grad({dx.sum()}, {x})[0];
    };
    check_close(second(smooth), tensor({1., 1., 1., 0., 0.}, kFloat64) / edge, 1e-15, "smooth L1");
    check_close(second(huber), tensor({1., 1., 1., 0., 0.}, kFloat64), 1e-15, "Huber");
  }
  // Steep as can be, it is L1; numbers without bounds have bounded slopes.
  const Tensor y = tensor({2.F, -3e38F, std::numeric_limits<float>::infinity(), 0.F, std::nanf("")}).requires_grad_();
  const Tensor zero = zeros({5}), slopes = tensor({1.F, -1.F, 1.F, 0.F, std::nanf("")});
  const auto slope = [&](const Tensor& loss) { return autograd::grad({loss}, {y})[0]; };
  BOOST_TEST(same_bits(smooth_l1_loss(y, zero, kNone, 0), l1_loss(y, zero, kNone)));
  for (const Tensor& loss : {l1_loss(y, zero, kSum), smooth_l1_loss(y, zero, kSum, 0),
                             smooth_l1_loss(y, zero, kSum, 1e-30), huber_loss(y, zero, kSum, 1)}) {
    check_close(slope(loss).slice(0, 0, 4), slopes.slice(0, 0, 4), 0, loss.grad_fn()->name().data());
    BOOST_TEST(std::isnan(loss.item<float>()));
  }
  BOOST_TEST(smooth_l1_loss(tensor({1e-20F}), zeros({1}), kSum, 1e-30).item<float>() == 1e-20F);
  BOOST_TEST(F::smooth_l1_loss(x, t, nn::SmoothL1LossOptions(kSum)).item<double>() ==
             smooth_l1_loss(x, t, kSum, 1).item<double>());
  check_error<ValueError>([&] { smooth_l1_loss(x, t, kMean, -1); }, {"smooth_l1_loss: beta", "-1"});
  check_error<ValueError>([&] { smooth_l1_loss(x, t, kMean, kNaN); }, {"smooth_l1_loss: beta", "nan"});
  check_error<ValueError>([&] { huber_loss(x, t, kMean, 0); }, {"huber_loss: delta", "0"});
  check_error<DTypeError>([&] { l1_loss(tensor({1, 2}), tensor({1, 2})); }, {"l1_loss: input must be floating: int"});
}

BOOST_AUTO_TEST_CASE(bce_agrees_three_ways) {
  const Tensor x = randn({7, 5}, kFloat64) * 3, t = rand({7, 5}, kFloat64), pos_weight = rand({7, 5}, kFloat64) + 0.5;
  for (const Tensor& weight : {pos_weight, Tensor()}) {
    const autograd::CheckReport report = nn::check<nn::BCEWithLogitsRule>(x, t, weight);
    BOOST_TEST(report.ok(), report.to_string());
  }
}

BOOST_AUTO_TEST_CASE(one_sample_without_a_batch) {
  const Tensor x = randn({5}, TensorOptions(kFloat64).requires_grad(true)), y = Tensor(copy_of(x)).requires_grad_();
  F::cross_entropy(x, tensor(3)).backward();
  F::cross_entropy(y.unsqueeze(0), classes({3})).backward();
  check_close(x.grad(), y.grad(), 0, "[C] and []");
  check_close(F::nll_loss(log_softmax(x, 0), tensor(3)), F::cross_entropy(x, tensor(3)), 1e-15, "nll_loss");
  BOOST_TEST(F::cross_entropy(x, tensor(3), F::CrossEntropyFuncOptions().reduction(kNone)).dim() == 0);
}

BOOST_AUTO_TEST_CASE(class_numbers_of_any_integer_dtype_and_layout) {
  const Tensor x = randn({2, 5, 3}), t = classes({4, 0, 1, 2, 3, 4}).reshape({2, 3});
  const Tensor l = F::cross_entropy(x, t);
  for (const DType dtype : {kInt32, kUInt8}) {
    BOOST_TEST(same_bits(F::cross_entropy(x, t.to(dtype)), l));
    BOOST_TEST(same_bits(F::nll_loss(log_softmax(x, 1), t.to(dtype)), F::nll_loss(log_softmax(x, 1), t)));
  }
  const Tensor strided = x.permute({2, 0, 1}).contiguous().permute({1, 2, 0});
  BOOST_TEST(same_bits(F::cross_entropy(strided, t.t().contiguous().t()), l));
  BOOST_TEST(same_bits(F::nll_loss(log_softmax(x, 1), t.t().contiguous().t()), F::nll_loss(log_softmax(x, 1), t)));
}

BOOST_AUTO_TEST_CASE(extreme_logits) {
  for (const DType dtype : {kFloat32, kFloat64}) {
    const auto of = [&](const std::vector<double>& logits, std::int64_t t) {
      const Tensor x = tensor(logits, dtype).unsqueeze(0).requires_grad_();
      const Tensor l = F::cross_entropy(x, classes({t}));
      l.backward();
      return std::pair(l.item<double>(), test::values(x.grad().array()));
    };
    BOOST_TEST(of({1000, -1000, 0}, 0).first == 0);
    BOOST_TEST(of({1000, -1000, 0}, 1).first == 2000);
    BOOST_TEST((of({1000, -1000, 0}, 1).second == std::vector<double>{1, -1, 0}));
    BOOST_TEST(of({-kInf, 0, -kInf}, 1).first == 0);
    BOOST_TEST(of({-kInf, 0, -kInf}, 0).first == kInf);
    BOOST_TEST(std::isnan(of({kInf, 0, 0}, 0).first));
    // An ignored sample counts for nothing, whatever it is.
    const Tensor x = tensor({{-kInf, -kInf, 0.}, {0., 0., 0.}}, dtype).requires_grad_();
    for (const double smoothing : {0.0, 0.1}) {
      x.mutable_grad() = Tensor();
      const Tensor l = F::cross_entropy(x, classes({-100, 1}), F::CrossEntropyFuncOptions().label_smoothing(smoothing));
      BOOST_TEST(l.item<double>() == std::log(3.0), boost::test_tools::tolerance(1e-6));
      l.backward();
      BOOST_TEST(test::values(x.grad()[0].array()) == (std::vector<double>{0, 0, 0}));
    }
  }
}

BOOST_AUTO_TEST_CASE(nothing_to_average) {
  BOOST_TEST(std::isnan(F::cross_entropy(zeros({0, 4}), zeros({0}, kInt64)).item<double>()));
  BOOST_TEST(std::isnan(F::nll_loss(zeros({0, 4}), zeros({0}, kInt64)).item<double>()));
  BOOST_TEST(F::cross_entropy(zeros({0, 4}), zeros({0}, kInt64), F::CrossEntropyFuncOptions().reduction(kSum))
                 .item<double>() == 0);
  BOOST_TEST(
      F::cross_entropy(zeros({0, 4}), zeros({0}, kInt64), F::CrossEntropyFuncOptions().reduction(kNone)).numel() == 0);
  BOOST_TEST(std::isnan(F::mse_loss(zeros({0}), zeros({0})).item<double>()));
  const Tensor x = randn({2, 4}).requires_grad_();
  const Tensor l = F::nll_loss(log_softmax(x, 1), classes({-100, -100}));
  BOOST_TEST(std::isnan(l.item<double>()));
  l.backward();
  BOOST_TEST(test::values(x.grad().array()) == std::vector<double>(8, 0.0));
}

BOOST_AUTO_TEST_CASE(the_graph_has_one_node_and_keeps_the_class_numbers_safe) {
  const Tensor x = randn({3, 4}).requires_grad_(), t = classes({0, 1, 2});
  const Tensor l = F::cross_entropy(x, t);
  const int line = __LINE__ - 1;
  BOOST_TEST(std::string(l.grad_fn()->name()) == "cross_entropy");
  BOOST_TEST(l.grad_fn()->location().line() == line);
  BOOST_TEST(l.grad_fn()->attributes()[0].value == "mean");
  t.fill_(3);
  check_error<GradError>([&] { l.backward(); }, {"cross_entropy", "fill_"});
}

BOOST_AUTO_TEST_CASE(modules_keep_their_weights_as_buffers) {
  const Tensor weight = rand({3}), pos_weight = rand({3});
  nn::CrossEntropyLoss cross_entropy(nn::CrossEntropyLossOptions().weight(weight));
  nn::BCEWithLogitsLoss bce(nn::BCEWithLogitsLossOptions().pos_weight(pos_weight));
  BOOST_TEST(cross_entropy->state_dict().keys() == std::vector<std::string>{"weight"});
  BOOST_TEST(bce->state_dict().keys() == std::vector<std::string>{"pos_weight"});
  BOOST_TEST(cross_entropy->parameters().empty());
  cross_entropy->to(kFloat64);
  const Tensor x = randn({2, 3}, kFloat64);
  check_close(cross_entropy(x, classes({0, 2})),
              F::cross_entropy(x, classes({0, 2}), F::CrossEntropyFuncOptions().weight(weight.to(kFloat64))), 0,
              "converted");
  BOOST_TEST(nn::CrossEntropyLoss()->state_dict().is_empty());
}

BOOST_AUTO_TEST_CASE(the_same_bits_at_any_number_of_threads) {
  const Tensor x = randn({3000, 40}), t = randint(40, {3000});
  std::vector<Array> first;
  test::ManyThreads().each([&] {
    const auto [l, log_p, divisor] = CrossEntropyRule::forward({}, x.array(), t.array(), {});
    const auto g =
        CrossEntropyRule::backward({}, {}, core::ones({}), {x.array().shape()}, t.array(), Array(), log_p, divisor);
    const std::vector<Array> now = {l, log_p, g[0]};
    if (first.empty()) first = now;
    for (std::size_t i = 0; i < now.size(); ++i) BOOST_REQUIRE(same_bits(now[i], first[i]));
  });
}

BOOST_AUTO_TEST_CASE(a_class_out_of_range_is_an_error) {
  const Tensor x = randn({4, 5});
  nn::CrossEntropyLoss loss;
  check_error<IndexError>(
      [&] {
        loss(x, classes({0, 1, 7, 2}));
      },
      {"cross_entropy: target must be in [0, 5), or ignore_index (-100): 7 at position 2"});
  check_step();
  check_error<IndexError>([&] { loss(x, classes({0, -1, 4, 2})); }, {"cross_entropy: target", "-1 at position 1"});
  check_step();
  check_error<IndexError>([&] { loss(x, classes({5, 1, 1, 1})); }, {"5 at position 0"});
  check_error<IndexError>(
      [&] {
        F::nll_loss(x, classes({0, 1, 1, 5}));
      },
      {"nll_loss: target must be in [0, 5), or ignore_index (-100): 5 at position 3"});
  check_error<IndexError>(
      [&] {
        F::nll_loss(x, classes({0, -100, 1, 5}), F::NLLLossFuncOptions().ignore_index(5));
      },
      {"nll_loss: target must be in [0, 5), or ignore_index (5): -100 at position 1"});
  check_step();
}

BOOST_AUTO_TEST_CASE(wrong_use_is_said_and_harms_nothing) {
  const Tensor x = randn({4, 5}), t = classes({0, 1, 2, 3});
  check_error<ShapeError>(
      [&] {
        F::cross_entropy(x, classes({0, 1}));
      },
      {"cross_entropy: a target of class numbers must have input's shape without the classes: [2] "
       "for input [4, 5]"});
  check_step();
  check_error<ShapeError>([&] { F::cross_entropy(x, randn({4})); },
                          {"cross_entropy: a target of probabilities must have input's shape: [4] for input [4, 5]"});
  check_error<ShapeError>([&] { F::cross_entropy(randn({}), tensor(0)); }, {"cross_entropy: input must be [C]", "[]"});
  check_error<DTypeError>(
      [&] {
        F::cross_entropy(ones({4, 5}, kInt64), t);
      },
      {"cross_entropy: input must be floating: int64"});
  check_error<DTypeError>([&] { F::cross_entropy(x, t == 1); }, {"cross_entropy: target must be int64: bool"});
  check_error<ShapeError>([&] { F::cross_entropy(x, t, F::CrossEntropyFuncOptions().weight(rand({4}))); },
                          {"cross_entropy: weight must be [C]: [4] for [5]"});
  check_error<GradError>(
      [&] { F::cross_entropy(x, t, F::CrossEntropyFuncOptions().weight(rand({5}).requires_grad_())); },
      {"cross_entropy: weight is a constant", "detach()"});
  for (const double e : {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN()}) {
    check_error<ValueError>([&] { F::cross_entropy(x, t, F::CrossEntropyFuncOptions().label_smoothing(e)); },
                            {"cross_entropy: label_smoothing must be in [0, 1]"});
  }
  check_step();
  check_error<DTypeError>([&] { F::nll_loss(x, x); }, {"nll_loss: target must be int64", "float32", "cross_entropy"});
  check_error<ShapeError>(
      [&] {
        F::mse_loss(randn({4, 1}), randn({4}));
      },
      {"mse_loss: target must have input's shape: [4] for input [4, 1]", "expand()"});
  check_error<ShapeError>(
      [&] {
        F::binary_cross_entropy_with_logits(randn({4, 1}), rand({4}));
      },
      {"binary_cross_entropy_with_logits: target must have input's shape: [4] for input [4, 1]"});
  check_error<DTypeError>([&] { F::mse_loss(ones({4}, kInt64), ones({4}, kInt64)); }, {"mse_loss: input", "int64"});
  BOOST_TEST(F::mse_loss(ones({4}), zeros({4})).item<double>() == 1);
}

BOOST_AUTO_TEST_CASE(what_weighs_a_loss_repeats_but_makes_no_more_of_them) {
  const auto bce = [](const std::vector<std::int64_t>& x, const std::vector<std::int64_t>& factor, bool positive) {
    const Tensor weight = ones(factor), none;
    return binary_cross_entropy_with_logits(randn(x), zeros(x), positive ? none : weight, positive ? weight : none,
                                            gradus::kNone);
  };
  for (const bool positive : {false, true}) {
    const char* const name =
        positive ? "pos_weight must broadcast to input's shape" : "weight must broadcast to input's shape";
    for (const std::vector<std::int64_t>& factor :
         std::vector<std::vector<std::int64_t>>{{1, 3, 1, 1}, {1, 3, 1, 3}, {3, 2, 3}, {3, 3, 3}, {2}, {0}}) {
      check_error<ShapeError>(
          [&] {
            bce({3, 1, 3}, factor, positive);
          },
          {"binary_cross_entropy_with_logits: ", name, core::to_string(factor), "[3, 1, 3]"});
    }
    for (const std::vector<std::int64_t>& factor :
         std::vector<std::vector<std::int64_t>>{{}, {1}, {3}, {1, 3}, {3, 1, 1}, {3, 1, 3}}) {
      BOOST_TEST(bce({3, 1, 3}, factor, positive).sizes().vec() == (std::vector<std::int64_t>{3, 1, 3}));
    }
  }
  nn::BCEWithLogitsLoss layer(nn::BCEWithLogitsLossOptions().weight(ones({2, 2, 3})));
  check_error<ShapeError>(
      [&] {
        layer(randn({2, 3}), zeros({2, 3}));
      },
      {"weight must broadcast", "[2, 2, 3]", "[2, 3]"});
  // Others that may repeat within a shape that stands.
  const Tensor x = zeros({2, 3}), large = ones({4, 2, 3});
  check_error<ShapeError>([&] { x.add_(large); }, {"add_: ", "[2, 3]", "[4, 2, 3]"});
  check_error<ShapeError>([&] { x.mul_(large); }, {"mul_: ", "[2, 3]", "[4, 2, 3]"});
  check_error<ShapeError>([&] { x.copy_(large); }, {"copy_: ", "[2, 3]", "[4, 2, 3]"});
  check_error<ShapeError>([&] { x[0] = ones({2, 3}); }, {"copy_: "});
  check_error<ShapeError>([&] { x.bernoulli_(large); }, {"bernoulli_: "});
  check_error<ShapeError>(
      [&] {
        addmm(ones({1, 2, 2}), ones({2, 3}), ones({3, 2}));
      },
      {"addmm: ", "[2, 2]", "[1, 2, 2]"});
  check_error<ShapeError>([&] { nll_loss(x, zeros({2}, kInt64), ones({2, 3})); }, {"nll_loss: weight must be [C]"});
  check_error<ShapeError>(
      [&] {
        scaled_dot_product_attention(ones({1, 2, 3}), ones({1, 2, 3}), ones({1, 2, 3}), ones({2, 2, 2}));
      },
      {"attn_mask must broadcast"});
}

BOOST_AUTO_TEST_CASE(names_as_tutorials_spell_them) {
  const Tensor x = randn({3, 4}), t = classes({0, 3, 1});
  const Tensor l = gradus::nll_loss(gradus::log_softmax(x, 1), t);
  check_close(l, F::cross_entropy(x, t), 1e-6, "nll_loss of log_softmax");
  check_close(gradus::nll_loss(log_softmax(x, 1), t, {}, Reduction::Sum), l * 3, 1e-6, "sum");
  check_close(gradus::cross_entropy_loss(x, t), l, 1e-6, "cross_entropy_loss");
  nn::MSELoss sum{nn::MSELossOptions(kSum)};
  check_close(sum(x, x + 1), full({}, 12.0), 1e-6, "MSELossOptions(kSum)");
}

BOOST_AUTO_TEST_SUITE_END()
