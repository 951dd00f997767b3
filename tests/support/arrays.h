// What several suites need: an array's numbers, and errors with their text.
#pragma once

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include <gradus/core/array/array.h>
#include <gradus/core/array/create.h>
#include <gradus/core/base/errors.h>

namespace gradus::test {

/// The elements in row-major order, read one by one through select, so that no copy is trusted.
inline void collect(const core::Array& x, std::vector<double>& out) {
  if (x.dim() == 0) {
    out.push_back(x.item<double>());
  } else {
    for (std::int64_t i = 0; i < x.size(0); ++i) collect(x.select(0, i), out);
  }
}
inline std::vector<double> values(const core::Array& x) {
  std::vector<double> out;
  collect(x, out);
  return out;
}

/// 0, 1, 2, ... in a shape.
inline core::Array counting(IntArrayRef shape, DType dtype = kFloat32) {
  return core::arange(0, core::checked_numel(shape, "counting"), 1, dtype).view(shape);
}

template <class T>
core::Array list(const std::vector<T>& elements) {
  return core::from_data(elements.data(), static_cast<std::int64_t>(elements.size()), dtype_of<T>);
}

/// Checks that call() throws an E whose text contains every one of the pieces.
template <class E, class Call>
void check_error(Call call, const std::vector<std::string>& pieces) {
  try {
    call();
    BOOST_ERROR("no error was thrown");
  } catch (const E& error) {
    const std::string text = error.what();
    for (const std::string& piece : pieces) {
      BOOST_CHECK_MESSAGE(text.find(piece) != std::string::npos, "'" << piece << "' is missing in: " << text);
    }
  }
}

}  // namespace gradus::test
