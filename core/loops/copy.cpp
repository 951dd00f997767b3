#include "copy.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <utility>

#include "../base/half_bits.h"
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

inline float widened(Half value) { return half_value(value.x); }
inline float widened(BFloat16 value) { return bfloat16_value(value.x); }
template <class T>
constexpr bool kIsHalf = std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>;

/// Float16 and bfloat16 by way of float32, as PyTorch's.
template <class To, class From>
To convert(From value) {
  if constexpr (kIsHalf<From>) {
    return convert<To>(widened(value));
  } else if constexpr (std::is_same_v<To, Half>) {
    return Half::from_bits(half_bits(static_cast<float>(value)));
  } else if constexpr (std::is_same_v<To, BFloat16>) {
    return BFloat16::from_bits(bfloat16_bits(static_cast<float>(value)));
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To> && !std::is_same_v<To, bool>) {
    // Out of range the language leaves the result open; here it is the same on every machine, in every loop.
    constexpr From limit = static_cast<From>(std::int64_t{1} << 62) * 2;
    const bool fits = value >= -limit && value < limit;
    return static_cast<To>(fits ? static_cast<std::int64_t>(value) : std::numeric_limits<std::int64_t>::min());
  } else {
    return static_cast<To>(value);
  }
}

template <class T>
constexpr bool kIsComputed = !kIsHalf<T> && !std::is_same_v<T, std::int8_t> && !std::is_same_v<T, std::int16_t>;

template <class To, class From>
void copy_row(To* to, const From* from, std::int64_t n) {
  if constexpr (std::is_same_v<To, From>) {
    const std::size_t bytes = static_cast<std::size_t>(n) * sizeof(To);
    const bool apart = ((reinterpret_cast<std::uintptr_t>(to) ^ reinterpret_cast<std::uintptr_t>(from)) & 63) != 0;
    if (bytes >= 1024 && apart) return copy_bytes(to, from, bytes);
    std::memcpy(to, from, bytes);
  } else {
    if constexpr (kIsComputed<To> && kIsComputed<From>) {
      if (n >= 32) return convert_row(DTypeOf<To>::value, DTypeOf<From>::value)(to, from, static_cast<std::size_t>(n));
    }
    for (std::int64_t i = 0; i < n; ++i) to[i] = convert<To>(from[i]);
  }
}

/// An element again and again, as fill_pattern wants it.
std::uint64_t pattern_of(const void* element, std::size_t size) {
  std::uint64_t pattern = 0;
  for (std::size_t i = 0; i < 8; i += size) std::memcpy(reinterpret_cast<char*>(&pattern) + i, element, size);
  return pattern;
}

template <class To, class From>
void copy_tile(char* to, std::int64_t to_row, std::int64_t to_col, const char* from, std::int64_t from_row,
               std::int64_t from_col, std::int64_t rows, std::int64_t cols) {
  constexpr std::int64_t to_size = sizeof(To), from_size = sizeof(From);
  if constexpr (std::is_same_v<To, From> && sizeof(To) >= 4) {
    if (from_row == from_size && from_col > from_size && to_col == to_size && rows > 1) {
      return transpose_tile(reinterpret_cast<To*>(to), to_row, reinterpret_cast<const From*>(from), from_col, rows,
                            cols);
    }
  }
  for (std::int64_t r = 0; r < rows; ++r, to += to_row, from += from_row) {
    To* const out = reinterpret_cast<To*>(to);
    if (to_col == to_size && from_col == from_size) {
      copy_row(out, reinterpret_cast<const From*>(from), cols);
    } else if (to_col == to_size && from_col == 0) {
      const To value = convert<To>(*reinterpret_cast<const From*>(from));
      if (cols * to_size >= 256) {
        fill_pattern(out, static_cast<std::size_t>(cols * to_size), pattern_of(&value, sizeof(To)));
      } else {
        for (std::int64_t c = 0; c < cols; ++c) out[c] = value;
      }
    } else {
      for (std::int64_t c = 0; c < cols; ++c) {
        *reinterpret_cast<To*>(to + c * to_col) = convert<To>(*reinterpret_cast<const From*>(from + c * from_col));
      }
    }
  }
}

/// Between equal dtypes only the width matters.
template <DType To, DType From>
constexpr TileCopy tile_copy_of() {
  if constexpr (To != From) {
    return copy_tile<typename ElementOf<To>::type, typename ElementOf<From>::type>;
  } else {
    return size_of(To) == 1   ? copy_tile<std::uint8_t, std::uint8_t>
           : size_of(To) == 2 ? copy_tile<std::uint16_t, std::uint16_t>
           : size_of(To) == 4 ? copy_tile<std::uint32_t, std::uint32_t>
                              : copy_tile<std::uint64_t, std::uint64_t>;
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
