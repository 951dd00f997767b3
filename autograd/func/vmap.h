// A function of one example as a function of a batch of them: after torch.func.vmap and jax.vmap.
//
//   const auto products = func::vmap([](const Tensor& a, const Tensor& b) { return dot(a, b); });
//   products(randn({64, 5}), randn({64, 5}));                       // [64]
//
// Inside, a tensor has the shape of one example, and operations on it go over all examples at once. Gradients flow through
// to whatever requires them; func::grad inside gives each example its own. What f returns it returns for each example,
// stacked; a result that no mapped input has a part in is repeated. Calls nest.
//
// Where nothing is known of how an operation goes over a batch, that operation goes example by example, and where the
// numbers of an example are asked for (item(), a branch on a value, printing) f itself does: it is called again, for each
// example. Results are the same; standard error says once what it was (func::warn_of_loops(false): it does not). So f is to
// have no effects but its result. Of its inputs it may change what it has made of them, but where f itself goes example by
// example not the inputs: ValueError.
//
// Dropout draws for each example. Functions that make tensors (randn, rand_like) know of no examples: all have the same
// numbers, but where f goes example by example. An example has at most 7 dimensions.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include "call.h"
#include "../graph/batched.h"

namespace gradus::func {

using autograd::warn_of_loops;

/// Which dimension of each tensor goes over the examples, counted from the end where negative; std::nullopt: none, all
/// examples have the same tensor. One number stands for all.
class GRADUS_API BatchDims {
 public:
  // Defined in the source file: a list of optional numbers is dear to compile.
  BatchDims(std::int64_t dim);                                         // NOLINT(google-explicit-constructor)
  BatchDims(int dim);                                                  // NOLINT(google-explicit-constructor)
  BatchDims(std::initializer_list<std::optional<std::int64_t>> each);  // NOLINT
  BatchDims(std::vector<std::optional<std::int64_t>> each);            // NOLINT
  BatchDims(const BatchDims&);
  BatchDims(BatchDims&&) noexcept;
  BatchDims& operator=(const BatchDims&);
  BatchDims& operator=(BatchDims&&) noexcept;
  ~BatchDims();
  /// For so many tensors. ValueError when the list is of another length.
  std::vector<std::optional<std::int64_t>> of(std::size_t count, const char* which) const;

 private:
  std::int64_t all_ = 0;
  std::vector<std::optional<std::int64_t>> each_;
  bool listed_ = false;
};

namespace detail {

GRADUS_API Tensors mapped(Function f, const Tensors& inputs, const BatchDims& in_dims, const BatchDims& out_dims,
                          std::optional<std::int64_t> chunk_size);
GRADUS_API Tensors per_sample_gradients(Function loss, const Tensors& parameters, const Tensors& inputs);

}  // namespace detail

/// What vmap gives: takes what f takes, with the examples' dimension; returns what f returns, with it.
template <class F>
class Vmap {
 public:
  Vmap(F f, BatchDims in_dims, BatchDims out_dims, std::optional<std::int64_t> chunk_size)
      : f_(std::move(f)), in_dims_(std::move(in_dims)), out_dims_(std::move(out_dims)), chunk_size_(chunk_size) {}
  template <class... X>
  requires detail::CallableWith<F, X...>
  auto operator()(const X&... inputs) const {
    using Result = std::decay_t<detail::ResultOf<const F>>;
    const auto listed = [&](const Tensors& x) { return detail::listed(detail::call("vmap", f_, x)); };
    return detail::unlisted<Result>(
        detail::mapped(listed, detail::arguments(inputs...), in_dims_, out_dims_, chunk_size_));
  }

 private:
  F f_;
  BatchDims in_dims_, out_dims_;
  std::optional<std::int64_t> chunk_size_;
};

/// f over a batch. At most `chunk_size` examples at a time, where memory is scarce. ShapeError when the numbers of examples
/// differ; ValueError when no input is mapped, or chunk_size is below 1; IndexError for a dimension that there is not.
template <class F>
Vmap<F> vmap(F f, BatchDims in_dims = 0, BatchDims out_dims = 0, std::optional<std::int64_t> chunk_size = {}) {
  return {std::move(f), std::move(in_dims), std::move(out_dims), chunk_size};
}

/// Each sample's gradient of `loss(parameters, input of one sample...)`, a number: for each parameter [samples, ..]. The
/// inputs have the samples along dimension 0. A parameter that the loss does not depend on has gradients of zeros.
/// GradError when a loss is no single number.
template <class Loss, class... X>
requires(std::is_convertible_v<const X&, Tensor>&&...) Tensors
    per_sample_gradients(const Loss& loss, const Tensors& parameters, const X&... inputs) {
  static_assert(sizeof...(X) > 0,
                "per_sample_gradients takes at least one input, whose first dimension is the samples'");
  const auto of_list = [&](const Tensors& all) {
    const Tensors own(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(parameters.size()));
    const Tensor* next = all.data() + parameters.size();
    const auto one = [&next](const auto&) -> const Tensor& { return *next++; };
    const std::tuple<const Tensors&, decltype(one(inputs))...> each{own, one(inputs)...};
    return Tensors{std::apply(loss, each)};
  };
  return detail::per_sample_gradients(of_list, parameters, {inputs...});
}

}  // namespace gradus::func
