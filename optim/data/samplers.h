// Samplers: in which order a loader asks for what.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dataset.h"

namespace gradus::data::samplers {

/// Where a sampler is in its epoch, by name: what `save` writes.
using Position = std::vector<std::pair<std::string, Tensor>>;

namespace detail {
GRADUS_API void write(serialize::OutputArchive& archive, const Position& position);
/// The entries that a position of this kind has.
GRADUS_API Position read(serialize::InputArchive& archive, const Position& kind);
}  // namespace detail

/// Says what a batch is to hold.
template <class BatchRequest = std::vector<std::size_t>>
class Sampler {
 public:
  using BatchRequestType = BatchRequest;
  virtual ~Sampler() = default;
  /// Begins an epoch, of another size where one is given.
  virtual void reset(std::optional<std::size_t> new_size) = 0;
  /// The next request, for at most that many examples; nothing when the epoch is over.
  virtual std::optional<BatchRequest> next(std::size_t batch_size) = 0;
  /// Where it is, and to go on from there: ValueError for the position of a data set of another size. Nothing unless
  /// overridden: a sampler of one's own writes these two, or `save` and `load`.
  virtual Position position() const { return {}; }
  virtual void set_position(const Position& /*position*/) {}
  virtual void save(serialize::OutputArchive& archive) const { detail::write(archive, position()); }
  /// The archive's errors, and ValueError for a position that this sampler cannot have.
  virtual void load(serialize::InputArchive& archive) { set_position(detail::read(archive, position())); }
};

template <class BatchRequest>
serialize::OutputArchive& operator<<(serialize::OutputArchive& archive, const Sampler<BatchRequest>& sampler) {
  sampler.save(archive);
  return archive;
}
template <class BatchRequest>
serialize::InputArchive& operator>>(serialize::InputArchive& archive, Sampler<BatchRequest>& sampler) {
  sampler.load(archive);
  return archive;
}

/// 0, 1, 2, ...
class GRADUS_API SequentialSampler : public Sampler<> {
 public:
  explicit SequentialSampler(std::size_t size) : size_(size) {}
  void reset(std::optional<std::size_t> new_size = {}) override;
  std::optional<std::vector<std::size_t>> next(std::size_t batch_size) override;
  Position position() const override;
  void set_position(const Position& position) override;
  std::size_t index() const noexcept { return index_; }

 private:
  std::size_t size_, index_ = 0;
};

/// A list of indices that is worked off: what the random samplers share. ValueError in the name of a sampler.
class GRADUS_API ListSampler : public Sampler<> {
 public:
  std::optional<std::vector<std::size_t>> next(std::size_t batch_size) override;
  Position position() const override;
  void set_position(const Position& position) override;
  std::size_t index() const noexcept { return static_cast<std::size_t>(index_); }

 protected:
  /// Of the data set that is drawn from, as far as the sampler knows it.
  virtual std::size_t size() const = 0;
  /// ValueError when as many are no such that this sampler could have drawn.
  virtual void expect_indices(const Tensor& indices) const = 0;
  Tensor indices_;  // int64
  std::int64_t index_ = 0;
};

/// All of them in another order each epoch, drawn from the default generator by `reset` and at the beginning. ValueError
/// when the size is negative. (The dtype is accepted, as in PyTorch; indices are kept as int64.)
class GRADUS_API RandomSampler : public ListSampler {
 public:
  explicit RandomSampler(std::int64_t size, DType index_dtype = kInt64);
  void reset(std::optional<std::size_t> new_size = {}) override;

 private:
  std::size_t size() const override;
  void expect_indices(const Tensor& indices) const override;
};

/// Some of them, in another order each epoch.
class GRADUS_API SubsetRandomSampler : public ListSampler {
 public:
  explicit SubsetRandomSampler(std::vector<std::size_t> indices);
  /// ValueError with a size: the subset is what it is.
  void reset(std::optional<std::size_t> new_size = {}) override;

 private:
  std::size_t size() const override;
  void expect_indices(const Tensor& indices) const override;
  Tensor all_;
};

/// `count` draws an epoch with chances in proportion to the weights: `gradus::multinomial`, whose errors it has.
class GRADUS_API WeightedRandomSampler : public ListSampler {
 public:
  WeightedRandomSampler(ArrayRef<double> weights, std::size_t count, bool replacement = true);
  /// The size is another count.
  void reset(std::optional<std::size_t> new_size = {}) override;

 private:
  std::size_t size() const override;
  void expect_indices(const Tensor& indices) const override;
  Tensor weights_;
  std::size_t count_;
  bool replacement_;
};

/// A share for each of several processes. All shares are equally large: some indices come twice, or with `allow_duplicates
/// = false` some are left out. ValueError unless rank < num_replicas.
template <class BatchRequest = std::vector<std::size_t>>
class DistributedSampler : public Sampler<BatchRequest> {
 public:
  DistributedSampler(std::size_t size, std::size_t num_replicas = 1, std::size_t rank = 0, bool allow_duplicates = true)
      : size_(size), num_replicas_(num_replicas), rank_(rank), allow_duplicates_(allow_duplicates) {}
  /// To be set before `reset`: the order is a function of it, so that all processes have the same.
  void set_epoch(std::size_t epoch) { epoch_ = epoch; }
  std::size_t epoch() const { return epoch_; }

 protected:
  std::size_t local_sample_count() const {
    return allow_duplicates_ ? (size_ + num_replicas_ - 1) / num_replicas_ : size_ / num_replicas_;
  }
  std::size_t size_, num_replicas_, rank_, epoch_ = 0;
  bool allow_duplicates_;
};

/// The order is PyTorch's: std::shuffle by a std::mt19937 of the epoch.
class GRADUS_API DistributedRandomSampler : public DistributedSampler<> {
 public:
  explicit DistributedRandomSampler(std::size_t size, std::size_t num_replicas = 1, std::size_t rank = 0,
                                    bool allow_duplicates = true);
  void reset(std::optional<std::size_t> new_size = {}) override;
  std::optional<std::vector<std::size_t>> next(std::size_t batch_size) override;
  Position position() const override;
  void set_position(const Position& position) override;
  std::size_t index() const noexcept { return at_; }

 private:
  std::size_t end_ = 0, at_ = 0;
  std::vector<std::size_t> all_;
};
class GRADUS_API DistributedSequentialSampler : public DistributedSampler<> {
 public:
  explicit DistributedSequentialSampler(std::size_t size, std::size_t num_replicas = 1, std::size_t rank = 0,
                                        bool allow_duplicates = true);
  void reset(std::optional<std::size_t> new_size = {}) override;
  std::optional<std::vector<std::size_t>> next(std::size_t batch_size) override;
  Position position() const override;
  void set_position(const Position& position) override;
  std::size_t index() const noexcept { return at_; }

 private:
  std::size_t end_ = 0, at_ = 0;
};

/// A request that is no list of indices.
struct GRADUS_API CustomBatchRequest {
  virtual ~CustomBatchRequest();
  virtual std::size_t size() const = 0;
};
/// That many examples, whichever.
struct GRADUS_API BatchSize : public CustomBatchRequest {
  explicit BatchSize(std::size_t size) : size_(size) {}
  std::size_t size() const noexcept override { return size_; }
  operator std::size_t() const noexcept { return size_; }  // NOLINT
  std::size_t size_;
};
/// For a stream, which has no end: an epoch of that many examples.
class GRADUS_API StreamSampler : public Sampler<BatchSize> {
 public:
  explicit StreamSampler(std::size_t epoch_size) : epoch_size_(epoch_size) {}
  void reset(std::optional<std::size_t> new_size = {}) override;
  std::optional<BatchSize> next(std::size_t batch_size) override;
  Position position() const override;
  void set_position(const Position& position) override;

 private:
  std::size_t retrieved_ = 0, epoch_size_;
};

}  // namespace gradus::data::samplers
