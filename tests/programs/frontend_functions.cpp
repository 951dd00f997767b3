// A program in the manner of PyTorch's C++ frontend, with one changed include: operations of its own by classes derived from
// torch::autograd::Function. What it prints is the same with libtorch.
#include <gradus/torch.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::tensor_list;
using torch::autograd::Variable;
using torch::autograd::variable_list;

#include "frontend_print.h"

namespace {

// The linear layer of PyTorch's tutorial, with a bias that may be absent.
class LinearFunction : public Function<LinearFunction> {
 public:
  static torch::Tensor forward(AutogradContext* ctx, torch::Tensor input, torch::Tensor weight,
                               torch::Tensor bias = torch::Tensor()) {
    ctx->save_for_backward({input, weight, bias});
    auto output = input.mm(weight.t());
    if (bias.defined()) output += bias.unsqueeze(0).expand_as(output);
    return output;
  }
  static tensor_list backward(AutogradContext* ctx, tensor_list grad_outputs) {
    const auto saved = ctx->get_saved_variables();
    const auto input = saved[0], weight = saved[1], bias = saved[2];
    const auto grad_output = grad_outputs[0];
    auto grad_bias = torch::Tensor();
    if (bias.defined()) grad_bias = grad_output.sum(0);
    return {grad_output.mm(weight), grad_output.t().mm(input), grad_bias};
  }
};

// x -> scale x^power + shift, kept by every kind of saved data.
struct Power : Function<Power> {
  static Variable forward(AutogradContext* ctx, Variable x, double scale, int64_t power, bool shifted,
                          const std::string& name) {
    ctx->save_for_backward({x});
    ctx->saved_data["scale"] = scale;
    ctx->saved_data["power"] = power;
    ctx->saved_data["shifted"] = shifted;
    ctx->saved_data["name"] = name;
    ctx->saved_data["sizes"] = x.sizes().vec();
    ctx->saved_data["ones"] = torch::ones_like(x);
    return scale * x.pow(power) + (shifted ? 1.0 : 0.0);
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto x = ctx->get_saved_variables()[0];
    const double scale = ctx->saved_data["scale"].toDouble();
    const int64_t power = ctx->saved_data["power"].toInt();
    if (ctx->saved_data["shifted"].toBool()) {
      std::printf("backward of %s, of %d dimensions, %d values\n", ctx->saved_data["name"].toStringRef().c_str(),
                  static_cast<int>(ctx->saved_data["sizes"].toIntVector().size()),
                  static_cast<int>(ctx->saved_data.size()));
    }
    const auto ones = ctx->saved_data["ones"].toTensor();
    return {grads[0] * ones * scale * static_cast<double>(power) * x.pow(power - 1), Variable(), Variable(), Variable(),
            Variable()};
  }
};

// Polar coordinates: two outputs, either of which may go unused, both saved; and which quadrant, which has no gradient.
struct Polar : Function<Polar> {
  static variable_list forward(AutogradContext* ctx, const Variable& x, const Variable& y) {
    auto r = torch::sqrt(x * x + y * y), phi = torch::atan2(y, x);
    auto upper = (y > 0).to(torch::kFloat64);
    ctx->mark_non_differentiable({upper});
    ctx->save_for_backward({x, y, r});
    return {r, phi, upper};
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const auto x = saved[0], y = saved[1], r = saved[2];
    const auto dr = grads[0], dphi = grads[1];
    return {dr * x / r - dphi * y / (r * r), dr * y / r + dphi * x / (r * r)};
  }
};

// Which gradients came, unless they are made to be zeros.
struct Split : Function<Split> {
  static variable_list forward(AutogradContext* ctx, Variable x) {
    ctx->set_materialize_grads(false);
    return {x * 2, x * 3, x * 4};
  }
  static variable_list backward(AutogradContext*, variable_list grads) {
    std::printf("came: %d %d %d\n", grads[0].defined(), grads[1].defined(), grads[2].defined());
    Variable sum;
    for (size_t i = 0; i < 3; i++) {
      if (!grads[i].defined()) continue;
      const auto each = grads[i] * static_cast<double>(i + 2);
      sum = sum.defined() ? sum + each : each;
    }
    return {sum};
  }
};

// In place: what it is given has its history rewritten.
struct DoubleInPlace : Function<DoubleInPlace> {
  static Variable forward(AutogradContext* ctx, Variable x) {
    x.mul_(2);
    ctx->mark_dirty({x});
    ctx->save_for_backward({x});
    return x;
  }
  static variable_list backward(AutogradContext*, variable_list grads) { return {grads[0] * 2}; }
};

// An optional tensor, and whose gradient is wanted.
struct MaybeScaled : Function<MaybeScaled> {
  static Variable forward(AutogradContext* ctx, Variable x, c10::optional<torch::Tensor> scale) {
    ctx->save_for_backward({x, scale.has_value() ? *scale : Variable()});
    return scale.has_value() ? x * *scale : x.clone();
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    std::printf("wanted: %d", ctx->needs_input_grad(0));
    if (saved[1].defined()) std::printf(" %d %d", ctx->needs_input_grad(1), ctx->needs_input_grad({{0, 2}}));
    std::printf("\n");
    if (!saved[1].defined()) return {grads[0], Variable()};
    return {grads[0] * saved[1], ctx->needs_input_grad(1) ? grads[0] * saved[0] : Variable()};
  }
};

struct Wrong : Function<Wrong> {
  static Variable forward(AutogradContext*, Variable x, Variable y, int mistake) { return x * y + mistake; }
  static variable_list backward(AutogradContext*, variable_list grads) { return {grads[0]}; }
};
struct Misshapen : Function<Misshapen> {
  static Variable forward(AutogradContext*, Variable x) { return x.sum(); }
  static variable_list backward(AutogradContext*, variable_list grads) { return {grads[0].expand({7})}; }
};
struct Same : Function<Same> {
  static Variable forward(AutogradContext*, Variable x) { return x; }
  static variable_list backward(AutogradContext*, variable_list grads) { return {grads[0] * 10}; }
};

void linear() {
  const auto x = (torch::arange(6, kDouble).view({3, 2}) / 3).requires_grad_();
  const auto w = (torch::arange(8, kDouble).view({4, 2}) / 5 - 0.7).requires_grad_();
  const auto b = torch::linspace(-1, 1, 4, kDouble).requires_grad_();
  const auto y = LinearFunction::apply(x, w, b);
  y.square().sum().backward();
  print("linear", y);
  print("by x", x.grad());
  print("by w", w.grad());
  print("by b", b.grad());
  const auto z = LinearFunction::apply(x, w);
  const auto gx = torch::autograd::grad({z.pow(3).sum()}, {x}, {}, /*retain_graph=*/true, /*create_graph=*/true)[0];
  print("by w of the gradient by x", torch::autograd::grad({gx.square().sum()}, {w})[0]);
}

void saved_data() {
  const auto x = torch::tensor({0.5, -1.0, 2.0}, kDouble).requires_grad_();
  const auto y = Power::apply(x, 1.5, 3, true, "a cubic");
  print("power", y);
  y.sum().backward();
  print("its gradient", x.grad());
  const auto g = torch::autograd::grad({Power::apply(x, 1.5, 3, false, "").sum()}, {x}, {}, true, true)[0];
  const auto h = torch::autograd::grad({g.sum()}, {x}, {}, true, true)[0];
  print("second", h);
  print("third", torch::autograd::grad({h.sum()}, {x})[0]);
}

void several_outputs() {
  const auto x = torch::tensor({3.0, -1.0}, kDouble).requires_grad_();
  const auto y = torch::tensor({4.0, 0.5}, kDouble).requires_grad_();
  const auto polar = Polar::apply(x, y);
  print("r", polar[0]);
  print("phi", polar[1]);
  std::printf("require grad: %d %d %d; output %d of one node: %d\n", polar[0].requires_grad(), polar[1].requires_grad(),
              polar[2].requires_grad(), static_cast<int>(polar[1].output_nr()),
              polar[0].grad_fn() == polar[1].grad_fn());
  const auto only_phi = torch::autograd::grad({polar[1].sum()}, {x, y}, {}, true);
  print("phi by x", only_phi[0]);
  print("phi by y", only_phi[1]);
  const auto both = torch::autograd::grad({(polar[0] * polar[1]).sum()}, {x}, {}, true, true)[0];
  print("r phi by x", both);
  print("and by y", torch::autograd::grad({both.sum()}, {y})[0]);
  const auto parts = Split::apply(x);
  (parts[0] * parts[2]).sum().backward();
  print("of first and third", x.grad());
}

void in_place() {
  const auto x = torch::tensor({1.0, 2.0, 3.0, 4.0}, kDouble).requires_grad_();
  auto y = x * x;
  const auto version = y._version();
  auto z = DoubleInPlace::apply(y);
  std::printf("the same: %d, written: %d\n", z.is_same(y), y._version() > version);
  (z * x).sum().backward();
  print("2 x^3 by x", x.grad());
  auto base = x * 1;
  DoubleInPlace::apply(base.slice(0, 1, 3));
  print("through a view", base);
  print("its gradient", torch::autograd::grad({(base * base).sum()}, {x})[0]);
  refused("a leaf", [&] { DoubleInPlace::apply(x); });
  const auto same = Same::apply(x);
  std::printf("returned as it came: the same %d, a view %d\n", same.is_same(x), same.is_view());
  print("with a gradient of its own", torch::autograd::grad({same.sum()}, {x})[0]);
}

void arguments() {
  const auto x = torch::tensor({1.0, 2.0}, kDouble).requires_grad_();
  const auto s = torch::tensor({3.0, 5.0}, kDouble).requires_grad_();
  print("without", torch::autograd::grad({MaybeScaled::apply(x, c10::nullopt).sum()}, {x})[0]);
  const c10::optional<torch::Tensor> scale = s;
  const auto y = MaybeScaled::apply(x, scale);
  print("x alone", torch::autograd::grad({y.sum()}, {x}, {}, true)[0]);
  print("both", torch::autograd::grad({y.sum()}, {x, s}, {}, true)[1]);
  print("of a constant",
        torch::autograd::grad({MaybeScaled::apply(x, c10::optional<torch::Tensor>(s.detach())).sum()}, {x})[0]);
  y.sum().backward();
  refused("a second time", [&] { y.sum().backward(); });
  refused("too few gradients", [&] { Wrong::apply(x, s, 1).sum().backward(); });
  refused("a gradient of another shape", [&] { Misshapen::apply(x).backward(); });
  const auto v = x * 2, w = MaybeScaled::apply(v, scale);
  v.add_(1);
  refused("a saved value changed", [&] { w.sum().backward(); });
  torch::NoGradGuard no_grad;
  std::printf("unrecorded: %d\n", MaybeScaled::apply(x, scale).requires_grad());
}

}  // namespace

int main() {
  linear();
  saved_data();
  several_outputs();
  in_place();
  arguments();
}
