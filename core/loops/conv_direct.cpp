// Convolutions with few output channels in a group (depthwise ones, and the gradients of images' three channels): their
// sums run over the slab where it lies. A tile of a product would, too, but with few outputs its vectors of the source
// serve few sums each. Here the sums of four vectors of positions stay in registers, for up to four outputs, or for one
// whose taps that lie below each other share what is loaded.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <vector>

#include "../threads/even_grain.h"
#include "conv_loops.h"
#include "conv_slab.h"

namespace gradus::core::kernels {
namespace {

constexpr int64_t kSlabPositions =
    16384;                        // of a block, for the second cache, and of sums in the dtype, for their error
constexpr int64_t kGoodRows = 8;  // of a block, so that few rows of the source are copied for two of them
constexpr int64_t kMostOuts = 4;  // output channels that are computed side by side

/// Some rows of positions, counted through all planes, and columns of them.
struct Block {
  int64_t row, rows, col, cols;
};

/// Positions are cut into blocks of rows: of whole ones, or of parts where too few whole ones would fit into a slab. (Tiles
/// count positions through all rows, and take pieces that end anywhere in one: conv_slab.h.)
class Blocks {
 public:
  Blocks(const ConvGrid& grid, int64_t channels, int64_t lanes)
      : all_rows_(grid.positions[0] * grid.positions[1]), width_(grid.positions[2]) {
    const int64_t place = most_place_vectors * lanes, rows = std::min(kGoodRows, grid.positions[1]);
    const int64_t most = std::max(std::min(kSlabPositions, kSlabElements / channels), most_place_vectors * place);
    const int64_t part = even_grain(width_, std::max(most / rows / place * place, place), place);
    cols_ = width_ * rows <= most ? width_ : std::min(width_, part);
    rows_ = std::clamp<int64_t>(most / cols_, 1, all_rows_);
  }
  int64_t count() const { return ceil_div(all_rows_, rows_) * ceil_div(width_, cols_); }
  int64_t rows() const { return rows_; }          ///< of the largest
  int64_t size() const { return rows_ * cols_; }  ///< positions of the largest
  Block at(int64_t i) const {
    const int64_t across = ceil_div(width_, cols_), row = i / across * rows_, col = i % across * cols_;
    return {row, std::min(rows_, all_rows_ - row), col, std::min(cols_, width_ - col)};
  }
  /// Of the vectors of a place, how many lie beside each other: as many as fill it.
  int beside(const ConvGrid& grid, bool in_runs, int64_t lanes) const {
    const int64_t rows = std::min(rows_, grid.positions[1]), vectors = ceil_div(cols_, lanes);
    int beside = rows == 1 ? most_place_vectors : rows < most_place_vectors ? most_place_vectors / 2 : 1;
    while (!in_runs && beside < most_place_vectors && vectors % (2 * beside) == 0) beside *= 2;
    return beside;
  }

 private:
  int64_t all_rows_, width_, rows_, cols_;
};

/// The columns of a block as a grid of their own.
ConvGrid columns_of(const ConvGrid& whole, const Block& block) {
  ConvGrid grid = whole;
  grid.first[2] += block.col * grid.step[2];
  grid.positions[2] = block.cols;
  return grid;
}

/// Whether taps that lie below each other make a run: their rows must lie as far apart in a slab as those of the positions,
/// of which a place has one for each of its vectors.
bool has_runs(const ConvGrid& grid, const Blocks& blocks) {
  return std::min(grid.positions[1], blocks.rows()) >= most_place_vectors && std::abs(grid.spacing[1]) == grid.step[1];
}

/// The slab of one block, for one image after the other, and what is computed from it: the loop goes through the taps of
/// `run_channels`, as runs or each alone. `y_row`: from one row of positions in the result to the next.
template <class T>
struct Window {
  Window(const Correlation<T>& p, const Blocks& blocks, int64_t i, int64_t run_channels, bool in_runs, int64_t y_row,
         int64_t lanes)
      : number(i),
        block(blocks.at(i)),
        grid(columns_of(p.grid, block)),
        slab(grid, block.row * block.cols, (block.row + block.rows) * block.cols, ConvSlab::everywhere),
        beside(blocks.beside(grid, in_runs, lanes)),
        memory(slab.elements(p.channels), (most_place_vectors / beside - 1) * slab.position_pitch(1) + beside * lanes) {
    for (int64_t c = 0; c < run_channels; ++c) add_runs(c, in_runs);
    add_places(y_row, beside * lanes, most_place_vectors / beside);
    loop = {runs.data(),
            static_cast<int64_t>(runs.size()),
            places.data(),
            static_cast<int64_t>(places.size()),
            beside,
            slab.position_pitch(1),
            y_row,
            p.channels * grid.all_taps(),
            grid.spacing[1] > 0 ? grid.taps[2] : -grid.taps[2]};
  }
  void copy(const Correlation<T>& p, int64_t n, int64_t g) const {
    slab.copy(conv_kernels(T()), p.source + n * p.source_image + g * p.channels * p.source_channel, p.source_channel,
              p.source_stride, p.channels, memory.data());
  }

  int64_t number;
  Block block;
  ConvGrid grid;
  ConvSlab slab;
  int beside;
  std::vector<TapRun> runs;   // of some channels, one after another
  std::vector<Place> places;  // their results from the first position on
  DirectLoop loop;            // through all of them
  SlabMemory<T> memory;

 private:
  void add_runs(int64_t c, bool in_runs) {
    const int64_t most = in_runs ? most_run_taps : 1;
    for (int64_t t0 = 0; t0 < grid.taps[0]; ++t0) {
      for (int64_t t1 = 0; t1 < grid.taps[1]; t1 += most) {
        const int64_t count = std::min(most, grid.taps[1] - t1), upper = grid.spacing[1] > 0 ? t1 : t1 + count - 1;
        for (int64_t t2 = 0; t2 < grid.taps[2]; ++t2) {
          const int64_t tap = ((c * grid.taps[0] + t0) * grid.taps[1] + upper) * grid.taps[2] + t2;
          runs.push_back({c * slab.channel() + slab.tap_offset(t0, upper, t2), static_cast<std::int32_t>(tap),
                          static_cast<std::int32_t>(count)});
        }
      }
    }
  }
  void add_places(int64_t y_row, int64_t most_cols, int64_t most_rows) {
    const int64_t rows = grid.positions[1], first = block.row, last = block.row + block.rows;
    const bool one = first / rows == (last - 1) / rows;  // then the slab begins with the first row of the block
    for (int64_t r = first; r < last;) {
      const int64_t source =
          one ? (r - first) * slab.position_pitch(1)
              : (r / rows - first / rows) * slab.position_pitch(0) + r % rows * slab.position_pitch(1);
      const int64_t count = std::min({most_rows, rows - r % rows, last - r});
      for (int64_t j = 0; j < block.cols; j += most_cols) {
        places.push_back({source + j, (r - first) * y_row + j, static_cast<int>(count),
                          static_cast<int>(std::min(most_cols, block.cols - j))});
      }
      r += count;
    }
  }
};

/// Of one block, image and group; copying and storing count as several multiplications.
template <class T>
double work_of(const Correlation<T>& p, const Blocks& blocks) {
  return static_cast<double>(p.outs * blocks.size()) * static_cast<double>(p.channels * (p.grid.all_taps() + 4) + 4);
}

}  // namespace

template <class T>
void correlate_direct(const Correlation<T>& p) {
  const ConvKernels<T>& kernels = conv_kernels(T());
  const int64_t lanes = gemm_kernels(T()).lanes, width = p.grid.positions[2], all = p.channels * p.grid.all_taps();
  const Blocks blocks(p.grid, p.channels, lanes);
  const bool in_runs = p.outs == 1 && has_runs(p.grid, blocks);
  const bool dense = dense_result(p);
  const int64_t units = p.images * p.groups;
  const int64_t grain = task_grain(kDirectTaskWork, work_of(p, blocks));
  parallel_for(blocks.count() * units, grain, [&](int64_t begin, int64_t end) {
    std::unique_ptr<Window<T>> window;
    const int64_t size = blocks.size(), at_once = std::min(p.outs, kMostOuts);
    const Workspace<T> sparse(dense ? 1 : at_once * size);
    int64_t block = begin / units, n = begin % units / p.groups, g = begin % p.groups;
    const auto next = [&] {
      if (++g < p.groups) return;
      g = 0;
      if (++n == p.images) n = 0, ++block;
    };
    for (int64_t task = begin; task < end; ++task, next()) {
      if (window == nullptr || window->number != block) {
        const int64_t y_row = dense ? width : blocks.at(block).cols;
        window = std::make_unique<Window<T>>(p, blocks, block, p.channels, in_runs, y_row, lanes);
      }
      window->copy(p, n, g);
      const Block& here = window->block;
      const int64_t runs = window->loop.run_count;
      const int64_t step = gemm_k_block(runs, gemm_longest_block / (in_runs ? most_run_taps : 1));
      for (int64_t i = 0; i < p.outs; i += at_once) {
        const int64_t o = g * p.outs + i, outs = std::min(at_once, p.outs - i);
        T* const channel = p.result + n * p.result_image + o * p.result_channel;
        T* const out = dense ? channel + here.row * width + here.col : sparse.data();
        for (int64_t r = 0; r < runs; r += step) {
          DirectLoop loop = window->loop;
          loop.runs += r;
          loop.run_count = std::min(step, runs - r);
          kernels.direct(loop, static_cast<int>(outs), p.weight + o * all,
                         p.bias != nullptr && r == 0 ? p.bias + o : nullptr, r > 0, window->memory.data(), out,
                         dense ? p.result_channel : size);
        }
        if (dense) continue;
        for (int64_t j = 0; j < outs; ++j) {
          scatter_result(kernels, window->grid, p.result_stride, here.row * here.cols,
                         (here.row + here.rows) * here.cols, out + j * size,
                         channel + j * p.result_channel + here.col * p.result_stride[2]);
        }
      }
    }
  });
}

template <class T>
void correlate_weight_direct(const Correlation<T>& p, T* dweight) {
  const ConvKernels<T>& kernels = conv_kernels(T());
  const int64_t lanes = gemm_kernels(T()).lanes, width = p.grid.positions[2];
  const int64_t taps = p.grid.all_taps(), all = p.channels * taps;
  const Blocks blocks(p.grid, p.channels, lanes);
  const bool in_runs = has_runs(p.grid, blocks);
  const int64_t size = p.groups * p.outs * all;
  // A task adds up a block of some images for one group: as many as leave tasks enough, and sums short enough.
  const int64_t together = std::clamp<int64_t>(
      std::min(p.images * blocks.count() * p.groups / kEnoughTasks, kSlabPositions / blocks.size()), 1, p.images);
  const int64_t batches = ceil_div(p.images, together), units = batches * blocks.count();
  // The sums of each unit; some units at a time, so that they stay small.
  const int64_t at_once = std::clamp<int64_t>((int64_t{1} << 20) / size, 1, units);
  const Workspace<double> partials(at_once * size);
  std::vector<double> sums(static_cast<std::size_t>(size), 0);
  for (int64_t unit0 = 0; unit0 < units; unit0 += at_once) {
    const int64_t here = std::min(at_once, units - unit0);
    const int64_t grain = task_grain(kDirectTaskWork, work_of(p, blocks) * static_cast<double>(together));
    parallel_for(here * p.groups, grain, [&](int64_t begin, int64_t end) {
      std::unique_ptr<Window<T>> window;
      const int64_t pairs = p.outs * p.channels;  // of an output and a channel
      const Workspace<T> lane_sums(pairs * taps * lanes);
      for (int64_t task = begin; task < end; ++task) {
        const int64_t g = task % p.groups, unit = unit0 + task / p.groups;
        const int64_t block = unit / batches, n0 = unit % batches * together, n1 = std::min(n0 + together, p.images);
        if (window == nullptr || window->number != block) {
          window = std::make_unique<Window<T>>(p, blocks, block, 1, in_runs, width, lanes);
        }
        std::fill_n(lane_sums.data(), pairs * taps * lanes, T(0));
        for (int64_t n = n0; n < n1; ++n) {
          window->copy(p, n, g);
          const T* dy = p.result + n * p.result_image + g * p.outs * p.result_channel + window->block.row * width +
                        window->block.col;
          for (int64_t i = 0; i < pairs; ++i) {
            kernels.direct_weight(window->loop, window->memory.data() + i % p.channels * window->slab.channel(),
                                  dy + i / p.channels * p.result_channel, lane_sums.data() + i * taps * lanes);
          }
        }
        double* const out = partials.data() + (unit - unit0) * size + g * pairs * taps;
        for (int64_t t = 0; t < pairs * taps; ++t) {
          const T* const of_lanes = lane_sums.data() + t * lanes;
          out[t] = std::accumulate(of_lanes, of_lanes + lanes, 0.0);
        }
      }
    });
    for (int64_t s = 0; s < here; ++s) {
      const double* from = partials.data() + s * size;
      for (int64_t i = 0; i < size; ++i) sums[static_cast<std::size_t>(i)] += from[i];
    }
  }
  for (int64_t i = 0; i < size; ++i) dweight[i] = static_cast<T>(sums[static_cast<std::size_t>(i)]);
}

template void correlate_direct(const Correlation<float>&);
template void correlate_direct(const Correlation<double>&);
template void correlate_weight_direct(const Correlation<float>&, float*);
template void correlate_weight_direct(const Correlation<double>&, double*);

}  // namespace gradus::core::kernels
