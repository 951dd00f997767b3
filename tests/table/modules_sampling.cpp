#include "module_row.h"

namespace gradus::test {

// clang-format off
std::vector<ModuleRow> sampling_modules() {
  return {};
}
// clang-format on

}  // namespace gradus::test
