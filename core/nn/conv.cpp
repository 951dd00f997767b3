#include "conv.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "../array/create.h"
#include "../base/dispatch.h"
#include "../base/expect.h"
#include "../base/fail.h"
#include "../ops/matmul.h"
#include "../ops/pointwise.h"
#include "../ops/reduce.h"
#include "../simd/conv.h"
#include "patches.h"

namespace gradus::core {
namespace {

using kernels::conv_dims;
using kernels::ConvGrid;
using kernels::Correlation;
using std::int64_t;

/// The numbers of the last dimensions as those of three, the first ones being `missing`.
void as_three(const int64_t* values, int count, int64_t missing, int64_t* three) {
  for (int d = 0; d < conv_dims; ++d) three[d] = d < conv_dims - count ? missing : values[d - (conv_dims - count)];
}

ConvGrid grid_of(const Shape& y, const Shape& x, const Shape& weight, const ConvGeometry& geometry) {
  const int dims = x.size() - 2;
  if (weight.size() != x.size() || y.size() != x.size() || weight[0] != y[1] || weight[1] * geometry.groups != x[1]) {
    fail<ShapeError>(
        "conv: a weight must be [output channels, input channels / groups, ..]: {} for {}, {} and groups {}", weight, y,
        x, geometry.groups);
  }
  ConvGrid grid;
  as_three(y.data() + 2, dims, 1, grid.positions);
  as_three(x.data() + 2, dims, 1, grid.extent);
  as_three(weight.data() + 2, dims, 1, grid.taps);
  as_three(geometry.stride.data(), dims, 1, grid.step);
  as_three(geometry.dilation.data(), dims, 1, grid.spacing);
  as_three(geometry.padding.data(), dims, 0, grid.first);
  for (int d = 0; d < conv_dims; ++d) {
    if (grid.positions[d] == 1) grid.step[d] = 1;  // nowhere to step to: a stride beyond the input says nothing
    if (grid.taps[d] == 1) grid.spacing[d] = 1;
  }
  for (int64_t& first : grid.first) first = -first;
  return grid;
}

/// Without weight and bias.
template <class T>
Correlation<T> correlation_of(const ConvGrid& grid, const Array& result, const Array& source, int64_t groups) {
  const int dims = source.dim() - 2;
  Correlation<T> p{};
  p.grid = grid;
  p.images = source.size(0);
  p.groups = groups;
  p.outs = result.size(1) / groups;
  p.channels = source.size(1) / groups;
  p.source = static_cast<const T*>(source.data());
  p.source_image = source.stride(0);
  p.source_channel = source.stride(1);
  as_three(source.strides().data() + 2, dims, 0, p.source_stride);
  p.result = static_cast<T*>(result.data());
  p.result_image = result.stride(0);
  p.result_channel = result.stride(1);
  as_three(result.strides().data() + 2, dims, 0, p.result_stride);
  return p;
}

template <class Body>
void with_type(DType dtype, Body body) {
  if (computed(dtype) == kFloat32) {
    body(float());
  } else {
    body(double());
  }
}

/// The input gradient's part of one dimension. Input coordinates z meet the taps with z + padding - t dilation = q
/// stride for some position q; which taps do depends on the remainder of z by the stride, so each has a grid of its own.
struct Phase {
  int64_t begin, count;         // z = begin + i stride for i < count
  int64_t tap, tap_step, taps;  // those that meet it
  int64_t first, spacing;       // q = i + first + (number of the tap) spacing
};

std::vector<Phase> phases(int64_t extent, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation) {
  const int64_t tap_step = stride / std::gcd(stride, dilation);
  std::vector<Phase> all;
  for (int64_t begin = 0; begin < std::min(stride, extent); ++begin) {
    Phase phase{begin, (extent - begin + stride - 1) / stride, 0, tap_step, 0, 0, -(tap_step * dilation / stride)};
    int64_t tap = 0;
    while (tap < std::min(tap_step, kernel) && (begin + padding - tap * dilation) % stride != 0) ++tap;
    if (tap < std::min(tap_step, kernel)) {
      phase.tap = tap;
      phase.taps = (kernel - tap + tap_step - 1) / tap_step;
      phase.first = (begin + padding - tap * dilation) / stride;
    }
    all.push_back(phase);
  }
  return all;
}

/// The phases cut where other taps reach beyond dy, each part with those alone that do not.
std::vector<Phase> within(const std::vector<Phase>& phases, int64_t positions, int64_t stride) {
  std::vector<Phase> parts;
  for (const Phase& phase : phases) {
    // Tap t meets a position of dy for i in [-at(t), positions - at(t)).
    const auto at = [&](int64_t t) { return phase.first + t * phase.spacing; };
    std::vector<int64_t> cuts = {0, phase.count};
    for (int64_t t = 0; t < phase.taps; ++t) {
      for (const int64_t cut : {-at(t), positions - at(t)}) {
        if (cut > 0 && cut < phase.count) cuts.push_back(cut);
      }
    }
    std::sort(cuts.begin(), cuts.end());
    cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
    for (std::size_t c = 0; c + 1 < cuts.size(); ++c) {
      const int64_t i = cuts[c];
      const auto meets = [&](int64_t t) { return i + at(t) >= 0 && i + at(t) < positions; };
      int64_t begin = 0, end = phase.taps;
      while (begin < end && !meets(begin)) ++begin;
      while (end > begin && !meets(end - 1)) --end;
      Phase part = phase;
      part.begin += i * stride;
      part.count = cuts[c + 1] - i;
      part.tap += begin * phase.tap_step;
      part.taps = end - begin;
      part.first = i + at(begin);
      parts.push_back(part);
    }
  }
  return parts;
}

/// False where a sum overflows, too.
bool all_finite(const Array& x) { return std::isfinite(sum(x).item<double>()); }

/// The taps of some phases of weight [O, C / groups, taps..], contiguous as [groups, C / groups, O / groups, taps..].
Array turned_weight(const Array& weight, int64_t groups, const Phase* phase) {
  Array part = weight;
  for (int d = 2; d < weight.dim(); ++d) {
    const Phase& p = phase[conv_dims - weight.dim() + d];
    part = part.slice(d, p.tap, p.taps > 0 ? p.tap + (p.taps - 1) * p.tap_step + 1 : p.tap, p.tap_step);
  }
  Shape shape = part.shape();
  shape[0] /= groups;
  shape.insert(0, groups);
  Dims order = {0, 2, 1};
  for (int d = 3; d < shape.size(); ++d) order.push_back(d);
  return part.reshape(shape).permute(order).contiguous();
}

void check_numbers(const ConvGeometry& geometry, int dims) {
  const auto check = [&](const Dims& values, const char* name, int64_t least) {
    if (values.size() != dims) {
      fail<ShapeError>("conv: {} must have {} numbers, one for each dimension: {}", name, dims, values);
    }
    for (const int64_t v : values) {
      if (v < least) fail<ValueError>("conv: {} must be at least {}: {}", name, least, values);
    }
  };
  check(geometry.stride, "stride", 1);
  check(geometry.padding, "padding", 0);
  check(geometry.dilation, "dilation", 1);
  if (geometry.groups < 1) fail<ValueError>("conv: groups must be at least 1: {}", geometry.groups);
}

}  // namespace

std::int64_t window_reach(const char* op, std::int64_t kernel, std::int64_t dilation, std::int64_t padding) {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max() / 8;
  std::int64_t reach = 0;
  if (__builtin_mul_overflow(dilation, kernel - 1, &reach) || reach > most || padding > most) {
    fail<ValueError>("{}: dilation x kernel and padding must fit into 61 bits: {} x {} and {}", op, dilation, kernel,
                     padding);
  }
  return reach;
}

void expect_conv_channels(const char* op, IntArrayRef x, int64_t channels, const Shape& weight, int64_t groups) {
  if (channels % groups != 0 || weight[0] % groups != 0) {
    fail<ValueError>("{}: groups must divide the channels: groups {} for {} in and {} out", op, groups, channels,
                     weight[0]);
  }
  if (channels / groups != weight[1]) {
    fail<ShapeError>("{}: input must have {} channels for weight {} and groups {}: {}", op, weight[1] * groups, weight,
                     groups, x);
  }
}

Shape conv_shape(const Shape& x, const Shape& weight, const ConvGeometry& geometry) {
  const int dims = weight.size() - 2;
  if (dims < 1 || dims > conv_dims) {
    fail<ShapeError>("conv: weight must be [out channels, in channels / groups, kernel ..] in 1 to 3 dimensions: {}",
                     weight);
  }
  if (x.size() != weight.size()) {
    fail<ShapeError>("conv: input must be [N, C, ..] in as many dimensions as weight: {} for weight {}", x, weight);
  }
  check_numbers(geometry, dims);
  expect_conv_channels("conv", x, x[1], weight, geometry.groups);
  Shape y = {x[0], weight[0]};
  for (int d = 0; d < dims; ++d) {
    if (weight[d + 2] < 1) fail<ShapeError>("conv: the kernel must not be empty: weight {}", weight);
    const int64_t reach = window_reach("conv", weight[d + 2], geometry.dilation[d], geometry.padding[d]) + 1;
    if (x[d + 2] > std::numeric_limits<int64_t>::max() / 4) {
      fail<ShapeError>("conv: sizes that windows pass over must fit into 61 bits: {}", x);
    }
    const int64_t padded = x[d + 2] + 2 * geometry.padding[d];
    if (reach > padded) {
      fail<ShapeError>(
          "conv: the kernel must not exceed the padded input: {} wide (dilation {}) for {} wide (padding {}) in "
          "dimension {}: input {}, weight {}",
          reach, geometry.dilation[d], padded, geometry.padding[d], d + 2, x, weight);
    }
    y.push_back((padded - reach) / geometry.stride[d] + 1);
  }
  return y;
}

Array conv(const Array& x, const Array& weight, const Array& bias, const ConvGeometry& geometry) {
  const Shape shape = conv_shape(x.shape(), weight.shape(), geometry);
  if (!is_floating_point(x.dtype()) || x.dtype() != weight.dtype() || (bias.defined() && bias.dtype() != x.dtype())) {
    fail<DTypeError>("conv: input, weight and bias must have one floating dtype: {}, {} and {}; to() converts",
                     x.dtype(), weight.dtype(), bias.defined() ? to_string(bias.dtype()) : "none");
  }
  if (bias.defined()) expect_shape("conv", "bias", bias.shape(), "[out channels]", shape[1]);
  const Array y = empty(shape, x.dtype()), w = weight.contiguous();
  const Array b = bias.defined() ? bias.contiguous() : bias;
  with_type(x.dtype(), [&](auto tag) {
    using T = decltype(tag);
    auto p = correlation_of<T>(grid_of(shape, x.shape(), weight.shape(), geometry), y, x, geometry.groups);
    p.weight = static_cast<const T*>(w.data());
    if (b.defined()) p.bias = static_cast<const T*>(b.data());
    kernels::correlate(p);
  });
  return y;
}

namespace {

/// The input gradient where the windows have few positions in a large input, as those of a kernel as large as the image have:
/// nearly all taps of an element of x would meet nothing. The gradient of the patches is one product for each image and group,
/// columns = weight^T dy, and each number goes back to where its patch had it from.
class GradientByColumns {
 public:
  GradientByColumns(const Array& dy, const Array& weight, const Shape& x, const ConvGeometry& geometry)
      : dy_(dy),
        weight_(weight),
        x_(x),
        dims_(x.size() - 2),
        groups_(geometry.groups),
        windows_{two(weight.shape().data() + 2, 1), two(geometry.dilation.data(), 1), two(geometry.padding.data(), 0),
                 two(geometry.stride.data(), 1)} {}

  /// The other way takes, for each channel and tap, a multiplication for each element of x (of a phase of the step) and output
  /// channel; this one for each position and output channel, and a number is stored and added, which counts as several.
  bool is_better(const ConvGrid& grid) const {
    if (dims_ > 2 || column() > kMostElements) return false;
    double all = 1, positions = 1;
    for (int d = 0; d < conv_dims; ++d) {
      all *= static_cast<double>(grid.extent[d]) / static_cast<double>(grid.step[d]);
      positions *= static_cast<double>(grid.positions[d]);
    }
    const double outs = static_cast<double>(weight_.size(0) / groups_);
    return all * outs >= 1.5 * positions * (outs + kColumnCost);
  }

  Array run(const Array& bias) const {
    const int64_t N = x_[0], O = weight_.size(0) / groups_, Q = dy_.numel() / (N * weight_.size(0));
    const int64_t height = dims_ == 2 ? x_[2] : 1, width = x_.back(), per_image = column();
    const Array turned = weight_.contiguous().view({groups_, O, per_image / (groups_ * Q)}).transpose(1, 2);
    const Array dy = dy_.contiguous().view({N, groups_, O, Q});
    const auto of_images = [&](int64_t n, int64_t count) {
      const Array columns = matmul(turned, dy.narrow(0, n, count)).view({count, per_image / Q, Q});
      const Array part = col2im(columns, height, width, windows_).view({count, x_[1], height * width});
      return bias.defined() ? part + bias.view({x_[1], 1}) : part;
    };
    const int64_t images = std::max<int64_t>(kMostElements / per_image, 1);  // at a time
    if (images >= N) return of_images(0, N).view(x_);
    const Array dx = empty(x_, dy_.dtype()), planes = dx.view({N, x_[1], height * width});
    for (int64_t n = 0; n < N; n += images) {
      const int64_t count = std::min(images, N - n);
      planes.narrow(0, n, count).copy_(of_images(n, count));
    }
    return dx;
  }

 private:
  static constexpr int64_t kMostElements = 1 << 22;  // of columns at a time
  static constexpr double kColumnCost = 12;

  /// The last two dimensions of two, or of one and a dimension of `missing` before it.
  Dims two(const int64_t* values, int64_t missing) const {
    return dims_ == 2 ? Dims{values[0], values[1]} : Dims{missing, values[0]};
  }
  int64_t column() const {  // elements of an image's columns
    return weight_.numel() / weight_.size(0) * groups_ * (dy_.numel() / (x_[0] * weight_.size(0)));
  }

  const Array &dy_, &weight_;
  const Shape& x_;
  const int dims_;
  const int64_t groups_;
  const PatchWindows windows_;
};

}  // namespace

Array conv_input_gradient(const Array& dy, const Array& weight, const Shape& x, const ConvGeometry& geometry,
                          const Array& bias) {
  const ConvGrid grid = grid_of(dy.shape(), x, weight.shape(), geometry);
  expect_floating("conv", "dy", dy.dtype());
  expect_dtype("conv", "weight", weight.dtype(), "dy", dy.dtype());
  if (bias.defined()) {
    expect_dtype("conv", "bias", bias.dtype(), "dy", dy.dtype());
    expect_shape("conv", "bias", bias.shape(), "[channels of x]", x[1]);
  }
  const bool none = dy.numel() == 0 || weight.numel() == 0;
  if (numel_of(x) == 0 || (none && !bias.defined())) return zeros(x, dy.dtype());
  const Array b = bias.defined() ? bias.contiguous() : bias;
  if (!none) {
    const GradientByColumns by_columns(dy, weight, x, geometry);
    if (by_columns.is_better(grid)) return by_columns.run(b);
  }
  const Array dx = empty(x, dy.dtype());
  std::vector<Phase> in[conv_dims];
  for (int d = 0; d < conv_dims; ++d) {
    in[d] = phases(grid.extent[d], grid.taps[d], grid.step[d], -grid.first[d], grid.spacing[d]);
  }
  const auto run = [&] {
    with_type(dy.dtype(), [&](auto tag) {
      using T = decltype(tag);
      auto whole = correlation_of<T>(grid, dx, dy, geometry.groups);
      if (b.defined()) whole.bias = static_cast<const T*>(b.data());
      for (const Phase& i : in[0]) {
        for (const Phase& j : in[1]) {
          for (const Phase& k : in[2]) {
            const Phase phase[conv_dims] = {i, j, k};
            const Array turned = turned_weight(weight, geometry.groups, phase);
            auto p = whole;
            p.weight = static_cast<const T*>(turned.data());
            for (int d = 0; d < conv_dims; ++d) {
              p.result += phase[d].begin * whole.result_stride[d];
              p.result_stride[d] = whole.result_stride[d] * grid.step[d];
              p.grid.positions[d] = phase[d].count;
              p.grid.step[d] = 1;
              p.grid.taps[d] = phase[d].taps;
              p.grid.first[d] = phase[d].first;
              p.grid.spacing[d] = phase[d].spacing;
              p.grid.extent[d] = grid.positions[d];
            }
            kernels::correlate(p);
          }
        }
      }
    });
  };
  // Beyond dy's ends the correlation reads zeros, which stand for "not read": harmless unless they meet an infinite or
  // NaN weight. Whichever is smaller tells, the weight beforehand or dx afterwards.
  const bool ask_weight = weight.numel() <= dx.numel();
  const bool harmless = !ask_weight || all_finite(weight);
  if (harmless) run();
  if (!harmless || (!ask_weight && !all_finite(dx))) {
    for (int d = 0; d < conv_dims; ++d) in[d] = within(in[d], grid.positions[d], grid.step[d]);
    run();
  }
  return dx;
}

Array conv_weight_gradient(const Array& dy, const Array& x, const Shape& weight, const ConvGeometry& geometry) {
  expect_floating("conv", "dy", dy.dtype());
  expect_dtype("conv", "x", x.dtype(), "dy", dy.dtype());
  const Array dweight = empty(weight, dy.dtype()), g = dy.contiguous();
  with_type(dy.dtype(), [&](auto tag) {
    using T = decltype(tag);
    const auto p = correlation_of<T>(grid_of(dy.shape(), x.shape(), weight, geometry), g, x, geometry.groups);
    kernels::correlate_weight(p, static_cast<T*>(dweight.data()));
  });
  return dweight;
}

}  // namespace gradus::core
