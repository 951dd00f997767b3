"""Where Gradus and PyTorch refuse different things on purpose: each with the reason."""
import re

import torch


def operation(line):
    words = line.split()
    return words[2] if len(words) > 2 and words[1] == "=" else words[0]


WRITES = r"(?!(requires_grad|detach)_$).*_|set_item|set_item_number|set_index"


def writes(name):
    return re.fullmatch(WRITES, name) is not None


LOOKS_TOO = r".*"  # PyTorch refuses at whatever asks for the history: an operation, a look, a backward pass

# What Gradus alone refuses: (operations, pattern of the message, reason).
OURS = [
    (WRITES, r"each element written to must have its own memory",
     "a write to a tensor whose elements share memory; PyTorch lets a copy onto itself and numbers pass"),
    ("backward|grad", r"linear_recurrence: its (in|out)put",
     "a write to what linear_recurrence saves; for PyTorch it is written here as a loop that saves less"),
    ("topk", r"k must be in \[1, 1\].*: 0$", "the largest none of a single number"),
    (LOOKS_TOO, r"set_data has given it others", "a view whose base has been given other numbers by set_data"),
    ("backward|grad", r"(linear|conv\dd|\w+_norm|scaled_dot_product_attention): its input \d+ .* must not be changed",
     "a write to what a layer's rule saves although, as it turns out, no gradient reads it"),
    ("pow_number|number_pow|pow", r"must be defined for the dtype: bool", "powers of truth values"),
    ("kron", r"at most 4 dimensions", "products of more than 4 dimensions"),
    ("view", r"the strides must permit the shape", "a view of a result whose layout is another in PyTorch"),
    ("index_put_?", r"must have the tensor's dtype", "values of another dtype"),
    ("matmul|mm|bmm|mv|dot|addmm|addr|einsum", r"dtypes differ|operands must be numbers|must have the first's dtype", "a product of two dtypes, or of truth values"),
    (WRITES, r"detach_\(\)", "a write to a view whose base was detached since"),
    ("backward|grad", r"must not be changed before it", "a write to a value of which PyTorch saves a copy, or another"),
    ("as_strided", r"elements of the view's base share memory", "as_strided with history of an expanded tensor"),
    ("as_strided", r"every element must lie in the storage", "elements beyond a result's own, in PyTorch's larger storage"),
    ("detach_", r"a view cannot be detached in place", "detach_ of a result that is a view of a value inside"),
    ("linear_recurrence", r"must have a's dtype", "a recurrence of two dtypes"),
    ("linear_recurrence", r"dtypes must be floating-point and equal", "a recurrence of two dtypes"),
    ("(log_)?softmax", r"the operand must be floating", "exponentials of whole numbers in their own dtype"),
    ("batch_norm", r"must have input's dtype", "a layer of two dtypes"),
    ("adaptive_avg_pool2d", r"there must be positions to average", "a mean of no positions; PyTorch returns NaN"),
]

# What PyTorch alone refuses.
THEIRS = [
    (LOOKS_TOO, r"(output|Output) .* of (a )?function that returns multiple views",
     "a write to one of several views from one call (split, chunk, unbind), or a look at it after one"),
    (LOOKS_TOO, r"A view was created in no_grad mode", "a view taken while nothing was recorded, and a write to its base"),
    ("backward|grad", r"has been modified by an inplace operation",
     "a write to a value that PyTorch's formula saves and Gradus's does not"),
    ("backward|grad", r"Trying to backward through the graph a second time",
     "a graph that was freed, and of which Gradus's formulas save nothing"),
    (LOOKS_TOO, r"a saved tensor that has been detached in-place", "a saved value that was detached in place"),
    ("view", r"view size is not compatible", "a view of a result whose layout PyTorch takes from its operands"),
    ("avg_pool\dd|max_pool\dd", r"optional 0 dim batch size", "a window over channels of which there are none"),
    ("backward|grad", r"derivative for aten::(floor_divide_?|remainder) is not implemented", "the gradient of floor_divide, or by the divisor's number"),
    ("backward|grad", r"(Scatter(Add|Reduce)?Backward0|CopySlices) returned an invalid gradient|must match the size of tensor b", "a source larger than the index"),
    ("lerp.*|linalg_vecdot", r"expected dtype|to have the same dtype", "two dtypes where PyTorch wants one"),
    ("isclose", r"did not match", "nearness of two dtypes"),
    ("isin", r"Unsupported input type", "truth values in a set"),
    ("unique_dim", r"tensor has no dimensions|0 sized dimensions", "the different numbers along a dimension of a single one, or of none"),
    ("kron", r"view size is not compatible", "a fault of PyTorch's: kron makes a view that there is not"),
    ("fill_diagonal_", r"leaf Variable", "a write to no element of a leaf"),
    ("detach_", r"Can't detach views in-place", "detach_ of a result that is a view inside PyTorch"),
    ("addmm_?", r"must have the same dtype", "a product of two dtypes"),
    ("backward|grad", r"derivative for aten::_scaled_dot_product_flash_attention_for_cpu_backward is not implemented",
     "the second derivative of attention"),
    ("cumsum", r"not implemented for 'Bool'|Autograd not support dtype", "a running sum in truth values"),
    ("prod|prod_along|sum|mean", r"Autograd not support dtype", "a gradient's way through whole numbers"),
    ("backward|grad", r"Negation, the `-` operator, on a bool tensor", "a gradient that PyTorch computes by negating a bool"),
    (LOOKS_TOO, r"please report a bug to PyTorch", "a fault of PyTorch's"),
    ("backward|grad", r"leaf variable has been moved into the graph interior",
     "a write to the base of a leaf, which is a view of it"),
    ("binary_cross_entropy_with_logits", r"not differentiable with respect to argument 'weight'",
     "a gradient for the weights of a loss"),
]

BOTH = [
    (WRITES, r"leaf Variable", "a write to a leaf, or to a view of one"),
    (WRITES, r"more than one element of the written-to tensor", "a write to a tensor whose elements share memory"),
    ("backward|grad", r"modified by an inplace operation", "a saved value that was written to"),
    ("backward|grad", r"backward through the graph a second time", "a graph that is freed"),
    ("view", r"view size is not compatible", "a view of a layout that has none"),
    ("detach_", r"Can't detach views in-place", "detach_ of a view"),
]


def find(table, line, message):
    for operations, pattern, reason in table:
        if re.fullmatch(operations, operation(line)) and re.search(pattern, message):
            return reason
    return None


def ours(lines, at, message):
    if "must not be changed before it" in message and any(operation(line) == "set_data" for line in lines[:at]):
        return "a write to a saved value through memory that set_data shares, which PyTorch does not notice"
    if "must require grad" in message and any(line.endswith("true true") for line in lines[:at]):
        return "a backward pass from a gradient that is constant: it requires none, where PyTorch's gives zeros"
    return find(OURS, lines[at], message)


def theirs(line, message):
    return find(THEIRS, line, message)


def both(line, message):
    return "both: " + (find(BOTH, line, message) or operation(line) + ": other")


VIEWS = {"select", "slice", "narrow", "transpose", "permute", "t", "movedim", "reshape", "view", "flatten", "expand",
         "squeeze", "squeeze_dim", "unsqueeze", "as_strided", "diagonal", "unbind", "split", "chunk", "index"}


def shares_memory(a, b):
    return a.untyped_storage().data_ptr() == b.untyped_storage().data_ptr()


def settled_leaf(tensor):
    try:
        return tensor.grad_fn is None and tensor.is_leaf
    except RuntimeError:
        return False


def elements(shape, strides, offset):
    places = {offset}
    for size, stride in zip(shape, strides):
        places = {place + i * stride for place in places for i in range(size)}
    return places


def other_meaning(machine, line):
    """Why a statement means another thing to PyTorch than to Gradus, if it does."""
    name = operation(line)
    words = line.split()
    if (name in VIEWS or name in machine.signatures.views) and not torch.is_grad_enabled() and any(machine.tensor(word).requires_grad for word in re.findall(r"%\d+", " ".join(words[3:]))):
        return "a view taken while nothing is recorded claims to require a gradient in PyTorch, as its base does"
    if name in ("eq_", "lt_number_") and any(machine.tensor(word).requires_grad for word in words[1:] if word[0] == "%"):
        return "a comparison in place claims to require a gradient in PyTorch"
    if name == "matrix_exp" and machine.tensor(words[3]).dtype == torch.float32:
        return "matrix_exp of float32: PyTorch's gradient has three digits, and ours no more than four"
    if name == "diff" and machine.tensor(words[3]).numel() == 0:
        return "differences of nothing, which are the tensor itself in PyTorch"
    if name == "copy_" and words[1] == words[2]:
        return "a copy onto itself, which is no write to PyTorch"
    if name == "bincount" and machine.tensor(words[3]).numel() == 0:
        return "counts of nothing are of int64 in PyTorch, whatever the weights are"
    if name.startswith("logical_") and writes(name) and machine.tensor(words[1]).requires_grad:
        return "logic in place: PyTorch leaves the history of the numbers that it overwrites"
    if writes(name) and any(shares_memory(t, machine.tensor(words[1])) for t in machine.detached):
        return "a write to a detached base: PyTorch's views of it claim to require a gradient that leads nowhere"
    if writes(name) and not torch.is_grad_enabled():
        if any(shares_memory(t, machine.tensor(words[1])) for t in machine.retained + machine.hooked):
            return "an unrecorded write: PyTorch takes the history of views anew, and what they kept and hooked is left"
    if name == "grad" and machine.retained:
        return "grad() fills what retains its gradient in PyTorch, where it passes by"
    if name == "atan2" and any(machine.tensor(word).dtype == torch.uint8 for word in words[3:5]):
        return "atan2 of uint8: PyTorch's formula negates in uint8"
    if name in ("clamp", "clamp_min", "clamp_max", "binary_cross_entropy_with_logits", "log_softmax", "fmod"):
        if not all(machine.tensor(word).detach().isfinite().all() for word in words[3:5] if word[0] == "%" and word != "%-"):
            return "gradients, or losses, of infinities and NaN"
    if writes(name) and any(shares_memory(t, machine.tensor(words[1])) for t in machine.leaf_views):
        return "a write to the base of a leaf, which is a view of it: PyTorch takes its views anew from the base"
    if name == "detach_" and machine.tensor(words[1]).retains_grad and not machine.tensor(words[1]).is_leaf:
        return "detach_ of what retains its gradient: PyTorch goes on keeping that of what it was"
    if name == "set_data":
        if machine.tensor(words[1])._is_view():
            return "set_data of a view, which stays a view of its base to PyTorch"
        if any(words[1] in re.split(r"[ ,\[\]]", line)[1:] for line in machine.log):
            return "set_data of what an operation may have saved: PyTorch's backward pass takes the new numbers"
    if name == "as_strided" and any(t._is_view() and shares_memory(t, machine.tensor(words[3]))
                                    for t in machine.hooked + machine.retained):
        return "as_strided of a view is of its base: no gradient goes through the view, as it does in PyTorch"
    if name in ("hook", "retain_grad") and machine.tensor(words[1])._is_view():
        if any(shares_memory(machine.tensor(words[1]), t) for t in machine.written_unrecorded):
            return "an unrecorded write: PyTorch takes the history of views anew, around the view that is hooked or keeps"
    if name in ("backward", "grad"):
        kept = [t.grad for t in machine.slots.values() if t is not None and settled_leaf(t) and t.grad is not None]
        if any(shares_memory(a, b) and a.numel() for i, a in enumerate(kept) for b in kept[:i] if a is not b):
            return "gradients of two leaves that share memory in PyTorch, where the next one is added to both"
    if name == "batch_norm" and any(word != "%-" and not machine.tensor(word).is_contiguous() for word in words[6:8]):
        return "batch_norm with a strided weight: PyTorch's gradient reads it as if it were dense"
    if name == "pow" and not machine.tensor(words[3]).dtype.is_floating_point:
        return "powers of whole numbers: PyTorch takes their logarithm in float32"
    if name in ("hook", "retain_grad", "grad"):
        asked = machine.read("tensors", words[4]) if name == "grad" else [machine.tensor(words[1])]
        if any(t._is_view() and shares_memory(t, strided) for t in asked for strided in machine.strided):
            return "as_strided of a view is of its base: no gradient goes through the view, as it does in PyTorch"
    if name in ("sum", "mean", "prod", "prod_along", "cumsum", "to") and words[-1] in ("int32", "int64", "uint8", "bool"):
        if not machine.tensor(words[3]).detach().isfinite().all():
            return "an infinity or NaN as a whole number"
    if writes(name) and machine.hooked:
        written = machine.tensor(words[1])
        if any(t.untyped_storage().data_ptr() == written.untyped_storage().data_ptr() for t in machine.hooked
               if t._is_view()):
            return "a hook on a view that is then written to sees the gradient before the write; PyTorch goes around it"
    if name == "as_strided":
        x = machine.tensor(words[3])
        if x._is_view():
            shape, strides = machine.read("integers", words[4]), machine.read("integers", words[5])
            offset = x.storage_offset() if words[6] == "none" else int(words[6])
            if not elements(shape, strides, offset) <= elements(x.shape, x.stride(), x.storage_offset()):
                return "as_strided beyond the elements of a view: PyTorch drops their gradient"
    if name == "binary_cross_entropy_with_logits" and machine.tensor(words[3]).dtype != machine.tensor(words[4]).dtype:
        return "a loss of two dtypes has the target's in PyTorch, and the larger one in Gradus"
    if name in ("floor", "ceil", "round", "trunc", "sign", "fmod", "remainder"):
        numbers = machine.tensor(words[3]).detach()
        if name in ("fmod", "remainder"):
            try:
                numbers = numbers / machine.tensor(words[4]).detach()
            except RuntimeError:
                return None
        numbers = 2 * numbers
        near = (numbers - numbers.round()).abs()
        if ((near > 0) & (near < (1e-4 if numbers.dtype == torch.float32 else 1e-9))).any():
            return "a jump within a rounding of the value"
    if name == "grad" and any(t is hooked for t in machine.read("tensors", words[4]) for hooked in machine.hooked):
        return "a gradient with respect to a tensor with a hook: PyTorch gives it with or without, as the others have it"
    if name == "grad" and any(t._is_view() for t in machine.read("tensors", words[4])) and machine.wrote:
        return "a gradient with respect to a view, whose history PyTorch makes anew from the base after a write"
    if name == "conv" and machine.tensor(words[3]).numel() == 0:
        return "a convolution of nothing: PyTorch gives as many channels as the input has, not as the weight"
    if name in ("prod", "prod_along", "cumprod") and machine.tensor(words[3]).isnan().any():
        return "products of NaN: PyTorch's gradient is NaN also where no NaN goes into it"
    if name in ("amax", "amin") and machine.tensor(words[3]).isnan().any():
        return "the gradient of amax and amin of NaN is 0/0 everywhere in PyTorch"
    if name == "requires_grad_" and words[2] == "true":
        base = machine.tensor(words[1])
        if not base.requires_grad and any(t is not None and t._base is base for t in machine.slots.values()):
            return "a view taken before its base was asked for a gradient claims to require one in PyTorch"
    return None
