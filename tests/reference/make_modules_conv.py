#!/usr/bin/env python3
"""modules_conv.safetensors: see module_cases.py."""
from torch import nn

from module_cases import Cases

cases = Cases("conv")
record, u = cases.record, cases.inputs.uniform

record("conv1d", nn.Conv1d(4, 6, 3, stride=2, padding=1, groups=2), u([2, 4, 7]))
record("conv2d_same", nn.Conv2d(2, 3, (3, 2), padding="same", dilation=(1, 2)), u([2, 2, 5, 4]))
record("conv3d", nn.Conv3d(1, 2, 2, bias=False), u([2, 1, 3, 3, 3]))
record("conv1d_reflect", nn.Conv1d(2, 3, 3, padding=2, padding_mode="reflect"), u([2, 2, 5]))
record("conv2d_circular", nn.Conv2d(2, 2, (3, 2), padding="same", padding_mode="circular"), u([1, 2, 3, 4]))
record("conv3d_replicate", nn.Conv3d(1, 2, 2, padding=(0, 1, 2), stride=2, padding_mode="replicate"), u([1, 1, 2, 3, 2]))
record("conv_transpose1d", nn.ConvTranspose1d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2), u([2, 4, 4]))
record("conv_transpose2d", nn.ConvTranspose2d(2, 3, (3, 2), stride=(2, 1), dilation=(1, 2), bias=False), u([1, 2, 3, 2]))
record("conv_transpose3d", nn.ConvTranspose3d(2, 1, 2, stride=(1, 2, 2), padding=(0, 1, 0)), u([1, 2, 2, 2, 2]))
record("reflection_pad1d", nn.ReflectionPad1d((2, 1)), u([2, 3, 4]))
record("reflection_pad2d", nn.ReflectionPad2d(1), u([1, 2, 3, 2]))
record("reflection_pad3d", nn.ReflectionPad3d((1, 0, 0, 1, 1, 1)), u([1, 2, 2, 3]))
record("replication_pad1d", nn.ReplicationPad1d(3), u([2, 3]))
record("replication_pad2d", nn.ReplicationPad2d((2, 0, 1, 3)), u([1, 2, 2, 2]))
record("replication_pad3d", nn.ReplicationPad3d(1), u([1, 1, 2, 1, 2]))
record("circular_pad1d", nn.CircularPad1d((2, 1)), u([2, 3, 4]))
record("circular_pad2d", nn.CircularPad2d(1), u([1, 2, 3, 2]))
record("circular_pad3d", nn.CircularPad3d((1, 0, 0, 1, 1, 1)), u([1, 1, 2, 2, 3]))
record("zero_pad1d", nn.ZeroPad1d(2), u([2, 3, 4]))
record("zero_pad2d", nn.ZeroPad2d((1, -1, 0, 2)), u([1, 2, 2, 3]))
record("zero_pad3d", nn.ZeroPad3d(1), u([1, 1, 2, 1, 2]))
record("constant_pad1d", nn.ConstantPad1d((3, 1), 3.5), u([2, 3, 4]))
record("constant_pad2d", nn.ConstantPad2d(1, -0.5), u([1, 2, 2, 3]))
record("constant_pad3d", nn.ConstantPad3d((0, 1, 1, 0, 2, 0), 2), u([1, 1, 2, 1, 2]))
cases.finish()
