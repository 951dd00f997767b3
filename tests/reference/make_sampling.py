#!/usr/bin/env python3
"""sampling.safetensors: interpolate, grid_sample and affine_grid by PyTorch (2.15). See reference.py for how to run it.

Cases interpolate_NN, grid_NN, affine_NN, each with _f32 and _f64. Options are whole numbers, `options`: of interpolate mode
(nearest, linear, bilinear, bicubic, trilinear, area, nearest-exact), align_corners (-1: left out), antialias,
recompute_scale_factor, whether `target` holds scales in the place of sizes; of grid_sample mode (bilinear, nearest, bicubic),
padding_mode (zeros, border, reflection), align_corners; of affine_grid align_corners. Then x, y, dy, dx, and grid, dgrid.
"""
import torch
from torch.nn import functional as F

from reference import FLOATS, File, Inputs, finish

inputs, file = Inputs(20261129), File()
u = inputs.uniform
MODES = ["nearest", "linear", "bilinear", "bicubic", "trilinear", "area", "nearest-exact"]


def interpolate(number, shape, mode, target, align=-1, antialias=0, recompute=0):
    scales = any(isinstance(t, float) for t in target)
    x, above = u(shape), None
    for suffix, dtype in FLOATS.items():
        name = f"interpolate_{number:02}_{suffix}"
        t = torch.tensor(x, dtype=dtype, requires_grad=True)
        y = F.interpolate(t, size=None if scales else tuple(target), scale_factor=tuple(target) if scales else None,
                          mode=mode, align_corners=None if align < 0 else bool(align),
                          recompute_scale_factor=True if recompute else None, antialias=bool(antialias))
        above = u(list(y.shape)) if above is None else above
        dy = torch.tensor(above, dtype=dtype)
        y.backward(dy)
        file.add(f"{name}/options", torch.tensor([MODES.index(mode), align, antialias, recompute, int(scales)]))
        file.add(f"{name}/target", torch.tensor([float(v) for v in target], dtype=torch.float64))
        for thing, value in {"x": t, "y": y, "dy": dy, "dx": t.grad}.items():
            file.add(f"{name}/{thing}", value)


calls = []
for mode in "nearest", "nearest-exact":
    calls += [([2, 2, 5], mode, [8]), ([1, 2, 5, 4], mode, [3, 9]), ([1, 1, 3, 2, 4], mode, [2, 5, 3]),
              ([1, 2, 5, 4], mode, [1.7, 0.6]), ([1, 1, 7, 6], mode, [2.3, 1.31], -1, 0, 1), ([1, 1, 3], mode, [6])]
for align in -1, 0, 1:
    calls += [([2, 2, 5], "linear", [8], align), ([1, 2, 5, 4], "bilinear", [3, 9], align),
              ([1, 2, 3, 5], "bilinear", [1.7, 2.4], align), ([1, 2, 5, 4], "bicubic", [7, 3], align),
              ([1, 1, 4, 6], "bicubic", [2.5, 0.7], align), ([1, 1, 3, 2, 4], "trilinear", [2, 5, 3], align),
              ([1, 1, 2, 3, 3], "trilinear", [1.5, 2.0, 0.7], align)]
calls += [([1, 1, 5, 4], "bilinear", [1, 1], 1), ([1, 1, 1, 1], "bilinear", [3, 2], 1), ([1, 1, 3, 3], "bilinear", [3, 3]),
          ([1, 2, 5, 4], "bilinear", [1.9, 1.9], 0, 0, 1), ([1, 2, 9, 8], "bilinear", [4, 3], 0, 1),
          ([1, 2, 9, 8], "bicubic", [4, 5], 0, 1), ([1, 1, 9, 7], "bicubic", [0.4, 1.6], 0, 1),
          ([1, 1, 5, 4], "bilinear", [8, 9], 0, 1), ([1, 1, 6, 5], "bilinear", [0.5, 0.7], 1, 1),
          ([2, 2, 5], "area", [3]), ([1, 2, 5, 4], "area", [2, 6]), ([1, 1, 4, 3, 4], "area", [0.5, 1.4, 0.8])]
# As many taps as inputs, unevenly spread over them: what the gradient reads.
calls += [([1, 2, 4], "linear", [2], 1), ([2, 1, 6], "linear", [3], 1), ([1, 1, 3, 8], "bilinear", [3, 4], 1),
          ([1, 1, 6, 4], "bilinear", [3, 2], 1), ([1, 2, 4], "nearest-exact", [1.2]), ([1, 2, 4, 4], "nearest", [1.2, 1.2])]
for i, call in enumerate(calls):
    interpolate(i, *call)

number = 0
for dims in 2, 3:
    for mode in ["bilinear", "nearest", "bicubic"][:3 if dims == 2 else 2]:
        for padding in "zeros", "border", "reflection":
            for align in 0, 1:
                shape = [2, 2, 4, 3] if dims == 2 else [1, 2, 2, 3, 3]
                x, grid = u(shape), u([shape[0], 3, 2, 2] if dims == 2 else [1, 2, 2, 2, 3], -1.6, 1.6)
                above = None
                for suffix, dtype in FLOATS.items():
                    name = f"grid_{number:02}_{suffix}"
                    t, g = (torch.tensor(v, dtype=dtype, requires_grad=True) for v in (x, grid))
                    y = F.grid_sample(t, g, mode=mode, padding_mode=padding, align_corners=bool(align))
                    above = u(list(y.shape)) if above is None else above
                    dy = torch.tensor(above, dtype=dtype)
                    y.backward(dy)
                    options = [["bilinear", "nearest", "bicubic"].index(mode),
                               ["zeros", "border", "reflection"].index(padding), align]
                    file.add(f"{name}/options", torch.tensor(options))
                    for thing, value in {"x": t, "grid": g, "y": y, "dy": dy, "dx": t.grad, "dgrid": g.grad}.items():
                        file.add(f"{name}/{thing}", value)
                number += 1

for i, (size, align) in enumerate([([2, 1, 3, 4], 0), ([2, 3, 3, 1], 1), ([1, 1, 2, 3, 2], 0), ([2, 1, 2, 2, 3], 1)]):
    theta = u([size[0], len(size) - 2, len(size) - 1])
    for suffix, dtype in FLOATS.items():
        y = F.affine_grid(torch.tensor(theta, dtype=dtype), size, align_corners=bool(align))
        file.add(f"affine_{i:02}_{suffix}/options", torch.tensor([align]))
        file.add(f"affine_{i:02}_{suffix}/size", torch.tensor(size))
        file.add(f"affine_{i:02}_{suffix}/x", torch.tensor(theta, dtype=dtype))
        file.add(f"affine_{i:02}_{suffix}/y", y)
finish(file, "sampling.safetensors")
