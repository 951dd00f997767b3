#!/usr/bin/env python3
"""modules_pool.safetensors: see module_cases.py."""
import numpy
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
record("adaptive_avg_pool1d", nn.AdaptiveAvgPool1d(3), u([2, 3, 5]))
record("adaptive_avg_pool3d", nn.AdaptiveAvgPool3d((None, 2, 1)), u([1, 2, 2, 3, 4]))
record("adaptive_max_pool1d", nn.AdaptiveMaxPool1d(3), u([2, 3, 5]))
record("adaptive_max_pool2d", nn.AdaptiveMaxPool2d((2, None)), u([2, 2, 5, 3]))
record("adaptive_max_pool3d", nn.AdaptiveMaxPool3d((1, 2, 2)), u([1, 2, 2, 3, 4]))
record("lp_pool1d", nn.LPPool1d(2, 3), u([2, 3, 7]))
record("lp_pool2d", nn.LPPool2d(1.5, (3, 2), stride=2, ceil_mode=True), u([1, 2, 6, 5], 0.2, 1.5))
record("lp_pool3d", nn.LPPool3d(3, 2), u([1, 2, 2, 4, 3], 0.2, 1.5))
record("max_unpool1d", nn.MaxUnpool1d(3), u([2, 1, 2]), numpy.array([[[1, 5]], [[0, 3]]]))
record("max_unpool2d", nn.MaxUnpool2d(3, stride=2, padding=1), u([1, 2, 2]), numpy.array([[[0, 2], [7, 8]]]))
record("max_unpool3d", nn.MaxUnpool3d((1, 2, 2)), u([1, 1, 2, 1, 2]), numpy.array([[[[[1, 6]], [[8, 11]]]]]))
cases.finish()
