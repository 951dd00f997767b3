#include "optimizer_step.h"

#include <array>

#include "../base/fail.h"
#include "../loops/copy.h"
#include "../simd/optimizer_step.h"
#include "../threads/parallel.h"

namespace gradus::core {
namespace {

// About 20 us of work a block.
constexpr std::int64_t kBlock = 1 << 16;

void check(const char* op, const Array& parameter, const Array& other) {
  if (other.shape() != parameter.shape() || other.dtype() != parameter.dtype()) {
    fail<ShapeError>("{}: gradient and state must have the parameter's shape and dtype: {} {} for {} {}", op,
                     other.shape(), other.dtype(), parameter.shape(), parameter.dtype());
  }
  if (!other.is_contiguous()) {
    fail<ValueError>("{}: gradient and state must be contiguous: strides {} for {}", op, other.strides(),
                     other.shape());
  }
}

// The gradient, the parameter, the states.
using Arrays = std::array<const Array*, kernels::kMostStreams>;

template <class T>
void run(const OptimizerStep& step, const Arrays& arrays) {
  std::array<T*, kernels::kMostStreams> starts{};
  for (std::size_t i = 0; i < arrays.size(); ++i) starts[i] = arrays[i] == nullptr ? nullptr : arrays[i]->data_ptr<T>();
  parallel_for(arrays[0]->numel(), kBlock, [&](std::int64_t begin, std::int64_t end) {
    std::array<T*, kernels::kMostStreams> streams = starts;
    for (T*& stream : streams) stream = stream == nullptr ? nullptr : stream + begin;
    kernels::optimizer_step(step, streams.data(), static_cast<std::size_t>(end - begin));
  });
}

}  // namespace

void optimizer_step(const OptimizerStep& step, const Array& parameter, const Array& gradient,
                    std::initializer_list<const Array*> states) {
  const auto [op, count] = std::visit([](const auto& s) { return std::pair(s.op, s.states); }, step);
  if (!parameter.is_contiguous()) {
    fail<ValueError>("{}: the parameter must be contiguous: strides {} for {}", op, parameter.strides(),
                     parameter.shape());
  }
  if (static_cast<int>(states.size()) != count) {
    fail<ValueError>("{}: arrays of state, absent ones null: {} given, {} expected", op, states.size(), count);
  }
  check(op, parameter, gradient);
  Arrays arrays = {&gradient, &parameter};
  std::size_t stream = 2;
  for (const Array* state : states) {
    if (state != nullptr) check(op, parameter, *state);
    arrays[stream++] = state;
  }
  if (is_storage_type(parameter.dtype())) {  // in float32, and rounded once
    Array wide[kernels::kMostStreams];
    Arrays converted{};
    for (std::size_t i = 0; i < arrays.size(); ++i) {
      if (arrays[i] == nullptr) continue;
      wide[i] = arrays[i]->to(kFloat32);
      converted[i] = &wide[i];
    }
    run<float>(step, converted);
    for (std::size_t i = 1; i < arrays.size(); ++i) {
      if (arrays[i] != nullptr) kernels::copy_convert(*arrays[i], wide[i]);
    }
    return;
  }
  parameter.dtype() == kFloat32 ? run<float>(step, arrays) : run<double>(step, arrays);
}

}  // namespace gradus::core
