#include "independent_samples.h"

#include "../../core/base/fail.h"

namespace gradus::nn::detail {

namespace {
thread_local bool independent = false;
}

IndependentSamples::IndependentSamples() noexcept : outer_(independent) { independent = true; }
IndependentSamples::~IndependentSamples() { independent = outer_; }

void expect_samples_may_mix(const char* op) {
  if (!independent) return;
  core::fail<ModuleError>(
      "per_sample_gradients: samples must be independent, and {} in training normalises each by all of them: call "
      "eval(), or use LayerNorm, group_norm or instance_norm in its place",
      op);
}

}  // namespace gradus::nn::detail
