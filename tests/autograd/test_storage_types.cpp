// Storage types: float16 and bfloat16, which are computed in float32 and rounded once, int8 and int16, which are computed in
// int32 and wrap around: every row of tests/table with operands of them, against the same operands in what is computed in.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gradus/autograd/graph/engine.h>
#include <gradus/gradus.h>

#include "../support/gradients.h"
#include "../support/pytorch.h"
#include "../table/row.h"

namespace gradus::test {
namespace {

constexpr int kApart = 1000000;

// Places of float16's and bfloat16's numbers in their order.
int place(std::uint16_t bits) { return (bits & 0x8000) != 0 ? -(bits & 0x7fff) : bits; }

// How many numbers of its dtype a result is away from what it should be, rounded; a million where they cannot be compared.
int steps_apart(const core::Array& y, const core::Array& exact) {
  if (!is_storage_type(y.dtype()) || y.shape() != exact.shape()) return kApart;
  const core::Array a = y.contiguous(), b = exact.to(y.dtype()).contiguous();
  const auto* const u = static_cast<const std::uint16_t*>(a.data());
  const auto* const v = static_cast<const std::uint16_t*>(b.data());
  const std::vector<double> x = values(a), wanted = values(b);
  int worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::isnan(x[i]) && std::isnan(wanted[i])) continue;
    worst = std::max(worst, std::isnan(x[i]) != std::isnan(wanted[i]) ? kApart : std::abs(place(u[i]) - place(v[i])));
  }
  return worst;
}

// max|a - b| in units of the last place of the largest |b|.
double units(const Tensor& y, const Tensor& exact) {
  return error_of(y.array().to(kDouble), exact.array().to(kDouble)) * (y.dtype() == kHalf ? 1024 : 128);
}

struct Pair {
  Operands stored, computed;
  static Operands wanted(const Operands& all) {
    Operands list;
    for (const Tensor& x : all) {
      if (x.requires_grad()) list.push_back(x);
    }
    return list;
  }
};
// The operands of a row, real ones in a storage type, and the same numbers in float32.
Pair floats(const Row& row, DType dtype) {
  Pair pair;
  for (std::size_t i = 0; i < row.operands.size(); ++i) {
    const Tensor x = drawn(row.operands[i], static_cast<int>(i));
    pair.stored.push_back(x.is_floating_point() ? x.to(dtype).requires_grad_() : x);
    pair.computed.push_back(x.is_floating_point() ? x.to(dtype).to(kFloat32).requires_grad_() : x);
  }
  return pair;
}
// Whole numbers instead of real ones.
Pair integers(const Row& row, DType dtype) {
  Pair pair;
  for (std::size_t i = 0; i < row.operands.size(); ++i) {
    const Tensor x = drawn(row.operands[i], static_cast<int>(i));
    if (!x.is_floating_point()) {
      pair.stored.push_back(x);
      pair.computed.push_back(x);
      continue;
    }
    const Tensor scaled = (x * 20).round();
    const Tensor whole = where(scaled == 0, ones_like(scaled), scaled).to(dtype);
    pair.stored.push_back(whole);
    pair.computed.push_back(whole.to(kInt32));
  }
  return pair;
}

// What a call gives, or why it does not.
struct Outcome {
  Tensor y;
  std::string refusal;
};
Outcome outcome(const Row& row, const Operands& x) {
  try {
    return {row.call(x), {}};
  } catch (const std::exception& error) {
    return {{}, error.what()};
  }
}

// Rows that are refused, as PyTorch refuses them: LAPACK's factors are taken apart by loops that do not convert.
bool refuses(const Row& row) {
  return row.name == "linalg_lu" || row.name == "lu_unpack" || row.name == "linalg_lu_solve";
}
// Rows whose matrix, made before the call and rounded, has another rank, or is near another singular one.
bool is_other(const Row& row) { return row.name == "linalg_pinv" || row.name == "linalg_cond"; }
// Rows that round more than once: the row is several calls (of linear algebra nearly all: the matrix is made first), or the
// number beside the tensor is rounded to its dtype, as PyTorch's is.
bool in_steps(const Row& row) {
  static const std::set<std::string> names = {"division of a number",
                                              "cholesky_solve",
                                              "cholesky_inverse",
                                              "svd",
                                              "inverse",
                                              "det",
                                              "logdet",
                                              "slogdet",
                                              "nuclear_norm",
                                              "broadcast_tensors",
                                              "meshgrid",
                                              "reflection_pad1d",
                                              "reflection_pad2d",
                                              "reflection_pad3d",
                                              "replication_pad1d",
                                              "replication_pad2d",
                                              "replication_pad3d",
                                              "vander",
                                              "remainder of a number",
                                              "xlog1py with a number",
                                              "second names",
                                              "more second names",
                                              "second names of two",
                                              "std_mean",
                                              "var_mean"};
  const std::string name = row.name.ends_with('_') ? row.name.substr(0, row.name.size() - 1) : row.name;
  return name.starts_with("linalg_") || names.count(name) == 1;
}

// The wide result rounded, or, `loose`, within a few units of the last place of the largest.
void check_rounded(const Tensor& y, const Tensor& exact, DType dtype, bool loose) {
  if (!exact.is_floating_point()) {
    BOOST_TEST(error_of(y.array(), exact.array()) == 0);
  } else if (exact.dtype() == kFloat64) {  // the row says so
    BOOST_TEST(error_of(y.array(), exact.array()) <= 1e-6);
  } else if (y.dtype() != dtype) {
    BOOST_ERROR("the result is " << to_string(y.dtype()));
  } else if (loose) {
    BOOST_TEST(units(y, exact) <= 8);
  } else {
    BOOST_TEST(steps_apart(y.array(), exact.array()) == 0);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(storage_types)

// The results are those of float32, rounded; the gradients, too.
BOOST_AUTO_TEST_CASE(float16_and_bfloat16_are_rounded_once) {
  int exact_rows = 0, loose_rows = 0;
  for (const DType dtype : {kFloat16, kBFloat16}) {
    for (const Row& row : operation_table()) {
      BOOST_TEST_CONTEXT(row.name << " of " << to_string(dtype)) {
        const Pair x = floats(row, dtype);
        const Outcome wide = outcome(row, x.computed), narrow = outcome(row, x.stored);
        BOOST_TEST(wide.refusal == "");
        if (refuses(row)) {
          BOOST_TEST(narrow.refusal.find("a storage type; to(float32) converts") != std::string::npos, narrow.refusal);
          continue;
        }
        BOOST_TEST(narrow.refusal == "");
        if (!narrow.y.defined() || !wide.y.defined() || is_other(row)) continue;
        const bool loose = in_steps(row);
        (loose ? loose_rows : exact_rows) += 1;
        check_rounded(narrow.y, wide.y, dtype, loose);
        if (!narrow.y.requires_grad()) continue;
        const Tensor dy = drawn({narrow.y.sizes().vec(), -2, 2}, 7).to(dtype);
        const Operands g = autograd::grad({narrow.y}, Pair::wanted(x.stored), {dy}, false, false, true);
        const Operands e =
            autograd::grad({wide.y}, Pair::wanted(x.computed), {dy.to(wide.y.dtype())}, false, false, true);
        for (std::size_t i = 0; i < g.size(); ++i) {
          BOOST_TEST(g[i].defined() == e[i].defined());
          if (g[i].defined() && e[i].defined()) check_rounded(g[i], e[i], dtype, loose);
        }
      }
    }
  }
  BOOST_TEST(exact_rows > 600);
  BOOST_TEST(loose_rows < 160);
}

BOOST_AUTO_TEST_CASE(int8_and_int16_wrap_around) {
  int rows = 0;
  for (const DType dtype : {kInt8, kInt16}) {
    for (const Row& row : operation_table()) {
      BOOST_TEST_CONTEXT(row.name << " of " << to_string(dtype)) {
        const Pair x = integers(row, dtype);
        const Outcome wide = outcome(row, x.computed), narrow = outcome(row, x.stored);
        BOOST_TEST(wide.refusal.empty() == narrow.refusal.empty(), wide.refusal << " beside " << narrow.refusal);
        if (!wide.y.defined() || !narrow.y.defined()) continue;
        ++rows;
        const DType expected = wide.y.dtype() == kInt32 ? dtype : wide.y.dtype();
        BOOST_TEST((narrow.y.dtype() == expected), to_string(narrow.y.dtype()));
        BOOST_TEST(error_of(narrow.y.array(), wide.y.array().to(expected)) == 0);
      }
    }
  }
  BOOST_TEST(rows > 300);
}

// What records nothing is in no row.
BOOST_AUTO_TEST_CASE(without_gradients) {
  for (const DType dtype : {kFloat16, kBFloat16}) {
    const Tensor x = drawn({{3, 5}, -2, 2}, 0).to(dtype), w = x.to(kFloat);
    const std::function<Tensor(const Tensor&)> calls[] = {
        [](const Tensor& a) { return a.argmax(); },
        [](const Tensor& a) { return a.argsort(1); },
        [](const Tensor& a) { return std::get<0>(unique(a)); },
        [](const Tensor& a) { return std::get<1>(unique(a, true, true)); },
        [](const Tensor& a) { return a.histc(4); },
        [](const Tensor& a) { return any(a > 1); },
        [](const Tensor& a) { return all(a, 1); },
        [](const Tensor& a) { return nonzero(a > 0); },
        [](const Tensor& a) { return searchsorted(std::get<0>(a.flatten().sort(0)), a); },
        [](const Tensor& a) { return isin(a, a[0]); },
        [](const Tensor& a) { return isclose(a, a); },
        [](const Tensor& a) { return a == a[0]; },
        [](const Tensor& a) { return isnan(a / 0); },
        [](const Tensor& a) { return std::get<1>(a.max(1)); },
        [](const Tensor& a) { return count_nonzero(a); },
        [](const Tensor& a) { return a.index({a > 0}); },
        [](const Tensor& a) { return where(a > 0, a, 0.5); }};
    for (const auto& call : calls) {
      const Tensor y = call(x), exact = call(w);
      BOOST_TEST((y.dtype() == (exact.dtype() == kFloat ? dtype : exact.dtype())));
      BOOST_TEST(error_of(y.array(), exact.array().to(y.dtype())) == 0);
    }
    const double most = dtype == kHalf ? 65504 : 0x1.fep127;
    BOOST_TEST(nan_to_num(tensor({1.0}, dtype) / 0).item<double>() == most);
    check_error<DTypeError>([&] { matmul(x, ones({5, 2})); }, {"matmul: dtypes differ", "float32"});
    check_error<DTypeError>([&] { nn::functional::linear(x, ones({2, 5})); }, {"linear", "one dtype"});
  }
}

BOOST_AUTO_TEST_CASE(in_place) {
  const Tensor x = ones({2, 2}, kHalf).requires_grad_();
  const Tensor y = x * 3;
  y[0].mul_(2.5);
  y.add_(ones({2}, kFloat));
  BOOST_TEST((y.dtype() == kHalf));
  y.sum().backward();
  BOOST_TEST(values(x.grad()) == std::vector<double>({7.5, 7.5, 3, 3}));
  BOOST_TEST((x.grad().dtype() == kHalf));
  check_error<GradError>([&] { x.mul_(2); }, {"mul_", "a leaf that requires grad"});
  check_error<DTypeError>([] { ones({2}, kShort).add_(ones({2}, kHalf)); }, {"add_", "castable"});
  check_error<ShapeError>([] { ones({2}, kHalf).mul_(ones({3, 2}, kHalf)); }, {"mul_"});
  const Tensor c = full({2}, 100, kChar);
  c.mul_(2);
  BOOST_TEST(values(c) == std::vector<double>({-56, -56}));
  c.copy_(tensor({1.7, -1.7}));
  BOOST_TEST(values(c) == std::vector<double>({1, -1}));
}

// Layers after to(kHalf): forward and backward beside the same numbers in float32.
BOOST_AUTO_TEST_CASE(modules) {
  manual_seed(0);
  const auto check = [](auto module, const Tensor& x, DType dtype) {
    module->to(dtype);
    const auto twin = std::dynamic_pointer_cast<typename decltype(module)::Impl>(module->clone());
    twin->to(kFloat);
    const Tensor in = x.is_floating_point() ? x.to(dtype) : x;
    const Tensor y = module->forward(in), e = twin->forward(x.is_floating_point() ? in.to(kFloat) : in);
    BOOST_TEST_CONTEXT(module->name() << " in " << to_string(dtype)) {
      BOOST_TEST(steps_apart(y.array(), e.array()) == 0);
      const Tensor dy = drawn({y.sizes().vec(), -2, 2}, 7).to(dtype);
      y.backward(dy);
      e.backward(dy.to(kFloat));
      const auto p = module->parameters(), q = twin->parameters();
      for (std::size_t i = 0; i < p.size(); ++i) BOOST_TEST(steps_apart(p[i].grad().array(), q[i].grad().array()) == 0);
      const auto b = module->buffers(), c = twin->buffers();
      for (std::size_t i = 0; i < b.size(); ++i) {
        if (b[i].is_floating_point()) BOOST_TEST(steps_apart(b[i].array(), c[i].array()) == 0);
      }
    }
  };
  for (const DType dtype : {kFloat16, kBFloat16}) {
    check(nn::Linear(5, 4), randn({3, 5}), dtype);
    check(nn::Conv2d(nn::Conv2dOptions(3, 4, 3).padding(1)), randn({2, 3, 5, 5}), dtype);
    check(nn::BatchNorm1d(4), randn({6, 4}), dtype);
    check(nn::BatchNorm2d(4), randn({6, 4, 3, 3}), dtype);
    check(nn::LayerNorm(nn::LayerNormOptions({4})), randn({6, 4}), dtype);
    check(nn::Embedding(7, 4), randint(0, 7, {5}), dtype);
    nn::MultiheadAttention attention(nn::MultiheadAttentionOptions(8, 2));
    attention->to(dtype);
    const Tensor q = randn({3, 2, 8}).to(dtype).requires_grad_();
    const auto [y, weights] = attention->forward(q, q, q);
    y.sum().backward();
    BOOST_TEST((y.dtype() == dtype && weights.dtype() == dtype && q.grad().dtype() == dtype));
    BOOST_TEST(all(isfinite(q.grad())).item<bool>());
  }
}

// A step on parameters of float16 is one in float32, rounded; the state is of the parameter's dtype, as PyTorch's.
BOOST_AUTO_TEST_CASE(optimizers) {
  const auto check = [](auto make, DType dtype) {
    const std::vector<double> start = {0.5, -1.25, 2}, slope = {0.25, -0.5, 1};
    const Tensor p = Tensor(list(start)).to(dtype).requires_grad_(),
                 q = Tensor(list(start)).to(kFloat).requires_grad_();
    const auto narrow = make(std::vector<Tensor>{p}), wide = make(std::vector<Tensor>{q});
    p.mutable_grad() = Tensor(list(slope)).to(dtype);
    q.mutable_grad() = Tensor(list(slope)).to(kFloat);
    narrow->step();
    wide->step();
    BOOST_TEST(steps_apart(p.array(), q.array()) == 0);
    for (int i = 0; i < 3; ++i) narrow->step();
    BOOST_TEST(all(isfinite(p.detach())).item<bool>());
  };
  for (const DType dtype : {kFloat16, kBFloat16}) {
    check([](auto p) { return std::make_shared<optim::SGD>(p, optim::SGDOptions(0.1).momentum(0.9)); }, dtype);
    check([](auto p) { return std::make_shared<optim::Adam>(p, optim::AdamOptions(0.1)); }, dtype);
    check([](auto p) { return std::make_shared<optim::AdamW>(p, optim::AdamWOptions(0.1)); }, dtype);
    check([](auto p) { return std::make_shared<optim::RMSprop>(p, optim::RMSpropOptions(0.1)); }, dtype);
    check([](auto p) { return std::make_shared<optim::Adagrad>(p, optim::AdagradOptions(0.1)); }, dtype);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
