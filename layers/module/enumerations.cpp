#include "enumerations.h"

#include <cstddef>

namespace gradus {

namespace {
template <std::size_t n, class E>
const char* of(const char* const (&names)[n], E value) {
  return names[static_cast<std::size_t>(value)];
}
}  // namespace

const char* to_string(Reduction value) { return of({"none", "mean", "sum"}, value); }

namespace nn {
const char* to_string(KLDivLossReduction value) { return of({"none", "mean", "sum", "batchmean"}, value); }
const char* to_string(PaddingMode value) {
  return of({"zeros", "constant", "reflect", "replicate", "circular"}, value);
}
const char* to_string(ConvPaddingMode value) { return of({"given", "valid", "same"}, value); }
const char* to_string(InterpolateMode value) {
  return of({"nearest", "linear", "bilinear", "bicubic", "trilinear", "area", "nearest-exact"}, value);
}
const char* to_string(GridSampleMode value) { return of({"bilinear", "nearest", "bicubic"}, value); }
const char* to_string(GridSamplePaddingMode value) { return of({"zeros", "border", "reflection"}, value); }
const char* to_string(EmbeddingBagMode value) { return of({"sum", "mean", "max"}, value); }
const char* to_string(RNNNonlinearity value) { return of({"tanh", "relu"}, value); }
const char* to_string(TransformerActivation value) { return of({"relu", "gelu"}, value); }
}  // namespace nn

}  // namespace gradus
