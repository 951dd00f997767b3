#!/usr/bin/env python3
"""What Python has that is faster than libtorch, as an engine of `compare` (measure.h has the protocol): PyTorch's fused
optimizers and torch.compile, or JAX's jit.

  compiled.py torch|jax --threads=N --serve

A request for an operation that is not among these here is answered by "none". Where there are two ways, the faster is
taken. JAX uses all processors that the process may use; it is held to N of them.
"""
import functools, os, statistics, sys, time


def torch_ways(threads):
    """(name, {operation: sizes -> functions to time, any of which does it})"""
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    compile = functools.partial(torch.compile, dynamic=False)

    def leaf(shape):
        return torch.randn(shape, requires_grad=True)

    def forward_backward(function):
        def ways(*shape):
            x, g, compiled = leaf(shape), torch.randn(shape), compile(function)
            return [lambda: compiled(x, g).backward(g)]
        return ways

    def batch_norm(batch, channels):
        layer = torch.nn.BatchNorm1d(channels)
        x, g, compiled = leaf((batch, channels)), torch.randn(batch, channels), compile(layer)
        return [lambda: compiled(x).backward(g)]

    def optimizer_step(make, **settings):
        def ways(*widths):
            def optimizer(**how):
                parameters = [leaf(shape) for n, m in zip(widths, widths[1:]) for shape in ((m, n), (m,))]
                for each in parameters:
                    each.grad = torch.randn_like(each)
                return make(parameters, **settings, **how)
            steps = [compile(optimizer().step)]
            try:
                steps.append(optimizer(fused=True).step)
            except (TypeError, RuntimeError):  # not every optimizer is fused, nor in every release
                pass
            return steps
        return ways

    def training(batch, *widths):
        layers = []
        for n, m in zip(widths, widths[1:-1]):
            layers += [torch.nn.Linear(n, m), torch.nn.BatchNorm1d(m), torch.nn.ReLU(), torch.nn.Dropout(0.5)]
        net = torch.nn.Sequential(*layers, torch.nn.Linear(widths[-2], widths[-1]))
        compiled = compile(net)
        optimizer = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9)
        x, target, step = torch.randn(batch, widths[0]), torch.randint(widths[-1], (batch,)), compile(optimizer.step)

        def once():
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(compiled(x), target).backward()
            step()
        return [once]

    def mul_add_tanh(x, g):
        return (x * g + x).tanh()

    return f"PyTorch {torch.__version__.partition('+')[0]} compiled or fused", {
        "mul_add_tanh_fwd_bwd": forward_backward(mul_add_tanh),
        "lambda_mul_add_tanh_fwd_bwd": forward_backward(mul_add_tanh),
        "softmax_fwd_bwd": forward_backward(lambda x, g: torch.softmax(x, 1)),
        "bn1d_fwd_bwd": batch_norm,
        "train_mlp_bn_do_sgdm": training,
        "adam_step": optimizer_step(torch.optim.Adam, lr=1e-3),
        "adamw_step": optimizer_step(torch.optim.AdamW, lr=1e-3),
        "sgdm_step": optimizer_step(torch.optim.SGD, lr=1e-3, momentum=0.9),
        "rmsprop_step": optimizer_step(torch.optim.RMSprop, lr=1e-3),
        "adagrad_step": optimizer_step(torch.optim.Adagrad, lr=1e-3),
    }


def jax_ways(threads):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    os.environ["JAX_PLATFORMS"] = "cpu"
    import jax
    import jax.numpy as jnp

    def normal(seed, shape):
        return jax.random.normal(jax.random.key(seed), shape)

    def forward_backward(function):
        def ways(*shape):
            def both(x, g):
                y, pull = jax.vjp(lambda x: function(x, g), x)
                return y, pull(g)[0]
            x, g, compiled = normal(0, shape), normal(1, shape), jax.jit(both)
            return [lambda: jax.block_until_ready(compiled(x, g))]
        return ways

    def training(batch, *widths):
        pairs = list(zip(widths, widths[1:]))
        layers = [{"weight": normal(i, pair) / pair[0] ** 0.5, "bias": jnp.zeros(pair[1])} for i, pair in enumerate(pairs)]
        for layer, (_, m) in zip(layers[:-1], pairs):
            layer |= {"gamma": jnp.ones(m), "beta": jnp.zeros(m)}
        averages = [(jnp.zeros(m), jnp.ones(m)) for _, m in pairs[:-1]]
        x, target = normal(90, (batch, widths[0])), jax.random.randint(jax.random.key(91), (batch,), 0, widths[-1])

        def loss(layers, averages, key):
            y, fresh = x, []
            for i, (layer, (mean, var)) in enumerate(zip(layers[:-1], averages)):
                z = y @ layer["weight"] + layer["bias"]
                m, v = z.mean(0), z.var(0)
                fresh.append((0.9 * mean + 0.1 * m, 0.9 * var + 0.1 * v * batch / (batch - 1)))
                y = jax.nn.relu((z - m) * jax.lax.rsqrt(v + 1e-5) * layer["gamma"] + layer["beta"])
                y = jnp.where(jax.random.bernoulli(jax.random.fold_in(key, i), 0.5, y.shape), y * 2, 0)
            z = y @ layers[-1]["weight"] + layers[-1]["bias"]
            return -jnp.take_along_axis(jax.nn.log_softmax(z), target[:, None], 1).mean(), fresh

        @functools.partial(jax.jit, donate_argnums=(0, 1, 2))
        def step(layers, velocity, averages, key):
            gradients, averages = jax.grad(loss, has_aux=True)(layers, averages, key)
            velocity = jax.tree.map(lambda v, g: 0.9 * v + g, velocity, gradients)
            return jax.tree.map(lambda w, v: w - 0.1 * v, layers, velocity), velocity, averages, jax.random.fold_in(key, 9)

        state = [layers, jax.tree.map(jnp.zeros_like, layers), averages, jax.random.key(0)]

        def once():
            state[:] = step(*state)
            jax.block_until_ready(state[0])
        return [once]

    def mul_add_tanh(x, g):
        return jnp.tanh(x * g + x)

    return f"JAX {jax.__version__} jit", {
        "mul_add_tanh_fwd_bwd": forward_backward(mul_add_tanh),
        "lambda_mul_add_tanh_fwd_bwd": forward_backward(mul_add_tanh),
        "softmax_fwd_bwd": forward_backward(lambda x, g: jax.nn.softmax(x, 1)),
        "train_mlp_bn_do_sgdm": training,
    }


def nanoseconds(once, calls):
    start = time.perf_counter()
    for _ in range(calls):
        once()
    return 1e9 * (time.perf_counter() - start) / calls


def measure(once, seconds, repetitions):
    """Times of a call in ns, of `repetitions` loops that take `seconds` each, after a warm-up of half of that."""
    once()
    one = nanoseconds(once, 1) / 1e9
    nanoseconds(once, 1 + int(seconds / 2 / one))
    one = nanoseconds(once, 1 + int(seconds / 4 / one)) / 1e9
    return [nanoseconds(once, 1 + int(seconds / one)) for _ in range(repetitions)]


def main():
    framework, threads = sys.argv[1], int(sys.argv[2].removeprefix("--threads="))
    version, operations = (torch_ways if framework == "torch" else jax_ways)(threads)
    print(version, flush=True)
    prepared = {}  # by line: compiling takes long, and every run asks again
    for request in sys.stdin:
        seconds, repetitions, line = request.strip().split(maxsplit=2)
        operation, *sizes = line.partition("|")[2].split()
        if operation not in operations:
            print("none", flush=True)
            continue
        try:
            if line not in prepared:
                prepared[line] = operations[operation](*map(int, sizes))
            times = min((measure(way, float(seconds), int(repetitions)) for way in prepared[line]), key=statistics.median)
            print("0 0 0 0", *times, flush=True)
        except Exception as error:
            print("error", repr(error).replace("\n", " "), flush=True)


if __name__ == "__main__":
    main()
