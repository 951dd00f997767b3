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
#include "../core/base/fields.h"

namespace gradus::optim {

/// A field of some struct, by reference.
struct Field {
  const char* name;
  std::variant<bool*, std::int64_t*, double*, std::tuple<double, double>*, Tensor*> value;
};

/// All fields of a struct that names them: `static constexpr auto fields = named("lr", &S::lr, ...)`.
template <class S>
std::vector<Field> fields_of(S& object) {
  std::vector<Field> all;
  core::each_field(object, [&all](const char* name, auto& value) { all.push_back({name, &value}); });
  return all;
}

/// Tensors by name, in order.
using NamedState = std::vector<std::pair<std::string, Tensor>>;

}  // namespace gradus::optim
