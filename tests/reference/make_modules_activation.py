#!/usr/bin/env python3
"""modules_activation.safetensors: see module_cases.py."""
import torch
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


class Hardsigmoid(nn.Module):
    """Made of others: the sixth in the gradient of PyTorch's own is one of float32, for float64, too."""

    def forward(self, x):
        y = nn.functional.relu6(x + 3) / 6
        torch.testing.assert_close(y, nn.functional.hardsigmoid(x))
        return y


record("softmin", nn.Softmin(1), u([3, 4]))
record("softmax2d", nn.Softmax2d(), u([2, 3, 2, 2]))
record("celu", nn.CELU(0.5), away([3, 4]))
record("selu", nn.SELU(), away([3, 4]))
record("mish", nn.Mish(), u([3, 4]))
record("logsigmoid", nn.LogSigmoid(), u([3, 4]))
record("softsign", nn.Softsign(), away([3, 4]))
record("tanhshrink", nn.Tanhshrink(), u([3, 4]))
record("glu", nn.GLU(1), u([3, 4]))
record("hardtanh", nn.Hardtanh(-0.5, 1.5), u([3, 4]))
record("relu6", nn.ReLU6(), away([3, 4], low=-4, high=9))
record("hardsigmoid", Hardsigmoid(), u([3, 4], -5, 5))
record("hardswish", nn.Hardswish(), u([3, 4], -5, 5))
record("hardshrink", nn.Hardshrink(0.7), u([3, 4]))
record("softshrink", nn.Softshrink(0.7), u([3, 4]))
record("threshold", nn.Threshold(0.3, 20), u([3, 4]))
record("prelu", nn.PReLU(4), away([3, 4]))
record("rrelu", nn.RReLU(0.2, 0.4), away([3, 4]), draws=True)
cases.finish()
