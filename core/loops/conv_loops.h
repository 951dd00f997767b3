// What the loops of convolutions have in common: how much work is a task, where results go that lie apart, and which of the
// loops a problem is for.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "../simd/conv.h"
#include "../simd/gemm.h"
#include "../threads/even_grain.h"
#include "gemm_tiles.h"

namespace gradus::core::kernels {

// In multiplications.
constexpr double kParallelWork = 1e6;    // below which tiles are for one thread
constexpr double kTaskWork = 3e5;        // of a task of tiles, at least
constexpr double kDirectTaskWork = 2e5;  // of one of the direct loops, which take longer for each

constexpr int64_t kEnoughTasks = 32;      // so that threads that are done wait little for the others
constexpr int64_t kSlabElements = 65536;  // of a task's slab, which stays in the second cache

/// How many tasks a thread takes at once, each of `work`.
inline int64_t task_grain(double enough, double work) { return static_cast<int64_t>(enough / work) + 1; }

template <class T>
double work_of(const Correlation<T>& p) {
  return static_cast<double>(p.images * p.groups) * static_cast<double>(p.outs * p.channels) *
         static_cast<double>(p.grid.all_positions() * p.grid.all_taps());
}

/// The rows of a product's operand a, outputs of a group or lines of a slab, as strips of about as many each: at most the
/// `tile` rows of the largest tile.
struct TileStrips {
  TileStrips(int64_t rows, int64_t of_tile)
      : count(ceil_div(rows, of_tile)), height(even_rows(rows, of_tile)), tile(of_tile), room(count * of_tile) {}
  int64_t count, height;  ///< strips, and rows of each; the last one may have fewer, but has one
  int64_t tile, room;     ///< for each k: elements of a packed strip, and of all of them
};

/// Whether the positions of the result lie as one row.
template <class T>
bool dense_result(const Correlation<T>& p) {
  const int64_t width = p.grid.positions[2], plane = p.grid.positions[1] * width;
  return (width == 1 || p.result_stride[2] == 1) && (p.grid.positions[1] == 1 || p.result_stride[1] == width) &&
         (p.grid.positions[0] == 1 || p.result_stride[0] == plane);
}

/// Puts positions [begin, end) of a channel, which lie one after the other, where they belong; `strides` are those of the
/// dimensions.
template <class T>
void scatter_result(const ConvKernels<T>& kernels, const ConvGrid& grid, const int64_t* strides, int64_t begin,
                    int64_t end, const T* from, T* channel) {
  const int64_t width = grid.positions[2];
  for (int64_t q = begin; q < end;) {
    const int64_t q2 = q % width, count = std::min(width - q2, end - q);
    const int64_t q1 = q / width % grid.positions[1], q0 = q / width / grid.positions[1];
    T* to = channel + q0 * strides[0] + q1 * strides[1] + q2 * strides[2];
    if (strides[2] == 2) {
      kernels.spread(count, from + (q - begin), to);
    } else {
      for (int64_t i = 0; i < count; ++i) to[i * strides[2]] = from[q - begin + i];
    }
    q += count;
  }
}

/// Whether the direct loops are better than tiles, in which each vector of the source would serve the few outputs of a
/// group alone. Vectors of a row of positions must be mostly full; all channels pass by for each few outputs, and should
/// stay in the second cache.
constexpr int64_t kDirectOuts = 8, kDirectChannels = 256;
template <class T>
bool can_be_direct(const Correlation<T>& p) {  // their tables number the taps by 32 bits
  return p.channels * p.grid.all_taps() <= std::numeric_limits<std::int32_t>::max();
}
template <class T>
bool is_direct(const Correlation<T>& p) {
  if (!can_be_direct(p)) return false;
  const int64_t lanes = gemm_kernels(T()).lanes, width = p.grid.positions[2];
  if (p.outs * p.channels <= 4) return true;
  return p.outs <= (p.channels <= kDirectChannels ? kDirectOuts : 1) && 4 * width >= 3 * ceil_div(width, lanes) * lanes;
}
/// Of the weight's gradient: where rows fill vectors, also for more outputs and channels.
constexpr int64_t kLongRow = 24;
template <class T>
bool is_direct_weight(const Correlation<T>& p) {
  return p.outs * p.channels <= (p.grid.positions[2] >= kLongRow ? 32 : 4) && can_be_direct(p);
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
