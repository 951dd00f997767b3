#!/usr/bin/env python3
"""modules.safetensors: one case for each row of tests/layers/test_modules.cpp, by PyTorch. See reference.py for how to run
it (PyTorch 2.15).

Names are "case/thing", and cases end in _f32 or _f64: the inputs x0, x1, ..; the state before, s.NAME; y in training, its
gradient from above dy, the gradients dx0, dx1, .. of floating inputs and d.NAME of parameters, and the buffers after it,
after.NAME; z, the result in evaluation from the state before. A module that draws has z alone.
"""
import torch
from torch import nn

from reference import FLOATS, File, Inputs, finish

inputs, file = Inputs(20261128), File()
u, away = inputs.uniform, inputs.away


def record(case, module, *things, draws=False):
    for name, value in module.state_dict().items():
        if value.is_floating_point():
            low = 0.3 if name.endswith("var") or name.endswith("weight") and "Loss" in type(module).__name__ else -0.7
            value.copy_(torch.tensor(u(list(value.shape), low, 1.2)))
    drawn = {name: value.double().clone() for name, value in module.state_dict().items()}
    above = None
    for suffix, dtype in FLOATS.items():
        name = f"{case}_{suffix}"

        def restore():
            module.to(dtype)
            for key, value in module.state_dict().items():
                value.copy_(drawn[key])

        restore()
        for key, value in module.state_dict().items():
            file.add(f"{name}/s.{key}", value)
        x = [torch.tensor(t) for t in things]
        x = [t.to(dtype) if t.is_floating_point() else t for t in x]
        for i, t in enumerate(x):
            file.add(f"{name}/x{i}", t)
        file.add(f"{name}/z", module.eval()(*x))
        if draws:
            continue
        x = [t.requires_grad_() if t.is_floating_point() else t for t in x]
        y = module.train()(*x)
        above = u(list(y.shape)) if above is None else above
        dy = torch.tensor(above, dtype=dtype)
        module.zero_grad(set_to_none=True)
        y.backward(dy)
        file.add(f"{name}/y", y)
        file.add(f"{name}/dy", dy)
        for i, t in enumerate(x):
            if t.requires_grad:
                file.add(f"{name}/dx{i}", t.grad)
        for key, p in module.named_parameters():
            file.add(f"{name}/d.{key}", p.grad)
        for key, value in module.named_buffers():
            file.add(f"{name}/after.{key}", value)


record("linear", nn.Linear(4, 3), u([5, 4]))
record("linear_no_bias", nn.Linear(4, 3, bias=False), u([2, 5, 4]))
record("conv1d", nn.Conv1d(4, 6, 3, stride=2, padding=1, groups=2), u([2, 4, 7]))
record("conv2d_same", nn.Conv2d(2, 3, (3, 2), padding="same", dilation=(1, 2)), u([2, 2, 5, 4]))
record("conv3d", nn.Conv3d(1, 2, 2, bias=False), u([2, 1, 3, 3, 3]))
record("max_pool1d", nn.MaxPool1d(3, stride=2), u([2, 3, 7]))
record("max_pool2d", nn.MaxPool2d((3, 2), padding=(1, 0)), u([2, 3, 7, 6]))
record("max_pool3d", nn.MaxPool3d(2), u([1, 2, 4, 5, 4]))
record("avg_pool1d", nn.AvgPool1d(3), u([2, 3, 7]))
record("avg_pool2d", nn.AvgPool2d(3, stride=2, padding=1), u([2, 3, 7, 6]))
record("avg_pool3d", nn.AvgPool3d(2), u([1, 2, 4, 5, 4]))
record("adaptive_avg_pool2d", nn.AdaptiveAvgPool2d((2, None)), u([2, 3, 5, 4]))
record("batch_norm1d", nn.BatchNorm1d(3), u([6, 3]))
record("batch_norm2d", nn.BatchNorm2d(3, momentum=None), u([2, 3, 2, 3]))
record("batch_norm3d", nn.BatchNorm3d(2, affine=False, eps=1e-3), u([2, 2, 2, 3, 2]))
record("layer_norm", nn.LayerNorm([3, 4]), u([2, 3, 4]))
record("embedding", nn.Embedding(6, 3, padding_idx=5), inputs.integers([2, 4], 5))
record("dropout", nn.Dropout(0.4), u([3, 4]), draws=True)
record("dropout2d", nn.Dropout2d(0.4), u([3, 4, 2, 2]), draws=True)
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
record("flatten", nn.Flatten(1, 2), u([2, 3, 4, 2]))
record("identity", nn.Identity(), u([2, 3]))
record("mse_loss", nn.MSELoss(), u([3, 4]), u([3, 4]))
record("bce_with_logits_loss", nn.BCEWithLogitsLoss(weight=torch.ones(3, 4), pos_weight=torch.ones(4)), u([3, 4]),
       u([3, 4], 0, 1))
record("nll_loss", nn.NLLLoss(weight=torch.ones(4), ignore_index=3), u([5, 4]), inputs.integers([5], 4))
record("cross_entropy_loss", nn.CrossEntropyLoss(weight=torch.ones(4), label_smoothing=0.1), u([5, 4]),
       inputs.integers([5], 4))
record("l1_loss", nn.L1Loss(reduction="sum"), u([3, 4]), u([3, 4]))
record("smooth_l1_loss", nn.SmoothL1Loss(beta=0.7), u([3, 4]), u([3, 4]))
record("huber_loss", nn.HuberLoss(reduction="none", delta=1.5), u([3, 4]), u([3, 4]))
finish(file, "modules.safetensors")
