#include "batch_norm.h"

#include <algorithm>
#include <optional>

#include "../array/create.h"
#include "../base/expect.h"
#include "../loops/fold.h"
#include "../loops/moments.h"
#include "../ops/pointwise.h"
#include "../simd/fused.h"
#include "../threads/parallel.h"

namespace gradus::core {
namespace {

using kernels::Fold;

/// x as [n, channels, positions].
struct Channels {
  Channels(const char* op, const Array& x) {
    expect_floating(op, "input", x);
    expect_form(x.dim() >= 2, op, "input", "[N, C, ..]", x.shape());
    n = x.shape()[0];
    channels = x.shape()[1];
    for (int i = 2; i < x.dim(); ++i) positions *= x.shape()[i];
    for (int i = 0; i < x.dim(); ++i) {
      if (i != 1) others.push_back(i);
    }
  }
  double count() const { return static_cast<double>(n * positions); }
  std::int64_t n, channels, positions = 1;
  Dims others;  // all dimensions but the channels'
};

/// One float64 number for each channel; an undefined array gives `absent`, where that is allowed.
class PerChannel {
 public:
  PerChannel(const char* op, const char* name, const Array& numbers, std::int64_t channels,
             std::optional<double> absent = {}) {
    if (numbers.defined() || !absent) {
      expect_defined(op, name, numbers);
      expect_shape(op, name, numbers.shape(), "[C]", channels);
      values_ = numbers.to(kFloat64).contiguous();
    } else {
      values_ = full({channels}, *absent, kFloat64);
    }
    data_ = values_.data_ptr<double>();
  }
  const double* data() const { return data_; }
  const Array& array() const { return values_; }

 private:
  Array values_;
  const double* data_;
};

/// Coefficients of each channel in x's dtype: row k holds coefficient k.
class Coefficients {
 public:
  Coefficients(int count, std::int64_t channels, DType dtype) : table_(empty({count, channels}, dtype)) {}
  /// Coefficient k is `numbers`, times `others` if there are any.
  void set(std::int64_t k, const PerChannel& numbers, const PerChannel* others = nullptr) {
    const double* const factors = others == nullptr ? nullptr : others->data();
    kernels::channel_product_kernel(table_.dtype())(numbers.data(), factors, at(k, 0), channels());
  }
  /// Coefficients k and k + 1 are the two parts of `numbers`.
  void set_split(std::int64_t k, const PerChannel& numbers) {
    kernels::channel_split_kernel(table_.dtype())(numbers.data(), at(k, 0), at(k + 1, 0), channels());
  }
  void pointers(const void** out, std::int64_t channel) const {
    for (std::int64_t k = 0; k < table_.shape()[0]; ++k) out[k] = at(k, channel);
  }

 private:
  std::size_t channels() const { return static_cast<std::size_t>(table_.shape()[1]); }
  void* at(std::int64_t k, std::int64_t channel) const {
    return static_cast<char*>(table_.data()) + (k * table_.shape()[1] + channel) * table_.element_size();
  }
  Array table_;
};

/// out = kernel(a, b; coefficients of the channel), element by element.
Array map_channels(const Channels& c, const Array& a, const Array& b, const Coefficients& coefficients,
                   kernels::ChannelKernels kernel) {
  constexpr std::int64_t block = 32768;
  const Array inputs[2] = {a.contiguous(), b.defined() ? b.contiguous() : Array()};
  Array out = empty(a.shape(), a.dtype());
  const std::int64_t size = out.element_size();
  // Without positions a row of channels is contiguous; with them, a row of positions of one channel is.
  const bool each = c.positions == 1;
  const std::int64_t length = each ? c.channels : c.positions, rows = each ? c.n : c.n * c.channels;
  if (out.numel() == 0) return out;
  // The kernel takes some rows together, for the sake of the coefficients. Long ones that come from memory go one by one:
  // of streams that lie a page apart the prefetchers lose sight.
  constexpr std::int64_t page = 4096;
  const bool one_by_one = length * size >= page && out.numel() > 8 * block;
  const std::int64_t grain = out.numel() <= 2 * block ? rows : std::max<std::int64_t>(block / length, 1);
  parallel_for(rows, grain, [&](std::int64_t begin, std::int64_t end) {
    const auto run = [&](std::int64_t first, auto kernel_on) {
      const void* in[2] = {};
      for (int k = 0; k < 2; ++k) {
        if (inputs[k].defined()) in[k] = static_cast<const char*>(inputs[k].data()) + first * length * size;
      }
      const void* numbers[5];
      coefficients.pointers(numbers, each ? 0 : first % c.channels);
      kernel_on(static_cast<char*>(out.data()) + first * length * size, in, numbers);
    };
    const auto n = static_cast<std::size_t>(length);
    if (each) {
      const std::int64_t together = one_by_one ? 1 : end - begin;
      for (std::int64_t r = begin; r < end; r += together) {
        run(r, [&](auto... arguments) { kernel.each(arguments..., n, static_cast<std::size_t>(together)); });
      }
      return;
    }
    for (std::int64_t r = begin; r < end; ++r) run(r, [&](auto... arguments) { kernel.one(arguments..., n); });
  });
  return out;
}

}  // namespace

std::tuple<Array, Array> channel_stats(const Array& x) {
  const Channels c("channel_stats", x);
  const auto [mean, squares] = kernels::moments(x, c.others);
  div.write(squares, squares, c.count());
  return {mean, squares};
}

Array batch_norm_forward(const Array& x, const Array& mean, const Array& inv_std, const Array& gamma,
                         const Array& beta) {
  constexpr const char* op = "batch_norm_forward";
  const Channels c(op, x);
  const PerChannel means(op, "mean", mean, c.channels), scales(op, "inv_std", inv_std, c.channels);
  const PerChannel gammas(op, "gamma", gamma, c.channels, 1), betas(op, "beta", beta, c.channels, 0);
  Coefficients coefficients(4, c.channels, x.dtype());
  coefficients.set_split(0, means);
  coefficients.set(2, scales, &gammas);
  coefficients.set(3, betas);
  return map_channels(c, x, Array(), coefficients, kernels::normalize_kernels(x.dtype()));
}

std::tuple<Array, Array> batch_norm_backward_sums(const Array& dy, const Array& x, const Array& mean,
                                                  const Array& inv_std) {
  constexpr const char* op = "batch_norm_backward_sums";
  const Channels c(op, x);
  expect_defined(op, "dy", dy);
  expect_alike(op, "dy", dy, "input", x);
  const PerChannel means(op, "mean", mean, c.channels), scales(op, "inv_std", inv_std, c.channels);
  const auto [sum, products] = kernels::fold(Fold::CentredProducts, dy, c.others, means.array(), x);
  return {sum, products * scales.array()};
}

Array batch_norm_backward_input(const Array& dy, const Array& x, const Array& mean, const Array& inv_std,
                                const Array& gamma, const Array& mean_dy, const Array& mean_dy_x_hat) {
  constexpr const char* op = "batch_norm_backward_input";
  const Channels c(op, x);
  expect_defined(op, "dy", dy);
  expect_alike(op, "dy", dy, "input", x);
  const PerChannel means(op, "mean", mean, c.channels), scales(op, "inv_std", inv_std, c.channels);
  const PerChannel gammas(op, "gamma", gamma, c.channels, 1);
  const PerChannel dys(op, "mean_dy", mean_dy, c.channels, 0);
  const PerChannel products(op, "mean_dy_x_hat", mean_dy_x_hat, c.channels, 0);
  Coefficients coefficients(5, c.channels, x.dtype());
  coefficients.set_split(0, means);
  coefficients.set(2, dys);
  coefficients.set(3, scales, &products);
  coefficients.set(4, scales, &gammas);
  return map_channels(c, dy, x, coefficients, kernels::normalize_backward_kernels(x.dtype()));
}

}  // namespace gradus::core
