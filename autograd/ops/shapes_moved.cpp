// What moves elements about: views where strides permit, else copies.
#include <algorithm>

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

Tensor roll(Operand x, IntArrayRef shifts, IntArrayRef dims) {
  const Scope scope(x.at());
  const Tensor& tensor = x.tensor();
  if (dims.empty() && shifts.size() == 1) {
    if (tensor.dim() == 0) return tensor.clone();
    return detail::as_result(roll(tensor.reshape({-1}), shifts, {0}).reshape(tensor.sizes()));
  }
  if (shifts.size() != dims.size() || shifts.empty()) {
    core::fail<ValueError>("roll: there must be a shift for each dimension: {} for {}", shifts, dims);
  }
  Tensor y = tensor;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const int dim = core::existing_dim(dims[i], tensor.body().array.dim(), "roll");
    const std::int64_t n = y.size(dim);
    const std::int64_t first = n == 0 ? 0 : (n - shifts[i] % n) % n;  // what comes to the beginning
    if (first != 0) y = cat({y.narrow(dim, first, n - first), y.narrow(dim, 0, first)}, dim);
  }
  return y.is_same(tensor) ? tensor.clone() : y;
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

// How many ways there are, about; more than there is memory for is refused.
static void expect_memory_for_choices(std::int64_t n, std::int64_t r, bool with_replacement) {
  const double of = static_cast<double>(n) + (with_replacement ? static_cast<double>(r) - 1 : 0);
  const double k = std::min(static_cast<double>(r), of - static_cast<double>(r));
  double ways = 1;
  for (double i = 1; i <= k && ways < 1e18; ++i) ways *= (of - k + i) / i;
  if (ways * static_cast<double>(r) >= 1e18) {
    core::fail<ValueError>("combinations: {} of {} are more than there is memory for", r, n);
  }
  core::empty({static_cast<std::int64_t>(ways), r}, kInt64);
}
Tensor combinations(Operand x, std::int64_t r, bool with_replacement) {
  if (x.tensor().dim() != 1) {
    core::fail<ShapeError>("combinations: the operand must have 1 dimension: {}", x.tensor().sizes());
  }
  if (r < 0) core::fail<ValueError>("combinations: r must not be negative: {}", r);
  if (r == 0) return empty({0}, x.tensor().dtype());
  const std::int64_t n = x.tensor().numel(), apart = with_replacement ? 0 : 1;
  bool more = n > 0 && (with_replacement || r <= n);  // r may be more than any memory holds
  if (more) expect_memory_for_choices(n, r, with_replacement);
  std::vector<std::int64_t> all;
  // One choice, each place at least `apart` behind the one before.
  const Array choice = core::empty({more ? r : 0}, kInt64);
  auto* const places = choice.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < choice.numel(); ++i) places[i] = i * apart;
  const auto most = [&](std::int64_t i) { return n - 1 - (r - 1 - i) * apart; };
  while (more) {
    all.insert(all.end(), places, places + r);
    std::int64_t i = r - 1;
    while (i >= 0 && places[i] == most(i)) --i;
    more = i >= 0;
    if (!more) break;
    std::int64_t next = ++places[i];
    for (++i; i < r; ++i) places[i] = next += apart;
  }
  const Scope scope(x.at());
  const auto rows = static_cast<std::int64_t>(all.size()) / r;
  const Tensor index(core::from_data(all.data(), {rows * r}, kInt64));
  return core::in_name_of("combinations", [&] {
    return detail::as_result(index_select(x.tensor(), 0, index).view({rows, r}));
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

namespace {

enum class Border { Reflect, Replicate, Circular };

// What lies before (or behind) x along a dimension.
Tensor beside(const Tensor& x, std::int64_t dim, std::int64_t count, bool before, Border border) {
  const std::int64_t n = x.size(dim);
  switch (border) {
    case Border::Reflect:
      return x.narrow(dim, before ? 1 : n - 1 - count, count).flip(dim);
    case Border::Circular:
      return x.narrow(dim, before ? n - count : 0, count);
    default: {
      Shape shape = x.body().array.shape();
      shape[static_cast<int>(dim)] = count;
      return x.narrow(dim, before ? 0 : n - 1, 1).expand(shape);
    }
  }
}

Tensor padded(const char* op, Operand x, IntArrayRef pad, Border border) {
  const Scope scope(x.at());
  const std::int64_t dims = x.tensor().dim();
  const auto pairs = static_cast<std::int64_t>(pad.size() / 2);
  if (pad.size() % 2 != 0 || pairs > dims || pairs == 0) {
    core::fail<ShapeError>("{}: there must be two counts for each of the last dimensions: {} for {}", op, pad,
                           x.tensor().sizes());
  }
  Tensor y = x.tensor();
  for (std::int64_t k = 0; k < pairs; ++k) {
    const std::int64_t dim = dims - 1 - k, n = y.size(dim), before = pad[static_cast<std::size_t>(2 * k)],
                       after = pad[static_cast<std::size_t>(2 * k + 1)];
    // A border is repeated as often as one likes, where there is one.
    const std::int64_t most = border == Border::Reflect    ? std::max<std::int64_t>(n - 1, 0)
                              : border == Border::Circular ? n
                              : n == 0                     ? 0
                                                           : std::max(before, after);
    for (const std::int64_t count : {before, after}) {
      if (count > most) {
        core::fail<ValueError>("{}: counts must be at most {}, what there is to take of dimension {}: {} for {}", op,
                               std::max<std::int64_t>(most, 0), dim, count, x.tensor().sizes());
      }
    }
    std::int64_t size = 0;
    if (__builtin_add_overflow(n, std::max<std::int64_t>(before, 0), &size) ||
        __builtin_add_overflow(size, std::max<std::int64_t>(after, 0), &size)) {
      core::fail<ShapeError>("{}: a size must fit into 64 bits: {} for {}", op, pad, x.tensor().sizes());
    }
    // Below 0 they crop, what was padded too.
    const std::int64_t first = before < 0 ? before : 0, last = after < 0 ? after : 0;
    if (first < -size || last < -(size + first) || ((first < 0 || last < 0) && size + first + last == 0 && n > 0)) {
      core::fail<ValueError>("{}: counts below 0 must leave something of what there is: {} and {} of {}", op, before,
                             after, n);
    }
    std::vector<Tensor> parts;
    if (before > 0) parts.push_back(beside(y, dim, before, true, border));
    parts.push_back(y);
    if (after > 0) parts.push_back(beside(y, dim, after, false, border));
    if (parts.size() > 1) y = core::in_name_of(op, [&] { return cat(parts, dim); });
    if (first < 0 || last < 0) y = y.narrow(dim, -first, size + first + last);
  }
  // Cropping alone makes a view.
  return std::all_of(pad.begin(), pad.end(), [](std::int64_t count) { return count <= 0; }) ? y.clone()
                                                                                            : y.contiguous();
}

// Of the last `dims` dimensions, before which there may be channels and a batch.
Tensor padded_all(const char* op, Operand x, IntArrayRef pad, Border border, std::int64_t dims) {
  const std::int64_t n = x.tensor().dim();
  if ((n != dims + 1 && n != dims + 2) || static_cast<std::int64_t>(pad.size()) != 2 * dims) {
    core::fail<ShapeError>("{}: {} counts for {} or {} dimensions: {} for {}", op, 2 * dims, dims + 1, dims + 2, pad,
                           x.tensor().sizes());
  }
  return padded(op, x, pad, border);
}

}  // namespace

Tensor pad(Operand x, IntArrayRef pad, std::string_view mode, std::optional<double> value) {
  if (mode == "constant") {
    return core::in_name_of("pad", [&] { return constant_pad_nd(x, pad, value.value_or(0)); });
  }
  if (value && *value != 0) {
    core::fail<ValueError>("pad: only constant padding has a value: {} with \"{}\"", *value, mode);
  }
  if (mode == "reflect") return padded("pad", x, pad, Border::Reflect);
  if (mode == "replicate") return padded("pad", x, pad, Border::Replicate);
  if (mode == "circular") return padded("pad", x, pad, Border::Circular);
  core::fail<ValueError>("pad: the mode must be \"constant\", \"reflect\", \"replicate\" or \"circular\": \"{}\"",
                         mode);
}
Tensor reflection_pad1d(Operand x, IntArrayRef pad) {
  return padded_all("reflection_pad1d", x, pad, Border::Reflect, 1);
}
Tensor reflection_pad2d(Operand x, IntArrayRef pad) {
  return padded_all("reflection_pad2d", x, pad, Border::Reflect, 2);
}
Tensor reflection_pad3d(Operand x, IntArrayRef pad) {
  return padded_all("reflection_pad3d", x, pad, Border::Reflect, 3);
}
Tensor replication_pad1d(Operand x, IntArrayRef pad) {
  return padded_all("replication_pad1d", x, pad, Border::Replicate, 1);
}
Tensor replication_pad2d(Operand x, IntArrayRef pad) {
  return padded_all("replication_pad2d", x, pad, Border::Replicate, 2);
}
Tensor replication_pad3d(Operand x, IntArrayRef pad) {
  return padded_all("replication_pad3d", x, pad, Border::Replicate, 3);
}

}  // namespace gradus
