// Operations that are drawn by what stands in their line: the name, the function, how its arguments are drawn, in the
// words of arguments.py, and PyTorch's function where it has another name or order of arguments. A line here is all that
// an operation needs to be compared with PyTorch's, to be run beside its plain evaluation, and to meet arguments without
// sense.
#include "program_operations.h"

#include <sstream>

namespace programs {

namespace g = gradus;

namespace {

using O = Operand;
using S = const Scalar&;
using Maybe = gradus::autograd::OptionalOperand;
using Int = std::int64_t;
using Ints = IntArrayRef;
using Word = std::string_view;
using Type = std::optional<DType>;
using OneOf = std::optional<Int>;

// One of several functions of a name, by its parameters.
template <class... P>
struct Out {
  static Operation of(Tensor (*f)(P...), const char* draw, const char* torch = "") {
    return from(f).drawn(draw, torch);
  }
};
template <class... P>
struct In {
  static Operation of(Tensor& (*f)(P...), const char* draw, const char* torch = "") {
    return from(f).drawn(draw, torch);
  }
};
template <class... P>
struct Two {
  static Operation of(std::tuple<Tensor, Tensor> (*f)(P...), const char* draw, const char* torch = "") {
    return from(f).drawn(draw, torch);
  }
};
template <class F>
Operation by(F f, const char* draw, const char* torch = "") {  // a lambda or the only function of its name
  return from(+f).drawn(draw, torch);
}

Operation one(Tensor (*f)(O), const char* draw = "x") { return from(f).drawn(draw, ""); }
Operation two(Tensor (*f)(O, O), const char* draw = "x b") { return from(f).drawn(draw, ""); }

// Indices of every kind: integers, slices, None, and `t` for the next of the tensors.
std::vector<g::TensorIndex> indices(Word kinds, Ints numbers, const std::vector<Tensor>& tensors) {
  const auto number = [&](std::size_t i) { return i < numbers.size() ? numbers[i] : 0; };
  std::vector<g::TensorIndex> all;
  std::size_t next = 0;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    if (kinds[i] == 't') {
      all.emplace_back(next < tensors.size() ? tensors[next++] : Tensor());
    } else {
      all.push_back(index_of(kinds[i], number(3 * i), number(3 * i + 1), number(3 * i + 2)));
    }
  }
  return all;
}

// How arguments of the operations of program_operations.cpp are drawn, of those of which that can be said in a line.
// clang-format off
constexpr std::pair<const char*, const char*> kDraws[] = {
    {"x", "neg abs sign square relu floor ceil round trunc reciprocal exp2 expm1 sin cos tan atan sinh cosh tanh sigmoid erf silu clone"},
    {"p", "sqrt rsqrt log log1p log2 log10"},
    {"u", "asin acos"},
    {"a", "isnan isinf isfinite logical_not"},
    {"x none|tanh", "gelu"},
    {"x 1|2.0 20", "softplus"},
    {"x 0.1", "leaky_relu"},
    {"x 1|0.5", "elu"},
    {"x b 1|2|-0.5", "add sub"},
    {"x n 1|2", "add_number sub_number"},
    {"x n", "rsub_number mul_number clamp_min clamp_max"},
    {"x b", "mul maximum minimum atan2"},
    {"x bp", "div"},
    {"x 2|-1.5", "div_number"},
    {"n p", "number_div"},
    {"p b", "pow"},
    {"x 2|3|1|0", "pow_number"},
    {"2|1.5 x", "number_pow"},
    {"a bn", "fmod remainder"},
    {"a ab", "eq ne lt le gt ge"},
    {"a n", "eq_number ne_number lt_number le_number gt_number ge_number"},
    {"x m n", "masked_fill"},
    {"x -0.7|none 0.6|0.9", "clamp"},
    {"x ds k none", "sum mean"},
    {"x ds k k", "var std"},
    {"q", "max min"},
    {"q ds k", "amax amin"},
    {"q d k", "max_along min_along sort argsort"},
    {"xf 2|1|3", "norm"},
    {"xf 2|1|3 ds1 k", "norm_along"},
    {"xn ds1 k", "logsumexp"},
    {"x d none", "softmax log_softmax cumsum cumprod"},
    {"x none", "prod"},
    {"x d k none", "prod_along"},
    {"q 1 d k true", "topk"},
    {"x1 e", "dot"},
    {"x1 x1", "outer"},
    {"maybe x [-1]|[1,-1]", "reshape"},
    {"maybe x 0 -1", "flatten"},
    {"view x d d", "transpose movedim"},
    {"view x2", "t"},
    {"view x", "squeeze"},
    {"view x d", "squeeze_dim"},
    {"view x 0|-1", "unsqueeze"},
    {"view xf d at", "select"},
    {"view xn d none|0|1 none|-1|2 1|2", "slice"},
    {"view xn d 0 th", "narrow"},
    {"view x2 0|1|-1 0 1", "diagonal"},
    {"view x =wider", "expand"},
    {"view xn 1|2 d", "split"},
    {"view xf 2 d", "chunk"},
    {"view xf d", "unbind"},
    {"maybe x", "contiguous"},
    {"maybe x float32|float64|int64", "to"},
    {"x ds", "flip"},
    {"x =repeats_of", "repeat"},
    {"xs d", "cat"},
    {"xs 0|-1", "stack"},
    {"xf =index", "index_select"},
    {"x2 0|1|-1", "tril triu"},
    {"xf [1,0]|[0,1]|[-1,1] n", "constant_pad_nd"},
    {"x e mean|sum|none", "mse_loss"},
    {"w b 1|2", "add_ sub_"},
    {"w n 1|2", "add_number_ sub_number_"},
    {"w b", "mul_ copy_"},
    {"w bp", "div_"},
    {"w n", "mul_number_ fill_"},
    {"w 2|-1.5", "div_number_"},
    {"w", "neg_ abs_ relu_ tanh_ sigmoid_ zero_"},
    {"w -0.7|none 0.6|0.9", "clamp_"},
};
// clang-format on

}  // namespace

void draw_others(std::map<std::string, Operation, std::less<>>& operations) {
  for (const auto& [draw, names] : kDraws) {
    std::istringstream in(names);
    for (std::string name; in >> name;) operations.at(name).draw = draw;
  }
}

std::map<std::string, Operation, std::less<>> drawn_operations() {
  // clang-format off
  return {
      // Pointwise
      {"acosh", by([](O x) { return g::acosh(g::add(x, 1.5)); }, "p", "lambda x: torch.acosh(x + 1.5)")},
      {"asinh", one(&g::asinh)},
      {"atanh", one(&g::atanh, "u")},
      {"celu", from(&g::celu).drawn("x 1|0.5|2", "F.celu")},
      {"deg2rad", one(&g::deg2rad)},
      {"digamma", one(&g::digamma, "p")},
      {"special_entr", one(&g::special_entr, "p")},
      {"elu_with_scales", from(&g::elu).drawn("x 1|0.5 1|2|0.25 1|3|-0.5", "torch.ops.aten.elu")},
      {"erfc", one(&g::erfc)},
      {"erfinv", one(&g::erfinv, "u")},
      {"frac", one(&g::frac)},
      {"hardshrink", from(&g::hardshrink).drawn("x 0.5|0|1", "F.hardshrink")},
      {"hardsigmoid", from(&g::hardsigmoid).drawn("x", "lambda x: F.relu6(x + 3) / 6")},
      {"hardswish", from(&g::hardswish).drawn("x", "F.hardswish")},
      {"hardtanh", from(&g::hardtanh).drawn("x -1|-0.5 1|0.75", "F.hardtanh")},
      {"i0", one(&g::i0)},
      {"lgamma", one(&g::lgamma, "p")},
      {"log_sigmoid", from(&g::log_sigmoid).drawn("x", "F.logsigmoid")},
      {"logit", from(&g::logit).drawn("u none|0.1", "lambda x, e: torch.logit(x, e)")},
      {"mish", from(&g::mish).drawn("x", "F.mish")},
      {"nan_to_num", from(&g::nan_to_num).drawn("x none|0.5 none|3.0 none|-2.0", "")},
      {"polygamma", from(&g::polygamma).drawn("0|1|2 p", "lambda n, x: torch.special.zeta(2, x) if n == 1 else torch.polygamma(n, x)")},
      {"prelu", from(&g::prelu).drawn("x =single", "lambda x, w: F.prelu(x, w.reshape(1))")},
      {"rad2deg", one(&g::rad2deg)},
      {"relu6", from(&g::relu6).drawn("x", "F.relu6")},
      {"selu", from(&g::selu).drawn("x", "F.selu")},
      {"sinc", one(&g::sinc)},
      {"softshrink", from(&g::softshrink).drawn("x 0.5|0|1", "F.softshrink")},
      {"special_i1", one(&g::special_i1)},
      {"special_ndtr", one(&g::special_ndtr)},
      {"threshold", from(&g::threshold).drawn("x 0.25|-0.5 n", "F.threshold")},
      {"isposinf", one(&g::isposinf, "a")},
      {"isneginf", one(&g::isneginf, "a")},
      {"addcmul", from(&g::addcmul).drawn("x b b n", "lambda x, a, b, v: torch.addcmul(x, a, b, value=v)")},
      {"addcdiv", from(&g::addcdiv).drawn("x b bp n", "lambda x, a, b, v: torch.addcdiv(x, a, b, value=v)")},
      {"copysign", Out<O, O>::of(&g::copysign, "x b")},
      {"copysign_number", Out<O, S>::of(&g::copysign, "x n", "torch.copysign")},
      {"floor_divide", Out<O, O>::of(&g::floor_divide, "a bn")},
      {"floor_divide_number", Out<O, S>::of(&g::floor_divide, "a 2|-1.5|3", "torch.floor_divide")},
      {"div_rounded", by([](O a, O b, const std::optional<Word>& mode) { return g::div(a, b, mode); }, "a bn none|trunc|floor",
                         "lambda a, b, m: torch.div(a, b, rounding_mode=m)")},
      {"fmax", two(&g::fmax)},
      {"fmin", two(&g::fmin)},
      {"fmod_number", Out<O, S>::of(&g::fmod, "a 2|-1.5|3", "torch.fmod")},
      {"remainder_number", Out<O, S>::of(&g::remainder, "a 2|-1.5|3", "torch.remainder")},
      {"number_remainder", Out<S, O>::of(&g::remainder, "2|-1.5|3 an", "torch.remainder")},
      {"hypot", two(&g::hypot)},
      {"lerp", Out<O, O, O>::of(&g::lerp, "x b b")},
      {"lerp_number", Out<O, O, S>::of(&g::lerp, "x b n", "torch.lerp")},
      {"logaddexp", two(&g::logaddexp)},
      {"logaddexp2", two(&g::logaddexp2)},
      {"xlogy", Out<O, O>::of(&g::xlogy, "x bp")},
      {"number_xlogy", Out<S, O>::of(&g::xlogy, "n p", "torch.xlogy")},
      {"special_xlog1py", Out<O, O>::of(&g::special_xlog1py, "x bp")},
      {"isclose", from(&g::isclose).drawn("a ab 0.5|1e-05 0.25|1e-08 k", "")},
      {"clamp_by", by([](O x, const Maybe& low, const Maybe& high) { return g::clamp(x, low, high); }, "x b? b", "torch.clamp")},
      {"clamp_max_by", Out<O, O>::of(&g::clamp_max, "x b", "torch.clamp_max")},
      {"clamp_min_by", Out<O, O>::of(&g::clamp_min, "x b", "torch.clamp_min")},

      // Bits
      {"bitwise_and", Out<O, O>::of(&g::bitwise_and, "z zb")},
      {"bitwise_or", Out<O, O>::of(&g::bitwise_or, "z zb")},
      {"bitwise_xor", Out<O, O>::of(&g::bitwise_xor, "z zb")},
      {"bitwise_not", one(&g::bitwise_not, "z")},
      {"bitwise_and_number", Out<O, S>::of(&g::bitwise_and, "z 1|6|-2|true", "torch.bitwise_and")},
      {"bitwise_or_number", Out<O, S>::of(&g::bitwise_or, "z 1|6|-2|true", "torch.bitwise_or")},
      {"bitwise_left_shift_number", Out<O, S>::of(&g::bitwise_left_shift, "z 1|3|0", "torch.bitwise_left_shift")},
      {"bitwise_right_shift_number", Out<O, S>::of(&g::bitwise_right_shift, "z 1|3|0", "torch.bitwise_right_shift")},

      // Reductions and statistics
      {"nansum", from(&g::nansum).drawn("x ds k none", "lambda x, d, k, t: torch.nansum(x, d or None, k)")},
      {"nanmean", from(&g::nanmean).drawn("x ds k none", "lambda x, d, k, t: torch.nanmean(x, d or None, k)")},
      {"count_nonzero", from(&g::count_nonzero).drawn("a ds", "lambda x, d: torch.count_nonzero(x, d or None)")},
      {"std_mean", by([](O x, Ints dim, bool unbiased, bool keepdim) { return g::std_mean(x, dim, unbiased, keepdim); }, "x ds k k", "lambda x, d, u, k: torch.std_mean(x, d or None, unbiased=u, keepdim=k)")},
      {"var_mean", by([](O x, Ints dim, bool unbiased, bool keepdim) { return g::var_mean(x, dim, unbiased, keepdim); }, "x ds k k", "lambda x, d, u, k: torch.var_mean(x, d or None, unbiased=u, keepdim=k)")},
      {"aminmax", from(&g::aminmax).drawn("x none k", "lambda x, d, k: torch.aminmax(x, dim=d, keepdim=k)")},
      {"aminmax_along", from(&g::aminmax).drawn("x d k", "lambda x, d, k: torch.aminmax(x, dim=d, keepdim=k)")},
      {"median", Out<O>::of(&g::median, "q")},
      {"median_along", Two<O, Int, bool>::of(&g::median, "q d k", "torch.median")},
      {"nanmedian", Out<O>::of(&g::nanmedian, "q")},
      {"nanmedian_along", Two<O, Int, bool>::of(&g::nanmedian, "q d k", "torch.nanmedian")},
      {"mode", from(&g::mode).drawn("q d k", "")},
      {"kthvalue", from(&g::kthvalue).drawn("q th d k", "")},
      {"quantile", Out<O, O, OneOf, bool, Word>::of(&g::quantile, "q =prob none k linear|nearest|lower|higher|midpoint", "lambda x, q, d, k, i: torch.quantile(x, q, d, k, interpolation=i)")},
      {"quantile_along", Out<O, double, OneOf, bool, Word>::of(&g::quantile, "q 0.25|0.5|0.9|0.0|1.0 d k linear|nearest|lower|higher|midpoint", "lambda x, q, d, k, i: torch.quantile(x, q, d, k, interpolation=i)")},
      {"nanquantile", Out<O, double, OneOf, bool, Word>::of(&g::nanquantile, "q 0.25|0.5|0.9 d k linear|lower", "lambda x, q, d, k, i: torch.nanquantile(x, q, d, k, interpolation=i)")},
      {"cummax", from(&g::cummax).drawn("q d", "")},
      {"cummin", from(&g::cummin).drawn("q d", "")},
      {"logcumsumexp", from(&g::logcumsumexp).drawn("x d", "")},
      {"msort", one(&g::msort, "q")},
      {"diff", by([](O x, Int n, Int dim) { return g::diff(x, n, dim); }, "x 1|2|0|1 d", "")},
      {"dist", from(&g::dist).drawn("x b 2|1|3", "")},
      {"renorm", from(&g::renorm).drawn("x 2|1 d 1|0.5", "")},
      {"trapezoid", Out<O, S, Int>::of(&g::trapezoid, "xf 1|0.5 d", "lambda x, s, d: torch.trapezoid(x, dx=s, dim=d)")},
      {"bincount", from(&g::bincount).drawn("zc =weights 0|5|2", "lambda x, w, n: torch.bincount(x, w, n)")},
      {"histc", from(&g::histc).drawn("x 3|5 -1|-2 1|2", "lambda x, b, l, h: torch.histc(x.detach(), b, l, h)")},
      {"unique", by([](O x, bool sorted, bool inverse, bool counts) { return g::_unique2(x, sorted, inverse, counts); }, "a true true true", "lambda x, s, i, c: torch._unique2(x.detach(), s, i, c)")},
      {"unique_consecutive", by([](O x, bool inverse, bool counts) { return g::unique_consecutive(x, inverse, counts); }, "a true true", "lambda x, i, c: torch.unique_consecutive(x.detach(), i, c)")},
      {"unique_dim", by([](O x, Int dim) { return g::unique_dim(x, dim, true, true, true); }, "a d", "lambda x, d: torch.unique(x.detach(), sorted=True, return_inverse=True, return_counts=True, dim=d)")},
      {"searchsorted", by([](O s, O x, bool right) { return g::searchsorted(s, x, false, right); }, "s xp k", "lambda s, x, r: torch.searchsorted(s.detach().contiguous(), x.detach().contiguous(), right=r)")},
      {"bucketize", Out<O, O, bool, bool>::of(&g::bucketize, "a s k k", "lambda x, b, i, r: torch.bucketize(x.detach(), b.detach().contiguous(), out_int32=i, right=r)")},
      {"isin", by([](const Tensor& x, const Tensor& test, bool invert) { return g::isin(x, test, false, invert); }, "z z k", "lambda x, t, i: torch.isin(x, t, invert=i)")},

      // Products and distances
      {"inner", two(&g::inner, "x e")},
      {"vdot", two(&g::vdot, "x1 e")},
      {"kron", two(&g::kron, "x x")},
      {"addmv", from(&g::addmv).drawn("=mv", "lambda c, a, x, b, s: torch.addmv(c, a, x, beta=b, alpha=s)")},
      {"addr", from(&g::addr).drawn("=outer", "lambda c, a, x, b, s: torch.addr(c, a, x, beta=b, alpha=s)")},
      {"addbmm", from(&g::addbmm).drawn("=addbmm", "lambda c, a, x, b, s: torch.addbmm(c, a, x, beta=b, alpha=s)")},
      {"baddbmm", from(&g::baddbmm).drawn("=bmm", "lambda c, a, x, b, s: torch.baddbmm(c, a, x, beta=b, alpha=s)")},
      {"tensordot", by([](O a, O b, Ints da, Ints db) { return g::tensordot(a, b, da, db); }, "=tensordot", "lambda a, b, d, e: torch.tensordot(a, b, (d, e))")},
      {"einsum", from(&g::einsum).drawn("maybe =einsum", "lambda e, t: torch.einsum(e, *t)")},
      {"cross", by([](O a, O b, Int dim) { return g::linalg_cross(a, b, dim); }, "=cross", "lambda a, b, d: torch.linalg.cross(a, b, dim=d)")},
      {"trace", one(&g::trace, "x2")},
      {"cdist", by([](O a, O b, double p) { return g::cdist(a, b, p); }, "=cdist 2.0|1.0|3.0", "")},
      {"pdist", from(&g::pdist).drawn("q2 2.0|1.0", "torch.pdist")},
      {"cosine_similarity", from(&g::cosine_similarity).drawn("x e d 1e-08", "F.cosine_similarity")},
      {"pairwise_distance", from(&g::pairwise_distance).drawn("xn e 2.0|1.0 1e-06 k", "F.pairwise_distance")},

      // Shapes
      {"swapaxes", from(&g::swapaxes).drawn("view x d d", "")},
      {"unflatten", by([](O x, Int dim) { return g::unflatten(x, dim, {1, -1}); }, "view x d", "lambda x, d: x.unflatten(d, (1, -1))")},
      {"unfold", from(&g::unfold).drawn("maybe x d th 1|2", "lambda x, d, n, s: x.unfold(d, n, s)")},
      {"tensor_split", from(static_cast<std::vector<Tensor> (*)(O, Int, Int)>(&g::tensor_split)).drawn("view x 2|3 d", "")},
      {"adjoint", one(&g::adjoint, "view x2")},
      {"broadcast_to", by([](O x, Int n) { std::vector<Int> shape = x.tensor().sizes().vec(); shape.insert(shape.begin(), n); return g::broadcast_to(x, shape); }, "view x 1|2|3", "lambda x, n: torch.broadcast_to(x, (n, *x.shape))")},
      {"moveaxis", Out<O, Int, Int>::of(&g::moveaxis, "view x d d", "")},
      {"atleast_2d", Out<O>::of(&g::atleast_2d, "view x")},
      {"atleast_3d", Out<O>::of(&g::atleast_3d, "view x")},
      {"diag", from(&g::diag).drawn("x12 0|1|-1", "lambda x, k: torch.diag(x, k).clone()")},
      {"diagflat", from(&g::diagflat).drawn("x 0|1|-1", "")},
      {"diag_embed", from(&g::diag_embed).drawn("x 0|1|-1 -2|0 -1", "")},
      {"fliplr", one(&g::fliplr, "x2")},
      {"flipud", one(&g::flipud, "xn")},
      {"rot90", by([](O x, Int k) { return g::rot90(x, k); }, "x2 1|2|3|-1|0", "lambda x, k: torch.rot90(x, k, (0, 1))")},
      {"roll", from(&g::roll).drawn("x =roll", "lambda x, s, d: torch.roll(x, s, d) if d else torch.roll(x, s)")},
      {"tile", from(&g::tile).drawn("x [2]|[1,2]|[2,1]|[]", "")},
      {"repeat_interleave", Out<O, Int, OneOf, OneOf>::of(&g::repeat_interleave, "xn 2|1|0|3 d none", "lambda x, n, d, o: torch.repeat_interleave(x, n, d)")},
      {"repeat_interleave_by", Out<O, O, OneOf, OneOf>::of(&g::repeat_interleave, "xn =repeats none", "lambda x, n, d, o: torch.repeat_interleave(x, n, d)")},
      {"hstack", from(&g::hstack).drawn("xs", "")},
      {"vstack", from(&g::vstack).drawn("xs", "")},
      {"dstack", from(&g::dstack).drawn("xs", "")},
      {"vander", from(&g::vander).drawn("x1 none|2|4|0 k", "lambda x, n, i: torch.vander(x, n, i)")},
      {"combinations", from(&g::combinations).drawn("x1 1|2|3 k", "")},
      {"cartesian_prod", from(&g::cartesian_prod).drawn("maybe x1s", "lambda t: torch.cartesian_prod(*t) if len(t) > 1 else t[0].view(-1)")},
      {"meshgrid", from(&g::meshgrid).drawn("view x1s ij|xy", "lambda t, i: torch.meshgrid(*t, indexing=i)")},
      {"pad", by([](O x, Ints pad, Word mode) { return g::pad(x, pad, mode); }, "=pad", "F.pad")},
      {"channel_shuffle", from(&g::channel_shuffle).drawn("=shuffle 2", "")},
      {"pixel_shuffle", from(&g::pixel_shuffle).drawn("=shuffle 2", "lambda x, r: F.pixel_shuffle(x, r)")},
      {"glu", from(&g::glu).drawn("=glu", "F.glu")},

      // Picking and scattering
      {"index_tensors", by([](const Tensor& x, Word kinds, Ints numbers, const std::vector<Tensor>& t) { return x.index(indices(kinds, numbers, t)); }, "maybe xn I", "lambda x, k, n, t: x[indices(k, n, t)]")},
      {"index_put", by([](O x, Word kinds, Ints numbers, const std::vector<Tensor>& t, O v, bool accumulate) { return g::index_put(x, indices(kinds, numbers, t), v, accumulate); }, "xn IV", "lambda x, k, n, t, v, a: index_put_(x.clone(), indices(k, n, t), v, a)")},
      {"masked_select", two(&g::masked_select, "x m")},
      {"masked_scatter", from(&g::masked_scatter).drawn("x m e", "")},
      {"nonzero", by([](const Tensor& x) { return g::nonzero(x); }, "a", "")},
      {"one_hot", from(&g::one_hot).drawn("zs 5|8", "F.one_hot")},
      {"take", two(&g::take, "xf =places")},
      {"put", from(&g::put).drawn("xf =put", "lambda x, i, v, a: x.clone().put_(i, v, a)")},
      {"take_along_dim", from(&g::take_along_dim).drawn("xn =along", "")},
      {"scatter", Out<O, Int, O, O>::of(&g::scatter, "xf =scatter", "")},
      {"scatter_number", Out<O, Int, O, S>::of(&g::scatter, "xf =scatter_number", "torch.scatter")},
      {"scatter_add_to", Out<O, Int, O, O>::of(&g::scatter_add, "xf =scatter", "torch.scatter_add")},
      {"scatter_reduce", from(&g::scatter_reduce).drawn("xf =scatter sum|mean|prod|amax|amin k", "lambda x, d, i, s, r, k: torch.scatter_reduce(x, d, i, s, r, include_self=k)")},
      {"index_add", from(&g::index_add).drawn("xf =index_add 1|2|-0.5", "lambda x, d, i, s, a: torch.index_add(x, d, i, s, alpha=a)")},
      {"index_copy", from(&g::index_copy).drawn("xf =index_copy", "")},
      {"index_fill", Out<O, Int, O, S>::of(&g::index_fill, "xf =index n", "")},
      {"select_scatter", from(&g::select_scatter).drawn("xf =select_scatter", "")},
      {"diagonal_scatter", by([](O x, O s) { return g::diagonal_scatter(x, s); }, "x2 =diagonal", "")},

      // Linear algebra, of matrices that are far from singular
      {"linalg_det", one(&g::linalg_det, "A")},
      {"linalg_inv", one(&g::linalg_inv, "A")},
      {"linalg_slogdet", from(&g::linalg_slogdet).drawn("A", "lambda a: (torch.linalg.slogdet(a)[0].detach(), torch.linalg.slogdet(a)[1])")},
      {"linalg_solve", from(&g::linalg_solve).drawn("A AB true", "lambda a, b, l: torch.linalg.solve(a, b, left=l)")},
      {"linalg_cholesky", from(&g::linalg_cholesky).drawn("AS k", "lambda a, u: torch.linalg.cholesky(a, upper=u)")},
      {"cholesky_solve", by([](O L, O B) { return g::cholesky_solve(B, L); }, "AL AB", "lambda l, b: torch.cholesky_solve(b, l.tril())")},
      {"linalg_solve_triangular", from(&g::linalg_solve_triangular).drawn("A AB k true k", "lambda a, b, u, l, t: torch.linalg.solve_triangular(a, b, upper=u, left=l, unitriangular=t)")},
      {"linalg_eigvalsh", from(&g::linalg_eigvalsh).drawn("AS L|U", "")},
      {"linalg_svdvals", by([](O A) { return g::linalg_svdvals(A); }, "A", "")},
      {"linalg_qr", from(&g::linalg_qr).drawn("A reduced", "")},
      {"matrix_exp", one(&g::matrix_exp, "A")},
      {"matrix_power", from(&g::matrix_power).drawn("A 1|2|3|-1|-2", "")},
      {"linalg_pinv", Out<O>::of(&g::linalg_pinv, "A")},
      {"linalg_multi_dot", from(&g::linalg_multi_dot).drawn("=multi_dot", "")},
      {"linalg_matrix_norm", Out<O, Word, Ints, bool, Type>::of(&g::linalg_matrix_norm, "x2 fro [-2,-1] k none", "lambda x, o, d, k, t: torch.linalg.matrix_norm(x, o, d, k)")},
      {"linalg_vector_norm", by([](O x, S p, Ints dim, bool keepdim) { return g::linalg_vector_norm(x, p, dim.vec(), keepdim); }, "xf 2|1|3 ds1 k", "lambda x, p, d, k: torch.linalg.vector_norm(x, p, d, k)")},
      {"linalg_vecdot", from(&g::linalg_vecdot).drawn("x e d", "lambda x, y, d: torch.linalg.vecdot(x, y, dim=d)")},

      // In place
      {"atan2_", In<O, O>::of(&g::atan2_, "w b")},
      {"ceil_", In<O>::of(&g::ceil_, "w")},
      {"cos_", In<O>::of(&g::cos_, "w")},
      {"erf_", In<O>::of(&g::erf_, "w")},
      {"exp2_", In<O>::of(&g::exp2_, "w")},
      {"frac_", In<O>::of(&g::frac_, "w")},
      {"sinc_", In<O>::of(&g::sinc_, "w")},
      {"square_", In<O>::of(&g::square_, "w")},
      {"sin_", In<O>::of(&g::sin_, "w")},
      {"atan_", In<O>::of(&g::atan_, "w")},
      {"hypot_", In<O, O>::of(&g::hypot_, "w b")},
      {"pow_number_", In<O, S>::of(&g::pow_, "w 2|3|1|0", "lambda x, n: x.pow_(n)")},
      {"lerp_", In<O, O, S>::of(&g::lerp_, "w b n")},
      {"lerp_by_", In<O, O, O>::of(&g::lerp_, "w b b", "lambda x, a, b: x.lerp_(a, b)")},
      {"addcmul_", In<O, O, O, S>::of(&g::addcmul_, "w b b n", "lambda x, a, b, v: x.addcmul_(a, b, value=v)")},
      {"addcdiv_", In<O, O, O, S>::of(&g::addcdiv_, "w b bp n", "lambda x, a, b, v: x.addcdiv_(a, b, value=v)")},
      {"cumsum_", by([](const Tensor& x, Int d) { x.cumsum_(d); }, "w d", "")},
      {"cumprod_", by([](const Tensor& x, Int d) { x.cumprod_(d); }, "w d", "")},
      {"tril_", In<O, Int>::of(&g::tril_, "w2 0|1|-1")},
      {"triu_", In<O, Int>::of(&g::triu_, "w2 0|1|-1")},
      {"masked_fill_", by([](const Tensor& x, const Tensor& m, S v) { x.masked_fill_(m, v); }, "w m n", "")},
      {"masked_scatter_", In<O, O, O>::of(&g::masked_scatter_, "w m e")},
      {"index_put_", by([](const Tensor& x, Word kinds, Ints numbers, const std::vector<Tensor>& t, const Tensor& v, bool accumulate) { x.index_put_(indices(kinds, numbers, t), v, accumulate); }, "wn IV", "lambda x, k, n, t, v, a: index_put_(x, indices(k, n, t), v, a)")},
      {"index_put_number_", by([](const Tensor& x, Word kinds, Ints numbers, const std::vector<Tensor>& t, S v) { x.index_put_(indices(kinds, numbers, t), v); }, "wn I n", "lambda x, k, n, t, v: index_put_(x, indices(k, n, t), v, False)")},
      {"put_", In<O, O, O, bool>::of(&g::put_, "wf =put")},
      {"scatter_", In<O, Int, O, O>::of(&g::scatter_, "wf =scatter")},
      {"scatter_add_", In<O, Int, O, O>::of(&g::scatter_add_, "wf =scatter")},
      {"scatter_reduce_", In<O, Int, O, O, Word, bool>::of(&g::scatter_reduce_, "wf =scatter sum|mean|prod|amax|amin k", "lambda x, d, i, s, r, k: x.scatter_reduce_(d, i, s, r, include_self=k)")},
      {"index_add_", In<O, Int, O, O, S>::of(&g::index_add_, "wf =index_add 1|2|-0.5", "lambda x, d, i, s, a: x.index_add_(d, i, s, alpha=a)")},
      {"index_copy_", In<O, Int, O, O>::of(&g::index_copy_, "wf =index_copy")},
      {"index_fill_", In<O, Int, O, S>::of(&g::index_fill_, "wf =index n")},
      {"fill_diagonal_", In<O, S, bool>::of(&g::fill_diagonal_, "w2 n k")},
      {"clamp_by_", by([](const Tensor& x, const Tensor& low, const Tensor& high) { g::clamp_(x, Maybe(low), Maybe(high)); }, "w b b", "lambda x, l, h: x.clamp_(l, h)")},
      {"addmm_", In<O, O, O, S, S>::of(&g::addmm_, "=addmm_", "lambda c, a, x, b, s: c.addmm_(a, x, beta=b, alpha=s)")},
      {"relu_threshold_", In<O, S, S>::of(&g::threshold_, "w 0.25|-0.5 n", "lambda x, t, v: F.threshold_(x, t, v)")},
      {"eq_", In<O, O>::of(&g::eq_, "w b")},
      {"lt_number_", In<O, S>::of(&g::lt_, "w n", "lambda x, n: x.lt_(n)")},
      {"logical_and_", In<O, O>::of(&g::logical_and_, "w b")},
      {"remainder_number_", In<O, S>::of(&g::remainder_, "w 2|-1.5", "lambda x, n: x.remainder_(n)")},
      {"floor_divide_number_", In<O, S>::of(&g::floor_divide_, "w 2|-1.5", "lambda x, n: x.floor_divide_(n)")},
  };
  // clang-format on
}

}  // namespace programs
