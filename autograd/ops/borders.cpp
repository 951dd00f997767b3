// Padding by what lies within, with gradients.
#include "../../core/ops/borders.h"

#include <algorithm>
#include <utility>
#include <vector>

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
    std::vector<std::int64_t> pad;
    Border border = Border::Reflect;
    std::string_view mode() const { return mode_of(border); }
    static constexpr auto fields = named("pad", &Attrs::pad, "mode", &Attrs::mode);
  };
  static Array forward(const Attrs& a, const Array& x) { return core::border_pad(x, a.pad, a.border); }
  static Tensor batch(const Attrs& a, const Examples& x) {
    const bool fits = static_cast<std::int64_t>(a.pad.size()) <= 2 * x.dim(0);
    return fits ? apply<BorderPad>(a, x[0]) : Tensor();
  }
  static Tensor back(const Attrs& a, const Shape& x, const Tensor& dy);
  static constexpr auto gradients = formulas([](Dy<> dy, ShapeOf<0> x, const Attrs& a) { return back(a, x, dy); });
};
struct BorderPadSum {
  static constexpr std::string_view name = "border_pad_sum";
  static constexpr std::string_view formula = "y[j] = sum x[i] where from(i) = j, dx[i] = dy[from(i)]";
  static constexpr Batch batch = Batch::kDims;
  struct Attrs {
    std::vector<std::int64_t> pad;
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
  return core::in_name_of(op, [&] {
    std::vector<std::int64_t> counts = pad.vec();
    const auto below_0 = [](std::int64_t count) { return count < 0; };
    if (border != Border::Circular || std::none_of(counts.begin(), counts.end(), below_0))
      return apply<BorderPad>({std::move(counts), border}, x.tensor());
    // A border goes round what is left where something is cropped, as PyTorch's does.
    std::vector<std::int64_t> cropped = counts;
    for (std::int64_t& count : cropped) count = std::min<std::int64_t>(count, 0);
    for (std::int64_t& count : counts) count = std::max<std::int64_t>(count, 0);
    const Tensor left = constant_pad_nd(x.tensor(), cropped);
    return std::all_of(counts.begin(), counts.end(), [](std::int64_t count) { return count == 0; })
               ? left
               : apply<BorderPad>({std::move(counts), border}, left);
  });
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
