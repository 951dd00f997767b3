"""From times to ratios, and their tables."""
import math, statistics, time

import engines


def geometric_mean(values):
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values))


def streaming(limits, form, bytes_moved, threads):
    """Bytes a second of that form at that many bytes, between the sizes that were measured."""
    table = [(math.log(row["bytes"]), row[threads]) for row in limits["bytes_per_second"][form]]
    x = math.log(max(bytes_moved, 1))
    for (x0, y0), (x1, y1) in zip(table, table[1:]):
        if x <= x1:
            return y0 if x <= x0 else y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return table[-1][1]


def limit(limits, work, threads):
    """(nanoseconds, "arithmetic" or "memory"): the least that the machine needs with so many threads."""
    arithmetic = work["flops"] / limits["flops_per_second"][threads]
    memory = work["bytes"] / streaming(limits, engines.forms[int(work["form"])], work["bytes"], threads)
    return (arithmetic * 1e9, "arithmetic") if arithmetic > memory else (memory * 1e9, "memory")


def over_setups(run, setups, name, figure, wanted):
    """The best time among the set-ups that are wanted, and whose it is."""
    return min((run[place][name][figure], place) for place, setup in enumerate(setups) if wanted(setup))


def row(case, setups, measured, figure):
    ours, peer, ratios, whose = [], [], [], []
    for run in measured["runs"]:
        mine, _ = over_setups(run, setups, case.name, figure, lambda setup: setup.ours)
        theirs, place = over_setups(run, setups, case.name, figure, lambda setup: not setup.ours)
        ours.append(mine), peer.append(theirs * case.other), whose.append(place)
        ratios.append(mine / (theirs * case.other))
    place = statistics.mode(whose)
    work = next(iter(measured["runs"][0].values()))[case.name]
    needed = {str(n): limit(measured["limits"], work, str(n)) for n in engines.thread_counts()}
    _, by = min(needed.values())
    by_threads = [statistics.median(run[place][case.name][figure] for run in measured["runs"])
                  for place, setup in enumerate(setups) if setup.ours]
    return {
        "name": case.name, "family": case.family, "operation": case.operation, "sizes": case.sizes,
        "drawn_from": case.drawn_from, "ours_ns": statistics.median(ours), "peer_ns": statistics.median(peer),
        "peer": f"{setups[place].engine}, {setups[place].label}", "other": case.other,
        "ratio": statistics.median(ratios), "ratios": ratios, "target": case.target,
        "speedup": by_threads[0] / by_threads[-1], "limited_by": by,
        "limit": {n: needed[n][0] / time for n, time in zip(needed, by_threads)},
        "flops": work["flops"], "bytes": work["bytes"], "form": engines.forms[int(work["form"])],
        "times_ns": {f"{setup.engine}, {setup.label}": [run[place][case.name][figure] for run in measured["runs"]]
                     for place, setup in enumerate(setups)},
    }


def head(measured, options, figure):
    return {"date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), "machine": engines.machine(),
            "engines": measured["versions"], "runs": options.runs, "figure": figure, "quick": options.quick,
            "limits": measured["limits"]}


def cases(cases, setups, measured, options):
    figure = "least" if options.least else "median"
    document = head(measured, options, figure)
    rows = [row(case, setups, measured, figure) for case in cases]
    document["families"] = list(dict.fromkeys(case.family for case in cases))
    document["cases"] = [each for each in rows if not each["drawn_from"]]
    document["drawn"] = [each for each in rows if each["drawn_from"]]
    document["seed"] = options.random
    document["geometric_mean"] = geometric_mean(each["ratio"] for each in document["cases"])
    if document["drawn"]:
        origins = {each["drawn_from"] for each in document["drawn"]}
        document["geometric_mean_drawn"] = geometric_mean(each["ratio"] for each in document["drawn"])
        document["geometric_mean_drawn_from"] = geometric_mean(
            each["ratio"] for each in document["cases"] if each["name"] in origins)
    return document


def nanoseconds(t):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if t >= size:
            return f"{t / size:.3g} {unit}" if t < 999.5 * size else f"{t / size:.0f} {unit}"
    return f"{t:.3g} ns"


def mark(each):
    return "SLOWER" if each["ratio"] > 1 else "above target" if each["ratio"] > each["target"] else ""


def lines(rows, width):
    yield (f"{'case':{width}} {'ours':>8} {'peer':>8} {'ratio':>6} {'target':>6} {'limit':>11} {'':10} {'2 thr.':>6}  "
           f"{'':12}  the peer's best")
    family = None
    for each in rows:
        if each["family"] != family:
            family = each["family"]
            yield f"-- {family}"
        other = f" x {each['other']:.3f}" if each["other"] != 1 else ""
        yield (f"{each['name']:{width}} {nanoseconds(each['ours_ns']):>8} {nanoseconds(each['peer_ns']):>8} "
               f"{each['ratio']:6.3f} {each['target']:6.2f} "
               f"{joined(f'{part:.0%}' for part in each['limit'].values()):>11} {each['limited_by']:10} "
               f"{each['speedup']:6.2f}  {mark(each):12}  {each['peer']}{other}")


def joined(values):
    return " / ".join(map(str, values))


def speeds(limits, form):
    return f"{form} {joined(round(streaming(limits, form, 12e6, str(n)) / 1e9) for n in engines.thread_counts())}"


def table(document):
    listed, drawn = document["cases"], document["drawn"]
    width = max(len(each["name"]) for each in listed + drawn)
    limits = document["limits"]
    out = [f"{document['machine']}; {', '.join(document['engines'].values())}; {document['date']}",
           f"{document['runs']} runs, {'the least' if document['figure'] == 'least' else 'medians'}"
           f"{', quick' if document['quick'] else ''}; ratio: our time / the peer's best",
           f"limits with {joined(engines.thread_counts())} threads: "
           f"{joined(round(limits['flops_per_second'][str(n)] / 1e9) for n in engines.thread_counts())} GFLOP/s; "
           f"GB/s in 12 MB: {', '.join(speeds(limits, form) for form in engines.forms)}",
           *lines(listed, width)]
    if drawn:
        out += [f"== drawn with seed {document['seed']}", *lines(drawn, width)]
    missed = sorted((each for each in listed + drawn if mark(each)), key=lambda each: -each["ratio"] / each["target"])
    if missed:
        out.append("== above target, the farthest first")
        out += [f"{each['name']:{width}} {each['ratio']:6.3f} {each['target']:6.2f}  {mark(each)}" for each in missed]
    targets = geometric_mean(each["target"] for each in listed)
    out.append(f"geometric mean of {len(listed)} ratios: {document['geometric_mean']:.3f} (targets: {targets:.3f}); "
               f"{sum(each['ratio'] > 1 for each in listed)} slower than the peer, "
               f"{sum(each['ratio'] > each['target'] for each in listed)} above target")
    if drawn:
        out.append(f"geometric mean of {len(drawn)} drawn shapes: {document['geometric_mean_drawn']:.3f}; of the cases "
                   f"that they were drawn from: {document['geometric_mean_drawn_from']:.3f}; "
                   f"{sum(each['ratio'] > 1 for each in drawn)} slower than the peer")
    return "\n".join(out)


def products(cases, setups, measured, options):
    """Each thread count by itself; `speed` is OpenBLAS's time over ours."""
    figure = "least" if options.least else "median"
    document = head(measured, options, figure)
    document["products"], document["geometric_mean_of_speeds"] = [], {}
    for threads in engines.thread_counts():
        some = [setup for setup in setups if setup.threads == threads]
        for case in cases:
            ours, peer, speeds = [], [], []
            for run in measured["runs"]:
                mine, _ = over_setups(run, setups, case.name, figure, lambda setup: setup.ours and setup in some)
                theirs, _ = over_setups(run, setups, case.name, figure, lambda setup: not setup.ours and setup in some)
                ours.append(mine), peer.append(theirs), speeds.append(theirs / mine)
            flops = measured["runs"][0][0][case.name]["flops"]
            document["products"].append({
                "name": case.name, "threads": threads, "ours_ns": statistics.median(ours),
                "openblas_ns": statistics.median(peer), "speed": statistics.median(speeds),
                "flops_per_second": flops / statistics.median(ours) * 1e9})
        document["geometric_mean_of_speeds"][str(threads)] = geometric_mean(
            each["speed"] for each in document["products"] if each["threads"] == threads)
    return document


def product_table(document):
    width = max(len(each["name"]) for each in document["products"])
    out = [f"{document['machine']}; {', '.join(document['engines'].values())}; {document['date']}",
           f"{'product':{width}} threads {'ours':>8} {'OpenBLAS':>8} {'GFLOP/s':>8} {'of limit':>8}  speed"]
    for each in document["products"]:
        peak = document["limits"]["flops_per_second"][str(each["threads"])]
        slower = "  SLOWER" if each["speed"] < 1 else ""
        out.append(f"{each['name']:{width}} {each['threads']:7} {nanoseconds(each['ours_ns']):>8} "
                   f"{nanoseconds(each['openblas_ns']):>8} {each['flops_per_second'] / 1e9:8.1f} "
                   f"{each['flops_per_second'] / peak:8.0%}  {each['speed']:6.2f}{slower}")
    for threads, mean in document["geometric_mean_of_speeds"].items():
        out.append(f"geometric mean of our speed over OpenBLAS's, threads: {threads}: {mean:.3f}")
    return "\n".join(out)
