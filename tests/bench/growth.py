"""How time grows with size: each family's time of a unit (an element, a node, ...) from one to a hundred million, and the
cliffs, where a unit costs much more than at the next smaller size."""
import contextlib, dataclasses, math, statistics, time

import engines, lists
import report

longest, longest_of_peer = 3.0, 0.3  # seconds: a set-up for which a call takes longer isn't shown larger sizes
steep = 1.5  # a cliff: so many times the time of a unit at the size before, which is smaller by a factor of 1.8
steps_of_ten = 4


@dataclasses.dataclass
class Family:
    name: str
    unit: str
    operation: str
    largest: float
    sizes: object  # of a case of that many units: those of the operation
    cost: object = lambda sizes: math.prod(sizes)  # units of the sizes that were chosen
    smallest: float = 1


def square(n):
    return [max(1, round(n ** 0.5))] * 2


families = [
    Family("a + b", "element", "add", 1e8, lambda n: [n]),
    Family("exp(a)", "element", "exp", 1e8, lambda n: [n]),
    Family("a.sum()", "element", "sum", 1e8, lambda n: [n]),
    Family("a.sum(0), square", "element", "sum_dim0", 1e8, square),
    Family("a.sort(1), one row", "element", "sort_dim1", 1e8, lambda n: [1, n],
           lambda sizes: sizes[1] * max(math.log2(sizes[1]), 1)),
    Family("matmul, square", "multiply-add", "mm", 1e11, lambda n: [max(1, round(n ** (1 / 3)))] * 3),
    Family("softmax of 64 columns, with gradient", "element", "softmax_fwd_bwd", 1e8, lambda n: [max(1, n // 64), 64],
           smallest=64),
    Family("a chain of additions, recorded", "node", "chain_fwd", 1e7, lambda n: [n]),
    Family("such a chain, with its backward", "node", "chain_fwd_bwd", 1e7, lambda n: [n]),
    Family("training 784-128-10, SGD: batch", "sample", "train_mlp_sgd", 1e5, lambda n: [n, 784, 128, 10],
           lambda sizes: sizes[0]),
    Family("training on a batch of 32: weights", "weight", "train_mlp_sgd", 3e7, lambda n: [32, *square(n), 10],
           lambda sizes: sizes[1] * sizes[2] + 10 * sizes[2]),
    Family("Adam's step", "weight", "adam_step", 1e8, square),
]


def growing(family):
    """The family's cases from the smallest, a factor of 1.8 apart; sizes that come out alike are one case."""
    known = set()
    for step in range(round(math.log10(family.smallest) * steps_of_ten), round(math.log10(family.largest) * steps_of_ten) + 1):
        sizes = tuple(family.sizes(round(10 ** (step / steps_of_ten))))
        if sizes not in known:
            known.add(sizes)
            name = f"{family.operation}~{'x'.join(map(str, sizes))}"
            yield lists.Case(name, family.name, lists.case_line(name, family.operation, sizes), family.operation, sizes)


def measure(setups, options):
    """The document of --growth, anew whenever a family is done: for each family, points of {"sizes", "units", "ours":
    {threads: ns}, "peer": the fastest's ns}, medians over the runs."""
    done = []
    with contextlib.ExitStack() as stack:
        served = list(engines.processes(setups, stack))
        watch = engines.Watch(served)
        for family in families:
            if options.wanted(family.name):
                points = []
                at_work = list(range(len(setups)))
                for place, case in enumerate(growing(family)):
                    times = {who: [] for who in at_work}
                    for number in range(options.runs):
                        engines.progress(f"{family.name}: {case.name}, run {number + 1} of {options.runs}")
                        for turn in range(len(at_work)):
                            who = at_work[(number + place + turn) % len(at_work)]
                            each, _ = served[who].run(case, 0.003, 5)
                            times[who].append(statistics.median(each))
                    medians = {who: statistics.median(each) for who, each in times.items()}
                    at_work = [who for who in at_work
                               if medians[who] < (longest if setups[who].ours else longest_of_peer) * 1e9 / 1.8]
                    points.append({
                        "sizes": case.sizes, "units": family.cost(case.sizes), "ours": {
                            str(setups[who].threads): t for who, t in medians.items() if setups[who].ours},
                        "peer": min((t for who, t in medians.items() if not setups[who].ours), default=None)})
                    if not at_work:
                        break
                done.append({"name": family.name, "unit": family.unit, "points": points})
                yield {"machine": engines.machine(), "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
                       "engines": {setup.engine: process.version for setup, process in zip(setups, served)},
                       "simd": options.simd, "runs": options.runs, "disturbed": watch.parts(), "growth": done}


def of_a_unit(points, line):
    """[(units, ns of a unit)] of our line of so many threads, or of the peer's."""
    values = ((each["units"], each["peer"] if line == "peer" else each["ours"].get(line)) for each in points)
    return [(units, t / units) for units, t in values if t is not None]


def lines_of(document):
    return sorted({threads for family in document["growth"] for each in family["points"] for threads in each["ours"]},
                  key=int)


def cliffs(document):
    """(factor, family, line, units before, units after, the peer's factor there or None)."""
    found = []
    for family in document["growth"]:
        peer = dict(of_a_unit(family["points"], "peer"))
        for line in lines_of(document):
            points = of_a_unit(family["points"], line)
            for (before, t0), (after, t1) in zip(points, points[1:]):
                if t1 > steep * t0:
                    theirs = peer[after] / peer[before] if before in peer and after in peer else None
                    found.append((t1 / t0, family["name"], line, before, after, theirs))
    return sorted(found, reverse=True)


def slower_on_more(document):
    """Where more threads take longer than one by a tenth: (factor, family, threads, units)."""
    for family in document["growth"]:
        for each in family["points"]:
            for threads, t in each["ours"].items():
                if "1" in each["ours"] and t > 1.1 * each["ours"]["1"]:
                    yield t / each["ours"]["1"], family["name"], threads, each["units"]


def table(document, family):
    lines = lines_of(document)
    out = [f"-- {family['name']}", f"{'sizes':>24} {'ns a ' + family['unit'] + ', threads:':>28} "
           + " ".join(f"{n:>10}" for n in lines) + f" {'peer, best':>10} {'ratio':>6}"]
    for each in family["points"]:
        ours = [f"{each['ours'][n] / each['units']:10.4g}" if n in each["ours"] else " " * 10 for n in lines]
        best = min(each["ours"].values(), default=None)
        peer = f"{each['peer'] / each['units']:10.4g}" if each["peer"] else " " * 10
        ratio = f"{best / each['peer']:6.2f}" if best and each["peer"] else ""
        out.append(f"{'x'.join(map(str, each['sizes'])):>24} {'':28} {' '.join(ours)} {peer} {ratio}")
    return "\n".join(out)


def findings(document):
    out = [f"== cliffs: a unit takes more than {steep} times as long as at the size before (the peer's factor there)"]
    out += [f"{factor:6.2f}  {name}, threads: {line}: {before:.3g} -> {after:.3g}"
            + (f"  ({theirs:.2f})" if theirs else "") for factor, name, line, before, after, theirs in cliffs(document)]
    out.append("== slower on more threads than on one, by more than a tenth")
    out += [f"{factor:6.2f}  {name}, threads: {threads}: {units:.3g}"
            for factor, name, threads, units in sorted(slower_on_more(document), reverse=True)]
    out.append(f"{document['machine']}; {', '.join(document['engines'].values())}; {document['date']}; "
               f"{document['runs']} runs; meanwhile others took {document['disturbed']['others']:.0%} of the processors")
    return "\n".join(out)
