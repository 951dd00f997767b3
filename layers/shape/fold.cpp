#include "fold.h"

#include "../../autograd/graph/operation.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../../core/nn/patches.h"
#include "../module/one_sample.h"

namespace gradus {

using namespace autograd;
using core::Array;
using core::PatchWindows;
using nn::detail::of_batch;

namespace {

Tensor from_columns(const Tensor& columns, std::int64_t height, std::int64_t width, const PatchWindows& windows);

// y = im2col(x):  dx = col2im(dy)
struct Im2Col {
  static constexpr std::string_view name = "im2col";
  using Attrs = PatchWindows;
  static Array forward(const Attrs& windows, const Array& x) { return core::im2col(x, windows); }
  static constexpr auto gradients =
      formulas([](const Attrs& windows, Dy<> dy, ShapeOf<0> x) { return from_columns(dy, x[2], x[3], windows); });
  static Tensor batch(const Attrs& windows, const Examples& x) {
    return x.split(apply<Im2Col>(windows, x.merged(0)), x.shape(0)[0]);
  }
};
// y = col2im(x):  dx = im2col(dy)
struct Col2Im {
  static constexpr std::string_view name = "col2im";
  struct Attrs {
    std::int64_t height = 0, width = 0;
    PatchWindows windows;
    static constexpr auto fields = named("height", &Attrs::height, "width", &Attrs::width, &Attrs::windows);
  };
  static Array forward(const Attrs& a, const Array& columns) {
    return core::col2im(columns, a.height, a.width, a.windows);
  }
  static constexpr auto gradients = formulas([](const Attrs& a, Dy<> dy) { return apply<Im2Col>(a.windows, dy); });
  static Tensor batch(const Attrs& a, const Examples& x) {
    return x.split(apply<Col2Im>(a, x.merged(0)), x.shape(0)[0]);
  }
};
Tensor from_columns(const Tensor& columns, std::int64_t height, std::int64_t width, const PatchWindows& windows) {
  return apply<Col2Im>({height, width, windows}, columns);
}

core::Dims two(const char* op, const char* what, IntArrayRef numbers) {
  if (numbers.size() != 1 && numbers.size() != 2) {
    core::fail<ShapeError>("{}: {} must be one number or 2: {}", op, what, numbers);
  }
  return {numbers.front(), numbers.back()};
}
PatchWindows windows_of(const char* op, IntArrayRef kernel_size, IntArrayRef dilation, IntArrayRef padding,
                        IntArrayRef stride) {
  return {two(op, "kernel_size", kernel_size), two(op, "dilation", dilation), two(op, "padding", padding),
          two(op, "stride", stride)};
}

}  // namespace

Tensor im2col(Operand x, IntArrayRef kernel_size, IntArrayRef dilation, IntArrayRef padding, IntArrayRef stride) {
  core::expect_dims("im2col", "input", x.tensor(), 3, 4, "[C, H, W] or [N, C, H, W]");
  const PatchWindows windows = windows_of("im2col", kernel_size, dilation, padding, stride);
  return of_batch(x, x.tensor().dim() == 3, [&](Operand all) { return apply<Im2Col>(windows, all); });
}
Tensor col2im(Operand x, IntArrayRef output_size, IntArrayRef kernel_size, IntArrayRef dilation, IntArrayRef padding,
              IntArrayRef stride) {
  core::expect_dims("col2im", "input", x.tensor(), 2, 3, "[C K K', L] or [N, C K K', L]");
  const core::Dims size = two("col2im", "output_size", output_size);
  const PatchWindows windows = windows_of("col2im", kernel_size, dilation, padding, stride);
  return of_batch(x, x.tensor().dim() == 2, [&](Operand all) {
    return apply<Col2Im>({size[0], size[1], windows}, all);
  });
}

namespace nn {

Tensor functional::unfold(Operand x, const UnfoldFuncOptions& o) {
  return core::in_name_of("unfold", [&] { return im2col(x, o.kernel_size(), o.dilation(), o.padding(), o.stride()); });
}
Tensor functional::fold(Operand x, const FoldFuncOptions& o) {
  return core::in_name_of(
      "fold", [&] { return col2im(x, o.output_size(), o.kernel_size(), o.dilation(), o.padding(), o.stride()); });
}

UnfoldImpl::UnfoldImpl(ExpandingArray<2> kernel_size) : FunctionLayer(UnfoldOptions(kernel_size)) {}
FoldImpl::FoldImpl(ExpandingArray<2> output_size, ExpandingArray<2> kernel_size)
    : FunctionLayer(FoldOptions(output_size, kernel_size)) {}

}  // namespace nn
}  // namespace gradus
