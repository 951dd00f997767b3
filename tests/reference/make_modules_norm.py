#!/usr/bin/env python3
"""modules_norm.safetensors: see module_cases.py."""
from torch import nn

from module_cases import Cases

cases = Cases("norm")
record, u = cases.record, cases.inputs.uniform

record("batch_norm1d", nn.BatchNorm1d(3), u([6, 3]))
record("batch_norm2d", nn.BatchNorm2d(3, momentum=None), u([2, 3, 2, 3]))
record("batch_norm3d", nn.BatchNorm3d(2, affine=False, eps=1e-3), u([2, 2, 2, 3, 2]))
record("layer_norm", nn.LayerNorm([3, 4]), u([2, 3, 4]))
cases.finish()
