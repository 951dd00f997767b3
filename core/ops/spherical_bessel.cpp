#include <algorithm>
#include <cmath>
#include <vector>

#include "../array/create.h"
#include "../base/dispatch.h"
#include "../base/expect.h"
#include "../simd/pointwise.h"
#include "../threads/parallel.h"
#include "elementwise.h"

namespace gradus::core {
namespace {

constexpr std::int64_t kBlock = 64;

// j_0(z) = sin(z) / z, and z^n / (2n + 1)!! near 0 (DLMF 10.47, 10.53.1). Both ways are gone for a whole block, without a branch.
class SphericalBessel {
 public:
  explicit SphericalBessel(std::int64_t n) : n_(n), bound_(static_cast<double>(n) + 1) {
    double term = 1;  // at the bound
    for (std::int64_t k = 1; term > 1e-17; ++k) {
      steps_.push_back(1 / static_cast<double>(2 * k * (2 * (n + k) + 1)));
      term *= bound_ * bound_ * steps_.back();
    }
  }
  void operator()(double* z) const {
    double sine[kBlock], cosine[kBlock], result[kBlock];
    const void* const in[] = {z};
    sin_(sine, in, kBlock, nullptr);
    cos_(cosine, in, kBlock, nullptr);
    series(z, result);
    for (std::int64_t i = 0; i < kBlock; ++i) {
      // Upward: j_(k + 1) = (2k + 1) j_k / z - j_(k - 1).
      double j = sine[i] / z[i], before = cosine[i] / z[i];
      for (std::int64_t k = 0; k < n_; ++k) {
        const double next = static_cast<double>(2 * k + 1) / z[i] * j - before;
        before = j;
        j = next;
      }
      z[i] = std::fabs(z[i]) > bound_ ? j : result[i];
    }
  }

 private:
  // z^n / (2n + 1)!! (1 - c_1 z^2 (1 - c_2 z^2 (1 - ..)))
  void series(const double* z, double* sum) const {
    double square[kBlock];
    for (std::int64_t i = 0; i < kBlock; ++i) {
      square[i] = z[i] * z[i];
      sum[i] = 1;
    }
    for (std::size_t k = steps_.size(); k-- > 0;) {
      const double step = steps_[k];
      for (std::int64_t i = 0; i < kBlock; ++i) sum[i] = 1 - square[i] * step * sum[i];
    }
    for (std::int64_t k = 1; k <= n_; ++k) {
      const auto odd = static_cast<double>(2 * k + 1);
      for (std::int64_t i = 0; i < kBlock; ++i) sum[i] *= z[i] / odd;
    }
  }

  std::int64_t n_;
  double bound_;
  std::vector<double> steps_;
  const kernels::Kernel sin_ = kernels::math_unary("sin"_key, kFloat64),
                        cos_ = kernels::math_unary("cos"_key, kFloat64);
};

}  // namespace

Array spherical_bessel(const Array& x, std::int64_t n, double scale) {
  expect_floating("spherical_bessel", "the operand", x);
  const Array in = x.contiguous(), out = empty(x.shape(), x.dtype());
  const SphericalBessel bessel(n);
  dispatch(computed(x.dtype()), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* const from = static_cast<const T*>(in.data());
    T* const to = static_cast<T*>(out.data());
    parallel_for(x.numel(), 16 * kBlock, [&](std::int64_t begin, std::int64_t end) {
      for (; begin < end; begin += kBlock) {
        const std::int64_t count = std::min(kBlock, end - begin);
        double z[kBlock] = {};
        for (std::int64_t i = 0; i < count; ++i) z[i] = scale * static_cast<double>(from[begin + i]);
        bessel(z);
        for (std::int64_t i = 0; i < count; ++i) to[begin + i] = static_cast<T>(z[i]);
      }
    });
  });
  return out;
}

}  // namespace gradus::core
