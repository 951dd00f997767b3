#!/usr/bin/python3
"""linalg.safetensors: linear algebra, by PyTorch. See reference.py for how to run it.

Names are "case_f32/thing" and "case_f64/thing": the operands a and b, the results y0, y1, ..., dy0, dy1, ... from above,
and the gradients da, db. Results are those that are free of the signs of columns.
"""
import torch

from reference import FLOATS, File, Inputs, finish

inputs, file = Inputs(20260811), File()
L = torch.linalg


def record(case, f, *shapes, high=2.0):
    values = [inputs.uniform(shape, -high, high) for shape in shapes]
    above = None
    for suffix, dtype in FLOATS.items():
        leaves = [torch.tensor(v, dtype=dtype, requires_grad=True) for v in values]
        results = f(*leaves)
        results = list(results) if isinstance(results, (tuple, list)) else [results]
        if above is None:
            above = [inputs.uniform(list(y.shape)) for y in results]
        dys = [torch.tensor(a, dtype=dtype).reshape(y.shape) for a, y in zip(above, results)]
        torch.autograd.backward(results, dys)
        name = f"{case}_{suffix}"
        for letter, x in zip("ab", leaves):
            file.add(f"{name}/{letter}", x)
            file.add(f"{name}/d{letter}", x.grad)
        for i, (y, dy) in enumerate(zip(results, dys)):
            file.add(f"{name}/y{i}", y.contiguous())
            file.add(f"{name}/dy{i}", dy)


def definite(x):
    return x @ x.mT + torch.eye(x.shape[-1], dtype=x.dtype)


def regular(x):
    return x + 4 * torch.eye(x.shape[-1], dtype=x.dtype)


def symmetric(x):
    return x + x.mT


def squares(parts):
    return [p * p for p in parts]


record("cholesky", lambda a: L.cholesky(definite(a)), [2, 4, 4])
record("cholesky_upper", lambda a: L.cholesky(definite(a), upper=True), [4, 4])
record("cholesky_solve", lambda a, b: torch.cholesky_solve(b, L.cholesky(definite(a))), [3, 3], [3, 2])
record("cholesky_inverse", lambda a: torch.cholesky_inverse(L.cholesky(definite(a))), [3, 3])
for case, shape in (("square", [2, 3, 3]), ("tall", [4, 3]), ("wide", [3, 5])):
    record(f"lu_{case}", lambda a: L.lu(a)[1:], shape)
    record(f"qr_{case}", lambda a: squares(L.qr(a)), shape)
    record(f"svd_{case}", lambda a: (lambda u, s, v: (u * u, s, v * v))(*L.svd(a, full_matrices=False)), shape)
    record(f"svdvals_{case}", L.svdvals, shape)
    record(f"pinv_{case}", lambda a: L.pinv(regular(a) if case == "square" else a), shape)
    record(f"norms_{case}", lambda a: [L.matrix_norm(a, p) for p in ("fro", "nuc", 1, -1, 2, -2, float("inf"))], shape)
record("lu_solve", lambda a, b: L.lu_solve(*L.lu_factor(regular(a)), b), [3, 3], [3, 2])
record("eigh", lambda a: (lambda w, v: (w, v * v))(*L.eigh(symmetric(a))), [2, 4, 4])
record("eigvalsh", lambda a: L.eigvalsh(symmetric(a)), [3, 3])
record("solve", lambda a, b: L.solve(regular(a), b), [2, 3, 3], [2, 3, 2])
record("solve_vectors", lambda a, b: L.solve(regular(a), b), [2, 3, 3], [2, 3])
record("solve_right", lambda a, b: L.solve(regular(a), b, left=False), [3, 3], [2, 2, 3])
record("solve_triangular", lambda a, b: L.solve_triangular(regular(a), b, upper=True), [3, 3], [2, 3, 2])
record("solve_triangular_unit", lambda a, b: L.solve_triangular(a, b, upper=False, left=False, unitriangular=True),
       [3, 3], [2, 3])
record("lstsq", lambda a, b: L.lstsq(a, b)[0], [5, 3], [5, 2])
record("inv", lambda a: L.inv(regular(a)), [2, 3, 3])
record("det", L.det, [2, 4, 4])
record("slogdet", lambda a: L.slogdet(regular(a))[1], [2, 3, 3])
record("logdet", lambda a: torch.logdet(definite(a)), [3, 3])
record("vector_norm", lambda a: L.vector_norm(a, 3, dim=(0, 2)), [2, 3, 4])
record("norm", lambda a: [L.norm(a), L.norm(a, 1), L.norm(a, 2, 0), L.norm(a, "nuc")], [3, 4])
record("matrix_exp", torch.matrix_exp, [3, 4, 4])
record("matrix_exp_large", torch.matrix_exp, [3, 3], high=5.0)
record("matrix_power", lambda a: [L.matrix_power(regular(a), n) for n in (-2, 0, 1, 3)][0::3], [2, 3, 3])
record("cond", lambda a: L.cond(regular(a)), [2, 3, 3])
record("vecdot", L.vecdot, [3, 4], [3, 4])
record("cross", lambda a, b: L.cross(a, b, dim=0), [3, 4], [3, 1])
finish(file, "linalg.safetensors")
