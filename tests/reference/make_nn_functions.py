#!/usr/bin/env python3
"""nn_functions.safetensors: losses, normalisations, pooling, transposed convolution and their like as functions, by PyTorch
(2.15). See reference.py for how to run it.

A case has its operands a, b, c, d in order (float64: they require grad; int64; bool), y (and y1, y2 ..., where there are more
results), dy (the gradient from above) and da, db, ... The call beside a case's name is the one that the test makes.
"""
import torch
import torch.nn.functional as F

from reference import File, Inputs, finish

inputs, file = Inputs(20261129), File()
LETTERS = "abcd"


def real(*shape, low=-2.0, high=2.0):
    return torch.tensor(inputs.uniform(shape, low, high))


def whole(*shape, n=4):
    return torch.tensor(inputs.integers(shape, n))


def sides(*shape):
    return torch.tensor(inputs.integers(shape, 2)) * 2 - 1


def case(name, call, *operands):
    for letter, x in zip(LETTERS, operands):
        file.add(f"{name}/{letter}", x)
        if x.is_floating_point():
            x.requires_grad_()
    results = call(*operands)
    results = results if isinstance(results, tuple) else (results,)
    for i, y in enumerate(results):
        file.add(f"{name}/y{i or ''}", y)
    if not results[0].requires_grad:
        return
    dy = torch.tensor(inputs.uniform(list(results[0].shape)))
    file.add(f"{name}/dy", dy)
    results[0].backward(dy)
    for letter, x in zip(LETTERS, operands):
        if x.is_floating_point() and x.grad is not None:
            file.add(f"{name}/d{letter}", x.grad)


p, q = real(3, 4, low=0.02, high=0.98), real(3, 4, low=0, high=1)
for name, reduction in (("none", "none"), ("mean", "mean"), ("sum", "sum")):
    case(f"binary_cross_entropy {name}", lambda a, b: F.binary_cross_entropy(a, b, reduction=reduction), p.clone(), q.clone())
case("binary_cross_entropy weighted", lambda a, b: F.binary_cross_entropy(a, b, torch.tensor([1.0, 2.0, 0.5, 3.0])), p.clone(), q.clone())
case("binary_cross_entropy bounds", lambda a, b: F.binary_cross_entropy(a, b.detach(), reduction="none"),
     torch.tensor([0.0, 0.0, 1.0, 1.0, 0.0, 1.0], dtype=torch.float64), torch.tensor([0.0, 1.0, 0.0, 1.0, 0.5, 0.5], dtype=torch.float64))
case("kl_div", lambda a, b: F.kl_div(a, b, reduction="none"), real(3, 4), real(3, 4, low=0.1, high=1))
case("kl_div zero", lambda a, b: F.kl_div(a, b.detach(), reduction="mean"), real(2, 2), torch.tensor([[0.0, 0.5], [1.0, 0.0]], dtype=torch.float64))
case("kl_div log", lambda a, b: F.kl_div(a, b, reduction="sum", log_target=True), real(3, 4), real(3, 4))
case("poisson_nll_loss", lambda a, b: F.poisson_nll_loss(a, b, True, full=True, reduction="none"), real(3, 4), real(3, 4, low=0.2, high=5))
case("poisson_nll_loss counts", lambda a, b: F.poisson_nll_loss(a, b, True), real(3, 4), whole(3, 4))
case("poisson_nll_loss rates", lambda a, b: F.poisson_nll_loss(a, b, False, eps=1e-3), real(3, 4, low=0.2, high=2), real(3, 4, low=0, high=3))
case("soft_margin_loss", lambda a, b: F.soft_margin_loss(a, b), real(3, 4), sides(3, 4))
case("hinge_embedding_loss", lambda a, b: F.hinge_embedding_loss(a, b, 0.7), real(3, 4), sides(3, 4))
case("margin_ranking_loss", lambda a, b, c: F.margin_ranking_loss(a, b, c, 0.3), real(5), real(5), sides(5))
case("cosine_embedding_loss", lambda a, b, c: F.cosine_embedding_loss(a, b, c, 0.1), real(5, 3), real(5, 3), sides(5))
case("cosine_embedding_loss one", lambda a, b, c: F.cosine_embedding_loss(a, b, c), real(3), real(3), sides()[()])
case("triplet_margin_loss", lambda a, b, c: F.triplet_margin_loss(a, b, c, reduction="none"), real(5, 3), real(5, 3), real(5, 3))
case("triplet_margin_loss swap", lambda a, b, c: F.triplet_margin_loss(a, b, c, 2.0, p=3, swap=True), real(5, 3), real(5, 3), real(5, 3))
case("multi_margin_loss", lambda a, b: F.multi_margin_loss(a, b, reduction="none"), real(3, 4), whole(3))
case("multi_margin_loss weighted", lambda a, b: F.multi_margin_loss(a, b, 2, 0.8, torch.tensor([1.0, 2.0, 0.5, 3.0], dtype=torch.float64)), real(3, 4), whole(3))
case("multi_margin_loss one", lambda a, b: F.multi_margin_loss(a, b), real(4), torch.tensor(2))
case("multilabel_margin_loss", lambda a, b: F.multilabel_margin_loss(a, b, reduction="none"), real(3, 4), torch.tensor([[3, 0, -1, 1], [1, -1, 2, 2], [2, 2, 1, -1]]))
case("multilabel_margin_loss one", lambda a, b: F.multilabel_margin_loss(a, b), real(4), torch.tensor([3, 1, -1, -1]))

case("batch_norm", lambda a, b, c: torch.batch_norm(a, b, c, None, None, True, 0.1, 1e-5, False), real(3, 4, 2), real(4), real(4))


def with_running(f):
    mean, var = torch.tensor([0.1, -0.2], dtype=torch.float64), torch.tensor([1.5, 0.5], dtype=torch.float64)
    return f(mean, var), mean, var


case("instance_norm", lambda a, b, c: with_running(lambda m, v: torch.instance_norm(a, b, c, m, v, True, 0.3, 1e-5, False)), real(3, 2, 4), real(2), real(2))
case("instance_norm running", lambda a, b, c: with_running(lambda m, v: torch.instance_norm(a, b, c, m, v, False, 0.3, 1e-5, False)), real(3, 2, 4), real(2), real(2))
case("group_norm", lambda a, b, c: torch.group_norm(a, 2, b, c), real(2, 4, 3), real(4), real(4))
case("rms_norm", lambda a, b: torch.rms_norm(a, [3, 4], b), real(2, 3, 4), real(3, 4))
case("rms_norm eps", lambda a: torch.rms_norm(a, [4], None, 0.1), real(3, 4))

case("adaptive_avg_pool1d", lambda a: F.adaptive_avg_pool1d(a, 3), real(2, 3, 7))
case("adaptive_avg_pool3d", lambda a: F.adaptive_avg_pool3d(a, (2, 3, 1)), real(2, 2, 3, 4, 5))
case("adaptive_avg_pool3d even", lambda a: F.adaptive_avg_pool3d(a, 2), real(2, 4, 2, 4))
case("adaptive_max_pool1d", lambda a: F.adaptive_max_pool1d(a, 3, True), real(2, 3, 7))
case("adaptive_max_pool2d", lambda a: F.adaptive_max_pool2d(a, (3, 2), True), real(2, 5, 3))
case("adaptive_max_pool3d", lambda a: F.adaptive_max_pool3d(a, (2, 3, 1), True), real(2, 2, 3, 4, 5))
case("max_unpool2d", lambda a: torch.ops.aten.max_unpool2d(a, F.max_pool2d(torch.arange(24.0).view(1, 4, 6).cos().double(), 2, return_indices=True)[1], [4, 6]), real(1, 2, 3))
case("max_unpool3d", lambda a: torch.ops.aten.max_unpool3d(a, torch.tensor([[[[7, 1], [3, 11]]]]), [2, 2, 3], [2, 2, 2], [0, 0, 0]), real(1, 1, 2, 2))

case("conv_transpose1d", lambda a, b, c: torch.conv_transpose1d(a, b, c, 2, 1, 1, 2), real(2, 4, 3), real(4, 2, 3), real(4))
case("conv_transpose2d", lambda a, b, c: torch.conv_transpose2d(a, b, c, (2, 1), (0, 1), (1, 0), 1, (1, 2)), real(2, 2, 3, 3), real(2, 3, 2, 2), real(3))
case("conv_transpose2d further", lambda a, b, c: torch.conv_transpose2d(a, b, c, 1, 0, (2, 0), 1, (3, 1)), real(2, 2, 3), real(2, 1, 2, 2), real(1))
case("conv_transpose3d", lambda a, b: torch.conv_transpose3d(a, b, None, (2, 1, 2), (1, 0, 0), (1, 0, 0)), real(1, 2, 2, 3, 2), real(2, 2, 3, 1, 2))

case("bilinear", lambda a, b, c, d: torch.bilinear(a, b, c, d), real(2, 3, 2), real(2, 3, 4), real(5, 2, 4), real(5))
numbers, offsets = torch.tensor([1, 4, 0, 4, 2, 3]), torch.tensor([0, 2, 2, 5])
case("embedding_bag sum", lambda a: torch.embedding_bag(a, numbers, offsets, False, 0)[0], real(5, 3))
case("embedding_bag mean", lambda a: torch.embedding_bag(a, numbers, offsets, False, 1)[::2], real(5, 3))
case("embedding_bag max", lambda a: torch.embedding_bag(a, numbers, offsets, False, 2)[::2], real(5, 3))
case("embedding_bag weighted", lambda a, b: torch.embedding_bag(a, numbers, offsets, False, 0, False, b)[0], real(5, 3), real(6))
case("embedding_bag padding", lambda a: torch.embedding_bag(a, numbers, offsets, False, 1, False, None, False, 4)[0], real(5, 3))
case("pad_sequence", lambda a, b, c: torch.nn.utils.rnn.pad_sequence([a, b, c], padding_value=0.5), real(2, 2), real(4, 2), real(1, 2))
case("pad_sequence left", lambda a, b: torch.nn.utils.rnn.pad_sequence([a, b], True, 0, "left"), real(2), real(4))

case("cov", lambda a: torch.cov(a), real(3, 5))
case("cov weighted", lambda a, b, c: torch.cov(a, correction=0, fweights=b + 1, aweights=c), real(3, 5), whole(5), real(5, low=0.2, high=2))
case("corrcoef", lambda a: torch.corrcoef(a), real(3, 5))
case("var correction", lambda a: torch.var(a, 1, correction=2), real(3, 5))
case("std correction", lambda a: torch.std(a, (0, 1), correction=3, keepdim=True), real(3, 5))
case("block_diag", lambda a, b, c: torch.block_diag(a, b, c), real(2, 3), real(2), real())
case("cumulative_trapezoid", lambda a, b: torch.cumulative_trapezoid(a, b), real(3, 4), real(4))
case("cumulative_trapezoid step", lambda a: torch.cumulative_trapezoid(a, dx=0.5, dim=0), real(3, 4))
case("tril_indices", lambda: torch.stack((*torch.tril_indices(3, 4, 1), )))
case("triu_indices", lambda: torch.triu_indices(3, 4, -1))
case("round", lambda a: torch.round(a, decimals=2), real(3, 4))
case("round tens", lambda a: torch.round(a * 100, decimals=-1), real(3, 4))
case("masked_fill", lambda a, b, c: a.masked_fill(b > 0, c), real(3, 4), whole(3, 4, n=2), real())
case("scatter add", lambda a, b, c: a.detach().scatter_(1, b, c.detach(), reduce="add"), real(3, 4), whole(3, 2), real(3, 2))
case("scatter multiply", lambda a, b, c: a.detach().scatter_(1, b, c.detach(), reduce="multiply"), real(3, 4), whole(3, 2), real(3, 2))
case("rdiv", lambda a: 1.5 / a, real(3, 4, low=0.3, high=3))

# An output_padding of the stride or more: windows reach into it from behind the padding, and in the end nothing does.
case("conv_transpose1d cropped", lambda a, b, c: torch.conv_transpose1d(a, b, c, 1, 1, 2, 1, 3), real(2, 2, 3), real(2, 2, 2), real(2))
case("conv_transpose1d cropped whole", lambda a, b, c: torch.conv_transpose1d(a, b, c, 1, 4, 6, 1, 7), real(1, 2, 3), real(2, 1, 1), real(1))
case("conv_transpose2d cropped", lambda a, b, c: torch.conv_transpose2d(a, b, c, (2, 3), (2, 1), (3, 2), 2, (4, 1)), real(2, 4, 3, 2), real(4, 1, 3, 2), real(2))

finish(file, "nn_functions.safetensors")
