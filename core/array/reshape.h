// Whether another shape is a view or takes a copy.
#pragma once

#include "array.h"

namespace gradus::core {

/// The shape that x.reshape(shape) has, -1 filled in, and whether that shows x's memory. ShapeError as that.
struct Reshaped {
  Shape shape;
  bool is_view;
};
GRADUS_API Reshaped reshaped(const Array& x, IntArrayRef shape);

}  // namespace gradus::core
