#include "cross_entropy.h"

#include <cmath>

#include "../../autograd/ops/softmax.h"
#include "../../autograd/tensor/create.h"
#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "../../core/nn/softmax.h"
#include "../../core/ops/pointwise.h"
#include "../../core/ops/reduce.h"
#include "loss_support.h"

namespace gradus::nn {

using namespace autograd;
using core::Array;
using core::Shape;
using Attrs = CrossEntropyRule::Attrs;

// l = -sum a[c] log p[c] over the classes c, p the softmax of x:  dx[c] = dl (p[c] sum(a) - a[c]), a the weighted target
Tensor CrossEntropyRule::reference(const Attrs& attrs, const Tensor& x, const Tensor& target, const Tensor& weight) {
  const int at = detail::class_dim(x.dim());
  const std::int64_t C = x.size(at);
  const double e = attrs.label_smoothing;
  const Tensor log_p = LogSoftmaxRule::reference({at}, x);
  const Tensor w = weight.defined() ? weight.detach().to(x.dtype()) : ones({C}, x.dtype());
  Shape along_classes = Shape::filled(static_cast<int>(x.dim()) - at, 1);
  along_classes[0] = C;
  const Tensor w_c = w.view(along_classes);
  if (target.is_floating_point()) {
    const Tensor q = target.to(x.dtype()) * (1 - e) + e / static_cast<double>(C);
    const Tensor losses = -(w_c * q * log_p).sum(at);
    return detail::reduced(losses, attrs.reduction, full({}, losses.numel(), x.dtype()));
  }
  auto [losses, w_t] = detail::negative_log_likelihood(log_p, target, w, attrs.ignore_index);
  if (e > 0) {
    const Tensor even = masked_fill(-(w_c * log_p).sum(at), target == attrs.ignore_index, 0);
    losses = losses * (1 - e) + even * (e / static_cast<double>(C));
  }
  return detail::reduced(losses, attrs.reduction, w_t.sum());
}

namespace {

// x with its classes last, as rows: [samples, C].
Array as_rows(const Array& x) {
  if (x.dim() == 1) return x.unsqueeze(0);
  const std::int64_t C = x.shape()[1];
  return x.dim() == 2 ? x : x.movedim(1, -1).reshape({C == 0 ? 0 : x.numel() / C, C});
}
// And back.
Array from_rows(const Array& rows, const Shape& shape) {
  if (shape.size() <= 2) return rows.view(shape);
  Shape classes_last = shape;
  classes_last.erase(1);
  classes_last.push_back(shape[1]);
  return rows.view(classes_last).movedim(-1, 1).contiguous();
}

bool has_classes(const Array& target) { return !is_floating_point(target.dtype()); }

// Target and weights as the loops read them; a_c is w_t for the one class of a sample, and 0 for the others.
struct Given {
  Given(const Attrs& attrs, const Array& given, const Array& weight, DType dtype, std::int64_t classes)
      : target(has_classes(given) ? given.to(kInt64).contiguous() : given.to(dtype)),
        w(weight.defined() ? weight.to(dtype).contiguous() : core::ones({classes}, dtype)),
        ignore_index(attrs.ignore_index),
        one_class(has_classes(given) && attrs.label_smoothing == 0) {}
  /// body(T(), n, t_n) for each sample of a class, but those that are ignored; T is the type of the numbers.
  template <class Body>
  void for_samples(const Body& body) const {
    const auto over_all = [&, t = target.data_ptr<std::int64_t>(), samples = target.numel()](auto type) {
      for (std::int64_t n = 0; n < samples; ++n)
        if (t[n] != ignore_index) body(type, n, t[n]);
    };
    w.dtype() == kFloat32 ? over_all(float()) : over_all(double());
  }
  /// The array of value(T(), n, t_n), 0 where a sample is ignored.
  template <class Value>
  Array of_samples(const Value& value) const {
    const Array out = core::zeros({target.numel()}, w.dtype());
    for_samples(
        [&](auto type, std::int64_t n, std::int64_t t) { out.data_ptr<decltype(type)>()[n] = value(type, n, t); });
    return out;
  }
  Array target, w;
  std::int64_t ignore_index;
  bool one_class;
};

// All coefficients a_c, [samples, C]; 0 where a sample is ignored.
Array coefficients(const Attrs& attrs, const Given& given, std::int64_t samples) {
  const double e = attrs.label_smoothing;
  const Array hard = given.w * (1 - e), even = given.w * (e / static_cast<double>(given.w.numel()));
  if (!has_classes(given.target)) return as_rows(given.target) * hard + even;
  const Array a = core::zeros({samples, given.w.numel()}, given.w.dtype());
  given.for_samples([&](auto type, std::int64_t n, std::int64_t t) {
    using T = decltype(type);
    T* row = a.data_ptr<T>() + n * a.shape()[1];
    for (std::int64_t c = 0; c < a.shape()[1]; ++c) row[c] = even.data_ptr<T>()[c];
    row[t] += hard.data_ptr<T>()[t];
  });
  return a;
}

}  // namespace

std::tuple<Array, Array, Array> CrossEntropyRule::forward(const Attrs& attrs, const Array& x, const Array& target,
                                                          const Array& weight) {
  if (!(attrs.label_smoothing >= 0 && attrs.label_smoothing <= 1)) {
    core::fail<ValueError>("cross_entropy: label_smoothing must be in [0, 1]: {}", attrs.label_smoothing);
  }
  detail::check_classes("cross_entropy", x, target, weight, attrs.ignore_index);
  const Array log_p = core::log_softmax(as_rows(x), 1);
  const std::int64_t samples = log_p.shape()[0], C = log_p.shape()[1];
  const Given given(attrs, target, weight, x.dtype(), C);

  Array losses;
  if (!given.one_class) losses = -core::sum(coefficients(attrs, given, samples) * log_p, 1);
  double divisor = static_cast<double>(samples);
  if (has_classes(target)) {  // what is ignored has loss 0, whatever its log p is
    losses = given.of_samples([&, all = losses](auto type, std::int64_t n, std::int64_t t) {
      using T = decltype(type);
      return given.one_class ? -given.w.data_ptr<T>()[t] * log_p.data_ptr<T>()[n * C + t] : all.data_ptr<T>()[n];
    });
    divisor = 0;
    given.for_samples([&](auto type, std::int64_t, std::int64_t t) {
      divisor += static_cast<double>(given.w.data_ptr<decltype(type)>()[t]);
    });
  }
  if (attrs.reduction != kMean) divisor = 1;
  Shape shape = x.shape();
  shape.erase(detail::class_dim(x.dim()));
  const Array loss = attrs.reduction == kNone ? losses.view(shape)
                                              : core::scalar(core::sum(losses).item<double>() / divisor, x.dtype());
  return {loss, log_p, core::scalar(divisor, kFloat64)};
}

std::array<Array, 3> CrossEntropyRule::backward(const Attrs& attrs, Needs needs, DyArray<> dl, ShapeOf<0> x,
                                                InArray<1> target, InArray<2> weight, OutArray<1> log_p,
                                                OutArray<2> divisor) {
  const std::int64_t samples = log_p.shape()[0], C = log_p.shape()[1];
  const Given given(attrs, target, weight, log_p.dtype(), C);

  // g_n = dL/dl_n, times w_t for the one class of a sample; 0 where it is ignored.
  const Array above = (dl.to(log_p.dtype()) / divisor.item()).contiguous();
  Array g = has_classes(target) ? Array() : above.view(-1).expand(samples).contiguous();
  if (has_classes(target)) {
    g = given.of_samples([&, step = above.numel() == 1 ? 0 : 1](auto type, std::int64_t n, std::int64_t t) {
      using T = decltype(type);
      return above.data_ptr<T>()[n * step] * (given.one_class ? given.w.data_ptr<T>()[t] : T(1));
    });
  }

  std::array<Array, 3> gradients;
  if (needs[0] && given.one_class) {  // g (p - 1) at the target, g p elsewhere
    const Array dx = core::probabilities_times(log_p, g);
    given.for_samples([&](auto type, std::int64_t n, std::int64_t t) {
      using T = decltype(type);
      const T y = log_p.data_ptr<T>()[n * C + t], factor = g.data_ptr<T>()[n];
      T& d = dx.data_ptr<T>()[n * C + t];  // a confident p has no digits left beside 1
      d = y > T(-0.125) ? factor * std::expm1(y) : d - factor;
    });
    gradients[0] = from_rows(dx, x);
  } else if (needs[0]) {
    gradients[0] = from_rows(core::cross_entropy_rows_backward(log_p, coefficients(attrs, given, samples), g), x);
  }
  if (needs[1] && !has_classes(target)) {
    gradients[1] = from_rows(log_p * (given.w * (attrs.label_smoothing - 1)) * g.unsqueeze(1), x);
  }
  return gradients;
}

Tensor functional::cross_entropy(Operand x, const Tensor& target, const CrossEntropyFuncOptions& options) {
  return cross_entropy_loss(x, target, options.weight(), options.reduction(), options.ignore_index(),
                            options.label_smoothing());
}

CrossEntropyLossImpl::CrossEntropyLossImpl(const CrossEntropyLossOptions& chosen) : options(chosen) { reset(); }
void CrossEntropyLossImpl::reset() { weight = register_buffer("weight", detail::constant(options.weight())); }
Tensor CrossEntropyLossImpl::compute(Operand x, const Tensor& target) {
  return cross_entropy_loss(x, target, weight, options.reduction(), options.ignore_index(), options.label_smoothing());
}

}  // namespace gradus::nn

namespace gradus {

Tensor cross_entropy_loss(Operand x, const Tensor& target, const Tensor& weight, Reduction reduction,
                          std::int64_t ignore_index, double label_smoothing) {
  if (weight.defined() && weight.requires_grad()) {
    core::fail<GradError>("cross_entropy: weight is a constant and must not require grad: pass weight.detach()");
  }
  const Operand t(target, x.at()), w(weight, x.at());
  return std::get<0>(autograd::apply<nn::CrossEntropyRule>({reduction, ignore_index, label_smoothing}, x, t, w));
}

}  // namespace gradus
