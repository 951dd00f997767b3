#include "module_row.h"

namespace gradus::test {

// clang-format off
std::vector<ModuleRow> dropout_modules() {
  const Tensor whole = ones({3, 4}).to(kInt64), line = ones({3});
  return {
      row("dropout", "Dropout(p=0.4, inplace=false)", nn::Dropout(0.4)).linear().drawing().refuses<DTypeError>({whole}, {"dropout: ", "int64"}),
      row("dropout2d", "Dropout2d(p=0.4, inplace=false)", nn::Dropout2d(0.4)).linear().drawing().refuses<ShapeError>({line}, {"dropout2d: ", "[3]"}),
  };
}
// clang-format on

}  // namespace gradus::test
