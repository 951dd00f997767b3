// Rows of the operation table, and what has no gradient, against PyTorch: tests/reference/make_elementwise.py.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <tuple>

#include <gradus/gradus.h>

#include "../support/pytorch.h"
#include "../table/row.h"

namespace gradus::test {
namespace {

const PyTorchFile& file() {
  static const PyTorchFile all("elementwise");
  return all;
}

constexpr double kInf = std::numeric_limits<double>::infinity();

using Results = std::vector<Tensor>;
template <class... T>
Results parts(const std::tuple<T...>& tuple) {
  return std::apply([](const auto&... t) { return Results{t...}; }, tuple);
}

// clang-format off: one call a line
std::map<std::string, std::function<Results(const Operands&)>> calls() {
  std::map<std::string, std::function<Results(const Operands&)>> table = {
      {"unique", [](const Operands& x) { return parts(unique(x[0], true, true, true)); }},
      {"unique_consecutive", [](const Operands& x) { return parts(unique_consecutive(x[0], true, true)); }},
      {"unique_dim", [](const Operands& x) { return parts(unique_dim(x[0], 1, true, true, true)); }},
      {"bincount",
       [](const Operands& x) {
         return Results{x[0].bincount({}, 9), bincount(x[0], x[0] * 0.5)};
       }},
      {"mode_index",
       [](const Operands& x) {
         return parts(x[0].view({4, 10}).mode(1));
       }},
      {"searchsorted",
       [](const Operands& x) {
         return Results{searchsorted(x[0], x[1]), searchsorted(x[0], x[1], false, false, "right")};
       }},
      {"histc",
       [](const Operands& x) {
         return Results{x[0].histc(5), histc(x[0], 4, -1, 1)};
       }},
      {"isclose",
       [](const Operands& x) {
         return Results{isclose(x[0], x[1]), x[0].isclose(x[1], 1e-2, 0, true)};
       }},
      {"count_nonzero",
       [](const Operands& x) {
         return Results{x[0].count_nonzero(), count_nonzero(x[0], 1)};
       }},
      {"whole_floor", [](const Operands& x) { return Results{x[0].div(x[1], "floor")}; }},
      {"whole_trunc", [](const Operands& x) { return Results{divide(x[0], x[1], "trunc")}; }},
      {"fmax_integers", [](const Operands& x) { return Results{fmax(x[0], x[1])}; }},
      {"addcmul_integers", [](const Operands& x) { return Results{x[0].addcmul(x[0], x[1], 2)}; }},
      {"copysign_integers", [](const Operands& x) { return Results{x[0].copysign(x[1])}; }},
      // With other numbers than the rows have.
      {"clamp", [](const Operands& x) { return Results{x[0].clamp(x[1], x[2])}; }},
      {"copysign", [](const Operands& x) { return Results{x[0].copysign(x[1])}; }},
      {"fmod", [](const Operands& x) { return Results{x[0].fmod(0.7)}; }},
      {"remainder", [](const Operands& x) { return Results{x[0] % 0.7}; }},
      {"floor_divide", [](const Operands& x) { return Results{floor_divide(x[0], x[1])}; }},
      {"trunc_divide", [](const Operands& x) { return Results{div(x[0], x[1], "trunc")}; }}};
  for (const std::string way : {"linear", "lower", "higher", "midpoint", "nearest"}) {
    table["quantile " + way] = [way](const Operands& x) { return Results{x[0].quantile(x[1], -1, false, way)}; };
  }
  const std::pair<const char*, double> orders[] = {{"0", 0}, {"1.5", 1.5}, {"2", 2}, {"3", 3}, {"inf", INFINITY}};
  for (const auto& [name, p] : orders) {
    table[std::string("cdist ") + name] = [p = p](const Operands& x) { return Results{cdist(x[0], x[1], p)}; };
  }
  return table;
}
// clang-format on

// "name#2" is the second row of that name.
const Row* row_of(const std::string& name) {
  const std::size_t mark = name.find('#');
  int left = mark == std::string::npos ? 1 : std::stoi(name.substr(mark + 1));
  for (const Row& row : operation_table()) {
    if (row.name == name.substr(0, mark) && row.operands.size() < 4 && --left == 0) return &row;
  }
  return nullptr;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(reference_elementwise)

BOOST_AUTO_TEST_CASE(values_and_gradients) {
  const auto table = calls();
  std::size_t cases = 0;
  for (const std::string& at : file().cases("")) {
    const std::string name = at.substr(0, at.find('@'));
    BOOST_TEST_CONTEXT(at) {
      const Tensor dy = file().get(at + "/dy");
      Operands x;
      for (const char* letter : {"/a", "/b", "/c"}) {
        if (!file().has(at + letter)) continue;
        x.push_back(file()[at + letter]);
        if (dy.defined()) x.back().requires_grad_();
      }
      const auto call = table.find(name);
      const Row* const row = call == table.end() ? row_of(name) : nullptr;
      if (call == table.end() && row == nullptr) {
        BOOST_ERROR("there is neither a call nor a row for this case");
        continue;
      }
      ++cases;
      try {
        const Results y = row != nullptr ? Results{row->call(x)} : call->second(x);
        if (file().has(at + "/y")) file().check(y[0], at + "/y");
        for (std::size_t i = 0; file().has(at + "/y" + std::to_string(i)); ++i) {
          file().check(y.at(i), at + "/y" + std::to_string(i));
        }
        if (!dy.defined()) continue;
        y[0].backward(dy);
        for (std::size_t i = 0; i < x.size(); ++i) {
          const std::string gradient = at + "/d" + "abc"[i];
          if (file().has(gradient)) file().check(x[i].grad(), gradient);
        }
      } catch (const std::exception& error) {
        BOOST_ERROR(error.what());
      }
    }
  }
  BOOST_TEST(cases > 180u);
}

// What forwards to another gives its bits.
BOOST_AUTO_TEST_CASE(second_names) {
  using Unary = Tensor (*)(Operand);
  const Tensor x = tensor({0.25, 0.5, 0.875}, kDouble), y = tensor({0.5, 0.5, 3.}, kDouble), far = x + 1;
  const std::tuple<const char*, Unary, Unary> of_one[] = {
      {"absolute", absolute, abs},
      {"negative", negative, neg},
      {"fix", fix, trunc},
      {"arccos", arccos, acos},
      {"arccosh", [](Operand t) { return arccosh(t.tensor() + 1); }, [](Operand t) { return acosh(t.tensor() + 1); }},
      {"arcsin", arcsin, asin},
      {"arcsinh", arcsinh, asinh},
      {"arctan", arctan, atan},
      {"arctanh", arctanh, atanh},
      {"entr", special_entr, special::entr},
      {"erf", special_erf, special::erf},
      {"erfc", special_erfc, erfc},
      {"erfinv", special_erfinv, erfinv},
      {"exp2", special_exp2, exp2},
      {"expit", special_expit, sigmoid},
      {"expm1", special_expm1, special::expm1},
      {"gammaln", special_gammaln, lgamma},
      {"i0", special_i0, i0},
      {"i1", special_i1, special::i1},
      {"log1p", special_log1p, log1p},
      {"ndtr", special_ndtr, special::ndtr},
      {"psi", special_psi, digamma},
      {"special::psi", special::psi, digamma},
      {"round", [](Operand t) { return special_round(t); }, round},
      {"sinc", special_sinc, sinc}};
  for (const auto& [name, second, first] : of_one) BOOST_CHECK_MESSAGE(same_bits(second(x), first(x)), name);
  const std::tuple<const char*, Tensor, Tensor> results[] = {
      {"greater", x.greater(y), x > y},
      {"greater_equal", greater_equal(x, 0.5), x >= 0.5},
      {"less", x.less(0.5), x < 0.5},
      {"less_equal", less_equal(x, y), x <= y},
      {"not_equal", x.not_equal(y), x != y},
      {"0.5 < x", 0.5 < x, x > 0.5},
      {"0.5 >= x", 0.5 >= x, x <= 0.5},
      {"0.5 == x", 0.5 == x, x == 0.5},
      {"0.5 != x", 0.5 != x, x != 0.5},
      {"2 % x", 2 % x, remainder(2, x)},
      {"multiply", x.multiply(y), x * y},
      {"subtract", subtract(x, y, 2), x - y * 2},
      {"true_divide", x.true_divide(2), x / 2},
      {"arctan2", x.arctan2(y), atan2(x, y)},
      {"clip", clip(x, {}, 0.4), x.clamp_max(0.4)},
      {"max", max(x, y), maximum(x, y)},
      {"special_logit", special_logit(x), x.logit()},
      {"special_xlogy", special_xlogy(x, y), xlogy(x, y)},
      {"special_xlog1py", special_xlog1py(x, y), special::xlog1py(x, y)},
      {"special_polygamma", special_polygamma(1, x), x.polygamma(1)},
      {"special_softmax", special_softmax(x, 0), softmax(x, 0)},
      {"special_log_softmax", special_log_softmax(x, 0), special::log_softmax(x, 0)},
      {"special_logsumexp", special_logsumexp(x, 0), logsumexp(x, 0)}};
  for (const auto& [name, second, first] : results) BOOST_CHECK_MESSAGE(same_bits(second, first), name);
}

BOOST_AUTO_TEST_CASE(without_gradients) {
  const Tensor x = tensor({3., 1., 3., 2., 1.}, kDouble), mask = x > 1;
  const auto is = [](const Tensor& y, const std::vector<double>& expected) { return values(y.array()) == expected; };
  BOOST_TEST((is(where(mask, 1, 2), {1, 2, 1, 1, 2}) && where(mask, 1, 2).dtype() == kInt64));
  BOOST_TEST((where(mask, 1.0, 2).dtype() == kFloat32));
  const std::vector<Tensor> places = where(mask.slice(0, 0, 4).view({2, 2}));
  BOOST_TEST((places.size() == 2 && is(places[0], {0, 1, 1}) && is(places[1], {0, 0, 1})));
  const auto [values_of, inverse, counts] = unique(x, false, true, true);
  BOOST_TEST((is(values_of, {3, 1, 2}) && is(inverse, {0, 1, 0, 2, 1}) && is(counts, {2, 2, 1})));
  const auto [none, no_inverse, no_counts] = unique(x.slice(0, 0, 0));
  BOOST_TEST((none.numel() == 0 && no_inverse.numel() == 0 && no_counts.numel() == 0));
  BOOST_TEST((is(bucketize(2.5, tensor({1, 2, 3})), {2}) && bucketize(x, x.slice(0, 3, 4), true).dtype() == kInt32));
  BOOST_TEST(is(searchsorted(x, x, false, true, {}, std::get<1>(x.sort())), {5, 2, 5, 3, 2}));
  check_error<ValueError>([&] { searchsorted(x, x, false, true, "left"); },
                          {"searchsorted: side and right must agree"});
  BOOST_TEST(equal(searchsorted(x, x.to(kFloat32)), searchsorted(x, x.to(kFloat32).to(kFloat64))));
  check_error<ShapeError>([&] { searchsorted(x.unsqueeze(0), x); }, {"searchsorted: ", "[1, 5]", "[5]"});
  check_error<IndexError>([&] { searchsorted(x, x, false, false, {}, x.to(kInt64) + 3); },
                          {"searchsorted: ", "[0, 5)"});
  check_error<ShapeError>([&] { bucketize(x, x.unsqueeze(0)); }, {"bucketize: ", "[1, 5]"});
  check_error<ValueError>([&] { bincount(tensor({1, -2})); }, {"bincount: ", "-2"});
  check_error<DTypeError>([&] { bincount(x); }, {"bincount: ", "float64"});
  check_error<ShapeError>([&] { bincount(tensor({1, 2}), x); }, {"bincount: ", "[5]", "[2]"});
  check_error<ValueError>([&] { histc(x, 0); }, {"histc: ", "0"});
  check_error<ValueError>([&] { histc(x, 3, 2, 1); }, {"histc: ", "2", "1"});
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  check_error<ValueError>([&] { bincount(tensor({most}), {}, 8); }, {"bincount: ", "9223372036854775807"});
  check_error<Error>([&] { bincount(tensor({most - 1}), {}, 8); }, {"bincount"});
  check_error<IndexError>([&] { unique_dim(x, 1); }, {"unique_dim: "});
  check_error<ValueError>([&] { isclose(x, x, -1); }, {"isclose: ", "-1"});
}

BOOST_AUTO_TEST_CASE(bins_of_huge_numbers) {
  for (const DType dtype : {kFloat32, kFloat64}) {
    const double most = dtype == kFloat32 ? 3e38 : 1.5e308;
    const Tensor x = tensor({most / 3, most, -most, kInf, -kInf, std::nan("")}, kDouble).to(dtype);
    const Tensor counts = histc(x, 100, 0, most), both = histc(x, 4, -most, most);
    BOOST_TEST(counts.sum().item<double>() == 2);
    BOOST_TEST((counts[33] + counts[99]).item<double>() == 2);
    BOOST_TEST((values(both.array()) == std::vector<double>{1, 0, 1, 1}));
  }
  const Tensor near = tensor({1.f, 2.f});  // bounds that float32 does not hold, or does not tell apart
  BOOST_TEST((values(histc(near, 2, -1e300, 1e300).array()) == std::vector<double>{0, 2}));
  BOOST_TEST((values(histc(near, 2, 1, 1 + 1e-12).array()) == std::vector<double>{1, 0}));
  BOOST_TEST(histc(tensor({1e20}, kDouble), 3)[0].item<double>() == 1);
  // As PyTorch, in float32: 7 for the bin of 0.7f.
  BOOST_TEST(histc(tensor({0.7f}), 10, 0, 1)[7].item<double>() == 1);
}

// Neighbours that float64 does not tell apart, and distances that int64 does not hold.
BOOST_AUTO_TEST_CASE(integers_that_are_close) {
  using Limits = std::numeric_limits<std::int64_t>;
  constexpr std::int64_t large = std::int64_t{1} << 53;
  const Tensor x = tensor({large, large, Limits::min(), Limits::min()}),
               y = tensor({large, large + 1, Limits::max(), Limits::min()});
  BOOST_TEST((values(isclose(x, y, 0, 0).array()) == std::vector<double>{1, 0, 0, 1}));
  BOOST_TEST((values(isclose(x, y, 0, 1).array()) == std::vector<double>{1, 1, 0, 1}));
  BOOST_TEST((values(isclose(x, y, 3, 0).array()) == std::vector<double>{1, 1, 1, 1}));
  const Tensor bytes = tensor({1, 255}).to(kUInt8);
  BOOST_TEST((values(isclose(bytes, bytes.flip(0), 0, 253).array()) == std::vector<double>{0, 0}));
  BOOST_TEST((values(isclose(bytes > 1, bytes > 0).array()) == std::vector<double>{0, 1}));
}

BOOST_AUTO_TEST_CASE(names_that_are_rarely_called) {
  const Tensor x = tensor({1., kInf, -kInf, std::nan("")});
  // A number beside unsigned integers keeps its sign where the result is floating-point.
  const Tensor bytes = tensor(std::vector<std::int64_t>{1, 2}).to(kUInt8);
  BOOST_TEST((values(copysign(bytes, -3).array()) == std::vector<double>{-1, -2}));
  BOOST_TEST(isnan(xlogy(bytes, -3)).all().item<bool>());
  BOOST_TEST(isnan(special::xlog1py(bytes, -3)).all().item<bool>());
  BOOST_TEST((values(xlogy(-3, bytes.mul(0).add(1)).array()) == std::vector<double>{0, 0}));
  BOOST_TEST((values(isposinf(x).array()) == std::vector<double>{0, 1, 0, 0}));
  BOOST_TEST((values(isneginf(x).array()) == std::vector<double>{0, 0, 1, 0}));
  const auto [distinct, inverse] = _unique(tensor({3, 1, 3}), true, true);
  BOOST_TEST((equal(distinct, tensor({1, 3})) && equal(inverse, tensor({1, 0, 1}))));
  BOOST_TEST((equal(where(tensor(2))[0], tensor({0})) && where(tensor(0))[0].numel() == 0));
  // Slopes of its own for each number below 0, in the gradient too.
  const Tensor in = tensor({-1., -2., 3., -4.}).requires_grad_();
  const Tensor y = rrelu(in, 0.25, 0.5, true);
  y.sum().backward();
  BOOST_TEST(equal(in.grad() * in, y));
  BOOST_TEST(in.grad()[2].item<double>() == 1);
  std::vector<double> slopes;
  for (const int i : {0, 1, 3}) slopes.push_back(in.grad()[i].item<double>());
  for (const double s : slopes) BOOST_TEST((s >= 0.25 && s <= 0.5));
  BOOST_TEST((slopes[0] != slopes[1] && slopes[1] != slopes[2]));
}

// Remainders and whole quotients of float32 are the C library's, signs of zeros included.
BOOST_AUTO_TEST_CASE(remainders_are_exact) {
  const float some[] = {0.f, -0.f,  1.f,    -1.f,   0.1f,  -0.3f,    7.f,       -7.f,
                        2.f, 1e30f, -1e30f, 1e-40f, 3e38f, INFINITY, -INFINITY, NAN};
  std::vector<float> a, b;
  for (const float x : some) {
    for (const float y : some) {
      for (const float factor : {1.f, 3.f, 0.7f, 123.456f, 4e8f, 6e8f}) {
        a.push_back(x * factor);
        b.push_back(y);
      }
    }
  }
  const Tensor x = tensor(a), y = tensor(b);
  const Tensor rest = fmod(x, y), modulo = x % y, whole = floor_divide(x, y);
  const auto same = [](float p, float q) {
    return (std::isnan(p) && std::isnan(q)) || (p == q && std::signbit(p) == std::signbit(q));
  };
  for (std::size_t i = 0; i < a.size(); ++i) {
    BOOST_TEST_CONTEXT(a[i] << " by " << b[i]) {
      const float r = std::fmod(a[i], b[i]);
      BOOST_CHECK(same(rest.data_ptr<float>()[i], r));
      BOOST_CHECK(same(modulo.data_ptr<float>()[i], r != 0 && (r < 0) != (b[i] < 0) ? r + b[i] : r));
      if (std::isfinite(a[i]) && std::isfinite(b[i]) && b[i] != 0 && std::fabs(a[i] / b[i]) < 1e6f) {
        const double exact =
            std::floor((static_cast<double>(a[i]) - static_cast<double>(r)) / static_cast<double>(b[i]) + 0.5) -
            (r != 0 && (r < 0) != (b[i] < 0) ? 1 : 0);
        BOOST_CHECK_EQUAL(static_cast<double>(whole.data_ptr<float>()[i]), exact);
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
