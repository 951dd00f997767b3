#!/usr/bin/python3
"""half.safetensors: float16, bfloat16, int8 and int16 by PyTorch 2.15. See reference.py for how to run it.

`promotion/table`: the place of torch.promote_types in the list of DTYPES, for all pairs. Cases are named like their call in
test_reference_half.cpp with _f16, _bf16, _i8 or _i16 behind: operands a, b, c, the result y, the gradient from above dy, the
operands' gradients da, db, dc. Bfloat16, which NumPy lacks, is written as the same numbers in float32; results of another
dtype than the operands' are written as they are.
"""
import torch
import torch.nn.functional as F

from reference import File, Inputs, finish

DTYPES = [torch.bool, torch.uint8, torch.int32, torch.int64, torch.float32, torch.float64, torch.float16, torch.bfloat16,
          torch.int8, torch.int16]
inputs, file = Inputs(20261129), File()


def put(name, x):
    file.add(name, x.detach().float() if x.dtype == torch.bfloat16 else x.detach())


def case(name, call, *shapes, low=-2.0, gradient=True):
    numbers = [inputs.uniform(list(s), low, 2.0) for s in shapes]
    dy = None
    for suffix, dtype in (("f16", torch.float16), ("bf16", torch.bfloat16)):
        leaves = [torch.as_tensor(n).to(dtype).requires_grad_(gradient) for n in numbers]
        y, at = call(*leaves), f"{name}_{suffix}"
        for letter, x in zip("abc", leaves):
            put(f"{at}/{letter}", x)
        put(f"{at}/y", y)
        if gradient:
            dy = inputs.uniform(list(y.shape)) if dy is None else dy
            g = torch.as_tensor(dy).to(y.dtype)
            y.backward(g)
            put(f"{at}/dy", g)
            for letter, x in zip("abc", leaves):
                put(f"{at}/d{letter}", x.grad)


def integers(name, call, *shapes, high=60):
    numbers = [inputs.integers(list(s), 2 * high) - high for s in shapes]
    numbers = [torch.as_tensor(n + (n >= 0)) for n in numbers]  # none is 0
    for suffix, dtype in (("i8", torch.int8), ("i16", torch.int16)):
        operands = [n.to(dtype) * (1 if dtype == torch.int8 else 37) for n in numbers]
        for letter, x in zip("abc", operands):
            file.add(f"{name}_{suffix}/{letter}", x)
        file.add(f"{name}_{suffix}/y", call(*operands))


file.add("promotion/table", torch.tensor([[DTYPES.index(torch.promote_types(a, b)) for b in DTYPES] for a in DTYPES]))

s = (3, 4)
for name in "exp", "tanh", "sigmoid", "sin", "erf", "square", "neg", "abs":
    case(name, getattr(torch, name), s)
for name in "log", "sqrt", "rsqrt", "log1p", "reciprocal", "lgamma":
    case(name, getattr(torch, name), s, low=0.3)
for name in "add", "sub", "mul", "maximum", "atan2", "hypot":
    case(name, getattr(torch, name), s, s)
case("div", torch.div, s, s, low=0.3)
case("pow", lambda a: a ** 3, s)
case("number", lambda a: 1.5 - a * 0.3, s)
case("gelu", F.gelu, s)
case("silu", F.silu, s)
case("softplus", F.softplus, s)
case("logsigmoid", F.logsigmoid, s)
case("softmax", lambda a: torch.softmax(a, 1), s)
case("log_softmax", lambda a: torch.log_softmax(a, 1), s)
case("sum", lambda a: a.sum(1), (3, 40))
case("mean", lambda a: a.mean(0), (40, 3))
case("var", lambda a: a.var(1), (3, 20))
case("std", lambda a: a.std(1), (3, 20))
case("norm", lambda a: a.norm(2, 1), (3, 20))
case("logsumexp", lambda a: a.logsumexp(1), s)
case("prod", lambda a: a.prod(1), s)
case("cumsum", lambda a: a.cumsum(1), s)
case("amax", lambda a: a.amax(1), s)
case("matmul", torch.matmul, (3, 20), (20, 4))
case("bmm", torch.bmm, (2, 3, 4), (2, 4, 3))
case("addmm", torch.addmm, (3, 4), (3, 5), (5, 4))
case("linear", F.linear, (3, 20), (4, 20), (4,))
case("conv1d", lambda a, b: F.conv1d(a, b, padding=1), (2, 3, 6), (4, 3, 3))
case("layer_norm", lambda a, b, c: F.layer_norm(a, [8], b, c), (3, 8), (8,), (8,))
case("mse_loss", F.mse_loss, s, s)
case("smooth_l1_loss", F.smooth_l1_loss, s, s)
case("cross_entropy", lambda a: F.cross_entropy(a, torch.tensor([1, 0, 3])), s)
case("max_pool1d", lambda a: F.max_pool1d(a, 2), (2, 3, 6))
case("avg_pool1d", lambda a: F.avg_pool1d(a, 2), (2, 3, 6))
case("index_select", lambda a: a.index_select(0, torch.tensor([2, 0, 2])), s)
case("embedding", lambda a: F.embedding(torch.tensor([2, 0, 2]), a), s)
case("where", lambda a, b: torch.where(a > 0, a, b), s, s)
case("sort", lambda a: a.sort(1)[0], s)
case("to", lambda a: a.float(), s)
case("greater", lambda a, b: a > b, s, s, gradient=False)
case("argmax", lambda a: a.argmax(1), s, gradient=False)
case("round", torch.round, s, gradient=False)
case("floor_divide", torch.floor_divide, s, s, low=0.3, gradient=False)

for name in "add", "sub", "mul", "maximum", "bitwise_and", "bitwise_xor", "floor_divide", "remainder", "eq", "gt":
    integers(name, getattr(torch, name), s, s)
for name in "neg", "abs", "sign", "square", "bitwise_not", "sum", "amax", "argmin", "exp", "logical_not":
    integers(name, getattr(torch, name), s)
integers("div", torch.div, s, s)
integers("cumsum", lambda a: a.cumsum(1), s)
integers("prod", lambda a: a.prod(1), s)
integers("sort", lambda a: a.sort(1)[0], s)
integers("cube", lambda a: a ** 3, s)
integers("shift", lambda a: a << 3, s)
integers("shift back", lambda a: a >> 2, s)
integers("number", lambda a: 7 - a * 5, s)
integers("matmul", torch.matmul, (3, 4), (4, 2))
integers("clamp", lambda a: a.clamp(-20, 30), s)
integers("roll", lambda a: a.roll(1), s)
integers("mixed", lambda a: a + torch.arange(12, dtype=torch.uint8).view(3, 4), s)
integers("to half", lambda a: a + torch.ones(4, dtype=torch.float16), s)

finish(file, "half.safetensors")
