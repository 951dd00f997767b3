// Views that pick elements one by one, and copies. Those of any strides, and what an in-place change of a view does to
// the history of its base, are in view_history.cpp.
#include <algorithm>
#include <limits>

#include "../../core/ops/combine.h"
#include "../../core/array/create.h"
#include "../../core/array/reshape.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../../core/ops/pointwise.h"
#include "../../core/ops/reduce.h"
#include "../graph/grad_mode.h"
#include "../graph/operation.h"

namespace gradus {

using namespace autograd;
using core::Array;
using core::Shape;
using core::Strides;

namespace {

// pick(y) = x, and y = 0 elsewhere.
// The gradient of picking some elements is putting them back among zeros; the gradient of putting is picking. V is a
// view operation that picks every element at most once.
template <class V>
struct Put {
  static constexpr std::string_view name = V::put_name;
  static constexpr Batch batch = Batch::kDims;
  struct Attrs {
    typename V::Attrs pick;
    Shape shape;
    static constexpr auto fields = named(&Attrs::pick, "shape", &Attrs::shape);
  };
  static Array forward(const Attrs& a, const Array& x) {
    const Array zeros = core::zeros(a.shape, x.dtype());
    V::forward(a.pick, zeros).copy_(x);
    return zeros;
  }
  static constexpr auto gradients = formulas([](Dy<> dy, const Attrs& a) { return apply<V>(a.pick, Tensor(dy)); });
};
// In functions of their own: where a formula stands, its operation is not complete yet.
template <class V, class A>
Tensor put(const Tensor& dy, const Shape& x, const A& pick) {
  return apply<Put<V>>({pick, x}, dy);
}

// y = x[index] along dim
struct Select {
  static constexpr std::string_view name = "select", put_name = "put_selected";
  static constexpr Batch batch = Batch::kDims;
  static constexpr bool is_view = true, by_geometry = true;
  struct Attrs {
    std::int64_t dim = 0, index = 0;
    static constexpr auto fields = named("dim", &Attrs::dim, "index", &Attrs::index);
  };
  static Array forward(const Attrs& a, const Array& x) { return x.select(a.dim, a.index); }
  static constexpr auto gradients =
      formulas([](Dy<> dy, ShapeOf<0> x, const Attrs& a) { return put<Select>(dy, x, a); });
};
// y[i] = x[start + i step] along dim
struct Slice {
  static constexpr std::string_view name = "slice", put_name = "put_slice";
  static constexpr Batch batch = Batch::kDims;
  static constexpr bool is_view = true, by_geometry = true;
  struct Attrs {
    std::int64_t dim = 0, start = 0, stop = 0, step = 1;
    static constexpr auto fields =
        named("dim", &Attrs::dim, "start", &Attrs::start, "stop", &Attrs::stop, "step", &Attrs::step);
  };
  static Array forward(const Attrs& a, const Array& x) { return x.slice(a.dim, a.start, a.stop, a.step); }
  static constexpr auto gradients =
      formulas([](Dy<> dy, ShapeOf<0> x, const Attrs& a) { return put<Slice>(dy, x, a); });
};
// y[i] = x[i, i + offset]
struct Diagonal {
  static constexpr std::string_view name = "diagonal", put_name = "put_diagonal";
  static constexpr Batch batch = Batch::kDims;
  static constexpr bool is_view = true, by_geometry = true;
  struct Attrs {
    std::int64_t offset = 0, dim1 = 0, dim2 = 1;
    static constexpr auto fields = named("offset", &Attrs::offset, "dim1", &Attrs::dim1, "dim2", &Attrs::dim2);
  };
  static Array forward(const Attrs& a, const Array& x) { return x.diagonal(a.offset, a.dim1, a.dim2); }
  static constexpr auto gradients =
      formulas([](Dy<> dy, ShapeOf<0> x, const Attrs& a) { return put<Diagonal>(dy, x, a); });
};

struct ShapeAttrs {
  Shape shape;
  static constexpr auto fields = named("shape", &ShapeAttrs::shape);
};
// y = x in another shape.
// Any view that keeps the order of the elements: view, squeeze, unsqueeze, flatten.
struct View {
  static constexpr std::string_view name = "view";
  static constexpr bool is_view = true, by_geometry = true;
  using Attrs = ShapeAttrs;
  static Array forward(const Attrs& a, const Array& x) { return x.view(a.shape); }
  static Tensor batch(const Attrs& a, const Examples& x) { return x[0].view(x.all_of(a.shape)); }
  static constexpr auto gradients = formulas([](Dy<> dy, ShapeOf<0> x) { return dy.reshape(x); });
};
// y = x in another shape.
// A reshape that must copy.
struct Reshape {
  static constexpr std::string_view name = "reshape";
  static constexpr bool moves = true;
  using Attrs = ShapeAttrs;
  static Array forward(const Attrs& a, const Array& x) { return x.reshape(a.shape); }
  static Tensor batch(const Attrs& a, const Examples& x) { return x[0].reshape(x.all_of(a.shape)); }
  static constexpr auto gradients = formulas([](Dy<> dy, ShapeOf<0> x) { return dy.reshape(x); });
};
// y = x repeated along its dimensions of size 1
struct Expand {
  static constexpr std::string_view name = "expand";
  static constexpr bool is_view = true, by_geometry = true;
  using Attrs = ShapeAttrs;
  static Array forward(const Attrs& a, const Array& x) { return x.expand(a.shape); }
  static Tensor batch(const Attrs& a, const Examples& x) {
    return x.aligned(0, a.shape.size()).expand(x.all_of(a.shape));
  }
  static constexpr auto gradients = formulas([](Dy<> dy, ShapeOf<0> x) { return sum_to_size(dy, x); });
};
// y[i] = x[i mod n].
// Copies side by side: times[i] of them along dimension i.
struct Repeat {
  static constexpr std::string_view name = "repeat";
  static constexpr std::string_view formula = "y[i] = x[i mod n], dx[k] = sum_{i mod n = k} dy[i]";
  static constexpr Batch batch = Batch::kDims;
  struct Attrs {
    Shape sizes;  ///< x's, with leading ones for new dimensions
    core::Dims times;
    static constexpr auto fields = named("sizes", &Attrs::sizes, "times", &Attrs::times);
    Shape result() const {
      Shape whole = sizes;
      for (int i = 0; i < whole.size(); ++i) whole[i] *= times[i];
      return whole;
    }
  };
  // Each dimension in turn, the inner ones first, so that no shape on the way has more than three dimensions.
  static Array forward(const Attrs& a, const Array& x) {
    Array y = x;
    std::int64_t inner = 1;
    for (int i = a.sizes.size(); i-- > 0;) {
      std::int64_t outer = 1;
      for (int d = 0; d < i; ++d) outer *= a.sizes[d];
      const std::int64_t each = a.sizes[i] * inner;
      if (a.times[i] != 1) y = y.reshape({outer, 1, each}).expand({outer, a.times[i], each}).clone();
      inner = each * a.times[i];
    }
    return (y.storage() == x.storage() ? y.clone() : y).reshape(a.result());
  }
  static constexpr auto gradients = formulas([](Dy<> dy, ShapeOf<0> x, const Attrs& a) {
    Tensor dx = dy;
    std::int64_t outer = 1;
    for (int i = 0; i < a.sizes.size(); ++i) {
      std::int64_t each = a.sizes[i];
      for (int d = i + 1; d < a.sizes.size(); ++d) each *= a.sizes[d] * a.times[d];
      if (a.times[i] != 1) dx = dx.reshape({outer, a.times[i], each}).sum({1});
      outer *= a.sizes[i];
    }
    return dx.reshape(x);
  });
};
// y = sum x over the dimensions that expand would repeat
struct SumTo {
  static constexpr std::string_view name = "sum_to_size";
  using Attrs = ShapeAttrs;
  static Array forward(const Attrs& a, const Array& x) { return core::sum_to(x, a.shape); }
  static Tensor batch(const Attrs& a, const Examples& x) {
    Shape of_size_1 = a.shape;
    while (of_size_1.size() < x.dim(0)) of_size_1.insert(0, 1);
    return sum_to_size(x[0], x.all_of(of_size_1)).reshape(x.all_of(a.shape));
  }
  static constexpr auto gradients = formulas([](Dy<> dy, ShapeOf<0> x) { return dy.expand(x); });
};
// y = x with its dimensions in another order
struct Permute {
  static constexpr std::string_view name = "permute";
  static constexpr bool is_view = true, by_geometry = true;
  struct Attrs {
    core::Dims dims;
    static constexpr auto fields = named("dims", &Attrs::dims);
  };
  static Array forward(const Attrs& a, const Array& x) { return x.permute(a.dims); }
  static Tensor batch(const Attrs& a, const Examples& x) {
    core::Dims dims{0};
    for (const std::int64_t d : a.dims) dims.push_back(x.behind(0, d, "permute"));
    return x[0].permute(dims);
  }
  static constexpr auto gradients = formulas([](Dy<> dy, const Attrs& a) {
    core::Dims inverse = a.dims;
    for (int i = 0; i < a.dims.size(); ++i) inverse[core::wrap_dim(a.dims[i], a.dims.size(), "permute")] = i;
    return dy.permute(inverse);
  });
};
// y = x.
// The same elements: a copy, a conversion (the engine casts the gradient back), an alias.
struct Clone {
  static constexpr std::string_view name = "clone";
  static constexpr Batch batch = Batch::kEach;
  static constexpr bool moves = true;
  static Array forward(const Array& x) { return x.clone(); }
  static constexpr auto gradients = formulas([](Dy<> dy) { return Tensor(dy); });
};
// y = x in another dtype
struct To {
  static constexpr std::string_view name = "to";
  static constexpr Batch batch = Batch::kEach;
  static constexpr bool moves = true;
  struct Attrs {
    DType dtype = kFloat32;
    static constexpr auto fields = named("dtype", &Attrs::dtype);
  };
  static Array forward(const Attrs& a, const Array& x) { return x.to(a.dtype); }
  static constexpr auto gradients = formulas([](Dy<> dy) { return Tensor(dy); });
};
// y = x
struct Alias {
  static constexpr std::string_view name = "alias";
  static constexpr Batch batch = Batch::kEach;
  static constexpr bool is_view = true, by_geometry = true;
  static Array forward(const Array& x) { return x; }
  static constexpr auto gradients = formulas([](Dy<> dy) { return Tensor(dy); });
};
// y[i] = x[n - 1 - i]
struct Flip {
  static constexpr std::string_view name = "flip";
  static constexpr Batch batch = Batch::kDims;
  static constexpr bool moves = true;
  struct Attrs {
    core::Dims dims;
    static constexpr auto fields = named("dims", &Attrs::dims);
  };
  static Array forward(const Attrs& a, const Array& x) { return x.flip(a.dims); }
  static constexpr auto gradients = formulas([](Dy<> dy, const Attrs& a) { return dy.flip(a.dims); });
};

}  // namespace

namespace autograd::detail {

Tensor alias_of(Operand x) { return apply<Alias>(x); }
Tensor as_result(Tensor view) {
  view.body().view = nullptr;
  return view;
}

}  // namespace autograd::detail

Tensor Tensor::view(IntArrayRef shape, Location at) const {
  const Shape wanted = body().array.view(shape).shape();  // -1 resolved, errors thrown
  return apply<View>({wanted}, Operand(*this, at));
}

Tensor reshape(Operand x, IntArrayRef shape) {
  const auto [wanted, is_view] = core::reshaped(x.tensor().body().array, shape);
  return is_view ? apply<View>({wanted}, x) : apply<Reshape>({wanted}, x);
}
Tensor flatten(Operand x, std::int64_t start_dim, std::int64_t end_dim) {
  const Tensor& tensor = x.tensor();
  core::expect_defined("flatten", "the operand", tensor);
  const Shape shape = tensor.body().array.flatten(start_dim, end_dim).shape();
  return shape.size() == tensor.dim() && tensor.dim() > 0 ? tensor : reshape(x, shape);  // itself, as PyTorch's
}
Tensor permute(Operand x, IntArrayRef dims) { return apply<Permute>({core::Dims(dims)}, x); }
Tensor transpose(Operand x, std::int64_t dim0, std::int64_t dim1) {
  const int n = x.tensor().body().array.dim();
  const int a = core::wrap_dim(dim0, n, "transpose"), b = core::wrap_dim(dim1, n, "transpose");
  core::Dims dims;
  for (int i = 0; i < n; ++i) dims.push_back(i == a ? b : i == b ? a : i);
  return permute(x, dims);
}
Tensor t(Operand x) {
  const std::int64_t n = x.tensor().dim();
  if (n > 2) core::fail<ShapeError>("t: at most 2 dimensions: {}; transpose(-2, -1) takes more", x.tensor().sizes());
  return n < 2 ? detail::alias_of(x) : transpose(x, 0, 1);
}
Tensor movedim(Operand x, std::int64_t source, std::int64_t destination) {
  const int n = x.tensor().body().array.dim();
  const int from = core::wrap_dim(source, n, "movedim"), to = core::wrap_dim(destination, n, "movedim");
  core::Dims dims;
  if (n == 0) return permute(x, dims);
  for (int i = 0; i < n; ++i) {
    if (i != from) dims.push_back(i);
  }
  dims.insert(to, from);
  return permute(x, dims);
}
Tensor Tensor::expand(IntArrayRef shape, Location at) const {
  return apply<Expand>({body().array.expand(shape).shape()}, Operand(*this, at));
}
Tensor squeeze(Operand x) { return apply<View>({x.tensor().body().array.squeeze().shape()}, x); }
Tensor squeeze(Operand x, std::int64_t dim) { return apply<View>({x.tensor().body().array.squeeze(dim).shape()}, x); }
Tensor unsqueeze(Operand x, std::int64_t dim) {
  return apply<View>({x.tensor().body().array.unsqueeze(dim).shape()}, x);
}
Tensor select(Operand x, std::int64_t dim, std::int64_t index) { return apply<Select>({dim, index}, x); }
Tensor slice(Operand x, std::int64_t dim, std::optional<std::int64_t> start, std::optional<std::int64_t> stop,
             std::int64_t step) {
  return apply<Slice>({dim, start.value_or(0), stop.value_or(std::numeric_limits<std::int64_t>::max()), step}, x);
}
Tensor narrow(Operand x, std::int64_t dim, std::int64_t start, std::int64_t length) {
  const Array checked = x.tensor().body().array.narrow(dim, start, length);
  const std::int64_t from = start < 0 ? start + x.tensor().size(dim) : start;
  return apply<Slice>({dim, from, from + length, 1}, x);
}
Tensor diagonal(Operand x, std::int64_t offset, std::int64_t dim1, std::int64_t dim2) {
  return apply<Diagonal>({offset, dim1, dim2}, x);
}
Tensor diag_embed(Operand x, std::int64_t offset, std::int64_t dim1, std::int64_t dim2) {
  const Shape& from = x.tensor().body().array.shape();
  if (from.empty()) core::fail<ShapeError>("diag_embed: there must be at least one dimension: {}", from);
  const int n = from.size() + 1;
  const int a = core::wrap_dim(dim1, n, "diag_embed"), b = core::wrap_dim(dim2, n, "diag_embed");
  if (a == b) core::fail<ValueError>("diag_embed: the two dimensions must differ: {} and {}", dim1, dim2);
  Shape shape = from;
  shape.pop_back();
  std::int64_t size = from.back();
  if (offset < 0 ? __builtin_sub_overflow(size, offset, &size) : __builtin_add_overflow(size, offset, &size)) {
    core::fail<ShapeError>("diag_embed: the size must fit into 64 bits: {} and the offset {}", from.back(), offset);
  }
  shape.insert(std::min(a, b), size);
  shape.insert(std::max(a, b), size);
  core::checked_numel(shape, "diag_embed");
  return apply<Put<Diagonal>>({{offset, a, b}, shape}, x);
}
Tensor Tensor::expand_as(const Tensor& other, Location at) const {
  return core::in_name_of("expand_as", [&] { return expand(other.sizes(), at); });
}
Tensor Tensor::view_as(const Tensor& other, Location at) const {
  return core::in_name_of("view_as", [&] { return view(other.sizes(), at); });
}
Tensor Tensor::reshape_as(const Tensor& other, Location at) const {
  return core::in_name_of("reshape_as", [&] { return reshape(other.sizes(), at); });
}

Tensor clone(Operand x) { return apply<Clone>(x); }
Tensor Tensor::contiguous(Location at) const { return is_contiguous() ? *this : gradus::clone({*this, at}); }
Tensor Tensor::to(DType dtype, Location at) const {
  return dtype == this->dtype() ? *this : apply<To>({dtype}, Operand(*this, at));
}
Tensor Tensor::to(const TensorOptions& options, Location at) const { return to(options.dtype_or(dtype()), at); }
Tensor flip(Operand x, IntArrayRef dims) {
  if (dims.empty()) return clone(x);  // not all dimensions, as in a reduction: none
  return apply<Flip>({core::wrap_dims(dims, x.tensor().body().array.dim(), "flip")}, x);
}
Tensor repeat(Operand x, IntArrayRef repeats) {
  const Shape& shape = x.tensor().body().array.shape();
  const int n = static_cast<int>(repeats.size()), extra = n - shape.size();
  if (extra < 0) {
    core::fail<ShapeError>("repeat: there must be a number for each dimension: {} for {}", repeats, shape);
  }
  Repeat::Attrs attrs{Shape::filled(n, 1), core::Dims(repeats)};
  for (int i = extra; i < n; ++i) attrs.sizes[i] = shape[i - extra];
  for (int i = 0; i < n; ++i) {
    if (attrs.times[i] < 0) core::fail<ValueError>("repeat: numbers must not be negative: {}", repeats);
    core::checked_numel({attrs.sizes[i], attrs.times[i]}, "repeat");
  }
  core::checked_numel(attrs.result(), "repeat");
  return apply<Repeat>(attrs, x);
}
Tensor sum_to_size(Operand x, IntArrayRef shape) {
  if (x.tensor().sizes() == shape) return x.tensor();
  return core::in_name_of("sum_to_size", [&] { return apply<SumTo>({Shape(shape)}, x); });
}

}  // namespace gradus
