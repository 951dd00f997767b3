#include "operation.h"

namespace bench {

using torch::Tensor;
using torch::indexing::Slice;

// clang-format off
std::vector<Row> indexing_operations() {
  return {
      {"index", "v", [](const In& x) { return x.v.index({x.at}); }},
      {"index rows", "a", [](const In& x) { return x.a.index({x.rows}); }},
      {"index columns", "a", [](const In& x) { return x.a.index({Slice(), x.rows}); }},
      {"index pairs", "a", [](const In& x) { return x.a.index({x.ids, x.ids}); }},
      {"index mask", "a", [](const In& x) { return x.a.index({x.mask}); }},
      {"masked_select", "a", [](const In& x) { return x.a.masked_select(x.mask); }},
      {"nonzero", "", [](const In& x) { return x.mask.nonzero(); }},
      {"argwhere", "", [](const In& x) { return torch::argwhere(x.a); }},
      {"index_select", "a", [](const In& x) { return x.a.index_select(0, x.rows); }},
      {"index_select dim 1", "a", [](const In& x) { return x.a.index_select(1, x.rows); }},
      {"gather dim 0", "a", [](const In& x) { return x.a.gather(0, x.ids); }},
      {"gather dim 1", "a", [](const In& x) { return x.a.gather(1, x.ids); }},
      {"take", "a", [](const In& x) { return x.a.take(x.at); }},
      {"take_along_dim", "a", [](const In& x) { return torch::take_along_dim(x.a, x.ids, 1); }},
      {"masked_fill", "a", [](const In& x) { return x.a.masked_fill(x.mask, 0.5); }},
      {"masked_fill_", "", [](const In& x) { return Tensor(x.t).masked_fill_(x.mask, 0.5); }},
      {"masked_scatter", "ab", [](const In& x) { return x.a.masked_scatter(x.mask, x.b); }},
      {"index_put", "vw", [](const In& x) { return x.v.index_put({x.at}, x.w); }},
      {"index_put_", "", [](const In& x) { return x.t.view({-1}).index_put_({x.at}, x.w); }},
      {"index_put_ accumulate", "", [](const In& x) { return x.t.view({-1}).index_put_({x.at}, x.w, true); }},
      {"index_put_ mask", "", [](const In& x) { return Tensor(x.t).index_put_({x.mask}, 0.5); }},
      {"index_put_ rows", "", [](const In& x) { return Tensor(x.t).index_put_({x.rows}, x.a); }},
      {"index_add", "vw", [](const In& x) { return x.v.index_add(0, x.at, x.w); }},
      {"index_add rows", "ab", [](const In& x) { return x.a.index_add(0, x.rows, x.b); }},
      {"index_add_", "", [](const In& x) { return x.t.view({-1}).index_add_(0, x.at, x.w); }},
      {"index_add_ rows", "", [](const In& x) { return Tensor(x.t).index_add_(0, x.rows, x.b); }},
      {"index_add_ columns", "", [](const In& x) { return Tensor(x.t).index_add_(1, x.rows, x.b); }},
      {"index_copy", "ab", [](const In& x) { return x.a.index_copy(0, x.rows, x.b); }},
      {"index_copy_", "", [](const In& x) { return Tensor(x.t).index_copy_(0, x.rows, x.b); }},
      {"index_fill", "a", [](const In& x) { return x.a.index_fill(0, x.rows, 0.5); }},
      {"index_fill_", "", [](const In& x) { return Tensor(x.t).index_fill_(1, x.rows, 0.5); }},
      {"scatter", "ab", [](const In& x) { return x.a.scatter(1, x.ids, x.b); }},
      {"scatter_ dim 0", "", [](const In& x) { return Tensor(x.t).scatter_(0, x.ids, x.b); }},
      {"scatter_ dim 1", "", [](const In& x) { return Tensor(x.t).scatter_(1, x.ids, x.b); }},
      {"scatter_ flat", "", [](const In& x) { return x.t.view({-1}).scatter_(0, x.at, x.w); }},
      {"scatter_ number", "", [](const In& x) { return Tensor(x.t).scatter_(1, x.ids, 0.5); }},
      {"scatter_add", "ab", [](const In& x) { return x.a.scatter_add(1, x.ids, x.b); }},
      {"scatter_add_ dim 0", "", [](const In& x) { return Tensor(x.t).scatter_add_(0, x.ids, x.b); }},
      {"scatter_add_ dim 1", "", [](const In& x) { return Tensor(x.t).scatter_add_(1, x.ids, x.b); }},
      {"scatter_add_ flat", "", [](const In& x) { return x.t.view({-1}).scatter_add_(0, x.at, x.w); }},
      {"scatter_reduce sum", "ab", [](const In& x) { return x.a.scatter_reduce(1, x.ids, x.b, "sum"); }},
      {"scatter_reduce amax", "ab", [](const In& x) { return x.a.scatter_reduce(1, x.ids, x.b, "amax"); }},
      {"scatter_reduce mean", "ab", [](const In& x) { return x.a.scatter_reduce(1, x.ids, x.b, "mean"); }},
      {"select_scatter", "ar", [](const In& x) { return torch::select_scatter(x.a, x.r, 0, 1); }},
      {"slice_scatter", "ab", [](const In& x) { return torch::slice_scatter(x.a, x.b.slice(0, 0, 4), 0, 2, 6); }},
      {"diagonal_scatter", "ar", [](const In& x) { return torch::diagonal_scatter(x.a, x.r); }},
      {"embedding", "l", [](const In& x) { return torch::embedding(x.l, x.rows); }},
  };
}
// clang-format on

}  // namespace bench
