#include "module_row.h"

namespace gradus::test {

// clang-format off
std::vector<ModuleRow> distance_modules() {
  return {};
}
// clang-format on

}  // namespace gradus::test
