#include "copy.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>
#include <utility>

#include "../threads/parallel.h"
#include "plan.h"
#include "recording.h"
#include "../simd/contiguous.h"
#include "../simd/convert.h"
#include "../simd/transpose.h"

namespace gradus::core::kernels {
namespace {

template <DType>
struct ElementOf;
template <>
struct ElementOf<kBool> {
  using type = bool;
};
template <>
struct ElementOf<kUInt8> {
  using type = std::uint8_t;
};
template <>
struct ElementOf<kInt8> {
  using type = std::int8_t;
};
template <>
struct ElementOf<kInt16> {
  using type = std::int16_t;
};
template <>
struct ElementOf<kFloat16> {
  using type = Half;
};
template <>
struct ElementOf<kBFloat16> {
  using type = BFloat16;
};
template <>
struct ElementOf<kInt32> {
  using type = std::int32_t;
};
template <>
struct ElementOf<kInt64> {
  using type = std::int64_t;
};
template <>
struct ElementOf<kFloat32> {
  using type = float;
};
template <>
struct ElementOf<kFloat64> {
  using type = double;
};

template <class T>
constexpr bool kIsHalf = std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>;
/// The type by way of which numbers are converted: float16 and bfloat16 by float32, as PyTorch's; floating numbers to narrow
/// integers by int32, whose low bits those are. void: straight.
template <class To, class From>
using MiddleOf =
    std::conditional_t<HasConversionKernel<To, From>, void,
                       std::conditional_t<kIsHalf<To> || kIsHalf<From>, float,
                                          std::conditional_t<std::is_floating_point_v<From> && std::is_integral_v<To> &&
                                                                 sizeof(To) < 4 && !std::is_same_v<To, bool>,
                                                             std::int32_t, void>>>;
template <class To, class From>
constexpr bool kIsPlain = !HasConversionKernel<To, From> && std::is_void_v<MiddleOf<To, From>>;

/// How many elements are converted at once where they pass through a buffer.
constexpr std::int64_t kRun = 512;

template <class To, class From>
void convert_row(To* to, const From* from, std::int64_t n) {
  if constexpr (HasConversionKernel<To, From>) {
    convert(to, from, static_cast<std::size_t>(n));
  } else if constexpr (!kIsPlain<To, From>) {
    MiddleOf<To, From> middle[kRun];
    for (std::int64_t i = 0; i < n; i += kRun) {
      const std::int64_t run = std::min(n - i, kRun);
      convert_row(middle, from + i, run);
      convert_row(to + i, middle, run);
    }
  } else {
    for (std::int64_t i = 0; i < n; ++i) to[i] = static_cast<To>(from[i]);
  }
}

template <class T>
void copy_row(T* to, const T* from, std::int64_t n) {
  const std::size_t bytes = static_cast<std::size_t>(n) * sizeof(T);
  const bool apart = ((reinterpret_cast<std::uintptr_t>(to) ^ reinterpret_cast<std::uintptr_t>(from)) & 63) != 0;
  if (bytes >= 1024 && apart) return copy_bytes(to, from, bytes);
  std::memcpy(to, from, bytes);
}

/// An element again and again, as fill_pattern wants it.
std::uint64_t pattern_of(const void* element, std::size_t size) {
  std::uint64_t pattern = 0;
  for (std::size_t i = 0; i < 8; i += size) std::memcpy(reinterpret_cast<char*>(&pattern) + i, element, size);
  return pattern;
}

/// Rows shorter than this are copied column by column.
constexpr std::int64_t kNarrow = 8;

template <class T>
void copy_tile(char* to, std::int64_t to_row, std::int64_t to_col, const char* from, std::int64_t from_row,
               std::int64_t from_col, std::int64_t rows, std::int64_t cols) {
  constexpr std::int64_t size = sizeof(T);
  if constexpr (size >= 4) {
    using Moved = std::conditional_t<size == 4, std::uint32_t, std::uint64_t>;
    if (from_row == size && from_col > size && to_col == size && rows > 1) {
      return transpose_tile(reinterpret_cast<Moved*>(to), to_row, reinterpret_cast<const Moved*>(from), from_col, rows,
                            cols);
    }
  }
  if (cols < kNarrow && rows > cols) {
    std::swap(rows, cols);
    std::swap(to_row, to_col);
    std::swap(from_row, from_col);
  }
  for (std::int64_t r = 0; r < rows; ++r, to += to_row, from += from_row) {
    T* const out = reinterpret_cast<T*>(to);
    if (to_col == size && from_col == size) {
      copy_row(out, reinterpret_cast<const T*>(from), cols);
    } else if (to_col == size && from_col == 0 && cols * size >= 256) {
      fill_pattern(out, static_cast<std::size_t>(cols * size), pattern_of(from, sizeof(T)));
    } else if (from_col == 0) {
      const T value = *reinterpret_cast<const T*>(from);
      for (std::int64_t c = 0; c < cols; ++c) *reinterpret_cast<T*>(to + c * to_col) = value;
    } else {
      for (std::int64_t c = 0; c < cols; ++c) {
        *reinterpret_cast<T*>(to + c * to_col) = *reinterpret_cast<const T*>(from + c * from_col);
      }
    }
  }
}

/// Rows of so many elements are converted where they lie; shorter ones are gathered first.
constexpr std::int64_t kRowConversion = 32;

template <class To, class From>
void convert_tile(char* to, std::int64_t to_row, std::int64_t to_col, const char* from, std::int64_t from_row,
                  std::int64_t from_col, std::int64_t rows, std::int64_t cols) {
  constexpr std::int64_t to_size = sizeof(To), from_size = sizeof(From);
  const bool dense = to_col == to_size && from_col == from_size;
  if (from_col == 0) {  // one number a row
    for (std::int64_t r = 0; r < rows; ++r, to += to_row, from += from_row) {
      To value;
      convert_row(&value, reinterpret_cast<const From*>(from), 1);
      copy_tile<To>(to, 0, to_col, reinterpret_cast<const char*>(&value), 0, 0, 1, cols);
    }
  } else if (dense && (kIsPlain<To, From> || rows == 1 || cols >= kRowConversion)) {
    for (std::int64_t r = 0; r < rows; ++r, to += to_row, from += from_row) {
      convert_row(reinterpret_cast<To*>(to), reinterpret_cast<const From*>(from), cols);
    }
  } else if constexpr (kIsPlain<To, From>) {
    for (std::int64_t r = 0; r < rows; ++r, to += to_row, from += from_row) {
      for (std::int64_t c = 0; c < cols; ++c) {
        *reinterpret_cast<To*>(to + c * to_col) = static_cast<To>(*reinterpret_cast<const From*>(from + c * from_col));
      }
    }
  } else {  // kernels want dense elements: gathered, converted and written from buffers
    From gathered[kRun];
    To results[kRun];
    const std::int64_t width = std::min(cols, kRun), height = kRun / std::max<std::int64_t>(width, 1);
    for (std::int64_t r = 0; r < rows; r += height) {
      const std::int64_t h = std::min(height, rows - r);
      for (std::int64_t c = 0; c < cols; c += width) {
        const std::int64_t w = std::min(width, cols - c);
        copy_tile<From>(reinterpret_cast<char*>(gathered), w * from_size, from_size, from + r * from_row + c * from_col,
                        from_row, from_col, h, w);
        convert_row(results, gathered, h * w);
        copy_tile<To>(to + r * to_row + c * to_col, to_row, to_col, reinterpret_cast<const char*>(results), w * to_size,
                      to_size, h, w);
      }
    }
  }
}

/// True is the byte 1, and compilers make vectors of bytes. Between equal dtypes only the width matters.
template <DType To, DType From>
constexpr TileCopy tile_copy_of() {
  if constexpr (To != From) {
    return convert_tile<typename ElementOf<To>::type, typename ElementOf<From == kBool ? kUInt8 : From>::type>;
  } else {
    return size_of(To) == 1   ? copy_tile<std::uint8_t>
           : size_of(To) == 2 ? copy_tile<std::uint16_t>
           : size_of(To) == 4 ? copy_tile<std::uint32_t>
                              : copy_tile<std::uint64_t>;
  }
}

template <std::size_t... I>
constexpr std::array<TileCopy, sizeof...(I)> make_table(std::index_sequence<I...>) {
  return {tile_copy_of<static_cast<DType>(I / kDTypeCount), static_cast<DType>(I % kDTypeCount)>()...};
}
constexpr auto kTileCopies = make_table(std::make_index_sequence<kDTypeCount * kDTypeCount>());

/// Runs a plan of two operands: out, src.
void copy_planned(Plan& plan, DType to, DType from) {
  plan.finish();
  const bool rows = plan.col_stride(0) == size_of(to) && plan.col_stride(1) == size_of(from);
  const bool turned = to == from && size_of(to) >= 4 && plan.dims() > 1 && plan.col_stride(0) == size_of(to) &&
                      plan.row_stride(1) == size_of(from) && plan.col_stride(1) > size_of(from);
  if (turned) {
    plan.cut_turned();
  } else {
    plan.cut(!rows);
  }
  const TileCopy copy = tile_copy(to, from);
  // About 20 us of work for one thread.
  const std::int64_t tile_elements = plan.tile_rows() * plan.tile_cols();
  const std::int64_t grain = (rows ? 65536 : 16384) / std::max<std::int64_t>(tile_elements, 1);
  parallel_for(plan.tiles(), std::max<std::int64_t>(grain, 1), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const Plan::Tile tile = plan.tile(i);
      copy(tile.data[0], plan.row_stride(0), plan.col_stride(0), tile.data[1], plan.row_stride(1), plan.col_stride(1),
           tile.rows, tile.cols);
    }
  });
}

}  // namespace

TileCopy tile_copy(DType to, DType from) {
  return kTileCopies[static_cast<std::size_t>(to) * kDTypeCount + static_cast<std::size_t>(from)];
}

Element::Element(const Scalar& value, DType dtype) {
  if (dtype == kFloat32) {  // the usual one, without a look into the table
    const float number = value.is_floating_point() ? static_cast<float>(value.to<double>())
                                                   : static_cast<float>(value.to<std::int64_t>());
    std::memcpy(bytes, &number, sizeof number);
    return;
  }
  // Through the same conversions as an array's elements.
  const auto store = [&](const auto& number, DType from) {
    tile_copy(dtype, from)(reinterpret_cast<char*>(bytes), 0, 0, reinterpret_cast<const char*>(&number), 0, 0, 1, 1);
  };
  if (value.is_floating_point()) {
    store(value.to<double>(), kFloat64);
  } else {
    store(value.to<std::int64_t>(), kInt64);
  }
}

void copy_convert(const Array& out, const Array& src) {
  // What is small is done before a plan would be made.
  if (const std::int64_t n = out.numel(); n <= 1024 && out.is_contiguous() && src.is_contiguous()) {
    tile_copy(out.dtype(), src.dtype())(static_cast<char*>(out.data()), 0, out.element_size(),
                                        static_cast<const char*>(src.data()), 0, src.element_size(), 1, n);
  } else {
    Plan plan(out.shape());
    plan.add(out);
    plan.add(src);
    copy_planned(plan, out.dtype(), src.dtype());
  }
  if (ProgramRecording* const recording = ProgramRecording::active(); recording != nullptr) [[unlikely]]
    recording->copied(out, src);
}

void fill(const Array& out, const Scalar& value) {
  const Element element(value, out.dtype());
  if (out.is_contiguous()) {
    const std::int64_t size = out.element_size();
    const std::uint64_t pattern = pattern_of(element.bytes, static_cast<std::size_t>(size));
    parallel_for(out.numel(), 65536, [&](std::int64_t begin, std::int64_t end) {
      fill_pattern(static_cast<char*>(out.data()) + begin * size, static_cast<std::size_t>((end - begin) * size),
                   pattern);
    });
    return;
  }
  Plan plan(out.shape());
  plan.add(out);
  plan.add_number(element.bytes, out.element_size());
  copy_planned(plan, out.dtype(), out.dtype());
}

}  // namespace gradus::core::kernels
