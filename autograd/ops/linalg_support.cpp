#include "linalg_support.h"

#include <cctype>

#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "../../core/ops/linalg_batch.h"

namespace gradus::autograd::detail {

using core::Array;
using core::Shape;

Tensor with_ones_on_diagonal(const Tensor& x) { return x + Tensor(core::eye(x.size(-1), x.size(-1), x.dtype())); }
Tensor diagonal_matrix(const Tensor& diagonal) {
  const std::int64_t n = diagonal.size(-1);
  return diagonal.unsqueeze(-1) * Tensor(core::eye(n, n, diagonal.dtype()));
}
Tensor add_diagonal(const Tensor& x, const Tensor& diagonal) { return x + diagonal_matrix(diagonal); }

void expect_matrix(const char* op, const Tensor& A) { core::lapack::matrices(op, A.body().array); }
void expect_square(const char* op, const Tensor& A) { core::lapack::square_matrices(op, A.body().array); }
bool reads_upper(const char* op, std::string_view UPLO) {
  const char c = UPLO.size() == 1 ? static_cast<char>(std::toupper(static_cast<unsigned char>(UPLO[0]))) : ' ';
  if (c != 'L' && c != 'U') core::fail<ValueError>("{}: UPLO must be \"L\" or \"U\": \"{}\"", op, UPLO);
  return c == 'U';
}

std::tuple<Tensor, Tensor> broadcast_batches(const char* op, const Tensor& A, const Tensor& B) {
  const auto batch_of = [](const Tensor& x) {
    Shape batch = x.body().array.shape();
    batch.pop_back();
    batch.pop_back();
    return batch;
  };
  const Shape a = batch_of(A), b = batch_of(B), all = core::broadcast_shapes(a, b, op);
  const auto in_all = [&](const Tensor& x, const Shape& batch) {
    if (batch == all) return x;
    Shape shape = all;
    shape.push_back(x.size(-2));
    shape.push_back(x.size(-1));
    return x.expand(shape);
  };
  return {in_all(A, a), in_all(B, b)};
}

void expect_info_0(const char* op, const Array& info, const char* what, const char* says, const char* cure) {
  const auto* const numbers = info.data_ptr<std::int32_t>();
  for (std::int64_t i = 0; i < info.numel(); ++i) {
    if (numbers[i] == 0) continue;
    const Array of = info.unsqueeze(-1).unsqueeze(-1);
    core::fail<ValueError>("{}: {}: {} {}{}; {}", op, what, says, numbers[i], core::batch_index(of, i), cure);
  }
}

}  // namespace gradus::autograd::detail
