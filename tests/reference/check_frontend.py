#!/usr/bin/python3
"""Replays frontend.safetensors (make_frontend.cpp) in Python's PyTorch, in float32 and in float64, and prints the
largest distance of a loss from libtorch's: the float64 column is what rounding alone does. Fails beyond 1e-5."""
import os
import sys

import torch
import torch.nn.functional as F

from reference import HERE, read

tensors = {k: torch.tensor(v) for k, v in read(os.path.join(HERE, "frontend.safetensors")).items()}


class MLP(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.seq = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.BatchNorm1d(32), torch.nn.ReLU(),
                                       torch.nn.Linear(32, 10))

    def loss(self, x, t):
        return F.cross_entropy(self.seq(x), t)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = torch.nn.Linear(64, 48), torch.nn.Linear(48, 32)
        self.W, self.b = torch.nn.Parameter(torch.zeros(32, 10)), torch.nn.Parameter(torch.zeros(10))

    def loss(self, x, t):
        x = torch.relu(self.fc2(torch.relu(self.fc1(x))))
        return F.nll_loss(torch.log_softmax(torch.addmm(self.b, x, self.W), 1), t)


failed = False
for name, make in (("mlp", MLP), ("net", Net)):
    for optimizer, options in (("sgd", dict(lr=0.1)), ("sgd_momentum", dict(lr=0.1, momentum=0.9)), ("adam", dict(lr=1e-2))):
        distances = []
        for dtype in (torch.float32, torch.float64):
            module = make()
            module.load_state_dict({k[4:]: v for k, v in tensors.items() if k.startswith(name + "/")})
            module.to(dtype)
            step = (torch.optim.Adam if optimizer == "adam" else torch.optim.SGD)(module.parameters(), **options)
            values = []
            for _ in range(20):
                step.zero_grad()
                loss = module.loss(tensors["batch/x"].to(dtype), tensors["batch/t"])
                loss.backward()
                step.step()
                values.append(loss.item())
            expected = tensors[f"losses/{name}_{optimizer}"].double()
            distances.append((torch.tensor(values, dtype=torch.float64) - expected).abs().max().item())
        failed |= max(distances) > 1e-5
        print(f"{name}_{optimizer}: loss {expected[0]:.4f} to {expected[-1]:.4f}, float32 {distances[0]:.1e}, "
              f"float64 {distances[1]:.1e}, torch {torch.__version__}")
sys.exit(failed)
