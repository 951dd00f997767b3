#include "module_row.h"

namespace gradus::test {

// clang-format off
std::vector<ModuleRow> attention_modules() {
  return {};
}
// clang-format on

}  // namespace gradus::test
