#!/usr/bin/python3
"""shapes.safetensors: shapes in other forms, products made of others and tensors made like others, by PyTorch. See
reference.py for how to run it.

A case has its inputs a, b, c (those that it has), y, dy (the gradient that comes from above) and da, db, dc, all float64.
Its call is the text beside its name in CASES; test_reference_shapes.cpp has the same calls. `made/NAME` are numbers
without operands. Printed texts stand in uint8, as UTF-8.
"""
import numpy as np
import torch

from reference import File, Inputs, finish

inputs, file = Inputs(20261128), File()

CASES = {
    "movedim": ("torch.movedim(a, (0, -1), (1, 0))", [2, 3, 4]),
    "moveaxis": ("torch.moveaxis(a, 0, -1)", [2, 3, 4]),
    "unflatten": ("a.unflatten(1, (3, -1))", [2, 6]),
    "unfold": ("a.unfold(1, 3, 2)", [2, 6, 2]),
    "unfold_overlap": ("a.unfold(0, 4, 1)", [6]),
    "tensor_split": ("torch.cat(torch.tensor_split(a, 3, 1)[::-1], 1)", [2, 7]),
    "tensor_split_at": ("torch.cat(torch.tensor_split(a, (1, -2), 1)[::-1], 1)", [2, 7]),
    "split_with_sizes": ("torch.cat(a.split([3, 0, 4], 1)[::-1], 1)", [2, 7]),
    "atleast_3d": ("torch.atleast_3d(a)", [2, 3]),
    "meshgrid": ("torch.stack(torch.meshgrid(a, b, c, indexing='ij'))", [2], [3], [2]),
    "meshgrid_xy": ("torch.stack(torch.meshgrid(a, b, c, indexing='xy'))", [2], [3], [2]),
    "channel_shuffle": ("torch.nn.functional.channel_shuffle(a, 3)", [2, 6, 2]),
    "pixel_shuffle": ("torch.pixel_shuffle(a, 2)", [2, 8, 2, 3]),
    "pixel_unshuffle": ("torch.pixel_unshuffle(a, 2)", [2, 2, 4, 6]),
    "hstack": ("torch.hstack((a, b))", [2, 1], [2, 3]),
    "hstack_1d": ("torch.hstack((a, b))", [], [3]),
    "vstack": ("torch.vstack((a, b))", [3], [2, 3]),
    "dstack": ("torch.dstack((a, b))", [3], [1, 3, 2]),
    "roll": ("torch.roll(a, (1, -5), (0, -1))", [3, 4]),
    "roll_flat": ("torch.roll(a, 3)", [3, 4]),
    "rot90_1": ("torch.rot90(a, 1, (0, 2))", [2, 3, 2]),
    "rot90_2": ("torch.rot90(a, -2, (0, 2))", [2, 3, 2]),
    "rot90_3": ("torch.rot90(a, 7, (2, 0))", [2, 3, 2]),
    "tile": ("torch.tile(a, (2,))", [2, 3]),
    "tile_more": ("torch.tile(a, (2, 1, 2))", [2, 3]),
    "diag": ("torch.diag(a, -1)", [3]),
    "diag_of": ("torch.diag(a, 1)", [3, 4]),
    "diagflat": ("torch.diagflat(a, 1)", [2, 2]),
    "diag_embed": ("torch.diag_embed(a, -1, 0, 2)", [2, 3]),
    "trace": ("torch.trace(a)", [3, 4]),
    "combinations": ("torch.combinations(a, 3)", [5]),
    "combinations_repeated": ("torch.combinations(a, 2, True)", [4]),
    "cartesian_prod": ("torch.cartesian_prod(a, b, c)", [2], [3], [2]),
    "pad_reflect": ("torch.nn.functional.pad(a, (2, 1, 1, 1), mode='reflect')", [1, 2, 3, 4]),
    "pad_replicate": ("torch.nn.functional.pad(a, (2, 1, 0, 3), mode='replicate')", [1, 2, 3, 4]),
    "pad_circular": ("torch.nn.functional.pad(a, (2, 1, 3, 1), mode='circular')", [1, 2, 3, 4]),
    "sum_to_size": ("a.sum_to_size(3, 1)", [2, 3, 4]),
    "addmv": ("torch.addmv(a, b, c, beta=0.5, alpha=-1.5)", [2], [2, 3], [3]),
    "addr": ("torch.addr(a, b, c, beta=0.5, alpha=-1.5)", [2, 3], [2], [3]),
    "baddbmm": ("torch.baddbmm(a, b, c, beta=0.5, alpha=-1.5)", [2, 2, 2], [2, 2, 3], [2, 3, 2]),
    "addbmm": ("torch.addbmm(a, b, c, beta=0.5, alpha=-1.5)", [2, 2], [2, 2, 3], [2, 3, 2]),
    "inner": ("torch.inner(a, b)", [2, 3], [2, 2, 3]),
    "tensordot": ("torch.tensordot(a, b, ((2, 0), (0, 1)))", [2, 3, 2], [2, 2, 3]),
    "kron": ("torch.kron(a, b)", [2, 1, 2], [3, 2]),
    "cross": ("torch.linalg.cross(a, b, dim=0)", [3, 2], [3, 2]),
    # torch.vander has no gradient: it changes in place what it saved.
    "vander": ("a[:, None] ** torch.arange(3, -1, -1)", [4]),
    "vander_increasing": ("a[:, None] ** torch.arange(3)", [4]),
    "einsum_matmul": ("torch.einsum('ij,jk', a, b)", [2, 3], [3, 4]),
    "einsum_implicit": ("torch.einsum('ba', a)", [2, 3]),
    "einsum_diagonal": ("torch.einsum('iji->j', a)", [2, 3, 2]),
    "einsum_ellipsis": ("torch.einsum('...ij,...jk->...ik', a, b)", [2, 1, 2, 3], [4, 3, 2]),
    "einsum_ellipsis_last": ("torch.einsum('i...,...i->...', a, b)", [2, 3, 2], [3, 2, 2]),
    "einsum_ellipsis_summed": ("torch.einsum('i...->i', a)", [2, 3, 2]),
    "einsum_three": ("torch.einsum('bn,anm,bm->ba', a, b, c)", [2, 3], [4, 3, 2], [2, 2]),
    "einsum_ones": ("torch.einsum('ij,ij->ij', a, b)", [2, 1], [1, 3]),
    "einsum_outer": ("torch.einsum('i,j,k->kij', a, b, c)", [2], [3], [2]),
    "einsum_upper": ("torch.einsum('aB,Bc', a, b)", [2, 3], [3, 2]),
}
for name, (call, *shapes) in CASES.items():
    leaves = {k: torch.tensor(inputs.uniform(s), dtype=torch.float64, requires_grad=True) for k, s in zip("abc", shapes)}
    y = eval(call, dict(leaves, torch=torch))
    dy = torch.tensor(inputs.uniform(list(y.shape)))
    y.backward(dy)
    for k, x in leaves.items():
        file.add(f"{name}/{k}", x)
        file.add(f"{name}/d{k}", x.grad)
    file.add(f"{name}/y", y)
    file.add(f"{name}/dy", dy)

f64 = torch.float64
for name, value in {
    "logspace": torch.logspace(-1, 2, 7, dtype=f64),
    "logspace_base2": torch.logspace(0, 5, 6, base=2.0, dtype=f64),
    "hann": torch.hann_window(7, dtype=f64),
    "hann_symmetric": torch.hann_window(7, False, dtype=f64),
    "hann_1": torch.hann_window(1, dtype=f64),
    "hamming": torch.hamming_window(6, dtype=f64),
    "hamming_symmetric": torch.hamming_window(6, False, dtype=f64),
    "blackman_symmetric": torch.blackman_window(6, False, dtype=f64),
    "bartlett": torch.bartlett_window(7, dtype=f64),
    "bartlett_symmetric": torch.bartlett_window(6, False, dtype=f64),
    "vander_integers": torch.vander(torch.tensor([2, -3, 5])),
    "einsum_integers": torch.einsum("ij,j->i", torch.arange(6).reshape(2, 3), torch.tensor([1, -2, 3])),
}.items():
    file.add(f"made/{name}", value)


def text(name, **options):
    torch.set_printoptions(profile="default")
    torch.set_printoptions(**options)
    file.add(f"text/{name}", np.frombuffer(repr(values).encode(), np.uint8))


values = torch.tensor([[0.5, -1.25, 3.0], [1e-3, 20.0, 7.125]])
text("precision", precision=2)
text("scientific", sci_mode=True)
text("scientific_precision", sci_mode=True, precision=1)
values = torch.tensor([[1e-6, 2.5e7]])
text("plain", sci_mode=False)
values = torch.arange(30).reshape(3, 10)
text("threshold", threshold=20)
text("edgeitems", threshold=20, edgeitems=1)
text("linewidth", linewidth=20)

finish(file, "shapes.safetensors")
