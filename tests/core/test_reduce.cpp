// Reductions against plain loops over every set of dimensions, dtype and layout; special values, ties, empty arrays,
// accuracy, and the same bits at any number of threads.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <vector>

#include <gradus/core/array/create.h>
#include <gradus/core/nn/activation.h>
#include <gradus/core/nn/batch_norm.h>
#include <gradus/core/nn/dropout.h>
#include <gradus/core/simd/instruction_set.h>
#include <gradus/core/ops/pointwise.h>
#include <gradus/core/ops/random.h>
#include <gradus/core/ops/reduce.h>
#include <gradus/core/nn/softmax.h>

#include "../support/arrays.h"
#include "../support/threads.h"

using namespace gradus;
using namespace gradus::core;
using gradus::test::check_error;
using gradus::test::counting;
using gradus::test::list;
using gradus::test::values;
using Values = std::vector<double>;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();
const std::vector<DType> kAll = {kBool, kUInt8, kInt32, kInt64, kFloat32, kFloat64};

bool same_bits(const Array& a, const Array& b) {
  if (a.shape() != b.shape() || a.dtype() != b.dtype()) return false;
  const Array x = a.contiguous(), y = b.contiguous();
  return x.numel() == 0 || std::memcmp(x.data(), y.data(), static_cast<std::size_t>(x.numel() * x.element_size())) == 0;
}

/// The numbers with their dimensions in the opposite order in memory.
Array reversed_in_memory(const Array& x) {
  Dims order;
  for (int i = x.dim(); i-- > 0;) order.push_back(i);
  return x.permute(order).clone().permute(order);
}

/// The numbers that each result is made of, in row-major order of results and of numbers.
std::vector<Values> groups(const Array& x, const Dims& over) {
  Dims order;
  for (int i = 0; i < x.dim(); ++i) {
    if (std::find(over.begin(), over.end(), i) == over.end()) order.push_back(i);
  }
  std::int64_t results = 1, each = 1;
  for (std::int64_t d : order) results *= x.size(d);
  for (std::int64_t d : over) {
    order.push_back(d);
    each *= x.size(d);
  }
  const Values all = values(x.permute(order));
  std::vector<Values> out;
  for (std::int64_t r = 0; r < results; ++r) out.emplace_back(all.begin() + r * each, all.begin() + (r + 1) * each);
  return out;
}

std::vector<Dims> subsets(int n) {
  std::vector<Dims> all;
  for (int mask = 1; mask < 1 << n; ++mask) {
    Dims dims;
    for (int i = 0; i < n; ++i) {
      if (mask >> i & 1) dims.push_back(i);
    }
    all.push_back(dims);
  }
  if (n == 0) all.push_back({});
  return all;
}

Array numbers(const Shape& shape, DType dtype) {
  Values all;
  for (std::int64_t i = 0; i < numel_of(shape); ++i) {
    const auto k = static_cast<double>((i * 7 + 3) % 19);
    all.push_back(dtype == kBool ? static_cast<int>(k) % 4 != 0 : dtype == kUInt8 ? k : 0.25 * (k - 9) * 4);
  }
  if (is_floating_point(dtype)) {
    for (double& v : all) v = v * 0.3 + 0.1;
  }
  return list(all).to(dtype).view(shape);
}

double reference(Reduction op, const Values& v) {
  double acc = op == Reduction::Prod || op == Reduction::All ? 1
               : op == Reduction::Max                        ? -kInf
               : op == Reduction::Min                        ? kInf
                                                             : 0;
  for (double x : v) {
    switch (op) {
      case Reduction::Sum:
        acc += x;
        break;
      case Reduction::Prod:
        acc *= x;
        break;
      case Reduction::Max:
        acc = std::isnan(acc) || acc > x ? acc : x;
        break;
      case Reduction::Min:
        acc = std::isnan(acc) || acc < x ? acc : x;
        break;
      case Reduction::All:
        acc = acc != 0 && x != 0;
        break;
      case Reduction::Any:
        acc = acc != 0 || x != 0;
        break;
    }
  }
  return acc;
}

/// Two rows as an array of them.
Array cat_rows(const Array& a, const Array& b) {
  const Array both = empty({2, a.numel()}, a.dtype());
  both.select(0, 0).copy_(a);
  both.select(0, 1).copy_(b);
  return both;
}

bool close(double got, double wanted, double tolerance) {
  if (std::isnan(wanted)) return std::isnan(got);
  return got == wanted || std::abs(got - wanted) <= tolerance * std::max(std::abs(wanted), 1.0);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(reduce)

BOOST_AUTO_TEST_CASE(every_set_of_dimensions_dtype_and_layout) {
  const std::vector<Shape> shapes = {{},        {1},       {7},           {3, 5},  {4, 70}, {70, 4},
                                     {2, 3, 5}, {5, 1, 9}, {3, 2, 4, 33}, {32, 7}, {33, 7}, {7, 32},
                                     {7, 33},   {4, 5, 8}, {3, 5, 11}};  // few results, and more
  for (const Shape& shape : shapes) {
    for (DType dtype : kAll) {
      const Array x = numbers(shape, dtype);
      for (const Dims& over : subsets(x.dim())) {
        const std::vector<Values> parts = groups(x, over);
        for (Reduction op :
             {Reduction::Sum, Reduction::Prod, Reduction::Max, Reduction::Min, Reduction::All, Reduction::Any}) {
          const Array y = core::reduce(op, x, over);
          const bool total = op == Reduction::Sum || op == Reduction::Prod;
          const DType truth = dtype == kUInt8 ? kUInt8 : kBool;
          const DType wanted = op >= Reduction::All ? truth : total && !is_floating_point(dtype) ? kInt64 : dtype;
          BOOST_TEST((y.dtype() == wanted));
          BOOST_TEST((y.shape() == reduced_shape(shape, over, false)));
          const Values got = values(y);
          BOOST_TEST_REQUIRE(got.size() == parts.size());
          for (std::size_t i = 0; i < got.size(); ++i) {
            double exact = reference(op, parts[i]);
            if (op == Reduction::Prod && !is_floating_point(dtype) && std::abs(exact) > 9e15) continue;  // wraps around
            BOOST_TEST(close(got[i], exact, dtype == kFloat32 ? 1e-6 : 1e-14), got[i] << " for " << exact);
          }
          BOOST_TEST(same_bits(core::reduce(op, reversed_in_memory(x), over), y));
          BOOST_TEST(same_bits(core::reduce(op, x, over, true), y.view(reduced_shape(shape, over, true))));
        }
        if (!is_floating_point(dtype)) continue;
        const double tolerance = dtype == kFloat32 ? 1e-6 : 1e-14;
        for (std::int64_t correction : {0, 1}) {
          const Values means = values(mean(x, over)), vars = values(var(x, over, correction));
          for (std::size_t i = 0; i < parts.size(); ++i) {
            const auto n = static_cast<double>(parts[i].size());
            const double m = reference(Reduction::Sum, parts[i]) / n;
            double squares = 0;
            for (double v : parts[i]) squares += (v - m) * (v - m);
            BOOST_TEST(close(means[i], m, tolerance));
            BOOST_TEST(close(
                vars[i], n > static_cast<double>(correction) ? squares / (n - static_cast<double>(correction)) : kNan,
                tolerance));
          }
        }
        const Values logs = values(logsumexp(x, over));
        for (std::size_t i = 0; i < parts.size(); ++i) {
          double sum = 0;
          for (double v : parts[i]) sum += std::exp(v);
          BOOST_TEST(close(logs[i], std::log(sum), tolerance));
        }
        BOOST_TEST(same_bits(logsumexp(reversed_in_memory(x), over), logsumexp(x, over)));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(along_one_dimension) {
  for (const Shape& shape : {Shape{1}, Shape{40}, Shape{3, 5}, Shape{4, 33}, Shape{33, 4}, Shape{2, 17, 5}}) {
    for (DType dtype : kAll) {
      const Array x = numbers(shape, dtype);
      for (int dim = 0; dim < x.dim(); ++dim) {
        const std::vector<Values> parts = groups(x, Dims{dim});
        const auto [high, high_at] = core::max(x, dim);
        const auto [low, low_at] = core::min(x, dim - x.dim());
        BOOST_TEST((high.dtype() == dtype));
        BOOST_TEST((high_at.dtype() == kInt64));
        BOOST_TEST((high.shape() == reduced_shape(shape, Dims{dim}, false)));
        const Values h = values(high), hi = values(high_at), l = values(low), li = values(low_at);
        for (std::size_t i = 0; i < parts.size(); ++i) {
          const auto top = std::max_element(parts[i].begin(), parts[i].end());  // the first of equal ones
          const auto bottom = std::min_element(parts[i].begin(), parts[i].end());
          BOOST_TEST(h[i] == *top);
          BOOST_TEST(l[i] == *bottom);
          BOOST_TEST(hi[i] == static_cast<double>(top - parts[i].begin()));
          BOOST_TEST(li[i] == static_cast<double>(bottom - parts[i].begin()));
        }
        BOOST_TEST(same_bits(argmax(x, dim), high_at));
        BOOST_TEST(same_bits(argmin(reversed_in_memory(x), dim), low_at));
        const Array kept = std::get<0>(core::max(x, dim, true));
        BOOST_TEST((kept.shape() == reduced_shape(shape, Dims{dim}, true)));
        if (!is_floating_point(dtype)) {
          check_error<DTypeError>([&] { softmax(x, dim); }, {"softmax", std::string(to_string(dtype))});
          continue;
        }
        const Array soft = softmax(x, dim), log_soft = log_softmax(x, dim);
        BOOST_TEST((soft.shape() == shape));
        BOOST_TEST(soft.is_contiguous());
        const std::vector<Values> s = groups(soft, Dims{dim}), ls = groups(log_soft, Dims{dim});
        for (std::size_t i = 0; i < parts.size(); ++i) {
          double sum = 0;
          for (double v : parts[i]) sum += std::exp(v);
          for (std::size_t k = 0; k < parts[i].size(); ++k) {
            BOOST_TEST(close(s[i][k], std::exp(parts[i][k]) / sum, dtype == kFloat32 ? 4e-7 : 1e-15));
            BOOST_TEST(close(ls[i][k], parts[i][k] - std::log(sum), dtype == kFloat32 ? 4e-7 : 1e-15));
          }
        }
        BOOST_TEST(same_bits(softmax(reversed_in_memory(x), dim), soft));
      }
    }
  }
  const Array point = scalar(2, kFloat32);
  BOOST_TEST(std::get<0>(core::max(point, 0)).item<double>() == 2);
  BOOST_TEST(std::get<1>(core::max(point, -1)).item<std::int64_t>() == 0);
  BOOST_TEST(softmax(point, 0).item<double>() == 1);
  BOOST_TEST(argmax(point).item<std::int64_t>() == 0);
}

BOOST_AUTO_TEST_CASE(nan_and_ties) {
  for (std::string_view set : instruction_sets()) {
    use_instruction_set(set);
    for (DType dtype : {kFloat32, kFloat64}) {
      for (std::size_t n : {1, 5, 16, 17, 100, 1000}) {
        for (std::size_t at : {std::size_t{0}, n / 2, n - 1}) {
          Values v(n, 1.0);
          v[at] = kNan;
          const Array x = list(v).to(dtype);
          for (Reduction op : {Reduction::Sum, Reduction::Prod, Reduction::Max, Reduction::Min}) {
            BOOST_TEST(std::isnan(core::reduce(op, x).item<double>()));
            // By columns as well, the NaN in each of several rows.
            const Array columns = x.view({-1, 1}).expand({static_cast<std::int64_t>(n), 5}).contiguous();
            for (double y : values(core::reduce(op, columns, 0))) BOOST_TEST(std::isnan(y));
          }
          BOOST_TEST(argmax(x).item<std::size_t>() == at);
          BOOST_TEST(argmin(x).item<std::size_t>() == at);
          BOOST_TEST(std::isnan(std::get<0>(core::max(x, 0)).item<double>()));
          if (n > 2) {  // of two NaN the first
            v[n - 1] = kNan;
            BOOST_TEST(argmax(list(v).to(dtype), 0).item<std::size_t>() == at);
          }
          Values w(n, -1.0);
          w[at] = 3;
          w[n - 1] = 3;
          BOOST_TEST(argmax(list(w).to(dtype)).item<std::size_t>() == at);
          for (double& y : w) y = -y;
          BOOST_TEST(argmin(list(w).to(dtype)).item<std::size_t>() == at);
        }
        const Array low = full({static_cast<std::int64_t>(n)}, -kInf, dtype);
        BOOST_TEST(core::reduce(Reduction::Max, low).item<double>() == -kInf);
        BOOST_TEST(argmax(low).item<std::int64_t>() == 0);
      }
    }
  }
  use_instruction_set("");
}

// A row of some blocks of four vectors, some single vectors, and a rest, on every instruction set.
BOOST_AUTO_TEST_CASE(extremes_at_every_place) {
  for (std::string_view set : instruction_sets()) {
    use_instruction_set(set);
    for (DType dtype : {kFloat32, kFloat64}) {
      for (const std::size_t n : {3, 85, 151}) {
        for (std::size_t at = 0; at < n; ++at) {
          const auto check = [&](const Values& v, bool largest) {
            // Beside it another row, where nothing of the kind stands.
            const Array one = list(v).to(dtype), x = cat_rows(one, zeros({static_cast<std::int64_t>(n)}, dtype));
            const auto [value, index] = largest ? core::max(x, 1) : core::min(x, 1);
            BOOST_TEST(values(index)[0] == static_cast<double>(at), at << " of " << n << " on " << set);
            BOOST_TEST(same_bits(value.narrow(0, 0, 1), one.narrow(0, static_cast<std::int64_t>(at), 1)));
            BOOST_TEST((largest ? argmax(one) : argmin(one)).item<std::size_t>() == at);
            BOOST_TEST((values(index)[1] == 0 && values(value)[1] == 0));
            const Array folded = core::reduce(largest ? Reduction::Max : Reduction::Min, x, 1);
            BOOST_TEST(close(values(folded)[0], v[at], 0));
          };
          Values v(n);
          for (std::size_t i = 0; i < n; ++i) v[i] = static_cast<double>(i % 7) - 3;
          Values nan = v, high = v, low = v, zeros_above(n, -1.0), zeros_below(n, 1.0);
          nan[at] = kNan;
          high[at] = kInf;
          low[at] = -kInf;
          // +0 and -0 are equal: the first of them, whichever it is.
          for (std::size_t i = at; i < n; ++i) zeros_above[i] = zeros_below[i] = (i * 5 + at) % 3 == 0 ? 0.0 : -0.0;
          for (const bool largest : {false, true}) check(nan, largest);
          check(high, true);
          check(low, false);
          check(zeros_above, true);
          check(zeros_below, false);
        }
      }
    }
  }
  use_instruction_set("");
}

BOOST_AUTO_TEST_CASE(softmax_far_out) {
  for (DType dtype : {kFloat32, kFloat64}) {
    const Array x = list(Values{1000, 1000, -1000, -kInf}).to(dtype);
    BOOST_TEST((values(softmax(x, 0)) == Values{0.5, 0.5, 0, 0}));
    BOOST_TEST(values(log_softmax(x, 0))[2] == -2000 - std::log(2), boost::test_tools::tolerance(1e-6));
    BOOST_TEST(values(log_softmax(x, 0))[3] == -kInf);
    BOOST_TEST(logsumexp(x, 0).item<double>() == 1000 + std::log(2), boost::test_tools::tolerance(1e-6));
    BOOST_TEST(logsumexp(list(Values{-kInf, -kInf}).to(dtype), 0).item<double>() == -kInf);
    BOOST_TEST(logsumexp(list(Values{kInf, 1, -kInf}).to(dtype), 0).item<double>() == kInf);
    BOOST_TEST(std::isnan(logsumexp(list(Values{kInf, kNan}).to(dtype), 0).item<double>()));
    // As PyTorch's: nothing to choose from, or an infinite chance.
    for (double v : values(softmax(full({3}, -kInf, dtype), 0))) BOOST_TEST(std::isnan(v));
    BOOST_TEST(std::isnan(values(softmax(list(Values{kInf, 0}).to(dtype), 0))[0]));
  }
  BOOST_TEST((logsumexp(list(std::vector<std::int64_t>{0, 0}), 0).dtype() == kFloat32));
}

// Lengths around the blocks that sums over rows are formed in, on every instruction set; 1 and its exponential are
// exact, so nothing may be left out or counted twice.
BOOST_AUTO_TEST_CASE(rows_of_every_length) {
  for (std::string_view set : instruction_sets()) {
    use_instruction_set(set);
    for (DType dtype : {kFloat32, kFloat64}) {
      for (std::int64_t n : {1, 3, 15, 16, 17, 63, 64, 65, 100, 255, 256, 257, 511, 512, 513, 600, 1030}) {
        const Array x = full({2, n}, 3, dtype), p = softmax(x, 1);
        BOOST_TEST(std::abs(values(logsumexp(x, 1))[1] - 3 - std::log(static_cast<double>(n))) < 1e-6,
                   n << " on " << set);
        const Array chance = full({2, n}, 1 / static_cast<double>(n), kFloat64).to(dtype);
        BOOST_TEST(same_bits(p, chance), n << " on " << set);
        BOOST_TEST(std::abs(values(softmax_backward(full({2, n}, 2, dtype), p, 1))[n - 1]) < 1e-6, n << " on " << set);
        const Array y = arange(0, 2 * n, 1, dtype).view({2, n});
        const double total = static_cast<double>(n) * (3 * static_cast<double>(n) - 1) / 2;
        BOOST_TEST(values(core::sum(y, 1))[1] == total, n << " on " << set);
        BOOST_TEST(values(std::get<0>(core::max(y, 1)))[1] == static_cast<double>(2 * n - 1), n << " on " << set);
        BOOST_TEST(values(core::reduce(Reduction::Max, y, 1))[1] == static_cast<double>(2 * n - 1), n << " on " << set);
      }
    }
  }
  use_instruction_set("");
}

// Few results are accumulated on the stack, more of them in an array: each has the bits that it has among fewer.
BOOST_AUTO_TEST_CASE(few_results_and_more) {
  for (DType dtype : kAll) {
    for (const std::int64_t results : {32, 33, 100}) {
      for (const int d : {0, 1}) {
        const Array x = numbers(d == 0 ? Shape{9, results} : Shape{results, 9}, dtype);
        const Array few = x.narrow(1 - d, 0, 20);
        const auto check = [&](const auto& f) { BOOST_TEST(same_bits(f(x).narrow(0, 0, 20), f(few))); };
        for (int op = 0; op < 6; ++op) {
          check([&](const Array& y) { return core::reduce(static_cast<Reduction>(op), y, d); });
        }
        if (is_floating_point(dtype)) check([&](const Array& y) { return mean(y, d); });
      }
    }
  }
  // Means of so many that they are divided in blocks.
  const std::int64_t many = 100003;
  const Array x = counting({many, 3}, kFloat64), m = mean(x, 1);
  bool right = true;
  for (std::int64_t i = 0; i < many; ++i) right &= m.data_ptr<double>()[i] == static_cast<double>(3 * i + 1);
  BOOST_TEST(right);
}

// Where a long row, or many rows, are cut into blocks.
BOOST_AUTO_TEST_CASE(sums_around_the_blocks) {
  for (std::int64_t n : {32767, 32768, 32769, 65535, 65536, 65537, 131072, 131073, 140000, 1000001}) {
    BOOST_TEST(core::sum(ones({n})).item<float>() == static_cast<float>(n));
    BOOST_TEST((values(core::sum(ones({2, n}), 1)) == Values{static_cast<double>(n), static_cast<double>(n)}));
    BOOST_TEST((values(core::sum(ones({n, 3}), 1)) == Values(static_cast<std::size_t>(n), 3)));
  }
}

// Where long rows are cut into strips, and where rows are added in groups: rows and columns that tell their sums apart.
BOOST_AUTO_TEST_CASE(sums_of_columns_around_strips_and_groups) {
  for (std::int64_t columns : {1, 31, 32, 33, 95, 96, 97, 511, 512, 513, 520, 700, 1024, 1025, 1587}) {
    for (std::int64_t rows : {1, 2, 3, 4, 7, 8, 9, 131, 300}) {
      Values expected;
      for (std::int64_t c = 0; c < columns; ++c) {
        expected.push_back(static_cast<double>(rows * c + rows * (rows - 1) / 2));
      }
      for (DType dtype : {kFloat32, kFloat64, kInt64}) {
        const Array x = add(arange(0, rows, 1, dtype).view({rows, 1}), arange(0, columns, 1, dtype));
        BOOST_TEST((values(core::sum(x, 0)) == expected), rows << " rows of " << columns << ", " << to_string(dtype));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(nothing_to_reduce) {
  for (DType dtype : kAll) {
    const Array none = zeros({0, 3}, dtype);
    BOOST_TEST((values(core::sum(none, 0)) == Values{0, 0, 0}));
    BOOST_TEST((values(core::reduce(Reduction::Prod, none, 0)) == Values{1, 1, 1}));
    BOOST_TEST((values(core::reduce(Reduction::All, none, 0)) == Values{1, 1, 1}));
    BOOST_TEST((values(core::reduce(Reduction::Any, none, 0)) == Values{0, 0, 0}));
    BOOST_TEST((core::sum(none, 1).shape() == Shape{0}));
    BOOST_TEST(core::sum(none).item<double>() == 0);
    BOOST_TEST((core::reduce(Reduction::Max, none, 1).shape() == Shape{0}));
    check_error<IndexError>([&] { core::reduce(Reduction::Max, none, 0); }, {"max", "[0, 3]"});
    check_error<IndexError>([&] { core::reduce(Reduction::Min, none); }, {"min", "[0, 3]"});
    check_error<IndexError>([&] { core::max(none, 0); }, {"max", "[0, 3]"});
    check_error<IndexError>([&] { argmin(none); }, {"argmin", "[0, 3]"});
    BOOST_TEST((std::get<1>(core::max(none, 1)).shape() == Shape{0}));
    BOOST_TEST((argmax(zeros({3, 0}, dtype), 0).shape() == Shape{0}));
    if (!is_floating_point(dtype)) {
      check_error<DTypeError>([&] { mean(none); }, {"mean", std::string(to_string(dtype))});
      check_error<DTypeError>([&] { var(none); }, {"var", std::string(to_string(dtype))});
      continue;
    }
    BOOST_TEST(std::isnan(mean(none).item<double>()));
    BOOST_TEST(std::isnan(var(none).item<double>()));
    BOOST_TEST(std::isnan(var(ones({1}, dtype)).item<double>()));
    BOOST_TEST(var(ones({1}, dtype), {}, 0).item<double>() == 0);
    BOOST_TEST((values(logsumexp(none, 0)) == Values{-kInf, -kInf, -kInf}));
    BOOST_TEST((softmax(none, 0).shape() == Shape{0, 3}));
    BOOST_TEST((softmax(zeros({2, 0}, dtype), 1).shape() == Shape{2, 0}));
  }
  const Array x = counting({2, 3});
  check_error<IndexError>([&] { core::sum(x, 2); }, {"sum", "2"});
  check_error<ValueError>([&] { core::sum(x, {0, -2}); }, {"sum", "once"});
  check_error<IndexError>([&] { core::max(x, -3); }, {"max", "-3"});
  check_error<IndexError>([&] { softmax(x, 5); }, {"softmax", "5"});
  check_error<ValueError>([&] { core::sum(Array()); }, {"sum", "defined"});
}

BOOST_AUTO_TEST_CASE(sums_of_many_numbers) {
  BOOST_TEST(core::sum(ones({10000000})).item<float>() == 1e7f);
  BOOST_TEST(core::sum(ones({20000000})).item<float>() == 2e7f);  // beyond what float32 counts to by ones
  BOOST_TEST(mean(full({3000000}, 0.1, kFloat32)).item<float>() == 0.1f);
  BOOST_TEST((values(core::sum(ones({1000000, 3}), 0)) == Values{1e6, 1e6, 1e6}));
  BOOST_TEST(core::sum(ones({100000}, kUInt8)).item<std::int64_t>() == 100000);
  BOOST_TEST(core::sum(ones({70, 70}, kBool)).item<std::int64_t>() == 4900);
}

// Sums of float32 are accumulated in float64, block by block: the error is at most that of summing in float64, n 2^-53
// times the sum of magnitudes, and one rounding of the result.
BOOST_AUTO_TEST_CASE(sums_that_cancel) {
  const std::int64_t n = 10000000;
  const Array x = empty({n});
  const float pattern[3] = {1e8f, 1, -1e8f};
  double exact = 0, magnitudes = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    x.data_ptr<float>()[i] = pattern[i % 3];
    magnitudes += std::abs(static_cast<double>(pattern[i % 3]));
    exact += i % 3 == 1 ? 1 : 0;
  }
  exact += 1e8;  // n is one more than a multiple of 3
  const double bound = static_cast<double>(n) * 0x1p-53 * magnitudes + exact * 0x1p-24;
  BOOST_TEST(std::abs(core::sum(x).item<double>() - exact) <= bound);
  // In fact no partial sum of integers below 2^53 is rounded.
  BOOST_TEST(core::sum(x).item<float>() == static_cast<float>(exact));
  BOOST_TEST(core::sum(x.narrow(0, 0, n - 1)).item<float>() == 3333333.f);
}

BOOST_AUTO_TEST_CASE(variance_near_the_largest_numbers) {
  // Squares of float32 numbers near 1e30 overflow float32; those of their distances do not overflow float64.
  const Array x = (rand({4000}, kFloat64, {2, 0}) * Scalar(1e15) + Scalar(1e30)).to(kFloat32);
  const Array wide = x.to(kFloat64);
  BOOST_TEST(var(wide).item<double>() >= 0);
  BOOST_TEST(var(x).item<float>() == static_cast<float>(var(wide).item<double>()));
  BOOST_TEST(std::isinf(var(test::list(std::vector<float>{-1e30f, 1e30f})).item<float>()));  // 2e60 is no float32
  BOOST_TEST(var(test::list(std::vector<double>{-1e30, 1e30})).item<double>() == 2e60,
             boost::test_tools::tolerance(1e-15));
  BOOST_TEST(std::isnan(var(full({1}, 3, kFloat64)).item<double>()));
  BOOST_TEST(var(full({1}, 3, kFloat64), {}, 0).item<double>() == 0);
}

BOOST_AUTO_TEST_CASE(variance_far_from_zero) {
  const Array x = rand({100000}, kFloat64, {1, 0});
  const double spread = var(x).item<double>();
  BOOST_TEST(var(x + Scalar(1e8)).item<double>() == spread, boost::test_tools::tolerance(1e-5));
  const Array columns = (x + Scalar(1e8)).view({-1, 5});
  const Values near = values(var(x.view({-1, 5}), 0)), far = values(var(columns, 0));
  for (std::size_t i = 0; i < 5; ++i) BOOST_TEST(far[i] == near[i], boost::test_tools::tolerance(1e-5));
  BOOST_TEST(var(full({1000}, 1e30, kFloat32)).item<double>() == 0);
  // Of float32 numbers themselves the variance is exact to rounding, however far they lie.
  const Array shifted = (x * Scalar(1e-4) + Scalar(1)).to(kFloat32);
  BOOST_TEST(var(shifted).item<double>() == var(shifted.to(kFloat64)).item<double>(),
             boost::test_tools::tolerance(1e-6));
  const auto [m, v] = mean_var(shifted, 0, 0);
  BOOST_TEST(m.item<double>() == mean(shifted, 0).item<double>(), boost::test_tools::tolerance(0x1p-23));
  BOOST_TEST(same_bits(v, var(shifted, 0, 0)));
}

BOOST_AUTO_TEST_CASE(variance_about_a_first_number_far_from_the_others) {
  // Sums are taken about the first number: n = 4096 numbers with a deviation of 1 but for the first one.
  for (const double first : {3.0, 1e3, 1e6, 1e9, 1e200}) {
    for (const DType dtype : {kFloat32, kFloat64}) {
      if (dtype == kFloat32 && first > 1e9) continue;
      const Array x = randn({4096, 3}, kFloat64, {7, 0}).to(dtype).to(kFloat64);
      x.select(0, 0).select(0, 1).fill_(first);  // its neighbours have no such number, and other sums
      const Values all = values(x);
      const auto at = [&](std::size_t i) { return static_cast<long double>(all[i]); };
      const Array given = x.to(dtype), turned = given.transpose(0, 1).contiguous();
      const auto [m, v] = mean_var(given, 0, 0);
      const auto [row_m, row_v] = mean_var(turned, 1, 0);
      for (std::size_t c = 0; c < 3; ++c) {
        long double sum = 0, squares = 0;
        for (std::size_t i = c; i < all.size(); i += 3) sum += at(i);
        for (std::size_t i = c; i < all.size(); i += 3) squares += (at(i) - sum / 4096) * (at(i) - sum / 4096);
        const double tolerance = dtype == kFloat32 ? 1e-6 : 1e-13;
        const auto expected = static_cast<double>(squares / 4096);
        BOOST_TEST(close(values(v)[c], expected, tolerance));  // infinite: of 1e200 in float64
        BOOST_TEST(close(values(row_v)[c], expected, tolerance));
        BOOST_TEST(values(row_m)[c] == static_cast<double>(sum / 4096), boost::test_tools::tolerance(1e-6));
      }
    }
  }
  // Equal numbers do not vary, in columns and in rows.
  for (const double same : {0.1, -3e7, 1e-30, 1e160, 1e200, -1e300, 1.7e308}) {
    const Array x = full({700, 40}, same, kFloat64);
    for (const int d : {0, 1}) {
      const auto [m, v] = mean_var(x, d);
      BOOST_TEST(values(m) == Values(d == 0 ? 40 : 700, same));
      BOOST_TEST(values(v) == Values(d == 0 ? 40 : 700, 0.0));
    }
  }
}

// Numbers whose squares, whose distances from the first one, or whose sum are infinite: the mean and the variance are not,
// unless they are no float64.
BOOST_AUTO_TEST_CASE(variance_of_huge_numbers) {
  constexpr double largest = std::numeric_limits<double>::max();
  const std::vector<Values> cases = {{1e160, 1e160 + 1e150, 1e160 - 3e150, 1e160, 1e160 + 2e150},
                                     {1e165, 1e165 + 1e152, 1e165 - 4e152, 1e165 + 7e152},
                                     {-1e300, -1e300, -1e300 + 1e285, -1e300 - 2e285},
                                     {1e200, -1e200, 1, 2, 3},
                                     {3e154, 1, -2, 5, 7e153},
                                     {0, 1.4e154, 1.4e154, 1.4e154, 1.4e154, 1.4e154},
                                     {0, 1.34e154, -3e153},
                                     {-8e307, 1.7e308, 1, 2},
                                     {largest, -largest, -1e300, 5},
                                     {-largest, 1e292, largest}};
  for (std::string_view set : instruction_sets()) {
    use_instruction_set(set);
    for (const Values& few : cases) {
      for (const std::size_t times : {1, 3, 40}) {
        Values all;
        for (std::size_t k = 0; k < times; ++k) all.insert(all.end(), few.begin(), few.end());
        const auto n = static_cast<long double>(all.size());
        long double sum = 0, squares = 0;
        double sizes = 0;
        for (double x : all) sum += static_cast<long double>(x);
        for (double x : all) sizes += std::abs(x);
        if (times > 1 && std::isinf(sizes)) continue;  // it depends on the order whether their sum is a float64
        for (double x : all)
          squares += (static_cast<long double>(x) - sum / n) * (static_cast<long double>(x) - sum / n);
        const double m = static_cast<double>(sum / n);
        // A sum of squares that is no float64 makes an infinite variance.
        const double v = static_cast<double>(std::isinf(static_cast<double>(squares)) ? squares : squares / n);
        const double size = std::abs(
            *std::max_element(all.begin(), all.end(), [](double a, double b) { return std::abs(a) < std::abs(b); }));
        const Array column = list(all).view({-1, 1}).expand({static_cast<std::int64_t>(all.size()), 3}).contiguous();
        for (const int d : {0, 1}) {
          const auto [means, vars] = mean_var(d == 0 ? column : column.t().contiguous(), d, 0);
          for (double got : values(means)) BOOST_TEST(std::abs(got - m) <= 1e-14 * size, got << " for " << m);
          for (double got : values(vars)) BOOST_TEST(close(got, v, 1e-12), got << " for " << v << " on " << set);
        }
      }
    }
    // An infinite mean of numbers that are not: the lanes that a row's last vector lacks change nothing.
    for (const std::int64_t n : {5, 8, 9, 37}) {
      const Array x = full({n, 2}, largest, kFloat64);
      x.select(0, 1).fill_(-largest);
      for (const int d : {0, 1}) {
        const auto [means, vars] = mean_var(d == 0 ? x : x.t().contiguous(), d);
        BOOST_TEST(values(means) == Values(2, kInf));
        BOOST_TEST(values(vars) == Values(2, kInf), n << " over " << d << " on " << set);
      }
    }
    for (const double odd : {kInf, -kInf, kNan}) {  // at the first place, and at another
      for (const std::int64_t at : {0, 2}) {
        const Array x = counting({5, 2}, kFloat64).clone();
        x.select(0, at).select(0, 1).fill_(odd);
        for (const int d : {0, 1}) {
          const auto [means, vars] = mean_var(d == 0 ? x : x.t().contiguous(), d, 0);
          BOOST_TEST((values(means)[0] == 4 && values(vars)[0] == 8));
          BOOST_TEST((std::isnan(odd) ? std::isnan(values(means)[1]) : values(means)[1] == odd));
          BOOST_TEST(std::isnan(values(vars)[1]));
        }
      }
    }
  }
  use_instruction_set("");
}

BOOST_AUTO_TEST_CASE(norms_in_float64) {
  const Array x = full({4}, 1e30, kFloat32);  // whose squares are infinite in float32
  for (const double p : {1.0, 2.0, 3.0}) {
    BOOST_TEST((norm64(x, p).dtype() == kFloat64));
    BOOST_TEST(norm64(x, p).item<double>() == norm(x.to(kFloat64), p).item<double>(),
               boost::test_tools::tolerance(1e-15));
  }
  BOOST_TEST((norm64(x.to(kFloat64).view({2, 2}), 2, 1).shape() == Shape{2}));
}

BOOST_AUTO_TEST_CASE(undoing_a_broadcast) {
  const Array x = counting({2, 3, 4}, kFloat64);
  for (const Shape& shape :
       {Shape{2, 3, 4}, Shape{3, 4}, Shape{4}, Shape{}, Shape{1, 3, 1}, Shape{2, 1, 4}, Shape{1}, Shape{3, 1}}) {
    const Array y = sum_to(x, shape);
    BOOST_TEST((y.shape() == shape));
    // Against adding each number at its place of the smaller array.
    const Array wanted = zeros(shape, kFloat64), places = wanted.expand({2, 3, 4});
    for (std::int64_t i = 0; i < 2; ++i) {
      for (std::int64_t j = 0; j < 3; ++j) {
        for (std::int64_t k = 0; k < 4; ++k) {
          const Array place = places.select(0, i).select(0, j).select(0, k);
          *place.data_ptr<double>() += x.accessor<double, 3>()[i][j][k];
        }
      }
    }
    BOOST_TEST(same_bits(y, wanted));
  }
  BOOST_TEST((sum_to(ones({3, 2}, kInt32), {2}).dtype() == kInt32));
  BOOST_TEST((values(sum_to(ones({0, 2}), {2})) == Values{0, 0}));
  check_error<ShapeError>([&] { sum_to(x, {3}); }, {"sum_to", "[3]", "[2, 3, 4]"});
  check_error<ShapeError>([&] { sum_to(counting({4}), {1, 4}); }, {"sum_to", "[1, 4]", "[4]"});
}

BOOST_AUTO_TEST_CASE(equality) {
  const Array x = counting({3, 4});
  BOOST_TEST(equal(x, reversed_in_memory(x)));
  BOOST_TEST(!equal(x, x.to(kFloat64)));
  BOOST_TEST(!equal(x, x.view({4, 3})));
  BOOST_TEST(!equal(x, x + Scalar(1)));
  BOOST_TEST(!equal(list(Values{kNan}), list(Values{kNan})));
  BOOST_TEST(equal(zeros({0}), zeros({0})));
  BOOST_TEST(allclose(x, x + Scalar(1e-9)));
  BOOST_TEST(allclose(list(Values{1, 1e6}), list(Values{1 + 9e-6, 1e6 + 9})));
  BOOST_TEST(!allclose(list(Values{1, 1e6}), list(Values{1 + 2e-5, 1e6})));
  BOOST_TEST(allclose(list(Values{kInf, -kInf}), list(Values{kInf, -kInf})));
  BOOST_TEST(!allclose(list(Values{kInf}), list(Values{-kInf})));
  BOOST_TEST(!allclose(list(Values{1}), list(Values{kInf})));
  BOOST_TEST(!allclose(list(Values{kNan}), list(Values{kNan})));
  BOOST_TEST(allclose(list(Values{kNan}), list(Values{kNan}), 1e-5, 1e-8, true));
  BOOST_TEST(allclose(x, x.select(0, 0).expand({3, 4}), 0, 8));
}

BOOST_AUTO_TEST_CASE(statistics_by_channel) {
  for (DType dtype : {kFloat32, kFloat64}) {
    const double tolerance = dtype == kFloat32 ? 2e-6 : 1e-12;
    for (const Shape& shape :
         {Shape{7, 5}, Shape{600, 130}, Shape{4, 3, 10}, Shape{3, 5, 4, 37}, Shape{2, 3, 2, 2, 5}}) {
      const std::int64_t channels = shape[1];
      const Array x = randn(shape, dtype, {1, 0}), dy = randn(shape, dtype, {2, 0});
      const Array gamma = randn({channels}, dtype, {3, 0}), beta = randn({channels}, dtype, {4, 0});
      Dims others;
      for (int i = 0; i < shape.size(); ++i) {
        if (i != 1) others.push_back(i);
      }
      const auto [m, v] = channel_stats(x);
      BOOST_TEST((m.dtype() == kFloat64));
      BOOST_TEST(allclose(m, mean(x.to(kFloat64), others), 1e-12, 1e-14));
      BOOST_TEST(allclose(v, var(x.to(kFloat64), others, 0), 1e-12, 1e-14));
      // Composed in float64.
      Shape along = Shape::filled(shape.size(), 1);
      along[1] = channels;
      const auto wide = [&](const Array& per_channel) { return per_channel.to(kFloat64).view(along); };
      const Array inv_std = rsqrt(v + Scalar(1e-5));
      const Array x_hat = (x.to(kFloat64) - wide(m)) * wide(inv_std);
      const Array y = batch_norm_forward(x, m, inv_std, gamma, beta);
      BOOST_TEST((y.dtype() == dtype));
      BOOST_TEST(allclose(y, wide(gamma) * x_hat + wide(beta), tolerance, tolerance));
      BOOST_TEST(allclose(batch_norm_forward(x, m, inv_std, {}, {}), x_hat, tolerance, tolerance));
      const auto [sum_dy, sum_dy_x_hat] = batch_norm_backward_sums(dy, x, m, inv_std);
      BOOST_TEST(allclose(sum_dy, core::sum(dy.to(kFloat64), others), 1e-12, 1e-12));
      BOOST_TEST(allclose(sum_dy_x_hat, core::sum(dy.to(kFloat64) * x_hat, others), 1e-12, 1e-12));
      const double n = static_cast<double>(x.numel() / channels);
      const Array a = sum_dy / Scalar(n), b = sum_dy_x_hat / Scalar(n);
      const Array dx = batch_norm_backward_input(dy, x, m, inv_std, gamma, a, b);
      const Array wanted = wide(gamma) * wide(inv_std) * (dy.to(kFloat64) - wide(a) - x_hat * wide(b));
      BOOST_TEST(allclose(dx, wanted, tolerance, 4 * tolerance));
      BOOST_TEST(allclose(batch_norm_backward_input(dy, x, m, inv_std, gamma, {}, {}),
                          wide(gamma) * wide(inv_std) * dy.to(kFloat64), tolerance, tolerance));
      for (const auto& other : {reversed_in_memory(x)}) {
        const auto [m2, v2] = channel_stats(other);
        BOOST_TEST(same_bits(m2, m));
        BOOST_TEST(same_bits(v2, v));
        BOOST_TEST(same_bits(batch_norm_forward(other, m, inv_std, gamma, beta), y));
        BOOST_TEST(same_bits(batch_norm_backward_input(reversed_in_memory(dy), other, m, inv_std, gamma, a, b), dx));
      }
    }
  }
  // A mean of 10^4 deviations: float32 agrees with float64 on the same numbers.
  const Array x = (randn({256, 6}, kFloat64, {5, 0}) + Scalar(1e4)).to(kFloat32);
  Array m, v;
  std::tie(m, v) = channel_stats(x);
  const Array inv_std = rsqrt(v);
  const Array y = batch_norm_forward(x, m, inv_std, {}, {});
  const Array exact = (x.to(kFloat64) - m) * inv_std;
  BOOST_TEST(core::reduce(Reduction::Max, core::abs(y.to(kFloat64) - exact)).item<double>() < 1e-6);

  check_error<ShapeError>([] { channel_stats(zeros({3})); }, {"channel_stats", "[3]"});
  check_error<DTypeError>([] { channel_stats(zeros({3, 2}, kInt64)); }, {"int64"});
  check_error<ShapeError>([&] { batch_norm_forward(x, zeros({5}), inv_std, {}, {}); }, {"mean", "[5]", "6"});
  check_error<ValueError>([&] { batch_norm_forward(x, m, {}, {}, {}); }, {"inv_std", "defined"});
  check_error<ShapeError>([&] { batch_norm_backward_sums(zeros({2, 6}), x, m, inv_std); }, {"[2, 6]", "[256, 6]"});
  const auto [none_mean, none_var] = channel_stats(zeros({0, 3}));
  for (double value : values(none_mean)) BOOST_TEST(std::isnan(value));
  BOOST_TEST((batch_norm_forward(zeros({0, 3}), zeros({3}), ones({3}), {}, {}).shape() == Shape{0, 3}));
}

BOOST_AUTO_TEST_CASE(relu_gradient_and_masks) {
  for (DType dtype : {kFloat32, kFloat64}) {
    const Array y = list(Values{-1, 0, 2, kNan, -0.0, kInf}).to(dtype),
                dy = list(Values{1, 2, 3, 4, 5, kNan}).to(dtype);
    const Values got = values(relu_backward(dy, y));
    BOOST_TEST((Values(got.begin(), got.begin() + 5) == Values{0, 0, 3, 4, 0}));
    BOOST_TEST(std::isnan(got[5]));
    const Array mask = list(Values{0, 0, 1, 1, 0, 0}).to(kBool);
    BOOST_TEST((values(masked_scale(list(Values{kInf, kNan, 3, 4, -kInf, 1}).to(dtype), mask, 2)) ==
                Values{0, 0, 6, 8, 0, 0}));
    const Array columns = list(Values{1, 0}).to(kBool).view({2, 1});
    BOOST_TEST((values(masked_scale(ones({2, 3}, dtype), columns, 3)) == Values{3, 3, 3, 0, 0, 0}));
  }
  check_error<ShapeError>([] { relu_backward(zeros({2}), zeros({3})); }, {"relu_backward", "[2]", "[3]"});
  check_error<DTypeError>([] { relu_backward(zeros({2}), zeros({2}, kFloat64)); }, {"float32", "float64"});
  check_error<DTypeError>([] { masked_scale(zeros({2}), zeros({2}), 1); }, {"masked_scale", "bool"});
  check_error<ShapeError>([] { masked_scale(zeros({2}), zeros({3, 2}, kBool), 1); }, {"masked_scale", "[3, 2]", "[2]"});
}

BOOST_AUTO_TEST_CASE(the_same_bits_at_any_number_of_threads) {
  test::ManyThreads threads;
  const Array x = randn({512, 1000}, kFloat32, {1, 0}), d = x.to(kFloat64);
  const Array images = randn({16, 8, 30, 130}, kFloat32, {2, 0}), tall = randn({200000, 3}, kFloat32, {3, 0});
  const std::vector<std::function<Array()>> cases = {
      [&] { return core::sum(x); },
      [&] { return core::sum(x, 0); },
      [&] { return core::sum(x, 1); },
      [&] { return core::sum(tall, 0); },
      [&] {
        return core::sum(images, {0, 2, 3});
      },
      [&] {
        return core::sum(images, {1, 3});
      },
      [&] { return core::sum(d); },
      [&] { return core::reduce(Reduction::Prod, x * Scalar(1.4), 1); },
      [&] { return core::reduce(Reduction::Max, x); },
      [&] { return var(x); },
      [&] { return var(x, 0); },
      [&] { return argmax(x); },
      [&] { return std::get<1>(core::max(x, 0)); },
      [&] { return softmax(x, 1); },
      [&] { return log_softmax(x, 0); },
      [&] { return logsumexp(x, 1); },
      [&] { return std::get<1>(channel_stats(images)); },
      [&] { return std::get<1>(batch_norm_backward_sums(images, images * images, zeros({8}), ones({8}))); },
      [&] { return batch_norm_forward(images, zeros({8}), ones({8}), {}, {}); },
      [&] { return relu_backward(x, x); },
  };
  for (const auto& make : cases) {
    Array first;
    threads.each([&] {
      const Array y = make();
      if (!first.defined()) first = y;
      if (!same_bits(y, first)) BOOST_ERROR("other bits");
    });
  }
  // A flat index over pieces, with the extreme in each of them.
  for (std::int64_t at : {0, 32767, 32768, 100000, 131071, 131072, 150000, 199999}) {
    const Array y = zeros({200000});
    y.select(0, at).fill_(1);
    BOOST_TEST(argmax(y).item<std::int64_t>() == at);
    BOOST_TEST(argmin(y * Scalar(-1)).item<std::int64_t>() == at);
    y.select(0, at).fill_(kNan);
    BOOST_TEST(argmin(y).item<std::int64_t>() == at);
  }
  BOOST_TEST(argmax(zeros({200000})).item<std::int64_t>() == 0);
}

BOOST_AUTO_TEST_SUITE_END()
