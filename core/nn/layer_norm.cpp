#include "layer_norm.h"

#include <algorithm>

#include "../array/create.h"
#include "../base/expect.h"
#include "../base/fail.h"
#include "../loops/rows.h"
#include "../ops/pointwise.h"
#include "../ops/reduce.h"
#include "../simd/rows.h"

namespace gradus::core {
namespace {

using kernels::for_rows;
using kernels::kRowBlock;

/// x as rows of its last dimensions.
struct Rows {
  Rows(const char* op, const Array& x, int dims) {
    expect_floating(op, "the operand", x);
    for (int i = 0; i < x.dim(); ++i) (i < x.dim() - dims ? rows : n) *= x.shape()[i];
    bytes = n * x.element_size();
  }
  std::int64_t rows = 1, n = 1, bytes = 0;
};
/// Contiguous numbers of a parameter; null when it is undefined.
struct Parameter {
  Parameter(const char* op, const char* name, const Array& given, const Array& x, std::int64_t n) {
    if (!given.defined()) return;
    if (given.numel() != n || given.dtype() != x.dtype()) {
      fail<ShapeError>(
          "{}: {} must have one number of input's dtype for each element of a row: {} {} for rows of {} {}", op, name,
          given.dtype(), given.shape(), n, x.dtype());
    }
    array = given.contiguous();
    data = array.data();
  }
  Array array;
  const void* data = nullptr;
};

}  // namespace

std::tuple<Array, Array, Array> layer_norm_forward(const Array& x, int dims, double eps, const Array& gamma,
                                                   const Array& beta) {
  constexpr const char* op = "layer_norm_forward";
  const Rows of(op, x, dims);
  const Parameter weight(op, "gamma", gamma, x, of.n), bias(op, "beta", beta, x, of.n);
  const Array from = x.contiguous();
  Array y = empty(x.shape(), x.dtype()), mean = zeros({of.rows}, kFloat64), inv_std = zeros({of.rows}, kFloat64);
  if (y.numel() == 0) return {y, mean, inv_std};
  const kernels::LayerNormRow normalize = kernels::layer_norm_kernel(x.dtype());
  for_rows(of.rows, of.n, kRowBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      const kernels::RowStatistics row =
          normalize(static_cast<const char*>(from.data()) + r * of.bytes, weight.data, bias.data, eps,
                    static_cast<char*>(y.data()) + r * of.bytes, static_cast<std::size_t>(of.n));
      mean.data_ptr<double>()[r] = row.mean;
      inv_std.data_ptr<double>()[r] = row.inv_std;
    }
  });
  return {y, mean, inv_std};
}

std::array<Array, 3> layer_norm_backward(const Array& dy, const Array& x, int dims, const Array& gamma,
                                         const Array& mean, const Array& inv_std, const std::array<bool, 3>& wanted) {
  constexpr const char* op = "layer_norm_backward";
  const Rows of(op, x, dims);
  const Parameter weight(op, "gamma", gamma, x, of.n);
  const Array from = x.contiguous(), above = dy.contiguous();
  std::array<Array, 3> out;
  if (wanted[0]) out[0] = empty(x.shape(), x.dtype());
  // The parameters' gradients are summed over a few rows in the dtype, over a block's rows and over all blocks in
  // float64. Blocks follow from the shape alone.
  constexpr std::int64_t few = 16;
  const std::int64_t most =
      std::max<std::int64_t>({kRowBlock / std::max<std::int64_t>(of.n, 1), (of.rows + 31) / 32, 1});
  const std::int64_t block = (most + few - 1) / few * few, blocks = (of.rows + block - 1) / block;
  const bool sums = wanted[1] || wanted[2];
  // Few rows: the sums of the one group are the result, and nothing else is needed.
  const bool one_group = of.rows <= few;
  Array total = sums && one_group ? zeros({2, of.n}, x.dtype()) : Array();
  const Array partial = sums && !one_group ? zeros({blocks, 2, of.n}, kFloat64) : Array();
  const kernels::LayerNormRowBackward backward = kernels::layer_norm_backward_kernel(x.dtype());
  const auto* means = mean.data_ptr<double>();
  const auto* scales = inv_std.data_ptr<double>();
  if (x.numel() != 0) {
    parallel_for(blocks, 1, [&](std::int64_t first, std::int64_t last) {
      const Array group = one_group ? total : sums ? empty({2, of.n}, x.dtype()) : Array();
      char* dweight = wanted[1] ? static_cast<char*>(group.data()) : nullptr;
      char* dbias = wanted[2] ? static_cast<char*>(group.data()) + of.bytes : nullptr;
      for (std::int64_t b = first; b < last; ++b) {
        for (std::int64_t begin = b * block; begin < std::min((b + 1) * block, of.rows); begin += few) {
          if (sums && !one_group) group.zero_();
          for (std::int64_t r = begin; r < std::min(begin + few, of.rows); ++r) {
            void* dx = wanted[0] ? static_cast<char*>(out[0].data()) + r * of.bytes : nullptr;
            backward(static_cast<const char*>(above.data()) + r * of.bytes,
                     static_cast<const char*>(from.data()) + r * of.bytes, weight.data, {means[r], scales[r]}, dx,
                     dweight, dbias, static_cast<std::size_t>(of.n));
          }
          if (sums && !one_group) add.write(partial.select(0, b), partial.select(0, b), group.to(kFloat64));
        }
      }
    });
  }
  if (sums) {
    if (!one_group) total = sum(partial, 0).to(x.dtype());
    Shape shape;
    for (int i = x.dim() - dims; i < x.dim(); ++i) shape.push_back(x.shape()[i]);
    if (wanted[1]) out[1] = total.select(0, 0).reshape(shape);
    if (wanted[2]) out[2] = total.select(0, 1).reshape(shape);
  }
  return out;
}

namespace {

/// x [N, C, ..] as rows: a group of a sample each.
struct Groups {
  Groups(const char* op, const Array& x, std::int64_t groups) {
    expect_floating(op, "the operand", x);
    expect_form(x.dim() >= 2, op, "the operand", "[N, C, ..]", x.shape());
    if (groups < 1 || x.size(1) % groups != 0) {
      fail<ShapeError>("{}: groups must divide the channels: {} for {}", op, groups, x.shape());
    }
    rows = x.size(0) * groups;
    channels = x.size(1) / groups;
    for (int i = 2; i < x.dim(); ++i) positions *= x.size(i);
    in_sample = groups;
    element = x.element_size();
  }
  std::int64_t n() const { return channels * positions; }
  /// Where the row's numbers of a parameter begin.
  const void* of(const void* parameter, std::int64_t row) const {
    return parameter == nullptr ? nullptr : static_cast<const char*>(parameter) + row % in_sample * channels * element;
  }
  std::int64_t rows, channels, positions = 1, in_sample, element;
};

}  // namespace

std::tuple<Array, Array, Array> group_norm_forward(const Array& x, std::int64_t groups, double eps, const Array& gamma,
                                                   const Array& beta) {
  constexpr const char* op = "group_norm_forward";
  const Groups g(op, x, groups);
  const Parameter weight(op, "gamma", gamma, x, x.size(1)), bias(op, "beta", beta, x, x.size(1));
  const Array from = x.contiguous();
  Array y = empty(x.shape(), x.dtype()), mean = zeros({g.rows}, kFloat64), inv_std = zeros({g.rows}, kFloat64);
  if (y.numel() == 0) return {y, mean, inv_std};
  const kernels::GroupNormRow normalize = kernels::group_norm_kernel(x.dtype());
  const std::int64_t bytes = g.n() * g.element;
  for_rows(g.rows, g.n(), kRowBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      const kernels::RowStatistics row =
          normalize(static_cast<const char*>(from.data()) + r * bytes, g.of(weight.data, r), g.of(bias.data, r), eps,
                    static_cast<char*>(y.data()) + r * bytes, static_cast<std::size_t>(g.channels),
                    static_cast<std::size_t>(g.positions));
      mean.data_ptr<double>()[r] = row.mean;
      inv_std.data_ptr<double>()[r] = row.inv_std;
    }
  });
  return {y, mean, inv_std};
}

std::array<Array, 3> group_norm_backward(const Array& dy, const Array& x, std::int64_t groups, const Array& gamma,
                                         const Array& mean, const Array& inv_std, const std::array<bool, 3>& wanted) {
  constexpr const char* op = "group_norm_backward";
  const Groups g(op, x, groups);
  const Parameter weight(op, "gamma", gamma, x, x.size(1));
  const Array from = x.contiguous(), above = dy.contiguous();
  std::array<Array, 3> out;
  if (wanted[0]) out[0] = empty(x.shape(), x.dtype());
  // Of each channel of each sample: sum dy x_hat, sum dy.
  const Array sums = zeros({x.size(0), x.size(1), 2}, kFloat64);
  const kernels::GroupNormRowBackward backward = kernels::group_norm_backward_kernel(x.dtype());
  const auto *means = mean.data_ptr<double>(), *scales = inv_std.data_ptr<double>();
  const std::int64_t bytes = g.n() * g.element;
  if (x.numel() != 0) {
    for_rows(g.rows, g.n(), kRowBlock, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) {
        backward(static_cast<const char*>(above.data()) + r * bytes, static_cast<const char*>(from.data()) + r * bytes,
                 g.of(weight.data, r), {means[r], scales[r]},
                 wanted[0] ? static_cast<char*>(out[0].data()) + r * bytes : nullptr,
                 sums.data_ptr<double>() + r * g.channels * 2, static_cast<std::size_t>(g.channels),
                 static_cast<std::size_t>(g.positions));
      }
    });
  }
  if (wanted[1] || wanted[2]) {
    const Array total = sum(sums, 0).to(x.dtype());
    if (wanted[1]) out[1] = total.select(1, 0).contiguous();
    if (wanted[2]) out[2] = total.select(1, 1).contiguous();
  }
  return out;
}

}  // namespace gradus::core
