#!/usr/bin/env python3
"""multihead.safetensors: nn.MultiheadAttention by PyTorch, without dropout. See reference.py for how to run it.

Names are "case/thing": the module's parameters, query, key, value, padding and mask (absent or not), dy, y, weights,
dquery, dkey, dvalue and d_ before a parameter's name. Gradients are of sum(dy y) + sum(weights^2), where weights are
asked for. Case names say the options (bias_kv, zero, nobias, widths: kdim 3 and vdim 5) and end in _f32 or _f64.
"""
import torch

from reference import FLOATS, File, Inputs, finish

inputs, file = Inputs(20261125), File()
L, S, N, E, HEADS = 3, 4, 2, 6, 2


def record(case, padding=None, mask=None, average=True, need_weights=True, kdim=None, vdim=None, **options):
    layer = torch.nn.MultiheadAttention(E, HEADS, kdim=kdim, vdim=vdim, **options)
    drawn = {name: inputs.uniform(list(p.shape), -0.7, 0.7) for name, p in layer.named_parameters()}
    things = [inputs.uniform([L, N, E]), inputs.uniform([S, N, kdim or E]), inputs.uniform([S, N, vdim or E])]
    above = inputs.uniform([L, N, E])
    for suffix, dtype in FLOATS.items():
        name = f"{case}_{suffix}"
        layer.to(dtype).zero_grad(set_to_none=True)
        with torch.no_grad():
            for key, p in layer.named_parameters():
                p.copy_(torch.tensor(drawn[key]))
                file.add(f"{name}/{key}", p)
        x = [torch.tensor(t, dtype=dtype, requires_grad=True) for t in things]
        dy = torch.tensor(above, dtype=dtype)
        masks = [None if m is None else torch.tensor(m) for m in (padding, mask)]
        masks = [m.to(dtype) if m is not None and m.is_floating_point() else m for m in masks]
        y, weights = layer(*x, key_padding_mask=masks[0], need_weights=need_weights, attn_mask=masks[1],
                           average_attn_weights=average)
        loss = (y * dy).sum()
        if need_weights:
            loss = loss + weights.square().sum()
            file.add(f"{name}/weights", weights)
        loss.backward()
        for thing, value in zip(("query", "key", "value"), x):
            file.add(f"{name}/{thing}", value)
            file.add(f"{name}/d{thing}", value.grad)
        for thing, value in (("padding", masks[0]), ("mask", masks[1]), ("dy", dy), ("y", y)):
            if value is not None:
                file.add(f"{name}/{thing}", value)
        for key, p in layer.named_parameters():
            file.add(f"{name}/d_{key}", p.grad)


hidden = inputs.uniform([N, S], 0, 1) > 0.6
hidden[:, 1] = False
later = inputs.uniform([L, S], 0, 1) > 0.7
later[:, 1] = False
record("plain")
record("plain_noweights", need_weights=False)
record("each_head", average=False)
record("padding", padding=hidden)
record("masks_noweights", padding=hidden, mask=later, need_weights=False)
record("float_mask_3d", mask=inputs.uniform([N * HEADS, L, S]))
record("bias_kv_zero", add_bias_kv=True, add_zero_attn=True, padding=hidden, mask=later)
record("widths_nobias", kdim=3, vdim=5, bias=False)
record("widths_bias_kv", kdim=3, vdim=5, add_bias_kv=True, mask=later)
finish(file, "multihead.safetensors")
