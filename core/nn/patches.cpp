#include "patches.h"

#include <algorithm>
#include <limits>

#include "../array/create.h"
#include "../base/expect.h"
#include "../base/fail.h"
#include "../threads/parallel.h"

namespace gradus::core {
namespace {

using std::int64_t;

/// The positions of one dimension at which a tap meets the extent: [begin, end); their first element is at `at`.
struct Meeting {
  int64_t begin, end, at;
};
Meeting meeting(int64_t tap, int64_t extent, int64_t positions, int64_t dilation, int64_t padding, int64_t stride) {
  const int64_t first = tap * dilation - padding;  // of position 0
  const int64_t before = first >= 0 ? 0 : (-first - 1) / stride + 1;
  const int64_t begin = std::min(before, positions);
  const int64_t end = first >= extent ? 0 : std::min(positions, (extent - 1 - first) / stride + 1);
  return {begin, std::max(begin, end), begin == 0 ? first : first + begin * stride};
}

/// Calls each(number, down, across) for every tap: where its positions meet the image.
template <class Each>
void for_taps(const PatchWindows& w, int64_t height, int64_t width, const Dims& positions, const Each& each) {
  for (int64_t i = 0; i < w.kernel[0]; ++i) {
    const Meeting down = meeting(i, height, positions[0], w.dilation[0], w.padding[0], w.stride[0]);
    for (int64_t j = 0; j < w.kernel[1]; ++j) {
      each(i * w.kernel[1] + j, down, meeting(j, width, positions[1], w.dilation[1], w.padding[1], w.stride[1]));
    }
  }
}

/// body(plane) for all of them, image by image and channel by channel; `work` is the numbers of a plane's columns.
template <class Body>
void for_planes(int64_t planes, int64_t work, const Body& body) {
  constexpr int64_t block = 32768;
  const bool serial = planes * work <= 2 * block;
  const int64_t grain =
      serial ? std::max<int64_t>(planes, 1) : std::max<int64_t>(block / std::max<int64_t>(work, 1), 1);
  parallel_for(planes, grain, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) body(p);
  });
}

template <class T>
void gather_patches(const Array& x, const Array& columns, const PatchWindows& w, const Dims& positions) {
  const int64_t H = x.size(2), W = x.size(3), row = positions[0] * positions[1], taps = w.kernel[0] * w.kernel[1];
  const T* const from = x.data_ptr<T>();
  T* const to = columns.data_ptr<T>();
  for_planes(x.size(0) * x.size(1), taps * row, [&](int64_t plane) {
    for_taps(w, H, W, positions, [&](int64_t tap, const Meeting& down, const Meeting& across) {
      T* y = to + (plane * taps + tap) * row;
      for (int64_t q = 0; q < positions[0]; ++q, y += positions[1]) {
        if (q < down.begin || q >= down.end) {
          std::fill(y, y + positions[1], T(0));
          continue;
        }
        const T* const line = from + (plane * H + down.at + (q - down.begin) * w.stride[0]) * W + across.at;
        std::fill(y, y + across.begin, T(0));
        for (int64_t r = across.begin; r < across.end; ++r) y[r] = line[(r - across.begin) * w.stride[1]];
        std::fill(y + across.end, y + positions[1], T(0));
      }
    });
  });
}

template <class T>
void scatter_patches(const Array& columns, const Array& x, const PatchWindows& w, const Dims& positions) {
  const int64_t H = x.size(2), W = x.size(3), row = positions[0] * positions[1], taps = w.kernel[0] * w.kernel[1];
  const T* const from = columns.data_ptr<T>();
  T* const to = x.data_ptr<T>();
  for_planes(x.size(0) * x.size(1), taps * row, [&](int64_t plane) {
    for_taps(w, H, W, positions, [&](int64_t tap, const Meeting& down, const Meeting& across) {
      const T* const y = from + (plane * taps + tap) * row;
      for (int64_t q = down.begin; q < down.end; ++q) {
        T* const line = to + (plane * H + down.at + (q - down.begin) * w.stride[0]) * W + across.at;
        const T* const of = y + q * positions[1];
        for (int64_t r = across.begin; r < across.end; ++r) line[(r - across.begin) * w.stride[1]] += of[r];
      }
    });
  });
}

void expect_two(const char* op, const char* name, const Dims& values, int64_t least) {
  if (values.size() != 2) fail<ShapeError>("{}: {} must have 2 numbers: {}", op, name, values);
  for (const int64_t v : values) {
    if (v < least) fail<ValueError>("{}: {} must be at least {}: {}", op, name, least, values);
  }
}

}  // namespace

Dims patch_positions(const char* op, int64_t height, int64_t width, const PatchWindows& windows) {
  expect_two(op, "kernel_size", windows.kernel, 1);
  expect_two(op, "dilation", windows.dilation, 1);
  expect_two(op, "padding", windows.padding, 0);
  expect_two(op, "stride", windows.stride, 1);
  constexpr int64_t most = std::numeric_limits<int64_t>::max() / 8;
  const int64_t extent[] = {height, width};
  Dims positions;
  for (int d = 0; d < 2; ++d) {
    int64_t reach = 0;
    if (__builtin_mul_overflow(windows.dilation[d], windows.kernel[d] - 1, &reach) || reach > most ||
        windows.padding[d] > most || extent[d] > most) {
      fail<ValueError>("{}: sizes, dilation x kernel and padding must fit into 60 bits: {}, {} x {} and {}", op,
                       extent[d], windows.dilation[d], windows.kernel[d], windows.padding[d]);
    }
    const int64_t padded = extent[d] + 2 * windows.padding[d];
    if (extent[d] < 1 || reach + 1 > padded) {
      fail<ShapeError>("{}: the window must not exceed the padded extents: {} for [{}, {}], dilation {}, padding {}",
                       op, windows.kernel, height, width, windows.dilation, windows.padding);
    }
    positions.push_back((padded - reach - 1) / windows.stride[d] + 1);
  }
  return positions;
}

Array im2col(const Array& x, const PatchWindows& windows) {
  expect_form(x.dim() == 4, "im2col", "input", "[N, C, H, W]", x.shape());
  expect_floating("im2col", "input", x);
  const Dims positions = patch_positions("im2col", x.size(2), x.size(3), windows);
  const Shape shape = {x.size(0), x.size(1) * windows.kernel[0] * windows.kernel[1], positions[0] * positions[1]};
  checked_numel(shape, "im2col");
  const Array columns = empty(shape, x.dtype()), from = x.contiguous();
  if (columns.numel() == 0) return columns;
  if (x.dtype() == kFloat32)
    gather_patches<float>(from, columns, windows, positions);
  else
    gather_patches<double>(from, columns, windows, positions);
  return columns;
}

Array col2im(const Array& columns, int64_t height, int64_t width, const PatchWindows& windows) {
  constexpr const char* op = "col2im";
  expect_form(columns.dim() == 3, op, "input", "[N, C K K', L]", columns.shape());
  expect_floating(op, "input", columns);
  const Dims positions = patch_positions(op, height, width, windows);
  const int64_t taps = windows.kernel[0] * windows.kernel[1];
  if (columns.size(1) % taps != 0 || columns.size(2) != positions[0] * positions[1]) {
    fail<ShapeError>("{}: input must be [N, C {}, {}] for an image of [{}, {}] and windows of {}: {}", op, taps,
                     positions[0] * positions[1], height, width, windows.kernel, columns.shape());
  }
  const Shape shape = {columns.size(0), columns.size(1) / taps, height, width};
  checked_numel(shape, op);
  const Array x = zeros(shape, columns.dtype()), from = columns.contiguous();
  if (x.numel() == 0) return x;
  if (x.dtype() == kFloat32)
    scatter_patches<float>(from, x, windows, positions);
  else
    scatter_patches<double>(from, x, windows, positions);
  return x;
}

}  // namespace gradus::core
