#include "interpolate.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../../autograd/ops/rounded_once.h"
#include "../../autograd/tensor/create.h"
#include "../../core/array/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../../core/memory/pool.h"
#include "../../core/nn/resample.h"
#include "../pool/avg_pool.h"

namespace gradus::nn {

using namespace autograd;
using core::Array;
using core::Taps;

namespace {

using Attrs = ResampleRule::Attrs;

/// The taps of each dimension, for an input of those sizes.
std::vector<Taps> taps_of(const Attrs& a, const core::Shape& x) {
  std::vector<Taps> axes;
  const int lead = x.size() - a.size.size();
  for (int i = 0; i < a.size.size(); ++i) {
    const std::int64_t n = x[lead + i], m = a.size[i];
    const double given = a.scale[static_cast<std::size_t>(i)];
    const auto scale = given > 0 ? std::optional(given) : std::nullopt;
    switch (a.mode) {
      case InterpolateMode::Nearest:
      case InterpolateMode::NearestExact:
        axes.push_back(core::nearest_taps(n, m, scale, a.mode == InterpolateMode::NearestExact));
        break;
      case InterpolateMode::Bicubic:
        axes.push_back(a.antialias ? core::antialiased_taps(n, m, scale, a.align_corners, true)
                                   : core::cubic_taps(n, m, scale, a.align_corners));
        break;
      default:
        axes.push_back(a.antialias ? core::antialiased_taps(n, m, scale, a.align_corners, false)
                                   : core::linear_taps(n, m, scale, a.align_corners));
    }
  }
  return axes;
}

bool has_corners(InterpolateMode mode) {
  return mode == InterpolateMode::Linear || mode == InterpolateMode::Bilinear || mode == InterpolateMode::Bicubic ||
         mode == InterpolateMode::Trilinear;
}

/// Whether a mode is made for so many dimensions.
bool fits(InterpolateMode mode, std::int64_t dims) {
  switch (mode) {
    case InterpolateMode::Linear:
      return dims == 1;
    case InterpolateMode::Bilinear:
    case InterpolateMode::Bicubic:
      return dims == 2;
    case InterpolateMode::Trilinear:
      return dims == 3;
    default:
      return true;
  }
}

Tensor resampled(const char* op, Operand input, const Attrs& attrs) {
  if (stored(input)) return rounded_once([&](Operand u) { return resampled(op, u, attrs); }, input);
  const Tensor& x = input.tensor();
  const int dims = attrs.size.size();
  constexpr const char* forms[] = {"[N, C, L]", "[N, C, H, W]", "[N, C, D, H, W]"};
  core::expect_dims(op, "input", x, dims + 2, dims + 2, forms[dims - 1]);
  if (!x.is_floating_point())
    core::fail<DTypeError>("{}: the operand must be floating: {}; to(kFloat) converts", op, x.dtype());
  for (int i = 0; i < dims; ++i) {
    if (x.size(i + 2) < 1 || attrs.size[i] < 1)
      core::fail<ShapeError>("{}: input and result must have elements to interpolate: {} to {}", op, x.sizes(),
                             attrs.size);
  }
  core::Shape result(x.sizes());
  for (int i = 0; i < dims; ++i) result[i + 2] = attrs.size[i];
  // Before what each of its elements reads is listed.
  core::check_request(core::checked_numel({core::checked_numel(result, op), size_of(x.dtype())}, op));
  return apply<ResampleRule>(attrs, input);
}

}  // namespace

Tensor detail::resampled(const char* op, Operand x, InterpolateMode mode, IntArrayRef size, bool align_corners,
                         std::initializer_list<std::optional<double>> scales) {
  if (size.size() != scales.size())
    core::fail<ShapeError>("{}: output_size must have {} numbers: {}", op, scales.size(), size);
  Attrs attrs{mode, core::Dims(size), {}, align_corners, false};
  std::transform(scales.begin(), scales.end(), attrs.scale.begin(), [](auto each) { return each.value_or(0); });
  return core::in_name_of(op, [&] { return nn::resampled(op, x, attrs); });
}

// y = A x, along each dimension
Tensor ResampleRule::reference(const Attrs& attrs, const Tensor& x) {
  Tensor y = x;
  const auto axes = taps_of(attrs, x.body().array.shape());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const Taps& a = axes[i];
    const auto dim = x.dim() - static_cast<std::int64_t>(axes.size() - i);
    Tensor matrix(core::zeros({a.m, a.n}, x.dtype()));
    for (std::size_t o = 0; o < static_cast<std::size_t>(a.m); ++o) {
      for (auto t = static_cast<std::size_t>(a.begin[o]); t < static_cast<std::size_t>(a.begin[o + 1]); ++t)
        matrix[static_cast<std::int64_t>(o)][a.positions[t]].add_(a.weights[t]);
    }
    y = matmul(matrix, y.movedim(dim, -2)).movedim(-2, dim);
  }
  return y;
}
Array ResampleRule::forward(const Attrs& attrs, const Array& x) { return core::resample(x, taps_of(attrs, x.shape())); }
Tensor ResampleRule::batch(const Attrs& attrs, const Examples& x) {
  return x.split(apply<ResampleRule>(attrs, x.merged(0)), x.shape(0)[0]);
}
std::array<Array, 1> ResampleRule::backward(const Attrs& attrs, DyArray<> dy, ShapeOf<0> x) {
  std::vector<Taps> axes = taps_of(attrs, x);
  for (Taps& each : axes) each = each.transposed();
  return {core::resample(dy, axes)};
}

Tensor functional::interpolate(Operand input, const InterpolateFuncOptions& o) {
  constexpr const char* op = "interpolate";
  const Scope scope(input.at());
  const Tensor& x = input.tensor();
  core::expect_dims(op, "input", x, 3, 5, "[N, C, L], [N, C, H, W] or [N, C, D, H, W]");
  const auto dims = static_cast<std::size_t>(x.dim() - 2);
  const auto mode = o.mode();
  if (!fits(mode, x.dim() - 2))
    core::fail<ShapeError>("{}: mode {} is not for an input of {} dimensions: {}", op, to_string(mode), x.dim(),
                           x.sizes());
  if (o.size().has_value() == o.scale_factor().has_value())
    core::fail<ValueError>("{}: either size or scale_factor must be given: {}", op,
                           o.size() ? "both are" : "neither is");
  if (o.align_corners() && !has_corners(mode)) {
    core::fail<ValueError>(
        "{}: align_corners is for kLinear, kBilinear, kBicubic and kTrilinear: mode {}; leave it out", op,
        to_string(mode));
  }
  if (o.antialias() && mode != InterpolateMode::Bilinear && mode != InterpolateMode::Bicubic)
    core::fail<ValueError>("{}: antialias is for kBilinear and kBicubic: mode {}", op, to_string(mode));
  if (o.recompute_scale_factor().value_or(false) && o.size())
    core::fail<ValueError>("{}: recompute_scale_factor is for scale_factor: size is given", op);

  Attrs attrs{
      mode, core::Dims::filled(static_cast<int>(dims), 1), {}, o.align_corners().value_or(false), o.antialias()};
  const auto one_for = [&](std::size_t count, const char* what) {
    if (count != 1 && count != dims)
      core::fail<ShapeError>("{}: {} must have one number or {}, for an input {}: {}", op, what, dims, x.sizes(),
                             count);
  };
  one_for(o.size() ? o.size()->size() : o.scale_factor()->size(), o.size() ? "size" : "scale_factor");
  for (std::size_t i = 0; i < dims; ++i) {
    const int d = static_cast<int>(i);
    if (o.size()) {
      attrs.size[d] = (*o.size())[o.size()->size() == 1 ? 0 : i];
      continue;
    }
    const double scale = (*o.scale_factor())[o.scale_factor()->size() == 1 ? 0 : i];
    const double exact = std::floor(static_cast<double>(x.size(d + 2)) * scale);
    if (!(scale > 0) || !(exact < 0x1p53))
      core::fail<ValueError>("{}: scale_factor must be above 0, and the size fit into 53 bits: {}", op, scale);
    attrs.size[d] = static_cast<std::int64_t>(exact);
    if (!o.recompute_scale_factor().value_or(false)) attrs.scale[i] = scale;
  }
  if (mode == InterpolateMode::Area) {
    return core::in_name_of(op, [&] {
      return dims == 1   ? gradus::adaptive_avg_pool1d(input, attrs.size)
             : dims == 2 ? gradus::adaptive_avg_pool2d(input, attrs.size)
                         : gradus::adaptive_avg_pool3d(input, attrs.size);
    });
  }
  return resampled(op, input, attrs);
}

}  // namespace gradus::nn
