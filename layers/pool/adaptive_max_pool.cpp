#include "adaptive_max_pool.h"

#include <limits>

#include "../../autograd/graph/grad_mode.h"
#include "../../autograd/tensor/create.h"
#include "../../core/array/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../../core/memory/pool.h"
#include "pooling.h"

namespace gradus {

using autograd::Scope;
using core::Array;
using core::Dims;
using core::Shape;

namespace {

// For each output of a plane the positions that its window reads, in order: [outputs, largest window], with the plane's size
// where a smaller one has ended.
Array window_positions(const Dims& sizes, const Dims& outputs) {
  Array all = core::zeros({1, 1}, kInt64);
  std::int64_t plane = 1;
  for (int d = 0; d < sizes.size(); ++d) {
    const Array part = std::get<0>(core::adaptive_windows(sizes[d], outputs[d])).contiguous();  // [m, window]
    const std::int64_t before = all.size(0), seen = all.size(1), m = part.size(0), window = part.size(1);
    const Array next = core::empty({before * m, seen * window}, kInt64);
    const auto *a = all.data_ptr<std::int64_t>(), *p = part.data_ptr<std::int64_t>();
    auto* to = next.data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < before; ++i) {
      for (std::int64_t o = 0; o < m; ++o) {
        for (std::int64_t k = 0; k < seen; ++k) {
          for (std::int64_t j = 0; j < window; ++j) {
            const bool ended = a[i * seen + k] == plane || p[o * window + j] == sizes[d];
            *to++ = ended ? plane * sizes[d] : a[i * seen + k] * sizes[d] + p[o * window + j];
          }
        }
      }
    }
    all = next;
    plane *= sizes[d];
  }
  return all;
}

Dims each(const char* op, int dims, IntArrayRef numbers, std::int64_t least) {
  if (numbers.size() != 1 && numbers.size() != static_cast<std::size_t>(dims)) {
    core::fail<ShapeError>("{}: the output's size must be one number or {}: {}", op, dims, numbers);
  }
  const Dims all = numbers.size() == 1 ? Dims::filled(dims, numbers[0]) : Dims(numbers);
  for (const std::int64_t n : all) {
    if (n < least) core::fail<ValueError>("{}: the output's size must be at least {}: {}", op, least, numbers);
  }
  return all;
}
// The sizes of x [C, ..] or [N, C, ..] that are pooled; the shape of the result.
std::tuple<Dims, Shape> planes_of(const char* op, int dims, const Tensor& x, const Dims& output_size) {
  constexpr const char* forms[] = {"[C, L] or [N, C, L]", "[C, H, W] or [N, C, H, W]",
                                   "[C, D, H, W] or [N, C, D, H, W]"};
  core::expect_floating(op, "input", x);
  core::expect_dims(op, "input", x, dims + 1, dims + 2, forms[dims - 1]);
  Dims sizes;
  Shape shape = x.body().array.shape();
  for (int d = 0; d < dims; ++d) {
    const int at = static_cast<int>(x.dim()) - dims + d;
    sizes.push_back(shape[at]);
    shape[at] = output_size[d];
  }
  // Before anything is written down about so many places: a position each.
  std::int64_t bytes = core::checked_numel(shape, op);
  if (__builtin_mul_overflow(bytes, 8, &bytes)) bytes = std::numeric_limits<std::int64_t>::max();
  core::check_request(bytes);
  return {sizes, shape};
}

std::tuple<Tensor, Tensor> adaptive_max_pool(const char* op, int dims, const Operand& input, IntArrayRef output_size) {
  const Tensor& x = input.tensor();
  const Dims outputs = each(op, dims, output_size, 1);
  const auto [sizes, shape] = planes_of(op, dims, x, outputs);
  for (const std::int64_t n : sizes) {
    if (n < 1) core::fail<ShapeError>("{}: there must be positions to choose from: {}", op, x.sizes());
  }
  return core::in_name_of(op, [&, &shape = shape, &sizes = sizes] {
    const Scope scope(input.at());
    const Tensor positions(window_positions(sizes, outputs));
    const Tensor seen = nn::detail::gathered(x, positions.array(), dims, -std::numeric_limits<double>::infinity());
    const auto [y, places] = seen.max(2);
    const Tensor where = gather(positions.expand(seen.sizes()), 2, places.unsqueeze(2));
    return std::tuple(y.reshape(shape), where.reshape(shape));
  });
}

Tensor max_unpool(const char* op, int dims, const Operand& input, const Tensor& indices, IntArrayRef output_size) {
  const Tensor& x = input.tensor();
  if (output_size.size() != static_cast<std::size_t>(dims)) {
    core::fail<ShapeError>("{}: output_size must have {} numbers: {}", op, dims, output_size);
  }
  const auto [sizes, shape] = planes_of(op, dims, x, each(op, dims, output_size, 0));
  core::expect_same_shape(op, "indices", indices.sizes(), "input", x.sizes());
  if (!is_integral(indices.dtype())) {
    core::fail<DTypeError>("{}: indices must be integers: {}; to(kInt64) converts", op, indices.dtype());
  }
  std::int64_t planes = 1, plane = 1, from = 1;
  for (int d = 0; d < shape.size(); ++d) (d < shape.size() - dims ? planes : plane) *= shape[d];
  for (const std::int64_t n : sizes) from *= n;
  return core::in_name_of(op, [&, &shape = shape] {
    const Scope scope(input.at());
    const Tensor empty_planes = zeros({planes, plane}, x.dtype());
    return scatter(empty_planes, 1, indices.to(kInt64).reshape({planes, from}), x.reshape({planes, from}))
        .reshape(shape);
  });
}

}  // namespace

std::tuple<Tensor, Tensor> adaptive_max_pool1d(Operand x, IntArrayRef output_size) {
  return adaptive_max_pool("adaptive_max_pool1d", 1, x, output_size);
}
std::tuple<Tensor, Tensor> adaptive_max_pool2d(Operand x, IntArrayRef output_size) {
  return adaptive_max_pool("adaptive_max_pool2d", 2, x, output_size);
}
std::tuple<Tensor, Tensor> adaptive_max_pool3d(Operand x, IntArrayRef output_size) {
  return adaptive_max_pool("adaptive_max_pool3d", 3, x, output_size);
}
Tensor max_unpool2d(Operand x, const Tensor& indices, IntArrayRef output_size) {
  return max_unpool("max_unpool2d", 2, x, indices, output_size);
}
Tensor max_unpool3d(Operand x, const Tensor& indices, IntArrayRef output_size, IntArrayRef stride,
                    IntArrayRef padding) {
  for (const IntArrayRef& numbers : {stride, padding}) {
    if (numbers.size() != 3) {
      core::fail<ShapeError>("max_unpool3d: stride and padding must have 3 numbers: {} and {}", stride, padding);
    }
  }
  for (const std::int64_t s : stride) {
    if (s < 1) core::fail<ValueError>("max_unpool3d: the stride must be above 0: {}", stride);
  }
  return max_unpool("max_unpool3d", 3, x, indices, output_size);
}

}  // namespace gradus
