#include "create.h"

#include <algorithm>

#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "../../core/base/floating.h"
#include "../../core/ops/combine.h"
#include "../../core/ops/indexing.h"
#include "../../core/ops/pointwise.h"
#include "../../core/ops/reduce.h"

namespace gradus {

using core::Array;

namespace autograd {

DType dtype_of_literal(DType dtype) {
  if (dtype == kFloat32 || dtype == kFloat64) return get_default_dtype();
  return dtype == kInt32 ? kInt64 : dtype;
}

NestedNumbers::NestedNumbers(const Scalar& value, DType dtype) : dtype_(dtype_of_literal(dtype)), values_{value} {}

NestedNumbers::NestedNumbers(std::initializer_list<NestedNumbers> rows) : dtype_(get_default_dtype()) {
  shape_.push_back(static_cast<std::int64_t>(rows.size()));
  if (rows.size() == 0) return;
  dtype_ = rows.begin()->dtype_;
  const std::vector<std::int64_t>& inner = rows.begin()->shape_;
  shape_.insert(shape_.end(), inner.begin(), inner.end());
  for (const NestedNumbers& row : rows) {
    if (row.shape_ != inner) {
      core::fail<ShapeError>("tensor: all rows must have the same shape: {} and {}", core::to_string(inner),
                             core::to_string(row.shape_));
    }
    dtype_ = promote_types(dtype_, row.dtype_);
    values_.insert(values_.end(), row.values_.begin(), row.values_.end());
  }
}

}  // namespace autograd

namespace {

Tensor made(Array array, const TensorOptions& options) {
  Tensor result(std::move(array));
  if (options.requires_grad()) result.requires_grad_();
  return result;
}
TensorOptions like(const Tensor& x, const TensorOptions& options) { return options.dtype(options.dtype_or(x.dtype())); }
DType own_dtype(const Scalar& value) { return value.is_floating_point() ? get_default_dtype() : value.category(); }
/// What to draw from.
Generator chosen(const std::optional<Generator>& generator) { return generator ? *generator : default_generator(); }
core::RandomPosition draw(const std::optional<Generator>& generator, IntArrayRef shape, DType dtype) {
  return chosen(generator).take(core::words_of(shape, dtype));
}

}  // namespace

Tensor empty(IntArrayRef shape, const TensorOptions& options) {
  return made(core::empty(shape, options.dtype()), options);
}
Tensor zeros(IntArrayRef shape, const TensorOptions& options) {
  return core::in_name_of("zeros", [&] { return made(core::zeros(shape, options.dtype()), options); });
}
Tensor ones(IntArrayRef shape, const TensorOptions& options) {
  return core::in_name_of("ones", [&] { return made(core::ones(shape, options.dtype()), options); });
}
Tensor full(IntArrayRef shape, const Scalar& value, const TensorOptions& options) {
  return core::in_name_of("full",
                          [&] { return made(core::full(shape, value, options.dtype_or(own_dtype(value))), options); });
}
Tensor empty_like(const Tensor& x, const TensorOptions& options) { return empty(x.sizes(), like(x, options)); }
Tensor zeros_like(const Tensor& x, const TensorOptions& options) { return zeros(x.sizes(), like(x, options)); }
Tensor ones_like(const Tensor& x, const TensorOptions& options) { return ones(x.sizes(), like(x, options)); }
Tensor full_like(const Tensor& x, const Scalar& value, const TensorOptions& options) {
  return full(x.sizes(), value, like(x, options));
}
Tensor arange(const Scalar& end, const TensorOptions& options) { return arange(0, end, 1, options); }
Tensor arange(const Scalar& start, const Scalar& end, const TensorOptions& options) {
  return arange(start, end, 1, options);
}
Tensor arange(const Scalar& start, const Scalar& end, const Scalar& step, const TensorOptions& options) {
  const bool floating = start.is_floating_point() || end.is_floating_point() || step.is_floating_point();
  return made(core::arange(start, end, step, options.dtype_or(floating ? get_default_dtype() : kInt64)), options);
}
Tensor linspace(const Scalar& start, const Scalar& end, std::int64_t steps, const TensorOptions& options) {
  return made(core::linspace(start.toDouble(), end.toDouble(), steps, options.dtype()), options);
}
Tensor logspace(const Scalar& start, const Scalar& end, std::int64_t steps, double base, const TensorOptions& options) {
  return core::in_name_of("logspace", [&] {
    const Array exponents = core::linspace(start.toDouble(), end.toDouble(), steps, kFloat64);
    return made(core::pow(base, exponents).to(options.dtype()), options);
  });
}
Tensor empty_strided(IntArrayRef size, IntArrayRef stride, const TensorOptions& options) {
  if (size.size() != stride.size()) {
    core::fail<ShapeError>("empty_strided: there must be a stride for each size: {} for {}", stride, size);
  }
  const bool nothing = core::checked_numel(size, "empty_strided") == 0;
  std::int64_t length = nothing ? 0 : 1;
  for (std::size_t i = 0; i < size.size(); ++i) {
    if (stride[i] < 0) core::fail<ValueError>("empty_strided: strides must not be negative: {}", stride);
    std::int64_t reach = 0;
    if (nothing) continue;
    if (__builtin_mul_overflow(size[i] - 1, stride[i], &reach) || __builtin_add_overflow(length, reach, &length)) {
      core::fail<ShapeError>("empty_strided: the memory must have a size that can be counted: {} with strides {}", size,
                             stride);
    }
  }
  const Array memory = core::in_name_of("empty_strided", [&] { return core::empty({length}, options.dtype()); });
  return made(memory.as_strided(size, stride, 0), options);
}
Tensor scalar_tensor(const Scalar& value, const TensorOptions& options) {
  return core::in_name_of("scalar_tensor", [&] { return made(core::scalar(value, options.dtype()), options); });
}
namespace {
Tensor triangle(const char* op, std::int64_t rows, std::int64_t columns, std::int64_t offset, bool lower,
                const TensorOptions& options) {
  if (rows < 0 || columns < 0) {
    core::fail<ValueError>("{}: sizes must not be negative: {} and {}", op, rows, columns);
  }
  if (!is_integral(options.dtype())) {
    core::fail<DTypeError>("{}: indices must be integers: {}; kInt64 holds them", op, options.dtype());
  }
  return core::in_name_of(op, [&] {
    const core::Array whole = core::ones({rows, columns}, kBool);
    const core::Array part = lower ? core::tril(whole, offset) : core::triu(whole, offset);
    const core::Array indices = core::nonzero(part).transpose(0, 1).contiguous();
    std::int64_t largest = 0;
    for (std::int64_t i = 0; i < indices.numel(); ++i) {
      largest = std::max(largest, indices.data_ptr<std::int64_t>()[i]);
    }
    if (largest >> core::digits_of(options.dtype()) != 0) {
      core::fail<DTypeError>("{}: the dtype must hold the indices: {} for {}; kInt64 holds them", op, options.dtype(),
                             largest);
    }
    return made(indices.to(options.dtype()), options);
  });
}
}  // namespace
Tensor tril_indices(std::int64_t row, std::int64_t col, std::int64_t offset, const TensorOptions& options) {
  return triangle("tril_indices", row, col, offset, true, options);
}
Tensor triu_indices(std::int64_t row, std::int64_t col, std::int64_t offset, const TensorOptions& options) {
  return triangle("triu_indices", row, col, offset, false, options);
}
Tensor eye(std::int64_t n, const TensorOptions& options) { return eye(n, n, options); }
Tensor eye(std::int64_t n, std::int64_t m, const TensorOptions& options) {
  return core::in_name_of("eye", [&] { return made(core::eye(n, m, options.dtype()), options); });
}

Tensor rand(IntArrayRef shape, const TensorOptions& options) { return rand(shape, std::nullopt, options); }
Tensor rand(IntArrayRef shape, const std::optional<Generator>& generator, const TensorOptions& options) {
  return core::in_name_of("rand", [&] {
    return made(core::rand(shape, options.dtype(), draw(generator, shape, options.dtype())), options);
  });
}
Tensor randn(IntArrayRef shape, const TensorOptions& options) { return randn(shape, std::nullopt, options); }
Tensor randn(IntArrayRef shape, const std::optional<Generator>& generator, const TensorOptions& options) {
  return core::in_name_of("randn", [&] {
    return made(core::randn(shape, options.dtype(), draw(generator, shape, options.dtype())), options);
  });
}
Tensor rand_like(const Tensor& x, const TensorOptions& options) {
  return core::in_name_of("rand_like", [&] { return rand(x.sizes(), like(x, options)); });
}
Tensor randn_like(const Tensor& x, const TensorOptions& options) {
  return core::in_name_of("randn_like", [&] { return randn(x.sizes(), like(x, options)); });
}
Tensor randint(std::int64_t high, IntArrayRef shape, const TensorOptions& options) {
  return randint(0, high, shape, std::nullopt, options);
}
Tensor randint(std::int64_t high, IntArrayRef shape, const std::optional<Generator>& generator,
               const TensorOptions& options) {
  return randint(0, high, shape, generator, options);
}
Tensor randint(std::int64_t low, std::int64_t high, IntArrayRef shape, const TensorOptions& options) {
  return randint(low, high, shape, std::nullopt, options);
}
Tensor randint(std::int64_t low, std::int64_t high, IntArrayRef shape, const std::optional<Generator>& generator,
               const TensorOptions& options) {
  const core::RandomPosition at = chosen(generator).take(core::words_of_randint(low, high, shape));
  return made(core::randint(low, high, shape, options.dtype_or(kInt64), at), options);
}
Tensor randint_like(const Tensor& x, std::int64_t high, const TensorOptions& options) {
  return randint_like(x, 0, high, options);
}
Tensor randint_like(const Tensor& x, std::int64_t low, std::int64_t high, const TensorOptions& options) {
  return core::in_name_of("randint_like", [&] { return randint(low, high, x.sizes(), like(x, options)); });
}
Tensor randperm(std::int64_t n, const TensorOptions& options) { return randperm(n, std::nullopt, options); }
Tensor randperm(std::int64_t n, const std::optional<Generator>& generator, const TensorOptions& options) {
  if (n < 0) core::fail<ValueError>("randperm: n must not be negative: {}", n);
  return made(core::randperm(n, options.dtype_or(kInt64), chosen(generator).take(n)), options);
}
Tensor normal(double mean, double std, IntArrayRef shape, const std::optional<Generator>& generator,
              const TensorOptions& options) {
  const Tensor x = core::in_name_of(
      "normal", [&] { return Tensor(core::empty(shape, options.dtype())).normal_(mean, std, generator); });
  return options.requires_grad() ? x.requires_grad_() : x;
}
Tensor normal(const Tensor& mean, double std, const std::optional<Generator>& generator) {
  return core::in_name_of("normal", [&] {
    const Tensor x = empty_like(mean.detach()).normal_(0, std, generator);
    return Tensor(x.array() + mean.array());
  });
}
Tensor normal(double mean, const Tensor& std, const std::optional<Generator>& generator) {
  return normal(full({}, mean, std.dtype()), std, generator);
}
Tensor normal(const Tensor& mean, const Tensor& std, const std::optional<Generator>& generator) {
  return core::in_name_of("normal", [&] {
    const Array &m = mean.array(), &s = std.array();
    if (s.numel() != 0 && core::reduce(core::Reduction::Min, s).item<double>() < 0) {
      core::fail<ValueError>("normal: standard deviations must not be negative: the least is {}",
                             core::reduce(core::Reduction::Min, s).item<double>());
    }
    const core::Shape shape = core::broadcast_shapes(m.shape(), s.shape(), "normal");
    const Tensor x = Tensor(core::empty(shape, core::result_type(m, s))).normal_(0, 1, generator);
    return Tensor(x.array() * s + m);
  });
}
Tensor bernoulli(const Tensor& x, const std::optional<Generator>& generator) {
  return Tensor(core::bernoulli(x.array(), chosen(generator).take(x.numel())));
}
Tensor bernoulli(const Tensor& x, double p, const std::optional<Generator>& generator) {
  return core::in_name_of("bernoulli", [&] { return Tensor(empty_like(x).bernoulli_(p, generator)); });
}
Tensor multinomial(const Tensor& weights, std::int64_t count, bool replacement,
                   const std::optional<Generator>& generator) {
  const Array& w = weights.array();
  return Tensor(core::multinomial(w, count, replacement,
                                  chosen(generator).take(core::words_of_multinomial(w, count, replacement))));
}
Tensor Tensor::bernoulli(const std::optional<Generator>& generator) const {
  return gradus::bernoulli(*this, generator);
}
Tensor Tensor::bernoulli(double p, const std::optional<Generator>& generator) const {
  return gradus::bernoulli(*this, p, generator);
}
Tensor Tensor::multinomial(std::int64_t count, bool replacement, const std::optional<Generator>& generator) const {
  return gradus::multinomial(*this, count, replacement, generator);
}

Tensor Tensor::new_empty(IntArrayRef size, const TensorOptions& options) const {
  return empty(size, like(*this, options));
}
Tensor Tensor::new_empty_strided(IntArrayRef size, IntArrayRef stride, const TensorOptions& options) const {
  return empty_strided(size, stride, like(*this, options));
}
Tensor Tensor::new_zeros(IntArrayRef size, const TensorOptions& options) const {
  return zeros(size, like(*this, options));
}
Tensor Tensor::new_ones(IntArrayRef size, const TensorOptions& options) const {
  return ones(size, like(*this, options));
}
Tensor Tensor::new_full(IntArrayRef size, const Scalar& value, const TensorOptions& options) const {
  return full(size, value, like(*this, options));
}

namespace {
Tensor of_caller(core::Array array, const TensorOptions& options) {
  Tensor x = made(std::move(array), options);
  x.body().borrowed = true;
  return x;
}
}  // namespace
Tensor from_blob(void* data, IntArrayRef shape, const TensorOptions& options) {
  return of_caller(core::from_blob(data, shape, {}, {}, options.dtype()), options);
}
Tensor from_blob(void* data, IntArrayRef shape, IntArrayRef strides, const TensorOptions& options) {
  return of_caller(core::from_blob(data, shape, strides, {}, options.dtype()), options);
}
Tensor from_blob(void* data, IntArrayRef shape, std::function<void(void*)> deleter, const TensorOptions& options) {
  return of_caller(core::from_blob(data, shape, {}, std::move(deleter), options.dtype()), options);
}

Tensor tensor(const autograd::NestedNumbers& numbers, const TensorOptions& options) {
  const Array result = core::empty(numbers.shape(), options.dtype_or(numbers.dtype()));
  // Element by element through 0-d views: each number is converted as fill_ converts.
  const Array flat = result.view({result.numel()});
  for (std::int64_t i = 0; i < result.numel(); ++i)
    flat.select(0, i).fill_(numbers.values()[static_cast<std::size_t>(i)]);
  return made(result, options);
}

}  // namespace gradus
