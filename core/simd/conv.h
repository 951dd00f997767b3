// Convolutions on bare pointers, for float and double. conv.cpp holds what is written once per instruction set,
// conv_driver.cpp and conv_weight.cpp the loops of the implicit products, conv_direct.cpp those for groups of few output
// channels, called outputs.
//
// One mechanism, the correlation, is the convolution and its gradient with respect to the input; its partner is the
// gradient with respect to the weight. Both are products with the matrix of patches, which is never built: its elements are
// read from a slab, a small copy of a part of the source with the zeros of the padding around it. In a slab the element that
// a channel and a tap meet at a position lies at their offset + the position's, so any stride, dilation and number of
// dimensions is two tables of offsets (conv_slab.h).
#pragma once

#include <cstdint>

namespace gradus::core::kernels {

constexpr int conv_dims = 3;  ///< fewer are positions of extent 1

/// Which element of the source meets which weight. In each dimension d position q and tap t meet at the coordinate
/// q step[d] + first[d] + t spacing[d]; where that is outside [0, extent[d]), the source is 0.
struct ConvGrid {
  std::int64_t positions[conv_dims], step[conv_dims];
  std::int64_t taps[conv_dims], first[conv_dims], spacing[conv_dims];  // spacing may be negative
  std::int64_t extent[conv_dims];

  std::int64_t all_positions() const { return positions[0] * positions[1] * positions[2]; }
  std::int64_t all_taps() const { return taps[0] * taps[1] * taps[2]; }
};

/// result[n][g outs + i][q] = bias[g outs + i] + sum over c < channels and taps t of
///   weight[g][i][c][t] source[n][g channels + c][where q and t meet].
/// All strides are in elements. The sum runs over (c, t) in their order, in blocks whose sums are added in their order:
/// in the direct loops they are as long as those of a product (gemm.h), and the bias begins the sum; in tiles they are
/// shorter where the slab is large, and the bias comes last. One exception: a group of one output whose taps lie as far
/// apart as the rows of its positions, at least most_place_vectors of which are computed together. There, the direct loops
/// take up to most_run_taps taps below each other as a run; runs stand in the order of their first taps, the taps of a run
/// in that of the source's rows, and a block has at most 1 / most_run_taps as many runs as others have taps. The order
/// depends on the geometry, the sizes of an image and the instruction set, but neither on the number of images nor on that
/// of threads.
template <class T>
struct Correlation {
  ConvGrid grid;
  std::int64_t images, groups, outs, channels;  ///< outputs and channels of the source are those of a group
  const T* source;
  std::int64_t source_image, source_channel, source_stride[conv_dims];  // any
  const T* weight;                                                      ///< contiguous [groups, outs, channels, taps]
  const T* bias;                                                        ///< contiguous [groups outs], or null
  T* result;
  std::int64_t result_image, result_channel, result_stride[conv_dims];
};

/// MemoryError when a workspace cannot be had; the result then holds anything.
void correlate(const Correlation<float>& problem);
void correlate(const Correlation<double>& problem);

/// The gradient with respect to the weight, contiguous [groups, outs, channels, taps]: with `result` as the gradient
/// that comes from above, its positions contiguous,
///   dweight[g][i][c][t] = sum over images n and positions q of result[n][g outs + i][q] source[n][g channels + c][..].
/// The sum runs over fixed blocks of positions and images, which are added in their order.
void correlate_weight(const Correlation<float>& problem, float* dweight);
void correlate_weight(const Correlation<double>& problem, double* dweight);

/// Positions that are neighbours in a slab: `count` elements from x + offset on.
struct PositionRun {
  std::int64_t offset, count;
};

/// Of the direct loops: positions that are computed together, in `most_place_vectors` vectors of which so many lie beside
/// each other, the others below them. `rows` rows of `cols` positions are meant; the first is at x + source and y + result.
struct Place {
  std::int64_t source, result;
  int rows, cols;
};
constexpr int most_place_vectors = 4;
/// Taps that lie as far apart as the rows of places: tap `first_tap` at x + offset, the next ones a row and w_row further.
struct TapRun {
  std::int64_t offset;
  std::int32_t first_tap, taps;  // small: they share the first cache with the slab
};
constexpr int most_run_taps = 3;
/// All that the direct loops go through. Where a run has more than one tap, `beside` is 1 and one output is
/// computed: of several at once, each would lose all taps of a run but the first.
struct DirectLoop {
  const TapRun* runs;
  std::int64_t run_count;
  const Place* places;
  std::int64_t place_count;
  int beside;                               ///< 1, 2 or 4
  std::int64_t x_row, y_row, w_out, w_row;  ///< from one row of positions, output, tap of a run to the next
};

/// What an instruction set contributes. Slabs have elements to spare behind them: `lanes`; those of the direct loops, which
/// read places that are not full whole, what such a place has more, vectors beside and rows below.
template <class T>
struct ConvKernels {
  /// packed[p width + i] = x[offsets[i] + that of position p] for i < filled, where positions are those of the runs one
  /// after another and `width` is that of the vectors; writes up to 3 positions beyond the last.
  using PackTurned = void (*)(std::int64_t filled, const std::int64_t* offsets, int vectors, const PositionRun* runs,
                              std::int64_t run_count, const T* x, T* packed);
  /// y[i y_out + position] = the sum over taps of w[i w_out + tap] x[position + tap's offset], for i < outs <= 4; from
  /// bias[i] on (null: 0), or added to y. Where outs > 1, all runs must have one tap.
  using Direct = void (*)(const DirectLoop& loop, int outs, const T* w, const T* bias, bool add, const T* x, T* y,
                          std::int64_t y_out);
  /// sums[tap lanes + l] += what lane l of all vectors adds to the sum of dy[position] x[position + tap's offset].
  using DirectWeight = void (*)(const DirectLoop& loop, const T* x, const T* dy, T* sums);
  /// `rows` rows of n elements.
  using Copy = void (*)(std::int64_t rows, std::int64_t n, const T* from, std::int64_t from_row, T* to,
                        std::int64_t to_row);
  /// to[r to_row + i] = from[r from_row + 2 i].
  using EverySecond = Copy;
  /// to[2 i] = from[i] for i < n; nothing between them is written.
  using Spread = void (*)(std::int64_t n, const T* from, T* to);
  PackTurned pack_turned;
  Copy copy;
  EverySecond every_second;
  Spread spread;
  Direct direct;
  DirectWeight direct_weight;
};

/// Those of the best instruction set that this processor has.
const ConvKernels<float>& conv_kernels(float);
const ConvKernels<double>& conv_kernels(double);

}  // namespace gradus::core::kernels
