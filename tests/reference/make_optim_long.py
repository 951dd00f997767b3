"""Values of PyTorch 2.15 for every optimizer over 100 steps and every schedule over 200 epochs: optim_long.safetensors.

Run by an interpreter whose torch is 2.15. Optimizers: two parameters in two groups with rates of their own, gradients
drawn once for all; the parameters after steps 10, 20, ..., 100. Lion, which PyTorch has not, is the formula of its paper.
LBFGS minimises a function of its own gradients. Schedules: the rates (and momenta) of 200 epochs, a column a group.
"""


import torch

from reference import FLOATS, File, Inputs, finish

# Numbers that PyTorch keeps in tensors, as NAdam's product of momenta, are float64, as ours.
torch.set_default_dtype(torch.float64)

STEPS, EPOCHS = 100, 200
inputs, file = Inputs(20241128), File()
start = [inputs.uniform([3, 2]), inputs.uniform([4])]
gradients = [inputs.uniform([STEPS, 3, 2]), inputs.uniform([STEPS, 4], -0.5, 1.0)]
for g in gradients:
    g.reshape(STEPS, -1)[:, 0] = 0


class Lion(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0, maximize=False):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay, maximize=maximize))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                g, state = (-p.grad if group["maximize"] else p.grad), self.state[p]
                m = state.setdefault("exp_avg", torch.zeros_like(p))
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(torch.sign(m * beta1 + g * (1 - beta1)), alpha=-group["lr"])
                m.mul_(beta2).add_(g, alpha=1 - beta2)


def add_options(name, options):
    for option, value in options.items():
        if isinstance(value, str):
            value = torch.tensor(list(value.encode()), dtype=torch.uint8)
        kind = {bool: torch.bool, int: torch.int64}.get(type(value), torch.float64)
        file.add(f"{name}/{option}", value if isinstance(value, torch.Tensor) else torch.tensor(value, dtype=kind))


def run(name, make, lr, weight_decay=(0.0, 0.0), **options):
    for suffix, dtype in FLOATS.items():
        params = [torch.tensor(p, dtype=dtype, requires_grad=True) for p in start]
        groups = [dict(params=[p], lr=l) for p, l in zip(params, lr)]
        if any(weight_decay):
            for group, w in zip(groups, weight_decay):
                group["weight_decay"] = w
        optimizer, after = make(groups, lr=lr[0], **options), [[], []]
        for step in range(STEPS):
            for i, p in enumerate(params):
                p.grad = torch.tensor(gradients[i][step], dtype=dtype)
            optimizer.step()
            if step % 10 == 9:
                for i, p in enumerate(params):
                    after[i].append(p.detach().clone())
        for i in range(2):
            file.add(f"{name}_{suffix}/p{i}", torch.stack(after[i]))
        add_options(f"{name}_{suffix}", dict(options, lr=lr, **(dict(weight_decay=weight_decay) if any(weight_decay) else {})))


for suffix, dtype in FLOATS.items():
    for i in range(2):
        file.add(f"start_{suffix}/p{i}", torch.tensor(start[i], dtype=dtype))
        file.add(f"gradients_{suffix}/g{i}", torch.tensor(gradients[i], dtype=dtype))

O, DECAY, SMALL = torch.optim, (0.01, 0.2), (0.01, 0.003)
run("sgd", O.SGD, (0.1, 0.03), DECAY, momentum=0.9, maximize=True)
run("sgd_nesterov", O.SGD, (0.1, 0.03), momentum=0.9, nesterov=True)
run("adam_amsgrad", O.Adam, SMALL, DECAY, amsgrad=True)
run("adam_maximize", O.Adam, SMALL, maximize=True)
run("adamw", O.AdamW, SMALL, DECAY)
run("rmsprop", O.RMSprop, SMALL, DECAY, centered=True, momentum=0.8, maximize=True)
run("adagrad", O.Adagrad, (0.1, 0.03), DECAY, lr_decay=0.1, maximize=True)
run("nadam", O.NAdam, SMALL)
run("nadam_decay", O.NAdam, SMALL, DECAY, betas=(0.8, 0.99), eps=1e-3, momentum_decay=0.02)
run("nadam_decoupled", O.NAdam, SMALL, DECAY, decoupled_weight_decay=True, maximize=True)
run("radam", O.RAdam, SMALL)
run("radam_decay", O.RAdam, SMALL, DECAY, betas=(0.8, 0.9), eps=1e-3)
run("radam_decoupled", O.RAdam, SMALL, DECAY, decoupled_weight_decay=True, maximize=True)
run("adamax", O.Adamax, SMALL)
run("adamax_decay", O.Adamax, SMALL, DECAY, betas=(0.8, 0.9), eps=1e-3, maximize=True)
run("adadelta", O.Adadelta, (1.0, 0.3))
run("adadelta_decay", O.Adadelta, (1.0, 0.3), DECAY, rho=0.8, eps=1e-4, maximize=True)
run("asgd", O.ASGD, SMALL)
run("asgd_averaging", O.ASGD, SMALL, DECAY, lambd=0.01, alpha=0.6, t0=20.0, maximize=True)
run("rprop", O.Rprop, SMALL)
run("rprop_etas", O.Rprop, SMALL, etas=(0.4, 1.3), step_sizes=(1e-3, 0.05), maximize=True)
run("lion", Lion, SMALL)
run("lion_decay", Lion, SMALL, DECAY, betas=(0.8, 0.95), maximize=True)

# Muon: matrices only. Its inner iteration is in bfloat16.
wide, tall = inputs.uniform([4, 6]), inputs.uniform([7, 3])
pushes = [inputs.uniform([STEPS, 4, 6]), inputs.uniform([STEPS, 7, 3])]
for suffix, dtype in FLOATS.items():
    for i, w in enumerate((wide, tall)):
        file.add(f"muon_start_{suffix}/p{i}", torch.tensor(w, dtype=dtype))
        file.add(f"muon_gradients_{suffix}/g{i}", torch.tensor(pushes[i], dtype=dtype))
    for name, options in (("", dict()), ("_adamw", dict(adjust_lr_fn="match_rms_adamw", nesterov=False, momentum=0.8)),
                          ("_spectral", dict(adjust_lr_fn="spectral_unclamped", weight_decay=0.0, ns_steps=3,
                                             ns_coefficients=(2.0, -1.5, 0.5)))):
        params = [torch.tensor(w, dtype=dtype, requires_grad=True) for w in (wide, tall)]
        optimizer, after = O.Muon(params, lr=0.02, **options), [[], []]
        for step in range(STEPS):
            for i, p in enumerate(params):
                p.grad = torch.tensor(pushes[i][step], dtype=dtype)
            optimizer.step()
            if step % 10 == 9:
                for i, p in enumerate(params):
                    after[i].append(p.detach().clone())
        for i in range(2):
            file.add(f"muon{name}_case_{suffix}/p{i}", torch.stack(after[i]))
        add_options(f"muon{name}_case_{suffix}", dict(options, lr=0.02))


# LBFGS: sum of (1 - a)^2 + (b - a^2)^2 / 2 over the elements a of one parameter and b of another.
def valley(a, b):
    return ((1 - a) ** 2 + 0.5 * (b - a * a) ** 2).sum()


for suffix, dtype in FLOATS.items():
    for name, options in (("plain", dict(lr=0.02, max_iter=1)), ("history", dict(lr=0.05, max_iter=2, history_size=3)),
                          ("maximize", dict(lr=0.02, max_iter=1, maximize=True)),
                          ("wolfe", dict(max_iter=3, line_search_fn="strong_wolfe")),
                          ("whole", dict(line_search_fn="strong_wolfe", tolerance_change=1e-7)),
                          ("evaluations", dict(max_iter=6, max_eval=4, line_search_fn="strong_wolfe"))):
        a, b = (torch.tensor([-0.7, 0.4, 1.3], dtype=dtype, requires_grad=True),
                torch.tensor([0.9, -0.2, 0.5], dtype=dtype, requires_grad=True))
        optimizer, after, losses = O.LBFGS([a, b], **options), [], []

        def closure():
            optimizer.zero_grad()
            loss = valley(a, b) * (-1 if options.get("maximize") else 1)
            loss.backward()
            return loss

        for step in range(STEPS):
            losses.append(optimizer.step(closure).detach())
            after.append(torch.stack([a.detach().clone(), b.detach().clone()]))
        state = optimizer.state[a]
        case = f"lbfgs_{name}_{suffix}"
        file.add(f"{case}/after", torch.stack(after))
        file.add(f"{case}/losses", torch.stack(losses))
        file.add(f"{case}/counts", torch.tensor([state["func_evals"], state["n_iter"]], dtype=torch.int64))
        add_options(case, options)

LR, SGD = O.lr_scheduler, O.SGD


def follow(name, make, optimizer=SGD, momentum=None, **options):
    params = [torch.zeros(1, requires_grad=True) for _ in range(2)]
    o = optimizer([dict(params=[params[0]]), dict(params=[params[1]], lr=0.03)], lr=0.1, **options)
    schedule, rates, momenta = make(o), [], []
    for epoch in range(EPOCHS):
        rates.append([group["lr"] for group in o.param_groups])
        if momentum:
            momenta.append([group["betas"][0] if momentum == "betas" else group[momentum] for group in o.param_groups])
        o.step()
        if epoch + 1 < EPOCHS:
            schedule.step()
    file.add(f"schedule_{name}/lr", torch.tensor(rates))
    if momentum:
        file.add(f"schedule_{name}/momentum", torch.tensor(momenta))


follow("step", lambda o: LR.StepLR(o, 30, gamma=0.5))
follow("multi_step", lambda o: LR.MultiStepLR(o, [20, 150, 70, 70], gamma=0.5))
follow("exponential", lambda o: LR.ExponentialLR(o, 0.98))
follow("constant", lambda o: LR.ConstantLR(o))
follow("constant_long", lambda o: LR.ConstantLR(o, 0.25, total_iters=60))
follow("linear", lambda o: LR.LinearLR(o, 0.1, 0.9, total_iters=100))
follow("polynomial", lambda o: LR.PolynomialLR(o))
follow("polynomial_long", lambda o: LR.PolynomialLR(o, total_iters=150, power=2.5))
follow("cosine", lambda o: LR.CosineAnnealingLR(o, 60, eta_min=0.01))
follow("restarts", lambda o: LR.CosineAnnealingWarmRestarts(o, 30))
follow("restarts_growing", lambda o: LR.CosineAnnealingWarmRestarts(o, 10, T_mult=3, eta_min=0.001))
follow("one_cycle", lambda o: LR.OneCycleLR(o, 0.5, total_steps=200), momentum="momentum")
follow("cyclic", lambda o: LR.CyclicLR(o, 0.02, 0.5, step_size_up=25), momentum="momentum")
follow("cyclic_2", lambda o: LR.CyclicLR(o, [0.02, 0.01], [0.5, 0.2], step_size_up=10, step_size_down=30,
                                         mode="triangular2", base_momentum=0.7, max_momentum=0.95), momentum="momentum")
follow("cyclic_exp", lambda o: LR.CyclicLR(o, 0.02, 0.5, step_size_up=15, mode="exp_range", gamma=0.99),
       optimizer=O.Adam, momentum="betas")
follow("cyclic_own", lambda o: LR.CyclicLR(o, 0.02, 0.5, step_size_up=15, scale_fn=lambda x: 1 / (x + 1),
                                           scale_mode="iterations", cycle_momentum=False), optimizer=O.Adagrad)
follow("lambda", lambda o: LR.LambdaLR(o, lambda e: 0.97 ** e))
follow("lambda_lists", lambda o: LR.LambdaLR(o, [lambda e: 1 / (1 + e), lambda e: 0.5 + e / 100]))
follow("multiplicative", lambda o: LR.MultiplicativeLR(o, lambda e: 1 - 1 / (e + 5)))
follow("swa", lambda o: O.swa_utils.SWALR(o, 0.05))
follow("swa_linear", lambda o: O.swa_utils.SWALR(o, [0.05, 0.5], anneal_epochs=50, anneal_strategy="linear"))
follow("swa_at_once", lambda o: O.swa_utils.SWALR(o, 0.05, anneal_epochs=0))
follow("sequential", lambda o: LR.SequentialLR(
    o, [LR.LinearLR(o, 0.1, total_iters=20), LR.CosineAnnealingLR(o, 100), LR.ExponentialLR(o, 0.9)], [20, 120]))
follow("sequential_restarts", lambda o: LR.SequentialLR(
    o, [LR.ConstantLR(o, 0.1, total_iters=10), LR.CosineAnnealingWarmRestarts(o, 20, 2), O.swa_utils.SWALR(o, 0.02, 15)],
    [10, 150]))
follow("sequential_factors", lambda o: LR.SequentialLR(
    o, [LR.StepLR(o, 7, 0.8), LR.MultiplicativeLR(o, lambda e: 0.99), LR.PolynomialLR(o, 40, 2.0)], [30, 100]))
follow("chained", lambda o: LR.ChainedScheduler([LR.ConstantLR(o, 0.1, total_iters=20), LR.ExponentialLR(o, 0.98)]))
follow("chained_three", lambda o: LR.ChainedScheduler(
    [LR.LinearLR(o, 0.2, total_iters=30), LR.StepLR(o, 50, 0.5), LR.CosineAnnealingLR(o, 80, 0.001)]))

falling = [1 / (1 + 0.1 * i) for i in range(60)] + [0.15] * 80 + [0.1 - 0.001 * i for i in range(20)] + [0.08] * 39
params = [torch.zeros(1, requires_grad=True) for _ in range(2)]
optimizer = SGD([dict(params=[params[0]]), dict(params=[params[1]], lr=0.03)], lr=0.1)
schedule, rates = LR.ReduceLROnPlateau(optimizer, factor=0.5, patience=7, cooldown=3), []
for m in [None] + falling:
    if m is not None:
        schedule.step(m)
    rates.append([group["lr"] for group in optimizer.param_groups])
file.add("plateau/lr", torch.tensor(rates))
file.add("plateau/metric", torch.tensor(falling))

finish(file, "optim_long.safetensors")
