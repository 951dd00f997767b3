#include "attention.h"

#include <algorithm>
#include <limits>

#include "../array/create.h"
#include "../base/dispatch.h"
#include "../threads/even_grain.h"
#include "../base/fail.h"
#include "../simd/fused.h"
#include "../loops/gemm_tiles.h"
#include "../simd/rows.h"

namespace gradus::core {
namespace {

using std::int64_t;

constexpr int64_t kScores = 65536;     // that are worked on at a time: they stay in the second cache meanwhile
constexpr int64_t kShared = 262144;    // the same where several threads work on them
constexpr int64_t kLeastRows = 16;     // of them, so that a product's operands are prepared for enough of them
constexpr int64_t kCausalRows = 64;    // at most: the fewer, the less is computed that isn't seen
constexpr double kTaskWork = 5e5;      // multiplications
constexpr double kParallelWork = 4e6;  // of one head, from which the threads share it where there are few

Shape batch_of(const Array& a) { return Dims(IntArrayRef(a.shape().data(), static_cast<std::size_t>(a.dim() - 2))); }

Shape with_matrix(Shape batch, int64_t rows, int64_t columns) {
  batch.push_back(rows);
  batch.push_back(columns);
  return batch;
}

struct Sizes {
  Sizes(const Array& query, const Array& value, const Shape& scores)
      : L(query.size(-2)), S(value.size(-2)), E(query.size(-1)), Ev(value.size(-1)), batch(scores) {
    batch.pop_back();
    batch.pop_back();
    slabs = numel_of(batch);
  }
  /// Rows that are worked on at a time: by the sizes alone. L > 0.
  int64_t rows(int64_t scores, int64_t most) const {
    return even_grain(L, std::min(most, std::max(kLeastRows, scores / std::max<int64_t>(S, 1))));
  }
  double work(int64_t rows) const {
    return 1 + static_cast<double>(rows) * static_cast<double>(S) * static_cast<double>(E + Ev + 32);
  }
  int64_t L, S, E, Ev, slabs = 1;
  Shape batch;
};

template <class T>
struct Matrix {
  T* data;
  int64_t row, col;
  Matrix t() const { return {data, col, row}; }
  Matrix from(int64_t i) const { return {data + i * row, row, col}; }
  kernels::GemmResult<T> result(double alpha = 1, bool add = false) const {
    return {data, row, col, static_cast<T>(alpha), add ? T(1) : T(0)};
  }
};

/// The matrices of an operand whose leading dimensions broadcast to a batch.
template <class T>
class Matrices {
 public:
  Matrices(const Array& a, const Shape& batch, int64_t rows, int64_t columns) {
    if (a.defined()) array_ = a.expand(with_matrix(batch, rows, columns));
  }
  bool defined() const { return array_.defined(); }
  Matrix<T> operator[](int64_t slab) const {
    int64_t at = 0;
    for (int d = array_.dim() - 3; d >= 0; --d) {
      at += slab % array_.shape()[d] * array_.strides()[d];
      slab /= array_.shape()[d];
    }
    return {static_cast<T*>(array_.data()) + at, array_.stride(-2), array_.stride(-1)};
  }

 private:
  Array array_;
};

/// result <- alpha a b + ..., a m x k, b k x n.
template <class T>
void product(int64_t m, int64_t n, int64_t k, const Matrix<T>& a, const Matrix<T>& b,
             const kernels::GemmResult<T>& result, bool parallel = false) {
  kernels::gemm(kernels::GemmProblem<T>{m, n, k, a.data, a.row, a.col, b.data, b.row, b.col, result}, parallel);
}

/// In place; 0 where every score is -inf: nothing takes part.
template <class T>
void softmax_row(kernels::RowMap softmax, T* row, int64_t n) {
  constexpr T none = -std::numeric_limits<T>::infinity();
  if (n > 0 && row[0] == none && std::all_of(row, row + n, [](T x) { return x == none; })) {
    std::fill(row, row + n, T(0));
  } else {
    softmax(row, row, static_cast<std::size_t>(n));
  }
}

/// to <- kept ? scale from : 0 for n elements; `to` may be `from`.
template <class T>
void keep(kernels::Kernel masked_scale, T scale, const T* from, const bool* kept, T* to, int64_t n) {
  const void* in[] = {from, kept};
  masked_scale(to, in, static_cast<std::size_t>(n), &scale);
}

template <class T>
void forward(const Sizes& z, const Array& query, const Array& key, const Array& value, const Array& bias,
             const Array& kept, const AttentionOptions& options, const Array& y, const Array& probabilities) {
  const Matrices<T> q(query, z.batch, z.L, z.E), k(key, z.batch, z.S, z.E), v(value, z.batch, z.S, z.Ev),
      b(bias, z.batch, z.L, z.S), out(y, z.batch, z.L, z.Ev);
  T* const all = probabilities.defined() ? static_cast<T*>(probabilities.data()) : nullptr;
  const bool* const mask = kept.defined() ? static_cast<const bool*>(kept.data()) : nullptr;
  const kernels::RowMap softmax = kernels::softmax_kernel(y.dtype());
  const kernels::Kernel masked_scale = kernels::masked_scale_kernel(y.dtype());
  const int64_t rows = z.rows(kScores, options.causal ? kCausalRows : z.L), blocks = ceil_div(z.L, rows);
  const auto grain = static_cast<int64_t>(kTaskWork / z.work(rows)) + 1;
  parallel_for(z.slabs * blocks, grain, [&](int64_t begin, int64_t end) {
    const kernels::Workspace<T> own(all == nullptr ? rows * z.S : 0), dropped(mask != nullptr ? rows * z.S : 0);
    for (int64_t t = begin; t < end; ++t) {
      const int64_t slab = t / blocks, first = t % blocks * rows, m = std::min(rows, z.L - first);
      const int64_t n = options.causal ? std::min(z.S, first + m) : z.S, at = (slab * z.L + first) * z.S;
      const Matrix<T> p{all != nullptr ? all + at : own.data(), z.S, 1};
      Matrix<T> a = p;
      kernels::GemmResult<T> scores = p.result(options.scale);
      if (b.defined()) {
        const Matrix<T> added = b[slab].from(first);
        scores.bias = added.data;
        scores.bias_row = added.row;
        scores.bias_col = added.col;
      }
      product(m, n, z.E, q[slab].from(first), k[slab].t(), scores);
      if (mask != nullptr) a.data = dropped.data();
      for (int64_t i = 0; i < m; ++i) {
        const int64_t seen = options.causal ? std::min(z.S, first + i + 1) : z.S;
        T* const row = p.data + i * z.S;
        softmax_row(softmax, row, seen);
        std::fill(row + seen, row + z.S, T(0));
        if (mask != nullptr) {
          keep(masked_scale, static_cast<T>(options.kept_scale), row, mask + at + i * z.S, a.data + i * z.S, n);
        }
      }
      product(m, z.Ev, n, a, v[slab], out[slab].from(first).result());
    }
  });
}

template <class T>
void backward(const Sizes& z, const Array& dy, const Array& query, const Array& key, const Array& value,
              const Array& probabilities, const Array& kept, const AttentionOptions& options,
              const std::array<Array, 4>& gradients) {
  const Matrices<T> above(dy, z.batch, z.L, z.Ev), q(query, z.batch, z.L, z.E), k(key, z.batch, z.S, z.E),
      v(value, z.batch, z.S, z.Ev);
  const Matrices<T> dq(gradients[0], z.batch, z.L, z.E), dk(gradients[1], z.batch, z.S, z.E),
      dv(gradients[2], z.batch, z.S, z.Ev), db(gradients[3], z.batch, z.L, z.S);
  const T* const all = static_cast<const T*>(probabilities.data());
  const bool* const mask = kept.defined() ? static_cast<const bool*>(kept.data()) : nullptr;
  const kernels::RowGradient softmax_backward = kernels::softmax_backward_kernel(dy.dtype());
  const kernels::Kernel masked_scale = kernels::masked_scale_kernel(dy.dtype());
  const T kept_scale = static_cast<T>(options.kept_scale);
  const bool scores = dq.defined() || dk.defined() || db.defined();
  // Few heads, and large: the threads share each.
  const bool share = z.slabs < 8 && z.work(z.L) > kParallelWork;
  const int64_t rows = share ? z.rows(kShared, z.L) : z.rows(kScores, options.causal ? kCausalRows : z.L);
  const int64_t blocks = ceil_div(z.L, rows);

  const auto one = [&](int64_t slab, T* own, T* dropped) {
    // The last rows first: they see the most columns, and so the first block writes what the others add to.
    for (int64_t block = blocks - 1; block >= 0; --block) {
      const int64_t first = block * rows, m = std::min(rows, z.L - first), at = (slab * z.L + first) * z.S;
      const int64_t n = options.causal ? std::min(z.S, first + m) : z.S;
      const bool add = block != blocks - 1;
      const Matrix<T> p{const_cast<T*>(all) + at, z.S, 1}, dp{db.defined() ? db[slab].from(first).data : own, z.S, 1};
      const Matrix<T> a{mask != nullptr ? dropped : p.data, z.S, 1}, g = above[slab].from(first);
      if (scores) product(m, n, z.Ev, g, v[slab].t(), dp.result(), share);
      const int64_t grain = share ? std::max<int64_t>(1, kScores / 2 / z.S) : m;
      parallel_for(m, grain, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          const T* const row = p.data + i * z.S;
          T* const drow = dp.data + i * z.S;
          const bool* const keeps = mask != nullptr ? mask + at + i * z.S : nullptr;
          if (mask != nullptr && dv.defined()) keep(masked_scale, kept_scale, row, keeps, a.data + i * z.S, n);
          if (!scores) continue;
          if (mask != nullptr) keep(masked_scale, kept_scale, drow, keeps, drow, n);
          softmax_backward(drow, row, drow, static_cast<std::size_t>(n));
          if (db.defined()) std::fill(drow + n, drow + z.S, T(0));
        }
      });
      if (dq.defined()) product(m, z.E, n, dp, k[slab], dq[slab].from(first).result(options.scale), share);
      if (dk.defined()) product(n, z.E, m, dp.t(), q[slab].from(first), dk[slab].result(options.scale, add), share);
      if (dv.defined()) product(n, z.Ev, m, a.t(), g, dv[slab].result(1, add), share);
    }
  };
  const int64_t grain = share ? z.slabs : static_cast<int64_t>(kTaskWork / 2 / z.work(z.L)) + 1;
  parallel_for(z.slabs, grain, [&](int64_t begin, int64_t end) {
    const kernels::Workspace<T> own(scores && !db.defined() ? rows * z.S : 0),
        dropped(mask != nullptr && dv.defined() ? rows * z.S : 0);
    for (int64_t slab = begin; slab < end; ++slab) one(slab, own.data(), dropped.data());
  });
}

}  // namespace

Shape attention_scores_shape(const char* op, const Array& query, const Array& key, const Array& value) {
  if (!query.defined() || !key.defined() || !value.defined()) {
    fail<ValueError>("{}: query, key and value must be defined", op);
  }
  if (query.dim() < 2 || key.dim() < 2 || value.dim() < 2) {
    fail<ShapeError>("{}: query, key and value must have at least 2 dimensions, length and width: {}, {} and {}", op,
                     query.shape(), key.shape(), value.shape());
  }
  if (!is_floating_point(query.dtype()) || key.dtype() != query.dtype() || value.dtype() != query.dtype()) {
    fail<DTypeError>("{}: query, key and value must have one floating dtype: {}, {} and {}; to() converts", op,
                     query.dtype(), key.dtype(), value.dtype());
  }
  if (query.size(-1) != key.size(-1)) {
    fail<ShapeError>("{}: query [.., L, E] and key [.., S, E] must have one width E: {} and {}{}", op, query.shape(),
                     key.shape(), query.size(-1) == key.size(-2) ? "; key is given as it is, not transposed" : "");
  }
  if (key.size(-2) != value.size(-2)) {
    fail<ShapeError>("{}: key [.., S, E] and value [.., S, Ev] must have one length S: {} and {}", op, key.shape(),
                     value.shape());
  }
  Shape batch;
  try {
    batch = broadcast_shapes(broadcast_shapes(batch_of(query), batch_of(key), op), batch_of(value), op);
  } catch (const ShapeError&) {
    fail<ShapeError>(
        "{}: the dimensions before the last two must broadcast: {}, {} and {}; heads come before the length: "
        "x.view({{batch, length, heads, width}}).transpose(1, 2)",
        op, query.shape(), key.shape(), value.shape());
  }
  const Shape scores = with_matrix(batch, query.size(-2), key.size(-2));
  checked_numel(scores, op);
  return scores;
}

namespace {

void check_like(const char* op, const char* name, const Array& x, const Shape& shape, DType dtype) {
  if (x.dtype() != dtype) fail<DTypeError>("{}: {} must be {}: {}; to() converts", op, name, dtype, x.dtype());
  if (x.shape() != shape) fail<ShapeError>("{}: {} must be {}: {}", op, name, shape, x.shape());
}

}  // namespace

std::tuple<Array, Array> attention_forward(const Array& query, const Array& key, const Array& value, const Array& bias,
                                           const Array& kept, const AttentionOptions& options) {
  constexpr const char* op = "attention_forward";
  const Shape shape = attention_scores_shape(op, query, key, value);
  if (bias.defined()) check_like(op, "bias", bias, bias.shape(), query.dtype());
  if (kept.defined()) check_like(op, "kept", kept, shape, kBool);
  const Sizes z(query, value, shape);
  const Array y = empty(with_matrix(z.batch, z.L, z.Ev), query.dtype());
  const Array probabilities = options.probabilities ? empty(shape, query.dtype()) : Array();
  const Array mask = kept.defined() ? kept.contiguous() : Array();
  if (y.numel() == 0 && numel_of(shape) == 0) return {y, probabilities};
  dispatch(y.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_floating_point_v<T>) {
      forward<T>(z, query, key, value, bias, mask, options, y, probabilities);
    }
  });
  return {y, probabilities};
}

std::array<Array, 4> attention_backward(const Array& dy, const Array& query, const Array& key, const Array& value,
                                        const Array& probabilities, const Array& kept, const AttentionOptions& options,
                                        const std::array<bool, 4>& wanted) {
  constexpr const char* op = "attention_backward";
  const Shape shape = attention_scores_shape(op, query, key, value);
  const Sizes z(query, value, shape);
  if (!probabilities.defined()) {
    fail<ValueError>("{}: the probabilities must be there: forward was told that nobody needs them", op);
  }
  check_like(op, "dy", dy, with_matrix(z.batch, z.L, z.Ev), query.dtype());
  check_like(op, "probabilities", probabilities, shape, query.dtype());
  if (kept.defined()) check_like(op, "kept", kept, shape, kBool);
  const Shape shapes[] = {with_matrix(z.batch, z.L, z.E), with_matrix(z.batch, z.S, z.E),
                          with_matrix(z.batch, z.S, z.Ev), shape};
  std::array<Array, 4> gradients;
  for (std::size_t i = 0; i < 4; ++i) {
    if (wanted[i]) gradients[i] = z.L == 0 ? zeros(shapes[i], dy.dtype()) : empty(shapes[i], dy.dtype());
  }
  if (z.L == 0 || z.slabs == 0) return gradients;
  for (std::size_t i = 1; i < 3; ++i) {  // what no row sees
    if (wanted[i] && options.causal && z.L < z.S) gradients[i].narrow(-2, z.L, z.S - z.L).zero_();
  }
  const Array p = probabilities.contiguous(), mask = kept.defined() ? kept.contiguous() : Array();
  dispatch(dy.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_floating_point_v<T>) {
      backward<T>(z, dy, query, key, value, p, mask, options, gradients);
    }
  });
  return gradients;
}

}  // namespace gradus::core
