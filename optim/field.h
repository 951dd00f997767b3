// Options and state by their fields' names: what saving, loading and schedules go over.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "../autograd/tensor/tensor.h"
#include "../core/base/export.h"

namespace gradus::optim {

/// A field of some struct, by reference. A struct lists its own, `return {{"lr", &lr_}, {"eps", &eps_}};`, in a source file:
/// lists of names and types in headers cost everybody who includes them.
struct Field {
  const char* name;
  std::variant<bool*, std::int64_t*, double*, std::tuple<double, double>*, Tensor*> value;
};

/// Tensors by name, in order.
using NamedState = std::vector<std::pair<std::string, Tensor>>;

}  // namespace gradus::optim
