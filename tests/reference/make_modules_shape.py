#!/usr/bin/env python3
"""modules_shape.safetensors: see module_cases.py."""
from torch import nn

from module_cases import Cases

cases = Cases("shape")
record, u = cases.record, cases.inputs.uniform

record("flatten", nn.Flatten(1, 2), u([2, 3, 4, 2]))
record("identity", nn.Identity(), u([2, 3]))
cases.finish()
