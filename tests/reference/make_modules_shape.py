#!/usr/bin/env python3
"""modules_shape.safetensors: see module_cases.py."""
from torch import nn

from module_cases import Cases

cases = Cases("shape")
record, u = cases.record, cases.inputs.uniform

record("flatten", nn.Flatten(1, 2), u([2, 3, 4, 2]))
record("identity", nn.Identity(), u([2, 3]))
record("pixel_shuffle", nn.PixelShuffle(2), u([1, 8, 2, 3]))
record("pixel_unshuffle", nn.PixelUnshuffle(2), u([2, 1, 4, 2]))
record("channel_shuffle", nn.ChannelShuffle(2), u([1, 6, 2, 2]))
record("unflatten", nn.Unflatten(1, (2, 3)), u([2, 6, 2]))
record("unfold", nn.Unfold((2, 3), padding=1, stride=(2, 1), dilation=(1, 2)), u([2, 2, 3, 4]))
record("fold", nn.Fold((3, 4), (2, 3), padding=1, stride=(2, 1), dilation=(1, 2)), u([2, 6, 4]))
cases.finish()
