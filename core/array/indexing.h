// The pieces of x.index({...}): integers, Slice, None and Ellipsis.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <type_traits>
#include <vector>

namespace gradus {

namespace indexing {

struct NoneType {};
struct EllipsisType {};
/// A new dimension of size 1 among indices; an open end inside a Slice.
inline constexpr NoneType None{};
/// As many whole dimensions as are left.
inline constexpr EllipsisType Ellipsis{};

/// start:stop:step of one dimension; `Slice()` is all of it. Negative ends count from the back.
struct Slice {
  struct End {
    std::optional<std::int64_t> value;
    constexpr End() = default;
    constexpr End(NoneType) {}        // NOLINT(google-explicit-constructor)
    constexpr End(std::nullopt_t) {}  // NOLINT(google-explicit-constructor)
    template <class I>
    requires std::is_integral_v<I>
    constexpr End(I v) : value(static_cast<std::int64_t>(v)) {}  // NOLINT(google-explicit-constructor)
  };
  constexpr Slice(End start_ = {}, End stop_ = {}, End step_ = {})  // NOLINT(google-explicit-constructor)
      : start(start_.value.value_or(0)),
        stop(stop_.value.value_or(std::numeric_limits<std::int64_t>::max())),
        step(step_.value.value_or(1)) {}
  std::int64_t start, stop, step;
};

/// One entry of an index list.
struct TensorIndex {
  enum class Kind { kInteger, kSlice, kNone, kEllipsis } kind;
  std::int64_t integer = 0;
  indexing::Slice slice{};
  template <class I>
  requires(std::is_integral_v<I> && !std::is_same_v<I, bool>) TensorIndex(I i)
      : kind(Kind::kInteger), integer(static_cast<std::int64_t>(i)) {}  // NOLINT
  TensorIndex(indexing::Slice s) : kind(Kind::kSlice), slice(s) {}      // NOLINT
  TensorIndex(NoneType) : kind(Kind::kNone) {}                          // NOLINT
  TensorIndex(EllipsisType) : kind(Kind::kEllipsis) {}                  // NOLINT
  /// "..." is Ellipsis, as in PyTorch's C++ frontend.
  TensorIndex(const char*) : kind(Kind::kEllipsis) {}  // NOLINT
};
using IndexList = std::vector<TensorIndex>;

}  // namespace indexing

using indexing::IndexList;
using indexing::TensorIndex;

}  // namespace gradus
