#include "packed_sequence.h"

#include <utility>
#include <vector>

#include "../../autograd/graph/grad_mode.h"
#include "../../autograd/tensor/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../../core/memory/pool.h"

namespace gradus::nn::utils::rnn {
namespace {

std::vector<std::int64_t> numbers_of(const Tensor& x) {
  const core::Array all = x.array().to(kInt64).contiguous();
  return {all.data_ptr<std::int64_t>(), all.data_ptr<std::int64_t>() + all.numel()};
}

// How many sequences have a step t < lengths[0].
std::vector<std::int64_t> sizes_of(const std::vector<std::int64_t>& lengths) {
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(lengths[0]));
  std::size_t n = lengths.size();
  for (std::size_t t = 0; t < sizes.size(); ++t) {
    while (lengths[n - 1] <= static_cast<std::int64_t>(t)) --n;
    sizes[t] = static_cast<std::int64_t>(n);
  }
  return sizes;
}

}  // namespace

Tensor invert_permutation(const Tensor& permutation) {
  return permutation.defined() ? std::get<1>(permutation.sort()) : Tensor();
}

PackedSequence::PackedSequence(Tensor data, Tensor batch_sizes, Tensor sorted_indices, Tensor unsorted_indices)
    : data_(std::move(data)),
      batch_sizes_(std::move(batch_sizes)),
      sorted_indices_(std::move(sorted_indices)),
      unsorted_indices_(std::move(unsorted_indices)) {
  if (!unsorted_indices_.defined()) unsorted_indices_ = invert_permutation(sorted_indices_);
}

PackedSequence PackedSequence::to(DType dtype) const {
  return PackedSequence(data_.to(dtype), batch_sizes_, sorted_indices_, unsorted_indices_);
}

PackedSequence pack_padded_sequence(Operand input, const Tensor& lengths, bool batch_first, bool enforce_sorted) {
  constexpr const char* op = "pack_padded_sequence";
  const autograd::Scope scope(input.at());
  core::expect_defined(op, "input", input.tensor());
  core::expect_defined(op, "lengths", lengths);
  Tensor x = input.tensor(), sorted, order;
  core::expect_form(x.dim() >= 2, op, "input", batch_first ? "[N, T, ..]" : "[T, N, ..]", x.sizes());
  const std::int64_t batch_dim = batch_first ? 0 : 1, N = x.size(batch_dim), T = x.size(1 - batch_dim);
  core::expect_shape(op, "lengths", lengths.sizes(), "[N]", N);
  if (N == 0) core::fail<ValueError>("{}: there must be at least one sequence: {}", op, x.sizes());
  if (!is_integral(lengths.dtype()))
    core::fail<DTypeError>("{}: lengths must be integers: {}; to(kInt64) converts", op, lengths.dtype());
  sorted = lengths.to(kInt64);
  if (!enforce_sorted) {
    std::tie(sorted, order) = sorted.sort(-1, true);
    x = x.index_select(batch_dim, order);
  }
  const std::vector<std::int64_t> each = numbers_of(sorted);
  for (std::size_t n = 0; n < each.size(); ++n) {
    if (n > 0 && each[n] > each[n - 1]) {
      core::fail<ValueError>(
          "{}: lengths must not grow: {} behind {}; with enforce_sorted = false they may, and the sequences are sorted",
          op, each[n], each[n - 1]);
    }
    if (each[n] < 1 || each[n] > T) {
      core::fail<ValueError>("{}: lengths must be from 1 to the steps of input, {}: {}", op, T, each[n]);
    }
  }
  const std::vector<std::int64_t> sizes = sizes_of(each);
  std::vector<std::int64_t> from;
  for (std::size_t t = 0; t < sizes.size(); ++t) {
    for (std::int64_t n = 0; n < sizes[t]; ++n) {
      const auto step = static_cast<std::int64_t>(t);
      from.push_back(batch_first ? n * T + step : step * N + n);
    }
  }
  return PackedSequence(x.flatten(0, 1).index_select(0, tensor(from, kInt64)), tensor(sizes, kInt64), order);
}

std::tuple<Tensor, Tensor> pad_packed_sequence(const PackedSequence& sequence, bool batch_first, double padding_value,
                                               std::optional<std::int64_t> total_length) {
  constexpr const char* op = "pad_packed_sequence";
  const std::vector<std::int64_t> sizes = numbers_of(sequence.batch_sizes());
  const auto longest = static_cast<std::int64_t>(sizes.size());
  if (total_length && *total_length < longest) {
    core::fail<ValueError>("{}: total_length must be at least the longest sequence's {}: {}", op, longest,
                           *total_length);
  }
  const Tensor& data = sequence.data();
  const std::int64_t T = total_length.value_or(longest), N = sizes.empty() ? 0 : sizes[0], rows = data.size(0);
  core::check_request(core::checked_numel({T, N, static_cast<std::int64_t>(sizeof(std::int64_t))}, op));
  std::vector<std::int64_t> from(static_cast<std::size_t>(T * N), rows), lengths(static_cast<std::size_t>(N), 0);
  std::int64_t row = 0;
  for (std::int64_t t = 0; t < longest; ++t) {
    for (std::int64_t n = 0; n < sizes[static_cast<std::size_t>(t)]; ++n, ++row) {
      from[static_cast<std::size_t>(batch_first ? n * T + t : t * N + n)] = row;
      ++lengths[static_cast<std::size_t>(n)];
    }
  }
  core::Shape one = core::Shape(data.sizes());
  one[0] = 1;
  const Tensor padding = full(one, padding_value, data.dtype());
  core::Shape shape = one;
  shape[0] = batch_first ? N : T;
  shape.insert(1, batch_first ? T : N);
  Tensor padded = cat({data, padding}).index_select(0, tensor(from, kInt64)).view(shape);
  Tensor own = tensor(lengths, kInt64);
  if (sequence.unsorted_indices().defined()) {
    padded = padded.index_select(batch_first ? 0 : 1, sequence.unsorted_indices());
    own = own.index_select(0, sequence.unsorted_indices());
  }
  return {padded, own};
}

PackedSequence pack_sequence(OperandList sequences, bool enforce_sorted) {
  std::vector<std::int64_t> lengths;
  const Tensor padded = pad_sequence(sequences);
  for (const Operand& each : sequences) lengths.push_back(each.tensor().size(0));
  return pack_padded_sequence(padded, tensor(lengths, kInt64), false, enforce_sorted);
}

}  // namespace gradus::nn::utils::rnn
