// Measures and counts that the suites on gradients share.
#pragma once

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <vector>

#include <gradus/autograd/node.h>
#include <gradus/autograd/tensor.h>
#include <gradus/core/pool.h>

#include "arrays.h"

namespace gradus::test {

/// max|a - b| / max|b| over the tensor; infinity where one is finite and the other is not. A b that is all zeros is
/// compared by max|a|.
inline double error(const core::Array& a, const core::Array& b) {
  if (a.sizes() != b.sizes()) return INFINITY;
  const std::vector<double> x = values(a), y = values(b);
  double worst = 0, scale = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (!std::isfinite(x[i]) || !std::isfinite(y[i])) {
      if (x[i] == y[i] || (std::isnan(x[i]) && std::isnan(y[i]))) continue;
      return INFINITY;
    }
    worst = std::fmax(worst, std::fabs(x[i] - y[i]));
    scale = std::fmax(scale, std::fabs(y[i]));
  }
  return scale > 0 ? worst / scale : worst;
}
inline double error(const Tensor& a, const Tensor& b) {
  return a.defined() && b.defined() ? error(a.array(), b.array()) : double{INFINITY};
}
inline std::vector<double> values(const Tensor& x) { return values(x.array()); }

/// What is alive: nothing that a test made may be left when it is over.
struct Alive {
  std::int64_t arrays = memory_stats().live_arrays;
  std::int64_t nodes = autograd::Node::alive();
  bool operator==(const Alive&) const = default;
};
inline std::ostream& operator<<(std::ostream& out, const Alive& alive) {
  return out << alive.arrays << " arrays, " << alive.nodes << " nodes";
}

/// A leaf that requires grad.
inline Tensor leaf(const core::Array& x) { return Tensor(x).requires_grad_(); }
template <class T>
Tensor leaf(const std::vector<T>& numbers) {
  return leaf(list(numbers));
}

}  // namespace gradus::test
