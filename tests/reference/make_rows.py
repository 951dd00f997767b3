#!/usr/bin/python3
"""rows.safetensors: LayerNorm, softmax, log_softmax and Embedding, by PyTorch. See reference.py for how to run it.

Names are "case/thing": x, weight, bias, dy, y, dx, dweight, dbias, indices.
"""
import torch
import torch.nn.functional as F

from reference import FLOATS, File, Inputs, finish

inputs, file = Inputs(20240612), File()


def leaf(value, dtype):
    return torch.tensor(value, dtype=dtype, requires_grad=True)


def record(case, things):
    for thing, value in things.items():
        if value is not None:
            file.add(f"{case}/{thing}", value)


for name, shape, rows in (("1d", [5, 37], [37]), ("2d", [3, 2, 4, 5], [4, 5]), ("all", [6], [6]), ("one", [4, 3, 1], [3, 1])):
    value, above = inputs.uniform(shape) * 3 + 2, inputs.uniform(shape)
    weight, bias = inputs.uniform(rows, 0.5, 2), inputs.uniform(rows)
    for affine in (True, False):
        for suffix, dtype in FLOATS.items():
            x, dy = leaf(value, dtype), torch.tensor(above, dtype=dtype)
            w, b = (leaf(weight, dtype), leaf(bias, dtype)) if affine else (None, None)
            y = F.layer_norm(x, rows, w, b, 1e-3)
            y.backward(dy)
            record(f"layer_norm_{name}{'' if affine else '_noaffine'}_{suffix}",
                   dict(x=x, weight=w, bias=b, dy=dy, y=y, dx=x.grad, dweight=w.grad if affine else None,
                        dbias=b.grad if affine else None))

for name, f in (("softmax", F.softmax), ("log_softmax", F.log_softmax)):
    for shape in ([4, 37], [3, 5, 2]):
        value, above = inputs.uniform(shape, -6, 6), inputs.uniform(shape)
        for dim in range(len(shape)):
            for suffix, dtype in FLOATS.items():
                x, dy = leaf(value, dtype), torch.tensor(above, dtype=dtype)
                y = f(x, dim)
                y.backward(dy)
                record(f"{name}_{len(shape)}d_dim{dim}_{suffix}", dict(x=x, dy=dy, y=y, dx=x.grad))

for name, shape in (("1d", [7]), ("2d", [3, 5]), ("0d", [])):
    table, indices = inputs.uniform([6, 9]), inputs.integers(shape, 6) if shape else 3
    above = inputs.uniform(shape + [9])
    for padding in (None, 3, -1):
        for suffix, dtype in FLOATS.items():
            w, t, dy = leaf(table, dtype), torch.tensor(indices), torch.tensor(above, dtype=dtype)
            y = F.embedding(t, w, padding)
            y.backward(dy)
            record(f"embedding_{name}{'' if padding is None else '_padding' + str(padding)}_{suffix}",
                   dict(weight=w, indices=t, dy=dy, y=y, dweight=w.grad))
finish(file, "rows.safetensors")
