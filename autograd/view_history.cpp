// as_strided, and how views and their base keep each other's history right.
//
// A view shares numbers with its base, so an in-place change of one changes the other. The graph stays functional:
// after v.mul_(c) on a view v of b, v's numbers are the output of "mul", b's are those of "as_strided_scatter" (b with
// the new numbers in v's place), and every view of b, v included, is an "as_strided" view of that, made when next asked.
#include "view_history.h"

#include "../core/create.h"
#include "../core/fail.h"
#include "../core/pointwise.h"
#include "operation.h"

namespace gradus {

using namespace autograd;
using core::Array;
using core::Shape;
using core::Strides;

namespace {

// Any geometry over a contiguous base, its offset counted from the base's first element; indices may overlap.
struct Geometry {
  Shape shape;
  Strides strides;
  std::int64_t offset = 0;
  template <class F>
  void visit(F&& f) const {
    f("shape", shape);
    f("strides", strides);
    f("offset", offset);
  }
  Array of(const Array& base) const {
    const bool nothing = core::numel_of(shape) == 0;  // such a view may begin beyond the end
    return base.as_strided(shape, strides, base.storage_offset() + (nothing ? 0 : offset));
  }
};
Tensor put_strided(const Tensor& dy, const Shape& base, const Geometry& geometry);
struct AsStrided {
  static constexpr std::string_view name = "as_strided";
  static constexpr bool is_view = true;
  using Attrs = Geometry;
  static Array forward(const Attrs& a, const Array& base) { return a.of(base); }
  static constexpr auto gradients =
      formulas([](Dy<> dy, ShapeOf<0> base, const Attrs& a) { return put_strided(dy, base, a); });
};
// Adds each element of x to the place that it is a view of: the gradient of as_strided.
struct StridedSum {
  static constexpr std::string_view name = "strided_sum";
  struct Attrs {
    Geometry geometry;
    Shape base;
    template <class F>
    void visit(F&& f) const {
      geometry.visit(f);
      f("base", base);
    }
  };
  static Array forward(const Attrs& a, const Array& x) {
    const Array sum = core::zeros(a.base, x.dtype());
    add_elements(a.geometry.of(sum), x);
    return sum;
  }
  // Dimension by dimension while elements of the target share memory; in one go once they do not.
  static void add_elements(const Array& to, const Array& x) {
    if (to.dim() == 0 || !to.may_overlap_itself()) {
      core::binary_out(to, core::Binary::Add, to, x);
      return;
    }
    for (std::int64_t i = 0; i < to.shape()[0]; ++i) add_elements(to.select(0, i), x.select(0, i));
  }
  static constexpr auto gradients =
      formulas([](Dy<> dy, const Attrs& a) { return apply<AsStrided>(a.geometry, dy.contiguous()); });
};
Tensor put_strided(const Tensor& dy, const Shape& base, const Geometry& geometry) {
  return apply<StridedSum>({geometry, base}, dy);
}
// The base with other numbers in a view's place.
Tensor scatter_zeros(const Tensor& dy, const Geometry& view);
struct AsStridedScatter {
  static constexpr std::string_view name = "as_strided_scatter";
  using Attrs = Geometry;
  static Array forward(const Attrs& a, const Array& base, const Array& view) {
    const Array result = base.clone();
    a.of(result).copy_(view);
    return result;
  }
  static constexpr auto gradients =
      formulas([](Dy<> dy, const Attrs& a) { return scatter_zeros(dy, a); },
               [](Dy<> dy, const Attrs& a) { return apply<AsStrided>(a, dy.contiguous()); });
};

Tensor scatter_zeros(const Tensor& dy, const Geometry& view) {
  return apply<AsStridedScatter>(view, dy.contiguous(), Tensor(core::zeros(view.shape, dy.dtype())));
}

Geometry geometry_in(const Array& base, const Array& view) {
  if (base.storage() != view.storage()) {
    core::fail<GradError>(
        "in-place change: the base of the view must still hold its numbers: set_data has given it others; take the "
        "view again");
  }
  if (!base.is_contiguous()) {
    core::fail<GradError>(
        "in-place change: the base of the view must be contiguous for its history to be kept: {} with strides {}; call "
        "contiguous() on it before taking the view",
        base.shape(), base.strides());
  }
  return {view.shape(), view.strides(), view.storage_offset() - base.storage_offset()};
}

}  // namespace

namespace autograd::detail {

Edge edge_as_view_of(const Tensor& base, const Array& view) {
  if (!base.requires_grad()) return {};
  const Operand input(base, base.edge().node->location());  // where the base was changed
  auto* node = new NodeOf<AsStrided>(geometry_in(base.array(), view), &input, 1, false);
  const core::Ref<Node> owner = core::Ref<Node>::adopt(node);
  node->set_outputs(view);
  return {owner, 0};
}

Edge edge_after_write(const Tensor& base, const Array& view, const Edge& written, Location at) {
  const Tensor new_view(view, written);
  const Operand inputs[] = {{base, at}, {new_view, at}};
  auto* node = new NodeOf<AsStridedScatter>(geometry_in(base.array(), view), inputs, 2, false);
  const core::Ref<Node> owner = core::Ref<Node>::adopt(node);
  node->set_outputs(base.array());
  return {owner, 0};
}

void check_writable_view(const Array& base, const Array& view) { geometry_in(base, view); }

}  // namespace autograd::detail

Tensor as_strided(Operand x, IntArrayRef shape, IntArrayRef strides, std::optional<std::int64_t> storage_offset) {
  const Tensor& tensor = x.tensor();
  // The history leads to the base: the geometry is over the storage, and may reach elements that x does not have.
  const Tensor base = tensor.is_view() ? Tensor(tensor.body().view->base) : tensor;
  const std::int64_t offset = storage_offset.value_or(tensor.storage_offset());
  if (!base.requires_grad()) {
    return detail::make_view(tensor.array().as_strided(shape, strides, offset), {}, tensor);
  }
  const Array result = base.array().as_strided(shape, strides, offset);
  const Geometry geometry = geometry_in(base.array(), result);
  const std::int64_t last = base.numel();
  std::int64_t reach = geometry.offset + 1;
  for (int i = 0; i < result.dim(); ++i) reach += (result.shape()[i] - 1) * result.strides()[i];
  if (result.numel() != 0 && (geometry.offset < 0 || reach > last)) {
    core::fail<IndexError>("as_strided: a view with history must stay within its base: elements {} to {} of {}",
                           geometry.offset, reach - 1, last);
  }
  return apply<AsStrided>(geometry, Operand(base, x.at()));
}

}  // namespace gradus
