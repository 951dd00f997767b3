// A slab: the part of a source that some positions of a convolution read, copied together with the zeros around it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <vector>

#include "../base/shape.h"
#include "../simd/conv.h"
#include "gemm_tiles.h"

namespace gradus::core::kernels {

/// The geometry of the slab for positions [begin, end), counted along the rows of the grid. The element that position q
/// and tap t meet lies at position offset + tap offset. Where the innermost dimension has a step, the slab holds its
/// elements sorted by their remainder, so that neighbouring positions are neighbours here, too.
class ConvSlab {
 public:
  ConvSlab(const ConvGrid& grid, int64_t begin, int64_t end) : grid_(grid), begin_(begin), end_(end) {
    const int64_t plane = grid.positions[1] * grid.positions[2], row = grid.positions[2];
    const int64_t last = end - 1;
    const int64_t from[conv_dims] = {begin / plane, begin % plane / row, begin % row};
    const int64_t to[conv_dims] = {last / plane, last % plane / row, last % row};
    bool single = true;  // whether all positions have the same index in the dimensions before this one
    for (int d = 0; d < conv_dims; ++d) {
      low_[d] = single ? from[d] : 0;
      const int64_t high = single ? to[d] : grid.positions[d] - 1;
      const int64_t reach = (grid.taps[d] - 1) * grid.spacing[d];
      nearest_[d] = std::min<int64_t>(grid.first[d], grid.first[d] + reach);
      size_[d] = (high - low_[d]) * grid.step[d] + std::abs(reach) + 1;
      single = single && from[d] == to[d];
    }
    phase_ = ceil_div(size_[2], grid.step[2]);
    row_ = phase_ * grid.step[2];
    plane_ = size_[1] * row_;
    // Where dilation and padding are far larger than the source, so is the slab.
    check_request(checked_numel({size_[0], size_[1], row_, static_cast<int64_t>(sizeof(double))}, "conv"));
    channel_ = size_[0] * plane_;
    for (int d = 0; d < conv_dims; ++d) {
      inside_[d] = std::clamp<int64_t>(-start(d), 0, size_[d]);
      outside_[d] = std::clamp<int64_t>(grid_.extent[d] - start(d), inside_[d], size_[d]);
    }
  }

  int64_t channel() const { return channel_; }              ///< elements of a channel
  int64_t row() const { return grid_.step[1] * row_; }      ///< from one row of positions to the next
  int64_t plane() const { return grid_.step[0] * plane_; }  ///< from one plane of positions to the next

  int64_t tap_offset(int64_t t0, int64_t t1, int64_t t2) const {
    const int64_t t[conv_dims] = {t0, t1, t2};
    int64_t z[conv_dims];
    for (int d = 0; d < conv_dims; ++d) z[d] = grid_.first[d] + t[d] * grid_.spacing[d] - nearest_[d];
    return z[0] * plane_ + z[1] * row_ + z[2] % grid_.step[2] * phase_ + z[2] / grid_.step[2];
  }
  /// Of all taps, in their order.
  void tap_offsets(int64_t* out) const {
    for (int64_t t0 = 0; t0 < grid_.taps[0]; ++t0) {
      for (int64_t t1 = 0; t1 < grid_.taps[1]; ++t1) {
        for (int64_t t2 = 0; t2 < grid_.taps[2]; ++t2) *out++ = tap_offset(t0, t1, t2);
      }
    }
  }
  /// The slab's positions as runs of neighbours, in their order.
  void runs(std::vector<WindowRun>& out) const {
    out.clear();
    const int64_t width = grid_.positions[2];
    for (int64_t q = begin_; q < end_;) {
      const int64_t q2 = q % width, count = std::min(width - q2, end_ - q);
      const int64_t q1 = q / width % grid_.positions[1], q0 = q / width / grid_.positions[1];
      const int64_t offset = (q0 - low_[0]) * plane() + (q1 - low_[1]) * row() + q2 - low_[2];
      if (!out.empty() && out.back().offset + out.back().count == offset) {
        out.back().count += count;
      } else {
        out.push_back({offset, count});
      }
      q += count;
    }
  }

  /// Copies `count` channels, the first of which begins at x, with these strides, into a slab that is 0 where nothing
  /// is copied: it was so at first, and what another copy of the same geometry left is overwritten.
  template <class T>
  void copy(const ConvKernels<T>& kernels, const T* x, int64_t x_channel, const int64_t* strides, int64_t count,
            T* slab) const {
    const int64_t *const from = inside_, *const to = outside_;
    if (from[1] == to[1] || from[2] == to[2]) return;
    const int64_t step = grid_.step[2], stride = strides[2];
    for (int64_t c = 0; c < count; ++c) {
      for (int64_t z0 = from[0]; z0 < to[0]; ++z0) {
        const T* in = x + c * x_channel + (start(0) + z0) * strides[0] + (start(1) + from[1]) * strides[1] +
                      (start(2) + from[2]) * stride;
        T* out = slab + c * channel_ + z0 * plane_ + from[1] * row_;
        if (step == 1 && stride == 1) {
          kernels.copy(to[1] - from[1], to[2] - from[2], in, strides[1], out + from[2], row_);
          continue;
        }
        for (int64_t remainder = 0; remainder < step; ++remainder) {
          const int64_t first = from[2] + ((remainder - from[2]) % step + step) % step;
          if (first >= to[2]) continue;
          const int64_t n = ceil_div(to[2] - first, step), rows = to[1] - from[1];
          const T* x_row = in + (first - from[2]) * stride;
          T* row = out + remainder * phase_ + first / step;
          if (step * stride == 2) {
            kernels.every_second(rows, n, x_row, strides[1], row, row_);
            continue;
          }
          for (int64_t r = 0; r < rows; ++r, x_row += strides[1], row += row_) {
            for (int64_t i = 0; i < n; ++i) row[i] = x_row[i * step * stride];
          }
        }
      }
    }
  }

 private:
  /// The coordinate in the source of the slab's first element.
  int64_t start(int d) const { return low_[d] * grid_.step[d] + nearest_[d]; }

  const ConvGrid& grid_;
  int64_t begin_, end_;
  int64_t low_[conv_dims], nearest_[conv_dims], size_[conv_dims];
  int64_t inside_[conv_dims], outside_[conv_dims];  // the part of the slab that lies inside the source, and its end
  int64_t phase_, row_, plane_, channel_;
};

/// Memory for slabs, 0 at first, with what vectors read beyond their ends.
template <class T>
class SlabMemory {
 public:
  SlabMemory(int64_t elements, int64_t lanes) : memory_(elements + 2 * lanes), lanes_(lanes) {
    std::fill_n(memory_.data(), elements + 2 * lanes, T(0));
  }
  T* data() const { return memory_.data() + lanes_; }

 private:
  Workspace<T> memory_;
  int64_t lanes_;
};

/// Whether the positions of the result lie as one row.
template <class T>
bool dense_result(const Correlation<T>& p) {
  const int64_t width = p.grid.positions[2], plane = p.grid.positions[1] * width;
  return (width == 1 || p.result_stride[2] == 1) && (p.grid.positions[1] == 1 || p.result_stride[1] == width) &&
         (p.grid.positions[0] == 1 || p.result_stride[0] == plane);
}

/// Puts positions [begin, end) of a channel, which lie in a row, where they belong.
template <class T>
void scatter_result(const ConvKernels<T>& kernels, const Correlation<T>& p, int64_t begin, int64_t end, const T* row,
                    T* channel) {
  const int64_t width = p.grid.positions[2];
  for (int64_t q = begin; q < end;) {
    const int64_t q2 = q % width, count = std::min(width - q2, end - q);
    const int64_t q1 = q / width % p.grid.positions[1], q0 = q / width / p.grid.positions[1];
    T* to = channel + q0 * p.result_stride[0] + q1 * p.result_stride[1] + q2 * p.result_stride[2];
    if (p.result_stride[2] == 2) {
      kernels.spread(count, row + (q - begin), to);
    } else {
      for (int64_t i = 0; i < count; ++i) to[i * p.result_stride[2]] = row[q - begin + i];
    }
    q += count;
  }
}

/// Whether the direct loops are better than tiles. A group's few output channels would not pay for the packing of patches;
/// the loops read them from the slab, where the vectors of a row of positions must be mostly full.
constexpr int64_t kDirectOuts = 8;
template <class T>
bool can_be_direct(const Correlation<T>& p) {  // their tables number the taps by 32 bits
  return p.channels * p.grid.all_taps() <= std::numeric_limits<std::int32_t>::max();
}
template <class T>
bool is_direct(const Correlation<T>& p) {
  if (!can_be_direct(p)) return false;
  const int64_t lanes = gemm_kernels(T()).lanes, width = p.grid.positions[2];
  return p.rows * p.channels <= 4 || (p.rows <= kDirectOuts && 4 * width >= 3 * ceil_div(width, lanes) * lanes);
}
template <class T>
bool is_direct_weight(const Correlation<T>& p) {
  return p.rows * p.channels <= 4 && can_be_direct(p);
}
template <class T>
void correlate_direct(const Correlation<T>& p);
template <class T>
void correlate_weight_direct(const Correlation<T>& p, T* dweight);

extern template void correlate_direct(const Correlation<float>&);
extern template void correlate_direct(const Correlation<double>&);
extern template void correlate_weight_direct(const Correlation<float>&, float*);
extern template void correlate_weight_direct(const Correlation<double>&, double*);

}  // namespace gradus::core::kernels
