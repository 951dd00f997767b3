// A slab: the part of a source that some positions of a convolution read, copied together with the zeros around it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "../base/shape.h"
#include "../simd/conv.h"
#include "workspace.h"

namespace gradus::core::kernels {

/// The positions of tiles, cut into pieces of at most so many that follow each other: within rows or planes of the grid
/// where these are so long that no room for vectors is wasted, since a slab of several has each of its lines for fewer
/// positions. A piece begins and ends anywhere in a row, as tiles count positions through all rows; the direct loops, whose
/// vectors lie below each other as well, go by blocks of rows and columns (conv_direct.cpp).
class Pieces {
 public:
  /// `many`: positions of a long row or plane; pieces begin a multiple of `multiple` after the beginning of one.
  Pieces(const ConvGrid& grid, int64_t most, int64_t multiple, int64_t many) : whole_(grid.positions[2]) {
    sliding_ = 2;
    if (whole_ < many && grid.positions[1] > 1) sliding_ = 1, whole_ *= grid.positions[1];
    if (whole_ < many && grid.positions[0] > 1) sliding_ = 0, whole_ *= grid.positions[0];
    // What remains are dimensions of one position, unless the row or plane is long enough.
    per_whole_ = ceil_div(whole_, most);
    step_ = ceil_div(ceil_div(whole_, per_whole_), multiple) * multiple;
    per_whole_ = ceil_div(whole_, step_);
    count_ = grid.all_positions() / whole_ * per_whole_;
  }
  int64_t count() const { return count_; }
  int64_t largest() const { return std::min(step_, whole_); }
  int sliding() const { return sliding_; }  ///< the first dimension in which positions of a piece differ, if any
  int64_t begin(int64_t i) const { return i / per_whole_ * whole_ + i % per_whole_ * step_; }
  int64_t end(int64_t i) const { return std::min(begin(i) + step_, (i / per_whole_ + 1) * whole_); }

 private:
  int64_t whole_;  // positions of what is cut: a row, a plane, or all
  int64_t per_whole_, step_, count_;
  int sliding_;
};

/// The geometry of the slab for positions [begin, end). The element that position q and tap t meet lies at position offset
/// + tap offset.
///
/// Along a dimension that slides, the slab holds each element once, and taps move along it; of any other, it holds what the
/// positions meet once for each tap. So where one dimension slides, the first in which positions differ, all positions lie
/// in one line, one after the other, whatever the tap; and the slab is a matrix with such a line for each channel and each
/// combination of the other taps. Where positions are a step apart, a dimension that slides is sorted by the remainder: with
/// a step of 2, elements 0 1 2 3 4 5 lie as 0 2 4 1 3 5, so that neighbouring positions find neighbours.
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
    // Where dilation and padding are far larger than the source, so is the slab: of floats at least. Its memory asks again.
    check_request(checked_numel({size[0], size[1], size[2], static_cast<int64_t>(sizeof(float))}, "conv"));
    for (int64_t d = conv_dims - 1, pitch = 1; d >= 0; pitch *= size[d--]) pitch_[d] = pitch;
    line_ = size[0] * pitch_[0];
    // An odd number of the cache's lines: ours do not push each other out of it.
    if (sliding != everywhere) line_ = (ceil_div(line_, 16) | 1) * 16;
    copies_ = 1;
    first_ = 0;
    for (int d = conv_dims - 1; d >= 0; --d) {
      tap_pitch_[d] = line_ * copies_;
      if (!slides_[d]) copies_ *= grid.taps[d];
      first_ += (from[d] - low[d]) * pitch_[d];
      set_spans(d, low[d] * grid.step[d]);
    }
  }

  int64_t line() const { return line_; }               ///< elements of a line
  int64_t lines() const { return copies_; }            ///< of a channel
  int64_t channel() const { return copies_ * line_; }  ///< elements of a channel
  /// Elements of so many channels. MemoryError where that is beyond all memory.
  int64_t elements(int64_t channels) const { return checked_numel({channels, copies_, line_}, "conv"); }
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
  std::vector<PositionRun> runs(int64_t begin, int64_t end) const {
    std::vector<PositionRun> all;
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
      for (const Span& s0 : spans_[0]) {
        for (const Span& s1 : spans_[1]) {
          for (const Span& s2 : spans_[2]) {
            const T* from = x + s0.source * strides[0] + s1.source * strides[1] + s2.source * strides[2];
            T* to = slab + s0.offset + s1.offset + s2.offset;
            for (int64_t i = 0; i < s0.count; ++i, from += grid_.step[0] * strides[0], to += pitch_[0]) {
              if (step == 1) {
                kernels.copy(s1.count, s2.count, from, x_row, to, pitch_[1]);
              } else if (step == 2) {
                kernels.every_second(s1.count, s2.count, from, x_row, to, pitch_[1]);
              } else {
                for (int64_t r = 0; r < s1.count; ++r) {
                  for (int64_t j = 0; j < s2.count; ++j) to[r * pitch_[1] + j] = from[r * x_row + j * step];
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
  struct Span {
    int64_t source, count, offset;
  };
  void set_spans(int d, int64_t start) {
    const int64_t step = grid_.step[d], extent = grid_.extent[d];
    for (int64_t i = 0; i < (slides_[d] ? step : grid_.taps[d]); ++i) {
      const int64_t x = start + (slides_[d] ? nearest_[d] + i : grid_.first[d] + i * grid_.spacing[d]);
      const int64_t begin = x < 0 ? ceil_div(-x, step) : 0, end = x < extent ? ceil_div(extent - x, step) : 0;
      const int64_t offset = slides_[d] ? i * length_[d] * pitch_[d] : i * tap_pitch_[d];
      const int64_t count = std::min(end, length_[d]) - begin;
      if (count > 0) spans_[d].push_back({x + begin * step, count, offset + begin * pitch_[d]});
    }
  }

  const ConvGrid& grid_;
  bool slides_[conv_dims];
  int64_t nearest_[conv_dims];                    // the least coordinate that the first position meets
  int64_t length_[conv_dims], pitch_[conv_dims];  // of a span with all elements; from one of them to the next
  int64_t tap_pitch_[conv_dims], copies_;
  int64_t line_, first_;
  std::vector<Span> spans_[conv_dims];
};

/// Memory for slabs, 0 at first, and behind them for as many elements as vectors read beyond their ends.
template <class T>
class SlabMemory {
 public:
  SlabMemory(int64_t elements, int64_t beyond) : memory_(elements + beyond) {
    std::fill_n(memory_.data(), elements + beyond, T(0));
  }
  T* data() const { return memory_.data(); }

 private:
  Workspace<T> memory_;
};

}  // namespace gradus::core::kernels
