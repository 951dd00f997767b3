#include "samplers.h"

#include <algorithm>
#include <numeric>
#include <random>

#include "../../autograd/files/archive.h"
#include "../../autograd/tensor/create.h"
#include "../../core/base/fail.h"

namespace gradus::data::samplers {
namespace {

using core::fail;
using Indices = std::vector<std::size_t>;

std::int64_t as_int(std::size_t n) { return static_cast<std::int64_t>(n); }
Tensor number(std::size_t n) { return gradus::tensor(as_int(n)); }

const Tensor& find(const Position& position, const std::string& name) {
  const auto at =
      std::find_if(position.begin(), position.end(), [&](const auto& entry) { return entry.first == name; });
  if (at == position.end()) fail<ValueError>("set_position: the position must hold '{}': it has no such entry", name);
  return at->second;
}
// Where a position says of how many it is, it must be of as many. (PyTorch's do not say it.)
void expect_same(const Position& position, const std::string& name, std::size_t here) {
  for (const auto& [key, tensor] : position) {
    if (key != name) continue;
    if (const auto there = tensor.item<std::int64_t>(); there != as_int(here)) {
      fail<ValueError>("set_position: the position must be of a sampler with the same {}: {} there, {} here", name,
                       there, here);
    }
  }
}
// A place in [0, most].
std::size_t place(const Position& position, const std::string& name, std::size_t most) {
  const auto value = find(position, name).item<std::int64_t>();
  if (value < 0 || static_cast<std::size_t>(value) > most) {
    fail<ValueError>("set_position: '{}' must be from 0 to {}: {}", name, most, value);
  }
  return static_cast<std::size_t>(value);
}

Indices counted(std::size_t begin, std::size_t end) {
  Indices indices(end - begin);
  std::iota(indices.begin(), indices.end(), begin);
  return indices;
}

void expect_rank(const char* sampler, std::size_t num_replicas, std::size_t rank) {
  if (rank >= num_replicas) {
    fail<ValueError>("{}: rank must be below num_replicas: {} of {}", sampler, rank, num_replicas);
  }
}

}  // namespace

namespace detail {
void write(serialize::OutputArchive& archive, const Position& position) {
  for (const auto& [name, tensor] : position) archive.write(name, tensor);
}
Position read(serialize::InputArchive& archive, const Position& kind) {
  Position position;
  for (const auto& [name, unused] : kind) {
    const std::string_view last = std::string_view(name).substr(name.rfind('.') + 1);
    if (Tensor value; last == "size" || last == "num_replicas") {  // expect_same
      if (archive.try_read(name, value)) position.emplace_back(name, value);
    } else {
      archive.read(name, position.emplace_back(name, Tensor()).second);
    }
  }
  return position;
}
}  // namespace detail

CustomBatchRequest::~CustomBatchRequest() = default;

void SequentialSampler::reset(std::optional<std::size_t> new_size) {
  size_ = new_size.value_or(size_);
  index_ = 0;
}
std::optional<Indices> SequentialSampler::next(std::size_t batch_size) {
  if (index_ >= size_) return std::nullopt;
  const std::size_t begin = std::exchange(index_, index_ + std::min(batch_size, size_ - index_));
  return counted(begin, index_);
}
Position SequentialSampler::position() const { return {{"index", number(index_)}, {"size", number(size_)}}; }
void SequentialSampler::set_position(const Position& position) {
  expect_same(position, "size", size_);
  index_ = place(position, "index", size_);
}

std::optional<Indices> ListSampler::next(std::size_t batch_size) {
  const std::int64_t left = indices_.numel() - index_;
  if (left == 0) return std::nullopt;
  const auto count = static_cast<std::ptrdiff_t>(std::min(batch_size, static_cast<std::size_t>(left)));
  const std::int64_t* const first = indices_.data_ptr<std::int64_t>() + index_;
  index_ += count;
  return Indices(first, first + count);
}
Position ListSampler::position() const {
  return {{"index", number(static_cast<std::size_t>(index_))}, {"indices", indices_.clone()}, {"size", number(size())}};
}
void ListSampler::set_position(const Position& position) {
  const Tensor& indices = find(position, "indices");
  if (indices.dtype() != kInt64 || indices.dim() != 1) {
    fail<ValueError>("set_position: 'indices' must be a list of int64: {} of shape {}", indices.dtype(),
                     indices.sizes());
  }
  expect_same(position, "size", size());
  if (indices.numel() != indices_.numel()) {
    fail<ValueError>("set_position: 'indices' must be as many as the sampler's: {} for {}", indices.numel(),
                     indices_.numel());
  }
  expect_indices(indices);
  const std::size_t index = place(position, "index", static_cast<std::size_t>(indices.numel()));
  indices_ = indices.clone();
  index_ = as_int(index);
}

namespace {
void expect_below(const Tensor& indices, std::size_t size) {
  if (indices.numel() == 0) return;
  for (const auto index : {indices.min().item<std::int64_t>(), indices.max().item<std::int64_t>()}) {
    if (index < 0 || index >= as_int(size)) {
      fail<ValueError>("set_position: 'indices' must be from 0 to {}, as the sampler's are: {}", as_int(size) - 1,
                       index);
    }
  }
}
}  // namespace

std::size_t RandomSampler::size() const { return static_cast<std::size_t>(indices_.numel()); }
void RandomSampler::expect_indices(const Tensor& indices) const { expect_below(indices, size()); }
RandomSampler::RandomSampler(std::int64_t size, DType) {
  if (size < 0) fail<ValueError>("RandomSampler: the size must be 0 or more: {}", size);
  indices_ = randperm(size);
}
void RandomSampler::reset(std::optional<std::size_t> new_size) {
  indices_ = randperm(new_size ? as_int(*new_size) : indices_.numel());
  index_ = 0;
}

std::size_t SubsetRandomSampler::size() const { return static_cast<std::size_t>(all_.numel()); }
void SubsetRandomSampler::expect_indices(const Tensor& indices) const {
  if (!equal(std::get<0>(indices.sort()), std::get<0>(all_.sort()))) {
    fail<ValueError>("set_position: 'indices' must be the sampler's subset in some order: they are others");
  }
}
SubsetRandomSampler::SubsetRandomSampler(Indices indices)
    : all_(gradus::tensor(std::vector<std::int64_t>(indices.begin(), indices.end()))) {
  reset();
}
void SubsetRandomSampler::reset(std::optional<std::size_t> new_size) {
  if (new_size && as_int(*new_size) != all_.numel()) {
    fail<ValueError>("SubsetRandomSampler: the size must stay that of the subset: {} for {}", *new_size, all_.numel());
  }
  indices_ = all_.index_select(0, randperm(all_.numel()));
  index_ = 0;
}

std::size_t WeightedRandomSampler::size() const { return static_cast<std::size_t>(weights_.numel()); }
void WeightedRandomSampler::expect_indices(const Tensor& indices) const { expect_below(indices, size()); }
WeightedRandomSampler::WeightedRandomSampler(ArrayRef<double> weights, std::size_t count, bool replacement)
    : weights_(gradus::tensor(weights.vec(), kDouble)), count_(count), replacement_(replacement) {
  reset();
}
void WeightedRandomSampler::reset(std::optional<std::size_t> new_size) {
  const std::size_t count = new_size.value_or(count_);
  indices_ = core::in_name_of("WeightedRandomSampler",
                              [&] { return multinomial(weights_, as_int(count), replacement_).contiguous(); });
  count_ = count;
  index_ = 0;
}

DistributedRandomSampler::DistributedRandomSampler(std::size_t size, std::size_t num_replicas, std::size_t rank,
                                                   bool allow_duplicates)
    : DistributedSampler(size, num_replicas, rank, allow_duplicates) {
  expect_rank("DistributedRandomSampler", num_replicas, rank);
  reset();
}
void DistributedRandomSampler::reset(std::optional<std::size_t> new_size) {
  size_ = new_size.value_or(size_);
  const std::size_t share = local_sample_count();
  all_ = counted(0, num_replicas_ == 1 ? size_ : share * num_replicas_);
  for (std::size_t& index : all_) index %= std::max<std::size_t>(size_, 1);
  std::mt19937 engine(static_cast<std::mt19937::result_type>(epoch_));
  std::shuffle(all_.begin(), all_.end(), engine);
  at_ = 0;
  all_ = Indices(all_.begin() + as_int(rank_ * share), all_.begin() + as_int((rank_ + 1) * share));
  end_ = share;
}
std::optional<Indices> DistributedRandomSampler::next(std::size_t batch_size) {
  if (at_ == end_) return std::nullopt;
  const std::size_t begin = std::exchange(at_, at_ + std::min(batch_size, end_ - at_));
  return Indices(all_.begin() + as_int(begin), all_.begin() + as_int(at_));
}
namespace {
Position of_share(std::size_t at, std::size_t epoch, std::size_t size, std::size_t num_replicas) {
  return {{"sample_index_", number(at)},
          {"epoch_", number(epoch)},
          {"size", number(size)},
          {"num_replicas", number(num_replicas)}};
}
}  // namespace
Position DistributedRandomSampler::position() const { return of_share(at_, epoch_, size_, num_replicas_); }
void DistributedRandomSampler::set_position(const Position& position) {
  expect_same(position, "size", size_);
  expect_same(position, "num_replicas", num_replicas_);
  const std::size_t at = place(position, "sample_index_", end_);
  set_epoch(place(position, "epoch_", std::size_t{1} << 62));
  reset();
  at_ = at;
}

DistributedSequentialSampler::DistributedSequentialSampler(std::size_t size, std::size_t num_replicas, std::size_t rank,
                                                           bool allow_duplicates)
    : DistributedSampler(size, num_replicas, rank, allow_duplicates) {
  expect_rank("DistributedSequentialSampler", num_replicas, rank);
  reset();
}
void DistributedSequentialSampler::reset(std::optional<std::size_t> new_size) {
  size_ = new_size.value_or(size_);
  at_ = 0;
  end_ = local_sample_count();
}
std::optional<Indices> DistributedSequentialSampler::next(std::size_t batch_size) {
  if (at_ == end_) return std::nullopt;
  const std::size_t begin = std::exchange(at_, at_ + std::min(batch_size, end_ - at_));
  Indices indices = counted(rank_ * end_ + begin, rank_ * end_ + at_);
  for (std::size_t& index : indices) index %= size_;
  return indices;
}
Position DistributedSequentialSampler::position() const { return of_share(at_, epoch_, size_, num_replicas_); }
void DistributedSequentialSampler::set_position(const Position& position) {
  expect_same(position, "size", size_);
  expect_same(position, "num_replicas", num_replicas_);
  const std::size_t at = place(position, "sample_index_", end_);
  set_epoch(place(position, "epoch_", std::size_t{1} << 62));
  at_ = at;
}

void StreamSampler::reset(std::optional<std::size_t> new_size) {
  epoch_size_ = new_size.value_or(epoch_size_);
  retrieved_ = 0;
}
std::optional<BatchSize> StreamSampler::next(std::size_t batch_size) {
  if (retrieved_ >= epoch_size_) return std::nullopt;
  const std::size_t count = std::min(batch_size, epoch_size_ - retrieved_);
  retrieved_ += count;
  return BatchSize(count);
}
Position StreamSampler::position() const { return {{"examples_retrieved_so_far", number(retrieved_)}}; }
void StreamSampler::set_position(const Position& position) {
  retrieved_ = place(position, "examples_retrieved_so_far", epoch_size_);
}

}  // namespace gradus::data::samplers
