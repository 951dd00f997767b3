"""What the make_*.py scripts share: seeded inputs, the safetensors format, and writing or checking a file.

    /usr/bin/python3 make_layers.py            writes layers.safetensors (Debian's python3-torch 1.13.1)
    /usr/bin/python3 make_layers.py --check    computes everything again and compares it to the committed file

`--check` says "identical" when every byte is equal. Another version of PyTorch or another CPU rounds differently: then
it names the tensors that differ, worst first, and fails beyond 1e-5 (float32) or 1e-12 (float64) in the measure
max|a - b| / max|b| over the tensor; integers, bools, NaNs and infinities have to be equal.
"""
import json
import os
import struct
import sys

import numpy as np
import torch

torch.set_num_threads(1)

HERE = os.path.dirname(os.path.abspath(__file__))
NAMES = {"float32": "F32", "float64": "F64", "int64": "I64", "int32": "I32", "uint8": "U8", "bool": "BOOL",
         "float16": "F16", "int16": "I16", "int8": "I8"}
DTYPES = {v: np.dtype(k) for k, v in NAMES.items()}
FLOATS = {"f32": torch.float32, "f64": torch.float64}


class Inputs:
    """Uniform numbers from the Mersenne Twister, whose stream NumPy has frozen; drawn as float64, so that the float32
    case sees the same numbers rounded. No normal deviates: those pass through the C library's log."""

    def __init__(self, seed):
        self.random = np.random.RandomState(seed)

    def uniform(self, shape, low=-2.0, high=2.0):
        return low + (high - low) * self.random.random_sample(shape)

    def away(self, shape, margin=0.1, low=-2.0, high=2.0):
        """Uniform, with every element at least `margin` away from the kink at 0."""
        x = self.uniform(shape, low, high)
        return np.where(np.abs(x) < margin, x + np.where(x < 0, -margin, margin), x)

    def integers(self, shape, high):
        return (self.random.random_sample(shape) * high).astype(np.int64)


class File:
    """A safetensors file in the making: name -> array, written in order of name."""

    def __init__(self):
        self.tensors = {}

    def add(self, name, value):
        if isinstance(value, torch.Tensor):
            value = value.detach().cpu().numpy()
        value = np.asarray(value)
        if name in self.tensors:
            raise KeyError(f"{name} is there already")
        if value.dtype.name not in NAMES:
            raise TypeError(f"{name}: {value.dtype} is no dtype of Gradus")
        # Not ascontiguousarray: that turns 0-d into 1-d.
        self.tensors[name] = np.array(value, order="C")

    def bytes(self):
        header, blobs, at = {}, [], 0
        # Wide dtypes first, so that every tensor begins aligned to its element.
        for name in sorted(self.tensors, key=lambda n: (-self.tensors[n].itemsize, n)):
            value = self.tensors[name]
            blob = value.astype(value.dtype.newbyteorder("<")).tobytes()
            header[name] = {"dtype": NAMES[value.dtype.name], "shape": list(value.shape),
                            "data_offsets": [at, at + len(blob)]}
            blobs.append(blob)
            at += len(blob)
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        return struct.pack("<Q", len(text)) + text + b"".join(blobs)


def read(path):
    with open(path, "rb") as f:
        raw = f.read()
    length, = struct.unpack("<Q", raw[:8])
    data, tensors = raw[8 + length:], {}
    for name, entry in json.loads(raw[8:8 + length]).items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        tensors[name] = np.frombuffer(data[begin:end], DTYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors


def difference(new, old):
    """(error in the measure of the page's head, text); infinity where the two cannot be compared."""
    if new.dtype != old.dtype or new.shape != old.shape:
        return np.inf, f"{new.dtype}{list(new.shape)} against {old.dtype}{list(old.shape)}"
    if new.dtype.kind != "f":
        return (0.0, "") if np.array_equal(new, old) else (np.inf, f"{new.tolist()} against {old.tolist()}")
    finite = np.isfinite(old)
    same = (new == old) | (np.isnan(new) & np.isnan(old))
    if not np.array_equal(finite, np.isfinite(new)) or not np.all(same | finite):
        return np.inf, f"{new.tolist()} against {old.tolist()}"
    if not finite.any():
        return 0.0, ""
    worst = np.abs(np.where(finite, new, 0) - np.where(finite, old, 0)).max()
    scale = np.abs(old[finite]).max()
    return float(worst / scale if scale > 0 else worst), ""


def finish(file, name):
    """Writes the file, or with --check compares; the end of every script."""
    path, content = os.path.join(HERE, name), file.bytes()
    if "--check" not in sys.argv[1:]:
        with open(path, "wb") as f:
            f.write(content)
        print(f"{name}: {len(file.tensors)} tensors, {len(content)} bytes")
        return
    with open(path, "rb") as f:
        if f.read() == content:
            print(f"{name}: identical ({len(file.tensors)} tensors, torch {torch.__version__})")
            return
    old, failed, rows = read(path), 0, []
    for key in sorted(set(old) ^ set(file.tensors)):
        print(f"{name}: {key} is only {'in the file' if key in old else 'computed'}")
        failed += 1
    for key in sorted(set(old) & set(file.tensors)):
        error, text = difference(file.tensors[key], old[key])
        limit = 1e-12 if old[key].dtype == np.float64 else 1e-5
        failed += error > limit
        if error > 0:
            rows.append((error / limit, error, key, text))
    rows.sort(key=lambda row: -row[0])
    for _, error, key, text in rows[:max(12, failed)]:
        print(f"  {key}: {error:.2e} {text}")
    print(f"{name}: {len(rows)} of {len(file.tensors)} tensors differ in bits, {failed} beyond the limit, "
          f"torch {torch.__version__}")
    sys.exit(1 if failed else 0)
