"""How the arguments of drawn_operations.cpp's lines are drawn: a word of a line is a literal, several to choose from with
`|` between them, `=name` for several words at once, or one of

  x xn xf x1 x2 x12   a floating-point tensor there is; of a dimension and more, of elements that lie apart, of 1, 2, 1 or 2
  p u q q2 s          of positive numbers, of numbers in (-1, 1), of different ones (a matrix of them), of rising ones
  w wn wf w2          the tensor that is written to
  a an z zc zs        of any dtype, without zeros; of whole numbers or truth values; small ones, as counts and as classes
  b bp bn ab zb xp    one that broadcasts to the first: as it comes, positive, without zeros, of any dtype, whole; any shape
  b? e m              one, or none; of the first one's shape; truth values that broadcast to it
  xs x1s              a list
  A AS AL AB          square matrices far from singular, symmetric and positive ones, lower triangles, what fits beside
  d ds ds1 k n        a dimension of the first, some, at least one; true or false; a number
  view maybe          (first) the result is a view of its operand; or may be one
  th at I IV          a size or a place in that dimension; an index of all kinds; one, values to put there and whether they add up

The host draws (draw_programs.py, plain_programs): it has `random`, `of(slot)` with shape and dim(), `floating(fits)`,
`operand(shape, exact)`, `leaf`, `mask`, `index_tensor(shape, below)`, `integers(...)` and `do`."""


class NoFit(Exception):
    """Nothing there is fits."""


class Signatures(dict):
    """What run_programs --signatures lists: a name's signature, as a list of words, and how it is drawn."""

    def __init__(self, listing):
        super().__init__()
        self.results, self.draws, self.torch = {}, {}, {}
        for line in listing.splitlines():
            head, results, draw, torch = line.split(";", 3)
            name, *words = head.split()
            self[name] = words
            self.results[name], self.draws[name], self.torch[name] = int(results), draw.split(), torch
        self.views = {name for name, draw in self.draws.items() if draw[:1] in (["view"], ["maybe"])}
        self.drawn = sorted(name for name, draw in self.draws.items() if draw)


def listed(values):
    return "[" + ",".join(map(str, values)) + "]"


class Arguments:
    def __init__(self, host):
        self.host = host
        self.random = host.random
        self.first = None  # the first tensor, to which the others fit
        self.d = 0

    def words(self, draw):
        return [str(word) for token in draw if token not in ("view", "maybe") for word in self.token(token)]

    def token(self, token):
        if token[0] == "=":
            return getattr(self, token[1:])()
        method = getattr(self, "draw_" + token.replace("?", "_maybe"), None)
        if method is None:
            return [self.random.choice(token.split("|"))]
        words = method()
        return words if isinstance(words, list) else [words]

    # Helpers

    def t(self):
        return self.host.of(self.first)

    def shape(self):
        return list(self.t().shape)

    def chance(self, p):
        return self.random.random() < p

    def take(self, slot):
        if slot is None:
            raise NoFit
        if self.first is None:
            self.first = slot
        return f"%{slot}"

    def there(self, fits=lambda t: True):
        return self.take(self.host.floating(fits))

    def new(self, shape, value=None, **more):
        return self.host.leaf(list(shape), value=value, **more)

    def below(self, shape):
        """A shape that broadcasts to it."""
        shape = list(shape)
        if shape and self.chance(0.3):
            shape = shape[self.random.randrange(len(shape)):]
        return [1 if self.chance(0.15) else n for n in shape]

    def different(self, count):
        return [round(-2 + 4 * (i + self.random.uniform(0.3, 0.7)) / max(count, 1), 4) for i in self.random.sample(range(count), count)]

    def filled(self, shape, values):
        values = iter(values)
        return self.new(shape, lambda: next(values))

    def small_shape(self, dims):
        return [self.random.choice([1, 2, 2, 3, 3, 4]) for _ in range(dims)]

    @staticmethod
    def count(shape):
        n = 1
        for size in shape:
            n *= size
        return n

    # Tensors

    def draw_x(self):
        return self.there()

    def draw_xn(self):
        return self.there(lambda t: t.dim() > 0)

    def draw_xf(self):
        return self.there(lambda t: t.dim() > 0 and t.numel() > 0)

    draw_w, draw_wn, draw_wf = draw_x, draw_xn, draw_xf

    def of_dims(self, *dims):
        if self.chance(0.6):
            slot = self.host.floating(lambda t: t.dim() in dims)
            if slot is not None:
                return self.take(slot)
        return self.take(self.new(self.small_shape(self.random.choice(dims))))

    def draw_x1(self):
        return self.of_dims(1)

    def draw_x2(self):
        return self.of_dims(2)

    draw_w2 = draw_x2

    def draw_x12(self):
        return self.of_dims(1, 2)

    def draw_p(self):
        return self.take(self.new(self.host.shape(), lambda: round(self.random.uniform(0.2, 3), 6)))

    def draw_u(self):
        return self.take(self.new(self.host.shape(), lambda: round(self.random.uniform(-0.95, 0.95), 6)))

    def draw_q(self, dims=None):
        shape = self.host.shape(1) if dims is None else self.small_shape(dims)
        slot = self.filled(shape, self.different(self.count(shape)))
        if self.chance(0.4):  # another layout
            slot = self.host.do("transpose", f"%{slot}", 0, -1, results=1)
        return self.take(slot)

    def draw_q2(self):
        return self.draw_q(2)

    def draw_s(self):
        shape = [self.random.randint(1, 5)]
        slot = self.filled(shape, sorted(self.different(shape[0])))
        if self.first is None:
            self.first = slot
        return f"%{slot}"

    def draw_a(self):
        x = self.there(lambda t: self.host.finite(t))
        return self.typed(x) if self.chance(0.6) else x

    draw_an = draw_a

    def typed(self, x):
        dtype = self.random.choice(["int64", "int32", "bool", "uint8", "float32"])
        if dtype == "uint8":
            x = f"%{self.host.do('abs', x, results=1)}"
        return self.take_over(self.host.do("to", x, dtype, results=1), x)

    def take_over(self, slot, x):
        if self.first == int(x[1:]) or self.first is None:
            self.first = slot
        return f"%{slot}"

    def whole(self, shape, low, high, dtype=None):
        dtype = dtype or self.random.choice(["int64", "int32", "bool", "uint8"])
        low = 0 if dtype in ("bool", "uint8") else low
        values = [self.random.randint(low, 1 if dtype == "bool" else high) for _ in range(self.count(shape))]
        return self.host.do("integers", dtype, listed(shape), listed(values), results=1)

    def draw_z(self):
        return self.take(self.whole(self.host.shape(), -5, 9))

    def draw_zc(self):
        return self.take(self.whole([self.random.randint(0, 6)], 0, 4, self.random.choice(["int64", "int32", "uint8"])))

    def draw_zs(self):
        return self.take(self.whole(self.host.shape(0, 2), 0, 4, "int64"))

    def draw_zb(self):
        return f"%{self.whole(self.below(self.shape()), -5, 9)}"

    def draw_b(self):
        return f"%{self.host.operand(self.shape())}"

    def draw_b_maybe(self):
        return self.draw_b() if self.chance(0.6) else "none"

    def draw_bp(self):
        return f"%{self.new(self.below(self.shape()), lambda: round(self.random.uniform(0.3, 3), 6))}"

    def draw_bn(self):
        if self.chance(0.4):
            low, high = self.random.choice([(1, 4), (-4, -1)])
            dtype = self.random.choice(["int64", "int32"] + (["uint8"] if low > 0 else []))
            return f"%{self.whole(self.below(self.shape()), low if dtype != 'uint8' else 1, high, dtype)}" if dtype != "uint8" else \
                f"%{self.host.do('add_number', f'%{self.whole(self.below(self.shape()), 0, 3, dtype)}', 1, 1, results=1)}"
        return f"%{self.new(self.below(self.shape()), lambda: self.random.choice([-1, 1]) * round(self.random.uniform(0.3, 3), 6))}"

    def draw_ab(self):
        return self.typed(self.draw_b()) if self.chance(0.4) else self.draw_b()

    def draw_xp(self):
        return f"%{self.new(self.host.shape())}"

    def draw_e(self):
        return f"%{self.host.operand(self.shape(), exact=True)}"

    def draw_m(self):
        return f"%{self.host.mask(self.shape())}"

    def draw_xs(self):
        x = self.draw_xf()
        return listed([x] + [self.draw_e() for _ in range(self.random.randint(0, 2))])

    def draw_x1s(self):
        return listed([f"%{self.new([self.random.randint(1, 3)])}" for _ in range(self.random.randint(1, 3))])

    # Matrices

    def batch(self):
        return self.random.choice([[], [], [2], [1], [2, 2]]), self.random.randint(1, 3)

    def matrices(self, batch, n, lower=False):
        values = []
        for _ in range(self.count(batch)):
            a = [[round(self.random.uniform(-0.6, 0.6), 6) for _ in range(n)] for _ in range(n)]
            for i in range(n):
                a[i][i] = round(self.random.uniform(1.5, 2.2) + 0.9 * i, 3)
                for j in range(i):
                    a[j][i] = 0 if lower else a[j][i]
            values += sum(a, [])
        return self.take(self.filled(batch + [n, n], values))

    def draw_A(self):
        return self.matrices(*self.batch())

    def draw_AS(self):
        """The sum of one and its transpose: what reads one triangle has a gradient as if it read both."""
        a = self.matrices(*self.batch())
        other = self.host.do("transpose", a, -2, -1, results=1)
        self.first = self.host.do("add", a, f"%{other}", 1, results=1)
        return f"%{self.first}"

    def draw_AL(self):
        return self.matrices(*self.batch(), lower=True)

    def draw_AB(self):
        return f"%{self.new(self.shape()[:-1] + [self.random.randint(1, 3)])}"

    # Numbers

    def draw_d(self):
        self.d = self.host.dim(self.t())
        return self.d

    def draw_ds(self):
        return listed(self.host.dims(self.t()))

    def draw_ds1(self):
        n = self.t().dim()
        return listed(sorted(self.random.sample(range(n), self.random.randint(1, n))))

    def draw_k(self):
        return self.random.choice(["true", "false"])

    def draw_n(self):
        return self.host.number()

    def extent(self):
        shape = self.shape()
        return shape[self.d] if shape else 1

    def draw_th(self):
        if self.extent() == 0:
            raise NoFit
        return self.random.randint(1, self.extent())

    def draw_at(self):
        return self.random.randrange(-self.extent(), self.extent())

    def wider(self):
        shape = [self.random.choice([1, 2, 3]) if n == 1 else self.random.choice([n, n, -1]) for n in self.shape()]
        return [listed([self.random.choice([1, 2, 3])] * self.random.randint(0, 1) + shape)]

    def repeats_of(self):
        return [listed([self.random.choice([1, 2]) for _ in self.shape()])]

    # Indices

    def index(self):
        self.d = self.host.dim(self.t())
        index = self.host.index_tensor([self.random.randint(0, 3)], self.extent())
        if index is None:
            raise NoFit
        return [self.d, f"%{index}"]

    def distinct(self, shape, below):
        count = self.count(shape)
        if count > below:
            raise NoFit
        return self.host.do("integers", "int64", listed(shape), listed(self.random.sample(range(below), count)), results=1)

    def draw_I(self, distinct=False):
        """Integers, slices, None and tensors for one tensor's dimensions."""
        shape, kinds, numbers, tensors, d = self.shape(), "", [], [], 0
        common = [self.random.randint(1, 2) for _ in range(self.random.randint(0, 2))]
        wanted = self.random.randint(1, min(3, len(shape)))
        for _ in range(wanted + 1):
            if d >= len(shape):
                break
            kind = self.random.choice("ttsnim")
            if kind == "i" and not shape[d] or kind == "t" and not shape[d]:
                kind = "s"
            if kind == "m":
                mask = self.host.do("integers", "bool", listed([shape[d]]), listed([self.random.randint(0, 1) for _ in range(shape[d])]), results=1)
                if any(k == "t" for k in kinds):
                    continue
                numbers += [0, 0, 0]
                tensors.append(f"%{mask}")
                kinds, d = kinds + "t", d + 1
                break
            if kind == "t":
                own = [n if self.chance(0.8) else 1 for n in common]
                if distinct and not tensors:
                    slot = self.distinct(common, shape[d])
                else:
                    slot = self.host.index_tensor(own, shape[d])
                tensors.append(f"%{slot}")
                numbers += [0, 0, 0]
                d += 1
            elif kind == "s":
                start = self.random.randint(0, shape[d])
                numbers += [start, self.random.randint(start, shape[d] + 1), self.random.choice([1, 1, 2])]
                d += 1
            elif kind == "i":
                numbers += [self.random.randrange(-shape[d], shape[d]), 0, 0]
                d += 1
            else:
                numbers += [0, 0, 0]
            kinds += kind
        if not tensors:
            raise NoFit
        return [kinds, listed(numbers), listed(tensors)]

    def draw_IV(self):
        accumulate = self.chance(0.5)
        index = self.draw_I(distinct=not accumulate)
        there = self.host.do("index_tensors", f"%{self.first}", *index, results=1)
        values = self.new(self.below(list(self.host.of(there).shape)))
        return [*index, f"%{values}", "true" if accumulate else "false"]

    def take_indices(self, distinct=False):
        n = self.count(self.shape())
        shape = [self.random.randint(0, 3) for _ in range(self.random.randint(0, 2))]
        if distinct:
            return f"%{self.distinct(shape, n)}", shape
        return f"%{self.host.index_tensor(shape, n)}", shape

    def places(self):
        return [self.take_indices()[0]]

    def put(self):
        accumulate = self.chance(0.5)
        index, shape = self.take_indices(not accumulate)
        return [index, f"%{self.new(shape)}", "true" if accumulate else "false"]

    def along(self):
        self.d = self.host.dim(self.t())
        shape = self.shape()
        below = shape[self.d]
        shape[self.d] = self.random.randint(0, 3)
        index = self.host.index_tensor(shape, below)
        if index is None:
            raise NoFit
        return [f"%{index}", self.d]

    def scatter_index(self):
        """No two of an index's places along the dimension are the same: which one stays would not be said."""
        self.d = self.host.dim(self.t()) % self.t().dim()
        shape = self.shape()
        small = [self.random.randint(1, n) for n in shape]
        rows = self.count(small) // small[self.d]
        orders = [self.random.sample(range(shape[self.d]), small[self.d]) for _ in range(rows)]
        inner = self.count(small[self.d + 1:])
        values = [0] * self.count(small)
        for i in range(len(values)):
            outer, k, rest = i // (inner * small[self.d]), i // inner % small[self.d], i % inner
            values[i] = orders[outer * inner + rest][k]
        return [self.d, f"%{self.host.do('integers', 'int64', listed(small), listed(values), results=1)}"], small

    def scatter(self):
        words, shape = self.scatter_index()
        return [*words, f"%{self.new([n + self.random.choice([0, 0, 1]) for n in shape])}"]

    def scatter_number(self):
        words, _ = self.scatter_index()
        return [*words, self.host.number()]

    def index_add(self):
        words = self.index()
        shape = self.shape()
        shape[self.d] = self.host.of(int(words[1][1:])).shape[0]
        return [*words, f"%{self.new(shape)}"]

    def index_copy(self):
        self.d = self.host.dim(self.t())
        shape = self.shape()
        count = self.random.randint(0, shape[self.d])
        index = self.distinct([count], shape[self.d])
        shape[self.d] = count
        return [self.d, f"%{index}", f"%{self.new(shape)}"]

    def select_scatter(self):
        self.d = self.host.dim(self.t())
        shape = self.shape()
        at = self.random.randrange(-shape[self.d], shape[self.d])
        del shape[self.d]
        return [f"%{self.new(shape)}", self.d, at]

    def diagonal(self):
        return [f"%{self.new([min(self.shape())])}"]

    def repeats(self):
        self.d = self.host.dim(self.t())
        return [f"%{self.whole([self.extent()], 0, 2, 'int64')}", self.d]

    def roll(self):
        dims = self.host.dims(self.t())
        return [listed([self.random.randint(-3, 3) for _ in dims or [0]]), listed(dims)]

    # Several operands that fit

    def single(self):
        return [f"%{self.new([1])}"]

    def prob(self):
        return [f"%{self.new([self.random.randint(1, 3)], lambda: round(self.random.uniform(0.05, 0.95), 2), requires_grad=False)}"]

    def weights(self):
        return [f"%{self.new(self.shape(), requires_grad=False)}" if self.chance(0.5) else "none"]

    def scales(self):
        return [self.random.choice([1, 0.5, 2]), self.random.choice([1, 2, -0.5])]

    def product(self, result, *shapes):
        c = self.new(self.below(result))
        return [f"%{c}", *(f"%{self.host.operand(shape, exact=True)}" for shape in shapes), *self.scales()]

    def mv(self):
        n, m = self.small_shape(2)
        return self.product([n], [n, m], [m])

    def outer(self):
        n, m = self.small_shape(2)
        return self.product([n, m], [n], [m])

    def addbmm(self):
        b, n, m, k = self.small_shape(4)
        return self.product([n, m], [b, n, k], [b, k, m])

    def bmm(self):
        b, n, m, k = self.small_shape(4)
        return self.product([b, n, m], [b, n, k], [b, k, m])

    def addmm_(self):
        x = self.draw_x2()
        n, m = self.shape()
        k = self.random.randint(1, 3)
        return [x, f"%{self.new([n, k])}", f"%{self.new([k, m])}", *self.scales()]

    def tensordot(self):
        a = self.draw_xf()
        shape = self.shape()
        dims = self.random.sample(range(len(shape)), self.random.randint(0, len(shape)))
        b = [shape[d] for d in dims]
        places = list(range(len(b)))
        if self.chance(0.5):
            b.append(2)
        return [a, f"%{self.new(b)}", listed(dims), listed(places)]

    def einsum(self):
        sizes = dict(zip("ijkl", self.small_shape(4)))
        terms = ["".join(self.random.sample("ijkl", self.random.randint(1, 3))) for _ in range(self.random.randint(1, 3))]
        if self.chance(0.15):
            terms[0] = terms[0][0] * 2 + terms[0][1:]
        used = sorted(set("".join(terms)))
        left = self.random.sample(used, self.random.randint(0, len(used)))
        tensors = [f"%{self.host.operand([sizes[c] for c in term], exact=True)}" for term in terms]
        return [",".join(terms) + "->" + "".join(left), listed(tensors)]

    def cross(self):
        shape = self.small_shape(self.random.randint(1, 3))
        self.d = self.random.randrange(len(shape))
        shape[self.d] = 3
        return [self.draw_new(shape), self.draw_new(shape), self.d]

    def draw_new(self, shape):
        return f"%{self.new(shape)}"

    def cdist(self):
        n, m, k = self.small_shape(3)
        batch = self.random.choice([[], [2]])
        return [self.draw_new(batch + [n, k]), self.draw_new(batch + [m, k])]

    def multi_dot(self):
        sizes = self.small_shape(4)
        return [listed([self.draw_new([a, b]) for a, b in zip(sizes, sizes[1:])])]

    def pad(self):
        x = self.draw_new(self.small_shape(3))
        mode = self.random.choice(["constant", "replicate", "reflect"])
        return [x, listed([self.random.randint(0, 1) for _ in range(2)]), mode]

    def shuffle(self):
        return [self.draw_new([1, 4, 2, self.random.randint(1, 3)])]

    def glu(self):
        shape = self.small_shape(self.random.randint(1, 3))
        self.d = self.random.randrange(len(shape))
        shape[self.d] = self.random.choice([2, 4])
        return [self.draw_new(shape), self.d]
