#!/usr/bin/env python3
"""files/foreign.safetensors: what Gradus has no tensors for, as PyTorch 2.15 saves it (the bytes of the file), and as it is
to be saved instead: `NAME` is refused, `NAME.cured` is read, in tests/autograd/test_files_of_values.cpp.

    python3 make_foreign.py
"""
import io
import os
import warnings

import torch

from make_files import HERE, safetensors

warnings.simplefilter("ignore")


class Subclass(torch.Tensor):
    pass


def with_attribute(x):
    x.tag = "x"
    return x


def saved(value):
    file = io.BytesIO()
    torch.save(value, file)
    return torch.frombuffer(bytearray(file.getvalue()), dtype=torch.uint8)


def main():
    x = torch.arange(6.0).reshape(2, 3)
    z = x.to(torch.complex64)
    nested = torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])
    jagged = torch.nested.nested_tensor([torch.ones(2), torch.ones(3)], layout=torch.jagged)
    quantised = torch.quantize_per_tensor(x, 0.1, 0, torch.quint8)
    plain = lambda t: t.detach().as_subclass(torch.Tensor)
    cases = {
        "complex64": (z, torch.view_as_real(z.resolve_conj())),
        "conjugate": (z.conj(), torch.view_as_real(z.conj().resolve_conj())),
        "complex128": (z.to(torch.complex128), torch.view_as_real(z.to(torch.complex128).resolve_conj())),
        "parameter": ({"w": torch.nn.Parameter(z)}, torch.view_as_real(torch.nn.Parameter(z).resolve_conj()).detach()),
        "number": ([3 + 4j], [3.0, 4.0]),
        "uint16": (x.to(torch.uint16), x.to(torch.uint16).to(torch.float32)),
        "float8": (x.to(torch.float8_e4m3fn), x.to(torch.float8_e4m3fn).to(torch.float32)),
        "coo": (x.to_sparse(), x.to_sparse().to_dense()),
        "csr": (x.to_sparse_csr(), x.to_sparse_csr().to_dense()),
        "nested": (nested, list(nested.unbind())),
        "jagged": (jagged, None),
        "quantised": (quantised, quantised.dequantize()),
        "subclass": (x.as_subclass(Subclass), plain(x.as_subclass(Subclass))),
        "attribute": (with_attribute(x.clone()), plain(with_attribute(x.clone()))),
        "negative": (torch._neg_view(x), torch._neg_view(x).resolve_neg()),
    }
    tensors = {}
    for name, (value, cured) in cases.items():
        tensors[name] = saved(value)
        if cured is not None:
            tensors[name + ".cured"] = saved(cured)
    with open(os.path.join(HERE, "foreign.safetensors"), "wb") as f:
        f.write(safetensors(tensors))


if __name__ == "__main__":
    main()
