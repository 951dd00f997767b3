// Products of matrices: m x k by k x n, the sizes in the order m, k, n.
#include "case.h"

namespace bench {

namespace {

Work product_work(double batch, double m, double k, double n) {
  const double elements = m * k + k * n + m * n;
  return {2 * batch * m * k * n, 4 * batch * elements, m * n / elements};
}
Work product_work(const Sizes& s) { return product_work(1, double(s[0]), double(s[1]), double(s[2])); }

}  // namespace

void add_products(Operations& operations) {
  using torch::Tensor;
  // Into a result that is there.
  operations.plain("mm_out", 3, [](const Sizes& s) {
    const Tensor a = torch::randn({s[0], s[1]}), b = torch::randn({s[1], s[2]});
    Tensor c = torch::empty({s[0], s[2]});
    return Prepared{product_work(s), [=]() mutable { torch::mm_out(c, a, b); }};
  });
  operations.plain("mm", 3, [](const Sizes& s) {
    const Tensor a = torch::randn({s[0], s[1]}), b = torch::randn({s[1], s[2]});
    return Prepared{product_work(s), [=] { return torch::mm(a, b); }};
  });
  // Both factors stored transposed.
  operations.plain("mm_tt", 3, [](const Sizes& s) {
    const Tensor a = torch::randn({s[1], s[0]}), b = torch::randn({s[2], s[1]});
    return Prepared{product_work(s), [=] { return torch::mm(a.t(), b.t()); }};
  });
  operations.plain("mm_f64", 3, [](const Sizes& s) {
    const Tensor a = torch::randn({s[0], s[1]}, torch::kDouble), b = torch::randn({s[1], s[2]}, torch::kDouble);
    const Work w = product_work(s);
    return Prepared{{2 * w.flops, 2 * w.bytes, w.written}, [=] { return torch::mm(a, b); }};
  });
  // Sizes: batch, m, k, n.
  operations.plain("bmm", 4, [](const Sizes& s) {
    const Tensor a = torch::randn({s[0], s[1], s[2]}), b = torch::randn({s[0], s[2], s[3]});
    return Prepared{product_work(double(s[0]), double(s[1]), double(s[2]), double(s[3])),
                    [=] { return torch::bmm(a, b); }};
  });
  // Sizes: m, k.
  operations.plain("mv", 2, [](const Sizes& s) {
    const Tensor a = torch::randn({s[0], s[1]}), b = torch::randn({s[1]});
    return Prepared{product_work(1, double(s[0]), double(s[1]), 1), [=] { return torch::mv(a, b); }};
  });
}

}  // namespace bench
