#include "module_row.h"

namespace gradus::test {

// clang-format off
std::vector<ModuleRow> shape_modules() {
  const Tensor numbers = ones({3, 4});
  return {
      row("flatten", "Flatten(start_dim=1, end_dim=2)", nn::Flatten(nn::FlattenOptions().start_dim(1).end_dim(2))).linear().refuses<IndexError>({numbers}, {"flatten: "}),
      row("identity", "Identity()", nn::Identity()).linear().recording_nothing(),
  };
}
// clang-format on

}  // namespace gradus::test
