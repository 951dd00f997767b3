// Linear algebra against PyTorch's values, and what the table's rows do not show: conventions at the edges, messages,
// and bits that are the same for any number of threads. The rows are in tests/table/linalg.cpp.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include <gradus/autograd/check/gradcheck.h>
#include <gradus/autograd/graph/engine.h>
#include <gradus/core/ops/linalg_batch.h>
#include <gradus/gradus.h>

#include "../support/gradients.h"
#include "../support/pytorch.h"
#include "../support/threads.h"

namespace gradus::test {

namespace {

using Results = std::vector<Tensor>;
using Case = std::function<Results(const Tensor& a, const Tensor& b)>;

Tensor mT(const Tensor& x) { return x.transpose(-2, -1); }
Tensor one(const Tensor& x) { return gradus::eye(x.size(-1), x.dtype()); }
Tensor definite(const Tensor& x) { return matmul(x, mT(x)) + one(x); }
Tensor regular(const Tensor& x) { return x + one(x) * 4; }
Tensor symmetric(const Tensor& x) { return x + mT(x); }

std::map<std::string, Case> calls() {
  std::map<std::string, Case> table;
  const auto add = [&](const std::string& name, const Case& call) { table[name] = call; };
#define CALL(...) [](const Tensor& a, [[maybe_unused]] const Tensor& b) -> Results { return __VA_ARGS__; }
  add("cholesky", CALL({linalg::cholesky(definite(a))}));
  add("cholesky_upper", CALL({linalg::cholesky(definite(a), true)}));
  add("cholesky_solve", CALL({cholesky_solve(b, linalg::cholesky(definite(a)))}));
  add("cholesky_inverse", CALL({cholesky_inverse(linalg::cholesky(definite(a)))}));
  for (const char* form : {"square", "tall", "wide"}) {
    const auto of_form = [&](const char* name, const Case& call) { add(std::string(name) + "_" + form, call); };
    of_form("lu", [](const Tensor& a, const Tensor&) -> Results {
      const auto [P, L, U] = linalg::lu(a);
      return {L, U};
    });
    of_form("qr", [](const Tensor& a, const Tensor&) -> Results {
      const auto [Q, R] = linalg::qr(a);
      return {square(Q), square(R)};
    });
    of_form("svd", [](const Tensor& a, const Tensor&) -> Results {
      const auto [U, S, Vh] = linalg::svd(a, false);
      return {square(U), S, square(Vh)};
    });
    of_form("svdvals", CALL({linalg::svdvals(a)}));
    of_form("pinv", CALL({linalg::pinv(a.size(-2) == a.size(-1) ? regular(a) : a)}));
    of_form("norms", CALL({linalg::matrix_norm(a), linalg::matrix_norm(a, "nuc"), linalg::matrix_norm(a, 1),
                           linalg::matrix_norm(a, -1), linalg::matrix_norm(a, 2), linalg::matrix_norm(a, -2),
                           linalg::matrix_norm(a, INFINITY)}));
  }
  add("lu_solve", [](const Tensor& a, const Tensor& b) -> Results {
    const auto [lu, pivots] = linalg::lu_factor(regular(a));
    return {linalg::lu_solve(lu, pivots, b)};
  });
  add("eigh", [](const Tensor& a, const Tensor&) -> Results {
    const auto [w, V] = linalg::eigh(symmetric(a));
    return {w, square(V)};
  });
  add("eigvalsh", CALL({linalg::eigvalsh(symmetric(a))}));
  add("solve", CALL({linalg::solve(regular(a), b)}));
  add("solve_vectors", CALL({linalg::solve(regular(a), b)}));
  add("solve_right", CALL({linalg::solve(regular(a), b, false)}));
  add("solve_triangular", CALL({linalg::solve_triangular(regular(a), b, true)}));
  add("solve_triangular_unit", CALL({linalg::solve_triangular(a, b, false, false, true)}));
  add("lstsq", CALL({std::get<0>(linalg::lstsq(a, b))}));
  add("inv", CALL({linalg::inv(regular(a))}));
  add("det", CALL({linalg::det(a)}));
  add("slogdet", CALL({std::get<1>(linalg::slogdet(regular(a)))}));
  add("logdet", CALL({logdet(definite(a))}));
  add("vector_norm", CALL({linalg::vector_norm(a, 3, {0, 2})}));
  add("norm", CALL({linalg::norm(a), linalg::norm(a, 1), linalg::norm(a, 2, 0), linalg::norm(a, "nuc")}));
  add("matrix_exp", CALL({matrix_exp(a)}));
  add("matrix_exp_large", CALL({a.matrix_exp()}));
  add("matrix_power", CALL({linalg::matrix_power(regular(a), -2), regular(a).matrix_power(3)}));
  add("cond", CALL({linalg::cond(regular(a))}));
  add("vecdot", CALL({linalg::vecdot(a, b)}));
  add("cross", CALL({linalg::cross(a, b, 0)}));
#undef CALL
  return table;
}

Tensor random(IntArrayRef shape, DType dtype = kDouble) { return randn(shape, Generator(5), dtype); }

}  // namespace

BOOST_AUTO_TEST_SUITE(linalg)

BOOST_AUTO_TEST_CASE(values_and_gradients_of_pytorch) {
  const PyTorchFile file("linalg");
  const std::map<std::string, Case> table = calls();
  std::size_t used = 0;
  for (const std::string& name : file.cases("")) {
    const auto found = table.find(name.substr(0, name.size() - 4));
    BOOST_REQUIRE_MESSAGE(found != table.end(), name << " has no call");
    ++used;
    const Tensor a = file[name + "/a"].requires_grad_(), b = file.get(name + "/b");
    if (b.defined()) b.requires_grad_();
    const Results y = found->second(a, b);
    Results dy;
    for (std::size_t i = 0; i < y.size(); ++i) {
      file.check(y[i], fmt::format("{}/y{}", name, i));
      dy.push_back(file[fmt::format("{}/dy{}", name, i)]);
    }
    BOOST_REQUIRE_MESSAGE(!file.has(fmt::format("{}/y{}", name, y.size())),
                          name << " has fewer results than PyTorch's");
    autograd::backward(y, dy);
    file.check(a.grad(), name + "/da");
    if (b.defined()) file.check(b.grad(), name + "/db");
  }
  BOOST_TEST(used == 2 * table.size());
}

// A batch is shared by threads, a matrix is not: no bit depends on how many there are.
BOOST_AUTO_TEST_CASE(bits_do_not_depend_on_threads) {
  const auto all = [](DType dtype) {
    const Tensor x = random({2000, 6, 6}, dtype),
                 wide = random({600, 12, 12}, dtype);  // by loops of our own, and LAPACK's
    const Tensor y = random({2, 40, 30}, dtype), big = random({90, 90}, dtype);
    const auto [U, S, Vh] = linalg_svd(y);
    const auto [w, V] = linalg_eigh(symmetric(x));
    const auto [Q, R] = linalg_qr(y);
    return Results{linalg_cholesky(definite(x)),
                   linalg_cholesky(definite(wide)),
                   linalg_solve(regular(wide), wide),
                   linalg_inv(regular(wide)),
                   linalg_solve(regular(x), x),
                   linalg_inv(regular(x)),
                   linalg_det(x),
                   matrix_exp(x),
                   linalg_pinv(y),
                   U,
                   S,
                   Vh,
                   w,
                   V,
                   Q,
                   R,
                   linalg_solve(big, big),
                   std::get<0>(linalg_lstsq(y, y)),
                   std::get<0>(linalg_lu_factor(big))};
  };
  for (const DType dtype : {kFloat32, kFloat64}) {
    Results first;
    ManyThreads().each([&] {
      const Results y = all(dtype);
      if (first.empty()) first = y;
      for (std::size_t i = 0; i < y.size(); ++i) {
        BOOST_CHECK_MESSAGE(same_bits(y[i], first[i]), "result " << i << " with " << get_num_threads() << " threads");
      }
    });
  }
}

BOOST_AUTO_TEST_CASE(matrices_in_a_batch_have_the_bits_of_each_alone) {
  const Tensor x = random({5, 4, 4}) * tensor({1.0, 0.1, 30.0, 1e-3, 8.0}, kDouble).view({5, 1, 1});
  const Tensor exponentials = matrix_exp(x), inverses = linalg_inv(x);
  for (std::int64_t i = 0; i < 5; ++i) {
    BOOST_CHECK(same_bits(exponentials[i], matrix_exp(x[i])));
    BOOST_CHECK(same_bits(inverses[i], linalg_inv(x[i])));
  }
}

BOOST_AUTO_TEST_CASE(conventions_at_the_edges) {
  const Tensor singular = tensor({{1.0, 2.0}, {2.0, 4.0}}, kDouble);
  // The determinant's gradient is that of its polynomial, singular or not.
  const Tensor x = singular.clone().requires_grad_();
  det(x).backward();
  check_close(x.grad(), tensor({{4.0, -2.0}, {-2.0, 1.0}}, kDouble), 1e-12, "cofactors of a singular matrix");
  const auto [sign, log] = linalg_slogdet(singular);
  BOOST_TEST(sign.item<double>() == 0);
  BOOST_TEST(log.item<double>() == -INFINITY);
  BOOST_TEST(std::isnan(logdet(tensor({{0.0, 1.0}, {1.0, 0.0}}, kDouble)).item<double>()));
  BOOST_TEST(linalg_det(zeros({0, 0}, kDouble)).item<double>() == 1);
  BOOST_TEST(std::get<1>(linalg_inv_ex(singular)).item<int>() == 2);
  BOOST_TEST(std::get<1>(linalg_solve_ex(singular, singular)).item<int>() == 2);
  BOOST_TEST(std::get<1>(linalg_cholesky_ex(-singular)).item<int>() == 1);
  BOOST_TEST(linalg_matrix_rank(singular).item<int>() == 1);
  BOOST_TEST(linalg_matrix_rank(singular, 100.0).item<int>() == 0);
  BOOST_TEST(linalg_matrix_rank(singular, 0.0, 2.0).item<int>() == 0);
  BOOST_TEST(linalg_cond(singular, 1).item<double>() == INFINITY);
  // Of least norm, where there are many solutions.
  const auto [X, residuals, rank, values] = linalg_lstsq(singular, tensor({5.0, 10.0}, kDouble), {}, "gelsd");
  check_close(X, tensor({1.0, 2.0}, kDouble), 1e-12, "least norm");
  BOOST_TEST(residuals.numel() == 0);
  BOOST_TEST(rank.item<int>() == 1);
  BOOST_TEST(values.numel() == 2);
  // A gradient of values alone divides by no difference of them.
  const Tensor equal = eye(3, kDouble).requires_grad_();
  linalg_eigvalsh(equal).sum().backward();
  check_close(equal.grad(), eye(3, kDouble), 1e-12, "repeated eigenvalues");
  // NaN goes through what does not iterate.
  BOOST_TEST(std::isnan(linalg_det(singular * NAN).item<double>()));
}

// The determinant is a polynomial: it has its derivatives where the matrix has no inverse.
BOOST_AUTO_TEST_CASE(second_derivatives_of_a_determinant) {
  const Tensor x = random({3, 3}).requires_grad_();
  const auto of_det = [](const std::vector<Tensor>& in) { return std::vector<Tensor>{det(in[0])}; };
  BOOST_TEST(autograd::gradgradcheck(of_det, {x}));
  const Tensor row = random({1, 3}), singular = row.expand({3, 3}).clone().requires_grad_();
  BOOST_TEST(autograd::gradgradcheck(of_det, {singular}));
  const Tensor slope = autograd::grad({linalg_cofactor(singular).sum()}, {singular}, {}, true, true)[0];
  check_error<GradError>([&] { slope.sum().backward(); }, {"linalg_cofactor: a third derivative", "singular"});
}

// Where it is not finite, nor is its gradient: and no error.
BOOST_AUTO_TEST_CASE(gradient_of_a_determinant_that_is_not_finite) {
  for (const double bad : {HUGE_VAL, std::nan("")}) {
    const Tensor x = tensor({{bad, 1.0}, {2.0, 3.0}}, kDouble).requires_grad_();
    det(x).backward();
    BOOST_TEST(std::isnan(x.grad().sum().item<double>()));
  }
}

// LAPACK answers in a float how much memory it wants, which is more than a float counts exactly.
BOOST_AUTO_TEST_CASE(workspace_beyond_what_a_float_counts) {
  BOOST_TEST(core::lapack::size_of_work("op", 16777216.0F) >= 16777218);
  BOOST_TEST(core::lapack::size_of_work("op", 100.0F) == 100);
  BOOST_TEST(core::lapack::size_of_work("op", 16777217.0) == 16777217);
  check_error<ShapeError>([] { core::lapack::size_of_work("op", 4e9F); }, {"op: LAPACK cannot count"});
}

BOOST_AUTO_TEST_CASE(other_names) {
  const Tensor x = random({3, 3});
  const auto [lu, pivots] = linalg_lu_factor(x);
  const auto [lu_ex, pivots_ex, info] = linalg_lu_factor_ex(x);
  BOOST_CHECK(same_bits(lu, lu_ex) && info.item<int>() == 0);
  BOOST_CHECK(same_bits(pivots, pivots_ex));
  BOOST_TEST(std::get<2>(linalg_lu_factor_ex(zeros({2, 2}, kDouble))).item<int>() == 1);
  BOOST_CHECK(same_bits(linalg_matmul(x, x), matmul(x, x)));
}

BOOST_AUTO_TEST_CASE(errors_name_the_matrix_of_the_batch) {
  Tensor x = eye(2, kDouble).repeat({2, 3, 1, 1});
  x[1][2].zero_();
  check_error<ValueError>([&] { linalg_inv(x); }, {"linalg_inv", "batch index [1, 2]", "linalg_pinv"});
  check_error<ValueError>([&] { linalg_cholesky(x); }, {"linalg_cholesky", "batch index [1, 2]"});
  check_error<ValueError>([&] { linalg_solve(x, x); }, {"linalg_solve", "batch index [1, 2]"});
  x[0][1].fill_(INFINITY);
  check_error<ValueError>([&] { linalg_eigvalsh(x); }, {"linalg_eigvalsh: the matrix must be finite", "[0, 1]"});
  check_error<ValueError>([&] { linalg_svdvals(x); }, {"linalg_svdvals: the matrix must be finite", "[0, 1]"});
  check_error<ValueError>([&] { linalg_pinv(x); }, {"linalg_pinv: the matrix must be finite", "[0, 1]"});
  const Tensor tall = random({3, 2}).requires_grad_();
  check_error<GradError>([&] { std::get<0>(linalg_qr(tall, "complete")).sum().backward(); },
                         {"linalg_qr", "\"complete\"", "[3, 2]", "\"reduced\""});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::test
