#!/usr/bin/env python3
"""modules_dropout.safetensors: see module_cases.py."""
from torch import nn

from module_cases import Cases

cases = Cases("dropout")
record, u = cases.record, cases.inputs.uniform

record("dropout", nn.Dropout(0.4), u([3, 4]), draws=True)
record("dropout2d", nn.Dropout2d(0.4), u([3, 4, 2, 2]), draws=True)
cases.finish()
