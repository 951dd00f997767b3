// What convolutions ask of an instruction set: slabs, patches turned, and the direct loops.
#include "core/simd/conv.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/conv.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "core/simd/loops-inl.h"
#include "core/simd/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {
namespace {

// --- Patches as strips of the product's operand b -------------------------------------------------------------------

template <class T, int vectors>
void pack_turned_vectors(int64_t filled, const int64_t* offsets, const PositionRun* runs, int64_t run_count, const T* x,
                         T* packed) {
  constexpr int64_t lanes = kLanes<T>, block = kBlockLanes<T>, width = vectors * lanes;
  const T* from[vectors][lanes];
  for (int v = 0; v < vectors; ++v) {
    for (int64_t i = 0; i < lanes; ++i) {
      from[v][i] = x + offsets[std::min(v * lanes + i, filled - 1)];
    }
  }
  Vec<T> block_columns[block];
  for (int64_t r = 0; r < run_count; ++r) {
    // Whole blocks: what is read and written beyond a run's end, the next run writes again.
    for (int64_t p = 0; p < runs[r].count; p += block) {
      for (int v = 0; v < vectors; ++v) {
        load_transposed<T>(from[v], runs[r].offset + p, block_columns);
        for (int64_t q = 0; q < block; ++q) {
          hn::StoreU(block_columns[q], Tag<T>(), packed + (p + q) * width + v * lanes);
        }
      }
    }
    packed += runs[r].count * width;
  }
}

template <class T>
void pack_turned(int64_t filled, const int64_t* offsets, int vectors, const PositionRun* runs, int64_t run_count,
                 const T* x, T* packed) {
  if (vectors == 1) {
    pack_turned_vectors<T, 1>(filled, offsets, runs, run_count, x, packed);
  } else {
    pack_turned_vectors<T, 2>(filled, offsets, runs, run_count, x, packed);
  }
}

// --- Rows of a source into a slab -----------------------------------------------------------------------------------

// Short rows: a call of memcpy for each would cost more than the copying. The last vector of a row overlaps the one
// before; a row shorter than a vector takes one under a mask, where that costs nothing, or vectors of half the size.
template <class T, class D = Tag<T>>
void copy_rows(int64_t rows, int64_t n, const T* from, int64_t from_row, T* to, int64_t to_row) {
  const D d;
  constexpr auto lanes = static_cast<int64_t>(hn::MaxLanes(d));
  if (lanes > 1 && n < lanes) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
    const auto mask = hn::FirstN(d, static_cast<std::size_t>(n));
    for (int64_t r = 0; r < rows; ++r, from += from_row, to += to_row) {
      hn::BlendedStore(hn::MaskedLoad(mask, d, from), mask, d, to);
    }
#elif HWY_TARGET != HWY_SCALAR
    if constexpr (lanes > 1) copy_rows<T, hn::Half<D>>(rows, n, from, from_row, to, to_row);
#endif
    return;
  }
  for (int64_t r = 0; r < rows; ++r, from += from_row, to += to_row) {
    for (int64_t j = 0; j + lanes < n; j += lanes) hn::StoreU(hn::LoadU(d, from + j), d, to + j);
    hn::StoreU(hn::LoadU(d, from + n - lanes), d, to + n - lanes);
  }
}

template <class T>
void every_second(int64_t rows, int64_t n, const T* from, int64_t from_row, T* to, int64_t to_row) {
  [[maybe_unused]] const Tag<T> d;
  constexpr int64_t lanes = kLanes<T>;
  for (int64_t r = 0; r < rows; ++r, from += from_row, to += to_row) {
    if (lanes == 1 || n < lanes) {
      for (int64_t i = 0; i < n; ++i) to[i] = from[2 * i];
      continue;
    }
#if HWY_TARGET != HWY_SCALAR
    for (int64_t i = 0; i + lanes < n; i += lanes) {
      hn::StoreU(hn::ConcatEven(d, hn::LoadU(d, from + 2 * i + lanes), hn::LoadU(d, from + 2 * i)), d, to + i);
    }
    // The last vector overlaps the one before, and reads nothing behind its last element.
    const T* const x = from + 2 * (n - lanes);
    const Vec<T> low = hn::LoadU(d, x), high = hn::LoadU(d, x + lanes - 1);
    hn::StoreU(hn::ConcatUpperLower(d, hn::ConcatOdd(d, high, high), hn::ConcatEven(d, low, low)), d, to + n - lanes);
#endif
  }
}

// With masks that cost nothing, a vector at a time.
template <class T>
void spread(int64_t n, const T* from, T* to) {
  int64_t i = 0;
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  const Tag<T> d;
  const hn::RebindToSigned<Tag<T>> di;
  constexpr int64_t lanes = kLanes<T>;
  const auto number = hn::Iota(di, 0);
  const auto half = hn::ShiftRight<1>(number);
  const auto low = hn::IndicesFromVec(d, half);
  const auto high = hn::IndicesFromVec(d, hn::Add(half, hn::Set(di, lanes / 2)));
  const auto even = hn::RebindMask(d, hn::Eq(hn::And(number, hn::Set(di, 1)), hn::Zero(di)));
  for (; i + lanes <= n; i += lanes) {
    const Vec<T> v = hn::LoadU(d, from + i);
    hn::BlendedStore(hn::TableLookupLanes(v, low), even, d, to + 2 * i);
    hn::BlendedStore(hn::TableLookupLanes(v, high), even, d, to + 2 * i + lanes);
  }
#endif
  for (; i < n; ++i) to[2 * i] = from[i];
}

// --- Directly, where the slab lies -----------------------------------------------------------------------------------

// Most vectors of a slab cross a line of the cache, so that loading them takes twice as long as multiplying. Therefore each
// is used as often as can be: by all outputs that are computed side by side; or, where there is but one, by the positions
// and the taps below each other: row i of the positions and row t of the taps meet in row i + t of the slab.

// As many vectors of a few outputs as there are registers for.
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL || HWY_TARGET == HWY_NEON
template <int outs>
constexpr int kVectors = most_place_vectors;
#else
template <int outs>
constexpr int kVectors = outs == 1 ? most_place_vectors : most_place_vectors / 2;
#endif

// body(0), body(1), .. as constants: sums that are found by constants alone stay in registers.
template <class Body, int... i>
HWY_INLINE void for_constants(std::integer_sequence<int, i...>, const Body& body) {
  (body(std::integral_constant<int, i>()), ...);
}
template <int count, class Body>
HWY_INLINE void for_constants(const Body& body) {
  for_constants(std::make_integer_sequence<int, count>(), body);
}

// GCC would take the vector from memory at each use: it does not know what is behind the empty instruction.
template <class T>
HWY_INLINE Vec<T> load_once(const T* x) {
  Vec<T> v = hn::LoadU(Tag<T>(), x);
#if HWY_ARCH_X86 && HWY_COMPILER_GCC_ACTUAL
  asm("" : "+v"(v.raw));
#endif
  return v;
}

// The vectors of a place: how far they lie behind the first one in x and in y, and how many of their lanes are meant.
template <class T>
struct Layout {
  explicit HWY_INLINE Layout(const DirectLoop& loop)
      : beside(loop.beside), log(std::countr_zero(static_cast<unsigned>(loop.beside))) {
    for_constants<most_place_vectors>([&](auto v) HWY_ATTR {
      x[v] = (v >> log) * loop.x_row + (v & (beside - 1)) * kLanes<T>;
      y[v] = (v >> log) * loop.y_row + (v & (beside - 1)) * kLanes<T>;
    });
  }
  HWY_INLINE bool full(const Place& place) const {
    return place.rows * beside == most_place_vectors && place.cols == beside * kLanes<T>;
  }
  HWY_INLINE int64_t cols(const Place& place, int v) const {
    const int64_t left = place.cols - (v & (beside - 1)) * kLanes<T>;
    return v >> log < place.rows ? std::clamp<int64_t>(left, 0, kLanes<T>) : 0;
  }
  int beside, log;
  int64_t x[most_place_vectors], y[most_place_vectors];
};

template <int taps, int outs, int vectors, class T>
HWY_INLINE void add_taps(const DirectLoop& loop, const TapRun& run, const T* w, const T* const* at,
                         Vec<T> (&sum)[outs][vectors]) {
  w += run.first_tap;
  Vec<T> weight[outs][taps];
  for (int i = 0; i < outs; ++i) {
    for (int t = 0; t < taps; ++t) weight[i][t] = hn::Set(Tag<T>(), w[i * loop.w_out + t * loop.w_row]);
  }
  for_constants<taps == 1 ? vectors : vectors + taps - 1>([&](auto q) HWY_ATTR {
    const Vec<T> x = load_once(taps == 1 ? at[q] + run.offset : at[0] + run.offset + q * loop.x_row);
    for_constants<outs * taps>([&](auto n) HWY_ATTR {
      constexpr int i = n / taps, t = n % taps, v = q() - t;
      if constexpr (v >= 0 && v < vectors) sum[i][v] = hn::MulAdd(weight[i][t], x, sum[i][v]);
    });
  });
}

template <class T>
HWY_INLINE void put(Vec<T> v, T* to, int64_t cols, bool add) {
  const Tag<T> d;
  if (cols == 0) return;
  if (kLanes<T> == 1 || cols == kLanes<T>) {
    hn::StoreU(add ? hn::Add(hn::LoadU(d, to), v) : v, d, to);
  } else {
    const auto count = static_cast<std::size_t>(cols);
    StoreFirst(add ? hn::Add(LoadFirst(d, to, count), v) : v, d, to, count);
  }
}

template <int outs, class T>
void direct_outs(const DirectLoop& loop, const T* w, const T* bias, bool add, const T* x, T* y, int64_t y_out) {
  const Tag<T> d;
  constexpr int vectors = kVectors<outs>;
  const Layout<T> layout(loop);
  HWY_DASSERT(outs == 1 || std::all_of(loop.runs, loop.runs + loop.run_count, [](auto& r) { return r.taps == 1; }));
  Vec<T> start[outs];
  for (int i = 0; i < outs; ++i) start[i] = hn::Set(d, bias != nullptr ? bias[i] : T(0));
  for (const Place* place = loop.places; place != loop.places + loop.place_count; ++place) {
    const bool full = layout.full(*place);
    for (int first = 0; first < most_place_vectors && layout.cols(*place, first) > 0; first += vectors) {
      T* const to = y + place->result;
      const T* at[vectors];
      Vec<T> sum[outs][vectors];
      for (int v = 0; v < vectors; ++v) at[v] = x + place->source + layout.x[first + v];
      for_constants<outs * vectors>([&](auto n) HWY_ATTR { sum[n / vectors][n % vectors] = start[n / vectors]; });
      for (const TapRun* run = loop.runs; run != loop.runs + loop.run_count; ++run) {
        if (outs > 1 || run->taps == 1) {
          add_taps<1>(loop, *run, w, at, sum);
        } else if (run->taps == 2) {
          add_taps<2>(loop, *run, w, at, sum);
        } else {
          add_taps<3>(loop, *run, w, at, sum);
        }
      }
      if (full) {
        for_constants<outs * vectors>([&](auto n) HWY_ATTR {
          const Vec<T> v = sum[n / vectors][n % vectors];
          T* const out = to + layout.y[first + n % vectors] + n / vectors * y_out;
          hn::StoreU(add ? hn::Add(hn::LoadU(d, out), v) : v, d, out);
        });
        continue;
      }
      HWY_ALIGN T sums[outs * vectors][kLanes<T>];
      for_constants<outs * vectors>([&](auto n) HWY_ATTR { hn::Store(sum[n / vectors][n % vectors], d, sums[n]); });
      for (int n = 0; n < outs * vectors; ++n) {
        put<T>(hn::Load(d, sums[n]), to + layout.y[first + n % vectors] + n / vectors * y_out,
               layout.cols(*place, first + n % vectors), add);
      }
    }
  }
}

template <class T>
void direct(const DirectLoop& loop, int outs, const T* w, const T* bias, bool add, const T* x, T* y, int64_t y_out) {
  const auto run = outs == 1   ? &direct_outs<1, T>
                   : outs == 2 ? &direct_outs<2, T>
                   : outs == 3 ? &direct_outs<3, T>
                               : &direct_outs<4, T>;
  run(loop, w, bias, add, x, y, y_out);
}

// x where it is meant: what is not may be infinite.
template <class T>
HWY_INLINE Vec<T> mul_add_meant(const hn::Mask<Tag<T>>& meant, Vec<T> a, Vec<T> x, Vec<T> sum) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  return hn::IfThenElse(meant, hn::MulAdd(a, x, sum), sum);  // one instruction
#else
  return hn::MulAdd(a, hn::IfThenElseZero(meant, x), sum);
#endif
}

// What a place adds to the sums of so many runs of so many taps.
template <bool full, int runs, int taps, class T>
HWY_INLINE void add_place(const DirectLoop& loop, const TapRun* run, const Place& place, const Layout<T>& layout,
                          const T* x, const T* dy, Vec<T> (&sum)[runs * taps]) {
  const Tag<T> d;
  constexpr int vectors = most_place_vectors;
  const T *const at = x + place.source, *const from = dy + place.result;
  Vec<T> g[vectors];
  hn::Mask<Tag<T>> meant[vectors];
  for_constants<vectors>([&](auto v) HWY_ATTR {
    if constexpr (full) {
      g[v] = hn::LoadU(d, from + layout.y[v]);
    } else {
      const auto cols = static_cast<std::size_t>(layout.cols(place, v));
      meant[v] = hn::FirstN(d, cols);
      g[v] = LoadFirst(d, from + layout.y[v], cols);
    }
  });
  for_constants<runs*(taps == 1 ? vectors : vectors + taps - 1)>([&](auto n) HWY_ATTR {
    constexpr int i = n % runs, q = n / runs;
    const Vec<T> seen = load_once(at + run[i].offset + (taps == 1 ? layout.x[q] : q * loop.x_row));
    for_constants<taps>([&](auto t) HWY_ATTR {
      constexpr int v = q - t();
      if constexpr (v >= 0 && v < vectors) {
        Vec<T>& to = sum[i * taps + t];
        to = full ? hn::MulAdd(g[v], seen, to) : mul_add_meant<T>(meant[v], g[v], seen, to);
      }
    });
  });
}

// Of so many runs of so many taps.
template <int runs, int taps, class T>
HWY_INLINE void weight_sums(const DirectLoop& loop, const TapRun* run, const T* x, const T* dy, T* sums) {
  const Tag<T> d;
  const Layout<T> layout(loop);
  Vec<T> sum[runs * taps];
  for_constants<runs * taps>([&](auto n) HWY_ATTR { sum[n] = hn::Zero(d); });
  for (const Place* place = loop.places; place != loop.places + loop.place_count; ++place) {
    if (layout.full(*place)) {
      add_place<true, runs, taps>(loop, run, *place, layout, x, dy, sum);
    } else {
      add_place<false, runs, taps>(loop, run, *place, layout, x, dy, sum);
    }
  }
  for_constants<runs * taps>([&](auto n) HWY_ATTR {
    T* const to = sums + kLanes<T> * (run[n / taps].first_tap + n % taps * loop.w_row);
    hn::StoreU(hn::Add(hn::LoadU(d, to), sum[n]), d, to);
  });
}

// As many sums at a time as there are chains of additions to keep an adder busy, and registers.
constexpr int kMostSums = 9;

template <class T>
void direct_weight(const DirectLoop& loop, const T* x, const T* dy, T* sums) {
  const TapRun* const end = loop.runs + loop.run_count;
  for (const TapRun* run = loop.runs; run != end;) {
    int count = 0;  // runs of as many taps as the first one
    for_constants<most_run_taps>([&](auto before) HWY_ATTR {
      constexpr int taps = before() + 1, most = kMostSums / taps;
      if (run->taps != taps) return;
      while (count < most && run + count != end && run[count].taps == taps) ++count;
      for_constants<most>([&](auto i) HWY_ATTR {
        if (count == i + 1) weight_sums<i() + 1, taps>(loop, run, x, dy, sums);
      });
    });
    run += count;
  }
}

template <class T>
const ConvKernels<T>& kernels_of() {
  static constexpr ConvKernels<T> kernels = {&pack_turned<T>, &copy_rows<T>, &every_second<T>,
                                             &spread<T>,      &direct<T>,    &direct_weight<T>};
  return kernels;
}

}  // namespace

const ConvKernels<float>& conv_kernels_f32() { return kernels_of<float>(); }
const ConvKernels<double>& conv_kernels_f64() { return kernels_of<double>(); }

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::core::kernels {

HWY_EXPORT(conv_kernels_f32);
HWY_EXPORT(conv_kernels_f64);

const ConvKernels<float>& conv_kernels(float) { return HWY_DYNAMIC_DISPATCH(conv_kernels_f32)(); }
const ConvKernels<double>& conv_kernels(double) { return HWY_DYNAMIC_DISPATCH(conv_kernels_f64)(); }

}  // namespace gradus::core::kernels
#endif
