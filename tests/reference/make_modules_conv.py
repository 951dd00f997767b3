#!/usr/bin/env python3
"""modules_conv.safetensors: see module_cases.py."""
from torch import nn

from module_cases import Cases

cases = Cases("conv")
record, u = cases.record, cases.inputs.uniform

record("conv1d", nn.Conv1d(4, 6, 3, stride=2, padding=1, groups=2), u([2, 4, 7]))
record("conv2d_same", nn.Conv2d(2, 3, (3, 2), padding="same", dilation=(1, 2)), u([2, 2, 5, 4]))
record("conv3d", nn.Conv3d(1, 2, 2, bias=False), u([2, 1, 3, 3, 3]))
cases.finish()
