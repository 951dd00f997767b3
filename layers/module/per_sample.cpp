#include "per_sample.h"

#include "../../core/base/fail.h"

namespace gradus::nn {

void detail::expect_independent_samples(const Module& module) {
  const auto check = [](const std::string& path, const Module& one) {
    if (!one.is_training() || !one.name().starts_with("BatchNorm")) return;
    core::fail<ModuleError>(
        "per_sample_gradients: samples must be independent, and {}{}{} in training normalises each by all of them: "
        "call "
        "eval(), or use LayerNorm, GroupNorm or InstanceNorm in its place",
        one.name(), path.empty() ? "" : " at ", path);
  };
  check("", module);
  for (const auto& item : module.named_modules({}, false)) check(item.key(), *item.value());
}

}  // namespace gradus::nn
