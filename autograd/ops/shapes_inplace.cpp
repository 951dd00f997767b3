// A tensor that becomes another view of its own numbers. Its memory is not touched, so that neither saved values nor the
// histories of its base and of other views change: only its own goes on, by the view's node.
#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "../graph/grad_mode.h"
#include "../graph/view_of.h"
#include "../tensor/tensor.h"

namespace gradus {

using autograd::Body;
using core::Array;

namespace {

void check_leaf(const char* op, const Tensor& x, const char* what) {
  if (x.requires_grad() && x.is_leaf()) {
    core::fail<GradError>(
        "{}: {} cannot be changed in place while recording: open a NoGradGuard around the change, or use the form "
        "without underscore",
        op, what);
  }
}

template <class View>
Tensor& become(const char* op, const Tensor& x, View&& view) {
  Body& body = x.body();
  if (GradMode::is_enabled()) {
    check_leaf(op, x, "a leaf that requires grad");
    if (body.view != nullptr) check_leaf(op, Tensor(body.view->base), "a view of a leaf that requires grad");
  }
  core::in_name_of(op, [&] {
    // A history has to know of the new shape even where nothing is recorded; a leaf's ends with it.
    const bool records = x.requires_grad() && !x.is_leaf();
    const AutoGradMode mode(records);
    const Tensor next = view(x);
    if (records) body.set_edge(next.edge());
    body.array = Array(next.array());
    if (body.leaf) body.leaf->set_meta({body.array.shape(), body.array.dtype()});
  });
  return const_cast<Tensor&>(x);  // NOLINT: a handle; PyTorch's in-place members give it back like this
}

}  // namespace

Tensor& Tensor::transpose_(std::int64_t dim0, std::int64_t dim1, Location at) const {
  return become("transpose_", *this, [&](const Tensor& x) { return x.transpose(dim0, dim1, at); });
}
Tensor& Tensor::swapaxes_(std::int64_t axis0, std::int64_t axis1, Location at) const {
  return become("swapaxes_", *this, [&](const Tensor& x) { return x.transpose(axis0, axis1, at); });
}
Tensor& Tensor::swapdims_(std::int64_t dim0, std::int64_t dim1, Location at) const {
  return become("swapdims_", *this, [&](const Tensor& x) { return x.transpose(dim0, dim1, at); });
}
Tensor& Tensor::t_(Location at) const {
  return become("t_", *this, [&](const Tensor& x) { return x.t(at); });
}
Tensor& Tensor::squeeze_(Location at) const {
  return become("squeeze_", *this, [&](const Tensor& x) { return x.squeeze(at); });
}
Tensor& Tensor::squeeze_(std::int64_t dim, Location at) const {
  return become("squeeze_", *this, [&](const Tensor& x) { return x.squeeze(dim, at); });
}
Tensor& Tensor::unsqueeze_(std::int64_t dim, Location at) const {
  return become("unsqueeze_", *this, [&](const Tensor& x) { return x.unsqueeze(dim, at); });
}
Tensor& Tensor::as_strided_(IntArrayRef shape, IntArrayRef strides, std::optional<std::int64_t> storage_offset,
                            Location at) const {
  // Views of it would follow a history that may no longer have all of their elements.
  if (requires_grad() && body().views.load() != 0) {
    core::fail<GradError>(
        "as_strided_: a tensor with a history must have no views: {} with {}; as_strided() gives another tensor",
        sizes(), body().views.load());
  }
  return become("as_strided_", *this,
                [&](const Tensor& x) { return x.as_strided(shape, strides, storage_offset, at); });
}

Tensor& Tensor::resize_(IntArrayRef size, std::optional<MemoryFormat> format, Location) const {
  if (requires_grad()) {
    core::fail<GradError>("resize_: a tensor that requires grad cannot be resized: {} to {}; use reshape or a new one",
                          sizes(), size);
  }
  Body& b = body();
  const core::Shape shape(size);
  const std::int64_t needed = core::checked_numel(size, "resize_"), offset = storage_offset();
  const std::int64_t held = b.array.storage()->bytes() / element_size();
  Array next;
  if (offset + needed <= held) {
    next = b.array.as_strided(shape, core::contiguous_strides(shape), offset);
  } else {
    if (b.array.storage()->use_count() != 1) {
      core::fail<ValueError>(
          "resize_: memory that others share cannot grow: {} to {}; clone() it first, or make a new tensor", sizes(),
          size);
    }
    next = core::empty(shape, dtype());
    const std::int64_t kept = held - offset;
    const Array flat = next.view({needed});
    flat.slice(0, 0, kept).copy_(b.array.as_strided({kept}, {1}, offset));
  }
  b.array = std::move(next);
  if (b.leaf) b.leaf->set_meta({b.array.shape(), b.array.dtype()});
  if (format && *format != MemoryFormat::Preserve && *format != MemoryFormat::Contiguous) {
    b.array = contiguous(*format).array();
  }
  return const_cast<Tensor&>(*this);  // NOLINT
}

}  // namespace gradus
