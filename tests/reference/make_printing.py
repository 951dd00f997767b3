#!/usr/bin/python3
"""printing.txt and printing.safetensors: tensors, and how Python's PyTorch prints them. See reference.py.

printing.txt holds blocks: a line `== KEY` or `== KEY FLAG`, then the lines of repr(tensor) up to the next `== `.
The values stand under KEY in printing.safetensors. FLAG is `requires_grad`, or the program to run on the tensor x, which
requires grad: `mul` x * 1, `add` x + 0, `sum` x.sum(), `t` x.t().
"""
import os
import sys

import torch

from reference import HERE, File, Inputs, finish

inputs, file, blocks = Inputs(20240604), File(), []
inf, nan = float("inf"), float("nan")
PROGRAMS = {"mul": lambda x: x * 1, "add": lambda x: x + 0, "sum": lambda x: x.sum(), "t": lambda x: x.t()}


def show(key, values, dtype=None, flag=""):
    x = values.clone() if isinstance(values, torch.Tensor) else torch.tensor(values, dtype=dtype)
    file.add(key, x)
    if flag:
        x.requires_grad_()
    if flag in PROGRAMS:
        x = PROGRAMS[flag](x)
    blocks.append(f"== {key} {flag}".rstrip() + "\n" + repr(x) + "\n")


def uniform(*shape, scale=1.0, dtype=torch.float32):
    return torch.tensor(inputs.uniform(shape) * scale, dtype=dtype)


show("scalar", 3.25)
show("scalar_whole", 3.0)
show("scalar_f64", 2.5, torch.float64)
show("scalar_tiny", 1.25e-7)
show("scalar_large", 1.5e9)
show("scalar_int", 7)
show("scalar_int32", -7, torch.int32)
show("scalar_bool", True)
show("scalar_nan", nan)
show("scalar_minus_inf", -inf)
show("vector", [1.5, -2.25, 3.0])
show("whole", [1.0, 2.0, -30.0])
show("negative_zero", [-0.0, 0.0, 1.0])
show("negative_zero_fraction", [-0.0, 0.5])
show("mixed", [0.001, 0.1, 10.5, 123.456])
show("ratio_beyond_1000", [0.001, 1.0, 1001.5])
show("small", [1e-5, 2e-5, 3.5e-5])
show("small_and_one", [1e-4, 1.0])
show("below_1e_4", [9e-5, 0.05])
show("large", [1e8, 2.0])
show("large_fraction", [1e8 + 8, 0.5])
show("whole_large", [1e10, 1.0])
show("whole_1e5", [123456.0, 1.0])
show("fraction_1e5", [123456.5, 99999.25])
show("magnitudes", [1e-5, 1e-2, 1.0, 1e3, 1e6, 1e10])
show("tiny_f64", [1e-300, 1e300, -1.0], torch.float64)
show("subnormal", [1e-40, 0.0])
show("rounds_up", [0.99999, 1.00005, 2.5])
show("nan_inf", [nan, inf, -inf, 1.5])
show("nan_inf_whole", [nan, inf, -inf, 2.0])
show("all_nan", [nan, nan])
show("int64", [1, -20, 300])
show("int64_extreme", [-2**63, 2**63 - 1, 0])
show("int32", [[1, -2], [30, 400]], torch.int32)
show("uint8", [0, 7, 255], torch.uint8)
show("bool", [[True, False], [False, False]])
show("f64", [[0.1, -1.0], [1e3, 2.0]], torch.float64)
show("empty", [])
show("empty_2d", torch.zeros(0, 3))
show("empty_3d", torch.zeros(2, 0, 3, dtype=torch.float64))
show("empty_int", torch.zeros(0, dtype=torch.int64))
show("empty_bool", torch.zeros(0, 2, dtype=torch.bool))
show("matrix", uniform(3, 4))
show("matrix_1x1", [[0.5]])
show("matrix_f64", uniform(2, 3, scale=1e-3, dtype=torch.float64))
show("matrix_scientific", uniform(3, 4, scale=1e6) * torch.tensor([1.0, 1e-3, 1e-6, 1e-9]))
show("wraps_at_80", uniform(30))
show("wraps_at_80_int", torch.arange(50))
show("wraps_in_matrix", uniform(2, 15))
show("wraps_bool", torch.arange(20) % 3 == 0)
show("three", uniform(2, 3, 2))
show("four", uniform(2, 2, 1, 3))
show("five", torch.arange(16).reshape(1, 2, 2, 2, 2))
show("thousand", torch.arange(1000, dtype=torch.int32))
show("summary", torch.arange(1001))
show("summary_float", torch.arange(1001, dtype=torch.float32) / 8)
show("summary_matrix", torch.arange(34 * 30, dtype=torch.int32).reshape(34, 30))
show("summary_tall", torch.arange(1002, dtype=torch.int32).reshape(334, 3))
show("summary_wide", torch.arange(1002, dtype=torch.int32).reshape(3, 334))
show("summary_three", torch.arange(7 * 2 * 100, dtype=torch.uint8).reshape(7, 2, 100))
show("summary_hidden_large", torch.cat([torch.full((500,), 0.5), torch.tensor([1e9]), torch.full((500,), 0.25)]))
show("leaf", [1.0, 2.0], flag="requires_grad")
show("leaf_scalar_f64", 0.5, torch.float64, "requires_grad")
show("leaf_matrix", uniform(2, 3), flag="requires_grad")
show("leaf_long_line", uniform(9), flag="requires_grad")
show("leaf_long_line_f64", uniform(8, dtype=torch.float64), flag="requires_grad")
show("leaf_empty", torch.zeros(0, 2), flag="requires_grad")
show("mul", [1.0, 2.5], flag="mul")
show("mul_matrix", uniform(2, 3), flag="mul")
show("mul_long_line", uniform(6), flag="mul")
show("mul_f64", [1.0, 2.5], torch.float64, "mul")
show("add", [1.0, 2.5], flag="add")
show("sum", [1.0, 2.5], flag="sum")
show("t", [[1.0, 2.5], [3.0, 4.0]], flag="t")

path, text = os.path.join(HERE, "printing.txt"), "".join(blocks)
if "--check" in sys.argv[1:]:
    with open(path) as f:
        committed = f.read()
    for new, old in zip(blocks, committed.split("== ")[1:]):
        if new != "== " + old:
            print("computed:\n" + new + "committed:\n== " + old)
    print("printing.txt: " + ("identical" if text == committed else "DIFFERS"))
    if text != committed:
        sys.exit(1)
else:
    with open(path, "w") as f:
        f.write(text)
finish(file, "printing.safetensors")
