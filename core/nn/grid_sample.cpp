#include "grid_sample.h"

#include <algorithm>
#include <array>
#include <limits>
#include <type_traits>

#include "../array/create.h"
#include "../base/dispatch.h"
#include "../base/fail.h"
#include "../loops/workspace.h"
#include "../simd/grid_sample.h"
#include "../threads/parallel.h"

namespace gradus::core {
namespace {

using kernels::GridBlock;
using kernels::GridForm;
using kernels::GridKernels;
using kernels::kGridBlock;
using kernels::Workspace;

/// Multiplications of a task, about.
constexpr std::int64_t kTask = 16384;
/// Channels that share what their outputs read.
constexpr std::int64_t kChannels = 32;

struct Sizes {
  Sizes(const Shape& x, const Shape& grid) : dims(x.size() - 2), N(x[0]), C(x[1]) {
    if (grid.size() != x.size() || grid[0] != N || grid[dims + 1] != dims)
      fail<ShapeError>("grid_sample: the grid must be [N, .., {}] for an input {}: {}", dims, x, grid);
    for (int i = 0; i < dims; ++i) {
      in[static_cast<std::size_t>(3 - dims + i)] = x[i + 2];
      outputs *= grid[i + 1];
      plane *= x[i + 2];
    }
    if (plane > std::numeric_limits<std::int32_t>::max())
      fail<ShapeError>("grid_sample: a plane of the input must have fewer than 2^31 elements: {}", x);
  }
  int dims;
  std::int64_t N, C, outputs = 1, plane = 1;
  std::array<std::int64_t, 3> in{1, 1, 1};
};

GridForm form_of(const Sizes& s, const GridSampling& how) {
  using Outside = GridSampling::Outside;
  const int along = how.mode == GridSampling::Mode::Bilinear ? 2 : how.mode == GridSampling::Mode::Nearest ? 1 : 4;
  return {s.dims,
          {s.in[0], s.in[1], s.in[2]},
          along,
          how.outside == Outside::Zeros,
          how.outside == Outside::Reflection,
          how.align_corners};
}

/// A task's block of outputs at a time.
template <class T>
class Plan {
 public:
  using Index = typename GridBlock<T>::Index;
  Plan(const T* grid, const Sizes& s, const GridForm& form, bool slopes)
      : grid_(grid),
        sizes_(s),
        form_(form),
        index_(form.taps() * kGridBlock),
        numbers_(form.taps() * kGridBlock * (slopes ? 1 + form.dims : 1)),
        block_{index_.data(), numbers_.data(), slopes ? numbers_.data() + form.taps() * kGridBlock : nullptr} {}
  /// The outputs [first, first + the result) of example n.
  std::int64_t at(std::int64_t n, std::int64_t first) {
    const std::int64_t count = std::min(kGridBlock, sizes_.outputs - first);
    kernels_.plan(form_, grid_ + (n * sizes_.outputs + first) * form_.dims, count, block_);
    return count;
  }
  void sample(const T* plane, std::int64_t count, T* to) const { kernels_.sample(form_, block_, plane, count, to); }
  void slopes(const T* plane, const T* dy, std::int64_t count, T* sums) const {
    kernels_.slopes(form_, block_, plane, dy, count, sums);
  }
  void spread(const T* dy, std::int64_t count, T* plane) const {
    for (std::int64_t p = 0; p < count; ++p) {
      for (std::int64_t at = p; at < form_.taps() * kGridBlock; at += kGridBlock) {
        const T w = block_.weight[at];
        if (w < 0 || w > 0) plane[block_.index[at]] += w * dy[p];  // no element is at NaN's place
      }
    }
  }

 private:
  const GridKernels<T>& kernels_ = kernels::grid_kernels(T());
  const T* grid_;
  const Sizes& sizes_;
  const GridForm& form_;
  Workspace<Index> index_;
  Workspace<T> numbers_;
  GridBlock<T> block_;
};

std::int64_t parts(std::int64_t n, std::int64_t of) { return (n + of - 1) / of; }

template <class Body>
void as_float(DType dtype, const Body& body) {
  dispatch(computed(dtype), [&]<class T>(TypeTag<T> tag) {
    if constexpr (std::is_floating_point_v<T>)
      body(tag);
    else
      fail_stored(dtype);
  });
}
template <class T>
const T* numbers(const Array& a) {
  return static_cast<const T*>(a.data());
}

}  // namespace

Array grid_sample(const Array& input, const Array& where, const GridSampling& how) {
  const Sizes s(input.shape(), where.shape());
  const GridForm form = form_of(s, how);
  Shape shape = input.shape();
  for (int i = 0; i < s.dims; ++i) shape[i + 2] = where.shape()[i + 1];
  const Array x = input.contiguous(), grid = where.contiguous();
  Array y = empty(shape, x.dtype());
  if (y.numel() == 0) return y;
  as_float(x.dtype(), [&]<class T>(TypeTag<T>) {
    T* const out = static_cast<T*>(y.data());
    const std::int64_t blocks = parts(s.outputs, kGridBlock), groups = parts(s.C, kChannels);
    const std::int64_t work = kGridBlock * form.taps() * std::min(s.C, kChannels);
    parallel_for(s.N * groups * blocks, parts(kTask, work), [&](std::int64_t begin, std::int64_t end) {
      Plan<T> plan(numbers<T>(grid), s, form, false);
      for (std::int64_t task = begin; task < end; ++task) {
        const std::int64_t n = task / (groups * blocks), group = task / blocks % groups;
        const std::int64_t first = task % blocks * kGridBlock, count = plan.at(n, first);
        for (std::int64_t c = group * kChannels; c < std::min(s.C, (group + 1) * kChannels); ++c) {
          plan.sample(numbers<T>(x) + (n * s.C + c) * s.plane, count, out + (n * s.C + c) * s.outputs + first);
        }
      }
    });
  });
  return y;
}

Array grid_sample_backward_input(const Array& of_y, const Array& where, const Shape& x_shape, const GridSampling& how) {
  const Sizes s(x_shape, where.shape());
  const GridForm form = form_of(s, how);
  const Array dy = of_y.contiguous(), grid = where.contiguous();
  Array dx = zeros(x_shape, dy.dtype());
  if (dx.numel() == 0 || dy.numel() == 0) return dx;
  as_float(dy.dtype(), [&]<class T>(TypeTag<T>) {
    T* const out = static_cast<T*>(dx.data());
    // A plane is one thread's: several outputs may read one element.
    const std::int64_t groups = parts(s.C, kChannels);
    parallel_for(s.N * groups, parts(kTask, s.outputs * form.taps() * std::min(s.C, kChannels)),
                 [&](std::int64_t begin, std::int64_t end) {
                   Plan<T> plan(numbers<T>(grid), s, form, false);
                   for (std::int64_t task = begin; task < end; ++task) {
                     const std::int64_t n = task / groups, group = task % groups;
                     for (std::int64_t first = 0; first < s.outputs; first += kGridBlock) {
                       const std::int64_t count = plan.at(n, first);
                       for (std::int64_t c = group * kChannels; c < std::min(s.C, (group + 1) * kChannels); ++c) {
                         plan.spread(numbers<T>(dy) + (n * s.C + c) * s.outputs + first, count,
                                     out + (n * s.C + c) * s.plane);
                       }
                     }
                   }
                 });
  });
  return dx;
}

Array grid_sample_backward_grid(const Array& of_y, const Array& input, const Array& where, const GridSampling& how) {
  const Sizes s(input.shape(), where.shape());
  const GridForm form = form_of(s, how);
  const Array dy = of_y.contiguous(), x = input.contiguous(), grid = where.contiguous();
  Array result = zeros(where.shape(), dy.dtype());
  if (result.numel() == 0 || dy.numel() == 0) return result;
  as_float(dy.dtype(), [&]<class T>(TypeTag<T>) {
    T* const out = static_cast<T*>(result.data());
    const std::int64_t blocks = parts(s.outputs, kGridBlock), work = kGridBlock * form.taps() * form.dims * s.C;
    parallel_for(s.N * blocks, parts(kTask, work), [&](std::int64_t begin, std::int64_t end) {
      Plan<T> plan(numbers<T>(grid), s, form, true);
      for (std::int64_t task = begin; task < end; ++task) {
        const std::int64_t n = task / blocks, first = task % blocks * kGridBlock, count = plan.at(n, first);
        T sums[3 * kGridBlock] = {};
        for (std::int64_t c = n * s.C; c < (n + 1) * s.C; ++c)
          plan.slopes(numbers<T>(x) + c * s.plane, numbers<T>(dy) + c * s.outputs + first, count, sums);
        T* const to = out + (n * s.outputs + first) * s.dims;
        for (std::int64_t p = 0; p < count; ++p)
          for (int d = 0; d < s.dims; ++d) to[p * s.dims + d] = sums[d * kGridBlock + p];
      }
    });
  });
  return result;
}

}  // namespace gradus::core
