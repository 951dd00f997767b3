// The committed values of PyTorch for layers and optimizers, and the measure in which ours are compared with them.
#pragma once

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <gradus/autograd/tensor/tensor.h>
#include <gradus/core/files/safetensors.h>

#include "arrays.h"

namespace gradus::test {

/// max|a - b| / max|b|, b the reference; infinity where the two cannot be compared: another shape or dtype, or another
/// NaN or infinity somewhere. max|a - b| where b is all 0.
inline double error_of(const core::Array& a, const core::Array& b) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (!a.defined() || a.shape() != b.shape() || a.dtype() != b.dtype()) return infinity;
  const std::vector<double> x = values(a), y = values(b);
  double worst = 0, scale = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!std::isfinite(x[i]) || !std::isfinite(y[i])) {
      if (x[i] == y[i] || (std::isnan(x[i]) && std::isnan(y[i]))) continue;
      return infinity;
    }
    worst = std::max(worst, std::abs(x[i] - y[i]));
    scale = std::max(scale, std::abs(y[i]));
  }
  return scale > 0 ? worst / scale : worst;
}
/// Whether two arrays have one shape, one dtype and the same bytes.
inline bool same_bits(const core::Array& a, const core::Array& b) {
  if (a.shape() != b.shape() || a.dtype() != b.dtype()) return false;
  const core::Array x = a.contiguous(), y = b.contiguous();
  return std::memcmp(x.data(), y.data(), static_cast<std::size_t>(x.numel() * x.element_size())) == 0;
}
inline bool same_bits(const Tensor& a, const Tensor& b) { return same_bits(a.array(), b.array()); }

/// The bound that values in a dtype are held to against PyTorch's: 1e-5, 1e-12; integers are equal.
inline double bound_of(DType dtype) { return dtype == kFloat32 ? 1e-5 : dtype == kFloat64 ? 1e-12 : 0; }

inline void check_close(const core::Array& a, const core::Array& b, double bound, const std::string& what) {
  const double error = error_of(a, b);
  BOOST_CHECK_MESSAGE(error <= bound, what << ": error " << error << " exceeds " << bound);
}
inline void check_close(const Tensor& a, const Tensor& b, double bound, const std::string& what) {
  BOOST_REQUIRE_MESSAGE(a.defined() && b.defined(), what << ": undefined");
  check_close(a.array(), b.array(), bound, what);
}

/// One file of tests/reference as tensors. Names are "case/thing".
class PyTorchFile {
 public:
  explicit PyTorchFile(const std::string& name)
      : file_(core::Safetensors::read(fmt::format("{}/{}.safetensors", GRADUS_TEST_DATA, name))) {}

  bool has(const std::string& name) const { return find(name) != nullptr; }
  Tensor operator[](const std::string& name) const {
    const core::SafetensorsEntry* entry = find(name);
    BOOST_REQUIRE_MESSAGE(entry != nullptr, name << " is not in the file");
    return Tensor(entry->array());
  }
  /// Undefined when absent.
  Tensor get(const std::string& name) const { return has(name) ? (*this)[name] : Tensor(); }
  /// Holds a value against the file's.
  void check(const Tensor& value, const std::string& name) const {
    const Tensor expected = (*this)[name];
    check_close(value, expected, bound_of(expected.dtype()), name);
  }
  /// The cases whose names begin so, in order.
  std::vector<std::string> cases(const std::string& beginning) const {
    std::vector<std::string> names;
    for (const core::SafetensorsEntry& entry : file_.entries()) {
      if (entry.name.starts_with(beginning)) names.push_back(entry.name.substr(0, entry.name.rfind('/')));
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
  }

 private:
  const core::SafetensorsEntry* find(const std::string& name) const {
    for (const core::SafetensorsEntry& entry : file_.entries()) {
      if (entry.name == name) return &entry;
    }
    return nullptr;
  }
  core::Safetensors file_;
};

}  // namespace gradus::test
