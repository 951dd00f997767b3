// The matrix exponential.
#include <algorithm>
#include <cmath>

#include "linalg.h"
#include "linalg_batch.h"
#include "matmul.h"
#include "pointwise.h"
#include "reduce.h"

namespace gradus::core {

using namespace lapack;

namespace {

// Up to this 1-norm Pade's approximant of degree 13 is exact in float64 (Higham 2005).
constexpr double kExactBelow = 5.371920351148152;

// How often a matrix of that norm has to be halved.
int halvings(double norm) {
  if (!std::isfinite(norm) || norm <= kExactBelow) return 0;
  return static_cast<int>(std::ceil(std::log2(norm / kExactBelow)));
}

// (V - U)^-1 (V + U) with U odd and V even in x.
Array approximant(const Array& x) {
  constexpr double b[] = {64764752532480000.,
                          32382376266240000.,
                          7771770303897600.,
                          1187353796428800.,
                          129060195264000.,
                          10559470521600.,
                          670442572800.,
                          33522128640.,
                          1323241920.,
                          40840800.,
                          960960.,
                          16380.,
                          182.,
                          1.};
  const std::int64_t n = x.size(-1);
  const Array one = eye(n, n, x.dtype()), x2 = matmul(x, x), x4 = matmul(x2, x2), x6 = matmul(x4, x2);
  const auto sum = [&](int first) {  // the even powers up to 6, from that coefficient on
    return x6 * b[first + 6] + x4 * b[first + 4] + x2 * b[first + 2] + one * b[first];
  };
  const auto high = [&](int first) { return matmul(x6, x6 * b[first + 4] + x4 * b[first + 2] + x2 * b[first]); };
  const Array u = matmul(x, high(9) + sum(1)), v = high(8) + sum(0);
  const auto [lu, pivots, info] = lu_factor(v - u);
  return lu_solve(lu, pivots, v + u);
}

}  // namespace

Array matrix_exp(const Array& a) {
  const Matrices s = square_matrices("linalg_matrix_exp", a);
  if (s.empty()) return a.clone();
  // Each matrix is halved as often as itself needs: what else is in its batch changes no bit of it.
  const Array norms = reduce(Reduction::Max, sum(abs(a), {-2}), {-1}).to(kFloat64).contiguous();
  const Array times = empty(s.batch, kInt64), scale = empty(s.batch, kFloat64);
  int most = 0;
  for (std::int64_t i = 0; i < s.count; ++i) {
    const int n = halvings(norms.data_ptr<double>()[i]);
    times.data_ptr<std::int64_t>()[i] = n;
    scale.data_ptr<double>()[i] = std::ldexp(1.0, -n);
    most = std::max(most, n);
  }
  const auto for_each = [](const Array& x) { return x.unsqueeze(-1).unsqueeze(-1); };
  Array y = approximant(a * for_each(scale.to(a.dtype())));
  for (int i = 0; i < most; ++i) {
    const Array squared = matmul(y, y);
    y = s.count == 1 ? squared : where(gt(for_each(times), i), squared, y);
  }
  return y;
}

}  // namespace gradus::core
