// What programs for PyTorch's frontend ask of the runtime, and set in it.
#pragma once

namespace gradus {

/// There is the CPU alone, and results are the same bits every time: what programs set of other devices' libraries, or of
/// determinism, changes nothing.
class Context {
 public:
  constexpr bool hasCUDA() const { return false; }
  constexpr bool hasCuDNN() const { return false; }
  constexpr bool hasMPS() const { return false; }
  constexpr bool hasHIP() const { return false; }
  constexpr bool deterministicAlgorithms() const { return true; }
  constexpr bool deterministicCuDNN() const { return true; }
  constexpr bool benchmarkCuDNN() const { return false; }
  constexpr bool userEnabledCuDNN() const { return false; }
  constexpr void setDeterministicAlgorithms(bool, bool /*warn_only*/ = false) const {}
  constexpr void setDeterministicCuDNN(bool) const {}
  constexpr void setBenchmarkCuDNN(bool) const {}
  constexpr void setUserEnabledCuDNN(bool) const {}
  constexpr void setAllowTF32CuBLAS(bool) const {}
  constexpr void setAllowTF32CuDNN(bool) const {}
};
constexpr Context globalContext() { return {}; }

}  // namespace gradus
