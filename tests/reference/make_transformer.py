#!/usr/bin/env python3
"""transformer.safetensors: transformers with all their masks, and multi_head_attention_forward, by PyTorch (2.15), without
dropout. See reference.py for how to run it.

Names are "case/thing", in float64: the parameters p.NAME, the inputs x0, x1, .., masks m0, m1, .. in the order of forward,
y and dy (y1, the weights, of attention, which has dy1), dx0, dx1, .. and d.NAME.
"""
import torch
import torch.nn.functional as F

from reference import File, Inputs, finish

inputs, file = Inputs(20261129), File()
S, T, N, E, HEADS = 4, 3, 2, 4, 2


def real(*shape):
    return torch.tensor(inputs.uniform(list(shape), -1, 1))


def hides(*shape):
    mask = torch.tensor(inputs.uniform(list(shape), 0, 1) > 0.6)
    mask[..., 1] = False
    return mask


def record(case, call, parameters, x, masks):
    for name, p in parameters.items():
        with torch.no_grad():
            p.copy_(real(*p.shape))
        file.add(f"{case}/p.{name}", p)
    x = [t.requires_grad_() for t in x]
    results = call(*x, *masks)
    results = [r for r in (results if isinstance(results, tuple) else (results,)) if r is not None]
    loss = 0
    for i, y in enumerate(results):
        dy = real(*y.shape)
        loss = loss + (y * dy).sum()
        file.add(f"{case}/y{i or ''}", y)
        file.add(f"{case}/dy{i or ''}", dy)
    loss.backward()
    for letter, tensors in (("x", x), ("m", masks)):
        for i, t in enumerate(tensors):
            if t is not None:
                file.add(f"{case}/{letter}{i}", t)
    for i, t in enumerate(x):
        if t.grad is not None:
            file.add(f"{case}/dx{i}", t.grad)
    for name, p in parameters.items():
        if p.grad is not None:
            file.add(f"{case}/d.{name}", p.grad)


def module(case, layer, x, *masks):
    layer = layer.double().train()
    record(case, layer, dict(layer.named_parameters()), x, masks)


nn = torch.nn
options = dict(dim_feedforward=3, dropout=0)
later = torch.triu(torch.ones(T, T), 1).bool()
module("encoder_layer masks", nn.TransformerEncoderLayer(E, HEADS, **options), [real(S, N, E)], hides(S, S), hides(N, S))
module("encoder_layer heads", nn.TransformerEncoderLayer(E, HEADS, activation="gelu", norm_first=True, **options),
       [real(S, N, E)], real(N * HEADS, S, S))
module("encoder_layer function", nn.TransformerEncoderLayer(E, HEADS, activation=torch.tanh, **options), [real(S, E)])
module("decoder_layer masks", nn.TransformerDecoderLayer(E, HEADS, **options), [real(T, N, E), real(S, N, E)], later,
       hides(T, S), hides(N, T) & False, hides(N, S))
module("decoder_layer first", nn.TransformerDecoderLayer(E, HEADS, norm_first=True, activation="gelu", **options),
       [real(T, N, E), real(S, N, E)], real(T, T), None, None, real(N, S))
encoder_layer, decoder_layer = (kind(E, HEADS, **options) for kind in (nn.TransformerEncoderLayer, nn.TransformerDecoderLayer))
module("encoder norm", nn.TransformerEncoder(encoder_layer, 2, norm=nn.LayerNorm(E), enable_nested_tensor=False),
       [real(S, N, E)], hides(S, S), hides(N, S))
module("decoder", nn.TransformerDecoder(decoder_layer, 2), [real(T, N, E), real(S, N, E)], later, None, None, hides(N, S))
module("transformer", nn.Transformer(E, HEADS, 1, 2, **options), [real(S, N, E), real(T, N, E)], hides(S, S), later,
       hides(T, S), hides(N, S), hides(N, T) & False, hides(N, S))
module("transformer first", nn.Transformer(E, HEADS, 2, 1, norm_first=True, activation="gelu", **options),
       [real(S, E), real(T, E)])


def attention(case, x, padding=None, mask=None, separate=None, static=False, **more):
    p = {"out_proj_weight": torch.zeros(E, E), "out_proj_bias": torch.zeros(E), "in_proj_bias": torch.zeros(3 * E)}
    if separate:
        for name, width in zip(("q_proj_weight", "k_proj_weight", "v_proj_weight"), (E, *separate)):
            p[name] = torch.zeros(E, width)
    else:
        p["in_proj_weight"] = torch.zeros(3 * E, E)
    if more.pop("bias_kv", False):
        p["bias_k"] = p["bias_v"] = torch.zeros(1, 1, E)
        p["bias_v"] = torch.zeros(1, 1, E)
    if static:
        p["static_k"], p["static_v"] = (torch.zeros(N * HEADS, S, E // HEADS) for _ in range(2))
    p = {name: torch.zeros(t.shape, dtype=torch.float64, requires_grad=True) for name, t in p.items()}

    def call(q, k, v, padding, mask):
        given = {name: p.get(name) for name in ("in_proj_weight", "in_proj_bias", "bias_k", "bias_v")}
        rest = {name: t for name, t in p.items() if name not in given and not name.startswith("out")}
        return F.multi_head_attention_forward(
            q, k, v, E, HEADS, add_zero_attn=more.get("add_zero_attn", False), dropout_p=0.5, training=False,
            out_proj_weight=p["out_proj_weight"], out_proj_bias=p["out_proj_bias"], key_padding_mask=padding,
            attn_mask=mask, need_weights=more.get("need_weights", True), use_separate_proj_weight=bool(separate),
            average_attn_weights=more.get("average", True), **given, **rest)

    record("attention " + case, call, p, x, (padding, mask))


attention("plain", [real(T, N, E), real(S, N, E), real(S, N, E)], hides(N, S), hides(T, S))
attention("unbatched", [real(T, E), real(S, E), real(S, E)], hides(S), hides(HEADS, T, S), average=False)
attention("unbatched noweights", [real(T, E), real(S, 3), real(S, 5)], separate=(3, 5), need_weights=False)
attention("bias_kv zero", [real(T, E), real(S, E), real(S, E)], hides(S), bias_kv=True, add_zero_attn=True)
attention("static", [real(T, N, E), real(S, N, E), real(S, N, E)], hides(N, S), static=True, add_zero_attn=True)
finish(file, "transformer.safetensors")
