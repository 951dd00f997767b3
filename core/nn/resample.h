// Resampling: each of the last dimensions of x made longer or shorter, by a sum of a few neighbours for each output.
//
// A dimension's sums are listed as taps, so that nearest neighbours, lines, cubics and the wider windows that keep small
// images from flickering are one loop, and the gradient is the same loop over the transposed taps. float32 and float64, any
// strides; results are contiguous, with the same bits at any number of threads.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "../array/array.h"

namespace gradus::core {

/// A dimension of n becomes one of m: output o is the sum over t in [begin[o], begin[o + 1]) of weights[t] x[positions[t]].
struct Taps {
  std::int64_t n = 0, m = 0;
  std::vector<std::int64_t> begin, positions;
  std::vector<double> weights;
  /// Of the gradient: from m back to n.
  Taps transposed() const;
};

// Output o stands at (o + 1/2) / scale - 1/2 of the input, where scale is m / n unless given; with `align_corners` at
// o (n - 1) / (m - 1).

/// floor(o / scale); with `exact` the element that holds (o + 1/2) / scale. In float32, as PyTorch computes it.
Taps nearest_taps(std::int64_t n, std::int64_t m, std::optional<double> scale, bool exact);
/// The two neighbours by their distance; below the first element and beyond the last that one.
Taps linear_taps(std::int64_t n, std::int64_t m, std::optional<double> scale, bool align_corners);
/// Four neighbours by the cubic convolution with a = -3/4 (Keys, "Cubic convolution interpolation for digital image
/// processing", 1981).
Taps cubic_taps(std::int64_t n, std::int64_t m, std::optional<double> scale, bool align_corners);
/// The same with windows widened by what is left out, for smaller outputs: a triangle, or with `cubic` the convolution with
/// a = -1/2.
Taps antialiased_taps(std::int64_t n, std::int64_t m, std::optional<double> scale, bool align_corners, bool cubic);

/// Applied to the last axes.size() dimensions, one to three.
Array resample(const Array& x, const std::vector<Taps>& axes);

}  // namespace gradus::core
