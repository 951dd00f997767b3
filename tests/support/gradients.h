// Measures and counts that the suites on gradients share.
#pragma once

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <vector>

#include <gradus/autograd/graph/node.h>
#include <gradus/autograd/tensor/tensor.h>
#include <gradus/core/memory/pool.h>

#include "arrays.h"
#include "pytorch.h"

namespace gradus::test {

/// max|a - b| / max|b| over the tensor (see error_of), whatever the dtype of a.
inline double error(const core::Array& a, const core::Array& b) { return error_of(a.to(b.dtype()), b); }
inline double error(const Tensor& a, const Tensor& b) {
  return a.defined() && b.defined() ? error(a.array(), b.array()) : HUGE_VAL;
}
inline std::vector<double> values(const Tensor& x) { return values(x.array()); }
using Doubles = std::vector<double>;
/// Exactly these values.
inline void check(const Tensor& x, const Doubles& expected) {
  BOOST_REQUIRE(x.defined());
  const Doubles actual = values(x);
  BOOST_CHECK_EQUAL_COLLECTIONS(actual.begin(), actual.end(), expected.begin(), expected.end());
}

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
