#include "grid_sample.h"

#include <cmath>
#include <vector>

#include "../../autograd/ops/rounded_once.h"
#include "../../autograd/tensor/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../../core/nn/grid_sample.h"

namespace gradus {
namespace nn {

using namespace autograd;
using core::Array;

namespace {

core::GridSampling sampling(const GridSampleRule::Attrs& a) {
  return {static_cast<core::GridSampling::Mode>(a.mode), static_cast<core::GridSampling::Outside>(a.padding_mode),
          a.align_corners};
}

// --- The reference: each dimension's elements and weights as Tensors of the grid's shape ---------------------------

Tensor clipped(const Tensor& p, double last) {
  // The gradient is 0 at the borders, too.
  return where(p <= 0, zeros_like(p), where(p >= last, full_like(p, last), p));
}
Tensor reflected(const Tensor& p, double low, double high) {  // twice the bounds
  if (low == high) return zeros_like(p);
  const double min = low / 2, span = (high - low) / 2;
  const Tensor far = where(p < min, min - p, p - min), flips = floor(far.detach() / span), extra = far - flips * span;
  return where(remainder(flips, 2) == 0, extra, span - extra) + min;
}
Tensor inside(Tensor p, std::int64_t n, const GridSampleRule::Attrs& a) {
  const auto size = static_cast<double>(n);
  if (a.padding_mode == GridSamplePaddingMode::Reflection)
    p = a.align_corners ? reflected(p, 0, 2 * (size - 1)) : reflected(p, -1, 2 * size - 1);
  return a.padding_mode == GridSamplePaddingMode::Zeros ? p : clipped(p, size - 1);
}

struct Element {
  Tensor index, weight;  // floating, without history; and with
};
Tensor place(const Tensor& g, std::int64_t n, const GridSampleRule::Attrs& a) {
  const auto size = static_cast<double>(n);
  return a.align_corners ? (g + 1) / 2 * (size - 1) : ((g + 1) * size - 1) / 2;
}
std::vector<Element> elements(const Tensor& g, std::int64_t n, const GridSampleRule::Attrs& a) {
  Tensor p = place(g, n, a);
  if (a.mode == GridSampleMode::Bicubic) {
    const Tensor low = floor(p.detach()), t = p - low;
    constexpr double A = -0.75;
    const auto near = [](const Tensor& x) { return ((A + 2) * x - (A + 3)) * x * x + 1; };
    const auto far = [](const Tensor& x) { return ((A * x - 5 * A) * x + 8 * A) * x - 4 * A; };
    const Tensor weights[] = {far(t + 1), near(t), near(1 - t), far(2 - t)};
    std::vector<Element> all;
    for (int k = 0; k < 4; ++k) all.push_back({floor(inside(low + (k - 1), n, a)), weights[k]});
    return all;
  }
  p = inside(p, n, a);
  if (a.mode == GridSampleMode::Nearest) return {{round(p.detach()), ones_like(p)}};
  const Tensor low = floor(p.detach()), t = p - low;
  return {{low, 1 - t}, {low + 1, t}};
}

// As core::grid_sample has it.
Tensor is_lost(const Tensor& g, std::int64_t n, int dims, const GridSampleRule::Attrs& a) {
  const Tensor p = place(g.detach(), n, a);
  const bool infinite = a.mode == GridSampleMode::Bicubic || (a.mode == GridSampleMode::Bilinear && dims == 2 &&
                                                              a.padding_mode == GridSamplePaddingMode::Zeros);
  return infinite ? isfinite(p).logical_not() : isnan(p);
}

void check_samples(const char* op, const Tensor& x, const Tensor& grid, const GridSampleRule::Attrs& a) {
  core::expect_dims(op, "input", x, 4, 5, "[N, C, H, W] or [N, C, D, H, W]");
  core::expect_defined(op, "grid", grid);
  if (!x.is_floating_point() || x.dtype() != grid.dtype())
    core::fail<DTypeError>("{}: input and grid must be of one floating dtype: {} and {}", op, x.dtype(), grid.dtype());
  if (grid.dim() != x.dim() || grid.size(0) != x.size(0) || grid.size(-1) != x.dim() - 2) {
    core::fail<ShapeError>("{}: the grid must be [N, .., {}] for an input {}: {}", op, x.dim() - 2, x.sizes(),
                           grid.sizes());
  }
  for (int i = 2; i < x.dim(); ++i)
    if (x.size(i) < 1) core::fail<ShapeError>("{}: there must be elements to sample: {}", op, x.sizes());
  if (a.mode == GridSampleMode::Bicubic && x.dim() != 4)
    core::fail<ValueError>("{}: kBicubic is for [N, C, H, W]: {}", op, x.sizes());
}

Tensor sampled(const char* op, Operand input, const Tensor& grid, const GridSampleRule::Attrs& attrs) {
  check_samples(op, input.tensor(), grid, attrs);
  if (stored(input, grid))
    return rounded_once([&](Operand x, Operand g) { return sampled(op, x, g.tensor(), attrs); }, input, grid);
  return apply<GridSampleRule>(attrs, input, grid);
}

}  // namespace

Tensor GridSampleRule::reference(const Attrs& attrs, const Tensor& x, const Tensor& grid) {
  const std::int64_t N = x.size(0), C = x.size(1);
  const int dims = static_cast<int>(x.dim()) - 2;
  Tensor places = grid.flatten(1, dims), lost = zeros({N, places.size(1)}, kBool);
  for (int d = 0; d < dims; ++d) lost = lost | is_lost(places.select(2, d), x.size(dims + 1 - d), dims, attrs);
  // What is lost is no number, and its gradient none, whatever else it is made of; and no element is read there.
  const Tensor gone = lost.unsqueeze(2), none = zeros_like(places);
  const Tensor no_number = where(gone, places, none).sum(2) * std::nan("");
  const double far = attrs.padding_mode == GridSamplePaddingMode::Zeros ? 8 : 1;  // as good as infinity
  places = where(gone, none, where(isinf(places), places.detach().sign() * far, places));
  // The grid counts from the innermost dimension.
  std::vector<Element> all = {{zeros({N, places.size(1)}, x.dtype()), ones({N, places.size(1)}, x.dtype())}};
  for (int d = dims - 1; d >= 0; --d) {
    const std::int64_t n = x.size(dims + 1 - d);
    std::vector<Element> products;
    for (const Element& outer : all) {
      for (const Element& inner : elements(places.select(2, d), n, attrs)) {
        const Tensor is_inside = (inner.index >= 0).logical_and(inner.index < static_cast<double>(n)).to(x.dtype());
        const Tensor index = where(is_inside > 0, inner.index, zeros_like(inner.index));
        products.push_back({outer.index * static_cast<double>(n) + index, outer.weight * inner.weight * is_inside});
      }
    }
    all = std::move(products);
  }
  const Tensor planes = x.flatten(2);
  Tensor y;
  for (const Element& each : all) {
    const Tensor index = each.index.to(kInt64).unsqueeze(1).expand({N, C, places.size(1)});
    const Tensor term = planes.gather(2, index) * each.weight.unsqueeze(1);
    y = y.defined() ? y + term : term;
  }
  y = where(lost.unsqueeze(1), no_number.unsqueeze(1), y);
  std::vector<std::int64_t> shape = {N, C};
  for (int i = 0; i < dims; ++i) shape.push_back(grid.size(i + 1));
  return y.reshape(shape);
}
Array GridSampleRule::forward(const Attrs& attrs, const Array& x, const Array& grid) {
  return core::grid_sample(x, grid, sampling(attrs));
}
std::array<Array, 2> GridSampleRule::backward(const Attrs& attrs, Needs needs, DyArray<> dy, InArray<0> x,
                                              InArray<1> grid) {
  std::array<Array, 2> gradients;
  if (needs[0]) gradients[0] = core::grid_sample_backward_input(dy, grid, x.shape(), sampling(attrs));
  if (needs[1]) gradients[1] = core::grid_sample_backward_grid(dy, x, grid, sampling(attrs));
  return gradients;
}

Tensor functional::grid_sample(Operand x, const Tensor& grid, const GridSampleFuncOptions& o) {
  return sampled("grid_sample", x, grid, {o.mode(), o.padding_mode(), o.align_corners().value_or(false)});
}

Tensor functional::affine_grid(Operand input, IntArrayRef size, bool align_corners) {
  constexpr const char* op = "affine_grid";
  if (stored(input)) return rounded_once([&](Operand u) { return affine_grid(u, size, align_corners); }, input);
  const Scope scope(input.at());
  const Tensor& theta = input.tensor();
  core::expect_floating(op, "theta", theta);
  const auto dims = static_cast<std::int64_t>(size.size()) - 2;
  if (dims != 2 && dims != 3) core::fail<ShapeError>("{}: size must be [N, C, H, W] or [N, C, D, H, W]: {}", op, size);
  if (theta.dim() != 3 || theta.size(0) != size[0] || theta.size(1) != dims || theta.size(2) != dims + 1) {
    core::fail<ShapeError>("{}: theta must be [{}, {}, {}] for the size {}: {}", op, size[0], dims, dims + 1, size,
                           theta.sizes());
  }
  std::vector<std::int64_t> shape = {size[0]};
  for (std::int64_t d = 0; d < dims; ++d) {
    if (size[static_cast<std::size_t>(d) + 2] < 1) core::fail<ShapeError>("{}: sizes must be at least 1: {}", op, size);
    shape.push_back(size[static_cast<std::size_t>(d) + 2]);
  }
  // Places (x, y, .., 1), x along the last dimension.
  std::vector<Tensor> columns;
  const std::vector<std::int64_t> extents(shape.begin() + 1, shape.end());
  for (std::int64_t d = dims; d >= 1; --d) {
    const std::int64_t n = shape[static_cast<std::size_t>(d)];
    Tensor along = n > 1 ? linspace(-1, 1, n, theta.dtype()) : zeros({1}, theta.dtype());
    if (!align_corners) along = along * (static_cast<double>(n - 1) / static_cast<double>(n));
    std::vector<std::int64_t> view(static_cast<std::size_t>(dims), 1);
    view[static_cast<std::size_t>(d) - 1] = n;
    columns.push_back(along.reshape(view).expand(extents).reshape({-1}));
  }
  columns.push_back(ones_like(columns[0]));
  shape.push_back(dims);
  return matmul(stack(columns, 1), theta.transpose(1, 2)).reshape(shape);
}

}  // namespace nn

Tensor grid_sampler(Operand x, const Tensor& grid, std::int64_t mode, std::int64_t padding_mode, bool align_corners) {
  constexpr const char* op = "grid_sampler";
  if (mode < 0 || mode > 2 || padding_mode < 0 || padding_mode > 2)
    core::fail<ValueError>("{}: modes must be 0, 1 or 2: {} and {}", op, mode, padding_mode);
  return nn::sampled(
      op, x, grid,
      {static_cast<nn::GridSampleMode>(mode), static_cast<nn::GridSamplePaddingMode>(padding_mode), align_corners});
}
Tensor affine_grid_generator(Operand theta, IntArrayRef size, bool align_corners) {
  return nn::functional::affine_grid(theta, size, align_corners);
}

}  // namespace gradus
