#include "pad_sequence.h"

#include <algorithm>

#include "../../autograd/graph/grad_mode.h"
#include "../../core/base/fail.h"

namespace gradus {

Tensor pad_sequence(OperandList sequences, bool batch_first, double padding_value, std::string_view padding_side) {
  if (sequences.empty()) core::fail<ValueError>("pad_sequence: there must be at least one sequence");
  if (padding_side != "right" && padding_side != "left") {
    core::fail<ValueError>("pad_sequence: padding_side must be \"right\" or \"left\": \"{}\"", padding_side);
  }
  const Tensor& first = sequences[0].tensor();
  std::int64_t longest = 0;
  for (const Operand& sequence : sequences) {
    const Tensor& x = sequence.tensor();
    bool alike = x.dim() > 0 && x.dim() == first.dim();
    for (std::int64_t d = 1; alike && d < x.dim(); ++d) alike = x.size(d) == first.size(d);
    if (!alike) {
      core::fail<ShapeError>("pad_sequence: sequences must be [length, ..], alike but for their lengths: {} and {}",
                             first.sizes(), x.sizes());
    }
    longest = std::max(longest, x.size(0));
  }
  return core::in_name_of("pad_sequence", [&] {
    const autograd::Scope scope(sequences[0].at());
    std::vector<Tensor> padded;
    for (const Operand& sequence : sequences) {
      const Tensor& x = sequence.tensor();
      core::Dims around = core::Dims::filled(2 * static_cast<int>(x.dim()), 0);
      around[around.size() - (padding_side == "left" ? 2 : 1)] = longest - x.size(0);
      padded.push_back(constant_pad_nd(x, around, padding_value));
    }
    return stack(padded, batch_first ? 0 : 1);
  });
}

}  // namespace gradus
