// In-place changes that have no functional form: numbers put in the place of others. Those that have one stand beside it:
// sums and products in arithmetic.cpp, functions in pointwise.cpp.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

#include "../../core/array/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../../core/base/floating.h"
#include "../../core/ops/elementwise.h"
#include "../../core/ops/pointwise.h"
#include "../../core/ops/random.h"
#include "../graph/grad_mode.h"
#include "../graph/operation.h"
#include "rewrite.h"
#include "../tensor/create.h"

namespace gradus {

using namespace autograd;
using core::Array;

namespace {

struct Value {
  Scalar value;
  static constexpr auto fields = named("value", &Value::value);
};
// x <- src: nothing of x's old numbers is left.
struct CopyInto {
  static constexpr std::string_view name = "copy_";
  static constexpr bool moves = true;
  static constexpr bool broadcasts = true;
  static Array forward(const Array& x, const Array& src) { return src.expand(x.shape()).to(x.dtype()); }
  static void write(const Array& x, const Array& src) { x.copy_(src); }
  static constexpr auto gradients =
      formulas([](Dy<> dy) { return zeros_like(dy); }, [](Dy<> dy) { return Tensor(dy); });
};
// x <- y.
// Of a result that x was overwritten with: see rewrite.h.
struct Rewrite {
  static constexpr std::string_view name = "rewrite_";
  static constexpr Batch batch = Batch::kEach;
  static constexpr bool moves = true;
  static Array forward(const Array& x, const Array& y) { return y.to(x.dtype()).expand(x.shape()).clone(); }
  static void write(const Array& x, const Array& y) { x.copy_(y); }
  static constexpr auto gradients = formulas(no_gradient, [](Dy<> dy) { return Tensor(dy); });
};
// x <- c
struct FillInto {
  static constexpr std::string_view name = "fill_";
  static constexpr Batch batch = Batch::kEach;
  static constexpr bool moves = true;
  using Attrs = Value;
  static Array forward(const Attrs& a, const Array& x) { return core::full(x.shape(), a.value, x.dtype()); }
  static void write(const Array& x, const Attrs& a) { x.fill_(a.value); }
  static constexpr auto gradients = formulas([](Dy<> dy) { return zeros_like(dy); });
};

struct ZeroInto {
  static constexpr std::string_view name = "zero_";
  static constexpr Batch batch = Batch::kEach;
  static constexpr bool moves = true;
  static Array forward(const Array& x) { return core::zeros_like(x); }
  static void write(const Array& x) { x.zero_(); }
  static constexpr auto gradients = formulas([](Dy<> dy) { return zeros_like(dy); });
};

// Numbers drawn anew: no gradient flows through x's old ones.
Tensor& drawn(const char* op, const Tensor& x, const Tensor& numbers, Location at) {
  return core::in_name_of(op, [&]() -> Tensor& {
    x.copy_(numbers, at);
    return written_as(op, {x, at});
  });
}
core::RandomPosition words_from(const std::optional<Generator>& generator, std::int64_t words) {
  return generator ? Generator(*generator).take(words) : default_generator().take(words);
}
// The greatest number of a floating-point dtype below another one.
double below(double number, DType dtype) {
  const Array x = core::scalar(number, kFloat64).to(dtype);
  const auto value = x.item<double>();
  if (dtype == kFloat64) return std::nextafter(value, -HUGE_VAL);
  if (dtype == kFloat32) return static_cast<double>(std::nextafter(static_cast<float>(value), -HUGE_VALF));
  auto* const bits = static_cast<std::uint16_t*>(x.data());
  *bits = static_cast<std::uint16_t>(value == 0 ? 0x8001 : value > 0 ? *bits - 1 : *bits + 1);
  return x.item<double>();
}
DType floating(const Tensor& x, const char* op) {
  core::expect_floating(op, "the tensor", x);
  return x.dtype();
}

}  // namespace

Tensor& autograd::replace(const Operand& x, const Tensor& y) {
  return apply_inplace<Rewrite>({}, x, Operand(y, x.at()));
}
Tensor& autograd::written_as(const char* op, const Operand& x) {
  const Scope* scope = Scope::current();
  x.tensor().body().array.mark_written(op, scope != nullptr && scope->location() ? scope->location() : x.at());
  return const_cast<Tensor&>(x.tensor());  // NOLINT: a handle, as of every change in place
}
Tensor& Tensor::copy_(const Tensor& src, Location at) const {
  return apply_inplace<CopyInto>({}, {*this, at}, Operand(src, at));
}
Tensor& Tensor::fill_(const Scalar& value, Location at) const { return apply_inplace<FillInto>({value}, {*this, at}); }
Tensor& Tensor::fill_(const Tensor& value, Location at) const {
  if (value.dim() != 0) {
    core::fail<ShapeError>("fill_: the value must be a number or have 0 dimensions: {}; copy_ broadcasts",
                           value.sizes());
  }
  return core::in_name_of("fill_", [&]() -> Tensor& {
    copy_(value, at);
    return written_as("fill_", {*this, at});
  });
}
Tensor& Tensor::zero_(Location at) const { return apply_inplace<ZeroInto>({}, {*this, at}); }

Tensor& Tensor::uniform_(double from, double to, const std::optional<Generator>& generator, Location at) const {
  if (!(from <= to)) core::fail<ValueError>("uniform_: from must not exceed to: {} and {}", from, to);
  const DType dtype = floating(*this, "uniform_");
  const double most = core::largest_of(dtype);
  if (!(to - from <= most)) {
    core::fail<ValueError>("uniform_: to - from must be a number that {} holds: from {} to {}", dtype, from, to);
  }
  const DType wide = compute_dtype(dtype);
  const Array unit = core::rand(sizes(), wide, words_from(generator, core::words_of(sizes(), wide)));
  const double first = core::scalar(from, kFloat64).to(dtype).item<double>(), last = std::max(first, below(to, dtype));
  return drawn("uniform_", *this, Tensor(core::clamp((unit * (to - from) + from).to(dtype), {}, last)), at);
}
Tensor& Tensor::normal_(double mean, double std, const std::optional<Generator>& generator, Location at) const {
  if (!(std >= 0)) core::fail<ValueError>("normal_: the standard deviation must not be negative: {}", std);
  const DType dtype = floating(*this, "normal_");
  const DType wide = compute_dtype(dtype);
  const Array standard = core::randn(sizes(), wide, words_from(generator, core::words_of(sizes(), wide)));
  return drawn("normal_", *this, Tensor(standard * std + mean), at);
}
Tensor& Tensor::exponential_(double lambda, const std::optional<Generator>& generator, Location at) const {
  if (!(lambda > 0)) core::fail<ValueError>("exponential_: lambda must be above 0: {}", lambda);
  const DType dtype = floating(*this, "exponential_");
  const core::RandomPosition position = words_from(generator, core::words_of(sizes(), kFloat64));
  return drawn("exponential_", *this, Tensor(core::exponential(sizes(), lambda, dtype, position)), at);
}
Tensor& Tensor::bernoulli_(double p, const std::optional<Generator>& generator, Location at) const {
  core::expect_probability("bernoulli_", "p", p);
  const core::RandomPosition position = words_from(generator, numel());
  const Operand self{*this, at};
  if (detail::begin_inplace("bernoulli_", &self, 1)) {
    return drawn("bernoulli_", *this, Tensor(core::bernoulli_mask(sizes(), p, position)), at);
  }
  core::bernoulli_out(array(), p, position);  // no history to keep: in one pass
  array().mark_written("bernoulli_", at);
  detail::end_unrecorded(*this);
  return const_cast<Tensor&>(*this);
}
Tensor& Tensor::bernoulli_(const Tensor& p, const std::optional<Generator>& generator, Location at) const {
  const Array each = core::in_name_of("bernoulli_", [&] { return p.array().expand(sizes()); });
  return drawn("bernoulli_", *this, Tensor(core::bernoulli(each, words_from(generator, numel()))), at);
}
Tensor& Tensor::random_(std::int64_t from, std::int64_t to, const std::optional<Generator>& generator,
                        Location at) const {
  const Array numbers = core::in_name_of("random_", [&] {
    const core::RandomPosition position = words_from(generator, core::words_of_randint(from, to, sizes()));
    return core::randint(from, to, sizes(), dtype(), position);
  });
  return drawn("random_", *this, Tensor(numbers), at);
}
Tensor& Tensor::random_(const std::optional<Generator>& generator, Location at) const {
  const DType type = dtype();
  const std::int64_t to = type == kInt64 ? std::numeric_limits<std::int64_t>::max()
                                         : (std::int64_t{1} << core::digits_of(type)) + gradus::is_floating_point(type);
  return random_(0, to, generator, at);
}

}  // namespace gradus
