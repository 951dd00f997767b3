#!/usr/bin/env python3
"""functions.safetensors: activations and losses of one number with their first two derivatives, by mpmath in 120 digits.

`points` [38] are 35 numbers from -100 to 100 that float32 holds exactly, then inf, -inf and NaN. For each function NAME,
`NAME/0`, `/1` and `/2` [38] are its values and those of its derivatives, rounded to float64. Functions of a row take
(x, 0, -1): softmax and log_softmax give their first number, cross_entropy_T the loss of class T.

At infinities the limit is given; at NaN, and at a kink, what PyTorch 2.15 gives:
  relu, leaky_relu, elu: at 0 the derivatives of the negative side (PyTorch's second derivative of elu is that of the other),
  at NaN a constant first derivative, and 0 behind it;
  rows with an infinite largest number, or with NaN: NaN.
softplus is x itself above its threshold, by definition.

    make_functions.py            writes functions.safetensors (needs mpmath, PyTorch for reference.py alone)
    make_functions.py --check    computes everything again and compares
"""
import mpmath  # its numbers are exact where the formulas below subtract
import numpy as np
from mpmath import mpf

from reference import File, finish

mpmath.mp.dps = 120
SIZES = [1e-3, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 10.0, 14.0, 17.0, 20.0, 30.0, 50.0, 100.0]
POINTS = [float(np.float32(p)) for p in [-s for s in reversed(SIZES)] + [0.0] + SIZES]
SPECIAL = [np.inf, -np.inf, np.nan]
assert len(POINTS) == 35


def sigmoid(x):
    return 1 / (1 + mpmath.exp(-x))


def slope(x):
    return sigmoid(x) * sigmoid(-x)


def softplus(x):
    return mpmath.log1p(mpmath.exp(x))


def Phi(x):
    return mpmath.erfc(-x / mpmath.sqrt(2)) / 2


def phi(x):
    return mpmath.exp(-x * x / 2) / mpmath.sqrt(2 * mpmath.pi)


def twice(f, at_infinity, at_minus_infinity, at_nan=(np.nan,) * 3):
    """Values of f, which gives (y, y', y''), at all points; the last three are given."""
    rows = [[float(v) for v in f(mpf(x))] for x in POINTS]
    return np.array(rows + [at_infinity, at_minus_infinity, at_nan]).T


def gelu(x):
    return x * Phi(x), Phi(x) + x * phi(x), phi(x) * (2 - x * x)


def gelu_tanh(x):
    c, k = mpf("0.044715"), 2 * mpmath.sqrt(2 / mpmath.pi)
    v, dv, ddv = k * (x + c * x ** 3), k * (1 + 3 * c * x * x), k * 6 * c * x
    s, ds = sigmoid(v), slope(v)
    dds = ds * (sigmoid(-v) - s)
    return x * s, s + x * ds * dv, 2 * ds * dv + x * (dds * dv * dv + ds * ddv)


def silu(x):
    s, ds = sigmoid(x), slope(x)
    return x * s, s + x * ds, 2 * ds + x * ds * (sigmoid(-x) - s)


def softplus_of(beta, threshold):
    def f(x):
        if x * beta > threshold:
            return x, 1, 0
        return softplus(beta * x) / beta, sigmoid(beta * x), beta * slope(beta * x)
    return f


def elu(alpha):
    return lambda x: (x, 1, 0) if x > 0 else (alpha * mpmath.expm1(x), alpha * mpmath.exp(x), alpha * mpmath.exp(x))


def bce(t, v=mpf(1)):
    t = mpf(t)
    return lambda x: ((1 - t) * softplus(x) + v * t * softplus(-x), (1 - t) * sigmoid(x) - v * t * sigmoid(-x),
                      ((1 - t) + v * t) * slope(x))


def row(x):
    """log p and p of (x, 0, -1)."""
    e = [mpmath.exp(x), mpf(1), mpmath.exp(-1)]
    return [mpmath.log(v / sum(e)) for v in e], [v / sum(e) for v in e]


def others(p):
    return p[1] + p[2]  # 1 - p[0]


def softmax(x):
    p = row(x)[1]
    return p[0], p[0] * others(p), p[0] * others(p) * (others(p) - p[0])


def log_softmax(x):
    log_p, p = row(x)
    return log_p[0], others(p), -p[0] * others(p)


def cross_entropy(weights):
    """- sum_c a_c log p_c"""
    def f(x):
        log_p, p = row(x)
        # d(log p_0) = 1 - p_0, d(log p_c) = - p_0
        first = -weights[0] * others(p) + (weights[1] + weights[2]) * p[0]
        return -sum(a * l for a, l in zip(weights, log_p)), first, sum(weights) * p[0] * others(p)
    return f


NAN = (np.nan,) * 3
inf = np.inf
low = row(mpf(-1000))[0]  # what the row tends to at -inf
FUNCTIONS = {
    "relu": twice(lambda x: (x, 1, 0) if x > 0 else (0, 0, 0), (inf, 1, 0), (0, 0, 0), (np.nan, 1, 0)),
    "sigmoid": twice(lambda x: (sigmoid(x), slope(x), slope(x) * (sigmoid(-x) - sigmoid(x))), (1, 0, 0), (0, 0, 0)),
    "tanh": twice(lambda x: (mpmath.tanh(x), mpmath.sech(x) ** 2, -2 * mpmath.tanh(x) * mpmath.sech(x) ** 2),
                  (1, 0, 0), (-1, 0, 0)),
    "gelu": twice(gelu, (inf, 1, 0), (0, 0, 0)),
    "gelu_tanh": twice(gelu_tanh, (inf, 1, 0), (0, 0, 0)),
    "silu": twice(silu, (inf, 1, 0), (0, 0, 0)),
    "softplus": twice(softplus_of(mpf(1), 20), (inf, 1, 0), (0, 0, 0)),
    "softplus_2_5": twice(softplus_of(mpf(2), 5), (inf, 1, 0), (0, 0, 0)),
    "softplus_open": twice(softplus_of(mpf(1), 200), (inf, 1, 0), (0, 0, 0)),
    "leaky_relu_half": twice(lambda x: (x, 1, 0) if x > 0 else (x / 2, mpf(1) / 2, 0), (inf, 1, 0), (-inf, 0.5, 0),
                             (np.nan, 0.5, 0)),
    "elu": twice(elu(mpf(1)), (inf, 1, 0), (-1, 0, 0), (np.nan, 1, 0)),
    "elu_1.5": twice(elu(mpf(1.5)), (inf, 1, 0), (-1.5, 0, 0), (np.nan, 1, 0)),
    "softmax": twice(softmax, NAN, (0, 0, 0)),
    "log_softmax": twice(log_softmax, NAN, (-inf, 1, 0)),
    "mse_3": twice(lambda x: ((x - 3) ** 2, 2 * (x - 3), 2), (inf, inf, 2), (inf, -inf, 2), (np.nan, np.nan, 2)),
    "bce_0": twice(bce(0), (inf, 1, 0), (0, 0, 0)),
    "bce_1": twice(bce(1), (0, 0, 0), (inf, -1, 0)),
    "bce_0.25": twice(bce(0.25), (inf, 0.75, 0), (inf, -0.25, 0)),
    "bce_1_3": twice(bce(1, mpf(3)), (0, 0, 0), (inf, -3, 0)),
    "cross_entropy_0": twice(cross_entropy([1, 0, 0]), NAN, (inf, -1, 0)),
    "cross_entropy_1": twice(cross_entropy([0, 1, 0]), NAN, (float(-low[1]), 0, 0)),
    "cross_entropy_0_smooth": twice(cross_entropy([mpf(0.5) + mpf(0.5) / 3, mpf(0.5) / 3, mpf(0.5) / 3]), NAN,
                                    (inf, float(-mpf(0.5) - mpf(0.5) / 3), 0)),
    "cross_entropy_soft": twice(cross_entropy([mpf(0.75), mpf(0.25), mpf(0)]), NAN, (inf, -0.75, 0)),
}

file = File()
file.add("points", np.array(POINTS + SPECIAL))
for name, values in FUNCTIONS.items():
    for order in range(3):
        file.add(f"{name}/{order}", values[order])
finish(file, "functions.safetensors")
