"""What the scripts make_modules_FAMILY.py share: each writes modules_FAMILY.safetensors, one case for each row of
tests/table/modules_FAMILY.cpp, by PyTorch (2.15). See reference.py for how to run them.

Names are "case/thing", and cases end in _f32 or _f64: the inputs x0, x1, ..; the state before, s.NAME; y in training, its
gradient from above dy, the gradients dx0, dx1, .. of floating inputs and d.NAME of parameters, and the buffers after it,
after.NAME; z, the result in evaluation from the state before. A module that draws has z alone.
"""
import torch

from reference import FLOATS, File, Inputs, finish


class Cases:
    """The cases of a family: record() adds one, finish() writes the file."""

    def __init__(self, family):
        self.family, self.file = family, File()
        self.inputs = Inputs(20261128 + sum(map(ord, family)))

    def finish(self):
        finish(self.file, f"modules_{self.family}.safetensors")

    def record(self, case, module, *things, draws=False):
        for name, value in module.state_dict().items():
            if value.is_floating_point():
                low = 0.3 if name.endswith("var") or name.endswith("weight") and "Loss" in type(module).__name__ else -0.7
                value.copy_(torch.tensor(self.inputs.uniform(list(value.shape), low, 1.2)))
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
                self.file.add(f"{name}/s.{key}", value)
            x = [torch.tensor(t) for t in things]
            x = [t.to(dtype) if t.is_floating_point() else t for t in x]
            for i, t in enumerate(x):
                self.file.add(f"{name}/x{i}", t)
            self.file.add(f"{name}/z", module.eval()(*x))
            if draws:
                continue
            x = [t.requires_grad_() if t.is_floating_point() else t for t in x]
            y = module.train()(*x)
            above = self.inputs.uniform(list(y.shape)) if above is None else above
            dy = torch.tensor(above, dtype=dtype)
            module.zero_grad(set_to_none=True)
            y.backward(dy)
            self.file.add(f"{name}/y", y)
            self.file.add(f"{name}/dy", dy)
            for i, t in enumerate(x):
                if t.requires_grad:
                    self.file.add(f"{name}/dx{i}", t.grad)
            for key, p in module.named_parameters():
                self.file.add(f"{name}/d.{key}", p.grad)
            for key, value in module.named_buffers():
                self.file.add(f"{name}/after.{key}", value)
