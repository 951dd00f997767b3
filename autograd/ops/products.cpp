// addmm, and products made of matrix products and of multiplication.
#include <algorithm>

#include "../../core/array/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../../core/ops/elementwise_into.h"
#include "../../core/ops/matmul.h"
#include "../../core/ops/stored.h"
#include "../graph/grad_mode.h"
#include "../graph/operation.h"
#include "../tensor/create.h"
#include "rounded_once.h"

namespace gradus {

using namespace autograd;
using core::Array;
using core::Shape;

namespace {

void check_dims(const char* op, const char* which, const Operand& x, std::int64_t dims) {
  if (x.tensor().dim() == dims) return;
  core::fail<ShapeError>("{}: {} must have {} dimensions: {}", op, which, dims, x.tensor().sizes());
}
void check_broadcasts(const char* op, const Operand& input, const Shape& result) {
  if (core::broadcasts_to(input.tensor().body().array.shape(), result)) return;
  core::fail<ShapeError>("{}: the input must broadcast to {}: {}", op, result, input.tensor().sizes());
}
void check_inner(const char* op, const Operand& a, std::int64_t in_a, const Operand& b, std::int64_t in_b) {
  if (a.tensor().size(in_a) == b.tensor().size(in_b)) return;
  core::fail<ShapeError>("{}: inner sizes differ: {} x {}", op, a.tensor().sizes(), b.tensor().sizes());
}
void check_batches(const char* op, const Operand& a, const Operand& b) {
  check_dims(op, "the first batch", a, 3);
  check_dims(op, "the second batch", b, 3);
  if (a.tensor().size(0) != b.tensor().size(0)) {
    core::fail<ShapeError>("{}: batch sizes differ: {} x {}", op, a.tensor().sizes(), b.tensor().sizes());
  }
  check_inner(op, a, 2, b, 1);
}

// The form in place: what the other gives, which has to be of the input's shape.
Tensor& written(const char* op, Operand input, const Tensor& result) {
  if (input.tensor().sizes() != result.sizes()) {
    core::fail<ShapeError>("{}: the result must have the tensor's shape: {} for {}", op, result.sizes(),
                           input.tensor().sizes());
  }
  return core::in_name_of(op, [&]() -> Tensor& { return input.tensor().copy_(result, input.at()); });
}

std::int64_t product_of(IntArrayRef sizes) {
  std::int64_t product = 1;
  for (const std::int64_t size : sizes) product *= size;
  return product;
}

Tensor scaled(const Tensor& x, double factor) { return factor == 1 ? x : x * factor; }

// y = beta c + alpha a b
struct Addmm {
  static constexpr std::string_view name = "addmm";
  static constexpr bool broadcasts = true;
  struct Attrs {
    double beta = 1, alpha = 1;
    static constexpr auto fields = named("beta", &Attrs::beta, "alpha", &Attrs::alpha);
  };
  static Array forward(const Attrs& s, const Array& c, const Array& a, const Array& b) {
    if (a.dim() != 2 || b.dim() != 2 || a.shape()[1] != b.shape()[0]) {
      core::fail<ShapeError>("addmm: matrices with equal inner sizes: {} x {}", a.shape(), b.shape());
    }
    const Shape shape{a.shape()[0], b.shape()[1]};
    const Array y = core::empty(shape, a.dtype());
    if (core::broadcast_shapes(c.shape(), shape, "addmm") != shape) {
      core::fail<ShapeError>("addmm: the input must broadcast to {}: {}", shape, c.shape());
    }
    const bool alike = c.dtype() == a.dtype() && b.dtype() == a.dtype() && is_floating_point(a.dtype());
    if (a.shape()[1] == 1 && s.alpha == 1 && s.beta == 1 && alike) {  // one product for each element: one pass
      core::addcmul_into(y, c, a, b, 1);
      return y;
    }
    if (s.beta != 0) y.copy_(c);
    core::in_name_of(name, [&] { core::gemm(y, a, b, s.alpha, s.beta); });
    return y;
  }
  static Tensor batch(const Attrs& s, const Examples& x) {
    if (x.dim(0) > 2 || x.dim(1) != 2 || x.dim(2) != 2) return {};
    const bool alone = x.shared(1) && x.shared(2);  // then the batch is the summand's alone
    const Tensor product = matmul(alone ? x.stacked(1) : x[1], x[2]) * s.alpha;
    return s.beta == 0 ? product : add(product, x.aligned(0, 2), s.beta);
  }
  static constexpr auto gradients =
      formulas([](Dy<> dy, const Attrs& s) { return scaled(dy, s.beta); },
               [](Dy<> dy, In<2> b, const Attrs& s) { return scaled(matmul(dy, b.t()), s.alpha); },
               [](Dy<> dy, In<1> a, const Attrs& s) { return scaled(matmul(a.t(), dy), s.alpha); });
};

}  // namespace

Tensor addmm(Operand input, Operand a, Operand b, const Scalar& beta, const Scalar& alpha) {
  check_alike("addmm", a, b);
  check_alike("addmm", input, a);
  return apply<Addmm>({beta.toDouble(), alpha.toDouble()}, input, a, b);
}
Tensor& addmm_(Operand input, Operand a, Operand b, const Scalar& beta, const Scalar& alpha) {
  check_alike("addmm_", a, b);
  check_alike("addmm_", input, a);
  return apply_inplace<Addmm>({beta.toDouble(), alpha.toDouble()}, input, a, b);
}

void autograd::check_alike(const char* op, const Operand& a, const Operand& b) {
  if (stored(a, b) && a.tensor().defined() && b.tensor().defined() && a.tensor().dtype() != b.tensor().dtype()) {
    core::fail<DTypeError>("{}: dtypes differ: {} x {}; to() converts", op, a.tensor().dtype(), b.tensor().dtype());
  }
}

detail::Widened autograd::widened(const Operand* all, std::size_t count, std::string_view alike) {
  const Tensor* first = nullptr;
  for (std::size_t i = 0; i < count && !alike.empty(); ++i) {
    const Tensor& x = all[i].tensor();
    if (!x.defined()) continue;
    if (first == nullptr) first = &x;
    if (x.dtype() != first->dtype()) {
      core::fail<DTypeError>("{}: the operands must be of one dtype: {} and {}; to() converts", alike, first->dtype(),
                             x.dtype());
    }
  }
  return detail::Widened(all, static_cast<int>(count));
}

Tensor addmv(Operand input, Operand a, Operand x, const Scalar& beta, const Scalar& alpha) {
  check_dims("addmv", "the matrix", a, 2);
  check_dims("addmv", "the vector", x, 1);
  check_inner("addmv", a, 1, x, 0);
  check_broadcasts("addmv", input, {a.tensor().size(0)});
  const Scope scope(input.at());
  const Tensor& in = input.tensor();
  const Tensor column = in.dim() == 0 ? in : in.unsqueeze(1);
  return core::in_name_of("addmv", [&] {
    return detail::as_result(addmm(column, a.tensor(), x.tensor().unsqueeze(1), beta, alpha).squeeze(1));
  });
}
Tensor& addmv_(Operand input, Operand a, Operand x, const Scalar& beta, const Scalar& alpha) {
  return written("addmv_", input, addmv(input, a, x, beta, alpha));
}

Tensor addr(Operand input, Operand u, Operand v, const Scalar& beta, const Scalar& alpha) {
  check_dims("addr", "the first vector", u, 1);
  check_dims("addr", "the second vector", v, 1);
  check_broadcasts("addr", input, {u.tensor().size(0), v.tensor().size(0)});
  const Scope scope(input.at());
  return core::in_name_of("addr", [&] {
    const DType dtype = promote_types(promote_types(u.tensor().dtype(), v.tensor().dtype()), input.tensor().dtype());
    return addmm(input.tensor().to(dtype), u.tensor().to(dtype).unsqueeze(1), v.tensor().to(dtype).unsqueeze(0), beta,
                 alpha);
  });
}
Tensor& addr_(Operand input, Operand u, Operand v, const Scalar& beta, const Scalar& alpha) {
  return written("addr_", input, addr(input, u, v, beta, alpha));
}

Tensor baddbmm(Operand input, Operand a, Operand b, const Scalar& beta, const Scalar& alpha) {
  if (stored(input, a, b)) {
    return rounded_once(
        "baddbmm", [&](Operand t, Operand u, Operand v) { return baddbmm(t, u, v, beta, alpha); }, input, a, b);
  }
  check_batches("baddbmm", a, b);
  check_broadcasts("baddbmm", input, {a.tensor().size(0), a.tensor().size(1), b.tensor().size(2)});
  core::expect_whole("baddbmm", "beta", beta, input.tensor().dtype());
  core::expect_whole("baddbmm", "alpha", alpha, a.tensor().dtype());
  const Scope scope(input.at());
  return core::in_name_of("baddbmm", [&] {
    const Tensor product = bmm(a.tensor(), b.tensor());
    const Tensor scaled = alpha.toDouble() == 1 ? product : product * alpha;
    return beta.toDouble() == 0 ? scaled : add(scaled, input.tensor(), beta);
  });
}
Tensor& baddbmm_(Operand input, Operand a, Operand b, const Scalar& beta, const Scalar& alpha) {
  return written("baddbmm_", input, baddbmm(input, a, b, beta, alpha));
}

Tensor addbmm(Operand input, Operand a, Operand b, const Scalar& beta, const Scalar& alpha) {
  check_batches("addbmm", a, b);
  const std::int64_t n = a.tensor().size(1), p = b.tensor().size(2), inner = a.tensor().size(0) * a.tensor().size(2);
  check_broadcasts("addbmm", input, {n, p});
  const Scope scope(input.at());
  // The sum over the batch is the inner one of a single product.
  return core::in_name_of("addbmm", [&] {
    return addmm(input.tensor(), a.tensor().permute({1, 0, 2}).reshape({n, inner}), b.tensor().reshape({inner, p}),
                 beta, alpha);
  });
}
Tensor& addbmm_(Operand input, Operand a, Operand b, const Scalar& beta, const Scalar& alpha) {
  return written("addbmm_", input, addbmm(input, a, b, beta, alpha));
}

Tensor ger(Operand a, Operand b) {
  return core::in_name_of("ger", [&] { return outer(a, b); });
}
Tensor vdot(Operand a, Operand b) {
  return core::in_name_of("vdot", [&] { return dot(a, b); });
}

Tensor inner(Operand a, Operand b) {
  const Tensor &x = a.tensor(), &y = b.tensor();
  if (x.dim() == 0 || y.dim() == 0) {
    return core::in_name_of("inner", [&] { return mul(a, b); });
  }
  check_inner("inner", a, -1, b, -1);
  return core::in_name_of("inner", [&] { return tensordot(a, b, {-1}, {-1}); });
}

Tensor tensordot(Operand a, Operand b, IntArrayRef dims_a, IntArrayRef dims_b) {
  if (stored(a, b))
    return rounded_once(
        "tensordot", [&](Operand u, Operand v) { return tensordot(u, v, dims_a, dims_b); }, a, b);
  if (dims_a.size() != dims_b.size()) {
    core::fail<ValueError>("tensordot: both must sum over as many dimensions: {} and {}", dims_a, dims_b);
  }
  const Scope scope(a.at());
  Tensor x = a.tensor(), y = b.tensor();
  core::Dims of_x, of_y, sizes;
  for (std::size_t i = 0; i < dims_a.size(); ++i) {
    of_x.push_back(core::existing_dim(dims_a[i], x.body().array.dim(), "tensordot"));
    of_y.push_back(core::existing_dim(dims_b[i], y.body().array.dim(), "tensordot"));
    const std::int64_t m = x.size(of_x.back()), n = y.size(of_y.back());
    if (m != n && m != 1 && n != 1) {
      core::fail<ShapeError>("tensordot: sizes that are summed over must be equal or 1: {} of {} and {} of {}", m,
                             x.sizes(), n, y.sizes());
    }
    // Size 1 stands for as many equal ones.
    if (m == 1 && n != 1) y = y.sum(of_y.back(), true);
    if (n == 1 && m != 1) x = x.sum(of_x.back(), true);
    sizes.push_back(std::min(m, n) == 1 ? 1 : m);
  }
  core::wrap_dims(dims_a, x.body().array.dim(), "tensordot");  // a repeated one is an error
  core::wrap_dims(dims_b, y.body().array.dim(), "tensordot");
  const auto has = [](const core::Dims& dims, int d) { return std::find(dims.begin(), dims.end(), d) != dims.end(); };
  core::Dims order_x, order_y = of_y;
  std::vector<std::int64_t> shape;
  std::int64_t rows = 1, columns = 1;
  for (int d = 0; d < x.dim(); ++d) {
    if (has(of_x, d)) continue;
    order_x.push_back(d);
    shape.push_back(x.size(d));
    rows *= x.size(d);
  }
  for (const std::int64_t d : of_x) order_x.push_back(d);
  for (int d = 0; d < y.dim(); ++d) {
    if (has(of_y, d)) continue;
    order_y.push_back(d);
    shape.push_back(y.size(d));
    columns *= y.size(d);
  }
  return core::in_name_of("tensordot", [&] {
    const std::int64_t summed = product_of(sizes);
    const Tensor product =
        mm(x.permute(order_x).reshape({rows, summed}), y.permute(order_y).reshape({summed, columns}));
    return detail::as_result(product.reshape(shape));
  });
}

Tensor kron(Operand a, Operand b) {
  const Tensor &x = a.tensor(), &y = b.tensor();
  const std::int64_t n = std::max(x.dim(), y.dim());
  if (2 * n > core::kMaxDims) {
    core::fail<ShapeError>("kron: at most {} dimensions: {} and {}", core::kMaxDims / 2, x.sizes(), y.sizes());
  }
  core::Dims of_x, of_y, shape;
  for (std::int64_t d = 0; d < n; ++d) {
    const std::int64_t i = d - n + x.dim(), j = d - n + y.dim();
    const std::int64_t p = i < 0 ? 1 : x.size(i), q = j < 0 ? 1 : y.size(j);
    for (const std::int64_t size : {p, std::int64_t{1}}) of_x.push_back(size);
    for (const std::int64_t size : {std::int64_t{1}, q}) of_y.push_back(size);
    shape.push_back(p * q);
  }
  const Scope scope(a.at());
  return core::in_name_of("kron",
                          [&] { return detail::as_result(mul(x.reshape(of_x), y.reshape(of_y)).reshape(shape)); });
}

Tensor cross(Operand a, Operand b, std::optional<std::int64_t> dim) {
  if (stored(a, b)) return rounded_once([&](Operand u, Operand v) { return cross(u, v, dim); }, a, b);
  const Tensor &x = a.tensor(), &y = b.tensor();
  if (x.dim() != y.dim()) {
    core::fail<ShapeError>("cross: both must have as many dimensions: {} and {}", x.sizes(), y.sizes());
  }
  const int n = x.body().array.dim();
  int along = 0;
  if (dim) {
    along = core::existing_dim(*dim, n, "cross");
  } else {
    while (along < n && x.size(along) != 3) ++along;
  }
  if (along == n || x.size(along) != 3 || y.size(along) != 3) {
    core::fail<ShapeError>("cross: both must have size 3 along {}: {} and {}",
                           dim ? fmt::format("dimension {}", *dim) : "a dimension", x.sizes(), y.sizes());
  }
  const Scope scope(a.at());
  return core::in_name_of("cross", [&] {
    const std::vector<Tensor> p = x.unbind(along), q = y.unbind(along);
    const auto minor = [&](std::size_t i, std::size_t j) { return p[i] * q[j] - p[j] * q[i]; };
    return stack({minor(1, 2), minor(2, 0), minor(0, 1)}, along);
  });
}

Tensor vander(Operand x, std::optional<std::int64_t> N, bool increasing) {
  if (stored(x)) return rounded_once([&](Operand u) { return vander(u, N, increasing); }, x);
  check_dims("vander", "the operand", x, 1);
  const std::int64_t n = N.value_or(x.tensor().size(0));
  if (n < 0) core::fail<ValueError>("vander: the number of powers must not be negative: {}", n);
  const Scope scope(x.at());
  return core::in_name_of("vander", [&] {
    empty({x.tensor().size(0), n}, x.tensor().dtype());  // refused at once if there is no memory for it
    if (x.tensor().size(0) == 0) return ones({0, n}, x.tensor().dtype());
    // Twice as many columns each time: those that there are, times the power that comes next.
    Tensor power = x.tensor().unsqueeze(1), y = ones({power.size(0), std::min<std::int64_t>(n, 1)}, power.dtype());
    for (std::int64_t have = 1; have < n; have *= 2) {
      y = cat({y, y.narrow(1, 0, std::min(have, n - have)) * power}, 1);
      if (2 * have < n) power = power * power;
    }
    return increasing ? y : y.flip(1);
  });
}

Tensor& mm_out(Tensor& out, Operand a, Operand b) {
  check_dims("mm_out", "the first operand", a, 2);
  check_dims("mm_out", "the second operand", b, 2);
  const Operand all[] = {{out, a.at()}, a, b};
  if (detail::recording(all, 3)) {
    core::fail<GradError>("mm_out: writing into a given result is not recorded: use mm, or open a NoGradGuard");
  }
  check_alike("mm_out", a, b);
  check_alike("mm_out", all[0], a);
  core::in_name_of("mm_out", [&] {
    if (!stored(out)) return core::gemm(out.array(), a.tensor().array(), b.tensor().array());
    const core::Array y = core::empty(out.sizes(), compute_dtype(out.dtype()));
    core::gemm(y, core::as_computed(a.tensor().array()), core::as_computed(b.tensor().array()));
    out.array().copy_(y);
  });
  out.array().mark_written("mm_out", a.at());
  return out;
}

}  // namespace gradus
