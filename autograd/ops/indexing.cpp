// Reading and writing by lists of pieces: views as far as pieces make views, then one index along one dimension, which the
// tensors' dimensions are merged into. Reading and adding there are index_select and index_add, which have gradients.
#include "indexing.h"

#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "../../core/ops/indexing.h"
#include "../../core/ops/pointwise.h"
#include "../graph/operation.h"
#include "../tensor/create.h"
#include "../tensor/tensor_index.h"
#include "rewrite.h"
#include "scatter_support.h"

namespace gradus {

using namespace autograd;
using core::Array;
using core::Dims;
using core::Shape;
using Kind = indexing::IndexPiece::Kind;

namespace {

// How many dimensions a piece stands for.
std::int64_t span_of(const TensorIndex& piece) {
  switch (piece.kind) {
    case Kind::kInteger:
    case Kind::kSlice:
      return 1;
    case Kind::kTensor:
      return piece.tensor.dtype() == kBool ? piece.tensor.dim() : 1;
    default:
      return 0;
  }
}

// A tensor of the list, and the dimensions [dim, dim + span) of the view that it picks from.
struct Picking {
  Array index;
  std::int64_t dim, span;
  bool is_mask() const { return index.dtype() == kBool; }
};

// What a list says: a view, and what picks from it.
struct Selection {
  Tensor view;
  std::vector<Picking> pickings;
};

void check_count(const char* op, const Tensor& x, TensorIndices indices) {
  std::int64_t taken = 0;
  int ellipses = 0;
  for (const TensorIndex& piece : indices) {
    if (piece.kind == Kind::kTensor && !piece.tensor.defined()) {
      core::fail<ValueError>("{}: a tensor among the indices must be defined; None makes a new dimension", op);
    }
    taken += span_of(piece);
    ellipses += piece.kind == Kind::kEllipsis ? 1 : 0;
  }
  if (ellipses > 1) core::fail<IndexError>("{}: there may be one Ellipsis only: {} are given", op, ellipses);
  if (taken > x.dim()) {
    core::fail<IndexError>("{}: {} indices for a tensor of {} dimensions ({}); a mask stands for as many as it has", op,
                           taken, x.dim(), x.sizes());
  }
}

void check_mask(const char* op, const Tensor& view, std::int64_t dim, const Array& mask) {
  const IntArrayRef sizes = view.sizes();
  for (int i = 0; i < mask.dim(); ++i) {
    if (mask.shape()[i] == sizes[static_cast<std::size_t>(dim + i)]) continue;
    core::fail<IndexError>(
        "{}: a mask must have the sizes of the dimensions that it stands for: mask {}, dimensions {} to {} of {}", op,
        mask.shape(), dim, dim + mask.dim() - 1, view.sizes());
  }
}

Selection select_by(const char* op, const Operand& x, TensorIndices indices) {
  check_count(op, x.tensor(), indices);
  Selection s{x.tensor(), {}};
  std::int64_t dim = 0;
  for (const TensorIndex* piece = indices.begin(); piece != indices.end(); ++piece) {
    const Operand view(s.view, x.at());
    switch (piece->kind) {
      case Kind::kInteger:
        s.view = select(view, dim, piece->integer);
        break;
      case Kind::kSlice:
        s.view = slice(view, dim++, piece->slice.start, piece->slice.stop, piece->slice.step);
        break;
      case Kind::kNone:
        s.view = unsqueeze(view, dim++);
        break;
      case Kind::kEllipsis: {
        std::int64_t later = 0;
        for (const TensorIndex* next = piece + 1; next != indices.end(); ++next) later += span_of(*next);
        dim = s.view.dim() - later;
        break;
      }
      case Kind::kTensor: {
        const Array& index = piece->tensor.array();
        if (index.dim() == 0 && is_integral(index.dtype())) {
          s.view = select(view, dim, index.item<std::int64_t>());
          break;
        }
        const bool mask = index.dtype() == kBool;
        if (mask && index.dim() == 0) {  // all of it, or nothing, along a new dimension
          s.view = unsqueeze(view, dim);
          s.pickings.push_back({index.view(1), dim++, 1});
          break;
        }
        if (mask) check_mask(op, s.view, dim, index);
        const std::int64_t span = mask ? index.dim() : 1;
        s.pickings.push_back({index, dim, span});
        dim += span;
        break;
      }
    }
  }
  return s;
}

// One index along one dimension.
struct Merged {
  Tensor turned;  // the view with the dimensions that are picked from side by side
  Tensor flat;    // and as one
  std::int64_t dim = 0;
  Tensor index;  // 1-d, int64
  Shape picked;  // the shape of what is picked
};

Merged merge(const char* op, Selection s) {
  // Masks of several dimensions: one dimension, and the places in it.
  std::int64_t gone = 0;
  for (Picking& p : s.pickings) {
    p.dim -= gone;
    if (!p.is_mask()) continue;
    if (p.span > 1) s.view = s.view.flatten(p.dim, p.dim + p.span - 1);
    gone += p.span - 1;
    p.span = 1;
    p.index = core::positions(p.index);
  }
  std::vector<Picking>& all = s.pickings;
  Merged m;
  m.turned = s.view;
  m.dim = all[0].dim;
  bool together = true;
  for (std::size_t i = 1; i < all.size(); ++i) together = together && all[i].dim == all[i - 1].dim + 1;
  if (!together) {
    Dims order;
    for (const Picking& p : all) order.push_back(p.dim);
    for (std::int64_t d = 0; d < s.view.dim(); ++d) {
      bool taken = false;
      for (const Picking& p : all) taken = taken || p.dim == d;
      if (!taken) order.push_back(d);
    }
    m.turned = s.view.permute(order);
    m.dim = 0;
  }
  Array index = core::wrapped_index(all[0].index, s.view.size(all[0].dim), op);
  for (std::size_t i = 1; i < all.size(); ++i) {
    const std::int64_t size = s.view.size(all[i].dim);
    const Array next = core::wrapped_index(all[i].index, size, op);
    core::broadcast_shapes(index.shape(), next.shape(), op);
    index = core::add_scaled(next, index, size);
  }
  const auto count = static_cast<std::int64_t>(all.size());
  m.flat = count == 1 ? m.turned : m.turned.flatten(m.dim, m.dim + count - 1);
  for (std::int64_t d = 0; d < m.dim; ++d) m.picked.push_back(m.turned.size(d));
  for (const std::int64_t size : index.sizes()) m.picked.push_back(size);
  for (std::int64_t d = m.dim + count; d < m.turned.dim(); ++d) m.picked.push_back(m.turned.size(d));
  m.index = Tensor(index.reshape({index.numel()}));
  return m;
}

bool is_whole_mask(const Selection& s) {
  return s.pickings.size() == 1 && s.pickings[0].is_mask() && s.pickings[0].span == s.view.dim();
}

// No step where none is needed: small ones cost most of what picking a few elements does.
Tensor in_shape(const Tensor& x, const Shape& shape) { return x.sizes() == IntArrayRef(shape) ? x : x.reshape(shape); }

// The values in the shape of what they go to; leading sizes of 1 that it does not have are dropped.
Tensor fitted(const char* op, const Tensor& values, const Shape& shape) {
  Shape given = values.body().array.shape();
  if (given == shape) return values;
  while (given.size() > shape.size() && given[0] == 1) given.erase(0);
  if (!core::broadcasts_to(given, shape)) {
    core::fail<ShapeError>("{}: the values must broadcast to the shape of what is picked: {} to {}", op, values.sizes(),
                           shape);
  }
  return values.reshape(given).expand(shape);
}

// What lies at entries of `flat` <- rows, or += rows; through a copy, which goes to `to`, where `flat` is not its memory.
void put_rows(const Tensor& to, const Tensor& flat, std::int64_t dim, const Tensor& index, const Tensor& rows,
              bool accumulate) {
  if (flat.body().array.storage() == to.body().array.storage()) {
    accumulate ? index_add_(flat, dim, index, rows) : index_copy_(flat, dim, index, rows);
  } else {
    const Tensor changed = accumulate ? index_add(flat, dim, index, rows) : index_copy(flat, dim, index, rows);
    to.copy_(changed.reshape(to.sizes()));
  }
}

// x[indices] <- values, or += values.
void put_tensor(const char* op, const Operand& x, TensorIndices indices, const Tensor& values, bool accumulate) {
  const Scope scope(x.at());
  if (!values.defined()) core::fail<ValueError>("{}: the values must be defined", op);
  Selection s = select_by(op, x, indices);
  if (s.pickings.empty()) {  // a view is written to: as copy_, this converts
    const Tensor all = fitted(op, values, s.view.body().array.shape());
    accumulate ? s.view.add_(all) : s.view.copy_(all);
    return;
  }
  if (values.dtype() != x.tensor().dtype()) {
    core::fail<DTypeError>("{}: the values must have the tensor's dtype: {} into {}; to(...) converts", op,
                           values.dtype(), x.tensor().dtype());
  }
  if (is_whole_mask(s) && !accumulate) {
    const std::int64_t count = core::count_true(s.pickings[0].index);
    masked_scatter_(s.view, Tensor(s.pickings[0].index), fitted(op, values, Shape{count}));
    return;
  }
  const Merged m = merge(op, std::move(s));
  Shape rows = m.flat.body().array.shape();
  rows[static_cast<int>(m.dim)] = m.index.numel();
  put_rows(m.turned, m.flat, m.dim, m.index, in_shape(fitted(op, values, m.picked), rows), accumulate);
}

}  // namespace

namespace indexing {

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winit-list-lifetime"  // borrowed for the length of a call
#endif
TensorIndices::TensorIndices(std::initializer_list<TensorIndex> list)
    : begin_(list.begin()), end_(list.begin() + list.size()) {}
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
Tensor TensorIndex::mask_of(bool value) { return Tensor(core::scalar(value, kBool)); }
TensorIndices::TensorIndices(const std::vector<TensorIndex>& list) noexcept
    : begin_(list.data()), end_(list.data() + list.size()) {}

}  // namespace indexing

Tensor index(Operand x, TensorIndices indices) {
  return core::in_name_of("index", [&] {
    const Scope scope(x.at());
    Selection s = select_by("index", x, indices);
    if (s.pickings.empty()) return s.view;
    const auto picked = [](Tensor y) {
      y.body().picked = true;
      return y;
    };
    if (is_whole_mask(s)) return picked(masked_select(s.view, Tensor(s.pickings[0].index)));
    const Merged m = merge("index", std::move(s));
    return picked(in_shape(index_select(m.flat, m.dim, m.index), m.picked));
  });
}
Tensor Tensor::operator[](Operand index) const { return gradus::index({*this, index.at()}, {index.tensor()}); }

Tensor index_put(Operand x, TensorIndices indices, Operand values, bool accumulate) {
  return core::in_name_of("index_put", [&] {
    const Tensor y = clone(x);
    put_tensor("index_put", {y, x.at()}, indices, values.tensor(), accumulate);
    return y;
  });
}
Tensor index_put(Operand x, TensorIndices indices, const Scalar& value, bool accumulate) {
  const Tensor y = clone(x);
  return core::in_name_of("index_put", [&] { return index_put_({y, x.at()}, indices, value, accumulate); });
}
Tensor& index_put_(Operand x, TensorIndices indices, Operand values, bool accumulate) {
  return core::in_name_of("index_put_", [&]() -> Tensor& {
    put_tensor("index_put_", x, indices, values.tensor(), accumulate);
    return written_as("index_put_", x);
  });
}
Tensor& index_put_(Operand x, TensorIndices indices, const Scalar& value, bool accumulate) {
  return core::in_name_of("index_put_", [&]() -> Tensor& {
    const Scope scope(x.at());
    if (!accumulate) {
      const Selection s = select_by("index_put_", x, indices);
      if (is_whole_mask(s)) {
        masked_fill_(s.view, Tensor(s.pickings[0].index), value);
        return written_as("index_put_", x);
      }
    }
    return index_put_(x, indices, Tensor(core::scalar(value, x.tensor().dtype())), accumulate);
  });
}

Tensor take(Operand x, Operand index) {
  return core::in_name_of("take", [&] {
    const Scope scope(x.at());
    const Tensor places = detail::wrapped_places("take", index, x.tensor().numel());
    const Tensor flat = x.tensor().dim() == 1 ? x.tensor() : x.tensor().flatten();
    return index_select(flat, 0, places.flatten()).reshape(places.sizes());
  });
}
Tensor& put_(Operand x, Operand index, Operand source, bool accumulate) {
  return core::in_name_of("put_", [&]() -> Tensor& {
    const Scope scope(x.at());
    const Tensor &to = x.tensor(), &from = source.tensor();
    if (from.numel() != index.tensor().numel()) {
      core::fail<ShapeError>("put_: there must be as many values as indices: {} and {}", from.sizes(),
                             index.tensor().sizes());
    }
    const Tensor places = detail::wrapped_places("put_", index, to.numel());
    put_rows(to, to.reshape({to.numel()}), 0, places.flatten(), from.flatten(), accumulate);
    return written_as("put_", x);
  });
}
Tensor put(Operand x, Operand index, Operand source, bool accumulate) {
  const Tensor y = clone(x);
  return core::in_name_of("put", [&] { return put_({y, x.at()}, index, source, accumulate); });
}
Tensor take_along_dim(Operand x, Operand index, std::optional<std::int64_t> dim) {
  return core::in_name_of("take_along_dim", [&] {
    const Scope scope(x.at());
    if (!dim) return gather(x.tensor().flatten(), 0, index.tensor().flatten());
    const int d = core::wrap_dim(*dim, x.tensor().body().array.dim(), "take_along_dim");
    Shape from = x.tensor().body().array.shape(), where = index.tensor().body().array.shape();
    if (where.size() != from.size()) {
      core::fail<ShapeError>("take_along_dim: the index must have the tensor's dimensions: {} for {}", where, from);
    }
    if (from.empty()) return gather(x.tensor(), 0, detail::wrapped_places("take_along_dim", index, 1));
    const std::int64_t n = from[d], k = where[d];
    from[d] = where[d] = 1;
    Shape both = core::broadcast_shapes(from, where, "take_along_dim");
    both[d] = n;
    const Tensor source = x.tensor().expand(both);
    both[d] = k;
    const Tensor places = detail::wrapped_places("take_along_dim", index, n);
    return gather(source, d, places.expand(both));
  });
}

}  // namespace gradus
