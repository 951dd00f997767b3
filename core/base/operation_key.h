// What identifies an operation where a number is wanted: in a switch over kernels, say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gradus::core {

/// A number made of an operation's name (FNV-1a), the same wherever it is computed. Two operations whose names made one
/// number could not stand in one switch: the compiler refuses.
using OperationKey = std::uint32_t;

constexpr OperationKey key_of(std::string_view name) noexcept {
  OperationKey key = 2166136261u;
  for (const char c : name) key = (key ^ static_cast<unsigned char>(c)) * 16777619u;
  return key;
}
inline namespace literals {
/// `case "exp"_key:`
consteval OperationKey operator""_key(const char* name, std::size_t length) { return key_of({name, length}); }
}  // namespace literals

}  // namespace gradus::core
