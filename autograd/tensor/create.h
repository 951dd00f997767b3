// Making tensors: PyTorch's factory functions.
#pragma once

#include <functional>
#include <initializer_list>
#include <type_traits>
#include <vector>

#include "../../core/ops/random.h"
#include "tensor.h"

namespace gradus {

namespace autograd {

/// The dtype of a tensor that numbers of a type make: the default one of float32 and float64, int64 of int32 and int64, else
/// their own.
GRADUS_API DType dtype_of_literal(DType dtype);

/// Nested braces of numbers: what `tensor({{1, 2}, {3, 4}})` takes. ShapeError when rows differ in length.
class GRADUS_API NestedNumbers {
 public:
  template <class T>
  requires(std::is_arithmetic_v<T> || StoredNumber<T>) NestedNumbers(T value)
      : NestedNumbers(Scalar(value), dtype_of<T>) {}         // NOLINT(google-explicit-constructor)
  NestedNumbers(std::initializer_list<NestedNumbers> rows);  // NOLINT(google-explicit-constructor)
  /// Of mixed numbers the one that they promote to.
  DType dtype() const { return dtype_; }
  const std::vector<std::int64_t>& shape() const { return shape_; }
  const std::vector<Scalar>& values() const { return values_; }

 private:
  NestedNumbers(const Scalar& value, DType dtype);
  DType dtype_;
  std::vector<std::int64_t> shape_;
  std::vector<Scalar> values_;
};

}  // namespace autograd

GRADUS_API Tensor empty(IntArrayRef shape, const TensorOptions& options = {});
GRADUS_API Tensor zeros(IntArrayRef shape, const TensorOptions& options = {});
GRADUS_API Tensor ones(IntArrayRef shape, const TensorOptions& options = {});
/// The dtype is the value's own when the options name none: float32, int64 or Bool.
GRADUS_API Tensor full(IntArrayRef shape, const Scalar& value, const TensorOptions& options = {});
GRADUS_API Tensor empty_like(const Tensor& x, const TensorOptions& options = {});
GRADUS_API Tensor zeros_like(const Tensor& x, const TensorOptions& options = {});
GRADUS_API Tensor ones_like(const Tensor& x, const TensorOptions& options = {});
GRADUS_API Tensor full_like(const Tensor& x, const Scalar& value, const TensorOptions& options = {});
/// int64 when all three numbers are integers, else float32.
GRADUS_API Tensor arange(const Scalar& end, const TensorOptions& options = {});
GRADUS_API Tensor arange(const Scalar& start, const Scalar& end, const TensorOptions& options = {});
GRADUS_API Tensor arange(const Scalar& start, const Scalar& end, const Scalar& step, const TensorOptions& options = {});
GRADUS_API Tensor linspace(const Scalar& start, const Scalar& end, std::int64_t steps = 100,
                           const TensorOptions& options = {});
/// base^linspace(start, end, steps).
GRADUS_API Tensor logspace(const Scalar& start, const Scalar& end, std::int64_t steps = 100, double base = 10,
                           const TensorOptions& options = {});
/// Uninitialised, with memory enough for these strides (in elements). ValueError when one is negative.
GRADUS_API Tensor empty_strided(IntArrayRef size, IntArrayRef stride, const TensorOptions& options = {});
/// A 0-d tensor, of the default dtype unless the options name another.
GRADUS_API Tensor scalar_tensor(const Scalar& value, const TensorOptions& options = {});
/// Windows of n points: of the period n, the first of n + 1 (for a transform), or symmetric.
///   hann 1/2 - 1/2 cos(t), hamming alpha - beta cos(t), blackman 0.42 - 0.5 cos(t) + 0.08 cos(2t), t = 2 pi i / n;
///   bartlett: a triangle, 0 at both ends
GRADUS_API Tensor hann_window(std::int64_t n, const TensorOptions& options = {});
GRADUS_API Tensor hann_window(std::int64_t n, bool periodic, const TensorOptions& options = {});
GRADUS_API Tensor hamming_window(std::int64_t n, const TensorOptions& options = {});
GRADUS_API Tensor hamming_window(std::int64_t n, bool periodic, double alpha = 0.54, double beta = 0.46,
                                 const TensorOptions& options = {});
GRADUS_API Tensor blackman_window(std::int64_t n, const TensorOptions& options = {});
GRADUS_API Tensor blackman_window(std::int64_t n, bool periodic, const TensorOptions& options = {});
GRADUS_API Tensor bartlett_window(std::int64_t n, const TensorOptions& options = {});
GRADUS_API Tensor bartlett_window(std::int64_t n, bool periodic, const TensorOptions& options = {});
/// Where the lower (upper) triangle of a matrix [row, col] is not 0, row by row: int64 [2, count], the rows and the columns.
GRADUS_API Tensor tril_indices(std::int64_t row, std::int64_t col, std::int64_t offset = 0,
                               const TensorOptions& options = kInt64);
GRADUS_API Tensor triu_indices(std::int64_t row, std::int64_t col, std::int64_t offset = 0,
                               const TensorOptions& options = kInt64);
GRADUS_API Tensor eye(std::int64_t n, const TensorOptions& options = {});
GRADUS_API Tensor eye(std::int64_t n, std::int64_t m, const TensorOptions& options = {});

// Random numbers, from the default generator unless one is given; which ones, core/ops/random.h says.
GRADUS_API Tensor rand(IntArrayRef shape, const TensorOptions& options = {});
GRADUS_API Tensor rand(IntArrayRef shape, const std::optional<Generator>& generator, const TensorOptions& options = {});
GRADUS_API Tensor randn(IntArrayRef shape, const TensorOptions& options = {});
GRADUS_API Tensor randn(IntArrayRef shape, const std::optional<Generator>& generator,
                        const TensorOptions& options = {});
GRADUS_API Tensor rand_like(const Tensor& x, const TensorOptions& options = {});
GRADUS_API Tensor randn_like(const Tensor& x, const TensorOptions& options = {});
/// Integers in [low, high), int64 unless the options name another dtype.
GRADUS_API Tensor randint(std::int64_t high, IntArrayRef shape, const TensorOptions& options = {});
GRADUS_API Tensor randint(std::int64_t high, IntArrayRef shape, const std::optional<Generator>& generator,
                          const TensorOptions& options = {});
GRADUS_API Tensor randint(std::int64_t low, std::int64_t high, IntArrayRef shape, const TensorOptions& options = {});
GRADUS_API Tensor randint(std::int64_t low, std::int64_t high, IntArrayRef shape,
                          const std::optional<Generator>& generator, const TensorOptions& options = {});
/// Of x's shape, and its dtype unless the options name another.
GRADUS_API Tensor randint_like(const Tensor& x, std::int64_t high, const TensorOptions& options = {});
GRADUS_API Tensor randint_like(const Tensor& x, std::int64_t low, std::int64_t high, const TensorOptions& options = {});
/// The integers 0, ..., n-1 in any order, int64 unless the options name another dtype.
GRADUS_API Tensor randperm(std::int64_t n, const TensorOptions& options = {});
GRADUS_API Tensor randperm(std::int64_t n, const std::optional<Generator>& generator,
                           const TensorOptions& options = {});
/// Normal with that mean and standard deviation. ValueError when the latter is negative.
GRADUS_API Tensor normal(double mean, double std, IntArrayRef shape, const std::optional<Generator>& generator = {},
                         const TensorOptions& options = {});
/// A mean, a standard deviation or both for each element. ShapeError when they do not broadcast.
GRADUS_API Tensor normal(const Tensor& mean, double std = 1, const std::optional<Generator>& generator = {});
GRADUS_API Tensor normal(double mean, const Tensor& std, const std::optional<Generator>& generator = {});
GRADUS_API Tensor normal(const Tensor& mean, const Tensor& std, const std::optional<Generator>& generator = {});
/// 1 with probability x[i], else 0. ValueError when a probability is outside [0, 1].
GRADUS_API Tensor bernoulli(const Tensor& x, const std::optional<Generator>& generator = {});
/// 1 with probability p, else 0; of x's shape and dtype.
GRADUS_API Tensor bernoulli(const Tensor& x, double p, const std::optional<Generator>& generator = {});
/// `count` indices drawn with chances in proportion to the weights (floating-point, [n], or [m, n] for m rows of draws):
/// int64 [count] or [m, count]. Without replacement no index comes twice. ShapeError and ValueError as core's.
GRADUS_API Tensor multinomial(const Tensor& weights, std::int64_t count, bool replacement = false,
                              const std::optional<Generator>& generator = {});

/// Memory that the caller keeps alive (or hands over with a deleter). Strides in elements.
GRADUS_API Tensor from_blob(void* data, IntArrayRef shape, const TensorOptions& options = {});
GRADUS_API Tensor from_blob(void* data, IntArrayRef shape, IntArrayRef strides, const TensorOptions& options = {});
GRADUS_API Tensor from_blob(void* data, IntArrayRef shape, std::function<void(void*)> deleter,
                            const TensorOptions& options = {});

/// `tensor({{1., 2.}, {3., 4.}})`, `tensor(3)`.
GRADUS_API Tensor tensor(const autograd::NestedNumbers& numbers, const TensorOptions& options = {});
/// A copy of a vector. Of float and double the dtype is the default one, of int and int64_t int64, of any other number its
/// own, unless the options name another.
template <class T>
requires((std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) || StoredNumber<T>) Tensor
    tensor(const std::vector<T>& values, const TensorOptions& options = {}) {
  const DType wanted = options.dtype_or(autograd::dtype_of_literal(dtype_of<T>));
  auto* data = const_cast<T*>(values.data());
  return from_blob(data, {static_cast<std::int64_t>(values.size())}, dtype_of<T>)
      .clone()
      .to(wanted)
      .requires_grad_(options.requires_grad());
}

}  // namespace gradus
