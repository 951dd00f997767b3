#!/usr/bin/python3
"""ops.safetensors: values and gradients of operations, and the tables of dtype promotion, by PyTorch.
See reference.py for how to run it.

A case has its inputs a, b, c (those that require grad in PyTorch, in the order of the call), y, dy (the gradient from
above) and da, db, dc. The call is the text beside the case's name below; `i` is an int64 index, `m` a bool mask.
Case names end in _f32 or _f64; what differs from another case only in where numbers lie has _f64 alone.
Cases named *_special have values only: infinities, NaNs, signed zeros, large, small.
"""
import math
import warnings

import torch

from reference import FLOATS, File, Inputs, finish

inputs, file = Inputs(20240603), File()
inf, nan = math.inf, math.nan
# Products whose float32 kernel is that of another case.
LAYOUTS = ["matmul_1d_2d", "matmul_1d_3d", "matmul_2d_3d", "matmul_3d_1d", "addmm_column", "addmm_scalar"]


def case(name, call, *operands, fixed=None, hidden=None, gradient=True, dtypes=("f32", "f64")):
    """`call` is evaluated with a, b, c bound to the operands (leaves), and the names in `fixed` to plain tensors."""
    dy = None
    if name.endswith(("_keep", "_ties", "_zero", "_last", "_scaled")) or name in LAYOUTS:
        dtypes = ["f64"]
    for suffix in dtypes:
        dtype = FLOATS[suffix]
        leaves = [torch.tensor(o, dtype=dtype, requires_grad=gradient) for o in operands]
        names = dict(zip("abc", leaves), torch=torch, inf=inf, **(fixed or {}), **(hidden or {}))
        y = eval(call, names)
        for letter, x in zip("abc", leaves):
            file.add(f"{name}_{suffix}/{letter}", x.detach())
        for letter, x in (fixed or {}).items():
            file.add(f"{name}_{suffix}/{letter}", x)
        outputs = y if isinstance(y, tuple) else (y,)
        file.add(f"{name}_{suffix}/y", outputs[0])
        if len(outputs) > 1:
            file.add(f"{name}_{suffix}/index", outputs[1])
        if gradient:
            if dy is None:
                dy = inputs.uniform(list(outputs[0].shape))
            g = torch.tensor(dy, dtype=dtype)
            outputs[0].backward(g)
            file.add(f"{name}_{suffix}/dy", g)
            for letter, x in zip("abc", leaves):
                file.add(f"{name}_{suffix}/d{letter}", x.grad)


def unary():
    any_sign, positive = inputs.away([2, 5]), inputs.uniform([2, 5], 0.2, 3.0)
    special = [0.0, -0.0, inf, -inf, nan, 1.0, -1.0, 1e-20, -1e-20, 50.0, -50.0, 1e4, -1e4]
    for name, x in (("exp", any_sign), ("log", positive), ("log1p", positive), ("expm1", any_sign), ("sqrt", positive),
                    ("rsqrt", positive), ("abs", any_sign), ("neg", any_sign), ("sign", any_sign), ("sin", any_sign),
                    ("cos", any_sign), ("tanh", any_sign), ("sigmoid", any_sign), ("relu", any_sign),
                    ("reciprocal", any_sign), ("square", any_sign)):
        case(name, f"torch.{name}(a)", x)
        case(f"{name}_special", f"torch.{name}(a)", special, gradient=False)
    case("abs_zero", "a.abs()", [0.0, -0.0, 3.0])
    case("sqrt_zero", "a.sqrt()", [0.0, 4.0])  # the gradient at 0 is infinite
    for name, call in (("clamp", "a.clamp(-1, 0.5)"), ("clamp_min", "a.clamp(min=-0.5)"), ("clamp_max", "a.clamp(max=0.5)"),
                       ("clamp_infinite", "a.clamp(-inf, inf)")):
        case(name, call, [[-1.7, -1.1, -0.6, -0.2], [0.0, 0.4, 0.7, 1.9]])
        # At a bound the gradient passes in 1.13, and does not in 2.15: values only.
        case(f"{name}_at_bounds", call, [[-1.0, -0.5, 0.5, inf, -inf]], gradient=False)
    case("clamp_special", "a.clamp(-1, 0.5)", [inf, -inf, nan, 0.0, -0.0], gradient=False)
    for exponent, x in (("2", any_sign), ("3", any_sign), ("1", any_sign), ("0", any_sign), ("0.5", positive),
                        ("-1", any_sign), ("-2", any_sign), ("2.5", positive)):
        case(f"pow_{exponent}", f"a.pow({exponent})", x)
    case("pow_base2", "torch.pow(2.0, a)", any_sign)


def binary():
    a, b = inputs.away([3, 4], 0.3), inputs.away([3, 4], 0.3)
    for name in ("add", "sub", "mul", "div", "maximum", "minimum"):
        case(name, f"torch.{name}(a, b)", a, b)
        case(f"{name}_broadcast", f"torch.{name}(a, b)", inputs.away([2, 1, 4], 0.3), inputs.away([3, 1], 0.3))
    case("add_alpha", "torch.add(a, b, alpha=0.3)", a, b)
    case("sub_alpha", "torch.sub(a, b, alpha=0.3)", a, b)
    case("mul_scalar_tensor", "a * b", a, 0.7)
    case("rsub", "1.5 - a", a)
    case("rdiv", "1.5 / a", a)
    case("mul_self", "a * a", a)
    case("pow", "torch.pow(a, b)", inputs.uniform([3, 4], 0.2, 3), inputs.uniform([3, 4]))
    case("pow_broadcast", "torch.pow(a, b)", inputs.uniform([3, 1], 0.2, 3), inputs.uniform([4]))
    case("pow_edge", "torch.pow(a, b)", [0.0, 0.0, 0.0, 2.0, -2.0, -2.0, -2.0], [0.0, 1.0, 2.0, 0.0, 2.0, 3.0, 0.0])
    case("pow_special", "torch.pow(a, b)", [0.0, 0.0, -2.0, inf, -inf, nan, 1.0, 0.0, 0.5],
         [-1.0, inf, 0.5, 0.0, 3.0, 0.0, nan, nan, inf], gradient=False)
    case("maximum_ties", "torch.maximum(a, b)", [1.0, 2.0, 3.0], [1.0, 5.0, 0.0])  # a tie halves the gradient
    case("minimum_ties", "torch.minimum(a, b)", [1.0, 2.0, 3.0], [1.0, 5.0, 0.0])
    case("maximum_special", "torch.maximum(a, b)", [nan, 1.0, inf, -inf, nan], [1.0, nan, 1.0, 1.0, nan], gradient=False)
    case("minimum_special", "torch.minimum(a, b)", [nan, 1.0, inf, -inf, nan], [1.0, nan, 1.0, 1.0, nan], gradient=False)
    mask = torch.tensor([[True, False, True, False], [False, False, True, True], [True, True, False, True]])
    case("where", "torch.where(m, a, b)", a, b, fixed=dict(m=mask))
    case("where_broadcast", "torch.where(m, a, b)", inputs.uniform([4]), inputs.uniform([2, 1, 1]), fixed=dict(m=mask))
    case("where_nan_not_taken", "torch.where(m, a, b)", [1.0, nan], [nan, 2.0], fixed=dict(m=torch.tensor([True, False])))
    case("masked_fill", "a.masked_fill(m, 0.5)", a, fixed=dict(m=mask))


def reductions():
    x = inputs.uniform([2, 3, 4])
    for name in ("sum", "mean"):
        for suffix, arguments in (("all", ""), ("dim1", "1"), ("last_keep", "-1, keepdim=True"), ("dims02", "(0, 2)"),
                                  ("dims02_keep", "(0, 2), keepdim=True")):
            case(f"{name}_{suffix}", f"a.{name}({arguments})", x)
    for name in ("var", "std"):
        case(f"{name}_all", f"a.{name}()", x)
        case(f"{name}_dim1", f"a.{name}(1)", x)
        case(f"{name}_dims02_biased", f"a.{name}((0, 2), unbiased=False, keepdim=True)", x)
        # One value over n - 1 = 0 degrees of freedom is NaN; no spread at all is 0 (std's gradient there: 0).
        case(f"{name}_constant", f"a.{name}(1)", [[1.5, 1.5, 1.5]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        case("var_one_value", "a.var(0)", [[1.0, 2.0]], gradient=False)
        case("std_one_value", "a.std(0)", [[1.0, 2.0]], gradient=False)
    case("prod_all", "a.prod()", inputs.away([2, 3], 0.4))
    case("prod_dim1", "a.prod(1)", inputs.away([2, 3], 0.4))
    case("prod_zeros", "a.prod(1)", [[1.5, -2.0, 3.0], [0.0, -2.0, 3.0], [0.0, -2.0, 0.0]])
    for name in ("max", "min"):
        case(f"{name}_all", f"a.{name}()", x)
        case(f"{name}_all_ties", f"a.{name}()", [[1.0, 3.0, 3.0], [1.0, 1.0, 3.0]])  # shared equally
        case(f"{name}_dim1", f"tuple(a.{name}(1))", x)
        case(f"{name}_last_keep", f"tuple(a.{name}(-1, keepdim=True))", x)
        case(f"{name}_dim_ties", f"tuple(a.{name}(1))", [[1.0, 3.0, 3.0, 1.0], [2.0, 2.0, 2.0, 2.0]])  # the first wins
        case(f"{name}_dim_nan", f"tuple(a.{name}(1))", [[1.0, nan, 3.0], [inf, -inf, 0.0], [-inf, -inf, -inf]],
             gradient=False)
        case(f"a{name}_dim1", f"a.a{name}(1)", x)
        case(f"a{name}_ties", f"a.a{name}(1)", [[1.0, 3.0, 3.0, 1.0], [2.0, 2.0, 2.0, 2.0]])  # shared equally
        for suffix, arguments in (("all", ""), ("dim1", "1"), ("last_keep", "-1, keepdim=True")):
            case(f"arg{name}_{suffix}", f"a.arg{name}({arguments})", x, gradient=False)
        case(f"arg{name}_ties", f"a.arg{name}(1)", [[1.0, 3.0, 3.0, 1.0], [nan, 2.0, nan, 2.0]], gradient=False)
    case("logsumexp_dim1", "a.logsumexp(1)", x)
    case("logsumexp_dims02_keep", "a.logsumexp((0, 2), keepdim=True)", x)
    case("logsumexp_special", "a.logsumexp(1)", [[1000.0, 1000.0], [-1000.0, -1001.0], [-inf, -inf], [inf, 1.0], [nan, 1.0]],
         gradient=False)
    y = inputs.away([3, 4])
    for p in ("1", "2", "3", "inf", "0.5"):
        case(f"norm_{p}_all", f"a.norm({p})", y)
        case(f"norm_{p}_dim1", f"a.norm({p}, 1)", y)
    case("norm_0_dim1", "a.norm(0, 1)", [[0.0, 1.5, -2.0]], gradient=False)  # no gradient there
    case("norm_default", "a.norm()", y)
    for p in ("1", "2", "inf"):
        case(f"norm_{p}_zero", f"a.norm({p}, 1)", [[0.0, 0.0, 0.0]])
    case("cumsum_dim0", "a.cumsum(0)", x)
    case("cumsum_last", "a.cumsum(-1)", x)
    for name in ("softmax", "log_softmax"):
        case(f"{name}_dim1", f"a.{name}(1)", x)


def products():
    for name, p, q in (("1d_1d", [4], [4]), ("2d_1d", [3, 4], [4]), ("1d_2d", [4], [4, 5]), ("2d_2d", [3, 4], [4, 5]),
                       ("3d_2d", [2, 3, 4], [4, 5]), ("2d_3d", [3, 4], [2, 4, 5]), ("3d_1d", [2, 3, 4], [4]),
                       ("1d_3d", [4], [2, 4, 5]), ("3d_3d", [2, 3, 4], [2, 4, 5]), ("broadcast", [2, 1, 3, 4], [3, 4, 2]),
                       ("no_inner", [3, 0], [0, 2])):
        case(f"matmul_{name}", "torch.matmul(a, b)", inputs.uniform(p), inputs.uniform(q))
    p, q = inputs.uniform([4, 3]), inputs.uniform([5, 4])
    case("matmul_transposed", "torch.matmul(a.t(), b.t())", p, q)
    case("bmm", "torch.bmm(a, b)", inputs.uniform([2, 3, 4]), inputs.uniform([2, 4, 5]))
    for name, shape in (("", [3, 5]), ("_row", [5]), ("_column", [3, 1]), ("_scalar", [])):
        case(f"addmm{name}", "torch.addmm(a, b, c)", inputs.uniform(shape), inputs.uniform([3, 4]), inputs.uniform([4, 5]))
    case("addmm_scaled", "torch.addmm(a, b, c, beta=0.5, alpha=-1.5)", inputs.uniform([5]), inputs.uniform([3, 4]),
         inputs.uniform([4, 5]))
    case("addmm_beta0", "torch.addmm(a, b, c, beta=0)", [nan, inf], inputs.uniform([3, 4]), inputs.uniform([4, 2]),
         gradient=False)


def shapes():
    x = inputs.uniform([2, 3, 4])
    # Each is followed by its square: the gradient then tells where every element came from.
    for name, call in (("transpose", "a.transpose(0, 2)"), ("t", "a[0].t()"), ("permute", "a.permute(2, 0, 1)"),
                       ("expand", "a[:, :1].expand(3, 2, 5, 4)"), ("select", "a.select(1, -1)"), ("slice", "a[:, 1:, ::2]"),
                       ("narrow", "a.narrow(2, 1, 2)"), ("reshape", "a.permute(2, 0, 1).reshape(6, 4)"),
                       ("squeeze", "a[:, :1].squeeze(1)"), ("unsqueeze", "a.unsqueeze(-2)"), ("flatten", "a.flatten(1)"),
                       ("as_strided", "a.as_strided((3, 2), (2, 3), 1)"),
                       ("as_strided_overlap", "a.as_strided((3, 4), (1, 2), 2)"), ("flip", "a.flip((0, 2))"),
                       ("index", "a[..., 1:3, None, 2]"), ("contiguous", "a.permute(2, 0, 1).contiguous()")):
        case(name, f"(lambda v: v * v)({call})", x, dtypes=["f64"])
    case("cat_dim0", "torch.cat([a, b, a], 0)", inputs.uniform([1, 3]), inputs.uniform([2, 3]))
    case("cat_dim1", "torch.cat([a, b, c], -1)", inputs.uniform([2, 1]), inputs.uniform([2, 3]), inputs.uniform([2, 2]))
    case("stack_dim0", "torch.stack([a, b])", inputs.uniform([2, 3]), inputs.uniform([2, 3]))
    case("stack_last", "torch.stack([a, b, a], -1)", inputs.uniform([2, 3]), inputs.uniform([2, 3]))
    i = torch.tensor([2, 0, 2, 1, 2])
    case("index_select_dim1", "a.index_select(1, i)", x, fixed=dict(i=i))
    case("index_select_dim0", "a.index_select(0, i)", inputs.uniform([3, 4]), fixed=dict(i=i))


def in_place():
    x, y = inputs.uniform([2, 3]), inputs.uniform([3])
    for name, text, operands in (  # v starts as a clone of a, and its last value is the result
            ("view_mul", "v[0].mul_(2)", [x]),
            ("view_of_view_add", "v[:, 1:][0].add_(b[:2])", [x, y]),
            ("base_after_view", "w = v[0]; v.mul_(3); v = v.sum() * w", [x]),
            ("compound", "v += b; v *= b; v -= 1; v /= b", [x, y]),
            ("copy_into_view", "v[1].copy_(b * b)", [x, y]),
            ("zero_column", "v[:, 1].zero_(); v = v * v", [x]),
            ("fill_row", "v[0].fill_(2.5); v = v * v", [x]),
            ("transposed_mul", "v.t()[1].mul_(b[0]); v = v * v", [x, y]),
            ("two_views", "p = v[0]; q = v[1]; p.mul_(q.clone()); q.add_(p); v = v * v", [x])):
        scope = {}
        exec(f"def program(a, b=None):\n  v = a.clone()\n  {text}\n  return v", scope)
        case(f"in_place_{name}", "f(a, b)" if len(operands) == 2 else "f(a)", *operands, hidden=dict(f=scope["program"]),
             dtypes=["f64"])


def promotion():
    """Tables of dtype codes: 0 bool, 1 uint8, 2 int32, 3 int64, 4 float32, 5 float64; -1 where PyTorch refuses; -2 where
    the call does not exist. Rows and columns of the [15, 15] tables: six codes for tensors of shape [2], six for 0-d
    tensors, and Python's bool (C++: the scalar true), int and float scalars."""
    dtypes = [torch.bool, torch.uint8, torch.int32, torch.int64, torch.float32, torch.float64]
    operands = ([torch.ones(2, dtype=d) for d in dtypes] + [torch.ones((), dtype=d) for d in dtypes] + [True, 1, 1.0])

    def code(call, *arguments):
        try:
            return dtypes.index(call(*arguments).dtype)
        except (RuntimeError, IndexError):
            return -1

    def power(p, q):
        if q is True and p.dtype == torch.bool:  # 1.13 refuses it; 2.15 does not, as the only cell where they differ
            raise RuntimeError
        return p ** q

    def clone(x):
        return x.clone() if isinstance(x, torch.Tensor) else x

    def table(call, scalars=True):
        return [[-2 if not (isinstance(p, torch.Tensor) or isinstance(q, torch.Tensor) and scalars == True) or
                 not scalars and not isinstance(q, torch.Tensor) else code(call, clone(p), clone(q))
                 for q in operands] for p in operands]

    for name, call, scalars in (("add", lambda p, q: p + q, True), ("sub", lambda p, q: p - q, True),
                                ("mul", lambda p, q: p * q, True), ("div", lambda p, q: p / q, True),
                                ("lt", lambda p, q: p < q, True), ("pow", power, True),
                                ("maximum", torch.maximum, False), ("add_", lambda p, q: p.add_(q), "right"),
                                ("mul_", lambda p, q: p.mul_(q), "right"), ("div_", lambda p, q: p.div_(q), "right"),
                                ("copy_", lambda p, q: p.copy_(q), False),
                                ("where", lambda p, q: torch.where(torch.tensor([True, False]), p, q), False)):
        file.add(f"promotion/{name}", torch.tensor(table(call, scalars), dtype=torch.int32))
    tensors = operands[:6]
    for name, call in (("neg", torch.neg), ("abs", torch.abs), ("sign", torch.sign), ("exp", torch.exp),
                       ("sqrt", torch.sqrt), ("reciprocal", torch.reciprocal), ("square", torch.square),
                       ("sigmoid", torch.sigmoid), ("relu", torch.relu), ("sum", torch.sum), ("prod", torch.prod),
                       ("mean", torch.mean), ("var", torch.var), ("cumsum", lambda x: x.cumsum(0)), ("max", torch.max),
                       ("argmax", torch.argmax), ("all", torch.all), ("any", torch.any),
                       ("logsumexp", lambda x: x.logsumexp(0)), ("softmax", lambda x: x.softmax(0)),
                       ("norm", lambda x: x.norm()), ("matmul", lambda x: torch.matmul(x, x)),
                       ("clamp_int", lambda x: x.clamp(0, 1)), ("clamp_float", lambda x: x.clamp(0.0, 1.0)),
                       ("pow_2", lambda x: x.pow(2)), ("pow_half", lambda x: x.pow(0.5))):
        file.add(f"promotion_unary/{name}", torch.tensor([code(call, x) for x in tensors], dtype=torch.int32))
    for name, call in (("cat", lambda p, q: torch.cat([p, q])), ("stack", lambda p, q: torch.stack([p, q])),
                       ("matmul", torch.matmul)):
        file.add(f"promotion_6x6/{name}", torch.tensor([[code(call, p, q) for q in tensors] for p in tensors],
                                                         dtype=torch.int32))

    values = torch.tensor([0.0, -0.0, 1.0, 0.5, 1.9, 100.7, 255.0], dtype=torch.float64)
    negative = torch.tensor([-0.5, -1.0, -1.9, -100.7], dtype=torch.float64)
    odd = torch.tensor([nan, inf, -inf, 1e-300], dtype=torch.float64)
    for name, x, targets in (("cast", values, dtypes), ("cast_negative", negative, [dtypes[0]] + dtypes[2:]),
                             ("cast_odd", odd, [torch.bool, torch.float32])):
        file.add(f"{name}/x", x)
        for d in targets:
            file.add(f"{name}/{str(d).split('.')[1]}", x.to(d))
    file.add("cast_integers/x", torch.tensor([0, 1, -1, 300, 2**31 + 5, -2**40 - 3]))  # narrowing wraps around
    for d in dtypes:
        file.add(f"cast_integers/{str(d).split('.')[1]}", file.tensors["cast_integers/x"] if d == torch.int64 else
                 torch.tensor(file.tensors["cast_integers/x"]).to(d))


def by_row():
    """Cases that need no call in the test: the row of that name in tests/table is called."""
    any_sign, positive = inputs.away([2, 5]), inputs.uniform([2, 5], 0.2, 3.0)
    special = [0.0, -0.0, inf, -inf, nan, 1.0, -1.0, 1e-20, -1e-20, 50.0, -50.0, 1e4, -1.5]
    for name, x in (("asinh", any_sign), ("acosh", positive + 1), ("atanh", any_sign / 2.5), ("erfc", any_sign),
                    ("lgamma", positive), ("digamma", positive)):
        # PyTorch's trigamma, digamma's gradient, has 10 digits: tests/core/test_special.cpp has mpmath's.
        case(name, f"torch.{name}(a)", x, gradient=name != "digamma")
        case(f"{name}_special", f"torch.{name}(a)", special, gradient=False)
    a, b = inputs.away([3, 4], 0.3), inputs.uniform([3, 4], 0.3, 2.0)
    for name in ("hypot", "logaddexp", "xlogy"):
        case(name, f"torch.{name}(a, b)", a, b)
        x, y = zip(*[(x, y) for x in (0.0, -0.0, 1.5, -2.0, inf, -inf, nan) for y in (0.0, 2.5, inf, nan)])
        case(f"{name}_special", f"torch.{name}(a, b)", x, y, gradient=False)
    case("nansum", "torch.nansum(a, (0, -1))", [[[1.0, nan], [2.0, 3.0]], [[nan, nan], [4.0, -5.0]]])


unary()
binary()
reductions()
products()
shapes()
in_place()
promotion()
by_row()
finish(file, "ops.safetensors")
