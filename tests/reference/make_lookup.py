#!/usr/bin/env python3
"""lookup.safetensors: embedding and embedding_bag with options that change the weight or its gradient, and
AdaptiveLogSoftmaxWithLoss, by PyTorch (2.15). See reference.py for how to run it.

Names are "case/thing", in float64. Embeddings: indices, offsets and per_sample (absent or not), before (the weight), after
(the same once it has been renormalised), y, dy, dweight. Adaptive softmax: the parameters p.NAME, x, t, y, loss, dy, dx,
d.NAME, log_prob and predict.
"""
import torch
import torch.nn.functional as F

from reference import File, Inputs, finish

inputs, file = Inputs(20261130), File()


def real(*shape):
    return torch.tensor(inputs.uniform(list(shape), -1, 1))


def whole(n, *shape):
    return torch.tensor(inputs.integers(list(shape), n))


def lookup(case, indices, call, **things):
    weight = real(6, 3)
    file.add(f"{case}/before", weight)
    file.add(f"{case}/indices", indices)
    for name, value in things.items():
        file.add(f"{case}/{name}", value)
    weight.requires_grad_()
    y = call(indices, weight)
    dy = real(*y.shape)
    y.backward(dy)
    for name, value in (("after", weight), ("y", y), ("dy", dy), ("dweight", weight.grad)):
        file.add(f"{case}/{name}", value)


lookup("embedding freq", whole(4, 2, 5), lambda i, w: F.embedding(i, w, scale_grad_by_freq=True, padding_idx=-4))
lookup("embedding norm", whole(4, 2, 5), lambda i, w: F.embedding(i, w, max_norm=0.9))
lookup("embedding norm1", whole(4, 5), lambda i, w: F.embedding(i, w, max_norm=1.2, norm_type=1.0, padding_idx=2))
offsets, ends = torch.tensor([0, 2, 2, 5]), torch.tensor([0, 3, 3, 7])
for mode in ("sum", "mean", "max"):
    lookup(f"bag {mode}", whole(6, 7), lambda i, w: F.embedding_bag(i, w, offsets, mode=mode), offsets=offsets)
    lookup(f"bag {mode} padding norm", whole(4, 3, 3),
           lambda i, w: F.embedding_bag(i, w, mode=mode, padding_idx=-5, max_norm=0.8))
for mode in ("sum", "mean"):
    lookup(f"bag {mode} freq last", whole(4, 7), lambda i, w: F.embedding_bag(
        i, w, ends, mode=mode, scale_grad_by_freq=True, include_last_offset=True), offsets=ends)
weights = real(3, 3)
lookup("bag sum weighted", whole(6, 3, 3), lambda i, w: F.embedding_bag(i, w, mode="sum", per_sample_weights=weights),
       per_sample=weights)

for case, options, x, t in (("adaptive", dict(), real(7, 8), torch.tensor([0, 9, 4, 2, 11, 3, 5])),
                            ("adaptive bias", dict(head_bias=True, div_value=2.0), real(8), torch.tensor(5)),
                            ("adaptive short", dict(div_value=1.5), real(3, 8), torch.tensor([1, 0, 2]))):
    layer = torch.nn.AdaptiveLogSoftmaxWithLoss(8, 12, [3, 5], **options).double()
    for name, p in layer.named_parameters():
        with torch.no_grad():
            p.copy_(real(*p.shape))
        file.add(f"{case}/p.{name}", p)
    x.requires_grad_()
    y, loss = layer(x, t)
    dy = real(*y.shape)
    y.backward(dy)
    for name, value in (("x", x), ("t", t), ("y", y), ("loss", loss), ("dy", dy), ("dx", x.grad)):
        file.add(f"{case}/{name}", value)
    for name, p in layer.named_parameters():
        if p.grad is not None:
            file.add(f"{case}/d.{name}", p.grad)
    rows = x if x.dim() == 2 else x.unsqueeze(0)
    file.add(f"{case}/log_prob", layer.log_prob(rows))
    file.add(f"{case}/predict", layer.predict(rows))
finish(file, "lookup.safetensors")
