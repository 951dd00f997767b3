// Reductions, operations on rows, copies, random numbers, without history. Two sizes are rows and columns.
#include <tuple>

#include "case.h"

namespace bench {

namespace {

// `bytes` and `flops` of one element of the input; the result, `written` bytes, counts where it is of the input's size.
template <class F>
void of_tensor(Operations& operations, const char* name, std::size_t sizes, double bytes, double written, double flops,
               F f) {
  operations.plain(name, sizes, [=](const Sizes& s) {
    const torch::Tensor a = torch::randn(s);
    return Prepared{{flops * product(s), bytes * product(s), written / bytes}, [=] { return f(a); }};
  });
}

// Philox4x32-10 takes about a hundred integer operations for four numbers.
constexpr double philox_flops = 25;

template <class F>
void drawn(Operations& operations, const char* name, double bytes, double flops, F f) {
  operations.plain(name, 1, [=](const Sizes& s) {
    return Prepared{{(philox_flops + flops) * product(s), bytes * product(s), 1}, [=] { return f(s); }};
  });
}

}  // namespace

void add_reductions(Operations& operations) {
  using torch::Tensor;
  of_tensor(operations, "sum", 1, 4, 0, 1, [](const Tensor& a) { return a.sum(); });
  of_tensor(operations, "max", 1, 4, 0, 1, [](const Tensor& a) { return a.max(); });
  of_tensor(operations, "sum_dim0", 2, 4, 0, 1, [](const Tensor& a) { return a.sum(0); });
  of_tensor(operations, "sum_dim1", 2, 4, 0, 1, [](const Tensor& a) { return a.sum(1); });
  of_tensor(operations, "mean_dim0", 2, 4, 0, 1, [](const Tensor& a) { return a.mean(0); });
  of_tensor(operations, "var_dim0", 2, 4, 0, 4, [](const Tensor& a) { return a.var(0); });
  of_tensor(operations, "max_dim1", 2, 4, 0, 2, [](const Tensor& a) { return std::get<0>(a.max(1)); });
  of_tensor(operations, "argmax_dim1", 2, 4, 0, 2, [](const Tensor& a) { return a.argmax(1); });
  of_tensor(operations, "softmax", 2, 8, 4, 24, [](const Tensor& a) { return torch::softmax(a, 1); });
  of_tensor(operations, "log_softmax", 2, 8, 4, 24, [](const Tensor& a) { return torch::log_softmax(a, 1); });
  of_tensor(operations, "transpose_copy", 2, 8, 4, 0, [](const Tensor& a) { return a.t().contiguous(); });
  of_tensor(operations, "cat_dim1", 2, 16, 8, 0, [](const Tensor& a) {
    return torch::cat(std::vector<Tensor>{a, a}, 1);
  });
  of_tensor(operations, "cumsum_dim1", 2, 8, 4, 1, [](const Tensor& a) { return a.cumsum(1); });
  // Values and indices of 8 bytes.
  of_tensor(operations, "sort_dim1", 2, 16, 12, 0, [](const Tensor& a) { return std::get<0>(a.sort(1)); });
  // Sizes: images, channels, height, width.
  of_tensor(operations, "permute_copy", 4, 8, 4, 0, [](const Tensor& a) {
    return a.permute({0, 2, 3, 1}).contiguous();
  });
  // One size: a square, added to its transpose.
  operations.plain("add_transposed", 1, [](const Sizes& s) {
    const Tensor a = torch::randn({s[0], s[0]});
    const double n = product({s[0], s[0]});
    return Prepared{{n, 12 * n}, [=] { return a + a.t(); }};
  });
  // As many rows as there are, drawn with repetition.
  operations.plain("index_select", 2, [](const Sizes& s) {
    const Tensor a = torch::randn(s), index = torch::randint(0, s[0], {s[0]}, torch::kLong);
    return Prepared{{0, 8 * product(s), 0.5}, [=] { return a.index_select(0, index); }};
  });

  drawn(operations, "rand", 4, 1, [](const Sizes& s) { return torch::rand(s); });
  // Box and Muller's: a logarithm, a root, a sine and a cosine for two numbers.
  drawn(operations, "randn", 4, 30, [](const Sizes& s) { return torch::randn(s); });
  drawn(operations, "bernoulli", 4, 1, [](const Sizes& s) { return torch::empty(s).bernoulli_(0.5); });
}

}  // namespace bench
