// What would mix the samples of a batch, where each is to stand for itself.
#pragma once

#include "../../core/base/export.h"

namespace gradus::nn::detail {

/// While one lives, each sample of a batch is computed alone in this thread, and what uses all of a batch cannot be.
class GRADUS_API IndependentSamples {
 public:
  IndependentSamples() noexcept;
  ~IndependentSamples();
  IndependentSamples(const IndependentSamples&) = delete;
  IndependentSamples& operator=(const IndependentSamples&) = delete;

 private:
  bool outer_;
};

/// ModuleError where samples are computed alone, for an operation that normalises each by all of them.
void expect_samples_may_mix(const char* op);

}  // namespace gradus::nn::detail
