#include "batched.h"

#include "../graph/batched.h"

namespace gradus::func::detail {

using autograd::BatchLevel;

namespace {

Tensor repeated(const Tensor& x, std::int64_t size) {
  core::Shape whole(x.sizes());
  whole.insert(0, size);
  return x.unsqueeze(0).expand(whole);
}
std::int64_t level_of(const Tensor& x) { return x.defined() && x.body().batch != nullptr ? x.body().batch->level : 0; }

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
