#!/usr/bin/python3
"""elementwise.safetensors: the rows of tests/table/elementwise.cpp and statistics.cpp, and what has no gradient, by PyTorch
2.15. See reference.py for how to run it.

A case is named like its row (`name#2`: the second row of that name), or like its call in test_reference_elementwise.cpp,
with `@n` for each of its sets of operands and _f32 or _f64 behind. Its operands are a, b, c; y, the results of tuples y0, y1,
.., the gradient from above dy, the operands' gradients da, db, dc.
"""
import math

import torch
import torch.nn.functional as F

from reference import FLOATS, File, Inputs, finish

inputs, file = Inputs(20261128), File()
inf, nan = math.inf, math.nan
counts = {}


def case(name, call, *operands, gradient=True, dtypes=("f32", "f64")):
    number = counts[name] = counts.get(name, 0) + 1
    dy = None
    for suffix in dtypes:
        leaves = [torch.as_tensor(o, dtype=FLOATS[suffix]).clone().requires_grad_(gradient)
                  if not isinstance(o, torch.Tensor) else o for o in operands]
        y = call(*leaves)
        at = f"{name}@{number}_{suffix}"
        for letter, x in zip("abc", leaves):
            file.add(f"{at}/{letter}", x.detach())
        if isinstance(y, tuple):
            for i, part in enumerate(y):
                file.add(f"{at}/y{i}", part)
            continue
        file.add(f"{at}/y", y)
        if gradient:
            dy = inputs.uniform(list(y.shape)) if dy is None else dy
            g = torch.as_tensor(dy, dtype=y.dtype)
            y.backward(g)
            file.add(f"{at}/dy", g)
            for letter, x in zip("abc", leaves):
                if x.grad is not None:
                    file.add(f"{at}/d{letter}", x.grad)


def real(*shape, low=-2.0, high=2.0):
    return inputs.away(list(shape), 0.05, low, high)


def positive(*shape):
    return inputs.uniform(list(shape), 0.3, 3.0)


edge = [0.0, -0.0, 0.7, -0.7, 1.0, -1.0, 3.0, -3.0, 6.0, inf, -inf, nan, 1e-20, 1e4, -1e4]
unary = {
    "frac": torch.frac, "deg2rad": torch.deg2rad, "rad2deg": torch.rad2deg, "nan_to_num": lambda a: torch.nan_to_num(a, 1.5),
    "floor_divide#2": lambda a: torch.div(a, 1.7, rounding_mode="floor"),
    "trunc_divide#2": lambda a: torch.div(a, 0.7, rounding_mode="trunc"), "fmod": lambda a: torch.fmod(a, 0.7),
    "remainder": lambda a: torch.remainder(a, 0.7), "copysign with a number": lambda a: torch.copysign(a, -2),
    "i0": torch.i0, "i1": torch.special.i1, "sinc": torch.sinc, "ndtr": torch.special.ndtr, "log_sigmoid": F.logsigmoid,
    "hardtanh": lambda a: F.hardtanh(a, -0.7, 1.1), "relu6": F.relu6, "hardsigmoid": F.hardsigmoid, "hardswish": F.hardswish,
    "hardshrink": lambda a: F.hardshrink(a, 0.7), "softshrink": lambda a: F.softshrink(a, 0.7),
    "threshold": lambda a: F.threshold(a, 0.4, 7), "celu": lambda a: F.celu(a, 1.5), "selu": F.selu, "mish": F.mish,
    "rrelu": F.rrelu,
}
for name, f in unary.items():
    dtypes = ("f32",) if name == "hardsigmoid" else ("f32", "f64")  # its slope is a float32 in PyTorch
    case(name, f, real(3, 4), dtypes=dtypes)
    case(name, f, real(2, 3, 2, low=-9.0, high=9.0), dtypes=dtypes)
    if name not in ("i0", "i1", "mish", "hardswish", "fmod", "remainder", "rrelu"):
        case(name, f, edge, gradient=False, dtypes=("f64",))
case("erfinv", torch.erfinv, real(3, 4, low=-0.99, high=0.99))
case("erfinv", torch.erfinv, [0.0, 1.0, -1.0, 2.0, nan, 1e-10, 0.999999], gradient=False, dtypes=("f64",))
case("logit", torch.logit, inputs.uniform([3, 4], 0.05, 0.95))
case("logit#2", lambda a: torch.logit(a, 0.2), inputs.uniform([3, 4], -0.2, 1.2))
case("entr", torch.special.entr, positive(3, 4))
case("entr", torch.special.entr, edge, gradient=False, dtypes=("f64",))
case("glu", lambda a: F.glu(a, 1), real(3, 4))
case("xlogy of a number", lambda a: torch.xlogy(1.5, a), positive(3, 4))
case("xlogy with a number", lambda a: torch.xlogy(a, 1.5), positive(3, 4))
case("remainder of a number", lambda a: torch.remainder(torch.tensor(5.3, dtype=a.dtype), a), positive(3, 4))
binary = {
    "floor_divide": lambda a, b: torch.div(a, b, rounding_mode="floor"),
    "trunc_divide": lambda a, b: torch.div(a, b, rounding_mode="trunc"), "copysign": torch.copysign, "fmax": torch.fmax,
    "fmin": torch.fmin, "max of two": torch.max, "min of two": torch.min, "logaddexp2": torch.logaddexp2,
    "lerp": lambda a, b: torch.lerp(a, b, 0.3),
}
pairs = [0.0, 1.0, -2.0, nan, inf, 5.0], [[0.0], [1.0], [-2.0], [nan], [inf], [-0.5]]
for name, f in binary.items():
    case(name, f, real(3, 4), real(3, 4))
    case(name, f, real(3, 1), real(2, 1, 4))
    if name != "lerp":
        case(name, f, *pairs, gradient=False, dtypes=("f64",))
for name, f in (("fmax", torch.fmax), ("fmin", torch.fmin)):
    case(name, f, [1.0, 2.0, nan, 3.0, nan], [1.0, 3.0, 2.0, nan, nan], dtypes=("f64",))
case("prelu", F.prelu, real(3, 4), real(4))
case("prelu", F.prelu, real(2, 3, 2), real(1))
case("xlog1py", torch.special.xlog1py, real(3, 4), positive(3, 4))
case("lerp#2", torch.lerp, real(3, 4), real(3, 4), real(4))
case("addcmul", lambda a, b, c: torch.addcmul(a, b, c, value=0.7), real(3, 4), real(3, 1), real(4))
case("addcdiv", lambda a, b, c: torch.addcdiv(a, b, c, value=0.7), real(3, 4), real(3, 1), positive(4))
case("clamp", torch.clamp, real(3, 4), real(4, low=-2, high=0.5), real(3, 1, low=-0.5, high=2))
case("clamp", torch.clamp, [0.0, 1.0, 1.0, 2.5, 2.0, 4.0, 2.0], [1.0, 1.0, 1.0, 3.0, 2.0, 1.0, 1.0],
     [1.0, 2.0, 1.0, 2.0, 2.0, 2.0, 2.0], dtypes=("f64",))

# Statistics.
case("kthvalue", lambda a: torch.kthvalue(a, 2, 1)[0], real(3, 4, 5))
case("median", lambda a: torch.median(a, -1, True)[0], real(3, 5))
case("median", lambda a: torch.median(a, -1, True)[0], real(3, 4))
case("nanmedian", lambda a: torch.nanmedian(a, 0)[0], [[1.0, nan, nan], [nan, 5.0, 2.0], [3.0, nan, 4.0], [7.0, nan, 9.0]])
case("median_of_all", torch.median, real(3, 4))
case("median_of_all", torch.median, [3.0, 1.0, 3.0, 3.0])
case("median_of_all", torch.median, [3.0, nan, 3.0, nan])
case("nanmedian_of_all", torch.nanmedian, [3.0, nan, 2.0, nan, 3.0])
case("mode", lambda a: torch.mode(a, 1)[0], real(3, 4))
case("quantile", lambda a: torch.quantile(a, 0.3, 1), real(3, 5))
case("quantile", lambda a: torch.quantile(a, 0.3, 1), [[1.0, nan, 3.0], [4.0, 2.0, 9.0]], gradient=False)
case("quantile of all", torch.quantile, real(3, 4), inputs.uniform([3], 0.05, 0.95))
case("nanquantile", lambda a: torch.nanquantile(a, 0.7, 0, True, interpolation="midpoint"), real(3, 4))
case("nanquantile", lambda a: torch.nanquantile(a, 0.7, 0, True, interpolation="midpoint"),
     [[1.0, nan, 3.0], [4.0, nan, nan], [5.0, nan, 1.0]], gradient=False)
for way in ("linear", "lower", "higher", "midpoint", "nearest"):
    case("quantile " + way, lambda a, b: torch.quantile(a, b, -1, interpolation=way), real(2, 6), [0.0, 0.1, 0.5, 0.77, 1.0])
case("nanmean", lambda a: torch.nanmean(a, 1), real(3, 4))
case("nanmean", lambda a: torch.nanmean(a, 1), [[1.0, nan, 3.0], [nan, nan, nan]], gradient=False)
case("aminmax", lambda a: torch.aminmax(a, dim=1)[1] - torch.aminmax(a, dim=1)[0] * 2, real(3, 4))
case("std_mean", lambda a: sum(torch.std_mean(a, 1)), real(3, 4))
case("var_mean", lambda a: math.prod(torch.var_mean(a, [0], unbiased=False, keepdim=True)), real(3, 4))
case("msort", torch.msort, real(3, 4))
case("cummax", lambda a: torch.cummax(a, 1)[0], real(3, 4, 2))
case("cummin", lambda a: torch.cummin(a, -1)[0], real(3, 4))
case("cummax", lambda a: torch.cummax(a, 1)[0], [[1.0, 3.0, 3.0, nan, 5.0, nan]])
case("logcumsumexp", lambda a: torch.logcumsumexp(a, 1), real(3, 4, 2))
case("logcumsumexp", lambda a: torch.logcumsumexp(a, 1), [[800.0, 1.0, 801.0], [-900.0, -901.0, 3.0]], dtypes=("f64",))
case("logcumsumexp", lambda a: torch.logcumsumexp(a, 1), [[-inf, -inf, 1.0, nan], [1.0, inf, 2.0, 3.0]], gradient=False)
case("dist", lambda a, b: torch.dist(a, b, 3), real(3, 4), real(4))
case("cosine_similarity", F.cosine_similarity, real(3, 4), real(3, 4))
case("cosine_similarity", F.cosine_similarity, [[0.0, 0.0], [1.0, 2.0]], [[1.0, 1.0], [3.0, 4.0]])
case("pairwise_distance", F.pairwise_distance, real(3, 4), real(3, 4))
case("cdist", torch.cdist, real(3, 4), real(2, 5, 4))
case("cdist with p 1", lambda a, b: torch.cdist(a, b, 1), real(3, 4), real(5, 4))
for p in (0, 1.5, 2, 3, inf):
    case(f"cdist {p}", lambda a, b: torch.cdist(a, b, p), [[0.0, 0.0], [1.0, 2.0]], [[0.0, 0.0], [2.0, 3.5]], gradient=p != 0)
case("pdist", F.pdist, real(4, 3))
case("frobenius_norm", lambda a: torch.linalg.vector_norm(a, 2, [0, 1]), real(3, 4))
case("renorm", lambda a: torch.renorm(a, 2, 0, 2), real(3, 4))
case("diff", lambda a, b: torch.diff(a, 2, 1, b), real(3, 4), real(3, 1))
case("trapezoid", torch.trapezoid, real(3, 4), real(4))
case("trapz", lambda a: torch.trapz(a, dx=0.5, dim=0), real(3, 4))

# Without gradients.
few = torch.tensor(inputs.integers([40], 7))
for name, f in (("unique", lambda a: torch.unique(a, return_inverse=True, return_counts=True)),
                ("unique_consecutive", lambda a: torch.unique_consecutive(a, return_inverse=True, return_counts=True)),
                ("bincount", lambda a: (torch.bincount(a, minlength=9), torch.bincount(a, a * 0.5))),
                ("mode_index", lambda a: tuple(torch.mode(a.view(4, 10), 1)))):
    case(name, f, few, gradient=False, dtypes=("f64",))
case("unique_dim", lambda a: torch.unique(a, dim=1, return_inverse=True, return_counts=True),
     torch.tensor(inputs.integers([2, 12], 2)), gradient=False, dtypes=("f64",))
case("unique", lambda a: torch.unique(a, return_inverse=True, return_counts=True), [2.0, nan, 1.0, 2.0, nan, -0.0, 0.0],
     gradient=False, dtypes=("f64",))
case("searchsorted", lambda a, b: (torch.searchsorted(a, b), torch.searchsorted(a, b, right=True)),
     sorted([1.0, 2.0, 2.0, 3.0, 7.0]) + [nan], [[2.0, 0.0, nan], [9.0, 3.0, 7.0]], gradient=False)
case("searchsorted", lambda a, b: (torch.searchsorted(a, b), torch.searchsorted(a, b, right=True)),
     [[1.0, 2.0, 5.0], [3.0, 3.0, 4.0]], [[2.0, 0.0, 9.0, 3.0], [3.0, 3.5, 4.0, 5.0]], gradient=False)
case("histc", lambda a: (torch.histc(a, 5), torch.histc(a, 4, -1, 1)), real(40), gradient=False)
case("isclose", lambda a, b: (torch.isclose(a, b), torch.isclose(a, b, 1e-2, 0, True)),
     [1.0, 1.0, inf, -inf, nan, 0.0], [1.000001, 1.005, inf, inf, nan, 1e-9], gradient=False, dtypes=("f64",))
case("count_nonzero", lambda a: (torch.count_nonzero(a), torch.count_nonzero(a, 1)), [[0.0, nan, 1.0], [0.0, -0.0, 2.0]],
     gradient=False)
for name, f in (("whole_floor", lambda a, b: torch.div(a, b, rounding_mode="floor")),
                ("whole_trunc", lambda a, b: torch.div(a, b, rounding_mode="trunc")), ("fmax_integers", torch.fmax),
                ("addcmul_integers", lambda a, b: torch.addcmul(a, a, b, value=2)), ("copysign_integers", torch.copysign)):
    case(name, f, torch.tensor([7, -7, 7, -7, 0, 6]), torch.tensor([2, 2, -2, -2, 3, -3]), gradient=False, dtypes=("f64",))

finish(file, "elementwise.safetensors")
