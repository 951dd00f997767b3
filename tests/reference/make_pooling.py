#!/usr/bin/python3
"""pooling.safetensors: values, indices and gradients of the pooling layers, by PyTorch. See reference.py for how to run it.

Names are "case/thing": x, dy, y, dx, and index (of max pooling). A case's options are spelled in its name as the test
reads them: kernel, stride, padding, dilation as k.. s.. p.. d.., one digit a dimension; c for ceil_mode, e for
count_include_pad=False, o for divisor_override=3.
"""
import torch
import torch.nn.functional as F

from reference import FLOATS, File, Inputs, finish

inputs, file = Inputs(20240611), File()


def leaf(value, dtype):
    return torch.tensor(value, dtype=dtype, requires_grad=True)


def digits(name, text):
    part = [p for p in text.split("_") if p[0] == name]
    return [int(c) for c in part[0][1:]] if part else None


def pool(kind, shape, text):
    dims = len(digits("k", text))
    value = inputs.uniform(shape)
    for suffix, dtype in FLOATS.items():
        x = leaf(value, dtype)
        k, s, p, d = (digits(n, text) for n in "kspd")
        s, p, d, ceil = s or k, p or [0] * dims, d or [1] * dims, "c" in text.split("_")
        more = {}
        if kind == "max":
            f = getattr(F, f"max_pool{dims}d")
            y, index = f(x, k, s, p, d, ceil_mode=ceil, return_indices=True)
        else:
            if "o" in text.split("_"):
                more["divisor_override"] = 3
            y = getattr(F, f"avg_pool{dims}d")(x, k, s, p, ceil_mode=ceil,
                                               count_include_pad="e" not in text.split("_"), **more)
            index = None
        dy = torch.tensor(numbers(y.shape), dtype=dtype)
        y.backward(dy)
        case = f"{kind}{dims}d_{text}_{suffix}"
        for thing, v in dict(x=x, dy=dy, y=y, dx=x.grad, index=index).items():
            if v is not None:
                file.add(f"{case}/{thing}", v)


def numbers(shape):
    return Inputs(7).uniform(list(shape))


for text, shape in (("k2", [2, 3, 9]), ("k3_s2_p1", [2, 10]), ("k3_s2_p1_c", [2, 10]), ("k3_s1_d2", [1, 2, 11]),
                    ("k2_s3_c", [2, 11])):
    pool("max", shape, text)
for text, shape in (("k22", [2, 2, 6, 20]), ("k33_s22_p11", [2, 7, 19]), ("k32_s12_p01", [1, 2, 6, 7]),
                    ("k33_s11_p11", [2, 5, 18]), ("k22_s22_p11_d21", [2, 7, 8]), ("k33_s33_c", [2, 7, 8]),
                    ("k23_s13_p11_c", [2, 6, 10])):
    pool("max", shape, text)
for text, shape in (("k222", [2, 4, 5, 6]), ("k323_s212_p101", [1, 2, 5, 4, 9]), ("k222_s222_p111_d112_c", [1, 5, 6, 7])):
    pool("max", shape, text)
for text, shape in (("k2", [2, 3, 9]), ("k3_s2_p1", [2, 10]), ("k3_s2_p1_e_c", [2, 10]), ("k4_s1_p2", [2, 21])):
    pool("avg", shape, text)
for text, shape in (("k22", [2, 2, 6, 20]), ("k33_s22_p11", [2, 7, 19]), ("k33_s22_p11_e", [2, 7, 19]),
                    ("k32_s12_p01_o", [1, 2, 6, 7]), ("k33_s11_p11", [2, 5, 18]), ("k33_s22_p11_c", [2, 6, 8]),
                    ("k33_s22_p11_e_c", [2, 6, 8])):
    pool("avg", shape, text)
for text, shape in (("k222", [2, 4, 5, 6]), ("k323_s212_p101_e", [1, 2, 5, 4, 9])):
    pool("avg", shape, text)

for suffix, dtype in FLOATS.items():
    for size in ((1, 1), (2, 3), (3, 5), (4, None)):
        x = leaf(Inputs(11).uniform([2, 3, 4, 6]), dtype)
        y = F.adaptive_avg_pool2d(x, size)
        dy = torch.tensor(numbers(y.shape), dtype=dtype)
        y.backward(dy)
        case = f"adaptive_{size[0]}_{size[1] or 0}_{suffix}"
        for thing, v in dict(x=x, dy=dy, y=y, dx=x.grad).items():
            file.add(f"{case}/{thing}", v)
finish(file, "pooling.safetensors")
