// What recurrent layers there are: the one list that loops, kernels and layers share.
#pragma once

#include <cstdint>

namespace gradus::core {

enum class RecurrentKind : std::uint8_t { kTanh, kRelu, kLstm, kGru };
/// How many gates of H rows each the weights have.
constexpr std::int64_t gates_of(RecurrentKind kind) {
  return kind == RecurrentKind::kLstm ? 4 : kind == RecurrentKind::kGru ? 3 : 1;
}

}  // namespace gradus::core
