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
record("group_norm", nn.GroupNorm(2, 4), u([2, 4, 3, 2]))
record("group_norm_plain", nn.GroupNorm(3, 3, eps=1e-3, affine=False), u([3, 3, 4]))
record("instance_norm1d", nn.InstanceNorm1d(3), u([2, 3, 5]))
record("instance_norm2d", nn.InstanceNorm2d(2, affine=True, track_running_stats=True, momentum=0.3), u([3, 2, 2, 2]))
record("instance_norm3d", nn.InstanceNorm3d(2, affine=True, eps=1e-3), u([2, 2, 2, 2]))
record("rms_norm", nn.RMSNorm([3, 4]), u([2, 3, 4]))
record("rms_norm_plain", nn.RMSNorm(4, eps=0.01, elementwise_affine=False), u([2, 3, 4]))
record("local_response_norm", nn.LocalResponseNorm(3, alpha=0.5, beta=0.25, k=2), u([2, 4, 2, 3]))
record("local_response_norm_line", nn.LocalResponseNorm(2), u([2, 5, 3]))
cases.finish()
