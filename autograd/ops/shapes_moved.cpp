// What moves elements about: views where strides permit, else copies.
#include <algorithm>

#include "../../core/ops/combine.h"
#include "../../core/array/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../graph/operation.h"
#include "../tensor/create.h"

namespace gradus {

using namespace autograd;
using core::Array;
using core::Shape;

Tensor ravel(Operand x) {
  if (x.tensor().dim() == 1 && x.tensor().is_contiguous()) return x.tensor();
  return core::in_name_of("ravel", [&] { return reshape(x, {-1}); });
}

Tensor channel_shuffle(Operand x, std::int64_t groups) {
  core::expect_defined("channel_shuffle", "the operand", x.tensor());
  const Shape& shape = x.tensor().body().array.shape();
  if (shape.size() < 3) {
    core::fail<ShapeError>("channel_shuffle: the operand must be [N, C, ..] of 3 dimensions and more: {}", shape);
  }
  if (groups < 1 || shape[1] % groups != 0) {
    core::fail<ValueError>("channel_shuffle: the groups must divide the channels: {} of {}", groups, shape[1]);
  }
  const Scope scope(x.at());
  std::int64_t rest = 1;  // where the batch is empty, -1 would say nothing
  for (int d = 2; d < shape.size(); ++d) rest *= shape[d];
  return core::in_name_of("channel_shuffle", [&] {
    const Tensor grouped = x.tensor().reshape({shape[0], groups, shape[1] / groups, rest});
    return detail::as_result(grouped.transpose(1, 2).clone().reshape(shape));
  });
}

namespace {

// [.., C r^2, H, W] as seen by both ways: sizes in front, and the last three.
struct Pixels {
  std::vector<std::int64_t> batch;
  std::int64_t channels, rows, columns;
};
Pixels pixels_of(const char* op, const Operand& x, std::int64_t factor) {
  core::expect_defined(op, "the operand", x.tensor());
  const Shape& shape = x.tensor().body().array.shape();
  const int n = shape.size();
  if (n < 3) core::fail<ShapeError>("{}: the operand must be [.., C, H, W]: {}", op, shape);
  if (factor < 1) core::fail<ValueError>("{}: the factor must be at least 1: {}", op, factor);
  return {{shape.begin(), shape.end() - 3}, shape[n - 3], shape[n - 2], shape[n - 1]};
}
// A size of the result, which an empty tensor lets grow without end.
std::int64_t times(const char* op, std::int64_t size, std::int64_t factor) {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(size, factor, &product)) {
    core::fail<ShapeError>("{}: the result's sizes must fit into 64 bits: {} times {}", op, size, factor);
  }
  return product;
}
std::vector<std::int64_t> behind(std::vector<std::int64_t> front, std::initializer_list<std::int64_t> back) {
  front.insert(front.end(), back);
  return front;
}

}  // namespace

Tensor pixel_shuffle(Operand x, std::int64_t r) {
  const Pixels p = pixels_of("pixel_shuffle", x, r);
  if (p.channels % r != 0 || p.channels / r % r != 0) {
    core::fail<ShapeError>("pixel_shuffle: the channels must be a multiple of the factor's square: {} for {} squared",
                           p.channels, r);
  }
  const Scope scope(x.at());
  const std::int64_t c = p.channels / r / r, rows = times("pixel_shuffle", p.rows, r),
                     columns = times("pixel_shuffle", p.columns, r);
  std::int64_t n = 1;
  for (const std::int64_t size : p.batch) n *= size;
  return core::in_name_of("pixel_shuffle", [&] {
    const Tensor moved = x.tensor().reshape({n, c, r, r, p.rows, p.columns}).permute({0, 1, 4, 2, 5, 3}).clone();
    return detail::as_result(moved.reshape(behind(p.batch, {c, rows, columns})));
  });
}
Tensor pixel_unshuffle(Operand x, std::int64_t r) {
  const Pixels p = pixels_of("pixel_unshuffle", x, r);
  if (p.rows % r != 0 || p.columns % r != 0) {
    core::fail<ShapeError>("pixel_unshuffle: height and width must be multiples of {}: {}", r, x.tensor().sizes());
  }
  const Scope scope(x.at());
  const std::int64_t channels = times("pixel_unshuffle", times("pixel_unshuffle", p.channels, r), r);
  std::int64_t n = 1;
  for (const std::int64_t size : p.batch) n *= size;
  return core::in_name_of("pixel_unshuffle", [&] {
    const Tensor moved =
        x.tensor().reshape({n, p.channels, p.rows / r, r, p.columns / r, r}).permute({0, 1, 3, 5, 2, 4}).clone();
    return detail::as_result(moved.reshape(behind(p.batch, {channels, p.rows / r, p.columns / r})));
  });
}

namespace {

// Joined along a dimension, after each has got as many as that takes.
Tensor stacked(const char* op, OperandList tensors, const std::vector<Tensor>& parts, std::int64_t dim) {
  if (tensors.empty()) core::fail<ValueError>("{}: there must be at least one tensor", op);
  const Scope scope(tensors[0].at());
  return core::in_name_of(op, [&] { return cat(parts, dim); });
}

}  // namespace

Tensor hstack(OperandList tensors) {
  const std::vector<Tensor> parts = atleast_1d(tensors);
  return stacked("hstack", tensors, parts, !parts.empty() && parts[0].dim() > 1 ? 1 : 0);
}
Tensor vstack(OperandList tensors) { return stacked("vstack", tensors, atleast_2d(tensors), 0); }
Tensor dstack(OperandList tensors) { return stacked("dstack", tensors, atleast_3d(tensors), 2); }
Tensor column_stack(OperandList tensors) {
  std::vector<Tensor> columns;
  for (const Operand& x : tensors) {
    columns.push_back(x.tensor().dim() < 2 ? unsqueeze({atleast_1d(x), x.at()}, 1) : x.tensor());
  }
  return stacked("column_stack", tensors, columns, 1);
}
Tensor block_diag(OperandList tensors) {
  if (tensors.empty()) return Tensor(core::empty({1, 0}, get_default_dtype()));
  return core::in_name_of("block_diag", [&] {
    const Scope scope(tensors[0].at());
    const std::vector<Tensor> blocks = atleast_2d(tensors);
    std::int64_t columns = 0, before = 0;
    for (const Tensor& block : blocks) {
      core::expect_form(block.dim() == 2, "block_diag", "an operand", "[n, m], [m] or []", block.sizes());
      columns += block.size(1);
    }
    std::vector<Tensor> rows;
    for (const Tensor& block : blocks) {
      const std::int64_t behind = columns - before - block.size(1);
      rows.push_back(constant_pad_nd(block, {before, behind}));
      before += block.size(1);
    }
    return cat(rows, 0);
  });
}
Tensor concat(OperandList tensors, std::int64_t dim) {
  return core::in_name_of("concat", [&] { return cat(tensors, dim); });
}
Tensor concatenate(OperandList tensors, std::int64_t dim) {
  return core::in_name_of("concatenate", [&] { return cat(tensors, dim); });
}

namespace {

struct Roll {
  static constexpr std::string_view name = "roll";
  static constexpr std::string_view formula = "y[i] = x[(i - shifts) mod n] along dims, dx[i] = dy[(i + shifts) mod n]";
  static constexpr Batch batch = Batch::kDims;
  static constexpr bool moves = true;
  struct Attrs {
    core::Dims shifts, dims;
    static constexpr auto fields = named("shifts", &Attrs::shifts, "dims", &Attrs::dims);
  };
  static Array forward(const Attrs& a, const Array& x) { return core::roll(x, a.shifts, a.dims); }
  static constexpr auto gradients = formulas([](Dy<> dy, const Attrs& a) {
    core::Dims back = a.shifts;
    for (int i = 0; i < back.size(); ++i) back[i] = -(back[i] % std::max<std::int64_t>(dy.size(a.dims[i]), 1));
    return roll(dy, back, a.dims);
  });
};

}  // namespace

Tensor roll(Operand x, IntArrayRef shifts, IntArrayRef dims) {
  const Scope scope(x.at());
  const Tensor& tensor = x.tensor();
  if (dims.empty() && shifts.size() == 1) {
    if (tensor.dim() == 0) return tensor.clone();
    return detail::as_result(roll(tensor.reshape({-1}), shifts, {0}).reshape(tensor.sizes()));
  }
  Roll::Attrs attrs{shifts, {}};
  for (const std::int64_t dim : dims) attrs.dims.push_back(core::existing_dim(dim, tensor.body().array.dim(), "roll"));
  return apply<Roll>(attrs, tensor);
}

Tensor rot90(Operand x, std::int64_t k, IntArrayRef dims) {
  const int n = x.tensor().body().array.dim();
  if (dims.size() != 2) core::fail<ValueError>("rot90: there must be two dimensions: {}", dims);
  const int a = core::existing_dim(dims[0], n, "rot90"), b = core::existing_dim(dims[1], n, "rot90");
  if (a == b) core::fail<ValueError>("rot90: the two dimensions must differ: {}", dims);
  const Scope scope(x.at());
  switch ((k % 4 + 4) % 4) {
    case 1:
      return detail::as_result(x.tensor().flip({b}).transpose(a, b));
    case 2:
      return x.tensor().flip({a, b});
    case 3:
      return detail::as_result(x.tensor().flip({a}).transpose(a, b));
    default:
      return x.tensor().clone();
  }
}
Tensor fliplr(Operand x) {
  if (x.tensor().dim() < 2) {
    core::fail<ShapeError>("fliplr: there must be at least 2 dimensions: {}", x.tensor().sizes());
  }
  return flip(x, {1});
}
Tensor flipud(Operand x) {
  if (x.tensor().dim() < 1) {
    core::fail<ShapeError>("flipud: there must be at least one dimension: {}", x.tensor().sizes());
  }
  return flip(x, {0});
}

Tensor tile(Operand x, IntArrayRef dims) {
  core::Dims repeats(dims);
  while (repeats.size() < x.tensor().dim()) repeats.insert(0, 1);
  return core::in_name_of("tile", [&] { return repeat(x, repeats); });
}

Tensor diag(Operand x, std::int64_t offset) {
  const std::int64_t n = x.tensor().dim();
  if (n != 1 && n != 2) core::fail<ShapeError>("diag: there must be 1 or 2 dimensions: {}", x.tensor().sizes());
  const Scope scope(x.at());
  return core::in_name_of("diag",
                          [&] { return n == 1 ? diag_embed(x, offset) : diagonal(x.tensor(), offset).clone(); });
}
Tensor diagflat(Operand x, std::int64_t offset) {
  const Scope scope(x.at());
  return core::in_name_of("diagflat", [&] { return diag_embed(reshape(x, {-1}), offset); });
}
Tensor trace(Operand x) {
  if (x.tensor().dim() != 2) core::fail<ShapeError>("trace: a matrix: {}", x.tensor().sizes());
  const Scope scope(x.at());
  return diagonal(x.tensor()).sum();
}

// How many ways there are; more than there is memory for is refused.
static std::int64_t number_of_choices(std::int64_t n, std::int64_t r, bool with_replacement) {
  __extension__ using Wide = unsigned __int128;
  const Wide length = static_cast<Wide>(r), of = static_cast<Wide>(n) + (with_replacement ? length - 1 : 0),
             k = std::min(length, of - length);
  constexpr Wide limit = 1000000000000000000;
  Wide ways = 1;  // after each step a whole number
  for (Wide i = 1; i <= k && ways * length < limit; ++i) ways = ways * (of - k + i) / i;
  if (ways * length >= limit) {
    core::fail<ValueError>("combinations: {} of {} are more than there is memory for", r, n);
  }
  return static_cast<std::int64_t>(ways);
}
Tensor combinations(Operand x, std::int64_t r, bool with_replacement) {
  if (x.tensor().dim() != 1) {
    core::fail<ShapeError>("combinations: the operand must have 1 dimension: {}", x.tensor().sizes());
  }
  if (r < 0) core::fail<ValueError>("combinations: r must not be negative: {}", r);
  if (r == 0) return empty({0}, x.tensor().dtype());
  const std::int64_t n = x.tensor().numel(), apart = with_replacement ? 0 : 1;
  const bool some = n > 0 && (with_replacement || r <= n);  // r may be more than any memory holds
  const std::int64_t rows = some ? number_of_choices(n, r, with_replacement) : 0;
  const Array index = core::empty({rows * (some ? r : 1)}, kInt64);
  auto* to = index.data_ptr<std::int64_t>();
  // One choice, each place at least `apart` behind the one before; the last place runs on to the end.
  const Array choice = core::empty({some ? r : 0}, kInt64);
  auto* const places = choice.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < choice.numel(); ++i) places[i] = i * apart;
  for (bool more = some; more;) {
    for (std::int64_t last = places[r - 1]; last < n; ++last) {
      to = std::copy(places, places + r - 1, to);
      *to++ = last;
    }
    std::int64_t i = r - 2;
    while (i >= 0 && places[i] == n - 1 - (r - 1 - i) * apart) --i;
    more = i >= 0;
    if (!more) break;
    std::int64_t next = ++places[i];
    for (++i; i < r; ++i) places[i] = next += apart;
  }
  const Scope scope(x.at());
  return core::in_name_of("combinations", [&] {
    return detail::as_result(index_select(x.tensor(), 0, Tensor(index)).view({rows, r}));
  });
}

Tensor cartesian_prod(OperandList tensors) {
  if (tensors.empty()) core::fail<ValueError>("cartesian_prod: there must be at least one tensor");
  for (const Operand& x : tensors) {
    if (x.tensor().dim() != 1) {
      core::fail<ShapeError>("cartesian_prod: operands must have 1 dimension: {}", x.tensor().sizes());
    }
  }
  if (tensors.size() == 1) return detail::alias_of(tensors[0]);
  const Scope scope(tensors[0].at());
  return core::in_name_of("cartesian_prod", [&] {
    std::vector<Tensor> columns = meshgrid(tensors);
    for (Tensor& column : columns) column = column.reshape({-1});
    return stack(columns, 1);
  });
}

}  // namespace gradus
