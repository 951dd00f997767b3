// What convolutions ask of an instruction set: packing patches for the product's tiles, and the direct loops.
#include "core/simd/conv.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/conv.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "core/simd/loops-inl.h"
#include "core/simd/pack-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {
namespace {

// --- Patches as strips of the product's operand b -------------------------------------------------------------------

template <class T>
void pack_vector(int64_t k, const int64_t* rows, const WindowPart* parts, int count, const T* x, T* packed,
                 int64_t width) {
  const Tag<T> d;
  const T* from = x + parts[0].offset;
  if (count == 1) {
    for (int64_t p = 0; p < k; ++p) hn::StoreU(hn::LoadU(d, from + rows[p]), d, packed + p * width);
  } else if (count == 2) {
    const auto left = hn::FirstN(d, static_cast<std::size_t>(parts[1].begin));
    const T* other = x + parts[1].offset;
    for (int64_t p = 0; p < k; ++p) {
      const int64_t row = rows[p];
      hn::StoreU(hn::IfThenElse(left, hn::LoadU(d, from + row), hn::LoadU(d, other + row)), d, packed + p * width);
    }
  } else {
    for (int64_t p = 0; p < k; ++p) {
      Vec<T> v = hn::LoadU(d, from + rows[p]);
      for (int s = 1; s < count; ++s) {
        const auto left = hn::FirstN(d, static_cast<std::size_t>(parts[s].begin));
        v = hn::IfThenElse(left, v, hn::LoadU(d, x + parts[s].offset + rows[p]));
      }
      hn::StoreU(v, d, packed + p * width);
    }
  }
}

template <class T>
void pack_windows(int64_t k, const int64_t* rows, int vectors, const WindowPart* const* parts, const int* counts,
                  const T* x, T* packed) {
  constexpr int64_t lanes = kLanes<T>;
  for (int v = 0; v < vectors; ++v) pack_vector(k, rows, parts[v], counts[v], x, packed + v * lanes, vectors * lanes);
}

template <class T, int vectors>
void pack_windows_turned(int64_t filled, const int64_t* columns, const WindowRun* runs, int64_t run_count, const T* x,
                         T* packed) {
  constexpr int64_t lanes = kLanes<T>, block = kBlock<T>, width = vectors * lanes;
  const T* rows[vectors][lanes];
  for (int v = 0; v < vectors; ++v) {
    for (int64_t i = 0; i < lanes; ++i) {
      const int64_t column = v * lanes + i;
      rows[v][i] = x + columns[column < filled ? column : filled - 1];
    }
  }
  Vec<T> block_columns[block];
  for (int64_t r = 0; r < run_count; ++r) {
    // Whole blocks: what is read and written beyond a run's end, the next run writes again.
    for (int64_t p = 0; p < runs[r].count; p += block) {
      for (int v = 0; v < vectors; ++v) {
        load_transposed<T>(rows[v], runs[r].offset + p, block_columns);
        for (int64_t q = 0; q < block; ++q) {
          hn::StoreU(block_columns[q], Tag<T>(), packed + (p + q) * width + v * lanes);
        }
      }
    }
    packed += runs[r].count * width;
  }
}

template <class T>
void pack_turned(int64_t filled, const int64_t* columns, int vectors, const WindowRun* runs, int64_t run_count,
                 const T* x, T* packed) {
  if (vectors == 1) {
    pack_windows_turned<T, 1>(filled, columns, runs, run_count, x, packed);
  } else {
    pack_windows_turned<T, 2>(filled, columns, runs, run_count, x, packed);
  }
}

// --- Rows of a source into a slab -----------------------------------------------------------------------------------

// Short rows: a call of memcpy for each would cost more than the copying. The last vector of a row overlaps the one
// before.
template <class T>
void copy_rows(int64_t rows, int64_t n, const T* from, int64_t from_row, T* to, int64_t to_row) {
  const Tag<T> d;
  constexpr int64_t lanes = kLanes<T>;
  if (n < lanes) {
    for (int64_t r = 0; r < rows; ++r, from += from_row, to += to_row) {
      for (int64_t j = 0; j < n; ++j) to[j] = from[j];
    }
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

// As many sums as there are registers for: vectors of a few outputs, each element of x read once for all of them. Vectors
// are parts of rows; where fewer are left, the last one is computed again, and not written.
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL || HWY_TARGET == HWY_NEON
constexpr int kDirectVectors = 4;
#else
constexpr int kDirectVectors = 2;
#endif

template <int outs, class T>
HWY_INLINE void direct_outs(int64_t k, const T* w, int64_t w_out, const int64_t* offsets, const T* bias, bool add,
                            const T* x, int64_t x_row, int64_t rows, int64_t n, T* y, int64_t y_out, int64_t y_row) {
  const Tag<T> d;
  constexpr int64_t lanes = kLanes<T>;
  constexpr int vectors = kDirectVectors;
  Vec<T> start[outs];
  for (int i = 0; i < outs; ++i) start[i] = hn::Set(d, bias != nullptr ? bias[i] : T(0));
  const T* at[vectors];
  for (int64_t r = 0, j = 0; r < rows;) {
    T* to[vectors] = {};
    int64_t filled[vectors];
    for (int v = 0; v < vectors; ++v) {
      if (r == rows) {
        at[v] = at[v - 1];
        filled[v] = 0;
        continue;
      }
      at[v] = x + r * x_row + j;
      to[v] = y + r * y_row + j;
      filled[v] = std::min(lanes, n - j);
      j += lanes;
      if (j >= n) ++r, j = 0;
    }
    Vec<T> sum[outs][vectors];
    for (int i = 0; i < outs; ++i) {
      for (int v = 0; v < vectors; ++v) sum[i][v] = start[i];
    }
    for (int64_t p = 0; p < k; ++p) {
      const int64_t offset = offsets[p];
      Vec<T> at_tap[vectors];
      for (int v = 0; v < vectors; ++v) at_tap[v] = hn::LoadU(d, at[v] + offset);
      for (int i = 0; i < outs; ++i) {
        const Vec<T> weight = hn::Set(d, w[i * w_out + p]);
        for (int v = 0; v < vectors; ++v) sum[i][v] = hn::MulAdd(weight, at_tap[v], sum[i][v]);
      }
    }
    for (int v = 0; v < vectors; ++v) {
      if (filled[v] == 0) break;
      for (int i = 0; i < outs; ++i) {
        T* const out = to[v] + i * y_out;
        if (lanes == 1 || filled[v] == lanes) {
          hn::StoreU(add ? hn::Add(hn::LoadU(d, out), sum[i][v]) : sum[i][v], d, out);
        } else {
          const auto count = static_cast<std::size_t>(filled[v]);
          StoreFirst(add ? hn::Add(LoadFirst(d, out, count), sum[i][v]) : sum[i][v], d, out, count);
        }
      }
    }
  }
}

template <class T>
void direct(int64_t k, int outs, const T* w, int64_t w_out, const int64_t* offsets, const T* bias, bool add, const T* x,
            int64_t x_row, int64_t rows, int64_t n, T* y, int64_t y_out, int64_t y_row) {
  const auto run = outs == 1   ? &direct_outs<1, T>
                   : outs == 2 ? &direct_outs<2, T>
                   : outs == 3 ? &direct_outs<3, T>
                               : &direct_outs<4, T>;
  run(k, w, w_out, offsets, bias, add, x, x_row, rows, n, y, y_out, y_row);
}

template <int count, class T>
HWY_INLINE void direct_weights(const int64_t* offsets, const T* x, int64_t x_row, const T* dy, int64_t dy_row,
                               int64_t rows, int64_t n, T* sums) {
  const Tag<T> d;
  constexpr int64_t lanes = kLanes<T>;
  const T* at[count];
  Vec<T> sum[count];
  for (int t = 0; t < count; ++t) {
    at[t] = x + offsets[t];
    sum[t] = hn::Zero(d);
  }
  const int64_t whole = n - n % lanes;
  const auto rest = hn::FirstN(d, static_cast<std::size_t>(n - whole));
  HWY_ALIGN T last[lanes] = {};
  for (int64_t r = 0; r < rows; ++r, dy += dy_row) {
    int64_t j = 0;
    for (; j < whole; j += lanes) {
      const Vec<T> g = hn::LoadU(d, dy + j);
      for (int t = 0; t < count; ++t) sum[t] = hn::MulAdd(g, hn::LoadU(d, at[t] + r * x_row + j), sum[t]);
    }
    if (j < n) {
      std::memcpy(last, dy + j, static_cast<std::size_t>(n - j) * sizeof(T));
      const Vec<T> g = hn::Load(d, last);
      for (int t = 0; t < count; ++t) {
        sum[t] = hn::MulAdd(g, hn::IfThenElseZero(rest, hn::LoadU(d, at[t] + r * x_row + j)), sum[t]);
      }
    }
  }
  for (int t = 0; t < count; ++t) sums[t] = hn::GetLane(hn::SumOfLanes(d, sum[t]));
}

// As many taps at a time as there are chains of additions to keep an adder busy, and registers.
constexpr int kMostTaps = 9;

template <class T, class Counts = std::make_integer_sequence<int, kMostTaps>>
struct Taps;
template <class T, int... i>
struct Taps<T, std::integer_sequence<int, i...>> {
  static void weight(int count, const int64_t* offsets, const T* x, int64_t x_row, const T* dy, int64_t dy_row,
                     int64_t rows, int64_t n, T* sums) {
    ((count == i + 1 ? direct_weights<i + 1>(offsets, x, x_row, dy, dy_row, rows, n, sums) : void()), ...);
  }
};

template <class T>
void direct_weight(int64_t taps, const int64_t* offsets, const T* x, int64_t x_row, const T* dy, int64_t dy_row,
                   int64_t rows, int64_t n, T* sums) {
  for (int64_t t = 0; t < taps; t += kMostTaps) {
    const int count = static_cast<int>(taps - t < kMostTaps ? taps - t : kMostTaps);
    Taps<T>::weight(count, offsets + t, x, x_row, dy, dy_row, rows, n, sums + t);
  }
}

template <class T>
const ConvKernels<T>& kernels_of() {
  static constexpr ConvKernels<T> kernels = {&pack_windows<T>, &pack_turned<T>, &copy_rows<T>,    &every_second<T>,
                                             &spread<T>,       &direct<T>,      &direct_weight<T>};
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
