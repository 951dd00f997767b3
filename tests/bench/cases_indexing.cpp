// Reading and writing at places that tensors name, without history. Places are drawn, and may come more than once; masks are
// true for half of them.
#include "case.h"

namespace bench {

namespace {

using torch::Tensor;

Tensor places(std::int64_t n, const Sizes& shape) { return torch::randint(0, n, shape, torch::kLong); }
Tensor half(const Sizes& shape) { return torch::rand(shape) < 0.5; }

// Bytes: an index has 8 for each place.
template <class F>
void at_places(Operations& operations, const char* name, double bytes, F f) {
  operations.plain(name, 1, [=](const Sizes& s) {
    const Tensor a = torch::randn(s), b = torch::randn(s), ids = places(s[0], s);
    return Prepared{{0, bytes * product(s)}, [=] { return f(a, ids, b); }};
  });
}
template <class F>
void at_mask(Operations& operations, const char* name, double bytes, F f) {
  operations.plain(name, 1, [=](const Sizes& s) {
    const Tensor a = torch::randn(s), mask = half(s);
    return Prepared{{0, bytes * product(s)}, [=] { return f(a, mask); }};
  });
}
// Two sizes: rows and columns, with a place for each element along one dimension.
template <class F>
void along(Operations& operations, const char* name, int dim, double bytes, F f) {
  operations.plain(name, 2, [=](const Sizes& s) {
    const Tensor a = torch::randn(s), b = torch::randn(s), ids = places(s[static_cast<std::size_t>(dim)], s);
    return Prepared{{0, bytes * product(s)}, [=] { return f(a, ids, b); }};
  });
}

}  // namespace

void add_indexing(Operations& operations) {
  at_places(operations, "index", 16, [](const Tensor& a, const Tensor& ids, const Tensor&) { return a.index({ids}); });
  at_places(operations, "index_put", 16,
            [](const Tensor& a, const Tensor& ids, const Tensor& b) { return Tensor(a).index_put_({ids}, b); });
  at_places(operations, "scatter", 16,
            [](const Tensor& a, const Tensor& ids, const Tensor& b) { return Tensor(a).scatter_(0, ids, b); });
  at_places(operations, "scatter_add", 20,
            [](const Tensor& a, const Tensor& ids, const Tensor& b) { return Tensor(a).scatter_add_(0, ids, b); });
  at_places(operations, "index_add", 20,
            [](const Tensor& a, const Tensor& ids, const Tensor& b) { return Tensor(a).index_add_(0, ids, b); });
  at_mask(operations, "index_mask", 7, [](const Tensor& a, const Tensor& mask) { return a.index({mask}); });
  at_mask(operations, "masked_select", 7, [](const Tensor& a, const Tensor& mask) { return a.masked_select(mask); });
  at_mask(operations, "nonzero", 5, [](const Tensor&, const Tensor& mask) { return mask.nonzero(); });
  at_mask(operations, "index_put_mask", 7,
          [](const Tensor& a, const Tensor& mask) { return Tensor(a).index_put_({mask}, 1.0); });
  at_mask(operations, "and_masks", 3, [](const Tensor&, const Tensor& mask) { return mask & mask; });
  along(operations, "gather_dim0", 0, 16,
        [](const Tensor& a, const Tensor& ids, const Tensor&) { return a.gather(0, ids); });
  along(operations, "gather_dim1", 1, 16,
        [](const Tensor& a, const Tensor& ids, const Tensor&) { return a.gather(1, ids); });
  along(operations, "scatter_add_dim0", 0, 20,
        [](const Tensor& a, const Tensor& ids, const Tensor& b) { return Tensor(a).scatter_add_(0, ids, b); });
  along(operations, "scatter_add_dim1", 1, 20,
        [](const Tensor& a, const Tensor& ids, const Tensor& b) { return Tensor(a).scatter_add_(1, ids, b); });
  // As many pairs of a row and a column as there are elements.
  operations.plain("index_pairs", 2, [](const Sizes& s) {
    const Tensor a = torch::randn(s), rows = places(s[0], {s[0] * s[1]}), columns = places(s[1], {s[0] * s[1]});
    return Prepared{{0, 24 * product(s)}, [=] { return a.index({rows, columns}); }};
  });
  // As many rows as there are.
  operations.plain("index_put_rows", 2, [](const Sizes& s) {
    const Tensor a = torch::randn(s), b = torch::randn(s), ids = places(s[0], {s[0]});
    return Prepared{{0, 8 * product(s)}, [=] { return Tensor(a).index_put_({ids}, b); }};
  });
  operations.plain("index_add_rows", 2, [](const Sizes& s) {
    const Tensor a = torch::randn(s), b = torch::randn(s), ids = places(s[0], {s[0]});
    return Prepared{{product(s), 12 * product(s)}, [=] { return Tensor(a).index_add_(0, ids, b); }};
  });
}

}  // namespace bench
