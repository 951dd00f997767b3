#include "embedding_bag.h"

#include <vector>

#include "../../autograd/graph/grad_mode.h"
#include "../../autograd/tensor/create.h"
#include "../../core/array/create.h"
#include "../../core/array/numbers.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "table.h"

namespace gradus {

using autograd::Scope;
using core::Array;

namespace {

constexpr const char* op = "embedding_bag";

// Where each bag begins, and where the last one ends.
std::vector<std::int64_t> bounds_of(const Tensor& indices, const Tensor& offsets, bool include_last) {
  std::vector<std::int64_t> bounds;
  if (indices.dim() == 2) {
    if (offsets.defined()) core::fail<ValueError>("{}: indices [bags, n] have no offsets: {}", op, offsets.sizes());
    for (std::int64_t b = 0; b <= indices.size(0); ++b) bounds.push_back(b * indices.size(1));
    return bounds;
  }
  if (indices.dim() != 1 || !offsets.defined() || offsets.dim() != 1) {
    core::fail<ShapeError>("{}: indices must be [n] with offsets [bags], or [bags, n] without: {}", op,
                           indices.sizes());
  }
  bounds = core::whole_numbers(offsets.array());
  if (!include_last) bounds.push_back(indices.numel());
  bool rising = !bounds.empty() && bounds.front() == 0 && bounds.back() == indices.numel();
  for (std::size_t b = 1; b < bounds.size(); ++b) rising = rising && bounds[b - 1] <= bounds[b];
  if (!rising && !(bounds.size() == 1 && indices.numel() == 0)) {
    core::fail<ValueError>(
        "{}: offsets must rise from 0, none beyond the {} indices, the last one being that number "
        "with include_last_offset: {}",
        op, indices.numel(), IntArrayRef(bounds.data(), static_cast<std::size_t>(offsets.numel())));
  }
  return bounds;
}

// For each bag and column the place, among the vectors, of the largest number (the first of equal ones; a NaN wins).
Array places_of_largest(const Array& vectors, const Array& bags, std::int64_t count) {
  const std::int64_t dim = vectors.size(1);
  const Array numbers = vectors.to(kFloat64).contiguous(), places = core::full({count, dim}, -1, kInt64);
  const double* x = numbers.data_ptr<double>();
  const auto* bag = bags.data_ptr<std::int64_t>();
  auto* place = places.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < vectors.size(0); ++i) {
    for (std::int64_t d = 0; d < dim && bag[i] >= 0; ++d) {
      std::int64_t& best = place[bag[i] * dim + d];
      const double number = x[i * dim + d];
      if (best < 0 || number > x[best * dim + d] || (number != number && x[best * dim + d] == x[best * dim + d]))
        best = i;
    }
  }
  return places;
}

}  // namespace

std::tuple<Tensor, Tensor, Tensor, Tensor> embedding_bag(Operand weight, const Tensor& indices, const Tensor& offsets,
                                                         bool scale_grad_by_freq, std::int64_t mode, bool sparse,
                                                         const Tensor& per_sample_weights, bool include_last_offset,
                                                         const std::optional<std::int64_t>& padding_idx) {
  if (mode < 0 || mode > 2) core::fail<ValueError>("{}: mode must be 0 (sum), 1 (mean) or 2 (max): {}", op, mode);
  if (mode == 2 && (scale_grad_by_freq || sparse)) {
    core::fail<ValueError>("{}: {} must be false with the largest values (mode max), as in PyTorch", op,
                           sparse ? "sparse" : "scale_grad_by_freq");
  }
  core::expect_dims(op, "weight", weight.tensor(), 2, 2, "[rows, dim]");
  core::expect_defined(op, "indices", indices);
  if (!is_integral(indices.dtype())) {
    core::fail<DTypeError>("{}: indices must be integers: {}; to(kInt64) converts", op, indices.dtype());
  }
  if (offsets.defined() && !is_integral(offsets.dtype())) {
    core::fail<DTypeError>("{}: offsets must be integers: {}; to(kInt64) converts", op, offsets.dtype());
  }
  const std::int64_t left_out = nn::detail::padding_from_front(op, padding_idx, weight.tensor().size(0)).value_or(-1);
  const std::vector<std::int64_t> bounds = bounds_of(indices, offsets, include_last_offset);
  const auto count = static_cast<std::int64_t>(bounds.size()) - 1, n = indices.numel();
  if (per_sample_weights.defined()) {
    if (mode != 0) core::fail<ValueError>("{}: per_sample_weights are for sums: mode {}", op, mode);
    core::expect_same_shape(op, "per_sample_weights", per_sample_weights, "indices", indices);
    if (per_sample_weights.dtype() != weight.tensor().dtype()) {
      core::fail<DTypeError>("{}: per_sample_weights must have the weight's dtype: {} and {}; to(dtype) converts", op,
                             per_sample_weights.dtype(), weight.tensor().dtype());
    }
  }
  return core::in_name_of(op, [&] {
    const Scope scope(weight.at());
    const Tensor numbers = indices.to(kInt64).reshape({n});
    const Array at = numbers.array().contiguous();
    // The bag of each index, -1 of padding, and how many there are in each.
    const Array bags = core::empty({n}, kInt64), sizes = core::zeros({count}, kInt64);
    auto *bag = bags.data_ptr<std::int64_t>(), *size = sizes.data_ptr<std::int64_t>();
    for (std::int64_t b = 0; b < count; ++b) {
      for (auto i = bounds[static_cast<std::size_t>(b)]; i < bounds[static_cast<std::size_t>(b) + 1]; ++i) {
        const bool padding = at.data_ptr<std::int64_t>()[i] == left_out;
        bag[i] = padding ? -1 : b;
        size[b] += padding ? 0 : 1;
      }
    }
    const Tensor none = Tensor(bags) < 0, to = masked_fill(Tensor(bags), none, 0);
    const Tensor vectors = embedding(weight, numbers, -1, scale_grad_by_freq);
    Tensor y, rows = zeros({0}, kInt64);
    if (mode == 2) {
      const Tensor places(places_of_largest(vectors.array(), bags, count)), empty_bags = places < 0;
      const Tensor place = masked_fill(places, empty_bags, 0);
      y = n == 0 ? zeros({count, vectors.size(1)}, vectors.dtype())
                 : masked_fill(gather(vectors, 0, place), empty_bags, 0);
      rows = n == 0 ? places
                    : masked_fill(index_select(numbers, 0, place.reshape({-1})).reshape(place.sizes()), empty_bags, -1);
    } else {
      Tensor terms = masked_fill(vectors, none.unsqueeze(1), 0);
      if (per_sample_weights.defined()) terms = terms * per_sample_weights.reshape({n, 1});
      y = index_add(zeros({count, vectors.size(1)}, terms.dtype()), 0, to, terms);
      if (mode == 1) y = y / clamp_min(Tensor(sizes), 1).to(y.dtype()).unsqueeze(1);
    }
    return std::tuple(y, Tensor(bags), Tensor(sizes), rows);
  });
}

}  // namespace gradus

namespace gradus::nn {

Tensor functional::embedding_bag(Operand indices, const Tensor& weight, const EmbeddingBagFuncOptions& o) {
  core::expect_defined("embedding_bag", "indices", indices.tensor(), "weight", weight);
  if (indices.tensor().dim() == 1 && !o.offsets().defined()) {
    core::fail<ValueError>("{}: indices [n] must come with offsets, where each bag begins: {}", op,
                           indices.tensor().sizes());
  }
  detail::renorm_rows(op, weight, indices.tensor(), o.max_norm(), o.norm_type());
  return std::get<0>(gradus::embedding_bag(Operand(weight, indices.at()), indices.tensor(), o.offsets(),
                                           o.scale_grad_by_freq(), static_cast<std::int64_t>(o.mode()), o.sparse(),
                                           o.per_sample_weights(), o.include_last_offset(), o.padding_idx()));
}

EmbeddingBagImpl::EmbeddingBagImpl(const EmbeddingBagOptions& chosen) : options(chosen) { reset(); }
EmbeddingBagImpl::~EmbeddingBagImpl() = default;

void EmbeddingBagImpl::reset() { register_parameter("weight", weight, detail::table_of("EmbeddingBag", options)); }
void EmbeddingBagImpl::reset_parameters() { detail::draw_table(weight, options.padding_idx()); }

Tensor EmbeddingBagImpl::compute(Operand indices, const Tensor& offsets, const Tensor& per_sample_weights) {
  return functional::embedding_bag(indices, weight,
                                   functional::EmbeddingBagFuncOptions()
                                       .offsets(offsets)
                                       .max_norm(options.max_norm())
                                       .norm_type(options.norm_type())
                                       .scale_grad_by_freq(options.scale_grad_by_freq())
                                       .mode(options.mode())
                                       .sparse(options.sparse())
                                       .per_sample_weights(per_sample_weights)
                                       .include_last_offset(options.include_last_offset())
                                       .padding_idx(options.padding_idx()));
}

EmbeddingBag EmbeddingBag::from_pretrained(const Tensor& embeddings, const EmbeddingBagFromPretrainedOptions& options) {
  return detail::from_pretrained<EmbeddingBag, EmbeddingBagOptions>(
      "EmbeddingBag", embeddings, options,
      [&](EmbeddingBagOptions& own) { own.mode(options.mode()).include_last_offset(options.include_last_offset()); });
}

}  // namespace gradus::nn
