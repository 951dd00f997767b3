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


class SoftMargin(nn.Module):
    """nn.SoftMarginLoss(reduction="none"), whose target has no gradient, made of what has one."""

    def forward(self, x, t):
        y = torch.log1p(torch.exp(-t * x))
        torch.testing.assert_close(y, nn.SoftMarginLoss(reduction="none")(x, t.detach()))
        return y


def signs(shape):
    return integers(shape, 2) * 2 - 1


def probabilities(shape):
    p = u(shape, 0.1, 1)
    return p / p.sum(-1, keepdims=True)


record("cross_entropy_of_probabilities", nn.CrossEntropyLoss(torch.ones(4), label_smoothing=0.2, reduction="sum"),
       u([5, 4]), probabilities([5, 4]))
record("bce_loss", nn.BCELoss(torch.ones(3, 4)), u([3, 4], 0.1, 0.9), u([3, 4], 0, 1))
record("kl_div_loss", nn.KLDivLoss(reduction="batchmean"), u([3, 4]), probabilities([3, 4]))
record("kl_div_loss_log", nn.KLDivLoss(reduction="mean", log_target=True), u([3, 4]), u([3, 4]))
record("poisson_nll_loss", nn.PoissonNLLLoss(full=True, reduction="sum"), u([3, 4]), u([3, 4], 0.2, 4.3))
record("poisson_nll_loss_of_rates", nn.PoissonNLLLoss(log_input=False, eps=1e-3), u([3, 4], 0.2, 2), u([3, 4], 0.2, 4))
record("gaussian_nll_loss", nn.GaussianNLLLoss(full=True), u([3, 4]), u([3, 4]), u([3, 4], 0.2, 2))
record("gaussian_nll_loss_of_rows", nn.GaussianNLLLoss(reduction="none"), u([3, 4]), u([3, 4]), u([3], 0.2, 2))
record("soft_margin_loss", SoftMargin(), u([3, 4]), u([3, 4]))
record("hinge_embedding_loss", nn.HingeEmbeddingLoss(margin=0.7), u([3, 4]), signs([3, 4]))
record("margin_ranking_loss", nn.MarginRankingLoss(margin=0.3), u([5]), u([5]), signs([5]))
record("cosine_embedding_loss", nn.CosineEmbeddingLoss(margin=0.1, reduction="sum"), u([5, 4]), u([5, 4]), signs([5]))
record("multi_margin_loss", nn.MultiMarginLoss(2, 0.8, torch.ones(4), reduction="none"), u([5, 4]), integers([5], 4))
record("multilabel_margin_loss", nn.MultiLabelMarginLoss(), u([3, 4]), integers([3, 4], 5) - 1)
record("multilabel_soft_margin_loss", nn.MultiLabelSoftMarginLoss(torch.ones(4), reduction="none"), u([3, 4]),
       u([3, 4], 0, 1))
record("triplet_margin_loss", nn.TripletMarginLoss(margin=2, p=3, swap=True), u([3, 4]), u([3, 4]), u([3, 4]))
record("triplet_margin_with_distance_loss",
       nn.TripletMarginWithDistanceLoss(distance_function=lambda a, b: (a - b).square().sum(-1), margin=4, swap=True,
                                        reduction="none"), u([3, 4]), u([3, 4]), u([3, 4]))
cases.finish()
