#!/usr/bin/env python3
"""modules_sampling.safetensors: see module_cases.py."""
from torch import nn

from module_cases import Cases

cases = Cases("sampling")
record, u = cases.record, cases.inputs.uniform

record("upsample_nearest", nn.Upsample(scale_factor=2.0), u([1, 2, 3, 2]))
record("upsample_bilinear", nn.Upsample(size=(5, 3), mode="bilinear", align_corners=True), u([2, 1, 3, 4]))
record("upsample_bicubic", nn.Upsample(scale_factor=(1.5, 2.0), mode="bicubic"), u([1, 2, 4, 3]))
cases.finish()
