#include "instruction_set.h"

#include <hwy/highway.h>
#include <hwy/targets.h>

#include "../base/fail.h"

namespace gradus {
namespace {

void choose(std::int64_t targets) {
  hwy::SetSupportedTargetsForTest(targets);  // 0: what the machine has
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace

std::vector<std::string_view> instruction_sets() {
  std::vector<std::string_view> names;
  // The mask of this moment is put back: the list is of what there is, not of what is in use.
  const std::int64_t in_use = hwy::SupportedTargets();
  hwy::SetSupportedTargetsForTest(0);
  for (std::int64_t target : hwy::SupportedAndGeneratedTargets()) names.emplace_back(hwy::TargetName(target));
  hwy::SetSupportedTargetsForTest(in_use);
  return names;
}

std::string_view instruction_set() { return hwy::TargetName(hwy::SupportedAndGeneratedTargets().front()); }

void use_instruction_set(std::string_view name) {
  if (name.empty()) return choose(0);
  const std::vector<std::string_view> names = instruction_sets();
  hwy::SetSupportedTargetsForTest(0);
  for (std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    if (name == hwy::TargetName(target)) return choose(target);
  }
  choose(0);
  core::fail<ValueError>("use_instruction_set: the machine must offer it: {}; it offers {}", name,
                         fmt::join(names, ", "));
}

}  // namespace gradus
