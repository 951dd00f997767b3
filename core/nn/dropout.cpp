#include "dropout.h"

#include "../array/create.h"
#include "../base/expect.h"
#include "../base/fail.h"
#include "../loops/copy.h"
#include "../loops/run.h"
#include "../simd/fused.h"
#include "../simd/random.h"

namespace gradus::core {

std::tuple<Array, Array> dropout(const Array& x, double keep, double scale, RandomPosition at) {
  expect_floating("dropout", "input", x);
  expect_probability("dropout", "the probability of keeping", keep);
  const Array from = x.contiguous();
  Array y = empty(x.shape(), x.dtype()), mask = empty(x.shape(), kBool);
  bool* const kept = static_cast<bool*>(mask.data());
  const auto limit = static_cast<std::uint64_t>(keep * 0x1p32);
  const kernels::Kernel apply = kernels::masked_scale_kernel(x.dtype());
  const kernels::Element factor(scale, x.dtype());
  const std::int64_t size = x.element_size();
  kernels::for_random_words(at, x.numel(), [&](const std::uint32_t* words, std::int64_t first, std::int64_t n) {
    const auto count = static_cast<std::size_t>(n);
    kernels::bernoulli_from_words(kept + first, words, count, limit);
    const void* in[2] = {static_cast<const char*>(from.data()) + first * size, kept + first};
    apply(static_cast<char*>(y.data()) + first * size, in, count, factor.bytes);
  });
  return {y, mask};
}

Array masked_scale(const Array& x, const Array& mask, double scale) {
  expect_floating("masked_scale", "input", x);
  expect_bool("masked_scale", "the mask", mask.dtype());
  if (broadcast_shapes(x.shape(), mask.shape(), "masked_scale") != x.shape()) {
    fail<ShapeError>("masked_scale: the mask must broadcast to input: {} to {}", mask.shape(), x.shape());
  }
  const kernels::Element factor(scale, x.dtype());
  kernels::Loop loop;
  loop.kernel = kernels::masked_scale_kernel(x.dtype());
  loop.result = x.dtype();
  loop.count = 2;
  loop.inputs[0] = kernels::Input(x, x.dtype());
  loop.inputs[1] = kernels::Input(mask, kBool);
  loop.param = factor.bytes;
  loop.param_bytes = sizeof factor.bytes;
  loop.name = "masked_scale";
  return kernels::run(x.shape(), loop);
}

}  // namespace gradus::core
