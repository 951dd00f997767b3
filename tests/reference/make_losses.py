#!/usr/bin/env python3
"""losses.safetensors: CTC and normalize for tests/layers/test_losses.cpp, by PyTorch. See reference.py for how to run it
(PyTorch 2.15).

Names are "case/thing", and cases end in _f32 or _f64. Of CTC: logits x (log_softmax's input), targets t, lengths of inputs
m and of targets n, options o (blank, reduction: 0 none, 1 mean, 2 sum, zero_infinity); y, its gradient from above dy and
dx. Of normalize: x, options o (p, dim, eps), y, dy and dx.
"""
import torch
from torch.nn import functional as F

from reference import FLOATS, File, Inputs, finish

inputs, file = Inputs(20261129), File()
u, integers = inputs.uniform, inputs.integers


def both(case, things, options, function):
    """function(x, *things) in either dtype, forward and backward."""
    x, above = things[0], None
    for suffix, dtype in FLOATS.items():
        name = f"{case}_{suffix}"
        leaf = torch.tensor(x, dtype=dtype, requires_grad=True)
        y = function(leaf)
        above = u(list(y.shape)) if above is None else above
        dy = torch.tensor(above, dtype=dtype)
        y.backward(dy)
        for key, value in {"x": leaf, "o": torch.tensor(options, dtype=torch.float64), "y": y, "dy": dy,
                           "dx": leaf.grad, **things[1]}.items():
            file.add(f"{name}/{key}", value)


def ctc(case, shape, targets, steps, lengths, blank=0, reduction="mean", zero_infinity=False):
    t, m, n = (torch.tensor(v, dtype=torch.int64) for v in (targets, steps, lengths))
    both("ctc_" + case, (u(shape, -3, 3), {"t": t, "m": m, "n": n}),
         [blank, ["none", "mean", "sum"].index(reduction), zero_infinity],
         lambda x: F.ctc_loss(x.log_softmax(-1), t, m, n, blank, reduction, zero_infinity))


def normalize(case, shape, p, dim, eps=1e-12):
    both("normalize_" + case, (u(shape), {}), [p, dim, eps], lambda x: F.normalize(x, p, dim, eps))


padded = integers([4, 3], 4) + 1
ctc("mean", [7, 4, 5], padded, [7, 6, 7, 5], [3, 2, 1, 3])
ctc("sum", [7, 4, 5], padded, [7, 6, 7, 5], [3, 2, 1, 3], reduction="sum")
ctc("none", [7, 4, 5], padded, [7, 6, 7, 5], [3, 2, 1, 3], reduction="none")
ctc("concatenated", [7, 4, 5], padded.reshape(-1)[:9], [7, 6, 7, 5], [3, 2, 1, 3])
ctc("blank", [6, 2, 4], [[0, 1, 1], [1, 2, 0]], [6, 5], [3, 2], blank=3, reduction="none")
ctc("repeated", [8, 2, 4], [[2, 2, 2, 2], [1, 1, 3, 3]], [8, 8], [4, 4], reduction="none")
ctc("empty_labels", [5, 2, 3], [[1, 2], [1, 1]], [5, 4], [0, 1])
ctc("one", [6, 4], [1, 3, 1], [6], [3], reduction="none")
ctc("no_path_zero", [4, 3, 4], [[1, 1, 1], [1, 2, 3], [2, 0, 0]], [4, 2, 3], [3, 3, 1], reduction="none",
    zero_infinity=True)
ctc("no_path", [4, 2, 4], [[1, 1, 1], [2, 1, 0]], [4, 4], [3, 2], reduction="none")
normalize("rows", [3, 4], 2, 1)
normalize("columns", [3, 4, 2], 1, -3)
normalize("small", [2, 3], 3, 1, 5.0)
finish(file, "losses.safetensors")
