// Checking an optimizer: its fused step against its composed reference.
//
//   std::cout << optim::check<optim::Adam>(optim::AdamOptions(0.1).amsgrad(true));
//
// takes a few steps both ways from the same start, with the same gradients, on parameters of several shapes and layouts
// (a matrix, transposed; 1,003 elements; one; none), in float32 and float64, one of them without a gradient at first. After
// each step the parameters and every tensor and number of their states must agree: to 1e-5 and 1e-12 of the largest
// element. The report has a row for each of them, and says at which step it first differed.
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "optimizer.h"

namespace gradus::optim {

struct CheckReport {
  struct Row {
    std::string what;  ///< "parameter", or the state's field
    DType dtype;
    double error = 0;    ///< the worst, max|fused - reference| / max|reference|
    int first_step = 0;  ///< at which it was too large, counted from 1; 0 when it never was
  };
  std::string subject;  ///< the optimizer with its options
  std::vector<Row> rows;
  bool ok() const;
};
GRADUS_API std::ostream& operator<<(std::ostream& out, const CheckReport& report);

namespace detail {
using MakeOptimizer = std::function<std::unique_ptr<Optimizer>(std::vector<Tensor>)>;
GRADUS_API CheckReport check(const MakeOptimizer& make, int steps);
}  // namespace detail

template <class AnyOptimizer>
CheckReport check(const typename AnyOptimizer::Options& options, int steps = 6) {
  return detail::check(
      [&](std::vector<Tensor> parameters) { return std::make_unique<AnyOptimizer>(std::move(parameters), options); },
      steps);
}

}  // namespace gradus::optim
