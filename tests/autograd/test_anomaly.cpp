// Anomaly mode and its cheap form: where a gradient stops being a number.
#include <fmt/format.h>

#include <boost/test/unit_test.hpp>

#include <thread>

#include <gradus/autograd/graph/anomaly.h>
#include <gradus/autograd/graph/engine.h>
#include <gradus/autograd/graph/operation.h>
#include <gradus/autograd/tensor/create.h>
#include <gradus/core/ops/pointwise.h>
#include <gradus/gradus.h>

#include "../support/gradients.h"

namespace gradus::test {
namespace {

using namespace autograd;

std::string here(int line) { return fmt::format("{}:{}", __FILE__, line); }

struct Net : nn::Module {
  nn::Linear fc{nullptr};
  Net() { fc = register_module("fc", nn::Linear(2, 2)); }
  Tensor forward(const Tensor& x) { return fc(x); }
};
// A layer whose forward fails.
struct FailingImpl : nn::Module {
  Tensor forward(const Tensor& x) {
    if (x.dim() == 1) throw std::runtime_error("told to");
    return x.view({7});
  }
};
GRADUS_MODULE(Failing);

}  // namespace

BOOST_AUTO_TEST_SUITE(anomaly)

BOOST_AUTO_TEST_CASE(a_nan_names_operation_element_and_line) {
  const Tensor x = leaf(Doubles{4, 0, 1});
  const int line = __LINE__ + 1;
  const Tensor y = x.sqrt();
  const Tensor z = (y * tensor({1.0, 0.0, 1.0}, kFloat64)).sum();  // 0 * infinity at [1]
  z.backward({}, true);
  BOOST_CHECK(std::isnan(values(x.grad())[1]));
  x.zero_grad();
  const DetectAnomalyGuard guard;
  check_error<GradError>(
      [&] { z.backward({}, true); },
      {"sqrt: the gradient of its input 0 ([3], float64) must be finite: ", "nan at [1]", "the incoming gradient 0",
       "its output 0 0", "in the backward pass of sqrt, recorded at " + here(line)});
  BOOST_CHECK(!x.grad().defined());  // as it was
}

BOOST_AUTO_TEST_CASE(infinities) {
  const Tensor x = leaf(Doubles{1, 0, 2});
  const Tensor y = x.log(), z = y.sum();
  {
    const DetectAnomalyGuard guard;
    check_error<GradError>([&] { z.backward({}, true); },
                           {"log: the gradient of its input 0", "inf at [1]", "its input 0 0"});
  }
  {
    const DetectAnomalyGuard guard(true, false);  // as PyTorch's
    z.backward({}, true);
    // The NaN that an infinity leads to names the infinity.
    const Tensor w = leaf(Doubles{0, 1}), u = (w * 0.0).log().sum();
    check_error<GradError>([&] { u.backward({}, true); },
                           {"mul: ", "nan at [0]", "the gradient that came for its output 0 is inf at [0] already",
                            "the first infinity of this pass was in the gradient of input 0 of log"});
  }
  {
    const DetectAnomalyGuard guard(false);
    z.backward({}, true);
  }
  // What is infinite from the start is nobody's fault.
  const DetectAnomalyGuard guard;
  x.sum().backward();
  (x * 2).sum().backward(tensor({std::numeric_limits<double>::infinity()}, kFloat64).view({}), true);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  check_error<GradError>([&] { (x * 2).sum().backward(full({}, nan, kFloat64)); },
                         {"sum: ", "is nan at [] already: given to backward so, by a hook"});
}

BOOST_AUTO_TEST_CASE(large_strided_and_stored) {
  const DetectAnomalyGuard guard;
  for (const DType dtype : {kFloat32, kFloat64, kFloat16, kBFloat16}) {
    Tensor x = ones({200, 300}, dtype);
    x[150][7].fill_(0);
    x = x.t().requires_grad_();
    check_error<GradError>([&] { x.reciprocal().sum().backward(); }, {"reciprocal: ", "inf at [7, 150]"});
  }
  // Finite numbers whose sum is not.
  const Tensor big = full({200, 300}, 1e38, kFloat32).requires_grad_();
  (big * 1).sum().backward(full({}, 1e38, kFloat32));
  BOOST_CHECK_EQUAL(big.grad()[0][0].item<float>(), 1e38f);
}

BOOST_AUTO_TEST_CASE(the_mode_is_the_process_s) {
  BOOST_CHECK(!AnomalyMode::is_enabled() && AnomalyMode::should_check_nan());
  {
    const DetectAnomalyGuard guard(false);
    BOOST_CHECK(AnomalyMode::is_enabled() && !AnomalyMode::should_check_nan());
    const DetectAnomalyGuard inner;
    BOOST_CHECK(AnomalyMode::should_check_nan());
    bool thrown = false;
    std::thread([&] {
      try {
        leaf(Doubles{0}).log().sum().backward();
      } catch (const GradError&) {
        thrown = true;
      }
    }).join();
    BOOST_CHECK(thrown);
  }
  BOOST_CHECK(!AnomalyMode::is_enabled() && AnomalyMode::should_check_nan());
  leaf(Doubles{0}).log().sum().backward();
}

BOOST_AUTO_TEST_CASE(second_order_too) {
  const DetectAnomalyGuard guard;
  const Tensor x = leaf(Doubles{0, 1});
  const Tensor y = x.pow(1.5).sum();
  const Tensor dx = autograd::grad({y}, {x}, {}, true, true)[0];  // 1.5 x^0.5
  check_error<GradError>([&] { dx.sum().backward(); }, {"must be finite", "at [0]"});
}

BOOST_AUTO_TEST_CASE(a_watch_that_stays_on) {
  WatchFinite watch;
  const Tensor x = leaf(Doubles{1, 0, 2});
  const int line = __LINE__ + 1;
  const Tensor y = x.log();
  const Tensor z = (y * 1).sum();
  check_error<GradError>([&] { z.backward({}, true); },
                         {"log: the gradient of its input 0", "inf at [1]", "recorded at " + here(line)});
  BOOST_CHECK(!x.grad().defined() && watch.found().empty());
  (x * 3).sum().backward();  // the next step is as any other
  BOOST_CHECK((values(x.grad()) == Doubles{3, 3, 3}));

  WatchFinite quiet(false);
  x.zero_grad();
  BOOST_CHECK_THROW(z.backward({}, true), GradError);  // the outer one's
  BOOST_CHECK(quiet.found().find("log: ") == 0);
  quiet.clear();
  (x * 3).sum().backward();
  BOOST_CHECK(quiet.found().empty());
}

BOOST_AUTO_TEST_CASE(a_watch_over_forward) {
  const WatchFinite watch(true, true);
  const Tensor x = leaf(Doubles{1, 0, 2});
  const int line = __LINE__ + 1;
  const auto call = [&] { x.log().exp(); };
  check_error<GradError>(call, {"log: its output 0 ([3], float64) must be finite, as its inputs are: -inf at [1]",
                                "recorded at " + here(line)});
  x.exp().sum();
}

BOOST_AUTO_TEST_CASE(errors_out_of_modules_name_them) {
  Net net;
  const int line = __LINE__ + 1;
  const auto call = [&] { net.fc(ones({2, 3})); };
  check_error<ShapeError>(call, {"linear: ", "in the forward of fc (Linear), called at " + here(line)});
  check_error<ShapeError>([&] { net.fc->forward(ones({2, 3})); }, {"in the forward of fc (Linear), called at "});
  nn::Sequential outer;
  outer->push_back(nn::Sequential(nn::Tanh(), Failing()));
  try {
    outer->forward(ones({2, 3}));
    BOOST_ERROR("no error was thrown");
  } catch (const ShapeError& error) {
    const std::string text = error.what();  // the innermost alone
    BOOST_CHECK_MESSAGE(text.find("in the forward of 0.1 (Failing)") != std::string::npos, text);
    BOOST_CHECK_EQUAL(text.find("in the forward of"), text.rfind("in the forward of"));
  }
  try {
    outer->forward(ones({3}));
    BOOST_ERROR("no error was thrown");
  } catch (const std::runtime_error& error) {
    BOOST_CHECK(std::string(error.what()).find("told to\n  in the forward of 0.1 (Failing)") == 0);
  }
  check_error<ShapeError>([&] { nn::Linear(2, 2)(ones({2, 3})); }, {"in the forward of Linear, called at"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
