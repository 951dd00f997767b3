#include "operation.h"

namespace bench {

using torch::Tensor;
using torch::indexing::Slice;

// clang-format off
std::vector<Row> shape_operations() {
  return {
      {"reshape of a transposed", "a", [](const In& x) { return x.a.t().reshape({-1}); }},
      {"t contiguous", "a", [](const In& x) { return x.a.t().contiguous(); }},
      {"view", "a", [](const In& x) { return x.a.view({-1}); }},
      {"select", "a", [](const In& x) { return x.a.select(0, 1); }},
      {"slice", "a", [](const In& x) { return x.a.slice(1, 1, 5); }},
      {"permute", "x", [](const In& x) { return x.x.permute({0, 2, 3, 1}); }},
      {"expand", "r", [](const In& x) { return x.r.expand({x.size, x.size}); }},
      {"squeeze", "k", [](const In& x) { return x.k.squeeze(1); }},
      {"unsqueeze", "a", [](const In& x) { return x.a.unsqueeze(0); }},
      {"flatten", "a", [](const In& x) { return x.a.flatten(); }},
      {"unflatten", "v", [](const In& x) { return x.v.unflatten(0, {x.size, x.size}); }},
      {"unfold", "v", [](const In& x) { return x.v.unfold(0, 4, 2); }},
      {"diagonal", "a", [](const In& x) { return x.a.diagonal(); }},
      {"as_strided", "v", [](const In& x) { return x.v.as_strided({x.size, x.size}, {1, x.size}); }},
      {"chunk", "a", [](const In& x) { return x.a.chunk(4, 1)[1]; }},
      {"split", "a", [](const In& x) { return x.a.split(2, 1)[1]; }},
      {"tensor_split", "a", [](const In& x) { return x.a.tensor_split(3, 1)[1]; }},
      {"unbind", "a", [](const In& x) { return x.a.unbind(0)[1]; }},
      {"cat dim 0", "ab", [](const In& x) { return torch::cat({x.a, x.b}, 0); }},
      {"cat dim 1", "ab", [](const In& x) { return torch::cat({x.a, x.b}, 1); }},
      {"stack dim 0", "ab", [](const In& x) { return torch::stack({x.a, x.b}, 0); }},
      {"stack dim 2", "ab", [](const In& x) { return torch::stack({x.a, x.b}, 2); }},
      {"hstack", "ab", [](const In& x) { return torch::hstack({x.a, x.b}); }},
      {"vstack", "ab", [](const In& x) { return torch::vstack({x.a, x.b}); }},
      {"dstack", "ab", [](const In& x) { return torch::dstack({x.a, x.b}); }},
      {"repeat", "r", [](const In& x) { return x.r.repeat({x.size, 1}); }},
      {"tile", "k", [](const In& x) { return torch::tile(x.k, {1, x.size}); }},
      {"repeat_interleave", "r", [](const In& x) { return torch::repeat_interleave(x.r, x.size); }},
      {"repeat_interleave counts", "", [](const In& x) { return torch::repeat_interleave(x.r, x.rows, 0); }},
      {"roll", "a", [](const In& x) { return torch::roll(x.a, {3}, {1}); }},
      {"roll flat", "a", [](const In& x) { return torch::roll(x.a, 3); }},
      {"flip", "a", [](const In& x) { return torch::flip(x.a, {1}); }},
      {"flip dim 0", "a", [](const In& x) { return torch::flip(x.a, {0}); }},
      {"fliplr", "a", [](const In& x) { return torch::fliplr(x.a); }},
      {"rot90", "a", [](const In& x) { return torch::rot90(x.a, 1, {0, 1}); }},
      {"rot90 twice", "a", [](const In& x) { return torch::rot90(x.a, 2, {0, 1}); }},
      {"tril", "a", [](const In& x) { return torch::tril(x.a); }},
      {"triu", "a", [](const In& x) { return torch::triu(x.a, 1); }},
      {"diag of a matrix", "a", [](const In& x) { return torch::diag(x.a); }},
      {"diag of a vector", "r", [](const In& x) { return torch::diag(x.r); }},
      {"diagflat", "r", [](const In& x) { return torch::diagflat(x.r); }},
      {"diag_embed", "l", [](const In& x) { return torch::diag_embed(x.l.slice(0, 0, 244)); }},
      {"pad constant", "x", [](const In& x) { return torch::nn::functional::pad(x.x, torch::nn::functional::PadFuncOptions({1, 2, 2, 1})); }},
      {"constant_pad_nd", "x", [](const In& x) { return torch::constant_pad_nd(x.x, {1, 2, 2, 1}, 0.5); }},
      {"reflection_pad1d", "a", [](const In& x) { return torch::reflection_pad1d(x.a, {2, 3}); }},
      {"reflection_pad2d", "x", [](const In& x) { return torch::reflection_pad2d(x.x, {1, 2, 2, 1}); }},
      {"replication_pad1d", "a", [](const In& x) { return torch::replication_pad1d(x.a.unsqueeze(0), {2, 3}); }},
      {"replication_pad2d", "x", [](const In& x) { return torch::replication_pad2d(x.x, {1, 2, 2, 1}); }},
      {"meshgrid", "rk", [](const In& x) { return torch::meshgrid({x.r, x.k.squeeze(1)}, "ij")[0]; }},
      {"meshgrid contiguous", "rk", [](const In& x) { return torch::meshgrid({x.r, x.k.squeeze(1)}, "ij")[1].contiguous(); }},
      {"cartesian_prod", "rk", [](const In& x) { return torch::cartesian_prod({x.r, x.k.squeeze(1)}); }},
      {"combinations", "r", [](const In& x) { return torch::combinations(x.r); }},
      {"one_hot", "", [](const In& x) { return torch::one_hot(x.rows, x.size); }},
      {"vander", "", [](const In& x) { return torch::vander(x.r, x.size); }},
      {"trapezoid", "a", [](const In& x) { return torch::trapezoid(x.a); }},
      {"trapezoid of points", "ap", [](const In& x) { return torch::trapezoid(x.a, x.r); }},
      {"diff", "a", [](const In& x) { return torch::diff(x.a); }},
      {"diff twice", "a", [](const In& x) { return torch::diff(x.a, 2, 0); }},
      {"atleast_2d", "r", [](const In& x) { return torch::atleast_2d(x.r); }},
      {"swapaxes", "a", [](const In& x) { return torch::swapaxes(x.a, 0, 1); }},
      {"movedim", "x", [](const In& x) { return torch::movedim(x.x, 1, 3); }},
      {"expand_as", "r", [](const In& x) { return x.r.expand_as(x.a); }},
      {"sum_to_size", "a", [](const In& x) { return x.a.sum_to_size({1, x.size}); }},
      {"pixel slices", "x", [](const In& x) { return x.x.index({Slice(), Slice(), Slice(1, torch::indexing::None, 2), Slice(torch::indexing::None, torch::indexing::None, 2)}).contiguous(); }},
  };
}
// clang-format on

}  // namespace bench
