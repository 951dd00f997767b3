// Data sets: what an index, or a number of examples, is answered with; and data sets made of others.
#pragma once

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "../../core/base/function_ref.h"
#include "each_example.h"
#include "example.h"
#include "rows.h"

namespace gradus::serialize {
class OutputArchive;
class InputArchive;
}  // namespace gradus::serialize

namespace gradus::data::datasets {

template <class Source, class AppliedTransform>
class MapDataset;
template <class D, class T>
MapDataset<D, T> map(D dataset, T transform);

namespace detail {
template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};
template <bool optional, class T>
using optional_if_t = std::conditional_t<optional, std::optional<T>, T>;

// A batch of a data set that knows where it is; `taken` is called as soon as the next one may be taken. What is derived
// from a MapDataset may have a `get_batch` of its own, so that only the class itself is known to transform.
template <class D, class Request>
typename D::BatchType take_batch(D& dataset, Request request, core::FunctionRef<void()> taken) {
  auto batch = dataset.get_batch(std::move(request));
  taken();
  return batch;
}
template <class D, class T, class Request>
typename MapDataset<D, T>::BatchType take_batch(MapDataset<D, T>& dataset, Request request,
                                                core::FunctionRef<void()> taken) {
  return dataset.take_batch(std::move(request), taken);
}
}  // namespace detail

/// Answers a request with a batch. `Self` is the class itself: `struct Mine : BatchDataset<Mine, ...>`. A loader gives each
/// worker a copy of the data set, unless it is stateful (its batches are std::optional, empty at an epoch's end): that one
/// is shared, and has to bear several threads at once.
template <class Self, class Batch = std::vector<Example<>>, class BatchRequest = ArrayRef<std::size_t>>
class BatchDataset {
 public:
  using SelfType = Self;
  using BatchType = Batch;
  using BatchRequestType = BatchRequest;
  static constexpr bool is_stateful = detail::is_optional<BatchType>::value;

  virtual ~BatchDataset() = default;
  virtual Batch get_batch(BatchRequest request) = 0;
  /// How many examples there are, where that is known.
  virtual std::optional<std::size_t> size() const = 0;

  /// The data set whose batches go through a transform.
  template <class TransformType>
  MapDataset<Self, TransformType> map(TransformType transform) & {
    return datasets::map(static_cast<Self&>(*this), std::move(transform));
  }
  template <class TransformType>
  MapDataset<Self, TransformType> map(TransformType transform) && {
    return datasets::map(std::move(static_cast<Self&>(*this)), std::move(transform));
  }
};

/// Answers an index with an example.
template <class Self, class SingleExample = Example<>>
class Dataset : public BatchDataset<Self, std::vector<SingleExample>> {
 public:
  using ExampleType = SingleExample;
  virtual ExampleType get(std::size_t index) = 0;
  std::vector<ExampleType> get_batch(ArrayRef<std::size_t> indices) override {
    std::vector<ExampleType> batch;
    batch.reserve(indices.size());
    EachExample each;
    for (const std::size_t i : indices) {
      each.begin(i);
      batch.push_back(get(i));
    }
    return batch;
  }
};

/// Answers a number of examples with as many, without an end.
template <class Self, class Batch = std::vector<Example<>>>
using StreamDataset = BatchDataset<Self, Batch, std::size_t>;

/// Knows where it is: gives batches one after the other until it is exhausted, and begins again after `reset`.
template <class Self, class Batch = std::vector<Example<>>, class BatchRequest = std::size_t>
class StatefulDataset : public BatchDataset<Self, std::optional<Batch>, BatchRequest> {
 public:
  virtual void reset() = 0;
  /// Where it is, for who goes on another day. Nothing unless overridden.
  virtual void save(serialize::OutputArchive& /*archive*/) const {}
  virtual void load(serialize::InputArchive& /*archive*/) {}
};

template <class... Types>
serialize::OutputArchive& operator<<(serialize::OutputArchive& archive, const StatefulDataset<Types...>& dataset) {
  dataset.save(archive);
  return archive;
}
template <class... Types>
serialize::InputArchive& operator>>(serialize::InputArchive& archive, StatefulDataset<Types...>& dataset) {
  dataset.load(archive);
  return archive;
}

/// A data set and what is done with its batches.
template <class SourceDataset, class AppliedTransform>
class MapDataset
    : public BatchDataset<MapDataset<SourceDataset, AppliedTransform>,
                          detail::optional_if_t<SourceDataset::is_stateful, typename AppliedTransform::OutputBatchType>,
                          typename SourceDataset::BatchRequestType> {
 public:
  using DatasetType = SourceDataset;
  using TransformType = AppliedTransform;
  using BatchRequestType = typename SourceDataset::BatchRequestType;
  using OutputBatchType = detail::optional_if_t<SourceDataset::is_stateful, typename AppliedTransform::OutputBatchType>;

  MapDataset(DatasetType dataset, TransformType transform)
      : dataset_(std::move(dataset)), transform_(std::move(transform)) {}

  OutputBatchType get_batch(BatchRequestType request) override {
    if constexpr (SourceDataset::is_stateful) {
      return take_batch(std::move(request), [] {});
    } else {
      if constexpr (has_rows<SourceDataset> && takes_rows<AppliedTransform>) {
        // All rows of the batch at once, in the place of example by example: the same numbers.
        if (Rows rows; dataset_.rows(rows)) return transform_.take(rows, request);
      }
      return transform_.apply_batch(dataset_.get_batch(std::move(request)));
    }
  }
  /// The same; `taken` is called between the source and the transform.
  OutputBatchType take_batch(BatchRequestType request,
                             core::FunctionRef<void()> taken) requires(SourceDataset::is_stateful) {
    auto batch = detail::take_batch(dataset_, std::move(request), taken);
    if (!batch) return std::nullopt;
    return transform_.apply_batch(std::move(*batch));
  }
  std::optional<std::size_t> size() const noexcept override { return dataset_.size(); }
  void reset() { dataset_.reset(); }
  const SourceDataset& dataset() noexcept { return dataset_; }
  const AppliedTransform& transform() noexcept { return transform_; }

  /// Whether the examples are whole rows of tensors, and which (has_rows).
  bool rows(Rows& rows) const requires(has_rows<MapDataset>) { return dataset_.rows(rows) && transform_.on_rows(rows); }

 private:
  SourceDataset dataset_;
  AppliedTransform transform_;
};

template <class D, class T>
MapDataset<D, T> map(D dataset, T transform) {
  using Batch = typename D::BatchType;
  if constexpr (D::is_stateful) {
    static_assert(std::is_same_v<typename Batch::value_type, typename T::InputBatchType>,
                  "map: the transform must take what the data set gives: its InputBatchType, the set's batches");
  } else {
    static_assert(std::is_same_v<Batch, typename T::InputBatchType>,
                  "map: the transform must take what the data set gives: its InputBatchType, the set's BatchType");
  }
  return {std::move(dataset), std::move(transform)};
}

/// One data set for all workers, in the place of a copy for each: it has to bear several threads at once.
template <class Underlying>
class SharedBatchDataset : public BatchDataset<SharedBatchDataset<Underlying>, typename Underlying::BatchType,
                                               typename Underlying::BatchRequestType> {
 public:
  using BatchType = typename Underlying::BatchType;
  using BatchRequestType = typename Underlying::BatchRequestType;

  SharedBatchDataset(std::shared_ptr<Underlying> dataset) : dataset_(std::move(dataset)) {}  // NOLINT

  BatchType get_batch(BatchRequestType request) override { return dataset_->get_batch(std::move(request)); }
  std::optional<std::size_t> size() const override { return dataset_->size(); }
  Underlying& operator*() { return *dataset_; }
  const Underlying& operator*() const { return *dataset_; }
  Underlying* operator->() { return dataset_.get(); }
  const Underlying* operator->() const { return dataset_.get(); }
  void reset() { dataset_->reset(); }

 private:
  std::shared_ptr<Underlying> dataset_;
};

template <class Underlying, class... Args>
SharedBatchDataset<Underlying> make_shared_dataset(Args&&... args) {
  return std::make_shared<Underlying>(std::forward<Args>(args)...);
}

}  // namespace gradus::data::datasets
