// For programs written for PyTorch's C++ frontend: <torch/torch.h> becomes <gradus/torch.h>.
#pragma once

// Which programs that include <torch/torch.h> rely on.
#include <cmath>
#include <iostream>
#include <optional>

#include "core/base/array_ref.h"
#include "gradus.h"

namespace gradus {
using std::nullopt;
using std::optional;
}  // namespace gradus
namespace torch = gradus;
// Where PyTorch keeps its tensors and its errors.
namespace at = gradus;
namespace c10 = gradus;

// What an alias cannot carry.
#define TORCH_MODULE_IMPL(Name, ImplType) GRADUS_MODULE_IMPL(Name, ImplType)
#define TORCH_MODULE(Name) GRADUS_MODULE(Name)
#define TORCH_ARG(T, name) GRADUS_ARG(T, name)
#define TORCH_CHECK(condition, ...) GRADUS_CHECK(condition __VA_OPT__(, ) __VA_ARGS__)
