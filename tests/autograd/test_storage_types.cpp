// Storage types: float16 and bfloat16, which are computed in float32 and rounded once, int8 and int16, which are computed in
// int32 and wrap around: every row of tests/table with operands of them, against the same operands in what is computed in.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
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
// number beside the tensor is rounded to its dtype, as PyTorch's is, or the function rounds between two steps (normalisation
// of instances, bags of embeddings, the bias of a transposed convolution, edges that are padded in several dimensions).
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
                                              "repeat_interleave",
                                              "diff",
                                              "var with a correction",
                                              "binary_cross_entropy",
                                              "instance_norm",
                                              "instance_norm in evaluation",
                                              "conv_transpose2d",
                                              "embedding_bag",
                                              "embedding_bag of means",
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
        {
          const NoGradGuard no_grad;  // rows that ask for gradients themselves are refused in any dtype
          const Outcome plain = outcome(row, x.computed), again = outcome(row, x.stored);
          BOOST_TEST(again.refusal.empty() == plain.refusal.empty(), again.refusal);
          if (again.y.defined() && plain.y.defined()) check_rounded(again.y, plain.y, dtype, loose);
        }
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
        [](const Tensor& a) { return where(a > 0, a, 0.5); },
        [](const Tensor& a) { return linalg_svdvals(a); },
        [](const Tensor& a) { return linalg_eigvalsh(matmul(a, a.t())); },
        [](const Tensor& a) { return std::get<1>(linalg_qr(a, "r")); },
        [](const Tensor& a) { return linalg_matrix_rank(a); }};
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

// Bounds are those of the dtype: they do not wrap around. A bound of NaN makes NaN, which integers do not hold.
BOOST_AUTO_TEST_CASE(clamped) {
  for (const DType dtype : {kChar, kShort, kByte}) {
    const double most = dtype == kChar ? 127 : dtype == kShort ? 32767 : 255;
    const Tensor x = ones({2}, dtype);
    BOOST_TEST(values(x.clamp(40000, 50000)) == std::vector<double>({most, most}));
    BOOST_TEST(values(x.clamp_min(40000)) == std::vector<double>({most, most}));
    BOOST_TEST(values(x.clamp_max(40000)) == std::vector<double>({1, 1}));
    BOOST_TEST(values(x.clone().clamp_(40000, 50000)) == std::vector<double>({most, most}));
  }
  for (const DType dtype : {kChar, kShort, kByte, kInt, kLong}) {
    const Tensor x = ones({2}, dtype);
    check_error<DTypeError>([&] { x.clamp_(NAN); }, {"clamp_", "castable"});
    BOOST_TEST(values(x) == std::vector<double>({1, 1}));
    BOOST_TEST((x.clamp(NAN).dtype() == kFloat && all(isnan(x.clamp(NAN))).item<bool>()));
  }
  const Tensor h = ones({2}, kHalf);
  BOOST_TEST(all(isnan(h.clamp_(0, NAN))).item<bool>());
  const Tensor f = ones({2}, kFloat).requires_grad_();
  f.clamp(NAN).sum().backward();
  BOOST_TEST(values(f.grad()) == std::vector<double>({0, 0}));
}

// A number, or what joins like one, is rounded as the tensor's own are.
BOOST_AUTO_TEST_CASE(compared_with_numbers) {
  for (const DType dtype : {kHalf, kBFloat16}) {
    const Tensor x = tensor({0.1, 0.3}, dtype), point = tensor(0.1, kDouble);
    BOOST_TEST(values(x == 0.1) == std::vector<double>({1, 0}));
    BOOST_TEST(values(x != 0.1) == std::vector<double>({0, 1}));
    BOOST_TEST(values(x < 0.1) == std::vector<double>({0, 0}));
    BOOST_TEST(values(x >= 0.3) == std::vector<double>({0, 1}));
    BOOST_TEST(values(x == point) == std::vector<double>({1, 0}));
    BOOST_TEST(values(point == x) == std::vector<double>({1, 0}));
    const Tensor y = x.clone();
    y.eq_(0.1);
    BOOST_TEST(values(y) == std::vector<double>({1, 0}));
  }
  BOOST_TEST(values(tensor({0.1}, kFloat) == tensor({0.1}, kHalf)) == std::vector<double>({0}));
}

// An index of int32 is no operand, nor is one dtype of the operands another.
BOOST_AUTO_TEST_CASE(indices_and_dtypes) {
  const Tensor index = zeros({2}, kInt);
  for (const DType dtype : {kChar, kShort}) {
    const Tensor x = full({2}, 100, dtype);
    const auto check = [&](const Tensor& y) { BOOST_TEST((y.dtype() == dtype), to_string(y.dtype())); };
    check(scatter_add(x, 0, index, x));
    check(scatter_add(IntArrayRef({2}), 0, index, x));
    check(x.clone().scatter_add_(0, index, x));
    check(index_add(x, 0, index, x));
    check(scatter_reduce(x, 0, index, x, "amax"));
    check(gather(x, 0, index));
    check(index_select(x, 0, index));
    check(take(x, index));
    check(scatter(x, 0, index, x));
    check(index_copy(x, 0, index, x));
    check(index_fill(x, 0, index, 1));
    check(x.index({index}));
    check(index_put(x, {index}, x, true));
    check(put(x, index, x, true));
    check(take_along_dim(x, index, 0));
  }
  const Tensor h = ones({2, 2}, kHalf), f = ones({2, 2}, kFloat), b = ones({1, 2, 2}, kHalf), i = zeros({2, 2}, kLong);
  check_error<DTypeError>([&] { einsum("ij,jk->ik", {h, f}); }, {"einsum", "one dtype"});
  check_error<DTypeError>([&] { baddbmm(b, b, f.unsqueeze(0)); }, {"baddbmm", "one dtype"});
  check_error<DTypeError>([&] { tensordot(h, f, {1}, {0}); }, {"tensordot", "one dtype"});
  check_error<DTypeError>([&] { linalg_multi_dot({h, f, h}); }, {"linalg_multi_dot", "one dtype"});
  check_error<DTypeError>([&] { cdist(h, f); }, {"cdist", "one dtype"});
  check_error<DTypeError>([&] { cholesky_solve(h, f); }, {"cholesky_solve", "one dtype"});
  check_error<DTypeError>([&] { index_add(h, 0, index, f); }, {"index_add", "one dtype"});
  check_error<DTypeError>([&] { scatter_add(h, 0, i, f); }, {"scatter_add", "one dtype"});
  check_error<DTypeError>([&] { scatter_reduce(f, 0, i, h, "sum"); }, {"scatter_reduce", "one dtype"});
  check_error<DTypeError>([&] { quantile(h, f[0]); }, {"quantile", "one dtype"});
  check_error<DTypeError>([&] { nanquantile(h, f[0]); }, {"nanquantile", "one dtype"});
  BOOST_TEST((diff(h, 1, -1, f).dtype() == kFloat && diff(h, 1, -1, h).dtype() == kHalf));
  Tensor out = zeros({2, 2}, kHalf);
  check_error<DTypeError>([&] { mm_out(out, h, f); }, {"mm_out", "dtypes differ"});
  mm_out(out, h, h);
  BOOST_TEST(values(out) == std::vector<double>({2, 2, 2, 2}));
  const Tensor y = ones({2}, kHalf);
  y.index_add_(0, zeros({1}, kLong), ones({1}, kHalf));
  BOOST_TEST(std::string(y.array().storage()->writes().by) == "index_add_");
  y.mul_(2);
  BOOST_TEST(std::string(y.array().storage()->writes().by) == "mul_");
  y.scatter_add_(0, zeros({1}, kLong), ones({1}, kHalf).requires_grad_());
  BOOST_TEST(std::string(y.array().storage()->writes().by) == "scatter_add_");
}

// A dtype that is asked for is the result's, and what is computed in.
BOOST_AUTO_TEST_CASE(a_dtype_is_honoured) {
  const std::function<Tensor(const Tensor&, std::optional<DType>)> calls[] = {
      [](const Tensor& a, auto d) { return linalg_norm(a, std::nullopt, {}, false, d); },
      [](const Tensor& a, auto d) { return linalg_norm(a, "nuc", {}, false, d); },
      [](const Tensor& a, auto d) { return linalg_norm(a, 1, {}, false, d); },
      [](const Tensor& a, auto d) { return linalg_vector_norm(a, 3, {}, false, d); },
      [](const Tensor& a, auto d) {
        return linalg_matrix_norm(a, "fro", {-2, -1}, false, d);
      },
      [](const Tensor& a, auto d) {
        return linalg_matrix_norm(a, 2, {-2, -1}, false, d);
      },
      [](const Tensor& a, auto d) { return nanmean(a, {}, false, d); },
      [](const Tensor& a, auto d) { return sum(a, 0, false, d); },
      [](const Tensor& a, auto d) { return mean(a, 0, false, d); },
      [](const Tensor& a, auto d) { return nansum(a, 0, false, d); },
      [](const Tensor& a, auto d) { return prod(a, 0, false, d); },
      [](const Tensor& a, auto d) { return cumsum(a, 0, d); },
      [](const Tensor& a, auto d) { return cumprod(a, 0, d); },
      [](const Tensor& a, auto d) { return softmax(a, 0, d); },
      [](const Tensor& a, auto d) { return log_softmax(a, 0, d); }};
  const Tensor x = drawn({{3, 3}, -2, 2}, 0).to(kHalf);
  for (const auto& call : calls) {
    for (const DType dtype : {kFloat, kDouble, kBFloat16}) {
      const Tensor y = call(x, dtype), exact = call(x.to(dtype), {});
      BOOST_TEST((y.dtype() == dtype), to_string(y.dtype()));
      BOOST_TEST(error_of(y.array().to(kDouble), exact.array().to(kDouble)) == 0);
    }
  }
}

// Numbers are drawn in float32 and rounded once, and stay below the bound.
BOOST_AUTO_TEST_CASE(drawn_anew) {
  for (const DType dtype : {kHalf, kBFloat16, kFloat}) {
    for (const double from : {1.0, -1.0, 0.0, -2.0}) {
      manual_seed(1);
      const Tensor x = empty({1 << 20}, dtype).uniform_(from, from + 1);
      BOOST_TEST(x.min().item<double>() >= from);
      BOOST_TEST(x.max().item<double>() < from + 1);
      manual_seed(1);
      const Tensor wide = empty({1 << 20}, kFloat).uniform_(from, from + 1).to(dtype);
      BOOST_TEST(all(logical_or(x == wide, wide == from + 1)).item<bool>());
      manual_seed(1);
      const Tensor n = empty({1000}, dtype).normal_(from, 0.3);
      manual_seed(1);
      BOOST_TEST(equal(n, empty({1000}, kFloat).normal_(from, 0.3).to(dtype)));
    }
    BOOST_TEST(values(empty({2}, dtype).uniform_(3, 3)) == std::vector<double>({3, 3}));
  }
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
