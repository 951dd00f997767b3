// Activations that are made of pieces or of other activations.
#include <limits>

#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../../core/nn/activation.h"
#include "../../core/ops/elementwise.h"
#include "../graph/grad_mode.h"
#include "../graph/operation.h"
#include "../tensor/create.h"
#include "activation.h"
#include "activation_rules.h"
#include "binary_operation.h"
#include "rewrite.h"
#include "rounded_once.h"

namespace gradus {

using namespace autograd;
using core::Array;

namespace {

void check_floating(const char* op, const Operand& x) { core::expect_floating(op, "the operand", x.tensor().dtype()); }

// y = log s(x), s the logistic function
struct LogSigmoid {
  static constexpr std::string_view name = "log_sigmoid";
  static constexpr Batch batch = Batch::kEach;
  static Array forward(const Array& x) { return core::softplus(x, -1, std::numeric_limits<double>::infinity()); }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy * logistic(-x); });
};
// y = min(max(x, low), high)
struct Hardtanh {
  static constexpr std::string_view name = "hardtanh";
  static constexpr Batch batch = Batch::kEach;
  struct Attrs {
    Scalar low, high;
    static constexpr auto fields = named("low", &Attrs::low, "high", &Attrs::high);
  };
  static Array forward(const Attrs& c, const Array& x) { return core::clamp(x, c.low, c.high); }
  static constexpr auto gradients = formulas(
      [](Dy<> dy, In<0> x, const Attrs& c) { return masked_fill(dy, logical_or(x <= c.low, x >= c.high), 0); });
};
// y = min(max(x / 6 + 1 / 2, 0), 1)
struct Hardsigmoid {
  static constexpr std::string_view name = "hardsigmoid";
  static constexpr Batch batch = Batch::kEach;
  static Array forward(const Array& x) { return core::hardsigmoid(x); }
  static constexpr auto gradients =
      formulas([](Dy<> dy, In<0> x) { return masked_fill(dy / 6, !logical_and(x > -3, x < 3), 0); });
};
// y = x min(max(x / 6 + 1 / 2, 0), 1), whose slope is (2 x + 3) / 6 between -3 and 3
struct Hardswish {
  static constexpr std::string_view name = "hardswish";
  static constexpr Batch batch = Batch::kEach;
  static Array forward(const Array& x) { return core::hardswish(x); }
  static constexpr auto gradients =
      formulas([](Dy<> dy, In<0> x) { return dy * masked_fill(masked_fill(x / 3 + 0.5, x <= -3, 0), x >= 3, 1); });
};
struct Lambda {
  double lambda = 0.5;
  static constexpr auto fields = named("lambda", &Lambda::lambda);
};
Tensor beyond(const Tensor& dy, const Tensor& x, double lambda) {
  return masked_fill(dy, logical_and(x >= -lambda, x <= lambda), 0);
}
// y = x where |x| > lambda, else 0
struct Hardshrink {
  static constexpr std::string_view name = "hardshrink";
  static constexpr Batch batch = Batch::kEach;
  using Attrs = Lambda;
  static Array forward(const Attrs& c, const Array& x) { return core::hardshrink(x, c.lambda); }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x, const Lambda& c) { return beyond(dy, x, c.lambda); });
};
// y = sign(x) max(|x| - lambda, 0)
struct Softshrink {
  static constexpr std::string_view name = "softshrink";
  static constexpr Batch batch = Batch::kEach;
  using Attrs = Lambda;
  static Array forward(const Attrs& c, const Array& x) { return core::softshrink(x, c.lambda); }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x, const Lambda& c) { return beyond(dy, x, c.lambda); });
};
// y = x where x > threshold, else c, the value
struct Threshold {
  static constexpr std::string_view name = "threshold";
  static constexpr Batch batch = Batch::kEach;
  struct Attrs {
    double threshold = 0, value = 0;
    static constexpr auto fields = named("threshold", &Attrs::threshold, "value", &Attrs::value);
  };
  static Array forward(const Attrs& c, const Array& x) { return core::threshold(x, c.threshold, c.value); }
  static constexpr auto gradients =
      formulas([](Dy<> dy, In<0> x, const Attrs& c) { return masked_fill(dy, x <= c.threshold, 0); });
};
// y = x where x > 0, else weight x
struct Prelu {
  static constexpr std::string_view name = "prelu";
  static constexpr bool broadcasts = true;
  static Array forward(const Array& x, const Array& weight) { return core::prelu(x, weight); }
  static constexpr auto gradients =
      formulas([](Dy<> dy, In<0> x, In<1> weight) { return where(x > 0, dy, dy * weight); },
               [](Dy<> dy, In<0> x) { return masked_fill(dy * x, x > 0, 0); });
};

}  // namespace

Tensor celu(Operand x, const Scalar& alpha) {
  if (stored(x)) return rounded_once([&](Operand u) { return celu(u, alpha); }, x);
  check_floating("celu", x);
  const double a = alpha.toDouble();
  if (a == 0) core::fail<ValueError>("celu: alpha must not be 0");
  const Scope scope(x.at());
  return a == 1 ? elu(x.tensor()) : elu(x.tensor() / a) * a;
}
Tensor& celu_(Operand x, const Scalar& alpha) {
  return rewrite("celu_", x, [&](Operand in) { return celu(in, alpha); });
}
Tensor selu(Operand x) {
  if (stored(x)) return rounded_once([&](Operand u) { return selu(u); }, x);
  check_floating("selu", x);
  const Scope scope(x.at());
  return elu(x.tensor(), 1.6732632423543772848170429916717) * 1.0507009873554804934193349852946;
}
Tensor& selu_(Operand x) { return rewrite("selu_", x, selu); }
Tensor mish(Operand x) {
  if (stored(x)) return rounded_once([&](Operand u) { return mish(u); }, x);
  check_floating("mish", x);
  const Scope scope(x.at());
  return x.tensor() * tanh(log1p_exp(x.tensor()));
}
Tensor log_sigmoid(Operand x) {
  check_floating("log_sigmoid", x);
  return apply<LogSigmoid>(x);
}
Tensor hardtanh(Operand x, const Scalar& low, const Scalar& high) {
  if (!(low.toDouble() <= high.toDouble())) {
    core::fail<ValueError>("hardtanh: low must not exceed high: {} and {}", low.toDouble(), high.toDouble());
  }
  return apply<Hardtanh>({low, high}, x);
}
Tensor relu6(Operand x) { return hardtanh(x, 0, 6); }
Tensor hardsigmoid(Operand x) { return apply<Hardsigmoid>(x); }
Tensor hardswish(Operand x) { return apply<Hardswish>(x); }
Tensor hardshrink(Operand x, const Scalar& lambda) { return apply<Hardshrink>({lambda.toDouble()}, x); }
Tensor softshrink(Operand x, const Scalar& lambda) {
  if (!(lambda.toDouble() >= 0)) {
    core::fail<ValueError>("softshrink: lambda must not be negative: {}", lambda.toDouble());
  }
  return apply<Softshrink>({lambda.toDouble()}, x);
}
Tensor threshold(Operand x, const Scalar& threshold, const Scalar& value) {
  return apply<Threshold>({threshold.toDouble(), value.toDouble()}, x);
}
Tensor& threshold_(Operand x, const Scalar& threshold, const Scalar& value) {
  return apply_inplace<Threshold>({threshold.toDouble(), value.toDouble()}, x);
}
Tensor prelu(Operand x, Operand weight) {
  const Scope scope(x.at());
  const Tensor in = x.tensor(), w = weight.tensor();
  const std::int64_t channels = in.dim() < 2 ? 1 : in.size(1);
  if (w.dim() > 1 || (w.numel() != 1 && w.numel() != channels)) {
    core::fail<ShapeError>("prelu: there must be one weight, or one for each of the {} entries of dimension 1: {}",
                           channels, w.sizes());
  }
  core::Shape shape = core::Shape::filled(static_cast<int>(in.dim()), 1);
  if (w.numel() != 1) shape[1] = channels;
  return apply<Prelu>(in, w.reshape(shape));
}
Tensor leaky_relu(Operand x, const Scalar& negative_slope) {
  if (stored(x)) return rounded_once([&](Operand u) { return leaky_relu(u, negative_slope); }, x);
  check_floating("leaky_relu", x);
  const Scope scope(x.at());
  return apply<Prelu>(x.tensor(), number_like(negative_slope, x.tensor()));
}
Tensor glu(Operand x, std::int64_t dim) {
  if (stored(x)) return rounded_once([&](Operand u) { return glu(u, dim); }, x);
  const Scope scope(x.at());
  const Tensor in = x.tensor();
  const int d = core::existing_dim(dim, static_cast<int>(in.dim()), "glu");
  const std::int64_t n = in.size(d);
  if (n % 2 != 0) core::fail<ShapeError>("glu: dimension {} must have an even size: {}", d, in.sizes());
  return in.narrow(d, 0, n / 2) * sigmoid(in.narrow(d, n / 2, n / 2));
}
Tensor rrelu(Operand x, const Scalar& lower, const Scalar& upper, bool training) {
  const double low = lower.toDouble(), high = upper.toDouble();
  if (!(low <= high)) core::fail<ValueError>("rrelu: lower must not exceed upper: {} and {}", low, high);
  return core::in_name_of("rrelu", [&] {
    if (!training) return leaky_relu(x, (low + high) / 2);
    check_floating("rrelu", x);
    const Scope scope(x.at());
    const Tensor in = x.tensor(), slope = zeros_like(in).uniform_(low, high);
    return apply<Prelu>(in, slope);
  });
}

}  // namespace gradus
