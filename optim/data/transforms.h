// Transforms: what is done with examples, or with batches, on their way out of a data set.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "dataset.h"
#include "each_example.h"
#include "example.h"
#include "rows.h"

namespace gradus::data {
namespace transforms {

/// Of a batch another.
template <class InputBatch, class OutputBatch>
class BatchTransform {
 public:
  using InputBatchType = InputBatch;
  using OutputBatchType = OutputBatch;
  virtual ~BatchTransform() = default;
  virtual OutputBatch apply_batch(InputBatch input_batch) = 0;
};

/// Of each example another.
template <class Input, class Output>
class Transform : public BatchTransform<std::vector<Input>, std::vector<Output>> {
 public:
  using InputType = Input;
  using OutputType = Output;
  virtual OutputType apply(InputType input) = 0;
  std::vector<Output> apply_batch(std::vector<Input> input_batch) override {
    std::vector<Output> output_batch;
    output_batch.reserve(input_batch.size());
    EachExample each;
    for (auto&& input : input_batch) {
      each.begin();
      output_batch.push_back(apply(std::move(input)));
    }
    return output_batch;
  }
};

/// The two by a function.
template <class Input, class Output = Input>
class BatchLambda : public BatchTransform<Input, Output> {
 public:
  using FunctionType = std::function<Output(Input)>;
  explicit BatchLambda(FunctionType function) : function_(std::move(function)) {}
  Output apply_batch(Input input_batch) override { return function_(std::move(input_batch)); }

 private:
  FunctionType function_;
};
template <class Input, class Output = Input>
class Lambda : public Transform<Input, Output> {
 public:
  using FunctionType = std::function<Output(Input)>;
  explicit Lambda(FunctionType function) : function_(std::move(function)) {}
  Output apply(Input input) override { return function_(std::move(input)); }

 private:
  FunctionType function_;
};

/// Many examples become one.
template <class T, class BatchType = std::vector<T>>
using Collation = BatchTransform<BatchType, T>;
template <class T, class BatchType = std::vector<T>>
using Collate = BatchLambda<BatchType, T>;

/// Of each example's data other data; its target stays.
template <class Target = Tensor>
class TensorTransform : public Transform<Example<Tensor, Target>, Example<Tensor, Target>> {
 public:
  using E = Example<Tensor, Target>;
  virtual Tensor operator()(Tensor input) = 0;
  E apply(E input) override {
    input.data = (*this)(std::move(input.data));
    return input;
  }
};
template <class Target = Tensor>
class TensorLambda : public TensorTransform<Target> {
 public:
  using FunctionType = std::function<Tensor(Tensor)>;
  explicit TensorLambda(FunctionType function) : function_(std::move(function)) {}
  Tensor operator()(Tensor input) override { return function_(std::move(input)); }

 private:
  FunctionType function_;
};

/// A number for each channel, float32 of shape [C, 1, 1], as Normalize takes its two. ValueError when there is none.
GRADUS_API Tensor of_channels(ArrayRef<double> values, const char* what);
/// `(x - mean) / stddev`.
GRADUS_API Tensor normalize(const Tensor& x, const Tensor& mean, const Tensor& stddev);

/// `(x - mean) / stddev` with a number for each channel of images [C, H, W].
template <class Target = Tensor>
struct Normalize : public TensorTransform<Target> {
  Normalize(ArrayRef<double> mean_, ArrayRef<double> stddev_)
      : mean(of_channels(mean_, "mean")), stddev(of_channels(stddev_, "stddev")) {}
  Tensor operator()(Tensor input) override { return normalize(input, mean, stddev); }

  bool on_rows(Rows& rows) const {
    if (rows.mean.defined() || !can_normalize_rows(rows.data, mean, stddev)) return false;
    rows.mean = mean;
    rows.stddev = stddev;
    return true;
  }
  Tensor mean, stddev;
};

/// A batch of a list of examples: the data in one tensor along a new first dimension, and so the targets.
template <class T = Example<>>
struct Stack;
template <>
struct GRADUS_API Stack<Example<>> : public Collation<Example<>> {
  Example<> apply_batch(std::vector<Example<>> examples) override;
  Example<> take(const Rows& rows, ArrayRef<std::size_t> indices) const;
};
template <>
struct GRADUS_API Stack<TensorExample> : public Collation<TensorExample> {
  TensorExample apply_batch(std::vector<TensorExample> examples) override;
  TensorExample take(const Rows& rows, ArrayRef<std::size_t> indices) const;
};

}  // namespace transforms

template <class T>
inline constexpr bool takes_rows<transforms::Stack<T>> = true;
template <class D, class Target>
inline constexpr bool has_rows<datasets::MapDataset<D, transforms::Normalize<Target>>> = has_rows<D>;

}  // namespace gradus::data
