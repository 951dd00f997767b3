#!/usr/bin/env python3
"""modules_linear.safetensors: see module_cases.py."""
from torch import nn

from module_cases import Cases

cases = Cases("linear")
record, u = cases.record, cases.inputs.uniform

record("linear", nn.Linear(4, 3), u([5, 4]))
record("linear_no_bias", nn.Linear(4, 3, bias=False), u([2, 5, 4]))
record("bilinear", nn.Bilinear(2, 3, 4), u([5, 2]), u([5, 3]))
record("bilinear_no_bias", nn.Bilinear(3, 2, 1, bias=False), u([2, 2, 3]), u([2, 2, 2]))
cases.finish()
