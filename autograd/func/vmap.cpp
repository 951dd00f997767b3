#include "vmap.h"

#include <algorithm>
#include <string>

#include "../../core/base/fail.h"
#include "../../core/ops/random.h"
#include "../graph/engine.h"
#include "../graph/grad_mode.h"
#include "../tensor/create.h"

namespace gradus::func {

using autograd::BatchLevel;
using autograd::NotBatched;

namespace {

using Dimensions = std::vector<std::optional<std::int64_t>>;

// How many examples there are, with the dimensions counted from the front.
std::int64_t examples(const Tensors& inputs, Dimensions& dims) {
  std::optional<std::int64_t> size;
  std::size_t first = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!dims[i]) continue;
    const Tensor& x = inputs[i];
    if (!x.defined()) core::fail<ValueError>("vmap: input {} must be defined, as it is mapped", i);
    dims[i] = core::existing_dim(*dims[i], static_cast<int>(x.dim()), "vmap");
    const std::int64_t own = x.size(*dims[i]);
    if (size && *size != own) {
      core::fail<ShapeError>(
          "vmap: mapped inputs must have as many examples: {} along dimension {} of input {} ({}), {} along dimension "
          "{} of input {} ({})",
          *size, *dims[first], first, inputs[first].sizes(), own, *dims[i], i, x.sizes());
    }
    if (!size) first = i;
    size = own;
  }
  if (!size) {
    core::fail<ValueError>("vmap: at least one input must be mapped: in_dims is none for all {}", inputs.size());
  }
  return *size;
}

void check_results(const Tensors& y) {
  for (std::size_t k = 0; k < y.size(); ++k) {
    if (!y[k].defined()) core::fail<ValueError>("vmap: result {} of the function must be defined", k);
  }
}

// All at once: f of tensors that stand for one example each.
Tensors at_once(detail::Function f, const Tensors& stacked, const Dimensions& dims, const BatchLevel& level) {
  Tensors x = stacked;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (dims[i]) x[i] = autograd::batched(x[i], level.level());
  }
  Tensors y = f(x);
  check_results(y);
  for (Tensor& one : y) {
    const Tensor all = autograd::examples_of(one, level.level());
    one = all.defined() ? all : autograd::detail::repeated(one, level.size());
  }
  return y;
}

// Of a batch of none: zeros in an example's shape, for the shapes of f's results.
Tensor nothing_like_an_example_of(const Tensor& x) {
  core::Shape shape(x.sizes());
  shape.erase(0);
  return zeros(shape, x.dtype());
}

// One after the other.
Tensors by_examples(detail::Function f, const Tensors& stacked, const Dimensions& dims, std::int64_t size) {
  std::vector<Tensors> results;
  for (std::int64_t b = 0; b < std::max<std::int64_t>(size, 1); ++b) {
    Tensors x = stacked;
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (!dims[i]) continue;
      x[i] = size == 0 ? nothing_like_an_example_of(x[i]) : x[i].select(0, b);
    }
    Tensors y = f(x);
    check_results(y);
    results.resize(y.size());
    for (std::size_t k = 0; k < y.size(); ++k) results[k].push_back(y[k]);
  }
  Tensors y;
  for (const Tensors& all : results) y.push_back(size == 0 ? stack(all).slice(0, 0, 0) : stack(all));
  return y;
}

std::vector<std::uint64_t> writes_to(const Tensors& all, const Dimensions& dims) {
  std::vector<std::uint64_t> writes;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (dims[i]) writes.push_back(all[i].body().array.storage()->write_count());
  }
  return writes;
}

Tensors over_chunk(detail::Function f, const Tensors& stacked, const Dimensions& dims, std::int64_t size) {
  const std::vector<std::uint64_t> writes = writes_to(stacked, dims);
  const core::RandomPosition start = core::default_generator().position();
  std::string_view op;
  {
    const BatchLevel level(size);
    try {
      return at_once(f, stacked, dims, level);
    } catch (const NotBatched& asked) {
      if (asked.level != level.level()) throw;
      op = asked.op;
      core::default_generator().set_position(start);  // the loop draws as it does where it is asked for
    }
  }
  autograd::detail::tell_of_loop(false,
                                 fmt::format("the function goes example by example: {}{}",
                                             op.empty() ? "it asks for the numbers of an example" : "because of ", op));
  if (writes_to(stacked, dims) != writes) {
    core::fail<ValueError>(
        "vmap: a function that goes example by example (as one does that asks for an example's numbers) must not "
        "change its inputs in place: change a clone()");
  }
  return by_examples(f, stacked, dims, size);
}

}  // namespace

BatchDims::BatchDims(std::int64_t dim) : all_(dim) {}
BatchDims::BatchDims(int dim) : all_(dim) {}
BatchDims::BatchDims(std::initializer_list<std::optional<std::int64_t>> each) : each_(each), listed_(true) {}
BatchDims::BatchDims(std::vector<std::optional<std::int64_t>> each) : each_(std::move(each)), listed_(true) {}
BatchDims::BatchDims(const BatchDims&) = default;
BatchDims::BatchDims(BatchDims&&) noexcept = default;
BatchDims& BatchDims::operator=(const BatchDims&) = default;
BatchDims& BatchDims::operator=(BatchDims&&) noexcept = default;
BatchDims::~BatchDims() = default;
Dimensions BatchDims::of(std::size_t count, const char* which) const {
  if (!listed_) return Dimensions(count, all_);
  if (each_.size() != count) {
    core::fail<ValueError>("vmap: {} must be one number, or one for each tensor: {} for {}", which, each_.size(),
                           count);
  }
  return each_;
}

namespace detail {

Tensors mapped(Function f, const Tensors& inputs, const BatchDims& in_dims, const BatchDims& out_dims,
               std::optional<std::int64_t> chunk_size) {
  Dimensions dims = in_dims.of(inputs.size(), "in_dims");
  const std::int64_t size = examples(inputs, dims);
  if (chunk_size && *chunk_size < 1) core::fail<ValueError>("vmap: chunk_size must be at least 1: {}", *chunk_size);
  Tensors stacked = inputs;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (dims[i] && *dims[i] != 0) stacked[i] = inputs[i].movedim(*dims[i], 0);
  }
  Tensors y;
  if (!chunk_size || *chunk_size >= size) {
    y = over_chunk(f, stacked, dims, size);
  } else {
    std::vector<Tensors> parts;
    for (std::int64_t begin = 0; begin < size; begin += *chunk_size) {
      const std::int64_t count = std::min(*chunk_size, size - begin);
      Tensors part = stacked;
      for (std::size_t i = 0; i < part.size(); ++i) {
        if (dims[i]) part[i] = part[i].narrow(0, begin, count);
      }
      const Tensors own = over_chunk(f, part, dims, count);
      parts.resize(own.size());
      for (std::size_t k = 0; k < own.size(); ++k) parts[k].push_back(own[k]);
    }
    for (const Tensors& each : parts) y.push_back(cat(each, 0));
  }
  const Dimensions out = out_dims.of(y.size(), "out_dims");
  for (std::size_t k = 0; k < y.size(); ++k) {
    if (!out[k]) core::fail<ValueError>("vmap: out_dims must be numbers: there is none for result {}", k);
    const int to = core::existing_dim(*out[k], static_cast<int>(y[k].dim()), "vmap");
    if (to != 0) y[k] = y[k].movedim(0, to);
  }
  return y;
}

Tensors per_sample_gradients(Function loss, const Tensors& parameters, const Tensors& inputs) {
  Dimensions dims(parameters.size(), std::nullopt);
  dims.resize(parameters.size() + inputs.size(), 0);
  Tensors all = parameters;
  for (Tensor& p : all) p = p.detach();
  all.insert(all.end(), inputs.begin(), inputs.end());
  const auto gradients = [&](const Tensors& x) {
    const AutoGradMode recording(true);
    Tensors own = x, leaves;
    for (std::size_t i = 0; i < parameters.size(); ++i) leaves.push_back(own[i] = autograd::fresh_leaf_for(x[i]));
    const Tensor y = loss(own)[0];
    if (y.numel() != 1) {
      core::fail<GradError>(
          "per_sample_gradients: a sample's loss must be one number: {}; reduce it with sum() or mean()", y.sizes());
    }
    Tensors dx = autograd::grad({y}, leaves, {}, {}, false, true);
    for (std::size_t i = 0; i < dx.size(); ++i) {
      if (!dx[i].defined()) dx[i] = zeros_like(leaves[i]);
    }
    return dx;
  };
  return mapped(gradients, all, dims, 0, {});
}

}  // namespace detail
}  // namespace gradus::func
