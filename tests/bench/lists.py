"""The cases: those of cases.txt and products.txt, and others drawn at random."""
import dataclasses, math, os, random
from typing import Optional

folder = os.path.dirname(os.path.abspath(__file__))


@dataclasses.dataclass
class Case:
    name: str
    family: str
    line: str  # for the program that runs it
    operation: str = ""
    sizes: tuple = ()
    target: float = 1.0
    drawn_from: Optional[str] = None


def case_line(name, operation, sizes):
    return f"{name} | {operation} {' '.join(map(str, sizes))}\n"


def read_cases():
    cases, family = [], ""
    with open(os.path.join(folder, "cases.txt")) as file:
        for line in file:
            if line.startswith("# == "):
                family = line[5:].strip()
            elif line.strip() and not line.startswith("#"):
                name, what, target = [column.strip() for column in line.split("|")]
                operation, *sizes = what.split()
                sizes = tuple(map(int, sizes))
                cases.append(Case(name, family, case_line(name, operation, sizes), operation, sizes, float(target)))
    return cases


def read_products():
    with open(os.path.join(folder, "products.txt")) as file:
        words = [line.split() for line in file if line.strip() and not line.startswith("#")]
    return [Case(f"{m}x{k}x{n}_{layout}", "Products", f"{m} {k} {n} {layout}\n") for m, k, n, layout in words]


# Sizes that stay what they are, by their place: a kernel of a convolution is odd, groups divide the channels.
kept = {"conv_fwd_bwd": {3}, "conv_fwd": {3}, "conv_dw_fwd_bwd": {2}, "conv_transpose_fwd_bwd": {3, 4, 5},
        "groupnorm_fwd_bwd": {1, 4}}


def other_sizes(operation, sizes, generator):
    """Each size by a factor between a half and two, all of them together by no more than that."""
    while True:
        drawn = tuple(size if place in kept.get(operation, ()) else max(1, round(size * 2 ** generator.uniform(-1, 1)))
                      for place, size in enumerate(sizes))
        if drawn != sizes and 0.5 <= math.prod(drawn) / math.prod(sizes) <= 2:
            return drawn


def draw(cases, seed, count=40):
    """`count` of the cases, or as many as have sizes, with other sizes; the same ones for the same seed."""
    generator = random.Random(seed)
    listed = [case for case in cases if case.sizes]
    drawn = []
    for case in generator.sample(listed, min(count, len(listed))):
        sizes = other_sizes(case.operation, case.sizes, generator)
        name = f"{case.name}~{'x'.join(map(str, sizes))}"
        drawn.append(dataclasses.replace(case, name=name, sizes=sizes, drawn_from=case.name,
                                         line=case_line(name, case.operation, sizes)))
    order = {case.name: place for place, case in enumerate(cases)}
    return sorted(drawn, key=lambda case: order[case.drawn_from])
