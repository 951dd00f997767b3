#!/usr/bin/env python3
"""files/: small files of one state, as PyTorch 2.15 and NumPy 2.4 write them, for tests/autograd/test_files_of_python.cpp.

    python3 make_files.py            writes files/
    python3 make_files.py --compare FOLDER   reads what programs/write_files wrote there, and compares

state.*: tensors of all dtypes, 0-d, empty, transposed, and two views of one storage; in a .npz bfloat16 is '|V2', as the
ml_dtypes package has it. values.pt: nested plain values. old.pt: the format before PyTorch 1.6.
optimizers.pt, adam.pt: what optimizers save.
"""
import collections
import copy
import json
import os
import struct
import sys

import numpy as np
import torch

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "files")
CODES = {torch.bool: "BOOL", torch.uint8: "U8", torch.int8: "I8", torch.int16: "I16", torch.int32: "I32",
         torch.int64: "I64", torch.float16: "F16", torch.bfloat16: "BF16", torch.float32: "F32", torch.float64: "F64"}


def state():
    tensors = collections.OrderedDict()
    for dtype in CODES:
        x = torch.arange(-3, 3).reshape(2, 3)
        tensors["of." + str(dtype)[6:]] = (x > 0) if dtype == torch.bool else (x * 37 % 100 - 20).abs().to(dtype) \
            if dtype == torch.uint8 else (x.to(dtype) / 3 if dtype.is_floating_point else x.to(dtype) * 5)
    tensors["scalar"] = torch.tensor(2.5)
    tensors["empty"] = torch.zeros(0, 3)
    tensors["transposed"] = torch.arange(6.0, dtype=torch.float64).reshape(2, 3).t()
    shared = torch.arange(10.0)
    tensors["front"], tensors["back"] = shared[:6], shared[4:].view(2, 3)
    return tensors


def values():
    return {"epoch": 3, "lr": 0.1, "name": "caf\u00e9", "none": None, "on": True, "big": 2 ** 40, "below": -7,
            "list": [1, 2.5, "a", [None, False]], "ints": [1, -2, 3], "tuple": (1, "b", ()), 0: {"inner": torch.ones(2)},
            "counter": collections.Counter({30: 1}), "parameter": torch.nn.Parameter(torch.tensor([1.0, 2.0])),
            "dtype": torch.float32, "size": torch.Size([2, 3])}


def numpy_of(x):
    x = x.detach().contiguous()
    return x.view(torch.int16).numpy().view("V2") if x.dtype == torch.bfloat16 else x.numpy()


def bytes_of(x):
    x = x.detach().contiguous()
    return (x.view(torch.int16) if x.dtype == torch.bfloat16 else x).numpy().tobytes()


def safetensors(tensors):
    header, blobs, at = {}, [], 0
    for name, x in sorted(tensors.items(), key=lambda item: -item[1].element_size()):
        blob = bytes_of(x)
        header[name] = {"dtype": CODES[x.dtype], "shape": list(x.shape), "data_offsets": [at, at + len(blob)]}
        blobs.append(blob)
        at += len(blob)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(blobs)


def read_safetensors(path):
    with open(path, "rb") as f:
        raw = f.read()
    n = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8:8 + n])
    dtypes = {code: dtype for dtype, code in CODES.items()}
    out = collections.OrderedDict()
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            blob = bytearray(raw[8 + n + begin:8 + n + end])
            flat = torch.frombuffer(blob, dtype=dtypes[entry["dtype"]]) if blob else torch.zeros(0, dtype=dtypes[entry["dtype"]])
            out[name] = flat.reshape(entry["shape"])
    return out


def from_numpy(x):
    return torch.from_numpy(x.view(np.int16).copy()).view(torch.bfloat16) if x.dtype == np.dtype("V2") else torch.from_numpy(x)


def write():
    os.makedirs(HERE, exist_ok=True)
    os.chdir(HERE)
    tensors = state()
    torch.save(tensors, "state.pt")
    torch.save(tensors, "old.pt", _use_new_zipfile_serialization=False)
    torch.save(values(), "values.pt")
    arrays = {name: numpy_of(x) for name, x in tensors.items()}
    np.savez("state.npz", **arrays)
    np.savez_compressed("packed.npz", **arrays)
    with open("state.safetensors", "wb") as f:
        f.write(safetensors(tensors))
    np.save("fortran.npy", np.asfortranarray(np.arange(6.0).reshape(2, 3)))
    np.save("big.npy", np.arange(-2, 4, dtype=">i4").reshape(2, 3))
    # A network's state and its outputs: the same must come out here.
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    torch.save(net.state_dict(), "net.pt")
    x = torch.linspace(-1, 1, 6).reshape(2, 3)
    torch.save({"x": x, "y": net(x).detach()}, "outputs.pt")
    for dtype, name in ((torch.float16, "half"), (torch.bfloat16, "bfloat16")):
        torch.save(net.to(dtype).state_dict(), f"net_{name}.pt")
    write_optimizers()


OPTIMIZERS = {
    "SGD": lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9, nesterov=True),
    "Adam": lambda p: torch.optim.Adam(p, lr=0.05, weight_decay=0.1, amsgrad=True),
    "AdamW": lambda p: torch.optim.AdamW(p, lr=torch.tensor(0.0625)),
    "RMSprop": lambda p: torch.optim.RMSprop(p, momentum=0.5, centered=True),
    "Adagrad": lambda p: torch.optim.Adagrad(p, lr_decay=0.1),
    "NAdam": lambda p: torch.optim.NAdam(p, decoupled_weight_decay=True, weight_decay=0.1),
    "RAdam": lambda p: torch.optim.RAdam(p),
    "Adamax": lambda p: torch.optim.Adamax(p),
    "Adadelta": lambda p: torch.optim.Adadelta(p),
    "ASGD": lambda p: torch.optim.ASGD(p),
    "Rprop": lambda p: torch.optim.Rprop(p),
    "Muon": lambda p: torch.optim.Muon(p, lr=0.02),
    "named": lambda p: torch.optim.Adam([("weight", p[0])]),
}


def stepped(weight, optimizer, steps):
    for _ in range(steps):
        weight.grad = (weight ** 3).detach()
        optimizer.step()
    return weight.detach().clone()


def write_optimizers():
    """What an optimizer saves after three steps, with the weight as it was then, and after two steps more."""
    all = {}
    for name, make in OPTIMIZERS.items():
        weight = torch.linspace(0.5, 1.5, 3, dtype=torch.float64)
        weight = (weight.reshape(1, 3).clone() if name == "Muon" else weight).requires_grad_()
        optimizer = make([weight])
        before = stepped(weight, optimizer, 3)
        saved = copy.deepcopy(optimizer.state_dict())
        if name == "Adam":
            torch.save(saved, "adam.pt")
        all[name] = {"saved": saved, "before": before, "after": stepped(weight, optimizer, 2)}
    torch.save(all, "optimizers.pt")


def same(a, b, what):
    assert a.dtype == b.dtype and a.shape == b.shape and bytes_of(a) == bytes_of(b), what


def compare(folder):
    os.chdir(folder)
    expected = state()
    for name in ("state.pt", "stream.pt"):
        read = torch.load(name, weights_only=True)
        assert list(read) == list(expected), (name, list(read))
        for key, x in expected.items():
            same(read[key], x, (name, key))
        assert read["front"].untyped_storage().data_ptr() == read["back"].untyped_storage().data_ptr(), "no longer shared"
    for name in ("state.npz",):
        with np.load(name) as read:
            assert sorted(read.files) == sorted(expected), (name, read.files)
            for key, x in expected.items():
                same(from_numpy(read[key]), x, (name, key))
    read = read_safetensors("state.safetensors")
    assert sorted(read) == sorted(expected)
    for key, x in expected.items():
        same(read[key], x, ("state.safetensors", key))
    same(torch.from_numpy(np.load("one.npy")), expected["transposed"], "one.npy")
    read = torch.load("values.pt", weights_only=True)
    wanted = values()
    assert list(read) == list(wanted)
    assert torch.equal(read.pop(0)["inner"], wanted.pop(0)["inner"])
    parameter = read.pop("parameter")
    assert parameter.requires_grad and torch.equal(parameter, wanted.pop("parameter"))
    wanted.update(dtype=read["dtype"], counter=dict(wanted["counter"]), size=tuple(wanted["size"]))
    assert read == wanted, (read, wanted)
    # A network that was loaded there and saved again: the outputs to the bit, by this machine's own arithmetic.
    for name in ("", "_half", "_bfloat16"):
        here = torch.load(f"{HERE}/net{name}.pt", weights_only=True)
        for kind in ("pt", "npz", "safetensors"):
            path = f"net{name}.{kind}"
            there = torch.load(path, weights_only=True) if kind == "pt" else read_safetensors(path) \
                if kind == "safetensors" else {k: from_numpy(v) for k, v in np.load(path).items()}
            net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2)).to(here["0.weight"].dtype)
            net.load_state_dict(there)
            outputs = torch.load(f"{HERE}/outputs.pt", weights_only=True)
            x = outputs["x"].to(here["0.weight"].dtype)
            mine = net(x)
            net.load_state_dict(here)
            same(mine, net(x), path)
            if name == "":
                assert torch.allclose(mine, outputs["y"], rtol=1e-5, atol=1e-6), path
    # Optimizers whose states were read and written there go on here as if they had never been away.
    saved = torch.load(f"{HERE}/optimizers.pt", weights_only=True)
    assert list(saved) == list(OPTIMIZERS)
    for name in OPTIMIZERS:
        weight = saved[name]["before"].clone().requires_grad_()
        optimizer = torch.optim.Adam([weight]) if name == "named" else OPTIMIZERS[name]([weight])
        optimizer.load_state_dict(torch.load(f"optimizer_{name}.pt", weights_only=True))
        # A rate that is a float32 tensor makes AdamW compute in float32 here; read as a number it does not.
        assert torch.allclose(stepped(weight, optimizer, 2), saved[name]["after"], rtol=1e-6, atol=1e-9), name
    print("PyTorch and NumPy read what was written")


if __name__ == "__main__":
    compare(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[1] == "--compare" else write()
