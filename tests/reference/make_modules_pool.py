#!/usr/bin/env python3
"""modules_pool.safetensors: see module_cases.py."""
from torch import nn

from module_cases import Cases

cases = Cases("pool")
record, u = cases.record, cases.inputs.uniform

record("max_pool1d", nn.MaxPool1d(3, stride=2), u([2, 3, 7]))
record("max_pool2d", nn.MaxPool2d((3, 2), padding=(1, 0)), u([2, 3, 7, 6]))
record("max_pool3d", nn.MaxPool3d(2), u([1, 2, 4, 5, 4]))
record("avg_pool1d", nn.AvgPool1d(3), u([2, 3, 7]))
record("avg_pool2d", nn.AvgPool2d(3, stride=2, padding=1), u([2, 3, 7, 6]))
record("avg_pool3d", nn.AvgPool3d(2), u([1, 2, 4, 5, 4]))
record("adaptive_avg_pool2d", nn.AdaptiveAvgPool2d((2, None)), u([2, 3, 5, 4]))
cases.finish()
