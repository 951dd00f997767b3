// Padding by what lies within, with gradients.
#include "../../core/ops/borders.h"

#include <algorithm>

#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../graph/operation.h"

namespace gradus {

using namespace autograd;
using core::Array;
using core::Border;
using core::Shape;

namespace {

std::string_view mode_of(Border border) {
  return border == Border::Reflect ? "reflect" : border == Border::Replicate ? "replicate" : "circular";
}

// y[i] = x[j], where j is the place that i mirrors, repeats or continues
// Padding and adding up what was taken from each place are each other's gradients.
struct BorderPad {
  static constexpr std::string_view name = "border_pad";
  static constexpr std::string_view formula = "y[i] = x[from(i)], dx[j] = sum dy[i] where from(i) = j";
  static constexpr bool moves = true;
  struct Attrs {
    core::Dims pad;
    Border border = Border::Reflect;
    std::string_view mode() const { return mode_of(border); }
    static constexpr auto fields = named("pad", &Attrs::pad, "mode", &Attrs::mode);
  };
  static Array forward(const Attrs& a, const Array& x) { return core::border_pad(x, a.pad, a.border); }
  static Tensor batch(const Attrs& a, const Examples& x) { return apply<BorderPad>(a, x[0]); }
  static Tensor back(const Attrs& a, const Shape& x, const Tensor& dy);
  static constexpr auto gradients = formulas([](Dy<> dy, ShapeOf<0> x, const Attrs& a) { return back(a, x, dy); });
};
struct BorderPadSum {
  static constexpr std::string_view name = "border_pad_sum";
  static constexpr std::string_view formula = "y[j] = sum x[i] where from(i) = j, dx[i] = dy[from(i)]";
  static constexpr Batch batch = Batch::kDims;
  struct Attrs {
    core::Dims pad;
    Border border = Border::Reflect;
    Shape shape;
    std::string_view mode() const { return mode_of(border); }
    static constexpr auto fields = named("pad", &Attrs::pad, "mode", &Attrs::mode, "shape", &Attrs::shape);
  };
  static Array forward(const Attrs& a, const Array& x) { return core::border_pad_sum(a.shape, a.pad, a.border, x); }
  static constexpr auto gradients = formulas([](Dy<> dy, const Attrs& a) {
    return apply<BorderPad>({a.pad, a.border}, dy);
  });
};
Tensor BorderPad::back(const Attrs& a, const Shape& x, const Tensor& dy) {
  return apply<BorderPadSum>({a.pad, a.border, x}, dy);
}

Tensor padded(const char* op, Operand x, IntArrayRef pad, Border border) {
  core::expect_defined(op, "the operand", x.tensor());
  const Scope scope(x.at());
  const std::int64_t dims = x.tensor().dim();
  const auto pairs = static_cast<std::int64_t>(pad.size() / 2);
  if (pad.size() % 2 != 0 || pairs > dims || pairs == 0) {
    core::fail<ShapeError>("{}: there must be two counts for each of the last dimensions: {} for {}", op, pad,
                           x.tensor().sizes());
  }
  for (std::int64_t k = 0; k < pairs; ++k) {
    const std::int64_t dim = dims - 1 - k, n = x.tensor().size(dim), before = pad[static_cast<std::size_t>(2 * k)],
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
  }
  return core::in_name_of(op, [&] { return apply<BorderPad>({core::Dims(pad), border}, x.tensor()); });
}

// Of the last `dims` dimensions, before which there may be channels and a batch.
Tensor padded_all(const char* op, Operand x, IntArrayRef pad, Border border, std::int64_t dims) {
  core::expect_defined(op, "the operand", x.tensor());
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
