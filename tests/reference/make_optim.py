#!/usr/bin/python3
"""optim.safetensors: optimizers, schedules and clipping, by PyTorch. See reference.py for how to run it.

Every optimizer case has two parameter groups of one parameter each, p0 [3, 2] and p1 [4]. The gradients are given, not
computed: `gradients_f32/g0` [20, 3, 2] and `/g1` [20, 4] hold those of each step, and are the same for all cases; so is
`start_f32/p0`, `/p1`. The first element of every gradient is exactly 0 throughout.
A case has its options as data: lr [2] and weight_decay [2] by group, and what the optimizer has of momentum, dampening,
nesterov, betas, eps, amsgrad, alpha, centered, lr_decay, initial_accumulator_value; first_step [2] says from which step on a parameter has a gradient (before: undefined, and
the step leaves the parameter alone). p0 [20, 3, 2] and p1 [20, 4] are the parameters after each step.
"""
import math

import numpy as np
import torch

from reference import FLOATS, File, Inputs, finish

STEPS = 20
inputs, file = Inputs(20240602), File()
start = [inputs.uniform([3, 2]), inputs.uniform([4])]
gradients = [inputs.uniform([STEPS, 3, 2]), inputs.uniform([STEPS, 4], -0.5, 1.0)]
for g in gradients:
    g.reshape(STEPS, -1)[:, 0] = 0


def run(name, make, first_step=(0, 0), lr=(0.1, 0.03), weight_decay=(0.0, 0.0), **options):
    for suffix, dtype in FLOATS.items():
        params = [torch.tensor(p, dtype=dtype, requires_grad=True) for p in start]
        groups = [dict(params=[p], lr=l, weight_decay=w) for p, l, w in zip(params, lr, weight_decay)]
        optimizer, after = make(groups, lr=lr[0], **options), [[], []]
        for step in range(STEPS):
            for i, p in enumerate(params):
                p.grad = torch.tensor(gradients[i][step], dtype=dtype) if step >= first_step[i] else None
            optimizer.step()
            for i, p in enumerate(params):
                after[i].append(p.detach().clone())
        for i in range(2):
            file.add(f"{name}_{suffix}/p{i}", torch.stack(after[i]))
        for option, value in dict(options, lr=lr, weight_decay=weight_decay, first_step=first_step).items():
            if option == "first_step" and not any(first_step):
                continue
            kind = {bool: torch.bool, int: torch.int64}.get(type(value), torch.float64)
            file.add(f"{name}_{suffix}/{option}", torch.tensor(value, dtype=torch.int64 if option == "first_step" else kind))


for suffix, dtype in FLOATS.items():
    for i in range(2):
        file.add(f"start_{suffix}/p{i}", torch.tensor(start[i], dtype=dtype))
        file.add(f"gradients_{suffix}/g{i}", torch.tensor(gradients[i], dtype=dtype))

SGD, DECAY = torch.optim.SGD, (0.01, 0.2)
run("sgd", SGD)
run("sgd_decay", SGD, weight_decay=DECAY)
run("sgd_momentum", SGD, momentum=0.9)
run("sgd_momentum_decay", SGD, momentum=0.9, weight_decay=DECAY)
run("sgd_dampening", SGD, momentum=0.9, dampening=0.1)
run("sgd_dampening_decay", SGD, momentum=0.9, dampening=0.1, weight_decay=DECAY)
run("sgd_nesterov", SGD, momentum=0.9, nesterov=True)
run("sgd_nesterov_decay", SGD, momentum=0.9, nesterov=True, weight_decay=DECAY)
# The first momentum buffer is the gradient itself, undampened, whenever it comes.
run("sgd_dampening_late", SGD, momentum=0.9, dampening=0.1, first_step=(0, 3))
for name, adam in (("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)):
    run(name, adam, lr=(0.01, 0.003))
    run(f"{name}_decay", adam, lr=(0.01, 0.003), weight_decay=DECAY)
    run(f"{name}_amsgrad", adam, lr=(0.01, 0.003), weight_decay=DECAY, amsgrad=True)
    run(f"{name}_betas", adam, lr=(0.01, 0.003), betas=(0.8, 0.99), eps=1e-3)
    run(f"{name}_late", adam, lr=(0.01, 0.003), first_step=(0, 3))

RMSPROP, ADAGRAD = torch.optim.RMSprop, torch.optim.Adagrad
run("rmsprop", RMSPROP, lr=(0.01, 0.003))
run("rmsprop_decay", RMSPROP, lr=(0.01, 0.003), weight_decay=DECAY, alpha=0.9, eps=1e-3)
run("rmsprop_momentum", RMSPROP, lr=(0.01, 0.003), momentum=0.9)
run("rmsprop_centered", RMSPROP, lr=(0.01, 0.003), centered=True)
run("rmsprop_centered_momentum", RMSPROP, lr=(0.01, 0.003), weight_decay=DECAY, centered=True, momentum=0.8, alpha=0.95)
run("rmsprop_late", RMSPROP, lr=(0.01, 0.003), first_step=(0, 3))
run("adagrad", ADAGRAD)
run("adagrad_decay", ADAGRAD, weight_decay=DECAY, lr_decay=0.1)
run("adagrad_initial", ADAGRAD, initial_accumulator_value=0.5)
run("adagrad_eps", ADAGRAD, eps=0.1)
run("adagrad_late", ADAGRAD, lr_decay=0.1, first_step=(0, 3))

# Learning rates: row 0 before any step, row k after k epochs; a column a group.
for name, schedule in (("step_lr", lambda o: torch.optim.lr_scheduler.StepLR(o, step_size=3, gamma=0.5)),
                       ("step_lr_4", lambda o: torch.optim.lr_scheduler.StepLR(o, step_size=4)),
                       ("exponential_lr", lambda o: torch.optim.lr_scheduler.ExponentialLR(o, gamma=0.9))):
    params = [torch.zeros(1, requires_grad=True) for _ in range(2)]
    optimizer = SGD([dict(params=[params[0]]), dict(params=[params[1]], lr=0.03)], lr=0.1)
    scheduler, rates = schedule(optimizer), []
    for epoch in range(13):
        rates.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        scheduler.step()
    file.add(f"{name}/lr", torch.tensor(rates, dtype=torch.float64))

# The same for 36 epochs; a name with + is two schedules that are stepped one after the other. One-cycle schedules have as
# many rows as there are steps, and one more, and the momentum (or beta1) beside the rate.
LR = torch.optim.lr_scheduler


def follow(name, make, epochs=36, optimizer=SGD, momentum=None):
    params = [torch.zeros(1, requires_grad=True) for _ in range(2)]
    o = optimizer([dict(params=[params[0]]), dict(params=[params[1]], lr=0.03)], lr=0.1)
    schedules, rates, momenta = make(o), [], []
    for epoch in range(epochs):
        rates.append([group["lr"] for group in o.param_groups])
        if momentum:
            momenta.append([group["betas"][0] if momentum == "betas" else group[momentum] for group in o.param_groups])
        o.step()
        if epoch + 1 < epochs:
            for schedule in schedules:
                schedule.step()
    file.add(f"schedule_{name}/lr", torch.tensor(rates, dtype=torch.float64))
    if momentum:
        file.add(f"schedule_{name}/momentum", torch.tensor(momenta, dtype=torch.float64))


follow("multi_step", lambda o: [LR.MultiStepLR(o, [2, 20, 5, 5], gamma=0.5)])
follow("multi_step_at_0", lambda o: [LR.MultiStepLR(o, [0, 3])])
follow("linear", lambda o: [LR.LinearLR(o)])
follow("linear_down", lambda o: [LR.LinearLR(o, 1.0, 0.0, total_iters=12)])
follow("linear_1", lambda o: [LR.LinearLR(o, 0.25, 0.75, total_iters=1)])
follow("cosine", lambda o: [LR.CosineAnnealingLR(o, 10)])
follow("cosine_eta_min", lambda o: [LR.CosineAnnealingLR(o, 7, eta_min=0.05)])
follow("cosine_1", lambda o: [LR.CosineAnnealingLR(o, 1, eta_min=0.01)])
follow("linear+cosine", lambda o: [LR.LinearLR(o, 0.1, total_iters=6), LR.CosineAnnealingLR(o, 30)])
follow("multi_step+exponential", lambda o: [LR.MultiStepLR(o, [4, 9]), LR.ExponentialLR(o, 0.95)])
for name, options in (("", dict()), ("_linear", dict(anneal_strategy="linear")), ("_three", dict(three_phase=True)),
                      ("_linear_three", dict(anneal_strategy="linear", three_phase=True, pct_start=0.4)),
                      ("_lists", dict(max_lr=[0.5, 0.2], base_momentum=[0.8, 0.7], max_momentum=[0.9, 0.99])),
                      ("_factors", dict(div_factor=10.0, final_div_factor=100.0, pct_start=0.55)),
                      ("_from_top", dict(pct_start=0.0))):
    follow(f"one_cycle{name}", lambda o: [LR.OneCycleLR(o, **dict(dict(max_lr=0.5, total_steps=35), **options))],
           epochs=36, momentum="momentum")
follow("one_cycle_epochs", lambda o: [LR.OneCycleLR(o, 0.5, epochs=5, steps_per_epoch=7)], momentum="momentum")
follow("one_cycle_adam", lambda o: [LR.OneCycleLR(o, 0.5, total_steps=35)], optimizer=torch.optim.Adam, momentum="betas")
follow("one_cycle_adagrad", lambda o: [LR.OneCycleLR(o, 0.5, total_steps=35, cycle_momentum=False)], optimizer=ADAGRAD)
follow("one_cycle_1", lambda o: [LR.OneCycleLR(o, 0.5, total_steps=1)], epochs=2, momentum="momentum")

# Plateaus: the rates after each epoch, whose metric is `metric`; row 0 before any.
random = Inputs(7)
falling = [1 / (1 + 0.3 * i) for i in range(8)] + [0.3] * 28 + [0.1] * 6
noisy = list(0.5 + 0.5 / (1 + np.arange(42.0)) + random.uniform([42], -0.05, 0.05))
for name, metric, options in (("", falling, dict()), ("_patient", falling, dict(patience=2, factor=0.5)),
                              ("_noisy", noisy, dict(patience=1, factor=0.7, cooldown=2)),
                              ("_max", [-m for m in noisy], dict(mode="max", patience=0, factor=0.6, threshold=0.02)),
                              ("_abs", noisy, dict(patience=1, factor=0.7, threshold=0.05, threshold_mode="abs")),
                              ("_max_abs", [1 - m for m in noisy],
                               dict(mode="max", patience=2, factor=0.7, threshold=0.01, threshold_mode="abs", cooldown=1)),
                              ("_least", falling, dict(patience=1, factor=0.1, min_lr=[0.02, 1e-3])),
                              ("_eps", falling, dict(patience=0, factor=0.1, eps=1e-3)),
                              ("_infinite", [math.inf, 1, math.inf, math.inf, -math.inf, 0], dict(patience=0))):
    params = [torch.zeros(1, requires_grad=True) for _ in range(2)]
    optimizer = SGD([dict(params=[params[0]]), dict(params=[params[1]], lr=0.03)], lr=0.1)
    schedule, rates = LR.ReduceLROnPlateau(optimizer, **options), []
    for m in [None] + metric:
        if m is not None:
            schedule.step(m)
        rates.append([group["lr"] for group in optimizer.param_groups])
    file.add(f"plateau{name}/lr", torch.tensor(rates, dtype=torch.float64))
    file.add(f"plateau{name}/metric", torch.tensor(metric, dtype=torch.float64))

for suffix, dtype in FLOATS.items():
    for kind, norm_type in (("2", 2.0), ("1", 1.0), ("3", 3.0), ("inf", math.inf)):
        for case, max_norm in (("clipped", 0.75), ("within", 100.0)):
            params = [torch.zeros(p.shape, dtype=dtype, requires_grad=True) for p in start]
            name = f"clip_grad_norm_{kind}_{case}_{suffix}"
            for i, p in enumerate(params):
                p.grad = torch.tensor(gradients[i][1], dtype=dtype)
            file.add(f"{name}/total_norm", torch.nn.utils.clip_grad_norm_(params, max_norm, norm_type))
            file.add(f"{name}/max_norm", torch.tensor(max_norm, dtype=torch.float64))
            file.add(f"{name}/norm_type", torch.tensor(norm_type, dtype=torch.float64))
            for i, p in enumerate(params):  # the gradients before are those of step 1
                file.add(f"{name}/g{i}", p.grad)

finish(file, "optim.safetensors")
