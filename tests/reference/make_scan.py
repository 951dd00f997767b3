#!/usr/bin/python3
"""scan.safetensors: running sums and products, products, sorting and activations, by PyTorch. See reference.py for how
to run it.

Names are "case/thing": x, y, indices (of sorting), dy (the gradient that comes from above), dx. Case names end in _f32
or _f64.
"""
import math

import numpy as np
import torch
import torch.nn.functional as F

from reference import FLOATS, File, Inputs, finish

inputs, file = Inputs(20240703), File()


def case(name, function, x, gradient=True):
    g = None
    for suffix, dtype in FLOATS.items():
        xs = torch.tensor(x, dtype=dtype, requires_grad=True)
        y = function(xs)
        y, indices = y if isinstance(y, tuple) else (y, None)
        things = dict(x=xs, y=y, indices=indices)
        if gradient:
            g = inputs.uniform(list(y.shape)) if g is None else g
            y.backward(torch.tensor(g, dtype=dtype))
            things.update(dy=torch.tensor(g, dtype=dtype), dx=xs.grad)
        for thing, value in things.items():
            if value is not None:
                file.add(f"{name}_{suffix}/{thing}", value)


def pair(result):
    return result.values, result.indices


x = inputs.uniform([3, 4, 5])
zeros = inputs.uniform([4, 5])
zeros[1, 2] = zeros[2, 0] = zeros[2, 3] = zeros[3, 1] = zeros[3, 4] = 0.0  # none, one, two of a row
ties = np.round(inputs.uniform([4, 6]) * 1.5)
for dim in (0, 1, 2):
    case(f"cumsum{dim}", lambda v, d=dim: torch.cumsum(v, d), x)
    case(f"cumprod{dim}", lambda v, d=dim: torch.cumprod(v, d), x)
    case(f"prod{dim}", lambda v, d=dim: torch.prod(v, d), x)
    case(f"sort{dim}", lambda v, d=dim: pair(torch.sort(v, d)), x)
for dim in (0, 1):
    case(f"cumprod_zeros{dim}", lambda v, d=dim: torch.cumprod(v, d), zeros)
    case(f"prod_zeros{dim}", lambda v, d=dim: torch.prod(v, d), zeros)
for row in range(4):
    case(f"prod_all_row{row}", torch.prod, zeros[row])
case("prod_all", torch.prod, x)
case("sort_ties_up", lambda v: pair(torch.sort(v, stable=True, dim=1)), ties)
case("sort_ties_down", lambda v: pair(torch.sort(v, stable=True, dim=1, descending=True)), ties)
special = [math.nan, 1.0, -math.inf, 0.0, -0.0, math.inf, -2.0, math.nan, 0.0]
case("sort_special_up", lambda v: pair(torch.sort(v, stable=True)), special)
case("sort_special_down", lambda v: pair(torch.sort(v, stable=True, descending=True)), special)
case("topk_largest", lambda v: pair(torch.topk(v, 3, dim=1)), x)
case("topk_smallest", lambda v: pair(torch.topk(v, 2, dim=2, largest=False)), x)

wide = inputs.uniform([4, 7], -6.0, 6.0)
wide[0, 0] = 0.0
activations = {
    "gelu": F.gelu,
    "gelu_tanh": lambda v: F.gelu(v, approximate="tanh"),
    "silu": F.silu,
    "softplus": F.softplus,
    "softplus_beta": lambda v: F.softplus(v, beta=2.0, threshold=5.0),
    "leaky_relu": lambda v: F.leaky_relu(v, 0.2),
    "elu": lambda v: F.elu(v, 1.5),
}
for name, function in activations.items():
    case(name, function, wide)

finish(file, "scan.safetensors")
