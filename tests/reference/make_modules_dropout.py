#!/usr/bin/env python3
"""modules_dropout.safetensors: see module_cases.py."""
from torch import nn

from module_cases import Cases

cases = Cases("dropout")
record, u = cases.record, cases.inputs.uniform

record("dropout", nn.Dropout(0.4), u([3, 4]), draws=True)
record("dropout2d", nn.Dropout2d(0.4), u([3, 4, 2, 2]), draws=True)
record("dropout1d", nn.Dropout1d(0.4), u([3, 4, 2]), draws=True)
record("dropout3d", nn.Dropout3d(0.4), u([4, 2, 1, 2]), draws=True)
record("alpha_dropout", nn.AlphaDropout(0.4), u([3, 4]), draws=True)
record("feature_alpha_dropout", nn.FeatureAlphaDropout(0.4), u([3, 4, 2]), draws=True)
cases.finish()
