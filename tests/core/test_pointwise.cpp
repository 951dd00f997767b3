// Element-by-element operations against plain loops: every operation, dtype and layout; promotion, broadcasting,
// writing in place, errors, and the same bits at any number of threads.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <limits>
#include <string>
#include <set>
#include <string>
#include <vector>

#include <gradus/core/array/create.h>
#include <gradus/core/simd/instruction_set.h>
#include <gradus/core/threads/parallel.h>
#include <gradus/core/ops/pointwise.h>
#include <gradus/core/ops/random.h>

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

/// The numbers in other places in memory.
enum class Layout { Contiguous, Offset, Transposed, Stepped };
const std::vector<Layout> kLayouts = {Layout::Contiguous, Layout::Offset, Layout::Transposed, Layout::Stepped};

Array arranged(const Array& x, Layout layout) {
  const std::int64_t n = x.numel();
  switch (layout) {
    case Layout::Contiguous:
      return x.clone();
    case Layout::Offset: {
      const Array room = zeros({n + 1}, x.dtype()).narrow(0, 1, n).view(x.shape());
      return room.copy_(x);
    }
    case Layout::Transposed: {
      Dims reversed;
      for (int i = x.dim(); i-- > 0;) reversed.push_back(i);
      return x.permute(reversed).clone().permute(reversed);
    }
    case Layout::Stepped: {
      if (x.dim() == 0) return zeros({3}, x.dtype()).select(0, 1).copy_(x);
      Shape wide = x.shape();
      wide[wide.size() - 1] = 2 * wide[wide.size() - 1] + 1;
      return zeros(wide, x.dtype()).slice(-1, 1, wide[wide.size() - 1], 2).copy_(x);
    }
  }
  return {};
}

/// Numbers of a dtype that every operation can do something with, none of them 0 but for Bool.
Array numbers(const Shape& shape, DType dtype, int seed) {
  const std::int64_t n = numel_of(shape);
  std::vector<double> all;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto k = static_cast<double>((i * 7 + seed * 13) % 23);  // 0 .. 22
    switch (dtype) {
      case kBool:
        all.push_back(static_cast<int>(k) % 3 == 0 ? 0 : 1);
        break;
      case kUInt8:
        all.push_back(k + 1);
        break;
      case kInt32:
      case kInt64:
        all.push_back(k < 11 ? k - 11 : k - 10);
        break;
      default:
        all.push_back(0.25 * k - 2.6);
        break;
    }
  }
  return list(all).to(dtype).view(shape);
}

bool same_bits(const Array& a, const Array& b) {
  if (a.shape() != b.shape() || a.dtype() != b.dtype()) return false;
  const Array x = a.contiguous(), y = b.contiguous();
  return x.numel() == 0 || std::memcmp(x.data(), y.data(), static_cast<std::size_t>(x.numel() * x.element_size())) == 0;
}

double sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }

/// Every row, and what it computes of one number, or of two.
struct OfOne {
  const UnaryRow& row;
  double (*f)(double);
};
struct OfTwo {
  const BinaryRow& row;
  double (*f)(double, double);
};
// clang-format off: one operation a line
const OfOne of_one[] = {
    {core::neg, [](double x) -> double { return -x; }},
    {core::abs, [](double x) -> double { return std::abs(x); }},
    {core::sign, [](double x) -> double { return sign(x); }},
    {core::square, [](double x) -> double { return x * x; }},
    {core::relu, [](double x) -> double { return x < 0 ? 0 : x; }},
    {core::floor, [](double x) -> double { return std::floor(x); }},
    {core::ceil, [](double x) -> double { return std::ceil(x); }},
    {core::round, [](double x) -> double { return std::nearbyint(x); }},
    {core::trunc, [](double x) -> double { return std::trunc(x); }},
    {core::sqrt, [](double x) -> double { return std::sqrt(x); }},
    {core::rsqrt, [](double x) -> double { return 1 / std::sqrt(x); }},
    {core::reciprocal, [](double x) -> double { return 1 / x; }},
    {core::exp, [](double x) -> double { return std::exp(x); }},
    {core::exp2, [](double x) -> double { return std::exp2(x); }},
    {core::expm1, [](double x) -> double { return std::expm1(x); }},
    {core::log, [](double x) -> double { return std::log(x); }},
    {core::log1p, [](double x) -> double { return std::log1p(x); }},
    {core::log2, [](double x) -> double { return std::log2(x); }},
    {core::log10, [](double x) -> double { return std::log10(x); }},
    {core::sin, [](double x) -> double { return std::sin(x); }},
    {core::cos, [](double x) -> double { return std::cos(x); }},
    {core::tan, [](double x) -> double { return std::tan(x); }},
    {core::asin, [](double x) -> double { return std::asin(x); }},
    {core::acos, [](double x) -> double { return std::acos(x); }},
    {core::atan, [](double x) -> double { return std::atan(x); }},
    {core::sinh, [](double x) -> double { return std::sinh(x); }},
    {core::cosh, [](double x) -> double { return std::cosh(x); }},
    {core::tanh, [](double x) -> double { return std::tanh(x); }},
    {core::sigmoid, [](double x) -> double { return 1 / (1 + std::exp(-x)); }},
    {core::erf, [](double x) -> double { return std::erf(x); }},
    {core::logical_not, [](double x) -> double { return x == 0; }},
    {core::isnan, [](double x) -> double { return std::isnan(x); }},
    {core::isinf, [](double x) -> double { return std::isinf(x); }},
    {core::isfinite, [](double x) -> double { return std::isfinite(x); }},
};
const OfTwo of_two[] = {
    {core::add, [](double a, double b) -> double { return a + b; }},
    {core::sub, [](double a, double b) -> double { return a - b; }},
    {core::mul, [](double a, double b) -> double { return a * b; }},
    {core::div, [](double a, double b) -> double { return a / b; }},
    {core::pow, [](double a, double b) -> double { return std::pow(a, b); }},
    {core::maximum,
     [](double a, double b) -> double { return std::isnan(a) || std::isnan(b) ? kNan : std::max(a, b); }},
    {core::minimum,
     [](double a, double b) -> double { return std::isnan(a) || std::isnan(b) ? kNan : std::min(a, b); }},
    {core::fmod, [](double a, double b) -> double { return std::fmod(a, b); }},
    {core::atan2, [](double a, double b) -> double { return std::atan2(a, b); }},
    {core::eq, [](double a, double b) -> double { return a == b; }},
    {core::ne, [](double a, double b) -> double { return a != b; }},
    {core::lt, [](double a, double b) -> double { return a < b; }},
    {core::le, [](double a, double b) -> double { return a <= b; }},
    {core::gt, [](double a, double b) -> double { return a > b; }},
    {core::ge, [](double a, double b) -> double { return a >= b; }},
    {core::logical_and, [](double a, double b) -> double { return a != 0 && b != 0; }},
    {core::logical_or, [](double a, double b) -> double { return a != 0 || b != 0; }},
    {core::logical_xor, [](double a, double b) -> double { return (a != 0) != (b != 0); }},
    {core::remainder,
     [](double a, double b) {
       const double r = std::fmod(a, b);
       return r != 0 && (r < 0) != (b < 0) ? r + b : r;
     }},
};
// clang-format on

/// Within a few units of the last place of what the dtype holds; integers as they wrap around.
bool near(double got, double wanted, DType dtype) {
  if (std::isnan(wanted)) return std::isnan(got);
  if (dtype == kBool) return got == (wanted != 0);
  if (dtype == kUInt8) return got == static_cast<double>(static_cast<std::uint8_t>(static_cast<std::int64_t>(wanted)));
  if (!is_floating_point(dtype)) return got == std::trunc(wanted);
  if (got == wanted) return true;
  const double rounding = dtype == kFloat32 ? 2.4e-7 : 8.9e-16;
  return std::abs(got - wanted) <= rounding * std::abs(wanted) + (dtype == kFloat32 ? 1e-12 : 1e-20);
}

bool defined_for(const UnaryRow& op, DType dtype) {
  return dtype != kBool || &op == &core::sign || op.yields != Yields::Same;
}
bool defined_for(const BinaryRow& op, DType dtype) {
  return dtype != kBool || !(&op == &core::sub || &op == &core::pow || op.divides);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pointwise)

// The rows that the header declares are those of the tables above, but for functions of the C library: these are their own
// references.
BOOST_AUTO_TEST_CASE(every_row_has_a_reference) {
  std::set<std::string> declared, known;
  std::ifstream header(std::string(GRADUS_TEST_DATA) + "/../../core/ops/pointwise.h");
  const std::string start[] = {"inline constexpr UnaryRow ", "inline constexpr BinaryRow "};
  for (std::string line; std::getline(header, line);) {
    for (const std::string& text : start) {
      const bool is_library = line.find("Kernels::Library") != std::string::npos;
      if (line.starts_with(text) && !is_library)
        declared.insert(line.substr(text.size(), line.find('{') - text.size()));
    }
  }
  for (const OfOne& each : of_one) {
    if (each.row.kernels != Kernels::Library) known.emplace(each.row.name);
  }
  for (const OfTwo& each : of_two) {
    if (each.row.kernels != Kernels::Library) known.emplace(each.row.name);
  }
  BOOST_TEST(declared.size() > 40);
  BOOST_TEST(declared == known, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(unary_operations_on_every_dtype_and_layout) {
  const std::vector<Shape> shapes = {{}, {1}, {5}, {3, 4}, {2, 3, 37}, {40, 70}, {0}, {2, 0, 3}};
  int index = 0;
  for (const OfOne& each : of_one) {
    const auto& op = each.row;
    const auto reference = each.f;
    ++index;
    for (DType dtype : kAll) {
      for (const Shape& shape : shapes) {
        const Array x = numbers(shape, dtype, index);
        if (!defined_for(op, dtype)) {
          check_error<DTypeError>([&] { op(x); }, {std::string(op.name), "bool"});
          continue;
        }
        const Array y = op(x);
        const DType wanted = op.yields == Yields::Bool                                    ? kBool
                             : op.yields == Yields::Floating && !is_floating_point(dtype) ? kFloat32
                                                                                          : dtype;
        BOOST_TEST((y.dtype() == wanted));
        BOOST_TEST((y.shape() == shape));
        BOOST_TEST(y.is_contiguous());
        const Values in = values(x), out = values(y);
        for (std::size_t i = 0; i < in.size(); ++i) {
          const double exact = reference(in[i]);
          if (!near(out[i], exact, wanted)) {
            BOOST_ERROR(std::string(op.name)
                        << " of " << to_string(dtype) << " at " << in[i] << ": " << out[i] << ", not " << exact);
          }
        }
        for (Layout layout : kLayouts) {
          BOOST_TEST(same_bits(op(arranged(x, layout)), y),
                     op.name << " " << to_string(dtype) << " layout " << static_cast<int>(layout));
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(binary_operations_on_every_pair_of_dtypes_and_layouts) {
  const Shape shape{3, 37};
  for (const OfTwo& each : of_two) {
    const auto& op = each.row;
    const auto reference = each.f;
    for (DType left : kAll) {
      for (DType right : kAll) {
        const DType common = promote_types(left, right);
        const Array a = numbers(shape, left, 1);
        // Small positive exponents, so that integers neither wrap around nor have fractions; no divisor of 0.
        Array b = numbers(shape, right, 2);
        if (&op == &core::pow && !is_floating_point(common)) b = core::abs(b.to(kInt64)).to(kFloat64).to(right);
        if (&op == &core::pow) {
          const Array small = core::remainder(core::abs(b.to(kFloat64)), 4.0);
          b = small.to(right);
        }
        if (op.divides && right == kBool) b = ones(shape, kBool);
        if (!defined_for(op, common)) {
          check_error<DTypeError>([&] { op(a, b); }, {std::string(op.name), "bool"});
          continue;
        }
        const Array y = op(a, b);
        const DType wanted = op.yields == Yields::Bool                                     ? kBool
                             : op.yields == Yields::Floating && !is_floating_point(common) ? kFloat32
                                                                                           : common;
        BOOST_TEST((y.dtype() == wanted));
        // What the kernel sees: both in the common dtype.
        const Values p = values(a.to(common)), q = values(b.to(common)), out = values(y);
        for (std::size_t i = 0; i < p.size(); ++i) {
          const double exact = reference(p[i], q[i]);
          const bool tolerant = &op == &core::pow && std::abs(out[i] - exact) <= 5e-7 * std::abs(exact);
          if (!near(out[i], exact, wanted) && !tolerant) {
            BOOST_ERROR(std::string(op.name) << " of " << to_string(left) << " and " << to_string(right) << " at "
                                             << p[i] << ", " << q[i] << ": " << out[i] << ", not " << exact);
          }
        }
        for (Layout first : kLayouts) {
          for (Layout second : kLayouts) {
            BOOST_TEST(same_bits(op(arranged(a, first), arranged(b, second)), y));
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(broadcasting) {
  const std::vector<std::pair<Shape, Shape>> pairs = {
      {{3, 4}, {4}},         {{3, 4}, {3, 1}},    {{3, 1}, {1, 4}},       {{2, 3, 5}, {3, 1}}, {{}, {3, 4}},
      {{1}, {2, 2}},         {{4, 1, 3}, {2, 1}}, {{0, 3}, {3}},          {{2, 0}, {1}},       {{1, 3}, {0, 3}},
      {{64, 10}, {10}},      {{64, 10}, {64, 1}}, {{2, 3, 4, 5}, {4, 1}}, {{50, 40}, {40}},    {{5, 1, 70}, {1, 33, 1}},
      {{2, 64, 7}, {64, 1}}, {{9, 127}, {9, 1}},  {{9, 128}, {9, 1}},     {{9, 129}, {9, 1}},  {{3, 2500}, {3, 1}}};
  for (const auto& [p, q] : pairs) {
    const Shape shape = broadcast_shapes(p, q, "test");
    for (DType dtype : {kFloat32, kInt64, kUInt8}) {
      const Array a = numbers(p, dtype, 1), b = numbers(q, dtype, 2);
      const Array whole_a = a.expand(shape).clone(), whole_b = b.expand(shape).clone();
      for (Layout layout : kLayouts) {
        const Array y = core::sub(arranged(a, layout), arranged(b, layout));
        BOOST_TEST(same_bits(y, core::sub(whole_a, whole_b)));
        BOOST_TEST(same_bits(core::sub(a.expand(shape), b.expand(shape)), y));
      }
      const Values l = values(whole_a), r = values(whole_b), got = values(core::sub(a, b));
      for (std::size_t i = 0; i < got.size(); ++i) BOOST_TEST(near(got[i], l[i] - r[i], dtype));
    }
  }
  check_error<ShapeError>([] { zeros({2, 3}) + zeros({2, 4}); }, {"add", "[2, 3]", "[2, 4]"});
  check_error<ShapeError>([] { where(zeros({2}, kBool), zeros({3}), 1); }, {"where", "[2]", "[3]"});
}

BOOST_AUTO_TEST_CASE(dtypes_promote_as_in_pytorch) {
  const Array u8 = ones({2}, kUInt8), i32 = ones({2}, kInt32), i64 = ones({2}, kInt64), f32 = ones({2}),
              f64 = ones({2}, kFloat64), flag = ones({2}, kBool);
  const auto type = [](const Operand& a, const Operand& b) { return result_type(a, b); };
  BOOST_TEST((type(u8, i32) == kInt32));
  BOOST_TEST((type(i64, f32) == kFloat32));
  BOOST_TEST((type(f32, f64) == kFloat64));
  BOOST_TEST((type(flag, u8) == kUInt8));
  BOOST_TEST((type(u8, 300) == kUInt8));
  BOOST_TEST((type(i32, 2.5) == kFloat32));
  BOOST_TEST((type(flag, 2) == kInt64));
  BOOST_TEST((type(flag, true) == kBool));
  BOOST_TEST((type(2.5, f64) == kFloat64));
  // A 0-d array does not raise a dtype within its category.
  const Array point64 = scalar(2, kFloat64), point_int = scalar(2, kInt64);
  BOOST_TEST((type(f32, point64) == kFloat32));
  BOOST_TEST((type(point64, f32) == kFloat32));
  BOOST_TEST((type(u8, point_int) == kUInt8));
  BOOST_TEST((type(i32, point64) == kFloat64));
  BOOST_TEST((type(point_int, point64) == kFloat64));
  BOOST_TEST((core::div(i64, 2).dtype() == kFloat32));
  BOOST_TEST((values(core::div(i64, 2)) == Values{0.5, 0.5}));
  BOOST_TEST((core::gt(i64, 0.5).dtype() == kBool));
  BOOST_TEST((values(core::gt(i64, 0.5)) == Values{1, 1}));
}

BOOST_AUTO_TEST_CASE(numbers_as_operands) {
  for (const Shape& shape : {Shape{}, Shape{7}, Shape{1500}, Shape{3, 40}}) {
    const Array x = numbers(shape, kFloat32, 3);
    for (Layout layout : kLayouts) {
      const Array y = arranged(x, layout);
      BOOST_TEST(same_bits(y * Scalar(2.5), x * full(shape, 2.5, kFloat32)));
      BOOST_TEST(same_bits(Scalar(1) - y, full(shape, 1, kFloat32) - x));
      BOOST_TEST(same_bits(core::div(1.0, y), full(shape, 1, kFloat32) / x));
      BOOST_TEST(same_bits(add_scaled(y, 3.0, 0.1), add_scaled(x, full(shape, 3, kFloat32), 0.1)));
    }
  }
}

BOOST_AUTO_TEST_CASE(nan_infinities_and_extremes) {
  for (std::string_view set : instruction_sets()) {
    use_instruction_set(set);
    for (DType dtype : {kFloat32, kFloat64}) {
      // Long enough for whole vectors and a tail.
      const Values a(37, kNan), b(37, 1.0);
      const Array x = list(a).to(dtype), y = list(b).to(dtype);
      for (const auto* op : {&core::maximum, &core::minimum}) {
        for (const Array& m : {(*op)(x, y), (*op)(y, x)}) {
          for (double v : values(m)) BOOST_TEST(std::isnan(v));
        }
      }
      for (double v : values(core::relu(x))) BOOST_TEST(std::isnan(v));
      for (double v : values(clamp(x, 0, 1))) BOOST_TEST(std::isnan(v));
      for (const auto* op : {&core::eq, &core::lt, &core::le, &core::gt, &core::ge}) {
        for (double v : values((*op)(x, x))) BOOST_TEST(v == 0);
      }
      for (double v : values(core::ne(x, x))) BOOST_TEST(v == 1);
      for (double v : values(core::sign(x))) BOOST_TEST(v == 0);
      for (double v : values(core::isnan(x))) BOOST_TEST(v == 1);
      const Array special = list(Values{kInf, -kInf, kNan, 0, 1}).to(dtype);
      BOOST_TEST((values(core::isinf(special)) == Values{1, 1, 0, 0, 0}));
      BOOST_TEST((values(core::isfinite(special)) == Values{0, 0, 0, 1, 1}));
      BOOST_TEST((values(core::logical_not(special)) == Values{0, 0, 0, 1, 0}));
      // A NaN in the branch that is not taken leaves no trace.
      BOOST_TEST((values(where(zeros({37}, kBool), x, y)) == b));
    }
  }
  use_instruction_set("");
}

BOOST_AUTO_TEST_CASE(rounding_to_even_and_signs_of_zero) {
  for (std::string_view set : instruction_sets()) {
    use_instruction_set(set);
    for (DType dtype : {kFloat32, kFloat64}) {
      const Values in = {-2.5, -1.5, -0.5, -0.25, -0.0,  0.0,       0.25,      0.5,
                         1.5,  2.5,  3.5,  1e10,  -1e10, 8388607.5, 0.49999997};
      const Array x = list(in).to(dtype);
      const Values exact = values(x);
      for (const auto& [row, reference] : of_one) {
        const UnaryRow* const op = &row;
        if (op != &core::floor && op != &core::ceil && op != &core::round && op != &core::trunc) continue;
        const Values got = values((*op)(x));
        for (std::size_t i = 0; i < in.size(); ++i) {
          const double wanted = reference(exact[i]);
          BOOST_TEST((got[i] == wanted && std::signbit(got[i]) == std::signbit(wanted)),
                     op->name << " of " << exact[i] << " on " << set << ": " << got[i]);
        }
      }
    }
  }
  use_instruction_set("");
}

BOOST_AUTO_TEST_CASE(integers) {
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                         most = std::numeric_limits<std::int64_t>::max();
  const Array edge = list(std::vector<std::int64_t>{least, most});
  BOOST_TEST(values(core::add(edge, 1))[1] == static_cast<double>(least));  // wraps around
  BOOST_TEST(values(core::neg(edge))[0] == static_cast<double>(least));
  BOOST_TEST((values(core::remainder(edge, -1)) == Values{0, 0}));  // does not trap
  BOOST_TEST((values(core::fmod(edge, -1)) == Values{0, 0}));
  const Array x = list(std::vector<std::int64_t>{-7, 7, -6});
  BOOST_TEST((values(core::remainder(x, 3)) == Values{2, 1, 0}));
  BOOST_TEST((values(core::remainder(x, -3)) == Values{-1, -2, 0}));
  BOOST_TEST((values(core::fmod(x, 3)) == Values{-1, 1, 0}));
  const Array zero = list(std::vector<std::int64_t>{1, 0, 2});
  for (const auto* op : {&core::remainder, &core::fmod}) {
    check_error<ValueError>([&] { (*op)(x, zero); }, {std::string(op->name), "ZeroDivisionError"});
    check_error<ValueError>([&] { (*op)(x, 0); }, {std::string(op->name), "ZeroDivisionError"});
    check_error<ValueError>([&] { op->write(x, x, zero); }, {"ZeroDivisionError"});
    BOOST_TEST(std::isnan(values((*op)(x.to(kFloat32), 0.0))[0]));
  }
  BOOST_TEST((values(x) == Values{-7, 7, -6}));  // an error changes nothing
  BOOST_TEST(values(core::div(x, zero))[1] == kInf);
  BOOST_TEST((values(core::pow(list(std::vector<std::int64_t>{2, 0, -1, 1}),
                               list(std::vector<std::int64_t>{-1, -1, -3, -2}))) == Values{0, 0, -1, 1}));
  check_error<ValueError>([&] { core::pow(x, -1); }, {"pow", "-1"});
  BOOST_TEST((values(core::neg(list(std::vector<std::uint8_t>{1, 0}))) == Values{255, 0}));
  check_error<DTypeError>([] { ones({2}, kBool) - ones({2}, kBool); }, {"sub", "logical_xor"});
  BOOST_TEST((values(ones({2}, kBool) + ones({2}, kBool)) == Values{1, 1}));
  BOOST_TEST((values(ones({2}, kBool) * zeros({2}, kBool)) == Values{0, 0}));
}

BOOST_AUTO_TEST_CASE(choice_and_bounds) {
  const Array condition = list(Values{1, 0, 1}).to(kBool), a = list(Values{1, 2, 3}), b = list(Values{10, 20, 30});
  for (DType dtype : kAll) {
    const Values p = values(a.to(dtype)), q = values(b.to(dtype));
    BOOST_TEST((values(where(condition, a.to(dtype), b.to(dtype))) == Values{p[0], q[1], p[2]}));
  }
  BOOST_TEST((where(condition, 1.5, list(std::vector<std::int64_t>{2, 2, 2})).dtype() == kFloat32));
  BOOST_TEST((values(where(condition, 1, 0)) == Values{1, 0, 1}));
  BOOST_TEST((where(condition, 1, 0).dtype() == kInt64));
  BOOST_TEST((where(condition, 1, 2.5).dtype() == kFloat32));
  BOOST_TEST((where(condition.view({3, 1}), a, b).shape() == Shape{3, 3}));
  check_error<DTypeError>([&] { where(a, a, b); }, {"where", "bool", "float64"});

  const Array x = list(Values{-kInf, -2, 0.5, 3, kInf});
  BOOST_TEST((values(clamp(x, -1, 1)) == Values{-1, -1, 0.5, 1, 1}));
  BOOST_TEST((values(clamp(x, 0, {})) == Values{0, 0, 0.5, 3, kInf}));
  BOOST_TEST((values(clamp(x, {}, 0)) == Values{-kInf, -2, 0, 0, 0}));
  BOOST_TEST((values(clamp(x, 2, 1)) == Values{1, 1, 1, 1, 1}));  // the upper bound wins, as in PyTorch
  for (DType dtype : {kUInt8, kInt32, kInt64}) {
    const Array n = list(Values{0, 5, 100}).to(dtype);
    BOOST_TEST((values(clamp(n, 3, {})) == Values{3, 5, 100}));
    BOOST_TEST((values(clamp(n, {}, 50)) == Values{0, 5, 50}));
    BOOST_TEST((clamp(n, 0.5, {}).dtype() == kFloat32));
    // A bound that the dtype cannot reach does not bind.
    constexpr std::int64_t far = std::int64_t{1} << 40;
    BOOST_TEST((values(clamp(n, -far, far)) == values(n)));
    BOOST_TEST((values(clamp(n, {}, 260)) == values(n)));
  }
  check_error<ValueError>([&] { clamp(x, {}, {}); }, {"clamp", "bound"});
  check_error<DTypeError>([&] { clamp(condition, false, true); }, {"clamp", "bool"});
}

BOOST_AUTO_TEST_CASE(writing_into_a_given_array) {
  const Array a = numbers({3, 40}, kFloat32, 1), b = numbers({3, 40}, kFloat32, 2), sum = a + b;
  for (Layout layout : kLayouts) {
    const Array out = arranged(zeros({3, 40}), layout);
    const std::uint64_t writes = out.storage()->writes().count;
    core::add.write(out, a, b);
    BOOST_TEST(same_bits(out, sum));
    BOOST_TEST(out.storage()->writes().count == writes + 1);
    core::exp.write(out, a);
    BOOST_TEST(same_bits(out, core::exp(a)));
    add_scaled_out(out, a, b, 0.5);
    BOOST_TEST(same_bits(out, add_scaled(a, b, 0.5)));
    const Array wide = arranged(zeros({3, 40}, kFloat64), layout);
    core::add.write(wide, a, b);
    BOOST_TEST(same_bits(wide, sum.to(kFloat64)));  // computed in float32, then converted
    const Array self = arranged(a, layout);
    core::mul.write(self, self, self);
    BOOST_TEST(same_bits(self, core::square(a)));
  }
  // Nothing but the elements is touched.
  const Array room = full({3, 81}, 7, kFloat32);
  core::add.write(room.slice(1, 1, 81, 2), a, b);
  BOOST_TEST(same_bits(room.slice(1, 1, 81, 2), sum));
  BOOST_TEST(same_bits(room.slice(1, 0, 81, 2), full({3, 41}, 7, kFloat32)));

  check_error<ShapeError>([&] { core::add.write(zeros({40}), a, b); }, {"add", "[40]", "[3, 40]"});
  check_error<DTypeError>([&] { core::add.write(zeros({3, 40}, kInt64), a, b); }, {"add", "float32", "int64"});
  check_error<DTypeError>([&] { core::add.write(zeros({2}, kBool), ones({2}, kInt64), 1); }, {"int64", "bool"});
  check_error<ValueError>([&] { core::add.write(zeros({3, 1}).expand({3, 40}), a, b); }, {"add", "[1, 0]"});
  check_error<DTypeError>([] { add_scaled(ones({2}, kInt64), ones({2}, kInt64), 1.5); }, {"add", "alpha", "int64"});
  const Array none{};
  check_error<ValueError>([&] { none + a; }, {"add", "defined"});
  check_error<ValueError>([&] { core::exp(none); }, {"exp", "defined"});
  check_error<ValueError>([&] { core::exp.write(none, a); }, {"exp", "defined"});
}

BOOST_AUTO_TEST_CASE(overlapping_operands_are_read_before_they_are_written) {
  for (std::int64_t n : {10, 3000}) {
    for (bool forward : {true, false}) {
      const Array base = numbers({n + 1}, kFloat32, 4), before = base.clone();
      const std::int64_t from = forward ? 0 : 1, to = forward ? 1 : 0;
      core::add.write(base.narrow(0, to, n), base.narrow(0, from, n), 1);
      BOOST_TEST(same_bits(base.narrow(0, to, n), before.narrow(0, from, n) + Scalar(1)));
    }
    const Array square_matrix = numbers({40, 40}, kFloat32, 5), before = square_matrix.clone();
    core::sub.write(square_matrix, square_matrix, square_matrix.t());
    BOOST_TEST(same_bits(square_matrix, before - before.t()));
    // An operand that is one element of the result.
    const Array x = numbers({n}, kFloat32, 6), copy = x.clone();
    core::mul.write(x, x, x.select(0, 3));
    BOOST_TEST(same_bits(x, copy * copy.select(0, 3).clone()));
    const Array row = numbers({4, 50}, kFloat32, 6), row_copy = row.clone();
    core::sub.write(row, row, row.select(0, 0));
    BOOST_TEST(same_bits(row, row_copy - row_copy.select(0, 0).clone()));
  }
}

BOOST_AUTO_TEST_CASE(copies_between_all_dtypes_and_layouts) {
  for (DType from : kAll) {
    for (DType to : kAll) {
      for (const Shape& shape : {Shape{}, Shape{5}, Shape{70, 45}, Shape{3, 40, 33}, Shape{0, 2}}) {
        const Array x = numbers(shape, from, 1);
        for (Layout source : kLayouts) {
          for (Layout target : {Layout::Contiguous, Layout::Transposed, Layout::Stepped}) {
            const Array y = arranged(zeros(shape, to), target);
            y.copy_(arranged(x, source));
            bool right = true;
            const Values in = values(x), out = values(y);
            for (std::size_t i = 0; i < in.size(); ++i) {
              const double wanted =
                  to == kBool    ? in[i] != 0
                  : to == kUInt8 ? static_cast<double>(static_cast<std::uint8_t>(static_cast<std::int64_t>(in[i])))
                  : is_floating_point(to) ? in[i]
                                          : std::trunc(in[i]);
              right = right && (is_floating_point(to) ? near(out[i], wanted, kFloat32) : out[i] == wanted);
            }
            BOOST_TEST(right, to_string(from) << " to " << to_string(to));
          }
        }
      }
    }
  }
  // Beyond what integers hold the result is the same everywhere.
  const double least = static_cast<double>(std::numeric_limits<std::int64_t>::min());
  BOOST_TEST((values(list(Values{kNan, kInf, -kInf, 1e19, 1e18, -0.5}).to(kInt64)) ==
              Values{least, least, least, least, 1e18, 0}));
  BOOST_TEST((values(list(Values{300, -1, 255.9}).to(kUInt8)) == Values{44, 255, 255}));
  BOOST_TEST((values(list(Values{kNan, 0.1, 0, -0.0}).to(kBool)) == Values{1, 1, 0, 0}));
}

// Larger than a tile, and rows of the result a power of two apart.
BOOST_AUTO_TEST_CASE(large_transposed_operands) {
  const std::int64_t sizes[][2] = {{512, 300}, {1024, 150}, {513, 2}, {130, 259}, {3, 40000}, {33, 33}};
  for (std::string_view set : instruction_sets()) {
    use_instruction_set(set);
    for (const auto& [cols, rows] : sizes) {
      for (DType dtype : {kFloat32, kFloat64, kInt32, kUInt8}) {
        const Array x = arange(0, rows * cols, 1, kInt64).to(dtype).view({cols, rows}), copy = x.t().contiguous();
        const Array wide = x.to(kFloat64);
        const Array row = arange(0, cols, 1, kFloat64), column = arange(0, rows, 1, kFloat64).view({rows, 1});
        const Array mixed = (wide.t() + row) * column;
        const double* const from = wide.data_ptr<double>();
        const Array result = copy.to(kFloat64);
        std::int64_t wrong = 0;
        for (std::int64_t r = 0; r < rows; ++r) {
          for (std::int64_t c = 0; c < cols; ++c) {
            const double value = from[c * rows + r];
            wrong += result.data_ptr<double>()[r * cols + c] != value;
            wrong +=
                mixed.data_ptr<double>()[r * cols + c] != (value + static_cast<double>(c)) * static_cast<double>(r);
          }
        }
        BOOST_TEST(wrong == 0, wrong << " of dtype " << static_cast<int>(dtype) << ", " << rows << " x " << cols);
        // The same matrices side by side, as the last two dimensions of three.
        const Array stack = x.view({1, cols, rows}).expand({3, cols, rows}).contiguous().transpose(1, 2).contiguous();
        for (std::int64_t i = 0; i < 3; ++i) BOOST_TEST(same_bits(stack.select(0, i), copy));
      }
    }
  }
  use_instruction_set("");
}

BOOST_AUTO_TEST_CASE(filling) {
  for (DType dtype : kAll) {
    for (Layout layout : kLayouts) {
      const Array x = arranged(zeros({70, 90}, dtype), layout);
      x.fill_(3.7);
      const double wanted = dtype == kBool ? 1 : is_floating_point(dtype) ? 3.7 : 3;
      for (double v : values(x)) {
        if (!near(v, wanted, is_floating_point(dtype) ? kFloat32 : dtype)) BOOST_ERROR("filled with " << v);
      }
      BOOST_TEST(values(x).size() == 6300);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_same_bits_at_any_number_of_threads) {
  test::ManyThreads threads;
  const Array a = randn({500, 1000}, kFloat32, {1, 0}), b = randn({500, 1000}, kFloat32, {2, 0});
  const Array row = randn({1000}, kFloat32, {3, 0}), column = randn({500, 1}, kFloat64, {4, 0});
  const Array t = randn({1000, 500}, kFloat32, {5, 0}), ints = counting({500, 1000}, kInt32);
  const std::vector<std::function<Array()>> cases = {
      [&] { return a + b; },
      [&] { return a * Scalar(1.7); },
      [&] { return core::exp(a); },
      [&] { return core::sin(a); },
      [&] { return core::tan(a); },
      [&] { return a + row; },
      [&] { return a * column; },
      [&] { return a - t.t(); },
      [&] { return t.t().contiguous(); },
      [&] { return a * ints; },
      [&] { return core::gt(a.t(), b.t()); },
      [&] { return where(core::gt(a, b), a, t.t()); },
      [&] { return t.t().to(kFloat64); },
      [&] { return core::pow(core::abs(a), b); },
      [&] {
        return full({500, 1000}, 2.5, kFloat32);
      },
  };
  for (const auto& make : cases) {
    Array first;
    threads.each([&] {
      const Array y = make();
      if (!first.defined()) first = y;
      if (!same_bits(y, first)) BOOST_ERROR("other bits");
    });
  }
}

BOOST_AUTO_TEST_SUITE_END()
