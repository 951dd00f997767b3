#include "optimizer_step.h"

#include <initializer_list>

#include "../base/fail.h"
#include "../simd/optimizer_step.h"
#include "../threads/parallel.h"

namespace gradus::core {
namespace {

// About 20 us of work a block.
constexpr std::int64_t kBlock = 1 << 16;

void check(const char* op, const Array& parameter, std::initializer_list<const Array*> others) {
  if (!parameter.is_contiguous()) {
    fail<ValueError>("{}: the parameter must be contiguous: strides {} for {}", op, parameter.strides(),
                     parameter.shape());
  }
  for (const Array* other : others) {
    if (!other->defined()) continue;
    if (other->shape() != parameter.shape() || other->dtype() != parameter.dtype()) {
      fail<ShapeError>("{}: gradient and state must have the parameter's shape and dtype: {} {} for {} {}", op,
                       other->shape(), other->dtype(), parameter.shape(), parameter.dtype());
    }
    if (!other->is_contiguous()) {
      fail<ValueError>("{}: gradient and state must be contiguous: strides {} for {}", op, other->strides(),
                       other->shape());
    }
  }
}

template <class T>
T* at(const Array& a, std::int64_t i) {
  return a.defined() ? a.data_ptr<T>() + i : nullptr;
}

}  // namespace

void sgd_step(const Array& parameter, const Array& gradient, const Array& velocity, const SgdStep& step) {
  check("sgd_step", parameter, {&gradient, &velocity});
  parallel_for(parameter.numel(), kBlock, [&](std::int64_t begin, std::int64_t end) {
    const auto n = static_cast<std::size_t>(end - begin);
    if (parameter.dtype() == kFloat32) {
      kernels::sgd(at<float>(parameter, begin), at<float>(gradient, begin), at<float>(velocity, begin), n, step);
    } else {
      kernels::sgd(at<double>(parameter, begin), at<double>(gradient, begin), at<double>(velocity, begin), n, step);
    }
  });
}

void adam_step(const Array& parameter, const Array& gradient, const Array& exp_avg, const Array& exp_avg_sq,
               const Array& max_exp_avg_sq, const AdamStep& step) {
  check("adam_step", parameter, {&gradient, &exp_avg, &exp_avg_sq, &max_exp_avg_sq});
  parallel_for(parameter.numel(), kBlock, [&](std::int64_t begin, std::int64_t end) {
    const auto n = static_cast<std::size_t>(end - begin);
    if (parameter.dtype() == kFloat32) {
      kernels::adam(at<float>(parameter, begin), at<float>(gradient, begin), at<float>(exp_avg, begin),
                    at<float>(exp_avg_sq, begin), at<float>(max_exp_avg_sq, begin), n, step);
    } else {
      kernels::adam(at<double>(parameter, begin), at<double>(gradient, begin), at<double>(exp_avg, begin),
                    at<double>(exp_avg_sq, begin), at<double>(max_exp_avg_sq, begin), n, step);
    }
  });
}

}  // namespace gradus::core
