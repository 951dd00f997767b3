// The pieces of x.index({...}) that make views: integers, Slice, None and Ellipsis.
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

/// One entry of an index list. (A tensor is an entry on the floor above, where there are tensors.)
struct IndexPiece {
  enum class Kind { kInteger, kSlice, kNone, kEllipsis, kTensor } kind;
  std::int64_t integer = 0;
  indexing::Slice slice{};
  template <class I>
  requires(std::is_integral_v<I> && !std::is_same_v<I, bool>) IndexPiece(I i)
      : kind(Kind::kInteger), integer(static_cast<std::int64_t>(i)) {}  // NOLINT
  IndexPiece(indexing::Slice s) : kind(Kind::kSlice), slice(s) {}       // NOLINT
  IndexPiece(NoneType) : kind(Kind::kNone) {}                           // NOLINT
  IndexPiece(EllipsisType) : kind(Kind::kEllipsis) {}                   // NOLINT
  /// "..." is Ellipsis, as in PyTorch's C++ frontend.
  IndexPiece(const char*) : kind(Kind::kEllipsis) {}  // NOLINT

 protected:
  explicit IndexPiece(Kind k) : kind(k) {}
};
using IndexList = std::vector<IndexPiece>;

}  // namespace indexing

using indexing::IndexList;

}  // namespace gradus
