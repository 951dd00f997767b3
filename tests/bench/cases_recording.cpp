// What it costs to record, and to go backward: small tensors only.
#include "case.h"

namespace bench {

namespace {

torch::Tensor chain(const torch::Tensor& x, std::int64_t length) {
  torch::Tensor y = x;
  for (std::int64_t i = 0; i < length; ++i) y = y + x;
  return y;
}

}  // namespace

void add_recording(Operations& operations) {
  operations.recorded("scalar_fwd_bwd", 0, [](const Sizes&) {
    const torch::Tensor x = leaf({}), w = leaf({}), b = leaf({});
    return Prepared{{100, 100}, [=] { (x * w + b).tanh().backward(); }};
  });
  // One size: additions of one element in a row.
  operations.recorded("chain_fwd", 1, [](const Sizes& s) {
    const torch::Tensor x = leaf({1});
    return Prepared{{product(s), 12 * product(s)}, [=] { return chain(x, s[0]); }};
  });
  operations.recorded("chain_fwd_bwd", 1, [](const Sizes& s) {
    const torch::Tensor x = leaf({1});
    return Prepared{{2 * product(s), 24 * product(s)}, [=] { chain(x, s[0]).backward(); }};
  });
}

}  // namespace bench
