#!/usr/bin/python3
"""func.safetensors: Jacobians and Hessians of two small networks, by torch.func (PyTorch 2). See reference.py for how to
run it.

Names are "network/thing". A network has x, target, its parameters "p.NAME", the value y, its tangent ty along "t.x" and
"t.NAME" together, its Jacobians "J.x" and "J.NAME", and of the loss the gradients "g.x" and "g.NAME" and Hessians "H.A.B". mlp: Linear, BatchNorm in training, tanh, Linear, mean squared error. conv: two convolutions (softplus, max pooling),
a Linear, cross entropy.
"""
import torch
import torch.nn.functional as F
from torch.func import grad, hessian, jacrev, jvp

from reference import File, Inputs, finish

inputs, file = Inputs(20261128), File()


def draw(*shape, low=-1.0, high=1.0):
    return torch.tensor(inputs.uniform(shape, low, high), dtype=torch.float64)


def network(name, forward, loss, parameters, x, target, pairs):
    everything = {"x": x, **parameters}
    value = lambda p: forward(p)
    scalar = lambda p: loss(forward(p), target)
    tangents = {k: draw(*v.shape) for k, v in everything.items()}
    y, ty = jvp(value, (everything,), (tangents,))
    for k, v in everything.items():
        file.add(f"{name}/{'x' if k == 'x' else 'p.' + k}", v)
        file.add(f"{name}/t.{k}", tangents[k])
    file.add(f"{name}/target", target)
    file.add(f"{name}/y", y)
    file.add(f"{name}/ty", ty)
    for k, g in grad(scalar)(everything).items():
        file.add(f"{name}/g.{k}", g)
    for k, j in jacrev(value)(everything).items():
        file.add(f"{name}/J.{k}", j)
    H = hessian(scalar)(everything)
    for a, b in pairs:
        file.add(f"{name}/H.{a}.{b}", H[a][b])


def mlp(p):
    h = F.linear(p["x"], p["0.weight"], p["0.bias"])
    h = F.batch_norm(h, None, None, p["1.weight"], p["1.bias"], True)
    return F.linear(torch.tanh(h), p["3.weight"], p["3.bias"])


network("mlp", mlp, F.mse_loss,
        {"0.weight": draw(4, 3), "0.bias": draw(4), "1.weight": draw(4, low=0.5, high=1.5), "1.bias": draw(4),
         "3.weight": draw(2, 4), "3.bias": draw(2)},
        draw(5, 3), draw(5, 2),
        [("x", "x"), ("0.weight", "0.weight"), ("1.weight", "1.weight"), ("1.weight", "3.weight"), ("x", "0.weight"),
         ("3.bias", "3.bias")])


def conv(p):
    h = F.max_pool2d(F.softplus(F.conv2d(p["x"], p["0.weight"], p["0.bias"], padding=1)), 2)
    h = F.softplus(F.conv2d(h, p["3.weight"], p["3.bias"]))
    return F.linear(h.flatten(1), p["6.weight"], p["6.bias"])


network("conv", conv, F.cross_entropy,
        {"0.weight": draw(2, 1, 3, 3), "0.bias": draw(2), "3.weight": draw(2, 2, 2, 2), "3.bias": draw(2),
         "6.weight": draw(3, 8), "6.bias": draw(3)},
        draw(2, 1, 6, 6), torch.tensor(inputs.integers([2], 3)),
        [("x", "x"), ("0.weight", "0.weight"), ("3.weight", "3.weight"), ("0.weight", "6.weight"), ("x", "3.bias")])

finish(file, "func.safetensors")
