// as_strided, and how views and their base keep each other's history right.
//
// A view shares numbers with its base, so an in-place change of one changes the other. The graph stays functional:
// after v.mul_(c) on a view v of b, v's numbers are the output of "mul", b's are those of "as_strided_scatter" (b with
// the new numbers in v's place), and every view of b, v included, is an "as_strided" view of that, made when next asked.
//
// Where a view's gradient is not what its geometry says, the operation that made it is applied again (ViewStep). Where
// the base is not contiguous, it is first put into place among what lies between its elements ("strided_put").
#include "view_history.h"

#include "../../core/ops/combine.h"
#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "../../core/ops/reduce.h"
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
  static constexpr auto fields =
      named("shape", &Geometry::shape, "strides", &Geometry::strides, "offset", &Geometry::offset);
  Array of(const Array& base) const {
    const bool nothing = core::numel_of(shape) == 0;  // such a view, or base, may begin beyond the end
    return base.as_strided(shape, strides, nothing ? 0 : base.storage_offset() + offset);
  }
};
Tensor put_strided(const Tensor& dy, const Shape& base, const Geometry& geometry);
// y[i] = x[offset + i stride]
struct AsStrided {
  static constexpr std::string_view name = "as_strided";
  static constexpr Batch batch = Batch::kNever;
  static constexpr bool is_view = true, by_geometry = true;
  using Attrs = Geometry;
  static Array forward(const Attrs& a, const Array& base) { return a.of(base); }
  static constexpr auto gradients =
      formulas([](Dy<> dy, ShapeOf<0> base, const Attrs& a) { return put_strided(dy, base, a); });
};
// y[k] = sum x[i] where offset + i stride = k.
// Adds each element of x to the place that it is a view of: the gradient of as_strided.
struct StridedSum {
  static constexpr std::string_view name = "strided_sum";
  static constexpr Batch batch = Batch::kNever;
  struct Attrs {
    Geometry geometry;
    Shape base;
    static constexpr auto fields = named(&Attrs::geometry, "base", &Attrs::base);
  };
  // Repeated dimensions are summed first; where elements of x still meet in one place, that place's number is an index.
  static Array forward(const Attrs& a, const Array& x) {
    Geometry geometry = a.geometry;
    core::Dims repeated;
    for (int d = 0; d < x.dim(); ++d) {
      if (geometry.strides[d] != 0 || geometry.shape[d] == 1) continue;
      repeated.push_back(d);
      geometry.shape[d] = 1;
    }
    const Array once = repeated.empty() ? x : core::sum(x, repeated, true);
    const Array sum = core::zeros(a.base, x.dtype()), to = geometry.of(sum);
    if (!to.may_overlap_itself()) {
      to.copy_(once);
      return sum;
    }
    const Array places = core::arange(0, sum.numel(), 1, kInt64).as_strided(to.shape(), to.strides(), geometry.offset);
    return core::index_add({sum.numel()}, 0, places.reshape({-1}), once.reshape({-1})).view(a.base);
  }
  static constexpr auto gradients =
      formulas([](Dy<> dy, const Attrs& a) { return apply<AsStrided>(a.geometry, dy.contiguous()); });
};
Tensor put_strided(const Tensor& dy, const Shape& base, const Geometry& geometry) {
  return apply<StridedSum>({geometry, base}, dy);
}
// The base with other numbers in a view's place.
Tensor scatter_zeros(const Tensor& dy, const Geometry& view);
// y[offset + i stride] = src[i], and x elsewhere
struct AsStridedScatter {
  static constexpr std::string_view name = "as_strided_scatter";
  static constexpr Batch batch = Batch::kNever;
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

// y[offset + i stride] = x[i], and 0 elsewhere.
// A base that is not contiguous, as the stretch of memory from its first element to its last: 0 between its elements.
struct StridedPut {
  static constexpr std::string_view name = "strided_put";
  struct Attrs {
    Geometry geometry;
    std::int64_t length = 0;
    static constexpr auto fields = named(&Attrs::geometry, "length", &Attrs::length);
  };
  static Array forward(const Attrs& a, const Array& x) {
    const Array stretch = core::zeros({a.length}, x.dtype());
    a.geometry.of(stretch).copy_(x);
    return stretch;
  }
  static constexpr auto gradients =
      formulas([](Dy<> dy, const Attrs& a) { return apply<AsStrided>(a.geometry, dy.contiguous()); });
};

// The number of elements from a geometry's first to its last.
std::int64_t length_of(const Array& x) {
  std::int64_t length = 1;
  for (int i = 0; i < x.dim(); ++i) length += (x.shape()[i] - 1) * x.strides()[i];
  return x.numel() == 0 ? 0 : length;
}

// The view's geometry over the memory from the base's first element to its last.
Geometry geometry_in(const Array& base, const Array& view) {
  if (base.storage() != view.storage()) {
    core::fail<GradError>(
        "in-place change: the base of the view must still hold its numbers: set_data has given it others; take the "
        "view again");
  }
  if (base.may_overlap_itself()) {
    core::fail<GradError>(
        "in-place change: elements of the view's base share memory, and its history would not: {} with strides {}; "
        "clone() it before taking the view",
        base.shape(), base.strides());
  }
  const std::int64_t offset = view.storage_offset() - base.storage_offset(), end = offset + length_of(view);
  if (view.numel() != 0 && (offset < 0 || end > length_of(base))) {
    core::fail<IndexError>("as_strided: a view with history must stay within its base: elements {} to {} of {}", offset,
                           end - 1, length_of(base));
  }
  return {view.shape(), view.strides(), offset};
}

// The node of a call of Op on these, without its forward. Observers are told of `numbers`: what it would give.
template <class Op, std::size_t N>
Edge recorded(const typename Op::Attrs& attrs, const Operand (&inputs)[N], const Array& result, const Array& numbers) {
  auto* node = new detail::NodeOf<Op>(attrs, inputs, static_cast<int>(N), false);
  const core::Ref<Node> owner = core::Ref<Node>::adopt(node);
  node->set_outputs(result);
  if (Observer::active()) [[unlikely]]
    Observer::tell_carried_over(*node, inputs, static_cast<int>(N), numbers);
  return {owner, 0};
}

// `x`, or the stretch of memory that it lies in, without numbers: what geometries are counted in. Where x has been
// `changed` since, what it read is gone.
Tensor stretch_of(const Tensor& x, Location at, bool changed) {
  if (x.is_contiguous()) return x;
  const std::int64_t length = length_of(x.array());
  const Array stretch = detail::zeros_without_memory({Shape{length}, x.dtype()});
  if (!x.requires_grad()) return Tensor(stretch);
  const bool told = Observer::active() && !changed;
  return Tensor(stretch, recorded<StridedPut>({geometry_in(x.array(), x.array()), length}, {Operand(x, at)}, stretch,
                                              told ? detail::numbers_of_stretch(x.array()) : Array()));
}

// The history of `view`, of numbers of x, as its geometry says.
Edge strided_edge(const Tensor& x, const Array& view, Location at) {
  if (!x.requires_grad()) return {};
  return recorded<AsStrided>(geometry_in(x.array(), view), {Operand(stretch_of(x, at, false), at)}, view, view);
}

// Whether every element of y is one of x, in the same storage.
bool has_all_elements(const Array& x, const Array& y) {
  const std::int64_t first = y.storage_offset() - x.storage_offset();
  if (y.numel() == 0) return true;
  if (first < 0 || first + length_of(y) > length_of(x)) return false;
  if (x.is_contiguous()) return true;
  const Array there = core::zeros({length_of(x)}, kBool);
  there.as_strided(x.sizes(), x.strides(), 0).fill_(true);
  return core::reduce(core::Reduction::All, there.as_strided(y.sizes(), y.strides(), first), {}).item<bool>();
}

bool same_geometry(const Array& a, const Array& b) {
  return a.shape() == b.shape() && a.strides() == b.strides() && a.storage_offset() == b.storage_offset();
}

}  // namespace

namespace autograd::detail {

Edge edge_as_view_of(const Body& base, const Array& view, const ViewStep* by) {
  // A leaf since then is another tensor to the views: what they followed was numbers without history.
  const bool leaf_since = base.leaf && base.edge.node.get() == base.leaf.get();
  const Edge edge = base.events->rewritten_as ? base.events->rewritten_as : leaf_since ? Edge() : base.edge;
  const Location at = edge ? edge.node->location() : Location::unknown();  // where the base was changed
  std::vector<const ViewStep*> steps;
  for (const ViewStep* step = by; step != nullptr; step = step->before.get()) steps.push_back(step);
  Tensor x(base.array, edge);
  for (; !steps.empty(); steps.pop_back()) {
    const ViewStep& step = *steps.back();
    if (!same_geometry(step.of, x.array())) x = Tensor(step.of, strided_edge(x, step.of, at));
    x = Tensor(step.result, step.again(x));
  }
  return by != nullptr && same_geometry(view, x.array()) ? x.edge() : strided_edge(x, view, at);
}

Edge edge_after_write(const Tensor& base, const Array& view, const Edge& written, Location at) {
  const Tensor stretch = stretch_of(base, at, true), new_view(view, written);
  const Edge edge =
      recorded<AsStridedScatter>(geometry_in(base.array(), view), {Operand(stretch, at), Operand(new_view, at)},
                                 stretch.array(), Observer::active() ? numbers_of_stretch(base.array()) : Array());
  if (stretch.is_same(base)) return edge;
  const Tensor changed(stretch.array(), edge);
  return recorded<AsStrided>(geometry_in(base.array(), base.array()), {Operand(changed, at)}, base.array(),
                             base.array());
}

Array numbers_of_stretch(const Array& base) {
  if (base.is_contiguous()) return base;
  return StridedPut::forward({geometry_in(base, base), length_of(base)}, base);
}

void check_writable_view(const Array& base, const Array& view) { geometry_in(base, view); }

}  // namespace autograd::detail

Tensor as_strided(Operand x, IntArrayRef shape, IntArrayRef strides, std::optional<std::int64_t> storage_offset) {
  const Tensor& tensor = x.tensor();
  const Array result = tensor.array().as_strided(shape, strides, storage_offset.value_or(tensor.storage_offset()));
  if (!GradMode::is_enabled() || !tensor.requires_grad()) return detail::make_view(Array(result), {}, tensor);
  // The geometry is over the storage, and may reach elements of the base that x does not have: then the history leads
  // to the base, around x.
  const bool beyond = !has_all_elements(tensor.array(), result), around = beyond && detail::leads_to_base(tensor);
  const autograd::ViewOf* const view = tensor.body().view.get();
  if (beyond && view != nullptr && view->by) {
    core::fail<GradError>(
        "as_strided: a view by {}, which has a gradient of its own, must have every element that is shown: {} with "
        "strides {} at {} of {} with strides {}; take it of the base, or of a clone()",
        view->by->name(), result.shape(), result.strides(), result.storage_offset(), tensor.sizes(), tensor.strides());
  }
  const Tensor origin = around ? Tensor(tensor.body().view->base) : tensor;
  return detail::make_view(Array(result), strided_edge(origin, result, x.at()).node, tensor);
}

}  // namespace gradus
