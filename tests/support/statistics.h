// Tests of distributions, with bounds that right numbers pass with a probability of at least 0.999. The seeds are fixed:
// what passes once passes always.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

namespace gradus::test {

struct Moments {
  double mean = 0, variance = 0, skewness = 0, kurtosis = 0;
  explicit Moments(const std::vector<double>& v) {
    const auto n = static_cast<double>(v.size());
    for (double x : v) mean += x / n;
    double third = 0, fourth = 0;
    for (double x : v) {
      const double d = x - mean;
      variance += d * d / n;
      third += d * d * d / n;
      fourth += d * d * d * d / n;
    }
    skewness = third / std::pow(variance, 1.5);
    kurtosis = fourth / (variance * variance);
  }
};

/// The largest distance between the empirical and the given distribution, times sqrt(n): above 1.95 with probability
/// 0.001 (Kolmogorov and Smirnov).
inline double distance(std::vector<double> v, const std::function<double(double)>& distribution) {
  std::sort(v.begin(), v.end());
  const auto n = static_cast<double>(v.size());
  double worst = 0;
  for (std::size_t i = 0; i < v.size(); ++i) {
    const double expected = distribution(v[i]), rank = static_cast<double>(i);
    worst = std::max({worst, expected - rank / n, (rank + 1) / n - expected});
  }
  return worst * std::sqrt(n);
}

inline double uniform_distribution(double x) { return x; }
inline double normal_distribution(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

/// Sum of (observed - expected)^2 / expected, as standard deviations from its own mean.
inline double chi_square_excess(const std::vector<double>& observed, double expected) {
  double chi2 = 0;
  for (double o : observed) chi2 += (o - expected) * (o - expected) / expected;
  const auto freedom = static_cast<double>(observed.size() - 1);
  return (chi2 - freedom) / std::sqrt(2 * freedom);
}

/// The correlation of two lists of one length, times sqrt(n): beyond 4 with a probability below 0.0001.
inline double correlation(const std::vector<double>& x, const std::vector<double>& y) {
  const Moments mx(x), my(y);
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += (x[i] - mx.mean) * (y[i] - my.mean);
  return sum / std::sqrt(static_cast<double>(x.size()) * mx.variance * my.variance);
}

}  // namespace gradus::test
