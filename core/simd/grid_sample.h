// Sampling at places that a grid names, a block of outputs at once: what they read of a plane, and their sums. Internal to
// core; nn/grid_sample.h says what is computed.
#pragma once

#include <cstdint>
#include <type_traits>

namespace gradus::core::kernels {

constexpr std::int64_t kGridBlock = 128;

struct GridForm {
  int dims;                       // 2 or 3
  std::int64_t in[3];             // depth, height, width
  int along;                      // elements read along a dimension: 1 the nearest, 2 linear, 4 cubic
  bool zeros, reflects, corners;  // what is outside; whether corners are at the outermost centres
  std::int64_t taps() const { return dims == 2 ? along * along : along * along * along; }
};

/// Of each output of a block the elements that it reads, those outside with the weight 0, of one that is lost with NaN:
/// [tap][kGridBlock]; and the weights' slopes [dimension of the grid][tap][kGridBlock], or null.
template <class T>
struct GridBlock {
  using Index = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  Index* index;
  T* weight;
  T* slope;
};

template <class T>
struct GridKernels {
  /// Of `count` places of the grid.
  void (*plan)(const GridForm& form, const T* grid, std::int64_t count, const GridBlock<T>& block);
  void (*sample)(const GridForm& form, const GridBlock<T>& block, const T* plane, std::int64_t count, T* to);
  /// sums [dimension of the grid][kGridBlock] += dy times what the slopes say.
  void (*slopes)(const GridForm& form, const GridBlock<T>& block, const T* plane, const T* dy, std::int64_t count,
                 T* sums);
};

const GridKernels<float>& grid_kernels(float);
const GridKernels<double>& grid_kernels(double);

}  // namespace gradus::core::kernels
