#include "batched.h"

#include "../graph/batched.h"

namespace gradus::func::detail {

using autograd::BatchLevel;

using autograd::detail::level_of;
using autograd::detail::repeated;

namespace {

Tensor unwrapped(const Tensor& x, const BatchLevel* level) {
  if (level == nullptr) return x;
  const Tensor own = autograd::examples_of(x, level->level());
  return unwrapped(own.defined() ? own : repeated(x, level->size()), level->outer());
}
Tensor wrapped(const Tensor& all, const BatchLevel* level) {
  return level == nullptr ? all : autograd::batched(wrapped(all, level->outer()), level->level());
}

}  // namespace

Tensor all_examples(const Tensor& x) { return unwrapped(x, BatchLevel::innermost()); }
Tensor each_example(const Tensor& all) { return wrapped(all, BatchLevel::innermost()); }

Tensor examples_like(const Tensor& x, const Tensor& of) {
  const std::int64_t level = level_of(of);
  autograd::detail::check_running(x);
  if (level_of(x) > level) throw autograd::NotBatched{level_of(x), "a tangent"};  // of a vmap that was begun later
  if (level == 0) return x;
  const Tensor inner = autograd::examples_of(of, level), own = autograd::examples_of(x, level);
  return examples_like(own.defined() ? own : repeated(x, inner.size(0)), inner);
}
Tensor batched_like(const Tensor& all, const Tensor& of) {
  const std::int64_t level = level_of(of);
  return level == 0 ? all : autograd::batched(batched_like(all, autograd::examples_of(of, level)), level);
}

}  // namespace gradus::func::detail
