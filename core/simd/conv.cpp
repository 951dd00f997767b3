// What convolutions ask of an instruction set: packing patches for the product's tiles, and the direct loops.
#include "core/simd/conv.h"

#include <cstddef>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/conv.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

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

// --- Directly, tap by tap -------------------------------------------------------------------------------------------

// Some taps, whose weights stay in registers: sums that begin with a number, or go on from what y holds.
template <int count, class T>
HWY_INLINE void direct_taps(const T* w, const int64_t* offsets, bool first, T bias, const T* x, int64_t x_row,
                            int64_t rows, int64_t n, T* y, int64_t y_row) {
  const Tag<T> d;
  constexpr int64_t lanes = kLanes<T>;
  const T* at[count];
  Vec<T> weight[count];
  for (int t = 0; t < count; ++t) {
    at[t] = x + offsets[t];
    weight[t] = hn::Set(d, w[t]);
  }
  const Vec<T> start = hn::Set(d, bias);
  const int64_t whole = n - n % lanes;
  const auto bytes = static_cast<std::size_t>(n - whole) * sizeof(T);
  HWY_ALIGN T last[lanes] = {};
  for (int64_t r = 0, r_x = 0; r < rows; ++r, r_x += x_row, y += y_row) {
    int64_t j = 0;
    for (; j < whole; j += lanes) {
      Vec<T> sum = first ? start : hn::LoadU(d, y + j);
      for (int t = 0; t < count; ++t) sum = hn::MulAdd(weight[t], hn::LoadU(d, at[t] + r_x + j), sum);
      hn::StoreU(sum, d, y + j);
    }
    if (j < n) {
      if (!first) std::memcpy(last, y + j, bytes);
      Vec<T> sum = first ? start : hn::Load(d, last);
      for (int t = 0; t < count; ++t) sum = hn::MulAdd(weight[t], hn::LoadU(d, at[t] + r_x + j), sum);
      hn::Store(sum, d, last);
      std::memcpy(y + j, last, bytes);
    }
  }
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
  static void forward(int count, const T* w, const int64_t* offsets, bool first, T bias, const T* x, int64_t x_row,
                      int64_t rows, int64_t n, T* y, int64_t y_row) {
    ((count == i + 1 ? direct_taps<i + 1>(w, offsets, first, bias, x, x_row, rows, n, y, y_row) : void()), ...);
  }
  static void weight(int count, const int64_t* offsets, const T* x, int64_t x_row, const T* dy, int64_t dy_row,
                     int64_t rows, int64_t n, T* sums) {
    ((count == i + 1 ? direct_weights<i + 1>(offsets, x, x_row, dy, dy_row, rows, n, sums) : void()), ...);
  }
};

template <class T>
void direct(int64_t taps, const T* w, const int64_t* offsets, T bias, const T* x, int64_t x_row, int64_t rows,
            int64_t n, T* y, int64_t y_row) {
  if (taps == 0) {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t j = 0; j < n; ++j) y[r * y_row + j] = bias;
    }
  }
  for (int64_t t = 0; t < taps; t += kMostTaps) {
    const int count = static_cast<int>(taps - t < kMostTaps ? taps - t : kMostTaps);
    Taps<T>::forward(count, w + t, offsets + t, t == 0, bias, x, x_row, rows, n, y, y_row);
  }
}

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
  static constexpr ConvKernels<T> kernels = {&pack_windows<T>, &pack_turned<T>, &copy_rows<T>, &direct<T>,
                                             &direct_weight<T>};
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
