// softmax and log_softmax against PyTorch, three ways, and at infinities.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>

#include <gradus/autograd/check/check.h>
#include <gradus/autograd/tensor/create.h>
#include <gradus/autograd/graph/engine.h>
#include <gradus/autograd/ops/softmax.h>

#include "../support/pytorch.h"
#include "../support/threads.h"
#include "../support/three_ways.h"

using namespace gradus;
using autograd::LogSoftmaxRule;
using autograd::SoftmaxRule;
using core::Array;
using test::check_close;
using test::check_error;
using test::passes;
using test::PyTorchFile;
using test::same_bits;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

Tensor draw(IntArrayRef shape) { return randn(shape, kFloat64) * 2; }

}  // namespace

BOOST_AUTO_TEST_SUITE(softmax)

BOOST_AUTO_TEST_CASE(agrees_with_pytorch) {
  const PyTorchFile file("rows");
  std::size_t count = 0;
  for (const bool log : {false, true}) {
    for (const std::string& c : file.cases(log ? "log_softmax_" : "softmax_")) {
      ++count;
      const std::int64_t dim = c[c.find("dim") + 3] - '0';
      const Tensor x = file[c + "/x"].requires_grad_();
      const Tensor y = log ? gradus::log_softmax(x, dim) : gradus::softmax(x, dim);
      y.backward(file[c + "/dy"]);
      file.check(y, c + "/y");
      file.check(x.grad(), c + "/dx");
    }
  }
  BOOST_TEST(count == 20u);
}

BOOST_AUTO_TEST_CASE(three_ways) {
  manual_seed(1);
  for (const std::vector<std::int64_t>& shape : std::vector<std::vector<std::int64_t>>{{5}, {3, 37}, {2, 3, 4}}) {
    for (std::int64_t dim = 0; dim < static_cast<std::int64_t>(shape.size()); ++dim) {
      passes(autograd::check<SoftmaxRule>({dim}, draw(shape)), {"x"});
      passes(autograd::check<LogSoftmaxRule>({dim}, draw(shape)), {"x"});
    }
  }
  // Transposed, sliced and expanded operands.
  for (const Tensor& x : {draw({4, 3}).t(), draw({3, 8}).slice(1, 0, 8, 2), draw({3, 1}).expand({3, 4})}) {
    passes(autograd::check<SoftmaxRule>({0}, x), {"x"});
    passes(autograd::check<LogSoftmaxRule>({0}, x), {"x"});
  }
}

BOOST_AUTO_TEST_CASE(infinities_and_large_numbers) {
  const Tensor x = tensor({1000., 1001., -kInf, 1000.}).requires_grad_();
  const Tensor y = gradus::softmax(x, 0), z = gradus::log_softmax(x, 0);
  const double e = std::exp(1.0), total = 2 + e;
  check_close(y, tensor({1 / total, e / total, 0., 1 / total}), 2e-7, "softmax");
  BOOST_TEST(z[2].item<double>() == -kInf);
  y.backward(tensor({1., 0., 0., 0.}));
  BOOST_TEST(x.grad()[2].item<double>() == 0);
  for (double v : test::values(x.grad().array())) BOOST_TEST(std::isfinite(v));
  const Tensor row = full({2, 3}, -kInf);  // 0 / 0, as PyTorch says
  for (double v : test::values(gradus::softmax(row, 1).array())) BOOST_TEST(std::isnan(v));
}

BOOST_AUTO_TEST_CASE(layouts_and_threads_change_no_bit) {
  manual_seed(2);
  const Tensor x = randn({300, 500}), dy = randn({300, 500});
  const auto run = [](const Array& in, const Array& above) {
    const Array y = SoftmaxRule::forward({1}, in), z = LogSoftmaxRule::forward({1}, in);
    return std::vector<Array>{y, z, SoftmaxRule::backward({1}, above, y)[0],
                              LogSoftmaxRule::backward({1}, above, z)[0]};
  };
  const std::vector<Array> first = run(x.array(), dy.array());
  const auto check = [&](const std::vector<Array>& now) {
    for (std::size_t i = 0; i < now.size(); ++i) BOOST_REQUIRE_MESSAGE(same_bits(now[i], first[i]), "result " << i);
  };
  test::ManyThreads().each([&] { check(run(x.array(), dy.array())); });
  check(run(x.t().contiguous().t().array(), dy.t().contiguous().t().array()));
}

BOOST_AUTO_TEST_CASE(of_a_number_and_of_nothing) {
  const Tensor x = tensor(3.0).requires_grad_();
  const Tensor y = gradus::softmax(x, 0);
  BOOST_TEST(y.item<double>() == 1);
  y.backward();
  BOOST_TEST(x.grad().item<double>() == 0);
  for (const std::vector<std::int64_t>& shape : std::vector<std::vector<std::int64_t>>{{0, 3}, {3, 0}}) {
    const Tensor none = zeros(shape).requires_grad_();
    (gradus::softmax(none, 1).sum() + gradus::log_softmax(none, 1).sum()).backward();
    BOOST_TEST(none.grad().sizes().vec() == shape);
    BOOST_TEST(SoftmaxRule::reference({1}, none).sizes().vec() == shape);
  }
  check_error<DTypeError>([] { gradus::softmax(ones({3}, kInt64), 0); },
                          {"softmax: the operand must be floating: int64"});
  check_error<IndexError>([] { gradus::softmax(ones({3}), 1); }, {"softmax", "1"});
}

BOOST_AUTO_TEST_SUITE_END()
