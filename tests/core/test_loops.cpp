// Every pointwise operation, reduction and copy against the naive loops of core/loops/reference.h, over drawn shapes,
// strides and dtypes. (How exact functions are is for test_math.cpp: here it is whether each element is the one that it
// should be.)
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include <gradus/autograd/tensor/create.h>
#include <gradus/core/loops/reference.h>
#include <gradus/gradus.h>

#include "../support/sanitized.h"

namespace gradus::test {
namespace {

using core::Array;
using core::Dims;
using core::Shape;
namespace reference = core::reference;

struct Random {
  std::mt19937_64 engine;
  explicit Random(std::uint64_t seed) : engine(seed) {}
  std::int64_t operator()(std::int64_t low, std::int64_t high) {  // both included
    return low + static_cast<std::int64_t>(engine() % static_cast<std::uint64_t>(high - low + 1));
  }
};
constexpr DType kAll[] = {kBool, kUInt8, kInt32, kInt64, kFloat32, kFloat64};

Shape drawn_shape(Random& random) {
  std::vector<std::int64_t> sizes;
  for (std::int64_t dims = random(0, 4), i = 0; i < dims; ++i) sizes.push_back(random(0, 9) == 0 ? 0 : random(1, 5));
  // Some longer than any vector, here and there.
  if (!sizes.empty() && random(0, 1) == 0) {
    sizes[static_cast<std::size_t>(random(0, static_cast<std::int64_t>(sizes.size()) - 1))] = random(1, 150);
  }
  return {sizes};
}

// Memory for a shape in a drawn layout: permuted, with steps and gaps between the elements; never overlapping.
Array drawn_layout(const Shape& shape, DType dtype, Random& random) {
  std::vector<std::int64_t> order, back(static_cast<std::size_t>(shape.size()));
  for (int d = 0; d < shape.size(); ++d) order.insert(order.begin() + random(0, d), d);
  Shape wide = shape;
  std::vector<std::int64_t> step(order.size(), 1), first(order.size(), 0);
  for (std::size_t k = 0; k < order.size(); ++k) {
    back[static_cast<std::size_t>(order[k])] = static_cast<std::int64_t>(k);
    step[k] = random(0, 2) == 0 ? random(2, 3) : 1;
    first[k] = random(0, 2) == 0 ? random(1, 2) : 0;
    wide[static_cast<int>(k)] = shape[static_cast<int>(order[k])] * step[k] + first[k] + random(0, 1);
  }
  Array x = core::zeros(wide, dtype);
  for (std::size_t k = 0; k < order.size(); ++k) {
    const auto d = static_cast<std::int64_t>(k);
    const std::int64_t size = shape[static_cast<int>(order[k])];
    x = x.slice(d, first[k], first[k] + size * step[k], step[k]);
  }
  return x.permute(back);
}

// Numbers in it: quarters in [low, high], which float32 holds exactly, whole ones for integers. Some dimensions are
// repeated (of stride 0).
Array drawn_array(const Shape& shape, DType dtype, double low, double high, Random& random) {
  Shape stored = shape;
  for (int d = 0; d < shape.size(); ++d) {
    if (shape[d] > 1 && random(0, 5) == 0) stored[d] = 1;
  }
  const Array x = drawn_layout(stored, dtype, random);
  const double unit = is_floating_point(dtype) ? 0.25 : 1;
  const auto most = static_cast<std::int64_t>(std::floor(dtype == kBool ? 1 : high / unit));
  const auto least =
      static_cast<std::int64_t>(std::ceil(dtype == kBool || dtype == kUInt8 ? std::max(low, 0.0) : low / unit));
  reference::pointwise(x, [&] { return unit * static_cast<double>(random(std::min(least, most), most)); });
  return x.expand(shape);
}

double rounded(double value, DType dtype) {
  return dtype == kFloat32 ? static_cast<double>(static_cast<float>(value)) : value;
}

// Every element, to so many units of the last place; NaN where NaN is.
void check_same(const Array& got, const Array& expected, double ulps, const std::string& what) {
  BOOST_REQUIRE_MESSAGE(got.shape() == expected.shape(),
                        what << ": " << core::to_string(got.shape()) << " for " << core::to_string(expected.shape()));
  const double epsilon = got.dtype() == kFloat32 ? 0x1p-23 : 0x1p-52;
  int wrong = 0;
  reference::for_each_index(got.shape(), [&](const Dims& i) {
    const double a = reference::read(got, i), b = rounded(reference::read(expected, i), got.dtype());
    const bool same = a == b || (std::isnan(a) && std::isnan(b)) || std::abs(a - b) <= ulps * epsilon * std::abs(b);
    if (!same && wrong++ == 0) BOOST_ERROR(what << " at " << core::to_string(i) << ": " << a << " for " << b);
  });
}

// Shape, strides and dtype, for a message.
std::string described(const Array& x) {
  return core::to_string(x.shape()) + " with strides " + core::to_string(Dims(x.strides())) + " of " +
         std::string(to_string(x.dtype()));
}

enum class Of { All, Integers, Floats };
bool takes(Of of, DType dtype) { return of == Of::All || is_floating_point(dtype) == (of == Of::Floats); }

struct Function {
  const char* name;
  std::function<Tensor(const Tensor&)> run;
  double (*exact)(double);
  double low = -4, high = 4;
  bool of_bool = true;
  Of of = Of::All;
};
struct Function2 {
  const char* name;
  std::function<Tensor(const Tensor&, const Tensor&)> run;
  double (*exact)(double, double);
  double low = -4, high = 4;
  bool of_bool = true;
  Of of = Of::All;
};

constexpr int kRounds = kSanitized ? 3 : 25;

}  // namespace

BOOST_AUTO_TEST_SUITE(loops)

// The reference itself, by numbers that one can count.
BOOST_AUTO_TEST_CASE(the_reference) {
  const Array x = core::arange(0, 6, 1, kInt32).view({2, 3}), y = core::zeros({3, 2}, kFloat32),
              sum = core::zeros({1, 2});
  reference::pointwise(
      y, [](double a, double b) { return 10 * a + b; }, x.t(), core::full({1, 2}, 0.5, kFloat64));
  const float expected[] = {0.5f, 30.5f, 10.5f, 40.5f, 20.5f, 50.5f};
  BOOST_CHECK_EQUAL_COLLECTIONS(y.data_ptr<float>(), y.data_ptr<float>() + 6, expected, expected + 6);
  reference::fold(
      sum, 1, [](double a, double b) { return a + b; }, x.t());
  BOOST_TEST(sum.data_ptr<float>()[0] == 4);
  BOOST_TEST(sum.data_ptr<float>()[1] == 13);
}

BOOST_AUTO_TEST_CASE(functions_of_one_operand) {
  const std::vector<Function> functions = {
      {"neg", [](const Tensor& x) { return neg(x); }, [](double x) { return -x; }, -4, 4, false},
      {"abs", [](const Tensor& x) { return abs(x); }, [](double x) { return std::abs(x); }, -4, 4, false},
      {"sign", [](const Tensor& x) { return sign(x); }, [](double x) { return double((x > 0) - (x < 0)); }, -4, 4,
       false},
      {"square", [](const Tensor& x) { return square(x); }, [](double x) { return x * x; }, -4, 4, false},
      {"relu", [](const Tensor& x) { return relu(x); }, [](double x) { return x > 0 ? x : 0; }, -4, 4, false},
      {"floor", [](const Tensor& x) { return floor(x); }, std::floor, -4, 4, false},
      {"ceil", [](const Tensor& x) { return ceil(x); }, std::ceil, -4, 4, false},
      {"round", [](const Tensor& x) { return round(x); }, std::nearbyint, -4, 4, false},
      {"trunc", [](const Tensor& x) { return trunc(x); }, std::trunc, -4, 4, false},
      {"sqrt", [](const Tensor& x) { return sqrt(x); }, std::sqrt, 0, 9},
      {"rsqrt", [](const Tensor& x) { return rsqrt(x); }, [](double x) { return 1 / std::sqrt(x); }, 0, 9},
      {"reciprocal", [](const Tensor& x) { return reciprocal(x); }, [](double x) { return 1 / x; }},
      {"exp", [](const Tensor& x) { return exp(x); }, std::exp},
      {"exp2", [](const Tensor& x) { return exp2(x); }, std::exp2},
      {"expm1", [](const Tensor& x) { return expm1(x); }, std::expm1},
      {"log", [](const Tensor& x) { return log(x); }, std::log, 0, 9},
      {"log1p", [](const Tensor& x) { return log1p(x); }, std::log1p, 0, 9},
      {"log2", [](const Tensor& x) { return log2(x); }, std::log2, 0, 9},
      {"log10", [](const Tensor& x) { return log10(x); }, std::log10, 0, 9},
      {"sin", [](const Tensor& x) { return sin(x); }, std::sin},
      {"cos", [](const Tensor& x) { return cos(x); }, std::cos},
      {"tan", [](const Tensor& x) { return tan(x); }, std::tan},
      {"asin", [](const Tensor& x) { return asin(x); }, std::asin},
      {"acos", [](const Tensor& x) { return acos(x); }, std::acos},
      {"atan", [](const Tensor& x) { return atan(x); }, std::atan},
      {"sinh", [](const Tensor& x) { return sinh(x); }, std::sinh},
      {"cosh", [](const Tensor& x) { return cosh(x); }, std::cosh},
      {"tanh", [](const Tensor& x) { return tanh(x); }, std::tanh},
      {"sigmoid", [](const Tensor& x) { return sigmoid(x); }, [](double x) { return 1 / (1 + std::exp(-x)); }},
      {"erf", [](const Tensor& x) { return erf(x); }, std::erf},
      {"frac", [](const Tensor& x) { return frac(x); }, [](double x) { return x - std::trunc(x); }, -4, 4, false,
       Of::Floats},
      {"hardshrink", [](const Tensor& x) { return hardshrink(x, 1); }, [](double x) { return std::abs(x) > 1 ? x : 0; },
       -4, 4, false, Of::Floats},
      {"softshrink", [](const Tensor& x) { return softshrink(x, 1); },
       [](double x) { return x > 1    ? x - 1
                             : x < -1 ? x + 1
                                      : 0; }, -4, 4, false, Of::Floats},
      {"hardsigmoid", [](const Tensor& x) { return hardsigmoid(x); },
       [](double x) { return std::clamp(x + 3, 0.0, 6.0) / 6; }, -4, 4, false, Of::Floats},
      {"hardswish", [](const Tensor& x) { return hardswish(x); },
       [](double x) { return x * std::clamp(x + 3, 0.0, 6.0) / 6; }, -4, 4, false, Of::Floats},
      {"bitwise_not", [](const Tensor& x) { return bitwise_not(x); }, [](double x) { return -x - 1; }, -9, 9, false,
       Of::Integers},
      {"isnan", [](const Tensor& x) { return isnan(x); }, [](double x) { return double(std::isnan(x)); }},
      {"isfinite", [](const Tensor& x) { return isfinite(x); }, [](double x) { return double(std::isfinite(x)); }},
      {"logical_not", [](const Tensor& x) { return logical_not(x); }, [](double x) { return double(x == 0); }},
  };
  for (const Function& f : functions) {
    Random random(1);
    for (int round = 0; round < kRounds; ++round) {
      for (const DType dtype : kAll) {
        if (dtype == kBool && !f.of_bool) continue;
        if (!takes(f.of, dtype)) continue;
        if (dtype == kUInt8 && (f.name == std::string("neg") || f.of == Of::Integers)) continue;  // wraps around
        const Array x = drawn_array(drawn_shape(random), dtype, f.low, f.high, random);
        const Array y = f.run(Tensor(x)).array(), expected = core::empty(x.shape(), kFloat64);
        reference::pointwise(expected, f.exact, x);
        check_same(y, expected, 8, std::string(f.name) + " of " + described(x));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(functions_of_two_operands) {
  const auto modulo = [](double a, double b) {
    const double r = std::fmod(a, b);
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
  };
  const std::vector<Function2> functions = {
      {"add", [](const Tensor& a, const Tensor& b) { return a + b; }, [](double a, double b) { return a + b; }, 0, 9,
       false},
      {"sub", [](const Tensor& a, const Tensor& b) { return a - b; }, [](double a, double b) { return a - b; }, -4, 4,
       false},
      {"mul", [](const Tensor& a, const Tensor& b) { return a * b; }, [](double a, double b) { return a * b; }},
      {"div", [](const Tensor& a, const Tensor& b) { return a / b; }, [](double a, double b) { return a / b; }, 1, 9},
      {"pow", [](const Tensor& a, const Tensor& b) { return pow(a, b); }, std::pow, 1, 3, false},
      {"maximum", [](const Tensor& a, const Tensor& b) { return maximum(a, b); },
       [](double a, double b) { return std::max(a, b); }},
      {"minimum", [](const Tensor& a, const Tensor& b) { return minimum(a, b); },
       [](double a, double b) { return std::min(a, b); }},
      {"fmod", [](const Tensor& a, const Tensor& b) { return fmod(a, b); }, std::fmod, 1, 9, false},
      {"remainder", [](const Tensor& a, const Tensor& b) { return remainder(a, b); }, modulo, 1, 9, false},
      {"floor_divide", [](const Tensor& a, const Tensor& b) { return floor_divide(a, b); },
       [](double a, double b) { return std::floor(a / b); }, 1, 9, false},
      {"copysign", [](const Tensor& a, const Tensor& b) { return copysign(a, b); }, std::copysign},
      {"fmax", [](const Tensor& a, const Tensor& b) { return fmax(a, b); }, std::fmax},
      {"fmin", [](const Tensor& a, const Tensor& b) { return fmin(a, b); }, std::fmin},
      {"lerp", [](const Tensor& a, const Tensor& b) { return lerp(a, b, 0.25); },
       [](double a, double b) { return a + 0.25 * (b - a); }, -4, 4, false, Of::Floats},
      {"bitwise_and", [](const Tensor& a, const Tensor& b) { return bitwise_and(a, b); },
       [](double a, double b) { return double(std::int64_t(a) & std::int64_t(b)); }, -9, 9, true, Of::Integers},
      {"bitwise_or", [](const Tensor& a, const Tensor& b) { return bitwise_or(a, b); },
       [](double a, double b) { return double(std::int64_t(a) | std::int64_t(b)); }, -9, 9, true, Of::Integers},
      {"bitwise_xor", [](const Tensor& a, const Tensor& b) { return bitwise_xor(a, b); },
       [](double a, double b) { return double(std::int64_t(a) ^ std::int64_t(b)); }, -9, 9, true, Of::Integers},
      {"bitwise_left_shift", [](const Tensor& a, const Tensor& b) { return bitwise_left_shift(a, b); },
       [](double a, double b) { return std::ldexp(a, int(b)); }, 0, 4, false, Of::Integers},
      {"atan2", [](const Tensor& a, const Tensor& b) { return atan2(a, b); }, std::atan2},
      {"eq", [](const Tensor& a, const Tensor& b) { return eq(a, b); },
       [](double a, double b) { return double(a == b); }},
      {"ne", [](const Tensor& a, const Tensor& b) { return ne(a, b); },
       [](double a, double b) { return double(a != b); }},
      {"lt", [](const Tensor& a, const Tensor& b) { return a < b; }, [](double a, double b) { return double(a < b); }},
      {"le", [](const Tensor& a, const Tensor& b) { return a <= b; },
       [](double a, double b) { return double(a <= b); }},
      {"gt", [](const Tensor& a, const Tensor& b) { return a > b; }, [](double a, double b) { return double(a > b); }},
      {"ge", [](const Tensor& a, const Tensor& b) { return a >= b; },
       [](double a, double b) { return double(a >= b); }},
      {"logical_and", [](const Tensor& a, const Tensor& b) { return logical_and(a, b); },
       [](double a, double b) { return double(a != 0 && b != 0); }},
      {"logical_or", [](const Tensor& a, const Tensor& b) { return logical_or(a, b); },
       [](double a, double b) { return double(a != 0 || b != 0); }},
      {"logical_xor", [](const Tensor& a, const Tensor& b) { return logical_xor(a, b); },
       [](double a, double b) { return double((a != 0) != (b != 0)); }},
  };
  for (const Function2& f : functions) {
    Random random(2);
    for (int round = 0; round < kRounds; ++round) {
      for (const DType dtype : kAll) {
        if (dtype == kBool && !f.of_bool) continue;
        if (!takes(f.of, dtype)) continue;
        if (dtype == kUInt8 && f.name == std::string("sub")) continue;  // wraps around
        const Shape shape = drawn_shape(random);
        Shape of[2] = {shape, shape};
        for (Shape& one : of) {  // operands that broadcast, as often as not
          for (int d = 0; d < one.size(); ++d) {
            if (random(0, 4) == 0) one[d] = 1;
          }
        }
        const Array a = drawn_array(of[0], dtype, f.low, f.high, random),
                    b = drawn_array(of[1], dtype, f.low, f.high, random);
        Shape whole = of[0];
        for (int d = 0; d < whole.size(); ++d) whole[d] = of[0][d] == 1 ? of[1][d] : of[0][d];
        const Array y = f.run(Tensor(a), Tensor(b)).array(), expected = core::empty(whole, kFloat64);
        reference::pointwise(expected, f.exact, a, b);
        check_same(y, expected, 8, std::string(f.name) + " of " + described(a) + " and " + described(b));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(choices) {
  Random random(3);
  for (int round = 0; round < 4 * kRounds; ++round) {
    for (const DType dtype : kAll) {
      const Shape shape = drawn_shape(random);
      const Array mask = drawn_array(shape, kBool, 0, 1, random), a = drawn_array(shape, dtype, -4, 4, random),
                  b = drawn_array(shape, dtype, -4, 4, random), expected = core::empty(shape, kFloat64);
      reference::pointwise(
          expected, [](double m, double u, double v) { return m != 0 ? u : v; }, mask, a, b);
      check_same(where(Tensor(mask), Tensor(a), Tensor(b)).array(), expected, 0,
                 "where of " + described(mask) + ", " + described(a) + ", " + described(b));
    }
  }
}

// Three operands that broadcast.
BOOST_AUTO_TEST_CASE(products_added) {
  Random random(7);
  for (int round = 0; round < kRounds; ++round) {
    for (const DType dtype : {kFloat32, kFloat64}) {
      const Shape shape = drawn_shape(random);
      const Array x = drawn_array(shape, dtype, -4, 4, random), a = drawn_array(shape, dtype, -4, 4, random),
                  b = drawn_array(shape, dtype, 1, 4, random), expected = core::empty(shape, kFloat64);
      const std::string of = " of " + described(x) + ", " + described(a) + ", " + described(b);
      reference::pointwise(
          expected, [](double p, double q, double r) { return p + 0.5 * q * r; }, x, a, b);
      check_same(addcmul(Tensor(x), Tensor(a), Tensor(b), 0.5).array(), expected, 0, "addcmul" + of);
      reference::pointwise(
          expected, [](double p, double q, double r) { return p + r * (q - p); }, x, a, b);
      check_same(lerp(Tensor(x), Tensor(a), Tensor(b)).array(), expected, 0, "lerp" + of);
    }
  }
}

BOOST_AUTO_TEST_CASE(reductions) {
  struct Fold {
    const char* name;
    std::function<Tensor(const Tensor&, const std::vector<std::int64_t>&)> run;
    double start;
    double (*step)(double, double);
    bool of_nothing = true;
  };
  const std::vector<Fold> folds = {
      {"sum", [](const Tensor& x, const auto& dims) { return sum(x, dims, true); }, 0,
       [](double a, double b) { return a + b; }},
      {"amax", [](const Tensor& x, const auto& dims) { return amax(x, dims, true); }, -HUGE_VAL,
       [](double a, double b) { return std::max(a, b); }, false},
      {"amin", [](const Tensor& x, const auto& dims) { return amin(x, dims, true); }, HUGE_VAL,
       [](double a, double b) { return std::min(a, b); }, false},
      {"all",
       [](const Tensor& x, const auto& dims) {
         Tensor y = x;
         for (const std::int64_t d : dims) y = all(y, d, true);
         return y;
       },
       1, [](double a, double b) { return double(a != 0 && b != 0); }},
      {"any",
       [](const Tensor& x, const auto& dims) {
         Tensor y = x;
         for (const std::int64_t d : dims) y = any(y, d, true);
         return y;
       },
       0, [](double a, double b) { return double(a != 0 || b != 0); }},
  };
  for (const Fold& f : folds) {
    Random random(4);
    for (int round = 0; round < 2 * kRounds; ++round) {
      for (const DType dtype : kAll) {
        const Shape shape = drawn_shape(random);
        std::vector<std::int64_t> dims;
        Shape kept = shape;
        for (int d = 0; d < shape.size(); ++d) {
          if (random(0, 1) == 0) continue;
          dims.push_back(d);
          kept[d] = 1;
        }
        if (dims.empty() || (!f.of_nothing && core::numel_of(shape) == 0)) continue;
        const Array x = drawn_array(shape, dtype, -4, 4, random), expected = core::empty(kept, kFloat64);
        reference::fold(expected, f.start, f.step, x);
        Array y = f.run(Tensor(x), dims).array();
        check_same(y, expected, 8,
                   std::string(f.name) + " of " + described(x) + " over " + core::to_string(Dims(dims)));
      }
    }
  }
  // Of small numbers: nothing overflows.
  Random random(5);
  for (int round = 0; round < 2 * kRounds; ++round) {
    for (const DType dtype : kAll) {
      const Shape shape = drawn_shape(random);
      if (shape.size() == 0) continue;
      const std::int64_t dim = random(0, shape.size() - 1);
      Shape kept = shape;
      kept[static_cast<int>(dim)] = 1;
      const Array x = drawn_array(shape, dtype, 1, is_floating_point(dtype) ? 1.25 : 1, random),
                  expected = core::empty(kept, kFloat64);
      reference::fold(
          expected, 1, [](double a, double b) { return a * b; }, x);
      check_same(prod(Tensor(x), dim, true).array(), expected, 200, "prod of " + described(x));
    }
  }
}

// From every dtype and layout to every other: numbers that both hold.
BOOST_AUTO_TEST_CASE(copies) {
  Random random(6);
  for (int round = 0; round < kRounds; ++round) {
    for (const DType from : kAll) {
      for (const DType to : kAll) {
        const Shape shape = drawn_shape(random);
        const bool whole = !is_floating_point(to) && is_floating_point(from);
        Array x = drawn_array(shape, from, 0, 9, random);
        if (whole) x = floor(Tensor(x)).array();
        const Array y = drawn_layout(shape, to, random), expected = core::empty(shape, to);
        reference::pointwise(
            expected, [](double v) { return v; }, x);
        y.copy_(x);
        check_same(y, expected, 0, "copy of " + described(x) + " to " + described(y));
        check_same(x.to(to), expected, 0, "to of " + described(x));
        check_same(x.clone(), x, 0, "clone of " + described(x));
        check_same(x.contiguous(), x, 0, "contiguous of " + described(x));
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
