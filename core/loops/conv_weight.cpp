// The gradient with respect to the weight: dweight = dy patches^T. The sum over positions is cut into units: so many images,
// or a piece of one. There are two ways:
//
// By shifts. The patches of all taps that differ only along the dimension in which the slab slides are the same lines of the
// slab, shifted. So for each shift there is a product whose one operand is the slab as it lies; its vectors run along the
// outputs, for which dy is turned once for all shifts. Nothing else is packed; the sums are turned in the end.
//
// By columns, where the outputs are too few for vectors, or images so small that several make a unit: vectors run along
// the channels and taps of an output's weight, and strips of patches are turned on the way, from a slab that holds nothing
// twice.
#include <algorithm>
#include <memory>
#include <vector>

#include "conv_loops.h"
#include "conv_slab.h"
#include "gemm_tiles.h"

namespace gradus::core::kernels {
namespace {

constexpr int64_t kManyPositions = 160;  // of a row or plane that pieces do not go beyond
constexpr int64_t kStrips = 12;          // by columns: of a task, for all of which dy is packed once
constexpr int64_t kTasks = 16;           // each of which has sums of its own
constexpr int64_t kTurning = 8;          // what turning a vector takes, in rows of a tile
constexpr int64_t kFewestChains = 12;    // of additions, that keep the adders busy

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
        pieces_(problem.grid, gemm_longest_block, 1, kManyPositions),
        together_(pieces_.count() > 1 ? 1 : std::clamp<int64_t>(gemm_longest_block / positions_, 1, problem.images)),
        batches_(ceil_div(problem.images, together_)),
        units_(batches_ * pieces_.count()),
        size_(problem.groups * problem.outs * n_),
        strips_(problem.outs, tiles_.rows),
        shifts_(problem.grid.taps[pieces_.sliding()]),
        by_shifts_(together_ == 1 && shifts_are_better()) {}

  void run() {
    const bool parallel = work_of(p_) >= kParallelWork;
    const ConvSlab slab(p_.grid, pieces_.begin(0), pieces_.end(0), sliding());
    const int64_t most = by_shifts_ ? kSlabElements / slab.channel() : kStrips * cols_ / taps_;  // channels of a task
    const int64_t across = ceil_div(p_.channels, std::max<int64_t>(most, 1));
    const int64_t c_step = ceil_div(p_.channels, across);
    // Blocks of units: as many as make enough tasks, of a size that depends on the shapes alone.
    const int64_t wanted = std::clamp<int64_t>(ceil_div(kTasks, p_.groups * across), 1, units_);
    const int64_t per_block = ceil_div(units_, wanted), blocks = ceil_div(units_, per_block);
    const Workspace<T> partials(std::max<int64_t>(by_shifts_ ? blocks : blocks - 1, 1) * size_);
    const auto sums = [&](int64_t b) {
      return by_shifts_ || b > 0 ? partials.data() + (by_shifts_ ? b : b - 1) * size_ : dweight_;
    };
    const int64_t tasks = blocks * p_.groups * across;
    const int64_t grain = task_grain(kTaskWork, work_of(p_) / static_cast<double>(tasks));
    for_blocks(parallel, tasks, grain, [&](int64_t begin, int64_t end) {
      const Workspace<T> packed(by_shifts_ ? 1 : strips_.room * together_ * pieces_.largest());
      const Workspace<T> strip((gemm_longest_block + 4) * cols_);
      std::unique_ptr<Window> window;
      for (int64_t task = begin; task < end; ++task) {
        const int64_t c = task % across * c_step, g = task / across % p_.groups, b = task / across / p_.groups;
        if (c >= p_.channels) continue;
        block_of(g, c, std::min(c + c_step, p_.channels), b * per_block, std::min((b + 1) * per_block, units_), window,
                 packed.data(), strip.data(), sums(b) + g * p_.outs * n_);
      }
    });
    for_blocks(parallel && blocks > 1, size_, 32768 / blocks + 1, [&](int64_t begin, int64_t end) {
      const GemmResult<T> sum{sums(0) + begin, 0, 1, T(1), T(1)};
      for (int64_t b = 1; b < blocks; ++b) tiles_.finish(sums(b) + begin, 0, sum, 1, end - begin);
    });
    if (by_shifts_) put_in_order(slab, sums(0), parallel);
  }

 private:
  /// In vectors of products.
  bool shifts_are_better() const {
    const int64_t lanes = tiles_.lanes, outs = p_.outs;
    const int64_t by_shifts = shifts_ * std::max(ceil_div(outs, lanes) * (n_ / shifts_), kFewestChains);
    return by_shifts <= ceil_div(n_, lanes) * (outs + kTurning);
  }

  int sliding() const { return by_shifts_ ? pieces_.sliding() : ConvSlab::everywhere; }

  /// What is the same for one piece of all images and so many channels.
  struct Window {
    Window(const Weight& w, int64_t number, int64_t of_channels)
        : piece(number),
          channels(of_channels),
          slab(w.p_.grid, w.pieces_.begin(number), w.pieces_.end(number), w.sliding()),
          image(slab.elements(channels)),
          runs(slab.runs(w.pieces_.begin(number), w.pieces_.end(number))),
          memory(slab.elements(w.together_ * channels), w.tiles_.lanes) {
      const std::vector<int64_t> taps = slab.tap_offsets();
      for (int64_t c = 0; c < channels; ++c) {
        for (const int64_t tap : taps) offsets.push_back(c * slab.channel() + tap);
      }
      for (const int64_t tap : taps) {
        if (tap < slab.line()) shifts.push_back(slab.first() + tap);
      }
    }
    int64_t piece, channels;
    ConvSlab slab;
    int64_t image;                         // elements of an image's slab
    std::vector<int64_t> offsets, shifts;  // of all channels and taps; of the shifts
    std::vector<PositionRun> runs;
    SlabMemory<T> memory;
  };
  /// A part of the sum: so many images, `count` positions of each.
  struct Unit {
    const Window& window;
    const T* dy;
    int64_t images, count, c0, c1;
    bool first;
    const T* next;  // what the slab of the next unit is copied from, about
  };

  /// Channels [c0, c1) of one group: the sum over units [first, last). `window` is that of the last unit before, if any.
  void block_of(int64_t g, int64_t c0, int64_t c1, int64_t first, int64_t last, std::unique_ptr<Window>& window,
                T* packed, T* strip, T* out) {
    for (int64_t unit = first; unit < last; ++unit) {
      const int64_t piece = unit / batches_, n0 = unit % batches_ * together_;
      const int64_t images = std::min(together_, p_.images - n0), begin = pieces_.begin(piece);
      if (window == nullptr || window->piece != piece || window->channels != c1 - c0) {
        window = std::make_unique<Window>(*this, piece, c1 - c0);
      }
      for (int64_t n = 0; n < images; ++n) {
        window->slab.copy(kernels_, p_.source + (n0 + n) * p_.source_image + (g * p_.channels + c0) * p_.source_channel,
                          p_.source_channel, p_.source_stride, c1 - c0, window->memory.data() + n * window->image);
      }
      const T* dy = p_.result + n0 * p_.result_image + g * p_.outs * p_.result_channel + begin;
      const Unit u{*window,
                   dy,
                   images,
                   pieces_.end(piece) - begin,
                   c0,
                   c1,
                   unit == first,
                   p_.source + (n0 + images) * p_.source_image + (g * p_.channels + c0) * p_.source_channel};
      if (by_shifts_) {
        add_by_shifts(u, strip, out);
      } else {
        add_by_columns(u, packed, strip, out);
      }
    }
  }

  /// out[shift][line of the slab][output]
  void add_by_shifts(const Unit& u, T* strip, T* out) const {
    const ConvSlab& slab = u.window.slab;
    const int64_t lines = (u.c1 - u.c0) * slab.lines(), height = even_rows(lines, tiles_.rows);
    for (int64_t j = 0; j < p_.outs; j += cols_) {
      const int64_t cols = std::min(cols_, p_.outs - j), vectors = ceil_div(cols, tiles_.lanes);
      tiles_.pack_cols[vectors - 1](u.count, cols, u.dy + j * p_.result_channel, p_.result_channel, 1, strip);
      for (int64_t s = 0; s < shifts_; ++s) {
        T* const to = out + (s * (n_ / shifts_) + u.c0 * slab.lines()) * p_.outs + j;
        const T* x = u.window.memory.data() + u.window.shifts[static_cast<std::size_t>(s)];
        // Meanwhile the outputs of dy that are turned next are brought near, and a part of the next slab's source.
        const T* const ahead = s == 0   ? u.dy + (j + cols_) * p_.result_channel
                               : s == 1 ? u.next + j * u.count
                                        : nullptr;
        rectangle(tiles_, tiles_.straight, 0, lines, 0, cols, u.count,
                  Rows<T>{x, height * slab.line(), slab.line(), 1, height},
                  GemmResult<T>{to, p_.outs, 1, T(1), u.first ? T(0) : T(1)}, [&](int64_t, int64_t, int, int64_t) {
                    return Columns<T>{strip, vectors * tiles_.lanes, ahead, cols_};
                  });
      }
    }
  }

  /// out[output][channel and tap]
  void add_by_columns(const Unit& u, T* packed, T* strip, T* out) const {
    const int64_t k = u.images * u.count;
    for (int64_t s = 0; s < strips_.count; ++s) {
      const int64_t i = s * strips_.height;
      for (int64_t n = 0; n < u.images; ++n) {
        tiles_.pack_rows(u.count, std::min(strips_.height, p_.outs - i),
                         u.dy + n * p_.result_image + i * p_.result_channel, p_.result_channel, 1,
                         packed + (s * k + n * u.count) * strips_.tile);
      }
    }
    rectangle(tiles_, tiles_.straight, 0, p_.outs, 0, (u.c1 - u.c0) * taps_, k,
              Rows<T>{packed, strips_.tile * k, 1, strips_.tile, strips_.height},
              GemmResult<T>{out + u.c0 * taps_, n_, 1, T(1), u.first ? T(0) : T(1)},
              [&](int64_t j, int64_t filled, int vectors, int64_t place) {
                const int64_t width = vectors * tiles_.lanes;
                T* const at = strip + place * k * cols_;
                for (int64_t n = 0; n < u.images; ++n) {
                  kernels_.pack_turned(filled, u.window.offsets.data() + j, vectors, u.window.runs.data(),
                                       static_cast<int64_t>(u.window.runs.size()),
                                       u.window.memory.data() + n * u.window.image, at + n * u.count * width);
                }
                return Columns<T>{at, width, nullptr, 0};
              });
  }

  /// From what add_by_shifts wrote to the weight.
  void put_in_order(const ConvSlab& slab, const T* sums, bool parallel) const {
    const int64_t outs = p_.outs, group = outs * n_;
    const std::vector<int64_t> taps = slab.tap_offsets();
    int64_t inner = 1;  // taps from one shift to the next
    for (int d = pieces_.sliding() + 1; d < conv_dims; ++d) inner *= p_.grid.taps[d];
    constexpr int64_t kTogether = 64 / sizeof(T);  // elements of a line of the cache
    const int64_t parts = ceil_div(n_, kTogether);
    for_blocks(parallel, p_.groups * parts, 32768 / (kTogether * outs) + 1, [&](int64_t begin, int64_t end) {
      const Workspace<T> some(kTogether * outs);
      for (int64_t part = begin; part < end; ++part) {
        const int64_t g = part / parts, j0 = part % parts * kTogether, count = std::min(kTogether, n_ - j0);
        for (int64_t j = j0; j < j0 + count; ++j) {
          const int64_t c = j / taps_, t = j % taps_, shift = t / inner % shifts_;
          const int64_t line = c * slab.lines() + taps[static_cast<std::size_t>(t)] / slab.line();
          const T* from = sums + g * group + (shift * (n_ / shifts_) + line) * outs;
          std::copy(from, from + outs, some.data() + (j - j0) * outs);
        }
        tiles_.finish(some.data(), outs, {dweight_ + g * group + j0, 1, n_}, count, outs);
      }
    });
  }

  const Correlation<T>& p_;
  T* const dweight_;
  const GemmKernels<T>& tiles_;
  const ConvKernels<T>& kernels_;
  const int64_t cols_, taps_, positions_, n_;  // n_: channels times taps
  const Pieces pieces_;
  const int64_t together_, batches_, units_, size_;
  const TileStrips strips_;
  const int64_t shifts_;
  const bool by_shifts_;
};

template <class T>
void solve(const Correlation<T>& p, T* dweight) {
  const int64_t size = p.groups * p.outs * p.channels * p.grid.all_taps();
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

void correlate_weight(const Correlation<float>& problem, float* dweight) { solve(problem, dweight); }
void correlate_weight(const Correlation<double>& problem, double* dweight) { solve(problem, dweight); }

}  // namespace gradus::core::kernels
