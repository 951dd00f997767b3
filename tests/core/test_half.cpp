// Float16, bfloat16, int8 and int16 as what they are stored in: conversions, promotion, printing, files, factories.
#include <boost/test/unit_test.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <gradus/core/files/safetensors.h>
#include <gradus/gradus.h>

#include "../support/folder.h"
#include "../support/gradients.h"
#include "../support/pytorch.h"
#include "../support/sanitized.h"

namespace gradus::test {
namespace {

using core::Array;

constexpr double kInf = std::numeric_limits<double>::infinity();

// A format by its definition: digits of precision, the least exponent of a normal number, the largest number.
struct Format {
  int digits, least_exponent;
  double largest;
};
constexpr Format kHalfFormat{11, -14, 65504}, kBFloatFormat{8, -126, 0x1.fep127};

// The number that 16 bits are, one of exponent and fraction.
double value_by_definition(std::uint16_t bits, const Format& f) {
  const int fraction_bits = f.digits - 1, exponent_bits = 15 - fraction_bits;
  const int exponent = bits >> fraction_bits & ((1 << exponent_bits) - 1), fraction = bits & ((1 << fraction_bits) - 1);
  const double sign = bits >> 15 != 0 ? -1 : 1;
  if (exponent == (1 << exponent_bits) - 1) return fraction == 0 ? sign * kInf : std::nan("");
  const int scale = std::max(exponent, 1) - 1 + f.least_exponent - fraction_bits;
  return sign * std::ldexp(fraction + (exponent == 0 ? 0 : 1 << fraction_bits), scale);
}
// The nearest number of a format, of two the even one.
double rounded_by_definition(double v, const Format& f) {
  if (!std::isfinite(v) || v == 0) return v;
  const int exponent = std::max(std::ilogb(v), f.least_exponent);
  const double place = std::ldexp(1.0, exponent - f.digits + 1);
  const double rounded = std::nearbyint(v / place) * place;
  return std::fabs(rounded) > f.largest ? std::copysign(kInf, v) : std::copysign(rounded, v);
}
bool same(double a, double b) { return std::isnan(a) ? std::isnan(b) : a == b && std::signbit(a) == std::signbit(b); }

template <class T>
void check_conversions(const Format& f) {
  int wrong = 0;
  std::vector<float> numbers;
  for (int i = 0; i < 65536; ++i) {
    const auto bits = static_cast<std::uint16_t>(i);
    const float value = T::from_bits(bits);
    wrong += !same(static_cast<double>(value), value_by_definition(bits, f));
    if (!std::isnan(value)) wrong += T(value).x != bits;  // and back
    // Itself, the middle between it and the next one, and what lies beside that.
    const float next = static_cast<float>(value_by_definition(static_cast<std::uint16_t>(i + 1), f));
    const float middle = value + (next - value) / 2;
    for (const float each : {value, middle, std::nextafterf(middle, next), std::nextafterf(middle, value)})
      numbers.push_back(each);
  }
  for (std::uint32_t i = 0; i < 200000; ++i) numbers.push_back(std::bit_cast<float>(i * 2654435761u));
  for (const float edge : {65519.996f, 65520.f, 65536.f, 0x1.fefffep127f, 0x1.ffp127f, 3.4e38f, 1e-45f, 0x1p-25f,
                           0x1.000002p-25f, -0x1p-25f, 0x1p-134f, 0.f, -0.f})
    numbers.push_back(edge);
  numbers.push_back(static_cast<float>(kInf));
  numbers.push_back(std::nanf(""));
  for (const float v : numbers) {
    wrong += !same(static_cast<double>(static_cast<float>(T(v))), rounded_by_definition(static_cast<double>(v), f));
  }
  BOOST_TEST(wrong == 0);
  // Arrays are converted by the same rule, of any strides.
  const Array x = core::from_data(numbers.data(), {static_cast<std::int64_t>(numbers.size())}, kFloat32);
  const Array narrow = x.to(dtype_of<T>), sparse = x.slice(0, 0, x.size(0), 3).to(dtype_of<T>);
  const Array wide = narrow.to(kFloat32);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const double expected = rounded_by_definition(static_cast<double>(numbers[i]), f);
    wrong += !same(static_cast<double>(wide.data_ptr<float>()[i]), expected);
    if (i % 3 == 0) wrong += !same(static_cast<double>(float(sparse.data_ptr<T>()[i / 3])), expected);
  }
  BOOST_TEST(wrong == 0);
}

// A dtype's elements as bits, which NaN has, too.
template <class T>
using BitsOf = std::conditional_t<sizeof(T) == 1, std::uint8_t,
                                  std::conditional_t<sizeof(T) == 2, std::uint16_t,
                                                     std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>>;

// Arrays that hold what is given, each in another layout, so that all conversions meet: long rows and short ones, of any
// length and at any place, with gaps, and columns.
std::vector<Array> layouts(const Array& x) {
  const std::int64_t n = x.numel();
  std::vector<Array> all = {x, x.slice(0, 1, n), x.slice(0, 0, n, 3)};
  for (std::int64_t length = 0; length < 70; ++length) all.push_back(x.slice(0, length, 2 * length));
  for (const std::int64_t width : {3, 7, 20, 40, 600}) {
    const Array rows = x.slice(0, 0, n / width * width).view({n / width, width});
    all.insert(all.end(), {rows.t(), rows.slice(1, 0, width - 1), rows.slice(1, 0, width, 2), rows.slice(1, 1, 2)});
  }
  all.push_back(x.slice(0, 0, 100).view({100, 1}).expand({100, 70}));
  return all;
}

// Each array is converted to the bits that `number` makes of each element, also into what has gaps.
template <class To, class From, class Number>
void check_bits(const std::vector<BitsOf<From>>& numbers, Number number) {
  const Array x = core::empty({static_cast<std::int64_t>(numbers.size())}, dtype_of<From>);
  std::memcpy(x.data_ptr<From>(), numbers.data(), numbers.size() * sizeof(From));
  for (const Array& from : layouts(x)) {
    const Array given = from.contiguous(), whole = from.to(dtype_of<To>).contiguous();
    core::Shape spread = from.shape();
    const int last = static_cast<int>(from.dim()) - 1;
    spread[last] *= 2;
    const Array gaps = core::empty(spread, dtype_of<To>).slice(last, 0, spread[last], 2);
    gaps.copy_(from);
    const Array gathered = gaps.contiguous();
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < from.numel(); ++i) {
      const auto expected = std::bit_cast<BitsOf<To>>(number(given.data_ptr<From>()[i]));
      for (const Array& to : {std::cref(whole), std::cref(gathered)}) {
        wrong += std::bit_cast<BitsOf<To>>(to.data_ptr<To>()[i]) != expected;
      }
    }
    BOOST_TEST(wrong == 0, to_string(dtype_of<From>) << " to " << to_string(dtype_of<To>) << " of " << from.numel());
  }
}

// Float32: every 16-bit number of both formats and the middles between them, what lies next to those, and all exponents with
// fractions where something changes.
std::vector<std::uint32_t> boundaries() {
  std::vector<std::uint32_t> all;
  const auto around = [&](std::uint32_t bits) { all.insert(all.end(), {bits - 1, bits, bits + 1}); };
  constexpr std::uint32_t step = kSanitized ? 17 : 1;  // odd, so that all kinds are met
  for (std::uint32_t i = 0; i < 65536; i += step) {
    const float half = Half::from_bits(static_cast<std::uint16_t>(i));
    around(std::bit_cast<std::uint32_t>(half));
    if (std::isfinite(half)) around(std::bit_cast<std::uint32_t>(half + std::copysign(0x1p-25f, half)));
    around(std::bit_cast<std::uint32_t>(half) | 0x1000);
    around(i << 16);
    around(i << 16 | 0x8000);
  }
  for (std::uint32_t i = 0; i < 512; ++i) {
    for (int bit = 0; bit < 23; ++bit) around(i << 23 | 1u << bit);
  }
  for (std::uint32_t i = 0; i < 200000; i += step) all.push_back(i * 2654435761u);
  return all;
}

// Integers wrap around; what int64 cannot hold is its least value.
template <class To, class From>
void check_integer(const std::vector<BitsOf<From>>& numbers) {
  check_bits<To, From>(numbers, [](From x) {
    const bool fits = std::fabs(x) < From{0x1p63};
    return static_cast<To>(fits ? static_cast<std::int64_t>(x) : std::numeric_limits<std::int64_t>::min());
  });
}
template <class From>
void check_integers(const std::vector<BitsOf<From>>& numbers) {
  check_integer<std::uint8_t, From>(numbers);
  check_integer<std::int8_t, From>(numbers);
  check_integer<std::int16_t, From>(numbers);
  check_integer<std::int32_t, From>(numbers);
  check_integer<std::int64_t, From>(numbers);
  check_bits<bool, From>(numbers, [](From x) { return !(x == 0); });
}

void check_all_bits() {
  std::vector<std::uint16_t> all(65536);
  std::iota(all.begin(), all.end(), std::uint16_t{0});
  check_bits<float, Half>(all, [](Half x) { return static_cast<float>(x); });
  check_bits<float, BFloat16>(all, [](BFloat16 x) { return static_cast<float>(x); });
  const std::vector<std::uint32_t> numbers = boundaries();
  check_bits<Half, float>(numbers, [](float x) { return Half(x); });
  check_bits<BFloat16, float>(numbers, [](float x) { return BFloat16(x); });
  check_integers<float>(numbers);
  std::vector<std::uint64_t> wide;
  for (const std::uint32_t bits : numbers) {
    const double value = static_cast<double>(std::bit_cast<float>(bits));
    wide.push_back(std::bit_cast<std::uint64_t>(value) + bits % 3 - 1);
  }
  for (const int exponent : {7, 8, 15, 16, 31, 32, 63}) {  // what integers end at, and doubles between those
    const double end = std::ldexp(1.0, exponent);
    for (const double value : {end - 1.5, end - 1, end - 0.75, end - 0.25, end, end + 0.25, end + 1}) {
      for (const double sign : {1.0, -1.0}) wide.push_back(std::bit_cast<std::uint64_t>(sign * value));
    }
  }
  check_integers<double>(wide);
}

std::string printed(const Tensor& x) {
  std::ostringstream out;
  out << x;
  return out.str();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(half)

BOOST_AUTO_TEST_CASE(float16_is_rounded_to_nearest) { check_conversions<Half>(kHalfFormat); }
BOOST_AUTO_TEST_CASE(bfloat16_is_rounded_to_nearest) { check_conversions<BFloat16>(kBFloatFormat); }

// Kernels convert what lies in arrays; single numbers are held against the definition above.
BOOST_AUTO_TEST_CASE(arrays_are_converted_to_the_bits_of_single_numbers) { check_all_bits(); }
#if defined(__x86_64__)
BOOST_AUTO_TEST_CASE(subnormals_are_converted_where_they_are_flushed) {
  const unsigned before = _mm_getcsr();
  _mm_setcsr(before | 0x8040);  // results and operands
  check_all_bits();
  _mm_setcsr(before);
}
#endif

BOOST_AUTO_TEST_CASE(between_all_dtypes) {
  const std::vector<double> numbers = {0, 1, -1, 7, 100, -100, 127, -128};
  for (int from = 0; from < kDTypeCount; ++from) {
    for (int to = 0; to < kDTypeCount; ++to) {
      const auto a = static_cast<DType>(from), b = static_cast<DType>(to);
      const Array x = list(numbers).to(a), y = x.to(b);
      BOOST_TEST_CONTEXT(to_string(a) << " to " << to_string(b)) {
        const std::vector<double> before = values(x), after = values(y);
        for (std::size_t i = 0; i < before.size(); ++i) {
          const double v = before[i];
          const double expected = b == kBool    ? v != 0
                                  : b == kUInt8 ? v - 256 * std::floor(v / 256)
                                  : b == kInt8  ? v - 256 * std::floor((v + 128) / 256)
                                                : v;
          BOOST_TEST(after[i] == expected);
        }
      }
    }
  }
  // By way of float32, as PyTorch's.
  BOOST_TEST(tensor({1 + 0x1p-11 + 0x1p-30}, kDouble).to(kHalf).to(kDouble).item<double>() == 1);
  BOOST_TEST(tensor({40000, -1}, kInt).to(kShort)[0].item<int>() == 40000 - 65536);
  BOOST_TEST(tensor({1e6}, kDouble).to(kHalf).item<double>() == kInf);
  BOOST_TEST(std::isnan(tensor({std::nan("")}, kFloat).to(kBFloat16).item<float>()));
}

BOOST_AUTO_TEST_CASE(promotion_is_pytorchs) {
  const PyTorchFile file("half");
  const std::vector<double> table = values(file["promotion/table"]);
  for (int a = 0; a < kDTypeCount; ++a) {
    for (int b = 0; b < kDTypeCount; ++b) {
      const auto x = static_cast<DType>(a), y = static_cast<DType>(b);
      const auto expected = static_cast<DType>(static_cast<int>(table[static_cast<std::size_t>(a * kDTypeCount + b)]));
      BOOST_TEST((promote_types(x, y) == expected),
                 to_string(x) << " with " << to_string(y) << ": " << to_string(promote_types(x, y)));
      BOOST_TEST((result_type(zeros({2}, x), zeros({2}, y)) == expected));
      BOOST_TEST((cat({zeros({2}, x), zeros({2}, y)}).dtype() == expected));
    }
  }
  const Tensor h = ones({2}, kHalf), c = ones({2}, kChar);
  BOOST_TEST(((h + 1.5).dtype() == kHalf));
  BOOST_TEST(((h * tensor(2.0, kDouble)).dtype() == kHalf));
  BOOST_TEST(((h * tensor({2.0}, kDouble)).dtype() == kDouble));
  BOOST_TEST(((c + 1).dtype() == kChar));
  BOOST_TEST(((c + 1.5).dtype() == kFloat));
  BOOST_TEST(((c + tensor(1, kLong)).dtype() == kChar));
  BOOST_TEST(((c / c).dtype() == kFloat));
  BOOST_TEST((c.sum().dtype() == kLong));
  BOOST_TEST((exp(c).dtype() == kFloat));
}

BOOST_AUTO_TEST_CASE(printed_as_in_python) {
  const double nan = std::nan("");
  const std::pair<Tensor, const char*> all[] = {
      {tensor({1.5, -2.25, 1.0 / 3}, kHalf), "tensor([ 1.5000, -2.2500,  0.3333], dtype=torch.float16)"},
      {tensor({1.5, -2.25, 1.0 / 3}, kBFloat16), "tensor([ 1.5000, -2.2500,  0.3340], dtype=torch.bfloat16)"},
      {tensor({1., 2., 65504.}, kHalf), "tensor([1.0000e+00, 2.0000e+00, 6.5504e+04], dtype=torch.float16)"},
      {tensor({1e-7, 1., kInf, nan}, kHalf),
       "tensor([1.1921e-07, 1.0000e+00,        inf,        nan], dtype=torch.float16)"},
      {tensor({{1, -128}, {127, 0}}, kChar), "tensor([[   1, -128],\n        [ 127,    0]], dtype=torch.int8)"},
      {tensor({30000, -5}, kShort), "tensor([30000,    -5], dtype=torch.int16)"},
      {tensor(0.1, kHalf), "tensor(0.1000, dtype=torch.float16)"},
      {tensor(0.1, kBFloat16), "tensor(0.1001, dtype=torch.bfloat16)"},
      {empty({0}, kHalf), "tensor([], dtype=torch.float16)"},
      {tensor({1.5}, kHalf).requires_grad_(), "tensor([1.5000], dtype=torch.float16, requires_grad=True)"}};
  for (const auto& [x, text] : all) BOOST_TEST(printed(x) == text);
  BOOST_TEST(std::string(toString(kHalf)) + toString(kBFloat16) + toString(kChar) + toString(kShort) ==
             "HalfBFloat16CharShort");
  BOOST_TEST(
      (elementSize(kHalf) == 2 && elementSize(kBFloat16) == 2 && elementSize(kChar) == 1 && elementSize(kShort) == 2));
}

BOOST_AUTO_TEST_CASE(files_keep_them) {
  const Folder folder;
  const std::string path = folder / "all.safetensors";
  const std::vector<double> numbers = {1, -3, 0, 100};
  std::vector<core::NamedArray> written;
  for (const DType dtype : {kHalf, kBFloat16, kChar, kShort})
    written.push_back({std::string(to_string(dtype)), list(numbers).to(dtype)});
  core::write_safetensors(path, written);
  const auto file = core::Safetensors::read(path);
  BOOST_TEST(file.entries().size() == 4u);
  for (const core::SafetensorsEntry& entry : file.entries()) {
    BOOST_TEST(to_string(entry.dtype) == entry.name);
    BOOST_TEST(values(entry.array()) == numbers);
  }
  // PyTorch's own, by the reference file.
  const PyTorchFile reference("half");
  BOOST_TEST((reference["exp_f16/a"].dtype() == kHalf && reference["add_i8/a"].dtype() == kChar &&
              reference["add_i16/a"].dtype() == kShort));
}

BOOST_AUTO_TEST_CASE(made_and_read) {
  BOOST_TEST(values(arange(5, kHalf)) == std::vector<double>({0, 1, 2, 3, 4}));
  BOOST_TEST(values(arange(5, kChar)) == std::vector<double>({0, 1, 2, 3, 4}));
  BOOST_TEST(values(linspace(0, 1, 5, kBFloat16)) == std::vector<double>({0, 0.25, 0.5, 0.75, 1}));
  BOOST_TEST(values(full({2}, -3, kShort)) == std::vector<double>({-3, -3}));
  BOOST_TEST(values(eye(2, kHalf)) == std::vector<double>({1, 0, 0, 1}));
  Half raw[2] = {1.5, -2.0f};
  BOOST_TEST(values(from_blob(raw, {2}, kHalf)) == std::vector<double>({1.5, -2}));
  const Tensor x = tensor({1.5, 2.5}, kHalf);
  BOOST_TEST(x[0].item<float>() == 1.5f);
  BOOST_TEST(static_cast<float>(x[1].item<Half>()) == 2.5f);
  BOOST_TEST(static_cast<float>(x.accessor<Half, 1>()[1]) == 2.5f);
  BOOST_TEST((x * Half(2))[0].item<float>() == 3.f);
  check_error<DTypeError>([&] { x.data_ptr<float>(); }, {"float16"});
  check_error<ValueError>([] { full({1}, 1e6, kHalf); }, {"full", "float16"});
  check_error<ValueError>([] { full({1}, 300, kChar); }, {"full", "int8"});
  check_error<ValueError>([] { zeros({1}, kShort).fill_(-40000); }, {"fill_", "int16"});
  check_error<DTypeError>([] { set_default_dtype(kChar); }, {"set_default_dtype", "int8"});
  set_default_dtype(kHalf);
  const bool is_default = ones({2}).dtype() == kHalf && exp(arange(3)).dtype() == kHalf;
  set_default_dtype(kFloat);
  BOOST_TEST(is_default);
  manual_seed(3);
  for (const DType dtype : {kHalf, kBFloat16}) {
    const Tensor u = rand({5000}, dtype), n = randn({5000}, dtype);
    BOOST_TEST((u.dtype() == dtype && u.min().item<double>() >= 0 && u.max().item<double>() < 1));
    BOOST_TEST(std::fabs(u.to(kFloat).mean().item<double>() - 0.5) < 0.02);
    BOOST_TEST(std::fabs(n.to(kFloat).std().item<double>() - 1) < 0.05);
  }
  BOOST_TEST((randint(-128, 128, {100}, kChar).dtype() == kChar && randperm(100, kChar).dtype() == kChar));
  check_error<ValueError>([] { randint(0, 200, {3}, kChar); }, {"randint", "int8"});
  check_error<ValueError>([] { randperm(200, kChar); }, {"randperm", "int8"});
}

// No kernel is called on what it does not read: core's loops that do not convert refuse.
BOOST_AUTO_TEST_CASE(loops_that_do_not_convert_refuse) {
  for (const DType dtype : {kHalf, kBFloat16}) {
    const Array x = core::ones({4, 4}, dtype);
    check_error<DTypeError>([&] { core::softmax(x, 1); }, {to_string(dtype).data(), "to(float32)"});
    check_error<DTypeError>([&] { core::cumsum(x, 1); }, {"to(float32)"});
    check_error<DTypeError>([&] { core::matmul(x, x); }, {"to(float32)"});
    check_error<DTypeError>([&] { core::gelu(x, false); }, {"to(float32)"});
    check_error<DTypeError>([&] { core::var(x, {1}, 1, false); }, {"to(float32)"});
  }
  // What is pointwise converts as it reads.
  BOOST_TEST(values(core::exp(core::zeros({3}, kHalf))) == std::vector<double>({1, 1, 1}));
  BOOST_TEST(values(core::ones({3}, kChar) + core::full({3}, 127, kChar)) == std::vector<double>({-128, -128, -128}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
