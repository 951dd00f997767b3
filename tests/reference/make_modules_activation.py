#!/usr/bin/env python3
"""modules_activation.safetensors: see module_cases.py."""
from torch import nn

from module_cases import Cases

cases = Cases("activation")
record, u, away = cases.record, cases.inputs.uniform, cases.inputs.away

record("relu", nn.ReLU(), away([3, 4]))
record("sigmoid", nn.Sigmoid(), u([3, 4]))
record("tanh", nn.Tanh(), u([3, 4]))
record("gelu", nn.GELU(), u([3, 4]))
record("gelu_tanh", nn.GELU(approximate="tanh"), u([3, 4]))
record("silu", nn.SiLU(), u([3, 4]))
record("softplus", nn.Softplus(beta=2, threshold=3), u([3, 4]))
record("leaky_relu", nn.LeakyReLU(0.2), away([3, 4]))
record("elu", nn.ELU(alpha=0.7), away([3, 4]))
record("softmax", nn.Softmax(1), u([3, 4]))
record("log_softmax", nn.LogSoftmax(0), u([3, 4]))
cases.finish()
