// The optimizers' inner loops: internal to core.
#pragma once

#include <cstddef>

#include "../base/optimizer_steps.h"

namespace gradus::core::kernels {

/// A gradient, its parameter, and up to four arrays of state.
inline constexpr std::size_t kMostStreams = 6;

/// n elements of a gradient (only read), its parameter and the step's states, null where absent.
void optimizer_step(const OptimizerStep& step, float* const* streams, std::size_t n);
void optimizer_step(const OptimizerStep& step, double* const* streams, std::size_t n);

}  // namespace gradus::core::kernels
