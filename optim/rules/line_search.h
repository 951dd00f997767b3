// A line search for L-BFGS (internal).
#pragma once

#include <cstdint>
#include <functional>

#include "../../autograd/tensor/tensor.h"

namespace gradus::optim::detail {

/// A place on the line of a search: how far along, the loss and the gradient there, and the gradient along the line.
struct LinePoint {
  double t = 0, loss = 0;
  Tensor gradient;
  double slope = 0;
};

struct WolfeSearch {
  LinePoint point;
  std::int64_t evaluations;
};

/// From `start`, where the slope is negative, a point with f(t) <= f(0) + 1e-4 t f'(0) and |f'(t)| <= 0.9 |f'(0)|; t is tried
/// first. (Nocedal and Wright, "Numerical optimization", 2006, algorithms 3.5 and 3.6.) After `most` tries, or where what
/// is left of the line moves no parameter by 1e-9, it is the best so far. `widest`: the largest element of the direction.
WolfeSearch strong_wolfe(const LinePoint& start, double t, double widest, std::int64_t most,
                         const std::function<LinePoint(double t)>& look);

}  // namespace gradus::optim::detail
