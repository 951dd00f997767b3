#!/usr/bin/python3
"""layers.safetensors: values and gradients of the layers and losses, by PyTorch. See reference.py for how to run it.

Names are "case/thing". A module's case has x, its parameters and buffers before the step, dy (the gradient that comes
from above), y and dx, dweight, dbias. A loss's case has x, t (target), dy, y, dx. Case names end in _f32 or _f64.
"""
import math

import torch
import torch.nn.functional as F

from reference import FLOATS, File, Inputs, finish

inputs, file = Inputs(20240601), File()


def leaf(value, dtype):
    return torch.tensor(value, dtype=dtype, requires_grad=True)


def record(case, things):
    for thing, value in things.items():
        if value is not None:
            file.add(f"{case}/{thing}", value)


def linear():
    m, n = 5, 3
    for rank, shape in (("1d", [m]), ("2d", [4, m]), ("3d", [2, 6, m])):
        x, dy = inputs.uniform(shape), inputs.uniform(shape[:-1] + [n])
        weight, bias = inputs.uniform([n, m]), inputs.uniform([n])
        for with_bias in (True, False):
            for suffix, dtype in FLOATS.items():
                xs, w = leaf(x, dtype), leaf(weight, dtype)
                b = leaf(bias, dtype) if with_bias else None
                y, g = F.linear(xs, w, b), torch.tensor(dy, dtype=dtype)
                y.backward(g)
                record(f"linear_{rank}{'' if with_bias else '_nobias'}_{suffix}",
                       dict(x=xs, weight=w, bias=b, dy=g, y=y, dx=xs.grad, dweight=w.grad,
                            dbias=b.grad if with_bias else None))


def batch_norm():
    kinds = {"nc": (torch.nn.BatchNorm1d, [6, 3]), "ncl": (torch.nn.BatchNorm1d, [4, 3, 5]),
             "nchw": (torch.nn.BatchNorm2d, [4, 3, 2, 5]), "ncdhw": (torch.nn.BatchNorm3d, [4, 3, 2, 1, 5])}
    variants = [("", {}, 1), ("_momentum03", dict(momentum=0.3), 1), ("_cumulative", dict(momentum=None), 2),
                ("_noaffine", dict(affine=False), 1), ("_nostats", dict(track_running_stats=False), 1),
                ("_eps001", dict(eps=1e-2), 1), ("_twosteps", {}, 2)]
    for kind, (module, shape) in kinds.items():
        for variant, options, steps in {"nc": variants, "nchw": variants[:4]}.get(kind, variants[:1]):
            if variant and kind == "nchw":
                shape = [2, 3, 1, 4]  # small: the first variant has shown the axes
            c = shape[1]
            # Another level and spread in every channel, so that a mixed-up axis shows.
            level = inputs.uniform([c] + [1] * (len(shape) - 2), 1.0, 3.0)
            xs = [inputs.uniform(shape) * level + level for _ in range(steps)]
            dys = [inputs.uniform(shape) for _ in range(steps)]
            weight, bias = inputs.uniform([c], 0.5, 2.0), inputs.uniform([c])
            mean, var = inputs.uniform([c]), inputs.uniform([c], 0.5, 3.0)
            for mode in ("train", "eval"):
                if mode == "eval" and steps > 1:
                    continue
                for suffix, dtype in FLOATS.items():
                    layer = module(c, **options).to(dtype).train(mode == "train")
                    case = f"batch_norm_{kind}{variant}_{mode}_{suffix}"
                    with torch.no_grad():
                        if layer.affine:
                            layer.weight.copy_(torch.tensor(weight))
                            layer.bias.copy_(torch.tensor(bias))
                        if layer.track_running_stats:
                            layer.running_mean.copy_(torch.tensor(mean))
                            layer.running_var.copy_(torch.tensor(var))
                            if steps == 1:  # a module that has already seen seven batches
                                layer.num_batches_tracked.fill_(7)
                    record(case, {k: v.clone() for k, v in layer.state_dict().items()})
                    for step in range(steps):
                        x, g = leaf(xs[step], dtype), torch.tensor(dys[step], dtype=dtype)
                        layer.zero_grad(set_to_none=True)
                        y = layer(x)
                        y.backward(g)
                        n = "" if steps == 1 else str(step + 1)
                        record(case, {f"x{n}": x, f"dy{n}": g, f"y{n}": y, f"dx{n}": x.grad})
                        if layer.affine:
                            record(case, {f"dweight{n}": layer.weight.grad, f"dbias{n}": layer.bias.grad})
                        if layer.track_running_stats:
                            record(case, {f"new_running_mean{n}": layer.running_mean.clone(),
                                          f"new_running_var{n}": layer.running_var.clone(),
                                          f"new_num_batches_tracked{n}": layer.num_batches_tracked.clone()})


def pointwise(name, function, x, gradient=True, **numbers):
    dy = inputs.uniform(x.shape)
    for suffix, dtype in FLOATS.items():
        xs, g = leaf(x, dtype), torch.tensor(dy, dtype=dtype)
        y = function(xs)
        record(f"{name}_{suffix}", dict(x=xs, y=y, **numbers))
        if gradient:
            y.backward(g)
            record(f"{name}_{suffix}", dict(dy=g, dx=xs.grad))


def activations():
    inf, nan = math.inf, math.nan
    x = inputs.uniform([3, 7])
    x[1, 2] = x[2, 4] = 0.0
    pointwise("relu", torch.relu, x)
    pointwise("sigmoid", torch.sigmoid, inputs.uniform([3, 7], -8, 8))
    pointwise("tanh", torch.tanh, inputs.uniform([3, 7], -4, 4))
    special = torch.tensor([0.0, -0.0, inf, -inf, nan, 1000.0, -1000.0, 1e-30, -1e-30, 30.0, -30.0], dtype=torch.float64)
    for name, function in (("relu", torch.relu), ("sigmoid", torch.sigmoid), ("tanh", torch.tanh)):
        pointwise(f"{name}_special", function, special.numpy(), gradient=False)
    rows = torch.tensor([[1000.0, -1000.0, 0.0], [-inf, 1.0, 2.0], [-inf, -inf, 5.0], [-1e30, -1e30, -1e30],
                         [-inf, -inf, -inf], [inf, 0.0, 1.0], [nan, 0.0, 1.0]], dtype=torch.float64)
    for name, function in (("softmax", torch.softmax), ("log_softmax", torch.log_softmax)):
        pointwise(f"{name}_dim1", lambda x, f=function: f(x, 1), inputs.uniform([4, 5]))
        pointwise(f"{name}_dim0", lambda x, f=function: f(x, 0), inputs.uniform([4, 5]))
        pointwise(f"{name}_3d_dim1", lambda x, f=function: f(x, 1), inputs.uniform([2, 5, 3], -6, 6))
        pointwise(f"{name}_1d", lambda x, f=function: f(x, -1), inputs.uniform([6], -30, 30))
        pointwise(f"{name}_special_dim1", lambda x, f=function: f(x, 1), rows.numpy(), gradient=False)


def loss(name, function, x, t, reductions=("mean", "sum", "none"), target_gradient=False, **more):
    """One case per reduction, the mean in both dtypes, the others in float64 (they differ in the last step only).
    `function(x, t, reduction, more)`; floating `more` and `t` follow x's dtype."""
    for reduction in reductions:
        for suffix, dtype in FLOATS.items():
            if reduction != "mean" and suffix == "f32":
                continue

            def cast(value):
                value = torch.as_tensor(value)
                return value.to(dtype) if value.is_floating_point() else value
            xs, ts = leaf(x, dtype), cast(t).clone()
            if target_gradient:
                ts.requires_grad_()
            extra = {k: cast(v) for k, v in more.items()}
            y = function(xs, ts, reduction, extra)
            # Not 1, so that a rule that forgets the gradient from above is seen.
            g = torch.tensor(dys_for(name, y.shape), dtype=dtype)
            y.backward(g)
            record(f"{name}_{reduction}_{suffix}",
                   dict(x=xs, t=ts, dy=g, y=y, dx=xs.grad, dt=ts.grad if target_gradient else None, **extra))


DYS = {}


def dys_for(name, shape):
    key = (name, tuple(shape))
    if key not in DYS:
        DYS[key] = inputs.uniform(list(shape), 0.3, 1.7)
    return DYS[key]


def class_losses():
    for kind, x_shape, t_shape in (("nc", [6, 5], [6]), ("ncl", [2, 5, 3], [2, 3])):
        classes = 5
        x, t = inputs.uniform(x_shape, -3, 3), inputs.integers(t_shape, classes)
        t.flat[0], t.flat[3] = 2, 4  # so that ignore_index = 2 finds something
        weight = inputs.uniform([classes], 0.2, 2.0)
        ignore = {"ignore_index": torch.tensor(2)}
        smooth = {"label_smoothing": torch.tensor(0.1, dtype=torch.float64)}

        def cross_entropy(x, t, reduction, more):
            return F.cross_entropy(x, t, weight=more.get("weight"), reduction=reduction,
                                   ignore_index=int(more.get("ignore_index", -100)),
                                   label_smoothing=0.1 if "label_smoothing" in more else 0.0)

        def nll(x, t, reduction, more):
            return F.nll_loss(x, t, weight=more.get("weight"), reduction=reduction,
                              ignore_index=int(more.get("ignore_index", -100)))

        # Sum and none with no option and with all; the mean, where the options change the divisor, with each.
        def reductions(more, all_options):
            return ("mean", "sum", "none") if len(more) in (0, all_options) else ("mean",) if kind == "nc" else ()

        w = {"weight": weight}
        for option, more in (("", {}), ("_weight", w), ("_ignore", ignore), ("_smooth", smooth),
                             ("_weight_ignore_smooth", {**w, **ignore, **smooth})):
            loss(f"cross_entropy_{kind}{option}", cross_entropy, x, t, reductions(more, 3), **more)
        for option, more in (("", {}), ("_weight", w), ("_ignore", ignore), ("_weight_ignore", {**w, **ignore})):
            loss(f"nll_loss_{kind}{option}", nll, x, t, reductions(more, 2), **more)

        shares = inputs.uniform(x_shape, 0.1, 1.0)
        shares /= shares.sum(1, keepdims=True)
        for option, more in (("", {}), ("_weight", w), ("_smooth", smooth), ("_weight_smooth", {**w, **smooth})):
            loss(f"cross_entropy_{kind}_probability{option}", cross_entropy, x, shares, reductions(more, 2),
                 target_gradient=True, **more)

    for suffix, dtype in FLOATS.items():  # nothing left to average: NaN for the mean, 0 for the sum
        x, t = leaf(inputs.uniform([2, 5]), dtype), torch.tensor([2, 2])
        for reduction in ("mean", "sum"):
            x.grad = None
            y = F.cross_entropy(x, t, ignore_index=2, reduction=reduction)
            y.backward()
            record(f"cross_entropy_all_ignored_{reduction}_{suffix}", dict(x=x.detach().clone(), t=t, y=y, dx=x.grad))


def value_losses():
    def mse(x, t, reduction, _):
        return F.mse_loss(x, t, reduction=reduction)

    def bce(x, t, reduction, more):
        return F.binary_cross_entropy_with_logits(x, t, weight=more.get("weight"), reduction=reduction,
                                                  pos_weight=more.get("pos_weight"))

    loss("mse_loss", mse, inputs.uniform([4, 3]), inputs.uniform([4, 3]), target_gradient=True)
    x, t = inputs.uniform([5, 3], -4, 4), inputs.uniform([5, 3], 0, 1)
    weight, pos_weight = {"weight": inputs.uniform([5, 3], 0.2, 2)}, {"pos_weight": inputs.uniform([3], 0.5, 4)}
    for option, more in (("", {}), ("_weight", weight), ("_pos_weight", pos_weight), ("_both", {**weight, **pos_weight})):
        loss(f"bce_logits{option}", bce, x, t, ("mean",) if len(more) == 1 else ("mean", "sum", "none"), **more)
    # Saturated logits and exactly 0, each with target 0, 1 and between.
    x = torch.tensor([1000.0, -1000.0, 0.0], dtype=torch.float64).repeat_interleave(3).reshape(3, 3).numpy()
    t = torch.tensor([0.0, 1.0, 0.25], dtype=torch.float64).repeat(3, 1).numpy()
    loss("bce_logits_extreme", bce, x, t, ("none",))
    loss("bce_logits_extreme_pos_weight", bce, x, t, ("none",), **pos_weight)


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


def dropout():
    """PyTorch's arithmetic under Gradus's own mask: element i is kept where word i < floor((1 - p) 2^32)."""
    seed, shape = 7, [6, 5]
    for p in (0.3, 0.5):
        kept = [w < int((1 - p) * 2.0**32) for w in philox_words(seed, 30)]
        mask = torch.tensor(kept).reshape(shape)
        drawn, upstream = inputs.uniform(shape), inputs.uniform(shape)
        for suffix, dtype in FLOATS.items():
            for form in ("", "_classic"):
                x, dy = leaf(drawn, dtype), torch.tensor(upstream, dtype=dtype)
                y = torch.where(mask, x if form else x / (1 - p), torch.zeros((), dtype=dtype))
                y.backward(dy)
                record(f"dropout_{int(p * 10)}{form}_{suffix}",
                       dict(x=x.detach().clone(), dy=dy, y=y, dx=x.grad, mask=mask, seed=torch.tensor(seed)))


linear()
batch_norm()
activations()
class_losses()
value_losses()
dropout()
finish(file, "layers.safetensors")
