// Every activation and loss, with its first two derivatives, against values of higher precision from -100 to 100, at
// infinities and at NaN (tests/reference/make_functions.py).
// Label: serial
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <gradus/autograd/tensor/create.h>
#include <gradus/autograd/graph/engine.h>
#include <gradus/autograd/ops/functions.h>
#include <gradus/autograd/tensor/operators.h>
#include <gradus/core/simd/instruction_set.h>
#include <gradus/layers/functional.h>

#include "../support/pytorch.h"

using namespace gradus;
using test::PyTorchFile;
namespace F = nn::functional;

namespace {

using Function = std::function<Tensor(const Tensor&)>;

// (x, 0, -1) for each x.
Tensor rows_of(const Tensor& x) { return stack({x, zeros_like(x), full_like(x, -1)}, 1); }

Function bce(double target, double pos_weight = 0) {
  return [=](const Tensor& x) {
    const Tensor v = pos_weight == 0 ? Tensor() : full({}, pos_weight, x.dtype());
    return binary_cross_entropy_with_logits(x, full_like(x, target), {}, v, kNone);
  };
}
Function cross_entropy(std::int64_t target, double smoothing = 0) {
  return [=](const Tensor& x) {
    return cross_entropy_loss(rows_of(x), full({x.numel()}, target, kInt64), {}, kNone, -100, smoothing);
  };
}

const std::map<std::string, Function>& functions() {
  static const std::map<std::string, Function> all = {
      {"relu", [](const Tensor& x) { return F::relu(x); }},
      {"sigmoid", [](const Tensor& x) { return sigmoid(x); }},
      {"tanh", [](const Tensor& x) { return tanh(x); }},
      {"gelu", [](const Tensor& x) { return gelu(x); }},
      {"gelu_tanh", [](const Tensor& x) { return gelu(x, "tanh"); }},
      {"silu", [](const Tensor& x) { return silu(x); }},
      {"softplus", [](const Tensor& x) { return softplus(x); }},
      {"softplus_2_5", [](const Tensor& x) { return softplus(x, 2, 5); }},
      {"softplus_open", [](const Tensor& x) { return softplus(x, 1, 200); }},
      {"leaky_relu_half", [](const Tensor& x) { return leaky_relu(x, 0.5); }},
      {"elu", [](const Tensor& x) { return elu(x); }},
      {"elu_1.5", [](const Tensor& x) { return elu(x, 1.5); }},
      {"softmax", [](const Tensor& x) { return softmax(rows_of(x), 1).select(1, 0); }},
      {"log_softmax", [](const Tensor& x) { return log_softmax(rows_of(x), 1).select(1, 0); }},
      {"mse_3", [](const Tensor& x) { return mse_loss(x, full_like(x, 3), kNone); }},
      {"bce_0", bce(0)},
      {"bce_1", bce(1)},
      {"bce_0.25", bce(0.25)},
      {"bce_1_3", bce(1, 3)},
      {"cross_entropy_0", cross_entropy(0)},
      {"cross_entropy_1", cross_entropy(1)},
      {"cross_entropy_0_smooth", cross_entropy(0, 0.5)},
      {"cross_entropy_soft",
       [](const Tensor& x) {
         const Tensor q = tensor({0.75, 0.25, 0.0}, x.dtype()).expand({x.numel(), 3});
         return cross_entropy_loss(rows_of(x), q, {}, kNone);
       }},
  };
  return all;
}

// Where the relative error may exceed the bound, and why: between these points the error is at most so many times the
// distance of 1 from the next number, as an absolute error.
struct Exception {
  std::string name;
  int order;
  double from, to, epsilons;
  std::string reason;
};
const std::vector<Exception>& exceptions() {
  const std::string of_result =
      "a gradient of the result, so that the operand may be written over: 1 - y has the digits that y has beside 1";
  static const std::vector<Exception> all = {
      {"sigmoid", 1, 5, 100, 1, of_result},
      {"sigmoid", 2, 5, 100, 1, of_result},
      {"sigmoid", 2, -0.002, 0.002, 1, "1 - 2 y near its zero"},
      {"tanh", 1, -100, -3, 1, of_result},
      {"tanh", 1, 3, 100, 1, of_result},
      {"tanh", 2, -100, -3, 2, of_result},
      {"tanh", 2, 3, 100, 2, of_result},
      {"cross_entropy_0_smooth", 1, 0.9, 1.1, 1, "near the zero of the gradient, between terms of 0.2"},
  };
  return all;
}

// What is wrong with `got`, if anything: NaN and infinities are what they should be, zeros may have either sign. Subnormal
// numbers have fewer digits: errors are relative to the smallest normal number at least.
template <class T>
std::string fault(const std::string& name, int order, double x, double got, double expected) {
  if (!std::isfinite(expected) || !std::isfinite(got)) {
    const bool same = got == expected || (std::isnan(got) && std::isnan(expected));
    return same ? "" : fmt::format("{} for {}", got, expected);
  }
  const double error = std::abs(got - expected);
  const double scale = std::max(std::abs(expected), static_cast<double>(std::numeric_limits<T>::min()));
  const double bound = sizeof(T) == 4 ? 1e-5 : 1e-13;
  if (error <= bound * scale) return "";
  for (const Exception& e : exceptions()) {
    if (e.name == name && e.order == order && x >= e.from && x <= e.to &&
        error <= e.epsilons * static_cast<double>(std::numeric_limits<T>::epsilon())) {
      return "";
    }
  }
  return fmt::format("{} for {}: an error of {:.2g}, relative {:.2g}", got, expected, error, error / scale);
}

template <class T>
void check_function(const PyTorchFile& file, const std::string& name, const Function& function) {
  constexpr DType dtype = sizeof(T) == 4 ? kFloat32 : kFloat64;
  const Tensor x = file["points"].to(dtype).requires_grad_(), dy = ones_like(x);
  // By the hand-written gradient, and by the one that is recorded.
  const Tensor y = function(x), first = autograd::grad({y}, {x}, {dy}, true)[0];
  const Tensor recorded = autograd::grad({y}, {x}, {dy}, true, true)[0];
  Tensor second = zeros_like(x);
  if (recorded.requires_grad()) second = autograd::grad({recorded}, {x}, {dy}, true, false, true)[0];
  if (!second.defined()) second = zeros_like(x);
  const std::vector<double> points = test::values(x.array());
  const auto check = [&](const Tensor& values, int order, const char* how) {
    const std::vector<double> expected = test::values(file[fmt::format("{}/{}", name, order)].to(dtype).array()),
                              got = test::values(values.array());
    BOOST_REQUIRE(got.size() == expected.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      const std::string wrong = fault<T>(name, order, points[i], got[i], expected[i]);
      BOOST_CHECK_MESSAGE(wrong.empty(), name << (sizeof(T) == 4 ? " of float32" : " of float64") << ", order " << order
                                              << how << ", at " << points[i] << ": " << wrong);
    }
  };
  check(y, 0, "");
  check(first, 1, "");
  check(recorded, 1, " recorded");
  check(second, 2, "");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(function_values)

BOOST_AUTO_TEST_CASE(activations_and_losses_agree_with_higher_precision) {
  const PyTorchFile file("functions");
  std::vector<std::string> names;
  for (const auto& [name, function] : functions()) names.push_back(name);
  for (const std::string_view instructions : instruction_sets()) {
    BOOST_TEST_CONTEXT(instructions) {
      use_instruction_set(instructions);
      for (const auto& [name, function] : functions()) {
        check_function<float>(file, name, function);
        check_function<double>(file, name, function);
      }
    }
  }
  use_instruction_set("");
  std::vector<std::string> in_file = file.cases("");
  in_file.erase(std::remove(in_file.begin(), in_file.end(), "points"), in_file.end());
  BOOST_TEST(names == in_file, boost::test_tools::per_element());
}

// A small operand is one vector of a kernel, a wide one many: the same bits, and those of any place in the row.
BOOST_AUTO_TEST_CASE(confident_rows_of_any_length) {
  for (const std::int64_t n : {2, 3, 7, 8, 9, 17, 100, 1000}) {
    for (const std::int64_t at : {std::int64_t{0}, n / 2, n - 1}) {
      for (const DType dtype : {kFloat32, kFloat64}) {
        // One logit of 20 among zeros: 1 - p = (n - 1) / (n - 1 + exp(20)).
        const Tensor x = zeros({1, n}, dtype);
        x.select(1, at).fill_(20);
        x.requires_grad_();
        const double rest = static_cast<double>(n - 1) / (static_cast<double>(n - 1) + std::exp(20.0));
        const double bound = dtype == kFloat32 ? 2e-6 : 1e-13;
        const auto close = [&](double got, double expected, const char* what) {
          BOOST_CHECK_MESSAGE(std::abs(got - expected) <= bound * std::abs(expected),
                              what << " of " << n << " at " << at << ": " << got << " for " << expected);
        };
        const Tensor target = full({1}, at, kInt64);
        const Tensor one_hot = zeros({1, n}, dtype);
        one_hot.select(1, at).fill_(1);
        const auto slope_at = [&](const Tensor& y, bool recorded) {
          return autograd::grad({y}, {x}, {}, true, recorded)[0].select(1, at).item<double>();
        };
        for (const bool recorded : {false, true}) {
          close(slope_at(softmax(x, 1).select(1, at).sum(), recorded), rest * (1 - rest), "softmax");
          close(slope_at(log_softmax(x, 1).select(1, at).sum(), recorded), rest, "log_softmax");
          close(slope_at(cross_entropy_loss(x, target), recorded), -rest, "cross_entropy");
          close(slope_at(cross_entropy_loss(x, one_hot), recorded), -rest, "cross_entropy with probabilities");
          close(slope_at(nll_loss(log_softmax(x, 1), target), recorded), -rest, "nll_loss");
        }
        close(cross_entropy_loss(x, target).item<double>(), -std::log1p(-rest), "the loss");
        close(logsumexp(x - 20, 1).sum().item<double>(), -std::log1p(-rest), "logsumexp");
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
