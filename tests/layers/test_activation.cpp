// Activations against PyTorch, and relu as a rule.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gradus/autograd/graph/engine.h>
#include <gradus/autograd/ops/activation_rules.h>
#include <gradus/autograd/ops/piecewise_rules.h>
#include <gradus/autograd/check/check.h>
#include <gradus/autograd/tensor/create.h>
#include <gradus/autograd/check/gradcheck.h>
#include <gradus/core/nn/activation.h>
#include <gradus/core/ops/pointwise.h>
#include <gradus/core/ops/random.h>
#include <gradus/layers/module/check.h>
#include <gradus/layers/functional.h>

#include "../support/pytorch.h"
#include "../support/threads.h"

using namespace gradus;
using core::Array;
using test::check_error;
using test::PyTorchFile;
namespace F = nn::functional;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

template <class Function>
void check_cases(const PyTorchFile& file, const std::string& name, Function function, std::size_t count) {
  std::size_t checked = 0;
  for (const std::string& c : file.cases(name + "_")) {
    const std::string rest = c.substr(name.size() + 1);
    if (rest != "f32" && rest != "f64" && rest != "special_f32" && rest != "special_f64") continue;
    ++checked;
    const Tensor x = file[c + "/x"].requires_grad_();
    const Tensor y = function(x);
    file.check(y, c + "/y");
    if (!file.has(c + "/dy")) continue;
    y.backward(file[c + "/dy"]);
    file.check(x.grad(), c + "/dx");
  }
  BOOST_TEST(checked == count, name);
}

template <class Function>
void check_rows(const PyTorchFile& file, const std::string& name, Function function) {
  std::size_t checked = 0;
  for (const std::string& c : file.cases(name + "_")) {
    ++checked;
    const Tensor x = file[c + "/x"].requires_grad_();
    const std::int64_t dim = c.find("_1d_") != std::string::npos ? -1 : c.find("dim0") != std::string::npos ? 0 : 1;
    const Tensor y = function(x, dim);
    file.check(y, c + "/y");
    if (!file.has(c + "/dy")) continue;
    y.backward(file[c + "/dy"]);
    file.check(x.grad(), c + "/dx");
  }
  BOOST_TEST(checked == 10u, name);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(activation)

BOOST_AUTO_TEST_CASE(agree_with_pytorch) {
  const PyTorchFile file("layers");
  check_cases(
      file, "relu", [](const Tensor& x) { return F::relu(x); }, 4);
  check_cases(
      file, "relu", [](const Tensor& x) { return nn::ReLU()(x); }, 4);
  check_cases(
      file, "sigmoid", [](const Tensor& x) { return F::sigmoid(x); }, 4);
  check_cases(
      file, "sigmoid", [](const Tensor& x) { return nn::Sigmoid()(x); }, 4);
  check_cases(
      file, "tanh", [](const Tensor& x) { return F::tanh(x); }, 4);
  check_cases(
      file, "tanh", [](const Tensor& x) { return nn::Tanh()(x); }, 4);
  check_rows(file, "softmax", [](const Tensor& x, std::int64_t dim) { return F::softmax(x, dim); });
  check_rows(file, "log_softmax",
             [](const Tensor& x, std::int64_t dim) { return F::log_softmax(x, F::LogSoftmaxFuncOptions(dim)); });
}

BOOST_AUTO_TEST_CASE(smooth_ones_agree_with_pytorch) {
  const PyTorchFile file("scan");
  const auto check = [&](const std::string& name, auto function) {
    for (const char* dtype : {"_f32", "_f64"}) {
      const Tensor x = file[name + dtype + "/x"].requires_grad_();
      const Tensor y = function(x);
      file.check(y, name + dtype + "/y");
      y.backward(file[name + dtype + "/dy"]);
      file.check(x.grad(), name + dtype + "/dx");
    }
  };
  check("gelu", [](const Tensor& x) { return gelu(x); });
  check("gelu", [](const Tensor& x) { return F::gelu(x); });
  check("gelu", [](const Tensor& x) { return nn::GELU()(x); });
  check("gelu_tanh", [](const Tensor& x) { return gelu(x, "tanh"); });
  check("gelu_tanh", [](const Tensor& x) { return F::gelu(x, F::GELUFuncOptions().approximate("tanh")); });
  check("gelu_tanh", [](const Tensor& x) { return nn::GELU(nn::GELUOptions().approximate("tanh"))(x); });
  check("silu", [](const Tensor& x) { return F::silu(x); });
  check("silu", [](const Tensor& x) { return nn::SiLU()(x); });
  check("softplus", [](const Tensor& x) { return F::softplus(x); });
  check("softplus_beta", [](const Tensor& x) { return nn::Softplus(nn::SoftplusOptions().beta(2).threshold(5))(x); });
  check("leaky_relu", [](const Tensor& x) { return nn::LeakyReLU(nn::LeakyReLUOptions().negative_slope(0.2))(x); });
  check("leaky_relu", [](const Tensor& x) {
    return F::leaky_relu(x * 1, F::LeakyReLUFuncOptions().negative_slope(0.2).inplace(true));
  });
  check("elu", [](const Tensor& x) { return nn::ELU(nn::ELUOptions().alpha(1.5))(x); });
  check("elu", [](const Tensor& x) { return F::elu(x * 1, F::ELUFuncOptions().alpha(1.5).inplace(true)); });
}

BOOST_AUTO_TEST_CASE(rules_agree_three_ways) {
  const auto passes = [](const autograd::CheckReport& report) { BOOST_TEST(report.ok(), report.to_string()); };
  const Tensor x = randn({7, 5}, kFloat64) * 3;
  passes(nn::check<autograd::GeluRule>({false}, x));
  passes(nn::check<autograd::GeluRule>({true}, x));
  passes(nn::check<autograd::EluRule>({1.5}, x));
  passes(nn::check<autograd::SiluRule>(x));
  passes(nn::check<autograd::SoftplusRule>({1, 20}, x));
  passes(nn::check<autograd::SoftplusRule>({2, 3}, x));
  passes(nn::check<autograd::HardtanhRule>({-0.7, 1.1}, x));
  passes(nn::check<autograd::HardsigmoidRule>(x));
  passes(nn::check<autograd::HardswishRule>(x));
  passes(nn::check<autograd::HardshrinkRule>({0.5}, x));
  passes(nn::check<autograd::SoftshrinkRule>({0.5}, x));
  passes(nn::check<autograd::ThresholdRule>({0.3, 20}, x));
  passes(nn::check<autograd::PreluRule>(x, randn({5}, kFloat64)));
  passes(nn::check(nn::GELU(), randn({7, 5})));
  passes(nn::check(nn::SiLU(), randn({7, 5})));
  passes(nn::check(nn::Softplus(), randn({7, 5})));
}

BOOST_AUTO_TEST_CASE(softmax_modules) {
  const Tensor x = randn({3, 4});
  test::check_close(nn::Softmax(1)(x), softmax(x, 1), 0, "Softmax");
  test::check_close(nn::LogSoftmax(0)(x), log_softmax(x, 0), 0, "LogSoftmax");
}

BOOST_AUTO_TEST_CASE(the_same_bits_at_any_number_of_threads) {
  const Array x = core::randn({400, 301}, kFloat32, {5, 0}), dy = core::randn({400, 301}, kFloat32, {6, 0});
  std::vector<Array> first;
  test::ManyThreads many;
  many.each([&] {
    const std::vector<Array> results = {core::gelu(x),
                                        core::gelu(x, true),
                                        core::silu(x.t()),
                                        core::softplus(x),
                                        core::gelu_backward(dy, x),
                                        core::gelu_backward(dy.t(), x.t(), true),
                                        core::silu_backward(dy, x),
                                        core::softplus_backward(dy, x),
                                        core::tanh_backward(dy, core::tanh(x)),
                                        core::sigmoid_backward(dy, core::sigmoid(x)),
                                        core::pow(core::abs(x), dy),
                                        core::exp2(x)};
    if (first.empty()) first = results;
    for (std::size_t i = 0; i < results.size(); ++i) BOOST_TEST(test::same_bits(results[i], first[i]), "result " << i);
  });
}

BOOST_AUTO_TEST_CASE(softmax_in_another_dtype) {
  const Tensor x = randn({3, 4});
  const Tensor y = F::softmax(x, F::SoftmaxFuncOptions(1).dtype(kFloat64));
  BOOST_TEST((y.dtype() == kFloat64));
  test::check_close(y, softmax(x.to(kFloat64), 1), 0, "softmax of the converted");
}

BOOST_AUTO_TEST_CASE(relu_keeps_nan_and_lets_its_gradient_pass) {
  const std::vector<double> at = {-kInf, -1, -0.0, 0, 1, kInf, kNan};
  const Array x = test::list(at), dy = core::full({7}, 3, kFloat64);
  const std::vector<double> y = test::values(autograd::ReluRule::forward(x));
  const std::vector<double> dx = test::values(autograd::ReluRule::backward(dy, x)[0]);
  BOOST_TEST(y[0] == 0);
  BOOST_TEST(y[4] == 1);
  BOOST_TEST(y[5] == kInf);
  BOOST_TEST(std::isnan(y[6]));
  BOOST_TEST(dx == (std::vector<double>{0, 0, 0, 0, 3, 3, 3}));
}

BOOST_AUTO_TEST_CASE(relu_reference_agrees_bit_for_bit) {
  const std::vector<double> at = {-kInf, -2, -0.0, 0, 0.5, kInf, kNan};
  const Tensor x = Tensor(test::list(at)).requires_grad_(), dy = randn({7}, kFloat64);
  const Tensor y = F::relu(x);
  y.backward(dy);
  const Tensor z = Tensor(x.array()).requires_grad_();
  const Tensor reference = autograd::ReluRule::reference(z);
  reference.backward(dy);
  test::check_close(y, reference, 0, "relu");
  test::check_close(x.grad(), z.grad(), 0, "relu's gradient");
  BOOST_TEST(std::string(y.grad_fn()->name()) == "relu");
}

namespace {

struct Piecewise {
  const char* name;
  std::function<Tensor(const Tensor&)> function, reference;
};
// Bounds at 0, whose sign a comparison does not see, too.
std::vector<Piecewise> pieces() {
  using namespace autograd;
  const auto weight = [](const Tensor& x) { return tensor({0.25}, x.dtype()); };
  return {{"hardtanh", [](const Tensor& x) { return hardtanh(x, -0.5, 1); },
           [](const Tensor& x) {
             return HardtanhRule::reference({-0.5, 1}, x);
           }},
          {"hardtanh from 0", [](const Tensor& x) { return hardtanh(x, 0, 1); },
           [](const Tensor& x) {
             return HardtanhRule::reference({0, 1}, x);
           }},
          {"hardtanh to -0", [](const Tensor& x) { return hardtanh(x, -1, -0.0); },
           [](const Tensor& x) {
             return HardtanhRule::reference({-1, -0.0}, x);
           }},
          {"hardsigmoid", [](const Tensor& x) { return hardsigmoid(x); }, HardsigmoidRule::reference},
          {"hardswish", [](const Tensor& x) { return hardswish(x); }, HardswishRule::reference},
          {"hardshrink", [](const Tensor& x) { return hardshrink(x, 0.5); },
           [](const Tensor& x) { return HardshrinkRule::reference({0.5}, x); }},
          {"hardshrink by 0", [](const Tensor& x) { return hardshrink(x, 0); },
           [](const Tensor& x) { return HardshrinkRule::reference({0}, x); }},
          {"softshrink", [](const Tensor& x) { return softshrink(x, 0.5); },
           [](const Tensor& x) { return SoftshrinkRule::reference({0.5}, x); }},
          {"softshrink by 0", [](const Tensor& x) { return softshrink(x, 0); },
           [](const Tensor& x) { return SoftshrinkRule::reference({0}, x); }},
          {"threshold", [](const Tensor& x) { return threshold(x, 0.5, 2); },
           [](const Tensor& x) {
             return ThresholdRule::reference({0.5, 2}, x);
           }},
          {"threshold at 0", [](const Tensor& x) { return threshold(x, 0, -0.0); },
           [](const Tensor& x) {
             return ThresholdRule::reference({0, -0.0}, x);
           }},
          {"prelu", [=](const Tensor& x) { return prelu(x, weight(x)); },
           [=](const Tensor& x) { return PreluRule::reference(x, weight(x)); }}};
}
const std::vector<double> kEnds = {-kInf, -4, -3, -1, -0.5, -0.3, -0.0, 0, 0.5, 1, 3, 4, kInf, kNan};

}  // namespace

// At the ends of the pieces, too, and of what is no number.
BOOST_AUTO_TEST_CASE(gradients_of_pieces_are_those_of_their_references) {
  const auto count = static_cast<std::int64_t>(kEnds.size());
  for (const Piecewise& piece : pieces()) {
    for (const DType dtype : {kFloat32, kFloat64}) {
      const Tensor x = Tensor(test::list(kEnds)).to(dtype).requires_grad_(), z = Tensor(x.array()).requires_grad_();
      const Tensor dy = randn({count}, dtype);
      piece.function(x).backward(dy);
      piece.reference(z).backward(dy);
      test::check_close(x.grad(), z.grad(), dtype == kFloat32 ? 1e-6 : 1e-15, piece.name);
    }
  }
}

// A Record of references, and UseReferences, compute what the rules do.
BOOST_AUTO_TEST_CASE(references_of_pieces_give_what_forward_does) {
  for (const Piecewise& piece : pieces()) {
    for (const DType dtype : {kFloat32, kFloat64}) {
      const Tensor x = Tensor(test::list(kEnds)).to(dtype);
      const std::vector<double> y = test::values(piece.function(x).array()),
                                z = test::values(piece.reference(x).array());
      for (std::size_t i = 0; i < y.size(); ++i) {
        const bool same =
            std::isnan(y[i]) ? std::isnan(z[i]) : y[i] == z[i] && std::signbit(y[i]) == std::signbit(z[i]);
        BOOST_TEST(same, piece.name << " at " << kEnds[i] << ": " << y[i] << " and " << z[i]);
      }
    }
  }
}

// Where they are flat nothing of dy passes, whatever it is: by hand and recorded.
BOOST_AUTO_TEST_CASE(nothing_passes_where_pieces_are_flat) {
  const Tensor zero = zeros({4}, kFloat64);
  for (const Piecewise& piece : pieces()) {
    const std::string name = piece.name;
    const bool shrinks = name.find("shrink") != std::string::npos;
    if (name == "prelu" || name.ends_with("by 0")) continue;
    const Tensor x =
        tensor(shrinks ? std::vector<double>{-0.5, -0.1, 0, 0.2} : std::vector<double>{-3, -4, -5, -1e300}, kFloat64)
            .requires_grad_();
    const Tensor dy = tensor({kInf, kNan, -kInf, 1.0}, kFloat64), y = piece.function(x);
    test::check_close(autograd::grad({y}, {x}, {dy}, true)[0], zero, 0, name);
    test::check_close(autograd::grad({y}, {x}, {dy}, true, true)[0], zero, 0, name + ", recorded");
  }
}

// The factor is masked, not the product: 0 times an infinite operand would be NaN.
BOOST_AUTO_TEST_CASE(prelu_of_infinite_operands) {
  for (const DType dtype : {kFloat32, kFloat64}) {
    for (const bool recorded : {false, true}) {
      const Tensor x = tensor({kInf, -1., 2.}, dtype).view({1, 3}).requires_grad_(),
                   w = tensor({0.25}, dtype).requires_grad_();
      const auto first = autograd::grad({prelu(x, w).sum()}, {x, w}, {}, true, recorded);
      test::check_close(first[0].view({3}), tensor({1., 0.25, 1.}, dtype), 0, "dx");
      test::check_close(first[1], tensor({-1.}, dtype), 0, "dweight");
      const Tensor u = tensor({1., -1., 2.}, dtype).view({1, 3}).requires_grad_(),
                   infinite = tensor({kInf}, dtype).requires_grad_();
      const auto second = autograd::grad({prelu(u, infinite).sum()}, {u, infinite}, {}, true, recorded);
      test::check_close(second[0].view({3}), tensor({1., kInf, 1.}, dtype), 0, "dx of an infinite weight");
      test::check_close(second[1], tensor({-1.}, dtype), 0, "an infinite weight's");
    }
  }
}

BOOST_AUTO_TEST_CASE(both_orders_against_finite_differences) {
  // Away from the kink at 0.
  const Tensor x = tensor({-1.5, -0.7, -0.2, 0.3, 0.9, 1.8}, TensorOptions(kFloat64).requires_grad(true));
  const auto check = [&](auto function) {
    const auto f = [&](const std::vector<Tensor>& in) { return std::vector<Tensor>{function(in[0].square() - 0.5)}; };
    BOOST_TEST(gradcheck(f, {x}));
    BOOST_TEST(gradgradcheck(f, {x}));
  };
  check([](const Tensor& t) { return F::relu(t) * t; });
  check([](const Tensor& t) { return F::sigmoid(t); });
  check([](const Tensor& t) { return F::tanh(t); });
}

BOOST_AUTO_TEST_CASE(relu_in_place) {
  const Tensor a = randn({4, 3}, TensorOptions(kFloat64).requires_grad(true)), b = Tensor(a.array()).requires_grad_();
  const Tensor dy = randn({4, 3}, kFloat64);
  const Tensor in = a * 2;
  const Tensor y = nn::ReLU(nn::ReLUOptions(true))(in);
  BOOST_TEST(y.is_same(in));
  y.backward(dy);
  F::relu(b * 2).backward(dy);
  test::check_close(a.grad(), b.grad(), 0, "in place");
  check_error<GradError>([&] { F::relu(a, F::ReLUFuncOptions().inplace(true)); }, {"relu_: a leaf", "NoGradGuard"});
  BOOST_TEST((F::relu(a).array().numel() == 12));
  BOOST_TEST(nn::ReLU(true)->to_string() == "ReLU(inplace=true)");
}

BOOST_AUTO_TEST_CASE(others_in_place) {
  using Call = Tensor (*)(const Tensor& x, bool inplace);
  const std::pair<const char*, Call> calls[] = {
      {"celu_", [](const Tensor& x, bool in) { return F::celu(x, F::CELUFuncOptions().alpha(0.7).inplace(in)); }},
      {"selu_", [](const Tensor& x, bool in) { return F::selu(x, in); }},
      {"elu_", [](const Tensor& x, bool in) { return F::elu(x, F::ELUFuncOptions().inplace(in)); }},
      {"leaky_relu_", [](const Tensor& x, bool in) { return F::leaky_relu(x, F::LeakyReLUFuncOptions().inplace(in)); }},
      {"hardtanh_", [](const Tensor& x, bool in) { return F::hardtanh(x, F::HardtanhFuncOptions().inplace(in)); }},
      {"relu6_", [](const Tensor& x, bool in) { return F::relu6(x, in); }},
      {"hardsigmoid_", [](const Tensor& x, bool in) { return F::hardsigmoid(x, in); }},
      {"hardswish_", [](const Tensor& x, bool in) { return F::hardswish(x, in); }},
      {"threshold_",
       [](const Tensor& x, bool in) { return F::threshold(x, F::ThresholdFuncOptions(0.2, 3).inplace(in)); }},
      {"rrelu_",
       [](const Tensor& x, bool in) { return F::rrelu(x, F::RReLUFuncOptions().training(true).inplace(in)); }},
      {"alpha_dropout_",
       [](const Tensor& x, bool in) {
         return F::alpha_dropout(x, F::AlphaDropoutFuncOptions().training(true).inplace(in));
       }},
      {"feature_alpha_dropout_",
       [](const Tensor& x, bool in) {
         return F::feature_alpha_dropout(x, F::FeatureAlphaDropoutFuncOptions().training(true).inplace(in));
       }},
  };
  const Tensor a = randn({4, 3}, TensorOptions(kFloat64).requires_grad(true)), dy = randn({4, 3}, kFloat64);
  for (const auto& [name, call] : calls) {
    manual_seed(1);
    const Tensor in = a * 2, y = call(in, true);
    BOOST_TEST(y.is_same(in), name);
    manual_seed(1);
    const Tensor beside = call(a * 2, false);
    BOOST_TEST(test::same_bits(y, beside), name);
    test::check_close(autograd::grad({y}, {a}, {dy})[0], autograd::grad({beside}, {a}, {dy})[0], 0, name);
    check_error<GradError>([&, f = call] { f(a, true); }, {std::string(name) + ": a leaf"});
  }
}

BOOST_AUTO_TEST_CASE(wrong_use_is_said) {
  check_error<ShapeError>([] { autograd::ReluRule::backward(core::ones({3}), core::ones({2})); },
                          {"relu", "[3]", "[2]"});
  check_error<ValueError>([] { gelu(randn({2}), "fast"); }, {"gelu", "none", "fast"});
  check_error<ValueError>([] { softplus(randn({2}), 0); }, {"softplus", "beta", "0"});
  check_error<DTypeError>([] { silu(ones({2}, kInt64)); }, {"silu", "int64", "to(kFloat)"});
  check_error<ShapeError>([] { core::gelu_backward(core::ones({3}), core::ones({2})); },
                          {"gelu_backward", "[3]", "[2]"});
  check_error<DTypeError>([] { core::tanh_backward(core::ones({2}), core::ones({2}, kFloat64)); },
                          {"tanh_backward", "float32", "float64"});
  check_error<GradError>([] { F::elu(ones({2}).requires_grad_(), F::ELUFuncOptions().inplace(true)); }, {"leaf"});
  check_error<ValueError>([] { F::hardtanh(ones({2}), F::HardtanhFuncOptions().min_val(2)); }, {"hardtanh", "2 and 1"});
  check_error<ValueError>([] { F::softshrink(ones({2}), -0.5); }, {"softshrink: lambda", "-0.5"});
  check_error<ValueError>([] { F::rrelu(ones({2}), F::RReLUFuncOptions().lower(0.5)); }, {"rrelu: lower", "0.5"});
  check_error<ValueError>([] { nn::PReLU(nn::PReLUOptions().num_parameters(0)); }, {"PReLU: num_parameters", "0"});
}

// NaN passes, value and gradient; what is no number with a fraction is refused.
BOOST_AUTO_TEST_CASE(elu_at_nan_and_of_integers) {
  const Tensor x = tensor({std::nan(""), -1.0, 0.0, 2.0}).requires_grad_();
  const Tensor y = elu(x);
  y.sum().backward();
  BOOST_TEST(std::isnan(y[0].item<double>()));
  BOOST_TEST(x.grad()[0].item<double>() == 1);
  BOOST_TEST(x.grad()[2].item<double>() == 1);
  check_error<DTypeError>([] { elu(ones({2}, kInt64)); }, {"elu", "int64", "to(kFloat)"});
  check_error<DTypeError>([] { leaky_relu(ones({2}, kInt64)); }, {"leaky_relu", "int64"});
}

BOOST_AUTO_TEST_SUITE_END()
