// Sorting by radix: keys whose order as unsigned integers is that of the elements, each with its index, are dealt out
// by one byte after the other, the lowest first. Each deal is stable, so the whole is. Digits that all keys share, as
// the upper ones of small integers, cost one look.
#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>
#include <utility>

#include "../base/dispatch.h"
#include "scan.h"

namespace gradus::core::kernels {
namespace {

template <class T>
using KeyOf =
    std::conditional_t<sizeof(T) == 8, std::uint64_t, std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint8_t>>;
template <class T>
struct Keyed {
  KeyOf<T> key;
  std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t> index;
};

/// Unsigned integers in the elements' order; NaN, of either sign, above all; -0 like 0.
template <class T>
KeyOf<T> key_of(T x) {
  using K = KeyOf<T>;
  constexpr K top = static_cast<K>(K{1} << (sizeof(K) * 8 - 1));
  if constexpr (std::is_floating_point_v<T>) {
    if (x != x) return static_cast<K>(~K{0});
    const K bits = std::bit_cast<K>(x + T{0});  // -0 + 0 is 0
    return static_cast<K>(bits ^ ((bits & top) != 0 ? ~K{0} : top));
  } else if constexpr (std::is_signed_v<T>) {
    return static_cast<K>(static_cast<K>(x) ^ top);
  } else {
    return static_cast<K>(x);
  }
}

/// Below so many elements comparing is cheaper than counting.
constexpr std::int64_t kFew = 96;

template <class T>
void sort(const void* from, std::int64_t n, std::int64_t k, bool descending, std::int64_t* order, void* scratch) {
  using Item = Keyed<T>;
  using K = KeyOf<T>;
  constexpr int digits = static_cast<int>(sizeof(K));
  const T* x = static_cast<const T*>(from);
  auto *items = static_cast<Item*>(scratch), *other = items + n;
  const K flip = descending ? static_cast<K>(~K{0}) : K{0};  // equal keys stay equal, and so in their order
  for (std::int64_t i = 0; i < n; ++i) {
    items[i] = {static_cast<K>(key_of(x[i]) ^ flip), static_cast<decltype(Item::index)>(i)};
  }
  const auto before = [](const Item& a, const Item& b) {
    return a.key < b.key || (a.key == b.key && a.index < b.index);
  };
  if (k <= n / 16) {
    std::nth_element(items, items + k, items + n, before);
    std::sort(items, items + k, before);
  } else if (n <= kFew) {
    std::sort(items, items + n, before);
  } else {
    std::int64_t counts[digits][256] = {};
    for (std::int64_t i = 0; i < n; ++i) {
      for (int d = 0; d < digits; ++d) ++counts[d][(items[i].key >> (8 * d)) & 255];
    }
    for (int d = 0; d < digits; ++d) {
      if (counts[d][(items[0].key >> (8 * d)) & 255] == n) continue;
      std::int64_t place[256], sum = 0;
      for (int v = 0; v < 256; ++v) {
        place[v] = sum;
        sum += counts[d][v];
      }
      for (std::int64_t i = 0; i < n; ++i) other[place[(items[i].key >> (8 * d)) & 255]++] = items[i];
      std::swap(items, other);
    }
  }
  for (std::int64_t i = 0; i < k; ++i) order[i] = static_cast<std::int64_t>(items[i].index);
}

}  // namespace

SortKernel sort_kernel(DType dtype) {
  constexpr SortKernel table[kDTypeCount] = {sort<std::uint8_t>, sort<std::uint8_t>, sort<std::int32_t>,
                                             sort<std::int64_t>, sort<float>,        sort<double>};
  return table[static_cast<int>(computed(dtype))];
}

std::int64_t sort_scratch(DType dtype, std::int64_t n) { return 2 * n * (size_of(dtype) == 8 ? 16 : 8); }

}  // namespace gradus::core::kernels
