"""Draws programs: a few tensors, three to eight operations on them with views, in-place writes, detachments, hooks and
looks in between, and backward passes. PyTorch runs each statement when it is drawn, so that shapes mostly fit."""
import random

import torch

import policies
from arguments import Arguments, NoFit
from torch_programs import BINARY, COMPARISONS, NAMES, OPERATIONS, UNARY, Machine, Refused

POSITIVE = {"log", "log2", "log10", "sqrt", "rsqrt", "log_", "sqrt_"}  # no NaN to hide what follows
WITHIN_ONE = {"asin", "acos"}


def integers(values):
    return "[" + ",".join(map(str, values)) + "]"


def text(value):
    return "true" if value is True else "false" if value is False else "none" if value is None else repr(value)


class Abandoned(Exception):
    """PyTorch refused a statement, and the program goes on without it."""


class Drawer:
    def __init__(self, seed, index, signatures):
        self.random = random.Random(f"{seed}/{index}")
        self.signatures = signatures
        self.machine = Machine(signatures)
        self.lines = []
        self.refused = None  # PyTorch's words for the last line, if it did not run it
        self.names = 0
        self.dtype = "float32" if self.chance(0.15) else "float64"

    # Choices

    def chance(self, p):
        return self.random.random() < p

    def pick(self, values):
        return self.random.choice(values)

    def size(self):
        return self.random.choices([0, 1, 2, 3, 4], [0.02, 0.15, 0.35, 0.35, 0.13])[0]

    def shape(self, least=0, most=3):
        return [self.size() for _ in range(self.random.randint(least, most))]

    def value(self):
        if self.chance(0.003):
            return self.pick([float("inf"), float("-inf"), float("nan")])
        if self.chance(0.02):
            return self.pick([0.0, 1.0, -1.0])
        return round(self.random.uniform(-2, 2), 3)

    def number(self):
        return self.pick([2, -1, 0.5, 3, -1.5, 1.25, 0.75]) if self.chance(0.95) else self.pick([0, 1, 0.0])

    def live(self, fits=lambda t: True):
        return [slot for slot, t in self.machine.slots.items() if t is not None and fits(t)]

    def floating(self, fits=lambda t: True):
        """A slot of a floating-point tensor, the later ones more often."""
        slots = self.live(lambda t: t.is_floating_point() and fits(t))
        if not slots:
            return None
        return slots[max(self.random.randrange(len(slots)), self.random.randrange(len(slots)))]

    def of(self, slot):
        return self.machine.slots[slot]

    def dim(self, t):
        n = t.dim()
        d = self.random.randrange(n) if n else 0
        return d - n if n and self.chance(0.3) else d

    def new(self):
        self.names += 1
        return self.names - 1

    # Statements

    def do(self, operation, *arguments, results=0):
        """Adds a statement and lets PyTorch run it. The slots of its results."""
        slots = [self.new() for _ in range(results)]
        left = ",".join(f"%{slot}" for slot in slots) + " = " if slots else ""
        line = left + " ".join([operation, *map(str, arguments)])
        if self.chance(0.9) and policies.other_meaning(self.machine, line) is not None:
            raise Abandoned
        self.lines.append(line)
        try:
            self.machine.execute(line)
        except Refused as error:
            if self.chance(0.3):
                self.refused = str(error)
                raise
            self.lines.pop()
            self.begin_again()
            raise Abandoned from None
        return slots[0] if results == 1 else slots

    def begin_again(self):
        """What a refused statement left behind is undone by running the others anew."""
        self.machine = Machine(self.signatures)
        for line in self.lines:
            self.machine.execute(line)

    def leaf(self, shape, dtype=None, requires_grad=None, value=None, may_be_view=False):
        count = 1
        for size in shape:
            count *= size
        numbers = [(value or self.value)() for _ in range(count)]
        dtype = dtype or self.dtype
        slot = self.do("tensor", dtype, integers(shape), integers(numbers), results=1)
        if requires_grad is None:
            requires_grad = self.chance(0.65)
        if requires_grad and dtype.startswith("float"):
            if may_be_view and self.chance(0.15) and shape:
                slot = self.view_of(slot) or slot
            self.do("requires_grad_", f"%{slot}", "true")
        return slot

    def index_tensor(self, shape, below):
        count = 1
        for size in shape:
            count *= size
        values = [self.random.randrange(below) for _ in range(count)] if below else []
        if count and not below:
            return None
        return self.do("integers", "int64", integers(shape), integers(values), results=1)

    # Views

    def view_of(self, slot):
        t = self.of(slot)
        n = t.dim()
        x = f"%{slot}"
        kinds = ["reshape", "view", "unsqueeze", "squeeze", "expand", "as_strided", "detach", "flatten", "permute"]
        if n:
            kinds += ["select", "slice", "slice", "narrow", "squeeze_dim", "unbind", "split", "chunk", "index", "transpose",
                      "movedim", "select", "as_strided", "index"]
        if n >= 2:
            kinds += ["transpose", "diagonal", "transpose", "diagonal"]
        if n <= 2:
            kinds += ["t"]
        kind = self.pick(kinds)
        if kind in ("reshape", "view"):
            return self.do(kind, x, integers(self.other_shape(t)), results=1)
        if kind == "unsqueeze":
            return self.do(kind, x, self.random.randint(-n - 1, n), results=1)
        if kind in ("squeeze", "t", "detach"):
            return self.do(kind, x, results=1)
        if kind == "flatten":
            start = self.random.randrange(n) if n else 0
            return self.do(kind, x, start, self.random.randrange(start, n) if n else 0, results=1)
        if kind == "expand":
            shape = [self.pick([1, 2, 3]) if size == 1 else self.pick([size, size, -1]) for size in t.shape]
            if self.chance(0.5):
                shape = [self.pick([1, 2, 3])] + shape
            return self.do(kind, x, integers(shape), results=1)
        if kind == "as_strided":
            return self.strided(slot)
        if kind == "permute":
            order = list(range(n))
            self.random.shuffle(order)
            return self.do(kind, x, integers(order), results=1)
        d = self.dim(t)
        size = t.shape[d] if n else 0
        if kind == "select":
            if not size:
                return None
            return self.do(kind, x, d, self.random.randrange(-size, size), results=1)
        if kind == "slice":
            start, stop = (self.pick([None, self.random.randint(-size - 1, size + 1)]) for _ in range(2))
            return self.do(kind, x, d, text(start), text(stop), self.pick([1, 1, 1, 2, 3]), results=1)
        if kind == "narrow":
            start = self.random.randint(0, size)
            return self.do(kind, x, d, start, self.random.randint(0, size - start), results=1)
        if kind == "squeeze_dim":
            return self.do(kind, x, d, results=1)
        if kind == "unbind":
            return self.one_of(self.do(kind, x, d, results=size)) if size > 1 else None
        if kind == "split":
            step = self.random.randint(1, max(size, 1))
            count = max(1, -(-size // step))
            return self.one_of(self.do(kind, x, step, d, results=count)) if count > 1 else None
        if kind == "chunk":
            count = len(torch.chunk(t.detach(), 2, d))
            return self.one_of(self.do(kind, x, 2, d, results=count)) if count > 1 else None
        if kind in ("transpose", "movedim"):
            return self.do(kind, x, d, self.dim(t), results=1)
        if kind == "diagonal":
            first, second = self.random.sample(range(n), 2)
            return self.do(kind, x, self.pick([0, 0, 1, -1]), first, second, results=1)
        if kind == "index":
            kinds, numbers = self.index_list(t)
            return self.do(kind, x, kinds, integers(numbers), results=1)
        raise AssertionError(kind)

    def one_of(self, slots):
        keep = self.pick(slots)
        if self.chance(0.5):
            self.do("drop", *(f"%{slot}" for slot in slots if slot != keep))
        return keep

    def index_list(self, t):
        kinds, numbers, d = "", [], 0
        for _ in range(self.random.randint(1, min(3, max(1, t.dim())))):
            kind = self.pick("iissn") if d < t.dim() else "n"
            if kind == "i":
                if not t.shape[d]:
                    kind = "s"
                else:
                    numbers += [self.random.randrange(-t.shape[d], t.shape[d]), 0, 0]
                    d += 1
            if kind == "s":
                start = self.random.randint(0, t.shape[d])
                numbers += [start, self.random.randint(start, t.shape[d] + 1), self.pick([1, 1, 2])]
                d += 1
            if kind == "n":
                numbers += [0, 0, 0]
            kinds += kind
        return kinds, numbers

    def other_shape(self, t):
        count = t.numel()
        if count == 0:
            return list(t.shape) if self.chance(0.5) else [0]
        shape = []
        while count > 1 and len(shape) < 3:
            divisors = [d for d in range(1, count + 1) if count % d == 0]
            shape.append(self.pick(divisors))
            count //= shape[-1]
        if count > 1:
            shape.append(count)
        if shape and self.chance(0.2):
            shape[self.random.randrange(len(shape))] = -1
        return shape

    def strided(self, slot):
        t = self.of(slot)
        extent = t.untyped_storage().nbytes() // t.element_size()
        shape, strides, last = [], [], 0
        offset = self.random.randrange(extent) if extent and self.chance(0.4) else None
        room = extent - 1 - (t.storage_offset() if offset is None else offset)
        for _ in range(self.random.randint(0, 2)):
            stride = self.pick([1, 1, 2, 3, 0 if self.chance(0.2) else 1])
            size = self.random.randint(1, 1 + min(3, (room - last) // max(stride, 1))) if room > last else 1
            last += stride * (size - 1)
            shape.append(size)
            strides.append(stride)
        if room < 0:
            return None
        return self.do("as_strided", f"%{slot}", integers(shape), integers(strides), text(offset), results=1)

    # Operands

    def operand(self, shape, exact=False):
        """A floating-point tensor that broadcasts to a shape: one there is, or a new one."""
        def fits(t):
            if exact:
                return list(t.shape) == list(shape)
            try:
                return torch.broadcast_shapes(t.shape, shape) == torch.Size(shape)
            except RuntimeError:
                return False
        slot = self.floating(fits) if self.chance(0.75) else None
        if slot is not None:
            return slot
        own = list(shape)
        if not exact:
            own = own[self.random.randrange(len(own)):] if own and self.chance(0.3) else own
            own = [1 if self.chance(0.15) else size for size in own]
        return self.leaf(own, self.other_dtype())

    @staticmethod
    def broadcasts(a, b):
        return all(m == n or 1 in (m, n) for m, n in zip(reversed(a), reversed(b)))

    def other_dtype(self):
        return self.pick(["float32", "float64"]) if self.chance(0.04) else self.dtype

    def mask(self, shape):
        slot = self.operand(shape)
        return self.do(self.pick(COMPARISONS) + "_number", f"%{slot}", self.number(), results=1)

    # In place

    def write(self):
        slot = self.floating()
        if slot is None:
            return None
        t = self.of(slot)
        x = f"%{slot}"
        kind = self.pick(["add_", "sub_", "mul_", "mul_", "div_", "copy_", "copy_", "add_number_", "sub_number_",
                          "mul_number_", "mul_number_", "div_number_", "fill_", "zero_", "set_item", "set_item",
                          "set_item_number", "set_index", "unary", "clamp_", "masked"])
        if kind in ("add_", "sub_"):
            return self.do(kind, x, f"%{self.operand(t.shape)}", self.pick([1, 1, 1, 2, -0.5]))
        if kind in ("mul_", "div_", "copy_"):
            return self.do(kind, x, f"%{self.operand(t.shape)}")
        if kind in ("add_number_", "sub_number_"):
            return self.do(kind, x, self.number(), self.pick([1, 1, 2]))
        if kind in ("mul_number_", "div_number_", "fill_"):
            return self.do(kind, x, self.number())
        if kind == "zero_":
            return self.do(kind, x)
        if kind in ("set_item", "set_item_number"):
            if t.dim() == 0 or t.shape[0] == 0:
                return None
            i = self.random.randrange(-t.shape[0], t.shape[0])
            if kind == "set_item_number":
                return self.do(kind, x, i, self.number())
            return self.do(kind, x, i, f"%{self.operand(t.shape[1:])}")
        if kind == "set_index":
            if t.dim() == 0:
                return None
            kinds, numbers = self.index_list(t)
            with torch.no_grad():
                from torch_programs import index_with
                shape = index_with(t, kinds, numbers).shape
            return self.do(kind, x, kinds, integers(numbers), f"%{self.operand(shape)}")
        if kind == "unary":
            name = self.pick("neg_ abs_ exp_ log_ sqrt_ relu_ tanh_ sigmoid_".split())
            return self.do(name, x) if self.sensible(name, t) else None
        if kind == "clamp_":
            return self.do(kind, x, *self.pick([("-0.7", "none"), ("none", "0.6"), ("-0.5", "0.9")]))
        mask = self.mask(t.shape)
        filled = self.do("masked_fill", x, f"%{mask}", self.number(), results=1)
        return self.do("copy_", x, f"%{filled}")

    def sensible(self, name, t):
        numbers = t.detach()
        if name in POSITIVE:
            return bool((numbers > 0.01).all())
        if name in WITHIN_ONE:
            return bool((numbers.abs() < 0.99).all())
        if name in ("exp", "exp_", "exp2", "expm1", "sinh", "cosh"):
            return bool((numbers.abs() < 20).all())
        return True

    # Out of place

    def compute(self):
        slot = self.floating()
        if slot is None:
            return None
        kind = self.pick([self.unary, self.binary, self.binary, self.with_number, self.reduction, self.reduction, self.along,
                          self.product, self.joined, self.picked, self.selected, self.layer, self.copied, self.typed, self.typed, self.typed, self.typed])
        return kind(slot)

    def finite(self, t):
        return bool(t.detach().isfinite().all())

    def drawn(self):
        """An operation of drawn_operations.cpp."""
        name = self.pick(self.signatures.drawn)
        try:
            words = Arguments(self).words(self.signatures.draws[name])
        except NoFit:
            return None
        results = self.signatures.results[name]
        if results < 0:
            arguments = [self.machine.read(kind, word) for kind, word in zip(self.signatures[name], words, strict=True)]
            try:
                with torch.no_grad():
                    results = len(OPERATIONS[name](*arguments))
            except (RuntimeError, IndexError, ValueError):
                return None
        made = self.do(name, *words, results=results)
        return made if results == 1 else self.one_of(made) if made else None

    def unary(self, slot):
        name = self.pick(UNARY + ["gelu", "silu", "softplus", "leaky_relu", "elu"])
        x = f"%{slot}"
        if not self.sensible(name, self.of(slot)):
            return None
        more = {"gelu": [self.pick(["none", "tanh"])], "softplus": [self.pick([1, 2.0]), 20], "leaky_relu": [0.1],
                "elu": [self.pick([1, 0.5])]}
        return self.do(name, x, *more.get(name, []), results=1)

    def binary(self, slot):
        name = self.pick(BINARY + ["add", "add", "sub", "mul", "mul"])
        a, b = f"%{slot}", f"%{self.operand(self.of(slot).shape)}"
        if name == "pow" and not self.sensible("log", self.of(slot)):
            name = "mul"
        if self.chance(0.4):
            a, b = b, a
            if name == "pow":
                name = "add"
        return self.do(name, a, b, *([self.pick([1, 1, 2, -0.5])] if name in ("add", "sub") else []), results=1)

    def with_number(self, slot):
        name = self.pick("add_number sub_number rsub_number mul_number div_number number_div pow_number number_pow "
                         "clamp clamp_min clamp_max".split())
        x, c = f"%{slot}", self.number()
        if name in ("add_number", "sub_number"):
            return self.do(name, x, c, self.pick([1, 1, 2]), results=1)
        if name == "pow_number":
            c = self.pick([2, 3, 2.0, 1, 0, -1] + ([0.5, 1.5] if self.sensible("log", self.of(slot)) else []))
        if name == "number_pow":
            return self.do(name, abs(c) + 0.5, x, results=1)
        if name == "number_div":
            return self.do(name, c, x, results=1)
        if name == "clamp":
            return self.do(name, x, *self.pick([("-0.7", "none"), ("none", "0.6"), ("-0.5", "0.9")]), results=1)
        return self.do(name, x, c, results=1)

    def dims(self, t):
        return sorted(self.random.sample(range(t.dim()), self.random.randint(0, t.dim())))

    def reduction(self, slot):
        t = self.of(slot)
        name = self.pick("sum sum mean var std max min amax amin norm norm_along logsumexp prod prod_along max_along "
                         "min_along sum_to_size argmax".split())
        x, dims, keepdim = f"%{slot}", integers(self.dims(t)), text(self.chance(0.4))
        if name in ("sum", "mean"):
            return self.do(name, x, dims, keepdim, "none", results=1)
        if name in ("var", "std"):
            return self.do(name, x, dims, text(self.chance(0.5)), keepdim, results=1)
        if name in ("max", "min"):
            return self.do(name, x, results=1)
        if name in ("amax", "amin"):
            return self.do(name, x, dims, keepdim, results=1)
        if name == "norm":
            return self.do(name, x, self.pick([2, 1, 3, 2.0, float("inf")]), results=1)
        if name == "norm_along":
            return self.do(name, x, self.pick([2, 1, 3, 0.5]), dims, keepdim, results=1)
        if name == "logsumexp":
            return self.do(name, x, integers(self.dims(t) or range(t.dim())), keepdim, results=1)
        if name == "prod":
            return self.do(name, x, "none", results=1)
        if name == "sum_to_size":
            shape = [1 if self.chance(0.4) else size for size in t.shape]
            if shape == list(t.shape):  # the tensor itself; PyTorch makes a view or a copy
                return None
            return self.do(name, x, integers(shape), results=1)
        d = self.dim(t)
        if name == "argmax":
            if t.numel() != len(set(t.detach().flatten().tolist())):
                return None
            return self.do(name, x, self.pick(["none", d]), keepdim, results=1)
        if name == "prod_along":
            return self.do(name, x, d, keepdim, "none", results=1)
        return self.do(name, x, d, keepdim, results=2)

    def along(self, slot):
        t = self.of(slot)
        name = self.pick("softmax log_softmax cumsum cumsum cumprod linear_recurrence sort argsort topk flip".split())
        x, d = f"%{slot}", self.dim(t)
        if name in ("softmax", "log_softmax", "cumsum", "cumprod"):
            return self.do(name, x, d, "none", results=1)
        if name == "flip":
            return self.do(name, x, integers(self.dims(t)), results=1)
        if name == "linear_recurrence":
            if t.dim() == 0 or t.shape[d] < 2:
                return None
            b = self.operand(t.shape, exact=True)
            return self.do(name, x, f"%{b}", d, text(self.chance(0.5)), results=1)
        if name == "sort":
            return self.do(name, x, d, text(self.chance(0.5)), results=2)
        if name == "argsort":
            return self.do(name, x, d, text(self.chance(0.5)), results=1)
        if t.numel() != len(set(t.detach().flatten().tolist())):  # among equals PyTorch's choice is not specified
            return None
        size = t.shape[d] if t.dim() else 1
        return self.do(name, x, self.random.randint(0, size), d, text(self.chance(0.5)), "true", results=2)

    def product(self, slot):
        t = self.of(slot)
        x = f"%{slot}"
        if t.dim() == 0:
            return None
        if t.dim() == 1:
            name = self.pick(["dot", "outer", "matmul"])
            if name == "dot":
                return self.do(name, x, f"%{self.operand(t.shape, exact=True)}", results=1)
            if name == "outer":
                return self.do(name, x, f"%{self.operand([self.size()], exact=True)}", results=1)
            return self.do(name, x, f"%{self.operand([t.shape[0], self.size()], exact=True)}", results=1)
        if t.dim() == 2:
            name = self.pick(["mm", "mv", "matmul", "addmm", "linear"])
            m = self.size()
            if name == "mv":
                return self.do(name, x, f"%{self.operand([t.shape[1]], exact=True)}", results=1)
            if name == "linear":
                w = self.operand([m, t.shape[1]], exact=True)
                bias = f"%{self.operand([m], exact=True)}" if self.chance(0.5) else "%-"
                return self.do(name, x, f"%{w}", bias, results=1)
            b = f"%{self.operand([t.shape[1], m], exact=True)}"
            if name == "addmm":
                c = f"%{self.operand([t.shape[0], m])}"
                return self.do(name, c, x, b, self.pick([1, 0.5, 0]), self.pick([1, 2]), results=1)
            return self.do(name, x, b, results=1)
        m = self.size()
        if self.chance(0.5):
            b = f"%{self.operand([t.shape[0], t.shape[2], m], exact=True)}"
            return self.do("bmm", x, b, results=1)
        return self.do("matmul", x, f"%{self.operand([t.shape[2], m], exact=True)}", results=1)

    def joined(self, slot):
        t = self.of(slot)
        others = [f"%{self.operand(t.shape, exact=True)}" for _ in range(self.random.randint(0, 2))]
        parts = [f"%{slot}", *others]
        self.random.shuffle(parts)
        if self.chance(0.5) or t.dim() == 0:
            return self.do("stack", integers(parts), self.random.randint(-t.dim() - 1, t.dim()), results=1)
        return self.do("cat", integers(parts), self.dim(t), results=1)

    def picked(self, slot):
        t = self.of(slot)
        x, d = f"%{slot}", self.dim(t)
        name = self.pick(["index_select", "gather", "scatter_add", "embedding"])
        size = t.shape[d] if t.dim() else 1
        if name == "index_select":
            index = self.index_tensor([self.size()], size)
            return None if index is None else self.do(name, x, d, f"%{index}", results=1)
        if name == "embedding":
            if t.dim() != 2:
                return None
            index = self.index_tensor(self.shape(0, 2), t.shape[0])
            padding = self.pick([-1, -1, 0]) if t.shape[0] else -1
            return None if index is None else self.do(name, x, f"%{index}", padding, self.pick(["false", "true"]), "false",
                                                      results=1)
        shape = [self.random.randint(0, n) for n in t.shape]
        if name == "gather":
            index = self.index_tensor(shape, size)
            return None if index is None else self.do(name, x, d, f"%{index}", results=1)
        target = [max(n, 1) for n in t.shape]
        index = self.index_tensor(list(t.shape), target[d] if target else 1)
        return None if index is None else self.do(name, integers(target), d, f"%{index}", x, results=1)

    def selected(self, slot):
        t = self.of(slot)
        x = f"%{slot}"
        mask = f"%{self.mask(t.shape)}"
        name = self.pick(["where", "where", "where_number", "masked_fill"])
        if name == "where":
            return self.do(name, mask, x, f"%{self.operand(t.shape)}", results=1)
        if name == "where_number":
            return self.do(name, mask, x, self.number(), results=1)
        return self.do(name, x, mask, self.number(), results=1)

    def typed(self, slot):
        """Operations of whole numbers and truth values, and of two dtypes."""
        t = self.of(slot)
        x = f"%{slot}"
        if self.chance(0.8) and bool(t.detach().isfinite().all()):
            kind = self.pick(["int64", "int32", "bool", "uint8"])
            if kind == "uint8":
                x = f"%{self.do('abs', x, results=1)}"
            x = f"%{self.do('to', x, kind, results=1)}"
        fitting = self.live(lambda other: self.broadcasts(other.shape, t.shape))
        b = f"%{self.pick(fitting)}"
        n = t.dim()
        name = self.pick(["sum", "prod", "prod_along", "cumsum", "mean", "any", "all", "any_along", "all_along", "max_along",
                          "amax", "argmin", "sort", "add", "sub", "mul", "div", "pow", "maximum", "remainder", "fmod",
                          "atan2", "where", "number", "unary", "compare", "logical", "mul_", "add_", "copy_", "cat",
                          "softmax", "norm", "clamp", "matmul"])
        dtype = self.pick(["none", "none", "int32", "int64", "float32", "float64", "uint8", "bool"])
        d, keepdim = self.dim(t), text(self.chance(0.5))
        if name in ("sum", "mean"):
            return self.do(name, x, integers(self.dims(t)), keepdim, dtype, results=1)
        if name == "prod":
            return self.do(name, x, dtype, results=1)
        if name == "prod_along":
            return self.do(name, x, d, keepdim, dtype, results=1)
        if name in ("cumsum", "softmax"):
            return self.do(name, x, d, dtype, results=1)
        if name in ("any", "all"):
            return self.do(name, x, results=1)
        if name in ("any_along", "all_along", "argmin"):
            return self.do(name, x, d, keepdim, results=1) if name != "argmin" else None
        if name == "max_along":
            return self.do(name, x, d, keepdim, results=2)
        if name == "amax":
            return self.do(name, x, integers(self.dims(t)), keepdim, results=1)
        if name == "sort":
            return self.do(name, x, d, keepdim, results=2)
        if name in ("add", "sub"):
            return self.do(name, x, b, self.pick([1, 2]), results=1)
        if name in ("mul", "div", "pow", "maximum", "remainder", "fmod", "atan2", "matmul"):
            return self.do(name, x, b, results=1)
        if name == "where":
            return self.do(name, f"%{self.mask(t.shape)}", x, b, results=1)
        if name == "number":
            kind = self.pick("add_number sub_number rsub_number mul_number div_number pow_number number_pow".split())
            c = self.pick([2, 3, 0.5, True, -1])
            return self.do(kind, *((text(abs(c)) if c is not True else "true", x) if kind == "number_pow" else (x, text(c))),
                           *([1] if kind in ("add_number", "sub_number") else []), results=1)
        if name == "unary":
            kind = self.pick("neg abs sign square relu floor round exp sin tanh sigmoid sqrt reciprocal isnan isfinite "
                             "logical_not".split())
            return self.do(kind, x, results=1)
        if name == "compare":
            return self.do(self.pick(COMPARISONS), x, b, results=1)
        if name == "logical":
            return self.do(self.pick(["logical_and", "logical_or", "logical_xor"]), x, b, results=1)
        if name in ("mul_", "copy_"):
            return self.do(name, x, b)
        if name == "add_":
            return self.do(name, x, b, 1)
        if name == "cat":
            return self.do(name, integers([x, x, f"%{slot}"]), d, results=1) if n else None
        if name == "norm":
            return self.do(name, x, 2, results=1)
        return self.do("clamp", x, self.pick(["-1", "0", "0.5"]), self.pick(["1", "none", "1.5"]), results=1)

    def copied(self, slot):
        t = self.of(slot)
        x = f"%{slot}"
        name = self.pick(["clone", "contiguous", "to", "repeat", "tril", "triu", "constant_pad_nd"])
        if name in ("clone", "contiguous"):
            return self.do(name, x, results=1)
        if name == "to":
            return self.do(name, x, self.pick(["float64", "float32"]), results=1)
        if name == "repeat":
            return self.do(name, x, integers([self.pick([1, 2])] * self.pick([0, 1]) + [self.pick([1, 2]) for _ in t.shape]),
                           results=1)
        if name in ("tril", "triu"):
            return self.do(name, x, self.pick([0, 1, -1]), results=1) if t.dim() >= 2 else None
        pad = [self.pick([0, 1, -1, 2]) for _ in range(2 * self.random.randint(0, t.dim()))]
        return self.do(name, x, integers(pad), self.number(), results=1)

    def layer(self, slot):
        t = self.of(slot)
        x = f"%{slot}"
        name = self.pick(["layer_norm", "batch_norm", "conv", "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "mse_loss",
                          "binary_cross_entropy_with_logits", "cross_entropy", "nll_loss", "attention", "max_pool1d",
                          "avg_pool1d"])
        n = t.dim()
        reduction = self.pick(["none", "mean", "sum"])
        maybe = lambda shape: f"%{self.operand(shape, exact=True)}" if self.chance(0.6) else "%-"
        if name == "layer_norm" and n:
            shape = list(t.shape[self.random.randrange(n):])
            return self.do(name, x, integers(shape), maybe(shape), maybe(shape), 1e-05, results=1)
        if name == "batch_norm" and n >= 2:
            c = [t.shape[1]]
            return self.do(name, x, "%-", "%-", maybe(c), maybe(c), "true", 0.1, 1e-05, results=1)
        if name in ("mse_loss", "binary_cross_entropy_with_logits"):
            target = f"%{self.operand(t.shape, exact=True)}"
            if name == "mse_loss":
                return self.do(name, x, target, reduction, results=1)
            return self.do(name, x, target, maybe(list(t.shape)), "%-", reduction, results=1)
        if name in ("cross_entropy", "nll_loss") and n == 2:
            target = self.index_tensor([t.shape[0]], t.shape[1])
            if target is None:
                return None
            more = [0.1 if self.chance(0.3) else 0.0] if name == "cross_entropy" else []
            weight = f"%{self.leaf([t.shape[1]], requires_grad=False)}" if self.chance(0.4) else "%-"
            return self.do(name, x, f"%{target}", weight, reduction, -100, *more, results=1)
        if name == "conv" and n == 3:
            out, groups = self.pick([1, 2, 3]), 1
            w = self.operand([out, t.shape[0] if self.chance(0) else t.shape[1], self.pick([1, 2])], exact=True)
            return self.do(name, x, f"%{w}", maybe([out]), integers([self.pick([1, 2])]), integers([self.pick([0, 1])]),
                           integers([1]), groups, results=1)
        if name in ("max_pool2d", "avg_pool2d") and n == 3:
            more = ["[1]", "false"] if name == "max_pool2d" else ["false", text(self.chance(0.5)), "none"]
            if name == "max_pool2d" and t.numel() != len(set(t.detach().flatten().tolist())):
                return None
            return self.do(name, x, "[2]", integers([self.pick([1, 2])]), integers([self.pick([0, 1])]), *more, results=1)
        if name in ("max_pool1d", "avg_pool1d") and n in (2, 3):
            more = ["[1]", "false"] if name == "max_pool1d" else ["false", text(self.chance(0.5))]
            return self.do(name, x, "[2]", integers([self.pick([1, 2])]), integers([self.pick([0, 1])]), *more, results=1)
        if name == "adaptive_avg_pool2d" and n == 3:
            return self.do(name, x, integers([self.pick([1, 2]), self.pick([1, 2, 3])]), results=1)
        if name == "attention" and n in (2, 3):
            k, v = (self.operand(t.shape, exact=True) for _ in range(2))
            return self.do(name, x, f"%{k}", f"%{v}", text(self.chance(0.3)), results=1)
        return None

    # History and looks

    def history(self):
        slot = self.floating()
        if slot is None:
            return None
        x = f"%{slot}"
        t = self.of(slot)
        kind = self.pick(["detach_", "requires_grad_", "retain_grad", "retain_grad", "hook", "recording", "recording",
                          "set_data", "zero_grad"])
        if kind == "requires_grad_":
            return self.do(kind, x, "true" if self.chance(0.9) else "false")
        if kind == "hook":
            return self.do(kind, x, self.pick([2.0, -0.5])) if t.requires_grad else None
        if kind == "retain_grad":
            return self.do(kind, x) if t.requires_grad else None
        if kind == "recording":
            return self.do(kind, text(not torch.is_grad_enabled()))
        if kind == "set_data":
            if self.chance(0.6):
                return None
            other = self.operand(t.shape, exact=True)
            return self.do(kind, x, f"%{other}") if self.of(other).dtype == t.dtype else None
        return self.do(kind, x)

    def look(self):
        slots = self.live()
        if not slots:
            return
        x = f"%{self.pick(slots)}"
        self.do(self.pick(["print", "print_graph", "ask_requires_grad", "ask_is_leaf", "ask_is_view", "ask_retains_grad", "ask_grad_fn"]), x)

    def drop(self):
        slots = self.live()
        if len(slots) > 1:
            self.do("drop", f"%{self.pick(slots)}")

    def scalar(self):
        """A weighted sum of tensors that require a gradient, where there are any."""
        total = None
        for _ in range(self.pick([1, 1, 2, 3])):
            slot = self.floating(lambda t: t.requires_grad)
            if slot is None:
                return None
            shape = list(self.of(slot).shape)
            kind = self.pick(["weights", "weights", "square", "sum"])
            part = slot
            if kind == "weights":
                w = self.leaf(shape, requires_grad=False, value=lambda: round(self.random.uniform(0.5, 2), 3))
                part = self.do("mul", f"%{slot}", f"%{w}", results=1)
            elif kind == "square":
                part = self.do("mul", f"%{slot}", f"%{slot}", results=1)
            part = self.do("sum", f"%{part}", "[]", "false", "none", results=1)
            total = part if total is None else self.do("add", f"%{total}", f"%{part}", 1, results=1)
        return total

    def backward(self, last):
        if not torch.is_grad_enabled():
            if self.chance(0.8):
                self.do("recording", "true")
        total = self.scalar()
        if total is None:
            return
        if last and self.chance(0.12):
            leaves = [f"%{slot}" for slot in self.live(lambda t: t.requires_grad)]
            wanted = self.random.sample(leaves, self.random.randint(1, min(3, len(leaves))))
            twice = self.chance(0.6)
            slots = self.do("grad", integers([f"%{total}"]), integers(wanted), "true", text(twice), results=len(wanted))
            slots = [slots] if len(wanted) == 1 else slots
            kept = [s for s in slots if self.machine.slots.get(s) is not None and self.of(s).requires_grad]
            if twice and kept:
                part = self.do("mul", f"%{kept[0]}", f"%{kept[0]}", results=1)
                part = self.do("sum", f"%{part}", "[]", "false", "none", results=1)
                self.do("backward", f"%{part}", "%-", "false", "false")
            return
        retain = self.chance(0.6) if not last else self.chance(0.25)
        self.do("backward", f"%{total}", "%-", text(retain), text(self.chance(0.05)))
        if retain and self.chance(0.4):
            self.do("backward", f"%{total}", "%-", "false", "false")

    def step(self):
        kind = self.random.choices(["drawn", "view", "write", "compute", "history", "backward"], [30, 25, 20, 15, 8, 3])[0]
        if kind == "drawn":
            self.drawn()
        elif kind == "view":
            slot = self.floating()
            if slot is not None:
                self.view_of(slot)
        elif kind == "write":
            self.write()
        elif kind == "compute":
            self.compute()
        elif kind == "history":
            self.history()
        else:
            self.backward(False)

    def attempt(self, act):
        before = len(self.lines)
        try:
            act()
        except Abandoned:
            return False
        return len(self.lines) > before

    def draw(self):
        try:
            for _ in range(self.random.randint(1, 3)):
                self.attempt(lambda: self.leaf(self.shape(), may_be_view=True))
            if self.chance(0.6) and self.live():  # something recorded to write to
                self.do("mul_number", f"%{self.floating()}", 1, results=1)
            operations = 0
            wanted = self.random.randint(3, 8)
            for _ in range(40):
                operations += self.attempt(self.step)
                if operations >= wanted:
                    break
                if self.chance(0.12):
                    self.attempt(self.look)
                if self.chance(0.08):
                    self.attempt(self.drop)
            if not torch.is_grad_enabled():
                self.do("recording", "true")
            self.attempt(lambda: self.backward(True))
        except Refused:
            pass
        finally:
            torch.set_grad_enabled(True)
        return self
