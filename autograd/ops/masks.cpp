// Masks, and what is written where a view would show; numbers as one-hot rows, repetition, membership.
#include <algorithm>
#include <limits>

#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "../../core/ops/indexing.h"
#include "../../core/ops/pointwise.h"
#include "../graph/operation.h"
#include "../tensor/create.h"
#include "indexing.h"
#include "rewrite.h"

namespace gradus {

using namespace autograd;
using core::Array;
using core::Shape;

namespace {

struct Whole {
  Shape shape;
  static constexpr auto fields = named("shape", &Whole::shape);
};
Tensor put_where(const Tensor& dy, const Shape& x, const Tensor& mask);
// y = (x[i] where mask[i]).
// Picking where a mask is true, and putting there among zeros, are each other's gradients.
struct MaskedSelect {
  static constexpr std::string_view name = "masked_select";
  static constexpr bool moves = true;
  static Array forward(const Array& x, const Array& mask) { return core::masked_select(x, mask); }
  static constexpr auto gradients =
      formulas([](Dy<> dy, ShapeOf<0> x, In<1> mask) { return put_where(dy, x, mask); }, no_gradient);
};
// y = the next of x where the mask holds, else 0
struct PutMasked {
  static constexpr std::string_view name = "put_masked";
  static constexpr bool moves = true;
  using Attrs = Whole;
  static Array forward(const Attrs& a, const Array& x, const Array& mask) {
    const Array y = core::zeros(a.shape, x.dtype());
    core::masked_write(y, mask, x);
    return y;
  }
  static constexpr auto gradients = formulas([](Dy<> dy, In<1> mask) { return masked_select(dy, mask); }, no_gradient);
};
Tensor put_where(const Tensor& dy, const Shape& x, const Tensor& mask) { return apply<PutMasked>({x}, dy, mask); }

// y = the next of src where the mask holds, else x
struct MaskedScatter {
  static constexpr std::string_view name = "masked_scatter";
  static constexpr bool moves = true;
  static void write(const Array& x, const Array& mask, const Array& src) { core::masked_write(x, mask, src); }
  static Array forward(const Array& x, const Array& mask, const Array& src) {
    const Array y = x.clone();
    write(y, mask, src);
    return y;
  }
  static constexpr auto gradients = formulas([](Dy<> dy, In<1> mask) { return masked_fill(dy, mask, 0); }, no_gradient,
                                             [](Dy<> dy, In<1> mask) { return masked_select(dy, mask); });
};

// As many of the source's elements as the mask has places, in order.
struct Fitted {
  Fitted(const char* op, const Operand& x, const Operand& m, const Operand& source) {
    mask = m.tensor().expand(x.tensor().sizes());
    const std::int64_t count = core::count_true(mask.array());
    if (source.tensor().numel() < count) {
      core::fail<ShapeError>("{}: the source must have an element for each place: {} for {} places", op,
                             source.tensor().sizes(), count);
    }
    const Tensor flat =
        source.tensor().dim() == 1 ? source.tensor() : source.tensor().reshape({source.tensor().numel()});
    values = flat.numel() == count ? flat : flat.narrow(0, 0, count);
  }
  Tensor mask, values;
};

// x with what a view of it shows replaced.
template <class View>
Tensor replaced(const char* op, const Operand& x, const Operand& src, const View& view) {
  return core::in_name_of(op, [&] {
    const Scope scope(x.at());
    const Tensor y = x.tensor().clone(), part = view(y);
    if (part.sizes() != src.tensor().sizes()) {
      core::fail<ShapeError>("{}: the source must have the shape of what it replaces: {} for {}", op,
                             src.tensor().sizes(), part.sizes());
    }
    part.copy_(src.tensor());
    return y;
  });
}

}  // namespace

Tensor masked_select(Operand x, Operand mask) {
  if (x.tensor().sizes() == mask.tensor().sizes()) return apply<MaskedSelect>(x, mask);
  return core::in_name_of("masked_select", [&] {
    const Scope scope(x.at());
    const Shape shape =
        core::broadcast_shapes(x.tensor().body().array.shape(), mask.tensor().body().array.shape(), "masked_select");
    return apply<MaskedSelect>(x.tensor().expand(shape), mask.tensor().expand(shape));
  });
}
Tensor masked_scatter(Operand x, Operand mask, Operand source) {
  return core::in_name_of("masked_scatter", [&] {
    const Scope scope(x.at());
    const Fitted f("masked_scatter", x, mask, source);
    return apply<MaskedScatter>(x, f.mask, f.values);
  });
}
Tensor& masked_scatter_(Operand x, Operand mask, Operand source) {
  return core::in_name_of("masked_scatter_", [&]() -> Tensor& {
    const Scope scope(x.at());
    const Fitted f("masked_scatter_", x, mask, source);
    return apply_inplace<MaskedScatter>({}, x, Operand(f.mask, x.at()), Operand(f.values, x.at()));
  });
}
Tensor nonzero(const Tensor& x) { return Tensor(core::nonzero(x.array())); }
Tensor argwhere(const Tensor& x) { return nonzero(x); }

Tensor one_hot(const Tensor& x, std::int64_t num_classes) {
  const Array places = x.array();
  if (places.dtype() != kInt64 && places.dtype() != kInt32) {
    core::fail<DTypeError>("one_hot: an index must be int64 or int32: {}; to(kInt64) converts", places.dtype());
  }
  std::int64_t classes = num_classes;
  if (classes < 0) {
    if (places.numel() == 0) {
      core::fail<ValueError>("one_hot: num_classes must be given where there are no numbers: shape {}", places.shape());
    }
    const auto last = core::reduce(core::Reduction::Max, places).item<std::int64_t>();
    classes = last < std::numeric_limits<std::int64_t>::max() ? last + 1 : last;  // either is more than memory holds
  }
  Shape shape = places.shape();
  shape.push_back(std::max<std::int64_t>(classes, 0));
  const Array y = core::in_name_of("one_hot", [&] { return core::zeros(shape, kInt64); }), where = places.unsqueeze(-1);
  core::scatter_write(y, -1, where, core::ones({}, kInt64).expand(where.shape()), "one_hot");
  return Tensor(y);
}

Tensor repeat_interleave(Operand x, std::int64_t repeats, std::optional<std::int64_t> dim,
                         std::optional<std::int64_t> output_size) {
  return core::in_name_of("repeat_interleave", [&] {
    const Scope scope(x.at());
    if (repeats < 0) core::fail<ValueError>("repeat_interleave: the count must not be negative: {}", repeats);
    const Tensor from = dim && x.tensor().dim() != 0 ? x.tensor() : x.tensor().flatten();
    const int d = core::wrap_dim(dim.value_or(0), from.body().array.dim(), "repeat_interleave");
    Shape each = from.body().array.shape(), whole = each;
    core::checked_numel({whole[d], repeats}, "repeat_interleave");
    whole[d] *= repeats;
    if (output_size && *output_size != whole[d]) {
      core::fail<ValueError>("repeat_interleave: output_size must be the size that results: {} and {}", *output_size,
                             whole[d]);
    }
    each.insert(d + 1, repeats);
    const Tensor y = from.unsqueeze(d + 1).expand(each).reshape(whole);
    return y.body().array.storage() == from.body().array.storage() ? y.clone()
                                                                   : y;  // of single entries reshape makes a view
  });
}
Tensor repeat_interleave(Operand x, Operand repeats, std::optional<std::int64_t> dim,
                         std::optional<std::int64_t> output_size) {
  return core::in_name_of("repeat_interleave", [&] {
    const Scope scope(x.at());
    const Tensor from = dim && x.tensor().dim() != 0 ? x.tensor() : x.tensor().flatten();
    const std::int64_t d = core::wrap_dim(dim.value_or(0), from.body().array.dim(), "repeat_interleave");
    Array counts = repeats.tensor().array();
    if (counts.numel() == 1) counts = counts.reshape(1).expand(from.size(d));
    if (counts.dim() == 1 && counts.numel() != from.size(d)) {
      core::fail<ShapeError>("repeat_interleave: there must be a count for each entry: {} for {} of dimension {}",
                             counts.numel(), from.size(d), d);
    }
    const Tensor places(core::repeated_places(counts));
    if (output_size && *output_size != places.numel()) {
      core::fail<ValueError>("repeat_interleave: output_size must be the size that results: {} and {}", *output_size,
                             places.numel());
    }
    return index_select(from, d, places);
  });
}
Tensor repeat_interleave(Operand repeats) { return Tensor(core::repeated_places(repeats.tensor().array())); }

namespace {
std::string_view folded(const char* op, std::string_view reduce) {
  if (reduce == "add") return "sum";
  if (reduce == "multiply") return "prod";
  core::fail<ValueError>("{}: reduce must be \"add\" or \"multiply\": \"{}\"; scatter_reduce takes others", op, reduce);
}
Tensor repeated(const Operand& x, const Operand& index, const Scalar& value) {
  return Tensor(core::full(index.tensor().sizes(), value, x.tensor().dtype()));
}
}  // namespace
Tensor scatter(Operand x, std::int64_t dim, Operand index, Operand src, std::string_view reduce) {
  return core::in_name_of("scatter", [&] { return scatter_reduce(x, dim, index, src, folded("scatter", reduce)); });
}
Tensor scatter(Operand x, std::int64_t dim, Operand index, const Scalar& value, std::string_view reduce) {
  return scatter(x, dim, index, {repeated(x, index, value), x.at()}, reduce);
}
Tensor& scatter_(Operand x, std::int64_t dim, Operand index, Operand src, std::string_view reduce) {
  return core::in_name_of("scatter_", [&]() -> Tensor& {
    scatter_reduce_(x, dim, index, src, folded("scatter_", reduce));
    return written_as("scatter_", x);
  });
}
Tensor& scatter_(Operand x, std::int64_t dim, Operand index, const Scalar& value, std::string_view reduce) {
  return scatter_(x, dim, index, {repeated(x, index, value), x.at()}, reduce);
}

Tensor select_scatter(Operand x, Operand src, std::int64_t dim, std::int64_t index) {
  return replaced("select_scatter", x, src, [&](const Tensor& y) { return y.select(dim, index); });
}
Tensor slice_scatter(Operand x, Operand src, std::int64_t dim, std::optional<std::int64_t> start,
                     std::optional<std::int64_t> end, std::int64_t step) {
  return replaced("slice_scatter", x, src, [&](const Tensor& y) { return y.slice(dim, start, end, step); });
}
Tensor diagonal_scatter(Operand x, Operand src, std::int64_t offset, std::int64_t dim1, std::int64_t dim2) {
  return replaced("diagonal_scatter", x, src, [&](const Tensor& y) { return y.diagonal(offset, dim1, dim2); });
}
Tensor& fill_diagonal_(Operand x, const Scalar& value, bool wrap) {
  return core::in_name_of("fill_diagonal_", [&]() -> Tensor& {
    const Scope scope(x.at());
    const Tensor& to = x.tensor();
    const IntArrayRef sizes = to.sizes();
    if (to.dim() < 2) core::fail<ShapeError>("fill_diagonal_: at least 2 dimensions are needed: {}", sizes);
    if (to.dim() == 2) {
      const std::int64_t rows = sizes[0], columns = sizes[1];
      for (std::int64_t row = 0; row < rows && columns != 0; row += columns + 1) {
        to.narrow(0, row, std::min(columns, rows - row)).diagonal().fill_(value);
        if (!wrap) break;
      }
      return written_as("fill_diagonal_", x);
    }
    std::int64_t step = 0;
    for (std::int64_t d = 0; d < to.dim(); ++d) {
      if (to.size(d) != to.size(0)) {
        core::fail<ShapeError>("fill_diagonal_: more than 2 dimensions must have one size: {}", sizes);
      }
      step += to.stride(d);
    }
    to.as_strided({to.size(0)}, {step}, to.storage_offset()).fill_(value);
    return written_as("fill_diagonal_", x);
  });
}

Tensor isin(const Tensor& elements, const Tensor& test_elements, bool, bool invert) {
  const Array among = core::isin(elements.array(), test_elements.array());
  return Tensor(invert ? core::logical_not(among) : among);
}
Tensor isin(const Tensor& elements, const Scalar& test_element, bool, bool invert) {
  return invert ? ne(elements, test_element) : eq(elements, test_element);
}
Tensor isin(const Scalar& element, const Tensor& test_elements, bool, bool invert) {
  const Array found = core::reduce(core::Reduction::Any, core::eq(test_elements.array(), element));
  return Tensor(invert ? core::logical_not(found) : found);
}

}  // namespace gradus
