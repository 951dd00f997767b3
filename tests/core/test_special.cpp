// Functions that the C library lacks, against mpmath at 40 digits, and at their edges.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>

#include <gradus/core/array/create.h>
#include <gradus/core/base/errors.h>
#include <gradus/core/ops/special.h>

namespace gradus::test {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity(), kNan = std::numeric_limits<double>::quiet_NaN();

// Within some units of the last place; a value that is the difference of two larger ones by `slack` of those.
void check(double got, double wanted, double slack = 0) {
  BOOST_TEST(std::abs(got - wanted) <= 1e-15 * std::abs(wanted) + slack, got << ", not " << wanted);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(special)

BOOST_AUTO_TEST_CASE(log_gamma) {
  using core::lgamma_of;
  check(lgamma_of(0.1), 2.252712651734205902);
  check(lgamma_of(2.5), 0.28468287047291915963);
  check(lgamma_of(-0.5), 1.2655121234846453965);
  check(lgamma_of(-3.3), -0.82435580501742646015, 1e-15);
  check(lgamma_of(50.0), 144.56574394634488601);
  check(lgamma_of(1e-20), 46.051701859880913735);
  for (const double pole : {0.0, -1.0, -7.0}) BOOST_TEST(lgamma_of(pole) == kInf);
  BOOST_TEST(lgamma_of(2.5f) == 0.284682870472919f);
}

BOOST_AUTO_TEST_CASE(digamma) {
  using core::digamma_of;
  check(digamma_of(0.1), -10.423754940411076232);
  check(digamma_of(1.0), -0.57721566490153286061, 1e-15);
  check(digamma_of(2.5), 0.70315664064524318723, 1e-15);
  check(digamma_of(-0.5), 0.036489973978576520559, 2e-15);
  check(digamma_of(-3.3), 3.6203534605921257857, 2e-15);
  check(digamma_of(-20.25), 6.1742356336144837692, 2e-15);
  check(digamma_of(1e6), 13.815510057964190771);
  check(digamma_of(1e-5), -100000.57719921567289);
  BOOST_TEST(digamma_of(0.0) == -kInf);
  BOOST_TEST(digamma_of(-0.0) == kInf);
  BOOST_TEST(digamma_of(kInf) == kInf);
  for (const double x : {-1.0, -2.0, kNan}) BOOST_TEST(std::isnan(digamma_of(x)));
  BOOST_TEST(digamma_of(-0.5f) == 0.0364899739785765f);
}

BOOST_AUTO_TEST_CASE(polygamma) {
  struct Value {
    int n;
    double x, value;
  };
  const Value values[] = {{1, 0.1, 101.4332991507927477},      {1, 1, 1.6449340668482264365},
                          {1, 2.5, 0.49035775610023486497},    {1, -0.5, 8.9348022005446793094},
                          {1, -3.3, 14.81773952551592878},     {1, 50, 0.020201333226697125806},
                          {1, -1000.5, 9.8686054001734414233}, {1, 1e300, 1e-300},
                          {2, 0.1, -2001.8614573783436732},    {2, 1, -2.4041138063191885708},
                          {2, 2.5, -0.236204051641727403},     {2, -0.5, -0.8287966442343199956},
                          {2, -3.3, 68.769445477485233697},    {2, 50, -0.00040807998933759693141},
                          {5, 0.1, 120000069.307510929},       {5, 1, 122.08116743813389677},
                          {5, 2.5, 0.57856917856718348455},    {5, -0.5, 15371.113548602435496},
                          {5, -3.3, 165660.14652917208661},    {5, 50, 8.0716771352543619173e-8}};
  for (const auto& [n, x, value] : values)
    check(core::polygamma_of(n, x), value, x < 0 ? 2e-14 : 1e-15 * std::abs(value));
  BOOST_TEST(core::polygamma_of(1, -2.0) == kInf);
  BOOST_TEST(std::isnan(core::polygamma_of(1, kNan)));
}

// Any strides; integers become float32.
BOOST_AUTO_TEST_CASE(polygamma_of_arrays) {
  const core::Array x = core::arange(1, 7, 1, kInt64).view({2, 3}), y = core::polygamma(1, x.to(kFloat64).t());
  BOOST_TEST((y.shape() == core::Shape{3, 2}));
  for (int i = 0; i < 6; ++i) BOOST_TEST(y.data_ptr<double>()[i] == core::polygamma_of(1, 1 + i / 2 + 3 * (i % 2)));
  BOOST_TEST((core::polygamma(2, x).dtype() == kFloat32));
  BOOST_TEST(core::polygamma(2, core::zeros({0, 3})).numel() == 0);
  BOOST_CHECK_THROW(core::polygamma(1, core::Array()), ValueError);
}

BOOST_AUTO_TEST_CASE(of_two_numbers) {
  using core::logaddexp_of;
  using core::xlogy_of;
  check(logaddexp_of(0.3, -1.2), 0.50141327798275240852);
  check(logaddexp_of(1000.0, 1000.5), 1000.9740769841801067);
  check(logaddexp_of(-800.0, -801.0), -799.68673831248177717);
  check(logaddexp_of(5.0, -700.0), 5);
  BOOST_TEST(logaddexp_of(kInf, kInf) == kInf);
  BOOST_TEST(logaddexp_of(-kInf, -kInf) == -kInf);
  BOOST_TEST(logaddexp_of(-kInf, 2.0) == 2);
  BOOST_TEST(logaddexp_of(kInf, -kInf) == kInf);
  BOOST_TEST(std::isnan(logaddexp_of(kNan, 1.0)));
  BOOST_TEST(xlogy_of(0.0, 0.0) == 0);
  BOOST_TEST(xlogy_of(0.0, -1.0) == 0);
  BOOST_TEST(xlogy_of(0.0, kInf) == 0);
  BOOST_TEST(std::isnan(xlogy_of(0.0, kNan)));
  check(xlogy_of(2.0, 3.0), 2.1972245773362193828);
  BOOST_TEST(xlogy_of(2.0, 0.0) == -kInf);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
