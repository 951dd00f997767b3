#!/usr/bin/env python3
"""indexing.safetensors: reading and writing by index tensors and masks, by PyTorch (2.15).
See reference.py for how to run it.

A case has its operands a and b (float64, they require grad), i and j (int64), m (bool), as far as its call beside its name
names them; y, dy (the gradient from above), da and db.
"""
import torch

from reference import File, Inputs, finish

inputs, file = Inputs(20261128), File()


def put(x, places, values):
    y = x.clone()
    y[places] = values
    return y


def numbers(shape, kind=""):
    x = inputs.away(shape, 0.2)
    if kind == "zero":  # one zero in the first column, two in the second
        x[0, 0] = x[0, 1] = x[-1, 1] = 0
    if kind == "half":  # ties
        x = (x * 2).round() / 2
    return torch.tensor(x, requires_grad=True)


def index(shape, n):
    return torch.tensor(inputs.integers(shape, n))


def different(rows, k, n):
    order = [torch.tensor(inputs.uniform([n])).argsort()[:k] for _ in range(rows)]
    return order[0] if rows == 1 else torch.stack(order)


def mask(shape):
    return torch.tensor(inputs.uniform(shape) > 0)


def case(name, call, **operands):
    y = eval(call, dict(operands, torch=torch, put=put))
    for letter, x in operands.items():
        file.add(f"{name}/{letter}", x)
    dy = torch.tensor(inputs.uniform(list(y.shape)))
    file.add(f"{name}/y", y)
    file.add(f"{name}/dy", dy)
    y.backward(dy)
    for letter in "ab":
        if letter in operands:
            x = operands[letter]
            file.add(f"{name}/d{letter}", x.grad if x.grad is not None else torch.zeros_like(x))


case("index_rows", "a[i]", a=numbers([3, 4]), i=index([2, 2], 3))
case("index_negative", "a[i - 2]", a=numbers([3, 4]), i=index([2, 2], 3))
case("index_second", "a[:, i]", a=numbers([3, 4]), i=index([2, 2], 3))
case("index_apart", "a[i, :, j]", a=numbers([2, 3, 4]), i=index([2, 2], 2), j=index([2], 4))
case("index_side_by_side", "a[:, i, j]", a=numbers([2, 3, 4]), i=index([2, 2], 3), j=index([2], 4))
case("index_with_none", "a[None, i, ..., j]", a=numbers([2, 3, 4]), i=index([2, 2], 2), j=index([2], 4))
case("index_with_integer", "a[i, 1, j]", a=numbers([2, 3, 4]), i=index([2, 2], 2), j=index([2], 4))
case("index_integer_first", "a[1, i, 1:3]", a=numbers([2, 3, 4]), i=index([2, 2], 3), j=index([2], 4))
case("index_step", "a[::2, i]", a=numbers([3, 4]), i=index([2, 2], 3))
case("index_one_element", "a[i[0, 0]]", a=numbers([3, 4]), i=index([2, 2], 3))
case("index_transposed", "a.t()[i, j]", a=numbers([3, 4]), i=index([2, 2], 3), j=index([2], 3))
case("index_mask", "a[m]", a=numbers([3, 4]), m=mask([3, 4]))
case("index_mask_rows", "a[m]", a=numbers([3, 4]), m=mask([3]))
case("index_mask_slice", "a[m, 1:]", a=numbers([3, 4]), m=mask([3]))
case("index_mask_second", "a[:, m]", a=numbers([3, 4]), m=mask([4]))
case("index_mask_two_dims", "a[m]", a=numbers([3, 4, 5]), m=mask([3, 4]))
case("index_mask_and_index", "a[m, j]", a=numbers([3, 4]), m=torch.tensor([True, False, True]), j=index([2], 4))
case("index_mask_true", "a[torch.tensor(True)]", a=numbers([3, 4]))
case("index_mask_last", "a[..., m]", a=numbers([2, 3, 4]), m=mask([3, 4]))
case("index_none_picked", "a[i[:0]]", a=numbers([3, 4]), i=index([2, 2], 3))
case("masked_select", "torch.masked_select(a, m)", a=numbers([3, 4]), m=mask([4]))
case("masked_scatter", "torch.masked_scatter(a, m, b)", a=numbers([3, 4]), m=mask([3, 4]), b=numbers([3, 4]))
case("index_put", "torch.index_put(a, (i,), b)", a=numbers([3, 4]), i=different(1, 2, 3), b=numbers([2, 4]))
case("index_put_broadcast", "torch.index_put(a, (i,), b)", a=numbers([3, 4]), i=different(1, 2, 3), b=numbers([1]))
case("index_put_add", "torch.index_put(a, (i, j), b, accumulate=True)", a=numbers([3, 4]), i=index([2, 2], 3), j=index([2], 4), b=numbers([2, 2]))
case("index_put_mask", "torch.index_put(a, (m,), b)", a=numbers([3, 4]), m=mask([3, 4]), b=numbers([1]))
case("index_put_mask_rows", "torch.index_put(a, (m,), b)", a=numbers([3, 4]), m=mask([3]), b=numbers([4]))
case("index_put_slice", "put(a, (slice(None), i), b)", a=numbers([3, 4]), i=different(1, 2, 3), b=numbers([3, 2]))
case("take", "torch.take(a, i)", a=numbers([3, 4]), i=index([2, 2], 12))
case("put_add", "torch.Tensor.put(a, i, b, accumulate=True)", a=numbers([3, 4]), i=index([2, 2], 12), b=numbers([2, 2]))
case("take_along_dim", "torch.take_along_dim(a, i, 0)", a=numbers([3, 4]), i=index([2, 4], 3))
case("take_along_dim_flat", "torch.take_along_dim(a, i)", a=numbers([3, 4]), i=index([2, 2], 12))
case("gather", "torch.gather(a, 0, i)", a=numbers([3, 4]), i=index([2, 4], 3))
case("repeat_interleave", "torch.repeat_interleave(a, 3)", a=numbers([3, 4]))
case("repeat_interleave_dim", "torch.repeat_interleave(a, 2, dim=1)", a=numbers([3, 4]))
case("repeat_interleave_counts", "torch.repeat_interleave(a, i, dim=0)", a=numbers([3, 4]), i=index([3], 3))
case("scatter", "torch.scatter(a, 1, i, b)", a=numbers([3, 4]), i=different(3, 2, 4), b=numbers([3, 2]))
case("scatter_number", "torch.scatter(a, 0, i, 0.5)", a=numbers([3, 4]), i=index([2, 4], 3))
case("scatter_add", "torch.scatter_add(a, 0, i, b)", a=numbers([3, 4]), i=index([5, 4], 3), b=numbers([5, 4]))
case("index_add", "torch.index_add(a, 0, i, b, alpha=-0.5)", a=numbers([3, 4]), i=index([5], 3), b=numbers([5, 4]))
case("index_copy", "torch.index_copy(a, 0, i, b)", a=numbers([3, 4]), i=different(1, 2, 3), b=numbers([2, 4]))
case("index_fill", "torch.index_fill(a, 1, i, 0.5)", a=numbers([3, 4]), i=index([3], 3))
case("index_fill_tensor", "torch.index_fill(a, 0, i, b)", a=numbers([3, 4]), i=different(1, 2, 3), b=numbers([]))
case("select_scatter", "torch.select_scatter(a, b, 1, -1)", a=numbers([3, 4]), b=numbers([3]))
case("slice_scatter", "torch.slice_scatter(a, b, 1, 1, None, 2)", a=numbers([3, 4]), b=numbers([3, 2]))
case("diagonal_scatter", "torch.diagonal_scatter(a, b, 1)", a=numbers([3, 4]), b=numbers([3]))
case("fill_diagonal", "a.clone().fill_diagonal_(0.5, wrap=True)", a=numbers([7, 2]))
case("fill_diagonal_cube", "a.clone().fill_diagonal_(0.5)", a=numbers([3, 3, 3]))
case("scatter_reduce_sum", 'torch.scatter_reduce(a, 0, i, b, "sum", include_self=True)', a=numbers([3, 4]), i=index([5, 4], 3), b=numbers([5, 4]))
case("scatter_reduce_sum_without_self", 'torch.scatter_reduce(a, 0, i, b, "sum", include_self=False)', a=numbers([3, 4]), i=index([5, 4], 3), b=numbers([5, 4]))
case("scatter_reduce_prod", 'torch.scatter_reduce(a, 0, i, b, "prod", include_self=True)', a=numbers([3, 4]), i=index([5, 4], 3), b=numbers([5, 4]))
case("scatter_reduce_prod_without_self", 'torch.scatter_reduce(a, 0, i, b, "prod", include_self=False)', a=numbers([3, 4]), i=index([5, 4], 3), b=numbers([5, 4]))
case("scatter_reduce_mean", 'torch.scatter_reduce(a, 0, i, b, "mean", include_self=True)', a=numbers([3, 4]), i=index([5, 4], 3), b=numbers([5, 4]))
case("scatter_reduce_mean_without_self", 'torch.scatter_reduce(a, 0, i, b, "mean", include_self=False)', a=numbers([3, 4]), i=index([5, 4], 3), b=numbers([5, 4]))
case("scatter_reduce_amax", 'torch.scatter_reduce(a, 0, i, b, "amax", include_self=True)', a=numbers([3, 4]), i=index([5, 4], 3), b=numbers([5, 4]))
case("scatter_reduce_amax_without_self", 'torch.scatter_reduce(a, 0, i, b, "amax", include_self=False)', a=numbers([3, 4]), i=index([5, 4], 3), b=numbers([5, 4]))
case("scatter_reduce_amin", 'torch.scatter_reduce(a, 0, i, b, "amin", include_self=True)', a=numbers([3, 4]), i=index([5, 4], 3), b=numbers([5, 4]))
case("scatter_reduce_amin_without_self", 'torch.scatter_reduce(a, 0, i, b, "amin", include_self=False)', a=numbers([3, 4]), i=index([5, 4], 3), b=numbers([5, 4]))
case("scatter_reduce_prod_zeros", 'torch.scatter_reduce(a, 0, i, b, "prod")', a=numbers([3, 4], "zero"), i=index([5, 4], 3), b=numbers([5, 4], "zero"))
case("scatter_reduce_amax_ties", 'torch.scatter_reduce(a, 0, i, b, "amax")', a=numbers([3, 4], "half"), i=index([5, 4], 3), b=numbers([5, 4], "half"))

finish(file, "indexing.safetensors")
