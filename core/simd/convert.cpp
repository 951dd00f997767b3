// On plain numbers: the compiler makes vectors of these loops.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/convert.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <limits>
#include <type_traits>

#include "convert.h"
#include "loops-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

// By way of 32 bits where a block's numbers fit into those: more machines have vectors for that.
template <class To, class From>
HWY_INLINE void ToIntegers(To* to, const From* from, std::size_t n) {
  constexpr std::size_t block = 128;
  constexpr From least = static_cast<From>(std::numeric_limits<std::int32_t>::min());
  constexpr From wide = static_cast<From>(std::int64_t{1} << 62) * 2;
  for (std::size_t begin = 0; begin < n; begin += block) {
    const std::size_t count = n - begin < block ? n - begin : block;
    const From* const x = from + begin;
    To* const y = to + begin;
    hwy::MakeSigned<From> beyond = 0;
    for (std::size_t i = 0; i < count; ++i) beyond |= ((x[i] >= least) & (x[i] < -least)) ? 0 : 1;
    if (beyond == 0) {
      GRADUS_INDEPENDENT
      for (std::size_t i = 0; i < count; ++i) y[i] = static_cast<To>(static_cast<std::int32_t>(x[i]));
    } else {
      GRADUS_INDEPENDENT
      for (std::size_t i = 0; i < count; ++i) {
        const bool fits = (x[i] >= -wide) & (x[i] < wide);
        const auto whole = static_cast<std::int64_t>(fits ? x[i] : From{0});
        y[i] = static_cast<To>(fits ? whole : std::numeric_limits<std::int64_t>::min());
      }
    }
  }
}

template <class To, class From>
void Convert(void* out, const void* in, std::size_t n) {
  To* const to = static_cast<To*>(out);
  const From* const from = static_cast<const From*>(in);
  if constexpr (std::is_same_v<To, bool>) {
    auto* const bytes = static_cast<unsigned char*>(out);
    GRADUS_INDEPENDENT
    for (std::size_t i = 0; i < n; ++i) bytes[i] = from[i] != From{0} ? 1 : 0;
  } else if constexpr (std::is_same_v<From, bool>) {
    const auto* const bytes = static_cast<const unsigned char*>(in);
    GRADUS_INDEPENDENT
    for (std::size_t i = 0; i < n; ++i) to[i] = static_cast<To>(bytes[i]);
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    ToIntegers(to, from, n);
  } else {
    GRADUS_INDEPENDENT
    for (std::size_t i = 0; i < n; ++i) to[i] = static_cast<To>(from[i]);
  }
}

template <class To>
ConvertRow FindFrom(DType from) {
  switch (from) {
    case kBool:
      return Convert<To, bool>;
    case kUInt8:
      return Convert<To, std::uint8_t>;
    case kInt32:
      return Convert<To, std::int32_t>;
    case kInt64:
      return Convert<To, std::int64_t>;
    case kFloat32:
      return Convert<To, float>;
    case kFloat64:
      return Convert<To, double>;
    default:
      return nullptr;
  }
}
ConvertRow FindConvert(DType to, DType from) {
  switch (to) {
    case kBool:
      return FindFrom<bool>(from);
    case kUInt8:
      return FindFrom<std::uint8_t>(from);
    case kInt32:
      return FindFrom<std::int32_t>(from);
    case kInt64:
      return FindFrom<std::int64_t>(from);
    case kFloat32:
      return FindFrom<float>(from);
    case kFloat64:
      return FindFrom<double>(from);
    default:
      return nullptr;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::core::kernels {

HWY_EXPORT(FindConvert);
ConvertRow convert_row(DType to, DType from) { return HWY_DYNAMIC_DISPATCH(FindConvert)(to, from); }

}  // namespace gradus::core::kernels
#endif
