// Joining tensors and picking from them by index, with gradients.
#include "../../core/ops/combine.h"

#include <algorithm>

#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../graph/grad_mode.h"
#include "../graph/operation.h"
#include "rounded_once.h"

namespace gradus {

using namespace autograd;
using core::Array;
using core::Shape;

namespace {

// y = (x_1, x_2, ..) along dim
struct Cat {
  static constexpr std::string_view name = "cat";
  static constexpr std::string_view formula = "y = (x_1, x_2, ...) along dim, dx_i = the part of dy that x_i filled";
  static constexpr bool moves = true;
  struct Attrs {
    std::int64_t dim = 0;
    std::vector<std::int64_t> ends;     // where each part ends
    std::vector<std::int64_t> skipped;  // parts of shape [0], which join anything
    static constexpr auto fields = named("dim", &Attrs::dim, "ends", &Attrs::ends, "skipped", &Attrs::skipped);
  };
  static Array forward(const Attrs& a, core::ArrayList parts) { return core::cat(parts, a.dim); }
  static Tensor batch(const Attrs& a, const Examples& x) {
    if (!a.skipped.empty()) return {};
    std::vector<Tensor> parts;
    for (int i = 0; i < x.count(); ++i) parts.push_back(x.stacked(i));
    return cat(parts, a.dim + 1);
  }
  static constexpr auto gradients = formulas([](Dy<> dy, Which which, const Attrs& a) {
    if (std::find(a.skipped.begin(), a.skipped.end(), which.input) != a.skipped.end())
      return dy.flatten().narrow(0, 0, 0);
    const auto i = static_cast<std::size_t>(which.input);
    const std::int64_t start = i == 0 ? 0 : a.ends[i - 1];
    return dy.narrow(a.dim, start, a.ends[i] - start);
  });
};

// The position of each picked entry along a dimension: int64, without gradient.
struct Picked {
  std::int64_t dim = 0;
  static constexpr auto fields = named("dim", &Picked::dim);
};
struct Placed {
  Shape shape;
  std::int64_t dim = 0;
  static constexpr auto fields = named("shape", &Placed::shape, "dim", &Placed::dim);
};
// y[i] = x[index[i]] along dim.
// Picking and adding up are each other's gradients.
struct IndexSelect {
  static constexpr std::string_view name = "index_select";
  static constexpr bool moves = true;
  using Attrs = Picked;
  static Array forward(const Picked& p, const Array& x, const Array& index) {
    return core::index_select(x, p.dim, index);
  }
  static Tensor batch(const Picked& p, const Examples& x) {
    if (x.dim(0) == 0) return {};
    const std::int64_t dim = x.behind(0, p.dim, "index_select");
    if (x.shared(1)) return index_select(x[0], dim, x[1]);
    if (x.dim(1) != 1) return {};
    // All examples behind one another, each with its own places.
    const Tensor rows = x.stacked(0).movedim(dim, 1), index = x.own_places(1, rows.size(1));
    if (!index.defined()) return {};
    Shape shape{x.size(), x[1].size(1)};
    for (std::int64_t d = 2; d < rows.dim(); ++d) shape.push_back(rows.size(d));
    return index_select(rows.flatten(0, 1), 0, index.flatten()).reshape(shape).movedim(1, dim);
  }
  static Tensor back(const Placed& placed, const Tensor& dy, const Tensor& index);
  static constexpr auto gradients = formulas(
      [](Dy<> dy, ShapeOf<0> x, In<1> index, const Picked& p) {
        return back({x, p.dim}, dy, index);
      },
      no_gradient);
};
// y[k] = sum x[i] where index[i] = k
struct IndexAdd {
  static constexpr std::string_view name = "index_add";
  using Attrs = Placed;
  static Array forward(const Placed& p, const Array& x, const Array& index) {
    return core::index_add(p.shape, p.dim, index, x);
  }
  static Tensor batch(const Placed& p, const Examples& x) {
    if (!x.shared(1) || p.shape.empty() || x.dim(0) != p.shape.size()) return {};
    const int dim = core::wrap_dim(p.dim, p.shape.size(), "index_add") + 1;
    return IndexSelect::back({x.all_of(p.shape), dim}, x[0], x[1]);
  }
  static constexpr auto gradients =
      formulas([](Dy<> dy, In<1> index, const Placed& p) { return index_select(dy, p.dim, index); }, no_gradient);
};
Tensor IndexSelect::back(const Placed& placed, const Tensor& dy, const Tensor& index) {
  return apply<IndexAdd>(placed, dy, index);
}
// y[i, j] = x[index[i, j], j] along the first dimension, so along dim
struct Gather {
  static constexpr std::string_view name = "gather";
  static constexpr Batch batch = Batch::kDims;
  static constexpr bool moves = true;
  using Attrs = Picked;
  static Array forward(const Picked& p, const Array& x, const Array& index) { return core::gather(x, p.dim, index); }
  static constexpr auto gradients =
      formulas([](Dy<> dy, ShapeOf<0> x, In<1> index, const Picked& p) { return scatter_add(x, p.dim, index, dy); },
               no_gradient);
};
// y[k, j] = sum x[i, j] where index[i, j] = k
struct ScatterAdd {
  static constexpr std::string_view name = "scatter_add";
  static constexpr Batch batch = Batch::kDims;
  using Attrs = Placed;
  static Array forward(const Placed& p, const Array& x, const Array& index) {
    return core::scatter_add(p.shape, p.dim, index, x);
  }
  static constexpr auto gradients =
      formulas([](Dy<> dy, In<1> index, const Placed& p) { return gather(dy, p.dim, index); }, no_gradient);
};

struct FromDiagonal {
  std::int64_t diagonal = 0;
  static constexpr auto fields = named("diagonal", &FromDiagonal::diagonal);
};
struct Tril {
  static constexpr std::string_view name = "tril";
  static constexpr Batch batch = Batch::kMatrices;
  static constexpr bool moves = true;
  using Attrs = FromDiagonal;
  static Array forward(const Attrs& a, const Array& x) { return core::tril(x, a.diagonal); }
  static void write(const Array& x, const Attrs& a) { core::keep_tril(x, a.diagonal); }
  static constexpr auto gradients = formulas([](Dy<> dy, const Attrs& a) { return tril(dy, a.diagonal); });
};
struct Triu {
  static constexpr std::string_view name = "triu";
  static constexpr Batch batch = Batch::kMatrices;
  static constexpr bool moves = true;
  using Attrs = FromDiagonal;
  static Array forward(const Attrs& a, const Array& x) { return core::triu(x, a.diagonal); }
  static void write(const Array& x, const Attrs& a) { core::keep_triu(x, a.diagonal); }
  static constexpr auto gradients = formulas([](Dy<> dy, const Attrs& a) { return triu(dy, a.diagonal); });
};

// y[i + pad] = x[i], and the value elsewhere.
// Padding and cutting off are each other's gradients.
struct ConstantPad {
  static constexpr std::string_view name = "constant_pad_nd";
  static constexpr std::string_view formula = "y[i + pad] = x[i], dx[i] = dy[i + pad]";
  static constexpr bool moves = true;
  struct Attrs {
    std::vector<std::int64_t> pad;
    Scalar value = 0;
    static constexpr auto fields = named("pad", &Attrs::pad, "value", &Attrs::value);
  };
  static Array forward(const Attrs& a, const Array& x) { return core::constant_pad(x, a.pad, a.value); }
  static Tensor batch(const Attrs& a, const Examples& x) {
    const bool fits = static_cast<std::int64_t>(a.pad.size()) <= 2 * x.dim(0);
    return fits ? constant_pad_nd(x[0], a.pad, a.value) : Tensor();
  }
  static constexpr auto gradients = formulas([](Dy<> dy, const Attrs& a) {
    std::vector<std::int64_t> back = a.pad;
    for (std::int64_t& p : back) p = -p;
    return constant_pad_nd(dy, back);
  });
};

}  // namespace

Tensor cat(OperandList tensors, std::int64_t dim) {
  if (tensors.empty()) core::fail<ValueError>("cat: there must be at least one tensor");
  Cat::Attrs attrs;
  int dims = 1;
  for (const Operand& x : tensors) dims = std::max(dims, x.tensor().body().array.dim());
  attrs.dim = core::wrap_dim(dim, dims, "cat");
  for (const Operand& x : tensors) {
    const Array& a = x.tensor().body().array;
    const bool skipped = a.dim() == 1 && a.numel() == 0 && dims != 1;
    if (skipped) attrs.skipped.push_back(static_cast<std::int64_t>(attrs.ends.size()));
    const std::int64_t length =
        skipped || a.dim() == 0 ? 0 : a.shape()[std::min(static_cast<int>(attrs.dim), a.dim() - 1)];
    std::int64_t end = 0;
    if (__builtin_add_overflow(attrs.ends.empty() ? 0 : attrs.ends.back(), length, &end)) {
      core::fail<ShapeError>("cat: the joined size must fit into 64 bits: {} behind {}", length, attrs.ends.back());
    }
    attrs.ends.push_back(end);
  }
  return apply<Cat>(attrs, tensors);
}
Tensor stack(OperandList tensors, std::int64_t dim) {
  if (tensors.empty()) core::fail<ValueError>("stack: there must be at least one tensor");
  const Scope scope(tensors[0].at());
  const int at = core::wrap_dim(dim, tensors[0].tensor().body().array.dim() + 1, "stack");
  std::vector<Tensor> parts;
  for (const Operand& x : tensors) {
    if (x.tensor().sizes() != tensors[0].tensor().sizes()) {
      core::fail<ShapeError>("stack: all shapes must be equal: {} and {}", tensors[0].tensor().sizes(),
                             x.tensor().sizes());
    }
    parts.push_back(x.tensor().unsqueeze(at));
  }
  return cat(parts, at);
}
Tensor index_select(Operand x, std::int64_t dim, Operand index) { return apply<IndexSelect>({dim}, x, index); }
Tensor gather(Operand x, std::int64_t dim, Operand index) { return apply<Gather>({dim}, x, index); }
Tensor scatter_add(IntArrayRef shape, std::int64_t dim, Operand index, Operand x) {
  if (stored(x)) return rounded_once([&](Operand u) { return scatter_add(shape, dim, index, u); }, x);
  return apply<ScatterAdd>({Shape(shape), dim}, x, index);
}
Tensor constant_pad_nd(Operand x, IntArrayRef pad, const Scalar& value) {
  core::expect_defined("constant_pad_nd", "the operand", x.tensor());
  return apply<ConstantPad>({pad.vec(), value}, x);
}
Tensor tril(Operand x, std::int64_t diagonal) { return apply<Tril>({diagonal}, x); }
Tensor triu(Operand x, std::int64_t diagonal) { return apply<Triu>({diagonal}, x); }
Tensor& tril_(Operand x, std::int64_t diagonal) { return apply_inplace<Tril>({diagonal}, x); }
Tensor& triu_(Operand x, std::int64_t diagonal) { return apply_inplace<Triu>({diagonal}, x); }

}  // namespace gradus
