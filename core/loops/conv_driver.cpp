// The loops of the implicit product, result = weight patches. Positions are cut into pieces; for each piece and image the
// channels of one block of k are copied into a slab, where the patches' row of a channel and a tap lies without gaps, at its
// own offset. The product's tiles read it there: of the patches, nothing is packed.
#include <algorithm>
#include <memory>
#include <vector>

#include "conv_loops.h"
#include "conv_slab.h"
#include "gemm_tiles.h"

namespace gradus::core::kernels {
namespace {

constexpr int64_t kMostStrips = 16;     // of positions whose result stays in the second cache
constexpr int64_t kShortestBlock = 96;  // of k

template <class T>
class Forward {
 public:
  explicit Forward(const Correlation<T>& problem)
      : p_(problem),
        tiles_(gemm_kernels(T())),
        kernels_(conv_kernels(T())),
        cols_(2 * tiles_.lanes),
        taps_(problem.grid.all_taps()),
        positions_(problem.grid.all_positions()),
        k_(problem.channels * taps_),
        k_block_(gemm_k_block(k_, longest_block())),
        strips_(problem.outs, tiles_.rows),
        dense_(dense_result(problem)) {}

  void run() {
    const bool parallel = work_of(p_) >= kParallelWork;
    const Workspace<T> packed(p_.groups * strips_.room * k_);
    pack_weight(packed.data(), parallel);
    // A task is some positions, and some of the outputs where there would be too few tasks otherwise.
    const int64_t strips = ceil_div(positions_, cols_), units = p_.images * p_.groups;
    const int64_t enough = ceil_div(strips * units, kEnoughTasks);
    const Pieces pieces = cut(std::clamp<int64_t>(enough, std::min<int64_t>(strips, 2), kMostStrips));
    const int64_t across = pieces.count();
    const int64_t down = std::clamp<int64_t>(kEnoughTasks / 2 / (units * across), 1, ceil_div(strips_.count, 4));
    const int64_t i_step = ceil_div(strips_.count, down) * strips_.height;
    const int64_t tasks = across * units * down;
    const int64_t grain = task_grain(kTaskWork, work_of(p_) / static_cast<double>(tasks));
    for_blocks(parallel, tasks, grain, [&](int64_t begin, int64_t end) {
      std::unique_ptr<Window> window;  // one for all the images that follow each other
      for (int64_t task = begin; task < end; ++task) {
        const int64_t i = task % down * i_step, unit = task / down % units, piece = task / down / units;
        if (i >= p_.outs) continue;
        if (window == nullptr || window->j0 != pieces.begin(piece)) {
          window = std::make_unique<Window>(*this, pieces.begin(piece), pieces.end(piece), pieces.sliding());
        }
        rectangle_of(*window, unit / p_.groups, unit % p_.groups, i, std::min(i + i_step, p_.outs), packed.data());
      }
    });
  }

 private:
  Pieces cut(int64_t strips) const {
    return {p_.grid, strips * cols_, cols_, std::max<int64_t>(strips / 2, 4) * cols_};
  }

  /// Of k: as long as the slab stays in the second cache, whatever the number of tasks.
  int64_t longest_block() const {
    const Pieces pieces = cut(kMostStrips);
    const int64_t channel = ConvSlab(p_.grid, pieces.begin(0), pieces.end(0), pieces.sliding()).channel();
    return std::clamp<int64_t>(kSlabElements / channel * taps_, kShortestBlock, gemm_longest_block);
  }

  /// What is the same for positions [j0, j1) of all images.
  struct Window {
    Window(const Forward& f, int64_t begin, int64_t end, int sliding)
        : j0(begin),
          j1(end),
          slab(f.p_.grid, begin, end, sliding),
          // As many channels as a block of k touches.
          memory(slab.elements(std::min(f.p_.channels, (f.k_block_ + f.taps_ - 2) / f.taps_ + 1)), f.tiles_.lanes) {
      const std::vector<int64_t> taps = slab.tap_offsets();
      offsets.reserve(static_cast<std::size_t>(f.k_));
      for (int64_t c = 0; c < f.p_.channels; ++c) {
        for (const int64_t tap : taps) offsets.push_back(c * slab.channel() + tap);
      }
    }
    int64_t j0, j1;
    ConvSlab slab;
    std::vector<int64_t> offsets;  // of all k, from where channel 0 would lie
    SlabMemory<T> memory;
  };

  void pack_weight(T* packed, bool parallel) {
    const int64_t grain = std::max<int64_t>(1, 65536 / (k_ * strips_.tile));
    for_blocks(parallel, p_.groups * strips_.count, grain, [&](int64_t begin, int64_t end) {
      for (int64_t s = begin; s < end; ++s) {
        const int64_t g = s / strips_.count, strip = s % strips_.count, i = strip * strips_.height;
        for (int64_t q = 0; q < k_; q += k_block_) {
          const int64_t k = std::min(k_block_, k_ - q);
          tiles_.pack_rows(k, std::min(strips_.height, p_.outs - i), p_.weight + (g * p_.outs + i) * k_ + q, k_, 1,
                           packed + (g * k_ + q) * strips_.room + strip * strips_.tile * k);
        }
      }
    });
  }

  /// Outputs [i0, i1) of one group, the window's positions of one image.
  void rectangle_of(const Window& window, int64_t n, int64_t g, int64_t i0, int64_t i1, const T* packed_a) {
    const int64_t j0 = window.j0, j1 = window.j1;
    T* const channel = p_.result + n * p_.result_image + (g * p_.outs + i0) * p_.result_channel;
    const Workspace<T> sparse(dense_ ? 1 : (i1 - i0) * (j1 - j0));
    GemmResult<T> result{channel + j0, p_.result_channel, 1};
    if (!dense_) result = {sparse.data(), j1 - j0, 1};
    // Added to the whole sum, as in a product; the direct loops begin their sums with it. Each saves a pass over the result.
    if (p_.bias != nullptr) {
      result.bias = p_.bias + g * p_.outs + i0;
      result.bias_row = 1;
    }
    const T* x = p_.source + n * p_.source_image + g * p_.channels * p_.source_channel;
    for (int64_t k0 = 0; k0 < k_; k0 += k_block_) {
      const int64_t k = std::min(k_block_, k_ - k0);
      const int64_t c0 = k0 / taps_, c1 = (k0 + k - 1) / taps_ + 1;
      window.slab.copy(kernels_, x + c0 * p_.source_channel, p_.source_channel, p_.source_stride, c1 - c0,
                       window.memory.data());
      const T* from = window.memory.data() + window.slab.first() - c0 * window.slab.channel();
      const T* a = packed_a + (g * k_ + k0) * strips_.room + i0 / strips_.height * strips_.tile * k;
      // Meanwhile the channels of the next block, or image, are brought near.
      const T* const ahead = x + c1 * p_.source_channel;
      rectangle(tiles_, tiles_.scattered, 0, i1 - i0, 0, j1 - j0, k,
                Rows<T>{a, strips_.tile * k, 1, strips_.tile, strips_.height}, for_block(result, k0 == 0, k0 + k == k_),
                [&](int64_t j, int64_t, int, int64_t) {
                  const int64_t first = strips_together(k) * cols_;  // the last one of those that go together is asked
                  return Columns<T>{from + j, 0, j < first ? ahead : nullptr, first, true, window.offsets.data() + k0};
                });
    }
    if (!dense_) {
      for (int64_t i = 0; i < i1 - i0; ++i) {
        scatter_result(kernels_, p_.grid, p_.result_stride, j0, j1, sparse.data() + i * (j1 - j0),
                       channel + i * p_.result_channel);
      }
    }
  }

  const Correlation<T>& p_;
  const GemmKernels<T>& tiles_;
  const ConvKernels<T>& kernels_;
  const int64_t cols_, taps_, positions_, k_, k_block_;
  const TileStrips strips_;
  const bool dense_;
};

/// Where no tap meets anything, as in most phases of the input gradient of a kernel smaller than its stride.
template <class T>
void fill_with_bias(const Correlation<T>& p) {
  const int64_t outs = p.groups * p.outs, *const n = p.grid.positions, *const stride = p.result_stride;
  parallel_for(p.images * outs, 32768 / p.grid.all_positions() + 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const T value = p.bias != nullptr ? p.bias[i % outs] : T(0);
      T* const channel = p.result + i / outs * p.result_image + i % outs * p.result_channel;
      for (int64_t q0 = 0; q0 < n[0]; ++q0) {
        for (int64_t q1 = 0; q1 < n[1]; ++q1) {
          T* const row = channel + q0 * stride[0] + q1 * stride[1];
          for (int64_t q2 = 0; q2 < n[2]; ++q2) row[q2 * stride[2]] = value;
        }
      }
    }
  });
}

template <class T>
void solve(const Correlation<T>& p) {
  if (p.images == 0 || p.groups == 0 || p.outs == 0 || p.grid.all_positions() == 0) return;
  if (p.channels == 0 || p.grid.all_taps() == 0) return fill_with_bias(p);
  if (is_direct(p)) return correlate_direct(p);
  Forward<T>(p).run();
}

}  // namespace

void correlate(const Correlation<float>& problem) { solve(problem); }
void correlate(const Correlation<double>& problem) { solve(problem); }

}  // namespace gradus::core::kernels
