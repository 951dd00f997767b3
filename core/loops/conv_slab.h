// A slab: the part of a source that some positions of a convolution read, copied together with the zeros around it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <vector>

#include "../base/shape.h"
#include "../simd/conv.h"
#include "../simd/gemm.h"
#include "workspace.h"

namespace gradus::core::kernels {

/// Positions cut into pieces of at most so many: within rows or planes of the grid where these are so long that no room
/// for vectors is wasted, since a slab of several has each of its rows for fewer positions.
class Pieces {
 public:
  /// `many`: positions of a long row or plane; pieces begin a multiple of `multiple` after the beginning of one.
  Pieces(const ConvGrid& grid, int64_t most, int64_t multiple, int64_t many) : line_(grid.positions[2]) {
    sliding_ = 2;
    if (line_ < many && grid.positions[1] > 1) sliding_ = 1, line_ *= grid.positions[1];
    if (line_ < many && grid.positions[0] > 1) sliding_ = 0, line_ *= grid.positions[0];
    // What remains are dimensions of one position, unless the line is long enough.
    per_line_ = ceil_div(line_, most);
    step_ = ceil_div(ceil_div(line_, per_line_), multiple) * multiple;
    per_line_ = ceil_div(line_, step_);
    count_ = grid.all_positions() / line_ * per_line_;
  }
  int64_t count() const { return count_; }
  int64_t largest() const { return std::min(step_, line_); }
  int sliding() const { return sliding_; }  ///< the first dimension in which positions of a piece differ, if any
  int64_t begin(int64_t i) const { return i / per_line_ * line_ + i % per_line_ * step_; }
  int64_t end(int64_t i) const { return std::min(begin(i) + step_, (i / per_line_ + 1) * line_); }

 private:
  int64_t line_, per_line_, step_, count_;
  int sliding_;
};

/// The geometry of the slab for positions [begin, end). The element that position q and tap t meet lies at position offset
/// + tap offset.
///
/// Along a dimension that slides, the slab holds each element once, and taps move along it; of any other, it holds what the
/// positions meet once for each tap. So where one dimension slides, the first in which positions differ, all positions lie
/// in one row, one after the other, whatever the tap; and the slab is a matrix with such a row for each channel and each
/// combination of the other taps. Where positions are a step apart, a dimension that slides is sorted by the remainder.
class ConvSlab {
 public:
  static constexpr int everywhere = -1;  ///< for `sliding`, which is else a dimension

  ConvSlab(const ConvGrid& grid, int64_t begin, int64_t end, int sliding) : grid_(grid) {
    const int64_t width = grid.positions[2], plane = grid.positions[1] * width, last = end - 1;
    const int64_t from[conv_dims] = {begin / plane, begin % plane / width, begin % width};
    const int64_t to[conv_dims] = {last / plane, last % plane / width, last % width};
    int64_t low[conv_dims], size[conv_dims];
    bool single = true;  // whether all positions have the same index in the dimensions before this one
    for (int d = 0; d < conv_dims; ++d) {
      slides_[d] = sliding == everywhere || sliding == d;
      low[d] = single ? from[d] : 0;
      const int64_t count = (single ? to[d] : grid.positions[d] - 1) - low[d] + 1;
      single = single && from[d] == to[d];
      const int64_t reach = (grid.taps[d] - 1) * grid.spacing[d];
      nearest_[d] = std::min<int64_t>(grid.first[d], grid.first[d] + reach);
      length_[d] = slides_[d] ? count + ceil_div(std::abs(reach) + 1, grid.step[d]) - 1 : count;
      size[d] = slides_[d] ? length_[d] * grid.step[d] : count;
    }
    // Where dilation and padding are far larger than the source, so is the slab.
    check_request(checked_numel({size[0], size[1], size[2], static_cast<int64_t>(sizeof(double))}, "conv"));
    for (int64_t d = conv_dims - 1, pitch = 1; d >= 0; pitch *= size[d--]) pitch_[d] = pitch;
    row_ = size[0] * pitch_[0];
    // An odd number of lines of the cache: rows do not push each other out of it.
    if (sliding != everywhere) row_ = (ceil_div(row_, 16) | 1) * 16;
    copies_ = 1;
    first_ = 0;
    for (int d = conv_dims - 1; d >= 0; --d) {
      tap_pitch_[d] = row_ * copies_;
      if (!slides_[d]) copies_ *= grid.taps[d];
      first_ += (from[d] - low[d]) * pitch_[d];
      set_lines(d, low[d] * grid.step[d]);
    }
  }

  int64_t row() const { return row_; }                ///< elements of a row of the matrix
  int64_t rows() const { return copies_; }            ///< of a channel
  int64_t channel() const { return copies_ * row_; }  ///< elements of a channel
  /// Elements of so many channels. MemoryError where that is beyond all memory.
  int64_t elements(int64_t channels) const { return checked_numel({channels, copies_, row_}, "conv"); }
  int64_t first() const { return first_; }                   ///< the offset of the first position
  int64_t position_pitch(int d) const { return pitch_[d]; }  ///< from one position to the next in that dimension

  int64_t tap_offset(int64_t t0, int64_t t1, int64_t t2) const {
    const int64_t t[conv_dims] = {t0, t1, t2};
    int64_t offset = 0;
    for (int d = 0; d < conv_dims; ++d) {
      const int64_t z = grid_.first[d] + t[d] * grid_.spacing[d] - nearest_[d], step = grid_.step[d];
      offset += slides_[d] ? (z % step * length_[d] + z / step) * pitch_[d] : t[d] * tap_pitch_[d];
    }
    return offset;
  }
  /// Of all taps, in their order.
  std::vector<int64_t> tap_offsets() const {
    std::vector<int64_t> all;
    for (int64_t t0 = 0; t0 < grid_.taps[0]; ++t0) {
      for (int64_t t1 = 0; t1 < grid_.taps[1]; ++t1) {
        for (int64_t t2 = 0; t2 < grid_.taps[2]; ++t2) all.push_back(tap_offset(t0, t1, t2));
      }
    }
    return all;
  }

  /// Positions [begin, end), those of the slab, as runs of neighbours, in their order.
  std::vector<WindowRun> runs(int64_t begin, int64_t end) const {
    std::vector<WindowRun> all;
    const int64_t width = grid_.positions[2], plane = grid_.positions[1] * width;
    for (int64_t q = begin, offset = first_; q < end;) {
      const int64_t count = std::min(width - q % width, end - q), next = q + count;
      if (!all.empty() && all.back().offset + all.back().count == offset) {
        all.back().count += count;
      } else {
        all.push_back({offset, count});
      }
      // The next run begins a row, or a plane.
      offset += pitch_[1] - q % width;
      if (next % plane == 0) offset += pitch_[0] - grid_.positions[1] * pitch_[1];
      q = next;
    }
    return all;
  }

  /// Copies `count` channels, the first of which begins at x, with these strides, into a slab that is 0 where nothing
  /// is copied: it was so at first, and what another copy of the same geometry left is overwritten.
  template <class T>
  void copy(const ConvKernels<T>& kernels, const T* x, int64_t x_channel, const int64_t* strides, int64_t count,
            T* slab) const {
    const int64_t step = grid_.step[2] * strides[2], x_row = grid_.step[1] * strides[1];
    for (int64_t c = 0; c < count; ++c, x += x_channel, slab += channel()) {
      for (const Line& l0 : lines_[0]) {
        for (const Line& l1 : lines_[1]) {
          for (const Line& l2 : lines_[2]) {
            const T* from = x + l0.source * strides[0] + l1.source * strides[1] + l2.source * strides[2];
            T* to = slab + l0.offset + l1.offset + l2.offset;
            for (int64_t i = 0; i < l0.count; ++i, from += grid_.step[0] * strides[0], to += pitch_[0]) {
              if (step == 1) {
                kernels.copy(l1.count, l2.count, from, x_row, to, pitch_[1]);
              } else if (step == 2) {
                kernels.every_second(l1.count, l2.count, from, x_row, to, pitch_[1]);
              } else {
                for (int64_t r = 0; r < l1.count; ++r) {
                  for (int64_t j = 0; j < l2.count; ++j) to[r * pitch_[1] + j] = from[r * x_row + j * step];
                }
              }
            }
          }
        }
      }
    }
  }

 private:
  /// Elements a step apart in the source that are neighbours here: of a tap, or of a remainder where the dimension slides.
  /// Only those that lie inside the source.
  struct Line {
    int64_t source, count, offset;
  };
  void set_lines(int d, int64_t start) {
    const int64_t step = grid_.step[d], extent = grid_.extent[d];
    for (int64_t i = 0; i < (slides_[d] ? step : grid_.taps[d]); ++i) {
      const int64_t x = start + (slides_[d] ? nearest_[d] + i : grid_.first[d] + i * grid_.spacing[d]);
      const int64_t begin = x < 0 ? ceil_div(-x, step) : 0, end = x < extent ? ceil_div(extent - x, step) : 0;
      const int64_t offset = slides_[d] ? i * length_[d] * pitch_[d] : i * tap_pitch_[d];
      const int64_t count = std::min(end, length_[d]) - begin;
      if (count > 0) lines_[d].push_back({x + begin * step, count, offset + begin * pitch_[d]});
    }
  }

  const ConvGrid& grid_;
  bool slides_[conv_dims];
  int64_t nearest_[conv_dims];                    // the least coordinate that the first position meets
  int64_t length_[conv_dims], pitch_[conv_dims];  // of a line; from one of its elements to the next
  int64_t tap_pitch_[conv_dims], copies_;
  int64_t row_, first_;
  std::vector<Line> lines_[conv_dims];
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

template <class T>
double work_of(const Correlation<T>& p) {  // multiplications
  return static_cast<double>(p.images * p.groups) * static_cast<double>(p.rows * p.channels) *
         static_cast<double>(p.grid.all_positions() * p.grid.all_taps());
}

/// Whether the positions of the result lie as one row.
template <class T>
bool dense_result(const Correlation<T>& p) {
  const int64_t width = p.grid.positions[2], plane = p.grid.positions[1] * width;
  return (width == 1 || p.result_stride[2] == 1) && (p.grid.positions[1] == 1 || p.result_stride[1] == width) &&
         (p.grid.positions[0] == 1 || p.result_stride[0] == plane);
}

/// Puts positions [begin, end) of a channel, which lie in a row, where they belong; `strides` are those of the dimensions.
template <class T>
void scatter_result(const ConvKernels<T>& kernels, const ConvGrid& grid, const int64_t* strides, int64_t begin,
                    int64_t end, const T* row, T* channel) {
  const int64_t width = grid.positions[2];
  for (int64_t q = begin; q < end;) {
    const int64_t q2 = q % width, count = std::min(width - q2, end - q);
    const int64_t q1 = q / width % grid.positions[1], q0 = q / width / grid.positions[1];
    T* to = channel + q0 * strides[0] + q1 * strides[1] + q2 * strides[2];
    if (strides[2] == 2) {
      kernels.spread(count, row + (q - begin), to);
    } else {
      for (int64_t i = 0; i < count; ++i) to[i * strides[2]] = row[q - begin + i];
    }
    q += count;
  }
}

/// Whether the direct loops are better than tiles. A group's few output channels would not pay for the packing of patches;
/// the loops read them from the slab, where the vectors of a row of positions must be mostly full; all of its channels pass by
/// for each few outputs, and should stay in the second cache.
constexpr int64_t kDirectOuts = 8, kDirectChannels = 256;
template <class T>
bool can_be_direct(const Correlation<T>& p) {  // their tables number the taps by 32 bits
  return p.channels * p.grid.all_taps() <= std::numeric_limits<std::int32_t>::max();
}
template <class T>
bool is_direct(const Correlation<T>& p) {
  if (!can_be_direct(p)) return false;
  const int64_t lanes = gemm_kernels(T()).lanes, width = p.grid.positions[2];
  if (p.rows * p.channels <= 4) return true;
  return p.rows <= (p.channels <= kDirectChannels ? kDirectOuts : 1) && 4 * width >= 3 * ceil_div(width, lanes) * lanes;
}
/// Of the weight's gradient, whose sums begin anew in every row: with rows so long also for more outputs and channels.
constexpr int64_t kLongRow = 24;
template <class T>
bool is_direct_weight(const Correlation<T>& p) {
  return p.rows * p.channels <= (p.grid.positions[2] >= kLongRow ? 32 : 4) && can_be_direct(p);
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
