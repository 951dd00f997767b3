"""From times to ratios, and their tables."""
import math, statistics, time

import engines


def geometric_mean(values):
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values))


def streaming(limits, work, threads):
    """Bytes a second at that many bytes, written in part: between the sizes, and the parts, that were measured."""
    def between(points, x):
        for (x0, y0), (x1, y1) in zip(points, points[1:]):
            if x <= x1:
                return y0 if x <= x0 else y0 + (y1 - y0) * (x - x0) / (x1 - x0)
        return points[-1][1]

    rows = [row for row in limits["bytes_per_second"] if row["in_place"] == work["in_place"]]
    at_size = []
    for written in sorted({row["written"] for row in rows}):
        points = [(math.log(row["bytes"]), row[threads]) for row in rows if row["written"] == written]
        at_size.append((written, between(points, math.log(max(work["bytes"], 1)))))
    return between(at_size, work["written"])


def limit(limits, work, threads):
    """(nanoseconds, "arithmetic" or "memory"): the least that the machine needs with that many threads."""
    arithmetic = work["flops"] / limits["flops_per_second"][str(threads)]
    memory = work["bytes"] / streaming(limits, work, str(threads))
    return (arithmetic * 1e9, "arithmetic") if arithmetic > memory else (memory * 1e9, "memory")


def best_setup(measured, setups, name, figure, wanted):
    """The place of the set-up with the best median over the runs, among those that are wanted."""
    return min((place for place, setup in enumerate(setups) if wanted(setup) and name in measured["runs"][0][place]),
               key=lambda place: statistics.median(run[place][name][figure] for run in measured["runs"]))


def quartiles(values):
    return statistics.quantiles(values, n=4, method="inclusive")[::2] if len(values) > 1 else [values[0]] * 2


def row(case, setups, measured, figure):
    """Our best set-up beside the peer's best, which is one and the same in all runs."""
    def times(place):
        return [run[place][case.name][figure] for run in measured["runs"]]

    ours = best_setup(measured, setups, case.name, figure, lambda setup: setup.ours)
    peer = best_setup(measured, setups, case.name, figure, lambda setup: not setup.ours)
    ratios = [mine / theirs for mine, theirs in zip(times(ours), times(peer))]
    work = measured["work"][case.name]
    by_threads = {setup.threads: statistics.median(times(place)) for place, setup in enumerate(setups) if setup.ours}
    needed = {threads: limit(measured["limits"], work, threads) for threads in by_threads}
    return {
        "name": case.name, "family": case.family, "operation": case.operation, "sizes": case.sizes,
        "drawn_from": case.drawn_from, "ours_ns": statistics.median(times(ours)),
        "peer_ns": statistics.median(times(peer)),
        "peer": f"{setups[peer].engine}, {setups[peer].label}",
        "ratio": statistics.median(ratios), "ratios": ratios, "quartiles": quartiles(ratios), "target": case.target,
        "speedup": by_threads[min(by_threads)] / by_threads[max(by_threads)],
        "limits": {str(threads): needed[threads][0] / t for threads, t in by_threads.items()},
        "limited_by": needed[setups[ours].threads][1], **work,
        "times_ns": {f"{setup.engine}, {setup.label}": times(place) for place, setup in enumerate(setups)
                     if case.name in measured["runs"][0][place]},
    }


def head(measured, options, figure):
    return {"date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), "machine": engines.machine(),
            "engines": measured["versions"], "runs": options.runs, "figure": figure, "quick": options.quick,
            "limits": measured["limits"], "disturbed": measured["disturbed"], "simd": options.simd}


def cases(cases, setups, measured, options):
    figure = "least" if options.least else "median"
    document = head(measured, options, figure)
    rows = [row(case, setups, measured, figure) for case in cases]
    document["families"] = list(dict.fromkeys(case.family for case in cases))
    document["cases"] = [each for each in rows if not each["drawn_from"]]
    document["drawn"] = [each for each in rows if each["drawn_from"]]
    document["seed"] = options.random
    if document["cases"]:
        document["geometric_mean"] = geometric_mean(each["ratio"] for each in document["cases"])
    if document["drawn"]:
        document["geometric_mean_drawn"] = geometric_mean(each["ratio"] for each in document["drawn"])
    if document["cases"] and document["drawn"]:
        origins = {each["drawn_from"] for each in document["drawn"]}
        document["geometric_mean_drawn_from"] = geometric_mean(
            each["ratio"] for each in document["cases"] if each["name"] in origins)
    return document


def nanoseconds(t):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if t >= size:
            return f"{t / size:.3g} {unit}" if t < 999.5 * size else f"{t / size:.0f} {unit}"
    return f"{t:.3g} ns"


least_runs = 5  # below that a median over the runs decides nothing


def mark(each):
    if each["ratio"] > 1:
        return "SLOWER" if len(each["ratios"]) >= least_runs else "slower?"
    return "above target" if each["ratio"] > each["target"] else ""


def lines(rows, width):
    threads = list(rows[0]["limits"]) if rows else []
    limits = " ".join(f"{f'lim. {n}':>6}" for n in threads)
    yield (f"{'case':{width}} {'ours':>8} {'peer':>8} {'ratio':>6} {'quartiles':>10} {'target':>6} {limits} "
           f"{'':10} {'2 thr.':>6}  {'':12}  the peer's best")
    family = None
    for each in rows:
        if each["family"] != family:
            family = each["family"]
            yield f"-- {family}"
        limits = " ".join(f"{each['limits'][n]:6.0%}" for n in threads)
        low, high = each["quartiles"]
        yield (f"{each['name']:{width}} {nanoseconds(each['ours_ns']):>8} {nanoseconds(each['peer_ns']):>8} "
               f"{each['ratio']:6.3f} {f'{low:.2f}..{high:.2f}':>10} {each['target']:6.2f} {limits} "
               f"{each['limited_by']:10} {each['speedup']:6.2f}  {mark(each):12}  {each['peer']}")


def families(rows):
    """A line of a Markdown table for each family: cases, their mean, the slowest, how many are slower than the peer."""
    yield "| family | cases | geometric mean | slowest | slower than the peer |"
    yield "| --- | --- | --- | --- | --- |"
    for family in dict.fromkeys(each["family"] for each in rows):
        of = [each for each in rows if each["family"] == family]
        worst = max(of, key=lambda each: each["ratio"])
        yield (f"| {family} | {len(of)} | {geometric_mean(each['ratio'] for each in of):.2f} | {worst['ratio']:.2f} "
               f"(`{worst['name']}`) | {sum(each['ratio'] > 1 for each in of)} |")


def joined(values):
    return " / ".join(map(str, values))


def table(document):
    listed, drawn = document["cases"], document["drawn"]
    width = max(len(each["name"]) for each in listed + drawn)
    limits = document["limits"]
    example = {"bytes": 12e6, "written": 1 / 3, "in_place": False}
    threads = list(limits["flops_per_second"])
    out = [f"{document['machine']}; {', '.join(document['engines'].values())}; {document['date']}"
           f"{'; ' + document['simd'] if document['simd'] else ''}",
           f"{document['runs']} runs, {'the least' if document['figure'] == 'least' else 'medians'}"
           f"{', quick' if document['quick'] else ''}; ratio: our time / the peer's best; meanwhile others took "
           f"{document['disturbed']['others']:.0%} of the processors, the hypervisor {document['disturbed']['stolen']:.0%}",
           f"limits (lim.) with {joined(threads)} threads: "
           f"{joined(round(limits['flops_per_second'][n] / 1e9) for n in threads)} GFLOP/s, "
           f"{joined(round(streaming(limits, example, n) / 1e9) for n in threads)} GB/s for c = a + b in 12 MB",
           *lines(listed, width)]
    if drawn:
        out += [f"== drawn with seed {document['seed']}", *lines(drawn, width)]
    missed = sorted((each for each in listed + drawn if mark(each)), key=lambda each: -each["ratio"] / each["target"])
    if missed:
        out.append("== above target, the farthest first")
        out += [f"{each['name']:{width}} {each['ratio']:6.3f} {each['target']:6.2f}  {mark(each)}" for each in missed]
    out += ["== by family", *families(listed + drawn)]
    if listed:
        targets = geometric_mean(each["target"] for each in listed)
        out.append(f"geometric mean of {len(listed)} ratios: {document['geometric_mean']:.3f} (targets: {targets:.3f}); "
                   f"{sum(each['ratio'] > 1 for each in listed)} slower than the peer, "
                   f"{sum(each['ratio'] > each['target'] for each in listed)} above target")
    if drawn:
        origin = "geometric_mean_drawn_from"
        out.append(f"geometric mean of {len(drawn)} drawn shapes: {document['geometric_mean_drawn']:.3f}; "
                   + (f"of the cases that they were drawn from: {document[origin]:.3f}; " if origin in document else "")
                   + f"{sum(each['ratio'] > 1 for each in drawn)} slower than the peer")
    return "\n".join(out)


def products(cases, setups, measured, options):
    """Each thread count by itself; `speed` is OpenBLAS's time over ours."""
    figure = "least" if options.least else "median"
    document = head(measured, options, figure)
    document["products"], document["geometric_mean_of_speeds"] = [], {}
    for threads in engines.thread_counts():
        for case in cases:
            def times(of_us):
                place = best_setup(measured, setups, case.name, figure,
                                   lambda setup: setup.ours == of_us and setup.threads == threads)
                return [run[place][case.name][figure] for run in measured["runs"]]

            ours, theirs = times(True), times(False)
            speeds = [peer / mine for mine, peer in zip(ours, theirs)]
            document["products"].append({
                "name": case.name, "threads": threads, "ours_ns": statistics.median(ours),
                "openblas_ns": statistics.median(theirs), "speed": statistics.median(speeds), "speeds": speeds,
                "flops_per_second": measured["work"][case.name]["flops"] / statistics.median(ours) * 1e9})
        document["geometric_mean_of_speeds"][str(threads)] = geometric_mean(
            each["speed"] for each in document["products"] if each["threads"] == threads)
    return document


def product_table(document):
    width = max(len(each["name"]) for each in document["products"])
    out = [f"{document['machine']}; {', '.join(document['engines'].values())}; {document['date']}",
           f"{'product':{width}} threads {'ours':>8} {'OpenBLAS':>8} {'GFLOP/s':>8} {'of limit':>8}  speed"]
    for each in document["products"]:
        peak = document["limits"]["flops_per_second"][str(each["threads"])]
        slower = f"  {'SLOWER' if len(each['speeds']) >= least_runs else 'slower?'}" if each["speed"] < 1 else ""
        out.append(f"{each['name']:{width}} {each['threads']:7} {nanoseconds(each['ours_ns']):>8} "
                   f"{nanoseconds(each['openblas_ns']):>8} {each['flops_per_second'] / 1e9:8.1f} "
                   f"{each['flops_per_second'] / peak:8.0%}  {each['speed']:6.2f}{slower}")
    for threads, mean in document["geometric_mean_of_speeds"].items():
        out.append(f"geometric mean of our speed over OpenBLAS's, threads: {threads}: {mean:.3f}")
    return "\n".join(out)
