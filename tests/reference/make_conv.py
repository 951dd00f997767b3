#!/usr/bin/python3
"""conv.safetensors: convolutions and their gradients, by PyTorch. See reference.py for how to run it.

Names are "case/thing"; case names begin with conv1d_, conv2d_ or conv3d_ and end in _f32 or _f64. A case has x, weight,
bias (or none), dy (the gradient that comes from above), numbers (int64: stride, padding and dilation of each dimension,
then groups; a padding of -1 is "same"), y and dx, dweight, dbias.
"""
import torch
import torch.nn.functional as F

from reference import FLOATS, File, Inputs, finish

inputs, file = Inputs(20240611), File()
FUNCTIONS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


def case(name, x, weight, bias=True, stride=1, padding=0, dilation=1, groups=1):
    dims = len(weight) - 2
    expand = lambda v: list(v) if isinstance(v, (tuple, list)) else [v] * dims
    xs, ws, bs = inputs.uniform(x), inputs.uniform(weight), inputs.uniform([weight[0]])
    dy = None
    for suffix, dtype in FLOATS.items():
        leaf = lambda value: torch.tensor(value, dtype=dtype, requires_grad=True)
        a, w, b = leaf(xs), leaf(ws), leaf(bs) if bias else None
        how = padding if padding == "same" else expand(padding)
        y = FUNCTIONS[dims](a, w, b, expand(stride), how, expand(dilation), groups)
        if dy is None:
            dy = inputs.uniform(list(y.shape))
        g = torch.tensor(dy, dtype=dtype)
        y.backward(g)
        numbers = expand(stride) + expand(-1 if padding == "same" else padding) + expand(dilation) + [groups]
        things = dict(x=a, weight=w, bias=b, dy=g, numbers=torch.tensor(numbers), y=y, dx=a.grad, dweight=w.grad,
                      dbias=b.grad if bias else None)
        for thing, value in things.items():
            if value is not None:
                file.add(f"conv{dims}d_{name}_{suffix}/{thing}", value)


case("plain", [2, 3, 9], [4, 3, 3])
case("stride_padding", [2, 3, 9], [4, 3, 4], stride=3, padding=2)
case("same", [2, 2, 7], [3, 2, 4], padding="same", dilation=1)
case("alone", [3, 8], [2, 3, 2], padding=1)
case("plain", [2, 3, 6, 5], [4, 3, 3, 2])
case("nobias", [2, 3, 6, 5], [4, 3, 2, 3], bias=False, padding=1)
case("stride", [2, 3, 7, 8], [4, 3, 3, 3], stride=(2, 3), padding=(1, 0))
case("dilation", [2, 3, 7, 8], [4, 3, 2, 3], dilation=(3, 2), padding=(0, 1))
case("everything", [2, 4, 9, 8], [6, 2, 3, 2], stride=(3, 2), dilation=(2, 3), padding=(2, 1), groups=2)
case("groups", [2, 6, 5, 4], [9, 2, 3, 3], padding=1, groups=3)
case("depthwise", [2, 3, 6, 5], [3, 1, 3, 3], padding=1, groups=3)
case("depthwise2", [2, 3, 6, 5], [6, 1, 2, 3], stride=(1, 2), groups=3)
case("pointwise", [2, 5, 4, 3], [3, 5, 1, 1])
case("same", [1, 2, 5, 6], [3, 2, 3, 4], padding="same", dilation=(2, 1))
case("alone", [3, 6, 5], [2, 3, 3, 3], stride=2, padding=1)
case("plain", [2, 2, 4, 3, 5], [3, 2, 2, 3, 2])
case("everything", [1, 4, 5, 6, 4], [4, 2, 2, 3, 2], stride=(2, 1, 3), padding=(1, 2, 1), dilation=(1, 2, 3), groups=2)
finish(file, "conv.safetensors")
