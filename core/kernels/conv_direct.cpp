// Convolutions with few channels in a group (depthwise ones): each plane is summed tap by tap, without tiles.
#include <algorithm>
#include <vector>

#include "conv_slab.h"
#include "gemm_tiles.h"

namespace gradus::core::kernels {
namespace {

constexpr int64_t kSlabPositions = 16384;  // of a slab: what the second cache holds
constexpr double kTaskWork = 2e5;          // multiplications of a task, about

/// Planes of positions are cut into blocks of whole rows.
template <class T>
struct Blocks {
  explicit Blocks(const ConvGrid& grid)
      : width(grid.positions[2]),
        rows(grid.positions[0] * grid.positions[1]),
        per_block(std::clamp<int64_t>(kSlabPositions / width, 1, rows)),
        count(ceil_div(rows, per_block)) {}
  const int64_t width, rows, per_block, count;
};

/// Calls body(row offset in the slab, first row, rows) for each plane of rows [begin, end).
template <class Body>
void for_planes(const ConvGrid& grid, const ConvSlab& slab, int64_t begin, int64_t end, Body body) {
  const int64_t rows = grid.positions[1];
  const bool one = begin / rows == (end - 1) / rows;  // then the slab begins with the first row of the range
  for (int64_t r = begin; r < end;) {
    const int64_t count = std::min(rows - r % rows, end - r);
    const int64_t plane = r / rows - begin / rows;
    body(one ? 0 : plane * slab.plane() + r % rows * slab.row(), r, count);
    r += count;
  }
}

}  // namespace

template <class T>
void correlate_direct(const Correlation<T>& p) {
  const ConvKernels<T>& kernels = conv_kernels(T());
  const int64_t lanes = gemm_kernels(T()).lanes, taps = p.grid.all_taps(), all = p.channels * taps;
  const Blocks<T> blocks(p.grid);
  const bool dense = dense_result(p);
  const double work = static_cast<double>(p.rows * blocks.per_block * blocks.width) * static_cast<double>(all + 4);
  parallel_for(
      p.images * p.groups * blocks.count, static_cast<int64_t>(kTaskWork / work) + 1, [&](int64_t first, int64_t last) {
        std::vector<int64_t> offsets(static_cast<std::size_t>(all));
        for (int64_t task = first; task < last; ++task) {
          const int64_t b = task % blocks.count, g = task / blocks.count % p.groups, n = task / blocks.count / p.groups;
          const int64_t r0 = b * blocks.per_block, r1 = std::min(r0 + blocks.per_block, blocks.rows);
          const int64_t count = (r1 - r0) * blocks.width;
          const ConvSlab slab(p.grid, r0 * blocks.width, r1 * blocks.width);
          const SlabMemory<T> memory(p.channels * slab.channel(), lanes);
          if (all > 0) {
            slab.tap_offsets(offsets.data());
            slab.fill(p.source + n * p.source_image + g * p.channels * p.source_channel, p.source_channel,
                      p.source_stride, p.channels, memory.data());
          }
          for (int64_t i = taps; i < all; ++i) {
            const auto at = static_cast<std::size_t>(i);
            offsets[at] = offsets[at - static_cast<std::size_t>(taps)] + slab.channel();
          }
          const Workspace<T> sparse(dense ? 1 : count);
          for (int64_t i = 0; i < p.rows; ++i) {
            const int64_t o = g * p.rows + i;
            T* const channel = p.result + n * p.result_image + o * p.result_channel;
            T* const out = dense ? channel + r0 * blocks.width : sparse.data();
            for_planes(p.grid, slab, r0, r1, [&](int64_t offset, int64_t r, int64_t rows) {
              kernels.direct(all, p.weight + o * all, offsets.data(), p.bias != nullptr ? p.bias[o] : T(0),
                             memory.data() + offset, slab.row(), rows, blocks.width, out + (r - r0) * blocks.width,
                             blocks.width);
            });
            if (!dense) scatter_result(p, r0 * blocks.width, r1 * blocks.width, out, channel);
          }
        }
      });
}

template <class T>
void correlate_weight_direct(const Correlation<T>& p, T* dweight) {
  const ConvKernels<T>& kernels = conv_kernels(T());
  const int64_t lanes = gemm_kernels(T()).lanes, taps = p.grid.all_taps(), all = p.channels * taps;
  const Blocks<T> blocks(p.grid);
  const int64_t size = p.groups * p.rows * all, units = p.images * blocks.count;
  // The sums of each block of rows of each image; some blocks at a time, so that they stay small.
  const int64_t at_once = std::clamp<int64_t>((int64_t{1} << 20) / size, 1, units);
  const Workspace<T> partials(at_once * size);
  std::vector<double> sums(static_cast<std::size_t>(size), 0);
  const double work = static_cast<double>(p.rows * blocks.per_block * blocks.width) * static_cast<double>(all + 4);
  for (int64_t unit0 = 0; unit0 < units; unit0 += at_once) {
    const int64_t here = std::min(at_once, units - unit0);
    parallel_for(here * p.groups, static_cast<int64_t>(kTaskWork / work) + 1, [&](int64_t first, int64_t last) {
      std::vector<int64_t> offsets(static_cast<std::size_t>(taps));
      std::vector<T> part(static_cast<std::size_t>(taps));
      for (int64_t task = first; task < last; ++task) {
        const int64_t g = task % p.groups, unit = unit0 + task / p.groups;
        const int64_t b = unit % blocks.count, n = unit / blocks.count;
        const int64_t r0 = b * blocks.per_block, r1 = std::min(r0 + blocks.per_block, blocks.rows);
        const ConvSlab slab(p.grid, r0 * blocks.width, r1 * blocks.width);
        const SlabMemory<T> memory(p.channels * slab.channel(), lanes);
        slab.tap_offsets(offsets.data());
        slab.fill(p.source + n * p.source_image + g * p.channels * p.source_channel, p.source_channel, p.source_stride,
                  p.channels, memory.data());
        T* out = partials.data() + (unit - unit0) * size + g * p.rows * all;
        for (int64_t i = 0; i < p.rows; ++i) {
          const T* dy = p.result + n * p.result_image + (g * p.rows + i) * p.result_channel;
          for (int64_t c = 0; c < p.channels; ++c, out += taps) {
            std::fill_n(out, taps, T(0));
            for_planes(p.grid, slab, r0, r1, [&](int64_t offset, int64_t r, int64_t rows) {
              kernels.direct_weight(taps, offsets.data(), memory.data() + c * slab.channel() + offset, slab.row(),
                                    dy + r * blocks.width, blocks.width, rows, blocks.width, part.data());
              for (int64_t t = 0; t < taps; ++t) out[t] += part[static_cast<std::size_t>(t)];
            });
          }
        }
      }
    });
    for (int64_t s = 0; s < here; ++s) {
      const T* from = partials.data() + s * size;
      for (int64_t i = 0; i < size; ++i) sums[static_cast<std::size_t>(i)] += static_cast<double>(from[i]);
    }
  }
  for (int64_t i = 0; i < size; ++i) dweight[i] = static_cast<T>(sums[static_cast<std::size_t>(i)]);
}

template void correlate_direct(const Correlation<float>&);
template void correlate_direct(const Correlation<double>&);
template void correlate_weight_direct(const Correlation<float>&, float*);
template void correlate_weight_direct(const Correlation<double>&, double*);

}  // namespace gradus::core::kernels
