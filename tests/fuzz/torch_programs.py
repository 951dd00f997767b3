"""The operations of program_operations.cpp by PyTorch, under the same names and with the same arguments, and programs of
them run on it."""
import torch
import torch.nn.functional as F

from policies import shares_memory, writes

DTYPES = {"bool": torch.bool, "uint8": torch.uint8, "int32": torch.int32, "int64": torch.int64,
          "float32": torch.float32, "float64": torch.float64}
NAMES = {dtype: name for name, dtype in DTYPES.items()}


def settled(x):
    """Asking for its history brings that of a view up to date, which other questions than this do not."""
    x.grad_fn
    return x


def settle(tensors, changed):
    """Brings those up to date that share memory with one that is changed."""
    for tensor in tensors:
        if tensor is not None and shares_memory(tensor, changed):
            try:
                settled(tensor)
            except RuntimeError:
                pass  # one of several views of one call, which is not to be asked any more


def apart(source, target):
    """What a write reads, as a copy where it shares memory with the target. PyTorch refuses the write or, if it does not
    see that the two overlap, reads what it has written already."""
    if not isinstance(source, torch.Tensor) or not source.numel():
        return source
    shared = source.untyped_storage().data_ptr() == target.untyped_storage().data_ptr()
    return source.clone() if shared else source


def make(dtype, shape, values):
    return torch.tensor(values, dtype=torch.float64).reshape(shape).to(dtype).clone()


def index_with(x, kinds, numbers):
    entries = []
    for i, kind in enumerate(kinds):
        a, b, c = numbers[3 * i:3 * i + 3]
        entries.append({"i": a, "s": slice(a, b, c), "n": None, "e": Ellipsis}[kind])
    return x[tuple(entries)]


def over(dims):
    return dims if dims else None


def linear_recurrence(a, b, dim, reverse):
    steps = range(b.shape[dim] - 1, -1, -1) if reverse else range(b.shape[dim])
    rows = {}
    last = None
    for k in steps:
        last = b.select(dim, k) + a.select(dim, k) * (0 if last is None else last)
        rows[k] = last
    return torch.stack([rows[k] for k in range(b.shape[dim])], dim)


def convolve(x, weight, bias, stride, padding, dilation, groups):
    convolution = {3: F.conv1d, 4: F.conv2d, 5: F.conv3d}[weight.dim()]
    return convolution(x, weight, bias, stride, padding, dilation, groups)


def layer_norm(x, shape, weight, bias, eps):
    return F.layer_norm(x, shape, weight, bias, eps)


def batch_norm(x, mean, var, weight, bias, training, momentum, eps):
    return F.batch_norm(x, mean, var, weight, bias, training, momentum, eps)


def add_(x, b, alpha):
    x.add_(b, alpha=alpha)


def sub_(x, b, alpha):
    x.sub_(b, alpha=alpha)


def set_item(x, i, source):
    x[i].copy_(source)  # as in C++; Python's own drops leading dimensions of size 1


def set_item_number(x, i, value):
    x[i] = value


def set_index(x, kinds, numbers, source):
    index_with(x, kinds, numbers).copy_(source)


def scatter_add(shape, dim, index, x):
    return torch.zeros(shape, dtype=x.dtype).scatter_add(dim, index, x)


def set_data(x, other):
    x.data = other.detach()


def zero_grad(x):
    x.grad = None


def hook(x, factor):
    x.register_hook(lambda g: None if g is None else g * factor)


def backward(x, gradient, retain_graph, create_graph):
    x.backward(gradient, retain_graph=retain_graph, create_graph=create_graph)


def grad(y, x, retain_graph, create_graph):
    return torch.autograd.grad(y, x, retain_graph=retain_graph, create_graph=create_graph, allow_unused=True)


def plain(name):
    return getattr(torch, name)


def in_place(name):
    def write(x, *arguments):
        getattr(x, name)(*arguments)
    return write


UNARY = ("neg abs sign square relu floor ceil round trunc sqrt rsqrt reciprocal exp exp2 expm1 log log1p log2 log10 sin "
         "cos tan asin acos atan sinh cosh tanh sigmoid erf").split()
PREDICATES = "isnan isinf isfinite logical_not".split()
COMPARISONS = "eq ne lt le gt ge".split()
BINARY = "mul div pow maximum minimum fmod remainder atan2".split()
LOGICAL = "logical_and logical_or logical_xor".split()
UNARY_IN_PLACE = "neg_ abs_ exp_ log_ sqrt_ relu_ tanh_ sigmoid_ zero_".split()


def indices(kinds, numbers, tensors):
    """What stands in brackets, the tensors where `t` is."""
    tensors = iter(tensors)
    return tuple(next(tensors) if kind == "t" else {"i": a, "s": slice(a, b, c), "n": None}[kind]
                 for kind, (a, b, c) in zip(kinds, zip(*[iter(numbers)] * 3)))


def index_put_(x, index, values, accumulate):
    """As x.index_put_ in C++, whose lists take slices and integers, too."""
    if accumulate:
        at = torch.arange(x.numel()).reshape(x.shape)[index]  # the places
        flat = torch.zeros(x.numel(), dtype=x.dtype).index_put((at.reshape(-1),), values.expand(at.shape).reshape(-1), True)
        x.add_(flat.reshape(x.shape))
    else:
        x[index] = values
    return x


def listed(name, expression):
    """PyTorch's function for a line of drawn_operations.cpp."""
    if expression.startswith("lambda"):
        function = eval(expression, {"torch": torch, "F": F, "indices": indices, "index_put_": index_put_})
        if name.endswith("_"):
            return lambda *arguments: discard(function(*arguments))
        return function
    if name.endswith("_"):
        return in_place(name)
    for place, own in ((torch, name), (torch.linalg, name.replace("linalg_", "")), (torch.special, name.replace("special_", "")), (F, name)):
        if not expression and hasattr(place, own):
            return getattr(place, own)
    if not expression:
        return getattr(torch.Tensor, name)
    return eval(expression, {"torch": torch, "F": F})


def discard(_):
    return None


OPERATIONS = {
    "tensor": make,
    "integers": lambda dtype, shape, values: torch.tensor(values, dtype=torch.int64).reshape(shape).to(dtype).clone(),
    "zeros": lambda shape, dtype: torch.zeros(shape, dtype=dtype),
    "full": lambda shape, value, dtype: torch.full(shape, value, dtype=dtype),
    "arange": lambda start, end, step, dtype: torch.arange(start, end, step, dtype=dtype),
    "linspace": lambda start, end, steps, dtype: torch.linspace(start, end, steps, dtype=dtype),
    "eye": lambda n, m, dtype: torch.eye(n, m, dtype=dtype),
    "zeros_like": torch.zeros_like,
    "same": lambda x: x,
    **{name: plain(name) for name in UNARY + PREDICATES + BINARY + LOGICAL + COMPARISONS},
    **{name + "_number": plain(name) for name in COMPARISONS + ["mul", "div", "pow"]},
    "gelu": lambda x, approximate: F.gelu(x, approximate=approximate),
    "silu": F.silu,
    "softplus": lambda x, beta, threshold: F.softplus(x, beta, threshold),
    "leaky_relu": lambda x, slope: F.leaky_relu(x, slope),
    "elu": lambda x, alpha: F.elu(x, alpha),
    "add": lambda a, b, alpha: torch.add(a, b, alpha=alpha),
    "add_number": lambda a, b, alpha: torch.add(a, b, alpha=alpha),
    "sub": lambda a, b, alpha: torch.sub(a, b, alpha=alpha),
    "sub_number": lambda a, b, alpha: torch.sub(a, b, alpha=alpha),
    "rsub_number": lambda a, b: b - a,
    "number_div": lambda a, b: a / b,
    "number_pow": lambda a, b: torch.pow(a, b),
    "where": torch.where,
    "where_number": lambda condition, a, b: torch.where(condition, a, b),
    "clamp": torch.clamp,
    "clamp_min": torch.clamp_min,
    "clamp_max": torch.clamp_max,
    "masked_fill": torch.masked_fill,
    "sum": lambda x, dim, keepdim, dtype: torch.sum(x, over(dim), keepdim, dtype=dtype),
    "mean": lambda x, dim, keepdim, dtype: torch.mean(x, over(dim), keepdim, dtype=dtype),
    "var": lambda x, dim, unbiased, keepdim: torch.var(x, over(dim), unbiased=unbiased, keepdim=keepdim),
    "std": lambda x, dim, unbiased, keepdim: torch.std(x, over(dim), unbiased=unbiased, keepdim=keepdim),
    "max": lambda x: torch.max(x),
    "min": lambda x: torch.min(x),
    "max_along": lambda x, dim, keepdim: tuple(torch.max(x, dim, keepdim)),
    "min_along": lambda x, dim, keepdim: tuple(torch.min(x, dim, keepdim)),
    "amax": lambda x, dim, keepdim: torch.amax(x, dim, keepdim),
    "amin": lambda x, dim, keepdim: torch.amin(x, dim, keepdim),
    "argmax": lambda x, dim, keepdim: torch.argmax(x, dim, keepdim),
    "argmin": lambda x, dim, keepdim: torch.argmin(x, dim, keepdim),
    "all": lambda x: torch.all(x),
    "any": lambda x: torch.any(x),
    "all_along": lambda x, dim, keepdim: torch.all(x, dim, keepdim),
    "any_along": lambda x, dim, keepdim: torch.any(x, dim, keepdim),
    "norm": lambda x, p: torch.norm(x, p),
    "norm_along": lambda x, p, dim, keepdim: torch.norm(x, p, over(dim), keepdim),
    "logsumexp": lambda x, dim, keepdim: torch.logsumexp(x, dim, keepdim),
    "softmax": lambda x, dim, dtype: torch.softmax(x, dim, dtype=dtype),
    "log_softmax": lambda x, dim, dtype: torch.log_softmax(x, dim, dtype=dtype),
    "sum_to_size": lambda x, shape: x.sum_to_size(shape),
    "cumsum": lambda x, dim, dtype: torch.cumsum(x, dim, dtype=dtype),
    "cumprod": lambda x, dim, dtype: torch.cumprod(x, dim, dtype=dtype),
    "prod": lambda x, dtype: torch.prod(x, dtype=dtype),
    "prod_along": lambda x, dim, keepdim, dtype: torch.prod(x, dim, keepdim, dtype=dtype),
    "linear_recurrence": linear_recurrence,
    "sort": lambda x, dim, descending: tuple(torch.sort(x, stable=True, dim=dim, descending=descending)),
    "argsort": lambda x, dim, descending: torch.argsort(x, dim=dim, descending=descending, stable=True),
    "topk": lambda x, k, dim, largest, in_order: tuple(torch.topk(x, k, dim, largest, in_order)),
    **{name: plain(name) for name in "matmul mm bmm mv dot outer".split()},
    "addmm": lambda x, a, b, beta, alpha: torch.addmm(x, a, b, beta=beta, alpha=alpha),
    "reshape": torch.reshape,
    "view": lambda x, shape: x.view(shape),
    "flatten": torch.flatten,
    "permute": torch.permute,
    "transpose": torch.transpose,
    "t": torch.t,
    "movedim": torch.movedim,
    "squeeze": lambda x: torch.squeeze(x),
    "squeeze_dim": lambda x, dim: torch.squeeze(x, dim),
    "unsqueeze": torch.unsqueeze,
    "select": torch.select,
    "slice": lambda x, dim, start, stop, step: torch.ops.aten.slice(x, dim, start, stop, step),
    "narrow": torch.narrow,
    "diagonal": torch.diagonal,
    "as_strided": torch.as_strided,
    "expand": lambda x, shape: x.expand(shape),
    "split": torch.split,
    "chunk": torch.chunk,
    "unbind": torch.unbind,
    "index": index_with,
    "clone": lambda x: torch.clone(x, memory_format=torch.contiguous_format),
    "contiguous": lambda x: x.contiguous(),
    "to": lambda x, dtype: x.to(dtype),
    "flip": torch.flip,
    "repeat": lambda x, repeats: x.repeat(repeats),
    "detach": lambda x: x.detach(),
    "cat": torch.cat,
    "stack": torch.stack,
    "index_select": torch.index_select,
    "gather": torch.gather,
    "scatter_add": scatter_add,
    "constant_pad_nd": torch.constant_pad_nd,
    "tril": torch.tril,
    "triu": torch.triu,
    "linear": F.linear,
    "conv": convolve,
    "max_pool1d": lambda x, *a: F.max_pool1d(x, *a),
    "max_pool2d": lambda x, *a: F.max_pool2d(x, *a),
    "avg_pool1d": F.avg_pool1d,
    "avg_pool2d": F.avg_pool2d,
    "adaptive_avg_pool2d": F.adaptive_avg_pool2d,
    "layer_norm": layer_norm,
    "batch_norm": batch_norm,
    "embedding": lambda weight, indices, padding_idx, scale, sparse: F.embedding(
        indices, weight, None if padding_idx == -1 else padding_idx, scale_grad_by_freq=scale, sparse=sparse),
    "mse_loss": lambda x, target, reduction: F.mse_loss(x, target, reduction=reduction),
    "binary_cross_entropy_with_logits": lambda x, target, weight, pos_weight, reduction:
        F.binary_cross_entropy_with_logits(x, target, weight, reduction=reduction, pos_weight=pos_weight),
    "cross_entropy": lambda x, target, weight, reduction, ignore_index, label_smoothing: F.cross_entropy(
        x, target, weight, reduction=reduction, ignore_index=ignore_index, label_smoothing=label_smoothing),
    "nll_loss": lambda x, target, weight, reduction, ignore_index: F.nll_loss(
        x, target, weight, reduction=reduction, ignore_index=ignore_index),
    "attention": lambda q, k, v, is_causal: F.scaled_dot_product_attention(q, k, v, is_causal=is_causal),
    **{name: in_place(name) for name in UNARY_IN_PLACE + ["mul_", "div_", "clamp_", "copy_", "fill_"]},
    "add_": add_,
    "add_number_": add_,
    "sub_": sub_,
    "sub_number_": sub_,
    "mul_number_": in_place("mul_"),
    "div_number_": in_place("div_"),
    "set_item": set_item,
    "set_item_number": set_item_number,
    "set_index": set_index,
    "requires_grad_": in_place("requires_grad_"),
    "detach_": in_place("detach_"),
    "retain_grad": in_place("retain_grad"),
    "zero_grad": zero_grad,
    "set_data": set_data,
    "hook": hook,
    "recording": torch.set_grad_enabled,
    "backward": backward,
    "grad": grad,
    "print": lambda x: repr(x) and None,
    "print_graph": lambda x: repr(x.grad_fn) and None,
    "ask_requires_grad": lambda x: x.requires_grad,
    "ask_is_leaf": lambda x: settled(x).is_leaf,
    "ask_retains_grad": lambda x: x.retains_grad,
    "ask_grad_fn": lambda x: x.grad_fn is not None,
    "ask_is_view": lambda x: x._is_view(),
    "ask_equal": torch.equal,
}

class Refused(Exception):
    """PyTorch does not run the statement."""


def number(word):
    if word in ("true", "false"):
        return word == "true"
    return float(word) if any(c in word for c in ".einf") else int(word)


class Machine:
    """What run_programs is for Gradus: tensors by their numbers, and statements that are carried out on them."""

    def __init__(self, signatures):
        self.signatures = signatures
        for name in signatures.drawn:
            if name not in OPERATIONS:
                OPERATIONS[name] = listed(name, signatures.torch[name])
        self.slots = {}
        self.log = []  # the statements
        self.answers = []
        self.wrote = False
        self.loose = False  # whether something is of float32
        self.detached = []  # in place
        self.written_unrecorded = []
        self.leaf_views = []  # leaves that are views
        self.retained = []  # tensors that were asked to keep their gradients
        self.strided = []  # views that as_strided was applied to
        self.hooked = []  # tensors with hooks
        self.perturb = None  # a function of the numbers of new tensors
        torch.set_grad_enabled(True)

    def tensor(self, word):
        return None if word == "%-" else self.slots[int(word[1:])]

    def read(self, kind, word):
        if kind.endswith("?"):
            return None if word == "none" else self.read(kind[:-1], word)
        if kind == "tensor":
            return self.tensor(word)
        if kind in ("tensors", "integers", "numbers"):
            parts = word[1:-1].split(",") if word != "[]" else []
            return [self.read(kind[:-1] if kind != "numbers" else "double", part) for part in parts]
        if kind == "integer":
            return int(word)
        if kind == "double":
            return float(word)
        if kind == "bool":
            return word == "true"
        if kind == "number":
            return number(word)
        if kind == "dtype":
            return DTYPES[word]
        return word

    def execute(self, line):
        """Returns the results; Refused if there are none. The tensors are in their slots."""
        self.log.append(line)
        words = line.split()
        results = []
        if len(words) > 2 and words[1] == "=":
            results = [int(name[1:]) for name in words[0].split(",")]
            words = words[2:]
        if words[0] == "drop":
            for name in words[1:]:
                del self.slots[int(name[1:])]
            return []
        arguments = [self.read(kind, word) for kind, word in zip(self.signatures[words[0]], words[1:], strict=True)]
        if self.perturb is not None and words[0] == "tensor":
            arguments[2] = [self.perturb(value) for value in arguments[2]]
        try:
            if writes(words[0]):
                self.wrote = True
                if not torch.is_grad_enabled() or not arguments[0].requires_grad:
                    self.written_unrecorded.append(arguments[0])
                settled(arguments[0])
                arguments = [arguments[0], *(apart(x, arguments[0]) for x in arguments[1:])]
            elif words[0] in ("requires_grad_", "retain_grad", "hook"):
                settled(arguments[0])
            elif words[0] == "detach_":
                settle(self.slots.values(), arguments[0])
                self.detached.append(arguments[0])
            if words[0] == "hook":
                self.hooked.append(arguments[0])
            elif words[0] == "retain_grad":
                self.retained.append(arguments[0])
            elif words[0] == "as_strided" and arguments[0]._is_view():
                self.strided.append(arguments[0])
            elif words[0] == "requires_grad_" and arguments[0]._is_view():
                self.leaf_views.append(arguments[0])
            made = OPERATIONS[words[0]](*arguments)
        except (RuntimeError, IndexError, ValueError, TypeError, NotImplementedError) as error:
            raise Refused(str(error).replace("\n", " ")) from None
        if writes(words[0]):  # what keeps gradients is looked at, as the keeping moves with the history only then
            settle(self.retained, arguments[0])
        if made is None:
            return []
        if isinstance(made, bool):
            self.answers.append((line, made))
            return []
        made = list(made) if isinstance(made, (list, tuple)) else [made]
        for slot, tensor in zip(results, made):
            self.loose = self.loose or (tensor is not None and tensor.dtype == torch.float32)
            self.slots[slot] = tensor
        return made
