#include "module_row.h"

namespace gradus::test {

// clang-format off
std::vector<ModuleRow> recurrent_modules() {
  return {};
}
// clang-format on

}  // namespace gradus::test
