// The loops of the implicit product: which patches are packed when, and who computes what.
#include <algorithm>
#include <memory>
#include <vector>

#include "conv_slab.h"
#include "gemm_tiles.h"

namespace gradus::core::kernels {
namespace {

constexpr double kParallelWork = 1e6;  // multiplications below which one thread does it all
constexpr double kTaskWork = 3e5;      // of a task, at least
constexpr int64_t kMostStrips = 16;    // of positions whose result stays in the second cache
constexpr int64_t kWeightStrips = 12;  // of columns of the weight that a packed block of dy is used for
constexpr int64_t kEnoughTasks = 32;
constexpr int64_t kWeightTasks = 16;    // each of which has a partial sum of its own
constexpr int64_t kLongestBlock = 160;  // of k: the slab, a strip of it and one of the weight stay in the first cache

template <class T>
double work_of(const Correlation<T>& p) {
  return static_cast<double>(p.images * p.groups) * static_cast<double>(p.rows * p.channels) *
         static_cast<double>(p.grid.all_positions() * p.grid.all_taps());
}

/// The operand b of one block of k: the patches of a slab, packed strip by strip.
template <class T>
class Patches {
 public:
  Patches(const ConvKernels<T>& kernels, int64_t lanes) : kernels_(kernels), lanes_(lanes) {}

  /// Cuts the positions into vectors, and those into the parts that are neighbours in the slab.
  void set_positions(const std::vector<WindowRun>& runs) {
    parts_.clear();
    first_part_.assign(1, 0);
    int64_t lane = 0;
    for (const WindowRun& run : runs) {
      for (int64_t i = 0; i < run.count;) {
        const int64_t count = std::min(run.count - i, lanes_ - lane);
        parts_.push_back({run.offset + i - lane, lane});
        i += count;
        lane += count;
        if (lane == lanes_) {
          first_part_.push_back(static_cast<int>(parts_.size()));
          lane = 0;
        }
      }
    }
    if (lane > 0) first_part_.push_back(static_cast<int>(parts_.size()));
  }
  /// Packs the vectors from number `vector` on.
  void pack(int64_t k, const int64_t* rows, int64_t vector, int vectors, const T* slab, T* packed) const {
    const WindowPart* parts[2];
    int counts[2];
    for (int v = 0; v < vectors; ++v) {
      const auto at = static_cast<std::size_t>(vector + v);
      parts[v] = parts_.data() + first_part_[at];
      counts[v] = first_part_[at + 1] - first_part_[at];
    }
    kernels_.pack(k, rows, vectors, parts, counts, slab, packed);
  }

 private:
  const ConvKernels<T>& kernels_;
  int64_t lanes_;
  std::vector<WindowPart> parts_;
  std::vector<int> first_part_;
};

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
        k_block_(gemm_k_block(k_, kLongestBlock)),
        a_strips_(ceil_div(problem.rows, tiles_.rows)),
        strip_rows_(ceil_div(problem.rows, a_strips_)),
        a_rows_(a_strips_ * tiles_.rows),
        dense_(dense_result(problem)) {}

  void run() {
    const bool parallel = work_of(p_) >= kParallelWork;
    const Workspace<T> packed(p_.groups * a_rows_ * k_);
    pack_weight(packed.data(), parallel);
    // A task is some positions, and some rows where there would be too few tasks otherwise.
    const int64_t strips = ceil_div(positions_, cols_), units = p_.images * p_.groups;
    const int64_t across = ceil_div(
        strips, std::clamp<int64_t>(ceil_div(strips * units, kEnoughTasks), std::min<int64_t>(strips, 2), kMostStrips));
    const int64_t j_step = ceil_div(strips, across) * cols_;
    const int64_t down = std::clamp<int64_t>(kEnoughTasks / 2 / (units * across), 1, ceil_div(a_strips_, 4));
    const int64_t i_step = ceil_div(a_strips_, down) * strip_rows_;
    const int64_t tasks = across * units * down;
    const auto grain = static_cast<int64_t>(kTaskWork / work_of(p_) * static_cast<double>(tasks)) + 1;
    for_blocks(parallel, tasks, grain, [&](int64_t begin, int64_t end) {
      std::unique_ptr<Window> window;  // one for all the images that follow each other
      for (int64_t task = begin; task < end; ++task) {
        const int64_t i = task % down * i_step, unit = task / down % units, j = task / down / units * j_step;
        if (i >= p_.rows || j >= positions_) continue;
        if (window == nullptr || window->j0 != j) {
          window = std::make_unique<Window>(*this, j, std::min(j + j_step, positions_));
        }
        rectangle_of(*window, unit / p_.groups, unit % p_.groups, i, std::min(i + i_step, p_.rows), packed.data());
      }
    });
  }

 private:
  /// What is the same for positions [j0, j1) of all images.
  struct Window {
    Window(const Forward& f, int64_t begin, int64_t end)
        : j0(begin),
          j1(end),
          slab(f.p_.grid, begin, end),
          patches(f.kernels_, f.tiles_.lanes),
          rows(static_cast<std::size_t>(f.k_)),
          memory(std::min(f.p_.channels, (f.k_block_ + f.taps_ - 2) / f.taps_ + 1) * slab.channel(), f.tiles_.lanes),
          strip(gemm_longest_block * f.cols_) {
      std::vector<WindowRun> runs;
      slab.runs(runs);
      patches.set_positions(runs);
      slab.tap_offsets(rows.data());
      for (std::size_t q = static_cast<std::size_t>(f.taps_); q < rows.size(); ++q) {
        rows[q] = rows[q - static_cast<std::size_t>(f.taps_)] + slab.channel();
      }
    }
    int64_t j0, j1;
    ConvSlab slab;
    Patches<T> patches;
    std::vector<int64_t> rows;  // offsets of all k, from where channel 0 would lie
    SlabMemory<T> memory;
    Workspace<T> strip;
  };

  void pack_weight(T* packed, bool parallel) {
    const int64_t grain = std::max<int64_t>(1, 65536 / (k_ * tiles_.rows));
    for_blocks(parallel, p_.groups * a_strips_, grain, [&](int64_t begin, int64_t end) {
      for (int64_t s = begin; s < end; ++s) {
        const int64_t g = s / a_strips_, strip = s % a_strips_, i = strip * strip_rows_;
        if (i >= p_.rows) continue;
        for (int64_t q = 0; q < k_; q += k_block_) {
          const int64_t k = std::min(k_block_, k_ - q);
          tiles_.pack_rows(k, std::min(strip_rows_, p_.rows - i), p_.weight + (g * p_.rows + i) * k_ + q, k_, 1,
                           packed + g * a_rows_ * k_ + q * a_rows_ + strip * tiles_.rows * k);
        }
      }
    });
  }

  /// Rows [i0, i1) of one group, the window's positions of one image.
  void rectangle_of(const Window& window, int64_t n, int64_t g, int64_t i0, int64_t i1, const T* packed_a) {
    const int64_t j0 = window.j0, j1 = window.j1;
    T* const channel = p_.result + n * p_.result_image + (g * p_.rows + i0) * p_.result_channel;
    const Workspace<T> sparse(dense_ ? 1 : (i1 - i0) * (j1 - j0));
    GemmResult<T> result{channel + j0, p_.result_channel, 1};
    if (!dense_) result = {sparse.data(), j1 - j0, 1};
    // Added to the whole sum, as in a product; the direct loops begin their sums with it. Each saves a pass over the result.
    if (p_.bias != nullptr) {
      result.bias = p_.bias + g * p_.rows + i0;
      result.bias_row = 1;
    }
    const T* x = p_.source + n * p_.source_image + g * p_.channels * p_.source_channel;
    for (int64_t k0 = 0; k0 < k_; k0 += k_block_) {
      const int64_t k = std::min(k_block_, k_ - k0);
      const int64_t c0 = k0 / taps_, c1 = (k0 + k - 1) / taps_ + 1;
      window.slab.copy(kernels_, x + c0 * p_.source_channel, p_.source_channel, p_.source_stride, c1 - c0,
                       window.memory.data());
      const T* from = window.memory.data() - c0 * window.slab.channel();
      const T* a = packed_a + g * a_rows_ * k_ + k0 * a_rows_ + i0 / strip_rows_ * tiles_.rows * k;
      // Meanwhile the channels of the next block, or image, are brought near.
      const T* const ahead = x + c1 * p_.source_channel;
      rectangle(tiles_, 0, i1 - i0, 0, j1 - j0, k, Rows<T>{a, tiles_.rows * k, 1, tiles_.rows, strip_rows_},
                for_block(result, k0 == 0, k0 + k == k_), [&](int64_t j, int64_t, int vectors, int64_t place) {
                  T* const strip = window.strip.data() + place * k * cols_;
                  window.patches.pack(k, window.rows.data() + k0, j / tiles_.lanes, vectors, from, strip);
                  return Columns<T>{strip, vectors * tiles_.lanes, j == place * cols_ ? ahead : nullptr,
                                    strips_together(k) * cols_};
                });
    }
    if (!dense_) {
      for (int64_t i = 0; i < i1 - i0; ++i) {
        scatter_result(kernels_, p_, j0, j1, sparse.data() + i * (j1 - j0), channel + i * p_.result_channel);
      }
    }
  }

  const Correlation<T>& p_;
  const GemmKernels<T>& tiles_;
  const ConvKernels<T>& kernels_;
  const int64_t cols_, taps_, positions_, k_, k_block_;
  const int64_t a_strips_, strip_rows_, a_rows_;  // rows of the weight go evenly into strips as wide as a tile is high
  const bool dense_;
};

/// dweight = dy patches^T. The sum over positions is cut into units: so many images, or a piece of one.
template <class T>
class Weight {
 public:
  Weight(const Correlation<T>& problem, T* dweight)
      : p_(problem),
        dweight_(dweight),
        tiles_(gemm_kernels(T())),
        kernels_(conv_kernels(T())),
        cols_(2 * tiles_.lanes),
        taps_(problem.grid.all_taps()),
        positions_(problem.grid.all_positions()),
        n_(problem.channels * taps_),
        piece_(ceil_div(positions_, ceil_div(positions_, gemm_longest_block))),
        pieces_(ceil_div(positions_, piece_)),
        together_(pieces_ > 1 ? 1 : std::clamp<int64_t>(gemm_longest_block / positions_, 1, problem.images)),
        units_(ceil_div(problem.images, together_) * pieces_),
        a_strips_(ceil_div(problem.rows, tiles_.rows)),
        strip_rows_(ceil_div(problem.rows, a_strips_)),
        a_rows_(a_strips_ * tiles_.rows) {}

  void run() {
    const bool parallel = work_of(p_) >= kParallelWork;
    const int64_t strips = ceil_div(n_, cols_), across = ceil_div(strips, kWeightStrips);
    const int64_t j_step = ceil_div(strips, across) * cols_;
    // Blocks of units: as many as make enough tasks, of a size that depends on the shapes alone.
    const int64_t wanted = std::clamp<int64_t>(ceil_div(kWeightTasks, p_.groups * across), 1, units_);
    const int64_t per_block = ceil_div(units_, wanted), blocks = ceil_div(units_, per_block);
    const int64_t size = p_.groups * p_.rows * n_;
    const Workspace<T> partials(blocks > 1 ? blocks * size : 1);
    const int64_t tasks = blocks * p_.groups * across;
    const auto grain = static_cast<int64_t>(kTaskWork / work_of(p_) * static_cast<double>(tasks)) + 1;
    for_blocks(parallel, tasks, grain, [&](int64_t begin, int64_t end) {
      const int64_t k = together_ * piece_;
      const Workspace<T> packed(a_rows_ * k), strip((gemm_longest_block + 4) * cols_);
      for (int64_t task = begin; task < end; ++task) {
        const int64_t j = task % across * j_step, g = task / across % p_.groups, b = task / across / p_.groups;
        if (j >= n_) continue;
        T* const out = (blocks > 1 ? partials.data() + b * size : dweight_) + g * p_.rows * n_;
        block_of(g, j, std::min(j + j_step, n_), b * per_block, std::min((b + 1) * per_block, units_), packed.data(),
                 strip.data(), out);
      }
    });
    if (blocks == 1) return;
    for_blocks(parallel, size, 32768 / blocks + 1, [&](int64_t begin, int64_t end) {
      std::copy(partials.data() + begin, partials.data() + end, dweight_ + begin);
      for (int64_t b = 1; b < blocks; ++b) {
        const T* from = partials.data() + b * size;
        for (int64_t i = begin; i < end; ++i) dweight_[i] += from[i];
      }
    });
  }

 private:
  /// What is the same for positions [q0, q1) of all images and columns [j0, j1).
  struct Window {
    Window(const Weight& w, int64_t q_begin, int64_t q_end, int64_t j0, int64_t j1)
        : q0(q_begin),
          slab(w.p_.grid, q_begin, q_end),
          columns(static_cast<std::size_t>(j1 - j0)),
          slab_size(((j1 - 1) / w.taps_ + 1 - j0 / w.taps_) * slab.channel()),
          memory(w.together_ * slab_size, w.tiles_.lanes) {
      slab.runs(runs);
      std::vector<int64_t> tap_offsets(static_cast<std::size_t>(w.taps_));
      slab.tap_offsets(tap_offsets.data());
      for (int64_t j = j0; j < j1; ++j) {
        columns[static_cast<std::size_t>(j - j0)] =
            (j / w.taps_ - j0 / w.taps_) * slab.channel() + tap_offsets[static_cast<std::size_t>(j % w.taps_)];
      }
    }
    int64_t q0;
    ConvSlab slab;
    std::vector<WindowRun> runs;
    std::vector<int64_t> columns;
    int64_t slab_size;
    SlabMemory<T> memory;
  };

  /// Columns [j0, j1) of one group's gradient: the sum over units [first, last).
  void block_of(int64_t g, int64_t j0, int64_t j1, int64_t first, int64_t last, T* packed, T* strip, T* out) {
    const int64_t c0 = j0 / taps_, c1 = (j1 - 1) / taps_ + 1, batches = units_ / pieces_;
    std::unique_ptr<Window> window;
    for (int64_t unit = first; unit < last; ++unit) {
      const int64_t q0 = unit / batches * piece_, q1 = std::min(q0 + piece_, positions_), count = q1 - q0;
      const int64_t n0 = unit % batches * together_, images = std::min(together_, p_.images - n0);
      const int64_t k = images * count;
      if (window == nullptr || window->q0 != q0) window = std::make_unique<Window>(*this, q0, q1, j0, j1);
      T* const slabs = window->memory.data();
      for (int64_t n = 0; n < images; ++n) {
        window->slab.copy(kernels_, p_.source + (n0 + n) * p_.source_image + (g * p_.channels + c0) * p_.source_channel,
                          p_.source_channel, p_.source_stride, c1 - c0, slabs + n * window->slab_size);
        for (int64_t s = 0; s * strip_rows_ < p_.rows; ++s) {
          const int64_t i = s * strip_rows_;
          const T* dy = p_.result + (n0 + n) * p_.result_image + (g * p_.rows + i) * p_.result_channel + q0;
          tiles_.pack_rows(count, std::min(strip_rows_, p_.rows - i), dy, p_.result_channel, 1,
                           packed + (s * k + n * count) * tiles_.rows);
        }
      }
      GemmResult<T> result{out + j0, n_, 1};
      if (unit != first) result.beta = 1;
      rectangle(tiles_, 0, p_.rows, 0, j1 - j0, k, Rows<T>{packed, tiles_.rows * k, 1, tiles_.rows, strip_rows_},
                result, [&](int64_t j, int64_t filled, int vectors, int64_t place) {
                  const int64_t width = vectors * tiles_.lanes;
                  T* const at = strip + place * k * cols_;
                  for (int64_t n = 0; n < images; ++n) {
                    kernels_.pack_turned(filled, window->columns.data() + j, vectors, window->runs.data(),
                                         static_cast<int64_t>(window->runs.size()), slabs + n * window->slab_size,
                                         at + n * count * width);
                  }
                  return Columns<T>{at, width, nullptr, 0};
                });
    }
  }

  const Correlation<T>& p_;
  T* const dweight_;
  const GemmKernels<T>& tiles_;
  const ConvKernels<T>& kernels_;
  const int64_t cols_, taps_, positions_, n_, piece_, pieces_, together_, units_;
  const int64_t a_strips_, strip_rows_, a_rows_;
};

template <class T>
void solve(const Correlation<T>& p) {
  if (p.images == 0 || p.groups == 0 || p.rows == 0 || p.grid.all_positions() == 0) return;
  if (is_direct(p) || p.channels == 0 || p.grid.all_taps() == 0) return correlate_direct(p);
  Forward<T>(p).run();
}

template <class T>
void solve_weight(const Correlation<T>& p, T* dweight) {
  const int64_t size = p.groups * p.rows * p.channels * p.grid.all_taps();
  if (size == 0) return;
  if (p.images == 0 || p.grid.all_positions() == 0) {
    std::fill_n(dweight, size, T(0));
  } else if (is_direct_weight(p)) {
    correlate_weight_direct(p, dweight);
  } else {
    Weight<T>(p, dweight).run();
  }
}

}  // namespace

void correlate(const Correlation<float>& problem) { solve(problem); }
void correlate(const Correlation<double>& problem) { solve(problem); }
void correlate_weight(const Correlation<float>& problem, float* dweight) { solve_weight(problem, dweight); }
void correlate_weight(const Correlation<double>& problem, double* dweight) { solve_weight(problem, dweight); }

}  // namespace gradus::core::kernels
