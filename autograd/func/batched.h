// Tensors inside func::vmap as the functions of this room need them: all examples as one ordinary tensor, and back.
#pragma once

#include "../tensor/tensor.h"

namespace gradus::func::detail {

/// x with a dimension for each vmap that is running, the outermost first: its examples, repeated where it is the same for
/// all. Without one, x.
GRADUS_API Tensor all_examples(const Tensor& x);
/// The same tensor as those vmaps hand it out.
GRADUS_API Tensor each_example(const Tensor& all);
/// x with a dimension for each vmap that `of` has examples of; and back.
GRADUS_API Tensor examples_like(const Tensor& x, const Tensor& of);
GRADUS_API Tensor batched_like(const Tensor& all, const Tensor& of);

}  // namespace gradus::func::detail
