#include "module_row.h"

namespace gradus::test {

// clang-format off
std::vector<ModuleRow> dropout_modules() {
  const Tensor whole = ones({3, 4}).to(kInt64), line = ones({3});
  return {
      row("dropout", "Dropout(p=0.4, inplace=false)", nn::Dropout(0.4)).linear().drawing().refuses<DTypeError>({whole}, {"dropout: ", "int64"}),
      row("dropout2d", "Dropout2d(p=0.4, inplace=false)", nn::Dropout2d(0.4)).linear().drawing().refuses<ShapeError>({line}, {"dropout2d: ", "[3]"}),
      row("dropout1d", "Dropout1d(p=0.4, inplace=false)", nn::Dropout1d(0.4)).linear().drawing().refuses<ShapeError>({line}, {"dropout1d: input", "[3]"}),
      row("dropout3d", "Dropout3d(p=0.4, inplace=false)", nn::Dropout3d(0.4)).linear().drawing().refuses<ShapeError>({line}, {"dropout3d: input", "[3]"}),
      row("alpha_dropout", "AlphaDropout(p=0.4, inplace=false)", nn::AlphaDropout(0.4)).linear().drawing().refuses<DTypeError>({whole}, {"alpha_dropout: input", "int64"}),
      row("feature_alpha_dropout", "FeatureAlphaDropout(p=0.4, inplace=false)", nn::FeatureAlphaDropout(0.4)).linear().drawing().refuses<ShapeError>({line}, {"feature_alpha_dropout: input", "[3]"}),
  };
}
// clang-format on

}  // namespace gradus::test
