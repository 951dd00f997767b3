#!/usr/bin/env python3
"""recurrent.safetensors: RNN, LSTM, GRU and their cells by PyTorch 2.15. See reference.py for how to run it.

A case's name says its options: the kind (tanh, relu, lstm, gru), the layers (l2), and bi, nobias, first (batch first), packed,
proj, hx and one (no batch); cell, for a cell. All that goes in is made from a number and has few digits (`fill`), here and
in test_recurrent.cpp; what comes out stands under "case/thing": y (padded, where packed), h_n, c_n, and the gradients dx, dh_0,
dc_0 and d0, d1, .. of the parameters, of the sum of the results times fill 31, 32 and 33.
"""
import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from reference import FLOATS, File, finish

T, N, I, H, P = 4, 4, 2, 3, 2
LENGTHS = [2, 4, 1, 3]
file, random = File(), np.random.RandomState(20261128)


def fill(shape, seed, dtype):
    i = np.arange(int(np.prod(shape)), dtype=np.int64)
    return torch.tensor(((i * 37 + seed * 101 + i * i * 3) % 64 - 32) / 64.0, dtype=dtype).reshape(shape)


def record(case, module, dtype, forward, inputs):
    module = module.to(dtype)
    with torch.no_grad():
        for k, p in enumerate(module.parameters()):
            p.copy_(fill(p.shape, k, dtype))
    x = {name: fill(shape, seed, dtype).requires_grad_() for name, shape, seed in inputs}
    results = forward(module, x)
    sum(torch.sum(y * fill(y.shape, 31 + k, dtype)) for k, (_, y) in enumerate(results)).backward()
    for name, y in results:
        file.add(f"{case}/{name}", y)
    for name, value in x.items():
        file.add(f"{case}/d{name}", value.grad)
    for k, p in enumerate(module.parameters()):
        file.add(f"{case}/d{k}", p.grad)


def layers(kind, number, on, suffix, dtype):
    bi, first, packed, proj, one = (word in on for word in ("bi", "first", "packed", "proj", "one"))
    options = dict(num_layers=number, bidirectional=bi, bias="nobias" not in on, batch_first=first)
    if kind in ("tanh", "relu"):
        module = nn.RNN(I, H, nonlinearity=kind, **options)
    else:
        module = nn.LSTM(I, H, proj_size=P if proj else 0, **options) if kind == "lstm" else nn.GRU(I, H, **options)
    rows, width = number * (2 if bi else 1), P if proj else H
    inputs = [("x", [T, I] if one else [N, T, I] if first else [T, N, I], 21)]
    if "hx" in on:
        inputs.append(("h_0", [rows, width] if one else [rows, N, width], 22))
        if kind == "lstm":
            inputs.append(("c_0", [rows, H] if one else [rows, N, H], 23))

    def forward(module, x):
        hx = None if "hx" not in on else (x["h_0"], x["c_0"]) if kind == "lstm" else x["h_0"]
        v = pack_padded_sequence(x["x"], LENGTHS, first, enforce_sorted=False) if packed else x["x"]
        y, state = module(v, hx)
        if packed:
            y = pad_packed_sequence(y, first, 0.5)[0]
        return [("y", y)] + ([("h_n", state[0]), ("c_n", state[1])] if kind == "lstm" else [("h_n", state)])

    record("_".join([kind, f"l{number}", *on, suffix]), module, dtype, forward, inputs)


def cell(kind, on, suffix, dtype):
    bias, one = "nobias" not in on, "one" in on
    module = (nn.RNNCell(I, H, bias, kind) if kind in ("tanh", "relu") else
              nn.LSTMCell(I, H, bias) if kind == "lstm" else nn.GRUCell(I, H, bias))
    inputs = [("x", [I] if one else [N, I], 21)]
    if "hx" in on:
        inputs.append(("h_0", [H] if one else [N, H], 22))
        if kind == "lstm":
            inputs.append(("c_0", [H] if one else [N, H], 23))

    def forward(module, x):
        hx = None if "hx" not in on else (x["h_0"], x["c_0"]) if kind == "lstm" else x["h_0"]
        state = module(x["x"], hx)
        return [("h_n", state[0]), ("c_n", state[1])] if kind == "lstm" else [("h_n", state)]

    record("_".join([kind, "cell", *on, suffix]), module, dtype, forward, inputs)


drawn = set()
for kind in ("tanh", "relu", "lstm", "gru"):
    for i in range(12):
        while True:
            number = int(random.randint(1, 4))
            on = [word for word in ("bi", "nobias", "first", "packed", "hx") if random.random_sample() < 0.5]
            if kind == "lstm" and i % 2 == 0:
                on.append("proj")
            if i >= 10:
                on = [word for word in on if word not in ("packed", "first")] + ["one"]
            if (kind, number, tuple(on)) not in drawn:
                break
        drawn.add((kind, number, tuple(on)))
        suffix = "f32" if i % 4 == 3 else "f64"
        layers(kind, number, on, suffix, FLOATS[suffix])
    for on in ([], ["hx"], ["nobias", "hx"], ["hx", "one"]):
        cell(kind, on, "f64", torch.float64)

finish(file, "recurrent.safetensors")
