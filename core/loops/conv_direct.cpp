// Convolutions with few output channels in a group (depthwise ones, and the gradients of images' three channels): their
// sums run over the slab where it lies. To pack patches for a tile costs two to three cycles a vector, and a tile of few
// rows uses it too seldom to earn that.
#include <algorithm>
#include <memory>
#include <vector>

#include "conv_slab.h"
#include "gemm_tiles.h"

namespace gradus::core::kernels {
namespace {

constexpr int64_t kSlabPositions = 16384;  // of a slab: what the second cache holds
constexpr int64_t kSlabElements = 65536;   // of all its channels
constexpr int64_t kMostOuts = 4;           // output channels that are computed side by side
constexpr double kTaskWork = 2e5;          // multiplications of a task, about

/// Planes of positions are cut into blocks of whole rows.
template <class T>
struct Blocks {
  Blocks(const ConvGrid& grid, int64_t channels)
      : width(grid.positions[2]),
        rows(grid.positions[0] * grid.positions[1]),
        per_block(std::clamp<int64_t>(std::min(kSlabPositions, kSlabElements / channels) / width, 1, rows)),
        count(ceil_div(rows, per_block)) {}
  const int64_t width, rows, per_block, count;
};

/// The slab of one block of rows, for one image after the other.
template <class T>
struct Window {
  Window(const Correlation<T>& p, const Blocks<T>& blocks, int64_t number, int64_t lanes)
      : block(number),
        first(number * blocks.per_block),
        last(std::min(first + blocks.per_block, blocks.rows)),
        slab(p.grid, first * blocks.width, last * blocks.width),
        offsets(static_cast<std::size_t>(p.channels * p.grid.all_taps())),
        memory(p.channels * slab.channel(), lanes) {
    if (offsets.empty()) return;
    slab.tap_offsets(offsets.data());
    for (auto i = static_cast<std::size_t>(p.grid.all_taps()); i < offsets.size(); ++i) {
      offsets[i] = offsets[i - static_cast<std::size_t>(p.grid.all_taps())] + slab.channel();
    }
  }
  void copy(const Correlation<T>& p, int64_t n, int64_t g) const {
    slab.copy(conv_kernels(T()), p.source + n * p.source_image + g * p.channels * p.source_channel, p.source_channel,
              p.source_stride, p.channels, memory.data());
  }
  /// Calls body(slab's first element, first row, rows) for each plane of the block's rows.
  template <class Body>
  void planes(const ConvGrid& grid, Body body) const {
    const int64_t rows = grid.positions[1];
    const bool one = first / rows == (last - 1) / rows;  // then the slab begins with the first row of the block
    for (int64_t r = first; r < last;) {
      const int64_t count = std::min(rows - r % rows, last - r);
      const int64_t plane = r / rows - first / rows;
      body(memory.data() + (one ? 0 : plane * slab.plane() + r % rows * slab.row()), r, count);
      r += count;
    }
  }
  int64_t block, first, last;
  ConvSlab slab;
  std::vector<int64_t> offsets;  // of the taps of all channels
  SlabMemory<T> memory;
};

template <class T>
double work_of(const Correlation<T>& p, const Blocks<T>& blocks) {  // of a task
  return static_cast<double>(p.rows * blocks.per_block * blocks.width) *
         static_cast<double>(p.channels * (p.grid.all_taps() + 4) + 4);
}

}  // namespace

template <class T>
void correlate_direct(const Correlation<T>& p) {
  const ConvKernels<T>& kernels = conv_kernels(T());
  const int64_t lanes = gemm_kernels(T()).lanes, all = p.channels * p.grid.all_taps();
  const int64_t k_block = std::max<int64_t>(gemm_k_block(all), 1);
  const Blocks<T> blocks(p.grid, std::max<int64_t>(p.channels, 1));
  const bool dense = dense_result(p);
  const int64_t units = p.images * p.groups;
  parallel_for(
      blocks.count * units, static_cast<int64_t>(kTaskWork / work_of(p, blocks)) + 1, [&](int64_t first, int64_t last) {
        std::unique_ptr<Window<T>> window;
        const int64_t size = blocks.per_block * blocks.width, at_once = std::min(p.rows, kMostOuts);
        const Workspace<T> sparse(dense ? 1 : at_once * size);
        for (int64_t task = first; task < last; ++task) {
          const int64_t block = task / units, n = task % units / p.groups, g = task % p.groups;
          if (window == nullptr || window->block != block) {
            window = std::make_unique<Window<T>>(p, blocks, block, lanes);
          }
          if (all > 0) window->copy(p, n, g);
          const int64_t begin = window->first * blocks.width;
          for (int64_t i = 0; i < p.rows; i += at_once) {
            const int64_t o = g * p.rows + i, outs = std::min(at_once, p.rows - i);
            T* const channel = p.result + n * p.result_image + o * p.result_channel;
            T* const out = dense ? channel + begin : sparse.data();
            const int64_t out_channel = dense ? p.result_channel : size;
            for (int64_t k0 = 0; k0 == 0 || k0 < all; k0 += k_block) {
              window->planes(p.grid, [&](const T* x, int64_t r, int64_t rows) {
                kernels.direct(std::min(k_block, all - k0), static_cast<int>(outs), p.weight + o * all + k0, all,
                               window->offsets.data() + k0, p.bias != nullptr && k0 == 0 ? p.bias + o : nullptr, k0 > 0,
                               x, window->slab.row(), rows, blocks.width, out + (r - window->first) * blocks.width,
                               out_channel, blocks.width);
              });
            }
            if (dense) continue;
            for (int64_t j = 0; j < outs; ++j) {
              scatter_result(kernels, p, begin, window->last * blocks.width, out + j * size,
                             channel + j * p.result_channel);
            }
          }
        }
      });
}

template <class T>
void correlate_weight_direct(const Correlation<T>& p, T* dweight) {
  const ConvKernels<T>& kernels = conv_kernels(T());
  const int64_t lanes = gemm_kernels(T()).lanes, taps = p.grid.all_taps(), all = p.channels * taps;
  const Blocks<T> blocks(p.grid, std::max<int64_t>(p.channels, 1));
  const int64_t size = p.groups * p.rows * all, units = p.images * blocks.count;
  // The sums of each block of rows of each image; some blocks at a time, so that they stay small.
  const int64_t at_once = std::clamp<int64_t>((int64_t{1} << 20) / size, 1, units);
  const Workspace<T> partials(at_once * size);
  std::vector<double> sums(static_cast<std::size_t>(size), 0);
  for (int64_t unit0 = 0; unit0 < units; unit0 += at_once) {
    const int64_t here = std::min(at_once, units - unit0);
    const auto grain = static_cast<int64_t>(kTaskWork / work_of(p, blocks)) + 1;
    parallel_for(here * p.groups, grain, [&](int64_t first, int64_t last) {
      std::unique_ptr<Window<T>> window;
      std::vector<T> part(static_cast<std::size_t>(taps));
      for (int64_t task = first; task < last; ++task) {
        const int64_t g = task % p.groups, unit = unit0 + task / p.groups;
        const int64_t block = unit / p.images, n = unit % p.images;
        if (window == nullptr || window->block != block) {
          window = std::make_unique<Window<T>>(p, blocks, block, lanes);
        }
        window->copy(p, n, g);
        T* out = partials.data() + (unit - unit0) * size + g * p.rows * all;
        for (int64_t i = 0; i < p.rows; ++i) {
          const T* dy = p.result + n * p.result_image + (g * p.rows + i) * p.result_channel;
          for (int64_t c = 0; c < p.channels; ++c, out += taps) {
            std::fill_n(out, taps, T(0));
            window->planes(p.grid, [&](const T* x, int64_t r, int64_t rows) {
              kernels.direct_weight(taps, window->offsets.data(), x + c * window->slab.channel(), window->slab.row(),
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
