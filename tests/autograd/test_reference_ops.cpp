// Values, gradients and dtypes of every operation against PyTorch's, from reference/ops.safetensors (made by
// reference/make_ops.py, where each case's call stands).
// Label: serial
#include <boost/test/unit_test.hpp>

#include <functional>
#include <limits>
#include <map>
#include <set>
#include <tuple>

#include <gradus/core/ops/reduce.h>
#include <gradus/autograd/tensor/create.h>
#include <gradus/autograd/tensor/tensor.h>

#include "../support/gradients.h"
#include "../support/pytorch.h"
#include "../table/row.h"

namespace gradus::test {
namespace {

using core::Array;
using indexing::Ellipsis;
using indexing::None;
using indexing::Slice;

// The operands of a case by their names in the file: those that require grad, an index and a mask.
struct Given {
  Tensor a, b, c, i, m;
};
using Results = std::vector<Tensor>;
using Case = std::function<Results(const Given&)>;

template <class F>
Case of(F f) {
  return [f](const Given& g) { return Results{f(g)}; };
}
Results both(const std::tuple<Tensor, Tensor>& result) { return {std::get<0>(result), std::get<1>(result)}; }

#define CALL(...)                                               \
  of([]([[maybe_unused]] const Given& g) -> Tensor {            \
    [[maybe_unused]] const Tensor &a = g.a, &b = g.b, &c = g.c; \
    return __VA_ARGS__;                                         \
  })
#define PAIR(...)             \
  [](const Given& g) {        \
    const Tensor& a = g.a;    \
    return both(__VA_ARGS__); \
  }

// clang-format off: tables
std::map<std::string, Case> calls() {
  const double inf = std::numeric_limits<double>::infinity();
  std::map<std::string, Case> table = {
      {"abs_zero", CALL(a.abs())},
      {"sqrt_zero", CALL(a.sqrt())},
      {"clamp", CALL(a.clamp(-1, 0.5))},
      {"clamp_min", CALL(clamp_min(a, -0.5))},
      {"clamp_max", CALL(a.clamp({}, 0.5))},
      {"clamp_infinite", of([inf](const Given& g) { return g.a.clamp(-inf, inf); })},
      {"pow_2", CALL(a.pow(2))},
      {"pow_3", CALL(a.pow(3))},
      {"pow_1", CALL(a.pow(1))},
      {"pow_0", CALL(a.pow(0))},
      {"pow_0.5", CALL(a.pow(0.5))},
      {"pow_-1", CALL(a.pow(-1))},
      {"pow_-2", CALL(a.pow(-2))},
      {"pow_2.5", CALL(a.pow(2.5))},
      {"pow_base2", CALL(pow(2.0, a))},
      {"pow", CALL(pow(a, b))},
      {"pow_broadcast", CALL(pow(a, b))},
      {"pow_edge", CALL(pow(a, b))},
      {"pow_special", CALL(pow(a, b))},
      {"add_alpha", CALL(add(a, b, 0.3))},
      {"sub_alpha", CALL(sub(a, b, 0.3))},
      {"mul_scalar_tensor", CALL(a * b)},
      {"mul_self", CALL(a * a)},
      {"rsub", CALL(1.5 - a)},
      {"rdiv", CALL(1.5 / a)},
      {"where", CALL(where(g.m, a, b))},
      {"where_broadcast", CALL(where(g.m, a, b))},
      {"where_nan_not_taken", CALL(where(g.m, a, b))},
      {"masked_fill", CALL(a.masked_fill(g.m, 0.5))},
      {"logsumexp_dim1", CALL(a.logsumexp(1))},
      {"logsumexp_special", CALL(a.logsumexp(1))},
      {"logsumexp_dims02_keep", CALL(a.logsumexp({0, 2}, true))},
      {"norm_default", CALL(a.norm())},
      {"norm_0_dim1", CALL(a.norm(0, 1))},
      {"softmax_dim1", CALL(a.softmax(1))},
      {"log_softmax_dim1", CALL(a.log_softmax(1))},
      {"matmul_transposed", CALL(matmul(a.t(), b.t()))},
      {"bmm", CALL(bmm(a, b))},
      {"addmm_scaled", CALL(addmm(a, b, c, 0.5, -1.5))},
      {"addmm_beta0", CALL(addmm(a, b, c, 0))},
      {"cat_dim0", CALL(cat({a, b, a}, 0))},
      {"cat_dim1", CALL(cat({a, b, c}, -1))},
      {"stack_dim0", CALL(stack({a, b}))},
      {"stack_last", CALL(stack({a, b, a}, -1))},
      {"index_select_dim0", CALL(a.index_select(0, g.i))},
      {"index_select_dim1", CALL(a.index_select(1, g.i))},
      {"sum_all", CALL(a.sum())},
      {"sum_dim1", CALL(a.sum(1))},
      {"sum_last_keep", CALL(a.sum(-1, true))},
      {"sum_dims02", CALL(a.sum({0, 2}))},
      {"sum_dims02_keep", CALL(a.sum({0, 2}, true))},
      {"mean_all", CALL(a.mean())},
      {"mean_dim1", CALL(a.mean(1))},
      {"mean_last_keep", CALL(a.mean(-1, true))},
      {"mean_dims02", CALL(a.mean({0, 2}))},
      {"mean_dims02_keep", CALL(a.mean({0, 2}, true))},
      {"var_all", CALL(a.var())},
      {"var_dim1", CALL(a.var(1))},
      {"var_dims02_biased", CALL(a.var({0, 2}, false, true))},
      {"var_constant", CALL(a.var(1))},
      {"var_one_value", CALL(a.var(0))},
      {"std_all", CALL(a.std())},
      {"std_dim1", CALL(a.std(1))},
      {"std_dims02_biased", CALL(a.std({0, 2}, false, true))},
      {"std_constant", CALL(a.std(1))},
      {"std_one_value", CALL(a.std(0))},
      {"max_all", CALL(a.max())},
      {"max_all_ties", CALL(a.max())},
      {"min_all", CALL(a.min())},
      {"min_all_ties", CALL(a.min())},
      {"max_dim1", PAIR(a.max(1))},
      {"max_last_keep", PAIR(a.max(-1, true))},
      {"max_dim_ties", PAIR(a.max(1))},
      {"max_dim_nan", PAIR(a.max(1))},
      {"min_dim1", PAIR(a.min(1))},
      {"min_last_keep", PAIR(a.min(-1, true))},
      {"min_dim_ties", PAIR(a.min(1))},
      {"min_dim_nan", PAIR(a.min(1))},
      {"amax_dim1", CALL(a.amax(1))},
      {"amax_ties", CALL(a.amax(1))},
      {"amin_dim1", CALL(a.amin(1))},
      {"amin_ties", CALL(a.amin(1))},
      {"argmax_all", CALL(a.argmax())},
      {"argmax_dim1", CALL(a.argmax(1))},
      {"argmax_last_keep", CALL(a.argmax(-1, true))},
      {"argmax_ties", CALL(a.argmax(1))},
      {"argmin_all", CALL(a.argmin())},
      {"argmin_dim1", CALL(a.argmin(1))},
      {"argmin_last_keep", CALL(a.argmin(-1, true))},
      {"argmin_ties", CALL(a.argmin(1))},
  };
  const auto add = [&table](const std::string& name, const Case& call, const std::vector<std::string>& variants) {
    for (const std::string& variant : variants) table.emplace(name + variant, call);
  };
  const std::vector<std::pair<std::string, Tensor (*)(Operand)>> unary = {
      {"exp", exp},      {"log", log},   {"log1p", log1p},     {"expm1", expm1}, {"sqrt", sqrt},
      {"rsqrt", rsqrt},  {"abs", abs},   {"neg", neg},         {"sign", sign},   {"sin", sin},
      {"cos", cos},      {"tanh", tanh}, {"sigmoid", sigmoid}, {"relu", relu},   {"reciprocal", reciprocal},
      {"square", square}};
  for (const auto& [name, f] : unary) add(name, of([f = f](const Given& g) { return f(g.a); }), {"", "_special"});
  add("clamp", table["clamp"], {"_at_bounds", "_special"});
  for (const char* name : {"clamp_min", "clamp_max", "clamp_infinite"}) add(name, table[name], {"_at_bounds"});
  const std::vector<std::pair<std::string, Case>> binary = {{"add", CALL(a + b)},
                                                            {"sub", CALL(a - b)},
                                                            {"mul", CALL(a * b)},
                                                            {"div", CALL(a / b)},
                                                            {"maximum", CALL(maximum(a, b))},
                                                            {"minimum", CALL(minimum(a, b))}};
  for (const auto& [name, f] : binary) add(name, f, {"", "_broadcast", "_ties", "_special"});
  const std::pair<std::string, double> orders[] = {{"1", 1}, {"2", 2}, {"3", 3}, {"inf", inf}, {"0.5", 0.5}};
  for (const auto& [name, p] : orders) {
    add("norm_" + name, of([p = p](const Given& g) { return g.a.norm(p); }), {"_all"});
    add("norm_" + name, of([p = p](const Given& g) { return g.a.norm(p, 1); }), {"_dim1"});
    if (name == "1" || name == "2" || name == "inf") table["norm_" + name + "_zero"] = table["norm_" + name + "_dim1"];
  }
  add("matmul", CALL(matmul(a, b)),
      {"_1d_1d", "_2d_1d", "_1d_2d", "_2d_2d", "_3d_2d", "_2d_3d", "_3d_1d", "_1d_3d", "_3d_3d", "_broadcast",
       "_no_inner"});
  add("addmm", CALL(addmm(a, b, c)), {"", "_row", "_column", "_scalar"});
  // Views, each followed by its square.
  const std::vector<std::pair<std::string, Case>> views = {
      {"transpose", CALL(a.transpose(0, 2))},
      {"t", CALL(a[0].t())},
      {"permute", CALL(a.permute({2, 0, 1}))},
      {"expand", CALL(a.slice(1, 0, 1).expand({3, 2, 5, 4}))},
      {"select", CALL(a.select(1, -1))},
      {"slice", CALL(a.slice(1, 1).slice(2, 0, {}, 2))},
      {"narrow", CALL(a.narrow(2, 1, 2))},
      {"reshape", CALL(a.permute({2, 0, 1}).reshape({6, 4}))},
      {"squeeze", CALL(a.slice(1, 0, 1).squeeze(1))},
      {"unsqueeze", CALL(a.unsqueeze(-2))},
      {"flatten", CALL(a.flatten(1))},
      {"as_strided", CALL(a.as_strided({3, 2}, {2, 3}, 1))},
      {"as_strided_overlap", CALL(a.as_strided({3, 4}, {1, 2}, 2))},
      {"flip", CALL(a.flip({0, 2}))},
      {"index", CALL(a.index({Ellipsis, Slice(1, 3), None, 2}))},
      {"contiguous", CALL(a.permute({2, 0, 1}).contiguous())}};
  for (const auto& [name, f] : views) {
    table[name] = [f = f](const Given& g) {
      const Tensor v = f(g)[0];
      return Results{v * v};
    };
  }
  return table;
}
// clang-format on

// Operations that PyTorch has and this library does not (yet), and cases that another suite takes.
bool left_out(const std::string& name) {
  for (const char* prefix : {"prod_", "cumsum_", "in_place_", "promotion", "cast"}) {
    if (name.rfind(prefix, 0) == 0) return true;
  }
  return false;
}

const PyTorchFile& reference() {
  static const PyTorchFile file("ops");
  return file;
}
// Infinities, NaNs and integers alike; a zero's sign too.
void check_special(const Array& ours, const Array& theirs) {
  const std::vector<double> x = values(ours), y = values(theirs);
  BOOST_REQUIRE_EQUAL(x.size(), y.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    BOOST_TEST_CONTEXT("element " << i << ": " << x[i] << ", PyTorch " << y[i]) {
      if (std::isnan(y[i])) {
        BOOST_CHECK(std::isnan(x[i]));
      } else if (y[i] == 0 || std::isinf(y[i])) {
        BOOST_CHECK(x[i] == y[i] && std::signbit(x[i]) == std::signbit(y[i]));
      } else {
        BOOST_CHECK_LE(std::fabs(x[i] - y[i]), bound_of(theirs.dtype()) * std::fabs(y[i]));
      }
    }
  }
}

// The row of that name in the operation table; empty where there is none.
Case call_of_row(const std::string& name) {
  for (const Row& row : operation_table()) {
    if (row.name != name) continue;
    return [&row](const Given& g) {
      Operands operands;
      for (const Tensor& x : {g.a, g.b, g.c}) {
        if (x.defined()) operands.push_back(x);
      }
      return Results{row.call(operands)};
    };
  }
  return {};
}

const DType kDTypes[] = {kBool, kUInt8, kInt32, kInt64, kFloat32, kFloat64};

// The code of the result's dtype; -1 where there is an error.
template <class F>
std::int32_t code_of(F call) {
  try {
    return static_cast<std::int32_t>(Tensor(call()).dtype());
  } catch (const Error&) {
    return -1;
  }
}
Tensor one_of(DType dtype, bool scalar) { return Tensor(core::ones(scalar ? core::Shape{} : core::Shape{2}, dtype)); }

}  // namespace

BOOST_AUTO_TEST_SUITE(reference_ops)

BOOST_AUTO_TEST_CASE(values_and_gradients) {
  const std::map<std::string, Case> table = calls();
  std::set<std::string> used;
  for (const std::string& name : reference().cases("")) {
    if (left_out(name)) continue;
    const std::string base = name.substr(0, name.size() - 4);
    BOOST_TEST_CONTEXT(name) {
      const auto found = table.find(base);
      Case call;
      if (found != table.end()) {
        used.insert(base);
        call = found->second;
      } else {
        call = call_of_row(base.ends_with("_special") ? base.substr(0, base.size() - 8) : base);
      }
      if (!call) {
        BOOST_ERROR("there is neither a call nor a row for this case");
        continue;
      }
      try {
        const auto operand = [&](const char* letter) { return reference().get(name + "/" + letter); };
        const Given g{operand("a"), operand("b"), operand("c"), operand("i"), operand("m")};
        const Tensor dy = operand("dy");
        const bool gradient = dy.defined();
        const std::pair<const char*, Tensor> leaves[] = {{"da", g.a}, {"db", g.b}, {"dc", g.c}};
        if (gradient) {
          for (const auto& [letter, x] : leaves) {
            if (x.defined()) x.requires_grad_();
          }
        }
        const Results results = call(g);
        const Array y = results[0].array(), expected = reference()[name + "/y"].array();
        if (gradient) {
          reference().check(results[0], name + "/y");
        } else {
          BOOST_CHECK(y.dtype() == expected.dtype());
          check_special(y, expected);
        }
        if (results.size() > 1) BOOST_CHECK(equal(results[1], reference()[name + "/index"]));
        if (!gradient) continue;
        results[0].backward(dy);
        for (const auto& [letter, x] : leaves) {
          if (!x.defined()) continue;
          reference().check(x.grad(), name + "/" + letter);
        }
      } catch (const Error& error) {
        BOOST_ERROR(error.what());
      }
    }
  }
  for (const auto& [name, call] : table) {
    const bool variant = name.find("_ties") != std::string::npos || name.find("_special") != std::string::npos;
    BOOST_CHECK_MESSAGE(used.count(name) == 1 || variant, "the file has no case " << name);
  }
}

// What the file leaves out because PyTorch's versions differ: at a bound of clamp the gradient passes (functions.h).
BOOST_AUTO_TEST_CASE(clamps_gradient_at_its_bounds) {
  const Tensor x = leaf(std::vector<double>{-2, -1, 0, 0.5, 2});
  x.clamp(-1, 0.5).sum().backward();
  BOOST_CHECK((values(x.grad()) == std::vector<double>{0, 1, 1, 1, 0}));
}

BOOST_AUTO_TEST_CASE(promotion_of_two_operands) {
  const std::map<std::string, std::function<Tensor(const Tensor&, const Tensor&)>> tensors = {
      {"add", [](const Tensor& p, const Tensor& q) { return p + q; }},
      {"sub", [](const Tensor& p, const Tensor& q) { return p - q; }},
      {"mul", [](const Tensor& p, const Tensor& q) { return p * q; }},
      {"div", [](const Tensor& p, const Tensor& q) { return p / q; }},
      {"lt", [](const Tensor& p, const Tensor& q) { return p < q; }},
      {"pow", [](const Tensor& p, const Tensor& q) { return pow(p, q); }},
      {"maximum", [](const Tensor& p, const Tensor& q) { return maximum(p, q); }},
      {"add_", [](const Tensor& p, const Tensor& q) { return p.clone().add_(q); }},
      {"mul_", [](const Tensor& p, const Tensor& q) { return p.clone().mul_(q); }},
      {"div_", [](const Tensor& p, const Tensor& q) { return p.clone().div_(q); }},
      {"copy_", [](const Tensor& p, const Tensor& q) { return p.clone().copy_(q); }},
      {"where", [](const Tensor& p, const Tensor& q) {
         return where(tensor(std::vector<int>{1, 0}) == 1, p, q);
       }}};
  const std::map<std::string, std::function<Tensor(const Tensor&, const Scalar&)>> right = {
      {"add", [](const Tensor& p, const Scalar& q) { return p + q; }},
      {"sub", [](const Tensor& p, const Scalar& q) { return p - q; }},
      {"mul", [](const Tensor& p, const Scalar& q) { return p * q; }},
      {"div", [](const Tensor& p, const Scalar& q) { return p / q; }},
      {"lt", [](const Tensor& p, const Scalar& q) { return p < q; }},
      {"pow", [](const Tensor& p, const Scalar& q) { return pow(p, q); }},
      {"add_", [](const Tensor& p, const Scalar& q) { return p.clone().add_(q); }},
      {"mul_", [](const Tensor& p, const Scalar& q) { return p.clone().mul_(q); }},
      {"div_", [](const Tensor& p, const Scalar& q) { return p.clone().div_(q); }}};
  const std::map<std::string, std::function<Tensor(const Scalar&, const Tensor&)>> left = {
      {"add", [](const Scalar& p, const Tensor& q) { return p + q; }},
      {"sub", [](const Scalar& p, const Tensor& q) { return p - q; }},
      {"mul", [](const Scalar& p, const Tensor& q) { return p * q; }},
      {"div", [](const Scalar& p, const Tensor& q) { return p / q; }},
      {"lt", [](const Scalar& p, const Tensor& q) { return q > p; }},
      {"pow", [](const Scalar& p, const Tensor& q) { return pow(p, q); }}};
  const Scalar scalars[] = {true, 1, 1.0};
  std::size_t cells = 0;
  for (const auto& entry : tensors) {
    const auto& name = entry.first;
    const auto& call = entry.second;
    const Array table = reference()["promotion/" + name].array();
    const auto* code = table.data_ptr<std::int32_t>();
    for (int p = 0; p < 15; ++p) {
      for (int q = 0; q < 15; ++q) {
        const std::int32_t expected = code[15 * p + q];
        if (expected == -2) continue;
        ++cells;
        const auto operand = [](int k) { return one_of(kDTypes[k % 6], k >= 6); };
        std::int32_t actual = 0;
        if (p < 12 && q < 12)
          actual = code_of([&] { return call(operand(p), operand(q)); });
        else if (p < 12)
          actual = code_of([&] { return right.at(name)(operand(p), scalars[q - 12]); });
        else
          actual = code_of([&] { return left.at(name)(scalars[p - 12], operand(q)); });
        BOOST_CHECK_MESSAGE(actual == expected,
                            name << " of operands " << p << " and " << q << ": " << actual << ", PyTorch " << expected);
      }
    }
  }
  BOOST_CHECK_GT(cells, 1800u);
}

BOOST_AUTO_TEST_CASE(promotion_of_one_operand) {
  const std::map<std::string, std::function<Tensor(const Tensor&)>> one = {
      {"neg", [](const Tensor& x) { return neg(x); }},
      {"abs", [](const Tensor& x) { return abs(x); }},
      {"sign", [](const Tensor& x) { return sign(x); }},
      {"exp", [](const Tensor& x) { return exp(x); }},
      {"sqrt", [](const Tensor& x) { return sqrt(x); }},
      {"reciprocal", [](const Tensor& x) { return reciprocal(x); }},
      {"square", [](const Tensor& x) { return square(x); }},
      {"sigmoid", [](const Tensor& x) { return sigmoid(x); }},
      {"relu", [](const Tensor& x) { return relu(x); }},
      {"sum", [](const Tensor& x) { return x.sum(); }},
      {"mean", [](const Tensor& x) { return x.mean(); }},
      {"var", [](const Tensor& x) { return x.var(); }},
      {"max", [](const Tensor& x) { return x.max(); }},
      {"argmax", [](const Tensor& x) { return x.argmax(); }},
      {"all", [](const Tensor& x) { return x.all(); }},
      {"any", [](const Tensor& x) { return x.any(); }},
      {"logsumexp", [](const Tensor& x) { return x.logsumexp(0); }},
      {"softmax", [](const Tensor& x) { return x.softmax(0); }},
      {"norm", [](const Tensor& x) { return x.norm(); }},
      {"matmul", [](const Tensor& x) { return matmul(x, x); }},
      {"clamp_int", [](const Tensor& x) { return x.clamp(0, 1); }},
      {"clamp_float", [](const Tensor& x) { return x.clamp(0.0, 1.0); }},
      {"pow_2", [](const Tensor& x) { return x.pow(2); }},
      {"pow_half", [](const Tensor& x) { return x.pow(0.5); }}};
  for (const auto& entry : one) {
    const auto& name = entry.first;
    const auto& call = entry.second;
    const Array table = reference()["promotion_unary/" + name].array();
    for (int k = 0; k < 6; ++k) {
      // Ours differ by choice: all and any give Bool whatever they are asked of, and argmax knows which of false and true
      // is larger.
      if (kDTypes[k] == kUInt8 && (name == "all" || name == "any")) continue;
      if (kDTypes[k] == kBool && name == "argmax") continue;
      const std::int32_t expected = table.data_ptr<std::int32_t>()[k],
                         actual = code_of([&] { return call(one_of(kDTypes[k], false)); });
      BOOST_CHECK_MESSAGE(actual == expected,
                          name << " of " << to_string(kDTypes[k]) << ": " << actual << ", PyTorch " << expected);
    }
  }
  const std::map<std::string, std::function<Tensor(const Tensor&, const Tensor&)>> two = {
      {"cat",
       [](const Tensor& p, const Tensor& q) {
         return cat({p, q});
       }},
      {"stack",
       [](const Tensor& p, const Tensor& q) {
         return stack({p, q});
       }},
      {"matmul", [](const Tensor& p, const Tensor& q) { return matmul(p, q); }}};
  for (const auto& entry : two) {
    const auto& name = entry.first;
    const auto& call = entry.second;
    const Array table = reference()["promotion_6x6/" + name].array();
    for (int p = 0; p < 6; ++p) {
      for (int q = 0; q < 6; ++q) {
        const std::int32_t expected = table.data_ptr<std::int32_t>()[6 * p + q];
        const std::int32_t actual = code_of([&] { return call(one_of(kDTypes[p], false), one_of(kDTypes[q], false)); });
        BOOST_CHECK_MESSAGE(actual == expected, name << " of " << to_string(kDTypes[p]) << " and "
                                                     << to_string(kDTypes[q]) << ": " << actual << ", PyTorch "
                                                     << expected);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(casts) {
  for (const std::string name : {"cast", "cast_negative", "cast_odd", "cast_integers"}) {
    const Tensor x = reference()[name + "/x"];
    for (const DType dtype : kDTypes) {
      const std::string at = name + "/" + std::string(to_string(dtype));
      if (!reference().has(at)) continue;
      BOOST_TEST_CONTEXT(at) {
        const Array y = x.to(dtype).array();
        BOOST_CHECK(y.dtype() == dtype);
        check_special(y, reference()[at].array());
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
