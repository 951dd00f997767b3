// Float16, bfloat16, int8 and int16 against PyTorch: tests/reference/make_half.py.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <gradus/gradus.h>

#include "../support/gradients.h"
#include "../support/pytorch.h"
#include "../table/row.h"

namespace gradus::test {
namespace {

namespace F = nn::functional;

const PyTorchFile& file() {
  static const PyTorchFile all("half");
  return all;
}

// clang-format off: one call a line
const std::map<std::string, Call>& calls() {
  static const std::map<std::string, Call> table = {
      {"exp", [](const Operands& x) { return exp(x[0]); }},
      {"tanh", [](const Operands& x) { return tanh(x[0]); }},
      {"sigmoid", [](const Operands& x) { return sigmoid(x[0]); }},
      {"sin", [](const Operands& x) { return sin(x[0]); }},
      {"erf", [](const Operands& x) { return erf(x[0]); }},
      {"square", [](const Operands& x) { return square(x[0]); }},
      {"neg", [](const Operands& x) { return -x[0]; }},
      {"abs", [](const Operands& x) { return abs(x[0]); }},
      {"log", [](const Operands& x) { return log(x[0]); }},
      {"sqrt", [](const Operands& x) { return sqrt(x[0]); }},
      {"rsqrt", [](const Operands& x) { return rsqrt(x[0]); }},
      {"log1p", [](const Operands& x) { return log1p(x[0]); }},
      {"reciprocal", [](const Operands& x) { return reciprocal(x[0]); }},
      {"lgamma", [](const Operands& x) { return lgamma(x[0]); }},
      {"add", [](const Operands& x) { return x[0] + x[1]; }},
      {"sub", [](const Operands& x) { return x[0] - x[1]; }},
      {"mul", [](const Operands& x) { return x[0] * x[1]; }},
      {"div", [](const Operands& x) { return x[0] / x[1]; }},
      {"maximum", [](const Operands& x) { return maximum(x[0], x[1]); }},
      {"atan2", [](const Operands& x) { return atan2(x[0], x[1]); }},
      {"hypot", [](const Operands& x) { return hypot(x[0], x[1]); }},
      {"pow", [](const Operands& x) { return pow(x[0], 3); }},
      {"number", [](const Operands& x) { return is_floating_point(x[0].dtype()) ? 1.5 - x[0] * 0.3 : 7 - x[0] * 5; }},
      {"gelu", [](const Operands& x) { return gelu(x[0]); }},
      {"silu", [](const Operands& x) { return silu(x[0]); }},
      {"softplus", [](const Operands& x) { return softplus(x[0]); }},
      {"logsigmoid", [](const Operands& x) { return log_sigmoid(x[0]); }},
      {"softmax", [](const Operands& x) { return softmax(x[0], 1); }},
      {"log_softmax", [](const Operands& x) { return log_softmax(x[0], 1); }},
      {"sum", [](const Operands& x) { return x[0].is_floating_point() ? x[0].sum(1) : x[0].sum(); }},
      {"mean", [](const Operands& x) { return x[0].mean(0); }},
      {"var", [](const Operands& x) { return x[0].var(1); }},
      {"std", [](const Operands& x) { return x[0].std(1); }},
      {"norm", [](const Operands& x) { return x[0].norm(2, 1); }},
      {"logsumexp", [](const Operands& x) { return logsumexp(x[0], 1); }},
      {"prod", [](const Operands& x) { return x[0].prod(1); }},
      {"cumsum", [](const Operands& x) { return x[0].cumsum(1); }},
      {"amax", [](const Operands& x) { return x[0].is_floating_point() ? x[0].amax(1) : x[0].amax(); }},
      {"matmul", [](const Operands& x) { return matmul(x[0], x[1]); }},
      {"bmm", [](const Operands& x) { return bmm(x[0], x[1]); }},
      {"addmm", [](const Operands& x) { return addmm(x[0], x[1], x[2]); }},
      {"linear", [](const Operands& x) { return F::linear(x[0], x[1], x[2]); }},
      {"conv1d", [](const Operands& x) { return F::conv1d(x[0], x[1], F::Conv1dFuncOptions().padding(1)); }},
      {"layer_norm",
       [](const Operands& x) { return F::layer_norm(x[0], F::LayerNormFuncOptions({8}).weight(x[1]).bias(x[2])); }},
      {"mse_loss", [](const Operands& x) { return F::mse_loss(x[0], x[1]); }},
      {"smooth_l1_loss", [](const Operands& x) { return F::smooth_l1_loss(x[0], x[1]); }},
      {"cross_entropy",
       [](const Operands& x) {
         return F::cross_entropy(x[0], tensor({1, 0, 3}));
       }},
      {"max_pool1d", [](const Operands& x) { return F::max_pool1d(x[0], F::MaxPool1dFuncOptions(2)); }},
      {"avg_pool1d", [](const Operands& x) { return F::avg_pool1d(x[0], F::AvgPool1dFuncOptions(2)); }},
      {"index_select", [](const Operands& x) { return x[0].index_select(0, tensor({2, 0, 2})); }},
      {"embedding", [](const Operands& x) { return F::embedding(tensor({2, 0, 2}), x[0]); }},
      {"where", [](const Operands& x) { return where(x[0] > 0, x[0], x[1]); }},
      {"sort", [](const Operands& x) { return std::get<0>(x[0].sort(1)); }},
      {"to", [](const Operands& x) { return x[0].to(kFloat); }},
      {"greater", [](const Operands& x) { return x[0] > x[1]; }},
      {"argmax", [](const Operands& x) { return x[0].argmax(1); }},
      {"round", [](const Operands& x) { return round(x[0]); }},
      {"floor_divide", [](const Operands& x) { return floor_divide(x[0], x[1]); }},
      {"bitwise_and", [](const Operands& x) { return x[0] & x[1]; }},
      {"bitwise_xor", [](const Operands& x) { return x[0] ^ x[1]; }},
      {"remainder", [](const Operands& x) { return remainder(x[0], x[1]); }},
      {"eq", [](const Operands& x) { return x[0] == x[1]; }},
      {"gt", [](const Operands& x) { return x[0] > x[1]; }},
      {"sign", [](const Operands& x) { return sign(x[0]); }},
      {"bitwise_not", [](const Operands& x) { return ~x[0]; }},
      {"argmin", [](const Operands& x) { return x[0].argmin(); }},
      {"logical_not", [](const Operands& x) { return !x[0]; }},
      {"cube", [](const Operands& x) { return pow(x[0], 3); }},
      {"shift", [](const Operands& x) { return bitwise_left_shift(x[0], 3); }},
      {"shift back", [](const Operands& x) { return bitwise_right_shift(x[0], 2); }},
      {"clamp", [](const Operands& x) { return clamp(x[0], -20, 30); }},
      {"roll", [](const Operands& x) { return x[0].roll(1); }},
      {"mixed", [](const Operands& x) { return x[0] + arange(12, kByte).view({3, 4}); }},
      {"to half", [](const Operands& x) { return x[0] + ones({4}, kHalf); }}};
  return table;
}
// clang-format on

// Within so many units of the last place of the dtype, of the larger one of a number and a share of the largest.
void check_near(const Tensor& y, const Tensor& expected, DType dtype, double units, const std::string& what) {
  BOOST_TEST((y.defined() && y.dtype() == dtype), what << " has another dtype");
  if (!y.defined() || y.dtype() != dtype || !is_floating_point(dtype)) {
    if (y.defined()) check_close(y, expected, 0, what);
    return;
  }
  const double last = dtype == kHalf ? 0x1p-11 : dtype == kBFloat16 ? 0x1p-8 : 0x1p-24;
  const std::vector<double> a = values(y), b = values(expected);
  BOOST_REQUIRE(y.sizes() == expected.sizes());
  double largest = 0;
  for (const double v : b) largest = std::max(largest, std::fabs(v));
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i]) continue;  // infinite ones, too
    const double size = std::max(std::fabs(b[i]), largest / 8);
    BOOST_CHECK_MESSAGE(std::fabs(a[i] - b[i]) <= units * 2 * last * size,
                        what << " [" << i << "]: " << a[i] << " for " << b[i]);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(reference_half)

BOOST_AUTO_TEST_CASE(values_and_gradients) {
  int cases = 0;
  for (const std::string& at : file().cases("")) {
    if (at == "promotion") continue;
    const std::size_t mark = at.rfind('_');
    const std::string name = at.substr(0, mark), suffix = at.substr(mark + 1);
    const DType dtype = suffix == "f16" ? kHalf : suffix == "bf16" ? kBFloat16 : suffix == "i8" ? kChar : kShort;
    const Tensor dy = file().get(at + "/dy");
    Operands x;
    for (const char* letter : {"/a", "/b", "/c"}) {
      if (!file().has(at + letter)) continue;
      x.push_back(file()[at + letter].to(dtype));  // bfloat16 is in the file as the same numbers in float32
      if (dy.defined()) x.back().requires_grad_();
    }
    const auto call = calls().find(name);
    if (call == calls().end()) {
      BOOST_ERROR("no call for the case " << at);
      continue;
    }
    ++cases;
    try {
      const Tensor y = call->second(x), expected = file()[at + "/y"];
      const bool narrow = dtype == kBFloat16 && expected.dtype() == kFloat && name != "to";
      check_near(y, expected, narrow ? kBFloat16 : expected.dtype(), 1, at + "/y");
      if (!dy.defined()) continue;
      y.backward(dy.to(y.dtype()));
      const char* const letters[] = {"/da", "/db", "/dc"};
      // PyTorch rounds on its way, where its gradients are made of several operations.
      for (std::size_t i = 0; i < x.size(); ++i)
        check_near(x[i].grad(), file()[at + letters[i]], dtype, 5, at + letters[i]);
    } catch (const std::exception& error) {
      BOOST_ERROR(at << ": " << error.what());
    }
  }
  BOOST_TEST(cases == 182);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
