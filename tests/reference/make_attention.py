#!/usr/bin/env python3
"""attention.safetensors: scaled_dot_product_attention by PyTorch 2.15, its math path; 1.13 has no such function. See
reference.py for how to run it.

Names are "case/thing": q, k, v, mask, dy, y, dq, dk, dv, dmask, kept (dropout's mask) and seed. What a case asks for
besides stands in its name: causal, scale (0.3), dropout (p = 0.4), gqa. Case names end in _f32 or _f64.
"""
import math

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from reference import FLOATS, File, Inputs, finish

inputs, file = Inputs(20261124), File()


def philox_words(seed, count):
    """The first words of a seed's stream: Philox4x32-10 (Salmon et al., 2011), counter 0, 1, ..."""
    words = []
    for counter in range((count + 3) // 4):
        x, key = [counter & 0xFFFFFFFF, counter >> 32, 0, 0], [seed & 0xFFFFFFFF, seed >> 32]
        for _ in range(10):
            a, b = 0xD2511F53 * x[0], 0xCD9E8D57 * x[2]
            x = [(b >> 32) ^ x[1] ^ key[0], b & 0xFFFFFFFF, (a >> 32) ^ x[3] ^ key[1], a & 0xFFFFFFFF]
            key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
        words += x
    return words[:count]


def record(case, q, k, v, mask=None, mask_gradient=False, **options):
    values = [inputs.uniform(s) for s in (q, k, v)]
    batch = q[:-2] if "enable_gqa" in options else torch.broadcast_shapes(q[:-2], k[:-2], v[:-2])
    above = inputs.uniform(list(batch) + [q[-2], v[-1]])
    for suffix, dtype in FLOATS.items():
        x = [torch.tensor(value, dtype=dtype, requires_grad=True) for value in values]
        m = None if mask is None else torch.tensor(mask)
        if m is not None and m.is_floating_point():
            m = m.to(dtype).requires_grad_(mask_gradient)
        dy, seed, kept = torch.tensor(above, dtype=dtype), None, None
        with sdpa_kernel(SDPBackend.MATH):
            if "dropout_p" in options:
                seed, p = 11, options["dropout_p"]
                scores = list(batch) + [q[-2], k[-2]]
                words = philox_words(seed, math.prod(scores))
                kept = torch.tensor([w < int((1 - p) * 2.0**32) for w in words]).reshape(scores)
                # The path's own function takes the mask of dropout; the public one draws it.
                causal = options.get("is_causal", False)
                y = torch.ops.aten._scaled_dot_product_attention_math(*x, m, p, causal, kept)[0]
            else:
                y = F.scaled_dot_product_attention(*x, m, **options)
        y.backward(dy)
        things = dict(q=x[0], k=x[1], v=x[2], mask=m, dy=dy, y=y, dq=x[0].grad, dk=x[1].grad, dv=x[2].grad,
                      dmask=m.grad if mask_gradient else None, kept=kept,
                      seed=None if seed is None else torch.tensor(seed))
        for thing, value in things.items():
            if value is not None:
                file.add(f"{case}_{suffix}/{thing}", value)


def hidden(shape, rows=()):
    """A Bool mask, about a third of it false; the given rows all false."""
    mask = inputs.uniform(shape, 0, 1) > 0.33
    mask[..., 0] = True
    for row in rows:
        mask[..., row, :] = False
    return mask


heads = dict(q=[2, 3, 4, 3], k=[2, 3, 5, 3], v=[2, 3, 5, 2])
record("plain_2d", [5, 4], [7, 4], [7, 3])
record("plain_4d", **heads)
record("scale", **heads, scale=0.3)
record("broadcast", [3, 5, 4], [2, 1, 7, 4], [2, 1, 7, 6])
record("causal_square", [2, 6, 4], [2, 6, 4], [2, 6, 3], is_causal=True)
record("causal_wide", [2, 3, 4], [2, 7, 4], [2, 7, 3], is_causal=True)
record("causal_tall", [2, 7, 4], [2, 3, 4], [2, 3, 3], is_causal=True)
record("causal_long", [1, 150, 3], [1, 140, 3], [1, 140, 2], is_causal=True)  # more rows than are worked on at a time
record("bool_rows_hidden", **heads, mask=hidden([4, 5], rows=(1, 3)))
record("bool_of_keys", **heads, mask=hidden([2, 1, 1, 5]))
record("float", **heads, mask=inputs.uniform([2, 1, 4, 5]), mask_gradient=True)
masked = inputs.uniform([3, 4, 5])
masked[~hidden([3, 4, 5], rows=(2,))] = -math.inf
record("float_rows_hidden", **heads, mask=masked, mask_gradient=True)
record("dropout", **heads, dropout_p=0.4)
record("dropout_causal", [2, 6, 4], [2, 6, 4], [2, 6, 3], dropout_p=0.4, is_causal=True)
record("dropout_float", **heads, mask=inputs.uniform([4, 5]), mask_gradient=True, dropout_p=0.4)
record("gqa", [2, 4, 3, 5], [2, 2, 6, 5], [2, 2, 6, 3], enable_gqa=True)
record("gqa_float", [2, 4, 3, 5], [2, 2, 6, 5], [2, 2, 6, 3], mask=inputs.uniform([4, 3, 6]), mask_gradient=True,
       enable_gqa=True)
finish(file, "attention.safetensors")
