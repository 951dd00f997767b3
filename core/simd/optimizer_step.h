// The optimizers' inner loops: internal to core.
#pragma once

#include <cstddef>

#include "../base/optimizer_numbers.h"

namespace gradus::core::kernels {

/// n elements of a parameter w, its gradient g and the optimizer's state, some of which may be null (core/nn/optimizer_step.h).
void sgd(float* w, const float* g, float* velocity, std::size_t n, const SgdStep& s);
void sgd(double* w, const double* g, double* velocity, std::size_t n, const SgdStep& s);
void adam(float* w, const float* g, float* m, float* v, float* largest, std::size_t n, const AdamStep& s);
void adam(double* w, const double* g, double* m, double* v, double* largest, std::size_t n, const AdamStep& s);

}  // namespace gradus::core::kernels
