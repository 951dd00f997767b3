#include "rows.h"

#include <cstring>

#include "../../autograd/ops/combine.h"
#include "../../autograd/ops/shapes.h"
#include "../../autograd/tensor/create.h"
#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "transforms.h"

namespace gradus::data {
namespace {

using core::fail;

bool is_plain(const Tensor& x) { return x.defined() && x.is_contiguous() && !x.requires_grad(); }

std::int64_t checked_row(std::size_t index, std::int64_t rows) {
  if (index >= static_cast<std::size_t>(rows)) {
    fail<IndexError>("get_batch: an index must be below the data set's size: {} of {}", index, rows);
  }
  return static_cast<std::int64_t>(index);
}

core::Array empty_rows(const core::Array& from, std::size_t count) {
  core::Dims shape = from.shape();
  shape[0] = static_cast<std::int64_t>(count);
  return core::empty(shape, from.dtype());
}

// (x - mean) / stddev over one channel's plane, for vectors: neither is the other's memory.
void normalize_plane(float* __restrict to, const float* __restrict from, std::int64_t n, float mean, float stddev) {
  for (std::int64_t i = 0; i < n; ++i) to[i] = (from[i] - mean) / stddev;
}

}  // namespace

bool can_take_rows(const Tensor& from) { return is_plain(from) && from.dim() >= 1; }

bool can_normalize_rows(const Tensor& from, const Tensor& mean, const Tensor& stddev) {
  if (!can_take_rows(from) || from.dim() != 4 || from.dtype() != kFloat) return false;
  for (const Tensor* const x : {&mean, &stddev}) {
    const bool per_channel = is_plain(*x) && x->dtype() == kFloat && x->dim() == 3 && x->size(0) == x->numel();
    if (!per_channel || (x->numel() != 1 && x->numel() != from.size(1))) return false;
  }
  return true;
}

Tensor take_rows(const Tensor& from, ArrayRef<std::size_t> indices) {
  const core::Array& rows = from.array();
  core::Array out = empty_rows(rows, indices.size());
  const std::int64_t count = rows.shape()[0];
  const std::int64_t bytes = count == 0 ? 0 : rows.numel() / count * rows.element_size();
  const char* const source = static_cast<const char*>(rows.data());
  char* to = static_cast<char*>(out.data());
  for (const std::size_t index : indices) {
    const std::int64_t row = checked_row(index, count);
    if (bytes > 0) std::memcpy(to, source + row * bytes, static_cast<std::size_t>(bytes));
    to += bytes;
  }
  return Tensor(std::move(out));
}

Tensor take_rows(const Tensor& from, ArrayRef<std::size_t> indices, const Tensor& mean, const Tensor& stddev) {
  if (!mean.defined()) return take_rows(from, indices);
  const core::Array& rows = from.array();
  core::Array out = empty_rows(rows, indices.size());
  const std::int64_t count = rows.shape()[0], channels = rows.shape()[1];
  const std::int64_t plane = rows.shape()[2] * rows.shape()[3];
  const float* const source = rows.data_ptr<float>();
  const float *const means = mean.data_ptr<float>(), *const stddevs = stddev.data_ptr<float>();
  const bool one_mean = mean.numel() == 1, one_stddev = stddev.numel() == 1;
  float* to = out.data_ptr<float>();
  for (const std::size_t index : indices) {
    const float* at = source + checked_row(index, count) * channels * plane;
    for (std::int64_t c = 0; c < channels; ++c, at += plane, to += plane) {
      normalize_plane(to, at, plane, means[one_mean ? 0 : c], stddevs[one_stddev ? 0 : c]);
    }
  }
  return Tensor(std::move(out));
}

Tensor stack_examples(const std::vector<Tensor>& examples, const char* what) {
  if (examples.empty()) fail<ValueError>("Stack: there must be at least one example: an empty list");
  const Tensor& first = examples[0];
  bool plain = true;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    const Tensor& x = examples[i];
    if (!x.defined()) {
      fail<ValueError>(
          "Stack: the {} of every example must be defined: that of number {} is not; TensorExample has no target", what,
          i);
    }
    if (x.sizes() != first.sizes()) {
      fail<ShapeError>("Stack: the {} of all examples must have one shape: number {} has {}, the first {}", what, i,
                       x.sizes(), first.sizes());
    }
    plain = plain && is_plain(x) && x.dtype() == first.dtype();
  }
  if (!plain) return stack(examples);
  core::Dims shape = {static_cast<std::int64_t>(examples.size())};
  for (const std::int64_t size : first.sizes()) shape.push_back(size);
  core::Array out = core::empty(shape, first.dtype());
  const auto bytes = static_cast<std::size_t>(first.nbytes());
  char* to = static_cast<char*>(out.data());
  for (const Tensor& x : examples) {
    if (bytes > 0) std::memcpy(to, x.array().data(), bytes);
    to += bytes;
  }
  return Tensor(std::move(out));
}

namespace transforms {

Tensor of_channels(ArrayRef<double> values, const char* what) {
  if (values.empty()) fail<ValueError>("Normalize: {} must hold a number for each channel: it is empty", what);
  return gradus::tensor(values.vec(), kFloat).view({static_cast<std::int64_t>(values.size()), 1, 1});
}
Tensor normalize(const Tensor& x, const Tensor& mean, const Tensor& stddev) { return x.sub(mean).div(stddev); }

namespace {
// The data of the examples, moved out of them.
template <class E>
std::vector<Tensor> data_of(std::vector<E>& examples) {
  std::vector<Tensor> all;
  all.reserve(examples.size());
  for (E& example : examples) all.push_back(std::move(example.data));
  return all;
}
}  // namespace

Example<> Stack<Example<>>::apply_batch(std::vector<Example<>> examples) {
  std::vector<Tensor> targets;
  targets.reserve(examples.size());
  for (Example<>& example : examples) targets.push_back(std::move(example.target));
  return {stack_examples(data_of(examples), "data"), stack_examples(targets, "target")};
}
Example<> Stack<Example<>>::take(const Rows& rows, ArrayRef<std::size_t> indices) const {
  return {take_rows(rows.data, indices, rows.mean, rows.stddev), take_rows(rows.target, indices)};
}
TensorExample Stack<TensorExample>::apply_batch(std::vector<TensorExample> examples) {
  return stack_examples(data_of(examples), "data");
}
TensorExample Stack<TensorExample>::take(const Rows& rows, ArrayRef<std::size_t> indices) const {
  return take_rows(rows.data, indices, rows.mean, rows.stddev);
}

}  // namespace transforms
}  // namespace gradus::data
