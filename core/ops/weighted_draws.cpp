// Draws whose chances depend on numbers: exponential ones, and indices by their weights.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "../array/create.h"
#include "../base/expect.h"
#include "../base/fail.h"
#include "../threads/parallel.h"
#include "pointwise.h"
#include "random.h"

namespace gradus::core {
namespace {

/// Weights as rows in float64, checked.
struct Weights {
  Weights(const Array& given, std::int64_t count, bool replacement) {
    expect_floating("multinomial", "the weights", given);
    expect_form(given.dim() == 1 || given.dim() == 2, "multinomial", "the weights", "[n] or [m, n]", given.shape());
    categories = given.shape()[given.dim() - 1];
    rows = given.dim() == 2 ? given.shape()[0] : 1;
    if (categories == 0) fail<ShapeError>("multinomial: there must be at least one category: {}", given.shape());
    if (count < 1) fail<ValueError>("multinomial: the number of draws must be at least 1: {}", count);
    if (!replacement && count > categories) {
      fail<ValueError>("multinomial: without replacement there must be at least as many categories as draws: {} for {}",
                       categories, count);
    }
    numbers = given.to(kFloat64).contiguous();
    for (std::int64_t r = 0; r < rows; ++r) check_row(r, count, replacement);
  }
  const double* row(std::int64_t r) const { return numbers.data_ptr<double>() + r * categories; }

  Array numbers;
  std::int64_t rows, categories;

 private:
  void check_row(std::int64_t r, std::int64_t count, bool replacement) const {
    double sum = 0;
    std::int64_t above = 0;
    for (std::int64_t k = 0; k < categories; ++k) {
      const double w = row(r)[k];
      if (!(w >= 0) || !std::isfinite(w)) {
        fail<ValueError>("multinomial: weights must be finite and not negative: {} at {} of row {}", w, k, r);
      }
      sum += w;
      above += w > 0;
    }
    if (!(sum > 0) || !std::isfinite(sum)) {
      fail<ValueError>("multinomial: the weights of a row must have a finite sum above 0: {} in row {}", sum, r);
    }
    if (!replacement && above < count) {
      fail<ValueError>("multinomial: without replacement as many weights as draws must be above 0: {} for {} in row {}",
                       above, count, r);
    }
  }
};

void draw_with_replacement(const double* weights, std::int64_t categories, const double* u, std::int64_t count,
                           std::int64_t* out) {
  std::vector<double> cumulative(static_cast<std::size_t>(categories));
  std::partial_sum(weights, weights + categories, cumulative.begin());
  if (cumulative.back() < 0x1p-500) {  // products with subnormal sums could be rounded up to them
    for (double& sum : cumulative) sum *= 0x1p+500;
  }
  for (std::int64_t j = 0; j < count; ++j) {
    // u < 1, so that even rounded the product stays below the last sum: the place exists, and its weight is above 0.
    out[j] = std::upper_bound(cumulative.begin(), cumulative.end(), u[j] * cumulative.back()) - cumulative.begin();
  }
}

void draw_without_replacement(const double* weights, std::int64_t categories, const double* u, std::int64_t count,
                              std::int64_t* out) {
  struct Key {
    double key;
    std::int64_t index;
  };
  std::vector<Key> keys;
  for (std::int64_t k = 0; k < categories; ++k) {
    // The logarithm of an exponential draw with that rate: the quotient itself may exceed the largest double.
    if (weights[k] > 0) keys.push_back({std::log(-std::log1p(-u[k])) - std::log(weights[k]), k});
  }
  std::partial_sort(keys.begin(), keys.begin() + count, keys.end(),
                    [](const Key& a, const Key& b) { return a.key != b.key ? a.key < b.key : a.index < b.index; });
  for (std::int64_t j = 0; j < count; ++j) out[j] = keys[static_cast<std::size_t>(j)].index;
}

}  // namespace

Array exponential(IntArrayRef shape, double lambda, DType dtype, RandomPosition at) {
  if (!(lambda > 0)) fail<ValueError>("exponential: lambda must be above 0: {}", lambda);
  expect_floating("exponential", "the dtype", dtype);
  const Array u = rand(shape, kFloat64, at);
  neg.write(u, u);
  log1p.write(u, u);
  div.write(u, u, -lambda);
  return u.to(dtype);
}

Array multinomial(const Array& weights, std::int64_t count, bool replacement, RandomPosition at) {
  const Weights w(weights, count, replacement);
  const std::int64_t each = replacement ? count : w.categories;
  const Array u = rand({w.rows, each}, kFloat64, at);
  const double* const uniform = u.data_ptr<double>();
  Array out = weights.dim() == 2 ? empty({w.rows, count}, kInt64) : empty({count}, kInt64);
  std::int64_t* const indices = out.data_ptr<std::int64_t>();
  const std::int64_t grain = std::max<std::int64_t>(2048 / (w.categories + count), 1);
  parallel_for(w.rows, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      (replacement ? draw_with_replacement : draw_without_replacement)(w.row(r), w.categories, uniform + r * each,
                                                                       count, indices + r * count);
    }
  });
  return out;
}

std::int64_t words_of_multinomial(const Array& weights, std::int64_t count, bool replacement) {
  if (!weights.defined() || weights.dim() < 1) return 0;  // multinomial says what is wrong
  const std::int64_t rows = weights.dim() == 2 ? weights.shape()[0] : 1;
  const std::int64_t each = replacement ? std::max<std::int64_t>(count, 0) : weights.shape()[weights.dim() - 1];
  return words_of({rows, each}, kFloat64);
}

}  // namespace gradus::core
