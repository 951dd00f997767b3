#!/usr/bin/env python3
"""modules_loss.safetensors: see module_cases.py."""
import torch
from torch import nn

from module_cases import Cases

cases = Cases("loss")
record, u, integers = cases.record, cases.inputs.uniform, cases.inputs.integers

record("mse_loss", nn.MSELoss(), u([3, 4]), u([3, 4]))
record("bce_with_logits_loss", nn.BCEWithLogitsLoss(weight=torch.ones(3, 4), pos_weight=torch.ones(4)), u([3, 4]),
       u([3, 4], 0, 1))
record("nll_loss", nn.NLLLoss(weight=torch.ones(4), ignore_index=3), u([5, 4]), integers([5], 4))
record("cross_entropy_loss", nn.CrossEntropyLoss(weight=torch.ones(4), label_smoothing=0.1), u([5, 4]),
       integers([5], 4))
record("l1_loss", nn.L1Loss(reduction="sum"), u([3, 4]), u([3, 4]))
record("smooth_l1_loss", nn.SmoothL1Loss(beta=0.7), u([3, 4]), u([3, 4]))
record("huber_loss", nn.HuberLoss(reduction="none", delta=1.5), u([3, 4]), u([3, 4]))
cases.finish()
