#include "clip.h"

#include <cmath>
#include <vector>

#include "../autograd/tensor/create.h"
#include "../autograd/graph/grad_mode.h"
#include "../core/base/fail.h"
#include "../core/ops/pointwise.h"
#include "../core/ops/reduce.h"

namespace gradus {

using core::Array;

namespace nn::utils {

double clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm, double norm_type,
                       bool error_if_nonfinite) {
  if (!(max_norm >= 0)) core::fail<ValueError>("clip_grad_norm_: max_norm must not be negative: {}", max_norm);
  if (!(norm_type > 0)) core::fail<ValueError>("clip_grad_norm_: norm_type must be positive: {}", norm_type);
  // In float64: the squares of many float32 gradients add up without loss.
  std::vector<double> norms;
  for (const Tensor& p : parameters) {
    const Tensor g = p.grad();
    if (!g.defined() || g.numel() == 0) continue;
    norms.push_back(core::norm64(g.array(), norm_type).item<double>());
  }
  const double total =
      norms.empty() ? 0 : core::norm(gradus::tensor(norms, kFloat64).array(), norm_type).item<double>();
  if (error_if_nonfinite && !std::isfinite(total)) {
    core::fail<GradError>("clip_grad_norm_: the norm of the gradients must be finite: {}", total);
  }
  const double factor = max_norm / (total + 1e-6);
  if (factor < 1 || std::isnan(factor)) {
    for (const Tensor& p : parameters) {
      if (p.grad().defined()) core::mul.write(p.grad().array(), p.grad().array(), factor);
    }
  }
  return total;
}

}  // namespace nn::utils

namespace optim {

void max_norm_(const std::vector<Tensor>& parameters, double c) {
  if (!(c > 0)) core::fail<ValueError>("max_norm_: c must be positive: {}", c);
  for (const Tensor& p : parameters) {
    if (p.dim() < 2 || p.numel() == 0) continue;
    const Array& weight = p.array();
    const std::int64_t rows = weight.size(0);
    const Array norms = core::norm64(weight.reshape({rows, -1}), 2, 1);
    // Times exactly 1 where a row is within c: its bits stay.
    const Array factors = core::where(norms > c, core::div(c, norms), 1.0);
    core::Shape shape = core::Shape::filled(weight.dim(), 1);
    shape[0] = rows;
    core::mul.write(weight, weight, factors.to(weight.dtype()).view(shape));
    weight.mark_written("max_norm_", Location::unknown());
  }
}

}  // namespace optim
}  // namespace gradus
